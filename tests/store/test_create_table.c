/* CREATE TABLE as people write it: what pragmas don't tell is found. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "create_table.h"

static struct arena arena;
static struct create_table table;

static void read(const char *sql)
{
    arena_done(&arena);
    arena_init(&arena, 1 << 20);
    assert_true(create_table_read(sql, &arena, &table));
}

static void check_is(size_t i, const char *column, const char *name, const char *sql)
{
    assert_true(i < table.n_checks);
    assert_string_equal(table.checks[i].sql, sql);
    if (column)
        assert_string_equal(table.checks[i].column, column);
    else
        assert_null(table.checks[i].column);
    if (name)
        assert_string_equal(table.checks[i].name, name);
    else
        assert_null(table.checks[i].name);
}

static void checks(void **state)
{
    (void)state;
    read("CREATE TABLE t (a INT CHECK (a > 0) CONSTRAINT n CHECK(a<9), \"b c\" TEXT DEFAULT (')') "
         "CHECK (`b c` <> '(' /* ( */ AND -- ))\n 1), [d] AS (a + (1)) CHECK ([d] > 1),\n"
         "CONSTRAINT \"my \"\"check\" CHECK (length(d) > 1), CHECK ((a) OR (b)) CHECK (2))");
    assert_int_equal(table.n_checks, 7);
    check_is(0, "a", NULL, "a > 0");
    check_is(1, "a", "n", "a<9");
    check_is(2, "b c", NULL, "`b c` <> '(' AND 1");
    check_is(3, "d", NULL, "[d] > 1");
    check_is(4, NULL, "my \"check", "length(d) > 1");
    check_is(5, NULL, NULL, "(a) OR (b)");
    check_is(6, NULL, NULL, "2");
}

static void words(void **state)
{
    (void)state;
    read("CREATE TABLE \"check (\" (id INTEGER PRIMARY KEY AUTOINCREMENT, \"CHECK\" TEXT, "
         "x TEXT DEFAULT 'AUTOINCREMENT CHECK (1)' COLLATE NOCASE)");
    assert_true(table.autoincrement);
    assert_int_equal(table.n_checks, 0);
    assert_int_equal(table.n_collated, 1);
    assert_string_equal(table.collated[0], "x");
    read("CREATE TABLE t (id INTEGER PRIMARY KEY, \"AUTOINCREMENT\" TEXT, y 'DEFERRED')");
    assert_false(table.autoincrement);
    assert_false(table.deferred);
    read("CREATE TABLE t (p REFERENCES q (x, y) ON DELETE SET NULL ON UPDATE CASCADE "
         "DEFERRABLE INITIALLY DEFERRED)");
    assert_true(table.deferred);
    assert_null(table.conflict);
    read("CREATE TABLE t (a UNIQUE ON CONFLICT ABORT, UNIQUE (a) ON CONFLICT REPLACE)");
    assert_string_equal(table.conflict, "REPLACE");
}

static void constraints(void **state)
{
    (void)state;
    read("CREATE TABLE t (a INT CONSTRAINT u UNIQUE, b INT, CONSTRAINT two UNIQUE (b COLLATE x "
         "DESC, [a]), PRIMARY KEY (a), CONSTRAINT f FOREIGN KEY (a, b) REFERENCES o (c, d))");
    assert_int_equal(table.n_constraints, 4);
    assert_string_equal(table.constraints[0].name, "u");
    assert_string_equal(table.constraints[0].columns[0], "a");
    assert_true(table.constraints[1].unique);
    assert_string_equal(table.constraints[1].name, "two");
    assert_int_equal(table.constraints[1].n_columns, 2);
    assert_string_equal(table.constraints[1].columns[1], "a");
    assert_true(table.constraints[2].primary_key);
    assert_true(table.constraints[3].foreign_key);
    assert_int_equal(table.constraints[3].n_columns, 2);
}

/* What SQLite would not take gives less, and ends. */
static void broken(void **state)
{
    static const char *const texts[] = {"",
                                        "CREATE TABLE",
                                        "CREATE TABLE t (",
                                        "CREATE TABLE t (a CHECK (",
                                        "CREATE TABLE t (a CHECK ((((1)",
                                        "CREATE TABLE t (a CHECK ('",
                                        "CREATE TABLE t (\"",
                                        "CREATE TABLE t (a /*",
                                        "CREATE TABLE t (a --",
                                        "CREATE TABLE t (a CONSTRAINT",
                                        "CREATE TABLE t (UNIQUE (a",
                                        "CREATE TABLE t (,,,)",
                                        "CREATE TABLE t (a))))",
                                        "CREATE TABLE t (CONSTRAINT , PRIMARY , UNIQUE , CHECK ,)"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        read(texts[i]);
    assert_true(create_table_read(NULL, &arena, &table));
}

static void sameness(void **state)
{
    (void)state;
    assert_true(sql_same("a>0 AND b IN (1,2)", " A > 0\nand b in ( 1, 2 ) -- so"));
    assert_true(sql_same("", " /* nothing */ "));
    assert_false(sql_same("a > 0", "a > 00"));
    assert_false(sql_same("a = 'X'", "a = 'x'"));
    assert_false(sql_same("\"A\" > 0", "\"a\" > 0"));
    assert_false(sql_same("a > 0", "a > 0 AND 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks), cmocka_unit_test(words),    cmocka_unit_test(constraints),
        cmocka_unit_test(broken), cmocka_unit_test(sameness),
    };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests_name("create_table", tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
