/*
 * What a commit's answer changes in the session: keys, defaults and snapshots
 * of what was created and updated, and the fields of both sides of every
 * link. Compares with what was sent, not with what the structs hold by now: a
 * settled commit may be answered long after.
 */
#include <string.h>
#include "graph.h"
#include "session_plan.h"

struct answering {
    hero_session *session;
    struct session_plan *plan;
    const Hero__V1__CommitResponse *answer;
    struct arena scratch;
    struct fault *fault;
};

static Code not_whole(const struct answering *answering)
{
    return fault_set(answering->fault, HERO__V1__CODE__INTERNAL,
                     "the commit is stored, but the daemon's answer to it is not whole");
}

/* Of a large commit that was repeated the answer keeps only keys: the rest is
 * as it was sent. */
static Code fill_in(struct answering *answering, const struct binding *binding,
                    ProtobufCBinaryData sent, ProtobufCMessage **stored)
{
    ProtobufCMessage *whole;
    Code code = graph_struct_unpack(binding, sent.data, sent.len, &answering->scratch, &whole,
                                    answering->fault);

    for (unsigned i = 0; !code && i < binding->key->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &binding->key->fields[i];

        session_value_copy(whole, *stored, field);
    }
    if (!code)
        *stored = whole;
    return code;
}

/* The values of one record, by what was sent of it and what is stored.
 * wire NULL: it was named by its key; what was not sent is as it is. */
static Code take_values(struct answering *answering, struct session_record *record,
                        const struct binding *binding, ProtobufCBinaryData sent,
                        const Hero__V1__Record *wire)
{
    ProtobufCBinaryData bytes = wire ? wire->value : sent;
    ProtobufCMessage *base, *stored;
    Code code = graph_struct_unpack(binding, sent.data, sent.len, &answering->scratch, &base,
                                    answering->fault);

    if (!code)
        code = graph_struct_unpack(binding, bytes.data, bytes.len, &answering->scratch, &stored,
                                   answering->fault);
    if (!code && wire && answering->answer->keys_only)
        code = fill_in(answering, binding, sent, &stored);
    if (!code)
        code = session_merge(answering->session, record, binding, base, stored, &answering->scratch,
                             answering->fault);
    return code;
}

/* ---- created records ---- */

static Code take_member(struct answering *answering, size_t i, const Hero__V1__Record *wire)
{
    hero_session *session = answering->session;
    const struct graph_member *member = answering->plan->build.members[i];
    ProtobufCMessage *message = (ProtobufCMessage *)(uintptr_t)member->record;
    struct session_record *record = session_find(session, message);

    if (record && record->state == RECORD_STORED)
        return HERO__V1__CODE__OK;
    if (!record)
        record = session_track(session, message, false);
    if (!record)
        return session_no_memory(answering->fault);
    if (member->wire.member == HERO__V1__RECORD__MEMBER__KEY)
        wire = NULL;
    else if (!wire)
        return not_whole(answering);
    return take_values(answering, record, member->binding, answering->plan->sent[i], wire);
}

static Code take_created(struct answering *answering)
{
    const Hero__V1__Outcome *outcome;
    struct graph_refs refs;
    Code code = HERO__V1__CODE__OK;

    if (!answering->plan->graph)
        return HERO__V1__CODE__OK;
    outcome = answering->answer->outcomes[0];
    graph_refs_init(&refs, &answering->scratch);
    for (size_t i = 0; i < outcome->n_records; i++)
        if (!graph_refs_add(&refs, outcome->records[i]->ref, outcome->records[i]))
            return not_whole(answering);
    for (size_t i = 0; !code && i < answering->plan->build.n_members; i++)
        code = take_member(answering, i,
                           graph_refs_find(&refs, answering->plan->build.members[i]->wire.ref));
    return code;
}

static Code take_updated(struct answering *answering)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < answering->plan->n_updates; i++) {
        const struct plan_update *update = answering->plan->updates[i];
        const Hero__V1__Outcome *outcome = answering->answer->outcomes[update->mutation];

        if (!outcome->n_records)
            return not_whole(answering);
        code = take_values(answering, update->record, update->binding, update->sent,
                           outcome->records[0]);
    }
    return code;
}

/* ---- records whose foreign key a link or unlink wrote ---- */

static Code take_keyed(struct answering *answering, const ProtobufCMessageDescriptor *descriptor,
                       const Hero__V1__Record *wire)
{
    struct session_record *record;
    const struct binding *binding;
    ProtobufCMessage *base, *stored;
    ProtobufCBinaryData key;
    Code code = bindings_find(answering->plan->bindings, descriptor, &binding, answering->fault);

    if (code || strcmp(binding->model->name, wire->model ? wire->model : "") != 0)
        return code;
    code = graph_struct_unpack(binding, wire->value.data, wire->value.len, &answering->scratch,
                               &stored, answering->fault);
    if (!code)
        code =
            graph_struct_pack(binding, stored, true, &answering->scratch, &key, answering->fault);
    record = code ? NULL : session_find_key(answering->session, descriptor, key);
    if (!record || record->state != RECORD_STORED)
        return code;
    code = session_snapshot(record, binding, &answering->scratch, &base, answering->fault);
    return code ? code
                : session_merge(answering->session, record, binding, base, stored,
                                &answering->scratch, answering->fault);
}

static Code take_keys(struct answering *answering, size_t mutation)
{
    const struct plan_whose *whose = answering->plan->whose[mutation];
    const Hero__V1__Outcome *outcome = answering->answer->outcomes[mutation];
    const ProtobufCMessageDescriptor *one = whose->record->descriptor;
    const ProtobufCMessageDescriptor *other = whose->n_others ? whose->others[0]->descriptor : one;
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < outcome->n_records; i++) {
        code = take_keyed(answering, one, outcome->records[i]);
        if (!code && other != one)
            code = take_keyed(answering, other, outcome->records[i]);
    }
    return code;
}

/* Of a repeated answer only the keys are there: the next read tells the rest. */
static Code take_all_keys(struct answering *answering)
{
    const Hero__V1__CommitRequest *request = &answering->plan->request;
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && !answering->answer->keys_only && i < request->n_mutations; i++)
        if (request->mutations[i]->op_case == HERO__V1__MUTATION__OP_LINK ||
            request->mutations[i]->op_case == HERO__V1__MUTATION__OP_UNLINK)
            code = take_keys(answering, i);
    return code;
}

/* ---- relationships ---- */

/* Arrays of the caller's are from now on compared with what was sent of them;
 * in session memory their place is taken by the session's own. */
static Code take_lists(struct answering *answering)
{
    hero_session *session = answering->session;
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < answering->plan->n_lists; i++) {
        const struct plan_list *read = answering->plan->lists[i];
        struct session_record *record = session_find(session, read->message);
        struct session_list *list = session_list_of(record, read->field);
        ProtobufCMessage **now;
        size_t n = graph_struct_related(read->message, read->field, &now);

        code =
            session_list_set(session, record, list, read->items, read->n_items, answering->fault);
        if (!code && record->ours && n == read->n_items)
            code = session_list_show(session, record, list, answering->fault);
    }
    return code;
}

static Code show(struct answering *answering, const struct session_pair *pair,
                 const ProtobufCMessage *from, const ProtobufCMessage *to, bool linked)
{
    struct session_record *a = session_find(answering->session, from);
    struct session_record *b = session_find(answering->session, to);

    if (!a || !b || a->deleting || b->deleting || !pair->field)
        return HERO__V1__CODE__OK;
    return session_show(answering->session, pair, a, b, linked, answering->fault);
}

/* What fields of the caller's linked shows on the other side. */
static Code take_links(struct answering *answering)
{
    const struct session_plan *plan = answering->plan;
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && plan->graph && i < plan->graph->n_edges; i++) {
        const Hero__V1__Edge *edge = plan->graph->edges[i];
        const struct graph_member *from = plan->build.members[edge->from - plan->build.first_ref];
        const struct graph_member *to = plan->build.members[edge->to - plan->build.first_ref];
        struct session_pair pair;

        session_pair_of(from->record->descriptor,
                        model_relationship(from->binding->model, edge->relationship), &pair);
        code = show(answering, &pair, from->record, to->record, true);
    }
    for (size_t i = 0; !code && i < plan->n_changes; i++) {
        const struct plan_change *change = plan->changes[i];

        code = show(answering, &change->pair, change->from->message, change->to, change->linked);
    }
    return code;
}

/* Unlinked by the program after its own array linked them: both sides. */
static Code take_ops(struct answering *answering)
{
    hero_session *session = answering->session;
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < session->n_ops; i++) {
        struct session_op *op = session->ops[i];
        const struct binding *binding;
        struct session_pair pair;

        if (op->dropped || op->kind == OP_DELETE)
            continue;
        code = bindings_find(answering->plan->bindings, op->from->descriptor, &binding,
                             answering->fault);
        if (!code)
            code = session_pair_find(binding, op->field->name, &pair, answering->fault);
        if (!code)
            code = show(answering, &pair, op->from->message, op->to->message, op->kind == OP_LINK);
    }
    return code;
}

static void end_ops(hero_session *session)
{
    for (size_t i = 0; i < session->n_ops; i++) {
        struct session_op *op = session->ops[i];

        if (!op->dropped && op->kind == OP_DELETE)
            session_forget(session, op->from);
        op->dropped = true; /* its pair still leads to it */
    }
    session->n_ops = 0;
}

Code session_take_answer(hero_session *session, struct session_plan *plan,
                         const Hero__V1__CommitResponse *answer, struct fault *fault)
{
    struct answering answering = {
        .session = session, .plan = plan, .answer = answer, .fault = fault};
    Code code;

    session->commit_number = answer->commit;
    if (answer->n_outcomes != plan->request.n_mutations)
        return not_whole(&answering);
    arena_init(&answering.scratch, SIZE_MAX);
    code = take_created(&answering);
    if (!code)
        code = take_updated(&answering);
    if (!code)
        code = take_all_keys(&answering);
    if (!code)
        code = take_lists(&answering);
    if (!code)
        code = take_links(&answering);
    if (!code)
        code = take_ops(&answering);
    end_ops(session);
    arena_done(&answering.scratch);
    return code;
}
