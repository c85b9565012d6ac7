/*
 * The way back: a set that was served before, made to say what its models
 * have been called since, so that applying it renames them back.
 */
#include "model_change.h"

#include <stdio.h>
#include <string.h>
#include "model_internal.h"

/* (hero.table) on a message's options, and renamed_from in it; length-prefixed. */
#define TABLE_TAG 50170
#define RENAMED_FROM_KEY ((2 << 3) | 2)

const char *model_name_since(const struct models *before, const struct models *after,
                             const char *name)
{
    for (size_t i = 0; name && i < after->n_models; i++) {
        const struct model *was = model_ancestor(before, &after->models[i]);
        if (was && strcmp(was->name, name) == 0)
            return after->models[i].name;
    }
    return NULL;
}

static size_t put_varint(uint8_t *to, size_t number)
{
    size_t n = 0;
    for (; number >= 0x80; number >>= 7)
        to[n++] = (uint8_t)(number | 0x80);
    to[n++] = (uint8_t)number;
    return n;
}

/* Options may come in parts: one part more says the name. */
static bool say_renamed(const MessageProto *message, const char *name, struct arena *arena)
{
    ProtobufCMessage *options = &message->options->base;
    unsigned n = options->n_unknown_fields;
    size_t len = strlen(name), at = 0, inner;
    uint8_t size[10], *data = arena_alloc(arena, len + 32);
    ProtobufCMessageUnknownField *fields = arena_array(arena, n + 1, sizeof *fields);
    if (!data || !fields)
        return false;
    inner = 1 + put_varint(size, len) + len;
    at += put_varint(data, inner);
    data[at++] = RENAMED_FROM_KEY;
    at += put_varint(data + at, len);
    for (size_t i = 0; i < len; i++) /* bytes, not a text: they end by their number */
        data[at + i] = (uint8_t)name[i];
    memcpy(fields, options->unknown_fields, n * sizeof *fields);
    fields[n] = (ProtobufCMessageUnknownField){TABLE_TAG, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
                                               at + len, data};
    options->unknown_fields = fields;
    options->n_unknown_fields = n + 1;
    return true;
}

Code models_set_back(const struct models *models, const char *const *names_now, struct arena *arena,
                     ProtobufCBinaryData *ret_set, struct fault *fault)
{
    const FileSet *set = ((const struct models_memory *)models)->set;
    bool ok = true;
    for (size_t i = 0; i < models->n_models && ok; i++)
        if (names_now[i] && strcmp(names_now[i], models->models[i].name) != 0)
            ok = say_renamed(models->models[i].proto, names_now[i], arena);
    ret_set->len = set ? protobuf_c_message_get_packed_size(&set->base) : 0;
    ret_set->data = arena_alloc(arena, ret_set->len + 1);
    if (!ok || !ret_set->data)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the set");
    if (set)
        protobuf_c_message_pack(&set->base, ret_set->data);
    return HERO__V1__CODE__OK;
}
