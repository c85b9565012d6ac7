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
#include "model_change.h"
#include "merge_case.h"

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

static bool is_change(const struct model_changes *changes, const char *field, const char *words)
{
    for (size_t i = 0; i < changes->n; i++)
        if (strcmp(changes->changes[i].field ? changes->changes[i].field : "", field) == 0 &&
            strstr(changes->changes[i].text, words))
            return true;
    return false;
}

static void test_changes_are_told(void **state)
{
    static const char before[] =
        "message T { option (hero.table) = {};"
        " optional int64 id = 1 [(hero.column).primary_key = true];"
        " optional string name = 2; optional int32 size = 3 [(hero.column).default = \"1\"];"
        " optional string gone = 4; optional string code = 5 [(hero.column).index = true];"
        " repeated T ts = 6 [(hero.relationship) = {link_model: \"L\" link_from: \"l\"}]; }" LINK(
            "L", "t", "t");
    static const char after[] =
        "message T { option (hero.table) = {name: \"tt\" index: {columns: [\"label\", \"size\"]}};"
        " optional int64 id = 1 [(hero.column).primary_key = true];"
        " optional string label = 2; optional int64 size = 3 [(hero.column).default = \"2\"];"
        " required string code = 5 [(hero.column) = {unique: true name: \"c\" not_null: true}];"
        " repeated T ts = 6 [(hero.relationship) = {link_model: \"L\" link_from: \"r\"}];"
        " optional bool more = 7; }"
        "message L { option (hero.table) = {};"
        " optional int64 l = 1 [(hero.column) = {primary_key: true foreign_key: \"tt.id\"}];"
        " optional int64 r = 2 [(hero.column) = {primary_key: true foreign_key: \"tt.id\""
        " on_delete: CASCADE}]; }" THING("New", "");
    static const char *const told[][3] = {
        {"T", "", "(hero.table).name changes from unset to \"tt\""},
        {"T", "", "(hero.table).index changes from unset to [{columns: [\"label\", \"size\"]}]"},
        {"T", "label", "is renamed: number 2 is served as name"},
        {"T", "size", "changes its type from TYPE_INT32 to TYPE_INT64"},
        {"T", "size", "(hero.column).default changes from \"1\" to \"2\""},
        {"T", "code", "changes from optional to required"},
        {"T", "code", "(hero.column).index changes from true to false"},
        {"T", "code", "(hero.column).unique changes from false to true"},
        {"T", "code", "(hero.column).not_null changes from false to true"},
        {"T", "code", "(hero.column).name changes from unset to \"c\""},
        {"T", "ts", "(hero.relationship).link_from changes from \"l\" to \"r\""},
        {"T", "more", "gains the field more"},
        {"T", "gone", "loses the field gone"},
        {"L", "l", "(hero.column).foreign_key changes"},
        {"L", "r", "(hero.column).foreign_key changes"},
        {"L", "r", "(hero.column).on_delete changes from NO_ACTION to CASCADE"},
    };
    (void)state;
    struct models *served = NULL;
    struct model_changes changes[2];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    MERGE(&served, true, "t.proto", before);
    struct models *was = models_ref(served);
    MERGE(&served, true, "x.proto", after);
    assert_int_equal(served->n_models, 3);
    for (int i = 0; i < 2; i++) {
        const struct model *now = models_find(served, i ? "L" : "T", NULL);
        const struct model *then = model_ancestor(was, now);
        assert_ptr_equal(then, models_find(was, i ? "L" : "T", NULL));
        assert_true(model_changes(then, now, &arena, &changes[i]));
    }
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (!is_change(&changes[told[i][0][0] == 'L'], told[i][1], told[i][2]))
            fail_msg("not told: %s.%s %s", told[i][0], told[i][1], told[i][2]);
    assert_int_equal(changes[0].n + changes[1].n, sizeof told / sizeof *told);
    assert_null(model_ancestor(was, models_find(served, "New", NULL)));
    arena_done(&arena);
    models_unref(was);
    models_unref(served);
}

static const char *order_in(const struct models *models, struct arena *arena)
{
    const char *list = "";
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
        NULL, models->descriptor_set_len, models->descriptor_set);
    for (size_t f = 0; f < set->n_file; f++)
        for (size_t m = 0; m < set->file[f]->n_message_type; m++)
            if (strchr(set->file[f]->name, '/') == NULL)
                list = arena_printf(arena, "%s %s/%s", list, set->file[f]->name,
                                    set->file[f]->message_type[m]->name);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    return list;
}

/* A file keeps the order in which it was written, whatever changes in it. */
static void test_changes_in_their_place(void **state)
{
    (void)state;
    struct models *served = NULL;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    MERGE(&served, true, "a.proto", THING("A", "") THING("B", "") THING("C", ""));
    MERGE(&served, true, "other.proto", THING("Other", ""));
    MERGE(&served, true, "a.proto",
          THING("A", "") THING("B", "optional string x = 2;") THING("C", ""));
    assert_string_equal(order_in(served, &arena),
                        " a.proto/A a.proto/B a.proto/C other.proto/Other");
    assert_int_equal(models_find(served, "B", NULL)->n_columns, 2);
    /* From a file of another name; the one that is left empty goes. */
    MERGE(&served, true, "o.proto", THING("Other", "optional string y = 3;"));
    assert_string_equal(order_in(served, &arena), " a.proto/A a.proto/B a.proto/C o.proto/Other");
    arena_done(&arena);
    models_unref(served);
}

#define RENAMED(name, from, more)                                                                  \
    "message " name " { option (hero.table).renamed_from = \"" from "\";"                          \
    " optional int64 id = 1 [(hero.column).primary_key = true]; " more " }\n"

static void test_renamed(void **state)
{
    static const char *const froms[] = {"p.Thing", "things"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct models *served = NULL;
        MERGE(&served, true, "a.proto",
              "package p; message Thing { option (hero.table).name = \"things\";"
              " optional int64 id = 1 [(hero.column).primary_key = true]; }");
        struct models *was = models_ref(served);
        char text[512];
        snprintf(text, sizeof text, "package p;" RENAMED("Item", "%s", ""), froms[i]);
        MERGE(&served, true, "a.proto", text);
        assert_int_equal(served->n_models, 1);
        assert_string_equal(served->models[0].name, "p.Item");
        assert_string_equal(served->models[0].table, "item");
        assert_ptr_equal(model_ancestor(was, &served->models[0]), &was->models[0]);
        MERGE(&served, false, "a.proto", text); /* the word may stay */
        /* A model that comes under the name that is free again is new. */
        MERGE(&served, true, "b.proto", "package p;" THING("Thing", ""));
        assert_int_equal(served->n_models, 2);
        assert_ptr_equal(model_ancestor(was, models_find(served, "p.Thing", NULL)),
                         &was->models[0]);
        assert_null(model_ancestor(was, models_find(served, "p.Item", NULL)));
        models_unref(was);
        models_unref(served);
    }
    /* On a daemon that never served the old name there is nothing to rename. */
    struct models *fresh = NULL;
    MERGE(&fresh, true, "a.proto", RENAMED("Item", "Thing", ""));
    models_unref(fresh);
}

static void test_refused_renames(void **state)
{
    static const struct {
        const char *path, *text, *words;
    } cases[] = {
        {"b.proto:B", THING("A", "") RENAMED("B", "A", ""), "which the set declares too"},
        {"b.proto:C", RENAMED("B", "A", "") RENAMED("C", "A", ""), "as that of another model does"},
        {"A", "message A { optional int64 id = 1; } " THING("B", ""), "has no option (hero.table)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct models *served = NULL;
        struct fault fault = FAULT_INIT;
        bool changed;
        MERGE(&served, true, "a.proto", THING("A", ""));
        const struct models *kept = served;
        struct bytes set = protoc_texts((const char *const[]){"b.proto", cases[i].text, NULL});
        assert_int_equal(try_merge(&served, set, &changed, &fault),
                         HERO__V1__CODE__FAILED_PRECONDITION);
        assert_ptr_equal(served, kept);
        if (!is_told(&fault, cases[i].path, cases[i].words))
            fail_msg("%s: %s", cases[i].path, fault.message);
        fault_done(&fault);
        models_unref(served);
    }
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
        cmocka_unit_test(test_changes_are_told),
        cmocka_unit_test(test_changes_in_their_place),
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_refused_renames),
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
