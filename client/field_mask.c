/* Owns the sets of columns by model. Knows models and paths; no records. */
#include <string.h>
#include "field_mask.h"

struct field_mask {
    const struct model *model;
    bool all;
    bool *columns; /* by position */
    struct field_mask *next;
};

static Code no_memory(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "more than %zu bytes are needed",
                     arena->budget);
}

/* By name: models of one version and those of the next are the same here. */
static struct field_mask *find(const struct field_mask *masks, const struct model *model)
{
    while (masks && strcmp(masks->model->name, model->name))
        masks = masks->next;
    return (struct field_mask *)(uintptr_t)masks;
}

Code field_mask_add(struct arena *arena, const struct model *model, char *const *fields, size_t n,
                    struct field_mask **masks, struct fault *fault)
{
    struct field_mask *mask = find(*masks, model);

    if (!mask) {
        mask = arena_alloc(arena, sizeof(*mask));
        if (!mask)
            return no_memory(arena, fault);
        mask->model = model;
        mask->columns = arena_array(arena, model->n_columns + 1, sizeof(*mask->columns));
        if (!mask->columns)
            return no_memory(arena, fault);
        mask->next = *masks;
        *masks = mask;
    }
    mask->all |= n == 0;
    for (size_t i = 0; i < model->n_columns; i++)
        mask->columns[i] |= model->columns[i].primary_key;
    for (size_t i = 0; i < n; i++) {
        const struct column *column = model_column(model, fields[i]);

        if (column)
            mask->columns[column->position] = true;
    }
    return HERO__V1__CODE__OK;
}

static bool is_asked(const char *path, size_t len, Hero__V1__Expansion *const *expansions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(expansions[i]->path) == len && !strncmp(expansions[i]->path, path, len))
            return true;
    return false;
}

/* Every step shows all, but where an expansion says what of it. */
static Code add_path(struct arena *arena, const struct model *model, const char *path,
                     const Hero__V1__Expansion *last, Hero__V1__Expansion *const *expansions,
                     size_t n_expansions, struct field_mask **masks, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (const char *at = path; !code && *at;) {
        size_t len = strcspn(at, ".");
        char *name = arena_alloc(arena, len + 1);
        const struct relationship *relationship;

        if (!name)
            return no_memory(arena, fault);
        memcpy(name, at, len);
        relationship = model_relationship(model, name);
        if (!relationship)
            return code;
        model = relationship->target;
        at += len;
        if (!*at && last)
            code = field_mask_add(arena, model, last->read_mask, last->n_read_mask, masks, fault);
        else if (!is_asked(path, (size_t)(at - path), expansions, n_expansions))
            code = field_mask_add(arena, model, NULL, 0, masks, fault);
        at += *at == '.';
    }
    return code;
}

Code field_mask_expand(struct arena *arena, const struct model *model, char *const *paths,
                       size_t n_paths, Hero__V1__Expansion *const *expansions, size_t n_expansions,
                       struct field_mask **masks, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    for (size_t i = 0; !code && i < n_paths; i++)
        code = add_path(arena, model, paths[i], NULL, expansions, n_expansions, masks, fault);
    for (size_t i = 0; !code && i < n_expansions; i++)
        code = add_path(arena, model, expansions[i]->path, expansions[i], expansions, n_expansions,
                        masks, fault);
    return code;
}

bool field_mask_has(const struct field_mask *masks, const struct column *column)
{
    const struct field_mask *mask = find(masks, column->model);

    return !mask || mask->all || mask->columns[column->position];
}
