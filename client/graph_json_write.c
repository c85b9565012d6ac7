/*
 * A flat graph to JSON that nests along the paths asked for. Cycles end with
 * the paths; a record that is reached twice along one path is made once and
 * shared, so that what is in memory does not grow as the text does.
 */
#include <string.h>
#include "base64.h"
#include "graph.h"
#include "field_mask.h"
#include "graph_json.h"
#include "scan.h"

struct out_edge {
    const char *relationship;
    struct node *to;
    const Hero__V1__Edge *wire;
    struct out_edge *next;
};

/* What was made of a record along one path. */
struct made {
    const struct expand_node *expand;
    json_t *value; /* borrowed from keep */
    struct made *next;
};

struct node {
    const Hero__V1__Record *wire;
    const struct model *model;
    ProtobufCMessage *record;
    struct out_edge *edges, **edges_end;
    struct made *made;
    struct told_list *lists;
};

/* What was told of a list. */
struct told_list {
    const Hero__V1__RelatedList *wire;
    struct told_list *next;
};

struct writing {
    const struct models *models;
    struct arena *arena;
    struct fault *fault;
    const struct field_mask *masks; /* NULL: all columns */
    struct graph_refs refs;
    json_t *keep; /* holds all values until the end */
};

static Code no_memory(const struct writing *writing)
{
    return fault_set(writing->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory for the answer as JSON; ask for smaller pages or expand less");
}

static Code broken(const struct writing *writing, const char *what, size_t index)
{
    return fault_set(writing->fault, HERO__V1__CODE__INTERNAL,
                     "the daemon's graph is broken: %s[%zu]", what, index);
}

/* ---- one record ---- */

static const struct model *model_of(const struct models *models, const char *name)
{
    for (size_t i = 0; name && i < models->n_models; i++)
        if (!strcmp(models->models[i].name, name))
            return &models->models[i];
    return name ? models_find(models, name, NULL) : NULL;
}

static Code unpack(struct writing *writing, struct node *node)
{
    struct scan_limits limits = scan_limits_record;
    Code code;

    /* A column that was added since the models were fetched is no fault. */
    limits.refuse_unknown = false;
    if (node->record)
        return HERO__V1__CODE__OK;
    node->model = model_of(writing->models, node->wire->model);
    if (!node->model)
        return fault_set(writing->fault, HERO__V1__CODE__ABORTED,
                         "the answer holds records of %.128s, which was not served when the "
                         "request was made; ask again",
                         node->wire->model ? node->wire->model : "no model");
    code = scan_unpack(node->model->descriptor, node->wire->value.data, node->wire->value.len,
                       &limits, writing->arena, &node->record, NULL);
    if (code)
        return fault_set(writing->fault, HERO__V1__CODE__INTERNAL,
                         "a record of %s in the daemon's answer is not readable",
                         node->model->name);
    return HERO__V1__CODE__OK;
}

static const struct expand_node *find_expand(const struct expand_node *expand, const char *name)
{
    for (; expand; expand = expand->next)
        if (!strcmp(expand->name, name))
            return expand;
    return NULL;
}

static Code write_node(struct writing *writing, struct node *node, const struct expand_node *expand,
                       json_t **ret_value);

/* The link's own columns; its ends are the records. */
static Code write_link(struct writing *writing, const struct relationship *relationship,
                       const ProtobufCBinaryData *link, json_t *object)
{
    const struct model *model = relationship->link;
    struct scan_limits limits = scan_limits_record;
    json_t *columns = json_object();
    ProtobufCMessage *record;

    limits.refuse_unknown = false;
    if (!columns || json_object_set_new_nocheck(object, "@link", columns))
        return no_memory(writing);
    if (scan_unpack(model->descriptor, link->data, link->len, &limits, writing->arena, &record,
                    NULL))
        return fault_set(writing->fault, HERO__V1__CODE__INTERNAL,
                         "a link of %s in the daemon's answer is not readable", model->name);
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];

        if (foreign_key_has(relationship->from, column) ||
            foreign_key_has(relationship->to, column))
            continue;
        if (json_object_set_new_nocheck(columns, column->field_name,
                                        json_write_field(record, column->field)))
            return no_memory(writing);
    }
    return HERO__V1__CODE__OK;
}

/* The related record; with what the link holds it is this edge's alone. */
static Code write_edge(struct writing *writing, const struct relationship *relationship,
                       const struct out_edge *edge, const struct expand_node *expand,
                       json_t **ret_value)
{
    json_t *value = NULL;
    Code code = write_node(writing, edge->to, expand->children, &value);

    if (code || !edge->wire->has_link || !relationship || !relationship->link) {
        if (!code)
            *ret_value = json_incref(value);
        return code;
    }
    value = json_copy(value);
    if (!value)
        return no_memory(writing);
    code = write_link(writing, relationship, &edge->wire->link, value);
    if (code)
        json_decref(value);
    else
        *ret_value = value;
    return code;
}

static Code write_related(struct writing *writing, struct node *node,
                          const struct expand_node *expand, json_t *object)
{
    const struct relationship *relationship = model_relationship(node->model, expand->name);
    bool single = relationship && relationship->single;
    json_t *array = single ? json_null() : json_array();

    if (!array || json_object_set_new_nocheck(object, expand->name, array))
        return no_memory(writing);
    for (const struct out_edge *edge = node->edges; edge; edge = edge->next) {
        json_t *value = NULL;
        Code code;

        if (strcmp(edge->relationship, expand->name))
            continue;
        code = write_edge(writing, relationship, edge, expand, &value);
        if (code)
            return code;
        if (single ? json_object_set_new_nocheck(object, expand->name, value)
                   : json_array_append_new(array, value))
            return no_memory(writing);
    }
    return HERO__V1__CODE__OK;
}

/* "@teams": what was told of the list beside it. */
static Code write_lists(struct writing *writing, const struct node *node, const char *name,
                        json_t *object)
{
    for (const struct told_list *list = node->lists; list; list = list->next) {
        const Hero__V1__RelatedList *told = list->wire;
        char *member = arena_printf(writing->arena, "@%s", name);
        json_t *about;

        if (strcmp(told->relationship, name))
            continue;
        about = json_object();
        if (!member || !about || json_object_set_new_nocheck(object, member, about))
            return no_memory(writing);
        if (told->has_total &&
            json_object_set_new(about, "total", json_integer((json_int_t)told->total)))
            return no_memory(writing);
        if (told->has_next_page_token &&
            json_object_set_new(about, "next_page_token",
                                json_string(base64_text(writing->arena, told->next_page_token))))
            return no_memory(writing);
        if (told->has_etag &&
            json_object_set_new(about, "etag",
                                json_string(base64_text(writing->arena, told->etag))))
            return no_memory(writing);
    }
    return HERO__V1__CODE__OK;
}

/* Members in the order of declaration, relationships where they were declared. */
static Code write_members(struct writing *writing, struct node *node,
                          const struct expand_node *expand, json_t *object)
{
    const Google__Protobuf__DescriptorProto *proto = node->model->proto;

    for (size_t i = 0; i < proto->n_field; i++) {
        const char *name = proto->field[i]->name;
        const struct column *column = model_column(node->model, name);
        const struct expand_node *shown = column ? NULL : find_expand(expand, name);
        Code code;

        if (column && !field_mask_has(writing->masks, column))
            continue;
        if (column) {
            if (json_object_set_new_nocheck(object, name,
                                            json_write_field(node->record, column->field)))
                return no_memory(writing);
        } else if (shown) {
            code = write_related(writing, node, shown, object);
            if (!code)
                code = write_lists(writing, node, shown->name, object);
            if (code)
                return code;
        }
    }
    return HERO__V1__CODE__OK;
}

static Code write_etag(struct writing *writing, const struct node *node, json_t *object)
{
    const char *etag;

    if (!node->wire->has_etag)
        return HERO__V1__CODE__OK;
    etag = base64_text(writing->arena, node->wire->etag);
    if (!etag || json_object_set_new_nocheck(object, "@etag", json_string_nocheck(etag)))
        return no_memory(writing);
    return HERO__V1__CODE__OK;
}

/* A borrowed value. The depth is that of the expand paths. */
static Code write_node(struct writing *writing, struct node *node, const struct expand_node *expand,
                       json_t **ret_value)
{
    struct made *made;
    json_t *object;
    Code code = unpack(writing, node);

    if (code)
        return code;
    for (made = node->made; made; made = made->next)
        if (made->expand == expand) {
            *ret_value = made->value;
            return HERO__V1__CODE__OK;
        }
    object = json_object();
    made = arena_alloc(writing->arena, sizeof(*made));
    if (!made || json_array_append_new(writing->keep, object))
        return no_memory(writing);
    *made = (struct made){expand, object, node->made};
    node->made = made;
    code = write_members(writing, node, expand, object);
    if (!code)
        code = write_etag(writing, node, object);
    if (!code)
        *ret_value = object;
    return code;
}

/* ---- the graph ---- */

static Code read_nodes(struct writing *writing, const Hero__V1__Graph *graph)
{
    struct node *nodes = arena_array(writing->arena, graph->n_records + 1, sizeof(*nodes));

    if (!nodes)
        return no_memory(writing);
    graph_refs_init(&writing->refs, writing->arena);
    for (size_t i = 0; i < graph->n_records; i++) {
        nodes[i].wire = graph->records[i];
        nodes[i].edges_end = &nodes[i].edges;
        if (!graph_refs_add(&writing->refs, graph->records[i]->ref, &nodes[i]))
            return writing->arena->exhausted ? no_memory(writing) : broken(writing, "records", i);
    }
    return HERO__V1__CODE__OK;
}

static Code read_edges(struct writing *writing, const Hero__V1__Graph *graph)
{
    struct out_edge *edges = arena_array(writing->arena, graph->n_edges + 1, sizeof(*edges));

    if (!edges)
        return no_memory(writing);
    for (size_t i = 0; i < graph->n_edges; i++) {
        struct node *from = graph_refs_find(&writing->refs, graph->edges[i]->from);

        edges[i].to = graph_refs_find(&writing->refs, graph->edges[i]->to);
        edges[i].relationship = graph->edges[i]->relationship;
        edges[i].wire = graph->edges[i];
        if (!from || !edges[i].to || !edges[i].relationship)
            return broken(writing, "edges", i);
        *from->edges_end = &edges[i];
        from->edges_end = &edges[i].next;
    }
    return HERO__V1__CODE__OK;
}

static Code read_lists(struct writing *writing, const Hero__V1__Graph *graph)
{
    struct told_list *lists = arena_array(writing->arena, graph->n_lists + 1, sizeof(*lists));

    if (!lists)
        return no_memory(writing);
    for (size_t i = 0; i < graph->n_lists; i++) {
        struct node *from = graph_refs_find(&writing->refs, graph->lists[i]->from);

        if (!from || !graph->lists[i]->relationship)
            return broken(writing, "lists", i);
        lists[i] = (struct told_list){graph->lists[i], from->lists};
        from->lists = &lists[i];
    }
    return HERO__V1__CODE__OK;
}

static Code write_roots(struct writing *writing, const uint32_t *roots, size_t n_roots,
                        const struct expand_node *expand, json_t *array)
{
    for (size_t i = 0; i < n_roots; i++) {
        struct node *node = graph_refs_find(&writing->refs, roots[i]);
        json_t *value;
        Code code = node ? write_node(writing, node, expand, &value) : broken(writing, "roots", i);

        if (code)
            return code;
        if (json_array_append(array, value))
            return no_memory(writing);
    }
    return HERO__V1__CODE__OK;
}

Code graph_json_write(const struct models *models, const Hero__V1__Graph *graph,
                      const uint32_t *roots, size_t n_roots, const struct expand_node *expand,
                      struct arena *arena, json_t **ret_array, struct fault *fault)
{
    return graph_json_write_fields(models, graph, roots, n_roots, expand, NULL, arena, ret_array,
                                   fault);
}

Code graph_json_write_fields(const struct models *models, const Hero__V1__Graph *graph,
                             const uint32_t *roots, size_t n_roots,
                             const struct expand_node *expand, const struct field_mask *masks,
                             struct arena *arena, json_t **ret_array, struct fault *fault)
{
    static const Hero__V1__Graph empty = HERO__V1__GRAPH__INIT;
    struct writing writing = {
        .models = models, .masks = masks, .arena = arena, .fault = fault, .keep = json_array()};
    json_t *array = json_array();
    Code code = HERO__V1__CODE__OK;

    if (!graph)
        graph = &empty;
    if (!writing.keep || !array)
        code = no_memory(&writing);
    if (!code)
        code = read_nodes(&writing, graph);
    if (!code)
        code = read_edges(&writing, graph);
    if (!code)
        code = read_lists(&writing, graph);
    if (!code)
        code = write_roots(&writing, roots, n_roots, expand, array);
    json_decref(writing.keep);
    if (code)
        json_decref(array);
    else
        *ret_array = array;
    return code;
}

Code graph_json_record(const struct models *models, const Hero__V1__Record *record,
                       struct arena *arena, json_t **ret_value, struct fault *fault)
{
    struct writing writing = {
        .models = models, .arena = arena, .fault = fault, .keep = json_array()};
    struct node node = {.wire = record};
    json_t *value;
    Code code = writing.keep ? write_node(&writing, &node, NULL, &value) : no_memory(&writing);

    if (!code)
        *ret_value = json_incref(value);
    json_decref(writing.keep);
    return code;
}

Code graph_json_key(const struct models *models, const Hero__V1__Record *record,
                    struct arena *arena, json_t **ret_key, struct fault *fault)
{
    struct writing writing = {.models = models, .arena = arena, .fault = fault};
    struct node node = {.wire = record};
    Code code = unpack(&writing, &node);
    json_t *array;

    if (code)
        return code;
    array = json_array();
    for (size_t i = 0; i < node.model->n_primary_key; i++)
        if (json_array_append_new(array,
                                  json_write_field(node.record, node.model->primary_key[i]->field)))
            code = no_memory(&writing);
    if (!code)
        *ret_key = json_incref(json_array_size(array) == 1 ? json_array_get(array, 0) : array);
    json_decref(array);
    return code;
}
