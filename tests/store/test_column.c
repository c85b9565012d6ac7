/* Columns: every type there and back, and what does not fit is refused by name. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "fixture.h"

static const char scalars[] =
    "message Scalars { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true]; optional int32 a_int32 = 2;"
    " optional sint32 a_sint32 = 3; optional sfixed32 a_sfixed32 = 4; optional uint32 a_uint32 = 5;"
    " optional fixed32 a_fixed32 = 6; optional int64 a_int64 = 7; optional sint64 a_sint64 = 8;"
    " optional sfixed64 a_sfixed64 = 9; optional uint64 a_uint64 = 10;"
    " optional fixed64 a_fixed64 = 11; optional float a_float = 12; optional double a_double = 13;"
    " optional bool a_bool = 14; optional string a_string = 15; optional bytes a_bytes = 16;"
    " optional bool d_bool = 17 [(hero.column).default = 'true'];"
    " optional string d_text = 18 [(hero.column).default = 'it\\'s'];"
    " optional double d_real = 19 [(hero.column).default = '0.1'];"
    " optional bytes d_bytes = 20 [(hero.column).default = 'AP8='];"
    " optional int64 d_int = 21 [(hero.column).default = '-5'];"
    " }";

struct bench {
    struct models *models;
    const struct model *model;
    sqlite3 *handle;
    sqlite3_stmt *stmt; /* SELECT ?1 */
    ProtobufCMessage *record;
};

static void bench_open(struct fixture *f, struct bench *b)
{
    b->models = fixture_models(f, scalars);
    b->model = models_find(b->models, "Scalars", NULL);
    assert_non_null(b->model);
    assert_int_equal(sqlite3_open(":memory:", &b->handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(b->handle, "SELECT ?1", -1, &b->stmt, NULL), SQLITE_OK);
    b->record = dynamic_message(&f->arena, b->model->descriptor);
}

static void bench_close(struct bench *b)
{
    sqlite3_finalize(b->stmt);
    sqlite3_close(b->handle);
    models_unref(b->models);
}

static void *value_of(struct bench *b, const char *name)
{
    const struct column *column = model_column(b->model, name);
    assert_non_null(column);
    field_set_present(b->record, column->field, true);
    return field_at(b->record, column->field);
}

static Code bind(struct fixture *f, struct bench *b, const char *name)
{
    fault_done(&f->fault);
    sqlite3_reset(b->stmt);
    return column_bind(b->stmt, 1, model_column(b->model, name), b->record, &f->arena, &f->fault);
}

/* Through SQLite into a second record. */
static ProtobufCMessage *there_and_back(struct fixture *f, struct bench *b, const char *name)
{
    ProtobufCMessage *back = dynamic_message(&f->arena, b->model->descriptor);
    assert_int_equal(bind(f, b, name), HERO__V1__CODE__OK);
    assert_int_equal(sqlite3_step(b->stmt), SQLITE_ROW);
    assert_int_equal(column_read(b->stmt, 0, model_column(b->model, name), back, &f->arena,
                                 &f->arena, &f->fault),
                     HERO__V1__CODE__OK);
    return back;
}

#define ROUND_TRIP(type, name, ...)                                                                \
    do {                                                                                           \
        const type values[] = {__VA_ARGS__};                                                       \
        for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {                            \
            *(type *)value_of(&b, name) = values[i];                                               \
            ProtobufCMessage *back = there_and_back(f, &b, name);                                  \
            const struct column *column = model_column(b.model, name);                             \
            assert_true(field_present(back, column->field));                                       \
            assert_true(*(type *)field_at(back, column->field) == values[i]);                      \
        }                                                                                          \
    } while (0)

static void numbers(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    bench_open(f, &b);
    ROUND_TRIP(int32_t, "a_int32", 0, 1, -1, INT32_MIN, INT32_MAX);
    ROUND_TRIP(int32_t, "a_sint32", INT32_MIN, INT32_MAX);
    ROUND_TRIP(int32_t, "a_sfixed32", INT32_MIN, INT32_MAX);
    ROUND_TRIP(uint32_t, "a_uint32", 0, UINT32_MAX);
    ROUND_TRIP(uint32_t, "a_fixed32", 0, UINT32_MAX);
    ROUND_TRIP(int64_t, "a_int64", 0, INT64_MIN, INT64_MAX);
    ROUND_TRIP(int64_t, "a_sint64", INT64_MIN, INT64_MAX);
    ROUND_TRIP(int64_t, "a_sfixed64", INT64_MIN, INT64_MAX);
    ROUND_TRIP(uint64_t, "a_uint64", 0, INT64_MAX);
    ROUND_TRIP(uint64_t, "a_fixed64", 0, INT64_MAX);
    ROUND_TRIP(float, "a_float", 0.0f, 0.1f, -FLT_MAX, FLT_TRUE_MIN, INFINITY);
    ROUND_TRIP(double, "a_double", 0.1, DBL_MAX, DBL_TRUE_MIN, -INFINITY);
    ROUND_TRIP(protobuf_c_boolean, "a_bool", 0, 1);
    bench_close(&b);
}

static void text_and_bytes(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    static const char *const texts[] = {"", "x", "Sister Margaret\xe2\x80\x99s Bar"};
    bench_open(f, &b);
    const ProtobufCFieldDescriptor *text = model_column(b.model, "a_string")->field;
    const ProtobufCFieldDescriptor *bytes = model_column(b.model, "a_bytes")->field;
    for (size_t i = 0; i < 3; i++) {
        *(const char **)value_of(&b, "a_string") = texts[i];
        ProtobufCMessage *back = there_and_back(f, &b, "a_string");
        assert_true(field_present(back, text));
        assert_string_equal(*(char **)field_at(back, text), texts[i]);
    }
    for (size_t len = 0; len <= 3; len++) {
        ProtobufCBinaryData *value = value_of(&b, "a_bytes");
        *value = (ProtobufCBinaryData){len, len > 0 ? (uint8_t *)(uintptr_t) "\0\xff\0" : NULL};
        ProtobufCMessage *back = there_and_back(f, &b, "a_bytes");
        assert_true(field_present(back, bytes)); /* empty is not NULL */
        const ProtobufCBinaryData *stored = field_at(back, bytes);
        assert_int_equal(stored->len, len);
        assert_true(len == 0 || memcmp(stored->data, "\0\xff\0", len) == 0);
    }
    bench_close(&b);
}

static void absent_is_null(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    bench_open(f, &b);
    for (size_t i = 0; i < b.model->n_columns; i++) {
        const struct column *column = &b.model->columns[i];
        ProtobufCMessage *back = there_and_back(f, &b, column->field_name);
        assert_int_equal(sqlite3_column_type(b.stmt, 0), SQLITE_NULL);
        assert_false(field_present(back, column->field));
    }
    bench_close(&b);
}

static void refused_to_bind(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    bench_open(f, &b);
    *(double *)value_of(&b, "a_double") = NAN;
    assert_int_equal(bind(f, &b, "a_double"), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(f, "a_double", "NaN"));
    *(float *)value_of(&b, "a_float") = NAN;
    assert_int_equal(bind(f, &b, "a_float"), HERO__V1__CODE__INVALID_ARGUMENT);
    *(uint64_t *)value_of(&b, "a_uint64") = (uint64_t)INT64_MAX + 1;
    assert_int_equal(bind(f, &b, "a_uint64"), HERO__V1__CODE__INVALID_ARGUMENT);
    assert_true(fixture_blames(f, "a_uint64", "9223372036854775807"));
    *(uint64_t *)value_of(&b, "a_fixed64") = UINT64_MAX;
    assert_int_equal(bind(f, &b, "a_fixed64"), HERO__V1__CODE__INVALID_ARGUMENT);
    bench_close(&b);
}

static Code read_sql(struct fixture *f, struct bench *b, const char *sql, const char *name,
                     ProtobufCMessage *record)
{
    sqlite3_stmt *stmt = NULL;
    fault_done(&f->fault);
    assert_int_equal(sqlite3_prepare_v2(b->handle, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    Code code =
        column_read(stmt, 0, model_column(b->model, name), record, &f->arena, &f->arena, &f->fault);
    sqlite3_finalize(stmt);
    return code;
}

static void refused_to_read(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    static const char *const cases[][2] = {
        {"SELECT 2147483648", "a_int32"},
        {"SELECT -2147483649", "a_sint32"},
        {"SELECT 2147483648", "a_sfixed32"},
        {"SELECT 4294967296", "a_uint32"},
        {"SELECT -1", "a_fixed32"},
        {"SELECT -1", "a_uint64"},
        {"SELECT -1", "a_fixed64"},
        {"SELECT 1.5", "a_int64"},
        {"SELECT 'x'", "a_int64"},
        {"SELECT '5'", "a_int32"},
        {"SELECT x'01'", "a_sint64"},
        {"SELECT 5", "a_bool"},
        {"SELECT 'true'", "a_bool"},
        {"SELECT -1", "a_bool"},
        {"SELECT 'x'", "a_double"},
        {"SELECT 1e39", "a_float"},
        {"SELECT 5", "a_string"},
        {"SELECT x'41'", "a_string"},
        {"SELECT 'a' || char(0) || 'b'", "a_string"},
        {"SELECT cast(x'ff' AS TEXT)", "a_string"},
        {"SELECT cast(x'eda080' AS TEXT)", "a_string"},
        {"SELECT 'text'", "a_bytes"},
        {"SELECT 5", "a_bytes"},
    };
    bench_open(f, &b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct column *column = model_column(b.model, cases[i][1]);
        ProtobufCMessage *record = dynamic_message(&f->arena, b.model->descriptor);
        assert_int_equal(read_sql(f, &b, cases[i][0], cases[i][1], record),
                         HERO__V1__CODE__DATA_LOSS);
        assert_non_null(strstr(f->fault.message, "Scalars"));
        assert_non_null(strstr(f->fault.message, cases[i][1]));
        assert_false(field_present(record, column->field));
    }
    bench_close(&b);
}

static void integers_in_real_columns(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    bench_open(f, &b);
    ProtobufCMessage *record = dynamic_message(&f->arena, b.model->descriptor);
    assert_int_equal(read_sql(f, &b, "SELECT 3", "a_double", record), HERO__V1__CODE__OK);
    assert_true(*(double *)field_at(record, model_column(b.model, "a_double")->field) == 3.0);
    assert_int_equal(read_sql(f, &b, "SELECT 3", "a_float", record), HERO__V1__CODE__OK);
    bench_close(&b);
}

static void defaults(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    static const char *const cases[][2] = {
        {"d_bool", "1"},        {"d_text", "'it''s'"}, {"d_real", "0.1"},
        {"d_bytes", "x'00ff'"}, {"d_int", "-5"},       {"a_int32", "NULL"},
    };
    bench_open(f, &b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sqlite3_reset(b.stmt);
        assert_int_equal(column_bind_default(b.stmt, 1, model_column(b.model, cases[i][0]),
                                             &f->arena, &f->fault),
                         HERO__V1__CODE__OK);
        char *sql = sqlite3_expanded_sql(b.stmt);
        assert_string_equal(sql + strlen("SELECT "), cases[i][1]);
        sqlite3_free(sql);
    }
    bench_close(&b);
}

static void borrowed_or_bounded(void **state)
{
    struct fixture *f = *state;
    struct bench b;
    struct arena small;
    bench_open(f, &b);
    *(const char **)value_of(&b, "a_string") = "borrowed until the next step";
    assert_int_equal(bind(f, &b, "a_string"), HERO__V1__CODE__OK);
    assert_int_equal(sqlite3_step(b.stmt), SQLITE_ROW);
    const struct column *column = model_column(b.model, "a_string");
    ProtobufCMessage *back = dynamic_message(&f->arena, b.model->descriptor);
    assert_int_equal(column_read(b.stmt, 0, column, back, NULL, &f->arena, &f->fault),
                     HERO__V1__CODE__OK);
    assert_ptr_equal(*(char **)field_at(back, column->field), sqlite3_column_text(b.stmt, 0));
    arena_init(&small, 8);
    assert_int_equal(column_read(b.stmt, 0, column, back, &small, &f->arena, &f->fault),
                     HERO__V1__CODE__RESOURCE_EXHAUSTED);
    arena_done(&small);
    bench_close(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(numbers),         TEST(text_and_bytes),      TEST(absent_is_null),
        TEST(refused_to_bind), TEST(refused_to_read),     TEST(integers_in_real_columns),
        TEST(defaults),        TEST(borrowed_or_bounded),
    };
    return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
