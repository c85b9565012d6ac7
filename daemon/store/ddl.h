/*
 * DDL: the tables and indexes of a model in the words SQLAlchemy uses, so that
 * a database made by SQLModel and one made by Hero are the same.
 *
 * Knows models; no connection, no existing table.
 */
#ifndef HERO_STORE_DDL_H
#define HERO_STORE_DDL_H

#include "model.h"

struct ddl_index {
    const char *name;
    const char *sql;
    const struct column **columns;
    size_t n_columns;
    bool unique;
    bool implied; /* nobody asked for it: a relationship looks rows up by it */
};

/* CREATE TABLE; NULL when the arena is exhausted. */
const char *ddl_table(const struct model *model, struct arena *arena);
/* The same under another name. */
const char *ddl_table_as(const struct model *model, const char *table, struct arena *arena);
/* The literal behind DEFAULT; NULL: there is none, or no memory for it. */
const char *ddl_default(const struct column *column, struct arena *arena);
/* The indexes that are statements of their own. false when the arena is exhausted. */
bool ddl_indexes(const struct model *model, struct arena *arena, struct ddl_index **ret_indexes,
                 size_t *ret_n);

#endif
