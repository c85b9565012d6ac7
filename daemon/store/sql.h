/*
 * Texts of SQL statements, built in an arena. Equal requests make equal texts,
 * so that the statement cache finds them again.
 */
#ifndef HERO_STORE_SQL_H
#define HERO_STORE_SQL_H

#include "model.h"

struct sql {
    struct arena *arena;
    char *text;
    size_t len, size;
    bool failed; /* the arena is exhausted */
};

void sql_init(struct sql *sql, struct arena *arena);
void sql_add(struct sql *sql, const char *text);
/* Quoted where it must be. */
void sql_name(struct sql *sql, const char *name);
/* The table's name, quoted where it must be. */
void sql_table(struct sql *sql, const struct model *model);
/* ?1 and so on. */
void sql_parameter(struct sql *sql, unsigned number);
/* [prefix.]name */
void sql_column(struct sql *sql, const char *prefix, const struct column *column);
/* All columns of the model in their order, each with the prefix ("" for none). */
void sql_columns(struct sql *sql, const char *prefix, const struct model *model);
/* id = ?first AND .. over the primary key. */
void sql_key(struct sql *sql, const char *prefix, const struct model *model, unsigned first);
/* NULL when the arena is exhausted. */
const char *sql_text(const struct sql *sql);

#endif
