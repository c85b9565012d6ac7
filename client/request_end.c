/*
 * What came back of one sending, and what is made of it: a result, a failure
 * with its outcome, or another sending.
 */
#include <stdlib.h>
#include <string.h>
#include "frame.h"
#include "method.h"
#include "request_internal.h"
#include "scan.h"

/* What an answer may take beside its bytes: protobuf-c needs up to 60 times
 * what came over the wire. */
#define RESULT_BYTES ((size_t)1024 * 1024)
#define RESULT_FACTOR 64
Code request_unpack(hero_result *result, const ProtobufCMessageDescriptor *descriptor,
                    ProtobufCMessage **ret_message, struct fault *fault)
{
    Code code = scan_unpack(descriptor, result->bytes.data, result->bytes.len, &scan_limits_rpc,
                            &result->arena, ret_message, NULL);

    if (code)
        return fault_set(fault, HERO__V1__CODE__INTERNAL, "the daemon's %s is not readable",
                         descriptor->short_name);
    return HERO__V1__CODE__OK;
}

Code request_read_commit(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    Code code = request_unpack(result, &hero__v1__commit_response__descriptor, &message, fault);

    (void)request;
    if (code)
        return code;
    result->commit = (const Hero__V1__CommitResponse *)message;
    for (size_t i = 0; i < result->commit->n_outcomes; i++) {
        const Hero__V1__Outcome *outcome = result->commit->outcomes[i];

        result->added += outcome->added;
        result->removed += outcome->removed;
        result->kept += outcome->kept;
        result->deleted += outcome->deleted;
        result->created = result->created || outcome->created;
    }
    return HERO__V1__CODE__OK;
}

static bool blames(const struct fault *fault, const char *path)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (!strcmp(fault->violations[i].path, path))
            return true;
    return false;
}

/* Refused on a repeat: is it a word on the write itself, first sending included? */
static bool refusal_is_final(const hero_request *request, const struct fault *fault)
{
    if (request->stale)
        return false;
    switch (fault->code) {
    case HERO__V1__CODE__FAILED_PRECONDITION:
        return !blames(fault, "client") && !blames(fault, "seq");
    case HERO__V1__CODE__INVALID_ARGUMENT:
        return !blames(fault, "client") && !blames(fault, "seq");
    case HERO__V1__CODE__NOT_FOUND:
    case HERO__V1__CODE__ALREADY_EXISTS:
    case HERO__V1__CODE__OUT_OF_RANGE:
        return true;
    default:
        return false; /* busy, stopping, not allowed: nobody looked at the write */
    }
}

static void refused(hero_request *request, const Hero__V1__Response *response,
                    struct ending *ending)
{
    hero_client *client = request->client;

    frame_fault(response->status, &ending->fault);
    request->stale = request->bindings && response->models_version &&
                     response->models_version != bindings_models(request->bindings)->version;
    if (request->is_write && !request->sent && !request->renewed &&
        ending->fault.code == HERO__V1__CODE__FAILED_PRECONDITION &&
        blames(&ending->fault, "client") && identity_renew(&client->identity, &request->write)) {
        request->renewed = true;
        fault_done(&ending->fault);
        ending->again = true;
        return;
    }
    ending->outcome = HERO_REFUSED;
    if (request->sent && request->is_write && !refusal_is_final(request, &ending->fault))
        ending->outcome = HERO_OUTCOME_UNKNOWN;
    if (request->blame)
        request->blame(request, &ending->fault);
}

static void accepted(hero_request *request, const Hero__V1__Response *response, hero_result *result,
                     struct ending *ending)
{
    result->bytes = response->payload;
    ending->outcome = HERO_DONE;
    if (request->read && request->read(request, result, &ending->fault))
        return;
    ending->result = result;
}

static void tell_echo(const hero_client *client, const Hero__V1__Response *response)
{
    for (size_t i = 0; client->echo && i < response->n_echo; i++)
        client->echo(client->echo_arg, response->echo[i]->sql ? response->echo[i]->sql : "",
                     response->echo[i]->time_us);
}

static void answered(hero_request *request, struct transport_reply reply, struct ending *ending)
{
    hero_result *result = calloc(1, sizeof(*result));
    Hero__V1__Response *response;

    /* Until it is read, what the daemon did is not known. */
    ending->outcome = HERO_OUTCOME_UNKNOWN;
    if (!result) {
        fault_set(&ending->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the answer");
        return;
    }
    arena_init(&result->arena, RESULT_BYTES + reply.len * RESULT_FACTOR);
    if (frame_unpack_response(reply.bytes, reply.len, &result->arena, &response, NULL)) {
        fault_set(&ending->fault, HERO__V1__CODE__INTERNAL, "the daemon's answer is not readable");
    } else {
        if (response->has_models_version)
            client_told_version(request->client, response->models_version);
        tell_echo(request->client, response);
        if (response->status && response->status->code != HERO__V1__CODE__OK)
            refused(request, response, ending);
        else
            accepted(request, response, result, ending);
    }
    if (!ending->result)
        hero_result_free(result);
}

static bool may_repeat(const hero_request *request)
{
    return !method_is_once(request->method) && client_now_ns() < request->deadline_ns &&
           !transport_is_closing(request->client->transport);
}

static void not_answered(hero_request *request, enum transport_end end, struct ending *ending)
{
    bool sent = end == TRANSPORT_LOST || end == TRANSPORT_TIMED_OUT || end == TRANSPORT_CANCELLED;

    if (end == TRANSPORT_LOST && may_repeat(request)) {
        request->sent = true;
        ending->again = true;
        return;
    }
    if (transport_is_closing(request->client->transport))
        end = TRANSPORT_CANCELLED;
    request->sent = request->sent || sent;
    ending->outcome = request->sent ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
    transport_explain(request->client->transport, end, &ending->fault);
}

void request_end(hero_request *request, enum transport_end end, struct transport_reply reply,
                 struct ending *ending)
{
    *ending = (struct ending){.fault = FAULT_INIT};
    if (end == TRANSPORT_ANSWERED)
        answered(request, reply, ending);
    else
        not_answered(request, end, ending);
    if (!ending->again)
        return;
    /* A frame that was sent once is not too large, but memory may be out. */
    if (request_put_frame(request, &ending->fault)) {
        ending->again = false;
        ending->outcome = request->sent ? HERO_OUTCOME_UNKNOWN : HERO_NOT_SENT;
    }
}
