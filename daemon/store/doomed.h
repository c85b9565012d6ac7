/*
 * Who goes when a record is deleted: the record itself, and those that the
 * rules of relationships and foreign keys say go along. doomed.c collects them,
 * delete.c deletes them.
 */
#ifndef HERO_STORE_DOOMED_H
#define HERO_STORE_DOOMED_H

#include "key_table.h"
#include "relate.h"

struct doomed {
    const struct model *model;
    const struct key_value *key;
    uint64_t hash;
    size_t target; /* whose deletion it goes with */
    bool maybe;    /* not yet: only if nothing refers to it any more */
    struct doomed *chain;
};

struct doomed_list {
    struct doomed **items;
    size_t n, size;
    size_t n_followed; /* whose rules were followed */
};

struct deleting {
    struct commit *commit;
    const char *const *paths;  /* of the targets */
    struct doomed_list *lists; /* by the model's position */
    struct doomed_list maybe;
    struct doomed **buckets;
    size_t n_buckets, n;
    struct related_counts *counts;
};

enum rule {
    RULE_NONE,   /* SQLite refuses as long as one refers */
    RULE_LINK,   /* a link: its row goes */
    RULE_DELETE, /* the records that refer go */
    RULE_CLEAR,  /* their key becomes NULL */
};

/* What becomes of rows that refer by this key. */
enum rule doomed_rule(const struct foreign_key *key);
/* The way from a record to those that refer to it, as a relationship. */
struct relationship doomed_way_back(const struct foreign_key *key);

/* Once each. What may go still goes where another rule says so. */
MUST_CHECK Code doomed_add(struct deleting *deleting, const struct model *model,
                           const struct key_value *key, size_t target, bool maybe);
struct doomed *doomed_find(const struct deleting *deleting, const struct model *model,
                           const struct key_value *key);
/* Adds all that goes along with those in the lists. */
MUST_CHECK Code doomed_follow(struct deleting *deleting);
MUST_CHECK Code doomed_keys(struct deleting *deleting, const struct model *model,
                            struct doomed *const *items, size_t n, struct key_list *ret_list);
/* Does a record that stays refer to the doomed one by this key? */
bool doomed_is_held(struct deleting *deleting, const struct doomed *doomed,
                    const struct foreign_key *key);
/* FAILED_PRECONDITION, with who it is, where records that stay hold some of a
 * model's; OK: none does. */
MUST_CHECK Code doomed_blame(struct deleting *deleting, const struct model *model);

#endif
