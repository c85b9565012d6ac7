/*
 * Values of one field of a generated struct, of any type and label: are they
 * whole, are two the same, a copy of one. Knows protobuf-c's layout; no models,
 * no sessions.
 */
#ifndef HERO_CLIENT_STRUCT_VALUE_H
#define HERO_CLIENT_STRUCT_VALUE_H

#include "dynamic.h"

/* Does the field point to memory of its own: text, bytes, a message, a list? */
bool struct_value_is_pointer(const ProtobufCFieldDescriptor *field);
/* What it points to; NULL: it is not set, or empty. */
const void *struct_value_pointer(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field);

/* What protobuf-c would pack without a word, or crash on: a violation at the
 * field's path ("address.lines[2].text"). */
void struct_value_check(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        struct fault *fault);
bool struct_value_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                        const ProtobufCFieldDescriptor *field);
/* The same value in another struct of the same descriptor; what it points to is shared. */
void struct_value_share(ProtobufCMessage *to, const ProtobufCMessage *from,
                        const ProtobufCFieldDescriptor *field);
/* The same, with what it points to copied into the arena. false: no memory. */
bool struct_value_copy(ProtobufCMessage *to, const ProtobufCMessage *from,
                       const ProtobufCFieldDescriptor *field, struct arena *arena);

#endif
