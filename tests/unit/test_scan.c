/*
 * The scan: what it refuses, the path it blames, and that what it lets pass
 * protobuf-c unpacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <google/protobuf/descriptor.pb-c.h>
#include "hero/v1/graph.pb-c.h"
#include "hero/v1/records.pb-c.h"
#include "hero/v1/rpc.pb-c.h"
#include "scan.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len,
                  const struct scan_limits *limits, const char *path, const char *words)
{
    struct fault fault = FAULT_INIT;
    /* A copy of just this size, so that reading past the end is seen. */
    uint8_t *copy = malloc(len ? len : 1);
    if (len)
        memcpy(copy, bytes, len);
    Code code = scan_message(descriptor, copy, len, limits, &fault);
    assert_int_equal(scan_message(descriptor, copy, len, limits, NULL), code);
    free(copy);
    if (!path) {
        assert_int_equal(code, HERO__V1__CODE__OK);
        return;
    }
    assert_int_equal(code, HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(fault.n_violations, 1);
    assert_string_equal(fault.violations[0].path, path);
    if (!strstr(fault.violations[0].description, words))
        fail_msg("%s: %s", path, fault.violations[0].description);
    fault_done(&fault);
}

static void test_accepted(void **state)
{
    (void)state;
    const struct scan_limits *rpc = &scan_limits_rpc;
    check(&hero__v1__request__descriptor, NULL, 0, rpc, NULL, NULL);
    check(&hero__v1__request__descriptor,
          BYTES("\x0a\x03"
                "a/b\x20\x07"),
          rpc, NULL, NULL);
    /* Ten bytes are the longest varint; its last holds one bit. */
    check(&hero__v1__request__descriptor, BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
          rpc, NULL, NULL);
    /* Unknown fields of every wire type. */
    check(&hero__v1__request__descriptor,
          BYTES("\xa0\x06\x01\xa1\x06"
                "12345678\xa2\x06\x01x\xa5\x06"
                "1234"),
          rpc, NULL, NULL);
    /* Repeated numbers, packed and one by one. */
    check(&hero__v1__get_response__descriptor, BYTES("\x12\x03\x01\x80\x01\x10\x05"), rpc, NULL,
          NULL);
}

static void test_wire_faults(void **state)
{
    (void)state;
    const struct scan_limits *rpc = &scan_limits_rpc;
    const ProtobufCMessageDescriptor *request = &hero__v1__request__descriptor;
    check(request, BYTES("\x00\x01"), rpc, "", "tag is broken");
    check(request, BYTES("\x80"), rpc, "", "tag is broken");
    check(request, BYTES("\xfa\xff\xff\xff\xff\x0f"), rpc, "", "tag is broken"); /* number > 2^29 */
    check(request, BYTES("\x0a"), rpc, "method", "ends inside");
    check(request,
          BYTES("\x0a\x05"
                "abc"),
          rpc, "method", "ends inside");
    check(request, BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), rpc, "method",
          "ends inside");
    check(request, BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), rpc, "seq",
          "ends inside");
    check(request, BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), rpc, "seq",
          "ends inside");
    check(request, BYTES("\x08\x01"), rpc, "method", "another type on the wire");
    check(request, BYTES("\x22\x01\x01"), rpc, "seq", "another type on the wire");
    check(request, BYTES("\xa3\x06\xa4\x06"), rpc, "", "groups");
    check(request, BYTES("\xa6\x06"), rpc, "", "groups");
    check(request,
          BYTES("\xa1\x06"
                "1234567"),
          rpc, "", "ends inside");
    check(&hero__v1__get_response__descriptor, BYTES("\x12\x02\x01\x80"), rpc, "roots[0]",
          "ends inside an element");
}

static void test_texts(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "a\xff",
                                      "\xf8\x88\x80\x80\x80"};
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(scan_text_valid(bad[i], strlen(bad[i])));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(scan_text_valid(good[i], strlen(good[i])));
    assert_false(scan_text_valid("a\0b", 3));
    check(&hero__v1__request__descriptor,
          BYTES("\x0a\x03"
                "a\0b"),
          &scan_limits_rpc, "method", "NUL");
    check(&hero__v1__request__descriptor, BYTES("\x0a\x02\xc0\x80"), &scan_limits_rpc, "method",
          "UTF-8");
    check(&hero__v1__request__descriptor, BYTES("\x12\x03\0\xff\xc0"), &scan_limits_rpc, NULL,
          NULL);
}

/* The path of a field deep inside, by names and positions. */
static void test_paths(void **state)
{
    (void)state;
    /* mutations { create { graph { records {} records {} edges { relationship: "\xff" } } } } */
    check(&hero__v1__commit_request__descriptor,
          BYTES("\x0a\x00"
                "\x0a\x0d\x0a\x0b\x0a\x09\x0a\x00\x0a\x00\x12\x03\x12\x01\xff"),
          &scan_limits_rpc, "mutations[1].create.graph.edges[0].relationship", "UTF-8");
    check(&hero__v1__graph__descriptor, BYTES("\x0a\x00\x0a\x00\x0a\x00\x0a\x03\x12\x01\x80"),
          &scan_limits_rpc, "records[3].model", "UTF-8");
    /* Records and edges in turns: each list counts by itself. */
    check(&hero__v1__graph__descriptor,
          BYTES("\x0a\x00\x12\x00\x0a\x00\x12\x00\x0a\x03\x12\x01\x80"), &scan_limits_rpc,
          "records[2].model", "UTF-8");
}

/* nested_type of DescriptorProto is the one message here that nests in itself. */
static uint8_t *nested(size_t depth, size_t *ret_len)
{
    uint8_t *bytes = calloc(depth + 1, 6);
    uint8_t *at = bytes + depth * 6;
    uint8_t *end = at;
    for (size_t i = 0; i < depth; i++) {
        size_t len = (size_t)(end - at);
        uint8_t header[6];
        size_t n = 0;
        header[n++] = 0x1a;
        for (; len >= 0x80; len >>= 7)
            header[n++] = (uint8_t)(len | 0x80);
        header[n++] = (uint8_t)len;
        at -= n;
        memcpy(at, header, n);
    }
    *ret_len = (size_t)(end - at);
    memmove(bytes, at, *ret_len);
    return bytes;
}

static void test_depth(void **state)
{
    (void)state;
    size_t len;
    const struct scan_limits *limits = &scan_limits_descriptor_set;
    for (size_t depth = 30; depth <= 32; depth++) {
        uint8_t *bytes = nested(depth, &len);
        Code code =
            scan_message(&google__protobuf__descriptor_proto__descriptor, bytes, len, limits, NULL);
        assert_int_equal(code, depth < limits->depth ? HERO__V1__CODE__OK
                                                     : HERO__V1__CODE__INVALID_ARGUMENT);
        free(bytes);
    }
    uint8_t *bytes = nested(10000, &len);
    struct fault fault = FAULT_INIT;
    assert_int_equal(
        scan_message(&google__protobuf__descriptor_proto__descriptor, bytes, len, limits, &fault),
        HERO__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(fault.violations[0].description, "nested too deeply"));
    fault_done(&fault);
    /* More than any limit allows: no deeper than the scan's own. */
    struct scan_limits endless = {.depth = 1000000, .fields = 1000000};
    assert_int_equal(
        scan_message(&google__protobuf__descriptor_proto__descriptor, bytes, len, &endless, NULL),
        HERO__V1__CODE__INVALID_ARGUMENT);
    free(bytes);
}

static void test_counts(void **state)
{
    (void)state;
    struct scan_limits limits = {.depth = 4, .fields = 3};
    check(&hero__v1__get_response__descriptor, BYTES("\x10\x01\x10\x02\x10\x03"), &limits, NULL,
          NULL);
    check(&hero__v1__get_response__descriptor, BYTES("\x10\x01\x10\x02\x10\x03\x10\x04"), &limits,
          "", "too many fields");
    check(&hero__v1__get_response__descriptor, BYTES("\x12\x03\x01\x02\x03"), &limits, "roots[0]",
          "too many elements");
    limits.refuse_unknown = true;
    check(&hero__v1__get_response__descriptor, BYTES("\x38\x01"), &limits, "", "number 7");
}

static void test_unpack_budget(void **state)
{
    (void)state;
    struct arena arena;
    struct fault fault = FAULT_INIT;
    ProtobufCMessage *message = NULL;
    uint8_t bytes[4000];
    memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i += 2)
        bytes[i] = 0x0a; /* 2,000 empty records */
    arena_init(&arena, 100000);
    assert_int_equal(scan_unpack(&hero__v1__graph__descriptor, bytes, sizeof bytes,
                                 &scan_limits_rpc, &arena, &message, &fault),
                     HERO__V1__CODE__RESOURCE_EXHAUSTED);
    assert_null(message);
    fault_done(&fault);
    arena_done(&arena);
    arena_init(&arena, 1 << 20);
    assert_int_equal(scan_unpack(&hero__v1__graph__descriptor, bytes, sizeof bytes,
                                 &scan_limits_rpc, &arena, &message, &fault),
                     HERO__V1__CODE__OK);
    assert_int_equal(((Hero__V1__Graph *)message)->n_records, 2000);
    arena_done(&arena);
}

static size_t random_bytes(uint8_t *bytes, size_t most)
{
    static const uint8_t likely[] = {0x0a, 0x12, 0x1a, 0x22, 0x08, 0x10, 0x18, 0x00, 0x01, 0x02,
                                     0x05, 0x80, 0xff, 0x2a, 0x32, 0x4a, 0x0b, 0x0c, 'a',  0xc3};
    size_t len = (size_t)random() % most;
    for (size_t i = 0; i < len; i++)
        bytes[i] = random() % 8 ? likely[(size_t)random() % sizeof likely] : (uint8_t)random();
    return len;
}

/* What the scan lets pass, protobuf-c unpacks: the scan is the stricter. */
static void test_random(void **state)
{
    static const ProtobufCMessageDescriptor *const descriptors[] = {
        &hero__v1__request__descriptor, &hero__v1__commit_request__descriptor,
        &hero__v1__get_response__descriptor, &google__protobuf__file_descriptor_set__descriptor};
    (void)state;
    size_t n_accepted = 0;
    srandom(1);
    for (unsigned round = 0; round < 60000; round++) {
        uint8_t storage[64];
        size_t len = random_bytes(storage, sizeof storage);
        uint8_t *bytes = malloc(len ? len : 1);
        const ProtobufCMessageDescriptor *descriptor = descriptors[round % 4];
        struct arena arena;
        struct fault fault = FAULT_INIT;
        ProtobufCMessage *message;
        memcpy(bytes, storage, len);
        arena_init(&arena, 1 << 20);
        Code scanned = scan_message(descriptor, bytes, len, &scan_limits_rpc, NULL);
        Code code = scan_unpack(descriptor, bytes, len, &scan_limits_rpc, &arena, &message, &fault);
        if (scanned == HERO__V1__CODE__OK && code != HERO__V1__CODE__OK &&
            !strstr(fault.message, "required"))
            fail_msg("round %u: scanned, not unpacked: %s", round, fault.message);
        n_accepted += code == HERO__V1__CODE__OK;
        fault_done(&fault);
        arena_done(&arena);
        free(bytes);
    }
    assert_true(n_accepted > 1000);
}

/* Element by element is what protobuf-c finds at once. */
static void check_elements(const uint8_t *bytes, size_t len)
{
    struct arena arena;
    ProtobufCMessage *head;
    Hero__V1__CommitRequest *whole;
    struct scan_rest rest = SCAN_REST(bytes, len);
    ProtobufCBinaryData element;
    size_t n = 0;
    arena_init(&arena, 1 << 20);
    assert_int_equal(scan_unpack_without(&hero__v1__commit_request__descriptor, 1, bytes, len,
                                         &scan_limits_rpc, &arena, &head, NULL),
                     HERO__V1__CODE__OK);
    whole = hero__v1__commit_request__unpack(arena_allocator(&arena), len, bytes);
    assert_non_null(whole);
    while (scan_next(&rest, 1, &element)) {
        Hero__V1__Mutation *mutation =
            hero__v1__mutation__unpack(arena_allocator(&arena), element.len, element.data);
        assert_non_null(mutation);
        assert_true(n < whole->n_mutations);
        assert_int_equal(mutation->op_case, whole->mutations[n++]->op_case);
    }
    assert_int_equal(n, whole->n_mutations);
    assert_int_equal(((Hero__V1__CommitRequest *)head)->n_mutations, 0);
    assert_int_equal(((Hero__V1__CommitRequest *)head)->keys_only, whole->keys_only);
    assert_int_equal(((Hero__V1__CommitRequest *)head)->validate_only, whole->validate_only);
    arena_done(&arena);
}

static void test_elements(void **state)
{
    (void)state;
    size_t n_accepted = 0;
    check_elements(NULL, 0);
    check_elements(BYTES("\x0a\x00\x10\x01\x0a\x02\x0a\x00\x78\x01\x0a\x00"));
    srandom(2);
    for (unsigned round = 0; round < 60000; round++) {
        uint8_t bytes[64];
        size_t len = random_bytes(bytes, sizeof bytes);
        if (scan_message(&hero__v1__commit_request__descriptor, bytes, len, &scan_limits_rpc,
                         NULL) != HERO__V1__CODE__OK)
            continue;
        check_elements(bytes, len);
        n_accepted++;
    }
    assert_true(n_accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),      cmocka_unit_test(test_wire_faults),
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_paths),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_counts),
        cmocka_unit_test(test_unpack_budget), cmocka_unit_test(test_random),
        cmocka_unit_test(test_elements),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
