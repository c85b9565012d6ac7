/*
 * One commit: its mutations in order, its answer, and its identity around
 * them. Runs inside a transaction that the writer began and ends. Knows the
 * order of things; rows are record.c's and link.c's.
 */
#include <stdio.h>
#include <string.h>
#include "frame.h"
#include "write.h"

Code commit_no_memory(struct commit *commit)
{
    return fault_set(commit->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the commit needs more memory than one request may take; send it in parts");
}

void commit_sql(struct commit *commit, struct sql *sql)
{
    arena_reset(&commit->store->write_scratch);
    sql_init(sql, &commit->store->write_scratch);
}

const char *commit_path(struct commit *commit, const char *path, const char *field)
{
    if (!*path || !*field)
        return *path ? path : field;
    const char *joined = arena_printf(commit->arena, "%s.%s", path, field);
    return joined ? joined : path;
}

Code commit_in_time(struct commit *commit)
{
    int64_t deadline = commit->write->deadline_ns;
    if (deadline == 0 || monotonic_ns() < deadline)
        return HERO__V1__CODE__OK;
    return fault_set(commit->fault, HERO__V1__CODE__DEADLINE_EXCEEDED,
                     "the deadline passed before the commit was done");
}

static bool same_model(const struct model *a, const struct model *b, struct arena *arena)
{
    size_t len = protobuf_c_message_get_packed_size(&a->proto->base);
    if (len != protobuf_c_message_get_packed_size(&b->proto->base))
        return false;
    uint8_t *first = arena_alloc(arena, len), *second = arena_alloc(arena, len);
    if (!first || !second)
        return false;
    protobuf_c_message_pack(&a->proto->base, first);
    protobuf_c_message_pack(&b->proto->base, second);
    return memcmp(first, second, len) == 0;
}

const struct model *commit_model(struct commit *commit, const char *name, struct fault *fault)
{
    const struct models *made_with = commit->write->models;
    const struct model *model = models_find(commit->models, name, fault);
    if (!model || !made_with || made_with == commit->models)
        return model;
    /* Models were applied or removed while the write waited; most are as they were. */
    const struct model *before = models_find(made_with, name, NULL);
    if (before && strcmp(before->name, model->name) == 0 &&
        same_model(before, model, commit->arena))
        return model;
    fault_set(
        fault, HERO__V1__CODE__FAILED_PRECONDITION,
        "model %s changed while the commit was on its way; fetch the models and send it again",
        model->name);
    return NULL;
}

static Code read_key(struct commit *commit, const Hero__V1__Target *target,
                     struct entity *ret_entity, struct fault *fault)
{
    ret_entity->model = commit_model(commit, target->model, fault);
    if (!ret_entity->model)
        return fault->code;
    Code code = model_unpack(ret_entity->model, target->key.data, target->key.len, commit->arena,
                             &ret_entity->record, fault);
    return code == HERO__V1__CODE__OK
               ? model_check_key(ret_entity->model, ret_entity->record, true, fault)
               : code;
}

Code commit_target(struct commit *commit, const Hero__V1__Target *target, const char *path,
                   struct entity *ret_entity)
{
    struct fault found = FAULT_INIT;
    if (!target)
        return fault_add(commit->fault, path, "is missing: name a record by model and key");
    if (target->ref != 0) {
        const struct entity *entity = graph_refs_find(&commit->refs, target->ref);
        if (!entity)
            return fault_add(commit->fault, path,
                             "ref %u names no record that this commit created before", target->ref);
        *ret_entity = *entity;
        return HERO__V1__CODE__OK;
    }
    Code code = read_key(commit, target, ret_entity, &found);
    if (code == HERO__V1__CODE__OK)
        return code;
    fault_prefix(&found, path);
    if (found.n_violations == 0)
        fault_add(&found, path, "%s", found.message);
    fault_done(commit->fault);
    *commit->fault = found;
    return code;
}

static const char *mutation_name(const Hero__V1__Mutation *mutation)
{
    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        return "create";
    case HERO__V1__MUTATION__OP_UPDATE:
        return "update";
    case HERO__V1__MUTATION__OP_DELETE:
        return "delete";
    case HERO__V1__MUTATION__OP_LINK:
        return "link";
    case HERO__V1__MUTATION__OP_UNLINK:
        return "unlink";
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        break;
    }
    return "";
}

/* A commit of several tells which; a single one is the request itself. */
static void prefix_paths(struct commit *commit, const Hero__V1__Mutation *mutation, size_t i)
{
    char prefix[64];
    if (*commit->write->path_format == '\0')
        return;
    const char *name = mutation_name(mutation);
    snprintf(prefix, sizeof(prefix), "mutations[%zu]%s%s", i, *name ? "." : "", name);
    fault_prefix(commit->fault, prefix);
}

static Code run_mutations(struct commit *commit)
{
    struct store_write *write = commit->write;
    Hero__V1__Outcome *outcomes = arena_array(commit->arena, write->n_mutations, sizeof(*outcomes));
    commit->response.outcomes =
        arena_array(commit->arena, write->n_mutations, sizeof(*commit->response.outcomes));
    if (!outcomes || !commit->response.outcomes)
        return commit_no_memory(commit);
    for (size_t i = 0; i < write->n_mutations; i++) {
        hero__v1__outcome__init(&outcomes[i]);
        commit->response.outcomes[i] = &outcomes[i];
        Code code = commit_in_time(commit);
        if (code == HERO__V1__CODE__OK)
            code = mutation_run(commit, write->mutations[i], &outcomes[i]);
        if (code != HERO__V1__CODE__OK) {
            prefix_paths(commit, write->mutations[i], i);
            return code;
        }
    }
    commit->response.n_outcomes = write->n_mutations;
    commit->response.has_commit = 1;
    commit->response.commit = write->number;
    return HERO__V1__CODE__OK;
}

static Code pack_answer(struct commit *commit)
{
    struct store_write *write = commit->write;
    size_t len = hero__v1__commit_response__get_packed_size(&commit->response);
    if (len + FRAME_OVERHEAD_BYTES > commit->store->options.message_bytes)
        return fault_set(commit->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the answer of %zu bytes is larger than a message may be (%zu); commit "
                         "less at once",
                         len, commit->store->options.message_bytes);
    write->answer.data = arena_alloc(commit->arena, len);
    if (!write->answer.data)
        return commit_no_memory(commit);
    write->answer.len = hero__v1__commit_response__pack(&commit->response, write->answer.data);
    return HERO__V1__CODE__OK;
}

static int64_t wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Code commit_execute(struct store *store, struct store_write *write)
{
    struct commit commit = {.store = store,
                            .db = &store->write_db,
                            .models = store->models,
                            .write = write,
                            .arena = write->arena,
                            .fault = &write->fault,
                            .response = HERO__V1__COMMIT_RESPONSE__INIT};
    int64_t now = wall_clock_ms();
    bool answered = false;
    graph_refs_init(&commit.refs, commit.arena);
    if (write->n_mutations == 0)
        return fault_add(&write->fault, "mutations", "holds nothing to do");
    if (write->identity.seq != 0) {
        Code code = request_begin(store, write, now, &answered);
        if (code != HERO__V1__CODE__OK || answered) {
            write->settled = answered;
            return code;
        }
    }
    Code code = run_mutations(&commit);
    if (code == HERO__V1__CODE__OK)
        code = pack_answer(&commit);
    if (code == HERO__V1__CODE__OK && write->identity.seq != 0)
        code = request_keep(store, write, &commit.response, now);
    return code;
}
