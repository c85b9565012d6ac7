/*
 * Orders of records, and places in them: what order_by asks for, as ORDER BY,
 * and what comes after a row, as conditions that an index can start from.
 *
 * What follows a row (a, b, c) in an order is looked up piece by piece: first
 * the rows with the same a and b and a greater c, then those with the same a
 * and a greater b, then those with a greater a. Each piece is a range, in any
 * mixture of directions and with NULLs, which SQLite sorts before everything.
 */
#ifndef HERO_STORE_ORDER_H
#define HERO_STORE_ORDER_H

#include "query.h"
#include "scope.h"

/* Fields that one order may name. */
#define ORDER_MAX 16

struct order_column {
    struct place place;
    bool descends;
};

struct order {
    struct order_column *columns; /* those asked for, then what decides among equals */
    size_t n;
    uint64_t shape; /* tells orders apart; a renamed column keeps it */
};

/* A piece of what follows a row. */
struct order_piece {
    size_t column; /* all before it are the row's */
    bool nulls;    /* those that are NULL in it, of a descending column */
};

/* The names of a request (violations at path[i]); of related records "link.x",
 * too, and without names the relationship's own order. */
MUST_CHECK Code order_read(struct order *order, struct scope *scope, char *const *names, size_t n,
                           const char *path, struct fault *fault);
/* " ORDER BY t0.age DESC, t0.id" */
void order_text(struct sql *sql, const struct order *order);
/* ", t0.age, t0.id": its columns as the last ones of a result. */
void order_columns(struct sql *sql, const struct order *order);
/* The values of those in a row; in the arena. NULL: no memory. */
struct key_value *order_values(const struct order *order, sqlite3_stmt *stmt, int first,
                               struct arena *arena);

/* The first piece; false: nothing can follow. */
bool order_first(const struct order *order, const struct key_value *after,
                 struct order_piece *ret_piece);
bool order_next(const struct order *order, const struct key_value *after,
                struct order_piece *piece);
/* The condition of a piece. */
void order_condition(struct query *query, const struct order *order, const struct key_value *after,
                     const struct order_piece *piece);

#endif
