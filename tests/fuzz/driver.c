/*
 * A main for fuzz targets where libFuzzer is not at hand: runs each file
 * given, then N variants of it with bytes changed, cut, doubled. The same
 * variants each time.
 *
 *   fuzz_x N FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static uint64_t state = 88172645463325252u;

static size_t below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n ? (size_t)(state % n) : 0;
}

/* One change; returns the new length. The buffer has room for twice len. */
static size_t change(uint8_t *bytes, size_t len)
{
    size_t at = below(len), n = below(len - at) / 4 + 1;
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0xc0};

    if (at + n > len)
        n = len - at;
    switch (below(5)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << below(8));
        return len;
    case 1:
        bytes[at] = odd[below(sizeof(odd))];
        return len;
    case 2: /* cut out */
        memmove(bytes + at, bytes + at + n, len - at - n);
        return len - n;
    case 3: /* double */
        memmove(bytes + at + n, bytes + at, len - at);
        return len + n;
    default: /* cut off */
        return at;
    }
}

static void run(const uint8_t *bytes, size_t len)
{
    /* A copy of just that size, so that a sanitizer sees reads past its end. */
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

int main(int argc, char **argv)
{
    static uint8_t original[MOST_BYTES], bytes[8 * MOST_BYTES];

    if (argc < 3)
        return 2;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        size_t size = fread(original, 1, sizeof(original), file);
        fclose(file);
        run(original, size);
        for (int variant = 0; variant < atoi(argv[1]); variant++) {
            size_t len = size;

            memcpy(bytes, original, size);
            for (size_t n = 1 + below(3); n > 0 && len > 0; n--)
                len = change(bytes, len);
            run(bytes, len);
        }
    }
    return 0;
}
