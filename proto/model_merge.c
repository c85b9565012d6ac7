/*
 * Owns sets as a whole: the union of what is served with a new set, a set
 * less a model, and the part of a set that one model needs.
 *
 * Sets merge by full message name, since two applications may bring the same
 * message in files of different names, or different messages in files of one
 * name. The union stays a set that other protobuf tools take: a file name
 * once, a message once, dependencies by file name.
 */
#include "model_internal.h"

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

static const char *full_name(struct arena *arena, const FileProto *file,
                             const MessageProto *message)
{
    const char *package = text(file->package);
    return arena_printf(arena, "%s%s%s", package, *package ? "." : "", text(message->name));
}

/* ---- comparing a message with the served one ---- */

struct comparison {
    struct arena *arena;
    struct option_reader options;
    struct fault *fault; /* gets a violation per difference */
    const char *path;
};

static const FieldProto *field_by_number(const MessageProto *message, int number)
{
    for (size_t i = 0; i < message->n_field; i++)
        if (message->field[i]->number == number)
            return message->field[i];
    return NULL;
}

static bool same_packed(const ProtobufCMessage *a, const ProtobufCMessage *b, struct arena *arena)
{
    if (!a || !b)
        return a == b;
    size_t len_a = protobuf_c_message_get_packed_size(a);
    size_t len_b = protobuf_c_message_get_packed_size(b);
    uint8_t *bytes = len_a == len_b ? arena_alloc(arena, len_a + len_b) : NULL;
    if (!bytes)
        return false;
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + len_a);
    return memcmp(bytes, bytes + len_a, len_a) == 0;
}

/* {} and no options at all say the same. */
static bool same_options(const ProtobufCMessage *a, const ProtobufCMessage *b, struct arena *arena)
{
    if (a && protobuf_c_message_get_packed_size(a) == 0)
        a = NULL;
    if (b && protobuf_c_message_get_packed_size(b) == 0)
        b = NULL;
    return same_packed(a, b, arena);
}

static void compare_field(struct comparison *comparison, const FieldProto *served,
                          const FieldProto *given)
{
    struct fault *fault = comparison->fault;
    struct option_reader *reader = &comparison->options;
    const char *path =
        arena_printf(comparison->arena, "%s.%s", comparison->path, text(given->name));
    if (!path)
        return;
    if (strcmp(text(served->name), text(given->name)) != 0)
        fault_add(fault, path, "number %d was called %s", given->number, text(served->name));
    if (served->type != given->type || strcmp(text(served->type_name), text(given->type_name)) != 0)
        fault_add(fault, path, "has another type than served");
    if (served->label != given->label || served->proto3_optional != given->proto3_optional)
        fault_add(fault, path, "is optional, required or repeated otherwise than served");
    if (!same_options((ProtobufCMessage *)options_of_column(reader, served, path),
                      (ProtobufCMessage *)options_of_column(reader, given, path),
                      comparison->arena))
        fault_add(fault, path, "has other (hero.column) options than served");
    if (!same_options((ProtobufCMessage *)options_of_relationship(reader, served, path),
                      (ProtobufCMessage *)options_of_relationship(reader, given, path),
                      comparison->arena))
        fault_add(fault, path, "has other (hero.relationship) options than served");
}

static void compare_messages(struct comparison *comparison, const MessageProto *served,
                             const MessageProto *given)
{
    struct option_reader *reader = &comparison->options;
    if (!same_options((ProtobufCMessage *)options_of_table(reader, served, comparison->path),
                      (ProtobufCMessage *)options_of_table(reader, given, comparison->path),
                      comparison->arena))
        fault_add(comparison->fault, comparison->path,
                  "has other (hero.table) options than served");
    for (size_t i = 0; i < given->n_field; i++) {
        const FieldProto *other = field_by_number(served, given->field[i]->number);
        if (other)
            compare_field(comparison, other, given->field[i]);
        else
            fault_add(comparison->fault, comparison->path, "gains the field %s",
                      text(given->field[i]->name));
    }
    for (size_t i = 0; i < served->n_field; i++)
        if (!field_by_number(given, served->field[i]->number))
            fault_add(comparison->fault, comparison->path, "loses the field %s",
                      text(served->field[i]->name));
}

/* ---- the union ---- */

struct merge {
    struct arena *arena;
    FileSet *result;
    struct fault *fault;
    bool changed;
};

static FileProto *file_by_name(const FileSet *set, const char *name)
{
    for (size_t i = 0; i < set->n_file; i++)
        if (strcmp(text(set->file[i]->name), name) == 0)
            return set->file[i];
    return NULL;
}

static const MessageProto *message_by_name(struct merge *merge, const char *name,
                                           const FileProto **ret_file)
{
    for (size_t f = 0; f < merge->result->n_file; f++) {
        const FileProto *file = merge->result->file[f];
        size_t len = strlen(text(file->package));
        if (strncmp(name, text(file->package), len) != 0 || (len && name[len] != '.'))
            continue;
        const char *rest = name + len + (len ? 1 : 0);
        for (size_t m = 0; m < file->n_message_type; m++)
            if (strcmp(text(file->message_type[m]->name), rest) == 0) {
                *ret_file = file;
                return file->message_type[m];
            }
    }
    return NULL;
}

static bool append(struct arena *arena, void ***array, size_t *n, void *item)
{
    void **grown = arena_array(arena, *n + 1, sizeof *grown);
    if (!grown)
        return false;
    if (*n)
        memcpy(grown, *array, *n * sizeof *grown);
    grown[(*n)++] = item;
    *array = grown;
    return true;
}

static bool add_dependency(struct merge *merge, FileProto *file, const char *name)
{
    if (strcmp(text(file->name), name) == 0)
        return true;
    for (size_t i = 0; i < file->n_dependency; i++)
        if (strcmp(file->dependency[i], name) == 0)
            return true;
    return append(merge->arena, (void ***)&file->dependency, &file->n_dependency,
                  (void *)(uintptr_t)name);
}

static bool is_support(const FileProto *file)
{
    const char *package = text(file->package);
    return strcmp(package, "hero") == 0 || strcmp(package, "google.protobuf") == 0;
}

/* A served model that comes again must be the same; anything else that is
 * there already is kept as it is. */
static void compare_with_served(struct merge *merge, const FileProto *file,
                                const MessageProto *served, const MessageProto *given)
{
    struct fault unreadable = FAULT_INIT;
    const char *path = arena_printf(merge->arena, "%s:%s", text(file->name), text(given->name));
    struct comparison comparison = {
        merge->arena, {merge->arena, &unreadable}, merge->fault, path ? path : ""};
    if (options_of_table(&comparison.options, served, comparison.path) &&
        !same_packed(&served->base, &given->base, merge->arena))
        compare_messages(&comparison, served, given);
    fault_done(&unreadable);
}

/* The messages of a file that the result lacks, in a shallow copy of it. */
static FileProto *what_is_new(struct merge *merge, const FileProto *file)
{
    FileProto *rest = arena_copy(merge->arena, file, sizeof *rest);
    if (!rest)
        return NULL;
    rest->source_code_info = NULL;
    rest->message_type = NULL;
    rest->n_message_type = 0;
    rest->n_public_dependency = rest->n_weak_dependency = 0;
    for (size_t m = 0; m < file->n_message_type; m++) {
        const FileProto *where;
        const char *name = full_name(merge->arena, file, file->message_type[m]);
        const MessageProto *served = name ? message_by_name(merge, name, &where) : NULL;
        if (!name)
            return NULL;
        if (served)
            compare_with_served(merge, file, served, file->message_type[m]);
        if (served ? !add_dependency(merge, rest, where->name)
                   : !append(merge->arena, (void ***)&rest->message_type, &rest->n_message_type,
                             file->message_type[m]))
            return NULL;
    }
    return rest;
}

static const char *free_name(struct merge *merge, const FileProto *file)
{
    const char *name = text(file->name);
    for (unsigned i = 2; name && file_by_name(merge->result, name); i++)
        name = arena_printf(merge->arena, "%u/%s", i, text(file->name));
    return name;
}

static bool add_to_file(struct merge *merge, FileProto *into, const FileProto *rest)
{
    for (size_t m = 0; m < rest->n_message_type; m++)
        if (!append(merge->arena, (void ***)&into->message_type, &into->n_message_type,
                    rest->message_type[m]))
            return false;
    for (size_t d = 0; d < rest->n_dependency; d++)
        if (!add_dependency(merge, into, rest->dependency[d]))
            return false;
    return true;
}

static bool merge_file(struct merge *merge, const FileProto *file)
{
    FileProto *twin = file_by_name(merge->result, text(file->name));
    if (is_support(file))
        return twin || append(merge->arena, (void ***)&merge->result->file, &merge->result->n_file,
                              (void *)(uintptr_t)file);
    FileProto *rest = what_is_new(merge, file);
    if (!rest)
        return false;
    /* Nothing new: yet the name must stay where other files import it. */
    if (rest->n_message_type == 0 && (twin || file->n_message_type + file->n_enum_type == 0))
        return true;
    merge->changed = merge->changed || rest->n_message_type > 0;
    if (twin && strcmp(text(twin->package), text(file->package)) == 0 &&
        strcmp(text(twin->syntax), text(file->syntax)) == 0)
        return add_to_file(merge, twin, rest);
    rest->name = (char *)(uintptr_t)free_name(merge, file);
    return rest->name &&
           append(merge->arena, (void ***)&merge->result->file, &merge->result->n_file, rest);
}

static Code pack_set(const FileSet *set, struct arena *arena, ProtobufCBinaryData *ret,
                     struct fault *fault)
{
    ret->len = protobuf_c_message_get_packed_size(&set->base);
    ret->data = arena_alloc(arena, ret->len);
    if (!ret->data)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the set of models is too large");
    protobuf_c_message_pack(&set->base, ret->data);
    return HERO__V1__CODE__OK;
}

/* Copies of the files, since the union adds to them and the served set is
 * shared by threads. */
static bool start_result(struct merge *merge, const struct models *served)
{
    merge->result = arena_alloc(merge->arena, sizeof *merge->result);
    if (!merge->result)
        return false;
    google__protobuf__file_descriptor_set__init(merge->result);
    const FileSet *set = served ? memory_of(served)->set : NULL;
    for (size_t i = 0; set && i < set->n_file; i++) {
        FileProto *copy = arena_copy(merge->arena, set->file[i], sizeof *copy);
        if (!copy ||
            !append(merge->arena, (void ***)&merge->result->file, &merge->result->n_file, copy))
            return false;
    }
    return true;
}

static Code too_large(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the models take too much memory; apply them in smaller sets");
}

static Code merge_sets(struct merge *merge, const struct models *served,
                       const uint8_t *descriptor_set, size_t len, struct models **ret_models)
{
    ProtobufCMessage *given;
    ProtobufCBinaryData packed;
    Code code = scan_unpack(&google__protobuf__file_descriptor_set__descriptor, descriptor_set, len,
                            &scan_limits_descriptor_set, merge->arena, &given, merge->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!start_result(merge, served))
        return too_large(merge->fault);
    struct fault changes = FAULT_INIT, *fault = merge->fault;
    merge->fault = &changes;
    const FileSet *set = (const FileSet *)given;
    for (size_t i = 0; i < set->n_file; i++)
        if (!merge_file(merge, set->file[i])) {
            fault_done(&changes);
            return too_large(fault);
        }
    merge->fault = fault;
    if (changes.code != HERO__V1__CODE__OK) {
        fault_done(fault);
        *fault = changes;
        return fault_set(fault, HERO__V1__CODE__FAILED_PRECONDITION,
                         "the set changes models that are served, which this version can't do: %zu "
                         "change%s",
                         changes.n_violations + changes.n_dropped,
                         changes.n_violations + changes.n_dropped == 1 ? "" : "s");
    }
    code = pack_set(merge->result, merge->arena, &packed, fault);
    return code == HERO__V1__CODE__OK ? models_new(packed.data, packed.len, ret_models, fault)
                                      : code;
}

Code models_merge(const struct models *served, const uint8_t *descriptor_set, size_t len,
                  struct models **ret_models, bool *ret_changed, struct fault *fault)
{
    struct fault unwanted = FAULT_INIT;
    struct arena arena;
    struct models *alone;
    if (len == 0)
        return fault_add(fault, "descriptor_set",
                         "is empty; give what protoc --include_imports "
                         "--descriptor_set_out writes");
    arena_init(&arena, MODELS_BUDGET_LEAST + (len + (served ? served->descriptor_set_len : 0)) *
                                                 MODELS_BUDGET_FACTOR);
    struct merge merge = {&arena, NULL, fault ? fault : &unwanted, false};
    Code code = merge_sets(&merge, served, descriptor_set, len, &alone);
    if (code == HERO__V1__CODE__OK) {
        *ret_models = alone;
        *ret_changed = merge.changed;
    }
    arena_done(&arena);
    fault_done(&unwanted);
    return code;
}

/* ---- less one model ---- */

static void name_users(const struct model *removed, struct fault *fault)
{
    const struct models *models = removed->models;
    for (size_t m = 0; m < models->n_models; m++) {
        const struct model *user = &models->models[m];
        for (size_t c = 0; c < user->n_columns && user != removed; c++)
            if (user->columns[c].foreign_key && user->columns[c].foreign_key->model == removed)
                fault_add(fault, user->name, "its column %s refers to %s",
                          user->columns[c].field_name, removed->name);
        for (size_t r = 0; r < user->n_relationships && user != removed; r++) {
            const struct relationship *relationship = &user->relationships[r];
            if (relationship->target == removed || relationship->link == removed)
                fault_add(fault, user->name, "its relationship %s needs %s", relationship->name,
                          removed->name);
        }
    }
}

static void drop_message(FileSet *set, const MessageProto *message)
{
    for (size_t f = 0; f < set->n_file; f++) {
        FileProto *file = set->file[f];
        size_t kept = 0;
        for (size_t m = 0; m < file->n_message_type; m++)
            if (file->message_type[m] != message)
                file->message_type[kept++] = file->message_type[m];
        file->n_message_type = kept;
    }
}

static Code without(struct arena *arena, const struct model *removed, struct models **ret_models,
                    struct fault *fault)
{
    struct merge merge = {.arena = arena, .fault = fault};
    ProtobufCBinaryData packed = {0, NULL};
    bool any = removed->models->n_models > 1;
    if (!start_result(&merge, removed->models))
        return too_large(fault);
    for (size_t f = 0; f < merge.result->n_file; f++) {
        FileProto *file = merge.result->file[f];
        file->message_type =
            arena_copy(arena, file->message_type, file->n_message_type * sizeof(void *));
        if (!file->message_type)
            return too_large(fault);
    }
    drop_message(merge.result, removed->proto);
    Code code = any ? pack_set(merge.result, arena, &packed, fault) : HERO__V1__CODE__OK;
    return code == HERO__V1__CODE__OK ? models_new(packed.data, packed.len, ret_models, fault)
                                      : code;
}

Code models_without(const struct models *served, const char *name, struct models **ret_models,
                    struct fault *fault)
{
    struct fault users = FAULT_INIT;
    const struct model *removed = models_find(served, name, fault);
    if (!removed)
        return fault ? fault->code : HERO__V1__CODE__NOT_FOUND;
    name_users(removed, &users);
    if (users.code != HERO__V1__CODE__OK) {
        fault_set(&users, HERO__V1__CODE__FAILED_PRECONDITION,
                  "%s can't be removed while other models refer to it", removed->name);
        if (fault) {
            fault_done(fault);
            *fault = users;
        } else {
            fault_done(&users);
        }
        return HERO__V1__CODE__FAILED_PRECONDITION;
    }
    struct arena arena;
    arena_init(&arena, MODELS_BUDGET_LEAST + served->descriptor_set_len * MODELS_BUDGET_FACTOR);
    Code code = without(&arena, removed, ret_models, fault);
    arena_done(&arena);
    return code;
}

/* ---- what one model needs ---- */

static bool take_with_imports(const FileSet *all, const char *name, FileSet *part,
                              struct arena *arena, unsigned depth)
{
    FileProto *file = file_by_name(all, name);
    if (!file || file_by_name(part, name) || depth > 64)
        return true;
    for (size_t i = 0; i < file->n_dependency; i++)
        if (!take_with_imports(all, file->dependency[i], part, arena, depth + 1))
            return false;
    return file_by_name(part, name) || append(arena, (void ***)&part->file, &part->n_file, file);
}

Code models_descriptor_set_of(const struct model *model, struct arena *arena,
                              ProtobufCBinaryData *ret_set, struct fault *fault)
{
    FileSet part = GOOGLE__PROTOBUF__FILE_DESCRIPTOR_SET__INIT;
    if (!take_with_imports(memory_of(model->models)->set, text(model->file), &part, arena, 0))
        return too_large(fault);
    return pack_set(&part, arena, ret_set, fault);
}
