/*
 * Sessions against a real herod: what the structs show, what is sent, and
 * that a failure leaves both as they were.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <heroclient.h>
#include "fixture.h"
#include "heroes.pb-c.h"
#include "library.pb-c.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};
static const uint8_t library_set[] = {
#include "library.desc.inc"
};

struct fixture {
    struct herod_fixture herod;
    hero_client *client;
    unsigned statements; /* that calls of the client cost so far */
    unsigned begins, commits;
};

static void count(void *arg, const char *sql, uint64_t time_us)
{
    struct fixture *fixture = arg;

    (void)time_us;
    fixture->statements++;
    if (!strncmp(sql, "BEGIN", 5))
        fixture->begins++;
    if (!strncmp(sql, "COMMIT", 6))
        fixture->commits++;
}

static void fail_with(const hero_error *error, const char *where, int line)
{
    printf("%s:%d: %s: %s\n", where, line, hero_code_name(error->code),
           error->message ? error->message : "");
    for (size_t i = 0; i < error->n_violations; i++)
        printf("  %s: %s\n", error->violations[i].path, error->violations[i].description);
    fail();
}

/* A call that must succeed; `error` is the test's. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != HERO_OK)                                                                     \
            fail_with(&error, __func__, __LINE__);                                                 \
    } while (0)
#define GOT(pointer)                                                                               \
    do {                                                                                           \
        if (!(pointer))                                                                            \
            fail_with(&error, __func__, __LINE__);                                                 \
    } while (0)

static hero_client *connect_to(struct fixture *fixture, uint32_t timeout_ms)
{
    hero_options options = HERO_OPTIONS_INIT;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;

    options.timeout_ms = timeout_ms;
    options.echo = count;
    options.echo_arg = fixture;
    OK(hero_client_open(herod_fixture_url(&fixture->herod), &options, &client, &error));
    return client;
}

static void apply(hero_client *client, const uint8_t *set, size_t size)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result = hero_client_apply(client, set, size, false, &error);

    GOT(result);
    hero_result_free(result);
}

static int setup(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof(fixture));
    herod_fixture_start(&fixture.herod, NULL);
    fixture.client = connect_to(&fixture, 0);
    apply(fixture.client, heroes_set, sizeof(heroes_set));
    apply(fixture.client, library_set, sizeof(library_set));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    hero_client_close(fixture->client);
    herod_fixture_stop(&fixture->herod);
    return 0;
}

/* ---- helpers ---- */

static Hero *new_hero(hero_session *session, char *name)
{
    Hero *hero = hero_session_create(session, &hero__descriptor);

    assert_non_null(hero);
    hero->name = name;
    hero->secret_name = "secret";
    return hero;
}

static Team *new_team(hero_session *session, char *name)
{
    Team *team = hero_session_create(session, &team__descriptor);

    assert_non_null(team);
    team->name = name;
    team->headquarters = "somewhere";
    return team;
}

static size_t rows_of(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result = hero_client_list(fixture->client, descriptor, NULL, &error);
    size_t n;

    GOT(result);
    n = hero_result_count(result);
    hero_result_free(result);
    return n;
}

/* A record as others see it, with its related ones. */
static hero_result *as_stored(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor,
                              int64_t id, const char *expand)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result =
        hero_client_get(fixture->client, descriptor, HERO_KEY(id), expand, &error);

    GOT(result);
    return result;
}

static size_t stored_teams(struct fixture *fixture, const Hero *hero)
{
    hero_result *result = as_stored(fixture, &hero__descriptor, hero->id, "teams");
    size_t n = ((const Hero *)hero_result_record(result, 0))->n_teams;

    hero_result_free(result);
    return n;
}

static void update_elsewhere(struct fixture *fixture, const Hero *hero, const char *mask)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result = hero_client_update(fixture->client, &hero->base, mask, &error);

    GOT(result);
    hero_result_free(result);
}

/* ---- tests ---- */

/* The chapter's commit, with structs of the caller's own. */
static void test_tutorial_is_one_commit(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team preventers = TEAM__INIT, z_force = TEAM__INIT;
    Hero deadpond = HERO__INIT, rusty_man = HERO__INIT, spider_boy = HERO__INIT;
    Team *both[] = {&z_force, &preventers}, *one[] = {&preventers};
    hero_result *result;
    const Team *stored;
    unsigned statements;
    uint64_t number;

    preventers.name = "Preventers";
    preventers.headquarters = "Sharp Tower";
    z_force.name = "Z-Force";
    z_force.headquarters = "Sister Margaret’s Bar";
    deadpond.name = "Deadpond";
    deadpond.secret_name = "Dive Wilson";
    deadpond.teams = both;
    deadpond.n_teams = 2;
    rusty_man.name = "Rusty-Man";
    rusty_man.secret_name = "Tommy Sharp";
    rusty_man.has_age = 1;
    rusty_man.age = 48;
    rusty_man.teams = one;
    rusty_man.n_teams = 1;
    spider_boy.name = "Spider-Boy";
    spider_boy.secret_name = "Pedro Parqueador";
    spider_boy.teams = one;
    spider_boy.n_teams = 1;
    OK(hero_session_add(session, &deadpond.base, &error));
    OK(hero_session_add(session, &rusty_man.base, &error));
    OK(hero_session_add(session, &spider_boy.base, &error));
    fixture->begins = fixture->commits = 0;
    OK(hero_session_commit(session, &error));
    assert_in_range(fixture->begins, 0, 1);
    assert_in_range(fixture->commits, 0, 1);

    assert_int_equal(deadpond.id, 1);
    assert_int_equal(rusty_man.id, 2);
    assert_int_equal(spider_boy.id, 3);
    assert_int_equal(z_force.id, 1);
    assert_int_equal(preventers.id, 2);
    assert_true(deadpond.has_id && z_force.has_id);
    assert_false(deadpond.has_age);
    assert_ptr_equal(deadpond.teams, both);

    /* Nothing is left to send: no call, no SQL, no new number. */
    number = hero_session_commit_number(session);
    statements = fixture->statements;
    assert_true(number > 0);
    OK(hero_session_commit(session, &error));
    assert_int_equal(fixture->statements, statements);
    assert_int_equal(hero_session_commit_number(session), number);

    result = as_stored(fixture, &team__descriptor, 2, "heroes");
    stored = hero_result_record(result, 0);
    assert_int_equal(stored->n_heroes, 3);
    assert_string_equal(stored->heroes[1]->secret_name, "Tommy Sharp");
    hero_result_free(result);
    hero_session_free(session);
}

/* Session memory: both sides show a link at once; after the commit nothing
 * depends on the caller's text. */
static void test_session_memory(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    char name[16] = "Deadpond";
    Team *team = new_team(session, "Preventers");
    Hero *hero = new_hero(session, name);
    hero_result *result;

    OK(hero_session_link(session, hero, "teams", team, &error));
    assert_int_equal(hero->n_teams, 1);
    assert_ptr_equal(hero->teams[0], team);
    assert_int_equal(team->n_heroes, 1);
    assert_ptr_equal(team->heroes[0], hero);
    /* What is linked stays linked once, from either side. */
    OK(hero_session_link(session, team, "heroes", hero, &error));
    assert_int_equal(hero->n_teams, 1);
    OK(hero_session_commit(session, &error));
    memset(name, 'x', sizeof(name) - 1);
    assert_string_equal(hero->name, "Deadpond");
    assert_int_equal(hero->id, 1);
    assert_int_equal(stored_teams(fixture, hero), 1);

    OK(hero_session_unlink(session, team, "heroes", hero, &error));
    assert_int_equal(hero->n_teams, 0);
    assert_int_equal(team->n_heroes, 0);
    OK(hero_session_commit(session, &error));
    assert_int_equal(stored_teams(fixture, hero), 0);
    result = as_stored(fixture, &hero__descriptor, 1, NULL);
    assert_string_equal(((const Hero *)hero_result_record(result, 0))->name, "Deadpond");
    hero_result_free(result);
    hero_session_free(session);
}

/* Only what changed is sent: what others wrote meanwhile stays. */
static void test_update_of_what_changed(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Hero *hero = new_hero(session, "Rusty-Man"), *again, other = HERO__INIT;
    hero_result *result;
    const Hero *stored;

    hero->has_age = 1;
    hero->age = 48;
    OK(hero_session_commit(session, &error));
    again = hero_session_get(session, &hero__descriptor, HERO_KEY(hero->id), NULL, &error);
    assert_ptr_equal(again, hero);

    other.has_id = 1;
    other.id = hero->id;
    other.secret_name = "Tommy Sharp";
    update_elsewhere(fixture, &other, "secret_name");
    hero->age = 49;
    OK(hero_session_commit(session, &error));
    result = as_stored(fixture, &hero__descriptor, hero->id, NULL);
    stored = hero_result_record(result, 0);
    assert_int_equal(stored->age, 49);
    assert_string_equal(stored->secret_name, "Tommy Sharp");
    hero_result_free(result);
    /* The record came back with the answer. */
    assert_string_equal(hero->secret_name, "Tommy Sharp");

    hero->has_age = 0;
    OK(hero_session_commit(session, &error));
    result = as_stored(fixture, &hero__descriptor, hero->id, NULL);
    assert_false(((const Hero *)hero_result_record(result, 0))->has_age);
    hero_result_free(result);
    hero_session_free(session);
}

/* Reading again brings what others wrote, and keeps what is not committed. */
static void test_reading_keeps_changes(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Hero *hero = new_hero(session, "Spider-Boy"), other = HERO__INIT;
    Team *team = new_team(session, "A"), *loose = new_team(session, "B");

    OK(hero_session_link(session, hero, "teams", team, &error));
    OK(hero_session_commit(session, &error));
    other.has_id = 1;
    other.id = hero->id;
    other.name = "Elsewhere";
    other.secret_name = "Pedro";
    update_elsewhere(fixture, &other, "name,secret_name");
    hero->name = "Here";
    OK(hero_session_unlink(session, hero, "teams", team, &error));
    OK(hero_session_link(session, hero, "teams", loose, &error));
    assert_ptr_equal(
        hero_session_get(session, &hero__descriptor, HERO_KEY(hero->id), "teams", &error), hero);
    assert_string_equal(hero->name, "Here");
    assert_string_equal(hero->secret_name, "Pedro");
    assert_int_equal(hero->n_teams, 1);
    assert_ptr_equal(hero->teams[0], loose);
    assert_int_equal(team->n_heroes, 0);
    OK(hero_session_commit(session, &error));
    assert_ptr_equal(
        hero_session_get(session, &hero__descriptor, HERO_KEY(hero->id), "teams", &error), hero);
    assert_string_equal(hero->name, "Here");
    assert_int_equal(hero->n_teams, 1);
    assert_ptr_equal(hero->teams[0], loose);
    hero_session_free(session);
}

/* A cycle of the caller's own structs, reached from one of them. */
static void test_cycle_goes_in_once(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team team = TEAM__INIT;
    Hero heroes[2] = {HERO__INIT, HERO__INIT};
    Hero *members[] = {&heroes[0], &heroes[1]};
    Team *teams[] = {&team};

    team.name = "Preventers";
    team.headquarters = "Sharp Tower";
    team.heroes = members;
    team.n_heroes = 2;
    for (int i = 0; i < 2; i++) {
        heroes[i].name = i ? "Rusty-Man" : "Deadpond";
        heroes[i].secret_name = "?";
        heroes[i].teams = teams;
        heroes[i].n_teams = 1;
    }
    OK(hero_session_add(session, &heroes[0].base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 2);
    assert_int_equal(rows_of(fixture, &team__descriptor), 1);
    assert_int_equal(rows_of(fixture, &hero_team_link__descriptor), 2);
    assert_true(heroes[0].id && heroes[1].id && team.id);
    assert_ptr_equal(heroes[1].teams, teams);
    /* Reached structs are the session's records too. */
    assert_ptr_equal(hero_session_get(session, &team__descriptor, HERO_KEY(team.id), NULL, &error),
                     &team);
    hero_session_free(session);
}

/* The caller's arrays are read at each commit. */
static void test_arrays_of_the_callers(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team teams[3] = {TEAM__INIT, TEAM__INIT, TEAM__INIT};
    Team *first[] = {&teams[0], &teams[1]}, *then[] = {&teams[1], &teams[2]};
    Hero hero = HERO__INIT;
    unsigned statements;

    for (int i = 0; i < 3; i++) {
        teams[i].name = "Team";
        teams[i].headquarters = "HQ";
    }
    hero.name = "Deadpond";
    hero.secret_name = "Dive Wilson";
    hero.teams = first;
    hero.n_teams = 2;
    OK(hero_session_add(session, &hero.base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(stored_teams(fixture, &hero), 2);

    hero.teams = then;
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &team__descriptor), 3);
    assert_int_equal(teams[2].id, 3);
    assert_int_equal(stored_teams(fixture, &hero), 2);
    hero.n_teams = 0;
    OK(hero_session_commit(session, &error));
    assert_int_equal(stored_teams(fixture, &hero), 0);
    statements = fixture->statements;
    OK(hero_session_commit(session, &error));
    assert_int_equal(fixture->statements, statements);
    hero_session_free(session);
}

/* A related struct whose key is set is a stored record: linked, not written. */
static void test_related_by_key(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team *team = new_team(session, "Preventers"), known = TEAM__INIT, missing = TEAM__INIT;
    Team *teams[] = {&known};
    Hero hero = HERO__INIT, lost = HERO__INIT;

    OK(hero_session_commit(session, &error));
    known.has_id = 1;
    known.id = team->id;
    hero_session_free(session);

    session = hero_session_new(fixture->client);
    hero.name = "Deadpond";
    hero.secret_name = "Dive Wilson";
    hero.teams = teams;
    hero.n_teams = 1;
    OK(hero_session_add(session, &hero.base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(stored_teams(fixture, &hero), 1);
    assert_int_equal(rows_of(fixture, &team__descriptor), 1);

    missing.has_id = 1;
    missing.id = 77;
    teams[0] = &missing;
    lost = hero;
    lost.has_id = 0;
    lost.id = 0;
    hero_session_free(session);
    session = hero_session_new(fixture->client);
    OK(hero_session_add(session, &lost.base, &error));
    assert_int_equal(hero_session_commit(session, &error), HERO_NOT_FOUND);
    assert_int_equal(error.outcome, HERO_REFUSED);
    assert_non_null(error.message);
    assert_true(error.n_violations > 0);
    assert_non_null(strstr(error.violations[0].path, "Team(77)"));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 1);
    hero_error_free(&error);
    hero_session_free(session);
}

/* A refused commit leaves the session as it was; mended, it goes through. */
static void test_failure_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team *team = new_team(session, "Preventers");
    Hero *good = new_hero(session, "Deadpond"), *bad = new_hero(session, "Rusty-Man");

    OK(hero_session_link(session, good, "teams", team, &error));
    OK(hero_session_link(session, bad, "teams", team, &error));
    bad->secret_name = NULL;
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(error.outcome, HERO_REFUSED);
    assert_int_equal(error.n_violations, 1);
    assert_string_equal(error.violations[0].path, "Hero(name=\"Rusty-Man\").secret_name");
    assert_null(strstr(error.message, "mutations["));
    assert_int_equal(rows_of(fixture, &team__descriptor), 0);
    assert_false(good->has_id || team->has_id);
    assert_int_equal(team->n_heroes, 2);

    bad->secret_name = "Tommy Sharp";
    OK(hero_session_commit(session, &error));
    assert_int_equal(team->id, 1);
    assert_int_equal(stored_teams(fixture, bad), 1);

    bad->name = NULL;
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(error.n_violations, 1);
    assert_string_equal(error.violations[0].path, "Hero(2).name");
    bad->name = "broken \xff text";
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(error.outcome, HERO_NOT_SENT);
    assert_string_equal(error.violations[0].path, "Hero(2).name");
    bad->name = "Rusty-Man";
    bad->id = 40;
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "Hero(2)"));
    bad->id = 2;
    OK(hero_session_commit(session, &error));
    hero_session_free(session);
}

static void test_delete(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team *team = new_team(session, "Preventers");
    Hero *gone = new_hero(session, "Deadpond"), *stays = new_hero(session, "Rusty-Man");
    Hero *never = new_hero(session, "Never");
    int64_t id;

    OK(hero_session_link(session, gone, "teams", team, &error));
    OK(hero_session_link(session, stays, "teams", team, &error));
    OK(hero_session_link(session, never, "teams", team, &error));
    assert_int_equal(team->n_heroes, 3);
    OK(hero_session_delete(session, never, &error));
    assert_int_equal(team->n_heroes, 2);
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 2);

    id = gone->id;
    OK(hero_session_delete(session, gone, &error));
    assert_int_equal(team->n_heroes, 1);
    assert_ptr_equal(team->heroes[0], stays);
    assert_int_equal(hero_session_link(session, stays, "teams", gone, &error),
                     HERO_FAILED_PRECONDITION);
    assert_null(hero_session_get(session, &hero__descriptor, HERO_KEY(id), NULL, &error));
    assert_int_equal(error.code, HERO_NOT_FOUND);
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 1);
    assert_int_equal(rows_of(fixture, &hero_team_link__descriptor), 1);
    assert_null(hero_session_get(session, &hero__descriptor, HERO_KEY(id), NULL, &error));
    assert_int_equal(error.code, HERO_NOT_FOUND);
    /* What was never of the session cannot be deleted in it. */
    assert_int_equal(hero_session_delete(session, &(Hero)HERO__INIT, &error),
                     HERO_INVALID_ARGUMENT);
    hero_error_free(&error);
    hero_session_free(session);
}

/* Linked, unlinked and deleted in the order asked; the last word on a pair counts. */
static void test_order_of_links(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team *team = new_team(session, "A"), *other = new_team(session, "B");
    Hero *hero = new_hero(session, "Deadpond");

    OK(hero_session_link(session, hero, "teams", team, &error));
    OK(hero_session_unlink(session, hero, "teams", team, &error));
    OK(hero_session_link(session, hero, "teams", other, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(hero->n_teams, 1);
    assert_ptr_equal(hero->teams[0], other);
    assert_int_equal(stored_teams(fixture, hero), 1);

    OK(hero_session_unlink(session, hero, "teams", other, &error));
    OK(hero_session_link(session, hero, "teams", other, &error));
    OK(hero_session_link(session, team, "heroes", hero, &error));
    OK(hero_session_delete(session, other, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(stored_teams(fixture, hero), 1);
    assert_int_equal(hero->n_teams, 1);
    assert_ptr_equal(hero->teams[0], team);
    assert_int_equal(rows_of(fixture, &team__descriptor), 1);
    hero_session_free(session);
}

/* list and get give the structs there are, with both sides filled. */
static void test_list(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client), *reader;
    Team *team = new_team(session, "Preventers"), *seen;
    const hero_list list = {.order_by = "-name", .page_size = 2, .expand = "teams,teams.heroes"};
    hero_list next = list;
    const char *token = NULL;
    Hero **heroes, **rest;
    size_t n = 0;

    for (int i = 0; i < 3; i++) {
        Hero *hero = new_hero(session, i == 0 ? "a" : i == 1 ? "b" : "c");

        OK(hero_session_link(session, hero, "teams", team, &error));
    }
    OK(hero_session_commit(session, &error));
    hero_session_free(session);

    reader = hero_session_new(fixture->client);
    heroes = (Hero **)hero_session_list(reader, &hero__descriptor, &list, &n, &token, &error);
    GOT(heroes);
    assert_int_equal(n, 2);
    assert_string_equal(heroes[0]->name, "c");
    assert_non_null(token);
    seen = heroes[0]->teams[0];
    assert_ptr_equal(heroes[1]->teams[0], seen);
    assert_int_equal(seen->n_heroes, 3);
    next.page_token = token;
    rest = (Hero **)hero_session_list(reader, &hero__descriptor, &next, &n, &token, &error);
    GOT(rest);
    assert_int_equal(n, 1);
    assert_null(token);
    assert_ptr_equal(rest[0]->teams[0], seen);
    assert_int_equal(seen->n_heroes, 3);
    assert_ptr_equal(
        hero_session_get(reader, &hero__descriptor, HERO_KEY(rest[0]->id), NULL, &error), rest[0]);
    next.order_by = "nothing";
    next.page_token = NULL;
    assert_null(hero_session_list(reader, &hero__descriptor, &next, &n, NULL, &error));
    assert_int_equal(error.code, HERO_INVALID_ARGUMENT);
    hero_error_free(&error);
    hero_session_free(reader);
}

static void test_an_empty_page_is_not_null(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    size_t n = 7;

    GOT(hero_session_list(session, &hero__descriptor, NULL, &n, NULL, &error));
    assert_int_equal(n, 0);
    hero_session_free(session);
}

/* The daemon stops before it answers: nothing else is taken until the commit
 * is settled, and it has one effect. */
static void test_unknown_outcome_is_settled(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client = connect_to(fixture, 400);
    hero_session *session = hero_session_new(client);
    Team *team = new_team(session, "Preventers");
    Hero *hero = new_hero(session, "Deadpond"), late = HERO__INIT;

    OK(hero_session_link(session, hero, "teams", team, &error));
    herod_fixture_signal(&fixture->herod, SIGSTOP);
    assert_int_equal(hero_session_commit(session, &error), HERO_DEADLINE_EXCEEDED);
    assert_int_equal(error.outcome, HERO_OUTCOME_UNKNOWN);
    late.name = "Late";
    late.secret_name = "?";
    assert_int_equal(hero_session_add(session, &late.base, &error), HERO_FAILED_PRECONDITION);
    assert_int_equal(hero_session_delete(session, hero, &error), HERO_FAILED_PRECONDITION);
    assert_int_equal(hero_session_link(session, hero, "teams", team, &error),
                     HERO_FAILED_PRECONDITION);
    /* A field changed meanwhile is a change after the commit that is settled. */
    hero->has_age = 1;
    hero->age = 30;
    herod_fixture_signal(&fixture->herod, SIGCONT);
    OK(hero_session_commit(session, &error));
    assert_int_equal(hero->id, 1);
    assert_int_equal(hero->age, 30);
    assert_int_equal(rows_of(fixture, &hero__descriptor), 1);
    assert_int_equal(stored_teams(fixture, hero), 1);
    OK(hero_session_add(session, &late.base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 2);
    hero_session_free(session);
    hero_client_close(client);
}

/* Keys of the client's own, defaults, two relationships on one model, one
 * declared on one side only. */
static void test_text_keys_and_defaults(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Library__Author *author = hero_session_create(session, &library__author__descriptor);
    Library__Author *editor = hero_session_create(session, &library__author__descriptor);
    Library__Book *book = hero_session_create(session, &library__book__descriptor);
    Library__Tag tag = LIBRARY__TAG__INIT, same = LIBRARY__TAG__INIT;
    Library__Tag *tags[] = {&same};
    Library__Book second = LIBRARY__BOOK__INIT;
    uint8_t cover[] = {0, 1, 2};

    author->handle = "ursula";
    author->full_name = "Ursula K. Le Guin";
    editor->handle = "terry";
    editor->full_name = "Terry Carr";
    book->title = "The Left Hand of Darkness";
    book->has_cover = 1;
    book->cover = (ProtobufCBinaryData){sizeof(cover), cover};
    tag.name = "scifi";
    OK(hero_session_link(session, book, "authors", author, &error));
    OK(hero_session_link(session, book, "editors", editor, &error));
    OK(hero_session_link(session, book, "tags", &tag, &error));
    assert_int_equal(author->n_books, 1);
    assert_int_equal(author->n_edited, 0);
    assert_int_equal(editor->n_edited, 1);
    OK(hero_session_commit(session, &error));
    memset(cover, 9, sizeof(cover));
    assert_true(book->has_in_print && book->in_print);
    assert_true(book->has_pages && book->pages == 100);
    assert_int_equal(book->cover.len, 3);
    assert_int_equal(book->cover.data[2], 2);

    /* A related struct with a key of its own is found by it. */
    same.name = "scifi";
    second.title = "Nova";
    second.tags = tags;
    second.n_tags = 1;
    OK(hero_session_add(session, &second.base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &library__tag__descriptor), 1);
    assert_int_equal(second.pages, 100);

    assert_ptr_equal(hero_session_get(session, &library__author__descriptor, HERO_KEY("ursula"),
                                      "books", &error),
                     author);
    assert_ptr_equal(author->books[0], book);
    author->full_name = "Terry Carr";
    assert_int_equal(hero_session_commit(session, &error), HERO_ALREADY_EXISTS);
    assert_int_equal(error.n_violations, 1);
    assert_non_null(strstr(error.violations[0].path, "library.Author("));
    assert_non_null(strstr(error.violations[0].path, "ursula"));
    hero_error_free(&error);
    hero_session_free(session);
}

static void test_wrong_arguments(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Hero *hero = new_hero(session, "Deadpond"), plain = HERO__INIT;
    Team *team = new_team(session, "Preventers");
    Team *holes[] = {NULL};
    Hero zeroed;

    memset(&zeroed, 0, sizeof(zeroed));
    assert_int_equal(hero_session_link(session, hero, "friends", team, &error),
                     HERO_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "friends"));
    assert_int_equal(hero_session_link(session, hero, "teams", hero, &error),
                     HERO_INVALID_ARGUMENT);
    assert_int_equal(hero_session_link(session, hero, "name", team, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(hero_session_add(session, &zeroed.base, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(hero_session_add(session, NULL, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(hero->n_teams, 0);
    plain.name = "Hole";
    plain.secret_name = "?";
    plain.teams = holes;
    plain.n_teams = 1;
    OK(hero_session_add(session, &plain.base, &error));
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_string_equal(error.violations[0].path, "Hero(name=\"Hole\").teams[0]");
    plain.teams = NULL;
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    plain.n_teams = 0;
    OK(hero_session_commit(session, &error));
    hero_error_free(&error);
    hero_session_free(session);
}

/* Nothing is told of an error nobody asked for, and free functions take NULL. */
static void test_without_error(void **state)
{
    struct fixture *fixture = *state;
    hero_session *session = hero_session_new(fixture->client);
    Hero *hero = hero_session_create(session, &hero__descriptor);

    assert_non_null(hero);
    assert_int_equal(hero_session_commit(session, NULL), HERO_INVALID_ARGUMENT);
    assert_null(hero_session_get(session, &hero__descriptor, HERO_KEY(99), NULL, NULL));
    hero_session_free(session);
    hero_session_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tutorial_is_one_commit),
        TEST(test_session_memory),
        TEST(test_update_of_what_changed),
        TEST(test_reading_keeps_changes),
        TEST(test_cycle_goes_in_once),
        TEST(test_arrays_of_the_callers),
        TEST(test_related_by_key),
        TEST(test_failure_changes_nothing),
        TEST(test_delete),
        TEST(test_order_of_links),
        TEST(test_list),
        TEST(test_an_empty_page_is_not_null),
        TEST(test_unknown_outcome_is_settled),
        TEST(test_text_keys_and_defaults),
        TEST(test_wrong_arguments),
        TEST(test_without_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
