/*
 * Slots: a context and its aios for each call in flight, and the steps of a
 * call through them, on the caller's thread or on nng's.
 */
#include <errno.h>
#include <stdlib.h>
#include "transport_internal.h"

/* At least 1: zero would mean "at once or not at all" to nng. */
static nng_duration remaining_ms(int64_t deadline_ns)
{
    int64_t ms = (deadline_ns - transport_now_ns() + 999999) / 1000000;

    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (nng_duration)ms;
}

static nng_duration send_slice_ms(int64_t deadline_ns)
{
    nng_duration ms = remaining_ms(deadline_ns);

    return ms < TRANSPORT_REDIAL_MS ? ms : TRANSPORT_REDIAL_MS;
}

void transport_slot_free_aios(struct transport_slot *slot)
{
    if (slot->start_aio)
        nng_aio_free(slot->start_aio);
    if (slot->run_aio)
        nng_aio_free(slot->run_aio);
    slot->start_aio = slot->run_aio = NULL;
}

void transport_slot_free(struct transport_slot *slot)
{
    transport_slot_free_aios(slot);
    if (slot->message)
        nng_msg_free(slot->message);
    if (slot->reply)
        nng_msg_free(slot->reply);
    free(slot);
}

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
        transport_slot_free(slot);
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
        struct timespec until = transport_timespec(deadline_ns);

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

/* nng 1.5.2 cancels several aios that time out together one after the other,
 * without looking again: one that ended meanwhile and is in use for the next
 * step ends too early then. Before the deadline a timeout is none. */
static enum transport_end receive_failed(const struct transport_slot *slot, int error)
{
    atomic_store(&slot->transport->abandoned_ns, transport_now_ns());
    switch (error) {
    case NNG_ECANCELED:
    case NNG_ECLOSED:
        return TRANSPORT_CANCELLED;
    case NNG_ETIMEDOUT:
        return transport_now_ns() < slot->deadline_ns ? TRANSPORT_LOST : TRANSPORT_TIMED_OUT;
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
        if (error != NNG_ETIMEDOUT || transport_now_ns() >= deadline_ns)
            break;
        transport_redial(slot->transport);
    }
    if (error)
        return send_failed(error);
    begin_receive(slot, aio);
    nng_aio_wait(aio);
    error = nng_aio_result(aio);
    if (error)
        return receive_failed(slot, error);
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
    } else if (error == NNG_ETIMEDOUT && transport_now_ns() < slot->deadline_ns &&
               !atomic_load(&slot->transport->closing)) {
        transport_redial(slot->transport);
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
        ended(slot, receive_failed(slot, error), none);
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
