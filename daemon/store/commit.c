/*
 * One commit: its mutations in order, its answer, and its identity around
 * them. Runs inside a transaction that the writer began and ends. Knows the
 * order of things; rows are record.c's and link.c's.
 */
#include <stdio.h>
#include <string.h>
#include "scan.h"
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

const char *commit_index(struct commit *commit, const char *name, size_t i)
{
    const char *path = arena_printf(commit->arena, "%s[%zu]", name, i);
    return path ? path : name;
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

/* ---- targets ---- */

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

/* A record that an earlier mutation named by ref. */
struct kept {
    const struct model *model;
    ProtobufCBinaryData key;
};

Code commit_keep(struct commit *commit, uint32_t ref, const struct entity *entity)
{
    struct arena *arena = commit->write->arena;
    Hero__V1__Record *record;
    if (commit->is_last)
        return HERO__V1__CODE__OK;
    struct kept *kept = arena_alloc(arena, sizeof(*kept));
    if (!kept)
        return commit_no_memory(commit);
    Code code = record_pack_key(commit, entity->model, entity->record, &record);
    if (code != HERO__V1__CODE__OK)
        return code;
    kept->model = entity->model;
    kept->key.len = record->value.len;
    kept->key.data = arena_copy(arena, record->value.data, record->value.len);
    if (!kept->key.data || !graph_refs_add(&commit->kept, ref, kept))
        return commit_no_memory(commit);
    return HERO__V1__CODE__OK;
}

static Code find_kept(struct commit *commit, uint32_t ref, struct entity *ret_entity,
                      struct fault *fault)
{
    const struct kept *kept = graph_refs_find(&commit->kept, ref);
    if (!kept)
        return fault_add(fault, "", "ref %u names no record that this commit created before", ref);
    ret_entity->model = kept->model;
    return model_unpack(kept->model, kept->key.data, kept->key.len, commit->arena,
                        &ret_entity->record, fault);
}

static Code read_target(struct commit *commit, const Hero__V1__Target *target,
                        struct entity *ret_entity)
{
    Code code = target->ref != 0 ? find_kept(commit, target->ref, ret_entity, commit->fault)
                                 : read_key(commit, target, ret_entity, commit->fault);
    return code == HERO__V1__CODE__OK && target->has_etag
               ? record_check_etag(commit, ret_entity, target->etag)
               : code;
}

Code commit_target(struct commit *commit, const Hero__V1__Target *target, const char *path,
                   struct entity *ret_entity)
{
    struct fault found = FAULT_INIT, *whole = commit->fault;
    if (!target)
        return fault_add(commit->fault, path, "is missing: name a record by model and key");
    commit->fault = &found;
    Code code = read_target(commit, target, ret_entity);
    commit->fault = whole;
    if (code == HERO__V1__CODE__OK)
        return code;
    fault_prefix(&found, path);
    if (found.n_violations == 0)
        fault_add(&found, path, "%s", found.message);
    fault_take(whole, &found);
    return code;
}

/* ---- mutations in their order ---- */

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
    case HERO__V1__MUTATION__OP_UPSERT:
        return "upsert";
    case HERO__V1__MUTATION__OP_SET_LINKS:
        return "set_links";
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

static Code run_one(struct commit *commit, const Hero__V1__Mutation *mutation)
{
    Hero__V1__Outcome outcome = HERO__V1__OUTCOME__INIT;
    size_t most = commit->write->max_items, n = store_mutation_items(mutation);
    if (most != 0 && n > most)
        return fault_add(commit->fault, "",
                         "names %zu records, edges or targets, at most %zu are taken in one "
                         "mutation: send several",
                         n, most);
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = mutation_run(commit, mutation, &outcome);
    return code == HERO__V1__CODE__OK ? answer_add(commit, &outcome) : code;
}

static size_t count_mutations(const struct store_write *write)
{
    struct scan_rest rest = SCAN_REST(write->packed.data, write->packed.len);
    ProtobufCBinaryData element;
    size_t n = 0;
    if (!write->packed.data)
        return write->n_mutations;
    while (scan_next(&rest, STORE_MUTATIONS_FIELD, &element))
        n++;
    return n;
}

/* NULL: no memory; the bytes were scanned. */
static const Hero__V1__Mutation *take_mutation(struct commit *commit, struct scan_rest *rest,
                                               size_t i)
{
    ProtobufCBinaryData element;
    if (!commit->write->packed.data)
        return commit->write->mutations[i];
    return scan_next(rest, STORE_MUTATIONS_FIELD, &element)
               ? hero__v1__mutation__unpack(arena_allocator(commit->arena), element.len,
                                            element.data)
               : NULL;
}

static Code run_mutations(struct commit *commit, size_t n)
{
    struct store_write *write = commit->write;
    struct scan_rest rest = SCAN_REST(write->packed.data, write->packed.len);
    Code code = answer_begin(commit);
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++) {
        const Hero__V1__Mutation *mutation = take_mutation(commit, &rest, i);
        if (!mutation)
            return commit_no_memory(commit);
        commit->is_last = i + 1 == n;
        code = run_one(commit, mutation);
        if (code != HERO__V1__CODE__OK)
            prefix_paths(commit, mutation, i);
        arena_reset(commit->arena);
    }
    write->answer = (ProtobufCBinaryData){commit->answer.len, commit->answer.bytes};
    return code;
}

static int64_t wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the mutations need beside the answer is theirs, one after the other. */
static Code run_in_scratch(struct commit *commit, size_t n)
{
    struct arena scratch, *whole = commit->write->arena;
    arena_init(&scratch, whole->budget);
    scratch.pool = whole->pool;
    commit->arena = &scratch;
    graph_refs_init(&commit->kept, whole);
    Code code = run_mutations(commit, n);
    arena_done(&scratch);
    return code;
}

Code commit_execute(struct store *store, struct store_write *write)
{
    struct commit commit = {.store = store,
                            .db = &store->write_db,
                            .models = store->models,
                            .write = write,
                            .fault = &write->fault};
    bool keeps = write->identity.seq != 0 && !write->validate_only, answered = false;
    int64_t now = wall_clock_ms();
    size_t n = count_mutations(write);
    Code code = HERO__V1__CODE__OK;
    if (n == 0)
        return fault_add(&write->fault, "mutations", "holds nothing to do");
    if (keeps)
        code = request_begin(store, write, now, &answered);
    write->settled = answered;
    if (code != HERO__V1__CODE__OK || answered)
        return code;
    code = run_in_scratch(&commit, n);
    if (code == HERO__V1__CODE__OK && keeps)
        code = request_keep(store, write, now);
    return code;
}
