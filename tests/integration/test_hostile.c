/*
 * Peers that mean no good, or know no better: broken handshakes, frames and
 * messages, and clients that never read. Whatever they do, the next client
 * is served.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
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
#include "fixture.h"
#include "heroes.pb-c.h"
#include "sp.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};

#define N_ATTACKS 1000
/* "At once", on a machine that also builds something. */
#define AT_ONCE_MS (fixture_is_sanitized() ? 5000 : 2000)

static struct herod_fixture herod;

static int start(void **state)
{
    const char *args[] = {"--listen", "tcp://127.0.0.1:0", NULL};

    (void)state;
    memset(&herod, 0, sizeof(herod));
    herod_fixture_start(&herod, args);
    struct sp sp = sp_dial(herod.url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    sp_close(&sp);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    herod_fixture_stop(&herod);
    return 0;
}

static void assert_served(const char *where)
{
    const char *urls[] = {herod.url, herod.tcp_url};

    for (size_t i = 0; i < 2; i++) {
        double ms = sp_check_ms(urls[i]);
        print_message("%s: next client on %.3s served in %.1f ms\n", where, urls[i], ms);
        assert_true(ms < AT_ONCE_MS);
    }
}

/* ---- the handshake ---- */

/* libnng must find our sendmsg before libc's. */
static void test_interposed(void **state)
{
    char command[512];

    (void)state;
    snprintf(command, sizeof(command), "nm -D '%s' | grep -q ' T sendmsg$'", getenv("HEROD"));
    assert_int_equal(system(command), 0);
}

enum attack {
    ATTACK_CLOSE,
    ATTACK_RESET,
    ATTACK_GARBAGE,
    ATTACK_HALF_HELLO,
    ATTACK_SHUTDOWN,
    ATTACK_HALF_FRAME,
    N_ATTACK_KINDS
};
static const char *const attack_names[] = {"connect and close", "reset",    "garbage",
                                           "half a hello",      "shutdown", "half a frame"};

static void attack(const char *url, enum attack kind)
{
    struct sp sp = sp_connect(url);
    struct linger linger = {1, 0};

    if (sp.fd < 0)
        fail_msg("%s: connect: %s", attack_names[kind], strerror(errno));
    switch (kind) {
    case ATTACK_CLOSE:
        break;
    case ATTACK_RESET:
        setsockopt(sp.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        break;
    case ATTACK_GARBAGE:
        sp_write(&sp, "GET / HTTP/1.1\r\n\r\n", 18);
        break;
    case ATTACK_HALF_HELLO:
        sp_write(&sp, "\0SP\0", 4);
        break;
    case ATTACK_SHUTDOWN:
        shutdown(sp.fd, SHUT_RDWR);
        break;
    case ATTACK_HALF_FRAME:
        if (sp_shake_hands(&sp))
            sp_send(&sp, 0x80000001, "half", 4, 1000);
        break;
    case N_ATTACK_KINDS:
        break;
    }
    sp_close(&sp);
}

static void run_attack(enum attack kind)
{
    char where[64];

    for (size_t i = 0; i < 2 * N_ATTACKS; i++)
        attack(i < N_ATTACKS ? herod.url : herod.tcp_url, kind);
    snprintf(where, sizeof(where), "%d x %s", N_ATTACKS, attack_names[kind]);
    assert_served(where);
}

static void test_connect_and_close(void **state)
{
    (void)state;
    run_attack(ATTACK_CLOSE);
}

static void test_reset(void **state)
{
    (void)state;
    run_attack(ATTACK_RESET);
}

static void test_garbage(void **state)
{
    (void)state;
    run_attack(ATTACK_GARBAGE);
}

static void test_half_hello(void **state)
{
    (void)state;
    run_attack(ATTACK_HALF_HELLO);
}

static void test_shutdown(void **state)
{
    (void)state;
    run_attack(ATTACK_SHUTDOWN);
}

static void test_half_frame(void **state)
{
    (void)state;
    run_attack(ATTACK_HALF_FRAME);
}

/* ---- frames ---- */

static void test_bad_frames(void **state)
{
    const struct {
        uint8_t bytes[32];
        size_t len;
    } frames[] = {
        {{1, 0, 0, 0, 0, 0, 0, 0, 0}, 9},                             /* empty */
        {{1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3}, 12},                   /* no request id */
        {{1, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2}, 11},      /* 2^64-1 bytes */
        {{2, 0, 0, 0, 0, 0, 0, 0, 4, 0x80, 0, 0, 1}, 13},             /* ipc: unknown type */
        {{1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2}, 17},    /* hops without end */
        {{1, 0, 0, 0, 0, 0, 0, 0, 6, 0x80, 0, 0, 1, 0xff, 0xff}, 15}, /* no Request */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        for (size_t n = 0; n < 40; n++) {
            struct sp sp = sp_dial(n % 2 ? herod.url : herod.tcp_url);
            sp_write(&sp, frames[i].bytes + !sp.is_ipc, frames[i].len - !sp.is_ipc);
            sp_close(&sp);
        }
    }
    assert_served("bad frames");
}

static void test_declared_oversize(void **state)
{
    const uint64_t lengths[] = {1024 * 1024 + 65, 16ull << 30, 1ull << 40, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct sp ipc = sp_dial(herod.url), tcp = sp_dial(herod.tcp_url);
        sp_send(&ipc, 0x80000001, "x", 1, lengths[i]);
        sp_send(&tcp, 0x80000001, "x", 1, lengths[i]);
        assert_true(sp_is_closed(&ipc, SP_TIMEOUT_MS));
        assert_true(sp_is_closed(&tcp, SP_TIMEOUT_MS));
        sp_close(&ipc);
        sp_close(&tcp);
    }
    assert_served("declared oversize");
}

static void test_100_megabytes(void **state)
{
    enum { CHUNK = 1 << 20, N = 100 };
    char *bytes = calloc(1, CHUNK);
    const char *urls[] = {herod.url, herod.tcp_url};
    long before = herod_fixture_status(&herod, "VmRSS:");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sp sp = sp_dial(urls[i]);
        bool open = sp_send(&sp, 0x80000001, bytes, CHUNK, (uint64_t)N * CHUNK);
        for (int n = 1; n < N && open; n++)
            open = sp_write(&sp, bytes, CHUNK) > 0;
        assert_false(open); /* disconnected long before the end */
        sp_close(&sp);
    }
    free(bytes);
    long after = herod_fixture_status(&herod, "VmRSS:");
    if (!fixture_is_sanitized())
        assert_true(after - before < 8 * 1024);
    assert_served("100 MB");
}

/* ---- messages ---- */

static size_t put_varint(uint8_t *at, size_t value)
{
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return n;
}

static void assert_status(struct sp *sp, const void *bytes, size_t len, int code, const char *path)
{
    uint32_t id = sp->next_id++;

    assert_true(sp_send(sp, id, bytes, len, 0));
    Hero__V1__Response *response = sp_receive_answer(sp, NULL, SP_TIMEOUT_MS);
    assert_non_null(response);
    if (sp_code(response) != code)
        print_error("status %d: %s\n", sp_code(response),
                    response->status ? response->status->message : "");
    assert_int_equal(sp_code(response), code);
    if (path && (response->status->n_violations < 1 ||
                 !strstr(response->status->violations[0]->path, path)))
        fail_msg("no violation of %s: %s", path, response->status->message);
    hero__v1__response__free_unpacked(response, NULL);
}

static void test_broken_messages(void **state)
{
    const int invalid = HERO__V1__CODE__INVALID_ARGUMENT;
    struct sp sp = sp_dial(herod.url);

    (void)state;
    assert_status(&sp, "", 0, HERO__V1__CODE__UNIMPLEMENTED, NULL);
    assert_status(&sp, "\xff\xff\xff", 3, invalid, NULL);
    assert_status(&sp,
                  "\x0a\x7f"
                  "abc",
                  5, invalid, NULL); /* past the end */
    assert_status(&sp,
                  "\x0a\x03"
                  "a\0b",
                  5, invalid, "method"); /* NUL */
    assert_status(&sp,
                  "\x0a\x03"
                  "a\xc0\x80",
                  5, invalid, "method"); /* overlong */
    assert_status(&sp,
                  "\x0a\x04"
                  "\xed\xa0\x80z",
                  6, invalid, "method");                  /* a surrogate */
    assert_status(&sp, "\x08\x01", 2, invalid, "method"); /* a number for a text */
    assert_status(&sp, "\x0b\x0c", 2, invalid, NULL);     /* a group */
    assert_status(&sp, "\x02\x00", 2, invalid, NULL);     /* field 0 */
    sp_close(&sp);
}

/* FileDescriptorSet.file.message_type.nested_type.nested_type...: protobuf-c
 * alone would overflow the stack on it. */
static void test_nested_10000(void **state)
{
    enum { DEPTH = 10000, ROOM = 60000 };
    uint8_t *bytes = malloc(ROOM), *at = bytes + ROOM;
    Hero__V1__ApplyModelsRequest apply = HERO__V1__APPLY_MODELS_REQUEST__INIT;
    Hero__V1__Request request;
    struct sp sp = sp_dial(herod.url);

    (void)state;
    for (int i = 0; i < DEPTH; i++) {
        uint8_t head[12] = {i == DEPTH - 1 ? 0x0a : i == DEPTH - 2 ? 0x22 : 0x1a};
        size_t n = 1 + put_varint(head + 1, (size_t)(bytes + ROOM - at));
        at -= n;
        memcpy(at, head, n);
    }
    apply.has_descriptor_set = true;
    apply.descriptor_set.data = at;
    apply.descriptor_set.len = (size_t)(bytes + ROOM - at);
    sp_fill_request(&request, "hero.v1.Models/Apply", &apply.base);
    Hero__V1__Response *response = sp_request(&sp, &request);
    assert_int_equal(sp_code(response), HERO__V1__CODE__INVALID_ARGUMENT);
    hero__v1__response__free_unpacked(response, NULL);
    free(request.payload.data);
    free(bytes);
    sp_close(&sp);
    assert_served("nested 10,000");
}

/* Half a million empty submessages: 56 times their size in protobuf-c. */
static void test_amplifying(void **state)
{
    enum { N = 500000 };
    uint8_t *payload = malloc(2 * N + 16);
    Hero__V1__Request request = HERO__V1__REQUEST__INIT;
    struct sp sp = sp_dial(herod.url);
    long before = herod_fixture_status(&herod, "VmHWM:");

    (void)state;
    for (size_t i = 0; i < N; i++)
        memcpy(payload + 2 * i, "\x0a\x00", 2); /* CommitRequest.mutations {} */
    request.method = (char[]){"hero.v1.Records/Commit"};
    request.has_payload = true;
    request.payload.data = payload;
    request.payload.len = 2 * N;
    Hero__V1__Response *response = sp_request(&sp, &request);
    int code = sp_code(response);
    assert_true(code == HERO__V1__CODE__INVALID_ARGUMENT ||
                code == HERO__V1__CODE__RESOURCE_EXHAUSTED);
    hero__v1__response__free_unpacked(response, NULL);
    free(payload);
    sp_close(&sp);
    if (!fixture_is_sanitized())
        assert_true(herod_fixture_status(&herod, "VmHWM:") - before < 40 * 1024);
    assert_served("amplifying");
}

/* ---- slow readers ---- */

#define N_SLOW 20
#define N_HEROES 450
#define N_READ_CONNECTIONS 6

static void make_heroes(struct sp *sp)
{
    static char secret[2001];
    Hero hero = HERO__INIT;
    uint8_t bytes[2100];
    Hero__V1__Record record = HERO__V1__RECORD__INIT, *records[] = {&record};
    Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
    Hero__V1__CreateRequest create = HERO__V1__CREATE_REQUEST__INIT;

    memset(secret, 'x', sizeof(secret) - 1);
    hero.name = (char[]){"Deadpond"};
    hero.secret_name = secret;
    record.has_ref = record.has_value = true;
    record.ref = 1;
    record.model = (char[]){"Hero"};
    record.value.data = bytes;
    record.value.len = hero__pack(&hero, bytes);
    graph.records = records;
    graph.n_records = 1;
    create.graph = &graph;
    for (int i = 0; i < N_HEROES; i++)
        assert_int_equal(sp_call_code(sp, "hero.v1.Records/Create", &create.base),
                         HERO__V1__CODE__OK);
}

/* Twenty clients ask for 900 kB again and again and never read: they are
 * disconnected, and meanwhile others hardly notice. */
static void test_slow_readers(void **state)
{
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__CheckRequest check = HERO__V1__CHECK_REQUEST__INIT;
    Hero__V1__Request request;
    struct sp slow[N_SLOW];
    double worst = 0;
    unsigned n_slow_answers = 0;

    (void)state;
    struct sp sp = sp_dial(herod.url);
    make_heroes(&sp);
    unsigned descriptors = herod_fixture_descriptors(&herod);
    list.model = (char[]){"Hero"};
    list.has_page_size = true;
    list.page_size = N_HEROES;
    sp_fill_request(&request, "hero.v1.Records/List", &list.base);
    for (int i = 0; i < N_SLOW; i++) {
        slow[i] = sp_dial(i % 2 ? herod.url : herod.tcp_url);
        setsockopt(slow[i].fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    }
    /* as many as all may have in flight, and more than sockets buffer (4 MB on tcp) */
    for (int round = 0; round < 9; round++) {
        for (int i = 0; i < N_SLOW; i++)
            sp_send_request(&slow[i], &request, NULL); /* kicked ones fail: fine */
    }
    for (int i = 0; i < 100; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        assert_int_equal(sp_call_code(&sp, "hero.v1.Admin/Check", &check.base), HERO__V1__CODE__OK);
        clock_gettime(CLOCK_MONOTONIC, &after);
        double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        worst = ms > worst ? ms : worst;
        n_slow_answers += ms > 50;
    }
    /* Looking at a connection would read from it: count herod's descriptors.
     * Each of SQLite's connections for reads opens the WAL when it first reads. */
    struct timespec pause = {0, 10000000};
    unsigned most = descriptors + N_READ_CONNECTIONS;
    for (int i = 0; i < 1000 && herod_fixture_descriptors(&herod) > most; i++)
        nanosleep(&pause, NULL);
    assert_true(herod_fixture_descriptors(&herod) <= most);
    print_message("%d slow readers kicked; others waited at most %.1f ms\n", N_SLOW, worst);
    herod_fixture_await_log(&herod, "too slowly");
    for (int i = 0; i < N_SLOW; i++)
        sp_close(&slow[i]);
    assert_served("slow readers");
    free(request.payload.data);
    sp_close(&sp);
    /* a busy machine makes a few wait, stalled contexts nearly all */
    if (!fixture_is_sanitized())
        assert_true(n_slow_answers <= 10 && worst < 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interposed),
        cmocka_unit_test(test_connect_and_close),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_half_hello),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_half_frame),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_declared_oversize),
        cmocka_unit_test(test_100_megabytes),
        cmocka_unit_test(test_broken_messages),
        cmocka_unit_test(test_nested_10000),
        cmocka_unit_test(test_amplifying),
        cmocka_unit_test(test_slow_readers),
    };

    return cmocka_run_group_tests_name("hostile", tests, start, stop);
}
