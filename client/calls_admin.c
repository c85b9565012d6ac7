/*
 * Models, Admin, and any method by name. Answers are the methods' messages
 * as JSON text; hero_client_call() leaves them packed.
 */
#include "calls.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "json.h"
#include "method.h"

/* What an answer may take as text. */
#define TEXT_BYTES ((size_t)256 * 1024 * 1024)

/* request->how: the output's descriptor. */
static Code read_text(hero_request *request, hero_result *result, struct fault *fault)
{
    ProtobufCMessage *message;
    Code code = request_unpack(result, request->how, &message, fault);
    json_t *value;

    if (code)
        return code;
    value = json_write_message(message);
    if (!value)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    code = json_print(value, TEXT_BYTES, &result->text, fault);
    json_decref(value);
    return code;
}

static Code build(hero_request *request, const ProtobufCMessage *input,
                  const ProtobufCMessageDescriptor *output, struct fault *fault)
{
    request->read = read_text;
    request->how = output;
    return request_pack(request, input, fault);
}

/* ---- models ---- */

struct apply_arguments {
    const void *descriptor_set;
    size_t size;
    const hero_apply *how; /* NULL: defaults */
};

static Code put_how(const hero_apply *how, Hero__V1__ApplyModelsRequest *input, struct fault *fault)
{
    input->has_validate_only = input->validate_only = how->validate_only;
    input->has_set_version = how->set_version != 0;
    input->set_version = how->set_version;
    input->has_expected_version = how->expected_version != 0;
    input->expected_version = how->expected_version;
    for (size_t i = 0; i < how->n_allow_data_loss; i++)
        if (!how->allow_data_loss || !how->allow_data_loss[i])
            return fault_add(fault, "allow_data_loss", "holds NULL; name what may be lost");
    input->allow_data_loss = (char **)(uintptr_t)how->allow_data_loss;
    input->n_allow_data_loss = how->n_allow_data_loss;
    return HERO__V1__CODE__OK;
}

static Code build_apply(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct apply_arguments *apply = arguments;
    Hero__V1__ApplyModelsRequest input = HERO__V1__APPLY_MODELS_REQUEST__INIT;

    if (apply->size > 0 && !apply->descriptor_set)
        return fault_add(fault, "descriptor_set", "is NULL");
    input.has_descriptor_set = 1;
    input.descriptor_set =
        (ProtobufCBinaryData){apply->size, (uint8_t *)(uintptr_t)apply->descriptor_set};
    Code code = apply->how ? put_how(apply->how, &input, fault) : HERO__V1__CODE__OK;
    return code ? code
                : build(request, &input.base, &hero__v1__apply_models_response__descriptor, fault);
}

static const struct request_kind apply_kind = {.method = "hero.v1.Models/Apply",
                                               .build = build_apply};

hero_result *hero_client_apply(hero_client *client, const void *descriptor_set, size_t size,
                               const hero_apply *how, hero_error *error)
{
    const struct apply_arguments arguments = {descriptor_set, size, how};

    return request_call(client, &apply_kind, &arguments, error);
}

hero_request *hero_request_apply(hero_client *client, const void *descriptor_set, size_t size,
                                 const hero_apply *how, hero_error *error)
{
    const struct apply_arguments arguments = {descriptor_set, size, how};

    return request_prepare(client, &apply_kind, &arguments, error);
}

struct history_arguments {
    uint32_t page_size;
    uint64_t before;
};

static Code build_history(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct history_arguments *history = arguments;
    Hero__V1__HistoryRequest input = HERO__V1__HISTORY_REQUEST__INIT;

    input.has_page_size = input.has_before = 1;
    input.page_size = history->page_size;
    input.before = history->before;
    return build(request, &input.base, &hero__v1__history_response__descriptor, fault);
}

static const struct request_kind history_kind = {.method = "hero.v1.Models/History",
                                                 .build = build_history};

hero_result *hero_client_history(hero_client *client, uint32_t page_size, uint64_t before,
                                 hero_error *error)
{
    const struct history_arguments arguments = {page_size, before};

    return request_call(client, &history_kind, &arguments, error);
}

hero_request *hero_request_history(hero_client *client, uint32_t page_size, uint64_t before,
                                   hero_error *error)
{
    const struct history_arguments arguments = {page_size, before};

    return request_prepare(client, &history_kind, &arguments, error);
}

static Code build_get_set(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__GetModelSetRequest input = HERO__V1__GET_MODEL_SET_REQUEST__INIT;

    input.has_version = 1;
    input.version = *(const uint64_t *)arguments;
    return build(request, &input.base, &hero__v1__get_model_set_response__descriptor, fault);
}

static const struct request_kind get_set_kind = {.method = "hero.v1.Models/GetSet",
                                                 .build = build_get_set};

hero_result *hero_client_get_set(hero_client *client, uint64_t version, hero_error *error)
{
    return request_call(client, &get_set_kind, &version, error);
}

hero_request *hero_request_get_set(hero_client *client, uint64_t version, hero_error *error)
{
    return request_prepare(client, &get_set_kind, &version, error);
}

struct remove_arguments {
    const char *const *models;
    size_t n_models;
};

static Code build_remove(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct remove_arguments *remove = arguments;
    Hero__V1__RemoveModelRequest input = HERO__V1__REMOVE_MODEL_REQUEST__INIT;

    for (size_t i = 0; i < remove->n_models; i++)
        if (!remove->models || !remove->models[i])
            return fault_add(fault, "names", "holds NULL; name the models");
    input.names = (char **)(uintptr_t)remove->models;
    input.n_names = remove->n_models;
    return build(request, &input.base, &hero__v1__remove_model_response__descriptor, fault);
}

static const struct request_kind remove_kind = {.method = "hero.v1.Models/Remove",
                                                .build = build_remove};

hero_result *hero_client_remove_models(hero_client *client, const char *const *models,
                                       size_t n_models, hero_error *error)
{
    const struct remove_arguments arguments = {models, n_models};

    return request_call(client, &remove_kind, &arguments, error);
}

hero_request *hero_request_remove_models(hero_client *client, const char *const *models,
                                         size_t n_models, hero_error *error)
{
    const struct remove_arguments arguments = {models, n_models};

    return request_prepare(client, &remove_kind, &arguments, error);
}

static Code build_list_models(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__ListModelsRequest input = HERO__V1__LIST_MODELS_REQUEST__INIT;

    (void)arguments;
    return build(request, &input.base, &hero__v1__list_models_response__descriptor, fault);
}

static const struct request_kind list_models_kind = {.method = "hero.v1.Models/List",
                                                     .build = build_list_models};

hero_result *hero_client_list_models(hero_client *client, hero_error *error)
{
    return request_call(client, &list_models_kind, NULL, error);
}

hero_request *hero_request_list_models(hero_client *client, hero_error *error)
{
    return request_prepare(client, &list_models_kind, NULL, error);
}

static Code build_get_model(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__GetModelRequest input = HERO__V1__GET_MODEL_REQUEST__INIT;

    input.name = (char *)(uintptr_t)arguments;
    return build(request, &input.base, &hero__v1__get_model_response__descriptor, fault);
}

static const struct request_kind get_model_kind = {.method = "hero.v1.Models/Get",
                                                   .build = build_get_model};

hero_result *hero_client_get_model(hero_client *client, const char *model, hero_error *error)
{
    return request_call(client, &get_model_kind, model, error);
}

hero_request *hero_request_get_model(hero_client *client, const char *model, hero_error *error)
{
    return request_prepare(client, &get_model_kind, model, error);
}

/* ---- admin ---- */

static Code build_hello(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__HelloRequest input = HERO__V1__HELLO_REQUEST__INIT;

    (void)arguments;
    return build(request, &input.base, &hero__v1__hello_response__descriptor, fault);
}

static const struct request_kind hello_kind = {.method = "hero.v1.Admin/Hello",
                                               .build = build_hello};

hero_result *hero_client_hello(hero_client *client, hero_error *error)
{
    return request_call(client, &hello_kind, NULL, error);
}

hero_request *hero_request_hello(hero_client *client, hero_error *error)
{
    return request_prepare(client, &hello_kind, NULL, error);
}

static Code build_check(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__CheckRequest input = HERO__V1__CHECK_REQUEST__INIT;

    (void)arguments;
    return build(request, &input.base, &hero__v1__check_response__descriptor, fault);
}

static const struct request_kind check_kind = {.method = "hero.v1.Admin/Check",
                                               .build = build_check};

hero_result *hero_client_check(hero_client *client, hero_error *error)
{
    return request_call(client, &check_kind, NULL, error);
}

hero_request *hero_request_check(hero_client *client, hero_error *error)
{
    return request_prepare(client, &check_kind, NULL, error);
}

static Code build_stats(hero_request *request, const void *arguments, struct fault *fault)
{
    Hero__V1__StatsRequest input = HERO__V1__STATS_REQUEST__INIT;

    (void)arguments;
    return build(request, &input.base, &hero__v1__stats_response__descriptor, fault);
}

static const struct request_kind stats_kind = {.method = "hero.v1.Admin/Stats",
                                               .build = build_stats};

hero_result *hero_client_stats(hero_client *client, hero_error *error)
{
    return request_call(client, &stats_kind, NULL, error);
}

hero_request *hero_request_stats(hero_client *client, hero_error *error)
{
    return request_prepare(client, &stats_kind, NULL, error);
}

/* ---- any method ---- */

struct call_arguments {
    const char *method;
    const void *input; /* packed, or JSON text */
    size_t size;
};

static Code name_method(hero_request *request, const char *name, struct method *ret_method,
                        struct fault *fault)
{
    Code code = name ? method_find(name, ret_method, fault)
                     : fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "no method was named");

    if (code)
        return code;
    request->method = arena_strdup(&request->arena, name);
    request->is_write = ret_method->is_write;
    return request->method ? HERO__V1__CODE__OK : calls_no_memory(request, fault);
}

static Code build_call_json(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct call_arguments *call = arguments;
    struct json_path path = JSON_PATH_INIT;
    ProtobufCMessage *input;
    struct method method;
    json_t *value;
    Code code = name_method(request, call->method, &method, fault);

    if (!code)
        code = json_parse(call->input ? call->input : "{}", &value, fault);
    if (code)
        return code;
    code = json_read_message(value, method.input, &request->arena, &path, &input, fault);
    json_decref(value);
    return code ? code : build(request, input, method.output, fault);
}

static const struct request_kind call_json_kind = {.build = build_call_json};

hero_result *hero_client_call_json(hero_client *client, const char *method, const char *json,
                                   hero_error *error)
{
    const struct call_arguments arguments = {method, json, 0};

    return request_call(client, &call_json_kind, &arguments, error);
}

hero_request *hero_request_call_json(hero_client *client, const char *method, const char *json,
                                     hero_error *error)
{
    const struct call_arguments arguments = {method, json, 0};

    return request_prepare(client, &call_json_kind, &arguments, error);
}

static Code build_call(hero_request *request, const void *arguments, struct fault *fault)
{
    const struct call_arguments *call = arguments;
    struct method method;
    Code code = name_method(request, call->method, &method, fault);

    if (code)
        return code;
    if (call->size > 0 && !call->input)
        return fault_add(fault, "input", "is NULL");
    request->payload.len = call->size;
    request->payload.data = arena_copy(&request->arena, call->size ? call->input : "", call->size);
    if (!request->payload.data)
        return calls_no_memory(request, fault);
    if (method.is_write)
        request->read = request_read_commit;
    return HERO__V1__CODE__OK;
}

static const struct request_kind call_kind = {.build = build_call};

hero_result *hero_client_call(hero_client *client, const char *method, const void *input,
                              size_t size, hero_error *error)
{
    const struct call_arguments arguments = {method, input, size};

    return request_call(client, &call_kind, &arguments, error);
}

hero_request *hero_request_call(hero_client *client, const char *method, const void *input,
                                size_t size, hero_error *error)
{
    const struct call_arguments arguments = {method, input, size};

    return request_prepare(client, &call_kind, &arguments, error);
}
