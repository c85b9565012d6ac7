/*
 * Deleting, linking and unlinking by descriptor and key: requests that carry
 * targets and no records.
 */
#include "calls.h"
#include "key.h"

/* Targets of n keys of a model; paths are name[i]. */
static Code targets_of(hero_request *request, const struct model *model, const hero_key *keys,
                       size_t n_keys, const char *name, Hero__V1__Target ***ret_targets,
                       struct fault *fault)
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
        code = key_pack(model, &keys[i], path.text, arena, &key, fault);
        if (code)
            return code;
        targets[i] = calls_target(arena, model, key);
        if (!targets[i])
            return calls_no_memory(request, fault);
    }
    *ret_targets = targets;
    return HERO__V1__CODE__OK;
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
        code = targets_of(request, binding->model, deletion->keys, deletion->n_keys, "targets",
                          &input.targets, fault);
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
        code = calls_relationship(binding->model, link->relationship, &relationship, fault);
    if (!code)
        code = key_pack(binding->model, link->key, "target", &request->arena, &key, fault);
    if (!code)
        code = targets_of(request, relationship->target, link->related, link->n_related, "related",
                          &input.related, fault);
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
