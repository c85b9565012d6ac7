/*
 * Singular relationships, foreign keys that move and links that hold columns,
 * in sessions and plain calls; two clients at once. Against a real herod with
 * the models of tests/data/zoo.proto.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "session_case.h"
#include "zoo.pb-c.h"

static const uint8_t zoo_set[] = {
#include "zoo.desc.inc"
};

#define KEEPER (&zoo__keeper__descriptor)
#define ANIMAL (&zoo__animal__descriptor)

static int setup(void **state)
{
    int failed = session_case_setup(state);
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_result *result =
        hero_client_apply(fixture->client, zoo_set, sizeof(zoo_set), NULL, &error);

    GOT(result);
    hero_result_free(result);
    return failed;
}

static Zoo__Keeper *new_keeper(hero_session *session, char *name)
{
    Zoo__Keeper *keeper = hero_session_create(session, KEEPER);

    assert_non_null(keeper);
    keeper->name = name;
    return keeper;
}

/* Linking from one side shows on both; linking again moves. */
static void test_both_sides_of_a_foreign_key(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Keeper *ann = new_keeper(session, "Ann"), *bob = new_keeper(session, "Bob");
    Zoo__Keeper *zoe = new_keeper(session, "Zoe");

    OK(hero_session_link(session, ann, "boss", zoe, &error));
    OK(hero_session_link(session, zoe, "reports", bob, &error));
    assert_ptr_equal(ann->boss, zoe);
    assert_ptr_equal(bob->boss, zoe);
    assert_int_equal(zoe->n_reports, 2);
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann->boss_id, zoe->id);
    assert_int_equal(bob->boss_id, zoe->id);

    OK(hero_session_link(session, ann, "boss", bob, &error));
    assert_ptr_equal(ann->boss, bob);
    assert_int_equal(zoe->n_reports, 1);
    assert_int_equal(bob->n_reports, 1);
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann->boss_id, bob->id); /* the stored key comes with the answer */
    OK(hero_session_unlink(session, bob, "reports", ann, &error));
    assert_null(ann->boss);
    OK(hero_session_commit(session, &error));
    assert_false(ann->has_boss_id);
    ann->name = "Anna"; /* nothing of the link is sent again */
    OK(hero_session_commit(session, &error));
    hero_session_free(session);

    hero_result *stored = hero_client_get(fixture->client, KEEPER, HERO_KEY(1), "boss", &error);
    GOT(stored);
    assert_null(((Zoo__Keeper *)hero_result_record(stored, 0))->boss);
    hero_result_free(stored);
}

/* New records all: only the last of several links of one side is sent. */
static void test_moved_before_the_commit(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Keeper *ann = new_keeper(session, "Ann"), *bob = new_keeper(session, "Bob");
    Zoo__Keeper *zoe = new_keeper(session, "Zoe");

    OK(hero_session_link(session, ann, "boss", zoe, &error));
    OK(hero_session_link(session, ann, "boss", bob, &error));
    OK(hero_session_link(session, zoe, "reports", ann, &error));
    OK(hero_session_link(session, bob, "boss", ann, &error));
    assert_int_equal(bob->n_reports, 0);
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann->boss_id, zoe->id);
    assert_int_equal(bob->boss_id, ann->id);
    assert_false(zoe->has_boss_id);
    hero_session_free(session);
}

/* One to one: who comes takes the place. */
static void test_one_to_one_replaces(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Badge *one = hero_session_create(session, &zoo__badge__descriptor);
    Zoo__Badge *two = hero_session_create(session, &zoo__badge__descriptor);
    Zoo__Badge *three = hero_session_create(session, &zoo__badge__descriptor);

    OK(hero_session_link(session, one, "next", three, &error));
    OK(hero_session_commit(session, &error));
    OK(hero_session_link(session, two, "next", three, &error));
    assert_null(one->next);
    assert_ptr_equal(three->prev, two);
    OK(hero_session_commit(session, &error));
    assert_false(one->has_next_id); /* what gave way is told, too */
    assert_int_equal(two->next_id, three->id);
    assert_ptr_equal(hero_session_get(session, &zoo__badge__descriptor, HERO_KEY(three->id),
                                      "prev.next", &error),
                     three);
    assert_ptr_equal(three->prev, two);
    assert_ptr_equal(two->next, three);
    hero_session_free(session);
}

/* A struct of the caller's own: its pointer is looked at, never written. */
static void test_pointers_of_the_callers(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Keeper ann = ZOO__KEEPER__INIT, bob = ZOO__KEEPER__INIT, zoe = ZOO__KEEPER__INIT;

    ann.name = "Ann";
    bob.name = "Bob";
    zoe.name = "Zoe";
    ann.boss = &zoe;
    OK(hero_session_add(session, &ann.base, &error));
    OK(hero_session_add(session, &bob.base, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann.boss_id, zoe.id);
    ann.boss = &bob;
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann.boss_id, bob.id);
    ann.boss = NULL;
    OK(hero_session_commit(session, &error));
    assert_false(ann.has_boss_id);
    hero_session_free(session);
}

/* What links hold: given with the link, beside the related record when read. */
static void test_links_that_hold_something(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Keeper *ann = new_keeper(session, "Ann");
    Zoo__Animal *leo = hero_session_create(session, ANIMAL);
    Zoo__Animal *tia = hero_session_create(session, ANIMAL);
    Zoo__Care lead = ZOO__CARE__INIT, aide = ZOO__CARE__INIT;

    leo->name = "Leo";
    tia->name = "Tia";
    lead.role = "lead";
    lead.has_hours = 1;
    lead.hours = 3;
    aide.role = "aide";
    OK(hero_session_link_with(session, ann, "animals", leo, &lead, &error));
    OK(hero_session_commit(session, &error));
    OK(hero_session_link_with(session, tia, "keepers", ann, &aide, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(ann->n_animals, 2);
    lead.hours = 9;
    OK(hero_session_link_with(session, ann, "animals", leo, &lead, &error));
    OK(hero_session_commit(session, &error));
    assert_int_equal(hero_session_link_with(session, ann, "friends", ann, &lead, &error) ==
                             HERO_OK &&
                         hero_session_commit(session, &error) == HERO_OK,
                     0); /* of another link model */
    hero_error_free(&error);
    hero_session_free(session);

    hero_result *result = hero_client_get(fixture->client, KEEPER, HERO_KEY(1), "animals", &error);
    GOT(result);
    Zoo__Keeper *stored = hero_result_record(result, 0);
    assert_int_equal(stored->n_animals, 2); /* by hours, most first */
    assert_string_equal(stored->animals[0]->name, "Leo");
    const Zoo__Care *care = hero_result_link(result, stored, "animals", stored->animals[0],
                                             &zoo__care__descriptor, &error);
    GOT(care);
    assert_string_equal(care->role, "lead");
    assert_int_equal(care->hours, 9);
    assert_false(care->has_keeper_id);
    care = hero_result_link(result, stored, "animals", stored->animals[1], &zoo__care__descriptor,
                            &error);
    GOT(care);
    assert_string_equal(care->role, "aide");
    assert_int_equal(care->hours, 1);
    assert_null(
        hero_result_link(result, stored, "animals", stored, &zoo__care__descriptor, &error));
    assert_int_equal(error.code, HERO_NOT_FOUND);
    hero_error_free(&error);
    assert_null(
        hero_result_link(result, stored, "nonsense", stored, &zoo__care__descriptor, &error));
    hero_error_free(&error);
    hero_result_free(result);
}

/* Plain link requests with columns, of structs and of JSON. */
static void test_link_requests_with_columns(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    Zoo__Keeper ann = ZOO__KEEPER__INIT;
    Zoo__Animal leo = ZOO__ANIMAL__INIT;
    Zoo__Care care = ZOO__CARE__INIT;
    const void *links[] = {&care, &care};
    hero_key key = HERO_KEY("Leo");

    ann.name = "Ann";
    leo.name = "Leo";
    care.role = "lead";
    care.has_keeper_id = 1; /* not looked at */
    care.keeper_id = 99;
    hero_result_free(hero_client_create(fixture->client, &ann.base, &error));
    hero_result_free(hero_client_create(fixture->client, &leo.base, &error));
    hero_request *request =
        hero_request_link(fixture->client, KEEPER, HERO_KEY(1), "animals", &key, 1, &error);
    GOT(request);
    assert_int_equal(hero_request_set_link_columns(request, links, 2, &error),
                     HERO_INVALID_ARGUMENT);
    hero_error_free(&error);
    OK(hero_request_set_link_columns(request, links, 1, &error));
    hero_result *result = hero_request_run(request, &error);
    GOT(result);
    assert_int_equal(hero_result_added(result), 1);
    hero_result_free(result);
    request = hero_request_link_json(fixture->client, "animal", "Leo", "keepers",
                                     (const char *[]){"1"}, 1, &error);
    GOT(request);
    OK(hero_request_set_link_columns_json(request, "[{\"hours\": 40}]", &error));
    result = hero_request_run(request, &error);
    GOT(result);
    assert_int_equal(hero_result_added(result), 0);
    hero_result_free(result);
    request = hero_request_get(fixture->client, KEEPER, HERO_KEY(1), NULL, &error);
    GOT(request);
    assert_int_equal(hero_request_set_link_columns_json(request, "{}", &error),
                     HERO_INVALID_ARGUMENT);
    hero_error_free(&error);
    hero_request_free(request);
    /* In a session a link is a record like others. */
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Care *stored =
        hero_session_get(session, &zoo__care__descriptor, HERO_KEY(1, "Leo"), NULL, &error);
    GOT(stored);
    assert_int_equal(stored->hours, 40);
    hero_session_free(session);
}

/* Each sees what the other wrote, from whichever side. */
static void test_two_clients_agree(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_client *other = connect_to(fixture, 0);
    hero_session *mine = hero_session_new(fixture->client), *theirs = hero_session_new(other);
    Zoo__Keeper *ann = new_keeper(mine, "Ann"), *zoe = new_keeper(mine, "Zoe");

    OK(hero_session_link(mine, ann, "boss", zoe, &error));
    OK(hero_session_link(mine, ann, "friends", zoe, &error));
    OK(hero_session_commit(mine, &error));
    Zoo__Keeper *their_zoe =
        hero_session_get(theirs, KEEPER, HERO_KEY(zoe->id), "reports,friends", &error);
    GOT(their_zoe);
    assert_int_equal(their_zoe->n_reports, 1);
    assert_int_equal(their_zoe->n_friends, 1);
    assert_ptr_equal(their_zoe->reports[0], their_zoe->friends[0]);
    OK(hero_session_unlink(theirs, their_zoe, "friends", their_zoe->friends[0], &error));
    OK(hero_session_unlink(theirs, their_zoe, "reports", their_zoe->reports[0], &error));
    OK(hero_session_commit(theirs, &error));
    assert_ptr_equal(hero_session_get(mine, KEEPER, HERO_KEY(ann->id), "boss,friends", &error),
                     ann);
    assert_null(ann->boss);
    assert_int_equal(ann->n_friends, 0);
    assert_int_equal(zoe->n_reports, 0);
    assert_false(ann->has_boss_id);
    hero_session_free(mine);
    hero_session_free(theirs);
    hero_client_close(other);
}

/* Three levels are three queries, whatever joins them; two where the third is
 * known from the second. */
static void test_one_statement_a_level(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Zoo__Keeper *zoe = new_keeper(session, "Zoe");
    char names[100][8];

    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        Zoo__Keeper *keeper = new_keeper(session, names[i]);
        OK(hero_session_link(session, keeper, "boss", zoe, &error));
        OK(hero_session_link(session, keeper, "friends", zoe, &error));
    }
    OK(hero_session_commit(session, &error));
    hero_session_free(session);
    const char *paths[] = {"boss.reports", "reports.boss", "friends.friends"};
    const unsigned statements[] = {3, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        hero_list list = {.expand = paths[i], .page_size = 200};
        fixture->statements = fixture->begins = fixture->commits = 0;
        hero_result *result = hero_client_list(fixture->client, KEEPER, &list, &error);
        GOT(result);
        assert_int_equal(hero_result_count(result), 101);
        assert_int_equal(fixture->statements - fixture->begins - fixture->commits, statements[i]);
        hero_result_free(result);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, session_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_sides_of_a_foreign_key), TEST(test_moved_before_the_commit),
        TEST(test_one_to_one_replaces),         TEST(test_pointers_of_the_callers),
        TEST(test_links_that_hold_something),   TEST(test_link_requests_with_columns),
        TEST(test_two_clients_agree),           TEST(test_one_statement_a_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
