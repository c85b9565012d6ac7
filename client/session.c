/*
 * Sessions: which struct is which record. Owns identity (by address, then by
 * key) and the life of records; values, relationship fields, reading and
 * committing have files of their own (session.h).
 */
#include <stdlib.h>
#include <string.h>
#include "client.h"
#include "error.h"
#include "session_plan.h"

Code session_no_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the session");
}

Code session_check_settled(const hero_session *session, struct fault *fault)
{
    if (!session->pending)
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the outcome of the last commit is unknown; call hero_session_commit() to "
                     "settle it before changing the session");
}

Code session_bindings(hero_session *session, struct bindings **ret_bindings, struct fault *fault)
{
    int64_t deadline_ns = client_now_ns() + (int64_t)session->client->timeout_ms * 1000000;

    return client_bindings(session->client, deadline_ns, ret_bindings, fault);
}

void *session_grow(struct arena *arena, void *array, size_t n, size_t *size)
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

/* ---- identity ---- */

struct session_record *session_find(const hero_session *session, const void *message)
{
    return pointer_map_find(&session->by_address, message, NULL, NULL);
}

static size_t bucket_of(const ProtobufCMessageDescriptor *descriptor, ProtobufCBinaryData key,
                        size_t n_buckets)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)descriptor;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ (hash >> 32)) & (n_buckets - 1);
}

struct session_record *session_find_key(const hero_session *session,
                                        const ProtobufCMessageDescriptor *descriptor,
                                        ProtobufCBinaryData key)
{
    struct session_record *record;

    if (!session->by_key_size)
        return NULL;
    record = session->by_key[bucket_of(descriptor, key, session->by_key_size)];
    for (; record; record = record->next_by_key)
        if (record->descriptor == descriptor && record->key.len == key.len &&
            !memcmp(record->key.data, key.data, key.len))
            return record;
    return NULL;
}

static bool grow_buckets(hero_session *session)
{
    size_t size = session->by_key_size ? session->by_key_size * 2 : 32;
    struct session_record **buckets = arena_array(&session->arena, size, sizeof(*buckets));

    if (!buckets)
        return false;
    for (size_t i = 0; i < session->by_key_size; i++) {
        struct session_record *record = session->by_key[i], *next;

        for (; record; record = next) {
            size_t bucket = bucket_of(record->descriptor, record->key, size);

            next = record->next_by_key;
            record->next_by_key = buckets[bucket];
            buckets[bucket] = record;
        }
    }
    session->by_key = buckets;
    session->by_key_size = size;
    return true;
}

static Code put_key(hero_session *session, struct session_record *record, struct fault *fault)
{
    size_t bucket;

    if (session_find_key(session, record->descriptor, record->key))
        return HERO__V1__CODE__OK;
    if (session->n_by_key >= session->by_key_size && !grow_buckets(session))
        return session_no_memory(fault);
    bucket = bucket_of(record->descriptor, record->key, session->by_key_size);
    record->next_by_key = session->by_key[bucket];
    session->by_key[bucket] = record;
    session->n_by_key++;
    return HERO__V1__CODE__OK;
}

Code session_identify(hero_session *session, struct session_record *record,
                      const struct binding *binding, struct fault *fault)
{
    Code code;

    if (record->key.data)
        return HERO__V1__CODE__OK;
    code = graph_struct_pack(binding, record->message, true, &session->arena, &record->key, fault);
    return code ? code : put_key(session, record, fault);
}

void session_forget(hero_session *session, struct session_record *record)
{
    struct session_record **place;

    record->state = RECORD_GONE;
    record->deleting = false;
    if (!record->key.data)
        return;
    place = &session->by_key[bucket_of(record->descriptor, record->key, session->by_key_size)];
    while (*place && *place != record)
        place = &(*place)->next_by_key;
    if (*place) {
        *place = record->next_by_key;
        session->n_by_key--;
    }
    record->next_by_key = NULL;
    record->key = (ProtobufCBinaryData){0, NULL};
    free(record->snapshot.data);
    record->snapshot = (ProtobufCBinaryData){0, NULL};
}

/* ---- records ---- */

static bool make_lists(hero_session *session, struct session_record *record)
{
    const ProtobufCMessageDescriptor *descriptor = record->descriptor;

    record->texts = arena_array(&session->arena, descriptor->n_fields + 1, sizeof(*record->texts));
    record->lists = arena_array(&session->arena, descriptor->n_fields + 1, sizeof(*record->lists));
    if (!record->texts || !record->lists)
        return false;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            record->lists[record->n_lists++].field = field;
    }
    return true;
}

struct session_record *session_track(hero_session *session, ProtobufCMessage *message, bool ours)
{
    struct session_record **records =
        session_grow(&session->arena, session->records, session->n_records, &session->records_size);
    struct session_record *record = arena_alloc(&session->arena, sizeof(*record));

    if (!records || !record)
        return NULL;
    session->records = records;
    record->message = message;
    record->descriptor = message->descriptor;
    record->ours = ours;
    if (!make_lists(session, record) ||
        !pointer_map_put(&session->by_address, message, NULL, NULL, record))
        return NULL;
    session->records[session->n_records++] = record;
    return record;
}

struct session_record *session_make(hero_session *session,
                                    const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_alloc(&session->arena, descriptor->sizeof_message);

    if (!message)
        return NULL;
    protobuf_c_message_init(descriptor, message);
    return session_track(session, message, true);
}

/* ---- what programs call ---- */

hero_session *hero_session_new(hero_client *client)
{
    hero_session *session = calloc(1, sizeof(*session));

    if (!session)
        return NULL;
    session->client = client;
    arena_init(&session->arena, SIZE_MAX);
    pointer_map_init(&session->by_address, &session->arena);
    pointer_map_init(&session->ops_by_pair, &session->arena);
    pointer_map_init(&session->listed, &session->arena);
    return session;
}

void hero_session_free(hero_session *session)
{
    if (!session)
        return;
    session_plan_free(session->pending);
    for (size_t i = 0; i < session->n_records; i++)
        free(session->records[i]->snapshot.data);
    arena_done(&session->arena);
    free(session);
}

void *hero_session_create(hero_session *session, const ProtobufCMessageDescriptor *descriptor)
{
    struct session_record *record = descriptor ? session_make(session, descriptor) : NULL;

    if (!record)
        return NULL;
    record->declared = true;
    return record->message;
}

void *hero_session_find_or_create(hero_session *session,
                                  const ProtobufCMessageDescriptor *descriptor)
{
    struct session_record *record = descriptor ? session_make(session, descriptor) : NULL;

    if (!record)
        return NULL;
    record->declared = record->connect = true;
    return record->message;
}

static Code add(hero_session *session, ProtobufCMessage *message, struct fault *fault)
{
    struct session_record *record;
    Code code = session_check_settled(session, fault);

    if (code)
        return code;
    if (!message || !message->descriptor ||
        message->descriptor->magic != PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "not an initialised struct: start from MESSAGE__INIT");
    record = session_find(session, message);
    if (record && record->deleting)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "this %s is deleted at the next commit; add it after that",
                         record->descriptor->name);
    if (!record)
        record = session_track(session, message, false);
    if (!record)
        return session_no_memory(fault);
    if (record->state == RECORD_GONE)
        record->state = RECORD_NEW;
    record->declared = true;
    return HERO__V1__CODE__OK;
}

hero_code hero_session_add(hero_session *session, ProtobufCMessage *record, hero_error *error)
{
    struct fault fault = FAULT_INIT;

    add(session, record, &fault);
    return error_give(error, &fault, HERO_NOT_SENT);
}

/* A record that was never sent leaves nothing behind but its memory. */
static void drop_new(hero_session *session, struct session_record *record)
{
    for (size_t i = 0; i < session->n_ops; i++) {
        struct session_op *op = session->ops[i];

        if (op->from == record || op->to == record)
            op->dropped = true;
    }
    session_forget(session, record);
}

static Code delete (hero_session *session, void *message, struct fault *fault)
{
    struct session_record *record = session_find(session, message);
    Code code = session_check_settled(session, fault);

    if (code)
        return code;
    if (!record)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "not a record of this session: read it with hero_session_get() first");
    if (record->state == RECORD_GONE)
        return fault_set(fault, HERO__V1__CODE__NOT_FOUND, "this %s was deleted already",
                         record->descriptor->name);
    if (record->deleting)
        return HERO__V1__CODE__OK;
    if (record->state == RECORD_NEW) {
        drop_new(session, record);
    } else {
        code = session_op_add(session, (struct session_op){.kind = OP_DELETE, .from = record}, NULL,
                              fault);
        if (code)
            return code;
        record->deleting = true;
    }
    session_unlist(session, record);
    return HERO__V1__CODE__OK;
}

hero_code hero_session_delete(hero_session *session, void *record, hero_error *error)
{
    struct fault fault = FAULT_INIT;

    delete (session, record, &fault);
    return error_give(error, &fault, HERO_NOT_SENT);
}

uint64_t hero_session_commit_number(const hero_session *session)
{
    return session->commit_number;
}
