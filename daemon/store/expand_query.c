/*
 * The statements of expanding: the related records of many parents at once,
 * whose keys go in through _hero_keys. Knows tables and their order; no rows.
 *
 * Where each parent has a cap, its records are chosen by a subquery of its own
 * with ORDER BY and LIMIT, which an index ends early; a window over all
 * related records would have to see each of them.
 */
#include <stdio.h>
#include "expand.h"
#include "join.h"

/* Aliases of the parents: their keys, and their rows where keys don't suffice. */
#define KEYS "p"
#define PARENT "pp"

/* From the parents to related records: after WHERE. */
static void put_way(struct sql *sql, const struct expand *expand, const struct scope *scope,
                    bool single)
{
    const struct relationship *relationship = expand->relationship;
    const char *link = scope->link ? scope->link->alias : NULL;
    if (join_needs_parent(relationship))
        join_condition(sql, relationship, PARENT, link, scope->root->alias);
    else
        join_condition_of_keys(sql, relationship, single ? JOIN_PARENT_KEY : JOIN_PARENT_KEYS, KEYS,
                               link, scope->root->alias);
}

static void put_key_equals(struct sql *sql, const struct model *model)
{
    char text[40];
    for (size_t i = 0; i < model->n_primary_key; i++) {
        sql_column(sql, i > 0 ? " AND " PARENT "." : PARENT ".", model->primary_key[i]);
        snprintf(text, sizeof(text), " = " KEYS ".k%zu", i);
        sql_add(sql, text);
    }
}

/* The parents: "_hero_keys(?1) AS p CROSS JOIN hero AS pp CROSS JOIN "; one
 * alone is bound. */
static void put_parents(struct query *query, const struct expand *expand,
                        const struct nodes *parents, const struct key_list *keys)
{
    const struct model *model = expand->relationship->model;
    if (keys) {
        sql_add(&query->sql, "_hero_keys(");
        query_list(query, keys);
        sql_add(&query->sql, ") AS " KEYS " CROSS JOIN ");
    } else {
        for (size_t i = 0; i < model->n_primary_key; i++)
            query_bound(query, &parents->items[0]->key[i]);
    }
    if (join_needs_parent(expand->relationship)) {
        sql_name(&query->sql, model->table);
        sql_add(&query->sql, " AS " PARENT " CROSS JOIN ");
    }
}

static void put_where_parents(struct query *query, const struct expand *expand,
                              const struct key_list *keys)
{
    sql_add(&query->sql, " WHERE ");
    if (!join_needs_parent(expand->relationship))
        return;
    if (keys)
        put_key_equals(&query->sql, expand->relationship->model);
    else
        sql_key(&query->sql, PARENT ".", expand->relationship->model, 1);
    sql_add(&query->sql, " AND ");
}

static void put_filter(struct query *query, const struct expand *expand)
{
    if (!expand->filter)
        return;
    sql_add(&query->sql, " AND ");
    filter_condition(query, &expand->scope, expand->filter);
}

/* "ORDER BY p.position, t0.name" */
static void put_order(struct sql *sql, const struct order *order, bool positions)
{
    if (!positions) {
        order_text(sql, order);
        return;
    }
    sql_add(sql, " ORDER BY " KEYS ".position");
    for (size_t i = 0; i < order->n; i++) {
        sql_add(sql, ", ");
        scope_column(sql, order->columns[i].place.source, order->columns[i].place.column);
        sql_add(sql, order->columns[i].descends ? " DESC" : "");
    }
}

static void put_columns(struct reading *reading, struct sql *sql, const struct expand *expand,
                        const struct scope *scope, const struct order *order, bool single)
{
    sql_add(sql, single ? "SELECT 0, " : "SELECT " KEYS ".position, ");
    reading_columns(reading, sql, scope->root);
    reading_link_columns(sql, scope);
    if (expand->cap)
        order_columns(sql, order);
    sql_add(sql, " FROM ");
}

int expand_order_at(const struct expand *expand)
{
    return 1 + reading_n_columns(&expand->scope);
}

/* All of them, or those of one parent up to its cap. */
static void all_query(struct reading *reading, const struct expand *expand,
                      const struct nodes *parents, const struct key_list *keys, struct query *query)
{
    put_columns(reading, &query->sql, expand, &expand->scope, &expand->order, !keys);
    put_parents(query, expand, parents, keys);
    scope_from(&query->sql, &expand->scope);
    put_where_parents(query, expand, keys);
    put_way(&query->sql, expand, &expand->scope, !keys);
    put_filter(query, expand);
    put_order(&query->sql, &expand->order, keys != NULL);
    if (!expand->cap)
        return;
    sql_add(&query->sql, " LIMIT ");
    query_integer(query, (int64_t)expand->cap + 1);
}

/* What tells rows of the relationship apart: its links, else its records. */
static void put_row_key(struct sql *sql, const struct scope *scope)
{
    const struct source *source = scope->link ? scope->link : scope->root;
    const struct model *model = source->model;
    for (size_t i = 0; i < model->n_primary_key; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        scope_column(sql, source, model->primary_key[i]);
    }
}

/* "t4.hero_id = p.k0": the link is the parent's. */
static void put_parent_of_link(struct sql *sql, const struct expand *expand,
                               const struct source *link)
{
    const struct relationship *relationship = expand->relationship;
    const struct model *model = relationship->model;
    const struct foreign_key *from = relationship->from;
    char text[40];
    for (size_t i = 0; i < from->n; i++) {
        size_t place = 0;
        sql_add(sql, i > 0 ? " AND " : "");
        scope_column(sql, link, from->columns[i]);
        sql_add(sql, " = ");
        if (join_needs_parent(relationship)) {
            sql_column(sql, PARENT ".", from->referred[i]);
            continue;
        }
        while (place + 1 < model->n_primary_key && model->primary_key[place] != from->referred[i])
            place++;
        snprintf(text, sizeof(text), KEYS ".k%zu", place);
        sql_add(sql, text);
    }
}

/* " AND t3.id = t4.team_id": from a link that was chosen to its record; of a
 * symmetric one to the end that is not the parent. */
static void put_end_of_link(struct sql *sql, const struct expand *expand)
{
    const struct scope *scope = &expand->chosen;
    const struct foreign_key *to = expand->relationship->to, *from = expand->relationship->from;
    for (size_t i = 0; i < to->n; i++) {
        sql_add(sql, " AND ");
        scope_column(sql, scope->root, to->referred[i]);
        sql_add(sql, " = ");
        if (!expand->relationship->symmetric) {
            scope_column(sql, scope->link, to->columns[i]);
            continue;
        }
        sql_add(sql, "CASE WHEN ");
        put_parent_of_link(sql, expand, scope->link);
        sql_add(sql, " THEN ");
        scope_column(sql, scope->link, to->columns[i]);
        sql_add(sql, " ELSE ");
        for (size_t k = 0; k < from->n; k++)
            if (from->referred[k] == to->referred[i])
                scope_column(sql, scope->link, from->columns[k]);
        sql_add(sql, " END");
    }
}

/* For each parent the first ones are chosen, then read. */
static void capped_query(struct reading *reading, const struct expand *expand,
                         const struct nodes *parents, const struct key_list *keys,
                         struct query *query)
{
    struct sql *sql = &query->sql;
    const struct scope *chosen = &expand->chosen;
    const struct source *first = chosen->link ? chosen->link : chosen->root;
    put_columns(reading, sql, expand, chosen, &expand->chosen_order, false);
    put_parents(query, expand, parents, keys);
    scope_from(sql, chosen);
    put_where_parents(query, expand, keys);
    sql_add(sql, first->model->n_primary_key > 1 ? "(" : "");
    put_row_key(sql, chosen);
    sql_add(sql, first->model->n_primary_key > 1 ? ") IN (SELECT " : " IN (SELECT ");
    put_row_key(sql, &expand->scope);
    sql_add(sql, " FROM ");
    scope_from(sql, &expand->scope);
    sql_add(sql, " WHERE ");
    put_way(sql, expand, &expand->scope, false);
    put_filter(query, expand);
    order_text(sql, &expand->order);
    sql_add(sql, " LIMIT ");
    query_integer(query, (int64_t)expand->cap + 1);
    sql_add(sql, ")");
    if (chosen->link)
        put_end_of_link(sql, expand);
    put_order(sql, &expand->chosen_order, true);
}

void expand_level_query(struct reading *reading, const struct expand *expand,
                        const struct nodes *parents, const struct key_list *keys,
                        struct query *query)
{
    query_init(query, reading->arena);
    if (expand->cap && keys)
        capped_query(reading, expand, parents, keys, query);
    else
        all_query(reading, expand, parents, keys, query);
}

/* Links alone tell how many there are, where nothing is asked of the records. */
static bool links_suffice(const struct expand *expand)
{
    return expand->scope.link && !expand->filter && !expand->relationship->symmetric;
}

void expand_total_query(struct reading *reading, const struct expand *expand,
                        const struct key_list *keys, struct query *query)
{
    struct sql *sql = &query->sql;
    const struct relationship *relationship = expand->relationship;
    query_init(query, reading->arena);
    sql_add(sql, "SELECT " KEYS ".position, (SELECT count(*) FROM ");
    if (links_suffice(expand)) {
        sql_name(sql, relationship->link->table);
        sql_add(sql, " AS ");
        sql_add(sql, expand->scope.link->alias);
        sql_add(sql, " WHERE ");
        put_parent_of_link(sql, expand, expand->scope.link);
    } else {
        scope_from(sql, &expand->scope);
        sql_add(sql, " WHERE ");
        put_way(sql, expand, &expand->scope, false);
        put_filter(query, expand);
    }
    sql_add(sql, ") FROM _hero_keys(");
    query_list(query, keys);
    sql_add(sql, ") AS " KEYS);
    if (!join_needs_parent(relationship))
        return;
    sql_add(sql, " CROSS JOIN ");
    sql_name(sql, relationship->model->table);
    sql_add(sql, " AS " PARENT " WHERE ");
    put_key_equals(sql, relationship->model);
}
