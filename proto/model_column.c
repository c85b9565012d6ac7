/*
 * Owns columns: types, keys, defaults, and the faults that show when a model
 * is looked at as a whole. Foreign keys are model_foreign_key.c's.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "names.h"

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

/* A plain proto3 scalar: its zero is a value, and it is always there. */
static bool is_implicit(const struct draft *draft, const struct draft_field *field)
{
    return draft->proto3 && !field->proto->proto3_optional && !field_in_oneof(field->proto) &&
           field->proto->label != FIELD_LABEL(REPEATED) &&
           field->proto->type != FIELD_TYPE(MESSAGE);
}

/* An empty text is no date, uuid or decimal, so these are absent where they
 * are empty. */
static bool has_empty_value(enum column_kind kind)
{
    return kind != COLUMN_DATE && kind != COLUMN_UUID && kind != COLUMN_DECIMAL;
}

static const char *refused_default(const struct column *column, bool implicit)
{
    if (column->primary_key)
        return "is a key column, which takes no default";
    if (implicit && has_empty_value(column->kind))
        return "has no presence (a plain proto3 scalar), so a default would never be used; declare "
               "it optional";
    return column->read_only ? "is read_only, so a default would never be used" : NULL;
}

/* Options that go with some columns only. */
static const char *refused_options(const Hero__ColumnOptions *options, const struct column *column)
{
    if (column->kind == COLUMN_JSON &&
        (options->primary_key || options->unique || options->index || options->foreign_key))
        return "holds JSON, whose text says nothing: it can't be a key, unique or indexed";
    if (column->generated && column->kind != COLUMN_UUID)
        return "is generated, which only a string with format: UUID can be";
    if (column->generated && (options->default_ || options->foreign_key || column->read_only))
        return "is generated, and says otherwise too; drop default, foreign_key or read_only";
    if (options->read_only && options->primary_key)
        return "is part of the key, which can't be read_only";
    return affinity_refused(column);
}

/* As wide as its longest name: SQLAlchemy's Enum. */
static const char *enum_sql_type(struct arena *arena, const ProtobufCEnumDescriptor *descriptor)
{
    size_t longest = 0;
    for (unsigned i = 0; i < descriptor->n_value_names; i++)
        if (strlen(descriptor->values_by_name[i].name) > longest)
            longest = strlen(descriptor->values_by_name[i].name);
    return arena_printf(arena, "VARCHAR(%zu)", longest);
}

static void read_sql_type(struct builder *builder, const struct draft_field *field,
                          struct column *column)
{
    const char *type = field->column ? field->column->sql_type : NULL;
    const char *why = type ? sql_type_refused(type) : NULL;
    if (why)
        fault_add(builder->fault, field->path, "its sql_type \"%s\" %s", type, why);
    if (!type && column->kind == COLUMN_ENUM)
        type = enum_sql_type(builder->arena, field->type);
    column->sql_type = type;
    column->affinity = column_affinity(column->kind, type);
    column->dashes = column->kind == COLUMN_UUID && type && strstr(type, "36") != NULL;
    if (column->kind == COLUMN_DECIMAL && column->affinity != AFFINITY_TEXT &&
        column->affinity != AFFINITY_NONE)
        builder_warn(builder, field->path,
                     "is a decimal in a column of numbers, which SQLite holds in binary: only 15 "
                     "digits are exact, and more are refused");
}

static void fill_column(struct builder *builder, const struct draft *draft,
                        const struct draft_field *field, struct column *column)
{
    static const Hero__ColumnOptions none = HERO__COLUMN_OPTIONS__INIT;
    const Hero__ColumnOptions *options = field->column ? field->column : &none;
    const FieldProto *proto = field->proto;
    bool implicit = is_implicit(draft, field);
    column->field_name = proto->name;
    column->name = options->name ? options->name : proto->name;
    column->number = (uint32_t)proto->number;
    column->kind = field->kind;
    column->type = wire_type_of_field(proto);
    column->primary_key = options->primary_key;
    column->required = proto->label == FIELD_LABEL(REQUIRED);
    column->not_null = options->not_null || options->primary_key || column->required || implicit;
    column->index = options->index;
    column->unique = options->unique;
    column->read_only = options->read_only || draft->table_options->read_only;
    column->generated = options->generated;
    read_sql_type(builder, field, column);
    const char *why = name_refused(column->name);
    if (why)
        fault_add(builder->fault, field->path, "can't be a column named \"%s\": %s", column->name,
                  why);
    why = refused_options(options, column);
    if (!why && (options->default_ || options->sql_default))
        why = refused_default(column, implicit);
    if (!why && options->default_)
        why = column_read_default(column, field->type, options->default_, builder->arena);
    if (!why && options->sql_default)
        why = read_sql_default(column, options);
    if (why)
        fault_add(builder->fault, field->path, "%s", why);
}

static bool is_integer(const struct column *column)
{
    return column->kind == COLUMN_INT32 || column->kind == COLUMN_UINT32 ||
           column->kind == COLUMN_INT64 || column->kind == COLUMN_UINT64;
}

/* SQLite's INTEGER PRIMARY KEY hands out ids; a key that refers elsewhere gets
 * its value from there. */
static const struct column *find_auto_id(const struct draft *draft, const struct model *model)
{
    const char *type = model->n_primary_key == 1 ? model->primary_key[0]->sql_type : NULL;
    if (model->n_primary_key != 1 || !is_integer(model->primary_key[0]))
        return NULL;
    if (type && strcasecmp(type, "INTEGER") != 0)
        return NULL; /* INT PRIMARY KEY is a key, but no row id */
    for (size_t i = 0; i < draft->n_fields; i++)
        if (draft->fields[i].proto->number == (int)model->primary_key[0]->number &&
            draft->fields[i].column && draft->fields[i].column->foreign_key)
            return NULL;
    return model->primary_key[0];
}

/* What the daemon keeps of a field: presence wherever there can be an absence.
 * Members of a oneof are columns of their own, so that two that are set can
 * be seen. */
static const FieldProto *field_as_kept(struct builder *builder, const struct draft *draft,
                                       const struct draft_field *field)
{
    const FieldProto *proto = field->proto;
    /* A plain proto3 key has no presence; on the wire 0 and unset look the
     * same, and a key that is unset must be seen. */
    bool is_key = field->column && field->column->primary_key;
    bool presence = draft->proto3 && (is_key || !has_empty_value(field->kind));
    if (!presence && !field_in_oneof(proto))
        return proto;
    FieldProto *copy = arena_copy(builder->arena, proto, sizeof *copy);
    if (copy)
        copy->has_proto3_optional = copy->proto3_optional = 1;
    return copy;
}

static bool build_descriptor(struct builder *builder, const struct draft *draft,
                             struct model *model)
{
    struct dynamic_field *fields =
        arena_array(builder->arena, draft->n_columns + 1, sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; fields && i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || !field->is_column)
            continue;
        const FieldProto *kept = field_as_kept(builder, draft, field);
        if (!kept)
            return false;
        fields[n++] = (struct dynamic_field){kept, field->type};
    }
    model->descriptor =
        fields ? dynamic_descriptor(builder->arena, draft->name, draft->proto3, fields, n) : NULL;
    for (size_t i = 0; model->descriptor && i < model->n_columns; i++) {
        struct column *column = &model->columns[i];
        column->field = protobuf_c_message_descriptor_get_field(model->descriptor, column->number);
    }
    return model->descriptor != NULL;
}

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

static void read_autoincrement(struct builder *builder, const struct draft *draft,
                               struct model *model)
{
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || !field->column || !field->column->autoincrement)
            continue;
        model->autoincrement =
            model->auto_id && model->auto_id->number == (uint32_t)field->proto->number;
        if (!model->autoincrement)
            fault_add(builder->fault, field->path,
                      "has autoincrement, which goes with the one integer primary key that SQLite "
                      "gives ids to");
    }
}

/* ---- names in generated C ---- */

static bool has_field(const struct draft *draft, const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < draft->n_fields; i++) {
        const char *other = draft->fields[i].proto->name;
        if (other && strncasecmp(other, prefix, len) == 0 && strcasecmp(other + len, name) == 0)
            return true;
    }
    return false;
}

/* protoc-c's structs begin with `base`, and have has_x and n_x beside x. It
 * doesn't say so; the compiler does, in code nobody wrote. */
static void warn_generated_names(struct builder *builder, const struct draft *draft)
{
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        const char *name = field->proto->name;
        bool repeated = field->proto->label == FIELD_LABEL(REPEATED);
        bool flagged = !repeated && field->proto->type != FIELD_TYPE(STRING) &&
                       field->proto->type != FIELD_TYPE(MESSAGE) && !draft->proto3;
        if (!name || !*name)
            continue;
        if (strcasecmp(name, "base") == 0)
            builder_warn(builder, field->path,
                         "can't be named so in C: each struct that protoc-c writes begins with a "
                         "member base; the C compiler will refuse it");
        if ((repeated && has_field(draft, "n_", name)) ||
            (flagged && has_field(draft, "has_", name)))
            builder_warn(builder, field->path,
                         "and another field become one member in C: protoc-c puts has_ or n_ "
                         "before the name; the C compiler will refuse it");
    }
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
    read_autoincrement(builder, draft, model);
    warn_generated_names(builder, draft);
    return build_descriptor(builder, draft, model) && oneofs_build(builder, draft, model) &&
           table_options_build(builder, draft, model);
}

bool column_types_agree(const struct column *a, const struct column *b)
{
    if (a->kind == COLUMN_ENUM && b->kind == COLUMN_ENUM)
        return a->field->descriptor == b->field->descriptor;
    return a->kind == b->kind || (is_integer(a) && is_integer(b));
}
