/*
 * What the rows that are there say to a change: how many it touches, which of
 * them stand in its way, and what their values become.
 *
 * Reads tables as they are before the change, under their old names.
 */
#include <stdio.h>
#include <string.h>
#include "column.h"
#include "names.h"
#include "plan.h"

/* Keys of rows in the way that are told. */
#define KEYS_TOLD 5

Code plan_count(struct plan *plan, const char *table, const char *condition, uint64_t *ret_rows)
{
    const char *name = name_quoted(plan->arena, table);
    const char *sql = name ? arena_printf(plan->arena, "SELECT count(*) FROM %s%s%s", name,
                                          condition ? " WHERE " : "", condition ? condition : "")
                           : NULL;
    Code code = HERO__V1__CODE__OK;
    if (!sql)
        return plan_exhausted(plan);
    sqlite3_stmt *stmt = db_prepare(plan->db, sql, plan->fault);
    if (!stmt)
        return plan->fault->code;
    int rc = db_step(plan->db, stmt);
    if (rc == SQLITE_ROW)
        *ret_rows = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        code = db_fault(plan->db, rc, plan->fault, "counting rows");
    db_release(plan->db, stmt);
    return code;
}

/* ---- rows in the way ---- */

void plan_rows_add(struct plan *plan, const struct model *was, sqlite3_stmt *stmt, int first,
                   struct plan_rows *rows)
{
    const char *key = "";
    rows->n++;
    if (rows->n_keys++ >= KEYS_TOLD)
        return;
    for (size_t i = 0; i < was->n_primary_key && key; i++) {
        const char *part = (const char *)sqlite3_column_text(stmt, first + (int)i);
        key = arena_printf(plan->arena, "%s%s%.60s", key, i > 0 ? "," : "", part ? part : "NULL");
    }
    rows->keys = arena_printf(plan->arena, "%s%s%s", rows->keys ? rows->keys : "",
                              rows->keys ? "; " : "", key ? key : "");
}

void plan_tell_rows(struct plan *plan, const struct plan_table *table, const char *field,
                    const struct plan_rows *rows, const char *what, const char *remedy)
{
    struct fault *fault = plan->fault;
    const char *s = rows->n == 1 ? "" : "s";
    fault_add(fault, plan_path(plan, table->is, field),
              "%s in %llu row%s of table %s (key%s %s%s)%s", what, (unsigned long long)rows->n, s,
              table->was->table, s, rows->keys ? rows->keys : "",
              rows->n > KEYS_TOLD ? "; ..." : "", remedy);
    fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "rows stand in the way of the change: %s %s", fault->violations[0].path,
              fault->violations[0].description);
}

static Code read_rows(struct plan *plan, const struct model *was, const char *condition,
                      struct plan_rows *rows)
{
    struct sql sql;
    int rc;
    sql_init(&sql, plan->arena);
    sql_add(&sql, "SELECT ");
    for (size_t i = 0; i < was->n_primary_key; i++)
        sql_column(&sql, i > 0 ? ", " : "", was->primary_key[i]);
    sql_add(&sql, " FROM ");
    sql_table(&sql, was);
    sql_add(&sql, " WHERE ");
    sql_add(&sql, condition);
    if (!sql_text(&sql))
        return plan_exhausted(plan);
    sqlite3_stmt *stmt = db_prepare(plan->db, sql_text(&sql), plan->fault);
    if (!stmt)
        return plan->fault->code;
    while ((rc = db_step(plan->db, stmt)) == SQLITE_ROW)
        plan_rows_add(plan, was, stmt, 0, rows);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(plan->db, rc, plan->fault, "looking at rows");
    db_release(plan->db, stmt);
    return code;
}

Code plan_obstacle(struct plan *plan, const struct plan_table *table, const char *field,
                   const char *condition, const char *what, const char *remedy)
{
    struct plan_rows rows = {0};
    if (!condition || !what)
        return plan_exhausted(plan);
    Code code = read_rows(plan, table->was, condition, &rows);
    if (code == HERO__V1__CODE__OK && rows.n > 0)
        plan_tell_rows(plan, table, field, &rows, what, remedy);
    return code;
}

/* ---- constraints that come ---- */

/* The column of a later model, as it is called now; NULL: it is not there yet. */
static const struct column *column_before(const struct plan_table *table,
                                          const struct column *column)
{
    return model_column_by_number(table->was, column->number);
}

static bool was_unique(const struct column *was)
{
    return was->unique || (was->primary_key && was->model->n_primary_key == 1);
}

static Code check_unique(struct plan *plan, const struct plan_table *table,
                         const struct plan_column *column)
{
    if (!column->was || !column->is || !column->is->unique || was_unique(column->was))
        return HERO__V1__CODE__OK;
    const char *name = name_quoted(plan->arena, column->was->name);
    const char *from = name_quoted(plan->arena, table->was->table);
    const char *twice = arena_printf(
        plan->arena,
        "%s IN (SELECT %s FROM %s WHERE %s IS NOT NULL GROUP BY %s HAVING count(*) > 1)",
        name ? name : "", name ? name : "", from ? from : "", name ? name : "", name ? name : "");
    return plan_obstacle(plan, table, column->is->field_name, twice,
                         "shall be unique and has the value of another",
                         ": give them values of their own");
}

static bool same_key(const struct foreign_key *was, const struct foreign_key *is,
                     const struct models *served)
{
    if (was->n != is->n || model_ancestor(served, is->target) != was->target)
        return false;
    for (size_t i = 0; i < is->n; i++)
        if (was->columns[i]->number != is->columns[i]->number ||
            was->referred[i]->number != is->referred[i]->number)
            return false;
    return true;
}

static bool is_old_key(const struct plan *plan, const struct plan_table *table,
                       const struct foreign_key *key)
{
    for (size_t i = 0; i < table->was->n_foreign_keys; i++)
        if (same_key(&table->was->foreign_keys[i], key, plan->served))
            return true;
    return false;
}

/* The table referred to as it is now: its name and its columns' names. */
static const char *parent_column(struct plan *plan, const struct foreign_key *key, size_t i)
{
    const struct model *before = model_ancestor(plan->served, key->target);
    const struct column *column =
        before ? model_column_by_number(before, key->referred[i]->number) : key->referred[i];
    return column ? name_quoted(plan->arena, column->name) : NULL;
}

static Code parent_exists(struct plan *plan, const struct foreign_key *key, bool *ret_exists)
{
    const struct model *before = model_ancestor(plan->served, key->target);
    sqlite3_stmt *stmt;
    *ret_exists = true;
    for (size_t i = 0; i < key->n; i++)
        if (!parent_column(plan, key, i))
            *ret_exists = false; /* a column that comes: nothing is in it */
    if (before || !*ret_exists)
        return HERO__V1__CODE__OK;
    stmt = db_prepare(
        plan->db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
        plan->fault);
    if (!stmt)
        return plan->fault->code;
    sqlite3_bind_text(stmt, 1, key->target->table, -1, SQLITE_STATIC);
    *ret_exists = db_step(plan->db, stmt) == SQLITE_ROW;
    db_release(plan->db, stmt);
    return HERO__V1__CODE__OK;
}

static Code check_foreign_key(struct plan *plan, const struct plan_table *table,
                              const struct foreign_key *key)
{
    const struct model *before = model_ancestor(plan->served, key->target);
    const char *child = name_quoted(plan->arena, table->was->table);
    const char *parent = name_quoted(plan->arena, before ? before->table : key->target->table);
    struct sql sql;
    bool exists;
    Code code = parent_exists(plan, key, &exists);
    if (code != HERO__V1__CODE__OK)
        return code;
    sql_init(&sql, plan->arena);
    for (size_t i = 0; i < key->n; i++) {
        const struct column *column = column_before(table, key->columns[i]);
        if (!column)
            return HERO__V1__CODE__OK; /* it comes, and its default is looked at then */
        sql_name(&sql, column->name);
        sql_add(&sql, " IS NOT NULL AND ");
    }
    sql_add(&sql, exists ? "NOT EXISTS (SELECT 1 FROM " : "1");
    if (exists) {
        sql_add(&sql, parent);
        sql_add(&sql, " AS _p WHERE ");
    }
    for (size_t i = 0; exists && i < key->n; i++) {
        sql_add(&sql, i > 0 ? " AND _p." : "_p.");
        sql_add(&sql, parent_column(plan, key, i));
        sql_add(&sql, " = ");
        sql_add(&sql, child);
        sql_add(&sql, ".");
        sql_name(&sql, column_before(table, key->columns[i])->name);
    }
    sql_add(&sql, exists ? ")" : "");
    return plan_obstacle(plan, table, key->columns[0]->field_name, sql_text(&sql),
                         arena_printf(plan->arena, "refers to no row of table %s",
                                      before ? before->table : key->target->table),
                         ": correct or clear it there");
}

Code plan_table_obstacles(struct plan *plan, struct plan_table *table)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < table->n_columns && code == HERO__V1__CODE__OK; i++)
        code = check_unique(plan, table, &table->columns[i]);
    for (size_t i = 0; i < table->is->n_foreign_keys && code == HERO__V1__CODE__OK; i++)
        if (!is_old_key(plan, table, &table->is->foreign_keys[i]))
            code = check_foreign_key(plan, table, &table->is->foreign_keys[i]);
    return code;
}
