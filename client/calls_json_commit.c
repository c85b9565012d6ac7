/*
 * A commit as JSON: mutations one after the other, later ones naming records
 * of earlier ones by the name they were given ("as").
 */
#include <string.h>
#include "commit_json.h"

/* ---- mutations ---- */

static Code name_root(struct commit *commit, const json_t *as, const struct model *model,
                      uint32_t ref)
{
    struct named *named;

    if (!as)
        return HERO__V1__CODE__OK;
    if (!json_is_string(as))
        return fault_add(commit->fault, commit->path.text, "\"as\" is no text");
    if (commit_json_find_name(commit, json_string_value(as)))
        return fault_add(commit->fault, commit->path.text,
                         "\"as\": %s is the name of an earlier record", json_string_value(as));
    named = arena_alloc(commit->arena, sizeof(*named));
    if (!named)
        return commit_json_no_memory(commit);
    *named = (struct named){json_string_value(as), model, ref, commit->names};
    commit->names = named;
    return HERO__V1__CODE__OK;
}

static Code read_create(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "record", "as", NULL};
    Hero__V1__CreateRequest *create = arena_alloc(commit->arena, sizeof(*create));
    size_t i = commit->shown->n_roots, before;
    const struct model *model;
    const json_t *record;
    Code code = commit_json_check_members(commit, value, members);

    if (!code && !create)
        code = commit_json_no_memory(commit);
    if (!code)
        code = commit_json_model_of(commit, value, &model);
    record = code ? NULL : commit_json_member_of(commit, value, "record");
    if (!record)
        return code ? code : HERO__V1__CODE__INVALID_ARGUMENT;
    hero__v1__create_request__init(create);
    before = json_path_name(&commit->path, "record");
    code = graph_json_read(model, record, &commit->path, &commit->next_ref, commit->arena,
                           &create->graph, &commit->shown->shown[i], commit->fault);
    json_path_pop(&commit->path, before);
    if (code)
        return code;
    commit->shown->graphs[i] = create->graph;
    mutation->op_case = HERO__V1__MUTATION__OP_CREATE;
    mutation->create = create;
    return name_root(commit, json_object_get(value, "as"), model, create->graph->records[0]->ref);
}

static Code read_conflict(struct commit *commit, const json_t *value,
                          Hero__V1__UpsertRequest *upsert)
{
    static const char *const names[] = {"update", "ignore", "fail"};
    const char *name = json_string_value(value);

    if (!value)
        return HERO__V1__CODE__OK;
    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i])) {
            upsert->has_conflict = 1;
            upsert->conflict = (Hero__V1__UpsertRequest__Conflict)i;
            return HERO__V1__CODE__OK;
        }
    return fault_add(commit->fault, commit->path.text,
                     "\"on_conflict\" is \"update\", \"ignore\" or \"fail\"");
}

static Code read_by(struct commit *commit, const json_t *value, Hero__V1__UpsertRequest *upsert)
{
    if (!value)
        return HERO__V1__CODE__OK;
    if (!json_is_string(value))
        return fault_add(commit->fault, commit->path.text,
                         "\"by\" names fields in one text: \"name\", \"branch,shelf\"");
    return calls_split(commit->arena, json_string_value(value), &upsert->by, &upsert->n_by,
                       commit->fault);
}

static Code read_upsert(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "record", "by", "on_conflict", "as", NULL};
    Hero__V1__UpsertRequest *upsert = arena_alloc(commit->arena, sizeof(*upsert));
    const struct model *model;
    const json_t *record;
    size_t before;
    Code code = commit_json_check_members(commit, value, members);

    if (!code && !upsert)
        code = commit_json_no_memory(commit);
    if (!code)
        code = commit_json_model_of(commit, value, &model);
    record = code ? NULL : commit_json_member_of(commit, value, "record");
    if (!record)
        return code ? code : HERO__V1__CODE__INVALID_ARGUMENT;
    hero__v1__upsert_request__init(upsert);
    mutation->op_case = HERO__V1__MUTATION__OP_UPSERT;
    mutation->upsert = upsert;
    before = json_path_name(&commit->path, "record");
    code = calls_read_upsert(model, record, &commit->path, commit->arena, upsert, commit->fault);
    json_path_pop(&commit->path, before);
    if (!code)
        code = read_by(commit, json_object_get(value, "by"), upsert);
    if (!code)
        code = read_conflict(commit, json_object_get(value, "on_conflict"), upsert);
    upsert->has_ref = 1;
    upsert->ref = commit->next_ref++;
    return code ? code : name_root(commit, json_object_get(value, "as"), model, upsert->ref);
}

static Code read_update(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "key", "set", "etag", NULL};
    Hero__V1__UpdateRequest *update = arena_alloc(commit->arena, sizeof(*update));
    const struct model *model;
    const json_t *set;
    size_t before;
    Code code = commit_json_check_members(commit, value, members);

    if (!code && !update)
        code = commit_json_no_memory(commit);
    if (!code)
        code = commit_json_model_of(commit, value, &model);
    if (code)
        return code;
    hero__v1__update_request__init(update);
    code = commit_json_target_member(commit, model, value, "key", &update->target);
    if (!code)
        code = commit_json_etag(commit, value, update->target);
    set = code ? NULL : commit_json_member_of(commit, value, "set");
    if (!set)
        return code ? code : HERO__V1__CODE__INVALID_ARGUMENT;
    before = json_path_name(&commit->path, "set");
    code = graph_json_read_columns(model, set, &commit->path, commit->arena, &update->value,
                                   &update->update_mask, &update->n_update_mask, commit->fault);
    json_path_pop(&commit->path, before);
    update->has_value = 1;
    mutation->op_case = HERO__V1__MUTATION__OP_UPDATE;
    mutation->update = update;
    return code;
}

static Code read_delete(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "key", "etag", NULL};
    Hero__V1__DeleteRequest *deletion = arena_alloc(commit->arena, sizeof(*deletion));
    Hero__V1__Target **targets = arena_array(commit->arena, 1, sizeof(*targets));
    const struct model *model;
    Code code = commit_json_check_members(commit, value, members);

    if (!code && (!deletion || !targets))
        code = commit_json_no_memory(commit);
    if (!code)
        code = commit_json_model_of(commit, value, &model);
    if (code)
        return code;
    hero__v1__delete_request__init(deletion);
    deletion->targets = targets;
    deletion->n_targets = 1;
    mutation->op_case = HERO__V1__MUTATION__OP_DELETE;
    mutation->delete_ = deletion;
    code = commit_json_target_member(commit, model, value, "key", targets);
    return code ? code : commit_json_etag(commit, value, targets[0]);
}

static const struct {
    const char *name;
    Code (*read)(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation);
} ops[] = {
    {"create", read_create},
    {"upsert", read_upsert},
    {"update", read_update},
    {"delete", read_delete},
    {"link", commit_json_link},
    {"unlink", commit_json_unlink},
    {"set_links", commit_json_set_links},
};

static Code read_mutation(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));

    for (size_t i = 0; json_object_size(value) == 1 && i < sizeof(ops) / sizeof(ops[0]); i++) {
        size_t before;
        Code code;

        if (strcmp(ops[i].name, name))
            continue;
        before = json_path_name(&commit->path, name);
        code = ops[i].read(commit, json_object_get(value, name), mutation);
        json_path_pop(&commit->path, before);
        return code;
    }
    return fault_add(commit->fault, commit->path.text,
                     "expected an object of one member: create, upsert, update, delete, link, "
                     "unlink or set_links");
}

/* ---- the whole ---- */

static Code write_outcome(hero_request *request, hero_result *result, size_t index,
                          json_t **ret_value, struct fault *fault)
{
    const Hero__V1__Outcome *outcome = result->commit->outcomes[index];
    const struct calls_shown *shown = request->how;
    json_t *record = NULL, *value = json_object();
    Code code = HERO__V1__CODE__OK;
    int failed = !value;

    if (shown->graphs[index])
        code = calls_created(request, result, outcome, shown->graphs[index], shown->shown[index],
                             &record, fault);
    else if (outcome->n_records)
        code = graph_json_record(bindings_models(request->bindings), outcome->records[0],
                                 &result->arena, &record, fault);
    if (record)
        failed |= json_object_set_new(value, "record", record);
    if (outcome->has_created)
        failed |= json_object_set_new(value, "created", json_boolean(outcome->created));
    if (outcome->has_added)
        failed |= json_object_set_new(value, "added", json_integer(outcome->added));
    if (outcome->has_removed)
        failed |= json_object_set_new(value, "removed", json_integer(outcome->removed));
    if (outcome->has_kept)
        failed |= json_object_set_new(value, "kept", json_integer(outcome->kept));
    if (outcome->has_deleted)
        failed |= json_object_set_new(value, "deleted", json_integer(outcome->deleted));
    if (!code && outcome->has_etag)
        code = calls_add_set(request, result, outcome, value, fault);
    if (!code && failed)
        code = fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON");
    if (code)
        json_decref(value);
    else
        *ret_value = value;
    return code;
}

static Code read_commit(hero_request *request, hero_result *result, struct fault *fault)
{
    const struct calls_shown *shown = request->how;
    Code code = request_read_commit(request, result, fault);
    json_t *outcomes, *value;

    if (code)
        return code;
    if (result->commit->n_outcomes != shown->n_roots)
        return fault_set(fault, HERO__V1__CODE__INTERNAL,
                         "the daemon's answer holds %zu outcomes of %zu",
                         result->commit->n_outcomes, shown->n_roots);
    outcomes = json_array();
    for (size_t i = 0; !code && i < shown->n_roots; i++) {
        code = write_outcome(request, result, i, &value, fault);
        if (!code && json_array_append_new(outcomes, value))
            code = fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON");
    }
    if (code) {
        json_decref(outcomes);
        return code;
    }
    value = calls_commit(result->commit);
    if (json_object_set_new(value, "outcomes", outcomes)) { /* takes outcomes in any case */
        json_decref(value);
        value = NULL;
    }
    return calls_text(result, value, fault);
}

static void blame(hero_request *request, struct fault *fault)
{
    static const struct calls_name names[] = {
        {".create", ".create.record"},
        {".update.target.etag", ".update.etag"},
        {".delete.targets[0].etag", ".delete.etag"},
        {".update.target", ".update.key"},
        {".update.update_mask", ".update.set"},
        {".update", ".update.set"},
        {".upsert.by", ".upsert.by"},
        {".upsert.model", ".upsert.model"},
        {".upsert.conflict", ".upsert.on_conflict"},
        {".upsert.update_mask", ".upsert.record"},
        {".upsert", ".upsert.record"},
        {".delete.targets[0]", ".delete.key"},
        {".link.target", ".link.key"},
        {".link.related", ".link.to"},
        {".set_links.target", ".set_links.key"},
        {".set_links.related", ".set_links.to"},
        {".unlink.target", ".unlink.key"},
        {".unlink.related", ".unlink.to"},
        {NULL, NULL},
    };

    (void)request;
    calls_blame_mutations(fault, names);
}

static Code read_mutations(struct commit *commit, const json_t *array,
                           Hero__V1__CommitRequest *input)
{
    size_t n = json_array_size(array);
    Hero__V1__Mutation *mutations = arena_array(commit->arena, n + 1, sizeof(*mutations));
    struct calls_shown *shown = arena_alloc(commit->arena, sizeof(*shown));

    if (!json_is_array(array))
        return json_expected(&commit->path, "array", array, commit->fault);
    input->mutations = arena_array(commit->arena, n + 1, sizeof(*input->mutations));
    if (!mutations || !shown || !input->mutations)
        return commit_json_no_memory(commit);
    commit->shown = shown;
    shown->graphs = arena_array(commit->arena, n + 1, sizeof(*shown->graphs));
    shown->shown = arena_array(commit->arena, n + 1, sizeof(*shown->shown));
    if (!shown->graphs || !shown->shown)
        return commit_json_no_memory(commit);
    for (; shown->n_roots < n; shown->n_roots++) {
        size_t i = shown->n_roots, before = json_path_index(&commit->path, i);
        Code code;

        hero__v1__mutation__init(&mutations[i]);
        code = read_mutation(commit, json_array_get(array, i), &mutations[i]);
        json_path_pop(&commit->path, before);
        if (code)
            return code;
        input->mutations[input->n_mutations++] = &mutations[i];
    }
    return HERO__V1__CODE__OK;
}

static Code build_commit(hero_request *request, const void *arguments, struct fault *fault)
{
    struct commit commit = {
        .request = request, .arena = &request->arena, .fault = fault, .next_ref = 1};
    Hero__V1__CommitRequest input = HERO__V1__COMMIT_REQUEST__INIT;
    json_t *array;
    Code code = json_parse(arguments, &array, fault);

    if (code)
        return code;
    code = read_mutations(&commit, array, &input);
    if (!code)
        code = request_pack(request, &input.base, fault);
    json_decref(array);
    request->how = commit.shown;
    request->read = read_commit;
    request->blame = blame;
    return code;
}

static const struct request_kind commit_kind = {"hero.v1.Records/Commit", true, true, build_commit};

hero_result *hero_client_commit_json(hero_client *client, const char *json, hero_error *error)
{
    return request_call(client, &commit_kind, json, error);
}

hero_request *hero_request_commit_json(hero_client *client, const char *json, hero_error *error)
{
    return request_prepare(client, &commit_kind, json, error);
}
