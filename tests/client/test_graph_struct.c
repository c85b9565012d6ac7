/*
 * Structs to a graph and back, with the tutorial's models: cycles, shared
 * structs, members named by key, and structs that are not as they should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "binding.h"
#include "graph.h"
#include "graph_struct.h"
#include "heroes.pb-c.h"

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};

struct fixture {
    struct bindings *bindings;
    struct arena arena;
    struct fault fault;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct models *models;

    memset(&fixture, 0, sizeof(fixture));
    arena_init(&fixture.arena, 512 * 1024 * 1024);
    assert_int_equal(models_new(heroes_set, sizeof(heroes_set), &models, &fixture.fault), 0);
    fixture.bindings = bindings_new(models);
    models_unref(models);
    assert_non_null(fixture.bindings);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    bindings_unref(fixture->bindings);
    arena_done(&fixture->arena);
    fault_done(&fixture->fault);
    return 0;
}

static Hero__V1__Graph *build(struct fixture *fixture, const ProtobufCMessage *root)
{
    Hero__V1__CreateRequest *request = NULL;

    if (graph_struct_create(fixture->bindings, root, &fixture->arena, &request, &fixture->fault))
        return NULL;
    return request->graph;
}

static void test_a_cycle_goes_in_once(void **state)
{
    struct fixture *fixture = *state;
    Hero a = HERO__INIT, b = HERO__INIT;
    Team team = TEAM__INIT;
    Hero *heroes[] = {&a, &b};
    Team *teams[] = {&team, &team};
    const uint32_t roots[] = {1};
    const Hero *back;
    ProtobufCMessage **records;
    Hero__V1__Graph *graph;

    a.name = "a";
    b.name = "b";
    team.name = "t";
    team.heroes = heroes;
    team.n_heroes = 2;
    a.teams = b.teams = teams;
    a.n_teams = 2;
    b.n_teams = 1;
    graph = build(fixture, &a.base);
    assert_non_null(graph);
    assert_int_equal(graph->n_records, 3);
    assert_int_equal(graph->n_edges, 2); /* a-team and team-b, each once */
    assert_int_equal(graph_check(graph, &fixture->arena, &fixture->fault), 0);
    assert_string_equal(graph->records[0]->model, "Hero");
    assert_int_equal(graph->records[0]->member, HERO__V1__RECORD__MEMBER__NEW);

    assert_int_equal(graph_struct_assemble(fixture->bindings, graph, roots, 1, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     0);
    back = (const Hero *)records[0];
    assert_string_equal(back->name, "a");
    assert_int_equal(back->n_teams, 1);
    assert_ptr_equal(back->base.descriptor, &hero__descriptor);
    assert_int_equal(back->teams[0]->n_heroes, 1);
    assert_string_equal(back->teams[0]->heroes[0]->name, "b");
}

static void test_a_key_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    Hero hero = HERO__INIT, beyond = HERO__INIT;
    Team team = TEAM__INIT;
    Hero *heroes[] = {&beyond};
    Team *teams[] = {&team};
    Hero__V1__Graph *graph;
    Team *sent;

    team.has_id = 1;
    team.id = 7;
    team.name = "not sent";
    team.heroes = heroes; /* not followed */
    team.n_heroes = 1;
    hero.has_id = 1; /* the root is new all the same */
    hero.id = 3;
    hero.teams = teams;
    hero.n_teams = 1;
    graph = build(fixture, &hero.base);
    assert_non_null(graph);
    assert_int_equal(graph->n_records, 2);
    assert_int_equal(graph->records[0]->member, HERO__V1__RECORD__MEMBER__NEW);
    assert_int_equal(graph->records[1]->member, HERO__V1__RECORD__MEMBER__KEY);
    sent = team__unpack(NULL, graph->records[1]->value.len, graph->records[1]->value.data);
    assert_non_null(sent);
    assert_int_equal(sent->id, 7);
    assert_null(sent->name);
    team__free_unpacked(sent, NULL);
}

/* No recursion: a chain of a hundred thousand. */
static void test_a_long_chain(void **state)
{
    enum { N = 100000 };
    struct fixture *fixture = *state;
    Hero *heroes = test_calloc(N, sizeof(*heroes)), **of = test_calloc(N, sizeof(*of));
    Team *teams = test_calloc(N, sizeof(*teams)), **in = test_calloc(N, sizeof(*in));
    const uint32_t roots[] = {1};
    ProtobufCMessage **records;
    Hero__V1__Graph *graph;

    for (int i = 0; i < N; i++) {
        hero__init(&heroes[i]);
        team__init(&teams[i]);
        in[i] = &teams[i];
        heroes[i].teams = &in[i];
        heroes[i].n_teams = 1;
        of[i] = &heroes[(i + 1) % N];
        teams[i].heroes = &of[i];
        teams[i].n_heroes = 1;
    }
    graph = build(fixture, &heroes[0].base);
    assert_non_null(graph);
    assert_int_equal(graph->n_records, 2 * N);
    assert_int_equal(graph->n_edges, 2 * N);
    assert_int_equal(graph_struct_assemble(fixture->bindings, graph, roots, 1, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     0);
    test_free(heroes);
    test_free(of);
    test_free(teams);
    test_free(in);
}

static void refused(struct fixture *fixture, const Hero *hero, const char *path)
{
    assert_null(build(fixture, &hero->base));
    assert_int_equal(fixture->fault.code, HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(fixture->fault.n_violations, 1);
    assert_string_equal(fixture->fault.violations[0].path, path);
    fault_done(&fixture->fault);
}

static void test_faulty_structs(void **state)
{
    struct fixture *fixture = *state;
    Hero hero = HERO__INIT;
    Team good = TEAM__INIT, bad = TEAM__INIT;
    Team *teams[] = {&good, &bad}, *wrong[] = {(Team *)(void *)&hero}, *hole[] = {&good, NULL};

    bad.headquarters = "\xed\xa0\x80";
    hero.teams = teams;
    hero.n_teams = 2;
    refused(fixture, &hero, "teams[1].headquarters");
    hero.teams = wrong;
    hero.n_teams = 1;
    refused(fixture, &hero, "teams[0]");
    hero.teams = hole;
    hero.n_teams = 2;
    refused(fixture, &hero, "teams[1]");
    hero.teams = NULL;
    refused(fixture, &hero, "teams");
}

static void test_a_small_arena_is_told(void **state)
{
    struct fixture *fixture = *state;
    Hero hero = HERO__INIT;

    hero.name = "name";
    arena_done(&fixture->arena);
    arena_init(&fixture->arena, 1);
    assert_null(build(fixture, &hero.base));
    assert_int_equal(fixture->fault.code, HERO__V1__CODE__RESOURCE_EXHAUSTED);
}

static void test_broken_graphs(void **state)
{
    struct fixture *fixture = *state;
    Hero__V1__Record record = HERO__V1__RECORD__INIT;
    Hero__V1__Edge edge = HERO__V1__EDGE__INIT;
    Hero__V1__Record *all[] = {&record, &record};
    Hero__V1__Edge *edges[] = {&edge};
    Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
    const uint32_t roots[] = {1, 9};
    ProtobufCMessage **records;

    record.has_ref = 1;
    record.ref = 1;
    record.model = "Hero";
    graph.records = all;
    graph.n_records = 1;
    assert_int_equal(graph_struct_assemble(fixture->bindings, &graph, roots, 2, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     HERO__V1__CODE__INTERNAL);
    graph.n_records = 2;
    assert_int_equal(graph_struct_assemble(fixture->bindings, &graph, roots, 1, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     HERO__V1__CODE__INTERNAL);
    graph.n_records = 1;
    edge.has_from = edge.has_to = 1;
    edge.from = 1;
    edge.to = 5;
    edge.relationship = "teams";
    graph.edges = edges;
    graph.n_edges = 1;
    assert_int_equal(graph_struct_assemble(fixture->bindings, &graph, roots, 1, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     HERO__V1__CODE__INTERNAL);
    /* A relationship of newer models is left out. */
    edge.to = 1;
    edge.relationship = "friends";
    assert_int_equal(graph_struct_assemble(fixture->bindings, &graph, roots, 1, &hero__descriptor,
                                           &fixture->arena, &records, NULL, &fixture->fault),
                     HERO__V1__CODE__OK);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_cycle_goes_in_once), TEST(test_a_key_is_not_written),  TEST(test_a_long_chain),
        TEST(test_faulty_structs),       TEST(test_a_small_arena_is_told), TEST(test_broken_graphs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
