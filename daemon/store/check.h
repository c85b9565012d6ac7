/*
 * Do the expressions that a model brings (checks) mean anything to SQLite?
 */
#ifndef HERO_STORE_CHECK_H
#define HERO_STORE_CHECK_H

#include "fault.h"
#include "model.h"

/* Tries them on a table of the model's shape in memory, where nothing can be
 * harmed. INVALID_ARGUMENT with a violation (path "file.proto:Message") in
 * SQLite's words. */
MUST_CHECK Code check_expressions(const struct model *model, struct arena *arena,
                                  struct fault *fault);

#endif
