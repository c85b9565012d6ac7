/*
 * Connecting, and connecting again. Owns the dialer and the peer's identity;
 * the one place where nng's codes become ours, and where a failure to connect
 * is put into words.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "transport_internal.h"

/* nng tells a missing socket as one that refuses. */
static int true_error(const struct transport *transport, int error)
{
    struct stat status;

    return transport->path && error == NNG_ECONNREFUSED && stat(transport->path, &status)
               ? NNG_ENOENT
               : error;
}

static const char *hint_of(const struct transport *transport, int error)
{
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
        return "the host is not known, or the port is missing; tcp://host:port is wanted";
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

void transport_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
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

/* Only a blocking dial tells why it failed, and it has no deadline: so it
 * runs on a thread, and is ended by closing the dialer. */
int transport_dial(struct transport *transport, int64_t deadline_ns)
{
    struct dial dial = {.dialer = transport->dialer, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct timespec until = transport_timespec(deadline_ns);
    bool in_time = true;
    pthread_t thread;

    transport_cond_init(&dial.ended);
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

/* A dialer in place of the one that is there, if one is. */
static void replace_dialer(struct transport *transport, nng_dialer *dialer)
{
    nng_dialer fresh;

    if (dialer->id)
        nng_dialer_close(*dialer);
    dialer->id = 0;
    if (nng_dialer_create(&fresh, transport->socket, transport->url))
        return;
    if (nng_dialer_start(fresh, NNG_FLAG_NONBLOCK))
        nng_dialer_close(fresh);
    else
        *dialer = fresh;
}

static void *redial_thread(void *arg)
{
    struct transport *transport = arg;

    if (atomic_load(&transport->n_pipes) > 0) {
        replace_dialer(transport, &transport->spare);
        return NULL;
    }
    if (transport->spare.id)
        nng_dialer_close(transport->spare);
    transport->spare.id = 0;
    replace_dialer(transport, &transport->dialer);
    return NULL;
}

/* Where there is no connection nng may have given up on it for good. Where
 * there seems to be one and nothing can be sent, it may be dead: nng tells of
 * its end on its reaper thread, which can be locked up for ever (see
 * transport.c). Then a second connection is made beside it, and what is under
 * way on the first is left alone. The work is done on a thread of its own,
 * since it must not be on one of nng's. */
void transport_redial(struct transport *transport)
{
    int64_t least_ms = TRANSPORT_REDIAL_MS;
    pthread_t thread;

    if (atomic_load(&transport->closing) || pthread_mutex_trylock(&transport->dial_lock))
        return;
    if (atomic_load(&transport->n_pipes) > 0 && transport->spare.id)
        least_ms = TRANSPORT_SPARE_MS;
    if (transport_now_ns() - transport->dialed_ns > least_ms * 900000) {
        transport->dialed_ns = transport_now_ns();
        if (!pthread_create(&thread, NULL, redial_thread, transport))
            pthread_join(thread, NULL);
    }
    pthread_mutex_unlock(&transport->dial_lock);
}

Code transport_dial_fault(const struct transport *transport, int error, struct fault *fault)
{
    if (atomic_load(&transport->refused_uid) >= 0)
        return wrong_user(transport, fault);
    if (!error)
        return HERO__V1__CODE__OK;
    error = true_error(transport, error);
    const char *hint = hint_of(transport, error);
    if (error == NNG_ENOENT) /* the hint says it better */
        return fault_set(fault, code_of(error), "cannot connect to %s: %s", transport->url, hint);
    return fault_set(fault, code_of(error), "cannot connect to %s: %s: %s", transport->url,
                     nng_strerror(error), hint);
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
