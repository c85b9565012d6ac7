/*
 * The types that a descriptor set declares, by full name, at the top of a file
 * or inside a message; for the files behind model.h only.
 */
#ifndef HERO_PROTO_MODEL_TYPE_H
#define HERO_PROTO_MODEL_TYPE_H

#include "model_internal.h"

/* A message or an enum: one of the two is NULL. */
struct set_type {
    const char *name; /* full, without a leading dot */
    FileProto *file;
    const MessageProto *message;
    const EnumProto *enumeration;
    struct set_type *outer; /* the message that it is declared in; NULL: the file */
    size_t n_inside;        /* types in it, which follow it */
    /* By set_types_need: */
    bool needed; /* a model, or a part of one's columns */
    bool kept;   /* needed, or holds what is */
    /* Its descriptor, once a column asks for it. */
    const void *descriptor;
    bool in_progress;
    const char *refused; /* why it can be no column */
    unsigned depth;      /* messages inside each other, itself included */
};

struct set_types {
    struct arena *arena;
    struct set_type *all; /* as declared: a type before those inside it */
    struct set_type **by_name;
    size_t n;
};

/* false: the arena is exhausted. */
bool set_types_init(struct set_types *types, struct arena *arena, const FileSet *set);
/* A name as fields have it, with or without a leading dot; NULL: there is none. */
struct set_type *set_type_find(const struct set_types *types, const char *name);
/* Calls visit with the type of each field of the message, of those inside it
 * too, that has one; stops where it is false. */
typedef bool visit_type(void *context, struct set_type *type);
bool set_types_each_used(const struct set_types *types, const MessageProto *message,
                         visit_type *visit, void *context);
/* Marks models, what their fields need, and what that needs. */
bool set_types_need(struct set_types *types);

#endif
