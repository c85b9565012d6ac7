/*
 * test_crash [CYCLES]: kill -9 amid commits.
 *
 * Several writers, each a client of its own, create heroes with two links
 * each; herod is killed again and again after a random number of answers and
 * started on the same file. A write of unknown outcome is settled by
 * repeating it under its client id and seq: by the library where its deadline
 * is long, by the writer (with a new hero_client, as after a crash of its
 * own) where it is short. Afterwards every acknowledged commit is there
 * whole, none half, none twice.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <heroclient.h>
#include "heroes.pb-c.h"
#include "daemon.h"

static const uint8_t models[] = {
#include "heroes.desc.inc"
};

enum { N_WRITERS = 6, N_TEAMS = 7, LINKS = 2, SHORT_MS = 60, LONG_MS = 60000 };

struct acknowledged {
    int64_t id;
    uint64_t commit;
};

struct writer {
    pthread_t thread;
    unsigned number;
    uint32_t timeout_ms;
    uint8_t client_id[16];
    hero_client *client;
    struct acknowledged *done; /* of its commits 0, 1, ... */
    size_t n_done, max_done;
    unsigned n_repeated;
};

static struct daemon_process herod;
static struct writer writers[N_WRITERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;
static pthread_cond_t restarted = PTHREAD_COND_INITIALIZER;
static uint64_t n_answers; /* of all writers */
static unsigned n_starts;  /* of herod */
static bool stopping;

/* ---- the writers ---- */

static int64_t team_of(unsigned writer, size_t commit, int link)
{
    return 1 + (int64_t)((writer + commit + (size_t)link) % N_TEAMS);
}

static void name_of(unsigned writer, size_t commit, char name[40])
{
    snprintf(name, 40, "hero %u-%zu", writer, commit);
}

static void await_restart(unsigned seen)
{
    pthread_mutex_lock(&lock);
    while (n_starts == seen)
        pthread_cond_wait(&restarted, &lock);
    pthread_mutex_unlock(&lock);
}

static unsigned starts_seen(void)
{
    pthread_mutex_lock(&lock);
    unsigned seen = n_starts;
    pthread_mutex_unlock(&lock);
    return seen;
}

static bool lost_connection(const hero_error *error)
{
    return error->code == HERO_UNAVAILABLE || error->code == HERO_DEADLINE_EXCEEDED;
}

/* Its seq is that of the commit in question: what is settled below it may be
 * forgotten. */
static void open_client(struct writer *writer)
{
    hero_options options = HERO_OPTIONS_INIT;

    options.timeout_ms = writer->timeout_ms;
    options.client_id = writer->client_id;
    options.first_seq = writer->n_done + 1;
    for (;;) {
        hero_error error = HERO_ERROR_INIT;
        unsigned seen = starts_seen();
        hero_code code = hero_client_open(herod.url, &options, &writer->client, &error);

        if (code && !lost_connection(&error))
            fail("open: %s: %s", hero_code_name(code), error.message);
        hero_error_free(&error);
        if (!code)
            return;
        /* Not there, or killed just now; a short deadline also misses a herod
         * that is busy starting. */
        if (code == HERO_UNAVAILABLE)
            await_restart(seen);
    }
}

static hero_result *try_commit(struct writer *writer, hero_error *error)
{
    size_t commit = writer->n_done;
    char name[40];
    Hero hero = HERO__INIT;
    Team teams[LINKS] = {TEAM__INIT, TEAM__INIT};
    Team *linked[LINKS];

    name_of(writer->number, commit, name);
    hero.name = name;
    hero.secret_name = "kept";
    for (int i = 0; i < LINKS; i++) {
        teams[i].id = team_of(writer->number, commit, i);
        teams[i].has_id = 1;
        linked[i] = &teams[i];
    }
    hero.teams = linked;
    hero.n_teams = LINKS;
    hero_request *request = hero_request_create(writer->client, &hero.base, error);
    if (request)
        hero_request_set_seq(request, commit + 1);
    return hero_request_run(request, error);
}

static void keep(struct writer *writer, hero_result *result)
{
    const Hero *hero = hero_result_record(result, 0);

    if (!hero || !hero->has_id)
        fail("writer %u: an answer without the record's key", writer->number);
    if (writer->n_done == writer->max_done) {
        writer->max_done = 2 * writer->max_done + 64;
        writer->done = realloc(writer->done, writer->max_done * sizeof(*writer->done));
        if (!writer->done)
            fail("no memory");
    }
    pthread_mutex_lock(&lock);
    writer->done[writer->n_done++] =
        (struct acknowledged){.id = hero->id, .commit = hero_result_commit(result)};
    n_answers++;
    pthread_cond_signal(&progress);
    pthread_mutex_unlock(&lock);
    hero_result_free(result);
}

static bool is_stopping(void)
{
    pthread_mutex_lock(&lock);
    bool answer = stopping;
    pthread_mutex_unlock(&lock);
    return answer;
}

static void *write_on(void *arg)
{
    struct writer *writer = arg;

    open_client(writer);
    /* What is begun is settled before the writer ends. */
    for (bool unsettled = false; unsettled || !is_stopping();) {
        hero_error error = HERO_ERROR_INIT;
        hero_result *result = try_commit(writer, &error);

        unsettled = !result;
        if (result) {
            keep(writer, result);
            continue;
        }
        if (!lost_connection(&error) || error.outcome == HERO_REFUSED)
            fail("writer %u, commit %zu: %s (outcome %d): %s", writer->number, writer->n_done,
                 hero_code_name(error.code), (int)error.outcome, error.message);
        hero_error_free(&error);
        writer->n_repeated++;
        hero_client_close(writer->client);
        open_client(writer);
    }
    hero_client_close(writer->client);
    return NULL;
}

/* ---- the killing ---- */

static void create_teams(void)
{
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;

    if (hero_client_open(herod.url, NULL, &client, &error))
        fail("open: %s", error.message);
    hero_result *result = hero_client_apply(client, models, sizeof(models), false, &error);
    if (!result)
        fail("apply: %s", error.message);
    hero_result_free(result);
    for (int i = 0; i < N_TEAMS; i++) {
        Team team = TEAM__INIT;

        team.name = "team";
        team.headquarters = "here";
        result = hero_client_create(client, &team.base, &error);
        if (!result)
            fail("create team: %s", error.message);
        hero_result_free(result);
    }
    hero_client_close(client);
}

static void start_herod(void)
{
    daemon_start(&herod);
    pthread_mutex_lock(&lock);
    n_starts++;
    pthread_cond_broadcast(&restarted);
    pthread_mutex_unlock(&lock);
}

static void await_answers(uint64_t n)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&lock);
    for (n += n_answers; n_answers < n;)
        if (pthread_cond_timedwait(&progress, &lock, &until))
            fail("no answers for 60 s after start %u", n_starts);
    pthread_mutex_unlock(&lock);
}

static void kill_again_and_again(int cycles, unsigned seed)
{
    for (int i = 0; i < cycles; i++) {
        await_answers(1 + (uint64_t)(rand_r(&seed) % 60));
        /* Not always just after an answer. */
        struct timespec moment = {.tv_nsec = rand_r(&seed) % 2000000};
        nanosleep(&moment, NULL);
        daemon_kill(&herod);
        start_herod();
    }
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_mutex_unlock(&lock);
}

/* ---- the reckoning ---- */

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) || sqlite3_step(statement) != SQLITE_ROW)
        fail("%s: %s", sql, sqlite3_errmsg(db));
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void check_sound(sqlite3 *db)
{
    sqlite3_stmt *statement;

    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    if (sqlite3_step(statement) != SQLITE_ROW ||
        strcmp((const char *)sqlite3_column_text(statement, 0), "ok"))
        fail("integrity_check: %s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &statement, NULL);
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail("foreign_key_check: a row of %s points nowhere", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

/* One row of the name, with the id acknowledged and the two links. */
static void check_commit(sqlite3 *db, sqlite3_stmt *statement, const struct writer *writer,
                         size_t commit)
{
    char name[40];

    name_of(writer->number, commit, name);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    for (int link = 0; link < LINKS; link++)
        sqlite3_bind_int64(statement, 2 + link, team_of(writer->number, commit, link));
    if (sqlite3_step(statement) != SQLITE_ROW)
        fail("%s: %s", name, sqlite3_errmsg(db));
    int64_t rows = sqlite3_column_int64(statement, 0), id = sqlite3_column_int64(statement, 1);
    int64_t links = sqlite3_column_int64(statement, 2);
    if (rows != 1 || id != writer->done[commit].id || links != LINKS)
        fail("%s was acknowledged with id %" PRId64 ": %" PRId64 " rows, id %" PRId64 ", %" PRId64
             " links",
             name, writer->done[commit].id, rows, id, links);
    sqlite3_reset(statement);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* Each commit has a number of its own, repeats the number of the first time. */
static void check_commit_numbers(size_t n)
{
    uint64_t *numbers = calloc(n + 1, sizeof(*numbers));
    size_t used = 0;

    for (int i = 0; i < N_WRITERS; i++)
        for (size_t j = 0; j < writers[i].n_done; j++)
            numbers[used++] = writers[i].done[j].commit;
    qsort(numbers, n, sizeof(*numbers), compare);
    for (size_t i = 1; i < n; i++)
        if (numbers[i] == numbers[i - 1])
            fail("commit number %" PRIu64 " was given twice", numbers[i]);
    free(numbers);
}

static size_t check_all(void)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    size_t n = 0;

    if (sqlite3_open(herod.database, &db))
        fail("open: %s", sqlite3_errmsg(db));
    check_sound(db);
    if (sqlite3_prepare_v2(db,
                           "SELECT count(*), min(id), (SELECT count(*) FROM heroteamlink WHERE "
                           "hero_id = hero.id AND team_id IN (?2, ?3)) FROM hero WHERE name = ?1",
                           -1, &statement, NULL))
        fail("prepare: %s", sqlite3_errmsg(db));
    for (int i = 0; i < N_WRITERS; i++) {
        for (size_t j = 0; j < writers[i].n_done; j++)
            check_commit(db, statement, &writers[i], j);
        n += writers[i].n_done;
    }
    sqlite3_finalize(statement);
    int64_t heroes = number(db, "SELECT count(*) FROM hero");
    int64_t links = number(db, "SELECT count(*) FROM heroteamlink");
    sqlite3_close(db);
    if (heroes != (int64_t)n || links != (int64_t)n * LINKS)
        fail("%zu commits were acknowledged: %" PRId64 " heroes, %" PRId64 " links", n, heroes,
             links);
    check_commit_numbers(n);
    return n;
}

int main(int argc, char **argv)
{
    const char *asked = argc > 1 ? argv[1] : getenv("HERO_CRASH_CYCLES");
    int cycles = asked ? atoi(asked) : 100;
    unsigned seed = (unsigned)time(NULL), n_repeated = 0;

    if (cycles < 1 || !getenv("HEROD"))
        fail("usage: HEROD=PATH test_crash [CYCLES]");
    printf("%d cycles, seed %u\n", cycles, seed);
    daemon_init(&herod);
    start_herod();
    create_teams();
    for (unsigned i = 0; i < N_WRITERS; i++) {
        writers[i].number = i;
        writers[i].timeout_ms = i % 2 ? SHORT_MS : LONG_MS;
        hero_client_id_new(writers[i].client_id);
        pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
    }
    kill_again_and_again(cycles, seed);
    for (int i = 0; i < N_WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        n_repeated += writers[i].n_repeated;
    }
    daemon_stop(&herod);
    size_t n = check_all();
    for (int i = 0; i < N_WRITERS; i++)
        free(writers[i].done);
    daemon_done(&herod);
    printf("%zu commits acknowledged, %u settled by their writers: all there, whole, once\n", n,
           n_repeated);
    return 0;
}
