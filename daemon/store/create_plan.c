/*
 * Orders the inserts of a graph. A record waits for those that its keys refer
 * to; where records wait for each other, one whose keys may be NULL goes first
 * and gets its key afterwards.
 */
#include "create_plan.h"
#include <string.h>
#include "relate.h"

const char *create_plan_path(struct create_plan *plan, size_t edge)
{
    struct commit *commit = plan->commit;
    return commit_path(
        commit, graph_path(plan->graph, commit->models, plan->edges[edge].from, commit->arena),
        plan->graph->edges[edge]->relationship);
}

const char *create_plan_place(struct create_plan *plan, size_t edge)
{
    const char *path = create_plan_path(plan, edge), *place = path;
    const Hero__V1__Edge *wire = plan->graph->edges[edge];
    unsigned before = 0;
    for (size_t i = 0; i < edge; i++)
        before += plan->edges[i].from == plan->edges[edge].from &&
                  plan->edges[i].relationship == plan->edges[edge].relationship;
    if (!plan->edges[edge].relationship->single)
        place = arena_printf(plan->commit->arena, "%s[%u]", path,
                             wire->has_position ? wire->position : before);
    return place ? place : path;
}

/* ---- edges ---- */

static Code read_edge(struct create_plan *plan, const struct graph_refs *refs, size_t i)
{
    struct commit *commit = plan->commit;
    const Hero__V1__Edge *edge = plan->graph->edges[i];
    struct planned_edge *planned = &plan->edges[i];
    planned->from = (size_t)(uintptr_t)graph_refs_find(refs, edge->from) - 1;
    planned->to = (size_t)(uintptr_t)graph_refs_find(refs, edge->to) - 1;
    const struct entity *from = &plan->entities[planned->from];
    const struct entity *to = &plan->entities[planned->to];
    const struct relationship *relationship = model_relationship(from->model, edge->relationship);
    if (!relationship)
        return fault_add(commit->fault, create_plan_path(plan, i),
                         "%s has no relationship called %s", from->model->name, edge->relationship);
    if (relationship->target != to->model)
        return fault_add(commit->fault, create_plan_path(plan, i), "%s.%s relates to %s, not to %s",
                         from->model->name, relationship->name, relationship->target->name,
                         to->model->name);
    planned->relationship = relationship;
    if (relationship->kind == RELATIONSHIP_MANY_TO_MANY)
        return HERO__V1__CODE__OK;
    bool own = relationship->kind == RELATIONSHIP_OWN_KEY;
    planned->key = relationship->from;
    planned->child = own ? planned->from : planned->to;
    planned->parent = own ? planned->to : planned->from;
    planned->next_of_child = plan->first_of_child[planned->child];
    planned->next_of_parent = plan->first_of_parent[planned->parent];
    plan->first_of_child[planned->child] = plan->first_of_parent[planned->parent] = i + 1;
    return HERO__V1__CODE__OK;
}

Code create_plan_edges(struct create_plan *plan)
{
    struct arena *arena = plan->commit->arena;
    const Hero__V1__Graph *graph = plan->graph;
    struct graph_refs refs;
    graph_refs_init(&refs, arena);
    plan->edges = arena_array(arena, graph->n_edges + 1, sizeof(*plan->edges));
    plan->first_of_child = arena_array(arena, graph->n_records, sizeof(size_t));
    plan->first_of_parent = arena_array(arena, graph->n_records, sizeof(size_t));
    plan->order = arena_array(arena, graph->n_records, sizeof(size_t));
    if (!plan->edges || !plan->first_of_child || !plan->first_of_parent || !plan->order)
        return commit_no_memory(plan->commit);
    for (size_t i = 0; i < graph->n_records; i++)
        if (!graph_refs_add(&refs, graph->records[i]->ref, (void *)(uintptr_t)(i + 1)))
            return commit_no_memory(plan->commit);
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < graph->n_edges && code == HERO__V1__CODE__OK; i++)
        code = read_edge(plan, &refs, i);
    return code;
}

/* ---- a heap of positions: the first by model, then as given ---- */

struct heap {
    const struct entity *entities;
    size_t *items;
    size_t n;
};

static bool comes_before(const struct heap *heap, size_t a, size_t b)
{
    unsigned first = heap->entities[a].model->position;
    unsigned second = heap->entities[b].model->position;
    return first != second ? first < second : a < b;
}

static void heap_push(struct heap *heap, size_t item)
{
    size_t at = heap->n++;
    for (; at > 0 && comes_before(heap, item, heap->items[(at - 1) / 2]); at = (at - 1) / 2)
        heap->items[at] = heap->items[(at - 1) / 2];
    heap->items[at] = item;
}

static size_t heap_pop(struct heap *heap)
{
    size_t first = heap->items[0], last = heap->items[--heap->n], at = 0;
    for (size_t child; (child = 2 * at + 1) < heap->n; at = child) {
        if (child + 1 < heap->n && comes_before(heap, heap->items[child + 1], heap->items[child]))
            child++;
        if (comes_before(heap, last, heap->items[child]))
            break;
        heap->items[at] = heap->items[child];
    }
    heap->items[at] = last;
    return first;
}

/* ---- the order ---- */

struct ordering {
    struct create_plan *plan;
    struct heap ready;   /* all that they refer to is there */
    struct heap willing; /* the rest can be NULL for now */
    size_t *waits;       /* by record: edges that it still waits for */
    size_t *needs;       /* of them: by keys that can't be NULL */
    bool *placed;
    size_t n_placed;
};

static bool is_inserted(const struct create_plan *plan, size_t record)
{
    return plan->graph->records[record]->member != HERO__V1__RECORD__MEMBER__KEY;
}

/* A record's key to itself is filled when it has a key of its own to fill it with. */
static bool waits_for(const struct create_plan *plan, const struct planned_edge *edge)
{
    return edge->key && is_inserted(plan, edge->child) &&
           (edge->parent != edge->child ||
            !reference_can_refer_to(edge->key, plan->entities[edge->child].record));
}

static bool ordering_init(struct ordering *ordering, struct create_plan *plan)
{
    struct arena *arena = plan->commit->arena;
    size_t n = plan->graph->n_records;
    *ordering = (struct ordering){.plan = plan};
    ordering->waits = arena_array(arena, n, sizeof(size_t));
    ordering->needs = arena_array(arena, n, sizeof(size_t));
    ordering->placed = arena_array(arena, n, sizeof(bool));
    ordering->ready.items = arena_array(arena, n + 1, sizeof(size_t));
    ordering->willing.items = arena_array(arena, n + 1, sizeof(size_t));
    ordering->ready.entities = ordering->willing.entities = plan->entities;
    return ordering->waits && ordering->needs && ordering->placed && ordering->ready.items &&
           ordering->willing.items;
}

static void count_waits(struct ordering *ordering)
{
    const struct create_plan *plan = ordering->plan;
    for (size_t i = 0; i < plan->graph->n_edges; i++) {
        const struct planned_edge *edge = &plan->edges[i];
        if (!waits_for(plan, edge))
            continue;
        ordering->waits[edge->child]++;
        ordering->needs[edge->child] += !foreign_key_can_clear(edge->key);
    }
    for (size_t i = 0; i < plan->graph->n_records; i++)
        if (ordering->waits[i] == 0)
            heap_push(&ordering->ready, i);
        else if (ordering->needs[i] == 0)
            heap_push(&ordering->willing, i);
}

/* Records that waited for this one wait no longer. */
static void place(struct ordering *ordering, size_t record)
{
    struct create_plan *plan = ordering->plan;
    ordering->placed[record] = true;
    plan->order[ordering->n_placed++] = record;
    for (size_t e = plan->first_of_parent[record]; e; e = plan->edges[e - 1].next_of_parent) {
        const struct planned_edge *edge = &plan->edges[e - 1];
        if (!waits_for(plan, edge) || ordering->placed[edge->child])
            continue;
        bool needed = !foreign_key_can_clear(edge->key);
        ordering->waits[edge->child]--;
        ordering->needs[edge->child] -= needed;
        if (ordering->waits[edge->child] == 0)
            heap_push(&ordering->ready, edge->child);
        else if (needed && ordering->needs[edge->child] == 0)
            heap_push(&ordering->willing, edge->child);
    }
}

static Code fail_circle(struct ordering *ordering)
{
    struct create_plan *plan = ordering->plan;
    struct commit *commit = plan->commit;
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "records that refer to each other in a circle can't be created: none of them can "
              "be first");
    for (size_t i = 0; i < plan->graph->n_edges; i++) {
        const struct planned_edge *edge = &plan->edges[i];
        if (!waits_for(plan, edge) || ordering->placed[edge->child] ||
            ordering->placed[edge->parent] || foreign_key_can_clear(edge->key))
            continue;
        fault_add(commit->fault, create_plan_path(plan, i),
                  "%s.%s can't be NULL, and the %s that it refers to comes later; let one key of "
                  "the circle be NULL, or create them one after the other",
                  edge->key->model->name, foreign_key_text(edge->key, commit->arena),
                  edge->key->target->name);
    }
    return commit->fault->code;
}

Code create_plan_order(struct create_plan *plan)
{
    struct ordering ordering;
    if (!ordering_init(&ordering, plan))
        return commit_no_memory(plan->commit);
    count_waits(&ordering);
    while (ordering.n_placed < plan->graph->n_records) {
        struct heap *heap = ordering.ready.n > 0 ? &ordering.ready : &ordering.willing;
        if (heap->n == 0)
            return fail_circle(&ordering);
        size_t record = heap_pop(heap);
        if (!ordering.placed[record])
            place(&ordering, record);
    }
    return HERO__V1__CODE__OK;
}
