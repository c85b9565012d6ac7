/*
 * The virtual table _hero_keys: no data of its own, eponymous only (it cannot
 * be created in a schema), for statements that the daemon prepares itself.
 * Knows key values, no models.
 */
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "key_table.h"

struct cursor {
    sqlite3_vtab_cursor base;
    const struct key_list *list; /* the caller's; NULL: none */
    size_t position;
};

/* Columns: position, k0 .. k31, then the hidden argument. */
#define ARGUMENT_COLUMN (1 + KEY_TABLE_MAX_COLUMNS)

static const char declaration[] =
    "CREATE TABLE x(position,k0,k1,k2,k3,k4,k5,k6,k7,k8,k9,k10,k11,k12,k13,k14,k15,k16,k17,k18,"
    "k19,k20,k21,k22,k23,k24,k25,k26,k27,k28,k29,k30,k31,list HIDDEN)";

static int key_table_connect(sqlite3 *handle, void *aux, int argc, const char *const *argv,
                             sqlite3_vtab **ret_table, char **ret_error)
{
    (void)aux, (void)argc, (void)argv, (void)ret_error;
    /* A view or trigger of somebody's schema has no business with it. */
    sqlite3_vtab_config(handle, SQLITE_VTAB_DIRECTONLY);
    int rc = sqlite3_declare_vtab(handle, declaration);
    if (rc != SQLITE_OK)
        return rc;
    *ret_table = sqlite3_malloc(sizeof(**ret_table));
    if (!*ret_table)
        return SQLITE_NOMEM;
    memset(*ret_table, 0, sizeof(**ret_table));
    return SQLITE_OK;
}

static int key_table_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int key_table_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != ARGUMENT_COLUMN ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable)
            return SQLITE_CONSTRAINT;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->estimatedCost = 1;
        info->estimatedRows = 10;
        if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == 0 && !info->aOrderBy[0].desc)
            info->orderByConsumed = 1;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT; /* there is nothing to list without the argument */
}

static int key_table_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    (void)table;
    struct cursor *cursor = sqlite3_malloc(sizeof(*cursor));
    if (!cursor)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof(*cursor));
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int key_table_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int key_table_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                            sqlite3_value **argv)
{
    (void)number, (void)text;
    struct cursor *cursor = (struct cursor *)base;
    cursor->list = argc > 0 ? sqlite3_value_pointer(argv[0], KEY_TABLE_POINTER) : NULL;
    cursor->position = 0;
    return SQLITE_OK;
}

static int key_table_next(sqlite3_vtab_cursor *base)
{
    ((struct cursor *)base)->position++;
    return SQLITE_OK;
}

static int key_table_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (struct cursor *)base;
    return !cursor->list || cursor->position >= cursor->list->n_keys;
}

static void result(sqlite3_context *context, const struct key_value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_result_double(context, value->real);
        break;
    case SQLITE_TEXT:
        sqlite3_result_text64(context, value->data, value->len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        sqlite3_result_blob64(context, value->data, value->len, SQLITE_STATIC);
        break;
    default:
        sqlite3_result_null(context);
    }
}

static int key_table_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    const struct cursor *cursor = (struct cursor *)base;
    if (column == 0)
        sqlite3_result_int64(context, (int64_t)cursor->position);
    else if (column < ARGUMENT_COLUMN && (size_t)column <= cursor->list->n_columns)
        result(context, &cursor->list->keys[cursor->position][column - 1]);
    return SQLITE_OK;
}

static int key_table_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    *ret_rowid = (sqlite3_int64)((struct cursor *)base)->position;
    return SQLITE_OK;
}

/* No xCreate: eponymous only. No xUpdate: read-only. */
static const sqlite3_module module = {
    .xConnect = key_table_connect,
    .xBestIndex = key_table_best_index,
    .xDisconnect = key_table_disconnect,
    .xOpen = key_table_open,
    .xClose = key_table_close,
    .xFilter = key_table_filter,
    .xNext = key_table_next,
    .xEof = key_table_eof,
    .xColumn = key_table_column,
    .xRowid = key_table_rowid,
};

Code key_table_register(struct db *db, struct fault *fault)
{
    int rc = sqlite3_create_module_v2(db->handle, "_hero_keys", &module, NULL, NULL);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK : db_fault(db, rc, fault, "registering _hero_keys");
}

int key_list_bind(sqlite3_stmt *stmt, int index, const struct key_list *list)
{
    return sqlite3_bind_pointer(stmt, index, (void *)(uintptr_t)list, KEY_TABLE_POINTER, NULL);
}

int key_value_bind(sqlite3_stmt *stmt, int index, const struct key_value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(stmt, index, value->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(stmt, index, value->real);
    case SQLITE_TEXT:
        return sqlite3_bind_text64(stmt, index, value->data, value->len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case SQLITE_BLOB:
        /* A NULL pointer would bind NULL. */
        if (value->len == 0)
            return sqlite3_bind_zeroblob(stmt, index, 0);
        return sqlite3_bind_blob64(stmt, index, value->data, value->len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, index);
    }
}

bool key_value_equal(const struct key_value *a, const struct key_value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == SQLITE_TEXT || a->type == SQLITE_BLOB)
        return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
    return a->type == SQLITE_NULL || a->integer == b->integer; /* a real by its bits */
}

struct key_value key_value_of(sqlite3_stmt *stmt, int index)
{
    struct key_value value = {.type = sqlite3_column_type(stmt, index)};
    switch (value.type) {
    case SQLITE_INTEGER:
        value.integer = sqlite3_column_int64(stmt, index);
        break;
    case SQLITE_FLOAT:
        value.real = sqlite3_column_double(stmt, index);
        break;
    case SQLITE_TEXT:
        value.data = sqlite3_column_text(stmt, index);
        value.len = (size_t)sqlite3_column_bytes(stmt, index);
        break;
    case SQLITE_BLOB:
        value.data = sqlite3_column_blob(stmt, index);
        value.len = (size_t)sqlite3_column_bytes(stmt, index);
        break;
    default:
        break;
    }
    return value;
}
