/*
 * Commits that stay packed until their turn, answers of keys only, and dry
 * runs that leave nothing behind.
 */
#include "store_case.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CODE(name) HERO__V1__CODE__##name

static void count_done(struct store_write *write)
{
    sem_post(&((struct pending *)write->arg)->done);
}

/* A commit as it comes over the wire; `with` says what is special about it. */
static Code run_packed_with(struct store_case *c, struct pending *pending,
                            Hero__V1__Mutation **mutations, size_t n, struct store_write with)
{
    Hero__V1__CommitRequest request = HERO__V1__COMMIT_REQUEST__INIT;
    struct arena *arena = arena_alloc(&c->arena, sizeof(*arena));
    memset(pending, 0, sizeof(*pending));
    sem_init(&pending->done, 0, 0);
    arena_init(arena, 64u << 20);
    request.mutations = mutations;
    request.n_mutations = n;
    ProtobufCBinaryData packed = {hero__v1__commit_request__get_packed_size(&request), NULL};
    packed.data = arena_alloc(&c->arena, packed.len);
    hero__v1__commit_request__pack(&request, packed.data);
    with.models = c->models;
    with.arena = arena;
    with.method = "test";
    with.packed = packed;
    with.request_bytes = packed.data;
    with.request_len = packed.len;
    with.path_format = "mutations[%zu]";
    with.max_items = 100000;
    with.done = count_done;
    with.arg = pending;
    pending->write = with;
    store_submit(c->store, &pending->write);
    return case_wait(pending);
}

static Code run_packed(struct store_case *c, struct pending *pending,
                       Hero__V1__Mutation **mutations, size_t n, bool keys_only, bool validate_only)
{
    return run_packed_with(
        c, pending, mutations, n,
        (struct store_write){.keys_only = keys_only, .validate_only = validate_only});
}

static Hero__V1__Mutation **heroes(struct store_case *c, size_t n, const char *secret)
{
    Hero__V1__Mutation **all = arena_array(&c->arena, n, sizeof(*all));
    for (size_t i = 0; i < n; i++) {
        char fields[256];
        snprintf(fields, sizeof(fields), "name=hero %zu;secret_name=%s;age=%zu", i, secret, i % 90);
        all[i] = case_create_one(c, "hero", fields);
        all[i]->create->graph->records[0]->ref = (uint32_t)i + 1;
    }
    return all;
}

static void test_keys_only(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation **all = heroes(c, 1000, "s");
    assert_int_equal(run_packed(c, &pending, all, 1000, true, false), CODE(OK));
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_true(answer->keys_only);
    assert_int_equal(answer->commit, store_commit_number(c->store));
    assert_int_equal(answer->n_outcomes, 1000);
    for (size_t i = 0; i < 1000; i++) {
        char key[32];
        const Hero__V1__Record *record = answer->outcomes[i]->records[0];
        snprintf(key, sizeof(key), "id=%zu", i + 1);
        ProtobufCBinaryData expected = case_record(c, "hero", key);
        assert_int_equal(record->value.len, expected.len);
        assert_memory_equal(record->value.data, expected.data, expected.len);
        assert_int_equal(record->ref, i + 1);
    }
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero WHERE age IS NOT NULL"), 1000);
}

/* Refs reach over the whole commit, though each mutation is forgotten at its end. */
static void test_refs_over_mutations(void **state)
{
    enum { N = 500 };
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation **all = arena_array(&c->arena, 2 * N + 1, sizeof(*all));
    all[0] = case_create_one(c, "team", "name=t;headquarters=h");
    all[0]->create->graph->records[0]->ref = 9999;
    memcpy(all + 1, heroes(c, N, "s"), N * sizeof(*all));
    for (size_t i = 0; i < N; i++) {
        char ref[16];
        snprintf(ref, sizeof(ref), "#%zu", i + 1);
        all[N + 1 + i] = case_link(c, true, ref, "", "teams", "#9999", "");
    }
    assert_int_equal(run_packed(c, &pending, all, 2 * N + 1, true, false), CODE(OK));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), N);
    all[2 * N]->link->target->ref = 7777;
    for (size_t i = 0; i <= N; i++)
        all[i]->create->graph->records[0]->has_ref = 1;
    assert_int_equal(run_packed(c, &pending, all, 2 * N + 1, true, false), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[1000].link.target"));
    case_done(&pending);
    all[2]->create->graph->records[0]->ref = 1;
    assert_int_equal(run_packed(c, &pending, all, 2 * N, true, false), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[2].create"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), N);
}

/* An answer that outgrows a message on the way is cut to keys, all of it. */
static void test_answer_outgrows_a_message(void **state)
{
    enum { N = 6000 };
    struct store_case *c = *state;
    struct pending pending;
    static char secret[200];
    memset(secret, 's', sizeof(secret) - 1);
    assert_int_equal(run_packed(c, &pending, heroes(c, N, secret), N, false, false), CODE(OK));
    assert_true(pending.write.answer.len < c->options.message_bytes);
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_true(answer->keys_only);
    assert_int_equal(answer->n_outcomes, N);
    for (size_t i = 0; i < N; i++)
        assert_in_range(answer->outcomes[i]->records[0]->value.len, 1, 4);
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), N);
}

static void test_limit_of_items(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation **all = heroes(c, 3, "s");
    Hero__V1__DeleteRequest *deletion = case_delete(c, "hero", "id=1")->delete_;
    Hero__V1__Target **targets = arena_array(&c->arena, 100001, sizeof(*targets));
    for (size_t i = 0; i < 100001; i++)
        targets[i] = deletion->targets[0];
    deletion->targets = targets;
    deletion->n_targets = 100001;
    all[1]->op_case = HERO__V1__MUTATION__OP_DELETE;
    all[1]->delete_ = deletion;
    assert_int_equal(run_packed(c, &pending, all, 3, true, false), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[1].delete"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 0);
    assert_int_equal(run_packed(c, &pending, all, 0, true, false), CODE(INVALID_ARGUMENT));
    case_done(&pending);
}

/* Repeated, it is answered as it was, with keys only: also what it created. */
static void test_repeat_of_a_large_commit(void **state)
{
    enum { N = 2000 };
    struct store_case *c = *state;
    struct pending first, again;
    struct store_write with = {.identity = {.principal = "uid:1", .seq = 1, .lowest_seq = 1}};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000;
    for (int i = 0; i < 6; i++)
        with.identity.client[i] = (uint8_t)(ms >> (40 - 8 * i));
    with.identity.client[6] = 0x70;
    with.identity.client[8] = 0x80;
    Hero__V1__Mutation **all = heroes(c, N, "s");
    Hero__V1__UpsertRequest upsert = HERO__V1__UPSERT_REQUEST__INIT;
    upsert.model = arena_strdup(&c->arena, "author");
    upsert.has_value = 1;
    upsert.value = case_record(c, "author", "handle=ann;full_name=Ann");
    all[N - 1]->op_case = HERO__V1__MUTATION__OP_UPSERT;
    all[N - 1]->upsert = &upsert;
    assert_int_equal(run_packed_with(c, &first, all, N, with), CODE(OK));
    Hero__V1__CommitResponse *whole = case_answer(c, &first);
    assert_false(whole->keys_only);
    assert_int_equal(run_packed_with(c, &again, all, N, with), CODE(OK));
    Hero__V1__CommitResponse *kept = case_answer(c, &again);
    assert_true(kept->keys_only);
    assert_int_equal(kept->commit, whole->commit);
    assert_int_equal(kept->n_outcomes, N);
    assert_true(kept->outcomes[N - 1]->created);
    assert_int_equal(kept->outcomes[N - 2]->records[0]->ref, N - 1);
    assert_in_range(kept->outcomes[N - 2]->records[0]->value.len, 2, 4);
    case_done(&first);
    case_done(&again);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), N - 1);
}

/* Its time is up in the middle: nothing of it is stored. */
static void test_deadline_in_the_middle(void **state)
{
    enum { N = 50000 };
    struct store_case *c = *state;
    struct pending pending;
    struct timespec now;
    Hero__V1__Mutation **all = heroes(c, N, "s");
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t soon = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 40000000;
    assert_int_equal(
        run_packed_with(c, &pending, all, N, (struct store_write){.deadline_ns = soon}),
        CODE(DEADLINE_EXCEEDED));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 0);
    assert_int_equal(run_packed(c, &pending, all, 10, true, false), CODE(OK));
    case_done(&pending);
}

/* ---- dry runs ---- */

static void test_validate_only(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    uint64_t number = store_commit_number(c->store);
    assert_int_equal(run_packed(c, &pending, heroes(c, 3, "s"), 3, false, true), CODE(OK));
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_false(answer->has_commit);
    assert_int_equal(answer->n_outcomes, 3);
    assert_true(answer->outcomes[2]->records[0]->value.len >
                4); /* whole, with the id it would get */
    case_done(&pending);
    assert_int_equal(store_commit_number(c->store), number);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 0);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM _hero_request"), 0);
    /* What would fail, fails. */
    Hero__V1__Mutation **all = heroes(c, 2, "s");
    all[1] = case_create_one(c, "hero", "name=only");
    all[1]->create->graph->records[0]->ref = 5;
    assert_int_equal(run_packed(c, &pending, all, 2, false, true), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[1].create.secret_name"));
    case_done(&pending);
    /* One mutation is no dry run of its own. */
    all = heroes(c, 2, "s");
    all[0]->create->has_validate_only = all[0]->create->validate_only = 1;
    assert_int_equal(run_packed(c, &pending, all, 2, false, false), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[0].create.validate_only"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 0);
}

/* Dry runs and commits of one batch: each gets its own, and ids don't skip. */
static void test_validate_only_in_a_batch(void **state)
{
    enum { N = 40 };
    struct store_case *c = *state;
    struct pending pending[N];
    Hero__V1__Mutation *one = case_create_one(c, "hero", "name=a;secret_name=s");
    uint64_t number = store_commit_number(c->store);
    for (size_t i = 0; i < N; i++) {
        struct arena *arena = arena_alloc(&c->arena, sizeof(*arena));
        memset(&pending[i], 0, sizeof(pending[i]));
        sem_init(&pending[i].done, 0, 0);
        arena_init(arena, 1 << 20);
        pending[i].mutations[0] = one;
        pending[i].write = (struct store_write){.models = c->models,
                                                .arena = arena,
                                                .method = "test",
                                                .mutations = pending[i].mutations,
                                                .n_mutations = 1,
                                                .path_format = "",
                                                .validate_only = i % 2,
                                                .done = count_done,
                                                .arg = &pending[i]};
    }
    for (size_t i = 0; i < N; i++)
        store_submit(c->store, &pending[i].write);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(case_wait(&pending[i]), CODE(OK));
        Hero__V1__CommitResponse *answer = case_answer(c, &pending[i]);
        assert_int_equal(answer->has_commit, i % 2 == 0);
        if (i % 2 == 0)
            assert_int_equal(answer->commit, number + i / 2 + 1);
        case_done(&pending[i]);
    }
    assert_int_equal(store_commit_number(c->store), number + N / 2);
    assert_int_equal(store_case_sql(c, "SELECT count(*) = max(id) FROM hero"), 1);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), N / 2);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys_only),
        TEST(test_refs_over_mutations),
        TEST(test_answer_outgrows_a_message),
        TEST(test_limit_of_items),
        TEST(test_repeat_of_a_large_commit),
        TEST(test_deadline_in_the_middle),
        TEST(test_validate_only),
        TEST(test_validate_only_in_a_batch),
    };
    return cmocka_run_group_tests_name("large commit", tests, NULL, NULL);
}
