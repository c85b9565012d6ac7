/*
 * Column types: how each protobuf type is declared in SQL, bound and read.
 *
 * The one place of the daemon to touch for a new column type: a row of the
 * table below. Knows single values, not statements or models' tables.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "scan.h"
#include "column.h"

typedef Code bind_function(sqlite3_stmt *stmt, int index, const struct column *column,
                           const void *value, struct fault *fault);
typedef Code read_function(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                           struct arena *arena, struct fault *fault);

/* ---- binding ---- */

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

static Code bind_int32(sqlite3_stmt *stmt, int index, const struct column *column,
                       const void *value, struct fault *fault)
{
    return bound(stmt, sqlite3_bind_int(stmt, index, *(const int32_t *)value), column, fault);
}

static Code bind_uint32(sqlite3_stmt *stmt, int index, const struct column *column,
                        const void *value, struct fault *fault)
{
    return bound(stmt, sqlite3_bind_int64(stmt, index, *(const uint32_t *)value), column, fault);
}

static Code bind_int64(sqlite3_stmt *stmt, int index, const struct column *column,
                       const void *value, struct fault *fault)
{
    return bound(stmt, sqlite3_bind_int64(stmt, index, *(const int64_t *)value), column, fault);
}

static Code bind_uint64(sqlite3_stmt *stmt, int index, const struct column *column,
                        const void *value, struct fault *fault)
{
    uint64_t number = *(const uint64_t *)value;
    if (number > INT64_MAX)
        return fault_add(fault, column->field_name,
                         "%llu is past 9223372036854775807, the largest integer SQLite holds",
                         (unsigned long long)number);
    return bound(stmt, sqlite3_bind_int64(stmt, index, (int64_t)number), column, fault);
}

static Code bind_real(sqlite3_stmt *stmt, int index, const struct column *column, double number,
                      struct fault *fault)
{
    if (isnan(number)) /* SQLite would store NULL */
        return fault_add(fault, column->field_name, "NaN cannot be stored");
    return bound(stmt, sqlite3_bind_double(stmt, index, number), column, fault);
}

static Code bind_float(sqlite3_stmt *stmt, int index, const struct column *column,
                       const void *value, struct fault *fault)
{
    return bind_real(stmt, index, column, (double)*(const float *)value, fault);
}

static Code bind_double(sqlite3_stmt *stmt, int index, const struct column *column,
                        const void *value, struct fault *fault)
{
    return bind_real(stmt, index, column, *(const double *)value, fault);
}

static Code bind_bool(sqlite3_stmt *stmt, int index, const struct column *column, const void *value,
                      struct fault *fault)
{
    int truth = *(const protobuf_c_boolean *)value != 0;
    return bound(stmt, sqlite3_bind_int(stmt, index, truth), column, fault);
}

static Code bind_string(sqlite3_stmt *stmt, int index, const struct column *column,
                        const void *value, struct fault *fault)
{
    const char *text = *(char *const *)value;
    if (!text) /* proto3: absent text is empty text */
        text = "";
    return bound(stmt,
                 sqlite3_bind_text64(stmt, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8),
                 column, fault);
}

static Code bind_bytes(sqlite3_stmt *stmt, int index, const struct column *column,
                       const void *value, struct fault *fault)
{
    const ProtobufCBinaryData *bytes = value;
    /* A NULL pointer would bind NULL, and empty is a value. */
    const void *data = bytes->len > 0 ? bytes->data : (const uint8_t *)"";
    return bound(stmt, sqlite3_bind_blob64(stmt, index, data, bytes->len, SQLITE_STATIC), column,
                 fault);
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
                       struct arena *arena, struct fault *fault)
{
    int64_t number = 0;
    (void)arena;
    Code code = read_integer(stmt, index, column, INT32_MIN, INT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(int32_t *)value = (int32_t)number;
    return code;
}

static Code read_uint32(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct arena *arena, struct fault *fault)
{
    int64_t number = 0;
    (void)arena;
    Code code = read_integer(stmt, index, column, 0, UINT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint32_t *)value = (uint32_t)number;
    return code;
}

static Code read_int64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct arena *arena, struct fault *fault)
{
    (void)arena;
    return read_integer(stmt, index, column, INT64_MIN, INT64_MAX, value, fault);
}

static Code read_uint64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct arena *arena, struct fault *fault)
{
    int64_t number = 0;
    (void)arena;
    Code code = read_integer(stmt, index, column, 0, INT64_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint64_t *)value = (uint64_t)number;
    return code;
}

static Code read_bool(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct arena *arena, struct fault *fault)
{
    int64_t number = 0;
    (void)arena;
    Code code = read_integer(stmt, index, column, 0, 1, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(protobuf_c_boolean *)value = number != 0;
    return code;
}

static Code read_double(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct arena *arena, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    (void)arena;
    if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER)
        return misfit(column, storage_names[storage], fault);
    *(double *)value = sqlite3_column_double(stmt, index);
    return HERO__V1__CODE__OK;
}

static Code read_float(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct arena *arena, struct fault *fault)
{
    double number = 0;
    Code code = read_double(stmt, index, column, &number, arena, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    /* A finite number must not become infinity; fewer digits are what float means. */
    if (isfinite(number) && fabs(number) > (double)FLT_MAX)
        return misfit(column, "a number out of range", fault);
    *(float *)value = (float)number;
    return HERO__V1__CODE__OK;
}

static Code no_memory(const struct column *column, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for %s.%s: ask for fewer records", column->model->name,
                     column->field_name);
}

static Code read_string(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct arena *arena, struct fault *fault)
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
    if (arena && !(text = arena_copy(arena, text, len + 1)))
        return no_memory(column, fault);
    *(const char **)value = text;
    return HERO__V1__CODE__OK;
}

static Code read_bytes(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct arena *arena, struct fault *fault)
{
    ProtobufCBinaryData *bytes = value;
    int storage = sqlite3_column_type(stmt, index);
    if (storage != SQLITE_BLOB)
        return misfit(column, storage_names[storage], fault);
    const void *data = sqlite3_column_blob(stmt, index);
    size_t len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!data && len > 0)
        return no_memory(column, fault);
    if (arena && len > 0 && !(data = arena_copy(arena, data, len)))
        return no_memory(column, fault);
    bytes->len = len;
    bytes->data = (uint8_t *)(uintptr_t)data;
    return HERO__V1__CODE__OK;
}

/* ---- the table ---- */

struct column_type {
    const char *sql;
    bind_function *bind;
    read_function *read;
};

static const struct column_type types[] = {
    [PROTOBUF_C_TYPE_INT32] = {"INTEGER", bind_int32, read_int32},
    [PROTOBUF_C_TYPE_SINT32] = {"INTEGER", bind_int32, read_int32},
    [PROTOBUF_C_TYPE_SFIXED32] = {"INTEGER", bind_int32, read_int32},
    [PROTOBUF_C_TYPE_INT64] = {"INTEGER", bind_int64, read_int64},
    [PROTOBUF_C_TYPE_SINT64] = {"INTEGER", bind_int64, read_int64},
    [PROTOBUF_C_TYPE_SFIXED64] = {"INTEGER", bind_int64, read_int64},
    [PROTOBUF_C_TYPE_UINT32] = {"INTEGER", bind_uint32, read_uint32},
    [PROTOBUF_C_TYPE_FIXED32] = {"INTEGER", bind_uint32, read_uint32},
    [PROTOBUF_C_TYPE_UINT64] = {"INTEGER", bind_uint64, read_uint64},
    [PROTOBUF_C_TYPE_FIXED64] = {"INTEGER", bind_uint64, read_uint64},
    [PROTOBUF_C_TYPE_FLOAT] = {"FLOAT", bind_float, read_float},
    [PROTOBUF_C_TYPE_DOUBLE] = {"FLOAT", bind_double, read_double},
    [PROTOBUF_C_TYPE_BOOL] = {"BOOLEAN", bind_bool, read_bool},
    [PROTOBUF_C_TYPE_ENUM] = {NULL, NULL, NULL}, /* no columns yet: model.c refuses them */
    [PROTOBUF_C_TYPE_STRING] = {"VARCHAR", bind_string, read_string},
    [PROTOBUF_C_TYPE_BYTES] = {"BLOB", bind_bytes, read_bytes},
    [PROTOBUF_C_TYPE_MESSAGE] = {NULL, NULL, NULL}, /* relationships are no columns */
};
_Static_assert(sizeof(types) / sizeof(*types) == PROTOBUF_C_TYPE_MESSAGE + 1,
               "a row for each protobuf type");

static const struct column_type *type_of(const struct column *column, struct fault *fault)
{
    size_t n = sizeof(types) / sizeof(*types);
    const struct column_type *type = (size_t)column->type < n ? &types[column->type] : NULL;
    if (type && type->sql)
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

Code column_bind(sqlite3_stmt *stmt, int index, const struct column *column,
                 const ProtobufCMessage *record, struct fault *fault)
{
    const struct column_type *type = type_of(column, fault);
    if (!type)
        return HERO__V1__CODE__INTERNAL;
    if (!field_present(record, column->field))
        return bound(stmt, sqlite3_bind_null(stmt, index), column, fault);
    return type->bind(stmt, index, column, field_at(record, column->field), fault);
}

Code column_bind_default(sqlite3_stmt *stmt, int index, const struct column *column,
                         struct fault *fault)
{
    const ProtobufCBinaryData *bytes = &column->default_bytes;
    const char *data = bytes->len > 0 ? (const char *)bytes->data : "";
    int rc = SQLITE_OK;
    switch (column->default_kind) {
    case DEFAULT_NONE:
        rc = sqlite3_bind_null(stmt, index);
        break;
    case DEFAULT_INTEGER:
        rc = sqlite3_bind_int64(stmt, index, column->default_integer);
        break;
    case DEFAULT_REAL:
        return bind_real(stmt, index, column, column->default_real, fault);
    case DEFAULT_TEXT:
        rc = sqlite3_bind_text64(stmt, index, data, bytes->len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case DEFAULT_BYTES:
        rc = sqlite3_bind_blob64(stmt, index, data, bytes->len, SQLITE_STATIC);
        break;
    }
    return bound(stmt, rc, column, fault);
}

static struct key_value integer_value(int64_t integer)
{
    return (struct key_value){.type = SQLITE_INTEGER, .integer = integer};
}

static struct key_value real_value(double real)
{
    return (struct key_value){.type = isnan(real) ? SQLITE_NULL : SQLITE_FLOAT, .real = real};
}

static struct key_value data_value(int type, const void *data, size_t len)
{
    return (struct key_value){.type = type, .len = len, .data = data ? data : ""};
}

struct key_value column_value(const struct column *column, const ProtobufCMessage *record)
{
    const void *at = field_at(record, column->field);
    const ProtobufCBinaryData *bytes = at;
    const char *const *text = at;
    if (!field_present(record, column->field))
        return (struct key_value){.type = SQLITE_NULL};
    switch (column->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return integer_value(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return integer_value(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return integer_value(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        if (*(const uint64_t *)at <= INT64_MAX)
            return integer_value(*(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        return real_value((double)*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_value(*(const double *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return integer_value(*(const protobuf_c_boolean *)at != 0);
    case PROTOBUF_C_TYPE_STRING:
        return data_value(SQLITE_TEXT, *text, *text ? strlen(*text) : 0);
    case PROTOBUF_C_TYPE_BYTES:
        return data_value(SQLITE_BLOB, bytes->data, bytes->len);
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return (struct key_value){.type = SQLITE_NULL};
}

Code column_read(sqlite3_stmt *stmt, int index, const struct column *column,
                 ProtobufCMessage *record, struct arena *arena, struct fault *fault)
{
    const struct column_type *type = type_of(column, fault);
    if (!type)
        return HERO__V1__CODE__INTERNAL;
    if (sqlite3_column_type(stmt, index) == SQLITE_NULL) {
        field_set_present(record, column->field, false);
        return HERO__V1__CODE__OK;
    }
    Code code = type->read(stmt, index, column, field_at(record, column->field), arena, fault);
    if (code == HERO__V1__CODE__OK)
        field_set_present(record, column->field, true);
    return code;
}
