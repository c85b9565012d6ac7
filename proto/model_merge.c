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

/* Of protobuf's own files, those that models can need. */
static bool is_kept_file(const FileProto *file)
{
    return strcmp(text(file->name), "hero/options.proto") == 0 ||
           strcmp(text(file->name), "google/protobuf/timestamp.proto") == 0 ||
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

static void take_out_enum(struct merge *merge, const FileProto *given, const EnumProto *enumeration)
{
    const EnumProto *served = set_enum(merge->result, given->package, enumeration->name);
    for (size_t f = 0; served && f < merge->result->n_file; f++) {
        FileProto *file = merge->result->file[f];
        size_t kept = 0;
        for (size_t i = 0; i < file->n_enum_type && !file_is_support(file); i++)
            if (file->enum_type[i] != served)
                file->enum_type[kept++] = file->enum_type[i];
        if (!file_is_support(file))
            file->n_enum_type = kept;
    }
}

static bool same_message(struct merge *merge, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t len = protobuf_c_message_get_packed_size(a);
    if (len != protobuf_c_message_get_packed_size(b))
        return false;
    uint8_t *left = arena_alloc(merge->arena, len), *right = arena_alloc(merge->arena, len);
    if (!left || !right)
        return false;
    protobuf_c_message_pack(a, left);
    protobuf_c_message_pack(b, right);
    return memcmp(left, right, len) == 0;
}

/* The message itself: types declared in it are compared on their own. */
static bool same_fields(struct merge *merge, const MessageProto *a, const MessageProto *b)
{
    MessageProto left = *a, right = *b;
    left.n_nested_type = left.n_enum_type = left.n_extension = 0;
    right.n_nested_type = right.n_enum_type = right.n_extension = 0;
    return same_message(merge, &left.base, &right.base);
}

/* false: no memory. */
static bool same_type(struct merge *merge, const struct set_type *was, const struct set_type *is,
                      bool *ret_same)
{
    struct model_changes changes = {0};
    if (was->enumeration || is->enumeration) {
        *ret_same = was->enumeration && is->enumeration &&
                    same_message(merge, &was->enumeration->base, &is->enumeration->base);
        return true;
    }
    if (!message_is_model(was->message)) {
        *ret_same = same_fields(merge, was->message, is->message);
        return true;
    }
    if (!message_is_model(is->message))
        fault_add(merge->refused, was->name,
                  "is served as a model and has no option (hero.table) here; a model is "
                  "removed by Remove, not by leaving that out");
    if (!message_changes(was->file, was->message, is->file, is->message, merge->arena, &changes))
        return false;
    *ret_same = changes.n == 0;
    return true;
}

/* Extensions of a model are fields that nobody would ever see. */
static bool note_extension(struct merge *merge, const struct set_types *types,
                           const FileProto *file, const FieldProto *extension)
{
    const struct set_type *extended = set_type_find(types, full_type_name(extension->extendee));
    if (!extended || !extended->message || !message_is_model(extended->message))
        return true;
    char *warning = arena_printf(merge->arena,
                                 "%s:%s: extends the model %s; extensions are no columns and are "
                                 "left out, declare it as a field",
                                 text(file->name), text(extension->name), extended->name);
    return warning &&
           set_append(merge->arena, (void ***)&merge->warnings, &merge->n_warnings, warning);
}

static bool note_extensions(struct merge *merge, const struct set_types *types,
                            const FileProto *file)
{
    for (size_t i = 0; i < file->n_extension; i++)
        if (!note_extension(merge, types, file, file->extension[i]))
            return false;
    for (size_t i = 0; i < types->n; i++) {
        const MessageProto *message = types->all[i].message;
        for (size_t k = 0; types->all[i].file == file && message && k < message->n_extension; k++)
            if (!note_extension(merge, types, file, message->extension[k]))
                return false;
    }
    return true;
}

/* Which of its files the given set has changed. */
static bool compare_sets(struct merge *merge, const FileSet *given)
{
    struct set_types served, types;
    merge->anew = arena_array(merge->arena, given->n_file + 1, sizeof *merge->anew);
    if (!merge->anew || !set_types_init(&served, merge->arena, merge->result) ||
        !set_types_init(&types, merge->arena, given) || !set_types_need(&served))
        return false;
    size_t file = 0;
    for (size_t f = 0; f < given->n_file; f++)
        if (!note_extensions(merge, &types, given->file[f]))
            return false;
    for (size_t i = 0; i < types.n; i++) {
        const struct set_type *is = &types.all[i];
        const struct set_type *was = set_type_find(&served, is->name);
        bool same = true;
        while (given->file[file] != is->file)
            file++;
        if (file_is_support(is->file))
            continue;
        if (was && was->needed && !same_type(merge, was, is, &same))
            return false;
        merge->changed = merge->changed || !same;
        merge->anew[file] = merge->anew[file] || !was || !same;
    }
    return true;
}

/* A message of both with the types declared in either; what else it is, it is
 * as given. */
static MessageProto *both_messages(struct merge *merge, const MessageProto *served,
                                   const MessageProto *given, unsigned depth)
{
    MessageProto *both = arena_copy(merge->arena, given, sizeof *both);
    size_t n = given->n_nested_type, at;
    if (!both || depth >= NESTED_MAX)
        return both;
    both->nested_type =
        arena_array(merge->arena, n + served->n_nested_type + 1, sizeof *both->nested_type);
    both->enum_type = arena_array(merge->arena, given->n_enum_type + served->n_enum_type + 1,
                                  sizeof *both->enum_type);
    if (!both->nested_type || !both->enum_type)
        return NULL;
    for (size_t i = 0; i < n; i++)
        both->nested_type[i] = given->nested_type[i];
    for (size_t i = 0; i < served->n_nested_type; i++) {
        MessageProto *inner = served->nested_type[i];
        for (at = 0; at < n && strcmp(text(given->nested_type[at]->name), text(inner->name)); at++)
            ;
        if (at == n)
            both->nested_type[both->n_nested_type++] = inner;
        else if (!(both->nested_type[at] =
                       both_messages(merge, inner, given->nested_type[at], depth + 1)))
            return NULL;
    }
    n = given->n_enum_type;
    for (size_t i = 0; i < n; i++)
        both->enum_type[i] = given->enum_type[i];
    for (size_t i = 0; i < served->n_enum_type; i++) {
        EnumProto *inner = served->enum_type[i];
        for (at = 0; at < n && strcmp(text(given->enum_type[at]->name), text(inner->name)); at++)
            ;
        if (at == n)
            both->enum_type[both->n_enum_type++] = inner;
    }
    return both;
}

/* Where one type of a file is new, all of them come anew from it: so they
 * keep the order in which people wrote them. */
static bool make_room(struct merge *merge, const FileSet *given, FileProto *file, bool anew)
{
    if (file_is_support(file))
        return true;
    for (size_t e = 0; e < file->n_enum_type && anew; e++)
        take_out_enum(merge, file, file->enum_type[e]);
    for (size_t m = 0; m < file->n_message_type; m++) {
        FileProto *where = NULL;
        MessageProto *message = file->message_type[m];
        const char *name = message_full_name(merge->arena, file, message);
        MessageProto *served = name ? set_message(merge->result, name, &where) : NULL;
        if (!name)
            return false;
        if (!served && !replace_renamed(merge, given, file, message))
            return false;
        if (!served || !anew)
            continue;
        take_out(where, served);
        file->message_type[m] = both_messages(merge, served, message, 0);
        if (!file->message_type[m])
            return false;
    }
    return true;
}

/* ---- what comes ---- */

static size_t count_models(const MessageProto *message, unsigned depth)
{
    size_t n = message_is_model(message);
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        n += count_models(message->nested_type[i], depth + 1);
    return n;
}

static bool is_served(const struct models *served, const char *name)
{
    for (size_t i = 0; served && i < served->n_models; i++)
        if (strcmp(served->models[i].name, name) == 0)
            return true;
    return false;
}

/* Models in the message that are served under no such name. */
static size_t count_new_models(struct merge *merge, const char *name, const MessageProto *message,
                               unsigned depth)
{
    size_t n = message_is_model(message) && !is_served(merge->served, name);
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++) {
        const MessageProto *inner = message->nested_type[i];
        const char *path = arena_printf(merge->arena, "%s.%s", name, text(inner->name));
        n += path ? count_new_models(merge, path, inner, depth + 1) : 0;
    }
    return n;
}

/* The messages and enums of a file that the result lacks. */
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
        size_t n_models = count_models(message, 0);
        merge->n_models += n_models;
        if (!served) {
            merge->n_new += count_new_models(merge, name, message, 0);
            if (!set_add_message(merge, rest, message))
                return false;
        }
        if (!is_model && !note_slip(merge, file, message))
            return false;
    }
    for (size_t e = 0; e < file->n_enum_type; e++)
        if (!set_enum(merge->result, file->package, file->enum_type[e]->name) &&
            !set_add_enum(merge, rest, file->enum_type[e]))
            return false;
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
    struct set_types types;
    return set_types_init(&types, merge->arena, merge->result) &&
           !set_each_needed(&types, (const MessageProto *const *)rest->message_type,
                            rest->n_message_type, into, stop, NULL);
}

/* Would `into` come to depend on itself if it got the messages of `rest`? */
static bool makes_cycle(struct merge *merge, const FileProto *into, const FileProto *rest)
{
    FileSet reached;
    struct ordering ordering;
    struct reach reach = {merge->result, &ordering};
    struct set_types types;
    if (!needs_others(merge, into, rest))
        return false;
    if (!set_ordering_init(&ordering, merge->arena, merge->result, &reached) ||
        !set_types_init(&types, merge->arena, merge->result))
        return true;
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]) &&
            !set_link_file(merge, &types, merge->result->file[f]))
            return true;
    if (!set_each_needed(&types, (const MessageProto *const *)rest->message_type,
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
        return twin || !is_kept_file(file) || set_add_file(merge, file);
    FileProto *rest = set_empty_copy(merge->arena, file);
    if (!rest || !what_is_new(merge, file, rest))
        return false;
    if (merge->n_new > MODELS_MAX)
        return false;
    if (rest->n_message_type == 0 && rest->n_enum_type == 0)
        return true;
    if (!twin || !fits_into(merge, twin, rest)) {
        rest->name = (char *)(uintptr_t)free_name(merge, file);
        return rest->name && set_add_file(merge, rest);
    }
    for (size_t m = 0; m < rest->n_message_type; m++)
        if (!set_add_message(merge, twin, rest->message_type[m]))
            return false;
    for (size_t e = 0; e < rest->n_enum_type; e++)
        if (!set_add_enum(merge, twin, rest->enum_type[e]))
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
    if (!compare_sets(merge, set))
        return set_too_large(fault);
    for (size_t i = 0; i < set->n_file; i++)
        if (!make_room(merge, set, set->file[i], merge->anew[i]))
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
