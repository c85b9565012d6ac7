/*
 * The writer: one thread, the queue, group commit.
 *
 * Whoever waits while an fsync runs goes into the next transaction; a lone
 * write never waits. One request never takes others down: each runs in a
 * savepoint, and where an error ends the whole transaction, or the COMMIT
 * fails, the others run again, each in a transaction of its own. Nothing is
 * told before COMMIT returned. Knows queues and transactions, not mutations.
 */
#include <errno.h>
#include <stdlib.h>
#include "meta.h"
#include "write.h"

/* More would make the first of a batch wait too long for the last. */
#define BATCH_MAX 512
/* A statement of a model with a thousand columns of long names fits. */
#define STATEMENT_ARENA_BYTES (4u << 20)
/* How long readers keep the moment they saw last (moment.h) when nobody writes. */
#define MOMENT_MS 100
#define PURGE_EVERY 64 /* batches: fewer than the clients that a round looks at */

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct store_write *first, **last;
    struct store_change *first_change, **last_change;
    bool stopping;
    unsigned n_batches;
    uint64_t number; /* of the last write in the open transaction that changed something */
    struct request_cache *cache;
};

struct request_cache *writer_request_cache(struct store *store)
{
    return store->writer->cache;
}

/* ---- the queue ---- */

void store_submit(struct store *store, struct store_write *write)
{
    struct writer *writer = store->writer;
    write->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->last = write;
    writer->last = &write->next;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void store_submit_change(struct store *store, struct store_change *change)
{
    struct writer *writer = store->writer;
    change->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->last_change = change;
    writer->last_change = &change->next;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void writer_wake(struct store *store)
{
    struct writer *writer = store->writer;
    pthread_mutex_lock(&writer->lock);
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

/* With the lock held. Idle readers' moments end here: others that use the
 * file shall find its log free. */
static void wait_for_work(struct store *store)
{
    struct writer *writer = store->writer;
    while (!writer->first && !writer->first_change && !writer->stopping) {
        if (!atomic_load(&store->moments_held)) {
            pthread_cond_wait(&writer->wake, &writer->lock);
            continue;
        }
        int64_t end_ns = monotonic_ns() + MOMENT_MS * INT64_C(1000000);
        struct timespec until = {end_ns / 1000000000, end_ns % 1000000000};
        if (pthread_cond_timedwait(&writer->wake, &writer->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&writer->lock);
        pool_end_moments(store);
        pthread_mutex_lock(&writer->lock);
    }
}

/* Takes what waits: writes up to a batch, or else one change. Returns false at the end. */
static bool take(struct store *store, struct store_write **ret_batch,
                 struct store_change **ret_change)
{
    struct writer *writer = store->writer;
    *ret_batch = NULL;
    *ret_change = NULL;
    pthread_mutex_lock(&writer->lock);
    wait_for_work(store);
    struct store_write **end = &writer->first;
    for (unsigned n = 0; *end && n < BATCH_MAX; n++)
        end = &(*end)->next;
    if (writer->first) {
        *ret_batch = writer->first;
        writer->first = *end;
        *end = NULL;
        if (!writer->first)
            writer->last = &writer->first;
    }
    if (writer->first_change) {
        *ret_change = writer->first_change;
        writer->first_change = (*ret_change)->next;
        if (!writer->first_change)
            writer->last_change = &writer->first_change;
    }
    pthread_mutex_unlock(&writer->lock);
    return *ret_batch || *ret_change;
}

/* ---- transactions ---- */

/* BEGIN and COMMIT are every write's of the batch: their echo is, too. */
static Code run_for_all(struct store *store, const char *sql, struct store_write *batch,
                        struct fault *fault)
{
    int64_t started = monotonic_ns();
    store->write_db.echo = NULL;
    Code code = db_run(&store->write_db, sql, fault);
    uint64_t us = (uint64_t)(monotonic_ns() - started) / 1000;
    for (struct store_write *write = batch; write; write = write->next)
        if (write->echo)
            echo_add(write->echo, sql, us);
    return code;
}

static void rollback(struct store *store)
{
    struct fault ignored = FAULT_INIT;
    if (db_in_transaction(&store->write_db))
        (void)!db_run(&store->write_db, "ROLLBACK", &ignored);
    fault_done(&ignored);
}

static void note_full(struct store *store, Code code)
{
    if (code == HERO__V1__CODE__RESOURCE_EXHAUSTED && db_code_is_full(store->write_db.last_error))
        atomic_store(&store->disk_full, true);
}

static void copy_fault(struct fault *to, const struct fault *from)
{
    fault_set(to, from->code, "%s", from->message ? from->message : "the commit failed");
}

/* A transaction that can't begin: usually another process holds the lock. */
static void fail_all(struct store *store, struct store_write *batch, const struct fault *fault)
{
    for (struct store_write *write = batch; write; write = write->next) {
        request_undo(store, write);
        fault_done(&write->fault);
        if (fault->code == HERO__V1__CODE__UNAVAILABLE)
            fault_set(&write->fault, fault->code,
                      "another process holds the database's write lock for longer than %u ms; try "
                      "again (%s)",
                      store->options.busy_timeout_ms, fault->message ? fault->message : "");
        else
            copy_fault(&write->fault, fault);
    }
}

/* SQLite's count of foreign keys that are open until COMMIT: one that is left
 * would fail the COMMIT of all. */
static bool has_open_foreign_keys(struct store *store)
{
    int now = 0, most = 0;
    return sqlite3_db_status(store->write_db.handle, SQLITE_DBSTATUS_DEFERRED_FKS, &now, &most,
                             0) == SQLITE_OK &&
           now != 0;
}

/* Tells the owner, who ends the process: no outcome that isn't known may be told. */
static void end(struct store *store, enum store_trouble trouble, const struct fault *fault)
{
    if (store->options.on_fatal)
        store->options.on_fatal(store->options.fatal_arg, trouble,
                                fault->message ? fault->message : "the database failed");
    abort(); /* it must not have returned */
}

static void check_damage(struct store *store, const struct fault *fault)
{
    int error = store->write_db.last_error & 0xff;
    if (error == SQLITE_CORRUPT || error == SQLITE_NOTADB)
        end(store, STORE_TROUBLE_CORRUPT, fault);
}

/* A COMMIT that fails with an I/O error, be it the last to reach the disk or
 * the first in the index of the log, may be in the file after a restart. */
static void check_commit(struct store *store, const struct fault *fault)
{
    if ((store->write_db.last_error & 0xff) == SQLITE_IOERR)
        end(store, STORE_TROUBLE_IO, fault);
    check_damage(store, fault);
}

static Code execute(struct store *store, struct store_write *write)
{
    store->write_db.echo = write->echo;
    store->write_db.last_error = SQLITE_OK;
    write->number = store->writer->number + 1;
    write->settled = false;
    Code code = commit_execute(store, write);
    if (code == HERO__V1__CODE__OK && has_open_foreign_keys(store))
        code = fault_set(&write->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "the commit leaves a foreign key that points nowhere");
    store->write_db.echo = NULL;
    if (code != HERO__V1__CODE__OK) {
        note_full(store, code);
        request_undo(store, write);
        check_damage(store, &write->fault);
    } else if (!write->settled && !write->validate_only) { /* else it is of no new commit */
        store->writer->number++;
    }
    return code;
}

/* One write of several. false: the transaction is gone, and with it what
 * others did in it. */
static bool execute_in_savepoint(struct store *store, struct store_write *write)
{
    struct db *db = &store->write_db;
    struct fault ignored = FAULT_INIT;
    Code code = db_run(db, "SAVEPOINT request", &write->fault);
    if (code == HERO__V1__CODE__OK)
        code = execute(store, write);
    if (!db_in_transaction(db))
        return false;
    if (code != HERO__V1__CODE__OK || write->validate_only) {
        /* Where even this fails, nothing of the batch can be trusted to stand apart. */
        if (db_run(db, "ROLLBACK TO request", &ignored) != HERO__V1__CODE__OK ||
            db_run(db, "RELEASE request", &ignored) != HERO__V1__CODE__OK)
            rollback(store);
        fault_done(&ignored);
        return db_in_transaction(db);
    }
    if (db_run(db, "RELEASE request", &write->fault) != HERO__V1__CODE__OK) {
        rollback(store);
        return false;
    }
    return true;
}

static Code begin(struct store *store, struct store_write *batch, struct fault *fault)
{
    store->write_db.last_error = SQLITE_OK;
    Code code = run_for_all(store, "BEGIN IMMEDIATE", batch, fault);
    store->writer->number = atomic_load(&store->commit_number);
    if (code != HERO__V1__CODE__OK) {
        note_full(store, code);
        fail_all(store, batch, fault);
    }
    return code;
}

static Code commit_batch(struct store *store, struct store_write *batch, struct fault *fault)
{
    uint64_t number = store->writer->number;
    if (number == atomic_load(&store->commit_number)) {
        rollback(store); /* all were refused, or answered from before: there is nothing to sync */
        return HERO__V1__CODE__OK;
    }
    store->write_db.last_error = SQLITE_OK; /* those of single requests are told already */
    Code code = meta_put(&store->write_db, "commit_number", (int64_t)number, fault);
    if (code == HERO__V1__CODE__OK) {
        code = run_for_all(store, "COMMIT", batch, fault);
        if (code != HERO__V1__CODE__OK)
            check_commit(store, fault);
    }
    if (code == HERO__V1__CODE__OK) {
        atomic_store(&store->commit_number, number);
        atomic_store(&store->disk_full, false);
        return code;
    }
    check_damage(store, fault);
    note_full(store, code);
    rollback(store);
    return code;
}

static void forget_result(struct store *store, struct store_write *write)
{
    request_undo(store, write);
    fault_done(&write->fault);
    write->answer = (ProtobufCBinaryData){0, NULL};
}

/* One write in a transaction of its own; needs no savepoint. OK, or what kept
 * the transaction from beginning. */
static Code run_alone(struct store *store, struct store_write *write)
{
    struct store_write *others = write->next;
    struct fault fault = FAULT_INIT;
    write->next = NULL;
    forget_result(store, write);
    Code begun = begin(store, write, &fault);
    if (begun == HERO__V1__CODE__OK) {
        if (execute(store, write) != HERO__V1__CODE__OK)
            rollback(store);
        else if (commit_batch(store, write, &fault) != HERO__V1__CODE__OK)
            fail_all(store, write, &fault);
    }
    fault_done(&fault);
    write->next = others;
    return begun;
}

/* All in one transaction. false: it is gone, and all have to run again but
 * *ret_culprit, who ended it (NULL: nobody did). */
static bool run_together(struct store *store, struct store_write *batch,
                         struct store_write **ret_culprit)
{
    struct fault fault = FAULT_INIT;
    *ret_culprit = NULL;
    Code code = begin(store, batch, &fault);
    if (code != HERO__V1__CODE__OK) {
        fault_done(&fault);
        return true;
    }
    for (struct store_write *write = batch; write; write = write->next) {
        if (execute_in_savepoint(store, write))
            continue;
        rollback(store);
        *ret_culprit = write->fault.code != HERO__V1__CODE__OK ? write : NULL;
        return false;
    }
    code = commit_batch(store, batch, &fault);
    fault_done(&fault);
    return code == HERO__V1__CODE__OK;
}

static void run_batch(struct store *store, struct store_write *batch)
{
    struct store_write *culprit;
    Code begun = HERO__V1__CODE__OK;
    if (!batch->next) {
        (void)!run_alone(store, batch);
        return;
    }
    if (run_together(store, batch, &culprit))
        return;
    for (struct store_write *write = batch; write; write = write->next) {
        if (write == culprit)
            continue;
        if (begun == HERO__V1__CODE__UNAVAILABLE) { /* one wait for the lock is enough for all */
            forget_result(store, write);
            fault_set(&write->fault, begun,
                      "another process holds the database's write lock; try again");
            continue;
        }
        begun = run_alone(store, write);
    }
}

static void finish_batch(struct store_write *batch)
{
    while (batch) {
        struct store_write *next = batch->next; /* done may free the write */
        batch->done(batch);
        batch = next;
    }
}

static void *writer_main(void *arg)
{
    struct store *store = arg;
    struct writer *writer = store->writer;
    struct store_write *batch;
    struct store_change *change;
    while (take(store, &batch, &change)) {
        /* They are old after this; a COMMIT's checkpoint goes further without them. */
        pool_end_moments(store);
        if (batch) {
            run_batch(store, batch);
            finish_batch(batch);
        }
        if (change) {
            store->write_db.echo = change->echo;
            apply_change(store, change);
            store->write_db.echo = NULL;
            change->done(change);
        }
        if (++writer->n_batches % PURGE_EVERY == 0) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            request_purge(store, (int64_t)now.tv_sec * 1000);
        }
    }
    return NULL;
}

/* ---- start and stop ---- */

static void writer_free(struct store *store)
{
    struct writer *writer = store->writer;
    request_cache_free(writer->cache);
    arena_done(&store->write_scratch);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
    store->writer = NULL;
}

Code writer_start(struct store *store, struct fault *fault)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    struct timespec now;
    if (!writer)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    writer->last = &writer->first;
    writer->last_change = &writer->first_change;
    pthread_mutex_init(&writer->lock, NULL);
    cond_init_monotonic(&writer->wake);
    arena_init(&store->write_scratch, STATEMENT_ARENA_BYTES);
    writer->cache = request_cache_new();
    store->writer = writer;
    if (writer->cache) {
        clock_gettime(CLOCK_REALTIME, &now);
        request_purge(store, (int64_t)now.tv_sec * 1000);
    }
    if (!writer->cache || pthread_create(&writer->thread, NULL, writer_main, store) != 0) {
        writer_free(store);
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the writer thread could not be started");
    }
    return HERO__V1__CODE__OK;
}

void writer_stop(struct store *store)
{
    struct writer *writer = store->writer;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer_free(store);
}
