/*
 * List: pages of records in an order, by keyset: a page begins after the last
 * row of the page before, so it stays right while rows come and go. Knows
 * order and place; related records are expand.c's.
 */
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "page_token.h"
#include "read.h"

struct order {
    const struct column *column;
    bool descends;
};

struct listing {
    struct reading reading;
    const struct model *model;
    struct order *orders; /* as asked, then the key columns that are not in it */
    size_t n_orders;
    uint64_t shape;
    struct key_value *after; /* NULL: the first page */
    uint32_t page_size;
    struct key_value *last; /* of the page's last row, in the arena */
};

/* ---- what is asked ---- */

static bool is_ordered(const struct listing *listing, const struct column *column)
{
    for (size_t i = 0; i < listing->n_orders; i++)
        if (listing->orders[i].column == column)
            return true;
    return false;
}

static Code read_orders(struct listing *listing, const Hero__V1__ListRequest *request)
{
    struct reading *reading = &listing->reading;
    size_t most = request->n_order_by + listing->model->n_primary_key;
    char path[32];
    listing->orders = arena_array(reading->arena, most, sizeof(*listing->orders));
    if (!listing->orders)
        return reading_no_memory(reading);
    for (size_t i = 0; i < request->n_order_by; i++) {
        const char *name = request->order_by[i];
        bool descends = name[0] == '-';
        const struct column *column = model_column(listing->model, name + descends);
        snprintf(path, sizeof(path), "order_by[%zu]", i);
        if (!column)
            fault_add(reading->fault, path, "%s has no column called \"%s\"", listing->model->name,
                      name + descends);
        else if (is_ordered(listing, column))
            fault_add(reading->fault, path, "%s is there twice", column->field_name);
        else
            listing->orders[listing->n_orders++] = (struct order){column, descends};
    }
    bool descends = listing->n_orders > 0 && listing->orders[listing->n_orders - 1].descends;
    for (size_t i = 0; i < listing->model->n_primary_key; i++)
        if (!is_ordered(listing, listing->model->primary_key[i]))
            listing->orders[listing->n_orders++] =
                (struct order){listing->model->primary_key[i], descends};
    return reading->fault->code;
}

/* Field numbers, not names: a renamed column keeps its tokens. */
static uint64_t shape_of(const struct listing *listing)
{
    uint64_t shape = XXH3_64bits(listing->model->name, strlen(listing->model->name));
    for (size_t i = 0; i < listing->n_orders; i++) {
        uint64_t order =
            (uint64_t)listing->orders[i].column->number * 2 + listing->orders[i].descends;
        shape = XXH3_64bits_withSeed(&order, sizeof(order), shape);
    }
    return shape;
}

static Code read_place(struct listing *listing, const Hero__V1__ListRequest *request)
{
    struct reading *reading = &listing->reading;
    const struct store_options *options = &reading->store->options;
    listing->page_size = request->page_size ? request->page_size : options->page_size;
    if (listing->page_size > options->max_page_size)
        listing->page_size = options->max_page_size;
    listing->shape = shape_of(listing);
    listing->last = arena_array(reading->arena, listing->n_orders, sizeof(*listing->last));
    if (!listing->last)
        return reading_no_memory(reading);
    if (request->page_token.len == 0)
        return HERO__V1__CODE__OK;
    listing->after = arena_array(reading->arena, listing->n_orders, sizeof(*listing->after));
    if (!listing->after)
        return reading_no_memory(reading);
    if (page_token_read(&request->page_token, listing->shape, listing->after, listing->n_orders))
        return HERO__V1__CODE__OK;
    return fault_add(
        reading->fault, "page_token",
        "is damaged, or of a list with another model or order; start again without it");
}

/* ---- the statement ---- */

/* Rows past the value: SQLite sorts NULL before everything. */
static void add_past(struct sql *sql, const struct order *order, const struct key_value *value,
                     unsigned parameter)
{
    if (value->type == SQLITE_NULL) {
        if (order->descends) {
            sql_add(sql, "0");
            return;
        }
        sql_column(sql, "", order->column);
        sql_add(sql, " IS NOT NULL");
        return;
    }
    sql_add(sql, "(");
    sql_column(sql, "", order->column);
    sql_add(sql, order->descends ? " < " : " > ");
    sql_parameter(sql, parameter);
    if (order->descends && !order->column->not_null) {
        sql_add(sql, " OR ");
        sql_column(sql, "", order->column);
        sql_add(sql, " IS NULL");
    }
    sql_add(sql, ")");
}

/* A bound on the first column alone, which an index can start from; the exact
 * condition after it is then looked at in few rows. */
static void add_bound(struct sql *sql, const struct order *order, const struct key_value *value)
{
    if (value->type == SQLITE_NULL || (order->descends && !order->column->not_null))
        return;
    sql_column(sql, "", order->column);
    sql_add(sql, order->descends ? " <= ?1 AND " : " >= ?1 AND ");
}

static void add_after(struct sql *sql, const struct listing *listing)
{
    sql_add(sql, " WHERE ");
    add_bound(sql, &listing->orders[0], &listing->after[0]);
    sql_add(sql, "(");
    for (size_t i = 0; i < listing->n_orders; i++) {
        if (i > 0)
            sql_add(sql, " OR ");
        for (size_t before = 0; before < i; before++) {
            sql_column(sql, "", listing->orders[before].column);
            sql_add(sql, " IS ");
            sql_parameter(sql, (unsigned)before + 1);
            sql_add(sql, " AND ");
        }
        add_past(sql, &listing->orders[i], &listing->after[i], (unsigned)i + 1);
    }
    sql_add(sql, ")");
}

static const char *list_text(struct listing *listing)
{
    struct sql sql;
    sql_init(&sql, listing->reading.arena);
    sql_add(&sql, "SELECT ");
    sql_columns(&sql, "", listing->model);
    sql_add(&sql, " FROM ");
    sql_name(&sql, listing->model->table);
    if (listing->after)
        add_after(&sql, listing);
    sql_add(&sql, " ORDER BY ");
    for (size_t i = 0; i < listing->n_orders; i++) {
        sql_column(&sql, i > 0 ? ", " : "", listing->orders[i].column);
        if (listing->orders[i].descends)
            sql_add(&sql, " DESC");
    }
    sql_add(&sql, " LIMIT ");
    sql_parameter(&sql, (unsigned)listing->n_orders + 1);
    return sql_text(&sql);
}

static Code bind_list(struct listing *listing, sqlite3_stmt *stmt)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; listing->after && i < listing->n_orders && rc == SQLITE_OK; i++)
        rc = key_value_bind(stmt, (int)i + 1, &listing->after[i]);
    if (rc == SQLITE_OK) /* one more tells whether there is another page */
        rc = sqlite3_bind_int64(stmt, (int)listing->n_orders + 1,
                                (sqlite3_int64)listing->page_size + 1);
    return rc == SQLITE_OK
               ? HERO__V1__CODE__OK
               : db_fault(listing->reading.db, rc, listing->reading.fault, "binding the page");
}

/* ---- the page ---- */

static Code keep_last(struct listing *listing, sqlite3_stmt *stmt)
{
    for (size_t i = 0; i < listing->n_orders; i++) {
        struct key_value value = key_value_of(stmt, (int)listing->orders[i].column->position);
        if (value.type == SQLITE_TEXT || value.type == SQLITE_BLOB) {
            value.data = arena_copy(listing->reading.arena, value.data, value.len);
            if (!value.data)
                return reading_no_memory(&listing->reading);
        }
        listing->last[i] = value;
    }
    return HERO__V1__CODE__OK;
}

static Code read_page(struct listing *listing, sqlite3_stmt *stmt, struct nodes *roots,
                      bool *ret_more)
{
    struct reading *reading = &listing->reading;
    int rc;
    while ((rc = db_step(reading->db, stmt)) == SQLITE_ROW) {
        struct node *node;
        if (roots->n == listing->page_size) {
            *ret_more = true;
            return HERO__V1__CODE__OK;
        }
        Code code = graph_out_row(reading, stmt, 0, listing->model, &node);
        if (code == HERO__V1__CODE__OK)
            code = nodes_add(reading, roots, node);
        if (code == HERO__V1__CODE__OK && roots->n == listing->page_size)
            code = keep_last(listing, stmt);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return rc == SQLITE_DONE ? HERO__V1__CODE__OK
                             : db_fault(reading->db, rc, reading->fault, listing->model->name);
}

static Code run(struct listing *listing, const struct expand *tree, struct nodes *roots,
                bool *ret_more)
{
    struct reading *reading = &listing->reading;
    const char *sql = list_text(listing);
    if (!sql)
        return reading_no_memory(reading);
    sqlite3_stmt *stmt = db_prepare(reading->db, sql, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = bind_list(listing, stmt);
    if (code == HERO__V1__CODE__OK)
        code = read_page(listing, stmt, roots, ret_more);
    db_release(reading->db, stmt);
    return code == HERO__V1__CODE__OK ? expand_run(reading, tree, roots) : code;
}

/* A page that outgrows a message is made again with fewer records: page_size
 * is the most, and records may be of any size. *roots are those that fitted. */
static bool shrink(struct listing *listing, struct nodes *roots)
{
    struct reading *reading = &listing->reading;
    bool all_roots = roots->n == listing->page_size; /* then it is what they brought along */
    if (!reading->too_large || roots->n < (all_roots ? 2 : 1))
        return false;
    listing->page_size = (uint32_t)(all_roots ? (roots->n + 3) / 4 : roots->n);
    fault_done(reading->fault);
    reading->too_large = false;
    reading->graph->n_records = reading->graph->n_edges = 0;
    reading->buckets = NULL;
    reading->n_buckets = reading->nodes.n = 0;
    reading->bytes = 0;
    roots->n = 0;
    return true;
}

static Code run_to_size(struct listing *listing, const struct expand *tree, struct nodes *roots,
                        bool *ret_more)
{
    Code code;
    do {
        *ret_more = false;
        code = run(listing, tree, roots, ret_more);
    } while (code == HERO__V1__CODE__RESOURCE_EXHAUSTED && shrink(listing, roots));
    return code;
}

static Code answer(struct listing *listing, const struct nodes *roots, bool more,
                   Hero__V1__ListResponse *ret)
{
    struct reading *reading = &listing->reading;
    Code code = nodes_refs(reading, roots, &ret->roots);
    if (code != HERO__V1__CODE__OK)
        return code;
    ret->n_roots = roots->n;
    ret->graph = reading->graph;
    if (!more)
        return code;
    ret->has_next_page_token = 1;
    ret->next_page_token =
        page_token_write(reading->arena, listing->shape, listing->last, listing->n_orders);
    return ret->next_page_token.data ? code : reading_no_memory(reading);
}

static Code prepared(struct listing *listing, const Hero__V1__ListRequest *request,
                     Hero__V1__ListResponse *ret)
{
    struct reading *reading = &listing->reading;
    struct nodes roots = {NULL, 0, 0};
    struct expand *tree;
    bool more = false;
    Code code = read_orders(listing, request);
    if (code == HERO__V1__CODE__OK)
        code = read_place(listing, request);
    if (code == HERO__V1__CODE__OK)
        code = expand_parse(reading, listing->model, request->expand, request->n_expand, &tree);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = pool_take(reading->store, reading->read, &reading->db, reading->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = run_to_size(listing, tree, &roots, &more);
    pool_give(reading->store, reading->db);
    return code == HERO__V1__CODE__OK ? answer(listing, &roots, more, ret) : code;
}

Code store_list(struct store *store, struct store_read *read, const Hero__V1__ListRequest *request,
                Hero__V1__ListResponse *ret, struct fault *fault)
{
    struct listing listing = {.reading = {.store = store,
                                          .read = read,
                                          .arena = read->arena,
                                          .fault = fault,
                                          .etags = request->etags}};
    listing.model = models_find(read->models, request->model, fault);
    if (!listing.model) {
        fault_add(fault, "model", "%s", fault->message);
        return fault->code;
    }
    listing.reading.graph = arena_alloc(read->arena, sizeof(*listing.reading.graph));
    if (!listing.reading.graph)
        return reading_no_memory(&listing.reading);
    hero__v1__graph__init(listing.reading.graph);
    return prepared(&listing, request, ret);
}
