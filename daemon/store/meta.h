/*
 * Hero's own tables in the database: _hero_meta, _hero_model_set and
 * _hero_request. application_id and user_version belong to the file's owner.
 */
#ifndef HERO_STORE_META_H
#define HERO_STORE_META_H

#include "db.h"

/* What this Hero writes; it refuses to open a file of a higher one. */
#define META_FORMAT 2

/* A number of _hero_meta; *ret_value stays where there is none. */
MUST_CHECK Code meta_get(struct db *db, const char *key, int64_t *ret_value, struct fault *fault);
MUST_CHECK Code meta_put(struct db *db, const char *key, int64_t value, struct fault *fault);

/* The format of a database, 0 where Hero never wrote to it. DATA_LOSS where
 * _hero_meta is not what Hero makes. Reads only. */
MUST_CHECK Code meta_format(struct db *db, int64_t *ret_format, struct fault *fault);
/* Makes the tables, or what is missing of those of earlier formats, in one transaction. */
MUST_CHECK Code meta_create(struct db *db, struct fault *fault);

/* The applied set that is served, and its version. In the arena; empty where
 * none was ever applied. */
MUST_CHECK Code meta_read_set(struct db *db, struct arena *arena, ProtobufCBinaryData *ret_set,
                              uint64_t *ret_version, struct fault *fault);
/* Adds a set; inside the caller's transaction. `steps`: what it changed, a line each. */
MUST_CHECK Code meta_write_set(struct db *db, const struct models *models, const char *author,
                               const char *steps, struct fault *fault);
/* A version that no set had before, not even one of another file at this place. */
uint64_t meta_next_version(uint64_t version);

#endif
