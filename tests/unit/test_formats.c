/* Texts of a format: every day of the calendar, times, uuids, decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "formats.h"

#define FIRST INT64_C(-62135596800)
#define LAST INT64_C(253402300799)

/* The C library's calendar is the judge. */
static void test_every_day(void **state)
{
    char text[MOMENT_TEXT_SIZE], expected[80];
    (void)state;
    for (int64_t second = FIRST; second <= LAST; second += 86400) {
        struct moment moment = {second, 0}, back;
        time_t time = (time_t)second;
        struct tm day;
        gmtime_r(&time, &day);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00Z", day.tm_year + 1900,
                 day.tm_mon + 1, day.tm_mday);
        moment_write_rfc3339(moment, text);
        if (strcmp(text, expected) != 0)
            fail_msg("%s, not %s", text, expected);
        if (!moment_read(text, strlen(text), false, &back) || back.seconds != second)
            fail_msg("%s is not read back", text);
        if (!format_is_date(text, 10))
            fail_msg("%.10s is no date", text);
    }
}

struct time_case {
    const char *text, *rfc3339; /* NULL: refused */
    bool loose;                 /* only where that is asked for */
};

static void test_times(void **state)
{
    static const struct time_case cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", false},
        {"1969-12-31T23:59:59.25z", "1969-12-31T23:59:59.250Z", false},
        {"2026-11-23t01:02:03.000001+01:30", "2026-11-22T23:32:03.000001Z", false},
        {"2026-11-23T01:02:03.123456789-00:00", "2026-11-23T01:02:03.123456789Z", false},
        {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z", false},
        {"2026-11-23 01:02:03", "2026-11-23T01:02:03Z", true},
        {"2026-11-23T01:02", "2026-11-23T01:02:00Z", true},
        {"2026-11-23", "2026-11-23T00:00:00Z", true},
        {"2026-11-23 01:02+01:00", "2026-11-23T00:02:00Z", true},
        {"0001-01-01T00:00:00+00:01", NULL, true},
        {"9999-12-31T23:59:59-00:01", NULL, true},
        {"0000-01-01T00:00:00Z", NULL, true},
        {"10000-01-01T00:00:00Z", NULL, true},
        {"2026-02-29T00:00:00Z", NULL, true},
        {"1900-02-29", NULL, true},
        {"2026-13-01", NULL, true},
        {"2026-11-23T24:00:00Z", NULL, true},
        {"2026-11-23T23:59:60Z", NULL, true},
        {"2026-11-23T01:02:03.Z", NULL, true},
        {"2026-11-23T01:02:03.1234567890Z", NULL, true},
        {"2026-11-23T01:02:03+24:00", NULL, true},
        {"2026-11-23T01:02:03Zx", NULL, true},
        {" 2026-11-23", NULL, true},
        {"2026-1-3", NULL, true},
        {"", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct time_case *c = &cases[i];
        struct moment moment;
        char text[MOMENT_TEXT_SIZE];
        bool strict = moment_read(c->text, strlen(c->text), false, &moment);
        bool loose = moment_read(c->text, strlen(c->text), true, &moment);
        if (strict != (c->rfc3339 && !c->loose) || loose != (c->rfc3339 != NULL))
            fail_msg("\"%s\": strict %d, loose %d", c->text, strict, loose);
        if (!c->rfc3339)
            continue;
        moment_write_rfc3339(moment, text);
        assert_string_equal(text, c->rfc3339);
    }
    /* Never past the end that is given. */
    struct moment moment;
    assert_true(moment_read("2026-11-23junk", 10, true, &moment));
    assert_false(format_is_date("2026-11-2", 9));
    assert_false(moment_is_valid((struct moment){FIRST - 1, 0}));
    assert_false(moment_is_valid((struct moment){LAST + 1, 0}));
    assert_false(moment_is_valid((struct moment){0, -1}));
    assert_false(moment_is_valid((struct moment){0, 1000000000}));
}

static void test_uuids(void **state)
{
    static const char *const refused[] = {"",
                                          "123e4567e89b12d3a45642661417400",
                                          "123e4567e89b12d3a4564266141740000",
                                          "123e4567-e89b-12d3-a456-42661417400g",
                                          "123e4567-e89b-12d3-a4564-26614174000",
                                          "{123e4567-e89b-12d3-a456-426614174000}",
                                          "123e4567-e89b-12d3-a456+426614174000"};
    char text[UUID_TEXT_SIZE], again[UUID_TEXT_SIZE], digits[33];
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (format_uuid(refused[i], strlen(refused[i]), text))
            fail_msg("\"%s\" is taken", refused[i]);
    assert_true(format_uuid("123E4567E89B12D3A456426614174000", 32, text));
    assert_string_equal(text, "123e4567-e89b-12d3-a456-426614174000");
    format_uuid_digits(text, digits);
    assert_string_equal(digits, "123e4567e89b12d3a456426614174000");
    for (int i = 0; i < 100; i++) {
        format_uuid_new(text);
        assert_true(text[14] == '4' && strchr("89ab", text[19]));
        assert_true(format_uuid(text, 36, again));
        assert_string_equal(text, again);
        format_uuid_new(again);
        assert_string_not_equal(text, again);
    }
}

static void test_decimals(void **state)
{
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.00", "0"},
        {"+3", "3"},
        {"0012.500", "12.5"},
        {".5", "0.5"},
        {"5.", "5"},
        {"-.250", "-0.25"},
        {"1e3", "1000"},
        {"1.5E-3", "0.0015"},
        {"-12.3400e2", "-1234"},
        {"120e-1", "12"},
        {"0e999", "0"},
        {"1e-3", "0.001"},
        {"10", "10"},
        {"0.10", "0.1"},
        {"123456789012345678901234567890.98765432109876543210",
         "123456789012345678901234567890.9876543210987654321"},
        {"", NULL},
        {"-", NULL},
        {".", NULL},
        {"1e", NULL},
        {"1e+", NULL},
        {"--1", NULL},
        {"1,5", NULL},
        {"0x1", NULL},
        {"1 ", NULL},
        {"NaN", NULL},
        {"inf", NULL},
        {"1.2.3", NULL},
        {"1e1000", NULL},
        {"1e-1000", NULL},
        {"1e999999", NULL},
        {"1e9999999", NULL},
    };
    struct arena arena;
    char digits[2 * DECIMAL_MAX_DIGITS + 2];
    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *canonical = format_decimal(&arena, cases[i][0], strlen(cases[i][0]));
        if (!cases[i][1] ? canonical != NULL : !canonical || strcmp(canonical, cases[i][1]) != 0)
            fail_msg("\"%s\" is %s", cases[i][0], canonical ? canonical : "refused");
        /* What is canonical stays so. */
        if (canonical)
            assert_string_equal(format_decimal(&arena, canonical, strlen(canonical)), canonical);
    }
    memset(digits, '7', sizeof digits);
    assert_non_null(format_decimal(&arena, digits, DECIMAL_MAX_DIGITS));
    assert_null(format_decimal(&arena, digits, DECIMAL_MAX_DIGITS + 1));
    assert_null(format_decimal(&arena, digits, sizeof digits));
    arena_done(&arena);
    arena_init(&arena, 0);
    assert_null(format_decimal(&arena, "1", 1));
    assert_true(arena.exhausted);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_uuids),
        cmocka_unit_test(test_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
