/*
 * Owns the way of each kind of value out of SQLite: a stored value that is not
 * of the kind is data that was lost, never one that is made to fit.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <google/protobuf/timestamp.pb-c.h>
#include "column_kinds.h"
#include "formats.h"
#include "json_column.h"
#include "scan.h"

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

Code column_read_int32(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, INT32_MIN, INT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(int32_t *)value = (int32_t)number;
    return code;
}

Code column_read_uint32(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, UINT32_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint32_t *)value = (uint32_t)number;
    return code;
}

Code column_read_int64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    (void)memory;
    return read_integer(stmt, index, column, INT64_MIN, INT64_MAX, value, fault);
}

Code column_read_uint64(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, INT64_MAX, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(uint64_t *)value = (uint64_t)number;
    return code;
}

Code column_read_bool(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    int64_t number = 0;
    (void)memory;
    Code code = read_integer(stmt, index, column, 0, 1, &number, fault);
    if (code == HERO__V1__CODE__OK)
        *(protobuf_c_boolean *)value = number != 0;
    return code;
}

Code column_read_double(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                        struct memory memory, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    (void)memory;
    if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER)
        return misfit(column, storage_names[storage], fault);
    *(double *)value = sqlite3_column_double(stmt, index);
    return HERO__V1__CODE__OK;
}

Code column_read_float(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    double number = 0;
    Code code = column_read_double(stmt, index, column, &number, memory, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    /* A finite number must not become infinity; fewer digits are what float means. */
    if (isfinite(number) && fabs(number) > (double)FLT_MAX)
        return misfit(column, "a number out of range", fault);
    *(float *)value = (float)number;
    return HERO__V1__CODE__OK;
}

/* Numbers are those of columns that are adopted; reals as short as they are the same. */
static const char *number_text(sqlite3_stmt *stmt, int index, char buffer[40])
{
    double number = sqlite3_column_double(stmt, index);
    if (sqlite3_column_type(stmt, index) != SQLITE_FLOAT)
        return (const char *)sqlite3_column_text(stmt, index);
    for (int digits = 15; digits <= 17; digits++) {
        sqlite3_snprintf(40, buffer, "%!.*g", digits, number);
        if (sqlite3_column_double(stmt, index) == strtod(buffer, NULL))
            break;
    }
    return buffer;
}

/* A text of a column that others made may be a number there (INTEGER_OR_TEXT). */
static bool is_carried_number(const struct column *column, int storage)
{
    return column->kind == COLUMN_TEXT && (storage == SQLITE_INTEGER || storage == SQLITE_FLOAT) &&
           (column->affinity != AFFINITY_TEXT || column->read_only);
}

Code column_read_text(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    char buffer[40];
    if (is_carried_number(column, storage)) {
        const char *number = number_text(stmt, index, buffer);
        *(char **)value = number ? arena_strdup(memory.made, number) : NULL;
        return *(char **)value ? HERO__V1__CODE__OK : column_no_memory(column, fault);
    }
    if (storage != SQLITE_TEXT)
        return misfit(column, storage_names[storage], fault);
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    size_t len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!text)
        return column_no_memory(column, fault);
    if (!scan_text_valid(text, len))
        return misfit(column, "text that is not UTF-8 or has a NUL in it", fault);
    if (memory.kept && !(text = arena_copy(memory.kept, text, len + 1)))
        return column_no_memory(column, fault);
    *(const char **)value = text;
    return HERO__V1__CODE__OK;
}

Code column_read_bytes(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                       struct memory memory, struct fault *fault)
{
    ProtobufCBinaryData *bytes = value;
    int storage = sqlite3_column_type(stmt, index);
    /* Of a column that others made: texts, and numbers as texts. */
    if (storage != SQLITE_BLOB && !column->sql_type && !column->read_only)
        return misfit(column, storage_names[storage], fault);
    const void *data = sqlite3_column_blob(stmt, index);
    size_t len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!data && len > 0)
        return column_no_memory(column, fault);
    if (memory.kept && len > 0 && !(data = arena_copy(memory.kept, data, len)))
        return column_no_memory(column, fault);
    bytes->len = len;
    bytes->data = (uint8_t *)(uintptr_t)data;
    return HERO__V1__CODE__OK;
}

/* Values of rows are not told, but for the names of enums, which are nobody's secret. */
static Code misfit_text(const struct column *column, const char *what, struct fault *fault)
{
    char found[64];
    snprintf(found, sizeof found, "text that is no %s", what);
    return misfit(column, found, fault);
}

static Code misfit_name(const struct column *column, const char *text, size_t len,
                        struct fault *fault)
{
    char found[160];
    size_t shown = len > 60 ? 60 : len;
    while (shown < len && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--;
    snprintf(found, sizeof found, "\"%.*s%s\", which is no name of a value,", (int)shown, text,
             len > shown ? "..." : "");
    return misfit(column, found, fault);
}

/* The text of a row, borrowed. */
static Code text_of(sqlite3_stmt *stmt, int index, const struct column *column,
                    const char **ret_text, size_t *ret_len, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    if (storage != SQLITE_TEXT)
        return misfit(column, storage_names[storage], fault);
    *ret_text = (const char *)sqlite3_column_text(stmt, index);
    *ret_len = (size_t)sqlite3_column_bytes(stmt, index);
    if (!*ret_text)
        return column_no_memory(column, fault);
    return scan_text_valid(*ret_text, *ret_len)
               ? HERO__V1__CODE__OK
               : misfit(column, "text that is not UTF-8 or has a NUL in it", fault);
}

Code column_read_enum(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    const char *text = NULL;
    size_t len = 0;
    (void)memory;
    Code code = text_of(stmt, index, column, &text, &len, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    const ProtobufCEnumDescriptor *descriptor = column->field->descriptor;
    const ProtobufCEnumValue *found =
        protobuf_c_enum_descriptor_get_value_by_name(descriptor, text);
    if (!found)
        return misfit_name(column, text, len, fault);
    *(int *)value = found->value;
    return HERO__V1__CODE__OK;
}

Code column_read_timestamp(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                           struct memory memory, struct fault *fault)
{
    const char *text = NULL;
    size_t len = 0;
    struct moment moment;
    Code code = text_of(stmt, index, column, &text, &len, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!moment_read(text, len, true, &moment))
        return misfit_text(column, "time", fault);
    Google__Protobuf__Timestamp *timestamp = arena_alloc(memory.made, sizeof(*timestamp));
    if (!timestamp)
        return column_no_memory(column, fault);
    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = moment.seconds;
    timestamp->nanos = moment.nanos;
    *(Google__Protobuf__Timestamp **)value = timestamp;
    return HERO__V1__CODE__OK;
}

Code column_read_date(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    Code code = column_read_text(stmt, index, column, value, memory, fault);
    const char *text = *(char *const *)value;
    if (code == HERO__V1__CODE__OK && !format_is_date(text, strlen(text)))
        return misfit_text(column, "date", fault);
    return code;
}

static Code keep_text(const struct column *column, const char *text, struct memory memory,
                      void *value, struct fault *fault)
{
    char *copy = arena_strdup(memory.made, text);
    if (!copy)
        return column_no_memory(column, fault);
    *(char **)value = copy;
    return HERO__V1__CODE__OK;
}

Code column_read_uuid(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    const char *text = NULL;
    size_t len = 0;
    char uuid[UUID_TEXT_SIZE];
    Code code = text_of(stmt, index, column, &text, &len, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!format_uuid(text, len, uuid))
        return misfit_text(column, "uuid", fault);
    return keep_text(column, uuid, memory, value, fault);
}

Code column_read_decimal(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                         struct memory memory, struct fault *fault)
{
    int storage = sqlite3_column_type(stmt, index);
    char buffer[40];
    if (storage == SQLITE_BLOB)
        return misfit(column, storage_names[storage], fault);
    const char *text = number_text(stmt, index, buffer);
    if (!text)
        return column_no_memory(column, fault);
    const char *canonical = format_decimal(memory.made, text, strlen(text));
    if (!canonical)
        return memory.made->exhausted ? column_no_memory(column, fault)
                                      : misfit_text(column, "decimal", fault);
    *(const char **)value = canonical;
    return HERO__V1__CODE__OK;
}

Code column_read_json(sqlite3_stmt *stmt, int index, const struct column *column, void *value,
                      struct memory memory, struct fault *fault)
{
    const char *text = NULL;
    size_t len = 0;
    struct fault found = FAULT_INIT;
    ProtobufCMessage *record = (ProtobufCMessage *)(void *)((char *)value - column->field->offset);
    Code code = text_of(stmt, index, column, &text, &len, fault);
    if (code == HERO__V1__CODE__OK)
        code = json_column_read(text, len, column->field, record, memory.made, &found);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT) {
        char what[300];
        const char *said = found.message ? found.message : "";
        const char *got = strstr(said, ", got text"); /* what the text is, is not told */
        size_t len_said = got ? (size_t)(got - said) : strnlen(said, 200);
        while (len_said > 0 && ((unsigned char)said[len_said] & 0xc0) == 0x80)
            len_said--;
        snprintf(what, sizeof what, "JSON that doesn't fit (%.*s)", (int)len_said, said);
        code = misfit(column, what, fault);
    } else if (code == HERO__V1__CODE__RESOURCE_EXHAUSTED) {
        code = column_no_memory(column, fault);
    }
    fault_done(&found);
    return code;
}
