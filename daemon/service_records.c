/*
 * hero.v1.Records: checks what a request asks for against the limits, and
 * hands it to the store. Reads run where they arrive as long as they are
 * short, else on a reader thread; writes go to the writer. No nng, no SQL.
 */
#include "service.h"

#include <string.h>
#include "call.h"
#include "daemon.h"
#include "scan.h"

#define UNUSED __attribute__((unused))
/* Fields to order a list by, and paths to expand. */
#define MAX_ORDER_BY 16
#define MAX_EXPAND 64

#define SERVICE_PARAMS(Input, Output)                                                              \
    Hero__V1__Records_Service UNUSED *unused, const Hero__V1__##Input *input,                      \
        Hero__V1__##Output##_Closure UNUSED closure, void *closure_data

/* The limit of `what` at `path`, told with both numbers. */
static void check_count(struct fault *fault, const char *path, const char *what, size_t n,
                        size_t most)
{
    if (n > most)
        fault_add(fault, path, "%zu %s, at most %zu are taken in one request: send several", n,
                  what, most);
}

/* ---- reads ---- */

static struct store_read read_of(struct call *call)
{
    return (struct store_read){
        .models = call->models,
        .arena = &call->arena,
        .deadline_ns = call->deadline_ns,
        .row_budget = call->on_pool ? 0 : call->daemon->limits.inline_rows,
        .echo = call->wants_echo ? &call->echo : NULL,
    };
}

/* The read gave up here because it is long: what it echoed so far does not
 * count, a reader thread begins it anew. */
static void defer_read(struct call *call, struct fault *fault)
{
    fault_done(fault);
    if (call->wants_echo) {
        arena_reset(&call->echo_arena);
        echo_init(&call->echo, &call->echo_arena);
    }
    call_defer(call);
}

static void records_get(SERVICE_PARAMS(GetRequest, GetResponse))
{
    struct call *call = closure_data;
    struct store_read read = read_of(call);
    Hero__V1__GetResponse response = HERO__V1__GET_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    check_count(&fault, "keys", "keys", input->n_keys, call->daemon->limits.max_mutations);
    check_count(&fault, "expand", "paths", input->n_expand, MAX_EXPAND);
    check_count(&fault, "expansions", "paths", input->n_expansions, MAX_EXPAND);
    if (fault.code == HERO__V1__CODE__OK &&
        store_get(call->daemon->store, &read, input, &response, &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else if (read.too_long && !call->on_pool)
        defer_read(call, &fault);
    else
        call_fail(call, &fault);
}

static void check_expansions(struct fault *fault, const char *path, size_t n)
{
    check_count(fault, path, "paths", n, MAX_EXPAND);
}

/* A page is never short enough for a transport thread. false: it will come
 * again, on one of its own, or failed. */
static bool goes_on(struct call *call, struct fault *fault)
{
    if (fault->code != HERO__V1__CODE__OK)
        call_fail(call, fault);
    else if (!call->on_pool)
        call_defer(call);
    else
        return true;
    return false;
}

static void records_list(SERVICE_PARAMS(ListRequest, ListResponse))
{
    struct call *call = closure_data;
    Hero__V1__ListResponse response = HERO__V1__LIST_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    check_count(&fault, "order_by", "fields", input->n_order_by, MAX_ORDER_BY);
    check_expansions(&fault, "expand", input->n_expand);
    check_expansions(&fault, "expansions", input->n_expansions);
    if (!goes_on(call, &fault))
        return;
    struct store_read read = read_of(call);
    if (store_list(call->daemon->store, &read, input, &response, &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static void records_list_related(SERVICE_PARAMS(ListRelatedRequest, ListRelatedResponse))
{
    struct call *call = closure_data;
    Hero__V1__ListRelatedResponse response = HERO__V1__LIST_RELATED_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    check_count(&fault, "order_by", "fields", input->n_order_by, MAX_ORDER_BY);
    check_expansions(&fault, "expansions", input->n_expansions);
    if (!goes_on(call, &fault))
        return;
    struct store_read read = read_of(call);
    if (store_list_related(call->daemon->store, &read, input, &response, &fault) ==
        HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static void records_count(SERVICE_PARAMS(CountRequest, CountResponse))
{
    struct call *call = closure_data;
    Hero__V1__CountResponse response = HERO__V1__COUNT_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    if (!goes_on(call, &fault))
        return;
    struct store_read read = read_of(call);
    if (store_count(call->daemon->store, &read, input, &response, &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static void records_explain(SERVICE_PARAMS(ExplainRequest, ExplainResponse))
{
    struct call *call = closure_data;
    Hero__V1__ExplainResponse response = HERO__V1__EXPLAIN_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    if (input->list) {
        check_count(&fault, "list.order_by", "fields", input->list->n_order_by, MAX_ORDER_BY);
        check_expansions(&fault, "list.expand", input->list->n_expand);
        check_expansions(&fault, "list.expansions", input->list->n_expansions);
    }
    if (!goes_on(call, &fault))
        return;
    struct store_read read = read_of(call);
    if (store_explain(call->daemon->store, &read, input, &response, &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

/* ---- writes ---- */

/* On the writer thread. */
static void write_done(struct store_write *write)
{
    struct call *call = write->arg;

    if (write->fault.code == HERO__V1__CODE__OK)
        call_reply_packed(call, write->answer.data, write->answer.len);
    else
        call_fail(call, &write->fault);
}

static Code read_identity(struct call *call, struct store_identity *identity, struct fault *fault)
{
    const Hero__V1__Request *request = call->request;

    memset(identity, 0, sizeof(*identity));
    identity->principal = call->peer.principal;
    if (request->seq == 0 && !request->has_client)
        return HERO__V1__CODE__OK;
    if (request->client.len != sizeof(identity->client))
        return fault_add(fault, "client", "%zu bytes; a client id is a version 7 UUID of 16 bytes",
                         request->client.len);
    if (request->seq == 0)
        return fault_add(fault, "seq", "missing; a client's requests are counted from 1");
    if (request->lowest_seq > request->seq)
        return fault_add(fault, "lowest_seq",
                         "%llu is past seq %llu; it is the lowest seq not yet acknowledged",
                         (unsigned long long)request->lowest_seq, (unsigned long long)request->seq);
    memcpy(identity->client, request->client.data, sizeof(identity->client));
    identity->seq = request->seq;
    identity->lowest_seq = request->lowest_seq;
    return HERO__V1__CODE__OK;
}

/* What the writer is to do is set already; here, for whom. */
static void submit(struct call *call)
{
    struct store_write *write = &call->write;
    struct fault fault = FAULT_INIT;

    if (read_identity(call, &write->identity, &fault) != HERO__V1__CODE__OK) {
        call_fail(call, &fault);
        return;
    }
    write->models = call->models;
    write->arena = &call->arena;
    write->method = call->method;
    write->request_bytes = call->request->payload.data;
    write->request_len = call->request->payload.len;
    write->max_items = call->daemon->limits.max_mutations;
    write->deadline_ns = call->deadline_ns;
    write->echo = call->wants_echo ? &call->echo : NULL;
    write->done = write_done;
    write->arg = call;
    store_submit(call->daemon->store, write);
}

static void submit_one(struct call *call, Hero__V1__Mutation mutation, const char *path,
                       bool validate_only)
{
    Hero__V1__Mutation *copy = arena_copy(&call->arena, &mutation, sizeof(mutation));
    Hero__V1__Mutation **mutations = arena_array(&call->arena, 1, sizeof(*mutations));
    struct fault fault = FAULT_INIT;

    check_count(&fault, path, "records and edges", store_mutation_items(&mutation),
                call->daemon->limits.max_mutations);
    if (fault.code == HERO__V1__CODE__OK && (!copy || !mutations))
        fault_set(&fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                  "the request does not fit the memory of one request");
    if (fault.code != HERO__V1__CODE__OK) {
        call_fail(call, &fault);
        return;
    }
    mutations[0] = copy;
    call->write = (struct store_write){.mutations = mutations,
                                       .n_mutations = 1,
                                       .path_format = "",
                                       .validate_only = validate_only};
    submit(call);
}

#define MUTATION(which, member)                                                                    \
    (Hero__V1__Mutation)                                                                           \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&hero__v1__mutation__descriptor),                          \
        .op_case = HERO__V1__MUTATION__OP_##which, .member = (void *)(uintptr_t)input              \
    }

static void records_create(SERVICE_PARAMS(CreateRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(CREATE, create), "graph", input->validate_only);
}

static void records_update(SERVICE_PARAMS(UpdateRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(UPDATE, update), "target", input->validate_only);
}

static void records_upsert(SERVICE_PARAMS(UpsertRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(UPSERT, upsert), "value", input->validate_only);
}

static void records_delete(SERVICE_PARAMS(DeleteRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(DELETE, delete_), "targets", input->validate_only);
}

static void records_link(SERVICE_PARAMS(LinkRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(LINK, link), "related", input->validate_only);
}

static void records_unlink(SERVICE_PARAMS(LinkRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(UNLINK, unlink), "related", input->validate_only);
}

static void records_set_links(SERVICE_PARAMS(SetLinksRequest, CommitResponse))
{
    submit_one(closure_data, MUTATION(SET_LINKS, set_links), "related", input->validate_only);
}

/* The mutations are not in `input`: dispatch left them packed, the store takes
 * them one by one. */
static void records_commit(SERVICE_PARAMS(CommitRequest, CommitResponse))
{
    struct call *call = closure_data;
    ProtobufCBinaryData payload = call->request->payload, element;
    struct scan_rest rest = SCAN_REST(payload.data, payload.len);
    struct fault fault = FAULT_INIT;
    size_t n = 0;

    while (scan_next(&rest, STORE_MUTATIONS_FIELD, &element))
        n++;
    check_count(&fault, "mutations", "mutations", n, call->daemon->limits.max_mutations);
    if (fault.code != HERO__V1__CODE__OK) {
        call_fail(call, &fault);
        return;
    }
    call->write = (struct store_write){.packed = payload,
                                       .path_format = "mutations[%zu]",
                                       .keys_only = input->keys_only,
                                       .etags = input->etags,
                                       .validate_only = input->validate_only};
    submit(call);
}

static Hero__V1__Records_Service service = HERO__V1__RECORDS__INIT(records_);
ProtobufCService *const service_records = &service.base;
