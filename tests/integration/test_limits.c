/*
 * The limits on requests and connections: told, kept, and never in the way
 * of Check and the watchdog.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "fixture.h"
#include "heroes.pb-c.h"
#include "sp.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};

static struct herod_fixture herod;
static Hero__V1__CheckRequest check = HERO__V1__CHECK_REQUEST__INIT;

static int tear_down(void **state)
{
    (void)state;
    herod_fixture_kill(&herod);
    herod_fixture_done(&herod);
    unsetenv("WATCHDOG_USEC");
    return 0;
}

static void start(const char *const *args)
{
    memset(&herod, 0, sizeof(herod));
    herod_fixture_start(&herod, args);
    struct sp sp = sp_dial(herod.url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    sp_close(&sp);
}

/* A Create that links nothing; free request->payload.data. */
static void fill_create(Hero__V1__Request *request)
{
    Hero hero = HERO__INIT;
    uint8_t bytes[64];
    Hero__V1__Record record = HERO__V1__RECORD__INIT, *records[] = {&record};
    Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
    Hero__V1__CreateRequest create = HERO__V1__CREATE_REQUEST__INIT;

    hero.name = (char[]){"Deadpond"};
    hero.secret_name = (char[]){"Dive Wilson"};
    record.has_ref = record.has_value = true;
    record.ref = 1;
    record.model = (char[]){"Hero"};
    record.value.data = bytes;
    record.value.len = hero__pack(&hero, bytes);
    graph.records = records;
    graph.n_records = 1;
    create.graph = &graph;
    sp_fill_request(request, "hero.v1.Records/Create", &create.base);
}

/* Another process's write lock: herod's writer waits, its queue fills. */
static sqlite3 *hold_database(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(herod.database, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void let_go(sqlite3 *db)
{
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Receives n answers and counts them by status. */
static void count_answers(struct sp *sp, unsigned n, unsigned *ret_ok, unsigned *ret_busy)
{
    *ret_ok = *ret_busy = 0;
    for (unsigned i = 0; i < n; i++) {
        Hero__V1__Response *response = sp_receive_answer(sp, NULL, SP_TIMEOUT_MS);
        int code = sp_code(response);
        if (code == HERO__V1__CODE__OK)
            ++*ret_ok;
        else if (code == HERO__V1__CODE__RESOURCE_EXHAUSTED)
            ++*ret_busy;
        else
            fail_msg("an answer of status %d", code);
        hero__v1__response__free_unpacked(response, NULL);
    }
}

static void send_many(struct sp *sp, const Hero__V1__Request *request, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_true(sp_send_request(sp, request, NULL));
}

static void test_in_flight_per_client(void **state)
{
    const char *args[] = {"--in-flight-per-client=5", NULL};
    Hero__V1__Request request;
    unsigned ok, busy;

    (void)state;
    start(args);
    fill_create(&request);
    struct sp greedy = sp_dial(herod.url), other = sp_dial(herod.url);
    sqlite3 *db = hold_database();
    send_many(&greedy, &request, 12);
    count_answers(&greedy, 7, &ok, &busy); /* told at once, not queued */
    assert_int_equal(ok, 0);
    assert_int_equal(busy, 7);
    /* others have their own share, and Check needs none */
    assert_int_equal(sp_call_code(&greedy, "hero.v1.Admin/Check", &check.base), HERO__V1__CODE__OK);
    send_many(&other, &request, 5);
    let_go(db);
    count_answers(&greedy, 5, &ok, &busy);
    assert_int_equal(ok, 5);
    count_answers(&other, 5, &ok, &busy);
    assert_int_equal(ok, 5);
    /* and the share is free again */
    send_many(&greedy, &request, 5);
    count_answers(&greedy, 5, &ok, &busy);
    assert_int_equal(ok, 5);
    sp_close(&greedy);
    sp_close(&other);
    free(request.payload.data);
    herod_fixture_stop(&herod);
}

/* The queue full of writes from many clients: Check answers each of them and
 * a new one, reads are told, the watchdog is fed. */
static void test_in_flight_of_all(void **state)
{
    enum { N_CLIENTS = 8, EACH = 10, CAP = 40 };
    const char *args[] = {"--in-flight=40", "--in-flight-per-client=20", NULL};
    Hero__V1__GetRequest get = HERO__V1__GET_REQUEST__INIT;
    struct sp clients[N_CLIENTS];
    Hero__V1__Request request;
    unsigned ok, busy, n_ok = 0, n_busy = 0;

    (void)state;
    start(args);
    fill_create(&request);
    for (int i = 0; i < N_CLIENTS; i++)
        clients[i] = sp_dial(herod.url);
    sqlite3 *db = hold_database();
    for (int i = 0; i < N_CLIENTS / 2; i++)
        send_many(&clients[i], &request, EACH);
    /* An answer to one sent later proves that those before were taken: all but
     * in order, so ask on each of these connections. */
    for (int i = 0; i < N_CLIENTS / 2; i++)
        assert_int_equal(sp_call_code(&clients[i], "hero.v1.Admin/Check", &check.base),
                         HERO__V1__CODE__OK);
    for (int i = N_CLIENTS / 2; i < N_CLIENTS; i++) {
        send_many(&clients[i], &request, EACH);
        count_answers(&clients[i], EACH, &ok, &busy);
        n_busy += busy;
    }
    assert_int_equal(n_busy, N_CLIENTS / 2 * EACH);
    get.model = (char[]){"Hero"};
    assert_int_equal(sp_call_code(&clients[0], "hero.v1.Records/Get", &get.base),
                     HERO__V1__CODE__RESOURCE_EXHAUSTED);
    print_message("Check of a new client with a full queue: %.1f ms\n", sp_check_ms(herod.url));
    let_go(db);
    for (int i = 0; i < N_CLIENTS / 2; i++) {
        count_answers(&clients[i], EACH, &ok, &busy);
        n_ok += ok;
    }
    assert_int_equal(n_ok, CAP);
    for (int i = 0; i < N_CLIENTS; i++)
        sp_close(&clients[i]);
    free(request.payload.data);
    herod_fixture_stop(&herod);
}

/* ---- connections ---- */

/* Waits for a WATCHDOG=1; how many came that were waiting already is no matter. */
static void assert_fed(void)
{
    struct pollfd poller = {.fd = herod.notify_fd, .events = POLLIN};
    char text[1024] = "";

    while (recv(herod.notify_fd, text, sizeof(text), MSG_DONTWAIT) > 0)
        ;
    do {
        memset(text, 0, sizeof(text));
        assert_int_equal(poll(&poller, 1, SP_TIMEOUT_MS), 1);
        assert_true(recv(herod.notify_fd, text, sizeof(text) - 1, 0) > 0);
    } while (!strstr(text, "WATCHDOG=1"));
}

static void test_max_clients(void **state)
{
    enum { MAX = 4 };
    const char *args[] = {"--max-clients=4", "--listen=tcp://127.0.0.1:0", NULL};
    struct sp clients[MAX], more[2];

    (void)state;
    setenv("WATCHDOG_USEC", "300000", 1);
    memset(&herod, 0, sizeof(herod));
    herod_fixture_start(&herod, args);
    assert_fed();
    for (int i = 0; i < MAX; i++) {
        clients[i] = sp_dial(i % 2 ? herod.url : herod.tcp_url);
        assert_int_equal(sp_call_code(&clients[i], "hero.v1.Admin/Check", &check.base),
                         HERO__V1__CODE__OK);
    }
    more[0] = sp_dial(herod.url);
    more[1] = sp_dial(herod.tcp_url);
    assert_true(sp_is_closed(&more[0], SP_TIMEOUT_MS));
    assert_true(sp_is_closed(&more[1], SP_TIMEOUT_MS));
    assert_fed(); /* its own probe is let in */
    for (int i = 0; i < MAX; i++)
        assert_int_equal(sp_call_code(&clients[i], "hero.v1.Admin/Check", &check.base),
                         HERO__V1__CODE__OK);
    herod_fixture_await_log(&herod, "max-clients");
    for (int i = 0; i < 2; i++)
        sp_close(&more[i]);
    for (int i = 0; i < MAX; i++)
        sp_close(&clients[i]);
    herod_fixture_stop(&herod);
}

/* A listener that nobody reaches any more: the watchdog is not fed, so that
 * systemd makes an end of it. */
static void test_unreachable_is_not_fed(void **state)
{
    enum { TICK_MS = 100 };
    struct pollfd poller;
    char text[1024];

    (void)state;
    setenv("WATCHDOG_USEC", "300000", 1);
    memset(&herod, 0, sizeof(herod));
    herod_fixture_start(&herod, NULL);
    assert_fed();
    assert_int_equal(unlink(herod.url + strlen("ipc://")), 0);
    herod_fixture_await_log(&herod, "does not answer itself");
    poller = (struct pollfd){.fd = herod.notify_fd, .events = POLLIN};
    while (recv(herod.notify_fd, text, sizeof(text), MSG_DONTWAIT) > 0)
        ; /* from before */
    assert_int_equal(poll(&poller, 1, 5 * TICK_MS), 0);
    herod_fixture_stop(&herod);
}

/* Requests of all clients share a budget of memory: what doesn't fit is
 * told, and afterwards all of it is there again. */
static void test_memory_of_all(void **state)
{
    enum { N = 48, PAYLOAD = 900 * 1024 };
    const char *args[] = {"--memory-limit=16M", NULL};
    uint8_t *payload = malloc(PAYLOAD);
    Hero__V1__Request request = HERO__V1__REQUEST__INIT;
    unsigned ok, busy;

    (void)state;
    start(args);
    memset(payload, 0, PAYLOAD);
    Hero__V1__Request create;
    fill_create(&create);
    sqlite3 *db = hold_database();
    struct sp sp = sp_dial(herod.url);
    size_t len = create.payload.len;
    memcpy(payload, create.payload.data, len);
    /* an unknown field of bytes fills it up */
    payload[len] = 0xa2;
    payload[len + 1] = 0x06;
    size_t rest = PAYLOAD - len - 5;
    payload[len + 2] = (uint8_t)(rest | 0x80);
    payload[len + 3] = (uint8_t)(rest >> 7 | 0x80);
    payload[len + 4] = (uint8_t)(rest >> 14);
    request.method = create.method;
    request.has_payload = true;
    request.payload.data = payload;
    request.payload.len = PAYLOAD;
    send_many(&sp, &request, N);
    sp_check_ms(herod.url); /* is served whatever others take */
    let_go(db);
    count_answers(&sp, N, &ok, &busy);
    assert_true(ok > 0 && busy > 0);
    send_many(&sp, &create, 20);
    unsigned again, none;
    count_answers(&sp, 20, &again, &none);
    assert_int_equal(again, 20);
    print_message("of %d requests of 900 kB for 16 MiB: %u done, %u told\n", N, ok, busy);
    sp_close(&sp);
    free(create.payload.data);
    free(payload);
    herod_fixture_stop(&herod);
}

static void test_idle_timeout(void **state)
{
    const char *args[] = {"--idle-timeout=1s", NULL};

    (void)state;
    setenv("WATCHDOG_USEC", "300000", 1); /* the tick that looks for idle ones */
    memset(&herod, 0, sizeof(herod));
    herod_fixture_start(&herod, args);
    struct sp sp = sp_dial(herod.url);
    assert_int_equal(sp_call_code(&sp, "hero.v1.Admin/Check", &check.base), HERO__V1__CODE__OK);
    assert_true(sp_is_closed(&sp, SP_TIMEOUT_MS));
    sp_close(&sp);
    sp_check_ms(herod.url);
    herod_fixture_stop(&herod);
}

/* Fewer descriptors than clients: fewer clients, and a word about it; those
 * that are connected are served, and others when some leave. */
static void test_few_descriptors(void **state)
{
    enum { N = 100, FEW = 64 };
    struct sp clients[N];

    (void)state;
    memset(&herod, 0, sizeof(herod));
    herod_fixture_init(&herod);
    herod.descriptors = FEW;
    herod_fixture_start(&herod, NULL);
    struct sp old = sp_dial(herod.url);
    herod_fixture_await_log(&herod, "event=max_clients");
    for (int i = 0; i < N; i++)
        clients[i] = sp_connect(herod.url);
    unsigned long ticks = herod_fixture_cpu_ticks(&herod);
    struct timespec second = {1, 0};
    nanosleep(&second, NULL); /* the time measured */
    ticks = herod_fixture_cpu_ticks(&herod) - ticks;
    print_message("%d clients for %d descriptors: %lu ticks a second\n", N, FEW, ticks);
    assert_true(ticks < 15 || fixture_is_sanitized());
    assert_int_equal(sp_call_code(&old, "hero.v1.Admin/Check", &check.base), HERO__V1__CODE__OK);
    for (int i = 0; i < N; i++)
        sp_close(&clients[i]);
    sp_check_ms(herod.url);
    sp_close(&old);
    herod_fixture_stop(&herod);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_in_flight_per_client, tear_down),
        cmocka_unit_test_teardown(test_in_flight_of_all, tear_down),
        cmocka_unit_test_teardown(test_max_clients, tear_down),
        cmocka_unit_test_teardown(test_unreachable_is_not_fed, tear_down),
        cmocka_unit_test_teardown(test_memory_of_all, tear_down),
        cmocka_unit_test_teardown(test_idle_timeout, tear_down),
        cmocka_unit_test_teardown(test_few_descriptors, tear_down),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
