/*
 * A table that is written anew: what refers to it, looks at it or hangs on it
 * is there afterwards as it was, and no row of others goes. Two changes at a
 * time, and reads across one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fixture.h"

#define ID " optional int64 id = 1 [(hero.column).primary_key = true];"
#define MODEL(name, fields) "message " name " { option (hero.table) = {};" ID fields " }"
#define NAME(more) " optional string name = 2 [(hero.column) = {" more "}];"
#define CHILD                                                                                      \
    MODEL("C", " optional int64 p_id = 2 [(hero.column) = {foreign_key: 'p.id' on_delete: "        \
               "CASCADE}];")
#define GRANDCHILD                                                                                 \
    MODEL("G", " optional int64 c_id = 2 [(hero.column) = {foreign_key: 'c.id' on_delete: "        \
               "SET_NULL}];")

static void applies(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret)
{
    if (fixture_apply(f, text, ret) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", text);
    }
}

static bool was_rebuilt(const Hero__V1__ApplyModelsResponse *applied, const char *table)
{
    for (size_t i = 0; i < applied->n_steps; i++)
        if (strncmp(applied->steps[i]->what, "rebuild table ", 14) == 0 &&
            strcmp(applied->steps[i]->what + 14, table) == 0)
            return true;
    return false;
}

static const char hangers[] =
    "CREATE TABLE log (line);"
    "CREATE VIEW v AS SELECT p.name AS name, count(c.id) AS n FROM p LEFT JOIN c ON c.p_id = p.id "
    "GROUP BY "
    "p.id;"
    "CREATE TRIGGER on_p AFTER UPDATE ON p BEGIN INSERT INTO log VALUES ('p ' || new.name); END;"
    "CREATE TRIGGER on_p_delete AFTER DELETE ON p BEGIN INSERT INTO log VALUES ('gone'); END;"
    "CREATE TRIGGER on_c AFTER INSERT ON c BEGIN INSERT INTO log SELECT name FROM p WHERE id = "
    "new.p_id; END;"
    "CREATE TRIGGER on_v INSTEAD OF INSERT ON v BEGIN INSERT INTO p (name) VALUES (new.name); END;"
    "CREATE INDEX part ON p (name) WHERE name > 'm';"
    "CREATE INDEX lowered ON p (lower(name));"
    "INSERT INTO p VALUES (1, 'ann'), (2, 'zoe');"
    "INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);"
    "INSERT INTO g VALUES (1, 1), (2, 3);"
    "DELETE FROM log;";
static const char hanging[] = "SELECT type || name || sql FROM sqlite_schema WHERE name IN ('v', "
                              "'on_p', 'on_p_delete', 'on_c', 'on_v', 'part', 'lowered', 'c', 'g') "
                              "ORDER BY name";

static void what_hangs_on_it_stays(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")) CHILD GRANDCHILD, NULL);
    fixture_sql(f, hangers);
    const char *before = fixture_query(f, hanging);
    applies(f, MODEL("P", NAME("not_null: true")) CHILD GRANDCHILD, &applied);
    assert_true(was_rebuilt(&applied, "p"));
    assert_false(was_rebuilt(&applied, "c"));
    assert_string_equal(fixture_query(f, hanging), before);
    /* Nothing was deleted, nothing fired. */
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM c"), "3\n");
    assert_string_equal(fixture_query(f, "SELECT c_id FROM g"), "1\n3\n");
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM log"), "0\n");
    assert_string_equal(fixture_query(f, "SELECT name || n FROM v ORDER BY 1"), "ann1\nzoe2\n");
    /* All of it still works. */
    fixture_sql(f, "UPDATE p SET name = 'bea' WHERE id = 1; INSERT INTO v VALUES ('new', 0);"
                   "INSERT INTO c (p_id) VALUES (3);"
                   "PRAGMA foreign_keys = ON; DELETE FROM p WHERE id = 2");
    assert_string_equal(fixture_query(f, "SELECT line FROM log"), "p bea\nnew\ngone\n");
    assert_string_equal(fixture_query(f, "SELECT id FROM c"), "1\n4\n");
    assert_string_equal(fixture_query(f, "SELECT c_id FROM g"), "1\nNULL\n");
    fixture_close(f);
    fixture_open(f);
}

/* Names change under views, triggers and keys of others: they follow. */
static void names_are_followed(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")) CHILD GRANDCHILD, NULL);
    fixture_sql(f, hangers);
    applies(f,
            "message Q { option (hero.table) = {renamed_from: 'P'};"
            " optional int64 key = 1 [(hero.column).primary_key = true];"
            " optional string title = 2 [(hero.column).not_null = true]; }"
            "message C { option (hero.table) = {};" ID
            " optional int64 q_key = 2 [(hero.column) = {foreign_key: 'q.key' on_delete: CASCADE "
            "not_null: true}]; }" GRANDCHILD,
            &applied);
    assert_true(was_rebuilt(&applied, "q"));
    assert_true(was_rebuilt(&applied, "c"));
    assert_string_equal(fixture_query(f, "SELECT name || n FROM v ORDER BY 1"), "ann1\nzoe2\n");
    assert_string_equal(fixture_query(f, "SELECT \"from\" || \"table\" || \"to\" || on_delete FROM "
                                         "pragma_foreign_key_list('c')"),
                        "q_keyqkeyCASCADE\n");
    fixture_sql(f, "UPDATE q SET title = 'bea' WHERE key = 1; INSERT INTO v VALUES ('new', 0);"
                   "INSERT INTO c (q_key) VALUES (3);"
                   "PRAGMA foreign_keys = ON; DELETE FROM q WHERE key = 2");
    assert_string_equal(fixture_query(f, "SELECT line FROM log"), "p bea\nnew\ngone\n");
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM pragma_foreign_key_check"), "0\n");
}

/* Tables in a circle, and one that refers to itself, all at once. */
static void circles(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
#define CIRCLE(rule)                                                                               \
    MODEL("A", " optional int64 b = 2 [(hero.column) = {foreign_key: 'b.id' " rule "}];"           \
               " optional int64 up = 3 [(hero.column) = {foreign_key: 'a.id'}];"                   \
               " optional string x = 4 [(hero.column) = {" rule "}];")                             \
    MODEL("B", " optional int64 a = 2 [(hero.column) = {foreign_key: 'a.id'}];"                    \
               " optional string x = 3 [(hero.column) = {" rule "}];")
    fixture_open(f);
    applies(f, CIRCLE(""), NULL);
    fixture_sql(f, "INSERT INTO a VALUES (1, 1, 2, 'p'), (2, 2, 1, 'q');"
                   "INSERT INTO b VALUES (1, 2, 'r'), (2, NULL, 's')");
    applies(f, CIRCLE("not_null: true"), &applied);
    assert_true(was_rebuilt(&applied, "a"));
    assert_true(was_rebuilt(&applied, "b"));
    assert_string_equal(fixture_query(f, "SELECT id || b || up || x FROM a"), "112p\n221q\n");
    assert_string_equal(fixture_query(f, "SELECT id || ifnull(a, '-') || x FROM b"), "12r\n2-s\n");
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM pragma_foreign_key_check"), "0\n");
}

/* Rows that somebody left broken before are not the change's fault. */
static void broken_before(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")) CHILD, NULL);
    fixture_sql(f, "INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1, 1), (2, 77)");
    applies(f, MODEL("P", NAME("not_null: true")) CHILD, NULL);
    assert_string_equal(fixture_query(f, "SELECT p_id FROM c"), "1\n77\n");
}

/* What CREATE TABLE says and no model can is lost only by leave. */
static void what_others_declared(void **state)
{
    static const char *const allowed[] = {"p.COLLATE", NULL};
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse planned;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")), NULL);
    fixture_sql(f, "DROP TABLE p; CREATE TABLE p (id INTEGER NOT NULL, name VARCHAR DEFAULT NULL "
                   "COLLATE BINARY, PRIMARY KEY (id)); INSERT INTO p VALUES (1, 'x')");
    assert_int_equal(fixture_plan(f, MODEL("P", NAME("not_null: true")), &planned),
                     HERO__V1__CODE__OK);
    assert_string_equal(planned.steps[planned.n_steps - 1]->loses, "p.COLLATE");
    assert_int_equal(fixture_apply(f, MODEL("P", NAME("not_null: true")), NULL),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_int_equal(fixture_apply_losing(f, MODEL("P", NAME("not_null: true")), allowed, NULL),
                     HERO__V1__CODE__OK);
}

static void two_at_once(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse first, planned, again;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")), &first);
    assert_int_equal(fixture_plan(f, MODEL("P", NAME("index: true")), &planned),
                     HERO__V1__CODE__OK);
    assert_int_equal(planned.models_version, first.models_version);
    /* Both planned; one is faster. */
    applies(f, MODEL("P", NAME("") " optional int32 x = 3;"), NULL);
    assert_int_equal(
        fixture_apply_expecting(f, MODEL("P", NAME("index: true")), planned.models_version, &again),
        HERO__V1__CODE__ABORTED);
    assert_non_null(strstr(f->fault.message, "plan again"));
    assert_string_equal(fixture_query(f, "SELECT name FROM pragma_table_info('p')"),
                        "id\nname\nx\n");
    /* What is served already needs no plan: a repeat of an answer that was lost. */
    assert_int_equal(fixture_apply_expecting(f, MODEL("P", NAME("") " optional int32 x = 3;"),
                                             planned.models_version, &again),
                     HERO__V1__CODE__OK);
    assert_int_equal(again.n_steps, 0);
}

static Code list_with(struct fixture *f, const struct models *models, const char *model)
{
    struct store_read read = {.models = models, .arena = &f->arena};
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse response = HERO__V1__LIST_RESPONSE__INIT;
    request.model = (char *)(uintptr_t)model;
    fault_done(&f->fault);
    return store_list(f->store, &read, &request, &response, &f->fault);
}

/* A call that pinned its models before tables changed must not read them after. */
static void reads_across_a_change(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")), NULL);
    struct models *before = store_models(f->store);
    applies(f, MODEL("Other", ""), NULL); /* nothing that was there */
    assert_int_equal(list_with(f, before, "P"), HERO__V1__CODE__OK);
    applies(f, MODEL("P", " optional string title = 2; optional string name = 3;"), NULL);
    assert_int_equal(list_with(f, before, "P"), HERO__V1__CODE__FAILED_PRECONDITION);
    assert_non_null(strstr(f->fault.message, "the models changed"));
    struct models *now = store_models(f->store);
    assert_int_equal(list_with(f, now, "P"), HERO__V1__CODE__OK);
    models_unref(now);
    models_unref(before);
}

/* A plan changes nothing and is seen by nobody, whatever it would do. */
static void plans_leave_no_trace(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse planned;
    fixture_open(f);
    applies(f, MODEL("P", NAME("")) CHILD, NULL);
    fixture_sql(f, "INSERT INTO p VALUES (1, 'x')");
    const char *schema = fixture_query(f, "SELECT sql FROM sqlite_schema");
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture_plan(f, MODEL("P", NAME("not_null: true")) CHILD, &planned),
                         HERO__V1__CODE__OK);
    assert_string_equal(fixture_query(f, "SELECT sql FROM sqlite_schema"), schema);
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM _hero_model_set"), "1\n");
    struct models *models = store_models(f->store);
    assert_int_equal(list_with(f, models, "P"), HERO__V1__CODE__OK);
    models_unref(models);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_hangs_on_it_stays), TEST(names_are_followed),   TEST(circles),
        TEST(broken_before),          TEST(what_others_declared), TEST(two_at_once),
        TEST(reads_across_a_change),  TEST(plans_leave_no_trace),
    };
    return cmocka_run_group_tests_name("rebuild", tests, NULL, NULL);
}
