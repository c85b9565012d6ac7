/*
 * A read, from its request on: the model it is of and which columns of each
 * model it loads. Knows no statements.
 */
#include <stdio.h>
#include <string.h>
#include "join.h"
#include "read.h"

Code reading_start(struct reading *reading, const char *name, const struct model **ret_model)
{
    *ret_model = models_find(reading->read->models, name, reading->fault);
    if (!*ret_model) {
        fault_add(reading->fault, "model", "%s", reading->fault->message);
        return reading->fault->code;
    }
    reading->graph = arena_alloc(reading->arena, sizeof(*reading->graph));
    if (!reading->graph)
        return reading_no_memory(reading);
    hero__v1__graph__init(reading->graph);
    return HERO__V1__CODE__OK;
}

void reading_reset(struct reading *reading)
{
    fault_done(reading->fault);
    reading->too_large = false;
    reading->graph->n_records = reading->graph->n_edges = reading->graph->n_lists = 0;
    reading->buckets = NULL;
    reading->n_buckets = reading->nodes.n = 0;
    reading->bytes = 0;
}

/* ---- masks ---- */

/* Which columns of a model are loaded: those that any part of the request
 * wants, since a record is in the answer once. */
struct mask {
    const struct model *model;
    bool all;
    bool *columns; /* by position */
    struct mask *next;
};

static struct mask *mask_of(const struct reading *reading, const struct model *model)
{
    struct mask *mask = reading->masks;
    while (mask && mask->model != model)
        mask = mask->next;
    return mask;
}

static struct mask *find_or_add(struct reading *reading, const struct model *model)
{
    struct mask *mask = mask_of(reading, model);
    if (mask)
        return mask;
    mask = arena_alloc(reading->arena, sizeof(*mask));
    if (!mask)
        return NULL;
    mask->columns = arena_array(reading->arena, model->n_columns, sizeof(*mask->columns));
    if (!mask->columns)
        return NULL;
    mask->model = model;
    for (size_t i = 0; i < model->n_columns; i++)
        mask->columns[i] = model->columns[i].primary_key || model->columns[i].required;
    mask->next = reading->masks;
    reading->masks = mask;
    return mask;
}

Code reading_mask(struct reading *reading, const struct model *model, char *const *fields, size_t n,
                  const char *path)
{
    struct mask *mask = find_or_add(reading, model);
    char where[160];
    if (!mask)
        return reading_no_memory(reading);
    mask->all |= n == 0;
    if (n > 0 && reading->etags)
        return fault_add(reading->fault, path,
                         "an etag is of a whole record: ask for some fields or for etags");
    for (size_t i = 0; i < n; i++) {
        const struct column *column = model_column(model, fields[i]);
        snprintf(where, sizeof(where), "%s[%zu]", path, i);
        if (column)
            mask->columns[column->position] = true;
        else if (model_relationship(model, fields[i]))
            fault_add(reading->fault, where, "%s is a relationship: expand loads it", fields[i]);
        else
            fault_add(reading->fault, where, "%s has no column called \"%s\"", model->name,
                      fields[i]);
    }
    return reading->fault->code;
}

/* NULL stands in the place of what is not loaded: absent, as in the record. */
void reading_columns(const struct reading *reading, struct sql *sql, const struct source *source)
{
    const struct model *model = source->model;
    const struct mask *mask = mask_of(reading, model);
    for (size_t i = 0; i < model->n_columns; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        if (!mask || mask->all || mask->columns[i])
            scope_column(sql, source, &model->columns[i]);
        else
            sql_add(sql, "NULL");
    }
}

void reading_link_columns(struct sql *sql, const struct scope *scope)
{
    const struct column *column;
    for (size_t at = 0; scope->link && join_link_column(scope->through, &at, &column);) {
        sql_add(sql, ", ");
        scope_column(sql, scope->link, column);
    }
}

int reading_n_columns(const struct scope *scope)
{
    const struct column *column;
    int n = (int)scope->root->model->n_columns;
    for (size_t at = 0; scope->link && join_link_column(scope->through, &at, &column);)
        n++;
    return n;
}
