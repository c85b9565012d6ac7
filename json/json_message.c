/*
 * Fields and messages <-> JSON: names, presence, repetition, oneofs. What one
 * value looks like is said by the table in json.c.
 */
#include <string.h>
#include "dynamic.h"
#include "json.h"
#include "json_internal.h"

static Code no_memory(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the JSON takes more than the %zu bytes that one request may have",
                     arena->budget);
}

/* ---- reading ---- */

static Code read_repeated(const struct reading *reading, const json_t *value,
                          ProtobufCMessage *message)
{
    const struct json_type *type = &json_types[reading->field->type];
    size_t n = json_array_size(value);
    char *items = arena_array(reading->arena, n + 1, type->size);

    if (!json_is_array(value))
        return json_expected(reading->path, "array", value, reading->fault);
    if (!items)
        return no_memory(reading->arena, reading->fault);
    for (size_t i = 0; i < n; i++) {
        size_t before = json_path_index(reading->path, i);
        Code code = type->read(reading, json_array_get(value, i), items + i * type->size);

        json_path_pop(reading->path, before);
        if (code)
            return code;
    }
    *(void **)field_at(message, reading->field) = items;
    *(size_t *)(void *)((char *)message + reading->field->quantifier_offset) = n;
    return HERO__V1__CODE__OK;
}

static uint32_t *oneof_case(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (uint32_t *)(void *)((char *)(uintptr_t)message + field->quantifier_offset);
}

Code json_read_field(const json_t *value, const ProtobufCFieldDescriptor *field,
                     ProtobufCMessage *message, struct arena *arena, struct json_path *path,
                     struct fault *fault)
{
    const struct reading reading = {field, arena, path, fault};
    bool is_oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    Code code;

    if (json_is_null(value))
        return HERO__V1__CODE__OK;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_repeated(&reading, value, message);
    if (is_oneof && *oneof_case(message, field))
        return fault_add(fault, path->text, "only one of a kind may be set here");
    code = json_types[field->type].read(&reading, value, field_at(message, field));
    if (code)
        return code;
    if (is_oneof)
        *oneof_case(message, field) = field->id;
    else
        field_set_present(message, field, true);
    return HERO__V1__CODE__OK;
}

/* "page_size", and "pageSize" as ProtoJSON has it. */
static bool is_named(const char *name, const char *member)
{
    for (; *name && *member; name++, member++) {
        if (*name == '_' && *member != '_' && name[1]) {
            name++;
            if (*name >= 'a' && *name <= 'z' ? *member != *name - 'a' + 'A' : *member != *name)
                return false;
        } else if (*name != *member) {
            return false;
        }
    }
    return !*name && !*member;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor,
                                                  const char *member)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        if (is_named(descriptor->fields[i].name, member))
            return &descriptor->fields[i];
    return NULL;
}

static Code unknown_field(const ProtobufCMessageDescriptor *descriptor, const char *member,
                          const struct json_path *path, struct fault *fault)
{
    struct json_path names = JSON_PATH_INIT;

    for (unsigned i = 0; i < descriptor->n_fields; i++)
        json_path_name(&names, descriptor->fields[i].name);
    for (char *at = names.text; *at; at++)
        *at = *at == '.' ? ' ' : *at;
    return fault_add(fault, path->text, "%s has no field %.100s; it has: %s", descriptor->name,
                     member, names.len ? names.text : "none");
}

Code json_read_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor,
                       struct arena *arena, struct json_path *path, ProtobufCMessage **ret_message,
                       struct fault *fault)
{
    ProtobufCMessage *message = dynamic_message(arena, descriptor);
    const char *member;
    json_t *item;

    if (!json_is_object(value))
        return json_expected(path, "object", value, fault);
    if (!message)
        return no_memory(arena, fault);
    if (path->depth > JSON_DEPTH)
        return fault_add(fault, path->text, "is nested deeper than %u levels", JSON_DEPTH);
    json_object_foreach((json_t *)(uintptr_t)value, member, item)
    {
        const ProtobufCFieldDescriptor *field = find_field(descriptor, member);
        size_t before;
        Code code;

        if (!field)
            return unknown_field(descriptor, member, path, fault);
        before = json_path_name(path, field->name);
        code = json_read_field(item, field, message, arena, path, fault);
        json_path_pop(path, before);
        if (code)
            return code;
    }
    *ret_message = message;
    return HERO__V1__CODE__OK;
}

/* ---- writing ---- */

static json_t *write_repeated(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
    const struct json_type *type = &json_types[field->type];
    size_t n = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
    const char *items = *(char *const *)field_at(message, field);
    json_t *array = json_array();

    for (size_t i = 0; array && i < n; i++) {
        if (json_array_append_new(array, type->write(field, items + i * type->size))) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *oneof_case(message, field) == field->id;
    return field_present(message, field);
}

json_t *json_write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return write_repeated(message, field);
    if (!is_present(message, field))
        return json_null();
    return json_types[field->type].write(field, field_at(message, field));
}

json_t *json_write_message(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    json_t *object = json_object();

    for (unsigned i = 0; object && i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (field->label != PROTOBUF_C_LABEL_REPEATED && !is_present(message, field))
            continue;
        if (json_object_set_new_nocheck(object, field->name, json_write_field(message, field))) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}
