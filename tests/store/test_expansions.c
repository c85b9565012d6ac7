/*
 * Related records with questions of their own: filters, orders, caps with
 * totals and tokens; pages of one record's; groups; and what Explain tells.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CODE(name) HERO__V1__CODE__##name

static const char models_text[] =
    "message Team { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string town = 3;"
    " repeated Hero heroes = 4 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'teams'}]; }"
    "message Hero { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional int64 age = 3;"
    " repeated Team teams = 10 [(hero.relationship) = {link_model: 'Membership'"
    " back_populates: 'heroes'}]; }"
    "message Membership { option (hero.table) = {};"
    " optional int64 team_id = 1 [(hero.column) = {primary_key: true foreign_key: 'team.id'}];"
    " optional int64 hero_id = 2 [(hero.column) = {primary_key: true foreign_key: 'hero.id'}];"
    " optional int32 rank = 3; }";

struct question {
    struct fixture *f;
    struct models *models;
    struct arena echo_arena;
    struct echo echo;
    struct store_read read;
};

static int setup(void **state)
{
    struct question *q = calloc(1, sizeof(*q));
    fixture_setup((void **)&q->f);
    fixture_open(q->f);
    assert_int_equal(fixture_apply(q->f, models_text, NULL), CODE(OK));
    q->models = store_models(q->f->store);
    arena_init(&q->echo_arena, 16u << 20);
    /* 100 heroes; teams 1 to 5 have a tenth, 6 all of them, 7 none. */
    fixture_sql(q->f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "100) INSERT INTO hero (name, age) SELECT 'h' || (i % 10), "
                      "iif(i % 7 = 0, NULL, i % 13) FROM n;"
                      "INSERT INTO team (name, town) VALUES ('a', 'x'), ('b', 'y'), ('c', 'x'), "
                      "('d', NULL), ('e', 'x'), ('all', 'z'), ('none', 'z');"
                      "INSERT INTO membership (team_id, hero_id, rank) SELECT 1 + id % 5, id, "
                      "(id * 7) % 11 FROM hero WHERE id % 2 = 0;"
                      "INSERT INTO membership (team_id, hero_id, rank) SELECT 6, id, id % 3 "
                      "FROM hero");
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

static struct store_read *reading(struct question *q)
{
    arena_reset(&q->echo_arena);
    echo_init(&q->echo, &q->echo_arena);
    fault_done(&q->f->fault);
    q->read = (struct store_read){.models = q->models, .arena = &q->f->arena, .echo = &q->echo};
    return &q->read;
}

static size_t n_statements(const struct question *q)
{
    size_t n = 0;
    for (const struct echo_statement *s = q->echo.first; s; s = s->next)
        n += strncmp(s->sql, "SELECT", 6) == 0;
    return n;
}

static Code list(struct question *q, const char *model, const Hero__V1__Expansion *expansions,
                 size_t n, Hero__V1__ListResponse *answer)
{
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__Expansion *pointers[8];
    for (size_t i = 0; i < n; i++)
        pointers[i] = (Hero__V1__Expansion *)(uintptr_t)&expansions[i];
    request.model = (char *)(uintptr_t)model;
    request.expansions = pointers;
    request.n_expansions = n;
    request.page_size = 1000;
    hero__v1__list_response__init(answer);
    return store_list(q->f->store, reading(q), &request, answer, &q->f->fault);
}

static void lists(struct question *q, const char *model, const Hero__V1__Expansion *expansions,
                  size_t n, Hero__V1__ListResponse *answer)
{
    if (list(q, model, expansions, n, answer) == CODE(OK))
        return;
    fixture_print_fault(q->f);
    fail();
}

static int64_t id_of(struct question *q, const char *model_name, const Hero__V1__Record *record)
{
    const struct model *model = models_find(q->models, model_name, NULL);
    ProtobufCMessage *message;
    assert_int_equal(
        model_unpack(model, record->value.data, record->value.len, &q->f->arena, &message, NULL),
        CODE(OK));
    return *(int64_t *)field_at(message, model->primary_key[0]->field);
}

/* "3 9 12 ": keys of the records related to the root, in the order of the edges. */
static const char *related_ids(struct question *q, const char *model, const Hero__V1__Graph *graph,
                               uint32_t from)
{
    const char *ids = "";
    uint32_t position = 0;
    for (size_t i = 0; i < graph->n_edges; i++)
        if (graph->edges[i]->from == from) {
            assert_int_equal(graph->edges[i]->position, position++);
            ids = arena_printf(&q->f->arena, "%s%lld ", ids,
                               (long long)id_of(q, model, graph->records[graph->edges[i]->to - 1]));
        }
    return ids;
}

static const char *expected_ids(struct question *q, const char *sql, long long parent)
{
    char *rows =
        arena_strdup(&q->f->arena, fixture_query(q->f, arena_printf(&q->f->arena, sql, parent)));
    for (char *p = rows; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    return rows;
}

static const Hero__V1__RelatedList *list_of(const Hero__V1__Graph *graph, uint32_t from)
{
    for (size_t i = 0; i < graph->n_lists; i++)
        if (graph->lists[i]->from == from)
            return graph->lists[i];
    return NULL;
}

/* ---- expansions ---- */

/* 100 heroes, their teams, those teams' heroes: three statements. */
static void test_three_levels(void **state)
{
    struct question *q = *state;
    Hero__V1__ListResponse answer;
    Hero__V1__Expansion deep[] = {HERO__V1__EXPANSION__INIT, HERO__V1__EXPANSION__INIT};
    deep[0].path = "teams.heroes";
    lists(q, "hero", deep, 1, &answer);
    assert_int_equal(answer.n_roots, 100);
    assert_int_equal(n_statements(q), 3);
    assert_int_equal(answer.graph->n_lists, 0);
    size_t all = answer.graph->n_edges;
    deep[0].filter = "age > 3";
    deep[0].n_order_by = 1;
    deep[0].order_by = (char *[]){"-link.rank"};
    deep[1].path = "teams";
    deep[1].n_order_by = 2;
    deep[1].order_by = (char *[]){"town", "-name"};
    lists(q, "hero", deep, 2, &answer);
    assert_int_equal(n_statements(q), 3);
    assert_true(answer.graph->n_edges < all);
    deep[0].page_size = 5;
    deep[1].page_size = 1;
    lists(q, "hero", deep, 2, &answer);
    assert_int_equal(n_statements(q), 3);
}

static const struct {
    const char *model, *path, *filter, *order;
    const char *sql; /* of one parent */
} cases[] = {
    {"team", "heroes", NULL, NULL,
     "SELECT hero_id FROM membership WHERE team_id = %lld ORDER BY hero_id"},
    {"team", "heroes", "age > 5", NULL,
     "SELECT id FROM membership JOIN hero ON id = hero_id WHERE team_id = %lld AND age > 5 ORDER "
     "BY id"},
    {"team", "heroes", "link.rank IN (1, 2) OR age IS NULL", "-age",
     "SELECT id FROM membership JOIN hero ON id = hero_id WHERE team_id = %lld AND (rank IN (1, 2) "
     "OR age IS NULL) ORDER BY age DESC, id DESC"},
    {"team", "heroes", NULL, "-link.rank",
     "SELECT hero_id FROM membership WHERE team_id = %lld ORDER BY rank DESC, hero_id DESC"},
    {"team", "heroes", "any(teams, name = \"a\")", "name",
     "SELECT id FROM membership JOIN hero ON id = hero_id WHERE team_id = %lld AND id IN (SELECT "
     "hero_id FROM membership WHERE team_id = 1) ORDER BY name, id"},
    {"hero", "teams", "town != \"x\"", "town",
     "SELECT id FROM membership JOIN team ON id = team_id WHERE hero_id = %lld AND town IS NOT 'x' "
     "ORDER BY town, id"},
};

static void check_case(struct question *q, size_t at, uint32_t cap, bool total)
{
    Hero__V1__Expansion asked = HERO__V1__EXPANSION__INIT;
    Hero__V1__ListResponse answer;
    const char *related = strcmp(cases[at].model, "team") == 0 ? "hero" : "team";
    asked.path = (char *)(uintptr_t)cases[at].path;
    asked.filter = (char *)(uintptr_t)cases[at].filter;
    asked.order_by = (char *[]){(char *)(uintptr_t)cases[at].order};
    asked.n_order_by = cases[at].order ? 1 : 0;
    asked.page_size = cap;
    asked.total = asked.has_total = total;
    lists(q, cases[at].model, &asked, 1, &answer);
    for (size_t i = 0; i < answer.n_roots; i++) {
        uint32_t root = answer.roots[i];
        long long id = id_of(q, cases[at].model, answer.graph->records[root - 1]);
        const char *all = expected_ids(q, cases[at].sql, id);
        const char *some =
            cap ? expected_ids(q, arena_printf(&q->f->arena, "%s LIMIT %u", cases[at].sql, cap), id)
                : all;
        const Hero__V1__RelatedList *told = list_of(answer.graph, root);
        size_t n = 0;
        for (const char *p = all; *p; p++)
            n += *p == ' ';
        assert_string_equal(related_ids(q, related, answer.graph, root), some);
        assert_int_equal(told && told->has_next_page_token, cap && n > cap);
        assert_int_equal(told && told->has_total, total);
        assert_true(!total || told->total == n);
    }
}

static void test_cases(void **state)
{
    struct question *q = *state;
    for (size_t at = 0; at < sizeof(cases) / sizeof(*cases); at++)
        for (uint32_t cap = 0; cap < 12; cap += 3) {
            check_case(q, at, cap, false);
            check_case(q, at, cap, true);
        }
}

static Code list_related(struct question *q, const char *key, Hero__V1__ListRelatedRequest *request,
                         Hero__V1__ListRelatedResponse *answer)
{
    Hero__V1__Target target = HERO__V1__TARGET__INIT;
    uint8_t packed[2] = {0x08, (uint8_t)atoi(key)};
    target.model = "team";
    target.has_key = 1;
    target.key = (ProtobufCBinaryData){2, packed};
    request->target = &target;
    hero__v1__list_related_response__init(answer);
    return store_list_related(q->f->store, reading(q), request, answer, &q->f->fault);
}

/* A capped list goes on where its token says, to its end. */
static void test_goes_on(void **state)
{
    struct question *q = *state;
    for (size_t at = 0; at + 1 < sizeof(cases) / sizeof(*cases); at++) {
        Hero__V1__Expansion asked = HERO__V1__EXPANSION__INIT;
        Hero__V1__ListResponse first;
        asked.path = "heroes";
        asked.filter = (char *)(uintptr_t)cases[at].filter;
        asked.order_by = (char *[]){(char *)(uintptr_t)cases[at].order};
        asked.n_order_by = cases[at].order ? 1 : 0;
        asked.page_size = 2;
        lists(q, "team", &asked, 1, &first);
        const Hero__V1__RelatedList *told = list_of(first.graph, first.roots[5]);
        const char *ids = related_ids(q, "hero", first.graph, first.roots[5]);
        ProtobufCBinaryData token = told->next_page_token;
        while (token.len) {
            Hero__V1__ListRelatedRequest request = HERO__V1__LIST_RELATED_REQUEST__INIT;
            Hero__V1__ListRelatedResponse answer;
            request.relationship = "heroes";
            request.filter = asked.filter;
            request.order_by = asked.order_by;
            request.n_order_by = asked.n_order_by;
            request.page_size = 7;
            request.page_token = token;
            request.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
            if (list_related(q, "6", &request, &answer) != CODE(OK)) {
                fixture_print_fault(q->f);
                fail();
            }
            assert_int_equal(answer.graph->edges[0]->from, 1); /* the record itself */
            ids = arena_printf(&q->f->arena, "%s%s", ids, related_ids(q, "hero", answer.graph, 1));
            token = answer.next_page_token;
        }
        assert_string_equal(ids, expected_ids(q, cases[at].sql, 6));
    }
}

static void test_related_refused(void **state)
{
    struct question *q = *state;
    Hero__V1__ListRelatedRequest request = HERO__V1__LIST_RELATED_REQUEST__INIT;
    Hero__V1__ListRelatedResponse answer;
    request.relationship = "heroes";
    assert_int_equal(list_related(q, "99", &request, &answer), CODE(NOT_FOUND));
    assert_true(fixture_blames(q->f, "target.key", "99 does not exist"));
    request.relationship = "friends";
    assert_int_equal(list_related(q, "1", &request, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "relationship", "no relationship called \"friends\""));
    request.relationship = "heroes";
    request.filter = "link.rang = 1";
    assert_int_equal(list_related(q, "1", &request, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "filter", "character 6"));
    request.filter = NULL;
    assert_int_equal(list_related(q, "7", &request, &answer), CODE(OK));
    assert_int_equal(answer.n_roots, 0);
}

static void test_refused(void **state)
{
    struct question *q = *state;
    Hero__V1__ListResponse answer;
    Hero__V1__Expansion e[] = {HERO__V1__EXPANSION__INIT, HERO__V1__EXPANSION__INIT};
    e[0].path = "heroes";
    e[0].filter = "agee = 3";
    assert_int_equal(list(q, "team", e, 1, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[0].filter", "character 1: Hero has no field"));
    assert_non_null(strstr(q->f->fault.message, "expansions[0].filter"));
    e[0].filter = NULL;
    e[0].order_by = (char *[]){"link.rank", "rank"};
    e[0].n_order_by = 2;
    assert_int_equal(list(q, "team", e, 1, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[0].order_by[1]", "no field called \"rank\""));
    e[0].n_order_by = 0;
    e[0].read_mask = (char *[]){"teams"};
    e[0].n_read_mask = 1;
    assert_int_equal(list(q, "team", e, 1, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[0].read_mask[0]", "expand loads it"));
    e[0].n_read_mask = 0;
    e[1].path = "heroes";
    assert_int_equal(list(q, "team", e, 2, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[1].path", "is there twice"));
    e[1].path = "heroes.nothing";
    assert_int_equal(list(q, "team", e, 2, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[1].path", "no relationship called \"nothing\""));
    /* One record has one list for a relationship, whichever path leads there. */
    e[1].path = "heroes.teams.heroes";
    e[1].filter = "age = 3";
    assert_int_equal(list(q, "team", e, 2, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "expansions[0]", "along another path"));
    e[0].filter = "age = 3";
    lists(q, "team", e, 2, &answer);
}

/* A list of 100,000: what is asked for is what is looked at. */
static void test_large_list(void **state)
{
    struct question *q = *state;
    Hero__V1__Expansion asked = HERO__V1__EXPANSION__INIT;
    Hero__V1__ListResponse answer;
    double best = 1e9;
    fixture_sql(q->f, "WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "100100) INSERT INTO hero (id, name) SELECT i, 'x' FROM n;"
                      "INSERT INTO membership (team_id, hero_id) SELECT 7, id FROM hero WHERE id > "
                      "100");
    asked.path = "heroes";
    asked.page_size = 10;
    for (int i = 0; i < 10; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        lists(q, "team", &asked, 1, &answer);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ms =
            (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        best = ms < best ? ms : best;
    }
    assert_int_equal(answer.n_roots, 7);
    if (best >= 5)
        fail_msg("a capped page of 100,000 related records took %.1f ms", best);
    asked.total = asked.has_total = 1;
    lists(q, "team", &asked, 1, &answer);
    assert_int_equal(n_statements(q), 3);
    assert_int_equal(list_of(answer.graph, answer.roots[6])->total, 100000);
}

/* ---- groups ---- */

static const char *groups(struct question *q, const char *model, const char *by, const char *filter,
                          uint32_t limit)
{
    Hero__V1__CountRequest request = HERO__V1__COUNT_REQUEST__INIT;
    Hero__V1__CountResponse answer = HERO__V1__COUNT_RESPONSE__INIT;
    const char *text = "";
    request.model = (char *)(uintptr_t)model;
    request.group_by = (char *)(uintptr_t)by;
    request.filter = (char *)(uintptr_t)filter;
    request.limit = limit;
    if (store_count(q->f->store, reading(q), &request, &answer, &q->f->fault) != CODE(OK))
        return q->f->fault.message;
    const struct model *of = models_find(q->models, answer.model, NULL);
    for (size_t i = 0; i < answer.n_groups; i++) {
        const Hero__V1__CountGroup *group = answer.groups[i];
        ProtobufCMessage *record;
        const char *value = "NULL";
        if (group->has_value) {
            assert_int_equal(
                model_unpack(of, group->value.data, group->value.len, &q->f->arena, &record, NULL),
                CODE(OK));
            for (size_t k = 0; k < of->n_columns; k++) {
                const struct column *column = &of->columns[k];
                if (!field_present(record, column->field))
                    continue;
                value = column->type == PROTOBUF_C_TYPE_STRING
                            ? *(char **)field_at(record, column->field)
                            : arena_printf(&q->f->arena, "%lld",
                                           (long long)*(int64_t *)field_at(record, column->field));
            }
        }
        text =
            arena_printf(&q->f->arena, "%s%s:%llu ", text, value, (unsigned long long)group->count);
    }
    return answer.more ? arena_printf(&q->f->arena, "%s..", text) : text;
}

static void test_groups(void **state)
{
    struct question *q = *state;
    assert_string_equal(groups(q, "hero", NULL, NULL, 0), "NULL:100 ");
    assert_string_equal(groups(q, "hero", NULL, "age IS NULL", 0), "NULL:14 ");
    assert_string_equal(groups(q, "team", "town", NULL, 0), "x:3 z:2 NULL:1 y:1 ");
    assert_string_equal(groups(q, "team", "town", NULL, 2), "x:3 z:2 ..");
    assert_string_equal(groups(q, "team", "town", "name != \"a\"", 0), "x:2 z:2 NULL:1 y:1 ");
    assert_string_equal(groups(q, "hero", "teams", NULL, 0), "6:100 1:10 2:10 3:10 4:10 5:10 ");
    assert_string_equal(groups(q, "hero", "teams", "name = \"h2\"", 0), "3:10 6:10 ");
    assert_string_equal(groups(q, "team", "heroes", "name = \"none\"", 0), "NULL:1 ");
    assert_string_equal(groups(q, "team", "towns", NULL, 0),
                        "group_by: Team has no field called \"towns\"");
    assert_string_equal(groups(q, "team", NULL, NULL, 3), "limit: goes with group_by");
}

/* ---- explain ---- */

static Code explain(struct question *q, Hero__V1__ListRequest *list,
                    Hero__V1__ExplainResponse *answer)
{
    Hero__V1__ExplainRequest request = HERO__V1__EXPLAIN_REQUEST__INIT;
    request.list = list;
    hero__v1__explain_response__init(answer);
    return store_explain(q->f->store, reading(q), &request, answer, &q->f->fault);
}

static void test_explain(void **state)
{
    struct question *q = *state;
    Hero__V1__ListRequest list = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ExplainResponse answer;
    list.model = "hero";
    list.filter = "name = \"h1\"";
    assert_int_equal(explain(q, &list, &answer), CODE(OK));
    assert_int_equal(answer.n_statements, 1);
    assert_non_null(strstr(answer.statements[0]->sql, "name = 'h1'"));
    assert_int_equal(answer.statements[0]->n_indexes, 1);
    assert_string_equal(answer.statements[0]->indexes[0], "ix_hero_name");
    assert_int_equal(answer.statements[0]->n_missing, 0);
    assert_true(answer.statements[0]->n_plan > 0);

    list.filter = "age = 3";
    assert_int_equal(explain(q, &list, &answer), CODE(OK));
    assert_int_equal(answer.statements[0]->n_missing, 1);
    assert_string_equal(answer.statements[0]->missing[0], "Hero.age: [(hero.column).index = true]");

    list.filter = NULL;
    list.order_by = (char *[]){"-age", "-name"};
    list.n_order_by = 2;
    list.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
    Hero__V1__Expansion teams = HERO__V1__EXPANSION__INIT;
    teams.path = "teams";
    teams.filter = "town = \"x\"";
    list.expansions = (Hero__V1__Expansion *[]){&teams};
    list.n_expansions = 1;
    assert_int_equal(explain(q, &list, &answer), CODE(OK));
    assert_int_equal(answer.n_statements, 3);
    assert_int_equal(answer.statements[0]->n_missing, 1);
    assert_string_equal(answer.statements[0]->missing[0],
                        "Hero: option (hero.table).index = {columns: [\"age\", \"name\"]}");
    assert_non_null(strstr(answer.statements[1]->sql, "_hero_keys"));
    /* Nothing was run, nothing was left behind. */
    assert_string_equal(fixture_query(q->f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE "
                                            "'%trial%'"),
                        "0\n");
    list.filter = "agee = 3";
    assert_int_equal(explain(q, &list, &answer), CODE(INVALID_ARGUMENT));
    assert_true(fixture_blames(q->f, "list.filter", "character 1"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_three_levels),    TEST(test_cases),   TEST(test_goes_on),
        TEST(test_related_refused), TEST(test_refused), TEST(test_large_list),
        TEST(test_groups),          TEST(test_explain),
    };
    return cmocka_run_group_tests_name("expansions", tests, NULL, NULL);
}
