/* Decimals are texts to SQLite and numbers to those who ask: filters, orders, pages. */
#include <stdio.h>
#include <string.h>
#include "fixture.h"

static const char model[] =
    "message Item { option (hero.table) = {}; optional int64 id = 1 [(hero.column).primary_key = "
    "true]; optional string price = 2 [(hero.column) = {format: DECIMAL index: true}]; }";

/* In their order; some as only other programs would write them. */
static const char *const ascending[] = {
    "-123456789012345678901234567890.5",
    "-10",
    "-9.75",
    "-9.7",
    "-0.001",
    "0",
    "0.001",
    "0.01",
    "1",
    "9",
    "9.5",
    "12.5",
    "100",
    "123456789012345678901234567890",
    "123456789012345678901234567890.000000000000000000000000000001",
};
#define N (sizeof(ascending) / sizeof(*ascending))

static int setup(void **state)
{
    Hero__V1__ApplyModelsResponse applied;
    char sql[160];
    if (fixture_setup(state))
        return -1;
    struct fixture *f = *state;
    fixture_open(f);
    assert_int_equal(fixture_apply(f, model, &applied), HERO__V1__CODE__OK);
    /* ids in another order than the values': 7 has no divisor with N */
    for (size_t i = 0; i < N; i++) {
        snprintf(sql, sizeof(sql), "INSERT INTO item VALUES (%zu, '%s')", 1 + i * 7 % N,
                 ascending[i]);
        fixture_sql(f, sql);
    }
    return 0;
}

/* Prices of all pages, each of three records, with a space after each. */
static const char *listed(struct fixture *f, const char *filter, const char *order)
{
    struct models *models = store_models(f->store);
    const struct model *item = models_find(models, "item", NULL);
    char *orders[] = {(char *)(uintptr_t)order};
    Hero__V1__ListRequest request = HERO__V1__LIST_REQUEST__INIT;
    Hero__V1__ListResponse response;
    char *text = arena_alloc(&f->arena, 4096);
    request.model = (char *)(uintptr_t) "item";
    request.filter = (char *)(uintptr_t)filter;
    request.order_by = orders;
    request.n_order_by = order ? 1 : 0;
    request.has_page_size = 1;
    request.page_size = 3;
    do {
        struct store_read read = {.models = models, .arena = &f->arena};
        hero__v1__list_response__init(&response);
        if (store_list(f->store, &read, &request, &response, &f->fault) != HERO__V1__CODE__OK)
            fail_msg("%s", f->fault.message);
        for (size_t i = 0; i < response.n_roots; i++) {
            const Hero__V1__Record *record = response.graph->records[response.roots[i] - 1];
            ProtobufCMessage *message;
            assert_int_equal(model_unpack(item, record->value.data, record->value.len, &f->arena,
                                          &message, &f->fault),
                             HERO__V1__CODE__OK);
            strcat(text, *(char **)((char *)message + model_column(item, "price")->field->offset));
            strcat(text, " ");
        }
        request.has_page_token = response.has_next_page_token;
        request.page_token = response.next_page_token;
    } while (response.has_next_page_token);
    models_unref(models);
    return text;
}

static const char *expected(struct fixture *f, size_t from, size_t to, bool descends)
{
    char *text = arena_alloc(&f->arena, 4096);
    for (size_t i = from; i < to; i++) {
        strcat(text, ascending[descends ? to - 1 - (i - from) : i]);
        strcat(text, " ");
    }
    return text;
}

static void pages_in_order(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(listed(f, NULL, "price"), expected(f, 0, N, false));
    assert_string_equal(listed(f, NULL, "-price"), expected(f, 0, N, true));
}

static void filters_compare(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(listed(f, "price >= 9", "price"), expected(f, 9, N, false));
    assert_string_equal(listed(f, "price > 9 AND price <= 100.00", "price"),
                        expected(f, 10, 13, false));
    assert_string_equal(listed(f, "price < -9.70", "price"), expected(f, 0, 3, false));
    assert_string_equal(listed(f, "NOT price < 0", "-price"), expected(f, 5, N, true));
    assert_string_equal(listed(f, "price = 12.50", NULL), "12.5 ");
    assert_string_equal(listed(f, "price > 123456789012345678901234567890", NULL),
                        expected(f, N - 1, N, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_in_order, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(filters_compare, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
