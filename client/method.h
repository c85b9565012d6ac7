/*
 * Methods by name: "hero.v1.Records/Get" -> its messages, from the generated
 * service descriptors, and what repeating it would do.
 */
#ifndef HERO_CLIENT_METHOD_H
#define HERO_CLIENT_METHOD_H

#include <stdbool.h>
#include <protobuf-c/protobuf-c.h>
#include "fault.h"

/* NULL terminated. */
extern const ProtobufCServiceDescriptor *const method_services[];

struct method {
    const ProtobufCMessageDescriptor *input, *output;
    bool is_write; /* answered with a commit: sent under a seq */
};

/* UNIMPLEMENTED, with the near ones. */
MUST_CHECK Code method_find(const char *name, struct method *ret_method, struct fault *fault);
/* Twice is not the same as once, and no seq protects it. */
bool method_is_once(const char *name);

#endif
