/*
 * Dispatch: from a frame's bytes to a service's handler. Owns the table of
 * methods, made of the generated service descriptors, the order of checks
 * before a handler runs, and the one log line of each call. Knows no nng and
 * no SQL.
 */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "frame.h"
#include "log.h"
#include "readers.h"
#include "scan.h"
#include "service.h"

/* Statements kept for one call; past it they are counted only. */
#define ECHO_BYTES (1024 * 1024)
/* Longer method names are not repeated in the answer. */
#define METHOD_TEXT_MAX 128
#define MAX_NEAR 3

struct method {
    char name[METHOD_TEXT_MAX]; /* "hero.v1.Records/Create" */
    ProtobufCService *service;
    unsigned index;
    const ProtobufCMessageDescriptor *input;
    bool always; /* served whatever the load: Admin */
};

static struct method *methods; /* sorted by name; made once, before the first call */
static size_t n_methods;

size_t dispatch_services(ProtobufCService *const **ret_services)
{
    static ProtobufCService *services[3];

    services[0] = service_admin;
    services[1] = service_models;
    services[2] = service_records;
    *ret_services = services;
    return sizeof(services) / sizeof(services[0]);
}

static int compare_methods(const void *a, const void *b)
{
    return strcmp(((const struct method *)a)->name, ((const struct method *)b)->name);
}

static Code make_table(struct fault *fault)
{
    ProtobufCService *const *services;
    size_t n_services = dispatch_services(&services), n = 0;

    for (size_t i = 0; i < n_services; i++)
        n += services[i]->descriptor->n_methods;
    struct method *table = calloc(n, sizeof(*table));
    if (!table)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    struct method *at = table;
    for (size_t i = 0; i < n_services; i++) {
        const ProtobufCServiceDescriptor *descriptor = services[i]->descriptor;
        for (unsigned m = 0; m < descriptor->n_methods; m++, at++) {
            snprintf(at->name, sizeof(at->name), "%s/%s", descriptor->name,
                     descriptor->methods[m].name);
            at->service = services[i];
            at->index = m;
            at->input = descriptor->methods[m].input;
            at->always = services[i] == service_admin;
        }
    }
    qsort(table, n, sizeof(*table), compare_methods);
    methods = table;
    n_methods = n;
    return HERO__V1__CODE__OK;
}

static const struct method *find_method(const char *name)
{
    size_t low = 0, high = n_methods;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, methods[middle].name);
        if (order == 0)
            return &methods[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Levenshtein's distance; both texts are shorter than METHOD_TEXT_MAX. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[METHOD_TEXT_MAX + 1];
    size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

/* Is `name` what someone might write for the method: a slip of the pen, or
 * the method without its service? */
static bool near(const char *name, const struct method *method)
{
    const char *wanted = strrchr(name, '/'), *bare = strrchr(method->name, '/') + 1;

    return distance(name, method->name) <= 3 || strcasecmp(wanted ? wanted + 1 : name, bare) == 0;
}

static void fault_unknown_method(struct fault *fault, const char *name)
{
    char list[MAX_NEAR * METHOD_TEXT_MAX + 64] = "";
    size_t len = 0;
    unsigned n = 0;

    if (strlen(name) >= METHOD_TEXT_MAX) {
        fault_set(fault, HERO__V1__CODE__UNIMPLEMENTED, "no such method (a name of %zu bytes)",
                  strlen(name));
        return;
    }
    for (size_t i = 0; i < n_methods && n < MAX_NEAR; i++) {
        if (near(name, &methods[i]))
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
                                    n++ ? ", " : "; did you mean ", methods[i].name);
    }
    if (n == 0)
        snprintf(list, sizeof(list), "; methods are named like %s", methods[0].name);
    fault_set(fault, HERO__V1__CODE__UNIMPLEMENTED, "no such method: \"%s\"%s", name, list);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A fault of the server's side is worth a line of its own level. */
static enum log_level level_of(Code code)
{
    switch ((int)code) {
    case HERO__V1__CODE__INTERNAL:
    case HERO__V1__CODE__DATA_LOSS:
    case HERO__V1__CODE__UNKNOWN:
        return LOG_LEVEL_ERROR;
    case HERO__V1__CODE__RESOURCE_EXHAUSTED:
    case HERO__V1__CODE__UNAVAILABLE:
    case HERO__V1__CODE__PERMISSION_DENIED:
        return LOG_LEVEL_NOTICE;
    default:
        return LOG_LEVEL_INFO;
    }
}

static void log_echo(struct call *call)
{
    char text[4096];

    for (struct echo_statement *at = call->echo.first; at; at = at->next)
        log_line(LOG_LEVEL_NOTICE, "sql", "call=%llu time_us=%llu sql=%s",
                 (unsigned long long)call->id, (unsigned long long)at->time_us,
                 log_quote(text, sizeof(text), at->sql));
    if (call->echo.n_dropped > 0)
        log_line(LOG_LEVEL_NOTICE, "sql", "call=%llu dropped=%zu", (unsigned long long)call->id,
                 call->echo.n_dropped);
}

static void log_call(struct call *call, const struct fault *fault, size_t bytes_out)
{
    struct daemon *daemon = call->daemon;
    char text[1024];

    if (fault)
        atomic_fetch_add_explicit(&daemon->n_failures, 1, memory_order_relaxed);
    if (daemon->echo && call->wants_echo)
        log_echo(call);
    enum log_level level = fault ? level_of(fault->code) : LOG_LEVEL_DEBUG;
    if (!log_wants(level))
        return;
    double ms = (double)(now_ns() - call->received_ns) / 1e6;
    if (!fault)
        log_line(level, "call",
                 "method=%s id=%llu principal=%s pid=%d status=OK ms=%.3f in=%zu out=%zu",
                 call->method, (unsigned long long)call->id, call->peer.principal, call->peer.pid,
                 ms, call->bytes_in, bytes_out);
    else
        log_limited(level, "call_failed",
                    "method=%s id=%llu principal=%s pid=%d status=%s ms=%.3f in=%zu error=%s",
                    call->method, (unsigned long long)call->id, call->peer.principal,
                    call->peer.pid, code_name((int)fault->code), ms, call->bytes_in,
                    log_quote(text, sizeof(text), fault->message));
}

static void set_deadline(struct call *call)
{
    const struct limits *limits = &call->daemon->limits;
    uint32_t timeout_ms = call->request->timeout_ms;

    if (timeout_ms == 0)
        timeout_ms = limits->timeout_ms;
    if (timeout_ms > limits->max_timeout_ms)
        timeout_ms = limits->max_timeout_ms;
    call->deadline_ns = call->received_ns + (int64_t)timeout_ms * 1000000;
}

static void start_echo(struct call *call)
{
    call->wants_echo = call->daemon->echo || call->request->echo;
    if (!call->wants_echo)
        return;
    arena_init(&call->echo_arena, ECHO_BYTES);
    echo_init(&call->echo, &call->echo_arena);
}

/* A commit's mutations stay packed: there may be more of them than memory. */
static Code unpack_input(struct call *call, struct fault *fault)
{
    const ProtobufCMessageDescriptor *input = call->entry->input;
    ProtobufCBinaryData payload = call->request->payload;

    if (input == &hero__v1__commit_request__descriptor)
        return scan_unpack_without(input, STORE_MUTATIONS_FIELD, payload.data, payload.len,
                                   &scan_limits_rpc, &call->arena, &call->input, fault);
    return scan_unpack(input, payload.data, payload.len, &scan_limits_rpc, &call->arena,
                       &call->input, fault);
}

/* All that is checked before the handler may see the call. */
static Code prepare(struct call *call, const uint8_t *bytes, size_t len, bool overloaded,
                    struct fault *fault)
{
    struct daemon *daemon = call->daemon;
    const struct method *method;
    Code code;

    if (len > daemon->limits.message_bytes)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the request takes %zu bytes, the limit is %zu", len,
                         daemon->limits.message_bytes);
    code = frame_unpack_request(bytes, len, &call->arena, &call->request, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    method = find_method(call->request->method ? call->request->method : "");
    if (!method) {
        fault_unknown_method(fault, call->request->method ? call->request->method : "");
        return fault->code;
    }
    call->entry = method;
    call->method = method->name;
    if (overloaded && !method->always)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "too many requests at once (%u of one connection, %u of all): wait for "
                         "answers, then send it again",
                         daemon->limits.in_flight_per_pipe, daemon->limits.in_flight);
    set_deadline(call);
    start_echo(call);
    call->models = store_models(daemon->store);
    return unpack_input(call, fault);
}

static void invoke(struct call *call)
{
    const struct method *method = call->entry;

    method->service->invoke(method->service, method->index, call->input, call_reply, call);
}

void dispatch(struct daemon *daemon, struct call *call, const uint8_t *bytes, size_t len,
              bool overloaded)
{
    struct fault fault = FAULT_INIT;

    call->daemon = daemon;
    call->log = log_call;
    call->method = "";
    call->bytes_in = len;
    atomic_fetch_add_explicit(&daemon->n_requests, 1, memory_order_relaxed);
    if (prepare(call, bytes, len, overloaded, &fault) == HERO__V1__CODE__OK)
        invoke(call);
    else
        call_fail(call, &fault);
}

void call_defer(struct call *call)
{
    call->on_pool = true;
    readers_push(call->daemon->readers, call);
}

/* On a reader thread. */
static void run_deferred(struct call *call)
{
    struct fault fault = FAULT_INIT;

    if (now_ns() < call->deadline_ns) {
        invoke(call);
        return;
    }
    fault_set(&fault, HERO__V1__CODE__DEADLINE_EXCEEDED, "not begun in time: herod is busy");
    call_fail(call, &fault);
}

Code dispatch_start(struct daemon *daemon, unsigned n_threads, struct fault *fault)
{
    if (!methods && make_table(fault) != HERO__V1__CODE__OK)
        return fault->code;
    return readers_start(&daemon->readers, n_threads, run_deferred, fault);
}

static void refuse(struct call *call)
{
    struct fault fault = FAULT_INIT;

    fault_set(&fault, HERO__V1__CODE__UNAVAILABLE, "herod is stopping; nothing was done");
    call_fail(call, &fault);
}

void dispatch_refuse_waiting(struct daemon *daemon)
{
    readers_clear(daemon->readers, refuse);
}

void dispatch_stop(struct daemon *daemon)
{
    readers_stop(daemon->readers);
    daemon->readers = NULL;
}
