/*
 * Parts of heroctl that need no daemon: exit codes, JSON and escaping as they
 * are printed, values joined from standard input, the command line, and .proto
 * source that protoc reads back as the same descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <getopt.h>
#include <unistd.h>
#include <cmocka.h>
#include "command.h"
#include "input.h"
#include "proto_text.h"
#include "text.h"

/* ---- exit codes: the contract ---- */

static void test_exit_codes(void **state)
{
    static const int expected[] = {
        [HERO_OK] = 0,
        [HERO_CANCELLED] = 1,
        [HERO_UNKNOWN] = 1,
        [HERO_INVALID_ARGUMENT] = 5,
        [HERO_DEADLINE_EXCEEDED] = 7,
        [HERO_NOT_FOUND] = 3,
        [HERO_ALREADY_EXISTS] = 4,
        [HERO_PERMISSION_DENIED] = 8,
        [HERO_RESOURCE_EXHAUSTED] = 1,
        [HERO_FAILED_PRECONDITION] = 4,
        [HERO_ABORTED] = 4,
        [HERO_OUT_OF_RANGE] = 5,
        [HERO_UNIMPLEMENTED] = 1,
        [HERO_INTERNAL] = 1,
        [HERO_UNAVAILABLE] = 6,
        [HERO_DATA_LOSS] = 1,
        [HERO_UNAUTHENTICATED] = 8,
    };

    (void)state;
    for (int code = HERO_OK; code <= HERO_UNAUTHENTICATED; code++)
        assert_int_equal(exit_code_of((hero_code)code), expected[code]);
}

/* ---- text ---- */

static void check_json(const char *json, bool pretty, const char *expected)
{
    char *text = NULL;
    size_t size;
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FILE *out = open_memstream(&text, &size);

    assert_non_null(value);
    text_write_json(out, value, pretty);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    json_decref(value);
}

static void test_json(void **state)
{
    (void)state;
    check_json("{\"a\": 1, \"b\": [true, false, null, \"x\"], \"c\": {}, \"d\": []}", false,
               "{\"a\":1,\"b\":[true,false,null,\"x\"],\"c\":{},\"d\":[]}");
    check_json("{\"a\": 1, \"b\": [1, {\"c\": 2}], \"d\": []}", true,
               "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    {\n      \"c\": 2\n    }\n  ],\n"
               "  \"d\": []\n}");
    check_json("[9223372036854775807, -9223372036854775808]", false,
               "[9223372036854775807,-9223372036854775808]");
    check_json("[0.1, 1.0, 1e300, 3.141592653589793, -0.0, 5e-324]", false,
               "[0.1,1.0,1e+300,3.141592653589793,-0.0,4.94065645841247e-324]");
    check_json("\"\\u0000 \\n\\t\\b\\\"\\\\ \\u001b[31m \\u009b \\u007f ü’日\"", false,
               "\"\\u0000 \\n\\t\\b\\\"\\\\ \\u001b[31m \\u009b \\u007f ü’日\"");
}

static void test_escaped(void **state)
{
    static const char text[] = "a\nb\tc\rd\x1b[1m\x7f\xc2\x9b ü’";
    char *escaped = text_escaped(text, strlen(text), false);

    (void)state;
    assert_string_equal(escaped, "a\\nb\\tc\\rd\\x1b[1m\\x7f\\x9b ü’");
    free(escaped);
    escaped = text_escaped("a\nb", 3, true);
    assert_string_equal(escaped, "a\nb");
    free(escaped);
}

static void test_members(void **state)
{
    json_t *object = json_pack("{s:i, s:s}", "snake_case", 1, "camelCase", "2");
    int64_t number = 0;

    (void)state;
    assert_true(text_integer(text_member(object, "snake_case"), &number));
    assert_int_equal(number, 1);
    assert_true(text_integer(text_member(object, "camel_case"), &number));
    assert_int_equal(number, 2);
    assert_false(text_integer(text_member(object, "absent"), &number));
    json_decref(object);
}

/* ---- standard input ---- */

static void check_joined(const char *text, const char *expected, const char *expected_problem)
{
    char problem[256] = "";
    char *joined = input_join_values(text, strlen(text), problem);

    if (expected)
        assert_string_equal(joined, expected);
    else
        assert_null(joined);
    if (expected_problem)
        assert_non_null(strstr(problem, expected_problem));
    free(joined);
}

static void test_join_values(void **state)
{
    char problem[256];

    (void)state;
    check_joined("{\"a\":1}\n", "{\"a\":1}", NULL);
    check_joined(" [ {\"a\":1.50}, {} ] ", " [ {\"a\":1.50}, {} ]", NULL);
    check_joined("{\"a\":1}\n{\"a\":18446744073709551616}\n\n{}",
                 "[{\"a\":1},\n{\"a\":18446744073709551616},\n\n{}]", NULL);
    check_joined("{}{}{}{}{}{}", "[{},{},{},{},{},{}]", NULL);
    check_joined("{\"a\":\"\\u0000\"}", "{\"a\":\"\\u0000\"}", NULL);
    check_joined("", NULL, "empty");
    check_joined(" \n", NULL, "empty");
    check_joined("{}\n[1]", NULL, "each must be an object");
    /* What is broken stays so, in its line: the library names it. */
    check_joined("{}\n{\"a\":\n 1,}", "[{},\n{\"a\":\n 1,}]", NULL);
    check_joined("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", NULL);
    check_joined("{\"a\"", "{\"a\"", NULL);
    check_joined("{}{\"a\":\"\xff\"}{}", "[{},{\"a\":\"\xff\"}{}]", NULL);
    assert_null(input_join_values("{}\n{}\0{}", 8, problem));
    assert_string_equal(problem, "a NUL byte in line 2 of the JSON");
}

/* ---- the command line ---- */

static int parse(struct arguments *arguments, const char *const *words)
{
    char *argv[32];
    int n = 0;

    while (words[n]) {
        argv[n] = (char *)(uintptr_t)words[n];
        n++;
    }
    argv[n] = NULL;
    optind = 0; /* glibc: start anew */
    return arguments_parse(arguments, n, argv);
}

#define WORDS(...) ((const char *const[]){"heroctl", __VA_ARGS__, NULL})

static void check_everywhere(void)
{
    struct arguments arguments;

    assert_int_equal(parse(&arguments, WORDS("-ojson", "get", "--expand", "a", "hero", "--url=u",
                                             "1", "--expand=b,c", "--", "-2")),
                     0);
    assert_string_equal(arguments.command->name, "get");
    assert_int_equal(arguments.format, FORMAT_JSON);
    assert_string_equal(arguments.url, "u");
    assert_string_equal(arguments.expand, "a,b,c");
    assert_int_equal(arguments.n_operands, 3);
    assert_string_equal(arguments.operands[0], "hero");
    assert_string_equal(arguments.operands[2], "-2");
    arguments_done(&arguments);
}

static void test_options_everywhere(void **state)
{
    (void)state;
    check_everywhere();
    setenv("POSIXLY_CORRECT", "1", 1);
    check_everywhere();
    unsetenv("POSIXLY_CORRECT");
}

static void test_order_by_descending(void **state)
{
    struct arguments arguments;

    (void)state;
    assert_int_equal(
        parse(&arguments, WORDS("list", "hero", "--order-by", "-age", "--timeout", "0.25")), 0);
    assert_string_equal(arguments.order_by, "-age");
    assert_int_equal(arguments.timeout_ms, 250);
    arguments_done(&arguments);
}

static void test_usage_mistakes(void **state)
{
    const char *const *const mistakes[] = {
        WORDS("nosuch"),
        WORDS("-o", "xml", "status"),
        WORDS("get", "hero"),
        WORDS("status", "more"),
        WORDS("list", "hero", "--plan"),
        WORDS("list", "hero", "--limit", "0"),
        WORDS("list", "hero", "--limit", "1x"),
        WORDS("status", "--timeout", "0"),
        WORDS("status", "--timeout", "nan"),
        WORDS("status", "--timeout"),
        WORDS("--nonsense", "status"),
        WORDS("-x", "status"),
        WORDS("status", "--help=x"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct arguments arguments;

        assert_int_equal(parse(&arguments, mistakes[i]), EXIT_USAGE);
        arguments_done(&arguments);
    }
}

/* ---- .proto source ---- */

static uint8_t *compile(const char *folder, const char *name, size_t *ret_size)
{
    char command[4096];
    uint8_t *bytes = malloc(1 << 20);

    snprintf(command, sizeof(command),
             "protoc -I'%s' -I'%s/proto' -I'" HERO_DESCRIPTOR_DIRECTORY
             "' --include_imports --descriptor_set_out=/dev/stdout '%s/%s'",
             folder, getenv("HERO_SOURCE"), folder, name);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    *ret_size = fread(bytes, 1, 1 << 20, out);
    assert_int_equal(pclose(out), 0);
    return bytes;
}

/* Printed and compiled again, a file is byte for byte the same descriptors. */
static void check_round_trip(const char *folder, const char *name)
{
    char scratch[] = "/tmp/heroctl-parts-XXXXXX", path[4096];
    size_t size, again_size;
    uint8_t *set = compile(folder, name, &size);

    assert_non_null(mkdtemp(scratch));
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    FILE *out = fopen(path, "w");
    assert_int_equal(proto_text_print(out, set, size, name), 1);
    fclose(out);
    uint8_t *again = compile(scratch, name, &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(set, again, size);
    unlink(path);
    rmdir(scratch);
    free(set);
    free(again);
}

static void test_proto_text(void **state)
{
    char folder[4096];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/tests/data", getenv("HERO_SOURCE"));
    check_round_trip(folder, "library.proto");
    snprintf(folder, sizeof(folder), "%s/examples/heroes", getenv("HERO_SOURCE"));
    check_round_trip(folder, "heroes.proto");
    snprintf(folder, sizeof(folder), "%s/tests/cli", getenv("HERO_SOURCE"));
    check_round_trip(folder, "every2.proto");
    check_round_trip(folder, "every3.proto");
}

static void test_proto_text_broken(void **state)
{
    (void)state;
    assert_int_equal(proto_text_print(stdout, (const uint8_t *)"\x0a\xff", 2, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_join_values),
        cmocka_unit_test(test_options_everywhere),
        cmocka_unit_test(test_order_by_descending),
        cmocka_unit_test(test_usage_mistakes),
        cmocka_unit_test(test_proto_text),
        cmocka_unit_test(test_proto_text_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
