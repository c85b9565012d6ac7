/*
 * Message descriptors built at run time, and access to the fields of a
 * message by descriptor.
 *
 * With these protobuf-c packs and unpacks records of models that did not
 * exist when this program was compiled. Knows protobuf-c's struct layout
 * rules; knows nothing of tables.
 */
#ifndef HERO_PROTO_DYNAMIC_H
#define HERO_PROTO_DYNAMIC_H

#include <google/protobuf/descriptor.pb-c.h>
#include "arena.h"
#include "fault.h"

struct dynamic_field {
    const Google__Protobuf__FieldDescriptorProto *proto;
    const void *type; /* the descriptor of its enum or message; else NULL */
};

/* A descriptor with the given fields, in any order; it lives in the arena and
 * keeps no pointer to the fields. proto3: plain scalars have no presence.
 * Fields that are `required` become optional ones. NULL when the arena is
 * exhausted. No field may be a group (the caller has checked). */
const ProtobufCMessageDescriptor *dynamic_descriptor(struct arena *arena, const char *full_name,
                                                     bool proto3,
                                                     const struct dynamic_field *fields,
                                                     size_t n_fields);

/* Of several names with one number the first declared is the value's. */
const ProtobufCEnumDescriptor *dynamic_enum(struct arena *arena, const char *full_name,
                                            const Google__Protobuf__EnumDescriptorProto *proto);

/* A descriptor for the same C struct as `generated`, with only the given
 * field numbers: packs and unpacks a protoc-c generated struct without its
 * relationships. Lives in the arena; borrows from `generated`. */
const ProtobufCMessageDescriptor *dynamic_subset(struct arena *arena,
                                                 const ProtobufCMessageDescriptor *generated,
                                                 const uint32_t *numbers, size_t n_numbers);

/* A zeroed, initialised message (protobuf_c_message_init needs a generated
 * descriptor; this takes any). */
ProtobufCMessage *dynamic_message(struct arena *arena,
                                  const ProtobufCMessageDescriptor *descriptor);

/* Is the field set? Singular: presence as protobuf has it (a proto3 scalar
 * without presence is always set). Repeated: not empty. */
bool field_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Marks a field as set or not (text: NULL, repeated: empty; the value is not touched when set). */
void field_set_present(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       bool present);
/* Not set, or zero where that is all that protobuf knows (proto3's plain
 * scalars): packed, nothing is left of it. */
void field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Where the field's value is inside the message. */
static inline void *field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)(uintptr_t)message + field->offset;
}

#endif
