/*
 * Owns relationships through a link model: which two of its foreign keys are
 * the ends.
 */
#include "model_internal.h"

#include <string.h>
#include <strings.h>

/* As protobuf resolves type names: in the package, then outwards. A table's
 * name is taken too. */
static const struct model *resolve_link(const struct builder *builder, const struct draft *draft,
                                        const char *name)
{
    const char *package = draft->file->package ? draft->file->package : "";
    if (*name == '.')
        return builder_model(builder, name + 1);
    for (size_t len = strlen(package); len > 0; len--) {
        if (package[len] != '\0' && package[len] != '.')
            continue;
        char *full = arena_printf(builder->arena, "%.*s.%s", (int)len, package, name);
        const struct model *model = full ? builder_model(builder, full) : NULL;
        if (model)
            return model;
    }
    const struct model *model = builder_model(builder, name);
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
    if (n == 1 || (n == 2 && relationship->symmetric)) /* the same two, the other way round */
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

static void mark_end(const struct builder *builder, const struct foreign_key *end,
                     bool deletes_orphans)
{
    struct foreign_key *key = (struct foreign_key *)(uintptr_t)end;
    key->is_link = true;
    key->deletes_orphans |= deletes_orphans;
    foreign_key_want_index(builder, end);
}

static const char *find_link(struct builder *builder, const struct draft *draft,
                             const Hero__RelationshipOptions *options,
                             struct relationship *relationship)
{
    relationship->link = resolve_link(builder, draft, options->link_model);
    if (!relationship->link)
        return arena_printf(builder->arena, "its link_model %s is no model of this set",
                            options->link_model);
    if (!is_link_model(relationship->link))
        return arena_printf(builder->arena,
                            "its link_model %s does not have two foreign keys as its primary key",
                            relationship->link->name);
    return find_ends(builder, options, relationship);
}

static const char *refused_symmetric(const Hero__RelationshipOptions *options,
                                     const struct relationship *relationship)
{
    const char *other = options->back_populates;
    if (relationship->target != relationship->model)
        return "is symmetric, and relates to another model: only a model and itself can be";
    if (other && strcmp(other, relationship->name) != 0)
        return "is symmetric, so it is its own other side; leave back_populates out";
    return NULL;
}

const char *relationship_find_link(struct builder *builder, const struct draft *draft,
                                   const struct draft_field *field,
                                   struct relationship *relationship)
{
    const Hero__RelationshipOptions *options = field->relationship;
    const char *why;
    relationship->kind = RELATIONSHIP_MANY_TO_MANY;
    relationship->symmetric = options->symmetric;
    if (relationship->single)
        return "has a link_model and is not repeated; through a link_model many are related";
    if (options->foreign_key || options->has_remote)
        return "has a link_model, whose keys join the two; foreign_key and remote say nothing here";
    if (options->symmetric && (why = refused_symmetric(options, relationship)) != NULL)
        return why;
    if (options->on_delete == HERO__ON_PARENT_DELETE__CLEAR)
        return "has on_delete CLEAR, which is for foreign keys; links go with the record anyway";
    why = find_link(builder, draft, options, relationship);
    if (relationship->link)
        ((struct model *)(uintptr_t)relationship->link)->is_link = true;
    if (relationship->from) {
        bool orphans = options->on_delete == HERO__ON_PARENT_DELETE__DELETE_ORPHAN;
        mark_end(builder, relationship->from, orphans && options->symmetric);
        mark_end(builder, relationship->to, orphans);
    }
    return why;
}
