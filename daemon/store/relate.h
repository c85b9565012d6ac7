/*
 * Related records, written: what links and unlinks come down to, whichever
 * side asks and whatever joins the two. relate.c dispatches; link.c knows rows
 * of link models, reference.c foreign keys, delete.c what goes with a record.
 */
#ifndef HERO_STORE_RELATE_H
#define HERO_STORE_RELATE_H

#include "write.h"

/* Two records that shall be related, or no longer. */
struct pair {
    const struct relationship *relationship;
    const struct entity *from, *to;
    const char *from_path, *to_path;
    /* The link's own columns, as a record of the link model; NULL: none given. */
    const ProtobufCMessage *columns;
    const char *columns_path;
};

/* What came of it. */
struct related_counts {
    uint32_t added, removed, kept, deleted;
    /* Records whose foreign key was written, as they are stored now. */
    Hero__V1__Record **changed;
    size_t n_changed, max_changed;
};

/* NOT_FOUND at the end's path that is missing. */
MUST_CHECK Code relate_add(struct commit *commit, const struct pair *pair,
                           struct related_counts *counts);
/* Pairs that are not related are counted as kept. */
MUST_CHECK Code relate_remove(struct commit *commit, const struct pair *pair,
                              struct related_counts *counts);
/* The link's own columns of a request or an edge, unpacked and checked: the
 * ends are the link's to write. NULL where the bytes are none. */
MUST_CHECK Code relate_columns(struct commit *commit, const struct relationship *relationship,
                               const ProtobufCBinaryData *bytes, const char *path,
                               ProtobufCMessage **ret_columns);
MUST_CHECK Code relate_changed(struct commit *commit, const struct entity *entity,
                               struct related_counts *counts);
/* A part's fault becomes the commit's, its paths under `path`. */
Code relate_blame(struct commit *commit, struct fault *part, const char *path);
/* NOT_FOUND at every end that does not exist, else OK. */
MUST_CHECK Code relate_check_ends(struct commit *commit, const struct pair *pair);

/* ---- link.c ---- */

MUST_CHECK Code link_add(struct commit *commit, const struct pair *pair, bool *ret_added);
MUST_CHECK Code link_remove(struct commit *commit, const struct pair *pair, bool *ret_removed);

/* ---- reference.c ---- */

/* The child's key refers to the parent from now on; what either had before is
 * given up. */
MUST_CHECK Code reference_set(struct commit *commit, const struct pair *pair,
                              struct related_counts *counts);
MUST_CHECK Code reference_clear(struct commit *commit, const struct pair *pair,
                                struct related_counts *counts);
/* Writes into `record` what of `parent` the key refers to. */
MUST_CHECK Code reference_fill(struct commit *commit, const struct foreign_key *key,
                               ProtobufCMessage *record, const ProtobufCMessage *parent,
                               const char *path);
/* Do the key's columns of `record` hold what of `parent` it refers to? */
bool reference_is(struct commit *commit, const struct foreign_key *key,
                  const ProtobufCMessage *record, const ProtobufCMessage *parent);
/* Has the key a value? Has the record what the key would refer to? */
bool reference_whole(const struct foreign_key *key, const ProtobufCMessage *record);
bool reference_can_refer_to(const struct foreign_key *key, const ProtobufCMessage *parent);
/* Of a key that is unique: whoever refers to the parent so far gives up its place. */
MUST_CHECK Code reference_make_room(struct commit *commit, const struct foreign_key *key,
                                    const struct entity *parent, const char *path,
                                    struct related_counts *counts);

/* ---- delete.c ---- */

/* Deletes records and what goes with them. paths[i]: of target i, for faults. */
MUST_CHECK Code delete_records(struct commit *commit, const struct entity *targets,
                               const char *const *paths, size_t n, struct related_counts *counts);
/* Deletes the record if nothing refers to it any more by the keys that keep it
 * (foreign_key.deletes_orphans). */
MUST_CHECK Code delete_orphan(struct commit *commit, const struct entity *entity, const char *path,
                              struct related_counts *counts);

#endif
