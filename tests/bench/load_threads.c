/*
 * load_threads WORKLOAD IN_FLIGHT SECONDS URL PID: load in the ways of
 * programs that wait for their answers, a thread each.
 *
 * WORKLOAD  session100, session1000   a session of so many new heroes, two
 *                                     teams each, committed; an operation is
 *                                     a hero
 *           clients                   a hero by random id with its teams, each
 *                                     thread with a client, and so a
 *                                     connection, of its own
 * PID       herod's, for its CPU time
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <heroclient.h>
#include "heroes.pb-c.h"
#include "data.h"
#include "measure.h"

static const uint8_t models[] = {
#include "heroes.desc.inc"
};

struct thread {
    pthread_t thread;
    uint64_t random;
    hero_client *client;
    unsigned number;
    Team *teams; /* sessions */
};

static const char *url;
static hero_client *shared;
static unsigned batch; /* heroes of a session; 0: clients */
static struct measure measure;
static uint32_t n_heroes; /* stored before the run */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void failed(const char *what, hero_error *error)
{
    pthread_mutex_lock(&lock);
    measure_fail(&measure, "%s: %s", what, error->message ? error->message : "?");
    pthread_mutex_unlock(&lock);
    hero_error_free(error);
}

static void done(int64_t began_ns, unsigned n)
{
    int64_t now = measure_now_ns();

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n; i++)
        measure_add(&measure, began_ns, now);
    pthread_mutex_unlock(&lock);
}

/* ---- sessions ---- */

/* One that is stored: only its key is set. */
static Team *team_of(struct thread *thread)
{
    Team *team = &thread->teams[measure_random(&thread->random) % N_TEAMS];

    team__init(team);
    team->id = 1 + team - thread->teams;
    team->has_id = 1;
    return team;
}

struct place {
    Hero hero;
    Team *teams[2];
    char text[TEXT_BYTES];
};

static bool add_hero(struct thread *thread, hero_session *session, struct place *place,
                     hero_error *error)
{
    Hero *hero = &place->hero;
    Team *first = team_of(thread), *second = first;

    while (second == first)
        second = team_of(thread);
    hero__init(hero);
    snprintf(place->text, TEXT_BYTES, "New hero %u-%" PRIu64, thread->number,
             measure_random(&thread->random));
    hero->name = hero->secret_name = place->text;
    hero->age = 30;
    hero->has_age = 1;
    place->teams[0] = first;
    place->teams[1] = second;
    hero->teams = place->teams;
    hero->n_teams = 2;
    return hero_session_add(session, &hero->base, error) == HERO_OK;
}

static bool one_session(struct thread *thread, struct place *places)
{
    hero_error error = HERO_ERROR_INIT;
    hero_session *session = hero_session_new(thread->client);
    int64_t began = measure_now_ns();
    bool well = session != NULL;

    for (unsigned i = 0; i < batch && well; i++)
        well = add_hero(thread, session, &places[i], &error);
    well = well && hero_session_commit(session, &error) == HERO_OK;
    if (well) {
        done(began, batch);
        pthread_mutex_lock(&lock);
        measure.n_acknowledged += batch;
        pthread_mutex_unlock(&lock);
    } else {
        failed("session", &error);
    }
    hero_session_free(session);
    return well;
}

static void *run_sessions(void *arg)
{
    struct thread *thread = arg;
    struct place *places = calloc(batch, sizeof(*places));

    thread->teams = calloc(N_TEAMS, sizeof(*thread->teams));
    if (!places || !thread->teams)
        abort();
    while (measure_now_ns() < measure.end_ns && one_session(thread, places))
        ;
    free(thread->teams);
    free(places);
    return NULL;
}

/* ---- many clients ---- */

static bool get_one(struct thread *thread)
{
    hero_error error = HERO_ERROR_INIT;
    int64_t began = measure_now_ns();
    uint32_t id = 1 + (uint32_t)(measure_random(&thread->random) % n_heroes);
    hero_result *result =
        hero_client_get(thread->client, &hero__descriptor, HERO_KEY(id), "teams", &error);
    const Hero *hero = result ? hero_result_record(result, 0) : NULL;
    bool well = hero && hero->id == id && hero->n_teams == TEAMS_OF_HERO;

    if (well)
        done(began, 1);
    else
        failed("get", &error);
    hero_result_free(result);
    return well;
}

static void *run_client(void *arg)
{
    struct thread *thread = arg;

    while (measure_now_ns() < measure.end_ns && get_one(thread))
        ;
    return NULL;
}

/* ---- */

static int open_clients(struct thread *threads, unsigned n, hero_error *error)
{
    for (unsigned i = 0; i < n; i++) {
        threads[i] = (struct thread){.random = 1000 + i, .client = shared, .number = i};
        if (!batch && hero_client_open(url, NULL, &threads[i].client, error))
            return -1;
    }
    return 0;
}

static void run(struct thread *threads, unsigned n, double seconds, pid_t server)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    measure_init(&measure, seconds);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&threads[i].thread, &attributes, batch ? run_sessions : run_client,
                           &threads[i]))
            abort();
    measure_sleep_until(measure.start_ns);
    double before = measure_cpu_us(server);
    measure_sleep_until(measure.end_ns);
    double after = measure_cpu_us(server);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i].thread, NULL);
    measure_print(&measure, after - before);
    measure_done(&measure);
    pthread_attr_destroy(&attributes);
}

static int told(hero_error *error)
{
    fprintf(stderr, "load_threads: %s\n", error->message ? error->message : "?");
    hero_error_free(error);
    return 1;
}

int main(int argc, char **argv)
{
    hero_error error = HERO_ERROR_INIT;
    struct rlimit limit;

    n_heroes = data_n_heroes();
    if (argc != 6) {
        fprintf(stderr, "usage: load_threads WORKLOAD IN_FLIGHT SECONDS URL PID\n");
        return 2;
    }
    int n = atoi(argv[2]);
    double seconds = atof(argv[3]);
    batch = !strcmp(argv[1], "session100") ? 100 : !strcmp(argv[1], "session1000") ? 1000 : 0;
    if ((!batch && strcmp(argv[1], "clients")) || n < 1 || n > 5000 || seconds <= 0)
        return 3;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    url = argv[4];
    if (hero_client_open(url, NULL, &shared, &error))
        return told(&error);
    hero_result *applied = hero_client_apply(shared, models, sizeof(models), false, &error);
    if (!applied)
        return told(&error);
    hero_result_free(applied);
    struct thread *threads = calloc((size_t)n, sizeof(*threads));
    if (!threads || open_clients(threads, (unsigned)n, &error))
        return told(&error);
    run(threads, (unsigned)n, seconds, (pid_t)atoi(argv[5]));
    for (int i = 0; !batch && i < n; i++)
        hero_client_close(threads[i].client);
    hero_client_close(shared);
    free(threads);
    return 0;
}
