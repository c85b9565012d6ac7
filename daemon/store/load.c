/*
 * What is served from the start: the set that was applied last, checked
 * against the tables that are there.
 *
 * Tables that somebody else changed meanwhile are not served by guesswork:
 * the start ends with what differs. Who wants to go on names those models
 * (without); they are then no longer served, as if they had been removed, and
 * can be applied anew as their tables are now.
 */
#include <stdio.h>
#include <string.h>
#include "adopt.h"
#include "internal.h"
#include "meta.h"

/* Every table is what its model says; plain indexes may be missing. */
static Code check_tables(struct store *store, const struct models *models, struct arena *arena,
                         struct fault *all)
{
    Code worst = HERO__V1__CODE__OK;
    for (size_t i = 0; i < models->n_models; i++) {
        const struct model *model = &models->models[i];
        struct table_plan table = {.exists = true};
        Code code = adopt_plan(&store->write_db, model, arena, &table, all);
        if (code == HERO__V1__CODE__OK && !table.exists) {
            fault_add(all, model->name, "table %s is missing", model->table);
            code = fault_set(all, HERO__V1__CODE__FAILED_PRECONDITION, "a table is missing");
        }
        if (code != HERO__V1__CODE__OK)
            worst = code;
    }
    return worst;
}

static Code tell_differences(Code code, const struct fault *all, struct fault *fault)
{
    if (all->n_violations == 0)
        return fault_set(fault, code, "%s", all->message ? all->message : "reading the schema");
    size_t more = all->n_violations + all->n_dropped - 1;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the tables are not those of the models: %s%s (%zu more); undo what was done "
                     "to them with other tools, or start once with --without MODEL,... and apply "
                     "models that say how they are now",
                     all->violations[0].description, more > 0 ? " ..." : "", more);
}

/* ---- without some ---- */

/* Those of the names that are served; the others went at an earlier start. */
static size_t list_served(const struct models *models, const char *without, struct arena *arena,
                          const char ***ret_names)
{
    char *rest = NULL, *copy = arena_strdup(arena, without);
    const char **names = arena_array(arena, strlen(without) + 1, sizeof(*names));
    size_t n = 0;
    for (char *name = copy && names ? strtok_r(copy, ", ", &rest) : NULL; name;
         name = strtok_r(NULL, ", ", &rest))
        if (models_find(models, name, NULL))
            names[n++] = name;
    *ret_names = names;
    return n;
}

static Code write_less(struct db *db, struct models *less, const char *steps, struct fault *fault)
{
    Code code = db_run(db, "BEGIN IMMEDIATE", fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_write_set(db, less, "--without", steps, fault);
    if (code == HERO__V1__CODE__OK)
        code = db_run(db, "COMMIT", fault);
    if (db_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static Code remove_without(struct store *store, struct models **models, struct arena *arena,
                           struct fault *fault)
{
    const char **names = NULL, *steps = "";
    size_t n =
        store->options.without ? list_served(*models, store->options.without, arena, &names) : 0;
    struct models *less = NULL;
    if (n == 0)
        return HERO__V1__CODE__OK;
    Code code = models_without(*models, names, n, &less, fault);
    if (code != HERO__V1__CODE__OK && fault->n_violations > 0)
        return fault_set(fault, code, "--without %s: %s %s; name it too", store->options.without,
                         fault->violations[0].path, fault->violations[0].description);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < n; i++)
        steps = arena_printf(arena, "%s%sremove model %s", steps, i > 0 ? "\n" : "", names[i]);
    less->version = meta_next_version((*models)->version);
    code = write_less(&store->write_db, less, steps ? steps : "", fault);
    if (code != HERO__V1__CODE__OK) {
        models_unref(less);
        return code;
    }
    models_unref(*models);
    *models = less;
    return code;
}

/* ---- loading ---- */

static Code read_models(struct store *store, struct arena *arena, struct models **ret_models,
                        struct fault *fault)
{
    struct db *db = &store->write_db;
    ProtobufCBinaryData set = {0, NULL};
    uint64_t version = 0;
    int64_t commit_number = 0;
    Code code = meta_create(db, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_get(db, "commit_number", &commit_number, fault);
    if (code == HERO__V1__CODE__OK)
        code = meta_read_set(db, arena, &set, &version, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (models_new(set.data, set.len, ret_models, fault) != HERO__V1__CODE__OK)
        return fault_set(fault, HERO__V1__CODE__DATA_LOSS,
                         "the stored models (version %llu) cannot be read",
                         (unsigned long long)version);
    (*ret_models)->version = version;
    atomic_store(&store->commit_number, (uint64_t)commit_number);
    return code;
}

static Code load(struct store *store, struct arena *arena, struct models **models,
                 struct fault *fault)
{
    struct fault all = FAULT_INIT;
    Code code = read_models(store, arena, models, fault);
    if (code == HERO__V1__CODE__OK)
        code = remove_without(store, models, arena, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = check_tables(store, *models, arena, &all);
    if (code != HERO__V1__CODE__OK)
        code = tell_differences(code, &all, fault);
    fault_done(&all);
    return code;
}

Code apply_load(struct store *store, enum store_trouble *ret_trouble, struct fault *fault)
{
    struct arena arena;
    struct models *models = NULL;
    arena_init(&arena, SCHEMA_ARENA_BYTES);
    store->write_db.last_error = SQLITE_OK;
    Code code = load(store, &arena, &models, fault);
    if (code == HERO__V1__CODE__OK) {
        models->epoch = atomic_load(&store->epoch);
        store_set_models(store, models);
    } else {
        models_unref(models);
        if (store->write_db.last_error != SQLITE_OK)
            *ret_trouble = store_trouble_of(store->write_db.last_error);
        else if (code == HERO__V1__CODE__DATA_LOSS)
            *ret_trouble = STORE_TROUBLE_CORRUPT;
        else
            *ret_trouble = STORE_TROUBLE_OPEN;
    }
    arena_done(&arena);
    return code;
}
