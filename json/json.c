/*
 * Single values <-> JSON. Owns the table by protobuf type; fields and messages
 * are json_message.c's.
 */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <google/protobuf/timestamp.pb-c.h>
#include "base64.h"
#include "dynamic.h"
#include "formats.h"
#include "json.h"
#include "json_internal.h"

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "real";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        break;
    }
    return "null";
}

Code json_expected(const struct json_path *path, const char *what, const json_t *value,
                   struct fault *fault)
{
    return fault_add(fault, path->text, "expected %s, got %s", what, kind_of(value));
}

static Code no_memory(const struct reading *reading)
{
    return fault_set(reading->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the JSON takes more than the %zu bytes that one request may have",
                     reading->arena->budget);
}

static Code refuse(const struct reading *reading, const char *text)
{
    return fault_add(reading->fault, reading->path->text, "%s", text);
}

/* ---- reading one value ---- */

static bool text_real(const char *text, double *ret);

/* A real that is an integer, and surely the one that was written. */
static bool real_integer(double real, int64_t *ret_integer)
{
    if (fabs(real) > 9007199254740992.0 || floor(real) != real)
        return false;
    *ret_integer = (int64_t)real;
    return true;
}

/* Text that is exactly one decimal integer. Beyond int64 only where unsigned. */
static bool text_integer(const char *text, size_t len, int64_t *ret_signed, uint64_t *ret_unsigned)
{
    const char *digits = text + (*text == '-');
    char *end;

    if (!*digits || strlen(text) != len || strspn(digits, "0123456789") != strlen(digits))
        return false;
    errno = 0;
    if (*text == '-')
        *ret_signed = strtoll(text, &end, 10);
    else
        *ret_unsigned = strtoull(text, &end, 10);
    return !errno;
}

/* An integer of any form as sign and size; false: refused, and told. */
static bool read_any_integer(const struct reading *reading, const json_t *value, bool *ret_negative,
                             int64_t *ret_signed, uint64_t *ret_unsigned)
{
    *ret_signed = 0;
    *ret_unsigned = 0;
    if (json_is_integer(value)) {
        *ret_signed = json_integer_value(value);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        double real;

        /* 1.0 and "1.0" are one, as they are in protobuf's JSON. */
        if (!text_integer(text, json_string_length(value), ret_signed, ret_unsigned) &&
            !(text_real(text, &real) && real_integer(real, ret_signed))) {
            json_expected(reading->path, "integer", value, reading->fault);
            return false;
        }
        if (*ret_unsigned <= INT64_MAX && *ret_signed == 0)
            *ret_signed = (int64_t)*ret_unsigned;
    } else if (!json_is_real(value) || !real_integer(json_real_value(value), ret_signed)) {
        json_expected(reading->path, "integer", value, reading->fault);
        return false;
    }
    *ret_negative = *ret_signed < 0;
    if (!*ret_negative && !*ret_unsigned)
        *ret_unsigned = (uint64_t)*ret_signed;
    return true;
}

static Code read_signed(const struct reading *reading, const json_t *value, int64_t min,
                        int64_t max, int64_t *ret)
{
    uint64_t size;
    bool negative;

    if (!read_any_integer(reading, value, &negative, ret, &size))
        return HERO__V1__CODE__INVALID_ARGUMENT;
    if ((!negative && size > (uint64_t)max) || *ret < min || *ret > max)
        return fault_add(reading->fault, reading->path->text,
                         "is out of range: %" PRId64 " to %" PRId64, min, max);
    return HERO__V1__CODE__OK;
}

static Code read_unsigned(const struct reading *reading, const json_t *value, uint64_t max,
                          uint64_t *ret)
{
    int64_t number;
    bool negative;

    if (!read_any_integer(reading, value, &negative, &number, ret))
        return HERO__V1__CODE__INVALID_ARGUMENT;
    if (negative)
        return fault_add(reading->fault, reading->path->text, "is out of range: 0 to %" PRIu64,
                         max);
    if (*ret > max)
        return fault_add(reading->fault, reading->path->text, "is out of range: 0 to %" PRIu64,
                         max);
    return HERO__V1__CODE__OK;
}

static Code read_int32(const struct reading *reading, const json_t *value, void *place)
{
    int64_t number;
    Code code = read_signed(reading, value, INT32_MIN, INT32_MAX, &number);

    if (!code)
        *(int32_t *)place = (int32_t)number;
    return code;
}

static Code read_int64(const struct reading *reading, const json_t *value, void *place)
{
    return read_signed(reading, value, INT64_MIN, INT64_MAX, place);
}

static Code read_uint32(const struct reading *reading, const json_t *value, void *place)
{
    uint64_t number;
    Code code = read_unsigned(reading, value, UINT32_MAX, &number);

    if (!code)
        *(uint32_t *)place = (uint32_t)number;
    return code;
}

static Code read_uint64(const struct reading *reading, const json_t *value, void *place)
{
    return read_unsigned(reading, value, UINT64_MAX, place);
}

/* jansson reads numbers the same under every locale; strtod doesn't. */
static bool text_real(const char *text, double *ret)
{
    json_t *number;
    bool is_number;

    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    number = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    is_number = json_is_number(number);
    if (is_number)
        *ret = json_number_value(number);
    json_decref(number);
    return is_number;
}

static Code read_double(const struct reading *reading, const json_t *value, void *place)
{
    double number = 0;

    if (json_is_number(value)) {
        number = json_number_value(value);
    } else if (!json_is_string(value)) {
        return json_expected(reading->path, "number", value, reading->fault);
    } else if (!text_real(json_string_value(value), &number)) {
        return fault_add(reading->fault, reading->path->text,
                         "expected number, got text; NaN and infinity cannot be stored");
    }
    if (!isfinite(number))
        return refuse(reading, "NaN and infinity cannot be stored");
    *(double *)place = number;
    return HERO__V1__CODE__OK;
}

static Code read_float(const struct reading *reading, const json_t *value, void *place)
{
    double number;
    Code code = read_double(reading, value, &number);

    if (code)
        return code;
    if (!isfinite((float)number))
        return refuse(reading, "is out of range for a float");
    *(float *)place = (float)number;
    return HERO__V1__CODE__OK;
}

static Code read_bool(const struct reading *reading, const json_t *value, void *place)
{
    const char *text = json_string_value(value);

    if (text && strcmp(text, "true") && strcmp(text, "false"))
        return json_expected(reading->path, "bool (true or false)", value, reading->fault);
    if (!text && !json_is_boolean(value))
        return json_expected(reading->path, "bool", value, reading->fault);
    *(protobuf_c_boolean *)place = text ? !strcmp(text, "true") : json_is_true(value);
    return HERO__V1__CODE__OK;
}

static Code read_string(const struct reading *reading, const json_t *value, void *place)
{
    char *copy;

    if (!json_is_string(value))
        return json_expected(reading->path, "string", value, reading->fault);
    copy = arena_strdup(reading->arena, json_string_value(value));
    if (!copy)
        return no_memory(reading);
    *(char **)place = copy;
    return HERO__V1__CODE__OK;
}

static Code read_bytes(const struct reading *reading, const json_t *value, void *place)
{
    if (!json_is_string(value))
        return json_expected(reading->path, "bytes as base64 text", value, reading->fault);
    if (base64_decode(reading->arena, json_string_value(value), json_string_length(value), place))
        return HERO__V1__CODE__OK;
    if (reading->arena->exhausted)
        return no_memory(reading);
    return refuse(reading, "is not base64 (RFC 4648: A-Z a-z 0-9 + /, padded with =)");
}

static Code unknown_value(const struct reading *reading, const ProtobufCEnumDescriptor *descriptor)
{
    char names[256];
    size_t used = 0;

    for (unsigned i = 0; i < descriptor->n_values && used < sizeof(names); i++) {
        int n = snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
                         descriptor->values[i].name);

        used += n > 0 ? (size_t)n : 0;
    }
    return fault_add(reading->fault, reading->path->text, "no such value of %s; it has: %s",
                     descriptor->name, names);
}

static Code read_enum(const struct reading *reading, const json_t *value, void *place)
{
    const ProtobufCEnumDescriptor *descriptor = reading->field->descriptor;
    const ProtobufCEnumValue *found;

    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        int64_t number = 0;
        uint64_t size = 0;

        found = protobuf_c_enum_descriptor_get_value_by_name(descriptor, text);
        /* A command line has numbers as text, too. */
        if (!found && text_integer(text, json_string_length(value), &number, &size) &&
            number >= INT32_MIN && size <= INT32_MAX)
            found = protobuf_c_enum_descriptor_get_value(descriptor,
                                                         (int)(number ? number : (int64_t)size));
    } else if (json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
               json_integer_value(value) <= INT32_MAX) {
        found = protobuf_c_enum_descriptor_get_value(descriptor, (int)json_integer_value(value));
    } else {
        return json_expected(reading->path, "name of an enum's value", value, reading->fault);
    }
    if (!found)
        return unknown_value(reading, descriptor);
    *(int *)place = found->value;
    return HERO__V1__CODE__OK;
}

/* RFC 3339, as protobuf's JSON has it. */
static Code read_timestamp(const struct reading *reading, const json_t *value, void *place)
{
    Google__Protobuf__Timestamp *timestamp;
    struct moment moment;

    if (!json_is_string(value))
        return json_expected(reading->path, "time as text", value, reading->fault);
    if (!moment_read(json_string_value(value), json_string_length(value), false, &moment))
        return fault_add(reading->fault, reading->path->text,
                         "expected a time like 2026-11-23T01:02:03Z");
    timestamp = arena_alloc(reading->arena, sizeof(*timestamp));
    if (!timestamp)
        return no_memory(reading);
    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = moment.seconds;
    timestamp->nanos = moment.nanos;
    *(Google__Protobuf__Timestamp **)place = timestamp;
    return HERO__V1__CODE__OK;
}

static Code read_nested(const struct reading *reading, const json_t *value, void *place)
{
    if (reading->field->descriptor == &google__protobuf__timestamp__descriptor)
        return read_timestamp(reading, value, place);
    return json_read_message(value, reading->field->descriptor, reading->arena, reading->path,
                             place, reading->fault);
}

/* ---- writing one value ---- */

static json_t *write_int32(const ProtobufCFieldDescriptor *field, const void *place)
{
    (void)field;
    return json_integer(*(const int32_t *)place);
}

static json_t *write_int64(const ProtobufCFieldDescriptor *field, const void *place)
{
    (void)field;
    return json_integer(*(const int64_t *)place);
}

static json_t *write_uint32(const ProtobufCFieldDescriptor *field, const void *place)
{
    (void)field;
    return json_integer(*(const uint32_t *)place);
}

/* jansson's integers end at 2^63-1; larger ones are text, which we read too. */
static json_t *write_uint64(const ProtobufCFieldDescriptor *field, const void *place)
{
    uint64_t number = *(const uint64_t *)place;
    char text[24];

    (void)field;
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return json_string(text);
}

/* The shortest decimal that is this float, as a double that prints so. */
static json_t *write_float(const ProtobufCFieldDescriptor *field, const void *place)
{
    float number = *(const float *)place;
    char text[32];

    (void)field;
    /* Below FLT_MIN there are fewer digits to tell apart than elsewhere. */
    for (int digits = fabsf(number) < FLT_MIN ? 1 : 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    return isfinite(number) ? json_real(strtod(text, NULL)) : json_string(text);
}

static json_t *write_double(const ProtobufCFieldDescriptor *field, const void *place)
{
    double number = *(const double *)place;
    char text[32];

    (void)field;
    if (isfinite(number))
        return json_real(number);
    snprintf(text, sizeof(text), "%g", number);
    return json_string(text);
}

static json_t *write_bool(const ProtobufCFieldDescriptor *field, const void *place)
{
    (void)field;
    return json_boolean(*(const protobuf_c_boolean *)place);
}

static json_t *write_string(const ProtobufCFieldDescriptor *field, const void *place)
{
    const char *text = *(char *const *)place;

    (void)field;
    return json_string(text ? text : "");
}

static json_t *write_bytes(const ProtobufCFieldDescriptor *field, const void *place)
{
    ProtobufCBinaryData bytes = *(const ProtobufCBinaryData *)place;
    char *text = malloc(bytes.len / 3 * 4 + 5);
    json_t *value = NULL;

    (void)field;
    if (text)
        value = json_stringn_nocheck(text, base64_write(text, bytes));
    free(text);
    return value;
}

static json_t *write_enum(const ProtobufCFieldDescriptor *field, const void *place)
{
    int number = *(const int *)place;
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, number);

    return value ? json_string(value->name) : json_integer(number);
}

/* One that is out of range is shown as it is; what reads it will refuse it. */
static json_t *write_timestamp(const Google__Protobuf__Timestamp *timestamp)
{
    struct moment moment = {timestamp->seconds, timestamp->nanos};
    char text[MOMENT_TEXT_SIZE];

    if (moment_is_valid(moment))
        moment_write_rfc3339(moment, text);
    else
        snprintf(text, sizeof(text), "%" PRId64 "s", timestamp->seconds);
    return json_string(text);
}

static json_t *write_nested(const ProtobufCFieldDescriptor *field, const void *place)
{
    const ProtobufCMessage *message = *(ProtobufCMessage *const *)place;

    if (!message)
        return json_null();
    if (field->descriptor == &google__protobuf__timestamp__descriptor)
        return write_timestamp((const Google__Protobuf__Timestamp *)message);
    return json_write_message(message);
}

/* ---- the table ---- */

const struct json_type json_types[] = {
    [PROTOBUF_C_TYPE_INT32] = {sizeof(int32_t), read_int32, write_int32},
    [PROTOBUF_C_TYPE_SINT32] = {sizeof(int32_t), read_int32, write_int32},
    [PROTOBUF_C_TYPE_SFIXED32] = {sizeof(int32_t), read_int32, write_int32},
    [PROTOBUF_C_TYPE_INT64] = {sizeof(int64_t), read_int64, write_int64},
    [PROTOBUF_C_TYPE_SINT64] = {sizeof(int64_t), read_int64, write_int64},
    [PROTOBUF_C_TYPE_SFIXED64] = {sizeof(int64_t), read_int64, write_int64},
    [PROTOBUF_C_TYPE_UINT32] = {sizeof(uint32_t), read_uint32, write_uint32},
    [PROTOBUF_C_TYPE_FIXED32] = {sizeof(uint32_t), read_uint32, write_uint32},
    [PROTOBUF_C_TYPE_UINT64] = {sizeof(uint64_t), read_uint64, write_uint64},
    [PROTOBUF_C_TYPE_FIXED64] = {sizeof(uint64_t), read_uint64, write_uint64},
    [PROTOBUF_C_TYPE_FLOAT] = {sizeof(float), read_float, write_float},
    [PROTOBUF_C_TYPE_DOUBLE] = {sizeof(double), read_double, write_double},
    [PROTOBUF_C_TYPE_BOOL] = {sizeof(protobuf_c_boolean), read_bool, write_bool},
    [PROTOBUF_C_TYPE_ENUM] = {sizeof(int), read_enum, write_enum},
    [PROTOBUF_C_TYPE_STRING] = {sizeof(char *), read_string, write_string},
    [PROTOBUF_C_TYPE_BYTES] = {sizeof(ProtobufCBinaryData), read_bytes, write_bytes},
    [PROTOBUF_C_TYPE_MESSAGE] = {sizeof(void *), read_nested, write_nested},
};

_Static_assert(sizeof(json_types) / sizeof(json_types[0]) == PROTOBUF_C_TYPE_MESSAGE + 1,
               "every protobuf type needs a row");
