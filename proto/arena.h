/*
 * A bounded arena: the memory of one request, graph or set of models.
 *
 * Everything allocated from it is freed at once. Beyond its budget
 * it answers NULL, so that no message, however amplified, takes more. Not
 * thread-safe: an arena belongs to whoever works on its request.
 */
#ifndef HERO_PROTO_ARENA_H
#define HERO_PROTO_ARENA_H

#include <stdbool.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

struct arena_chunk;

/* A budget that several arenas share, of any threads: what all of them take
 * together, but for the first small chunk of each. */
struct arena_pool {
    atomic_size_t used;
    size_t budget;
};

struct arena {
    struct arena_chunk *chunks;
    char *next, *end;
    size_t used;             /* bytes taken from malloc */
    size_t budget;           /* most that used may become */
    struct arena_pool *pool; /* NULL: none; set after arena_init */
    bool exhausted;          /* an allocation was refused since init or reset */
    ProtobufCAllocator allocator;
};

void arena_init(struct arena *arena, size_t budget);
void arena_done(struct arena *arena);
/* Forgets all allocations; keeps one small chunk for the next request. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type; NULL past the budget or out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, not zeroed: for what is written at once, and bytes that nobody reads before. */
void *arena_reserve(struct arena *arena, size_t size);
/* n * size, checked for overflow. */
void *arena_array(struct arena *arena, size_t n, size_t size);
/* More room for the `size` bytes at `memory`: where they are large they move
 * without a copy being left behind. What is beyond them is not zeroed. */
void *arena_grow(struct arena *arena, void *memory, size_t size, size_t larger);
void *arena_copy(struct arena *arena, const void *bytes, size_t len);
/* The copies are terminated. NULL for a NULL text. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For protobuf_c_message_unpack; free does nothing. Valid as long as the arena. */
ProtobufCAllocator *arena_allocator(struct arena *arena);

#endif
