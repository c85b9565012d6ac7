/*
 * What SQLite's constraints mean in the request's own words: which field is to
 * blame, which record is missing, who still refers to one. Looks around with
 * statements of its own, on the writer's connection; changes nothing.
 */
#include <string.h>
#include <strings.h>
#include "column.h"
#include "write.h"

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
        bound = column_bind(stmt, (int)i + 1, columns[i], record, commit->arena, &ignored) ==
                HERO__V1__CODE__OK;
    bool exists = bound && db_step(commit->db, stmt) == SQLITE_ROW;
    db_release(commit->db, stmt);
    fault_done(&ignored);
    return exists;
}

static bool is_complete(const struct foreign_key *key, const ProtobufCMessage *record)
{
    for (size_t i = 0; i < key->n; i++)
        if (!field_present(record, key->columns[i]->field))
            return false;
    return true;
}

/* Which foreign keys of the record point nowhere? */
static Code fail_parent(struct commit *commit, const struct model *model,
                        const ProtobufCMessage *record, const char *path)
{
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "a foreign key of %s points to a record that does not exist", model->name);
    for (size_t i = 0; i < model->n_foreign_keys; i++) {
        const struct foreign_key *key = &model->foreign_keys[i];
        struct sql sql;
        if (!is_complete(key, record))
            continue;
        commit_sql(commit, &sql);
        sql_add(&sql, "SELECT 1 FROM ");
        sql_name(&sql, key->target->table);
        for (size_t c = 0; c < key->n; c++) {
            sql_column(&sql, c > 0 ? " AND " : " WHERE ", key->referred[c]);
            sql_add(&sql, " = ");
            sql_parameter(&sql, (unsigned)c + 1);
        }
        if (!row_exists(commit, sql_text(&sql), key->columns, key->n, record))
            fault_add(commit->fault,
                      commit_path(commit, path, key->columns[key->n - 1]->field_name),
                      "there is no %s with this %s; create it first", key->target->name,
                      key->n > 1 ? "key" : key->referred[0]->field_name);
    }
    return commit->fault->code;
}

/* Is there a row that refers by this key to the record with that primary key? */
static bool refers_to(struct commit *commit, const struct foreign_key *foreign_key,
                      const ProtobufCMessage *key)
{
    const struct model *model = foreign_key->target;
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT 1 FROM ");
    sql_name(&sql, model->table);
    sql_add(&sql, " AS t CROSS JOIN ");
    sql_name(&sql, foreign_key->model->table);
    sql_add(&sql, " AS c WHERE ");
    sql_key(&sql, "t.", model, 1);
    for (size_t i = 0; i < foreign_key->n; i++) {
        sql_column(&sql, " AND c.", foreign_key->columns[i]);
        sql_column(&sql, " = t.", foreign_key->referred[i]);
    }
    sql_add(&sql, " LIMIT 1");
    return row_exists(commit, sql_text(&sql), model->primary_key, model->n_primary_key, key);
}

/* Who still refers to the record? */
static Code fail_children(struct commit *commit, const struct model *model,
                          const ProtobufCMessage *key, const char *path)
{
    const char *text = model_key_text(model, key, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "%s %s can't go or change while others refer to it", model->name, text);
    for (size_t i = 0; i < model->n_referrers; i++) {
        const struct foreign_key *referrer = model->referrers[i];
        if (refers_to(commit, referrer, key))
            fault_add(commit->fault, path, "%s.%s refers to %s %s; delete or change that first",
                      referrer->model->name, foreign_key_text(referrer, commit->arena), model->name,
                      text);
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

Code constraint_fault(struct commit *commit, int rc, const struct model *model,
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
