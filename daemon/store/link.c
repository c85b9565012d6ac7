/*
 * Rows of link models: one for each pair. Knows one relationship and two
 * records at a time; which side asks makes no difference to the row.
 */
#include "column.h"
#include "write.h"

/* The key of the record at one end, as the link's columns refer to it. */
static Code bind_end(struct commit *commit, sqlite3_stmt *stmt, int first,
                     const struct foreign_key *key, const struct entity *end)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < key->n && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, first + (int)i, key->referred[i], end->record, commit->arena,
                           commit->fault);
    return code;
}

static Code bind_ends(struct commit *commit, sqlite3_stmt *stmt,
                      const struct relationship *relationship, const struct entity *from,
                      const struct entity *to)
{
    Code code = bind_end(commit, stmt, 1, relationship->from, from);
    return code == HERO__V1__CODE__OK
               ? bind_end(commit, stmt, 1 + (int)relationship->from->n, relationship->to, to)
               : code;
}

/* A further column of the link model that gets a value without being named. */
static bool has_default(const struct relationship *relationship, const struct column *column)
{
    return column_has_default(column) && !foreign_key_has(relationship->from, column) &&
           !foreign_key_has(relationship->to, column);
}

/* Columns of an end that the other end has not, in the order in which they are bound. */
static void put_ends(struct sql *sql, const struct relationship *relationship)
{
    const struct foreign_key *from = relationship->from, *to = relationship->to;
    for (size_t i = 0; i < from->n; i++)
        sql_column(sql, i > 0 ? ", " : "", from->columns[i]);
    for (size_t i = 0; i < to->n; i++)
        if (!foreign_key_has(from, to->columns[i]))
            sql_column(sql, ", ", to->columns[i]);
}

static void put_end_values(struct sql *sql, const struct relationship *relationship)
{
    const struct foreign_key *from = relationship->from, *to = relationship->to;
    for (size_t i = 0; i < from->n; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        sql_parameter(sql, (unsigned)i + 1);
    }
    for (size_t i = 0; i < to->n; i++)
        if (!foreign_key_has(from, to->columns[i])) {
            sql_add(sql, ", ");
            sql_parameter(sql, (unsigned)(from->n + i) + 1);
        }
}

/* " WHERE hero_id = ?1": the rows at one end. */
static void put_where(struct sql *sql, const char *word, const struct foreign_key *key,
                      unsigned first)
{
    for (size_t i = 0; i < key->n; i++) {
        sql_column(sql, i > 0 ? " AND " : word, key->columns[i]);
        sql_add(sql, " = ");
        sql_parameter(sql, first + (unsigned)i);
    }
}

static const char *insert_text(struct commit *commit, const struct relationship *relationship)
{
    const struct model *link = relationship->link;
    struct sql sql;
    unsigned next = (unsigned)(relationship->from->n + relationship->to->n) + 1;
    commit_sql(commit, &sql);
    sql_add(&sql, "INSERT INTO ");
    sql_name(&sql, link->table);
    sql_add(&sql, " (");
    put_ends(&sql, relationship);
    for (size_t i = 0; i < link->n_columns; i++)
        if (has_default(relationship, &link->columns[i]))
            sql_column(&sql, ", ", &link->columns[i]);
    sql_add(&sql, ") VALUES (");
    put_end_values(&sql, relationship);
    for (size_t i = 0; i < link->n_columns; i++)
        if (has_default(relationship, &link->columns[i])) {
            sql_add(&sql, ", ");
            sql_parameter(&sql, next++);
        }
    /* Only the same link is no conflict; another unique column of the link's is one. */
    sql_add(&sql, ") ON CONFLICT (");
    put_ends(&sql, relationship);
    sql_add(&sql, ") DO NOTHING");
    return sql_text(&sql);
}

static Code bind_insert(struct commit *commit, sqlite3_stmt *stmt,
                        const struct relationship *relationship, const struct entity *from,
                        const struct entity *to)
{
    const struct model *link = relationship->link;
    int next = (int)(relationship->from->n + relationship->to->n) + 1;
    Code code = bind_ends(commit, stmt, relationship, from, to);
    for (size_t i = 0; i < link->n_columns && code == HERO__V1__CODE__OK; i++)
        if (has_default(relationship, &link->columns[i]))
            code =
                column_bind_default(stmt, next++, &link->columns[i], commit->arena, commit->fault);
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

/* Deletes a link's rows at one end, or at both where `to` is given. */
static Code delete_rows(struct commit *commit, const struct foreign_key *from_key,
                        const struct entity *from, const struct foreign_key *to_key,
                        const struct entity *to, uint32_t *ret_removed)
{
    const struct model *link = from_key->model;
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_name(&sql, link->table);
    put_where(&sql, " WHERE ", from_key, 1);
    if (to)
        put_where(&sql, " AND ", to_key, (unsigned)from_key->n + 1);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_end(commit, stmt, 1, from_key, from);
    if (code == HERO__V1__CODE__OK && to)
        code = bind_end(commit, stmt, (int)from_key->n + 1, to_key, to);
    if (code == HERO__V1__CODE__OK && (rc = db_step(commit->db, stmt)) != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, link->name);
    if (code == HERO__V1__CODE__OK)
        *ret_removed += (uint32_t)sqlite3_changes(commit->db->handle);
    db_release(commit->db, stmt);
    return code;
}

Code link_remove(struct commit *commit, const struct relationship *relationship,
                 const struct entity *from, const char *from_path, const struct entity *to,
                 const char *to_path, bool *ret_removed)
{
    uint32_t removed = 0;
    Code code = delete_rows(commit, relationship->from, from, relationship->to, to, &removed);
    *ret_removed = removed > 0;
    /* Not linked is no error; naming what doesn't exist is. */
    if (code == HERO__V1__CODE__OK && !*ret_removed)
        code = check_ends(commit, from, from_path, to, to_path);
    return code;
}

Code link_clear(struct commit *commit, const struct entity *target, const char *path,
                uint32_t *removed)
{
    const struct model *model = target->model;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_referrers && code == HERO__V1__CODE__OK; i++)
        if (model->referrers[i]->is_link)
            code = delete_rows(commit, model->referrers[i], target, NULL, NULL, removed);
    if (code == HERO__V1__CODE__FAILED_PRECONDITION)
        fault_add(commit->fault, path, "other rows refer to its links");
    return code;
}
