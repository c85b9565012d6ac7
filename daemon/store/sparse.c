/*
 * Ranges that are open at one end. SQLite knows no numbers of rows: of
 * `age > 30` in the order of the key it would walk the key, which is right
 * where many rows are in the range and wrong where few are. So it is told:
 * few rows are counted first, through the index. Knows pages' conditions.
 */
#include "decimal_order.h"
#include "page.h"

/* More than these are many: the order's own index finds a page's worth sooner. */
#define FEW_ROWS 1000

static bool is_open_range(const struct page *page, const struct filter *filter)
{
    return filter->kind == FILTER_COMPARE &&
           filter->operator>= OPERATOR_LESS && filter->operator<=
           OPERATOR_GREATER_EQUAL && !filter->ignore_case &&
           filter->place.source == page->scope.root && filter_leads_index(&filter->place) &&
           filter->place.column != page->order.columns[0].place.column &&
           !*decimal_order_of(filter->place.column);
}

static void count_query(const struct page *page, const struct filter *range, struct query *query)
{
    query_init(query, page->reading->arena);
    sql_add(&query->sql, "SELECT count(*) FROM (SELECT 1 FROM ");
    sql_table(&query->sql, page->scope.root->model);
    sql_add(&query->sql, " AS ");
    sql_add(&query->sql, page->scope.root->alias);
    sql_add(&query->sql, " WHERE ");
    filter_condition(query, &page->scope, range);
    sql_add(&query->sql, " LIMIT ");
    query_integer(query, FEW_ROWS);
    sql_add(&query->sql, ")");
}

static Code find(struct page *page, struct filter *range)
{
    struct reading *reading = page->reading;
    struct query query;
    count_query(page, range, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = HERO__V1__CODE__OK;
    int rc = db_step(reading->db, stmt);
    if (rc == SQLITE_ROW)
        range->sparse = sqlite3_column_int64(stmt, 0) < FEW_ROWS;
    else
        code = db_fault(reading->db, rc, reading->fault, page->scope.root->model->name);
    db_release(reading->db, stmt);
    return code;
}

Code page_find_sparse(struct page *page)
{
    struct filter *filter = page->filter;
    if (!filter || page->parent || filter_pins(&page->scope, filter))
        return HERO__V1__CODE__OK;
    if (filter->kind != FILTER_ALL_OF)
        return is_open_range(page, filter) ? find(page, filter) : HERO__V1__CODE__OK;
    for (struct filter *part = filter->parts; part; part = part->next) {
        Code code = is_open_range(page, part) ? find(page, part) : HERO__V1__CODE__OK;
        if (code != HERO__V1__CODE__OK || part->sparse)
            return code;
    }
    return HERO__V1__CODE__OK;
}
