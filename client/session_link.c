/*
 * Relationship fields of session structs, both sides at once, and the links
 * asked for. Owns the arrays that fields of session memory point to; a field
 * that shows an array of the caller's is never written.
 */
#include <stdio.h>
#include <string.h>
#include "error.h"
#include "session.h"

/* ---- pairs ---- */

void session_pair_of(const ProtobufCMessageDescriptor *descriptor,
                     const struct relationship *relationship, struct session_pair *ret_pair)
{
    const ProtobufCFieldDescriptor *field = graph_struct_field(descriptor, relationship);

    *ret_pair = (struct session_pair){.relationship = relationship, .field = field};
    if (field && relationship->back_populates)
        ret_pair->back = graph_struct_field(field->descriptor, relationship->back_populates);
}

static const char *relationship_names(const struct model *model, char *buffer, size_t size)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < model->n_relationships && used < size; i++) {
        int n = snprintf(buffer + used, size - used, "%s%s", i ? ", " : "",
                         model->relationships[i].name);

        used += n > 0 ? (size_t)n : size;
    }
    return *buffer ? buffer : "none";
}

Code session_pair_find(const struct binding *binding, const char *name,
                       struct session_pair *ret_pair, struct fault *fault)
{
    const struct relationship *relationship =
        model_relationship(binding->model, binding_served_name(binding, name));
    char names[256];

    if (!relationship)
        return fault_add(fault, "relationship", "%s has no relationship %s; it has: %s",
                         binding->model->name, name,
                         relationship_names(binding->model, names, sizeof(names)));
    session_pair_of(binding->descriptor, relationship, ret_pair);
    if (!ret_pair->field)
        return fault_add(fault, "relationship",
                         "struct %s has no field for %s: it was generated from another .proto",
                         binding->descriptor->name, name);
    return HERO__V1__CODE__OK;
}

/* One way to name a pair, whichever side says it. */
static void canonical(const struct session_pair *pair, const struct session_record **from,
                      const ProtobufCFieldDescriptor **field, const struct session_record **to)
{
    *field = pair->field;
    if (pair->back && pair->back < pair->field) {
        const struct session_record *other = *from;

        *from = *to;
        *to = other;
        *field = pair->back;
    }
}

struct session_op *session_op_find(const hero_session *session, const struct session_pair *pair,
                                   const struct session_record *from,
                                   const struct session_record *to)
{
    const ProtobufCFieldDescriptor *field;
    struct session_op *op;

    canonical(pair, &from, &field, &to);
    op = pointer_map_find(&session->ops_by_pair, from, field, to);
    /* One that was sent may be used for another pair by now. */
    if (!op || op->dropped || op->pair_from != from || op->pair_field != field || op->pair_to != to)
        return NULL;
    return op;
}

/* The op after the last: one that was sent and is used again, or a new one. */
static struct session_op *next_op(hero_session *session)
{
    struct session_op **ops, *op;

    if (session->n_ops < session->n_ops_made)
        return session->ops[session->n_ops];
    ops = session_grow(&session->arena, session->ops, session->n_ops, &session->ops_size);
    op = arena_alloc(&session->arena, sizeof(*op));
    if (!ops || !op)
        return NULL;
    session->ops = ops;
    session->ops[session->n_ops_made++] = op;
    return op;
}

Code session_op_add(hero_session *session, struct session_op op, const struct session_pair *pair,
                    struct fault *fault)
{
    struct session_op *place = next_op(session), *earlier = NULL;

    if (!place)
        return session_no_memory(fault);
    if (pair) {
        earlier = session_op_find(session, pair, op.from, op.to);
        op.pair_from = op.from;
        op.pair_to = op.to;
        canonical(pair, &op.pair_from, &op.pair_field, &op.pair_to);
        if (!pointer_map_put(&session->ops_by_pair, op.pair_from, op.pair_field, op.pair_to, place))
            return session_no_memory(fault);
    }
    /* Linking and unlinking say how it shall be: the last word counts. */
    if (earlier)
        earlier->dropped = true;
    *place = op;
    session->n_ops++;
    return HERO__V1__CODE__OK;
}

/* ---- lists ---- */

struct session_list *session_list_of(struct session_record *record,
                                     const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; i < record->n_lists; i++)
        if (record->lists[i].field == field)
            return &record->lists[i];
    return NULL;
}

bool session_list_managed(const struct session_record *record, const struct session_list *list)
{
    ProtobufCMessage **array;
    size_t n = graph_struct_related(record->message, list->field, &array);

    if (!record->ours || n != list->n_shown)
        return false;
    if (graph_struct_is_single(list->field))
        return n == 0 || *array == list->shown[0];
    return array == list->shown;
}

/* What is shown has room for what the list holds. */
static void point_field(struct session_record *record, struct session_list *list)
{
    if (list->n_items)
        memcpy(list->shown, list->items, list->n_items * sizeof(ProtobufCMessage *));
    list->n_shown = list->n_items;
    if (graph_struct_is_single(list->field)) {
        *(ProtobufCMessage **)field_at(record->message, list->field) =
            list->n_shown ? list->shown[0] : NULL;
        return;
    }
    *(ProtobufCMessage ***)field_at(record->message, list->field) = list->shown;
    *(size_t *)(void *)((char *)record->message + list->field->quantifier_offset) = list->n_shown;
}

Code session_list_show(hero_session *session, struct session_record *record,
                       struct session_list *list, struct fault *fault)
{
    if (list->shown_size < list->n_items) {
        size_t size = list->shown_size ? list->shown_size : 4;
        ProtobufCMessage **shown;

        while (size < list->n_items)
            size *= 2;
        shown = arena_array(&session->arena, size, sizeof(ProtobufCMessage *));
        if (!shown)
            return session_no_memory(fault);
        list->shown = shown;
        list->shown_size = size;
    }
    point_field(record, list);
    return HERO__V1__CODE__OK;
}

static bool listed(const hero_session *session, const struct session_record *record,
                   const struct session_list *list, const ProtobufCMessage *item)
{
    return pointer_map_find(&session->listed, record, list->field, item);
}

static Code list_add(hero_session *session, struct session_record *record,
                     struct session_list *list, ProtobufCMessage *item, struct fault *fault)
{
    ProtobufCMessage **items;

    if (listed(session, record, list, item))
        return HERO__V1__CODE__OK;
    items = session_grow(&session->arena, list->items, list->n_items, &list->items_size);
    if (!items || !pointer_map_put(&session->listed, record, list->field, item, item))
        return session_no_memory(fault);
    list->items = items;
    list->items[list->n_items++] = item;
    return HERO__V1__CODE__OK;
}

static void list_remove(hero_session *session, struct session_record *record,
                        struct session_list *list, const ProtobufCMessage *item)
{
    size_t i = 0;

    if (!listed(session, record, list, item))
        return;
    while (i < list->n_items && list->items[i] != item)
        i++;
    if (i == list->n_items)
        return;
    memmove(&list->items[i], &list->items[i + 1],
            (list->n_items - i - 1) * sizeof(ProtobufCMessage *));
    list->n_items--;
    /* The place is there already, so this needs no memory. */
    (void)pointer_map_put(&session->listed, record, list->field, item, NULL);
}

/* One side. */
static Code show_side(hero_session *session, struct session_record *record,
                      const ProtobufCFieldDescriptor *field, ProtobufCMessage *item, bool linked,
                      struct fault *fault)
{
    struct session_list *list = field ? session_list_of(record, field) : NULL;
    Code code;

    if (!list || !session_list_managed(record, list) ||
        listed(session, record, list, item) == linked)
        return HERO__V1__CODE__OK;
    if (!linked) {
        list_remove(session, record, list, item);
    } else {
        code = list_add(session, record, list, item, fault);
        if (code)
            return code;
    }
    return session_list_show(session, record, list, fault);
}

/* A side that shows one at most: what it showed gives way to `keep`. `pair`
 * leads from the record, or to it where `reversed`. */
static Code give_way(hero_session *session, const struct session_pair *pair, bool reversed,
                     struct session_record *record, const ProtobufCMessage *keep,
                     struct fault *fault)
{
    const ProtobufCFieldDescriptor *field = reversed ? pair->back : pair->field;
    const ProtobufCFieldDescriptor *other_field = reversed ? pair->field : pair->back;
    struct session_list *list = field ? session_list_of(record, field) : NULL;

    if (!list || !graph_struct_is_single(field))
        return HERO__V1__CODE__OK;
    for (size_t i = list->n_items; i-- > 0;) {
        struct session_record *other = session_find(session, list->items[i]);
        struct session_op *op;
        Code code;

        if (!other || other->message == keep)
            continue;
        op = session_op_find(session, pair, reversed ? other : record, reversed ? record : other);
        if (op && op->kind == OP_LINK)
            op->dropped = true;
        code = show_side(session, record, field, other->message, false, fault);
        if (!code)
            code = show_side(session, other, other_field, record->message, false, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* The related record has one of these at most, and no field that shows it:
 * others' lists lose it. */
static Code leave_others(hero_session *session, const struct session_pair *pair,
                         const struct session_record *from, const struct session_record *to,
                         struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    if (pair->back || pair->relationship->kind != RELATIONSHIP_TARGET_KEY)
        return code;
    for (size_t i = 0; !code && i < session->n_records; i++) {
        struct session_record *other = session->records[i];
        struct session_op *op;

        if (other == from || other->descriptor != from->descriptor)
            continue;
        op = session_op_find(session, pair, other, to);
        if (op && op->kind == OP_LINK)
            op->dropped = true;
        code = show_side(session, other, pair->field, to->message, false, fault);
    }
    return code;
}

Code session_show(hero_session *session, const struct session_pair *pair,
                  struct session_record *from, struct session_record *to, bool linked,
                  struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    if (linked)
        code = give_way(session, pair, false, from, to->message, fault);
    if (!code && linked)
        code = give_way(session, pair, true, to, from->message, fault);
    if (!code && linked)
        code = leave_others(session, pair, from, to, fault);
    if (!code)
        code = show_side(session, from, pair->field, to->message, linked, fault);
    return code ? code : show_side(session, to, pair->back, from->message, linked, fault);
}

Code session_list_set(hero_session *session, struct session_record *record,
                      struct session_list *list, ProtobufCMessage *const *items, size_t n_items,
                      struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; i < list->n_items; i++)
        (void)pointer_map_put(&session->listed, record, list->field, list->items[i], NULL);
    list->n_items = 0;
    for (size_t i = 0; !code && i < n_items; i++)
        code = list_add(session, record, list, items[i], fault);
    return code;
}

static Code unshow_lost(hero_session *session, const struct session_pair *pair,
                        struct session_record *from, ProtobufCMessage *const *before,
                        size_t n_before, const struct session_list *list, struct fault *fault)
{
    for (size_t i = 0; i < n_before; i++) {
        struct session_record *lost = session_find(session, before[i]);
        Code code;

        if (!lost || listed(session, from, list, before[i]))
            continue;
        code = show_side(session, lost, pair->back, from->message, false, fault);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

Code session_show_all(hero_session *session, const struct session_pair *pair,
                      struct session_record *from, struct session_record **related,
                      size_t n_related, struct arena *scratch, struct fault *fault)
{
    struct session_list *list = session_list_of(from, pair->field);
    size_t n_before = list->n_items;
    ProtobufCMessage **before, **items;
    Code code;

    if (!session_list_managed(from, list))
        return HERO__V1__CODE__OK;
    before = arena_array(scratch, n_before + n_related + 1, sizeof(*before));
    if (!before)
        return session_no_memory(fault);
    items = before + n_before;
    if (n_before)
        memcpy(before, list->items, n_before * sizeof(*before));
    for (size_t i = 0; i < n_related; i++)
        items[i] = related[i]->message;
    code = session_list_set(session, from, list, items, n_related, fault);
    if (!code)
        code = session_list_show(session, from, list, fault);
    if (!code)
        code = unshow_lost(session, pair, from, before, n_before, list, fault);
    for (size_t i = 0; !code && i < n_related; i++) {
        code = give_way(session, pair, true, related[i], from->message, fault);
        if (!code)
            code = show_side(session, related[i], pair->back, from->message, true, fault);
    }
    return code;
}

/* Others' fields that show the record. */
static void unlist_from(hero_session *session, struct session_record *other,
                        const struct session_record *record)
{
    for (size_t i = 0; i < other->n_lists; i++) {
        struct session_list *list = &other->lists[i];

        if (list->field->descriptor != record->descriptor ||
            !listed(session, other, list, record->message) || !session_list_managed(other, list))
            continue;
        list_remove(session, other, list, record->message);
        point_field(other, list);
    }
}

void session_unlist(hero_session *session, struct session_record *record)
{
    for (size_t i = 0; i < session->n_records; i++)
        unlist_from(session, session->records[i], record);
    for (size_t i = 0; i < record->n_lists; i++) {
        struct session_list *list = &record->lists[i];
        bool managed = session_list_managed(record, list);

        for (size_t j = 0; j < list->n_items; j++)
            (void)pointer_map_put(&session->listed, record, list->field, list->items[j], NULL);
        list->n_items = 0;
        if (managed)
            point_field(record, list);
    }
}

/* ---- what programs call ---- */

static Code known(hero_session *session, void *message, struct session_record **ret_record,
                  struct fault *fault)
{
    ProtobufCMessage *record = message;

    if (!record || !record->descriptor ||
        record->descriptor->magic != PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "not an initialised struct: start from MESSAGE__INIT");
    *ret_record = session_find(session, record);
    if (!*ret_record)
        *ret_record = session_track(session, record, false);
    if (!*ret_record)
        return session_no_memory(fault);
    if ((*ret_record)->deleting || (*ret_record)->state == RECORD_GONE)
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "this %s was deleted in this session", (*ret_record)->descriptor->name);
    return HERO__V1__CODE__OK;
}

static Code change(hero_session *session, enum op_kind kind, void *record, const char *relationship,
                   void *related, const ProtobufCMessage *columns, struct bindings *bindings,
                   struct fault *fault)
{
    struct session_record *from, *to;
    const struct binding *binding;
    struct session_pair pair;
    Code code = known(session, record, &from, fault);

    if (!code)
        code = known(session, related, &to, fault);
    if (!code)
        code = bindings_find(bindings, from->descriptor, &binding, fault);
    if (!code)
        code = session_pair_find(binding, relationship, &pair, fault);
    if (code)
        return code;
    if (to->descriptor != pair.field->descriptor)
        return fault_add(fault, "related", "%s.%s relates to %s, not to %s", from->descriptor->name,
                         relationship,
                         ((const ProtobufCMessageDescriptor *)pair.field->descriptor)->name,
                         to->descriptor->name);
    if (columns && !pair.relationship->link)
        return fault_add(fault, "relationship",
                         "%s.%s goes by a foreign key: its links hold nothing",
                         from->descriptor->name, relationship);
    code = session_op_add(
        session,
        (struct session_op){
            .kind = kind, .from = from, .to = to, .field = pair.field, .columns = columns},
        &pair, fault);
    return code ? code : session_show(session, &pair, from, to, kind == OP_LINK, fault);
}

static hero_code link_or_unlink(hero_session *session, enum op_kind kind, void *record,
                                const char *relationship, void *related,
                                const ProtobufCMessage *columns, hero_error *error)
{
    struct fault fault = FAULT_INIT;
    struct bindings *bindings = NULL;
    Code code = session_check_settled(session, &fault);

    if (!code && !relationship)
        code = fault_add(&fault, "relationship", "is NULL; name the field");
    if (!code)
        code = session_bindings(session, &bindings, &fault);
    if (!code)
        code = change(session, kind, record, relationship, related, columns, bindings, &fault);
    bindings_unref(bindings);
    return error_give(error, &fault, HERO_NOT_SENT);
}

hero_code hero_session_link(hero_session *session, void *record, const char *relationship,
                            void *related, hero_error *error)
{
    return link_or_unlink(session, OP_LINK, record, relationship, related, NULL, error);
}

hero_code hero_session_link_with(hero_session *session, void *record, const char *relationship,
                                 void *related, const void *link, hero_error *error)
{
    return link_or_unlink(session, OP_LINK, record, relationship, related, link, error);
}

hero_code hero_session_unlink(hero_session *session, void *record, const char *relationship,
                              void *related, hero_error *error)
{
    return link_or_unlink(session, OP_UNLINK, record, relationship, related, NULL, error);
}
