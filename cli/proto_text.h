/*
 * Models as .proto source, made from a FileDescriptorSet.
 */
#ifndef HERO_CLI_PROTO_TEXT_H
#define HERO_CLI_PROTO_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Prints the file of that name, or, with NULL, every file but those that come
 * with Hero and protobuf, each after a line "// file: NAME". Returns the
 * number of files printed, or -1 for a broken set. */
int proto_text_print(FILE *out, const uint8_t *set, size_t length, const char *name);

#endif
