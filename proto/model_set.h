/*
 * Descriptor sets in the making, for model_set.c and model_merge.c only.
 */
#ifndef HERO_PROTO_MODEL_SET_H
#define HERO_PROTO_MODEL_SET_H

#include "model_internal.h"
#include "model_type.h"

/* A set that becomes another: the result, and what was seen on the way. */
struct merge {
    struct arena *arena;
    FileSet *result;
    const struct models *served;
    struct fault *refused; /* what the set may not do to served models */
    size_t n_models;       /* models in the given set */
    size_t n_new;          /* of these, not served yet, or not like this */
    bool changed;          /* something served is replaced */
    bool *anew;            /* by file of the given set: what it declares replaces what is served */
    unsigned suffix;       /* files that were renamed */
    char **warnings;
    size_t n_warnings;
};

static inline struct models_memory *memory_of(const struct models *models)
{
    return (struct models_memory *)(uintptr_t)models;
}

static inline const char *text(const char *maybe)
{
    return maybe ? maybe : "";
}

/* Grows by doubling: a list is full whenever its length is a power of two. */
bool set_append(struct arena *arena, void ***array, size_t *n, const void *item);
/* NULL: the set has none of this name. */
FileProto *set_file(const FileSet *set, const char *name);
MessageProto *set_message(const FileSet *set, const char *full_name, FileProto **ret_file);
/* An enum at the top of a file of that package. */
EnumProto *set_enum(const FileSet *set, const char *package, const char *name);

/* Starts a result as a copy of what is served, without the models that
 * `removed` (by position; NULL: none) says. */
bool set_start(struct merge *merge, const struct models *served, const bool *removed);
/* A file with nothing in it yet; it is not in the result before set_add_file. */
FileProto *set_empty_copy(struct arena *arena, const FileProto *file);
bool set_add_file(struct merge *merge, const FileProto *file);
bool set_add_message(struct merge *merge, FileProto *file, const MessageProto *message);
bool set_add_enum(struct merge *merge, FileProto *file, const EnumProto *enumeration);
/* Dependencies of a file of the result, anew from what its messages need. */
bool set_link_file(struct merge *merge, const struct set_types *types, FileProto *file);
/* Drops what no model needs; links, orders and packs the result. */
MUST_CHECK Code set_finish(struct merge *merge, ProtobufCBinaryData *ret_packed,
                           struct fault *fault);

/* Calls visit with each other file that the messages need; stops where it is false. */
typedef bool visit_file(void *context, FileProto *needed);
bool set_each_needed(const struct set_types *types, const MessageProto *const *messages, size_t n,
                     const FileProto *self, visit_file *visit, void *context);

/* Files in the order of their dependencies. */
struct ordering {
    struct arena *arena;
    const FileSet *all;
    FileSet *ordered;
    bool *seen; /* by position in all */
    unsigned depth;
};

bool set_ordering_init(struct ordering *ordering, struct arena *arena, const FileSet *all,
                       FileSet *ordered);
/* Adds the file, after those that it needs, unless it is there. */
bool set_place_file(struct ordering *ordering, const FileProto *file);

Code set_too_large(struct fault *fault);
/* Bytes that work on a served set and a new one of len bytes may take. */
size_t set_budget(const struct models *served, size_t len);

#endif
