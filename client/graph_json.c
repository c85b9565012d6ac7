/*
 * JSON that nests to a flat graph: what each member of a relationship is (new,
 * an existing record, one to connect or create), and columns by name. The
 * other way is graph_json_write.c.
 */
#include <string.h>
#include "graph_json.h"
#include "key.h"

struct building {
    struct arena *arena;
    struct json_path *path;
    struct fault *fault;
    Hero__V1__Graph *graph;
    size_t records_size, edges_size;
    uint32_t *next_ref;
};

static Code no_memory(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the JSON takes more than the %zu bytes that one request may have",
                     arena->budget);
}

/* ---- names ---- */

/* Would a slip of the pen make one of the other? At most one letter more,
 * less or different; case does not count. */
static bool near(const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b), head = 0, tail = 0;
    size_t shorter = len_a < len_b ? len_a : len_b, longer = len_a < len_b ? len_b : len_a;

    while (head < shorter && (a[head] | 32) == (b[head] | 32))
        head++;
    while (tail < shorter - head && (a[len_a - 1 - tail] | 32) == (b[len_b - 1 - tail] | 32))
        tail++;
    return longer - head - tail <= 1 || (longer - head - tail == 2 && len_a == len_b);
}

static void add_name(struct json_path *names, const char *name)
{
    size_t room = sizeof(names->text) - names->len;
    int n = snprintf(names->text + names->len, room, "%s%s", names->len ? ", " : "", name);

    names->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static Code unknown_member(const struct model *model, const char *member,
                           const struct json_path *path, struct fault *fault)
{
    struct json_path all = JSON_PATH_INIT, close = JSON_PATH_INIT;

    for (size_t i = 0; i < model->n_columns; i++) {
        add_name(&all, model->columns[i].field_name);
        if (near(member, model->columns[i].field_name))
            add_name(&close, model->columns[i].field_name);
    }
    for (size_t i = 0; i < model->n_relationships; i++) {
        add_name(&all, model->relationships[i].name);
        if (near(member, model->relationships[i].name))
            add_name(&close, model->relationships[i].name);
    }
    if (close.len)
        return fault_add(fault, path->text, "%s has no field of that name; did you mean %s?",
                         model->name, close.text);
    return fault_add(fault, path->text, "%s has no field of that name; it has: %s", model->name,
                     all.text);
}

/* ---- relationships that were given ---- */

static struct expand_node *shown_child(struct arena *arena, struct expand_node **tree,
                                       const char *name)
{
    struct expand_node *node;

    for (node = *tree; node; node = node->next)
        if (!strcmp(node->name, name))
            return node;
    node = arena_alloc(arena, sizeof(*node));
    if (!node)
        return NULL;
    node->name = name;
    node->next = *tree;
    *tree = node;
    return node;
}

static Code add_path(struct arena *arena, const char *path, struct expand_node **tree,
                     struct fault *fault)
{
    char *copy = arena_strdup(arena, path), *rest;

    if (!copy)
        return no_memory(arena, fault);
    for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
        struct expand_node *node = shown_child(arena, tree, name);

        if (!node)
            return no_memory(arena, fault);
        tree = &node->children;
    }
    return HERO__V1__CODE__OK;
}

Code expand_add(struct arena *arena, const char *const *paths, size_t n_paths,
                struct expand_node **tree, struct fault *fault)
{
    for (size_t i = 0; i < n_paths; i++) {
        Code code = add_path(arena, paths[i], tree, fault);

        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* ---- columns ---- */

/* The text of a command line, that is JSON where the column holds it. */
static Code read_json_text(const struct column *column, const json_t *value,
                           ProtobufCMessage *message, struct arena *arena, struct json_path *path,
                           struct fault *fault)
{
    json_t *inner = json_loadb(json_string_value(value), json_string_length(value),
                               JSON_REJECT_DUPLICATES, NULL);
    Code code = json_read_field(inner ? inner : value, column->field, message, arena, path, fault);

    json_decref(inner);
    return code;
}

/* What a number is exactly; a real of JSON is not what was written any more. */
static Code read_decimal(const struct column *column, const json_t *value,
                         ProtobufCMessage *message, struct arena *arena, struct json_path *path,
                         struct fault *fault)
{
    char text[24];
    json_t *exact;
    Code code;

    if (json_is_real(value))
        return fault_add(fault, path->text,
                         "is a decimal: write it as text (\"12.50\"), which is exact");
    if (!json_is_integer(value))
        return json_read_field(value, column->field, message, arena, path, fault);
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    exact = json_string(text);
    code = json_read_field(exact, column->field, message, arena, path, fault);
    json_decref(exact);
    return code;
}

Code graph_json_read_column(const struct column *column, const json_t *value,
                            ProtobufCMessage *message, struct arena *arena, struct json_path *path,
                            struct fault *fault)
{
    if (column->kind == COLUMN_JSON && json_is_string(value))
        return read_json_text(column, value, message, arena, path, fault);
    if (column->kind == COLUMN_DECIMAL)
        return read_decimal(column, value, message, arena, path, fault);
    return json_read_field(value, column->field, message, arena, path, fault);
}

static Code pack(struct arena *arena, const ProtobufCMessage *message,
                 ProtobufCBinaryData *ret_value, struct fault *fault)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, len ? len : 1);

    if (!bytes)
        return no_memory(arena, fault);
    protobuf_c_message_pack(message, bytes);
    *ret_value = (ProtobufCBinaryData){len, bytes};
    return HERO__V1__CODE__OK;
}

Code graph_json_read_columns(const struct model *model, const json_t *record,
                             struct json_path *path, struct arena *arena,
                             ProtobufCBinaryData *ret_value, char ***ret_mask, size_t *ret_n_mask,
                             struct fault *fault)
{
    ProtobufCMessage *message = dynamic_message(arena, model->descriptor);
    const char *member;
    size_t n = 0;
    char **mask;
    json_t *item;

    if (!json_is_object(record))
        return json_expected(path, "object", record, fault);
    mask = arena_array(arena, json_object_size(record) + 1, sizeof(*mask));
    if (!message || !mask)
        return no_memory(arena, fault);
    json_object_foreach((json_t *)(uintptr_t)record, member, item)
    {
        const struct column *column = model_column(model, member);
        size_t before = json_path_name(path, member);
        Code code;

        if (column && column->primary_key && json_is_null(item))
            code = fault_add(fault, path->text, "is part of the key, which can't become NULL");
        else if (column)
            code = graph_json_read_column(column, item, message, arena, path, fault);
        else if (model_relationship(model, member))
            code = fault_add(fault, path->text,
                             "is a relationship; link and unlink change it, update does not");
        else
            code = unknown_member(model, member, path, fault);
        json_path_pop(path, before);
        if (code)
            return code;
        /* The key says which record; it is not written. */
        if (!column->primary_key)
            mask[n++] = (char *)(uintptr_t)column->field_name;
    }
    *ret_mask = mask;
    *ret_n_mask = n;
    return pack(arena, message, ret_value, fault);
}

/* ---- records and edges ---- */

static void *grow(struct arena *arena, void *array, size_t n, size_t *size)
{
    size_t larger = *size ? *size * 2 : 8;
    void *grown;

    if (n < *size)
        return array;
    grown = arena_array(arena, larger, sizeof(void *));
    if (!grown)
        return NULL;
    if (n)
        memcpy(grown, array, n * sizeof(void *));
    *size = larger;
    return grown;
}

static Code add_record(struct building *building, const struct model *model,
                       Hero__V1__Record__Member kind, Hero__V1__Record **ret_record)
{
    Hero__V1__Graph *graph = building->graph;
    Hero__V1__Record **records =
        grow(building->arena, graph->records, graph->n_records, &building->records_size);
    Hero__V1__Record *record = arena_alloc(building->arena, sizeof(*record));

    if (!records || !record)
        return no_memory(building->arena, building->fault);
    hero__v1__record__init(record);
    record->has_ref = record->has_member = record->has_value = 1;
    record->ref = (*building->next_ref)++;
    record->model = (char *)(uintptr_t)model->name;
    record->member = kind;
    graph->records = records;
    graph->records[graph->n_records++] = record;
    *ret_record = record;
    return HERO__V1__CODE__OK;
}

static Code add_edge(struct building *building, const Hero__V1__Record *from,
                     const struct relationship *relationship, const Hero__V1__Record *to,
                     size_t position, const ProtobufCBinaryData *link)
{
    Hero__V1__Graph *graph = building->graph;
    Hero__V1__Edge **edges =
        grow(building->arena, graph->edges, graph->n_edges, &building->edges_size);
    Hero__V1__Edge *edge = arena_alloc(building->arena, sizeof(*edge));

    if (!edges || !edge)
        return no_memory(building->arena, building->fault);
    hero__v1__edge__init(edge);
    edge->has_from = edge->has_to = edge->has_position = 1;
    edge->from = from->ref;
    edge->to = to->ref;
    edge->position = (uint32_t)position;
    edge->relationship = (char *)(uintptr_t)relationship->name;
    edge->has_link = link->data != NULL;
    edge->link = *link;
    graph->edges = edges;
    graph->edges[graph->n_edges++] = edge;
    return HERO__V1__CODE__OK;
}

static Code read_record(struct building *building, const struct model *model, const json_t *value,
                        Hero__V1__Record__Member kind, struct expand_node **shown,
                        Hero__V1__Record **ret_record);

/* Nothing but the whole key. */
static bool is_key(const struct model *model, const json_t *value)
{
    if (json_object_size(value) != model->n_primary_key)
        return false;
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const json_t *part = json_object_get(value, model->primary_key[i]->field_name);

        if (!part || json_is_null(part))
            return false;
    }
    return true;
}

static Code read_key(struct building *building, const struct model *model, const json_t *value,
                     Hero__V1__Record **ret_record)
{
    Code code = add_record(building, model, HERO__V1__RECORD__MEMBER__KEY, ret_record);

    return code ? code
                : key_of_json(model, value, building->path, building->arena, &(*ret_record)->value,
                              building->fault);
}

/* {"@key": ...} and {"@connect": {...}}. */
static Code read_marked(struct building *building, const struct model *model, const json_t *value,
                        struct expand_node **shown, Hero__V1__Record **ret_record)
{
    const char *mark = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));
    const json_t *inner = json_object_get(value, mark);
    size_t before = json_path_name(building->path, mark);
    Code code;

    if (json_object_size(value) != 1)
        code = fault_add(building->fault, building->path->text,
                         "stands alone in its object; its fields go inside it");
    else if (!strcmp(mark, "@key"))
        code = read_key(building, model, inner, ret_record);
    else if (!strcmp(mark, "@connect"))
        code = read_record(building, model, inner, HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE,
                           shown, ret_record);
    else
        code = fault_add(building->fault, building->path->text,
                         "is not known here; there are @key, @connect and @link");
    json_path_pop(building->path, before);
    return code;
}

static bool is_marked(const json_t *value)
{
    const char *member;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)value, member, item)
    {
        if (*member == '@')
            return true;
    }
    return false;
}

static Code read_member(struct building *building, const struct model *model, const json_t *value,
                        struct expand_node **shown, Hero__V1__Record **ret_record)
{
    if (!json_is_object(value))
        return json_expected(building->path, "object", value, building->fault);
    if (is_marked(value))
        return read_marked(building, model, value, shown, ret_record);
    if (is_key(model, value))
        return read_key(building, model, value, ret_record);
    return read_record(building, model, value, HERO__V1__RECORD__MEMBER__NEW, shown, ret_record);
}

/* The link's own columns, beside the fields of the record that it leads to. */
static Code read_link(struct building *building, const struct relationship *relationship,
                      const json_t *columns, ProtobufCBinaryData *ret_link)
{
    size_t before = json_path_name(building->path, "@link"), n_mask;
    char **mask;
    Code code;

    if (!relationship->link)
        code = fault_add(building->fault, building->path->text,
                         "says what a link holds, but %s.%s goes by a foreign key",
                         relationship->model->name, relationship->name);
    else
        code = graph_json_read_columns(relationship->link, columns, building->path, building->arena,
                                       ret_link, &mask, &n_mask, building->fault);
    json_path_pop(building->path, before);
    return code;
}

static Code read_related(struct building *building, const struct relationship *relationship,
                         const json_t *value, const Hero__V1__Record *from, size_t position,
                         struct expand_node *node)
{
    const json_t *columns = json_object_get(value, "@link");
    json_t *plain = columns ? json_copy((json_t *)(uintptr_t)value) : NULL;
    ProtobufCBinaryData link = {0, NULL};
    Hero__V1__Record *to;
    Code code = HERO__V1__CODE__OK;

    if (columns && (!plain || json_object_del(plain, "@link")))
        code = no_memory(building->arena, building->fault);
    if (!code && columns)
        code = read_link(building, relationship, columns, &link);
    if (!code)
        code = read_member(building, relationship->target, plain ? plain : value, &node->children,
                           &to);
    if (!code)
        code = add_edge(building, from, relationship, to, position, &link);
    json_decref(plain);
    return code;
}

static Code read_relationship(struct building *building, const struct relationship *relationship,
                              const json_t *value, const Hero__V1__Record *from,
                              struct expand_node **shown)
{
    struct expand_node *node = shown_child(building->arena, shown, relationship->name);

    if (!node)
        return no_memory(building->arena, building->fault);
    if (relationship->single)
        return json_is_null(value) ? HERO__V1__CODE__OK
                                   : read_related(building, relationship, value, from, 0, node);
    if (!json_is_array(value))
        return json_expected(building->path, "array", value, building->fault);
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = json_path_index(building->path, i);
        Code code = read_related(building, relationship, json_array_get(value, i), from, i, node);

        json_path_pop(building->path, before);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

static Code read_one(struct building *building, const struct model *model, const char *member,
                     const json_t *value, ProtobufCMessage *message, const Hero__V1__Record *record,
                     struct expand_node **shown)
{
    const struct relationship *relationship = model_relationship(model, member);
    const struct column *column = model_column(model, member);
    size_t before = json_path_name(building->path, member);
    Code code;

    if (column)
        code = graph_json_read_column(column, value, message, building->arena, building->path,
                                      building->fault);
    else if (relationship)
        code = read_relationship(building, relationship, value, record, shown);
    else
        code = unknown_member(model, member, building->path, building->fault);
    json_path_pop(building->path, before);
    return code;
}

static Code read_record(struct building *building, const struct model *model, const json_t *value,
                        Hero__V1__Record__Member kind, struct expand_node **shown,
                        Hero__V1__Record **ret_record)
{
    ProtobufCMessage *message = dynamic_message(building->arena, model->descriptor);
    const char *member;
    json_t *item;
    Code code;

    if (!json_is_object(value))
        return json_expected(building->path, "object", value, building->fault);
    if (building->path->depth > JSON_DEPTH)
        return fault_add(building->fault, building->path->text,
                         "is nested deeper than %u levels; create in several steps", JSON_DEPTH);
    if (!message)
        return no_memory(building->arena, building->fault);
    code = add_record(building, model, kind, ret_record);
    if (code)
        return code;
    json_object_foreach((json_t *)(uintptr_t)value, member, item)
    {
        code = read_one(building, model, member, item, message, *ret_record, shown);
        if (code)
            return code;
    }
    return pack(building->arena, message, &(*ret_record)->value, building->fault);
}

Code graph_json_read(const struct model *model, const json_t *record, struct json_path *path,
                     uint32_t *next_ref, struct arena *arena, Hero__V1__Graph **ret_graph,
                     struct expand_node **ret_shown, struct fault *fault)
{
    struct building building = {.arena = arena, .path = path, .fault = fault, .next_ref = next_ref};
    Hero__V1__Record *root;
    Code code;

    building.graph = arena_alloc(arena, sizeof(*building.graph));
    if (!building.graph)
        return no_memory(arena, fault);
    hero__v1__graph__init(building.graph);
    code = read_record(&building, model, record, HERO__V1__RECORD__MEMBER__NEW, ret_shown, &root);
    if (!code)
        *ret_graph = building.graph;
    return code;
}
