/*
 * Questions about many records, as generated structs: list, list_related,
 * count. What they ask and are told is in calls_list.c.
 */
#include <string.h>
#include "binding.h"
#include "calls.h"
#include "graph_struct.h"
#include "key.h"

/* ---- list ---- */

struct list_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const hero_list *list;
};

static Code read_list(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct binding *binding = request->how;
    ProtobufCMessage *message;
    const Hero__V1__ListResponse *response;
    Code code = request_unpack(result, &hero__v1__list_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListResponse *)message;
    code = calls_read_graph(request, result, binding->descriptor, response->graph, response->roots,
                            response->n_roots, fault);
    return code ? code : calls_told(result, &(const struct calls_told)CALLS_TOLD(response), fault);
}

static Code build_list(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct list_arguments *list = arguments;
    Hero__V1__ListRequest input = HERO__V1__LIST_REQUEST__INIT;
    const struct binding *binding;
    Code code = calls_bind(request, list->descriptor, &binding, fault);

    if (!code)
        code = calls_list(&request->arena, list->list, &input, fault);
    if (!code)
        code = calls_served_words(request, binding, input.order_by, input.n_order_by, fault);
    if (!code)
        code = calls_served_words(request, binding, input.expand, input.n_expand, fault);
    if (!code)
        code = calls_served_words(request, binding, input.read_mask, input.n_read_mask, fault);
    for (size_t i = 0; !code && i < input.n_expansions; i++)
        code = calls_served_words(request, binding, &input.expansions[i]->path, 1, fault);
    if (code)
        return code;
    input.model = (char *)(uintptr_t)binding->model->name;
    request->read = read_list;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind list_kind = {"hero.v1.Records/List", false, true, build_list};

hero_result *hero_client_list(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                              const hero_list *list, hero_error *error)
{
    const struct list_arguments arguments = {descriptor, list};

    return request_call(client, &list_kind, &arguments, error);
}

hero_request *hero_request_list(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                const hero_list *list, hero_error *error)
{
    const struct list_arguments arguments = {descriptor, list};

    return request_prepare(client, &list_kind, &arguments, error);
}

/* ---- list related ---- */

struct related_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const hero_key *key;
    const char *relationship;
    const hero_list *list;
};

/* request->how of an answer whose structs are of other descriptors. */
struct related_how {
    const ProtobufCMessageDescriptor *descriptor;
};

static Code read_related(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct related_how *how = request->how;
    ProtobufCMessage *message;
    const Hero__V1__ListRelatedResponse *response;
    Code code =
        request_unpack(result, &hero__v1__list_related_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListRelatedResponse *)message;
    code = calls_read_graph(request, result, how->descriptor, response->graph, response->roots,
                            response->n_roots, fault);
    return code ? code : calls_told(result, &(const struct calls_told)CALLS_TOLD(response), fault);
}

/* What the caller's struct shows the relationship as. */
static Code descriptor_of(const struct binding *binding, const struct relationship *relationship,
                          const ProtobufCMessageDescriptor **ret_descriptor, struct fault *fault)
{
    const ProtobufCFieldDescriptor *field = graph_struct_field(binding->descriptor, relationship);

    if (!field)
        return fault_add(fault, "relationship", "%s has no field for %s: generate it anew",
                         binding->descriptor->name, relationship->name);
    *ret_descriptor = field->descriptor;
    return HERO__V1__CODE__OK;
}

static Code build_related(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct related_arguments *related = arguments;
    Hero__V1__ListRelatedRequest input = HERO__V1__LIST_RELATED_REQUEST__INIT;
    struct related_how *how = arena_alloc(&request->arena, sizeof(*how));
    const struct relationship *relationship;
    const struct binding *binding;
    ProtobufCBinaryData key;
    Code code = calls_bind(request, related->descriptor, &binding, fault);

    if (!code)
        code = key_pack(binding->model, related->key, "target.key", &request->arena, &key, fault);
    if (!code)
        code =
            calls_relationship(binding->model, binding_served_name(binding, related->relationship),
                               &relationship, fault);
    if (!code && !how)
        code = calls_no_memory(request, fault);
    if (!code)
        code = descriptor_of(binding, relationship, &how->descriptor, fault);
    if (!code)
        code = calls_list_related(&request->arena, related->list, &input, fault);
    if (code)
        return code;
    input.target = calls_target(&request->arena, binding->model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    input.relationship = (char *)(uintptr_t)relationship->name;
    request->how = how;
    request->read = read_related;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind related_kind = {"hero.v1.Records/ListRelated", false, true,
                                                 build_related};

hero_result *hero_client_list_related(hero_client *client,
                                      const ProtobufCMessageDescriptor *descriptor, hero_key key,
                                      const char *relationship, const hero_list *list,
                                      hero_error *error)
{
    const struct related_arguments arguments = {descriptor, &key, relationship, list};

    return request_call(client, &related_kind, &arguments, error);
}

hero_request *hero_request_list_related(hero_client *client,
                                        const ProtobufCMessageDescriptor *descriptor, hero_key key,
                                        const char *relationship, const hero_list *list,
                                        hero_error *error)
{
    const struct related_arguments arguments = {descriptor, &key, relationship, list};

    return request_prepare(client, &related_kind, &arguments, error);
}

/* ---- count ---- */

struct count_arguments {
    const ProtobufCMessageDescriptor *descriptor;
    const char *filter, *group_by;
    uint32_t limit;
};

static Code read_group(hero_request *request, hero_result *result, size_t i,
                       const Hero__V1__CountGroup *group, struct fault *fault)
{
    const struct related_how *how = request->how;
    const struct binding *binding;
    Code code;

    result->groups[i] = group->count;
    if (!group->has_value)
        return HERO__V1__CODE__OK;
    code = bindings_find(request->bindings, how->descriptor, &binding, fault);
    return code ? code
                : graph_struct_unpack(binding, group->value.data, group->value.len, &result->arena,
                                      &result->records[i], fault);
}

static Code read_count(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__CountResponse *response;
    Code code = request_unpack(result, &hero__v1__count_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__CountResponse *)message;
    result->records = arena_array(&result->arena, response->n_groups + 1, sizeof(*result->records));
    result->groups = arena_array(&result->arena, response->n_groups + 1, sizeof(*result->groups));
    if (!result->records || !result->groups)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "more than %zu bytes are needed", result->arena.budget);
    for (size_t i = 0; !code && i < response->n_groups; i++)
        code = read_group(request, result, i, response->groups[i], fault);
    result->n_records = code ? 0 : response->n_groups;
    result->more_groups = response->more;
    return code;
}

/* The struct that holds a group's value: along relationships, as the path goes. */
static Code follow(struct arena *arena, const struct binding *binding, const char *path,
                   const ProtobufCMessageDescriptor **ret_descriptor, struct fault *fault)
{
    const ProtobufCMessageDescriptor *descriptor = binding->descriptor;
    char *copy = arena_strdup(arena, path ? path : ""), *rest;

    if (!copy)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "more than %zu bytes are needed", arena->budget);
    for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && field->descriptor)
            descriptor = field->descriptor;
    }
    *ret_descriptor = descriptor;
    return HERO__V1__CODE__OK;
}

static Code build_count(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct count_arguments *count = arguments;
    Hero__V1__CountRequest input = HERO__V1__COUNT_REQUEST__INIT;
    struct related_how *how = arena_alloc(&request->arena, sizeof(*how));
    const struct binding *binding;
    Code code = calls_bind(request, count->descriptor, &binding, fault);

    if (!code && !how)
        code = calls_no_memory(request, fault);
    if (!code)
        code = follow(&request->arena, binding, count->group_by, &how->descriptor, fault);
    input.group_by = (char *)(uintptr_t)count->group_by;
    if (!code && count->group_by)
        code = calls_served_words(request, binding, &input.group_by, 1, fault);
    if (code)
        return code;
    input.model = (char *)(uintptr_t)binding->model->name;
    input.filter = (char *)(uintptr_t)count->filter;
    input.has_limit = count->limit > 0;
    input.limit = count->limit;
    request->how = how; /* after calls_bind, which sets it too */
    request->read = read_count;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind count_kind = {"hero.v1.Records/Count", false, true, build_count};

hero_result *hero_client_count(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                               const char *filter, const char *group_by, uint32_t limit,
                               hero_error *error)
{
    const struct count_arguments arguments = {descriptor, filter, group_by, limit};

    return request_call(client, &count_kind, &arguments, error);
}

hero_request *hero_request_count(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                                 const char *filter, const char *group_by, uint32_t limit,
                                 hero_error *error)
{
    const struct count_arguments arguments = {descriptor, filter, group_by, limit};

    return request_prepare(client, &count_kind, &arguments, error);
}
