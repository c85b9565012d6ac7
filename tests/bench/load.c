/*
 * load WORKLOAD IN_FLIGHT SECONDS URL PID: load on a herod through
 * libheroclient's started requests; every answer is checked.
 *
 * WORKLOAD  get     a hero by random id, with its teams
 *           list    100 heroes after a random name, by name
 *           create  a hero with links to two random teams, durable
 *           link    a random hero and team, durable
 *           mixed95, mixed50
 *                   so many of 100 are gets, the others creates
 * PID       herod's, for its CPU time
 *
 * Each slot of IN_FLIGHT starts its next request in the answer of the one
 * before, on the library's threads.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <heroclient.h>
#include "heroes.pb-c.h"
#include "data.h"
#include "measure.h"

static const uint8_t models[] = {
#include "heroes.desc.inc"
};

struct workload;

struct slot {
    uint64_t random;
    int64_t began_ns;
    uint32_t hero;              /* get */
    const char *want;           /* list: the first name; create: its name */
    const struct workload *now; /* mixed: what it does this time */
    char name[TEXT_BYTES];
};

struct workload {
    const char *name;
    hero_request *(*prepare)(struct slot *slot, hero_error *error);
    /* NULL: as it should be; else what is wrong. */
    const char *(*check)(const struct slot *slot, const hero_result *result);
};

static hero_client *client;
static const struct workload *workload;
static struct measure measure;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static unsigned n_running;
static uint64_t n_created;
static uint32_t n_heroes; /* stored before the run */

/* ---- get ---- */

static hero_request *prepare_get(struct slot *slot, hero_error *error)
{
    slot->hero = 1 + (uint32_t)(measure_random(&slot->random) % n_heroes);
    return hero_request_get(client, &hero__descriptor, HERO_KEY(slot->hero), "teams", error);
}

static const char *check_get(const struct slot *slot, const hero_result *result)
{
    const Hero *hero = hero_result_record(result, 0);
    char name[TEXT_BYTES];
    uint32_t teams[TEAMS_OF_HERO];
    int64_t expected = 0, sum = 0;

    if (!hero || hero->id != slot->hero || hero->n_teams != TEAMS_OF_HERO)
        return "get: another hero, or not its three teams";
    data_hero_name(slot->hero, name);
    if (strcmp(hero->name, name))
        return "get: another name";
    data_hero_teams(slot->hero, teams);
    for (int i = 0; i < TEAMS_OF_HERO; i++) {
        expected += teams[i];
        sum += hero->teams[i]->id;
    }
    return sum == expected ? NULL : "get: other teams";
}

/* ---- list: a page token is opaque, so the names to start after are those
 * that a walk through the whole table came by ---- */

enum { WALK_PAGE = 500, N_PLACES = 100000 / WALK_PAGE - 1 };
static struct place {
    char *token;
    char first[TEXT_BYTES]; /* the name that comes next */
} places[N_PLACES];

static int find_places(hero_error *error)
{
    hero_list list = {.order_by = "name", .page_size = WALK_PAGE};
    hero_result *before = NULL;

    for (int i = -1; i < N_PLACES; i++) {
        hero_result *page = hero_client_list(client, &hero__descriptor, &list, error);
        const Hero *first = page ? hero_result_record(page, 0) : NULL;
        const char *token = page ? hero_result_next_page_token(page) : NULL;

        if (!page || (!token && i + 1 < N_PLACES) || hero_result_count(page) != WALK_PAGE) {
            hero_result_free(page);
            hero_result_free(before);
            return -1;
        }
        if (i >= 0)
            snprintf(places[i].first, TEXT_BYTES, "%s", first->name);
        if (i + 1 < N_PLACES)
            places[i + 1].token = strdup(token);
        hero_result_free(before);
        before = page;
        list.page_token = token;
    }
    hero_result_free(before);
    return 0;
}

static hero_request *prepare_list(struct slot *slot, hero_error *error)
{
    const struct place *place = &places[measure_random(&slot->random) % N_PLACES];
    hero_list list = {.order_by = "name", .page_size = PAGE_SIZE, .page_token = place->token};

    slot->want = place->first;
    return hero_request_list(client, &hero__descriptor, &list, error);
}

static const char *check_list(const struct slot *slot, const hero_result *result)
{
    const Hero *first = hero_result_record(result, 0);

    if (hero_result_count(result) != PAGE_SIZE)
        return "list: not 100 heroes";
    return strcmp(first->name, slot->want) ? "list: another first name" : NULL;
}

/* ---- create ---- */

static void two_teams(struct slot *slot, int64_t teams[2])
{
    teams[0] = 1 + (int64_t)(measure_random(&slot->random) % N_TEAMS);
    teams[1] = 1 + (teams[0] + (int64_t)(measure_random(&slot->random) % (N_TEAMS - 1))) % N_TEAMS;
}

static hero_request *prepare_create(struct slot *slot, hero_error *error)
{
    char secret[TEXT_BYTES];
    int64_t ids[2];
    Team teams[2] = {TEAM__INIT, TEAM__INIT};
    Hero hero = HERO__INIT;
    uint64_t number = __atomic_fetch_add(&n_created, 1, __ATOMIC_RELAXED);

    two_teams(slot, ids);
    for (int i = 0; i < 2; i++) {
        teams[i].id = ids[i];
        teams[i].has_id = 1;
    }
    snprintf(slot->name, TEXT_BYTES, "New hero %08" PRIu64, number);
    snprintf(secret, TEXT_BYTES, "New secret %08" PRIu64, number);
    hero.name = slot->name;
    hero.secret_name = secret;
    hero.age = (int64_t)(number % 90);
    hero.has_age = 1;
    hero.teams = (Team *[]){&teams[0], &teams[1]};
    hero.n_teams = 2;
    return hero_request_create(client, &hero.base, error);
}

static const char *check_create(const struct slot *slot, const hero_result *result)
{
    const Hero *hero = hero_result_record(result, 0);

    measure.n_acknowledged++;
    if (!hero || hero->id <= n_heroes)
        return "create: no new id";
    return strcmp(hero->name, slot->name) ? "create: another name" : NULL;
}

/* ---- link ---- */

static hero_request *prepare_link(struct slot *slot, hero_error *error)
{
    int64_t team = 1 + (int64_t)(measure_random(&slot->random) % N_TEAMS);
    int64_t hero = 1 + (int64_t)(measure_random(&slot->random) % n_heroes);
    hero_key related = HERO_KEY(team);

    return hero_request_link(client, &hero__descriptor, HERO_KEY(hero), "teams", &related, 1,
                             error);
}

static const char *check_link(const struct slot *slot, const hero_result *result)
{
    (void)slot;
    measure.n_acknowledged += hero_result_added(result);
    return NULL;
}

/* ---- mixed ---- */

static const struct workload just_get = {"get", prepare_get, check_get};
static const struct workload just_create = {"create", prepare_create, check_create};

static hero_request *prepare_mixed(struct slot *slot, unsigned gets, hero_error *error)
{
    slot->now = measure_random(&slot->random) % 100 < gets ? &just_get : &just_create;
    return slot->now->prepare(slot, error);
}

static hero_request *prepare_mixed95(struct slot *slot, hero_error *error)
{
    return prepare_mixed(slot, 95, error);
}

static hero_request *prepare_mixed50(struct slot *slot, hero_error *error)
{
    return prepare_mixed(slot, 50, error);
}

static const char *check_mixed(const struct slot *slot, const hero_result *result)
{
    return slot->now->check(slot, result);
}

static const struct workload workloads[] = {
    {"get", prepare_get, check_get},           {"list", prepare_list, check_list},
    {"create", prepare_create, check_create},  {"link", prepare_link, check_link},
    {"mixed95", prepare_mixed95, check_mixed}, {"mixed50", prepare_mixed50, check_mixed},
};

/* ---- the loop of a slot ---- */

static void answered(void *arg, hero_result *result, const hero_error *error);

static void end_slot(void)
{
    if (--n_running == 0)
        pthread_cond_signal(&idle);
}

static void start(struct slot *slot)
{
    hero_error error = HERO_ERROR_INIT;

    slot->began_ns = measure_now_ns();
    hero_request *request = workload->prepare(slot, &error);
    if (request && !hero_request_start(request, answered, slot, &error))
        return;
    pthread_mutex_lock(&lock);
    measure_fail(&measure, "start: %s", error.message ? error.message : "?");
    end_slot();
    pthread_mutex_unlock(&lock);
    hero_request_free(request);
    hero_error_free(&error);
}

static void answered(void *arg, hero_result *result, const hero_error *error)
{
    struct slot *slot = arg;
    int64_t now = measure_now_ns();

    pthread_mutex_lock(&lock);
    const char *wrong = result ? workload->check(slot, result) : error->message;
    if (wrong)
        measure_fail(&measure, "%s", wrong);
    else
        measure_add(&measure, slot->began_ns, now);
    bool more = result && now < measure.end_ns;
    if (!more)
        end_slot();
    pthread_mutex_unlock(&lock);
    hero_result_free(result);
    if (more)
        start(slot);
}

static int prepare_daemon(const char *url, hero_error *error)
{
    if (hero_client_open(url, NULL, &client, error))
        return -1;
    hero_result *applied = hero_client_apply(client, models, sizeof(models), NULL, error);
    if (!applied)
        return -1;
    hero_result_free(applied);
    return strcmp(workload->name, "list") ? 0 : find_places(error);
}

static void run(unsigned n_slots, double seconds, pid_t server)
{
    struct slot *slots = calloc(n_slots, sizeof(*slots));

    if (!slots)
        abort();
    measure_init(&measure, seconds);
    n_running = n_slots;
    for (unsigned i = 0; i < n_slots; i++) {
        slots[i].random = 1000 + i;
        start(&slots[i]);
    }
    measure_sleep_until(measure.start_ns);
    double before = measure_cpu_us(server);
    measure_sleep_until(measure.end_ns);
    double after = measure_cpu_us(server);
    pthread_mutex_lock(&lock);
    while (n_running)
        pthread_cond_wait(&idle, &lock);
    pthread_mutex_unlock(&lock);
    measure_print(&measure, after - before);
    measure_done(&measure);
    free(slots);
}

int main(int argc, char **argv)
{
    hero_error error = HERO_ERROR_INIT;

    n_heroes = data_n_heroes();
    if (argc != 6) {
        fprintf(stderr, "usage: load WORKLOAD IN_FLIGHT SECONDS URL PID\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
        if (!strcmp(argv[1], workloads[i].name))
            workload = &workloads[i];
    int n_slots = atoi(argv[2]);
    double seconds = atof(argv[3]);
    if (!workload || n_slots < 1 || n_slots > 10000 || seconds <= 0 || seconds > 3600)
        return 3;
    if (prepare_daemon(argv[4], &error)) {
        fprintf(stderr, "load: %s\n", error.message ? error.message : "a page is missing");
        hero_error_free(&error);
        hero_client_close(client);
        return 1;
    }
    run((unsigned)n_slots, seconds, (pid_t)atoi(argv[5]));
    for (int i = 0; i < N_PLACES; i++)
        free(places[i].token);
    hero_client_close(client);
    return 0;
}
