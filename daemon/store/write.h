/*
 * The one write path, inside: a commit on its way through its mutations.
 * writer.c runs commits, commit.c one of them, record.c its rows, relate.c what
 * relates them,
 * constraint.c says why a row is refused, request_id.c makes it happen once.
 */
#ifndef HERO_STORE_WRITE_H
#define HERO_STORE_WRITE_H

#include "graph.h"
#include "internal.h"
#include "sql.h"

/* A record of this commit, by its ref. */
struct entity {
    const struct model *model;
    ProtobufCMessage *record; /* as stored, or what is about to be; in the arena */
};

/* What was packed of the answer so far. */
struct answer {
    uint8_t *bytes;
    size_t len, size;
    bool keys_only; /* records hold their keys only */
};

struct commit {
    struct store *store;
    struct db *db;
    const struct models *models; /* served now: only the writer thread changes them */
    struct store_write *write;
    struct arena *arena;    /* of the mutation that runs; what outlives it is in the write's */
    struct fault *fault;    /* the write's; paths are relative to the mutation */
    bool is_last;           /* no later mutation can name this one's records */
    bool etags;             /* the mutation's records are answered with theirs */
    struct graph_refs kept; /* the keys of records that earlier mutations named by ref */
    struct answer answer;
};

/* The commit's arena is exhausted. */
Code commit_no_memory(struct commit *commit);
/* DEADLINE_EXCEEDED once the write's deadline has passed. Asked between
 * statements: a statement that is interrupted would end the whole batch. */
MUST_CHECK Code commit_in_time(struct commit *commit);
/* The model as it is served. FAILED_PRECONDITION where it is another one than
 * the write was made with. NULL: the fault tells. */
const struct model *commit_model(struct commit *commit, const char *name, struct fault *fault);
/* Begins the text of the next statement; the one before is forgotten. */
void commit_sql(struct commit *commit, struct sql *sql);
/* "name[i]" */
const char *commit_index(struct commit *commit, const char *name, size_t i);
/* `path` and `field` joined with a dot where both are there. */
const char *commit_path(struct commit *commit, const char *path, const char *field);
/* Later mutations may name the record by `ref`. */
MUST_CHECK Code commit_keep(struct commit *commit, uint32_t ref, const struct entity *entity);
/* A target of a mutation: a record of this commit or a key, checked; ABORTED
 * where it is not the one that the target's etag was read of. */
MUST_CHECK Code commit_target(struct commit *commit, const Hero__V1__Target *target,
                              const char *path, struct entity *ret_entity);

/* ---- unique.c: keys that find a record ---- */

/* The primary key, or columns that are unique, alone or together. */
struct unique_key {
    const struct model *model;
    const struct column *const *columns; /* NULL: one, which is `own` */
    const struct column *own;
    size_t n;
};
const struct column *unique_key_column(const struct unique_key *key, size_t i);
/* "name", "branch, shelf" */
const char *unique_key_text(struct commit *commit, const struct unique_key *key);
/* Takes the key's columns out of a list; how many are left. */
size_t unique_key_others(const struct unique_key *key, const struct column **columns, size_t n);
/* The primary key where the record has it, else the one unique key that it
 * has whole. INVALID_ARGUMENT where it has none or several. */
MUST_CHECK Code unique_key_of(struct commit *commit, const struct model *model,
                              const ProtobufCMessage *record, struct unique_key *ret_key);
/* By the names of its fields, in any order; without names as above. */
MUST_CHECK Code unique_key_choose(struct commit *commit, const struct model *model,
                                  const ProtobufCMessage *record, char *const *by, size_t n_by,
                                  struct unique_key *ret_key);
/* ALREADY_EXISTS: a stored record has the key's values. */
Code unique_key_taken(struct commit *commit, const struct unique_key *key,
                      const struct entity *stored);

/* A relationship by its name. NULL: there is none; the fault blames "relationship". */
const struct relationship *commit_relationship(struct commit *commit, const struct model *model,
                                               const char *name);

/* ---- record.c: rows of models; `path` is the record's in the request ---- */

/* Has the column a value? An id that protobuf can't leave out (proto3) is none while it is 0. */
bool record_has(const struct column *column, const ProtobufCMessage *record);
/* record_check.c. A record that is to be made: a violation for each column that
 * must have a value and has none, or has one and may not. */
Code record_check_required(struct commit *commit, const struct model *model,
                           const ProtobufCMessage *record, const char *path);
/* And of these columns that are to be changed. */
Code record_check_update(struct commit *commit, const struct model *model,
                         const struct column *const *columns, size_t n,
                         const ProtobufCMessage *values, const char *path);
/* Records of the model are made, changed and deleted? */
Code record_check_writable(struct commit *commit, const struct model *model, const char *path);
/* Inserts with defaults; the record becomes what is stored. */
MUST_CHECK Code record_insert(struct commit *commit, const struct model *model,
                              ProtobufCMessage **record, const char *path);
/* Reads the row with the record's key. *ret_found is false where there is none. */
MUST_CHECK Code record_fetch(struct commit *commit, const struct model *model,
                             const ProtobufCMessage *key, ProtobufCMessage **ret_record,
                             bool *ret_found, const char *path);
/* Reads the row that has the record's values of a key. */
MUST_CHECK Code record_find(struct commit *commit, const struct unique_key *key,
                            const ProtobufCMessage *record, ProtobufCMessage **ret_record,
                            bool *ret_found, const char *path);
MUST_CHECK Code record_update(struct commit *commit, const struct entity *target,
                              const ProtobufCMessage *values, const struct column *const *columns,
                              size_t n_columns, ProtobufCMessage **ret_record, const char *path);
MUST_CHECK Code record_delete(struct commit *commit, const struct entity *target, const char *path);
/* NOT_FOUND where there is no such record, ABORTED where it has another etag. */
MUST_CHECK Code record_check_etag(struct commit *commit, const struct entity *entity,
                                  ProtobufCBinaryData etag);
/* NOT_FOUND at `path`, naming model and key. */
Code record_not_found(struct commit *commit, const struct model *model, const ProtobufCMessage *key,
                      const char *path);
/* Takes all columns out of a record but its key. */
void record_hide_columns(const struct model *model, ProtobufCMessage *record);
/* The record as it travels, in the arena: its key only where the answer wants no more. */
MUST_CHECK Code record_pack_key(struct commit *commit, const struct model *model,
                                const ProtobufCMessage *record, Hero__V1__Record **ret_record);
MUST_CHECK Code record_pack(struct commit *commit, const struct model *model,
                            const ProtobufCMessage *record, uint32_t ref,
                            Hero__V1__Record **ret_record);

/* ---- constraint.c ---- */

/* The fault of a statement that failed with `rc`. `record`: the values that
 * were to be written, NULL when deleting; `key`: of the row that was there
 * before, NULL for a new one. */
Code constraint_fault(struct commit *commit, int rc, const struct model *model,
                      const ProtobufCMessage *record, const ProtobufCMessage *key,
                      const char *path);

/* "FOREIGN KEY (book_id)" */
const char *constraint_text(struct commit *commit, const char *kind,
                            const struct column *const *columns, size_t n);

/* ---- mutation.c ---- */

MUST_CHECK Code mutation_run(struct commit *commit, const Hero__V1__Mutation *mutation,
                             Hero__V1__Outcome *outcome);
MUST_CHECK Code create_run(struct commit *commit, const Hero__V1__Graph *graph,
                           Hero__V1__Outcome *outcome);
/* delete.c */
MUST_CHECK Code delete_run(struct commit *commit, const Hero__V1__DeleteRequest *request,
                           Hero__V1__Outcome *outcome);
/* relate.c: link, or unlink */
MUST_CHECK Code link_run(struct commit *commit, const Hero__V1__LinkRequest *link, bool add,
                         Hero__V1__Outcome *outcome);

MUST_CHECK Code update_run(struct commit *commit, const Hero__V1__UpdateRequest *update,
                           Hero__V1__Outcome *outcome);
MUST_CHECK Code set_links_run(struct commit *commit, const Hero__V1__SetLinksRequest *request,
                              Hero__V1__Outcome *outcome);
MUST_CHECK Code upsert_run(struct commit *commit, const Hero__V1__UpsertRequest *upsert,
                           Hero__V1__Outcome *outcome);

/* ---- answer.c ---- */

MUST_CHECK Code answer_begin(struct commit *commit);
/* RESOURCE_EXHAUSTED where not even the records' keys fit a message. */
MUST_CHECK Code answer_add(struct commit *commit, Hero__V1__Outcome *outcome);
/* A packed answer with its records cut to their keys. */
MUST_CHECK Code answer_cut(const struct models *models, ProtobufCBinaryData whole,
                           struct arena *arena, ProtobufCBinaryData *ret_cut, struct fault *fault);

/* ---- request_id.c ---- */

struct request_cache;
struct request_cache *request_cache_new(void);
void request_cache_free(struct request_cache *cache);
void request_cache_clear(struct request_cache *cache);

/* Before execution: is it a repeat? *ret_answered: the write has the answer of
 * its first execution. FAILED_PRECONDITION for a forgotten client or a seq
 * below the watermark, INVALID_ARGUMENT for a seq that was another request's. */
MUST_CHECK Code request_begin(struct store *store, struct store_write *write, int64_t now_ms,
                              bool *ret_answered);
/* After execution, in the same savepoint: keeps the answer. */
MUST_CHECK Code request_keep(struct store *store, struct store_write *write, int64_t now_ms);
/* The write was rolled back: what the cache took from it is not true. */
void request_undo(struct store *store, const struct store_write *write);
/* Forgets clients that were away longer than the retention, some at a time;
 * outside a transaction. */
void request_purge(struct store *store, int64_t now_ms);

/* writer.c's cache, for request_id.c */
struct request_cache *writer_request_cache(struct store *store);

#endif
