/*
 * Graphs: lookup of records by ref, and the paths that errors name.
 *
 * Works on the flat hero.v1.Graph. Memory is the caller's arena.
 */
#ifndef HERO_PROTO_GRAPH_H
#define HERO_PROTO_GRAPH_H

#include "hero/v1/graph.pb-c.h"
#include "arena.h"
#include "fault.h"
#include "model.h"

/* ref -> position, for one graph or several that share their refs. */
struct graph_refs {
    struct arena *arena;
    struct graph_slot *slots;
    size_t n_slots, n_used;
};

void graph_refs_init(struct graph_refs *refs, struct arena *arena);
/* false: ref is 0 or taken, or no memory (arena->exhausted tells). */
bool graph_refs_add(struct graph_refs *refs, uint32_t ref, void *value);
void *graph_refs_find(const struct graph_refs *refs, uint32_t ref);

/* Every record has a model and a ref of its own; edges join records of this
 * graph. Violations' paths are records[i], edges[i]. */
MUST_CHECK Code graph_check(const Hero__V1__Graph *graph, struct arena *arena, struct fault *fault);

/* The path of a record as its writer sees it: "" for a record no edge leads
 * to, "teams[0]" or "teams[0].heroes[2]" by the first edges from there. Where
 * there are several such roots: "records[i]" before it. Singular relationships
 * are "team"; without models (NULL) all have places. In the arena. */
const char *graph_path(const Hero__V1__Graph *graph, const struct models *models, size_t record,
                       struct arena *arena);

#endif
