/*
 * Expand: related records, level by level. One statement for each
 * relationship and level, however many records ask: their keys go in through
 * _hero_keys. Knows paths and joins; records are graph_out.c's.
 */
#include <stdio.h>
#include <string.h>
#include "join.h"
#include "read.h"

/* ---- paths ---- */

static struct expand *find_or_add(struct reading *reading, struct expand **list,
                                  const struct relationship *relationship)
{
    while (*list && (*list)->relationship != relationship)
        list = &(*list)->next;
    if (!*list) {
        *list = arena_alloc(reading->arena, sizeof(**list));
        if (*list)
            (*list)->relationship = relationship;
    }
    return *list;
}

static Code parse_path(struct reading *reading, const struct model *model, const char *path,
                       const char *where, struct expand **tree)
{
    unsigned depth = 0;
    for (const char *at = path; *at || at == path;) {
        size_t len = strcspn(at, ".");
        char *name = arena_printf(reading->arena, "%.*s", (int)len, at);
        const struct relationship *relationship = name ? model_relationship(model, name) : NULL;
        if (!name)
            return reading_no_memory(reading);
        if (!relationship)
            return fault_add(reading->fault, where, "%s has no relationship called \"%s\"",
                             model->name, name);
        if (++depth > reading->store->options.max_expand_depth)
            return fault_add(reading->fault, where, "is deeper than %u relationships",
                             reading->store->options.max_expand_depth);
        struct expand *expand = find_or_add(reading, tree, relationship);
        if (!expand)
            return reading_no_memory(reading);
        Code code = reading_mask(reading, relationship->target, NULL, 0, where);
        if (code == HERO__V1__CODE__RESOURCE_EXHAUSTED)
            return code;
        tree = &expand->children;
        model = relationship->target;
        at += len;
        if (*at == '.' && !*++at)
            return fault_add(reading->fault, where, "ends with a dot");
    }
    return HERO__V1__CODE__OK;
}

Code expand_parse(struct reading *reading, const struct model *model, char *const *paths,
                  size_t n_paths, struct expand **ret_tree)
{
    char where[32];
    *ret_tree = NULL;
    for (size_t i = 0; i < n_paths; i++) {
        snprintf(where, sizeof(where), "expand[%zu]", i);
        Code code = parse_path(reading, model, paths[i], where, ret_tree);
        if (code == HERO__V1__CODE__RESOURCE_EXHAUSTED)
            return code;
    }
    return reading->fault->code;
}

/* ---- one level ---- */

static void put_link_columns(struct sql *sql, const struct relationship *relationship)
{
    const struct column *column;
    for (size_t at = 0; join_link_column(relationship, &at, &column);)
        sql_column(sql, ", l.", column);
}

static const char *level_text(struct reading *reading, const struct relationship *relationship,
                              bool single)
{
    const struct source target = {.model = relationship->target, .alias = "t"};
    struct sql sql;
    sql_init(&sql, reading->arena);
    sql_add(&sql, single ? "SELECT 0, " : "SELECT p.position, ");
    reading_columns(reading, &sql, &target);
    put_link_columns(&sql, relationship);
    sql_add(&sql, " FROM ");
    join_from_keys(&sql, relationship, single ? JOIN_PARENT_KEY : JOIN_PARENT_KEYS);
    sql_add(&sql, single ? " ORDER BY " : " ORDER BY p.position, ");
    join_order(&sql, relationship);
    return sql_text(&sql);
}

static Code bind_key(struct reading *reading, sqlite3_stmt *stmt, const struct node *parent)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < parent->model->n_primary_key && rc == SQLITE_OK; i++)
        rc = key_value_bind(stmt, (int)i + 1, &parent->key[i]);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK
                           : db_fault(reading->db, rc, reading->fault, "binding keys");
}

static Code bind_parents(struct reading *reading, sqlite3_stmt *stmt, const struct nodes *parents,
                         struct key_list *list)
{
    if (parents->n == 1)
        return bind_key(reading, stmt, parents->items[0]);
    const struct key_value **keys = arena_array(reading->arena, parents->n, sizeof(*keys));
    if (!keys)
        return reading_no_memory(reading);
    for (size_t i = 0; i < parents->n; i++)
        keys[i] = parents->items[i]->key;
    *list = (struct key_list){parents->n, parents->items[0]->model->n_primary_key, keys};
    int rc = key_list_bind(stmt, 1, list);
    return rc == SQLITE_OK ? HERO__V1__CODE__OK
                           : db_fault(reading->db, rc, reading->fault, "binding keys");
}

/* A record may be reached by several paths; its edges go into the graph once.
 * Where they are loaded already, they are followed from there. */
static Code follow(struct reading *reading, const struct expand *expand,
                   const struct spread *spread, struct nodes *found)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < spread->n && code == HERO__V1__CODE__OK; i++) {
        const Hero__V1__Edge *edge = reading->graph->edges[spread->first + i];
        struct node *node = reading->nodes.items[edge->to - 1];
        if (node->mark == expand)
            continue;
        node->mark = expand;
        code = nodes_add(reading, found, node);
    }
    return code;
}

static struct spread *spread_of(struct reading *reading, struct node *node,
                                const struct relationship *relationship)
{
    if (!node->spreads)
        node->spreads =
            arena_array(reading->arena, node->model->n_relationships, sizeof(*node->spreads));
    return node->spreads ? &node->spreads[relationship->position] : NULL;
}

/* Parents whose edges are to be loaded; those of the others are followed. */
static Code choose_parents(struct reading *reading, const struct expand *expand,
                           const struct nodes *parents, struct nodes *ret_fresh,
                           struct nodes *found)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < parents->n && code == HERO__V1__CODE__OK; i++) {
        struct spread *spread = spread_of(reading, parents->items[i], expand->relationship);
        if (!spread)
            return reading_no_memory(reading);
        if (spread->loaded) {
            code = follow(reading, expand, spread, found);
            continue;
        }
        spread->loaded = true;
        spread->first = reading->graph->n_edges;
        code = nodes_add(reading, ret_fresh, parents->items[i]);
    }
    return code;
}

static void extend_spread(struct reading *reading, const struct node *parent,
                          const struct relationship *relationship)
{
    struct spread *spread = &parent->spreads[relationship->position];
    if (spread->n++ == 0)
        spread->first = reading->graph->n_edges - 1;
}

static Code read_level(struct reading *reading, sqlite3_stmt *stmt, const struct expand *expand,
                       const struct nodes *parents, struct nodes *found)
{
    const struct relationship *relationship = expand->relationship;
    size_t parent = 0;
    uint32_t position = 0;
    int rc;
    while ((rc = db_step(reading->db, stmt)) == SQLITE_ROW) {
        struct node *node;
        size_t next = (size_t)sqlite3_column_int64(stmt, 0);
        position = next == parent ? position : 0;
        parent = next;
        Code code = graph_out_row(reading, stmt, 1, relationship->target, &node);
        if (code == HERO__V1__CODE__OK)
            code = graph_out_edge(reading, parents->items[parent], relationship, node, position++);
        if (code == HERO__V1__CODE__OK && relationship->link)
            code = graph_out_link(reading, stmt, 1 + (int)relationship->target->n_columns,
                                  relationship);
        if (code == HERO__V1__CODE__OK)
            extend_spread(reading, parents->items[parent], relationship);
        if (code == HERO__V1__CODE__OK && node->mark != expand) {
            node->mark = expand;
            code = nodes_add(reading, found, node);
        }
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return rc == SQLITE_DONE ? HERO__V1__CODE__OK
                             : db_fault(reading->db, rc, reading->fault, relationship->name);
}

static Code load_level(struct reading *reading, const struct expand *expand,
                       const struct nodes *parents, struct nodes *found)
{
    struct key_list list;
    const char *sql = level_text(reading, expand->relationship, parents->n == 1);
    if (!sql)
        return reading_no_memory(reading);
    sqlite3_stmt *stmt = db_prepare(reading->db, sql, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = bind_parents(reading, stmt, parents, &list);
    if (code == HERO__V1__CODE__OK)
        code = read_level(reading, stmt, expand, parents, found);
    db_release(reading->db, stmt);
    return code;
}

static Code run_level(struct reading *reading, const struct expand *expand,
                      const struct nodes *parents)
{
    struct nodes fresh = {NULL, 0, 0}, found = {NULL, 0, 0};
    Code code = choose_parents(reading, expand, parents, &fresh, &found);
    if (code == HERO__V1__CODE__OK && fresh.n > 0)
        code = load_level(reading, expand, &fresh, &found);
    return code == HERO__V1__CODE__OK ? expand_run(reading, expand->children, &found) : code;
}

/* Recursion is as deep as the paths, which expand_parse bounds. */
Code expand_run(struct reading *reading, const struct expand *tree, const struct nodes *roots)
{
    Code code = HERO__V1__CODE__OK;
    for (; tree && code == HERO__V1__CODE__OK; tree = tree->next)
        code = run_level(reading, tree, roots);
    return code;
}
