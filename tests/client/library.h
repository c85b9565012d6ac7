/* The models of tests/data/library.proto, as a client holds them. */
#ifndef HERO_TESTS_CLIENT_LIBRARY_H
#define HERO_TESTS_CLIENT_LIBRARY_H

#include "model.h"

static const uint8_t library_set[] = {
#include "library.desc.inc"
};

static inline const struct model *library_model(const struct models *models, const char *name)
{
    struct fault fault = FAULT_INIT;
    const struct model *model = models_find(models, name, &fault);

    if (!model)
        fail_msg("%s", fault.message);
    return model;
}

static inline struct models *library_models(void)
{
    struct fault fault = FAULT_INIT;
    struct models *models = NULL;

    if (models_new(library_set, sizeof(library_set), &models, &fault))
        fail_msg("%s", fault.message);
    return models;
}

#endif
