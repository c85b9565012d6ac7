/*
 * Owns the reading of Hero's options. They are extensions that this program's
 * descriptor.proto does not know, so protobuf-c keeps them as unknown fields.
 */
#include "model_internal.h"

#include <string.h>
#include "scan.h"

#define TABLE_TAG 50170
#define COLUMN_TAG 50171
#define RELATIONSHIP_TAG 50172

/* An unknown field of wire type 2 holds its length and then its content. */
static ProtobufCBinaryData content_of(const ProtobufCMessageUnknownField *field)
{
    ProtobufCBinaryData content = {field->len, field->data};
    while (content.len > 0) {
        uint8_t byte = *content.data;
        content.data++;
        content.len--;
        if (!(byte & 0x80))
            break;
    }
    return content;
}

/* One extension may come in several pieces; protobuf merges messages by
 * joining their bytes. */
static bool collect(const ProtobufCMessage *options, uint32_t tag, struct arena *arena,
                    ProtobufCBinaryData *ret_bytes, bool *ret_broken)
{
    size_t len = 0;
    bool found = false;
    *ret_broken = false;
    for (unsigned i = 0; options && i < options->n_unknown_fields; i++)
        if (options->unknown_fields[i].tag == tag) {
            len += options->unknown_fields[i].len;
            found = true;
        }
    ret_bytes->data = found ? arena_alloc(arena, len + 1) : NULL;
    ret_bytes->len = 0;
    if (!ret_bytes->data)
        return false;
    for (unsigned i = 0; i < options->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &options->unknown_fields[i];
        if (field->tag != tag)
            continue;
        if (field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            *ret_broken = true;
            continue;
        }
        ProtobufCBinaryData content = content_of(field);
        if (content.len)
            memcpy(ret_bytes->data + ret_bytes->len, content.data, content.len);
        ret_bytes->len += content.len;
    }
    return true;
}

static ProtobufCMessage *read_option(struct option_reader *reader, const ProtobufCMessage *options,
                                     uint32_t tag, const ProtobufCMessageDescriptor *descriptor,
                                     const char *path)
{
    ProtobufCBinaryData bytes;
    ProtobufCMessage *option;
    bool broken;
    struct fault found = FAULT_INIT;
    if (!collect(options, tag, reader->arena, &bytes, &broken))
        return NULL;
    if (broken)
        fault_add(reader->fault, path, "its option (%s) can't be read: it is no message",
                  descriptor->name);
    struct scan_limits limits = {.depth = 4, .fields = 10000, .refuse_unknown = true};
    if (scan_unpack(descriptor, bytes.data, bytes.len, &limits, reader->arena, &option, &found) !=
        HERO__V1__CODE__OK) {
        fault_add(reader->fault, path, "its option (%s) can't be read: %s", descriptor->name,
                  found.message ? found.message : "malformed");
        fault_done(&found);
        return NULL;
    }
    return option;
}

bool message_is_model(const MessageProto *message)
{
    const ProtobufCMessage *options = message->options ? &message->options->base : NULL;
    for (unsigned i = 0; options && i < options->n_unknown_fields; i++)
        if (options->unknown_fields[i].tag == TABLE_TAG)
            return true;
    return false;
}

Hero__TableOptions *options_of_table(struct option_reader *reader, const MessageProto *message,
                                     const char *path)
{
    return (Hero__TableOptions *)read_option(reader,
                                             message->options ? &message->options->base : NULL,
                                             TABLE_TAG, &hero__table_options__descriptor, path);
}

Hero__ColumnOptions *options_of_column(struct option_reader *reader, const FieldProto *field,
                                       const char *path)
{
    return (Hero__ColumnOptions *)read_option(reader, field->options ? &field->options->base : NULL,
                                              COLUMN_TAG, &hero__column_options__descriptor, path);
}

Hero__RelationshipOptions *options_of_relationship(struct option_reader *reader,
                                                   const FieldProto *field, const char *path)
{
    return (Hero__RelationshipOptions *)read_option(
        reader, field->options ? &field->options->base : NULL, RELATIONSHIP_TAG,
        &hero__relationship_options__descriptor, path);
}
