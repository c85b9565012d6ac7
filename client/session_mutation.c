/*
 * The mutations of a commit: one create of the whole graph, an update per
 * changed record with the fields that changed, links, unlinks and deletes as
 * they were asked for, neighbours of one kind together. The graph is whole
 * when this begins.
 */
#include <string.h>
#include "session_plan.h"

static Code add_mutation(struct session_plan *plan, Hero__V1__Mutation__OpCase kind,
                         const ProtobufCMessage *record, Hero__V1__Mutation **ret_mutation,
                         struct fault *fault)
{
    Hero__V1__CommitRequest *request = &plan->request;
    size_t n = request->n_mutations;
    struct plan_whose *whose = arena_alloc(&plan->arena, sizeof(*whose));
    Hero__V1__Mutation *mutation = arena_alloc(&plan->arena, sizeof(*mutation));
    void *mutations = session_grow(&plan->arena, request->mutations, n, &plan->mutations_size);
    void *all = session_grow(&plan->arena, plan->whose, n, &plan->whose_size);

    if (!whose || !mutation || !mutations || !all)
        return plan_no_memory(plan, fault);
    hero__v1__mutation__init(mutation);
    mutation->op_case = kind;
    whose->record = record;
    plan->whose = all;
    plan->whose[n] = whose;
    request->mutations = mutations;
    request->mutations[request->n_mutations++] = mutation;
    *ret_mutation = mutation;
    return HERO__V1__CODE__OK;
}

/* A created record by its ref, a stored one by its key. */
static Code target_of(struct session_plan *plan, const struct session_record *record,
                      const ProtobufCMessage *message, Hero__V1__Target **ret_target,
                      struct fault *fault)
{
    const struct graph_member *member = graph_build_find(&plan->build, message);
    Hero__V1__Target *target = arena_alloc(&plan->arena, sizeof(*target));
    const struct binding *binding;
    Code code = HERO__V1__CODE__OK;

    if (!target)
        return plan_no_memory(plan, fault);
    hero__v1__target__init(target);
    *ret_target = target;
    if (member && member->wire.member != HERO__V1__RECORD__MEMBER__KEY) {
        target->has_ref = 1;
        target->ref = member->wire.ref;
        return HERO__V1__CODE__OK;
    }
    code = bindings_find(plan->bindings, message->descriptor, &binding, fault);
    if (code)
        return code;
    target->model = (char *)(uintptr_t)binding->model->name;
    target->has_key = 1;
    if (record && record->key.data)
        target->key = record->key;
    else
        code = graph_struct_pack(binding, message, true, &plan->arena, &target->key, fault);
    return code;
}

/* All columns of a struct, whatever of them is sent. */
static Code pack_whole(struct session_plan *plan, const ProtobufCMessage *record,
                       const struct binding *binding, ProtobufCBinaryData *ret_bytes,
                       struct fault *fault)
{
    Code code = graph_struct_pack(binding, record, false, &plan->arena, ret_bytes, fault);

    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        session_blame_record(plan, record, fault);
    return code;
}

Code session_plan_create(struct session_plan *plan, struct fault *fault)
{
    Hero__V1__Mutation *mutation;
    Code code;

    if (!plan->build.n_members)
        return HERO__V1__CODE__OK;
    code = graph_build_finish(&plan->build, &plan->graph, fault);
    if (code)
        session_blame_graph(plan, fault);
    else
        code = add_mutation(plan, HERO__V1__MUTATION__OP_CREATE, NULL, &mutation, fault);
    if (code)
        return code;
    mutation->create = arena_alloc(&plan->arena, sizeof(*mutation->create));
    plan->sent = arena_array(&plan->arena, plan->build.n_members, sizeof(*plan->sent));
    if (!mutation->create || !plan->sent)
        return plan_no_memory(plan, fault);
    hero__v1__create_request__init(mutation->create);
    mutation->create->graph = plan->graph;
    for (size_t i = 0; !code && i < plan->build.n_members; i++) {
        const struct graph_member *member = plan->build.members[i];

        if (member->wire.member != HERO__V1__RECORD__MEMBER__KEY)
            plan->sent[i] = member->wire.value;
        else
            code = pack_whole(plan, member->record, member->binding, &plan->sent[i], fault);
    }
    return code;
}

/* ---- updates ---- */

static Code blame_key(const struct session_record *record, const struct binding *binding,
                      const ProtobufCMessage *base, struct arena *arena, struct fault *fault)
{
    const char *key = session_key_text(binding, base, arena);

    return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                     "the key of %s(%s) was changed; a stored record keeps its key",
                     record->descriptor->name, key ? key : "?");
}

/* The fields that differ from the snapshot; what doesn't is cleared in *changed. */
static Code compare(struct session_plan *plan, const struct session_record *record,
                    const struct binding *binding, ProtobufCMessage *changed,
                    Hero__V1__UpdateRequest *request, struct fault *fault)
{
    const ProtobufCMessageDescriptor *columns = binding->columns;
    ProtobufCMessage *base;
    Code code = session_snapshot(record, binding, &plan->arena, &base, fault);

    if (code)
        return code;
    request->update_mask = arena_array(&plan->arena, columns->n_fields, sizeof(char *));
    if (!request->update_mask)
        return plan_no_memory(plan, fault);
    for (unsigned i = 0; i < columns->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &columns->fields[i];
        const struct column *column = model_column_by_number(binding->model, field->id);

        if (session_value_equal(record->message, base, field)) {
            if (field->label != PROTOBUF_C_LABEL_REQUIRED)
                field_set_present(changed, field, false);
        } else if (column->primary_key) {
            return blame_key(record, binding, base, &plan->arena, fault);
        } else {
            request->update_mask[request->n_update_mask++] = (char *)(uintptr_t)column->field_name;
        }
    }
    return HERO__V1__CODE__OK;
}

static Code add_update(struct session_plan *plan, struct session_record *record,
                       const struct binding *binding, ProtobufCBinaryData sent, struct fault *fault)
{
    ProtobufCMessage *changed =
        arena_copy(&plan->arena, record->message, record->descriptor->sizeof_message);
    Hero__V1__UpdateRequest *request = arena_alloc(&plan->arena, sizeof(*request));
    Hero__V1__Mutation *mutation;
    struct plan_update *update;
    Code code;

    if (!changed || !request)
        return plan_no_memory(plan, fault);
    hero__v1__update_request__init(request);
    code = compare(plan, record, binding, changed, request, fault);
    if (code || !request->n_update_mask)
        return code;
    request->has_value = 1;
    code = graph_struct_pack(binding, changed, false, &plan->arena, &request->value, fault);
    if (!code)
        code = target_of(plan, record, record->message, &request->target, fault);
    if (!code)
        code = add_mutation(plan, HERO__V1__MUTATION__OP_UPDATE, record->message, &mutation, fault);
    if (code)
        return code;
    mutation->update = request;
    if (!PLAN_APPEND(plan, updates, update))
        return plan_no_memory(plan, fault);
    *update = (struct plan_update){record, binding, sent, plan->request.n_mutations - 1};
    return HERO__V1__CODE__OK;
}

Code session_plan_updates(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < session->n_records; i++) {
        struct session_record *record = session->records[i];
        const struct binding *binding;
        ProtobufCBinaryData sent;
        Code code;

        if (record->state != RECORD_STORED || record->deleting)
            continue;
        code = bindings_find(plan->bindings, record->descriptor, &binding, fault);
        if (!code)
            code = pack_whole(plan, record->message, binding, &sent, fault);
        if (!code && (sent.len != record->snapshot.len ||
                      memcmp(sent.data, record->snapshot.data, sent.len)))
            code = add_update(plan, record, binding, sent, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* ---- links, unlinks and deletes ---- */

/* The last mutation, where it can take one target more; NULL: a new one is needed. */
static Hero__V1__Mutation *last(struct session_plan *plan, Hero__V1__Mutation__OpCase kind,
                                const ProtobufCMessage *record)
{
    Hero__V1__CommitRequest *request = &plan->request;
    size_t n = request->n_mutations;

    if (!n || request->mutations[n - 1]->op_case != kind || plan->whose[n - 1]->record != record)
        return NULL;
    return request->mutations[n - 1];
}

static Code add_target(struct session_plan *plan, Hero__V1__Target ***targets, size_t *n_targets,
                       const struct session_record *record, const ProtobufCMessage *message,
                       struct fault *fault)
{
    struct plan_whose *whose = plan->whose[plan->request.n_mutations - 1];
    size_t size = whose->others_size;
    void *grown = session_grow(&plan->arena, *targets, *n_targets, &size);
    void *others = session_grow(&plan->arena, whose->others, whose->n_others, &whose->others_size);

    if (!grown || !others)
        return plan_no_memory(plan, fault);
    *targets = grown;
    whose->others = others;
    whose->others[whose->n_others++] = message;
    return target_of(plan, record, message, &(*targets)[(*n_targets)++], fault);
}

Code session_plan_columns(struct session_plan *plan, const struct session_op *op,
                          const struct session_pair *pair, ProtobufCBinaryData *ret_columns,
                          struct fault *fault)
{
    const struct binding *binding;
    ProtobufCMessage *copy;
    Code code;

    if (!op->columns)
        return HERO__V1__CODE__OK;
    code = bindings_find(plan->bindings, op->columns->descriptor, &binding, fault);
    if (code)
        return code;
    if (binding->model != pair->relationship->link)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "what a link of %s holds is a %s, not a %s", pair->relationship->name,
                         pair->relationship->link->name, binding->model->name);
    /* Its ends are the linked records, whatever the struct says. */
    copy = arena_copy(&plan->arena, op->columns, op->columns->descriptor->sizeof_message);
    if (!copy)
        return plan_no_memory(plan, fault);
    for (unsigned i = 0; i < binding->key->n_fields; i++)
        field_set_present(copy, &binding->key->fields[i], false);
    return graph_struct_pack(binding, copy, false, &plan->arena, ret_columns, fault);
}

/* Beside the last related record; of one request all links hold something, or none. */
static Code add_columns(struct session_plan *plan, Hero__V1__LinkRequest *request,
                        ProtobufCBinaryData columns, struct fault *fault)
{
    ProtobufCBinaryData *links;

    if (!columns.data)
        return HERO__V1__CODE__OK;
    links = arena_array(&plan->arena, request->n_related, sizeof(*links));
    if (!links)
        return plan_no_memory(plan, fault);
    if (request->n_links)
        memcpy(links, request->links, request->n_links * sizeof(*links));
    links[request->n_related - 1] = columns;
    request->links = links;
    request->n_links = request->n_related;
    return HERO__V1__CODE__OK;
}

static Code add_link(hero_session *session, struct session_plan *plan, bool linked,
                     struct session_record *from, const char *relationship,
                     const ProtobufCMessage *to, ProtobufCBinaryData columns, struct fault *fault)
{
    Hero__V1__Mutation__OpCase kind =
        linked ? HERO__V1__MUTATION__OP_LINK : HERO__V1__MUTATION__OP_UNLINK;
    Hero__V1__Mutation *mutation = last(plan, kind, from->message);
    Hero__V1__LinkRequest *request;
    Code code;

    if (!mutation || strcmp(mutation->link->relationship, relationship) != 0 ||
        (mutation->link->n_links > 0) != (columns.data != NULL)) {
        request = arena_alloc(&plan->arena, sizeof(*request));
        if (!request)
            return plan_no_memory(plan, fault);
        hero__v1__link_request__init(request);
        request->relationship = (char *)(uintptr_t)relationship;
        code = target_of(plan, from, from->message, &request->target, fault);
        if (!code)
            code = add_mutation(plan, kind, from->message, &mutation, fault);
        if (code)
            return code;
        mutation->link = request; /* link and unlink are one member of the union's */
    }
    request = mutation->link;
    code = add_target(plan, &request->related, &request->n_related, session_find(session, to), to,
                      fault);
    return code ? code : add_columns(plan, request, columns, fault);
}

/* A record that changes sides is never without: first what is linked. */
static Code add_changes(hero_session *session, struct session_plan *plan, bool linked,
                        struct fault *fault)
{
    for (size_t i = 0; i < plan->n_changes; i++) {
        const struct plan_change *change = plan->changes[i];
        Code code;

        if (change->linked != linked)
            continue;
        if (change->linked && graph_build_linked(&plan->build, change->from->message,
                                                 change->pair.relationship, change->to))
            continue;
        code =
            add_link(session, plan, change->linked, change->from, change->pair.relationship->name,
                     change->to, (ProtobufCBinaryData){0, NULL}, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

static Code add_delete(struct session_plan *plan, struct session_record *record,
                       struct fault *fault)
{
    Hero__V1__Mutation *mutation = last(plan, HERO__V1__MUTATION__OP_DELETE, NULL);
    Code code;

    if (!mutation) {
        code = add_mutation(plan, HERO__V1__MUTATION__OP_DELETE, NULL, &mutation, fault);
        if (code)
            return code;
        mutation->delete_ = arena_alloc(&plan->arena, sizeof(*mutation->delete_));
        if (!mutation->delete_)
            return plan_no_memory(plan, fault);
        hero__v1__delete_request__init(mutation->delete_);
    }
    return add_target(plan, &mutation->delete_->targets, &mutation->delete_->n_targets, record,
                      record->message, fault);
}

/* Is there, or may there be, a stored record of this struct? */
static bool may_be_stored(const struct session_record *record, const struct binding *binding)
{
    struct graph_member member = {.record = record->message, .binding = binding};

    if (record->state == RECORD_STORED)
        return true;
    return !record->declared && graph_decide_by_key(NULL, &member) != HERO__V1__RECORD__MEMBER__NEW;
}

static Code add_op(hero_session *session, struct session_plan *plan, const struct session_op *op,
                   struct fault *fault)
{
    const struct binding *binding, *to;
    ProtobufCBinaryData columns = {0, NULL};
    struct session_pair pair;
    bool linked;
    Code code;

    if (op->kind == OP_DELETE)
        return add_delete(plan, op->from, fault);
    code = bindings_find(plan->bindings, op->from->descriptor, &binding, fault);
    if (!code)
        code = bindings_find(plan->bindings, op->to->descriptor, &to, fault);
    if (!code)
        code = session_pair_find(binding, op->field->name, &pair, fault);
    if (code)
        return code;
    linked =
        graph_build_linked(&plan->build, op->from->message, pair.relationship, op->to->message);
    if (op->kind == OP_LINK && linked)
        return HERO__V1__CODE__OK; /* it is in the create */
    /* Of a pair with a new end there is nothing to unlink, unless a field of
     * the caller's links it in this very commit. */
    if (op->kind == OP_UNLINK && !linked &&
        !(may_be_stored(op->from, binding) && may_be_stored(op->to, to)))
        return HERO__V1__CODE__OK;
    code = session_plan_columns(plan, op, &pair, &columns, fault);
    return code ? code
                : add_link(session, plan, op->kind == OP_LINK, op->from, pair.relationship->name,
                           op->to->message, columns, fault);
}

Code session_plan_links(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    Code code = add_changes(session, plan, true, fault);

    if (!code)
        code = add_changes(session, plan, false, fault);
    for (size_t i = 0; !code && i < session->n_ops; i++)
        if (!session->ops[i]->dropped)
            code = add_op(session, plan, session->ops[i], fault);
    return code;
}
