/*
 * Owns the translation between envelopes and bytes, and between a fault and
 * its Status on the wire.
 */
#include "frame.h"
#include "scan.h"

#include <string.h>

Code frame_unpack_request(const uint8_t *bytes, size_t len, struct arena *arena,
                          Hero__V1__Request **ret_request, struct fault *fault)
{
    ProtobufCMessage *message;
    Code code = scan_unpack(&hero__v1__request__descriptor, bytes, len, &scan_limits_rpc, arena,
                            &message, fault);
    if (code == HERO__V1__CODE__OK)
        *ret_request = (Hero__V1__Request *)message;
    return code;
}

Code frame_unpack_response(const uint8_t *bytes, size_t len, struct arena *arena,
                           Hero__V1__Response **ret_response, struct fault *fault)
{
    ProtobufCMessage *message;
    Code code = scan_unpack(&hero__v1__response__descriptor, bytes, len, &scan_limits_rpc, arena,
                            &message, fault);
    if (code == HERO__V1__CODE__OK)
        *ret_response = (Hero__V1__Response *)message;
    return code;
}

static bool add_violations(Hero__V1__Status *status, const struct fault *fault, struct arena *arena)
{
    Hero__V1__Violation *violations = arena_array(arena, fault->n_violations, sizeof *violations);
    status->violations = arena_array(arena, fault->n_violations, sizeof *status->violations);
    if (!violations || !status->violations)
        return false;
    for (size_t i = 0; i < fault->n_violations; i++) {
        hero__v1__violation__init(&violations[i]);
        violations[i].path = arena_strdup(arena, fault->violations[i].path);
        violations[i].description = arena_strdup(arena, fault->violations[i].description);
        if (!violations[i].path || !violations[i].description)
            return false;
        /* These may be lost where memory is: what is wrong is told without them. */
        violations[i].constraint = arena_strdup(arena, fault->violations[i].constraint);
        violations[i].type = arena_strdup(arena, fault->violations[i].type);
        status->violations[i] = &violations[i];
    }
    status->n_violations = fault->n_violations;
    return true;
}

/* The code must arrive whatever else doesn't: where the arena is full, a
 * Status without text goes out. */
Hero__V1__Status *frame_status(const struct fault *fault, struct arena *arena)
{
    if (fault->code == HERO__V1__CODE__OK)
        return NULL;
    Hero__V1__Status *status = arena_alloc(arena, sizeof *status);
    if (!status)
        return NULL;
    hero__v1__status__init(status);
    status->has_code = 1;
    status->code = fault->code;
    status->message = arena_strdup(arena, fault->message ? fault->message : "");
    if (fault->n_violations && !add_violations(status, fault, arena))
        status->n_violations = 0;
    return status;
}

void frame_fault(const Hero__V1__Status *status, struct fault *fault)
{
    if (!status || status->code == HERO__V1__CODE__OK)
        return;
    bool known = protobuf_c_enum_descriptor_get_value(&hero__v1__code__descriptor, status->code);
    fault_set(fault, known ? status->code : HERO__V1__CODE__UNKNOWN, "%s",
              status->message ? status->message : code_name(status->code));
    for (size_t i = 0; i < status->n_violations; i++) {
        const Hero__V1__Violation *violation = status->violations[i];
        fault_add(fault, violation->path ? violation->path : "", "%s",
                  violation->description ? violation->description : "");
        fault_detail(fault, violation->constraint, violation->type);
    }
}
