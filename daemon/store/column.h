/*
 * Column types: one row for each protobuf type says how it is declared in
 * SQL, bound and read. The one place of the daemon to touch for a new type.
 */
#ifndef HERO_STORE_COLUMN_H
#define HERO_STORE_COLUMN_H

#include <sqlite3.h>
#include "model.h"
#include "key_table.h"

/* INTEGER, VARCHAR, FLOAT, BOOLEAN, BLOB: SQLModel's types. */
const char *column_sql_type(const struct column *column);

/* Binds the record's value; absent binds NULL. Text and bytes are borrowed
 * until the statement is reset. INVALID_ARGUMENT (violation: the field's
 * name) for what SQLite can't hold as it came: NaN, unsigned past 2^63-1. */
MUST_CHECK Code column_bind(sqlite3_stmt *stmt, int index, const struct column *column,
                            const ProtobufCMessage *record, struct fault *fault);
/* Binds the column's default, or NULL. */
MUST_CHECK Code column_bind_default(sqlite3_stmt *stmt, int index, const struct column *column,
                                    struct fault *fault);
/* The record's value as SQLite would hold it; text and bytes are borrowed.
 * NULL, which equals nothing, for what is absent or can't be held. */
struct key_value column_value(const struct column *column, const ProtobufCMessage *record);
/* Reads result column `index` into the record. NULL makes the field absent.
 * With arena NULL text and bytes are borrowed from the row (until the next
 * step): enough to pack the record at once. DATA_LOSS where the stored value
 * doesn't fit the type, naming model and column. */
MUST_CHECK Code column_read(sqlite3_stmt *stmt, int index, const struct column *column,
                            ProtobufCMessage *record, struct arena *arena, struct fault *fault);

#endif
