/*
 * SQLModel's chapter "Create Models with a Many-to-Many Link", in C.
 *
 * heroes.proto declares what the chapter's classes declare; this program does
 * what its functions do, in the same order, against the herod that HERO_URL
 * names (or your own, or the system's).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <heroclient.h>
#include "heroes.pb-c.h"

/* heroes.proto as protoc understood it: what the daemon makes tables of. */
static const uint8_t models[] = {
#include "heroes.desc.inc"
};

/* Python raises; here a failed call says why and the program ends. */
static void die(const char *what, const hero_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, hero_code_name(error->code), error->message);
    for (size_t i = 0; i < error->n_violations; i++)
        fprintf(stderr, "  %s: %s\n", error->violations[i].path, error->violations[i].description);
    exit(1);
}

static void print_hero(const char *label, const Hero *hero)
{
    printf("%s: id=%" PRId64 " name='%s' secret_name='%s' age=", label, hero->id, hero->name,
           hero->secret_name);
    if (hero->has_age)
        printf("%" PRId64 "\n", hero->age);
    else
        printf("None\n");
}

static void print_teams(const char *label, const Hero *hero)
{
    printf("%s: [", label);
    for (size_t i = 0; i < hero->n_teams; i++) {
        const Team *team = hero->teams[i];

        printf("%sTeam(id=%" PRId64 ", name='%s', headquarters='%s')", i ? ", " : "", team->id,
               team->name, team->headquarters);
    }
    printf("]\n");
}

static void create_db_and_tables(hero_client *client)
{
    hero_error error = HERO_ERROR_INIT;
    /* Applying the same models again does nothing, as create_all() does. */
    hero_result *result = hero_client_apply(client, models, sizeof(models), NULL, &error);

    if (!result)
        die("create tables", &error);
    hero_result_free(result);
}

static void create_heroes(hero_client *client)
{
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(client);

    if (!session) {
        fprintf(stderr, "create heroes: no memory\n");
        exit(1);
    }

    Team team_preventers = TEAM__INIT;
    team_preventers.name = "Preventers";
    team_preventers.headquarters = "Sharp Tower";

    Team team_z_force = TEAM__INIT;
    team_z_force.name = "Z-Force";
    team_z_force.headquarters = "Sister Margaret’s Bar";

    Hero hero_deadpond = HERO__INIT;
    hero_deadpond.name = "Deadpond";
    hero_deadpond.secret_name = "Dive Wilson";
    hero_deadpond.teams = (Team *[]){&team_z_force, &team_preventers};
    hero_deadpond.n_teams = 2;

    Hero hero_rusty_man = HERO__INIT;
    hero_rusty_man.name = "Rusty-Man";
    hero_rusty_man.secret_name = "Tommy Sharp";
    hero_rusty_man.age = 48;
    hero_rusty_man.has_age = 1;
    hero_rusty_man.teams = (Team *[]){&team_preventers};
    hero_rusty_man.n_teams = 1;

    Hero hero_spider_boy = HERO__INIT;
    hero_spider_boy.name = "Spider-Boy";
    hero_spider_boy.secret_name = "Pedro Parqueador";
    hero_spider_boy.teams = (Team *[]){&team_preventers};
    hero_spider_boy.n_teams = 1;

    if (hero_session_add(session, &hero_deadpond.base, &error) ||
        hero_session_add(session, &hero_rusty_man.base, &error) ||
        hero_session_add(session, &hero_spider_boy.base, &error))
        die("add", &error);

    /* Heroes, teams and links: one request, one transaction. The ids are in
     * the structs afterwards, so there is nothing to refresh. */
    if (hero_session_commit(session, &error))
        die("commit", &error);

    print_hero("Deadpond", &hero_deadpond);
    print_teams("Deadpond teams", &hero_deadpond);
    print_hero("Rusty-Man", &hero_rusty_man);
    print_teams("Rusty-Man Teams", &hero_rusty_man);
    print_hero("Spider-Boy", &hero_spider_boy);
    print_teams("Spider-Boy Teams", &hero_spider_boy);

    hero_session_free(session);
}

int main(void)
{
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;

    if (hero_client_open(NULL, NULL, &client, &error))
        die("open", &error);
    create_db_and_tables(client);
    create_heroes(client);
    hero_client_close(client);
    return 0;
}
