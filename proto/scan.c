/*
 * Owns the walk over untrusted wire bytes (the one wire format code of Hero
 * written by hand). Encoding: protobuf.dev/programming-guides/encoding.
 */
#include "scan.h"

#include <stdio.h>
#include <string.h>

const struct scan_limits scan_limits_rpc = {
    .depth = 16, .fields = 4000000, .refuse_unknown = false};
const struct scan_limits scan_limits_record = {
    .depth = 20, .fields = 100000, .refuse_unknown = true};
const struct scan_limits scan_limits_descriptor_set = {.depth = 32, .fields = 4000000};

#define WIRE_VARINT 0
#define WIRE_64BIT 1
#define WIRE_LENGTH 2
#define WIRE_32BIT 5

/* Deeper than any limit: bounds the path's memory. */
#define DEPTH_MAX 64

/* A field on the way to where the scan is: what is before it in its message
 * is scanned already. */
struct place {
    const ProtobufCFieldDescriptor *field;
    const uint8_t *message, *at;
};

struct scan {
    const struct scan_limits *limits;
    struct fault *fault;
    size_t n_fields;
    unsigned depth;
    struct place path[DEPTH_MAX];
};

struct cursor {
    const uint8_t *at, *end;
};

static Code scan_level(struct scan *scan, const ProtobufCMessageDescriptor *descriptor,
                       struct cursor bytes);

static bool take_varint(struct cursor *bytes, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct cursor *bytes, uint64_t n)
{
    if (n > (uint64_t)(bytes->end - bytes->at))
        return false;
    bytes->at += n;
    return true;
}

/* The place among the fields of the same number: counted when it is asked
 * for, since only faults ask. */
static size_t index_of(const struct place *place)
{
    struct cursor bytes = {place->message, place->at};
    size_t index = 0;
    uint64_t tag, value;
    while (bytes.at < bytes.end && take_varint(&bytes, &tag)) {
        index += tag >> 3 == place->field->id;
        if ((tag & 7) == WIRE_VARINT)
            take_varint(&bytes, &value);
        else if ((tag & 7) == WIRE_LENGTH)
            skip(&bytes, take_varint(&bytes, &value) ? value : UINT64_MAX);
        else
            skip(&bytes, (tag & 7) == WIRE_64BIT ? 8 : 4);
    }
    return index;
}

static void print_path(const struct scan *scan, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (unsigned i = 0; i < scan->depth && used < size; i++) {
        const struct place *place = &scan->path[i];
        const char *dot = i ? "." : "", *name = place->field->name;
        int n = place->field->label == PROTOBUF_C_LABEL_REPEATED
                    ? snprintf(buffer + used, size - used, "%s%s[%zu]", dot, name, index_of(place))
                    : snprintf(buffer + used, size - used, "%s%s", dot, name);
        if (n < 0)
            return;
        used += (size_t)n;
    }
}

static Code refuse(struct scan *scan, const char *what)
{
    char path[512];
    print_path(scan, path, sizeof path);
    return fault_add(scan->fault, path, "%s", what);
}

static unsigned wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return WIRE_VARINT;
    }
    return WIRE_VARINT;
}

bool scan_text_valid(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + len;
    while (at < end) {
        unsigned char c = *at++;
        if (c == 0)
            return false;
        if (c < 0x80)
            continue;
        unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c > 0xf4 || (size_t)(end - at) < more)
            return false;
        /* The second byte rules out overlong forms, surrogates and what is past U+10FFFF. */
        unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        if (at[0] < low || at[0] > high)
            return false;
        for (unsigned i = 1; i < more; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += more;
    }
    return true;
}

/* A wider number than the field's type would lose its upper half in silence:
 * a sender of the same field with a wider type may send one. */
static bool fits_type(ProtobufCType type, uint64_t value)
{
    int64_t number = (int64_t)value;
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        return number >= INT32_MIN && number <= INT32_MAX;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        return value <= UINT32_MAX;
    default:
        return true;
    }
}

static Code scan_packed(struct scan *scan, ProtobufCType type, struct cursor bytes)
{
    unsigned wire = wire_type_of(type);
    uint64_t value = 0;
    while (bytes.at < bytes.end) {
        if (++scan->n_fields > scan->limits->fields)
            return refuse(scan, "has too many elements");
        bool whole = wire == WIRE_VARINT ? take_varint(&bytes, &value)
                                         : skip(&bytes, wire == WIRE_64BIT ? 8 : 4);
        if (!whole)
            return refuse(scan, "ends inside an element");
        if (!fits_type(type, value))
            return refuse(scan, "holds a number that is out of its type's range");
    }
    return HERO__V1__CODE__OK;
}

static Code scan_length_field(struct scan *scan, const ProtobufCFieldDescriptor *field,
                              struct cursor content)
{
    if (wire_type_of(field->type) != WIRE_LENGTH)
        return scan_packed(scan, field->type, content);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return scan_level(scan, field->descriptor, content);
    if (field->type == PROTOBUF_C_TYPE_STRING &&
        !scan_text_valid((const char *)content.at, (size_t)(content.end - content.at)))
        return refuse(scan, memchr(content.at, 0, (size_t)(content.end - content.at))
                                ? "text holds a NUL character; use bytes for it"
                                : "text is not valid UTF-8; use bytes for other encodings");
    return HERO__V1__CODE__OK;
}

/* *ret_value: of a varint. */
static Code skip_content(struct scan *scan, unsigned wire, struct cursor *bytes,
                         struct cursor *ret_content, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool whole = false;
    switch (wire) {
    case WIRE_VARINT:
        whole = take_varint(bytes, &value);
        break;
    case WIRE_64BIT:
        whole = skip(bytes, 8);
        break;
    case WIRE_32BIT:
        whole = skip(bytes, 4);
        break;
    case WIRE_LENGTH:
        whole = take_varint(bytes, &value);
        ret_content->at = bytes->at;
        whole = whole && skip(bytes, value);
        ret_content->end = bytes->at;
        break;
    default:
        return refuse(scan, "is not protobuf: groups and unknown wire types are not taken");
    }
    *ret_value = value;
    return whole ? HERO__V1__CODE__OK : refuse(scan, "is not protobuf: it ends inside a field");
}

static Code scan_known(struct scan *scan, const ProtobufCFieldDescriptor *field, unsigned wire,
                       struct cursor *bytes)
{
    struct cursor content = {NULL, NULL};
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    unsigned expected = wire_type_of(field->type);
    uint64_t value;
    if (wire != expected && !(repeated && wire == WIRE_LENGTH))
        return refuse(scan, "has another type on the wire than the message declares");
    Code code = skip_content(scan, wire, bytes, &content, &value);
    if (code == HERO__V1__CODE__OK && wire == WIRE_VARINT && !fits_type(field->type, value))
        return refuse(scan, "holds a number that is out of its type's range");
    if (code != HERO__V1__CODE__OK || wire != WIRE_LENGTH)
        return code;
    return scan_length_field(scan, field, content);
}

static Code scan_unknown(struct scan *scan, uint64_t number, unsigned wire, struct cursor *bytes)
{
    struct cursor content;
    uint64_t value;
    char what[96];
    if (scan->limits->refuse_unknown) {
        snprintf(what, sizeof what, "field number %llu is not a column that is served",
                 (unsigned long long)number);
        return refuse(scan, what);
    }
    return skip_content(scan, wire, bytes, &content, &value);
}

static Code scan_level(struct scan *scan, const ProtobufCMessageDescriptor *descriptor,
                       struct cursor bytes)
{
    const uint8_t *message = bytes.at;
    if (scan->depth >= scan->limits->depth || scan->depth >= DEPTH_MAX - 1)
        return refuse(scan, "is nested too deeply");
    while (bytes.at < bytes.end) {
        uint64_t tag;
        const uint8_t *at = bytes.at;
        if (++scan->n_fields > scan->limits->fields)
            return refuse(scan, "has too many fields");
        if (!take_varint(&bytes, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911)
            return refuse(scan, "is not protobuf: a field's tag is broken");
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        Code code;
        if (field) {
            scan->path[scan->depth++] = (struct place){field, message, at};
            code = scan_known(scan, field, tag & 7, &bytes);
            scan->depth--;
        } else {
            code = scan_unknown(scan, tag >> 3, tag & 7, &bytes);
        }
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return HERO__V1__CODE__OK;
}

Code scan_message(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len,
                  const struct scan_limits *limits, struct fault *fault)
{
    struct fault unwanted = FAULT_INIT;
    struct scan scan = {.limits = limits, .fault = fault ? fault : &unwanted};
    struct cursor cursor = {bytes, len ? bytes + len : bytes};
    Code code = len ? scan_level(&scan, descriptor, cursor) : HERO__V1__CODE__OK;
    fault_done(&unwanted);
    return code;
}

static Code no_memory(const ProtobufCMessageDescriptor *descriptor, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "%s: needs more memory than one request may take; send it in parts",
                     descriptor->name);
}

/* Of bytes that were scanned. */
static Code unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len,
                   struct arena *arena, ProtobufCMessage **ret_message, struct fault *fault)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, arena_allocator(arena), len, bytes);
    if (message) {
        *ret_message = message;
        return HERO__V1__CODE__OK;
    }
    if (arena->exhausted)
        return no_memory(descriptor, fault);
    return fault_add(fault, "", "%s: a required field is missing or a value is malformed",
                     descriptor->name);
}

Code scan_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len,
                 const struct scan_limits *limits, struct arena *arena,
                 ProtobufCMessage **ret_message, struct fault *fault)
{
    Code code = scan_message(descriptor, bytes, len, limits, fault);
    return code == HERO__V1__CODE__OK ? unpack(descriptor, bytes, len, arena, ret_message, fault)
                                      : code;
}

/* ---- elements that stay packed ---- */

/* One field of scanned bytes: its number, all of it, and its content where it has a length. */
static bool take_field(struct scan_rest *rest, uint64_t *ret_number, struct scan_rest *ret_field,
                       ProtobufCBinaryData *ret_content)
{
    struct cursor bytes = {rest->at, rest->end};
    uint64_t tag, value = 0;
    if (bytes.at >= bytes.end || !take_varint(&bytes, &tag))
        return false;
    bool whole = true;
    *ret_content = (ProtobufCBinaryData){0, NULL};
    if ((tag & 7) == WIRE_VARINT) {
        whole = take_varint(&bytes, &value);
    } else if ((tag & 7) == WIRE_LENGTH) {
        whole = take_varint(&bytes, &value);
        *ret_content = (ProtobufCBinaryData){(size_t)value, (uint8_t *)(uintptr_t)bytes.at};
        whole = whole && skip(&bytes, value);
    } else {
        whole = skip(&bytes, (tag & 7) == WIRE_64BIT ? 8 : 4);
    }
    *ret_number = tag >> 3;
    *ret_field = (struct scan_rest){rest->at, bytes.at};
    rest->at = bytes.at;
    return whole;
}

bool scan_next(struct scan_rest *rest, uint32_t number, ProtobufCBinaryData *ret_element)
{
    struct scan_rest field;
    uint64_t found;
    while (take_field(rest, &found, &field, ret_element))
        if (found == number)
            return true;
    return false;
}

Code scan_unpack_without(const ProtobufCMessageDescriptor *descriptor, uint32_t number,
                         const uint8_t *bytes, size_t len, const struct scan_limits *limits,
                         struct arena *arena, ProtobufCMessage **ret_message, struct fault *fault)
{
    struct scan_rest rest = SCAN_REST(bytes, len), field;
    ProtobufCBinaryData content;
    size_t others = 0;
    uint64_t found;
    Code code = scan_message(descriptor, bytes, len, limits, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    while (take_field(&rest, &found, &field, &content))
        others += found == number ? 0 : (size_t)(field.end - field.at);
    uint8_t *copy = arena_alloc(arena, others);
    if (!copy)
        return no_memory(descriptor, fault);
    rest = SCAN_REST(bytes, len);
    for (others = 0; take_field(&rest, &found, &field, &content);) {
        if (found == number)
            continue;
        memcpy(copy + others, field.at, (size_t)(field.end - field.at));
        others += (size_t)(field.end - field.at);
    }
    return unpack(descriptor, copy, others, arena, ret_message, fault);
}
