/*
 * Keys: values, text and JSON that mean the same key are the same bytes; what
 * is no key of the model is told by its path.
 */
#include "unit.h"
#include "key.h"
#include "library.h"

struct fixture {
    struct models *models;
    struct arena arena;
    struct fault fault;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->models = library_models();
    arena_init(&fixture->arena, 1024 * 1024);
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

static void assert_same(struct fixture *fixture, const char *model_name, hero_key key,
                        const char *text)
{
    const struct model *model = library_model(fixture->models, model_name);
    ProtobufCBinaryData a, b;

    if (key_pack(model, &key, "key", &fixture->arena, &a, &fixture->fault) ||
        key_parse(model, text, "key", &fixture->arena, &b, &fixture->fault))
        fail_msg("%s: %s", text, fixture->fault.message);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}

static void assert_no_text(struct fixture *fixture, const char *model_name, const char *text,
                           const char *path)
{
    const struct model *model = library_model(fixture->models, model_name);
    ProtobufCBinaryData key;

    fault_done(&fixture->fault);
    if (key_parse(model, text, "key", &fixture->arena, &key, &fixture->fault) !=
        HERO__V1__CODE__INVALID_ARGUMENT)
        fail_msg("%s is taken", text ? text : "NULL");
    assert_int_equal(fixture->fault.n_violations, 1);
    assert_string_equal(fixture->fault.violations[0].path, path);
}

static void assert_no_key(struct fixture *fixture, const char *model_name, hero_key key)
{
    const struct model *model = library_model(fixture->models, model_name);
    ProtobufCBinaryData packed;

    fault_done(&fixture->fault);
    assert_int_equal(key_pack(model, &key, "keys[2]", &fixture->arena, &packed, &fixture->fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(fixture->fault.n_violations, 1);
    assert_string_equal(fixture->fault.violations[0].path, "keys[2]");
}

static void test_one_column(void **state)
{
    struct fixture *fixture = *state;

    assert_same(fixture, "book", HERO_KEY(7), "7");
    assert_same(fixture, "book", HERO_KEY(7), "\"7\"");
    assert_same(fixture, "book", HERO_KEY(7), "[7]");
    assert_same(fixture, "book", HERO_KEY(7), "{\"id\": 7}");
    assert_same(fixture, "book", HERO_KEY(INT64_MIN), "-9223372036854775808");
    assert_same(fixture, "book", HERO_KEY((uint64_t)7), "7");
    assert_same(fixture, "author", HERO_KEY("jk, the second"), "jk, the second");
    assert_same(fixture, "author", HERO_KEY("7"), "7");
    assert_same(fixture, "author", HERO_KEY("a\"b"), "\"a\\\"b\"");
    assert_same(fixture, "author", HERO_KEY("[not json"), "[not json");
    assert_same(fixture, "author", HERO_KEY(""), "");
}

static void test_several_columns(void **state)
{
    struct fixture *fixture = *state;

    assert_same(fixture, "copy", HERO_KEY("north", 3), "north,3");
    assert_same(fixture, "copy", HERO_KEY("north", 3), "[\"north\", 3]");
    assert_same(fixture, "copy", HERO_KEY("north", 3), "{\"shelf\": 3, \"branch\": \"north\"}");
    assert_same(fixture, "copy", HERO_KEY("a,b", -1), "[\"a,b\", -1]");
    assert_no_text(fixture, "copy", "north", "key");
    assert_no_text(fixture, "copy", "a,b,3", "key");
    assert_no_text(fixture, "copy", "[\"a\"]", "key");
    assert_no_text(fixture, "copy", "a,x", "key[1]");
    assert_no_text(fixture, "copy", "a,2147483648", "key[1]");
    assert_no_text(fixture, "copy", "{\"branch\": \"a\"}", "key.shelf");
    assert_no_text(fixture, "copy", "{\"branch\": \"a\", \"shelf\": 1, \"book_id\": 1}", "key");
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;
    hero_key none = {0};

    assert_no_text(fixture, "book", "seven", "key");
    assert_no_text(fixture, "book", "", "key");
    assert_no_text(fixture, "book", "9223372036854775808", "key");
    assert_no_text(fixture, "book", "{}", "key.id");
    assert_no_text(fixture, "book", "[null]", "key[0]");
    assert_no_text(fixture, "book", "{\"titel\": 1}", "key");
    assert_no_text(fixture, "author", "\xff", "key");
    assert_no_text(fixture, "author", NULL, "key");

    assert_no_key(fixture, "book", none);
    assert_no_key(fixture, "book", HERO_KEY("7"));
    assert_no_key(fixture, "book", HERO_KEY(7.0));
    assert_no_key(fixture, "book", HERO_KEY(7, 8));
    assert_no_key(fixture, "book", HERO_KEY(UINT64_MAX));
    assert_no_key(fixture, "author", HERO_KEY(7));
    assert_no_key(fixture, "author", HERO_KEY("\xc3"));
    assert_no_key(fixture, "author", HERO_KEY((const char *)NULL));
    assert_no_key(fixture, "copy", HERO_KEY("a", INT64_C(3000000000)));
    assert_no_key(fixture, "author", ((hero_key){1, {hero_value_bytes("a\0b", 3)}}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
