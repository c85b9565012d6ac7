/*
 * Etags: what a record, or a list of related ones, is recognised by when it
 * comes back. The same before and after a restart; another one as soon as any
 * column changes.
 */
#ifndef HERO_STORE_ETAG_H
#define HERO_STORE_ETAG_H

#include <stdbool.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

#define ETAG_BYTES 16

/* Of a whole record as it travels: packed, with all its columns. */
void etag_of_record(const void *packed, size_t len, uint8_t ret_etag[ETAG_BYTES]);
bool etag_is(const uint8_t etag[ETAG_BYTES], ProtobufCBinaryData given);

#endif
