/*
 * The connection: classes of failure, reconnecting, closing with calls in
 * flight. The peer is a socket of this program's own that answers, keeps
 * silent or hangs up as the message says.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include "nng_leaks.h"
#include "unit.h"
#include "transport.h"

#define SECOND INT64_C(1000000000)

struct fixture {
    char directory[64];
    char path[96];
    char url[128];
    nng_socket peer;
    pthread_t thread;
    bool serving;
    atomic_int n_received;
    struct transport *transport;
    struct fault fault;
};

static int64_t after(int64_t ns)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec + ns;
}

/* 'e' is echoed, 's' gets no answer, 'h' hangs up. */
static void *serve(void *arg)
{
    struct fixture *fixture = arg;
    nng_msg *message;

    while (!nng_recvmsg(fixture->peer, &message, 0)) {
        char what = nng_msg_len(message) ? *(char *)nng_msg_body(message) : 'e';

        atomic_fetch_add(&fixture->n_received, 1);
        if (what == 'h')
            nng_pipe_close(nng_msg_get_pipe(message));
        if (what != 'e' || nng_sendmsg(fixture->peer, message, 0))
            nng_msg_free(message);
    }
    return NULL;
}

static void start_peer(struct fixture *fixture)
{
    assert_int_equal(nng_rep0_open(&fixture->peer), 0);
    assert_int_equal(nng_listen(fixture->peer, fixture->url, NULL, 0), 0);
    assert_int_equal(pthread_create(&fixture->thread, NULL, serve, fixture), 0);
    fixture->serving = true;
}

static void stop_peer(struct fixture *fixture)
{
    if (!fixture->serving)
        return;
    nng_close(fixture->peer);
    pthread_join(fixture->thread, NULL);
    fixture->serving = false;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    strcpy(fixture->directory, "/tmp/hero-transport-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->directory);
    snprintf(fixture->url, sizeof(fixture->url), "ipc://%s", fixture->path);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    transport_close(fixture->transport);
    stop_peer(fixture);
    unlink(fixture->path);
    assert_int_equal(rmdir(fixture->directory), 0);
    fault_done(&fixture->fault);
    free(fixture);
    return 0;
}

static Code open_url(struct fixture *fixture, const char *url, int64_t ns)
{
    fault_done(&fixture->fault);
    return transport_open(url, -1, after(ns), &fixture->transport, &fixture->fault);
}

static void open_peer(struct fixture *fixture)
{
    start_peer(fixture);
    if (open_url(fixture, fixture->url, 5 * SECOND))
        fail_msg("%s", fixture->fault.message);
}

static enum transport_end run(struct fixture *fixture, const char *text, int64_t ns)
{
    struct transport_slot *slot = transport_acquire(fixture->transport, true, after(ns));
    struct transport_reply reply;
    enum transport_end end;

    assert_non_null(slot);
    memcpy(transport_message(slot, strlen(text)), text, strlen(text));
    end = transport_run(slot, after(ns), &reply);
    if (end == TRANSPORT_ANSWERED) {
        assert_int_equal(reply.len, strlen(text));
        assert_memory_equal(reply.bytes, text, reply.len);
    }
    transport_release(slot);
    return end;
}

/* The first sending may still go into the connection that is just closing. */
static enum transport_end run_without_peer(struct fixture *fixture, int64_t ns)
{
    enum transport_end end = run(fixture, "e", ns);

    return end == TRANSPORT_LOST ? run(fixture, "e", ns) : end;
}

static void assert_no_open(struct fixture *fixture, const char *url, Code code, const char *part)
{
    assert_int_equal(open_url(fixture, url, SECOND / 2), code);
    if (!strstr(fixture->fault.message, url) || !strstr(fixture->fault.message, part))
        fail_msg("%s", fixture->fault.message);
}

static void test_nobody_there(void **state)
{
    struct fixture *fixture = *state;
    char too_long[160];
    FILE *file;

    memset(too_long, 'x', sizeof(too_long));
    memcpy(too_long, "ipc:///", 7);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_no_open(fixture, fixture->url, HERO__V1__CODE__UNAVAILABLE, "no such socket");
    file = fopen(fixture->path, "w");
    fclose(file);
    assert_no_open(fixture, fixture->url, HERO__V1__CODE__UNAVAILABLE, "nobody listens");
    assert_no_open(fixture, "tcp://127.0.0.1:1", HERO__V1__CODE__UNAVAILABLE, "nobody listens");
    assert_no_open(fixture, too_long, HERO__V1__CODE__INVALID_ARGUMENT, "at most 107");
    assert_no_open(fixture, "ipc://herod.sock", HERO__V1__CODE__INVALID_ARGUMENT, "begin with a /");
    assert_no_open(fixture, "http://localhost/", HERO__V1__CODE__INVALID_ARGUMENT, "tcp://");
    assert_no_open(fixture, "", HERO__V1__CODE__INVALID_ARGUMENT, "tcp://");
}

static int listen_plain(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, fixture->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

/* Somebody listens and never says a word: opening ends with its deadline. */
static void test_silent_listener(void **state)
{
    struct fixture *fixture = *state;
    int fd = listen_plain(fixture);
    int64_t start = after(0);

    assert_int_equal(open_url(fixture, fixture->url, SECOND / 5),
                     HERO__V1__CODE__DEADLINE_EXCEEDED);
    assert_in_range(after(0) - start, SECOND / 10, 3 * SECOND);
    close(fd);
}

static void test_answers(void **state)
{
    struct fixture *fixture = *state;

    open_peer(fixture);
    for (int i = 0; i < 100; i++)
        assert_int_equal(run(fixture, "e: there and back", SECOND), TRANSPORT_ANSWERED);
}

static void test_lost_and_back(void **state)
{
    struct fixture *fixture = *state;

    open_peer(fixture);
    assert_int_equal(run(fixture, "h", SECOND), TRANSPORT_LOST);
    assert_int_equal(run(fixture, "e", 5 * SECOND), TRANSPORT_ANSWERED);
    assert_int_equal(run(fixture, "s", SECOND / 10), TRANSPORT_TIMED_OUT);
    assert_int_equal(run(fixture, "e", 5 * SECOND), TRANSPORT_ANSWERED);
    assert_int_equal(transport_explain(fixture->transport, TRANSPORT_LOST, &fixture->fault),
                     HERO__V1__CODE__UNAVAILABLE);
    assert_non_null(strstr(fixture->fault.message, fixture->url));
}

static void test_restart(void **state)
{
    struct fixture *fixture = *state;

    open_peer(fixture);
    assert_int_equal(run(fixture, "e", SECOND), TRANSPORT_ANSWERED);
    stop_peer(fixture);
    assert_int_equal(run_without_peer(fixture, SECOND / 5), TRANSPORT_NOT_SENT);
    assert_int_equal(transport_explain(fixture->transport, TRANSPORT_NOT_SENT, &fixture->fault),
                     HERO__V1__CODE__UNAVAILABLE);
    /* Longer than a dialer is given before it is replaced. */
    assert_int_equal(run(fixture, "e", 5 * SECOND / 2), TRANSPORT_NOT_SENT);
    start_peer(fixture);
    assert_int_equal(run(fixture, "e", 10 * SECOND), TRANSPORT_ANSWERED);
}

static void *hang_up(void *arg)
{
    int listener = *(int *)arg, fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0)
        close(fd);
    return NULL;
}

/* What listens hangs up at once, which can make nng give up dialing. */
static void test_rude_listener(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;
    int fd;

    open_peer(fixture);
    stop_peer(fixture);
    unlink(fixture->path);
    fd = listen_plain(fixture);
    assert_int_equal(pthread_create(&thread, NULL, hang_up, &fd), 0);
    assert_int_equal(run_without_peer(fixture, SECOND), TRANSPORT_NOT_SENT);
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    unlink(fixture->path);
    start_peer(fixture);
    assert_int_equal(run(fixture, "e", 10 * SECOND), TRANSPORT_ANSWERED);
}

struct waiting {
    atomic_int n_done, n_answered, n_cancelled;
    pthread_mutex_t lock;
    pthread_cond_t done;
};

static void on_done(void *arg, enum transport_end end, struct transport_reply reply)
{
    struct waiting *waiting = arg;

    (void)reply;
    atomic_fetch_add(end == TRANSPORT_ANSWERED ? &waiting->n_answered : &waiting->n_cancelled,
                     end == TRANSPORT_ANSWERED || end == TRANSPORT_CANCELLED);
    pthread_mutex_lock(&waiting->lock);
    atomic_fetch_add(&waiting->n_done, 1);
    pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->lock);
}

static void start(struct fixture *fixture, const char *text, struct waiting *waiting)
{
    struct transport_slot *slot = transport_acquire(fixture->transport, false, 0);

    assert_non_null(slot);
    memcpy(transport_message(slot, strlen(text)), text, strlen(text));
    assert_int_equal(transport_start(slot, after(10 * SECOND), on_done, waiting),
                     HERO__V1__CODE__OK);
}

static void test_started(void **state)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct fixture *fixture = *state;

    open_peer(fixture);
    transport_limit(fixture->transport, 8);
    for (int i = 0; i < 8; i++)
        start(fixture, "e", &waiting);
    assert_null(transport_acquire(fixture->transport, false, 0));
    assert_null(transport_acquire(fixture->transport, true, after(SECOND / 20)));
    pthread_mutex_lock(&waiting.lock);
    while (atomic_load(&waiting.n_done) < 8)
        pthread_cond_wait(&waiting.done, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    assert_int_equal(waiting.n_answered, 8);
}

/* Waiting for an answer, and waiting for a connection: closing ends both. */
static void test_closed_with_calls_in_flight(void **state)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct fixture *fixture = *state;
    int64_t begun;

    for (int connected = 1; connected >= 0; connected--) {
        open_peer(fixture);
        transport_limit(fixture->transport, 64);
        if (!connected) {
            stop_peer(fixture);
            (void)run_without_peer(fixture, SECOND / 10);
        }
        for (int i = 0; i < 32; i++)
            start(fixture, "s", &waiting);
        /* A socket that is closed with messages on their way to it can hang for ever (1.5.2):
         * the peer's shall not. */
        while (connected && atomic_load(&fixture->n_received) < 32)
            sched_yield();
        begun = after(0);
        transport_close(fixture->transport);
        fixture->transport = NULL;
        assert_true(after(0) - begun < 5 * SECOND);
        stop_peer(fixture);
    }
    assert_int_equal(waiting.n_done, 64);
    assert_int_equal(waiting.n_cancelled, 64);
}

/* A peer of another user, where this test may make one. */
static void test_other_user(void **state)
{
    struct fixture *fixture = *state;
    int ready[2];
    char byte;
    pid_t pid;

    if (geteuid())
        skip();
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(chmod(fixture->directory, 0777), 0);
    pid = fork();
    if (!pid) {
        nng_socket peer;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setuid(65534) || nng_rep0_open(&peer) || nng_listen(peer, fixture->url, NULL, 0) ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(
        transport_open(fixture->url, 1234, after(2 * SECOND), &fixture->transport, &fixture->fault),
        HERO__V1__CODE__PERMISSION_DENIED);
    assert_non_null(strstr(fixture->fault.message, "65534"));
    assert_int_equal(transport_open(fixture->url, 65534, after(2 * SECOND), &fixture->transport,
                                    &fixture->fault),
                     HERO__V1__CODE__OK);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: it forks, which must be before nng has threads. */
        cmocka_unit_test_setup_teardown(test_other_user, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent_listener, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rude_listener, setup, teardown),
        cmocka_unit_test_setup_teardown(test_started, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed_with_calls_in_flight, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
