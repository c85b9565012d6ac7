/*
 * Descriptor sets for tests, made by the real protoc of .proto text.
 */
#ifndef HERO_TESTS_PROTOC_H
#define HERO_TESTS_PROTOC_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* the test frees it */
    size_t len;
};

/* What protoc --include_imports --descriptor_set_out writes of one file of a
 * directory of the source tree. Fails the test where protoc does. */
struct bytes protoc_file(const char *directory, const char *name);

/* The same of texts: pairs of file name and content, then NULL; all are
 * compiled. "syntax" and the import of the options are put before a content
 * that does not begin with "syntax". */
struct bytes protoc_texts(const char *const *names_and_texts);

/* Reads a set with protoc, as another tool would: 0 if it takes it. */
int protoc_accepts(const uint8_t *set, size_t len);

#endif
