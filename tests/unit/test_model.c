/*
 * Models: the corpus of tests/data/models (what is accepted, what is refused
 * with which violations), what the tutorial's and the library's models become,
 * keys and lookups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "model.h"
#include "protoc.h"

/* ---- the corpus ---- */

static bool has_violation(const struct fault *fault, const char *path, size_t path_len,
                          const char *words)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (strncmp(fault->violations[i].path, path, path_len) == 0 &&
            (fault->violations[i].path[path_len] == '\0' || path[path_len - 1] == ':') &&
            strstr(fault->violations[i].description, words))
            return true;
    return false;
}

static void print_fault(const char *name, const struct fault *fault)
{
    print_message("%s: %s %s\n", name, code_name(fault->code),
                  fault->message ? fault->message : "");
    for (size_t i = 0; i < fault->n_violations; i++)
        print_message("  %s | %s\n", fault->violations[i].path, fault->violations[i].description);
}

static bool has_warning(const struct models *models, const char *words)
{
    for (size_t i = 0; i < models->n_warnings; i++)
        if (strncmp(models->warnings[i], words, strlen(words)) == 0)
            return true;
    return false;
}

/* The comments at the head of a file say what is expected of it. */
static void check_expectations(FILE *file, const char *name, const struct models *models,
                               const struct fault *fault)
{
    char line[512];
    size_t n_violations = 0, n_warnings = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "// expect-message: ", 19) == 0) {
            assert_non_null(strstr(fault->message, line + 19));
        } else if (strncmp(line, "// expect: ", 11) == 0) {
            const char *bar = strstr(line, " | ");
            assert_non_null(bar);
            n_violations++;
            if (!has_violation(fault, line + 11, (size_t)(bar - line - 11), bar + 3)) {
                print_fault(name, fault);
                fail_msg("%s: not told: %s", name, line);
            }
        } else if (strncmp(line, "// warn: ", 9) == 0) {
            n_warnings++;
            if (!models || !has_warning(models, line + 9))
                fail_msg("%s: no warning: %s", name, line);
        }
    }
    if (fault->n_violations != n_violations || (models && models->n_warnings != n_warnings)) {
        print_fault(name, fault);
        fail_msg("%s: %zu violations and %zu warnings were expected", name, n_violations,
                 n_warnings);
    }
}

static void check_file(const char *name)
{
    char path[1024];
    struct bytes set = protoc_file("tests/data/models", name);
    struct models *models = NULL, *merged = NULL;
    struct fault fault = FAULT_INIT, again = FAULT_INIT;
    bool changed = false;
    Code code = models_new(set.data, set.len, &models, &fault);
    if ((name[0] == 'y') != (code == HERO__V1__CODE__OK)) {
        print_fault(name, &fault);
        fail_msg("%s: is answered %s", name, code_name(code));
    }
    snprintf(path, sizeof path, "%s/tests/data/models/%s", getenv("HERO_SOURCE"), name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    check_expectations(file, name, models, &fault);
    /* Merging into nothing says the same. */
    assert_int_equal(models_merge(NULL, set.data, set.len, &merged, &changed, &again), code);
    rewind(file);
    check_expectations(file, name, merged, &again);
    fclose(file);
    if (merged) { /* and again, no change */
        struct models *same = NULL;
        assert_true(changed);
        assert_int_equal(models_merge(merged, set.data, set.len, &same, &changed, NULL), code);
        assert_false(changed);
        models_unref(same);
    }
    models_unref(models);
    models_unref(merged);
    fault_done(&fault);
    fault_done(&again);
    free(set.data);
}

static int is_proto(const struct dirent *entry)
{
    return strstr(entry->d_name, ".proto") != NULL;
}

static void test_corpus(void **state)
{
    char path[1024];
    struct dirent **entries;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/data/models", getenv("HERO_SOURCE"));
    int n = scandir(path, &entries, is_proto, alphasort);
    assert_true(n > 30);
    for (int i = 0; i < n; i++) {
        check_file(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* ---- what models say ---- */

static struct models *models_of(struct bytes set)
{
    struct models *models = NULL;
    struct fault fault = FAULT_INIT;
    Code code = models_new(set.data, set.len, &models, &fault);
    if (code != HERO__V1__CODE__OK)
        print_fault("set", &fault);
    assert_int_equal(code, HERO__V1__CODE__OK);
    free(set.data);
    return models;
}

static void test_tutorial(void **state)
{
    (void)state;
    struct models *models = models_of(protoc_file("examples/heroes", "heroes.proto"));
    const struct model *hero = models_find(models, "Hero", NULL);
    const struct model *team = models_find(models, "TEAM", NULL);
    const struct model *link = models_find(models, "heroteamlink", NULL);
    assert_non_null(hero);
    assert_non_null(team);
    assert_ptr_equal(link, &models->models[2]); /* after those it refers to */
    assert_string_equal(hero->table, "hero");
    assert_string_equal(hero->file, "heroes.proto");
    assert_int_equal(hero->n_columns, 4);
    assert_ptr_equal(hero->auto_id, &hero->columns[0]);
    assert_true(hero->columns[0].not_null && hero->columns[1].not_null);
    assert_true(hero->columns[3].index && !hero->columns[3].not_null);
    assert_null(link->auto_id);
    assert_true(link->is_link && link->has_parents && !hero->has_parents);
    const struct relationship *teams = model_relationship(hero, "teams");
    assert_ptr_equal(teams->target, team);
    assert_ptr_equal(teams->link, link);
    assert_int_equal(teams->kind, RELATIONSHIP_MANY_TO_MANY);
    assert_false(teams->single);
    assert_string_equal(teams->from->columns[0]->field_name, "hero_id");
    assert_string_equal(teams->to->columns[0]->field_name, "team_id");
    assert_true(teams->from->is_link && teams->from->wants_index && !teams->to->wants_index);
    assert_ptr_equal(teams->back_populates, model_relationship(team, "heroes"));
    assert_ptr_equal(teams->back_populates->back_populates, teams);
    assert_int_equal(hero->n_referrers, 1);
    assert_ptr_equal(hero->referrers[0], teams->from);
    assert_null(model_column(hero, "teams"));
    assert_ptr_equal(model_column_by_number(hero, 3), model_column(hero, "secret_name"));
    models_unref(models);
}

static void test_library(void **state)
{
    (void)state;
    struct models *models = models_of(protoc_file("tests/data", "library.proto"));
    const struct model *book = models_find(models, "library.Book", NULL);
    const struct model *tag = models_find(models, "order", NULL);
    const struct model *author = models_find(models, "author", NULL);
    assert_ptr_equal(tag, models_find(models, "Tag", NULL));
    assert_string_equal(tag->columns[0].name, "Tag Name");
    assert_null(tag->auto_id); /* a text key is the client's */
    size_t n_links = 0;
    for (size_t i = 0; i < book->n_referrers; i++)
        n_links += book->referrers[i]->is_link;
    assert_int_equal(n_links, 3);
    assert_int_equal(tag->n_referrers, 1); /* a relationship of the other side only */
    assert_true(tag->referrers[0]->is_link && tag->referrers[0]->target == tag);
    assert_int_equal(book->columns[3].default_kind, DEFAULT_INTEGER);
    assert_int_equal(book->columns[3].default_integer, 1);
    assert_int_equal(model_column(book, "pages")->default_integer, 100);
    assert_ptr_equal(model_relationship(author, "edited")->back_populates,
                     model_relationship(book, "editors"));
    const struct model *copy = models_find(models, "copy", NULL);
    assert_int_equal(copy->n_primary_key, 2);
    assert_string_equal(copy->primary_key[1]->field_name, "shelf");
    for (size_t i = 0; i < models->n_models; i++) {
        assert_int_equal(models->models[i].position, i);
        for (size_t c = 0; c < models->models[i].n_columns; c++) {
            const struct column *column = &models->models[i].columns[c];
            assert_int_equal(column->position, c);
            assert_int_equal(column->field->id, column->number);
            if (column->foreign_key)
                assert_true(column->foreign_key->model->position < i);
        }
    }
    models_unref(models);
}

static void test_defaults(void **state)
{
    (void)state;
    /* A program may have set a locale with a decimal comma. */
    const char *locale = setlocale(LC_ALL, "de_DE.UTF-8");
    struct models *models = models_of(protoc_file("tests/data/models", "y_defaults.proto"));
    const struct model *thing = &models->models[0];
    assert_true(model_column(thing, "c")->default_integer == INT64_MIN);
    assert_true(model_column(thing, "d")->default_integer == INT64_MAX);
    assert_true(model_column(thing, "e")->default_real == -1500.0);
    assert_true(model_column(thing, "f")->default_real == 0.25);
    assert_int_equal(model_column(thing, "g")->default_kind, DEFAULT_INTEGER);
    assert_int_equal(model_column(thing, "g")->default_integer, 0);
    assert_int_equal(model_column(thing, "h")->default_kind, DEFAULT_TEXT);
    assert_int_equal(model_column(thing, "h")->default_bytes.len, 0);
    assert_string_equal((char *)model_column(thing, "i")->default_bytes.data, "it's \"quoted\"");
    assert_int_equal(model_column(thing, "j")->default_bytes.len, 2);
    assert_memory_equal(model_column(thing, "j")->default_bytes.data, "\x00\xff", 2);
    assert_int_equal(model_column(thing, "k")->default_kind, DEFAULT_BYTES);
    assert_int_equal(model_column(thing, "k")->default_bytes.len, 0);
    models_unref(models);
    if (locale)
        setlocale(LC_ALL, "C");
}

static void test_split_options(void **state)
{
    (void)state;
    struct models *models = models_of(protoc_file("tests/data/models", "y_split_options.proto"));
    const struct model *thing = &models->models[0];
    assert_string_equal(thing->table, "pieces");
    assert_true(thing->columns[0].primary_key);
    assert_string_equal(thing->columns[0].name, "key");
    assert_true(thing->columns[1].not_null && thing->columns[1].index);
    assert_string_equal(thing->columns[1].default_text, "x");
    models_unref(models);
}

static void test_proto3(void **state)
{
    (void)state;
    struct models *models = models_of(protoc_file("tests/data/models", "y_proto3.proto"));
    const struct model *thing = models_find(models, "three.Thing", NULL);
    assert_true(thing->columns[0].field->label == PROTOBUF_C_LABEL_OPTIONAL);
    assert_true(thing->columns[1].not_null);
    assert_true(thing->columns[1].field->label == PROTOBUF_C_LABEL_NONE);
    assert_true(!thing->columns[2].not_null && !thing->columns[3].not_null);
    assert_int_equal(thing->columns[3].default_integer, 7);
    models_unref(models);
}

/* ---- lookups, keys, records ---- */

static void test_find(void **state)
{
    (void)state;
    const char *texts[] = {"a.proto",
                           "package a; message Thing { option (hero.table) = {};"
                           " optional int64 id = 1 [(hero.column).primary_key = true]; }",
                           "b.proto",
                           "package b; message Thing { option (hero.table) = {name: \"things\"};"
                           " optional int64 id = 1 [(hero.column).primary_key = true]; }",
                           NULL};
    struct models *models = models_of(protoc_texts(texts));
    struct fault fault = FAULT_INIT;
    assert_string_equal(models_find(models, "a.Thing", NULL)->name, "a.Thing");
    assert_string_equal(models_find(models, "THINGS", NULL)->name, "b.Thing");
    assert_string_equal(models_find(models, "thing", NULL)->name, "a.Thing"); /* its table */
    assert_null(models_find(models, "THING", &fault));
    assert_int_equal(fault.code, HERO__V1__CODE__NOT_FOUND);
    assert_non_null(strstr(fault.message, "a.Thing, b.Thing"));
    assert_null(models_find(models, "nothing", &fault));
    assert_int_equal(fault.code, HERO__V1__CODE__NOT_FOUND);
    assert_null(models_find(models, "", &fault));
    assert_null(models_find(models, NULL, NULL));
    fault_done(&fault);
    models_unref(models);
}

static void test_keys(void **state)
{
    (void)state;
    struct models *models = models_of(protoc_file("tests/data", "library.proto"));
    const struct model *copy = models_find(models, "copy", NULL);
    struct arena arena;
    struct fault fault = FAULT_INIT;
    ProtobufCMessage *record;
    arena_init(&arena, 1 << 20);
    const uint8_t whole[] = {0x0a, 1,    'x',  0x10, 0x83, 0xff, 0xff, 0xff,
                             0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x18, 7};
    assert_int_equal(model_unpack(copy, whole, sizeof whole - 2, &arena, &record, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(model_check_key(copy, record, true, NULL), HERO__V1__CODE__OK);
    assert_string_equal(model_key_text(copy, record, &arena), "\"x\",-125");
    assert_int_equal(model_unpack(copy, whole, sizeof whole, &arena, &record, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(model_check_key(copy, record, false, NULL), HERO__V1__CODE__OK);
    assert_int_equal(model_check_key(copy, record, true, &fault), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(fault.violations[0].path, "book_id");
    fault_done(&fault);
    assert_int_equal(model_unpack(copy, whole, 3, &arena, &record, NULL), HERO__V1__CODE__OK);
    assert_int_equal(model_check_key(copy, record, false, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(fault.violations[0].path, "shelf");
    fault_done(&fault);
    const uint8_t unknown[] = {0x20, 1};
    assert_int_equal(model_unpack(copy, unknown, sizeof unknown, &arena, &record, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    fault_done(&fault);
    arena_done(&arena);
    models_unref(models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),        cmocka_unit_test(test_tutorial),
        cmocka_unit_test(test_library),       cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_split_options), cmocka_unit_test(test_proto3),
        cmocka_unit_test(test_find),          cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
