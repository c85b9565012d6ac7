/*
 * Whose fault it was: the daemon names mutations and places in a graph that a
 * program never saw; here these become model, record and field, such as
 * Hero(1).age, Hero(name="Deadpond").secret_name or Hero(1).teams: Team(7).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "scan.h"
#include "session_plan.h"

/* Bytes of a text that stand for a record in an error. */
#define LABEL_TEXT_MAX 40

/* ---- naming records ---- */

static bool is_integer(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64;
}

/* As much of a text as stands for a record, no character cut in two. */
static int text_length(const char *text)
{
    size_t len = strnlen(text, LABEL_TEXT_MAX);

    while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return (int)len;
}

/* A new record by its first text or, failing that, integer. */
static const char *by_value(const struct binding *binding, const ProtobufCMessage *record,
                            struct arena *arena)
{
    const ProtobufCMessageDescriptor *columns = binding->columns;
    const char *integer = NULL;

    for (unsigned i = 0; i < columns->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &columns->fields[i];
        const void *at = field_at(record, field);

        if (!field_present(record, field))
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING &&
            scan_text_valid(*(char *const *)at, strlen(*(char *const *)at)))
            return arena_printf(arena, "%s=\"%.*s\"", field->name, text_length(*(char *const *)at),
                                *(char *const *)at);
        if (!integer && is_integer(field->type))
            integer = arena_printf(arena, "%s=%" PRId64, field->name, *(const int64_t *)at);
    }
    return integer ? integer : "new";
}

const char *session_key_text(const struct binding *binding, const ProtobufCMessage *record,
                             struct arena *arena)
{
    ProtobufCBinaryData key;
    ProtobufCMessage *copy;

    /* The model's own struct is laid out differently from the caller's. */
    if (graph_struct_pack(binding, record, true, arena, &key, NULL) ||
        model_unpack(binding->model, key.data, key.len, arena, &copy, NULL))
        return NULL;
    return model_key_text(binding->model, copy, arena);
}

static const char *label(const struct session_plan *plan, const ProtobufCMessage *record,
                         struct arena *arena)
{
    const struct graph_member *member = graph_build_find(&plan->build, record);
    const struct binding *binding;
    const char *which = NULL, *text;

    if (bindings_find(plan->bindings, record->descriptor, &binding, NULL))
        return record->descriptor->name;
    if (!member || member->wire.member == HERO__V1__RECORD__MEMBER__KEY)
        which = session_key_text(binding, record, arena);
    if (!which)
        which = by_value(binding, record, arena);
    text = which ? arena_printf(arena, "%s(%s)", record->descriptor->name, which) : NULL;
    return text ? text : record->descriptor->name;
}

/* ---- reading paths ---- */

/* "name[3]" or "name": what it is and where it ends; index SIZE_MAX: none. */
static const char *read_step(const char *path, size_t *ret_name_len, size_t *ret_index)
{
    size_t len = strcspn(path, ".[");
    char *end = (char *)(uintptr_t)(path + len);

    *ret_name_len = len;
    *ret_index = SIZE_MAX;
    if (*end == '[') {
        *ret_index = (size_t)strtoull(end + 1, &end, 10);
        if (*end == ']')
            end++;
    }
    return *end == '.' ? end + 1 : end;
}

static bool is(const char *path, size_t len, const char *name)
{
    return strlen(name) == len && !memcmp(path, name, len);
}

static const struct graph_member *along(const struct session_plan *plan,
                                        const struct graph_member *member, const char *name,
                                        size_t len, size_t position)
{
    for (size_t i = 0; i < plan->build.n_edges; i++) {
        const Hero__V1__Edge *edge = plan->build.edges[i];

        if (edge->from == member->wire.ref && edge->position == position &&
            is(name, len, edge->relationship))
            return plan->build.members[edge->to - plan->build.first_ref];
    }
    return NULL;
}

static const char *with_rest(const char *record, const char *rest, struct arena *arena)
{
    return *rest ? arena_printf(arena, "%s.%s", record, rest) : record;
}

/* "records[1].teams[0].name" of the create's graph. */
static const char *in_create(const struct session_plan *plan, const char *path, struct arena *arena)
{
    const struct graph_member *member = plan->build.members[0];
    size_t len, index;
    const char *rest = read_step(path, &len, &index);

    if (is(path, len, "records") && index < plan->build.n_members) {
        member = plan->build.members[index];
        path = rest;
    }
    for (;;) {
        const struct graph_member *next;

        rest = read_step(path, &len, &index);
        next = index == SIZE_MAX ? NULL : along(plan, member, path, len, index);
        if (!next)
            break;
        member = next;
        path = rest;
    }
    return with_rest(label(plan, member->record, arena), path, arena);
}

/* "related[1]", "targets[0]", "target" or a field. */
static const char *in_targets(const struct session_plan *plan, const struct plan_whose *whose,
                              const char *relationship, const char *path, struct arena *arena)
{
    const char *record = whose->record ? label(plan, whose->record, arena) : NULL;
    size_t len, index;
    const char *rest = read_step(path, &len, &index);

    if (record && is(path, len, "target"))
        return record;
    if ((is(path, len, "related") || is(path, len, "targets")) && index < whose->n_others) {
        const char *other = label(plan, whose->others[index], arena);

        return record && relationship
                   ? arena_printf(arena, "%s.%s: %s", record, relationship, other)
                   : with_rest(other, rest, arena);
    }
    if (record && is(path, len, "value"))
        path = rest;
    return record ? with_rest(record, path, arena) : NULL;
}

static const char *in_mutation(const struct session_plan *plan, size_t index, const char *path,
                               struct arena *arena)
{
    const Hero__V1__Mutation *mutation = plan->request.mutations[index];
    const struct plan_whose *whose = plan->whose[index];

    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        return in_create(plan, path, arena);
    case HERO__V1__MUTATION__OP_UPDATE:
    case HERO__V1__MUTATION__OP_DELETE:
        return in_targets(plan, whose, NULL, path, arena);
    case HERO__V1__MUTATION__OP_LINK:
    case HERO__V1__MUTATION__OP_UNLINK:
        return in_targets(plan, whose, mutation->link->relationship, path, arena);
    case HERO__V1__MUTATION__OP_UPSERT: /* sessions send none */
    case HERO__V1__MUTATION__OP_SET_LINKS:
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

/* "mutations[2].create.teams[0].name"; NULL: not such a path. */
static const char *translate(const struct session_plan *plan, const char *path, struct arena *arena)
{
    size_t len, mutation, none;
    const char *kind = read_step(path, &len, &mutation);

    if (!is(path, len, "mutations") || mutation >= plan->request.n_mutations)
        return NULL;
    return in_mutation(plan, mutation, read_step(kind, &len, &none), arena);
}

/* The message often is the first violation's path and description. */
static void replace_message(struct fault *fault, const char *path, const char *by,
                            struct arena *arena)
{
    char *at = fault->message && *path ? strstr(fault->message, path) : NULL;
    const char *before;

    if (!at)
        return;
    before = arena_printf(arena, "%.*s", (int)(at - fault->message), fault->message);
    at = arena_strdup(arena, at + strlen(path));
    if (before && at)
        fault_set(fault, fault->code, "%s%s%s", before, by, at);
}

static void replace(struct fault *fault, struct fault_violation *violation, const char *by,
                    struct arena *arena)
{
    char *copy = strdup(by);

    if (!copy)
        return;
    replace_message(fault, violation->path, by, arena);
    free(violation->path);
    violation->path = copy;
}

void session_blame(const struct session_plan *plan, struct fault *fault)
{
    struct arena arena;

    arena_init(&arena, SESSION_PLAN_BYTES);
    for (size_t i = 0; i < fault->n_violations; i++) {
        const char *path = translate(plan, fault->violations[i].path, &arena);

        if (path)
            replace(fault, &fault->violations[i], path, &arena);
    }
    arena_done(&arena);
}

void session_blame_graph(const struct session_plan *plan, struct fault *fault)
{
    struct arena arena;

    if (!fault || fault->code != HERO__V1__CODE__INVALID_ARGUMENT || !plan->build.n_members)
        return;
    arena_init(&arena, SESSION_PLAN_BYTES);
    for (size_t i = 0; i < fault->n_violations; i++) {
        const char *path = in_create(plan, fault->violations[i].path, &arena);

        if (path)
            replace(fault, &fault->violations[i], path, &arena);
    }
    arena_done(&arena);
}

void session_blame_record(const struct session_plan *plan, const ProtobufCMessage *record,
                          struct fault *fault)
{
    struct arena arena;

    if (!fault)
        return;
    arena_init(&arena, SESSION_PLAN_BYTES);
    for (size_t i = 0; i < fault->n_violations; i++) {
        const char *path =
            with_rest(label(plan, record, &arena), fault->violations[i].path, &arena);

        if (path)
            replace(fault, &fault->violations[i], path, &arena);
    }
    arena_done(&arena);
}
