/*
 * The values of one record: what changed since it was stored, and bringing it
 * up to what is stored now. Owns the rule that a change which was not sent is
 * never lost, and that after a commit no struct of the session's depends on
 * text of the caller's. Knows nothing of relationships.
 */
#include <stdlib.h>
#include <string.h>
#include "session.h"

static size_t scalar_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return 0;
}

static bool bytes_equal(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

bool session_value_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                         const ProtobufCFieldDescriptor *field)
{
    const void *at_a = field_at(a, field), *at_b = field_at(b, field);
    bool present = field_present(a, field);

    if (present != field_present(b, field))
        return false;
    if (!present)
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return !strcmp(*(char *const *)at_a, *(char *const *)at_b);
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return bytes_equal(at_a, at_b);
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return !*(const protobuf_c_boolean *)at_a == !*(const protobuf_c_boolean *)at_b;
    return !memcmp(at_a, at_b, scalar_size(field->type));
}

void session_value_copy(ProtobufCMessage *to, const ProtobufCMessage *from,
                        const ProtobufCFieldDescriptor *field)
{
    bool present = field_present(from, field);

    /* Of a oneof, what is there belongs to the member that is set. */
    if (present || !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        memcpy(field_at(to, field), field_at(from, field), scalar_size(field->type));
    field_set_present(to, field, present);
}

Code session_snapshot(const struct session_record *record, const struct binding *binding,
                      struct arena *scratch, ProtobufCMessage **ret_base, struct fault *fault)
{
    return graph_struct_unpack(binding, record->snapshot.data, record->snapshot.len, scratch,
                               ret_base, fault);
}

/* ---- taking a stored value over ---- */

/* What a text or bytes field points to. */
static const void *points_to(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !field_present(message, field))
        return NULL;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return *(char *const *)field_at(message, field);
    return field_present(message, field)
               ? ((const ProtobufCBinaryData *)field_at(message, field))->data
               : NULL;
}

static Code take_text(hero_session *session, ProtobufCMessage *message,
                      const ProtobufCMessage *stored, const ProtobufCFieldDescriptor *field,
                      const void **ret_text, struct fault *fault)
{
    void *at = field_at(message, field);
    const void *from = field_at(stored, field);
    void *copy;

    if (field->type == PROTOBUF_C_TYPE_STRING) {
        copy = arena_strdup(&session->arena, *(char *const *)from);
        if (!copy)
            return session_no_memory(fault);
        *(char **)at = copy;
        field_set_present(message, field, true);
    } else {
        const ProtobufCBinaryData *bytes = from;

        copy = arena_copy(&session->arena, bytes->len ? (const void *)bytes->data : "",
                          bytes->len ? bytes->len : 1);
        if (!copy)
            return session_no_memory(fault);
        *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){bytes->len, copy};
        field_set_present(message, field, true);
    }
    *ret_text = copy;
    return HERO__V1__CODE__OK;
}

static bool is_text(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;
}

/* Text of the caller's own in a struct of the caller's own is not replaced. */
static bool is_callers(const struct session_record *record, const ProtobufCFieldDescriptor *field,
                       const void *text)
{
    const void *now = points_to(record->message, field);

    return !record->ours && now && now != text && now != field->default_value &&
           now != protobuf_c_empty_string;
}

/* The struct's value becomes the stored one, or the other way where the
 * caller's text stays. */
static Code take(hero_session *session, struct session_record *record,
                 const ProtobufCFieldDescriptor *field, const void **text, ProtobufCMessage *stored,
                 struct fault *fault)
{
    ProtobufCMessage *message = record->message;
    bool present = field_present(stored, field);

    if (!is_text(field)) {
        session_value_copy(message, stored, field);
        return HERO__V1__CODE__OK;
    }
    if (is_callers(record, field, *text)) {
        session_value_copy(stored, message, field);
        return HERO__V1__CODE__OK;
    }
    if (!present) {
        field_set_present(message, field, false);
        *text = NULL;
        return HERO__V1__CODE__OK;
    }
    /* Ours already and the same: pointers to it stay good. */
    if (*text && points_to(message, field) == *text && session_value_equal(message, stored, field))
        return HERO__V1__CODE__OK;
    return take_text(session, message, stored, field, text, fault);
}

static Code set_snapshot(struct session_record *record, const struct binding *binding,
                         const ProtobufCMessage *stored, struct arena *scratch, struct fault *fault)
{
    ProtobufCBinaryData packed;
    uint8_t *copy;
    Code code = graph_struct_pack(binding, stored, false, scratch, &packed, fault);

    if (code)
        return code;
    copy = malloc(packed.len ? packed.len : 1);
    if (!copy)
        return session_no_memory(fault);
    if (packed.len)
        memcpy(copy, packed.data, packed.len);
    free(record->snapshot.data);
    record->snapshot = (ProtobufCBinaryData){packed.len, copy};
    return HERO__V1__CODE__OK;
}

Code session_merge(hero_session *session, struct session_record *record,
                   const struct binding *binding, const ProtobufCMessage *base,
                   ProtobufCMessage *stored, struct arena *scratch, struct fault *fault)
{
    const ProtobufCMessageDescriptor *columns = binding->columns;
    Code code;

    for (unsigned i = 0; i < columns->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &columns->fields[i];
        const ProtobufCFieldDescriptor *generated =
            protobuf_c_message_descriptor_get_field(record->descriptor, field->id);

        if (!session_value_equal(record->message, base, field))
            continue;
        code = take(session, record, field, &record->texts[generated - record->descriptor->fields],
                    stored, fault);
        if (code)
            return code;
    }
    code = set_snapshot(record, binding, stored, scratch, fault);
    if (code)
        return code;
    record->state = RECORD_STORED;
    return session_identify(session, record, binding, fault);
}
