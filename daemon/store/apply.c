/*
 * Changes of the models: the plan (DDL, adoption), its execution in one
 * transaction, and the set that is loaded at the start.
 *
 * Runs on the writer's connection, outside of batches. What makes a set
 * faulty or a change forbidden is the models' own knowledge (model.h).
 */
#include <string.h>
#include "adopt.h"
#include "internal.h"
#include "meta.h"
#include "model_change.h"

/* All that a change does, as it is planned. */
struct change_plan {
    struct arena *arena;
    char **ddl;
    size_t n_ddl;
    char **adopted;
    size_t n_adopted;
    const char **names; /* of tables and indexes to be made */
    const char **makers;
    size_t n_names;
};

static Code exhausted(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory left for the plan");
}

static bool plan_init(struct change_plan *plan, const struct models *models, struct arena *arena)
{
    size_t n = 0;
    for (size_t i = 0; i < models->n_models; i++)
        n += models->models[i].n_columns + models->models[i].n_foreign_keys +
             models->models[i].n_indexes + 1; /* a table, its indexes */
    memset(plan, 0, sizeof(*plan));
    plan->arena = arena;
    plan->ddl = arena_array(arena, n + 1, sizeof(*plan->ddl));
    plan->names = arena_array(arena, n + 1, sizeof(*plan->names));
    plan->makers = arena_array(arena, n + 1, sizeof(*plan->makers));
    plan->adopted = arena_array(arena, models->n_models + 1, sizeof(*plan->adopted));
    return plan->ddl && plan->names && plan->makers && plan->adopted;
}

/* One statement more. Two new things of one name would fail half-way: say it before. */
static Code plan_statement(struct change_plan *plan, const struct model *model, const char *name,
                           const char *sql, struct fault *fault)
{
    if (!sql)
        return exhausted(fault);
    for (size_t i = 0; i < plan->n_names; i++) {
        if (sqlite3_stricmp(plan->names[i], name) != 0)
            continue;
        const char *path = arena_printf(plan->arena, "%s:%s", model->file, model->name);
        fault_add(fault, path ? path : "",
                  "%s would be the name of two tables or indexes; "
                  "the other is %s's: give one of the tables or columns another name",
                  name, plan->makers[i]);
        return fault->code;
    }
    plan->names[plan->n_names] = name;
    plan->makers[plan->n_names++] = model->name;
    plan->ddl[plan->n_ddl++] = (char *)(uintptr_t)sql;
    return HERO__V1__CODE__OK;
}

static Code plan_table(struct change_plan *plan, const struct table_plan *table, bool served,
                       struct fault *fault)
{
    const struct model *model = table->model;
    Code code = HERO__V1__CODE__OK;
    if (!table->exists)
        code = plan_statement(plan, model, model->table, ddl_table(model, plan->arena), fault);
    else if (!served)
        plan->adopted[plan->n_adopted++] = (char *)(uintptr_t)model->table;
    for (size_t i = 0; i < table->n_indexes && code == HERO__V1__CODE__OK; i++)
        code = plan_statement(plan, model, table->indexes[i]->name, table->indexes[i]->sql, fault);
    return code;
}

static bool is_served(const struct models *served, const char *name)
{
    for (size_t i = 0; i < served->n_models; i++) {
        if (strcmp(served->models[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Differences of all tables are collected before any of them refuses the set. */
static Code plan_change(struct db *db, struct change_plan *plan, const struct models *served,
                        const struct models *models, struct fault *fault)
{
    Code worst = HERO__V1__CODE__OK;
    for (size_t i = 0; i < models->n_models; i++) {
        const struct model *model = &models->models[i];
        struct table_plan table;
        Code code = adopt_plan(db, model, plan->arena, &table, fault);
        if (code == HERO__V1__CODE__OK)
            code = plan_table(plan, &table, is_served(served, model->name), fault);
        if (code == HERO__V1__CODE__OK)
            continue;
        worst = code;
        if (fault->n_violations == 0) /* not about the table: the database itself failed */
            return code;
    }
    if (worst != HERO__V1__CODE__OK && fault->n_violations + fault->n_dropped > 1)
        fault_set(fault, fault->code,
                  "%zu differences between the models and the tables there are; the first: %s: %s",
                  fault->n_violations + fault->n_dropped, fault->violations[0].path,
                  fault->violations[0].description);
    return worst;
}

/* ---- execution ---- */

static Code begin(struct db *db, bool validate_only, struct fault *fault)
{
    return db_run(db, validate_only ? "BEGIN" : "BEGIN IMMEDIATE", fault);
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

static Code execute(struct store *store, const struct change_plan *plan,
                    const struct models *models, const char *author, struct fault *fault)
{
    struct db *db = &store->write_db;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < plan->n_ddl && code == HERO__V1__CODE__OK; i++)
        code = db_run(db, plan->ddl[i], fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_write_set(db, models, author, fault);
    uint64_t number = atomic_load(&store->commit_number) + 1;
    if (code == HERO__V1__CODE__OK)
        code = meta_put(db, "commit_number", (int64_t)number, fault);
    if (code == HERO__V1__CODE__OK)
        code = commit(store, fault);
    if (code == HERO__V1__CODE__OK)
        atomic_store(&store->commit_number, number);
    return code;
}

static Code answer(struct store_change *change, const struct change_plan *plan,
                   const struct models *models, uint64_t version)
{
    Hero__V1__ApplyModelsResponse *applied = &change->applied;
    hero__v1__apply_models_response__init(applied);
    applied->warnings = arena_array(change->arena, models->n_warnings, sizeof(char *));
    if (models->n_warnings > 0 && !applied->warnings)
        return exhausted(&change->fault);
    for (size_t i = 0; i < models->n_warnings; i++) {
        applied->warnings[i] = arena_strdup(change->arena, models->warnings[i]);
        if (!applied->warnings[i])
            return exhausted(&change->fault);
    }
    applied->n_warnings = models->n_warnings;
    applied->ddl = plan->ddl;
    applied->n_ddl = plan->n_ddl;
    applied->adopted = plan->adopted;
    applied->n_adopted = plan->n_adopted;
    applied->has_models_version = true;
    applied->models_version = version;
    return HERO__V1__CODE__OK;
}

/* The names in the answer are the models', which may go before it is sent. */
static Code keep_names(struct change_plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < plan->n_adopted; i++) {
        plan->adopted[i] = arena_strdup(plan->arena, plan->adopted[i]);
        if (!plan->adopted[i])
            return exhausted(fault);
    }
    return HERO__V1__CODE__OK;
}

/* From what is served to `models`, whole or not at all. */
static Code change_models(struct store *store, struct store_change *change,
                          const struct models *served, struct models *models)
{
    struct db *db = &store->write_db;
    struct fault *fault = &change->fault;
    struct change_plan plan;
    if (!plan_init(&plan, models, change->arena))
        return exhausted(fault);

    Code code = begin(db, change->validate_only, fault);
    if (code == HERO__V1__CODE__OK && change->kind == STORE_APPLY)
        code = plan_change(db, &plan, served, models, fault);
    if (code == HERO__V1__CODE__OK)
        code = keep_names(&plan, fault);
    models->version = meta_next_version(served->version);
    /* The answer needs memory: what cannot be told is not done. */
    if (code == HERO__V1__CODE__OK)
        code = answer(change, &plan, models,
                      change->validate_only ? served->version : models->version);
    if (code == HERO__V1__CODE__OK && !change->validate_only)
        code = execute(store, &plan, models, change->author, fault);
    if (db_code_is_full(db->last_error) && code != HERO__V1__CODE__OK)
        atomic_store(&store->disk_full, true);
    if (db_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    if (code == HERO__V1__CODE__OK && !change->validate_only) {
        atomic_store(&store->disk_full, false);
        db_forget_statements(db);
        atomic_fetch_add(&store->generation, 1);
        store_set_models(store, models_ref(models));
    }
    return code;
}

/* Each way in which the set says otherwise of what is served. */
static Code check_changes(const struct models *served, const struct models *models,
                          struct arena *arena, struct fault *fault)
{
    for (size_t i = 0; i < models->n_models; i++) {
        const struct model *is = &models->models[i], *was = model_ancestor(served, is);
        struct model_changes changes = {0};
        if (was && !model_changes(was, is, arena, &changes))
            return exhausted(fault);
        for (size_t c = 0; c < changes.n; c++) {
            const struct model_change *change = &changes.changes[c];
            const char *path =
                arena_printf(arena, "%s:%s%s%s", is->file, is->name, change->field ? "." : "",
                             change->field ? change->field : "");
            fault_add(fault, path ? path : "", "%s", change->text);
        }
    }
    if (fault->n_violations == 0)
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the set changes models that are served, which this version can't do: %zu "
                     "change%s",
                     fault->n_violations + fault->n_dropped,
                     fault->n_violations + fault->n_dropped == 1 ? "" : "s");
}

static Code apply(struct store *store, struct store_change *change, const struct models *served)
{
    struct models *models = NULL;
    bool changed = false;
    Code code = models_merge(served, change->descriptor_set, change->descriptor_set_len, &models,
                             &changed, &change->fault);
    if (code == HERO__V1__CODE__OK && changed)
        code = check_changes(served, models, change->arena, &change->fault);
    if (code == HERO__V1__CODE__OK && changed) {
        code = change_models(store, change, served, models);
    } else if (code == HERO__V1__CODE__OK) {
        struct change_plan nothing = {.arena = change->arena};
        code = answer(change, &nothing, models ? models : served, served->version);
    }
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

void apply_change(struct store *store, struct store_change *change)
{
    struct models *served = store_models(store);
    store->write_db.echo = change->echo;
    store->write_db.last_error = SQLITE_OK;
    Code code = change->kind == STORE_APPLY ? apply(store, change, served)
                                            : remove_models(store, change, served);
    if (code != HERO__V1__CODE__OK && change->fault.code != code)
        fault_set(&change->fault, code, "the models could not be changed");
    store->write_db.echo = NULL;
    models_unref(served);
}

/* ---- at the start ---- */

/* Every table is what its model says; plain indexes may be missing. */
static Code check_tables(struct store *store, const struct models *models, struct arena *arena,
                         struct fault *fault)
{
    struct fault all = FAULT_INIT;
    Code worst = HERO__V1__CODE__OK;
    for (size_t i = 0; i < models->n_models; i++) {
        const struct model *model = &models->models[i];
        struct table_plan table = {.exists = true};
        Code code = adopt_plan(&store->write_db, model, arena, &table, &all);
        if (code == HERO__V1__CODE__OK && !table.exists) {
            fault_add(&all, model->name, "table %s is missing", model->table);
            code = fault_set(&all, HERO__V1__CODE__FAILED_PRECONDITION, "a table is missing");
        }
        if (code != HERO__V1__CODE__OK)
            worst = code;
    }
    if (worst != HERO__V1__CODE__OK && all.n_violations > 0) {
        size_t more = all.n_violations + all.n_dropped - 1;
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "the tables are not those of the models: %s%s (%zu more); undo what was done to "
                  "them with other tools",
                  all.violations[0].description, more > 0 ? " ..." : "", more);
    } else if (worst != HERO__V1__CODE__OK) {
        fault_set(fault, worst, "%s", all.message ? all.message : "reading the schema");
    }
    fault_done(&all);
    return worst;
}

static Code load(struct store *store, struct arena *arena, struct models **ret_models,
                 struct fault *fault)
{
    struct db *db = &store->write_db;
    ProtobufCBinaryData set = {0, NULL};
    uint64_t version = 0;
    int64_t commit_number = 0;
    struct models *models = NULL;

    Code code = meta_create(db, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_get(db, "commit_number", &commit_number, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_read_set(db, arena, &set, &version, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (models_new(set.data, set.len, &models, fault) != HERO__V1__CODE__OK)
        return fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                         "the stored models (version %llu) cannot be read",
                         (unsigned long long)version);
    models->version = version;
    code = check_tables(store, models, arena, fault);
    if (code != HERO__V1__CODE__OK) {
        models_unref(models);
        return code;
    }
    atomic_store(&store->commit_number, (uint64_t)commit_number);
    *ret_models = models;
    return code;
}

Code apply_load(struct store *store, enum store_trouble *ret_trouble, struct fault *fault)
{
    struct arena arena;
    struct models *models = NULL;
    arena_init(&arena, SCHEMA_ARENA_BYTES);
    store->write_db.last_error = SQLITE_OK;
    Code code = load(store, &arena, &models, fault);
    if (code == HERO__V1__CODE__OK)
        store_set_models(store, models);
    else if (store->write_db.last_error != SQLITE_OK)
        *ret_trouble = store_trouble_of(store->write_db.last_error);
    else if (code == HERO__V1__CODE__DATA_LOSS)
        *ret_trouble = STORE_TROUBLE_CORRUPT;
    else
        *ret_trouble = STORE_TROUBLE_OPEN;
    arena_done(&arena);
    return code;
}
