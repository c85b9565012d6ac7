/*
 * The life of a herod: ready, refused, killed, stopped under load, and what
 * it says when it cannot start.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "fixture.h"
#include "heroes.pb-c.h"
#include "sp.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};

static int set_up(void **state)
{
    static struct herod_fixture fixture;

    memset(&fixture, 0, sizeof(fixture));
    herod_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    herod_fixture_kill(*state);
    herod_fixture_done(*state);
    return 0;
}

static const char *in_directory(const struct herod_fixture *fixture, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", fixture->directory, name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_file_is(const char *path, const void *bytes, size_t len)
{
    char found[256];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof(found), file), len);
    assert_memory_equal(found, bytes, len);
    fclose(file);
}

/* A herod on these that must end with this status and one line that holds the text. */
static void assert_refused(const struct herod_fixture *fixture, const char *database,
                           const char *url, int status, const char *text)
{
    const char *args[] = {"herod", "--database", database, "--listen", url, NULL};
    char said[4096];
    int ended = herod_fixture_run(fixture, args, said, sizeof(said));

    if (ended != status || !strstr(said, text))
        print_error("expected %d and \"%s\", not %d and: %s\n", status, text, ended, said);
    assert_int_equal(ended, status);
    assert_non_null(strstr(said, text));
    char *end = strchr(said, '\n');
    assert_non_null(end);
    assert_int_equal(end[1], 0); /* one line */
}

/* ---- ready, idle, stopped ---- */

static void test_ready_and_idle(void **state)
{
    struct herod_fixture *fixture = *state;
    struct timespec second = {1, 0};
    double best = 1e9;

    for (int i = 0; i < 5; i++) {
        herod_fixture_start(fixture, NULL);
        best = fixture->ready_ms < best ? fixture->ready_ms : best;
        if (i < 4)
            herod_fixture_end(fixture);
    }
    sp_check_ms(fixture->url);
    unsigned long ticks = herod_fixture_cpu_ticks(fixture);
    nanosleep(&second, NULL); /* the time measured, not a wait for something */
    ticks = herod_fixture_cpu_ticks(fixture) - ticks;
    long rss = herod_fixture_status(fixture, "VmRSS:");
    print_message("start to READY %.1f ms, idle %ld KiB RSS, %ld threads, %lu ticks a second\n",
                  best, rss, herod_fixture_status(fixture, "Threads:"), ticks);
    assert_true(ticks <= 1);
    if (!fixture_is_sanitized()) {
        assert_true(best < 100);
        assert_true(rss < 12 * 1024);
    }
    herod_fixture_end(fixture);
    assert_int_equal(access(in_directory(fixture, "herod.sock"), F_OK), -1);
    assert_int_equal(access(in_directory(fixture, "hero.db-wal"), F_OK), -1);
}

static void test_socket_modes(void **state)
{
    struct herod_fixture *fixture = *state;
    struct stat st;

    herod_fixture_start(fixture, NULL);
    assert_int_equal(stat(in_directory(fixture, "herod.sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(stat(fixture->database, &st), 0);
    assert_int_equal(st.st_mode & 0077, 0);
    herod_fixture_end(fixture);
    const char *args[] = {"--socket-mode=0600", NULL};
    herod_fixture_start(fixture, args);
    assert_int_equal(stat(in_directory(fixture, "herod.sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    herod_fixture_end(fixture);
}

/* ---- who may start ---- */

static void test_second_daemon(void **state)
{
    struct herod_fixture *fixture = *state;
    char pid[32], other[160];

    herod_fixture_start(fixture, NULL);
    snprintf(pid, sizeof(pid), "%d", (int)fixture->pid);
    snprintf(other, sizeof(other), "ipc://%s", in_directory(fixture, "other.sock"));
    assert_refused(fixture, fixture->database, other, 6, pid);
    assert_refused(fixture, in_directory(fixture, "other.db"), fixture->url, 8,
                   "another herod listens");
    sp_check_ms(fixture->url);
    herod_fixture_end(fixture);
}

static void test_kill_and_start(void **state)
{
    struct herod_fixture *fixture = *state;

    herod_fixture_start(fixture, NULL);
    struct sp sp = sp_dial(fixture->url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    sp_close(&sp);
    herod_fixture_kill(fixture);
    assert_int_equal(access(in_directory(fixture, "herod.sock"), F_OK), 0); /* stale */
    herod_fixture_restart(fixture);
    assert_non_null(strstr(fixture->status, "3 models"));
    herod_fixture_end(fixture);
}

/* A listener of somebody else's at the path; never a second bind over it. */
static void test_foreign_listener(void **state)
{
    struct herod_fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_directory(fixture, "herod.sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_refused(fixture, fixture->database, fixture->url, 8, "another process listens");
    struct sp sp = sp_connect(fixture->url);
    assert_true(sp.fd >= 0);
    sp_close(&sp);
    close(fd);
    herod_fixture_start(fixture, NULL); /* now it is stale */
    herod_fixture_end(fixture);
}

static void test_not_a_socket(void **state)
{
    struct herod_fixture *fixture = *state;
    const char *path = in_directory(fixture, "herod.sock");

    write_file(path, "precious", 8);
    assert_refused(fixture, fixture->database, fixture->url, 8, "no socket");
    assert_file_is(path, "precious", 8);
    unlink(path);
    assert_int_equal(symlink("/nowhere", path), 0);
    assert_refused(fixture, fixture->database, fixture->url, 8, "no socket");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(fixture, fixture->database, fixture->url, 8, "no socket");
}

static void test_urls(void **state)
{
    struct herod_fixture *fixture = *state;
    const struct {
        const char *url, *text;
    } refused[] = {
        {"tcp://0.0.0.0:0", "loopback"},
        {"tcp://192.0.2.1:4711", "loopback"},
        {"tcp://localhost:4711", "loopback"},
        {"tcp://127.0.0.1", "tcp://127.0.0.1:PORT"},
        {"tcp://127.0.0.1:99999", "tcp://127.0.0.1:PORT"},
        {"ws://127.0.0.1:80", "ipc:///PATH"},
        {"ipc://relative", "absolute"},
        {"ipc:///nowhere/at/all/herod.sock", "directory does not exist"},
        {"ipc:///"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "107"},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_refused(fixture, fixture->database, refused[i].url, 8, refused[i].text);
}

/* ---- the database ---- */

static void test_bad_databases(void **state)
{
    struct herod_fixture *fixture = *state;
    const char *path = in_directory(fixture, "bad.db");
    char noise[200];

    assert_refused(fixture, "/nowhere/at/all/hero.db", fixture->url, 3, "/nowhere/at/all");
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 37 + 11);
    write_file(path, noise, sizeof(noise));
    assert_refused(fixture, path, fixture->url, 4, path);
    assert_file_is(path, noise, sizeof(noise));
    assert_int_equal(access(in_directory(fixture, "herod.sock"), F_OK), -1);
}

static void test_newer_database(void **state)
{
    struct herod_fixture *fixture = *state;
    char command[512];

    herod_fixture_start(fixture, NULL);
    herod_fixture_end(fixture);
    snprintf(command, sizeof(command),
             "/usr/bin/python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
             "c.execute(\"UPDATE _hero_meta SET value = 99 WHERE key = \\\"format\\\"\"); "
             "c.commit()' %s",
             fixture->database);
    if (system(command) != 0)
        skip(); /* no python3 here to age the file with */
    assert_refused(fixture, fixture->database, fixture->url, 5, "newer");
}

/* ---- options ---- */

static void assert_usage(const struct herod_fixture *fixture, const char *option, const char *text)
{
    const char *args[] = {"herod", option, NULL};
    char said[4096];

    int status = herod_fixture_run(fixture, args, said, sizeof(said));
    if (status != 2 || !strstr(said, text))
        print_error("%s: status %d: %s\n", option, status, said);
    assert_int_equal(status, 2);
    assert_non_null(strstr(said, text));
}

static void test_options(void **state)
{
    struct herod_fixture *fixture = *state;
    const char *file = in_directory(fixture, "herod.conf");
    char option[160], text[160];

    assert_usage(fixture, "--nonsense", "--nonsense");
    assert_usage(fixture, "stray", "stray");
    assert_usage(fixture, "--database", "value");
    assert_usage(fixture, "--message-limit=1", "4K to 16M");
    assert_usage(fixture, "--message-limit=12X", "size");
    assert_usage(fixture, "--retention=1s", "1m to 365d");
    assert_usage(fixture, "--socket-mode=999", "mode");
    assert_usage(fixture, "--log-level=loud", "debug");
    assert_usage(fixture, "--page-size=5000", "max-page-size");
    snprintf(option, sizeof(option), "--config=%s", file);
    assert_usage(fixture, option, "herod.conf");
    write_file(file, "# ours\n\ntimeout = 5s\nnonsense = 3\n", 34);
    snprintf(text, sizeof(text), "%s:4", file);
    assert_usage(fixture, option, text);
}

/* Command line over environment over file. */
static void test_precedence(void **state)
{
    struct herod_fixture *fixture = *state;
    const char *file = in_directory(fixture, "herod.conf"), *args[] = {"--config", file, NULL};
    struct stat st;

    write_file(file, "socket-mode = 0606\n", 19);
    herod_fixture_start(fixture, args);
    assert_int_equal(stat(in_directory(fixture, "herod.sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0606);
    herod_fixture_end(fixture);
    setenv("HERO_SOCKET_MODE", "0640", 1);
    herod_fixture_start(fixture, args);
    assert_int_equal(stat(in_directory(fixture, "herod.sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    herod_fixture_end(fixture);
    const char *more[] = {"--config", file, "--socket-mode", "0602", NULL};
    herod_fixture_start(fixture, more);
    unsetenv("HERO_SOCKET_MODE");
    assert_int_equal(stat(in_directory(fixture, "herod.sock"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0602);
    herod_fixture_end(fixture);
}

/* ---- stopping under load ---- */

#define N_HEROES 400
#define SECRET_BYTES 2000

static void make_heroes(struct sp *sp)
{
    static char secret[SECRET_BYTES + 1];
    static Hero hero = HERO__INIT;
    Hero__V1__Record record = HERO__V1__RECORD__INIT, *records[] = {&record};
    Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
    Hero__V1__CreateRequest create = HERO__V1__CREATE_REQUEST__INIT;
    uint8_t bytes[SECRET_BYTES + 100];

    memset(secret, 'x', SECRET_BYTES);
    hero.name = (char[]){"Deadpond"};
    hero.secret_name = secret;
    record.has_ref = record.has_value = record.has_member = true;
    record.ref = 1;
    record.model = (char[]){"Hero"};
    record.value.data = bytes;
    record.value.len = hero__pack(&hero, bytes);
    record.member = HERO__V1__RECORD__MEMBER__NEW;
    graph.records = records;
    graph.n_records = 1;
    create.graph = &graph;
    for (int i = 0; i < N_HEROES; i++)
        assert_int_equal(sp_call_code(sp, "hero.v1.Records/Create", &create.base),
                         HERO__V1__CODE__OK);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* 800 kB answers on their way when SIGTERM comes: all of them arrive, and
 * what is asked afterwards is refused, not dropped. */
static void test_stop_under_load(void **state)
{
    struct herod_fixture *fixture = *state;
    enum { N = 8 };
    struct sp clients[N];
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    const char *patient[] = {"--send-timeout=60s", NULL};
    Hero__V1__Request request;

    /* They read one after the other: no slow readers, on a busy machine either. */
    herod_fixture_start(fixture, patient);
    struct sp sp = sp_dial(fixture->url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    make_heroes(&sp);
    list.model = (char[]){"Hero"};
    list.has_page_size = true;
    list.page_size = N_HEROES;
    sp_fill_request(&request, "hero.v1.Records/List", &list.base);
    for (int i = 0; i < N; i++) {
        clients[i] = sp_dial(fixture->url);
        assert_true(sp_send_request(&clients[i], &request, NULL));
    }
    /* one answer proves that it is at work */
    Hero__V1__Response *response = sp_receive_answer(&clients[0], NULL, SP_TIMEOUT_MS);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    assert_true(response->payload.len > N_HEROES * SECRET_BYTES);
    hero__v1__response__free_unpacked(response, NULL);
    double before = now_ms();
    herod_fixture_signal(fixture, SIGTERM);
    for (int i = 1; i < N; i++) {
        response = sp_receive_answer(&clients[i], NULL, SP_TIMEOUT_MS);
        /* whole, or refused because the signal came first; never half or lost */
        assert_non_null(response);
        if (sp_code(response) == HERO__V1__CODE__OK)
            assert_true(response->payload.len > N_HEROES * SECRET_BYTES);
        else
            assert_int_equal(sp_code(response), HERO__V1__CODE__UNAVAILABLE);
        hero__v1__response__free_unpacked(response, NULL);
        sp_close(&clients[i]);
    }
    herod_fixture_end(fixture); /* status 0 */
    if (!fixture_is_sanitized())
        assert_true(now_ms() - before < 2000);
    free(request.payload.data);
    sp_close(&clients[0]);
    sp_close(&sp);
}

/* A client that doesn't read cannot hold up the end. */
static void test_stop_with_stuck_client(void **state)
{
    struct herod_fixture *fixture = *state;
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    const char *args[] = {"--send-timeout=60s", NULL};
    Hero__V1__Request request;

    herod_fixture_start(fixture, args);
    struct sp sp = sp_dial(fixture->url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    make_heroes(&sp);
    list.model = (char[]){"Hero"};
    list.has_page_size = true;
    list.page_size = N_HEROES;
    sp_fill_request(&request, "hero.v1.Records/List", &list.base);
    struct sp stuck = sp_dial(fixture->url);
    for (int i = 0; i < 4; i++)
        assert_true(sp_send_request(&stuck, &request, NULL));
    sp_check_ms(fixture->url);
    double before = now_ms();
    herod_fixture_end(fixture);
    if (!fixture_is_sanitized())
        assert_true(now_ms() - before < 2100);
    free(request.payload.data);
    sp_close(&stuck);
    sp_close(&sp);
}

/* ---- the unit ---- */

static void test_unit(void **state)
{
    struct herod_fixture *fixture = *state;
    const char *build = getenv("HERO_BUILD"), *herod = getenv("HEROD");
    char command[1024];

    if (!build || !herod || access("/usr/bin/systemd-analyze", X_OK) != 0) {
        print_message("skipped: no systemd-analyze here\n");
        skip();
    }
    /* verify looks whether the program is there: this one is, under another name */
    snprintf(
        command, sizeof(command),
        "sed 's|^ExecStart=[^ ]*|ExecStart=%s|' '%s/daemon/herod.service' > '%s/herod.service' && "
        "systemd-analyze verify --man=no '%s/herod.service' && "
        "systemd-analyze security --offline=true --no-pager --threshold=6 "
        "'%s/herod.service' | tail -1",
        herod, build, fixture->directory, fixture->directory, fixture->directory);
    assert_int_equal(system(command), 0);
    /* tail's status hides the threshold's: ask again, for it alone */
    snprintf(command, sizeof(command),
             "systemd-analyze security --offline=true --no-pager --threshold=6 "
             "'%s/herod.service' > /dev/null",
             fixture->directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ready_and_idle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_socket_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_daemon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kill_and_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_listener, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_a_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_urls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_databases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_precedence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_under_load, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_with_stuck_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unit, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
