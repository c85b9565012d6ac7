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
