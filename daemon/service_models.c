/*
 * hero.v1.Models: what is served, and changes of it. Changes run on the
 * writer thread; what is served comes from the models that the call pinned.
 * No nng, no SQL text of its own.
 */
#include "service.h"

#include <string.h>
#include "call.h"
#include "daemon.h"

#define UNUSED __attribute__((unused))

#define SERVICE_PARAMS(Input, Output)                                                              \
    Hero__V1__Models_Service UNUSED *unused, const Hero__V1__##Input *input,                       \
        Hero__V1__##Output##_Closure UNUSED closure, void *closure_data

/* After the change its version is what the answer tells, not the pinned one's. */
static void pin_current(struct call *call)
{
    models_unref(call->models);
    call->models = store_models(call->daemon->store);
}

static void apply_done(struct store_change *change)
{
    struct call *call = change->arg;

    if (change->fault.code != HERO__V1__CODE__OK) {
        call_fail(call, &change->fault);
        return;
    }
    pin_current(call);
    call_reply(&change->applied.base, call);
}

static void remove_done(struct store_change *change)
{
    struct call *call = change->arg;
    Hero__V1__RemoveModelResponse response = HERO__V1__REMOVE_MODEL_RESPONSE__INIT;

    if (change->fault.code != HERO__V1__CODE__OK) {
        call_fail(call, &change->fault);
        return;
    }
    pin_current(call);
    response.has_models_version = true;
    response.models_version = change->applied.models_version;
    call_reply(&response.base, call);
}

static struct store_change *change_of(struct call *call, enum store_change_kind kind)
{
    struct store_change *change = &call->change;

    memset(change, 0, sizeof(*change));
    hero__v1__apply_models_response__init(&change->applied);
    change->kind = kind;
    change->author = call->peer.principal;
    change->arena = &call->arena;
    change->echo = call->wants_echo ? &call->echo : NULL;
    change->arg = call;
    return change;
}

static void models_apply(SERVICE_PARAMS(ApplyModelsRequest, ApplyModelsResponse))
{
    struct call *call = closure_data;
    struct fault fault = FAULT_INIT;

    if (input->set_version && input->descriptor_set.len > 0) {
        fault_add(&fault, "set_version", "is there beside descriptor_set; give one of them");
        call_fail(call, &fault);
        return;
    }
    if (input->descriptor_set.len == 0 && !input->set_version) {
        fault_add(&fault, "descriptor_set",
                  "missing; send what protoc --include_imports --descriptor_set_out writes");
        call_fail(call, &fault);
        return;
    }
    if (input->validate_only && !call->on_pool) { /* it looks at rows: that may take long */
        call_defer(call);
        return;
    }
    struct store_change *change = change_of(call, STORE_APPLY);
    change->descriptor_set = input->descriptor_set.data;
    change->descriptor_set_len = input->descriptor_set.len;
    change->set_version = input->set_version;
    change->expected_version = input->expected_version;
    change->allowed = input->allow_data_loss;
    change->n_allowed = input->n_allow_data_loss;
    change->validate_only = input->validate_only;
    change->done = apply_done;
    if (!change->validate_only) {
        store_submit_change(call->daemon->store, change);
        return;
    }
    store_plan(call->daemon->store, change, call->deadline_ns);
    change->done(change);
}

static void models_remove(SERVICE_PARAMS(RemoveModelRequest, RemoveModelResponse))
{
    struct call *call = closure_data;
    struct fault fault = FAULT_INIT;

    if (input->n_names == 0) {
        fault_add(&fault, "names", "missing; a model's full message name or its table's");
        call_fail(call, &fault);
        return;
    }
    struct store_change *change = change_of(call, STORE_REMOVE);
    change->names = (const char *const *)input->names;
    change->n_names = input->n_names;
    change->done = remove_done;
    store_submit_change(call->daemon->store, change);
}

static Code describe(const struct model *model, struct arena *arena, Hero__V1__Model *ret_model,
                     struct fault *fault)
{
    hero__v1__model__init(ret_model);
    ret_model->name = (char *)(uintptr_t)model->name;
    ret_model->table = (char *)(uintptr_t)model->table;
    if (store_ddl(model, arena, &ret_model->ddl, &ret_model->n_ddl) != HERO__V1__CODE__OK)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the model's DDL does not fit the memory of one request");
    return HERO__V1__CODE__OK;
}

static Code describe_all(struct call *call, Hero__V1__ListModelsResponse *response,
                         struct fault *fault)
{
    const struct models *models = call->models;
    Hero__V1__Model *described = arena_array(&call->arena, models->n_models, sizeof(*described));
    Code code = HERO__V1__CODE__OK;

    response->models = arena_array(&call->arena, models->n_models, sizeof(*response->models));
    if (models->n_models > 0 && (!described || !response->models))
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the models do not fit the memory of one request");
    for (size_t i = 0; i < models->n_models && code == HERO__V1__CODE__OK; i++) {
        code = describe(&models->models[i], &call->arena, &described[i], fault);
        response->models[response->n_models++] = &described[i];
    }
    response->has_models_version = true;
    response->models_version = models->version;
    response->has_descriptor_set = true;
    response->descriptor_set.data = (uint8_t *)(uintptr_t)models->descriptor_set;
    response->descriptor_set.len = models->descriptor_set_len;
    return code;
}

static void models_list(SERVICE_PARAMS(ListModelsRequest, ListModelsResponse))
{
    struct call *call = closure_data;
    Hero__V1__ListModelsResponse response = HERO__V1__LIST_MODELS_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    (void)input;
    if (describe_all(call, &response, &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static void models_get(SERVICE_PARAMS(GetModelRequest, GetModelResponse))
{
    struct call *call = closure_data;
    Hero__V1__GetModelResponse response = HERO__V1__GET_MODEL_RESPONSE__INIT;
    Hero__V1__Model described;
    struct fault fault = FAULT_INIT;
    const struct model *model;

    if (!input->name || !input->name[0])
        fault_add(&fault, "name", "missing; a model's full message name or its table's");
    model =
        fault.code == HERO__V1__CODE__OK ? models_find(call->models, input->name, &fault) : NULL;
    if (!model || describe(model, &call->arena, &described, &fault) != HERO__V1__CODE__OK ||
        models_descriptor_set_of(model, &call->arena, &response.descriptor_set, &fault) !=
            HERO__V1__CODE__OK) {
        call_fail(call, &fault);
        return;
    }
    response.model = &described;
    response.has_descriptor_set = true;
    closure(&response, call);
}

static struct store_read read_of(struct call *call)
{
    return (struct store_read){
        .models = call->models,
        .arena = &call->arena,
        .deadline_ns = call->deadline_ns,
        .echo = call->wants_echo ? &call->echo : NULL,
    };
}

static void models_history(SERVICE_PARAMS(HistoryRequest, HistoryResponse))
{
    struct call *call = closure_data;
    struct store_read read = read_of(call);
    Hero__V1__HistoryResponse response = HERO__V1__HISTORY_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    if (store_history(call->daemon->store, &read, input->page_size, input->before, &response,
                      &fault) == HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static void models_get_set(SERVICE_PARAMS(GetModelSetRequest, GetModelSetResponse))
{
    struct call *call = closure_data;
    struct store_read read = read_of(call);
    Hero__V1__GetModelSetResponse response = HERO__V1__GET_MODEL_SET_RESPONSE__INIT;
    struct fault fault = FAULT_INIT;

    if (store_get_set(call->daemon->store, &read, input->version, &response, &fault) ==
        HERO__V1__CODE__OK)
        closure(&response, call);
    else
        call_fail(call, &fault);
}

static Hero__V1__Models_Service service = HERO__V1__MODELS__INIT(models_);
ProtobufCService *const service_models = &service.base;
