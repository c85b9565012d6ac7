/*
 * Filters: what is refused, and where in the text; which indexes answer them;
 * pages of them; that a deadline ends them.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char models_text[] =
    "import \"google/protobuf/timestamp.proto\";"
    "message Team { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string town = 3;"
    " repeated Hero heroes = 4 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'teams'}]; }"
    "message Hero { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional int64 age = 3 [(hero.column).index = true];"
    " optional double strength = 4;"
    " optional float speed = 5;"
    " optional bool active = 6;"
    " optional bytes photo = 7;"
    " optional uint32 wins = 8;"
    " optional string email = 9 [(hero.column).unique = true];"
    " repeated Team teams = 10 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'heroes'}]; }"
    "message Membership { option (hero.table) = {};"
    " optional int64 team_id = 1 [(hero.column) = {primary_key: true foreign_key: 'team.id'}];"
    " optional int64 hero_id = 2 [(hero.column) = {primary_key: true foreign_key: 'hero.id'}];"
    " optional string role = 3; }"
    "enum Mood { CALM = 0; ANGRY = 3; }"
    "message Kinds { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional Mood mood = 2;"
    " optional google.protobuf.Timestamp at = 3 [(hero.column).index = true];"
    " optional string day = 4 [(hero.column).format = DATE];"
    " optional string token = 5 [(hero.column) = {format: UUID index: true}];"
    " optional string price = 6 [(hero.column).format = DECIMAL];"
    " repeated int32 scores = 7; }"
    "message Town { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string country = 3;"
    " repeated Person people = 4 [(hero.relationship) = {back_populates: 'town'}]; }"
    "message Person { option (hero.table) = {index: {columns: ['first', 'last']}};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string first = 2;"
    " optional string last = 3;"
    " optional int64 town_id = 4 [(hero.column) = {foreign_key: 'town.id'}];"
    " optional Town town = 5 [(hero.relationship) = {back_populates: 'people'}]; }";

struct question {
    struct fixture *f;
    struct models *models;
    struct arena echo_arena;
    struct echo echo;
    int64_t deadline_ns;
};

static int setup(void **state)
{
    struct question *q = calloc(1, sizeof(*q));
    fixture_setup((void **)&q->f);
    fixture_open(q->f);
    assert_int_equal(fixture_apply(q->f, models_text, NULL), HERO__V1__CODE__OK);
    q->models = store_models(q->f->store);
    arena_init(&q->echo_arena, 16u << 20);
    *state = q;
    return 0;
}

static int teardown(void **state)
{
    struct question *q = *state;
    models_unref(q->models);
    arena_done(&q->echo_arena);
    fixture_teardown((void **)&q->f);
    free(q);
    return 0;
}

static Code list(struct question *q, Hero__V1__ListRequest *request, Hero__V1__ListResponse *answer)
{
    struct store_read read = {.models = q->models,
                              .arena = &q->f->arena,
                              .echo = &q->echo,
                              .deadline_ns = q->deadline_ns};
    arena_reset(&q->echo_arena);
    echo_init(&q->echo, &q->echo_arena);
    fault_done(&q->f->fault);
    hero__v1__list_response__init(answer);
    return store_list(q->f->store, &read, request, answer, &q->f->fault);
}

static Code ask(struct question *q, const char *model, const char *filter,
                Hero__V1__ListResponse *answer)
{
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    request.model = (char *)(uintptr_t)model;
    request.filter = (char *)(uintptr_t)filter;
    return list(q, &request, answer);
}

/* ---- what is refused ---- */

static const struct {
    const char *filter, *says;
} refused[] = {
    {"ag = 3", "character 1: Hero has no field called \"ag\""},
    {"  age = ", "character 9: ends where more is needed"},
    {"age = 3 and age = 4", "character 9: \"and\" is written in capital letters"},
    {"age = 3 && age = 4", "character 9: & means nothing here"},
    {"age == 3", "character 6: \"=\" does not fit here"},
    {"(age = 3", "character 9: ends where more is needed"},
    {"age = 3)", "character 8: \")\" does not fit here"},
    {"age = \"3\"", "character 7: age is compared with a whole number"},
    {"age = 1.5", "character 7: age takes a whole number"},
    {"age = 99999999999999999999", "character 7: age takes a number of at most 64 bits"},
    {"name = 3", "character 8: name is compared with a text in quotes"},
    {"name = Deadpond", "character 8: name is compared with a text in quotes; a field is compared "
                        "with values only"},
    {"name = \"x", "character 8: a text begins here and does not end"},
    {"name = \"\xc3\xa4\xc3\xa4\" AND agee > 1", "character 17: Hero has no field called \"agee\""},
    {"name = \"\\x\"", "character 9: no character is written like this"},
    {"name = \"\\ud800\"", "character 9: no character is written like this"},
    {"active = 1", "character 10: active is compared with true or false"},
    {"active < true", "character 8: active has no order"},
    {"active = maybe", "character 10: active takes true or false"},
    {"photo = \"***\"", "character 9: photo takes bytes as base64"},
    {"speed > 1e39", "character 9: is past what a float holds"},
    {"age", "character 1: age alone is no condition"},
    {"age:\"3\"", "character 5: age is no text"},
    {"age < null", "character 5: null has no order"},
    {"teams = 3", "character 1: teams of Hero is a relationship"},
    {"teams.name = \"x\"", "character 1: teams of Hero holds several records"},
    {"name.x = 3", "character 1: name of Hero is a column"},
    {"any(name)", "character 5: name of Hero is a column; any asks for related records"},
    {"any(teams, age = 3)", "character 12: Team has no field called \"age\""},
    {"any(teams, name = \"x\", name = \"y\")", "character 1: any takes a relationship"},
    {"any()", "character 1: any takes a relationship"},
    {"all(teams)", "character 1: all takes a relationship and a condition"},
    {"any(teams, 5)", "character 12: a condition is wanted here"},
    {"any(teams) = 3", "character 1: any gives nothing that could be compared"},
    {"count(teams)", "character 1: count(..) alone is no condition"},
    {"count(teams) > \"x\"", "character 16: a count is compared with a whole number"},
    {"count(teams) > 99999999999999999999", "character 16: has more than 64 bits"},
    {"link.role = \"x\"", "character 1: Hero has no relationship called \"link\""},
    {"any(teams, link.rolle = \"x\")", "character 17: Membership has no field called \"rolle\""},
    {"starts_with(age, \"x\")", "character 13: age is no text"},
    {"starts_with(name)", "character 1: starts_with takes a field and a text"},
    {"starts_with(name, any(teams))", "character 19: name is compared with a text"},
    {"length(name) > 3", "character 1: length gives nothing that could be compared"},
    {"size(name)", "character 1: there is no function size"},
    {"ignore_case(age) = 3", "character 1: age is no text"},
    {"name = (\"x\")", "character 8: \"(\" does not fit here"},
    {"name IN ()", "character 10: \")\" does not fit here"},
    {"name IN (\"x\", 3)", "character 15: name is compared with a text"},
    {"age IS 3", "character 8: \"3\" does not fit here"},
    {"age # 3", "character 5: no word begins with this character"},
};

static void test_refused(void **state)
{
    struct question *q = *state;
    Hero__V1__ListResponse answer;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        Code code = ask(q, "hero", refused[i].filter, &answer);
        if (code != HERO__V1__CODE__INVALID_ARGUMENT ||
            !fixture_blames(q->f, "filter", refused[i].says)) {
            fprintf(stderr, "%s\nwanted: %s\n", refused[i].filter, refused[i].says);
            fixture_print_fault(q->f);
            fail();
        }
    }
}

static char *repeated(struct question *q, const char *before, const char *text, size_t n,
                      const char *after)
{
    size_t len = strlen(text);
    char *made = arena_alloc(&q->f->arena, strlen(before) + n * len + strlen(after) + 1);
    assert_non_null(made);
    strcpy(made, before);
    for (size_t i = 0; i < n; i++)
        memcpy(made + strlen(before) + i * len, text, len);
    strcpy(made + strlen(before) + n * len, after);
    return made;
}

static void refuses(struct question *q, const char *filter, const char *says)
{
    Hero__V1__ListResponse answer;
    assert_int_equal(ask(q, "hero", filter, &answer), HERO__V1__CODE__INVALID_ARGUMENT);
    if (!fixture_blames(q->f, "filter", says)) {
        fixture_print_fault(q->f);
        fail();
    }
}

static void takes(struct question *q, const char *filter)
{
    Hero__V1__ListResponse answer;
    if (ask(q, "hero", filter, &answer) != HERO__V1__CODE__OK) {
        fixture_print_fault(q->f);
        fail();
    }
}

static void test_limits(void **state)
{
    struct question *q = *state;
    takes(q, repeated(q, "age = 1", " OR age = 1", 499, ""));
    takes(q, repeated(q, "age IN (1", ", 1", 990, ")"));
    refuses(q, repeated(q, "age IN (1", ", 1", 1000, ")"),
            "has more than 1000 comparisons and values");
    refuses(q, repeated(q, "", " ", 16384, "age = 1"), "bytes, at most 16384 are taken");
    takes(q, repeated(q, "", "NOT ", 20, "age = 1"));
    refuses(q, repeated(q, "", "NOT ", 21, "age = 1"), "is nested deeper than 20 levels");
    refuses(q, repeated(q, "", "NOT ", 2000, "age = 1"), "is nested");
    refuses(q, repeated(q, "", "(", 21, "age = 1"), "is nested deeper than 20 levels");
    refuses(q, repeated(q, "", "(", 5000, ""), "is nested deeper than 20 levels");
    takes(q, repeated(q, repeated(q, "", "(", 20, "age = 1"), ")", 20, ""));
    /* What is as deep and wide as it may be is still SQL that SQLite takes. */
    takes(q, repeated(q, repeated(q, "any(teams, ", "any(heroes, any(teams, ", 2, "name:\"1\""),
                      ")", 5, ""));
    refuses(q,
            repeated(q, repeated(q, "any(teams, ", "any(heroes, any(teams, ", 2, "NOT id = 1"), ")",
                     5, ""),
            "is nested deeper than 20 levels");
    takes(q, "count(teams, count(heroes, count(teams, name:\"x\" OR id = 1 AND name = \"x\") > "
             "2) != 3) < 4");
    takes(q, repeated(q, repeated(q, "", "(age = 1 OR (age = 2 AND ", 10, "name:\"1\""), "))", 10,
                      ""));
    takes(q, repeated(q, "NOT (", "age = 1 OR NOT name:\"x\" AND ", 480, "age = 2)"));
    takes(q, "all(teams, name = \"\" OR none(heroes, age = 1 AND NOT all(teams, name = \"\" OR "
             "name:\"x\")))");
    takes(q, "");
    takes(q, " \n\t ");
}

/* ---- which indexes answer them ---- */

/* The plan of a statement that was echoed. */
static const char *plan_of_sql(struct question *q, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    char *plan = arena_strdup(&q->f->arena, "");
    const char *text = arena_printf(&q->f->arena, "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_open(q->f->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        plan =
            arena_printf(&q->f->arena, "%s%s\n", plan, (const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return plan;
}

static const char *plan_of(struct question *q, const char *model, const char *filter)
{
    Hero__V1__ListResponse answer;
    if (ask(q, model, filter, &answer) != HERO__V1__CODE__OK) {
        fixture_print_fault(q->f);
        fail();
    }
    /* The page's statement; before it few rows of an open range may be counted. */
    const struct echo_statement *page = q->echo.first;
    while (page && strncmp(page->sql, "SELECT count(*)", 15) == 0)
        page = page->next;
    assert_non_null(page);
    return plan_of_sql(q, page->sql);
}

/* Filters on indexed columns and links, the index that must answer each, and
 * no table scanned. */
static const struct {
    const char *model, *filter, *index;
} indexed[] = {
    {"hero", "id = 3", "INTEGER PRIMARY KEY"},
    {"hero", "id IN (3, 4)", "INTEGER PRIMARY KEY"},
    {"hero", "age = 30", "ix_hero_age"},
    {"hero", "age > 30", "ix_hero_age"},
    {"hero", "age <= 30 AND strength > 1", "ix_hero_age"},
    {"hero", "name >= \"x\"", "ix_hero_name"},
    {"hero", "age >= 30 AND age < 40", "ix_hero_age"},
    {"hero", "NOT age != 30", "ix_hero_age"},
    {"hero", "age IS NULL", "ix_hero_age"},
    {"hero", "age IN (1, 2, null)", "ix_hero_age"},
    {"hero", "starts_with(name, \"Dead\")", "ix_hero_name"},
    {"hero", "name = \"x\" AND strength > 1", "ix_hero_name"},
    {"hero", "name = \"x\" OR age = 3", "ix_hero_name"},
    {"hero", "email = \"x\"", "sqlite_autoindex_hero_1"},
    /* related records are few: SQLite begins with them */
    {"hero", "any(teams, name = \"Preventers\")", "ix_team_name"},
    {"hero", "any(teams, starts_with(name, \"Pre\"))", "ix_team_name"},
    {"hero", "any(teams, id = 3)", "sqlite_autoindex_membership_1"},
    {"hero", "any(teams, name = \"x\" AND town = \"y\" AND link.role = \"lead\")", "ix_team_name"},
    {"hero", "any(teams, link.team_id = 3)", "sqlite_autoindex_membership_1"},
    {"team", "any(heroes, age = 3)", "ix_hero_age"},
    {"team", "any(heroes, any(teams, name = \"x\"))", "ix_team_name"},
    {"hero", "any(teams, name = \"x\") OR age = 3", "ix_team_name"},
    {"hero", "count(teams, name = \"x\") > 0", "ix_team_name"},
    {"person", "town.name = \"x\"", "ix_town_name"},
    {"person", "town.name = \"x\"", "ix_person_town_id"},
    {"person", "town.name = \"x\" AND town.country != \"y\"", "ix_town_name"},
    {"person", "any(town, name = \"x\")", "ix_town_name"},
    {"person", "town_id IN (1, 2)", "ix_person_town_id"},
    {"town", "any(people, first = \"x\")", "ix_person_first_last"},
    {"town", "any(people, id = 3)", "INTEGER PRIMARY KEY"},
    {"town", "any(people, town.name = \"x\")", "ix_town_name"},
    /* the records are few: their related ones are looked at */
    {"person", "id = 3 AND town.name = \"x\"", "INTEGER PRIMARY KEY"},
    {"person", "first = \"x\" AND last = \"y\" AND any(town, country = \"x\")",
     "ix_person_first_last"},
    {"town", "name = \"x\" AND count(people) > 2", "ix_person_town_id"},
    {"town", "name = \"x\" AND any(people, first = \"y\")", "ix_town_name"},
    {"hero", "id = 3 AND any(teams, name = \"Preventers\")", "ix_membership_hero_id"},
    {"hero", "name = \"x\" AND any(teams, town = \"y\")", "ix_membership_hero_id"},
    {"hero", "age = 3 AND none(teams)", "ix_membership_hero_id"},
    {"hero", "age = 3 AND count(teams) > 2", "ix_membership_hero_id"},
    {"team", "name = \"x\" AND all(heroes, strength > 1)", "sqlite_autoindex_membership_1"},
};

static void test_plans(void **state)
{
    struct question *q = *state;
    for (size_t i = 0; i < sizeof(indexed) / sizeof(*indexed); i++) {
        const char *plan = plan_of(q, indexed[i].model, indexed[i].filter);
        if (!strstr(plan, indexed[i].index) || strstr(plan, "SCAN t")) {
            fprintf(stderr, "%s\n%s\n%s", indexed[i].filter, q->echo.first->sql, plan);
            fail();
        }
    }
}

static void fill(struct question *q, unsigned n)
{
    fixture_sql(q->f, arena_printf(&q->f->arena,
                                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                   "WHERE i < %u) INSERT INTO hero (name, age, email) SELECT "
                                   "'h' || i, i %% 50, 'e' || i FROM n",
                                   n));
}

static size_t n_found(struct question *q, const char *filter)
{
    Hero__V1__ListResponse answer;
    if (ask(q, "hero", filter, &answer) != HERO__V1__CODE__OK) {
        fprintf(stderr, "%s\n", filter);
        fixture_print_fault(q->f);
        fail();
    }
    return answer.n_roots;
}

/* Of a range with many rows a page is found sooner along its order. */
static void test_open_ranges(void **state)
{
    struct question *q = *state;
    fill(q, 3000);
    assert_non_null(strstr(plan_of(q, "hero", "age >= 49"), "ix_hero_age"));
    assert_null(strstr(plan_of(q, "hero", "age >= 10"), "ix_hero_age"));
    assert_null(strstr(plan_of(q, "hero", "age >= 49 AND id = 3"), "ix_hero_age"));
    assert_int_equal(n_found(q, "age >= 49"), 60);
}

/* What no index finds still uses those of the links. */
static void test_plans_of_scans(void **state)
{
    struct question *q = *state;
    const char *plan = plan_of(q, "hero", "any(teams, town = \"x\")");
    assert_non_null(strstr(plan, "SCAN t0"));
    assert_non_null(strstr(plan, "ix_membership_hero_id"));
    plan = plan_of(q, "team", "none(heroes, age = 3)");
    assert_non_null(strstr(plan, "SCAN t0"));
    assert_non_null(strstr(plan, "sqlite_autoindex_membership_1"));
    assert_null(strstr(plan, "SCAN t1"));
}

/* ---- values ---- */

/* Values are bound: no text of a filter is SQL. */
static void test_values(void **state)
{
    struct question *q = *state;
    fixture_sql(q->f, "INSERT INTO hero (name, age, strength, speed, active, photo, wins, email) "
                      "VALUES ('x'' OR 1=1 --', 1, 0.1, 0.10000000149011612, 1, x'0001ff', 3, 'e'),"
                      "('a\"b\\c', NULL, 1e300, NULL, 0, x'', 4294967295, NULL)");
    assert_int_equal(n_found(q, "name = \"x' OR 1=1 --\""), 1);
    assert_int_equal(n_found(q, "name = 'x\\' OR 1=1 --'"), 1);
    assert_int_equal(n_found(q, "name = '\\u0078\\' OR 1=1 --'"), 1);
    assert_int_equal(n_found(q, "name = \"a\\\"b\\\\c\""), 1);
    assert_int_equal(n_found(q, "name = \"'); DROP TABLE hero; --\""), 0);
    assert_int_equal(n_found(q, "strength = 0.1"), 1);
    assert_int_equal(n_found(q, "strength > 9.9e299"), 1);
    assert_int_equal(n_found(q, "strength > 1"), 1);
    assert_int_equal(n_found(q, "speed = 0.1"), 1); /* as a float holds it */
    assert_int_equal(n_found(q, "photo = \"AAH/\""), 1);
    assert_int_equal(n_found(q, "photo = ''"), 1);
    assert_int_equal(n_found(q, "wins = 4294967295"), 1);
    assert_int_equal(n_found(q, "wins >= -1"), 2);
    assert_int_equal(n_found(q, "active"), 1);
    assert_int_equal(n_found(q, "NOT active"), 1);
    assert_int_equal(n_found(q, "age != 1"), 1); /* the one without an age */
    assert_int_equal(n_found(q, "age < 5"), 1);
    assert_int_equal(n_found(q, "NOT age < 5"), 1);
    assert_int_equal(n_found(q, "age = null"), 1);
    assert_int_equal(n_found(q, "age != NULL"), 1);
}

/* Columns that SQLite holds as texts of a form: the values are written as their kind. */
static const struct {
    const char *filter;
    int n; /* found; -1: refused */
} kinds[] = {
    {"mood = ANGRY", 1},
    {"mood = \"ANGRY\"", 1},
    {"mood IN (CALM, ANGRY)", 2},
    {"mood != ANGRY", 2},
    {"mood = FURIOUS", -1},
    {"mood < ANGRY", -1},
    {"at = \"2026-11-23T10:00:00Z\"", 1},
    {"at = \"2026-11-23T11:00:00+01:00\"", 1},
    {"at >= \"2026-11-23T10:00:00.000001Z\"", 1},
    {"at < \"2026-11-24T00:00:00Z\" AND at IS NOT NULL", 2},
    {"at > \"yesterday\"", -1},
    {"at > 5", -1},
    {"day > \"2026-01-01\"", 1},
    {"day = \"2026-13-01\"", -1},
    {"token = \"123e4567-e89b-12d3-a456-426614174000\"", 1},
    {"token = \"123E4567-E89B-12D3-A456-426614174000\"", 1},
    {"token = \"x\"", -1},
    {"scores IS NULL", 2},
    {"scores IS NOT NULL", 1},
    {"scores = 3", -1},
    {"mood:\"ang\"", -1},
};

static void test_kinds(void **state)
{
    struct question *q = *state;
    fixture_sql(q->f, "INSERT INTO kinds (mood, at, day, token, scores) VALUES"
                      "('ANGRY', '2026-11-23 10:00:00.000000', '2026-02-03',"
                      " '123e4567e89b12d3a456426614174000', '[1, 2]'),"
                      "('CALM', '2026-11-23 10:00:00.000001', '2025-02-03', NULL, NULL),"
                      "(NULL, NULL, NULL, NULL, NULL)");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        Hero__V1__ListResponse answer;
        Code code = ask(q, "kinds", kinds[i].filter, &answer);
        if (code == (kinds[i].n < 0 ? HERO__V1__CODE__INVALID_ARGUMENT : HERO__V1__CODE__OK) &&
            (kinds[i].n < 0 || (int)answer.n_roots == kinds[i].n))
            continue;
        fprintf(stderr, "%s: %zu\n", kinds[i].filter, answer.n_roots);
        fixture_print_fault(q->f);
        fail();
    }
}

/* ---- totals, masks, deadlines ---- */

static void test_totals(void **state)
{
    struct question *q = *state;
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse answer;
    fill(q, 500);
    request.model = "hero";
    request.filter = "age < 10";
    request.page_size = 3;
    request.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__OK);
    assert_int_equal(answer.n_roots, 3);
    assert_int_equal(answer.total, 100);
    assert_false(answer.total_capped);
    request.count = HERO__V1__LIST_REQUEST__COUNT__CAPPED;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(q->f, "count_limit", "is missing"));
    request.count_limit = 99;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__OK);
    assert_int_equal(answer.total, 99);
    assert_true(answer.total_capped);
    request.count_limit = 100;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__OK);
    assert_int_equal(answer.total, 100);
    assert_false(answer.total_capped);
    request.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__INVALID_ARGUMENT);
    request.count = (Hero__V1__ListRequest__Count)7;
    request.count_limit = 0;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(q->f, "count", "is none of"));
}

static void test_mask(void **state)
{
    struct question *q = *state;
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse answer;
    ProtobufCMessage *record;
    char *fields[] = {"age", "email"}, *wrong[] = {"age", "teams", "agee"};
    const struct model *hero = models_find(q->models, "hero", NULL);
    fill(q, 3);
    request.model = "hero";
    request.read_mask = fields;
    request.n_read_mask = 2;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__OK);
    assert_null(strstr(q->echo.first->sql, "photo"));
    assert_int_equal(model_unpack(hero, answer.graph->records[0]->value.data,
                                  answer.graph->records[0]->value.len, &q->f->arena, &record, NULL),
                     HERO__V1__CODE__OK);
    assert_true(field_present(record, model_column(hero, "id")->field));
    assert_true(field_present(record, model_column(hero, "email")->field));
    assert_false(field_present(record, model_column(hero, "name")->field));
    request.read_mask = wrong;
    request.n_read_mask = 3;
    assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(q->f, "read_mask[1]", "expand loads it"));
    assert_true(fixture_blames(q->f, "read_mask[2]", "no column called"));
}

/* A descending order over a column with NULLs goes on where it was: no page
 * walks through those before it. */
static void test_no_page_walks(void **state)
{
    struct question *q = *state;
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse answer;
    char *order[] = {"-age"};
    fill(q, 300);
    fixture_sql(q->f, "UPDATE hero SET age = NULL WHERE id % 3 = 0");
    request.model = "hero";
    request.order_by = order;
    request.n_order_by = 1;
    request.page_size = 7;
    size_t n = 0;
    do {
        assert_int_equal(list(q, &request, &answer), HERO__V1__CODE__OK);
        n += answer.n_roots;
        for (const struct echo_statement *s = q->echo.first; s && request.page_token.len;
             s = s->next)
            if (strncmp(s->sql, "SELECT", 6) == 0)
                assert_null(strstr(plan_of_sql(q, s->sql), "SCAN t"));
        request.page_token = answer.next_page_token;
    } while (answer.next_page_token.len);
    assert_int_equal(n, 300);
}

static void test_deadline(void **state)
{
    struct question *q = *state;
    Hero__V1__ListResponse answer;
    struct timespec now;
    fill(q, 3000);
    fixture_sql(q->f, "INSERT INTO team (name) VALUES ('a'), ('b');"
                      "INSERT INTO membership (team_id, hero_id) SELECT 1, id FROM hero;");
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t started = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    q->deadline_ns = started + 50 * 1000000;
    assert_int_equal(ask(q, "hero",
                         "any(teams, all(heroes, strength IS NULL AND all(teams, all(heroes, "
                         "contains(name, \"h\")))))",
                         &answer),
                     HERO__V1__CODE__DEADLINE_EXCEEDED);
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - started < 5000000000);
    q->deadline_ns = 0;
    assert_int_equal(n_found(q, "id = 3"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_refused),        TEST(test_limits),      TEST(test_plans),
        TEST(test_plans_of_scans), TEST(test_open_ranges), TEST(test_values),
        TEST(test_kinds),          TEST(test_totals),      TEST(test_mask),
        TEST(test_no_page_walks),  TEST(test_deadline),
    };
    return cmocka_run_group_tests_name("filters", tests, NULL, NULL);
}
