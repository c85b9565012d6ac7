/*
 * Sessions against a real herod: what is sent, what comes back into the
 * structs, and that a failure leaves both as they were.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "session_case.h"
#include "../client/nng_leaks.h"

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
    assert_int_equal(fixture->begins, 1);
    assert_int_equal(fixture->commits, 1);

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

/* Commits until the outcome is known; on a busy machine once may not do. */
static hero_code settle(hero_session *session, hero_error *error)
{
    hero_code code = hero_session_commit(session, error);

    for (int i = 0; i < 20 && error->outcome == HERO_OUTCOME_UNKNOWN; i++)
        code = hero_session_commit(session, error);
    return code;
}

/* The daemon stops before it answers: nothing else is taken until the commit
 * is settled, and it has one effect. */
static void test_unknown_outcome_is_settled(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client = connect_to(fixture, 1000);
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
    OK(settle(session, &error));
    assert_int_equal(hero->id, 1);
    assert_int_equal(hero->age, 30);
    assert_int_equal(rows_of(fixture, &hero__descriptor), 1);
    assert_int_equal(stored_teams(fixture, hero), 1);
    OK(hero_session_add(session, &late.base, &error));
    OK(settle(session, &error));
    assert_int_equal(rows_of(fixture, &hero__descriptor), 2);
    hero_session_free(session);
    hero_client_close(client);
}

/* The daemon dies with the commit in its socket: repeated to the next one, it
 * has its one effect. */
static void test_unknown_outcome_over_a_crash(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client = connect_to(fixture, 1000);
    hero_session *session = hero_session_new(client);
    Hero *hero = new_hero(session, "Deadpond");

    GOT(hero_session_list(session, &team__descriptor, NULL, NULL, NULL, &error));
    herod_fixture_signal(&fixture->herod, SIGSTOP);
    assert_int_equal(hero_session_commit(session, &error), HERO_DEADLINE_EXCEEDED);
    assert_int_equal(error.outcome, HERO_OUTCOME_UNKNOWN);
    herod_fixture_kill(&fixture->herod);
    assert_int_not_equal(hero_session_commit(session, &error), HERO_OK);
    assert_int_equal(error.outcome, HERO_OUTCOME_UNKNOWN);
    herod_fixture_restart(&fixture->herod);
    OK(settle(session, &error));
    assert_int_equal(hero->id, 1);
    assert_int_equal(rows_of(fixture, &hero__descriptor), 1);
    hero_session_free(session);
    hero_client_close(client);
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

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, session_case_setup, session_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tutorial_is_one_commit),
        TEST(test_session_memory),
        TEST(test_update_of_what_changed),
        TEST(test_related_by_key),
        TEST(test_failure_changes_nothing),
        TEST(test_unknown_outcome_is_settled),
        TEST(test_unknown_outcome_over_a_crash),
        TEST(test_wrong_arguments),
        TEST(test_without_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
