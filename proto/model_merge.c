/*
 * Owns the union of what is served with a new set.
 *
 * Sets merge by full message name, since two applications may bring the same
 * message in files of different names, or different messages in files of one
 * name. A served model that comes again must be the same.
 */
#include "model_set.h"

#include <string.h>
#include "scan.h"

/* Models; and those that are refused for the models inside. */
static bool is_kept(const MessageProto *message)
{
    return message_is_model(message) || set_holds_model(message, 0);
}

static bool is_options_file(const FileProto *file)
{
    return strcmp(text(file->name), "hero/options.proto") == 0 ||
           strcmp(text(file->name), "google/protobuf/descriptor.proto") == 0;
}

/* What the union drops can still be worth a warning. */
static bool note_slip(struct merge *merge, const FileProto *file, const MessageProto *message)
{
    char *warning = message_slip(merge->arena, file, message);
    return !warning ||
           set_append(merge->arena, (void ***)&merge->warnings, &merge->n_warnings, warning);
}

/* The messages of a file that the result lacks. One that it has must be the
 * same, if it is a model. */
static bool what_is_new(struct merge *merge, const FileProto *file, FileProto *rest)
{
    for (size_t m = 0; m < file->n_message_type; m++) {
        const MessageProto *message = file->message_type[m];
        FileProto *where = NULL;
        const char *name = message_full_name(merge->arena, file, message);
        const MessageProto *served = name ? set_message(merge->result, name, &where) : NULL;
        bool is_model = message_is_model(message);
        if (!name)
            return false;
        merge->n_models += is_model;
        if (served)
            model_changes(where, served, file, message, merge->arena, merge->changes);
        else if (is_kept(message) && !set_add_message(merge, rest, message))
            return false;
        if (!is_model && !note_slip(merge, file, message))
            return false;
    }
    return true;
}

struct reach {
    const FileSet *set;
    struct ordering *ordering;
};

static bool reach_file(void *context, FileProto *needed)
{
    struct reach *reach = context;
    return set_place_file(reach->ordering, needed);
}

static bool stop(void *context, FileProto *needed)
{
    (void)context;
    (void)needed;
    return false;
}

static bool needs_others(struct merge *merge, const FileProto *into, const FileProto *rest)
{
    return !set_each_needed(merge->result, (const MessageProto *const *)rest->message_type,
                            rest->n_message_type, into, stop, NULL);
}

/* Would `into` come to depend on itself if it got the messages of `rest`? */
static bool makes_cycle(struct merge *merge, const FileProto *into, const FileProto *rest)
{
    FileSet reached;
    struct ordering ordering;
    struct reach reach = {merge->result, &ordering};
    if (!needs_others(merge, into, rest))
        return false;
    if (!set_ordering_init(&ordering, merge->arena, merge->result, &reached))
        return true;
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]) &&
            !set_link_file(merge, merge->result->file[f]))
            return true;
    if (!set_each_needed(merge->result, (const MessageProto *const *)rest->message_type,
                         rest->n_message_type, into, reach_file, &reach))
        return true;
    for (size_t i = 0; i < reached.n_file; i++)
        if (reached.file[i] == into)
            return true;
    return false;
}

static bool fits_into(struct merge *merge, const FileProto *twin, const FileProto *rest)
{
    return strcmp(text(twin->package), text(rest->package)) == 0 &&
           strcmp(text(twin->syntax), text(rest->syntax)) == 0 && !makes_cycle(merge, twin, rest);
}

static const char *free_name(struct merge *merge, const FileProto *file)
{
    const char *name = text(file->name);
    /* Counted over all files: trying from 2 again for each would be cubic. */
    while (name && set_file(merge->result, name))
        name = arena_printf(merge->arena, "%u/%s", merge->suffix++ + 2, text(file->name));
    return name;
}

static bool merge_file(struct merge *merge, const FileProto *file)
{
    FileProto *twin = set_file(merge->result, text(file->name));
    if (file_is_support(file))
        return twin || !is_options_file(file) || set_add_file(merge, file);
    FileProto *rest = set_empty_copy(merge->arena, file);
    if (!rest || !what_is_new(merge, file, rest))
        return false;
    merge->n_new += rest->n_message_type;
    if (merge->n_new > MODELS_MAX)
        return false;
    if (rest->n_message_type == 0)
        return true;
    if (!twin || !fits_into(merge, twin, rest)) {
        rest->name = (char *)(uintptr_t)free_name(merge, file);
        return rest->name && set_add_file(merge, rest);
    }
    for (size_t m = 0; m < rest->n_message_type; m++)
        if (!set_append(merge->arena, (void ***)&twin->message_type, &twin->n_message_type,
                        rest->message_type[m]))
            return false;
    return true;
}

static Code refuse_changes(struct fault *changes, struct fault *fault)
{
    size_t n = changes->n_violations + changes->n_dropped;
    fault_done(fault);
    *fault = *changes;
    *changes = (struct fault)FAULT_INIT;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the set changes models that are served, which this version can't do: %zu "
                     "change%s",
                     n, n == 1 ? "" : "s");
}

/* Nobody else knows the models yet. Without memory for them, no hints. */
static void keep_warnings(const struct merge *merge, struct models *models)
{
    struct arena *arena = &memory_of(models)->arena;
    for (size_t i = 0; i < merge->n_warnings; i++) {
        char **grown = arena_array(arena, models->n_warnings + 1, sizeof *grown);
        char *copy = arena_strdup(arena, merge->warnings[i]);
        if (!grown || !copy)
            return;
        if (models->n_warnings)
            memcpy(grown, models->warnings, models->n_warnings * sizeof *grown);
        grown[models->n_warnings++] = copy;
        models->warnings = grown;
    }
}

static Code merge_sets(struct merge *merge, const struct models *served,
                       const uint8_t *descriptor_set, size_t len, struct models **ret_models,
                       struct fault *fault)
{
    ProtobufCMessage *given;
    ProtobufCBinaryData packed;
    Code code = scan_unpack(&google__protobuf__file_descriptor_set__descriptor, descriptor_set, len,
                            &scan_limits_descriptor_set, merge->arena, &given, fault);
    if (code != HERO__V1__CODE__OK) {
        fault_prefix(fault, "descriptor_set");
        return fault_set(fault, code,
                         "the descriptor set can't be read; give what protoc --include_imports "
                         "--descriptor_set_out writes");
    }
    if (!set_start(merge, served, NULL))
        return set_too_large(fault);
    const FileSet *set = (const FileSet *)given;
    for (size_t i = 0; i < set->n_file; i++)
        if (!merge_file(merge, set->file[i]))
            return set_too_large(fault);
    if (merge->changes->code != HERO__V1__CODE__OK)
        return refuse_changes(merge->changes, fault);
    /* Of a set without a model, what the union would be says nothing. */
    if (merge->n_models == 0)
        return models_new(descriptor_set, len, ret_models, fault);
    code = set_finish(merge, &packed, fault);
    if (code == HERO__V1__CODE__OK)
        code = models_new(packed.data, packed.len, ret_models, fault);
    if (code == HERO__V1__CODE__OK)
        keep_warnings(merge, *ret_models);
    return code;
}

Code models_merge(const struct models *served, const uint8_t *descriptor_set, size_t len,
                  struct models **ret_models, bool *ret_changed, struct fault *fault)
{
    struct fault unwanted = FAULT_INIT, changes = FAULT_INIT;
    struct arena arena;
    struct models *merged;
    if (!fault)
        fault = &unwanted;
    if (len == 0) {
        Code empty = fault_add(fault, "descriptor_set",
                               "is empty; give what protoc --include_imports "
                               "--descriptor_set_out writes");
        fault_done(&unwanted);
        return empty;
    }
    arena_init(&arena, set_budget(served, len));
    struct merge merge = {.arena = &arena, .changes = &changes};
    Code code = merge_sets(&merge, served, descriptor_set, len, &merged, fault);
    if (code == HERO__V1__CODE__OK) {
        *ret_models = merged;
        *ret_changed = merge.n_new > 0;
    }
    arena_done(&arena);
    fault_done(&changes);
    fault_done(&unwanted);
    return code;
}
