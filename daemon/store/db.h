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

/* 48 bytes: the first copy of the header of the log's index (moment.c). */
#define MOMENT_WORDS 12

struct db_statement; /* a prepared statement and its place in the cache */

struct db {
    sqlite3 *handle;
    struct db_statement **cache; /* idle statements by text; bounded, the least used goes */
    size_t n_cached, max_cached;
    struct db_statement *newest, *oldest; /* the idle ones by use */
    struct db_statement *busy;            /* handed out, few */
    int64_t deadline_ns;            /* a progress handler interrupts a reader past it; 0: none */
    struct echo *echo;              /* NULL: not wanted */
    unsigned generation;            /* of the schema that the statements were made for (pool.c) */
    int last_error;                 /* SQLite's code of the last failure that db_fault translated */
    const volatile uint32_t *index; /* moment.c: the log's index, in shared memory */
    uint32_t seen[MOMENT_WORDS];    /* moment.c: its header before the open transaction */
    struct db *next;                /* in the pool */
};

/* Opens with the hardening list (foreign_keys, WAL, synchronous FULL,
 * defensive, trusted_schema off, no extensions, cell_size_check, limits): the
 * two steps below. On failure the db is closed. */
MUST_CHECK Code db_open(struct db *db, const char *path, bool writer, uint32_t busy_timeout_ms,
                        struct fault *fault);
/* Only what does not touch the file: a caller that must look before it leaps.
 * The file must exist. */
MUST_CHECK Code db_open_untouched(struct db *db, const char *path, bool writer,
                                  uint32_t busy_timeout_ms, struct fault *fault);
/* To read and nothing else; `uri` is file:... (not made by others). Symbolic links are followed. */
MUST_CHECK Code db_open_readonly(struct db *db, const char *uri, uint32_t busy_timeout_ms,
                                 struct fault *fault);
/* WAL and what else reads or writes the file. */
MUST_CHECK Code db_settle(struct db *db, bool writer, struct fault *fault);
void db_close(struct db *db); /* a db that never opened too, if zeroed */

/* A statement of this text, reset and unbound, from the cache or prepared.
 * Give it back with db_release. NULL: the fault tells. */
MUST_CHECK sqlite3_stmt *db_prepare(struct db *db, const char *sql, struct fault *fault);
/* sqlite3_step, with time and bound values into the echo when the statement
 * ends or is released. Returns SQLite's code (extended). */
int db_step(struct db *db, sqlite3_stmt *stmt);
/* Reset and unbound, back to the cache. NULL allowed. */
void db_release(struct db *db, sqlite3_stmt *stmt);
/* Prepare, step to the end, release: for statements without results. OK or
 * the translated fault. */
MUST_CHECK Code db_run(struct db *db, const char *sql, struct fault *fault);
/* The cached statements of tables that changed must go; those handed out go
 * when they are released. */
void db_forget_statements(struct db *db);

/* Is a transaction open? After an error in a batch it may be gone. */
bool db_in_transaction(const struct db *db);

/* The one translation: SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY and _ROWID ->
 * ALREADY_EXISTS, _FOREIGNKEY and _TRIGGER -> FAILED_PRECONDITION, other
 * constraints and MISMATCH -> INVALID_ARGUMENT, BUSY -> UNAVAILABLE, INTERRUPT
 * -> DEADLINE_EXCEEDED, FULL, NOMEM and TOOBIG -> RESOURCE_EXHAUSTED, IOERR,
 * CORRUPT and NOTADB -> DATA_LOSS, else INTERNAL. `what` says what was being
 * done. Callers that know better (which model, which key) replace message and
 * violations. */
Code db_fault(struct db *db, int sqlite_code, struct fault *fault, const char *what);
/* Does the code say that the disk is full? IOERR_SHMSIZE does, too. */
bool db_code_is_full(int sqlite_code);

#endif
