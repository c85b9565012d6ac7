/*
 * Owns the walk over the generated service descriptors: there is no second
 * list of methods.
 */
#include <stdio.h>
#include <string.h>
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "hero/v1/records.pb-c.h"
#include "method.h"

const ProtobufCServiceDescriptor *const method_services[] = {&hero__v1__records__descriptor,
                                                             &hero__v1__models__descriptor,
                                                             &hero__v1__admin__descriptor, NULL};

static Code unknown(const char *name, struct fault *fault)
{
    char names[1024];
    size_t used = 0;

    names[0] = '\0';
    for (size_t i = 0; method_services[i]; i++)
        for (unsigned j = 0; j < method_services[i]->n_methods && used < sizeof(names); j++)
            used +=
                (size_t)snprintf(names + used, sizeof(names) - used, "%s%s/%s", used ? ", " : "",
                                 method_services[i]->name, method_services[i]->methods[j].name);
    return fault_set(fault, HERO__V1__CODE__UNIMPLEMENTED,
                     "there is no method %.100s; there are %s", name, names);
}

Code method_find(const char *name, struct method *ret_method, struct fault *fault)
{
    for (size_t i = 0; method_services[i]; i++) {
        const ProtobufCServiceDescriptor *service = method_services[i];
        size_t len = strlen(service->name);

        if (strncmp(name, service->name, len) || name[len] != '/')
            continue;
        for (unsigned j = 0; j < service->n_methods; j++) {
            const ProtobufCMethodDescriptor *method = &service->methods[j];

            if (strcmp(name + len + 1, method->name))
                continue;
            *ret_method = (struct method){.input = method->input,
                                          .output = method->output,
                                          .is_write = method->output ==
                                                      &hero__v1__commit_response__descriptor};
            return HERO__V1__CODE__OK;
        }
    }
    return unknown(name, fault);
}

/* A model is removed once; the second time there is none of that name. */
bool method_is_once(const char *name)
{
    return !strcmp(name, "hero.v1.Models/Remove");
}
