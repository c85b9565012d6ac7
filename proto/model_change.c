/*
 * Owns the comparison of a model that comes again with the one that is
 * served: one text for each difference, in the words of the .proto. Field
 * numbers are the columns' identity. Options are compared by their
 * descriptors: an option more needs nothing here. Decides nothing.
 */
#include "model_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "model_internal.h"

struct comparison {
    struct arena *arena;
    struct option_reader options;
    struct model_changes found;
};

static const char *text(const char *maybe)
{
    return maybe ? maybe : "";
}

static void add(struct comparison *comparison, enum model_change_kind kind, uint32_t number,
                const char *field, const char *what)
{
    struct model_changes *found = &comparison->found;
    if ((found->n & (found->n - 1)) == 0) { /* full: at every power of two */
        struct model_change *grown =
            arena_array(comparison->arena, found->n ? found->n * 2 : 1, sizeof *grown);
        if (!grown)
            return;
        if (found->n)
            memcpy(grown, found->changes, found->n * sizeof *grown);
        found->changes = grown;
    }
    found->changes[found->n++] =
        (struct model_change){kind, number, field, arena_strdup(comparison->arena, what)};
}

static void differs(struct comparison *comparison, enum model_change_kind kind,
                    const FieldProto *field, const char *format, ...) PRINTF(4, 5);

static void differs(struct comparison *comparison, enum model_change_kind kind,
                    const FieldProto *field, const char *format, ...)
{
    char buffer[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    add(comparison, kind, field ? (uint32_t)field->number : 0, field ? text(field->name) : NULL,
        buffer);
}

/* ---- values of options, as one would write them ---- */

static void put_message(FILE *out, const ProtobufCMessage *message);

static void put_value(FILE *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCEnumValue *value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        fputs(*(const protobuf_c_boolean *)at ? "true" : "false", out);
        return;
    case PROTOBUF_C_TYPE_STRING:
        fprintf(out, "\"%s\"", text(*(char *const *)at));
        return;
    case PROTOBUF_C_TYPE_ENUM:
        value = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)at);
        fputs(value ? value->name : "?", out);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(out, *(ProtobufCMessage *const *)at);
        return;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        fprintf(out, "%" PRId32, *(const int32_t *)at);
        return;
    default: /* options.proto has no others */
        fputs("?", out);
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return sizeof(int32_t);
    }
}

/* An option's value; "false" for a flag that is not given, "unset" for others. */
static void put_option(FILE *out, const ProtobufCMessage *options,
                       const ProtobufCFieldDescriptor *field)
{
    bool present = options && field_present(options, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED && present) {
        const char *base = (const char *)options;
        size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
        const char *items = *(char *const *)field_at(options, field);
        for (size_t i = 0; i < n; i++) {
            fputs(i ? ", " : "[", out);
            put_value(out, field, items + i * size_of(field));
        }
        fputs("]", out);
    } else if (present) {
        put_value(out, field, field_at(options, field));
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        fputs("false", out);
    } else if (field->type == PROTOBUF_C_TYPE_ENUM) {
        put_value(out, field, &(int){0});
    } else {
        fputs("unset", out);
    }
}

static void put_message(FILE *out, const ProtobufCMessage *message)
{
    const char *between = "{";
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (!field_present(message, field))
            continue;
        fprintf(out, "%s%s: ", between, field->name);
        put_option(out, message, field);
        between = " ";
    }
    fputs(*between == '{' ? "{}" : "}", out);
}

static char *option_text(const ProtobufCMessage *options, const ProtobufCFieldDescriptor *field)
{
    char *written = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&written, &len);
    if (!out)
        return NULL;
    put_option(out, options, field);
    if (fclose(out) == 0)
        return written;
    free(written);
    return NULL;
}

static void compare_options(struct comparison *comparison, const FieldProto *of, const char *option,
                            const ProtobufCMessageDescriptor *descriptor,
                            const ProtobufCMessage *served, const ProtobufCMessage *given)
{
    enum model_change_kind kind = of ? MODEL_CHANGE_FIELD : MODEL_CHANGE_MESSAGE;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char *was = option_text(served, field), *is = option_text(given, field);
        if (!was || !is || strcmp(was, is) != 0)
            differs(comparison, kind, of, "(%s).%s changes from %s to %s", option, field->name,
                    was ? was : "?", is ? is : "?");
        free(was);
        free(is);
    }
}

/* ---- fields ---- */

static const FieldProto *field_by_number(const MessageProto *message, int number)
{
    for (size_t i = 0; i < message->n_field; i++)
        if (message->field[i]->number == number)
            return message->field[i];
    return NULL;
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

/* A proto3 optional field is in a oneof of its own, which nobody wrote. */
static const char *oneof_text(const MessageProto *message, const FieldProto *field)
{
    if (!field->has_oneof_index || field->proto3_optional || field->oneof_index < 0 ||
        (size_t)field->oneof_index >= message->n_oneof_decl)
        return "none";
    return text(message->oneof_decl[field->oneof_index]->name);
}

static void compare_field(struct comparison *comparison, const MessageProto *before,
                          const FieldProto *served, const MessageProto *now,
                          const FieldProto *given)
{
    struct option_reader *reader = &comparison->options;
    if (strcmp(oneof_text(before, served), oneof_text(now, given)) != 0)
        differs(comparison, MODEL_CHANGE_FIELD, given, "changes its oneof from %s to %s",
                oneof_text(before, served), oneof_text(now, given));
    if (strcmp(text(served->name), text(given->name)) != 0)
        differs(comparison, MODEL_CHANGE_FIELD, given, "is renamed: number %d is served as %s",
                given->number, text(served->name));
    if (strcmp(type_text(served), type_text(given)) != 0)
        differs(comparison, MODEL_CHANGE_FIELD, given, "changes its type from %s to %s",
                type_text(served), type_text(given));
    if (strcmp(label_text(served), label_text(given)) != 0)
        differs(comparison, MODEL_CHANGE_FIELD, given, "changes from %s to %s", label_text(served),
                label_text(given));
    if (served->proto3_optional != given->proto3_optional)
        differs(comparison, MODEL_CHANGE_FIELD, given, "can %s be NULL",
                given->proto3_optional ? "now" : "no longer");
    compare_options(comparison, given, "hero.column", &hero__column_options__descriptor,
                    (const ProtobufCMessage *)options_of_column(reader, served, ""),
                    (const ProtobufCMessage *)options_of_column(reader, given, ""));
    compare_options(comparison, given, "hero.relationship", &hero__relationship_options__descriptor,
                    (const ProtobufCMessage *)options_of_relationship(reader, served, ""),
                    (const ProtobufCMessage *)options_of_relationship(reader, given, ""));
}

static void compare_fields(struct comparison *comparison, const MessageProto *served,
                           const MessageProto *given)
{
    for (size_t i = 0; i < given->n_field; i++) {
        const FieldProto *field = given->field[i];
        const FieldProto *other = field_by_number(served, field->number);
        if (other)
            compare_field(comparison, served, other, given, field);
        else
            differs(comparison, MODEL_CHANGE_GAINED, field, "gains the field %s (number %d)",
                    text(field->name), field->number);
    }
    for (size_t i = 0; i < served->n_field; i++)
        if (!field_by_number(given, served->field[i]->number))
            differs(comparison, MODEL_CHANGE_LOST, served->field[i],
                    "loses the field %s (number %d)", text(served->field[i]->name),
                    served->field[i]->number);
}

static bool is_proto3(const FileProto *file)
{
    return strcmp(text(file->syntax), "proto3") == 0;
}

bool message_changes(const FileProto *served_file, const MessageProto *served,
                     const FileProto *given_file, const MessageProto *given, struct arena *arena,
                     struct model_changes *ret_changes)
{
    struct fault unreadable = FAULT_INIT; /* of options: models_new tells */
    struct comparison comparison = {.arena = arena, .options = {arena, &unreadable}};
    struct option_reader *reader = &comparison.options;
    compare_options(&comparison, NULL, "hero.table", &hero__table_options__descriptor,
                    (const ProtobufCMessage *)options_of_table(reader, served, ""),
                    (const ProtobufCMessage *)options_of_table(reader, given, ""));
    if (strcmp(text(served->name), text(given->name)) != 0)
        differs(&comparison, MODEL_CHANGE_MESSAGE, NULL, "is renamed: it is served as %s",
                text(served->name));
    if (is_proto3(served_file) != is_proto3(given_file))
        differs(&comparison, MODEL_CHANGE_MESSAGE, NULL,
                "is declared in %s; served is the one of %s",
                is_proto3(given_file) ? "proto3" : "proto2",
                is_proto3(served_file) ? "proto3" : "proto2");
    compare_fields(&comparison, served, given);
    if (unreadable.code != HERO__V1__CODE__OK)
        differs(&comparison, MODEL_CHANGE_MESSAGE, NULL, "has options that can't be read");
    fault_done(&unreadable);
    *ret_changes = comparison.found;
    return !arena->exhausted;
}

/* ---- models ---- */

static const FileProto *file_of(const struct model *model)
{
    const FileSet *set = ((const struct models_memory *)model->models)->set;
    for (size_t i = 0; i < set->n_file; i++)
        if (strcmp(text(set->file[i]->name), text(model->file)) == 0)
            return set->file[i];
    return NULL;
}

struct type_finding {
    struct comparison *comparison;
    const struct column *column;
};

static void add_type_change(void *context, const char *what)
{
    struct type_finding *finding = context;
    add(finding->comparison, MODEL_CHANGE_FIELD, finding->column->number,
        finding->column->field_name, what);
}

bool model_changes(const struct model *was, const struct model *is, struct arena *arena,
                   struct model_changes *ret_changes)
{
    const FileProto *before = file_of(was), *now = file_of(is);
    struct comparison comparison = {.arena = arena};
    if (!before || !now ||
        !message_changes(before, was->proto, now, is->proto, arena, &comparison.found))
        return false;
    for (size_t i = 0; i < is->n_columns; i++) {
        const struct column *then = model_column_by_number(was, is->columns[i].number);
        struct type_finding finding = {&comparison, &is->columns[i]};
        if (then)
            (void)column_type_changes(then, &is->columns[i], add_type_change, &finding);
    }
    *ret_changes = comparison.found;
    return !arena->exhausted;
}

static const struct model *named(const struct models *models, const char *name)
{
    for (size_t i = 0; i < models->n_models; i++)
        if (strcmp(models->models[i].name, name) == 0)
            return &models->models[i];
    return NULL;
}

const struct model *models_renamed(const struct models *served, const char *renamed_from)
{
    const struct model *model = named(served, renamed_from);
    for (size_t i = 0; !model && i < served->n_models; i++)
        if (strcasecmp(served->models[i].table, renamed_from) == 0)
            model = &served->models[i];
    return model;
}

const struct model *model_ancestor(const struct models *served, const struct model *model)
{
    const struct model *same = named(served, model->name);
    if (same || !model->renamed_from)
        return same;
    const struct model *before = models_renamed(served, model->renamed_from);
    return before && !named(model->models, before->name) ? before : NULL;
}
