/*
 * Owns the first reading of a descriptor set: which messages are models,
 * which fields columns and relationships, and every fault that shows in one
 * field alone. Resolves no names.
 */
#include "model_type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "names.h"

/* More hints than these nobody reads. */
#define WARNINGS_MAX 1024

static void keep_warning(struct builder *builder, char *text)
{
    if (!text || builder->n_warnings >= WARNINGS_MAX)
        return;
    if (builder->n_warnings == builder->max_warnings) {
        size_t max = builder->max_warnings ? builder->max_warnings * 2 : 16;
        char **grown = arena_array(builder->arena, max, sizeof *grown);
        if (!grown)
            return;
        if (builder->n_warnings)
            memcpy(grown, builder->warnings, builder->n_warnings * sizeof *grown);
        builder->warnings = grown;
        builder->max_warnings = max;
    }
    builder->warnings[builder->n_warnings++] = text;
}

void builder_warn(struct builder *builder, const char *path, const char *what)
{
    keep_warning(builder, arena_printf(builder->arena, "%s: %s", path, what));
}

static bool has_our_package(const FileProto *file)
{
    const char *package = file->package ? file->package : "";
    return strcmp(package, "hero") == 0 || strncmp(package, "hero.", 5) == 0 ||
           strcmp(package, "google.protobuf") == 0;
}

static const char *refused_relationship(const struct draft_field *field)
{
    if (field_in_oneof(field->proto))
        return "is a relationship in a oneof, which only columns can be in";
    if (field->column)
        return "is both column and relationship; keep one of the options";
    if (field->proto->label == FIELD_LABEL(REQUIRED))
        return "is required, which no relationship can be; make the foreign key not_null";
    if (field->proto->has_oneof_index && !field->proto->proto3_optional)
        return "is in a oneof, where no relationship can be; declare it outside of it";
    return NULL;
}

static void read_field(struct builder *builder, struct draft *draft, struct draft_field *field)
{
    const FieldProto *proto = field->proto;
    const char *why = NULL;
    field->path =
        arena_printf(builder->arena, "%s.%s", draft->path, proto->name ? proto->name : "");
    if (!field->path)
        return;
    field->column = options_of_column(&builder->options, proto, field->path);
    field->relationship = options_of_relationship(&builder->options, proto, field->path);
    field->is_column = proto->type != FIELD_TYPE(MESSAGE) || !field->relationship;
    if (!proto->name || !*proto->name || proto->number < 1 || proto->number > 536870911)
        why = "has no name or no valid number";
    else if (field->is_column && field->relationship)
        why = "has (hero.relationship), which only a message-typed field can have";
    else
        why = field->is_column ? field_kind(builder, draft, field) : refused_relationship(field);
    if (why)
        fault_add(builder->fault, field->path, "%s", why);
    field->usable = !why;
    draft->n_columns += field->usable && field->is_column;
    draft->n_relationships += field->usable && !field->is_column;
    if (field->usable && proto->label == FIELD_LABEL(REQUIRED))
        builder_warn(builder, field->path,
                     "is declared required, which can neither be left out of a key nor ever be "
                     "dropped; better: optional with (hero.column).not_null");
}

/* A message without a table whose fields have our options is a slip that
 * would otherwise stay unnoticed. */
char *message_slip(struct arena *arena, const FileProto *file, const MessageProto *message)
{
    struct fault ignored = FAULT_INIT;
    struct option_reader reader = {arena, &ignored};
    bool found = false;
    for (size_t i = 0; i < message->n_field && !found; i++)
        found = options_of_column(&reader, message->field[i], "") ||
                options_of_relationship(&reader, message->field[i], "");
    fault_done(&ignored);
    return found ? arena_printf(arena,
                                "%s:%s: has fields with Hero's options but no option (hero.table) "
                                "= {}; no table is made of it",
                                file->name ? file->name : "?", message->name ? message->name : "?")
                 : NULL;
}

static int compare_numbers(const void *a, const void *b)
{
    const struct draft_field *left = *(const struct draft_field *const *)a;
    const struct draft_field *right = *(const struct draft_field *const *)b;
    if (left->proto->number != right->proto->number)
        return left->proto->number < right->proto->number ? -1 : 1;
    return (left > right) - (left < right); /* as declared */
}

static void check_numbers(struct builder *builder, const struct draft *draft)
{
    const struct draft_field **sorted =
        arena_array(builder->arena, draft->n_fields + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < draft->n_fields; i++)
        sorted[i] = &draft->fields[i];
    if (sorted)
        qsort(sorted, draft->n_fields, sizeof *sorted, compare_numbers);
    size_t first = 0;
    for (size_t i = 1; sorted && i < draft->n_fields; i++)
        if (sorted[i]->proto->number != sorted[first]->proto->number)
            first = i;
        else
            fault_add(builder->fault, sorted[i]->path, "has the same number as %s",
                      sorted[first]->proto->name ? sorted[first]->proto->name : "another");
}

static void check_names(struct builder *builder, struct draft *draft)
{
    const char *why = name_refused(draft->table);
    if (has_our_package(draft->file))
        fault_add(builder->fault, draft->path, "the package %s is reserved; choose another",
                  draft->file->package);
    if (why)
        fault_add(builder->fault, draft->path, "can't have a table named \"%s\": %s", draft->table,
                  why);
    if (draft->n_columns > MODEL_MAX_COLUMNS)
        fault_add(builder->fault, draft->path, "has %zu columns; at most %d are taken",
                  draft->n_columns, MODEL_MAX_COLUMNS);
    if (!draft->message->name || !*draft->message->name)
        fault_add(builder->fault, draft->path, "has no name");
    if (draft->file->syntax && strcmp(draft->file->syntax, "editions") == 0)
        fault_add(builder->fault, draft->path,
                  "editions are not supported yet; declare syntax = \"proto2\" or \"proto3\"");
    check_numbers(builder, draft);
}

char *message_full_name(struct arena *arena, const FileProto *file, const MessageProto *message)
{
    const char *package = file->package ? file->package : "";
    return arena_printf(arena, "%s%s%s", package, *package ? "." : "",
                        message->name ? message->name : "");
}

static bool read_message(struct builder *builder, const struct set_type *type, struct draft *draft)
{
    struct arena *arena = builder->arena;
    const MessageProto *message = type->message;
    draft->file = type->file;
    draft->message = message;
    draft->proto3 = type->file->syntax && strcmp(type->file->syntax, "proto3") == 0;
    draft->name = type->name;
    draft->fields = arena_array(arena, message->n_field, sizeof *draft->fields);
    if (!draft->fields)
        return false;
    const char *given = draft->table_options->name;
    draft->table = given ? given : name_of_table(arena, draft->name);
    draft->n_fields = message->n_field;
    for (size_t i = 0; i < message->n_field; i++) {
        draft->fields[i].proto = message->field[i];
        read_field(builder, draft, &draft->fields[i]);
    }
    if (draft->table && !arena->exhausted)
        check_names(builder, draft);
    return draft->table != NULL;
}

bool file_is_support(const FileProto *file)
{
    return file->name && (strcmp(file->name, "hero/options.proto") == 0 ||
                          strncmp(file->name, "google/protobuf/", 16) == 0);
}

static int compare_drafts(const void *a, const void *b, void *by_table)
{
    const struct draft *left = *(const struct draft *const *)a;
    const struct draft *right = *(const struct draft *const *)b;
    return by_table ? strcasecmp(left->table, right->table) : strcmp(left->name, right->name);
}

static struct draft **sorted_drafts(struct builder *builder, bool by_table)
{
    size_t n = builder->n_drafts;
    void *how = by_table ? builder : NULL;
    struct draft **sorted = arena_array(builder->arena, n + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < n; i++)
        sorted[i] = &builder->drafts[i];
    if (sorted)
        qsort_r(sorted, n, sizeof *sorted, compare_drafts, how);
    for (size_t i = 1; sorted && i < n; i++)
        if (compare_drafts(&sorted[i - 1], &sorted[i], how) == 0)
            fault_add(builder->fault, sorted[i]->path,
                      by_table ? "has the same table name (%s) as %s; set (hero.table).name"
                               : "the message %s is declared twice, also in %s",
                      by_table ? sorted[i]->table : sorted[i]->name, sorted[i - 1]->path);
    return sorted;
}

static bool index_drafts(struct builder *builder)
{
    builder->by_name = sorted_drafts(builder, false);
    builder->by_table = sorted_drafts(builder, true);
    return builder->by_name && builder->by_table;
}

/* "heroes.proto:Outer.Inner" */
static const char *type_path(struct builder *builder, const struct set_type *type)
{
    const char *package = type->file->package ? type->file->package : "";
    return arena_printf(builder->arena, "%s:%s", type->file->name ? type->file->name : "?",
                        *package ? type->name + strlen(package) + 1 : type->name);
}

static size_t count_drafts(const struct set_types *types)
{
    size_t n = 0;
    for (size_t i = 0; i < types->n; i++)
        n += types->all[i].message && message_is_model(types->all[i].message);
    return n;
}

static bool read_type(struct builder *builder, const struct set_type *type)
{
    struct draft *draft = &builder->drafts[builder->n_drafts];
    draft->path = type_path(builder, type);
    if (!draft->path)
        return false;
    draft->table_options = options_of_table(&builder->options, type->message, draft->path);
    if (!draft->table_options)
        return true; /* it can't be read, which is told */
    builder->n_drafts++;
    return read_message(builder, type, draft);
}

bool drafts_read(struct builder *builder)
{
    builder->types = arena_alloc(builder->arena, sizeof *builder->types);
    if (!builder->types || !set_types_init(builder->types, builder->arena, builder->memory->set))
        return false;
    builder->drafts =
        arena_array(builder->arena, count_drafts(builder->types) + 1, sizeof *builder->drafts);
    if (!builder->drafts)
        return false;
    for (size_t i = 0; i < builder->types->n; i++) {
        const struct set_type *type = &builder->types->all[i];
        if (!type->message || file_is_support(type->file))
            continue;
        if (!message_is_model(type->message))
            keep_warning(builder, message_slip(builder->arena, type->file, type->message));
        else if (!read_type(builder, type))
            return false;
        if (builder->n_drafts > MODELS_MAX) {
            fault_add(builder->fault, builder->drafts[builder->n_drafts - 1].path,
                      "is one model too many; at most %d are taken", MODELS_MAX);
            return index_drafts(builder);
        }
    }
    return index_drafts(builder) && !builder->arena->exhausted;
}

static int compare_name(const void *name, const void *draft)
{
    return strcmp(name, (*(struct draft *const *)draft)->name);
}

struct draft *draft_by_name(const struct builder *builder, const char *name)
{
    struct draft **found =
        bsearch(name, builder->by_name, builder->n_drafts, sizeof *builder->by_name, compare_name);
    return found ? *found : NULL;
}

static int compare_table(const void *table, const void *draft)
{
    return strcasecmp(table, (*(struct draft *const *)draft)->table);
}

struct draft *draft_by_table(const struct builder *builder, const char *table)
{
    struct draft **found = bsearch(table, builder->by_table, builder->n_drafts,
                                   sizeof *builder->by_table, compare_table);
    return found ? *found : NULL;
}

struct draft *draft_referred(const struct builder *builder, const char *key, const char **rest)
{
    char table[NAME_MAX_BYTES + 1];
    const char *dot;
    while ((dot = strchr(*rest, '.')) != NULL && dot - key <= NAME_MAX_BYTES) {
        memcpy(table, key, (size_t)(dot - key));
        table[dot - key] = '\0';
        *rest = dot + 1;
        struct draft *found = draft_by_table(builder, table);
        if (found)
            return found;
    }
    return NULL;
}
