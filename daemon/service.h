/* The services' instances, one file each: service_records.c, service_models.c, service_admin.c. */
#ifndef HERO_SERVICE_H
#define HERO_SERVICE_H

#include <protobuf-c/protobuf-c.h>

extern ProtobufCService *const service_records;
extern ProtobufCService *const service_models;
extern ProtobufCService *const service_admin;

#endif
