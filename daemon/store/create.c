/*
 * Create: a graph of new and existing records becomes rows and link rows.
 * Knows the order of inserts and the paths of records; single rows are
 * record.c's.
 */
#include <stdlib.h>
#include <string.h>
#include "write.h"

struct create {
    struct commit *commit;
    const Hero__V1__Graph *graph;
    struct entity *entities; /* of the graph's records, in their order */
    struct graph_refs refs;  /* the same by ref */
    size_t *order;           /* positions, referred-to tables first */
    Hero__V1__Outcome *outcome;
};

static const char *path_of(struct create *create, size_t i)
{
    return graph_path(create->graph, i, create->commit->arena);
}

/* What is done with one record; its faults' paths are relative to it. */
typedef Code record_step(struct create *create, size_t i);

/* A record's path costs a walk over the graph: only for one that fails, and
 * as long as its violations are kept. */
static Code at_record(struct create *create, size_t i, record_step *step)
{
    struct fault found = FAULT_INIT, *whole = create->commit->fault;
    create->commit->fault = &found;
    Code code = step(create, i);
    create->commit->fault = whole;
    if (code == HERO__V1__CODE__OK) {
        fault_done(&found);
        return code;
    }
    if (whole->n_violations < FAULT_MAX_VIOLATIONS)
        fault_prefix(&found, path_of(create, i));
    fault_take(whole, &found);
    return code;
}

static Code check_member(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Record *record = create->graph->records[i];
    const struct entity *entity = &create->entities[i];
    switch (record->member) {
    case HERO__V1__RECORD__MEMBER__NEW:
        return record_check_required(commit, entity->model, entity->record, "");
    case HERO__V1__RECORD__MEMBER__KEY:
        return model_check_key(entity->model, entity->record, true, commit->fault);
    case HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE:
        return HERO__V1__CODE__OK;
    case _HERO__V1__RECORD__MEMBER_IS_INT_SIZE:
        break;
    }
    return fault_add(commit->fault, "", "is of an unknown kind of member");
}

static Code read_record(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Record *record = create->graph->records[i];
    struct entity *entity = &create->entities[i];
    entity->model = commit_model(commit, record->model, commit->fault);
    Code code = entity->model ? model_unpack(entity->model, record->value.data, record->value.len,
                                             commit->arena, &entity->record, commit->fault)
                              : commit->fault->code;
    if (code != HERO__V1__CODE__OK) {
        if (commit->fault->n_violations == 0)
            fault_add(commit->fault, "", "%s", commit->fault->message);
        return code;
    }
    if (graph_refs_find(&commit->kept, record->ref))
        return fault_add(commit->fault, "", "ref %u names a record of an earlier mutation",
                         record->ref);
    return graph_refs_add(&create->refs, record->ref, entity) ? HERO__V1__CODE__OK
                                                              : commit_no_memory(commit);
}

/* Every record is looked at before the first is written, so that all that
 * lacks is told at once. */
static Code read_records(struct create *create)
{
    Code code = HERO__V1__CODE__OK, checked = HERO__V1__CODE__OK;
    for (size_t i = 0; i < create->graph->n_records && code == HERO__V1__CODE__OK; i++) {
        code = at_record(create, i, read_record);
        if (code == HERO__V1__CODE__OK && at_record(create, i, check_member) != HERO__V1__CODE__OK)
            checked = create->commit->fault->code;
    }
    return code != HERO__V1__CODE__OK ? code : checked;
}

static int compare_order(const void *a, const void *b, void *arg)
{
    const struct entity *entities = arg;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    unsigned first = entities[left].model->position, second = entities[right].model->position;
    if (first != second)
        return first < second ? -1 : 1;
    return left < right ? -1 : left > right;
}

/* What is there already of a record that need not be new. */
static Code find_record(struct commit *commit, const struct entity *entity,
                        Hero__V1__Record__Member member, ProtobufCMessage **ret_stored,
                        bool *ret_found)
{
    struct unique_key key;
    if (member == HERO__V1__RECORD__MEMBER__KEY)
        return record_fetch(commit, entity->model, entity->record, ret_stored, ret_found, "");
    if (member != HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE)
        return HERO__V1__CODE__OK;
    Code code = unique_key_of(commit, entity->model, entity->record, &key);
    return code == HERO__V1__CODE__OK
               ? record_find(commit, &key, entity->record, ret_stored, ret_found, "")
               : code;
}

static Code write_record(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Record *record = create->graph->records[i];
    struct entity *entity = &create->entities[i];
    ProtobufCMessage *stored = NULL;
    bool found = false;
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = find_record(commit, entity, record->member, &stored, &found);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (found) {
        entity->record = stored;
        return code;
    }
    if (record->member == HERO__V1__RECORD__MEMBER__KEY)
        return record_not_found(commit, entity->model, entity->record, "");
    if (record->member == HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE)
        code = record_check_required(commit, entity->model, entity->record, "");
    return code == HERO__V1__CODE__OK ? record_insert(commit, entity->model, &entity->record, "")
                                      : code;
}

/* "teams", "teams[0].heroes": the relationship as the writer of the graph sees it. */
static const char *path_of_edge(struct create *create, const struct entity *from,
                                const Hero__V1__Edge *edge)
{
    return commit_path(create->commit, path_of(create, (size_t)(from - create->entities)),
                       edge->relationship);
}

static Code write_edge(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Edge *edge = create->graph->edges[i];
    const struct entity *from = graph_refs_find(&create->refs, edge->from);
    const struct entity *to = graph_refs_find(&create->refs, edge->to);
    const struct relationship *relationship = model_relationship(from->model, edge->relationship);
    bool added = false;
    if (!relationship)
        return fault_add(commit->fault, path_of_edge(create, from, edge),
                         "%s has no relationship called %s", from->model->name, edge->relationship);
    if (relationship->target != to->model)
        return fault_add(commit->fault, path_of_edge(create, from, edge),
                         "%s.%s relates to %s, not to %s", from->model->name, relationship->name,
                         relationship->target->name, to->model->name);
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = link_add(commit, relationship, from, "", to, "", &added);
    if (code != HERO__V1__CODE__OK && code != HERO__V1__CODE__DEADLINE_EXCEEDED)
        fault_prefix(commit->fault, path_of_edge(create, from, edge));
    create->outcome->added += added;
    return code;
}

static Code answer(struct create *create)
{
    struct commit *commit = create->commit;
    const Hero__V1__Graph *graph = create->graph;
    Hero__V1__Outcome *outcome = create->outcome;
    outcome->records = arena_array(commit->arena, graph->n_records, sizeof(*outcome->records));
    if (!outcome->records)
        return commit_no_memory(commit);
    for (size_t i = 0; i < graph->n_records; i++) {
        Code code = record_pack(commit, create->entities[i].model, create->entities[i].record,
                                graph->records[i]->ref, &outcome->records[i]);
        if (code == HERO__V1__CODE__OK)
            code = commit_keep(commit, graph->records[i]->ref, &create->entities[i]);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    outcome->n_records = graph->n_records;
    outcome->has_added = outcome->added > 0;
    return HERO__V1__CODE__OK;
}

Code create_run(struct commit *commit, const Hero__V1__Graph *graph, Hero__V1__Outcome *outcome)
{
    struct create create = {.commit = commit, .graph = graph, .outcome = outcome};
    if (!graph || graph->n_records == 0)
        return fault_add(commit->fault, "graph", "holds no record to create");
    Code code = graph_check(graph, commit->arena, commit->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    create.entities = arena_array(commit->arena, graph->n_records, sizeof(*create.entities));
    create.order = arena_array(commit->arena, graph->n_records, sizeof(*create.order));
    if (!create.entities || !create.order)
        return commit_no_memory(commit);
    graph_refs_init(&create.refs, commit->arena);
    code = read_records(&create);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < graph->n_records; i++)
        create.order[i] = i;
    qsort_r(create.order, graph->n_records, sizeof(*create.order), compare_order, create.entities);
    for (size_t i = 0; i < graph->n_records && code == HERO__V1__CODE__OK; i++)
        code = at_record(&create, create.order[i], write_record);
    for (size_t i = 0; i < graph->n_edges && code == HERO__V1__CODE__OK; i++)
        code = write_edge(&create, i);
    return code == HERO__V1__CODE__OK ? answer(&create) : code;
}
