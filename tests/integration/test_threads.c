/*
 * One client, many threads: every call answered with its own answer, every
 * write once, whatever restarts under them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "call_case.h"
#include "../client/nng_leaks.h"

#define N_THREADS 8
#define N_CALLS 60

struct worker {
    pthread_t thread;
    struct call_case *test;
    unsigned number;
    unsigned n_created;
    char failure[256];
};

static bool failed(struct worker *worker, const char *what, const hero_error *error)
{
    snprintf(worker->failure, sizeof(worker->failure), "%s: %s", what,
             error->message ? error->message : "wrong answer");
    return false;
}

/* A hero is created and read back; both answers must be this thread's. */
static bool work_once(struct worker *worker, unsigned i, hero_error *error)
{
    hero_client *client = worker->test->client;
    char name[32], key[32], expected[64];
    Hero hero = HERO__INIT;
    hero_result *result;
    int64_t id;
    bool right;

    snprintf(name, sizeof(name), "hero %u-%u", worker->number, i);
    hero.name = hero.secret_name = name;
    result = hero_client_create(client, &hero.base, error);
    if (!result)
        return failed(worker, "create", error);
    worker->n_created++;
    id = ((Hero *)hero_result_record(result, 0))->id;
    right = !strcmp(((Hero *)hero_result_record(result, 0))->name, name);
    hero_result_free(result);
    if (!right)
        return failed(worker, "create", error);
    if (i % 2) {
        const char *keys[] = {key};

        snprintf(key, sizeof(key), "%lld", (long long)id);
        snprintf(expected, sizeof(expected), "\"name\": \"%s\"", name);
        result = hero_client_get_json(client, "hero", keys, 1, "teams", error);
        right = result && strstr(hero_result_text(result), expected);
    } else {
        result = hero_client_get(client, &hero__descriptor, HERO_KEY(id), "teams", error);
        right = result && !strcmp(((Hero *)hero_result_record(result, 0))->name, name);
    }
    hero_result_free(result);
    return right || failed(worker, "get", error);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    hero_error error = HERO_ERROR_INIT;

    for (unsigned i = 0; i < N_CALLS && work_once(worker, i, &error); i++)
        ;
    hero_error_free(&error);
    return NULL;
}

static void start_all(struct call_case *test, struct worker *workers)
{
    for (unsigned i = 0; i < N_THREADS; i++) {
        workers[i] = (struct worker){.test = test, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void join_all(struct worker *workers)
{
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < N_THREADS; i++) {
        if (workers[i].n_created != N_CALLS || workers[i].failure[0])
            fail_msg("thread %u, %u created: %s", i, workers[i].n_created, workers[i].failure);
    }
}

static void test_many_threads(void **state)
{
    struct worker workers[N_THREADS];

    start_all(*state, workers);
    join_all(workers);
    assert_int_equal(call_case_rows(*state, "hero"), N_THREADS * N_CALLS);
}

static void test_many_threads_and_restarts(void **state)
{
    struct call_case *test = *state;
    struct worker workers[N_THREADS];

    start_all(test, workers);
    for (int i = 0; i < 4; i++) {
        herod_fixture_kill(&test->herod);
        herod_fixture_restart(&test->herod);
    }
    join_all(workers);
    assert_int_equal(call_case_rows(test, "hero"), N_THREADS * N_CALLS);
}

/* Few slots and many threads: those that wait get theirs. */
static void test_more_threads_than_slots(void **state)
{
    static const char *const args[] = {"--in-flight-per-client", "2", NULL};
    struct call_case *test = calloc(1, sizeof(*test));
    struct worker workers[N_THREADS];
    void *own = test;

    (void)state;
    call_case_start(test, args);
    hero_result_free(OK(hero_client_apply(test->client, call_case_heroes, call_case_heroes_size,
                                          NULL, &test->error)));
    start_all(test, workers);
    join_all(workers);
    call_case_teardown(&own);
}

struct chain {
    struct call_case *test;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned n_left, n_running;
};

static void next_link(struct chain *chain);

static void on_link(void *arg, hero_result *result, const hero_error *error)
{
    struct chain *chain = arg;
    bool more;

    if (!result)
        print_message("%s\n", error->message);
    hero_result_free(result);
    pthread_mutex_lock(&chain->lock);
    more = result && chain->n_left > 0;
    chain->n_left -= more;
    if (!more && !--chain->n_running)
        pthread_cond_signal(&chain->ended);
    pthread_mutex_unlock(&chain->lock);
    if (more)
        next_link(chain);
}

/* A request that is started from the end of another. */
static void next_link(struct chain *chain)
{
    hero_error error = HERO_ERROR_INIT;

    if (hero_request_start(hero_request_check(chain->test->client, &error), on_link, chain, &error))
        print_message("%s\n", error.message);
    hero_error_free(&error);
}

static void test_started_from_the_end_of_others(void **state)
{
    struct chain chain = {.test = *state,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .ended = PTHREAD_COND_INITIALIZER,
                          .n_left = 2000,
                          .n_running = 16};

    for (int i = 0; i < 16; i++)
        next_link(&chain);
    pthread_mutex_lock(&chain.lock);
    while (chain.n_running)
        pthread_cond_wait(&chain.ended, &chain.lock);
    pthread_mutex_unlock(&chain.lock);
    assert_int_equal(chain.n_left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_many_threads),
        TEST(test_many_threads_and_restarts),
        cmocka_unit_test(test_more_threads_than_slots),
        TEST(test_started_from_the_end_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
