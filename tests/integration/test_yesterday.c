/*
 * A program that was built with yesterday's .proto, against today's models: it
 * goes on where protobuf's rules allow, and is told clearly where they don't.
 * Both versions' structs are in this program; the daemon serves today's.
 */
#include <string.h>
#include "call_case.h"
#include "today.pb-c.h"
#include "yesterday.pb-c.h"

static const uint8_t yesterday[] = {
#include "yesterday.desc.inc"
};
static const uint8_t today[] = {
#include "today.desc.inc"
};

#define E (&test->error)
#define OLD (&yesterday__keeper__descriptor)
#define NEW (&today__ranger__descriptor)

static const char *const second = "2";

/* One keeper of yesterday, then today's models, by another program. */
static void start(struct call_case *test)
{
    static const char *const losses[] = {"keeper.nickname"};
    const hero_apply how = {.allow_data_loss = losses, .n_allow_data_loss = 1};
    Yesterday__Keeper keeper = YESTERDAY__KEEPER__INIT;
    Yesterday__Animal animal = YESTERDAY__ANIMAL__INIT, *animals[] = {&animal};
    hero_client *other;

    call_case_start(test, NULL);
    hero_result_free(OK(hero_client_apply(test->client, yesterday, sizeof(yesterday), NULL, E)));
    keeper.name = (char *)(uintptr_t) "Ann";
    keeper.nickname = (char *)(uintptr_t) "A";
    keeper.has_age = keeper.has_mood = 1;
    keeper.age = 30;
    keeper.mood = YESTERDAY__MOOD__SAD;
    animal.name = (char *)(uintptr_t) "Leo";
    keeper.animals = animals;
    keeper.n_animals = 1;
    hero_result_free(OK(hero_client_create(test->client, &keeper.base, E)));
    other = call_case_open(test, NULL);
    hero_result_free(OK(hero_client_apply(other, today, sizeof(today), &how, E)));
    hero_client_close(other);
}

static int setup(void **state)
{
    struct call_case *test = calloc(1, sizeof(*test));

    start(test);
    *state = test;
    return 0;
}

/* Today's program fills in what yesterday's doesn't know. */
static void fill(struct call_case *test, const char *level)
{
    Today__Ranger ranger = TODAY__RANGER__INIT;

    ranger.has_id = 1;
    ranger.id = 1;
    ranger.level = (char *)(uintptr_t)level;
    ranger.has_mood = 1;
    ranger.mood = TODAY__MOOD__ANGRY;
    hero_result_free(OK(hero_client_update(test->client, &ranger.base, "level,mood", E)));
}

static void level_is(struct call_case *test, const char *name, const char *level)
{
    hero_result *result = OK(hero_client_get(test->client, NEW, HERO_KEY(1), NULL, E));
    const Today__Ranger *ranger = (const Today__Ranger *)hero_result_record(result, 0);

    assert_string_equal(ranger->full_name, name);
    assert_string_equal(ranger->level, level);
    assert_string_equal(ranger->badge, "none");
    hero_result_free(result);
}

static void reads_go_on(void **state)
{
    struct call_case *test = *state;
    const hero_list list = {.order_by = "-name,id", .expand = "animals.keepers"};

    fill(test, "high");
    hero_result *result = OK(hero_client_list(test->client, OLD, &list, E));
    assert_int_equal(hero_result_count(result), 1);
    const Yesterday__Keeper *keeper = (const Yesterday__Keeper *)hero_result_record(result, 0);
    assert_string_equal(keeper->name, "Ann");
    assert_null(keeper->nickname); /* gone: absent */
    assert_int_equal(keeper->age, 30);
    assert_false(keeper->has_salary);
    assert_int_equal(keeper->mood, 2); /* a value it has no name for stays a number */
    assert_int_equal(keeper->n_animals, 1);
    assert_string_equal(keeper->animals[0]->name, "Leo");
    assert_ptr_equal(keeper->animals[0]->keepers[0], keeper);
    hero_result_free(result);
}

static void writes_clear_nothing(void **state)
{
    struct call_case *test = *state;
    Yesterday__Keeper keeper = YESTERDAY__KEEPER__INIT;

    fill(test, "high");
    keeper.has_id = 1;
    keeper.id = 1;
    keeper.name = (char *)(uintptr_t) "Bea";
    hero_result_free(OK(hero_client_update(test->client, &keeper.base, "name,salary", E)));
    level_is(test, "Bea", "high");
    keeper.name = (char *)(uintptr_t) "Cleo";
    hero_result_free(OK(hero_client_update(test->client, &keeper.base, NULL, E)));
    level_is(test, "Cleo", "high");
    const hero_upsert how = {.mask = "name"};
    keeper.name = (char *)(uintptr_t) "Dora";
    hero_result_free(OK(hero_client_upsert(test->client, &keeper.base, &how, E)));
    level_is(test, "Dora", "high");
    /* A new record gets the defaults of what it doesn't know. */
    keeper.has_id = 0;
    hero_result *result = OK(hero_client_create(test->client, &keeper.base, E));
    assert_int_equal(((const Yesterday__Keeper *)hero_result_record(result, 0))->id, 2);
    hero_result_free(result);
    TEXT(hero_client_get_json(test->client, "Ranger", &second, 1, NULL, E),
         "[{\"id\": 2, \"full_name\": \"Dora\", \"age\": null, \"salary\": null, "
         "\"mood\": null, \"level\": null, \"badge\": \"none\"}]");
}

static void sessions_go_on(void **state)
{
    struct call_case *test = *state;
    hero_session *session = hero_session_new(test->client);

    fill(test, "high");
    Yesterday__Keeper *keeper = hero_session_get(session, OLD, HERO_KEY(1), "animals", E);
    assert_non_null(keeper);
    Yesterday__Animal *animal = hero_session_create(session, &yesterday__animal__descriptor);
    animal->name = (char *)(uintptr_t) "Mia";
    keeper->has_age = 1;
    keeper->age = 31;
    assert_int_equal(hero_session_link(session, keeper, "animals", animal, E), HERO_OK);
    assert_int_equal(hero_session_unlink(session, keeper, "animals", keeper->animals[0], E),
                     HERO_OK);
    assert_int_equal(hero_session_commit(session, E), HERO_OK);
    hero_session_free(session);
    level_is(test, "Ann", "high");
    TEXT(hero_client_get_json(test->client, "Animal", &second, 1, "rangers", E),
         "[{\"id\": 2, \"name\": \"Mia\", \"rangers\": [{\"id\": 1, \"full_name\": "
         "\"Ann\", \"age\": 31, \"salary\": null, \"mood\": \"ANGRY\", \"level\": \"high\", "
         "\"badge\": \"none\"}]}]");
}

static void links_go_on(void **state)
{
    struct call_case *test = *state;
    const hero_key leo = HERO_KEY(1);

    hero_result_free(OK(hero_client_unlink(test->client, OLD, HERO_KEY(1), "animals", &leo, 1, E)));
    hero_result *result =
        OK(hero_client_link(test->client, OLD, HERO_KEY(1), "animals", &leo, 1, E));
    assert_int_equal(hero_result_added(result), 1);
    hero_result_free(result);
}

/* What would be lost is refused; so is what does not fit. */
static void limits_are_told(void **state)
{
    struct call_case *test = *state;
    Yesterday__Keeper keeper = YESTERDAY__KEEPER__INIT;
    Today__Ranger ranger = TODAY__RANGER__INIT;

    keeper.name = (char *)(uintptr_t) "Zoe";
    keeper.nickname = (char *)(uintptr_t) "Z";
    REFUSED(hero_client_create(test->client, &keeper.base, E), HERO_FAILED_PRECONDITION, "nickname",
            "not in the served model zoo.Ranger");
    keeper.nickname = NULL;
    keeper.has_salary = 1;
    keeper.salary = 3000000000;
    REFUSED(hero_client_create(test->client, &keeper.base, E), HERO_INVALID_ARGUMENT, NULL,
            "out of its type's range");
    keeper.salary = -7;
    hero_result_free(OK(hero_client_create(test->client, &keeper.base, E)));
    ranger.has_id = ranger.has_age = 1;
    ranger.id = 2;
    ranger.age = 3000000000;
    hero_result_free(OK(hero_client_update(test->client, &ranger.base, NULL, E)));
    REFUSED(hero_client_get(test->client, OLD, HERO_KEY(2), NULL, E), HERO_FAILED_PRECONDITION,
            "age", "out of its type's range");
    hero_result_free(OK(hero_client_get(test->client, NEW, HERO_KEY(2), NULL, E)));
    hero_result_free(OK(hero_client_get(test->client, OLD, HERO_KEY(1), NULL, E)));
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, call_case_teardown)
    const struct CMUnitTest tests[] = {
        CASE(reads_go_on), CASE(writes_clear_nothing), CASE(sessions_go_on),
        CASE(links_go_on), CASE(limits_are_told),
    };
    return cmocka_run_group_tests_name("yesterday", tests, NULL, NULL);
}
