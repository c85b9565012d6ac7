/*
 * What the services of one herod share: the store, the limits, the counters.
 * Made by main, read-only but for the counters.
 */
#ifndef HERO_DAEMON_H
#define HERO_DAEMON_H

#include <stdatomic.h>
#include "store/store.h"

struct limits {
    size_t message_bytes;
    size_t memory_bytes;         /* of all requests together */
    unsigned in_flight;          /* requests of all clients */
    unsigned in_flight_per_pipe; /* of one connection */
    unsigned max_clients;        /* connections */
    uint32_t page_size, max_page_size;
    unsigned max_mutations; /* and records, edges, targets of one of them, keys of a read */
    unsigned max_expand_depth;
    uint32_t timeout_ms, max_timeout_ms;
    uint32_t send_timeout_ms; /* a reader slower than this is disconnected */
    uint64_t retention_s;
    unsigned inline_rows;    /* rows a read may touch on a transport thread */
    uint32_t idle_timeout_s; /* a connection silent for longer is closed; 0: never */
};

struct daemon {
    struct store *store;
    struct limits limits;
    bool echo;
    const char *database;
    int64_t started_ns;
    atomic_ullong n_requests, n_failures;
    struct reader_pool *readers; /* dispatch's */
};

#endif
