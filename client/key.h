/*
 * Primary keys: what callers give -> the packed key record that travels.
 */
#ifndef HERO_CLIENT_KEY_H
#define HERO_CLIENT_KEY_H

#include <jansson.h>
#include "heroclient.h"
#include "json.h"
#include "model.h"

/* A violation's path is `path`. */
MUST_CHECK Code key_pack(const struct model *model, const hero_key *key, const char *path,
                         struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault);
/* As text: JSON, or the bare value ("k1,k2" for several columns). */
MUST_CHECK Code key_parse(const struct model *model, const char *text, const char *path,
                          struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault);
/* As JSON: a value, an array in order of declaration, an object of the key fields. */
MUST_CHECK Code key_of_json(const struct model *model, const json_t *value, struct json_path *path,
                            struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault);

#endif
