/*
 * What the files of the store share: the store itself and its reader pool.
 * Not for the outside.
 */
#ifndef HERO_STORE_INTERNAL_H
#define HERO_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "db.h"
#include "file.h"
#include "store.h"

struct writer; /* writer.c */

/* Most memory that reading models and shapes of tables takes at the start. */
#define SCHEMA_ARENA_BYTES (64u * 1024 * 1024)

struct store {
    struct store_options options;
    struct file file; /* path and lifetime lock */

    pthread_mutex_t models_lock; /* guards the pointer; the models are immutable */
    struct models *models;

    pthread_mutex_t pool_lock; /* pool.c: idle reader connections */
    pthread_cond_t pool_ready;
    struct db *idle;
    struct db *readers;
    unsigned n_readers;
    bool pool_open;
    atomic_bool moments_held; /* idle readers have transactions open (moment.h) */
    atomic_uint generation;   /* grows with each change of the schema: readers forget statements */
    atomic_uint epoch;        /* grows before tables that are there change (models.epoch) */

    struct db write_db;         /* the writer thread's, and store_open's before it starts */
    struct arena write_scratch; /* the writer's: the text of one statement at a time */
    struct writer *writer;
    atomic_ullong commit_number;
    atomic_bool disk_full;
};

/* CLOCK_MONOTONIC, as all deadlines are. */
static inline int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* echo.c: one statement more; counts it where the arena is exhausted. */
void echo_add(struct echo *echo, const char *sql, uint64_t time_us);

/* key_table.c: makes _hero_keys known to a connection. */
MUST_CHECK Code key_table_register(struct db *db, struct fault *fault);

MUST_CHECK Code pool_open(struct store *store, struct fault *fault);
void pool_close(struct store *store);
/* pool.c: a reader connection, in a transaction that sees all that was
 * committed before (moment.h); waits for one until the read's deadline. */
MUST_CHECK Code pool_take(struct store *store, const struct store_read *read, struct db **ret_db,
                          struct fault *fault);
/* Its transaction stays open for the next read, where it has one. */
void pool_give(struct store *store, struct db *db);
/* Ends the transactions of all idle readers: they would hold the log back. */
void pool_end_moments(struct store *store);
/* pool.c: a condition whose deadlines are CLOCK_MONOTONIC's. */
int cond_init_monotonic(pthread_cond_t *cond);

/* store.c: what is served from now on (takes the reference). */
void store_set_models(struct store *store, struct models *models);

/* writer.c */
MUST_CHECK Code writer_start(struct store *store, struct fault *fault);
void writer_stop(struct store *store); /* finishes the queue, joins the thread */
/* Readers hold moments: the writer, which has time, ends them when they are idle. */
void writer_wake(struct store *store);

/* store.c: which kind of trouble one of SQLite's codes is at the start. */
enum store_trouble store_trouble_of(int sqlite_code);

/* apply.c: on the writer thread, outside any transaction. Leaves answer or
 * fault in the change; the writer calls its done. */
void apply_change(struct store *store, struct store_change *change);
/* history.c: the set that was served as that version, with what its models are
 * called now, so that it can be applied. In the arena; NOT_FOUND. */
MUST_CHECK Code history_set_back(struct db *db, uint64_t version, struct arena *arena,
                                 ProtobufCBinaryData *ret_set, struct fault *fault);
/* load.c: at open: creates or upgrades _hero_* tables, loads the applied set. */
MUST_CHECK Code apply_load(struct store *store, enum store_trouble *ret_trouble,
                           struct fault *fault);

/* commit.c: executes one write on the writer's connection, inside a
 * transaction that the writer began; leaves answer or fault. Doesn't commit. */
MUST_CHECK Code commit_execute(struct store *store, struct store_write *write);

#endif
