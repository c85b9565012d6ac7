/*
 * Messages <-> JSON, by descriptor. One table by protobuf type says how each
 * is read and written. Knows jansson and descriptors; nothing of models.
 *
 * Integers are exact, bytes base64 (RFC 4648), enums names. What JSON can't
 * hold as it is, or a field can't, is refused with the path to blame.
 */
#ifndef HERO_JSON_JSON_H
#define HERO_JSON_JSON_H

#include <jansson.h>
#include "arena.h"
#include "fault.h"

/* Text longer than this is not parsed. */
#define JSON_TEXT_BYTES ((size_t)64 * 1024 * 1024)
/* Objects and arrays inside each other, where we walk them. */
#define JSON_DEPTH 64u

/* Where in the text we are: "teams[0].name". Cut where it gets too long. */
struct json_path {
    char text[512];
    size_t len;
    unsigned depth;
};

#define JSON_PATH_INIT                                                                             \
    {                                                                                              \
        "", 0, 0                                                                                   \
    }

/* Each returns what json_path_pop takes to go back. */
size_t json_path_name(struct json_path *path, const char *name);
size_t json_path_index(struct json_path *path, size_t index);
void json_path_pop(struct json_path *path, size_t before);

/* Strict: duplicate members, NUL, broken UTF-8, NaN are refused. A reference. */
MUST_CHECK Code json_parse(const char *text, json_t **ret_value, struct fault *fault);
/* malloc; RESOURCE_EXHAUSTED past `limit` bytes. */
MUST_CHECK Code json_print(const json_t *value, size_t limit, char **ret_text, struct fault *fault);
/* "expected array, got string" at the path. */
Code json_expected(const struct json_path *path, const char *what, const json_t *value,
                   struct fault *fault);

/* Sets a field from JSON; null leaves it absent. Memory is the arena's. */
MUST_CHECK Code json_read_field(const json_t *value, const ProtobufCFieldDescriptor *field,
                                ProtobufCMessage *message, struct arena *arena,
                                struct json_path *path, struct fault *fault);
MUST_CHECK Code json_read_message(const json_t *value, const ProtobufCMessageDescriptor *descriptor,
                                  struct arena *arena, struct json_path *path,
                                  ProtobufCMessage **ret_message, struct fault *fault);

/* Can the field be written and read again as it is? INVALID_ARGUMENT for NaN,
 * infinity, unknown numbers of enums, times out of range, at their paths. */
MUST_CHECK Code json_check_field(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field, struct json_path *path,
                                 struct fault *fault);

/* References; NULL: no memory. An absent field is null. */
json_t *json_write_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Fields that are present, and all repeated ones. */
json_t *json_write_message(const ProtobufCMessage *message);

#endif
