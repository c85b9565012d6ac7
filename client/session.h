/*
 * Inside a session: the records it knows, what each was when last stored, and
 * what is to be sent. session.c owns records and identity, session_link.c
 * relationship fields and the order of links, session_merge.c the values of
 * one record, session_read.c get and list, session_plan.c and
 * session_mutation.c what a commit sends, session_commit.c sending it,
 * session_answer.c what the answer changes, session_error.c whose fault it was.
 */
#ifndef HERO_CLIENT_SESSION_H
#define HERO_CLIENT_SESSION_H

#include "binding.h"
#include "graph_struct.h"
#include "heroclient.h"
#include "pointer_map.h"

/* Most that one commit may take while it is put together. */
#define SESSION_PLAN_BYTES ((size_t)256 * 1024 * 1024)

/* One relationship field of a record. */
struct session_list {
    const ProtobufCFieldDescriptor *field;
    /* As last stored, read, linked or unlinked. */
    ProtobufCMessage **items;
    size_t n_items, items_size;
    /* What the session pointed the field at; anything else there is the caller's. */
    ProtobufCMessage **shown;
    size_t n_shown, shown_size;
};

enum record_state {
    RECORD_NEW,    /* added, created or reached by a link; not sent yet */
    RECORD_STORED, /* has a key and a snapshot */
    RECORD_GONE    /* deleted; its address is remembered */
};

struct session_record {
    ProtobufCMessage *message;
    const ProtobufCMessageDescriptor *descriptor; /* message's, whatever its owner does to it */
    enum record_state state;
    bool ours;               /* session memory; else the caller's struct */
    bool declared;           /* added or created, not only reached: new even where its key is set */
    bool connect;            /* new unless its key is there already */
    bool deleting;           /* at the next commit */
    const void **texts;      /* per field: the text or bytes that the session pointed it at */
    ProtobufCBinaryData key; /* packed; identity together with the descriptor */
    ProtobufCBinaryData snapshot; /* columns as last stored, packed; malloc */
    struct session_list *lists;
    size_t n_lists;
    struct session_record *next_by_key;
};

enum op_kind { OP_LINK, OP_UNLINK, OP_DELETE };

/* Asked for and not yet sent, in the order asked. A pair has one at a time. */
struct session_op {
    enum op_kind kind;
    bool dropped;
    struct session_record *from, *to;
    const ProtobufCFieldDescriptor *field;
    const ProtobufCMessage *columns; /* what the link shall hold; the caller's; NULL: not said */
    /* The same, named from the one side that counts. */
    const struct session_record *pair_from, *pair_to;
    const ProtobufCFieldDescriptor *pair_field;
};

struct session_plan;

struct hero_session {
    hero_client *client;
    struct arena arena; /* all that lives until the session ends */
    struct session_record **records;
    size_t n_records, records_size;
    struct pointer_map by_address;
    struct session_record **by_key; /* chained */
    size_t n_by_key, by_key_size;
    struct session_op **ops;
    size_t n_ops, n_ops_made, ops_size;
    struct pointer_map ops_by_pair;
    struct pointer_map listed;    /* (record, field, related) is in the list */
    struct session_plan *pending; /* sent, its outcome unknown */
    uint64_t commit_number;
};

/* A link as the models know it, from the side that was asked. */
struct session_pair {
    const struct relationship *relationship;
    const ProtobufCFieldDescriptor *field;
    const ProtobufCFieldDescriptor *back; /* the related struct's field; NULL: none */
};

/* ---- session.c ---- */

/* An array of pointers with room for one more; NULL: no memory. */
void *session_grow(struct arena *arena, void *array, size_t n, size_t *size);
struct session_record *session_find(const hero_session *session, const void *message);
struct session_record *session_find_key(const hero_session *session,
                                        const ProtobufCMessageDescriptor *descriptor,
                                        ProtobufCBinaryData key);
/* Knows a struct from now on. NULL: no memory. */
struct session_record *session_track(hero_session *session, ProtobufCMessage *message, bool ours);
/* A new struct in session memory, tracked. NULL: no memory. */
struct session_record *session_make(hero_session *session,
                                    const ProtobufCMessageDescriptor *descriptor);
/* The models, fetched at first use (blocks); a reference: bindings_unref. */
MUST_CHECK Code session_bindings(hero_session *session, struct bindings **ret_bindings,
                                 struct fault *fault);
/* Gives a record its identity. An identity that another struct has stays that one's. */
MUST_CHECK Code session_identify(hero_session *session, struct session_record *record,
                                 const struct binding *binding, struct fault *fault);
void session_forget(hero_session *session, struct session_record *record);
Code session_no_memory(struct fault *fault);
/* FAILED_PRECONDITION while a commit's outcome is unknown. */
MUST_CHECK Code session_check_settled(const hero_session *session, struct fault *fault);

/* ---- session_link.c ---- */

struct session_list *session_list_of(struct session_record *record,
                                     const ProtobufCFieldDescriptor *field);
/* Does the field show what the session put there? */
bool session_list_managed(const struct session_record *record, const struct session_list *list);
MUST_CHECK Code session_pair_find(const struct binding *binding, const char *relationship,
                                  struct session_pair *ret_pair, struct fault *fault);
void session_pair_of(const ProtobufCMessageDescriptor *descriptor,
                     const struct relationship *relationship, struct session_pair *ret_pair);
/* Puts a link into, or takes it out of, the fields of both sides. What a
 * singular side showed before gives way, and is no longer asked for. */
MUST_CHECK Code session_show(hero_session *session, const struct session_pair *pair,
                             struct session_record *from, struct session_record *to, bool linked,
                             struct fault *fault);
/* Makes the field show exactly these, and what they show follow. */
MUST_CHECK Code session_show_all(hero_session *session, const struct session_pair *pair,
                                 struct session_record *from, struct session_record **related,
                                 size_t n_related, struct arena *scratch, struct fault *fault);
/* Points the field at session memory that holds the list. */
MUST_CHECK Code session_list_show(hero_session *session, struct session_record *record,
                                  struct session_list *list, struct fault *fault);
/* Sets what the list holds, without telling other sides. */
MUST_CHECK Code session_list_set(hero_session *session, struct session_record *record,
                                 struct session_list *list, ProtobufCMessage *const *items,
                                 size_t n_items, struct fault *fault);
/* Takes a record out of every list that the session manages, and empties its own. */
void session_unlist(hero_session *session, struct session_record *record);
/* The op of the pair that is not sent yet; NULL: none. */
struct session_op *session_op_find(const hero_session *session, const struct session_pair *pair,
                                   const struct session_record *from,
                                   const struct session_record *to);
MUST_CHECK Code session_op_add(hero_session *session, struct session_op op,
                               const struct session_pair *pair, struct fault *fault);

/* ---- session_merge.c ---- */

bool session_value_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                         const ProtobufCFieldDescriptor *field);
void session_value_copy(ProtobufCMessage *to, const ProtobufCMessage *from,
                        const ProtobufCFieldDescriptor *field); /* text: the pointer */
/* Brings a record up to what is stored: a field that still is as in `base`
 * becomes as in `stored`, one that was changed since stays changed. `stored`
 * is used up. Sets snapshot, key and state. */
MUST_CHECK Code session_merge(hero_session *session, struct session_record *record,
                              const struct binding *binding, const ProtobufCMessage *base,
                              ProtobufCMessage *stored, struct arena *scratch, struct fault *fault);
/* The snapshot as a struct; in the scratch arena. */
MUST_CHECK Code session_snapshot(const struct session_record *record, const struct binding *binding,
                                 struct arena *scratch, ProtobufCMessage **ret_base,
                                 struct fault *fault);

#endif
