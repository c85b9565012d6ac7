/* Descriptor sets as Models.Apply takes them: what is accepted parses back to
 * the same models. */
#include <stdlib.h>
#include "fuzz.h"
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fault fault = FAULT_INIT;
    struct models *models, *again;

    if (models_new(bytes, len, &models, &fault) == HERO__V1__CODE__OK) {
        if (models_new(models->descriptor_set, models->descriptor_set_len, &again, NULL) !=
                HERO__V1__CODE__OK ||
            again->n_models != models->n_models)
            abort();
        models_unref(again);
        models_unref(models);
    }
    fault_done(&fault);
    return 0;
}
