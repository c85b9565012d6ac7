/*
 * Inference: databases made by tests/data/infer/NAME.sql against the .proto
 * text beside them, which protoc and the models must take. HERO_UPDATE=1
 * writes what is there now.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fixture.h"
#include "internal.h"

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    if (!file)
        return NULL;
    ssize_t len = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (len >= 0)
        return text;
    free(text);
    return strdup("");
}

static const char *data_path(const char *name, const char *end)
{
    static char path[2][1024];
    static int turn;
    const char *source = getenv("HERO_SOURCE");
    turn = !turn;
    snprintf(path[turn], sizeof(path[turn]), "%s/tests/data/infer/%s%s", source ? source : ".",
             name, end);
    return path[turn];
}

static Code infer(struct fixture *f, char **ret_text)
{
    struct infer_options options = {.path = f->database, .seconds = 1};
    size_t len;
    FILE *out = open_memstream(ret_text, &len);
    assert_non_null(out);
    fault_done(&f->fault);
    Code code = store_infer(&options, out, &f->fault);
    fclose(out);
    return code;
}

static char *inferred(struct fixture *f, const char *sql)
{
    char *text = NULL;
    remove(f->database);
    fixture_sql(f, sql);
    if (infer(f, &text) != HERO__V1__CODE__OK)
        fail_msg("%s", f->fault.message);
    return text;
}

static void tell_difference(const char *expected, const char *found, const char *name)
{
    size_t at = 0, line = 1;
    while (expected[at] && expected[at] == found[at])
        line += expected[at++] == '\n';
    while (at > 0 && expected[at - 1] != '\n')
        at--;
    fail_msg("%s.proto:%zu\nexpected: %.*s\nfound:    %.*s", name, line,
             (int)strcspn(expected + at, "\n"), expected + at, (int)strcspn(found + at, "\n"),
             found + at);
}

static void case_of(void **state, const char *name)
{
    struct fixture *f = *state;
    char *sql = read_whole(data_path(name, ".sql"));
    assert_non_null(sql);
    char *found = inferred(f, sql);
    if (getenv("HERO_UPDATE")) {
        FILE *file = fopen(data_path(name, ".proto"), "w");
        assert_non_null(file);
        fputs(found, file);
        fclose(file);
    }
    char *expected = read_whole(data_path(name, ".proto"));
    assert_non_null(expected);
    if (strcmp(expected, found) != 0)
        tell_difference(expected, found, name);
    free(expected);
    free(found);
    free(sql);
}

#define CASE(name)                                                                                 \
    static void name(void **state)                                                                 \
    {                                                                                              \
        case_of(state, #name);                                                                     \
    }
CASE(tutorial)
CASE(links)
CASE(keys)
CASE(types)
CASE(defaults)
CASE(constraints)
CASE(names)
CASE(left_out)

/* ---- the file ---- */

static bool unchanged(const char *path, const struct stat *before)
{
    struct stat after;
    assert_int_equal(stat(path, &after), 0);
    return before->st_size == after.st_size && before->st_mtim.tv_sec == after.st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

static void leaves_the_file_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct stat before;
    char *text = NULL, path[600];
    remove(f->database);
    fixture_sql(f, "PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY);");
    assert_int_equal(stat(f->database, &before), 0);
    assert_int_equal(infer(f, &text), HERO__V1__CODE__OK);
    assert_non_null(strstr(text, "message T {"));
    assert_true(unchanged(f->database, &before));
    snprintf(path, sizeof(path), "%s-wal", f->database);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s-shm", f->database);
    assert_int_not_equal(access(path, F_OK), 0);
    free(text);
}

static void refuses(struct fixture *f, Code expected, const char *words)
{
    char *text = NULL;
    assert_int_equal(infer(f, &text), expected);
    assert_non_null(strstr(f->fault.message, f->database));
    assert_non_null(strstr(f->fault.message, words));
    assert_string_equal(text, "");
    free(text);
}

static void refuses_what_is_no_database(void **state)
{
    struct fixture *f = *state;
    remove(f->database);
    refuses(f, HERO__V1__CODE__NOT_FOUND, "No such file");
    FILE *file = fopen(f->database, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("no database, ", file);
    fclose(file);
    refuses(f, HERO__V1__CODE__DATA_LOSS, "not a database");
    remove(f->database);
    assert_int_equal(mkdir(f->database, 0700), 0);
    refuses(f, HERO__V1__CODE__INVALID_ARGUMENT, "no regular file");
    rmdir(f->database);
}

static void an_empty_file_has_no_models(void **state)
{
    struct fixture *f = *state;
    char *text = inferred(f, "");
    assert_non_null(strstr(text, "syntax = \"proto2\""));
    assert_null(strstr(text, "message"));
    free(text);
}

/* What Hero itself keeps in a file is nobody's model. */
static void own_tables_are_none(void **state)
{
    char *text = inferred(*state, "CREATE TABLE _hero_models (id INTEGER PRIMARY KEY);"
                                  "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);");
    assert_null(strstr(text, "_hero_"));
    assert_null(strstr(text, "sqlite_"));
    assert_non_null(strstr(text, "autoincrement: true"));
    free(text);
}

/* Each name that SQLite or C gives a meaning, as table, column and key. */
static void every_keyword_is_a_name(void **state)
{
    struct fixture *f = *state;
    char *sql = NULL;
    size_t len;
    FILE *out = open_memstream(&sql, &len);
    for (int i = 0; i < sqlite3_keyword_count(); i++) {
        const char *word;
        int n;
        sqlite3_keyword_name(i, &word, &n);
        fprintf(out, "CREATE TABLE \"%.*s\" (\"%.*s\" INTEGER PRIMARY KEY, \"%.*s_\" TEXT);", n,
                word, n, word, n, word);
    }
    fclose(out);
    char *text = inferred(f, sql);
    assert_null(strstr(text, "No model"));
    free(text);
    free(sql);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tutorial),
        TEST(links),
        TEST(keys),
        TEST(types),
        TEST(defaults),
        TEST(constraints),
        TEST(names),
        TEST(left_out),
        TEST(leaves_the_file_as_it_is),
        TEST(refuses_what_is_no_database),
        TEST(an_empty_file_has_no_models),
        TEST(own_tables_are_none),
        TEST(every_keyword_is_a_name),
    };
    return cmocka_run_group_tests_name("infer", tests, NULL, NULL);
}
