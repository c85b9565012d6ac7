/*
 * Column kinds: how each is declared in SQL, given to SQLite, read, and
 * written as a literal.
 *
 * The one place of the daemon to touch for a new kind: a row of the table
 * below. Knows single values, not statements or models' tables.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "scan.h"
#include "column.h"
#include "column_parse.h"

/* A value of a record as SQLite shall hold it; text and bytes are borrowed
 * from the record, or in the arena where they had to be made. */
typedef Code value_function(const struct column *column, const void *at, struct arena *arena,
                            struct key_value *ret_value, struct fault *fault);
/* Where a value that is read lives: copies of text and bytes in `kept` (NULL:
 * they are borrowed from the row), what has to be made in `made`. */
struct memory {
    struct arena *kept, *made;
};
typedef Code read_function(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                           struct memory memory, struct fault *fault);

/* ---- values for SQLite ---- */

static Code no_memory(const struct column *column, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for %s.%s: ask for fewer records", column->model->name,
                     column->field_name);
}

static Code integer_value(int64_t integer, struct key_value *ret_value)
{
    *ret_value = (struct key_value){.type = SQLITE_INTEGER, .integer = integer};
    return HERO__V1__CODE__OK;
}

static Code data_value(int type, const void *data, size_t len, struct key_value *ret_value)
{
    /* A NULL pointer would bind NULL, and empty is a value. */
    *ret_value = (struct key_value){.type = type, .len = len, .data = data ? data : ""};
    return HERO__V1__CODE__OK;
}

static Code value_int32(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const int32_t *)at, ret_value);
}

static Code value_uint32(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const uint32_t *)at, ret_value);
}

static Code value_int64(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const int64_t *)at, ret_value);
}

static Code value_uint64(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    uint64_t number = *(const uint64_t *)at;
    (void)arena;
    if (number > INT64_MAX)
        return fault_add(fault, column->field_name,
                         "%llu is past 9223372036854775807, the largest integer SQLite holds",
                         (unsigned long long)number);
    return integer_value((int64_t)number, ret_value);
}

static Code real_value(const struct column *column, double number, struct key_value *ret_value,
                       struct fault *fault)
{
    if (isnan(number)) /* SQLite would store NULL */
        return fault_add(fault, column->field_name, "NaN cannot be stored");
    *ret_value = (struct key_value){.type = SQLITE_FLOAT, .real = number};
    return HERO__V1__CODE__OK;
}

static Code value_float(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)arena;
    return real_value(column, (double)*(const float *)at, ret_value, fault);
}

static Code value_double(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    (void)arena;
    return real_value(column, *(const double *)at, ret_value, fault);
}

static Code value_bool(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const protobuf_c_boolean *)at != 0, ret_value);
}

static Code value_text(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *text = *(char *const *)at; /* NULL: proto3's absent text, which is empty */
    (void)column, (void)arena, (void)fault;
    return data_value(SQLITE_TEXT, text, text ? strlen(text) : 0, ret_value);
}

static Code value_bytes(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    const ProtobufCBinaryData *bytes = at;
    (void)column, (void)arena, (void)fault;
    return data_value(SQLITE_BLOB, bytes->data, bytes->len, ret_value);
}

/* ---- reading ---- */

static const char *const storage_names[] = {
    [SQLITE_INTEGER] = "an integer", [SQLITE_FLOAT] = "a real number", [SQLITE_TEXT] = "text",
    [SQLITE_BLOB] = "bytes",         [SQLITE_NULL] = "NULL",
};

static Code misfit(const struct column *column, const char *found, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                     "a stored value does not fit model %s: column %s of table %s holds %s where "
                     "field %s takes another kind; correct the row with SQLite",
                     column->model->name, column->name, column->model->table, found,
                     column->field_name);
}

static Code read_integer(sqlite3_stmt *stmt, int index, const struct column *column, int64_t min,
                         int64_t max, int64_t *ret_number, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    if (storage != SQLITE_INTEGER)
        return misfit(column, storage_names[storage], fault);
    int64_t number = sqlite3_column_int64(stmt, index);
    if (number < min || number > max)
        return misfit(column, "a number out of range", fault);
    *ret_number = number;
    return HERO__V1__CODE__OK;
}

static Code read_int32(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, INT32_MIN, INT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(int32_t *)value = (int32_t)number;
    return code;
}

static Code read_uint32(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, UINT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint32_t *)value = (uint32_t)number;
    return code;
}

static Code read_int64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    (void)memory;
    return read_integer(stmt, index, column, INT64_MIN, INT64_MAX, value, fault);
}

static Code read_uint64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, INT64_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint64_t *)value = (uint64_t)number;
    return code;
}

static Code read_bool(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, 1, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(protobuf_c_boolean *)value = number != 0;
    return code;
}

static Code read_double(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    (void)memory;
    if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER)
        return misfit(column, storage_names[storage], fault);
    *(double *)value = sqlite3_column_double(stmt, index);
    return HERO__V1__CODE__OK;
}

static Code read_float(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    double number = 0;
    Code code = read_double(stmt, index, column, &number, memory, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    /* A finite number must not become infinity; fewer digits are what float means. */
    if (isfinite(number) && fabs(number) > (double)FLT_MAX)
        return misfit(column, "a number out of range", fault);
    *(float *)value = (float)number;
    return HERO__V1__CODE__OK;
}

static Code read_text(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    if (storage != SQLITE_TEXT)
        return misfit(column, storage_names[storage], fault);
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    size_t len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!text)
        return no_memory(column, fault);
    if (!scan_text_valid(text, len))
        return misfit(column, "text that is not UTF-8 or has a NUL in it", fault);
    if (memory.kept && !(text = arena_copy(memory.kept, text, len + 1)))
        return no_memory(column, fault);
    *(const char **)value = text;
    return HERO__V1__CODE__OK;
}

static Code read_bytes(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    ProtobufCBinaryData *bytes = value;
    int storage = sqlite3_column_type(stmt, index);
    if (storage != SQLITE_BLOB)
        return misfit(column, storage_names[storage], fault);
    const void *data = sqlite3_column_blob(stmt, index);
    size_t len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!data && len > 0)
        return no_memory(column, fault);
    if (memory.kept && len > 0 && !(data = arena_copy(memory.kept, data, len)))
        return no_memory(column, fault);
    bytes->len = len;
    bytes->data = (uint8_t *)(uintptr_t)data;
    return HERO__V1__CODE__OK;
}

/* ---- the table ---- */

struct column_type {
    const char *sql;
    value_function *value;
    read_function *read;
    column_parse_function *parse;
    enum column_comparison comparison;
};

static const struct column_type types[COLUMN_KINDS] = {
    [COLUMN_INT32] = {"INTEGER", value_int32, read_int32, column_parse_integer, COLUMN_ORDER},
    [COLUMN_UINT32] = {"INTEGER", value_uint32, read_uint32, column_parse_integer, COLUMN_ORDER},
    [COLUMN_INT64] = {"INTEGER", value_int64, read_int64, column_parse_integer, COLUMN_ORDER},
    [COLUMN_UINT64] = {"INTEGER", value_uint64, read_uint64, column_parse_integer, COLUMN_ORDER},
    [COLUMN_FLOAT] = {"FLOAT", value_float, read_float, column_parse_real, COLUMN_ORDER},
    [COLUMN_DOUBLE] = {"FLOAT", value_double, read_double, column_parse_real, COLUMN_ORDER},
    [COLUMN_BOOL] = {"BOOLEAN", value_bool, read_bool, column_parse_bool, COLUMN_ORDER},
    [COLUMN_TEXT] = {"VARCHAR", value_text, read_text, column_parse_text, COLUMN_ORDER},
    [COLUMN_BYTES] = {"BLOB", value_bytes, read_bytes, column_parse_bytes, COLUMN_ORDER},
};

static const struct column_type *type_of(const struct column *column, struct fault *fault)
{
    const struct column_type *type = &types[column->kind];
    if (type->sql)
        return type;
    fault_set(fault, HERO__V1__CODE__INTERNAL, "%s.%s has a type that is no column's",
              column->model->name, column->field_name);
    return NULL;
}

const char *column_sql_type(const struct column *column)
{
    const struct column_type *type = type_of(column, NULL);
    return type ? type->sql : "BLOB";
}

enum column_comparison column_comparison(const struct column *column)
{
    return types[column->kind].comparison;
}

Code column_value_parse(const struct column *column, const char *text, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    const struct column_type *type = type_of(column, fault);
    if (!type)
        return HERO__V1__CODE__INTERNAL;
    if (type->parse)
        return type->parse(column, text, arena, ret_value, fault);
    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s can't be compared with values",
                     column->field_name);
}

/* ---- values ---- */

static Code make_value(const struct column *column, const ProtobufCMessage *record,
                       struct arena *arena, struct key_value *ret_value, struct fault *fault)
{
    const struct column_type *type = type_of(column, fault);
    *ret_value = (struct key_value){.type = SQLITE_NULL};
    if (!type)
        return HERO__V1__CODE__INTERNAL;
    if (!field_present(record, column->field))
        return HERO__V1__CODE__OK;
    return type->value(column, field_at(record, column->field), arena, ret_value, fault);
}

struct key_value column_value(const struct column *column, const ProtobufCMessage *record,
                              struct arena *arena)
{
    struct key_value value;
    struct fault ignored = FAULT_INIT;
    if (make_value(column, record, arena, &value, &ignored) != HERO__V1__CODE__OK)
        value = (struct key_value){.type = SQLITE_NULL};
    fault_done(&ignored);
    return value;
}

static Code bound(sqlite3_stmt *stmt, int rc, const struct column *column, struct fault *fault)
{
    if (rc == SQLITE_OK)
        return HERO__V1__CODE__OK;
    if (rc == SQLITE_TOOBIG)
        return fault_add(fault, column->field_name, "the value is too long for the database");
    return fault_set(
        fault, rc == SQLITE_NOMEM ? HERO__V1__CODE__RESOURCE_EXHAUSTED : HERO__V1__CODE__INTERNAL,
        "binding %s.%s: %s", column->model->name, column->name,
        sqlite3_errmsg(sqlite3_db_handle(stmt)));
}

Code column_bind(sqlite3_stmt *stmt, int index, const struct column *column,
                 const ProtobufCMessage *record, struct arena *arena, struct fault *fault)
{
    struct key_value value;
    Code code = make_value(column, record, arena, &value, fault);
    return code == HERO__V1__CODE__OK
               ? bound(stmt, key_value_bind(stmt, index, &value), column, fault)
               : code;
}

Code column_bind_default(sqlite3_stmt *stmt, int index, const struct column *column,
                         struct fault *fault)
{
    const ProtobufCBinaryData *bytes = &column->default_bytes;
    struct key_value value = {.type = SQLITE_NULL};
    Code code = HERO__V1__CODE__OK;
    switch (column->default_kind) {
    case DEFAULT_NONE:
    case DEFAULT_SQL: /* is left out of the statement instead */
        break;
    case DEFAULT_INTEGER:
        code = integer_value(column->default_integer, &value);
        break;
    case DEFAULT_REAL:
        code = real_value(column, column->default_real, &value, fault);
        break;
    case DEFAULT_TEXT:
        code = data_value(SQLITE_TEXT, bytes->data, bytes->len, &value);
        break;
    case DEFAULT_BYTES:
        code = data_value(SQLITE_BLOB, bytes->data, bytes->len, &value);
        break;
    }
    return code == HERO__V1__CODE__OK
               ? bound(stmt, key_value_bind(stmt, index, &value), column, fault)
               : code;
}

Code column_read(sqlite3_stmt *stmt, int index, const struct column *column,
                 ProtobufCMessage *record, struct arena *arena, struct arena *scratch,
                 struct fault *fault)
{
    const struct column_type *type = type_of(column, fault);
    if (!type)
        return HERO__V1__CODE__INTERNAL;
    if (sqlite3_column_type(stmt, index) == SQLITE_NULL) {
        field_set_present(record, column->field, false);
        return HERO__V1__CODE__OK;
    }
    Code code = type->read(stmt, index, column, field_at(record, column->field),
                           (struct memory){arena, scratch}, fault);
    if (code == HERO__V1__CODE__OK)
        field_set_present(record, column->field, true);
    return code;
}
