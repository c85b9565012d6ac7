/*
 * A map from up to three addresses to one: which struct is which record,
 * which pair is linked. Memory is an arena's; nothing is removed (put NULL).
 */
#ifndef HERO_CLIENT_POINTER_MAP_H
#define HERO_CLIENT_POINTER_MAP_H

#include "arena.h"

struct pointer_slot {
    const void *key[3];
    void *value;
};

struct pointer_map {
    struct arena *arena;
    struct pointer_slot *slots;
    size_t n_slots, n_used;
};

void pointer_map_init(struct pointer_map *map, struct arena *arena);
/* NULL: not there. */
void *pointer_map_find(const struct pointer_map *map, const void *a, const void *b, const void *c);
/* Sets or replaces. a is not NULL. false: no memory. */
bool pointer_map_put(struct pointer_map *map, const void *a, const void *b, const void *c,
                     void *value);

#endif
