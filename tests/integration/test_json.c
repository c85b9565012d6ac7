/*
 * JSON calls against a real herod, with a schema that it has never seen:
 * every column type, text and composite keys, several relationships.
 */
#include "call_case.h"

#define C test->client
#define E &test->error

static hero_result *create(struct call_case *test, const char *model, const char *json)
{
    return hero_client_create_json(C, model, json, E);
}

static hero_result *get(struct call_case *test, const char *model, const char *key,
                        const char *expand)
{
    return hero_client_get_json(C, model, &key, 1, expand, E);
}

static void test_every_type(void **state)
{
    static const char *const rows[] = {
        "{\"id\": 1, \"a_int32\": -2147483648, \"a_sint32\": 2147483647, \"a_sfixed32\": -1, "
        "\"a_uint32\": 4294967295, \"a_fixed32\": 4294967295, \"a_int64\": -9223372036854775808, "
        "\"a_sint64\": 9223372036854775807, \"a_sfixed64\": -9007199254740993, \"a_uint64\": "
        "9223372036854775807, \"a_fixed64\": 9007199254740993, \"a_float\": 0.1, \"a_double\": "
        "0.30000000000000004, \"a_bool\": true, \"a_string\": \"Sister Margaret’s Bar \\\"\\n\", "
        "\"a_bytes\": \"AP8=\"}",
        "{\"id\": 2, \"a_int32\": 0, \"a_sint32\": 0, \"a_sfixed32\": 0, \"a_uint32\": 0, "
        "\"a_fixed32\": 0, \"a_int64\": 0, \"a_sint64\": 0, \"a_sfixed64\": 0, \"a_uint64\": 0, "
        "\"a_fixed64\": 0, \"a_float\": 0.0, \"a_double\": 5.0, \"a_bool\": false, \"a_string\": "
        "\"\", \"a_bytes\": \"\"}",
        "{\"id\": 3, \"a_int32\": null, \"a_sint32\": null, \"a_sfixed32\": null, \"a_uint32\": "
        "null, \"a_fixed32\": null, \"a_int64\": null, \"a_sint64\": null, \"a_sfixed64\": null, "
        "\"a_uint64\": null, \"a_fixed64\": null, \"a_float\": null, \"a_double\": null, "
        "\"a_bool\": null, \"a_string\": null, \"a_bytes\": null}",
    };
    struct call_case *test = *state;
    char array[2048];

    for (size_t i = 0; i < 3; i++) {
        char key[2] = {(char)('1' + i), '\0'};

        TEXT(create(test, "scalars", rows[i]), rows[i]);
        snprintf(array, sizeof(array), "[%s]", rows[i]);
        TEXT(get(test, "Scalars", key, NULL), array);
    }
    REFUSED(create(test, "scalars", "{\"a_uint64\": \"9223372036854775808\"}"),
            HERO_INVALID_ARGUMENT, "a_uint64", "");
    REFUSED(create(test, "scalars", "{\"a_int32\": \"x\"}"), HERO_INVALID_ARGUMENT, "a_int32",
            "expected integer");
    REFUSED(create(test, "scalars", "{\"a_double\": \"nan\"}"), HERO_INVALID_ARGUMENT, "a_double",
            "NaN");
    assert_int_equal(call_case_rows(test, "scalars"), 3);
}

static void test_nests(void **state)
{
    struct call_case *test = *state;

    TEXT(create(test, "author", "{\"handle\": \"jk\", \"full_name\": \"J. K.\"}"),
         "{\"handle\": \"jk\", \"full_name\": \"J. K.\"}");
    TEXT(create(test, "book",
                "{\"title\": \"T\", \"authors\": [{\"handle\": \"jk\"}, {\"handle\": \"nn\", "
                "\"full_name\": \"N. N.\"}], \"editors\": [{\"@key\": \"jk\"}], \"tags\": "
                "[{\"@connect\": {\"name\": \"new\"}}]}"),
         "{\"id\": 1, \"title\": \"T\", \"price\": null, \"in_print\": true, \"cover\": null, "
         "\"pages\": 100, \"authors\": [{\"handle\": \"jk\", \"full_name\": \"J. K.\"}, "
         "{\"handle\": \"nn\", \"full_name\": \"N. N.\"}], \"editors\": [{\"handle\": \"jk\", "
         "\"full_name\": \"J. K.\"}], \"tags\": [{\"name\": \"new\"}]}");
    TEXT(get(test, "book", "1", "authors.edited,tags"),
         "[{\"id\": 1, \"title\": \"T\", \"price\": null, \"in_print\": true, \"cover\": null, "
         "\"pages\": 100, \"authors\": [{\"handle\": \"jk\", \"full_name\": \"J. K.\", "
         "\"edited\": [{\"id\": 1, \"title\": \"T\", \"price\": null, \"in_print\": true, "
         "\"cover\": null, \"pages\": 100}]}, {\"handle\": \"nn\", \"full_name\": \"N. N.\", "
         "\"edited\": []}], \"tags\": [{\"name\": \"new\"}]}]");
    /* Connected the second time, and by the unique column. */
    hero_result_free(OK(create(test, "book",
                               "{\"title\": \"U\", \"tags\": [{\"@connect\": {\"name\": "
                               "\"new\"}}], \"authors\": [{\"@connect\": {\"full_name\": \"N. "
                               "N.\"}}]}")));
    TEXT(get(test, "library.Author", "nn", "books.tags"),
         "[{\"handle\": \"nn\", \"full_name\": \"N. N.\", \"books\": [{\"id\": 1, \"title\": "
         "\"T\", \"price\": null, \"in_print\": true, \"cover\": null, \"pages\": 100, \"tags\": "
         "[{\"name\": \"new\"}]}, {\"id\": 2, \"title\": \"U\", \"price\": null, \"in_print\": "
         "true, \"cover\": null, \"pages\": 100, \"tags\": [{\"name\": \"new\"}]}]}]");

    REFUSED(create(test, "book", "{\"title\": \"V\", \"authors\": [{\"handle\": \"nobody\"}]}"),
            HERO_NOT_FOUND, "authors[0]", "nobody");
    REFUSED(create(test, "book",
                   "{\"title\": \"V\", \"authors\": [{\"handle\": \"x\", \"full_name\": 7}]}"),
            HERO_INVALID_ARGUMENT, "authors[0].full_name", "expected string, got integer");
    REFUSED(create(test, "book",
                   "{\"title\": \"V\", \"authors\": [{\"handle\": \"x\", \"books\": []}]}"),
            HERO_INVALID_ARGUMENT, "authors[0].full_name", "required");
    REFUSED(create(test, "book", "{\"titel\": \"V\"}"), HERO_INVALID_ARGUMENT, "titel", "title");
    REFUSED(create(test, "boook", "{}"), HERO_NOT_FOUND, NULL, "library.Book");
    REFUSED(create(test, NULL, "{}"), HERO_INVALID_ARGUMENT, "model", "missing");
    REFUSED(create(test, "book", NULL), HERO_INVALID_ARGUMENT, NULL, "no JSON");
    REFUSED(create(test, "book", "{\"title\": \"V\""), HERO_INVALID_ARGUMENT, NULL, "line 1");
    assert_int_equal(call_case_rows(test, "book"), 2);
    assert_int_equal(call_case_rows(test, "author"), 2);
}

static void test_several_at_once(void **state)
{
    struct call_case *test = *state;

    TEXT(create(test, "order", "[{\"name\": \"a\"}, {\"name\": \"b\"}]"),
         "[{\"name\": \"a\"}, {\"name\": \"b\"}]");
    REFUSED(create(test, "order", "[{\"name\": \"c\"}, {\"name\": \"a\"}]"), HERO_ALREADY_EXISTS,
            "[1].name", "");
    REFUSED(create(test, "order", "[{\"name\": \"c\"}, {\"nme\": \"a\"}]"), HERO_INVALID_ARGUMENT,
            "[1].nme", "name");
    assert_int_equal(call_case_rows(test, "order"), 2);
}

static void test_keys(void **state)
{
    struct call_case *test = *state;
    const char *const two[] = {"[\"south, side\", 2]", "north,1"};

    hero_result_free(OK(create(test, "book", "{\"title\": \"T\"}")));
    hero_result_free(OK(create(test, "copy",
                               "[{\"branch\": \"north\", \"shelf\": 1, \"book_id\": 1}, "
                               "{\"branch\": \"south, side\", \"shelf\": 2, \"book_id\": 1}]")));
    TEXT(hero_client_get_json(C, "copy", two, 2, NULL, E),
         "[{\"branch\": \"south, side\", \"shelf\": 2, \"book_id\": 1}, {\"branch\": \"north\", "
         "\"shelf\": 1, \"book_id\": 1}]");
    REFUSED(get(test, "copy", "north", NULL), HERO_INVALID_ARGUMENT, "keys[0]", "comma");
    REFUSED(get(test, "copy", "north,x", NULL), HERO_INVALID_ARGUMENT, "keys[0][1]",
            "expected integer");
    REFUSED(get(test, "copy", "{\"shelf\": 1, \"branch\": \"east\"}", NULL), HERO_NOT_FOUND,
            "keys[0]", "east");
    REFUSED(create(test, "copy", "{\"branch\": \"n\", \"shelf\": 5, \"book_id\": 9}"),
            HERO_FAILED_PRECONDITION, "book_id", "");
    REFUSED(create(test, "copy", "{\"branch\": \"n\", \"book_id\": 1}"), HERO_INVALID_ARGUMENT,
            "shelf", "");
}

static void test_list(void **state)
{
    struct call_case *test = *state;
    hero_list list = {.order_by = "-name", .page_size = 2};
    char token[256];
    hero_result *result;

    hero_result_free(OK(create(test, "order",
                               "[{\"name\": \"a\"}, {\"name\": \"b\"}, "
                               "{\"name\": \"c\"}]")));
    result = OK(hero_client_list_json(C, "order", &list, E));
    assert_string_equal(hero_result_text(result), "[{\"name\": \"c\"}, {\"name\": \"b\"}]");
    list.page_token = strcpy(token, hero_result_next_page_token(result));
    hero_result_free(result);
    /* What is created behind the token is on the next page, once. */
    hero_result_free(OK(create(test, "order", "{\"name\": \"aa\"}")));
    result = OK(hero_client_list_json(C, "order", &list, E));
    assert_string_equal(hero_result_text(result), "[{\"name\": \"aa\"}, {\"name\": \"a\"}]");
    assert_null(hero_result_next_page_token(result));
    hero_result_free(result);
    list.order_by = "name";
    REFUSED(hero_client_list_json(C, "order", &list, E), HERO_INVALID_ARGUMENT, "page_token", "");
    list = (hero_list){.expand = "authors.tags"};
    REFUSED(hero_client_list_json(C, "book", &list, E), HERO_INVALID_ARGUMENT, "expand[0]", "tags");
}

static void test_update(void **state)
{
    struct call_case *test = *state;

    hero_result_free(OK(create(test, "book", "{\"title\": \"T\", \"price\": 1.5}")));
    TEXT(hero_client_update_json(C, "book", "1", "{\"price\": null, \"pages\": \"7\"}", E),
         "{\"id\": 1, \"title\": \"T\", \"price\": null, \"in_print\": true, \"cover\": null, "
         "\"pages\": 7}");
    TEXT(hero_client_update_json(C, "book", "1", "{\"id\": 1, \"in_print\": false}", E),
         "{\"id\": 1, \"title\": \"T\", \"price\": null, \"in_print\": false, \"cover\": null, "
         "\"pages\": 7}");
    REFUSED(hero_client_update_json(C, "book", "1", "{\"title\": null}", E), HERO_INVALID_ARGUMENT,
            "title", "required");
    REFUSED(hero_client_update_json(C, "book", "1", "{\"tags\": []}", E), HERO_INVALID_ARGUMENT,
            "tags", "relationship");
    REFUSED(hero_client_update_json(C, "book", "1", "[]", E), HERO_INVALID_ARGUMENT, "",
            "expected object");
    REFUSED(hero_client_update_json(C, "book", "x", "{}", E), HERO_INVALID_ARGUMENT, "target",
            "expected integer");
    REFUSED(hero_client_update_json(C, "book", "9", "{\"pages\": 1}", E), HERO_NOT_FOUND, NULL,
            "9");
}

static void test_links_and_delete(void **state)
{
    struct call_case *test = *state;
    const char *const tags[] = {"a", "b", "zz"}, *const books[] = {"1", "2"};
    hero_result *result;

    hero_result_free(OK(create(test, "book", "{\"title\": \"T\"}")));
    hero_result_free(OK(create(test, "order", "[{\"name\": \"a\"}, {\"name\": \"b\"}]")));
    result = OK(hero_client_link_json(C, "book", "1", "tags", tags, 2, E));
    assert_int_equal(call_case_number(hero_result_text(result), "added"), 2);
    assert_int_equal(call_case_number(hero_result_text(result), "commit"),
                     hero_result_commit(result));
    hero_result_free(result);
    result = OK(hero_client_link_json(C, "book", "1", "tags", tags, 1, E));
    assert_int_equal(call_case_number(hero_result_text(result), "added"), 0);
    assert_int_equal(call_case_number(hero_result_text(result), "kept"), 1);
    hero_result_free(result);
    REFUSED(hero_client_link_json(C, "book", "1", "tags", tags, 3, E), HERO_NOT_FOUND, "related[2]",
            "zz");
    REFUSED(hero_client_link_json(C, "book", "7", "tags", tags, 1, E), HERO_NOT_FOUND, NULL, "7");
    REFUSED(hero_client_link_json(C, "book", "1", "tag", tags, 1, E), HERO_INVALID_ARGUMENT,
            "relationship", "tags");
    result = OK(hero_client_unlink_json(C, "book", "1", "tags", tags, 1, E));
    assert_int_equal(call_case_number(hero_result_text(result), "removed"), 1);
    hero_result_free(result);
    REFUSED(hero_client_delete_json(C, "book", books, 2, E), HERO_NOT_FOUND, "targets[1]", "2");
    result = OK(hero_client_delete_json(C, "book", books, 1, E));
    assert_int_equal(call_case_number(hero_result_text(result), "deleted"), 1);
    assert_int_equal(call_case_number(hero_result_text(result), "removed"), 1);
    hero_result_free(result);
}

static void test_commit(void **state)
{
    struct call_case *test = *state;
    hero_result *result = OK(hero_client_commit_json(
        C,
        "[{\"create\": {\"model\": \"order\", \"record\": {\"name\": \"t\"}}},"
        " {\"create\": {\"model\": \"book\", \"record\": {\"title\": \"T\"}, \"as\": \"b\"}},"
        " {\"link\": {\"model\": \"book\", \"key\": {\"@ref\": \"b\"}, \"relationship\": \"tags\","
        " \"to\": [\"t\"]}},"
        " {\"update\": {\"model\": \"book\", \"key\": {\"@ref\": \"b\"}, \"set\": {\"pages\": "
        "1}}},"
        " {\"unlink\": {\"model\": \"book\", \"key\": {\"@ref\": \"b\"}, \"relationship\": "
        "\"tags\", \"to\": [{\"name\": \"t\"}]}},"
        " {\"delete\": {\"model\": \"order\", \"key\": \"t\"}}]",
        E));

    assert_non_null(strstr(hero_result_text(result), "\"outcomes\": [{\"record\": {\"name\": "
                                                     "\"t\"}"));
    assert_non_null(strstr(hero_result_text(result), "\"pages\": 1}"));
    assert_int_equal(hero_result_deleted(result), 1);
    hero_result_free(result);
    assert_int_equal(call_case_rows(test, "book"), 1);
    assert_int_equal(call_case_rows(test, "order"), 0);
}

static void test_commit_refused(void **state)
{
    struct call_case *test = *state;

    REFUSED(hero_client_commit_json(C, "{}", E), HERO_INVALID_ARGUMENT, "", "expected array");
    REFUSED(hero_client_commit_json(C, "[{\"make\": {}}]", E), HERO_INVALID_ARGUMENT, "[0]",
            "create, upsert");
    REFUSED(hero_client_commit_json(C, "[{\"create\": {\"model\": \"order\"}}]", E),
            HERO_INVALID_ARGUMENT, "[0].create", "record");
    REFUSED(hero_client_commit_json(C, "[{\"create\": {\"modle\": \"order\"}}]", E),
            HERO_INVALID_ARGUMENT, "[0].create", "modle");
    REFUSED(hero_client_commit_json(C,
                                    "[{\"delete\": {\"model\": \"order\", \"key\": {\"@ref\": "
                                    "\"x\"}}}]",
                                    E),
            HERO_INVALID_ARGUMENT, "[0].delete.key", "as");
    REFUSED(hero_client_commit_json(C,
                                    "[{\"create\": {\"model\": \"order\", \"record\": "
                                    "{\"name\": 1}}}]",
                                    E),
            HERO_INVALID_ARGUMENT, "[0].create.record.name", "expected string");
    /* Told by the daemon, in the same terms; and nothing of it is stored. */
    REFUSED(hero_client_commit_json(C,
                                    "[{\"create\": {\"model\": \"order\", \"record\": "
                                    "{\"name\": \"x\"}}}, {\"create\": {\"model\": \"book\", "
                                    "\"record\": {\"tags\": [{\"name\": \"gone\"}]}}}]",
                                    E),
            HERO_INVALID_ARGUMENT, "[1].create.record.title", "required");
    hero_result_free(OK(create(test, "book", "{\"title\": \"T\"}")));
    REFUSED(hero_client_commit_json(C, "[{\"delete\": {\"model\": \"order\", \"key\": \"x\"}}]", E),
            HERO_NOT_FOUND, "[0].delete.key", "x");
    REFUSED(
        hero_client_commit_json(
            C, "[{\"update\": {\"model\": \"book\", \"key\": 1, \"set\": {\"title\": null}}}]", E),
        HERO_INVALID_ARGUMENT, "[0].update.set.title", "required");
    REFUSED(hero_client_commit_json(C,
                                    "[{\"link\": {\"model\": \"book\", \"key\": 1, "
                                    "\"relationship\": \"tags\", \"to\": [\"x\"]}}]",
                                    E),
            HERO_NOT_FOUND, "[0].link.to[0]", "x");
    assert_int_equal(call_case_rows(test, "order"), 0);
}

/* Cycles in the data end with the paths; a path that is too deep is refused. */
static void test_expand_is_bounded(void **state)
{
    struct call_case *test = *state;
    char expand[2048] = "authors";
    hero_result *result;

    hero_result_free(OK(create(test, "book",
                               "{\"title\": \"T\", \"authors\": [{\"handle\": \"a\", "
                               "\"full_name\": \"A\"}, {\"handle\": \"b\", \"full_name\": "
                               "\"B\"}]}")));
    result = OK(get(test, "book", "1", "authors.books.authors.books"));
    assert_non_null(strstr(hero_result_text(result), "\"books\": [{\"id\": 1, "));
    hero_result_free(result);
    for (int i = 0; i < 100; i++)
        strcat(expand, i % 2 ? ".authors" : ".books");
    REFUSED(get(test, "book", "1", expand), HERO_INVALID_ARGUMENT, "expand[0]", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_type),
        TEST(test_nests),
        TEST(test_several_at_once),
        TEST(test_keys),
        TEST(test_list),
        TEST(test_update),
        TEST(test_links_and_delete),
        TEST(test_commit),
        TEST(test_commit_refused),
        TEST(test_expand_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
