/* Etags are hashes; who knows one knows nothing of the record. */
#include "etag.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

void etag_of_record(const void *packed, size_t len, uint8_t ret_etag[ETAG_BYTES])
{
    XXH128_canonical_t canonical;
    _Static_assert(sizeof(canonical) == ETAG_BYTES, "an etag is one hash");
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(packed, len));
    memcpy(ret_etag, &canonical, ETAG_BYTES);
}

bool etag_is(const uint8_t etag[ETAG_BYTES], ProtobufCBinaryData given)
{
    return given.len == ETAG_BYTES && memcmp(etag, given.data, ETAG_BYTES) == 0;
}

/* ---- lists ---- */

/* What came before is the seed: values don't change places unnoticed. */
static XXH128_hash_t add(XXH128_hash_t before, int type, const void *data, size_t len)
{
    return XXH3_128bits_withSeed(len ? data : "", len,
                                 before.low64 ^ (before.high64 << 1) ^ (uint64_t)(unsigned)type);
}

void etag_list_add(struct etag_list *list, const struct key_value *key, size_t n,
                   ProtobufCBinaryData link)
{
    XXH128_hash_t member = {0, 0};
    for (size_t i = 0; i < n; i++) {
        bool has_bytes = key[i].type == SQLITE_TEXT || key[i].type == SQLITE_BLOB;
        member = add(member, key[i].type, has_bytes ? key[i].data : &key[i].integer,
                     has_bytes ? key[i].len : sizeof(key[i].integer));
    }
    if (link.data)
        member = add(member, SQLITE_BLOB, link.data, link.len);
    list->low += member.low64;
    list->high += member.high64;
    list->n++;
}

void etag_of_list(const struct etag_list *list, uint8_t ret_etag[ETAG_BYTES])
{
    const uint64_t sum[] = {list->low, list->high, list->n};
    uint8_t bytes[sizeof(sum)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(sum[i / 8] >> (8 * (i % 8)));
    etag_of_record(bytes, sizeof(bytes), ret_etag);
}
