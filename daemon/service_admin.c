/*
 * hero.v1.Admin: the daemon itself. Hello and Check touch no database and
 * are served whatever the load: the self-probe lives on them.
 */
#include "service.h"

#include <time.h>
#include "call.h"
#include "daemon.h"

#define UNUSED __attribute__((unused))

#define SERVICE_PARAMS(Input, Output)                                                              \
    Hero__V1__Admin_Service UNUSED *unused, const Hero__V1__##Input UNUSED *input,                 \
        Hero__V1__##Output##_Closure UNUSED closure, void *closure_data

static void fill_limits(const struct limits *limits, Hero__V1__Limits *ret)
{
    hero__v1__limits__init(ret);
    ret->has_message_bytes = true;
    ret->message_bytes = limits->message_bytes;
    ret->has_in_flight = true;
    ret->in_flight = limits->in_flight_per_pipe;
    ret->has_page_size = true;
    ret->page_size = limits->max_page_size;
    ret->has_mutations = true;
    ret->mutations = limits->max_mutations;
    ret->has_expand_depth = true;
    ret->expand_depth = limits->max_expand_depth;
    ret->has_timeout_ms = true;
    ret->timeout_ms = limits->max_timeout_ms;
    ret->has_retention_s = true;
    ret->retention_s = limits->retention_s;
    ret->has_filter_bytes = ret->has_filter_depth = ret->has_filter_terms = 1;
    ret->filter_bytes = STORE_FILTER_BYTES;
    ret->filter_depth = STORE_FILTER_DEPTH;
    ret->filter_terms = STORE_FILTER_TERMS;
}

static void admin_hello(SERVICE_PARAMS(HelloRequest, HelloResponse))
{
    struct call *call = closure_data;
    Hero__V1__HelloResponse response = HERO__V1__HELLO_RESPONSE__INIT;
    Hero__V1__Limits limits;
    char *protocols[] = {(char[]){"hero.v1"}};

    fill_limits(&call->daemon->limits, &limits);
    response.version = (char[]){HERO_VERSION};
    response.protocols = protocols;
    response.n_protocols = 1;
    response.limits = &limits;
    response.has_models_version = true;
    response.models_version = call->models->version;
    closure(&response, call);
}

static void admin_check(SERVICE_PARAMS(CheckRequest, CheckResponse))
{
    struct call *call = closure_data;
    Hero__V1__CheckResponse response = HERO__V1__CHECK_RESPONSE__INIT;

    response.has_serving = true;
    response.serving = store_writable(call->daemon->store)
                           ? HERO__V1__CHECK_RESPONSE__SERVING__SERVING
                           : HERO__V1__CHECK_RESPONSE__SERVING__READ_ONLY;
    closure(&response, call);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Counts the rows of every model, so it runs on a reader thread. */
static Code fill_models(struct call *call, Hero__V1__StatsResponse *response, struct fault *fault)
{
    const struct models *models = call->models;
    size_t n = models->n_models;
    uint64_t *rows = arena_array(&call->arena, n, sizeof(*rows));
    Hero__V1__ModelStats *stats = arena_array(&call->arena, n, sizeof(*stats));
    struct store_read read = {.models = models,
                              .arena = &call->arena,
                              .deadline_ns = call->deadline_ns,
                              .echo = call->wants_echo ? &call->echo : NULL};

    response->models = arena_array(&call->arena, n, sizeof(*response->models));
    if (n == 0)
        return HERO__V1__CODE__OK;
    if (!rows || !stats || !response->models)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the models do not fit the memory of one request");
    Code code = store_count_rows(call->daemon->store, &read, rows, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < n; i++) {
        hero__v1__model_stats__init(&stats[i]);
        stats[i].name = (char *)(uintptr_t)models->models[i].name;
        stats[i].table = (char *)(uintptr_t)models->models[i].table;
        stats[i].has_rows = true;
        stats[i].rows = rows[i];
        response->models[i] = &stats[i];
    }
    response->n_models = n;
    return HERO__V1__CODE__OK;
}

static void admin_stats(SERVICE_PARAMS(StatsRequest, StatsResponse))
{
    struct call *call = closure_data;
    struct daemon *daemon = call->daemon;
    Hero__V1__StatsResponse response = HERO__V1__STATS_RESPONSE__INIT;
    Hero__V1__Limits limits;
    struct fault fault = FAULT_INIT;

    if (!call->on_pool) {
        call_defer(call);
        return;
    }
    if (fill_models(call, &response, &fault) != HERO__V1__CODE__OK) {
        call_fail(call, &fault);
        return;
    }
    fill_limits(&daemon->limits, &limits);
    response.version = (char[]){HERO_VERSION};
    response.database = (char *)(uintptr_t)daemon->database;
    response.has_models_version = true;
    response.models_version = call->models->version;
    response.has_commit = true;
    response.commit = store_commit_number(daemon->store);
    response.has_uptime_ms = true;
    response.uptime_ms = (uint64_t)(now_ns() - daemon->started_ns) / 1000000;
    response.limits = &limits;
    response.has_requests = true;
    response.requests = atomic_load(&daemon->n_requests);
    response.has_failures = true;
    response.failures = atomic_load(&daemon->n_failures);
    closure(&response, call);
}

static Hero__V1__Admin_Service service = HERO__V1__ADMIN__INIT(admin_);
ProtobufCService *const service_admin = &service.base;
