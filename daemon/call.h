/*
 * One request on its way through the daemon: what came in, who sent it, until
 * when, and the one answer.
 *
 * A call is made by the server, filled by dispatch, answered by a service on
 * any thread, exactly once: call_reply, call_reply_packed or call_fail. The
 * answer is packed into the server's buffer at once; after it the call and
 * all of its arena are gone. Knows no nng and no SQL.
 */
#ifndef HERO_CALL_H
#define HERO_CALL_H

#include "arena.h"
#include "fault.h"
#include "model.h"
#include "hero/v1/rpc.pb-c.h"
#include "store/store.h"

struct daemon; /* what services work on: store, limits, counters (daemon.h) */
struct method; /* a line of dispatch's table */

/* Who is at the other end, as far as the transport can tell. */
struct peer {
    uint32_t pipe; /* nng's id of the connection */
    bool is_ipc;
    uint32_t uid, gid;  /* ipc: the kernel's word */
    int32_t pid;        /* for the log only */
    char principal[24]; /* "uid:1000", "tcp" */
};

struct call {
    /* set by the server */
    struct peer peer;
    struct arena arena; /* everything of this call; bounded */
    int64_t received_ns;
    uint64_t id; /* for the log */
    /* The server's: copies, then frees the call. NULL bytes: there is no memory
     * for the answer; the peer is disconnected, so that it knows of it. */
    void (*send)(struct call *call, const uint8_t *bytes, size_t len);
    void *slot;

    /* set by dispatch */
    struct daemon *daemon;
    const struct method *entry; /* NULL: the method is unknown, or not yet found */
    const char *method;         /* "hero.v1.Records/Get"; "" while unknown */
    size_t bytes_in;
    Hero__V1__Request *request;
    ProtobufCMessage *input;
    struct models *models; /* pinned for the call's life */
    int64_t deadline_ns;
    struct echo echo;
    struct arena echo_arena;
    bool wants_echo; /* the request's or --echo */
    bool on_pool;    /* runs on a reader thread, may take its time */
    bool answered;
    struct call *next; /* in the reader queue */
    /* dispatch's: called once, just before the answer leaves; fault NULL: OK */
    void (*log)(struct call *call, const struct fault *fault, size_t bytes_out);
    union { /* where a write or change lives while it is queued */
        struct store_write write;
        struct store_change change;
    };
};

/* The closures of the generated services: closure_data is the call. */
void call_reply(const ProtobufCMessage *message, void *call);
/* The answer is packed already (a method's output message). */
void call_reply_packed(struct call *call, const uint8_t *payload, size_t len);
/* Takes the fault's content: frees it. */
void call_fail(struct call *call, struct fault *fault);

/* Runs the handler again on a reader thread (call->on_pool is true then). */
void call_defer(struct call *call);

#endif
