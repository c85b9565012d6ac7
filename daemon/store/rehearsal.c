/*
 * Rehearsals of changes: the schema copied into a database in memory.
 *
 * SQLite looks at the whole schema when it renames a table: every view and
 * trigger must still compile. Renaming a table of our own makes it look.
 */
#include <string.h>
#include "rehearsal.h"

/* Tables before what is made of them. Indexes of constraints have no text. */
static const char objects[] =
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE "
    "'\\' ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 "
    "END, rowid";

/* The copy's faults are nobody's: what it lacks is found missing later. */
static void try_to_make(struct rehearsal *rehearsal, const char *sql)
{
    sqlite3_exec(rehearsal->db.handle, sql, NULL, NULL, NULL);
}

static Code copy_schema(struct rehearsal *rehearsal, struct db *db, struct fault *fault)
{
    sqlite3_stmt *stmt = db_prepare(db, objects, fault);
    Code code = HERO__V1__CODE__OK;
    int rc;
    if (!stmt)
        return fault->code;
    while ((rc = db_step(db, stmt)) == SQLITE_ROW)
        try_to_make(rehearsal, (const char *)sqlite3_column_text(stmt, 0));
    if (rc != SQLITE_DONE)
        code = db_fault(db, rc, fault, "reading the schema");
    db_release(db, stmt);
    return code;
}

static Code look(struct rehearsal *rehearsal, struct fault *fault)
{
    static const char *const statements[] = {"CREATE TABLE _hero_look (x)",
                                             "ALTER TABLE _hero_look RENAME TO _hero_looked",
                                             "DROP TABLE _hero_looked"};
    struct fault found = FAULT_INIT;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < 3 && code == HERO__V1__CODE__OK; i++) {
        int rc = sqlite3_exec(rehearsal->db.handle, statements[i], NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            code = db_fault(&rehearsal->db, rc, &found, "");
    }
    if (code != HERO__V1__CODE__OK) {
        sqlite3_exec(rehearsal->db.handle, "DROP TABLE IF EXISTS _hero_look", NULL, NULL, NULL);
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "a view or trigger would no longer work%s; change or drop it first",
                  found.message ? found.message : "");
    }
    fault_done(&found);
    return code == HERO__V1__CODE__OK ? code : HERO__V1__CODE__FAILED_PRECONDITION;
}

Code rehearsal_open(struct rehearsal *rehearsal, struct db *db, struct fault *fault)
{
    memset(rehearsal, 0, sizeof(*rehearsal));
    Code code = db_open_untouched(&rehearsal->db, ":memory:", true, 0, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    sqlite3_db_config(rehearsal->db.handle, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    code = copy_schema(rehearsal, db, fault);
    if (code == HERO__V1__CODE__OK)
        rehearsal->was_broken = look(rehearsal, NULL) != HERO__V1__CODE__OK;
    if (code != HERO__V1__CODE__OK)
        rehearsal_close(rehearsal);
    return code;
}

Code rehearsal_check(struct rehearsal *rehearsal, struct fault *fault)
{
    return rehearsal->was_broken ? HERO__V1__CODE__OK : look(rehearsal, fault);
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    db_close(&rehearsal->db);
    memset(rehearsal, 0, sizeof(*rehearsal));
}
