/* DDL: the text is SQLAlchemy's, for the same classes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ddl.h"
#include "fixture.h"

/* Prints each table's DDL and its indexes in order of name, separated by a line "--". */
#define PYTHON_HEAD                                                                                \
    "from typing import Optional\n"                                                                \
    "from sqlmodel import *\n"                                                                     \
    "from sqlalchemy.schema import CreateTable, CreateIndex\n"                                     \
    "class M(SQLModel):\n    pass\n"
#define PYTHON_TAIL                                                                                \
    "\ne = create_engine('sqlite://')\n"                                                           \
    "for n in sorted(SQLModel.metadata.tables):\n"                                                 \
    "    t = SQLModel.metadata.tables[n]\n"                                                        \
    "    print(str(CreateTable(t).compile(e)).strip())\n    print('--')\n"                         \
    "    for i in sorted(t.indexes, key=lambda i: str(i.name)):\n"                                 \
    "        print(str(CreateIndex(i).compile(e)).strip())\n        print('--')\n"

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct model *)a)->table, ((const struct model *)b)->table);
}

static int by_text(const void *a, const void *b)
{
    const struct ddl_index *one = a, *two = b;
    return strcmp(one->name, two->name);
}

/* Ours in the same form; the extra indexes of link tables are left out. */
static const char *our_ddl(struct fixture *f, const struct models *models)
{
    const char *all = "";
    struct model *sorted =
        arena_copy(&f->arena, models->models, models->n_models * sizeof(*models->models));
    qsort(sorted, models->n_models, sizeof(*sorted), by_name);
    for (size_t i = 0; i < models->n_models; i++) {
        struct ddl_index *indexes;
        size_t n;
        all = arena_printf(&f->arena, "%s%s\n--\n", all, ddl_table(&sorted[i], &f->arena));
        assert_true(ddl_indexes(&sorted[i], &f->arena, &indexes, &n));
        qsort(indexes, n, sizeof(*indexes), by_text);
        for (size_t k = 0; k < n; k++) {
            if (indexes[k].n_columns == 1)
                all = arena_printf(&f->arena, "%s%s\n--\n", all, indexes[k].sql);
        }
    }
    return all;
}

static void compare(struct fixture *f, const char *proto, const char *python)
{
    if (!fixture_has_sqlmodel())
        skip();
    struct models *models = fixture_models(f, proto);
    assert_string_equal(our_ddl(f, models), fixture_python(f, python));
    models_unref(models);
}

static void tutorial(void **state)
{
    compare(*state, fixture_heroes,
            PYTHON_HEAD "class HeroTeamLink(SQLModel, table=True):\n"
                        "    team_id: Optional[int] = Field(default=None, foreign_key='team.id',"
                        " primary_key=True)\n"
                        "    hero_id: Optional[int] = Field(default=None, foreign_key='hero.id',"
                        " primary_key=True)\n"
                        "class Team(SQLModel, table=True):\n"
                        "    id: Optional[int] = Field(default=None, primary_key=True)\n"
                        "    name: str = Field(index=True)\n    headquarters: str\n"
                        "class Hero(SQLModel, table=True):\n"
                        "    id: Optional[int] = Field(default=None, primary_key=True)\n"
                        "    name: str = Field(index=True)\n    secret_name: str\n"
                        "    age: Optional[int] = Field(default=None, index=True)\n" PYTHON_TAIL);
}

static void odd_names(void **state)
{
    compare(*state,
            "message A { option (hero.table) = {name: 'order'};"
            " optional int64 id = 1 [(hero.column) = {primary_key: true name: 'Id'}];"
            " optional string g = 2 [(hero.column) = {name: 'group' index: true not_null: true}];"
            " optional string s = 3 [(hero.column) = {name: 'two words' unique: true}];"
            " optional string q = 4 [(hero.column) = {name: 'quo\"te' index: true}];"
            " optional string d = 5 [(hero.column) = {name: '1st'}];"
            " optional string e = 6 [(hero.column) = {name: 'a$b'}];"
            " optional string u = 7 [(hero.column) = {name: '\\303\\251t\\303\\251'}]; }"
            "message B { option (hero.table) = {name: 'Mixed Case'};"
            " optional int64 id = 1 [(hero.column).primary_key = true];"
            " optional int64 a = 2 [(hero.column) = {foreign_key: 'order.Id' index: true}]; }",
            PYTHON_HEAD
            "def c(name, **k): return dict(name=name, **k)\n"
            "class A(SQLModel, table=True):\n    __tablename__ = 'order'\n"
            "    id: Optional[int] = Field(default=None, primary_key=True,"
            " sa_column_kwargs=c('Id'))\n"
            "    g: str = Field(index=True, sa_column_kwargs=c('group'))\n"
            "    s: Optional[str] = Field(sa_column_kwargs=c('two words', unique=True))\n"
            "    q: Optional[str] = Field(index=True, sa_column_kwargs=c('quo\"te'))\n"
            "    d: Optional[str] = Field(sa_column_kwargs=c('1st'))\n"
            "    e: Optional[str] = Field(sa_column_kwargs=c('a$b'))\n"
            "    u: Optional[str] = Field(sa_column_kwargs=c('\\u00e9t\\u00e9'))\n"
            "class B(SQLModel, table=True):\n    __tablename__ = 'Mixed Case'\n"
            "    id: Optional[int] = Field(default=None, primary_key=True)\n"
            "    a: Optional[int] = Field(foreign_key='order.Id', index=True)\n" PYTHON_TAIL);
}

static void constraints_and_defaults(void **state)
{
    compare(*state,
            "message P { option (hero.table) = {};"
            " optional string handle = 1 [(hero.column).primary_key = true];"
            " optional string full_name = 2 [(hero.column) = {not_null: true unique: true}]; }"
            "message T { option (hero.table) = {};"
            " optional string branch = 1 [(hero.column).primary_key = true];"
            " optional int32 shelf = 2 [(hero.column).primary_key = true];"
            " optional string a = 3 [(hero.column) = {foreign_key: 'p.handle' unique: true}];"
            " optional string b = 4 [(hero.column) = {foreign_key: 'p.full_name' not_null: true}];"
            " optional string c = 5 [(hero.column) = {index: true unique: true}];"
            " optional double d = 6 [(hero.column) = {default: '3.5' not_null: true}];"
            " optional bool e = 7 [(hero.column) = {default: 'true'}];"
            " optional string g = 8 [(hero.column) = {default: 'it\\'s'}];"
            " optional int64 h = 9 [(hero.column) = {default: '-7' index: true}];"
            " optional bytes i = 10; optional float j = 11; }",
            PYTHON_HEAD "def default(v): return dict(server_default=v)\n"
                        "class P(SQLModel, table=True):\n"
                        "    handle: str = Field(primary_key=True)\n"
                        "    full_name: str = Field(sa_column_kwargs=dict(unique=True))\n"
                        "class T(SQLModel, table=True):\n"
                        "    branch: str = Field(primary_key=True)\n"
                        "    shelf: int = Field(primary_key=True)\n"
                        "    a: Optional[str] = Field(foreign_key='p.handle',"
                        " sa_column_kwargs=dict(unique=True))\n"
                        "    b: str = Field(foreign_key='p.full_name')\n"
                        "    c: Optional[str] = Field(index=True,"
                        " sa_column_kwargs=dict(unique=True))\n"
                        "    d: float = Field(sa_column_kwargs=default('3.5'))\n"
                        "    e: Optional[bool] = Field(sa_column_kwargs=default('1'))\n"
                        "    g: Optional[str] = Field(sa_column_kwargs=default(\"it's\"))\n"
                        "    h: Optional[int] = Field(index=True, sa_column_kwargs=default('-7'))\n"
                        "    i: Optional[bytes]\n    j: Optional[float]\n" PYTHON_TAIL);
}

static void link_tables_have_the_way_back(void **state)
{
    struct fixture *f = *state;
    struct models *models = fixture_models(f, fixture_heroes);
    char **ddl;
    size_t n;
    assert_int_equal(store_ddl(models_find(models, "HeroTeamLink", NULL), &f->arena, &ddl, &n),
                     HERO__V1__CODE__OK);
    assert_int_equal(n, 2);
    assert_string_equal(ddl[1],
                        "CREATE INDEX ix_heroteamlink_hero_id ON heroteamlink (hero_id, team_id)");
    models_unref(models);

    /* An index of the model's own leads there already. */
    models = fixture_models(
        f, "message A { option (hero.table) = {};"
           " optional int64 id = 1 [(hero.column).primary_key = true];"
           " repeated A near = 2 [(hero.relationship) = {link_model: 'L' link_from: 'x'}]; }"
           "message L { option (hero.table) = {};"
           " optional int64 x = 1 [(hero.column) = {primary_key: true foreign_key: 'a.id'}];"
           " optional int64 y = 2 [(hero.column) = {primary_key: true foreign_key: 'a.id'"
           " index: true}]; }");
    assert_int_equal(store_ddl(models_find(models, "L", NULL), &f->arena, &ddl, &n),
                     HERO__V1__CODE__OK);
    assert_int_equal(n, 2);
    assert_string_equal(ddl[1], "CREATE INDEX ix_l_y ON l (y)");
    models_unref(models);
}

/* What the DEFAULT clause stores is what the daemon would bind. */
static void defaults_store_their_value(void **state)
{
    struct fixture *f = *state;
    struct models *models =
        fixture_models(f, "message T { option (hero.table) = {};"
                          " optional int64 id = 1 [(hero.column).primary_key = true];"
                          " optional bool b = 2 [(hero.column).default = 'true'];"
                          " optional double d = 3 [(hero.column).default = '0.1'];"
                          " optional int64 i = 4 [(hero.column).default = '9223372036854775807'];"
                          " optional bytes x = 5 [(hero.column).default = 'AP8='];"
                          " optional string t = 6 [(hero.column).default = '007']; }");
    fixture_sql(f, ddl_table(&models->models[0], &f->arena));
    fixture_sql(f, "INSERT INTO t (id) VALUES (1)");
    assert_string_equal(
        fixture_query(f, "SELECT quote(b) || ' ' || typeof(b) || ' ' || quote(d) || ' ' || quote(i)"
                         " || ' ' || typeof(i) || ' ' || quote(x) || ' ' || quote(t) FROM t"),
        "1 integer 0.1 9223372036854775807 integer X'00FF' '007'\n");
    models_unref(models);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tutorial),
        TEST(odd_names),
        TEST(constraints_and_defaults),
        TEST(link_tables_have_the_way_back),
        TEST(defaults_store_their_value),
    };
    return cmocka_run_group_tests_name("ddl", tests, NULL, NULL);
}
