/*
 * Random filters over random records, in random orders, page by page: what
 * the store answers is what a plain evaluation in this file finds.
 * HERO_FILTER_SEED and HERO_FILTER_ROUNDS repeat a run or make it longer.
 */
#include "filter_world.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 16000

/* ---- filters ---- */

enum what { AND, OR, NOT, COMPARE, IN_LIST, IS_NULL, MATCH, BARE, ANY, ALL, NONE, COUNT };
static const char *const operators[] = {"=", "!=", "<", "<=", ">", ">="};
static const char *const matches[] = {"starts_with", "ends_with", "contains", ":"};

struct filter {
    enum what what;
    struct filter *parts[4];
    size_t n_parts;
    /* a column: of the record, of its link, or of the one record it leads to */
    enum { OWN, OF_LINK, OF_ONE } place;
    const struct way *way; /* OF_ONE, ANY .. COUNT */
    const struct field *field;
    size_t column;
    unsigned operator;
    bool ignore_case;
    struct cell values[4];
    size_t n_values;
};

static struct filter pool[4096];
static size_t n_pool;

static void random_place(struct filter *filter, enum table table, bool has_link)
{
    enum table of = table;
    filter->place = OWN;
    if (has_link && pick(3) == 0) {
        filter->place = OF_LINK;
        of = LINK;
    } else if (table == HERO && pick(4) == 0) {
        filter->place = OF_ONE;
        filter->way = random_way(HERO, true);
        of = TEAM;
    }
    filter->column = pick((unsigned)world_n_fields[of]);
    filter->field = &world_fields[of][filter->column];
}

static struct filter *random_term(enum table table, bool has_link)
{
    struct filter *filter = &pool[n_pool++];
    memset(filter, 0, sizeof(*filter));
    random_place(filter, table, has_link);
    enum kind kind = filter->field->kind;
    struct field any = {"", kind, false};
    switch (pick(5)) {
    case 0:
        filter->what = IS_NULL;
        return filter;
    case 1:
        filter->what = kind == TRUTH ? BARE : IN_LIST;
        filter->ignore_case = kind == TEXT && pick(3) == 0;
        for (filter->n_values = 1 + pick(4); filter->n_values > 4;)
            filter->n_values--;
        for (size_t i = 0; i < filter->n_values; i++)
            filter->values[i] = pick(5) == 0 ? (struct cell){.kind = NOTHING} : random_cell(&any);
        return filter;
    case 2:
        if (kind == TEXT) {
            filter->what = MATCH;
            filter->operator= pick(4);
            filter->ignore_case = filter->operator== 3 || pick(2);
            filter->values[0] = random_cell(&any);
            return filter;
        }
        break;
    default:
        break;
    }
    filter->what = COMPARE;
    filter->operator= pick(kind == TRUTH ? 2 : 6);
    filter->ignore_case = kind == TEXT && pick(4) == 0;
    filter->values[0] =
        pick(8) == 0 && filter->operator<2 ? (struct cell){.kind = NOTHING} : random_cell(&any);
    return filter;
}

static struct filter *random_filter(enum table table, bool has_link, unsigned depth)
{
    if (depth == 0 || pick(3) == 0)
        return random_term(table, has_link);
    struct filter *filter = &pool[n_pool++];
    memset(filter, 0, sizeof(*filter));
    filter->what = (enum what[]){AND, AND, OR, OR, NOT, ANY, ALL, NONE, COUNT, ANY}[pick(10)];
    if (filter->what <= NOT) {
        filter->n_parts = filter->what == NOT ? 1 : 2 + pick(2);
        for (size_t i = 0; i < filter->n_parts; i++)
            filter->parts[i] = random_filter(table, has_link, depth - 1);
        return filter;
    }
    filter->way = random_way(table, false);
    filter->n_parts = filter->what == ALL || pick(4) ? 1 : 0;
    if (filter->n_parts)
        filter->parts[0] = random_filter(filter->way->to, filter->way->through_links, depth - 1);
    filter->operator= pick(6);
    filter->values[0] = (struct cell){.kind = INTEGER, .integer = (int)pick(6) - 1};
    return filter;
}

/* ---- their text ---- */

static void put_value(FILE *out, const struct cell *cell)
{
    char quote = pick(2) ? '"' : '\'';
    switch (cell->kind) {
    case NOTHING:
        fputs(pick(2) ? "null" : "NULL", out);
        break;
    case INTEGER:
        fprintf(out, "%lld", cell->integer);
        break;
    case TRUTH:
        fputs(cell->integer ? "true" : "false", out);
        break;
    case REAL:
        fprintf(out, pick(2) ? "%.17g" : "%e", cell->real);
        break;
    case TEXT:
        fputc(quote, out);
        for (const unsigned char *p = (const unsigned char *)cell->text; *p; p++)
            if (*p == (unsigned char)quote || *p == '\\')
                fprintf(out, "\\%c", *p);
            else if (*p == 0xc3 && p[1] == 0xa4 && pick(2))
                fprintf(out, "\\u00e4"), p++;
            else
                fputc(*p, out);
        fputc(quote, out);
        break;
    }
}

static void put_place(FILE *out, const struct filter *filter)
{
    if (filter->ignore_case && !(filter->what == MATCH && filter->operator== 3))
        fputs("ignore_case(", out);
    if (filter->place == OF_LINK)
        fputs("link.", out);
    if (filter->place == OF_ONE)
        fprintf(out, "%s.", filter->way->name);
    fputs(filter->field->name, out);
    if (filter->ignore_case && !(filter->what == MATCH && filter->operator== 3))
        fputc(')', out);
}

static void put(FILE *out, const struct filter *filter);

static void put_call(FILE *out, const struct filter *filter, const char *name)
{
    fprintf(out, "%s(%s", name, filter->way->name);
    if (filter->n_parts) {
        fputs(", ", out);
        put(out, filter->parts[0]);
    }
    fputc(')', out);
}

static void put(FILE *out, const struct filter *filter)
{
    switch (filter->what) {
    case AND:
    case OR:
        for (size_t i = 0; i < filter->n_parts; i++) {
            fputs(i == 0 ? "" : filter->what == AND ? " AND " : " OR ", out);
            fputc('(', out);
            put(out, filter->parts[i]);
            fputc(')', out);
        }
        return;
    case NOT:
        fputs("NOT (", out);
        put(out, filter->parts[0]);
        fputc(')', out);
        return;
    case COMPARE:
        put_place(out, filter);
        fprintf(out, pick(2) ? " %s " : "%s", operators[filter->operator]);
        put_value(out, &filter->values[0]);
        return;
    case IN_LIST:
        put_place(out, filter);
        fputs(" IN (", out);
        for (size_t i = 0; i < filter->n_values; i++) {
            fputs(i ? ", " : "", out);
            put_value(out, &filter->values[i]);
        }
        fputc(')', out);
        return;
    case IS_NULL:
        put_place(out, filter);
        fputs(" IS NULL", out);
        return;
    case BARE:
        put_place(out, filter);
        return;
    case MATCH:
        if (filter->operator== 3) {
            put_place(out, filter);
            fputs(": ", out);
            put_value(out, &filter->values[0]);
            return;
        }
        fprintf(out, "%s(", matches[filter->operator]);
        put_place(out, filter);
        fputs(", ", out);
        put_value(out, &filter->values[0]);
        fputc(')', out);
        return;
    case ANY:
        put_call(out, filter, "any");
        return;
    case ALL:
        put_call(out, filter, "all");
        return;
    case NONE:
        put_call(out, filter, "none");
        return;
    case COUNT:
        put_call(out, filter, "count");
        fprintf(out, " %s %lld", operators[filter->operator], filter->values[0].integer);
        return;
    }
}

/* ---- their truth ---- */

static bool same(const struct cell *a, const struct cell *b, bool fold)
{
    if (a->kind == NOTHING || b->kind == NOTHING)
        return a->kind == b->kind;
    return compare_cells(a, b, fold) == 0;
}

static bool ordered(unsigned operator, int order)
{
    return (bool[]){order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0}[operator];
}

static const struct cell *cell_of(const struct filter *filter, enum table table, size_t row,
                                  const struct cell *link)
{
    static const struct cell nothing = {.kind = NOTHING};
    if (filter->place == OWN)
        return &world_rows[table][row][filter->column];
    if (filter->place == OF_LINK)
        return &link[filter->column];
    for (size_t i = 0; i < world_n_rows[TEAM]; i++)
        if (related(filter->way, row, i))
            return &world_rows[TEAM][i][filter->column];
    return &nothing;
}

static bool matched(const struct filter *filter, const struct cell *cell)
{
    if (cell->kind == NOTHING)
        return false;
    const char *text = folded(cell->text, filter->ignore_case);
    const char *part = folded(filter->values[0].text, filter->ignore_case);
    size_t len = strlen(text), n = strlen(part);
    if (filter->operator== 0)
        return strncmp(text, part, n) == 0;
    if (filter->operator== 1)
        return n <= len && strcmp(text + len - n, part) == 0;
    return strstr(text, part) != NULL;
}

static bool holds(const struct filter *filter, enum table table, size_t row,
                  const struct cell *link);

static size_t n_related(const struct filter *filter, size_t row, bool wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < world_n_rows[filter->way->to]; i++) {
        const struct cell *link = related(filter->way, row, i);
        n += link &&
             (!filter->n_parts || holds(filter->parts[0], filter->way->to, i, link) == wanted);
    }
    return n;
}

static bool holds(const struct filter *filter, enum table table, size_t row,
                  const struct cell *link)
{
    const struct cell *cell =
        filter->what >= COMPARE && filter->what <= BARE ? cell_of(filter, table, row, link) : NULL;
    switch (filter->what) {
    case AND:
    case OR:
        for (size_t i = 0; i < filter->n_parts; i++)
            if (holds(filter->parts[i], table, row, link) == (filter->what == OR))
                return filter->what == OR;
        return filter->what == AND;
    case NOT:
        return !holds(filter->parts[0], table, row, link);
    case COMPARE:
        if (filter->operator<2)
            return same(cell, &filter->values[0], filter->ignore_case) == (filter->operator== 0);
        return cell->kind != NOTHING && ordered(filter->operator, compare_cells(
                                                    cell, &filter->values[0], filter->ignore_case));
    case IN_LIST:
        for (size_t i = 0; i < filter->n_values; i++)
            if (same(cell, &filter->values[i], filter->ignore_case))
                return true;
        return false;
    case IS_NULL:
        return cell->kind == NOTHING;
    case BARE:
        return cell->kind == TRUTH && cell->integer;
    case MATCH:
        return matched(filter, cell);
    case ANY:
        return n_related(filter, row, true) > 0;
    case ALL:
        return n_related(filter, row, false) == 0;
    case NONE:
        return n_related(filter, row, true) == 0;
    case COUNT:
        return ordered(filter->operator,(long long) n_related(filter, row, true) >
                                                filter->values[0].integer
                                            ? 1
                                            : -((long long)n_related(filter, row, true) <
                                                filter->values[0].integer));
    }
    return false;
}

/* ---- orders ---- */

struct sort {
    struct filter place;
    bool descends;
};
static struct sort sorts[4];
static size_t n_sorts;
static enum table sorted_table;

static int compare_rows(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    bool descends = false;
    for (size_t i = 0; i < n_sorts; i++) {
        const struct cell *left = cell_of(&sorts[i].place, sorted_table, x, NULL);
        const struct cell *right = cell_of(&sorts[i].place, sorted_table, y, NULL);
        int order = left->kind == NOTHING || right->kind == NOTHING
                        ? (left->kind != NOTHING) - (right->kind != NOTHING)
                        : compare_cells(left, right, false);
        descends = sorts[i].descends;
        if (order)
            return descends ? -order : order;
    }
    return descends ? (x < y) - (x > y) : (x > y) - (x < y);
}

/* ---- the store's answer ---- */

static size_t random_order(enum table table, char **names)
{
    n_sorts = pick(4);
    sorted_table = table;
    for (size_t i = 0; i < n_sorts; i++) {
        struct filter *place = &sorts[i].place;
        memset(place, 0, sizeof(*place));
        random_place(place, table, false);
        sorts[i].descends = pick(2);
        for (size_t k = 0; k < i; k++)
            if (sorts[k].place.field == place->field && sorts[k].place.place == place->place &&
                sorts[k].place.way == place->way)
                return n_sorts = i;
        snprintf(names[i], 64, "%s%s%s%s", sorts[i].descends ? "-" : "",
                 place->place == OF_ONE ? place->way->name : "", place->place == OF_ONE ? "." : "",
                 place->field->name);
    }
    return n_sorts;
}

struct asking {
    struct fixture *f;
    struct models *models;
    enum table table;
    char *filter;
    char names[4][64];
    char *order[4];
    size_t n_order;
    size_t expected[MAX_LINKS], n_expected;
};

static void explain_failure(const struct asking *asking, const char *what)
{
    fprintf(stderr, "%s\n  model %s\n  filter %s\n  order", what, world_tables[asking->table],
            asking->filter);
    for (size_t i = 0; i < asking->n_order; i++)
        fprintf(stderr, " %s", asking->order[i]);
    fputc('\n', stderr);
    fixture_print_fault(asking->f);
    fail();
}

static long long id_of(const struct model *model, ProtobufCBinaryData bytes, struct arena *arena)
{
    ProtobufCMessage *record;
    assert_int_equal(model_unpack(model, bytes.data, bytes.len, arena, &record, NULL),
                     HERO__V1__CODE__OK);
    return *(int64_t *)field_at(record, model->primary_key[0]->field);
}

static void check_pages(const struct asking *asking)
{
    ProtobufCBinaryData token = {0, NULL};
    const struct model *model = models_find(asking->models, world_tables[asking->table], NULL);
    size_t n = 0;
    do {
        struct arena arena;
        arena_init(&arena, 16u << 20);
        struct store_read read = {.models = asking->models, .arena = &arena};
        Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
        Hero__V1__ListResponse answer = HERO__V1__LIST_RESPONSE__INIT;
        request.model = (char *)(uintptr_t)world_tables[asking->table];
        request.filter = asking->filter;
        request.order_by = (char **)(uintptr_t)asking->order;
        request.n_order_by = asking->n_order;
        request.page_size = 1 + pick(9);
        request.page_token = token;
        request.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
        fault_done(&asking->f->fault);
        Code code = store_list(asking->f->store, &read, &request, &answer, &asking->f->fault);
        if (code == HERO__V1__CODE__INVALID_ARGUMENT &&
            fixture_blames(asking->f, "filter", "is nested deeper")) {
            arena_done(&arena); /* chance went beyond the limit */
            return;
        }
        if (code != HERO__V1__CODE__OK)
            explain_failure(asking, "refused");
        if (answer.total != asking->n_expected)
            explain_failure(asking, "another total");
        for (size_t i = 0; i < answer.n_roots; i++, n++)
            if (n >= asking->n_expected ||
                id_of(model, answer.graph->records[answer.roots[i] - 1]->value, &arena) !=
                    (long long)asking->expected[n] + 1)
                explain_failure(asking, "another record");
        free(token.data);
        token = (ProtobufCBinaryData){0, NULL};
        if (answer.next_page_token.len) {
            token = (ProtobufCBinaryData){answer.next_page_token.len,
                                          malloc(answer.next_page_token.len)};
            memcpy(token.data, answer.next_page_token.data, token.len);
        }
        arena_done(&arena);
    } while (token.len);
    if (n != asking->n_expected)
        explain_failure(asking, "fewer records");
}

static void check_one(struct asking *asking)
{
    char *text = NULL;
    size_t len = 0;
    n_pool = 0;
    asking->table = pick(3) ? HERO : TEAM;
    struct filter *filter = random_filter(asking->table, false, pick(5));
    FILE *out = open_memstream(&text, &len);
    put(out, filter);
    fclose(out);
    for (size_t i = 0; i < 4; i++)
        asking->order[i] = asking->names[i];
    asking->n_order = random_order(asking->table, asking->order);
    asking->n_expected = 0;
    for (size_t i = 0; i < world_n_rows[asking->table]; i++)
        if (holds(filter, asking->table, i, NULL))
            asking->expected[asking->n_expected++] = i;
    qsort(asking->expected, asking->n_expected, sizeof(*asking->expected), compare_rows);
    asking->filter = text;
    if (len < MAX_TEXT)
        check_pages(asking);
    free(text);
}

static void test_random(void **state)
{
    struct fixture *f = *state;
    const char *seed = getenv("HERO_FILTER_SEED"), *rounds = getenv("HERO_FILTER_ROUNDS");
    struct asking asking = {.f = f};
    world_seed(seed ? strtoull(seed, NULL, 10) : 1);
    world_fill();
    fixture_open(f);
    assert_int_equal(fixture_apply(f, world_models, NULL), HERO__V1__CODE__OK);
    world_store(f);
    asking.models = store_models(f->store);
    for (long left = rounds ? atol(rounds) : 400; left > 0; left--)
        check_one(&asking);
    models_unref(asking.models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("random filters", tests, NULL, NULL);
}
