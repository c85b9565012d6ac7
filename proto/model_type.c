/*
 * Owns the index of a descriptor set's types and the walk along what they
 * use. Builds nothing and refuses nothing.
 */
#include "model_type.h"

#include <stdlib.h>
#include <string.h>

/* ---- the index ---- */

static size_t count_types(const MessageProto *message, unsigned depth)
{
    size_t n = 1 + message->n_enum_type;
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        n += count_types(message->nested_type[i], depth + 1);
    return n;
}

static size_t count_all(const FileSet *set)
{
    size_t n = 0;
    for (size_t f = 0; f < set->n_file; f++) {
        n += set->file[f]->n_enum_type;
        for (size_t m = 0; m < set->file[f]->n_message_type; m++)
            n += count_types(set->file[f]->message_type[m], 0);
    }
    return n;
}

/* One more; its name is that of what it is in, and its own. */
static struct set_type *add_type(struct set_types *types, FileProto *file, const char *outer,
                                 const char *name, struct set_type *within)
{
    struct set_type *type = &types->all[types->n];
    type->name = arena_printf(types->arena, "%s%s%s", outer, *outer ? "." : "", name ? name : "");
    type->file = file;
    type->outer = within;
    types->by_name[types->n++] = type;
    return type->name ? type : NULL;
}

static bool add_enum(struct set_types *types, FileProto *file, const char *outer,
                     const EnumProto *enumeration, struct set_type *within)
{
    struct set_type *type = add_type(types, file, outer, enumeration->name, within);
    if (type)
        type->enumeration = enumeration;
    return type != NULL;
}

static bool add_message(struct set_types *types, FileProto *file, const char *outer,
                        const MessageProto *message, struct set_type *within, unsigned depth)
{
    size_t before = types->n;
    struct set_type *type = add_type(types, file, outer, message->name, within);
    if (!type)
        return false;
    type->message = message;
    for (size_t i = 0; i < message->n_enum_type; i++)
        if (!add_enum(types, file, type->name, message->enum_type[i], type))
            return false;
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        if (!add_message(types, file, type->name, message->nested_type[i], type, depth + 1))
            return false;
    type->n_inside = types->n - before - 1;
    return true;
}

static bool add_file(struct set_types *types, FileProto *file)
{
    const char *package = file->package ? file->package : "";
    for (size_t i = 0; i < file->n_enum_type; i++)
        if (!add_enum(types, file, package, file->enum_type[i], NULL))
            return false;
    for (size_t i = 0; i < file->n_message_type; i++)
        if (!add_message(types, file, package, file->message_type[i], NULL, 0))
            return false;
    return true;
}

static int compare_types(const void *a, const void *b)
{
    const struct set_type *left = *(const struct set_type *const *)a;
    const struct set_type *right = *(const struct set_type *const *)b;
    int order = strcmp(left->name, right->name);
    return order ? order : (left > right) - (left < right); /* the first declared counts */
}

bool set_types_init(struct set_types *types, struct arena *arena, const FileSet *set)
{
    size_t n = count_all(set);
    *types = (struct set_types){.arena = arena};
    types->all = arena_array(arena, n + 1, sizeof *types->all);
    types->by_name = arena_array(arena, n + 1, sizeof *types->by_name);
    if (!types->all || !types->by_name)
        return false;
    for (size_t f = 0; f < set->n_file; f++)
        if (!add_file(types, set->file[f]))
            return false;
    qsort(types->by_name, types->n, sizeof *types->by_name, compare_types);
    return true;
}

struct set_type *set_type_find(const struct set_types *types, const char *name)
{
    size_t low = 0, high = types->n;
    name = full_type_name(name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(types->by_name[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < types->n && strcmp(types->by_name[low]->name, name) == 0 ? types->by_name[low]
                                                                          : NULL;
}

/* ---- what is used ---- */

static bool each_used(const struct set_types *types, const MessageProto *message, visit_type *visit,
                      void *context, unsigned depth)
{
    for (size_t i = 0; i < message->n_field; i++) {
        struct set_type *type = message->field[i]->type_name
                                    ? set_type_find(types, message->field[i]->type_name)
                                    : NULL;
        if (type && !visit(context, type))
            return false;
    }
    for (size_t i = 0; i < message->n_nested_type && depth < NESTED_MAX; i++)
        if (!each_used(types, message->nested_type[i], visit, context, depth + 1))
            return false;
    return true;
}

bool set_types_each_used(const struct set_types *types, const MessageProto *message,
                         visit_type *visit, void *context)
{
    return each_used(types, message, visit, context, 0);
}

struct marking {
    struct set_type **waiting; /* needed, and not walked yet */
    size_t n;
};

static void mark(struct marking *marking, struct set_type *type)
{
    if (type->needed)
        return;
    type->needed = true;
    marking->waiting[marking->n++] = type;
    for (struct set_type *holder = type; holder && !holder->kept; holder = holder->outer)
        holder->kept = true;
}

bool set_types_need(struct set_types *types)
{
    struct marking marking = {
        .waiting = arena_array(types->arena, types->n + 1, sizeof(struct set_type *))};
    if (!marking.waiting)
        return false;
    for (size_t i = 0; i < types->n; i++)
        if (types->all[i].message && message_is_model(types->all[i].message))
            mark(&marking, &types->all[i]);
    while (marking.n > 0) {
        const MessageProto *message = marking.waiting[--marking.n]->message;
        for (size_t i = 0; message && i < message->n_field; i++) {
            struct set_type *used = message->field[i]->type_name
                                        ? set_type_find(types, message->field[i]->type_name)
                                        : NULL;
            if (used)
                mark(&marking, used);
        }
    }
    return true;
}
