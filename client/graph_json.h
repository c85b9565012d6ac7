/*
 * JSON that nests <-> the flat graph that travels.
 *
 * Knows models and the wire's graph; no transport, no requests.
 */
#ifndef HERO_CLIENT_GRAPH_JSON_H
#define HERO_CLIENT_GRAPH_JSON_H

#include "hero/v1/graph.pb-c.h"
#include "json.h"
#include "model.h"

/* What JSON of an answer may take as text. */
#define GRAPH_JSON_BYTES ((size_t)256 * 1024 * 1024)

struct field_mask;

/* Relationships to show, as a tree of names. */
struct expand_node {
    const char *name;
    struct expand_node *children, *next;
};

/* "teams", "teams.heroes": adds the paths; *tree begins as NULL. */
MUST_CHECK Code expand_add(struct arena *arena, const char *const *paths, size_t n_paths,
                           struct expand_node **tree, struct fault *fault);

/* ---- JSON to a graph ---- */

/* Everything in the arena. Refs go on from *next_ref. The relationships that
 * the JSON has are added to *ret_shown. */
MUST_CHECK Code graph_json_read(const struct model *model, const json_t *record,
                                struct json_path *path, uint32_t *next_ref, struct arena *arena,
                                Hero__V1__Graph **ret_graph, struct expand_node **ret_shown,
                                struct fault *fault);
/* Sets a column from JSON, as json_read_field does a field; also from a number
 * that is a decimal, and from text that is the JSON of the column. */
MUST_CHECK Code graph_json_read_column(const struct column *column, const json_t *value,
                                       ProtobufCMessage *message, struct arena *arena,
                                       struct json_path *path, struct fault *fault);
/* An object of columns only, each member set or null. Names of the members in
 * *ret_mask. For updates. */
MUST_CHECK Code graph_json_read_columns(const struct model *model, const json_t *record,
                                        struct json_path *path, struct arena *arena,
                                        ProtobufCBinaryData *ret_value, char ***ret_mask,
                                        size_t *ret_n_mask, struct fault *fault);

/* ---- a graph to JSON ---- */

/* One stored record without relationships. A reference. */
MUST_CHECK Code graph_json_record(const struct models *models, const Hero__V1__Record *record,
                                  struct arena *arena, json_t **ret_value, struct fault *fault);
/* The key of a record as keys go in: a value, for several columns an array. A reference. */
MUST_CHECK Code graph_json_key(const struct models *models, const Hero__V1__Record *record,
                               struct arena *arena, json_t **ret_key, struct fault *fault);
/* An array of the roots with what `expand` shows nested in them. A reference;
 * a record that is shown twice along one path is one value of it. */
MUST_CHECK Code graph_json_write(const struct models *models, const Hero__V1__Graph *graph,
                                 const uint32_t *roots, size_t n_roots,
                                 const struct expand_node *expand, struct arena *arena,
                                 json_t **ret_array, struct fault *fault);
/* The same, of records that hold some columns only. */
MUST_CHECK Code graph_json_write_fields(const struct models *models, const Hero__V1__Graph *graph,
                                        const uint32_t *roots, size_t n_roots,
                                        const struct expand_node *expand,
                                        const struct field_mask *masks, struct arena *arena,
                                        json_t **ret_array, struct fault *fault);

#endif
