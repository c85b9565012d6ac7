/*
 * The caller's generated descriptors and the served models, brought together
 * once per descriptor and kept. A field's number is its identity; its type
 * must be one that travels the same way, or the bytes would be read wrong.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "binding.h"

/* What the descriptors of all bindings may take. */
#define BINDINGS_BYTES ((size_t)64 * 1024 * 1024)

struct bindings {
    atomic_size_t n_refs;
    struct models *models;
    pthread_mutex_t lock;
    struct arena arena;
    struct binding **slots; /* by descriptor; a power of two, half empty */
    size_t n_slots, n_used;
};

struct bindings *bindings_new(struct models *models)
{
    struct bindings *bindings = calloc(1, sizeof(*bindings));

    if (!bindings)
        return NULL;
    atomic_init(&bindings->n_refs, 1);
    bindings->models = models_ref(models);
    pthread_mutex_init(&bindings->lock, NULL);
    arena_init(&bindings->arena, BINDINGS_BYTES);
    return bindings;
}

struct bindings *bindings_ref(struct bindings *bindings)
{
    atomic_fetch_add_explicit(&bindings->n_refs, 1, memory_order_relaxed);
    return bindings;
}

void bindings_unref(struct bindings *bindings)
{
    if (!bindings || atomic_fetch_sub_explicit(&bindings->n_refs, 1, memory_order_acq_rel) != 1)
        return;
    models_unref(bindings->models);
    pthread_mutex_destroy(&bindings->lock);
    arena_done(&bindings->arena);
    free(bindings->slots);
    free(bindings);
}

const struct models *bindings_models(const struct bindings *bindings)
{
    return bindings->models;
}

/* ---- the table; under the lock ---- */

static size_t place_of(const struct bindings *bindings,
                       const ProtobufCMessageDescriptor *descriptor)
{
    uint64_t hash = (uint64_t)(uintptr_t)descriptor * UINT64_C(0x9e3779b97f4a7c15);
    size_t place = (size_t)(hash >> 32) & (bindings->n_slots - 1);

    while (bindings->slots[place] && bindings->slots[place]->descriptor != descriptor)
        place = (place + 1) & (bindings->n_slots - 1);
    return place;
}

static bool grow(struct bindings *bindings)
{
    size_t n_old = bindings->n_slots;
    struct binding **old = bindings->slots;

    if (bindings->n_used * 2 < n_old)
        return true;
    bindings->slots = calloc(n_old ? n_old * 2 : 16, sizeof(*bindings->slots));
    if (!bindings->slots) {
        bindings->slots = old;
        return false;
    }
    bindings->n_slots = n_old ? n_old * 2 : 16;
    for (size_t i = 0; i < n_old; i++)
        if (old[i])
            bindings->slots[place_of(bindings, old[i]->descriptor)] = old[i];
    free(old);
    return true;
}

/* ---- one binding ---- */

static const char *type_name(ProtobufCType type)
{
    static const char *const names[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
        [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
        [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
        [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
        [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
        [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_ENUM] = "enum",
        [PROTOBUF_C_TYPE_STRING] = "string",     [PROTOBUF_C_TYPE_BYTES] = "bytes",
        [PROTOBUF_C_TYPE_MESSAGE] = "message",
    };

    return (size_t)type < sizeof(names) / sizeof(names[0]) && names[type] ? names[type] : "?";
}

/* Types that travel alike, of which one may be wider: a value that the
 * narrower one can't hold is refused when it comes (proto/scan.c). */
static bool travel_alike(ProtobufCType a, ProtobufCType b)
{
    static const unsigned char families[] = {
        [PROTOBUF_C_TYPE_INT32] = 1,  [PROTOBUF_C_TYPE_INT64] = 1,  [PROTOBUF_C_TYPE_ENUM] = 1,
        [PROTOBUF_C_TYPE_UINT32] = 2, [PROTOBUF_C_TYPE_UINT64] = 2, [PROTOBUF_C_TYPE_SINT32] = 3,
        [PROTOBUF_C_TYPE_SINT64] = 3,
    };

    return a == b || ((size_t)a < sizeof(families) && (size_t)b < sizeof(families) && families[a] &&
                      families[a] == families[b]);
}

static bool same_label(const ProtobufCFieldDescriptor *field,
                       const ProtobufCFieldDescriptor *served)
{
    return (field->label == PROTOBUF_C_LABEL_REPEATED) ==
           (served->label == PROTOBUF_C_LABEL_REPEATED);
}

/* Does what the program has inside a message travel the same way? `path` is
 * that of the field, for one that doesn't. */
static bool same_inside(const ProtobufCFieldDescriptor *field,
                        const ProtobufCFieldDescriptor *served, unsigned depth, char *path,
                        size_t size)
{
    const ProtobufCMessageDescriptor *here = field->descriptor, *there = served->descriptor;
    size_t len = strlen(path);

    if (!travel_alike(field->type, served->type) || !same_label(field, served) || depth > 20)
        return false;
    for (unsigned i = 0; field->type == PROTOBUF_C_TYPE_MESSAGE && i < here->n_fields; i++) {
        const ProtobufCFieldDescriptor *inner = &here->fields[i];
        const ProtobufCFieldDescriptor *other =
            protobuf_c_message_descriptor_get_field(there, inner->id);

        snprintf(path + len, size - len, ".%s", inner->name);
        if (!other || !same_inside(inner, other, depth + 1, path, size))
            return false;
        path[len] = '\0';
    }
    return true;
}

static void check_column(const ProtobufCFieldDescriptor *field, const struct column *column,
                         struct fault *fault)
{
    const ProtobufCFieldDescriptor *served = column->field;
    char path[512];

    if (!travel_alike(field->type, served->type) || !same_label(field, served)) {
        fault_add(fault, field->name, "field %u is %s%s here and %s%s in the served model %s",
                  field->id, field->label == PROTOBUF_C_LABEL_REPEATED ? "repeated " : "",
                  type_name(field->type), column_is_list(column) ? "repeated " : "",
                  type_name(column->type), column->model->name);
        return;
    }
    snprintf(path, sizeof(path), "%s", field->name);
    if (!same_inside(field, served, 0, path, sizeof(path)))
        fault_add(fault, path, "is another field here than in the served model %s",
                  column->model->name);
}

/* Under its name, or the one that it had before. */
static bool is_called(const struct model *model, const char *name)
{
    return !strcmp(model->name, name) ||
           (model->renamed_from && !strcmp(model->renamed_from, name));
}

static void check_relationship(const ProtobufCFieldDescriptor *field,
                               const struct relationship *relationship, struct fault *fault)
{
    const ProtobufCMessageDescriptor *related = field->descriptor;

    bool single = field->label != PROTOBUF_C_LABEL_REPEATED;

    if (field->type == PROTOBUF_C_TYPE_MESSAGE && single != relationship->single)
        fault_add(fault, field->name, "field %u is %s here and %s in the served model %s",
                  field->id, single ? "singular" : "repeated",
                  relationship->single ? "singular" : "repeated", relationship->model->name);
    else if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        fault_add(fault, field->name,
                  "field %u is %s here and a relationship to %s in the served model %s", field->id,
                  type_name(field->type), relationship->target->name, relationship->model->name);
    else if (!is_called(relationship->target, related->name))
        fault_add(fault, field->name, "leads to %s here and to %s in the served model %s",
                  related->name, relationship->target->name, relationship->model->name);
}

static const struct relationship *relationship_of(const struct model *model, uint32_t number)
{
    for (size_t i = 0; i < model->n_relationships; i++)
        if (model->relationships[i].number == number)
            return &model->relationships[i];
    return NULL;
}

/* The column numbers that both sides know; faults where they differ. What the
 * served model lacks goes to `unserved`. */
static size_t common_columns(const ProtobufCMessageDescriptor *descriptor,
                             const struct model *model, uint32_t *numbers,
                             const ProtobufCFieldDescriptor **unserved, size_t *n_unserved,
                             struct fault *fault)
{
    size_t n = 0;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const struct column *column = model_column_by_number(model, field->id);
        const struct relationship *relationship = relationship_of(model, field->id);

        if (column) {
            check_column(field, column, fault);
            numbers[n++] = field->id;
        } else if (relationship) {
            check_relationship(field, relationship, fault);
        } else if (field->label == PROTOBUF_C_LABEL_REQUIRED) {
            fault_add(fault, field->name,
                      "field %u is required here and not in the served model %s; records without "
                      "it can't be read",
                      field->id, model->name);
        } else {
            unserved[(*n_unserved)++] = field;
        }
    }
    return n;
}

static size_t key_columns(const ProtobufCMessageDescriptor *descriptor, const struct model *model,
                          uint32_t *numbers, struct fault *fault)
{
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const struct column *column = model->primary_key[i];

        numbers[i] = column->number;
        if (!protobuf_c_message_descriptor_get_field(descriptor, column->number))
            fault_add(fault, column->field_name,
                      "is part of the primary key of the served model %s and not a field here",
                      model->name);
    }
    return model->n_primary_key;
}

static Code no_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for a descriptor");
}

static Code bind(struct bindings *bindings, const ProtobufCMessageDescriptor *descriptor,
                 const struct model *model, struct binding *binding, struct fault *fault)
{
    struct fault found = FAULT_INIT;
    size_t n_numbers = descriptor->n_fields + model->n_primary_key + 1, n;
    uint32_t *numbers = calloc(n_numbers, sizeof(*numbers));
    const ProtobufCFieldDescriptor **unserved =
        arena_array(&bindings->arena, descriptor->n_fields + 1, sizeof(*unserved));

    if (!numbers || !unserved) {
        free(numbers);
        return no_memory(fault);
    }
    binding->n_unserved = 0;
    n = common_columns(descriptor, model, numbers, unserved, &binding->n_unserved, &found);
    binding->unserved = unserved;
    binding->columns = dynamic_subset(&bindings->arena, descriptor, numbers, n);
    n = key_columns(descriptor, model, numbers, &found);
    if (!found.n_violations)
        binding->key = dynamic_subset(&bindings->arena, descriptor, numbers, n);
    free(numbers);
    if (found.n_violations) {
        fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                  "message %s of this program is not the model that the daemon serves; generate it "
                  "from the applied .proto, or apply its own",
                  descriptor->name);
        for (size_t i = 0; i < found.n_violations; i++)
            fault_add(fault, found.violations[i].path, "%s", found.violations[i].description);
        fault_done(&found);
        return HERO__V1__CODE__FAILED_PRECONDITION;
    }
    if (!binding->columns || !binding->key)
        return no_memory(fault);
    binding->descriptor = descriptor;
    binding->model = model;
    return HERO__V1__CODE__OK;
}

/* The exact full name: a descriptor says it, nobody typed it. A model that was
 * renamed is still who it was, unless another has its name now. */
static const struct model *model_of(const struct models *models, const char *name)
{
    for (size_t i = 0; i < models->n_models; i++)
        if (!strcmp(models->models[i].name, name))
            return &models->models[i];
    for (size_t i = 0; i < models->n_models; i++)
        if (is_called(&models->models[i], name))
            return &models->models[i];
    return NULL;
}

static Code add(struct bindings *bindings, const ProtobufCMessageDescriptor *descriptor,
                const struct binding **ret_binding, struct fault *fault)
{
    const struct model *model = model_of(bindings->models, descriptor->name);
    struct binding *binding;
    Code code;

    if (!model)
        return fault_set(fault, HERO__V1__CODE__NOT_FOUND,
                         "model %s is not served by this daemon; apply its .proto first",
                         descriptor->name);
    binding = arena_alloc(&bindings->arena, sizeof(*binding));
    if (!binding || !grow(bindings))
        return no_memory(fault);
    code = bind(bindings, descriptor, model, binding, fault);
    if (code)
        return code;
    bindings->slots[place_of(bindings, descriptor)] = binding;
    bindings->n_used++;
    *ret_binding = binding;
    return HERO__V1__CODE__OK;
}

Code bindings_find(struct bindings *bindings, const ProtobufCMessageDescriptor *descriptor,
                   const struct binding **ret_binding, struct fault *fault)
{
    const struct binding *binding = NULL;
    Code code = HERO__V1__CODE__OK;

    if (!descriptor || descriptor->magic != PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "not a descriptor that protoc-c generated");
    pthread_mutex_lock(&bindings->lock);
    if (bindings->n_slots)
        binding = bindings->slots[place_of(bindings, descriptor)];
    if (binding)
        *ret_binding = binding;
    else
        code = add(bindings, descriptor, ret_binding, fault);
    pthread_mutex_unlock(&bindings->lock);
    return code;
}

/* ---- the caller's words and the daemon's ---- */

static const char *served_name(const struct model *model, const ProtobufCFieldDescriptor *field)
{
    const struct column *column = model_column_by_number(model, field->id);
    const struct relationship *relationship = relationship_of(model, field->id);

    return column ? column->field_name : relationship ? relationship->name : NULL;
}

const char *binding_served_name(const struct binding *binding, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        name ? protobuf_c_message_descriptor_get_field_by_name(binding->descriptor, name) : NULL;
    const char *served = field ? served_name(binding->model, field) : NULL;

    return served ? served : name;
}

const char *binding_served_path(struct bindings *bindings, const struct binding *binding,
                                const char *path, struct arena *arena)
{
    const char *served = "";
    char *rest = NULL, *copy = arena_strdup(arena, path);

    for (char *part = copy ? strtok_r(copy, ".", &rest) : NULL; part && served;
         part = strtok_r(NULL, ".", &rest)) {
        const ProtobufCFieldDescriptor *field =
            binding ? protobuf_c_message_descriptor_get_field_by_name(binding->descriptor, part)
                    : NULL;
        const char *name = binding ? binding_served_name(binding, part) : part;

        served = arena_printf(arena, "%s%s%s", served, *served ? "." : "", name);
        if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE ||
            bindings_find(bindings, field->descriptor, &binding, NULL))
            binding = NULL;
    }
    return copy ? served : NULL;
}

Code binding_check_unserved(const struct binding *binding, const ProtobufCMessage *record,
                            struct fault *fault)
{
    for (size_t i = 0; i < binding->n_unserved; i++) {
        const ProtobufCFieldDescriptor *field = binding->unserved[i];

        if (!field_present(record, field) || field->label == PROTOBUF_C_LABEL_NONE)
            continue;
        fault_add(fault, field->name,
                  "field %u is not in the served model %s, so its value would be lost; leave it "
                  "unset, or apply a .proto that has it",
                  field->id, binding->model->name);
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "%s: field %u is not in the served model %s", field->name, field->id,
                         binding->model->name);
    }
    return HERO__V1__CODE__OK;
}
