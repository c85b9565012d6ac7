/*
 * Enums and messages of sets: what columns need comes along and goes with
 * them; models inside messages; extensions.
 */
#include <string.h>
#include "merge_case.h"

static bool declares(const struct models *served, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i + len <= served->descriptor_set_len; i++)
        if (memcmp(served->descriptor_set + i, name, len) == 0)
            return true;
    return false;
}

static void remove_model(struct models **served, const char *name)
{
    struct models *left = NULL;
    struct fault fault = FAULT_INIT;
    if (models_without(*served, &name, 1, &left, &fault) != HERO__V1__CODE__OK)
        fail_msg("%s", fault.message);
    models_unref(*served);
    *served = left;
    if (left->n_models > 0) /* protoc takes no empty set */
        check_served(*served);
}

/* What columns are made of comes along, wherever it is declared; more of it
 * when more is needed; and goes when nobody needs it any more. */
static void test_types_come_along(void **state)
{
    static const char shared[] =
        "package s; enum Hue { CRIMSON = 0; } enum Unused { UNUSED_ZERO = 0; }"
        "message Holder { message Inner { repeated Hue hues = 1; }"
        " message Later { optional int32 later_field = 1; } enum Alone { ALONE_ZERO = 0; } }"
        "message Whole { optional Holder.Inner inner = 1; }";
    struct models *served = NULL;
    (void)state;
    MERGE(&served, true, "s.proto", shared, "a.proto",
          "import \"s.proto\";" THING("T", "repeated s.Holder.Inner parts = 2;"));
    assert_true(declares(served, "CRIMSON") && declares(served, "Holder"));
    assert_false(declares(served, "UNUSED_ZERO") || declares(served, "later_field"));
    assert_false(declares(served, "ALONE_ZERO") || declares(served, "Whole"));
    MERGE(&served, false, "s.proto", shared, "a.proto",
          "import \"s.proto\";" THING("T", "repeated s.Holder.Inner parts = 2;"));
    /* Another application needs more of the same message. */
    MERGE(&served, true, "s.proto", shared, "b.proto",
          "import \"s.proto\";" THING("U", "optional s.Holder.Later later = 2;"
                                           " optional s.Whole whole = 3;"));
    assert_true(declares(served, "later_field") && declares(served, "Whole"));
    assert_int_equal(model_column(models_find(served, "T", NULL), "parts")->kind, COLUMN_JSON);
    remove_model(&served, "U");
    assert_false(declares(served, "later_field") || declares(served, "Whole"));
    assert_true(declares(served, "CRIMSON"));
    remove_model(&served, "T");
    assert_false(declares(served, "CRIMSON"));
    models_unref(served);
}

/* A changed enum or message is a change of the models that are made of it. */
static void test_types_change(void **state)
{
    struct models *served = NULL;
    (void)state;
    MERGE(&served, true, "a.proto", "enum Hue { RED = 0; }" THING("T", "optional Hue hue = 2;"));
    MERGE(&served, true, "a.proto",
          "enum Hue { RED = 0; BLUE = 1; }" THING("T", "optional Hue hue = 2;"));
    const struct column *hue = model_column(models_find(served, "T", NULL), "hue");
    const ProtobufCEnumDescriptor *descriptor = hue->field->descriptor;
    assert_int_equal(descriptor->n_values, 2);
    assert_string_equal(hue->sql_type, "VARCHAR(4)");
    /* The enum alone, in a set that has no word of the model. */
    MERGE(&served, true, "b.proto",
          "enum Hue { RED = 0; BLUE = 1; GREEN = 2; }" THING("V", "optional Hue hue = 2;"));
    hue = model_column(models_find(served, "T", NULL), "hue");
    assert_int_equal(((const ProtobufCEnumDescriptor *)hue->field->descriptor)->n_values, 3);
    models_unref(served);
}

/* Models inside messages come and go on their own. */
static void test_models_inside_messages(void **state)
{
    struct models *served = NULL;
    (void)state;
    MERGE(&served, true, "a.proto",
          "message Outer { " THING("One", "")
              THING("Two", "optional Kind kind = 2;") " enum Kind { KIND_ZERO = 0; } }");
    assert_int_equal(served->n_models, 2);
    assert_string_equal(models_find(served, "one", NULL)->name, "Outer.One");
    MERGE(&served, true, "b.proto", "message Outer { " THING("Three", "") " }");
    assert_int_equal(served->n_models, 3);
    remove_model(&served, "Outer.Two");
    assert_int_equal(served->n_models, 2);
    assert_false(declares(served, "KIND_ZERO"));
    remove_model(&served, "Outer.One");
    remove_model(&served, "Outer.Three");
    assert_int_equal(served->n_models, 0);
    models_unref(served);
}

static void test_extensions_warn(void **state)
{
    struct models *served = NULL;
    (void)state;
    MERGE(&served, true, "a.proto",
          "message T { option (hero.table) = {};"
          " optional int64 id = 1 [(hero.column).primary_key = true]; extensions 100 to 200; }"
          "extend T { optional int32 lost = 100; }"
          "message Scope { extend T { optional int32 inside = 101; } }");
    assert_int_equal(served->n_warnings, 2);
    assert_non_null(strstr(served->warnings[0], "a.proto:lost: extends the model T"));
    assert_non_null(strstr(served->warnings[1], "a.proto:inside: extends the model T"));
    models_unref(served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_come_along),
        cmocka_unit_test(test_types_change),
        cmocka_unit_test(test_models_inside_messages),
        cmocka_unit_test(test_extensions_warn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
