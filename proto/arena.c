/*
 * Owns chunks of malloc'd memory, newest first. Knows nothing of what is
 * kept in them.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK 4096u
#define LARGEST_STEP (256u * 1024u)
#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of data */
    alignas(max_align_t) char data[];
};

/* protobuf-c sets what it asks for itself. */
static void *allocate_for_protobuf(void *arena, size_t size)
{
    return arena_reserve(arena, size);
}

static void free_nothing(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

void arena_init(struct arena *arena, size_t budget)
{
    memset(arena, 0, sizeof *arena);
    arena->budget = budget;
}

static bool take_from_pool(struct arena *arena, size_t size)
{
    struct arena_pool *pool = arena->pool;
    if (!pool)
        return true;
    /* the first small chunk is always granted: what little a health check
     * takes must not depend on what others took */
    bool small = arena->used == 0 && size <= FIRST_CHUNK;
    if (atomic_fetch_add(&pool->used, size) + size <= pool->budget || small)
        return true;
    atomic_fetch_sub(&pool->used, size);
    return false;
}

static void free_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    if (arena->pool)
        atomic_fetch_sub(&arena->pool->used, sizeof *chunk + chunk->size);
    free(chunk);
}

void arena_done(struct arena *arena)
{
    struct arena_pool *pool = arena->pool;
    struct arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        free_chunk(arena, chunk);
        chunk = older;
    }
    arena_init(arena, arena->budget);
    arena->pool = pool;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk && chunk->older) {
        struct arena_chunk *older = chunk->older;
        free_chunk(arena, chunk);
        chunk = older;
    }
    if (chunk && chunk->size > FIRST_CHUNK) {
        free_chunk(arena, chunk);
        chunk = NULL;
    }
    arena->chunks = chunk;
    arena->next = chunk ? chunk->data : NULL;
    arena->end = chunk ? chunk->data + chunk->size : NULL;
    arena->used = chunk ? sizeof *chunk + chunk->size : 0;
    arena->exhausted = false;
}

/* Chunks double up to a limit, so that neither a small nor a large message
 * costs many calls of malloc. */
static bool add_chunk(struct arena *arena, size_t at_least)
{
    size_t size =
        arena->used < FIRST_CHUNK ? FIRST_CHUNK - sizeof(struct arena_chunk) : arena->used;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < at_least)
        size = at_least;
    size_t left = arena->budget > arena->used ? arena->budget - arena->used : 0;
    if (left < sizeof(struct arena_chunk) || at_least > left - sizeof(struct arena_chunk))
        return false;
    if (size > left - sizeof(struct arena_chunk))
        size = at_least;
    if (!take_from_pool(arena, sizeof(struct arena_chunk) + size))
        return false;
    struct arena_chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk) {
        if (arena->pool)
            atomic_fetch_sub(&arena->pool->used, sizeof *chunk + size);
        return false;
    }
    chunk->older = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + size;
    arena->used += sizeof *chunk + size;
    return true;
}

void *arena_reserve(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2;
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (size == 0)
        size = ALIGNMENT;
    if ((!arena->next || size > (size_t)(arena->end - arena->next)) && !add_chunk(arena, size)) {
        arena->exhausted = true;
        return NULL;
    }
    void *memory = arena->next;
    arena->next += size;
    return memory;
}

/* Here and not in whole chunks: most of the last one is never used. */
void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_reserve(arena, size);
    return memory ? memset(memory, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) {
        arena->exhausted = true;
        return NULL;
    }
    return arena_alloc(arena, total);
}

/* A chunk that holds nothing else becomes larger itself. NULL: it can't. */
static void *grow_chunk(struct arena *arena, struct arena_chunk **at, size_t larger)
{
    struct arena_chunk *chunk = *at;
    bool newest = at == &arena->chunks;
    size_t more = larger - chunk->size;
    if (more > arena->budget - arena->used || !take_from_pool(arena, more))
        return NULL;
    chunk = realloc(chunk, sizeof *chunk + larger);
    if (!chunk) {
        if (arena->pool)
            atomic_fetch_sub(&arena->pool->used, more);
        return NULL;
    }
    chunk->size = larger;
    *at = chunk;
    if (newest)
        arena->next = arena->end = chunk->data + larger;
    arena->used += more;
    return chunk->data;
}

void *arena_grow(struct arena *arena, void *memory, size_t size, size_t larger)
{
    struct arena_chunk **at = &arena->chunks;
    while (*at && (*at)->data != (char *)memory)
        at = &(*at)->older;
    if (size <= LARGEST_STEP || !*at || (*at)->size != size || larger > SIZE_MAX / 2) {
        void *copy = arena_reserve(arena, larger);
        if (copy && size)
            memcpy(copy, memory, size);
        return copy;
    }
    void *grown = grow_chunk(arena, at, (larger + ALIGNMENT - 1) & ~(ALIGNMENT - 1));
    if (!grown)
        arena->exhausted = true;
    return grown;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = arena_reserve(arena, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_reserve(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
    arena->allocator.alloc = allocate_for_protobuf;
    arena->allocator.free = free_nothing;
    arena->allocator.allocator_data = arena;
    return &arena->allocator;
}
