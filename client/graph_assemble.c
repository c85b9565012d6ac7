/*
 * A flat graph to structs of the caller's descriptors. One struct per record,
 * made when it is first reached; works off a list, so that neither cycles nor
 * long chains matter. What the daemon sent is checked all the same: it may be
 * of another version.
 */
#include <string.h>
#include "binding.h"
#include "graph.h"
#include "graph_struct.h"
#include "scan.h"

/* A record of the graph on its way to become a struct. */
struct node {
    const Hero__V1__Record *wire;
    const struct binding *binding;
    ProtobufCMessage *record; /* NULL: not reached yet */
    struct link *links, **end;
};

struct link {
    const Hero__V1__Edge *edge;
    struct node *to;
    const ProtobufCFieldDescriptor *field; /* NULL: the caller's struct has none */
    size_t place;                          /* in the field's array */
    struct link *next;
};

struct assembly {
    struct bindings *bindings;
    struct arena *arena;
    struct fault *fault;
    struct graph_refs refs;
    struct node **reached; /* in the order reached */
    size_t n_reached;
    struct pointer_map *links; /* NULL: not wanted */
};

static Code no_memory(const struct assembly *assembly)
{
    return fault_set(assembly->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the reply takes more than %zu bytes as structs; ask for smaller pages",
                     assembly->arena->budget);
}

Code graph_struct_unpack(const struct binding *binding, const uint8_t *bytes, size_t len,
                         struct arena *arena, ProtobufCMessage **ret_record, struct fault *fault)
{
    struct scan_limits limits = scan_limits_record;
    ProtobufCMessage *record;
    Code code;

    /* A column that the caller's .proto doesn't know yet is no fault of its. */
    limits.refuse_unknown = false;
    code = scan_unpack(binding->columns, bytes, len, &limits, arena, &record, fault);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "a record of %s does not fit the struct %s of this program (%s); generate "
                         "it from the applied .proto",
                         binding->model->name, binding->descriptor->c_name,
                         fault && fault->n_violations ? fault->violations[0].description : "");
    if (code)
        return code;
    record->descriptor = binding->descriptor;
    record->n_unknown_fields = 0;
    record->unknown_fields = NULL;
    *ret_record = record;
    return HERO__V1__CODE__OK;
}

static Code reach(struct assembly *assembly, struct node *node,
                  const ProtobufCMessageDescriptor *descriptor)
{
    Code code;

    if (node->record) {
        if (node->record->descriptor == descriptor)
            return HERO__V1__CODE__OK;
        return fault_set(assembly->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "a record of %s is wanted as %s and as %s at once", node->wire->model,
                         descriptor->name, node->record->descriptor->name);
    }
    code = bindings_find(assembly->bindings, descriptor, &node->binding, assembly->fault);
    if (!code)
        code = graph_struct_unpack(node->binding, node->wire->value.data, node->wire->value.len,
                                   assembly->arena, &node->record, assembly->fault);
    if (!code)
        assembly->reached[assembly->n_reached++] = node;
    return code;
}

static Code reach_related(struct assembly *assembly, struct node *node)
{
    for (struct link *link = node->links; link; link = link->next) {
        const struct relationship *relationship =
            model_relationship(node->binding->model, link->edge->relationship);
        Code code;

        if (relationship)
            link->field = graph_struct_field(node->binding->descriptor, relationship);
        if (!link->field)
            continue;
        code = reach(assembly, link->to, link->field->descriptor);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

static size_t *count_of(const struct node *node, const ProtobufCFieldDescriptor *field)
{
    return (size_t *)(void *)((char *)node->record + field->quantifier_offset);
}

static Code keep_link(struct assembly *assembly, const struct node *node, const struct link *link)
{
    if (!assembly->links || !link->edge->has_link)
        return HERO__V1__CODE__OK;
    return pointer_map_put(assembly->links, node->record, link->field, link->to->record,
                           (void *)(uintptr_t)link->edge)
               ? HERO__V1__CODE__OK
               : no_memory(assembly);
}

/* The arrays of a node's struct, once all it leads to are structs. */
static Code fill(struct assembly *assembly, struct node *node)
{
    for (struct link *link = node->links; link; link = link->next)
        if (link->field && !graph_struct_is_single(link->field))
            link->place = (*count_of(node, link->field))++;
    for (struct link *link = node->links; link; link = link->next) {
        ProtobufCMessage ***array;
        Code code = link->field ? keep_link(assembly, node, link) : HERO__V1__CODE__OK;

        if (code)
            return code;
        if (!link->field)
            continue;
        if (graph_struct_is_single(link->field)) {
            *(ProtobufCMessage **)field_at(node->record, link->field) = link->to->record;
            continue;
        }
        array = field_at(node->record, link->field);
        if (!*array)
            *array = arena_array(assembly->arena, *count_of(node, link->field),
                                 sizeof(ProtobufCMessage *));
        if (!*array)
            return no_memory(assembly);
        (*array)[link->place] = link->to->record;
    }
    return HERO__V1__CODE__OK;
}

static Code broken(const struct assembly *assembly, const char *what, size_t index)
{
    return fault_set(assembly->fault, HERO__V1__CODE__INTERNAL,
                     "the daemon's graph is broken: %s[%zu]", what, index);
}

/* Nodes by ref, each with its links. */
static Code read_graph(struct assembly *assembly, const Hero__V1__Graph *graph)
{
    struct node *nodes = arena_array(assembly->arena, graph->n_records + 1, sizeof(*nodes));
    struct link *links = arena_array(assembly->arena, graph->n_edges + 1, sizeof(*links));

    if (!nodes || !links)
        return no_memory(assembly);
    graph_refs_init(&assembly->refs, assembly->arena);
    for (size_t i = 0; i < graph->n_records; i++) {
        nodes[i] = (struct node){.wire = graph->records[i], .end = &nodes[i].links};
        if (!graph_refs_add(&assembly->refs, graph->records[i]->ref, &nodes[i]))
            return assembly->arena->exhausted ? no_memory(assembly)
                                              : broken(assembly, "records", i);
    }
    for (size_t i = 0; i < graph->n_edges; i++) {
        const Hero__V1__Edge *edge = graph->edges[i];
        struct node *from = graph_refs_find(&assembly->refs, edge->from);

        links[i] = (struct link){.edge = edge, .to = graph_refs_find(&assembly->refs, edge->to)};
        if (!from || !links[i].to || !edge->relationship)
            return broken(assembly, "edges", i);
        *from->end = &links[i];
        from->end = &links[i].next;
    }
    return HERO__V1__CODE__OK;
}

static Code reach_roots(struct assembly *assembly, const uint32_t *roots, size_t n_roots,
                        const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **records)
{
    for (size_t i = 0; i < n_roots; i++) {
        struct node *node = graph_refs_find(&assembly->refs, roots[i]);
        Code code = node ? reach(assembly, node, descriptor) : broken(assembly, "roots", i);

        if (code)
            return code;
        records[i] = node->record;
    }
    return HERO__V1__CODE__OK;
}

Code graph_struct_assemble(struct bindings *bindings, const Hero__V1__Graph *graph,
                           const uint32_t *roots, size_t n_roots,
                           const ProtobufCMessageDescriptor *descriptor, struct arena *arena,
                           ProtobufCMessage ***ret_records, struct pointer_map *links,
                           struct fault *fault)
{
    ProtobufCMessage **all;

    return graph_struct_assemble_all(bindings, graph, roots, n_roots, descriptor, arena,
                                     ret_records, &all, links, fault);
}

/* The struct that each record of the graph became; NULL: none. */
static ProtobufCMessage **structs_of(const struct assembly *assembly, const Hero__V1__Graph *graph)
{
    ProtobufCMessage **all = arena_array(assembly->arena, graph->n_records + 1, sizeof(*all));

    for (size_t i = 0; all && i < graph->n_records; i++) {
        const struct node *node = graph_refs_find(&assembly->refs, graph->records[i]->ref);

        all[i] = node ? node->record : NULL;
    }
    return all;
}

Code graph_struct_assemble_all(struct bindings *bindings, const Hero__V1__Graph *graph,
                               const uint32_t *roots, size_t n_roots,
                               const ProtobufCMessageDescriptor *descriptor, struct arena *arena,
                               ProtobufCMessage ***ret_records, ProtobufCMessage ***ret_all,
                               struct pointer_map *links, struct fault *fault)
{
    struct assembly assembly = {
        .bindings = bindings, .arena = arena, .fault = fault, .links = links};
    static const Hero__V1__Graph empty = HERO__V1__GRAPH__INIT;
    ProtobufCMessage **records = arena_array(arena, n_roots + 1, sizeof(*records));
    Code code;

    if (!graph)
        graph = &empty;
    assembly.reached = arena_array(arena, graph->n_records + 1, sizeof(*assembly.reached));
    if (!records || !assembly.reached)
        return no_memory(&assembly);
    code = read_graph(&assembly, graph);
    if (!code)
        code = reach_roots(&assembly, roots, n_roots, descriptor, records);
    for (size_t i = 0; !code && i < assembly.n_reached; i++)
        code = reach_related(&assembly, assembly.reached[i]);
    for (size_t i = 0; !code && i < assembly.n_reached; i++)
        code = fill(&assembly, assembly.reached[i]);
    if (code)
        return code;
    *ret_records = records;
    *ret_all = structs_of(&assembly, graph);
    return *ret_all ? code : no_memory(&assembly);
}
