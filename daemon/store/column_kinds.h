/*
 * What the rows of the table of kinds (column.c) point at: how values go to
 * SQLite (column_value.c), come from it (column_read.c), and are made of text
 * (column_parse.c).
 */
#ifndef HERO_STORE_COLUMN_KINDS_H
#define HERO_STORE_COLUMN_KINDS_H

#include "column.h"

/* A value of a record as SQLite shall hold it; text and bytes are borrowed
 * from the record, or in the arena where they had to be made. */
typedef Code column_value_function(const struct column *column, const void *at, struct arena *arena,
                                   struct key_value *ret_value, struct fault *fault);
column_value_function column_value_int32, column_value_uint32, column_value_int64,
    column_value_uint64, column_value_float, column_value_double, column_value_bool,
    column_value_text, column_value_bytes, column_value_enum, column_value_timestamp,
    column_value_date, column_value_uuid, column_value_decimal, column_value_json;

/* Where a value that is read lives: copies of text and bytes in `kept` (NULL:
 * they are borrowed from the row), what has to be made in `made`. */
struct memory {
    struct arena *kept, *made;
};
typedef Code column_read_function(sqlite3_stmt *stmt, int index, const struct column *column,
                                  void *value, struct memory memory, struct fault *fault);
column_read_function column_read_int32, column_read_uint32, column_read_int64, column_read_uint64,
    column_read_bool, column_read_double, column_read_float, column_read_text, column_read_bytes,
    column_read_enum, column_read_timestamp, column_read_date, column_read_uuid,
    column_read_decimal, column_read_json;

typedef Code column_parse_function(const struct column *column, const char *text,
                                   struct arena *arena, struct key_value *ret_value,
                                   struct fault *fault);
column_parse_function column_parse_integer, column_parse_real, column_parse_bool, column_parse_text,
    column_parse_bytes, column_parse_enum, column_parse_timestamp, column_parse_date,
    column_parse_uuid, column_parse_decimal;

/* Values that need no column to be made. */
static inline Code integer_value(int64_t integer, struct key_value *ret_value)
{
    *ret_value = (struct key_value){.type = SQLITE_INTEGER, .integer = integer};
    return HERO__V1__CODE__OK;
}

static inline Code data_value(int type, const void *data, size_t len, struct key_value *ret_value)
{
    /* A NULL pointer would bind NULL, and empty is a value. */
    *ret_value = (struct key_value){.type = type, .len = len, .data = data ? data : ""};
    return HERO__V1__CODE__OK;
}
Code real_value(const struct column *column, double number, struct key_value *ret_value,
                struct fault *fault);
Code column_no_memory(const struct column *column, struct fault *fault);
/* Does SQLite hold a number whatever is bound, as far as it looks like one? */
bool column_is_binary(const struct column *column);

#endif
