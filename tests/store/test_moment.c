/* Reads that share a moment: never older than the last commit, of whoever; nothing held for long.
 */
#include <stdlib.h>
#include <time.h>
#include "fixture.h"
#include "internal.h"
#include "moment.h"

static int64_t rows(struct db *db)
{
    struct fault fault = FAULT_INIT;
    sqlite3_stmt *stmt = db_prepare(db, "SELECT count(*) FROM t", &fault);
    assert_non_null(stmt);
    assert_int_equal(db_step(db, stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    db_release(db, stmt);
    return n;
}

static bool reading(const struct db *db)
{
    return sqlite3_txn_state(db->handle, "main") == SQLITE_TXN_READ;
}

static void one_moment_until_a_commit(void **state)
{
    struct fixture *f = *state;
    struct db writer, db;
    fixture_write(f->database, "", 0);
    assert_int_equal(db_open(&writer, f->database, true, 50, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(db_run(&writer, "CREATE TABLE t (x)", &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(db_open(&db, f->database, false, 50, &f->fault), HERO__V1__CODE__OK);

    assert_int_equal(moment_begin(&db, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(rows(&db), 0);
    assert_true(reading(&db));
    /* Nobody committed: the same transaction goes on. */
    assert_int_equal(moment_begin(&db, &f->fault), HERO__V1__CODE__OK);
    assert_true(reading(&db));
    /* Of this process, and of another program (a connection of its own). */
    for (int i = 1; i <= 40; i++) {
        if (i % 2)
            assert_int_equal(db_run(&writer, "INSERT INTO t VALUES (1)", &f->fault),
                             HERO__V1__CODE__OK);
        else
            fixture_sql(f, "INSERT INTO t VALUES (2)");
        assert_int_equal(rows(&db), i - 1); /* one moment is one moment */
        assert_int_equal(moment_begin(&db, &f->fault), HERO__V1__CODE__OK);
        assert_int_equal(rows(&db), i);
    }
    /* The log written back and begun anew from its start. */
    moment_end(&db);
    fixture_sql(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(moment_begin(&db, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(rows(&db), 40);
    fixture_sql(f, "INSERT INTO t VALUES (3)");
    assert_int_equal(moment_begin(&db, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(rows(&db), 41);
    moment_end(&db);
    moment_end(&db); /* twice does no harm */
    assert_false(reading(&db));
    db_close(&db);
    db_close(&writer);
}

static Code read_once(struct fixture *f)
{
    struct models *models = store_models(f->store);
    struct store_read read = {.models = models, .arena = &f->arena};
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse response = HERO__V1__LIST_RESPONSE__INIT;
    request.model = (char *)(uintptr_t) "hero";
    Code code = store_list(f->store, &read, &request, &response, &f->fault);
    models_unref(models);
    return code;
}

/* An idle herod holds nothing: others can write the log back and empty it. */
static void idle_readers_let_go(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    struct timespec now, start;
    fixture_open(f);
    assert_int_equal(fixture_apply(f, fixture_heroes, &applied), HERO__V1__CODE__OK);
    assert_int_equal(read_once(f), HERO__V1__CODE__OK);
    fixture_sql(f, "INSERT INTO team (name, headquarters) VALUES ('x', 'y')");
    assert_int_equal(read_once(f), HERO__V1__CODE__OK);
    clock_gettime(CLOCK_MONOTONIC, &start);
    const char *busy;
    do {
        fixture_sql(f, "INSERT INTO team (name, headquarters) VALUES ('x', 'y')");
        busy = fixture_query(f, "PRAGMA wal_checkpoint(TRUNCATE)");
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - start.tv_sec < 20);
    } while (busy[0] != '0');
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_moment_until_a_commit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(idle_readers_let_go, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
