/*
 * The clauses of CREATE TABLE as Hero writes it, one by one, and whether two
 * models' say the same once columns and tables have their new names.
 *
 * Works on the text of ddl.c, so that whatever is declared there is compared:
 * types, defaults, checks, keys. Knows no connection.
 */
#ifndef HERO_STORE_DDL_CLAUSE_H
#define HERO_STORE_DDL_CLAUSE_H

#include "model.h"

struct ddl_clauses {
    const char **columns; /* "age INTEGER NOT NULL", by position of the column */
    const char **others;  /* PRIMARY KEY (id), UNIQUE (code), FOREIGN KEY(..) .. */
    size_t n_others;
};

/* false when the arena is exhausted. */
MUST_CHECK bool ddl_clauses(const struct model *model, struct arena *arena,
                            struct ddl_clauses *ret_clauses);
/* The same of what `was` is written as where all names are those of the later
 * models: a column is the one of its number, a table the one that descends
 * from it. */
MUST_CHECK bool ddl_clauses_renamed(const struct model *was, const struct models *later,
                                    struct arena *arena, struct ddl_clauses *ret_clauses);
/* Any text of SQL over the columns of `was`, with their new names. NULL: no memory. */
const char *ddl_renamed(const struct model *was, const struct models *later, const char *sql,
                        struct arena *arena);
/* Of a column's clause what follows its name, lengths of types left out. */
const char *ddl_clause_rule(const char *clause, struct arena *arena);
/* REFERENCES team (id), of a clause that is the foreign key of this column
 * alone; NULL: it is another. */
const char *ddl_clause_reference(const struct column *column, const char *clause,
                                 struct arena *arena);
/* Is the column's name in the clause? */
bool ddl_clause_has(const struct column *column, const char *clause, struct arena *arena);

/* The model of later ones that descends from `was`; NULL: none. */
const struct model *model_descendant(const struct models *later, const struct model *was);

#endif
