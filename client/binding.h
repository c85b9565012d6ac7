/*
 * Bindings: which served model a caller's generated descriptor is of, and how
 * its struct is packed without its relationships.
 *
 * `struct bindings` is the models of one version and what was bound to them;
 * counted, shared by threads. Knows descriptors and models; no transport.
 */
#ifndef HERO_CLIENT_BINDING_H
#define HERO_CLIENT_BINDING_H

#include "model.h"

struct binding {
    const ProtobufCMessageDescriptor *descriptor; /* the caller's */
    const struct model *model;
    /* For the caller's struct: columns only, and primary key only. Columns that
     * the caller's .proto doesn't have (or the model) are not in them. */
    const ProtobufCMessageDescriptor *columns;
    const ProtobufCMessageDescriptor *key;
    /* Fields of the caller's that the served model doesn't have (any more, or
     * yet): read as absent, and refused where they are set. */
    const ProtobufCFieldDescriptor *const *unserved;
    size_t n_unserved;
};

struct bindings;

/* Keeps a reference to the models. NULL: no memory. */
struct bindings *bindings_new(struct models *models);
struct bindings *bindings_ref(struct bindings *bindings);
void bindings_unref(struct bindings *bindings); /* NULL allowed */
const struct models *bindings_models(const struct bindings *bindings);

/* What the served model calls a field that the caller's .proto calls `name`:
 * they are one by their number. `name` itself where the caller has no such
 * field. Borrowed from either. */
const char *binding_served_name(const struct binding *binding, const char *name);
/* A dotted path of relationships, and last a field, as the daemon calls it; in the arena. NULL: no
 * memory. */
const char *binding_served_path(struct bindings *bindings, const struct binding *binding,
                                const char *path, struct arena *arena);
/* FAILED_PRECONDITION where the record has a value in a field that is not served. */
MUST_CHECK Code binding_check_unserved(const struct binding *binding,
                                       const ProtobufCMessage *record, struct fault *fault);

/* The binding lives as long as the bindings. NOT_FOUND: no such model is
 * served; FAILED_PRECONDITION with a violation per field that differs in type. */
MUST_CHECK Code bindings_find(struct bindings *bindings,
                              const ProtobufCMessageDescriptor *descriptor,
                              const struct binding **ret_binding, struct fault *fault);

#endif
