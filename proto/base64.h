/*
 * Bytes as text, RFC 4648 with padding: in JSON, in options, on the command line.
 */
#ifndef HERO_PROTO_BASE64_H
#define HERO_PROTO_BASE64_H

#include "arena.h"

/* Room for n bytes as text, without a terminator. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes the characters, without a terminator; how many. */
size_t base64_write(char *text, ProtobufCBinaryData bytes);
/* In the arena; NULL: no memory. */
char *base64_text(struct arena *arena, ProtobufCBinaryData bytes);
/* false: not base64; or no memory, when arena->exhausted tells. */
bool base64_decode(struct arena *arena, const char *text, size_t len,
                   ProtobufCBinaryData *ret_bytes);

#endif
