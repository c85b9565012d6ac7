/*
 * Rows of models, written: insert, fetch, update, delete, and what SQLite's
 * constraints mean in the request's own words. Knows one row at a time;
 * nothing of graphs, links or transactions.
 */
#include <string.h>
#include <strings.h>
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

/* ---- constraints ---- */

/* SQLite says "UNIQUE constraint failed: hero.name, hero.age". */
static const struct column *next_named(const struct model *model, const char **at)
{
    size_t len = strlen(model->table);
    while (**at) {
        const char *name = *at;
        size_t n = strcspn(name, ",");
        *at = name + n + (name[n] ? 1 : 0);
        while (**at == ' ')
            ++*at;
        if (n <= len + 1 || strncasecmp(name, model->table, len) != 0 || name[len] != '.')
            continue;
        for (size_t i = 0; i < model->n_columns; i++)
            if (strlen(model->columns[i].name) == n - len - 1 &&
                strncasecmp(model->columns[i].name, name + len + 1, n - len - 1) == 0)
                return &model->columns[i];
    }
    return NULL;
}

/* The key is told where it is the key that is taken; other values are not. */
static Code fail_unique(struct commit *commit, const struct model *model,
                        const ProtobufCMessage *record, const char *said, const char *path)
{
    const char *at = strstr(said, ": ");
    const struct column *column;
    bool any = false, is_key = true;
    fault_set(commit->fault, HERO__V1__CODE__ALREADY_EXISTS, "another %s has the same unique value",
              model->name);
    for (at = at ? at + 2 : ""; (column = next_named(model, &at)) != NULL; any = true) {
        is_key = is_key && column->primary_key;
        fault_add(commit->fault, commit_path(commit, path, column->field_name),
                  "another %s has this %s already; it must be unique", model->name,
                  column->field_name);
    }
    if (!any)
        fault_add(commit->fault, path, "another %s has the same unique value", model->name);
    else if (is_key)
        fault_set(commit->fault, commit->fault->code, "%s %s exists already", model->name,
                  model_key_text(model, record, commit->arena));
    else
        fault_set(commit->fault, commit->fault->code, "%s",
                  commit->fault->violations[0].description);
    return commit->fault->code;
}

/* Does the statement find a row, with these columns of the record bound? */
static bool row_exists(struct commit *commit, const char *sql, const struct column *const *columns,
                       size_t n, const ProtobufCMessage *record)
{
    struct fault ignored = FAULT_INIT;
    sqlite3_stmt *stmt = sql ? db_prepare(commit->db, sql, &ignored) : NULL;
    bool bound = stmt != NULL;
    for (size_t i = 0; i < n && bound; i++)
        bound = column_bind(stmt, (int)i + 1, columns[i], record, &ignored) == HERO__V1__CODE__OK;
    bool exists = bound && db_step(commit->db, stmt) == SQLITE_ROW;
    db_release(commit->db, stmt);
    fault_done(&ignored);
    return exists;
}

/* Which foreign keys of the record point nowhere? */
static Code fail_parent(struct commit *commit, const struct model *model,
                        const ProtobufCMessage *record, const char *path)
{
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "a foreign key of %s points to a record that does not exist", model->name);
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i], *parent = column->foreign_key;
        struct sql sql;
        if (!parent || !field_present(record, column->field))
            continue;
        sql_init(&sql, commit->arena);
        sql_add(&sql, "SELECT 1 FROM ");
        sql_name(&sql, parent->model->table);
        sql_add(&sql, " WHERE ");
        sql_column(&sql, "", parent);
        sql_add(&sql, " = ?1");
        if (!row_exists(commit, sql_text(&sql), &column, 1, record))
            fault_add(commit->fault, commit_path(commit, path, column->field_name),
                      "there is no %s with this %s; create it first", parent->model->name,
                      parent->field_name);
    }
    return commit->fault->code;
}

/* Is there a row whose column refers to the record with this key? */
static bool refers_to(struct commit *commit, const struct column *column, const struct model *model,
                      const ProtobufCMessage *key)
{
    struct sql sql;
    sql_init(&sql, commit->arena);
    sql_add(&sql, "SELECT 1 FROM ");
    sql_name(&sql, column->model->table);
    sql_add(&sql, " WHERE ");
    sql_column(&sql, "", column);
    sql_add(&sql, " = (SELECT ");
    sql_column(&sql, "t.", column->foreign_key);
    sql_add(&sql, " FROM ");
    sql_name(&sql, model->table);
    sql_add(&sql, " AS t WHERE ");
    sql_key(&sql, "t.", model, 1);
    sql_add(&sql, ") LIMIT 1");
    return row_exists(commit, sql_text(&sql), model->primary_key, model->n_primary_key, key);
}

/* Who still refers to the record? */
static Code fail_children(struct commit *commit, const struct model *model,
                          const ProtobufCMessage *key, const char *path)
{
    const char *text = model_key_text(model, key, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "%s %s can't go or change while others refer to it", model->name, text);
    for (size_t m = 0; m < commit->models->n_models; m++) {
        const struct model *child = &commit->models->models[m];
        for (size_t i = 0; i < child->n_columns; i++) {
            const struct column *column = &child->columns[i];
            if (column->foreign_key && column->foreign_key->model == model &&
                refers_to(commit, column, model, key))
                fault_add(commit->fault, path, "%s.%s refers to %s %s; delete or change that first",
                          child->name, column->field_name, model->name, text);
        }
    }
    if (commit->fault->n_violations == 0)
        fault_add(commit->fault, path, "a row of a table that is not a model refers to %s %s",
                  model->name, text);
    return commit->fault->code;
}

static Code fail_not_null(struct commit *commit, const struct model *model, const char *said,
                          const char *path)
{
    const char *at = strstr(said, ": ");
    at = at ? at + 2 : "";
    const struct column *column = next_named(model, &at);
    return fault_add(commit->fault, commit_path(commit, path, column ? column->field_name : ""),
                     "is required");
}

/* `key` is of the row that was there before: NULL for one that is new. */
static Code fail_foreign_key(struct commit *commit, const struct model *model,
                             const ProtobufCMessage *record, const ProtobufCMessage *key,
                             const char *path)
{
    if (record)
        fail_parent(commit, model, record, path);
    if (key && commit->fault->n_violations == 0)
        return fail_children(commit, model, key, path);
    if (commit->fault->n_violations == 0)
        fault_add(commit->fault, path, "a foreign key points nowhere");
    return commit->fault->code;
}

/* `record`: the values that were to be written, NULL when deleting. */
static Code fail_step(struct commit *commit, int rc, const struct model *model,
                      const ProtobufCMessage *record, const ProtobufCMessage *key, const char *path)
{
    /* The text goes with the next statement: take it before looking around. */
    const char *said = arena_strdup(commit->arena, sqlite3_errmsg(commit->db->handle));
    Code code = db_fault(commit->db, rc, commit->fault, model->name);
    if (!said || !db_in_transaction(commit->db))
        return code;
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return fail_unique(commit, model, key ? key : record, said, path);
    case SQLITE_CONSTRAINT_NOTNULL:
        fault_done(commit->fault);
        return fail_not_null(commit, model, said, path);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return fail_foreign_key(commit, model, record, key, path);
    default:
        if (commit->fault->n_violations == 0 && (rc & 0xff) == SQLITE_CONSTRAINT)
            fault_add(commit->fault, path, "%s", said);
        return code;
    }
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
        code = column_bind(stmt, first + (int)i, columns[i], record, &found);
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
    return column_value(column, record).integer != 0;
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
    sql_init(&sql, commit->arena);
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
        code = fail_step(commit, rc, model, *record, NULL, path);
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
    sql_init(&sql, commit->arena);
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
        code = fail_step(commit, rc, model, values, NULL, path);
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
    sql_init(&sql, commit->arena);
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
        code = fail_step(commit, rc, model, values, target->record, path);
    db_release(commit->db, stmt);
    if (code == HERO__V1__CODE__OK && !found)
        return record_not_found(commit, model, target->record, commit_path(commit, path, "target"));
    return code;
}

Code record_delete(struct commit *commit, const struct entity *target, const char *path)
{
    const struct model *model = target->model;
    struct sql sql;
    sql_init(&sql, commit->arena);
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
            code = fail_step(commit, rc, model, NULL, target->record, path);
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
