/*
 * Owns foreign keys, of one column and of several: which columns of which
 * model they refer to, and whether these can be referred to. What becomes of
 * rows on a delete is the store's; what is related by a key is
 * model_relationship.c's.
 */
#include "model_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "names.h"

struct resolving {
    struct builder *builder;
    const struct draft *draft;
    struct model *model;
    const char *path; /* of the option that declares the key */
};

/* ---- which drafts a draft's keys may mean ---- */

void draft_each_referred(struct builder *builder, const struct draft *draft, visit_draft *visit,
                         void *context)
{
    struct draft *referred;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const Hero__ColumnOptions *options = draft->fields[i].column;
        const char *key = options ? options->foreign_key : NULL;
        const char *rest = key;
        while (key && (referred = draft_referred(builder, key, &rest)) != NULL)
            visit(context, referred);
    }
    for (size_t i = 0; i < draft->table_options->n_foreign_key; i++) {
        const char *table = draft->table_options->foreign_key[i]->table;
        if (table && (referred = draft_by_table(builder, table)) != NULL)
            visit(context, referred);
    }
}

/* Always false. */
static bool refuse(struct resolving *resolving, const char *format, ...) PRINTF(2, 3);

static bool refuse(struct resolving *resolving, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_add(resolving->builder->fault, resolving->path, "%s", text);
    return false;
}

/* ---- columns ---- */

static struct column *column_by_sql_name(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->n_columns; i++)
        if (strcasecmp(model->columns[i].name, name) == 0)
            return &model->columns[i];
    return NULL;
}

static bool has_column(const struct column *const *columns, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

static bool within(const struct column *const *columns, size_t n,
                   const struct column *const *others, size_t n_others)
{
    for (size_t i = 0; i < n; i++)
        if (!has_column(others, n_others, columns[i]))
            return false;
    return true;
}

/* Are all columns of the declared unique constraint among `columns`? */
static bool unique_within(const struct model *model, const Hero__IndexOptions *unique,
                          const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < unique->n_columns; i++) {
        const struct column *column = model_column(model, unique->columns[i]);
        if (!column || !has_column(columns, n, column))
            return false;
    }
    return unique->n_columns > 0;
}

/* Do these columns together name one row of the model at most? `exactly`: and
 * no fewer of them do as far as SQLite knows, which demands that of a parent. */
static bool is_unique(const struct builder *builder, const struct model *model,
                      const struct column *const *columns, size_t n, bool exactly)
{
    const struct draft *draft = draft_by_name(builder, model->name);
    if (within(model->primary_key, model->n_primary_key, columns, n) &&
        (!exactly || model->n_primary_key == n))
        return true;
    for (size_t i = 0; i < n; i++)
        if (columns[i]->unique && (!exactly || n == 1))
            return true;
    for (size_t i = 0; draft && i < draft->table_options->n_unique; i++) {
        const Hero__IndexOptions *unique = draft->table_options->unique[i];
        if (unique_within(model, unique, columns, n) && (!exactly || unique->n_columns == n))
            return true;
    }
    return false;
}

/* ---- one key, its columns known ---- */

static void finish(struct resolving *resolving, struct foreign_key *key)
{
    struct builder *builder = resolving->builder;
    key->to_primary_key = key->n == key->target->n_primary_key &&
                          within(key->target->primary_key, key->n, key->referred, key->n);
    key->is_unique = is_unique(builder, key->model, key->columns, key->n, false);
    for (size_t i = 0; i < key->n; i++)
        if (key->on_delete == HERO__ON_DELETE__SET_NULL && key->columns[i]->not_null)
            fault_add(builder->fault, resolving->path,
                      "its on_delete is SET_NULL, and %s can't be NULL; choose another, or let it "
                      "be NULL",
                      key->columns[i]->field_name);
    if (key->n == 1)
        ((struct column *)(uintptr_t)key->columns[0])->foreign_key = key->referred[0];
}

static struct foreign_key *start_key(struct resolving *resolving, size_t n,
                                     Hero__OnDelete on_delete)
{
    struct model *model = resolving->model;
    struct foreign_key *key = &model->foreign_keys[model->n_foreign_keys];
    struct arena *arena = resolving->builder->arena;
    *key = (struct foreign_key){.model = model, .n = n, .on_delete = on_delete};
    key->columns = arena_array(arena, n + 1, sizeof(void *));
    key->referred = arena_array(arena, n + 1, sizeof(void *));
    return key->columns && key->referred ? key : NULL;
}

/* ---- [(hero.column).foreign_key] ---- */

/* "table.column"; either name may hold dots itself. */
static const struct column *find_referred(const struct builder *builder, const char *text,
                                          const char **ret_table)
{
    const char *rest = text;
    const struct draft *draft;
    *ret_table = NULL;
    while ((draft = draft_referred(builder, text, &rest)) != NULL) {
        const struct column *column = column_by_sql_name(draft->model, rest);
        *ret_table = draft->table;
        if (column)
            return column;
    }
    return NULL;
}

static void resolve_column(struct resolving *resolving, const struct draft_field *field,
                           struct column *column)
{
    struct builder *builder = resolving->builder;
    const char *text = field->column->foreign_key, *table;
    const char *dot = strchr(text, '.');
    if (!dot || dot == text || !dot[1]) {
        fault_add(builder->fault, field->path,
                  "its foreign_key \"%s\" is not of the form \"table.column\"", text);
        return;
    }
    const struct column *referred = find_referred(builder, text, &table);
    if (!referred) {
        fault_add(builder->fault, field->path,
                  table ? "its foreign_key \"%s\" names a column that the table %s doesn't have"
                        : "its foreign_key \"%s\" names a table that no model has%s; tables are "
                          "named as the message in lower case, if (hero.table).name says nothing",
                  text, table ? table : "");
        return;
    }
    if (!is_unique(builder, referred->model, &referred, 1, true))
        fault_add(builder->fault, field->path,
                  "its foreign_key \"%s\" names a column that is neither the primary key nor "
                  "unique; make it unique",
                  text);
    else if (!column_types_agree(referred, column))
        fault_add(builder->fault, field->path,
                  "its type is not that of the column \"%s\" that it refers to", text);
    else {
        struct foreign_key *key = start_key(resolving, 1, field->column->on_delete);
        if (!key)
            return;
        key->columns[0] = column;
        key->referred[0] = referred;
        key->target = referred->model;
        resolving->model->n_foreign_keys++;
        finish(resolving, key);
    }
}

/* ---- (hero.table).foreign_key ---- */

/* By field name, as everything in a .proto; by the column's own name too. */
static const struct column *find_column(const struct model *model, const char *name)
{
    const struct column *column = model_column(model, name);
    return column ? column : column_by_sql_name(model, name);
}

static bool find_own_columns(struct resolving *resolving, const Hero__ForeignKeyOptions *options,
                             struct foreign_key *key)
{
    for (size_t i = 0; i < key->n; i++) {
        key->columns[i] = find_column(key->model, options->columns[i]);
        if (!key->columns[i])
            return refuse(resolving, "names the column %s, which %s doesn't have",
                          options->columns[i], key->model->name);
        if (has_column(key->columns, i, key->columns[i]))
            return refuse(resolving, "names the column %s twice", options->columns[i]);
    }
    return true;
}

static bool find_their_columns(struct resolving *resolving, const Hero__ForeignKeyOptions *options,
                               struct foreign_key *key)
{
    const struct model *target = key->target;
    size_t n = options->n_refers_to ? options->n_refers_to : target->n_primary_key;
    if (n != key->n)
        return refuse(resolving, "has %zu columns and refers to %zu of %s%s", key->n, n,
                      target->name, options->n_refers_to ? "" : " (its primary key)");
    for (size_t i = 0; i < n; i++) {
        key->referred[i] = options->n_refers_to ? find_column(target, options->refers_to[i])
                                                : target->primary_key[i];
        if (!key->referred[i])
            return refuse(resolving, "refers to the column %s, which %s doesn't have",
                          options->refers_to[i], target->name);
        if (!column_types_agree(key->referred[i], key->columns[i]))
            return refuse(resolving, "its column %s is not of the type of %s.%s that it refers to",
                          key->columns[i]->field_name, target->name, key->referred[i]->field_name);
    }
    if (is_unique(resolving->builder, target, key->referred, n, true))
        return true;
    return refuse(resolving,
                  "refers to columns of %s that are neither its primary key nor unique "
                  "together; declare that in its (hero.table).unique",
                  target->name);
}

static void resolve_declared(struct resolving *resolving, const Hero__ForeignKeyOptions *options)
{
    struct builder *builder = resolving->builder;
    if (options->n_columns == 0 || options->n_columns > MODEL_MAX_KEY || !options->table) {
        fault_add(builder->fault, resolving->path, "needs a table and 1 to %d columns",
                  MODEL_MAX_KEY);
        return;
    }
    const struct draft *referred = draft_by_table(builder, options->table);
    if (!referred) {
        fault_add(builder->fault, resolving->path,
                  "names the table %s, which no model has; tables are named as the message in "
                  "lower case, if (hero.table).name says nothing",
                  options->table);
        return;
    }
    struct foreign_key *key = start_key(resolving, options->n_columns, options->on_delete);
    if (!key)
        return;
    key->target = referred->model;
    if (!find_own_columns(resolving, options, key) || !find_their_columns(resolving, options, key))
        return;
    if (key->n == 1 && key->columns[0]->foreign_key) {
        fault_add(builder->fault, resolving->path, "its column %s has a foreign key already",
                  key->columns[0]->field_name);
        return;
    }
    resolving->model->n_foreign_keys++;
    finish(resolving, key);
}

/* ---- all of a model ---- */

static void check_on_delete(struct builder *builder, const struct draft_field *field)
{
    if (field->column && field->column->has_on_delete && !field->column->foreign_key)
        fault_add(builder->fault, field->path, "has on_delete without a foreign_key");
}

bool foreign_keys_build(struct builder *builder, const struct draft *draft, struct model *model)
{
    struct resolving resolving = {builder, draft, model, draft->path};
    size_t n = draft->n_columns + draft->table_options->n_foreign_key;
    model->foreign_keys = arena_array(builder->arena, n + 1, sizeof *model->foreign_keys);
    if (!model->foreign_keys)
        return false;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || !field->is_column)
            continue;
        check_on_delete(builder, field);
        if (!field->column || !field->column->foreign_key)
            continue;
        resolving.path = field->path;
        for (size_t c = 0; c < model->n_columns; c++)
            if (model->columns[c].number == (uint32_t)field->proto->number)
                resolve_column(&resolving, field, &model->columns[c]);
    }
    for (size_t i = 0; i < draft->table_options->n_foreign_key; i++) {
        resolving.path =
            arena_printf(builder->arena, "%s.(hero.table).foreign_key[%zu]", draft->path, i);
        if (resolving.path)
            resolve_declared(&resolving, draft->table_options->foreign_key[i]);
    }
    model->has_parents = model->n_foreign_keys > 0;
    return !builder->arena->exhausted;
}

static void each_foreign_key(struct models *models,
                             void visit(struct model *target, const struct foreign_key *key))
{
    for (size_t m = 0; m < models->n_models; m++)
        for (size_t k = 0; k < models->models[m].n_foreign_keys; k++) {
            const struct foreign_key *key = &models->models[m].foreign_keys[k];
            visit(&models->models[key->target->position], key);
        }
}

static void count_referrer(struct model *target, const struct foreign_key *key)
{
    (void)key;
    target->n_referrers++;
}

static void add_referrer(struct model *target, const struct foreign_key *key)
{
    target->referrers[target->n_referrers++] = key;
}

bool referrers_build(struct builder *builder)
{
    struct models *models = &builder->memory->public;
    each_foreign_key(models, count_referrer);
    for (size_t m = 0; m < models->n_models; m++) {
        struct model *model = &models->models[m];
        model->referrers = arena_array(builder->arena, model->n_referrers + 1, sizeof(void *));
        if (!model->referrers)
            return false;
        model->n_referrers = 0;
    }
    each_foreign_key(models, add_referrer);
    return true;
}

/* ---- indexes ---- */

/* Do the first columns of a list of columns hold those of the key and no others? */
static bool named_lead(const struct foreign_key *key, const Hero__IndexOptions *index)
{
    if (index->n_columns < key->n)
        return false;
    for (size_t i = 0; i < key->n; i++) {
        const struct column *column = model_column(key->model, index->columns[i]);
        if (!column || !foreign_key_has(key, column))
            return false;
    }
    return true;
}

static bool is_led_to(const struct builder *builder, const struct foreign_key *key)
{
    const struct model *model = key->model;
    const struct draft *draft = draft_by_name(builder, model->name);
    if (model->n_primary_key >= key->n && within(model->primary_key, key->n, key->columns, key->n))
        return true;
    for (size_t i = 0; i < key->n; i++)
        if (key->columns[i]->unique || (key->n == 1 && key->columns[i]->index))
            return true;
    for (size_t i = 0; draft && i < draft->table_options->n_unique; i++)
        if (named_lead(key, draft->table_options->unique[i]))
            return true;
    for (size_t i = 0; draft && i < draft->table_options->n_index; i++)
        if (named_lead(key, draft->table_options->index[i]))
            return true;
    return false;
}

void foreign_key_want_index(const struct builder *builder, const struct foreign_key *key)
{
    ((struct foreign_key *)(uintptr_t)key)->wants_index = !is_led_to(builder, key);
}

char *foreign_key_index_name(const struct foreign_key *key, struct arena *arena)
{
    char *columns = arena_strdup(arena, key->columns[0]->name);
    for (size_t i = 1; columns && i < key->n; i++)
        columns = arena_printf(arena, "%s_%s", columns, key->columns[i]->name);
    return columns ? name_of_index(arena, key->model->table, columns) : NULL;
}

bool foreign_key_has(const struct foreign_key *key, const struct column *column)
{
    return has_column(key->columns, key->n, column);
}

static bool can_be_null(const struct column *column)
{
    return !column->not_null && !column->primary_key;
}

static bool is_shared(const struct foreign_key *key, const struct column *column)
{
    for (size_t i = 0; i < key->model->n_foreign_keys; i++)
        if (&key->model->foreign_keys[i] != key &&
            foreign_key_has(&key->model->foreign_keys[i], column))
            return true;
    return false;
}

bool foreign_key_clears(const struct foreign_key *key, const struct column *column)
{
    bool any_alone = false;
    for (size_t i = 0; i < key->n; i++)
        any_alone |= can_be_null(key->columns[i]) && !is_shared(key, key->columns[i]);
    return foreign_key_has(key, column) && can_be_null(column) &&
           (!any_alone || !is_shared(key, column));
}

bool foreign_key_can_clear(const struct foreign_key *key)
{
    for (size_t i = 0; i < key->n; i++)
        if (can_be_null(key->columns[i]))
            return true;
    return false;
}

const char *foreign_key_text(const struct foreign_key *key, struct arena *arena)
{
    const char *text = key->columns[0]->field_name;
    for (size_t i = 1; i < key->n; i++)
        if (!(text = arena_printf(arena, "%s, %s", text, key->columns[i]->field_name)))
            return "?";
    text = key->n > 1 ? arena_printf(arena, "(%s)", text) : text;
    return text ? text : "?";
}
