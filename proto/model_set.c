/*
 * Owns descriptor sets as Hero keeps them: the models of each file, the
 * messages and enums that their columns need and the files of options, as
 * other protobuf tools take them: a file name once, a message once,
 * dependencies first and without cycles. Also a set less some models, and the
 * part of a set that one model needs.
 */
#include "model_set.h"

#include <stdio.h>
#include <string.h>
#include "model_type.h"

FileProto *set_file(const FileSet *set, const char *name)
{
    for (size_t i = 0; i < set->n_file; i++)
        if (strcmp(text(set->file[i]->name), name) == 0)
            return set->file[i];
    return NULL;
}

bool set_append(struct arena *arena, void ***array, size_t *n, const void *item)
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

MessageProto *set_message(const FileSet *set, const char *full_name, FileProto **ret_file)
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

EnumProto *set_enum(const FileSet *set, const char *package, const char *name)
{
    for (size_t f = 0; f < set->n_file; f++) {
        const FileProto *file = set->file[f];
        if (strcmp(text(file->package), text(package)) != 0)
            continue;
        for (size_t e = 0; e < file->n_enum_type; e++)
            if (strcmp(text(file->enum_type[e]->name), text(name)) == 0)
                return file->enum_type[e];
    }
    return NULL;
}

/* ---- files of the result ---- */

/* A copy that holds the same file, with nothing in it and no dependencies yet. */
FileProto *set_empty_copy(struct arena *arena, const FileProto *file)
{
    FileProto *copy = arena_copy(arena, file, sizeof *copy);
    if (!copy)
        return NULL;
    copy->source_code_info = NULL;
    copy->n_message_type = copy->n_enum_type = copy->n_service = copy->n_extension = 0;
    copy->n_dependency = copy->n_public_dependency = copy->n_weak_dependency = 0;
    copy->message_type = NULL;
    copy->enum_type = NULL;
    copy->dependency = NULL;
    return copy;
}

bool set_add_file(struct merge *merge, const FileProto *file)
{
    return set_append(merge->arena, (void ***)&merge->result->file, &merge->result->n_file, file);
}

bool set_add_message(struct merge *merge, FileProto *file, const MessageProto *message)
{
    return set_append(merge->arena, (void ***)&file->message_type, &file->n_message_type, message);
}

bool set_add_enum(struct merge *merge, FileProto *file, const EnumProto *enumeration)
{
    return set_append(merge->arena, (void ***)&file->enum_type, &file->n_enum_type, enumeration);
}

struct needing {
    const FileProto *self;
    visit_file *visit;
    void *context;
};

static bool need_file(void *context, struct set_type *type)
{
    const struct needing *needing = context;
    return type->file == needing->self || needing->visit(needing->context, type->file);
}

bool set_each_needed(const struct set_types *types, const MessageProto *const *messages, size_t n,
                     const FileProto *self, visit_file *visit, void *context)
{
    struct needing needing = {self, visit, context};
    for (size_t m = 0; m < n; m++)
        if (!set_types_each_used(types, messages[m], need_file, &needing))
            return false;
    return true;
}

/* ---- only what models need ---- */

/* The message less what in it no model needs; *at is its place among the types. */
static MessageProto *needed_part(struct merge *merge, const struct set_types *types, size_t *at)
{
    const struct set_type *type = &types->all[(*at)++];
    size_t end = *at + type->n_inside;
    MessageProto *copy = arena_copy(merge->arena, type->message, sizeof *copy);
    if (!copy)
        return NULL;
    copy->n_enum_type = copy->n_nested_type = copy->n_extension = 0;
    if (!type->needed)
        copy->n_field = copy->n_oneof_decl = 0;
    while (*at < end) {
        const struct set_type *inner = &types->all[*at];
        const MessageProto *part;
        if (!inner->kept) {
            *at += 1 + inner->n_inside;
        } else if (inner->enumeration) {
            ++*at;
            if (!set_append(merge->arena, (void ***)&copy->enum_type, &copy->n_enum_type,
                            inner->enumeration))
                return NULL;
        } else if (!(part = needed_part(merge, types, at)) ||
                   !set_append(merge->arena, (void ***)&copy->nested_type, &copy->n_nested_type,
                               part)) {
            return NULL;
        }
    }
    return copy;
}

static bool keep_type(struct merge *merge, const struct set_types *types, size_t *at)
{
    const struct set_type *type = &types->all[*at];
    if (!type->kept || file_is_support(type->file)) {
        *at += 1 + type->n_inside;
        return true;
    }
    if (type->enumeration) {
        ++*at;
        return set_add_enum(merge, type->file, type->enumeration);
    }
    const MessageProto *part = needed_part(merge, types, at);
    return part && set_add_message(merge, type->file, part);
}

/* Files of the result are copies; those of options stay as they are. */
static bool drop_unneeded(struct merge *merge)
{
    struct set_types types;
    size_t at = 0;
    if (!set_types_init(&types, merge->arena, merge->result) || !set_types_need(&types))
        return false;
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]))
            merge->result->file[f]->n_message_type = merge->result->file[f]->n_enum_type = 0;
    while (at < types.n)
        if (!keep_type(merge, &types, &at))
            return false;
    return true;
}

/* ---- the order of files: dependencies first ---- */

/* Deeper than this no file is looked into: files of sets that other tools
 * made hold a handful of levels. */
#define IMPORTS_MAX 2000

bool set_place_file(struct ordering *ordering, const FileProto *file)
{
    size_t at = 0;
    while (at < ordering->all->n_file && ordering->all->file[at] != file)
        at++;
    if (at == ordering->all->n_file || ordering->seen[at] || ordering->depth > IMPORTS_MAX)
        return true;
    ordering->seen[at] = true; /* before its imports: they may be a cycle */
    ordering->depth++;
    for (size_t i = 0; i < file->n_dependency; i++) {
        const FileProto *needed = set_file(ordering->all, text(file->dependency[i]));
        if (needed && !set_place_file(ordering, needed))
            return false;
    }
    ordering->depth--;
    return set_append(ordering->arena, (void ***)&ordering->ordered->file,
                      &ordering->ordered->n_file, file);
}

bool set_ordering_init(struct ordering *ordering, struct arena *arena, const FileSet *all,
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
    return set_append(linking->arena, (void ***)&file->dependency, &file->n_dependency,
                      text(needed->name));
}

static bool holds_model(const MessageProto *message, unsigned depth)
{
    if (message_is_model(message))
        return true;
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        if (holds_model(message->nested_type[i], depth + 1))
            return true;
    return false;
}

static bool uses_options(const FileProto *file)
{
    for (size_t m = 0; m < file->n_message_type; m++)
        if (holds_model(file->message_type[m], 0))
            return true;
    return false;
}

bool set_link_file(struct merge *merge, const struct set_types *types, FileProto *file)
{
    struct linking linking = {merge->arena, file};
    FileProto *options = set_file(merge->result, "hero/options.proto");
    file->n_dependency = file->n_public_dependency = file->n_weak_dependency = 0;
    file->dependency = NULL;
    if (options && uses_options(file) && !add_dependency(&linking, options))
        return false;
    return set_each_needed(types, (const MessageProto *const *)file->message_type,
                           file->n_message_type, file, add_dependency, &linking);
}

Code set_too_large(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the models take too much memory; apply them in smaller sets");
}

static Code set_pack(const FileSet *set, struct arena *arena, ProtobufCBinaryData *ret,
                     struct fault *fault)
{
    ret->len = protobuf_c_message_get_packed_size(&set->base);
    ret->data = arena_alloc(arena, ret->len);
    if (!ret->data)
        return set_too_large(fault);
    protobuf_c_message_pack(&set->base, ret->data);
    return HERO__V1__CODE__OK;
}

Code set_finish(struct merge *merge, ProtobufCBinaryData *ret_packed, struct fault *fault)
{
    FileSet ordered;
    struct ordering ordering;
    struct set_types types;
    if (!drop_unneeded(merge) || !set_types_init(&types, merge->arena, merge->result))
        return set_too_large(fault);
    for (size_t f = 0; f < merge->result->n_file; f++)
        if (!file_is_support(merge->result->file[f]) &&
            !set_link_file(merge, &types, merge->result->file[f]))
            return set_too_large(fault);
    if (!set_ordering_init(&ordering, merge->arena, merge->result, &ordered))
        return set_too_large(fault);
    for (size_t f = 0; f < merge->result->n_file; f++)
        if ((file_is_support(merge->result->file[f]) || merge->result->file[f]->n_message_type ||
             merge->result->file[f]->n_enum_type) &&
            !set_place_file(&ordering, merge->result->file[f]))
            return set_too_large(fault);
    return set_pack(&ordered, merge->arena, ret_packed, fault);
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

static bool holds_removed(const struct models *served, const bool *removed,
                          const MessageProto *message, unsigned depth)
{
    if (is_removed(served, removed, message))
        return true;
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        if (holds_removed(served, removed, message->nested_type[i], depth + 1))
            return true;
    return false;
}

/* A removed model leaves the message that others may be declared in. */
static MessageProto *without_removed(struct merge *merge, const struct models *served,
                                     const bool *removed, const MessageProto *message,
                                     unsigned depth)
{
    MessageProto *copy = arena_copy(merge->arena, message, sizeof *copy);
    if (!copy || depth >= NESTED_MAX)
        return copy;
    if (is_removed(served, removed, message)) {
        copy->options = NULL;
        copy->n_field = copy->n_oneof_decl = 0;
    }
    copy->nested_type = arena_array(merge->arena, message->n_nested_type + 1, sizeof(void *));
    for (size_t i = 0; copy->nested_type && i < message->n_nested_type; i++)
        if (!(copy->nested_type[i] =
                  without_removed(merge, served, removed, message->nested_type[i], depth + 1)))
            return NULL;
    return copy->nested_type ? copy : NULL;
}

static bool start_file(struct merge *merge, const struct models *served, const bool *removed,
                       const FileProto *file, FileProto *copy)
{
    for (size_t e = 0; e < file->n_enum_type; e++)
        if (!set_add_enum(merge, copy, file->enum_type[e]))
            return false;
    for (size_t m = 0; m < file->n_message_type; m++) {
        const MessageProto *message = file->message_type[m];
        if (removed && holds_removed(served, removed, message, 0))
            message = without_removed(merge, served, removed, message, 0);
        if (!message || !set_add_message(merge, copy, message))
            return false;
    }
    return true;
}

/* Copies of files and lists, since the union changes them and the served set
 * is shared by threads. Leaves out what `removed` says. */
bool set_start(struct merge *merge, const struct models *served, const bool *removed)
{
    const FileSet *set = served ? memory_of(served)->set : NULL;
    merge->result = arena_alloc(merge->arena, sizeof *merge->result);
    if (!merge->result)
        return false;
    google__protobuf__file_descriptor_set__init(merge->result);
    for (size_t i = 0; set && i < set->n_file; i++) {
        const FileProto *file = set->file[i];
        FileProto *copy = file_is_support(file) ? set->file[i] : set_empty_copy(merge->arena, file);
        if (!copy || !set_add_file(merge, copy) ||
            (copy != file && !start_file(merge, served, removed, file, copy)))
            return false;
    }
    return true;
}

size_t set_budget(const struct models *served, size_t len)
{
    return MODELS_BUDGET_LEAST +
           (len + (served ? served->descriptor_set_len : 0)) * MODELS_BUDGET_FACTOR;
}

/* ---- less some models ---- */

/* Those that stay and refer to one that goes. */
static void name_users(const struct models *models, const bool *removed, const struct model *user,
                       struct fault *fault)
{
    for (size_t k = 0; k < user->n_foreign_keys; k++) {
        const struct foreign_key *key = &user->foreign_keys[k];
        if (removed[key->target->position])
            fault_add(fault, user->name, "its column %s refers to %s", key->columns[0]->field_name,
                      key->target->name);
    }
    for (size_t r = 0; r < user->n_relationships; r++) {
        const struct relationship *relationship = &user->relationships[r];
        const struct model *needed =
            removed[relationship->target->position] ? relationship->target : relationship->link;
        if (needed && removed[needed->position])
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
        return set_too_large(fault);
    Code code = mark_removed(served, names, n_names, removed, fault);
    if (code == HERO__V1__CODE__OK)
        code = check_users(served, removed, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < served->n_models; i++)
        n_left += !removed[i];
    if (!set_start(&merge, served, removed))
        return set_too_large(fault);
    if (n_left > 0)
        code = set_finish(&merge, &packed, fault);
    return code == HERO__V1__CODE__OK ? models_new(packed.data, packed.len, ret_models, fault)
                                      : code;
}

Code models_without(const struct models *served, const char *const *names, size_t n_names,
                    struct models **ret_models, struct fault *fault)
{
    struct fault unwanted = FAULT_INIT;
    struct arena arena;
    arena_init(&arena, set_budget(served, 0));
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
    const FileProto *file = set_file(all, text(model->file));
    FileSet part;
    struct ordering ordering;
    if (!file || !set_ordering_init(&ordering, arena, all, &part) ||
        !set_place_file(&ordering, file))
        return set_too_large(fault);
    return set_pack(&part, arena, ret_set, fault);
}
