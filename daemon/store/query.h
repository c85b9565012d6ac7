/*
 * Queries: the text of one statement and the values that belong to its
 * parameters, which are numbered in the order they are added. Values never
 * become text.
 */
#ifndef HERO_STORE_QUERY_H
#define HERO_STORE_QUERY_H

#include "key_table.h"
#include "sql.h"

struct query_parameter {
    struct key_value value;
    const struct key_list *list; /* instead of a value: of _hero_keys(?) */
};

struct query {
    struct sql sql;
    struct query_parameter *parameters;
    unsigned n_parameters, size;
};

void query_init(struct query *query, struct arena *arena);
/* ?N, with its value; text and bytes stay the caller's. */
void query_value(struct query *query, const struct key_value *value);
/* The next parameter without its text: the caller writes ?N where it wants it. */
void query_bound(struct query *query, const struct key_value *value);
void query_integer(struct query *query, int64_t integer);
/* ?N, a list of keys that lives as long as the statement. */
void query_list(struct query *query, const struct key_list *list);
/* The statement, prepared and bound; give it back with db_release. NULL: the fault tells. */
MUST_CHECK sqlite3_stmt *query_prepare(struct query *query, struct db *db, struct fault *fault);
/* Binds what the query holds to a statement of its text. */
MUST_CHECK Code query_bind(const struct query *query, struct db *db, sqlite3_stmt *stmt,
                           struct fault *fault);

#endif
