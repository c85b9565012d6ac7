/*
 * Clients that die with requests under way and answers on their way to them:
 * their connections end, all of them, and nothing of them stays behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "fixture.h"
#include "sp.h"

#define N_DYING 300
#define N_REQUESTS 60
/* SQLite's connections for reads open the log when they first read; the probe's. */
#define N_OWN 40

static struct herod_fixture herod;

/* Some wait for a few answers first, so that herod is in the middle of it. */
static void live_and_die(const char *url, unsigned round)
{
    Hero__V1__CheckRequest check = HERO__V1__CHECK_REQUEST__INIT;
    Hero__V1__Request request;
    struct sp sp = sp_dial(url);
    struct linger reset = {1, 0};

    sp_fill_request(&request, "hero.v1.Admin/Check", &check.base);
    for (unsigned i = 0; i < N_REQUESTS; i++)
        if (!sp_send_request(&sp, &request, NULL))
            break;
    for (unsigned i = 0; i < round % 7; i++)
        hero__v1__response__free_unpacked(sp_receive_answer(&sp, NULL, SP_TIMEOUT_MS), NULL);
    if (round % 3 == 0)
        setsockopt(sp.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    sp_close(&sp);
    free(request.payload.data);
}

static void test_dying_clients(void **state)
{
    const struct timespec pause = {0, 10000000};

    (void)state;
    unsigned before = herod_fixture_descriptors(&herod);
    for (unsigned i = 0; i < N_DYING; i++)
        live_and_die(i % 2 ? herod.url : herod.tcp_url, i);
    for (int i = 0; i < 500 && herod_fixture_descriptors(&herod) > before + N_OWN; i++)
        nanosleep(&pause, NULL);
    print_message("%u descriptors before, %u after %d clients died\n", before,
                  herod_fixture_descriptors(&herod), N_DYING);
    assert_true(herod_fixture_descriptors(&herod) <= before + N_OWN);
    assert_true(sp_check_ms(herod.url) < 5000);
    assert_true(sp_check_ms(herod.tcp_url) < 5000);
}

static int set_up(void **state)
{
    static const char *const args[] = {"--listen", "tcp://127.0.0.1:0", NULL};

    (void)state;
    herod_fixture_start(&herod, args);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    herod_fixture_stop(&herod);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dying_clients)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
