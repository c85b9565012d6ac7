/*
 * Rows of models, written: insert, fetch, update, delete. Knows one row at a
 * time; nothing of graphs, links or transactions.
 */
#include <string.h>
#include "column.h"
#include "names.h"
#include "row.h"
#include "write.h"

Code record_not_found(struct commit *commit, const struct model *model, const ProtobufCMessage *key,
                      const char *path)
{
    const char *text = model_key_text(model, key, commit->arena);
    if (commit->fault->code == HERO__V1__CODE__OK)
        fault_set(commit->fault, HERO__V1__CODE__NOT_FOUND, "%s %s does not exist", model->name,
                  text);
    return fault_add(commit->fault, path, "%s %s does not exist", model->name, text);
}

/* ---- stepping ---- */

/* Binds columns from `first` on; a value that SQLite can't hold is a violation at the record's
 * path. */
static Code bind_columns(struct commit *commit, sqlite3_stmt *stmt, int first,
                         const struct column *const *columns, size_t n,
                         const ProtobufCMessage *record, const char *path)
{
    struct fault found = FAULT_INIT;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, first + (int)i, columns[i], record, commit->arena, &found);
    if (code != HERO__V1__CODE__OK) {
        fault_prefix(&found, path);
        fault_done(commit->fault);
        *commit->fault = found;
        return code;
    }
    fault_done(&found);
    return code;
}

/* Steps a statement that returns at most one row to its end. The row is kept
 * in the arena: RELEASE demands that no statement is left open. */
static Code step_one(struct commit *commit, sqlite3_stmt *stmt, const struct model *model,
                     ProtobufCMessage **ret_record, bool *ret_found, int *ret_rc)
{
    Code code = HERO__V1__CODE__OK;
    *ret_found = false;
    *ret_rc = db_step(commit->db, stmt);
    if (*ret_rc == SQLITE_ROW) {
        *ret_found = true;
        code = row_read(stmt, 0, model, commit->arena, ret_record, commit->fault);
        while ((*ret_rc = db_step(commit->db, stmt)) == SQLITE_ROW)
            ;
    }
    return code;
}

bool record_has(const struct column *column, const ProtobufCMessage *record)
{
    if (!field_present(record, column->field))
        return false;
    if (column->field->label != PROTOBUF_C_LABEL_NONE || column != column->model->auto_id)
        return true;
    return column_value(column, record, NULL).integer != 0;
}

Code record_check_required(struct commit *commit, const struct model *model,
                           const ProtobufCMessage *record, const char *path)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        if (!column->not_null || column == model->auto_id || record_has(column, record) ||
            column->default_kind != DEFAULT_NONE)
            continue;
        code = fault_add(commit->fault, commit_path(commit, path, column->field_name),
                         "is required: give it a value");
    }
    if (code != HERO__V1__CODE__OK)
        fault_set(commit->fault, commit->fault->code, "a %s lacks required values", model->name);
    return code;
}

static const char *insert_text(struct commit *commit, const struct model *model)
{
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "INSERT INTO ");
    sql_name(&sql, model->table);
    sql_add(&sql, " (");
    sql_columns(&sql, "", model);
    sql_add(&sql, ") VALUES (");
    for (size_t i = 0; i < model->n_columns; i++) {
        if (i > 0)
            sql_add(&sql, ", ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    sql_add(&sql, ") RETURNING ");
    sql_columns(&sql, "", model);
    return sql_text(&sql);
}

static Code bind_insert(struct commit *commit, sqlite3_stmt *stmt, const struct model *model,
                        const ProtobufCMessage *record, const char *path)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_columns && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = &model->columns[i];
        if (record_has(column, record))
            code = bind_columns(commit, stmt, (int)i + 1, &column, 1, record, path);
        else /* where there is none, it is NULL, which makes an id */
            code = column_bind_default(stmt, (int)i + 1, column, commit->fault);
    }
    return code;
}

Code record_insert(struct commit *commit, const struct model *model, ProtobufCMessage **record,
                   const char *path)
{
    const char *sql = insert_text(commit, model);
    if (!sql)
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql, commit->fault);
    if (!stmt)
        return commit->fault->code;
    bool found;
    int rc = SQLITE_OK;
    ProtobufCMessage *stored = NULL;
    Code code = bind_insert(commit, stmt, model, *record, path);
    if (code == HERO__V1__CODE__OK)
        code = step_one(commit, stmt, model, &stored, &found, &rc);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = constraint_fault(commit, rc, model, *record, NULL, path);
    db_release(commit->db, stmt);
    if (code == HERO__V1__CODE__OK && stored)
        *record = stored;
    return code;
}

/* SELECT of one row by some columns that are in `values`. */
static Code select_one(struct commit *commit, const struct model *model,
                       const struct column *const *columns, size_t n,
                       const ProtobufCMessage *values, ProtobufCMessage **ret_record,
                       bool *ret_found, const char *path)
{
    struct sql sql;
    int rc = SQLITE_DONE;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT ");
    sql_columns(&sql, "", model);
    sql_add(&sql, " FROM ");
    sql_name(&sql, model->table);
    sql_add(&sql, " WHERE ");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            sql_add(&sql, " AND ");
        sql_column(&sql, "", columns[i]);
        sql_add(&sql, " = ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    Code code = bind_columns(commit, stmt, 1, columns, n, values, path);
    if (code == HERO__V1__CODE__OK)
        code = step_one(commit, stmt, model, ret_record, ret_found, &rc);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = constraint_fault(commit, rc, model, values, NULL, path);
    db_release(commit->db, stmt);
    return code;
}

Code record_fetch(struct commit *commit, const struct model *model, const ProtobufCMessage *key,
                  ProtobufCMessage **ret_record, bool *ret_found, const char *path)
{
    return select_one(commit, model, model->primary_key, model->n_primary_key, key, ret_record,
                      ret_found, path);
}

static bool has_whole_key(const struct model *model, const ProtobufCMessage *record)
{
    for (size_t i = 0; i < model->n_primary_key; i++)
        if (!record_has(model->primary_key[i], record))
            return false;
    return true;
}

Code record_connect(struct commit *commit, const struct model *model,
                    const ProtobufCMessage *record, ProtobufCMessage **ret_record, bool *ret_found,
                    const char *path)
{
    const struct column *unique = NULL;
    if (has_whole_key(model, record))
        return record_fetch(commit, model, record, ret_record, ret_found, path);
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        if (!column->unique || !field_present(record, column->field))
            continue;
        if (unique)
            return fault_add(commit->fault, path,
                             "has several unique values (%s, %s); give its primary key or one of "
                             "them, so that it is clear which finds it",
                             unique->field_name, column->field_name);
        unique = column;
    }
    if (!unique)
        return fault_add(commit->fault, path,
                         "a %s to connect or create needs its primary key or a unique column",
                         model->name);
    return select_one(commit, model, &unique, 1, record, ret_record, ret_found, path);
}

/* ---- update and delete ---- */

Code record_update(struct commit *commit, const struct entity *target,
                   const ProtobufCMessage *values, const struct column *const *columns,
                   size_t n_columns, ProtobufCMessage **ret_record, const char *path)
{
    const struct model *model = target->model;
    struct sql sql;
    bool found = false;
    int rc = SQLITE_DONE;
    commit_sql(commit, &sql);
    sql_add(&sql, "UPDATE ");
    sql_name(&sql, model->table);
    sql_add(&sql, " SET ");
    for (size_t i = 0; i < n_columns; i++) {
        if (i > 0)
            sql_add(&sql, ", ");
        sql_column(&sql, "", columns[i]);
        sql_add(&sql, " = ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    sql_add(&sql, " WHERE ");
    sql_key(&sql, "", model, (unsigned)n_columns + 1);
    sql_add(&sql, " RETURNING ");
    sql_columns(&sql, "", model);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    Code code = bind_columns(commit, stmt, 1, columns, n_columns, values, path);
    if (code == HERO__V1__CODE__OK)
        code = bind_columns(commit, stmt, (int)n_columns + 1, model->primary_key,
                            model->n_primary_key, target->record, path);
    if (code == HERO__V1__CODE__OK)
        code = step_one(commit, stmt, model, ret_record, &found, &rc);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = constraint_fault(commit, rc, model, values, target->record, path);
    db_release(commit->db, stmt);
    if (code == HERO__V1__CODE__OK && !found)
        return record_not_found(commit, model, target->record, commit_path(commit, path, "target"));
    return code;
}

Code record_delete(struct commit *commit, const struct entity *target, const char *path)
{
    const struct model *model = target->model;
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_name(&sql, model->table);
    sql_add(&sql, " WHERE ");
    sql_key(&sql, "", model, 1);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    Code code = bind_columns(commit, stmt, 1, model->primary_key, model->n_primary_key,
                             target->record, path);
    if (code == HERO__V1__CODE__OK) {
        int rc = db_step(commit->db, stmt);
        if (rc != SQLITE_DONE)
            code = constraint_fault(commit, rc, model, NULL, target->record, path);
        else if (sqlite3_changes(commit->db->handle) == 0)
            code = record_not_found(commit, model, target->record, path);
    }
    db_release(commit->db, stmt);
    return code;
}

Code record_pack(struct commit *commit, const struct model *model, const ProtobufCMessage *record,
                 uint32_t ref, Hero__V1__Record **ret_record)
{
    Hero__V1__Record *packed = arena_alloc(commit->arena, sizeof(*packed));
    if (!packed)
        return commit_no_memory(commit);
    hero__v1__record__init(packed);
    packed->has_ref = ref != 0;
    packed->ref = ref;
    packed->model = (char *)(uintptr_t)model->name;
    packed->has_value = 1;
    packed->value.len = protobuf_c_message_get_packed_size(record);
    packed->value.data = arena_alloc(commit->arena, packed->value.len);
    if (!packed->value.data)
        return commit_no_memory(commit);
    protobuf_c_message_pack(record, packed->value.data);
    *ret_record = packed;
    return HERO__V1__CODE__OK;
}
