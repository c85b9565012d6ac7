/*
 * Columns of a table that changes: their new names first, then what is
 * dropped and added in place, or told where a rebuild does it.
 */
#include <stdio.h>
#include <string.h>
#include "ddl_clause.h"
#include "names.h"
#include "plan.h"

static bool same_name(const char *a, const char *b)
{
    return sqlite3_stricmp(a, b) == 0;
}

/* ---- renames ---- */

/* One column from name to name, now. */
static Code rename_column(struct plan *plan, struct plan_table *table, const char *from,
                          const char *to, const char *why)
{
    const char *tbl = name_quoted(plan->arena, table->is->table);
    const char *a = name_quoted(plan->arena, from), *b = name_quoted(plan->arena, to);
    struct plan_step *step =
        plan_step(plan, why, "rename column %s.%s to %s", table->is->table, from, to);
    plan->touches_tables = true;
    if (!tbl || !a || !b)
        return plan_exhausted(plan);
    return plan_sql(plan, step, table->is,
                    arena_printf(plan->arena, "ALTER TABLE %s RENAME COLUMN %s TO %s", tbl, a, b));
}

struct pending {
    struct plan_column *column;
    const char *from, *to; /* from NULL: done */
};

/* Who still has the name that this one wants? */
static struct pending *holder_of(struct pending *pending, size_t n, const struct pending *wanting)
{
    for (size_t i = 0; i < n; i++)
        if (&pending[i] != wanting && pending[i].from && same_name(pending[i].from, wanting->to))
            return &pending[i];
    return NULL;
}

static bool is_wanted(const struct plan_table *table, const struct plan_column *column)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (&table->columns[i] != column && table->columns[i].is &&
            same_name(table->columns[i].is->name, column->was->name))
            return true;
    return false;
}

static size_t list_pending(struct plan *plan, struct plan_table *table, struct pending *pending)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct plan_column *column = &table->columns[i];
        if (!column->was)
            continue;
        if (!column->is && is_wanted(table, column)) /* out of the way of who comes */
            column->name = arena_printf(plan->arena, "_hero_dropped_%zu", i);
        if (column->name && strcmp(column->was->name, column->name) != 0)
            pending[n++] = (struct pending){column, column->was->name, column->name};
    }
    return n;
}

Code plan_table_rename_columns(struct plan *plan, struct plan_table *table)
{
    struct pending *pending = arena_array(plan->arena, table->n_columns + 1, sizeof(*pending));
    Code code = HERO__V1__CODE__OK;
    size_t n = pending ? list_pending(plan, table, pending) : 0, left = n;
    if (!pending)
        return plan_exhausted(plan);
    while (left > 0 && code == HERO__V1__CODE__OK) {
        struct pending *next = NULL;
        for (size_t i = 0; i < n && !next; i++)
            if (pending[i].from && !holder_of(pending, n, &pending[i]))
                next = &pending[i];
        if (!next) { /* a circle: one of it steps aside */
            for (next = pending; !next->from; next++)
                ;
            const char *aside = arena_printf(plan->arena, "_hero_aside_%zu", left);
            code = aside ? rename_column(plan, table, next->from, aside, "names change in a circle")
                         : plan_exhausted(plan);
            next->from = aside;
            continue;
        }
        code = rename_column(plan, table, next->from, next->to,
                             plan_table_why(plan, table, next->column->was->number));
        next->from = NULL;
        left--;
    }
    return code;
}

/* ---- columns that come, go and change ---- */

static void count_rows(struct plan_step *step, uint64_t rows)
{
    if (!step)
        return;
    step->wire.has_rows = true;
    step->wire.rows = rows;
}

static Code tell_drop(struct plan *plan, struct plan_table *table, const struct plan_column *column,
                      struct plan_step **ret_step)
{
    const char *name = name_quoted(plan->arena, column->was->name);
    const char *what = arena_printf(plan->arena, "%s.%s", table->was->table, column->was->name);
    uint64_t rows = 0;
    if (!name || !what)
        return plan_exhausted(plan);
    Code code = plan_count(plan, table->was->table,
                           arena_printf(plan->arena, "%s IS NOT NULL", name), &rows);
    *ret_step =
        plan_step(plan, plan_table_why(plan, table, column->was->number), "drop column %s", what);
    if (!*ret_step)
        return plan_exhausted(plan);
    plan_loses(*ret_step, what, rows);
    return code;
}

static Code change_column(struct plan *plan, struct plan_table *table, struct plan_column *column)
{
    const char *tbl = name_quoted(plan->arena, table->is->table);
    const char *name = name_quoted(plan->arena, column->name);
    struct plan_step *step = NULL;
    struct ddl_clauses clauses;
    Code code = HERO__V1__CODE__OK;
    if (!tbl || !name || !ddl_clauses(table->is, plan->arena, &clauses))
        return plan_exhausted(plan);
    if (!column->is) {
        code = tell_drop(plan, table, column, &step);
        if (code != HERO__V1__CODE__OK || table->rebuild)
            return code;
        count_rows(step, table->rows);
        return plan_sql(plan, step, table->is,
                        arena_printf(plan->arena, "ALTER TABLE %s DROP COLUMN %s", tbl, name));
    }
    const char *why = plan_table_why(plan, table, column->is->number);
    if (column->was) {
        bool only_renamed = !why || strcmp(column->was->name, column->is->name) != 0;
        if (why && (!only_renamed || strstr(why, "; ")))
            step = plan_step(plan, why, "change column %s.%s", table->is->table, column->is->name);
        return HERO__V1__CODE__OK;
    }
    step = plan_step(plan, why, "add column %s.%s", table->is->table, column->is->name);
    if (table->rebuild)
        return step ? HERO__V1__CODE__OK : plan_exhausted(plan);
    return plan_sql(plan, step, table->is,
                    arena_printf(plan->arena, "ALTER TABLE %s ADD COLUMN %s%s%s", tbl,
                                 clauses.columns[column->is->position],
                                 column->reference ? " " : "",
                                 column->reference ? column->reference : ""));
}

/* What is dropped goes first: what comes may have its name. */
Code plan_table_change(struct plan *plan, struct plan_table *table)
{
    Code code = HERO__V1__CODE__OK;
    for (int adding = 0; adding < 2; adding++)
        for (size_t i = 0; i < table->n_columns && code == HERO__V1__CODE__OK; i++)
            if ((table->columns[i].is != NULL) == adding)
                code = change_column(plan, table, &table->columns[i]);
    if (code == HERO__V1__CODE__OK && table->rebuild)
        code = plan_rebuild(plan, table);
    plan->touches_tables = plan->touches_tables || table->changes.n > 0;
    return code;
}
