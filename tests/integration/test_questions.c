/*
 * Questions through the library: filters, expansions that are cut and go on,
 * related records, groups, plans; with generated structs and as JSON, waited
 * for and started.
 */
#include <semaphore.h>
#include "call_case.h"

/* Three teams: of heroes 1 to 30 the first has all, the second every third, the third none. */
static void fill(struct call_case *test)
{
    static const char *const teams[] = {"Preventers", "Z-Force", "Nobody"};
    char json[160];

    for (size_t i = 0; i < 3; i++) {
        snprintf(json, sizeof(json), "{\"name\": \"%s\", \"headquarters\": \"x\"}", teams[i]);
        hero_result_free(OK(hero_client_create_json(test->client, "team", json, &test->error)));
    }
    for (int i = 1; i <= 30; i++) {
        snprintf(json, sizeof(json),
                 "{\"name\": \"h%02d\", \"secret_name\": \"s\", \"age\": %d, \"teams\": [{\"id\": "
                 "1}%s]}",
                 i, i % 5, i % 3 ? "" : ", {\"id\": 2}");
        hero_result_free(OK(hero_client_create_json(test->client, "hero", json, &test->error)));
    }
}

static void test_list(void **state)
{
    struct call_case *test = *state;
    hero_list list = {.filter = "age = 3 AND any(teams, name = \"Z-Force\")",
                      .order_by = "-name",
                      .fields = "name",
                      .total = HERO_TOTAL_EXACT,
                      .page_size = 1};
    hero_result *result;
    bool more;

    fill(test);
    result = OK(hero_client_list(test->client, &hero__descriptor, &list, &test->error));
    assert_int_equal(hero_result_count(result), 1);
    const Hero *hero = hero_result_record(result, 0);
    assert_string_equal(hero->name, "h18");
    assert_true(hero->has_id);
    assert_false(hero->has_age);
    assert_null(hero->secret_name);
    assert_int_equal(hero_result_total(result, &more), 2);
    assert_false(more);
    assert_non_null(hero_result_next_page_token(result));
    list.page_token = hero_result_next_page_token(result);
    hero_result *next = OK(hero_client_list(test->client, &hero__descriptor, &list, &test->error));
    assert_string_equal(((Hero *)hero_result_record(next, 0))->name, "h03");
    assert_null(hero_result_next_page_token(next));
    hero_result_free(next);
    hero_result_free(result);
    list = (hero_list){.total = HERO_TOTAL_CAPPED, .total_limit = 7, .page_size = 1};
    result = OK(hero_client_list(test->client, &hero__descriptor, &list, &test->error));
    assert_int_equal(hero_result_total(result, &more), 7);
    assert_true(more);
    hero_result_free(result);
    list = (hero_list){.filter = "age == 3"};
    REFUSED(hero_client_list(test->client, &hero__descriptor, &list, &test->error),
            HERO_INVALID_ARGUMENT, "filter", "character 6");
    list = (hero_list){.fields = " , "};
    REFUSED(hero_client_list(test->client, &hero__descriptor, &list, &test->error),
            HERO_INVALID_ARGUMENT, "read_mask", "names no field");
}

/* What a cap leaves out is read where its token says. */
static void test_expansion_goes_on(void **state)
{
    struct call_case *test = *state;
    const hero_expansion heroes = {.path = "heroes",
                                   .filter = "age != 0",
                                   .order_by = "-age,name",
                                   .page_size = 10,
                                   .total = true,
                                   .fields = "age"};
    const hero_list list = {.expansions = &heroes, .n_expansions = 1, .order_by = "id"};
    hero_result *result;
    uint64_t total = 0;
    size_t n = 0;

    fill(test);
    result = OK(hero_client_list(test->client, &team__descriptor, &list, &test->error));
    assert_int_equal(hero_result_count(result), 3);
    const Team *all = hero_result_record(result, 0), *some = hero_result_record(result, 1),
               *none = hero_result_record(result, 2);
    assert_int_equal(all->n_heroes, 10);
    assert_int_equal(all->heroes[0]->age, 4);
    assert_null(all->heroes[0]->name);
    assert_true(hero_result_related_total(result, all, "heroes", &total));
    assert_int_equal(total, 24);
    assert_true(hero_result_related_total(result, some, "heroes", &total));
    assert_int_equal(total, 8);
    assert_null(hero_result_related_page_token(result, some, "heroes"));
    assert_true(hero_result_related_total(result, none, "heroes", &total));
    assert_int_equal(total, 0);
    assert_false(hero_result_related_total(result, all, "teams", &total));
    hero_list rest = {.filter = heroes.filter, .order_by = heroes.order_by, .page_size = 6};
    rest.page_token = hero_result_related_page_token(result, all, "heroes");
    assert_non_null(rest.page_token);
    char *token = strdup(rest.page_token);
    while (token) {
        rest.page_token = token;
        hero_result *page = OK(hero_client_list_related(
            test->client, &team__descriptor, HERO_KEY(1), "heroes", &rest, &test->error));
        const Hero *first = hero_result_record(page, 0);
        assert_string_equal(first->secret_name, "s");
        n += hero_result_count(page);
        free(token);
        token =
            hero_result_next_page_token(page) ? strdup(hero_result_next_page_token(page)) : NULL;
        hero_result_free(page);
    }
    assert_int_equal(n, 14);
    hero_result_free(result);
    REFUSED(hero_client_list_related(test->client, &team__descriptor, HERO_KEY(9), "heroes", NULL,
                                     &test->error),
            HERO_NOT_FOUND, "target.key", "9 does not exist");
    REFUSED(hero_client_list_related(test->client, &team__descriptor, HERO_KEY(1), "friends", NULL,
                                     &test->error),
            HERO_INVALID_ARGUMENT, "relationship", "no relationship friends");
}

static void test_json(void **state)
{
    struct call_case *test = *state;
    const hero_expansion heroes = {
        .path = "heroes", .page_size = 1, .total = true, .fields = "name"};
    const hero_list list = {
        .expansions = &heroes, .n_expansions = 1, .fields = "name", .filter = "id != 1"};
    const hero_list related = {.filter = "age = 0", .fields = "age", .page_size = 2};

    fill(test);
    hero_result *result = OK(hero_client_list_json(test->client, "team", &list, &test->error));
    assert_non_null(strstr(hero_result_text(result),
                           "\"heroes\": [{\"id\": 3, \"name\": \"h03\"}], \"@heroes\": {\"total\": "
                           "10, \"next_page_token\": \""));
    assert_non_null(
        strstr(hero_result_text(result),
               "{\"id\": 3, \"name\": \"Nobody\", \"heroes\": [], \"@heroes\": {\"total\": 0}}"));
    hero_result_free(result);
    TEXT(hero_client_list_related_json(test->client, "team", "2", "heroes", &related, &test->error),
         "[{\"id\": 15, \"age\": 0}, {\"id\": 30, \"age\": 0}]");
    TEXT(hero_client_count_json(test->client, "hero", "age > 2", NULL, 0, &test->error),
         "{\"count\": 12}");
    TEXT(hero_client_count_json(test->client, "hero", "age > 2", "age", 0, &test->error),
         "{\"groups\": [{\"value\": 3, \"count\": 6}, {\"value\": 4, \"count\": 6}]}");
    TEXT(hero_client_count_json(test->client, "hero", NULL, "teams", 1, &test->error),
         "{\"groups\": [{\"value\": {\"id\": 1}, \"count\": 30}], \"more\": true}");
    result = OK(hero_client_explain_json(test->client, "team", &list, &test->error));
    assert_non_null(strstr(hero_result_text(result), "\"sql\": \"SELECT t0.id, t0.name, NULL"));
    hero_result_free(result);
    REFUSED(hero_client_count_json(test->client, "hero", NULL, "nothing", 0, &test->error),
            HERO_INVALID_ARGUMENT, "group_by", "no field called");
}

static void test_count(void **state)
{
    struct call_case *test = *state;
    hero_result *result;

    fill(test);
    result = OK(hero_client_count(test->client, &hero__descriptor, NULL, "teams", 0, &test->error));
    assert_int_equal(hero_result_count(result), 2);
    assert_int_equal(((Team *)hero_result_record(result, 0))->id, 1);
    assert_int_equal(hero_result_group(result, 0), 30);
    assert_int_equal(hero_result_group(result, 1), 10);
    assert_int_equal(hero_result_group(result, 2), 0);
    assert_false(hero_result_more_groups(result));
    hero_result_free(result);
    result =
        OK(hero_client_count(test->client, &hero__descriptor, "age < 2", "age", 1, &test->error));
    assert_int_equal(((Hero *)hero_result_record(result, 0))->age, 0);
    assert_int_equal(hero_result_group(result, 0), 6);
    assert_true(hero_result_more_groups(result));
    hero_result_free(result);
    result = OK(hero_client_count(test->client, &team__descriptor, NULL, NULL, 0, &test->error));
    assert_null(hero_result_record(result, 0));
    assert_int_equal(hero_result_group(result, 0), 3);
    hero_result_free(result);
    result = OK(hero_client_count(test->client, &team__descriptor, "name = \"Nobody\"", "heroes", 0,
                                  &test->error));
    assert_int_equal(hero_result_count(result), 1);
    assert_null(hero_result_record(result, 0));
    assert_int_equal(hero_result_group(result, 0), 1);
    hero_result_free(result);
}

struct waiting {
    sem_t done;
    hero_result *result;
};

static void note(void *arg, hero_result *result, const hero_error *error)
{
    struct waiting *waiting = arg;

    (void)error;
    waiting->result = result;
    sem_post(&waiting->done);
}

static void test_started(void **state)
{
    struct call_case *test = *state;
    const hero_list list = {.page_size = 5};
    struct waiting waiting = {.result = NULL};

    fill(test);
    sem_init(&waiting.done, 0, 0);
    hero_request *request = hero_request_list_related(test->client, &team__descriptor, HERO_KEY(2),
                                                      "heroes", &list, &test->error);
    assert_int_equal(hero_request_start(request, note, &waiting, &test->error), HERO_OK);
    while (sem_wait(&waiting.done))
        ;
    assert_non_null(waiting.result);
    assert_int_equal(hero_result_count(waiting.result), 5);
    hero_result_free(waiting.result);
    request = hero_request_count(test->client, &team__descriptor, NULL, NULL, 0, &test->error);
    assert_int_equal(hero_request_start(request, note, &waiting, &test->error), HERO_OK);
    while (sem_wait(&waiting.done))
        ;
    assert_int_equal(hero_result_group(waiting.result, 0), 3);
    hero_result_free(waiting.result);
    sem_destroy(&waiting.done);
}

/* A session holds whole records and whole lists. */
static void test_session(void **state)
{
    struct call_case *test = *state;
    const hero_expansion teams = {.path = "teams", .page_size = 1};
    const hero_list filtered = {.filter = "age = 1", .expand = "teams"};
    const hero_list masked = {.fields = "name"}, cut = {.expansions = &teams, .n_expansions = 1};
    hero_session *session = hero_session_new(test->client);
    size_t n = 0;

    fill(test);
    void **records =
        hero_session_list(session, &hero__descriptor, &filtered, &n, NULL, &test->error);
    assert_non_null(records);
    assert_int_equal(n, 6);
    assert_int_equal(((Hero *)records[1])->n_teams, 2); /* h06 */
    assert_null(hero_session_list(session, &hero__descriptor, &masked, &n, NULL, &test->error));
    assert_int_equal(test->error.code, HERO_INVALID_ARGUMENT);
    hero_error_free(&test->error);
    assert_null(hero_session_list(session, &hero__descriptor, &cut, &n, NULL, &test->error));
    assert_int_equal(test->error.code, HERO_INVALID_ARGUMENT);
    hero_error_free(&test->error);
    hero_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),  TEST(test_expansion_goes_on), TEST(test_json),
        TEST(test_count), TEST(test_started),           TEST(test_session),
    };

    return cmocka_run_group_tests_name("questions", tests, NULL, NULL);
}
