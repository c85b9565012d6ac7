/*
 * Questions about many records, as JSON text: list, list_related, count,
 * explain.
 */
#include "calls_json.h"
#include "field_mask.h"
#include "scan.h"

/* What an answer shows; request->how. */
struct shape {
    struct expand_node *expand;
    struct field_mask *masks;
    const char *relationship; /* list_related */
};

static Code write_graph(hero_request *request, hero_result *result, const Hero__V1__Graph *graph,
                        const uint32_t *roots, size_t n_roots, json_t **ret_array,
                        struct fault *fault)
{
    const struct shape *shape = request->how;

    return graph_json_write_fields(bindings_models(request->bindings), graph, roots, n_roots,
                                   shape->expand, shape->masks, &result->arena, ret_array, fault);
}

/* The tree of names to show and the columns of each model. */
static Code add_shape(struct arena *arena, const struct model *model, char **paths, size_t n_paths,
                      Hero__V1__Expansion **expansions, size_t n_expansions, struct shape *shape,
                      struct fault *fault)
{
    Code code = expand_add(arena, (const char *const *)paths, n_paths, &shape->expand, fault);

    for (size_t i = 0; !code && i < n_expansions; i++)
        code =
            expand_add(arena, (const char *const *)&expansions[i]->path, 1, &shape->expand, fault);
    return code ? code
                : field_mask_expand(arena, model, paths, n_paths, expansions, n_expansions,
                                    &shape->masks, fault);
}

/* ---- list ---- */

struct list_arguments {
    const char *model;
    const hero_list *list;
};

static Code read_list(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__ListResponse *response;
    json_t *array;
    Code code = request_unpack(result, &hero__v1__list_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListResponse *)message;
    code = write_graph(request, result, response->graph, response->roots, response->n_roots, &array,
                       fault);
    if (!code)
        code = calls_text(result, array, fault);
    return code ? code : calls_told(result, &(const struct calls_told)CALLS_TOLD(response), fault);
}

static Code ask_list(hero_request *request, const struct list_arguments *list,
                     Hero__V1__ListRequest *input, struct fault *fault)
{
    struct shape *shape = arena_alloc(&request->arena, sizeof(*shape));
    const struct model *model;
    Code code = calls_model(request, list->model, &model, fault);

    if (!code && !shape)
        code = calls_no_memory(request, fault);
    if (!code)
        code = calls_list(&request->arena, list->list, input, fault);
    if (!code)
        code = field_mask_add(&request->arena, model, input->read_mask, input->n_read_mask,
                              &shape->masks, fault);
    if (!code)
        code = add_shape(&request->arena, model, input->expand, input->n_expand, input->expansions,
                         input->n_expansions, shape, fault);
    if (code)
        return code;
    input->model = (char *)(uintptr_t)model->name;
    request->how = shape;
    return code;
}

static Code build_list(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__ListRequest input = HERO__V1__LIST_REQUEST__INIT;
    Code code = ask_list(request, arguments, &input, fault);

    request->read = read_list;
    return code ? code : request_pack(request, &input.base, fault);
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

/* ---- list related ---- */

struct related_arguments {
    const char *model, *key, *relationship;
    const hero_list *list;
};

/* The record that has them shows them as they are shown where it is expanded. */
static Code read_related(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct shape *shape = request->how;
    static const uint32_t first = 1;
    ProtobufCMessage *message;
    const Hero__V1__ListRelatedResponse *response;
    json_t *array, *related;
    Code code =
        request_unpack(result, &hero__v1__list_related_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__ListRelatedResponse *)message;
    code = write_graph(request, result, response->graph, &first, 1, &array, fault);
    if (code)
        return code;
    related = json_object_get(json_array_get(array, 0), shape->relationship);
    if (json_is_array(related))
        related = json_incref(related);
    else
        related = json_is_object(related) ? json_pack("[O]", related) : json_array();
    json_decref(array);
    code = calls_text(result, related, fault);
    return code ? code : calls_told(result, &(const struct calls_told)CALLS_TOLD(response), fault);
}

static Code shape_related(hero_request *request, const struct relationship *relationship,
                          const Hero__V1__ListRelatedRequest *input, struct shape *shape,
                          struct fault *fault)
{
    struct arena *arena = &request->arena;
    char *path = (char *)(uintptr_t)relationship->name;
    struct expand_node *inner = NULL;
    struct shape below = {NULL, NULL, NULL};
    Code code = field_mask_add(arena, relationship->target, input->read_mask, input->n_read_mask,
                               &below.masks, fault);

    if (!code)
        code = add_shape(arena, relationship->target, NULL, 0, input->expansions,
                         input->n_expansions, &below, fault);
    inner = below.expand;
    if (!code)
        code = expand_add(arena, (const char *const *)&path, 1, &shape->expand, fault);
    if (code)
        return code;
    shape->expand->children = inner;
    shape->masks = below.masks;
    shape->relationship = relationship->name;
    return code;
}

static Code build_related(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct related_arguments *related = arguments;
    Hero__V1__ListRelatedRequest input = HERO__V1__LIST_RELATED_REQUEST__INIT;
    struct shape *shape = arena_alloc(&request->arena, sizeof(*shape));
    const struct relationship *relationship;
    const struct model *model;
    ProtobufCBinaryData key;
    Code code = calls_model(request, related->model, &model, fault);

    if (!code && !shape)
        code = calls_no_memory(request, fault);
    if (!code)
        code = key_parse(model, related->key, "target.key", &request->arena, &key, fault);
    if (!code)
        code = calls_relationship(model, related->relationship, &relationship, fault);
    if (!code)
        code = calls_list_related(&request->arena, related->list, &input, fault);
    if (!code)
        code = shape_related(request, relationship, &input, shape, fault);
    if (code)
        return code;
    input.target = calls_target(&request->arena, model, key);
    if (!input.target)
        return calls_no_memory(request, fault);
    input.relationship = (char *)(uintptr_t)relationship->name;
    request->how = shape;
    request->read = read_related;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind related_kind = {"hero.v1.Records/ListRelated", false, true,
                                                 build_related};

hero_result *hero_client_list_related_json(hero_client *client, const char *model, const char *key,
                                           const char *relationship, const hero_list *list,
                                           hero_error *error)
{
    const struct related_arguments arguments = {model, key, relationship, list};

    return request_call(client, &related_kind, &arguments, error);
}

hero_request *hero_request_list_related_json(hero_client *client, const char *model,
                                             const char *key, const char *relationship,
                                             const hero_list *list, hero_error *error)
{
    const struct related_arguments arguments = {model, key, relationship, list};

    return request_prepare(client, &related_kind, &arguments, error);
}

/* ---- count ---- */

struct count_arguments {
    const char *model, *filter, *group_by;
    uint32_t limit;
};

/* The one column that is set, or the related record's key as an object. */
static Code group_value(hero_request *request, hero_result *result, const struct model *model,
                        const Hero__V1__CountGroup *group, bool is_column, json_t **ret_value,
                        struct fault *fault)
{
    struct scan_limits limits = scan_limits_record;
    ProtobufCMessage *record;

    (void)request;
    if (!group->has_value) {
        *ret_value = json_null();
        return HERO__V1__CODE__OK;
    }
    limits.refuse_unknown = false;
    if (scan_unpack(model->descriptor, group->value.data, group->value.len, &limits, &result->arena,
                    &record, NULL))
        return fault_set(fault, HERO__V1__CODE__INTERNAL,
                         "a group of %s in the daemon's answer is not readable", model->name);
    *ret_value = is_column ? NULL : json_object();
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];

        if (!is_column && column->primary_key)
            json_object_set_new_nocheck(*ret_value, column->field_name,
                                        json_write_field(record, column->field));
        else if (is_column && !*ret_value && field_present(record, column->field))
            *ret_value = json_write_field(record, column->field);
    }
    return HERO__V1__CODE__OK;
}

static Code write_groups(hero_request *request, hero_result *result,
                         const Hero__V1__CountResponse *response, json_t *groups,
                         struct fault *fault)
{
    const struct model *model =
        response->model ? models_find(bindings_models(request->bindings), response->model, NULL)
                        : NULL;
    bool is_column = *(const bool *)request->how;
    Code code = HERO__V1__CODE__OK;

    if (!model)
        return fault_set(fault, HERO__V1__CODE__ABORTED,
                         "the answer holds records of a model that was not served when the request "
                         "was made; ask again");
    for (size_t i = 0; !code && i < response->n_groups; i++) {
        json_t *value = NULL;

        code = group_value(request, result, model, response->groups[i], is_column, &value, fault);
        if (!code && json_array_append_new(
                         groups, json_pack("{s:o, s:I}", "value", value ? value : json_null(),
                                           "count", (json_int_t)response->groups[i]->count)))
            code = calls_no_memory(request, fault);
    }
    return code;
}

static Code read_count(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__CountResponse *response;
    json_t *object, *groups;
    Code code = request_unpack(result, &hero__v1__count_response__descriptor, &message, fault);

    if (code)
        return code;
    response = (const Hero__V1__CountResponse *)message;
    if (!request->how)
        return calls_text(
            result,
            json_pack("{s:I}", "count",
                      (json_int_t)(response->n_groups ? response->groups[0]->count : 0)),
            fault);
    groups = json_array();
    object = json_pack("{s:o}", "groups", groups);
    if (!object)
        return calls_no_memory(request, fault);
    code = write_groups(request, result, response, groups, fault);
    if (!code && response->more)
        json_object_set_new(object, "more", json_true());
    if (!code)
        return calls_text(result, object, fault);
    json_decref(object);
    return code;
}

/* Does the path end at a column? What is wrong with it the daemon tells. */
static Code keep_kind(hero_request *request, const struct model *model, const char *path,
                      struct fault *fault)
{
    bool *is_column = arena_alloc(&request->arena, sizeof(*is_column));
    char **names;
    size_t n;
    char *copy = arena_strdup(&request->arena, path);

    if (!is_column || !copy)
        return calls_no_memory(request, fault);
    for (char *at = copy; *at; at++)
        *at = *at == '.' ? ',' : *at;
    if (calls_split(&request->arena, copy, &names, &n, fault))
        return fault->code;
    for (size_t i = 0; i + 1 < n && model; i++) {
        const struct relationship *relationship = model_relationship(model, names[i]);

        model = relationship ? relationship->target : NULL;
    }
    *is_column = model && n > 0 && model_column(model, names[n - 1]);
    request->how = is_column;
    return HERO__V1__CODE__OK;
}

static Code build_count(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct count_arguments *count = arguments;
    Hero__V1__CountRequest input = HERO__V1__COUNT_REQUEST__INIT;
    const struct model *model;
    Code code = calls_model(request, count->model, &model, fault);

    if (!code && count->group_by && *count->group_by)
        code = keep_kind(request, model, count->group_by, fault);
    if (code)
        return code;
    input.model = (char *)(uintptr_t)model->name;
    input.filter = (char *)(uintptr_t)count->filter;
    input.group_by = (char *)(uintptr_t)count->group_by;
    input.has_limit = count->limit > 0;
    input.limit = count->limit;
    request->read = read_count;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind count_kind = {"hero.v1.Records/Count", false, true, build_count};

hero_result *hero_client_count_json(hero_client *client, const char *model, const char *filter,
                                    const char *group_by, uint32_t limit, hero_error *error)
{
    const struct count_arguments arguments = {model, filter, group_by, limit};

    return request_call(client, &count_kind, &arguments, error);
}

hero_request *hero_request_count_json(hero_client *client, const char *model, const char *filter,
                                      const char *group_by, uint32_t limit, hero_error *error)
{
    const struct count_arguments arguments = {model, filter, group_by, limit};

    return request_prepare(client, &count_kind, &arguments, error);
}

/* ---- explain ---- */

static json_t *texts(char *const *items, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_string(items[i]));
    return array;
}

static Code read_explain(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    const Hero__V1__ExplainResponse *response;
    json_t *array = json_array();
    Code code = request_unpack(result, &hero__v1__explain_response__descriptor, &message, fault);

    (void)request;
    if (code) {
        json_decref(array);
        return code;
    }
    response = (const Hero__V1__ExplainResponse *)message;
    for (size_t i = 0; i < response->n_statements; i++) {
        const Hero__V1__ExplainedStatement *told = response->statements[i];

        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:o, s:o}", "sql", told->sql ? told->sql : "",
                                        "plan", texts(told->plan, told->n_plan), "indexes",
                                        texts(told->indexes, told->n_indexes), "missing",
                                        texts(told->missing, told->n_missing)));
    }
    return calls_text(result, array, fault);
}

static Code build_explain(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__ExplainRequest input = HERO__V1__EXPLAIN_REQUEST__INIT;
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    Code code = ask_list(request, arguments, &list, fault);

    if (code)
        return code;
    input.list = &list;
    request->read = read_explain;
    return request_pack(request, &input.base, fault);
}

static const struct request_kind explain_kind = {"hero.v1.Records/Explain", false, true,
                                                 build_explain};

hero_result *hero_client_explain_json(hero_client *client, const char *model, const hero_list *list,
                                      hero_error *error)
{
    const struct list_arguments arguments = {model, list};

    return request_call(client, &explain_kind, &arguments, error);
}

hero_request *hero_request_explain_json(hero_client *client, const char *model,
                                        const hero_list *list, hero_error *error)
{
    const struct list_arguments arguments = {model, list};

    return request_prepare(client, &explain_kind, &arguments, error);
}
