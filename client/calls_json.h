/*
 * What the JSON calls share: models by name, texts parsed, results printed.
 */
#ifndef HERO_CLIENT_CALLS_JSON_H
#define HERO_CLIENT_CALLS_JSON_H

#include "calls.h"
#include "graph_json.h"
#include "key.h"

/* By full name or table name; a violation's path is "model". */
MUST_CHECK Code calls_model(const hero_request *request, const char *name,
                            const struct model **ret_model, struct fault *fault);
/* Takes the reference: the value as the result's text. */
MUST_CHECK Code calls_text(hero_result *result, json_t *value, struct fault *fault);

/* {"commit": N}, or an empty object where nothing was to be stored. NULL: no memory. */
json_t *calls_commit(const Hero__V1__CommitResponse *commit);
/* What SetLinks did, beside its counts: keys that were added and removed, the list's etag. */
MUST_CHECK Code calls_add_set(hero_request *request, hero_result *result,
                              const Hero__V1__Outcome *outcome, json_t *object,
                              struct fault *fault);
/* Takes the member "@etag" out of an object of columns, if it is there: what
 * is stored must have it. */
MUST_CHECK Code calls_take_etag(json_t *value, struct json_path *path, struct arena *arena,
                                Hero__V1__Target *target, struct fault *fault);
/* The record of an upsert. */
MUST_CHECK Code calls_read_upsert(const struct model *model, const json_t *value,
                                  struct json_path *path, struct arena *arena,
                                  Hero__V1__UpsertRequest *input, struct fault *fault);

/* What a create shows of each root; request->how of those. */
struct calls_shown {
    bool is_array; /* one commit of several, answered with an array */
    size_t n_roots;
    const Hero__V1__Graph **graphs; /* as sent, by root */
    struct expand_node **shown;     /* the relationships that were given */
};

/* The records of one create as stored, nested as they were given. A reference. */
MUST_CHECK Code calls_created(const hero_request *request, hero_result *result,
                              const Hero__V1__Outcome *outcome, const Hero__V1__Graph *graph,
                              const struct expand_node *shown, json_t **ret_value,
                              struct fault *fault);
/* What a path within a mutation begins with, as sent and as it was given. */
struct calls_name {
    const char *sent, *given;
};

/* Paths of a commit in the terms of the JSON: "mutations[2].create.teams" with
 * {".create", ".create.record"} is "[2].create.record.teams". The first row
 * that fits counts; NULL ends them. */
void calls_blame_mutations(struct fault *fault, const struct calls_name *names);

#endif
