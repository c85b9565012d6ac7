/*
 * Adoption of what only CREATE TABLE tells: CHECKs, conflict clauses; and of
 * triggers. A CHECK that the model declares must be there; what is there
 * besides stays, with a warning.
 */
#include "adopt_internal.h"
#include "create_table.h"

static Code read_create(struct comparison *c, struct db *db, struct create_table *ret_create,
                        struct fault *fault)
{
    sqlite3_stmt *stmt = db_prepare(
        db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
        fault);
    if (!stmt)
        return fault->code;
    bool read = true;
    sqlite3_bind_text(stmt, 1, c->model->table, -1, SQLITE_STATIC);
    if (db_step(db, stmt) == SQLITE_ROW)
        read = create_table_read((const char *)sqlite3_column_text(stmt, 0), c->arena, ret_create);
    db_release(db, stmt);
    return read ? HERO__V1__CODE__OK
                : fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                            "no memory left for the shape of the tables");
}

static bool has_check(const struct create_table *create, const char *sql)
{
    for (size_t i = 0; i < create->n_checks; i++)
        if (create->checks[i].sql && sql_same(create->checks[i].sql, sql))
            return true;
    return false;
}

static void compare_checks(struct comparison *c, const struct create_table *stored,
                           const struct create_table *ours)
{
    for (size_t i = 0; i < c->model->n_checks; i++) {
        const struct check *check = &c->model->checks[i];
        if (!has_check(stored, check->sql))
            adopt_differ(c, check->column ? check->column->field_name : NULL,
                         "it has no CHECK (%s), the model says so", check->sql);
    }
    for (size_t i = 0; i < stored->n_checks; i++)
        if (stored->checks[i].sql && !has_check(ours, stored->checks[i].sql))
            adopt_warn(c, NULL, "it has CHECK (%s)", stored->checks[i].sql);
}

static Code tell_triggers(struct comparison *c, struct db *db, struct fault *fault)
{
    sqlite3_stmt *stmt = db_prepare(db,
                                    "SELECT name FROM sqlite_schema WHERE type = 'trigger' "
                                    "AND tbl_name = ?1 COLLATE NOCASE",
                                    fault);
    if (!stmt)
        return fault->code;
    sqlite3_bind_text(stmt, 1, c->model->table, -1, SQLITE_STATIC);
    while (db_step(db, stmt) == SQLITE_ROW)
        adopt_warn(c, NULL, "its trigger %s runs on Hero's writes too",
                   (const char *)sqlite3_column_text(stmt, 0));
    db_release(db, stmt);
    return HERO__V1__CODE__OK;
}

Code adopt_compare_create(struct comparison *c, struct db *db, struct fault *fault)
{
    struct create_table stored = {0}, ours = {0};
    Code code = read_create(c, db, &stored, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!create_table_read(ddl_table(c->model, c->arena), c->arena, &ours))
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "no memory left for the shape of the tables");
    compare_checks(c, &stored, &ours);
    if (stored.conflict)
        adopt_warn(c, NULL, "a constraint has ON CONFLICT %s: writes that break it are not refused",
                   stored.conflict);
    return tell_triggers(c, db, fault);
}
