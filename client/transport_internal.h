/*
 * Between the files of the transport: transport.c opens and closes,
 * transport_dial.c connects and connects again, transport_slot.c makes calls.
 * They alone include nng.h.
 */
#ifndef HERO_CLIENT_TRANSPORT_INTERNAL_H
#define HERO_CLIENT_TRANSPORT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <nng/nng.h>
#include "transport.h"

/* How long a call waits for a connection before the dialer is replaced. */
#define TRANSPORT_REDIAL_MS 1000
/* The same for a second one, beside a connection that takes nothing. */
#define TRANSPORT_SPARE_MS 2000

struct transport_slot {
    struct transport *transport;
    struct transport_slot *next_free, *next;
    nng_ctx ctx;
    nng_aio *run_aio;   /* for transport_run: no callback */
    nng_aio *start_aio; /* for transport_start: made at first use */
    nng_msg *message;   /* to be sent; ours until it is */
    nng_msg *reply;
    bool sending;
    int64_t deadline_ns;
    transport_done *done;
    void *arg;
};

struct transport {
    nng_socket socket;
    char *url;
    const char *path; /* ipc: of the socket, in url; else NULL */
    int64_t daemon_uid;
    _Atomic int64_t refused_uid; /* the last peer that was not daemon_uid; -1: none */
    atomic_int n_pipes;
    _Atomic int64_t abandoned_ns; /* when a call was last given up whose answer may still come */
    atomic_bool closing;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a slot came back, or the last started one ended */
    struct transport_slot *free, *all;
    size_t n_slots, limit;
    size_t n_started, n_waiting;

    pthread_mutex_t dial_lock;
    nng_dialer dialer;
    nng_dialer spare; /* beside it; id 0: none */
    int64_t dialed_ns;
};

static inline int64_t transport_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline struct timespec transport_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* A condition whose deadlines are transport_now_ns's. */
void transport_cond_init(pthread_cond_t *cond);

/* ---- transport_dial.c ---- */

/* nng's callback for connections that come and go. */
void transport_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg);
/* Connects; an nng error, NNG_ETIMEDOUT at the deadline. */
int transport_dial(struct transport *transport, int64_t deadline_ns);
/* Nothing could be sent for a while: connects anew. */
void transport_redial(struct transport *transport);
/* What dialing ended with, as a fault with url and hint. */
Code transport_dial_fault(const struct transport *transport, int error, struct fault *fault);

/* ---- transport_slot.c ---- */

/* Nothing may be running on them. */
void transport_slot_free_aios(struct transport_slot *slot);
void transport_slot_free(struct transport_slot *slot);

#endif
