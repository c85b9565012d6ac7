/*
 * Adoption: compares an existing table with a model, by SQLite's pragmas.
 *
 * The same shape is what SQLModel of any version makes of the same class: key
 * columns with or without NOT NULL, defaults in the DDL or not, a length in
 * the type or not. All else is a difference, and each is named: the daemon
 * doesn't guess. Changes nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "adopt_internal.h"
#include "column.h"
#include "default.h"

void adopt_differ(struct comparison *c, const char *field, const char *format, ...)
{
    char text[512], path[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(path, sizeof(path), "%s:%s%s%s", c->model->file, c->model->name, field ? "." : "",
             field ? field : "");
    fault_add(c->fault, path, "table %s: %s", c->model->table, text);
}

void adopt_warn(struct comparison *c, const char *field, const char *format, ...)
{
    char text[512];
    struct table_plan *plan = c->plan;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *warning =
        arena_printf(c->arena, "%s:%s%s%s: table %s: %s", c->model->file, c->model->name,
                     field ? "." : "", field ? field : "", c->model->table, text);
    if (warning && plan->n_warnings < ADOPT_MAX_WARNINGS)
        plan->warnings[plan->n_warnings++] = warning;
}

bool adopt_same_name(const char *a, const char *b)
{
    return sqlite3_stricmp(a, b) == 0;
}

static const struct shape_column *shape_column(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n_columns; i++) {
        if (adopt_same_name(shape->columns[i].name, name))
            return &shape->columns[i];
    }
    return NULL;
}

const struct column *adopt_column(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_columns; i++) {
        if (adopt_same_name(model->columns[i].name, name))
            return &model->columns[i];
    }
    return NULL;
}

static size_t bare_length(const char *type)
{
    size_t len = strcspn(type, "(");
    while (len > 0 && type[len - 1] == ' ')
        len--;
    return len;
}

/* VARCHAR, varchar(50) and VARCHAR (50) are one type. */
static bool same_type(const char *declared, const char *type)
{
    size_t len = bare_length(declared);
    return len == bare_length(type) && sqlite3_strnicmp(declared, type, (int)len) == 0;
}

static void compare_default(struct comparison *c, const struct column *column,
                            const struct shape_column *stored)
{
    const char *sql = stored->default_sql;
    if (!sql || default_matches(sql, column))
        return; /* the daemon binds the model's default itself */
    if (column->default_kind == DEFAULT_NONE)
        adopt_differ(c, column->field_name, "column %s has DEFAULT %s, the model has none",
                     column->name, sql);
    else
        adopt_differ(c, column->field_name, "column %s has DEFAULT %s, the model says %s",
                     column->name, sql, column->default_text ? column->default_text : "otherwise");
}

static void compare_column(struct comparison *c, const struct column *column)
{
    const char *type = column_sql_type(column);
    const struct shape_column *stored = shape_column(c->shape, column->name);
    if (!stored) {
        adopt_differ(c, column->field_name, "column %s is missing (the model has it as %s)",
                     column->name, type);
        return;
    }
    if (stored->hidden && !column->read_only) {
        adopt_differ(c, column->field_name,
                     "column %s is generated or hidden; declare it with (hero.column).read_only",
                     column->name);
        return;
    }
    if (!same_type(stored->type, type) ||
        (column->kind == COLUMN_UUID && strstr(stored->type, "36") && !column->dashes))
        adopt_differ(c, column->field_name, "column %s is of type %s, the model says %s",
                     column->name, *stored->type ? stored->type : "none", type);
    if (!column->primary_key && stored->not_null != column->not_null)
        adopt_differ(c, column->field_name, "column %s is %s, the model says %s", column->name,
                     stored->not_null ? "NOT NULL" : "nullable",
                     column->not_null ? "NOT NULL" : "nullable");
    if (!adopt_same_name(stored->collation, "BINARY"))
        adopt_warn(c, column->field_name, "column %s compares with COLLATE %s", column->name,
                   stored->collation);
    if (!column->primary_key) /* a key is always given */
        compare_default(c, column, stored);
}

static void compare_columns(struct comparison *c)
{
    for (size_t i = 0; i < c->model->n_columns; i++)
        compare_column(c, &c->model->columns[i]);
    for (size_t i = 0; i < c->shape->n_columns; i++) {
        const struct shape_column *stored = &c->shape->columns[i];
        if (!adopt_column(c->model, stored->name))
            adopt_differ(c, NULL, "column %s (%s) is not in the model", stored->name, stored->type);
    }
}

/* "(a, b)" of either side, for the text of a difference. */
static const char *add_name(struct comparison *c, const char *list, const char *name)
{
    const char *text =
        list ? arena_printf(c->arena, "%s, %s", list, name) : arena_strdup(c->arena, name);
    return text ? text : "?";
}

static const char *stored_key(struct comparison *c)
{
    const char *list = NULL;
    for (int place = 1; place <= (int)c->shape->n_columns; place++) {
        for (size_t i = 0; i < c->shape->n_columns; i++) {
            if (c->shape->columns[i].key == place)
                list = add_name(c, list, c->shape->columns[i].name);
        }
    }
    return list ? list : "";
}

static bool has_key_column(const struct model *model, const char *name)
{
    const struct column *column = name ? adopt_column(model, name) : NULL;
    return column && column->primary_key;
}

/* The same columns in any order: records are known by all of them together. */
static bool is_key(const struct comparison *c)
{
    size_t n = 0, n_same = 0;
    for (size_t i = 0; i < c->shape->n_columns; i++) {
        n += c->shape->columns[i].key > 0;
        n_same +=
            c->shape->columns[i].key > 0 && has_key_column(c->model, c->shape->columns[i].name);
    }
    return n == n_same && n == c->model->n_primary_key;
}

/* A table without a primary key: is there one that is unique and never NULL? */
static bool has_unique_key(const struct comparison *c)
{
    for (size_t i = 0; i < c->shape->n_indexes; i++) {
        const struct shape_index *index = &c->shape->indexes[i];
        bool whole =
            index->unique && !index->partial && index->n_columns == c->model->n_primary_key;
        for (size_t k = 0; whole && k < index->n_columns; k++) {
            const struct shape_column *column =
                index->columns[k] ? shape_column(c->shape, index->columns[k]) : NULL;
            whole = column && column->not_null && index->binary[k] &&
                    has_key_column(c->model, column->name);
        }
        if (whole)
            return true;
    }
    return false;
}

/* Where the key has an index of its own it is not SQLite's row id, and an
 * absent id would be stored as NULL if the table lets it. */
static void compare_auto_id(struct comparison *c, const struct column *id)
{
    const struct shape_column *stored = shape_column(c->shape, id->name);
    for (size_t i = 0; i < c->shape->n_indexes; i++)
        if (c->shape->indexes[i].is_key && !c->shape->without_rowid && !stored->not_null)
            adopt_differ(c, id->field_name,
                         "column %s is a primary key for which SQLite makes no ids (DESC), and "
                         "which can be NULL",
                         id->name);
}

static void compare_key(struct comparison *c)
{
    const struct model *model = c->model;
    const char *wanted = NULL, *stored = stored_key(c);
    for (size_t i = 0; i < model->n_primary_key; i++)
        wanted = add_name(c, wanted, model->primary_key[i]->name);
    if (!is_key(c) && (*stored || !has_unique_key(c)))
        adopt_differ(c, NULL, "the primary key is (%s), the model says (%s)", stored, wanted);
    else if (model->auto_id)
        compare_auto_id(c, model->auto_id);
}

/* ---- indexes ---- */

/* Does the index lead with these columns, for all rows, byte for byte? */
static bool leads_with(const struct shape_index *index, const struct column *const *columns,
                       size_t n)
{
    if (index->partial || index->n_columns < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!index->columns[i] || !index->binary[i] ||
            !adopt_same_name(index->columns[i], columns[i]->name))
            return false;
    }
    return true;
}

static bool is_unique(const struct shape *shape, const struct column *column)
{
    for (size_t i = 0; i < shape->n_indexes; i++) {
        const struct shape_index *index = &shape->indexes[i];
        if (index->unique && index->n_columns == 1 && leads_with(index, &column, 1))
            return true;
    }
    return false;
}

static bool is_unique_together(const struct shape *shape, const struct column_list *list)
{
    for (size_t i = 0; i < shape->n_indexes; i++) {
        const struct shape_index *index = &shape->indexes[i];
        size_t found = 0;
        for (size_t k = 0; k < list->n && index->n_columns == list->n; k++)
            for (size_t at = 0; at < index->n_columns; at++)
                found += index->columns[at] && index->binary[at] &&
                         adopt_same_name(index->columns[at], list->columns[k]->name);
        if (index->unique && !index->partial && found == list->n)
            return true;
    }
    return false;
}

static void compare_uniques(struct comparison *c)
{
    const struct model *model = c->model;
    for (size_t i = 0; i < model->n_uniques; i++)
        if (!is_unique_together(c->shape, &model->uniques[i]))
            adopt_differ(c, NULL, "its columns are not unique as the model's %s says",
                         model->uniques[i].name);
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        if (column->primary_key && model->n_primary_key == 1)
            continue; /* unique by itself */
        bool unique = is_unique(c->shape, column);
        if (column->unique && !unique)
            adopt_differ(c, column->field_name, "column %s is not unique, the model says unique",
                         column->name);
        else if (!column->unique && unique)
            adopt_differ(c, column->field_name,
                         "column %s is unique, the model does not say unique", column->name);
    }
}

static bool has_index(const struct shape *shape, const struct ddl_index *wanted)
{
    for (size_t i = 0; i < shape->n_indexes; i++) {
        if (leads_with(&shape->indexes[i], wanted->columns, wanted->n_columns))
            return true;
    }
    return false;
}

/* ---- the plan ---- */

static Code plan_indexes(struct comparison *c, struct db *db, struct table_plan *plan,
                         struct fault *fault)
{
    struct ddl_index *indexes = NULL;
    size_t n = 0;
    const char *kind = NULL;
    if (!ddl_indexes(c->model, c->arena, &indexes, &n) ||
        !(plan->indexes = arena_array(c->arena, n, sizeof(*plan->indexes))))
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory left for the plan");
    for (size_t i = 0; i < n; i++) {
        const struct column *column = indexes[i].columns[0];
        /* A missing UNIQUE is a difference and was named as one. */
        if (plan->exists && (indexes[i].unique || has_index(c->shape, &indexes[i])))
            continue;
        Code code = shape_kind_of_name(db, indexes[i].name, c->arena, &kind, fault);
        if (code != HERO__V1__CODE__OK)
            return code;
        if (kind)
            adopt_differ(c, column->field_name,
                         "its index would be called %s, and there is another %s "
                         "of that name",
                         indexes[i].name, kind);
        plan->indexes[plan->n_indexes++] = &indexes[i];
    }
    return HERO__V1__CODE__OK;
}

/* A view's columns are what its SELECT makes; there is nothing else to compare. */
static void compare_view(struct comparison *c)
{
    for (size_t i = 0; i < c->model->n_columns; i++)
        if (!shape_column(c->shape, c->model->columns[i].name))
            adopt_differ(c, c->model->columns[i].field_name, "the view has no column %s",
                         c->model->columns[i].name);
}

static Code compare(struct comparison *c, struct db *db, struct table_plan *plan,
                    struct fault *fault)
{
    const char *kind = c->shape->kind;
    if (!kind) {
        Code code = shape_kind_of_name(db, c->model->table, c->arena, &kind, fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    bool view = kind && strcmp(kind, "view") == 0 && c->model->read_only;
    if (kind && strcmp(kind, "table") != 0 && !view) {
        adopt_differ(c, NULL, "there is %s %s of that name already",
                     strcmp(kind, "index") == 0 ? "an" : "a", kind);
        return HERO__V1__CODE__OK;
    }
    plan->exists = kind != NULL;
    if (view) {
        compare_view(c);
        return HERO__V1__CODE__OK;
    }
    if (plan->exists) {
        compare_columns(c);
        compare_key(c);
        adopt_compare_foreign_keys(c);
        compare_uniques(c);
        Code code = adopt_compare_create(c, db, fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return plan_indexes(c, db, plan, fault);
}

/* Violations travel; code and message are the caller's, who knows all tables. */
static void take_violations(struct fault *fault, const struct fault *from)
{
    for (size_t i = 0; i < from->n_violations; i++)
        fault_add(fault, from->violations[i].path, "%s", from->violations[i].description);
    fault->n_dropped += from->n_dropped;
    if (from->n_violations > 0)
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION, "%s",
                  fault->violations[0].description);
}

Code adopt_plan(struct db *db, const struct model *model, struct arena *arena,
                struct table_plan *ret_plan, struct fault *fault)
{
    struct shape shape = {0};
    struct fault differences = FAULT_INIT;
    struct table_plan plan = {.model = model};
    struct comparison c = {model, &shape, arena, &differences, &plan};
    struct fault own = FAULT_INIT;

    Code code = check_expressions(model, arena, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = shape_read(db, model->table, arena, &shape, &own);
    if (code == HERO__V1__CODE__OK)
        code = compare(&c, db, &plan, &own);
    if (code != HERO__V1__CODE__OK) {
        fault_set(fault, code, "%s", own.message ? own.message : "reading the schema");
    } else if (differences.n_violations > 0) {
        take_violations(fault, &differences);
        code = HERO__V1__CODE__FAILED_PRECONDITION;
    } else {
        *ret_plan = plan;
    }
    fault_done(&own);
    fault_done(&differences);
    return code;
}
