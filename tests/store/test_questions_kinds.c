/*
 * The same questions over every kind of relationship: whatever joins two
 * models, a whole list, a cut one, its pages, its total, counts in a filter and
 * groups say the same of it.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE(name) HERO__V1__CODE__##name

/* To itself, symmetric with a column on the link, one-to-one, a unique key that
 * is no primary key, composite keys, names that need quotes. */
static const char models_text[] =
    "message Person { option (hero.table) = {name: 'Per son'};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column).name = 'order'];"
    " optional int64 boss_id = 3 [(hero.column).foreign_key = 'Per son.id'];"
    " optional Person boss = 4 [(hero.relationship) = {back_populates: 'reports'}];"
    " repeated Person reports = 5 [(hero.relationship) = {back_populates: 'boss'"
    " order_by: '-name'}];"
    " repeated Person friends = 6 [(hero.relationship) = {link_model: 'Friendship'"
    " symmetric: true order_by: 'link.since'}];"
    " optional Desk desk = 7 [(hero.relationship) = {back_populates: 'owner'}]; }"
    "message Friendship { option (hero.table) = {};"
    " optional int64 a = 1 [(hero.column) = {primary_key: true foreign_key: 'Per son.id'}];"
    " optional int64 b = 2 [(hero.column) = {primary_key: true foreign_key: 'Per son.id'}];"
    " optional int32 since = 3; }"
    "message Desk { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional int64 owner_id = 2 [(hero.column) = {unique: true foreign_key: 'Per son.id'}];"
    " optional Person owner = 3 [(hero.relationship) = {back_populates: 'desk'}]; }"
    "message City { option (hero.table) = {};"
    " optional string country = 1 [(hero.column).primary_key = true];"
    " optional int64 code = 2 [(hero.column).primary_key = true];"
    " optional string slug = 3 [(hero.column) = {unique: true not_null: true}];"
    " repeated House houses = 4 [(hero.relationship) = {back_populates: 'city'}];"
    " repeated Sign signs = 5 [(hero.relationship) = {back_populates: 'city'}]; }"
    "message House { option (hero.table) = {foreign_key: {columns: ['country', 'city_code']"
    " table: 'city'}};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string country = 2;"
    " optional int64 city_code = 3;"
    " optional City city = 4 [(hero.relationship) = {back_populates: 'houses'"
    " foreign_key: 'city_code'}]; }"
    "message Sign { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string slug = 2 [(hero.column) = {foreign_key: 'city.slug'}];"
    " optional City city = 3 [(hero.relationship) = {back_populates: 'signs'}]; }";

static const char rows[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
    " INSERT INTO \"Per son\" (id, \"order\", boss_id) SELECT i, 'p' || (i % 4),"
    " iif(i % 6 = 0, NULL, 1 + i / 7) FROM n;"
    "INSERT INTO friendship (a, b, since) SELECT x.id, y.id, (x.id * y.id) % 5 FROM \"Per son\" x,"
    " \"Per son\" y WHERE x.id < y.id AND (x.id + y.id) % 4 = 0;"
    "INSERT INTO friendship (a, b, since) VALUES (9, 1, NULL), (20, 3, 2);"
    /* Another program wrote both ways. */
    "INSERT OR IGNORE INTO friendship (a, b, since) VALUES (5, 3, 1);"
    "INSERT INTO desk (id, owner_id) SELECT id, iif(id % 3 = 0, NULL, id) FROM \"Per son\" WHERE "
    "id "
    "< 15;"
    "INSERT INTO city (country, code, slug) VALUES ('a', 1, 'a1'), ('a', 2, 'a2'), ('b', 1, 'b1'),"
    " ('b', 2, 'b''2');"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)"
    " INSERT INTO house (id, country, city_code) SELECT i, iif(i % 5, 'a', 'b'),"
    " iif(i % 7, 1 + i % 2, NULL) FROM n;"
    "INSERT INTO sign (id, slug) SELECT id, iif(id % 4, 'a1', iif(id % 8, 'b''2', NULL)) FROM "
    "house;";

struct world {
    struct fixture *f;
    struct models *models;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    fixture_setup((void **)&w->f);
    fixture_open(w->f);
    if (fixture_apply(w->f, models_text, NULL) != CODE(OK)) {
        fixture_print_fault(w->f);
        return -1;
    }
    w->models = store_models(w->f->store);
    fixture_sql(w->f, rows);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    models_unref(w->models);
    fixture_teardown((void **)&w->f);
    free(w);
    return 0;
}

static struct store_read reading(struct world *w)
{
    fault_done(&w->f->fault);
    return (struct store_read){.models = w->models, .arena = &w->f->arena};
}

static void ok(struct world *w, Code code, const char *what)
{
    if (code == CODE(OK))
        return;
    fprintf(stderr, "%s\n", what);
    fixture_print_fault(w->f);
    fail();
}

/* "a,1": the key of a record of the graph. */
static const char *key_of(struct world *w, const Hero__V1__Graph *graph, uint32_t ref)
{
    const Hero__V1__Record *record = graph->records[ref - 1];
    const struct model *model = models_find(w->models, record->model, NULL);
    ProtobufCMessage *message;
    assert_int_equal(
        model_unpack(model, record->value.data, record->value.len, &w->f->arena, &message, NULL),
        CODE(OK));
    return model_key_text(model, message, &w->f->arena);
}

/* Keys and links of the edges from a record, in their order. */
static const char *related(struct world *w, const Hero__V1__Graph *graph, uint32_t from, size_t *n)
{
    const char *text = "";
    *n = 0;
    for (size_t i = 0; i < graph->n_edges; i++) {
        const Hero__V1__Edge *edge = graph->edges[i];
        if (edge->from != from)
            continue;
        assert_int_equal(edge->position, (*n)++);
        text =
            arena_printf(&w->f->arena, "%s%s/%zu:%d ", text, key_of(w, graph, edge->to),
                         edge->link.len, edge->link.len ? edge->link.data[edge->link.len - 1] : 0);
    }
    return text;
}

static void list(struct world *w, const struct relationship *relationship, uint32_t cap,
                 const char *filter, Hero__V1__ListResponse *answer)
{
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__Expansion expansion = HERO__V1__EXPANSION__INIT, *pointer = &expansion;
    struct store_read read = reading(w);
    expansion.path = (char *)(uintptr_t)relationship->name;
    expansion.page_size = cap;
    expansion.total = expansion.has_total = cap > 0;
    request.model = (char *)(uintptr_t)relationship->model->name;
    request.expansions = &pointer;
    request.n_expansions = 1;
    request.filter = (char *)(uintptr_t)filter;
    hero__v1__list_response__init(answer);
    ok(w, store_list(w->f->store, &read, &request, answer, &w->f->fault), relationship->name);
}

static ProtobufCBinaryData packed_key(struct world *w, const struct model *model,
                                      const Hero__V1__Record *record)
{
    ProtobufCMessage *whole, *key = dynamic_message(&w->f->arena, model->descriptor);
    ProtobufCBinaryData bytes;
    assert_int_equal(
        model_unpack(model, record->value.data, record->value.len, &w->f->arena, &whole, NULL),
        CODE(OK));
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const ProtobufCFieldDescriptor *field = model->primary_key[i]->field;
        memcpy(field_at(key, field), field_at(whole, field), sizeof(int64_t));
        field_set_present(key, field, true);
    }
    bytes.len = protobuf_c_message_get_packed_size(key);
    bytes.data = arena_alloc(&w->f->arena, bytes.len);
    protobuf_c_message_pack(key, bytes.data);
    return bytes;
}

/* All pages of ListRelated from a token on. */
static const char *pages(struct world *w, const struct relationship *relationship,
                         ProtobufCBinaryData key, ProtobufCBinaryData token, size_t total)
{
    const char *text = "";
    do {
        Hero__V1__ListRelatedRequest request = HERO__V1__LIST_RELATED_REQUEST__INIT;
        Hero__V1__ListRelatedResponse answer = HERO__V1__LIST_RELATED_RESPONSE__INIT;
        Hero__V1__Target target = HERO__V1__TARGET__INIT;
        struct store_read read = reading(w);
        size_t n;
        target.model = (char *)(uintptr_t)relationship->model->name;
        target.has_key = 1;
        target.key = key;
        request.target = &target;
        request.relationship = (char *)(uintptr_t)relationship->name;
        request.page_size = 2;
        request.page_token = token;
        request.count = HERO__V1__LIST_REQUEST__COUNT__EXACT;
        ok(w, store_list_related(w->f->store, &read, &request, &answer, &w->f->fault),
           relationship->name);
        assert_int_equal(answer.total, total);
        text = arena_printf(&w->f->arena, "%s%s", text, related(w, answer.graph, 1, &n));
        token = answer.next_page_token;
    } while (token.len);
    return text;
}

static size_t n_of_filter(struct world *w, const struct relationship *relationship,
                          const char *filter)
{
    Hero__V1__ListResponse answer;
    list(w, relationship, 0, filter, &answer);
    return answer.n_roots;
}

static const Hero__V1__RelatedList *told_of(const Hero__V1__Graph *graph, uint32_t from)
{
    for (size_t i = 0; i < graph->n_lists; i++)
        if (graph->lists[i]->from == from)
            return graph->lists[i];
    fail();
    return NULL;
}

/* Records of the model with n related ones, by all ways of asking. */
static void check_counts(struct world *w, const struct relationship *relationship,
                         const size_t *n_with, size_t n_roots, size_t n_edges)
{
    const char *name = relationship->name;
    struct arena *arena = &w->f->arena;
    size_t without = n_with[0];
    assert_int_equal(n_of_filter(w, relationship, arena_printf(arena, "none(%s)", name)), without);
    assert_int_equal(n_of_filter(w, relationship, arena_printf(arena, "any(%s)", name)),
                     n_roots - without);
    for (size_t n = 0; n < 6; n++)
        assert_int_equal(
            n_of_filter(w, relationship, arena_printf(arena, "count(%s) = %zu", name, n)),
            n_with[n]);
    Hero__V1__CountRequest request = HERO__V1__COUNT_REQUEST__INIT;
    Hero__V1__CountResponse answer = HERO__V1__COUNT_RESPONSE__INIT;
    struct store_read read = reading(w);
    size_t sum = 0;
    request.model = (char *)(uintptr_t)relationship->model->name;
    request.group_by = (char *)(uintptr_t)name;
    ok(w, store_count(w->f->store, &read, &request, &answer, &w->f->fault), name);
    for (size_t i = 0; i < answer.n_groups; i++) {
        if (answer.groups[i]->has_value)
            sum += answer.groups[i]->count;
        else
            assert_int_equal(answer.groups[i]->count, without);
    }
    assert_int_equal(sum, n_edges);
}

static void check(struct world *w, const struct relationship *relationship)
{
    Hero__V1__ListResponse whole, cut;
    size_t n_with[64] = {0};
    list(w, relationship, 0, NULL, &whole);
    list(w, relationship, 2, NULL, &cut);
    assert_int_equal(whole.n_roots, cut.n_roots);
    assert_int_equal(whole.graph->n_lists, 0);
    for (size_t i = 0; i < whole.n_roots; i++) {
        size_t n, n_some;
        const char *all = related(w, whole.graph, whole.roots[i], &n);
        const char *some = related(w, cut.graph, cut.roots[i], &n_some);
        const Hero__V1__RelatedList *told = told_of(cut.graph, cut.roots[i]);
        const Hero__V1__Record *record = whole.graph->records[whole.roots[i] - 1];
        ProtobufCBinaryData key = packed_key(w, relationship->model, record);
        ProtobufCBinaryData none = {0, NULL};
        n_with[n]++;
        assert_int_equal(told->total, n);
        assert_int_equal(n_some, n < 2 ? n : 2);
        assert_int_equal(told->next_page_token.len > 0, n > 2);
        assert_string_equal(pages(w, relationship, key, none, n), all);
        if (n > 2)
            some = arena_printf(&w->f->arena, "%s%s", some,
                                pages(w, relationship, key, told->next_page_token, n));
        assert_string_equal(some, all);
    }
    check_counts(w, relationship, n_with, whole.n_roots, whole.graph->n_edges);
}

static void test_kinds(void **state)
{
    struct world *w = *state;
    size_t n = 0;
    for (size_t i = 0; i < w->models->n_models; i++)
        for (size_t k = 0; k < w->models->models[i].n_relationships; k++, n++) {
            struct arena kept = w->f->arena;
            arena_init(&w->f->arena, 256u << 20);
            check(w, &w->models->models[i].relationships[k]);
            arena_done(&w->f->arena);
            w->f->arena = kept;
        }
    assert_int_equal(n, 9);
}

/* As deep as a filter may be, where a relationship takes most of SQLite's
 * parser, and that inside a capped expansion: it is still SQL. */
static void test_deep(void **state)
{
    static const char *const deep[] = {
        "any(friends, any(friends, any(friends, any(friends, any(friends, name:\"1\")))))",
        "count(friends, count(friends, count(friends, name:\"1\" OR id = 1 AND name:\"2\") != 3) "
        "!= 4) != 5",
        "any(friends, id = 1 OR any(reports, id = 2 AND any(friends, id = 3 OR any(friends, "
        "id = 4 AND boss.desk.owner.boss.name:\"x\"))))",
    };
    struct world *w = *state;
    const struct model *person = models_find(w->models, "Person", NULL);
    for (size_t i = 0; i < sizeof(deep) / sizeof(*deep); i++) {
        Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
        Hero__V1__ListResponse answer = HERO__V1__LIST_RESPONSE__INIT;
        Hero__V1__Expansion expansion = HERO__V1__EXPANSION__INIT, *pointer = &expansion;
        struct store_read read = reading(w);
        expansion.path = "friends";
        expansion.filter = (char *)(uintptr_t)deep[i];
        expansion.page_size = 1;
        expansion.total = expansion.has_total = 1;
        request.model = (char *)(uintptr_t)person->name;
        request.filter = (char *)(uintptr_t)deep[i];
        request.expansions = &pointer;
        request.n_expansions = 1;
        request.count = HERO__V1__LIST_REQUEST__COUNT__CAPPED;
        request.count_limit = 3;
        ok(w, store_list(w->f->store, &read, &request, &answer, &w->f->fault), deep[i]);
        Hero__V1__ExplainRequest explain = HERO__V1__EXPLAIN_REQUEST__INIT;
        Hero__V1__ExplainResponse told = HERO__V1__EXPLAIN_RESPONSE__INIT;
        explain.list = &request;
        ok(w, store_explain(w->f->store, &read, &explain, &told, &w->f->fault), deep[i]);
        assert_int_equal(told.n_statements, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deep, setup, teardown),
    };
    return cmocka_run_group_tests_name("questions of every kind", tests, NULL, NULL);
}
