/*
 * Owns the comparison of a model that comes again with the one that is
 * served: one violation for each difference, in the words of the .proto.
 * Field numbers are the columns' identity. Decides nothing.
 */
#include "model_internal.h"

#include <string.h>

struct comparison {
    struct arena *arena;
    struct option_reader options;
    struct fault *changes;
    const char *path;
};

static const char *text(const char *maybe)
{
    return maybe ? maybe : "";
}

static const FieldProto *field_by_number(const MessageProto *message, int number)
{
    for (size_t i = 0; i < message->n_field; i++)
        if (message->field[i]->number == number)
            return message->field[i];
    return NULL;
}

/* An option's value as people read it. A flag that is not given is false;
 * other options that are not given are "unset". */
static const char *option_text(struct comparison *comparison, const ProtobufCMessage *options,
                               const ProtobufCFieldDescriptor *field)
{
    bool present = options && field_present(options, field);
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return present && *(const protobuf_c_boolean *)field_at(options, field) ? "true" : "false";
    if (!present)
        return "unset";
    const char *quoted =
        arena_printf(comparison->arena, "\"%s\"", *(char *const *)field_at(options, field));
    return quoted ? quoted : "?";
}

/* Our options are flags and texts only. */
static void compare_options(struct comparison *comparison, const char *path, const char *option,
                            const ProtobufCMessageDescriptor *descriptor,
                            const ProtobufCMessage *served, const ProtobufCMessage *given)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const char *was = option_text(comparison, served, field);
        const char *is = option_text(comparison, given, field);
        if (strcmp(was, is) != 0)
            fault_add(comparison->changes, path, "(%s).%s changes from %s to %s", option,
                      field->name, was, is);
    }
}

static const char *type_text(const FieldProto *field)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &google__protobuf__field_descriptor_proto__type__descriptor, field->type);
    if (field->type_name)
        return full_type_name(field->type_name);
    return value ? value->name : "an unknown type";
}

static const char *label_text(const FieldProto *field)
{
    return field->label == FIELD_LABEL(REPEATED)   ? "repeated"
           : field->label == FIELD_LABEL(REQUIRED) ? "required"
                                                   : "optional";
}

static void compare_field(struct comparison *comparison, const FieldProto *served,
                          const FieldProto *given)
{
    struct option_reader *reader = &comparison->options;
    const char *path =
        arena_printf(comparison->arena, "%s.%s", comparison->path, text(given->name));
    if (!path)
        return;
    if (strcmp(text(served->name), text(given->name)) != 0)
        fault_add(comparison->changes, path, "is renamed: number %d is served as %s", given->number,
                  text(served->name));
    if (strcmp(type_text(served), type_text(given)) != 0)
        fault_add(comparison->changes, path, "changes its type from %s to %s", type_text(served),
                  type_text(given));
    if (strcmp(label_text(served), label_text(given)) != 0)
        fault_add(comparison->changes, path, "changes from %s to %s", label_text(served),
                  label_text(given));
    if (served->proto3_optional != given->proto3_optional)
        fault_add(comparison->changes, path, "can %s be NULL",
                  given->proto3_optional ? "now" : "no longer");
    const Hero__ColumnOptions *was = options_of_column(reader, served, path);
    const Hero__ColumnOptions *is = options_of_column(reader, given, path);
    compare_options(comparison, path, "hero.column", &hero__column_options__descriptor,
                    (const ProtobufCMessage *)was, (const ProtobufCMessage *)is);
    const Hero__RelationshipOptions *joined = options_of_relationship(reader, served, path);
    const Hero__RelationshipOptions *joins = options_of_relationship(reader, given, path);
    compare_options(comparison, path, "hero.relationship", &hero__relationship_options__descriptor,
                    (const ProtobufCMessage *)joined, (const ProtobufCMessage *)joins);
}

static void compare_fields(struct comparison *comparison, const MessageProto *served,
                           const MessageProto *given)
{
    for (size_t i = 0; i < given->n_field; i++) {
        const FieldProto *other = field_by_number(served, given->field[i]->number);
        if (other)
            compare_field(comparison, other, given->field[i]);
        else
            fault_add(comparison->changes, comparison->path, "gains the field %s (number %d)",
                      text(given->field[i]->name), given->field[i]->number);
    }
    for (size_t i = 0; i < served->n_field; i++)
        if (!field_by_number(given, served->field[i]->number))
            fault_add(comparison->changes, comparison->path, "loses the field %s (number %d)",
                      text(served->field[i]->name), served->field[i]->number);
}

static bool is_proto3(const FileProto *file)
{
    return strcmp(text(file->syntax), "proto3") == 0;
}

void model_changes(const FileProto *served_file, const MessageProto *served,
                   const FileProto *given_file, const MessageProto *given, struct arena *arena,
                   struct fault *changes)
{
    struct fault unreadable = FAULT_INIT;
    const char *path = arena_printf(arena, "%s:%s", text(given_file->name), text(given->name));
    if (!path)
        return;
    struct comparison comparison = {arena, {arena, &unreadable}, changes, path};
    struct option_reader *reader = &comparison.options;
    const Hero__TableOptions *was = options_of_table(reader, served, path);
    const Hero__TableOptions *is = options_of_table(reader, given, path);
    if (!is && unreadable.code == HERO__V1__CODE__OK)
        fault_add(changes, path, "is served as a model and has no option (hero.table) here");
    else
        compare_options(&comparison, path, "hero.table", &hero__table_options__descriptor,
                        (const ProtobufCMessage *)was, (const ProtobufCMessage *)is);
    if (is_proto3(served_file) != is_proto3(given_file))
        fault_add(changes, path, "is declared in %s; served is the one of %s",
                  is_proto3(given_file) ? "proto3" : "proto2",
                  is_proto3(served_file) ? "proto3" : "proto2");
    compare_fields(&comparison, served, given);
    for (size_t i = 0; i < unreadable.n_violations; i++)
        fault_add(changes, unreadable.violations[i].path, "%s",
                  unreadable.violations[i].description);
    fault_done(&unreadable);
}
