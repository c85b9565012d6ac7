/*
 * Databases of every earlier format of Hero open, are upgraded once, and serve
 * what was in them: tests/data/databases, made by the last version of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fixture.h"
#include "meta.h"

static const int formats[] = {1};
_Static_assert(META_FORMAT == 2, "keep a database of the format before, and name it here");

/* A copy of the kept file takes the place of the fixture's. */
static void copy_database(struct fixture *f, int format)
{
    char path[512], block[65536];
    size_t n;
    snprintf(path, sizeof(path), "%s/tests/data/databases/format-%d.db", getenv("HERO_SOURCE"),
             format);
    FILE *in = fopen(path, "rb"), *out = fopen(f->database, "wb");
    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(fwrite(block, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static const char *text_of(struct fixture *f, const char *name)
{
    char path[512], *text = arena_alloc(&f->arena, 65536);
    snprintf(path, sizeof(path), "%s/tests/data/databases/%s", getenv("HERO_SOURCE"), name);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_true(fread(text, 1, 65535, in) > 0);
    fclose(in);
    /* the fixture puts the first lines itself */
    return strstr(text, "import \"hero/options.proto\";") +
           strlen("import \"hero/options.proto\";");
}

static void check_rows(struct fixture *f)
{
    static const struct {
        const char *query, *rows;
    } facts[] = {
        {"SELECT name || ifnull(age, '') FROM hero ORDER BY id",
         "Deadpond\nSpider-Boy\nRusty-Man48\n"},
        {"SELECT count(*) FROM heroteamlink", "4\n"},
        {"SELECT title || ifnull(price, '') FROM book ORDER BY id",
         "The Dispossessed12.5\nUntitled\n"},
        {"SELECT a_int64 FROM scalars WHERE id = 1", "9223372036854775807\n"},
        {"SELECT name FROM gone", "kept\n"},
        {"SELECT value > 20 FROM _hero_meta WHERE key = 'commit_number'", "1\n"},
        {"SELECT count(*) > 10 FROM _hero_request", "1\n"},
        {"PRAGMA integrity_check", "ok\n"},
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
        assert_string_equal(fixture_query(f, facts[i].query), facts[i].rows);
}

/* Every row of every model can be read. */
static void read_all_models(struct fixture *f)
{
    struct models *models = store_models(f->store);
    assert_int_equal(models->n_models, 11);
    for (size_t i = 0; i < models->n_models; i++) {
        struct store_read read = {.models = models, .arena = &f->arena};
        Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
        Hero__V1__ListResponse response = HERO__V1__LIST_RESPONSE__INIT;
        request.model = (char *)(uintptr_t)models->models[i].name;
        if (store_list(f->store, &read, &request, &response, &f->fault) != HERO__V1__CODE__OK) {
            fixture_print_fault(f);
            fail_msg("%s", models->models[i].name);
        }
        assert_true(response.n_roots > 0);
    }
    models_unref(models);
}

static void check_history(struct fixture *f)
{
    struct models *models = store_models(f->store);
    struct store_read read = {.models = models, .arena = &f->arena};
    Hero__V1__HistoryResponse history = HERO__V1__HISTORY_RESPONSE__INIT;
    Hero__V1__GetModelSetResponse set = HERO__V1__GET_MODEL_SET_RESPONSE__INIT;
    assert_int_equal(store_history(f->store, &read, 3, 0, &history, &f->fault), HERO__V1__CODE__OK);
    assert_int_equal(history.n_sets, 3);
    assert_true(history.has_next_before);
    assert_int_equal(history.sets[0]->version, models->version);
    assert_int_equal(history.sets[0]->n_steps, 0); /* nobody noted them then */
    assert_string_equal(history.sets[0]->author, "uid:0");
    assert_int_equal(store_get_set(f->store, &read, history.sets[1]->version, &set, &f->fault),
                     HERO__V1__CODE__OK);
    assert_true(set.descriptor_set.len > 1000);
    models_unref(models);
}

static void each_format_opens(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        copy_database(f, formats[i]);
        for (int again = 0; again < 2; again++) {
            fixture_open(f);
            read_all_models(f);
            check_history(f);
            fixture_close(f);
            check_rows(f);
            assert_string_equal(
                fixture_query(f, "SELECT value FROM _hero_meta WHERE key = 'format'"), "2\n");
        }
        /* Its own models are nothing new; one that changes is changed, with its rows. */
        fixture_open(f);
        assert_int_equal(fixture_apply(f, text_of(f, "heroes.proto"), &applied),
                         HERO__V1__CODE__OK);
        assert_int_equal(applied.n_steps, 0);
        char *text = arena_strdup(&f->arena, text_of(f, "heroes.proto"));
        memcpy(strstr(text, " age "), " eld ", 5);
        assert_int_equal(fixture_apply(f, text, &applied), HERO__V1__CODE__OK);
        assert_string_equal(fixture_query(f, "SELECT eld FROM hero WHERE id = 3"), "48\n");
        fixture_close(f);
        remove(f->database);
    }
}

/* An upgrade that can't be done leaves the file as it was. */
static void no_half_upgrade(void **state)
{
    struct fixture *f = *state;
    copy_database(f, 1);
    fixture_sql(f, "CREATE TRIGGER no BEFORE INSERT ON _hero_meta WHEN new.key = 'format' BEGIN "
                   "SELECT RAISE(ABORT, 'not today'); END");
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_string_equal(fixture_query(f,
                                      "SELECT count(*) FROM pragma_table_info('_hero_model_set') "
                                      "WHERE name = 'steps'"),
                        "0\n");
    fixture_sql(f, "DROP TRIGGER no");
    fixture_open(f);
    read_all_models(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {TEST(each_format_opens), TEST(no_half_upgrade)};
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
