/*
 * Owns the decision what a field of a model holds, by its type, its label and
 * (hero.column).format, and the descriptors of the enums and messages that
 * columns are made of.
 */
#include "model_type.h"

#include <string.h>
#include <google/protobuf/timestamp.pb-c.h>

/* Messages inside each other in one column. */
#define JSON_MESSAGES_MAX 16

struct kind_row {
    enum column_kind kind;
    ProtobufCType type;
};

/* What a field of a type is where nothing else is said of it. */
static const struct kind_row kinds[] = {
    [FIELD_TYPE(DOUBLE)] = {COLUMN_DOUBLE, PROTOBUF_C_TYPE_DOUBLE},
    [FIELD_TYPE(FLOAT)] = {COLUMN_FLOAT, PROTOBUF_C_TYPE_FLOAT},
    [FIELD_TYPE(INT64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_INT64},
    [FIELD_TYPE(UINT64)] = {COLUMN_UINT64, PROTOBUF_C_TYPE_UINT64},
    [FIELD_TYPE(INT32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_INT32},
    [FIELD_TYPE(FIXED64)] = {COLUMN_UINT64, PROTOBUF_C_TYPE_FIXED64},
    [FIELD_TYPE(FIXED32)] = {COLUMN_UINT32, PROTOBUF_C_TYPE_FIXED32},
    [FIELD_TYPE(BOOL)] = {COLUMN_BOOL, PROTOBUF_C_TYPE_BOOL},
    [FIELD_TYPE(STRING)] = {COLUMN_TEXT, PROTOBUF_C_TYPE_STRING},
    [FIELD_TYPE(MESSAGE)] = {COLUMN_JSON, PROTOBUF_C_TYPE_MESSAGE},
    [FIELD_TYPE(BYTES)] = {COLUMN_BYTES, PROTOBUF_C_TYPE_BYTES},
    [FIELD_TYPE(UINT32)] = {COLUMN_UINT32, PROTOBUF_C_TYPE_UINT32},
    [FIELD_TYPE(ENUM)] = {COLUMN_ENUM, PROTOBUF_C_TYPE_ENUM},
    [FIELD_TYPE(SFIXED32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_SFIXED32},
    [FIELD_TYPE(SFIXED64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_SFIXED64},
    [FIELD_TYPE(SINT32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_SINT32},
    [FIELD_TYPE(SINT64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_SINT64},
};

ProtobufCType wire_type_of_field(const FieldProto *proto)
{
    return kinds[proto->type].type;
}

static bool is_known(const FieldProto *proto)
{
    return proto->has_type && proto->type >= FIELD_TYPE(DOUBLE) &&
           proto->type <= FIELD_TYPE(SINT64);
}

static bool is_timestamp(const FieldProto *proto)
{
    return proto->type == FIELD_TYPE(MESSAGE) &&
           strcmp(full_type_name(proto->type_name), "google.protobuf.Timestamp") == 0;
}

/* ---- types of fields ---- */

static const char *find_type(struct builder *builder, const FieldProto *proto,
                             const void **ret_type);

static const char *refuse_type(struct builder *builder, struct set_type *type, const char *what)
{
    const char *why = arena_printf(builder->arena, "%s %s", type->name, what);
    type->refused = why ? why : "its type can't be read";
    return type->refused;
}

static const char *check_enum(struct builder *builder, struct set_type *type)
{
    const EnumProto *proto = type->enumeration;
    if (proto->n_value == 0)
        return refuse_type(builder, type, "has no values");
    for (size_t i = 0; i < proto->n_value; i++)
        if (!proto->value[i]->name || !*proto->value[i]->name)
            return refuse_type(builder, type, "has a value without a name");
    type->descriptor = dynamic_enum(builder->arena, type->name, proto);
    const ProtobufCEnumDescriptor *descriptor = type->descriptor;
    for (unsigned i = 1; descriptor && i < descriptor->n_value_names; i++)
        if (strcmp(descriptor->values_by_name[i - 1].name, descriptor->values_by_name[i].name) == 0)
            return refuse_type(builder, type, "has two values of one name");
    return NULL;
}

static const char *check_message_field(struct builder *builder, struct set_type *type,
                                       const FieldProto *proto, struct dynamic_field *ret_field)
{
    const void *descriptor = NULL;
    if (!proto->name || !*proto->name || proto->number < 1 || proto->number > 536870911)
        return refuse_type(builder, type, "has a field without a name or a valid number");
    if (proto->has_oneof_index &&
        (proto->oneof_index < 0 || (size_t)proto->oneof_index >= type->message->n_oneof_decl))
        return refuse_type(builder, type, "has a field of a oneof that it doesn't declare");
    for (size_t i = 0; type->message->field[i] != proto; i++)
        if (type->message->field[i]->number == proto->number)
            return refuse_type(builder, type, "has two fields of one number");
    const char *why = find_type(builder, proto, &descriptor);
    if (why)
        return refuse_type(
            builder, type,
            arena_printf(builder->arena, "can't be stored: its field %s: %s", proto->name, why));
    *ret_field = (struct dynamic_field){proto, descriptor};
    return NULL;
}

/* Depth counts from the inside: what holds nothing else is 1. */
static const char *check_message(struct builder *builder, struct set_type *type)
{
    const MessageProto *message = type->message;
    struct dynamic_field *fields =
        arena_array(builder->arena, message->n_field + 1, sizeof *fields);
    bool proto3 = type->file->syntax && strcmp(type->file->syntax, "proto3") == 0;
    if (!fields)
        return "its type can't be read";
    if (message->options && message->options->map_entry)
        return refuse_type(builder, type,
                           "is a map, which can't be stored; use a repeated message of key and "
                           "value, or a model of its own");
    if (message_is_model(message))
        return refuse_type(builder, type,
                           "is a model; for related records add (hero.relationship)");
    type->depth = 1;
    for (size_t i = 0; i < message->n_field; i++) {
        const char *why = check_message_field(builder, type, message->field[i], &fields[i]);
        if (why)
            return why;
        const struct set_type *inner =
            message->field[i]->type == FIELD_TYPE(MESSAGE)
                ? set_type_find(builder->types, message->field[i]->type_name)
                : NULL;
        if (inner && inner->depth >= type->depth)
            type->depth = inner->depth + 1;
    }
    if (type->depth > JSON_MESSAGES_MAX)
        return refuse_type(builder, type, "has more than 16 messages inside each other");
    type->descriptor =
        dynamic_descriptor(builder->arena, type->name, proto3, fields, message->n_field);
    return NULL;
}

static const char *find_type(struct builder *builder, const FieldProto *proto,
                             const void **ret_type)
{
    if (!is_known(proto))
        return "its type is unknown to this version of Hero";
    if (proto->type == FIELD_TYPE(GROUP))
        return "groups can't be stored; declare a message of its own";
    if (is_timestamp(proto)) {
        *ret_type = &google__protobuf__timestamp__descriptor;
        return NULL;
    }
    if (proto->type != FIELD_TYPE(MESSAGE) && proto->type != FIELD_TYPE(ENUM))
        return NULL;
    if (strncmp(full_type_name(proto->type_name), "google.protobuf.", 16) == 0)
        return arena_printf(builder->arena,
                            "%s can't be stored; of protobuf's own messages only "
                            "google.protobuf.Timestamp can",
                            full_type_name(proto->type_name));
    struct set_type *type = set_type_find(builder->types, full_type_name(proto->type_name));
    const char *why = NULL;
    if (!type ||
        !(proto->type == FIELD_TYPE(ENUM) ? type->enumeration != NULL : type->message != NULL))
        return "its type is not in the set; give what protoc --include_imports writes";
    if (type->in_progress)
        return arena_printf(builder->arena,
                            "%s holds itself; messages that do can't be a column, use a model",
                            type->name);
    if (!type->refused && !type->descriptor) {
        type->in_progress = true;
        why = type->enumeration ? check_enum(builder, type) : check_message(builder, type);
        type->in_progress = false;
    }
    if (why || type->refused)
        return why ? why : type->refused;
    *ret_type = type->descriptor;
    return NULL;
}

/* ---- the kind of a column ---- */

static const char *read_format(const Hero__ColumnOptions *options, struct draft_field *field)
{
    if (!options || !options->has_format || options->format == HERO__FORMAT__FORMAT_NONE)
        return NULL;
    if (field->kind != COLUMN_TEXT)
        return "has a (hero.column).format, which only a single string can have";
    switch (options->format) {
    case HERO__FORMAT__DATE:
        field->kind = COLUMN_DATE;
        return NULL;
    case HERO__FORMAT__UUID:
        field->kind = COLUMN_UUID;
        return NULL;
    case HERO__FORMAT__DECIMAL:
        field->kind = COLUMN_DECIMAL;
        return NULL;
    case HERO__FORMAT__FORMAT_NONE:
    case _HERO__FORMAT_IS_INT_SIZE:
        break;
    }
    return "has a (hero.column).format that this version of Hero doesn't know";
}

const char *field_kind(struct builder *builder, const struct draft *draft,
                       struct draft_field *field)
{
    const FieldProto *proto = field->proto;
    const char *why = find_type(builder, proto, &field->type);
    if (why)
        return why;
    field->kind = is_timestamp(proto) ? COLUMN_TIMESTAMP : kinds[proto->type].kind;
    if (proto->label == FIELD_LABEL(REPEATED))
        field->kind = COLUMN_JSON;
    if (proto->has_oneof_index &&
        (proto->oneof_index < 0 || (size_t)proto->oneof_index >= draft->message->n_oneof_decl))
        return "is in a oneof that the message doesn't declare";
    if (!draft->proto3 && proto->default_value &&
        (proto->type == FIELD_TYPE(STRING) || proto->type == FIELD_TYPE(BYTES)))
        return "a proto default on text or bytes would read back for NULL; use "
               "(hero.column).default";
    return read_format(field->column, field);
}
