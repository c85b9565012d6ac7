/*
 * Faults: code, text and violations, their limits and their paths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "fault.h"
#include "scan.h"

static void test_set_and_add(void **state)
{
    struct fault fault = FAULT_INIT;
    (void)state;
    assert_int_equal(fault_add(&fault, "name", "is %s", "empty"), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(fault.message, "name: is empty");
    assert_string_equal(fault.violations[0].path, "name");
    assert_string_equal(fault.violations[0].description, "is empty");
    assert_int_equal(fault_set(&fault, HERO__V1__CODE__NOT_FOUND, "gone %d", 3),
                     HERO__V1__CODE__NOT_FOUND);
    assert_string_equal(fault.message, "gone 3");
    assert_int_equal(fault_add(&fault, "", "more"), HERO__V1__CODE__NOT_FOUND);
    assert_int_equal(fault.n_violations, 2);
    assert_string_equal(fault.message, "gone 3");
    fault_done(&fault);
    assert_int_equal(fault.code, HERO__V1__CODE__OK);
    assert_null(fault.message);
    fault_done(&fault);
}

static void test_null(void **state)
{
    (void)state;
    assert_int_equal(fault_set(NULL, HERO__V1__CODE__ABORTED, "x"), HERO__V1__CODE__ABORTED);
    assert_int_equal(fault_add(NULL, "a", "x"), HERO__V1__CODE__INVALID_ARGUMENT);
    fault_prefix(NULL, "a");
    fault_done(NULL);
}

static void test_limits(void **state)
{
    struct fault fault = FAULT_INIT;
    char text[9000];
    (void)state;
    for (int i = 0; i < FAULT_MAX_VIOLATIONS + 10; i++)
        fault_add(&fault, "p", "%d", i);
    assert_int_equal(fault.n_violations, FAULT_MAX_VIOLATIONS);
    assert_int_equal(fault.n_dropped, 10);
    fault_done(&fault);
    /* A long text is cut, but not inside a character, wherever the cut falls. */
    for (size_t start = 0; start < 4; start++) {
        memset(text, 'a', start);
        for (size_t i = start; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x80\x99", 4);
        fault_set(&fault, HERO__V1__CODE__INTERNAL, "%s", text);
        assert_true(strlen(fault.message) < 3000);
        assert_true(scan_text_valid(fault.message, strlen(fault.message)));
    }
    fault_done(&fault);
}

static void test_prefix(void **state)
{
    struct fault fault = FAULT_INIT;
    (void)state;
    fault_add(&fault, "", "a");
    fault_add(&fault, "name", "b");
    fault_add(&fault, "[2].x", "c");
    fault_prefix(&fault, "create");
    fault_prefix(&fault, "");
    fault_prefix(&fault, "mutations[1]");
    assert_string_equal(fault.violations[0].path, "mutations[1].create");
    assert_string_equal(fault.violations[1].path, "mutations[1].create.name");
    assert_string_equal(fault.violations[2].path, "mutations[1].create[2].x");
    fault_done(&fault);
}

static void test_take(void **state)
{
    struct fault whole = FAULT_INIT, part = FAULT_INIT;
    (void)state;
    fault_set(&part, HERO__V1__CODE__NOT_FOUND, "none");
    fault_add(&part, "a", "is missing");
    fault_detail(&part, "ck_a", "int64");
    fault_take(&whole, &part);
    assert_int_equal(whole.code, HERO__V1__CODE__NOT_FOUND);
    assert_string_equal(whole.message, "none");
    assert_int_equal(part.code, HERO__V1__CODE__OK);
    fault_add(&part, "b", "is missing, too");
    fault_detail(&part, "ck_b", NULL);
    part.n_dropped = 2;
    fault_take(&whole, &part);
    assert_int_equal(whole.code, HERO__V1__CODE__NOT_FOUND);
    assert_int_equal(whole.n_violations, 2);
    assert_string_equal(whole.violations[1].path, "b");
    assert_string_equal(whole.violations[0].constraint, "ck_a");
    assert_string_equal(whole.violations[0].type, "int64");
    assert_string_equal(whole.violations[1].constraint, "ck_b");
    assert_null(whole.violations[1].type);
    assert_int_equal(whole.n_dropped, 2);
    fault_done(&whole);
    assert_null(part.violations);
}

static void test_code_names(void **state)
{
    (void)state;
    assert_string_equal(code_name(HERO__V1__CODE__OK), "OK");
    assert_string_equal(code_name(HERO__V1__CODE__UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(code_name(17), "UNKNOWN");
    assert_string_equal(code_name(-1), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_add), cmocka_unit_test(test_null),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_take),        cmocka_unit_test(test_code_names),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
