/*
 * The models that the daemon serves, as heroctl needs them for columns, keys
 * and .proto text.
 */
#ifndef HERO_CLI_SCHEMA_H
#define HERO_CLI_SCHEMA_H

#include <model.h>
#include "context.h"

/* All of them. 0, or the exit code after the failure was told. */
int schema_fetch(struct context *context, struct models **ret_models);
/* One by name; told when there is none. */
/* The models of a version that is or was served. */
int schema_fetch_version(struct context *context, uint64_t version, struct models **ret_models);
int schema_find(struct context *context, const struct models *models, const char *name,
                const struct model **ret_model);

#endif
