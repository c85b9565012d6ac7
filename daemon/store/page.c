/*
 * Pages by keyset: each begins after the last row of the one before, so that
 * it stays right while rows come and go, and costs the same however far the
 * list has been read. Knows one level of records; no expanding.
 */
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "join.h"
#include "page.h"
#include "page_token.h"

const struct filter_limits page_filter_limits = {
    .bytes = STORE_FILTER_BYTES, .depth = STORE_FILTER_DEPTH, .terms = STORE_FILTER_TERMS};

/* ---- what is asked ---- */

uint64_t page_shape(const struct order *order, const char *filter)
{
    return filter ? XXH3_64bits_withSeed(filter, strlen(filter), order->shape) : order->shape;
}

static Code read_place(struct page *page, const ProtobufCBinaryData *token)
{
    struct reading *reading = page->reading;
    if (!token || token->len == 0)
        return HERO__V1__CODE__OK;
    struct key_value *after = arena_array(reading->arena, page->order.n, sizeof(*after));
    if (!after)
        return reading_no_memory(reading);
    page->after = after;
    if (page_token_read(token, page->shape, after, page->order.n))
        return HERO__V1__CODE__OK;
    return fault_add(reading->fault, "page_token",
                     "is damaged, or of a list with another model, filter or order; start again "
                     "without it");
}

Code page_ask(struct page *page, const struct page_question *question)
{
    struct reading *reading = page->reading;
    const struct store_options *options = &reading->store->options;
    page->size = question->size ? question->size : options->page_size;
    if (page->size > options->max_page_size)
        page->size = options->max_page_size;
    Code code = filter_make(&page->scope, question->filter, "filter", &page_filter_limits,
                            reading->fault, &page->filter);
    if (code != HERO__V1__CODE__OK && code != HERO__V1__CODE__INVALID_ARGUMENT)
        return code;
    code = order_read(&page->order, &page->scope, question->order_by, question->n_order_by,
                      "order_by", reading->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    page->shape = page_shape(&page->order, page->filter ? question->filter : NULL);
    return read_place(page, question->token);
}

/* ---- statements ---- */

/* The tables, and what is true of all rows that are asked for. */
static void put_from(const struct page *page, struct query *query)
{
    struct sql *sql = &query->sql;
    const struct scope *scope = &page->scope;
    const struct relationship *through = scope->through;
    const char *link = scope->link ? scope->link->alias : NULL, *root = scope->root->alias;
    sql_add(sql, " FROM ");
    if (!page->parent) {
        scope_from(sql, scope);
        return;
    }
    for (size_t i = 0; i < through->model->n_primary_key; i++)
        query_bound(query, &page->parent->key[i]);
    if (!join_needs_parent(through)) {
        scope_from(sql, scope);
        sql_add(sql, " WHERE ");
        join_condition_of_keys(sql, through, JOIN_PARENT_KEY, NULL, link, root);
        return;
    }
    sql_table(sql, through->model);
    sql_add(sql, " AS p CROSS JOIN ");
    scope_from(sql, scope);
    sql_add(sql, " WHERE ");
    sql_key(sql, "p.", through->model, 1);
    sql_add(sql, " AND ");
    join_condition(sql, through, "p", link, root);
}

static void put_where(const struct page *page, const struct order_piece *piece, struct query *query)
{
    const char *word = page->parent ? " AND " : " WHERE ";
    if (page->filter) {
        sql_add(&query->sql, word);
        filter_condition(query, &page->scope, page->filter);
        word = " AND ";
    }
    if (piece) {
        sql_add(&query->sql, word);
        order_condition(query, &page->order, page->after, piece);
    }
}

void page_query(const struct page *page, const struct order_piece *piece, uint32_t limit,
                struct query *query)
{
    struct sql *sql = &query->sql;
    query_init(query, page->reading->arena);
    sql_add(sql, "SELECT ");
    reading_columns(page->reading, sql, page->scope.root);
    reading_link_columns(sql, &page->scope);
    order_columns(sql, &page->order);
    put_from(page, query);
    put_where(page, piece, query);
    order_text(sql, &page->order);
    sql_add(sql, " LIMIT ");
    query_integer(query, limit);
}

/* ---- rows ---- */

static Code add_row(struct page *page, sqlite3_stmt *stmt)
{
    struct reading *reading = page->reading;
    const struct model *model = page->scope.root->model;
    struct node *node;
    Code code = graph_out_row(reading, stmt, 0, model, &node);
    if (code == HERO__V1__CODE__OK && page->parent)
        code = graph_out_edge(reading, page->parent, page->scope.through, node,
                              (uint32_t)page->found.n);
    if (code == HERO__V1__CODE__OK && page->scope.link)
        code = graph_out_link(reading, stmt, (int)model->n_columns, page->scope.through);
    if (code == HERO__V1__CODE__OK)
        code = nodes_add(reading, &page->found, node);
    if (code == HERO__V1__CODE__OK && page->found.n == page->size) {
        page->last =
            order_values(&page->order, stmt, reading_n_columns(&page->scope), reading->arena);
        if (!page->last)
            code = reading_no_memory(reading);
    }
    return code;
}

static Code read_rows(struct page *page, sqlite3_stmt *stmt)
{
    struct reading *reading = page->reading;
    int rc;
    while ((rc = db_step(reading->db, stmt)) == SQLITE_ROW) {
        if (page->found.n == page->size) {
            page->more = true;
            return HERO__V1__CODE__OK;
        }
        Code code = add_row(page, stmt);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    return rc == SQLITE_DONE
               ? HERO__V1__CODE__OK
               : db_fault(reading->db, rc, reading->fault, page->scope.root->model->name);
}

/* One row more than fits tells whether there is another page. */
static Code read_piece(struct page *page, const struct order_piece *piece)
{
    struct reading *reading = page->reading;
    struct query query;
    page_query(page, piece, page->size + 1 - (uint32_t)page->found.n, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = read_rows(page, stmt);
    db_release(reading->db, stmt);
    return code;
}

Code page_read(struct page *page)
{
    struct order_piece piece;
    Code code = HERO__V1__CODE__OK;
    page->found.n = 0;
    page->more = false;
    page->last = NULL;
    if (!page->after)
        return read_piece(page, NULL);
    bool is_there = order_first(&page->order, page->after, &piece);
    while (is_there && !page->more && code == HERO__V1__CODE__OK) {
        code = read_piece(page, &piece);
        is_there = order_next(&page->order, page->after, &piece);
    }
    return code;
}

bool page_shrink(struct page *page)
{
    struct reading *reading = page->reading;
    size_t n = page->found.n;
    bool all = n == page->size; /* then it is what they brought along */
    if (!reading->too_large || n < (all ? 2 : 1))
        return false;
    page->size = (uint32_t)(all ? (n + 3) / 4 : n);
    reading_reset(reading);
    return true;
}

Code page_token(const struct page *page, protobuf_c_boolean *ret_has,
                ProtobufCBinaryData *ret_token)
{
    if (!page->more)
        return HERO__V1__CODE__OK;
    *ret_has = 1;
    *ret_token = page_token_write(page->reading->arena, page->shape, page->last, page->order.n);
    return ret_token->data ? HERO__V1__CODE__OK : reading_no_memory(page->reading);
}

/* ---- how many there are ---- */

Code page_check_total(struct reading *reading, const struct page_total *total)
{
    switch (total->kind) {
    case HERO__V1__LIST_REQUEST__COUNT__NO_COUNT:
    case HERO__V1__LIST_REQUEST__COUNT__EXACT:
        return total->limit ? fault_add(reading->fault, "count_limit", "goes with count CAPPED")
                            : HERO__V1__CODE__OK;
    case HERO__V1__LIST_REQUEST__COUNT__CAPPED:
        return total->limit ? HERO__V1__CODE__OK
                            : fault_add(reading->fault, "count_limit",
                                        "is missing: CAPPED counts no further than that");
    case _HERO__V1__LIST_REQUEST__COUNT_IS_INT_SIZE:
        break;
    }
    return fault_add(reading->fault, "count", "is none of NO_COUNT, EXACT and CAPPED");
}

void page_total_query(const struct page *page, const struct page_total *total, struct query *query)
{
    bool capped = total->kind == HERO__V1__LIST_REQUEST__COUNT__CAPPED;
    query_init(query, page->reading->arena);
    sql_add(&query->sql, capped ? "SELECT count(*) FROM (SELECT 1" : "SELECT count(*)");
    put_from(page, query);
    put_where(page, NULL, query);
    if (!capped)
        return;
    sql_add(&query->sql, " LIMIT ");
    query_integer(query, (int64_t)total->limit + 1);
    sql_add(&query->sql, ")");
}

Code page_count(const struct page *page, struct page_total *total)
{
    struct reading *reading = page->reading;
    struct query query;
    if (total->kind == HERO__V1__LIST_REQUEST__COUNT__NO_COUNT)
        return HERO__V1__CODE__OK;
    page_total_query(page, total, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = HERO__V1__CODE__OK;
    int rc = db_step(reading->db, stmt);
    if (rc == SQLITE_ROW)
        total->total = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        code = db_fault(reading->db, rc, reading->fault, page->scope.root->model->name);
    db_release(reading->db, stmt);
    total->capped =
        total->kind == HERO__V1__LIST_REQUEST__COUNT__CAPPED && total->total > total->limit;
    if (total->capped)
        total->total = total->limit;
    return code;
}
