/*
 * Two clients link and unlink the same rows at once, each from its side of
 * the relationship: no call fails, and what each was told it added and
 * removed accounts for the rows that are there.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <heroclient.h>
#include "heroes.pb-c.h"
#include "daemon.h"

static const uint8_t models[] = {
#include "heroes.desc.inc"
};

enum { N_ROUNDS = 150, N_TEAMS = 4 };

struct side {
    pthread_t thread;
    bool from_team;
    unsigned seed;
    int64_t balance; /* links added less links removed, as told */
};

static struct daemon_process herod;

static void must(const hero_result *result, const hero_error *error, const char *what)
{
    if (!result)
        fail("%s: %s: %s", what, hero_code_name(error->code), error->message);
}

static void *take_turns(void *arg)
{
    struct side *side = arg;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;
    hero_key hero = HERO_KEY(1);

    if (hero_client_open(herod.url, NULL, &client, &error))
        fail("open: %s", error.message);
    for (int i = 0; i < N_ROUNDS; i++) {
        hero_key team = HERO_KEY(1 + (int)(rand_r(&side->seed) % N_TEAMS));
        bool link = rand_r(&side->seed) % 2;
        const ProtobufCMessageDescriptor *type =
            side->from_team ? &team__descriptor : &hero__descriptor;
        const char *relationship = side->from_team ? "heroes" : "teams";
        hero_key from = side->from_team ? team : hero, to = side->from_team ? hero : team;
        hero_result *result =
            link ? hero_client_link(client, type, from, relationship, &to, 1, &error)
                 : hero_client_unlink(client, type, from, relationship, &to, 1, &error);

        must(result, &error, link ? "link" : "unlink");
        side->balance += (int64_t)hero_result_added(result);
        side->balance -= (int64_t)hero_result_removed(result);
        hero_result_free(result);
    }
    hero_client_close(client);
    return NULL;
}

static void create_rows(hero_client *client)
{
    hero_error error = HERO_ERROR_INIT;
    Hero hero = HERO__INIT;
    hero_result *result = hero_client_apply(client, models, sizeof(models), NULL, &error);

    must(result, &error, "apply");
    hero_result_free(result);
    hero.name = "shared";
    hero.secret_name = "by two";
    result = hero_client_create(client, &hero.base, &error);
    must(result, &error, "create");
    hero_result_free(result);
    for (int i = 0; i < N_TEAMS; i++) {
        Team team = TEAM__INIT;

        team.name = "team";
        team.headquarters = "here";
        result = hero_client_create(client, &team.base, &error);
        must(result, &error, "create");
        hero_result_free(result);
    }
}

int main(void)
{
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;
    struct side sides[2] = {{.seed = 1}, {.seed = 2, .from_team = true}};

    if (!getenv("HEROD"))
        fail("HEROD is not set");
    daemon_init(&herod);
    daemon_start(&herod);
    if (hero_client_open(herod.url, NULL, &client, &error))
        fail("open: %s", error.message);
    create_rows(client);
    for (int i = 0; i < 2; i++)
        pthread_create(&sides[i].thread, NULL, take_turns, &sides[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(sides[i].thread, NULL);
    hero_result *result = hero_client_get(client, &hero__descriptor, HERO_KEY(1), "teams", &error);
    must(result, &error, "get");
    const Hero *hero = hero_result_record(result, 0);
    if ((int64_t)hero->n_teams != sides[0].balance + sides[1].balance)
        fail("%zu links are there; told were %" PRId64 " and %" PRId64, hero->n_teams,
             sides[0].balance, sides[1].balance);
    hero_result_free(result);
    hero_client_close(client);
    daemon_stop(&herod);
    daemon_done(&herod);
    return 0;
}
