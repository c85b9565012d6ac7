/*
 * Relationships in sessions, against a real herod: what both sides show, the
 * caller's own arrays, deleting, reading, keys of the client's own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "library.pb-c.h"
#include "session_case.h"

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
    assert_int_equal(hero_session_delete(session, gone, &error), HERO_NOT_FOUND);
    assert_int_equal(hero_session_delete(session, never, &error), HERO_NOT_FOUND);
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

/* A value of every type: stored, changed alone, cleared. */
static void test_every_type(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    const ProtobufCMessageDescriptor *descriptor = &library__scalars__descriptor;
    Library__Scalars *record = hero_session_create(session, descriptor), *stored;
    uint8_t bytes[] = {0, 255};
    hero_result *result;
    unsigned statements;

    record->has_a_int32 = record->has_a_uint64 = record->has_a_float = record->has_a_bool = 1;
    record->has_a_double = record->has_a_sint64 = record->has_a_bytes = 1;
    record->a_int32 = INT32_MIN;
    record->a_uint64 = INT64_MAX;
    record->a_float = 0.1f;
    record->a_double = -0.0;
    record->a_sint64 = INT64_MIN;
    record->a_bytes = (ProtobufCBinaryData){sizeof(bytes), bytes};
    record->a_string = "";
    OK(hero_session_commit(session, &error));
    statements = fixture->statements;
    OK(hero_session_commit(session, &error));
    assert_int_equal(fixture->statements, statements);

    record->a_bool = 7; /* true, however it is written */
    record->a_bytes.len = 0;
    record->a_float = 0.2f;
    record->has_a_sint64 = 0;
    record->a_string = NULL;
    OK(hero_session_commit(session, &error));
    result = as_stored(fixture, descriptor, record->id, NULL);
    stored = hero_result_record(result, 0);
    assert_true(stored->has_a_bool && stored->a_bool == 1);
    assert_true(stored->has_a_bytes && stored->a_bytes.len == 0);
    assert_true(stored->a_float == 0.2f && stored->a_int32 == INT32_MIN);
    assert_true(stored->a_uint64 == INT64_MAX);
    assert_false(stored->has_a_sint64);
    assert_null(stored->a_string);
    hero_result_free(result);

    record->a_uint64 = UINT64_MAX; /* more than SQLite holds */
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_string_equal(error.violations[0].path, "library.Scalars(1).a_uint64");
    hero_error_free(&error);
    hero_session_free(session);
}

/* A team with hundreds of heroes, all shown on both sides. */
static void test_many_links(void **state)
{
    enum { N = 3000 };
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Team *team = new_team(session, "Everybody"), *read;

    for (int i = 0; i < N; i++)
        OK(hero_session_link(session, new_hero(session, "One of many"), "teams", team, &error));
    assert_int_equal(team->n_heroes, N);
    OK(hero_session_commit(session, &error));
    assert_int_equal(rows_of(fixture, &hero_team_link__descriptor) > 0, 1);
    assert_int_equal(team->heroes[N - 1]->id, N);
    for (int i = 0; i < N / 2; i++)
        OK(hero_session_unlink(session, team, "heroes", team->heroes[team->n_heroes - 1], &error));
    OK(hero_session_commit(session, &error));
    hero_session_free(session);
    session = hero_session_new(fixture->client);
    read = hero_session_get(session, &team__descriptor, HERO_KEY(1), "heroes", &error);
    GOT(read);
    assert_int_equal(read->n_heroes, N / 2);
    hero_session_free(session);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, session_case_setup, session_case_teardown)

/* A dry run tells what the commit would be told, and leaves all as it is. */
static void test_validate(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    Hero *hero = new_hero(session, "Deadpond");
    Team *team = new_team(session, "Preventers");

    OK(hero_session_link(session, hero, "teams", team, &error));
    team->headquarters = NULL;
    assert_int_equal(hero_session_validate(session, &error), HERO_INVALID_ARGUMENT);
    assert_int_equal(error.outcome, HERO_REFUSED);
    assert_non_null(strstr(error.violations[0].path, "headquarters"));
    team->headquarters = "Sharp Tower";
    OK(hero_session_validate(session, &error));
    assert_false(hero->has_id);
    assert_int_equal(rows_of(fixture, &hero__descriptor), 0);
    assert_int_equal(hero_session_commit_number(session), 0);
    OK(hero_session_commit(session, &error));
    assert_int_equal(hero->id, 1);
    OK(hero_session_validate(session, &error)); /* nothing to send */
    hero->id = 5;
    assert_int_equal(hero_session_validate(session, &error), hero_session_commit(session, &error));
    hero_session_free(session);
    hero_error_free(&error);
}

/* Found by a unique key and linked, or created: the struct says which it is. */
static void test_find_or_create(void **state)
{
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(fixture->client);
    hero_result *result;

    for (int round = 0; round < 2; round++) {
        Library__Book *book = hero_session_create(session, &library__book__descriptor);
        Library__Author *ann = hero_session_find_or_create(session, &library__author__descriptor);
        Library__Author *bob = hero_session_find_or_create(session, &library__author__descriptor);

        book->title = "A book";
        ann->full_name = "Ann";
        ann->handle = round ? NULL : "ann"; /* now by its unique key alone */
        bob->handle = "bob";
        bob->full_name = round ? "Somebody else" : "Bob";
        OK(hero_session_link(session, book, "authors", ann, &error));
        OK(hero_session_link(session, book, "authors", bob, &error));
        OK(hero_session_commit(session, &error));
        assert_string_equal(ann->handle, "ann");
        assert_string_equal(bob->full_name, "Bob"); /* found, and not changed */
        assert_int_equal(rows_of(fixture, &library__author__descriptor), 2);
        result = hero_client_get(fixture->client, &library__book__descriptor, HERO_KEY(book->id),
                                 "authors", &error);
        GOT(result);
        assert_int_equal(((Library__Book *)hero_result_record(result, 0))->n_authors, 2);
        hero_result_free(result);
    }
    /* It is stored now: what changes is sent. */
    Library__Author *ann = hero_session_find_or_create(session, &library__author__descriptor);
    ann->full_name = "Ann";
    OK(hero_session_commit(session, &error));
    ann->full_name = "Ann Other";
    OK(hero_session_commit(session, &error));
    result = hero_client_get(fixture->client, &library__author__descriptor, HERO_KEY("ann"), NULL,
                             &error);
    GOT(result);
    assert_string_equal(((Library__Author *)hero_result_record(result, 0))->full_name, "Ann Other");
    hero_result_free(result);
    /* What can find none and can't be created is told, and mended. */
    Library__Author *nobody = hero_session_find_or_create(session, &library__author__descriptor);
    nobody->full_name = "Nobody";
    assert_int_equal(hero_session_commit(session, &error), HERO_INVALID_ARGUMENT);
    assert_non_null(strstr(error.violations[0].path, "handle"));
    nobody->handle = "nobody";
    OK(hero_session_commit(session, &error));
    hero_session_free(session);
    hero_error_free(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reading_keeps_changes),
        TEST(test_cycle_goes_in_once),
        TEST(test_arrays_of_the_callers),
        TEST(test_delete),
        TEST(test_order_of_links),
        TEST(test_list),
        TEST(test_an_empty_page_is_not_null),
        TEST(test_text_keys_and_defaults),
        TEST(test_every_type),
        TEST(test_many_links),
        TEST(test_validate),
        TEST(test_find_or_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
