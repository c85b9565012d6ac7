/*
 * DEFAULT clauses of existing tables: does one mean what the model says?
 */
#ifndef HERO_STORE_DEFAULT_H
#define HERO_STORE_DEFAULT_H

#include "model.h"

/* `sql` is the clause's expression as the schema has it. Literals only: an
 * expression that must be computed never matches. */
bool default_matches(const char *sql, const struct column *column);

#endif
