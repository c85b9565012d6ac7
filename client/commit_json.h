/*
 * A commit as JSON, inside: what its mutations share. calls_json_commit.c reads
 * them, commit_json_links.c those that link.
 */
#ifndef HERO_CLIENT_COMMIT_JSON_H
#define HERO_CLIENT_COMMIT_JSON_H

#include "calls_json.h"

/* A record that a create called by a name. */
struct named {
    const char *name; /* the JSON value's, which lives while it is read */
    const struct model *model;
    uint32_t ref;
    struct named *next;
};

struct commit {
    hero_request *request;
    struct arena *arena;
    struct fault *fault;
    struct json_path path;
    struct named *names;
    uint32_t next_ref;
    struct calls_shown *shown; /* graphs and shown of those mutations that create */
};

Code commit_json_no_memory(const struct commit *commit);
/* A mutation's member; NULL and told where it is missing. */
const json_t *commit_json_member_of(struct commit *commit, const json_t *object, const char *name);
/* No members but these; NULL ends them. */
MUST_CHECK Code commit_json_check_members(struct commit *commit, const json_t *object,
                                          const char *const *names);
/* "model" */
MUST_CHECK Code commit_json_model_of(struct commit *commit, const json_t *object,
                                     const struct model **ret_model);
/* NULL: no record was called so. */
const struct named *commit_json_find_name(const struct commit *commit, const char *name);
/* A key, or {"@ref": "h"}. */
MUST_CHECK Code commit_json_target_of(struct commit *commit, const struct model *model,
                                      const json_t *value, Hero__V1__Target **ret_target);
MUST_CHECK Code commit_json_target_member(struct commit *commit, const struct model *model,
                                          const json_t *object, const char *name,
                                          Hero__V1__Target **ret_target);
/* "etag": what the stored record must have. */
MUST_CHECK Code commit_json_etag(struct commit *commit, const json_t *value,
                                 Hero__V1__Target *target);

/* commit_json_links.c */
MUST_CHECK Code commit_json_link(struct commit *commit, const json_t *value,
                                 Hero__V1__Mutation *mutation);
MUST_CHECK Code commit_json_unlink(struct commit *commit, const json_t *value,
                                   Hero__V1__Mutation *mutation);
MUST_CHECK Code commit_json_set_links(struct commit *commit, const json_t *value,
                                      Hero__V1__Mutation *mutation);

#endif
