/*
 * A store on a fresh database with the models of the tutorial and of
 * tests/data/library.proto, and short ways to ask it for things.
 */
#ifndef HERO_TESTS_STORE_CASE_H
#define HERO_TESTS_STORE_CASE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <semaphore.h>
#include "store/store.h"

struct store_case {
    char directory[64];
    char path[96];
    struct store *store;
    struct models *models;
    struct arena arena; /* of everything a test asks; dropped at its end */
    struct echo echo;
    struct store_options options;
};

/* cmocka setup and teardown: *state is a struct store_case. */
int store_case_setup(void **state);
int store_case_teardown(void **state);
/* The same without a store, so that a test can prepare the file. */
int store_case_setup_closed(void **state);
void store_case_open(struct store_case *c);
void store_case_close(struct store_case *c);
/* Changes of what is served; c->models stay those from before. */
void store_case_apply(struct store_case *c, const uint8_t *set, size_t len);
void store_case_remove(struct store_case *c, const char *model);
/* SQL on the file through a connection of its own; one number back. */
int64_t store_case_sql(struct store_case *c, const char *sql);

/* A packed record: "name=Deadpond;age=48". */
ProtobufCBinaryData case_record(struct store_case *c, const char *model, const char *fields);

struct graph_spec {
    const char *model, *fields;
    Hero__V1__Record__Member member;
};
struct edge_spec {
    uint32_t from, to; /* refs: places in the records from 1 */
    const char *relationship;
};
Hero__V1__Mutation *case_create(struct store_case *c, const struct graph_spec *records, size_t n,
                                const struct edge_spec *edges, size_t n_edges);
Hero__V1__Mutation *case_create_one(struct store_case *c, const char *model, const char *fields);
Hero__V1__Mutation *case_link(struct store_case *c, bool add, const char *model, const char *key,
                              const char *relationship, const char *related_model,
                              const char *related);
Hero__V1__Mutation *case_delete(struct store_case *c, const char *model, const char *key);
Hero__V1__Mutation *case_update(struct store_case *c, const char *model, const char *key,
                                const char *values, const char *mask);

struct pending {
    struct store_write write;
    Hero__V1__Mutation *mutations[8];
    sem_t done;
};
/* Queues a commit; wait for it with case_wait. */
void case_submit(struct store_case *c, struct pending *pending, Hero__V1__Mutation *mutation);
void case_submit_as(struct store_case *c, struct pending *pending, Hero__V1__Mutation **mutations,
                    size_t n, const uint8_t client[16], uint64_t seq, uint64_t lowest);
Code case_wait(struct pending *pending);
/* The answer of a commit that was OK, in the case's arena. */
Hero__V1__CommitResponse *case_answer(struct store_case *c, const struct pending *pending);
/* Runs one mutation to its end; the fault stays in pending. */
Code case_run(struct store_case *c, struct pending *pending, Hero__V1__Mutation *mutation);
void case_done(struct pending *pending);
/* Does the fault have a violation at this path? */
bool case_blames(const struct fault *fault, const char *path);

#endif
