/*
 * Owns a database in memory for as long as an expression is tried. It has the
 * model's table alone, so an expression can name its columns and nothing else,
 * and a row is written, so that what fails only when it runs fails now.
 */
#include "check.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include "ddl.h"
#include "names.h"

static int refuse_most(void *unused, int action, const char *a, const char *b, const char *c,
                       const char *d)
{
    (void)unused, (void)a, (void)c, (void)d;
    if (action == SQLITE_ATTACH || action == SQLITE_PRAGMA || action == SQLITE_DETACH)
        return SQLITE_DENY;
    return action == SQLITE_FUNCTION && b && strcmp(b, "load_extension") == 0 ? SQLITE_DENY
                                                                              : SQLITE_OK;
}

static sqlite3 *open_memory(void)
{
    sqlite3 *handle = NULL;
    if (sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        sqlite3_close(handle);
        return NULL;
    }
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_set_authorizer(handle, refuse_most, NULL);
    return handle;
}

/* One row of small values: a number fits every column of a table in memory. */
static const char *sample_row(const struct model *model, struct arena *arena)
{
    const char *table = name_quoted(arena, model->table);
    const char *values = "1";
    for (size_t i = 1; i < model->n_columns && values; i++)
        values = arena_printf(arena, "%s, 1", values);
    return table && values ? arena_printf(arena, "INSERT INTO %s VALUES (%s)", table, values)
                           : NULL;
}

static Code refuse(const struct model *model, const char *said, struct fault *fault)
{
    char path[512];
    snprintf(path, sizeof(path), "%s:%s", model->file, model->name);
    fault_add(fault, path, "its checks are no conditions on its columns: SQLite says: %s", said);
    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s: a check is not valid SQL",
                     model->name);
}

static Code try_table(sqlite3 *handle, const struct model *model, struct arena *arena,
                      struct fault *fault)
{
    const char *table = ddl_table(model, arena), *row = sample_row(model, arena);
    if (!table || !row)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "no memory left for the checks of %s", model->name);
    if (sqlite3_exec(handle, table, NULL, NULL, NULL) != SQLITE_OK)
        return refuse(model, sqlite3_errmsg(handle), fault);
    int rc = sqlite3_exec(handle, row, NULL, NULL, NULL);
    if (rc == SQLITE_OK || rc == SQLITE_CONSTRAINT)
        return HERO__V1__CODE__OK;
    return refuse(model, sqlite3_errmsg(handle), fault);
}

Code check_expressions(const struct model *model, struct arena *arena, struct fault *fault)
{
    if (model->n_checks == 0)
        return HERO__V1__CODE__OK;
    sqlite3 *handle = open_memory();
    if (!handle)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "no memory left for the checks of %s", model->name);
    Code code = try_table(handle, model, arena, fault);
    sqlite3_close(handle);
    return code;
}
