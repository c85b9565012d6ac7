/*
 * One table that changes: which columns are which, what stands in the way,
 * and whether SQLite can do it in place (plan_column.c) or the table must be
 * written anew (plan_rebuild.c).
 *
 * Columns are who they are by their field numbers. What differs of them is
 * found in the clauses of their DDL (ddl_clause.h), whatever it is.
 */
#include <stdio.h>
#include <string.h>
#include "adopt.h"
#include "ddl.h"
#include "ddl_clause.h"
#include "plan.h"

const char *plan_table_why(struct plan *plan, const struct plan_table *table, uint32_t number)
{
    const char *why = NULL;
    for (size_t i = 0; i < table->changes.n; i++)
        if (table->changes.changes[i].number == number)
            why = arena_printf(plan->arena, "%s%s%s", why ? why : "", why ? "; " : "",
                               table->changes.changes[i].text);
    return why;
}

/* ---- who is who ---- */

static bool list_columns(struct plan *plan, struct plan_table *table)
{
    const struct model *was = table->was, *is = table->is;
    table->columns =
        arena_array(plan->arena, was->n_columns + is->n_columns, sizeof(*table->columns));
    if (!table->columns)
        return false;
    for (size_t i = 0; i < is->n_columns; i++)
        table->columns[table->n_columns++] =
            (struct plan_column){.was = model_column_by_number(was, is->columns[i].number),
                                 .is = &is->columns[i],
                                 .name = is->columns[i].name};
    for (size_t i = 0; i < was->n_columns; i++)
        if (!model_column_by_number(is, was->columns[i].number))
            table->columns[table->n_columns++] =
                (struct plan_column){.was = &was->columns[i], .name = was->columns[i].name};
    return true;
}

static void check_key(struct plan *plan, const struct plan_table *table)
{
    const struct model *was = table->was, *is = table->is;
    bool same = was->n_primary_key == is->n_primary_key && !was->auto_id == !is->auto_id;
    for (size_t i = 0; same && i < is->n_primary_key; i++)
        same = was->primary_key[i]->number == is->primary_key[i]->number;
    if (same)
        return;
    fault_add(plan->fault, plan_path(plan, is, NULL),
              "its primary key changes, which is what records are known by; declare a new model "
              "and move the records");
    fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "the primary key of %s can't change", is->name);
}

/* The first reason for a rebuild is the one that is told. */
static void need_rebuild(struct plan *plan, struct plan_table *table, const char *format,
                         const char *name)
{
    if (!table->rebuild)
        table->rebuild = arena_printf(plan->arena, format, name);
}

/* ---- what of it SQLite can do in place ---- */

static bool in_list(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

/* ADD COLUMN takes the foreign key of the new column along. */
/* Values that nobody watched while foreign keys were off: its own, and those
 * that refer to it. */
static void suspect(struct plan *plan, const struct plan_table *table)
{
    plan->suspect[table->is->position] = true;
    for (size_t i = 0; i < table->is->n_referrers; i++)
        plan->suspect[table->is->referrers[i]->model->position] = true;
}

static bool take_reference(struct plan *plan, struct plan_table *table, const char *clause)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        struct plan_column *column = &table->columns[i];
        if (column->was || !column->is || column->reference)
            continue;
        column->reference = ddl_clause_reference(column->is, clause, plan->arena);
        if (column->reference)
            return true;
    }
    return false;
}

static void compare_others(struct plan *plan, struct plan_table *table,
                           const struct ddl_clauses *before, const struct ddl_clauses *now)
{
    for (size_t i = 0; i < before->n_others; i++)
        if (!in_list(now->others, now->n_others, before->others[i]))
            need_rebuild(plan, table, "%s goes", before->others[i]);
    for (size_t i = 0; i < now->n_others; i++)
        if (!in_list(before->others, before->n_others, now->others[i]) &&
            !take_reference(plan, table, now->others[i]))
            need_rebuild(plan, table, "%s comes", now->others[i]);
}

/* May ADD COLUMN make it? Its values are the default's, for all rows at once. */
static bool can_add(const struct plan_column *column, uint64_t rows)
{
    const struct column *is = column->is;
    bool constant = is->default_kind != DEFAULT_SQL && is->default_kind != DEFAULT_NOW;
    return rows == 0 || (constant && (!is->not_null || is->default_kind != DEFAULT_NONE));
}

static bool compare_column(struct plan *plan, struct plan_table *table, struct plan_column *column,
                           const struct ddl_clauses *before, const struct ddl_clauses *now)
{
    const char *was, *is;
    if (!column->is)
        return true;
    if (!column->was) {
        if (!can_add(column, table->rows))
            need_rebuild(plan, table, "column %s has no default to be added with", column->name);
        return true;
    }
    was = ddl_clause_rule(before->columns[column->was->position], plan->arena);
    is = ddl_clause_rule(now->columns[column->is->position], plan->arena);
    if (!was || !is)
        return false;
    if (strcmp(was, is) != 0 || (column->way && strcmp(column->way, "%s") != 0) || column->fill)
        need_rebuild(plan, table, "column %s is declared otherwise", column->name);
    return true;
}

static bool compare_clauses(struct plan *plan, struct plan_table *table)
{
    struct ddl_clauses before, now;
    if (!ddl_clauses_renamed(table->was, plan->models, plan->arena, &before) ||
        !ddl_clauses(table->is, plan->arena, &now))
        return false;
    for (size_t i = 0; i < table->n_columns; i++)
        if (!compare_column(plan, table, &table->columns[i], &before, &now))
            return false;
    compare_others(plan, table, &before, &now);
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->rebuild || table->columns[i].reference)
            suspect(plan, table);
    return true;
}

static bool is_as(struct plan *plan, const struct model *model, struct fault *fault)
{
    struct table_plan as_it_is = {.exists = false};
    Code code = adopt_plan(&plan->rehearsal.db, model, &plan->scratch, &as_it_is, fault);
    arena_reset(&plan->scratch);
    return code == HERO__V1__CODE__OK && as_it_is.exists;
}

/* A table that was changed behind our back is nothing to build on, unless it
 * is what the new model says: then it is taken as it is. */
static Code check_drift(struct plan *plan, struct plan_table *table)
{
    struct fault ignored = FAULT_INIT, found = FAULT_INIT;
    if (!is_as(plan, table->was, &found)) {
        table->as_it_is = is_as(plan, table->is, &ignored);
        if (table->as_it_is)
            (void)plan_step(plan, "other tools made it what the model now says",
                            "adopt table %s as it is", table->is->table);
        for (size_t i = 0; i < found.n_violations && !table->as_it_is; i++)
            fault_add(plan->fault, found.violations[i].path,
                      "other tools changed it since it was applied: %s",
                      found.violations[i].description);
        if (!table->as_it_is)
            fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                      "table %s is not as it was applied (%s); undo that, or remove the model and "
                      "apply what the table now is",
                      table->was->table,
                      found.n_violations ? found.violations[0].description : "it is gone");
    }
    fault_done(&found);
    fault_done(&ignored);
    return plan->fault->code;
}

Code plan_table_read(struct plan *plan, struct plan_table *table)
{
    if (!model_changes(table->was, table->is, plan->arena, &table->changes) ||
        !list_columns(plan, table))
        return plan_exhausted(plan);
    Code code = check_drift(plan, table);
    if (code != HERO__V1__CODE__OK || table->as_it_is)
        return code;
    code = plan_count(plan, table->was->table, NULL, &table->rows);
    check_key(plan, table);
    for (size_t i = 0; i < table->n_columns && code == HERO__V1__CODE__OK; i++)
        if (table->columns[i].is)
            code = plan_conversion(plan, table, &table->columns[i]);
    if (code == HERO__V1__CODE__OK)
        code = plan_table_obstacles(plan, table);
    if (code == HERO__V1__CODE__OK && !compare_clauses(plan, table))
        code = plan_exhausted(plan);
    return code;
}
