/*
 * A call from its preparation to its result: deadlines, frames, repeating
 * what was lost, and what a failure is told as. What a method's input and
 * output mean is known to those who prepare it.
 *
 * What may be repeated: reads, since they change nothing; writes, since they
 * have a seq. A repeat that is refused does not tell what became of the first
 * sending, unless the refusal is one that only carrying it out can give.
 */
#include <stdlib.h>
#include <string.h>
#include "error.h"
#include "frame.h"
#include "request_internal.h"

/* The daemon is told to give up a little earlier than we do, so that what it
 * says of it arrives in time. */
#define MARGIN_MAX_MS 100

/* ---- life ---- */

static hero_request *request_new(hero_client *client, const char *method, bool is_write)
{
    hero_request *request = calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    arena_init(&request->arena, REQUEST_BYTES);
    request->client = client;
    request->method = method;
    request->is_write = is_write;
    request->timeout_ms = client->timeout_ms;
    return request;
}

void hero_request_free(hero_request *request)
{
    if (!request)
        return;
    identity_settle(&request->client->identity, &request->write);
    bindings_unref(request->bindings);
    arena_done(&request->arena);
    free(request);
}

void hero_request_set_timeout(hero_request *request, uint32_t timeout_ms)
{
    if (request)
        request->timeout_ms = timeout_ms ? timeout_ms : request->client->timeout_ms;
}

void hero_request_set_seq(hero_request *request, uint64_t seq)
{
    if (!request || !request->is_write)
        return;
    identity_settle(&request->client->identity, &request->write);
    request->own_seq = seq;
}

uint64_t hero_request_seq(const hero_request *request)
{
    /* The seq is taken when it is first asked for, or when the write is sent. */
    hero_request *taking = (hero_request *)(uintptr_t)request;

    if (!request || !request->is_write)
        return 0;
    identity_begin(&request->client->identity, &taking->write, request->own_seq);
    return request->write.seq;
}

Code request_pack(hero_request *request, const ProtobufCMessage *message, struct fault *fault)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(&request->arena, len ? len : 1);

    if (!bytes)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the request takes more than %zu bytes", request->arena.budget);
    protobuf_c_message_pack(message, bytes);
    request->payload = (ProtobufCBinaryData){len, bytes};
    return HERO__V1__CODE__OK;
}

/* ---- preparing ---- */

static int64_t deadline_of(const hero_client *client, uint32_t timeout_ms)
{
    return client_now_ns() + (int64_t)(timeout_ms ? timeout_ms : client->timeout_ms) * 1000000;
}

static Code prepare_once(hero_client *client, const struct request_kind *kind,
                         const void *arguments, int64_t deadline_ns, hero_request **ret_request,
                         struct fault *fault)
{
    hero_request *request = request_new(client, kind->method, kind->is_write);
    Code code = HERO__V1__CODE__OK;

    if (!request)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a request");
    *ret_request = request;
    if (kind->needs_models)
        code = client_bindings(client, deadline_ns, &request->bindings, fault);
    return code ? code : kind->build(request, arguments, fault);
}

hero_request *request_prepare(hero_client *client, const struct request_kind *kind,
                              const void *arguments, hero_error *error)
{
    int64_t deadline_ns = deadline_of(client, 0);
    struct fault fault = FAULT_INIT;
    hero_request *request = NULL;
    Code code = prepare_once(client, kind, arguments, deadline_ns, &request, &fault);

    /* A model that was applied since the models were fetched is no fault. */
    if (code && request && request->bindings &&
        client_bindings_changed(client, deadline_ns, request->bindings)) {
        hero_request_free(request);
        request = NULL;
        fault_done(&fault);
        code = prepare_once(client, kind, arguments, deadline_ns, &request, &fault);
    }
    if (code) {
        hero_request_free(request);
        request = NULL;
    }
    (void)error_give(error, &fault, HERO_NOT_SENT);
    return request;
}

/* ---- sending ---- */

static void begin(hero_request *request)
{
    request->deadline_ns = deadline_of(request->client, request->timeout_ms);
    if (!request->is_write)
        return;
    identity_begin(&request->client->identity, &request->write, request->own_seq);
    /* A seq of the program's own is a repeat of something: what became of that
     * is unknown until the daemon says so. */
    request->sent = request->own_seq != 0;
}

static uint32_t told_timeout_ms(const hero_request *request)
{
    int64_t ms = (request->deadline_ns - client_now_ns()) / 1000000;
    int64_t margin = ms / 10 < MARGIN_MAX_MS ? ms / 10 : MARGIN_MAX_MS;

    return ms - margin < 1 ? 1 : (uint32_t)(ms - margin);
}

/* What was packed and, behind it, the flags that were set since. */
static Code whole_payload(hero_request *request, ProtobufCBinaryData *ret_payload,
                          struct fault *fault)
{
    uint8_t flags[REQUEST_FLAGS_BYTES];
    size_t n = request_flags(request, flags), len = request->payload.len;

    *ret_payload = request->payload;
    if (n == 0)
        return HERO__V1__CODE__OK;
    ret_payload->data = arena_alloc(&request->arena, len + n);
    if (!ret_payload->data)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the request takes more than %zu bytes", request->arena.budget);
    if (len)
        memcpy(ret_payload->data, request->payload.data, len);
    memcpy(ret_payload->data + len, flags, n);
    ret_payload->len = len + n;
    return HERO__V1__CODE__OK;
}

Code request_put_frame(hero_request *request, struct fault *fault)
{
    Hero__V1__Request frame = HERO__V1__REQUEST__INIT;
    hero_client *client = request->client;
    uint8_t *bytes;
    size_t len;

    frame.method = (char *)(uintptr_t)request->method;
    frame.has_payload = 1;
    if (whole_payload(request, &frame.payload, fault))
        return fault->code;
    frame.has_timeout_ms = 1;
    frame.timeout_ms = told_timeout_ms(request);
    if (request->is_write) {
        frame.has_client = frame.has_seq = frame.has_lowest_seq = 1;
        frame.client = (ProtobufCBinaryData){IDENTITY_BYTES, request->write.id};
        frame.seq = request->write.seq;
        frame.lowest_seq = identity_lowest(&client->identity, &request->write);
    }
    if (request->bindings) {
        frame.has_models_version = 1;
        frame.models_version = bindings_models(request->bindings)->version;
    }
    frame.has_echo = frame.echo = client->echo != NULL;
    len = hero__v1__request__get_packed_size(&frame);
    if (len > atomic_load_explicit(&client->message_bytes, memory_order_relaxed))
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the request takes %zu bytes; the daemon takes at most %zu (its "
                         "--message-limit); nothing was sent",
                         len, atomic_load_explicit(&client->message_bytes, memory_order_relaxed));
    bytes = transport_message(request->slot, len);
    if (!bytes)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the message");
    hero__v1__request__pack(&frame, bytes);
    return HERO__V1__CODE__OK;
}

/* ---- the end ---- */

/* The slot goes back, the seq is settled or kept open. */
static void finish(hero_request *request, const struct ending *ending)
{
    if (request->slot)
        transport_release(request->slot);
    request->slot = NULL;
    if (ending->outcome == HERO_OUTCOME_UNKNOWN && request->write.open)
        identity_abandon(&request->client->identity, &request->write);
}

static Code busy(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "as many calls are in flight as the daemon takes of one connection; nothing "
                     "was sent");
}

/* ---- running ---- */

static void run(hero_request *request, struct ending *ending)
{
    struct transport_reply reply = {NULL, 0};
    enum transport_end end;

    *ending = (struct ending){.fault = FAULT_INIT};
    begin(request);
    ending->outcome = request->sent ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
    request->slot = transport_acquire(request->client->transport, true, request->deadline_ns);
    if (!request->slot)
        busy(&ending->fault);
    else if (!request_put_frame(request, &ending->fault))
        do {
            end = transport_run(request->slot, request->deadline_ns, &reply);
            request_end(request, end, reply, ending);
        } while (ending->again);
    finish(request, ending);
}

hero_result *hero_request_run(hero_request *request, hero_error *error)
{
    struct ending ending;

    if (!request)
        return NULL;
    run(request, &ending);
    (void)error_give(error, &ending.fault, ending.outcome);
    hero_request_free(request);
    return ending.result;
}

hero_result *request_call(hero_client *client, const struct request_kind *kind,
                          const void *arguments, hero_error *error)
{
    struct ending ending = {.fault = FAULT_INIT};

    for (int attempt = 0; attempt < 2; attempt++) {
        hero_request *request = request_prepare(client, kind, arguments, error);
        bool stale;

        if (!request)
            return NULL;
        run(request, &ending);
        stale = request->stale && ending.outcome == HERO_REFUSED;
        hero_request_free(request);
        if (!stale || attempt)
            break;
        fault_done(&ending.fault);
    }
    (void)error_give(error, &ending.fault, ending.outcome);
    return ending.result;
}

hero_result *request_commit(hero_client *client, ProtobufCBinaryData payload,
                            struct bindings *bindings, uint64_t *seq, hero_outcome *ret_outcome,
                            struct fault *fault)
{
    hero_request *request = request_new(client, "hero.v1.Records/Commit", true);
    struct ending ending;

    if (!request) {
        *ret_outcome = *seq ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
        fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a request");
        return NULL;
    }
    request->bindings = bindings_ref(bindings);
    request->payload = payload;
    request->read = request_read_commit;
    request->own_seq = *seq;
    run(request, &ending);
    *seq = request->write.seq;
    *ret_outcome = ending.outcome;
    fault_done(fault);
    *fault = ending.fault;
    hero_request_free(request);
    return ending.result;
}

Code request_validate(hero_client *client, ProtobufCBinaryData payload, struct bindings *bindings,
                      hero_outcome *ret_outcome, struct fault *fault)
{
    hero_request *request = request_new(client, "hero.v1.Records/Commit", false);
    struct ending ending;

    *ret_outcome = HERO_NOT_SENT;
    if (!request)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a request");
    request->bindings = bindings_ref(bindings);
    request->payload = payload;
    request->validate_only = request->keys_only = true;
    run(request, &ending);
    *ret_outcome = ending.outcome;
    fault_done(fault);
    *fault = ending.fault;
    hero_result_free(ending.result);
    hero_request_free(request);
    return fault->code;
}

/* ---- starting ---- */

static void started_ended(hero_request *request, struct ending *ending)
{
    hero_done *done = request->done;
    hero_error error = HERO_ERROR_INIT;
    void *arg = request->done_arg;

    finish(request, ending);
    hero_request_free(request);
    (void)error_give(&error, &ending->fault, ending->outcome);
    done(arg, ending->result, &error);
    hero_error_free(&error);
}

static void on_end(void *arg, enum transport_end end, struct transport_reply reply)
{
    hero_request *request = arg;
    struct ending ending;

    request_end(request, end, reply, &ending);
    if (ending.again) {
        if (!transport_start(request->slot, request->deadline_ns, on_end, request))
            return;
        ending.outcome = request->sent ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
        fault_set(&ending.fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory to send");
    }
    started_ended(request, &ending);
}

static Code start(hero_request *request, struct fault *fault)
{
    Code code;

    if (transport_is_closing(request->client->transport))
        return fault_set(fault, HERO__V1__CODE__CANCELLED, "the client is being closed");
    request->slot = transport_acquire(request->client->transport, false, 0);
    if (!request->slot)
        return busy(fault);
    code = request_put_frame(request, fault);
    if (!code && transport_start(request->slot, request->deadline_ns, on_end, request))
        code = fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory to send");
    if (code) {
        transport_release(request->slot);
        request->slot = NULL;
    }
    return code;
}

hero_code hero_request_start(hero_request *request, hero_done *done, void *arg, hero_error *error)
{
    struct fault fault = FAULT_INIT;
    hero_outcome outcome;

    if (!request)
        return error && error->code != HERO_OK ? error->code : HERO_INVALID_ARGUMENT;
    request->done = done;
    request->done_arg = arg;
    begin(request);
    outcome = request->sent ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
    /* Once it is started, the request may be gone at any time. */
    (void)start(request, &fault);
    return error_give(error, &fault, outcome);
}
