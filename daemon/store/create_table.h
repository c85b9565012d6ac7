/*
 * What a CREATE TABLE statement says and SQLite's pragmas don't: CHECKs,
 * AUTOINCREMENT, names of constraints, conflict clauses, deferral.
 *
 * Reads text that SQLite's own parser took before; knows no models. Text that
 * it can't follow gives less, never a fault.
 */
#ifndef HERO_STORE_CREATE_TABLE_H
#define HERO_STORE_CREATE_TABLE_H

#include "arena.h"

struct create_check {
    const char *sql;    /* without the parentheses around, comments and spare blanks */
    const char *name;   /* NULL: none */
    const char *column; /* whose definition holds it; NULL: the table's */
};

/* UNIQUE, PRIMARY KEY and FOREIGN KEY constraints of the table. */
struct create_constraint {
    const char *name; /* NULL: none */
    const char **columns;
    size_t n_columns;
    bool unique, primary_key, foreign_key;
};

struct create_table {
    struct create_check *checks;
    size_t n_checks;
    struct create_constraint *constraints;
    size_t n_constraints;
    bool autoincrement;
    bool deferred;         /* a foreign key is INITIALLY DEFERRED */
    const char *conflict;  /* REPLACE, IGNORE ... of some constraint; NULL: none but ABORT */
    const char **collated; /* columns with COLLATE */
    size_t n_collated;
};

/* False: no memory. */
bool create_table_read(const char *sql, struct arena *arena, struct create_table *ret_table);

/* A copy of an expression with one blank where blanks or comments were and
 * none at its ends. NULL: no memory. */
const char *sql_squeezed(struct arena *arena, const char *sql, size_t len);

/* Are they the same but for blanks, comments and the case of words? */
bool sql_same(const char *a, const char *b);

#endif
