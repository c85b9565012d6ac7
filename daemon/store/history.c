/*
 * The sets that were served, as _hero_model_set keeps them: all, with when,
 * by whom and what they changed.
 */
#include <string.h>
#include "internal.h"
#include "model_change.h"

static Code exhausted(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "no memory left for the history; ask for fewer sets");
}

/* A text of lines becomes a list of them. */
static bool split_lines(const char *text, struct arena *arena, Hero__V1__ModelSet *set)
{
    size_t n = 1;
    char *rest, *copy = arena_strdup(arena, text);
    if (!text || !*text)
        return true;
    for (const char *at = text; *at; at++)
        n += *at == '\n';
    set->steps = arena_array(arena, n, sizeof(*set->steps));
    for (char *line = copy && set->steps ? strtok_r(copy, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        set->steps[set->n_steps++] = line;
    return copy && set->steps;
}

/* version, at, author, steps */
static Hero__V1__ModelSet *read_set(sqlite3_stmt *stmt, struct arena *arena)
{
    Hero__V1__ModelSet *set = arena_alloc(arena, sizeof(*set));
    if (!set)
        return NULL;
    hero__v1__model_set__init(set);
    set->has_version = set->has_at_ms = true;
    set->version = (uint64_t)sqlite3_column_int64(stmt, 0);
    set->at_ms = sqlite3_column_int64(stmt, 1);
    set->author = arena_strdup(arena, (const char *)sqlite3_column_text(stmt, 2));
    return split_lines((const char *)sqlite3_column_text(stmt, 3), arena, set) ? set : NULL;
}

static Code read_sets(struct db *db, sqlite3_stmt *stmt, struct arena *arena, uint32_t page_size,
                      Hero__V1__HistoryResponse *ret, struct fault *fault)
{
    int rc;
    ret->sets = arena_array(arena, page_size, sizeof(*ret->sets));
    if (!ret->sets)
        return exhausted(fault);
    while ((rc = db_step(db, stmt)) == SQLITE_ROW && ret->n_sets < page_size)
        if (!(ret->sets[ret->n_sets++] = read_set(stmt, arena)))
            return exhausted(fault);
    if (rc == SQLITE_ROW) {
        ret->has_next_before = true;
        ret->next_before = ret->sets[ret->n_sets - 1]->version;
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                                 : db_fault(db, rc, fault, "reading the history");
}

Code store_history(struct store *store, struct store_read *read, uint32_t page_size,
                   uint64_t before, Hero__V1__HistoryResponse *ret, struct fault *fault)
{
    static const char query[] = "SELECT version, at, author, steps FROM _hero_model_set WHERE "
                                "version < ?1 ORDER BY version DESC";
    struct db *db = NULL;
    Code code = pool_take(store, read, &db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (page_size == 0)
        page_size = store->options.page_size;
    if (page_size > store->options.max_page_size)
        page_size = store->options.max_page_size;
    sqlite3_stmt *stmt = db_prepare(db, query, fault);
    if (stmt) {
        bool all = before == 0 || before > INT64_MAX;
        sqlite3_bind_int64(stmt, 1, all ? INT64_MAX : (int64_t)before);
        code = read_sets(db, stmt, read->arena, page_size, ret, fault);
        db_release(db, stmt);
    } else {
        code = fault->code;
    }
    pool_give(store, db);
    return code;
}

static Code no_such_set(uint64_t version, const char *path, struct fault *fault)
{
    fault_add(fault, path, "no set of version %llu was ever served here; see the history",
              (unsigned long long)version);
    return fault_set(fault, HERO__V1__CODE__NOT_FOUND,
                     "no set of version %llu was ever served here; see the history",
                     (unsigned long long)version);
}

static Code read_one(struct db *db, sqlite3_stmt *stmt, struct arena *arena, uint64_t version,
                     Hero__V1__GetModelSetResponse *ret, struct fault *fault)
{
    int rc = db_step(db, stmt);
    if (rc == SQLITE_DONE)
        return no_such_set(version, "version", fault);
    if (rc != SQLITE_ROW)
        return db_fault(db, rc, fault, "reading the set");
    ret->set = read_set(stmt, arena);
    ret->has_descriptor_set = true;
    ret->descriptor_set.len = (size_t)sqlite3_column_bytes(stmt, 4);
    ret->descriptor_set.data =
        arena_copy(arena, sqlite3_column_blob(stmt, 4), ret->descriptor_set.len);
    if (!ret->set || (ret->descriptor_set.len > 0 && !ret->descriptor_set.data))
        return exhausted(fault);
    return HERO__V1__CODE__OK;
}

Code store_get_set(struct store *store, struct store_read *read, uint64_t version,
                   Hero__V1__GetModelSetResponse *ret, struct fault *fault)
{
    static const char query[] = "SELECT version, at, author, steps, descriptor_set FROM "
                                "_hero_model_set WHERE version = ?1";
    struct db *db = NULL;
    Code code = pool_take(store, read, &db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    sqlite3_stmt *stmt = db_prepare(db, query, fault);
    if (stmt) {
        sqlite3_bind_int64(stmt, 1, (int64_t)version);
        code = read_one(db, stmt, read->arena, version, ret, fault);
        db_release(db, stmt);
    } else {
        code = fault->code;
    }
    pool_give(store, db);
    return code;
}

/* ---- the way back ---- */

/* From one set to the next: what the first one's models are called in it. */
static Code follow(sqlite3_stmt *stmt, const struct models *first, const char **names,
                   struct models **latest, struct arena *arena, struct fault *fault)
{
    struct models *next = NULL;
    Code code = models_new(sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1),
                           &next, fault);
    for (size_t i = 0; code == HERO__V1__CODE__OK && i < first->n_models; i++)
        names[i] = arena_strdup(arena, model_name_since(*latest, next, names[i]));
    models_unref(*latest);
    *latest = next;
    return code;
}

static Code follow_all(struct db *db, sqlite3_stmt *stmt, struct arena *arena,
                       struct models **ret_first, const char ***ret_names, struct fault *fault)
{
    struct models *latest = NULL;
    Code code = HERO__V1__CODE__OK;
    int rc;
    while (code == HERO__V1__CODE__OK && (rc = db_step(db, stmt)) == SQLITE_ROW) {
        if (*ret_first) {
            code = follow(stmt, *ret_first, *ret_names, &latest, arena, fault);
            continue;
        }
        code = models_new(sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1),
                          ret_first, fault);
        if (code != HERO__V1__CODE__OK)
            break;
        latest = models_ref(*ret_first);
        *ret_names = arena_array(arena, latest->n_models + 1, sizeof(**ret_names));
        for (size_t i = 0; *ret_names && i < latest->n_models; i++)
            (*ret_names)[i] = latest->models[i].name;
        if (!*ret_names)
            code = exhausted(fault);
    }
    models_unref(latest);
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = db_fault(db, rc, fault, "reading the history");
    return code;
}

Code history_set_back(struct db *db, uint64_t version, struct arena *arena,
                      ProtobufCBinaryData *ret_set, struct fault *fault)
{
    static const char query[] = "SELECT version, descriptor_set FROM _hero_model_set WHERE version "
                                ">= ?1 AND EXISTS (SELECT 1 FROM _hero_model_set WHERE version = "
                                "?1) ORDER BY version";
    struct models *first = NULL;
    const char **names = NULL;
    sqlite3_stmt *stmt = db_prepare(db, query, fault);
    if (!stmt)
        return fault->code;
    sqlite3_bind_int64(stmt, 1, (int64_t)version);
    Code code = follow_all(db, stmt, arena, &first, &names, fault);
    db_release(db, stmt);
    if (code == HERO__V1__CODE__OK && !first)
        code = no_such_set(version, "set_version", fault);
    if (code == HERO__V1__CODE__OK)
        code = models_set_back(first, names, arena, ret_set, fault);
    models_unref(first);
    return code;
}
