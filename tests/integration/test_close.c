/*
 * Closing clients at the worst moment: while herod dies and comes back. What
 * one client does must never cost another its connection.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include "call_case.h"
#include "../client/nng_leaks.h"

#define N_CLIENTS 6
#define N_ROUNDS 25

struct closer {
    struct call_case *test;
    pthread_t thread;
    atomic_int *opened;
    atomic_bool *over;
    double close_ms;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Calls until told that it is over, then closes at once. */
static void *call_and_close(void *arg)
{
    struct closer *closer = arg;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client = NULL;

    int code = hero_client_open(closer->test->herod.url, NULL, &client, &error);
    atomic_fetch_add(closer->opened, 1);
    if (code)
        goto done;
    while (!atomic_load(closer->over)) {
        hero_request *request = hero_request_check(client, &error);
        hero_request_set_timeout(request, 20);
        hero_result_free(hero_request_run(request, &error));
    }
    double before = now_ms();
    hero_client_close(client);
    closer->close_ms = now_ms() - before;
done:
    hero_error_free(&error);
    return NULL;
}

static void test_close_while_killed(void **state)
{
    struct call_case *test = *state;
    double worst = 0;

    for (int round = 0; round < N_ROUNDS; round++) {
        struct closer closers[N_CLIENTS];
        atomic_int opened = 0;
        atomic_bool over = false;
        for (int i = 0; i < N_CLIENTS; i++) {
            closers[i] = (struct closer){.test = test, .opened = &opened, .over = &over};
            assert_int_equal(pthread_create(&closers[i].thread, NULL, call_and_close, &closers[i]),
                             0);
        }
        while (atomic_load(&opened) < N_CLIENTS)
            usleep(200);
        /* Before herod dies, while it does, and after. */
        if (round % 2)
            atomic_store(&over, true);
        usleep((useconds_t)(rand() % 2000));
        herod_fixture_kill(&test->herod);
        atomic_store(&over, true);
        herod_fixture_restart(&test->herod);
        for (int i = 0; i < N_CLIENTS; i++) {
            pthread_join(closers[i].thread, NULL);
            if (closers[i].close_ms > worst)
                worst = closers[i].close_ms;
        }
        /* The long-lived client still gets its connection back. */
        hero_result_free(OK(hero_client_check(test->client, &test->error)));
    }
    /* Two seconds are the most, where nng's reaper was locked up on the way. */
    print_message("slowest close: %.0f ms\n", worst);
    assert_true(worst < 2500 + (fixture_is_sanitized() ? 2000 : 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_close_while_killed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
