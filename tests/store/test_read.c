/*
 * Reads: keys, pages that stay right, expansion at one statement a level.
 */
#include "store_case.h"

#include <stdio.h>
#include <string.h>

#define CODE(name) HERO__V1__CODE__##name

static struct store_read reading(struct store_case *c)
{
    struct arena *arena = arena_alloc(&c->arena, sizeof(*arena));
    arena_init(arena, 16u << 20);
    echo_init(&c->echo, arena);
    return (struct store_read){.models = c->models, .arena = &c->arena, .echo = &c->echo};
}

static size_t n_statements(const struct store_case *c)
{
    size_t n = 0;
    for (const struct echo_statement *s = c->echo.first; s; s = s->next)
        n += strncmp(s->sql, "SELECT", 6) == 0;
    arena_done(c->echo.arena);
    return n;
}

static Code get(struct store_case *c, const char *model, const char *const *keys, size_t n,
                const char *expand, Hero__V1__GetResponse *ret, struct fault *fault)
{
    Hero__V1__GetRequest request = HERO__V1__GET_REQUEST__INIT;
    ProtobufCBinaryData packed[8];
    char *paths[] = {(char *)(uintptr_t)expand};
    struct store_read read = reading(c);
    request.model = (char *)(uintptr_t)model;
    for (size_t i = 0; i < n; i++)
        packed[i] = case_record(c, model, keys[i]);
    request.keys = packed;
    request.n_keys = n;
    request.expand = paths;
    request.n_expand = expand ? 1 : 0;
    hero__v1__get_response__init(ret);
    return store_get(c->store, &read, &request, ret, fault);
}

static void fill(struct store_case *c)
{
    store_case_sql(c, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "200) INSERT INTO hero (name, secret_name, age) SELECT 'h' || (i % 20), 's', "
                      "iif(i % 5 = 0, NULL, i % 7) FROM n;"
                      "INSERT INTO team (name, headquarters) VALUES ('a', 'x'), ('b', 'y');"
                      "INSERT INTO heroteamlink (team_id, hero_id) SELECT 1 + id % 2, id FROM hero;"
                      "INSERT INTO heroteamlink (team_id, hero_id) SELECT 2 - id % 2, id FROM hero "
                      "WHERE id % 10 = 0");
}

static void test_get(void **state)
{
    struct store_case *c = *state;
    Hero__V1__GetResponse answer;
    struct fault fault = FAULT_INIT;
    const char *keys[] = {"id=3", "id=1", "id=3"};
    fill(c);
    assert_int_equal(get(c, "hero", keys, 3, NULL, &answer, &fault), CODE(OK));
    assert_int_equal(answer.n_roots, 3);
    assert_int_equal(answer.roots[0], answer.roots[2]); /* once in the graph */
    assert_int_equal(answer.graph->n_records, 2);
    n_statements(c);
    const char *missing[] = {"id=3", "id=900", "id=901"};
    assert_int_equal(get(c, "hero", missing, 3, NULL, &answer, &fault), CODE(NOT_FOUND));
    assert_true(case_blames(&fault, "keys[1]") && case_blames(&fault, "keys[2]"));
    fault_done(&fault);
    n_statements(c);
    const char *partly[] = {"branch=a"};
    assert_int_equal(get(c, "copy", partly, 1, NULL, &answer, &fault), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&fault, "keys[0].shelf"));
    fault_done(&fault);
    n_statements(c);
    const char *one[] = {"id=1"};
    assert_int_equal(get(c, "hero", one, 1, "friends", &answer, &fault), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&fault, "expand[0]"));
    fault_done(&fault);
    n_statements(c);
    assert_int_equal(get(c, "hero", one, 1, "teams.heroes.teams.heroes.teams", &answer, &fault),
                     CODE(INVALID_ARGUMENT));
    fault_done(&fault);
    n_statements(c);
}

static void test_expand(void **state)
{
    struct store_case *c = *state;
    Hero__V1__GetResponse answer;
    struct fault fault = FAULT_INIT;
    const char *keys[] = {"id=1", "id=2", "id=10", "id=4"};
    fill(c);
    assert_int_equal(get(c, "hero", keys, 1, "teams", &answer, &fault), CODE(OK));
    assert_int_equal(answer.graph->n_edges, 1);
    assert_int_equal(n_statements(c), 2);
    /* Four roots, two teams, all their heroes: one statement for the roots and one a level. */
    assert_int_equal(get(c, "hero", keys, 4, "teams.heroes", &answer, &fault), CODE(OK));
    assert_int_equal(n_statements(c), 1 + 2);
    assert_int_equal(answer.graph->n_records, 202);
    assert_int_equal(answer.graph->n_edges, 5 + 220);
    uint32_t position = 0;
    for (size_t i = 0; i < 5; i++) {
        const Hero__V1__Edge *edge = answer.graph->edges[i];
        position = i > 0 && edge->from == answer.graph->edges[i - 1]->from ? position + 1 : 0;
        assert_int_equal(edge->position, position);
        assert_string_equal(edge->relationship, "teams");
    }
}

/* A record that several paths reach, or that is asked for twice, has its edges once. */
static void test_expand_again(void **state)
{
    struct store_case *c = *state;
    Hero__V1__GetResponse answer;
    struct fault fault = FAULT_INIT;
    const char *keys[] = {"id=1", "id=10", "id=1"};
    fill(c);
    assert_int_equal(get(c, "hero", keys, 3, "teams", &answer, &fault), CODE(OK));
    assert_int_equal(answer.graph->n_edges, 3);
    n_statements(c);
    assert_int_equal(get(c, "hero", keys, 3, "teams.heroes.teams", &answer, &fault), CODE(OK));
    assert_int_equal(answer.graph->n_records, 202);
    assert_int_equal(answer.graph->n_edges, 220 + 220);
    n_statements(c);
    /* What was loaded before is followed, not forgotten. */
    assert_int_equal(get(c, "hero", keys, 1, "teams.heroes.teams.heroes", &answer, &fault),
                     CODE(OK));
    assert_int_equal(answer.graph->n_records, 202);
    assert_int_equal(answer.graph->n_edges, 220 + 140);
    n_statements(c);
}

/* Keys of several columns, of text, of numbers past what SQLite holds. */
static void test_get_composite(void **state)
{
    struct store_case *c = *state;
    Hero__V1__GetResponse answer;
    struct fault fault = FAULT_INIT;
    store_case_sql(c, "INSERT INTO book (id, title, in_print) VALUES (1, 't', 1);"
                      "INSERT INTO copy VALUES ('a', 1, 1), ('a', 2, 1), ('b', 1, 1);"
                      "INSERT INTO \"order\" VALUES (''), ('x');");
    const char *keys[] = {"branch=b;shelf=1", "branch=a;shelf=2", "branch=a;shelf=1"};
    assert_int_equal(get(c, "copy", keys, 3, NULL, &answer, &fault), CODE(OK));
    assert_int_equal(n_statements(c), 1);
    for (size_t i = 0; i < 3; i++) {
        ProtobufCBinaryData key = case_record(c, "copy", keys[i]);
        assert_int_equal(answer.roots[i], i + 1);
        assert_memory_equal(answer.graph->records[i]->value.data, key.data, key.len);
    }
    const char *gaps[] = {"branch=b;shelf=2", "branch=a;shelf=2", "branch=;shelf=1"};
    assert_int_equal(get(c, "copy", gaps, 3, NULL, &answer, &fault), CODE(NOT_FOUND));
    assert_true(case_blames(&fault, "keys[0]") && case_blames(&fault, "keys[2]"));
    assert_int_equal(fault.n_violations, 2);
    fault_done(&fault);
    n_statements(c);
    const char *texts[] = {"name=x", "name="};
    assert_int_equal(get(c, "order", texts, 2, NULL, &answer, &fault), CODE(OK));
    assert_int_equal(answer.n_roots, 2);
    n_statements(c);
}

static void test_row_budget(void **state)
{
    struct store_case *c = *state;
    struct fault fault = FAULT_INIT;
    Hero__V1__GetRequest request = HERO__V1__GET_REQUEST__INIT;
    Hero__V1__GetResponse answer = HERO__V1__GET_RESPONSE__INIT;
    fill(c);
    ProtobufCBinaryData key = case_record(c, "team", "id=1");
    char *path = arena_strdup(&c->arena, "heroes");
    struct store_read read = reading(c);
    request.model = path + 6; /* "" */
    request.keys = &key;
    request.n_keys = 1;
    request.expand = &path;
    request.n_expand = 1;
    assert_int_not_equal(store_get(c->store, &read, &request, &answer, &fault), CODE(OK));
    fault_done(&fault);
    request.model = arena_strdup(&c->arena, "Team");
    read.row_budget = 50;
    assert_int_equal(store_get(c->store, &read, &request, &answer, &fault), CODE(ABORTED));
    assert_true(read.too_long);
    fault_done(&fault);
    read.row_budget = 0;
    assert_int_equal(store_get(c->store, &read, &request, &answer, &fault), CODE(OK));
    read.deadline_ns = 1;
    assert_int_equal(store_get(c->store, &read, &request, &answer, &fault),
                     CODE(DEADLINE_EXCEEDED));
    fault_done(&fault);
    n_statements(c);
}

static Code list(struct store_case *c, char **order, size_t n_order, uint32_t size,
                 ProtobufCBinaryData token, Hero__V1__ListResponse *ret, struct fault *fault)
{
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    struct store_read read = reading(c);
    char model[] = "hero";
    request.model = model;
    request.order_by = order;
    request.n_order_by = n_order;
    request.has_page_size = 1;
    request.page_size = size;
    request.page_token = token;
    hero__v1__list_response__init(ret);
    Code code = store_list(c->store, &read, &request, ret, fault);
    n_statements(c);
    return code;
}

/* All pages together are the table in that order, each row once. */
static void check_pages(struct store_case *c, char **order, size_t n_order, const char *sql)
{
    Hero__V1__ListResponse page;
    struct fault fault = FAULT_INIT;
    ProtobufCBinaryData token = {0, NULL};
    char text[4096] = "", expected[256];
    size_t seen = 0;
    const struct model *model = models_find(c->models, "hero", NULL);
    do {
        assert_int_equal(list(c, order, n_order, 7, token, &page, &fault), CODE(OK));
        for (size_t i = 0; i < page.n_roots; i++, seen++) {
            ProtobufCMessage *record;
            assert_int_equal(model_unpack(model, page.graph->records[i]->value.data,
                                          page.graph->records[i]->value.len, &c->arena, &record,
                                          NULL),
                             CODE(OK));
            strcat(strcat(text, text[0] ? "," : ""), model_key_text(model, record, &c->arena));
        }
        token = page.next_page_token;
    } while (page.has_next_page_token);
    assert_int_equal(seen, 200);
    snprintf(expected, sizeof(expected), "CREATE TEMP TABLE t AS SELECT id FROM hero ORDER BY %s;",
             sql);
    char *query =
        arena_printf(&c->arena, "%sSELECT group_concat(id) = '%s' FROM t", expected, text);
    assert_int_equal(store_case_sql(c, query), 1);
}

static void test_pages(void **state)
{
    struct store_case *c = *state;
    char name[] = "name", age[] = "age", down_age[] = "-age", down_name[] = "-name";
    fill(c);
    check_pages(c, NULL, 0, "id");
    check_pages(c, (char *[]){name}, 1, "name, id");
    check_pages(c, (char *[]){age}, 1, "age, id");
    check_pages(c, (char *[]){down_age}, 1, "age DESC, id DESC");
    check_pages(c, (char *[]){age, down_name}, 2, "age, name DESC, id DESC");
    check_pages(c, (char *[]){down_name, age}, 2, "name DESC, age, id");
}

static void test_tokens(void **state)
{
    struct store_case *c = *state;
    Hero__V1__ListResponse page;
    struct fault fault = FAULT_INIT;
    ProtobufCBinaryData token = {0, NULL};
    char name[] = "name", age[] = "age", wings[] = "wings";
    fill(c);
    assert_int_equal(list(c, (char *[]){name}, 1, 7, token, &page, &fault), CODE(OK));
    token = page.next_page_token;
    assert_true(page.has_next_page_token);
    /* Rows that come and go move nothing: the next page starts after the last row. */
    store_case_sql(c, "DELETE FROM heroteamlink; DELETE FROM hero WHERE id <= 20");
    assert_int_equal(list(c, (char *[]){name}, 1, 7, token, &page, &fault), CODE(OK));
    assert_int_equal(list(c, (char *[]){age}, 1, 7, token, &page, &fault), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&fault, "page_token"));
    fault_done(&fault);
    for (size_t i = 0; i < token.len; i++) {
        token.data[i] ^= 0x40;
        assert_int_equal(list(c, (char *[]){name}, 1, 7, token, &page, &fault),
                         CODE(INVALID_ARGUMENT));
        fault_done(&fault);
        token.data[i] ^= 0x40;
        ProtobufCBinaryData cut = {i, token.data};
        if (i > 0) {
            assert_int_equal(list(c, (char *[]){name}, 1, 7, cut, &page, &fault),
                             CODE(INVALID_ARGUMENT));
            fault_done(&fault);
        }
    }
    assert_int_equal(
        list(c, (char *[]){wings}, 1, 7, (ProtobufCBinaryData){0, NULL}, &page, &fault),
        CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&fault, "order_by[0]"));
    fault_done(&fault);
}

/* page_size is the most: a page of large records ends where a message does. */
static void test_large_records(void **state)
{
    struct store_case *c = *state;
    Hero__V1__ListResponse page;
    struct fault fault = FAULT_INIT;
    ProtobufCBinaryData token = {0, NULL};
    size_t seen = 0, n_pages = 0;
    store_case_sql(c,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) "
                   "INSERT INTO hero (name, secret_name) SELECT 'h' || i, "
                   "replace(hex(zeroblob(20000)), '0', 'x') FROM n");
    do {
        assert_int_equal(list(c, NULL, 0, 100, token, &page, &fault), CODE(OK));
        assert_true(page.n_roots > 0);
        seen += page.n_roots;
        n_pages++;
        token = page.next_page_token;
    } while (page.has_next_page_token);
    assert_int_equal(seen, 90);
    assert_in_range(n_pages, 4, 6);
    /* One record that is larger than a message is told. */
    store_case_sql(c, "DELETE FROM hero; INSERT INTO hero (name, secret_name) VALUES ('h', "
                      "replace(hex(zeroblob(600000)), '0', 'x'))");
    assert_int_equal(list(c, NULL, 0, 100, (ProtobufCBinaryData){0, NULL}, &page, &fault),
                     CODE(RESOURCE_EXHAUSTED));
    fault_done(&fault);
}

/* A value that another program wrote and the model can't hold is told, not bent. */
static void test_foreign_values(void **state)
{
    struct store_case *c = *state;
    Hero__V1__GetResponse answer;
    struct fault fault = FAULT_INIT;
    const char *key[] = {"id=1"};
    store_case_sql(c, "INSERT INTO hero (name, secret_name, age) VALUES ('a', 's', 'old')");
    assert_int_equal(get(c, "hero", key, 1, NULL, &answer, &fault), CODE(DATA_LOSS));
    assert_non_null(strstr(fault.message, "age"));
    fault_done(&fault);
    n_statements(c);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_get),           TEST(test_expand),         TEST(test_expand_again),
        TEST(test_get_composite), TEST(test_row_budget),     TEST(test_pages),
        TEST(test_tokens),        TEST(test_foreign_values), TEST(test_large_records),
    };
    return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
