/*
 * Owns the way of each kind of value into SQLite: what is bound, and what is
 * refused since SQLite would make something else of it.
 */
#include <math.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <google/protobuf/timestamp.pb-c.h>
#include "column_kinds.h"
#include "formats.h"
#include "json_column.h"

Code column_no_memory(const struct column *column, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for %s.%s: ask for fewer records", column->model->name,
                     column->field_name);
}

Code column_value_int32(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const int32_t *)at, ret_value);
}

Code column_value_uint32(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const uint32_t *)at, ret_value);
}

Code column_value_int64(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const int64_t *)at, ret_value);
}

Code column_value_uint64(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    uint64_t number = *(const uint64_t *)at;
    (void)arena;
    if (number > INT64_MAX)
        return fault_add(fault, column->field_name,
                         "is past 9223372036854775807, the largest integer SQLite holds");
    return integer_value((int64_t)number, ret_value);
}

Code real_value(const struct column *column, double number, struct key_value *ret_value,
                struct fault *fault)
{
    if (isnan(number)) /* SQLite would store NULL */
        return fault_add(fault, column->field_name, "NaN cannot be stored");
    *ret_value = (struct key_value){.type = SQLITE_FLOAT, .real = number};
    return HERO__V1__CODE__OK;
}

Code column_value_float(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    (void)arena;
    return real_value(column, (double)*(const float *)at, ret_value, fault);
}

Code column_value_double(const struct column *column, const void *at, struct arena *arena,
                         struct key_value *ret_value, struct fault *fault)
{
    (void)arena;
    return real_value(column, *(const double *)at, ret_value, fault);
}

Code column_value_bool(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    return integer_value(*(const protobuf_c_boolean *)at != 0, ret_value);
}

bool column_is_binary(const struct column *column)
{
    return column->affinity == AFFINITY_NUMERIC || column->affinity == AFFINITY_REAL;
}

static size_t significant_digits(const char *decimal)
{
    const char *first = decimal + strspn(decimal, "-0.");
    return strlen(first) - (strchr(first, '.') != NULL);
}

/* Does SQLite take the whole text for a number, blanks around it aside? */
static bool looks_numeric(const char *text)
{
    text += strspn(text, " \t\n\v\f\r");
    text += *text == '-' || *text == '+';
    size_t whole = strspn(text, "0123456789");
    text += whole;
    size_t fraction = *text == '.' ? strspn(text + 1, "0123456789") : 0;
    text += *text == '.' && whole + fraction > 0 ? fraction + 1 : 0;
    if (whole + fraction == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        const char *exponent = text + 1;
        exponent += *exponent == '-' || *exponent == '+';
        size_t digits = strspn(exponent, "0123456789");
        text = digits ? exponent + digits : text;
    }
    return text[strspn(text, " \t\n\v\f\r")] == '\0';
}

/* A number that is read as the very text it was written as: 9001 in a column
 * of type INTEGER_OR_TEXT, but not 09001, and not 9001 in one of REAL. */
static bool comes_back(const struct column *column, const char *text)
{
    char buffer[40], *end;
    errno = 0;
    int64_t integer = strtoll(text, &end, 10);
    if (*end == '\0') {
        snprintf(buffer, sizeof buffer, "%" PRId64, integer);
        return errno == 0 && column->affinity == AFFINITY_NUMERIC && strcmp(buffer, text) == 0;
    }
    double number = strtod(text, &end);
    bool whole = fabs(number) < 9.2e18 && (double)(int64_t)number == number;
    if (*end != '\0' || !isfinite(number) || (whole && column->affinity == AFFINITY_NUMERIC))
        return false;
    for (int digits = 15; digits <= 17; digits++) {
        sqlite3_snprintf(sizeof buffer, buffer, "%!.*g", digits, number);
        if (strtod(buffer, NULL) == number)
            break;
    }
    return strcmp(buffer, text) == 0;
}

Code column_value_text(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *text = *(char *const *)at; /* NULL: proto3's absent text, which is empty */
    (void)arena;
    if (text && column_is_binary(column) && looks_numeric(text) && !comes_back(column, text))
        return fault_add(fault, column->field_name,
                         "would become another number in SQLite, since the column's type is %s",
                         column_sql_type(column));
    return data_value(SQLITE_TEXT, text, text ? strlen(text) : 0, ret_value);
}

Code column_value_bytes(const struct column *column, const void *at, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    const ProtobufCBinaryData *bytes = at;
    (void)column, (void)arena, (void)fault;
    return data_value(SQLITE_BLOB, bytes->data, bytes->len, ret_value);
}

/* By name, as SQLModel stores it. */
Code column_value_enum(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(column->field->descriptor, *(const int *)at);
    (void)arena;
    if (!value)
        return fault_add(fault, column->field_name, "is no value of %s",
                         ((const ProtobufCEnumDescriptor *)column->field->descriptor)->name);
    return data_value(SQLITE_TEXT, value->name, strlen(value->name), ret_value);
}

static Code made_text(const struct column *column, const char *text, struct arena *arena,
                      struct key_value *ret_value, struct fault *fault)
{
    const char *copy = arena_strdup(arena, text);
    return copy ? data_value(SQLITE_TEXT, copy, strlen(copy), ret_value)
                : column_no_memory(column, fault);
}

Code column_value_timestamp(const struct column *column, const void *at, struct arena *arena,
                            struct key_value *ret_value, struct fault *fault)
{
    const Google__Protobuf__Timestamp *timestamp = *(Google__Protobuf__Timestamp *const *)at;
    struct moment moment = {timestamp->seconds, timestamp->nanos};
    char text[MOMENT_TEXT_SIZE];
    if (!moment_is_valid(moment))
        return fault_add(fault, column->field_name,
                         "is no time of the years 1 to 9999 with 0 to 999999999 nanoseconds");
    if (moment.nanos % 1000 != 0)
        return fault_add(fault, column->field_name,
                         "is finer than a microsecond, which is all that is stored");
    moment_write_sql(moment, text);
    return made_text(column, text, arena, ret_value, fault);
}

Code column_value_date(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *text = *(char *const *)at;
    (void)arena;
    if (!text || !format_is_date(text, strlen(text)))
        return fault_add(fault, column->field_name, "is no date like 2026-11-23");
    return data_value(SQLITE_TEXT, text, strlen(text), ret_value);
}

Code column_value_uuid(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *text = *(char *const *)at;
    char uuid[UUID_TEXT_SIZE], digits[33];
    if (!text || !format_uuid(text, strlen(text), uuid))
        return fault_add(fault, column->field_name,
                         "is no uuid like 123e4567-e89b-12d3-a456-426614174000");
    format_uuid_digits(uuid, digits);
    return made_text(column, column->dashes ? uuid : digits, arena, ret_value, fault);
}

Code column_value_decimal(const struct column *column, const void *at, struct arena *arena,
                          struct key_value *ret_value, struct fault *fault)
{
    const char *text = *(char *const *)at;
    const char *canonical = text ? format_decimal(arena, text, strlen(text)) : NULL;
    if (!canonical)
        return arena->exhausted ? column_no_memory(column, fault)
                                : fault_add(fault, column->field_name,
                                            "is no decimal number like 12.50 of at most %d digits",
                                            DECIMAL_MAX_DIGITS);
    if (column_is_binary(column) && significant_digits(canonical) > 15)
        return fault_add(fault, column->field_name,
                         "has more than the 15 digits that are exact in a column of type %s",
                         column_sql_type(column));
    return data_value(SQLITE_TEXT, canonical, strlen(canonical), ret_value);
}

Code column_value_json(const struct column *column, const void *at, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *text;
    const ProtobufCMessage *record =
        (const ProtobufCMessage *)(const void *)((const char *)at - column->field->offset);
    Code code = json_column_write(record, column->field, arena, &text, fault);
    return code == HERO__V1__CODE__OK ? data_value(SQLITE_TEXT, text, strlen(text), ret_value)
                                      : code;
}
