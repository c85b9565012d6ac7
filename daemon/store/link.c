/*
 * Rows of link models: one for each pair, or for each two of a symmetric
 * relationship. Knows one pair at a time; which side asks makes no difference
 * to the row.
 */
#include "column.h"
#include "join.h"
#include "relate.h"

static const char *columns_path(const struct pair *pair)
{
    return pair->columns_path ? pair->columns_path : pair->to_path;
}

/* The row that links the two: the ends' keys, and what is given of its own. */
static Code make_row(struct commit *commit, const struct pair *pair, const struct entity *from,
                     const struct entity *to, ProtobufCMessage **ret_row)
{
    const struct relationship *relationship = pair->relationship;
    const ProtobufCMessageDescriptor *descriptor = relationship->link->descriptor;
    *ret_row = pair->columns ? arena_copy(commit->arena, pair->columns, descriptor->sizeof_message)
                             : dynamic_message(commit->arena, descriptor);
    if (!*ret_row)
        return commit_no_memory(commit);
    Code code = reference_fill(commit, relationship->from, *ret_row, from->record, pair->from_path);
    if (code == HERO__V1__CODE__OK)
        code = reference_fill(commit, relationship->to, *ret_row, to->record, pair->to_path);
    /* Keys of several columns may share some: one tenant, say. */
    if (code == HERO__V1__CODE__OK &&
        !reference_is(commit, relationship->from, *ret_row, from->record))
        return fault_add(commit->fault, pair->to_path,
                         "%s %s and %s %s can't be linked: the columns of %s that their keys share "
                         "differ",
                         from->model->name,
                         model_key_text(from->model, from->record, commit->arena), to->model->name,
                         model_key_text(to->model, to->record, commit->arena),
                         relationship->link->name);
    return code;
}

/* ---- statements ---- */

/* The ends' columns, each once. false: no more. */
static bool next_end(const struct relationship *relationship, size_t *at,
                     const struct column **ret_column)
{
    const struct foreign_key *from = relationship->from, *to = relationship->to;
    while (*at < from->n + to->n) {
        size_t i = (*at)++;
        const struct column *column = i < from->n ? from->columns[i] : to->columns[i - from->n];
        if (i >= from->n && foreign_key_has(from, column))
            continue;
        *ret_column = column;
        return true;
    }
    return false;
}

static void put_ends(struct sql *sql, const struct relationship *relationship)
{
    const struct column *column;
    for (size_t at = 0, n = 0; next_end(relationship, &at, &column); n++)
        sql_column(sql, n > 0 ? ", " : "", column);
}

/* Columns whose absent value the database itself finds are not named. */
static bool is_named(const struct column *column, const ProtobufCMessage *row)
{
    return (column->default_kind != DEFAULT_SQL && !column->read_only) || record_has(column, row);
}

static const char *insert_text(struct commit *commit, const struct relationship *relationship,
                               const ProtobufCMessage *row)
{
    const struct model *link = relationship->link;
    struct sql sql;
    const char *word = " (";
    commit_sql(commit, &sql);
    sql_add(&sql, "INSERT INTO ");
    sql_table(&sql, link);
    for (size_t i = 0; i < link->n_columns; i++)
        if (is_named(&link->columns[i], row)) {
            sql_column(&sql, word, &link->columns[i]);
            word = ", ";
        }
    word = ") VALUES (";
    for (size_t i = 0; i < link->n_columns; i++)
        if (is_named(&link->columns[i], row)) {
            sql_add(&sql, word);
            sql_parameter(&sql, (unsigned)i + 1);
            word = ", ";
        }
    /* Only the same link is no conflict; another unique column of the link's is one. */
    sql_add(&sql, ") ON CONFLICT (");
    put_ends(&sql, relationship);
    sql_add(&sql, ") DO NOTHING");
    return sql_text(&sql);
}

static Code bind_row(struct commit *commit, sqlite3_stmt *stmt, const struct model *link,
                     const ProtobufCMessage *row, const char *path)
{
    struct fault found = FAULT_INIT;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < link->n_columns && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = &link->columns[i];
        if (!is_named(column, row))
            continue;
        if (record_has(column, row))
            code = column_bind(stmt, (int)i + 1, column, row, commit->arena, &found);
        else
            code = column_bind_default(stmt, (int)i + 1, column, commit->arena, &found);
    }
    return code == HERO__V1__CODE__OK ? code : relate_blame(commit, &found, path);
}

static Code fail_insert(struct commit *commit, int rc, const struct pair *pair,
                        const ProtobufCMessage *row)
{
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) {
        Code code = relate_check_ends(commit, pair);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return constraint_fault(commit, rc, pair->relationship->link, row, NULL, columns_path(pair));
}

static Code insert_row(struct commit *commit, const struct pair *pair, const ProtobufCMessage *row,
                       bool *ret_added)
{
    const char *sql = insert_text(commit, pair->relationship, row);
    if (!sql)
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql, commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_row(commit, stmt, pair->relationship->link, row, columns_path(pair));
    if (code == HERO__V1__CODE__OK)
        rc = db_step(commit->db, stmt);
    *ret_added = rc == SQLITE_DONE && sqlite3_changes(commit->db->handle) > 0;
    db_release(commit->db, stmt);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = fail_insert(commit, rc, pair, row);
    return code;
}

static Code find_row(struct commit *commit, const struct pair *pair, const ProtobufCMessage *row,
                     bool *ret_found)
{
    ProtobufCMessage *stored;
    return record_fetch(commit, pair->relationship->link, row, &stored, ret_found, "");
}

/* What is given of the link's own columns; the others stay as they are. */
static Code update_row(struct commit *commit, const struct pair *pair, ProtobufCMessage *row)
{
    const struct model *link = pair->relationship->link;
    const struct entity target = {link, row};
    const struct column **columns = arena_array(commit->arena, link->n_columns, sizeof(*columns));
    const struct column *column;
    ProtobufCMessage *stored;
    size_t n = 0;
    if (!columns)
        return commit_no_memory(commit);
    for (size_t at = 0; join_link_column(pair->relationship, &at, &column);)
        if (record_has(column, row))
            columns[n++] = column;
    return n == 0 ? HERO__V1__CODE__OK
                  : record_update(commit, &target, row, columns, n, &stored, columns_path(pair));
}

static bool lacks_values(const struct model *link, const ProtobufCMessage *row)
{
    for (size_t i = 0; i < link->n_columns; i++)
        if (link->columns[i].not_null && !column_fills_itself(&link->columns[i]) &&
            !record_has(&link->columns[i], row))
            return true;
    return false;
}

/* The pair as one row; where it is there already, with new values of its own. */
static Code add_row(struct commit *commit, const struct pair *pair, ProtobufCMessage *row,
                    bool *ret_added)
{
    const struct model *link = pair->relationship->link;
    bool found = false;
    Code code = HERO__V1__CODE__OK;
    bool lacks = lacks_values(link, row);
    if (lacks) /* enough for a link that exists */
        code = find_row(commit, pair, row, &found);
    if (code == HERO__V1__CODE__OK && lacks && !found)
        code = relate_check_ends(commit, pair);
    if (code == HERO__V1__CODE__OK && !found)
        code = record_check_required(commit, link, row, columns_path(pair));
    if (code == HERO__V1__CODE__OK && !found)
        code = insert_row(commit, pair, row, ret_added);
    return code == HERO__V1__CODE__OK && !*ret_added ? update_row(commit, pair, row) : code;
}

static Code check_not_itself(struct commit *commit, const struct pair *pair,
                             const ProtobufCMessage *row)
{
    const struct relationship *relationship = pair->relationship;
    if (!reference_is(commit, relationship->from, row, pair->to->record))
        return HERO__V1__CODE__OK;
    return fault_add(
        commit->fault, pair->to_path, "is %s %s itself: %s is symmetric, and joins two records",
        pair->from->model->name,
        model_key_text(pair->from->model, pair->from->record, commit->arena), relationship->name);
}

Code link_add(struct commit *commit, const struct pair *pair, bool *ret_added)
{
    ProtobufCMessage *row, *mirrored;
    bool found = false;
    *ret_added = false;
    Code code = make_row(commit, pair, pair->from, pair->to, &row);
    if (code != HERO__V1__CODE__OK || !pair->relationship->symmetric)
        return code == HERO__V1__CODE__OK ? add_row(commit, pair, row, ret_added) : code;
    /* Whoever linked them first, it is this row. */
    code = check_not_itself(commit, pair, row);
    if (code == HERO__V1__CODE__OK)
        code = make_row(commit, pair, pair->to, pair->from, &mirrored);
    if (code == HERO__V1__CODE__OK)
        code = find_row(commit, pair, mirrored, &found);
    if (code != HERO__V1__CODE__OK)
        return code;
    return found ? update_row(commit, pair, mirrored) : add_row(commit, pair, row, ret_added);
}

/* ---- removing ---- */

static Code bind_end(struct commit *commit, sqlite3_stmt *stmt, int first,
                     const struct foreign_key *key, const struct entity *end)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < key->n && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, first + (int)i, key->referred[i], end->record, commit->arena,
                           commit->fault);
    return code;
}

static void put_end(struct sql *sql, const char *word, const struct foreign_key *key,
                    unsigned first)
{
    for (size_t i = 0; i < key->n; i++) {
        sql_column(sql, i > 0 ? " AND " : word, key->columns[i]);
        sql_add(sql, " = ");
        sql_parameter(sql, first + (unsigned)i);
    }
}

static Code delete_row(struct commit *commit, const struct relationship *relationship,
                       const struct entity *from, const struct entity *to, bool *removed)
{
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "DELETE FROM ");
    sql_table(&sql, relationship->link);
    put_end(&sql, " WHERE ", relationship->from, 1);
    put_end(&sql, " AND ", relationship->to, (unsigned)relationship->from->n + 1);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    int rc = SQLITE_OK;
    Code code = bind_end(commit, stmt, 1, relationship->from, from);
    if (code == HERO__V1__CODE__OK)
        code = bind_end(commit, stmt, (int)relationship->from->n + 1, relationship->to, to);
    if (code == HERO__V1__CODE__OK && (rc = db_step(commit->db, stmt)) != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, relationship->link->name);
    *removed |= code == HERO__V1__CODE__OK && sqlite3_changes(commit->db->handle) > 0;
    db_release(commit->db, stmt);
    return code;
}

Code link_remove(struct commit *commit, const struct pair *pair, bool *ret_removed)
{
    *ret_removed = false;
    Code code = delete_row(commit, pair->relationship, pair->from, pair->to, ret_removed);
    if (code == HERO__V1__CODE__OK && pair->relationship->symmetric)
        code = delete_row(commit, pair->relationship, pair->to, pair->from, ret_removed);
    if (code == HERO__V1__CODE__FAILED_PRECONDITION)
        return fault_add(commit->fault, pair->to_path, "other rows refer to the link");
    /* Not linked is no error; naming what doesn't exist is. */
    return code == HERO__V1__CODE__OK && !*ret_removed ? relate_check_ends(commit, pair) : code;
}
