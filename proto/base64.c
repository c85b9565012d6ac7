/* Owns the alphabet and the padding. */
#include "base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_write(char *text, ProtobufCBinaryData bytes)
{
    char *at = text;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;

        if (n > 1)
            bits |= (uint32_t)bytes.data[i + 1] << 8;
        if (n > 2)
            bits |= bytes.data[i + 2];
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        *at++ = n > 2 ? alphabet[bits & 63] : '=';
    }
    return (size_t)(at - text);
}

char *base64_text(struct arena *arena, ProtobufCBinaryData bytes)
{
    char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5);

    if (text)
        text[base64_write(text, bytes)] = '\0';
    return text;
}

static int base64_digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* Four characters, of which the last `pad` are '='. */
static bool base64_group(const char *text, size_t pad, uint8_t *bytes)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4 - pad; i++) {
        int digit = base64_digit(text[i]);

        if (digit < 0)
            return false;
        bits |= (uint32_t)digit << (18 - 6 * i);
    }
    /* Bits that the padding leaves over must be zero, or two texts would be one value. */
    if ((pad == 1 && (bits & 0xff)) || (pad == 2 && (bits & 0xffff)))
        return false;
    for (size_t i = 0; i < 3 - pad; i++)
        bytes[i] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

bool base64_decode(struct arena *arena, const char *text, size_t len,
                   ProtobufCBinaryData *ret_bytes)
{
    size_t pad = 0;
    uint8_t *bytes;

    if (len % 4)
        return false;
    if (len)
        pad = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
    bytes = arena_alloc(arena, len / 4 * 3 + 1);
    if (!bytes)
        return false;
    for (size_t i = 0; i < len; i += 4)
        if (!base64_group(text + i, i + 4 == len ? pad : 0, bytes + i / 4 * 3))
            return false;
    *ret_bytes = (ProtobufCBinaryData){len / 4 * 3 - pad, bytes};
    return true;
}
