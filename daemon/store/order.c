/* Orders and places in them. Knows columns and their values; no pages, no requests. */
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "column.h"
#include "decimal_order.h"
#include "order.h"

/* ---- what is asked ---- */

static bool is_ordered(const struct order *order, const struct source *source,
                       const struct column *column)
{
    for (size_t i = 0; i < order->n; i++)
        if (order->columns[i].place.column == column && order->columns[i].place.source == source)
            return true;
    return false;
}

/* Of related records the link's own columns say the same as the key they
 * refer to: in their order the links are found. */
static const struct source *source_of(const struct scope *scope, const struct source *source,
                                      const struct column **column)
{
    const struct relationship *through = scope->through;
    if (source != scope->root || !scope->link || through->symmetric)
        return source;
    for (size_t i = 0; i < through->to->n; i++)
        if (through->to->referred[i] == *column) {
            *column = through->to->columns[i];
            return scope->link;
        }
    return source;
}

/* false: it is there already. */
static bool add(struct order *order, const struct scope *scope, struct place place, bool descends)
{
    place.source = source_of(scope, place.source, &place.column);
    if (is_ordered(order, place.source, place.column))
        return false;
    order->columns[order->n++] = (struct order_column){place, descends};
    return true;
}

/* Splits "team.name" in place. */
static size_t split(char *text, const char **names)
{
    size_t n = 0;
    for (char *at = text; at && n <= PLACE_MAX_STEPS; n++) {
        names[n] = at;
        at = strchr(at, '.');
        if (at)
            *at++ = '\0';
    }
    return n;
}

static Code find(struct scope *scope, const char *name, struct place *ret_place,
                 struct fault *fault)
{
    const char *names[PLACE_MAX_STEPS + 1];
    size_t at;
    char *copy = arena_strdup(scope->arena, name);
    if (!copy)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the order needs more memory than one request may take");
    Code code = scope_find(scope, names, split(copy, names), ret_place, &at, fault);
    if (code == HERO__V1__CODE__OK && !ret_place->column)
        code = fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "%s of %s is a relationship; an order is of columns", name,
                         scope->root->model->name);
    if (code == HERO__V1__CODE__OK && column_comparison(ret_place->column) == COLUMN_NOT_COMPARED)
        code = fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s has no order", name);
    return code;
}

static Code read_name(struct order *order, struct scope *scope, const char *name, const char *path,
                      struct fault *fault)
{
    struct fault found = FAULT_INIT;
    struct place place;
    bool descends = name[0] == '-';
    Code code = find(scope, name + descends, &place, &found);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        fault_add(fault, path, "%s", found.message ? found.message : "");
    else if (code != HERO__V1__CODE__OK)
        fault_set(fault, code, "%s", found.message ? found.message : "");
    else if (!add(order, scope, place, descends))
        code = fault_add(fault, path, "%s is there twice", name + descends);
    fault_done(&found);
    return code;
}

static void add_declared(struct order *order, const struct scope *scope)
{
    const struct relationship *relationship = scope->through;
    for (size_t i = 0; relationship && i < relationship->n_order; i++) {
        const struct related_order *declared = &relationship->order[i];
        add(order, scope,
            (struct place){declared->of_link ? scope->link : scope->root, declared->column, NULL},
            declared->descending);
    }
}

/* Does a column that no two of the records share decide alone? */
static bool is_decided(const struct order *order, const struct scope *scope)
{
    for (size_t i = 0; i < order->n; i++) {
        const struct place *place = &order->columns[i].place;
        if (place->source == scope->root && (place->column == scope->root->model->auto_id ||
                                             (place->column->unique && place->column->not_null)))
            return true;
    }
    return false;
}

/* Field numbers, not names: a renamed column keeps its tokens. */
static uint64_t shape_of(const struct order *order, const struct scope *scope)
{
    const char *name = scope->root->model->name;
    uint64_t shape = XXH3_64bits(name, strlen(name));
    if (scope->through)
        shape = XXH3_64bits_withSeed(scope->through->name, strlen(scope->through->name), shape);
    for (size_t i = 0; i < order->n; i++) {
        const struct source *source = order->columns[i].place.source;
        uint64_t column =
            (uint64_t)order->columns[i].place.column->number * 2 + order->columns[i].descends;
        shape = XXH3_64bits_withSeed(&column, sizeof(column), shape);
        if (source == scope->link)
            shape = XXH3_64bits_withSeed("link", 4, shape);
        for (; source->from; source = source->from)
            shape = XXH3_64bits_withSeed(&source->relationship->number,
                                         sizeof(source->relationship->number), shape);
    }
    return shape;
}

Code order_read(struct order *order, struct scope *scope, char *const *names, size_t n,
                const char *path, struct fault *fault)
{
    const struct model *model = scope->root->model;
    size_t declared = scope->through ? scope->through->n_order : 0;
    char where[128];
    *order =
        (struct order){.columns = arena_array(scope->arena, n + declared + model->n_primary_key,
                                              sizeof(*order->columns))};
    if (!order->columns)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the order needs more memory than one request may take");
    if (n > ORDER_MAX)
        return fault_add(fault, path, "%zu fields, at most %d decide an order", n, ORDER_MAX);
    for (size_t i = 0; i < n; i++) {
        snprintf(where, sizeof(where), "%s[%zu]", path, i);
        Code code = read_name(order, scope, names[i], where, fault);
        if (code != HERO__V1__CODE__OK && code != HERO__V1__CODE__INVALID_ARGUMENT)
            return code;
    }
    if (n == 0)
        add_declared(order, scope);
    bool descends = order->n > 0 && order->columns[order->n - 1].descends;
    if (!is_decided(order, scope))
        for (size_t i = 0; i < model->n_primary_key; i++)
            add(order, scope, (struct place){scope->root, model->primary_key[i], NULL}, descends);
    order->shape = shape_of(order, scope);
    return fault->code;
}

/* ---- texts and values ---- */

void order_text(struct sql *sql, const struct order *order)
{
    for (size_t i = 0; i < order->n; i++) {
        sql_add(sql, i > 0 ? ", " : " ORDER BY ");
        scope_column(sql, order->columns[i].place.source, order->columns[i].place.column);
        sql_add(sql, decimal_order_of(order->columns[i].place.column));
        sql_add(sql, order->columns[i].descends ? " DESC" : "");
    }
}

void order_columns(struct sql *sql, const struct order *order)
{
    for (size_t i = 0; i < order->n; i++) {
        sql_add(sql, ", ");
        scope_column(sql, order->columns[i].place.source, order->columns[i].place.column);
    }
}

struct key_value *order_values(const struct order *order, sqlite3_stmt *stmt, int first,
                               struct arena *arena)
{
    struct key_value *values = arena_array(arena, order->n, sizeof(*values));
    for (size_t i = 0; values && i < order->n; i++) {
        values[i] = key_value_of(stmt, first + (int)i);
        if (values[i].type != SQLITE_TEXT && values[i].type != SQLITE_BLOB)
            continue;
        values[i].data = arena_copy(arena, values[i].data, values[i].len);
        if (!values[i].data)
            return NULL;
    }
    return values;
}

/* ---- what follows a row ---- */

static bool may_be_null(const struct order_column *column)
{
    return column->place.source->from || !column->place.column->not_null;
}

/* Nothing comes after NULL in a descending column. */
static bool has_piece(const struct order *order, const struct key_value *after, size_t i)
{
    return !(order->columns[i].descends && after[i].type == SQLITE_NULL);
}

bool order_first(const struct order *order, const struct key_value *after,
                 struct order_piece *ret_piece)
{
    *ret_piece = (struct order_piece){.column = order->n};
    return order_next(order, after, ret_piece);
}

bool order_next(const struct order *order, const struct key_value *after, struct order_piece *piece)
{
    size_t i = piece->column;
    if (i < order->n && !piece->nulls && order->columns[i].descends &&
        after[i].type != SQLITE_NULL && may_be_null(&order->columns[i])) {
        piece->nulls = true;
        return true;
    }
    piece->nulls = false;
    while (i > 0)
        if (has_piece(order, after, --i)) {
            piece->column = i;
            return true;
        }
    return false;
}

static void put_same(struct query *query, const struct order_column *column,
                     const struct key_value *value)
{
    scope_column(&query->sql, column->place.source, column->place.column);
    if (value->type == SQLITE_NULL) {
        sql_add(&query->sql, " IS NULL");
        return;
    }
    sql_add(&query->sql, " = ");
    query_value(query, value);
    sql_add(&query->sql, decimal_order_of(column->place.column));
}

void order_condition(struct query *query, const struct order *order, const struct key_value *after,
                     const struct order_piece *piece)
{
    const struct order_column *column = &order->columns[piece->column];
    const struct key_value *value = &after[piece->column];
    for (size_t i = 0; i < piece->column; i++) {
        put_same(query, &order->columns[i], &after[i]);
        sql_add(&query->sql, " AND ");
    }
    scope_column(&query->sql, column->place.source, column->place.column);
    if (piece->nulls) {
        sql_add(&query->sql, " IS NULL");
    } else if (value->type == SQLITE_NULL) {
        sql_add(&query->sql, " IS NOT NULL");
    } else {
        sql_add(&query->sql, column->descends ? " < " : " > ");
        query_value(query, value);
        sql_add(&query->sql, decimal_order_of(column->place.column));
    }
}
