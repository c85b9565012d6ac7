/*
 * What becomes of calls while herod is away, stopped, killed or changed
 * underneath: each has one effect, and each is told the truth.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include "call_case.h"
#include "../client/nng_leaks.h"

static hero_request *prepare_hero(struct call_case *test, const char *name)
{
    Hero hero = HERO__INIT;
    hero_request *request;

    hero.name = hero.secret_name = (char *)(uintptr_t)name;
    request = hero_request_create(test->client, &hero.base, &test->error);
    if (!request)
        fail_msg("%s", test->error.message);
    return request;
}

static void test_restart(void **state)
{
    struct call_case *test = *state;
    hero_request *request;

    hero_result_free(OK(hero_request_run(prepare_hero(test, "a"), &test->error)));
    herod_fixture_end(&test->herod);
    /* The first may still go into the connection that is just closing; it ends
     * unknown then. Afterwards nothing is sent. */
    request = hero_request_check(test->client, &test->error);
    hero_request_set_timeout(request, 200);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_UNAVAILABLE);
    request = prepare_hero(test, "b");
    hero_request_set_timeout(request, 200);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_UNAVAILABLE);
    assert_int_equal(test->error.outcome, HERO_NOT_SENT);
    assert_non_null(strstr(test->error.message, test->herod.url));
    herod_fixture_restart(&test->herod);
    hero_result_free(OK(hero_request_run(prepare_hero(test, "c"), &test->error)));
    assert_int_equal(call_case_rows(test, "hero"), 2);
}

struct background {
    struct call_case *test;
    pthread_t thread;
    hero_result *result;
    hero_error error;
    atomic_bool begun;
};

static void *run_in_background(void *arg)
{
    struct background *background = arg;
    hero_request *request = prepare_hero(background->test, "away");

    atomic_store(&background->begun, true);
    background->result = hero_request_run(request, &background->error);
    return NULL;
}

static void start_background(struct background *background, struct call_case *test)
{
    memset(background, 0, sizeof(*background));
    background->test = test;
    assert_int_equal(pthread_create(&background->thread, NULL, run_in_background, background), 0);
    while (!atomic_load(&background->begun))
        sched_yield();
}

/* Nobody is there; when somebody is, the call that waited is made. */
static void test_waits_for_the_daemon(void **state)
{
    struct call_case *test = *state;
    struct background background;

    hero_result_free(OK(hero_request_run(prepare_hero(test, "models are known"), &test->error)));
    herod_fixture_kill(&test->herod);
    start_background(&background, test);
    herod_fixture_restart(&test->herod);
    pthread_join(background.thread, NULL);
    if (!background.result)
        fail_msg("%s", background.error.message);
    hero_result_free(background.result);
    assert_int_equal(call_case_rows(test, "hero"), 2);
}

/* Sent, and the daemon is killed before it can answer: repeated, one effect. */
static void test_killed_under_a_write(void **state)
{
    struct call_case *test = *state;
    struct background background;

    hero_result_free(OK(hero_request_run(prepare_hero(test, "models are known"), &test->error)));
    for (int i = 0; i < 5; i++) {
        call_case_pause(test);
        start_background(&background, test);
        herod_fixture_kill(&test->herod);
        herod_fixture_restart(&test->herod);
        pthread_join(background.thread, NULL);
        if (!background.result)
            fail_msg("%s", background.error.message);
        hero_result_free(background.result);
    }
    assert_int_equal(call_case_rows(test, "hero"), 6);
}

/* The deadline passes before the answer: unknown, and settled by its seq. */
static void test_unknown_is_settled(void **state)
{
    struct call_case *test = *state;
    hero_request *request;
    hero_result *result;
    uint64_t seq;

    hero_result_free(OK(hero_request_run(prepare_hero(test, "first"), &test->error)));
    call_case_pause(test);
    request = prepare_hero(test, "second");
    hero_request_set_timeout(request, 100);
    seq = hero_request_seq(request);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_DEADLINE_EXCEEDED);
    assert_int_equal(test->error.outcome, HERO_OUTCOME_UNKNOWN);
    herod_fixture_signal(&test->herod, SIGCONT);

    /* Others go on meanwhile; the open seq stays repeatable. */
    for (int i = 0; i < 20; i++)
        hero_result_free(OK(hero_request_run(prepare_hero(test, "others"), &test->error)));
    request = prepare_hero(test, "second");
    hero_request_set_seq(request, seq);
    assert_int_equal(hero_request_seq(request), seq);
    result = OK(hero_request_run(request, &test->error));
    hero_result_free(result);
    assert_int_equal(call_case_rows(test, "hero"), 22);

    /* Settled, and passed by later ones: no longer known, and not executed. */
    hero_result_free(OK(hero_request_run(prepare_hero(test, "later"), &test->error)));
    request = prepare_hero(test, "second");
    hero_request_set_seq(request, seq);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_FAILED_PRECONDITION);
    assert_int_equal(test->error.outcome, HERO_OUTCOME_UNKNOWN);
    assert_int_equal(call_case_rows(test, "hero"), 23);
}

/* An id from long ago, and the program's own: refused, never replaced. */
static void test_forgotten_client(void **state)
{
    struct call_case *test = *state;
    hero_options options = HERO_OPTIONS_INIT;
    hero_client *client = test->client;
    uint8_t id[16];

    hero_client_id_new(id);
    id[0] = id[1] = 0;
    options.client_id = id;
    test->client = call_case_open(test, &options);
    assert_null(hero_request_run(prepare_hero(test, "x"), &test->error));
    assert_int_equal(test->error.code, HERO_FAILED_PRECONDITION);
    assert_int_equal(test->error.outcome, HERO_REFUSED);
    assert_string_equal(test->error.violations[0].path, "client");
    hero_client_close(test->client);
    test->client = client;
    assert_int_equal(call_case_rows(test, "hero"), 0);
}

/* Reads are repeated, too. */
static void test_killed_under_reads(void **state)
{
    struct call_case *test = *state;
    hero_result *result;

    hero_result_free(OK(hero_request_run(prepare_hero(test, "x"), &test->error)));
    for (int i = 0; i < 3; i++) {
        herod_fixture_kill(&test->herod);
        herod_fixture_restart(&test->herod);
        result = OK(
            hero_client_get(test->client, &hero__descriptor, HERO_KEY(1), "teams", &test->error));
        hero_result_free(result);
    }
}

/* Closing while nobody is there and calls wait. */
static void never(void *arg, hero_result *result, const hero_error *error)
{
    assert_null(result);
    *(int *)arg += error->code == HERO_CANCELLED;
}

static void test_close_while_away(void **state)
{
    struct call_case *test = *state;
    int n_cancelled = 0;

    herod_fixture_kill(&test->herod);
    for (int i = 0; i < 5; i++)
        assert_int_equal(hero_request_start(hero_request_check(test->client, &test->error), never,
                                            &n_cancelled, &test->error),
                         HERO_OK);
    hero_client_close(test->client);
    test->client = NULL;
    assert_int_equal(n_cancelled, 5);
    herod_fixture_restart(&test->herod);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_restart),
        TEST(test_waits_for_the_daemon),
        TEST(test_killed_under_a_write),
        TEST(test_unknown_is_settled),
        TEST(test_forgotten_client),
        TEST(test_killed_under_reads),
        TEST(test_close_while_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
