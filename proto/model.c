/*
 * Owns the lifetime of models, lookups in them, and what a record's key is.
 */
#include "model_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <google/protobuf/timestamp.pb-c.h>
#include "formats.h"
#include "scan.h"

static struct models_memory *memory_of(const struct models *models)
{
    return (struct models_memory *)(uintptr_t)models; /* its first member */
}

struct models *models_ref(const struct models *models)
{
    struct models_memory *memory = memory_of(models);
    atomic_fetch_add_explicit(&memory->n_refs, 1, memory_order_relaxed);
    return &memory->public;
}

void models_unref(const struct models *models)
{
    struct models_memory *memory = memory_of(models);
    if (!memory || atomic_fetch_sub_explicit(&memory->n_refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_done(&memory->arena);
    free(memory);
}

/* ---- lookups ---- */

static bool is_named(const struct model *model, const char *name, bool any_case)
{
    const char *dot = strrchr(model->name, '.');
    if (!any_case)
        return strcmp(model->name, name) == 0 || strcmp(model->table, name) == 0;
    return strcasecmp(model->name, name) == 0 || strcasecmp(model->table, name) == 0 ||
           (dot && strcasecmp(dot + 1, name) == 0);
}

static const struct model *find(const struct models *models, const char *name, bool any_case,
                                size_t *ret_n)
{
    const struct model *found = NULL;
    *ret_n = 0;
    for (size_t i = 0; i < models->n_models; i++)
        if (is_named(&models->models[i], name, any_case)) {
            found = &models->models[i];
            ++*ret_n;
        }
    return found;
}

static void list_names(const struct models *models, const char *name, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < models->n_models && used < size; i++) {
        const struct model *model = &models->models[i];
        if (name && !is_named(model, name, true))
            continue;
        int n = snprintf(buffer + used, size - used, "%s%s", used ? ", " : "", model->name);
        used += n > 0 ? (size_t)n : 0;
    }
}

const struct model *models_find(const struct models *models, const char *name, struct fault *fault)
{
    size_t n;
    char names[512];
    if (!name || !*name) {
        fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "no model is named");
        return NULL;
    }
    const struct model *model = find(models, name, false, &n);
    if (n != 1)
        model = find(models, name, true, &n);
    if (n == 1)
        return model;
    if (!fault)
        return NULL;
    list_names(models, n ? name : NULL, names, sizeof names);
    if (n)
        fault_set(fault, HERO__V1__CODE__NOT_FOUND,
                  "the name %s fits several models (%s); use the full message name", name, names);
    else
        fault_set(fault, HERO__V1__CODE__NOT_FOUND, "no model is called %s; %s%s", name,
                  models->n_models ? "served are " : "none is served yet, apply one first", names);
    return NULL;
}

const char *column_kind_name(enum column_kind kind)
{
    static const char *const names[COLUMN_KINDS] = {
        [COLUMN_INT32] = "int32",   [COLUMN_UINT32] = "uint32",       [COLUMN_INT64] = "int64",
        [COLUMN_UINT64] = "uint64", [COLUMN_FLOAT] = "float",         [COLUMN_DOUBLE] = "double",
        [COLUMN_BOOL] = "bool",     [COLUMN_TEXT] = "string",         [COLUMN_BYTES] = "bytes",
        [COLUMN_ENUM] = "enum",     [COLUMN_TIMESTAMP] = "timestamp", [COLUMN_DATE] = "date",
        [COLUMN_UUID] = "uuid",     [COLUMN_DECIMAL] = "decimal",     [COLUMN_JSON] = "json",
    };
    return (unsigned)kind < COLUMN_KINDS ? names[kind] : "unknown";
}

const struct column *model_column(const struct model *model, const char *field_name)
{
    for (size_t i = 0; i < model->n_columns; i++)
        if (strcmp(model->columns[i].field_name, field_name) == 0)
            return &model->columns[i];
    return NULL;
}

const struct column *model_column_by_number(const struct model *model, uint32_t number)
{
    for (size_t i = 0; i < model->n_columns; i++)
        if (model->columns[i].number == number)
            return &model->columns[i];
    return NULL;
}

const struct relationship *model_relationship(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_relationships; i++)
        if (strcmp(model->relationships[i].name, name) == 0)
            return &model->relationships[i];
    return NULL;
}

/* ---- records and keys ---- */

Code model_unpack(const struct model *model, const uint8_t *bytes, size_t len, struct arena *arena,
                  ProtobufCMessage **ret_record, struct fault *fault)
{
    return scan_unpack(model->descriptor, bytes, len, &scan_limits_record, arena, ret_record,
                       fault);
}

Code model_check_key(const struct model *model, const ProtobufCMessage *record, bool only,
                     struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        bool present = field_present(record, column->field);
        if (column->primary_key && !present)
            code = fault_add(fault, column->field_name, "is part of the key of %s and is missing",
                             model->name);
        else if (!column->primary_key && present && only &&
                 column->field->label == PROTOBUF_C_LABEL_OPTIONAL)
            code = fault_add(fault, column->field_name,
                             "is not part of the key of %s; a key holds nothing else", model->name);
    }
    return code;
}

/* Cut between characters: a fault's text must stay valid UTF-8. */
static const char *quoted_text(const char *text, struct arena *arena)
{
    size_t len = strlen(text), cut = len > 200 ? 200 : len;
    while (cut < len && cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return arena_printf(arena, "\"%.*s%s\"", (int)cut, text, cut < len ? "..." : "");
}

static const char *moment_text(const Google__Protobuf__Timestamp *timestamp, struct arena *arena)
{
    char text[MOMENT_TEXT_SIZE];
    struct moment moment = {timestamp->seconds, timestamp->nanos};
    if (!moment_is_valid(moment))
        return "?";
    moment_write_rfc3339(moment, text);
    return arena_strdup(arena, text);
}

static const char *enum_text(const struct column *column, int number, struct arena *arena)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(column->field->descriptor, number);
    return value ? value->name : arena_printf(arena, "%d", number);
}

static const char *value_text(const ProtobufCMessage *record, const struct column *column,
                              struct arena *arena)
{
    const void *at = field_at(record, column->field);
    if (!field_present(record, column->field))
        return "NULL";
    switch (column->kind) {
    case COLUMN_INT32:
        return arena_printf(arena, "%" PRId32, *(const int32_t *)at);
    case COLUMN_UINT32:
        return arena_printf(arena, "%" PRIu32, *(const uint32_t *)at);
    case COLUMN_INT64:
        return arena_printf(arena, "%" PRId64, *(const int64_t *)at);
    case COLUMN_UINT64:
        return arena_printf(arena, "%" PRIu64, *(const uint64_t *)at);
    case COLUMN_FLOAT:
        return arena_printf(arena, "%.9g", (double)*(const float *)at);
    case COLUMN_DOUBLE:
        return arena_printf(arena, "%.17g", *(const double *)at);
    case COLUMN_BOOL:
        return *(const protobuf_c_boolean *)at ? "true" : "false";
    case COLUMN_TEXT:
    case COLUMN_DATE:
    case COLUMN_UUID:
    case COLUMN_DECIMAL:
        return quoted_text(*(char *const *)at, arena);
    case COLUMN_BYTES:
        return arena_printf(arena, "%zu bytes", ((const ProtobufCBinaryData *)at)->len);
    case COLUMN_ENUM:
        return enum_text(column, *(const int *)at, arena);
    case COLUMN_TIMESTAMP:
        return moment_text(*(Google__Protobuf__Timestamp *const *)at, arena);
    case COLUMN_JSON:
        break;
    }
    return "?";
}

const char *model_key_text(const struct model *model, const ProtobufCMessage *record,
                           struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const char *part = value_text(record, model->primary_key[i], arena);
        if (!part || !text)
            return "?";
        text = i ? arena_printf(arena, "%s,%s", text, part) : part;
    }
    return text ? text : "?";
}
