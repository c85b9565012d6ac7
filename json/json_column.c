/*
 * Owns the text of JSON columns: as protobuf's JSON has it, with the names of
 * the .proto, as Python's json module spaces it.
 */
#include "json_column.h"
#include <stdlib.h>
#include <string.h>
#include "dynamic.h"
#include "json.h"

static Code no_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a JSON column");
}

Code json_column_write(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field,
                       struct arena *arena, const char **ret_text, struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    char *text = NULL;
    json_t *value;
    Code code;

    json_path_name(&path, field->name);
    code = json_check_field(record, field, &path, fault);
    if (code)
        return code;
    value = json_write_field(record, field);
    if (!value)
        return no_memory(fault);
    code = json_print(value, JSON_COLUMN_BYTES, &text, fault);
    json_decref(value);
    if (code)
        return code;
    *ret_text = arena_strdup(arena, text);
    free(text);
    return *ret_text ? HERO__V1__CODE__OK : no_memory(fault);
}

Code json_column_read(const char *text, size_t len, const ProtobufCFieldDescriptor *field,
                      ProtobufCMessage *record, struct arena *arena, struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    json_error_t error;
    json_t *value;
    Code code;

    if (len > JSON_COLUMN_BYTES)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "JSON of more than %zu bytes",
                         JSON_COLUMN_BYTES);
    value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "no JSON: %s", error.text);
    json_path_name(&path, field->name);
    field_set_present(record, field, false);
    code = json_read_field(value, field, record, arena, &path, fault);
    json_decref(value);
    return code;
}
