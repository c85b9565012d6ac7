/*
 * One SQLite connection: hardened opening, the statement cache, deadline and
 * echo of its statements, and the translation of SQLite's codes.
 *
 * A connection is used by one thread at a time (SQLite itself runs without
 * mutexes). Knows no tables and no models.
 */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "decimal_order.h"
#include "internal.h"

/* Texts are few: a handful for each model and method. */
#define MAX_CACHED 256
#define N_BUCKETS 512
/* Virtual-machine steps between two looks at the clock. */
#define PROGRESS_STEPS 1000
#define WAL_CHECKPOINT_PAGES 10000
#define WAL_SIZE_LIMIT (64 * 1024 * 1024)
/* Pages of one connection, taken as they are read: SQLite's own 2 MiB make a
 * point read of a database of some size cost two preads. */
#define CACHE_KIB 16384

struct db_statement {
    sqlite3_stmt *stmt;
    uint64_t hash;                      /* of its text */
    struct db_statement *chain;         /* same bucket */
    struct db_statement *newer, *older; /* idle: by use; busy: newer is unused */
    uint64_t spent_ns;                  /* since it was handed out */
    bool stepped;                       /* and not yet in the echo */
    bool stale;                         /* the schema changed while it was out */
};

static int past_deadline(void *arg)
{
    const struct db *db = arg;
    return db->deadline_ns != 0 && monotonic_ns() >= db->deadline_ns;
}

static const struct {
    int option, value;
} hardening[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
};

/* Far above what our own statements need, far below what hurts. */
static const struct {
    int limit, value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024},
    {SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024},
    {SQLITE_LIMIT_COLUMN, 2000},
    {SQLITE_LIMIT_EXPR_DEPTH, 500},
    {SQLITE_LIMIT_COMPOUND_SELECT, 50},
    {SQLITE_LIMIT_VDBE_OP, 1000000},
    {SQLITE_LIMIT_FUNCTION_ARG, 100},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 8192},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 100},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static int harden(sqlite3 *handle)
{
    for (size_t i = 0; i < sizeof(hardening) / sizeof(*hardening); i++) {
        int rc = sqlite3_db_config(handle, hardening[i].option, hardening[i].value, NULL);
        /* The tokenizer's switch may be missing from a build; then so is the tokenizer. */
        if (rc != SQLITE_OK && hardening[i].option != SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER)
            return rc;
    }
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
        sqlite3_limit(handle, limits[i].limit, limits[i].value);
    return SQLITE_OK;
}

static Code open_handle(struct db *db, const char *path, int how, bool writer,
                        uint32_t busy_timeout_ms, struct fault *fault)
{
    memset(db, 0, sizeof(*db));
    db->max_cached = MAX_CACHED;
    db->cache = calloc(N_BUCKETS, sizeof(*db->cache));
    if (!db->cache)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");

    int flags = how | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (rc == SQLITE_OK)
        rc = harden(db->handle);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", NULL, NULL,
                          NULL);
    if (rc != SQLITE_OK) {
        Code code = db_fault(db, rc, fault, "opening the database");
        db_close(db);
        db->last_error = rc;
        return code;
    }
    Code known = decimal_order_register(db, fault);
    if (known != HERO__V1__CODE__OK) {
        db_close(db);
        return known;
    }
    sqlite3_busy_timeout(db->handle, (int)busy_timeout_ms);
    /* Only reads may be interrupted: an interrupted write ends the whole
     * transaction, and with it the batch of all others (platform). */
    if (!writer)
        sqlite3_progress_handler(db->handle, PROGRESS_STEPS, past_deadline, db);
    return HERO__V1__CODE__OK;
}

Code db_open_untouched(struct db *db, const char *path, bool writer, uint32_t busy_timeout_ms,
                       struct fault *fault)
{
    return open_handle(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, writer,
                       busy_timeout_ms, fault);
}

Code db_open_readonly(struct db *db, const char *uri, uint32_t busy_timeout_ms, struct fault *fault)
{
    return open_handle(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, false, busy_timeout_ms,
                       fault);
}

static Code set_wal(struct db *db, struct fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    Code code = HERO__V1__CODE__OK;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW) {
        code = db_fault(db, rc, fault, "setting WAL mode");
    } else {
        const char *mode = (const char *)sqlite3_column_text(stmt, 0);
        if (!mode || strcmp(mode, "wal") != 0)
            code = fault_set(fault, HERO__V1__CODE__INTERNAL,
                             "the database stays in journal mode %s: WAL mode needs a file system "
                             "with shared memory maps",
                             mode ? mode : "unknown");
    }
    sqlite3_finalize(stmt);
    return code;
}

Code db_settle(struct db *db, bool writer, struct fault *fault)
{
    char pragmas[160];
    if (writer) {
        Code code = set_wal(db, fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    sqlite3_wal_autocheckpoint(db->handle, writer ? WAL_CHECKPOINT_PAGES : 0);
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d; PRAGMA cache_size=-%d",
             WAL_SIZE_LIMIT, CACHE_KIB);
    /* The SELECT opens all files of the connection now, while descriptors are free. */
    int rc = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK : db_fault(db, rc, fault, "opening the database");
}

Code db_open(struct db *db, const char *path, bool writer, uint32_t busy_timeout_ms,
             struct fault *fault)
{
    Code code = db_open_untouched(db, path, writer, busy_timeout_ms, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = db_settle(db, writer, fault);
    if (code != HERO__V1__CODE__OK) {
        int last_error = db->last_error;
        db_close(db);
        db->last_error = last_error;
    }
    return code;
}

/* ---- the statement cache: a hash by text of the idle ones, least used last ---- */

static void idle_remove(struct db *db, struct db_statement *s)
{
    struct db_statement **at = &db->cache[s->hash % N_BUCKETS];
    while (*at != s)
        at = &(*at)->chain;
    *at = s->chain;
    *(s->newer ? &s->newer->older : &db->newest) = s->older;
    *(s->older ? &s->older->newer : &db->oldest) = s->newer;
    s->chain = s->newer = s->older = NULL;
    db->n_cached--;
}

static void idle_add(struct db *db, struct db_statement *s)
{
    struct db_statement **bucket = &db->cache[s->hash % N_BUCKETS];
    s->chain = *bucket;
    *bucket = s;
    s->newer = NULL;
    s->older = db->newest;
    *(db->newest ? &db->newest->newer : &db->oldest) = s;
    db->newest = s;
    db->n_cached++;
}

static void statement_free(struct db_statement *s)
{
    sqlite3_finalize(s->stmt);
    free(s);
}

static struct db_statement *idle_find(struct db *db, uint64_t hash, const char *sql)
{
    struct db_statement *s = db->cache[hash % N_BUCKETS];
    while (s && (s->hash != hash || strcmp(sqlite3_sql(s->stmt), sql) != 0))
        s = s->chain;
    return s;
}

static struct db_statement *statement_new(struct db *db, const char *sql, size_t len,
                                          struct fault *fault)
{
    struct db_statement *s = calloc(1, sizeof(*s));
    if (!s) {
        fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    int rc = sqlite3_prepare_v3(db->handle, sql, (int)len + 1, SQLITE_PREPARE_PERSISTENT, &s->stmt,
                                NULL);
    if (rc == SQLITE_OK && s->stmt)
        return s;
    db_fault(db, rc == SQLITE_OK ? SQLITE_MISUSE : rc, fault, "preparing a statement");
    statement_free(s);
    return NULL;
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql, struct fault *fault)
{
    size_t len = strlen(sql);
    uint64_t hash = XXH3_64bits(sql, len);
    struct db_statement *s = idle_find(db, hash, sql);
    if (s)
        idle_remove(db, s);
    else if (!(s = statement_new(db, sql, len, fault)))
        return NULL;
    s->hash = hash;
    s->spent_ns = 0;
    s->stepped = s->stale = false;
    s->older = db->busy;
    db->busy = s;
    return s->stmt;
}

/* Where the statement hangs among those handed out. */
static struct db_statement **busy_find(struct db *db, const sqlite3_stmt *stmt)
{
    struct db_statement **at = &db->busy;
    while (*at && (*at)->stmt != stmt)
        at = &(*at)->older;
    return at;
}

static void echo_statement(struct db *db, struct db_statement *s)
{
    if (!s->stepped)
        return;
    s->stepped = false;
    if (db->echo) {
        char *sql = sqlite3_expanded_sql(s->stmt);
        echo_add(db->echo, sql ? sql : sqlite3_sql(s->stmt), s->spent_ns / 1000);
        sqlite3_free(sql);
    }
    s->spent_ns = 0;
}

int db_step(struct db *db, sqlite3_stmt *stmt)
{
    /* The clock is read twice for each row: only for who wants to see it. */
    if (!db->echo)
        return sqlite3_step(stmt);
    int64_t started = monotonic_ns();
    int rc = sqlite3_step(stmt);
    struct db_statement *s = *busy_find(db, stmt);
    if (s) {
        s->spent_ns += (uint64_t)(monotonic_ns() - started);
        s->stepped = true;
        if (rc != SQLITE_ROW)
            echo_statement(db, s);
    }
    return rc;
}

void db_release(struct db *db, sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    struct db_statement **at = busy_find(db, stmt);
    struct db_statement *s = *at;
    if (!s) /* not of this cache */
        return;
    *at = s->older;
    s->older = NULL;
    echo_statement(db, s);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (s->stale) {
        statement_free(s);
        return;
    }
    idle_add(db, s);
    if (db->n_cached > db->max_cached) {
        struct db_statement *least = db->oldest;
        idle_remove(db, least);
        statement_free(least);
    }
}

Code db_run(struct db *db, const char *sql, struct fault *fault)
{
    sqlite3_stmt *stmt = db_prepare(db, sql, fault);
    if (!stmt)
        return fault ? fault->code : HERO__V1__CODE__INTERNAL;
    int rc;
    do
        rc = db_step(db, stmt);
    while (rc == SQLITE_ROW);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK : db_fault(db, rc, fault, sql);
    db_release(db, stmt);
    return code;
}

void db_forget_statements(struct db *db)
{
    while (db->oldest) {
        struct db_statement *s = db->oldest;
        idle_remove(db, s);
        statement_free(s);
    }
    for (struct db_statement *s = db->busy; s; s = s->older)
        s->stale = true;
}

void db_close(struct db *db)
{
    if (db->cache) {
        while (db->busy) {
            struct db_statement *s = db->busy;
            db->busy = s->older;
            statement_free(s);
        }
        db_forget_statements(db);
    }
    sqlite3_close_v2(db->handle);
    free(db->cache);
    memset(db, 0, sizeof(*db));
}

bool db_in_transaction(const struct db *db)
{
    return db->handle && !sqlite3_get_autocommit(db->handle);
}

/* ---- the one translation of SQLite's codes ---- */

bool db_code_is_full(int sqlite_code)
{
    return (sqlite_code & 0xff) == SQLITE_FULL || sqlite_code == SQLITE_IOERR_SHMSIZE;
}

static Code constraint_code(int sqlite_code)
{
    switch (sqlite_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return HERO__V1__CODE__ALREADY_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER: /* RAISE, and foreign keys ON DELETE RESTRICT */
        return HERO__V1__CODE__FAILED_PRECONDITION;
    default:
        return HERO__V1__CODE__INVALID_ARGUMENT;
    }
}

static Code translate(int sqlite_code)
{
    if (db_code_is_full(sqlite_code) || sqlite_code == SQLITE_IOERR_NOMEM)
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    switch (sqlite_code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return HERO__V1__CODE__OK;
    case SQLITE_CONSTRAINT:
        return constraint_code(sqlite_code);
    case SQLITE_MISMATCH:
        return HERO__V1__CODE__INVALID_ARGUMENT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return HERO__V1__CODE__UNAVAILABLE;
    case SQLITE_INTERRUPT:
        return HERO__V1__CODE__DEADLINE_EXCEEDED;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
        return HERO__V1__CODE__RESOURCE_EXHAUSTED;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return HERO__V1__CODE__DATA_LOSS;
    default:
        return HERO__V1__CODE__INTERNAL;
    }
}

Code db_fault(struct db *db, int sqlite_code, struct fault *fault, const char *what)
{
    Code code = translate(sqlite_code);
    if (code == HERO__V1__CODE__OK)
        return code;
    db->last_error = sqlite_code;
    const char *text = sqlite3_errstr(sqlite_code);
    if (db_code_is_full(sqlite_code))
        text = "the disk is full";
    else if ((sqlite_code & 0xff) == SQLITE_INTERRUPT)
        text = "the deadline has passed";
    else if (db->handle && sqlite3_extended_errcode(db->handle) == sqlite_code)
        text = sqlite3_errmsg(db->handle);
    return fault_set(fault, code, "%s: %s", what, text);
}
