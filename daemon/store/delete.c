/*
 * Delete: a record, and what goes with it by the rules of its relationships
 * and of the foreign keys that refer to it. The rules are the daemon's own to
 * follow, so that records which go along are records too: counted, unlinked,
 * and with rules of their own. SQLite's actions find nothing left to do.
 *
 * A statement for each model, those that refer before those referred to; in
 * which order the targets were named makes no difference.
 */
#include <stdio.h>
#include "column.h"
#include "doomed.h"

/* ---- statements over many keys ---- */

/* Runs one that returns no rows; *ret_rc is SQLite's. */
static Code run(struct deleting *deleting, const struct sql *sql, const struct key_list *keys,
                int *ret_rc, uint32_t *ret_changes)
{
    struct commit *commit = deleting->commit;
    Code code = commit_in_time(commit);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!sql_text(sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(sql), commit->fault);
    if (!stmt)
        return commit->fault->code;
    *ret_rc = key_list_bind(stmt, 1, keys);
    if (*ret_rc == SQLITE_OK)
        *ret_rc = db_step(commit->db, stmt);
    *ret_changes = *ret_rc == SQLITE_DONE ? (uint32_t)sqlite3_changes(commit->db->handle) : 0;
    db_release(commit->db, stmt);
    return HERO__V1__CODE__OK;
}

static void put_key_column(struct sql *sql, const char *word, size_t place)
{
    char text[24];
    snprintf(text, sizeof(text), "k%zu", place);
    sql_add(sql, word);
    sql_add(sql, text);
}

/* "SELECT k0": what the key's columns refer to of the doomed, from their keys. */
static void put_keys_referred(struct sql *sql, const struct foreign_key *key)
{
    const struct model *model = key->target;
    for (size_t i = 0; i < key->n; i++)
        for (size_t place = 0; place < model->n_primary_key; place++)
            if (model->primary_key[place] == key->referred[i])
                put_key_column(sql, i > 0 ? ", " : "SELECT ", place);
    sql_add(sql, " FROM _hero_keys(?1)");
}

/* The same from their rows, where it is not their primary key. */
static void put_rows_referred(struct sql *sql, const struct foreign_key *key)
{
    const struct model *model = key->target;
    for (size_t i = 0; i < key->n; i++)
        sql_column(sql, i > 0 ? ", m." : "SELECT m.", key->referred[i]);
    sql_add(sql, " FROM _hero_keys(?1) AS p CROSS JOIN ");
    sql_table(sql, model);
    sql_add(sql, " AS m");
    for (size_t i = 0; i < model->n_primary_key; i++) {
        sql_column(sql, i > 0 ? " AND m." : " WHERE m.", model->primary_key[i]);
        put_key_column(sql, " = p.", i);
    }
}

/* " WHERE (a, b) IN (SELECT ...)": the rows that refer to the doomed by this key. */
static void put_referring(struct sql *sql, const struct foreign_key *key)
{
    sql_add(sql, " WHERE (");
    for (size_t i = 0; i < key->n; i++)
        sql_column(sql, i > 0 ? ", " : "", key->columns[i]);
    sql_add(sql, ") IN (");
    if (key->to_primary_key)
        put_keys_referred(sql, key);
    else
        put_rows_referred(sql, key);
    sql_add(sql, ")");
}

/* ---- deleting ---- */

static Code fail(struct deleting *deleting, int rc, const struct model *model)
{
    struct commit *commit = deleting->commit;
    const char *path = deleting->paths[0];
    if (deleting->lists[model->position].n > 0)
        path = deleting->paths[deleting->lists[model->position].items[0]->target];
    Code code = db_fault(commit->db, rc, commit->fault, model->name);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        code = fault_add(commit->fault, path, "others refer to it or to what goes with it");
    return code;
}

/* Rows that refer to the doomed of a model, by keys that don't hold them. */
static Code let_go(struct deleting *deleting, const struct model *model)
{
    const struct doomed_list *list = &deleting->lists[model->position];
    struct key_list keys;
    Code code = doomed_keys(deleting, model, list->items, list->n, &keys);
    for (size_t i = 0; i < model->n_referrers && code == HERO__V1__CODE__OK; i++) {
        const struct foreign_key *key = model->referrers[i];
        enum rule rule = doomed_rule(key);
        uint32_t changes = 0;
        struct sql sql;
        int rc = SQLITE_DONE;
        if (rule != RULE_LINK && rule != RULE_CLEAR)
            continue;
        commit_sql(deleting->commit, &sql);
        sql_add(&sql, rule == RULE_LINK ? "DELETE FROM " : "UPDATE ");
        sql_table(&sql, key->model);
        const char *word = " SET ";
        for (size_t c = 0; rule == RULE_CLEAR && c < key->n; c++)
            if (foreign_key_clears(key, key->columns[c])) {
                sql_column(&sql, word, key->columns[c]);
                sql_add(&sql, " = NULL");
                word = ", ";
            }
        put_referring(&sql, key);
        code = run(deleting, &sql, &keys, &rc, &changes);
        deleting->counts->removed += changes;
        if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
            code = fail(deleting, rc, key->model);
        if (code == HERO__V1__CODE__FAILED_PRECONDITION && rule == RULE_LINK)
            fault_add(deleting->commit->fault, deleting->paths[list->items[0]->target],
                      "other rows refer to its links");
    }
    return code;
}

static void put_delete(struct sql *sql, const struct model *model)
{
    sql_add(sql, "DELETE FROM ");
    sql_table(sql, model);
    for (size_t i = 0; i < model->n_primary_key; i++)
        sql_column(sql, i > 0 ? ", " : " WHERE (", model->primary_key[i]);
    sql_add(sql, ") IN (");
    for (size_t i = 0; i < model->n_primary_key; i++)
        put_key_column(sql, i > 0 ? ", " : "SELECT ", i);
    sql_add(sql, " FROM _hero_keys(?1))");
}

static Code delete_some(struct deleting *deleting, const struct model *model,
                        struct doomed *const *items, size_t n, int *ret_rc)
{
    struct key_list keys;
    struct sql sql;
    uint32_t changes = 0;
    Code code = doomed_keys(deleting, model, items, n, &keys);
    if (code != HERO__V1__CODE__OK)
        return code;
    commit_sql(deleting->commit, &sql);
    put_delete(&sql, model);
    code = run(deleting, &sql, &keys, ret_rc, &changes);
    deleting->counts->deleted += changes;
    return code;
}

/* Records that refer to each other in a circle, or are RESTRICTed by others
 * that go: one by one, as often as one more goes; what NO ACTION says is
 * looked at in the end. */
static Code delete_patiently(struct deleting *deleting, size_t n_models)
{
    const struct models *models = deleting->commit->models;
    bool progress = true;
    Code code = HERO__V1__CODE__OK;
    size_t left = 1;
    while (progress && left > 0 && code == HERO__V1__CODE__OK) {
        progress = false;
        left = 0;
        for (size_t m = n_models; m-- > 0 && code == HERO__V1__CODE__OK;) {
            struct doomed_list *list = &deleting->lists[m];
            size_t kept = 0;
            for (size_t i = 0; i < list->n && code == HERO__V1__CODE__OK; i++) {
                int rc = SQLITE_DONE;
                code = delete_some(deleting, &models->models[m], &list->items[i], 1, &rc);
                if (rc == SQLITE_DONE)
                    progress = true;
                else if ((rc & 0xff) == SQLITE_CONSTRAINT)
                    list->items[kept++] = list->items[i];
                else
                    code = fail(deleting, rc, &models->models[m]);
            }
            list->n = kept;
            left += kept;
        }
    }
    if (code != HERO__V1__CODE__OK || left == 0)
        return code;
    fault_set(deleting->commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
              "records that RESTRICT each other can't go");
    return fault_add(deleting->commit->fault, deleting->paths[0],
                     "its foreign keys RESTRICT each other in a circle");
}

static Code delete_deferred(struct deleting *deleting, size_t n_models)
{
    struct commit *commit = deleting->commit;
    int open = 0, most = 0;
    Code code = db_run(commit->db, "PRAGMA defer_foreign_keys = ON", commit->fault);
    if (code == HERO__V1__CODE__OK)
        code = delete_patiently(deleting, n_models);
    if (code == HERO__V1__CODE__OK &&
        (sqlite3_db_status(commit->db->handle, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &most, 0) !=
             SQLITE_OK ||
         open != 0)) {
        fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "rows of a table that is not a model refer to what is to be deleted");
        code = fault_add(commit->fault, deleting->paths[0], "%s", commit->fault->message);
    }
    /* Later writes of the batch are to be told at once. */
    struct fault ignored = FAULT_INIT;
    Code off = db_run(commit->db, "PRAGMA defer_foreign_keys = OFF", &ignored);
    fault_done(&ignored);
    return code == HERO__V1__CODE__OK ? off : code;
}

static Code delete_all(struct deleting *deleting)
{
    const struct models *models = deleting->commit->models;
    Code code = HERO__V1__CODE__OK;
    for (size_t m = models->n_models; m-- > 0 && code == HERO__V1__CODE__OK;)
        if (deleting->lists[m].n > 0)
            code = let_go(deleting, &models->models[m]);
    for (size_t m = models->n_models; m-- > 0 && code == HERO__V1__CODE__OK;) {
        struct doomed_list *list = &deleting->lists[m];
        const struct model *model = &models->models[m];
        int rc = SQLITE_DONE;
        if (list->n == 0)
            continue;
        code = delete_some(deleting, model, list->items, list->n, &rc);
        if (code != HERO__V1__CODE__OK || rc == SQLITE_DONE)
            continue;
        if (rc != SQLITE_CONSTRAINT_FOREIGNKEY && rc != SQLITE_CONSTRAINT_TRIGGER)
            return fail(deleting, rc, model);
        code = doomed_blame(deleting, model);
        return code == HERO__V1__CODE__OK ? delete_deferred(deleting, m + 1) : code;
    }
    return code;
}

/* ---- orphans ---- */

/* Nothing refers to it any more by any of the keys that keep it. */
static bool is_orphan(struct deleting *deleting, const struct doomed *doomed)
{
    const struct model *model = doomed->model;
    for (size_t i = 0; i < model->n_referrers; i++)
        if (model->referrers[i]->deletes_orphans &&
            doomed_is_held(deleting, doomed, model->referrers[i]))
            return false;
    return true;
}

/* What was deleted is forgotten; orphans are the next to go. *ret_any: there are some. */
static Code take_orphans(struct deleting *deleting, bool *ret_any)
{
    struct doomed_list maybe = deleting->maybe;
    Code code = HERO__V1__CODE__OK;
    for (size_t m = 0; m < deleting->commit->models->n_models; m++)
        deleting->lists[m].n = deleting->lists[m].n_followed = 0;
    deleting->maybe = (struct doomed_list){NULL, 0, 0, 0};
    *ret_any = false;
    for (size_t i = 0; i < maybe.n && code == HERO__V1__CODE__OK; i++) {
        struct doomed *doomed = maybe.items[i];
        if (!doomed->maybe || !is_orphan(deleting, doomed))
            continue;
        *ret_any = true;
        code = doomed_add(deleting, doomed->model, doomed->key, doomed->target, false);
    }
    return code;
}

/* ---- targets ---- */

static Code add_target(struct deleting *deleting, const struct entity *target, size_t i)
{
    const struct model *model = target->model;
    struct key_value key[KEY_TABLE_MAX_COLUMNS];
    for (size_t c = 0; c < model->n_primary_key; c++)
        key[c] = column_value(model->primary_key[c], target->record, deleting->commit->arena);
    return doomed_add(deleting, model, key, i, false);
}

static Code check_target(struct commit *commit, const struct entity *target, const char *path)
{
    ProtobufCMessage *stored;
    bool found = false;
    Code code = record_fetch(commit, target->model, target->record, &stored, &found, path);
    return code == HERO__V1__CODE__OK && !found
               ? record_not_found(commit, target->model, target->record, path)
               : code;
}

/* One that is not there shows when it is deleted; of several it would not show which. */
static Code check_targets(struct commit *commit, const struct entity *targets,
                          const char *const *paths, size_t n)
{
    for (size_t i = 0; n > 1 && i < n; i++) {
        Code code = check_target(commit, &targets[i], paths[i]);
        if (code != HERO__V1__CODE__OK && code != HERO__V1__CODE__NOT_FOUND)
            return code;
    }
    return commit->fault->code;
}

Code delete_records(struct commit *commit, const struct entity *targets, const char *const *paths,
                    size_t n, struct related_counts *counts)
{
    struct deleting deleting = {.commit = commit, .paths = paths, .counts = counts};
    uint32_t before = counts->deleted;
    bool more = true;
    deleting.lists =
        arena_array(commit->arena, commit->models->n_models + 1, sizeof(*deleting.lists));
    if (!deleting.lists)
        return commit_no_memory(commit);
    Code code = check_targets(commit, targets, paths, n);
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++)
        code = add_target(&deleting, &targets[i], i);
    while (more && code == HERO__V1__CODE__OK) {
        code = doomed_follow(&deleting);
        if (code == HERO__V1__CODE__OK)
            code = delete_all(&deleting);
        if (code == HERO__V1__CODE__OK)
            code = take_orphans(&deleting, &more);
    }
    if (code == HERO__V1__CODE__OK && counts->deleted == before)
        code = record_not_found(commit, targets[0].model, targets[0].record, paths[0]);
    return code;
}

Code delete_orphan(struct commit *commit, const struct entity *entity, const char *path,
                   struct related_counts *counts)
{
    struct deleting deleting = {.commit = commit, .paths = &path, .counts = counts};
    struct key_value key[KEY_TABLE_MAX_COLUMNS];
    const struct doomed doomed = {.model = entity->model, .key = key};
    for (size_t c = 0; c < entity->model->n_primary_key; c++)
        key[c] = column_value(entity->model->primary_key[c], entity->record, commit->arena);
    return is_orphan(&deleting, &doomed) ? delete_records(commit, entity, &path, 1, counts)
                                         : HERO__V1__CODE__OK;
}

/* ---- the request ---- */

Code delete_run(struct commit *commit, const Hero__V1__DeleteRequest *request,
                Hero__V1__Outcome *outcome)
{
    struct related_counts counts = {0};
    size_t n = request->n_targets;
    if (n == 0)
        return fault_add(commit->fault, "targets", "names no record to delete");
    struct entity *targets = arena_array(commit->arena, n, sizeof(*targets));
    const char **paths = arena_array(commit->arena, n, sizeof(*paths));
    if (!targets || !paths)
        return commit_no_memory(commit);
    for (size_t i = 0; i < n; i++) {
        paths[i] = commit_index(commit, "targets", i);
        Code code = commit_in_time(commit);
        if (code == HERO__V1__CODE__OK)
            code = commit_target(commit, request->targets[i], paths[i], &targets[i]);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    Code code = delete_records(commit, targets, paths, n, &counts);
    outcome->has_deleted = 1;
    outcome->deleted = counts.deleted;
    outcome->has_removed = counts.removed > 0;
    outcome->removed = counts.removed;
    return code;
}
