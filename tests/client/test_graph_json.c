/*
 * JSON that nests to flat graphs and back: what each member is, what is
 * refused and where, and that nests grow with the paths asked for only.
 */
#include "unit.h"
#include "graph_json.h"
#include "library.h"

struct fixture {
    struct models *models;
    struct arena arena;
    struct fault fault;
    struct expand_node *shown;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->models = library_models();
    arena_init(&fixture->arena, 16 * 1024 * 1024);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    models_unref(fixture->models);
    arena_done(&fixture->arena);
    fault_done(&fixture->fault);
    free(fixture);
    return 0;
}

static Code read_graph(struct fixture *fixture, const char *model, const char *text,
                       Hero__V1__Graph **ret_graph)
{
    struct json_path path = JSON_PATH_INIT;
    uint32_t next_ref = 1;
    json_t *value;
    Code code;

    fault_done(&fixture->fault);
    fixture->shown = NULL;
    if (json_parse(text, &value, &fixture->fault))
        fail_msg("%s", fixture->fault.message);
    code = graph_json_read(library_model(fixture->models, model), value, &path, &next_ref,
                           &fixture->arena, ret_graph, &fixture->shown, &fixture->fault);
    json_decref(value);
    return code;
}

static void assert_refused(struct fixture *fixture, const char *model, const char *text,
                           const char *path, const char *part)
{
    Hero__V1__Graph *graph;

    if (read_graph(fixture, model, text, &graph) != HERO__V1__CODE__INVALID_ARGUMENT)
        fail_msg("%s is taken", text);
    assert_int_equal(fixture->fault.n_violations, 1);
    assert_string_equal(fixture->fault.violations[0].path, path);
    if (!strstr(fixture->fault.violations[0].description, part))
        fail_msg("%s", fixture->fault.violations[0].description);
}

/* The first root of the graph, nested along the paths. */
static char *write_graph(struct fixture *fixture, const Hero__V1__Graph *graph,
                         const char *const *paths, size_t n_paths)
{
    struct expand_node *tree = NULL;
    uint32_t root = 1;
    json_t *array = NULL;
    char *text = NULL;

    if (expand_add(&fixture->arena, paths, n_paths, &tree, &fixture->fault) ||
        graph_json_write(fixture->models, graph, &root, 1, n_paths ? tree : fixture->shown,
                         &fixture->arena, &array, &fixture->fault) ||
        json_print(array, 1 << 22, &text, &fixture->fault))
        fail_msg("%s", fixture->fault.message);
    json_decref(array);
    return text;
}

static void test_members(void **state)
{
    struct fixture *fixture = *state;
    static const Hero__V1__Record__Member kinds[] = {
        HERO__V1__RECORD__MEMBER__NEW, HERO__V1__RECORD__MEMBER__NEW, HERO__V1__RECORD__MEMBER__KEY,
        HERO__V1__RECORD__MEMBER__KEY, HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE};
    static const char *const models[] = {"library.Book", "library.Author", "library.Author",
                                         "library.Author", "library.Author"};
    Hero__V1__Graph *graph;
    char *text;

    assert_int_equal(
        read_graph(fixture, "Book",
                   "{\"title\": \"T\", \"price\": 1.5, \"authors\": [{\"handle\": \"a\", "
                   "\"full_name\": \"A\"}, {\"handle\": \"b\"}, {\"@key\": \"c\"}], \"editors\": "
                   "[{\"@connect\": {\"full_name\": \"D\"}}], \"tags\": []}",
                   &graph),
        HERO__V1__CODE__OK);
    assert_int_equal(graph->n_records, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(graph->records[i]->ref, i + 1);
        assert_int_equal(graph->records[i]->member, kinds[i]);
        assert_string_equal(graph->records[i]->model, models[i]);
    }
    assert_int_equal(graph->n_edges, 4);
    assert_string_equal(graph->edges[2]->relationship, "authors");
    assert_int_equal(graph->edges[2]->position, 2);
    assert_int_equal(graph->edges[3]->from, 1);
    assert_int_equal(graph->edges[3]->to, 5);
    assert_string_equal(graph->edges[3]->relationship, "editors");

    /* As it came in, with all columns, in the order of declaration. */
    text = write_graph(fixture, graph, NULL, 0);
    assert_string_equal(
        text, "[{\"id\": null, \"title\": \"T\", \"price\": 1.5, \"in_print\": null, \"cover\": "
              "null, \"pages\": null, \"authors\": [{\"handle\": \"a\", \"full_name\": \"A\"}, "
              "{\"handle\": \"b\", \"full_name\": null}, {\"handle\": \"c\", \"full_name\": "
              "null}], \"editors\": [{\"handle\": null, \"full_name\": \"D\"}], \"tags\": []}]");
    free(text);
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;
    char *deep, *at;

    assert_refused(fixture, "Book", "[]", "", "expected object, got array");
    assert_refused(fixture, "Book", "{\"titel\": 1}", "titel", "did you mean title?");
    assert_refused(fixture, "Book", "{\"zzz\": 1}", "zzz", "it has: id, title, price");
    assert_refused(fixture, "Book", "{\"title\": 1}", "title", "expected string, got integer");
    assert_refused(fixture, "Book", "{\"authors\": {}}", "authors", "expected array, got object");
    assert_refused(fixture, "Book", "{\"authors\": null}", "authors", "expected array, got null");
    assert_refused(fixture, "Book", "{\"authors\": [1]}", "authors[0]",
                   "expected object, got integer");
    assert_refused(fixture, "Book",
                   "{\"authors\": [{\"handle\": \"a\", \"books\": [{\"id\": "
                   "\"x\", \"title\": \"y\"}]}]}",
                   "authors[0].books[0].id", "expected integer");
    assert_refused(fixture, "Book", "{\"authors\": [{\"@kye\": 1}]}", "authors[0].@kye",
                   "there are @key, @connect and @link");
    assert_refused(fixture, "Book", "{\"authors\": [{\"@key\": \"a\", \"full_name\": 1}]}",
                   "authors[0].@key", "stands alone");
    assert_refused(fixture, "Book", "{\"authors\": [{\"@key\": {\"full_name\": \"x\"}}]}",
                   "authors[0].@key", "is not part of the key");

    /* Nesting ends with a word, not with the stack. */
    deep = malloc(200 * 64);
    at = deep;
    for (int i = 0; i < 200; i++)
        at += sprintf(at, "{\"%s\": [", i % 2 ? "books" : "authors");
    for (int i = 0; i < 200; i++)
        at += sprintf(at, "]}");
    {
        Hero__V1__Graph *graph;

        assert_int_equal(read_graph(fixture, "Book", deep, &graph),
                         HERO__V1__CODE__INVALID_ARGUMENT);
        assert_non_null(strstr(fixture->fault.violations[0].description, "nested deeper"));
    }
    free(deep);
}

static void test_columns_for_update(void **state)
{
    struct fixture *fixture = *state;
    const struct model *book = library_model(fixture->models, "Book");
    struct json_path path = JSON_PATH_INIT;
    ProtobufCBinaryData value;
    ProtobufCMessage *record;
    json_t *json;
    size_t n;
    char **mask;

    assert_int_equal(json_parse("{\"id\": 1, \"price\": null, \"title\": \"x\"}", &json, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(graph_json_read_columns(book, json, &path, &fixture->arena, &value, &mask, &n,
                                             &fixture->fault),
                     HERO__V1__CODE__OK);
    json_decref(json);
    assert_int_equal(n, 2);
    assert_string_equal(mask[0], "price");
    assert_string_equal(mask[1], "title");
    assert_int_equal(model_unpack(book, value.data, value.len, &fixture->arena, &record, NULL),
                     HERO__V1__CODE__OK);
    assert_false(field_present(record, model_column(book, "price")->field));
    assert_true(field_present(record, model_column(book, "title")->field));

    assert_int_equal(json_parse("{\"authors\": []}", &json, NULL), HERO__V1__CODE__OK);
    assert_int_equal(graph_json_read_columns(book, json, &path, &fixture->arena, &value, &mask, &n,
                                             &fixture->fault),
                     HERO__V1__CODE__INVALID_ARGUMENT);
    json_decref(json);
    assert_non_null(strstr(fixture->fault.violations[0].description, "relationship"));
}

/* A cycle of two records, asked for ever deeper: the text grows with the
 * path, what is made does not. */
static void test_cycles_end_with_the_paths(void **state)
{
    struct fixture *fixture = *state;
    Hero__V1__Edge back = HERO__V1__EDGE__INIT, *edges[2];
    static const char *const paths[] = {"authors.books.authors"};
    Hero__V1__Graph *graph;
    char *text;

    assert_int_equal(read_graph(fixture, "Book",
                                "{\"id\": 1, \"authors\": [{\"handle\": \"a\", \"books\": []}]}",
                                &graph),
                     HERO__V1__CODE__OK);
    back.from = 2;
    back.to = 1;
    back.relationship = (char *)(uintptr_t) "books";
    edges[0] = graph->edges[0];
    edges[1] = &back;
    graph->edges = edges;
    graph->n_edges = 2;
    text = write_graph(fixture, graph, paths, 1);
    assert_non_null(strstr(text, "\"authors\": [{\"handle\": \"a\", \"full_name\": null, "
                                 "\"books\": [{\"id\": 1"));
    assert_null(strstr(text, "\"books\": []"));
    free(text);

    back.to = 9;
    {
        struct expand_node *tree = NULL;
        uint32_t root = 1;
        json_t *array;

        assert_int_equal(expand_add(&fixture->arena, paths, 1, &tree, NULL), HERO__V1__CODE__OK);
        assert_int_equal(graph_json_write(fixture->models, graph, &root, 1, tree, &fixture->arena,
                                          &array, &fixture->fault),
                         HERO__V1__CODE__INTERNAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns_for_update, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cycles_end_with_the_paths, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
