/*
 * What one commit of a session sends, and what is needed to read its answer.
 */
#ifndef HERO_CLIENT_SESSION_PLAN_H
#define HERO_CLIENT_SESSION_PLAN_H

#include "session.h"

/* A stored record whose columns changed. */
struct plan_update {
    struct session_record *record;
    const struct binding *binding;
    ProtobufCBinaryData sent; /* all its columns */
    size_t mutation;
};

/* A relationship field that is not the session's, as it was read. */
struct plan_list {
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field;
    ProtobufCMessage **items;
    size_t n_items;
};

/* A link that such a field of a stored record gained or lost. */
struct plan_change {
    struct session_record *from;
    ProtobufCMessage *to;
    struct session_pair pair;
    bool linked;
};

/* Whose mutation it is, for texts of errors. */
struct plan_whose {
    const ProtobufCMessage *record;  /* NULL: a create or delete, of several */
    const ProtobufCMessage **others; /* related, deleted */
    size_t n_others, others_size;
};

struct session_plan {
    struct arena arena;
    struct bindings *bindings; /* a reference */
    struct graph_build build;
    Hero__V1__Graph *graph;    /* NULL: creates nothing */
    ProtobufCBinaryData *sent; /* per member: all its columns */
    struct plan_update **updates;
    size_t n_updates, updates_size;
    struct plan_list **lists;
    size_t n_lists, lists_size;
    struct plan_change **changes;
    size_t n_changes, changes_size;
    Hero__V1__CommitRequest request;
    struct plan_whose **whose; /* per mutation */
    size_t whose_size, mutations_size;
    ProtobufCBinaryData packed;
    uint64_t seq; /* 0: not sent yet */
};

/* Puts a new zeroed element at the end of one of the plan's lists. false: no memory. */
#define PLAN_APPEND(plan, list, ret_new)                                                           \
    plan_append(plan, (void ***)&(plan)->list, &(plan)->n_##list, &(plan)->list##_size,            \
                sizeof(*(ret_new)), (void **)&(ret_new))
bool plan_append(struct session_plan *plan, void ***array, size_t *n, size_t *size, size_t element,
                 void **ret_new);
Code plan_no_memory(const struct session_plan *plan, struct fault *fault);

/* *ret_plan NULL: nothing to send. Changes nothing in the session. */
MUST_CHECK Code session_plan_new(hero_session *session, struct bindings *bindings,
                                 struct session_plan **ret_plan, struct fault *fault);
void session_plan_free(struct session_plan *plan);

/* session_mutation.c: the mutations, once the graph is whole. */
MUST_CHECK Code session_plan_create(struct session_plan *plan, struct fault *fault);
MUST_CHECK Code session_plan_updates(hero_session *session, struct session_plan *plan,
                                     struct fault *fault);
MUST_CHECK Code session_plan_links(hero_session *session, struct session_plan *plan,
                                   struct fault *fault);

/* What the op says that its link holds, packed; nothing: data stays NULL. */
MUST_CHECK Code session_plan_columns(struct session_plan *plan, const struct session_op *op,
                                     const struct session_pair *pair,
                                     ProtobufCBinaryData *ret_columns, struct fault *fault);

/* session_answer.c: what was sent is stored now. */
MUST_CHECK Code session_take_answer(hero_session *session, struct session_plan *plan,
                                    const Hero__V1__CommitResponse *answer, struct fault *fault);

/* session_error.c */

/* "1" or "\"north\",3" of a struct of the caller's; NULL: no memory. */
const char *session_key_text(const struct binding *binding, const ProtobufCMessage *record,
                             struct arena *arena);
/* Violations that name mutations tell model, record and field instead. */
void session_blame(const struct session_plan *plan, struct fault *fault);
/* The same for places in the graph, and for fields of one record. */
void session_blame_graph(const struct session_plan *plan, struct fault *fault);
void session_blame_record(const struct session_plan *plan, const ProtobufCMessage *record,
                          struct fault *fault);

#endif
