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

void etag_list_begin(struct etag_list *list)
{
    list->member_low = list->member_high = 0;
}

void etag_list_value(struct etag_list *list, const struct key_value *value)
{
    bool has_bytes = value->type == SQLITE_TEXT || value->type == SQLITE_BLOB;
    const void *data = has_bytes ? value->data : &value->integer;
    size_t len = has_bytes ? value->len : value->type == SQLITE_NULL ? 0 : sizeof(value->integer);
    /* What came before is the seed: values don't change places unnoticed. */
    XXH128_hash_t hash = XXH3_128bits_withSeed(len ? data : "", len,
                                               list->member_low ^ (list->member_high << 1) ^
                                                   (uint64_t)(unsigned)value->type);
    list->member_low = hash.low64;
    list->member_high = hash.high64;
}

void etag_list_end(struct etag_list *list)
{
    list->low += list->member_low;
    list->high += list->member_high;
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
