/*
 * Indexes of a table that changes: those that go before anything else does,
 * so that their names and columns are free, and the unique ones that come.
 */
#include <string.h>
#include "ddl.h"
#include "names.h"
#include "plan.h"
#include "shape.h"

static bool same_name(const char *a, const char *b)
{
    return sqlite3_stricmp(a, b) == 0;
}

static bool same_index(const struct ddl_index *was, const struct ddl_index *is)
{
    if (!same_name(was->name, is->name) || was->unique != is->unique ||
        was->n_columns != is->n_columns)
        return false;
    for (size_t i = 0; i < is->n_columns; i++)
        if (was->columns[i]->number != is->columns[i]->number)
            return false;
    return true;
}

static bool is_there(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n_indexes; i++)
        if (same_name(shape->indexes[i].name, name))
            return true;
    return false;
}

static Code drop_index(struct plan *plan, const struct plan_table *table, const char *name,
                       const char *why)
{
    const char *quoted = name_quoted(plan->arena, name);
    struct plan_step *step = plan_step(plan, why, "drop index %s", name);
    plan->touches_tables = true;
    return plan_sql(plan, step, table->is,
                    quoted ? arena_printf(plan->arena, "DROP INDEX %s", quoted) : NULL);
}

static bool is_dropped(const struct plan_table *table, const char *column)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (!table->columns[i].is && same_name(table->columns[i].was->name, column))
            return true;
    return false;
}

/* Unique by an index of somebody else's, and no longer to be unique. */
static bool is_no_longer_unique(const struct plan_table *table, const struct shape_index *index)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct plan_column *column = &table->columns[i];
        if (column->was && column->is && column->was->unique && !column->is->unique &&
            index->n_columns == 1 && index->columns[0] &&
            same_name(index->columns[0], column->was->name))
            return index->unique;
    }
    return false;
}

/* Indexes that others made go only where they can't stay. */
static Code drop_foreign(struct plan *plan, const struct plan_table *table,
                         const struct shape *shape, const struct ddl_index *ours, size_t n_ours)
{
    for (size_t i = 0; i < shape->n_indexes; i++) {
        const struct shape_index *index = &shape->indexes[i];
        bool is_ours = strncmp(index->name, "sqlite_autoindex_", 17) == 0, goes = false;
        for (size_t o = 0; o < n_ours && !is_ours; o++)
            is_ours = same_name(ours[o].name, index->name);
        for (size_t c = 0; c < index->n_columns && !is_ours; c++)
            goes = goes || (index->columns[c] && is_dropped(table, index->columns[c]));
        if (is_ours || (!goes && !is_no_longer_unique(table, index)))
            continue;
        Code code = drop_index(plan, table, index->name,
                               goes ? "a column of it is dropped" : "its column may repeat now");
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return HERO__V1__CODE__OK;
}

Code plan_table_drop_indexes(struct plan *plan, struct plan_table *table)
{
    struct ddl_index *was = NULL, *is = NULL;
    size_t n_was = 0, n_is = 0;
    struct shape shape;
    Code code =
        shape_read(&plan->rehearsal.db, table->was->table, plan->arena, &shape, plan->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!ddl_indexes(table->was, plan->arena, &was, &n_was) ||
        !ddl_indexes(table->is, plan->arena, &is, &n_is))
        return plan_exhausted(plan);
    for (size_t i = 0; i < n_was && code == HERO__V1__CODE__OK; i++) {
        bool stays = false;
        for (size_t j = 0; j < n_is && !stays; j++)
            stays = same_index(&was[i], &is[j]);
        if (!stays && is_there(&shape, was[i].name))
            code = drop_index(plan, table, was[i].name, "its columns or its name change");
    }
    return code == HERO__V1__CODE__OK ? drop_foreign(plan, table, &shape, was, n_was) : code;
}

/* Unique ones, which adoption would call a difference; it makes the others. */
Code plan_table_indexes(struct plan *plan, struct plan_table *table)
{
    struct ddl_index *indexes = NULL;
    size_t n = 0;
    struct shape shape;
    Code code = shape_read(&plan->rehearsal.db, table->is->table, plan->arena, &shape, plan->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!ddl_indexes(table->is, plan->arena, &indexes, &n))
        return plan_exhausted(plan);
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++) {
        if (!indexes[i].unique || is_there(&shape, indexes[i].name))
            continue;
        struct plan_step *step =
            plan_step(plan, plan_table_why(plan, table, indexes[i].columns[0]->number),
                      "create unique index %s", indexes[i].name);
        if (step) {
            step->wire.has_rows = true;
            step->wire.rows = table->rows;
        }
        code = plan_sql(plan, step, table->is, indexes[i].sql);
    }
    return code;
}
