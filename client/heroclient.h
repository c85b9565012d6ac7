/*
 * libheroclient: typed, linked records of a herod daemon, from C and C++.
 *
 * A record is a message that protoc-c generated from a .proto with hero's
 * options, or JSON text for programs that have none. Three ways in, one wire:
 *
 *  - sessions: a unit of work; what was added, changed, linked and deleted is
 *    sent at hero_session_commit() as one transaction;
 *  - plain calls, hero_client_*(): one request, one result;
 *  - requests, hero_request_*(): the same calls, prepared first and then run,
 *    or started to be answered later on another thread.
 *
 * Rules that hold everywhere
 *
 *  Threads    A client may be used by many threads at once. A session, a
 *             request and a result belong to one thread at a time.
 *  Blocking   Every call has a deadline (hero_options.timeout_ms); none
 *             blocks longer. Only functions that say so talk to the daemon.
 *  Ownership  Inputs are read during the call and stay yours. Results are
 *             freed with hero_result_free(); everything reached through a
 *             result lives as long as it. Free functions accept NULL.
 *  Errors     belong to the call: they are returned and told in the
 *             hero_error given, which may be NULL. On failure outputs are
 *             left as they were. There is no "last error".
 *  Library    No global state, no output, no exit, no signal handlers.
 *
 * Status codes are gRPC's (google/rpc/code.proto).
 */
#ifndef HEROCLIENT_H
#define HEROCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HERO_API __attribute__((visibility("default")))
#define HERO_MUST_CHECK __attribute__((warn_unused_result))

/* ---- errors ------------------------------------------------------------ */

typedef enum hero_code {
    HERO_OK = 0,
    HERO_CANCELLED = 1,
    HERO_UNKNOWN = 2,
    HERO_INVALID_ARGUMENT = 3,
    HERO_DEADLINE_EXCEEDED = 4,
    HERO_NOT_FOUND = 5,
    HERO_ALREADY_EXISTS = 6,
    HERO_PERMISSION_DENIED = 7,
    HERO_RESOURCE_EXHAUSTED = 8,
    HERO_FAILED_PRECONDITION = 9,
    HERO_ABORTED = 10,
    HERO_OUT_OF_RANGE = 11,
    HERO_UNIMPLEMENTED = 12,
    HERO_INTERNAL = 13,
    HERO_UNAVAILABLE = 14,
    HERO_DATA_LOSS = 15,
    HERO_UNAUTHENTICATED = 16
} hero_code;

/** What became of a call that failed. */
typedef enum hero_outcome {
    HERO_DONE = 0,     /* it did not fail; with a code: it was done, its answer is not readable */
    HERO_NOT_SENT = 1, /* it never left: the daemon knows nothing of it */
    HERO_REFUSED = 2,  /* the daemon answered: nothing was changed */
    HERO_OUTCOME_UNKNOWN = 3 /* sent, no answer: a write may be stored whole or not at all */
} hero_outcome;

/** One thing in the request that is to blame. */
typedef struct hero_violation {
    const char *path; /* "teams[0].name" */
    const char *description;
    const char *constraint; /* of the database that refuses it: its name; NULL: none */
    const char *type;       /* of the value, never the value itself; NULL: it is none */
} hero_violation;

/** Why a call failed; yours, one per thread at a time. */
typedef struct hero_error {
    hero_code code;
    hero_outcome outcome;
    const char *message; /* never NULL when code is not HERO_OK */
    const hero_violation *violations;
    size_t n_violations;
    void *memory; /* the library's */
} hero_error;

#define HERO_ERROR_INIT                                                                            \
    {                                                                                              \
        HERO_OK, HERO_DONE, NULL, NULL, 0, NULL                                                    \
    }

/** Release what an error holds and make it HERO_ERROR_INIT again.
 *  An error that was never filled may be freed too; a filled one may be
 *  given to further calls, which free it first. */
HERO_API void hero_error_free(hero_error *error);

/** "NOT_FOUND" for HERO_NOT_FOUND; "UNKNOWN" for what is no code. Static. */
HERO_API const char *hero_code_name(hero_code code);

/* ---- clients ----------------------------------------------------------- */

typedef struct hero_client hero_client;

/** Receives SQL that a call executed: with its bound values, and its time. */
typedef void hero_echo(void *arg, const char *sql, uint64_t time_us);

typedef struct hero_options {
    size_t size;         /* sizeof(hero_options), set by HERO_OPTIONS_INIT */
    uint32_t timeout_ms; /* deadline of every call; 0: 10,000 */
    const char *agent;   /* the program's name and version for the daemon's log; NULL: none */
    /* ipc only: refuse to talk to a daemon of another user than this (or root); -1: any. */
    int64_t daemon_uid;
    /* For programs that settle a write across their own crash: the client id
     * (see hero_client_id_new) and the first seq to use. NULL, 0: a new id, 1. */
    const uint8_t *client_id;
    uint64_t first_seq;
    hero_echo *echo; /* called on the calling thread (async: the library's) with every call's SQL;
                        NULL: not asked for */
    void *echo_arg;
} hero_options;

#define HERO_OPTIONS_INIT                                                                          \
    {                                                                                              \
        sizeof(hero_options), 0, NULL, -1, NULL, 0, NULL, NULL                                     \
    }

/**
 * Connect to a daemon.
 *
 * Exchanges Hello, so that a wrong address or a daemon that is not there is
 * told here. Later losses of the connection are mended by itself. Blocks.
 *
 * @url      ipc:///path or tcp://host:port; NULL: HERO_URL, else the user's
 *           own daemon, else the system's
 * @options  copied; NULL: defaults
 *
 * Returns HERO_OK; HERO_UNAVAILABLE (nobody there: not sent);
 * HERO_PERMISSION_DENIED (the socket's mode, or daemon_uid);
 * HERO_INVALID_ARGUMENT (the url); HERO_DEADLINE_EXCEEDED.
 */
HERO_API HERO_MUST_CHECK hero_code hero_client_open(const char *url, const hero_options *options,
                                                    hero_client **ret_client, hero_error *error);

/** Close a client. No call, request or session of it may be in use; started
 *  requests are ended first (their `done` is called with HERO_CANCELLED). */
HERO_API void hero_client_close(hero_client *client);

/** A new client id: a version 7 UUID (RFC 9562). Keep it and the seq of each
 *  write where they survive a crash; after it, repeat the same write under
 *  the same id and seq. */
HERO_API void hero_client_id_new(uint8_t ret_id[16]);

/* ---- keys -------------------------------------------------------------- */

typedef enum hero_value_kind {
    HERO_VALUE_INTEGER,
    HERO_VALUE_UNSIGNED,
    HERO_VALUE_REAL,
    HERO_VALUE_TEXT,
    HERO_VALUE_BYTES
} hero_value_kind;

/** One part of a primary key. Text and bytes are borrowed. */
typedef struct hero_value {
    hero_value_kind kind;
    int64_t integer; /* HERO_VALUE_UNSIGNED: its bits */
    double real;
    const void *data;
    size_t size;
} hero_value;

#define HERO_KEY_MAX 8
/** A primary key: its parts in the order the model declares them. */
typedef struct hero_key {
    size_t n_values;
    hero_value values[HERO_KEY_MAX];
} hero_key;

/** Parts of a key, where HERO_KEY doesn't do: bytes, or kinds known at run
 *  time only. */
HERO_API hero_value hero_value_integer(int64_t integer);
HERO_API hero_value hero_value_unsigned(uint64_t integer);
HERO_API hero_value hero_value_real(double real);
HERO_API hero_value hero_value_text(const char *text);
HERO_API hero_value hero_value_bytes(const void *bytes, size_t size);

/* HERO_KEY(1), HERO_KEY("Wakanda", 3): a hero_key of one to eight parts, each
 * an integer, a real or a text. Defined at the end of this file. */

/* ---- results ----------------------------------------------------------- */

typedef struct hero_result hero_result;

/** Free a result and everything that was reached through it. NULL is allowed. */
/** Release a result and everything reached through it. */
HERO_API void hero_result_free(hero_result *result);

/** The records asked for (not those expanded beside them): structs of the
 *  descriptor that the call was given, their relationship fields filled as
 *  far as expand asked. Shared records are one struct; cycles are possible,
 *  so never give one to a *_free_unpacked function. */
HERO_API size_t hero_result_count(const hero_result *result);
HERO_API void *hero_result_record(const hero_result *result, size_t index); /* NULL past the end */

/** The result as JSON text: of the JSON calls, of Models and Admin calls;
 *  NULL of others. */
HERO_API const char *hero_result_text(const hero_result *result);

/** List: what to pass for the next page, as text; NULL: this was the last. */
HERO_API const char *hero_result_next_page_token(const hero_result *result);
/** How many records a list has on all pages, where that was asked for; *ret_more
 *  (may be NULL): there are more than that. */
HERO_API uint64_t hero_result_total(const hero_result *result, bool *ret_more);
/** Of a struct of the result, where an expansion asked for totals: how many
 *  records are related to it. false: not told. */
HERO_API bool hero_result_related_total(const hero_result *result, const void *record,
                                        const char *relationship, uint64_t *ret_total);
/** Of a struct of the result, where an expansion's page_size cut its list: the
 *  page_token for hero_client_list_related(); else NULL. */
HERO_API const char *hero_result_related_page_token(const hero_result *result, const void *record,
                                                    const char *relationship);
/** Count: how many records the group of hero_result_record() has. */
HERO_API uint64_t hero_result_group(const hero_result *result, size_t index);
/** Count: there are more groups. */
HERO_API bool hero_result_more_groups(const hero_result *result);

/** Writes: the commit's number; links added, removed and left as they were; records deleted. */
HERO_API uint64_t hero_result_commit(const hero_result *result);
HERO_API uint64_t hero_result_added(const hero_result *result);
HERO_API uint64_t hero_result_removed(const hero_result *result);
HERO_API uint64_t hero_result_kept(const hero_result *result);
HERO_API uint64_t hero_result_deleted(const hero_result *result);

/** Upsert: the record was not there before. */
HERO_API bool hero_result_created(const hero_result *result);
/** Writes: records hold their keys only, because that was asked for, because
 *  all of them would not fit a message, or in the answer to a repeated write. */
HERO_API bool hero_result_keys_only(const hero_result *result);
/** The etag of hero_result_record(), where etags were asked for; else NULL. */
HERO_API const char *hero_result_etag(const hero_result *result, size_t index);

/** Of a struct of the result, where etags were asked for and the relationship was
 *  expanded whole: the list's, for hero_request_set_etag() of a set-links; else NULL. */
HERO_API const char *hero_result_related_etag(const hero_result *result, const void *record,
                                              const char *relationship);
/** Set links: the etag of the list as it is now. */
HERO_API const char *hero_result_list_etag(const hero_result *result);

/** What the link from a record of the result to one of its related records
 *  holds: a struct of the link model, in the result's memory, its key fields
 *  not set. `related` is the struct that record's field shows. NULL: they are
 *  not linked (HERO_NOT_FOUND), or the link model has no columns of its own. */
HERO_API void *hero_result_link(hero_result *result, const void *record, const char *relationship,
                                const void *related, const ProtobufCMessageDescriptor *link,
                                hero_error *error);

/** The method's packed output message, for hero_request_call(). */
HERO_API const void *hero_result_bytes(const hero_result *result, size_t *ret_size);

/* ---- requests ---------------------------------------------------------- */

/** A call that is prepared and not yet made. Preparing checks against the
 *  models (fetched at first use: may block) and packs; the inputs are not
 *  needed afterwards. */
typedef struct hero_request hero_request;

/** Instead of the client's timeout. */
HERO_API void hero_request_set_timeout(hero_request *request, uint32_t timeout_ms);
/** A write's seq, instead of the client's next: for repeating one, under the
 *  client id it was first sent with. The same seq with another request is
 *  refused. Since it repeats something, a failure's outcome is unknown until
 *  the daemon says otherwise.
 *  A write that was given up on with HERO_OUTCOME_UNKNOWN can be repeated so
 *  until 1,024 later writes of the client have begun; then it is forgotten. */
HERO_API void hero_request_set_seq(hero_request *request, uint64_t seq);
/** The seq that a write will be sent under, taken now if it has none; 0 for reads. */
HERO_API uint64_t hero_request_seq(const hero_request *request);
/** Check a write and answer as if it were done, but change nothing: ids and
 *  defaults of the answer are those it would have had, hero_result_commit()
 *  is 0. For hero_request_apply() see its own argument. */
HERO_API void hero_request_set_validate_only(hero_request *request);
/** Answer with the records' etags, which change with any of their columns:
 *  hero_result_etag(), "@etag" in JSON. Get, list, and what writes records. */
HERO_API void hero_request_set_etags(hero_request *request);
/** An update or the delete of one record, or a list that is replaced: refuse it
 *  (HERO_ABORTED) unless the stored record, or the list, still has this etag. */
HERO_API HERO_MUST_CHECK hero_code hero_request_set_etag(hero_request *request, const char *etag,
                                                         hero_error *error);
/** What the links of a link or set-links request hold: columns of its link model that are
 *  not its ends, from structs of the link model, one for each related record.
 *  Fields that are absent stay as they are on a link that exists, and are the
 *  column's default on a new one. */
HERO_API HERO_MUST_CHECK hero_code hero_request_set_link_columns(hero_request *request,
                                                                 const void *const *links,
                                                                 size_t n_links, hero_error *error);
/** The same from JSON: an array of objects, or one object for all of them. */
HERO_API HERO_MUST_CHECK hero_code hero_request_set_link_columns_json(hero_request *request,
                                                                      const char *links,
                                                                      hero_error *error);
/** A commit: records of the answer hold their keys only, so that it stays
 *  small however much was written. */
HERO_API void hero_request_set_keys_only(hero_request *request);
/** Drop a request that was neither run nor started. */
HERO_API void hero_request_free(hero_request *request);

/** Make the call and wait. Consumes the request. Blocks. NULL on failure.
 *  A write whose answer is lost is repeated under its seq until the deadline:
 *  it has one effect, however often it was sent. A NULL request fails with
 *  the error as it was left by the function that prepared it. */
HERO_API HERO_MUST_CHECK hero_result *hero_request_run(hero_request *request, hero_error *error);

/** Told once, on a thread of the library: the result (yours to free) or NULL
 *  and the error (read during the call only). It must not block, and may
 *  start further requests. */
typedef void hero_done(void *arg, hero_result *result, const hero_error *error);

/** Make the call and return at once. Consumes the request, except on failure
 *  to start (HERO_RESOURCE_EXHAUSTED: more in flight than the daemon takes of
 *  one connection), when `done` is not called. */
HERO_API HERO_MUST_CHECK hero_code hero_request_start(hero_request *request, hero_done *done,
                                                      void *arg, hero_error *error);

/* Each hero_request_x() below prepares what hero_client_x() makes. */

/** What to load along a relationship. Zero is a default everywhere. */
typedef struct hero_expansion {
    const char *path;     /* "teams", "teams.heroes" */
    const char *filter;   /* only related records that it holds for; link.x: of the link */
    const char *order_by; /* "name,-link.position" */
    uint32_t page_size;   /* at most so many for each record; 0: all */
    bool total;           /* tell how many there are: hero_result_related_total() */
    const char *fields;   /* "name,age": what to load of them; NULL: all */
} hero_expansion;

/** How many records there are on all pages of a list. */
typedef enum hero_total {
    HERO_TOTAL_NONE = 0,
    HERO_TOTAL_EXACT = 1,
    HERO_TOTAL_CAPPED = 2, /* counted no further than total_limit */
} hero_total;

/** What a list asks for. Zero is a default everywhere. */
typedef struct hero_list {
    const char *order_by; /* "name,-age,team.name": fields, - descends */
    uint32_t page_size;   /* at most; large records make a page shorter; 0: the daemon's default */
    const char *page_token; /* of the page before */
    const char *expand;     /* "teams,teams.heroes" */
    const char *filter;     /* "age >= 18 AND any(teams, name = \"Preventers\")" */
    const char *fields;     /* "name,age": what to load besides the key; NULL: all */
    const hero_expansion *expansions;
    size_t n_expansions;
    hero_total total; /* hero_result_total() */
    uint32_t total_limit;
} hero_list;

/* ---- records, as generated structs -------------------------------------- */

/**
 * Create a record, with everything that is reached from it.
 *
 * Structs in relationship fields are created too, unless their primary key
 * is set whole: those must exist and are linked. (A model whose keys are the
 * client's own, text or composite, can't tell by its key: there a related
 * struct is found by its key or created.) Cycles and shared structs go in
 * once. One transaction.
 *
 * Result: one record as stored, with its key and defaults.
 *
 * Errors: HERO_ALREADY_EXISTS (key or unique column taken),
 * HERO_INVALID_ARGUMENT, HERO_NOT_FOUND (a linked record),
 * HERO_FAILED_PRECONDITION (a foreign key that points nowhere; models that differ).
 */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_create(hero_client *client, const ProtobufCMessage *record, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_create(hero_client *client, const ProtobufCMessage *record, hero_error *error);

/** Read one record by key, with related ones. Errors: HERO_NOT_FOUND. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_get(hero_client *client,
                                                      const ProtobufCMessageDescriptor *descriptor,
                                                      hero_key key, const char *expand,
                                                      hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_get(hero_client *client, const ProtobufCMessageDescriptor *descriptor, hero_key key,
                 const char *expand, hero_error *error);

/** Read a page of records. @list NULL: the first page by primary key. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_list(hero_client *client,
                                                       const ProtobufCMessageDescriptor *descriptor,
                                                       const hero_list *list, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_list(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                  const hero_list *list, hero_error *error);

/** Read a page of the records related to one. @list: as for a list, without
 *  expand; its page_token may be hero_result_related_page_token()'s, for the
 *  same filter and order. Errors: HERO_NOT_FOUND. */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_list_related(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                         hero_key key, const char *relationship, const hero_list *list,
                         hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_list_related(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                          hero_key key, const char *relationship, const hero_list *list,
                          hero_error *error);

/** Count records, in all or by groups: for each value of a column ("age",
 *  "team.town") or each record that a relationship leads to ("teams"), the
 *  largest first. @filter, @group_by may be NULL; @limit 0: the daemon's page size.
 *  Result: for each group a struct that holds the value or the key alone, NULL
 *  for none, and hero_result_group(); hero_result_more_groups(). */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_count(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                  const char *filter, const char *group_by, uint32_t limit, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_count(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                   const char *filter, const char *group_by, uint32_t limit, hero_error *error);

/** Write columns of the record that has @record's key.
 *  @mask  "age,name": a field named here and absent in @record becomes NULL;
 *         NULL: the fields that are present.
 *  Result: the record as stored. Errors: HERO_NOT_FOUND, HERO_ALREADY_EXISTS,
 *  HERO_INVALID_ARGUMENT. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_update(hero_client *client,
                                                         const ProtobufCMessage *record,
                                                         const char *mask, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_update(hero_client *client,
                                                           const ProtobufCMessage *record,
                                                           const char *mask, hero_error *error);

/** What an upsert does with the record that is there already. */
typedef enum hero_conflict {
    HERO_CONFLICT_UPDATE = 0, /* write the fields of `mask` */
    HERO_CONFLICT_IGNORE = 1, /* leave it as it is */
    HERO_CONFLICT_FAIL = 2    /* HERO_ALREADY_EXISTS */
} hero_conflict;

/** How an upsert finds its record, and what it writes then. Zero is a default. */
typedef struct hero_upsert {
    const char *by; /* "name": the fields of a unique key; NULL: the primary key where it is
                       set, else the one unique key that is */
    hero_conflict conflict;
    const char *mask; /* "age,name"; NULL: the fields that are present */
} hero_upsert;

/** Create the record, or find the one that has its key and update it.
 *  Related structs are not looked at. @how NULL: defaults.
 *  Result: the record as stored; hero_result_created(). Errors:
 *  HERO_INVALID_ARGUMENT (no key to find it by, or several);
 *  HERO_ALREADY_EXISTS. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_upsert(hero_client *client,
                                                         const ProtobufCMessage *record,
                                                         const hero_upsert *how, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_upsert(hero_client *client,
                                                           const ProtobufCMessage *record,
                                                           const hero_upsert *how,
                                                           hero_error *error);

/** Delete records and their link rows, all or none. Errors: HERO_NOT_FOUND;
 *  HERO_FAILED_PRECONDITION while others refer to one by foreign key. */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_delete(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                   const hero_key *keys, size_t n_keys, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_delete(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                    const hero_key *keys, size_t n_keys, hero_error *error);

/** Link a record to others through a many-to-many relationship, from either
 *  side. What is linked already stays and is no error.
 *  Result: hero_result_added(). Errors: HERO_NOT_FOUND names the missing end. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_link(hero_client *client,
                                                       const ProtobufCMessageDescriptor *descriptor,
                                                       hero_key key, const char *relationship,
                                                       const hero_key *related, size_t n_related,
                                                       hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_link(hero_client *client, const ProtobufCMessageDescriptor *descriptor, hero_key key,
                  const char *relationship, const hero_key *related, size_t n_related,
                  hero_error *error);
/** The reverse; unlinking what is not linked is no error. hero_result_removed(). */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_unlink(hero_client *client, const ProtobufCMessageDescriptor *descriptor, hero_key key,
                   const char *relationship, const hero_key *related, size_t n_related,
                   hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_unlink(hero_client *client, const ProtobufCMessageDescriptor *descriptor, hero_key key,
                    const char *relationship, const hero_key *related, size_t n_related,
                    hero_error *error);

/** Replace the related records of one by these; none: there are none any more.
 *  Order and repeats don't matter. Result: hero_result_added(), _removed() and
 *  _kept(); structs that hold keys only, first of those that were added, then
 *  of those removed (none where the caller's struct has no field for the
 *  relationship); hero_result_list_etag(), for hero_request_set_etag().
 *  Errors: HERO_NOT_FOUND; HERO_ABORTED where the list has another etag. */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_set_links(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                      hero_key key, const char *relationship, const hero_key *related,
                      size_t n_related, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_set_links(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                       hero_key key, const char *relationship, const hero_key *related,
                       size_t n_related, hero_error *error);

/* ---- records, as JSON text ---------------------------------------------- */

/*
 * @model is the message's or the table's name, in any case that is
 * unambiguous. Integers are exact JSON numbers (strings are accepted), bytes
 * base64, NULL null, duplicate keys refused. Unsigned integers past 2^63-1
 * are text. A key is a number or text for a
 * model with one key column, an array in order of declaration, an object of
 * its fields, or for several columns "k1,k2" as text.
 */

/** Create from one object, or from an array of them in one commit. A member
 *  of a relationship is a new record; an object of nothing but the key, or
 *  {"@key": {...}}, is an existing one; {"@connect": {...}} is found by its
 *  primary key or a unique column, else created. null is the same as leaving
 *  a field out. Result text: the stored record with the relationships that
 *  were given, or an array of them. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_create_json(hero_client *client,
                                                              const char *model, const char *json,
                                                              hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_create_json(hero_client *client,
                                                                const char *model, const char *json,
                                                                hero_error *error);
/** Result text: an array in the order of the keys; related records nested. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_get_json(hero_client *client, const char *model,
                                                           const char *const *keys, size_t n_keys,
                                                           const char *expand, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_get_json(hero_client *client, const char *model,
                                                             const char *const *keys, size_t n_keys,
                                                             const char *expand, hero_error *error);
/** Result text: an array. Of a list that was cut or counted, beside the
 *  relationship's own member: "@teams": {"total": N, "next_page_token": "...", "etag": "..."}. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_list_json(hero_client *client, const char *model,
                                                            const hero_list *list,
                                                            hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_list_json(hero_client *client,
                                                              const char *model,
                                                              const hero_list *list,
                                                              hero_error *error);
/** As hero_client_list_related(), of a key as text. Result text: an array. */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_list_related_json(hero_client *client, const char *model, const char *key,
                              const char *relationship, const hero_list *list, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_list_related_json(hero_client *client, const char *model, const char *key,
                               const char *relationship, const hero_list *list, hero_error *error);
/** As hero_client_count(). Result text: {"count": N}, or {"groups": [{"value":
 *  .., "count": N}, ..]} with "more": true where there are others; a value is the
 *  column's, or the related record's key as an object, or null. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_count_json(hero_client *client, const char *model,
                                                             const char *filter,
                                                             const char *group_by, uint32_t limit,
                                                             hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_count_json(hero_client *client, const char *model, const char *filter,
                        const char *group_by, uint32_t limit, hero_error *error);
/** What a list would do. Result text: an array of its statements, each {"sql",
 *  "plan": [..], "indexes": [..], "missing": [..]}: as SQLite would go about it,
 *  the indexes it uses, and those it would use if they were declared. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_explain_json(hero_client *client,
                                                               const char *model,
                                                               const hero_list *list,
                                                               hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_explain_json(hero_client *client,
                                                                 const char *model,
                                                                 const hero_list *list,
                                                                 hero_error *error);
/** @json an object of the fields to write; null writes NULL. A member "@etag"
 *  is what the stored record must have (HERO_ABORTED). Result text: the stored record. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_update_json(hero_client *client,
                                                              const char *model, const char *key,
                                                              const char *json, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_update_json(hero_client *client,
                                                                const char *model, const char *key,
                                                                const char *json,
                                                                hero_error *error);
/** @json an object of columns. Result text: the stored record. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_upsert_json(hero_client *client,
                                                              const char *model, const char *json,
                                                              const hero_upsert *how,
                                                              hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_upsert_json(hero_client *client,
                                                                const char *model, const char *json,
                                                                const hero_upsert *how,
                                                                hero_error *error);
/** Delete by keys, all or none. Result text: {"commit": N, "deleted": n, "removed": n}
 *  (removed: link rows). */
HERO_API HERO_MUST_CHECK hero_result *hero_client_delete_json(hero_client *client,
                                                              const char *model,
                                                              const char *const *keys,
                                                              size_t n_keys, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_delete_json(hero_client *client,
                                                                const char *model,
                                                                const char *const *keys,
                                                                size_t n_keys, hero_error *error);
/** Link by keys. Result text: {"commit": N, "added": n, "kept": n}, where kept
 *  counts those that were linked already. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_link_json(hero_client *client, const char *model,
                                                            const char *key,
                                                            const char *relationship,
                                                            const char *const *related,
                                                            size_t n_related, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_link_json(hero_client *client,
                                                              const char *model, const char *key,
                                                              const char *relationship,
                                                              const char *const *related,
                                                              size_t n_related, hero_error *error);
/** Unlink by keys. Result text: {"commit": N, "removed": n, "kept": n}, where
 *  kept counts those that were not linked. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_unlink_json(hero_client *client,
                                                              const char *model, const char *key,
                                                              const char *relationship,
                                                              const char *const *related,
                                                              size_t n_related, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_unlink_json(hero_client *client, const char *model, const char *key,
                         const char *relationship, const char *const *related, size_t n_related,
                         hero_error *error);

/** Replace the related records by those with these keys. Result text: {"commit": N,
 *  "added": n, "removed": n, "kept": n, "added_keys": [...], "removed_keys": [...],
 *  "etag": "..."}: the list's, for hero_request_set_etag(). */
HERO_API HERO_MUST_CHECK hero_result *
hero_client_set_links_json(hero_client *client, const char *model, const char *key,
                           const char *relationship, const char *const *related, size_t n_related,
                           hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_set_links_json(hero_client *client, const char *model, const char *key,
                            const char *relationship, const char *const *related, size_t n_related,
                            hero_error *error);

/** Several mutations in one transaction. @json an array of
 *    {"create": {"model": "hero", "record": {...}, "as": "h"}},
 *    {"update": {"model": "hero", "key": 1, "set": {...}}},
 *    {"upsert": {"model": "hero", "record": {...}, "by": "name", "on_conflict": "ignore"}},
 *    {"delete": {"model": "hero", "key": 1}},
 *    {"link":   {"model": "hero", "key": 1, "relationship": "teams", "to": [2, 3]}}, "unlink"
 *  and "set_links", which replaces the whole list;
 *  where a key is {"@ref": "h"} it names the record that an earlier create or
 *  upsert called "h" by "as". update and delete take the "etag" that the stored
 *  record must have, set_links that of the list. Result text: {"commit": N, "outcomes": [...]}, one
 * for each mutation: "record" as stored (create, update, upsert), "created" (upsert), "added",
 * "removed", "kept" (links) and "deleted" (records), where they are not absent. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_commit_json(hero_client *client, const char *json,
                                                              hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *
hero_request_commit_json(hero_client *client, const char *json, hero_error *error);

/* ---- models, admin, any method ------------------------------------------- */

/** How models are applied. Zero is a default. */
typedef struct hero_apply {
    bool validate_only;                 /* answer with the plan, change nothing */
    const char *const *allow_data_loss; /* "hero.nickname": what may be lost, as steps name it */
    size_t n_allow_data_loss;
    uint64_t expected_version; /* HERO_ABORTED where other models are served than those the plan
                                  was made for; 0: any */
    uint64_t set_version; /* instead of a descriptor set (size 0): what was served as this version,
                             hero_client_history() */
} hero_apply;

/** Serve the models of a FileDescriptorSet (protoc --include_imports
 *  --descriptor_set_out): new ones are added, served ones become what the set
 *  says, with the rows that are there. @how NULL: defaults. Result text: the
 *  steps, with what each is for, its SQL and what it costs.
 *  Errors: HERO_INVALID_ARGUMENT with every fault found; HERO_FAILED_PRECONDITION
 *  (rows in the way, a loss that was not allowed, a table of another shape);
 *  HERO_ABORTED (@how->expected_version). Nothing is done then. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_apply(hero_client *client,
                                                        const void *descriptor_set, size_t size,
                                                        const hero_apply *how, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_apply(hero_client *client,
                                                          const void *descriptor_set, size_t size,
                                                          const hero_apply *how, hero_error *error);
/** The sets that were served, the newest first: versions, times, authors,
 *  what each changed. @before: only versions below (a page's "next_before");
 *  0: from the newest. @page_size 0: the daemon's. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_history(hero_client *client, uint32_t page_size,
                                                          uint64_t before, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_history(hero_client *client, uint32_t page_size,
                                                            uint64_t before, hero_error *error);
/** One of them, with its descriptor set (base64), which can be applied again.
 *  Errors: HERO_NOT_FOUND. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_get_set(hero_client *client, uint64_t version,
                                                          hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_get_set(hero_client *client, uint64_t version,
                                                            hero_error *error);
/** Stop serving models; their tables stay. Models that refer to each other go
 *  together. Errors: HERO_NOT_FOUND; HERO_FAILED_PRECONDITION while one that
 *  stays refers to one that goes. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_remove_models(hero_client *client,
                                                                const char *const *models,
                                                                size_t n_models, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_remove_models(hero_client *client,
                                                                  const char *const *models,
                                                                  size_t n_models,
                                                                  hero_error *error);
/** All models, or one: names, tables, DDL, descriptor set (base64). */
HERO_API HERO_MUST_CHECK hero_result *hero_client_list_models(hero_client *client,
                                                              hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_list_models(hero_client *client,
                                                                hero_error *error);
HERO_API HERO_MUST_CHECK hero_result *hero_client_get_model(hero_client *client, const char *model,
                                                            hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_get_model(hero_client *client,
                                                              const char *model, hero_error *error);
/** Version and limits; health; counters. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_hello(hero_client *client, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_hello(hero_client *client, hero_error *error);
HERO_API HERO_MUST_CHECK hero_result *hero_client_check(hero_client *client, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_check(hero_client *client, hero_error *error);
HERO_API HERO_MUST_CHECK hero_result *hero_client_stats(hero_client *client, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_stats(hero_client *client, hero_error *error);

/** Any method by name ("hero.v1.Records/Get"), its input as ProtoJSON of the
 *  method's message. Result: text. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_call_json(hero_client *client, const char *method,
                                                            const char *json, hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_call_json(hero_client *client,
                                                              const char *method, const char *json,
                                                              hero_error *error);
/** Any method by name, its input packed (the .protos are installed). Result: bytes. */
HERO_API HERO_MUST_CHECK hero_result *hero_client_call(hero_client *client, const char *method,
                                                       const void *input, size_t size,
                                                       hero_error *error);
HERO_API HERO_MUST_CHECK hero_request *hero_request_call(hero_client *client, const char *method,
                                                         const void *input, size_t size,
                                                         hero_error *error);

/* ---- sessions ----------------------------------------------------------- */

/** A unit of work. Identity in it is the address, then the key: one record is
 *  one struct, however often it is reached. Structs that a session made
 *  (create, get, list) are its memory: change their fields freely, point
 *  their text at anything that lives until the commit, never free them. */
typedef struct hero_session hero_session;

/** Never blocks. NULL: no memory. */
HERO_API hero_session *hero_session_new(hero_client *client);
/** Drop a session, what was not committed with it, and every struct of it. */
HERO_API void hero_session_free(hero_session *session);

/** A new record in session memory, sent at the next commit. NULL: no memory. */
HERO_API void *hero_session_create(hero_session *session,
                                   const ProtobufCMessageDescriptor *descriptor);
/** The same, unless it is there already: at the commit the record is looked for
 *  by its primary key, or else by the one unique key that is set. One that is
 *  found is linked as you linked it and otherwise left as it is; the struct
 *  then holds what is stored. */
HERO_API void *hero_session_find_or_create(hero_session *session,
                                           const ProtobufCMessageDescriptor *descriptor);
/** A struct of your own, and all that is reached from it at the commit: as for
 *  hero_client_create(), except that what the session holds as stored is
 *  linked. It must live until the session is freed. After the commit it gets
 *  its keys and defaults: scalars in place, text only where it was NULL
 *  (session memory). Its arrays are read again at every commit: what they
 *  gained is linked, what they lost is unlinked. */
HERO_API HERO_MUST_CHECK hero_code hero_session_add(hero_session *session, ProtobufCMessage *record,
                                                    hero_error *error);
/** Delete at the commit. A record that was only created here is forgotten.
 *  Errors: HERO_NOT_FOUND where that was done already. */
HERO_API HERO_MUST_CHECK hero_code hero_session_delete(hero_session *session, void *record,
                                                       hero_error *error);
/** Link, unlink at the commit; the relationship fields of session structs
 *  show it at once, on both sides (arrays of your own are never written). The
 *  last word on a pair counts. @related may be a struct that the session does
 *  not know yet: it is taken up as what is reached by hero_session_add() is.
 *  Fetches the models at first use: that blocks. */
HERO_API HERO_MUST_CHECK hero_code hero_session_link(hero_session *session, void *record,
                                                     const char *relationship, void *related,
                                                     hero_error *error);
/** Links two records, and the link holds what `link` says: a struct of the link
 *  model, which stays yours and must live until the commit; its key fields are
 *  not looked at. A link that exists gets its new values. */
HERO_API HERO_MUST_CHECK hero_code hero_session_link_with(hero_session *session, void *record,
                                                          const char *relationship, void *related,
                                                          const void *link, hero_error *error);
HERO_API HERO_MUST_CHECK hero_code hero_session_unlink(hero_session *session, void *record,
                                                       const char *relationship, void *related,
                                                       hero_error *error);
/** The record with this key, with related ones; read from the daemon, but a
 *  record that the session holds already stays the struct that it is, and its
 *  uncommitted changes stay. Blocks. NULL on failure. */
HERO_API HERO_MUST_CHECK void *hero_session_get(hero_session *session,
                                                const ProtobufCMessageDescriptor *descriptor,
                                                hero_key key, const char *expand,
                                                hero_error *error);
/** A page of records, whole ones (no fields, no expansions); the array is
 *  session memory. @ret_next_page_token may be NULL. Blocks. NULL on failure; an empty page is not
 * NULL. */
HERO_API HERO_MUST_CHECK void **hero_session_list(hero_session *session,
                                                  const ProtobufCMessageDescriptor *descriptor,
                                                  const hero_list *list, size_t *ret_n_records,
                                                  const char **ret_next_page_token,
                                                  hero_error *error);
/**
 * Send what is new, changed, linked, unlinked and deleted, as one
 * transaction; nothing to send is HERO_OK. Afterwards ids and defaults are in
 * the structs. Blocks.
 *
 * On failure the session is as before: mend what the violations name and
 * commit again. With error->outcome HERO_OUTCOME_UNKNOWN the next commit
 * first settles this one by repeating it; until then the session takes no
 * other change.
 */
HERO_API HERO_MUST_CHECK hero_code hero_session_commit(hero_session *session, hero_error *error);
/** Would hero_session_commit() be taken now? Everything is checked, constraints
 *  included, and nothing is stored or changed, in the session neither. Blocks. */
HERO_API HERO_MUST_CHECK hero_code hero_session_validate(hero_session *session, hero_error *error);
/** The number of the session's last commit; 0: none yet. */
HERO_API uint64_t hero_session_commit_number(const hero_session *session);

#ifdef __cplusplus
}
#endif

/* ---- HERO_KEY ------------------------------------------------------------ */

#ifdef __cplusplus
static inline hero_value hero_value_of(const char *text)
{
    return hero_value_text(text);
}
static inline hero_value hero_value_of(double real)
{
    return hero_value_real(real);
}
static inline hero_value hero_value_of(bool integer)
{
    return hero_value_integer(integer);
}
static inline hero_value hero_value_of(int integer)
{
    return hero_value_integer(integer);
}
static inline hero_value hero_value_of(unsigned integer)
{
    return hero_value_integer(integer);
}
static inline hero_value hero_value_of(long integer)
{
    return hero_value_integer(integer);
}
static inline hero_value hero_value_of(unsigned long integer)
{
    return hero_value_unsigned(integer);
}
static inline hero_value hero_value_of(long long integer)
{
    return hero_value_integer(integer);
}
static inline hero_value hero_value_of(unsigned long long integer)
{
    return hero_value_unsigned(integer);
}
template <typename... Parts> static inline hero_key hero_key_of(Parts... parts)
{
    static_assert(sizeof...(parts) >= 1 && sizeof...(parts) <= HERO_KEY_MAX,
                  "a key has one to eight parts");
    return hero_key{sizeof...(parts), {hero_value_of(parts)...}};
}
#define HERO_KEY(...) hero_key_of(__VA_ARGS__)
#else
#define HERO_VALUE(part)                                                                           \
    _Generic((part), char *                                                                        \
             : hero_value_text, const char *                                                       \
             : hero_value_text, float                                                              \
             : hero_value_real, double                                                             \
             : hero_value_real, unsigned long                                                      \
             : hero_value_unsigned, unsigned long long                                             \
             : hero_value_unsigned, default                                                        \
             : hero_value_integer)(part)
#define HERO_KEY_1(a)                                                                              \
    {                                                                                              \
        HERO_VALUE(a)                                                                              \
    }
#define HERO_KEY_2(a, b)                                                                           \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b)                                                               \
    }
#define HERO_KEY_3(a, b, c)                                                                        \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c)                                                \
    }
#define HERO_KEY_4(a, b, c, d)                                                                     \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c), HERO_VALUE(d)                                 \
    }
#define HERO_KEY_5(a, b, c, d, e)                                                                  \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c), HERO_VALUE(d), HERO_VALUE(e)                  \
    }
#define HERO_KEY_6(a, b, c, d, e, f)                                                               \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c), HERO_VALUE(d), HERO_VALUE(e), HERO_VALUE(f)   \
    }
#define HERO_KEY_7(a, b, c, d, e, f, g)                                                            \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c), HERO_VALUE(d), HERO_VALUE(e), HERO_VALUE(f),  \
            HERO_VALUE(g)                                                                          \
    }
#define HERO_KEY_8(a, b, c, d, e, f, g, h)                                                         \
    {                                                                                              \
        HERO_VALUE(a), HERO_VALUE(b), HERO_VALUE(c), HERO_VALUE(d), HERO_VALUE(e), HERO_VALUE(f),  \
            HERO_VALUE(g), HERO_VALUE(h)                                                           \
    }
#define HERO_KEY_COUNT_(a, b, c, d, e, f, g, h, n, ...) n
#define HERO_KEY_COUNT(...) HERO_KEY_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define HERO_KEY_PICK_(n) HERO_KEY_##n
#define HERO_KEY_PICK(n) HERO_KEY_PICK_(n)
#define HERO_KEY(...)                                                                              \
    ((hero_key){HERO_KEY_COUNT(__VA_ARGS__),                                                       \
                HERO_KEY_PICK(HERO_KEY_COUNT(__VA_ARGS__))(__VA_ARGS__)})
#endif

#endif
