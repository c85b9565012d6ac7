/*
 * Upsert by primary and by unique keys, records that are connected or
 * created, and etags: who changed what since.
 */
#include "store_case.h"

#include <string.h>

#define CODE(name) HERO__V1__CODE__##name
#define CONFLICT(name) HERO__V1__UPSERT_REQUEST__CONFLICT__##name
#define NEW HERO__V1__RECORD__MEMBER__NEW
#define KEY HERO__V1__RECORD__MEMBER__KEY
#define CONNECT HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE

static Hero__V1__Mutation *upsert(struct store_case *c, const char *model, const char *fields,
                                  const char *by, Hero__V1__UpsertRequest__Conflict conflict,
                                  const char *mask)
{
    Hero__V1__Mutation *mutation = arena_alloc(&c->arena, sizeof(*mutation));
    Hero__V1__UpsertRequest *upsert = arena_alloc(&c->arena, sizeof(*upsert));
    hero__v1__mutation__init(mutation);
    hero__v1__upsert_request__init(upsert);
    mutation->op_case = HERO__V1__MUTATION__OP_UPSERT;
    mutation->upsert = upsert;
    upsert->model = arena_strdup(&c->arena, model);
    upsert->has_value = 1;
    upsert->value = case_record(c, model, fields);
    upsert->has_conflict = 1;
    upsert->conflict = conflict;
    if (by) {
        upsert->by = arena_array(&c->arena, 4, sizeof(char *));
        char *save = NULL, *copy = arena_strdup(&c->arena, by);
        for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save))
            upsert->by[upsert->n_by++] = name;
    }
    if (mask) {
        upsert->update_mask = arena_array(&c->arena, 1, sizeof(char *));
        upsert->update_mask[0] = arena_strdup(&c->arena, mask);
        upsert->n_update_mask = 1;
    }
    return mutation;
}

static void expect(struct store_case *c, Hero__V1__Mutation *mutation, Code code, const char *path)
{
    struct pending pending;
    if (case_run(c, &pending, mutation) != code)
        fail_msg("%d: %s", (int)pending.write.fault.code,
                 pending.write.fault.message ? pending.write.fault.message : "OK");
    if (path && !case_blames(&pending.write.fault, path))
        fail_msg("no violation at %s: %s (%s)", path, pending.write.fault.message,
                 pending.write.fault.n_violations ? pending.write.fault.violations[0].path : "-");
    case_done(&pending);
}

/* Runs one that must be well; was the record created? */
static bool created(struct store_case *c, Hero__V1__Mutation *mutation)
{
    struct pending pending;
    if (case_run(c, &pending, mutation) != CODE(OK))
        fail_msg("%s", pending.write.fault.message);
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_int_equal(answer->outcomes[0]->n_records, 1);
    assert_true(answer->outcomes[0]->has_created);
    case_done(&pending);
    return answer->outcomes[0]->created;
}

static void test_upsert_by_primary_key(void **state)
{
    struct store_case *c = *state;
    assert_true(
        created(c, upsert(c, "hero", "id=7;name=a;secret_name=s", NULL, CONFLICT(UPDATE), NULL)));
    assert_false(created(c, upsert(c, "hero", "id=7;age=4", NULL, CONFLICT(UPDATE), NULL)));
    assert_int_equal(store_case_sql(c, "SELECT age FROM hero WHERE id = 7 AND name = 'a'"), 4);
    /* A column that is named and absent becomes NULL. */
    assert_false(created(c, upsert(c, "hero", "id=7", NULL, CONFLICT(UPDATE), "age")));
    assert_int_equal(store_case_sql(c, "SELECT age IS NULL FROM hero"), 1);
    expect(c, case_create_one(c, "book", "id=1;title=t"), CODE(OK), NULL);
    expect(c, case_create_one(c, "book", "id=2;title=u"), CODE(OK), NULL);
    for (int round = 0; round < 2; round++)
        assert_int_equal(
            created(c, upsert(c, "copy",
                              round ? "branch=n;shelf=2;book_id=2" : "branch=n;shelf=2;book_id=1",
                              "shelf,branch", CONFLICT(UPDATE), NULL)),
            round == 0);
    assert_int_equal(store_case_sql(c, "SELECT sum(book_id) FROM copy"), 2);
}

static void test_upsert_by_unique_key(void **state)
{
    struct store_case *c = *state;
    assert_true(
        created(c, upsert(c, "author", "handle=a;full_name=Ann", NULL, CONFLICT(UPDATE), NULL)));
    assert_true(created(
        c, upsert(c, "author", "handle=b;full_name=Bob", "full_name", CONFLICT(UPDATE), NULL)));
    assert_false(
        created(c, upsert(c, "author", "full_name=Bob", "full_name", CONFLICT(UPDATE), NULL)));
    /* Found without a name for the key: it is the only one that is set. */
    assert_false(created(c, upsert(c, "author", "full_name=Ann", NULL, CONFLICT(IGNORE), NULL)));
    /* It finds one record, and says that it is another. */
    expect(c, upsert(c, "author", "handle=a;full_name=Bob", "full_name", CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "handle");
    /* It finds one, and its new values are another's. */
    expect(c, upsert(c, "author", "handle=a;full_name=Bob", "handle", CONFLICT(UPDATE), NULL),
           CODE(ALREADY_EXISTS), "full_name");
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM author"), 2);
}

static void test_upsert_ignore_and_fail(void **state)
{
    struct store_case *c = *state;
    expect(c, case_create_one(c, "hero", "id=1;name=a;secret_name=s;age=3"), CODE(OK), NULL);
    assert_false(created(c, upsert(c, "hero", "id=1;name=b;age=9", NULL, CONFLICT(IGNORE), NULL)));
    expect(c, upsert(c, "hero", "id=1;name=b;secret_name=s", NULL, CONFLICT(FAIL), NULL),
           CODE(ALREADY_EXISTS), "id");
    assert_int_equal(store_case_sql(c, "SELECT name = 'a' AND age = 3 FROM hero"), 1);
    assert_true(
        created(c, upsert(c, "hero", "id=2;name=b;secret_name=s", NULL, CONFLICT(FAIL), NULL)));
    expect(c, upsert(c, "hero", "id=1;name=b", NULL, 9, NULL), CODE(INVALID_ARGUMENT), "conflict");
}

static void test_upsert_refused(void **state)
{
    struct store_case *c = *state;
    expect(c, upsert(c, "hero", "name=a;secret_name=s", NULL, CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "");
    expect(c, upsert(c, "hero", "name=a;secret_name=s", "name", CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "by");
    expect(c, upsert(c, "hero", "name=a;secret_name=s", "id", CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "id");
    expect(c, upsert(c, "hero", "id=1;name=a", "wings", CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "by[0]");
    expect(c, upsert(c, "copy", "branch=a;shelf=1", "shelf,shelf", CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "by[1]");
    expect(c, upsert(c, "hero", "id=1;name=a", NULL, CONFLICT(UPDATE), NULL),
           CODE(INVALID_ARGUMENT), "secret_name");
    expect(c, case_create_one(c, "hero", "id=1;name=a;secret_name=s"), CODE(OK), NULL);
    expect(c, upsert(c, "hero", "id=1", NULL, CONFLICT(UPDATE), "name"), CODE(INVALID_ARGUMENT),
           "name");
    expect(c, upsert(c, "hero", "id=1", NULL, CONFLICT(UPDATE), "id"), CODE(INVALID_ARGUMENT),
           "update_mask[0]");
    expect(c, upsert(c, "copy", "branch=a;shelf=1;book_id=9", NULL, CONFLICT(UPDATE), NULL),
           CODE(FAILED_PRECONDITION), "book_id");
}

/* What an upsert names can be linked by a later mutation, found or created. */
static void test_upsert_ref(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation *all[] = {
        upsert(c, "hero", "id=1;name=a;secret_name=s", NULL, CONFLICT(IGNORE), NULL),
        upsert(c, "team", "id=1;name=t;headquarters=h", NULL, CONFLICT(IGNORE), NULL),
        case_link(c, true, "#5", "", "teams", "#6", "")};
    all[0]->upsert->has_ref = all[1]->upsert->has_ref = 1;
    all[0]->upsert->ref = 5;
    all[1]->upsert->ref = 6;
    for (int round = 0; round < 2; round++) {
        case_submit_as(c, &pending, all, 3, NULL, 0, 0);
        assert_int_equal(case_wait(&pending), CODE(OK));
        assert_int_equal(case_answer(c, &pending)->outcomes[2]->added, round == 0);
        case_done(&pending);
    }
    all[1]->upsert->ref = 5;
    case_submit_as(c, &pending, all, 2, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[1].upsert.ref"));
    case_done(&pending);
}

/* Nested: new, by key and by unique key; what is found is linked, never changed. */
static void test_nested_create_mixes_new_by_id_and_by_unique_key(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    expect(c, case_create_one(c, "author", "handle=ann;full_name=Ann"), CODE(OK), NULL);
    expect(c, case_create_one(c, "order", "name=red"), CODE(OK), NULL);
    const struct graph_spec records[] = {{"book", "title=One", NEW},
                                         {"author", "full_name=Ann", CONNECT},
                                         {"author", "handle=ann;full_name=Other", CONNECT},
                                         {"author", "handle=bob;full_name=Bob", CONNECT},
                                         {"order", "name=red", KEY},
                                         {"order", "name=blue", NEW}};
    const struct edge_spec edges[] = {
        {1, 2, "authors"}, {1, 3, "editors"}, {1, 4, "authors"}, {1, 5, "tags"}, {1, 6, "tags"}};
    assert_int_equal(case_run(c, &pending, case_create(c, records, 6, edges, 5)), CODE(OK));
    assert_int_equal(case_answer(c, &pending)->outcomes[0]->added, 5);
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM author"), 2);
    assert_int_equal(store_case_sql(c, "SELECT full_name = 'Ann' FROM author WHERE handle = 'ann'"),
                     1);
    /* Twice in one graph, the first creates what the second finds. */
    const struct graph_spec twice[] = {{"book", "title=Two", NEW},
                                       {"author", "handle=eve;full_name=Eve", CONNECT},
                                       {"author", "handle=eve;full_name=Eve", CONNECT}};
    const struct edge_spec both[] = {{1, 2, "authors"}, {1, 3, "editors"}};
    expect(c, case_create(c, twice, 3, both, 2), CODE(OK), NULL);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM author"), 3);
    /* Neither found nor whole enough to create. */
    const struct graph_spec lacks[] = {{"book", "title=Three", NEW},
                                       {"author", "full_name=Nobody", CONNECT}};
    expect(c, case_create(c, lacks, 2, both, 1), CODE(INVALID_ARGUMENT), "authors[0].handle");
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM book"), 2);
}

/* ---- etags ---- */

static ProtobufCBinaryData etag_of(struct store_case *c, const char *model, const char *key)
{
    Hero__V1__GetRequest request = HERO__V1__GET_REQUEST__INIT;
    Hero__V1__GetResponse response = HERO__V1__GET_RESPONSE__INIT;
    struct store_read read = {.models = c->models, .arena = &c->arena};
    ProtobufCBinaryData packed = case_record(c, model, key);
    struct fault fault = FAULT_INIT;
    request.model = arena_strdup(&c->arena, model);
    request.keys = &packed;
    request.n_keys = 1;
    request.has_etags = request.etags = 1;
    assert_int_equal(store_get(c->store, &read, &request, &response, &fault), CODE(OK));
    assert_true(response.graph->records[0]->has_etag);
    return response.graph->records[0]->etag;
}

static bool same(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static Hero__V1__Mutation *with_etag(Hero__V1__Mutation *mutation, ProtobufCBinaryData etag)
{
    Hero__V1__Target *target = mutation->op_case == HERO__V1__MUTATION__OP_UPDATE
                                   ? mutation->update->target
                                   : mutation->delete_->targets[0];
    target->has_etag = 1;
    target->etag = etag;
    return mutation;
}

static void test_optimistic_concurrency(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    expect(c, case_create_one(c, "hero", "name=a;secret_name=s"), CODE(OK), NULL);
    expect(c, case_create_one(c, "hero", "name=a;secret_name=s"), CODE(OK), NULL);
    ProtobufCBinaryData first = etag_of(c, "hero", "id=1");
    assert_false(same(first, etag_of(c, "hero", "id=2")));
    expect(c, with_etag(case_update(c, "hero", "id=1", "age=4", NULL), first), CODE(OK), NULL);
    /* Stale now, for update and delete alike; the key is told. */
    expect(c, with_etag(case_update(c, "hero", "id=1", "age=5", NULL), first), CODE(ABORTED),
           "target.etag");
    assert_int_equal(case_run(c, &pending, with_etag(case_delete(c, "hero", "id=1"), first)),
                     CODE(ABORTED));
    assert_true(case_blames(&pending.write.fault, "targets[0].etag"));
    assert_non_null(strstr(pending.write.fault.message, "Hero 1"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT age FROM hero WHERE id = 1"), 4);
    /* Back to what it was: the same record, the same etag. */
    expect(c, case_update(c, "hero", "id=1", "", "age"), CODE(OK), NULL);
    assert_true(same(first, etag_of(c, "hero", "id=1")));
    store_case_close(c);
    store_case_open(c);
    assert_true(same(first, etag_of(c, "hero", "id=1")));
    expect(c, with_etag(case_delete(c, "hero", "id=1"), first), CODE(OK), NULL);
    expect(c, with_etag(case_delete(c, "hero", "id=1"), first), CODE(NOT_FOUND), "targets[0]");
    ProtobufCBinaryData none = {0, NULL};
    expect(c, with_etag(case_update(c, "hero", "id=2", "age=5", NULL), none), CODE(ABORTED),
           "target.etag");
}

/* Every column counts, and what a write answers is what a read tells. */
static void test_etag_of_every_column(void **state)
{
    static const char *const changes[] = {"name=b", "secret_name=t", "age=0", "age=1"};
    struct store_case *c = *state;
    struct pending pending;
    expect(c, case_create_one(c, "hero", "name=a;secret_name=s"), CODE(OK), NULL);
    ProtobufCBinaryData before = etag_of(c, "hero", "id=1");
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        Hero__V1__Mutation *update = case_update(c, "hero", "id=1", changes[i], NULL);
        update->update->has_etags = update->update->etags = 1;
        assert_int_equal(case_run(c, &pending, update), CODE(OK));
        ProtobufCBinaryData after = case_answer(c, &pending)->outcomes[0]->records[0]->etag;
        case_done(&pending);
        assert_false(same(before, after));
        before = etag_of(c, "hero", "id=1");
        assert_true(same(before, after));
    }
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_upsert_by_primary_key),
        TEST(test_upsert_by_unique_key),
        TEST(test_upsert_ignore_and_fail),
        TEST(test_upsert_refused),
        TEST(test_upsert_ref),
        TEST(test_nested_create_mixes_new_by_id_and_by_unique_key),
        TEST(test_optimistic_concurrency),
        TEST(test_etag_of_every_column),
    };
    return cmocka_run_group_tests_name("upsert", tests, NULL, NULL);
}
