/*
 * get and list: what the daemon answers becomes structs of the session. A
 * plain call reads into structs of its result; here these are matched with
 * the records the session holds, by key, and merged into them.
 */
#include <string.h>
#include "error.h"
#include "session.h"

/* One reply on its way into the session. */
struct reading {
    hero_session *session;
    struct bindings *bindings;
    struct arena scratch;
    struct pointer_map seen;  /* struct of the reply -> record */
    ProtobufCMessage **queue; /* structs of the reply, each once */
    size_t n_queue, queue_size;
    struct fault *fault;
};

static struct session_record *record_of(const struct reading *reading, const void *message)
{
    return pointer_map_find(&reading->seen, message, NULL, NULL);
}

/* The values of one struct of the reply. */
static Code take_record(struct reading *reading, ProtobufCMessage *message)
{
    hero_session *session = reading->session;
    struct session_record *record;
    const struct binding *binding;
    ProtobufCBinaryData key;
    ProtobufCMessage *base;
    Code code = bindings_find(reading->bindings, message->descriptor, &binding, reading->fault);

    if (!code)
        code = graph_struct_pack(binding, message, true, &reading->scratch, &key, reading->fault);
    if (code)
        return code;
    record = session_find_key(session, message->descriptor, key);
    if (record) {
        code = session_snapshot(record, binding, &reading->scratch, &base, reading->fault);
    } else {
        record = session_make(session, message->descriptor);
        base = record ? arena_copy(&reading->scratch, record->message,
                                   record->descriptor->sizeof_message)
                      : NULL;
        if (!base)
            return session_no_memory(reading->fault);
    }
    if (!code && !pointer_map_put(&reading->seen, message, NULL, NULL, record))
        return session_no_memory(reading->fault);
    if (!code)
        code = session_merge(session, record, binding, base, message, &reading->scratch,
                             reading->fault);
    return code;
}

static Code enqueue(struct reading *reading, ProtobufCMessage *message)
{
    ProtobufCMessage **queue;

    if (pointer_map_find(&reading->seen, message, reading, NULL))
        return HERO__V1__CODE__OK;
    queue = session_grow(&reading->scratch, reading->queue, reading->n_queue, &reading->queue_size);
    if (!queue || !pointer_map_put(&reading->seen, message, reading, NULL, message))
        return session_no_memory(reading->fault);
    reading->queue = queue;
    reading->queue[reading->n_queue++] = message;
    return HERO__V1__CODE__OK;
}

static Code take_records(struct reading *reading)
{
    for (size_t i = 0; i < reading->n_queue; i++) {
        ProtobufCMessage *message = reading->queue[i];
        const struct binding *binding = NULL;
        Code code = take_record(reading, message);

        if (!code)
            code = bindings_find(reading->bindings, message->descriptor, &binding, reading->fault);
        for (size_t j = 0; !code && j < binding->model->n_relationships; j++) {
            const ProtobufCFieldDescriptor *field =
                graph_struct_field(message->descriptor, &binding->model->relationships[j]);
            ProtobufCMessage **related;
            size_t n = field ? graph_struct_related(message, field, &related) : 0;

            for (size_t k = 0; !code && k < n; k++)
                code = enqueue(reading, related[k]);
        }
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* ---- relationships ---- */

/* What the field shows: what was read, less what is unlinked or deleted here,
 * and with what is linked here. */
static Code take_list(struct reading *reading, const ProtobufCMessage *message,
                      const struct session_pair *pair)
{
    hero_session *session = reading->session;
    struct session_record *record = record_of(reading, message), **related;
    struct session_list *list = session_list_of(record, pair->field);
    ProtobufCMessage **read;
    size_t n_read = graph_struct_related(message, pair->field, &read), n = 0;
    struct pointer_map in;

    pointer_map_init(&in, &reading->scratch);
    related = arena_array(&reading->scratch, n_read + list->n_items + 1, sizeof(*related));
    if (!related)
        return session_no_memory(reading->fault);
    for (size_t i = 0; i < n_read; i++) {
        struct session_record *other = record_of(reading, read[i]);
        const struct session_op *op = session_op_find(session, pair, record, other);

        if (other->deleting || (op && op->kind == OP_UNLINK))
            continue;
        related[n++] = other;
        if (!pointer_map_put(&in, other, NULL, NULL, other))
            return session_no_memory(reading->fault);
    }
    for (size_t i = 0; i < list->n_items; i++) {
        struct session_record *other = session_find(session, list->items[i]);
        const struct session_op *op = session_op_find(session, pair, record, other);

        if (op && op->kind == OP_LINK && !pointer_map_find(&in, other, NULL, NULL))
            related[n++] = other;
    }
    return session_show_all(session, pair, record, related, n, &reading->scratch, reading->fault);
}

/* The structs one step along a path, each once. */
struct level {
    ProtobufCMessage **messages;
    size_t n, size;
};

static Code step(struct reading *reading, const struct level *level, const char *name,
                 struct level *ret_next)
{
    struct pointer_map in;

    pointer_map_init(&in, &reading->scratch);
    *ret_next = (struct level){NULL, 0, 0};
    for (size_t i = 0; i < level->n; i++) {
        ProtobufCMessage *message = level->messages[i], **related;
        const struct binding *binding;
        struct session_pair pair;
        size_t n;
        Code code = bindings_find(reading->bindings, message->descriptor, &binding, reading->fault);

        if (!code)
            code = session_pair_find(binding, name, &pair, reading->fault);
        if (!code)
            code = take_list(reading, message, &pair);
        if (code)
            return code;
        n = graph_struct_related(message, pair.field, &related);
        for (size_t j = 0; j < n; j++) {
            ProtobufCMessage **messages;

            if (pointer_map_find(&in, related[j], NULL, NULL))
                continue;
            messages =
                session_grow(&reading->scratch, ret_next->messages, ret_next->n, &ret_next->size);
            if (!messages || !pointer_map_put(&in, related[j], NULL, NULL, related[j]))
                return session_no_memory(reading->fault);
            ret_next->messages = messages;
            ret_next->messages[ret_next->n++] = related[j];
        }
    }
    return HERO__V1__CODE__OK;
}

/* Along "teams.heroes" from the records asked for. */
static Code take_path(struct reading *reading, struct level roots, char *path)
{
    struct level level = roots;
    char *rest = NULL;

    for (char *name = strtok_r(path, ". ", &rest); name; name = strtok_r(NULL, ". ", &rest)) {
        struct level next;
        Code code = step(reading, &level, name, &next);

        if (code)
            return code;
        level = next;
    }
    return HERO__V1__CODE__OK;
}

static Code take_lists(struct reading *reading, struct level roots, const char *expand)
{
    char *paths = arena_strdup(&reading->scratch, expand ? expand : ""), *rest = NULL;
    Code code = HERO__V1__CODE__OK;

    if (!paths)
        return session_no_memory(reading->fault);
    for (char *path = strtok_r(paths, ",", &rest); !code && path; path = strtok_r(NULL, ",", &rest))
        code = take_path(reading, roots, path);
    return code;
}

/* ---- a reply ---- */

static Code take_result(struct reading *reading, const hero_result *result, const char *expand)
{
    size_t n = hero_result_count(result);
    struct level roots = {arena_array(&reading->scratch, n + 1, sizeof(ProtobufCMessage *)), n, n};
    Code code = HERO__V1__CODE__OK;

    if (!roots.messages)
        return session_no_memory(reading->fault);
    for (size_t i = 0; !code && i < n; i++) {
        roots.messages[i] = hero_result_record(result, i);
        code = enqueue(reading, roots.messages[i]);
    }
    if (!code)
        code = take_records(reading);
    return code ? code : take_lists(reading, roots, expand);
}

/* The records asked for, as structs of the session, into an array with room
 * for all of them; those deleted here are left out. */
static Code take_reply(hero_session *session, const hero_result *result, const char *expand,
                       void **records, size_t *ret_n_records, struct fault *fault)
{
    struct reading reading = {.session = session, .fault = fault};
    size_t n = hero_result_count(result), n_records = 0;
    Code code;

    arena_init(&reading.scratch, SIZE_MAX);
    pointer_map_init(&reading.seen, &reading.scratch);
    code = session_bindings(session, &reading.bindings, fault);
    if (!code)
        code = take_result(&reading, result, expand);
    for (size_t i = 0; !code && i < n; i++) {
        struct session_record *record = record_of(&reading, hero_result_record(result, i));

        if (!record->deleting)
            records[n_records++] = record->message;
    }
    bindings_unref(reading.bindings);
    arena_done(&reading.scratch);
    if (!code)
        *ret_n_records = n_records;
    return code;
}

void *hero_session_get(hero_session *session, const ProtobufCMessageDescriptor *descriptor,
                       hero_key key, const char *expand, hero_error *error)
{
    hero_result *result = hero_client_get(session->client, descriptor, key, expand, error);
    struct fault fault = FAULT_INIT;
    void *record = NULL;
    size_t n_records = 0;
    Code code;

    if (!result)
        return NULL;
    code = take_reply(session, result, expand, &record, &n_records, &fault);
    hero_result_free(result);
    if (!code && !n_records)
        code = fault_set(&fault, HERO__V1__CODE__NOT_FOUND, "this %s is deleted in this session",
                         descriptor->name);
    (void)error_give(error, &fault, HERO_REFUSED);
    return code ? NULL : record;
}

/* What a session holds it holds whole: a commit sends what differs from it. */
static Code check_whole(const hero_list *list, struct fault *fault)
{
    if (list && list->fields)
        return fault_add(fault, "read_mask", "a session holds whole records: use a plain call");
    if (list && list->n_expansions)
        return fault_add(fault, "expansions",
                         "a session holds whole lists: use expand, or a plain call");
    return HERO__V1__CODE__OK;
}

void **hero_session_list(hero_session *session, const ProtobufCMessageDescriptor *descriptor,
                         const hero_list *list, size_t *ret_n_records,
                         const char **ret_next_page_token, hero_error *error)
{
    struct fault fault = FAULT_INIT;
    hero_result *result = check_whole(list, &fault)
                              ? NULL
                              : hero_client_list(session->client, descriptor, list, error);
    const char *token = NULL;
    size_t n_records = 0;
    void **records;
    Code code;

    if (fault.code)
        (void)error_give(error, &fault, HERO_REFUSED);
    if (!result)
        return NULL;
    records = arena_array(&session->arena, hero_result_count(result) + 1, sizeof(*records));
    code = records ? take_reply(session, result, list ? list->expand : NULL, records, &n_records,
                                &fault)
                   : session_no_memory(&fault);
    if (!code && ret_next_page_token && hero_result_next_page_token(result)) {
        token = arena_strdup(&session->arena, hero_result_next_page_token(result));
        if (!token)
            code = session_no_memory(&fault);
    }
    hero_result_free(result);
    (void)error_give(error, &fault, HERO_REFUSED);
    if (code)
        return NULL;
    if (ret_n_records)
        *ret_n_records = n_records;
    if (ret_next_page_token)
        *ret_next_page_token = token;
    return records;
}
