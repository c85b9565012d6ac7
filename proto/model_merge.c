/*
 * Owns the union of what is served with a new set.
 *
 * Sets merge by full message name, since two applications may bring the same
 * message in files of different names, or different messages in files of one
 * name. A served model that comes again in other words replaces the one that
 * is served, as does one that says by renamed_from that it was it; what that
 * means for the tables is the store's to find out.
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

/* ---- what goes, since the set brings it anew ---- */

static void take_out(FileProto *file, const MessageProto *message)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->n_message_type; i++)
        if (file->message_type[i] != message)
            file->message_type[kept++] = file->message_type[i];
    file->n_message_type = kept;
}

static bool holds_message(struct merge *merge, const FileSet *set, const char *name)
{
    for (size_t f = 0; f < set->n_file; f++)
        for (size_t m = 0; m < set->file[f]->n_message_type; m++) {
            const char *other =
                message_full_name(merge->arena, set->file[f], set->file[f]->message_type[m]);
            if (other && strcmp(other, name) == 0)
                return true;
        }
    return false;
}

/* The model that `message`, not served by its own name, says it was. */
static bool replace_renamed(struct merge *merge, const FileSet *given, const FileProto *file,
                            const MessageProto *message)
{
    struct fault ignored = FAULT_INIT; /* told when the models are made */
    struct option_reader reader = {merge->arena, &ignored};
    const char *path = arena_printf(merge->arena, "%s:%s", text(file->name), text(message->name));
    const Hero__TableOptions *options = path ? options_of_table(&reader, message, path) : NULL;
    const struct model *before = NULL;
    FileProto *where = NULL;
    MessageProto *served;
    fault_done(&ignored);
    if (options && options->renamed_from && merge->served)
        before = models_renamed(merge->served, options->renamed_from);
    if (!before)
        return path != NULL;
    served = set_message(merge->result, before->name, &where);
    if (holds_message(merge, given, before->name))
        fault_add(merge->refused, path,
                  "its (hero.table).renamed_from names %s, which the set declares too; only one "
                  "of them can be what was served as %s",
                  before->name, before->name);
    else if (!served)
        fault_add(merge->refused, path,
                  "its (hero.table).renamed_from names %s, as that of another model does",
                  before->name);
    else
        take_out(where, served);
    merge->changed = true;
    return true;
}

/* Is the message served, and like this? *ret_served: NULL where it isn't. */
static bool compare_served(struct merge *merge, const FileProto *file, const MessageProto *message,
                           FileProto **ret_where, MessageProto **ret_served, bool *ret_same)
{
    struct model_changes changes = {0};
    const char *name = message_full_name(merge->arena, file, message);
    *ret_same = true;
    if (!name)
        return false;
    *ret_served = set_message(merge->result, name, ret_where);
    if (!*ret_served)
        return true;
    if (!message_changes(*ret_where, *ret_served, file, message, merge->arena, &changes))
        return false;
    *ret_same = changes.n == 0;
    if (!message_is_model(message) && message_is_model(*ret_served))
        fault_add(merge->refused, name,
                  "is served as a model and has no option (hero.table) here; a model is "
                  "removed by Remove, not by leaving that out");
    return true;
}

static bool is_changed(struct merge *merge, const FileProto *file, bool *ret_changed)
{
    for (size_t m = 0; m < file->n_message_type; m++) {
        FileProto *where = NULL;
        MessageProto *served = NULL;
        bool same;
        if (!compare_served(merge, file, file->message_type[m], &where, &served, &same))
            return false;
        *ret_changed = *ret_changed || !same;
    }
    return true;
}

/* Where one message of a file is new, all of them come anew from it: so they
 * keep the order in which people wrote them. */
static bool make_room(struct merge *merge, const FileSet *given, const FileProto *file)
{
    bool changed = false, same;
    if (file_is_support(file))
        return true;
    if (!is_changed(merge, file, &changed))
        return false;
    merge->changed = merge->changed || changed;
    for (size_t m = 0; m < file->n_message_type; m++) {
        FileProto *where = NULL;
        MessageProto *served = NULL, *message = file->message_type[m];
        if (!compare_served(merge, file, message, &where, &served, &same))
            return false;
        if (served && changed)
            take_out(where, served);
        else if (!served && !replace_renamed(merge, given, file, message))
            return false;
    }
    return true;
}

/* ---- what comes ---- */

/* The messages of a file that the result lacks. */
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
        if (!served && is_kept(message) && !set_add_message(merge, rest, message))
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

static Code refuse(struct fault *refused, struct fault *fault)
{
    fault_done(fault);
    *fault = *refused;
    *refused = (struct fault)FAULT_INIT;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "the set can't be merged with what is served: %s: %s",
                     fault->violations[0].path, fault->violations[0].description);
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
        if (!make_room(merge, set, set->file[i]))
            return set_too_large(fault);
    for (size_t i = 0; i < set->n_file; i++)
        if (!merge_file(merge, set->file[i]))
            return set_too_large(fault);
    if (merge->refused->code != HERO__V1__CODE__OK)
        return refuse(merge->refused, fault);
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
    struct fault unwanted = FAULT_INIT, refused = FAULT_INIT;
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
    struct merge merge = {.arena = &arena, .served = served, .refused = &refused};
    Code code = merge_sets(&merge, served, descriptor_set, len, &merged, fault);
    if (code == HERO__V1__CODE__OK) {
        *ret_models = merged;
        *ret_changed = merge.n_new > 0 || merge.changed;
    }
    arena_done(&arena);
    fault_done(&refused);
    fault_done(&unwanted);
    return code;
}
