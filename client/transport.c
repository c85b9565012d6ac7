/*
 * The connection: one req0 socket, one dialer, a context for each call in
 * flight. The only file of the library that includes nng.h, and the one place
 * where nng's codes become ours. Knows nothing of frames.
 *
 * What nng 1.5.2 is like decides much here:
 *  - it resends by default: off, or a write would be executed twice;
 *  - an aio without a callback ends on the thread that waits for it: calls
 *    that are waited for use one, which saves a change of threads each way;
 *  - receiving starts when sending has ended, never before (nng #1702);
 *  - a dialer whose handshake ends in EPIPE never dials again (the client's
 *    side of nng #1518): one that brings no connection for long is replaced;
 *  - closing can dead-lock with traffic in flight: we drain first, and
 *    rather leak a socket than hang.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include "frame.h"
#include "transport.h"

#define RECONNECT_MIN_MS 10
#define RECONNECT_MAX_MS 200
/* How long a call waits for a connection before the dialer is replaced. */
#define REDIAL_MS 1000
/* How long closing may take before the socket is left behind. */
#define CLOSE_MS 2000

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
    atomic_bool closing;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a slot came back, or the last started one ended */
    struct transport_slot *free, *all;
    size_t n_slots, limit;
    size_t n_started, n_waiting;

    pthread_mutex_t dial_lock;
    nng_dialer dialer;
    int64_t dialed_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* At least 1: zero would mean "at once or not at all" to nng. */
static nng_duration remaining_ms(int64_t deadline_ns)
{
    int64_t ms = (deadline_ns - now_ns() + 999999) / 1000000;

    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (nng_duration)ms;
}

static nng_duration send_slice_ms(int64_t deadline_ns)
{
    nng_duration ms = remaining_ms(deadline_ns);

    return ms < REDIAL_MS ? ms : REDIAL_MS;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* ---- connecting ---- */

static const char *hint_of(const struct transport *transport, int error)
{
    struct stat status;

    /* nng tells a missing socket as one that refuses. */
    if (transport->path && error == NNG_ECONNREFUSED && stat(transport->path, &status))
        error = NNG_ENOENT;
    switch (error) {
    case NNG_ENOENT:
        return transport->path
                   ? "there is no such socket; is herod running, and is this its --listen?"
                   : "no such host";
    case NNG_ECONNREFUSED:
        return "nobody listens there; is herod running?";
    case NNG_EPERM:
        return "the socket's mode does not let this user in; see herod's --socket-mode and "
               "--socket-group";
    case NNG_EADDRINVAL:
        return "not an address; ipc:///path/of/socket or tcp://host:port is wanted";
    case NNG_EAGAIN:
        return "the daemon does not accept connections at present";
    case NNG_EPROTO:
    case NNG_ECONNSHUT:
    case NNG_ECONNRESET:
        return "something else than herod seems to listen there";
    }
    return "is herod running?";
}

/* The one place where nng's codes become ours. */
static Code code_of(int error)
{
    switch (error) {
    case NNG_EPERM:
    case NNG_EPEERAUTH:
        return HERO__V1__CODE__PERMISSION_DENIED;
    case NNG_EADDRINVAL:
    case NNG_EINVAL:
    case NNG_ENOTSUP:
        return HERO__V1__CODE__INVALID_ARGUMENT;
    case NNG_ENOMEM:
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    case NNG_ETIMEDOUT:
        return HERO__V1__CODE__DEADLINE_EXCEEDED;
    }
    return HERO__V1__CODE__UNAVAILABLE;
}

static Code wrong_user(const struct transport *transport, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__PERMISSION_DENIED,
                     "%s belongs to a daemon of user %lld, not of user %lld", transport->url,
                     (long long)atomic_load(&transport->refused_uid),
                     (long long)transport->daemon_uid);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct transport *transport = arg;
    uint64_t uid;

    switch (event) {
    case NNG_PIPE_EV_ADD_PRE:
        if (transport->daemon_uid < 0 || !transport->path)
            break;
        if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid))
            uid = UINT32_MAX;
        if (uid != 0 && uid != (uint64_t)transport->daemon_uid) {
            atomic_store(&transport->refused_uid, (int64_t)uid);
            nng_pipe_close(pipe);
        }
        break;
    case NNG_PIPE_EV_ADD_POST:
        atomic_store(&transport->refused_uid, -1);
        atomic_fetch_add(&transport->n_pipes, 1);
        break;
    case NNG_PIPE_EV_REM_POST:
        /* Also told of a pipe that ADD_PRE closed, which was never counted. */
        if (atomic_load(&transport->n_pipes) > 0)
            atomic_fetch_sub(&transport->n_pipes, 1);
        break;
    default:
        break;
    }
}

struct dial {
    nng_dialer dialer;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    int error;
};

static void *dial_thread(void *arg)
{
    struct dial *dial = arg;
    int error = nng_dialer_start(dial->dialer, 0);

    pthread_mutex_lock(&dial->lock);
    dial->error = error;
    dial->over = true;
    pthread_cond_signal(&dial->ended);
    pthread_mutex_unlock(&dial->lock);
    return NULL;
}

static void monotonic_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Only a blocking dial tells why it failed, and it has no deadline: so it
 * runs on a thread, and is ended by closing the dialer. */
static int dial_first(struct transport *transport, int64_t deadline_ns)
{
    struct dial dial = {.dialer = transport->dialer, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct timespec until = timespec_of(deadline_ns);
    bool in_time = true;
    pthread_t thread;

    monotonic_cond_init(&dial.ended);
    if (pthread_create(&thread, NULL, dial_thread, &dial)) {
        pthread_cond_destroy(&dial.ended);
        return NNG_ENOMEM;
    }
    pthread_mutex_lock(&dial.lock);
    while (!dial.over && in_time)
        in_time = pthread_cond_timedwait(&dial.ended, &dial.lock, &until) != ETIMEDOUT;
    in_time = dial.over;
    pthread_mutex_unlock(&dial.lock);
    if (!in_time)
        nng_dialer_close(dial.dialer);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&dial.ended);
    pthread_mutex_destroy(&dial.lock);
    return in_time ? dial.error : NNG_ETIMEDOUT;
}

static void *redial_thread(void *arg)
{
    struct transport *transport = arg;
    nng_dialer dialer;

    nng_dialer_close(transport->dialer);
    if (!nng_dialer_create(&dialer, transport->socket, transport->url)) {
        if (nng_dialer_start(dialer, NNG_FLAG_NONBLOCK))
            nng_dialer_close(dialer);
        else
            transport->dialer = dialer;
    }
    return NULL;
}

/* No connection for a while: nng may have given up on it for good. The work
 * is done on a thread of its own, since it must not be on one of nng's. */
static void redial(struct transport *transport)
{
    pthread_t thread;

    if (atomic_load(&transport->n_pipes) > 0 || atomic_load(&transport->closing))
        return;
    if (pthread_mutex_trylock(&transport->dial_lock))
        return;
    if (now_ns() - transport->dialed_ns > (int64_t)REDIAL_MS * 900000) {
        transport->dialed_ns = now_ns();
        if (!pthread_create(&thread, NULL, redial_thread, transport))
            pthread_join(thread, NULL);
    }
    pthread_mutex_unlock(&transport->dial_lock);
}

/* ---- opening and closing ---- */

static Code check_url(const char *url, struct fault *fault)
{
    if (!strncmp(url, "ipc://", 6)) {
        size_t len = strlen(url + 6);

        if (url[6] != '/')
            return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                             "%s: the path after ipc:// must begin with a /", url);
        if (len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
            return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                             "%s: the socket's path has %zu bytes; at most %zu are possible", url,
                             len, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        return HERO__V1__CODE__OK;
    }
    if (!strncmp(url, "tcp://", 6) && url[6])
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                     "%s: not an address; ipc:///path/of/socket or tcp://host:port is wanted", url);
}

static int open_socket(struct transport *transport, int64_t deadline_ns)
{
    int error = nng_req0_open(&transport->socket);

    if (error)
        return error;
    (void)nng_socket_set_ms(transport->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    (void)nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    (void)nng_socket_set_ms(transport->socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    /* No daemon sends more; what it really takes is checked before sending. */
    (void)nng_socket_set_size(transport->socket, NNG_OPT_RECVMAXSZ, FRAME_MAX_BYTES);
    for (int event = NNG_PIPE_EV_ADD_PRE; !error && event <= NNG_PIPE_EV_REM_POST; event++)
        error = nng_pipe_notify(transport->socket, event, on_pipe, transport);
    if (!error)
        error = nng_dialer_create(&transport->dialer, transport->socket, transport->url);
    if (!error)
        error = dial_first(transport, deadline_ns);
    transport->dialed_ns = now_ns();
    return error;
}

static struct transport *transport_new(const char *url, int64_t daemon_uid)
{
    struct transport *transport = calloc(1, sizeof(*transport));

    if (!transport)
        return NULL;
    transport->url = strdup(url);
    if (!transport->url) {
        free(transport);
        return NULL;
    }
    if (!strncmp(url, "ipc://", 6))
        transport->path = transport->url + 6;
    transport->daemon_uid = daemon_uid;
    atomic_init(&transport->refused_uid, -1);
    transport->limit = 1;
    pthread_mutex_init(&transport->lock, NULL);
    pthread_mutex_init(&transport->dial_lock, NULL);
    monotonic_cond_init(&transport->changed);
    return transport;
}

Code transport_open(const char *url, int64_t daemon_uid, int64_t deadline_ns,
                    struct transport **ret_transport, struct fault *fault)
{
    struct transport *transport;
    Code code = check_url(url, fault);
    int error;

    if (code)
        return code;
    transport = transport_new(url, daemon_uid);
    if (!transport)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a client");
    error = open_socket(transport, deadline_ns);
    if (atomic_load(&transport->refused_uid) >= 0)
        code = wrong_user(transport, fault);
    else if (error)
        code = fault_set(fault, code_of(error), "cannot connect to %s: %s: %s", url,
                         nng_strerror(error), hint_of(transport, error));
    if (code)
        transport_close(transport);
    else
        *ret_transport = transport;
    return code;
}

/* Closing, on a thread that may never come back from it. */
struct closing {
    nng_socket socket;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
};

static void *close_thread(void *arg)
{
    struct closing *closing = arg;

    nng_close(closing->socket);
    pthread_mutex_lock(&closing->lock);
    closing->over = true;
    pthread_cond_signal(&closing->ended);
    pthread_mutex_unlock(&closing->lock);
    return NULL;
}

/* false: it hangs, and keeps what it was given. */
static bool close_within(struct closing *closing, int64_t deadline_ns)
{
    struct timespec until = timespec_of(deadline_ns);
    bool in_time = true;
    pthread_t thread;

    if (pthread_create(&thread, NULL, close_thread, closing)) {
        nng_close(closing->socket);
        return true;
    }
    pthread_mutex_lock(&closing->lock);
    while (!closing->over && in_time)
        in_time = pthread_cond_timedwait(&closing->ended, &closing->lock, &until) != ETIMEDOUT;
    in_time = closing->over;
    pthread_mutex_unlock(&closing->lock);
    if (in_time)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    return in_time;
}

/* false: it hangs; socket and transport must be left behind. */
static bool close_socket(struct transport *transport)
{
    struct closing *closing;

    if (!transport->socket.id)
        return true;
    for (struct transport_slot *slot = transport->all; slot; slot = slot->next)
        nng_ctx_close(slot->ctx);
    closing = calloc(1, sizeof(*closing));
    if (!closing) {
        nng_close(transport->socket);
        return true;
    }
    closing->socket = transport->socket;
    pthread_mutex_init(&closing->lock, NULL);
    monotonic_cond_init(&closing->ended);
    if (!close_within(closing, now_ns() + (int64_t)CLOSE_MS * 1000000))
        return false;
    pthread_mutex_destroy(&closing->lock);
    pthread_cond_destroy(&closing->ended);
    free(closing);
    return true;
}

/* Cancelling can come between a started call's sending and receiving, where
 * there is nothing to cancel: so it is repeated until all have ended. */
static void cancel_started(struct transport *transport)
{
    pthread_mutex_lock(&transport->lock);
    while (transport->n_started) {
        struct timespec until = timespec_of(now_ns() + 10000000);

        for (struct transport_slot *slot = transport->all; slot; slot = slot->next) {
            nng_aio *aio = slot->start_aio;

            if (!aio)
                continue;
            pthread_mutex_unlock(&transport->lock);
            nng_aio_cancel(aio); /* may run the callback, which takes the lock */
            pthread_mutex_lock(&transport->lock);
        }
        if (transport->n_started)
            pthread_cond_timedwait(&transport->changed, &transport->lock, &until);
    }
    pthread_mutex_unlock(&transport->lock);
}

static void slot_free(struct transport_slot *slot)
{
    if (slot->start_aio)
        nng_aio_free(slot->start_aio);
    if (slot->run_aio)
        nng_aio_free(slot->run_aio);
    if (slot->message)
        nng_msg_free(slot->message);
    if (slot->reply)
        nng_msg_free(slot->reply);
    free(slot);
}

void transport_close(struct transport *transport)
{
    if (!transport)
        return;
    atomic_store(&transport->closing, true);
    cancel_started(transport);
    /* A redial under way ends first. */
    pthread_mutex_lock(&transport->dial_lock);
    if (transport->dialer.id)
        nng_dialer_close(transport->dialer);
    pthread_mutex_unlock(&transport->dial_lock);
    if (!close_socket(transport))
        return;
    while (transport->all) {
        struct transport_slot *slot = transport->all;

        transport->all = slot->next;
        slot_free(slot);
    }
    pthread_mutex_destroy(&transport->lock);
    pthread_mutex_destroy(&transport->dial_lock);
    pthread_cond_destroy(&transport->changed);
    free(transport->url);
    free(transport);
}

/* ---- slots ---- */

void transport_limit(struct transport *transport, size_t n_slots)
{
    pthread_mutex_lock(&transport->lock);
    transport->limit = n_slots ? n_slots : 1;
    pthread_mutex_unlock(&transport->lock);
}

static struct transport_slot *slot_new(struct transport *transport)
{
    struct transport_slot *slot = calloc(1, sizeof(*slot));

    if (!slot)
        return NULL;
    slot->transport = transport;
    if (nng_aio_alloc(&slot->run_aio, NULL, NULL)) {
        free(slot);
        return NULL;
    }
    if (nng_ctx_open(&slot->ctx, transport->socket)) {
        slot_free(slot);
        return NULL;
    }
    return slot;
}

static struct transport_slot *add_slot(struct transport *transport)
{
    struct transport_slot *slot = slot_new(transport);

    if (slot) {
        slot->next = transport->all;
        transport->all = slot;
        transport->n_slots++;
    }
    return slot;
}

struct transport_slot *transport_acquire(struct transport *transport, bool wait,
                                         int64_t deadline_ns)
{
    struct transport_slot *slot;
    bool in_time = wait;

    pthread_mutex_lock(&transport->lock);
    while (!transport->free && transport->n_slots >= transport->limit && in_time) {
        struct timespec until = timespec_of(deadline_ns);

        transport->n_waiting++;
        in_time =
            pthread_cond_timedwait(&transport->changed, &transport->lock, &until) != ETIMEDOUT;
        transport->n_waiting--;
    }
    slot = transport->free;
    if (slot)
        transport->free = slot->next_free;
    else if (transport->n_slots < transport->limit)
        slot = add_slot(transport);
    pthread_mutex_unlock(&transport->lock);
    return slot;
}

void transport_release(struct transport_slot *slot)
{
    struct transport *transport = slot->transport;

    transport_reply_free(slot);
    pthread_mutex_lock(&transport->lock);
    slot->next_free = transport->free;
    transport->free = slot;
    /* All of them: the one woken may be transport_close's. */
    if (transport->n_waiting)
        pthread_cond_broadcast(&transport->changed);
    pthread_mutex_unlock(&transport->lock);
}

uint8_t *transport_message(struct transport_slot *slot, size_t len)
{
    if (slot->message && nng_msg_len(slot->message) != len) {
        nng_msg_free(slot->message);
        slot->message = NULL;
    }
    if (!slot->message && nng_msg_alloc(&slot->message, len)) {
        slot->message = NULL;
        return NULL;
    }
    return nng_msg_body(slot->message);
}

void transport_reply_free(struct transport_slot *slot)
{
    if (slot->reply)
        nng_msg_free(slot->reply);
    slot->reply = NULL;
}

static struct transport_reply take_reply(struct transport_slot *slot, nng_aio *aio)
{
    slot->reply = nng_aio_get_msg(aio);
    nng_aio_set_msg(aio, NULL);
    return (struct transport_reply){nng_msg_body(slot->reply), nng_msg_len(slot->reply)};
}

static void begin_send(struct transport_slot *slot, nng_aio *aio)
{
    slot->sending = true;
    nng_aio_set_timeout(aio, send_slice_ms(slot->deadline_ns));
    nng_aio_set_msg(aio, slot->message);
    nng_ctx_send(slot->ctx, aio);
}

static void begin_receive(struct transport_slot *slot, nng_aio *aio)
{
    slot->message = NULL; /* sent: it is nng's */
    slot->sending = false;
    nng_aio_set_msg(aio, NULL);
    nng_aio_set_timeout(aio, remaining_ms(slot->deadline_ns));
    nng_ctx_recv(slot->ctx, aio);
}

/* A sending that failed leaves the message ours. */
static enum transport_end send_failed(int error)
{
    switch (error) {
    case NNG_ECANCELED:
    case NNG_ECLOSED:
        return TRANSPORT_CANCELLED;
    case NNG_ENOMEM:
        return TRANSPORT_NO_MEMORY;
    }
    return TRANSPORT_NOT_SENT;
}

static enum transport_end receive_failed(int error)
{
    switch (error) {
    case NNG_ECANCELED:
    case NNG_ECLOSED:
        return TRANSPORT_CANCELLED;
    case NNG_ETIMEDOUT:
        return TRANSPORT_TIMED_OUT;
    }
    return TRANSPORT_LOST;
}

enum transport_end transport_run(struct transport_slot *slot, int64_t deadline_ns,
                                 struct transport_reply *ret_reply)
{
    nng_aio *aio = slot->run_aio;
    int error;

    transport_reply_free(slot);
    slot->deadline_ns = deadline_ns;
    for (;;) {
        begin_send(slot, aio);
        nng_aio_wait(aio);
        error = nng_aio_result(aio);
        if (error != NNG_ETIMEDOUT || now_ns() >= deadline_ns)
            break;
        redial(slot->transport);
    }
    if (error)
        return send_failed(error);
    begin_receive(slot, aio);
    nng_aio_wait(aio);
    error = nng_aio_result(aio);
    if (error)
        return receive_failed(error);
    *ret_reply = take_reply(slot, aio);
    return TRANSPORT_ANSWERED;
}

/* ---- started calls ---- */

static void ended(struct transport_slot *slot, enum transport_end end, struct transport_reply reply)
{
    struct transport *transport = slot->transport;

    slot->done(slot->arg, end, reply);
    pthread_mutex_lock(&transport->lock);
    if (!--transport->n_started)
        pthread_cond_broadcast(&transport->changed);
    pthread_mutex_unlock(&transport->lock);
}

static void on_sent(struct transport_slot *slot, int error)
{
    const struct transport_reply none = {NULL, 0};

    if (!error) {
        begin_receive(slot, slot->start_aio);
    } else if (error == NNG_ETIMEDOUT && now_ns() < slot->deadline_ns &&
               !atomic_load(&slot->transport->closing)) {
        redial(slot->transport);
        begin_send(slot, slot->start_aio);
    } else {
        ended(slot, send_failed(error), none);
    }
}

static void on_aio(void *arg)
{
    struct transport_slot *slot = arg;
    const struct transport_reply none = {NULL, 0};
    int error = nng_aio_result(slot->start_aio);

    if (slot->sending)
        on_sent(slot, error);
    else if (error)
        ended(slot, receive_failed(error), none);
    else
        ended(slot, TRANSPORT_ANSWERED, take_reply(slot, slot->start_aio));
}

Code transport_start(struct transport_slot *slot, int64_t deadline_ns, transport_done *done,
                     void *arg)
{
    struct transport *transport = slot->transport;

    pthread_mutex_lock(&transport->lock);
    if (!slot->start_aio && nng_aio_alloc(&slot->start_aio, on_aio, slot)) {
        slot->start_aio = NULL;
        pthread_mutex_unlock(&transport->lock);
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    }
    transport->n_started++;
    pthread_mutex_unlock(&transport->lock);
    transport_reply_free(slot);
    slot->deadline_ns = deadline_ns;
    slot->done = done;
    slot->arg = arg;
    begin_send(slot, slot->start_aio);
    return HERO__V1__CODE__OK;
}

bool transport_is_closing(const struct transport *transport)
{
    return atomic_load(&transport->closing);
}

/* ---- what is told of failures ---- */

Code transport_explain(struct transport *transport, enum transport_end end, struct fault *fault)
{
    struct stat status;

    switch (end) {
    case TRANSPORT_ANSWERED:
        return HERO__V1__CODE__OK;
    case TRANSPORT_NOT_SENT:
        if (atomic_load(&transport->refused_uid) >= 0)
            return wrong_user(transport, fault);
        if (transport->path && stat(transport->path, &status))
            return fault_set(fault, HERO__V1__CODE__UNAVAILABLE, "no connection to %s: %s",
                             transport->url, hint_of(transport, NNG_ENOENT));
        return fault_set(fault, HERO__V1__CODE__UNAVAILABLE,
                         "no connection to %s before the deadline; is herod running?",
                         transport->url);
    case TRANSPORT_LOST:
        return fault_set(fault, HERO__V1__CODE__UNAVAILABLE,
                         "the connection to %s was lost before the answer came", transport->url);
    case TRANSPORT_TIMED_OUT:
        return fault_set(fault, HERO__V1__CODE__DEADLINE_EXCEEDED,
                         "no answer from %s before the deadline", transport->url);
    case TRANSPORT_CANCELLED:
        return fault_set(fault, HERO__V1__CODE__CANCELLED, "the client was closed");
    case TRANSPORT_NO_MEMORY:
        break;
    }
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory to send");
}
