/*
 * Page tokens: where a list left off, as bytes that only the list which made
 * them takes back.
 */
#ifndef HERO_STORE_PAGE_TOKEN_H
#define HERO_STORE_PAGE_TOKEN_H

#include "key_table.h"

/* Writes a token of n values. `shape` tells lists apart. NULL data: no memory. */
ProtobufCBinaryData page_token_write(struct arena *arena, uint64_t shape,
                                     const struct key_value *values, size_t n);
/* Text and bytes point into the token. false: damaged, or of another list. */
bool page_token_read(const ProtobufCBinaryData *token, uint64_t shape, struct key_value *ret_values,
                     size_t n);

#endif
