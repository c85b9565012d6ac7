/*
 * Inside a client: its connection, what the daemon told of itself, the models
 * as last fetched, and the identity that its writes are sent under.
 */
#ifndef HERO_CLIENT_CLIENT_H
#define HERO_CLIENT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include "binding.h"
#include "heroclient.h"
#include "identity.h"
#include "transport.h"

/* The deadline where the options say none. */
#define CLIENT_DEFAULT_TIMEOUT_MS 10000u

struct hero_client {
    struct transport *transport;
    uint32_t timeout_ms;
    hero_echo *echo;
    void *echo_arg;
    struct identity identity;
    pthread_mutex_t models_lock;
    struct bindings *bindings;       /* NULL: not fetched yet; under models_lock */
    _Atomic uint64_t models_version; /* as the last reply told; 0: none did */
    atomic_size_t message_bytes;     /* most that a frame may have */
};

int64_t client_now_ns(void); /* CLOCK_MONOTONIC */
/* What a reply says of the models served. */
void client_told_version(hero_client *client, uint64_t models_version);

/* The models, fetched (blocks until deadline_ns) unless those at hand are
 * what the daemon serves by its last reply. A reference: bindings_unref. */
MUST_CHECK Code client_bindings(hero_client *client, int64_t deadline_ns,
                                struct bindings **ret_bindings, struct fault *fault);
/* Asks the daemon whether `used` are still its models. true: they are not,
 * and client_bindings gives the new ones. */
bool client_bindings_changed(hero_client *client, int64_t deadline_ns, const struct bindings *used);

#endif
