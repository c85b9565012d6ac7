/*
 * Owns the walk into what a field of a struct holds. Messages in columns don't
 * hold themselves (the daemon refuses such models), but a program can tie its
 * structs into a ring: the walk ends where the deepest column would.
 */
#include "struct_value.h"
#include <stdio.h>
#include <string.h>
#include "scan.h"

/* Deeper than any column that is served. */
#define DEPTH_MAX 20u

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    }
    return 0;
}

static bool is_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static size_t *count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (size_t *)(void *)((char *)(uintptr_t)message + field->quantifier_offset);
}

/* Where the values are, one behind the other; how many. */
static size_t values_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        const char **ret_values)
{
    *ret_values = field_at(message, field);
    if (!is_list(field))
        return field_present(message, field);
    *ret_values = *(char *const *)field_at(message, field);
    return *count_of(message, field);
}

bool struct_value_is_pointer(const ProtobufCFieldDescriptor *field)
{
    return is_list(field) || field->type == PROTOBUF_C_TYPE_STRING ||
           field->type == PROTOBUF_C_TYPE_BYTES || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

const void *struct_value_pointer(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field)
{
    const void *at = field_at(message, field);

    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !field_present(message, field))
        return NULL; /* another member's value is there */
    if (is_list(field))
        return *count_of(message, field) ? *(void *const *)at : NULL;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return field_present(message, field) ? ((const ProtobufCBinaryData *)at)->data : NULL;
    return *(void *const *)at;
}

/* ---- checks ---- */

struct checking {
    char path[256];
    size_t len;
    unsigned depth;
    struct fault *fault;
};

static void refuse(const struct checking *checking, const char *what)
{
    fault_add(checking->fault, checking->path, "%s", what);
}

static size_t enter(struct checking *checking, const char *name)
{
    size_t before = checking->len, room = sizeof(checking->path) - before;
    int n =
        snprintf(checking->path + before, room, "%s%s", before && *name != '[' ? "." : "", name);

    checking->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    return before;
}

static void leave(struct checking *checking, size_t before)
{
    checking->len = before;
    checking->path[before] = '\0';
}

static void check_field(struct checking *checking, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field);

static void check_message(struct checking *checking, const ProtobufCMessage *message,
                          const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;

    if (!message || message->descriptor != descriptor) {
        char what[256];

        snprintf(what, sizeof(what), "is no initialised struct of message %s", descriptor->name);
        refuse(checking, what);
    } else if (++checking->depth > DEPTH_MAX) {
        refuse(checking, "holds more structs inside each other than a column can");
    } else {
        for (unsigned i = 0; i < descriptor->n_fields; i++)
            check_field(checking, message, &descriptor->fields[i]);
    }
    checking->depth--;
}

static void check_one(struct checking *checking, const ProtobufCFieldDescriptor *field,
                      const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    const char *text;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        text = *(char *const *)at;
        if (!text)
            refuse(checking, "is NULL");
        else if (!scan_text_valid(text, strlen(text)))
            refuse(checking, "is not valid UTF-8");
        break;
    case PROTOBUF_C_TYPE_BYTES:
        if (bytes->len && !bytes->data)
            refuse(checking, "has a length and no data");
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        check_message(checking, *(ProtobufCMessage *const *)at, field);
        break;
    default: /* numbers are what they are */
        break;
    }
}

static void check_field(struct checking *checking, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    size_t before = enter(checking, field->name), size = value_size(field->type);
    const char *values;
    size_t n = values_of(message, field, &values);

    if (is_list(field) && n && !values) {
        refuse(checking, "has a count and the array is NULL");
        n = 0;
    } else if (!is_list(field) && field->type == PROTOBUF_C_TYPE_STRING &&
               field->label == PROTOBUF_C_LABEL_NONE && !*(char *const *)field_at(message, field)) {
        n = 0; /* proto3: empty */
    } else if (!is_list(field) && field->type == PROTOBUF_C_TYPE_STRING &&
               field->label == PROTOBUF_C_LABEL_REQUIRED && n == 0) {
        refuse(checking, "is required and NULL");
    }
    for (size_t i = 0; i < n; i++) {
        size_t outer = checking->len;
        char index[32];

        snprintf(index, sizeof(index), "[%zu]", i);
        if (is_list(field))
            outer = enter(checking, index);
        check_one(checking, field, values + i * size);
        leave(checking, outer);
    }
    leave(checking, before);
}

void struct_value_check(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        struct fault *fault)
{
    struct checking checking = {.fault = fault};

    check_field(&checking, message, field);
}

/* ---- comparing ---- */

static bool same_message(const ProtobufCMessage *a, const ProtobufCMessage *b, unsigned depth);

static bool same_one(const ProtobufCFieldDescriptor *field, const void *a, const void *b,
                     unsigned depth)
{
    const ProtobufCBinaryData *left = a, *right = b;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return !strcmp(*(char *const *)a, *(char *const *)b);
    case PROTOBUF_C_TYPE_BYTES:
        return left->len == right->len &&
               (!left->len || !memcmp(left->data, right->data, left->len));
    case PROTOBUF_C_TYPE_BOOL:
        return !*(const protobuf_c_boolean *)a == !*(const protobuf_c_boolean *)b;
    case PROTOBUF_C_TYPE_MESSAGE:
        return same_message(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b,
                            depth + 1);
    default:
        return !memcmp(a, b, value_size(field->type));
    }
}

static bool same_field(const ProtobufCMessage *a, const ProtobufCMessage *b,
                       const ProtobufCFieldDescriptor *field, unsigned depth)
{
    const char *left, *right;
    size_t n = values_of(a, field, &left), size = value_size(field->type);

    if (n != values_of(b, field, &right))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same_one(field, left + i * size, right + i * size, depth))
            return false;
    return true;
}

/* By the fields that the two structs have: one descriptor, or the subset of it
 * that is columns. */
static bool same_message(const ProtobufCMessage *a, const ProtobufCMessage *b, unsigned depth)
{
    if (!a || !b || a->descriptor != b->descriptor || depth > DEPTH_MAX)
        return a == b;
    for (unsigned i = 0; i < a->descriptor->n_fields; i++)
        if (!same_field(a, b, &a->descriptor->fields[i], depth))
            return false;
    return true;
}

bool struct_value_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                        const ProtobufCFieldDescriptor *field)
{
    return same_field(a, b, field, 0);
}

/* ---- copying ---- */

void struct_value_share(ProtobufCMessage *to, const ProtobufCMessage *from,
                        const ProtobufCFieldDescriptor *field)
{
    bool present = field_present(from, field);

    if (is_list(field)) {
        *count_of(to, field) = *count_of(from, field);
        memcpy(field_at(to, field), field_at(from, field), sizeof(void *));
        return;
    }
    /* Of a oneof, what is there belongs to the member that is set. */
    if (present || !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        memcpy(field_at(to, field), field_at(from, field), value_size(field->type));
    field_set_present(to, field, present);
}

static bool copy_one(const ProtobufCFieldDescriptor *field, void *to, const void *from,
                     struct arena *arena)
{
    const ProtobufCBinaryData *bytes = from;
    const ProtobufCMessage *message;
    size_t len;
    uint8_t *packed;
    void *copy;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        copy = arena_strdup(arena, *(char *const *)from);
        *(void **)to = copy;
        return copy;
    case PROTOBUF_C_TYPE_BYTES:
        copy = arena_copy(arena, bytes->len ? (const void *)bytes->data : "",
                          bytes->len ? bytes->len : 1);
        *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){bytes->len, copy};
        return copy;
    case PROTOBUF_C_TYPE_MESSAGE:
        message = *(ProtobufCMessage *const *)from;
        len = protobuf_c_message_get_packed_size(message);
        packed = arena_alloc(arena, len ? len : 1);
        if (!packed)
            return false;
        protobuf_c_message_pack(message, packed);
        copy = protobuf_c_message_unpack(message->descriptor, arena_allocator(arena), len, packed);
        *(void **)to = copy;
        return copy;
    default:
        memcpy(to, from, value_size(field->type));
        return true;
    }
}

bool struct_value_copy(ProtobufCMessage *to, const ProtobufCMessage *from,
                       const ProtobufCFieldDescriptor *field, struct arena *arena)
{
    const char *values;
    size_t n = values_of(from, field, &values), size = value_size(field->type);
    char *items;

    if (!is_list(field)) {
        if (n && !copy_one(field, field_at(to, field), values, arena))
            return false;
        field_set_present(to, field, n != 0);
        return true;
    }
    items = n ? arena_array(arena, n, size) : NULL;
    if (n && !items)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!copy_one(field, items + i * size, values + i * size, arena))
            return false;
    *(void **)field_at(to, field) = items;
    *count_of(to, field) = n;
    return true;
}
