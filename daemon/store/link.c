/*
 * Rows of link models: one for each pair. Knows one relationship and two
 * records at a time; which side asks makes no difference to the row.
 */
#include "column.h"
#include "write.h"

/* The key column of the record at one end, as the link's column refers to it. */
static Code bind_end(struct commit *commit, sqlite3_stmt *stmt, int index,
                     const struct column *link_column, const struct entity *end)
{
    return column_bind(stmt, index, link_column->foreign_key, end->record, commit->arena,
                       commit->fault);
}

/* A further column of the link model that gets a value without being named. */
static bool has_default(const struct relationship *relationship, const struct column *column)
{
    return column->default_kind != DEFAULT_NONE && column != relationship->link_from &&
           column != relationship->link_to;
}

static const char *insert_text(struct commit *commit, const struct relationship *relationship)
{
    const struct model *link = relationship->link;
    struct sql sql;
    unsigned next = 3;
    commit_sql(commit, &sql);
    sql_add(&sql, "INSERT INTO ");
    sql_name(&sql, link->table);
    sql_add(&sql, " (");
    sql_column(&sql, "", relationship->link_from);
    sql_add(&sql, ", ");
    sql_column(&sql, "", relationship->link_to);
    for (size_t i = 0; i < link->n_columns; i++)
        if (has_default(relationship, &link->columns[i]))
            sql_column(&sql, ", ", &link->columns[i]);
    sql_add(&sql, ") VALUES (?1, ?2");
    for (size_t i = 0; i < link->n_columns; i++)
        if (has_default(relationship, &link->columns[i])) {
            sql_add(&sql, ", ");
            sql_parameter(&sql, next++);
        }
    /* Only the same link is no conflict; another unique column of the link's is one. */
    sql_add(&sql, ") ON CONFLICT (");
    sql_column(&sql, "", relationship->link_from);
    sql_add(&sql, ", ");
    sql_column(&sql, "", relationship->link_to);
    sql_add(&sql, ") DO NOTHING");
    return sql_text(&sql);
}

static Code bind_insert(struct commit *commit, sqlite3_stmt *stmt,
                        const struct relationship *relationship, const struct entity *from,
                        const struct entity *to)
{
    const struct model *link = relationship->link;
    int next = 3;
    Code code = bind_end(commit, stmt, 1, relationship->link_from, from);
    if (code == HERO__V1__CODE__OK)
        code = bind_end(commit, stmt, 2, relationship->link_to, to);
    for (size_t i = 0; i < link->n_columns && code == HERO__V1__CODE__OK; i++)
        if (has_default(relationship, &link->columns[i]))
            code = column_bind_default(stmt, next++, &link->columns[i], commit->fault);
    return code;
}

static Code check_end(struct commit *commit, const struct entity *end, const char *path)
{
    ProtobufCMessage *record;
    bool found = false;
    Code code = record_fetch(commit, end->model, end->record, &record, &found, path);
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, end->model, end->record, path);
    return code;
}

/* Names every end that is missing; what the statement said stays if none is. */
static Code check_ends(struct commit *commit, const struct entity *from, const char *from_path,
                       const struct entity *to, const char *to_path)
{
    Code code = check_end(commit, from, from_path);
    Code other = check_end(commit, to, to_path);
    return code != HERO__V1__CODE__OK ? code : other;
}

static Code fail_insert(struct commit *commit, int rc, const struct relationship *relationship,
                        const struct entity *from, const char *from_path, const struct entity *to,
                        const char *to_path)
{
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) {
        Code code = check_ends(commit, from, from_path, to, to_path);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    const char *said = sqlite3_errmsg(commit->db->handle);
    char *kept = arena_strdup(commit->arena, said ? said : "");
    Code code = db_fault(commit->db, rc, commit->fault, relationship->link->name);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT && kept)
        fault_add(commit->fault, to_path,
                  "the link model %s has a column that needs a value (%s); give it a default",
                  relationship->link->name, kept);
    return code;
}

Code link_add(struct commit *commit, const struct relationship *relationship,
              const struct entity *from, const char *from_path, const struct entity *to,
              const char *to_path, bool *ret_added)
{
    const char *sql = insert_text(commit, relationship);
    if (!sql)
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql, commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_insert(commit, stmt, relationship, from, to);
    if (code == HERO__V1__CODE__OK)
        rc = db_step(commit->db, stmt);
    *ret_added = rc == SQLITE_DONE && sqlite3_changes(commit->db->handle) > 0;
    db_release(commit->db, stmt);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = fail_insert(commit, rc, relationship, from, from_path, to, to_path);
    return code;
}

Code link_remove(struct commit *commit, const struct relationship *relationship,
                 const struct entity *from, const char *from_path, const struct entity *to,
                 const char *to_path, bool *ret_removed)
{
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_name(&sql, relationship->link->table);
    sql_add(&sql, " WHERE ");
    sql_column(&sql, "", relationship->link_from);
    sql_add(&sql, " = ?1 AND ");
    sql_column(&sql, "", relationship->link_to);
    sql_add(&sql, " = ?2");
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_end(commit, stmt, 1, relationship->link_from, from);
    if (code == HERO__V1__CODE__OK)
        code = bind_end(commit, stmt, 2, relationship->link_to, to);
    if (code == HERO__V1__CODE__OK)
        rc = db_step(commit->db, stmt);
    *ret_removed = rc == SQLITE_DONE && sqlite3_changes(commit->db->handle) > 0;
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, relationship->link->name);
    db_release(commit->db, stmt);
    /* Not linked is no error; naming what doesn't exist is. */
    if (code == HERO__V1__CODE__OK && !*ret_removed)
        code = check_ends(commit, from, from_path, to, to_path);
    return code;
}

static Code clear_one(struct commit *commit, const struct relationship *links,
                      const struct entity *target, uint32_t *removed)
{
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_name(&sql, links->link->table);
    sql_add(&sql, " WHERE ");
    sql_column(&sql, "", links->link_from);
    sql_add(&sql, " = ?1");
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_end(commit, stmt, 1, links->link_from, target);
    if (code == HERO__V1__CODE__OK && (rc = db_step(commit->db, stmt)) != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, links->link->name);
    if (code == HERO__V1__CODE__OK)
        *removed += (uint32_t)sqlite3_changes(commit->db->handle);
    db_release(commit->db, stmt);
    return code;
}

Code link_clear(struct commit *commit, const struct entity *target, const char *path,
                uint32_t *removed)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < target->model->n_links_to_clear && code == HERO__V1__CODE__OK; i++)
        code = clear_one(commit, target->model->links_to_clear[i], target, removed);
    if (code == HERO__V1__CODE__FAILED_PRECONDITION)
        fault_add(commit->fault, path, "other rows refer to its links");
    return code;
}
