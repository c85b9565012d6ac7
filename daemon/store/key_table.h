/*
 * _hero_keys(pointer): a table-valued function that lists keys handed over
 * with sqlite3_bind_pointer, so that one statement reads what belongs to many
 * records. Its columns: position, k0, k1, ...
 */
#ifndef HERO_STORE_KEY_TABLE_H
#define HERO_STORE_KEY_TABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include "db.h"

/* Columns that a key may have. */
#define KEY_TABLE_MAX_COLUMNS 32
#define KEY_TABLE_POINTER "hero_keys"

/* One value as SQLite holds it. */
struct key_value {
    int type; /* SQLITE_INTEGER, _FLOAT, _TEXT, _BLOB, _NULL */
    union {
        int64_t integer;
        double real;
        size_t len;
    };
    const void *data; /* _TEXT, _BLOB */
};

struct key_list {
    size_t n_keys;
    size_t n_columns;
    const struct key_value *const *keys; /* n_keys times n_columns values */
};

/* Binds the list as parameter; it must live until the statement is reset. */
int key_list_bind(sqlite3_stmt *stmt, int index, const struct key_list *list);
/* Text and bytes are borrowed. */
int key_value_bind(sqlite3_stmt *stmt, int index, const struct key_value *value);
bool key_value_equal(const struct key_value *a, const struct key_value *b);
/* Of a result row, borrowed from it. */
struct key_value key_value_of(sqlite3_stmt *stmt, int index);

#endif
