/* The world of filter tests: what is in it, and how values compare. */
#include "filter_world.h"

#include <stdlib.h>
#include <string.h>

const char world_models[] =
    "message Team { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string town = 3;"
    " optional int32 size = 4 [(hero.column).index = true];"
    " repeated Hero heroes = 5 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'teams'}];"
    " repeated Hero led = 6 [(hero.relationship) = {back_populates: 'leads'}];"
    " }"
    "message Hero { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string secret = 3 [(hero.column).index = true];"
    " optional int64 age = 4 [(hero.column).index = true];"
    " optional double strength = 5;"
    " optional bool active = 6;"
    " optional int64 team_id = 7 [(hero.column) = {foreign_key: 'team.id'}];"
    " repeated Team teams = 8 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'heroes'}];"
    " optional Team leads = 9 [(hero.relationship) = {back_populates: 'led'}];"
    " }"
    "message Membership { option (hero.table) = {};"
    " optional int64 team_id = 1 [(hero.column) = {primary_key: true foreign_key: 'team.id'}];"
    " optional int64 hero_id = 2 [(hero.column) = {primary_key: true foreign_key: 'hero.id'}];"
    " optional string role = 3;"
    " optional int32 since = 4; }";

/* ---- the world, as this test knows it ---- */

const struct field world_fields[3][8] = {
    [TEAM] = {{"id", INTEGER, false},
              {"name", TEXT, false},
              {"town", TEXT, true},
              {"size", INTEGER, true}},
    [HERO] = {{"id", INTEGER, false},
              {"name", TEXT, false},
              {"secret", TEXT, true},
              {"age", INTEGER, true},
              {"strength", REAL, true},
              {"active", TRUTH, true},
              {"team_id", INTEGER, true}},
    [LINK] = {{"team_id", INTEGER, false},
              {"hero_id", INTEGER, false},
              {"role", TEXT, true},
              {"since", INTEGER, true}},
};
const size_t world_n_fields[3] = {4, 7, 4};
const char *const world_tables[3] = {"team", "hero", "membership"};

struct cell world_rows[3][MAX_LINKS][8];
size_t world_n_rows[3];

static unsigned long long random_state;

void world_seed(unsigned long long seed)
{
    random_state = seed;
}

unsigned pick(unsigned n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % n;
}

/* Few values, so that they meet: with capitals, beyond ASCII, like patterns. */
static const char *const texts[] = {"",
                                    "a",
                                    "A",
                                    "ab",
                                    "aB",
                                    "b",
                                    "abc",
                                    "a%c",
                                    "a_c",
                                    "a*",
                                    "\xc3\xa4",
                                    ("\xc3\x84"
                                     "b"),
                                    "z'\"",
                                    "\\",
                                    "\xf0\x9f\x98\x80",
                                    "\x7f",
                                    "a\xf4\x8f\xbf\xbf",
                                    "a\xed\x9f\xbf"};

struct cell random_cell(const struct field *field)
{
    struct cell cell = {.kind = field->kind};
    if (field->nullable && pick(4) == 0)
        return (struct cell){.kind = NOTHING};
    switch (field->kind) {
    case TEXT:
        cell.text = texts[pick(sizeof(texts) / sizeof(*texts))];
        break;
    case REAL:
        cell.real = (double)((int)pick(9) - 4) * 0.5;
        break;
    case TRUTH:
        cell.integer = pick(2);
        break;
    case INTEGER:
    case NOTHING:
        cell.integer = (int)pick(9) - 2;
        break;
    }
    return cell;
}

void world_fill(void)
{
    world_n_rows[TEAM] = N_TEAMS;
    world_n_rows[HERO] = N_HEROES;
    world_n_rows[LINK] = 0;
    for (enum table table = TEAM; table <= HERO; table++)
        for (size_t i = 0; i < world_n_rows[table]; i++) {
            for (size_t f = 0; f < world_n_fields[table]; f++)
                world_rows[table][i][f] = random_cell(&world_fields[table][f]);
            world_rows[table][i][0] = (struct cell){.kind = INTEGER, .integer = (long long)i + 1};
            if (table == HERO && world_rows[table][i][6].kind == INTEGER)
                world_rows[table][i][6].integer = 1 + pick(N_TEAMS);
        }
    for (unsigned team = 0; team < N_TEAMS; team++)
        for (unsigned hero = 0; hero < N_HEROES && world_n_rows[LINK] < MAX_LINKS; hero++)
            if (pick(6) == 0 && team != 3) { /* one has none */
                struct cell *row = world_rows[LINK][world_n_rows[LINK]++];
                row[0] = (struct cell){.kind = INTEGER, .integer = team + 1};
                row[1] = (struct cell){.kind = INTEGER, .integer = hero + 1};
                row[2] = random_cell(&world_fields[LINK][2]);
                row[3] = random_cell(&world_fields[LINK][3]);
            }
}

static void sql_cell(FILE *out, const struct cell *cell)
{
    switch (cell->kind) {
    case NOTHING:
        fputs("NULL", out);
        break;
    case INTEGER:
    case TRUTH:
        fprintf(out, "%lld", cell->integer);
        break;
    case REAL:
        fprintf(out, "%.17g", cell->real);
        break;
    case TEXT:
        fputc('\'', out);
        for (const char *p = cell->text; *p; p++)
            fprintf(out, *p == '\'' ? "''" : "%c", *p);
        fputc('\'', out);
        break;
    }
}

void world_store(struct fixture *f)
{
    char *sql;
    size_t len;
    FILE *out = open_memstream(&sql, &len);
    fputs("BEGIN;", out);
    for (enum table table = TEAM; table <= LINK; table++)
        for (size_t i = 0; i < world_n_rows[table]; i++) {
            fprintf(out, "INSERT INTO %s (", world_tables[table]);
            for (size_t k = 0; k < world_n_fields[table]; k++)
                fprintf(out, "%s%s", k ? ", " : "", world_fields[table][k].name);
            fputs(") VALUES (", out);
            for (size_t k = 0; k < world_n_fields[table]; k++) {
                fputs(k ? ", " : "", out);
                sql_cell(out, &world_rows[table][i][k]);
            }
            fputs(");", out);
        }
    fputs("COMMIT;", out);
    fclose(out);
    fixture_sql(f, sql);
    free(sql);
}

/* ---- relationships ---- */

static const struct way ways[] = {
    {"teams", HERO, TEAM, true, false},
    {"leads", HERO, TEAM, false, true},
    {"heroes", TEAM, HERO, true, false},
    {"led", TEAM, HERO, false, false},
};

/* The row of a link that joins the two, or 1 where none is needed; NULL: not related. */
const struct cell *related(const struct way *way, size_t from, size_t to)
{
    size_t team = way->from == TEAM ? from : to, hero = way->from == TEAM ? to : from;
    if (!way->through_links) {
        const struct cell *key = &world_rows[HERO][hero][6];
        return key->kind == INTEGER && key->integer == (long long)team + 1 ? key : NULL;
    }
    for (size_t i = 0; i < world_n_rows[LINK]; i++)
        if (world_rows[LINK][i][0].integer == (long long)team + 1 &&
            world_rows[LINK][i][1].integer == (long long)hero + 1)
            return world_rows[LINK][i];
    return NULL;
}

const struct way *random_way(enum table from, bool single)
{
    const struct way *way;
    do
        way = &ways[pick(sizeof(ways) / sizeof(*ways))];
    while (way->from != from || (single && !way->single));
    return way;
}

const char *folded(const char *text, bool fold)
{
    static char buffers[4][64];
    static unsigned next;
    if (!fold)
        return text;
    char *to = buffers[next++ % 4];
    size_t i = 0;
    for (; text[i]; i++)
        to[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    to[i] = '\0';
    return to;
}

int compare_cells(const struct cell *a, const struct cell *b, bool fold)
{
    if (a->kind == TEXT) {
        int order = strcmp(folded(a->text, fold), folded(b->text, fold));
        return (order > 0) - (order < 0);
    }
    double x = a->kind == REAL ? a->real : (double)a->integer;
    double y = b->kind == REAL ? b->real : (double)b->integer;
    return (x > y) - (x < y);
}
