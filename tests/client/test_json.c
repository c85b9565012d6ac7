/*
 * JSON of single values and messages: a column of every type there and back,
 * what is refused and with which path, and how numbers print.
 */
#include <locale.h>
#include <math.h>
#include "unit.h"
#include "dynamic.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/records.pb-c.h"
#include "json.h"
#include "library.h"

struct fixture {
    struct models *models;
    const struct model *scalars;
    struct arena arena;
    struct fault fault;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->models = library_models();
    fixture->scalars = library_model(fixture->models, "scalars");
    arena_init(&fixture->arena, 64 * 1024 * 1024);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    models_unref(fixture->models);
    arena_done(&fixture->arena);
    fault_done(&fixture->fault);
    free(fixture);
    return 0;
}

static Code read_text(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor,
                      const char *text, ProtobufCMessage **ret_message)
{
    struct json_path path = JSON_PATH_INIT;
    json_t *value;
    Code code;

    fault_done(&fixture->fault);
    code = json_parse(text, &value, &fixture->fault);
    if (code)
        return code;
    code =
        json_read_message(value, descriptor, &fixture->arena, &path, ret_message, &fixture->fault);
    json_decref(value);
    assert_int_equal(path.len, 0);
    return code;
}

/* Reads the text, prints what was read. */
static void assert_becomes(struct fixture *fixture, const char *text, const char *expected)
{
    ProtobufCMessage *message;
    json_t *value;
    char *printed;

    if (read_text(fixture, fixture->scalars->descriptor, text, &message))
        fail_msg("%s: %s", text, fixture->fault.message);
    value = json_write_message(message);
    assert_int_equal(json_print(value, 1 << 20, &printed, &fixture->fault), HERO__V1__CODE__OK);
    assert_string_equal(printed, expected);
    free(printed);
    json_decref(value);
}

static void assert_refused(struct fixture *fixture, const char *text, const char *path,
                           const char *part)
{
    ProtobufCMessage *message;

    if (read_text(fixture, fixture->scalars->descriptor, text, &message) !=
        HERO__V1__CODE__INVALID_ARGUMENT)
        fail_msg("%s is taken", text);
    if (path) {
        assert_int_equal(fixture->fault.n_violations, 1);
        assert_string_equal(fixture->fault.violations[0].path, path);
        if (!strstr(fixture->fault.violations[0].description, part))
            fail_msg("%s: %s", text, fixture->fault.violations[0].description);
    } else if (!strstr(fixture->fault.message, part)) {
        fail_msg("%s: %s", text, fixture->fault.message);
    }
}

#define SAME(text) assert_becomes(*state, "{\"" text "}", "{\"" text "}")

static void test_integers(void **state)
{
    SAME("a_int32\": -2147483648");
    SAME("a_int32\": 2147483647");
    SAME("a_sint32\": -1");
    SAME("a_sfixed32\": 0");
    SAME("a_uint32\": 4294967295");
    SAME("a_fixed32\": 7");
    SAME("a_int64\": -9223372036854775808");
    SAME("a_sint64\": 9223372036854775807");
    SAME("a_sfixed64\": 9007199254740993");
    SAME("a_uint64\": 9223372036854775807");
    /* Past int64 numbers are text, both ways. */
    SAME("a_uint64\": \"9223372036854775808\"");
    SAME("a_fixed64\": \"18446744073709551615\"");
    assert_becomes(*state, "{\"a_int64\": \"-9223372036854775808\"}",
                   "{\"a_int64\": -9223372036854775808}");
    assert_becomes(*state, "{\"a_uint32\": \"12\", \"a_int32\": 3.0}",
                   "{\"a_int32\": 3, \"a_uint32\": 12}");
    assert_becomes(*state, "{\"a_int32\": null}", "{}");
}

static void test_integers_refused(void **state)
{
    assert_refused(*state, "{\"a_int32\": 2147483648}", "a_int32", "out of range");
    assert_refused(*state, "{\"a_int32\": -2147483649}", "a_int32", "out of range");
    assert_refused(*state, "{\"a_uint32\": -1}", "a_uint32", "out of range");
    assert_refused(*state, "{\"a_uint32\": 4294967296}", "a_uint32", "out of range");
    assert_refused(*state, "{\"a_uint64\": -1}", "a_uint64", "out of range");
    assert_refused(*state, "{\"a_int64\": \"9223372036854775808\"}", "a_int64", "out of range");
    assert_refused(*state, "{\"a_int64\": 9223372036854775808}", NULL, "given as text");
    assert_refused(*state, "{\"a_uint64\": \"18446744073709551616\"}", "a_uint64", "expected");
    assert_refused(*state, "{\"a_int32\": 1.5}", "a_int32", "expected integer, got real");
    assert_refused(*state, "{\"a_int64\": 1e300}", "a_int64", "expected integer");
    assert_refused(*state, "{\"a_int32\": \"\"}", "a_int32", "expected integer");
    assert_refused(*state, "{\"a_int32\": \"-\"}", "a_int32", "expected integer");
    assert_refused(*state, "{\"a_int32\": \" 1\"}", "a_int32", "expected integer");
    assert_refused(*state, "{\"a_int32\": \"0x10\"}", "a_int32", "expected integer");
    assert_refused(*state, "{\"a_int32\": true}", "a_int32", "expected integer, got bool");
    assert_refused(*state, "{\"a_int32\": [1]}", "a_int32", "expected integer, got array");
    assert_refused(*state, "{\"a_int32\": {}}", "a_int32", "expected integer, got object");
}

static void test_reals(void **state)
{
    SAME("a_double\": 0.1");
    SAME("a_double\": 5.0");
    SAME("a_double\": -0.0");
    SAME("a_double\": 0.30000000000000004");
    SAME("a_double\": 1.7976931348623157e+308");
    SAME("a_double\": 5e-324");
    SAME("a_double\": 1e+22");
    SAME("a_float\": 0.1");
    SAME("a_float\": 16777216.0");
    SAME("a_float\": 3.4028235e+38");
    SAME("a_float\": 1e-45");
    assert_becomes(*state, "{\"a_double\": 7, \"a_float\": \"2.5\"}",
                   "{\"a_float\": 2.5, \"a_double\": 7.0}");
    assert_refused(*state, "{\"a_double\": \"nan\"}", "a_double", "NaN");
    assert_refused(*state, "{\"a_double\": \"Infinity\"}", "a_double", "infinity");
    assert_refused(*state, "{\"a_double\": NaN}", NULL, "line 1");
    assert_refused(*state, "{\"a_double\": 1e999}", NULL, "line 1");
    assert_refused(*state, "{\"a_double\": \"1e999\"}", "a_double", "expected number");
    assert_refused(*state, "{\"a_float\": 1e39}", "a_float", "out of range");
    assert_refused(*state, "{\"a_double\": \"1.5x\"}", "a_double", "expected number");
    assert_refused(*state, "{\"a_double\": false}", "a_double", "expected number, got bool");
}

/* Every float and double of many sizes prints so that it reads back. */
static void test_reals_round_trip(void **state)
{
    struct fixture *fixture = *state;
    const ProtobufCMessageDescriptor *descriptor = fixture->scalars->descriptor;
    uint64_t bits = UINT64_C(0x9e3779b97f4a7c15);

    for (int i = 0; i < 20000; i++) {
        const struct column *a_double = model_column(fixture->scalars, "a_double");
        const struct column *a_float = model_column(fixture->scalars, "a_float");
        ProtobufCMessage *message = dynamic_message(&fixture->arena, descriptor), *again;
        double number;
        float small;
        char *printed;
        json_t *value;
        uint32_t low;

        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        low = (uint32_t)(bits >> 32);
        memcpy(&number, &bits, sizeof(number));
        memcpy(&small, &low, sizeof(small));
        if (!isfinite(number) || !isfinite(small))
            continue;
        *(double *)field_at(message, a_double->field) = number;
        *(float *)field_at(message, a_float->field) = small;
        field_set_present(message, a_double->field, true);
        field_set_present(message, a_float->field, true);
        value = json_write_message(message);
        assert_int_equal(json_print(value, 1 << 20, &printed, NULL), HERO__V1__CODE__OK);
        json_decref(value);
        assert_int_equal(read_text(fixture, descriptor, printed, &again), HERO__V1__CODE__OK);
        assert_memory_equal(field_at(again, a_double->field), &number, sizeof(number));
        assert_memory_equal(field_at(again, a_float->field), &small, sizeof(small));
        free(printed);
        arena_reset(&fixture->arena);
    }
}

static void test_reals_under_another_locale(void **state)
{
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    bool found = false;

    for (size_t i = 0; i < 3; i++) {
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        found = true;
        SAME("a_double\": 0.30000000000000004");
        assert_becomes(*state, "{\"a_double\": \"1.5\"}", "{\"a_double\": 1.5}");
    }
    setlocale(LC_ALL, "C");
    if (!found)
        skip();
}

static void test_text_and_bytes(void **state)
{
    SAME("a_string\": \"\"");
    SAME("a_string\": \"Sister Margaret’s Bar\"");
    SAME("a_string\": \"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\"");
    assert_becomes(*state, "{\"a_string\": \"\\u00e9\\ud83d\\ude00\"}", "{\"a_string\": \"é😀\"}");
    SAME("a_bytes\": \"\"");
    SAME("a_bytes\": \"AA==\"");
    SAME("a_bytes\": \"AP8=\"");
    SAME("a_bytes\": \"+/+/\"");
    SAME("a_bool\": true");
    assert_becomes(*state, "{\"a_bool\": \"false\"}", "{\"a_bool\": false}");

    assert_refused(*state, "{\"a_string\": 1}", "a_string", "expected string, got integer");
    assert_refused(*state, "{\"a_string\": \"a\\u0000b\"}", "a_string", "u0000");
    assert_refused(*state, "{\"a_string\": \"\xff\"}", "a_string", "not UTF-8");
    assert_refused(*state, "{\"a_string\": \"\\ud800\"}", "a_string", "line 1");
    assert_refused(*state, "{\"a_bytes\": \"AA=\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": \"AB==\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": \"A===\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": \"AA==AA==\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": \"AA \\n\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": \"-_-_\"}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bytes\": 5}", "a_bytes", "base64");
    assert_refused(*state, "{\"a_bool\": 1}", "a_bool", "expected bool, got integer");
    assert_refused(*state, "{\"a_bool\": \"yes\"}", "a_bool", "true or false");
}

static void test_text_refused(void **state)
{
    struct fixture *fixture = *state;
    ProtobufCMessage *message;
    char *deep = malloc(20001);

    assert_refused(*state, "", NULL, "line 1");
    assert_refused(*state, "{\"id\": 1", NULL, "line 1");
    assert_refused(*state, "{\"id\": 1} x", NULL, "line 1");
    assert_refused(*state, "{\"id\": 1, \"id\": 2}", "id", "twice");
    /* What is to blame is named by its path, however deep; a name that is itself broken, or that
     * never ends, is not. */
    assert_refused(*state, "{\"a\": [1, {\"b\": \"x,{[\\\"\", \"c\": [[], \"\xc3\x28\"]}]}",
                   "a[1].c[1]", "not UTF-8");
    assert_refused(*state, "{\"a\": {\"b\": {}, \"\xff\": 1}}", "a", "not UTF-8");
    assert_refused(*state, "{\"a\": {\"b\": 99999999999999999999}}", "a.b", "too large");
    assert_refused(*state, "[{\"a\": 1}, {\"a\": tru}]", "[1].a", "invalid token");
    assert_refused(*state, "{\"nme\": 1}", "", "has no field nme; it has: id a_int32");
    assert_refused(*state, "[]", "", "expected object, got array");
    memset(deep, '[', 20000);
    deep[20000] = '\0';
    assert_int_equal(read_text(fixture, fixture->scalars->descriptor, deep, &message),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(strncmp(fixture->fault.violations[0].path, "[0][0][0]", 9), 0);
    assert_non_null(strstr(fixture->fault.violations[0].description, "nested too deep"));
    free(deep);
    fault_done(&fixture->fault);
    assert_int_equal(json_parse(NULL, NULL, &fixture->fault), HERO__V1__CODE__INVALID_ARGUMENT);
}

/* Messages of our own: nesting, repetition, enums, oneofs, both spellings. */
static void test_messages(void **state)
{
    struct fixture *fixture = *state;
    ProtobufCMessage *message;
    const Hero__V1__ListRequest *list;
    const Hero__V1__CommitRequest *commit;
    json_t *value;
    char *printed;

    assert_int_equal(read_text(fixture, &hero__v1__list_request__descriptor,
                               "{\"model\": \"x\", \"orderBy\": [\"a\", \"-b\"], \"page_size\": 3}",
                               &message),
                     HERO__V1__CODE__OK);
    list = (const Hero__V1__ListRequest *)message;
    assert_int_equal(list->n_order_by, 2);
    assert_string_equal(list->order_by[1], "-b");
    assert_int_equal(list->page_size, 3);

    assert_int_equal(
        read_text(fixture, &hero__v1__commit_request__descriptor,
                  "{\"mutations\": [{\"create\": {\"graph\": {\"records\": [{\"ref\": 1, "
                  "\"member\": \"CONNECT_OR_CREATE\"}]}}}, {\"delete\": {\"targets\": []}}]}",
                  &message),
        HERO__V1__CODE__OK);
    commit = (const Hero__V1__CommitRequest *)message;
    assert_int_equal(commit->n_mutations, 2);
    assert_int_equal(commit->mutations[0]->op_case, HERO__V1__MUTATION__OP_CREATE);
    assert_int_equal(commit->mutations[0]->create->graph->records[0]->member,
                     HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE);
    value = json_write_message(message);
    assert_int_equal(json_print(value, 1 << 20, &printed, NULL), HERO__V1__CODE__OK);
    assert_string_equal(
        printed,
        "{\"mutations\": [{\"create\": {\"graph\": {\"records\": [{\"ref\": 1, "
        "\"member\": \"CONNECT_OR_CREATE\"}], \"edges\": [], \"lists\": []}}}, {\"delete\": "
        "{\"targets\": []}}]}");
    free(printed);
    json_decref(value);

    assert_int_not_equal(read_text(fixture, &hero__v1__commit_request__descriptor,
                                   "{\"mutations\": [{}, {\"create\": {}, \"delete\": {}}]}",
                                   &message),
                         HERO__V1__CODE__OK);
    assert_string_equal(fixture->fault.violations[0].path, "mutations[1].delete");
    assert_int_not_equal(read_text(fixture, &hero__v1__check_response__descriptor,
                                   "{\"serving\": \"PERHAPS\"}", &message),
                         HERO__V1__CODE__OK);
    assert_string_equal(fixture->fault.violations[0].path, "serving");
    assert_int_not_equal(read_text(fixture, &hero__v1__commit_request__descriptor,
                                   "{\"mutations\": [{\"create\": {\"graph\": {\"records\": "
                                   "[{\"ref\": -1}]}}}]}",
                                   &message),
                         HERO__V1__CODE__OK);
    assert_string_equal(fixture->fault.violations[0].path,
                        "mutations[0].create.graph.records[0].ref");
}

static void test_limits(void **state)
{
    struct fixture *fixture = *state;
    struct json_path path = JSON_PATH_INIT;
    json_t *value = json_pack("[sss]", "aaaa", "bbbb", "cccc");
    size_t before;
    char *printed;

    assert_int_equal(json_print(value, 27, &printed, NULL), HERO__V1__CODE__OK);
    assert_string_equal(printed, "[\"aaaa\", \"bbbb\", \"cccc\"]");
    free(printed);
    assert_int_equal(json_print(value, 20, &printed, &fixture->fault),
                     HERO__V1__CODE__RESOURCE_EXHAUSTED);
    json_decref(value);
    /* Paths are cut, not overrun, and found back from. */
    before = json_path_name(&path, "teams");
    for (int i = 0; i < 1000; i++)
        (void)json_path_index(&path, 12345);
    assert_true(path.len < sizeof(path.text));
    json_path_pop(&path, before);
    assert_string_equal(path.text, "");
}

/* What is wrong is told by its path and kind, never by what it is: errors may be logged. */
static void test_values_stay_secret(void **state)
{
    static const char *const texts[] = {
        "{\"a_int32\": \"s3cret\"}",  "{\"a_int64\": 77777777777777777777}",
        "{\"a_int32\": 7777777777}",  "{\"a_uint32\": -7777}",
        "{\"a_double\": \"s3cret\"}", "{\"a_bool\": \"s3cret\"}",
        "{\"a_bytes\": \"s3cret!\"}", "{\"a_string\": \"s3cret",
        "{\"a_string\": s3cret}",     "{\"a_string\": [\"s3cret\"]}",
        "{\"a_float\": 7.7777e300}",  "{\"a_uint64\": \"777777777777777777777\"}",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ProtobufCMessage *message;

        assert_int_equal(read_text(fixture, fixture->scalars->descriptor, texts[i], &message),
                         HERO__V1__CODE__INVALID_ARGUMENT);
        assert_null(strstr(fixture->fault.message, "s3cret"));
        assert_null(strstr(fixture->fault.message, "7777"));
        for (size_t v = 0; v < fixture->fault.n_violations; v++) {
            assert_null(strstr(fixture->fault.violations[v].description, "s3cret"));
            assert_null(strstr(fixture->fault.violations[v].description, "7777"));
        }
        fault_done(&fixture->fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_integers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_integers_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reals_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reals_under_another_locale, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_and_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_stay_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
