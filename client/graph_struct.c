/*
 * Structs to a flat graph. Owns the walk along relationship fields and the
 * packing of one struct; graph_assemble.c goes the other way. Knows which
 * struct is which member by address only; what a struct is to a session is
 * said by the caller through `decide`.
 */
#include <stdio.h>
#include <string.h>
#include "binding.h"
#include "graph.h"
#include "graph_struct.h"
#include "names.h"
#include "struct_value.h"

static Code no_memory(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the records take more than the %zu bytes that one request may have",
                     arena->budget);
}

/* ---- fields ---- */

const ProtobufCFieldDescriptor *graph_struct_field(const ProtobufCMessageDescriptor *descriptor,
                                                   const struct relationship *relationship)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(descriptor, relationship->number);

    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field : NULL;
}

bool graph_struct_is_single(const ProtobufCFieldDescriptor *field)
{
    return field->label != PROTOBUF_C_LABEL_REPEATED;
}

size_t graph_struct_related(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field,
                            ProtobufCMessage ***ret_related)
{
    const char *base = (const char *)record;

    if (graph_struct_is_single(field)) { /* an array of one, where the field is */
        *ret_related = field_at(record, field);
        return **ret_related != NULL;
    }
    *ret_related = *(ProtobufCMessage * *const *)(const void *)(base + field->offset);
    return *(const size_t *)(const void *)(base + field->quantifier_offset);
}

/* ---- packing one struct ---- */

/* What protobuf-c would pack without a word, or crash on. */
static Code check_values(const ProtobufCMessageDescriptor *columns, const ProtobufCMessage *record,
                         struct fault *fault)
{
    size_t before = fault->n_violations;

    for (unsigned i = 0; i < columns->n_fields; i++)
        if (struct_value_is_pointer(&columns->fields[i]))
            struct_value_check(record, &columns->fields[i], fault);
    return fault->n_violations == before ? HERO__V1__CODE__OK : HERO__V1__CODE__INVALID_ARGUMENT;
}

Code graph_struct_pack(const struct binding *binding, const ProtobufCMessage *record, bool key_only,
                       struct arena *arena, ProtobufCBinaryData *ret_bytes, struct fault *fault)
{
    const ProtobufCMessageDescriptor *columns = key_only ? binding->key : binding->columns;
    struct fault ignored = FAULT_INIT;
    ProtobufCMessage *copy;
    uint8_t *bytes;
    size_t size;
    Code code = check_values(columns, record, fault ? fault : &ignored);

    if (!code && !key_only)
        code = binding_check_unserved(binding, record, fault ? fault : &ignored);
    fault_done(&ignored);
    if (code)
        return code;
    /* The same struct seen through a descriptor without relationships; what
     * protobuf-c once could not place in it is not ours to send. */
    copy = arena_copy(arena, record, columns->sizeof_message);
    if (!copy)
        return no_memory(arena, fault);
    copy->descriptor = columns;
    copy->n_unknown_fields = 0;
    copy->unknown_fields = NULL;
    size = protobuf_c_message_get_packed_size(copy);
    bytes = arena_alloc(arena, size ? size : 1);
    if (!bytes)
        return no_memory(arena, fault);
    protobuf_c_message_pack(copy, bytes);
    *ret_bytes = (ProtobufCBinaryData){size, bytes};
    return HERO__V1__CODE__OK;
}

/* ---- the walk ---- */

void graph_build_init(struct graph_build *build, struct bindings *bindings, struct arena *arena)
{
    *build = (struct graph_build){.arena = arena, .bindings = bindings, .first_ref = 1};
    pointer_map_init(&build->map, arena);
    pointer_map_init(&build->links, arena);
}

struct graph_member *graph_build_find(const struct graph_build *build,
                                      const ProtobufCMessage *record)
{
    return pointer_map_find(&build->map, record, NULL, NULL);
}

/* One more place in an array that grows by doubling; NULL: no memory. */
static void *grow(struct arena *arena, void *array, size_t n, size_t *size)
{
    void *grown = array;

    if (n == *size) {
        size_t larger = *size ? *size * 2 : 16;

        grown = arena_array(arena, larger, sizeof(void *));
        if (grown && n)
            memcpy(grown, array, n * sizeof(void *));
        if (grown)
            *size = larger;
    }
    return grown;
}

static Code add_member(struct graph_build *build, const ProtobufCMessage *record,
                       const Hero__V1__Record__Member *kind, struct graph_member **ret_member,
                       struct fault *fault)
{
    struct graph_member *member = graph_build_find(build, record);
    struct graph_member **members;
    const struct binding *binding;
    Code code;

    if (member) {
        *ret_member = member;
        return HERO__V1__CODE__OK;
    }
    code = bindings_find(build->bindings, record->descriptor, &binding, fault);
    if (code)
        return code;
    members = grow(build->arena, build->members, build->n_members, &build->members_size);
    member = arena_alloc(build->arena, sizeof(*member));
    if (!members || !member || !pointer_map_put(&build->map, record, NULL, NULL, member))
        return no_memory(build->arena, fault);
    *member = (struct graph_member){record, binding, HERO__V1__RECORD__INIT};
    hero__v1__record__init(&member->wire);
    member->wire.has_ref = 1;
    member->wire.ref = build->first_ref + (uint32_t)build->n_members;
    member->wire.model = (char *)(uintptr_t)binding->model->name;
    member->wire.has_member = 1;
    build->members = members;
    build->members[build->n_members++] = member;
    if (kind)
        member->wire.member = *kind;
    else
        member->wire.member = build->decide ? build->decide(build->decide_arg, member)
                                            : graph_decide_by_key(NULL, member);
    *ret_member = member;
    return HERO__V1__CODE__OK;
}

Code graph_build_add(struct graph_build *build, const ProtobufCMessage *record,
                     Hero__V1__Record__Member kind, struct fault *fault)
{
    struct graph_member *member;

    return add_member(build, record, &kind, &member, fault);
}

/* A link that both sides declare is one link: of the two ways to say it the
 * one with the lower relationship counts. */
static void canonical(const ProtobufCMessage **from, const struct relationship **relationship,
                      const ProtobufCMessage **to)
{
    const struct relationship *back = (*relationship)->back_populates;

    if (back && back < *relationship) {
        const ProtobufCMessage *other = *from;

        *from = *to;
        *to = other;
        *relationship = back;
    }
}

bool graph_build_linked(const struct graph_build *build, const ProtobufCMessage *from,
                        const struct relationship *relationship, const ProtobufCMessage *to)
{
    canonical(&from, &relationship, &to);
    return pointer_map_find(&build->links, from, relationship, to);
}

static Code add_edge(struct graph_build *build, const struct graph_member *from,
                     const struct relationship *relationship, const struct graph_member *to,
                     size_t position, struct fault *fault)
{
    const ProtobufCMessage *a = from->record, *b = to->record;
    const struct relationship *either = relationship;
    Hero__V1__Edge **edges, *edge;

    canonical(&a, &either, &b);
    if (pointer_map_find(&build->links, a, either, b))
        return HERO__V1__CODE__OK;
    edges = grow(build->arena, build->edges, build->n_edges, &build->edges_size);
    edge = arena_alloc(build->arena, sizeof(*edge));
    if (!edges || !edge || !pointer_map_put(&build->links, a, either, b, edge))
        return no_memory(build->arena, fault);
    hero__v1__edge__init(edge);
    edge->has_from = edge->has_to = edge->has_position = 1;
    edge->from = from->wire.ref;
    edge->relationship = (char *)(uintptr_t)relationship->name;
    edge->to = to->wire.ref;
    edge->position = (uint32_t)position;
    build->edges = edges;
    build->edges[build->n_edges++] = edge;
    return HERO__V1__CODE__OK;
}

/* What the edge that joins the two shall hold; from either side. */
static void set_columns(struct graph_build *build, const ProtobufCMessage *from,
                        const struct relationship *relationship, const ProtobufCMessage *to,
                        ProtobufCBinaryData columns)
{
    Hero__V1__Edge *edge;

    canonical(&from, &relationship, &to);
    edge = pointer_map_find(&build->links, from, relationship, to);
    if (!edge || !columns.data)
        return;
    edge->has_link = 1;
    edge->link = columns;
}

Code graph_build_link(struct graph_build *build, const ProtobufCMessage *from,
                      const struct relationship *relationship, const ProtobufCMessage *to,
                      ProtobufCBinaryData columns, struct fault *fault)
{
    const ProtobufCFieldDescriptor *field = graph_struct_field(from->descriptor, relationship);
    struct graph_member *a, *b;
    ProtobufCMessage **related;
    size_t n = field ? graph_struct_related(from, field, &related) : 0;
    Code code = add_member(build, from, NULL, &a, fault);

    if (!code)
        code = add_member(build, to, NULL, &b, fault);
    /* Its place is no place in the array: paths tell them apart. */
    if (!code)
        code = add_edge(build, a, relationship, b, n + build->n_edges, fault);
    if (!code)
        set_columns(build, from, relationship, to, columns);
    return code;
}

static Code follow_one(struct graph_build *build, const struct graph_member *member,
                       const struct relationship *relationship, struct fault *fault)
{
    const ProtobufCFieldDescriptor *field =
        graph_struct_field(member->record->descriptor, relationship);
    ProtobufCMessage **related;
    size_t n = field ? graph_struct_related(member->record, field, &related) : 0;

    if (n && !related)
        return fault_add(fault, field->name, "n_%s is %zu and the array is NULL", field->name, n);
    for (size_t i = 0; i < n; i++) {
        struct graph_member *to;
        Code code;

        if (!related[i] || related[i]->descriptor != field->descriptor) {
            char path[NAME_MAX_BYTES + 32];

            if (graph_struct_is_single(field))
                snprintf(path, sizeof(path), "%s", field->name);
            else
                snprintf(path, sizeof(path), "%s[%zu]", field->name, i);
            return fault_add(fault, path,
                             related[i] ? "is not an initialised struct of message %s"
                                        : "is NULL; it should be a struct of message %s",
                             ((const ProtobufCMessageDescriptor *)field->descriptor)->name);
        }
        code = add_member(build, related[i], NULL, &to, fault);
        if (!code)
            code = add_edge(build, member, relationship, to, i, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

static void prefix_path(const struct graph_build *build, size_t member, struct fault *fault)
{
    Hero__V1__Graph graph = HERO__V1__GRAPH__INIT;
    Hero__V1__Record **records =
        arena_array(build->arena, build->n_members, sizeof(Hero__V1__Record *));
    const char *path;

    if (!records)
        return;
    for (size_t i = 0; i < build->n_members; i++)
        records[i] = &build->members[i]->wire;
    graph.records = records;
    graph.n_records = build->n_members;
    graph.edges = build->edges;
    graph.n_edges = build->n_edges;
    path = graph_path(&graph, bindings_models(build->bindings), member, build->arena);
    if (path && *path)
        fault_prefix(fault, path);
}

Code graph_build_follow(struct graph_build *build, struct fault *fault)
{
    for (; build->n_walked < build->n_members; build->n_walked++) {
        const struct graph_member *member = build->members[build->n_walked];
        const struct model *model = member->binding->model;

        if (member->wire.member == HERO__V1__RECORD__MEMBER__KEY)
            continue;
        for (size_t i = 0; i < model->n_relationships; i++) {
            Code code = follow_one(build, member, &model->relationships[i], fault);

            if (code) {
                prefix_path(build, build->n_walked, fault);
                return code;
            }
        }
    }
    return HERO__V1__CODE__OK;
}

Code graph_build_finish(struct graph_build *build, Hero__V1__Graph **ret_graph, struct fault *fault)
{
    Hero__V1__Graph *graph;
    Code code = graph_build_follow(build, fault);

    if (code)
        return code;
    graph = arena_alloc(build->arena, sizeof(*graph));
    if (!graph)
        return no_memory(build->arena, fault);
    hero__v1__graph__init(graph);
    graph->records = arena_array(build->arena, build->n_members + 1, sizeof(Hero__V1__Record *));
    if (!graph->records)
        return no_memory(build->arena, fault);
    for (size_t i = 0; i < build->n_members; i++) {
        struct graph_member *member = build->members[i];

        code = graph_struct_pack(member->binding, member->record,
                                 member->wire.member == HERO__V1__RECORD__MEMBER__KEY, build->arena,
                                 &member->wire.value, fault);
        if (code) {
            prefix_path(build, i, fault);
            return code;
        }
        member->wire.has_value = 1;
        graph->records[graph->n_records++] = &member->wire;
    }
    graph->edges = build->edges;
    graph->n_edges = build->n_edges;
    *ret_graph = graph;
    return HERO__V1__CODE__OK;
}

/* ---- a plain create ---- */

static bool is_zero(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field)
{
    size_t size = field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_SINT64 ||
                          field->type == PROTOBUF_C_TYPE_SFIXED64 ||
                          field->type == PROTOBUF_C_TYPE_UINT64 ||
                          field->type == PROTOBUF_C_TYPE_FIXED64
                      ? 8
                      : 4;

    return !memcmp(field_at(record, field), &(uint64_t){0}, size);
}

Hero__V1__Record__Member graph_decide_by_key(void *arg, const struct graph_member *member)
{
    const struct model *model = member->binding->model;
    const ProtobufCMessageDescriptor *key = member->binding->key;

    (void)arg;
    for (unsigned i = 0; i < key->n_fields; i++)
        if (!field_present(member->record, &key->fields[i]))
            return HERO__V1__RECORD__MEMBER__NEW;
    if (!model->auto_id)
        return HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE;
    /* Without presence, an id of zero is one that was never given. */
    if (key->fields[0].label == PROTOBUF_C_LABEL_NONE && is_zero(member->record, &key->fields[0]))
        return HERO__V1__RECORD__MEMBER__NEW;
    return HERO__V1__RECORD__MEMBER__KEY;
}

Code graph_struct_create(struct bindings *bindings, const ProtobufCMessage *root,
                         struct arena *arena, Hero__V1__CreateRequest **ret_request,
                         struct fault *fault)
{
    Hero__V1__CreateRequest *request;
    struct graph_build build;
    Code code;

    graph_build_init(&build, bindings, arena);
    code = graph_build_add(&build, root, HERO__V1__RECORD__MEMBER__NEW, fault);
    if (code)
        return code;
    request = arena_alloc(arena, sizeof(*request));
    if (!request)
        return no_memory(arena, fault);
    hero__v1__create_request__init(request);
    code = graph_build_finish(&build, &request->graph, fault);
    if (code)
        return code;
    *ret_request = request;
    return HERO__V1__CODE__OK;
}
