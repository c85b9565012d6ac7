/*
 * What a prepared request is told beside its arguments: dry runs, etags, how
 * much the answer holds. Flags are fields of the same number in the inputs of
 * all methods that take them, and travel behind the packed input.
 */
#include <string.h>
#include "base64.h"
#include "error.h"
#include "json.h"
#include "method.h"
#include "request.h"

static bool is_method(const hero_request *request, const char *name)
{
    return request->method && !strcmp(request->method, name);
}

void hero_request_set_validate_only(hero_request *request)
{
    if (!request || !request->is_write)
        return;
    /* Nothing will be stored: it needs no seq and may be repeated as a read is. */
    identity_settle(&request->client->identity, &request->write);
    request->is_write = false;
    request->validate_only = true;
}

void hero_request_set_etags(hero_request *request)
{
    if (request)
        request->etags = true;
}

void hero_request_set_keys_only(hero_request *request)
{
    if (request)
        request->keys_only = true;
}

size_t request_flags(const hero_request *request, uint8_t *ret_bytes)
{
    Hero__V1__CommitRequest flags = HERO__V1__COMMIT_REQUEST__INIT;
    Hero__V1__GetRequest get = HERO__V1__GET_REQUEST__INIT;
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;

    get.has_etags = get.etags = list.has_etags = list.etags = request->etags;
    if (is_method(request, "hero.v1.Records/Get"))
        return hero__v1__get_request__pack(&get, ret_bytes);
    if (is_method(request, "hero.v1.Records/List"))
        return hero__v1__list_request__pack(&list, ret_bytes);
    if (!request->is_write && !request->validate_only)
        return 0;
    flags.has_keys_only = flags.keys_only =
        request->keys_only && is_method(request, "hero.v1.Records/Commit");
    flags.has_etags = flags.etags = request->etags;
    flags.has_validate_only = flags.validate_only = request->validate_only;
    return hero__v1__commit_request__pack(&flags, ret_bytes);
}

/* ---- the etag that what is stored must have ---- */

static Code set_target_etag(Hero__V1__Target *target, ProtobufCBinaryData etag)
{
    target->has_etag = 1;
    target->etag = etag;
    return HERO__V1__CODE__OK;
}

static Code put_etag(const hero_request *request, ProtobufCMessage *input, ProtobufCBinaryData etag,
                     struct fault *fault)
{
    if (is_method(request, "hero.v1.Records/Update"))
        return set_target_etag(((Hero__V1__UpdateRequest *)input)->target, etag);
    if (is_method(request, "hero.v1.Records/SetLinks")) {
        ((Hero__V1__SetLinksRequest *)input)->has_etag = 1;
        ((Hero__V1__SetLinksRequest *)input)->etag = etag;
        return HERO__V1__CODE__OK;
    }
    if (is_method(request, "hero.v1.Records/Delete") &&
        ((Hero__V1__DeleteRequest *)input)->n_targets == 1)
        return set_target_etag(((Hero__V1__DeleteRequest *)input)->targets[0], etag);
    return fault_add(
        fault, "etag",
        "goes with the update or the delete of one record, or a list that is replaced");
}

static Code set_etag(hero_request *request, const char *text, struct fault *fault)
{
    struct method method;
    ProtobufCBinaryData etag;
    ProtobufCMessage *input;
    Code code = method_find(request->method, &method, fault);

    if (code)
        return code;
    if (!text || !base64_decode(&request->arena, text, strlen(text), &etag))
        return fault_add(fault, "etag", "is no etag that an answer told");
    input = protobuf_c_message_unpack(method.input, arena_allocator(&request->arena),
                                      request->payload.len, request->payload.data);
    if (!input)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the etag");
    code = put_etag(request, input, etag, fault);
    return code ? code : request_pack(request, input, fault);
}

hero_code hero_request_set_etag(hero_request *request, const char *etag, hero_error *error)
{
    struct fault fault = FAULT_INIT;

    if (!request)
        return error && error->code != HERO_OK ? error->code : HERO_INVALID_ARGUMENT;
    (void)set_etag(request, etag, &fault);
    return error_give(error, &fault, HERO_NOT_SENT);
}
