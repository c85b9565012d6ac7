/*
 * Owns the texts that stand for values, each made into what SQLite holds in
 * such a column. Knows no statements and no rows.
 */
#include "column_kinds.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base64.h"
#include "formats.h"

static Code refuse(const struct column *column, const char *text, const char *wanted,
                   struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s takes %s, not \"%.40s\"",
                     column->field_name, wanted, text);
}

/* Without the ranges of int32 and uint32: a comparison with what the column
 * can't hold has an answer, too. */
Code column_parse_integer(const struct column *column, const char *text, struct arena *arena,
                          struct key_value *ret_value, struct fault *fault)
{
    const char *digits = text + (*text == '-');
    (void)arena;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return refuse(column, text, "a whole number", fault);
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno)
        return refuse(column, text, "a number of at most 64 bits", fault);
    *ret_value = (struct key_value){.type = SQLITE_INTEGER, .integer = number};
    return HERO__V1__CODE__OK;
}

Code column_parse_real(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const char *digits = text + (*text == '-');
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double number = 0;
    char *end = NULL;
    (void)arena;
    if (plain) {
        number = strtod_l(text, &end, plain);
        freelocale(plain);
    }
    if (!end || *end || *digits < '0' || *digits > '9' ||
        strspn(digits, "+-.0123456789eE") != strlen(digits) || !isfinite(number))
        return refuse(column, text, "a number", fault);
    *ret_value = (struct key_value){.type = SQLITE_FLOAT, .real = number};
    return HERO__V1__CODE__OK;
}

Code column_parse_bool(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    bool truth = strcmp(text, "true") == 0;
    (void)arena;
    if (!truth && strcmp(text, "false") != 0)
        return refuse(column, text, "true or false", fault);
    *ret_value = (struct key_value){.type = SQLITE_INTEGER, .integer = truth};
    return HERO__V1__CODE__OK;
}

Code column_parse_text(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    (void)column, (void)arena, (void)fault;
    *ret_value = (struct key_value){.type = SQLITE_TEXT, .len = strlen(text), .data = text};
    return HERO__V1__CODE__OK;
}

Code column_parse_bytes(const struct column *column, const char *text, struct arena *arena,
                        struct key_value *ret_value, struct fault *fault)
{
    ProtobufCBinaryData bytes;
    if (!base64_decode(arena, text, strlen(text), &bytes))
        return arena->exhausted ? fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                                            "no memory left for a value of %s", column->field_name)
                                : refuse(column, text, "bytes as base64", fault);
    *ret_value = (struct key_value){.type = SQLITE_BLOB, .len = bytes.len, .data = bytes.data};
    return HERO__V1__CODE__OK;
}

Code column_parse_enum(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    const ProtobufCEnumDescriptor *descriptor = column->field->descriptor;
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(descriptor, text);
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    (void)arena;
    if (!value && digits > 0 && digits < 11 && !text[digits + (*text == '-')])
        value = protobuf_c_enum_descriptor_get_value(descriptor, (int)strtoll(text, NULL, 10));
    if (!value)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s has no value \"%.40s\" (%s)",
                         column->field_name, text, descriptor->name);
    return data_value(SQLITE_TEXT, value->name, strlen(value->name), ret_value);
}

static Code made(const struct column *column, const char *text, struct arena *arena,
                 struct key_value *ret_value, struct fault *fault)
{
    const char *copy = arena_strdup(arena, text);
    return copy ? data_value(SQLITE_TEXT, copy, strlen(copy), ret_value)
                : column_no_memory(column, fault);
}

/* A date alone is its first moment. What is finer than the column's
 * microseconds is between two of its values, and not either of them. */
Code column_parse_timestamp(const struct column *column, const char *text, struct arena *arena,
                            struct key_value *ret_value, struct fault *fault)
{
    struct moment moment;
    char stored[MOMENT_TEXT_SIZE];
    if (!moment_read(text, strlen(text), true, &moment) || moment.nanos % 1000 != 0)
        return refuse(column, text, "a time like 2026-11-23T01:02:03Z, of at most microseconds",
                      fault);
    moment_write_sql(moment, stored);
    return made(column, stored, arena, ret_value, fault);
}

Code column_parse_date(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    (void)arena;
    return format_is_date(text, strlen(text))
               ? data_value(SQLITE_TEXT, text, strlen(text), ret_value)
               : refuse(column, text, "a date like 2026-11-23", fault);
}

Code column_parse_uuid(const struct column *column, const char *text, struct arena *arena,
                       struct key_value *ret_value, struct fault *fault)
{
    char uuid[UUID_TEXT_SIZE], digits[33];
    if (!format_uuid(text, strlen(text), uuid))
        return refuse(column, text, "a uuid", fault);
    format_uuid_digits(uuid, digits);
    return made(column, column->dashes ? uuid : digits, arena, ret_value, fault);
}

/* In a column of numbers it compares as a number. */
Code column_parse_decimal(const struct column *column, const char *text, struct arena *arena,
                          struct key_value *ret_value, struct fault *fault)
{
    const char *canonical = format_decimal(arena, text, strlen(text));
    if (!canonical)
        return arena->exhausted ? column_no_memory(column, fault)
                                : refuse(column, text, "a decimal number", fault);
    if (column_is_binary(column))
        return column_parse_real(column, canonical, arena, ret_value, fault);
    return data_value(SQLITE_TEXT, canonical, strlen(canonical), ret_value);
}
