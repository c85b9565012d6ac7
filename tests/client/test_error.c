/*
 * Errors: what is given to a caller, and that it can be used again and again.
 */
#include "unit.h"
#include "error.h"

static void test_none(void **state)
{
    hero_error error = HERO_ERROR_INIT;
    struct fault fault = FAULT_INIT;

    (void)state;
    assert_int_equal(error_give(&error, &fault, HERO_REFUSED), HERO_OK);
    assert_int_equal(error.code, HERO_OK);
    assert_int_equal(error.outcome, HERO_DONE);
    assert_null(error.message);
    hero_error_free(&error);
    hero_error_free(NULL);
}

static void test_given(void **state)
{
    hero_error error = HERO_ERROR_INIT;
    struct fault fault = FAULT_INIT;

    (void)state;
    fault_set(&fault, HERO__V1__CODE__NOT_FOUND, "no hero %d", 7);
    fault_add(&fault, "keys[0]", "there is none");
    fault_detail(&fault, NULL, "int64");
    fault_add(&fault, "", "%s", "");
    assert_int_equal(error_give(&error, &fault, HERO_REFUSED), HERO_NOT_FOUND);
    assert_int_equal(fault.code, HERO__V1__CODE__OK);
    assert_int_equal(error.code, HERO_NOT_FOUND);
    assert_int_equal(error.outcome, HERO_REFUSED);
    assert_string_equal(error.message, "no hero 7");
    assert_int_equal(error.n_violations, 2);
    assert_string_equal(error.violations[0].path, "keys[0]");
    assert_string_equal(error.violations[0].description, "there is none");
    assert_null(error.violations[0].constraint);
    assert_string_equal(error.violations[0].type, "int64");
    assert_string_equal(error.violations[1].path, "");
    assert_null(error.violations[1].type);

    /* Filled again without being freed, then made none by success. */
    fault_set(&fault, HERO__V1__CODE__UNAVAILABLE, "gone");
    assert_int_equal(error_give(&error, &fault, HERO_NOT_SENT), HERO_UNAVAILABLE);
    assert_string_equal(error.message, "gone");
    assert_int_equal(error.n_violations, 0);
    assert_null(error.violations);
    assert_int_equal(error_give(&error, &fault, HERO_NOT_SENT), HERO_OK);
    assert_null(error.memory);
}

static void test_ignored(void **state)
{
    struct fault fault = FAULT_INIT;

    (void)state;
    fault_set(&fault, HERO__V1__CODE__ABORTED, "nobody reads this");
    assert_int_equal(error_give(NULL, &fault, HERO_REFUSED), HERO_ABORTED);
    assert_null(fault.message);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(hero_code_name(HERO_OK), "OK");
    assert_string_equal(hero_code_name(HERO_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(hero_code_name(HERO_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(hero_code_name((hero_code)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
