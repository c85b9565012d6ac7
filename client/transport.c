/*
 * The connection: one req0 socket, one dialer, a context for each call in
 * flight. Opens and closes. Knows nothing of frames.
 *
 * What nng 1.5.2 is like decides much here and in the files beside:
 *  - it resends by default: off, or a write would be executed twice;
 *  - an aio without a callback ends on the thread that waits for it: calls
 *    that are waited for use one, which saves a change of threads each way;
 *  - receiving starts when sending has ended, never before (nng #1702);
 *  - a dialer whose handshake ends in EPIPE never dials again (the client's
 *    side of nng #1518): one that brings no connection for long is replaced;
 *  - closing can dead-lock with traffic in flight: we drain first, and
 *    rather leak a socket than hang;
 *  - a connection that ends between the head and the body of a message it
 *    receives locks up nng's one reaper thread, for all sockets of the
 *    process and for good: nng_close hangs from then on, and the end of a
 *    connection is told to nobody (transport_redial).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include "frame.h"
#include "transport_internal.h"
#include <nng/protocol/reqrep0/req.h>

#define RECONNECT_MIN_MS 10
#define RECONNECT_MAX_MS 200
/* How long closing may take before the socket is left behind. */
#define CLOSE_MS 2000

/* nng's reaper, one for the process, was seen to hang: waiting for it again is no use. */
static atomic_bool reaper_hangs;
#define CLOSE_HOPELESS_MS 20
#define STRAY_MS 30

void transport_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

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
        error = nng_pipe_notify(transport->socket, event, transport_on_pipe, transport);
    if (!error)
        error = nng_dialer_create(&transport->dialer, transport->socket, transport->url);
    if (!error)
        error = transport_dial(transport, deadline_ns);
    transport->dialed_ns = transport_now_ns();
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
    atomic_init(&transport->abandoned_ns, INT64_MIN / 2);
    transport->limit = 1;
    pthread_mutex_init(&transport->lock, NULL);
    pthread_mutex_init(&transport->dial_lock, NULL);
    transport_cond_init(&transport->changed);
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
    code = transport_dial_fault(transport, error, fault);
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
    struct timespec until = transport_timespec(deadline_ns);
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
    /* First the aios: freeing one waits until nng's expiry has let go of it,
     * and expiry that comes to a context or socket after its end locks a
     * mutex that is gone: nng panics. */
    for (struct transport_slot *slot = transport->all; slot; slot = slot->next) {
        transport_slot_free_aios(slot);
        nng_ctx_close(slot->ctx);
    }
    closing = calloc(1, sizeof(*closing));
    if (!closing) {
        nng_close(transport->socket);
        return true;
    }
    closing->socket = transport->socket;
    pthread_mutex_init(&closing->lock, NULL);
    transport_cond_init(&closing->ended);
    int64_t wait_ms = atomic_load(&reaper_hangs) ? CLOSE_HOPELESS_MS : CLOSE_MS;
    if (!close_within(closing, transport_now_ns() + wait_ms * 1000000)) {
        atomic_store(&reaper_hangs, true);
        return false;
    }
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
        struct timespec until = transport_timespec(transport_now_ns() + 10000000);

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

/* An answer that arrives while its connection is closed locks up the reaper:
 * those on their way to calls that were given up get time to arrive before. */
static void let_answers_arrive(const struct transport *transport)
{
    const struct timespec pause = {0, STRAY_MS * 1000000};

    if (transport_now_ns() - atomic_load(&transport->abandoned_ns) < 1000000000)
        nanosleep(&pause, NULL);
}

void transport_close(struct transport *transport)
{
    if (!transport)
        return;
    atomic_store(&transport->closing, true);
    cancel_started(transport);
    let_answers_arrive(transport);
    /* A redial under way ends first. */
    pthread_mutex_lock(&transport->dial_lock);
    if (transport->dialer.id)
        nng_dialer_close(transport->dialer);
    if (transport->spare.id)
        nng_dialer_close(transport->spare);
    pthread_mutex_unlock(&transport->dial_lock);
    if (!close_socket(transport))
        return;
    while (transport->all) {
        struct transport_slot *slot = transport->all;

        transport->all = slot->next;
        transport_slot_free(slot);
    }
    pthread_mutex_destroy(&transport->lock);
    pthread_mutex_destroy(&transport->dial_lock);
    pthread_cond_destroy(&transport->changed);
    free(transport->url);
    free(transport);
}

bool transport_is_closing(const struct transport *transport)
{
    return atomic_load(&transport->closing);
}
