/*
 * Owns relationships: by which foreign key two models are related, in what
 * order, what a delete does, and whether both sides say the same. Those
 * through a link model are model_link.c's.
 */
#include "model_internal.h"

#include <string.h>

const struct model *builder_model(const struct builder *builder, const char *name)
{
    const struct draft *draft = draft_by_name(builder, name);
    return draft ? draft->model : NULL;
}

/* ---- by a foreign key ---- */

/* What a foreign key without a link model could be meant. */
struct candidates {
    const struct foreign_key *own, *theirs; /* the last of each */
    unsigned n_own, n_theirs;
    unsigned n_not_unique; /* theirs that a singular field can't be */
};

static bool is_meant(const struct foreign_key *key, const struct model *target,
                     const Hero__RelationshipOptions *options)
{
    const struct column *named =
        options->foreign_key ? model_column(key->model, options->foreign_key) : NULL;
    if (key->target != target)
        return false;
    return !options->foreign_key || (named && foreign_key_has(key, named));
}

static struct candidates find_candidates(const Hero__RelationshipOptions *options,
                                         const struct relationship *relationship)
{
    const struct model *model = relationship->model, *target = relationship->target;
    struct candidates found = {NULL, NULL, 0, 0, 0};
    for (size_t i = 0; i < model->n_foreign_keys; i++)
        if (is_meant(&model->foreign_keys[i], target, options) && !options->remote) {
            found.own = &model->foreign_keys[i];
            found.n_own++;
        }
    for (size_t i = 0; i < target->n_foreign_keys; i++) {
        const struct foreign_key *key = &target->foreign_keys[i];
        if (!is_meant(key, model, options) || (options->has_remote && !options->remote))
            continue;
        if (relationship->single && !key->is_unique) {
            found.n_not_unique++;
            continue;
        }
        found.theirs = key;
        found.n_theirs++;
    }
    return found;
}

static const char *none_for_many(struct arena *arena, const struct relationship *relationship,
                                 const struct candidates *found)
{
    const char *model = relationship->model->name, *target = relationship->target->name;
    if (found->n_own > 0)
        return arena_printf(arena,
                            "is repeated, but the foreign key (%s) is of %s itself, which has one "
                            "%s at most; declare it without repeated",
                            foreign_key_text(found->own, arena), model, target);
    return arena_printf(
        arena,
        "finds no foreign key of %s to %s; give %s a column with foreign_key "
        "\"%s.%s\" (one-to-many), or name a link_model (many-to-many)",
        target, model, target, relationship->model->table,
        relationship->model->n_primary_key ? relationship->model->primary_key[0]->name : "id");
}

static const char *none_for_one(struct arena *arena, const struct relationship *relationship,
                                const struct candidates *found)
{
    const char *model = relationship->model->name, *target = relationship->target->name;
    if (found->n_not_unique > 0)
        return arena_printf(arena,
                            "is singular, but several %s can refer to one %s; declare it repeated, "
                            "or the foreign key unique",
                            target, model);
    return arena_printf(
        arena,
        "finds no foreign key of %s to %s, nor of %s to %s; give %s a column with "
        "foreign_key \"%s.%s\"",
        model, target, target, model, model, relationship->target->table,
        relationship->target->n_primary_key ? relationship->target->primary_key[0]->name : "id");
}

static const char *ambiguous(struct arena *arena, const struct relationship *relationship,
                             const struct candidates *found)
{
    const char *model = relationship->model->name, *target = relationship->target->name;
    if (relationship->model == relationship->target && found->own == found->theirs)
        return arena_printf(arena,
                            "could be either end of the foreign key %s; say remote: false for the "
                            "record that it refers to, remote: true for the one that refers here",
                            foreign_key_text(found->own, arena));
    return arena_printf(arena,
                        "could go by several foreign keys between %s and %s; say with foreign_key "
                        "which field holds the one",
                        model, target);
}

static const char *choose(struct builder *builder, const Hero__RelationshipOptions *options,
                          struct relationship *relationship)
{
    struct arena *arena = builder->arena;
    struct candidates found = find_candidates(options, relationship);
    unsigned n = found.n_theirs + (relationship->single ? found.n_own : 0);
    if (n > 1)
        return ambiguous(arena, relationship, &found);
    if (n == 0 && options->foreign_key && found.n_own + found.n_not_unique == 0)
        return arena_printf(
            arena, "its foreign_key \"%s\" is no field that refers from %s to %s or back",
            options->foreign_key, relationship->model->name, relationship->target->name);
    if (n == 0)
        return relationship->single ? none_for_one(arena, relationship, &found)
                                    : none_for_many(arena, relationship, &found);
    relationship->kind = found.n_theirs ? RELATIONSHIP_TARGET_KEY : RELATIONSHIP_OWN_KEY;
    relationship->from = found.n_theirs ? found.theirs : found.own;
    return NULL;
}

/* The foreign key says what SQLite does; the two must not contradict. */
static const char *refused_on_delete(struct arena *arena, const struct relationship *relationship)
{
    const struct foreign_key *key = relationship->from;
    bool clears = relationship->on_delete == HERO__ON_PARENT_DELETE__CLEAR;
    bool deletes = relationship->on_delete == HERO__ON_PARENT_DELETE__DELETE ||
                   relationship->on_delete == HERO__ON_PARENT_DELETE__DELETE_ORPHAN;
    if (relationship->kind == RELATIONSHIP_OWN_KEY)
        return clears ? "has on_delete CLEAR, but the foreign key is its own and goes with the "
                        "record; CLEAR is for the other side"
                      : NULL;
    if (clears && !foreign_key_can_clear(key))
        return arena_printf(arena, "has on_delete CLEAR, and %s.%s can't be NULL", key->model->name,
                            foreign_key_text(key, arena));
    if ((clears && (key->on_delete == HERO__ON_DELETE__CASCADE ||
                    key->on_delete == HERO__ON_DELETE__RESTRICT)) ||
        (deletes && (key->on_delete == HERO__ON_DELETE__SET_NULL ||
                     key->on_delete == HERO__ON_DELETE__RESTRICT)))
        return arena_printf(arena,
                            "has an on_delete that contradicts the one of the foreign key %s.%s; "
                            "keep one of them",
                            key->model->name, foreign_key_text(key, arena));
    if (relationship->on_delete != HERO__ON_PARENT_DELETE__KEEP &&
        key->rule != HERO__ON_PARENT_DELETE__KEEP && key->rule != relationship->on_delete)
        return "has an on_delete that contradicts that of another relationship by the same foreign "
               "key";
    return NULL;
}

static const char *find_key(struct builder *builder, const struct draft_field *field,
                            struct relationship *relationship)
{
    const Hero__RelationshipOptions *options = field->relationship;
    if (options->link_from)
        return "has link_from without a link_model";
    if (options->symmetric)
        return "is symmetric, which needs a link_model: both ends keep their own foreign key else";
    const char *why = choose(builder, options, relationship);
    if (!why)
        why = refused_on_delete(builder->arena, relationship);
    if (why)
        return why;
    struct foreign_key *key = (struct foreign_key *)(uintptr_t)relationship->from;
    if (relationship->kind == RELATIONSHIP_OWN_KEY) {
        key->deletes_orphans |= relationship->on_delete == HERO__ON_PARENT_DELETE__DELETE_ORPHAN;
        return NULL;
    }
    if (relationship->on_delete != HERO__ON_PARENT_DELETE__KEEP)
        key->rule = relationship->on_delete;
    foreign_key_want_index(builder, key);
    return NULL;
}

/* ---- the order of related records ---- */

static const char *read_order(struct builder *builder, const struct relationship *relationship,
                              const char *text, struct related_order *order)
{
    const char *name = text + (*text == '-');
    order->descending = *text == '-';
    order->of_link = strncmp(name, "link.", 5) == 0;
    if (order->of_link && !relationship->link)
        return arena_printf(builder->arena,
                            "its order_by \"%s\" names a column of the link, but "
                            "there is no link_model",
                            text);
    const struct model *model = order->of_link ? relationship->link : relationship->target;
    name += order->of_link ? 5 : 0;
    order->column = model_column(model, name);
    if (!order->column)
        return arena_printf(builder->arena, "its order_by \"%s\": %s has no column %s", text,
                            model->name, name);
    return order->column->kind == COLUMN_JSON
               ? arena_printf(builder->arena, "its order_by \"%s\": JSON has no order", text)
               : NULL;
}

static const char *read_orders(struct builder *builder, const Hero__RelationshipOptions *options,
                               struct relationship *relationship)
{
    const char *why = NULL;
    if (options->n_order_by == 0)
        return NULL;
    if (relationship->single)
        return "has order_by and is singular: there is nothing to order";
    struct related_order *order =
        arena_array(builder->arena, options->n_order_by, sizeof *relationship->order);
    for (size_t i = 0; order && i < options->n_order_by && !why; i++)
        why = read_order(builder, relationship, options->order_by[i], &order[i]);
    relationship->order = order;
    relationship->n_order = order && !why ? options->n_order_by : 0;
    return why;
}

/* ---- all of a model ---- */

static void resolve(struct builder *builder, const struct draft *draft,
                    const struct draft_field *field, struct relationship *relationship)
{
    const char *type = full_type_name(field->proto->type_name);
    const Hero__RelationshipOptions *options = field->relationship;
    relationship->single = field->proto->label != FIELD_LABEL(REPEATED);
    relationship->on_delete = options->on_delete;
    relationship->target = builder_model(builder, type);
    if (!relationship->target) {
        fault_add(builder->fault, field->path,
                  "relates to %s, which has no table; add option (hero.table) = {} to it", type);
        return;
    }
    const char *why = options->link_model && *options->link_model
                          ? relationship_find_link(builder, draft, field, relationship)
                          : find_key(builder, field, relationship);
    if (!why && relationship->from)
        why = read_orders(builder, options, relationship);
    if (why)
        fault_add(builder->fault, field->path, "%s", why);
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
        resolve(builder, draft, field, relationship);
    }
    return !builder->arena->exhausted;
}

/* ---- both sides ---- */

static const char *side_refused(const struct relationship *side, const struct relationship *other,
                                const char *other_answers)
{
    if (!other)
        return "is not a relationship there";
    if (other->target != side->model)
        return "relates to another model";
    if (other->link != side->link)
        return other->link && side->link ? "goes through another link_model"
                                         : "doesn't go through the same link_model";
    if (!other_answers || strcmp(other_answers, side->name) != 0)
        return "doesn't answer back: its own back_populates must name this field";
    if (!side->from || !other->from || side->symmetric)
        return NULL; /* faulty in itself, and told */
    if (side->link)
        return other->from != side->to ? "starts from the same column of the link model; give one "
                                         "of them link_from"
                                       : NULL;
    if (other->from != side->from)
        return "goes by another foreign key; say with foreign_key on both which one it is";
    return other->kind == side->kind ? "is the same end of the foreign key" : NULL;
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
        if (!name || !side->target || !side->from)
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
