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

/* ---- through a link model ---- */

/* Two keys of the link that together are its primary key, and nothing besides. */
static bool are_whole_key(const struct foreign_key *a, const struct foreign_key *b)
{
    const struct model *link = a->model;
    for (size_t i = 0; i < a->n; i++)
        if (!a->columns[i]->primary_key)
            return false;
    for (size_t i = 0; i < b->n; i++)
        if (!b->columns[i]->primary_key)
            return false;
    for (size_t i = 0; i < link->n_primary_key; i++)
        if (!foreign_key_has(a, link->primary_key[i]) && !foreign_key_has(b, link->primary_key[i]))
            return false;
    return a != b;
}

static bool is_link_model(const struct model *model)
{
    for (size_t a = 0; a < model->n_foreign_keys; a++)
        for (size_t b = 0; b < a; b++)
            if (are_whole_key(&model->foreign_keys[a], &model->foreign_keys[b]))
                return true;
    return false;
}

static bool refers_to(const struct foreign_key *key, const struct model *model)
{
    return key->target == model && key->to_primary_key;
}

/* Sets from and to; how many pairs of the link's keys would do. */
static unsigned find_pairs(struct relationship *relationship, const struct column *link_from)
{
    const struct model *link = relationship->link;
    unsigned n = 0;
    for (size_t a = 0; a < link->n_foreign_keys; a++)
        for (size_t b = 0; b < link->n_foreign_keys; b++) {
            const struct foreign_key *from = &link->foreign_keys[a], *to = &link->foreign_keys[b];
            if (!refers_to(from, relationship->model) || !refers_to(to, relationship->target) ||
                !are_whole_key(from, to) || (link_from && !foreign_key_has(from, link_from)) ||
                (link_from && foreign_key_has(to, link_from)))
                continue;
            if (n++ > 0)
                continue;
            relationship->from = from;
            relationship->to = to;
        }
    return n;
}

static const char *find_ends(struct builder *builder, const Hero__RelationshipOptions *options,
                             struct relationship *relationship)
{
    const struct model *link = relationship->link;
    const struct column *from = NULL;
    if (options->link_from) {
        from = model_column(link, options->link_from);
        if (!from || !from->primary_key)
            return arena_printf(builder->arena, "its link_from \"%s\" is not a key column of %s",
                                options->link_from, link->name);
    }
    unsigned n = find_pairs(relationship, from);
    if (n == 1)
        return NULL;
    relationship->from = relationship->to = NULL;
    if (n > 1)
        return arena_printf(builder->arena,
                            "both key columns of %s refer to %s; say with link_from which one is "
                            "this end",
                            link->name, relationship->model->name);
    if (from)
        return arena_printf(builder->arena, "its link_from \"%s\" does not refer to the key of %s",
                            options->link_from, relationship->model->name);
    return arena_printf(builder->arena,
                        "the keys of its link model %s do not refer to the primary keys of %s and "
                        "%s",
                        link->name, relationship->model->name, relationship->target->name);
}

static void mark_end(const struct builder *builder, const struct foreign_key *end)
{
    ((struct foreign_key *)(uintptr_t)end)->is_link = true;
    foreign_key_want_index(builder, end);
}

/* Linking writes the two keys and defaults: a column that needs more would
 * make every link fail. */
static bool check_own_columns(struct builder *builder, const char *path, const struct model *link)
{
    for (size_t i = 0; i < link->n_columns; i++) {
        const struct column *column = &link->columns[i];
        if (column->primary_key || !column->not_null || column_fills_itself(column))
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
    else if (relationship->target) {
        const char *why = find_ends(builder, field->relationship, relationship);
        if (why)
            fault_add(builder->fault, field->path, "%s", why);
        if (!relationship->from)
            return;
        mark_end(builder, relationship->from);
        mark_end(builder, relationship->to);
    }
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
        relationship->on_delete = field->relationship->on_delete;
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
    if (other->from && side->to && other->from != side->to)
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
