/*
 * Open addressing with linear probing, at most half full. Knows addresses,
 * never what they point to.
 */
#include "pointer_map.h"

void pointer_map_init(struct pointer_map *map, struct arena *arena)
{
    *map = (struct pointer_map){.arena = arena};
}

static uint64_t mix(uint64_t hash, const void *pointer)
{
    hash ^= (uint64_t)(uintptr_t)pointer;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

static struct pointer_slot *slot_of(struct pointer_slot *slots, size_t n_slots, const void *a,
                                    const void *b, const void *c)
{
    size_t i = mix(mix(mix(0, a), b), c) & (n_slots - 1);

    while (slots[i].key[0] &&
           (slots[i].key[0] != a || slots[i].key[1] != b || slots[i].key[2] != c))
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

void *pointer_map_find(const struct pointer_map *map, const void *a, const void *b, const void *c)
{
    if (!map->n_slots || !a)
        return NULL;
    return slot_of(map->slots, map->n_slots, a, b, c)->value;
}

static bool grow(struct pointer_map *map)
{
    size_t n_slots = map->n_slots ? map->n_slots * 2 : 32;
    struct pointer_slot *slots = arena_array(map->arena, n_slots, sizeof(*slots));

    if (!slots)
        return false;
    for (size_t i = 0; i < map->n_slots; i++) {
        const struct pointer_slot *old = &map->slots[i];

        if (old->key[0])
            *slot_of(slots, n_slots, old->key[0], old->key[1], old->key[2]) = *old;
    }
    map->slots = slots;
    map->n_slots = n_slots;
    return true;
}

bool pointer_map_put(struct pointer_map *map, const void *a, const void *b, const void *c,
                     void *value)
{
    struct pointer_slot *slot;

    if (map->n_used * 2 >= map->n_slots && !grow(map))
        return false;
    slot = slot_of(map->slots, map->n_slots, a, b, c);
    if (!slot->key[0]) {
        *slot = (struct pointer_slot){{a, b, c}, NULL};
        map->n_used++;
    }
    slot->value = value;
    return true;
}
