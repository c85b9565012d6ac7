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
    size_t max_records, max_edges, max_lists; /* room in the graph's arrays */
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

struct expand; /* expand.h: a tree of relationships to load */

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

/* ", t1.role": the link's own columns behind those of related records, and how
 * many columns both are. */
void reading_link_columns(struct sql *sql, const struct scope *scope);
int reading_n_columns(const struct scope *scope);

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
/* What is told of a list, and what that adds to the answer at most. */
MUST_CHECK Code graph_out_list(struct reading *reading, Hero__V1__RelatedList *list, size_t bytes);
MUST_CHECK Code nodes_add(struct reading *reading, struct nodes *nodes, struct node *node);
/* The roots' refs, in order. */
MUST_CHECK Code nodes_refs(struct reading *reading, const struct nodes *nodes, uint32_t **ret_refs);

/* ---- get.c ---- */

/* The records that have these keys, in their order. Violations at only_path,
 * or at keys[i] where that is NULL. */
MUST_CHECK Code get_roots(struct reading *reading, const struct model *model,
                          ProtobufCMessage *const *keys, size_t n_keys, const char *only_path,
                          struct nodes *roots);

/* ---- expand_parse.c, expand.c ---- */

struct expand_request {
    char *const *paths; /* "teams", "teams.heroes" */
    size_t n_paths;
    Hero__V1__Expansion *const *expansions;
    size_t n_expansions;
};
/* A tree; NULL: nothing. Violations at expand[i] and expansions[i]. */
MUST_CHECK Code expand_parse(struct reading *reading, const struct model *model,
                             const struct expand_request *request, struct expand **ret_tree);
/* One statement for each relationship of the tree, however many records. */
MUST_CHECK Code expand_run(struct reading *reading, const struct expand *tree,
                           const struct nodes *roots);

#endif
