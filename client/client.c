/*
 * A client: opening and closing, and the models as the daemon serves them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "address.h"
#include "client.h"
#include "error.h"
#include "frame.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "request.h"

int64_t client_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- models ---- */

void client_told_version(hero_client *client, uint64_t models_version)
{
    /* Versions only grow: an answer that was overtaken tells nothing new. */
    uint64_t known = atomic_load_explicit(&client->models_version, memory_order_relaxed);

    while (models_version > known &&
           !atomic_compare_exchange_weak(&client->models_version, &known, models_version))
        ;
}

static Code read_models(hero_request *request, hero_result *result, struct fault *fault)
{
    struct bindings **ret_bindings = (struct bindings **)(uintptr_t)request->how;
    const Hero__V1__ListModelsResponse *response;
    ProtobufCMessage *message;
    struct models *models;
    Code code =
        request_unpack(result, &hero__v1__list_models_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListModelsResponse *)message;
    code = models_new(response->descriptor_set.data, response->descriptor_set.len, &models, fault);
    if (code)
        return code;
    models->version = response->models_version;
    *ret_bindings = bindings_new(models);
    models_unref(models);
    if (!*ret_bindings)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the models");
    return HERO__V1__CODE__OK;
}

static Code build_fetch(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__ListModelsRequest input = HERO__V1__LIST_MODELS_REQUEST__INIT;

    request->read = read_models;
    request->how = arguments;
    return request_pack(request, &input.base, fault);
}

/* A reference. What is kept is replaced, unless it is of the same version. */
static Code fetch_models(hero_client *client, int64_t deadline_ns, struct bindings **ret_bindings,
                         struct fault *fault)
{
    static const struct request_kind kind = {.method = "hero.v1.Models/List", .build = build_fetch};
    int64_t left_ms = (deadline_ns - client_now_ns()) / 1000000;
    struct bindings *bindings = NULL, *old = NULL;
    hero_error error = HERO_ERROR_INIT;
    hero_request *request = request_prepare(client, &kind, &bindings, &error);
    hero_result *result;
    Code code;

    hero_request_set_timeout(request, left_ms < 1 ? 1 : (uint32_t)left_ms);
    result = hero_request_run(request, &error);
    code = (Code)error.code;
    if (code)
        fault_set(fault, code, "the models cannot be fetched: %s", error.message);
    hero_error_free(&error);
    hero_result_free(result);
    if (code)
        return code;
    pthread_mutex_lock(&client->models_lock);
    if (client->bindings &&
        bindings_models(client->bindings)->version == bindings_models(bindings)->version) {
        old = bindings; /* what was bound already stays in use */
    } else {
        old = client->bindings;
        client->bindings = bindings;
    }
    *ret_bindings = bindings_ref(client->bindings);
    atomic_store(&client->models_version, bindings_models(client->bindings)->version);
    pthread_mutex_unlock(&client->models_lock);
    bindings_unref(old);
    return HERO__V1__CODE__OK;
}

Code client_bindings(hero_client *client, int64_t deadline_ns, struct bindings **ret_bindings,
                     struct fault *fault)
{
    uint64_t served = atomic_load_explicit(&client->models_version, memory_order_relaxed);
    struct bindings *bindings = NULL;

    pthread_mutex_lock(&client->models_lock);
    if (client->bindings && (!served || bindings_models(client->bindings)->version == served))
        bindings = bindings_ref(client->bindings);
    pthread_mutex_unlock(&client->models_lock);
    if (!bindings)
        return fetch_models(client, deadline_ns, ret_bindings, fault);
    *ret_bindings = bindings;
    return HERO__V1__CODE__OK;
}

bool client_bindings_changed(hero_client *client, int64_t deadline_ns, const struct bindings *used)
{
    struct bindings *now;
    bool changed;

    if (fetch_models(client, deadline_ns, &now, NULL))
        return false;
    changed = bindings_models(now)->version != bindings_models(used)->version;
    bindings_unref(now);
    return changed;
}

/* ---- opening and closing ---- */

static Code build_hello(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__HelloRequest input = HERO__V1__HELLO_REQUEST__INIT;

    input.agent = (char *)(uintptr_t)arguments;
    return request_pack(request, &input.base, fault);
}

static Code take_hello(hero_client *client, hero_result *result, struct fault *fault)
{
    const Hero__V1__HelloResponse *response;
    ProtobufCMessage *message;
    bool served = false;
    Code code = request_unpack(result, &hero__v1__hello_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__HelloResponse *)message;
    for (size_t i = 0; i < response->n_protocols; i++)
        served = served || !strcmp(response->protocols[i], "hero.v1");
    if (!served)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "the daemon (%s) does not speak hero.v1; it and this library are of "
                         "versions too far apart",
                         response->version ? response->version : "of unknown version");
    if (response->limits && response->limits->message_bytes)
        atomic_store(&client->message_bytes, response->limits->message_bytes);
    if (response->limits && response->limits->in_flight)
        transport_limit(client->transport, response->limits->in_flight);
    return HERO__V1__CODE__OK;
}

/* Tells what the daemon takes, and that it is one. */
static hero_outcome say_hello(hero_client *client, const char *agent, int64_t deadline_ns,
                              struct fault *fault)
{
    static const struct request_kind kind = {.method = "hero.v1.Admin/Hello", .build = build_hello};
    int64_t left_ms = (deadline_ns - client_now_ns()) / 1000000;
    hero_error error = HERO_ERROR_INIT;
    hero_request *request = request_prepare(client, &kind, agent, &error);
    hero_outcome outcome = HERO_REFUSED;
    hero_result *result;

    hero_request_set_timeout(request, left_ms < 1 ? 1 : (uint32_t)left_ms);
    result = hero_request_run(request, &error);
    if (result) {
        (void)take_hello(client, result, fault);
    } else {
        fault_set(fault, (Code)error.code, "%s", error.message);
        outcome = error.outcome;
    }
    hero_error_free(&error);
    hero_result_free(result);
    return outcome;
}

static hero_client *client_new(const hero_options *options)
{
    hero_client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    client->timeout_ms = options->timeout_ms ? options->timeout_ms : CLIENT_DEFAULT_TIMEOUT_MS;
    client->echo = options->echo;
    client->echo_arg = options->echo_arg;
    identity_init(&client->identity, options->client_id, options->first_seq);
    pthread_mutex_init(&client->models_lock, NULL);
    atomic_init(&client->message_bytes, FRAME_DEFAULT_BYTES);
    return client;
}

void hero_client_close(hero_client *client)
{
    if (!client)
        return;
    transport_close(client->transport);
    bindings_unref(client->bindings);
    identity_done(&client->identity);
    pthread_mutex_destroy(&client->models_lock);
    free(client);
}

static Code check_options(const hero_options *options, struct fault *fault)
{
    if (options->size != sizeof(*options))
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "hero_options of %zu bytes: start from HERO_OPTIONS_INIT", options->size);
    if (options->agent && strlen(options->agent) > 256)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "the agent's name is longer than 256 bytes");
    return HERO__V1__CODE__OK;
}

static Code open_client(const char *url, const hero_options *options, hero_client **ret_client,
                        hero_outcome *outcome, struct fault *fault)
{
    Code code = check_options(options, fault);
    hero_client *client;
    int64_t deadline_ns;

    if (code)
        return code;
    client = client_new(options);
    if (!client)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a client");
    deadline_ns = client_now_ns() + (int64_t)client->timeout_ms * 1000000;
    code = transport_open(url, options->daemon_uid, deadline_ns, &client->transport, fault);
    if (!code) {
        *outcome = say_hello(client, options->agent, deadline_ns, fault);
        code = fault->code;
    }
    if (code)
        hero_client_close(client);
    else
        *ret_client = client;
    return code;
}

hero_code hero_client_open(const char *url, const hero_options *options, hero_client **ret_client,
                           hero_error *error)
{
    static const hero_options defaults = HERO_OPTIONS_INIT;
    hero_outcome outcome = HERO_NOT_SENT;
    struct fault fault = FAULT_INIT;
    char buffer[512];

    if (!url && address_client_url(buffer, sizeof(buffer)))
        fault_set(&fault, HERO__V1__CODE__INVALID_ARGUMENT,
                  "no address: neither HERO_URL nor a home directory is known");
    else
        (void)open_client(url ? url : buffer, options ? options : &defaults, ret_client, &outcome,
                          &fault);
    return error_give(error, &fault, outcome);
}
