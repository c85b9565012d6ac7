/*
 * Descriptor sets from files: .proto source through protoc, or a set that is
 * there already.
 */
#ifndef HERO_CLI_PROTOC_H
#define HERO_CLI_PROTOC_H

#include "context.h"

/* `path` is FILE.proto, a directory (every .proto in it), or a file that
 * holds a FileDescriptorSet. ret_set is yours to free. 0, or the exit code
 * after the failure was told. */
int protoc_descriptor_set(struct context *context, const char *path, void **ret_set,
                          size_t *ret_size);

#endif
