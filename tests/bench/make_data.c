/*
 * make_data FILE: the bench's database, as the tutorial's models make it.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include "data.h"

static const char schema[] =
    "CREATE TABLE team (\n\tid INTEGER NOT NULL, \n\tname VARCHAR NOT NULL, \n"
    "\theadquarters VARCHAR NOT NULL, \n\tPRIMARY KEY (id)\n);"
    "CREATE INDEX ix_team_name ON team (name);"
    "CREATE TABLE hero (\n\tid INTEGER NOT NULL, \n\tname VARCHAR NOT NULL, \n"
    "\tsecret_name VARCHAR NOT NULL, \n\tage INTEGER, \n\tPRIMARY KEY (id)\n);"
    "CREATE INDEX ix_hero_name ON hero (name);"
    "CREATE INDEX ix_hero_age ON hero (age);"
    "CREATE TABLE heroteamlink (\n\tteam_id INTEGER NOT NULL, \n\thero_id INTEGER NOT NULL, \n"
    "\tPRIMARY KEY (team_id, hero_id), \n\tFOREIGN KEY(team_id) REFERENCES team (id), \n"
    "\tFOREIGN KEY(hero_id) REFERENCES hero (id)\n);"
    "CREATE INDEX ix_heroteamlink_hero_id ON heroteamlink (hero_id, team_id);";

static void must(sqlite3 *db, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return;
    fprintf(stderr, "make_data: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void insert(sqlite3 *db, sqlite3_stmt *statement)
{
    must(db, sqlite3_step(statement));
    must(db, sqlite3_reset(statement));
}

static void add_teams(sqlite3 *db)
{
    sqlite3_stmt *statement;
    char text[TEXT_BYTES];

    must(db, sqlite3_prepare_v2(db, "INSERT INTO team VALUES (?, ?, ?)", -1, &statement, NULL));
    for (uint32_t id = 1; id <= N_TEAMS; id++) {
        sqlite3_bind_int64(statement, 1, id);
        data_team_name(id, text);
        sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
        data_team_headquarters(id, text);
        sqlite3_bind_text(statement, 3, text, -1, SQLITE_TRANSIENT);
        insert(db, statement);
    }
    sqlite3_finalize(statement);
}

static void add_heroes(sqlite3 *db)
{
    uint32_t n_heroes = data_n_heroes();
    sqlite3_stmt *hero, *link;
    char text[TEXT_BYTES];

    must(db, sqlite3_prepare_v2(db, "INSERT INTO hero VALUES (?, ?, ?, ?)", -1, &hero, NULL));
    must(db, sqlite3_prepare_v2(db, "INSERT INTO heroteamlink VALUES (?, ?)", -1, &link, NULL));
    for (uint32_t id = 1; id <= n_heroes; id++) {
        uint32_t teams[TEAMS_OF_HERO];
        int age = data_hero_age(id);

        sqlite3_bind_int64(hero, 1, id);
        data_hero_name(id, text);
        sqlite3_bind_text(hero, 2, text, -1, SQLITE_TRANSIENT);
        data_hero_secret(id, text);
        sqlite3_bind_text(hero, 3, text, -1, SQLITE_TRANSIENT);
        if (age < 0)
            sqlite3_bind_null(hero, 4);
        else
            sqlite3_bind_int(hero, 4, age);
        insert(db, hero);
        data_hero_teams(id, teams);
        for (int i = 0; i < TEAMS_OF_HERO; i++) {
            sqlite3_bind_int64(link, 1, teams[i]);
            sqlite3_bind_int64(link, 2, id);
            insert(db, link);
        }
    }
    sqlite3_finalize(hero);
    sqlite3_finalize(link);
}

int main(int argc, char **argv)
{
    sqlite3 *db;

    if (argc != 2) {
        fprintf(stderr, "usage: make_data FILE\n");
        return 2;
    }
    remove(argv[1]);
    must(NULL, sqlite3_open(argv[1], &db));
    must(db, sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN", NULL,
                          NULL, NULL));
    must(db, sqlite3_exec(db, schema, NULL, NULL, NULL));
    add_teams(db);
    add_heroes(db);
    must(db, sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL));
    must(db, sqlite3_close(db));
    return 0;
}
