/* What the files behind adopt.h share: one comparison of a table with a model. */
#ifndef HERO_STORE_ADOPT_INTERNAL_H
#define HERO_STORE_ADOPT_INTERNAL_H

#include "adopt.h"
#include "internal.h"
#include "shape.h"

struct comparison {
    const struct model *model;
    const struct shape *shape;
    struct arena *arena;
    struct fault *fault; /* of its own: violations only */
    struct table_plan *plan;
};

/* One difference; `field` NULL: of the table as a whole. */
void adopt_differ(struct comparison *c, const char *field, const char *format, ...) PRINTF(3, 4);
/* What the model doesn't tell and the database goes by all the same. */
void adopt_warn(struct comparison *c, const char *field, const char *format, ...) PRINTF(3, 4);
/* As SQLite compares names. */
bool adopt_same_name(const char *a, const char *b);
/* The model's column of that name in SQL; NULL: none. */
const struct column *adopt_column(const struct model *model, const char *name);

/* adopt_keys.c */
void adopt_compare_foreign_keys(struct comparison *c);
/* adopt_create.c */
MUST_CHECK Code adopt_compare_create(struct comparison *c, struct db *db, struct fault *fault);

#endif
