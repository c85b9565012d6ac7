/*
 * Graphs: refs, checks, and the paths that errors name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "graph.h"

#define MOST 64

static struct arena arena;
static Hero__V1__Record record_list[MOST], *records[MOST];
static Hero__V1__Edge edge_list[MOST], *edges[MOST];
static Hero__V1__Graph graph;
static char thing[] = "Thing";

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    hero__v1__graph__init(&graph);
    graph.records = records;
    graph.edges = edges;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void add_record(uint32_t ref)
{
    Hero__V1__Record *record = &record_list[graph.n_records];
    hero__v1__record__init(record);
    record->has_ref = 1;
    record->ref = ref;
    record->model = thing;
    records[graph.n_records++] = record;
}

static void add_edge(uint32_t from, char *relationship, uint32_t to)
{
    Hero__V1__Edge *edge = &edge_list[graph.n_edges];
    hero__v1__edge__init(edge);
    edge->has_from = edge->has_to = 1;
    edge->from = from;
    edge->to = to;
    edge->relationship = relationship;
    edges[graph.n_edges++] = edge;
}

static void test_refs(void **state)
{
    static int values[3000];
    struct graph_refs refs;
    (void)state;
    graph_refs_init(&refs, &arena);
    assert_null(graph_refs_find(&refs, 1));
    assert_false(graph_refs_add(&refs, 0, values));
    for (uint32_t i = 0; i < 3000; i++)
        assert_true(graph_refs_add(&refs, UINT32_MAX - i * 16, &values[i]));
    assert_false(graph_refs_add(&refs, UINT32_MAX, values));
    for (uint32_t i = 0; i < 3000; i++)
        assert_ptr_equal(graph_refs_find(&refs, UINT32_MAX - i * 16), &values[i]);
    assert_null(graph_refs_find(&refs, 1));
    assert_null(graph_refs_find(&refs, 0));
    struct arena small;
    arena_init(&small, 100);
    graph_refs_init(&refs, &small);
    assert_false(graph_refs_add(&refs, 1, values));
    assert_true(small.exhausted);
    arena_done(&small);
}

static void test_check(void **state)
{
    struct fault fault = FAULT_INIT;
    char teams[] = "teams", empty[] = "";
    (void)state;
    assert_int_equal(graph_check(&graph, &arena, &fault), HERO__V1__CODE__OK);
    add_record(1);
    add_record(2);
    add_edge(1, teams, 2);
    add_edge(2, teams, 2);
    assert_int_equal(graph_check(&graph, &arena, &fault), HERO__V1__CODE__OK);
    add_record(0);
    add_record(2);
    records[3]->model = empty;
    add_edge(1, NULL, 9);
    assert_int_equal(graph_check(&graph, &arena, &fault), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(fault.n_violations, 5);
    assert_string_equal(fault.violations[0].path, "records[2]");
    assert_string_equal(fault.violations[1].path, "records[3]");
    assert_string_equal(fault.violations[3].path, "edges[2]");
    fault_done(&fault);
    assert_int_equal(graph_check(&graph, &arena, NULL), HERO__V1__CODE__INVALID_ARGUMENT);
}

static void test_paths(void **state)
{
    char teams[] = "teams", heroes[] = "heroes";
    (void)state;
    for (uint32_t ref = 1; ref <= 5; ref++)
        add_record(ref);
    add_edge(1, teams, 2);
    add_edge(1, teams, 3);
    add_edge(3, heroes, 1); /* a cycle */
    add_edge(3, heroes, 4);
    add_edge(2, heroes, 5);
    assert_string_equal(graph_path(&graph, NULL, 0, &arena), "");
    assert_string_equal(graph_path(&graph, NULL, 1, &arena), "teams[0]");
    assert_string_equal(graph_path(&graph, NULL, 2, &arena), "teams[1]");
    assert_string_equal(graph_path(&graph, NULL, 3, &arena), "teams[1].heroes[1]");
    assert_string_equal(graph_path(&graph, NULL, 4, &arena), "teams[0].heroes[0]");
    assert_string_equal(graph_path(&graph, NULL, 99, &arena), "");
    add_record(6); /* a second root */
    add_edge(6, teams, 2);
    assert_string_equal(graph_path(&graph, NULL, 0, &arena), "records[0]");
    assert_string_equal(graph_path(&graph, NULL, 1, &arena), "records[0].teams[0]");
    assert_string_equal(graph_path(&graph, NULL, 5, &arena), "records[5]");
}

static void test_paths_without_root(void **state)
{
    char next[] = "next";
    (void)state;
    for (uint32_t ref = 1; ref <= 4; ref++)
        add_record(ref);
    add_edge(1, next, 2);
    add_edge(2, next, 1);
    add_edge(3, next, 4); /* a cycle that nothing leads to */
    add_edge(4, next, 3);
    assert_string_equal(graph_path(&graph, NULL, 0, &arena), "");
    assert_string_equal(graph_path(&graph, NULL, 1, &arena), "next[0]");
    assert_string_equal(graph_path(&graph, NULL, 2, &arena), "records[2]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paths_without_root, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
