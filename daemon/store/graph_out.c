/*
 * The graph of an answer: each record once, by model and key, packed straight
 * from its row. Knows rows and identity; no statements' texts.
 */
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "column.h"
#include "etag.h"
#include "frame.h"
#include "join.h"
#include "read.h"
#include "row.h"

/* What refs, tags and lengths add to a record or edge at most. */
#define RECORD_OVERHEAD 24
#define EDGE_OVERHEAD 28
#define ROOT_OVERHEAD 5
#define FIRST_BUCKETS 64

Code reading_no_memory(struct reading *reading)
{
    return fault_set(reading->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the answer needs more memory than one request may take; ask for less: fewer "
                     "keys, a smaller page, fewer relationships");
}

static Code add_bytes(struct reading *reading, size_t bytes)
{
    size_t most = reading->store->options.message_bytes;
    reading->bytes += bytes;
    if (reading->bytes + FRAME_OVERHEAD_BYTES > most) {
        reading->too_large = true;
        return fault_set(reading->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the answer is larger than a message may be (%zu bytes); ask for less: "
                         "fewer keys, a smaller page, fewer relationships",
                         most);
    }
    return HERO__V1__CODE__OK;
}

Code reading_row(struct reading *reading, size_t bytes)
{
    Code code = add_bytes(reading, bytes);
    reading->n_rows++;
    if (code != HERO__V1__CODE__OK)
        return code;
    if (reading->read->row_budget != 0 && reading->n_rows > reading->read->row_budget) {
        reading->read->too_long = true;
        return fault_set(reading->fault, HERO__V1__CODE__ABORTED, "too many rows to read here");
    }
    return HERO__V1__CODE__OK;
}

/* ---- arrays that double ---- */

static void *grown(struct arena *arena, const void *items, size_t n, size_t *size, size_t item)
{
    size_t larger = *size ? *size * 2 : 8;
    void *copy = arena_array(arena, larger, item);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, items, n * item);
    *size = larger;
    return copy;
}

Code nodes_add(struct reading *reading, struct nodes *nodes, struct node *node)
{
    if (nodes->n == nodes->size) {
        void *items =
            grown(reading->arena, nodes->items, nodes->n, &nodes->size, sizeof(*nodes->items));
        if (!items)
            return reading_no_memory(reading);
        nodes->items = items;
    }
    nodes->items[nodes->n++] = node;
    return HERO__V1__CODE__OK;
}

Code nodes_refs(struct reading *reading, const struct nodes *nodes, uint32_t **ret_refs)
{
    uint32_t *refs = arena_array(reading->arena, nodes->n + 1, sizeof(*refs));
    if (!refs)
        return reading_no_memory(reading);
    for (size_t i = 0; i < nodes->n; i++)
        refs[i] = nodes->items[i]->ref;
    *ret_refs = refs;
    return HERO__V1__CODE__OK;
}

/* ---- identity ---- */

static uint64_t hash_value(uint64_t seed, const struct key_value *value)
{
    if (value->type == SQLITE_TEXT || value->type == SQLITE_BLOB)
        return XXH3_64bits_withSeed(value->data, value->len, seed + (uint64_t)value->type);
    return XXH3_64bits_withSeed(&value->integer, sizeof(value->integer),
                                seed + (uint64_t)value->type);
}

static bool is_node(const struct node *node, const struct model *model, uint64_t hash,
                    const struct key_value *key)
{
    if (node->hash != hash || node->model != model)
        return false;
    for (size_t i = 0; i < model->n_primary_key; i++)
        if (!key_value_equal(&node->key[i], &key[i]))
            return false;
    return true;
}

static Code grow_buckets(struct reading *reading)
{
    size_t n = reading->n_buckets ? reading->n_buckets * 4 : FIRST_BUCKETS;
    struct node **buckets = arena_array(reading->arena, n, sizeof(*buckets));
    if (!buckets)
        return reading_no_memory(reading);
    for (size_t i = 0; i < reading->n_buckets; i++)
        for (struct node *node = reading->buckets[i], *next; node; node = next) {
            next = node->chain;
            node->chain = buckets[node->hash % n];
            buckets[node->hash % n] = node;
        }
    reading->buckets = buckets;
    reading->n_buckets = n;
    return HERO__V1__CODE__OK;
}

/* ---- records ---- */

static Code add_record(struct reading *reading, const struct node *node, size_t len, uint8_t *bytes)
{
    Hero__V1__Graph *graph = reading->graph;
    Hero__V1__Record *record = arena_alloc(reading->arena, sizeof(*record));
    if (!record)
        return reading_no_memory(reading);
    if (graph->n_records == reading->max_records) {
        void *records = grown(reading->arena, graph->records, graph->n_records,
                              &reading->max_records, sizeof(*graph->records));
        if (!records)
            return reading_no_memory(reading);
        graph->records = records;
    }
    hero__v1__record__init(record);
    record->has_ref = record->has_value = 1;
    record->ref = node->ref;
    record->model = (char *)(uintptr_t)node->model->name;
    record->value = (ProtobufCBinaryData){len, bytes};
    if (reading->etags) {
        record->etag = (ProtobufCBinaryData){ETAG_BYTES, arena_alloc(reading->arena, ETAG_BYTES)};
        if (!record->etag.data)
            return reading_no_memory(reading);
        record->has_etag = 1;
        etag_of_record(bytes, len, record->etag.data);
    }
    graph->records[graph->n_records++] = record;
    return HERO__V1__CODE__OK;
}

static Code pack_scratch(struct reading *reading, const struct node *node)
{
    size_t len = protobuf_c_message_get_packed_size(reading->scratch);
    Code code = reading_row(reading, len + strlen(node->model->name) + RECORD_OVERHEAD +
                                         (reading->etags ? ETAG_BYTES + 2 : 0));
    if (code != HERO__V1__CODE__OK)
        return code;
    uint8_t *bytes = arena_alloc(reading->arena, len);
    if (!bytes)
        return reading_no_memory(reading);
    protobuf_c_message_pack(reading->scratch, bytes);
    return add_record(reading, node, len, bytes);
}

static Code pack_row(struct reading *reading, sqlite3_stmt *stmt, int first,
                     const struct node *node)
{
    const struct model *model = node->model;
    if (reading->scratch_model != model) {
        reading->scratch = dynamic_message(reading->arena, model->descriptor);
        reading->scratch_model = model;
    }
    if (!reading->scratch)
        return reading_no_memory(reading);
    /* What the row's values are made of lives until they are packed. */
    struct arena made;
    arena_init(&made, reading->arena->budget);
    made.pool = reading->arena->pool;
    Code code = row_fill(stmt, first, model, reading->scratch, NULL, &made, reading->fault);
    if (code == HERO__V1__CODE__OK)
        code = pack_scratch(reading, node);
    arena_done(&made);
    return code;
}

static struct node *new_node(struct reading *reading, const struct model *model, uint64_t hash,
                             const struct key_value *key)
{
    struct node *node = arena_alloc(reading->arena, sizeof(*node));
    struct key_value *kept = arena_copy(reading->arena, key, model->n_primary_key * sizeof(*key));
    if (!node || !kept)
        return NULL;
    for (size_t i = 0; i < model->n_primary_key; i++)
        if (kept[i].type == SQLITE_TEXT || kept[i].type == SQLITE_BLOB) {
            kept[i].data = arena_copy(reading->arena, kept[i].data, kept[i].len);
            if (!kept[i].data)
                return NULL;
        }
    *node = (struct node){
        .model = model, .key = kept, .hash = hash, .ref = (uint32_t)reading->nodes.n + 1};
    if (nodes_add(reading, &reading->nodes, node) != HERO__V1__CODE__OK)
        return NULL;
    node->chain = reading->buckets[hash % reading->n_buckets];
    reading->buckets[hash % reading->n_buckets] = node;
    return node;
}

Code graph_out_row(struct reading *reading, sqlite3_stmt *stmt, int first,
                   const struct model *model, struct node **ret_node)
{
    struct key_value key[KEY_TABLE_MAX_COLUMNS];
    uint64_t hash = (uint64_t)(uintptr_t)model;
    if (model->n_primary_key > KEY_TABLE_MAX_COLUMNS)
        return fault_set(reading->fault, HERO__V1__CODE__UNIMPLEMENTED,
                         "%s: keys of more than %d columns can't be read", model->name,
                         KEY_TABLE_MAX_COLUMNS);
    for (size_t i = 0; i < model->n_primary_key; i++) {
        key[i] = key_value_of(stmt, first + (int)model->primary_key[i]->position);
        hash = hash_value(hash, &key[i]);
    }
    if (reading->nodes.n >= reading->n_buckets) {
        Code code = grow_buckets(reading);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    struct node *node = reading->buckets[hash % reading->n_buckets];
    while (node && !is_node(node, model, hash, key))
        node = node->chain;
    if (node) {
        *ret_node = node;
        return reading_row(reading, ROOT_OVERHEAD);
    }
    node = new_node(reading, model, hash, key);
    if (!node)
        return reading_no_memory(reading);
    *ret_node = node;
    return pack_row(reading, stmt, first, node);
}

Code graph_out_edge(struct reading *reading, const struct node *from,
                    const struct relationship *relationship, const struct node *to,
                    uint32_t position)
{
    Hero__V1__Graph *graph = reading->graph;
    Hero__V1__Edge *edge = arena_alloc(reading->arena, sizeof(*edge));
    if (!edge)
        return reading_no_memory(reading);
    if (graph->n_edges == reading->max_edges) {
        void *edges = grown(reading->arena, graph->edges, graph->n_edges, &reading->max_edges,
                            sizeof(*graph->edges));
        if (!edges)
            return reading_no_memory(reading);
        graph->edges = edges;
    }
    hero__v1__edge__init(edge);
    edge->has_from = edge->has_to = edge->has_position = 1;
    edge->from = from->ref;
    edge->to = to->ref;
    edge->position = position;
    edge->relationship = (char *)(uintptr_t)relationship->name;
    graph->edges[graph->n_edges++] = edge;
    reading->bytes += strlen(relationship->name) + EDGE_OVERHEAD;
    return HERO__V1__CODE__OK;
}

Code graph_out_link(struct reading *reading, sqlite3_stmt *stmt, int first,
                    const struct relationship *relationship)
{
    Hero__V1__Edge *edge = reading->graph->edges[reading->graph->n_edges - 1];
    const struct model *model = relationship->link;
    const struct column *column;
    ProtobufCMessage *link = NULL;
    for (size_t at = 0; join_link_column(relationship, &at, &column);) {
        if (reading->link_model != model) {
            reading->link = dynamic_message(reading->arena, model->descriptor);
            reading->link_model = model;
        }
        link = reading->link;
        if (!link)
            return reading_no_memory(reading);
        Code code = column_read(stmt, first++, column, link, NULL, reading->arena, reading->fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    if (!link)
        return HERO__V1__CODE__OK;
    edge->has_link = 1;
    edge->link.len = protobuf_c_message_get_packed_size(link);
    edge->link.data = arena_alloc(reading->arena, edge->link.len + 1);
    if (!edge->link.data)
        return reading_no_memory(reading);
    protobuf_c_message_pack(link, edge->link.data);
    return add_bytes(reading, edge->link.len);
}

Code graph_out_list(struct reading *reading, Hero__V1__RelatedList *list, size_t bytes)
{
    Hero__V1__Graph *graph = reading->graph;
    if (graph->n_lists == reading->max_lists) {
        void *lists = grown(reading->arena, graph->lists, graph->n_lists, &reading->max_lists,
                            sizeof(*graph->lists));
        if (!lists)
            return reading_no_memory(reading);
        graph->lists = lists;
    }
    graph->lists[graph->n_lists++] = list;
    return reading_row(reading, strlen(list->relationship) + bytes);
}
