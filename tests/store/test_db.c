/* Connections: hardened, statements cached, reads with a deadline, SQL echoed, codes translated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fixture.h"
#include "internal.h"

static void open_db(struct fixture *f, struct db *db, bool writer)
{
    if (writer)
        fixture_write(f->database, "", 0);
    assert_int_equal(db_open(db, f->database, writer, 50, &f->fault), HERO__V1__CODE__OK);
}

static int64_t number(struct db *db, const char *sql)
{
    struct fault fault = FAULT_INIT;
    sqlite3_stmt *stmt = db_prepare(db, sql, &fault);
    assert_non_null(stmt);
    assert_int_equal(db_step(db, stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    db_release(db, stmt);
    return value;
}

static void hardened(void **state)
{
    struct fixture *f = *state;
    struct db db;
    int on = -1;
    open_db(f, &db, true);
    assert_int_equal(number(&db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(&db, "PRAGMA synchronous"), 2);
    assert_int_equal(number(&db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number(&db, "PRAGMA cell_size_check"), 1);
    assert_int_equal(number(&db, "PRAGMA mmap_size"), 0);
    assert_int_equal(number(&db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    sqlite3_db_config(db.handle, SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
    assert_int_equal(on, 1);
    sqlite3_db_config(db.handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1, &on);
    assert_int_equal(on, 0);
    assert_int_equal(sqlite3_limit(db.handle, SQLITE_LIMIT_ATTACHED, -1), 0);
    assert_int_not_equal(db_run(&db, "ATTACH ':memory:' AS other", &f->fault), HERO__V1__CODE__OK);
    assert_int_not_equal(db_run(&db, "SELECT \"no such column\"", &f->fault), HERO__V1__CODE__OK);
    db_close(&db);
    db_close(&db); /* twice does no harm */
}

static void no_links(void **state)
{
    struct fixture *f = *state;
    struct db db;
    char link[320];
    open_db(f, &db, true);
    db_close(&db);
    snprintf(link, sizeof(link), "%s/link.db", f->directory);
    assert_int_equal(symlink(f->database, link), 0);
    assert_int_not_equal(db_open(&db, link, true, 50, &f->fault), HERO__V1__CODE__OK);
}

static void statements_are_cached(void **state)
{
    struct fixture *f = *state;
    struct db db;
    char sql[64];
    open_db(f, &db, true);
    sqlite3_stmt *one = db_prepare(&db, "SELECT ?1", &f->fault);
    sqlite3_stmt *two = db_prepare(&db, "SELECT ?1", &f->fault); /* while one is out */
    assert_non_null(one);
    assert_true(two != NULL && two != one);
    sqlite3_bind_int(one, 1, 7);
    assert_int_equal(db_step(&db, one), SQLITE_ROW);
    db_release(&db, one);
    db_release(&db, two);
    db_release(&db, NULL);
    sqlite3_stmt *again = db_prepare(&db, "SELECT ?1", &f->fault);
    assert_true(again == one || again == two);
    assert_int_equal(db_step(&db, again), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(again, 0), SQLITE_NULL); /* unbound */
    db_release(&db, again);

    for (int i = 0; i < 1000; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        assert_int_equal(number(&db, sql), i);
        assert_true(db.n_cached <= db.max_cached);
    }
    assert_int_equal(db.n_cached, db.max_cached);
    assert_int_equal(number(&db, "SELECT 999"), 999);
    db_close(&db);
}

static void forgotten_while_out(void **state)
{
    struct fixture *f = *state;
    struct db db;
    open_db(f, &db, true);
    sqlite3_stmt *out = db_prepare(&db, "SELECT 1", &f->fault);
    db_release(&db, db_prepare(&db, "SELECT 2", &f->fault));
    assert_int_equal(db.n_cached, 1);
    db_forget_statements(&db);
    assert_int_equal(db.n_cached, 0);
    assert_int_equal(db_step(&db, out), SQLITE_ROW); /* still good for who holds it */
    db_release(&db, out);
    assert_int_equal(db.n_cached, 0);
    db_close(&db);
}

static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                              "LIMIT 200000) SELECT count(*) FROM n";

static void only_reads_have_deadlines(void **state)
{
    struct fixture *f = *state;
    struct db writer, reader;
    open_db(f, &writer, true);
    open_db(f, &reader, false);
    writer.deadline_ns = reader.deadline_ns = 1; /* long past */
    assert_int_equal(db_run(&reader, endless, &f->fault), HERO__V1__CODE__DEADLINE_EXCEEDED);
    assert_int_equal(number(&writer, endless), 200000);
    reader.deadline_ns = 0;
    assert_int_equal(number(&reader, endless), 200000);
    db_close(&reader);
    db_close(&writer);
}

static void echo_shows_values(void **state)
{
    struct fixture *f = *state;
    struct db db;
    struct echo echo;
    struct arena small;
    open_db(f, &db, true);
    echo_init(&echo, &f->arena);
    db.echo = &echo;
    assert_int_equal(db_run(&db, "BEGIN", &f->fault), HERO__V1__CODE__OK);
    sqlite3_stmt *stmt = db_prepare(&db, "SELECT ?1, ?2", &f->fault);
    sqlite3_bind_text(stmt, 1, "it's", -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, 5);
    assert_int_equal(db_step(&db, stmt), SQLITE_ROW);
    db_release(&db, stmt);
    assert_string_equal(echo.first->sql, "BEGIN");
    assert_string_equal(echo.first->next->sql, "SELECT 'it''s', 5");
    assert_null(echo.first->next->next);

    arena_init(&small, 16);
    echo_init(&echo, &small);
    assert_int_equal(db_run(&db, "COMMIT", &f->fault), HERO__V1__CODE__OK);
    assert_null(echo.first);
    assert_int_equal(echo.n_dropped, 1);
    arena_done(&small);
    db_close(&db);
}

static void long_statements_are_cut(void **state)
{
    struct fixture *f = *state;
    struct echo echo;
    char text[6001] = "";
    for (int i = 0; i < 6000; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[0] = 'x', text[1] = 'y', text[2] = 'z';
    memmove(text + 3, text + 4, 5996); /* so that the cut falls into a character */
    echo_init(&echo, &f->arena);
    echo_add(&echo, text, 1);
    size_t len = strlen(echo.first->sql);
    assert_int_equal(len, 4095 + 3);
    assert_string_equal(echo.first->sql + len - 5, "\xc3\xa9...");
}

static void codes(void **state)
{
    struct fixture *f = *state;
    struct db db;
    static const struct {
        const char *sql;
        Code code;
    } cases[] = {
        {"INSERT INTO a VALUES (1, 'x', 1)", HERO__V1__CODE__ALREADY_EXISTS},
        {"INSERT INTO a VALUES (2, 'a', 1)", HERO__V1__CODE__ALREADY_EXISTS},
        {"INSERT INTO a VALUES (2, NULL, 1)", HERO__V1__CODE__INVALID_ARGUMENT},
        {"INSERT INTO a VALUES (2, 'b', -1)", HERO__V1__CODE__INVALID_ARGUMENT},
        {"INSERT INTO a VALUES ('x', 'b', 1)", HERO__V1__CODE__INVALID_ARGUMENT},
        {"INSERT INTO b VALUES (7)", HERO__V1__CODE__FAILED_PRECONDITION},
        {"DELETE FROM a", HERO__V1__CODE__FAILED_PRECONDITION},
        {"SELECT * FROM c", HERO__V1__CODE__INTERNAL},
        {"SELECT zeroblob(100000000)", HERO__V1__CODE__RESOURCE_EXHAUSTED},
    };
    open_db(f, &db, true);
    assert_int_equal(sqlite3_exec(db.handle,
                                  "CREATE TABLE a (id INTEGER PRIMARY KEY, u TEXT NOT NULL UNIQUE,"
                                  " n INTEGER CHECK (n > 0)); INSERT INTO a VALUES (1, 'a', 1);"
                                  "CREATE TABLE b (a REFERENCES a (id)); INSERT INTO b VALUES (1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fault_done(&f->fault);
        assert_int_equal(db_run(&db, cases[i].sql, &f->fault), cases[i].code);
        assert_int_equal(f->fault.code, cases[i].code);
        assert_non_null(f->fault.message);
        assert_false(db_in_transaction(&db));
    }
    assert_int_equal(db_fault(&db, SQLITE_FULL, NULL, "x"), HERO__V1__CODE__RESOURCE_EXHAUSTED);
    assert_int_equal(db_fault(&db, SQLITE_BUSY_SNAPSHOT, NULL, "x"), HERO__V1__CODE__UNAVAILABLE);
    assert_int_equal(db_fault(&db, SQLITE_IOERR_FSYNC, NULL, "x"), HERO__V1__CODE__DATA_LOSS);
    assert_int_equal(db_fault(&db, SQLITE_CORRUPT, NULL, "x"), HERO__V1__CODE__DATA_LOSS);
    assert_true(db_code_is_full(SQLITE_IOERR_SHMSIZE));
    db_close(&db);
}

static void busy_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct db one, two;
    open_db(f, &one, true);
    assert_int_equal(db_open(&two, f->database, true, 10, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(db_run(&one, "BEGIN IMMEDIATE", &f->fault), HERO__V1__CODE__OK);
    assert_true(db_in_transaction(&one));
    assert_int_equal(db_run(&two, "BEGIN IMMEDIATE", &f->fault), HERO__V1__CODE__UNAVAILABLE);
    assert_int_equal(db_run(&one, "COMMIT", &f->fault), HERO__V1__CODE__OK);
    db_close(&two);
    db_close(&one);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(hardened),
        TEST(no_links),
        TEST(statements_are_cached),
        TEST(forgotten_while_out),
        TEST(only_reads_have_deadlines),
        TEST(echo_shows_values),
        TEST(long_statements_are_cut),
        TEST(codes),
        TEST(busy_is_unavailable),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
