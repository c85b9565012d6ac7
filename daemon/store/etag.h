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
#include "key_table.h"

#define ETAG_BYTES 16

/* Of a whole record as it travels: packed, with all its columns. */
void etag_of_record(const void *packed, size_t len, uint8_t ret_etag[ETAG_BYTES]);
bool etag_is(const uint8_t etag[ETAG_BYTES], ProtobufCBinaryData given);

/* Of a list of related records: the sum of its members' hashes, so that the
 * order in which they are read is all the same. A member is its key, as SQLite
 * holds it, and the link's own columns as an edge carries them. */
struct etag_list {
    uint64_t low, high, n;
};
#define ETAG_LIST_INIT                                                                             \
    {                                                                                              \
        0, 0, 0                                                                                    \
    }
void etag_list_add(struct etag_list *list, const struct key_value *key, size_t n,
                   ProtobufCBinaryData link);
void etag_of_list(const struct etag_list *list, uint8_t ret_etag[ETAG_BYTES]);

#endif
