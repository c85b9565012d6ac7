/*
 * Owns the way from a descriptor set to `struct models`: drafts, order,
 * columns, keys, relationships; all faults are collected before it gives up.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "names.h"
#include "scan.h"

/* ---- order: a model comes after those that its foreign keys refer to ---- */

struct placing {
    struct builder *builder;
    struct draft **order;
    size_t n_order;
    unsigned depth;
};

static void place_draft(void *context, struct draft *draft)
{
    struct placing *placing = context;
    if (draft->placed || draft->in_progress || placing->depth > MODELS_MAX)
        return; /* a cycle of tables, which SQLite allows: any order will do */
    draft->in_progress = true;
    placing->depth++;
    draft_each_referred(placing->builder, draft, place_draft, placing);
    placing->depth--;
    draft->in_progress = false;
    draft->placed = true;
    placing->order[placing->n_order++] = draft;
}

static struct draft **ordered_drafts(struct builder *builder)
{
    struct placing placing = {.builder = builder};
    placing.order = arena_array(builder->arena, builder->n_drafts + 1, sizeof *placing.order);
    for (size_t i = 0; placing.order && i < builder->n_drafts; i++)
        place_draft(&placing, &builder->drafts[i]);
    return placing.order;
}

/* ---- names that models share ---- */

struct named {
    const char *name;
    const char *path;
    bool is_index;
};

static int compare_named(const void *a, const void *b)
{
    return strcasecmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Indexes and tables share one space of names in SQLite. */
static void check_index_names(struct builder *builder, struct draft *const *order)
{
    const struct models *models = &builder->memory->public;
    size_t n = 0, n_columns = 0;
    for (size_t m = 0; m < models->n_models; m++)
        n_columns += models->models[m].n_columns + models->models[m].n_foreign_keys +
                     models->models[m].n_indexes + 1;
    struct named *names = arena_array(builder->arena, n_columns, sizeof *names);
    for (size_t m = 0; names && m < models->n_models; m++) {
        const struct model *model = &models->models[m];
        names[n++] = (struct named){model->table, order[m]->path, false};
        for (size_t c = 0; c < model->n_columns; c++) {
            const struct column *column = &model->columns[c];
            if (column->index)
                names[n++] =
                    (struct named){name_of_index(builder->arena, model->table, column->name),
                                   order[m]->path, true};
        }
        for (size_t k = 0; k < model->n_indexes; k++)
            names[n++] = (struct named){model->indexes[k].name, order[m]->path, true};
        for (size_t k = 0; k < model->n_foreign_keys; k++)
            if (model->foreign_keys[k].wants_index)
                names[n++] =
                    (struct named){foreign_key_index_name(&model->foreign_keys[k], builder->arena),
                                   order[m]->path, true};
    }
    if (!names || builder->arena->exhausted)
        return;
    qsort(names, n, sizeof *names, compare_named);
    for (size_t i = 1; i < n; i++)
        if (compare_named(&names[i - 1], &names[i]) == 0 &&
            (names[i - 1].is_index || names[i].is_index)) /* twin tables are told already */
            fault_add(
                builder->fault, names[i].path,
                "its table or an index of it would be called %s, as would one of %s; change a "
                "(hero.table).name or (hero.column).name",
                names[i].name, names[i - 1].path);
}

/* ---- building ---- */

static bool start_models(struct builder *builder, struct draft *const *order)
{
    struct models *models = &builder->memory->public;
    models->models = arena_array(builder->arena, builder->n_drafts + 1, sizeof *models->models);
    if (!models->models)
        return false;
    models->n_models = builder->n_drafts;
    for (size_t i = 0; i < builder->n_drafts; i++) {
        struct model *model = &models->models[i];
        model->models = models;
        model->name = order[i]->name;
        model->table = order[i]->table;
        model->renamed_from = order[i]->table_options->renamed_from;
        model->file = order[i]->file->name;
        model->proto = order[i]->message;
        model->position = (unsigned)i;
        order[i]->model = model;
    }
    return true;
}

typedef bool build_step(struct builder *builder, const struct draft *draft, struct model *model);

static bool each_model(struct builder *builder, struct draft *const *order, build_step *step)
{
    struct models *models = &builder->memory->public;
    for (size_t i = 0; i < models->n_models; i++)
        if (!step(builder, order[i], &models->models[i]))
            return false;
    return true;
}

/* Once, and not for every statement. */
static void quote_names(struct builder *builder)
{
    struct models *models = &builder->memory->public;
    for (size_t m = 0; m < models->n_models; m++) {
        struct model *model = &models->models[m];
        model->quoted = name_quoted(builder->arena, model->table);
        for (size_t i = 0; i < model->n_columns; i++)
            model->columns[i].quoted = name_quoted(builder->arena, model->columns[i].name);
    }
}

static bool build(struct builder *builder)
{
    struct models *models = &builder->memory->public;
    if (!drafts_read(builder))
        return false;
    struct draft **order = ordered_drafts(builder);
    if (!order || !start_models(builder, order) || !each_model(builder, order, columns_build) ||
        !each_model(builder, order, foreign_keys_build) ||
        !each_model(builder, order, relationships_build))
        return false;
    for (size_t i = 0; i < models->n_models; i++)
        relationships_check_sides(builder, order[i], &models->models[i]);
    check_index_names(builder, order);
    if (builder->fault->code != HERO__V1__CODE__OK)
        return true;
    if (!referrers_build(builder))
        return false;
    quote_names(builder);
    models->warnings = builder->warnings;
    models->n_warnings = builder->n_warnings;
    return !builder->arena->exhausted;
}

static struct models_memory *new_memory(const uint8_t *descriptor_set, size_t len)
{
    struct models_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return NULL;
    atomic_init(&memory->n_refs, 1);
    arena_init(&memory->arena, MODELS_BUDGET_LEAST + len * MODELS_BUDGET_FACTOR);
    memory->public.descriptor_set = arena_copy(&memory->arena, descriptor_set, len);
    memory->public.descriptor_set_len = len;
    return memory;
}

static Code read_set(struct models_memory *memory, struct fault *fault)
{
    ProtobufCMessage *message;
    Code code = scan_unpack(&google__protobuf__file_descriptor_set__descriptor,
                            memory->public.descriptor_set, memory->public.descriptor_set_len,
                            &scan_limits_descriptor_set, &memory->arena, &message, fault);
    if (code == HERO__V1__CODE__OK)
        memory->set = (FileSet *)message;
    return code;
}

/* A set that was asked for must hold a model; none at all is what a fresh database serves. */
static Code finish(struct builder *builder, bool built, size_t len)
{
    struct fault *fault = builder->fault;
    if (!built || builder->arena->exhausted)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the descriptor set needs more memory than its size allows; split it");
    if (fault->code == HERO__V1__CODE__OK && builder->n_drafts == 0 && len > 0)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "the descriptor set holds no model; add option (hero.table) = {} to the "
                         "messages that shall have a table");
    if (fault->code != HERO__V1__CODE__OK)
        return fault_set(fault, fault->code, "the models have %zu fault%s",
                         fault->n_violations + fault->n_dropped,
                         fault->n_violations + fault->n_dropped == 1 ? "" : "s");
    return HERO__V1__CODE__OK;
}

Code models_new(const uint8_t *descriptor_set, size_t len, struct models **ret_models,
                struct fault *fault)
{
    struct fault unwanted = FAULT_INIT;
    struct models_memory *memory = new_memory(descriptor_set, len);
    if (!fault)
        fault = &unwanted;
    if (!memory || !memory->public.descriptor_set) {
        models_unref(memory ? &memory->public : NULL);
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the models");
    }
    Code code = read_set(memory, fault);
    if (code == HERO__V1__CODE__OK) {
        struct builder builder = {.memory = memory,
                                  .arena = &memory->arena,
                                  .fault = fault,
                                  .options = {&memory->arena, fault}};
        bool built = build(&builder);
        code = finish(&builder, built, len);
    }
    if (code == HERO__V1__CODE__OK)
        *ret_models = &memory->public;
    else
        models_unref(&memory->public);
    fault_done(&unwanted);
    return code;
}
