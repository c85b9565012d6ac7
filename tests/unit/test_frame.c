/*
 * Frames: envelopes out of bytes, faults to statuses and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "frame.h"

static void test_request(void **state)
{
    static char method[] = "hero.v1.Records/Create";
    struct arena arena;
    struct fault fault = FAULT_INIT;
    Hero__V1__Request request = HERO__V1__REQUEST__INIT, *got = NULL;
    uint8_t bytes[128], payload[] = {0, 1, 2};
    (void)state;
    arena_init(&arena, 1 << 20);
    request.method = method;
    request.has_payload = 1;
    request.payload = (ProtobufCBinaryData){3, payload};
    request.has_seq = 1;
    request.seq = UINT64_MAX;
    size_t len = hero__v1__request__pack(&request, bytes);
    assert_int_equal(frame_unpack_request(bytes, len, &arena, &got, &fault), HERO__V1__CODE__OK);
    memset(bytes, 0xff, sizeof bytes); /* no longer needed */
    assert_string_equal(got->method, method);
    assert_memory_equal(got->payload.data, payload, 3);
    assert_true(got->seq == UINT64_MAX && !got->has_client);
    got = NULL;
    assert_int_equal(frame_unpack_request(bytes, 5, &arena, &got, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_null(got);
    fault_done(&fault);
    assert_int_equal(frame_unpack_request(bytes, 0, &arena, &got, NULL), HERO__V1__CODE__OK);
    arena_done(&arena);
}

static void test_status_both_ways(void **state)
{
    struct arena arena;
    struct fault fault = FAULT_INIT, again = FAULT_INIT;
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT, *got;
    uint8_t bytes[512];
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_null(frame_status(&fault, &arena));
    fault_set(&fault, HERO__V1__CODE__NOT_FOUND, "no such hero");
    fault_add(&fault, "teams[0]", "is gone");
    fault_detail(&fault, "ck_gone", "string");
    fault_add(&fault, "", "too");
    response.status = frame_status(&fault, &arena);
    size_t len = hero__v1__response__pack(&response, bytes);
    assert_int_equal(frame_unpack_response(bytes, len, &arena, &got, NULL), HERO__V1__CODE__OK);
    frame_fault(got->status, &again);
    assert_int_equal(again.code, HERO__V1__CODE__NOT_FOUND);
    assert_string_equal(again.message, "no such hero");
    assert_int_equal(again.n_violations, 2);
    assert_string_equal(again.violations[0].path, "teams[0]");
    assert_string_equal(again.violations[0].constraint, "ck_gone");
    assert_string_equal(again.violations[0].type, "string");
    assert_string_equal(again.violations[1].description, "too");
    assert_null(again.violations[1].constraint);
    fault_done(&fault);
    fault_done(&again);
    arena_done(&arena);
}

/* A peer's Status may lack anything, or hold a code of the future. */
static void test_odd_statuses(void **state)
{
    Hero__V1__Status status = HERO__V1__STATUS__INIT;
    Hero__V1__Violation violation = HERO__V1__VIOLATION__INIT, *violations = &violation;
    struct fault fault = FAULT_INIT;
    (void)state;
    frame_fault(NULL, &fault);
    frame_fault(&status, &fault);
    assert_int_equal(fault.code, HERO__V1__CODE__OK);
    status.has_code = 1;
    status.code = 99;
    status.n_violations = 1;
    status.violations = &violations;
    frame_fault(&status, &fault);
    assert_int_equal(fault.code, HERO__V1__CODE__UNKNOWN);
    assert_string_equal(fault.violations[0].path, "");
    fault_done(&fault);
}

/* Where memory ends, the code still goes out. */
static void test_status_without_memory(void **state)
{
    struct fault fault = FAULT_INIT;
    (void)state;
    fault_set(&fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "full");
    for (int i = 0; i < 40; i++)
        fault_add(&fault, "path", "description %d", i);
    struct arena arena;
    arena_init(&arena, 300);
    Hero__V1__Status *status = frame_status(&fault, &arena);
    assert_non_null(status);
    assert_int_equal(status->code, HERO__V1__CODE__RESOURCE_EXHAUSTED);
    assert_int_equal(status->n_violations, 0);
    arena_done(&arena);
    fault_done(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_status_both_ways),
        cmocka_unit_test(test_odd_statuses),
        cmocka_unit_test(test_status_without_memory),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
