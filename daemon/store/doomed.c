/*
 * Collects who goes with a deleted record, level by level, one statement for
 * each rule; and finds who holds one that can't go. Deletes nothing.
 */
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "doomed.h"
#include "join.h"

/* ---- who goes ---- */

static Code list_add(struct deleting *deleting, struct doomed_list *list, struct doomed *doomed)
{
    if (list->n == list->size) {
        size_t size = list->size ? list->size * 2 : 8;
        struct doomed **items = arena_array(deleting->commit->arena, size, sizeof(*items));
        if (!items)
            return commit_no_memory(deleting->commit);
        if (list->n)
            memcpy(items, list->items, list->n * sizeof(*items));
        list->items = items;
        list->size = size;
    }
    list->items[list->n++] = doomed;
    return HERO__V1__CODE__OK;
}

static uint64_t hash_of(const struct model *model, const struct key_value *key)
{
    uint64_t hash = model->position;
    for (size_t i = 0; i < model->n_primary_key; i++) {
        bool data = key[i].type == SQLITE_TEXT || key[i].type == SQLITE_BLOB;
        hash = data ? XXH3_64bits_withSeed(key[i].data, key[i].len, hash)
                    : XXH3_64bits_withSeed(&key[i].integer, sizeof(key[i].integer), hash);
    }
    return hash;
}

struct doomed *doomed_find(const struct deleting *deleting, const struct model *model,
                           const struct key_value *key)
{
    uint64_t hash = hash_of(model, key);
    if (deleting->n_buckets == 0)
        return NULL;
    for (struct doomed *doomed = deleting->buckets[hash % deleting->n_buckets]; doomed;
         doomed = doomed->chain) {
        bool same = doomed->hash == hash && doomed->model == model;
        for (size_t i = 0; same && i < model->n_primary_key; i++)
            same = key_value_equal(&doomed->key[i], &key[i]);
        if (same)
            return doomed;
    }
    return NULL;
}

static Code grow_buckets(struct deleting *deleting)
{
    size_t n = deleting->n_buckets ? deleting->n_buckets * 4 : 64;
    struct doomed **buckets = arena_array(deleting->commit->arena, n, sizeof(*buckets));
    if (!buckets)
        return commit_no_memory(deleting->commit);
    for (size_t i = 0; i < deleting->n_buckets; i++)
        for (struct doomed *doomed = deleting->buckets[i], *next; doomed; doomed = next) {
            next = doomed->chain;
            doomed->chain = buckets[doomed->hash % n];
            buckets[doomed->hash % n] = doomed;
        }
    deleting->buckets = buckets;
    deleting->n_buckets = n;
    return HERO__V1__CODE__OK;
}

static struct key_value *keep_key(struct arena *arena, const struct model *model,
                                  const struct key_value *key)
{
    struct key_value *kept = arena_copy(arena, key, model->n_primary_key * sizeof(*key));
    for (size_t i = 0; kept && i < model->n_primary_key; i++)
        if (kept[i].type == SQLITE_TEXT || kept[i].type == SQLITE_BLOB) {
            kept[i].data = arena_copy(arena, kept[i].data, kept[i].len + 1);
            if (!kept[i].data)
                return NULL;
        }
    return kept;
}

Code doomed_add(struct deleting *deleting, const struct model *model, const struct key_value *key,
                size_t target, bool maybe)
{
    uint64_t hash = hash_of(model, key);
    struct doomed *doomed = doomed_find(deleting, model, key);
    if (doomed && (maybe || !doomed->maybe))
        return HERO__V1__CODE__OK;
    if (doomed) {
        doomed->maybe = false;
        return list_add(deleting, &deleting->lists[model->position], doomed);
    }
    if (deleting->n >= deleting->n_buckets) {
        Code code = grow_buckets(deleting);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    Code writable = record_check_writable(deleting->commit, model, deleting->paths[target]);
    if (writable != HERO__V1__CODE__OK)
        return writable;
    struct arena *arena = deleting->commit->arena;
    doomed = arena_alloc(arena, sizeof(*doomed));
    const struct key_value *kept = keep_key(arena, model, key);
    if (!doomed || !kept)
        return commit_no_memory(deleting->commit);
    struct doomed **bucket = &deleting->buckets[hash % deleting->n_buckets];
    *doomed = (struct doomed){model, kept, hash, target, maybe, *bucket};
    *bucket = doomed;
    deleting->n++;
    return list_add(deleting, maybe ? &deleting->maybe : &deleting->lists[model->position], doomed);
}

Code doomed_keys(struct deleting *deleting, const struct model *model, struct doomed *const *items,
                 size_t n, struct key_list *ret_list)
{
    const struct key_value **keys = arena_array(deleting->commit->arena, n, sizeof(*keys));
    if (!keys)
        return commit_no_memory(deleting->commit);
    for (size_t i = 0; i < n; i++)
        keys[i] = items[i]->key;
    *ret_list = (struct key_list){n, model->n_primary_key, keys};
    return HERO__V1__CODE__OK;
}

/* ---- rules ---- */

enum rule doomed_rule(const struct foreign_key *key)
{
    if (key->on_delete == HERO__ON_DELETE__RESTRICT)
        return RULE_NONE;
    if (key->is_link)
        return RULE_LINK;
    if (key->rule == HERO__ON_PARENT_DELETE__DELETE ||
        key->rule == HERO__ON_PARENT_DELETE__DELETE_ORPHAN ||
        key->on_delete == HERO__ON_DELETE__CASCADE)
        return RULE_DELETE;
    if (key->rule == HERO__ON_PARENT_DELETE__CLEAR || key->on_delete == HERO__ON_DELETE__SET_NULL)
        return RULE_CLEAR;
    return RULE_NONE;
}

/* Does deleting the record leave the related ones alone? */
static bool keeps(const struct relationship *relationship)
{
    return relationship->kind == RELATIONSHIP_TARGET_KEY || /* told by its key's rule */
           (relationship->on_delete != HERO__ON_PARENT_DELETE__DELETE &&
            relationship->on_delete != HERO__ON_PARENT_DELETE__DELETE_ORPHAN);
}

/* Dooms what is related to some of the doomed. */
static Code collect(struct deleting *deleting, const struct relationship *relationship,
                    struct doomed *const *items, size_t n, bool maybe)
{
    struct commit *commit = deleting->commit;
    const struct model *target = relationship->target;
    struct key_value key[KEY_TABLE_MAX_COLUMNS];
    struct key_list keys;
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT p.position");
    for (size_t i = 0; i < target->n_primary_key; i++)
        sql_column(&sql, ", t.", target->primary_key[i]);
    sql_add(&sql, " FROM ");
    join_from_keys(&sql, relationship, JOIN_PARENT_KEYS);
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    Code code = doomed_keys(deleting, relationship->model, items, n, &keys);
    sqlite3_stmt *stmt =
        code == HERO__V1__CODE__OK ? db_prepare(commit->db, sql_text(&sql), commit->fault) : NULL;
    if (!stmt)
        return commit->fault->code;
    int rc = key_list_bind(stmt, 1, &keys);
    while (code == HERO__V1__CODE__OK && rc == SQLITE_OK &&
           (rc = db_step(commit->db, stmt)) == SQLITE_ROW) {
        size_t parent = (size_t)sqlite3_column_int64(stmt, 0);
        for (size_t i = 0; i < target->n_primary_key; i++)
            key[i] = key_value_of(stmt, 1 + (int)i);
        code = doomed_add(deleting, target, key, items[parent]->target, maybe);
        rc = SQLITE_OK;
    }
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, relationship->target->name);
    db_release(commit->db, stmt);
    return code;
}

struct relationship doomed_way_back(const struct foreign_key *key)
{
    return (struct relationship){.model = key->target,
                                 .name = "",
                                 .kind = RELATIONSHIP_TARGET_KEY,
                                 .target = key->model,
                                 .from = key};
}

static Code follow(struct deleting *deleting, const struct model *model, size_t first)
{
    const struct doomed_list *list = &deleting->lists[model->position];
    struct doomed *const *items = list->items + first; /* they may move while collecting */
    size_t n = list->n - first;
    Code code = commit_in_time(deleting->commit);
    for (size_t i = 0; i < model->n_referrers && code == HERO__V1__CODE__OK; i++) {
        const struct relationship back = doomed_way_back(model->referrers[i]);
        if (doomed_rule(model->referrers[i]) == RULE_DELETE)
            code = collect(deleting, &back, items, n, false);
    }
    for (size_t i = 0; i < model->n_relationships && code == HERO__V1__CODE__OK; i++) {
        const struct relationship *relationship = &model->relationships[i];
        if (!keeps(relationship))
            code = collect(deleting, relationship, items, n,
                           relationship->on_delete == HERO__ON_PARENT_DELETE__DELETE_ORPHAN);
    }
    return code;
}

Code doomed_follow(struct deleting *deleting)
{
    const struct models *models = deleting->commit->models;
    Code code = HERO__V1__CODE__OK;
    for (bool again = true; again && code == HERO__V1__CODE__OK;) {
        again = false;
        for (size_t m = 0; m < models->n_models && code == HERO__V1__CODE__OK; m++) {
            struct doomed_list *list = &deleting->lists[m];
            size_t first = list->n_followed;
            if (first == list->n)
                continue;
            list->n_followed = list->n;
            again = true;
            code = follow(deleting, &models->models[m], first);
        }
    }
    return code;
}

/* ---- blame ---- */

static const char *key_text(struct deleting *deleting, const struct doomed *doomed)
{
    const char *text = NULL;
    for (size_t i = 0; i < doomed->model->n_primary_key; i++) {
        const struct key_value *value = &doomed->key[i];
        const char *one =
            value->type == SQLITE_INTEGER
                ? arena_printf(deleting->commit->arena, "%lld", (long long)value->integer)
                : arena_printf(deleting->commit->arena, "\"%.*s\"",
                               value->type == SQLITE_TEXT ? (int)value->len : 0,
                               value->type == SQLITE_TEXT ? (const char *)value->data : "");
        text = text ? arena_printf(deleting->commit->arena, "%s,%s", text, one ? one : "") : one;
    }
    return text ? text : "";
}

bool doomed_is_held(struct deleting *deleting, const struct doomed *doomed,
                    const struct foreign_key *key)
{
    struct commit *commit = deleting->commit;
    struct fault ignored = FAULT_INIT;
    const struct relationship back = doomed_way_back(key);
    struct key_value found[KEY_TABLE_MAX_COLUMNS];
    bool held = false;
    struct sql sql;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT ");
    for (size_t i = 0; i < key->model->n_primary_key; i++)
        sql_column(&sql, i > 0 ? ", t." : "t.", key->model->primary_key[i]);
    sql_add(&sql, " FROM ");
    join_from_keys(&sql, &back, JOIN_PARENT_KEY);
    sqlite3_stmt *stmt = sql_text(&sql) ? db_prepare(commit->db, sql_text(&sql), &ignored) : NULL;
    bool bound = stmt != NULL;
    for (size_t i = 0; bound && i < doomed->model->n_primary_key; i++)
        bound = key_value_bind(stmt, (int)i + 1, &doomed->key[i]) == SQLITE_OK;
    while (bound && !held && db_step(commit->db, stmt) == SQLITE_ROW) {
        for (size_t i = 0; i < key->model->n_primary_key; i++)
            found[i] = key_value_of(stmt, (int)i);
        const struct doomed *other = doomed_find(deleting, key->model, found);
        held = !other || other->maybe;
    }
    db_release(commit->db, stmt);
    fault_done(&ignored);
    return held;
}

static void blame_one(struct deleting *deleting, struct doomed *doomed)
{
    struct commit *commit = deleting->commit;
    const struct model *model = doomed->model;
    for (size_t i = 0; i < model->n_referrers; i++) {
        const struct foreign_key *key = model->referrers[i];
        if (doomed_rule(key) != RULE_NONE || !doomed_is_held(deleting, doomed, key))
            continue;
        const char *text = key_text(deleting, doomed);
        if (commit->fault->code == HERO__V1__CODE__OK)
            fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                      "%s %s can't go or change while others refer to it", model->name, text);
        fault_add(commit->fault, deleting->paths[doomed->target],
                  "%s.%s refers to %s %s; delete or change that first", key->model->name,
                  foreign_key_text(key, commit->arena), model->name, text);
        fault_detail(commit->fault, constraint_text(commit, "FOREIGN KEY", key->columns, key->n),
                     NULL);
    }
}

Code doomed_blame(struct deleting *deleting, const struct model *model)
{
    const struct doomed_list *list = &deleting->lists[model->position];
    for (size_t i = 0; i < list->n && deleting->commit->fault->n_violations < FAULT_MAX_VIOLATIONS;
         i++)
        blame_one(deleting, list->items[i]);
    return deleting->commit->fault->code;
}
