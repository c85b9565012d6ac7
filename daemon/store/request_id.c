/*
 * Exactly once: which requests of which clients were answered, and with what.
 *
 * A row of _hero_request commits with the effect it stands for. Its lowest is
 * the client's watermark at the time; the newest row of a client always
 * stays, so that the highest lowest is the watermark even after a restart.
 * Knows identities and answers, not what was done.
 */
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "write.h"

#define CACHE_ENTRIES 4096 /* a power of two; one entry a slot */
#define DAY_MS (24 * 60 * 60 * INT64_C(1000))
/* Rows below the watermark go in bunches: a delete for each write would cost
 * a tenth of it. */
#define DELETE_EVERY 32
/* Clients that one round of the purge looks at; their answers are not read. */
#define PURGE_CLIENTS 256

struct cached_client {
    bool known; /* the entry is in use */
    char principal[24];
    uint8_t client[16];
    uint64_t watermark; /* highest lowest_seq */
    uint64_t newest;    /* highest seq with a row; 0: the client has none */
    uint64_t deleted;   /* rows below are gone */
};

struct client_key {
    char principal[64];
    uint8_t client[16];
    bool expired;
};

struct request_cache {
    struct cached_client clients[CACHE_ENTRIES];
    struct client_key purged_to; /* where the next round of the purge goes on */
};

struct request_cache *request_cache_new(void)
{
    return calloc(1, sizeof(struct request_cache));
}

void request_cache_free(struct request_cache *cache)
{
    free(cache);
}

void request_cache_clear(struct request_cache *cache)
{
    memset(cache->clients, 0, sizeof(cache->clients));
}

static struct cached_client *slot_of(struct store *store, const struct store_identity *identity)
{
    struct request_cache *cache = writer_request_cache(store);
    uint64_t hash =
        XXH3_64bits_withSeed(identity->client, sizeof(identity->client),
                             XXH3_64bits(identity->principal, strlen(identity->principal)));
    return &cache->clients[hash % CACHE_ENTRIES];
}

static bool is_of(const struct cached_client *entry, const struct store_identity *identity)
{
    return entry->known && strcmp(entry->principal, identity->principal) == 0 &&
           memcmp(entry->client, identity->client, sizeof(entry->client)) == 0;
}

static void bind_client(sqlite3_stmt *stmt, const struct store_identity *identity)
{
    sqlite3_bind_text(stmt, 1, identity->principal, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, identity->client, sizeof(identity->client), SQLITE_STATIC);
}

static Code load_client(struct store *store, const struct store_identity *identity,
                        struct cached_client *entry, struct fault *fault)
{
    struct db *db = &store->write_db;
    sqlite3_stmt *stmt = db_prepare(db,
                                    "SELECT max(lowest), max(seq), min(seq) FROM _hero_request "
                                    "WHERE principal = ?1 AND client = ?2",
                                    fault);
    if (!stmt)
        return fault->code;
    Code code = HERO__V1__CODE__OK;
    bind_client(stmt, identity);
    int rc = db_step(db, stmt);
    memset(entry, 0, sizeof(*entry));
    if (rc == SQLITE_ROW) {
        entry->known = strlen(identity->principal) < sizeof(entry->principal);
        strncpy(entry->principal, identity->principal, sizeof(entry->principal) - 1);
        memcpy(entry->client, identity->client, sizeof(entry->client));
        entry->watermark = (uint64_t)sqlite3_column_int64(stmt, 0);
        entry->newest = (uint64_t)sqlite3_column_int64(stmt, 1);
        entry->deleted = (uint64_t)sqlite3_column_int64(stmt, 2);
    } else {
        code = db_fault(db, rc, fault, "looking for the client's requests");
    }
    db_release(db, stmt);
    return code;
}

/* RFC 9562, 5.7: 48 bits of milliseconds, the version, the variant. */
static bool uuid_time(const uint8_t id[16], int64_t *ret_ms)
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id[i];
    *ret_ms = (int64_t)ms;
    return (id[6] & 0xf0) == 0x70 && (id[8] & 0xc0) == 0x80;
}

/* A client without rows is new or was forgotten: its id tells when it began. */
static Code check_new_client(struct store *store, const struct store_identity *identity,
                             int64_t now_ms, struct fault *fault)
{
    int64_t born;
    if (!uuid_time(identity->client, &born))
        return fault_add(fault, "client", "is not a version 7 UUID (RFC 9562)");
    if (born < now_ms - (int64_t)store->options.retention_ms) {
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "the client is unknown or was forgotten; its write was not executed now");
        return fault_add(fault, "client",
                         "was away for longer than requests are kept (%llu s): look whether the "
                         "write is there, then go on with a new client id",
                         (unsigned long long)store->options.retention_ms / 1000);
    }
    if (born > now_ms + DAY_MS) {
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION, "the client's id is from the future");
        return fault_add(fault, "client", "is more than a day ahead: compare the clocks");
    }
    return HERO__V1__CODE__OK;
}

static XXH128_canonical_t digest_of(const struct store_write *write)
{
    XXH3_state_t state;
    XXH128_canonical_t canonical;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, write->method, strlen(write->method) + 1);
    XXH3_128bits_update(&state, write->request_bytes, write->request_len);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    return canonical;
}

static Code take_answer(struct store_write *write, sqlite3_stmt *stmt, bool *ret_answered)
{
    XXH128_canonical_t digest = digest_of(write);
    if (sqlite3_column_bytes(stmt, 0) != sizeof(digest) ||
        memcmp(sqlite3_column_blob(stmt, 0), &digest, sizeof(digest)) != 0)
        return fault_add(&write->fault, "seq",
                         "%llu was another request's; each write has a seq of its own",
                         (unsigned long long)write->identity.seq);
    write->number = (uint64_t)sqlite3_column_int64(stmt, 1);
    write->answer.len = (size_t)sqlite3_column_bytes(stmt, 2);
    write->answer.data = arena_copy(write->arena, sqlite3_column_blob(stmt, 2), write->answer.len);
    if (!write->answer.data)
        return fault_set(&write->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "no memory for the answer");
    *ret_answered = true;
    return HERO__V1__CODE__OK;
}

static Code find_answer(struct store *store, struct store_write *write, bool *ret_answered)
{
    struct db *db = &store->write_db;
    sqlite3_stmt *stmt = db_prepare(db,
                                    "SELECT digest, commit_number, answer FROM _hero_request "
                                    "WHERE principal = ?1 AND client = ?2 AND seq = ?3",
                                    &write->fault);
    if (!stmt)
        return write->fault.code;
    bind_client(stmt, &write->identity);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)write->identity.seq);
    int rc = db_step(db, stmt);
    Code code = HERO__V1__CODE__OK;
    if (rc == SQLITE_ROW)
        code = take_answer(write, stmt, ret_answered);
    else if (rc != SQLITE_DONE)
        code = db_fault(db, rc, &write->fault, "looking for the request");
    db_release(db, stmt);
    return code;
}

Code request_begin(struct store *store, struct store_write *write, int64_t now_ms,
                   bool *ret_answered)
{
    const struct store_identity *identity = &write->identity;
    struct cached_client *entry = slot_of(store, identity);
    if (identity->seq > INT64_MAX)
        return fault_add(&write->fault, "seq", "is larger than a seq can be");
    if (!is_of(entry, identity)) {
        Code code = load_client(store, identity, entry, &write->fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    if (entry->newest == 0)
        return check_new_client(store, identity, now_ms, &write->fault);
    if (identity->seq < entry->watermark) {
        fault_set(&write->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "the request is below what its client acknowledged; it was not executed again");
        return fault_add(&write->fault, "seq", "%llu is below %llu, the lowest kept",
                         (unsigned long long)identity->seq, (unsigned long long)entry->watermark);
    }
    return identity->seq <= entry->newest ? find_answer(store, write, ret_answered)
                                          : HERO__V1__CODE__OK;
}

/* ---- keeping ---- */

static Code insert_row(struct store *store, struct store_write *write,
                       const ProtobufCBinaryData *answer, int64_t now_ms)
{
    struct db *db = &store->write_db;
    XXH128_canonical_t digest = digest_of(write);
    sqlite3_stmt *stmt =
        db_prepare(db,
                   "INSERT INTO _hero_request (principal, client, seq, lowest, digest, "
                   "commit_number, answer, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   &write->fault);
    if (!stmt)
        return write->fault.code;
    bind_client(stmt, &write->identity);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)write->identity.seq);
    sqlite3_bind_int64(stmt, 4, (sqlite3_int64)write->identity.lowest_seq);
    sqlite3_bind_blob(stmt, 5, &digest, sizeof(digest), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 6, (sqlite3_int64)write->number);
    sqlite3_bind_blob64(stmt, 7, answer->data, answer->len, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 8, now_ms);
    int rc = db_step(db, stmt);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(db, rc, &write->fault, "keeping the request");
    db_release(db, stmt);
    return code;
}

static Code delete_below(struct store *store, struct store_write *write, uint64_t lowest)
{
    struct db *db = &store->write_db;
    sqlite3_stmt *stmt = db_prepare(db,
                                    "DELETE FROM _hero_request WHERE principal = ?1 AND "
                                    "client = ?2 AND seq < ?3",
                                    &write->fault);
    if (!stmt)
        return write->fault.code;
    bind_client(stmt, &write->identity);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)lowest);
    int rc = db_step(db, stmt);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(db, rc, &write->fault, "forgetting old requests");
    db_release(db, stmt);
    return code;
}

Code request_keep(struct store *store, struct store_write *write, int64_t now_ms)
{
    ProtobufCBinaryData answer = write->answer;
    struct cached_client *entry = slot_of(store, &write->identity);
    uint64_t lowest = write->identity.lowest_seq;
    Code code = HERO__V1__CODE__OK;
    /* Of a large one only the keys are kept: the rows can be read again by them. */
    if (answer.len > store->options.answer_bytes)
        code = answer_cut(store->models, answer, write->arena, &answer, &write->fault);
    if (code == HERO__V1__CODE__OK)
        code = insert_row(store, write, &answer, now_ms);
    if (code != HERO__V1__CODE__OK || !is_of(entry, &write->identity))
        return code;
    entry->watermark = lowest > entry->watermark ? lowest : entry->watermark;
    entry->newest = write->identity.seq > entry->newest ? write->identity.seq : entry->newest;
    if (entry->watermark >= entry->deleted + DELETE_EVERY) {
        code = delete_below(store, write, entry->watermark);
        entry->deleted = entry->watermark;
    }
    return code;
}

void request_undo(struct store *store, const struct store_write *write)
{
    struct cached_client *entry = write->identity.seq ? slot_of(store, &write->identity) : NULL;
    if (entry && is_of(entry, &write->identity))
        entry->known = false; /* read anew at its next write */
}

/* The next clients after purged_to. Returns how many; -1: they can't be read. */
static int next_clients(struct store *store, struct client_key *ret_keys, int64_t oldest_ms)
{
    struct db *db = &store->write_db;
    struct fault ignored = FAULT_INIT;
    const struct client_key *after = &writer_request_cache(store)->purged_to;
    int n = 0, rc = SQLITE_ERROR;
    sqlite3_stmt *stmt =
        db_prepare(db,
                   "SELECT principal, client, max(at) FROM _hero_request WHERE (principal, client) "
                   "> (?1, ?2) GROUP BY principal, client LIMIT ?3",
                   &ignored);
    fault_done(&ignored);
    if (!stmt)
        return -1;
    sqlite3_bind_text(stmt, 1, after->principal, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, after->client, sizeof(after->client), SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, PURGE_CLIENTS);
    while ((rc = db_step(db, stmt)) == SQLITE_ROW) {
        struct client_key *key = &ret_keys[n];
        const char *principal = (const char *)sqlite3_column_text(stmt, 0);
        if (!principal || strlen(principal) >= sizeof(key->principal) ||
            sqlite3_column_bytes(stmt, 1) != sizeof(key->client))
            continue; /* no row of ours */
        strcpy(key->principal, principal);
        memcpy(key->client, sqlite3_column_blob(stmt, 1), sizeof(key->client));
        key->expired = sqlite3_column_int64(stmt, 2) < oldest_ms;
        n++;
    }
    db_release(db, stmt);
    return rc == SQLITE_DONE ? n : -1;
}

static bool forget_client(struct store *store, const struct client_key *key)
{
    struct db *db = &store->write_db;
    struct fault ignored = FAULT_INIT;
    sqlite3_stmt *stmt =
        db_prepare(db, "DELETE FROM _hero_request WHERE principal = ?1 AND client = ?2", &ignored);
    fault_done(&ignored);
    if (!stmt)
        return false;
    sqlite3_bind_text(stmt, 1, key->principal, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, key->client, sizeof(key->client), SQLITE_STATIC);
    int rc = db_step(db, stmt);
    db_release(db, stmt);
    return rc == SQLITE_DONE;
}

/* A failure leaves the rows for another round: they are only late to go. */
static void forget_clients(struct store *store, const struct client_key *keys, int n)
{
    struct db *db = &store->write_db;
    struct fault ignored = FAULT_INIT;
    bool ok = db_run(db, "BEGIN IMMEDIATE", &ignored) == HERO__V1__CODE__OK;
    for (int i = 0; i < n && ok; i++)
        ok = !keys[i].expired || forget_client(store, &keys[i]);
    if (!db_in_transaction(db) ||
        db_run(db, ok ? "COMMIT" : "ROLLBACK", &ignored) != HERO__V1__CODE__OK)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    fault_done(&ignored);
    request_cache_clear(writer_request_cache(store));
}

void request_purge(struct store *store, int64_t now_ms)
{
    struct request_cache *cache = writer_request_cache(store);
    struct client_key keys[PURGE_CLIENTS];
    int64_t oldest_ms = now_ms - (int64_t)store->options.retention_ms - DAY_MS;
    bool any = false;
    int n = next_clients(store, keys, oldest_ms);
    for (int i = 0; i < n; i++)
        any = any || keys[i].expired;
    if (any)
        forget_clients(store, keys, n);
    if (n == PURGE_CLIENTS)
        cache->purged_to = keys[n - 1];
    else /* the end: begin again */
        memset(&cache->purged_to, 0, sizeof(cache->purged_to));
}
