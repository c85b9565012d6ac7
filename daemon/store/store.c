/*
 * The store: opens and closes the database as a whole, and what is asked of it
 * that is neither a read of records nor a write.
 *
 * The order of opening is what keeps a file that is refused untouched: lock,
 * looks, a connection that only reads, the checks; then WAL mode, our own
 * tables, the models, the readers and last the writer.
 */
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "meta.h"
#include "names.h"

/* quick_check reads the whole file (about 1 GB/s from the cache): always for
 * small files, after an unclean end for larger ones, too; past that the start
 * would take too long, and the schema and our own tables must do. */
#define CHECK_ALWAYS_BYTES (16u * 1024 * 1024)
#define CHECK_UNCLEAN_BYTES (1024u * 1024 * 1024)
/* All of SQLite's memory. A statement that wants more fails by itself. */
#define HEAP_LIMIT_BYTES (512ll * 1024 * 1024)

enum store_trouble store_trouble_of(int sqlite_code)
{
    if (db_code_is_full(sqlite_code))
        return STORE_TROUBLE_OPEN;
    switch (sqlite_code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return STORE_TROUBLE_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return STORE_TROUBLE_LOCKED;
    case SQLITE_NOMEM:
        return STORE_TROUBLE_MEMORY;
    case SQLITE_IOERR:
        return sqlite_code == SQLITE_IOERR_NOMEM ? STORE_TROUBLE_MEMORY : STORE_TROUBLE_IO;
    default:
        return STORE_TROUBLE_OPEN;
    }
}

static const char *remedy(int sqlite_code)
{
    if (db_code_is_full(sqlite_code))
        return "make room on its disk";
    switch (store_trouble_of(sqlite_code)) {
    case STORE_TROUBLE_CORRUPT:
        return "the file is damaged: restore a copy of it";
    case STORE_TROUBLE_LOCKED:
        return "another process has locked it: end that one first";
    case STORE_TROUBLE_IO:
        return "look at the kernel's log for errors of the disk";
    case STORE_TROUBLE_MEMORY:
        return "give herod more memory";
    case STORE_TROUBLE_NONE:
    case STORE_TROUBLE_OPEN:
    case STORE_TROUBLE_NEWER:
        return "look at the permissions of the file and of its directory";
    }
    return "";
}

/* One line with path and remedy, from what SQLite said. */
static Code explain(struct store *store, int sqlite_code, Code code,
                    enum store_trouble *ret_trouble, struct fault *fault)
{
    struct fault said = *fault;
    *fault = (struct fault)FAULT_INIT;
    if (sqlite_code != SQLITE_OK) {
        *ret_trouble = store_trouble_of(sqlite_code);
        fault_set(fault, code, "%s: %s; %s", store->file.path, said.message ? said.message : "",
                  remedy(sqlite_code));
    } else {
        fault_set(fault, code, "%s: %s", store->file.path, said.message ? said.message : "");
    }
    fault_done(&said);
    return code;
}

/* ---- checks before anything is written ---- */

static Code check_format(struct store *store, enum store_trouble *ret_trouble, struct fault *fault)
{
    int64_t format = 0;
    Code code = meta_format(&store->write_db, &format, fault);
    if (code == HERO__V1__CODE__DATA_LOSS)
        *ret_trouble = STORE_TROUBLE_CORRUPT;
    if (code != HERO__V1__CODE__OK || format <= META_FORMAT)
        return code;
    *ret_trouble = STORE_TROUBLE_NEWER;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "it was written by a newer Hero (format %lld, this one knows %d); update "
                     "herod",
                     (long long)format, META_FORMAT);
}

/* Rows that break a rule of their table are the owner's matter, no damage; and
 * SQLite 3.40 finds NULLs where none are (WITHOUT ROWID, key in another order). */
static bool is_damage(const char *text)
{
    return strcmp(text, "ok") != 0 && strncmp(text, "NULL value in ", 14) != 0 &&
           strncmp(text, "CHECK constraint failed in ", 27) != 0;
}

static Code quick_check(struct store *store, enum store_trouble *ret_trouble, struct fault *fault)
{
    struct db *db = &store->write_db;
    bool unclean = store->file.wal_size > 0;
    uint64_t size = store->file.size + store->file.wal_size;
    if (size > (unclean ? CHECK_UNCLEAN_BYTES : CHECK_ALWAYS_BYTES))
        return HERO__V1__CODE__OK;
    sqlite3_stmt *stmt = db_prepare(db, "PRAGMA quick_check(100000000)", fault);
    if (!stmt)
        return fault->code;
    Code code = HERO__V1__CODE__OK;
    const char *text = "ok";
    int rc;
    while ((rc = db_step(db, stmt)) == SQLITE_ROW) {
        text = (const char *)sqlite3_column_text(stmt, 0);
        if (text && is_damage(text))
            break;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        code = db_fault(db, rc, fault, "checking the database");
    } else if (rc == SQLITE_ROW) {
        *ret_trouble = STORE_TROUBLE_CORRUPT;
        code = fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                         "the database is damaged (%.200s); restore a copy of it", text);
        for (char *c = fault->message; c && *c; c++) /* one line */
            *c = *c == '\n' ? ' ' : *c;
    }
    db_release(db, stmt);
    return code;
}

/* SQLite opens what it may not write for reading only, and says nothing. */
static Code check_writable(struct store *store, struct fault *fault)
{
    if (sqlite3_db_readonly(store->write_db.handle, "main") != 1)
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "it can only be read; herod needs to write it");
}

/* A refused file keeps its write-ahead log: closing must not work it in. */
static void keep_wal(struct store *store, bool keep)
{
    sqlite3_db_config(store->write_db.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, NULL);
}

static Code check_untouched(struct store *store, enum store_trouble *ret_trouble,
                            struct fault *fault)
{
    struct db *db = &store->write_db;
    Code code =
        db_open_untouched(db, store->file.path, true, store->options.busy_timeout_ms, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    keep_wal(store, store->file.wal_size > 0);
    code = check_writable(store, fault);
    if (code == HERO__V1__CODE__OK)
        code = check_format(store, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = quick_check(store, ret_trouble, fault);
    return code;
}

/* ---- opening ---- */

static Code open_connections(struct store *store, enum store_trouble *ret_trouble,
                             struct fault *fault)
{
    struct db *db = &store->write_db;
    Code code = check_untouched(store, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = db_settle(db, true, fault);
    if (code == HERO__V1__CODE__OK)
        code = key_table_register(db, fault);
    if (code == HERO__V1__CODE__OK)
        code = apply_load(store, ret_trouble, fault);
    if (code == HERO__V1__CODE__OK)
        code = pool_open(store, fault);
    if (code == HERO__V1__CODE__OK)
        keep_wal(store, false);
    return code;
}

static void close_connections(struct store *store)
{
    pool_close(store);
    db_close(&store->write_db);
}

static int last_error(const struct store *store)
{
    int error = store->write_db.last_error;
    for (unsigned i = 0; error == SQLITE_OK && i < store->n_readers; i++)
        error = store->readers[i].last_error;
    return error;
}

/* With the lock held. A full disk is waited out as long as the caller likes. */
static Code open_database(struct store *store, enum store_trouble *ret_trouble, struct fault *fault)
{
    for (;;) {
        *ret_trouble = STORE_TROUBLE_OPEN;
        Code code = open_connections(store, ret_trouble, fault);
        if (code == HERO__V1__CODE__OK)
            return code;
        int error = last_error(store);
        explain(store, error, code, ret_trouble, fault);
        close_connections(store);
        if (!db_code_is_full(error) || !store->options.on_disk_full ||
            !store->options.on_disk_full(store->options.fatal_arg, fault->message))
            return code;
        fault_done(fault);
    }
}

static void store_free(struct store *store)
{
    models_unref(store->models);
    pthread_mutex_destroy(&store->models_lock);
    file_release(&store->file);
    free(store);
}

static struct store *store_new(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->options = *options;
    if (store->options.n_readers == 0)
        store->options.n_readers = 1;
    store->file.lock_fd = -1;
    if (pthread_mutex_init(&store->models_lock, NULL) != 0) {
        free(store);
        return NULL;
    }
    return store;
}

Code store_open(const struct store_options *options, struct store **ret_store,
                enum store_trouble *ret_trouble, struct fault *fault)
{
    struct fault own = FAULT_INIT;
    enum store_trouble trouble = STORE_TROUBLE_MEMORY;
    struct store *store = store_new(options);
    Code code = HERO__V1__CODE__RESOURCE_EXHAUSTED;
    if (!store) {
        fault_set(&own, code, "out of memory");
        goto out;
    }
    sqlite3_hard_heap_limit64(HEAP_LIMIT_BYTES);
    code = file_claim(&store->file, options->path, &trouble, &own);
    if (code == HERO__V1__CODE__OK) {
        store->options.path = store->file.path;
        code = open_database(store, &trouble, &own);
    }
    if (code == HERO__V1__CODE__OK) {
        trouble = STORE_TROUBLE_MEMORY; /* what else keeps a thread from starting */
        code = writer_start(store, &own);
        if (code != HERO__V1__CODE__OK)
            close_connections(store);
    }
out:
    if (code == HERO__V1__CODE__OK) {
        *ret_trouble = STORE_TROUBLE_NONE;
        *ret_store = store;
        return code;
    }
    *ret_trouble = trouble;
    fault_set(fault, code, "%s", own.message ? own.message : "the store could not be opened");
    fault_done(&own);
    if (store)
        store_free(store);
    return code;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    writer_stop(store);
    pool_close(store);
    /* What cannot be worked in now (another process reads) stays in the log. */
    sqlite3_exec(store->write_db.handle, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    db_close(&store->write_db);
    store_free(store);
}

/* ---- what is served ---- */

struct models *store_models(struct store *store)
{
    pthread_mutex_lock(&store->models_lock);
    struct models *models = models_ref(store->models);
    pthread_mutex_unlock(&store->models_lock);
    return models;
}

void store_set_models(struct store *store, struct models *models)
{
    pthread_mutex_lock(&store->models_lock);
    struct models *before = store->models;
    store->models = models;
    pthread_mutex_unlock(&store->models_lock);
    models_unref(before);
}

uint64_t store_commit_number(struct store *store)
{
    return atomic_load(&store->commit_number);
}

bool store_writable(struct store *store)
{
    return !atomic_load(&store->disk_full);
}

static Code count_table(struct db *db, const struct model *model, struct arena *arena,
                        uint64_t *ret_rows, struct fault *fault)
{
    const char *table = name_quoted(arena, model->table);
    const char *sql = table ? arena_printf(arena, "SELECT count(*) FROM %s", table) : NULL;
    if (!sql)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory left");
    sqlite3_stmt *stmt = db_prepare(db, sql, fault);
    if (!stmt)
        return fault->code;
    Code code = HERO__V1__CODE__OK;
    int rc = db_step(db, stmt);
    if (rc == SQLITE_ROW)
        *ret_rows = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        code = db_fault(db, rc, fault, "counting rows");
    db_release(db, stmt);
    return code;
}

Code store_count_rows(struct store *store, struct store_read *read, uint64_t *ret_rows,
                      struct fault *fault)
{
    struct fault own = FAULT_INIT;
    struct db *db;
    Code code = pool_take(store, read, &db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < read->models->n_models && code == HERO__V1__CODE__OK; i++)
        code = count_table(db, &read->models->models[i], read->arena, &ret_rows[i], &own);
    pool_give(store, db);
    if (code != HERO__V1__CODE__OK)
        fault_set(fault, code, "%s", own.message ? own.message : "counting rows");
    fault_done(&own);
    return code;
}
