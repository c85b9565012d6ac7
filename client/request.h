/*
 * Requests: a call from its preparation to its result. Owns deadlines,
 * repeating what was lost, and what a failure is told as; knows frames, not
 * what methods mean: that is the `read` of each.
 */
#ifndef HERO_CLIENT_REQUEST_H
#define HERO_CLIENT_REQUEST_H

#include "client.h"
#include "json.h"
#include "result.h"

/* What the structs or JSON of one request may take while it is prepared. */
#define REQUEST_BYTES ((size_t)256 * 1024 * 1024)

/* Makes the result of the answer (result->bytes). */
typedef Code request_read(hero_request *request, hero_result *result, struct fault *fault);
/* Puts the violations' paths in the terms of what the caller gave. */
typedef void request_blame(hero_request *request, struct fault *fault);

struct hero_request {
    hero_client *client;
    struct arena arena;
    struct bindings *bindings; /* a reference; NULL where models don't matter */
    const char *method;
    ProtobufCBinaryData payload;
    request_read *read;
    request_blame *blame; /* NULL: paths are right as they are */
    const void *how;      /* what read and blame need; in the arena */
    bool is_write;        /* under a seq: not a dry run */
    bool validate_only, etags, keys_only;
    struct identity_write write;
    uint64_t own_seq; /* set by the program; 0: none */
    uint32_t timeout_ms;
    /* while it runs */
    int64_t deadline_ns;
    struct transport_slot *slot;
    bool sent; /* at least once, without an answer */
    bool renewed;
    bool stale; /* refused, and the daemon's models are not those it was prepared with */
    hero_done *done;
    void *done_arg;
};

/* Fills a request from the caller's arguments. */
typedef Code request_build(hero_request *request, const void *arguments, struct fault *fault);

struct request_kind {
    const char *method;
    bool is_write, needs_models;
    request_build *build;
};

/* Prepares; where it fails by models that have changed since, once more. */
hero_request *request_prepare(hero_client *client, const struct request_kind *kind,
                              const void *arguments, hero_error *error);
/* Prepares and runs; refused while prepared with stale models, once more. */
hero_result *request_call(hero_client *client, const struct request_kind *kind,
                          const void *arguments, hero_error *error);
/* The `read` of all writes: a CommitResponse and its counts. */
Code request_read_commit(hero_request *request, hero_result *result, struct fault *fault);
/* Unpacks the answer as a message of the descriptor, in the result's arena. */
MUST_CHECK Code request_unpack(hero_result *result, const ProtobufCMessageDescriptor *descriptor,
                               ProtobufCMessage **ret_message, struct fault *fault);
/* Packs a method's input message as the payload. */
MUST_CHECK Code request_pack(hero_request *request, const ProtobufCMessage *message,
                             struct fault *fault);

/* request_option.c: what travels behind the payload. */
#define REQUEST_FLAGS_BYTES 16
size_t request_flags(const hero_request *request, uint8_t *ret_bytes);

/* request_links.c: what the links to n_related records hold, from a JSON object
 * for all of them or an array with one for each. */
MUST_CHECK Code request_read_links(const struct relationship *relationship, const json_t *links,
                                   size_t n_related, struct json_path *path, struct arena *arena,
                                   ProtobufCBinaryData **ret_links, struct fault *fault);

/* A packed CommitRequest, sent and waited for. *seq 0: the next one, which is
 * told; else the write is repeated under it. NULL: failed; the outcome says
 * whether *seq must be repeated. The result holds the reply in ->commit. */
hero_result *request_commit(hero_client *client, ProtobufCBinaryData payload,
                            struct bindings *bindings, uint64_t *seq, hero_outcome *ret_outcome,
                            struct fault *fault);

/* The same as a dry run: nothing is stored, no seq is taken, there is no result. */
MUST_CHECK Code request_validate(hero_client *client, ProtobufCBinaryData payload,
                                 struct bindings *bindings, hero_outcome *ret_outcome,
                                 struct fault *fault);

#endif
