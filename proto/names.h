/*
 * Names in SQL: derived and quoted in one place, as SQLModel (SQLAlchemy) does.
 */
#ifndef HERO_PROTO_NAMES_H
#define HERO_PROTO_NAMES_H

#include "arena.h"

/* Longest table, column and relationship name, in bytes. */
#define NAME_MAX_BYTES 128

/* The message name's last part in ASCII lower case: HeroTeamLink -> heroteamlink. */
char *name_of_table(struct arena *arena, const char *message_name);
/* ix_<table>_<column> */
char *name_of_index(struct arena *arena, const char *table, const char *column);
/* ck_<table>_<oneof>: the check that one at most is set. */
char *name_of_oneof(struct arena *arena, const char *table, const char *oneof);
/* Quoted with "" where SQLAlchemy quotes: upper case, odd characters, a first
 * digit or $, SQLite's reserved words. */
char *name_quoted(struct arena *arena, const char *name);
/* NULL if the name may be a table's or column's, else the reason: empty, too
 * long, control characters or broken UTF-8, the prefixes sqlite_ and _hero_. */
const char *name_refused(const char *name);

/* Is the text one whole expression, as far as parentheses, quotes, comments
 * and semicolons tell? It stands in DDL and must not get out of its place.
 * NULL: it is; else why not. */
const char *expression_refused(const char *text);

#endif
