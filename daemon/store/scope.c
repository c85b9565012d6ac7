/* Names of requests to tables and columns of a statement. Knows models; no values. */
#include <stdio.h>
#include <string.h>
#include "join.h"
#include "scope.h"

/* The word for the link model's columns; it wins over a field of that name. */
#define LINK_NAME "link"

static struct source *new_source(struct scope *scope, const struct model *model)
{
    struct source *source = arena_alloc(scope->arena, sizeof(*source));
    if (!source)
        return NULL;
    source->model = model;
    snprintf(source->alias, sizeof(source->alias), "t%u", (*scope->n_sources)++);
    return source;
}

static Code no_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the question needs more memory than one request may take");
}

Code scope_init(struct scope *scope, struct arena *arena, unsigned *n_sources,
                const struct model *model, struct fault *fault)
{
    *scope = (struct scope){.arena = arena, .n_sources = n_sources};
    scope->last = &scope->joins;
    scope->root = new_source(scope, model);
    return scope->root ? HERO__V1__CODE__OK : no_memory(fault);
}

Code scope_init_related(struct scope *scope, struct arena *arena, unsigned *n_sources,
                        const struct relationship *relationship, struct fault *fault)
{
    Code code = scope_init(scope, arena, n_sources, relationship->target, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    scope->through = relationship;
    if (!relationship->link)
        return HERO__V1__CODE__OK;
    scope->link = new_source(scope, relationship->link);
    return scope->link ? HERO__V1__CODE__OK : no_memory(fault);
}

/* ---- names ---- */

/* The table that the relationship leads to from `from`, joined once. */
static struct source *join(struct scope *scope, const struct source *from,
                           const struct relationship *relationship)
{
    struct source *source = scope->joins;
    while (source && (source->from != from || source->relationship != relationship))
        source = source->next;
    if (source)
        return source;
    source = new_source(scope, relationship->target);
    if (!source)
        return NULL;
    source->from = from;
    source->relationship = relationship;
    *scope->last = source;
    scope->last = &source->next;
    return source;
}

static Code step(struct scope *scope, const char *name, const struct source **source,
                 struct fault *fault)
{
    const struct model *model = (*source)->model;
    const struct relationship *relationship = model_relationship(model, name);
    if (!relationship && model_column(model, name))
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "%s of %s is a column: nothing follows it", name, model->name);
    if (!relationship)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "%s has no relationship called \"%s\"", model->name, name);
    if (!relationship->single || relationship->link)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "%s of %s holds several records: ask for any(%s, ..), all(%s, ..) or "
                         "count(%s)",
                         name, model->name, name, name, name);
    *source = join(scope, *source, relationship);
    return *source ? HERO__V1__CODE__OK : no_memory(fault);
}

static Code last_name(const struct source *source, const char *name, struct place *ret_place,
                      struct fault *fault)
{
    *ret_place = (struct place){source, model_column(source->model, name),
                                model_relationship(source->model, name)};
    if (ret_place->column || ret_place->relationship)
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s has no field called \"%s\"",
                     source->model->name, name);
}

Code scope_find(struct scope *scope, const char *const *names, size_t n_names,
                struct place *ret_place, size_t *ret_at, struct fault *fault)
{
    const struct source *source = scope->root;
    Code code = HERO__V1__CODE__OK;
    size_t at = 0;
    if (n_names > 1 && scope->link && strcmp(names[0], LINK_NAME) == 0) {
        source = scope->link;
        at = 1;
    }
    *ret_at = at;
    if (n_names > PLACE_MAX_STEPS)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "follows more than %d relationships", PLACE_MAX_STEPS - 1);
    for (; at + 1 < n_names && code == HERO__V1__CODE__OK; at++) {
        *ret_at = at;
        code = step(scope, names[at], &source, fault);
    }
    if (code != HERO__V1__CODE__OK)
        return code;
    *ret_at = at;
    return last_name(source, names[at], ret_place, fault);
}

/* ---- texts ---- */

static void put_table(struct sql *sql, const struct source *source)
{
    sql_table(sql, source->model);
    sql_add(sql, " AS ");
    sql_add(sql, source->alias);
}

void scope_joins(struct sql *sql, const struct scope *scope)
{
    for (const struct source *source = scope->joins; source; source = source->next) {
        sql_add(sql, " LEFT JOIN ");
        put_table(sql, source);
        sql_add(sql, " ON ");
        join_condition(sql, source->relationship, source->from->alias, NULL, source->alias);
    }
}

void scope_from(struct sql *sql, const struct scope *scope)
{
    if (scope->through)
        join_tables(sql, scope->through, scope->link ? scope->link->alias : NULL,
                    scope->root->alias);
    else
        put_table(sql, scope->root);
    scope_joins(sql, scope);
}

void scope_column(struct sql *sql, const struct source *source, const struct column *column)
{
    sql_add(sql, source->alias);
    sql_column(sql, ".", column);
}
