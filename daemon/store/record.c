/*
 * Rows of models, written: insert, fetch, update, delete. Knows one row at a
 * time; nothing of graphs, links or transactions.
 */
#include <string.h>
#include "column.h"
#include "etag.h"
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
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++) {
        code = column_bind(stmt, first + (int)i, columns[i], record, commit->arena, &found);
        if (code != HERO__V1__CODE__OK)
            fault_detail(&found, NULL, column_kind_name(columns[i]->kind));
    }
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

/* Columns whose absent value the database itself finds are not named. */
static bool is_named(const struct column *column, const ProtobufCMessage *record)
{
    return (column->default_kind != DEFAULT_SQL && !column->read_only) ||
           record_has(column, record);
}

static const char *insert_text(struct commit *commit, const struct model *model,
                               const ProtobufCMessage *record)
{
    struct sql sql, values;
    size_t n = 0;
    commit_sql(commit, &sql);
    sql_init(&values, sql.arena);
    sql_add(&sql, "INSERT INTO ");
    sql_table(&sql, model);
    for (size_t i = 0; i < model->n_columns; i++) {
        if (!is_named(&model->columns[i], record))
            continue;
        sql_column(&sql, n > 0 ? ", " : " (", &model->columns[i]);
        sql_add(&values, n++ > 0 ? ", " : ") VALUES (");
        sql_parameter(&values, (unsigned)i + 1);
    }
    sql_add(&sql, sql_text(&values));
    sql_add(&sql, n > 0 ? ") RETURNING " : " DEFAULT VALUES RETURNING ");
    sql_columns(&sql, "", model);
    return sql_text(&sql);
}

static Code bind_insert(struct commit *commit, sqlite3_stmt *stmt, const struct model *model,
                        const ProtobufCMessage *record, const char *path)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_columns && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = &model->columns[i];
        if (!is_named(column, record))
            continue;
        if (record_has(column, record))
            code = bind_columns(commit, stmt, (int)i + 1, &column, 1, record, path);
        else /* where there is none, it is NULL, which makes an id */
            code = column_bind_default(stmt, (int)i + 1, column, commit->arena, commit->fault);
    }
    return code;
}

Code record_insert(struct commit *commit, const struct model *model, ProtobufCMessage **record,
                   const char *path)
{
    const char *sql = insert_text(commit, model, *record);
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

Code record_find(struct commit *commit, const struct unique_key *key,
                 const ProtobufCMessage *record, ProtobufCMessage **ret_record, bool *ret_found,
                 const char *path)
{
    const struct model *model = key->model;
    Code code = HERO__V1__CODE__OK;
    struct sql sql;
    int rc = SQLITE_DONE;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT ");
    sql_columns(&sql, "", model);
    sql_add(&sql, " FROM ");
    sql_table(&sql, model);
    for (size_t i = 0; i < key->n; i++) {
        sql_add(&sql, i ? " AND " : " WHERE ");
        sql_column(&sql, "", unique_key_column(key, i));
        sql_add(&sql, " = ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    for (size_t i = 0; i < key->n && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = unique_key_column(key, i);
        code = bind_columns(commit, stmt, (int)i + 1, &column, 1, record, path);
    }
    if (code == HERO__V1__CODE__OK)
        code = step_one(commit, stmt, model, ret_record, ret_found, &rc);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = constraint_fault(commit, rc, model, record, NULL, path);
    db_release(commit->db, stmt);
    return code;
}

Code record_fetch(struct commit *commit, const struct model *model, const ProtobufCMessage *key,
                  ProtobufCMessage **ret_record, bool *ret_found, const char *path)
{
    const struct unique_key primary = {
        .model = model, .columns = model->primary_key, .n = model->n_primary_key};
    return record_find(commit, &primary, key, ret_record, ret_found, path);
}

/* ---- update and delete ---- */

static bool is_among(const struct column *const *columns, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

/* Who sets one of a oneof clears the others. */
static void clear_others(struct sql *sql, const struct column *const *columns, size_t n,
                         const ProtobufCMessage *values)
{
    for (size_t i = 0; i < n; i++) {
        const struct column_list *oneof = columns[i]->oneof;
        for (size_t o = 0; oneof && field_present(values, columns[i]->field) && o < oneof->n; o++)
            if (!is_among(columns, n, oneof->columns[o])) {
                sql_column(sql, ", ", oneof->columns[o]);
                sql_add(sql, " = NULL");
            }
    }
}

Code record_update(struct commit *commit, const struct entity *target,
                   const ProtobufCMessage *values, const struct column *const *columns,
                   size_t n_columns, ProtobufCMessage **ret_record, const char *path)
{
    const struct model *model = target->model;
    struct sql sql;
    bool found = false;
    int rc = SQLITE_DONE;
    Code code = record_check_update(commit, model, columns, n_columns, values, path);
    if (code != HERO__V1__CODE__OK)
        return code;
    commit_sql(commit, &sql);
    sql_add(&sql, "UPDATE ");
    sql_table(&sql, model);
    sql_add(&sql, " SET ");
    for (size_t i = 0; i < n_columns; i++) {
        if (i > 0)
            sql_add(&sql, ", ");
        sql_column(&sql, "", columns[i]);
        sql_add(&sql, " = ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    clear_others(&sql, columns, n_columns, values);
    sql_add(&sql, " WHERE ");
    sql_key(&sql, "", model, (unsigned)n_columns + 1);
    sql_add(&sql, " RETURNING ");
    sql_columns(&sql, "", model);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    code = bind_columns(commit, stmt, 1, columns, n_columns, values, path);
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
    if (record_check_writable(commit, model, path) != HERO__V1__CODE__OK)
        return commit->fault->code;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_table(&sql, model);
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

/* ---- packing ---- */

void record_hide_columns(const struct model *model, ProtobufCMessage *record)
{
    for (size_t i = 0; i < model->n_columns; i++)
        if (!model->columns[i].primary_key)
            field_clear(record, model->columns[i].field);
}

static Code pack_value(struct commit *commit, const ProtobufCMessage *record,
                       ProtobufCBinaryData *ret)
{
    ret->len = protobuf_c_message_get_packed_size(record);
    ret->data = arena_alloc(commit->arena, ret->len);
    if (!ret->data)
        return commit_no_memory(commit);
    protobuf_c_message_pack(record, ret->data);
    return HERO__V1__CODE__OK;
}

static Code pack_key(struct commit *commit, const struct model *model,
                     const ProtobufCMessage *record, ProtobufCBinaryData *ret)
{
    ProtobufCMessage *key = arena_copy(commit->arena, record, model->descriptor->sizeof_message);
    if (!key)
        return commit_no_memory(commit);
    record_hide_columns(model, key);
    return pack_value(commit, key, ret);
}

static Hero__V1__Record *new_record(struct commit *commit, const struct model *model)
{
    Hero__V1__Record *record = arena_alloc(commit->arena, sizeof(*record));
    if (!record)
        return NULL;
    hero__v1__record__init(record);
    record->model = (char *)(uintptr_t)model->name;
    record->has_value = 1;
    return record;
}

static Code set_etag(struct commit *commit, Hero__V1__Record *record, ProtobufCBinaryData whole)
{
    record->etag = (ProtobufCBinaryData){ETAG_BYTES, arena_alloc(commit->arena, ETAG_BYTES)};
    if (!record->etag.data)
        return commit_no_memory(commit);
    record->has_etag = 1;
    etag_of_record(whole.data, whole.len, record->etag.data);
    return HERO__V1__CODE__OK;
}

Code record_pack_key(struct commit *commit, const struct model *model,
                     const ProtobufCMessage *record, Hero__V1__Record **ret_record)
{
    *ret_record = new_record(commit, model);
    return *ret_record ? pack_key(commit, model, record, &(*ret_record)->value)
                       : commit_no_memory(commit);
}

Code record_pack(struct commit *commit, const struct model *model, const ProtobufCMessage *record,
                 uint32_t ref, Hero__V1__Record **ret_record)
{
    Hero__V1__Record *packed = new_record(commit, model);
    Code code = HERO__V1__CODE__OK;
    if (!packed)
        return commit_no_memory(commit);
    packed->has_ref = ref != 0;
    packed->ref = ref;
    if (commit->etags || !commit->answer.keys_only)
        code = pack_value(commit, record, &packed->value);
    if (code == HERO__V1__CODE__OK && commit->etags)
        code = set_etag(commit, packed, packed->value);
    if (code == HERO__V1__CODE__OK && commit->answer.keys_only)
        code = pack_key(commit, model, record, &packed->value);
    *ret_record = packed;
    return code;
}

Code record_check_etag(struct commit *commit, const struct entity *entity, ProtobufCBinaryData etag)
{
    ProtobufCBinaryData packed;
    ProtobufCMessage *stored;
    uint8_t now[ETAG_BYTES];
    bool found = false;
    Code code = record_fetch(commit, entity->model, entity->record, &stored, &found, "");
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, entity->model, entity->record, "");
    if (code == HERO__V1__CODE__OK)
        code = pack_value(commit, stored, &packed);
    if (code != HERO__V1__CODE__OK)
        return code;
    etag_of_record(packed.data, packed.len, now);
    if (etag_is(now, etag))
        return code;
    const char *text = model_key_text(entity->model, entity->record, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__ABORTED, "%s %s was changed since it was read",
              entity->model->name, text);
    return fault_add(commit->fault, "etag", "%s %s has another one now: read it again, then decide",
                     entity->model->name, text);
}
