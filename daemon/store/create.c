/*
 * Create: a graph of new and existing records becomes rows and link rows.
 * Knows the order of inserts and the paths of records; single rows are
 * record.c's.
 */
#include <string.h>
#include "column.h"
#include "create_plan.h"
#include "relate.h"

struct create {
    struct commit *commit;
    const Hero__V1__Graph *graph;
    struct entity *entities; /* of the graph's records, in their order */
    struct create_plan plan;
    struct related_counts counts;
    bool keys_written; /* after inserts: records are not as they were inserted */
    Hero__V1__Outcome *outcome;
};

static const char *path_of(struct create *create, size_t i)
{
    return graph_path(create->graph, create->commit->models, i, create->commit->arena);
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

/* The record as it will be when its edges have filled its keys, for looking at
 * what it lacks. */
static const ProtobufCMessage *with_keys(struct create *create, size_t i)
{
    const struct entity *entity = &create->entities[i];
    const struct create_plan *plan = &create->plan;
    ProtobufCMessage *copy = entity->record;
    for (size_t e = plan->first_of_child[i]; e; e = plan->edges[e - 1].next_of_child) {
        const struct foreign_key *key = plan->edges[e - 1].key;
        if (copy == entity->record)
            copy = arena_copy(create->commit->arena, entity->record,
                              entity->model->descriptor->sizeof_message);
        for (size_t c = 0; copy && c < key->n; c++) {
            const ProtobufCFieldDescriptor *field = key->columns[c]->field;
            field_set_present(copy, field, true);
            if (field->type == PROTOBUF_C_TYPE_STRING && !field_present(copy, field))
                *(const char **)field_at(copy, field) = "";
        }
    }
    return copy ? copy : entity->record;
}

static Code check_member(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Record *record = create->graph->records[i];
    const struct entity *entity = &create->entities[i];
    switch (record->member) {
    case HERO__V1__RECORD__MEMBER__NEW:
        return record_check_required(commit, entity->model, with_keys(create, i), "");
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
    return HERO__V1__CODE__OK;
}

/* Every record is looked at before the first is written, so that all that
 * lacks is told at once. */
static Code read_records(struct create *create)
{
    Code code = HERO__V1__CODE__OK, checked = HERO__V1__CODE__OK;
    for (size_t i = 0; i < create->graph->n_records && code == HERO__V1__CODE__OK; i++)
        code = at_record(create, i, read_record);
    if (code == HERO__V1__CODE__OK)
        code = create_plan_edges(&create->plan);
    for (size_t i = 0; i < create->graph->n_records && code == HERO__V1__CODE__OK; i++)
        if (at_record(create, i, check_member) != HERO__V1__CODE__OK)
            checked = create->commit->fault->code;
    return code != HERO__V1__CODE__OK ? code : checked;
}

/* ---- keys that go in with the record ---- */

static Code fail_other_parent(struct create *create, size_t edge)
{
    const struct foreign_key *key = create->plan.edges[edge].key;
    return fault_add(create->commit->fault, create_plan_path(&create->plan, edge),
                     "%s.%s refers to another %s already, by its value or another relationship; "
                     "keep one",
                     key->model->name, foreign_key_text(key, create->commit->arena),
                     key->target->name);
}

/* A column that protobuf can't leave out (proto3) is none while it is zero. */
static bool is_given(const struct column *column, const ProtobufCMessage *record,
                     const struct key_value *value)
{
    if (!record_has(column, record))
        return false;
    if (column->field->label != PROTOBUF_C_LABEL_NONE)
        return true;
    return value->type == SQLITE_INTEGER ? value->integer != 0 : value->len != 0;
}

/* Some columns of a key may be given: they must be what the edge makes them. */
static bool contradicts(struct create *create, const struct foreign_key *key,
                        const ProtobufCMessage *given, const ProtobufCMessage *filled)
{
    for (size_t i = 0; i < key->n; i++) {
        struct key_value is = column_value(key->columns[i], given, create->commit->arena);
        struct key_value shall_be = column_value(key->columns[i], filled, create->commit->arena);
        if (is_given(key->columns[i], given, &is) && !key_value_equal(&is, &shall_be))
            return true;
    }
    return false;
}

/* Both sides may say the same. */
static bool is_counted(const struct create *create, size_t e)
{
    const struct create_plan *plan = &create->plan;
    const struct planned_edge *edge = &plan->edges[e];
    for (size_t i = plan->first_of_child[edge->child]; i; i = plan->edges[i - 1].next_of_child)
        if (plan->edges[i - 1].key == edge->key && plan->edges[i - 1].is_written)
            return true;
    return false;
}

/* Who is not new may have one already. */
static Code make_room(struct create *create, size_t e, struct fault *found)
{
    struct commit *commit = create->commit;
    const struct planned_edge *edge = &create->plan.edges[e];
    const Hero__V1__Record *parent = create->graph->records[edge->parent];
    if (!edge->key->is_unique || edge->parent == edge->child ||
        parent->member == HERO__V1__RECORD__MEMBER__NEW)
        return HERO__V1__CODE__OK;
    struct fault *whole = commit->fault;
    commit->fault = found;
    Code code = reference_make_room(commit, edge->key, &create->entities[edge->parent], "",
                                    &create->counts);
    commit->fault = whole;
    return code;
}

static Code fill(struct create *create, size_t e, struct fault *found)
{
    struct commit *commit = create->commit;
    struct planned_edge *edge = &create->plan.edges[e];
    struct entity *child = &create->entities[edge->child];
    const struct entity *parent = &create->entities[edge->parent];
    ProtobufCMessage *filled =
        arena_copy(commit->arena, child->record, child->model->descriptor->sizeof_message);
    if (!filled)
        return commit_no_memory(commit);
    struct fault *whole = commit->fault;
    commit->fault = found;
    Code code = reference_fill(commit, edge->key, filled, parent->record, "");
    commit->fault = whole;
    if (code == HERO__V1__CODE__OK && contradicts(create, edge->key, child->record, filled))
        return fail_other_parent(create, e);
    if (code == HERO__V1__CODE__OK)
        code = make_room(create, e, found);
    if (code != HERO__V1__CODE__OK)
        return code;
    memcpy(child->record, filled, child->model->descriptor->sizeof_message);
    create->counts.added += !is_counted(create, e);
    edge->is_written = true;
    return code;
}

static Code fill_key(struct create *create, size_t e)
{
    const struct planned_edge *edge = &create->plan.edges[e];
    const struct entity *child = &create->entities[edge->child];
    struct fault found = FAULT_INIT;
    if (edge->child == edge->parent ? !reference_can_refer_to(edge->key, child->record)
                                    : !create->plan.inserted[edge->parent])
        return HERO__V1__CODE__OK; /* after both are there */
    Code code = fill(create, e, &found);
    /* A path costs a walk over the graph: only for a fault. */
    if (code != HERO__V1__CODE__OK && found.code != HERO__V1__CODE__OK)
        return relate_blame(create->commit, &found, create_plan_path(&create->plan, e));
    fault_done(&found);
    return code;
}

/* Faults' paths are those of the edges: not under the record. */
static Code fill_keys(struct create *create, size_t i)
{
    const struct create_plan *plan = &create->plan;
    Code code = HERO__V1__CODE__OK;
    for (size_t e = plan->first_of_child[i]; e && code == HERO__V1__CODE__OK;
         e = plan->edges[e - 1].next_of_child)
        code = fill_key(create, e - 1);
    return code;
}

/* ---- records ---- */

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

/* What is there already becomes the record. */
static Code take_stored(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    struct entity *entity = &create->entities[i];
    ProtobufCMessage *stored = NULL;
    bool found = false;
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = find_record(commit, entity, create->graph->records[i]->member, &stored, &found);
    if (code == HERO__V1__CODE__OK && found)
        entity->record = stored;
    else if (code == HERO__V1__CODE__OK &&
             create->graph->records[i]->member == HERO__V1__RECORD__MEMBER__KEY)
        return record_not_found(commit, entity->model, entity->record, "");
    create->plan.inserted[i] = found;
    return code;
}

static Code insert_record(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    struct entity *entity = &create->entities[i];
    Code code = HERO__V1__CODE__OK;
    if (create->graph->records[i]->member == HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE)
        code = record_check_required(commit, entity->model, entity->record, "");
    return code == HERO__V1__CODE__OK ? record_insert(commit, entity->model, &entity->record, "")
                                      : code;
}

static Code write_record(struct create *create, size_t i)
{
    Code code = at_record(create, i, take_stored);
    if (code != HERO__V1__CODE__OK || create->plan.inserted[i])
        return code;
    code = fill_keys(create, i);
    if (code == HERO__V1__CODE__OK)
        code = at_record(create, i, insert_record);
    create->plan.inserted[i] = true;
    return code;
}

/* ---- edges ---- */

static Code write_edge(struct create *create, size_t i)
{
    struct commit *commit = create->commit;
    const Hero__V1__Edge *edge = create->graph->edges[i];
    const struct planned_edge *planned = &create->plan.edges[i];
    ProtobufCMessage *columns = NULL;
    struct fault found = FAULT_INIT, *whole = commit->fault;
    struct pair pair = {.relationship = planned->relationship,
                        .from = &create->entities[planned->from],
                        .to = &create->entities[planned->to],
                        .from_path = "",
                        .to_path = "",
                        .columns_path = "@link"};
    Code code = commit_in_time(commit);
    if (code != HERO__V1__CODE__OK || (planned->is_written && !edge->has_link))
        return code;
    commit->fault = &found;
    if (edge->has_link)
        code = relate_columns(commit, planned->relationship, &edge->link, "@link", &columns);
    pair.columns = columns;
    if (code == HERO__V1__CODE__OK)
        code = relate_add(commit, &pair, &create->counts);
    commit->fault = whole;
    create->keys_written |= planned->key != NULL;
    if (code != HERO__V1__CODE__OK)
        return relate_blame(commit, &found, create_plan_place(&create->plan, i));
    fault_done(&found);
    return code;
}

/* Keys that were written after the inserts, here or by what had to give way. */
static Code read_again(struct create *create, size_t i)
{
    struct entity *entity = &create->entities[i];
    ProtobufCMessage *stored;
    bool found = false;
    if (!create->keys_written || !entity->model->has_parents)
        return HERO__V1__CODE__OK;
    Code code = record_fetch(create->commit, entity->model, entity->record, &stored, &found, "");
    if (code == HERO__V1__CODE__OK && found)
        entity->record = stored;
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
        Code code = read_again(create, i);
        if (code == HERO__V1__CODE__OK)
            code = record_pack(commit, create->entities[i].model, create->entities[i].record,
                               graph->records[i]->ref, &outcome->records[i]);
        if (code == HERO__V1__CODE__OK)
            code = commit_keep(commit, graph->records[i]->ref, &create->entities[i]);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    outcome->n_records = graph->n_records;
    outcome->added = create->counts.added;
    outcome->has_added = outcome->added > 0;
    outcome->removed = create->counts.removed;
    outcome->has_removed = outcome->removed > 0;
    outcome->deleted = create->counts.deleted;
    outcome->has_deleted = outcome->deleted > 0;
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
    create.plan = (struct create_plan){
        .commit = commit,
        .graph = graph,
        .entities = create.entities,
        .inserted = arena_array(commit->arena, graph->n_records, sizeof(bool))};
    if (!create.entities || !create.plan.inserted)
        return commit_no_memory(commit);
    code = read_records(&create);
    if (code == HERO__V1__CODE__OK)
        code = create_plan_order(&create.plan);
    for (size_t i = 0; i < graph->n_records && code == HERO__V1__CODE__OK; i++)
        code = write_record(&create, create.plan.order[i]);
    for (size_t i = 0; i < graph->n_edges && code == HERO__V1__CODE__OK; i++)
        code = write_edge(&create, i);
    return code == HERO__V1__CODE__OK ? answer(&create) : code;
}
