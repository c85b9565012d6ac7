/*
 * Sets that no protoc would write: hostile, huge, damaged. Any answer will do
 * where none is right, as long as there is one.
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

static void print_fault(const char *name, const struct fault *fault)
{
    print_message("%s: %s %s\n", name, code_name(fault->code),
                  fault->message ? fault->message : "");
    for (size_t i = 0; i < fault->n_violations; i++)
        print_message("  %s | %s\n", fault->violations[i].path, fault->violations[i].description);
}

typedef Google__Protobuf__FileDescriptorSet FileSet;
typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__FieldDescriptorProto FieldProto;

typedef void damage_set(FileSet *set, struct arena *arena);

static Code answer_to(damage_set *damage, struct fault *fault)
{
    struct bytes bytes = protoc_file("examples/heroes", "heroes.proto");
    struct arena arena;
    struct models *models = NULL, *served = NULL;
    bool changed;
    arena_init(&arena, 64 << 20);
    FileSet *set = google__protobuf__file_descriptor_set__unpack(arena_allocator(&arena), bytes.len,
                                                                 bytes.data);
    assert_non_null(set);
    assert_int_equal(models_new(bytes.data, bytes.len, &served, NULL), HERO__V1__CODE__OK);
    damage(set, &arena);
    size_t len = protobuf_c_message_get_packed_size(&set->base);
    uint8_t *packed = malloc(len);
    assert_non_null(packed);
    protobuf_c_message_pack(&set->base, packed);
    Code code = models_new(packed, len, &models, fault);
    models_unref(models);
    models = NULL;
    if (models_merge(served, packed, len, &models, &changed, NULL) == HERO__V1__CODE__OK)
        models_unref(models);
    models_unref(served);
    free(packed);
    free(bytes.data);
    arena_done(&arena);
    return code;
}

static FileProto *heroes_of(FileSet *set)
{
    return set->file[set->n_file - 1];
}

static void without_names(FileSet *set, struct arena *arena)
{
    (void)arena;
    for (size_t f = 0; f < set->n_file; f++)
        set->file[f]->name = NULL;
    for (size_t m = 0; m < heroes_of(set)->n_message_type; m++) {
        MessageProto *message = heroes_of(set)->message_type[m];
        message->name = NULL;
        for (size_t i = 0; i < message->n_field; i++)
            message->field[i]->name = NULL;
    }
}

static void with_absurd_numbers(FileSet *set, struct arena *arena)
{
    static const int32_t numbers[] = {0, -1, INT32_MAX, INT32_MIN, 536870912};
    (void)arena;
    MessageProto *message = heroes_of(set)->message_type[2];
    for (size_t i = 0; i < message->n_field; i++)
        message->field[i]->number = numbers[i % 5];
}

static void with_one_number(FileSet *set, struct arena *arena)
{
    (void)arena;
    MessageProto *message = heroes_of(set)->message_type[2];
    for (size_t i = 0; i < message->n_field; i++)
        message->field[i]->number = 1;
}

static void with_dangling_types(FileSet *set, struct arena *arena)
{
    (void)arena;
    static char nowhere[] = ".nowhere.Nothing";
    heroes_of(set)->message_type[1]->field[3]->type_name = nowhere;
    heroes_of(set)->message_type[2]->field[4]->type_name = NULL;
}

static void with_unknown_types(FileSet *set, struct arena *arena)
{
    (void)arena;
    heroes_of(set)->message_type[2]->field[1]->type = 99;
    heroes_of(set)->message_type[2]->field[2]->type = -1;
    heroes_of(set)->message_type[2]->field[3]->has_type = 0;
}

static void with_twin_messages(FileSet *set, struct arena *arena)
{
    FileProto *file = heroes_of(set);
    MessageProto **twice = arena_array(arena, file->n_message_type * 2, sizeof *twice);
    for (size_t i = 0; i < file->n_message_type * 2; i++)
        twice[i] = file->message_type[i % file->n_message_type];
    file->message_type = twice;
    file->n_message_type *= 2;
}

static void with_a_cycle_of_imports(FileSet *set, struct arena *arena)
{
    for (size_t f = 0; f < set->n_file; f++) {
        set->file[f]->dependency = arena_array(arena, set->n_file, sizeof(char *));
        set->file[f]->n_dependency = set->n_file;
        for (size_t d = 0; d < set->n_file; d++)
            set->file[f]->dependency[d] = set->file[d]->name;
    }
}

static void with_an_option_that_is_none(FileSet *set, struct arena *arena)
{
    MessageProto *message = heroes_of(set)->message_type[2];
    ProtobufCMessage *options = &message->field[1]->options->base;
    uint8_t *bytes = arena_copy(arena, "\x03\x08\xff\xff", 4); /* a varint without end */
    options->unknown_fields[0].len = 4;
    options->unknown_fields[0].data = bytes;
    options = &message->options->base;
    options->unknown_fields[0].wire_type = PROTOBUF_C_WIRE_TYPE_VARINT;
    options->unknown_fields[0].len = 1;
    options->unknown_fields[0].data = bytes;
}

static void with_editions(FileSet *set, struct arena *arena)
{
    (void)arena;
    static char syntax[] = "editions";
    heroes_of(set)->syntax = syntax;
}

static void test_hostile_sets(void **state)
{
    static const struct {
        const char *name;
        damage_set *damage;
        Code code;
        size_t n_least;
        const char *words;
    } cases[] = {
        {"no names", without_names, HERO__V1__CODE__INVALID_ARGUMENT, 3, "has no name"},
        {"absurd numbers", with_absurd_numbers, HERO__V1__CODE__INVALID_ARGUMENT, 5,
         "no valid number"},
        {"one number", with_one_number, HERO__V1__CODE__INVALID_ARGUMENT, 4,
         "has the same number as id"},
        {"dangling types", with_dangling_types, HERO__V1__CODE__INVALID_ARGUMENT, 2,
         "which has no table"},
        {"unknown types", with_unknown_types, HERO__V1__CODE__INVALID_ARGUMENT, 3,
         "its type is unknown"},
        {"twins", with_twin_messages, HERO__V1__CODE__INVALID_ARGUMENT, 3, "is declared twice"},
        {"cycle", with_a_cycle_of_imports, HERO__V1__CODE__OK, 0, NULL},
        {"broken options", with_an_option_that_is_none, HERO__V1__CODE__INVALID_ARGUMENT, 2,
         "can't be read"},
        {"editions", with_editions, HERO__V1__CODE__INVALID_ARGUMENT, 1, "editions"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault = FAULT_INIT;
        Code code = answer_to(cases[i].damage, &fault);
        bool told = !cases[i].words;
        for (size_t v = 0; v < fault.n_violations && !told; v++)
            told = strstr(fault.violations[v].description, cases[i].words) != NULL;
        if (code != cases[i].code || fault.n_violations < cases[i].n_least || !told) {
            print_fault(cases[i].name, &fault);
            fail_msg("%s: not as expected", cases[i].name);
        }
        fault_done(&fault);
    }
}

static void test_empty_and_garbage(void **state)
{
    (void)state;
    struct models *models = NULL;
    struct fault fault = FAULT_INIT;
    assert_int_equal(models_new(NULL, 0, &models, &fault), HERO__V1__CODE__OK);
    assert_int_equal(models->n_models, 0);
    assert_null(models_find(models, "hero", &fault));
    models_unref(models);
    fault_done(&fault);
    assert_int_equal(models_new((const uint8_t *)"\xff\xff", 2, &models, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    fault_done(&fault);
    models_unref(NULL);
}

static struct bytes many_models(size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < n; i++)
        fprintf(out,
                "message M%zu { option (hero.table) = {};"
                " optional int64 id = 1 [(hero.column).primary_key = true];"
                " optional int64 up = 2 [(hero.column).foreign_key = \"m%zu.id\"]; }\n",
                i, i + 1 < n ? i + 1 : i);
    fclose(out);
    const char *texts[] = {"many.proto", text, NULL};
    struct bytes set = protoc_texts(texts);
    free(text);
    return set;
}

/* A chain of tables as long as models are taken is sorted; one more is refused. */
static void test_many_models(void **state)
{
    (void)state;
    struct bytes set = many_models(2000);
    struct models *models = NULL;
    bool changed = false;
    struct fault fault = FAULT_INIT;
    assert_int_equal(models_merge(NULL, set.data, set.len, &models, &changed, &fault),
                     HERO__V1__CODE__OK);
    for (size_t i = 0; i < models->n_models; i++) {
        const struct column *up = &models->models[i].columns[1];
        assert_true(up->foreign_key->model->position <= models->models[i].position);
    }
    models_unref(models);
    free(set.data);
    set = many_models(2001);
    assert_int_equal(models_new(set.data, set.len, &models, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    fault_done(&fault);
    free(set.data);
}

static struct bytes wide_model(size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "message Wide { option (hero.table) = {};"
                 " optional int64 id = 1 [(hero.column).primary_key = true];");
    for (size_t i = 2; i <= n; i++)
        fprintf(out, " optional int32 c%zu = %zu;\n", i, i);
    fprintf(out, "}\n");
    fclose(out);
    const char *texts[] = {"wide.proto", text, NULL};
    struct bytes set = protoc_texts(texts);
    free(text);
    return set;
}

static void test_wide_models(void **state)
{
    (void)state;
    struct models *models = NULL;
    struct fault fault = FAULT_INIT;
    struct bytes set = wide_model(1000);
    assert_int_equal(models_new(set.data, set.len, &models, &fault), HERO__V1__CODE__OK);
    models_unref(models);
    free(set.data);
    set = wide_model(1001);
    assert_int_equal(models_new(set.data, set.len, &models, &fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(fault.violations[0].description, "has 1001 columns"));
    fault_done(&fault);
    free(set.data);
}

/* Random damage of a good set. */
static void test_random_damage(void **state)
{
    (void)state;
    struct bytes good = protoc_file("tests/data", "library.proto");
    uint8_t *bytes = malloc(good.len);
    struct models *served = NULL;
    srandom(20);
    assert_non_null(bytes);
    assert_int_equal(models_new(good.data, good.len, &served, NULL), HERO__V1__CODE__OK);
    for (unsigned round = 0; round < 1500; round++) {
        struct models *models = NULL;
        struct arena arena;
        ProtobufCBinaryData part;
        bool changed;
        memcpy(bytes, good.data, good.len);
        /* The library's own file comes last; most of the set is descriptor.proto. */
        size_t from = round % 4 ? good.len - good.len / 3 : 0;
        for (unsigned n = 1 + (unsigned)random() % 4; n > 0; n--)
            bytes[from + (size_t)random() % (good.len - from)] = (uint8_t)random();
        size_t len = round % 8 ? good.len : (size_t)random() % good.len;
        if (models_merge(round % 2 ? served : NULL, bytes, len, &models, &changed, NULL) !=
            HERO__V1__CODE__OK)
            continue;
        arena_init(&arena, 1 << 20);
        assert_int_equal(models_descriptor_set_of(&models->models[round % models->n_models], &arena,
                                                  &part, NULL),
                         HERO__V1__CODE__OK);
        arena_done(&arena);
        models_unref(models);
    }
    models_unref(served);
    free(bytes);
    free(good.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_sets),  cmocka_unit_test(test_empty_and_garbage),
        cmocka_unit_test(test_many_models),   cmocka_unit_test(test_wide_models),
        cmocka_unit_test(test_random_damage),
    };
    return cmocka_run_group_tests_name("model-hostile", tests, NULL, NULL);
}
