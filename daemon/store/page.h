/*
 * Pages: the records of a question (a model's, or those related to one record;
 * a filter; an order) from a place on, and how many there are in all.
 */
#ifndef HERO_STORE_PAGE_H
#define HERO_STORE_PAGE_H

#include "filter/filter.h"
#include "order.h"
#include "read.h"

struct page {
    struct reading *reading;
    struct scope scope;
    const struct node *parent; /* whose related records they are; NULL: none's */
    struct filter *filter;     /* NULL: all */
    struct order order;
    uint64_t shape;                /* of its tokens */
    const struct key_value *after; /* NULL: from the start */
    uint32_t size;
    /* out */
    struct nodes found;
    const struct key_value *last; /* of the last row, where there are more */
    bool more;
};

/* What requests for pages have in common. */
struct page_question {
    const char *filter;
    char *const *order_by;
    size_t n_order_by;
    uint32_t size;
    const ProtobufCBinaryData *token; /* NULL or empty: the first page */
};

extern const struct filter_limits page_filter_limits;

/* Reads the question; page->reading, scope and parent are set. Violations at
 * filter, order_by[i], page_token. */
MUST_CHECK Code page_ask(struct page *page, const struct page_question *question);
/* The token's shape: other questions don't take it. */
uint64_t page_shape(const struct order *order, const char *filter);

/* sparse.c: finds ranges of the filter that hold for few rows, before statements are made. */
MUST_CHECK Code page_find_sparse(struct page *page);
/* The statement of one piece (NULL: of the first page) and at most `limit` rows. */
void page_query(const struct page *page, const struct order_piece *piece, uint32_t limit,
                struct query *query);
/* Reads the page: its records and, of related ones, the edges from the parent. */
MUST_CHECK Code page_read(struct page *page);
/* A page that outgrew a message is made again with fewer records: page_size is
 * the most, and records may be of any size. false: it can't be smaller. */
bool page_shrink(struct page *page);
/* The token to go on after it. */
MUST_CHECK Code page_token(const struct page *page, protobuf_c_boolean *ret_has,
                           ProtobufCBinaryData *ret_token);

struct page_total {
    Hero__V1__ListRequest__Count kind;
    uint32_t limit; /* CAPPED */
    uint64_t total;
    bool capped;
};
/* Violations at count_limit and count. */
MUST_CHECK Code page_check_total(struct reading *reading, const struct page_total *total);
void page_total_query(const struct page *page, const struct page_total *total, struct query *query);
MUST_CHECK Code page_count(const struct page *page, struct page_total *total);

/* list.c: what a List asks, checked; page->reading is set. For who explains it, too. */
MUST_CHECK Code list_ask(struct page *page, struct page_total *total, struct expand **ret_tree,
                         const Hero__V1__ListRequest *request);

#endif
