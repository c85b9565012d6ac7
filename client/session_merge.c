/*
 * The values of one record: what changed since it was stored, and bringing it
 * up to what is stored now. Owns the rule that a change which was not sent is
 * never lost, and that after a commit no struct of the session's depends on
 * text of the caller's. Knows nothing of relationships.
 */
#include <stdlib.h>
#include <string.h>
#include "session.h"
#include "struct_value.h"

bool session_value_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
                         const ProtobufCFieldDescriptor *field)
{
    return struct_value_equal(a, b, field);
}

void session_value_copy(ProtobufCMessage *to, const ProtobufCMessage *from,
                        const ProtobufCFieldDescriptor *field)
{
    struct_value_share(to, from, field);
}

Code session_snapshot(const struct session_record *record, const struct binding *binding,
                      struct arena *scratch, ProtobufCMessage **ret_base, struct fault *fault)
{
    return graph_struct_unpack(binding, record->snapshot.data, record->snapshot.len, scratch,
                               ret_base, fault);
}

/* ---- taking a stored value over ---- */

/* Text, messages and lists of the caller's own in a struct of the caller's own
 * are not replaced. */
static bool is_callers(const struct session_record *record, const ProtobufCFieldDescriptor *field,
                       const void *text)
{
    const void *now = struct_value_pointer(record->message, field);

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

    if (!struct_value_is_pointer(field)) {
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
    if (*text && struct_value_pointer(message, field) == *text &&
        session_value_equal(message, stored, field))
        return HERO__V1__CODE__OK;
    if (!struct_value_copy(message, stored, field, &session->arena))
        return session_no_memory(fault);
    *text = struct_value_pointer(message, field);
    return HERO__V1__CODE__OK;
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
