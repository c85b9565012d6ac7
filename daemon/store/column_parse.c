/*
 * Owns the texts that stand for values, each made into what SQLite holds in
 * such a column. Knows no statements and no rows.
 */
#include "column_parse.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base64.h"

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
