/*
 * What becomes of the enums and messages that columns are made of. An enum
 * value is its number, a field of a message its number.
 */
#include "model_change.h"

#include <stdio.h>
#include <string.h>
#include "model_internal.h"

#define DEPTH_MAX 32
#define TEXT_MAX 256

struct finding {
    model_change_told *tell; /* NULL: only whether there is something */
    void *context;
    bool any;
};

static void found(struct finding *finding, const char *format, ...) PRINTF(2, 3);

static void found(struct finding *finding, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    finding->any = true;
    if (finding->tell)
        finding->tell(finding->context, text);
}

/* ---- enums ---- */

static const ProtobufCEnumValue *value_named(const ProtobufCEnumDescriptor *descriptor,
                                             const char *name)
{
    return protobuf_c_enum_descriptor_get_value_by_name(descriptor, name);
}

const char *enum_name_since(const ProtobufCEnumDescriptor *was, const ProtobufCEnumDescriptor *is,
                            const char *name)
{
    const ProtobufCEnumValue *then = value_named(was, name), *now = value_named(is, name);
    if (!then)
        return NULL;
    if (now && now->value == then->value) /* maybe beside another name of that number */
        return name;
    now = protobuf_c_enum_descriptor_get_value(is, then->value);
    return now ? now->name : NULL;
}

static void compare_enums(struct finding *finding, const ProtobufCEnumDescriptor *was,
                          const ProtobufCEnumDescriptor *is)
{
    for (unsigned i = 0; i < was->n_value_names; i++) {
        const char *name = was->values_by_name[i].name, *now = enum_name_since(was, is, name);
        if (!now)
            found(finding, "the value %s (number %d) is gone", name,
                  was->values[was->values_by_name[i].index].value);
        else if (strcmp(now, name) != 0)
            found(finding, "the value %s (number %d) is %s now", name,
                  was->values[was->values_by_name[i].index].value, now);
    }
    for (unsigned i = 0; i < is->n_values; i++)
        if (!protobuf_c_enum_descriptor_get_value(was, is->values[i].value))
            found(finding, "the value %s (number %d) is new", is->values[i].name,
                  is->values[i].value);
}

/* ---- messages ---- */

static void compare_fields(struct finding *finding, const char *within,
                           const ProtobufCFieldDescriptor *was, const ProtobufCFieldDescriptor *is,
                           unsigned depth);

static void compare_messages(struct finding *finding, const ProtobufCMessageDescriptor *was,
                             const ProtobufCMessageDescriptor *is, unsigned depth)
{
    const char *within = is->short_name ? is->short_name : is->name;
    for (unsigned i = 0; i < was->n_fields; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(is, was->fields[i].id);
        if (!field)
            found(finding, "%s loses the field %s (number %u)", within, was->fields[i].name,
                  was->fields[i].id);
        else
            compare_fields(finding, within, &was->fields[i], field, depth);
    }
    for (unsigned i = 0; i < is->n_fields; i++)
        if (!protobuf_c_message_descriptor_get_field(was, is->fields[i].id))
            found(finding, "%s gains the field %s (number %u)", within, is->fields[i].name,
                  is->fields[i].id);
}

static void compare_types(struct finding *finding, const ProtobufCFieldDescriptor *was,
                          const ProtobufCFieldDescriptor *is, unsigned depth)
{
    if (was->type != is->type || !was->descriptor || !is->descriptor || depth > DEPTH_MAX)
        return;
    if (is->type == PROTOBUF_C_TYPE_ENUM)
        compare_enums(finding, was->descriptor, is->descriptor);
    else if (is->type == PROTOBUF_C_TYPE_MESSAGE)
        compare_messages(finding, was->descriptor, is->descriptor, depth + 1);
}

static void compare_fields(struct finding *finding, const char *within,
                           const ProtobufCFieldDescriptor *was, const ProtobufCFieldDescriptor *is,
                           unsigned depth)
{
    if (strcmp(was->name, is->name) != 0)
        found(finding, "%s.%s (number %u) is %s now", within, was->name, is->id, is->name);
    if (was->type != is->type || was->label != is->label)
        found(finding, "%s.%s changes its type", within, is->name);
    compare_types(finding, was, is, depth);
}

bool column_type_changes(const struct column *was, const struct column *is, model_change_told *tell,
                         void *context)
{
    struct finding finding = {tell, context, false};
    compare_types(&finding, was->field, is->field, 0);
    return finding.any;
}
