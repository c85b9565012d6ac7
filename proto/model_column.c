/*
 * Owns columns: types, keys, defaults, and the faults that show when a model
 * is looked at as a whole. Foreign keys are model_foreign_key.c's.
 */
#include "model_internal.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base64.h"
#include "names.h"

bool column_type_known(int type)
{
    return type >= FIELD_TYPE(DOUBLE) && type <= FIELD_TYPE(SINT64) && type != FIELD_TYPE(GROUP) &&
           type != FIELD_TYPE(MESSAGE) && type != FIELD_TYPE(ENUM);
}

/* What an integer type can hold, as far as SQLite can. */
static bool integer_range(ProtobufCType type, int64_t *least, int64_t *most)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        *least = INT32_MIN, *most = INT32_MAX;
        return true;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        *least = 0, *most = UINT32_MAX;
        return true;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        *least = INT64_MIN, *most = INT64_MAX;
        return true;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *least = 0, *most = INT64_MAX;
        return true;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return false;
    }
    return false;
}

/* ---- defaults ---- */

static bool begins_number(const char *text)
{
    text += *text == '-';
    return *text >= '0' && *text <= '9';
}

static const char *integer_default(struct column *column, const char *text)
{
    int64_t least = 0, most = 0;
    char *end;
    errno = 0;
    column->default_integer = strtoll(text, &end, 10);
    column->default_kind = DEFAULT_INTEGER;
    if (!begins_number(text) || *end)
        return "its default is not a whole number";
    integer_range(column->type, &least, &most);
    if (errno || column->default_integer < least || column->default_integer > most)
        return "its default is out of the type's range";
    return NULL;
}

/* Digits, a point, an exponent: no hexadecimal, no inf, whatever strtod takes. */
static const char *real_default(struct column *column, const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end = NULL;
    if (plain) {
        column->default_real = strtod_l(text, &end, plain);
        freelocale(plain);
    }
    column->default_kind = DEFAULT_REAL;
    if (!end || *end || !begins_number(text) || strspn(text, "-+.0123456789eE") != strlen(text))
        return "its default is not a number";
    if (column->type == PROTOBUF_C_TYPE_FLOAT && fabs(column->default_real) > (double)FLT_MAX)
        return "its default is out of the type's range";
    return isfinite(column->default_real) ? NULL : "its default is out of the type's range";
}

/* With or without padding. */
static const char *bytes_default(struct column *column, const char *text, struct arena *arena)
{
    static const char *const padding[] = {"", "", "==", "="};
    const char *padded = arena_printf(arena, "%s%s", text, padding[strlen(text) % 4]);
    column->default_kind = DEFAULT_BYTES;
    return !padded || base64_decode(arena, padded, strlen(padded), &column->default_bytes)
               ? NULL
               : "its default is not base64";
}

static const char *read_default(struct column *column, const char *text, struct arena *arena)
{
    column->default_text = text;
    switch (column->type) {
    case PROTOBUF_C_TYPE_STRING:
        column->default_kind = DEFAULT_TEXT;
        column->default_bytes = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
        return NULL;
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_default(column, text, arena);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_default(column, text);
    case PROTOBUF_C_TYPE_BOOL:
        column->default_kind = DEFAULT_INTEGER;
        column->default_integer = strcmp(text, "true") == 0;
        return column->default_integer || strcmp(text, "false") == 0
                   ? NULL
                   : "its default must be true or false";
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return integer_default(column, text);
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return "its type takes no default";
}

static const char *read_sql_default(struct column *column, const Hero__ColumnOptions *options)
{
    if (options->default_)
        return "has default and sql_default; keep one of them";
    column->default_kind = DEFAULT_SQL;
    column->default_text = options->sql_default;
    return expression_refused(options->sql_default)
               ? "its sql_default is not one whole expression of SQL"
               : NULL;
}

/* ---- columns of one model ---- */

static void fill_column(struct builder *builder, const struct draft *draft,
                        const struct draft_field *field, struct column *column)
{
    static const Hero__ColumnOptions none = HERO__COLUMN_OPTIONS__INIT;
    const Hero__ColumnOptions *options = field->column ? field->column : &none;
    const FieldProto *proto = field->proto;
    bool implicit = draft->proto3 && !proto->proto3_optional;
    column->field_name = proto->name;
    column->name = options->name ? options->name : proto->name;
    column->number = (uint32_t)proto->number;
    column->primary_key = options->primary_key;
    column->required = proto->label == FIELD_LABEL(REQUIRED);
    column->not_null = options->not_null || options->primary_key || column->required || implicit;
    column->index = options->index;
    column->unique = options->unique;
    const char *why = name_refused(column->name);
    if (why)
        fault_add(builder->fault, field->path, "can't be a column named \"%s\": %s", column->name,
                  why);
    why = options->default_ ? read_default(column, options->default_, builder->arena) : NULL;
    if (!why && options->sql_default)
        why = read_sql_default(column, options);
    if (!why && (options->default_ || options->sql_default) && options->primary_key)
        why = "is a key column, which takes no default";
    if (!why && (options->default_ || options->sql_default) && implicit)
        why =
            "has no presence (a plain proto3 scalar), so a default would never be used; declare it "
            "optional";
    if (why)
        fault_add(builder->fault, field->path, "%s", why);
}

static bool is_integer(ProtobufCType type)
{
    int64_t least, most;
    return integer_range(type, &least, &most);
}

/* SQLite's INTEGER PRIMARY KEY hands out ids; a key that refers elsewhere gets
 * its value from there. */
static const struct column *find_auto_id(const struct draft *draft, const struct model *model)
{
    if (model->n_primary_key != 1 || !is_integer(model->primary_key[0]->type))
        return NULL;
    for (size_t i = 0; i < draft->n_fields; i++)
        if (draft->fields[i].proto->number == (int)model->primary_key[0]->number &&
            draft->fields[i].column && draft->fields[i].column->foreign_key)
            return NULL;
    return model->primary_key[0];
}

static bool build_descriptor(struct builder *builder, const struct draft *draft,
                             struct model *model)
{
    const FieldProto **fields = arena_array(builder->arena, draft->n_columns + 1, sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; fields && i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || !field->is_column)
            continue;
        fields[n] = field->proto;
        if (draft->proto3 && field->column && field->column->primary_key) {
            /* A plain proto3 key has no presence; on the wire 0 and unset
             * look the same, and a key that is unset must be seen. */
            FieldProto *copy = arena_copy(builder->arena, field->proto, sizeof *copy);
            if (!copy)
                return false;
            copy->has_proto3_optional = copy->proto3_optional = 1;
            fields[n] = copy;
        }
        n++;
    }
    model->descriptor =
        fields ? dynamic_descriptor(builder->arena, draft->name, draft->proto3, fields, n) : NULL;
    for (size_t i = 0; model->descriptor && i < model->n_columns; i++) {
        struct column *column = &model->columns[i];
        column->field = protobuf_c_message_descriptor_get_field(model->descriptor, column->number);
    }
    return model->descriptor != NULL;
}

struct kind_row {
    enum column_kind kind;
    ProtobufCType type;
};

/* What a field of a type is where nothing else is said of it. */
static const struct kind_row kinds[] = {
    [FIELD_TYPE(DOUBLE)] = {COLUMN_DOUBLE, PROTOBUF_C_TYPE_DOUBLE},
    [FIELD_TYPE(FLOAT)] = {COLUMN_FLOAT, PROTOBUF_C_TYPE_FLOAT},
    [FIELD_TYPE(INT64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_INT64},
    [FIELD_TYPE(UINT64)] = {COLUMN_UINT64, PROTOBUF_C_TYPE_UINT64},
    [FIELD_TYPE(INT32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_INT32},
    [FIELD_TYPE(FIXED64)] = {COLUMN_UINT64, PROTOBUF_C_TYPE_FIXED64},
    [FIELD_TYPE(FIXED32)] = {COLUMN_UINT32, PROTOBUF_C_TYPE_FIXED32},
    [FIELD_TYPE(BOOL)] = {COLUMN_BOOL, PROTOBUF_C_TYPE_BOOL},
    [FIELD_TYPE(STRING)] = {COLUMN_TEXT, PROTOBUF_C_TYPE_STRING},
    [FIELD_TYPE(BYTES)] = {COLUMN_BYTES, PROTOBUF_C_TYPE_BYTES},
    [FIELD_TYPE(UINT32)] = {COLUMN_UINT32, PROTOBUF_C_TYPE_UINT32},
    [FIELD_TYPE(SFIXED32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_SFIXED32},
    [FIELD_TYPE(SFIXED64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_SFIXED64},
    [FIELD_TYPE(SINT32)] = {COLUMN_INT32, PROTOBUF_C_TYPE_SINT32},
    [FIELD_TYPE(SINT64)] = {COLUMN_INT64, PROTOBUF_C_TYPE_SINT64},
};

static int compare_column_names(const void *a, const void *b)
{
    const struct column *left = *(const struct column *const *)a;
    const struct column *right = *(const struct column *const *)b;
    int order = strcasecmp(left->name, right->name);
    return order ? order : (left->position > right->position) - (left->position < right->position);
}

static void check_column_names(struct builder *builder, const struct draft *draft,
                               const struct model *model)
{
    const struct column **sorted =
        arena_array(builder->arena, model->n_columns + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < model->n_columns; i++)
        sorted[i] = &model->columns[i];
    if (sorted)
        qsort(sorted, model->n_columns, sizeof *sorted, compare_column_names);
    for (size_t i = 1; sorted && i < model->n_columns; i++)
        if (strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            fault_add(builder->fault, draft->path,
                      "the fields %s and %s make the same column (%s; SQLite compares names "
                      "without case); set (hero.column).name",
                      sorted[i - 1]->field_name, sorted[i]->field_name, sorted[i]->name);
}

bool columns_build(struct builder *builder, const struct draft *draft, struct model *model)
{
    model->columns = arena_array(builder->arena, draft->n_columns + 1, sizeof *model->columns);
    model->primary_key = arena_array(builder->arena, draft->n_columns + 1, sizeof(void *));
    if (!model->columns || !model->primary_key)
        return false;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || !field->is_column)
            continue;
        struct column *column = &model->columns[model->n_columns];
        column->model = model;
        column->position = (unsigned)model->n_columns++;
        column->type = kinds[field->proto->type].type;
        column->kind = kinds[field->proto->type].kind;
        fill_column(builder, draft, field, column);
        if (column->primary_key)
            model->primary_key[model->n_primary_key++] = column;
    }
    if (model->n_primary_key > MODEL_MAX_KEY)
        fault_add(builder->fault, draft->path,
                  "has a primary key of %zu columns; at most %d are taken", model->n_primary_key,
                  MODEL_MAX_KEY);
    if (model->n_primary_key == 0)
        fault_add(builder->fault, draft->path,
                  "has no primary key; mark a column with (hero.column).primary_key = true");
    check_column_names(builder, draft, model);
    model->auto_id = find_auto_id(draft, model);
    return build_descriptor(builder, draft, model);
}

bool column_types_agree(const struct column *a, const struct column *b)
{
    return a->type == b->type || (is_integer(a->type) && is_integer(b->type));
}
