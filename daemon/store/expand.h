/*
 * Expanding, inside: one relationship of the tree and what is asked of it.
 * expand_parse.c reads the request, expand_query.c writes the statements,
 * expand.c runs them level by level.
 */
#ifndef HERO_STORE_EXPAND_H
#define HERO_STORE_EXPAND_H

#include "page.h"
#include "read.h"

/* One relationship to load, and those to load from there. */
struct expand {
    const struct relationship *relationship;
    struct expand *children, *next;
    const Hero__V1__Expansion *asked; /* NULL: all related records in their own order */
    size_t index;                     /* in the request's expansions */
    struct scope scope;
    struct filter *filter;
    struct order order;
    uint64_t shape; /* of the lists' tokens */
    /* The same records again, where those of each parent are chosen first. */
    struct scope chosen;
    struct order chosen_order;
    uint32_t cap; /* records for each parent; 0: all */
};

/* Related records of the parents: their place among the parents, then their
 * columns, then the order's where there is a cap. */
void expand_level_query(struct reading *reading, const struct expand *expand,
                        const struct nodes *parents, const struct key_list *keys,
                        struct query *query);
/* Where in its rows the order's columns begin. */
int expand_order_at(const struct expand *expand);
/* Each parent's place and how many records there are for it. */
void expand_total_query(struct reading *reading, const struct expand *expand,
                        const struct key_list *keys, struct query *query);

#endif
