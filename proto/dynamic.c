/*
 * Owns protobuf-c's struct layout rules, as protoc-c 1.4.1's generator has
 * them (protoc-gen-c/c_field.cc, c_message.cc): base, then each field with
 * its presence flag where its type has no NULL.
 */
#include "dynamic.h"

#include <stdlib.h>
#include <string.h>

struct shape {
    ProtobufCType type;
    size_t size;
    bool has_flag; /* presence needs a flag of its own */
};

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

/* By google.protobuf.FieldDescriptorProto.Type; groups have none. */
static const struct shape shapes[] = {
    [TYPE(DOUBLE)] = {PROTOBUF_C_TYPE_DOUBLE, 8, true},
    [TYPE(FLOAT)] = {PROTOBUF_C_TYPE_FLOAT, 4, true},
    [TYPE(INT64)] = {PROTOBUF_C_TYPE_INT64, 8, true},
    [TYPE(UINT64)] = {PROTOBUF_C_TYPE_UINT64, 8, true},
    [TYPE(INT32)] = {PROTOBUF_C_TYPE_INT32, 4, true},
    [TYPE(FIXED64)] = {PROTOBUF_C_TYPE_FIXED64, 8, true},
    [TYPE(FIXED32)] = {PROTOBUF_C_TYPE_FIXED32, 4, true},
    [TYPE(BOOL)] = {PROTOBUF_C_TYPE_BOOL, sizeof(protobuf_c_boolean), true},
    [TYPE(STRING)] = {PROTOBUF_C_TYPE_STRING, sizeof(char *), false},
    [TYPE(MESSAGE)] = {PROTOBUF_C_TYPE_MESSAGE, sizeof(void *), false},
    [TYPE(BYTES)] = {PROTOBUF_C_TYPE_BYTES, sizeof(ProtobufCBinaryData), true},
    [TYPE(UINT32)] = {PROTOBUF_C_TYPE_UINT32, 4, true},
    [TYPE(ENUM)] = {PROTOBUF_C_TYPE_ENUM, sizeof(int), true},
    [TYPE(SFIXED32)] = {PROTOBUF_C_TYPE_SFIXED32, 4, true},
    [TYPE(SFIXED64)] = {PROTOBUF_C_TYPE_SFIXED64, 8, true},
    [TYPE(SINT32)] = {PROTOBUF_C_TYPE_SINT32, 4, true},
    [TYPE(SINT64)] = {PROTOBUF_C_TYPE_SINT64, 8, true},
};

static size_t place(size_t *offset, size_t size)
{
    size_t alignment = size < sizeof(void *) ? size : sizeof(void *);
    size_t at = (*offset + alignment - 1) / alignment * alignment;
    *offset = at + size;
    return at;
}

static int compare_numbers(const void *a, const void *b)
{
    const ProtobufCFieldDescriptor *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static int compare_names(const void *a, const void *b, void *fields)
{
    const ProtobufCFieldDescriptor *all = fields;
    return strcmp(all[*(const unsigned *)a].name, all[*(const unsigned *)b].name);
}

/* Sorted fields in, lookup tables and descriptor out. */
static const ProtobufCMessageDescriptor *finish(struct arena *arena,
                                                const ProtobufCMessageDescriptor *start,
                                                ProtobufCFieldDescriptor *fields, size_t n)
{
    ProtobufCMessageDescriptor *descriptor = arena_copy(arena, start, sizeof *start);
    unsigned *by_name = arena_array(arena, n + 1, sizeof *by_name);
    ProtobufCIntRange *ranges = arena_array(arena, n + 1, sizeof *ranges);
    if (!descriptor || !by_name || !ranges)
        return NULL;
    unsigned n_ranges = 0;
    for (unsigned i = 0; i < n; i++) {
        by_name[i] = i;
        if (i == 0 || fields[i].id != fields[i - 1].id + 1)
            ranges[n_ranges++] = (ProtobufCIntRange){(int)fields[i].id, i};
    }
    ranges[n_ranges] = (ProtobufCIntRange){0, (unsigned)n};
    qsort_r(by_name, n, sizeof *by_name, compare_names, fields);
    descriptor->n_fields = (unsigned)n;
    descriptor->fields = fields;
    descriptor->fields_sorted_by_name = by_name;
    descriptor->n_field_ranges = n_ranges;
    descriptor->field_ranges = ranges;
    descriptor->message_init = NULL; /* protobuf-c then initialises by descriptor */
    return descriptor;
}

static bool is_member(const struct dynamic_field *field)
{
    return field->proto->has_oneof_index && !field->proto->proto3_optional;
}

static void lay_out_repeated(const struct dynamic_field *from, bool proto3, size_t *offset,
                             ProtobufCFieldDescriptor *field)
{
    const Google__Protobuf__FieldOptions *options = from->proto->options;
    bool numeric = field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
                   field->type != PROTOBUF_C_TYPE_MESSAGE;
    field->label = PROTOBUF_C_LABEL_REPEATED;
    if (numeric && (options && options->has_packed ? options->packed : proto3))
        field->flags |= PROTOBUF_C_FIELD_FLAG_PACKED;
    field->quantifier_offset = (unsigned)place(offset, sizeof(size_t));
    field->offset = (unsigned)place(offset, sizeof(void *));
}

static bool lay_out(struct arena *arena, const struct dynamic_field *from, bool proto3,
                    size_t *offset, ProtobufCFieldDescriptor *field)
{
    static const char empty[] = "";
    const Google__Protobuf__FieldDescriptorProto *proto = from->proto;
    const struct shape *shape = &shapes[proto->type];
    bool presence = !proto3 || proto->proto3_optional || is_member(from) ||
                    shape->type == PROTOBUF_C_TYPE_MESSAGE;
    field->name = arena_strdup(arena, proto->name);
    field->id = (uint32_t)proto->number;
    field->type = shape->type;
    field->descriptor = from->type;
    if (proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED) {
        lay_out_repeated(from, proto3, offset, field);
        return field->name != NULL;
    }
    /* `required` too: a key or a masked record leaves such fields out. */
    field->label = presence ? PROTOBUF_C_LABEL_OPTIONAL : PROTOBUF_C_LABEL_NONE;
    if (!presence && shape->type == PROTOBUF_C_TYPE_STRING)
        field->default_value = empty;
    if (is_member(from)) {
        field->flags |= PROTOBUF_C_FIELD_FLAG_ONEOF;
        return field->name != NULL;
    }
    if (presence && shape->has_flag)
        field->quantifier_offset = (unsigned)place(offset, sizeof(protobuf_c_boolean));
    field->offset = (unsigned)place(offset, shape->size);
    return field->name != NULL;
}

/* A oneof is a case and a union, behind all other fields: protobuf-c counts on
 * its members being in one place. */
static void lay_out_oneofs(const struct dynamic_field *fields, size_t n, size_t *offset,
                           ProtobufCFieldDescriptor *all)
{
    for (size_t i = 0; i < n; i++) {
        size_t size = 0, at_case, at_union;
        if (!is_member(&fields[i]) || all[i].offset)
            continue;
        for (size_t k = i; k < n; k++)
            if (is_member(&fields[k]) &&
                fields[k].proto->oneof_index == fields[i].proto->oneof_index &&
                shapes[fields[k].proto->type].size > size)
                size = shapes[fields[k].proto->type].size;
        at_case = place(offset, sizeof(uint32_t));
        at_union = place(offset, size);
        for (size_t k = i; k < n; k++)
            if (is_member(&fields[k]) &&
                fields[k].proto->oneof_index == fields[i].proto->oneof_index) {
                all[k].quantifier_offset = (unsigned)at_case;
                all[k].offset = (unsigned)at_union;
            }
    }
}

const ProtobufCMessageDescriptor *dynamic_descriptor(struct arena *arena, const char *full_name,
                                                     bool proto3,
                                                     const struct dynamic_field *fields,
                                                     size_t n_fields)
{
    size_t offset = sizeof(ProtobufCMessage);
    ProtobufCFieldDescriptor *all = arena_array(arena, n_fields + 1, sizeof *all);
    const char *name = arena_strdup(arena, full_name);
    const char *dot = name ? strrchr(name, '.') : NULL;
    if (!all || !name)
        return NULL;
    for (size_t i = 0; i < n_fields; i++)
        if (!lay_out(arena, &fields[i], proto3, &offset, &all[i]))
            return NULL;
    lay_out_oneofs(fields, n_fields, &offset, all);
    qsort(all, n_fields, sizeof *all, compare_numbers);
    offset = (offset + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
    const ProtobufCMessageDescriptor start = {
        .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
        .name = name,
        .short_name = dot ? dot + 1 : name,
        .c_name = name,
        .package_name = dot ? arena_printf(arena, "%.*s", (int)(dot - name), name) : "",
        .sizeof_message = offset,
    };
    return finish(arena, &start, all, n_fields);
}

/* ---- enums ---- */

static int compare_values(const void *a, const void *b)
{
    const ProtobufCEnumValue *left = a, *right = b;
    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    /* As declared; c_name is their place while this sorts. */
    return (left->c_name > right->c_name) - (left->c_name < right->c_name);
}

static int compare_value_names(const void *a, const void *b)
{
    return strcmp(((const ProtobufCEnumValueIndex *)a)->name,
                  ((const ProtobufCEnumValueIndex *)b)->name);
}

/* Values by number, of those with one number the first declared; names by
 * text, each with the place of its value. */
static bool fill_enum(struct arena *arena, const Google__Protobuf__EnumDescriptorProto *proto,
                      ProtobufCEnumDescriptor *descriptor)
{
    size_t n = proto->n_value;
    unsigned n_values = 0, n_ranges = 0;
    ProtobufCEnumValue *values = arena_array(arena, n + 1, sizeof *values);
    ProtobufCEnumValueIndex *names = arena_array(arena, n + 1, sizeof *names);
    ProtobufCIntRange *ranges = arena_array(arena, n + 1, sizeof *ranges);
    char *places = arena_alloc(arena, n + 1);
    if (!values || !names || !ranges || !places)
        return false;
    for (size_t i = 0; i < n; i++)
        values[i] = (ProtobufCEnumValue){arena_strdup(arena, proto->value[i]->name), &places[i],
                                         proto->value[i]->number};
    qsort(values, n, sizeof *values, compare_values);
    for (size_t i = 0; i < n; i++) {
        ProtobufCEnumValue value = values[i];
        if (!value.name)
            return false;
        if (i == 0 || value.value != values[n_values - 1].value) {
            if (n_values == 0 || value.value != values[n_values - 1].value + 1)
                ranges[n_ranges++] = (ProtobufCIntRange){value.value, n_values};
            values[n_values++] = (ProtobufCEnumValue){value.name, value.name, value.value};
        }
        names[i] = (ProtobufCEnumValueIndex){value.name, n_values - 1};
    }
    ranges[n_ranges] = (ProtobufCIntRange){0, n_values};
    qsort(names, n, sizeof *names, compare_value_names);
    descriptor->n_values = n_values;
    descriptor->values = values;
    descriptor->n_value_names = (unsigned)n;
    descriptor->values_by_name = names;
    descriptor->n_value_ranges = n_ranges;
    descriptor->value_ranges = ranges;
    return true;
}

const ProtobufCEnumDescriptor *dynamic_enum(struct arena *arena, const char *full_name,
                                            const Google__Protobuf__EnumDescriptorProto *proto)
{
    ProtobufCEnumDescriptor *descriptor = arena_alloc(arena, sizeof *descriptor);
    const char *name = arena_strdup(arena, full_name);
    const char *dot = name ? strrchr(name, '.') : NULL;
    if (!descriptor || !name)
        return NULL;
    *descriptor = (ProtobufCEnumDescriptor){
        .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
        .name = name,
        .short_name = dot ? dot + 1 : name,
        .c_name = name,
        .package_name = dot ? arena_printf(arena, "%.*s", (int)(dot - name), name) : "",
    };
    return fill_enum(arena, proto, descriptor) ? descriptor : NULL;
}

/* ---- messages and their fields ---- */

const ProtobufCMessageDescriptor *dynamic_subset(struct arena *arena,
                                                 const ProtobufCMessageDescriptor *generated,
                                                 const uint32_t *numbers, size_t n_numbers)
{
    ProtobufCFieldDescriptor *fields = arena_array(arena, n_numbers + 1, sizeof *fields);
    size_t n = 0;
    if (!fields)
        return NULL;
    for (size_t i = 0; i < n_numbers; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(generated, numbers[i]);
        if (field)
            fields[n++] = *field;
    }
    qsort(fields, n, sizeof *fields, compare_numbers);
    return finish(arena, generated, fields, n);
}

ProtobufCMessage *dynamic_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);
    if (!message)
        return NULL;
    if (descriptor->message_init) {
        descriptor->message_init(message);
        return message;
    }
    message->descriptor = descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (field->default_value && field->type == PROTOBUF_C_TYPE_STRING &&
            field->label != PROTOBUF_C_LABEL_REPEATED)
            *(const char **)field_at(message, field) = field->default_value;
    }
    return message;
}

bool field_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + field->quantifier_offset) > 0;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const void *pointer = *(const void *const *)(base + field->offset);
        /* A generated struct's text starts at its default: not set. */
        return pointer &&
               (field->label != PROTOBUF_C_LABEL_OPTIONAL || pointer != field->default_value);
    }
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return true;
    return *(const protobuf_c_boolean *)(base + field->quantifier_offset);
}

void field_set_present(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       bool present)
{
    char *base = (char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        if (!present)
            *(size_t *)(base + field->quantifier_offset) = 0;
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *set = (uint32_t *)(void *)(base + field->quantifier_offset);
        if (present)
            *set = field->id;
        else if (*set == field->id)
            *set = 0;
        return;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (!present)
            *(void **)(base + field->offset) = NULL;
        return;
    }
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return;
    *(protobuf_c_boolean *)(base + field->quantifier_offset) = present;
}

void field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    void *value = (char *)message + field->offset;
    field_set_present(message, field, false);
    if (field->label != PROTOBUF_C_LABEL_NONE || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        break; /* NULL already */
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)value = (ProtobufCBinaryData){0, NULL};
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)value = 0;
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memset(value, 0, sizeof(uint64_t));
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        memset(value, 0, sizeof(uint32_t));
        break;
    }
}
