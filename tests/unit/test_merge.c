/*
 * Sets as a whole: merging by full message name, changes told one by one,
 * removal, and unions that protoc itself accepts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "model.h"
#include "protoc.h"

#define THING(name, more)                                                                          \
    "message " name " { option (hero.table) = {};"                                                 \
    " optional int64 id = 1 [(hero.column).primary_key = true]; " more " }\n"
#define LINK(name, left, right)                                                                    \
    "message " name " { option (hero.table) = {};"                                                 \
    " optional int64 l = 1 [(hero.column) = {primary_key: true foreign_key: \"" left ".id\"}];"    \
    " optional int64 r = 2 [(hero.column) = {primary_key: true foreign_key: \"" right ".id\"}]; }"

static Code try_merge(struct models **served, struct bytes set, bool *ret_changed,
                      struct fault *fault)
{
    struct models *merged = NULL;
    Code code = models_merge(*served, set.data, set.len, &merged, ret_changed, fault);
    if (code == HERO__V1__CODE__OK) {
        models_unref(*served);
        *served = merged;
    }
    free(set.data);
    return code;
}

/* What is served must be a set that protoc takes and that parses back. */
static void check_served(const struct models *served)
{
    struct models *again = NULL;
    assert_int_equal(protoc_accepts(served->descriptor_set, served->descriptor_set_len), 0);
    assert_int_equal(models_new(served->descriptor_set, served->descriptor_set_len, &again, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(again->n_models, served->n_models);
    for (size_t i = 0; i < again->n_models; i++) {
        assert_string_equal(again->models[i].name, served->models[i].name);
        assert_string_equal(again->models[i].table, served->models[i].table);
        assert_int_equal(again->models[i].n_columns, served->models[i].n_columns);
        assert_int_equal(again->models[i].n_relationships, served->models[i].n_relationships);
    }
    models_unref(again);
}

/* The judge itself: a set that lacks an import is not taken. */
static void test_protoc_refuses(void **state)
{
    (void)state;
    struct bytes set = protoc_file("examples/heroes", "heroes.proto");
    Google__Protobuf__FileDescriptorSet *files =
        google__protobuf__file_descriptor_set__unpack(NULL, set.len, set.data);
    assert_non_null(files);
    assert_int_equal(protoc_accepts(set.data, set.len), 0);
    Google__Protobuf__FileDescriptorProto *last = files->file[files->n_file - 1];
    Google__Protobuf__FileDescriptorSet part = GOOGLE__PROTOBUF__FILE_DESCRIPTOR_SET__INIT;
    part.n_file = 1;
    part.file = &last;
    size_t len = google__protobuf__file_descriptor_set__pack(&part, set.data);
    assert_int_not_equal(protoc_accepts(set.data, len), 0);
    google__protobuf__file_descriptor_set__free_unpacked(files, NULL);
    free(set.data);
}

static void merge_texts(struct models **served, const char *const *texts, bool expect_changed)
{
    bool changed = !expect_changed;
    struct fault fault = FAULT_INIT;
    Code code = try_merge(served, protoc_texts(texts), &changed, &fault);
    if (code != HERO__V1__CODE__OK)
        fail_msg("%s: %s", code_name(code), fault.message);
    assert_int_equal(changed, expect_changed);
    check_served(*served);
}

#define MERGE(served, changed, ...)                                                                \
    merge_texts(served, (const char *const[]){__VA_ARGS__, NULL}, changed)

static void test_same_again(void **state)
{
    (void)state;
    struct models *served = NULL;
    bool changed = false;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            try_merge(&served, protoc_file("examples/heroes", "heroes.proto"), &changed, NULL),
            HERO__V1__CODE__OK);
        assert_int_equal(changed, i == 0);
        assert_int_equal(served->n_models, 3);
        assert_int_equal(served->version, 0);
        check_served(served);
    }
    assert_int_equal(try_merge(&served, protoc_file("tests/data", "library.proto"), &changed, NULL),
                     HERO__V1__CODE__OK);
    assert_true(changed);
    assert_int_equal(served->n_models, 11);
    check_served(served);
    models_unref(served);
}

static void test_one_file_name_two_applications(void **state)
{
    (void)state;
    struct models *served = NULL;
    MERGE(&served, true, "models.proto", "package a;" THING("One", ""));
    MERGE(&served, true, "models.proto", "package b;" THING("Two", ""));
    MERGE(&served, true, "models.proto", "package a;" THING("Three", ""));
    assert_int_equal(served->n_models, 3);
    assert_string_equal(models_find(served, "b.Two", NULL)->file, "2/models.proto");
    assert_string_equal(models_find(served, "a.Three", NULL)->file, "models.proto");
    models_unref(served);
}

static void test_one_message_two_files(void **state)
{
    (void)state;
    struct models *served = NULL;
    const char *shared = THING("Team", "");
    MERGE(&served, true, "heroes.proto",
          THING("Team", "") THING("Hero", "repeated Team teams = 2"
                                          " [(hero.relationship).link_model = \"L\"];")
              LINK("L", "hero", "team"));
    /* The other application has Team in a file of its own and relates to it. */
    MERGE(&served, true, "shared.proto", shared, "players.proto",
          "import \"shared.proto\";" THING("Player", "repeated Team teams = 2"
                                                     " [(hero.relationship).link_model = \"P\"];")
              LINK("P", "player", "team"));
    assert_int_equal(served->n_models, 5);
    models_unref(served);
}

/* a.proto gains a message that needs b.proto, which imports a.proto. */
static void test_no_cycle_of_files(void **state)
{
    (void)state;
    struct models *served = NULL;
    MERGE(&served, true, "a.proto", THING("A", ""), "b.proto",
          "import \"a.proto\";" THING("B", "repeated A as = 2"
                                           " [(hero.relationship).link_model = \"L\"];")
              LINK("L", "b", "a"));
    MERGE(&served, true, "a.proto",
          THING("A", "") THING("B", "repeated A as = 2 [(hero.relationship).link_model = \"L\"];")
              LINK("L", "b", "a")
                  THING("C", "repeated B bs = 2 [(hero.relationship).link_model = \"M\"];")
                      LINK("M", "c", "b"));
    assert_int_equal(served->n_models, 5);
    models_unref(served);
}

/* What no model needs is not kept: enums, services, plain and nested messages. */
static void test_only_models_are_kept(void **state)
{
    (void)state;
    struct models *served = NULL;
    MERGE(&served, true, "a.proto",
          "enum Colour { RED = 0; } service S { rpc Ask(Q) returns (Q); }"
          "message Q { optional Colour colour = 1; optional A a = 2; }"
          "message A { option (hero.table) = {}; message In { optional Colour colour = 1; }"
          " optional int64 id = 1 [(hero.column).primary_key = true]; }");
    /* The same plain names in another file are no conflict, and a model may come
     * by the name of a message that was plain. */
    MERGE(&served, true, "b.proto", "enum Colour { BLUE = 0; }" THING("Q", ""));
    assert_non_null(models_find(served, "Q", NULL)->auto_id);
    models_unref(served);
}

static bool is_told(const struct fault *fault, const char *path, const char *words)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (strcmp(fault->violations[i].path, path) == 0 &&
            strstr(fault->violations[i].description, words))
            return true;
    return false;
}

static void test_changes_are_refused(void **state)
{
    static const char before[] =
        "message T { option (hero.table) = {};"
        " optional int64 id = 1 [(hero.column).primary_key = true];"
        " optional string name = 2; optional int32 size = 3 [(hero.column).default = \"1\"];"
        " optional string gone = 4; optional string code = 5 [(hero.column).index = true];"
        " repeated T ts = 6 [(hero.relationship) = {link_model: \"L\" link_from: \"l\"}]; }" LINK(
            "L", "t", "t");
    static const char after[] =
        "message T { option (hero.table) = {name: \"tt\"};"
        " optional int64 id = 1 [(hero.column).primary_key = true];"
        " optional string label = 2; optional int64 size = 3 [(hero.column).default = \"2\"];"
        " required string code = 5 [(hero.column) = {unique: true name: \"c\" not_null: true}];"
        " repeated T ts = 6 [(hero.relationship) = {link_model: \"L\" link_from: \"r\"}];"
        " optional bool more = 7; }" LINK("L", "tt", "tt") THING("New", "");
    static const char *const told[][2] = {
        {"x.proto:T", "(hero.table).name changes from unset to \"tt\""},
        {"x.proto:T.label", "is renamed: number 2 is served as name"},
        {"x.proto:T.size", "changes its type from TYPE_INT32 to TYPE_INT64"},
        {"x.proto:T.size", "(hero.column).default changes from \"1\" to \"2\""},
        {"x.proto:T.code", "changes from optional to required"},
        {"x.proto:T.code", "(hero.column).index changes from true to false"},
        {"x.proto:T.code", "(hero.column).unique changes from false to true"},
        {"x.proto:T.code", "(hero.column).not_null changes from false to true"},
        {"x.proto:T.code", "(hero.column).name changes from unset to \"c\""},
        {"x.proto:T.ts", "(hero.relationship).link_from changes from \"l\" to \"r\""},
        {"x.proto:T", "gains the field more"},
        {"x.proto:T", "loses the field gone"},
        {"x.proto:L.l", "(hero.column).foreign_key changes"},
        {"x.proto:L.r", "(hero.column).foreign_key changes"},
    };
    (void)state;
    struct models *served = NULL;
    struct fault fault = FAULT_INIT;
    bool changed = true;
    MERGE(&served, true, "t.proto", before);
    const struct models *kept = served;
    assert_int_equal(try_merge(&served, protoc_texts((const char *const[]){"x.proto", after, NULL}),
                               &changed, &fault),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_ptr_equal(served, kept);
    assert_null(models_find(served, "New", NULL));
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (!is_told(&fault, told[i][0], told[i][1]))
            fail_msg("not told: %s | %s", told[i][0], told[i][1]);
    assert_int_equal(fault.n_violations, sizeof told / sizeof *told);
    fault_done(&fault);
    models_unref(served);
}

/* Said otherwise, and still the same. */
static void test_no_change(void **state)
{
    (void)state;
    struct models *served = NULL;
    MERGE(&served, true, "a.proto",
          THING("T", "optional string a = 2; optional string b = 3 [(hero.column).index = true];"));
    MERGE(&served, false, "b.proto",
          THING("T", "optional string b = 3 [(hero.column) = {index: true unique: false}];"
                     "/* a comment */ optional string a = 2 [deprecated = true];"));
    models_unref(served);
}

static void test_faulty_unions(void **state)
{
    (void)state;
    struct models *served = NULL;
    struct fault fault = FAULT_INIT;
    bool changed;
    MERGE(&served, true, "a.proto", "package a;" THING("Thing", ""));
    const char *twin[] = {"b.proto", "package b;" THING("Thing", ""), NULL};
    assert_int_equal(try_merge(&served, protoc_texts(twin), &changed, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(fault.violations[0].description, "has the same table name"));
    fault_done(&fault);
    const char *none[] = {"c.proto", "message Plain {}", NULL};
    assert_int_equal(try_merge(&served, protoc_texts(none), &changed, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(fault.message, "holds no model"));
    fault_done(&fault);
    const char *lost[] = {"d.proto", "package a; message Thing { optional int64 id = 1; }", NULL};
    assert_int_equal(try_merge(&served, protoc_texts(lost), &changed, &fault),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    fault_done(&fault);
    assert_int_equal(try_merge(&served, (struct bytes){NULL, 0}, &changed, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    fault_done(&fault);
    models_unref(served);
}

/* An application may refer to tables of another by name, without its .proto. */
static void test_refers_to_served(void **state)
{
    (void)state;
    struct models *served = NULL;
    MERGE(&served, true, "a.proto", "package a;" THING("Thing", ""));
    MERGE(&served, true, "b.proto",
          "package b;" THING("Part", "optional int64 t = 2 [(hero.column).foreign_key ="
                                     " \"thing.id\"];"));
    assert_ptr_equal(models_find(served, "part", NULL)->columns[1].foreign_key->model,
                     models_find(served, "thing", NULL));
    models_unref(served);
}

#define NAMES(...)                                                                                 \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)

static void test_without(void **state)
{
    (void)state;
    struct models *served = NULL, *less = NULL;
    struct fault fault = FAULT_INIT;
    bool changed;
    assert_int_equal(
        try_merge(&served, protoc_file("examples/heroes", "heroes.proto"), &changed, NULL),
        HERO__V1__CODE__OK);
    MERGE(&served, true, "other.proto", "package other;" THING("Thing", ""));
    assert_int_equal(models_without(served, (const char *const[]){"Team"}, 1, &less, &fault),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(is_told(&fault, "Hero", "its relationship teams needs Team"));
    assert_true(is_told(&fault, "HeroTeamLink", "its column team_id refers to Team"));
    assert_int_equal(fault.n_violations, 2);
    fault_done(&fault);
    assert_int_equal(models_without(served, (const char *const[]){"Team"}, 1, &less, NULL),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_int_equal(models_without(served, (const char *const[]){"nothing"}, 1, &less, &fault),
                     HERO__V1__CODE__NOT_FOUND);
    assert_int_equal(models_without(served, (const char *const[]){"nothing"}, 1, &less, NULL),
                     HERO__V1__CODE__NOT_FOUND);
    fault_done(&fault);
    assert_int_equal(models_without(served, NAMES("Team", "HeroTeamLink"), &less, &fault),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(is_told(&fault, "Hero", "its relationship teams needs Team"));
    assert_int_equal(fault.n_violations, 1);
    fault_done(&fault);
    assert_null(less);
    assert_int_equal(models_without(served, (const char *const[]){"Hero", "team", "HeroTeamLink"},
                                    3, &less, &fault),
                     HERO__V1__CODE__OK);
    assert_int_equal(less->n_models, 1);
    models_unref(less);
    assert_int_equal(models_without(served, (const char *const[]){"other.Thing"}, 1, &less, &fault),
                     HERO__V1__CODE__OK);
    assert_int_equal(less->n_models, 3);
    check_served(less);
    models_unref(served);
    models_unref(less);
}

/* Models that refer to each other go together. */
static void test_without_all_of_a_circle(void **state)
{
    (void)state;
    struct models *served = NULL, *less = NULL;
    bool changed;
    assert_int_equal(
        try_merge(&served, protoc_file("examples/heroes", "heroes.proto"), &changed, NULL),
        HERO__V1__CODE__OK);
    MERGE(&served, true, "other.proto", "package other;" THING("Thing", ""));
    assert_int_equal(models_without(served, NAMES("team", "Hero", "HeroTeamLink"), &less, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(less->n_models, 1);
    assert_string_equal(less->models[0].name, "other.Thing");
    check_served(less);
    models_unref(served);
    models_unref(less);
}

static void test_without_the_last(void **state)
{
    (void)state;
    struct models *served = NULL, *less = NULL;
    MERGE(&served, true, "a.proto",
          THING("T", "optional int64 up = 2 [(hero.column).foreign_key = \"t.id\"];"));
    assert_int_equal(models_without(served, (const char *const[]){"t"}, 1, &less, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(less->n_models, 0);
    MERGE(&less, true, "a.proto", THING("T", "optional string now = 2;"));
    models_unref(served);
    models_unref(less);
}

static void test_set_of_one(void **state)
{
    (void)state;
    struct models *served = NULL, *alone = NULL;
    struct arena arena;
    ProtobufCBinaryData part;
    bool changed;
    assert_int_equal(
        try_merge(&served, protoc_file("examples/heroes", "heroes.proto"), &changed, NULL),
        HERO__V1__CODE__OK);
    MERGE(&served, true, "other.proto", "package other;" THING("Thing", ""));
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        models_descriptor_set_of(models_find(served, "Hero", NULL), &arena, &part, NULL),
        HERO__V1__CODE__OK);
    assert_int_equal(protoc_accepts(part.data, part.len), 0);
    assert_int_equal(models_new(part.data, part.len, &alone, NULL), HERO__V1__CODE__OK);
    assert_int_equal(alone->n_models, 3);
    models_unref(alone);
    models_unref(served);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protoc_refuses),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_one_file_name_two_applications),
        cmocka_unit_test(test_one_message_two_files),
        cmocka_unit_test(test_no_cycle_of_files),
        cmocka_unit_test(test_only_models_are_kept),
        cmocka_unit_test(test_changes_are_refused),
        cmocka_unit_test(test_no_change),
        cmocka_unit_test(test_faulty_unions),
        cmocka_unit_test(test_refers_to_served),
        cmocka_unit_test(test_without),
        cmocka_unit_test(test_without_all_of_a_circle),
        cmocka_unit_test(test_without_the_last),
        cmocka_unit_test(test_set_of_one),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
