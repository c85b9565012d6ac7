/*
 * Random walks over models with rows in them: columns and models come, go and
 * are renamed (in circles too), types, NULL, defaults, indexes and foreign
 * keys change. What the plan promised is what the rows hold after each step,
 * also where the process is killed in the middle of one: then it is the state
 * before or the one after, nothing between.
 *
 * A walk is a function of its seed: what must be there needs no second store.
 * WALK_SEEDS and WALK_STEPS make it longer.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define MAX_TABLES 4
#define MAX_FIELDS 10

enum type { TYPE_INT32, TYPE_INT64, TYPE_TEXT };
static const char *const type_words[] = {"int32", "int64", "string"};

struct field {
    int number, uid; /* uid: what its values are made of */
    enum type type;
    int name;                        /* c<name> */
    bool added, has_default, filled; /* it came later; NULLs became 5 */
    bool not_null, index;
    int refers; /* table that it refers to; -1: none */
};

struct table {
    int name, was; /* T<name>; was: before this step, or -1 */
    struct field fields[MAX_FIELDS];
    int n_fields, next_number;
};

struct state {
    struct table tables[MAX_TABLES];
    int n_tables, next_name, next_uid;
    unsigned seed;
    int rows;
    char loses[40]; /* of the last step; "": nothing */
    int new_table;  /* that the last step added; -1: none */
};

static unsigned roll(struct state *s, unsigned n)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % n;
}

/* ---- what a row holds; false: NULL ---- */

static bool value_of(const struct field *field, int row, long *ret)
{
    *ret = field->uid * 100000L + row;
    bool there = field->refers < 0 && !field->added && (row * 7 + field->uid) % 11 != 0;
    if (!there && field->filled)
        there = true, *ret = 5;
    return there;
}

/* ---- steps ---- */

static struct field *add_field(struct state *s, struct table *t, bool added)
{
    struct field *field = &t->fields[t->n_fields++];
    *field = (struct field){.number = t->next_number++,
                            .uid = s->next_uid++,
                            .type = (enum type)roll(s, 3),
                            .name = s->next_name++,
                            .added = added,
                            .refers = -1};
    return field;
}

static void add_table(struct state *s)
{
    struct table *t = &s->tables[s->n_tables];
    *t = (struct table){.name = s->next_name++, .was = -1, .next_number = 2};
    for (int i = 0; i < 3; i++)
        add_field(s, t, false);
    s->new_table = s->n_tables++;
}

static void drop_field(struct state *s, struct table *t, int at)
{
    long ignored;
    for (int row = 1; row <= s->rows; row++)
        if (value_of(&t->fields[at], row, &ignored))
            snprintf(s->loses, sizeof(s->loses), "t%d.c%d", t->name, t->fields[at].name);
    memmove(&t->fields[at], &t->fields[at + 1],
            (size_t)(--t->n_fields - at) * sizeof(struct field));
}

/* What is NOT NULL once the step is done has the default where it was NULL. */
static void fill_nulls(struct state *s)
{
    for (int i = 0; i < s->n_tables; i++)
        for (int c = 0; c < s->tables[i].n_fields; c++)
            if (s->tables[i].fields[c].not_null)
                s->tables[i].fields[c].filled = true;
}

static void change_field(struct state *s, struct table *t, unsigned kind)
{
    struct field *field = &t->fields[roll(s, (unsigned)t->n_fields)];
    struct field *other = &t->fields[roll(s, (unsigned)t->n_fields)];
    int name = field->name;
    switch (kind) {
    case 0:
        field->name = s->next_name++;
        break;
    case 1: /* a circle of two, or of one */
        field->name = other->name;
        other->name = name;
        break;
    case 2:
        if (field->refers < 0)
            field->type = (enum type)((field->type + 1 + roll(s, 2)) % 3);
        break;
    case 3:
        if (field->refers < 0)
            field->not_null = field->has_default = !field->not_null;
        break;
    default:
        field->index = !field->index;
    }
}

/* Comes with a default for the rows that are there, or refers to a table. */
static void grow(struct state *s, struct table *t, unsigned kind)
{
    struct field *field = add_field(s, t, true);
    if (kind == 1) {
        field->not_null = field->has_default = true;
    } else if (kind == 2) {
        field->type = TYPE_INT64;
        field->refers = (int)roll(s, (unsigned)s->n_tables);
    }
}

static void one_step(struct state *s)
{
    unsigned changes = 1 + roll(s, 3);
    s->loses[0] = '\0';
    s->new_table = -1;
    for (int i = 0; i < s->n_tables; i++)
        s->tables[i].was = -1;
    if (s->n_tables < MAX_TABLES && roll(s, 4) == 0) {
        add_table(s);
        return;
    }
    for (unsigned i = 0; i < changes; i++) {
        struct table *t = &s->tables[roll(s, (unsigned)s->n_tables)];
        unsigned kind = roll(s, 10);
        if (kind < 5)
            change_field(s, t, kind);
        else if (kind < 8 && t->n_fields < MAX_FIELDS)
            grow(s, t, kind - 5);
        else if (kind == 8 && t->n_fields > 1 && t->was < 0 && !s->loses[0] && i == 0)
            drop_field(s, t, (int)roll(s, (unsigned)t->n_fields));
        else if (kind == 9 && t->was < 0 && !s->loses[0])
            t->was = t->name, t->name = s->next_name++;
    }
    fill_nulls(s);
}

static void start_walk(struct state *s, unsigned seed, int rows)
{
    memset(s, 0, sizeof(*s));
    s->seed = seed * 2654435761u + 1;
    s->rows = rows;
    s->next_uid = 1;
    s->new_table = -1;
    add_table(s);
}

/* ---- the .proto, the rows, the checks ---- */

static void put_field(FILE *out, const struct state *s, const struct field *field)
{
    fprintf(out, " optional %s c%d = %d [(hero.column) = {not_null: %s index: %s",
            type_words[field->type], field->name, field->number, field->not_null ? "true" : "false",
            field->index ? "true" : "false");
    if (field->has_default)
        fputs(" default: '5'", out);
    if (field->refers >= 0)
        fprintf(out, " foreign_key: 't%d.id'", s->tables[field->refers].name);
    fputs("}];", out);
}

static const char *proto_of(struct fixture *f, const struct state *s)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    for (int i = 0; i < s->n_tables; i++) {
        const struct table *t = &s->tables[i];
        fprintf(out, "message T%d { option (hero.table) = {", t->name);
        if (t->was >= 0)
            fprintf(out, "renamed_from: 'T%d'", t->was);
        fputs("}; optional int64 id = 1 [(hero.column).primary_key = true];", out);
        for (int c = 0; c < t->n_fields; c++)
            put_field(out, s, &t->fields[c]);
        fputs(" }\n", out);
    }
    fclose(out);
    const char *copy = arena_strdup(&f->arena, text);
    free(text);
    return copy;
}

static void insert_rows(struct fixture *f, const struct state *s)
{
    const struct table *t = &s->tables[s->new_table];
    const char *sql = arena_printf(&f->arena,
                                   "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
                                   "WHERE n < %d) INSERT INTO t%d SELECT n",
                                   s->rows, t->name);
    for (int i = 0; i < t->n_fields; i++)
        sql = arena_printf(&f->arena, "%s, CASE WHEN (n * 7 + %d) %% 11 <> 0 THEN %d + n END", sql,
                           t->fields[i].uid, t->fields[i].uid * 100000);
    fixture_sql(f, arena_printf(&f->arena, "%s FROM r", sql));
}

/* Is every column there under its name, with its type and values? */
static void check_field(struct fixture *f, const struct state *s, const struct table *t,
                        const struct field *field)
{
    char *expected = NULL;
    size_t len;
    long value;
    FILE *out = open_memstream(&expected, &len);
    for (int row = 1; row <= s->rows; row++)
        if (value_of(field, row, &value))
            fprintf(out, "%s%ld\n", field->type == TYPE_TEXT ? "text" : "integer", value);
        else
            fputs("null\n", out);
    fclose(out);
    const char *found = fixture_query(
        f, arena_printf(&f->arena,
                        "SELECT group_concat(v, char(10)) FROM (SELECT typeof(c%d) || ifnull(c%d, "
                        "'') AS v FROM t%d ORDER BY id)",
                        field->name, field->name, t->name));
    if (strcmp(found, expected) != 0)
        fail_msg("t%d.c%d is not as it should be", t->name, field->name);
    free(expected);
}

static void check_state(struct fixture *f, const struct state *s)
{
    for (int i = 0; i < s->n_tables; i++)
        for (int c = 0; c < s->tables[i].n_fields; c++)
            check_field(f, s, &s->tables[i], &s->tables[i].fields[c]);
    assert_string_equal(fixture_query(f, "SELECT count(*) FROM pragma_foreign_key_check"), "0\n");
    assert_string_equal(fixture_query(f, "SELECT * FROM pragma_integrity_check"), "ok\n");
    assert_string_equal(
        fixture_query(f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_hero\\_new%' "
                         "ESCAPE '\\' OR name LIKE '\\_hero\\_aside%' ESCAPE '\\'"),
        "0\n");
}

/* ---- walking ---- */

static void apply_state(struct fixture *f, const struct state *s)
{
    const char *allowed[] = {s->loses[0] ? s->loses : NULL, NULL};
    const char *text = proto_of(f, s);
    Hero__V1__ApplyModelsResponse planned, applied;
    if (fixture_plan(f, text, &planned) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", text);
    }
    for (size_t i = 0; i < planned.n_steps; i++)
        if (planned.steps[i]->loses)
            assert_string_equal(planned.steps[i]->loses, s->loses);
    if (fixture_apply_losing(f, text, allowed, &applied) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail_msg("%s", text);
    }
    assert_int_equal(applied.n_ddl, planned.n_ddl);
    for (size_t i = 0; i < applied.n_ddl; i++)
        assert_string_equal(applied.ddl[i], planned.ddl[i]);
}

static int setting(const char *name, int fallback)
{
    const char *text = getenv(name);
    return text ? atoi(text) : fallback;
}

static void walks_keep_their_rows(void **state)
{
    struct fixture *f = *state;
    int seeds = setting("WALK_SEEDS", 3), steps = setting("WALK_STEPS", 20);
    for (int seed = 1; seed <= seeds; seed++) {
        struct state s;
        start_walk(&s, (unsigned)seed, 30);
        fixture_open(f);
        for (int step = 0; step < steps; step++) {
            if (step > 0)
                one_step(&s);
            apply_state(f, &s);
            if (s.new_table >= 0)
                insert_rows(f, &s);
            check_state(f, &s);
            if (step % 5 == 4) { /* what is served is what is there */
                fixture_close(f);
                fixture_open(f);
            }
            arena_reset(&f->arena);
        }
        fixture_close(f);
        remove(f->database);
    }
}

/* ---- killed ---- */

/* In a process of its own: a step is told before it is begun. */
static void walk_until_killed(struct fixture *f, unsigned seed, int rows, int told)
{
    struct state s;
    start_walk(&s, seed, rows);
    fixture_open(f);
    for (int step = 0;; step++) {
        if (step > 0)
            one_step(&s);
        if (write(told, &step, sizeof(step)) != sizeof(step))
            _exit(1);
        apply_state(f, &s);
        if (s.new_table >= 0)
            insert_rows(f, &s);
        arena_reset(&f->arena);
    }
}

/* Lets it walk to a step, and some milliseconds into that. The last step begun. */
static int kill_at(struct fixture *f, unsigned seed, int rows, int at, unsigned us)
{
    int ends[2], step = -1, last = -1;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        walk_until_killed(f, seed, rows, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    while (last < at && read(ends[0], &step, sizeof(step)) == sizeof(step))
        last = step;
    usleep(us); /* into the step: the moment is what is random here */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &step, sizeof(step)) == sizeof(step))
        last = step;
    close(ends[0]);
    return last;
}

/* Is the set that is served the one of this state? */
static bool is_served(struct fixture *f, const struct state *s)
{
    struct models *models = store_models(f->store);
    bool same = models->n_models == (size_t)s->n_tables;
    for (int i = 0; same && i < s->n_tables; i++) {
        const struct table *t = &s->tables[i];
        const struct model *model =
            models_find(models, arena_printf(&f->arena, "T%d", t->name), NULL);
        same = model && model->n_columns == (size_t)t->n_fields + 1;
        for (int c = 0; same && c < t->n_fields; c++) {
            const struct column *column =
                model_column_by_number(model, (uint32_t)t->fields[c].number);
            same = column && atoi(column->name + 1) == t->fields[c].name &&
                   column->not_null == t->fields[c].not_null &&
                   column->index == t->fields[c].index &&
                   column->kind == (t->fields[c].type == TYPE_INT32   ? COLUMN_INT32
                                    : t->fields[c].type == TYPE_INT64 ? COLUMN_INT64
                                                                      : COLUMN_TEXT);
        }
    }
    models_unref(models);
    return same;
}

static void killed_in_the_middle(void **state)
{
    struct fixture *f = *state;
    int kills = setting("WALK_KILLS", 6), befores = 0;
    for (int i = 0; i < kills; i++) {
        const int rows = 3000;
        struct state before, now;
        unsigned seed = 100 + (unsigned)i;
        int last = kill_at(f, seed, rows, 4 + i % 5,
                           7919u * (unsigned)(i + 1) * (unsigned)(i + 3) % 150000 + 20000);
        start_walk(&now, seed, rows);
        before = now;
        for (int step = 1; step <= last; step++) {
            before = now;
            one_step(&now);
        }
        fixture_open(f);
        bool is_before = !is_served(f, &now);
        if (is_before && !is_served(f, &before))
            fail_msg("seed %u, step %d: what is served is neither before nor after", seed, last);
        befores += is_before;
        /* The rows of a new table come after the set: they may be missing. */
        const struct state *there = is_before ? &before : &now;
        if (there->new_table < 0)
            check_state(f, there);
        if (is_before && now.new_table < 0) { /* and on it goes */
            apply_state(f, &now);
            if (before.new_table < 0)
                check_state(f, &now);
        }
        fixture_close(f);
        remove(f->database);
        arena_reset(&f->arena);
    }
    print_message("%d of %d were before\n", befores, kills);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {TEST(walks_keep_their_rows), TEST(killed_in_the_middle)};
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
