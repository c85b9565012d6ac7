/*
 * A copy of the database's tables and indexes, empty and in memory, for plans
 * of statements with indexes that aren't there. Knows schemas; no requests.
 */
#include <stdlib.h>
#include <string.h>
#include "explain.h"

#define TRIAL_INDEX "_hero_trial"

struct explain_trial {
    struct db db;
    struct arena *arena;
};

/* Views and triggers have no part in plans of tables; what can't be copied
 * (a table of a module that isn't there) is left out, and with it its advice. */
static void copy_schema(struct db *from, sqlite3 *to)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(from->handle,
                                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN "
                                "('table', 'index') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
                                "ORDER BY type DESC, rowid",
                                -1, &stmt, NULL);
    while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(stmt, 0);
        if (sql)
            sqlite3_exec(to, sql, NULL, NULL, NULL);
    }
    sqlite3_finalize(stmt);
}

struct explain_trial *explain_trial_new(struct reading *reading)
{
    struct explain_trial *trial = calloc(1, sizeof(*trial));
    if (!trial || sqlite3_open_v2(":memory:", &trial->db.handle,
                                  SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                                  NULL) != SQLITE_OK) {
        explain_trial_free(trial);
        fault_set(reading->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                  "no memory to try other indexes");
        return NULL;
    }
    sqlite3_db_config(trial->db.handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    trial->arena = reading->arena;
    if (key_table_register(&trial->db, reading->fault) != HERO__V1__CODE__OK) {
        explain_trial_free(trial);
        return NULL;
    }
    copy_schema(reading->db, trial->db.handle);
    return trial;
}

void explain_trial_free(struct explain_trial *trial)
{
    if (trial)
        sqlite3_close(trial->db.handle);
    free(trial);
}

static bool create_index(struct explain_trial *trial, const struct explain_candidate *candidate)
{
    struct sql sql;
    sql_init(&sql, trial->arena);
    sql_add(&sql, "CREATE INDEX " TRIAL_INDEX " ON ");
    sql_name(&sql, candidate->model->table);
    for (size_t i = 0; i < candidate->n; i++)
        sql_column(&sql, i > 0 ? ", " : " (", candidate->columns[i]);
    sql_add(&sql, ")");
    const char *text = sql_text(&sql);
    return text && sqlite3_exec(trial->db.handle, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool explain_lacks(const char *detail)
{
    if (strstr(detail, "VIRTUAL TABLE")) /* the parents' keys */
        return false;
    return strncmp(detail, "SCAN ", 5) == 0 || strstr(detail, "TEMP B-TREE") ||
           strstr(detail, "AUTOMATIC");
}

/* How often the plan scans or sorts, and whether it uses the index. */
static int n_lacking(struct explain_trial *trial, const char *sql, bool *ret_named)
{
    const char *text = arena_printf(trial->arena, "EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    int n = 0;
    *ret_named = false;
    if (!text || sqlite3_prepare_v2(trial->db.handle, text, -1, &stmt, NULL) != SQLITE_OK)
        return 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        n += detail && explain_lacks(detail);
        *ret_named |= detail && strstr(detail, " " TRIAL_INDEX);
    }
    sqlite3_finalize(stmt);
    return n;
}

bool explain_trial_helps(struct explain_trial *trial, const char *sql,
                         const struct explain_candidate *candidate)
{
    bool named;
    int before = n_lacking(trial, sql, &named);
    if (!create_index(trial, candidate))
        return false;
    int after = n_lacking(trial, sql, &named);
    sqlite3_exec(trial->db.handle, "DROP INDEX " TRIAL_INDEX, NULL, NULL, NULL);
    return named && after < before;
}
