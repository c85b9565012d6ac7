/* Texts of filters over a model, which the first byte chooses. What is
 * accepted must be SQL that SQLite prepares against the models' own tables. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "filter/filter.h"
#include "fuzz.h"
#include "scan.h"
#include "store.h"

static const uint8_t set[] = {
#include "library.desc.inc"
};

static const struct filter_limits limits = {
    .bytes = STORE_FILTER_BYTES, .depth = STORE_FILTER_DEPTH, .terms = STORE_FILTER_TERMS};
static struct models *models;
static sqlite3 *database;

static void set_up(void)
{
    if (models_new(set, sizeof(set), &models, NULL) != HERO__V1__CODE__OK ||
        sqlite3_open(":memory:", &database) != SQLITE_OK)
        abort();
    sqlite3_limit(database, SQLITE_LIMIT_EXPR_DEPTH, 500); /* as db.c sets them */
    sqlite3_limit(database, SQLITE_LIMIT_VARIABLE_NUMBER, 8192);
    for (size_t i = 0; i < models->n_models; i++) {
        struct arena arena;
        char **statements;
        size_t n;
        arena_init(&arena, 1 << 20);
        if (store_ddl(&models->models[i], &arena, &statements, &n) != HERO__V1__CODE__OK)
            abort();
        for (size_t k = 0; k < n; k++)
            if (sqlite3_exec(database, statements[k], NULL, NULL, NULL) != SQLITE_OK)
                abort();
        arena_done(&arena);
    }
}

static void prepare(struct arena *arena, const struct scope *scope, const struct filter *filter)
{
    struct query query;
    sqlite3_stmt *stmt = NULL;
    query_init(&query, arena);
    sql_add(&query.sql, "SELECT 1 FROM ");
    scope_from(&query.sql, scope);
    sql_add(&query.sql, " WHERE ");
    filter_condition(&query, scope, filter);
    const char *text = sql_text(&query.sql);
    if (text && sqlite3_prepare_v2(database, text, -1, &stmt, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n%s\n", sqlite3_errmsg(database), text);
        abort();
    }
    if (stmt && sqlite3_bind_parameter_count(stmt) != (int)query.n_parameters)
        abort();
    sqlite3_finalize(stmt);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fault fault = FAULT_INIT;
    struct arena arena;
    struct scope scope;
    struct filter *filter;
    unsigned n_sources = 0;
    if (!models)
        set_up();
    if (len == 0)
        return 0;
    arena_init(&arena, 8 << 20);
    char *text = arena_alloc(&arena, len);
    if (!text)
        abort();
    memcpy(text, bytes + 1, len - 1);
    /* Other texts don't get past the scan of the request. */
    if (scan_text_valid(text, len - 1) &&
        scope_init(&scope, &arena, &n_sources, &models->models[bytes[0] % models->n_models],
                   &fault) == HERO__V1__CODE__OK &&
        filter_make(&scope, text, "filter", &limits, &fault, &filter) == HERO__V1__CODE__OK &&
        filter)
        prepare(&arena, &scope, filter);
    if (fault.message && !scan_text_valid(fault.message, strlen(fault.message)))
        abort();
    fault_done(&fault);
    arena_done(&arena);
    return 0;
}
