/*
 * Adoption: is an existing table the table of a model?
 *
 * Knows shapes and models; changes nothing.
 */
#ifndef HERO_STORE_ADOPT_H
#define HERO_STORE_ADOPT_H

#include "db.h"
#include "ddl.h"

/* What must be done for a model's table. */
struct table_plan {
    const struct model *model;
    bool exists;                      /* of the same shape */
    const struct ddl_index **indexes; /* that are missing */
    size_t n_indexes;
};

/* Compares the table with the model. Every difference becomes a violation
 * (path "file.proto:Message.field") of a FAILED_PRECONDITION; a table that
 * isn't there is none. */
MUST_CHECK Code adopt_plan(struct db *db, const struct model *model, struct arena *arena,
                           struct table_plan *ret_plan, struct fault *fault);

#endif
