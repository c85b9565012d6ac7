/*
 * What becomes of a request, for every way in which it can go wrong. The peer
 * is a script: what it answers to each message in turn, or that it hangs up.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include "nng_leaks.h"
#include "unit.h"
#include "frame.h"
#include "heroclient.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/records.pb-c.h"

enum step {
    END,       /* of the script: hang up */
    ANSWER,    /* an empty CommitResponse with commit 7 */
    HANG_UP,   /* after receiving */
    SILENCE,   /* no answer */
    GARBAGE,   /* bytes that are no frame */
    BAD_BYTES, /* a frame whose payload is no CommitResponse */
    FORGOTTEN, /* FAILED_PRECONDITION at "client" */
    BELOW,     /* FAILED_PRECONDITION at "seq" */
    TAKEN,     /* ALREADY_EXISTS */
    BUSY       /* RESOURCE_EXHAUSTED */
};

struct fixture {
    char directory[64], url[96];
    nng_socket peer;
    pthread_t thread;
    hero_client *client;
    hero_error error;
    pthread_mutex_t lock; /* of what follows, which the peer works on */
    const enum step *script;
    size_t n_seen;
    uint8_t ids[8][16];
    uint64_t seqs[8], lowest[8];
    size_t payload[8];
};

static void put_status(Hero__V1__Status *status, Hero__V1__Violation *violation, int code,
                       const char *path)
{
    status->has_code = 1;
    status->code = (Hero__V1__Code)code;
    status->message = (char *)(uintptr_t) "as the script says";
    violation->path = (char *)(uintptr_t)path;
    violation->description = (char *)(uintptr_t) "so it is";
    status->n_violations = 1;
}

static void answer(struct fixture *fixture, nng_msg *message, enum step step)
{
    static uint8_t commit[] = {0x08, 0x07}, broken[] = {0xff};
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT;
    Hero__V1__Status status = HERO__V1__STATUS__INIT;
    Hero__V1__Violation violation = HERO__V1__VIOLATION__INIT, *violations = &violation;
    uint8_t buffer[512];

    status.violations = &violations;
    response.has_payload = 1;
    response.payload = (ProtobufCBinaryData){sizeof(commit), commit};
    if (step == BAD_BYTES)
        response.payload = (ProtobufCBinaryData){sizeof(broken), broken};
    else if (step != ANSWER)
        response.status = &status;
    if (step == FORGOTTEN)
        put_status(&status, &violation, HERO_FAILED_PRECONDITION, "client");
    else if (step == BELOW)
        put_status(&status, &violation, HERO_FAILED_PRECONDITION, "seq");
    else if (step == TAKEN)
        put_status(&status, &violation, HERO_ALREADY_EXISTS, "name");
    else if (step == BUSY)
        put_status(&status, &violation, HERO_RESOURCE_EXHAUSTED, "");
    nng_msg_clear(message);
    nng_msg_append(message, buffer, hero__v1__response__pack(&response, buffer));
    if (step == GARBAGE) {
        nng_msg_clear(message);
        nng_msg_append(message, "\xff\xff\xff", 3);
    }
    if (nng_sendmsg(fixture->peer, message, 0))
        nng_msg_free(message);
}

static void say_hello(struct fixture *fixture, nng_msg *message)
{
    Hero__V1__HelloResponse hello = HERO__V1__HELLO_RESPONSE__INIT;
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT;
    char *protocols[] = {(char *)(uintptr_t) "hero.v1"};
    uint8_t payload[64], buffer[128];

    hello.protocols = protocols;
    hello.n_protocols = 1;
    response.has_payload = 1;
    response.payload.data = payload;
    response.payload.len = hero__v1__hello_response__pack(&hello, payload);
    nng_msg_clear(message);
    nng_msg_append(message, buffer, hero__v1__response__pack(&response, buffer));
    if (nng_sendmsg(fixture->peer, message, 0))
        nng_msg_free(message);
}

static void follow_script(struct fixture *fixture, nng_msg *message,
                          const Hero__V1__Request *request)
{
    enum step step;
    size_t i;

    pthread_mutex_lock(&fixture->lock);
    step = *fixture->script;
    i = fixture->n_seen++;
    if (i < 8) {
        memset(fixture->ids[i], 0, 16);
        if (request->client.len == 16)
            memcpy(fixture->ids[i], request->client.data, 16);
        fixture->seqs[i] = request->seq;
        fixture->lowest[i] = request->lowest_seq;
        fixture->payload[i] = request->payload.len;
    }
    if (step != END)
        fixture->script++;
    pthread_mutex_unlock(&fixture->lock);
    if (step == END || step == HANG_UP)
        nng_pipe_close(nng_msg_get_pipe(message));
    if (step == END || step == HANG_UP || step == SILENCE)
        nng_msg_free(message);
    else
        answer(fixture, message, step);
}

static void *serve(void *arg)
{
    struct fixture *fixture = arg;
    nng_msg *message;

    while (!nng_recvmsg(fixture->peer, &message, 0)) {
        Hero__V1__Request *request =
            hero__v1__request__unpack(NULL, nng_msg_len(message), nng_msg_body(message));

        if (!strcmp(request->method, "hero.v1.Admin/Hello"))
            say_hello(fixture, message);
        else
            follow_script(fixture, message, request);
        hero__v1__request__free_unpacked(request, NULL);
    }
    return NULL;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    hero_options options = HERO_OPTIONS_INIT;

    pthread_mutex_init(&fixture->lock, NULL);
    strcpy(fixture->directory, "/tmp/hero-request-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->url, sizeof(fixture->url), "ipc://%s/socket", fixture->directory);
    assert_int_equal(nng_rep0_open(&fixture->peer), 0);
    assert_int_equal(nng_listen(fixture->peer, fixture->url, NULL, 0), 0);
    assert_int_equal(pthread_create(&fixture->thread, NULL, serve, fixture), 0);
    options.timeout_ms = 600;
    if (hero_client_open(fixture->url, &options, &fixture->client, &fixture->error))
        fail_msg("%s", fixture->error.message);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    hero_client_close(fixture->client);
    hero_error_free(&fixture->error);
    nng_close(fixture->peer);
    pthread_join(fixture->thread, NULL);
    unlink(fixture->url + strlen("ipc://"));
    assert_int_equal(rmdir(fixture->directory), 0);
    free(fixture);
    return 0;
}

static void set_script(struct fixture *fixture, const enum step *script)
{
    pthread_mutex_lock(&fixture->lock);
    fixture->script = script;
    fixture->n_seen = 0;
    pthread_mutex_unlock(&fixture->lock);
}

/* What the peer saw is there to be read now. */
static void settle(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->lock);
    pthread_mutex_unlock(&fixture->lock);
}

static hero_result *play(struct fixture *fixture, const enum step *script, const char *method)
{
    hero_result *result;

    set_script(fixture, script);
    result = hero_client_call(fixture->client, method, NULL, 0, &fixture->error);
    settle(fixture);
    return result;
}

#define WRITE "hero.v1.Records/Commit"
#define READ "hero.v1.Admin/Check"
#define SCRIPT(...) ((const enum step[]){__VA_ARGS__, END})

static void assert_failed(struct fixture *fixture, const hero_result *result, hero_code code,
                          hero_outcome outcome)
{
    assert_null(result);
    if (fixture->error.code != code || fixture->error.outcome != outcome)
        fail_msg("%s, outcome %d: %s", hero_code_name(fixture->error.code),
                 (int)fixture->error.outcome, fixture->error.message);
}

static void test_answered(void **state)
{
    struct fixture *fixture = *state;
    hero_result *result = play(fixture, SCRIPT(ANSWER), WRITE);

    assert_non_null(result);
    assert_int_equal(fixture->error.code, HERO_OK);
    assert_int_equal(hero_result_commit(result), 7);
    hero_result_free(result);
    assert_int_equal(fixture->seqs[0], 1);
    assert_int_equal(fixture->lowest[0], 1);
    hero_result_free(play(fixture, SCRIPT(ANSWER), WRITE));
    assert_int_equal(fixture->seqs[0], 2);
    assert_int_equal(fixture->lowest[0], 2);
}

/* Repeated under its seq, as the same bytes. */
static void test_lost_answers(void **state)
{
    struct fixture *fixture = *state;
    hero_result *result = play(fixture, SCRIPT(HANG_UP, HANG_UP, ANSWER), WRITE);

    assert_non_null(result);
    hero_result_free(result);
    assert_int_equal(fixture->n_seen, 3);
    assert_int_equal(fixture->seqs[2], fixture->seqs[0]);
    assert_int_equal(fixture->payload[2], fixture->payload[0]);
    assert_memory_equal(fixture->ids[2], fixture->ids[0], 16);
    result = play(fixture, SCRIPT(HANG_UP, ANSWER), READ);
    assert_non_null(result);
    hero_result_free(result);
    assert_int_equal(fixture->seqs[0], 0);
}

static void test_no_answer(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq;

    assert_failed(fixture, play(fixture, SCRIPT(SILENCE), WRITE), HERO_DEADLINE_EXCEEDED,
                  HERO_OUTCOME_UNKNOWN);
    seq = fixture->seqs[0];
    assert_failed(fixture, play(fixture, SCRIPT(SILENCE), READ), HERO_DEADLINE_EXCEEDED,
                  HERO_OUTCOME_UNKNOWN);
    assert_failed(fixture, play(fixture, SCRIPT(GARBAGE), WRITE), HERO_INTERNAL,
                  HERO_OUTCOME_UNKNOWN);
    /* Both stay open, so that they can be repeated. */
    hero_result_free(play(fixture, SCRIPT(ANSWER), WRITE));
    assert_int_equal(fixture->lowest[0], seq);
    assert_true(fixture->seqs[0] > seq + 1);
    /* Done, and what the daemon said of it is not readable. */
    assert_failed(fixture, play(fixture, SCRIPT(BAD_BYTES), WRITE), HERO_INTERNAL, HERO_DONE);
    /* What can't be repeated is not. */
    assert_failed(fixture, play(fixture, SCRIPT(HANG_UP, ANSWER), "hero.v1.Models/Remove"),
                  HERO_UNAVAILABLE, HERO_OUTCOME_UNKNOWN);
    assert_int_equal(fixture->n_seen, 1);
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_failed(fixture, play(fixture, SCRIPT(TAKEN), WRITE), HERO_ALREADY_EXISTS, HERO_REFUSED);
    assert_string_equal(fixture->error.violations[0].path, "name");
    assert_failed(fixture, play(fixture, SCRIPT(BUSY), WRITE), HERO_RESOURCE_EXHAUSTED,
                  HERO_REFUSED);
    /* A refusal that only executing gives is the last word, also on a repeat;
     * one that nobody looked at the write for is not. */
    assert_failed(fixture, play(fixture, SCRIPT(HANG_UP, TAKEN), WRITE), HERO_ALREADY_EXISTS,
                  HERO_REFUSED);
    assert_failed(fixture, play(fixture, SCRIPT(HANG_UP, BUSY), WRITE), HERO_RESOURCE_EXHAUSTED,
                  HERO_OUTCOME_UNKNOWN);
    assert_failed(fixture, play(fixture, SCRIPT(HANG_UP, BELOW), WRITE), HERO_FAILED_PRECONDITION,
                  HERO_OUTCOME_UNKNOWN);
    assert_failed(fixture, play(fixture, SCRIPT(BELOW), WRITE), HERO_FAILED_PRECONDITION,
                  HERO_REFUSED);
}

/* Forgotten on a first sending: a new id, once, without a word. On a repeat
 * nobody knows any more. */
static void test_forgotten(void **state)
{
    struct fixture *fixture = *state;
    hero_result *result = play(fixture, SCRIPT(FORGOTTEN, ANSWER), WRITE);
    uint8_t renewed[16];

    assert_non_null(result);
    hero_result_free(result);
    assert_int_equal(fixture->n_seen, 2);
    assert_memory_not_equal(fixture->ids[0], fixture->ids[1], 16);
    memcpy(renewed, fixture->ids[1], 16);
    hero_result_free(play(fixture, SCRIPT(ANSWER), WRITE));
    assert_memory_equal(fixture->ids[0], renewed, 16);
    assert_failed(fixture, play(fixture, SCRIPT(FORGOTTEN, FORGOTTEN), WRITE),
                  HERO_FAILED_PRECONDITION, HERO_REFUSED);
    assert_int_equal(fixture->n_seen, 2);
    assert_failed(fixture, play(fixture, SCRIPT(HANG_UP, FORGOTTEN), WRITE),
                  HERO_FAILED_PRECONDITION, HERO_OUTCOME_UNKNOWN);
    assert_memory_equal(fixture->ids[0], fixture->ids[1], 16);
}

/* The program's own seq is a repeat of something. */
static void test_own_seq(void **state)
{
    struct fixture *fixture = *state;
    hero_request *request = hero_request_call(fixture->client, WRITE, NULL, 0, &fixture->error);

    set_script(fixture, SCRIPT(FORGOTTEN));
    hero_request_set_seq(request, 1000);
    assert_failed(fixture, hero_request_run(request, &fixture->error), HERO_FAILED_PRECONDITION,
                  HERO_OUTCOME_UNKNOWN);
    settle(fixture);
    assert_int_equal(fixture->seqs[0], 1000);
    assert_int_equal(fixture->n_seen, 1);
    hero_result_free(play(fixture, SCRIPT(ANSWER), WRITE));
    assert_int_equal(fixture->seqs[0], 1001);
    assert_int_equal(fixture->lowest[0], 1000);
}

struct ended {
    hero_code code;
    hero_outcome outcome;
    atomic_bool over;
};

static void on_done(void *arg, hero_result *result, const hero_error *error)
{
    struct ended *ended = arg;

    ended->code = result && hero_result_commit(result) != 7 ? HERO_UNKNOWN : error->code;
    ended->outcome = error->outcome;
    hero_result_free(result);
    atomic_store(&ended->over, true);
}

static void start(struct fixture *fixture, const enum step *script, struct ended *ended)
{
    hero_request *request = hero_request_call(fixture->client, WRITE, NULL, 0, &fixture->error);

    memset(ended, 0, sizeof(*ended));
    set_script(fixture, script);
    assert_int_equal(hero_request_start(request, on_done, ended, &fixture->error), HERO_OK);
    while (!atomic_load(&ended->over))
        sched_yield();
    settle(fixture);
}

/* The same on nng's threads. */
static void test_started(void **state)
{
    struct fixture *fixture = *state;
    struct ended ended;

    start(fixture, SCRIPT(HANG_UP, HANG_UP, ANSWER), &ended);
    assert_int_equal(ended.code, HERO_OK);
    assert_int_equal(fixture->n_seen, 3);
    start(fixture, SCRIPT(FORGOTTEN, ANSWER), &ended);
    assert_int_equal(ended.code, HERO_OK);
    start(fixture, SCRIPT(TAKEN), &ended);
    assert_int_equal(ended.code, HERO_ALREADY_EXISTS);
    assert_int_equal(ended.outcome, HERO_REFUSED);
    start(fixture, SCRIPT(SILENCE), &ended);
    assert_int_equal(ended.code, HERO_DEADLINE_EXCEEDED);
    assert_int_equal(ended.outcome, HERO_OUTCOME_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_seq, setup, teardown),
        cmocka_unit_test_setup_teardown(test_started, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
