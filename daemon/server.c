/*
 * The server. Owns every nng object of the process; nothing else of the
 * daemon includes nng.h. Knows nothing of methods: a frame goes to
 * dispatch(), an answer comes back through call->send.
 *
 * Contexts receive in turn. A request takes a call (with its arena) from a
 * stack of free ones, so that the last one used, still in the processor's
 * cache, is the next. An aio here receives or sends, never sleeps: one that
 * slept would report success where it should report ETIMEDOUT (nng 1.5.2).
 */
#include "server.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "dispatch.h"
#include "log.h"
#include "server_address.h"
#include "server_affinity.h"
#include "server_connections.h"
#include "server_probe.h"

/* nng's request id and a few hops of devices, beside the frame. */
#define HEADER_BYTES 64
/* A request's memory: its frame unpacked (protobuf-c's worst is 56 times, most
 * take 4), its answer's records, the answer packed. */
#define ARENA_TIMES 16
#define ARENA_LEAST (1024 * 1024)
/* The deadline of an answer while contexts run short. */
#define PRESSED_SEND_MS 40
#define URL_BYTES 256

/* One context: receives a request, lends itself to the call, sends. */
struct slot {
    struct server *server;
    nng_ctx context;
    nng_aio *aio;
    bool sending;
    struct connection *connection; /* of the request under way */
    nng_pipe pipe;
};

struct box { /* a call and its place on the stack of free ones */
    struct call call;
    struct box *next;
};

struct listener {
    struct server_address address;
    char url[URL_BYTES];
};

struct server {
    struct daemon *daemon;
    nng_socket socket;
    struct connections connections;
    struct slot *slots;
    unsigned n_slots;
    struct arena_pool memory; /* of all calls */
    struct box *boxes;
    pthread_mutex_t boxes_lock;
    struct box *free_boxes;
    struct listener *listeners;
    size_t n_listeners;
    atomic_bool stopping;
    atomic_ullong next_id;
    atomic_uint probe_port; /* network byte order; of the tcp probe under way */
    atomic_uint probe_pipe; /* of the probe's connection, until nng has let it go; 0: none */
    atomic_uint n_busy;     /* contexts that do not receive */
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The one translation of nng's codes. */
static Code nng_fault(struct fault *fault, int error, const char *url)
{
    const char *hint = "";

    switch (error) {
    case NNG_EADDRINUSE:
        hint = "; another process listens there";
        break;
    case NNG_EPERM:
        hint = "; look at the owner and mode of its directory";
        break;
    case NNG_ENOENT:
        hint = "; its directory does not exist";
        break;
    case NNG_EADDRINVAL:
        hint = "; is it an address of this machine?";
        break;
    default:
        break;
    }
    return fault_set(fault, HERO__V1__CODE__UNAVAILABLE, "cannot listen on %s: %s%s", url,
                     nng_strerror(error), hint);
}

/* ---- requests and answers ---- */

static void receive(struct slot *slot)
{
    slot->sending = false;
    slot->connection = NULL;
    atomic_fetch_sub_explicit(&slot->server->n_busy, 1, memory_order_relaxed);
    nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(slot->context, slot->aio);
}

static struct box *take_box(struct server *server)
{
    pthread_mutex_lock(&server->boxes_lock);
    struct box *box = server->free_boxes; /* as many as contexts: never NULL */
    server->free_boxes = box->next;
    pthread_mutex_unlock(&server->boxes_lock);
    return box;
}

static void give_box(struct server *server, struct box *box)
{
    arena_reset(&box->call.arena);
    pthread_mutex_lock(&server->boxes_lock);
    box->next = server->free_boxes;
    server->free_boxes = box;
    pthread_mutex_unlock(&server->boxes_lock);
}

static void kick(struct slot *slot, const struct peer *peer, const char *why)
{
    log_limited(LOG_LEVEL_NOTICE, "disconnected", "principal=%s pid=%d reason=\"%s\"",
                peer->principal, peer->pid, why);
    nng_pipe_close(slot->pipe);
}

/* call->send: any thread. The bytes live in the call's arena. */
static void send_answer(struct call *call, const uint8_t *bytes, size_t len)
{
    struct slot *slot = call->slot;
    struct server *server = slot->server;
    struct peer peer = call->peer;
    nng_msg *msg;
    bool allocated = bytes && nng_msg_alloc(&msg, len) == 0;

    if (allocated)
        memcpy(nng_msg_body(msg), bytes, len);
    give_box(server, (struct box *)call);
    connections_answered(&server->connections, slot->connection);
    if (!allocated) {
        /* no memory for an answer: the peer learns of it by its connection */
        if (connections_sent(&server->connections, slot->connection, true, now_ns()))
            kick(slot, &peer, "no memory for its answer");
        receive(slot);
        return;
    }
    bool pressed =
        atomic_load_explicit(&server->n_busy, memory_order_relaxed) > server->n_slots / 2;
    uint32_t timeout_ms = server->daemon->limits.send_timeout_ms;
    if (pressed && timeout_ms > PRESSED_SEND_MS)
        timeout_ms = PRESSED_SEND_MS;
    slot->sending = true;
    nng_aio_set_msg(slot->aio, msg);
    nng_aio_set_timeout(slot->aio, (nng_duration)timeout_ms);
    nng_ctx_send(slot->context, slot->aio);
}

/* nng took the answer, or did not in time. */
static void answer_sent(struct slot *slot, int error)
{
    struct server *server = slot->server;
    struct peer peer = slot->connection->peer;

    if (error != 0)
        nng_msg_free(nng_aio_get_msg(slot->aio));
    if (connections_sent(&server->connections, slot->connection, error != 0, now_ns()))
        kick(slot, &peer,
             error == NNG_ETIMEDOUT ? "reads its answers too slowly" : nng_strerror(error));
    receive(slot);
}

static void serve(struct slot *slot, nng_msg *msg, bool overloaded)
{
    struct server *server = slot->server;
    struct box *box = take_box(server);
    struct call *call = &box->call;
    struct arena arena = call->arena;
    struct fault fault = FAULT_INIT;

    memset(call, 0, sizeof(*call));
    call->arena = arena;
    call->daemon = server->daemon;
    call->peer = slot->connection->peer;
    call->received_ns = now_ns();
    call->id = atomic_fetch_add(&server->next_id, 1) + 1;
    call->send = send_answer;
    call->slot = slot;
    if (!atomic_load(&server->stopping)) {
        dispatch(server->daemon, call, nng_msg_body(msg), nng_msg_len(msg), overloaded);
        return;
    }
    fault_set(&fault, HERO__V1__CODE__UNAVAILABLE, "herod is stopping; nothing was done");
    call_fail(call, &fault);
}

static void request_received(struct slot *slot)
{
    struct server *server = slot->server;
    nng_msg *msg = nng_aio_get_msg(slot->aio);
    enum admission admission;

    slot->pipe = nng_msg_get_pipe(msg);
    atomic_fetch_add_explicit(&server->n_busy, 1, memory_order_relaxed);
    admission = connections_admit(&server->connections, (uint32_t)nng_pipe_id(slot->pipe), now_ns(),
                                  &slot->connection);
    switch (admission) {
    case ADMIT:
    case ADMIT_OVERLOADED:
        serve(slot, msg, admission == ADMIT_OVERLOADED);
        break;
    case ADMIT_KICK:
        log_limited(LOG_LEVEL_NOTICE, "disconnected", "pipe=%d reason=\"%s\"",
                    nng_pipe_id(slot->pipe), "sends on without reading its answers");
        nng_pipe_close(slot->pipe);
        receive(slot);
        break;
    case ADMIT_NOBODY: /* nobody to answer */
        receive(slot);
        break;
    }
    nng_msg_free(msg);
}

/* The aio of every slot: one of nng's threads. */
static void slot_done(void *arg)
{
    struct slot *slot = arg;
    int error = nng_aio_result(slot->aio);

    if (slot->sending) {
        answer_sent(slot, error);
        return;
    }
    if (error == 0) {
        request_received(slot);
    } else if (error != NNG_ECLOSED) {
        atomic_fetch_add_explicit(&slot->server->n_busy, 1, memory_order_relaxed);
        receive(slot);
    }
}

/* ---- connections ---- */

static bool is_own_probe(struct server *server, nng_pipe pipe, const struct peer *peer)
{
    nng_sockaddr remote;

    if (peer->is_ipc)
        return peer->pid == (int32_t)getpid();
    unsigned port = atomic_load(&server->probe_port);
    return port != 0 && nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &remote) == 0 &&
           ((remote.s_family == NNG_AF_INET && remote.s_in.sa_port == port) ||
            (remote.s_family == NNG_AF_INET6 && remote.s_in6.sa_port == port));
}

static void identify(nng_pipe pipe, struct peer *peer)
{
    uint64_t uid = 0, gid = 0, pid = 0;

    memset(peer, 0, sizeof(*peer));
    peer->pipe = (uint32_t)nng_pipe_id(pipe);
    peer->is_ipc = nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0;
    if (!peer->is_ipc) {
        snprintf(peer->principal, sizeof(peer->principal), "tcp");
        return;
    }
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_GID, &gid) == 0)
        peer->gid = (uint32_t)gid;
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid) == 0)
        peer->pid = (int32_t)pid;
    peer->uid = (uint32_t)uid;
    snprintf(peer->principal, sizeof(peer->principal), "uid:%u", peer->uid);
}

static void pipe_event(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct server *server = arg;
    struct peer peer;

    if (event == NNG_PIPE_EV_REM_POST) {
        unsigned ended = (unsigned)nng_pipe_id(pipe);
        connections_remove(&server->connections, ended);
        atomic_compare_exchange_strong(&server->probe_pipe, &ended, 0);
        return;
    }
    identify(pipe, &peer);
    bool own = is_own_probe(server, pipe, &peer);
    if (own)
        atomic_store(&server->probe_pipe, peer.pipe);
    if (!connections_add(&server->connections, &peer, own)) {
        log_limited(LOG_LEVEL_NOTICE, "refused", "principal=%s pid=%d reason=\"max-clients\"",
                    peer.principal, peer.pid);
        nng_pipe_close(pipe);
    }
}

/* ---- start ---- */

static Code set_up(struct server *server, int io_cpu, struct fault *fault)
{
    struct limits *limits = &server->daemon->limits;
    cpu_set_t before;
    bool moved = server_affinity_enter(io_cpu, &before);
    int error = nng_rep0_open(&server->socket); /* the first call: it makes all of nng's threads */

    if (moved)
        server_affinity_leave(&before);

    if (!error)
        error = nng_socket_set_size(server->socket, NNG_OPT_RECVMAXSZ,
                                    limits->message_bytes + HEADER_BYTES);
    if (!error)
        error = nng_pipe_notify(server->socket, NNG_PIPE_EV_ADD_PRE, pipe_event, server);
    if (!error)
        error = nng_pipe_notify(server->socket, NNG_PIPE_EV_REM_POST, pipe_event, server);
    for (unsigned i = 0; i < server->n_slots && !error; i++) {
        struct slot *slot = &server->slots[i];
        slot->server = server;
        error = nng_aio_alloc(&slot->aio, slot_done, slot);
        if (!error)
            error = nng_ctx_open(&slot->context, server->socket);
    }
    if (error)
        return fault_set(fault, HERO__V1__CODE__UNAVAILABLE, "cannot start nng: %s",
                         nng_strerror(error));
    return HERO__V1__CODE__OK;
}

/* tcp://127.0.0.1:0 was a wish; this is the port. */
static void learn_port(nng_listener handle, struct listener *listener)
{
    struct server_address *address = &listener->address;
    nng_sockaddr own;

    snprintf(listener->url, sizeof(listener->url), "%s", address->url);
    if (address->is_ipc || nng_listener_get_addr(handle, NNG_OPT_LOCADDR, &own) != 0)
        return;
    server_address_set_port(address,
                            own.s_family == NNG_AF_INET6 ? own.s_in6.sa_port : own.s_in.sa_port,
                            listener->url, sizeof(listener->url));
}

static Code listen_on(struct server *server, struct listener *listener,
                      const struct server_options *options, struct fault *fault)
{
    struct server_address *address = &listener->address;
    nng_listener handle;
    int error;

    if (server_address_guard(address, fault) != HERO__V1__CODE__OK)
        return fault->code;
    error = nng_listener_create(&handle, server->socket, address->url);
    if (!error && address->is_ipc)
        error = nng_listener_set_int(handle, NNG_OPT_IPC_PERMISSIONS, (int)options->socket_mode);
    if (!error && !address->is_ipc)
        error = nng_listener_set_bool(handle, NNG_OPT_TCP_KEEPALIVE, true);
    if (!error)
        error = nng_listener_start(handle, 0);
    if (error)
        return nng_fault(fault, error, address->url);
    learn_port(handle, listener);
    return server_address_bound(address, options->socket_group, fault);
}

static Code allocate(struct daemon *daemon, const struct server_options *options,
                     struct server **ret_server, struct fault *fault)
{
    struct limits *limits = &daemon->limits;
    struct server *server = calloc(1, sizeof(*server));
    size_t budget = limits->message_bytes * ARENA_TIMES;

    if (!server)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    *ret_server = server;
    server->daemon = daemon;
    connections_init(&server->connections);
    pthread_mutex_init(&server->boxes_lock, NULL);
    server->memory.budget = limits->memory_bytes;
    server->n_slots = limits->in_flight + SERVER_SPARE_CONTEXTS(limits->in_flight);
    server->connections.max = limits->max_clients;
    server->connections.max_running = limits->in_flight;
    server->connections.max_running_each = limits->in_flight_per_pipe;
    server->connections.max_sending_each = server->n_slots / 2;
    server->slots = calloc(server->n_slots, sizeof(*server->slots));
    server->boxes = calloc(server->n_slots, sizeof(*server->boxes));
    server->listeners = calloc(options->n_urls, sizeof(*server->listeners));
    if (!server->slots || !server->boxes || !server->listeners)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    for (unsigned i = server->n_slots; i-- > 0;) {
        arena_init(&server->boxes[i].call.arena, budget > ARENA_LEAST ? budget : ARENA_LEAST);
        server->boxes[i].call.arena.pool = &server->memory;
        server->boxes[i].next = server->free_boxes;
        server->free_boxes = &server->boxes[i];
    }
    return HERO__V1__CODE__OK;
}

Code server_start(struct daemon *daemon, const struct server_options *options,
                  struct server **ret_server, struct fault *fault)
{
    struct server *server = NULL;
    Code code = allocate(daemon, options, &server, fault);

    *ret_server = server;
    for (size_t i = 0; i < options->n_urls && code == HERO__V1__CODE__OK; i++)
        code = server_address_parse(&server->listeners[i].address, options->urls[i], fault);
    if (code == HERO__V1__CODE__OK)
        code = set_up(server, options->io_cpu, fault);
    for (size_t i = 0; i < options->n_urls && code == HERO__V1__CODE__OK; i++) {
        code = listen_on(server, &server->listeners[i], options, fault);
        server->n_listeners = i + 1;
    }
    if (code != HERO__V1__CODE__OK)
        return code;
    for (unsigned i = 0; i < server->n_slots; i++) {
        atomic_fetch_add(&server->n_busy, 1);
        receive(&server->slots[i]);
    }
    return HERO__V1__CODE__OK;
}

size_t server_n_urls(const struct server *server)
{
    return server->n_listeners;
}

const char *server_url(const struct server *server, size_t i)
{
    return server->listeners[i].url;
}

/* ---- while it serves ---- */

/* Connections end on nng's one reaper thread; where it hangs (sendmsg.c), each
 * client that goes leaves a descriptor and a place among max-clients behind. */
static Code await_end(struct server *server, uint32_t timeout_ms, struct fault *fault)
{
    const struct timespec pause = {0, 500000};
    int64_t until_ns = now_ns() + (int64_t)timeout_ms * 1000000;

    while (atomic_load(&server->probe_pipe) != 0) {
        if (now_ns() > until_ns)
            return fault_set(fault, HERO__V1__CODE__UNAVAILABLE,
                             "connections that end are not let go (%u ms): herod serves on, but "
                             "will run out of places for clients; restart it",
                             timeout_ms);
        nanosleep(&pause, NULL);
    }
    return HERO__V1__CODE__OK;
}

Code server_probe(struct server *server, uint32_t timeout_ms, struct fault *fault)
{
    for (size_t i = 0; i < server->n_listeners; i++) {
        Code code = server_probe_address(&server->listeners[i].address, timeout_ms,
                                         &server->probe_port, fault);
        if (code == HERO__V1__CODE__OK)
            code = await_end(server, timeout_ms, fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return HERO__V1__CODE__OK;
}

struct idle_search {
    int64_t before_ns;
    uint32_t pipes[64]; /* the rest comes with the next tick */
    size_t n;
};

static void collect_idle(const struct connection *connection, void *arg)
{
    struct idle_search *search = arg;

    if (connection->n_running == 0 && connection->n_sending == 0 &&
        connection->last_ns < search->before_ns &&
        search->n < sizeof(search->pipes) / sizeof(search->pipes[0]))
        search->pipes[search->n++] = connection->peer.pipe;
}

void server_close_idle(struct server *server)
{
    struct idle_search search = {
        .before_ns = now_ns() - (int64_t)server->daemon->limits.idle_timeout_s * 1000000000};

    if (server->daemon->limits.idle_timeout_s == 0)
        return;
    connections_each(&server->connections, collect_idle, &search);
    for (size_t i = 0; i < search.n; i++)
        nng_pipe_close((nng_pipe){search.pipes[i]});
}

/* ---- stop ---- */

struct drain {
    nng_stat *root;
    bool all_out;
};

/* The statistics' node of a connection: nested below its listener. */
static nng_stat *find_stat(nng_stat *node, const char *name)
{
    for (; node; node = nng_stat_next(node)) {
        nng_stat *below;
        if (strcmp(nng_stat_name(node), name) == 0)
            return node;
        below = find_stat(nng_stat_child(node), name);
        if (below)
            return below;
    }
    return NULL;
}

static void check_drained(const struct connection *connection, void *arg)
{
    struct drain *drain = arg;
    char name[32];

    if (connection->kicked)
        return;
    snprintf(name, sizeof(name), "pipe%u", connection->peer.pipe);
    nng_stat *node = find_stat(drain->root, name);
    nng_stat *sent = node ? find_stat(nng_stat_child(node), "tx_msgs") : NULL;
    if (sent && nng_stat_value(sent) < connection->n_sent)
        drain->all_out = false;
}

/* An answer that nng "sent" may still be in nng's hands; it is out when the
 * connection's own count of messages has grown to ours. */
static bool drained(struct server *server)
{
    struct drain drain = {.all_out = true};

    if (nng_stats_get(&drain.root) != 0)
        return true;
    connections_each(&server->connections, check_drained, &drain);
    nng_stats_free(drain.root);
    return drain.all_out;
}

bool server_quiesce(struct server *server, uint32_t timeout_ms)
{
    atomic_store(&server->stopping, true);
    return connections_wait_quiet(&server->connections, now_ns() + (int64_t)timeout_ms * 1000000);
}

void server_stop(struct server *server, uint32_t timeout_ms)
{
    const struct timespec pause = {0, 2000000};
    int64_t deadline_ns = now_ns() + (int64_t)timeout_ms * 1000000;

    server_quiesce(server, timeout_ms);
    while (!drained(server) && now_ns() < deadline_ns)
        nanosleep(&pause, NULL);
    for (size_t i = 0; i < server->n_listeners; i++)
        server_address_remove(&server->listeners[i].address);
}
