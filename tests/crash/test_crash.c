/*
 * test_crash [CYCLES]: kill -9 amid commits.
 *
 * Several writers, each a process with a client of its own, create heroes
 * with two links each. herod is killed again and again after a random number
 * of answers and started on the same file; now and then a writer is killed
 * too. A write of unknown outcome is settled by repeating it under its client
 * id and seq: by the library where its deadline is long, by the writer's
 * successor where it is short or the writer was killed. Afterwards every
 * acknowledged commit is there whole, none half, none twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <heroclient.h>
#include "heroes.pb-c.h"
#include "daemon.h"

static const uint8_t models[] = {
#include "heroes.desc.inc"
};

enum {
    N_WRITERS = 6,
    N_TEAMS = 7,
    LINKS = 2,
    SHORT_MS = 60,
    LONG_MS = 60000,
    MOST_COMMITS = 100000
};
/* How a writer's process ends. */
enum { WRITER_DONE = 0, WRITER_FAILED = 1, WRITER_LOST = 3 };

struct acknowledged {
    int64_t id;
    uint64_t commit;
};

/* In memory that all processes share; `done` is what a program would keep on
 * its own disk. */
struct writer {
    unsigned number;
    uint32_t timeout_ms;
    uint8_t client_id[16];
    unsigned n_lives;
    _Atomic size_t n_done;
    struct acknowledged done[MOST_COMMITS]; /* its commits 0, 1, ... */
};

static struct daemon_process herod;
static struct writer *writers;
static pid_t writer_pids[N_WRITERS]; /* the parent's alone; 0: ended, all settled */
static atomic_bool *stopping;
static int progress[2]; /* a pipe: one byte for each answer */

/* ---- the writers ---- */

static int64_t team_of(unsigned writer, size_t commit, int link)
{
    return 1 + (int64_t)((writer + commit + (size_t)link) % N_TEAMS);
}

static void name_of(unsigned writer, size_t commit, char name[40])
{
    snprintf(name, 40, "hero %u-%zu", writer, commit);
}

static bool lost_connection(const hero_error *error)
{
    return error->outcome != HERO_REFUSED &&
           (error->code == HERO_UNAVAILABLE || error->code == HERO_DEADLINE_EXCEEDED);
}

/* Its seq is that of the commit in question: what is settled below it may be
 * forgotten. */
static hero_client *open_client(const struct writer *writer)
{
    hero_options options = HERO_OPTIONS_INIT;
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;
    /* What a program does whose daemon is not there: it tries again. */
    const struct timespec pause = {.tv_nsec = 2000000};

    options.timeout_ms = writer->timeout_ms;
    options.client_id = writer->client_id;
    options.first_seq = writer->n_done + 1;
    while (hero_client_open(herod.url, &options, &client, &error)) {
        if (!lost_connection(&error))
            fail("open: %s: %s", hero_code_name(error.code), error.message);
        nanosleep(&pause, NULL);
    }
    hero_error_free(&error);
    return client;
}

static hero_result *try_commit(const struct writer *writer, hero_client *client, hero_error *error)
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
    hero_request *request = hero_request_create(client, &hero.base, error);
    if (request)
        hero_request_set_seq(request, commit + 1);
    return hero_request_run(request, error);
}

static void keep(struct writer *writer, const hero_result *result)
{
    const Hero *hero = hero_result_record(result, 0);

    if (!hero || !hero->has_id)
        fail("writer %u: an answer without the record's key", writer->number);
    if (writer->n_done == MOST_COMMITS)
        fail("writer %u: more commits than expected", writer->number);
    writer->done[writer->n_done] =
        (struct acknowledged){.id = hero->id, .commit = hero_result_commit(result)};
    writer->n_done++;
    if (write(progress[1], "", 1) != 1)
        fail("write: %s", strerror(errno));
}

/* Never closes its client: it ends as a crash would. */
static void __attribute__((noreturn)) write_on(struct writer *writer)
{
    hero_client *client = open_client(writer);
    hero_error error = HERO_ERROR_INIT;
    hero_result *result;

    /* Whatever its predecessor left is settled before it may stop. */
    do {
        result = try_commit(writer, client, &error);
        if (!result && lost_connection(&error))
            _exit(WRITER_LOST);
        if (!result)
            fail("writer %u, commit %zu: %s (outcome %d): %s", writer->number, writer->n_done,
                 hero_code_name(error.code), (int)error.outcome, error.message);
        keep(writer, result);
        hero_result_free(result);
    } while (!*stopping);
    _exit(WRITER_DONE);
}

static pid_t fork_child(void)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid < 0)
        fail("fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        daemon_forget();
    }
    return pid;
}

static void start_writer(struct writer *writer)
{
    writer->n_lives++;
    pid_t pid = fork_child();
    if (pid == 0)
        write_on(writer);
    writer_pids[writer->number] = pid;
}

/* Writers that ended: a lost or killed one gets a successor. */
static void reap_writers(void)
{
    for (int i = 0; i < N_WRITERS; i++) {
        int status;

        if (writer_pids[i] == 0 || waitpid(writer_pids[i], &status, WNOHANG) != writer_pids[i])
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == WRITER_DONE)
            writer_pids[i] = 0;
        else if (WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
                                     : WEXITSTATUS(status) == WRITER_LOST)
            start_writer(&writers[i]);
        else
            fail("writer %d ended with wait status %#x", i, (unsigned)status);
    }
}

/* ---- the killing ---- */

static void must(hero_result *result, const hero_error *error, const char *what)
{
    if (!result)
        fail("%s: %s", what, error->message);
    hero_result_free(result);
}

/* In a process of its own, as everything that uses the library: its threads
 * don't survive a fork. */
static void __attribute__((noreturn)) create_teams(void)
{
    hero_error error = HERO_ERROR_INIT;
    hero_client *client;

    if (hero_client_open(herod.url, NULL, &client, &error))
        fail("open: %s", error.message);
    must(hero_client_apply(client, models, sizeof(models), NULL, &error), &error, "apply");
    for (int i = 0; i < N_TEAMS; i++) {
        Team team = TEAM__INIT;

        team.name = "team";
        team.headquarters = "here";
        must(hero_client_create(client, &team.base, &error), &error, "create team");
    }
    hero_client_close(client);
    _exit(0);
}

static void run_create_teams(void)
{
    int status;
    pid_t pid = fork_child();

    if (pid == 0)
        create_teams();
    if (waitpid(pid, &status, 0) != pid || status)
        fail("no teams");
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Until n answers came; writers that end meanwhile go on. */
static void await_answers(unsigned n)
{
    struct pollfd poll_fd = {.fd = progress[0], .events = POLLIN};
    double limit = now_s() + 60;
    char bytes[256];

    while (n > 0) {
        if (poll(&poll_fd, 1, 5) == 1) {
            ssize_t got = read(progress[0], bytes, n < sizeof(bytes) ? n : sizeof(bytes));
            if (got <= 0)
                fail("read: %s", strerror(errno));
            n -= (unsigned)got;
        }
        reap_writers();
        if (now_s() > limit)
            fail("no answers for 60 s");
    }
}

static void kill_again_and_again(int cycles, unsigned seed)
{
    for (int i = 0; i < cycles; i++) {
        await_answers(1 + (unsigned)(rand_r(&seed) % 60));
        /* Not always just after an answer. */
        struct timespec moment = {.tv_nsec = rand_r(&seed) % 2000000};
        nanosleep(&moment, NULL);
        if (rand_r(&seed) % 3 == 0)
            kill_process(writer_pids[rand_r(&seed) % N_WRITERS]);
        daemon_kill(&herod);
        daemon_start(&herod);
    }
}

static void await_writers(void)
{
    double limit = now_s() + 60;
    struct pollfd poll_fd = {.fd = progress[0], .events = POLLIN};
    char bytes[256];
    bool running = true;

    *stopping = true;
    while (running) {
        /* Nobody may wait for room in the pipe. */
        if (poll(&poll_fd, 1, 5) == 1 && read(progress[0], bytes, sizeof(bytes)) < 0)
            fail("read: %s", strerror(errno));
        reap_writers();
        running = false;
        for (int i = 0; i < N_WRITERS; i++)
            running = running || writer_pids[i];
        if (now_s() > limit)
            fail("the writers did not settle within 60 s");
    }
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

static void make_shared(void)
{
    size_t size = N_WRITERS * sizeof(*writers) + sizeof(*stopping);
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED || pipe(progress))
        fail("mmap, pipe: %s", strerror(errno));
    writers = shared;
    stopping = (void *)(writers + N_WRITERS);
    for (unsigned i = 0; i < N_WRITERS; i++) {
        writers[i].number = i;
        writers[i].timeout_ms = i % 2 ? SHORT_MS : LONG_MS;
        hero_client_id_new(writers[i].client_id);
    }
}

int main(int argc, char **argv)
{
    const char *asked = argc > 1 ? argv[1] : getenv("HERO_CRASH_CYCLES");
    int cycles = asked ? atoi(asked) : 100;
    unsigned seed = (unsigned)time(NULL), n_lives = 0;

    if (cycles < 1 || !getenv("HEROD"))
        fail("usage: HEROD=PATH test_crash [CYCLES]");
    printf("%d cycles, seed %u\n", cycles, seed);
    daemon_init(&herod);
    make_shared();
    daemon_start(&herod);
    run_create_teams();
    for (int i = 0; i < N_WRITERS; i++)
        start_writer(&writers[i]);
    kill_again_and_again(cycles, seed);
    await_writers();
    daemon_stop(&herod);
    size_t n = check_all();
    for (int i = 0; i < N_WRITERS; i++)
        n_lives += writers[i].n_lives;
    daemon_done(&herod);
    printf("%zu commits acknowledged, %u settled by a writer's successor: all there, whole, once\n",
           n, n_lives - N_WRITERS);
    return 0;
}
