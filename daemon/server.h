/*
 * The server: bytes in, bytes out, over nng.
 *
 * Owns sockets, contexts, the peers' identity, the frame limit, the caps per
 * connection and in all, and the send deadline that disconnects slow readers.
 * The only file of the daemon that includes nng.h. Knows nothing of methods.
 */
#ifndef HERO_SERVER_H
#define HERO_SERVER_H

#include "call.h"
#include "daemon.h"

struct server;

struct server_options {
    const char *const *urls;
    size_t n_urls;
    unsigned socket_mode;  /* ipc: 0660 */
    const char *socket_group; /* NULL: unchanged */
    int io_cpu; /* nng's threads on this CPU; -1: wherever; -2: auto */
};

/* Guards the paths (a stale socket is removed, anything else refuses the
 * start), listens on all urls, serves. The fault's message is one line with
 * the url and a hint. */
MUST_CHECK Code server_start(struct daemon *daemon, const struct server_options *options,
                             struct server **ret_server, struct fault *fault);
/* Asks Admin/Check over each own listener; within timeout_ms. */
MUST_CHECK Code server_probe(struct server *server, uint32_t timeout_ms, struct fault *fault);
/* Takes no new requests, waits until those running are answered and sent (at
 * most timeout_ms), removes its own socket files. The process must _exit
 * soon after: nng_close can hang (nng 1.5.2). */
void server_stop(struct server *server, uint32_t timeout_ms);

#endif
