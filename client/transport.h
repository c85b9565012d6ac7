/*
 * Transport: one message there, one back, over nng. Owns the socket, its
 * contexts and the classes of failure; knows no frames and no methods.
 *
 * Each call in flight takes a slot (a context and its aios), made when first
 * needed and kept. A call is run on the caller's thread, or started with a
 * function that is told the end.
 */
#ifndef HERO_CLIENT_TRANSPORT_H
#define HERO_CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fault.h"

struct transport;
struct transport_slot;

enum transport_end {
    TRANSPORT_ANSWERED,  /* there is a reply */
    TRANSPORT_NOT_SENT,  /* the deadline passed before there was a connection */
    TRANSPORT_LOST,      /* sent; the connection ended before the answer */
    TRANSPORT_TIMED_OUT, /* sent; the deadline passed before the answer */
    TRANSPORT_CANCELLED, /* sent or not; transport_cancel */
    TRANSPORT_NO_MEMORY  /* not sent */
};

/* The bytes are the transport's until transport_reply_free or the slot's next sending. */
struct transport_reply {
    const uint8_t *bytes;
    size_t len;
};

/* On one of nng's threads; the slot may be sent on again or released in it. */
typedef void transport_done(void *arg, enum transport_end end, struct transport_reply reply);

/* Dials until deadline_ns. daemon_uid -1: anybody's. Errors name the url. */
MUST_CHECK Code transport_open(const char *url, int64_t daemon_uid, int64_t deadline_ns,
                               struct transport **ret_transport, struct fault *fault);
/* Cancels what was started, waits for its end, closes. NULL allowed. */
void transport_close(struct transport *transport);
/* Most slots at a time. */
void transport_limit(struct transport *transport, size_t n_slots);

/* NULL: the limit is reached (wait: until deadline_ns) or no memory. */
struct transport_slot *transport_acquire(struct transport *transport, bool wait,
                                         int64_t deadline_ns);
void transport_release(struct transport_slot *slot);

/* A buffer to put the message to send into; NULL: no memory. The next
 * transport_run or transport_start of the slot sends it. */
uint8_t *transport_message(struct transport_slot *slot, size_t len);
enum transport_end transport_run(struct transport_slot *slot, int64_t deadline_ns,
                                 struct transport_reply *ret_reply);
/* RESOURCE_EXHAUSTED: not started, done is not called. */
MUST_CHECK Code transport_start(struct transport_slot *slot, int64_t deadline_ns,
                                transport_done *done, void *arg);
/* transport_close has begun: nothing should be started again. */
bool transport_is_closing(const struct transport *transport);
/* Drops the reply that the slot holds. */
void transport_reply_free(struct transport_slot *slot);

/* Why a call was not sent or lost its connection, for the error's text. */
Code transport_explain(struct transport *transport, enum transport_end end, struct fault *fault);

#endif
