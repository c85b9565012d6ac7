/*
 * A FileDescriptorSet printed as .proto source with hero's options.
 *
 * Prints what models and their files are made of: messages, enums, oneofs,
 * maps, services, reserved names, defaults, hero's options. Not kept: comments
 * (the set has none), groups, extensions, and other options than hero's,
 * packed and deprecated.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <google/protobuf/descriptor.pb-c.h>
#include "hero/options.pb-c.h"
#include "proto_text.h"

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__FieldDescriptorProto Field;
typedef Google__Protobuf__EnumDescriptorProto Enum;

struct printer {
    FILE *out;
    const char *package;
    bool proto3;
};

static void indent(const struct printer *printer, int depth)
{
    for (int i = 0; i < depth; i++)
        fputs("  ", printer->out);
}

static void write_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

/* ---- hero's options ---- */

/* Length-delimited unknown fields of one number, joined: protobuf's merge. */
static uint8_t *unknown_bytes(const ProtobufCMessage *options, uint32_t number, size_t *ret_length)
{
    uint8_t *joined = NULL;
    size_t length = 0;

    for (unsigned i = 0; options && i < options->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &options->unknown_fields[i];
        size_t skip = 0;

        if (field->tag != number || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            continue;
        while (skip < field->len && field->data[skip] & 0x80)
            skip++;
        skip += skip < field->len;
        uint8_t *longer = realloc(joined, length + field->len + 1);
        if (!longer)
            break;
        joined = longer;
        memcpy(joined + length, field->data + skip, field->len - skip);
        length += field->len - skip;
    }
    *ret_length = length;
    return joined;
}

static void write_option_message(FILE *out, const ProtobufCMessage *message);

static void write_option_value(FILE *out, const ProtobufCFieldDescriptor *field, const void *value)
{
    const ProtobufCEnumValue *named;

    if (field->type == PROTOBUF_C_TYPE_STRING) {
        write_quoted(out, *(char *const *)value);
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        fputs(*(const protobuf_c_boolean *)value ? "true" : "false", out);
    } else if (field->type == PROTOBUF_C_TYPE_ENUM) {
        named = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
        if (named)
            fputs(named->name, out);
        else
            fprintf(out, "%d", *(const int *)value);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        write_option_message(out, *(ProtobufCMessage *const *)value);
    } else {
        fputs("?", out); /* hero's options have no other types */
    }
}

static size_t option_size(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_BOOL   ? sizeof(protobuf_c_boolean)
           : field->type == PROTOBUF_C_TYPE_ENUM ? sizeof(int)
                                                 : sizeof(void *);
}

/* Where the field's values are; how many. */
static size_t option_values(const ProtobufCMessage *options, const ProtobufCFieldDescriptor *field,
                            const char **ret_values)
{
    const char *base = (const char *)options;

    *ret_values = base + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *ret_values = *(char *const *)(const void *)(base + field->offset);
        return *(const size_t *)(const void *)(base + field->quantifier_offset);
    }
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(char *const *)(const void *)(base + field->offset) != NULL;
    return *(const protobuf_c_boolean *)(const void *)(base + field->quantifier_offset) != 0;
}

/* {primary_key: true, columns: ["a", "b"]}; messages of a list one by one. */
static void write_option_message(FILE *out, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const char *separator = "", *values;

    fputc('{', out);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        size_t n = option_values(message, field, &values);
        bool list =
            field->label == PROTOBUF_C_LABEL_REPEATED && field->type != PROTOBUF_C_TYPE_MESSAGE;

        for (size_t k = 0; k < n; k++) {
            if (!list || k == 0)
                fprintf(out, "%s%s: %s", separator, field->name, list ? "[" : "");
            else
                fputs(", ", out);
            write_option_value(out, field, values + k * option_size(field));
            separator = ", ";
        }
        if (list && n)
            fputc(']', out);
    }
    fputc('}', out);
}

/* "{primary_key: true, index: true}" of the option with that number; false: not set. */
static bool write_hero_option(FILE *out, const char *before, const ProtobufCMessage *options,
                              uint32_t number, const ProtobufCMessageDescriptor *descriptor)
{
    size_t length;
    uint8_t *bytes = unknown_bytes(options, number, &length);
    ProtobufCMessage *message =
        bytes ? protobuf_c_message_unpack(descriptor, NULL, length, bytes) : NULL;

    free(bytes);
    if (!message)
        return false;
    fputs(before, out);
    write_option_message(out, message);
    protobuf_c_message_free_unpacked(message, NULL);
    return true;
}

/* ---- fields ---- */

static const char *scalar_name(Google__Protobuf__FieldDescriptorProto__Type type)
{
    static const char *const names[] = {"",         "double",   "float",   "int64",  "uint64",
                                        "int32",    "fixed64",  "fixed32", "bool",   "string",
                                        "group",    "",         "bytes",   "uint32", "",
                                        "sfixed32", "sfixed64", "sint32",  "sint64"};

    return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "";
}

/* A name as seen from inside the package; from the root where it is elsewhere. */
static const char *short_name(const struct printer *printer, const char *name)
{
    size_t length = strlen(printer->package);

    if (*name != '.')
        return name;
    if (!length)
        return name + 1;
    if (!strncmp(name + 1, printer->package, length) && name[1 + length] == '.')
        return name + 2 + length;
    return name;
}

static const char *type_name(const struct printer *printer, const Field *field)
{
    return field->type_name ? short_name(printer, field->type_name) : scalar_name(field->type);
}

static const Message *map_entry(const Message *message, const Field *field)
{
    const char *name = field->type_name ? strrchr(field->type_name, '.') : NULL;

    for (size_t i = 0; name && i < message->n_nested_type; i++) {
        const Message *nested = message->nested_type[i];

        if (!strcmp(nested->name, name + 1) && nested->options && nested->options->map_entry &&
            nested->n_field == 2)
            return nested;
    }
    return NULL;
}

static void print_default(const struct printer *printer, const Field *field)
{
    if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING)
        write_quoted(printer->out, field->default_value);
    else if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES)
        fprintf(printer->out, "\"%s\"", field->default_value); /* escaped as it is */
    else
        fputs(field->default_value, printer->out);
}

static void print_field_options(const struct printer *printer, const Field *field)
{
    const char *before = " [";

    if (field->default_value) {
        fprintf(printer->out, "%sdefault = ", before);
        print_default(printer, field);
        before = ", ";
    }
    if (field->options && field->options->has_packed) {
        fprintf(printer->out, "%spacked = %s", before, field->options->packed ? "true" : "false");
        before = ", ";
    }
    if (field->options && field->options->deprecated) {
        fprintf(printer->out, "%sdeprecated = true", before);
        before = ", ";
    }
    if (field->options) {
        const ProtobufCMessage *options = &field->options->base;
        char text[64];

        snprintf(text, sizeof(text), "%s(hero.column) = ", before);
        if (write_hero_option(printer->out, text, options, 50171,
                              &hero__column_options__descriptor))
            before = ", ";
        snprintf(text, sizeof(text), "%s(hero.relationship) = ", before);
        if (write_hero_option(printer->out, text, options, 50172,
                              &hero__relationship_options__descriptor))
            before = ", ";
    }
    fputs(*before == ',' ? "];\n" : ";\n", printer->out);
}

static void print_label(const struct printer *printer, const Field *field)
{
    if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
        fputs("repeated ", printer->out);
    else if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED)
        fputs("required ", printer->out);
    else if (!printer->proto3 || field->proto3_optional)
        fputs("optional ", printer->out);
}

static void print_field(const struct printer *printer, const Message *message, const Field *field,
                        bool in_oneof, int depth)
{
    const Message *entry = map_entry(message, field);

    indent(printer, depth);
    if (entry) {
        fprintf(printer->out, "map<%s, ", type_name(printer, entry->field[0]));
        fprintf(printer->out, "%s> ", type_name(printer, entry->field[1]));
    } else {
        if (!in_oneof)
            print_label(printer, field);
        fprintf(printer->out, "%s ", type_name(printer, field));
    }
    fprintf(printer->out, "%s = %d", field->name, field->number);
    print_field_options(printer, field);
}

/* ---- messages, enums, services ---- */

static void print_reserved_range(const struct printer *printer, int first, int last, int depth)
{
    indent(printer, depth);
    if (first == last)
        fprintf(printer->out, "reserved %d;\n", first);
    else if (last >= 536870911)
        fprintf(printer->out, "reserved %d to max;\n", first);
    else
        fprintf(printer->out, "reserved %d to %d;\n", first, last);
}

static void print_reserved_names(const struct printer *printer, char *const *names, size_t n,
                                 int depth)
{
    for (size_t i = 0; i < n; i++) {
        indent(printer, depth);
        fprintf(printer->out, "reserved \"%s\";\n", names[i]);
    }
}

static void print_enum(const struct printer *printer, const Enum *declared, int depth)
{
    indent(printer, depth);
    fprintf(printer->out, "enum %s {\n", declared->name);
    if (declared->options && declared->options->allow_alias) {
        indent(printer, depth + 1);
        fputs("option allow_alias = true;\n", printer->out);
    }
    for (size_t i = 0; i < declared->n_value; i++) {
        indent(printer, depth + 1);
        fprintf(printer->out, "%s = %d;\n", declared->value[i]->name, declared->value[i]->number);
    }
    for (size_t i = 0; i < declared->n_reserved_range; i++)
        print_reserved_range(printer, declared->reserved_range[i]->start,
                             declared->reserved_range[i]->end, depth + 1);
    print_reserved_names(printer, declared->reserved_name, declared->n_reserved_name, depth + 1);
    indent(printer, depth);
    fputs("}\n", printer->out);
}

/* The members of a oneof, printed where its first one stands. */
static void print_oneof(const struct printer *printer, const Message *message, int32_t index,
                        int depth)
{
    indent(printer, depth);
    fprintf(printer->out, "oneof %s {\n", message->oneof_decl[index]->name);
    for (size_t i = 0; i < message->n_field; i++) {
        if (message->field[i]->has_oneof_index && message->field[i]->oneof_index == index)
            print_field(printer, message, message->field[i], true, depth + 1);
    }
    indent(printer, depth);
    fputs("}\n", printer->out);
}

static void print_fields(const struct printer *printer, const Message *message, int depth)
{
    int32_t next_oneof = 0;

    for (size_t i = 0; i < message->n_field; i++) {
        const Field *field = message->field[i];

        if (!field->has_oneof_index || field->proto3_optional) {
            print_field(printer, message, field, false, depth);
        } else if (field->oneof_index >= next_oneof &&
                   (size_t)field->oneof_index < message->n_oneof_decl) {
            print_oneof(printer, message, field->oneof_index, depth);
            next_oneof = field->oneof_index + 1;
        }
    }
}

static void print_message(const struct printer *printer, const Message *message, int depth)
{
    indent(printer, depth);
    fprintf(printer->out, "message %s {\n", message->name);
    if (message->options) {
        char before[64];

        snprintf(before, sizeof(before), "%*soption (hero.table) = ", 2 * (depth + 1), "");
        if (write_hero_option(printer->out, before, &message->options->base, 50170,
                              &hero__table_options__descriptor))
            fputs(";\n", printer->out);
    }
    for (size_t i = 0; i < message->n_enum_type; i++)
        print_enum(printer, message->enum_type[i], depth + 1);
    for (size_t i = 0; i < message->n_nested_type; i++) {
        const Message *nested = message->nested_type[i];

        /* 8: deeper than any message for people, and scan() has bounded depth anyway. */
        if (depth < 8 && !(nested->options && nested->options->map_entry))
            print_message(printer, nested, depth + 1);
    }
    print_fields(printer, message, depth + 1);
    for (size_t i = 0; i < message->n_reserved_range; i++)
        print_reserved_range(printer, message->reserved_range[i]->start,
                             message->reserved_range[i]->end - 1, depth + 1);
    print_reserved_names(printer, message->reserved_name, message->n_reserved_name, depth + 1);
    indent(printer, depth);
    fputs("}\n", printer->out);
}

static void print_service(const struct printer *printer,
                          const Google__Protobuf__ServiceDescriptorProto *service)
{
    fprintf(printer->out, "service %s {\n", service->name);
    for (size_t i = 0; i < service->n_method; i++) {
        const Google__Protobuf__MethodDescriptorProto *method = service->method[i];

        fprintf(printer->out, "  rpc %s(%s%s) ", method->name,
                method->client_streaming ? "stream " : "", short_name(printer, method->input_type));
        fprintf(printer->out, "returns (%s%s);\n", method->server_streaming ? "stream " : "",
                short_name(printer, method->output_type));
    }
    fputs("}\n", printer->out);
}

/* ---- files ---- */

static void print_file(FILE *out, const File *file)
{
    struct printer printer = {
        .out = out,
        .package = file->package ? file->package : "",
        .proto3 = file->syntax && !strcmp(file->syntax, "proto3"),
    };

    fprintf(out, "syntax = \"%s\";\n", printer.proto3 ? "proto3" : "proto2");
    if (*printer.package)
        fprintf(out, "\npackage %s;\n", printer.package);
    if (file->n_dependency)
        fputc('\n', out);
    for (size_t i = 0; i < file->n_dependency; i++) {
        bool is_public = false;

        for (size_t j = 0; j < file->n_public_dependency; j++)
            is_public = is_public || (size_t)file->public_dependency[j] == i;
        fprintf(out, "import %s\"%s\";\n", is_public ? "public " : "", file->dependency[i]);
    }
    for (size_t i = 0; i < file->n_enum_type; i++) {
        fputc('\n', out);
        print_enum(&printer, file->enum_type[i], 0);
    }
    for (size_t i = 0; i < file->n_message_type; i++) {
        fputc('\n', out);
        print_message(&printer, file->message_type[i], 0);
    }
    for (size_t i = 0; i < file->n_service; i++) {
        fputc('\n', out);
        print_service(&printer, file->service[i]);
    }
}

static bool comes_along(const char *name)
{
    return !strncmp(name, "google/protobuf/", 16) || !strcmp(name, "hero/options.proto");
}

int proto_text_print(FILE *out, const uint8_t *set, size_t length, const char *name)
{
    Google__Protobuf__FileDescriptorSet *files =
        google__protobuf__file_descriptor_set__unpack(NULL, length, set);
    int n = 0;

    if (!files)
        return -1;
    for (size_t i = 0; i < files->n_file; i++) {
        const File *file = files->file[i];

        if (name ? strcmp(file->name, name) != 0 : comes_along(file->name))
            continue;
        if (!name)
            fprintf(out, "%s// file: %s\n", n ? "\n" : "", file->name);
        print_file(out, file);
        n++;
    }
    google__protobuf__file_descriptor_set__free_unpacked(files, NULL);
    return n;
}
