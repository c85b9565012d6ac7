/*
 * Hero's own tables: what they are called, look like and hold.
 *
 * Knows no models but as the bytes of their set, and no requests: the rows of
 * _hero_request are request_id.c's.
 */
#include <time.h>
#include "internal.h"
#include "meta.h"

static const char *const tables[] = {
    "CREATE TABLE IF NOT EXISTS _hero_meta (key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _hero_model_set (version INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
    "author TEXT, descriptor_set BLOB NOT NULL, steps TEXT)",
    "CREATE TABLE IF NOT EXISTS _hero_request (principal TEXT NOT NULL, client BLOB NOT NULL, "
    "seq INTEGER NOT NULL, lowest INTEGER NOT NULL, digest BLOB NOT NULL, "
    "commit_number INTEGER NOT NULL, at INTEGER NOT NULL, answer BLOB, "
    "PRIMARY KEY (principal, client, seq)) WITHOUT ROWID",
};

/* From each format to the next: the first is what makes 2 of 1. */
static const char *const upgrades[] = {
    "ALTER TABLE _hero_model_set ADD COLUMN steps TEXT",
};
_Static_assert(sizeof(upgrades) / sizeof(*upgrades) == META_FORMAT - 1, "an upgrade for each");

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static Code step_one(struct db *db, sqlite3_stmt *stmt, struct fault *fault, const char *what,
                     bool *ret_row)
{
    int rc = db_step(db, stmt);
    *ret_row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                                 : db_fault(db, rc, fault, what);
}

Code meta_get(struct db *db, const char *key, int64_t *ret_value, struct fault *fault)
{
    bool row = false;
    sqlite3_stmt *stmt = db_prepare(db, "SELECT value FROM _hero_meta WHERE key = ?1", fault);
    if (!stmt)
        return fault->code;
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    Code code = step_one(db, stmt, fault, "reading _hero_meta", &row);
    if (row && sqlite3_column_type(stmt, 0) != SQLITE_INTEGER)
        code = fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                         "the row %s of table _hero_meta holds no number", key);
    else if (row)
        *ret_value = sqlite3_column_int64(stmt, 0);
    db_release(db, stmt);
    return code;
}

Code meta_put(struct db *db, const char *key, int64_t value, struct fault *fault)
{
    bool row = false;
    sqlite3_stmt *stmt =
        db_prepare(db, "INSERT OR REPLACE INTO _hero_meta (key, value) VALUES (?1, ?2)", fault);
    if (!stmt)
        return fault->code;
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, value);
    Code code = step_one(db, stmt, fault, "writing _hero_meta", &row);
    db_release(db, stmt);
    return code;
}

Code meta_format(struct db *db, int64_t *ret_format, struct fault *fault)
{
    bool exists = false;
    sqlite3_stmt *stmt = db_prepare(
        db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_hero_meta'", fault);
    if (!stmt)
        return fault->code;
    Code code = step_one(db, stmt, fault, "reading the schema", &exists);
    db_release(db, stmt);
    *ret_format = 0;
    if (code != HERO__V1__CODE__OK || !exists)
        return code;
    code = meta_get(db, "format", ret_format, fault);
    if (code == HERO__V1__CODE__OK && *ret_format < 1)
        code = fault_set(fault, HERO__V1__CODE__DATA_LOSS, "table _hero_meta holds no format");
    return code;
}

static Code create_all(struct db *db, struct fault *fault)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        Code code = db_run(db, tables[i], fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    Code code = meta_put(db, "format", META_FORMAT, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_put(db, "commit_number", 0, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_put(db, "models_version", (int64_t)meta_next_version(0), fault);
    return code;
}

static Code upgrade(struct db *db, int64_t format, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;
    for (; format < META_FORMAT && code == HERO__V1__CODE__OK; format++)
        code = db_run(db, upgrades[format - 1], fault);
    return code == HERO__V1__CODE__OK ? meta_put(db, "format", META_FORMAT, fault) : code;
}

Code meta_create(struct db *db, struct fault *fault)
{
    int64_t format = 0;
    Code code = meta_format(db, &format, fault);
    if (code != HERO__V1__CODE__OK || format == META_FORMAT)
        return code;
    code = db_run(db, "BEGIN IMMEDIATE", fault);
    if (code == HERO__V1__CODE__OK)
        code = format == 0 ? create_all(db, fault) : upgrade(db, format, fault);
    if (code == HERO__V1__CODE__OK)
        code = db_run(db, "COMMIT", fault);
    if (db_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

Code meta_read_set(struct db *db, struct arena *arena, ProtobufCBinaryData *ret_set,
                   uint64_t *ret_version, struct fault *fault)
{
    int64_t version = 0;
    bool row = false;
    Code code = meta_get(db, "models_version", &version, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    sqlite3_stmt *stmt = db_prepare(db,
                                    "SELECT version, descriptor_set FROM _hero_model_set "
                                    "ORDER BY version DESC LIMIT 1",
                                    fault);
    if (!stmt)
        return fault->code;
    ProtobufCBinaryData set = {0, NULL};
    code = step_one(db, stmt, fault, "reading _hero_model_set", &row);
    if (row) {
        version = sqlite3_column_int64(stmt, 0);
        set.len = (size_t)sqlite3_column_bytes(stmt, 1);
        set.data = arena_copy(arena, sqlite3_column_blob(stmt, 1), set.len);
        if (set.len > 0 && !set.data)
            code = fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                             "no memory left for the models");
    }
    db_release(db, stmt);
    if (code == HERO__V1__CODE__OK) {
        *ret_set = set;
        *ret_version = (uint64_t)version;
    }
    return code;
}

Code meta_write_set(struct db *db, const struct models *models, const char *author,
                    const char *steps, struct fault *fault)
{
    bool row = false;
    sqlite3_stmt *stmt = db_prepare(db,
                                    "INSERT INTO _hero_model_set (version, at, author, "
                                    "descriptor_set, steps) VALUES (?1, ?2, ?3, ?4, ?5)",
                                    fault);
    if (!stmt)
        return fault->code;
    const void *set = models->descriptor_set_len > 0 ? models->descriptor_set : (const uint8_t *)"";
    sqlite3_bind_int64(stmt, 1, (int64_t)models->version);
    sqlite3_bind_int64(stmt, 2, now_ms());
    sqlite3_bind_text(stmt, 3, author, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 5, steps, -1, SQLITE_STATIC);
    int rc = sqlite3_bind_blob64(stmt, 4, set, models->descriptor_set_len, SQLITE_STATIC);
    Code code = rc == SQLITE_OK ? step_one(db, stmt, fault, "writing _hero_model_set", &row)
                                : db_fault(db, rc, fault, "writing _hero_model_set");
    db_release(db, stmt);
    if (code == HERO__V1__CODE__OK)
        code = meta_put(db, "models_version", (int64_t)models->version, fault);
    return code;
}

uint64_t meta_next_version(uint64_t version)
{
    /* A file that was made anew or restored from a copy counts on from the
     * clock, so clients that knew the old one notice. */
    uint64_t now = (uint64_t)now_ms();
    return now > version ? now : version + 1;
}
