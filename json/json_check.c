/*
 * What a message on the wire may hold and JSON may not: found before it is
 * written, with the path to blame.
 */
#include <math.h>
#include <google/protobuf/timestamp.pb-c.h>
#include "dynamic.h"
#include "formats.h"
#include "json_internal.h"

static Code check_message(const ProtobufCMessage *message, struct json_path *path,
                          struct fault *fault)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    Code code = HERO__V1__CODE__OK;

    if (path->depth > JSON_DEPTH)
        return fault_add(fault, path->text, "is nested deeper than %u levels", JSON_DEPTH);
    for (unsigned i = 0; i < descriptor->n_fields && !code; i++) {
        size_t before = json_path_name(path, descriptor->fields[i].name);

        code = json_check_field(message, &descriptor->fields[i], path, fault);
        json_path_pop(path, before);
    }
    return code;
}

static Code check_timestamp(const Google__Protobuf__Timestamp *timestamp,
                            const struct json_path *path, struct fault *fault)
{
    if (moment_is_valid((struct moment){timestamp->seconds, timestamp->nanos}))
        return HERO__V1__CODE__OK;
    return fault_add(fault, path->text,
                     "is no time of the years 1 to 9999 with 0 to 999999999 nanoseconds");
}

static Code check_value(const ProtobufCFieldDescriptor *field, const void *place,
                        struct json_path *path, struct fault *fault)
{
    const ProtobufCMessage *message;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        if (isfinite(*(const float *)place))
            break;
        return fault_add(fault, path->text, "NaN and infinity cannot be stored");
    case PROTOBUF_C_TYPE_DOUBLE:
        if (isfinite(*(const double *)place))
            break;
        return fault_add(fault, path->text, "NaN and infinity cannot be stored");
    case PROTOBUF_C_TYPE_ENUM:
        if (protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)place))
            break;
        return fault_add(fault, path->text, "is no value of %s",
                         ((const ProtobufCEnumDescriptor *)field->descriptor)->name);
    case PROTOBUF_C_TYPE_MESSAGE:
        message = *(ProtobufCMessage *const *)place;
        if (field->descriptor == &google__protobuf__timestamp__descriptor)
            return check_timestamp((const Google__Protobuf__Timestamp *)message, path, fault);
        return check_message(message, path, fault);
    default: /* integers, bool, text and bytes are as they are */
        break;
    }
    return HERO__V1__CODE__OK;
}

Code json_check_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      struct json_path *path, struct fault *fault)
{
    size_t n;
    const char *items;
    Code code = HERO__V1__CODE__OK;

    if (!field_present(message, field))
        return HERO__V1__CODE__OK;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return check_value(field, field_at(message, field), path, fault);
    n = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
    items = *(char *const *)field_at(message, field);
    for (size_t i = 0; i < n && !code; i++) {
        size_t before = json_path_index(path, i);

        code = check_value(field, items + i * json_types[field->type].size, path, fault);
        json_path_pop(path, before);
    }
    return code;
}
