/*
 * Owns sets as a whole: the union of what is served with a new set, a set
 * less a model, and the part of a set that one model needs.
 *
 * Sets merge by full message name, since two applications may bring the same
 * message in files of different names, or different messages in files of one
 * name. The union keeps the models of each file and the two files of options;
 * it stays a set that other protobuf tools take: a file name once, a message
 * once, dependencies first and without cycles.
 */
#include "model_internal.h"

#include <stdio.h>
#include <string.h>
#include "scan.h"

static struct models_memory *memory_of(const struct models *models)
{
    return (struct models_memory *)(uintptr_t)models;
}

static const char *text(const char *maybe)
{
    return maybe ? maybe : "";
}

struct merge {
    struct arena *arena;
    FileSet *result;
    struct fault *changes; /* a violation per difference to a served model */
    size_t n_models;       /* models in the given set */
    size_t n_new;          /* of these, not served yet */
    char **warnings;
    size_t n_warnings;
};

/* ---- small things ---- */

static FileProto *file_by_name(const FileSet *set, const char *name)
{
    for (size_t i = 0; i < set->n_file; i++)
        if (strcmp(text(set->file[i]->name), name) == 0)
            return set->file[i];
    return NULL;
}

/* Grows by doubling: the size is a power of two whenever it is full. */
static bool append(struct arena *arena, void ***array, size_t *n, const void *item)
{
    if ((*n & (*n - 1)) == 0) {
        void **grown = arena_array(arena, *n ? *n * 2 : 1, sizeof *grown);
        if (!grown)
            return false;
        if (*n)
            memcpy(grown, *array, *n * sizeof *grown);
        *array = grown;
    }
    (*array)[(*n)++] = (void *)(uintptr_t)item;
    return true;
}

static MessageProto *message_in_file(const FileProto *file, const char *full_name)
{
    size_t len = strlen(text(file->package));
    if (len && (strncmp(full_name, file->package, len) != 0 || full_name[len] != '.'))
        return NULL;
    const char *rest = full_name + len + (len ? 1 : 0);
    for (size_t m = 0; m < file->n_message_type; m++)
        if (strcmp(text(file->message_type[m]->name), rest) == 0)
            return file->message_type[m];
    return NULL;
}

static MessageProto *message_by_name(const FileSet *set, const char *full_name,
                                     FileProto **ret_file)
{
    for (size_t f = 0; f < set->n_file; f++) {
        MessageProto *message = message_in_file(set->file[f], full_name);
        if (message) {
            *ret_file = set->file[f];
            return message;
        }
    }
    return NULL;
}

/* ---- files of the result ---- */

/* A copy that holds the same file, with no messages and no dependencies yet. */
static FileProto *empty_copy(struct arena *arena, const FileProto *file)
{
    FileProto *copy = arena_copy(arena, file, sizeof *copy);
    if (!copy)
        return NULL;
    copy->source_code_info = NULL;
    copy->n_message_type = copy->n_enum_type = copy->n_service = copy->n_extension = 0;
    copy->n_dependency = copy->n_public_dependency = copy->n_weak_dependency = 0;
    copy->message_type = NULL;
    copy->dependency = NULL;
    return copy;
}

/* Maps and models inside messages are refused, and only seen where they are kept. */
static bool matters(const MessageProto *nested, unsigned depth)
{
    if (message_is_model(nested) || (nested->options && nested->options->map_entry))
        return true;
    for (size_t i = 0; i < nested->n_nested_type && depth < NESTED_MAX; i++)
        if (matters(nested->nested_type[i], depth + 1))
            return true;
    return false;
}

/* A model alone: its columns and relationships need no nested types. */
static MessageProto *bare_message(struct arena *arena, const MessageProto *message)
{
    MessageProto *copy = arena_copy(arena, message, sizeof *copy);
    if (!copy)
        return NULL;
    copy->n_nested_type = copy->n_enum_type = copy->n_extension = 0;
    copy->nested_type = NULL;
    for (size_t i = 0; i < message->n_nested_type; i++)
        if (matters(message->nested_type[i], 0) &&
            !append(arena, (void ***)&copy->nested_type, &copy->n_nested_type,
                    message->nested_type[i]))
            return NULL;
    if (!message_is_model(message))
        copy->n_field = 0;
    return copy;
}

static bool is_kept(const MessageProto *message)
{
    bool kept = message_is_model(message);
    for (size_t i = 0; i < message->n_nested_type && !kept; i++)
        kept = matters(message->nested_type[i], 0);
    return kept;
}

static bool add_file(struct merge *merge, const FileProto *file)
{
    return append(merge->arena, (void ***)&merge->result->file, &merge->result->n_file, file);
}

static bool add_message(struct merge *merge, FileProto *file, const MessageProto *message)
{
    MessageProto *bare = bare_message(merge->arena, message);
    return bare && append(merge->arena, (void ***)&file->message_type, &file->n_message_type, bare);
}

/* Calls `visit` with each file that the messages of a file need. */
typedef bool visit_file(void *context, FileProto *needed);

static bool each_needed(const FileSet *set, const MessageProto *const *messages, size_t n,
                        const FileProto *self, visit_file *visit, void *context)
{
    FileProto *needed;
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < messages[m]->n_field; i++) {
            const FieldProto *field = messages[m]->field[i];
            if (field->type == FIELD_TYPE(MESSAGE) &&
                message_by_name(set, full_type_name(field->type_name), &needed) && needed != self &&
                !visit(context, needed))
                return false;
        }
    return true;
}

/* ---- the order of files: dependencies first ---- */

struct ordering {
    struct arena *arena;
    const FileSet *all;
    FileSet *ordered;
    bool *seen; /* by position in all */
    unsigned depth;
};

/* Deeper than this no file is looked into: files of sets that other tools
 * made hold a handful of levels. */
#define IMPORTS_MAX 2000

static bool place_file(struct ordering *ordering, const FileProto *file)
{
    size_t at = 0;
    while (at < ordering->all->n_file && ordering->all->file[at] != file)
        at++;
    if (at == ordering->all->n_file || ordering->seen[at] || ordering->depth > IMPORTS_MAX)
        return true;
    ordering->seen[at] = true; /* before its imports: they may be a cycle */
    ordering->depth++;
    for (size_t i = 0; i < file->n_dependency; i++) {
        const FileProto *needed = file_by_name(ordering->all, text(file->dependency[i]));
        if (needed && !place_file(ordering, needed))
            return false;
    }
    ordering->depth--;
    return append(ordering->arena, (void ***)&ordering->ordered->file, &ordering->ordered->n_file,
                  file);
}

static bool ordering_init(struct ordering *ordering, struct arena *arena, const FileSet *all,
                          FileSet *ordered)
{
    google__protobuf__file_descriptor_set__init(ordered);
    *ordering = (struct ordering){.arena = arena, .all = all, .ordered = ordered};
    ordering->seen = arena_array(arena, all->n_file + 1, sizeof *ordering->seen);
    return ordering->seen != NULL;
}

/* ---- finishing a set: dependencies from what the models need ---- */

struct linking {
    struct arena *arena;
    FileProto *file;
};

static bool add_dependency(void *context, FileProto *needed)
{
    struct linking *linking = context;
    FileProto *file = linking->file;
    for (size_t i = 0; i < file->n_dependency; i++)
        if (strcmp(file->dependency[i], text(needed->name)) == 0)
            return true;
    return append(linking->arena, (void ***)&file->dependency, &file->n_dependency,
                  text(needed->name));
}

static bool link_file(struct merge *merge, FileProto *file)
{
    struct linking linking = {merge->arena, file};
    FileProto *options = file_by_name(merge->result, "hero/options.proto");
    file->n_dependency = file->n_public_dependency = file->n_weak_dependency = 0;
    file->dependency = NULL;
    if (options && !add_dependency(&linking, options))
        return false;
    return each_needed(merge->result, (const MessageProto *const *)file->message_type,
                       file->n_message_type, file, add_dependency, &linking);
}

static Code too_large(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the models take too much memory; apply them in smaller sets");
}

static Code pack_set(const FileSet *set, struct arena *arena, ProtobufCBinaryData *ret,
                     struct fault *fault)
{
    ret->len = protobuf_c_message_get_packed_size(&set->base);
    ret->data = arena_alloc(arena, ret->len);
    if (!ret->data)
        return too_large(fault);
    protobuf_c_message_pack(&set->base, ret->data);
    return HERO__V1__CODE__OK;
}

static Code finish(struct merge *merge, ProtobufCBinaryData *ret_packed, struct fault *fault)
{
    FileSet ordered;
    struct ordering ordering;
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]) && !link_file(merge, merge->result->file[f]))
            return too_large(fault);
    if (!ordering_init(&ordering, merge->arena, merge->result, &ordered))
        return too_large(fault);
    for (size_t f = 0; f < merge->result->n_file; f++)
        if ((file_is_support(merge->result->file[f]) || merge->result->file[f]->n_message_type) &&
            !place_file(&ordering, merge->result->file[f]))
            return too_large(fault);
    return pack_set(&ordered, merge->arena, ret_packed, fault);
}

/* `removed` is by the models' positions; NULL: none is. */
static bool is_removed(const struct models *served, const bool *removed,
                       const MessageProto *message)
{
    for (size_t i = 0; removed && i < served->n_models; i++)
        if (served->models[i].proto == message)
            return removed[i];
    return false;
}

/* Copies of files and lists, since the union changes them and the served set
 * is shared by threads. Leaves out what is not a model, and `removed`. */
static bool start_result(struct merge *merge, const struct models *served, const bool *removed)
{
    const FileSet *set = served ? memory_of(served)->set : NULL;
    merge->result = arena_alloc(merge->arena, sizeof *merge->result);
    if (!merge->result)
        return false;
    google__protobuf__file_descriptor_set__init(merge->result);
    for (size_t i = 0; set && i < set->n_file; i++) {
        const FileProto *file = set->file[i];
        FileProto *copy = file_is_support(file) ? set->file[i] : empty_copy(merge->arena, file);
        if (!copy || !add_file(merge, copy))
            return false;
        for (size_t m = 0; copy != file && m < file->n_message_type; m++)
            if (message_is_model(file->message_type[m]) &&
                !is_removed(served, removed, file->message_type[m]) &&
                !add_message(merge, copy, file->message_type[m]))
                return false;
    }
    return true;
}

/* ---- the union ---- */

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
           append(merge->arena, (void ***)&merge->warnings, &merge->n_warnings, warning);
}

/* The messages of a file that the result lacks. One that it has must be the
 * same, if it is a model. */
static bool what_is_new(struct merge *merge, const FileProto *file, FileProto *rest)
{
    for (size_t m = 0; m < file->n_message_type; m++) {
        const MessageProto *message = file->message_type[m];
        FileProto *where = NULL;
        const char *name = message_full_name(merge->arena, file, message);
        const MessageProto *served = name ? message_by_name(merge->result, name, &where) : NULL;
        bool is_model = message_is_model(message);
        if (!name)
            return false;
        merge->n_models += is_model;
        if (served)
            model_changes(where, served, file, message, merge->arena, merge->changes);
        else if (is_kept(message) && !add_message(merge, rest, message))
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
    return place_file(reach->ordering, needed);
}

static bool stop(void *context, FileProto *needed)
{
    (void)context;
    (void)needed;
    return false;
}

static bool needs_others(struct merge *merge, const FileProto *into, const FileProto *rest)
{
    return !each_needed(merge->result, (const MessageProto *const *)rest->message_type,
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
    if (!ordering_init(&ordering, merge->arena, merge->result, &reached))
        return true;
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]) && !link_file(merge, merge->result->file[f]))
            return true;
    if (!each_needed(merge->result, (const MessageProto *const *)rest->message_type,
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
    for (unsigned i = 2; name && file_by_name(merge->result, name); i++)
        name = arena_printf(merge->arena, "%u/%s", i, text(file->name));
    return name;
}

static bool merge_file(struct merge *merge, const FileProto *file)
{
    FileProto *twin = file_by_name(merge->result, text(file->name));
    if (file_is_support(file))
        return twin || !is_options_file(file) || add_file(merge, file);
    FileProto *rest = empty_copy(merge->arena, file);
    if (!rest || !what_is_new(merge, file, rest))
        return false;
    merge->n_new += rest->n_message_type;
    if (rest->n_message_type == 0)
        return true;
    if (!twin || !fits_into(merge, twin, rest)) {
        rest->name = (char *)(uintptr_t)free_name(merge, file);
        return rest->name && add_file(merge, rest);
    }
    for (size_t m = 0; m < rest->n_message_type; m++)
        if (!append(merge->arena, (void ***)&twin->message_type, &twin->n_message_type,
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
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!start_result(merge, served, NULL))
        return too_large(fault);
    const FileSet *set = (const FileSet *)given;
    for (size_t i = 0; i < set->n_file; i++)
        if (!merge_file(merge, set->file[i]))
            return too_large(fault);
    if (merge->changes->code != HERO__V1__CODE__OK)
        return refuse_changes(merge->changes, fault);
    /* Of a set without a model, what the union would be says nothing. */
    if (merge->n_models == 0)
        return models_new(descriptor_set, len, ret_models, fault);
    code = finish(merge, &packed, fault);
    if (code == HERO__V1__CODE__OK)
        code = models_new(packed.data, packed.len, ret_models, fault);
    if (code == HERO__V1__CODE__OK)
        keep_warnings(merge, *ret_models);
    return code;
}

static size_t budget_of(const struct models *served, size_t len)
{
    return MODELS_BUDGET_LEAST +
           (len + (served ? served->descriptor_set_len : 0)) * MODELS_BUDGET_FACTOR;
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
    arena_init(&arena, budget_of(served, len));
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

/* ---- less some models ---- */

/* Those that stay and refer to one that goes. */
static void name_users(const struct models *models, const bool *removed, const struct model *user,
                       struct fault *fault)
{
    for (size_t c = 0; c < user->n_columns; c++) {
        const struct column *to = user->columns[c].foreign_key;
        if (to && removed[to->model->position])
            fault_add(fault, user->name, "its column %s refers to %s", user->columns[c].field_name,
                      to->model->name);
    }
    for (size_t r = 0; r < user->n_relationships; r++) {
        const struct relationship *relationship = &user->relationships[r];
        const struct model *needed =
            removed[relationship->target->position] ? relationship->target : relationship->link;
        if (removed[needed->position])
            fault_add(fault, user->name, "its relationship %s needs %s", relationship->name,
                      models->models[needed->position].name);
    }
}

static Code mark_removed(const struct models *served, const char *const *names, size_t n_names,
                         bool *removed, struct fault *fault)
{
    char path[32];
    for (size_t i = 0; i < n_names; i++) {
        const struct model *model = models_find(served, names[i], fault);
        if (!model) {
            snprintf(path, sizeof path, "names[%zu]", i);
            fault_add(fault, path, "%s", fault->message ? fault->message : "is not served");
            return fault->code;
        }
        removed[model->position] = true;
    }
    return HERO__V1__CODE__OK;
}

static Code check_users(const struct models *served, const bool *removed, struct fault *fault)
{
    for (size_t i = 0; i < served->n_models; i++)
        if (!removed[i])
            name_users(served, removed, &served->models[i], fault);
    if (fault->code == HERO__V1__CODE__OK)
        return HERO__V1__CODE__OK;
    return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                     "other models refer to what is to be removed; remove them together");
}

static Code without(struct arena *arena, const struct models *served, const char *const *names,
                    size_t n_names, struct models **ret_models, struct fault *fault)
{
    struct merge merge = {.arena = arena};
    ProtobufCBinaryData packed = {0, NULL};
    size_t n_left = 0;
    bool *removed = arena_array(arena, served->n_models + 1, sizeof *removed);
    if (!removed)
        return too_large(fault);
    Code code = mark_removed(served, names, n_names, removed, fault);
    if (code == HERO__V1__CODE__OK)
        code = check_users(served, removed, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < served->n_models; i++)
        n_left += !removed[i];
    if (!start_result(&merge, served, removed))
        return too_large(fault);
    if (n_left > 0)
        code = finish(&merge, &packed, fault);
    return code == HERO__V1__CODE__OK ? models_new(packed.data, packed.len, ret_models, fault)
                                      : code;
}

Code models_without(const struct models *served, const char *const *names, size_t n_names,
                    struct models **ret_models, struct fault *fault)
{
    struct fault unwanted = FAULT_INIT;
    struct arena arena;
    arena_init(&arena, budget_of(served, 0));
    Code code = without(&arena, served, names, n_names, ret_models, fault ? fault : &unwanted);
    arena_done(&arena);
    fault_done(&unwanted);
    return code;
}

/* ---- what one model needs ---- */

Code models_descriptor_set_of(const struct model *model, struct arena *arena,
                              ProtobufCBinaryData *ret_set, struct fault *fault)
{
    const FileSet *all = memory_of(model->models)->set;
    const FileProto *file = file_by_name(all, text(model->file));
    FileSet part;
    struct ordering ordering;
    if (!file || !ordering_init(&ordering, arena, all, &part) || !place_file(&ordering, file))
        return too_large(fault);
    return pack_set(&part, arena, ret_set, fault);
}
