/*
 * Fetching the served models: Models.List as packed messages, checked and
 * indexed by proto/model.c as the daemon does it.
 */
#include <stdlib.h>
#include "hero/v1/models.pb-c.h"
#include "schema.h"

static int report_fault(struct context *context, struct fault *fault)
{
    hero_violation *violations = calloc(fault->n_violations + 1, sizeof(*violations));
    size_t n = violations ? fault->n_violations : 0;

    for (size_t i = 0; i < n; i++) {
        violations[i].path = fault->violations[i].path ? fault->violations[i].path : "";
        violations[i].description =
            fault->violations[i].description ? fault->violations[i].description : "";
    }
    int result = report_violations(context, (hero_code)fault->code, fault->message, violations, n);
    free(violations);
    fault_done(fault);
    return result;
}

int schema_fetch(struct context *context, struct models **ret_models)
{
    struct fault fault = FAULT_INIT;
    size_t size;

    if (!context_connect(context))
        return report_error(context);
    hero_result *result =
        hero_client_call(context->client, "hero.v1.Models/List", "", 0, &context->error);
    if (!result)
        return report_error(context);
    const void *bytes = hero_result_bytes(result, &size);
    Hero__V1__ListModelsResponse *list = hero__v1__list_models_response__unpack(NULL, size, bytes);
    hero_result_free(result);
    if (!list)
        return report_local(context, "the daemon's list of models is broken");
    Code code = models_new(list->descriptor_set.data, list->descriptor_set.len, ret_models, &fault);
    hero__v1__list_models_response__free_unpacked(list, NULL);
    return code == HERO__V1__CODE__OK ? 0 : report_fault(context, &fault);
}

/* A GetModelSetRequest by hand would be a second codec: it is packed as all are. */
static Hero__V1__GetModelSetResponse *get_set(struct context *context, uint64_t version)
{
    Hero__V1__GetModelSetRequest request = HERO__V1__GET_MODEL_SET_REQUEST__INIT;
    uint8_t bytes[32];
    size_t size;

    request.has_version = 1;
    request.version = version;
    hero_result *result =
        hero_client_call(context->client, "hero.v1.Models/GetSet", bytes,
                         hero__v1__get_model_set_request__pack(&request, bytes), &context->error);
    if (!result)
        return NULL;
    const void *answer = hero_result_bytes(result, &size);
    Hero__V1__GetModelSetResponse *set =
        hero__v1__get_model_set_response__unpack(NULL, size, answer);
    hero_result_free(result);
    return set;
}

int schema_fetch_version(struct context *context, uint64_t version, struct models **ret_models)
{
    struct fault fault = FAULT_INIT;
    Hero__V1__GetModelSetResponse *set;

    if (!context_connect(context))
        return report_error(context);
    set = get_set(context, version);
    if (!set)
        return context->error.code ? report_error(context)
                                   : report_local(context, "the daemon's set is broken");
    Code code = models_new(set->descriptor_set.data, set->descriptor_set.len, ret_models, &fault);
    hero__v1__get_model_set_response__free_unpacked(set, NULL);
    return code == HERO__V1__CODE__OK ? 0 : report_fault(context, &fault);
}

int schema_find(struct context *context, const struct models *models, const char *name,
                const struct model **ret_model)
{
    struct fault fault = FAULT_INIT;

    *ret_model = models_find(models, name, &fault);
    return *ret_model ? 0 : report_fault(context, &fault);
}
