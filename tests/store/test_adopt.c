/* Adoption: tables that SQLModel made are taken as they are; every difference has a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "adopt.h"
#include "default.h"
#include "fixture.h"
#include "internal.h"

/* One model with a bit of everything; the table that fits it, in parts. */
static const char model_text[] =
    "message P { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true]; }"
    "message T { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string code = 3 [(hero.column).unique = true];"
    " optional int64 p_id = 4 [(hero.column).foreign_key = 'p.id'];"
    " optional bool flag = 5 [(hero.column).default = 'true'];"
    " optional double price = 6; optional bytes data = 7; }";

#define PARENT "CREATE TABLE p (id INTEGER NOT NULL, PRIMARY KEY (id));"
#define FITS                                                                                       \
    PARENT "CREATE TABLE t (id INTEGER NOT NULL, name VARCHAR NOT NULL, code VARCHAR, "            \
           "p_id INTEGER, flag BOOLEAN, price FLOAT, data BLOB, PRIMARY KEY (id), UNIQUE (code), " \
           "FOREIGN KEY(p_id) REFERENCES p (id));"                                                 \
           "CREATE INDEX ix_t_name ON t (name);"

static Code plan_for(struct fixture *f, const char *model_proto, const char *name, const char *sql,
                     struct table_plan *plan)
{
    struct models *models = fixture_models(f, model_proto);
    struct db db;
    fault_done(&f->fault);
    remove(f->database);
    fixture_sql(f, sql);
    assert_int_equal(db_open(&db, f->database, true, 50, &f->fault), HERO__V1__CODE__OK);
    Code code = adopt_plan(&db, models_find(models, name, NULL), &f->arena, plan, &f->fault);
    db_close(&db);
    models_unref(models);
    return code;
}

static Code plan_t(struct fixture *f, const char *sql, struct table_plan *plan)
{
    return plan_for(f, model_text, "T", sql, plan);
}

static void fits(struct fixture *f, const char *sql)
{
    struct table_plan plan;
    if (plan_t(f, sql, &plan) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", sql);
    }
    assert_true(plan.exists);
    assert_int_equal(plan.n_indexes, 0);
}

/* Exactly one difference, of that field and with that text. */
static void differs(struct fixture *f, const char *sql, const char *path, const char *text)
{
    struct table_plan plan;
    assert_int_equal(plan_t(f, sql, &plan), HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(fixture_blames(f, path, text));
    assert_non_null(strstr(f->fault.violations[0].description, "table t"));
    if (f->fault.n_violations != 1)
        fixture_print_fault(f);
    assert_int_equal(f->fault.n_violations, 1);
}

/* The table is taken; one warning, with that text. */
static void warns(struct fixture *f, const char *sql, const char *text)
{
    struct table_plan plan;
    if (plan_t(f, sql, &plan) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", sql);
    }
    assert_true(plan.exists);
    assert_int_equal(plan.n_warnings, 1);
    assert_non_null(strstr(plan.warnings[0], "m.proto:T"));
    if (!strstr(plan.warnings[0], text))
        fail_msg("%s", plan.warnings[0]);
}

static void same_shape(void **state)
{
    struct fixture *f = *state;
    fits(f, FITS);
    /* an older SQLModel; other spelling; other order; further indexes */
    fits(f, PARENT "CREATE TABLE T (data blob, ID integer, Name varchar(50) NOT NULL, "
                   "code VARCHAR (10), p_id INTEGER REFERENCES P, flag BOOLEAN DEFAULT (1), "
                   "price float DEFAULT NULL, PRIMARY KEY (id), UNIQUE (code), UNIQUE (name, code),"
                   " CHECK (flag IN (0, 1)));"
                   "CREATE INDEX other ON t (name DESC, price); CREATE INDEX more ON t (data);"
                   "CREATE UNIQUE INDEX part ON t (name) WHERE price > 5;");
    fits(f, PARENT "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR NOT NULL, "
                   "code VARCHAR, p_id INTEGER REFERENCES p (id), flag BOOLEAN DEFAULT true, "
                   "price FLOAT, data BLOB); CREATE UNIQUE INDEX u ON t (code);"
                   "CREATE INDEX ix_t_name ON t (name)");
}

static void nothing_there(void **state)
{
    struct fixture *f = *state;
    struct table_plan plan;
    assert_int_equal(plan_t(f, PARENT, &plan), HERO__V1__CODE__OK);
    assert_false(plan.exists);
    assert_int_equal(plan.n_indexes, 1);
    assert_string_equal(plan.indexes[0]->name, "ix_t_name");
}

static void missing_index_is_made(void **state)
{
    struct fixture *f = *state;
    struct table_plan plan;
    assert_int_equal(plan_t(f, FITS "DROP INDEX ix_t_name", &plan), HERO__V1__CODE__OK);
    assert_true(plan.exists);
    assert_int_equal(plan.n_indexes, 1);
    /* one that does not serve: for some rows only, or collated otherwise */
    assert_int_equal(plan_t(f,
                            FITS "DROP INDEX ix_t_name;"
                                 "CREATE INDEX x ON t (name) WHERE price > 1;"
                                 "CREATE INDEX y ON t (name COLLATE NOCASE);"
                                 "CREATE INDEX z ON t (lower(name))",
                            &plan),
                     HERO__V1__CODE__OK);
    assert_int_equal(plan.n_indexes, 1);
}

#define TABLE(columns) PARENT "CREATE TABLE t (" columns "); CREATE INDEX ix_t_name ON t (name);"
#define ID "id INTEGER NOT NULL PRIMARY KEY,"
#define NAME "name VARCHAR NOT NULL,"
#define CODE "code VARCHAR UNIQUE,"
#define PID "p_id INTEGER REFERENCES p (id),"
#define REST "flag BOOLEAN, price FLOAT, data BLOB"

static void columns_differ(void **state)
{
    struct fixture *f = *state;
    fits(f, TABLE(ID NAME CODE PID REST));
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN, price FLOAT"), "T.data", "missing");
    differs(f, TABLE(ID NAME CODE PID REST ", more VARCHAR"), "m.proto:T", "column more");
    differs(f, TABLE(ID NAME CODE PID "flag INTEGER, price FLOAT, data BLOB"), "T.flag",
            "of type INTEGER, the model says BOOLEAN");
    differs(f, TABLE(ID "name TEXT NOT NULL," CODE PID REST), "T.name", "of type TEXT");
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN, price FLOAT, data"), "T.data", "of type none");
    differs(f, TABLE(ID "name VARCHAR," CODE PID REST), "T.name", "nullable");
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN NOT NULL, price FLOAT, data BLOB"), "T.flag",
            "NOT NULL");
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN DEFAULT 0, price FLOAT, data BLOB"), "T.flag",
            "DEFAULT 0, the model says true");
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN, price FLOAT DEFAULT 1.5, data BLOB"),
            "T.price", "DEFAULT 1.5, the model has none");
    differs(f, TABLE(ID NAME CODE PID "flag BOOLEAN, price FLOAT, data BLOB AS (x'00')"), "T.data",
            "generated");
    differs(f, TABLE(ID NAME CODE PID REST ", twice FLOAT AS (price * 2) STORED"), "m.proto:T",
            "column twice");
}

static void keys_differ(void **state)
{
    struct fixture *f = *state;
    differs(f, TABLE("id INTEGER NOT NULL," NAME CODE PID REST), "m.proto:T",
            "the primary key is (), the model says (id)");
    differs(f, TABLE("id INTEGER NOT NULL," NAME CODE PID REST ", PRIMARY KEY (id, name)"),
            "m.proto:T", "(id, name)");
    differs(f, TABLE("id INTEGER PRIMARY KEY DESC," NAME CODE PID REST), "T.id", "makes no ids");
    /* SQLite refuses an absent id itself */
    fits(f, TABLE("id INTEGER NOT NULL PRIMARY KEY DESC," NAME CODE PID REST));
    fits(f, PARENT "CREATE TABLE t (" ID NAME CODE PID REST ") WITHOUT ROWID;"
                   "CREATE INDEX ix_t_name ON t (name)");
    fits(f, TABLE("id INTEGER DEFAULT 7 PRIMARY KEY," NAME CODE PID REST));
    /* what tells rows apart as well as a key does */
    fits(f, TABLE("id INTEGER NOT NULL UNIQUE," NAME CODE PID REST));
    differs(f, TABLE("id INTEGER UNIQUE," NAME CODE PID REST), "m.proto:T", "primary key is ()");
    differs(f,
            TABLE("id INTEGER NOT NULL," NAME CODE PID REST) "CREATE UNIQUE INDEX u ON t (id) "
                                                             "WHERE id > 0",
            "m.proto:T", "primary key is ()");
}

static void foreign_keys_differ(void **state)
{
    struct fixture *f = *state;
    differs(f, TABLE(ID NAME CODE "p_id INTEGER," REST), "T.p_id", "no foreign key");
    differs(f, TABLE(ID NAME CODE "p_id INTEGER REFERENCES q (id)," REST), "T.p_id",
            "refers to q(id), the model says p(id)");
    differs(f, TABLE(ID NAME CODE "p_id INTEGER REFERENCES p (x)," REST), "T.p_id", "p(x)");
    differs(f, TABLE(ID NAME CODE "p_id INTEGER REFERENCES p (id) ON DELETE CASCADE," REST),
            "T.p_id", "ON DELETE CASCADE");
    differs(f, TABLE(ID "name VARCHAR NOT NULL REFERENCES t (code)," CODE PID REST), "T.name",
            "the model has no foreign key");
    warns(f, TABLE(ID NAME CODE "p_id INTEGER REFERENCES p (id) ON UPDATE SET NULL," REST),
          "ON UPDATE SET NULL");
    warns(f, TABLE(ID NAME CODE "p_id INTEGER REFERENCES p (id) ON DELETE SET DEFAULT," REST),
          "ON DELETE SET DEFAULT");
}

/* A model can't say them; the table is as it was made. */
static void foreign_keys_that_models_have_not(void **state)
{
    struct fixture *f = *state;
    warns(f, TABLE(ID NAME CODE PID "flag BOOLEAN, price FLOAT REFERENCES p (id), data BLOB"),
          "column price has a foreign key to p(id) that the model can't say");
    warns(f, TABLE(ID NAME "code VARCHAR UNIQUE REFERENCES nowhere," PID REST), "nowhere(its");
    warns(f,
          "CREATE TABLE other (a VARCHAR, b INTEGER, PRIMARY KEY (a, b));" TABLE(
              ID NAME CODE PID REST ", FOREIGN KEY (name, p_id) REFERENCES other"),
          "other(a)");
}

/* CHECKs of the model must be there, in whatever spelling; others may. */
static void checks_differ(void **state)
{
    static const char text[] = "message C { option (hero.table) = {check: {sql: 'a < b'}};"
                               " optional int64 a = 1 [(hero.column).primary_key = true];"
                               " optional int64 b = 2 [(hero.column).check = 'b > 0']; }";
    struct fixture *f = *state;
    struct table_plan plan;
    assert_int_equal(plan_for(f, text, "C",
                              "CREATE TABLE c (a INTEGER PRIMARY KEY, b INTEGER "
                              "CONSTRAINT n CHECK(B>0), CHECK (a <b /* so */))",
                              &plan),
                     HERO__V1__CODE__OK);
    assert_int_equal(plan.n_warnings, 0);
    assert_int_equal(plan_for(f, text, "C",
                              "CREATE TABLE c (a INTEGER PRIMARY KEY, b INTEGER CHECK (b > 1), "
                              "CHECK (a < b))",
                              &plan),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(fixture_blames(f, "C.b", "no CHECK (b > 0)"));
    warns(f, TABLE(ID NAME CODE PID REST ", CHECK (price > 0)"), "it has CHECK (price > 0)");
    warns(f, TABLE(ID NAME CODE PID REST ", UNIQUE (name, price) ON CONFLICT REPLACE"),
          "ON CONFLICT REPLACE");
    warns(f, TABLE(ID NAME CODE PID REST) "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
          "trigger tr");
}

static void uniques_differ(void **state)
{
    struct fixture *f = *state;
    differs(f, TABLE(ID NAME "code VARCHAR," PID REST), "T.code", "not unique");
    differs(f,
            TABLE(ID NAME "code VARCHAR," PID REST) "CREATE UNIQUE INDEX c ON t (code) WHERE "
                                                    "price > 0",
            "T.code", "not unique");
    differs(f, TABLE(ID NAME CODE PID REST ", UNIQUE (price)"), "T.price", "is unique");
    warns(f,
          TABLE(ID NAME "code VARCHAR COLLATE NOCASE," PID
                    REST) "CREATE UNIQUE INDEX c ON t (code COLLATE BINARY)",
          "COLLATE NOCASE");
}

static void other_things_of_that_name(void **state)
{
    struct fixture *f = *state;
    differs(f, PARENT "CREATE VIEW t AS SELECT 1", "m.proto:T", "a view of that name");
    differs(f, PARENT "CREATE INDEX t ON p (id)", "m.proto:T", "an index of that name");
    differs(f, PARENT "CREATE VIRTUAL TABLE t USING fts5(name)", "m.proto:T", "virtual");
    differs(f, PARENT "CREATE INDEX ix_t_name ON p (id)", "T.name", "ix_t_name");
    differs(f, FITS "DROP INDEX ix_t_name; CREATE INDEX ix_t_name ON t (price)", "T.name",
            "ix_t_name");
}

static void all_differences_at_once(void **state)
{
    struct fixture *f = *state;
    struct table_plan plan;
    assert_int_equal(plan_t(f, "CREATE TABLE t (id INTEGER, name TEXT, x INTEGER)", &plan),
                     HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(fixture_blames(f, "T.name", "TEXT"));
    assert_true(fixture_blames(f, "T.name", "nullable"));
    assert_true(fixture_blames(f, "T.code", "missing"));
    assert_true(fixture_blames(f, "m.proto:T", "column x"));
    assert_true(fixture_blames(f, "m.proto:T", "primary key"));
    assert_true(fixture_blames(f, "T.p_id", "no foreign key"));
}

static void composite_without_rowid(void **state)
{
    struct fixture *f = *state;
    struct table_plan plan;
    static const char text[] = "message C { option (hero.table) = {};"
                               " optional string a = 1 [(hero.column).primary_key = true];"
                               " optional int64 b = 2 [(hero.column).primary_key = true]; }";
    assert_int_equal(plan_for(f, text, "C",
                              "CREATE TABLE c (a VARCHAR NOT NULL, b INTEGER NOT "
                              "NULL, PRIMARY KEY (a, b)) WITHOUT ROWID",
                              &plan),
                     HERO__V1__CODE__OK);
    assert_true(plan.exists);
    assert_int_equal(
        plan_for(f, text, "C", "CREATE TABLE c (a VARCHAR, b INTEGER, PRIMARY KEY (b, a))", &plan),
        HERO__V1__CODE__OK);
    assert_int_equal(
        plan_for(f, text, "C", "CREATE TABLE c (a VARCHAR, b INTEGER, PRIMARY KEY (b))", &plan),
        HERO__V1__CODE__FAILED_PRECONDITION);
    assert_true(fixture_blames(f, "m.proto:C", "(b), the model says (a, b)"));
}

static void default_literals(void **state)
{
    (void)state;
    struct column text = {.default_kind = DEFAULT_TEXT, .default_bytes = {4, (uint8_t *)"it's"}};
    struct column integer = {.default_kind = DEFAULT_INTEGER, .default_integer = -5};
    struct column real = {.default_kind = DEFAULT_REAL, .default_real = 3.5};
    struct column bytes = {.default_kind = DEFAULT_BYTES,
                           .default_bytes = {2, (uint8_t *)"\0\xff"}};
    struct column none = {.default_kind = DEFAULT_NONE};
    assert_true(default_matches("'it''s'", &text));
    assert_true(default_matches(" ( 'it''s' ) ", &text));
    assert_true(default_matches("\"it's\"", &text));
    assert_false(default_matches("\"it's'", &text));
    assert_false(default_matches("'it's'", &text));
    assert_false(default_matches("'it''s", &text));
    assert_false(default_matches("it''s", &text));
    assert_false(default_matches("'", &text));
    assert_false(default_matches("''", &text));
    assert_false(default_matches("'a'' || 'b'", &text));
    assert_true(default_matches("-5", &integer));
    assert_true(default_matches("'-5'", &integer));
    assert_false(default_matches("-5.0", &integer));
    assert_false(default_matches("5", &integer));
    assert_false(default_matches("", &integer));
    assert_false(default_matches("99999999999999999999", &integer));
    assert_true(default_matches("3.50", &real));
    assert_false(default_matches("nan", &real));
    assert_true(default_matches("x'00FF'", &bytes));
    assert_false(default_matches("x'00F'", &bytes));
    assert_false(default_matches("'00FF'", &bytes));
    assert_true(default_matches("NULL", &none));
    assert_true(default_matches("(null)", &none));
    assert_false(default_matches("CURRENT_TIMESTAMP", &none));
    assert_false(default_matches("CURRENT_TIMESTAMP", &text));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(same_shape),
        TEST(nothing_there),
        TEST(missing_index_is_made),
        TEST(columns_differ),
        TEST(keys_differ),
        TEST(foreign_keys_differ),
        TEST(foreign_keys_that_models_have_not),
        TEST(checks_differ),
        TEST(uniques_differ),
        TEST(other_things_of_that_name),
        TEST(all_differences_at_once),
        TEST(composite_without_rowid),
        cmocka_unit_test(default_literals),
    };
    return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
