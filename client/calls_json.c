/*
 * Records as JSON text: get and update. Nests and graphs are
 * graph_json.h's; what a key looks like is key.h's.
 */
#include <stdio.h>
#include "base64.h"
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

json_t *calls_commit(const Hero__V1__CommitResponse *commit)
{
    return commit->has_commit ? json_pack("{s:I}", "commit", (json_int_t)commit->commit)
                              : json_object();
}

/* ---- get ---- */

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
    if (get->n_keys > 0 && !get->keys)
        return fault_add(fault, "keys", "is NULL; give the keys");
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

Code calls_take_etag(json_t *value, struct json_path *path, struct arena *arena,
                     Hero__V1__Target *target, struct fault *fault)
{
    const json_t *etag = json_object_get(value, "@etag");
    size_t before;
    Code code = HERO__V1__CODE__OK;

    if (!etag)
        return code;
    before = json_path_name(path, "@etag");
    if (!json_is_string(etag) ||
        !base64_decode(arena, json_string_value(etag), json_string_length(etag), &target->etag))
        code = fault_add(fault, path->text, "is no etag that an answer told");
    json_path_pop(path, before);
    target->has_etag = 1;
    json_object_del(value, "@etag");
    return code;
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
        code = key_parse(model, update->key, "target", arena, &key, fault);
    if (!code)
        code = json_parse(update->json, &value, fault);
    if (code)
        return code;
    input.target = calls_target(arena, model, key);
    code = input.target ? calls_take_etag(value, &path, arena, input.target, fault)
                        : calls_no_memory(request, fault);
    if (!code)
        code = graph_json_read_columns(model, value, &path, arena, &input.value, &input.update_mask,
                                       &input.n_update_mask, fault);
    json_decref(value);
    if (code)
        return code;
    input.has_value = 1;
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

/* ---- upsert ---- */

struct upsert_arguments {
    const char *model, *json;
    const hero_upsert *how;
};

Code calls_read_upsert(const struct model *model, const json_t *value, struct json_path *path,
                       struct arena *arena, Hero__V1__UpsertRequest *input, struct fault *fault)
{
    char **mask;
    size_t n_mask;
    Code code =
        graph_json_read_columns(model, value, path, arena, &input->value, &mask, &n_mask, fault);

    input->has_value = 1;
    input->model = (char *)(uintptr_t)model->name;
    if (code || input->n_update_mask)
        return code;
    input->update_mask = mask; /* null writes NULL */
    input->n_update_mask = n_mask;
    return code;
}

static Code build_upsert(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct upsert_arguments *upsert = arguments;
    Hero__V1__UpsertRequest input = HERO__V1__UPSERT_REQUEST__INIT;
    struct json_path path = JSON_PATH_INIT;
    struct arena *arena = &request->arena;
    const struct model *model;
    json_t *value;
    Code code = calls_model(request, upsert->model, &model, fault);

    if (!code)
        code = calls_upsert(arena, upsert->how, &input, fault);
    if (!code)
        code = json_parse(upsert->json, &value, fault);
    if (code)
        return code;
    code = calls_read_upsert(model, value, &path, arena, &input, fault);
    json_decref(value);
    request->read = read_updated;
    return code ? code : request_pack(request, &input.base, fault);
}

static const struct request_kind upsert_kind = {"hero.v1.Records/Upsert", true, true, build_upsert};

hero_result *hero_client_upsert_json(hero_client *client, const char *model, const char *json,
                                     const hero_upsert *how, hero_error *error)
{
    const struct upsert_arguments arguments = {model, json, how};

    return request_call(client, &upsert_kind, &arguments, error);
}

hero_request *hero_request_upsert_json(hero_client *client, const char *model, const char *json,
                                       const hero_upsert *how, hero_error *error)
{
    const struct upsert_arguments arguments = {model, json, how};

    return request_prepare(client, &upsert_kind, &arguments, error);
}
