/*
 * Records as generated structs: each function prepares one request of the
 * Records service; hero_client_x() also runs it. Structs become graphs, and
 * replies structs, in graph_struct.h.
 */
#include <string.h>
#include "base64.h"
#include "calls.h"
#include "graph.h"
#include "graph_struct.h"
#include "json.h"
#include "key.h"

Code calls_no_memory(const hero_request *request, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the request takes more than %zu bytes", request->arena.budget);
}

static Code out_of(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "more than %zu bytes are needed",
                     arena->budget);
}

Code calls_etag(hero_result *result, size_t i, const Hero__V1__Record *record, struct fault *fault)
{
    if (!record->has_etag)
        return HERO__V1__CODE__OK;
    if (!result->etags)
        result->etags = arena_array(&result->arena, result->n_records, sizeof(*result->etags));
    if (!result->etags)
        return out_of(&result->arena, fault);
    result->etags[i] = base64_text(&result->arena, record->etag);
    return result->etags[i] ? HERO__V1__CODE__OK : out_of(&result->arena, fault);
}

Hero__V1__Target *calls_target(struct arena *arena, const struct model *model,
                               ProtobufCBinaryData key)
{
    Hero__V1__Target *target = arena_alloc(arena, sizeof(*target));

    if (!target)
        return NULL;
    hero__v1__target__init(target);
    target->model = (char *)(uintptr_t)model->name;
    target->has_key = 1;
    target->key = key;
    return target;
}

Code calls_bind(hero_request *request, const ProtobufCMessageDescriptor *descriptor,
                const struct binding **ret_binding, struct fault *fault)
{
    Code code = bindings_find(request->bindings, descriptor, ret_binding, fault);

    if (!code)
        request->how = *ret_binding;
    return code;
}

static Code bind_record(hero_request *request, const ProtobufCMessage *record,
                        const struct binding **ret_binding, struct fault *fault)
{
    if (!record || !record->descriptor)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "not an initialised struct: start from MESSAGE__INIT");
    return calls_bind(request, record->descriptor, ret_binding, fault);
}

/* Names of fields, with or without a - before them, are the program's: since
 * then the daemon's may have been renamed. */
Code calls_served_words(hero_request *request, const struct binding *binding, char **names,
                        size_t n_names, struct fault *fault)
{
    for (size_t i = 0; i < n_names; i++) {
        bool descends = *names[i] == '-';
        const char *served =
            binding_served_path(request->bindings, binding, names[i] + descends, &request->arena);

        if (served && descends)
            served = arena_printf(&request->arena, "-%s", served);
        if (!served)
            return calls_no_memory(request, fault);
        names[i] = (char *)(uintptr_t)served;
    }
    return HERO__V1__CODE__OK;
}

/* ---- answers ---- */

/* A commit of one mutation whose first record is the one stored. */
static Code read_stored(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct binding *binding = request->how;
    const Hero__V1__Outcome *outcome;
    Code code = request_read_commit(request, result, fault);

    if (code)
        return code;
    outcome = result->commit->n_outcomes ? result->commit->outcomes[0] : NULL;
    if (!outcome || !outcome->n_records)
        return fault_set(fault, HERO__V1__CODE__INTERNAL, "the daemon's answer holds no record");
    result->records = arena_array(&result->arena, 1, sizeof(*result->records));
    if (!result->records)
        return out_of(&result->arena, fault);
    code =
        graph_struct_unpack(binding, outcome->records[0]->value.data,
                            outcome->records[0]->value.len, &result->arena, result->records, fault);
    if (!code)
        result->n_records = 1;
    return code ? code : calls_etag(result, 0, outcome->records[0], fault);
}

static Code read_etags(hero_result *result, const Hero__V1__Graph *graph, const uint32_t *roots,
                       struct fault *fault)
{
    struct graph_refs refs;
    Code code = HERO__V1__CODE__OK;

    if (!result->n_records || !graph->records[0]->has_etag)
        return code;
    graph_refs_init(&refs, &result->arena);
    for (size_t i = 0; i < graph->n_records; i++)
        if (!graph_refs_add(&refs, graph->records[i]->ref, graph->records[i]))
            return out_of(&result->arena, fault);
    for (size_t i = 0; !code && i < result->n_records; i++)
        code = calls_etag(result, i, graph_refs_find(&refs, roots[i]), fault);
    return code;
}

static Code read_lists(hero_result *result, const Hero__V1__Graph *graph,
                       ProtobufCMessage *const *all, struct fault *fault)
{
    result->lists = arena_array(&result->arena, graph->n_lists + 1, sizeof(*result->lists));
    if (!result->lists)
        return out_of(&result->arena, fault);
    for (size_t i = 0; i < graph->n_lists; i++) {
        const Hero__V1__RelatedList *told = graph->lists[i];
        struct result_list *list = &result->lists[result->n_lists];

        /* Refs are places, but nobody promised that. */
        size_t at = told->from && told->from <= graph->n_records ? told->from - 1 : 0;
        while (at < graph->n_records && graph->records[at]->ref != told->from)
            at++;
        list->record = at < graph->n_records ? all[at] : NULL;
        if (!list->record || !told->relationship)
            continue; /* not among the caller's structs */
        list->relationship = told->relationship;
        list->has_total = told->has_total;
        list->total = told->total;
        if (told->has_next_page_token) {
            list->next_page_token = base64_text(&result->arena, told->next_page_token);
            if (!list->next_page_token)
                return out_of(&result->arena, fault);
        }
        if (told->has_etag) {
            list->etag = base64_text(&result->arena, told->etag);
            if (!list->etag)
                return out_of(&result->arena, fault);
        }
        result->n_lists++;
    }
    return HERO__V1__CODE__OK;
}

Code calls_read_graph(hero_request *request, hero_result *result,
                      const ProtobufCMessageDescriptor *descriptor, const Hero__V1__Graph *graph,
                      const uint32_t *roots, size_t n_roots, struct fault *fault)
{
    ProtobufCMessage **all;
    pointer_map_init(&result->links, &result->arena);
    result->bindings = bindings_ref(request->bindings);
    Code code =
        graph_struct_assemble_all(request->bindings, graph, roots, n_roots, descriptor,
                                  &result->arena, &result->records, &all, &result->links, fault);

    if (code)
        return code;
    result->n_records = n_roots;
    code = read_etags(result, graph, roots, fault);
    return code || !graph || !graph->n_lists ? code : read_lists(result, graph, all, fault);
}

static Code read_get(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__GetResponse *response;
    Code code = request_unpack(result, &hero__v1__get_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__GetResponse *)message;
    if (!response->n_roots)
        return fault_set(fault, HERO__V1__CODE__INTERNAL, "the daemon's answer holds no record");
    return calls_read_graph(request, result, ((const struct binding *)request->how)->descriptor,
                            response->graph, response->roots, response->n_roots, fault);
}

/* ---- create ---- */

static Code build_create(hero_request *request, const void *arguments, struct fault *fault)
{
    const ProtobufCMessage *record = arguments;
    const struct binding *binding;
    Hero__V1__CreateRequest *input;
    Code code = bind_record(request, record, &binding, fault);

    if (!code)
        code = graph_struct_create(request->bindings, record, &request->arena, &input, fault);
    request->read = read_stored;
    return code ? code : request_pack(request, &input->base, fault);
}

static const struct request_kind create_kind = {"hero.v1.Records/Create", true, true, build_create};

hero_result *hero_client_create(hero_client *client, const ProtobufCMessage *record,
                                hero_error *error)
{
    return request_call(client, &create_kind, record, error);
}

hero_request *hero_request_create(hero_client *client, const ProtobufCMessage *record,
                                  hero_error *error)
{
    return request_prepare(client, &create_kind, record, error);
}

/* ---- get ---- */

struct get_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const hero_key *key;
    const char *expand;
};

static Code build_get(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct get_arguments *get = arguments;
    Hero__V1__GetRequest input = HERO__V1__GET_REQUEST__INIT;
    const struct binding *binding;
    ProtobufCBinaryData key;
    Code code = calls_bind(request, get->descriptor, &binding, fault);

    if (!code)
        code = key_pack(binding->model, get->key, "keys[0]", &request->arena, &key, fault);
    if (!code)
        code = calls_split(&request->arena, get->expand, &input.expand, &input.n_expand, fault);
    if (!code)
        code = calls_served_words(request, binding, input.expand, input.n_expand, fault);
    if (code)
        return code;
    input.model = (char *)(uintptr_t)binding->model->name;
    input.keys = &key;
    input.n_keys = 1;
    request->read = read_get;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind get_kind = {"hero.v1.Records/Get", false, true, build_get};

hero_result *hero_client_get(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                             hero_key key, const char *expand, hero_error *error)
{
    const struct get_arguments arguments = {descriptor, &key, expand};

    return request_call(client, &get_kind, &arguments, error);
}

hero_request *hero_request_get(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                               hero_key key, const char *expand, hero_error *error)
{
    const struct get_arguments arguments = {descriptor, &key, expand};

    return request_prepare(client, &get_kind, &arguments, error);
}

/* ---- update ---- */

struct update_arguments {
    const ProtobufCMessage *record;
    const char *mask;
};

static Code build_update(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct update_arguments *update = arguments;
    Hero__V1__UpdateRequest input = HERO__V1__UPDATE_REQUEST__INIT;
    struct arena *arena = &request->arena;
    const struct binding *binding;
    ProtobufCBinaryData key;
    Code code = bind_record(request, update->record, &binding, fault);

    if (!code)
        code = graph_struct_pack(binding, update->record, true, arena, &key, fault);
    if (!code)
        code = graph_struct_pack(binding, update->record, false, arena, &input.value, fault);
    if (!code)
        code = calls_split(arena, update->mask, &input.update_mask, &input.n_update_mask, fault);
    if (!code)
        code = calls_served_words(request, binding, input.update_mask, input.n_update_mask, fault);
    if (code)
        return code;
    if (update->mask && !input.n_update_mask)
        return fault_add(fault, "update_mask", "names no field; NULL stands for those present");
    input.has_value = 1;
    input.target = calls_target(arena, binding->model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->read = read_stored;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind update_kind = {"hero.v1.Records/Update", true, true, build_update};

hero_result *hero_client_update(hero_client *client, const ProtobufCMessage *record,
                                const char *mask, hero_error *error)
{
    const struct update_arguments arguments = {record, mask};

    return request_call(client, &update_kind, &arguments, error);
}

hero_request *hero_request_update(hero_client *client, const ProtobufCMessage *record,
                                  const char *mask, hero_error *error)
{
    const struct update_arguments arguments = {record, mask};

    return request_prepare(client, &update_kind, &arguments, error);
}

/* ---- upsert ---- */

struct upsert_arguments {
    const ProtobufCMessage *record;
    const hero_upsert *how;
};

Code calls_upsert(struct arena *arena, const hero_upsert *how, Hero__V1__UpsertRequest *input,
                  struct fault *fault)
{
    Code code;

    if (!how)
        return HERO__V1__CODE__OK;
    input->has_conflict = 1;
    input->conflict = (Hero__V1__UpsertRequest__Conflict)how->conflict;
    code = calls_split(arena, how->by, &input->by, &input->n_by, fault);
    if (!code && how->mask)
        code = calls_split(arena, how->mask, &input->update_mask, &input->n_update_mask, fault);
    return code;
}

static Code build_upsert(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct upsert_arguments *upsert = arguments;
    Hero__V1__UpsertRequest input = HERO__V1__UPSERT_REQUEST__INIT;
    const struct binding *binding;
    Code code = bind_record(request, upsert->record, &binding, fault);

    if (!code)
        code =
            graph_struct_pack(binding, upsert->record, false, &request->arena, &input.value, fault);
    if (!code)
        code = calls_upsert(&request->arena, upsert->how, &input, fault);
    if (!code)
        code = calls_served_words(request, binding, input.by, input.n_by, fault);
    if (!code)
        code = calls_served_words(request, binding, input.update_mask, input.n_update_mask, fault);
    if (code)
        return code;
    input.has_value = 1;
    input.model = (char *)(uintptr_t)binding->model->name;
    request->read = read_stored;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind upsert_kind = {"hero.v1.Records/Upsert", true, true, build_upsert};

hero_result *hero_client_upsert(hero_client *client, const ProtobufCMessage *record,
                                const hero_upsert *how, hero_error *error)
{
    const struct upsert_arguments arguments = {record, how};

    return request_call(client, &upsert_kind, &arguments, error);
}

hero_request *hero_request_upsert(hero_client *client, const ProtobufCMessage *record,
                                  const hero_upsert *how, hero_error *error)
{
    const struct upsert_arguments arguments = {record, how};

    return request_prepare(client, &upsert_kind, &arguments, error);
}
