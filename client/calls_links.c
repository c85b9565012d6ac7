/*
 * Deleting, linking, unlinking and replacing links by descriptor and key:
 * requests that carry targets and no records.
 */
#include "base64.h"
#include "calls.h"
#include "graph_struct.h"
#include "key.h"

/* Targets of n keys of a model; paths are name[i]. */
Code calls_targets(hero_request *request, const struct model *model, const void *keys,
                   size_t n_keys, calls_pack_key *pack, const char *name,
                   Hero__V1__Target ***ret_targets, struct fault *fault)
{
    struct arena *arena = &request->arena;
    Hero__V1__Target **targets = arena_array(arena, n_keys + 1, sizeof(*targets));

    if (!targets)
        return calls_no_memory(request, fault);
    if (n_keys > 0 && !keys)
        return fault_add(fault, name, "is NULL; give the keys");
    for (size_t i = 0; i < n_keys; i++) {
        struct json_path path = JSON_PATH_INIT;
        ProtobufCBinaryData key;
        Code code;

        json_path_name(&path, name);
        json_path_index(&path, i);
        code = pack(model, keys, i, path.text, arena, &key, fault);
        if (code)
            return code;
        targets[i] = calls_target(arena, model, key);
        if (!targets[i])
            return calls_no_memory(request, fault);
    }
    *ret_targets = targets;
    return HERO__V1__CODE__OK;
}

static Code pack_one(const struct model *model, const void *keys, size_t i, const char *path,
                     struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault)
{
    return key_pack(model, (const hero_key *)keys + i, path, arena, ret_key, fault);
}

/* ---- delete ---- */

struct delete_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const hero_key *keys;
    size_t n_keys;
};

static Code build_delete(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct delete_arguments *deletion = arguments;
    Hero__V1__DeleteRequest input = HERO__V1__DELETE_REQUEST__INIT;
    const struct binding *binding;
    Code code = bindings_find(request->bindings, deletion->descriptor, &binding, fault);

    if (!code)
        code = calls_targets(request, binding->model, deletion->keys, deletion->n_keys, pack_one,
                             "targets", &input.targets, fault);
    if (code)
        return code;
    input.n_targets = deletion->n_keys;
    request->read = request_read_commit;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind delete_kind = {"hero.v1.Records/Delete", true, true, build_delete};

hero_result *hero_client_delete(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                const hero_key *keys, size_t n_keys, hero_error *error)
{
    const struct delete_arguments arguments = {descriptor, keys, n_keys};

    return request_call(client, &delete_kind, &arguments, error);
}

hero_request *hero_request_delete(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                  const hero_key *keys, size_t n_keys, hero_error *error)
{
    const struct delete_arguments arguments = {descriptor, keys, n_keys};

    return request_prepare(client, &delete_kind, &arguments, error);
}

/* ---- link and unlink ---- */

struct link_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const hero_key *key;
    const char *relationship;
    const hero_key *related;
    size_t n_related;
};

Code calls_relationship(const struct model *model, const char *name,
                        const struct relationship **ret_relationship, struct fault *fault)
{
    struct json_path names = JSON_PATH_INIT;

    *ret_relationship = name ? model_relationship(model, name) : NULL;
    if (*ret_relationship)
        return HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_relationships; i++)
        json_path_name(&names, model->relationships[i].name);
    for (char *at = names.text; *at; at++)
        *at = *at == '.' ? ' ' : *at;
    return fault_add(fault, "relationship", "%s has no relationship %.100s; it has: %s",
                     model->name, name ? name : "without a name", names.len ? names.text : "none");
}

static Code build_link(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct link_arguments *link = arguments;
    Hero__V1__LinkRequest input = HERO__V1__LINK_REQUEST__INIT;
    const struct relationship *relationship;
    const struct binding *binding;
    ProtobufCBinaryData key;
    Code code = bindings_find(request->bindings, link->descriptor, &binding, fault);

    if (!code)
        code = calls_relationship(binding->model, binding_served_name(binding, link->relationship),
                                  &relationship, fault);
    if (!code)
        code = key_pack(binding->model, link->key, "target", &request->arena, &key, fault);
    if (!code)
        code = calls_targets(request, relationship->target, link->related, link->n_related,
                             pack_one, "related", &input.related, fault);
    if (code)
        return code;
    input.n_related = link->n_related;
    input.relationship = (char *)(uintptr_t)relationship->name;
    input.target = calls_target(&request->arena, binding->model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->read = request_read_commit;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind link_kind = {"hero.v1.Records/Link", true, true, build_link};
static const struct request_kind unlink_kind = {"hero.v1.Records/Unlink", true, true, build_link};

hero_result *hero_client_link(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                              hero_key key, const char *relationship, const hero_key *related,
                              size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_call(client, &link_kind, &arguments, error);
}

hero_request *hero_request_link(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                hero_key key, const char *relationship, const hero_key *related,
                                size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_prepare(client, &link_kind, &arguments, error);
}

hero_result *hero_client_unlink(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                hero_key key, const char *relationship, const hero_key *related,
                                size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_call(client, &unlink_kind, &arguments, error);
}

hero_request *hero_request_unlink(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                  hero_key key, const char *relationship, const hero_key *related,
                                  size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_prepare(client, &unlink_kind, &arguments, error);
}

/* ---- set links ---- */

static Code no_room(const hero_result *result, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "more than %zu bytes are needed",
                     result->arena.budget);
}

static Code read_keys(hero_result *result, const struct binding *related,
                      Hero__V1__Record *const *records, size_t n, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < n; i++)
        code = graph_struct_unpack(related, records[i]->value.data, records[i]->value.len,
                                   &result->arena, &result->records[result->n_records++], fault);
    return code;
}

Code calls_list_etag(hero_result *result, struct fault *fault)
{
    const Hero__V1__Outcome *outcome =
        result->commit->n_outcomes ? result->commit->outcomes[0] : NULL;

    if (!outcome || !outcome->has_etag)
        return fault_set(fault, HERO__V1__CODE__INTERNAL, "the daemon's answer holds no etag");
    result->list_etag = base64_text(&result->arena, outcome->etag);
    return result->list_etag ? HERO__V1__CODE__OK : no_room(result, fault);
}

/* Those that were added, then those that were removed. */
static Code read_set(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct binding *related = request->how;
    const Hero__V1__Outcome *outcome;
    Code code = request_read_commit(request, result, fault);

    if (!code)
        code = calls_list_etag(result, fault);
    if (code || !related)
        return code;
    outcome = result->commit->outcomes[0];
    result->records =
        arena_array(&result->arena, outcome->n_added_records + outcome->n_removed_records + 1,
                    sizeof(*result->records));
    if (!result->records)
        return no_room(result, fault);
    code = read_keys(result, related, outcome->added_records, outcome->n_added_records, fault);
    return code ? code
                : read_keys(result, related, outcome->removed_records, outcome->n_removed_records,
                            fault);
}

/* Where the caller's struct shows the relationship, its field says what the
 * related structs are; else there is nothing to make them of. */
static Code bind_related(hero_request *request, const struct binding *binding,
                         const struct relationship *relationship, struct fault *fault)
{
    const ProtobufCFieldDescriptor *field = graph_struct_field(binding->descriptor, relationship);
    const struct binding *related = NULL;
    Code code = HERO__V1__CODE__OK;

    if (field)
        code = bindings_find(request->bindings, field->descriptor, &related, fault);
    request->how = related;
    return code;
}

static Code build_set_links(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct link_arguments *link = arguments;
    Hero__V1__SetLinksRequest input = HERO__V1__SET_LINKS_REQUEST__INIT;
    const struct relationship *relationship;
    const struct binding *binding;
    ProtobufCBinaryData key;
    Code code = bindings_find(request->bindings, link->descriptor, &binding, fault);

    if (!code)
        code = calls_relationship(binding->model, binding_served_name(binding, link->relationship),
                                  &relationship, fault);
    if (!code)
        code = key_pack(binding->model, link->key, "target", &request->arena, &key, fault);
    if (!code)
        code = calls_targets(request, relationship->target, link->related, link->n_related,
                             pack_one, "related", &input.related, fault);
    if (!code)
        code = bind_related(request, binding, relationship, fault);
    if (code)
        return code;
    input.n_related = link->n_related;
    input.relationship = (char *)(uintptr_t)relationship->name;
    input.target = calls_target(&request->arena, binding->model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    request->read = read_set;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind set_links_kind = {"hero.v1.Records/SetLinks", true, true,
                                                   build_set_links};

hero_result *hero_client_set_links(hero_client *client,
                                   const ProtobufCMessageDescriptor *descriptor, hero_key key,
                                   const char *relationship, const hero_key *related,
                                   size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_call(client, &set_links_kind, &arguments, error);
}

hero_request *hero_request_set_links(hero_client *client,
                                     const ProtobufCMessageDescriptor *descriptor, hero_key key,
                                     const char *relationship, const hero_key *related,
                                     size_t n_related, hero_error *error)
{
    const struct link_arguments arguments = {descriptor, &key, relationship, related, n_related};

    return request_prepare(client, &set_links_kind, &arguments, error);
}
