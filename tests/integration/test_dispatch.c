/*
 * From a frame to an answer: methods, envelopes, and what a wrong request is
 * told. Every method of every service is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "fixture.h"
#include "heroes.pb-c.h"
#include "sp.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};

static struct herod_fixture herod;
static struct sp sp;

static int start(void **state)
{
    const char *args[] = {"--echo", NULL};

    (void)state;
    herod_fixture_start(&herod, args);
    sp = sp_dial(herod.url);
    sp_apply(&sp, heroes_set, sizeof(heroes_set));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    sp_close(&sp);
    herod_fixture_stop(&herod);
    return 0;
}

static Hero__V1__CheckRequest check = HERO__V1__CHECK_REQUEST__INIT;

/* The answer's one violation's path; "" for none. */
static void assert_answer(Hero__V1__Response *response, int code, const char *path,
                          const char *text)
{
    assert_non_null(response);
    const Hero__V1__Status *status = response->status;
    if (sp_code(response) != code || (text && !strstr(status->message, text)))
        print_error("status %d: %s\n", sp_code(response), status ? status->message : "");
    assert_int_equal(sp_code(response), code);
    if (text)
        assert_non_null(strstr(status->message, text));
    if (path) {
        assert_true(status->n_violations >= 1);
        assert_string_equal(status->violations[0]->path, path);
    }
    hero__v1__response__free_unpacked(response, NULL);
}

static void test_unknown_methods(void **state)
{
    char name[600];

    (void)state;
    assert_answer(sp_call(&sp, "hero.v1.Records/Creat", &check.base), HERO__V1__CODE__UNIMPLEMENTED,
                  NULL, "hero.v1.Records/Create");
    assert_answer(sp_call(&sp, "check", &check.base), HERO__V1__CODE__UNIMPLEMENTED, NULL,
                  "did you mean hero.v1.Admin/Check");
    assert_answer(sp_call(&sp, "", &check.base), HERO__V1__CODE__UNIMPLEMENTED, NULL, "named like");
    memset(name, 'm', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    assert_answer(sp_call(&sp, name, &check.base), HERO__V1__CODE__UNIMPLEMENTED, NULL,
                  "599 bytes");
}

/* Each method answers something; none is left without a handler. */
static void test_every_method(void **state)
{
    const ProtobufCServiceDescriptor *services[] = {&hero__v1__admin__descriptor,
                                                    &hero__v1__models__descriptor,
                                                    &hero__v1__records__descriptor};
    char name[128];

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        for (unsigned m = 0; m < services[s]->n_methods; m++) {
            snprintf(name, sizeof(name), "%s/%s", services[s]->name, services[s]->methods[m].name);
            int code = sp_call_code(&sp, name, &check.base); /* an empty message suits all */
            if (code < 0 || code == HERO__V1__CODE__UNIMPLEMENTED ||
                code == HERO__V1__CODE__INTERNAL || code == HERO__V1__CODE__UNKNOWN)
                fail_msg("%s: %d", name, code);
        }
    }
}

static void test_hello(void **state)
{
    Hero__V1__HelloRequest hello = HERO__V1__HELLO_REQUEST__INIT;

    (void)state;
    Hero__V1__Response *response = sp_call(&sp, "hero.v1.Admin/Hello", &hello.base);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    Hero__V1__HelloResponse *answer =
        hero__v1__hello_response__unpack(NULL, response->payload.len, response->payload.data);
    assert_non_null(answer);
    assert_int_equal(answer->n_protocols, 1);
    assert_string_equal(answer->protocols[0], "hero.v1");
    assert_int_equal(answer->limits->message_bytes, 1024 * 1024);
    assert_int_equal(answer->limits->in_flight, 64);
    assert_int_equal(answer->models_version, response->models_version);
    assert_true(response->models_version > 0);
    hero__v1__hello_response__free_unpacked(answer, NULL);
    hero__v1__response__free_unpacked(response, NULL);
}

static void test_models(void **state)
{
    Hero__V1__ListModelsRequest list = HERO__V1__LIST_MODELS_REQUEST__INIT;
    Hero__V1__GetModelRequest get = HERO__V1__GET_MODEL_REQUEST__INIT;

    (void)state;
    Hero__V1__Response *response = sp_call(&sp, "hero.v1.Models/List", &list.base);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    Hero__V1__ListModelsResponse *answer =
        hero__v1__list_models_response__unpack(NULL, response->payload.len, response->payload.data);
    assert_int_equal(answer->n_models, 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(answer->models[i]->ddl[0], "CREATE TABLE"));
    hero__v1__list_models_response__free_unpacked(answer, NULL);
    hero__v1__response__free_unpacked(response, NULL);
    get.name = (char[]){"hero"};
    assert_int_equal(sp_call_code(&sp, "hero.v1.Models/Get", &get.base), HERO__V1__CODE__OK);
    get.name = (char[]){"nobody"};
    assert_int_equal(sp_call_code(&sp, "hero.v1.Models/Get", &get.base), HERO__V1__CODE__NOT_FOUND);
}

/* ---- writes and their identity ---- */

static uint8_t hero_bytes[64];
static char model[] = "Hero";
static Hero__V1__Record record = HERO__V1__RECORD__INIT, *records[] = {&record};
static Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
static Hero__V1__CreateRequest create = HERO__V1__CREATE_REQUEST__INIT;

static void fill_create(Hero__V1__Request *request)
{
    Hero hero = HERO__INIT;

    hero.name = (char[]){"Deadpond"};
    hero.secret_name = (char[]){"Dive Wilson"};
    record.has_ref = record.has_value = true;
    record.ref = 1;
    record.model = model;
    record.value.data = hero_bytes;
    record.value.len = hero__pack(&hero, hero_bytes);
    graph.records = records;
    graph.n_records = 1;
    create.graph = &graph;
    sp_fill_request(request, "hero.v1.Records/Create", &create.base);
}

/* A version 7 UUID of now. */
static void make_client(uint8_t *client)
{
    struct timespec now;
    uint64_t ms;

    clock_gettime(CLOCK_REALTIME, &now);
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 0; i < 16; i++)
        client[i] = i < 6 ? (uint8_t)(ms >> (40 - 8 * i)) : (uint8_t)(17 * i);
    client[6] = (uint8_t)(0x70 | (client[6] & 0x0f));
    client[8] = (uint8_t)(0x80 | (client[8] & 0x3f));
}

static void test_identity_of_writes(void **state)
{
    Hero__V1__Request request;
    uint8_t client[16];

    (void)state;
    fill_create(&request);
    request.has_client = true;
    request.client.data = client;
    request.client.len = 3;
    request.has_seq = true;
    request.seq = 1;
    make_client(client);
    assert_answer(sp_request(&sp, &request), HERO__V1__CODE__INVALID_ARGUMENT, "client", "UUID");
    request.client.len = 16;
    request.has_seq = false;
    request.seq = 0;
    assert_answer(sp_request(&sp, &request), HERO__V1__CODE__INVALID_ARGUMENT, "seq", NULL);
    request.has_seq = request.has_lowest_seq = true;
    request.seq = 1;
    request.lowest_seq = 2;
    assert_answer(sp_request(&sp, &request), HERO__V1__CODE__INVALID_ARGUMENT, "lowest_seq", NULL);
    request.lowest_seq = 1;
    Hero__V1__Response *first = sp_request(&sp, &request), *second = sp_request(&sp, &request);
    assert_int_equal(sp_code(first), HERO__V1__CODE__OK);
    assert_int_equal(sp_code(second), HERO__V1__CODE__OK);
    assert_int_equal(first->payload.len, second->payload.len);
    assert_memory_equal(first->payload.data, second->payload.data, first->payload.len);
    hero__v1__response__free_unpacked(first, NULL);
    hero__v1__response__free_unpacked(second, NULL);
    free(request.payload.data);
}

/* The answer's echo and the log's: BEGIN and COMMIT of the one transaction. */
static void test_echo(void **state)
{
    Hero__V1__Request request;
    bool begun = false, committed = false, inserted = false;

    (void)state;
    fill_create(&request);
    request.has_echo = true;
    request.echo = true;
    Hero__V1__Response *response = sp_request(&sp, &request);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    for (size_t i = 0; i < response->n_echo; i++) {
        const char *sql = response->echo[i]->sql;
        begun |= strncmp(sql, "BEGIN", 5) == 0;
        inserted |= strncmp(sql, "INSERT INTO hero", 16) == 0 && strstr(sql, "'Dive Wilson'");
        committed |= strncmp(sql, "COMMIT", 6) == 0;
    }
    assert_true(begun && inserted && committed);
    hero__v1__response__free_unpacked(response, NULL);
    free(request.payload.data);
    herod_fixture_await_log(&herod, "'Dive Wilson'");
}

static void test_no_echo_unasked(void **state)
{
    Hero__V1__Request request;

    (void)state;
    fill_create(&request);
    Hero__V1__Response *response = sp_request(&sp, &request);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    assert_int_equal(response->n_echo, 0);
    hero__v1__response__free_unpacked(response, NULL);
    free(request.payload.data);
}

/* ---- limits of one request ---- */

static void test_too_many(void **state)
{
    enum { N = 100001 };
    static ProtobufCBinaryData keys[N];
    static char *paths[100], teams[] = "teams";
    Hero__V1__GetRequest get = HERO__V1__GET_REQUEST__INIT;

    (void)state;
    get.model = (char[]){"Hero"};
    get.keys = keys;
    get.n_keys = N;
    assert_answer(sp_call(&sp, "hero.v1.Records/Get", &get.base), HERO__V1__CODE__INVALID_ARGUMENT,
                  "keys", "100000");
    get.n_keys = 0;
    for (size_t i = 0; i < 100; i++)
        paths[i] = teams;
    get.expand = paths;
    get.n_expand = 100;
    assert_answer(sp_call(&sp, "hero.v1.Records/Get", &get.base), HERO__V1__CODE__INVALID_ARGUMENT,
                  "expand", NULL);
}

/* An answer past the frame's limit is refused with a hint, not cut. */
static void test_large_answer(void **state)
{
    static char secret[600 * 1024];
    Hero hero = HERO__INIT;
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__GetRequest get = HERO__V1__GET_REQUEST__INIT;
    uint8_t *bytes = malloc(sizeof(secret) + 100);
    Hero__V1__Request request;

    (void)state;
    memset(secret, 'x', sizeof(secret) - 1);
    hero.name = (char[]){"Deadpond"};
    hero.secret_name = secret;
    fill_create(&request);
    free(request.payload.data);
    record.value.data = bytes;
    record.value.len = hero__pack(&hero, bytes);
    for (int i = 0; i < 2; i++)
        assert_answer(sp_call(&sp, "hero.v1.Records/Create", &create.base), HERO__V1__CODE__OK,
                      NULL, NULL);
    /* A page ends where the message does ... */
    list.model = (char[]){"Hero"};
    list.order_by = (char *[]){(char[]){"-id"}};
    list.n_order_by = 1;
    Hero__V1__Response *response = sp_call(&sp, "hero.v1.Records/List", &list.base);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    Hero__V1__ListResponse *page =
        hero__v1__list_response__unpack(NULL, response->payload.len, response->payload.data);
    assert_non_null(page);
    assert_int_equal(page->n_roots, 1);
    assert_true(page->has_next_page_token);
    const ProtobufCBinaryData *first = &page->graph->records[0]->value;
    Hero *last = hero__unpack(NULL, first->len, first->data);
    assert_non_null(last);
    /* ... but of keys all are asked for. */
    uint8_t keys[2][16];
    ProtobufCBinaryData packed[2];
    for (int i = 0; i < 2; i++) {
        Hero key = HERO__INIT;
        key.has_id = 1;
        key.id = last->id - i;
        packed[i] = (ProtobufCBinaryData){hero__pack(&key, keys[i]), keys[i]};
    }
    get.model = list.model;
    get.keys = packed;
    get.n_keys = 2;
    assert_answer(sp_call(&sp, "hero.v1.Records/Get", &get.base),
                  HERO__V1__CODE__RESOURCE_EXHAUSTED, NULL, NULL);
    hero__free_unpacked(last, NULL);
    hero__v1__list_response__free_unpacked(page, NULL);
    hero__v1__response__free_unpacked(response, NULL);
    free(bytes);
}

static void test_deadline(void **state)
{
    Hero__V1__StatsRequest stats = HERO__V1__STATS_REQUEST__INIT;
    Hero__V1__Request request;

    (void)state;
    sp_fill_request(&request, "hero.v1.Admin/Stats", &stats.base);
    request.has_timeout_ms = true;
    request.timeout_ms = 0xffffffff; /* cut to the most; no overflow into the past */
    Hero__V1__Response *response = sp_request(&sp, &request);
    assert_int_equal(sp_code(response), HERO__V1__CODE__OK);
    hero__v1__response__free_unpacked(response, NULL);
    free(request.payload.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_methods),
        cmocka_unit_test(test_every_method),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_identity_of_writes),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_no_echo_unasked),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_deadline),
    };

    return cmocka_run_group_tests_name("dispatch", tests, start, stop);
}
