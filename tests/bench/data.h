/*
 * The rows that a bench works on, by formula: whoever reads one back can tell
 * whether it is right without asking. 1,000 teams, 100,000 heroes (or
 * HERO_BENCH_HEROES), three teams a hero. The formulas are those of the programs that herod is
 * compared with, and so must not change.
 */
#ifndef HERO_BENCH_DATA_H
#define HERO_BENCH_DATA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_TEAMS = 1000, TEAMS_OF_HERO = 3, PAGE_SIZE = 100, TEXT_BYTES = 96 };

static inline uint32_t data_n_heroes(void)
{
    const char *text = getenv("HERO_BENCH_HEROES");
    long n = text ? atol(text) : 0;

    return n > 0 && n <= 100000000 ? (uint32_t)n : 100000;
}

static inline void data_hero_name(uint32_t id, char *text)
{
    snprintf(text, TEXT_BYTES, "Hero-%06u", (unsigned)((uint64_t)id * 48271 % 100003));
}

static inline void data_hero_secret(uint32_t id, char *text)
{
    snprintf(text, TEXT_BYTES, "Secret-%06u of hero %u", id * 7 % 999983, id);
}

/* -1: NULL. */
static inline int data_hero_age(uint32_t id)
{
    return id % 7 == 0 ? -1 : 15 + (int)(id % 60);
}

/* Three different teams. */
static inline void data_hero_teams(uint32_t id, uint32_t teams[TEAMS_OF_HERO])
{
    uint32_t mixed = id * 2654435761u;
    uint32_t first = mixed % N_TEAMS;
    uint32_t second = (first + 1 + (mixed >> 10) % 332) % N_TEAMS;
    uint32_t third = (second + 1 + (mixed >> 20) % 332) % N_TEAMS;

    teams[0] = first + 1;
    teams[1] = second + 1;
    teams[2] = third + 1;
}

static inline void data_team_name(uint32_t id, char *text)
{
    snprintf(text, TEXT_BYTES, "Team-%04u", id);
}

static inline void data_team_headquarters(uint32_t id, char *text)
{
    snprintf(text, TEXT_BYTES, "Headquarters of team %u, District %u", id, id % 13);
}

#endif
