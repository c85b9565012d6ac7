/*
 * What a .proto says otherwise than before: the differences between a model
 * and the one it was, in the words of the .proto.
 *
 * Knows descriptors and options; decides nothing and knows no tables.
 */
#ifndef HERO_PROTO_MODEL_CHANGE_H
#define HERO_PROTO_MODEL_CHANGE_H

#include "model.h"

enum model_change_kind {
    MODEL_CHANGE_MESSAGE, /* of the message itself */
    MODEL_CHANGE_GAINED,  /* a field more */
    MODEL_CHANGE_LOST,    /* a field less */
    MODEL_CHANGE_FIELD,   /* something of a field */
};

struct model_change {
    enum model_change_kind kind;
    uint32_t number;   /* the field's; 0: the message's own */
    const char *field; /* its name now; of a lost one before */
    const char *text;  /* (hero.column).default changes from "1" to "2" */
};

struct model_changes {
    struct model_change *changes;
    size_t n;
};

/* Empty where both say the same, in whatever order and words. In the arena;
 * false where it is exhausted. */
MUST_CHECK bool model_changes(const struct model *was, const struct model *is, struct arena *arena,
                              struct model_changes *ret_changes);

/* The served model that `model`, of a later set, was before: the one of its
 * name, else the one that its renamed_from names. NULL: it is new. */
const struct model *model_ancestor(const struct models *served, const struct model *model);

/* ---- model_change_type.c: enums and messages that columns are made of ---- */

typedef void model_change_told(void *context, const char *text);
/* Are they others? tell (may be NULL) gets one text for each difference. */
bool column_type_changes(const struct column *was, const struct column *is, model_change_told *tell,
                         void *context);
/* What the value that was called `name` is called now; NULL: it is gone. */
const char *enum_name_since(const ProtobufCEnumDescriptor *was, const ProtobufCEnumDescriptor *is,
                            const char *name);

/* ---- model_back.c ---- */

/* What the model of that name in `before` is called in the next set; NULL: it
 * is in it no longer, or name is NULL. */
const char *model_name_since(const struct models *before, const struct models *after,
                             const char *name);
/* The set of `models`, in which each model says that it was renamed from what
 * it is called now (by position; NULL: it is gone). Changes models, which must
 * not be used after it by others. In the arena. */
MUST_CHECK Code models_set_back(const struct models *models, const char *const *names_now,
                                struct arena *arena, ProtobufCBinaryData *ret_set,
                                struct fault *fault);

#endif
