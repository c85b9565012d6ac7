/*
 * One SQLite connection: opened hardened, with its prepared statements,
 * deadline and echo. Used by one thread at a time.
 *
 * Owns sqlite3* and statements, and the one translation of SQLite's codes
 * into status codes. Knows no tables.
 */
#ifndef HERO_STORE_DB_H
#define HERO_STORE_DB_H

#include <sqlite3.h>
#include "store.h"

struct db_statement; /* a slot of the statement cache */

struct db {
    sqlite3 *handle;
    struct db_statement **cache; /* by text; bounded, the least used goes */
    size_t n_cached, max_cached;
    int64_t deadline_ns; /* a progress handler interrupts past it; 0: none */
    struct echo *echo;   /* NULL: not wanted */
    struct db *next;     /* in the pool */
};

/* Opens with the hardening list (foreign_keys, WAL, synchronous FULL,
 * defensive, trusted_schema off, no extensions, cell_size_check, limits). */
MUST_CHECK Code db_open(struct db *db, const char *path, bool writer, uint32_t busy_timeout_ms,
                        struct fault *fault);
void db_close(struct db *db);

/* A statement of this text, reset and unbound, from the cache or prepared.
 * Give it back with db_release. NULL: the fault tells. */
MUST_CHECK sqlite3_stmt *db_prepare(struct db *db, const char *sql, struct fault *fault);
/* sqlite3_step, with time and bound values into the echo when the statement
 * ends or is released. Returns SQLite's code. */
int db_step(struct db *db, sqlite3_stmt *stmt);
/* Reset and unbound, back to the cache. NULL allowed. */
void db_release(struct db *db, sqlite3_stmt *stmt);
/* Prepare, step to the end, release: for statements without results. OK or
 * the translated fault. */
MUST_CHECK Code db_run(struct db *db, const char *sql, struct fault *fault);
/* The cached statements of tables that changed must go. */
void db_forget_statements(struct db *db);

/* Is a transaction open? After an error in a batch it may be gone. */
bool db_in_transaction(const struct db *db);

/* The one translation: SQLITE_CONSTRAINT_UNIQUE and _PRIMARYKEY ->
 * ALREADY_EXISTS, _FOREIGNKEY -> FAILED_PRECONDITION, _NOTNULL and _CHECK ->
 * INVALID_ARGUMENT, BUSY -> UNAVAILABLE, INTERRUPT -> DEADLINE_EXCEEDED, FULL
 * -> RESOURCE_EXHAUSTED, NOMEM -> RESOURCE_EXHAUSTED, IOERR and CORRUPT ->
 * DATA_LOSS, else INTERNAL. `what` says what was being done. Callers that
 * know better (which model, which key) replace message and violations. */
Code db_fault(struct db *db, int sqlite_code, struct fault *fault, const char *what);

#endif
