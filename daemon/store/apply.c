/*
 * Changes of the models, carried out: planned (plan.h), then done in one
 * transaction with the set itself, whole or not at all.
 *
 * Runs on the writer's connection, outside of batches: foreign keys are off
 * while tables that are there change, and that can't be switched inside a
 * transaction. What makes a set faulty is the models' own knowledge (model.h).
 */
#include <stdio.h>
#include <string.h>
#include "adopt.h"
#include "frame.h"
#include "meta.h"
#include "plan.h"

static Code exhausted(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory left for the plan");
}

static Code commit(struct store *store, struct fault *fault)
{
    struct db *db = &store->write_db;
    Code code = db_run(db, "COMMIT", fault);
    if (code != HERO__V1__CODE__OK && (db->last_error & 0xff) == SQLITE_IOERR &&
        db->last_error != SQLITE_IOERR_NOMEM && store->options.on_fatal)
        /* The set may be in the file after a restart: no answer is the true one. */
        store->options.on_fatal(store->options.fatal_arg, STORE_TROUBLE_IO,
                                fault->message ? fault->message : "COMMIT failed");
    return code;
}

/* ---- foreign keys, which nobody watched meanwhile ---- */

static Code count_broken(struct db *db, const char *table, uint64_t *sum, struct fault *fault)
{
    sqlite3_stmt *stmt = db_prepare(db, "SELECT count(*) FROM pragma_foreign_key_check(?1)", fault);
    Code code = HERO__V1__CODE__OK;
    if (!stmt)
        return fault->code;
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    int rc = db_step(db, stmt);
    if (rc == SQLITE_ROW)
        *sum += (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        code = db_fault(db, rc, fault, "checking foreign keys");
    db_release(db, stmt);
    return code;
}

/* Rows that refer to nothing, in tables that were there before. */
static Code count_all_broken(struct db *db, const struct plan *plan, bool after, uint64_t *ret_sum,
                             struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;
    *ret_sum = 0;
    for (size_t i = 0; i < plan->models->n_models && code == HERO__V1__CODE__OK; i++) {
        const struct model *is = &plan->models->models[i];
        const struct model *was = model_ancestor(plan->served, is);
        if (was && plan->suspect[i])
            code = count_broken(db, after ? is->table : was->table, ret_sum, fault);
    }
    return code;
}

static Code refuse_broken(uint64_t n, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the change would leave %llu row%s that refer to no row; nothing was changed",
                     (unsigned long long)n, n == 1 ? "" : "s");
}

/* ---- execution ---- */

/* SQLite's refusal of a value is the rows' fault, not the request's. */
static Code explain(Code code, const struct plan_step *step, struct fault *fault)
{
    char text[1024];
    bool of_rows =
        code == HERO__V1__CODE__ALREADY_EXISTS || code == HERO__V1__CODE__INVALID_ARGUMENT;
    snprintf(text, sizeof(text), "%s", fault->message ? fault->message : "");
    return fault_set(fault, of_rows ? HERO__V1__CODE__FAILED_PRECONDITION : code, "to %s: %s",
                     step->wire.what, text);
}

static Code run_steps(struct db *db, const struct plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < plan->n_steps; i++)
        for (size_t s = 0; s < plan->steps[i]->wire.n_sql; s++) {
            Code code = db_run(db, plan->steps[i]->wire.sql[s], fault);
            if (code != HERO__V1__CODE__OK)
                return explain(code, plan->steps[i], fault);
        }
    return HERO__V1__CODE__OK;
}

/* What was planned on the rehearsal must be what is there now. */
static Code check_result(struct db *db, struct plan *plan, struct fault *fault)
{
    struct arena *scratch = &plan->scratch;
    for (size_t i = 0; i < plan->models->n_models; i++) {
        struct table_plan table;
        Code code = adopt_plan(db, &plan->models->models[i], scratch, &table, fault);
        bool is_there = code == HERO__V1__CODE__OK && table.exists;
        arena_reset(scratch);
        if (is_there)
            continue;
        return fault_set(fault, HERO__V1__CODE__INTERNAL,
                         "the change did not come out as planned; nothing was changed");
    }
    return HERO__V1__CODE__OK;
}

static Code change_tables(struct db *db, struct plan *plan, struct fault *fault)
{
    uint64_t before = 0, after = 0;
    Code code = HERO__V1__CODE__OK;
    if (plan->touches_tables)
        code = count_all_broken(db, plan, false, &before, fault);
    if (code == HERO__V1__CODE__OK)
        code = run_steps(db, plan, fault);
    if (code == HERO__V1__CODE__OK && plan->touches_tables)
        code = count_all_broken(db, plan, true, &after, fault);
    if (code == HERO__V1__CODE__OK && after > before)
        code = refuse_broken(after - before, fault);
    if (code == HERO__V1__CODE__OK && plan->touches_tables)
        code = check_result(db, plan, fault);
    return code;
}

static Code execute(struct store *store, struct plan *plan, const char *author, struct fault *fault)
{
    struct db *db = &store->write_db;
    uint64_t number = atomic_load(&store->commit_number) + 1;
    Code code = change_tables(db, plan, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_write_set(db, plan->models, author, plan_summary(plan), fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_put(db, "commit_number", (int64_t)number, fault);
    /* A read that began before and looks at tables after it is refused. */
    if (code == HERO__V1__CODE__OK && plan->touches_tables)
        atomic_fetch_add(&store->epoch, 1);
    if (code == HERO__V1__CODE__OK)
        code = commit(store, fault);
    if (code == HERO__V1__CODE__OK)
        atomic_store(&store->commit_number, number);
    return code;
}

/* ---- the answer ---- */

static bool is_too_large(const struct store *store, const Hero__V1__ApplyModelsResponse *applied)
{
    return hero__v1__apply_models_response__get_packed_size(applied) + FRAME_OVERHEAD_BYTES >
           store->options.message_bytes;
}

/* What was done must be told, if not all of it: SQL goes first, then reasons,
 * then the steps themselves. */
static void shorten(const struct store *store, Hero__V1__ApplyModelsResponse *applied)
{
    static char hint[] = "the plan is larger than a message may be: parts of it are not told; "
                         "herod's --message-limit is what to raise";
    if (!is_too_large(store, applied))
        return;
    applied->warnings[applied->n_warnings++] = hint; /* there is room for one more */
    applied->n_ddl = 0;
    for (size_t i = 0; i < applied->n_steps && is_too_large(store, applied); i++)
        applied->steps[i]->n_sql = 0;
    for (size_t i = 0; i < applied->n_steps && is_too_large(store, applied); i++)
        applied->steps[i]->why = NULL;
    while (applied->n_steps > 0 && is_too_large(store, applied))
        applied->n_steps /= 2;
    while (applied->n_adopted > 0 && is_too_large(store, applied))
        applied->n_adopted /= 2;
}

static Code answer(const struct store *store, struct store_change *change, const struct plan *plan,
                   const struct models *models, uint64_t version)
{
    Hero__V1__ApplyModelsResponse *applied = &change->applied;
    hero__v1__apply_models_response__init(applied);
    size_t n_warnings = models->n_warnings + plan->n_warnings;
    Hero__V1__Step *steps = arena_array(change->arena, plan->n_steps + 1, sizeof(*steps));
    applied->warnings = arena_array(change->arena, n_warnings + 1, sizeof(char *));
    applied->steps = arena_array(change->arena, plan->n_steps + 1, sizeof(*applied->steps));
    if (!applied->warnings || !applied->steps || !steps)
        return exhausted(&change->fault);
    for (size_t i = 0; i < n_warnings; i++) {
        const char *warning =
            i < models->n_warnings ? models->warnings[i] : plan->warnings[i - models->n_warnings];
        applied->warnings[i] = arena_strdup(change->arena, warning);
        if (!applied->warnings[i])
            return exhausted(&change->fault);
    }
    for (size_t i = 0; i < plan->n_steps; i++) { /* the plan's own are yet to be done */
        steps[i] = plan->steps[i]->wire;
        applied->steps[i] = &steps[i];
    }
    applied->n_warnings = n_warnings;
    applied->n_steps = plan->n_steps;
    applied->ddl = plan->ddl;
    applied->n_ddl = plan->n_ddl;
    applied->adopted = plan->adopted;
    applied->n_adopted = plan->n_adopted;
    applied->has_models_version = true;
    applied->models_version = version;
    shorten(store, applied);
    return HERO__V1__CODE__OK;
}

/* ---- changes ---- */

/* Planned in the transaction that carries it out: nothing comes between. */
static Code plan_and_answer(struct store *store, struct db *db, struct store_change *change,
                            const struct models *served, struct models *models, struct plan *plan)
{
    struct fault *fault = &change->fault;
    Code code = plan_init(plan, db, served, models, change->arena, fault);
    if (code == HERO__V1__CODE__OK)
        code = change->kind == STORE_APPLY ? plan_make(plan) : plan_removal(plan);
    if (code == HERO__V1__CODE__OK && !change->validate_only)
        code = plan_check_losses(plan, change->allowed, change->n_allowed);
    models->version = meta_next_version(served->version);
    models->epoch = served->epoch + plan->touches_tables;
    /* The answer needs memory: what cannot be told is not done. */
    if (code == HERO__V1__CODE__OK)
        code = answer(store, change, plan, models,
                      change->validate_only ? served->version : models->version);
    return code;
}

static void end_transaction(struct db *db)
{
    if (db_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    db_forget_statements(db);
}

/* From what is served to `models`, whole or not at all. */
static Code change_models(struct store *store, struct store_change *change,
                          const struct models *served, struct models *models)
{
    struct db *db = &store->write_db;
    struct fault *fault = &change->fault;
    struct plan plan = {0};
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    Code code = db_run(db, "BEGIN IMMEDIATE", fault);
    if (code == HERO__V1__CODE__OK)
        code = plan_and_answer(store, db, change, served, models, &plan);
    if (code == HERO__V1__CODE__OK)
        code = execute(store, &plan, change->author, fault);
    if (db_code_is_full(db->last_error) && code != HERO__V1__CODE__OK)
        atomic_store(&store->disk_full, true);
    plan_done(&plan);
    end_transaction(db);
    if (code == HERO__V1__CODE__OK) {
        atomic_store(&store->disk_full, false);
        atomic_fetch_add(&store->generation, 1);
        store_set_models(store, models_ref(models));
    } else {
        atomic_store(&store->epoch, served->epoch);
    }
    return code;
}

/* The bytes live in the arena, or are the request's. */
static Code given_set(struct db *db, struct store_change *change, ProtobufCBinaryData *ret_set)
{
    ret_set->data = (uint8_t *)(uintptr_t)change->descriptor_set;
    ret_set->len = change->descriptor_set_len;
    return change->set_version == 0
               ? HERO__V1__CODE__OK
               : history_set_back(db, change->set_version, change->arena, ret_set, &change->fault);
}

static Code merged(struct db *db, struct store_change *change, const struct models *served,
                   struct models **ret_models, bool *ret_changed)
{
    ProtobufCBinaryData set = {0, NULL};
    Code code = given_set(db, change, &set);
    if (code == HERO__V1__CODE__OK)
        code = models_merge(served, set.data, set.len, ret_models, ret_changed, &change->fault);
    if (code != HERO__V1__CODE__OK || !*ret_changed || change->expected_version == 0 ||
        change->expected_version == served->version)
        return code;
    return fault_set(&change->fault, HERO__V1__CODE__ABORTED,
                     "the models were changed since that was planned: they are of version %llu, "
                     "the plan was made with %llu; plan again",
                     (unsigned long long)served->version,
                     (unsigned long long)change->expected_version);
}

static Code answer_nothing(const struct store *store, struct store_change *change,
                           const struct models *served, const struct models *models)
{
    struct plan nothing = {.arena = change->arena};
    return answer(store, change, &nothing, models ? models : served, served->version);
}

static Code apply(struct store *store, struct store_change *change, const struct models *served)
{
    struct models *models = NULL;
    bool changed = false;
    Code code = merged(&store->write_db, change, served, &models, &changed);
    if (code == HERO__V1__CODE__OK)
        code = changed ? change_models(store, change, served, models)
                       : answer_nothing(store, change, served, models);
    models_unref(models);
    return code;
}

static Code remove_models(struct store *store, struct store_change *change,
                          const struct models *served)
{
    struct models *models = NULL;
    Code code = models_without(served, change->names, change->n_names, &models, &change->fault);
    if (code == HERO__V1__CODE__OK)
        code = change_models(store, change, served, models);
    models_unref(models);
    return code;
}

static void end_with(struct store_change *change, Code code)
{
    if (code != HERO__V1__CODE__OK && change->fault.code != code)
        fault_set(&change->fault, code, "the models could not be changed");
}

void apply_change(struct store *store, struct store_change *change)
{
    struct models *served = store_models(store);
    store->write_db.echo = change->echo;
    store->write_db.last_error = SQLITE_OK;
    end_with(change, change->kind == STORE_APPLY ? apply(store, change, served)
                                                 : remove_models(store, change, served));
    store->write_db.echo = NULL;
    models_unref(served);
}

/* ---- a plan alone ---- */

void store_plan(struct store *store, struct store_change *change, int64_t deadline_ns)
{
    struct models *served = store_models(store), *models = NULL;
    struct store_read read = {
        .models = served, .arena = change->arena, .deadline_ns = deadline_ns, .echo = change->echo};
    struct plan plan = {0};
    struct db *db = NULL;
    bool changed = false;
    Code code = pool_take(store, &read, &db, &change->fault);
    if (code == HERO__V1__CODE__OK)
        code = merged(db, change, served, &models, &changed);
    if (code == HERO__V1__CODE__OK)
        code = changed ? plan_and_answer(store, db, change, served, models, &plan)
                       : answer_nothing(store, change, served, models);
    plan_done(&plan);
    if (db)
        pool_give(store, db);
    end_with(change, code);
    models_unref(models);
    models_unref(served);
}
