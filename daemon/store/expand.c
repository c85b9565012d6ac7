/*
 * Expand: related records, level by level. One statement for each
 * relationship and level, however many records ask. Knows rows and edges; the
 * request is expand_parse.c's, the statements' text expand_query.c's.
 */
#include <string.h>
#include "etag.h"
#include "expand.h"
#include "page_token.h"

/* What a list's ref, name, total and token add to an answer at most, without the token. */
#define LIST_OVERHEAD 60

/* ---- edges ---- */

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

/* ---- one level ---- */

/* A parent's list as far as it was read. */
struct related {
    uint32_t n;                   /* records in the answer */
    bool more;                    /* and there are others */
    const struct key_value *last; /* of a capped list's last record */
    uint64_t total;
    struct etag_list etag; /* of those read, where etags are asked for */
};

struct level {
    struct reading *reading;
    const struct expand *expand;
    const struct nodes *parents;
    struct related *lists; /* of each parent */
    struct key_list keys;  /* theirs */
    struct nodes *found;
};

/* The record that the last edge leads to. */
static void count_record(const struct reading *reading, const struct node *node,
                         struct etag_list *etag)
{
    const Hero__V1__Edge *edge = reading->graph->edges[reading->graph->n_edges - 1];
    etag_list_add(etag, node->key, node->model->n_primary_key, edge->link);
}

static Code add_record(struct level *level, sqlite3_stmt *stmt, size_t parent)
{
    struct reading *reading = level->reading;
    const struct expand *expand = level->expand;
    const struct relationship *relationship = expand->relationship;
    struct related *list = &level->lists[parent];
    struct node *from = level->parents->items[parent], *node;
    Code code = graph_out_row(reading, stmt, 1, relationship->target, &node);
    if (code == HERO__V1__CODE__OK)
        code = graph_out_edge(reading, from, relationship, node, list->n++);
    if (code == HERO__V1__CODE__OK && relationship->link)
        code =
            graph_out_link(reading, stmt, 1 + (int)relationship->target->n_columns, relationship);
    if (code != HERO__V1__CODE__OK)
        return code;
    extend_spread(reading, from, relationship);
    if (reading->etags)
        count_record(reading, node, &list->etag);
    if (list->n == expand->cap) {
        list->last = order_values(&expand->order, stmt, expand_order_at(expand), reading->arena);
        if (!list->last)
            return reading_no_memory(reading);
    }
    if (node->mark == expand)
        return HERO__V1__CODE__OK;
    node->mark = expand;
    return nodes_add(reading, level->found, node);
}

static Code read_level(struct level *level, sqlite3_stmt *stmt)
{
    struct reading *reading = level->reading;
    Code code = HERO__V1__CODE__OK;
    int rc = SQLITE_OK;
    while (code == HERO__V1__CODE__OK && (rc = db_step(reading->db, stmt)) == SQLITE_ROW) {
        size_t parent = (size_t)sqlite3_column_int64(stmt, 0);
        if (level->expand->cap && level->lists[parent].n == level->expand->cap)
            level->lists[parent].more = true; /* one more than fits tells */
        else
            code = add_record(level, stmt, parent);
    }
    if (code != HERO__V1__CODE__OK)
        return code;
    return rc == SQLITE_DONE
               ? HERO__V1__CODE__OK
               : db_fault(reading->db, rc, reading->fault, level->expand->relationship->name);
}

static Code list_keys(struct level *level)
{
    struct reading *reading = level->reading;
    size_t n = level->parents->n;
    const struct key_value **keys = arena_array(reading->arena, n, sizeof(*keys));
    level->lists = arena_array(reading->arena, n, sizeof(*level->lists));
    if (!keys || !level->lists)
        return reading_no_memory(reading);
    for (size_t i = 0; i < n; i++)
        keys[i] = level->parents->items[i]->key;
    level->keys = (struct key_list){n, level->parents->items[0]->model->n_primary_key, keys};
    return HERO__V1__CODE__OK;
}

/* ---- lists that were capped or counted ---- */

static Code read_totals(struct level *level)
{
    struct reading *reading = level->reading;
    struct query query;
    int rc;
    expand_total_query(reading, level->expand, &level->keys, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    while ((rc = db_step(reading->db, stmt)) == SQLITE_ROW)
        level->lists[sqlite3_column_int64(stmt, 0)].total = (uint64_t)sqlite3_column_int64(stmt, 1);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(reading->db, rc, reading->fault, "counting");
    db_release(reading->db, stmt);
    return code;
}

/* Only a whole list can be replaced on the strength of its etag. */
static bool has_etag(const struct level *level, size_t parent)
{
    return level->reading->etags && !level->expand->filter && !level->lists[parent].more;
}

static Code add_etag(struct reading *reading, const struct related *list,
                     Hero__V1__RelatedList *told)
{
    told->etag = (ProtobufCBinaryData){ETAG_BYTES, arena_alloc(reading->arena, ETAG_BYTES)};
    if (!told->etag.data)
        return reading_no_memory(reading);
    told->has_etag = 1;
    etag_of_list(&list->etag, told->etag.data);
    return HERO__V1__CODE__OK;
}

static Code add_list(struct level *level, size_t parent)
{
    struct reading *reading = level->reading;
    const struct expand *expand = level->expand;
    const struct related *list = &level->lists[parent];
    Hero__V1__RelatedList *told = arena_alloc(reading->arena, sizeof(*told));
    if (!told)
        return reading_no_memory(reading);
    hero__v1__related_list__init(told);
    told->has_from = 1;
    told->from = level->parents->items[parent]->ref;
    told->relationship = (char *)(uintptr_t)expand->relationship->name;
    if (has_etag(level, parent) && add_etag(reading, list, told) != HERO__V1__CODE__OK)
        return reading->fault->code;
    told->has_total = expand->asked && expand->asked->total;
    told->total = list->more ? list->total : list->n;
    if (list->more) {
        told->has_next_page_token = 1;
        told->next_page_token =
            page_token_write(reading->arena, expand->shape, list->last, expand->order.n);
        if (!told->next_page_token.data)
            return reading_no_memory(reading);
    }
    return graph_out_list(reading, told, LIST_OVERHEAD + told->next_page_token.len);
}

/* A list that is whole has as many records as were read. */
static Code tell_lists(struct level *level)
{
    const Hero__V1__Expansion *asked = level->expand->asked;
    bool total = asked && asked->total, more = false;
    Code code = HERO__V1__CODE__OK;
    if (!asked && !level->reading->etags)
        return code;
    for (size_t i = 0; i < level->parents->n; i++)
        more |= level->lists[i].more;
    if (more && total)
        code = read_totals(level);
    for (size_t i = 0; i < level->parents->n && code == HERO__V1__CODE__OK; i++)
        if (total || level->lists[i].more || has_etag(level, i))
            code = add_list(level, i);
    return code;
}

static Code load_level(struct reading *reading, const struct expand *expand,
                       const struct nodes *parents, struct nodes *found)
{
    struct level level = {.reading = reading, .expand = expand, .parents = parents, .found = found};
    struct query query;
    Code code = list_keys(&level);
    if (code != HERO__V1__CODE__OK)
        return code;
    expand_level_query(reading, expand, parents, parents->n > 1 ? &level.keys : NULL, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    code = read_level(&level, stmt);
    db_release(reading->db, stmt);
    return code == HERO__V1__CODE__OK ? tell_lists(&level) : code;
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
