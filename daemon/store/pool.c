/*
 * The pool of reader connections: opened once with the store, lent to one
 * thread at a time.
 *
 * Knows connections, not what is read with them.
 */
#include <stdlib.h>
#include <errno.h>
#include <time.h>
#include "internal.h"
#include "moment.h"

int cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);
    if (rc != 0)
        return rc;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    rc = pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return rc;
}

Code pool_open(struct store *store, struct fault *fault)
{
    unsigned n = store->options.n_readers ? store->options.n_readers : 1;
    store->readers = calloc(n, sizeof(*store->readers));
    if (!store->readers || pthread_mutex_init(&store->pool_lock, NULL) != 0)
        goto no_memory;
    if (cond_init_monotonic(&store->pool_ready) != 0) {
        pthread_mutex_destroy(&store->pool_lock);
        goto no_memory;
    }
    store->pool_open = true;
    for (unsigned i = 0; i < n; i++) {
        struct db *db = &store->readers[i];
        Code code = db_open(db, store->file.path, false, store->options.busy_timeout_ms, fault);
        if (code == HERO__V1__CODE__OK)
            code = key_table_register(db, fault);
        store->n_readers++; /* a closed one is closed again without harm */
        if (code != HERO__V1__CODE__OK)
            return code;
        db->next = store->idle;
        store->idle = db;
    }
    return HERO__V1__CODE__OK;

no_memory:
    free(store->readers);
    store->readers = NULL;
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
}

void pool_close(struct store *store)
{
    if (!store->pool_open)
        return;
    for (unsigned i = 0; i < store->n_readers; i++)
        db_close(&store->readers[i]);
    free(store->readers);
    store->readers = store->idle = NULL;
    store->n_readers = 0;
    pthread_cond_destroy(&store->pool_ready);
    pthread_mutex_destroy(&store->pool_lock);
    store->pool_open = false;
}

static struct db *idle_one(struct store *store, int64_t deadline_ns)
{
    pthread_mutex_lock(&store->pool_lock);
    while (!store->idle) {
        int rc = 0;
        if (deadline_ns == 0) {
            pthread_cond_wait(&store->pool_ready, &store->pool_lock);
        } else {
            struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
            rc = pthread_cond_timedwait(&store->pool_ready, &store->pool_lock, &until);
        }
        if (rc == ETIMEDOUT && !store->idle) {
            pthread_mutex_unlock(&store->pool_lock);
            return NULL;
        }
    }
    struct db *db = store->idle; /* the last one given back: its cache is warm */
    store->idle = db->next;
    pthread_mutex_unlock(&store->pool_lock);
    return db;
}

Code pool_take(struct store *store, const struct store_read *read, struct db **ret_db,
               struct fault *fault)
{
    struct db *db = idle_one(store, read->deadline_ns);
    if (!db)
        return fault_set(fault, HERO__V1__CODE__DEADLINE_EXCEEDED,
                         "no connection was free before the deadline");
    unsigned generation = atomic_load(&store->generation);
    if (db->generation != generation) {
        db_forget_statements(db);
        db->generation = generation;
    }
    db->next = NULL;
    db->last_error = SQLITE_OK;
    Code code = moment_begin(db, fault);
    db->deadline_ns = read->deadline_ns;
    db->echo = read->echo;
    if (code == HERO__V1__CODE__OK && atomic_load(&store->epoch) != read->models->epoch)
        code = fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "the models changed while the read was on its way; fetch the models and "
                         "read again");
    if (code == HERO__V1__CODE__OK)
        *ret_db = db;
    else
        pool_give(store, db);
    return code;
}

void pool_give(struct store *store, struct db *db)
{
    /* Cleaning up is short and must not be interrupted or told. */
    db->deadline_ns = 0;
    db->echo = NULL;
    if (db->last_error != SQLITE_OK)
        moment_end(db);
    bool held = db_in_transaction(db);
    pthread_mutex_lock(&store->pool_lock);
    db->next = store->idle;
    store->idle = db;
    pthread_cond_signal(&store->pool_ready);
    pthread_mutex_unlock(&store->pool_lock);
    if (held && !atomic_exchange(&store->moments_held, true))
        writer_wake(store);
}

void pool_end_moments(struct store *store)
{
    if (!atomic_exchange(&store->moments_held, false))
        return;
    pthread_mutex_lock(&store->pool_lock);
    for (struct db *db = store->idle; db; db = db->next)
        moment_end(db);
    pthread_mutex_unlock(&store->pool_lock);
}
