/*
 * A table written anew, as SQLite's manual prescribes ("Making Other Kinds Of
 * Table Schema Changes"): made beside the old one, filled, put in its place.
 *
 * Foreign keys are off meanwhile, so that the old table's end deletes nobody's
 * rows. Others' foreign keys go by name and find the new table; the old way
 * of renaming (legacy_alter_table) leaves their text alone, and does not ask
 * views and triggers that name the table in the moment it isn't there.
 * Indexes and triggers are made again from their own text.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "ddl.h"
#include "names.h"
#include "plan.h"
#include "shape.h"

#define BESIDE "_hero_new"

/* ---- what CREATE TABLE of somebody else's says and models don't ---- */

static size_t count_word(const char *sql, const char *word)
{
    size_t n = 0, len = strlen(word);
    for (const char *at = sql; (at = strcasestr(at, word)) != NULL; at += len) {
        bool starts = at == sql || strchr(" \t\n,()", at[-1]) != NULL;
        n += starts && strchr(" \t\n,()", at[len]) != NULL;
    }
    return n;
}

static Code one_text(struct plan *plan, const char *sql, const char *name, const char **ret_text)
{
    sqlite3_stmt *stmt = db_prepare(&plan->rehearsal.db, sql, plan->fault);
    if (!stmt)
        return plan->fault->code;
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    *ret_text = NULL;
    if (db_step(&plan->rehearsal.db, stmt) == SQLITE_ROW)
        *ret_text = arena_strdup(plan->arena, (const char *)sqlite3_column_text(stmt, 0));
    db_release(&plan->rehearsal.db, stmt);
    return HERO__V1__CODE__OK;
}

/* What no model could say is lost, and who wrote it is to know before. */
static Code tell_lost_clauses(struct plan *plan, const struct plan_table *table,
                              struct plan_step *step)
{
    static const char *const words[] = {"CHECK",  "COLLATE", "CONFLICT",   "GENERATED",
                                        "STRICT", "WITHOUT", "DEFERRABLE", "DEFERRED"};
    const char *stored = NULL, *ours = ddl_table(table->was, plan->arena);
    Code code = one_text(plan,
                         "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE "
                         "NOCASE",
                         table->is->table, &stored);
    for (size_t i = 0; stored && ours && i < sizeof(words) / sizeof(*words); i++) {
        if (count_word(stored, words[i]) <= count_word(ours, words[i]))
            continue;
        plan_loses(step, arena_printf(plan->arena, "%s.%s", table->was->table, words[i]),
                   table->rows ? table->rows : 1);
        break;
    }
    return code;
}

/* ---- filling ---- */

static const char *insert(struct plan *plan, const struct plan_table *table)
{
    struct sql sql;
    const char *between = "";
    sql_init(&sql, plan->arena);
    sql_add(&sql, "INSERT INTO " BESIDE " (");
    for (size_t i = 0; i < table->is->n_columns; i++) {
        if (table->is->columns[i].read_only)
            continue;
        sql_add(&sql, between);
        sql_name(&sql, table->is->columns[i].name);
        between = ", ";
    }
    sql_add(&sql, ") SELECT ");
    between = "";
    for (size_t i = 0; i < table->is->n_columns; i++) {
        if (table->is->columns[i].read_only)
            continue;
        sql_add(&sql, between);
        sql_add(&sql, plan_new_value(plan, &table->columns[i], table->columns[i].name));
        between = ", ";
    }
    sql_add(&sql, " FROM ");
    sql_table(&sql, table->is);
    return sql_text(&sql);
}

/* Ids of deleted records are not given again: the old count goes on. */
static Code keep_sequence(struct plan *plan, const struct plan_table *table, struct plan_step *step)
{
    const char *there = NULL;
    Code code = one_text(plan,
                         "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE "
                         "NOCASE AND sql LIKE '%AUTOINCREMENT%'",
                         table->is->table, &there);
    if (code != HERO__V1__CODE__OK || !there)
        return code;
    char *old = sqlite3_mprintf("%Q", table->is->table);
    const char *name = old ? arena_strdup(plan->arena, old) : NULL;
    sqlite3_free(old);
    if (!name)
        return plan_exhausted(plan);
    if (!strstr(ddl_table(table->is, plan->arena), "AUTOINCREMENT"))
        return HERO__V1__CODE__OK;
    code = plan_sql(plan, step, table->is, "DELETE FROM sqlite_sequence WHERE name = '" BESIDE "'");
    if (code == HERO__V1__CODE__OK)
        code = plan_sql(plan, step, table->is,
                        arena_printf(plan->arena,
                                     "INSERT INTO sqlite_sequence (name, seq) SELECT '" BESIDE
                                     "', seq FROM sqlite_sequence WHERE name = %s",
                                     name));
    return code;
}

/* ---- what hangs on the table ---- */

struct hanging {
    const char **sql;
    size_t n;
};

static Code read_hanging(struct plan *plan, const char *table, struct hanging *hanging)
{
    static const char query[] =
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL AND "
        "type IN ('index', 'trigger') ORDER BY type, rowid";
    struct db *db = &plan->rehearsal.db;
    size_t most = 0;
    int rc;
    sqlite3_stmt *stmt = db_prepare(db, query, plan->fault);
    if (!stmt)
        return plan->fault->code;
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    while ((rc = db_step(db, stmt)) == SQLITE_ROW) {
        if (hanging->n == most) {
            const char **grown = arena_array(plan->arena, most ? 2 * most : 8, sizeof(*grown));
            if (!grown)
                break;
            if (most)
                memcpy(grown, hanging->sql, most * sizeof(*grown));
            most = most ? 2 * most : 8;
            hanging->sql = grown;
        }
        hanging->sql[hanging->n++] =
            arena_strdup(plan->arena, (const char *)sqlite3_column_text(stmt, 0));
    }
    db_release(db, stmt);
    return rc == SQLITE_DONE ? HERO__V1__CODE__OK : plan_exhausted(plan);
}

static Code put_in_place(struct plan *plan, const struct plan_table *table, struct plan_step *step)
{
    const char *name = name_quoted(plan->arena, table->is->table);
    const char *const statements[] = {
        name ? arena_printf(plan->arena, "DROP TABLE %s", name) : NULL,
        "PRAGMA legacy_alter_table=ON",
        name ? arena_printf(plan->arena, "ALTER TABLE " BESIDE " RENAME TO %s", name) : NULL,
        "PRAGMA legacy_alter_table=OFF",
    };
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < 4 && code == HERO__V1__CODE__OK; i++)
        code = plan_sql(plan, step, table->is, statements[i]);
    return code;
}

/* No model says how the database computes a column. */
static Code refuse_computed(struct plan *plan, const struct plan_table *table)
{
    for (size_t i = 0; i < table->was->n_columns; i++) {
        const struct column *column = &table->was->columns[i];
        if (!column->read_only)
            continue;
        fault_add(plan->fault, plan_path(plan, table->is, NULL),
                  "table %s can't be written anew: the database computes its column %s; change it "
                  "with SQLite, then apply",
                  table->was->table, column->name);
        return fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "table %s can't be written anew: the database computes its column %s",
                         table->was->table, column->name);
    }
    return HERO__V1__CODE__OK;
}

Code plan_rebuild(struct plan *plan, struct plan_table *table)
{
    struct hanging hanging = {0};
    if (refuse_computed(plan, table) != HERO__V1__CODE__OK)
        return plan->fault->code;
    struct plan_step *step =
        plan_step(plan, arena_printf(plan->arena, "not to be done in place: %s", table->rebuild),
                  "rebuild table %s", table->is->table);
    if (!step)
        return plan_exhausted(plan);
    step->wire.has_rows = true;
    step->wire.rows = table->rows;
    Code code = read_hanging(plan, table->is->table, &hanging);
    if (code == HERO__V1__CODE__OK)
        code = tell_lost_clauses(plan, table, step);
    if (code == HERO__V1__CODE__OK)
        code = plan_sql(plan, step, table->is, ddl_table_as(table->is, BESIDE, plan->arena));
    if (code == HERO__V1__CODE__OK)
        code = plan_sql(plan, step, table->is, insert(plan, table));
    if (code == HERO__V1__CODE__OK)
        code = keep_sequence(plan, table, step);
    if (code == HERO__V1__CODE__OK)
        code = put_in_place(plan, table, step);
    for (size_t i = 0; i < hanging.n && code == HERO__V1__CODE__OK; i++)
        code = plan_sql(plan, step, table->is, hanging.sql[i]);
    return code;
}
