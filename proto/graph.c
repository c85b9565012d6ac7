/*
 * Owns the lookup tables of graphs, in the caller's arena. Knows of models
 * only which relationships are singular: they have no places.
 */
#include "graph.h"

#include <stdio.h>
#include <string.h>

/* Tables over a graph as large as a frame can hold. */
#define SCRATCH_BYTES (64u << 20)

struct graph_slot {
    uint32_t ref; /* 0: free */
    void *value;
};

void graph_refs_init(struct graph_refs *refs, struct arena *arena)
{
    memset(refs, 0, sizeof *refs);
    refs->arena = arena;
}

static struct graph_slot *slot_of(const struct graph_refs *refs, uint32_t ref)
{
    size_t mask = refs->n_slots - 1; /* a power of two, never full */
    size_t i = (ref * UINT32_C(2654435761)) & mask;
    while (refs->slots[i].ref != 0 && refs->slots[i].ref != ref)
        i = (i + 1) & mask;
    return &refs->slots[i];
}

static bool grow(struct graph_refs *refs)
{
    struct graph_refs larger = *refs;
    larger.n_slots = refs->n_slots ? refs->n_slots * 4 : 16;
    larger.slots = arena_array(refs->arena, larger.n_slots, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < refs->n_slots; i++)
        if (refs->slots[i].ref != 0)
            *slot_of(&larger, refs->slots[i].ref) = refs->slots[i];
    *refs = larger;
    return true;
}

bool graph_refs_add(struct graph_refs *refs, uint32_t ref, void *value)
{
    if (ref == 0 || (refs->n_used * 2 >= refs->n_slots && !grow(refs)))
        return false;
    struct graph_slot *slot = slot_of(refs, ref);
    if (slot->ref == ref)
        return false;
    slot->ref = ref;
    slot->value = value;
    refs->n_used++;
    return true;
}

void *graph_refs_find(const struct graph_refs *refs, uint32_t ref)
{
    return ref == 0 || refs->n_slots == 0 ? NULL : slot_of(refs, ref)->value;
}

static void check_edge(const Hero__V1__Edge *edge, size_t i, const struct graph_refs *refs,
                       struct fault *fault)
{
    char path[48];
    snprintf(path, sizeof path, "edges[%zu]", i);
    if (!graph_refs_find(refs, edge->from) || !graph_refs_find(refs, edge->to))
        fault_add(fault, path, "joins %u and %u, which are not both records of this graph",
                  edge->from, edge->to);
    if (!edge->relationship || !*edge->relationship)
        fault_add(fault, path, "names no relationship");
}

Code graph_check(const Hero__V1__Graph *graph, struct arena *arena, struct fault *fault)
{
    struct fault found = FAULT_INIT;
    struct graph_refs refs;
    char path[48];
    if (!fault)
        fault = &found;
    graph_refs_init(&refs, arena);
    for (size_t i = 0; i < graph->n_records; i++) {
        const Hero__V1__Record *record = graph->records[i];
        snprintf(path, sizeof path, "records[%zu]", i);
        if (!record->model || !*record->model)
            fault_add(fault, path, "names no model");
        if (!graph_refs_add(&refs, record->ref, (void *)(uintptr_t)record) && !arena->exhausted)
            fault_add(fault, path, "ref %u is 0 or names another record", record->ref);
    }
    if (arena->exhausted)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the graph of %zu records is too large", graph->n_records);
    for (size_t i = 0; i < graph->n_edges; i++)
        check_edge(graph->edges[i], i, &refs, fault);
    Code code = fault->code;
    fault_done(&found);
    return code;
}

/* How a record is reached: through the first edge that leads to it from one
 * that has a path already. */
struct step {
    const Hero__V1__Edge *edge; /* NULL: nothing leads here */
    size_t from;
    bool reached;
};

/* Edges by the record they leave from: lists of positions plus one. */
struct leaving {
    size_t *first, *next;
};

static bool list_leaving(const Hero__V1__Graph *graph, const struct graph_refs *refs,
                         struct arena *arena, struct leaving *ret)
{
    ret->first = arena_array(arena, graph->n_records + 1, sizeof *ret->first);
    ret->next = arena_array(arena, graph->n_edges + 1, sizeof *ret->next);
    if (!ret->first || !ret->next)
        return false;
    for (size_t e = graph->n_edges; e-- > 0;) {
        size_t from = (size_t)(uintptr_t)graph_refs_find(refs, graph->edges[e]->from);
        ret->next[e] = ret->first[from]; /* those from nowhere hang at 0, unused */
        ret->first[from] = e + 1;
    }
    return true;
}

/* Records that no edge leads to; and the first, which is one even on a cycle. */
static size_t start_at_roots(const Hero__V1__Graph *graph, const struct graph_refs *refs,
                             struct step *steps, size_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_records; i++)
        steps[i].reached = true;
    for (size_t e = 0; e < graph->n_edges; e++) {
        size_t to = (size_t)(uintptr_t)graph_refs_find(refs, graph->edges[e]->to);
        if (to > 1 && graph->edges[e]->from != graph->edges[e]->to)
            steps[to - 1].reached = false;
    }
    for (size_t i = 0; i < graph->n_records; i++)
        if (steps[i].reached)
            order[n++] = i;
    return n;
}

static bool find_steps(const Hero__V1__Graph *graph, struct step *steps, struct arena *arena,
                       size_t *ret_roots)
{
    struct graph_refs refs;
    struct leaving leaving;
    size_t *order = arena_array(arena, graph->n_records, sizeof *order);
    graph_refs_init(&refs, arena);
    for (size_t i = 0; i < graph->n_records; i++)
        graph_refs_add(&refs, graph->records[i]->ref, (void *)(uintptr_t)(i + 1));
    if (!order || arena->exhausted || !list_leaving(graph, &refs, arena, &leaving))
        return false;
    size_t n_order = *ret_roots = start_at_roots(graph, &refs, steps, order);
    for (size_t at = 0; at < n_order; at++) /* breadth first */
        for (size_t e = leaving.first[order[at] + 1]; e; e = leaving.next[e - 1]) {
            const Hero__V1__Edge *edge = graph->edges[e - 1];
            size_t to = (size_t)(uintptr_t)graph_refs_find(&refs, edge->to);
            if (!to || steps[to - 1].reached)
                continue;
            steps[to - 1] = (struct step){edge, order[at], true};
            order[n_order++] = to - 1;
        }
    return true;
}

static bool is_single(const struct models *models, const Hero__V1__Record *from, const char *name)
{
    const struct model *model = models ? models_find(models, from->model, NULL) : NULL;
    const struct relationship *relationship = model ? model_relationship(model, name) : NULL;
    return relationship && relationship->single;
}

static size_t index_among(const Hero__V1__Graph *graph, const Hero__V1__Edge *edge)
{
    size_t before = 0;
    for (size_t e = 0; e < graph->n_edges && graph->edges[e] != edge; e++)
        if (graph->edges[e]->from == edge->from &&
            strcmp(graph->edges[e]->relationship, edge->relationship) == 0)
            before++;
    return edge->has_position ? edge->position : before;
}

/* "teams[0]", or "team" of a singular relationship. */
static const char *step_text(const Hero__V1__Graph *graph, const struct step *step,
                             const struct models *models, struct arena *arena)
{
    const char *name = step->edge->relationship;
    if (is_single(models, graph->records[step->from], name))
        return name;
    return arena_printf(arena, "%s[%zu]", name, index_among(graph, step->edge));
}

static const char *path_through(const Hero__V1__Graph *graph, const struct models *models,
                                const struct step *steps, size_t record, const char *root,
                                struct arena *arena)
{
    const char *path = NULL;
    while (steps[record].edge) {
        const char *text = step_text(graph, &steps[record], models, arena);
        path = text && path ? arena_printf(arena, "%s.%s", text, path) : text;
        if (!path)
            return root;
        record = steps[record].from;
    }
    if (!path)
        return root;
    return *root ? arena_printf(arena, "%s.%s", root, path) : path;
}

/* A path longer than this tells nobody anything. */
#define PATH_STEPS 16

static const char *find_path(const Hero__V1__Graph *graph, const struct models *models,
                             size_t record, struct arena *scratch, struct arena *arena)
{
    size_t n_roots = 0, root = record, n_steps = 0;
    struct step *steps = arena_array(scratch, graph->n_records, sizeof *steps);
    if (!steps || record >= graph->n_records || !find_steps(graph, steps, scratch, &n_roots))
        return "";
    for (; steps[root].edge && n_steps <= PATH_STEPS; n_steps++)
        root = steps[root].from;
    if (!steps[record].reached || n_steps > PATH_STEPS)
        return arena_printf(arena, "records[%zu]", record);
    const char *prefix = n_roots > 1 ? arena_printf(arena, "records[%zu]", root) : "";
    return path_through(graph, models, steps, record, prefix ? prefix : "", arena);
}

/* The tables go at once: a request with many faults asks for many paths. */
const char *graph_path(const Hero__V1__Graph *graph, const struct models *models, size_t record,
                       struct arena *arena)
{
    struct arena scratch;
    arena_init(&scratch, SCRATCH_BYTES);
    const char *path = find_path(graph, models, record, &scratch, arena);
    arena_done(&scratch);
    return path ? path : "";
}
