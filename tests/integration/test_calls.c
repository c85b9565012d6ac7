/*
 * Plain calls with generated structs, and requests, against a real herod.
 */
#include <pthread.h>
#include <signal.h>
#include "call_case.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/records.pb-c.h"

static hero_result *create_hero(struct call_case *test, const char *name, Team **teams,
                                size_t n_teams)
{
    Hero hero = HERO__INIT;

    hero.name = (char *)(uintptr_t)name;
    hero.secret_name = (char *)(uintptr_t) "secret";
    hero.teams = teams;
    hero.n_teams = n_teams;
    return hero_client_create(test->client, &hero.base, &test->error);
}

static int64_t new_team(struct call_case *test, const char *name)
{
    Team team = TEAM__INIT;
    hero_result *result;
    int64_t id;

    team.name = (char *)(uintptr_t)name;
    team.headquarters = (char *)(uintptr_t) "somewhere";
    result = OK(hero_client_create(test->client, &team.base, &test->error));
    id = ((Team *)hero_result_record(result, 0))->id;
    hero_result_free(result);
    return id;
}

/* Cycles and shared structs go in once; what is there is linked. */
static void test_create_graph(void **state)
{
    struct call_case *test = *state;
    Team old = TEAM__INIT, shared = TEAM__INIT, *both[] = {&old, &shared};
    Hero deadpond = HERO__INIT, friend = HERO__INIT, *members[] = {&deadpond, &friend};
    hero_result *result;
    const Hero *hero;

    old.id = new_team(test, "Preventers");
    old.has_id = 1;
    shared.name = "Z-Force";
    shared.headquarters = "Sister Margaret’s Bar";
    shared.heroes = members;
    shared.n_heroes = 2;
    deadpond.name = "Deadpond";
    deadpond.secret_name = "Dive Wilson";
    deadpond.teams = both;
    deadpond.n_teams = 2;
    friend.name = "Spider-Boy";
    friend.secret_name = "Pedro Parqueador";
    result = OK(hero_client_create(test->client, &deadpond.base, &test->error));
    assert_int_equal(hero_result_count(result), 1);
    assert_null(hero_result_record(result, 1));
    assert_true(hero_result_commit(result) > 0);
    assert_int_equal(hero_result_added(result), 3);
    hero = hero_result_record(result, 0);
    assert_string_equal(hero->name, "Deadpond");
    assert_true(hero->has_id);
    assert_false(hero->has_age);
    assert_false(deadpond.has_id); /* the caller's struct is read only */

    hero_result *read = OK(hero_client_get(test->client, &hero__descriptor, HERO_KEY(hero->id),
                                           "teams.heroes", &test->error));
    const Hero *again = hero_result_record(read, 0);

    assert_int_equal(again->n_teams, 2);
    assert_string_equal(again->teams[0]->name, "Preventers");
    assert_string_equal(again->teams[1]->headquarters, "Sister Margaret’s Bar");
    /* One record is one struct: back at the hero, along both teams. */
    assert_int_equal(again->teams[0]->n_heroes, 1);
    assert_ptr_equal(again->teams[0]->heroes[0], again);
    assert_int_equal(again->teams[1]->n_heroes, 2);
    assert_ptr_equal(again->teams[1]->heroes[0], again);
    assert_null(hero_result_text(read));
    hero_result_free(read);
    hero_result_free(result);
}

static void test_create_refused(void **state)
{
    struct call_case *test = *state;
    Team gone = TEAM__INIT, unnamed = TEAM__INIT, *teams[] = {&unnamed, &gone};
    Hero hero = HERO__INIT;

    gone.has_id = 1;
    gone.id = 77;
    unnamed.headquarters = "x";
    REFUSED(create_hero(test, NULL, NULL, 0), HERO_INVALID_ARGUMENT, "name", "required");
    REFUSED(create_hero(test, "\xff", NULL, 0), HERO_INVALID_ARGUMENT, "name", "UTF-8");
    REFUSED(create_hero(test, "x", teams, 1), HERO_INVALID_ARGUMENT, "teams[0].name", "required");
    REFUSED(create_hero(test, "x", teams + 1, 1), HERO_NOT_FOUND, "teams[0]", "77");
    REFUSED(hero_client_create(test->client, NULL, &test->error), HERO_INVALID_ARGUMENT, NULL,
            "MESSAGE__INIT");
    REFUSED(hero_client_create(test->client,
                               &(Hero__V1__HelloRequest)HERO__V1__HELLO_REQUEST__INIT.base,
                               &test->error),
            HERO_NOT_FOUND, NULL, "hero.v1.HelloRequest");
    hero.has_id = 1;
    hero.id = 5;
    hero.name = hero.secret_name = "x";
    hero_result_free(OK(hero_client_create(test->client, &hero.base, &test->error)));
    REFUSED(hero_client_create(test->client, &hero.base, &test->error), HERO_ALREADY_EXISTS, "id",
            "unique");
    assert_int_equal(call_case_rows(test, "hero"), 1);
    assert_int_equal(call_case_rows(test, "team"), 0);
}

/* A descriptor that is not the served model's is refused by field. */
static void test_other_descriptors(void **state)
{
    struct call_case *test = *state;
    ProtobufCFieldDescriptor fields[8];
    ProtobufCMessageDescriptor other = hero__descriptor;

    memcpy(fields, hero__descriptor.fields, hero__descriptor.n_fields * sizeof(*fields));
    other.fields = fields;
    for (unsigned i = 0; i < other.n_fields; i++)
        if (!strcmp(fields[i].name, "age"))
            fields[i].type = PROTOBUF_C_TYPE_DOUBLE;
    REFUSED(hero_client_get(test->client, &other, HERO_KEY(1), NULL, &test->error),
            HERO_FAILED_PRECONDITION, "age", "double");
    assert_int_equal(test->error.outcome, HERO_NOT_SENT);
}

static void test_get_refused(void **state)
{
    struct call_case *test = *state;

    REFUSED(hero_client_get(test->client, &hero__descriptor, HERO_KEY(77), NULL, &test->error),
            HERO_NOT_FOUND, "keys[0]", "77");
    assert_int_equal(test->error.outcome, HERO_REFUSED);
    REFUSED(hero_client_get(test->client, &hero__descriptor, HERO_KEY("x"), NULL, &test->error),
            HERO_INVALID_ARGUMENT, "keys[0]", "key");
    REFUSED(hero_client_get(test->client, &hero__descriptor, HERO_KEY(1, 2), NULL, &test->error),
            HERO_INVALID_ARGUMENT, "keys[0]", "2 parts");
    hero_result_free(OK(create_hero(test, "x", NULL, 0)));
    REFUSED(hero_client_get(test->client, &hero__descriptor, HERO_KEY(1), "temas", &test->error),
            HERO_INVALID_ARGUMENT, "expand[0]", "temas");
}

static void test_list(void **state)
{
    struct call_case *test = *state;
    hero_list list = {.order_by = "-name", .page_size = 7};
    char name[16], token[256] = "";
    size_t n = 0, n_pages = 0;

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "hero %02d", i);
        hero_result_free(OK(create_hero(test, name, NULL, 0)));
    }
    do {
        hero_result *page =
            OK(hero_client_list(test->client, &hero__descriptor, &list, &test->error));

        for (size_t i = 0; i < hero_result_count(page); i++) {
            snprintf(name, sizeof(name), "hero %02u", (19 - (unsigned)n++) % 100);
            assert_string_equal(((Hero *)hero_result_record(page, i))->name, name);
        }
        n_pages++;
        list.page_token = hero_result_next_page_token(page);
        if (list.page_token)
            list.page_token = strcpy(token, list.page_token);
        hero_result_free(page);
    } while (list.page_token);
    assert_int_equal(n, 20);
    assert_int_equal(n_pages, 3);

    list.page_token = token;
    list.order_by = "name";
    REFUSED(hero_client_list(test->client, &hero__descriptor, &list, &test->error),
            HERO_INVALID_ARGUMENT, "page_token", "");
    list.page_token = "!";
    REFUSED(hero_client_list(test->client, &hero__descriptor, &list, &test->error),
            HERO_INVALID_ARGUMENT, "page_token", "token");
    list = (hero_list){.order_by = "name,-aeg"};
    REFUSED(hero_client_list(test->client, &hero__descriptor, &list, &test->error),
            HERO_INVALID_ARGUMENT, "order_by[1]", "aeg");
    hero_result *all = OK(hero_client_list(test->client, &hero__descriptor, NULL, &test->error));

    assert_int_equal(hero_result_count(all), 20);
    hero_result_free(all);
    all = OK(hero_client_list(test->client, &team__descriptor, NULL, &test->error));
    assert_int_equal(hero_result_count(all), 0);
    hero_result_free(all);
}

static void test_update(void **state)
{
    struct call_case *test = *state;
    Hero hero = HERO__INIT;
    hero_result *result;
    const Hero *stored;

    hero_result_free(OK(create_hero(test, "Rusty-Man", NULL, 0)));
    hero.has_id = hero.has_age = 1;
    hero.id = 1;
    hero.age = 48;
    result = OK(hero_client_update(test->client, &hero.base, NULL, &test->error));
    stored = hero_result_record(result, 0);
    assert_int_equal(stored->age, 48);
    assert_string_equal(stored->name, "Rusty-Man");
    hero_result_free(result);

    /* What the mask names and the struct lacks becomes NULL. */
    hero.has_age = 0;
    hero.name = "Rusty";
    result = OK(hero_client_update(test->client, &hero.base, "age, name", &test->error));
    stored = hero_result_record(result, 0);
    assert_false(stored->has_age);
    assert_string_equal(stored->name, "Rusty");
    hero_result_free(result);

    REFUSED(hero_client_update(test->client, &hero.base, "aeg", &test->error),
            HERO_INVALID_ARGUMENT, "update_mask[0]", "aeg");
    REFUSED(hero_client_update(test->client, &hero.base, "", &test->error), HERO_INVALID_ARGUMENT,
            "update_mask", "no field");
    REFUSED(hero_client_update(test->client, &hero.base, "secret_name", &test->error),
            HERO_INVALID_ARGUMENT, "secret_name", "required");
    hero.id = 77;
    REFUSED(hero_client_update(test->client, &hero.base, NULL, &test->error), HERO_NOT_FOUND, NULL,
            "77");
    hero.has_id = 0;
    REFUSED(hero_client_update(test->client, &hero.base, NULL, &test->error), HERO_INVALID_ARGUMENT,
            "target.id", "");
}

static void test_links_and_delete(void **state)
{
    struct call_case *test = *state;
    const hero_key teams[] = {HERO_KEY(new_team(test, "A")), HERO_KEY(new_team(test, "B")),
                              HERO_KEY(77)};
    const hero_key heroes[] = {HERO_KEY(1), HERO_KEY(77)};
    hero_result *result;

    hero_result_free(OK(create_hero(test, "x", NULL, 0)));
    result = OK(hero_client_link(test->client, &hero__descriptor, HERO_KEY(1), "teams", teams, 2,
                                 &test->error));
    assert_int_equal(hero_result_added(result), 2);
    hero_result_free(result);
    result = OK(hero_client_link(test->client, &team__descriptor, teams[0], "heroes", heroes, 1,
                                 &test->error));
    assert_int_equal(hero_result_added(result), 0);
    hero_result_free(result);
    REFUSED(hero_client_link(test->client, &hero__descriptor, HERO_KEY(1), "teams", teams, 3,
                             &test->error),
            HERO_NOT_FOUND, "related[2]", "77");
    REFUSED(hero_client_link(test->client, &hero__descriptor, HERO_KEY(1), "team", teams, 1,
                             &test->error),
            HERO_INVALID_ARGUMENT, "relationship", "teams");
    REFUSED(hero_client_link(test->client, &hero__descriptor, HERO_KEY(1), NULL, teams, 1,
                             &test->error),
            HERO_INVALID_ARGUMENT, "relationship", "teams");
    result = OK(hero_client_unlink(test->client, &hero__descriptor, HERO_KEY(1), "teams", teams, 1,
                                   &test->error));
    assert_int_equal(hero_result_removed(result), 1);
    hero_result_free(result);
    result = OK(hero_client_unlink(test->client, &hero__descriptor, HERO_KEY(1), "teams", teams, 1,
                                   &test->error));
    assert_int_equal(hero_result_removed(result), 0);
    hero_result_free(result);

    REFUSED(hero_client_delete(test->client, &hero__descriptor, heroes, 2, &test->error),
            HERO_NOT_FOUND, "targets[1]", "77");
    assert_int_equal(call_case_rows(test, "hero"), 1);
    result = OK(hero_client_delete(test->client, &hero__descriptor, heroes, 1, &test->error));
    assert_int_equal(hero_result_deleted(result), 1);
    assert_int_equal(hero_result_removed(result), 1);
    hero_result_free(result);
    assert_int_equal(call_case_rows(test, "hero"), 0);
    assert_int_equal(call_case_rows(test, "heroteamlink"), 0);
}

/* ---- requests ---- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned n_done, n_ok, n_cancelled;
};

static void on_done(void *arg, hero_result *result, const hero_error *error)
{
    struct waiting *waiting = arg;

    pthread_mutex_lock(&waiting->lock);
    waiting->n_done++;
    waiting->n_ok += result != NULL;
    waiting->n_cancelled += !result && error->code == HERO_CANCELLED;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
    hero_result_free(result);
}

static void await(struct waiting *waiting, unsigned n)
{
    pthread_mutex_lock(&waiting->lock);
    while (waiting->n_done < n)
        pthread_cond_wait(&waiting->changed, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
}

static void test_started_requests(void **state)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    struct call_case *test = *state;
    Hero hero = HERO__INIT;
    unsigned n = 0;

    hero.name = hero.secret_name = "x";
    hero_result_free(OK(create_hero(test, "models are known", NULL, 0)));
    /* All at once, until the daemon's limit; then nothing was called and the
     * request is still ours. */
    call_case_pause(test);
    for (;;) {
        hero_request *request = hero_request_create(test->client, &hero.base, &test->error);

        assert_non_null(request);
        if (hero_request_start(request, on_done, &waiting, &test->error)) {
            assert_int_equal(test->error.code, HERO_RESOURCE_EXHAUSTED);
            assert_int_equal(test->error.outcome, HERO_NOT_SENT);
            herod_fixture_signal(&test->herod, SIGCONT);
            await(&waiting, 1);
            hero_result_free(OK(hero_request_run(request, &test->error)));
            break;
        }
        assert_true(++n < 1000);
    }
    await(&waiting, n);
    assert_int_equal(waiting.n_ok, n);
    assert_int_equal(call_case_rows(test, "hero"), n + 2);
}

static void test_close_cancels(void **state)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    struct call_case *test = *state;

    call_case_pause(test);
    for (int i = 0; i < 10; i++)
        assert_int_equal(hero_request_start(hero_request_check(test->client, &test->error), on_done,
                                            &waiting, &test->error),
                         HERO_OK);
    hero_client_close(test->client);
    test->client = NULL;
    assert_int_equal(waiting.n_done, 10);
    assert_int_equal(waiting.n_cancelled, 10);
    herod_fixture_signal(&test->herod, SIGCONT);
}

static void test_prepared_and_dropped(void **state)
{
    struct call_case *test = *state;
    Hero hero = HERO__INIT;
    hero_request *request, *read;

    hero.name = hero.secret_name = "x";
    request = hero_request_create(test->client, &hero.base, &test->error);
    read = hero_request_get(test->client, &hero__descriptor, HERO_KEY(1), NULL, &test->error);
    assert_true(hero_request_seq(request) > 0);
    assert_int_equal(hero_request_seq(request), hero_request_seq(request));
    assert_int_equal(hero_request_seq(read), 0);
    hero_request_free(request);
    hero_request_free(read);
    hero_request_free(NULL);
    assert_int_equal(call_case_rows(test, "hero"), 0);
    assert_null(hero_request_run(NULL, &test->error));
}

static void test_deadline(void **state)
{
    struct call_case *test = *state;
    hero_request *request = hero_request_check(test->client, &test->error);

    call_case_pause(test);
    hero_request_set_timeout(request, 100);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_DEADLINE_EXCEEDED);
    assert_int_equal(test->error.outcome, HERO_OUTCOME_UNKNOWN);
    herod_fixture_signal(&test->herod, SIGCONT);
}

/* A program that settles its write across its own crash. */
static void test_once_by_seq(void **state)
{
    struct call_case *test = *state;
    hero_options options = HERO_OPTIONS_INIT;
    uint8_t id[16];
    uint64_t seq = 0;
    int64_t first = 0;
    Hero hero = HERO__INIT;

    hero_client_id_new(id);
    options.client_id = id;
    options.first_seq = 10;
    hero.name = hero.secret_name = "x";
    for (int life = 0; life < 3; life++) {
        hero_client *client = call_case_open(test, &options);
        hero_request *request = hero_request_create(client, &hero.base, &test->error);
        hero_result *result;
        const Hero *stored;

        if (seq)
            hero_request_set_seq(request, seq);
        assert_int_equal(hero_request_seq(request), 10);
        seq = 10;
        result = OK(hero_request_run(request, &test->error));
        stored = hero_result_record(result, 0);
        first = first ? first : stored->id;
        assert_int_equal(stored->id, first);
        hero_result_free(result);
        hero_client_close(client);
    }
    assert_int_equal(call_case_rows(test, "hero"), 1);

    hero_client *client = call_case_open(test, &options);
    hero_request *request;

    hero.name = "another";
    request = hero_request_create(client, &hero.base, &test->error);
    hero_request_set_seq(request, 10);
    assert_null(hero_request_run(request, &test->error));
    assert_int_equal(test->error.code, HERO_INVALID_ARGUMENT);
    assert_int_equal(call_case_rows(test, "hero"), 1);
    hero_client_close(client);
}

/* ---- limits, echo, models ---- */

static void test_too_large(void **state)
{
    struct call_case *test = *state;
    size_t size = 100 * 1024 * 1024;
    char *name = malloc(size + 1);

    memset(name, 'x', size);
    name[size] = '\0';
    REFUSED(create_hero(test, name, NULL, 0), HERO_RESOURCE_EXHAUSTED, NULL, "at most 1048576");
    assert_int_equal(test->error.outcome, HERO_NOT_SENT);
    name[2 * 1024 * 1024] = '\0';
    REFUSED(create_hero(test, name, NULL, 0), HERO_RESOURCE_EXHAUSTED, NULL, "2097");
    free(name);
    hero_result_free(OK(create_hero(test, "small", NULL, 0)));
}

static void count_inserts(void *arg, const char *sql, uint64_t time_us)
{
    (void)time_us;
    *(unsigned *)arg += !strncmp(sql, "INSERT INTO hero", 16);
}

static void test_echo(void **state)
{
    struct call_case *test = *state;
    hero_options options = HERO_OPTIONS_INIT;
    hero_client *quiet = test->client;
    unsigned n_inserts = 0;

    options.echo = count_inserts;
    options.echo_arg = &n_inserts;
    options.agent = "test_calls";
    test->client = call_case_open(test, &options);
    hero_result_free(OK(create_hero(test, "x", NULL, 0)));
    assert_int_equal(n_inserts, 1);
    hero_client_close(test->client);
    test->client = quiet;
    hero_result_free(OK(create_hero(test, "y", NULL, 0)));
    assert_int_equal(n_inserts, 1);
}

static void test_options(void **state)
{
    struct call_case *test = *state;
    hero_options options = HERO_OPTIONS_INIT;
    hero_client *client = NULL;

    options.size = 3;
    assert_int_equal(hero_client_open(test->herod.url, &options, &client, &test->error),
                     HERO_INVALID_ARGUMENT);
    assert_null(client);
    assert_int_equal(hero_client_open("http://x", NULL, &client, &test->error),
                     HERO_INVALID_ARGUMENT);
    assert_int_equal(test->error.outcome, HERO_NOT_SENT);
    assert_int_equal(hero_client_open("ipc:///nowhere/herod.sock", NULL, &client, NULL),
                     HERO_UNAVAILABLE);
    hero_client_close(NULL);
    hero_result_free(NULL);
}

static void test_models(void **state)
{
    struct call_case *test = *state;
    hero_client *other = call_case_open(test, NULL);
    hero_result *result;

    result = OK(hero_client_list_models(test->client, &test->error));
    assert_non_null(strstr(hero_result_text(result), "{\"name\": \"Hero\", \"table\": \"hero\""));
    assert_non_null(strstr(hero_result_text(result), "\"name\": \"library.Book\""));
    hero_result_free(result);
    result = OK(hero_client_get_model(test->client, "order", &test->error));
    assert_non_null(strstr(hero_result_text(result), "CREATE TABLE \\\"order\\\""));
    hero_result_free(result);
    REFUSED(hero_client_get_model(test->client, "nobody", &test->error), HERO_NOT_FOUND, NULL,
            "nobody");
    REFUSED(hero_client_remove_models(test->client, (const char *const[]){"hero"}, 1, &test->error),
            HERO_FAILED_PRECONDITION, "HeroTeamLink", "hero_id");
    REFUSED(hero_client_apply(test->client, "xyz", 3, NULL, &test->error), HERO_INVALID_ARGUMENT,
            NULL, "");

    /* The other client knows the model from before. */
    hero_result_free(OK(hero_client_list_json(other, "Scalars", NULL, &test->error)));
    hero_result_free(OK(hero_client_remove_models(test->client, (const char *const[]){"Scalars"}, 1,
                                                  &test->error)));
    REFUSED(hero_client_list_json(other, "Scalars", NULL, &test->error), HERO_NOT_FOUND, NULL,
            "Scalars");
    REFUSED(hero_client_list_json(test->client, "Scalars", NULL, &test->error), HERO_NOT_FOUND,
            NULL, "Scalars");
    hero_result_free(OK(hero_client_apply(test->client, call_case_library, call_case_library_size,
                                          NULL, &test->error)));
    /* And this one does not know that it is back. */
    hero_result_free(OK(hero_client_list_json(other, "Scalars", NULL, &test->error)));
    hero_client_close(other);
}

static void test_any_method(void **state)
{
    struct call_case *test = *state;
    Hero__V1__CheckResponse *check;
    hero_result *result =
        OK(hero_client_call(test->client, "hero.v1.Admin/Check", NULL, 0, &test->error));
    uint64_t number;
    size_t size;
    const void *bytes = hero_result_bytes(result, &size);

    check = hero__v1__check_response__unpack(NULL, size, bytes);
    assert_non_null(check);
    assert_int_equal(check->serving, HERO__V1__CHECK_RESPONSE__SERVING__SERVING);
    hero__v1__check_response__free_unpacked(check, NULL);
    hero_result_free(result);
    TEXT(hero_client_check(test->client, &test->error), "{\"serving\": \"SERVING\"}");
    TEXT(hero_client_call_json(test->client, "hero.v1.Admin/Check", NULL, &test->error),
         "{\"serving\": \"SERVING\"}");
    REFUSED(hero_client_call_json(test->client, "hero.v1.Admin/Chck", "{}", &test->error),
            HERO_UNIMPLEMENTED, NULL, "hero.v1.Admin/Check");
    REFUSED(
        hero_client_call_json(test->client, "hero.v1.Records/List", "{\"page\": 1}", &test->error),
        HERO_INVALID_ARGUMENT, "", "page_size");
    REFUSED(hero_client_call(test->client, "hero.v1.Records/Get", "\xff", 1, &test->error),
            HERO_INVALID_ARGUMENT, NULL, "");
    result = OK(hero_client_hello(test->client, &test->error));
    assert_non_null(strstr(hero_result_text(result), "\"protocols\": [\"hero.v1\"]"));
    hero_result_free(result);
    result = OK(create_hero(test, "x", NULL, 0));
    number = hero_result_commit(result);
    hero_result_free(result);
    result = OK(hero_client_stats(test->client, &test->error));
    assert_int_equal(call_case_number(hero_result_text(result), "commit"), number);
    hero_result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_graph),
        TEST(test_create_refused),
        TEST(test_other_descriptors),
        TEST(test_get_refused),
        TEST(test_list),
        TEST(test_update),
        TEST(test_links_and_delete),
        TEST(test_started_requests),
        TEST(test_close_cancels),
        TEST(test_prepared_and_dropped),
        TEST(test_deadline),
        TEST(test_once_by_seq),
        TEST(test_too_large),
        TEST(test_echo),
        TEST(test_options),
        TEST(test_models),
        TEST(test_any_method),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
