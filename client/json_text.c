/*
 * What JSON needs of text: parsing (by jansson), paths for texts of errors,
 * base64. json_print.c goes the other way.
 */
#include <stdio.h>
#include <string.h>
#include "json.h"
#include "json_internal.h"

/* ---- paths ---- */

static size_t append(struct json_path *path, const char *before, const char *text,
                     const char *after)
{
    size_t len = path->len, room = sizeof(path->text) - len;
    int n = snprintf(path->text + len, room, "%s%s%s", before, text, after);

    path->len = n < 0 ? len : (size_t)n < room ? len + (size_t)n : sizeof(path->text) - 1;
    path->depth++;
    return len;
}

size_t json_path_name(struct json_path *path, const char *name)
{
    return append(path, path->len ? "." : "", name, "");
}

size_t json_path_index(struct json_path *path, size_t index)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu", index);
    return append(path, "[", text, "]");
}

void json_path_pop(struct json_path *path, size_t before)
{
    path->len = before;
    path->text[before] = '\0';
    path->depth--;
}

/* ---- text ---- */

Code json_parse(const char *text, json_t **ret_value, struct fault *fault)
{
    size_t len = text ? strlen(text) : 0;
    json_error_t error;

    if (!text)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "no JSON text was given");
    if (len > JSON_TEXT_BYTES)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the JSON text has %zu bytes; at most %zu are taken", len,
                         JSON_TEXT_BYTES);
    *ret_value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*ret_value)
        return HERO__V1__CODE__OK;
    switch (json_error_code(&error)) {
    case json_error_numeric_overflow:
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "JSON line %d, column %d: %s; integers reach from -9223372036854775808 to "
                         "9223372036854775807, larger unsigned ones are given as text",
                         error.line, error.column, error.text);
    case json_error_out_of_memory:
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    default:
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "JSON line %d, column %d: %s",
                         error.line, error.column, error.text);
    }
}

/* ---- base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t json_base64_write(char *text, ProtobufCBinaryData bytes)
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

char *json_base64(struct arena *arena, ProtobufCBinaryData bytes)
{
    char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5);

    if (text)
        text[json_base64_write(text, bytes)] = '\0';
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

bool json_base64_decode(struct arena *arena, const char *text, size_t len,
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
