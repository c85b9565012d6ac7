/*
 * Get: records by their keys, in the order asked, with what belongs to them.
 * Every key that is missing is told. Knows keys; related records are expand.c's.
 */
#include <stdio.h>
#include "column.h"
#include "read.h"

static Code read_keys(struct reading *reading, const struct model *model,
                      const Hero__V1__GetRequest *request, ProtobufCMessage **keys)
{
    char path[32];
    if (request->n_keys == 0)
        return fault_add(reading->fault, "keys", "names no record to get");
    for (size_t i = 0; i < request->n_keys; i++) {
        struct fault found = FAULT_INIT;
        Code code = model_unpack(model, request->keys[i].data, request->keys[i].len, reading->arena,
                                 &keys[i], &found);
        if (code == HERO__V1__CODE__OK)
            code = model_check_key(model, keys[i], true, &found);
        if (code == HERO__V1__CODE__OK)
            continue;
        snprintf(path, sizeof(path), "keys[%zu]", i);
        fault_prefix(&found, path);
        *reading->fault = found;
        return code;
    }
    return HERO__V1__CODE__OK;
}

/* The keys' values, each key's together. */
static const struct key_value **key_values(struct reading *reading, const struct model *model,
                                           ProtobufCMessage *const *keys, size_t n_keys)
{
    size_t width = model->n_primary_key;
    const struct key_value **values = arena_array(reading->arena, n_keys, sizeof(*values));
    struct key_value *all = arena_array(reading->arena, n_keys, width * sizeof(*all));
    if (!values || !all)
        return NULL;
    for (size_t i = 0; i < n_keys; i++) {
        values[i] = all + i * width;
        for (size_t k = 0; k < width; k++)
            all[i * width + k] = column_value(model->primary_key[k], keys[i], reading->arena);
    }
    return values;
}

/* `list` lives as long as it is bound. */
static Code bind_keys(struct reading *reading, sqlite3_stmt *stmt, const struct model *model,
                      ProtobufCMessage *const *keys, size_t n_keys, struct key_list *list)
{
    int rc = SQLITE_OK;
    const struct key_value **values = key_values(reading, model, keys, n_keys);
    if (!values)
        return reading_no_memory(reading);
    *list = (struct key_list){n_keys, model->n_primary_key, values};
    if (n_keys > 1)
        rc = key_list_bind(stmt, 1, list);
    for (size_t k = 0; n_keys == 1 && k < model->n_primary_key && rc == SQLITE_OK; k++)
        rc = key_value_bind(stmt, (int)k + 1, &values[0][k]);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK
                           : db_fault(reading->db, rc, reading->fault, "binding keys");
}

static void not_found(struct reading *reading, const struct model *model,
                      const ProtobufCMessage *key, const char *only_path, size_t i)
{
    char path[48];
    const char *text = model_key_text(model, key, reading->arena);
    if (only_path)
        snprintf(path, sizeof(path), "%s", only_path);
    else
        snprintf(path, sizeof(path), "keys[%zu]", i);
    if (reading->fault->code == HERO__V1__CODE__OK)
        fault_set(reading->fault, HERO__V1__CODE__NOT_FOUND, "%s %s does not exist", model->name,
                  text);
    fault_add(reading->fault, path, "%s %s does not exist", model->name, text);
}

/* One key is looked up by its columns; several go in as a table that leads. */
static const char *roots_text(struct reading *reading, const struct model *model, bool single)
{
    const struct source source = {.model = model, .alias = "t"};
    struct sql sql;
    char column[24];
    sql_init(&sql, reading->arena);
    sql_add(&sql, single ? "SELECT 0, " : "SELECT p.position, ");
    reading_columns(reading, &sql, &source);
    sql_add(&sql, single ? " FROM " : " FROM _hero_keys(?1) AS p CROSS JOIN ");
    sql_table(&sql, model);
    sql_add(&sql, " AS t WHERE ");
    if (single) {
        sql_key(&sql, "t.", model, 1);
        return sql_text(&sql);
    }
    for (size_t i = 0; i < model->n_primary_key; i++) {
        sql_add(&sql, i > 0 ? " AND " : "");
        sql_column(&sql, "t.", model->primary_key[i]);
        snprintf(column, sizeof(column), "k%zu", i);
        sql_add(&sql, " = p.");
        sql_add(&sql, column);
    }
    sql_add(&sql, " ORDER BY p.position");
    return sql_text(&sql);
}

/* Rows come in the order of the keys: a gap is a record that is missing. */
static Code step_roots(struct reading *reading, sqlite3_stmt *stmt, const struct model *model,
                       ProtobufCMessage *const *keys, size_t n_keys, const char *only_path,
                       struct nodes *roots)
{
    size_t next = 0;
    int rc;
    while ((rc = db_step(reading->db, stmt)) == SQLITE_ROW) {
        struct node *node;
        size_t position = (size_t)sqlite3_column_int64(stmt, 0);
        for (; next < position; next++)
            not_found(reading, model, keys[next], only_path, next);
        next = position + 1;
        Code code = graph_out_row(reading, stmt, 1, model, &node);
        if (code == HERO__V1__CODE__OK)
            code = nodes_add(reading, roots, node);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    if (rc != SQLITE_DONE)
        return db_fault(reading->db, rc, reading->fault, model->name);
    for (; next < n_keys; next++)
        not_found(reading, model, keys[next], only_path, next);
    return reading->fault->code;
}

Code get_roots(struct reading *reading, const struct model *model, ProtobufCMessage *const *keys,
               size_t n_keys, const char *only_path, struct nodes *roots)
{
    struct key_list list;
    if (n_keys > 1 && model->n_primary_key > KEY_TABLE_MAX_COLUMNS)
        return fault_set(reading->fault, HERO__V1__CODE__UNIMPLEMENTED,
                         "%s: records whose keys have more than %d columns are read one at a time",
                         model->name, KEY_TABLE_MAX_COLUMNS);
    const char *sql = roots_text(reading, model, n_keys == 1);
    if (!sql)
        return reading_no_memory(reading);
    sqlite3_stmt *stmt = db_prepare(reading->db, sql, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = bind_keys(reading, stmt, model, keys, n_keys, &list);
    if (code == HERO__V1__CODE__OK)
        code = step_roots(reading, stmt, model, keys, n_keys, only_path, roots);
    db_release(reading->db, stmt);
    return code;
}

static Code run(struct reading *reading, const struct model *model, ProtobufCMessage *const *keys,
                size_t n_keys, const struct expand *tree, struct nodes *roots)
{
    Code code = get_roots(reading, model, keys, n_keys, NULL, roots);
    return code == HERO__V1__CODE__OK ? expand_run(reading, tree, roots) : code;
}

static Code prepared(struct reading *reading, const Hero__V1__GetRequest *request,
                     const struct model *model, Hero__V1__GetResponse *ret)
{
    struct nodes roots = {NULL, 0, 0};
    struct expand *tree;
    const struct expand_request expand = {request->expand, request->n_expand, request->expansions,
                                          request->n_expansions};
    ProtobufCMessage **keys = arena_array(reading->arena, request->n_keys + 1, sizeof(*keys));
    if (!keys)
        return reading_no_memory(reading);
    Code code = read_keys(reading, model, request, keys);
    if (code == HERO__V1__CODE__OK)
        code = reading_mask(reading, model, request->read_mask, request->n_read_mask, "read_mask");
    if (code == HERO__V1__CODE__OK)
        code = expand_parse(reading, model, &expand, &tree);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = pool_take(reading->store, reading->read, &reading->db, reading->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = run(reading, model, keys, request->n_keys, tree, &roots);
    pool_give(reading->store, reading->db);
    if (code == HERO__V1__CODE__OK)
        code = nodes_refs(reading, &roots, &ret->roots);
    if (code == HERO__V1__CODE__OK) {
        ret->n_roots = roots.n;
        ret->graph = reading->graph;
    }
    return code;
}

Code store_get(struct store *store, struct store_read *read, const Hero__V1__GetRequest *request,
               Hero__V1__GetResponse *ret, struct fault *fault)
{
    struct reading reading = {.store = store,
                              .read = read,
                              .arena = read->arena,
                              .fault = fault,
                              .etags = request->etags};
    const struct model *model;
    Code code = reading_start(&reading, request->model, &model);
    return code == HERO__V1__CODE__OK ? prepared(&reading, request, model, ret) : code;
}
