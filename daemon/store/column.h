/*
 * Column kinds: one row for each says how it is declared in SQL, given to
 * SQLite and read. The one place of the daemon to touch for a new kind.
 */
#ifndef HERO_STORE_COLUMN_H
#define HERO_STORE_COLUMN_H

#include <sqlite3.h>
#include "model.h"
#include "key_table.h"

/* INTEGER, VARCHAR(9), DATETIME: SQLModel's types, or the one that is declared. */
const char *column_sql_type(const struct column *column);

/* Binds the record's value; absent binds NULL. Text and bytes are borrowed from
 * the record or kept in the arena until the statement is reset.
 * INVALID_ARGUMENT (violation: the field's name) for what SQLite can't hold as
 * it came: NaN, unsigned past 2^63-1. */
MUST_CHECK Code column_bind(sqlite3_stmt *stmt, int index, const struct column *column,
                            const ProtobufCMessage *record, struct arena *arena,
                            struct fault *fault);
/* Binds what an absent value becomes on create: the default, a new uuid, this
 * moment, an empty list, or NULL; what the database finds is left out of the
 * statement instead (DEFAULT_SQL, read_only). */
MUST_CHECK Code column_bind_default(sqlite3_stmt *stmt, int index, const struct column *column,
                                    struct arena *arena, struct fault *fault);
/* Is that anything but NULL? */
bool column_has_default(const struct column *column);
/* The record's value as SQLite would hold it, borrowed from the record or in
 * the arena. NULL, which equals nothing, for what is absent or can't be held. */
struct key_value column_value(const struct column *column, const ProtobufCMessage *record,
                              struct arena *arena);
/* Reads result column `index` into the record. NULL makes the field absent.
 * With arena NULL text and bytes are borrowed from the row (until the next
 * step): enough to pack the record at once; what must be made then is in
 * `scratch`. DATA_LOSS where the stored value doesn't fit the kind, naming
 * model and column. */
MUST_CHECK Code column_read(sqlite3_stmt *stmt, int index, const struct column *column,
                            ProtobufCMessage *record, struct arena *arena, struct arena *scratch,
                            struct fault *fault);

/* What comparing two values of the column in SQLite says of them (decimals: in
 * the order of decimal_order.h). */
enum column_comparison {
    COLUMN_NOT_COMPARED,
    COLUMN_EQUALITY, /* the same or not; which is the smaller one says nothing */
    COLUMN_ORDER,
};
enum column_comparison column_comparison(const struct column *column);
/* A value that was written as text, as SQLite holds it in this column: 5, 1.5,
 * true, base64 of bytes, any text. It is in the arena or borrowed from `text`.
 * INVALID_ARGUMENT, with a message and no violation, for what the column can't
 * hold. */
MUST_CHECK Code column_value_parse(const struct column *column, const char *text,
                                   struct arena *arena, struct key_value *ret_value,
                                   struct fault *fault);

#endif
