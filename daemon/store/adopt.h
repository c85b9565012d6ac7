/*
 * Adoption: is an existing table the table of a model?
 *
 * Knows shapes and models; changes nothing.
 */
#ifndef HERO_STORE_ADOPT_H
#define HERO_STORE_ADOPT_H

#include "db.h"
#include "ddl.h"

/* More than these nobody reads, of one table. */
#define ADOPT_MAX_WARNINGS 16

/* What must be done for a model's table. */
struct table_plan {
    const struct model *model;
    bool exists;                      /* of the same shape */
    const struct ddl_index **indexes; /* that are missing */
    size_t n_indexes;
    /* What the model doesn't tell: "file.proto:Message.field: ..." */
    const char *warnings[ADOPT_MAX_WARNINGS];
    size_t n_warnings;
};

/* Compares the table with the model. Every difference becomes a violation
 * (path "file.proto:Message.field") of a FAILED_PRECONDITION; a table that
 * isn't there is none. */
MUST_CHECK Code adopt_plan(struct db *db, const struct model *model, struct arena *arena,
                           struct table_plan *ret_plan, struct fault *fault);

#endif
