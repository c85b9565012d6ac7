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

static Code bind_key(struct reading *reading, sqlite3_stmt *stmt, const struct model *model,
                     const ProtobufCMessage *key)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_primary_key && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, (int)i + 1, model->primary_key[i], key, reading->fault);
    return code;
}

static Code not_found(struct reading *reading, const struct model *model,
                      const ProtobufCMessage *key, size_t i)
{
    char path[32];
    const char *text = model_key_text(model, key, reading->arena);
    snprintf(path, sizeof(path), "keys[%zu]", i);
    if (reading->fault->code == HERO__V1__CODE__OK)
        fault_set(reading->fault, HERO__V1__CODE__NOT_FOUND, "%s %s does not exist", model->name,
                  text);
    fault_add(reading->fault, path, "%s %s does not exist", model->name, text);
    return HERO__V1__CODE__OK; /* the other keys are looked for, too */
}

static Code read_root(struct reading *reading, sqlite3_stmt *stmt, const struct model *model,
                      const ProtobufCMessage *key, size_t i, struct nodes *roots)
{
    struct node *node;
    Code code = bind_key(reading, stmt, model, key);
    if (code != HERO__V1__CODE__OK)
        return code;
    int rc = db_step(reading->db, stmt);
    if (rc == SQLITE_DONE)
        return not_found(reading, model, key, i);
    if (rc != SQLITE_ROW)
        return db_fault(reading->db, rc, reading->fault, model->name);
    code = graph_out_row(reading, stmt, 0, model, &node);
    return code == HERO__V1__CODE__OK ? nodes_add(reading, roots, node) : code;
}

static Code read_roots(struct reading *reading, const struct model *model,
                       ProtobufCMessage *const *keys, size_t n_keys, struct nodes *roots)
{
    struct sql sql;
    Code code = HERO__V1__CODE__OK;
    sql_init(&sql, reading->arena);
    sql_add(&sql, "SELECT ");
    sql_columns(&sql, "", model);
    sql_add(&sql, " FROM ");
    sql_name(&sql, model->table);
    sql_add(&sql, " WHERE ");
    sql_key(&sql, "", model, 1);
    if (!sql_text(&sql))
        return reading_no_memory(reading);
    for (size_t i = 0; i < n_keys && code == HERO__V1__CODE__OK; i++) {
        sqlite3_stmt *stmt = db_prepare(reading->db, sql_text(&sql), reading->fault);
        if (!stmt)
            return reading->fault->code;
        code = read_root(reading, stmt, model, keys[i], i, roots);
        db_release(reading->db, stmt);
    }
    return code == HERO__V1__CODE__OK ? reading->fault->code : code;
}

static Code run(struct reading *reading, const struct model *model, ProtobufCMessage *const *keys,
                size_t n_keys, const struct expand *tree, struct nodes *roots)
{
    Code code = HERO__V1__CODE__OK;
    if (tree || n_keys > 1) /* one statement is a moment of its own */
        code = reading_begin(reading);
    if (code == HERO__V1__CODE__OK)
        code = read_roots(reading, model, keys, n_keys, roots);
    if (code == HERO__V1__CODE__OK)
        code = expand_run(reading, tree, roots);
    return reading_end(reading, code);
}

static Code prepared(struct reading *reading, const Hero__V1__GetRequest *request,
                     const struct model *model, Hero__V1__GetResponse *ret)
{
    struct nodes roots = {NULL, 0, 0};
    struct expand *tree;
    ProtobufCMessage **keys = arena_array(reading->arena, request->n_keys + 1, sizeof(*keys));
    if (!keys)
        return reading_no_memory(reading);
    Code code = read_keys(reading, model, request, keys);
    if (code == HERO__V1__CODE__OK)
        code = expand_parse(reading, model, request->expand, request->n_expand, &tree);
    if (code != HERO__V1__CODE__OK)
        return code;
    reading->db = pool_take(reading->store, reading->read->deadline_ns, reading->read->echo);
    if (!reading->db)
        return fault_set(reading->fault, HERO__V1__CODE__DEADLINE_EXCEEDED,
                         "no connection was free before the deadline");
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
    struct reading reading = {.store = store, .read = read, .arena = read->arena, .fault = fault};
    const struct model *model = models_find(read->models, request->model, fault);
    if (!model) {
        fault_add(fault, "model", "%s", fault->message);
        return fault->code;
    }
    reading.graph = arena_alloc(read->arena, sizeof(*reading.graph));
    if (!reading.graph)
        return reading_no_memory(&reading);
    hero__v1__graph__init(reading.graph);
    return prepared(&reading, request, model, ret);
}
