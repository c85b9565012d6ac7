/*
 * floor WORKLOAD IN_FLIGHT SECONDS FILE: the same work on SQLite in this
 * process, one thread, statements prepared: what herod could be at best. With
 * n in flight n writes share a commit. Prints what `load` prints.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "data.h"
#include "measure.h"

static sqlite3 *db;
static struct measure measure;
static uint32_t n_heroes;
static uint64_t random_state = 1000;

static void must(int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    fprintf(stderr, "floor: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepared(sqlite3_stmt **slot, const char *sql)
{
    if (!*slot)
        must(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL));
    return *slot;
}

static void run_once(sqlite3_stmt *statement)
{
    must(sqlite3_step(statement));
    must(sqlite3_reset(statement));
}

static int count_rows(sqlite3_stmt *statement)
{
    int n = 0;

    while (sqlite3_step(statement) == SQLITE_ROW) {
        /* The values are read as a server would have to. */
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            (void)sqlite3_column_text(statement, i);
        n++;
    }
    must(sqlite3_reset(statement));
    return n;
}

static int64_t below(uint32_t n)
{
    return (int64_t)(measure_random(&random_state) % n);
}

static void do_get(void)
{
    static sqlite3_stmt *hero, *teams;
    int64_t id = 1 + below(n_heroes);

    sqlite3_bind_int64(prepared(&hero, "SELECT * FROM hero WHERE id = ?"), 1, id);
    sqlite3_bind_int64(prepared(&teams, "SELECT team.* FROM heroteamlink JOIN team ON "
                                        "team.id = team_id WHERE hero_id = ?"),
                       1, id);
    if (count_rows(hero) != 1 || count_rows(teams) != TEAMS_OF_HERO)
        measure_fail(&measure, "get: wrong rows");
}

static void do_list(void)
{
    static sqlite3_stmt *list;
    char name[TEXT_BYTES];

    snprintf(name, sizeof(name), "Hero-%06d", (int)below(99800));
    sqlite3_bind_text(
        prepared(&list, "SELECT * FROM hero WHERE name > ? ORDER BY name, id LIMIT 100"), 1, name,
        -1, SQLITE_STATIC);
    if (count_rows(list) != PAGE_SIZE)
        measure_fail(&measure, "list: wrong rows");
}

static void do_link_of(int64_t team, int64_t hero)
{
    static sqlite3_stmt *link;

    prepared(&link, "INSERT OR IGNORE INTO heroteamlink (team_id, hero_id) VALUES (?, ?)");
    sqlite3_bind_int64(link, 1, team);
    sqlite3_bind_int64(link, 2, hero);
    run_once(link);
}

static void do_link(void)
{
    do_link_of(1 + below(N_TEAMS), 1 + below(n_heroes));
    measure.n_acknowledged += (uint64_t)sqlite3_changes(db);
}

static void do_create(void)
{
    static sqlite3_stmt *hero;
    char name[TEXT_BYTES], secret[TEXT_BYTES];
    int64_t team = 1 + below(N_TEAMS);

    snprintf(name, sizeof(name), "New hero %08d", (int)measure.n_acknowledged);
    snprintf(secret, sizeof(secret), "New secret %08d", (int)measure.n_acknowledged);
    prepared(&hero, "INSERT INTO hero (name, secret_name, age) VALUES (?, ?, ?)");
    sqlite3_bind_text(hero, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(hero, 2, secret, -1, SQLITE_STATIC);
    sqlite3_bind_int64(hero, 3, (int64_t)(measure.n_acknowledged % 90));
    run_once(hero);
    int64_t id = sqlite3_last_insert_rowid(db);
    do_link_of(team, id);
    do_link_of(1 + (team + below(N_TEAMS - 1)) % N_TEAMS, id);
    measure.n_acknowledged++;
}

static void do_mixed(uint32_t gets)
{
    if (below(100) < gets)
        do_get();
    else
        do_create();
}

static void do_mixed95(void)
{
    do_mixed(95);
}

static void do_mixed50(void)
{
    do_mixed(50);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool writes;
} workloads[] = {
    {"get", do_get, false},          {"list", do_list, false},
    {"create", do_create, true},     {"link", do_link, true},
    {"mixed95", do_mixed95, true},   {"mixed50", do_mixed50, true},
    {"session100", do_create, true}, {"session1000", do_create, true},
    {"clients", do_get, false},
};

static void loop(void (*operation)(void), bool writes, int in_flight)
{
    sqlite3_stmt *begin = NULL, *commit = NULL;
    int n = writes ? in_flight : 1;

    prepared(&begin, "BEGIN IMMEDIATE");
    prepared(&commit, "COMMIT");
    while (measure_now_ns() < measure.end_ns) {
        int64_t began = measure_now_ns();

        if (writes)
            run_once(begin);
        for (int i = 0; i < n; i++)
            operation();
        if (writes)
            run_once(commit);
        int64_t ended = measure_now_ns();
        for (int i = 0; i < n; i++)
            measure_add(&measure, began, ended);
    }
}

int main(int argc, char **argv)
{
    n_heroes = data_n_heroes();
    if (argc != 5) {
        fprintf(stderr, "usage: floor WORKLOAD IN_FLIGHT SECONDS FILE\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
        if (strcmp(argv[1], workloads[i].name))
            continue;
        must(sqlite3_open(argv[4], &db));
        must(sqlite3_exec(db,
                          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                          "PRAGMA foreign_keys = ON",
                          NULL, NULL, NULL));
        measure_init(&measure, atof(argv[3]));
        int n = atoi(argv[2]) > 0 ? atoi(argv[2]) : 1;
        if (!strncmp(argv[1], "session", 7)) /* so many share a commit, however many wait */
            n = atoi(argv[1] + 7);
        loop(workloads[i].run, workloads[i].writes, n);
        measure_print(&measure, 0);
        measure_done(&measure);
        /* Statements are still prepared: the process ends, and with it all. */
        return 0;
    }
    return 3;
}
