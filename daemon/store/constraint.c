/*
 * What SQLite's constraints mean in the request's own words: which field is to
 * blame, which record is missing, who still refers to one. Looks around with
 * statements of its own, on the writer's connection; changes nothing.
 */
#include <string.h>
#include <strings.h>
#include "column.h"
#include "names.h"
#include "write.h"

/* ---- what SQLite says ---- */

/* "hero.name" at the start of the text, up to a comma or its end: names may
 * hold commas and dots themselves. How long it is; 0: it is another column. */
static size_t is_named(const char *text, const struct column *column)
{
    const char *table = column->model->table;
    size_t before = strlen(table), after = strlen(column->name);
    if (strncasecmp(text, table, before) != 0 || text[before] != '.' ||
        strncasecmp(text + before + 1, column->name, after) != 0)
        return 0;
    const char *end = text + before + 1 + after;
    return *end == '\0' || strncmp(end, ", ", 2) == 0 ? (size_t)(end - text) : 0;
}

/* "UNIQUE constraint failed: hero.name, hero.age": the columns; how many. */
static size_t named_columns(const struct model *model, const char *said,
                            const struct column **columns)
{
    const char *at = strstr(said, "failed: ");
    size_t n = 0, len = 1;
    for (at = at ? at + strlen("failed: ") : ""; *at && len > 0 && n < model->n_columns; n++) {
        len = 0;
        for (size_t i = 0; i < model->n_columns && len == 0; i++) {
            len = is_named(at, &model->columns[i]);
            columns[n] = &model->columns[i];
        }
        if (len == 0)
            return 0;
        at += len;
        at += strncmp(at, ", ", 2) == 0 ? 2 : 0;
    }
    return n;
}

/* "UNIQUE constraint failed: index 'ix_lower_name'", "CHECK constraint failed: positive". */
static const char *named_constraint(struct commit *commit, const char *said)
{
    const char *at = strstr(said, "failed: ");
    char *name = at ? arena_strdup(commit->arena, at + strlen("failed: ")) : NULL;
    size_t len = name ? strlen(name) : 0;
    if (len < strlen("index ''") || strncmp(name, "index '", strlen("index '")) != 0)
        return name;
    name[len - 1] = '\0';
    return name + strlen("index '");
}

/* ---- what it is called ---- */

/* "UNIQUE (branch, shelf)", for a constraint that has no name of its own. */
const char *constraint_text(struct commit *commit, const char *kind,
                            const struct column *const *columns, size_t n)
{
    const char *text = arena_printf(commit->arena, "%s (", kind);
    for (size_t i = 0; text && i < n; i++)
        text =
            arena_printf(commit->arena, "%s%s%s", text, columns[i]->name, i + 1 < n ? ", " : ")");
    return text ? text : kind;
}

static bool are_key(const struct model *model, const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!columns[i]->primary_key)
            return false;
    return n == model->n_primary_key;
}

static bool are_all(const struct column_list *list, const struct column *const *columns, size_t n)
{
    if (list->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (list->columns[i] != columns[i])
            return false;
    return true;
}

static const char *unique_name(struct commit *commit, const struct model *model,
                               const struct column *const *columns, size_t n)
{
    if (are_key(model, columns, n))
        return constraint_text(commit, "PRIMARY KEY", columns, n);
    for (size_t i = 0; i < model->n_uniques; i++)
        if (are_all(&model->uniques[i], columns, n))
            return model->uniques[i].name;
    if (n == 1 && columns[0]->index)
        return name_of_index(commit->arena, model->table, columns[0]->name);
    return constraint_text(commit, "UNIQUE", columns, n);
}

/* "string", "string, int32" */
static const char *types_text(struct commit *commit, const struct column *const *columns, size_t n)
{
    const char *text = "";
    for (size_t i = 0; text && i < n; i++)
        text = arena_printf(commit->arena, "%s%s%s", text, i ? ", " : "",
                            column_kind_name(columns[i]->kind));
    return text;
}

/* "branch and shelf" */
static const char *fields_text(struct commit *commit, const struct column *const *columns, size_t n)
{
    const char *text = "";
    for (size_t i = 0; text && i < n; i++)
        text = arena_printf(commit->arena, "%s%s%s", text,
                            i == 0      ? ""
                            : i + 1 < n ? ", "
                                        : " and ",
                            columns[i]->field_name);
    return text ? text : "its key";
}

/* ---- unique ---- */

/* Several columns are to blame together: for that the record's path stands.
 * The key is told where it is the key that is taken; other values are not. */
static Code fail_unique(struct commit *commit, const struct model *model,
                        const ProtobufCMessage *record, const char *said, const char *path)
{
    const struct column **columns = arena_array(commit->arena, model->n_columns, sizeof(*columns));
    size_t n = columns ? named_columns(model, said, columns) : 0;
    struct fault *fault = commit->fault;
    fault_set(fault, HERO__V1__CODE__ALREADY_EXISTS, "another %s has the same unique value",
              model->name);
    if (n == 0) {
        fault_add(fault, path, "another %s has the same unique value", model->name);
        fault_detail(fault, named_constraint(commit, said), NULL);
        return fault->code;
    }
    if (n == 1)
        fault_add(fault, commit_path(commit, path, columns[0]->field_name),
                  "another %s has this %s already; it must be unique", model->name,
                  columns[0]->field_name);
    else
        fault_add(fault, path, "another %s has the same %s already; together they must be unique",
                  model->name, fields_text(commit, columns, n));
    fault_detail(fault, unique_name(commit, model, columns, n), types_text(commit, columns, n));
    if (are_key(model, columns, n))
        fault_set(fault, fault->code, "%s %s exists already", model->name,
                  model_key_text(model, record, commit->arena));
    else
        fault_set(fault, fault->code, "%s", fault->violations[fault->n_violations - 1].description);
    return fault->code;
}

/* ---- foreign keys ---- */

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
        sql_table(&sql, key->target);
        for (size_t c = 0; c < key->n; c++) {
            sql_column(&sql, c > 0 ? " AND " : " WHERE ", key->referred[c]);
            sql_add(&sql, " = ");
            sql_parameter(&sql, (unsigned)c + 1);
        }
        if (row_exists(commit, sql_text(&sql), key->columns, key->n, record))
            continue;
        fault_add(commit->fault, commit_path(commit, path, key->columns[key->n - 1]->field_name),
                  "there is no %s with this %s; create it first", key->target->name,
                  key->n > 1 ? "key" : key->referred[0]->field_name);
        fault_detail(commit->fault, constraint_text(commit, "FOREIGN KEY", key->columns, key->n),
                     types_text(commit, key->columns, key->n));
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
    sql_table(&sql, model);
    sql_add(&sql, " AS t CROSS JOIN ");
    sql_table(&sql, foreign_key->model);
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
        if (!refers_to(commit, referrer, key))
            continue;
        fault_add(commit->fault, path, "%s.%s refers to %s %s; delete or change that first",
                  referrer->model->name, foreign_key_text(referrer, commit->arena), model->name,
                  text);
        fault_detail(commit->fault,
                     constraint_text(commit, "FOREIGN KEY", referrer->columns, referrer->n), NULL);
    }
    if (commit->fault->n_violations == 0)
        fault_add(commit->fault, path, "a row of a table that is not a model refers to %s %s",
                  model->name, text);
    return commit->fault->code;
}

static Code fail_not_null(struct commit *commit, const struct model *model, const char *said,
                          const char *path)
{
    const struct column **columns = arena_array(commit->arena, model->n_columns, sizeof(*columns));
    const struct column *column =
        columns && named_columns(model, said, columns) == 1 ? columns[0] : NULL;
    fault_add(commit->fault, commit_path(commit, path, column ? column->field_name : ""),
              "is required");
    fault_detail(commit->fault, "NOT NULL", column ? column_kind_name(column->kind) : NULL);
    return commit->fault->code;
}

static Code fail_check(struct commit *commit, const struct model *model, const char *said,
                       const char *path)
{
    const char *name = named_constraint(commit, said);
    const struct column *column = NULL;
    for (size_t i = 0; name && i < model->n_checks; i++) {
        const struct check *check = &model->checks[i];
        if (strcmp(name, check->name ? check->name : check->sql) == 0)
            column = check->column;
    }
    fault_set(commit->fault, HERO__V1__CODE__INVALID_ARGUMENT,
              "a %s does not fulfil what is demanded of it: %s", model->name, name ? name : said);
    fault_add(commit->fault, commit_path(commit, path, column ? column->field_name : ""),
              "does not fulfil the check %s", name ? name : said);
    fault_detail(commit->fault, name, column ? column_kind_name(column->kind) : NULL);
    return commit->fault->code;
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
    case SQLITE_CONSTRAINT_CHECK:
        return fail_check(commit, model, said, path);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return fail_foreign_key(commit, model, record, key, path);
    default:
        if (commit->fault->n_violations == 0 && (rc & 0xff) == SQLITE_CONSTRAINT)
            fault_add(commit->fault, path, "%s", said);
        return code;
    }
}
