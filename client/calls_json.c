/*
 * Records as JSON text: create, get, list and update. Nests and graphs are
 * graph_json.h's; what a key looks like is key.h's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls_json.h"

Code calls_model(const hero_request *request, const char *name, const struct model **ret_model,
                 struct fault *fault)
{
    if (!name || !*name)
        return fault_add(fault, "model", "is missing: the message's or the table's name");
    *ret_model = models_find(bindings_models(request->bindings), name, fault);
    return *ret_model ? HERO__V1__CODE__OK : HERO__V1__CODE__NOT_FOUND;
}

Code calls_text(hero_result *result, json_t *value, struct fault *fault)
{
    Code code;

    if (!value)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    code = json_print(value, GRAPH_JSON_BYTES, &result->text, fault);
    json_decref(value);
    return code;
}

static Code no_json_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON");
}

/* ---- create ---- */

struct text_arguments {
    const char *model, *json;
};

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

void calls_blame_mutations(struct fault *fault, const char *inside)
{
    static const char start[] = "mutations", create[] = ".create";

    for (size_t i = 0; i < fault->n_violations; i++) {
        char *path = fault->violations[i].path, *close = path ? strchr(path, ']') : NULL;
        bool is_create = close && !strncmp(close + 1, create, sizeof(create) - 1);
        const char *rest;
        char *renamed;

        if (!close || strncmp(path, start, sizeof(start) - 1))
            continue;
        rest = is_create ? close + sizeof(create) : close + 1;
        if (asprintf(&renamed, "%.*s%s%s%s", (int)(close + 1 - path - (long)sizeof(start) + 1),
                     path + sizeof(start) - 1, is_create && inside ? create : "",
                     is_create && inside ? inside : "", rest) < 0)
            continue;
        free(path);
        fault->violations[i].path = renamed;
    }
}

static void blame_roots(hero_request *request, struct fault *fault)
{
    (void)request;
    calls_blame_mutations(fault, NULL);
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

/* ---- get and list ---- */

static Code write_graph(hero_request *request, hero_result *result, const Hero__V1__Graph *graph,
                        const uint32_t *roots, size_t n_roots, struct fault *fault)
{
    json_t *array;
    Code code = graph_json_write(bindings_models(request->bindings), graph, roots, n_roots,
                                 request->how, &result->arena, &array, fault);

    return code ? code : calls_text(result, array, fault);
}

static Code read_get(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__GetResponse *response;
    Code code = request_unpack(result, &hero__v1__get_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__GetResponse *)message;
    return write_graph(request, result, response->graph, response->roots, response->n_roots, fault);
}

static Code read_list(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__ListResponse *response;
    Code code = request_unpack(result, &hero__v1__list_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListResponse *)message;
    code = write_graph(request, result, response->graph, response->roots, response->n_roots, fault);
    return code ? code
                : calls_next_page(result, response->has_next_page_token, response->next_page_token,
                                  fault);
}

static Code keep_expand(hero_request *request, char **paths, size_t n_paths, struct fault *fault)
{
    struct expand_node *tree = NULL;
    Code code = expand_add(&request->arena, (const char *const *)paths, n_paths, &tree, fault);

    request->how = tree;
    return code;
}

struct get_arguments {
    const char *model;
    const char *const *keys;
    size_t n_keys;
    const char *expand;
};

static Code build_get(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct get_arguments *get = arguments;
    Hero__V1__GetRequest input = HERO__V1__GET_REQUEST__INIT;
    struct arena *arena = &request->arena;
    const struct model *model;
    Code code = calls_model(request, get->model, &model, fault);

    if (!code)
        code = calls_split(arena, get->expand, &input.expand, &input.n_expand, fault);
    if (!code)
        code = keep_expand(request, input.expand, input.n_expand, fault);
    if (code)
        return code;
    input.keys = arena_array(arena, get->n_keys + 1, sizeof(*input.keys));
    if (!input.keys)
        return calls_no_memory(request, fault);
    for (size_t i = 0; !code && i < get->n_keys; i++) {
        char path[32];

        snprintf(path, sizeof(path), "keys[%zu]", i);
        code = key_parse(model, get->keys[i], path, arena, &input.keys[i], fault);
    }
    if (code)
        return code;
    input.n_keys = get->n_keys;
    input.model = (char *)(uintptr_t)model->name;
    request->read = read_get;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind get_kind = {"hero.v1.Records/Get", false, true, build_get};

hero_result *hero_client_get_json(hero_client *client, const char *model, const char *const *keys,
                                  size_t n_keys, const char *expand, hero_error *error)
{
    const struct get_arguments arguments = {model, keys, n_keys, expand};

    return request_call(client, &get_kind, &arguments, error);
}

hero_request *hero_request_get_json(hero_client *client, const char *model, const char *const *keys,
                                    size_t n_keys, const char *expand, hero_error *error)
{
    const struct get_arguments arguments = {model, keys, n_keys, expand};

    return request_prepare(client, &get_kind, &arguments, error);
}

struct list_arguments {
    const char *model;
    const hero_list *list;
};

static Code build_list(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct list_arguments *list = arguments;
    Hero__V1__ListRequest input = HERO__V1__LIST_REQUEST__INIT;
    const struct model *model;
    Code code = calls_model(request, list->model, &model, fault);

    if (!code)
        code = calls_list(&request->arena, list->list, &input, fault);
    if (!code)
        code = keep_expand(request, input.expand, input.n_expand, fault);
    if (code)
        return code;
    input.model = (char *)(uintptr_t)model->name;
    request->read = read_list;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind list_kind = {"hero.v1.Records/List", false, true, build_list};

hero_result *hero_client_list_json(hero_client *client, const char *model, const hero_list *list,
                                   hero_error *error)
{
    const struct list_arguments arguments = {model, list};

    return request_call(client, &list_kind, &arguments, error);
}

hero_request *hero_request_list_json(hero_client *client, const char *model, const hero_list *list,
                                     hero_error *error)
{
    const struct list_arguments arguments = {model, list};

    return request_prepare(client, &list_kind, &arguments, error);
}

/* ---- update ---- */

struct update_arguments {
    const char *model, *key, *json;
};

static Code read_updated(hero_request *request, hero_result *result, struct fault *fault)
{
    const Hero__V1__Outcome *outcome;
    Code code = request_read_commit(request, result, fault);
    json_t *value;

    if (code)
        return code;
    outcome = result->commit->n_outcomes ? result->commit->outcomes[0] : NULL;
    if (!outcome || !outcome->n_records)
        return fault_set(fault, HERO__V1__CODE__INTERNAL, "the daemon's answer holds no record");
    code = graph_json_record(bindings_models(request->bindings), outcome->records[0],
                             &result->arena, &value, fault);
    return code ? code : calls_text(result, value, fault);
}

static Code build_update(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct update_arguments *update = arguments;
    Hero__V1__UpdateRequest input = HERO__V1__UPDATE_REQUEST__INIT;
    struct json_path path = JSON_PATH_INIT;
    struct arena *arena = &request->arena;
    const struct model *model;
    ProtobufCBinaryData key;
    json_t *value;
    Code code = calls_model(request, update->model, &model, fault);

    if (!code)
        code = key_parse(model, update->key, "key", arena, &key, fault);
    if (!code)
        code = json_parse(update->json, &value, fault);
    if (code)
        return code;
    code = graph_json_read_columns(model, value, &path, arena, &input.value, &input.update_mask,
                                   &input.n_update_mask, fault);
    json_decref(value);
    if (code)
        return code;
    input.has_value = 1;
    input.target = calls_target(arena, model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->read = read_updated;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind update_kind = {"hero.v1.Records/Update", true, true, build_update};

hero_result *hero_client_update_json(hero_client *client, const char *model, const char *key,
                                     const char *json, hero_error *error)
{
    const struct update_arguments arguments = {model, key, json};

    return request_call(client, &update_kind, &arguments, error);
}

hero_request *hero_request_update_json(hero_client *client, const char *model, const char *key,
                                       const char *json, hero_error *error)
{
    const struct update_arguments arguments = {model, key, json};

    return request_prepare(client, &update_kind, &arguments, error);
}
