/*
 * What a commit sends. Looks at every record of the session and at the links
 * asked for, and writes one CommitRequest: a create of all that is new with
 * its links, then updates of what changed, then links, unlinks and deletes in
 * the order they were asked for. Changes nothing in the session, so that a
 * commit that fails leaves it as it was.
 */
#include <stdlib.h>
#include <string.h>
#include "session_plan.h"

Code plan_no_memory(const struct session_plan *plan, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the changes of the session take more than %zu bytes; commit more often",
                     plan->arena.budget);
}

bool plan_append(struct session_plan *plan, void ***array, size_t *n, size_t *size, size_t element,
                 void **ret_new)
{
    void *grown = session_grow(&plan->arena, *array, *n, size);
    void *new = arena_alloc(&plan->arena, element);

    if (!grown || !new)
        return false;
    *array = grown;
    (*array)[(*n)++] = new;
    *ret_new = new;
    return true;
}

/* ---- what is new ---- */

static Hero__V1__Record__Member member_of(const struct session_record *record)
{
    return record->connect ? HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE
                           : HERO__V1__RECORD__MEMBER__NEW;
}

static Hero__V1__Record__Member decide(void *arg, const struct graph_member *member)
{
    const struct session_record *record = session_find(arg, member->record);

    if (record && record->state == RECORD_STORED)
        return HERO__V1__RECORD__MEMBER__KEY;
    if (record && record->declared)
        return member_of(record);
    return graph_decide_by_key(NULL, member);
}

static Code add_declared(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < session->n_records; i++) {
        const struct session_record *record = session->records[i];
        Code code;

        if (record->state != RECORD_NEW || !record->declared)
            continue;
        code = graph_build_add(&plan->build, record->message, member_of(record), fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* Links that were asked for and have a new end travel in the create. */
static Code add_links(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < session->n_ops; i++) {
        const struct session_op *op = session->ops[i];
        ProtobufCBinaryData columns = {0, NULL};
        const struct binding *binding;
        struct session_pair pair;
        Code code;

        if (op->dropped || op->kind != OP_LINK ||
            (op->from->state == RECORD_STORED && op->to->state == RECORD_STORED))
            continue;
        code = bindings_find(plan->bindings, op->from->descriptor, &binding, fault);
        if (!code)
            code = session_pair_find(binding, op->field->name, &pair, fault);
        if (!code)
            code = session_plan_columns(plan, op, &pair, &columns, fault);
        if (!code)
            code = graph_build_link(&plan->build, op->from->message, pair.relationship,
                                    op->to->message, columns, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* ---- relationship fields of the caller's own ---- */

static bool holds(struct pointer_map *map, const ProtobufCMessage *item)
{
    return pointer_map_find(map, item, NULL, NULL);
}

static Code set_of(struct session_plan *plan, ProtobufCMessage *const *items, size_t n,
                   struct pointer_map *ret_map, struct fault *fault)
{
    pointer_map_init(ret_map, &plan->arena);
    for (size_t i = 0; i < n; i++)
        if (items[i] && !pointer_map_put(ret_map, items[i], NULL, NULL, items[i]))
            return plan_no_memory(plan, fault);
    return HERO__V1__CODE__OK;
}

static Code add_change(struct session_plan *plan, struct session_record *record,
                       ProtobufCMessage *to, const struct session_pair *pair, bool linked,
                       struct fault *fault)
{
    struct plan_change *change;

    if (!PLAN_APPEND(plan, changes, change))
        return plan_no_memory(plan, fault);
    *change = (struct plan_change){record, to, *pair, linked};
    return HERO__V1__CODE__OK;
}

/* What a stored record's field gained and lost since it was last read. */
static Code compare_list(hero_session *session, struct session_plan *plan,
                         struct session_record *record, const struct session_pair *pair,
                         const struct plan_list *now, struct fault *fault)
{
    const struct session_list *list = session_list_of(record, pair->field);
    struct pointer_map before, after;
    Code code = set_of(plan, list->items, list->n_items, &before, fault);

    if (!code)
        code = set_of(plan, now->items, now->n_items, &after, fault);
    for (size_t i = 0; !code && i < now->n_items; i++) {
        const struct session_record *other = session_find(session, now->items[i]);

        if (holds(&before, now->items[i]))
            continue;
        code = add_change(plan, record, now->items[i], pair, true, fault);
        if (!code && (!other || other->state != RECORD_STORED))
            code = graph_build_link(&plan->build, record->message, pair->relationship,
                                    now->items[i], (ProtobufCBinaryData){0, NULL}, fault);
    }
    for (size_t i = 0; !code && i < list->n_items; i++) {
        const struct session_record *other = session_find(session, list->items[i]);

        if (!holds(&after, list->items[i]) && other && other->state == RECORD_STORED &&
            !other->deleting)
            code = add_change(plan, record, list->items[i], pair, false, fault);
    }
    return code;
}

static Code check_items(const struct plan_list *now, struct fault *fault)
{
    const ProtobufCFieldDescriptor *field = now->field;

    for (size_t i = 0; i < now->n_items; i++)
        if (!now->items[i] || now->items[i]->descriptor != field->descriptor)
            return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                             "%s.%s[%zu] is not an initialised struct of message %s",
                             now->message->descriptor->name, field->name, i,
                             ((const ProtobufCMessageDescriptor *)field->descriptor)->name);
    return HERO__V1__CODE__OK;
}

static Code read_list(struct session_plan *plan, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, struct plan_list **ret_list,
                      struct fault *fault)
{
    ProtobufCMessage **array;
    size_t n = graph_struct_related(message, field, &array);
    struct plan_list *now;

    if (n && !array)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "%s.n_%s is %zu and the array is NULL", message->descriptor->name,
                         field->name, n);
    if (!PLAN_APPEND(plan, lists, now))
        return plan_no_memory(plan, fault);
    *now = (struct plan_list){message, field, arena_array(&plan->arena, n + 1, sizeof(*array)), n};
    if (!now->items)
        return plan_no_memory(plan, fault);
    if (n)
        memcpy(now->items, array, n * sizeof(*array));
    *ret_list = now;
    return check_items(now, fault);
}

/* Fields of stored records that show an array of the caller's: what it gained
 * and lost is to be linked and unlinked. The session's own arrays hold
 * nothing that was not asked for by a link. */
static Code read_stored(hero_session *session, struct session_plan *plan,
                        struct session_record *record, struct fault *fault)
{
    const struct binding *binding;
    Code code = bindings_find(plan->bindings, record->descriptor, &binding, fault);

    for (size_t i = 0; !code && i < binding->model->n_relationships; i++) {
        struct plan_list *now;
        struct session_pair pair;

        session_pair_of(record->descriptor, &binding->model->relationships[i], &pair);
        if (!pair.field || session_list_managed(record, session_list_of(record, pair.field)))
            continue;
        code = read_list(plan, record->message, pair.field, &now, fault);
        if (!code)
            code = compare_list(session, plan, record, &pair, now, fault);
    }
    return code;
}

static Code read_all_stored(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < session->n_records; i++) {
        struct session_record *record = session->records[i];

        if (record->n_lists && record->state == RECORD_STORED && !record->deleting)
            code = read_stored(session, plan, record, fault);
    }
    return code;
}

/* Fields of what becomes known by this commit: from then on they are compared
 * with what they are now. */
static Code read_members(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < plan->build.n_members; i++) {
        ProtobufCMessage *message = (ProtobufCMessage *)(uintptr_t)plan->build.members[i]->record;
        const struct model *model = plan->build.members[i]->binding->model;
        struct session_record *record = session_find(session, message);

        if (record && record->state == RECORD_STORED)
            continue;
        for (size_t j = 0; !code && j < model->n_relationships; j++) {
            const ProtobufCFieldDescriptor *field =
                graph_struct_field(message->descriptor, &model->relationships[j]);
            struct plan_list *now;

            if (field && !(record && session_list_managed(record, session_list_of(record, field))))
                code = read_list(plan, message, field, &now, fault);
        }
    }
    return code;
}

/* ---- the whole ---- */

/* A struct of the caller's may lead to one that is deleted. */
static Code check_members(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < plan->build.n_members; i++) {
        const struct session_record *record = session_find(session, plan->build.members[i]->record);

        if (record && record->state == RECORD_GONE)
            return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                             "a relationship field leads to a %s that was deleted; take it out",
                             record->descriptor->name);
    }
    return HERO__V1__CODE__OK;
}

static Code pack(struct session_plan *plan, struct fault *fault)
{
    size_t size = hero__v1__commit_request__get_packed_size(&plan->request);
    uint8_t *bytes = arena_alloc(&plan->arena, size ? size : 1);

    if (!bytes)
        return plan_no_memory(plan, fault);
    hero__v1__commit_request__pack(&plan->request, bytes);
    plan->packed = (ProtobufCBinaryData){size, bytes};
    return HERO__V1__CODE__OK;
}

static Code follow(struct session_plan *plan, struct fault *fault)
{
    Code code = graph_build_follow(&plan->build, fault);

    if (code)
        session_blame_graph(plan, fault);
    return code;
}

static Code compose(hero_session *session, struct session_plan *plan, struct fault *fault)
{
    Code code = add_declared(session, plan, fault);

    if (!code)
        code = read_all_stored(session, plan, fault);
    if (!code)
        code = add_links(session, plan, fault);
    if (!code)
        code = follow(plan, fault);
    if (!code)
        code = check_members(session, plan, fault);
    if (!code)
        code = read_members(session, plan, fault);
    if (!code)
        code = session_plan_create(plan, fault);
    if (!code)
        code = session_plan_updates(session, plan, fault);
    if (!code)
        code = session_plan_links(session, plan, fault);
    return code ? code : pack(plan, fault);
}

Code session_plan_new(hero_session *session, struct bindings *bindings,
                      struct session_plan **ret_plan, struct fault *fault)
{
    struct session_plan *plan = calloc(1, sizeof(*plan));
    Code code;

    if (!plan)
        return session_no_memory(fault);
    arena_init(&plan->arena, SESSION_PLAN_BYTES);
    plan->bindings = bindings_ref(bindings);
    graph_build_init(&plan->build, bindings, &plan->arena);
    plan->build.decide = decide;
    plan->build.decide_arg = session;
    hero__v1__commit_request__init(&plan->request);
    code = compose(session, plan, fault);
    if (code || !plan->request.n_mutations) {
        session_plan_free(plan);
        plan = NULL;
    }
    if (!code)
        *ret_plan = plan;
    return code;
}

void session_plan_free(struct session_plan *plan)
{
    if (!plan)
        return;
    bindings_unref(plan->bindings);
    arena_done(&plan->arena);
    free(plan);
}
