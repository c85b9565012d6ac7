/*
 * What the rows that are there say to a change: how many it touches, which of
 * them stand in its way, and what their values become.
 *
 * Reads tables as they are before the change, under their old names.
 */
#include <stdio.h>
#include <string.h>
#include "column.h"
#include "ddl.h"
#include "ddl_clause.h"
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

static Code read_rows(struct plan *plan, const struct model *of, const char *from,
                      const char *condition, struct plan_rows *rows)
{
    struct sql sql;
    int rc;
    sql_init(&sql, plan->arena);
    sql_add(&sql, "SELECT ");
    for (size_t i = 0; i < of->n_primary_key; i++)
        sql_column(&sql, i > 0 ? ", " : "", of->primary_key[i]);
    sql_add(&sql, " FROM ");
    sql_add(&sql, from);
    sql_add(&sql, " WHERE ");
    sql_add(&sql, condition);
    if (!sql_text(&sql))
        return plan_exhausted(plan);
    sqlite3_stmt *stmt = db_prepare(plan->db, sql_text(&sql), plan->fault);
    if (!stmt)
        return plan->fault->code;
    while ((rc = db_step(plan->db, stmt)) == SQLITE_ROW)
        plan_rows_add(plan, of, stmt, 0, rows);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(plan->db, rc, plan->fault, "looking at rows");
    db_release(plan->db, stmt);
    return code;
}

static Code obstacle(struct plan *plan, const struct plan_table *table, const char *field,
                     const struct model *of, const char *from, const char *condition,
                     const char *what, const char *remedy)
{
    struct plan_rows rows = {0};
    if (!from || !condition || !what)
        return plan_exhausted(plan);
    Code code = read_rows(plan, of, from, condition, &rows);
    if (code == HERO__V1__CODE__OK && rows.n > 0)
        plan_tell_rows(plan, table, field, &rows, what, remedy);
    return code;
}

Code plan_obstacle(struct plan *plan, const struct plan_table *table, const char *field,
                   const char *condition, const char *what, const char *remedy)
{
    return obstacle(plan, table, field, table->was, name_quoted(plan->arena, table->was->table),
                    condition, what, remedy);
}

/* ---- rows as they will be ---- */

const char *plan_new_value(struct plan *plan, const struct plan_column *column, const char *name)
{
    const char *value;
    if (column->was) {
        value = plan_value(plan, column->way, name_quoted(plan->arena, name));
        return column->fill && value
                   ? arena_printf(plan->arena, "coalesce(%s, %s)", value, column->fill)
                   : value;
    }
    value = column->fill ? column->fill : ddl_default(column->is, plan->arena);
    return value || plan->arena->exhausted ? value : "NULL";
}

/* The table under its new names, with the values that its rows will have. */
static const char *future(struct plan *plan, const struct plan_table *table)
{
    struct sql sql;
    const char *between = "";
    sql_init(&sql, plan->arena);
    sql_add(&sql, "(SELECT ");
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct plan_column *column = &table->columns[i];
        if (!column->is || (column->is->read_only && !column->was))
            continue;
        sql_add(&sql, between);
        sql_add(&sql, plan_new_value(plan, column, column->was ? column->was->name : NULL));
        sql_add(&sql, " AS ");
        sql_name(&sql, column->is->name);
        between = ", ";
    }
    sql_add(&sql, " FROM ");
    sql_table(&sql, table->was);
    sql_add(&sql, ")");
    return sql_text(&sql);
}

/* ---- constraints that come ---- */

/* The column of a later model, as it is called now; NULL: it is not there yet. */
static const struct column *column_before(const struct plan_table *table,
                                          const struct column *column)
{
    return model_column_by_number(table->was, column->number);
}

static bool same_numbers(const struct column *const *a, size_t n_a, const struct column *const *b,
                         size_t n_b)
{
    size_t n = 0;
    for (size_t i = 0; i < n_a; i++)
        for (size_t j = 0; j < n_b; j++)
            n += a[i]->number == b[j]->number;
    return n == n_a && n == n_b;
}

static bool was_unique(const struct model *was, const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < was->n_columns && n == 1; i++)
        if (was->columns[i].number == columns[0]->number && was->columns[i].unique)
            return true;
    for (size_t i = 0; i < was->n_uniques; i++)
        if (same_numbers(was->uniques[i].columns, was->uniques[i].n, columns, n))
            return true;
    return same_numbers(was->primary_key, was->n_primary_key, columns, n);
}

static void add_list(struct sql *sql, const struct column *const *columns, size_t n,
                     const char *between, const char *after)
{
    for (size_t i = 0; i < n; i++) {
        sql_add(sql, i > 0 ? between : "");
        sql_name(sql, columns[i]->name);
        sql_add(sql, after);
    }
}

static Code check_unique(struct plan *plan, const struct plan_table *table,
                         const struct column *const *columns, size_t n)
{
    const char *from = future(plan, table);
    struct sql sql;
    if (was_unique(table->was, columns, n))
        return HERO__V1__CODE__OK;
    sql_init(&sql, plan->arena);
    sql_add(&sql, "(");
    add_list(&sql, columns, n, ", ", "");
    sql_add(&sql, ") IN (SELECT ");
    add_list(&sql, columns, n, ", ", "");
    sql_add(&sql, " FROM ");
    sql_add(&sql, from);
    sql_add(&sql, " WHERE ");
    add_list(&sql, columns, n, " AND ", " IS NOT NULL");
    sql_add(&sql, " GROUP BY ");
    add_list(&sql, columns, n, ", ", "");
    sql_add(&sql, " HAVING count(*) > 1)");
    return obstacle(plan, table, columns[0]->field_name, table->is, from, sql_text(&sql),
                    n == 1 ? "shall be unique and has the value of another"
                           : "shall be unique together with others, and they have the values of "
                             "another",
                    ": give them values of their own");
}

static Code check_uniques(struct plan *plan, const struct plan_table *table)
{
    const struct model *is = table->is;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < is->n_columns && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = &is->columns[i];
        if (column->unique)
            code = check_unique(plan, table, &column, 1);
    }
    for (size_t i = 0; i < is->n_uniques && code == HERO__V1__CODE__OK; i++)
        code = check_unique(plan, table, is->uniques[i].columns, is->uniques[i].n);
    return code;
}

static bool was_checked(struct plan *plan, const struct plan_table *table, const char *sql)
{
    for (size_t i = 0; i < table->was->n_checks; i++) {
        const char *before =
            ddl_renamed(table->was, plan->models, table->was->checks[i].sql, plan->arena);
        if (before && strcmp(before, sql) == 0)
            return true;
    }
    return false;
}

static Code check_check(struct plan *plan, const struct plan_table *table,
                        const struct column *column, const char *sql)
{
    return obstacle(plan, table, column ? column->field_name : NULL, table->is, future(plan, table),
                    arena_printf(plan->arena, "NOT (%s)", sql),
                    arena_printf(plan->arena, "shall fulfil %.200s, which does not hold", sql), "");
}

static Code check_checks(struct plan *plan, const struct plan_table *table)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < table->is->n_checks && code == HERO__V1__CODE__OK; i++) {
        const struct check *check = &table->is->checks[i];
        if (!was_checked(plan, table, check->sql))
            code = check_check(plan, table, check->column, check->sql);
    }
    for (size_t i = 0; i < table->is->n_oneofs && code == HERO__V1__CODE__OK; i++) {
        const struct column_list *oneof = &table->is->oneofs[i];
        struct sql sql;
        sql_init(&sql, plan->arena);
        add_list(&sql, oneof->columns, oneof->n, " IS NOT NULL) + (", "");
        if (oneof->n > 1)
            code =
                obstacle(plan, table, oneof->columns[0]->field_name, table->is, future(plan, table),
                         arena_printf(plan->arena, "((%s IS NOT NULL)) > 1",
                                      sql_text(&sql) ? sql_text(&sql) : ""),
                         arena_printf(plan->arena, "is of the oneof %s, of which several are set",
                                      oneof->name),
                         "");
    }
    return code;
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
    Code code = check_uniques(plan, table);
    if (code == HERO__V1__CODE__OK)
        code = check_checks(plan, table);
    for (size_t i = 0; i < table->is->n_foreign_keys && code == HERO__V1__CODE__OK; i++)
        if (!is_old_key(plan, table, &table->is->foreign_keys[i]))
            code = check_foreign_key(plan, table, &table->is->foreign_keys[i]);
    return code;
}
