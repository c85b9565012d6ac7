/*
 * The plan of a change: steps in the order in which they are done, each with
 * its reason and its SQL, tried on a rehearsal as they are added.
 *
 * plan.c owns the list and what all steps need; plan_models.c the order of
 * things, plan_table.c one table that changes, plan_rebuild.c one that is
 * written anew, plan_rows.c what rows say to it. apply.c carries plans out.
 */
#ifndef HERO_STORE_PLAN_H
#define HERO_STORE_PLAN_H

#include "internal.h"
#include "model_change.h"
#include "rehearsal.h"
#include "sql.h"

/* A step as it travels, and what the travel doesn't need. */
struct plan_step {
    Hero__V1__Step wire;
    bool needs_leave; /* it loses something: refused unless that is allowed */
};

struct plan {
    struct arena *arena;
    struct arena scratch; /* what one table looks like, and then the next */
    struct db *db;        /* the rows; the schema as it is now */
    struct rehearsal rehearsal;
    const struct models *served, *models; /* what was, what shall be */
    struct fault *fault;
    struct plan_step **steps;
    size_t n_steps;
    char **ddl; /* of all steps */
    size_t n_ddl;
    char **adopted;
    size_t n_adopted;
    const char **warnings; /* what adopted tables have and models don't say */
    size_t n_warnings;
    bool touches_tables; /* that are there */
    bool *suspect;       /* by position in models: its foreign keys need a look in the end */
};

MUST_CHECK Code plan_init(struct plan *plan, struct db *db, const struct models *served,
                          const struct models *models, struct arena *arena, struct fault *fault);
void plan_done(struct plan *plan);

/* ---- steps; NULL or a fault where memory or the rehearsal says no ---- */

struct plan_step *plan_step(struct plan *plan, const char *why, const char *format, ...)
    PRINTF(3, 4);
/* One statement more, tried at once. `path`: who is to blame if it can't be. */
MUST_CHECK Code plan_sql(struct plan *plan, struct plan_step *step, const struct model *model,
                         const char *sql);
/* The step loses what is called so, in as many rows. */
void plan_loses(struct plan_step *step, const char *what, uint64_t rows);
Code plan_exhausted(struct plan *plan);
/* "heroes.proto:Hero.age"; column NULL: the model. */
const char *plan_path(struct plan *plan, const struct model *model, const char *field);

/* plan_models.c: all of it. INVALID_ARGUMENT, FAILED_PRECONDITION with a
 * violation for each thing that stands in the way. */
MUST_CHECK Code plan_make(struct plan *plan);
/* The models that are no longer served; no table changes. */
MUST_CHECK Code plan_removal(struct plan *plan);
/* What the steps do, a line each; in the arena. */
const char *plan_summary(const struct plan *plan);
/* FAILED_PRECONDITION where steps lose what is not in `allowed`. */
MUST_CHECK Code plan_check_losses(struct plan *plan, char *const *allowed, size_t n_allowed);

/* ---- one table that changes ---- */

struct plan_column {
    const struct column *was; /* NULL: it is added */
    const struct column *is;  /* NULL: it is dropped */
    const char *name;         /* once renames are done */
    const char *way;          /* from the old value to the new one: CAST(%s AS TEXT) */
    const char *fill;         /* what takes the place of NULL; NULL: nothing does */
    const char *reference;    /* REFERENCES ..., of a column that is added in place */
};

struct plan_table {
    const struct model *was, *is;
    struct model_changes changes; /* in the words of the .proto */
    struct plan_column *columns;  /* of is in their order, then those that are dropped */
    size_t n_columns;
    const char *rebuild; /* why; NULL: not needed */
    uint64_t rows;
    bool as_it_is; /* somebody else made it what the model now says */
};

/* plan_table.c, plan_index.c, plan_column.c; in this order, each for all tables. */
MUST_CHECK Code plan_table_read(struct plan *plan, struct plan_table *table);
MUST_CHECK Code plan_table_drop_indexes(struct plan *plan, struct plan_table *table);
MUST_CHECK Code plan_table_rename_columns(struct plan *plan, struct plan_table *table);
MUST_CHECK Code plan_table_change(struct plan *plan, struct plan_table *table);
MUST_CHECK Code plan_table_indexes(struct plan *plan, struct plan_table *table);
/* What the .proto says of a field otherwise than before, in one text. */
const char *plan_table_why(struct plan *plan, const struct plan_table *table, uint32_t number);

/* plan_rebuild.c */
MUST_CHECK Code plan_rebuild(struct plan *plan, struct plan_table *table);

/* ---- plan_rows.c: rows as they are now, under the old names ---- */

MUST_CHECK Code plan_count(struct plan *plan, const char *table, const char *condition,
                           uint64_t *ret_rows);
/* Rows in the way: how many, and the first keys. */
struct plan_rows {
    uint64_t n;
    const char *keys;
    unsigned n_keys;
};
/* One row more; its key is in the result columns from `first` on. */
void plan_rows_add(struct plan *plan, const struct model *was, sqlite3_stmt *stmt, int first,
                   struct plan_rows *rows);
/* A violation at the field: "<what> in 2 rows of table hero (keys 1; 7)<remedy>". */
void plan_tell_rows(struct plan *plan, const struct plan_table *table, const char *field,
                    const struct plan_rows *rows, const char *what, const char *remedy);
/* The same for rows that the condition holds for; if there are none, nothing. */
MUST_CHECK Code plan_obstacle(struct plan *plan, const struct plan_table *table, const char *field,
                              const char *condition, const char *what, const char *remedy);
/* What the new table's rows have in the column, an expression over the old
 * one's, which calls it `name`. In the arena; NULL: no memory. */
const char *plan_new_value(struct plan *plan, const struct plan_column *column, const char *name);
/* Rows in the way of the table's new constraints. */
MUST_CHECK Code plan_table_obstacles(struct plan *plan, struct plan_table *table);
/* plan_convert.c: way and fill of the column; violations where values can't
 * become what it now is. */
MUST_CHECK Code plan_conversion(struct plan *plan, const struct plan_table *table,
                                struct plan_column *column);
/* The way with the old value's name in it. In the arena; NULL: there is none. */
const char *plan_value(struct plan *plan, const char *way, const char *name);

#endif
