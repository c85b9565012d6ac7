/*
 * Reads, inside: a graph that grows row by row, and the relationships to
 * expand. get.c and list.c find the roots, expand.c what belongs to them,
 * graph_out.c keeps each record once.
 */
#ifndef HERO_STORE_READ_H
#define HERO_STORE_READ_H

#include "internal.h"
#include "key_table.h"
#include "scope.h"
#include "sql.h"

/* Where a record's edges of one relationship are in the graph. */
struct spread {
    bool loaded;
    size_t first, n;
};

/* A record of the answer. */
struct node {
    const struct model *model;
    const struct key_value *key; /* of its primary key; in the arena */
    uint64_t hash;
    uint32_t ref;
    const void *mark;       /* the expand step that collected it last */
    struct spread *spreads; /* by relationship of the model; NULL: none loaded yet */
    struct node *chain;
};

struct nodes {
    struct node **items;
    size_t n, size;
};

struct mask; /* reading.c */

struct reading {
    struct store *store;
    struct db *db;
    struct store_read *read;
    struct arena *arena;
    struct fault *fault;
    Hero__V1__Graph *graph;
    size_t max_records, max_edges; /* room in the graph's arrays */
    struct node **buckets;
    size_t n_buckets;
    struct nodes nodes;                /* all: the one with ref r at r - 1 */
    size_t bytes;                      /* of the answer so far */
    bool too_large;                    /* that is why the read failed */
    unsigned n_rows;                   /* touched so far */
    bool etags;                        /* records are told with theirs */
    unsigned n_sources;                /* tables named in its statements */
    struct mask *masks;                /* which columns are loaded, by model */
    const struct model *scratch_model; /* what scratch is a record of */
    ProtobufCMessage *scratch;         /* refilled for each row, text borrowed from it */
    const struct model *link_model;    /* the same for the links of edges */
    ProtobufCMessage *link;
};

/* One relationship to load, and those to load from there. */
struct expand {
    const struct relationship *relationship;
    struct expand *children, *next;
};

Code reading_no_memory(struct reading *reading);
/* Counts a row; ABORTED past the read's row budget, RESOURCE_EXHAUSTED where
 * the answer outgrows a message. */
MUST_CHECK Code reading_row(struct reading *reading, size_t bytes);

/* ---- reading.c ---- */

/* The model that the request names, and an empty graph. Violation at model. */
MUST_CHECK Code reading_start(struct reading *reading, const char *name,
                              const struct model **ret_model);
/* An empty graph again: the answer is made anew. */
void reading_reset(struct reading *reading);
/* These fields of the model's records are wanted, besides their key; none: all.
 * Violations at path[i]. */
MUST_CHECK Code reading_mask(struct reading *reading, const struct model *model,
                             char *const *fields, size_t n, const char *path);
/* "t0.id, t0.name, NULL": the model's columns in their order. */
void reading_columns(const struct reading *reading, struct sql *sql, const struct source *source);

/* ---- graph_out.c ---- */

/* The record in the row's columns from `first` on: the node it is already, or a new one. */
MUST_CHECK Code graph_out_row(struct reading *reading, sqlite3_stmt *stmt, int first,
                              const struct model *model, struct node **ret_node);
MUST_CHECK Code graph_out_edge(struct reading *reading, const struct node *from,
                               const struct relationship *relationship, const struct node *to,
                               uint32_t position);
/* The last edge gets the link's own columns, those of the row from `first` on. */
MUST_CHECK Code graph_out_link(struct reading *reading, sqlite3_stmt *stmt, int first,
                               const struct relationship *relationship);
MUST_CHECK Code nodes_add(struct reading *reading, struct nodes *nodes, struct node *node);
/* The roots' refs, in order. */
MUST_CHECK Code nodes_refs(struct reading *reading, const struct nodes *nodes, uint32_t **ret_refs);

/* ---- expand.c ---- */

/* "teams", "teams.heroes": a tree. Violations at expand[i]. */
MUST_CHECK Code expand_parse(struct reading *reading, const struct model *model, char *const *paths,
                             size_t n_paths, struct expand **ret_tree);
/* One statement for each relationship of the tree, however many records. */
MUST_CHECK Code expand_run(struct reading *reading, const struct expand *tree,
                           const struct nodes *roots);

#endif
