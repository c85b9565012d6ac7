/* Changes of the models: planned, whole or not at all, kept over a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fixture.h"

#define ID " optional int64 id = 1 [(hero.column).primary_key = true];"
#define MODEL(name, fields) "message " name " { option (hero.table) = {};" ID fields " }"

static const char user_tables[] = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema "
                                  "WHERE name NOT LIKE '\\_hero%' ESCAPE '\\' AND name NOT LIKE "
                                  "'sqlite\\_%' ESCAPE '\\' ORDER BY name)";
static const char sets[] = "SELECT count(*) FROM _hero_model_set";

static void applies(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret)
{
    if (fixture_apply(f, text, ret) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail();
    }
}

static uint64_t served_version(struct fixture *f, size_t *ret_n)
{
    struct models *models = store_models(f->store);
    uint64_t version = models->version;
    *ret_n = models->n_models;
    models_unref(models);
    return version;
}

static void tutorial(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    size_t n;
    fixture_open(f);
    uint64_t before = served_version(f, &n);
    assert_int_equal(n, 0);
    assert_true(before > 0);
    assert_int_equal(store_commit_number(f->store), 0);

    applies(f, fixture_heroes, &applied);
    assert_int_equal(applied.n_ddl, 7); /* three tables, three indexes, the way back */
    assert_non_null(strstr(applied.ddl[0], "CREATE TABLE"));
    assert_int_equal(applied.n_adopted, 0);
    assert_true(applied.models_version > before);
    assert_int_equal(served_version(f, &n), applied.models_version);
    assert_int_equal(n, 3);
    assert_int_equal(store_commit_number(f->store), 1);
    assert_string_equal(fixture_query(f, user_tables),
                        "hero,heroteamlink,ix_hero_age,ix_hero_name,ix_heroteamlink_hero_id,"
                        "ix_team_name,team\n");

    uint64_t version = applied.models_version;
    applies(f, fixture_heroes, &applied);
    assert_int_equal(applied.n_ddl, 0);
    assert_int_equal(applied.models_version, version);
    assert_int_equal(store_commit_number(f->store), 1);
    assert_string_equal(fixture_query(f, sets), "1\n");
    assert_string_equal(fixture_query(f, "SELECT author FROM _hero_model_set"), "uid:1\n");
}

static void survives_restart(void **state)
{
    struct fixture *f = *state;
    size_t n;
    fixture_open(f);
    applies(f, fixture_heroes, NULL);
    uint64_t version = served_version(f, &n);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(served_version(f, &n), version);
    assert_int_equal(n, 3);
    assert_int_equal(store_commit_number(f->store), 1);
    applies(f, fixture_heroes, NULL);
    assert_int_equal(served_version(f, &n), version);
}

static void plan_executes_nothing(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse planned, applied;
    size_t n;
    fixture_open(f);
    uint64_t before = served_version(f, &n);
    ProtobufCBinaryData set = fixture_compile(f, fixture_heroes);
    assert_int_equal(fixture_apply_set(f, set, true, &planned), HERO__V1__CODE__OK);
    assert_int_equal(planned.models_version, before);
    assert_int_equal(served_version(f, &n), before);
    assert_int_equal(n, 0);
    assert_string_equal(fixture_query(f, user_tables), "NULL\n");
    assert_string_equal(fixture_query(f, sets), "0\n");
    assert_int_equal(fixture_apply_set(f, set, false, &applied), HERO__V1__CODE__OK);
    assert_int_equal(applied.n_ddl, planned.n_ddl);
    for (size_t i = 0; i < applied.n_ddl; i++)
        assert_string_equal(applied.ddl[i], planned.ddl[i]);
}

static void sets_merge(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    size_t n;
    fixture_open(f);
    applies(f, MODEL("A", ""), &applied);
    uint64_t first = applied.models_version;
    applies(f, MODEL("B", ""), &applied);
    assert_int_equal(applied.n_ddl, 1);
    assert_true(applied.models_version > first);
    served_version(f, &n);
    assert_int_equal(n, 2);
    /* one that is served comes again with a field more; the other stays */
    applies(f, MODEL("A", " optional string x = 2;"), &applied);
    assert_int_equal(applied.n_ddl, 1);
    assert_string_equal(applied.steps[0]->what, "add column a.x");
    served_version(f, &n);
    assert_int_equal(n, 2);
    assert_int_equal(served_version(f, &n), applied.models_version);
}

static void served_tables_become_link_tables(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
#define ENDS                                                                                       \
    MODEL("A", "")                                                                                 \
    MODEL("B", "")                                                                                 \
    "message L { option (hero.table) = {};"                                                        \
    " optional int64 a = 1 [(hero.column) = {primary_key: true foreign_key: 'a.id'}];"             \
    " optional int64 b = 2 [(hero.column) = {primary_key: true foreign_key: 'b.id'}]; }"
    fixture_open(f);
    applies(f, ENDS, &applied);
    assert_int_equal(applied.n_ddl, 3);
    /* Whether a new relationship is a change of its model is the merge's to
     * say; either way the tables are as they were, or have the index. */
    Code code = fixture_apply(
        f,
        "message A { option (hero.table) = {};" ID
        " repeated B bs = 2 [(hero.relationship) = {link_model: 'L'}]; }" MODEL(
            "B",
            "") "message L { option (hero.table) = {};"
                " optional int64 a = 1 [(hero.column) = {primary_key: true foreign_key: 'a.id'}];"
                " optional int64 b = 2 [(hero.column) = {primary_key: true foreign_key: 'b.id'}]; "
                "}",
        &applied);
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM sqlite_schema WHERE name = "
                                         "'ix_l_b'"),
                        code == HERO__V1__CODE__OK ? "1\n" : "0\n");
}

static void all_or_nothing(void **state)
{
    struct fixture *f = *state;
    size_t n;
    fixture_sql(f, "CREATE TABLE b (id INTEGER NOT NULL, name TEXT, PRIMARY KEY (id));"
                   "CREATE TABLE c (x INTEGER)");
    fixture_open(f);
    uint64_t before = served_version(f, &n);
    assert_int_equal(
        fixture_apply(f, MODEL("A", "") MODEL("B", " optional string name = 2;") MODEL("C", ""),
                      NULL),
        HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(fixture_blames(f, "m.proto:B.name", "table b"));
    assert_true(fixture_blames(f, "m.proto:C.id", "missing"));
    assert_true(fixture_blames(f, "m.proto:C", "column x"));
    assert_int_equal(served_version(f, &n), before);
    assert_int_equal(n, 0);
    assert_string_equal(fixture_query(f, user_tables), "b,c\n");
    assert_int_equal(store_commit_number(f->store), 0);
}

static void one_name_for_two_indexes(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    Code code = fixture_apply(f,
                              "message A { option (hero.table) = {name: 'a_b'};" ID
                              " optional string c = 2 [(hero.column).index = true]; }"
                              "message B { option (hero.table) = {name: 'a'};" ID
                              " optional string b_c = 2 [(hero.column).index = true]; }",
                              NULL);
    assert_int_equal(code, HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(f, "m.proto:", "ix_a_b_c"));
    assert_string_equal(fixture_query(f, user_tables), "NULL\n");
}

/* The tables are made already when the set cannot be stored: they go again. */
static void failure_in_the_middle(void **state)
{
    struct fixture *f = *state;
    size_t n;
    fixture_open(f);
    uint64_t before = served_version(f, &n);
    fixture_sql(f, "CREATE TRIGGER no_sets BEFORE INSERT ON _hero_model_set BEGIN SELECT "
                   "RAISE(ABORT, 'not today'); END");
    assert_int_equal(fixture_apply(f, fixture_heroes, NULL), HERO__V1__CODE__FAILED_PRECONDITION);
    assert_non_null(strstr(f->fault.message, "not today"));
    assert_string_equal(fixture_query(f, user_tables), "no_sets\n");
    assert_int_equal(served_version(f, &n), before);
    fixture_sql(f, "DROP TRIGGER no_sets");
    applies(f, fixture_heroes, NULL);
    served_version(f, &n);
    assert_int_equal(n, 3);
}

static const char sqlmodel_tutorial[] =
    "import sys\nfrom typing import List, Optional\n"
    "from sqlmodel import Field, Relationship, Session, SQLModel, create_engine\n"
    "class HeroTeamLink(SQLModel, table=True):\n"
    "    team_id: Optional[int] = Field(default=None, foreign_key='team.id', primary_key=True)\n"
    "    hero_id: Optional[int] = Field(default=None, foreign_key='hero.id', primary_key=True)\n"
    "class Team(SQLModel, table=True):\n"
    "    id: Optional[int] = Field(default=None, primary_key=True)\n"
    "    name: str = Field(index=True)\n    headquarters: str\n"
    "    heroes: List['Hero'] = Relationship(back_populates='teams', link_model=HeroTeamLink)\n"
    "class Hero(SQLModel, table=True):\n"
    "    id: Optional[int] = Field(default=None, primary_key=True)\n"
    "    name: str = Field(index=True)\n    secret_name: str\n"
    "    age: Optional[int] = Field(default=None, index=True)\n"
    "    teams: List[Team] = Relationship(back_populates='heroes', link_model=HeroTeamLink)\n"
    "e = create_engine('sqlite:///' + sys.argv[1])\nSQLModel.metadata.create_all(e)\n"
    "with Session(e) as s:\n"
    "    s.add(Hero(name='Deadpond', secret_name='Dive Wilson',\n"
    "               teams=[Team(name='Preventers', headquarters='Sharp Tower')]))\n"
    "    s.commit()\n";

static void adopts_what_sqlmodel_made(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    if (!fixture_has_sqlmodel())
        skip();
    fixture_python(f, sqlmodel_tutorial);
    fixture_open(f);
    applies(f, fixture_heroes, &applied);
    assert_int_equal(applied.n_adopted, 3);
    assert_int_equal(applied.n_ddl, 0); /* no index either that nobody asked for */
    assert_string_equal(fixture_query(f, "SELECT name FROM hero"), "Deadpond\n");
    struct models *models = store_models(f->store);
    struct store_read read = {.models = models, .arena = &f->arena};
    uint64_t rows[3] = {9, 9, 9};
    assert_int_equal(store_count_rows(f->store, &read, rows, &f->fault), HERO__V1__CODE__OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rows[i], 1);
    models_unref(models);
}

/* The same shape, whoever made it. */
static void same_as_sqlmodel_by_pragmas(void **state)
{
    struct fixture *f = *state;
    static const char shape[] =
        "SELECT group_concat(line, char(10)) FROM (SELECT m.name || ' ' || x.cid || x.name || "
        "x.type || x.\"notnull\" || ifnull(x.dflt_value, '-') || x.pk || x.hidden AS line FROM "
        "sqlite_schema m, pragma_table_xinfo(m.name) x WHERE m.type = 'table' AND m.name IN "
        "('hero', 'team', 'heroteamlink') UNION ALL SELECT m.name || i.name || i.\"unique\" || "
        "i.origin || i.partial || ifnull(x.name, '') || x.\"desc\" || x.coll || x.key FROM "
        "sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x WHERE m.name "
        "IN ('hero', 'team', 'heroteamlink') AND i.name <> 'ix_heroteamlink_hero_id' UNION ALL "
        "SELECT m.name || k.\"table\" || k.\"from\" || k.\"to\" || k.on_update || k.on_delete || "
        "k.match FROM sqlite_schema m, pragma_foreign_key_list(m.name) k WHERE m.name IN ('hero', "
        "'team', 'heroteamlink') ORDER BY 1)";
    if (!fixture_has_sqlmodel())
        skip();
    fixture_python(f, sqlmodel_tutorial);
    const char *theirs = fixture_query(f, shape);
    assert_int_equal(remove(f->database), 0);
    fixture_open(f);
    applies(f, fixture_heroes, NULL);
    assert_string_equal(fixture_query(f, shape), theirs);
    assert_true(strlen(theirs) > 200);
}

static void removal(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    size_t n;
    fixture_open(f);
    applies(f, fixture_heroes, &applied);
    uint64_t version = applied.models_version;
    assert_int_equal(fixture_remove(f, "Team", NULL), HERO__V1__CODE__FAILED_PRECONDITION);
    assert_int_equal(fixture_remove(f, "Nobody", NULL), HERO__V1__CODE__NOT_FOUND);
    assert_int_equal(served_version(f, &n), version);
    applies(f, MODEL("Alone", ""), &applied);
    fixture_sql(f, "INSERT INTO alone VALUES (7)");
    assert_int_equal(fixture_remove(f, "Alone", &applied), HERO__V1__CODE__OK);
    assert_true(applied.models_version > version);
    served_version(f, &n);
    assert_int_equal(n, 3);
    /* the table stays, and comes back with its rows */
    fixture_close(f);
    fixture_open(f);
    served_version(f, &n);
    assert_int_equal(n, 3);
    applies(f, MODEL("Alone", ""), &applied);
    assert_int_equal(applied.n_adopted, 1);
    assert_string_equal(applied.adopted[0], "alone");
    assert_string_equal(fixture_query(f, "SELECT id FROM alone"), "7\n");
}

static void the_last_model_goes(void **state)
{
    struct fixture *f = *state;
    size_t n;
    fixture_open(f);
    applies(f, MODEL("A", ""), NULL);
    assert_int_equal(fixture_remove(f, "A", NULL), HERO__V1__CODE__OK);
    uint64_t version = served_version(f, &n);
    assert_int_equal(n, 0);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(served_version(f, &n), version);
    assert_int_equal(n, 0);
}

static void versions_never_repeat(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    fixture_open(f);
    applies(f, MODEL("A", ""), &applied);
    uint64_t first = applied.models_version;
    fixture_close(f);
    assert_int_equal(remove(f->database), 0);
    fixture_open(f); /* a new file at the same place */
    applies(f, MODEL("B", ""), &applied);
    assert_true(applied.models_version > first);
}

static void faulty_sets(void **state)
{
    struct fixture *f = *state;
    ProtobufCBinaryData garbage = {7, (uint8_t *)(uintptr_t) "garbage"}, empty = {0, NULL};
    fixture_open(f);
    assert_int_equal(fixture_apply_set(f, garbage, false, NULL), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(fixture_apply_set(f, empty, false, NULL), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(fixture_query(f, sets), "0\n");
}

static void drift_is_refused_at_start(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    applies(f, fixture_heroes, NULL);
    fixture_close(f);
    fixture_sql(f, "ALTER TABLE hero RENAME COLUMN age TO years");
    assert_int_equal(fixture_try_open(f), HERO__V1__CODE__FAILED_PRECONDITION);
    assert_int_equal(f->trouble, STORE_TROUBLE_OPEN);
    assert_non_null(strstr(f->fault.message, f->database));
    assert_non_null(strstr(f->fault.message, "table hero: column age is missing"));
    assert_null(strchr(f->fault.message, '\n'));
    fixture_sql(f, "ALTER TABLE hero RENAME COLUMN years TO age; DROP INDEX ix_hero_name");
    fixture_open(f); /* an index is no shape */
    fixture_close(f);
    fixture_sql(f, "DROP TABLE heroteamlink");
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_non_null(strstr(f->fault.message, "table heroteamlink is missing"));
}

/* More than a message holds is done all the same, and told in part. */
static void larger_than_a_message(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    char *text = NULL;
    size_t len, n;
    FILE *out = open_memstream(&text, &len);
    for (int m = 0; m < 400; m++) {
        fprintf(out, "message M%d { option (hero.table) = {};" ID, m);
        for (int c = 2; c < 40; c++)
            fprintf(out, " optional string a_column_with_a_long_name_%d = %d;", c, c);
        fputs(" }\n", out);
    }
    fclose(out);
    fixture_open(f);
    ProtobufCBinaryData set = fixture_compile(f, text);
    free(text);
    assert_int_equal(fixture_apply_set(f, set, false, &applied), HERO__V1__CODE__OK);
    assert_true(hero__v1__apply_models_response__get_packed_size(&applied) < 1024 * 1024);
    assert_int_equal(applied.n_steps, 400);
    assert_int_equal(applied.n_ddl, 0);
    assert_non_null(strstr(applied.warnings[applied.n_warnings - 1], "--message-limit"));
    served_version(f, &n);
    assert_int_equal(n, 400);
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'm%' "
                                         "AND type = 'table'"),
                        "400\n");
}

/* The ways out: undo it, apply what the table is now, or start without it. */
static void drift_has_a_way_out(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    size_t n;
    fixture_open(f);
    applies(f, fixture_heroes, NULL);
    applies(f, MODEL("Other", ""), NULL);
    fixture_sql(f, "INSERT INTO hero (name, secret_name, age) VALUES ('a', 'b', 7)");
    fixture_close(f);
    fixture_sql(f, "ALTER TABLE hero RENAME COLUMN age TO years");
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_non_null(strstr(f->fault.message, "--without"));
    f->without = "hero";
    assert_int_not_equal(fixture_try_open(f), HERO__V1__CODE__OK);
    assert_non_null(strstr(f->fault.message, "name it too"));
    f->without = "hero, Team,heroteamlink,nosuch";
    for (int i = 0; i < 2; i++) { /* a unit file may keep the option */
        fixture_open(f);
        served_version(f, &n);
        assert_int_equal(n, 1);
        fixture_close(f);
    }
    assert_string_equal(fixture_query(f, "SELECT steps FROM _hero_model_set ORDER BY version DESC "
                                         "LIMIT 1"),
                        "remove model hero\nremove model Team\nremove model heroteamlink\n");
    f->without = NULL;
    fixture_open(f);
    applies(f,
            MODEL("Hero",
                  " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
                  " optional string secret_name = 3 [(hero.column).not_null = true];"
                  " optional int64 years = 4 [(hero.column).index = true];"),
            &applied);
    assert_int_equal(applied.n_adopted, 1);
    assert_string_equal(fixture_query(f, "SELECT years FROM hero"), "7\n");
}

/* Somebody changed the table while it was served, and now says so. */
static void drift_is_taken_as_it_is(void **state)
{
    struct fixture *f = *state;
    Hero__V1__ApplyModelsResponse applied;
    fixture_open(f);
    applies(f, MODEL("A", " optional string x = 2;"), NULL);
    fixture_sql(f, "INSERT INTO a VALUES (1, 'v'); ALTER TABLE a RENAME COLUMN x TO y; "
                   "ALTER TABLE a ADD COLUMN z INTEGER");
    applies(f, MODEL("A", " optional string y = 2; optional int32 z = 3;"), &applied);
    assert_int_equal(applied.n_steps, 1);
    assert_string_equal(applied.steps[0]->what, "adopt table a as it is");
    assert_int_equal(applied.n_ddl, 0);
    assert_string_equal(fixture_query(f, "SELECT y FROM a"), "v\n");
    fixture_close(f);
    fixture_open(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tutorial),
        TEST(survives_restart),
        TEST(plan_executes_nothing),
        TEST(sets_merge),
        TEST(served_tables_become_link_tables),
        TEST(all_or_nothing),
        TEST(one_name_for_two_indexes),
        TEST(failure_in_the_middle),
        TEST(adopts_what_sqlmodel_made),
        TEST(same_as_sqlmodel_by_pragmas),
        TEST(removal),
        TEST(the_last_model_goes),
        TEST(versions_never_repeat),
        TEST(faulty_sets),
        TEST(drift_is_refused_at_start),
        TEST(larger_than_a_message),
        TEST(drift_has_a_way_out),
        TEST(drift_is_taken_as_it_is),
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
