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

/* A request that runs, and its answer, hold a context each until nng took the
 * answer. So many more than the cap of running requests: Check and the
 * self-probe find one, and refusals are told. */
#define SERVER_SPARE_CONTEXTS(in_flight) ((in_flight) / 3 + 16)

enum { SERVER_IO_CPU_ANY = -1, SERVER_IO_CPU_AUTO = -2 };

struct server_options {
    const char *const *urls;
    size_t n_urls;
    unsigned socket_mode;     /* ipc: 0660 */
    const char *socket_group; /* NULL: unchanged */
    int io_cpu;               /* nng's threads on this CPU; or SERVER_IO_CPU_... */
};

/* Guards the paths (a stale socket is removed, anything else refuses the
 * start), listens on all urls, serves. The fault's message is one line with
 * the url and a hint. */
MUST_CHECK Code server_start(struct daemon *daemon, const struct server_options *options,
                             struct server **ret_server, struct fault *fault);
/* Where it listens: tcp://127.0.0.1:0 has become the port. */
size_t server_n_urls(const struct server *server);
const char *server_url(const struct server *server, size_t i);
/* Asks Admin/Check over each own listener; within timeout_ms. */
MUST_CHECK Code server_probe(struct server *server, uint32_t timeout_ms, struct fault *fault);
/* Closes connections that were silent for limits.idle_timeout_s. */
void server_close_idle(struct server *server);
/* From now on requests are told UNAVAILABLE. Waits until those that run are
 * answered; false: not within timeout_ms. */
bool server_quiesce(struct server *server, uint32_t timeout_ms);
/* Takes no new requests, waits until those running are answered and sent (at
 * most timeout_ms), removes its own socket files. The process must _exit
 * soon after: nng_close can hang (nng 1.5.2). */
void server_stop(struct server *server, uint32_t timeout_ms);

#endif
