/*
 * Exactly once: repeats, seqs that are reused or forgotten, clients that were
 * away, answers that are too large to keep.
 */
#include "store_case.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CODE(name) HERO__V1__CODE__##name

static void client_id(uint8_t id[16], int64_t age_s, uint8_t last)
{
    uint64_t ms = (uint64_t)(((int64_t)time(NULL) - age_s) * 1000);
    memset(id, 0, 16);
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = 0x70;
    id[8] = 0x80;
    id[15] = last;
}

static Code run(struct store_case *c, struct pending *pending, const char *name,
                const uint8_t client[16], uint64_t seq, uint64_t lowest)
{
    char fields[96];
    snprintf(fields, sizeof(fields), "name=%s;secret_name=s", name);
    Hero__V1__Mutation *one = case_create_one(c, "hero", fields);
    case_submit_as(c, pending, &one, 1, client, seq, lowest);
    return case_wait(pending);
}

static void expect(struct store_case *c, const char *name, const uint8_t client[16], uint64_t seq,
                   uint64_t lowest, Code code, const char *path)
{
    struct pending pending;
    assert_int_equal(run(c, &pending, name, client, seq, lowest), code);
    if (path)
        assert_true(case_blames(&pending.write.fault, path));
    case_done(&pending);
}

static void test_repeat(void **state)
{
    struct store_case *c = *state;
    uint8_t id[16];
    struct pending first, again;
    client_id(id, 0, 1);
    assert_int_equal(run(c, &first, "once", id, 1, 1), CODE(OK));
    assert_int_equal(run(c, &again, "once", id, 1, 1), CODE(OK));
    assert_int_equal(first.write.answer.len, again.write.answer.len);
    assert_memory_equal(first.write.answer.data, again.write.answer.data, first.write.answer.len);
    assert_int_equal(store_commit_number(c->store), first.write.number);
    case_done(&first);
    case_done(&again);
    /* After a restart, too. */
    store_case_close(c);
    store_case_open(c);
    assert_int_equal(run(c, &again, "once", id, 1, 1), CODE(OK));
    case_done(&again);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 1);
    /* The same seq for something else, and another principal's view of it. */
    expect(c, "other", id, 1, 1, CODE(INVALID_ARGUMENT), "seq");
}

static void test_watermark(void **state)
{
    struct store_case *c = *state;
    uint8_t id[16];
    client_id(id, 0, 2);
    expect(c, "a", id, 1, 1, CODE(OK), NULL);
    expect(c, "c", id, 3, 1, CODE(OK), NULL); /* 2 is still on its way */
    expect(c, "b", id, 2, 1, CODE(OK), NULL);
    expect(c, "d", id, 4, 4, CODE(OK), NULL);
    expect(c, "b", id, 2, 2, CODE(FAILED_PRECONDITION), "seq");
    for (uint64_t seq = 5; seq < 200; seq++)
        expect(c, "n", id, seq, seq, CODE(OK), NULL);
    assert_in_range(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 1, 64);
    store_case_close(c);
    store_case_open(c);
    expect(c, "n", id, 150, 150, CODE(FAILED_PRECONDITION), "seq");
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 199);
}

static void test_failed_is_not_kept(void **state)
{
    struct store_case *c = *state;
    uint8_t id[16];
    struct pending pending;
    client_id(id, 0, 3);
    Hero__V1__Mutation *bad = case_create_one(c, "hero", "name=x");
    case_submit_as(c, &pending, &bad, 1, id, 1, 1);
    assert_int_equal(case_wait(&pending), CODE(INVALID_ARGUMENT));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 0);
    expect(c, "y", id, 1, 1, CODE(OK), NULL);
}

static void test_clients(void **state)
{
    struct store_case *c = *state;
    uint8_t id[16];
    client_id(id, 8 * 86400, 4); /* the retention is seven days */
    expect(c, "old", id, 1, 1, CODE(FAILED_PRECONDITION), "client");
    client_id(id, -2 * 86400, 5);
    expect(c, "future", id, 1, 1, CODE(FAILED_PRECONDITION), "client");
    memset(id, 0x11, sizeof(id));
    expect(c, "not a uuid", id, 1, 1, CODE(INVALID_ARGUMENT), "client");
    /* Known clients go on, however old their id is. */
    client_id(id, 0, 6);
    expect(c, "a", id, 1, 1, CODE(OK), NULL);
    store_case_close(c);
    store_case_sql(c, "UPDATE _hero_request SET at = 0");
    store_case_open(c); /* purges */
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 0);
}

/* Every short-lived program is a client: the purge must outrun them. */
static void test_many_old_clients(void **state)
{
    struct store_case *c = *state;
    store_case_sql(c,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                   "3000) INSERT INTO _hero_request (principal, client, seq, lowest, digest, "
                   "commit_number, at, answer) SELECT 'uid:1', CAST(printf('%016d', i) AS BLOB), "
                   "1, 1, x'00', 1, iif(i % 2, 0, 9e15), x'00' FROM n");
    for (int i = 0; i < 2000; i++) {
        struct pending pending;
        assert_int_equal(
            case_run(c, &pending,
                     case_create_one(c, "order", arena_printf(&c->arena, "name=%d", i))),
            CODE(OK));
        case_done(&pending);
    }
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request WHERE at = 0"), 0);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 1500);
}

/* The answer of a large commit is kept with keys only, and says so. */
static void test_large_answer(void **state)
{
    struct store_case *c = *state;
    static char fields[6000];
    uint8_t id[16];
    struct pending pending;
    client_id(id, 0, 7);
    strcpy(fields, "name=large;secret_name=");
    memset(fields + strlen(fields), 'x', 4000);
    Hero__V1__Mutation *one = case_create_one(c, "hero", fields);
    case_submit_as(c, &pending, &one, 1, id, 1, 1);
    assert_int_equal(case_wait(&pending), CODE(OK));
    assert_false(case_answer(c, &pending)->keys_only);
    case_done(&pending);
    case_submit_as(c, &pending, &one, 1, id, 1, 1);
    assert_int_equal(case_wait(&pending), CODE(OK));
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_true(answer->keys_only);
    assert_int_equal(answer->outcomes[0]->records[0]->value.len, 2); /* id = 1 */
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 1);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_repeat),  TEST(test_watermark),    TEST(test_failed_is_not_kept),
        TEST(test_clients), TEST(test_large_answer), TEST(test_many_old_clients),
    };
    return cmocka_run_group_tests_name("request_id", tests, NULL, NULL);
}
