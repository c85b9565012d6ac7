/*
 * A herod with the tutorial's and the library's models for each test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "session_case.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};
static const uint8_t library_set[] = {
#include "library.desc.inc"
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

void fail_with(const hero_error *error, const char *where, int line)
{
    printf("%s:%d: %s: %s\n", where, line, hero_code_name(error->code),
           error->message ? error->message : "");
    for (size_t i = 0; i < error->n_violations; i++)
        printf("  %s: %s\n", error->violations[i].path, error->violations[i].description);
    fail();
}

hero_client *connect_to(struct fixture *fixture, uint32_t timeout_ms)
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
    hero_result *result = hero_client_apply(client, set, size, NULL, &error);

    GOT(result);
    hero_result_free(result);
}

int session_case_setup(void **state)
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

int session_case_teardown(void **state)
{
    struct fixture *fixture = *state;

    hero_client_close(fixture->client);
    herod_fixture_stop(&fixture->herod);
    return 0;
}

Hero *new_hero(hero_session *session, char *name)
{
    Hero *hero = hero_session_create(session, &hero__descriptor);

    assert_non_null(hero);
    hero->name = name;
    hero->secret_name = "secret";
    return hero;
}

Team *new_team(hero_session *session, char *name)
{
    Team *team = hero_session_create(session, &team__descriptor);

    assert_non_null(team);
    team->name = name;
    team->headquarters = "somewhere";
    return team;
}

size_t rows_of(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor)
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
hero_result *as_stored(struct fixture *fixture, const ProtobufCMessageDescriptor *descriptor,
                       int64_t id, const char *expand)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result =
        hero_client_get(fixture->client, descriptor, HERO_KEY(id), expand, &error);

    GOT(result);
    return result;
}

size_t stored_teams(struct fixture *fixture, const Hero *hero)
{
    hero_result *result = as_stored(fixture, &hero__descriptor, hero->id, "teams");
    size_t n = ((const Hero *)hero_result_record(result, 0))->n_teams;

    hero_result_free(result);
    return n;
}

void update_elsewhere(struct fixture *fixture, const Hero *hero, const char *mask)
{
    hero_error error = HERO_ERROR_INIT;
    hero_result *result = hero_client_update(fixture->client, &hero->base, mask, &error);

    GOT(result);
    hero_result_free(result);
}
