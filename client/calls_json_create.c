/*
 * Creating from JSON: one record with all that is nested in it, or several in
 * one commit, and the answer nested as the request was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls_json.h"
#include "scan.h"

static Code no_json_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON");
}

struct text_arguments {
    const char *model, *json;
};

/* A record as stored: who it is, and which of those sent it is the first of. */
struct stored {
    const Hero__V1__Record *record;
    ProtobufCBinaryData key;
    size_t position;
    uint32_t ref;
};

static int compare_stored(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    int order = strcmp(x->record->model, y->record->model);
    size_t shorter = x->key.len < y->key.len ? x->key.len : y->key.len;

    if (!order && shorter)
        order = memcmp(x->key.data, y->key.data, shorter);
    if (!order && x->key.len != y->key.len)
        order = x->key.len < y->key.len ? -1 : 1;
    if (!order)
        order = x->position < y->position ? -1 : 1;
    return order;
}

static Code key_of(const hero_request *request, const Hero__V1__Record *record, struct arena *arena,
                   ProtobufCBinaryData *ret_key, struct fault *fault)
{
    struct scan_limits limits = scan_limits_record;
    const struct model *model =
        models_find(bindings_models(request->bindings), record->model, fault);
    ProtobufCMessage *message;

    if (!model)
        return fault->code;
    limits.refuse_unknown = false; /* a column may have been added since */
    Code code = scan_unpack(model->descriptor, record->value.data, record->value.len, &limits,
                            arena, &message, fault);
    if (code)
        return code;
    for (size_t i = 0; i < model->n_columns; i++)
        if (!model->columns[i].primary_key)
            field_clear(message, model->columns[i].field);
    ret_key->len = protobuf_c_message_get_packed_size(message);
    ret_key->data = arena_alloc(arena, ret_key->len);
    if (!ret_key->data)
        return no_json_memory(fault);
    protobuf_c_message_pack(message, ret_key->data);
    return HERO__V1__CODE__OK;
}

/* Records that were sent apart and turned out to be one (connected twice):
 * refs[ref - first] is the ref of the one that stands for it. */
static Code unite(const hero_request *request, const Hero__V1__Graph *graph, struct arena *arena,
                  uint32_t *refs, struct fault *fault)
{
    struct stored *all = arena_array(arena, graph->n_records, sizeof(*all));
    uint32_t first = graph->records[0]->ref;
    Code code = all ? HERO__V1__CODE__OK : no_json_memory(fault);

    for (size_t i = 0; !code && i < graph->n_records; i++) {
        all[i] = (struct stored){.record = graph->records[i], .position = i};
        code = key_of(request, graph->records[i], arena, &all[i].key, fault);
    }
    if (code)
        return code;
    qsort(all, graph->n_records, sizeof(*all), compare_stored);
    for (size_t i = 0; i < graph->n_records; i++) {
        bool same = i > 0 && !strcmp(all[i].record->model, all[i - 1].record->model) &&
                    all[i].key.len == all[i - 1].key.len &&
                    !memcmp(all[i].key.data, all[i - 1].key.data, all[i].key.len);
        all[i].ref = same ? all[i - 1].ref : all[i].record->ref;
        refs[all[i].record->ref - first] = all[i].ref;
    }
    return HERO__V1__CODE__OK;
}

struct ordered_edge {
    Hero__V1__Edge *edge;
    size_t position;
};

static int compare_edges(const void *a, const void *b)
{
    const struct ordered_edge *x = a, *y = b;
    int order;

    if (x->edge->from != y->edge->from)
        return x->edge->from < y->edge->from ? -1 : 1;
    if (x->edge->to != y->edge->to)
        return x->edge->to < y->edge->to ? -1 : 1;
    order = strcmp(x->edge->relationship, y->edge->relationship);
    if (order)
        return order;
    return x->position < y->position ? -1 : 1;
}

/* The edges of a graph as stored: each link once, in the order they were sent. */
static Code edges_once(const hero_request *request, Hero__V1__Graph *graph, struct arena *arena,
                       struct fault *fault)
{
    size_t n = graph->n_edges, n_left = 0;
    uint32_t *refs = arena_array(arena, graph->n_records, sizeof(*refs));
    Hero__V1__Edge *edges = arena_array(arena, n, sizeof(*edges));
    Hero__V1__Edge **left = arena_array(arena, n, sizeof(*left));
    struct ordered_edge *ordered = arena_array(arena, n, sizeof(*ordered));

    if (!refs || !edges || !left || !ordered)
        return no_json_memory(fault);
    Code code = unite(request, graph, arena, refs, fault);
    if (code)
        return code;
    for (size_t i = 0; i < n; i++) {
        edges[i] = *graph->edges[i];
        edges[i].has_link = 0; /* as sent, without defaults: not what is stored */
        edges[i].from = refs[edges[i].from - graph->records[0]->ref];
        edges[i].to = refs[edges[i].to - graph->records[0]->ref];
        ordered[i] = (struct ordered_edge){&edges[i], i};
    }
    qsort(ordered, n, sizeof(*ordered), compare_edges);
    for (size_t i = 1; i < n; i++)
        if (ordered[i].edge->from == ordered[i - 1].edge->from &&
            ordered[i].edge->to == ordered[i - 1].edge->to &&
            !strcmp(ordered[i].edge->relationship, ordered[i - 1].edge->relationship))
            ordered[i].edge->has_to = 0;
    for (size_t i = 0; i < n; i++)
        if (edges[i].has_to)
            left[n_left++] = &edges[i];
    graph->edges = left;
    graph->n_edges = n_left;
    return HERO__V1__CODE__OK;
}

Code calls_created(const hero_request *request, hero_result *result,
                   const Hero__V1__Outcome *outcome, const Hero__V1__Graph *graph,
                   const struct expand_node *shown, json_t **ret_value, struct fault *fault)
{
    Hero__V1__Graph stored = *graph;
    json_t *array;
    Code code;

    if (outcome->n_records != graph->n_records || !outcome->n_records)
        return fault_set(fault, HERO__V1__CODE__INTERNAL,
                         "the daemon's answer holds %zu records of %zu", outcome->n_records,
                         graph->n_records);
    /* The records come in the order they were sent in; refs are ours. */
    for (size_t i = 0; i < outcome->n_records; i++)
        outcome->records[i]->ref = graph->records[i]->ref;
    stored.records = outcome->records;
    code =
        stored.n_edges ? edges_once(request, &stored, &result->arena, fault) : HERO__V1__CODE__OK;
    if (code)
        return code;
    code = graph_json_write(bindings_models(request->bindings), &stored, &stored.records[0]->ref, 1,
                            shown, &result->arena, &array, fault);
    if (code)
        return code;
    *ret_value = json_incref(json_array_get(array, 0));
    json_decref(array);
    return HERO__V1__CODE__OK;
}

static Code read_created(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct calls_shown *shown = request->how;
    Code code = request_read_commit(request, result, fault);
    json_t *array, *value;

    if (code)
        return code;
    if (result->commit->n_outcomes != shown->n_roots)
        return fault_set(fault, HERO__V1__CODE__INTERNAL,
                         "the daemon's answer holds %zu outcomes of %zu",
                         result->commit->n_outcomes, shown->n_roots);
    array = json_array();
    for (size_t i = 0; !code && i < shown->n_roots; i++) {
        code = calls_created(request, result, result->commit->outcomes[i], shown->graphs[i],
                             shown->shown[i], &value, fault);
        if (!code && json_array_append_new(array, value))
            code = no_json_memory(fault);
    }
    if (!code)
        code = calls_text(result, json_incref(shown->is_array ? array : json_array_get(array, 0)),
                          fault);
    json_decref(array);
    return code;
}

/* "[2]" and what the first row that fits makes of the rest. */
static char *rename_path(const char *index, const struct calls_name *names)
{
    const char *rest = strchr(index, ']') + 1;
    char *renamed;

    for (; names->sent; names++) {
        size_t len = strlen(names->sent);

        if (strncmp(rest, names->sent, len))
            continue;
        if (asprintf(&renamed, "%.*s%s%s", (int)(rest - index), index, names->given, rest + len) <
            0)
            return NULL;
        return renamed;
    }
    return strdup(index);
}

void calls_blame_mutations(struct fault *fault, const struct calls_name *names)
{
    static const char start[] = "mutations[";

    for (size_t i = 0; i < fault->n_violations; i++) {
        char *path = fault->violations[i].path, *renamed;

        if (!path || strncmp(path, start, sizeof(start) - 1) || !strchr(path, ']'))
            continue;
        renamed = rename_path(path + sizeof(start) - 2, names);
        if (!renamed)
            continue;
        free(path);
        fault->violations[i].path = renamed;
    }
}

static void blame_roots(hero_request *request, struct fault *fault)
{
    static const struct calls_name names[] = {{".create", ""}, {NULL, NULL}};

    (void)request;
    calls_blame_mutations(fault, names);
}

static Code read_root(hero_request *request, const struct model *model, const json_t *record,
                      struct json_path *path, uint32_t *next_ref, struct calls_shown *shown,
                      struct fault *fault)
{
    Hero__V1__Graph *graph;
    size_t i = shown->n_roots;
    Code code = graph_json_read(model, record, path, next_ref, &request->arena, &graph,
                                &shown->shown[i], fault);

    if (code)
        return code;
    shown->graphs[i] = graph;
    shown->n_roots++;
    return HERO__V1__CODE__OK;
}

static Code make_shown(hero_request *request, size_t n, struct calls_shown **ret_shown,
                       struct fault *fault)
{
    struct calls_shown *shown = arena_alloc(&request->arena, sizeof(*shown));

    if (!shown)
        return calls_no_memory(request, fault);
    shown->graphs = arena_array(&request->arena, n + 1, sizeof(*shown->graphs));
    shown->shown = arena_array(&request->arena, n + 1, sizeof(*shown->shown));
    if (!shown->graphs || !shown->shown)
        return calls_no_memory(request, fault);
    request->how = shown;
    request->read = read_created;
    *ret_shown = shown;
    return HERO__V1__CODE__OK;
}

static Code build_one(hero_request *request, const struct model *model, const json_t *record,
                      struct fault *fault)
{
    Hero__V1__CreateRequest input = HERO__V1__CREATE_REQUEST__INIT;
    struct json_path path = JSON_PATH_INIT;
    struct calls_shown *shown;
    uint32_t next_ref = 1;
    Code code = make_shown(request, 1, &shown, fault);

    if (!code)
        code = read_root(request, model, record, &path, &next_ref, shown, fault);
    if (code)
        return code;
    input.graph = (Hero__V1__Graph *)(uintptr_t)shown->graphs[0];
    return request_pack(request, &input.base, fault);
}

/* Several in one commit: a create of its own for each. */
static Code build_several(hero_request *request, const struct model *model, const json_t *records,
                          struct fault *fault)
{
    Hero__V1__CommitRequest input = HERO__V1__COMMIT_REQUEST__INIT;
    struct json_path path = JSON_PATH_INIT;
    size_t n = json_array_size(records);
    Hero__V1__Mutation *mutations;
    Hero__V1__CreateRequest *creates;
    struct calls_shown *shown;
    uint32_t next_ref = 1;
    Code code = make_shown(request, n, &shown, fault);

    if (code)
        return code;
    mutations = arena_array(&request->arena, n + 1, sizeof(*mutations));
    creates = arena_array(&request->arena, n + 1, sizeof(*creates));
    input.mutations = arena_array(&request->arena, n + 1, sizeof(*input.mutations));
    if (!mutations || !creates || !input.mutations)
        return calls_no_memory(request, fault);
    for (size_t i = 0; i < n; i++) {
        size_t before = json_path_index(&path, i);

        code =
            read_root(request, model, json_array_get(records, i), &path, &next_ref, shown, fault);
        json_path_pop(&path, before);
        if (code)
            return code;
        hero__v1__create_request__init(&creates[i]);
        creates[i].graph = (Hero__V1__Graph *)(uintptr_t)shown->graphs[i];
        hero__v1__mutation__init(&mutations[i]);
        mutations[i].op_case = HERO__V1__MUTATION__OP_CREATE;
        mutations[i].create = &creates[i];
        input.mutations[i] = &mutations[i];
    }
    input.n_mutations = n;
    shown->is_array = true;
    request->method = "hero.v1.Records/Commit";
    request->blame = blame_roots;
    return request_pack(request, &input.base, fault);
}

static Code build_create(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct text_arguments *create = arguments;
    const struct model *model;
    json_t *value;
    Code code = calls_model(request, create->model, &model, fault);

    if (!code)
        code = json_parse(create->json, &value, fault);
    if (code)
        return code;
    code = json_is_array(value) ? build_several(request, model, value, fault)
                                : build_one(request, model, value, fault);
    json_decref(value);
    return code;
}

static const struct request_kind create_kind = {"hero.v1.Records/Create", true, true, build_create};

hero_result *hero_client_create_json(hero_client *client, const char *model, const char *json,
                                     hero_error *error)
{
    const struct text_arguments arguments = {model, json};

    return request_call(client, &create_kind, &arguments, error);
}

hero_request *hero_request_create_json(hero_client *client, const char *model, const char *json,
                                       hero_error *error)
{
    const struct text_arguments arguments = {model, json};

    return request_prepare(client, &create_kind, &arguments, error);
}
