/*
 * Change of served models: each kind alone, with rows in the tables. What a
 * plan says is what happens; what stands in the way is named and nothing is
 * done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fixture.h"

#define ID " optional int64 id = 1 [(hero.column).primary_key = true];"
#define MODEL(name, fields) "message " name " { option (hero.table) = {};" ID fields " }"
#define T(fields) MODEL("T", fields)
#define STAMPS "import 'google/protobuf/timestamp.proto';"
#define LINK(more)                                                                                 \
    "message L { option (hero.table) = {};"                                                        \
    " optional int64 a = 1 [(hero.column) = {primary_key: true foreign_key: 'a.id'}];"             \
    " optional int64 b = 2 [(hero.column) = {primary_key: true foreign_key: 'b.id'}];" more " }"
#define E(values) "enum E { " values " }"

static void applies(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret)
{
    if (fixture_apply(f, text, ret) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", text);
    }
}

/* The plan, one line a step. */
static const char *steps_text(struct fixture *f, const Hero__V1__ApplyModelsResponse *answer)
{
    const char *text = "";
    for (size_t i = 0; i < answer->n_steps; i++) {
        const Hero__V1__Step *step = answer->steps[i];
        text = arena_printf(&f->arena, "%s%s%s%s", text, i ? " | " : "", step->what,
                            step->loses ? " LOSES" : "");
    }
    return text;
}

/* Where the change is one of table t: from text and rows to text, with these
 * steps and then these rows. */
struct change_case {
    const char *before, *rows, *after, *steps, *then;
};

static void check_case(struct fixture *f, const struct change_case *c)
{
    Hero__V1__ApplyModelsResponse planned, applied;
    fixture_close(f);
    remove(f->database);
    fixture_open(f);
    applies(f, c->before, NULL);
    fixture_sql(f, c->rows);
    if (fixture_plan(f, c->after, &planned) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", c->after);
    }
    if (c->steps)
        assert_string_equal(steps_text(f, &planned), c->steps);
    applies(f, c->after, &applied);
    assert_string_equal(steps_text(f, &applied), steps_text(f, &planned));
    assert_int_equal(planned.n_ddl, applied.n_ddl);
    for (size_t i = 0; i < applied.n_ddl; i++)
        assert_string_equal(applied.ddl[i], planned.ddl[i]);
    if (strcmp(fixture_query(f, c->then), "1\n") != 0)
        fail_msg("%s: not so: %s", steps_text(f, &applied), c->then);
    assert_string_equal(fixture_query(f, "SELECT * FROM pragma_foreign_key_check"), "");
    assert_string_equal(fixture_query(f, "SELECT * FROM pragma_integrity_check"), "ok\n");
    /* Nobody finds a difference at the next start, nor anything to do. */
    fixture_close(f);
    fixture_open(f);
    applies(f, c->after, &applied);
    assert_int_equal(applied.n_steps, 0);
}

/* As SQL: true where the rows, each as a text, are these. */
#define ALL(rows) "SELECT (SELECT group_concat(row, ';') FROM (" rows ")) "
#define OK_IF(condition) "SELECT " condition

static const struct change_case cases[] = {
    /* columns come */
    {T(""), "INSERT INTO t VALUES (1), (2)", T(" optional string a = 2;"), "add column t.a",
     ALL("SELECT id || ifnull(a, '-') AS row FROM t") "= '1-;2-'"},
    {T(""), "INSERT INTO t VALUES (1), (2)",
     T(" optional int64 a = 2 [(hero.column) = {not_null: true default: '5'}];"), "add column t.a",
     ALL("SELECT id || typeof(a) || a AS row FROM t") "= '1integer5;2integer5'"},
    {T(""), "INSERT INTO t VALUES (1)", T(" optional int64 a = 2 [(hero.column).index = true];"),
     "add column t.a | create index ix_t_a", ALL("SELECT id AS row FROM t") "= '1'"},
    {T(""), "INSERT INTO t VALUES (1), (2)",
     T(" optional int64 a = 2 [(hero.column).unique = true];"), "add column t.a | rebuild table t",
     ALL("SELECT id AS row FROM t") "= '1;2'"},
    {T(""), "SELECT 1", T(" optional string a = 2 [(hero.column).not_null = true];"),
     "add column t.a", ALL("SELECT \"notnull\" AS row FROM pragma_table_info('t')") "= '1;1'"},
    {T(""), "INSERT INTO t VALUES (1), (2)",
     T(" optional int64 up = 2 [(hero.column).foreign_key = 't.id'];"), "add column t.up",
     ALL("SELECT \"table\" || \"from\" || \"to\" AS row FROM pragma_foreign_key_list('t')") "= "
                                                                                            "'tupid"
                                                                                            "'"},
    /* columns go */
    {T(" optional string a = 2; optional string b = 3;"), "INSERT INTO t VALUES (1, NULL, 'x')",
     T(" optional string b = 3;"), "drop column t.a", ALL("SELECT id || b AS row FROM t") "= '1x'"},
    {T(" optional string a = 2 [(hero.column) = {index: true}]; optional string b = 3;"),
     "INSERT INTO t VALUES (1, NULL, 'x')", T(" optional string b = 3;"),
     "drop index ix_t_a | drop column t.a", ALL("SELECT id || b AS row FROM t") "= '1x'"},
    {T(" optional string a = 2 [(hero.column) = {unique: true}]; optional string b = 3;"),
     "INSERT INTO t VALUES (1, NULL, 'x')", T(" optional string b = 3;"),
     "drop column t.a | rebuild table t", ALL("SELECT id || b AS row FROM t") "= '1x'"},
    /* names */
    {T(" optional string a = 2 [(hero.column) = {index: true}];"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string z = 2 [(hero.column) = {index: true}];"),
     "drop index ix_t_a | rename column t.a to z | create index ix_t_z",
     ALL("SELECT id || z AS row FROM t") "= '1x'"},
    {T(" optional string a = 2; optional string b = 3;"), "INSERT INTO t VALUES (1, 'x', 'y')",
     T(" optional string b = 2; optional string a = 3;"),
     "rename column t.a to _hero_aside_2 | rename column t.b to a | rename column t._hero_aside_2 "
     "to b",
     ALL("SELECT id || a || b AS row FROM t") "= '1yx'"},
    {T(" optional string a = 2; optional string b = 3;"), "INSERT INTO t VALUES (1, NULL, 'y')",
     T(" optional string a = 3; optional int64 b = 4;"),
     "rename column t.a to _hero_dropped_3 | rename column t.b to a | drop column t.a | "
     "add column t.b",
     ALL("SELECT id || a || ifnull(b, '-') AS row FROM t") "= '1y-'"},
    {T(" optional string Name = 2;"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string name = 2;"), "rename column t.Name to name",
     ALL("SELECT name AS row FROM pragma_table_info('t')") "= 'id;name'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string z = 2 [(hero.column).name = 'a'];"), "change column t.a",
     ALL("SELECT id || a AS row FROM t") "= '1x'"},
    {T(" optional string a = 2 [(hero.column).index = true];"), "INSERT INTO t VALUES (1, 'x')",
     "message T { option (hero.table).name = 'Table Two';" ID
     " optional string a = 2 [(hero.column).index = true]; }",
     "drop index ix_t_a | rename table t to Table Two | create index ix_Table Two_a",
     ALL("SELECT id || a AS row FROM \"Table Two\"") "= '1x'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x')",
     "message U { option (hero.table).renamed_from = 'T';" ID " optional string a = 2; }",
     "rename table t to u", ALL("SELECT id || a AS row FROM u") "= '1x'"},
    {MODEL("A", "") MODEL("B", ""), "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)",
     "message A { option (hero.table).name = 'b';" ID " }"
     "message B { option (hero.table).name = 'a';" ID " }",
     "rename table a to _hero_aside_2 | rename table b to a | rename table _hero_aside_2 to b",
     ALL("SELECT id AS row FROM a UNION ALL SELECT id + 10 FROM b") "= '2;11'"},
    {T(""), "INSERT INTO t VALUES (1)", "message T { option (hero.table).name = 'T';" ID " }",
     "rename table t to _hero_aside_1 | rename table _hero_aside_1 to T",
     ALL("SELECT name AS row FROM sqlite_schema WHERE lower(name) = 't'") "= 'T'"},
    /* NULL */
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2 [(hero.column).not_null = true];"),
     "change column t.a | rebuild table t", ALL("SELECT id || a AS row FROM t") "= '1x'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x'), (2, NULL)",
     T(" optional string a = 2 [(hero.column) = {not_null: true default: \"it's\"}];"),
     "change column t.a | rebuild table t", ALL("SELECT id || a AS row FROM t") "= '1x;2it''s'"},
    {T(" optional string a = 2 [(hero.column).not_null = true];"), "INSERT INTO t VALUES (1, 'x')",
     T(" required string a = 2;"), "change column t.a",
     ALL("SELECT id || a AS row FROM t") "= '1x'"},
    {T(" optional string a = 2 [(hero.column).not_null = true];"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || a AS row FROM t") "= '1x'"},
    /* types */
    {T(" optional int32 a = 2;"), "INSERT INTO t VALUES (1, 7)", T(" optional int64 a = 2;"),
     "change column t.a", ALL("SELECT id || typeof(a) || a AS row FROM t") "= '1integer7'"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 7), (2, NULL)",
     T(" optional int32 a = 2;"), "change column t.a",
     ALL("SELECT id || typeof(a) AS row FROM t") "= '1integer;2null'"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 7), (2, NULL), (3, -9007199254740992)",
     T(" optional double a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || ifnull(a, '') AS row FROM t") "= "
                                                                  "'1real7.0;2null;3real-9."
                                                                  "00719925474099e+15'"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 7), (2, -9223372036854775808)",
     T(" optional string a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || a AS row FROM t") "= '1text7;2text-9223372036854775808'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, '7'), (2, '-12'), (3, NULL)",
     T(" optional int32 a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || ifnull(a, '') AS row FROM t") "= "
                                                                  "'1integer7;2integer-12;3null'"},
    {T(" optional float a = 2;"), "INSERT INTO t VALUES (1, 0.1)", T(" optional double a = 2;"),
     "change column t.a", ALL("SELECT id || a AS row FROM t") "= '10.1'"},
    {T(" optional double a = 2;"), "INSERT INTO t VALUES (1, 0.5)", T(" optional float a = 2;"),
     "change column t.a", ALL("SELECT id || a AS row FROM t") "= '10.5'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'h\xc3\xa4')",
     T(" optional bytes a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || hex(a) AS row FROM t") "= '1blob68C3A4'"},
    {T(" optional bytes a = 2;"), "INSERT INTO t VALUES (1, X'68C3A4')",
     T(" optional string a = 2;"), "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || a AS row FROM t") "= '1texth\xc3\xa4'"},
    {T(" optional bool a = 2;"), "INSERT INTO t VALUES (1, 1), (2, 0)", T(" optional int32 a = 2;"),
     "change column t.a | rebuild table t",
     ALL("SELECT id || typeof(a) || a AS row FROM t") "= '1integer1;2integer0'"},
    /* constraints, defaults, indexes */
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, NULL)",
     T(" optional string a = 2 [(hero.column).unique = true];"),
     "change column t.a | rebuild table t",
     ALL("SELECT \"unique\" AS row FROM pragma_index_list('t')") "= '1'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2 [(hero.column) = {unique: true index: true}];"),
     "change column t.a | create unique index ix_t_a",
     ALL("SELECT \"unique\" || name AS row FROM pragma_index_list('t')") "= '1ix_t_a'"},
    {T(" optional string a = 2 [(hero.column).unique = true];"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2;"), "change column t.a | rebuild table t",
     OK_IF("(SELECT count(*) FROM pragma_index_list('t')) = 0")},
    {T(" optional string a = 2 [(hero.column).index = true];"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2;"), "drop index ix_t_a | change column t.a",
     OK_IF("(SELECT count(*) FROM pragma_index_list('t')) = 0")},
    {T(" optional int64 a = 2 [(hero.column).default = '1'];"), "INSERT INTO t VALUES (1, 7)",
     T(" optional int64 a = 2 [(hero.column).default = '2'];"),
     "change column t.a | rebuild table t",
     ALL("SELECT dflt_value AS row FROM pragma_table_info('t') WHERE name = 'a'") "= '''2'''"},
    {T(" optional int64 up = 2;"), "INSERT INTO t VALUES (1, NULL), (2, 1)",
     T(" optional int64 up = 2 [(hero.column).foreign_key = 't.id'];"),
     "change column t.up | rebuild table t", ALL("SELECT id AS row FROM t") "= '1;2'"},
    {T(" optional int64 up = 2 [(hero.column).foreign_key = 't.id'];"),
     "INSERT INTO t VALUES (1, NULL), (2, 1)", T(" optional int64 up = 2;"),
     "change column t.up | rebuild table t",
     OK_IF("(SELECT count(*) FROM pragma_foreign_key_list('t')) = 0")},
    /* other kinds */
    {E("A = 0; B = 1; C = 2;") T(" optional E a = 2;"),
     "INSERT INTO t VALUES (1, 'A'), (2, 'B'), (3, NULL)",
     E("B = 0; A = 1; D = 2; F = 3;") T(" optional E a = 2;"),
     "change column t.a | rebuild table t",
     ALL("SELECT id || ifnull(a, '-') AS row FROM t") "= '1B;2A;3-'"},
    {E("A = 0; B = 1;") T(" optional E a = 2;"), "INSERT INTO t VALUES (1, 'A')",
     E("A = 0; C = 2;") T(" optional E a = 2;"), "change column t.a",
     ALL("SELECT id || a AS row FROM t") "= '1A'"},
    {E("A = 0; B = 1;") T(" optional E a = 2;"), "INSERT INTO t VALUES (1, 'A')",
     T(" optional string a = 2;"), "change column t.a",
     ALL("SELECT id || a AS row FROM t") "= '1A'"},
    {E("A = 0; B = 1;") T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'B')",
     E("A = 0; B = 1;") T(" optional E a = 2;"), "change column t.a",
     ALL("SELECT id || a AS row FROM t") "= '1B'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, '2026-11-23')",
     T(" optional string a = 2 [(hero.column).format = DATE];"),
     "change column t.a | rebuild table t", ALL("SELECT id || a AS row FROM t") "= '12026-11-23'"},
    {T(" optional string a = 2 [(hero.column).format = UUID];"),
     "INSERT INTO t VALUES (1, '123e4567e89b12d3a456426614174000')", T(" optional string a = 2;"),
     "change column t.a | rebuild table t",
     ALL("SELECT a AS row FROM t") "= '123e4567-e89b-12d3-a456-426614174000'"},
    {T(""), "INSERT INTO t VALUES (1), (2)",
     T(" optional string a = 2 [(hero.column) = {format: UUID generated: true not_null: true"
       " unique: true}];"),
     "add column t.a | rebuild table t",
     OK_IF("count(DISTINCT a) = 2 AND min(length(a)) = 32 AND min(substr(a, 13, 1)) = '4' FROM t")},
    {T(""), "INSERT INTO t VALUES (1), (2)", T(" repeated string a = 2;"), NULL,
     ALL("SELECT id AS row FROM t") "= '1;2'"},
    {"message M { optional int32 x = 1; }" T(" optional M a = 2;"),
     "INSERT INTO t VALUES (1, '{\"x\":1}')",
     "message M { optional int32 x = 1; optional string y = 2; }" T(" optional M a = 2;"),
     "change column t.a", ALL("SELECT a AS row FROM t") "= '{\"x\":1}'"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 5), (2, NULL)",
     T(" optional int64 b = 2 [(hero.column).check = 'b > 0'];"),
     "rename column t.a to b | change column t.b | rebuild table t",
     ALL("SELECT id || ifnull(b, '-') AS row FROM t") "= '15;2-'"},
    {T(" optional int64 a = 2 [(hero.column).check = 'a > 0'];"), "INSERT INTO t VALUES (1, 5)",
     T(" optional int64 b = 2 [(hero.column).check = 'b > 0'];"),
     "rename column t.a to b | change column t.b", ALL("SELECT id || b AS row FROM t") "= '15'"},
    {T(" optional int64 a = 2; optional int64 b = 3;"), "INSERT INTO t VALUES (1, 5, 6), (2, 5, 7)",
     "message T { option (hero.table) = {unique: {columns: ['a', 'b']} index: {columns: ['b', "
     "'a']}};" ID " optional int64 a = 2; optional int64 b = 3; }",
     "rebuild table t | create index ix_t_b_a", ALL("SELECT id AS row FROM t") "= '1;2'"},
    {T(" optional int64 a = 2; optional string b = 3;"), "INSERT INTO t VALUES (1, 5, NULL)",
     T(" oneof one { int64 a = 2; string b = 3; }"), NULL,
     ALL("SELECT id || a AS row FROM t") "= '15'"},
    {STAMPS T(" optional google.protobuf.Timestamp at = 2;"),
     "INSERT INTO t VALUES (1, '2026-11-23 10:00:00.000000')",
     STAMPS T(" optional google.protobuf.Timestamp since = 2 [(hero.column).not_null = true];"),
     "rename column t.at to since | change column t.since | rebuild table t",
     ALL("SELECT since AS row FROM t") "= '2026-11-23 10:00:00.000000'"},
    {T(""), "INSERT INTO t VALUES (1)",
     STAMPS T(
         " optional google.protobuf.Timestamp at = 2 [(hero.column) = {not_null: true default: "
         "'now'}];"),
     "add column t.at | rebuild table t", OK_IF("length(at) = 26 FROM t")},
    /* ids of deleted records */
    {"message T { option (hero.table) = {};"
     " optional int64 id = 1 [(hero.column) = {primary_key: true autoincrement: true}];"
     " optional string a = 2; }",
     "INSERT INTO t VALUES (1, 'x'), (9, 'y'); DELETE FROM t WHERE id = 9",
     "message T { option (hero.table) = {};"
     " optional int64 id = 1 [(hero.column) = {primary_key: true autoincrement: true}];"
     " optional string a = 2 [(hero.column).not_null = true]; }",
     "change column t.a | rebuild table t",
     ALL("SELECT name || seq AS row FROM sqlite_sequence") "= 't9'"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (7, 'x')",
     "message T { option (hero.table) = {};"
     " optional int64 id = 1 [(hero.column) = {primary_key: true autoincrement: true}];"
     " optional string a = 2; }",
     "change column t.id | rebuild table t",
     ALL("SELECT name || seq AS row FROM sqlite_sequence") "= 't7'"},
    /* odd names, keys of several columns and of texts */
    {"message T { option (hero.table).name = \"it's \\\"a\\\" t\";" ID
     " optional string a = 2 [(hero.column) = {name: 'x\"y -- z' index: true}]; }",
     "INSERT INTO \"it's \"\"a\"\" t\" VALUES (1, 'x')",
     "message T { option (hero.table).name = \"it's \\\"a\\\" t\";" ID
     " optional string a = 2 [(hero.column) = {name: 'select, \"(' index: true not_null: true}];"
     " optional int64 up = 3 [(hero.column) = {name: \"it's\" foreign_key: \"it's \\\"a\\\" "
     "t.id\"}]; }",
     NULL, ALL("SELECT id || \"select, \"\"(\" AS row FROM \"it's \"\"a\"\" t\"") "= '1x'"},
    {"message T { option (hero.table) = {};"
     " optional string k = 1 [(hero.column).primary_key = true];"
     " optional int32 n = 2 [(hero.column).primary_key = true]; optional string a = 3; }",
     "INSERT INTO t VALUES ('p', 1, 'x'), ('p', 2, 'y'), ('q', 1, 'z')",
     "message T { option (hero.table) = {};"
     " optional string key = 1 [(hero.column).primary_key = true];"
     " optional int64 n = 2 [(hero.column).primary_key = true];"
     " optional string a = 3 [(hero.column) = {not_null: true unique: true}]; }",
     "rename column t.k to key | change column t.n | change column t.a | rebuild table t",
     ALL("SELECT key || n || a AS row FROM t") "= 'p1x;p2y;q1z'"},
    {MODEL("A", "") MODEL("B", "") LINK(""),
     "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (7); INSERT INTO l VALUES (1, 7), (2, 7)",
     "message A2 { option (hero.table).renamed_from = 'A';" ID
     " repeated B bs = 2 [(hero.relationship) = {link_model: 'L'}]; }" MODEL(
         "B",
         "") "message L { option (hero.table) = {};"
             " optional int64 a2 = 1 [(hero.column) = {primary_key: true foreign_key: 'a2.id'}];"
             " optional int64 b = 2 [(hero.column) = {primary_key: true foreign_key: 'b.id'}];"
             " optional int32 place = 3 [(hero.column) = {not_null: true default: '1'}]; }",
     NULL, ALL("SELECT a2 || b || place AS row FROM l") "= '171;271'"},
    /* relationships: no table changes */
    {MODEL("P", "")
         T(" optional int64 p_id = 2 [(hero.column) = {foreign_key: 'p.id' index: true}];"),
     "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1)",
     MODEL("P", " repeated T ts = 2 [(hero.relationship).back_populates = 'p'];")
         T(" optional int64 p_id = 2 [(hero.column) = {foreign_key: 'p.id' index: true}];"
           " optional P p = 3 [(hero.relationship).back_populates = 'ts'];"),
     "add relationship P.ts | add relationship T.p",
     ALL("SELECT id || p_id AS row FROM t") "= '11'"},
    {MODEL("P", " repeated T ts = 2 [(hero.relationship).back_populates = 'p'];")
         T(" optional int64 p_id = 2 [(hero.column) = {foreign_key: 'p.id' index: true}];"
           " optional P p = 3 [(hero.relationship).back_populates = 'ts'];"),
     "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1)",
     MODEL("P", " repeated T many = 2 [(hero.relationship) = {}];")
         T(" optional int64 p_id = 2 [(hero.column) = {foreign_key: 'p.id' index: true}];"),
     "change relationship P.many | drop relationship T.p",
     ALL("SELECT id || p_id AS row FROM t") "= '11'"},
    /* several at once */
    {MODEL("P", "") T(" optional int64 a = 2; optional string b = 3;"),
     "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 1, 'x')",
     MODEL("P",
           "") "message U { option (hero.table).renamed_from = 't';" ID
               " optional int64 p_id = 2 [(hero.column).foreign_key = 'p.id'];"
               " optional string c = 3 [(hero.column).not_null = true];"
               " optional bool d = 4 [(hero.column) = {not_null: true default: 'true'}]; }" MODEL(
                   "New", ""),
     "rename table t to u | rename column u.a to p_id | rename column u.b to c | change column "
     "u.p_id | change column u.c | add column u.d | rebuild table u | create table new",
     ALL("SELECT id || p_id || c || d AS row FROM u") "= '11x1'"},
};

static void each_kind(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_case(f, &cases[i]);
}

/* From text and rows to text: refused, blaming a field in these words. */
static const struct {
    const char *before, *rows, *after, *path, *words;
} refusals[] = {
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, NULL), (5, 'x'), (7, NULL)",
     T(" optional string a = 2 [(hero.column).not_null = true];"), "m.proto:T.a",
     "shall be NOT NULL and is NULL in 2 rows of table t"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, NULL), (5, 'x'), (7, NULL)",
     T(" optional string a = 2 [(hero.column).not_null = true];"), "m.proto:T.a", "(keys 1; 7)"},
    {T(""), "INSERT INTO t VALUES (3)",
     T(" optional string a = 2 [(hero.column).not_null = true];"), "m.proto:T.a",
     "is NOT NULL and new: it has no value in 1 row of table t"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x'), (5, 'x'), (7, 'y')",
     T(" optional string a = 2 [(hero.column).unique = true];"), "m.proto:T.a",
     "shall be unique and has the value of another in 2 rows of table t (keys 1; 5)"},
    {T(" optional int64 up = 2;"), "INSERT INTO t VALUES (1, 1), (2, 9)",
     T(" optional int64 up = 2 [(hero.column).foreign_key = 't.id'];"), "m.proto:T.up",
     "refers to no row of table t in 1 row of table t (key 2)"},
    {T(" optional int64 up = 2;"), "INSERT INTO t VALUES (1, 1)",
     T(" optional int64 up = 2 [(hero.column).foreign_key = 'n.id'];") MODEL("N", ""),
     "m.proto:T.up", "refers to no row of table n in 1 row"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 3000000000), (2, 5)",
     T(" optional int32 a = 2;"), "m.proto:T.a",
     "holds what is not an int32 in 1 row of table t (key 1)"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, '07'), (2, '5'), (3, 'x'), (4, '5.0')",
     T(" optional int64 a = 2;"), "m.proto:T.a",
     "holds what is not an int64 in 3 rows of table t (keys 1; 3; 4)"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 9007199254740993)",
     T(" optional double a = 2;"), "m.proto:T.a", "what is not a double"},
    {T(" optional double a = 2;"), "INSERT INTO t VALUES (1, 0.1)", T(" optional float a = 2;"),
     "m.proto:T.a", "what is not a float"},
    {T(" optional bytes a = 2;"), "INSERT INTO t VALUES (1, X'FF')", T(" optional string a = 2;"),
     "m.proto:T.a", "what is not a text"},
    {T(" optional bytes a = 2;"), "SELECT 1", T(" optional int64 a = 2;"), "m.proto:T.a",
     "can't become an int64: it is bytes"},
    {T(" optional int64 a = 2;"), "SELECT 1",
     "message T { option (hero.table) = {};" ID
     " optional int64 a = 2 [(hero.column).primary_key = true]; }",
     "m.proto:T", "its primary key changes"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, '')", T(""),
     "allow_data_loss", "to drop column t.a loses what 2 rows hold in t.a; allow it by that name"},
    {T(" optional string a = 2;"),
     "CREATE VIEW v AS SELECT id, a FROM t; INSERT INTO t VALUES (1, NULL)", T(""), "m.proto:T",
     "SQLite would not drop column t.a: error in view v"},
    {T(" optional string a = 2; optional string b = 3 [(hero.column).unique = true];"),
     "CREATE VIEW v AS SELECT id, a FROM t; INSERT INTO t VALUES (1, NULL, NULL)", T(""), "",
     "error in view v"},
    {T(" optional string a = 2;"), "CREATE TABLE u (x)",
     "message T { option (hero.table).name = 'u';" ID " optional string a = 2; }", "m.proto:T",
     "there is already another table or index with this name: u"},
    {T(" optional string a = 2;"), "ALTER TABLE t RENAME COLUMN a TO b",
     T(" optional string a = 2; optional string c = 3;"), "m.proto:T.a",
     "other tools changed it since it was applied: table t: column a is missing"},
    {E("A = 0; B = 1;") T(" optional E a = 2;"), "INSERT INTO t VALUES (1, 'A'), (2, 'B')",
     E("A = 0; C = 2;") T(" optional E a = 2;"), "m.proto:T.a",
     "no longer has the value B, which is in 1 row of table t (key 2): give them another"},
    {E("A = 0; B = 1;") T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'X')",
     E("A = 0; B = 1;") T(" optional E a = 2;"), "m.proto:T.a", "holds what is not an enum"},
    {T(" optional string a = 2;"), "INSERT INTO t VALUES (1, 'x')",
     T(" optional string a = 2 [(hero.column).format = DATE];"), "m.proto:T.a",
     "holds what is not a date"},
    {T(" optional string a = 2;"), "SELECT 1", T(" repeated string a = 2;"), "m.proto:T.a",
     "can't become a message or list: it is a text"},
    {"message M { optional int32 x = 1; }" T(" optional M a = 2;"),
     "INSERT INTO t VALUES (1, '{\"x\":1}'), (2, '{}')",
     "message M { optional int32 z = 1; }" T(" optional M a = 2;"), "m.proto:T.a",
     "holds what is not a message or list in 1 row of table t (key 1)"},
    {T(" optional int64 a = 2;"), "INSERT INTO t VALUES (1, 5), (2, -1)",
     T(" optional int64 b = 2 [(hero.column).check = 'b > 0'];"), "m.proto:T.b",
     "shall fulfil b > 0, which does not hold in 1 row of table t (key 2)"},
    {T(" optional int64 a = 2; optional int64 b = 3;"), "INSERT INTO t VALUES (1, 5, 6), (2, 5, 6)",
     "message T { option (hero.table) = {unique: {columns: ['a', 'b']}};" ID
     " optional int64 a = 2; optional int64 b = 3; }",
     "m.proto:T.a", "shall be unique together with others"},
    {T(" optional int64 a = 2; optional string b = 3;"), "INSERT INTO t VALUES (1, 5, 'x')",
     T(" oneof one { int64 a = 2; string b = 3; }"), "m.proto:T.a",
     "is of the oneof one, of which several are set in 1 row"},
    {T(""), "DROP TABLE t", T(" optional string a = 2;"), "", "is not as it was applied"},
};

static void what_stands_in_the_way(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        fixture_close(f);
        remove(f->database);
        fixture_open(f);
        applies(f, refusals[i].before, NULL);
        fixture_sql(f, refusals[i].rows);
        const char *schema = fixture_query(f, "SELECT sql FROM sqlite_schema");
        const char *sets = fixture_query(f, "SELECT count(*) FROM _hero_model_set");
        if (fixture_apply(f, refusals[i].after, NULL) != HERO__V1__CODE__FAILED_PRECONDITION) {
            fixture_print_fault(f);
            fail_msg("%s", refusals[i].after);
        }
        if (*refusals[i].path)
            assert_true(fixture_blames(f, refusals[i].path, refusals[i].words));
        else
            assert_non_null(strstr(f->fault.message, refusals[i].words));
        assert_string_equal(fixture_query(f, "SELECT sql FROM sqlite_schema"), schema);
        assert_string_equal(fixture_query(f, "SELECT count(*) FROM _hero_model_set"), sets);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_kind),
        TEST(what_stands_in_the_way),
    };
    return cmocka_run_group_tests_name("evolve", tests, NULL, NULL);
}
