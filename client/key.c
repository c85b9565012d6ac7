/*
 * Keys from values, from text and from JSON. All end as the packed record of
 * which only the primary key is set; the JSON forms share the rules of json.h.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "key.h"
#include "scan.h"

/* ---- values ---- */

hero_value hero_value_integer(int64_t integer)
{
    return (hero_value){.kind = HERO_VALUE_INTEGER, .integer = integer};
}

hero_value hero_value_unsigned(uint64_t integer)
{
    return (hero_value){.kind = HERO_VALUE_UNSIGNED, .integer = (int64_t)integer};
}

hero_value hero_value_real(double real)
{
    return (hero_value){.kind = HERO_VALUE_REAL, .real = real};
}

hero_value hero_value_text(const char *text)
{
    return (hero_value){.kind = HERO_VALUE_TEXT, .data = text, .size = text ? strlen(text) : 0};
}

hero_value hero_value_bytes(const void *bytes, size_t size)
{
    return (hero_value){.kind = HERO_VALUE_BYTES, .data = bytes, .size = size};
}

/* ---- packing ---- */

static Code no_memory(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the keys take more than the %zu bytes that one request may have",
                     arena->budget);
}

static Code pack(const ProtobufCMessage *record, struct arena *arena, ProtobufCBinaryData *ret_key,
                 struct fault *fault)
{
    size_t len = protobuf_c_message_get_packed_size(record);
    uint8_t *bytes = arena_alloc(arena, len ? len : 1);

    if (!bytes)
        return no_memory(arena, fault);
    protobuf_c_message_pack(record, bytes);
    *ret_key = (ProtobufCBinaryData){len, bytes};
    return HERO__V1__CODE__OK;
}

static Code wrong_kind(const struct column *column, const char *path, const char *wanted,
                       struct fault *fault)
{
    return fault_add(fault, path, "%s of the key of %s is %s", column->field_name,
                     column->model->name, wanted);
}

/* An integer into a field of any integer type, by way of JSON's range checks. */
static Code set_by_json(const struct column *column, json_t *value, ProtobufCMessage *record,
                        const char *text, struct arena *arena, struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    Code code;

    if (!value)
        return fault_add(fault, text, "is not valid UTF-8");
    json_path_name(&path, text);
    code = json_read_field(value, column->field, record, arena, &path, fault);
    json_decref(value);
    return code;
}

static Code set_integer(const struct column *column, const hero_value *value,
                        ProtobufCMessage *record, const char *path, struct arena *arena,
                        struct fault *fault)
{
    uint64_t bits = (uint64_t)value->integer;
    char text[24];

    if (column->type == PROTOBUF_C_TYPE_STRING || column->type == PROTOBUF_C_TYPE_BYTES ||
        column->type == PROTOBUF_C_TYPE_MESSAGE)
        return wrong_kind(column, path, "text or bytes, not an integer", fault);
    if (column->type == PROTOBUF_C_TYPE_BOOL) {
        if (bits > 1)
            return wrong_kind(column, path, "a bool: 0 or 1", fault);
        return set_by_json(column, json_boolean(bits), record, path, arena, fault);
    }
    if (value->kind == HERO_VALUE_INTEGER || bits <= INT64_MAX)
        return set_by_json(column, json_integer(value->integer), record, path, arena, fault);
    snprintf(text, sizeof(text), "%" PRIu64, bits);
    return set_by_json(column, json_string(text), record, path, arena, fault);
}

static Code set_text(const struct column *column, const hero_value *value, ProtobufCMessage *record,
                     const char *path, struct arena *arena, struct fault *fault)
{
    ProtobufCBinaryData *bytes = field_at(record, column->field);

    if (!value->data && (value->size || value->kind == HERO_VALUE_TEXT))
        return fault_add(fault, path, "is NULL");
    if (column->type == PROTOBUF_C_TYPE_STRING || column->type == PROTOBUF_C_TYPE_ENUM ||
        column->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (!scan_text_valid(value->data, value->size))
            return fault_add(fault, path, "is not valid UTF-8 without NUL");
        return set_by_json(column, json_stringn(value->data, value->size), record, path, arena,
                           fault);
    }
    if (column->type != PROTOBUF_C_TYPE_BYTES)
        return wrong_kind(column, path, "a number, not text", fault);
    bytes->data = arena_copy(arena, value->data ? value->data : "", value->size);
    bytes->len = value->size;
    if (!bytes->data)
        return no_memory(arena, fault);
    field_set_present(record, column->field, true);
    return HERO__V1__CODE__OK;
}

static Code set_value(const struct column *column, const hero_value *value,
                      ProtobufCMessage *record, const char *path, struct arena *arena,
                      struct fault *fault)
{
    switch (value->kind) {
    case HERO_VALUE_INTEGER:
    case HERO_VALUE_UNSIGNED:
        return set_integer(column, value, record, path, arena, fault);
    case HERO_VALUE_REAL:
        if (column->type != PROTOBUF_C_TYPE_FLOAT && column->type != PROTOBUF_C_TYPE_DOUBLE)
            return wrong_kind(column, path, "not a real", fault);
        if (!isfinite(value->real))
            return fault_add(fault, path, "is NaN or infinite");
        return set_by_json(column, json_real(value->real), record, path, arena, fault);
    case HERO_VALUE_TEXT:
    case HERO_VALUE_BYTES:
        return set_text(column, value, record, path, arena, fault);
    }
    return fault_add(fault, path, "is a value of no kind");
}

static Code wrong_count(const struct model *model, const char *path, size_t n, const char *hint,
                        struct fault *fault)
{
    return fault_add(fault, path, "has %zu parts; the key of %s has %zu, beginning with %s%s", n,
                     model->name, model->n_primary_key, model->primary_key[0]->field_name, hint);
}

Code key_pack(const struct model *model, const hero_key *key, const char *path, struct arena *arena,
              ProtobufCBinaryData *ret_key, struct fault *fault)
{
    ProtobufCMessage *record = dynamic_message(arena, model->descriptor);

    if (!record)
        return no_memory(arena, fault);
    if (key->n_values != model->n_primary_key)
        return wrong_count(model, path, key->n_values, "", fault);
    for (size_t i = 0; i < key->n_values; i++) {
        Code code = set_value(model->primary_key[i], &key->values[i], record, path, arena, fault);

        if (code)
            return code;
    }
    return pack(record, arena, ret_key, fault);
}

/* ---- JSON ---- */

static Code set_part(const struct column *column, const json_t *value, ProtobufCMessage *record,
                     struct json_path *path, struct arena *arena, struct fault *fault)
{
    if (!value || json_is_null(value))
        return fault_add(fault, path->text, "has no value for %s, which is part of the key of %s",
                         column->field_name, column->model->name);
    return json_read_field(value, column->field, record, arena, path, fault);
}

static Code set_array(const struct model *model, const json_t *value, ProtobufCMessage *record,
                      struct json_path *path, struct arena *arena, struct fault *fault)
{
    if (json_array_size(value) != model->n_primary_key)
        return wrong_count(model, path->text, json_array_size(value), "", fault);
    for (size_t i = 0; i < model->n_primary_key; i++) {
        size_t before = json_path_index(path, i);
        Code code =
            set_part(model->primary_key[i], json_array_get(value, i), record, path, arena, fault);

        json_path_pop(path, before);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

static Code set_object(const struct model *model, const json_t *value, ProtobufCMessage *record,
                       struct json_path *path, struct arena *arena, struct fault *fault)
{
    const char *member;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)value, member, item)
    {
        const struct column *column = model_column(model, member);

        if (!column || !column->primary_key)
            return fault_add(fault, path->text, "%.100s is not part of the key of %s", member,
                             model->name);
    }
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const struct column *column = model->primary_key[i];
        size_t before = json_path_name(path, column->field_name);
        Code code = set_part(column, json_object_get(value, column->field_name), record, path,
                             arena, fault);

        json_path_pop(path, before);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

Code key_of_json(const struct model *model, const json_t *value, struct json_path *path,
                 struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault)
{
    ProtobufCMessage *record = dynamic_message(arena, model->descriptor);
    Code code;

    if (!record)
        return no_memory(arena, fault);
    if (json_is_array(value))
        code = set_array(model, value, record, path, arena, fault);
    else if (json_is_object(value))
        code = set_object(model, value, record, path, arena, fault);
    else if (model->n_primary_key != 1)
        code = wrong_count(model, path->text, 1, "; give an array or an object of them", fault);
    else
        code = set_part(model->primary_key[0], value, record, path, arena, fault);
    return code ? code : pack(record, arena, ret_key, fault);
}

/* ---- text ---- */

/* "a,b" as an array of texts. NULL: not UTF-8, or no memory. */
static json_t *split(const char *text)
{
    json_t *array = json_array();

    while (array) {
        size_t len = strcspn(text, ",");

        if (json_array_append_new(array, json_stringn(text, len))) {
            json_decref(array);
            return NULL;
        }
        if (!text[len])
            break;
        text += len + 1;
    }
    return array;
}

Code key_parse(const struct model *model, const char *text, const char *path_text,
               struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    json_t *value = NULL;
    Code code;

    json_path_name(&path, path_text);
    if (!text)
        return fault_add(fault, path_text, "is NULL");
    /* Text that only looks like JSON is a key as it stands. */
    if (*text == '[' || *text == '{' || *text == '"')
        value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (!value)
        value = model->n_primary_key > 1 ? split(text) : json_string(text);
    if (!value)
        return fault_add(fault, path_text, "is not valid UTF-8");
    if (json_is_array(value) && json_array_size(value) != model->n_primary_key)
        code = wrong_count(model, path_text, json_array_size(value),
                           "; a comma divides them, a JSON array takes any text", fault);
    else
        code = key_of_json(model, value, &path, arena, ret_key, fault);
    json_decref(value);
    return code;
}
