/*
 * The format of page tokens: a version byte, the list's shape, the values of
 * its order columns in the last row, a checksum. Integers in the machine's
 * byte order: a token lives shorter than a machine. Knows values, not lists.
 */
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "page_token.h"

#define VERSION 1
#define HEAD (1 + sizeof(uint64_t))

static size_t payload(const struct key_value *value)
{
    switch (value->type) {
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        return sizeof(uint32_t) + value->len;
    case SQLITE_NULL:
        return 0;
    default:
        return sizeof(uint64_t);
    }
}

static uint8_t *write_value(uint8_t *to, const struct key_value *value)
{
    *to++ = (uint8_t)value->type;
    if (value->type == SQLITE_TEXT || value->type == SQLITE_BLOB) {
        uint32_t len = (uint32_t)value->len;
        memcpy(to, &len, sizeof(len));
        if (len)
            memcpy(to + sizeof(len), value->data, len);
    } else if (value->type != SQLITE_NULL) {
        memcpy(to, &value->integer, sizeof(value->integer)); /* or the real's bits */
    }
    return to + payload(value);
}

ProtobufCBinaryData page_token_write(struct arena *arena, uint64_t shape,
                                     const struct key_value *values, size_t n)
{
    ProtobufCBinaryData token = {HEAD + sizeof(uint64_t), NULL};
    for (size_t i = 0; i < n; i++)
        token.len += 1 + payload(&values[i]);
    token.data = arena_alloc(arena, token.len);
    if (!token.data)
        return token;
    uint8_t *to = token.data;
    *to++ = VERSION;
    memcpy(to, &shape, sizeof(shape));
    to += sizeof(shape);
    for (size_t i = 0; i < n; i++)
        to = write_value(to, &values[i]);
    uint64_t checksum = XXH3_64bits(token.data, (size_t)(to - token.data));
    memcpy(to, &checksum, sizeof(checksum));
    return token;
}

static bool read_value(const uint8_t **at, const uint8_t *end, struct key_value *value)
{
    memset(value, 0, sizeof(*value));
    if (*at >= end)
        return false;
    value->type = *(*at)++;
    if (value->type < SQLITE_INTEGER || value->type > SQLITE_NULL)
        return false;
    if (value->type == SQLITE_NULL)
        return true;
    if (value->type == SQLITE_TEXT || value->type == SQLITE_BLOB) {
        uint32_t len;
        if ((size_t)(end - *at) < sizeof(len))
            return false;
        memcpy(&len, *at, sizeof(len));
        *at += sizeof(len);
        if ((size_t)(end - *at) < len)
            return false;
        value->len = len;
        value->data = *at;
        *at += len;
        return true;
    }
    if ((size_t)(end - *at) < sizeof(value->integer))
        return false;
    memcpy(&value->integer, *at, sizeof(value->integer));
    *at += sizeof(value->integer);
    return true;
}

bool page_token_read(const ProtobufCBinaryData *token, uint64_t shape, struct key_value *ret_values,
                     size_t n)
{
    uint64_t made_for, checksum;
    if (token->len < HEAD + sizeof(checksum) || token->data[0] != VERSION)
        return false;
    const uint8_t *end = token->data + token->len - sizeof(checksum), *at = token->data + HEAD;
    memcpy(&made_for, token->data + 1, sizeof(made_for));
    memcpy(&checksum, end, sizeof(checksum));
    if (made_for != shape || checksum != XXH3_64bits(token->data, (size_t)(end - token->data)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_value(&at, end, &ret_values[i]))
            return false;
    return at == end;
}
