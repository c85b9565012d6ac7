/*
 * Owns relationships: which link model joins which two models by which
 * columns, and whether both sides say the same.
 */
#include "model_internal.h"

#include <string.h>
#include <strings.h>

static const struct model *model_by_name(const struct builder *builder, const char *name)
{
    const struct draft *draft = draft_by_name(builder, name);
    return draft ? draft->model : NULL;
}

/* As protobuf resolves type names: in the package, then outwards. A table's
 * name is taken too. */
static const struct model *resolve_link(const struct builder *builder, const struct draft *draft,
                                        const char *name)
{
    const char *package = draft->file->package ? draft->file->package : "";
    if (*name == '.')
        return model_by_name(builder, name + 1);
    for (size_t len = strlen(package); len > 0; len--) {
        if (package[len] != '\0' && package[len] != '.')
            continue;
        char *full = arena_printf(builder->arena, "%.*s.%s", (int)len, package, name);
        const struct model *model = full ? model_by_name(builder, full) : NULL;
        if (model)
            return model;
    }
    const struct model *model = model_by_name(builder, name);
    for (size_t i = 0; !model && i < builder->memory->public.n_models; i++)
        if (strcasecmp(builder->memory->public.models[i].table, name) == 0)
            model = &builder->memory->public.models[i];
    return model;
}

/* A link model's primary key is two foreign keys. */
static bool is_link_model(const struct model *model)
{
    return model->n_primary_key == 2 && model->primary_key[0]->foreign_key &&
           model->primary_key[1]->foreign_key;
}

static bool refers_to(const struct column *column, const struct model *model)
{
    return column->foreign_key->model == model && column->foreign_key->primary_key &&
           model->n_primary_key == 1;
}

static const struct column *find_named_end(struct builder *builder, const char *path,
                                           const struct relationship *relationship,
                                           const char *name)
{
    for (size_t i = 0; i < 2; i++)
        if (strcmp(relationship->link->primary_key[i]->field_name, name) == 0)
            return relationship->link->primary_key[i];
    fault_add(builder->fault, path, "its link_from \"%s\" is not a key column of %s", name,
              relationship->link->name);
    return NULL;
}

static void find_ends(struct builder *builder, const char *path,
                      const Hero__RelationshipOptions *options, struct relationship *relationship)
{
    const struct column *const *key = relationship->link->primary_key;
    const struct column *from = NULL;
    bool first = refers_to(key[0], relationship->model) && refers_to(key[1], relationship->target);
    bool second = refers_to(key[1], relationship->model) && refers_to(key[0], relationship->target);
    if (options->link_from) {
        from = find_named_end(builder, path, relationship, options->link_from);
        if (!from)
            return;
        if (!(from == key[0] ? first : second)) {
            fault_add(builder->fault, path, "its link_from \"%s\" does not refer to the key of %s",
                      options->link_from, relationship->model->name);
            return;
        }
    } else if (first && second) {
        fault_add(builder->fault, path,
                  "both key columns of %s refer to %s; say with link_from which one is this end",
                  relationship->link->name, relationship->model->name);
        return;
    } else if (first || second) {
        from = first ? key[0] : key[1];
    } else {
        fault_add(builder->fault, path,
                  "the keys of its link model %s do not refer to the primary keys of %s and %s",
                  relationship->link->name, relationship->model->name, relationship->target->name);
        return;
    }
    relationship->link_from = from;
    relationship->link_to = from == key[0] ? key[1] : key[0];
}

/* Linking writes the two keys and defaults: a column that needs more would
 * make every link fail. */
static bool check_own_columns(struct builder *builder, const char *path, const struct model *link)
{
    for (size_t i = 0; i < link->n_columns; i++) {
        const struct column *column = &link->columns[i];
        if (column->primary_key || !column->not_null || column->default_kind != DEFAULT_NONE)
            continue;
        fault_add(builder->fault, path,
                  "its link_model %s has the column %s, which is required and has no default: "
                  "linking could not fill it yet; give it a default or let it be NULL",
                  link->name, column->field_name);
        return false;
    }
    return true;
}

static void resolve(struct builder *builder, const struct draft *draft,
                    const struct draft_field *field, struct relationship *relationship)
{
    const char *type = full_type_name(field->proto->type_name);
    const char *link = field->relationship->link_model;
    relationship->target = model_by_name(builder, type);
    relationship->link = resolve_link(builder, draft, link);
    if (!relationship->target)
        fault_add(builder->fault, field->path,
                  "relates to %s, which has no table; add option (hero.table) = {} to it", type);
    if (!relationship->link)
        fault_add(builder->fault, field->path, "its link_model %s is no model of this set", link);
    else if (!is_link_model(relationship->link))
        fault_add(builder->fault, field->path,
                  "its link_model %s does not have two foreign keys as its primary key",
                  relationship->link->name);
    else if (!check_own_columns(builder, field->path, relationship->link))
        return;
    else if (relationship->target)
        find_ends(builder, field->path, field->relationship, relationship);
}

bool relationships_build(struct builder *builder, const struct draft *draft, struct model *model)
{
    model->relationships =
        arena_array(builder->arena, draft->n_relationships + 1, sizeof *model->relationships);
    if (!model->relationships)
        return false;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || field->is_column)
            continue;
        struct relationship *relationship = &model->relationships[model->n_relationships];
        relationship->model = model;
        relationship->name = field->proto->name;
        relationship->number = (uint32_t)field->proto->number;
        relationship->position = (unsigned)model->n_relationships++;
        relationship->kind = RELATIONSHIP_MANY_TO_MANY;
        resolve(builder, draft, field, relationship);
        if (relationship->link)
            ((struct model *)(uintptr_t)relationship->link)->is_link = true;
    }
    return !builder->arena->exhausted;
}

static const char *side_refused(const struct relationship *side, const struct relationship *other,
                                const char *other_answers)
{
    if (!other)
        return "is not a relationship there";
    if (other->target != side->model)
        return "relates to another model";
    if (other->link != side->link)
        return "goes through another link_model";
    if (!other_answers || strcmp(other_answers, side->name) != 0)
        return "doesn't answer back: its own back_populates must name this field";
    if (other->link_from && side->link_to && other->link_from != side->link_to)
        return "starts from the same column of the link model; give one of them link_from";
    return NULL;
}

static const char *back_populates_of(const struct builder *builder,
                                     const struct relationship *relationship)
{
    const struct draft *draft = draft_by_name(builder, relationship->model->name);
    for (size_t i = 0; draft && i < draft->n_fields; i++)
        if (draft->fields[i].relationship &&
            draft->fields[i].proto->number == (int)relationship->number)
            return draft->fields[i].relationship->back_populates;
    return NULL;
}

void relationships_check_sides(struct builder *builder, const struct draft *draft,
                               struct model *model)
{
    size_t at = 0;
    for (size_t i = 0; i < draft->n_fields; i++) {
        const struct draft_field *field = &draft->fields[i];
        if (!field->usable || field->is_column)
            continue;
        struct relationship *side = &model->relationships[at++];
        const char *name = field->relationship->back_populates;
        if (!name || !side->target || !side->link)
            continue;
        const struct relationship *other = model_relationship(side->target, name);
        const char *why =
            side_refused(side, other, other ? back_populates_of(builder, other) : NULL);
        if (why)
            fault_add(builder->fault, field->path, "its back_populates: %s.%s %s",
                      side->target->name, name, why);
        else
            side->back_populates = other;
    }
}

static bool seen_before(const struct model *model, size_t n, const struct relationship *next)
{
    for (size_t i = 0; i < n; i++)
        if (model->links_to_clear[i]->link_from == next->link_from)
            return true;
    return false;
}

/* Relationships of the model itself, and those that reach it from one side
 * only, each link column once. The stored relationship is always one whose
 * link_from refers to the model. */
bool links_to_clear_build(struct builder *builder, struct model *model)
{
    const struct models *models = &builder->memory->public;
    size_t n = model->n_relationships;
    for (size_t m = 0; m < models->n_models; m++)
        n += models->models[m].n_relationships;
    model->links_to_clear = arena_array(builder->arena, n + 1, sizeof(void *));
    if (!model->links_to_clear)
        return false;
    for (size_t i = 0; i < model->n_relationships; i++)
        if (!seen_before(model, model->n_links_to_clear, &model->relationships[i]))
            model->links_to_clear[model->n_links_to_clear++] = &model->relationships[i];
    for (size_t m = 0; m < models->n_models; m++) {
        const struct model *other = &models->models[m];
        for (size_t i = 0; i < other->n_relationships; i++) {
            const struct relationship *relationship = &other->relationships[i];
            if (relationship->target != model || relationship->back_populates)
                continue;
            struct relationship *reverse =
                arena_copy(builder->arena, relationship, sizeof *reverse);
            if (!reverse)
                return false;
            reverse->link_from = relationship->link_to;
            reverse->link_to = relationship->link_from;
            if (!seen_before(model, model->n_links_to_clear, reverse))
                model->links_to_clear[model->n_links_to_clear++] = reverse;
        }
    }
    return true;
}
