/*
 * Names in SQL, as SQLAlchemy writes them; and which are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "names.h"

static struct arena arena;

static void test_derived(void **state)
{
    (void)state;
    assert_string_equal(name_of_table(&arena, "HeroTeamLink"), "heroteamlink");
    assert_string_equal(name_of_table(&arena, "a.b.Über_X9"), "\xc3\x9c"
                                                              "ber_x9");
    assert_string_equal(name_of_index(&arena, "hero", "name"), "ix_hero_name");
}

static void test_quoted(void **state)
{
    static const char *const cases[][2] = {
        {"hero", "hero"},
        {"a_1$", "a_1$"},
        {"_x", "_x"},
        {"Hero", "\"Hero\""},
        {"1st", "\"1st\""},
        {"$x", "\"$x\""},
        {"a b", "\"a b\""},
        {"na\xc3\xafve", "\"na\xc3\xafve\""},
        {"a\"b", "\"a\"\"b\""},
        {"a.b", "\"a.b\""},
        {"", "\"\""},
        {"add", "\"add\""},
        {"order", "\"order\""},
        {"where", "\"where\""},
        {"current_time", "\"current_time\""},
        {"key", "\"key\""},
        {"Order", "\"Order\""},
        {"name", "name"},
        {"text", "text"},
        {"rowid", "rowid"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(name_quoted(&arena, cases[i][0]), cases[i][1]);
}

static void test_refused(void **state)
{
    char longest[NAME_MAX_BYTES + 2];
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[NAME_MAX_BYTES] = '\0';
    assert_null(name_refused(longest));
    longest[NAME_MAX_BYTES] = 'a';
    longest[NAME_MAX_BYTES + 1] = '\0';
    assert_non_null(name_refused(longest));
    assert_non_null(name_refused(NULL));
    assert_non_null(name_refused(""));
    assert_non_null(name_refused("a\n"));
    assert_non_null(name_refused("a\x7f"));
    assert_non_null(name_refused("\xff"));
    assert_non_null(name_refused("sqlite_sequence"));
    assert_non_null(name_refused("SQLITE_x"));
    assert_non_null(name_refused("_hero_meta"));
    assert_non_null(name_refused("_HERO_"));
    assert_null(name_refused("_hero"));
    assert_null(name_refused("sqlite"));
    assert_null(name_refused("select"));
    assert_null(name_refused("Tag Name"));
    assert_null(name_refused("a\"b"));
}

static void test_expressions(void **state)
{
    (void)state;
    assert_null(expression_refused("CURRENT_TIMESTAMP"));
    assert_null(expression_refused("(1 + 2) * (3)"));
    assert_null(expression_refused("');' || \"a)b\" || `--` || [;]"));
    assert_null(expression_refused("'it''s ('"));
    assert_null(expression_refused("5 - -3 / 2 * 1"));
    assert_non_null(expression_refused(""));
    assert_non_null(expression_refused(" \n"));
    assert_non_null(expression_refused("1)"));
    assert_non_null(expression_refused("(1"));
    assert_non_null(expression_refused(")("));
    assert_non_null(expression_refused("1; 2"));
    assert_non_null(expression_refused("1 -- 2"));
    assert_non_null(expression_refused("1 /* 2"));
    assert_non_null(expression_refused("'it''s"));
    assert_non_null(expression_refused("[a"));
    assert_non_null(expression_refused("'\xff'"));
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derived),
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_expressions),
    };
    return cmocka_run_group_tests_name("names", tests, set_up, tear_down);
}
