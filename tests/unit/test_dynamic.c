/*
 * Descriptors built at run time against protoc-c's generated code: the same
 * bytes, the same layout, both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dynamic.h"
#include "library.pb-c.h"
#include "model.h"
#include "protoc.h"

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

static struct models *models;
static struct arena arena;

static int set_up(void **state)
{
    struct bytes set = protoc_file("tests/data", "library.proto");
    (void)state;
    arena_init(&arena, 64 << 20);
    assert_int_equal(models_new(set.data, set.len, &models, NULL), HERO__V1__CODE__OK);
    free(set.data);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    models_unref(models);
    arena_done(&arena);
    return 0;
}

/* generated -> bytes -> dynamic -> bytes: the same bytes; and back. */
static void round_trip(const ProtobufCMessage *generated,
                       const ProtobufCMessageDescriptor *descriptor)
{
    size_t len = protobuf_c_message_get_packed_size(generated);
    uint8_t *bytes = arena_alloc(&arena, len), *again = arena_alloc(&arena, len);
    protobuf_c_message_pack(generated, bytes);
    ProtobufCMessage *record =
        protobuf_c_message_unpack(descriptor, arena_allocator(&arena), len, bytes);
    assert_non_null(record);
    assert_int_equal(record->n_unknown_fields, 0);
    assert_int_equal(protobuf_c_message_get_packed_size(record), len);
    assert_int_equal(protobuf_c_message_pack(record, again), len);
    assert_memory_equal(bytes, again, len);
    assert_true(protobuf_c_message_check(record));
    /* The layout is the generated one: the same struct reads it. */
    ProtobufCMessage *twin = arena_alloc(&arena, generated->descriptor->sizeof_message);
    memcpy(twin, record, descriptor->sizeof_message);
    twin->descriptor = generated->descriptor;
    assert_int_equal(protobuf_c_message_pack(twin, again), len);
    assert_memory_equal(bytes, again, len);
}

static void set_integers(Library__Scalars *row, int64_t value)
{
    row->id = row->a_int64 = row->a_sint64 = row->a_sfixed64 = value;
    row->a_int32 = row->a_sint32 = row->a_sfixed32 = (int32_t)value;
    row->a_uint32 = row->a_fixed32 = (uint32_t)value;
    row->a_uint64 = row->a_fixed64 = (uint64_t)value;
    row->a_bool = value & 1;
    row->has_id = row->has_a_int32 = row->has_a_sint32 = row->has_a_sfixed32 = 1;
    row->has_a_uint32 = row->has_a_fixed32 = row->has_a_int64 = row->has_a_sint64 = 1;
    row->has_a_sfixed64 = row->has_a_uint64 = row->has_a_fixed64 = row->has_a_bool = 1;
}

static void test_scalars(void **state)
{
    static const int64_t values[] = {0,         1,         -1,        127,       128,       -128,
                                     INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX};
    static const double reals[] = {0.0,     -0.0,         1.5,      DBL_MAX,  -DBL_MAX,
                                   DBL_MIN, DBL_TRUE_MIN, HUGE_VAL, -HUGE_VAL};
    const ProtobufCMessageDescriptor *descriptor = models_find(models, "scalars", NULL)->descriptor;
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        Library__Scalars row = LIBRARY__SCALARS__INIT;
        round_trip(&row.base, descriptor);
        set_integers(&row, values[i]);
        round_trip(&row.base, descriptor);
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        Library__Scalars row = LIBRARY__SCALARS__INIT;
        row.has_a_double = row.has_a_float = 1;
        row.a_double = reals[i];
        row.a_float = (float)fmin(fmax(reals[i], -FLT_MAX), FLT_MAX);
        round_trip(&row.base, descriptor);
    }
    Library__Scalars row = LIBRARY__SCALARS__INIT;
    char text[] = "Sister Margaret\xe2\x80\x99s Bar", empty[] = "";
    uint8_t bytes[] = {0, 255, 0};
    row.a_string = text;
    row.has_a_bytes = 1;
    row.a_bytes = (ProtobufCBinaryData){3, bytes};
    round_trip(&row.base, descriptor);
    row.a_string = empty;
    row.a_bytes.len = 0;
    round_trip(&row.base, descriptor);
    row.a_string = NULL;
    round_trip(&row.base, descriptor);
}

/* Offsets, flags and tables are those that protoc-c writes. */
static void test_layout(void **state)
{
    const ProtobufCMessageDescriptor *dynamic = models_find(models, "scalars", NULL)->descriptor;
    const ProtobufCMessageDescriptor *generated = &library__scalars__descriptor;
    (void)state;
    assert_int_equal(dynamic->sizeof_message, generated->sizeof_message);
    assert_int_equal(dynamic->n_fields, generated->n_fields);
    assert_string_equal(dynamic->name, generated->name);
    assert_string_equal(dynamic->short_name, generated->short_name);
    assert_string_equal(dynamic->package_name, generated->package_name);
    for (unsigned i = 0; i < generated->n_fields; i++) {
        const ProtobufCFieldDescriptor *left = &dynamic->fields[i], *right = &generated->fields[i];
        assert_string_equal(left->name, right->name);
        assert_int_equal(left->id, right->id);
        assert_int_equal(left->label, right->label);
        assert_int_equal(left->type, right->type);
        assert_int_equal(left->offset, right->offset);
        assert_int_equal(left->quantifier_offset, right->quantifier_offset);
        assert_int_equal(left->flags, right->flags);
        assert_null(left->default_value);
    }
    assert_memory_equal(dynamic->fields_sorted_by_name, generated->fields_sorted_by_name,
                        generated->n_fields * sizeof(unsigned));
    assert_int_equal(dynamic->n_field_ranges, generated->n_field_ranges);
    assert_memory_equal(dynamic->field_ranges, generated->field_ranges,
                        (generated->n_field_ranges + 1) * sizeof(ProtobufCIntRange));
}

static Google__Protobuf__FieldDescriptorProto *field_proto(char *name, int32_t number, int type)
{
    Google__Protobuf__FieldDescriptorProto *field = arena_alloc(&arena, sizeof *field);
    google__protobuf__field_descriptor_proto__init(field);
    field->name = name;
    field->has_number = field->has_type = 1;
    field->number = number;
    field->type = type;
    return field;
}

/* Declared in any order, with gaps between the numbers. */
static void test_order_and_gaps(void **state)
{
    char z[] = "z", a[] = "a", m[] = "m", far[] = "far";
    const struct dynamic_field fields[] = {
        {field_proto(z, 9, TYPE(BOOL)), NULL},
        {field_proto(a, 536870911, TYPE(STRING)), NULL},
        {field_proto(m, 1, TYPE(BYTES)), NULL},
        {field_proto(far, 10, TYPE(SINT64)), NULL},
    };
    (void)state;
    const ProtobufCMessageDescriptor *descriptor =
        dynamic_descriptor(&arena, "Odd", false, fields, 4);
    assert_non_null(descriptor);
    assert_string_equal(descriptor->package_name, "");
    for (size_t i = 0; i < 4; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(descriptor, (unsigned)fields[i].proto->number);
        assert_non_null(field);
        assert_string_equal(field->name, fields[i].proto->name);
        assert_ptr_equal(protobuf_c_message_descriptor_get_field_by_name(descriptor, field->name),
                         field);
    }
    assert_null(protobuf_c_message_descriptor_get_field(descriptor, 2));
    assert_null(protobuf_c_message_descriptor_get_field(descriptor, 11));
    ProtobufCMessage *message = dynamic_message(&arena, descriptor);
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, 10);
    *(int64_t *)field_at(message, field) = -3;
    field_set_present(message, field, true);
    uint8_t packed[8];
    assert_int_equal(protobuf_c_message_pack(message, packed), 2);
    assert_memory_equal(packed, "\x50\x05", 2);
}

/* Plain proto3 scalars are left out when they are zero, and are always set. */
static void test_proto3(void **state)
{
    char n[] = "n", s[] = "s", b[] = "b", o[] = "o";
    Google__Protobuf__FieldDescriptorProto *present = field_proto(o, 4, TYPE(INT32));
    const struct dynamic_field fields[] = {
        {field_proto(n, 1, TYPE(INT32)), NULL},
        {field_proto(s, 2, TYPE(STRING)), NULL},
        {field_proto(b, 3, TYPE(BYTES)), NULL},
        {present, NULL},
    };
    (void)state;
    present->has_proto3_optional = present->proto3_optional = 1;
    const ProtobufCMessageDescriptor *descriptor =
        dynamic_descriptor(&arena, "p.Three", true, fields, 4);
    ProtobufCMessage *message = dynamic_message(&arena, descriptor);
    uint8_t packed[32];
    assert_int_equal(protobuf_c_message_pack(message, packed), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(field_present(message, &descriptor->fields[i]));
    assert_false(field_present(message, &descriptor->fields[3]));
    const uint8_t bytes[] = {0x08, 5, 0x12, 1, 'x', 0x1a, 1, 0, 0x20, 0};
    message = protobuf_c_message_unpack(descriptor, arena_allocator(&arena), sizeof bytes, bytes);
    assert_non_null(message);
    assert_true(field_present(message, &descriptor->fields[3]));
    assert_int_equal(protobuf_c_message_pack(message, packed), sizeof bytes);
    assert_memory_equal(packed, bytes, sizeof bytes);
    message = protobuf_c_message_unpack(descriptor, arena_allocator(&arena), 0, bytes);
    assert_string_equal(*(char **)field_at(message, &descriptor->fields[1]), "");
}

static void test_presence(void **state)
{
    const struct model *book = models_find(models, "book", NULL);
    (void)state;
    ProtobufCMessage *record = dynamic_message(&arena, book->descriptor);
    for (size_t i = 0; i < book->n_columns; i++) {
        const ProtobufCFieldDescriptor *field = book->columns[i].field;
        assert_false(field_present(record, field));
        if (field->type == PROTOBUF_C_TYPE_STRING)
            *(const char **)field_at(record, field) = "text";
        field_set_present(record, field, true);
        assert_true(field_present(record, field));
        field_set_present(record, field, false);
        assert_false(field_present(record, field));
    }
    Library__Author author = LIBRARY__AUTHOR__INIT;
    const ProtobufCFieldDescriptor *books =
        protobuf_c_message_descriptor_get_field(&library__author__descriptor, 3);
    assert_false(field_present(&author.base, books));
    author.n_books = 1;
    assert_true(field_present(&author.base, books));
}

/* The generated struct without its relationships, and no more than asked for. */
static void test_subset(void **state)
{
    static const uint32_t numbers[] = {6, 1, 99, 2};
    (void)state;
    const ProtobufCMessageDescriptor *subset =
        dynamic_subset(&arena, &library__book__descriptor, numbers, 4);
    Library__Book book = LIBRARY__BOOK__INIT;
    Library__Author author = LIBRARY__AUTHOR__INIT, *authors = &author;
    char title[] = "Emma";
    uint8_t packed[64];
    assert_int_equal(subset->n_fields, 3);
    book.has_id = 1;
    book.id = 7;
    book.title = title;
    book.has_price = 1;
    book.n_authors = 1;
    book.authors = &authors;
    book.base.descriptor = subset;
    assert_int_equal(protobuf_c_message_pack(&book.base, packed), 8);
    assert_memory_equal(packed,
                        "\x08\x07\x12\x04"
                        "Emma",
                        8);
    Library__Book *again =
        (Library__Book *)protobuf_c_message_unpack(subset, arena_allocator(&arena), 8, packed);
    assert_string_equal(again->title, "Emma");
    assert_int_equal(again->n_authors, 0);
    assert_ptr_equal(dynamic_message(&arena, &library__book__descriptor)->descriptor,
                     &library__book__descriptor);
}

static void test_no_memory(void **state)
{
    (void)state;
    char n[] = "n";
    const struct dynamic_field field = {field_proto(n, 1, TYPE(INT32)), NULL};
    for (size_t budget = 0; budget < 1200; budget += 50) {
        struct arena small;
        arena_init(&small, budget);
        const ProtobufCMessageDescriptor *descriptor =
            dynamic_descriptor(&small, "a.B", false, &field, 1);
        if (!descriptor)
            assert_true(small.exhausted);
        arena_done(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_order_and_gaps), cmocka_unit_test(test_proto3),
        cmocka_unit_test(test_presence),       cmocka_unit_test(test_subset),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("dynamic", tests, set_up, tear_down);
}
