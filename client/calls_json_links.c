/*
 * Deleting, linking, unlinking and replacing links by keys as text.
 */
#include <stdio.h>
#include "base64.h"
#include "calls_json.h"

static Code parse_one(const struct model *model, const void *keys, size_t i, const char *path,
                      struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault)
{
    return key_parse(model, ((const char *const *)keys)[i], path, arena, ret_key, fault);
}

static int set_count(json_t *object, const char *name, uint64_t n)
{
    return json_object_set_new(object, name, json_integer((json_int_t)n));
}

/* Records of which only the keys are known, as keys go in. */
static Code add_keys(hero_request *request, hero_result *result, json_t *object, const char *name,
                     Hero__V1__Record *const *records, size_t n, struct fault *fault)
{
    json_t *array = json_array();
    Code code = json_object_set_new(object, name, array) ? calls_no_memory(request, fault)
                                                         : HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < n; i++) {
        json_t *key;

        code = graph_json_key(bindings_models(request->bindings), records[i], &result->arena, &key,
                              fault);
        if (!code && json_array_append_new(array, key))
            code = calls_no_memory(request, fault);
    }
    return code;
}

Code calls_add_set(hero_request *request, hero_result *result, const Hero__V1__Outcome *outcome,
                   json_t *object, struct fault *fault)
{
    const char *etag = base64_text(&result->arena, outcome->etag);
    Code code = add_keys(request, result, object, "added_keys", outcome->added_records,
                         outcome->n_added_records, fault);

    if (!code)
        code = add_keys(request, result, object, "removed_keys", outcome->removed_records,
                        outcome->n_removed_records, fault);
    if (!code && (!etag || json_object_set_new(object, "etag", json_string(etag))))
        code = calls_no_memory(request, fault);
    return code;
}

static Code add_set(hero_request *request, hero_result *result, json_t *object, struct fault *fault)
{
    Code code = calls_list_etag(result, fault);

    return code ? code : calls_add_set(request, result, result->commit->outcomes[0], object, fault);
}

/* The counts are the answer: {"commit": 7, "added": 2, "kept": 0}; of a dry run
 * without the commit. */
static Code read_counts(hero_request *request, hero_result *result, struct fault *fault)
{
    Code code = request_read_commit(request, result, fault);
    const char *format = request->how;

    if (code)
        return code;
    json_t *counts = calls_commit(result->commit);
    int failed = !counts;
    if (*format == 'd')
        failed |= set_count(counts, "deleted", result->deleted);
    if (*format != 'd' && *format != 'u')
        failed |= set_count(counts, "added", result->added);
    /* What had to give way, and what was not to be without it. */
    if (*format != 'l' || result->removed)
        failed |= set_count(counts, "removed", result->removed);
    if (*format != 'd' && result->deleted)
        failed |= set_count(counts, "deleted", result->deleted);
    if (*format != 'd')
        failed |= set_count(counts, "kept", result->kept);
    if (!failed && *format == 's')
        code = add_set(request, result, counts, fault);
    if (!code && !failed)
        return calls_text(result, counts, fault);
    json_decref(counts);
    return code ? code : calls_text(result, NULL, fault);
}

/* ---- delete ---- */

struct delete_arguments {
    const char *model;
    const char *const *keys;
    size_t n_keys;
};

static Code build_delete(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct delete_arguments *deletion = arguments;
    Hero__V1__DeleteRequest input = HERO__V1__DELETE_REQUEST__INIT;
    const struct model *model;
    Code code = calls_model(request, deletion->model, &model, fault);

    if (!code)
        code = calls_targets(request, model, deletion->keys, deletion->n_keys, parse_one, "targets",
                             &input.targets, fault);
    if (code)
        return code;
    input.n_targets = deletion->n_keys;
    request->read = read_counts;
    request->how = "d";
    return request_pack(request, &input.base, fault);
}

static const struct request_kind delete_kind = {"hero.v1.Records/Delete", true, true, build_delete};

hero_result *hero_client_delete_json(hero_client *client, const char *model,
                                     const char *const *keys, size_t n_keys, hero_error *error)
{
    const struct delete_arguments arguments = {model, keys, n_keys};

    return request_call(client, &delete_kind, &arguments, error);
}

hero_request *hero_request_delete_json(hero_client *client, const char *model,
                                       const char *const *keys, size_t n_keys, hero_error *error)
{
    const struct delete_arguments arguments = {model, keys, n_keys};

    return request_prepare(client, &delete_kind, &arguments, error);
}

/* ---- link and unlink ---- */

struct link_arguments {
    const char *model, *key, *relationship;
    const char *const *related;
    size_t n_related;
};

static Code build_link(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct link_arguments *link = arguments;
    Hero__V1__LinkRequest input = HERO__V1__LINK_REQUEST__INIT;
    const struct relationship *relationship;
    const struct model *model;
    ProtobufCBinaryData key;
    Code code = calls_model(request, link->model, &model, fault);

    if (!code)
        code = calls_relationship(model, link->relationship, &relationship, fault);
    if (!code)
        code = key_parse(model, link->key, "target", &request->arena, &key, fault);
    if (!code)
        code = calls_targets(request, relationship->target, link->related, link->n_related,
                             parse_one, "related", &input.related, fault);
    if (code)
        return code;
    input.n_related = link->n_related;
    input.relationship = (char *)(uintptr_t)relationship->name;
    input.target = calls_target(&request->arena, model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->read = read_counts;
    return request_pack(request, &input.base, fault);
}

static Code build_linking(hero_request *request, const void *arguments, struct fault *fault)
{
    request->how = "l";
    return build_link(request, arguments, fault);
}

static Code build_unlinking(hero_request *request, const void *arguments, struct fault *fault)
{
    request->how = "u";
    return build_link(request, arguments, fault);
}

static const struct request_kind link_kind = {"hero.v1.Records/Link", true, true, build_linking};
static const struct request_kind unlink_kind = {"hero.v1.Records/Unlink", true, true,
                                                build_unlinking};

hero_result *hero_client_link_json(hero_client *client, const char *model, const char *key,
                                   const char *relationship, const char *const *related,
                                   size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_call(client, &link_kind, &arguments, error);
}

hero_request *hero_request_link_json(hero_client *client, const char *model, const char *key,
                                     const char *relationship, const char *const *related,
                                     size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_prepare(client, &link_kind, &arguments, error);
}

hero_result *hero_client_unlink_json(hero_client *client, const char *model, const char *key,
                                     const char *relationship, const char *const *related,
                                     size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_call(client, &unlink_kind, &arguments, error);
}

hero_request *hero_request_unlink_json(hero_client *client, const char *model, const char *key,
                                       const char *relationship, const char *const *related,
                                       size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_prepare(client, &unlink_kind, &arguments, error);
}

/* ---- set links ---- */

static Code build_set_links(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct link_arguments *link = arguments;
    Hero__V1__SetLinksRequest input = HERO__V1__SET_LINKS_REQUEST__INIT;
    const struct relationship *relationship;
    const struct model *model;
    ProtobufCBinaryData key;
    Code code = calls_model(request, link->model, &model, fault);

    if (!code)
        code = calls_relationship(model, link->relationship, &relationship, fault);
    if (!code)
        code = key_parse(model, link->key, "target", &request->arena, &key, fault);
    if (!code)
        code = calls_targets(request, relationship->target, link->related, link->n_related,
                             parse_one, "related", &input.related, fault);
    if (code)
        return code;
    input.n_related = link->n_related;
    input.relationship = (char *)(uintptr_t)relationship->name;
    input.target = calls_target(&request->arena, model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->how = "s";
    request->read = read_counts;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind set_links_kind = {"hero.v1.Records/SetLinks", true, true,
                                                   build_set_links};

hero_result *hero_client_set_links_json(hero_client *client, const char *model, const char *key,
                                        const char *relationship, const char *const *related,
                                        size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_call(client, &set_links_kind, &arguments, error);
}

hero_request *hero_request_set_links_json(hero_client *client, const char *model, const char *key,
                                          const char *relationship, const char *const *related,
                                          size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {model, key, relationship, related, n_related};

    return request_prepare(client, &set_links_kind, &arguments, error);
}
