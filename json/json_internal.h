/*
 * Between json.c (values, by type) and json_message.c (fields and messages).
 */
#ifndef HERO_JSON_JSON_INTERNAL_H
#define HERO_JSON_JSON_INTERNAL_H

#include "json.h"

struct reading {
    const ProtobufCFieldDescriptor *field;
    struct arena *arena;
    struct json_path *path;
    struct fault *fault;
};

/* How values of one protobuf type are read and written. */
struct json_type {
    size_t size; /* of one value in a struct */
    Code (*read)(const struct reading *reading, const json_t *value, void *place);
    json_t *(*write)(const ProtobufCFieldDescriptor *field, const void *place);
};

extern const struct json_type json_types[]; /* by ProtobufCType */

#endif
