/*
 * Kinds of columns: how each is declared in SQL, given to SQLite, read, and
 * written as a literal.
 *
 * The one place of the daemon to touch for a new kind: a row of the table
 * below. Knows single values, not statements or models' tables.
 */
#include "column.h"
#include <string.h>
#include <time.h>
#include "column_kinds.h"
#include "formats.h"

struct column_type {
    const char *sql;
    column_value_function *value;
    column_read_function *read;
    column_parse_function *parse;
    enum column_comparison comparison;
};

static const struct column_type types[COLUMN_KINDS] = {
    [COLUMN_INT32] = {"INTEGER", column_value_int32, column_read_int32, column_parse_integer,
                      COLUMN_ORDER},
    [COLUMN_UINT32] = {"INTEGER", column_value_uint32, column_read_uint32, column_parse_integer,
                       COLUMN_ORDER},
    [COLUMN_INT64] = {"INTEGER", column_value_int64, column_read_int64, column_parse_integer,
                      COLUMN_ORDER},
    [COLUMN_UINT64] = {"INTEGER", column_value_uint64, column_read_uint64, column_parse_integer,
                       COLUMN_ORDER},
    [COLUMN_FLOAT] = {"FLOAT", column_value_float, column_read_float, column_parse_real,
                      COLUMN_ORDER},
    [COLUMN_DOUBLE] = {"FLOAT", column_value_double, column_read_double, column_parse_real,
                       COLUMN_ORDER},
    [COLUMN_BOOL] = {"BOOLEAN", column_value_bool, column_read_bool, column_parse_bool,
                     COLUMN_ORDER},
    [COLUMN_TEXT] = {"VARCHAR", column_value_text, column_read_text, column_parse_text,
                     COLUMN_ORDER},
    [COLUMN_BYTES] = {"BLOB", column_value_bytes, column_read_bytes, column_parse_bytes,
                      COLUMN_ORDER},
    [COLUMN_ENUM] = {"VARCHAR", column_value_enum, column_read_enum, column_parse_enum,
                     COLUMN_EQUALITY},
    [COLUMN_TIMESTAMP] = {"DATETIME", column_value_timestamp, column_read_timestamp,
                          column_parse_timestamp, COLUMN_ORDER},
    [COLUMN_DATE] = {"DATE", column_value_date, column_read_date, column_parse_date, COLUMN_ORDER},
    [COLUMN_UUID] = {"CHAR(32)", column_value_uuid, column_read_uuid, column_parse_uuid,
                     COLUMN_EQUALITY},
    [COLUMN_DECIMAL] = {"TEXT", column_value_decimal, column_read_decimal, column_parse_decimal,
                        COLUMN_ORDER},
    [COLUMN_JSON] = {"JSON", column_value_json, column_read_json, NULL, COLUMN_NOT_COMPARED},
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
    return column->sql_type ? column->sql_type : type ? type->sql : "BLOB";
}

enum column_comparison column_comparison(const struct column *column)
{
    if (column->kind == COLUMN_DECIMAL && column_is_binary(column))
        return COLUMN_ORDER;
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
    if (!field_present(record, column->field) && !column_is_list(column))
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

/* This moment as the column holds it. */
static Code value_now(const struct column *column, struct arena *arena, struct key_value *ret_value,
                      struct fault *fault)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct moment moment = {now.tv_sec, (int32_t)now.tv_nsec};
    char text[MOMENT_TEXT_SIZE];
    moment_write_sql(moment, text);
    if (column->kind == COLUMN_DATE)
        *strchr(text, ' ') = '\0';
    const char *copy = arena_strdup(arena, text);
    return copy ? data_value(SQLITE_TEXT, copy, strlen(copy), ret_value)
                : column_no_memory(column, fault);
}

static Code value_generated(const struct column *column, struct arena *arena,
                            struct key_value *ret_value, struct fault *fault)
{
    char uuid[UUID_TEXT_SIZE], digits[33];
    format_uuid_new(uuid);
    format_uuid_digits(uuid, digits);
    const char *copy = arena_strdup(arena, column->dashes ? uuid : digits);
    return copy ? data_value(SQLITE_TEXT, copy, strlen(copy), ret_value)
                : column_no_memory(column, fault);
}

static Code default_value(const struct column *column, struct arena *arena,
                          struct key_value *ret_value, struct fault *fault)
{
    const ProtobufCBinaryData *bytes = &column->default_bytes;
    *ret_value = (struct key_value){.type = SQLITE_NULL};
    if (column->generated)
        return value_generated(column, arena, ret_value, fault);
    switch (column->default_kind) {
    case DEFAULT_NONE:
        return column_is_list(column) ? data_value(SQLITE_TEXT, "[]", 2, ret_value)
                                      : HERO__V1__CODE__OK;
    case DEFAULT_SQL: /* is left out of the statement instead */
        break;
    case DEFAULT_INTEGER:
        return integer_value(column->default_integer, ret_value);
    case DEFAULT_REAL:
        return real_value(column, column->default_real, ret_value, fault);
    case DEFAULT_TEXT:
        return data_value(SQLITE_TEXT, bytes->data, bytes->len, ret_value);
    case DEFAULT_BYTES:
        return data_value(SQLITE_BLOB, bytes->data, bytes->len, ret_value);
    case DEFAULT_NOW:
        return value_now(column, arena, ret_value, fault);
    }
    return HERO__V1__CODE__OK;
}

Code column_bind_default(sqlite3_stmt *stmt, int index, const struct column *column,
                         struct arena *arena, struct fault *fault)
{
    struct key_value value;
    Code code = default_value(column, arena, &value, fault);
    return code == HERO__V1__CODE__OK
               ? bound(stmt, key_value_bind(stmt, index, &value), column, fault)
               : code;
}

bool column_has_default(const struct column *column)
{
    return column->default_kind != DEFAULT_SQL && !column->read_only && column_fills_itself(column);
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
