/*
 * Which columns of each model an answer holds, where fewer were asked for: as
 * the daemon understands it, a record has the fields of all ways that lead to it.
 */
#ifndef HERO_CLIENT_FIELD_MASK_H
#define HERO_CLIENT_FIELD_MASK_H

#include "hero/v1/records.pb-c.h"
#include "model.h"

struct field_mask; /* of one model, and the next */

/* What roots of the model show; n 0: all. *masks begins as NULL. */
MUST_CHECK Code field_mask_add(struct arena *arena, const struct model *model, char *const *fields,
                               size_t n, struct field_mask **masks, struct fault *fault);
/* What paths and expansions from there show. Paths that lead nowhere are left out. */
MUST_CHECK Code field_mask_expand(struct arena *arena, const struct model *model,
                                  char *const *paths, size_t n_paths,
                                  Hero__V1__Expansion *const *expansions, size_t n_expansions,
                                  struct field_mask **masks, struct fault *fault);
/* NULL masks: everything. */
bool field_mask_has(const struct field_mask *masks, const struct column *column);

#endif
