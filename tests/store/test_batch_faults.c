/*
 * What the disk and the allocator do to a group commit: the write-ahead log's
 * writes fail, in the middle of a request or at COMMIT, and the n-th
 * allocation fails, for every n. Whoever is told OK is in the database, whoever
 * is told no is not, and one failure fails one request at most.
 */
#include "store_case.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* NEW.age says what happens when the row is inserted. */
enum {
    WAIT = -1,      /* until the test has filled the queue */
    FAIL_FULL = -2, /* the log's next write finds no room */
    FAIL_IO = -3,   /* the log's next write fails */
    FAIL_NOMEM = -4 /* the n-th allocation from here fails */
};

static sem_t entered, leave;

/* ---- the log's writes ---- */

static sqlite3_vfs *real_vfs, failing_vfs;
static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods methods;
static int next_write; /* of the writer thread only, once the store is open */

static int write_log(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    int rc = next_write;
    next_write = SQLITE_OK;
    return rc != SQLITE_OK ? rc : real_methods->xWrite(file, bytes, n, at);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        real_methods = file->pMethods;
        methods = *real_methods;
        methods.xWrite = write_log;
        file->pMethods = &methods;
    }
    return rc;
}

/* ---- allocations ---- */

static sqlite3_mem_methods real_memory;
static __thread unsigned allocations_left; /* 0: none fails */
static volatile unsigned fail_at;
static volatile bool memory_failed;

static bool fails_now(void)
{
    if (allocations_left == 0 || --allocations_left > 0)
        return false;
    memory_failed = true;
    return true;
}

static void *failing_malloc(int size)
{
    return fails_now() ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *memory, int size)
{
    return fails_now() ? NULL : real_memory.xRealloc(memory, size);
}

/* ---- the function that a trigger calls ---- */

static void hero_fault(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    /* A small cache: a request of some size goes to the log before COMMIT. */
    sqlite3_exec(sqlite3_context_db_handle(context), "PRAGMA cache_size=5", NULL, NULL, NULL);
    switch (sqlite3_value_int(argv[0])) {
    case WAIT:
        sem_post(&entered);
        sem_wait(&leave);
        break;
    case FAIL_FULL:
        next_write = SQLITE_FULL;
        break;
    case FAIL_IO:
        next_write = SQLITE_IOERR_WRITE;
        break;
    case FAIL_NOMEM:
        allocations_left = fail_at;
        fail_at = 0; /* once: who runs again finds memory */
        break;
    }
}

static int add_function(sqlite3 *db, const char **error, const void *api)
{
    (void)error;
    (void)api;
    return sqlite3_create_function(db, "hero_fault", 1, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL,
                                   hero_fault, NULL, NULL);
}

static int setup(void **state)
{
    sem_init(&entered, 0, 0);
    sem_init(&leave, 0, 0);
    next_write = SQLITE_OK;
    if (store_case_setup(state) != 0)
        return -1;
    store_case_sql(*state, "CREATE TRIGGER fault AFTER INSERT ON hero WHEN NEW.age < 0 "
                           "BEGIN SELECT hero_fault(NEW.age); END");
    return 0;
}

static Hero__V1__Mutation *hero(struct store_case *c, const char *name, int age)
{
    char fields[96];
    snprintf(fields, sizeof(fields), "name=%s;secret_name=s;age=%d", name, age);
    return case_create_one(c, "hero", fields);
}

/* A fault, then more than the cache holds. */
static Hero__V1__Mutation *large(struct store_case *c, int age)
{
    static char text[200000];
    char first[96];
    strcpy(text, "name=culprit;secret_name=");
    memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
    const struct graph_spec records[] = {{"hero", first, 0}, {"hero", text, 0}};
    snprintf(first, sizeof(first), "name=culprit;secret_name=s;age=%d", age);
    return case_create(c, records, 2, NULL, 0);
}

static int64_t count(struct store_case *c, const char *name)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM hero WHERE name = '%s'", name);
    return store_case_sql(c, sql);
}

#define BATCH 3
struct batch {
    struct pending all[BATCH];
    Code codes[BATCH];
};

/* Three requests of one client in one transaction; the second is the culprit's. */
static void run(struct store_case *c, struct batch *batch, Hero__V1__Mutation *culprit,
                const uint8_t id[16], uint64_t seq)
{
    struct pending holder;
    Hero__V1__Mutation *all[BATCH] = {hero(c, "before", 1), culprit, hero(c, "after", 2)};
    case_submit(c, &holder, hero(c, "holder", WAIT));
    sem_wait(&entered);
    for (unsigned i = 0; i < BATCH; i++)
        case_submit_as(c, &batch->all[i], &all[i], 1, id, seq + i, 1);
    sem_post(&leave);
    assert_int_equal(case_wait(&holder), HERO__V1__CODE__OK);
    case_done(&holder);
    for (unsigned i = 0; i < BATCH; i++)
        batch->codes[i] = case_wait(&batch->all[i]);
}

static void batch_done(struct batch *batch)
{
    for (unsigned i = 0; i < BATCH; i++)
        case_done(&batch->all[i]);
}

static void client_id(uint8_t id[16])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000;
    memset(id, 0xab, 16);
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = 0x7a;
    id[8] = 0x8b;
}

static void check(struct store_case *c, Hero__V1__Mutation *culprit, Code expected)
{
    uint8_t id[16];
    struct batch batch;
    struct pending again;
    Hero__V1__Mutation *before = hero(c, "before", 1);
    client_id(id);
    run(c, &batch, culprit, id, 1);
    assert_int_equal(batch.codes[0], HERO__V1__CODE__OK);
    assert_int_equal(batch.codes[1], expected);
    assert_int_equal(batch.codes[2], HERO__V1__CODE__OK);
    assert_int_equal(batch.all[2].write.number, batch.all[0].write.number + 1);
    assert_int_equal(store_commit_number(c->store), batch.all[2].write.number);
    assert_true(store_writable(c->store)); /* a later success clears it */
    /* Each is once in the database, and its answer is kept once. */
    assert_int_equal(count(c, "before") + count(c, "after"), 2);
    assert_int_equal(count(c, "culprit"), 0);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 2);
    case_submit_as(c, &again, &before, 1, id, 1, 1);
    assert_int_equal(case_wait(&again), HERO__V1__CODE__OK);
    assert_int_equal(again.write.number, batch.all[0].write.number);
    assert_int_equal(count(c, "before"), 1);
    case_done(&again);
    batch_done(&batch);
}

static void test_full_in_the_middle(void **state)
{
    check(*state, large(*state, FAIL_FULL), HERO__V1__CODE__RESOURCE_EXHAUSTED);
}

static void test_io_error_in_the_middle(void **state)
{
    check(*state, large(*state, FAIL_IO), HERO__V1__CODE__DATA_LOSS);
}

/* The COMMIT of all finds no room: all run again, and only who needs the room fails. */
static void test_full_at_commit(void **state)
{
    check(*state, hero(*state, "culprit", FAIL_FULL), HERO__V1__CODE__RESOURCE_EXHAUSTED);
}

/* While the disk is full reads go on; the first write that fits ends it. */
static void test_full_is_told(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    assert_int_equal(case_run(c, &pending, hero(c, "culprit", FAIL_FULL)),
                     HERO__V1__CODE__RESOURCE_EXHAUSTED);
    assert_non_null(strstr(pending.write.fault.message, "full"));
    case_done(&pending);
    assert_false(store_writable(c->store));
    assert_int_equal(count(c, "culprit"), 0);
    assert_int_equal(case_run(c, &pending, hero(c, "fits", 1)), HERO__V1__CODE__OK);
    case_done(&pending);
    assert_true(store_writable(c->store));
}

/* Memory that ends anywhere: in the culprit, behind it, or in the COMMIT. */
static void test_every_allocation(void **state)
{
    struct store_case *c = *state;
    uint8_t id[16];
    uint64_t seq = 1;
    static const char *const names[BATCH] = {"before", "culprit", "after"};
    static const int64_t rows[BATCH] = {1, 2, 1};
    int64_t expected[BATCH] = {0, 0, 0};
    unsigned n_failed = 0, n_told = 0;
    client_id(id);
    for (unsigned nth = 1; nth < 1000; nth += nth < 60 ? 1 : 7) {
        struct batch batch;
        unsigned told = 0;
        fail_at = nth;
        memory_failed = false;
        run(c, &batch, large(c, FAIL_NOMEM), id, seq);
        seq += BATCH;
        for (unsigned i = 0; i < BATCH; i++) {
            told += batch.codes[i] != HERO__V1__CODE__OK;
            if (batch.codes[i] == HERO__V1__CODE__OK)
                expected[i] += rows[i];
            else
                assert_int_equal(batch.codes[i], HERO__V1__CODE__RESOURCE_EXHAUSTED);
        }
        batch_done(&batch);
        assert_in_range(told, 0, memory_failed ? 1 : 0);
        for (unsigned i = 0; i < BATCH; i++)
            assert_int_equal(count(c, names[i]), expected[i]);
        n_failed += memory_failed;
        n_told += told;
        if (!memory_failed)
            break;
    }
    assert_in_range(n_failed, 5, 1000);
    assert_in_range(n_told, 1, n_failed);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM pragma_integrity_check WHERE "
                                       "integrity_check <> 'ok'"),
                     0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full_in_the_middle), TEST(test_io_error_in_the_middle), TEST(test_full_at_commit),
        TEST(test_full_is_told),       TEST(test_every_allocation),
    };
    /* Before SQLite starts: its allocator can't be changed later. */
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods failing = real_memory;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.xOpen = open_file;
    sqlite3_vfs_register(&failing_vfs, 1);
    sqlite3_auto_extension((void (*)(void))add_function);
    return cmocka_run_group_tests_name("batch faults", tests, NULL, NULL);
}
