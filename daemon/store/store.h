/*
 * The store's face: models, reads and commits over one SQLite database.
 *
 * Everything SQL is behind this header; it speaks hero.v1 messages and
 * models, so that a second engine can stand behind the same face. The store
 * owns the database file, its connections, the writer thread and what is kept
 * of answered requests. It knows no sockets, no method names, no clients but
 * by their identity, and it does not log: it returns faults and calls back.
 */
#ifndef HERO_STORE_H
#define HERO_STORE_H

#include <stdio.h>
#include "hero/v1/records.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "hero/v1/admin.pb-c.h"
#include "model.h"

struct store;

/* What a filter may be: bytes of its text, levels of conditions inside each
 * other (NOT, AND in OR and OR in AND: 1; any, all, none: 4; count: 6),
 * comparisons and values in all. */
#define STORE_FILTER_BYTES 16384
#define STORE_FILTER_DEPTH 20
#define STORE_FILTER_TERMS 1000

/* Why a store cannot go on; main maps them to exit codes. */
enum store_trouble {
    STORE_TROUBLE_NONE,
    STORE_TROUBLE_OPEN,    /* no such directory, no permission, read-only */
    STORE_TROUBLE_LOCKED,  /* another herod owns the database */
    STORE_TROUBLE_CORRUPT, /* not a database, damaged, quick_check fails */
    STORE_TROUBLE_NEWER,   /* written by a newer Hero */
    STORE_TROUBLE_IO,      /* a COMMIT failed with an I/O error: its outcome is unknown */
    STORE_TROUBLE_MEMORY,
};

struct store_options {
    const char *path;
    unsigned n_readers;       /* connections for reads */
    uint32_t busy_timeout_ms; /* how long to wait for another process's lock */
    uint64_t retention_ms;    /* requests of a client are known so long after its last one */
    size_t answer_bytes;      /* answers larger than this are kept with keys only */
    size_t message_bytes;     /* no reply may be larger */
    unsigned max_expand_depth;
    uint32_t page_size, max_page_size;
    /* The database cannot be trusted any more (STORE_TROUBLE_IO, _CORRUPT):
     * called on the writer thread, must not return to it (herod exits). */
    void (*on_fatal)(void *arg, enum store_trouble trouble, const char *text);
    /* The disk is too full to open the database (which is no damage): called
     * by store_open, again and again. Waits a while and returns true to try
     * once more, false to give up. NULL: give up at once. */
    bool (*on_disk_full)(void *arg, const char *text);
    void *fatal_arg; /* of both */
    /* Models ("hero,team") that are no longer served from this start on, by
     * whatever their tables have become; NULL: none. */
    const char *without;
};

/* SQL that a call executed, collected where the call or the log wants it. */
struct echo_statement {
    const char *sql; /* with its bound values */
    uint64_t time_us;
    struct echo_statement *next;
};
struct echo {
    struct arena *arena; /* a budgeted arena of its own; past it statements are counted only */
    struct echo_statement *first, **last;
    size_t n_dropped;
};
void echo_init(struct echo *echo, struct arena *arena);

/* Opens or creates the database: takes the lifetime lock (a lock file beside
 * the database, held until the process ends), checks what is there, opens all
 * connections, loads the models, starts the writer. On failure *ret_trouble
 * says which kind and the fault's message is one line with path and remedy.
 * A full disk is waited out (on_disk_full). */
MUST_CHECK Code store_open(const struct store_options *options, struct store **ret_store,
                           enum store_trouble *ret_trouble, struct fault *fault);
/* Finishes queued writes, checkpoints, closes. No reads may be running. */
void store_close(struct store *store);

/* What is served now; the caller unrefs. Never NULL. */
struct models *store_models(struct store *store);
/* The number of the last commit. */
uint64_t store_commit_number(struct store *store);
/* false while writes fail because the disk is full. */
bool store_writable(struct store *store);

/* What a read may cost and where its answer lives. */
struct store_read {
    const struct models *models; /* pinned by the caller */
    struct arena *arena;         /* answer and scratch */
    int64_t deadline_ns;         /* CLOCK_MONOTONIC; 0: none */
    /* Rows it may touch before it gives up with ABORTED and *ret_too_long
     * (set by the store) true: for reads on a thread that must not wait; 0: no bound. */
    unsigned row_budget;
    bool too_long;
    struct echo *echo; /* NULL: not wanted */
};

/* Reads run on the calling thread with a connection of the pool; each sees
 * one moment of the database. On success *ret is in read->arena. Faults:
 * NOT_FOUND (which key; unknown model), INVALID_ARGUMENT (unknown relationship,
 * field; bad token), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED (reply too large),
 * DATA_LOSS (a row that does not fit its model). */
MUST_CHECK Code store_get(struct store *store, struct store_read *read,
                          const Hero__V1__GetRequest *request, Hero__V1__GetResponse *ret,
                          struct fault *fault);
MUST_CHECK Code store_list(struct store *store, struct store_read *read,
                           const Hero__V1__ListRequest *request, Hero__V1__ListResponse *ret,
                           struct fault *fault);
MUST_CHECK Code store_list_related(struct store *store, struct store_read *read,
                                   const Hero__V1__ListRelatedRequest *request,
                                   Hero__V1__ListRelatedResponse *ret, struct fault *fault);
MUST_CHECK Code store_count(struct store *store, struct store_read *read,
                            const Hero__V1__CountRequest *request, Hero__V1__CountResponse *ret,
                            struct fault *fault);
/* What List would do with the request, without doing it. */
MUST_CHECK Code store_explain(struct store *store, struct store_read *read,
                              const Hero__V1__ExplainRequest *request,
                              Hero__V1__ExplainResponse *ret, struct fault *fault);
/* Rows per model, in the models' order. */
MUST_CHECK Code store_count_rows(struct store *store, struct store_read *read, uint64_t *ret_rows,
                                 struct fault *fault);

/* Who asks, and which of its requests this is. */
struct store_identity {
    const char *principal; /* "uid:1000", "tcp" */
    uint8_t client[16];
    uint64_t seq; /* 0: no identity; executed as often as it arrives */
    uint64_t lowest_seq;
};

/* One commit, queued for the writer. The caller owns it and all it points to
 * until `done` was called. */
struct store_write {
    /* in */
    const struct models *models; /* those that the mutations were read with; pinned by the caller */
    struct arena *arena;         /* for the answer; used by the writer until done */
    struct store_identity identity;
    const uint8_t *request_bytes; /* method and payload: what the digest is made of */
    size_t request_len;
    const char *method;
    Hero__V1__Mutation **mutations;
    size_t n_mutations;
    /* Instead of mutations: a CommitRequest, scanned and still packed, whose
     * mutations are unpacked one at a time. */
    ProtobufCBinaryData packed;
    const char *path_format; /* "" for a single mutation; "mutations[%zu]" for Commit */
    size_t max_items;        /* records, edges and targets of one mutation; 0: no bound */
    bool keys_only;          /* records of the answer hold their keys only */
    bool etags;              /* records of the answer have their etags */
    bool validate_only;      /* all is done, answered, and undone; no identity is looked at */
    int64_t deadline_ns;
    struct echo *echo;
    /* Called once on the writer thread, after COMMIT returned (or nothing was
     * changed). May free the write. */
    void (*done)(struct store_write *write);
    void *arg;
    /* out */
    struct fault fault;         /* OK: committed, or answered from an earlier execution */
    ProtobufCBinaryData answer; /* a packed CommitResponse, in the arena */
    /* the store's own */
    struct store_write *next;
    uint64_t number;
    bool settled;
};
/* Never blocks; the queue is bounded by the callers' limit on requests. */
void store_submit(struct store *store, struct store_write *write);
/* CommitRequest.mutations */
#define STORE_MUTATIONS_FIELD 1
/* How many records, edges and targets a mutation names: what one costs. */
size_t store_mutation_items(const Hero__V1__Mutation *mutation);

/* Changes of the models run on the writer thread between batches; what they
 * do to tables is one transaction with the set itself. */
enum store_change_kind { STORE_APPLY, STORE_REMOVE };
struct store_change {
    enum store_change_kind kind;
    const uint8_t *descriptor_set; /* STORE_APPLY */
    size_t descriptor_set_len;
    uint64_t set_version;      /* instead: what was served as this version; 0: none */
    uint64_t expected_version; /* ABORTED where another is served; 0: any */
    char *const *allowed;      /* what may be lost, as steps name it */
    size_t n_allowed;
    bool validate_only;       /* store_plan's: nothing is done, losses are told only */
    const char *const *names; /* STORE_REMOVE */
    size_t n_names;
    const char *author; /* principal */
    struct arena *arena;
    struct echo *echo;
    void (*done)(struct store_change *change);
    void *arg;
    struct fault fault;
    Hero__V1__ApplyModelsResponse applied; /* in the arena; models_version for both kinds */
    struct store_change *next;
};
void store_submit_change(struct store *store, struct store_change *change);
/* The plan of an Apply, on the calling thread: looks at rows, holds nobody
 * up. Leaves answer or fault in the change; `done` is not called. */
void store_plan(struct store *store, struct store_change *change, int64_t deadline_ns);

/* Sets that were served, the newest first; `before` 0: from the newest. In
 * the read's arena. */
MUST_CHECK Code store_history(struct store *store, struct store_read *read, uint32_t page_size,
                              uint64_t before, Hero__V1__HistoryResponse *ret, struct fault *fault);
/* NOT_FOUND where no set of that version was served. */
MUST_CHECK Code store_get_set(struct store *store, struct store_read *read, uint64_t version,
                              Hero__V1__GetModelSetResponse *ret, struct fault *fault);

/* The DDL of a model as Hero writes it: CREATE TABLE, then its indexes. */
MUST_CHECK Code store_ddl(const struct model *model, struct arena *arena, char ***ret_statements,
                          size_t *ret_n);

/* ---- databases that others made ---- */

struct infer_options {
    const char *path;
    uint64_t rows;    /* most rows looked at, of each table; 0: all */
    unsigned seconds; /* most time for the rows of each table or view; 0: no limit */
};

/* Models of any SQLite database, as .proto text. Needs no store and changes
 * nothing: the file is opened to be read. What models can't say, and what the
 * file leaves open, is told in comments. NOT_FOUND, or DATA_LOSS for what is
 * no database; the fault's message names the path. */
MUST_CHECK Code store_infer(const struct infer_options *options, FILE *out, struct fault *fault);

#endif
