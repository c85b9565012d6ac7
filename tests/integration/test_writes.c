/*
 * Upsert, etags, dry runs and large commits through the library, against a
 * real herod.
 */
#include <pthread.h>
#include "call_case.h"
#include "hero/v1/records.pb-c.h"

#define C test->client
#define E &test->error

static hero_result *run(struct call_case *test, hero_request *request)
{
    return hero_request_run(request, E);
}

/* ---- upsert ---- */

static void test_upsert(void **state)
{
    struct call_case *test = *state;
    const hero_upsert ignore = {.conflict = HERO_CONFLICT_IGNORE},
                      fail = {.conflict = HERO_CONFLICT_FAIL}, by_name = {.by = "name"},
                      masked = {.mask = "age"};
    Hero hero = HERO__INIT;
    hero_result *result;

    hero.id = 7;
    hero.has_id = 1;
    hero.name = "Deadpond";
    hero.secret_name = "Dive Wilson";
    result = OK(hero_client_upsert(C, &hero.base, NULL, E));
    assert_true(hero_result_created(result));
    assert_int_equal(((Hero *)hero_result_record(result, 0))->id, 7);
    assert_true(hero_result_commit(result) > 0);
    hero_result_free(result);

    hero.secret_name = NULL;
    hero.name = "Wade";
    hero.age = 33;
    hero.has_age = 1;
    result = OK(hero_client_upsert(C, &hero.base, &ignore, E));
    assert_false(hero_result_created(result));
    assert_string_equal(((Hero *)hero_result_record(result, 0))->name, "Deadpond");
    hero_result_free(result);
    REFUSED(hero_client_upsert(C, &hero.base, &fail, E), HERO_ALREADY_EXISTS, "id", "Hero 7");
    result = OK(hero_client_upsert(C, &hero.base, &masked, E));
    assert_string_equal(((Hero *)hero_result_record(result, 0))->name, "Deadpond");
    assert_int_equal(((Hero *)hero_result_record(result, 0))->age, 33);
    hero_result_free(result);
    REFUSED(hero_client_upsert(C, &hero.base, &by_name, E), HERO_INVALID_ARGUMENT, "by", "id");

    TEXT(hero_client_upsert_json(C, "author", "{\"handle\": \"a\", \"full_name\": \"Ann\"}", NULL,
                                 E),
         "{\"handle\": \"a\", \"full_name\": \"Ann\"}");
    TEXT(hero_client_upsert_json(C, "author", "{\"full_name\": \"Ann\"}", &ignore, E),
         "{\"handle\": \"a\", \"full_name\": \"Ann\"}");
    REFUSED(hero_client_upsert_json(C, "author", "{\"name\": \"Ann\"}", NULL, E),
            HERO_INVALID_ARGUMENT, "name", "full_name");
}

static void test_upsert_in_a_commit(void **state)
{
    static const char commit[] =
        "[{\"upsert\": {\"model\": \"author\", \"by\": \"full_name\", \"on_conflict\": \"ignore\","
        "   \"record\": {\"handle\": \"ann\", \"full_name\": \"Ann\"}, \"as\": \"ann\"}},"
        " {\"create\": {\"model\": \"book\", \"record\": {\"title\": \"One\"}, \"as\": \"b\"}},"
        " {\"link\": {\"model\": \"book\", \"key\": {\"@ref\": \"b\"}, \"relationship\": "
        "\"authors\", \"to\": [{\"@ref\": \"ann\"}]}}]";
    struct call_case *test = *state;

    for (int round = 0; round < 2; round++) {
        hero_result *result = OK(hero_client_commit_json(C, commit, E));
        const char *text = hero_result_text(result);

        assert_non_null(strstr(text, round ? "\"created\": false" : "\"created\": true"));
        assert_int_equal(hero_result_added(result), 1);
        assert_int_equal(hero_result_created(result), !round);
        hero_result_free(result);
    }
    assert_int_equal(call_case_rows(test, "author"), 1);
    REFUSED(hero_client_commit_json(C,
                                    "[{\"upsert\": {\"model\": \"author\", \"by\": \"wings\", "
                                    "\"record\": {\"handle\": \"x\"}}}]",
                                    E),
            HERO_INVALID_ARGUMENT, "[0].upsert.by[0]", "wings");
    REFUSED(hero_client_commit_json(C,
                                    "[{\"upsert\": {\"model\": \"author\", \"record\": "
                                    "{\"handle\": \"x\"}}}]",
                                    E),
            HERO_INVALID_ARGUMENT, "[0].upsert.record.full_name", "required");
}

/* Many at once want the same records to be there: each is created once, and
 * everybody is told who did it. */
struct upserter {
    struct call_case *test;
    unsigned created, failed;
};

static void *upsert_all(void *arg)
{
    struct upserter *upserter = arg;
    hero_error error = HERO_ERROR_INIT;

    for (int i = 0; i < 40; i++) {
        char json[80];
        hero_result *result;

        snprintf(json, sizeof(json), "{\"handle\": \"h%d\", \"full_name\": \"Name %d\"}", i, i);
        result = hero_client_upsert_json(upserter->test->client, "author", json, NULL, &error);
        upserter->created += hero_result_created(result);
        upserter->failed += result == NULL;
        hero_result_free(result);
    }
    hero_error_free(&error);
    return NULL;
}

static void test_upserts_do_not_race(void **state)
{
    struct call_case *test = *state;
    struct upserter upserters[4];
    pthread_t threads[4];
    unsigned created = 0;

    for (int i = 0; i < 4; i++) {
        upserters[i] = (struct upserter){test, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, upsert_all, &upserters[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(upserters[i].failed, 0);
        created += upserters[i].created;
    }
    assert_int_equal(created, 40);
    assert_int_equal(call_case_rows(test, "author"), 40);
}

/* ---- etags ---- */

static char *etag_of(struct call_case *test, int64_t id)
{
    hero_request *request = hero_request_get(C, &hero__descriptor, HERO_KEY(id), NULL, E);
    hero_result *result;
    char *copy;

    assert_non_null(request);
    hero_request_set_etags(request);
    result = OK(run(test, request));
    assert_non_null(hero_result_etag(result, 0));
    assert_null(hero_result_etag(result, 1));
    copy = strdup(hero_result_etag(result, 0));
    hero_result_free(result);
    return copy;
}

static hero_result *update_age(struct call_case *test, int64_t id, int64_t age, const char *etag)
{
    Hero hero = HERO__INIT;
    hero_request *request;

    hero.id = id;
    hero.age = age;
    hero.has_id = hero.has_age = 1;
    request = hero_request_update(C, &hero.base, NULL, E);
    assert_non_null(request);
    assert_int_equal(hero_request_set_etag(request, etag, E), HERO_OK);
    hero_request_set_etags(request);
    return run(test, request);
}

static int64_t new_hero(struct call_case *test, const char *name)
{
    Hero hero = HERO__INIT;
    hero_result *result;
    int64_t id;

    hero.name = (char *)(uintptr_t)name;
    hero.secret_name = "secret";
    result = OK(hero_client_create(C, &hero.base, E));
    assert_null(hero_result_etag(result, 0));
    id = ((Hero *)hero_result_record(result, 0))->id;
    hero_result_free(result);
    return id;
}

static void test_optimistic_concurrency(void **state)
{
    struct call_case *test = *state;
    int64_t id = new_hero(test, "Deadpond");
    const hero_key key = HERO_KEY(id);
    char *first = etag_of(test, id), *second;
    hero_result *result = OK(update_age(test, id, 30, first));
    hero_request *request;

    second = strdup(hero_result_etag(result, 0));
    hero_result_free(result);
    assert_string_not_equal(first, second);
    REFUSED(update_age(test, id, 31, first), HERO_ABORTED, "target.etag", "Hero");
    hero_result_free(OK(update_age(test, id, 30, second)));
    herod_fixture_end(&test->herod);
    herod_fixture_restart(&test->herod);
    char *after = etag_of(test, id);
    assert_string_equal(after, second); /* the same values, written again, after a restart */

    request = hero_request_delete(C, &hero__descriptor, &key, 1, E);
    assert_int_equal(hero_request_set_etag(request, first, E), HERO_OK);
    REFUSED(run(test, request), HERO_ABORTED, "targets[0].etag", "Hero");
    request = hero_request_delete(C, &hero__descriptor, &key, 1, E);
    assert_int_equal(hero_request_set_etag(request, "no etag", E), HERO_INVALID_ARGUMENT);
    assert_int_equal(hero_request_set_etag(request, NULL, E), HERO_INVALID_ARGUMENT);
    assert_int_equal(hero_request_set_etag(request, after, E), HERO_OK);
    hero_result_free(OK(run(test, request)));
    assert_int_equal(call_case_rows(test, "hero"), 0);
    request = hero_request_get(C, &hero__descriptor, key, NULL, E);
    assert_int_equal(hero_request_set_etag(request, after, E), HERO_INVALID_ARGUMENT);
    hero_request_free(request);
    assert_int_equal(hero_request_set_etag(NULL, after, NULL), HERO_INVALID_ARGUMENT);
    free(first);
    free(second);
    free(after);
}

/* Two change the same record; whoever comes second is told. */
struct contender {
    struct call_case *test;
    int64_t id;
    unsigned done;
};

static void *contend(void *arg)
{
    struct contender *contender = arg;
    struct call_case own = *contender->test;

    own.error = (hero_error)HERO_ERROR_INIT;
    while (contender->done < 50) {
        hero_request *request = hero_request_get(own.client, &hero__descriptor,
                                                 HERO_KEY(contender->id), NULL, &own.error);
        hero_request_set_etags(request);
        hero_result *read = hero_request_run(request, &own.error);
        hero_result *written =
            update_age(&own, contender->id, ((Hero *)hero_result_record(read, 0))->age + 1,
                       hero_result_etag(read, 0));
        contender->done += written != NULL;
        if (!written && own.error.code != HERO_ABORTED)
            break;
        hero_result_free(written);
        hero_result_free(read);
    }
    hero_error_free(&own.error);
    return NULL;
}

static void test_no_update_is_lost(void **state)
{
    struct call_case *test = *state;
    struct contender contenders[3];
    pthread_t threads[3];
    int64_t id = new_hero(test, "Counter");
    hero_result *result;

    for (int i = 0; i < 3; i++) {
        contenders[i] = (struct contender){test, id, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &contenders[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    result = OK(hero_client_get(C, &hero__descriptor, HERO_KEY(id), NULL, E));
    assert_int_equal(((Hero *)hero_result_record(result, 0))->age, 150);
    hero_result_free(result);
}

/* ---- lists ---- */

static hero_result *set_teams(struct call_case *test, int64_t id, const hero_key *teams, size_t n,
                              const char *etag)
{
    hero_request *request =
        hero_request_set_links(C, &hero__descriptor, HERO_KEY(id), "teams", teams, n, E);

    assert_non_null(request);
    if (etag)
        assert_int_equal(hero_request_set_etag(request, etag, E), HERO_OK);
    return run(test, request);
}

static void test_replace_tells_the_difference(void **state)
{
    struct call_case *test = *state;
    int64_t id = new_hero(test, "Deadpond");
    hero_key teams[3];
    hero_result *result;
    char *etag;

    for (int i = 0; i < 3; i++) {
        Team team = TEAM__INIT;

        team.name = "team";
        team.headquarters = "somewhere";
        result = OK(hero_client_create(C, &team.base, E));
        teams[i] = HERO_KEY(((Team *)hero_result_record(result, 0))->id);
        hero_result_free(result);
    }
    result = OK(hero_client_set_links(C, &hero__descriptor, HERO_KEY(id), "teams", teams, 2, E));
    assert_int_equal(hero_result_added(result), 2);
    assert_int_equal(hero_result_count(result), 2);
    assert_int_equal(((Team *)hero_result_record(result, 1))->id, teams[1].values[0].integer);
    assert_null(((Team *)hero_result_record(result, 1))->name);
    etag = strdup(hero_result_list_etag(result));
    hero_result_free(result);

    /* A read tells the same. */
    hero_request *get = hero_request_get(C, &hero__descriptor, HERO_KEY(id), "teams", E);
    hero_request_set_etags(get);
    result = OK(run(test, get));
    assert_string_equal(hero_result_related_etag(result, hero_result_record(result, 0), "teams"),
                        etag);
    hero_result_free(result);

    result = OK(set_teams(test, id, teams + 1, 2, etag));
    assert_int_equal(hero_result_added(result), 1);
    assert_int_equal(hero_result_removed(result), 1);
    assert_int_equal(hero_result_kept(result), 1);
    assert_int_equal(hero_result_count(result), 2); /* added, then removed */
    assert_int_equal(((Team *)hero_result_record(result, 0))->id, teams[2].values[0].integer);
    assert_int_equal(((Team *)hero_result_record(result, 1))->id, teams[0].values[0].integer);
    hero_result_free(result);
    REFUSED(set_teams(test, id, teams, 3, etag), HERO_ABORTED, "etag", "teams of Hero");
    REFUSED(hero_client_commit_json(C,
                                    "[{\"set_links\": {\"model\": \"hero\", \"key\": 1, "
                                    "\"relationship\": \"teams\", \"to\": [1, 99]}}]",
                                    E),
            HERO_NOT_FOUND, "[0].set_links.to[1]", "Team 99");
    result = OK(hero_client_commit_json(C,
                                        "[{\"set_links\": {\"model\": \"hero\", \"key\": 1, "
                                        "\"relationship\": \"teams\", \"to\": []}}]",
                                        E));
    assert_int_equal(hero_result_removed(result), 2);
    assert_non_null(strstr(hero_result_text(result), "\"removed_keys\": [2, 3]"));
    hero_result_free(result);
    free(etag);
}

/* ---- dry runs ---- */

static hero_request *dry(hero_request *request)
{
    assert_non_null(request);
    hero_request_set_validate_only(request);
    assert_int_equal(hero_request_seq(request), 0);
    return request;
}

static void test_validate_only(void **state)
{
    struct call_case *test = *state;
    int64_t id = new_hero(test, "Deadpond");
    const hero_key key = HERO_KEY(id);
    char text[32];
    const char *const texts[] = {text};
    Hero hero = HERO__INIT;
    hero_result *result;

    snprintf(text, sizeof(text), "%d", (int)id);
    hero.name = "Rusty-Man";
    hero.secret_name = "Tommy";
    result = OK(run(test, dry(hero_request_create(C, &hero.base, E))));
    assert_int_equal(((Hero *)hero_result_record(result, 0))->id, id + 1);
    assert_int_equal(hero_result_commit(result), 0);
    hero_result_free(result);
    hero.id = id;
    hero.has_id = 1;
    hero_result_free(OK(run(test, dry(hero_request_update(C, &hero.base, NULL, E)))));
    hero_result_free(OK(run(test, dry(hero_request_upsert(C, &hero.base, NULL, E)))));
    result = OK(run(test, dry(hero_request_delete(C, &hero__descriptor, &key, 1, E))));
    assert_int_equal(hero_result_deleted(result), 1);
    hero_result_free(result);
    TEXT(run(test, dry(hero_request_delete_json(C, "hero", texts, 1, E))),
         "{\"deleted\": 1, \"removed\": 0}");
    REFUSED(run(test, dry(hero_request_link_json(C, "hero", text, "teams", texts, 1, E))),
            HERO_NOT_FOUND, "related[0]", "Team");
    TEXT(run(test, dry(hero_request_commit_json(
                       C, "[{\"delete\": {\"model\": \"hero\", \"key\": 1}}]", E))),
         "{\"outcomes\": [{\"deleted\": 1}]}");
    result = OK(hero_client_get(C, &hero__descriptor, key, NULL, E));
    assert_string_equal(((Hero *)hero_result_record(result, 0))->name, "Deadpond");
    hero_result_free(result);
    /* A read is as it is. */
    result = OK(run(test, dry(hero_request_get(C, &hero__descriptor, key, NULL, E))));
    hero_result_free(result);
    assert_int_equal(call_case_rows(test, "hero"), 1);
}

/* ---- large ---- */

/* n creates of heroes, packed, each with a ref of its own. */
static uint8_t *pack_creates(size_t n, bool keys_only, size_t *ret_len)
{
    struct one {
        Hero__V1__Mutation mutation;
        Hero__V1__CreateRequest create;
        Hero__V1__Graph graph;
        Hero__V1__Record record, *records[1];
        uint8_t value[64];
    } *all = calloc(n, sizeof(*all));
    Hero__V1__CommitRequest commit = HERO__V1__COMMIT_REQUEST__INIT;
    uint8_t *bytes;

    commit.mutations = calloc(n, sizeof(*commit.mutations));
    commit.n_mutations = n;
    commit.has_keys_only = commit.keys_only = keys_only;
    for (size_t i = 0; i < n; i++) {
        struct one *one = &all[i];
        Hero hero = HERO__INIT;
        char name[32];

        snprintf(name, sizeof(name), "hero %zu", i);
        hero.name = name;
        hero.secret_name = "a secret of some length";
        hero.age = (int64_t)i % 90;
        hero.has_age = 1;
        hero__v1__mutation__init(&one->mutation);
        hero__v1__create_request__init(&one->create);
        hero__v1__graph__init(&one->graph);
        hero__v1__record__init(&one->record);
        one->record.has_ref = one->record.has_value = 1;
        one->record.ref = (uint32_t)i + 1;
        one->record.model = "Hero";
        one->record.value = (ProtobufCBinaryData){hero__pack(&hero, one->value), one->value};
        one->records[0] = &one->record;
        one->graph.records = one->records;
        one->graph.n_records = 1;
        one->create.graph = &one->graph;
        one->mutation.op_case = HERO__V1__MUTATION__OP_CREATE;
        one->mutation.create = &one->create;
        commit.mutations[i] = &one->mutation;
    }
    bytes = malloc(hero__v1__commit_request__get_packed_size(&commit));
    *ret_len = hero__v1__commit_request__pack(&commit, bytes);
    free(commit.mutations);
    free(all);
    return bytes;
}

static void commit_large(struct call_case *test, size_t n, bool keys_only)
{
    Hero__V1__CommitResponse *response;
    hero_request *request;
    hero_result *result;
    size_t len;
    uint8_t *bytes = pack_creates(n, keys_only, &len);
    const void *answer;

    request = hero_request_call(C, "hero.v1.Records/Commit", bytes, len, E);
    free(bytes);
    hero_request_set_timeout(request, 120000);
    result = OK(run(test, request));
    answer = hero_result_bytes(result, &len);
    response = hero__v1__commit_response__unpack(NULL, len, answer);
    assert_int_equal(response->n_outcomes, n);
    assert_int_equal(response->keys_only, keys_only);
    assert_int_equal(response->outcomes[n - 1]->records[0]->ref, n);
    hero__v1__commit_response__free_unpacked(response, NULL);
    hero_result_free(result);
}

static void test_large_commit_in_bounded_memory(void **state)
{
    enum { N = 100000 };
    static const char *const args[] = {"--message-limit", "16M", NULL};
    struct call_case *test = calloc(1, sizeof(*test));
    hero_result *result;

    *state = test;
    call_case_start(test, args);
    hero_result_free(OK(hero_client_apply(C, call_case_heroes, call_case_heroes_size, false, E)));
    commit_large(test, N, true);
    print_message("keys only: VmHWM %ld KiB\n", herod_fixture_status(&test->herod, "VmHWM:"));
    if (!fixture_is_sanitized())
        assert_in_range(herod_fixture_status(&test->herod, "VmHWM:"), 1, 64 * 1024);
    /* A whole answer is there three times for a moment: packed, framed, sent. */
    commit_large(test, N, false);
    print_message("whole: VmHWM %ld KiB\n", herod_fixture_status(&test->herod, "VmHWM:"));
    if (!fixture_is_sanitized())
        assert_in_range(herod_fixture_status(&test->herod, "VmHWM:"), 1, 80 * 1024);
    result = OK(hero_client_stats(C, E));
    assert_non_null(strstr(hero_result_text(result), "200000"));
    hero_result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_upsert),
        TEST(test_upsert_in_a_commit),
        TEST(test_upserts_do_not_race),
        TEST(test_optimistic_concurrency),
        TEST(test_no_update_is_lost),
        TEST(test_replace_tells_the_difference),
        TEST(test_validate_only),
        cmocka_unit_test_setup_teardown(test_large_commit_in_bounded_memory, NULL,
                                        call_case_teardown),
    };

    return cmocka_run_group_tests_name("writes", tests, NULL, NULL);
}
