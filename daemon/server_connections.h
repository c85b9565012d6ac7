/*
 * The connections of a server: who is at the other end, how many requests of
 * each run or wait to be sent. Counts and decides; knows no nng. Guarded by
 * its own lock.
 */
#ifndef HERO_SERVER_CONNECTIONS_H
#define HERO_SERVER_CONNECTIONS_H

#include <pthread.h>
#include "call.h"

#define CONNECTION_BUCKETS 256

struct connection {
    struct peer peer;
    unsigned n_running; /* requests whose answer is not made yet */
    unsigned n_sending; /* answers that nng has not taken yet */
    uint64_t n_sent;    /* answers that nng took */
    bool gone;          /* closed; kept while requests of it run */
    bool kicked;
    int64_t last_ns; /* of its last request or answer */
    struct connection *next;
};

struct connections {
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* nothing runs and nothing is being sent */
    struct connection *buckets[CONNECTION_BUCKETS];
    unsigned n;
    unsigned n_running, n_sending;
    /* limits */
    unsigned max, max_running, max_running_each, max_sending_each;
};

/* What becomes of a request that arrived. */
enum admission {
    ADMIT,
    ADMIT_OVERLOADED, /* to be told so */
    ADMIT_KICK,       /* it reads no answers and sends on: disconnect it */
    ADMIT_NOBODY,     /* the connection is gone */
};

void connections_init(struct connections *connections);
/* false: too many, or no memory. `always`: our own probe. */
bool connections_add(struct connections *connections, const struct peer *peer, bool always);
void connections_remove(struct connections *connections, uint32_t pipe);

enum admission connections_admit(struct connections *connections, uint32_t pipe, int64_t now_ns,
                                 struct connection **ret_connection);
/* Its answer is made: it counts as being sent. */
void connections_answered(struct connections *connections, struct connection *connection);
/* Ends what connections_answered began. true: the first time this connection must be kicked. */
bool connections_sent(struct connections *connections, struct connection *connection,
                      bool timed_out, int64_t now_ns);
/* Waits until nothing runs and nothing waits to be sent; false: past deadline_ns. */
bool connections_wait_quiet(struct connections *connections, int64_t deadline_ns);
/* Calls `visit` for each that is there, under the lock. */
void connections_each(struct connections *connections,
                      void (*visit)(const struct connection *connection, void *arg), void *arg);

#endif
