/*
 * Columns that are messages, lists, enums, times and oneofs in generated
 * structs: plain calls and sessions against a real herod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <heroclient.h>
#include "fixture.h"
#include "structs.pb-c.h"

typedef Structs__Shape Shape;
typedef Structs__Point Point;
typedef Structs__Shape__Part Part;
typedef Google__Protobuf__Timestamp Timestamp;

static const uint8_t structs_set[] = {
#include "structs.desc.inc"
};

static struct herod_fixture herod;
static hero_client *client;

static void fail_with(const hero_error *error, int line)
{
    printf("line %d: %s: %s\n", line, hero_code_name(error->code),
           error->message ? error->message : "");
    for (size_t i = 0; i < error->n_violations; i++)
        printf("  %s: %s\n", error->violations[i].path, error->violations[i].description);
    fail();
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != HERO_OK)                                                                     \
            fail_with(&error, __LINE__);                                                           \
    } while (0)

static int set_up(void **state)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result;

    (void)state;
    herod_fixture_start(&herod, NULL);
    OK(hero_client_open(herod_fixture_url(&herod), NULL, &client, &error));
    result = hero_client_apply(client, structs_set, sizeof(structs_set), NULL, &error);
    if (!result)
        fail_with(&error, __LINE__);
    hero_result_free(result);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hero_client_close(client);
    herod_fixture_stop(&herod);
    return 0;
}

/* Everything set, in memory of the test. */
struct filled {
    Shape shape;
    Timestamp at, moment, *times[1];
    Point center, points[2], *both[2];
    Part first, second, *parts[2];
    Structs__Hue hues[2], part_hues[1];
    char *tags[2];
    int64_t numbers[3];
    ProtobufCBinaryData blobs[2];
};

static void fill(struct filled *f)
{
    *f = (struct filled){.shape = STRUCTS__SHAPE__INIT,
                         .at = GOOGLE__PROTOBUF__TIMESTAMP__INIT,
                         .moment = GOOGLE__PROTOBUF__TIMESTAMP__INIT,
                         .center = STRUCTS__POINT__INIT,
                         .points = {STRUCTS__POINT__INIT, STRUCTS__POINT__INIT},
                         .first = STRUCTS__SHAPE__PART__INIT,
                         .second = STRUCTS__SHAPE__PART__INIT,
                         .hues = {STRUCTS__HUE__BLUE, STRUCTS__HUE__RED},
                         .part_hues = {STRUCTS__HUE__GREEN},
                         .tags = {"a", "\xc3\xa4"},
                         .numbers = {INT64_MIN, 0, INT64_MAX},
                         .blobs = {{2, (uint8_t *)"\0\xff"}, {0, NULL}}};
    f->shape.at = &f->at;
    f->at.seconds = -1;
    f->at.nanos = 5000;
    f->moment.nanos = 1;
    f->times[0] = &f->moment;
    f->shape.times = f->times;
    f->shape.n_times = 1;
    f->shape.tags = f->tags;
    f->shape.n_tags = 2;
    f->shape.numbers = f->numbers;
    f->shape.n_numbers = 3;
    f->center.has_x = 1;
    f->center.x = 0.1;
    f->shape.center = &f->center;
    f->points[1].has_y = 1;
    f->points[1].y = -2;
    f->both[0] = &f->points[0];
    f->both[1] = &f->points[1];
    f->first.name = "first";
    f->first.points = f->both;
    f->first.n_points = 2;
    f->first.hues = f->part_hues;
    f->first.n_hues = 1;
    f->first.kind_case = STRUCTS__SHAPE__PART__KIND_WORD;
    f->first.word = "w";
    f->parts[0] = &f->first;
    f->parts[1] = &f->second;
    f->shape.parts = f->parts;
    f->shape.n_parts = 2;
    f->shape.size_case = STRUCTS__SHAPE__SIZE_WORDS;
    f->shape.words = "wide";
    f->shape.blobs = f->blobs;
    f->shape.n_blobs = 2;
    f->shape.hues = f->hues;
    f->shape.n_hues = 2;
}

static void check_filled(const Shape *shape)
{
    assert_true(shape->has_hue && shape->hue == STRUCTS__HUE__GREEN);
    assert_int_equal(shape->at->seconds, -1);
    assert_int_equal(shape->at->nanos, 5000);
    assert_int_equal(shape->n_tags, 2);
    assert_string_equal(shape->tags[1], "\xc3\xa4");
    assert_int_equal(shape->n_numbers, 3);
    assert_true(shape->numbers[0] == INT64_MIN && shape->numbers[2] == INT64_MAX);
    assert_true(shape->center->has_x && shape->center->x == 0.1 && !shape->center->has_y);
    assert_int_equal(shape->n_parts, 2);
    assert_string_equal(shape->parts[0]->name, "first");
    assert_int_equal(shape->parts[0]->n_points, 2);
    assert_true(shape->parts[0]->points[1]->y == -2);
    assert_int_equal(shape->parts[0]->hues[0], STRUCTS__HUE__GREEN);
    assert_int_equal(shape->parts[0]->kind_case, STRUCTS__SHAPE__PART__KIND_WORD);
    assert_string_equal(shape->parts[0]->word, "w");
    assert_int_equal(shape->size_case, STRUCTS__SHAPE__SIZE_WORDS);
    assert_string_equal(shape->words, "wide");
    assert_int_equal(shape->n_blobs, 2);
    assert_int_equal(shape->blobs[0].len, 2);
    assert_memory_equal(shape->blobs[0].data, "\0\xff", 2);
    assert_int_equal(shape->blobs[1].len, 0);
    assert_int_equal(shape->n_hues, 2);
    assert_int_equal(shape->hues[0], STRUCTS__HUE__BLUE);
    assert_int_equal(shape->n_times, 1);
    assert_int_equal(shape->times[0]->nanos, 1);
    assert_int_equal(strlen(shape->code), 36);
}

static void test_plain_calls(void **state)
{
    hero_error error = HERO_ERROR_INIT;
    struct filled f;
    const Shape *stored;
    hero_result *result;

    (void)state;
    fill(&f);
    result = hero_client_create(client, &f.shape.base, &error);
    if (!result)
        fail_with(&error, __LINE__);
    check_filled(hero_result_record(result, 0));
    hero_result_free(result);
    result = hero_client_get(client, &structs__shape__descriptor, HERO_KEY(1), NULL, &error);
    if (!result)
        fail_with(&error, __LINE__);
    stored = hero_result_record(result, 0);
    check_filled(stored);
    hero_result_free(result);
}

static void test_session(void **state)
{
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(client), *other;
    struct filled f;
    Shape *mine, *theirs;
    uint64_t number;

    (void)state;
    fill(&f);
    mine = hero_session_create(session, &structs__shape__descriptor);
    *mine = f.shape;
    OK(hero_session_commit(session, &error));
    /* The structs of the test may go now. */
    memset(&f, 0x5a, sizeof(f));
    check_filled(mine);
    number = hero_session_commit_number(session);
    OK(hero_session_commit(session, &error));
    assert_int_equal(hero_session_commit_number(session), number);

    /* Each kind of change is noticed, and alone in what is sent. */
    mine->parts[0]->points[1]->y = 7;
    mine->tags[0] = "changed";
    mine->at = NULL;
    mine->n_numbers = 0;
    mine->size_case = STRUCTS__SHAPE__SIZE_WIDTH;
    mine->width = 3;
    OK(hero_session_commit(session, &error));
    other = hero_session_new(client);
    theirs = hero_session_get(other, &structs__shape__descriptor, HERO_KEY(mine->id), NULL, &error);
    if (!theirs)
        fail_with(&error, __LINE__);
    assert_true(theirs->parts[0]->points[1]->y == 7);
    assert_string_equal(theirs->tags[0], "changed");
    assert_null(theirs->at);
    assert_int_equal(theirs->n_numbers, 0);
    assert_int_equal(theirs->size_case, STRUCTS__SHAPE__SIZE_WIDTH);
    assert_int_equal(theirs->width, 3);

    /* What others change comes in; what isn't sent yet stays. */
    theirs->center->x = 9;
    theirs->size_case = STRUCTS__SHAPE__SIZE_WORDS;
    theirs->words = "long";
    OK(hero_session_commit(other, &error));
    mine->tags[1] = "unsent";
    assert_ptr_equal(
        hero_session_get(session, &structs__shape__descriptor, HERO_KEY(mine->id), NULL, &error),
        mine);
    assert_true(mine->center->x == 9);
    assert_string_equal(mine->tags[1], "unsent");
    assert_int_equal(mine->size_case, STRUCTS__SHAPE__SIZE_WORDS);
    assert_string_equal(mine->words, "long");
    hero_session_free(other);
    hero_session_free(session);
}

static void refused(Shape *shape, const char *path)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result = hero_client_create(client, &shape->base, &error);

    assert_null(result);
    assert_int_equal(error.code, HERO_INVALID_ARGUMENT);
    if (error.n_violations != 1 || strcmp(error.violations[0].path, path))
        fail_with(&error, __LINE__);
    hero_error_free(&error);
}

static void test_refused(void **state)
{
    struct filled f;
    Part ring = STRUCTS__SHAPE__PART__INIT;

    (void)state;
    (void)ring;
    fill(&f);
    f.tags[1] = NULL;
    refused(&f.shape, "tags[1]");
    fill(&f);
    f.first.word = "\xff";
    refused(&f.shape, "parts[0].word");
    fill(&f);
    f.both[1] = NULL;
    refused(&f.shape, "parts[0].points[1]");
    fill(&f);
    f.shape.numbers = NULL;
    refused(&f.shape, "numbers");
    fill(&f);
    f.blobs[0].data = NULL;
    refused(&f.shape, "blobs[0]");
    /* These only the daemon knows. */
    fill(&f);
    f.shape.has_hue = 1;
    f.shape.hue = (Structs__Hue)77;
    refused(&f.shape, "hue");
    fill(&f);
    f.hues[1] = (Structs__Hue)77;
    refused(&f.shape, "hues[1]");
    fill(&f);
    f.at.nanos = 1;
    refused(&f.shape, "at");
    fill(&f);
    f.at.seconds = INT64_MAX;
    refused(&f.shape, "at");
    fill(&f);
    f.moment.nanos = -1;
    refused(&f.shape, "times[0]");
    fill(&f);
    f.center.x = 0.0 / 0.0;
    refused(&f.shape, "center.x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_calls),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
