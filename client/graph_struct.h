/*
 * Structs <-> graphs: the caller's protoc-c structs and the flat graph that
 * travels.
 *
 * Building walks from a struct along its relationship fields with a list of
 * its own, so that cycles end, shared structs go in once and no depth hurts.
 * Assembling makes one struct per record in an arena. Knows bindings
 * (binding.h) and the wire's graph; no transport, no sessions.
 */
#ifndef HERO_CLIENT_GRAPH_STRUCT_H
#define HERO_CLIENT_GRAPH_STRUCT_H

#include "arena.h"
#include "fault.h"
#include "hero/v1/records.pb-c.h"
#include "model.h"
#include "pointer_map.h"

struct binding;  /* a caller's descriptor and the served model that it is of */
struct bindings; /* finds one by descriptor */

/* ---- building ---- */

struct graph_member {
    const ProtobufCMessage *record;
    const struct binding *binding;
    Hero__V1__Record wire; /* wire.ref is the member's position + first_ref */
};

/* What a struct reached along a relationship becomes. Told once per struct. */
typedef Hero__V1__Record__Member graph_decide(void *arg, const struct graph_member *member);

struct graph_build {
    struct arena *arena;
    struct bindings *bindings;
    graph_decide *decide; /* NULL: graph_decide_by_key */
    void *decide_arg;
    uint32_t first_ref; /* 1, unless graphs share their refs */
    struct graph_member **members;
    size_t n_members, members_size;
    Hero__V1__Edge **edges;
    size_t n_edges, edges_size;
    size_t n_walked;          /* members whose relationships were followed */
    struct pointer_map map;   /* struct -> its member */
    struct pointer_map links; /* links there are, whichever side said so */
};

void graph_build_init(struct graph_build *build, struct bindings *bindings, struct arena *arena);
/* Puts a struct in as `kind` (a NEW one's relationships are followed; of a
 * key only its key is sent) unless it is in already. Follows nothing yet. */
MUST_CHECK Code graph_build_add(struct graph_build *build, const ProtobufCMessage *record,
                                Hero__V1__Record__Member kind, struct fault *fault);
/* Links two structs, each put in as decide says unless it is in. columns: what
 * the link holds, packed; data NULL: nothing is said. */
MUST_CHECK Code graph_build_link(struct graph_build *build, const ProtobufCMessage *from,
                                 const struct relationship *relationship,
                                 const ProtobufCMessage *to, ProtobufCBinaryData columns,
                                 struct fault *fault);
/* Follows relationships until everything reached is in. */
MUST_CHECK Code graph_build_follow(struct graph_build *build, struct fault *fault);
/* Follows, then packs the records. RESOURCE_EXHAUSTED: the arena. Violations
 * name structs by path: "teams[0].name". */
MUST_CHECK Code graph_build_finish(struct graph_build *build, Hero__V1__Graph **ret_graph,
                                   struct fault *fault);
/* NULL: not in it. */
struct graph_member *graph_build_find(const struct graph_build *build,
                                      const ProtobufCMessage *record);
/* Does an edge join the two, from either side? */
bool graph_build_linked(const struct graph_build *build, const ProtobufCMessage *from,
                        const struct relationship *relationship, const ProtobufCMessage *to);

/* Its whole primary key is set: KEY where ids are SQLite's, CONNECT_OR_CREATE
 * where keys are the client's own; else NEW. */
Hero__V1__Record__Member graph_decide_by_key(void *arg, const struct graph_member *member);

/* All of it for a plain create: the root is new. Everything in the arena. */
MUST_CHECK Code graph_struct_create(struct bindings *bindings, const ProtobufCMessage *root,
                                    struct arena *arena, Hero__V1__CreateRequest **ret_request,
                                    struct fault *fault);

/* ---- packing and unpacking one struct ---- */

/* Columns only; all that are set, or only the primary key's. Text is checked
 * (UTF-8); a violation's path is the field's name. */
MUST_CHECK Code graph_struct_pack(const struct binding *binding, const ProtobufCMessage *record,
                                  bool key_only, struct arena *arena,
                                  ProtobufCBinaryData *ret_bytes, struct fault *fault);
/* A struct of the binding's descriptor, in the arena; relationships empty.
 * Columns that the caller's descriptor doesn't have are left out. */
MUST_CHECK Code graph_struct_unpack(const struct binding *binding, const uint8_t *bytes, size_t len,
                                    struct arena *arena, ProtobufCMessage **ret_record,
                                    struct fault *fault);

/* The field of the caller's struct that shows a relationship; NULL: it has none. */
const ProtobufCFieldDescriptor *graph_struct_field(const ProtobufCMessageDescriptor *descriptor,
                                                   const struct relationship *relationship);
/* One struct at most, else an array. */
bool graph_struct_is_single(const ProtobufCFieldDescriptor *field);
/* What such a field holds, as an array of either. */
size_t graph_struct_related(const ProtobufCMessage *record, const ProtobufCFieldDescriptor *field,
                            ProtobufCMessage ***ret_related);

/* ---- assembling ---- */

/* Structs of all records that are reached from the roots, in the arena:
 * `descriptor` for the roots, its fields' descriptors for what is related.
 * Relationships that the caller's structs don't have are left out. INTERNAL
 * where the graph is not whole. Root i is (*ret_records)[i]. links (NULL: not
 * wanted) gets (struct, field, related struct) -> the edge, where it holds
 * columns of its link. */
MUST_CHECK Code graph_struct_assemble(struct bindings *bindings, const Hero__V1__Graph *graph,
                                      const uint32_t *roots, size_t n_roots,
                                      const ProtobufCMessageDescriptor *descriptor,
                                      struct arena *arena, ProtobufCMessage ***ret_records,
                                      struct pointer_map *links, struct fault *fault);

/* The same, and the struct of each record of the graph, by its place; NULL: not reached. */
MUST_CHECK Code graph_struct_assemble_all(struct bindings *bindings, const Hero__V1__Graph *graph,
                                          const uint32_t *roots, size_t n_roots,
                                          const ProtobufCMessageDescriptor *descriptor,
                                          struct arena *arena, ProtobufCMessage ***ret_records,
                                          ProtobufCMessage ***ret_all, struct pointer_map *links,
                                          struct fault *fault);

#endif
