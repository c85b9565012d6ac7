/*
 * The shape of an existing table, as SQLite's pragmas tell it.
 *
 * Knows SQLite's catalogue, no models.
 */
#ifndef HERO_STORE_SHAPE_H
#define HERO_STORE_SHAPE_H

#include "db.h"

struct shape_column {
    const char *name, *type;
    const char *default_sql; /* NULL: none */
    const char *collation;
    int key;    /* place in the primary key, from 1; 0: not in it */
    int hidden; /* generated, or hidden by a virtual table */
    bool not_null;
};

struct shape_index {
    const char *name;
    bool unique, partial;
    bool is_key;          /* stands for the primary key */
    const char **columns; /* NULL: an expression */
    bool *binary;         /* collates bytes */
    size_t n_columns;
};

struct shape_foreign_key {
    const char *table, *from;
    const char *to; /* NULL: the parent's primary key, which it has not */
    const char *on_update, *on_delete;
    int id, place; /* of one of several columns */
};

struct shape {
    const char *kind; /* table, view, virtual, shadow; NULL: there is none */
    const char *name; /* as it was created */
    bool without_rowid;
    struct shape_column *columns;
    size_t n_columns;
    struct shape_index *indexes;
    size_t n_indexes;
    struct shape_foreign_key *foreign_keys;
    size_t n_foreign_keys;
};

/* OK with kind NULL where nothing of that name is a table or view. */
MUST_CHECK Code shape_read(struct db *db, const char *table, struct arena *arena,
                           struct shape *ret_shape, struct fault *fault);
/* What else the schema calls by that name ("index" ...); NULL: nothing. In the arena. */
MUST_CHECK Code shape_kind_of_name(struct db *db, const char *name, struct arena *arena,
                                   const char **ret_kind, struct fault *fault);

#endif
