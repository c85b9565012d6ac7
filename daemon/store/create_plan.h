/*
 * The plan of a create: a graph's edges as relationships, and an order of
 * inserts in which each record's foreign keys find what they refer to.
 */
#ifndef HERO_STORE_CREATE_PLAN_H
#define HERO_STORE_CREATE_PLAN_H

#include "write.h"

struct planned_edge {
    const struct relationship *relationship;
    size_t from, to; /* positions in the graph */
    /* Without a link model: who holds the foreign key and whom it refers to. */
    const struct foreign_key *key;
    size_t child, parent;
    bool is_written;      /* with the child's insert */
    size_t next_of_child; /* position plus one; 0: none */
    size_t next_of_parent;
};

struct create_plan {
    struct commit *commit;
    const Hero__V1__Graph *graph;
    const struct entity *entities;
    struct planned_edge *edges; /* as the graph's */
    size_t *first_of_child;     /* by record: edges whose key it holds, as next_of_child */
    size_t *first_of_parent;
    size_t *order;  /* positions of records */
    bool *inserted; /* by record: it is there */
};

/* Reads the edges. INVALID_ARGUMENT at the edge's path ("teams",
 * "teams[0].heroes"). */
MUST_CHECK Code create_plan_edges(struct create_plan *plan);
/* FAILED_PRECONDITION where records need each other in a circle of keys that
 * can't be NULL. */
MUST_CHECK Code create_plan_order(struct create_plan *plan);
/* Where the edge is, as the writer of the graph sees it: "teams[0].heroes";
 * with its place: "teams[0].heroes[2]". */
const char *create_plan_path(struct create_plan *plan, size_t edge);
const char *create_plan_place(struct create_plan *plan, size_t edge);

#endif
