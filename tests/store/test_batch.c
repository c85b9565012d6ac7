/*
 * One request never takes others down: each failure that platform and SQLite
 * know is provoked in the middle of a real group commit, and only the culprit
 * may fail. The failures come from a trigger of the database and a function
 * that this test adds to every connection.
 */
#include "store_case.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* NEW.age says what goes wrong. */
enum {
    FAULT_WAIT = -1,
    FAULT_INTERRUPT = -2,
    FAULT_NOMEM = -3,
    FAULT_IOERR = -4,
    FAULT_NO_ROOM = -5, /* from here on the file may not grow */
    FAULT_ROLLBACK = -6
};

static sem_t entered, leave;

static void hero_fault(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    sqlite3 *db = sqlite3_context_db_handle(context);
    (void)argc;
    switch (sqlite3_value_int(argv[0])) {
    case FAULT_WAIT:
        sem_post(&entered);
        sem_wait(&leave);
        break;
    case FAULT_INTERRUPT:
        sqlite3_interrupt(db);
        break;
    case FAULT_NOMEM:
        sqlite3_result_error_nomem(context);
        break;
    case FAULT_IOERR:
        sqlite3_result_error_code(context, SQLITE_IOERR_READ);
        break;
    case FAULT_NO_ROOM:
        sqlite3_exec(db, "PRAGMA max_page_count=1", NULL, NULL, NULL);
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

static const char triggers[] =
    "CREATE TRIGGER fault_before AFTER INSERT ON hero WHEN NEW.age < 0 AND NEW.age > -6 "
    "BEGIN SELECT hero_fault(NEW.age); END;"
    "CREATE TRIGGER fault_rollback AFTER INSERT ON hero WHEN NEW.age = -6 "
    "BEGIN SELECT RAISE(ROLLBACK, 'no such hero'); END;";

static int setup(void **state)
{
    sqlite3_auto_extension((void (*)(void))add_function);
    sem_init(&entered, 0, 0);
    sem_init(&leave, 0, 0);
    if (store_case_setup(state) != 0)
        return -1;
    store_case_sql(*state, triggers);
    return 0;
}

static Hero__V1__Mutation *hero(struct store_case *c, const char *name, int age)
{
    char fields[96];
    snprintf(fields, sizeof(fields), "name=%s;secret_name=s;age=%d", name, age);
    return case_create_one(c, "hero", fields);
}

/* Holds the writer inside a lone commit, so that what is submitted meanwhile
 * goes into one batch. */
static void hold(struct store_case *c, struct pending *holder, int fault_after)
{
    char fields[96];
    struct graph_spec records[2] = {{"hero", "name=holder;secret_name=s;age=-1", 0},
                                    {"hero", fields, 0}};
    snprintf(fields, sizeof(fields), "name=holder2;secret_name=s;age=%d", fault_after);
    case_submit(c, holder, case_create(c, records, 2, NULL, 0));
    sem_wait(&entered);
}

static int64_t count(struct store_case *c, const char *name)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM hero WHERE name = '%s'", name);
    return store_case_sql(c, sql);
}

/* One batch of before, culprit and after. */
static void run_batch(struct store_case *c, Hero__V1__Mutation *culprit, Code expected, int armed)
{
    struct pending holder, before, middle, after;
    hold(c, &holder, armed);
    case_submit(c, &before, hero(c, "before", 1));
    case_submit(c, &middle, culprit);
    case_submit(c, &after, hero(c, "after", 2));
    sem_post(&leave);
    assert_int_equal(case_wait(&holder), HERO__V1__CODE__OK);
    assert_int_equal(case_wait(&before), HERO__V1__CODE__OK);
    assert_int_equal(case_wait(&middle), expected);
    assert_int_equal(case_wait(&after), HERO__V1__CODE__OK);
    assert_int_equal(count(c, "before"), 1);
    assert_int_equal(count(c, "after"), 1);
    assert_int_equal(count(c, "culprit"), 0);
    /* A refused commit takes no number. */
    assert_int_equal(before.write.number, holder.write.number + 1);
    assert_int_equal(after.write.number, before.write.number + 1);
    assert_int_equal(store_commit_number(c->store), after.write.number);
    case_done(&holder);
    case_done(&before);
    case_done(&middle);
    case_done(&after);
}

static void test_interrupt(void **state)
{
    run_batch(*state, hero(*state, "culprit", FAULT_INTERRUPT), HERO__V1__CODE__DEADLINE_EXCEEDED,
              0);
}

static void test_nomem(void **state)
{
    run_batch(*state, hero(*state, "culprit", FAULT_NOMEM), HERO__V1__CODE__RESOURCE_EXHAUSTED, 0);
}

static void test_ioerr(void **state)
{
    run_batch(*state, hero(*state, "culprit", FAULT_IOERR), HERO__V1__CODE__DATA_LOSS, 0);
}

static void test_raise_rollback(void **state)
{
    run_batch(*state, hero(*state, "culprit", FAULT_ROLLBACK), HERO__V1__CODE__FAILED_PRECONDITION,
              0);
}

/* SQLite's own FULL: the culprit needs pages, the others fit into what is there. */
static void test_full(void **state)
{
    struct store_case *c = *state;
    static char fields[400000];
    strcpy(fields, "name=culprit;secret_name=");
    memset(fields + strlen(fields), 'x', sizeof(fields) - strlen(fields) - 1);
    run_batch(c, case_create_one(c, "hero", fields), HERO__V1__CODE__RESOURCE_EXHAUSTED,
              FAULT_NO_ROOM);
}

static void test_plain_error(void **state)
{
    run_batch(*state, case_create_one(*state, "hero", "id=1;name=culprit;secret_name=s"),
              HERO__V1__CODE__ALREADY_EXISTS, 0);
}

/* A foreign key that waits for COMMIT passes RELEASE and would fail everybody. */
static void test_deferred_foreign_key(void **state)
{
    struct store_case *c = *state;
    store_case_sql(c, "CREATE TABLE book (id INTEGER NOT NULL, title VARCHAR NOT NULL, price FLOAT,"
                      " in_print BOOLEAN NOT NULL, cover BLOB, pages INTEGER, PRIMARY KEY (id));"
                      "CREATE TABLE copy (branch VARCHAR NOT NULL, shelf INTEGER NOT NULL,"
                      " book_id INTEGER NOT NULL, PRIMARY KEY (branch, shelf),"
                      " FOREIGN KEY(book_id) REFERENCES book (id) DEFERRABLE INITIALLY DEFERRED)");
    store_case_open(c);
    store_case_sql(c, triggers);
    struct pending alone;
    assert_int_equal(case_run(c, &alone, case_create_one(c, "copy", "branch=a;shelf=1;book_id=7")),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    case_done(&alone);
    run_batch(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=7"),
              HERO__V1__CODE__FAILED_PRECONDITION, 0);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM copy"), 0);
}

static int setup_closed(void **state)
{
    sqlite3_auto_extension((void (*)(void))add_function);
    sem_init(&entered, 0, 0);
    sem_init(&leave, 0, 0);
    return store_case_setup_closed(state);
}

/* ---- COMMIT that fails with an I/O error ---- */

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static const sqlite3_io_methods *real_methods;
static volatile bool sync_fails;

static int failing_sync(sqlite3_file *file, int flags)
{
    return sync_fails ? SQLITE_IOERR_FSYNC : real_methods->xSync(file, flags);
}

/* SQLite's unix file as it is, with another xSync in its table. */
static int open_with_sync(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                          int *ret_flags)
{
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        real_methods = file->pMethods;
        methods = *real_methods;
        methods.xSync = failing_sync;
        file->pMethods = &methods;
    }
    return rc;
}

static volatile int n_answers;

static void count_answer(struct store_write *write)
{
    (void)write;
    n_answers++;
}

static void exit_fatal(void *arg, enum store_trouble trouble, const char *text)
{
    (void)arg;
    (void)text;
    _exit(trouble == STORE_TROUBLE_IO && n_answers == 0 ? 77 : 1);
}

/* In a child: nothing is answered, the owner is told and ends. */
static void commit_in_child(struct store_case *c)
{
    static sqlite3_vfs vfs;
    struct pending pending;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "failing";
    vfs.xOpen = open_with_sync;
    sqlite3_vfs_register(&vfs, 1);
    c->options.on_fatal = exit_fatal;
    store_case_open(c);
    Hero__V1__Mutation *one = case_create_one(c, "hero", "name=lost;secret_name=s");
    sync_fails = true;
    case_submit(c, &pending, one);
    pending.write.done = count_answer;
    sleep(20);
    _exit(2);
}

static void test_commit_ioerr(void **state)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        commit_in_child(*state);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 77);
    /* Whole or not at all, and the database is sound. */
    assert_in_range(store_case_sql(*state, "SELECT count(*) FROM hero"), 0, 1);
    assert_int_equal(store_case_sql(*state, "SELECT count(*) FROM pragma_integrity_check WHERE "
                                            "integrity_check <> 'ok'"),
                     0);
}

/* Another process writes: told, and over when it is done. */
static void test_busy(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(c->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(case_run(c, &pending, hero(c, "waits", 1)), HERO__V1__CODE__UNAVAILABLE);
    case_done(&pending);
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_int_equal(case_run(c, &pending, hero(c, "waits", 1)), HERO__V1__CODE__OK);
    case_done(&pending);
    assert_int_equal(count(c, "waits"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_interrupt, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_nomem, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_ioerr, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_raise_rollback, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_plain_error, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_deferred_foreign_key, setup_closed,
                                        store_case_teardown),
        cmocka_unit_test_setup_teardown(test_busy, setup, store_case_teardown),
        cmocka_unit_test_setup_teardown(test_commit_ioerr, setup_closed, store_case_teardown),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
