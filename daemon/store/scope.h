/*
 * Scopes: the tables that one SELECT looks at, and what names in a request
 * (filter, order_by, group_by) mean in it. To-one relationships are followed
 * by LEFT JOINs, each once however often it is named.
 */
#ifndef HERO_STORE_SCOPE_H
#define HERO_STORE_SCOPE_H

#include "sql.h"

/* Relationships that a name follows, one after the other. */
#define PLACE_MAX_STEPS 8

/* One table of a FROM clause, under an alias of its own. */
struct source {
    const struct model *model;
    char alias[12];
    const struct source *from;               /* whose records lead here; NULL: the scope's own */
    const struct relationship *relationship; /* the way from there */
    struct source *next;
};

struct scope {
    struct arena *arena;
    unsigned *n_sources;                /* of the whole statement: aliases are unique in it */
    struct source *root;                /* the records that are asked for */
    const struct relationship *through; /* they are related by it; NULL: by none */
    struct source *link;                /* its link model's rows beside root; NULL: none */
    struct source *joins, **last;       /* to-one, in the order of their need */
};

/* What a name means: a column, or else a relationship. */
struct place {
    const struct source *source;
    const struct column *column;
    const struct relationship *relationship;
};

/* Records of a model. `n_sources` counts on where scopes of the statement are. */
MUST_CHECK Code scope_init(struct scope *scope, struct arena *arena, unsigned *n_sources,
                           const struct model *model, struct fault *fault);
/* Records related by a relationship: "link.role" is a name, too. */
MUST_CHECK Code scope_init_related(struct scope *scope, struct arena *arena, unsigned *n_sources,
                                   const struct relationship *relationship, struct fault *fault);

/* The column or relationship that "team.name" means. INVALID_ARGUMENT, with a
 * message and no violation; *ret_at is the name to blame. */
MUST_CHECK Code scope_find(struct scope *scope, const char *const *names, size_t n_names,
                           struct place *ret_place, size_t *ret_at, struct fault *fault);

/* "hero AS t0 LEFT JOIN team AS t1 ON t1.id = t0.team_id"; with a link model
 * its table first. Once all names were found. */
void scope_from(struct sql *sql, const struct scope *scope);
/* Only the LEFT JOINs, after tables that the caller named. */
void scope_joins(struct sql *sql, const struct scope *scope);
/* t0.name */
void scope_column(struct sql *sql, const struct source *source, const struct column *column);

#endif
