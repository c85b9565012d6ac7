/*
 * A small world of records that a test knows as well as the store does: teams,
 * heroes and the links between them, with few values, so that they meet.
 */
#ifndef HERO_TESTS_STORE_FILTER_WORLD_H
#define HERO_TESTS_STORE_FILTER_WORLD_H

#include <stdio.h>
#include "fixture.h"

#define N_TEAMS 12
#define N_HEROES 60
#define MAX_LINKS 200

extern const char world_models[]; /* .proto */

enum kind { NOTHING, INTEGER, REAL, TEXT, TRUTH };
struct cell {
    enum kind kind;
    long long integer;
    double real;
    const char *text;
};

enum table { TEAM, HERO, LINK };
struct field {
    const char *name;
    enum kind kind;
    bool nullable;
};
extern const struct field world_fields[3][8];
extern const size_t world_n_fields[3];
extern const char *const world_tables[3];
extern struct cell world_rows[3][MAX_LINKS][8];
extern size_t world_n_rows[3];

/* A number below n, of a sequence that the seed decides. */
void world_seed(unsigned long long seed);
unsigned pick(unsigned n);
struct cell random_cell(const struct field *field);
/* Random records; the same in the database. */
void world_fill(void);
void world_store(struct fixture *f);

struct way {
    const char *name;
    enum table from, to;
    bool through_links, single;
};
/* The row of a link that joins the two, or any where none is needed; NULL: not related. */
const struct cell *related(const struct way *way, size_t from, size_t to);
const struct way *random_way(enum table from, bool single);

/* The text without capitals A to Z, if wanted; the last few are kept. */
const char *folded(const char *text, bool fold);
int compare_cells(const struct cell *a, const struct cell *b, bool fold);

#endif
