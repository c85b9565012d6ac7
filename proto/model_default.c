/*
 * Owns (hero.column).default: the text of each kind of column, made into what
 * the store binds and declares.
 */
#include "model_internal.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base64.h"
#include "formats.h"

/* What an integer kind can hold, as far as SQLite can. */
static void integer_range(enum column_kind kind, int64_t *least, int64_t *most)
{
    bool is_unsigned = kind == COLUMN_UINT32 || kind == COLUMN_UINT64;
    bool is_short = kind == COLUMN_INT32 || kind == COLUMN_UINT32;
    *least = is_unsigned ? 0 : is_short ? INT32_MIN : INT64_MIN;
    *most = !is_short ? INT64_MAX : is_unsigned ? UINT32_MAX : INT32_MAX;
}

static bool begins_number(const char *text)
{
    text += *text == '-';
    return *text >= '0' && *text <= '9';
}

static const char *integer_default(struct column *column, const char *text)
{
    int64_t least = 0, most = 0;
    char *end;
    errno = 0;
    column->default_integer = strtoll(text, &end, 10);
    column->default_kind = DEFAULT_INTEGER;
    if (!begins_number(text) || *end)
        return "its default is not a whole number";
    integer_range(column->kind, &least, &most);
    if (errno || column->default_integer < least || column->default_integer > most)
        return "its default is out of the type's range";
    return NULL;
}

/* Digits, a point, an exponent: no hexadecimal, no inf, whatever strtod takes. */
static const char *real_default(struct column *column, const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end = NULL;
    if (plain) {
        column->default_real = strtod_l(text, &end, plain);
        freelocale(plain);
    }
    column->default_kind = DEFAULT_REAL;
    if (!end || *end || !begins_number(text) || strspn(text, "-+.0123456789eE") != strlen(text))
        return "its default is not a number";
    if (column->kind == COLUMN_FLOAT && fabs(column->default_real) > (double)FLT_MAX)
        return "its default is out of the type's range";
    return isfinite(column->default_real) ? NULL : "its default is out of the type's range";
}

/* With or without padding. */
static const char *bytes_default(struct column *column, const char *text, struct arena *arena)
{
    static const char *const padding[] = {"", "", "==", "="};
    const char *padded = arena_printf(arena, "%s%s", text, padding[strlen(text) % 4]);
    column->default_kind = DEFAULT_BYTES;
    return !padded || base64_decode(arena, padded, strlen(padded), &column->default_bytes)
               ? NULL
               : "its default is not base64";
}

/* Text as SQLite holds it; NULL: no memory, which the builder notices. */
static const char *keep_text(struct column *column, const char *text, struct arena *arena)
{
    size_t len = strlen(text);
    column->default_kind = DEFAULT_TEXT;
    column->default_bytes = (ProtobufCBinaryData){len, arena_copy(arena, text, len)};
    return NULL;
}

static const char *enum_default(struct column *column, const ProtobufCEnumDescriptor *type,
                                const char *text, struct arena *arena)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, text);
    if (!value)
        return "its default is no name of a value of its enum";
    return keep_text(column, value->name, arena);
}

static const char *timestamp_default(struct column *column, const char *text, struct arena *arena)
{
    struct moment moment;
    char stored[MOMENT_TEXT_SIZE];
    if (!moment_read(text, strlen(text), false, &moment) || moment.nanos % 1000 != 0)
        return "its default is neither now nor a time of at most microseconds like "
               "2026-11-23T01:02:03Z";
    moment_write_sql(moment, stored);
    return keep_text(column, stored, arena);
}

static const char *uuid_default(struct column *column, const char *text, struct arena *arena)
{
    char uuid[UUID_TEXT_SIZE], digits[33];
    if (!format_uuid(text, strlen(text), uuid))
        return "its default is no uuid";
    format_uuid_digits(uuid, digits);
    return keep_text(column, column->dashes ? uuid : digits, arena);
}

static const char *decimal_default(struct column *column, const char *text, struct arena *arena)
{
    const char *canonical = format_decimal(arena, text, strlen(text));
    return canonical ? keep_text(column, canonical, arena) : "its default is no decimal number";
}

static const char *bool_default(struct column *column, const char *text)
{
    column->default_kind = DEFAULT_INTEGER;
    column->default_integer = strcmp(text, "true") == 0;
    return column->default_integer || strcmp(text, "false") == 0
               ? NULL
               : "its default must be true or false";
}

const char *column_read_default(struct column *column, const void *type, const char *text,
                                struct arena *arena)
{
    column->default_text = text;
    if ((column->kind == COLUMN_TIMESTAMP || column->kind == COLUMN_DATE) &&
        strcmp(text, "now") == 0) {
        column->default_kind = DEFAULT_NOW;
        return NULL;
    }
    switch (column->kind) {
    case COLUMN_TEXT:
        return keep_text(column, text, arena);
    case COLUMN_BYTES:
        return bytes_default(column, text, arena);
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return real_default(column, text);
    case COLUMN_BOOL:
        return bool_default(column, text);
    case COLUMN_INT32:
    case COLUMN_UINT32:
    case COLUMN_INT64:
    case COLUMN_UINT64:
        return integer_default(column, text);
    case COLUMN_ENUM:
        return enum_default(column, type, text, arena);
    case COLUMN_TIMESTAMP:
        return timestamp_default(column, text, arena);
    case COLUMN_DATE:
        return format_is_date(text, strlen(text)) ? keep_text(column, text, arena)
                                                  : "its default is neither now nor a date";
    case COLUMN_UUID:
        return uuid_default(column, text, arena);
    case COLUMN_DECIMAL:
        return decimal_default(column, text, arena);
    case COLUMN_JSON:
        break;
    }
    return "its type takes no default";
}
