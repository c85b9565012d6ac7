/*
 * A field of a record as JSON text, for a column that holds it: an array or an
 * object. SQLite makes a number of a bare 5, so nothing else is one.
 */
#ifndef HERO_JSON_JSON_COLUMN_H
#define HERO_JSON_JSON_COLUMN_H

#include "arena.h"
#include "fault.h"

/* Text longer than this is not written or read. */
#define JSON_COLUMN_BYTES ((size_t)16 * 1024 * 1024)

/* The field as text, in the arena. INVALID_ARGUMENT, with paths that begin
 * with the field's name, for what JSON can't hold. An empty list is []. */
MUST_CHECK Code json_column_write(const ProtobufCMessage *record,
                                  const ProtobufCFieldDescriptor *field, struct arena *arena,
                                  const char **ret_text, struct fault *fault);
/* Into the record, with memory of the arena. INVALID_ARGUMENT where the text
 * is no JSON, or not of the field; "null" is an absent or empty one. */
MUST_CHECK Code json_column_read(const char *text, size_t len,
                                 const ProtobufCFieldDescriptor *field, ProtobufCMessage *record,
                                 struct arena *arena, struct fault *fault);

#endif
