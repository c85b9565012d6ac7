/*
 * Owns what concerns several columns of a model, or the table as a whole:
 * (hero.table).unique, index and check, the checks of columns, oneofs.
 */
#include "model_internal.h"

#include <string.h>
#include "names.h"

/* ---- lists of columns ---- */

static bool is_listed(const struct column_list *list, const struct column *column)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->columns[i] == column)
            return true;
    return false;
}

/* prefix_table_a_b */
static const char *list_name(struct arena *arena, const char *prefix, const struct model *model,
                             const struct column_list *list)
{
    const char *name = arena_printf(arena, "%s_%s", prefix, model->table);
    for (size_t i = 0; name && i < list->n; i++)
        name = arena_printf(arena, "%s_%s", name, list->columns[i]->name);
    return name;
}

static bool read_list(struct builder *builder, const struct model *model,
                      const Hero__IndexOptions *options, const char *path, const char *prefix,
                      struct column_list *list)
{
    list->columns = arena_array(builder->arena, options->n_columns + 1, sizeof(void *));
    if (!list->columns)
        return false;
    for (size_t i = 0; i < options->n_columns; i++) {
        const struct column *column = model_column(model, options->columns[i]);
        if (!column)
            fault_add(builder->fault, path, "names %s, which is no column of %s",
                      options->columns[i], model->name);
        else if (is_listed(list, column))
            fault_add(builder->fault, path, "names the column %s twice", column->field_name);
        else if (column->kind == COLUMN_JSON)
            fault_add(builder->fault, path, "names %s, which holds JSON: its text says nothing",
                      column->field_name);
        else
            list->columns[list->n++] = column;
    }
    if (options->n_columns == 0)
        fault_add(builder->fault, path, "names no columns");
    list->name = options->name ? options->name : list_name(builder->arena, prefix, model, list);
    const char *why = list->name ? name_refused(list->name) : NULL;
    if (why && options->n_columns > 0)
        fault_add(builder->fault, path, "can't be named \"%s\": %s; give it a name", list->name,
                  why);
    return list->name != NULL;
}

static bool read_lists(struct builder *builder, const struct draft *draft,
                       Hero__IndexOptions *const *options, size_t n, const char *what,
                       const char *prefix, struct column_list **ret_lists, size_t *ret_n)
{
    struct column_list *lists = arena_array(builder->arena, n + 1, sizeof *lists);
    if (!lists)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *path = arena_printf(builder->arena, "%s.%s[%zu]", draft->path, what, i);
        if (!path || !read_list(builder, draft->model, options[i], path, prefix, &lists[i]))
            return false;
    }
    *ret_lists = lists;
    *ret_n = n;
    return true;
}

/* ---- checks ---- */

static void add_check(struct builder *builder, struct model *model, const char *path,
                      const char *name, const char *sql, const struct column *column)
{
    const char *why = check_refused(sql);
    if (why)
        fault_add(builder->fault, path, "can't have this check: %s", why);
    why = name ? name_refused(name) : NULL;
    if (why)
        fault_add(builder->fault, path, "its check can't be named \"%s\": %s", name, why);
    model->checks[model->n_checks++] = (struct check){name, sql, column};
}

static bool read_checks(struct builder *builder, const struct draft *draft, struct model *model)
{
    const Hero__TableOptions *options = draft->table_options;
    model->checks =
        arena_array(builder->arena, options->n_check + draft->n_fields + 1, sizeof *model->checks);
    if (!model->checks)
        return false;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (field->usable && field->is_column && field->column && field->column->check)
            add_check(builder, model, field->path, NULL, field->column->check,
                      model_column_by_number(model, (uint32_t)field->proto->number));
    }
    for (size_t i = 0; i < options->n_check; i++) {
        const char *path = arena_printf(builder->arena, "%s.check[%zu]", draft->path, i);
        if (!path)
            return false;
        add_check(builder, model, path, options->check[i]->name, options->check[i]->sql, NULL);
    }
    return true;
}

bool table_options_build(struct builder *builder, const struct draft *draft, struct model *model)
{
    const Hero__TableOptions *options = draft->table_options;
    model->read_only = options->read_only;
    return read_lists(builder, draft, options->unique, options->n_unique, "unique", "uq",
                      &model->uniques, &model->n_uniques) &&
           read_lists(builder, draft, options->index, options->n_index, "index", "ix",
                      &model->indexes, &model->n_indexes) &&
           read_checks(builder, draft, model);
}

/* ---- oneofs ---- */

static void add_member(struct builder *builder, const struct draft_field *field,
                       struct column *column, struct column_list *oneof)
{
    const char *why = NULL;
    if (column->primary_key)
        why = "a key is always set";
    else if (column->not_null)
        why = "a column that is NOT NULL is always set";
    else if (column->default_kind != DEFAULT_NONE || column->generated)
        why = "what is set on its own would undo what the client sets";
    if (why)
        fault_add(builder->fault, field->path,
                  "is in the oneof %s, of which one at most is set: %s", oneof->name, why);
    column->oneof = oneof;
    oneof->columns[oneof->n++] = column;
}

bool oneofs_build(struct builder *builder, const struct draft *draft, struct model *model)
{
    const MessageProto *message = draft->message;
    model->oneofs = arena_array(builder->arena, message->n_oneof_decl + 1, sizeof *model->oneofs);
    for (size_t o = 0; model->oneofs && o < message->n_oneof_decl; o++) {
        struct column_list *oneof = &model->oneofs[model->n_oneofs];
        oneof->name = message->oneof_decl[o]->name ? message->oneof_decl[o]->name : "";
        oneof->columns = arena_array(builder->arena, draft->n_columns + 1, sizeof(void *));
        if (!oneof->columns)
            return false;
        for (size_t i = 0; i < draft->n_fields; i++) {
            const struct draft_field *field = &draft->fields[i];
            if (field->usable && field->is_column && field_in_oneof(field->proto) &&
                field->proto->oneof_index == (int32_t)o)
                add_member(builder, field,
                           (struct column *)(uintptr_t)model_column_by_number(
                               model, (uint32_t)field->proto->number),
                           oneof);
        }
        model->n_oneofs += oneof->n > 0;
    }
    return model->oneofs != NULL;
}
