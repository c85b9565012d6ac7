/*
 * Adoption of foreign keys: those that a table has against those that its
 * model declares, of one column and of several.
 *
 * What a model can say it must say. What it can't (a parent without a model,
 * columns of two kinds, SET DEFAULT, ON UPDATE) stays as it is, with a warning.
 */
#include "adopt_internal.h"

/* The pragma's rows of one key: its columns, in their order. */
struct stored_key {
    const struct shape_foreign_key *columns;
    size_t n;
};

static const char *to_text(const struct shape_foreign_key *stored)
{
    return stored->to ? stored->to : "its primary key";
}

/* REFERENCES t without columns means its primary key, in its order. */
static bool refers_to(const struct shape_foreign_key *stored, const struct foreign_key *key,
                      const struct column *referred)
{
    const struct model *target = key->target;
    if (!adopt_same_name(stored->table, target->table))
        return false;
    if (stored->to)
        return adopt_same_name(stored->to, referred->name);
    return key->to_primary_key && (key->n == 1 || target->primary_key[stored->place] == referred);
}

/* The same columns, in whatever order. */
static bool same_columns(const struct stored_key *stored, const struct foreign_key *key)
{
    size_t n_same = 0;
    for (size_t s = 0; s < stored->n; s++)
        for (size_t i = 0; i < key->n; i++)
            n_same += adopt_same_name(stored->columns[s].from, key->columns[i]->name);
    return stored->n == key->n && n_same == key->n;
}

static bool same_target(const struct stored_key *stored, const struct foreign_key *key)
{
    for (size_t s = 0; s < stored->n; s++)
        for (size_t i = 0; i < key->n; i++)
            if (adopt_same_name(stored->columns[s].from, key->columns[i]->name) &&
                !refers_to(&stored->columns[s], key, key->referred[i]))
                return false;
    return true;
}

static const char *on_delete_text(Hero__OnDelete on_delete)
{
    switch (on_delete) {
    case HERO__ON_DELETE__RESTRICT:
        return "RESTRICT";
    case HERO__ON_DELETE__CASCADE:
        return "CASCADE";
    case HERO__ON_DELETE__SET_NULL:
        return "SET NULL";
    case HERO__ON_DELETE__NO_ACTION:
    case _HERO__ON_DELETE_IS_INT_SIZE:
        break;
    }
    return "NO ACTION";
}

static void compare_actions(struct comparison *c, const struct foreign_key *key,
                            const struct shape_foreign_key *stored)
{
    const char *field = key->columns[0]->field_name, *wanted = on_delete_text(key->on_delete);
    const char *text = foreign_key_text(key, c->arena);
    bool no_action = key->on_delete == HERO__ON_DELETE__NO_ACTION;
    if (no_action && adopt_same_name(stored->on_delete, "SET DEFAULT"))
        adopt_warn(c, field, "the foreign key of column %s has ON DELETE SET DEFAULT", text);
    else if (!adopt_same_name(stored->on_delete, wanted))
        adopt_differ(c, field, "the foreign key of column %s has ON DELETE %s, the model says %s",
                     text, stored->on_delete, wanted);
    if (!adopt_same_name(stored->on_update, "NO ACTION"))
        adopt_warn(c, field, "the foreign key of column %s has ON UPDATE %s", text,
                   stored->on_update);
}

/* ---- keys that the model doesn't declare ---- */

static const struct model *model_of_table(const struct comparison *c, const char *table)
{
    const struct models *models = c->model->models;
    for (size_t i = 0; i < models->n_models; i++)
        if (adopt_same_name(models->models[i].table, table))
            return &models->models[i];
    return NULL;
}

static bool is_integer(const struct column *column)
{
    return column->kind <= COLUMN_UINT64;
}

/* Could the model declare it? Its parent must be a model's, with columns of
 * the same kinds that are its primary key or unique. */
static bool can_declare(const struct comparison *c, const struct stored_key *stored)
{
    const struct model *target = model_of_table(c, stored->columns[0].table);
    size_t n_key = 0;
    bool is_unique = false;
    for (size_t i = 0; target && i < stored->n; i++) {
        const struct shape_foreign_key *row = &stored->columns[i];
        const struct column *own = adopt_column(c->model, row->from);
        const struct column *referred = row->to                     ? adopt_column(target, row->to)
                                        : i < target->n_primary_key ? target->primary_key[i]
                                                                    : NULL;
        if (!own || !referred ||
            (own->kind != referred->kind && !(is_integer(own) && is_integer(referred))))
            return false;
        n_key += referred->primary_key;
        is_unique = referred->unique && stored->n == 1;
    }
    return target && (is_unique || (n_key == stored->n && n_key == target->n_primary_key));
}

static const struct foreign_key *find_declared(const struct model *model,
                                               const struct stored_key *stored)
{
    for (size_t i = 0; i < model->n_foreign_keys; i++)
        if (same_columns(stored, &model->foreign_keys[i]))
            return &model->foreign_keys[i];
    return NULL;
}

static void compare_stored(struct comparison *c, const struct stored_key *stored)
{
    const struct shape_foreign_key *first = &stored->columns[0];
    const struct column *column = adopt_column(c->model, first->from);
    const struct foreign_key *key = find_declared(c->model, stored);
    if (!column) /* named as an extra column already */
        return;
    if (!key && !can_declare(c, stored))
        adopt_warn(c, column->field_name,
                   "column %s has a foreign key to %s(%s) that the model can't say; the database "
                   "goes by it",
                   column->name, first->table, to_text(first));
    else if (!key && stored->n > 1)
        adopt_differ(c, column->field_name,
                     "column %s is part of a foreign key of several columns to %s; the model has "
                     "no such key: declare it in (hero.table).foreign_key",
                     column->name, first->table);
    else if (!key)
        adopt_differ(c, column->field_name,
                     "column %s refers to %s(%s), the model has no foreign key", column->name,
                     first->table, to_text(first));
    else if (!same_target(stored, key))
        adopt_differ(c, column->field_name, "column %s refers to %s(%s), the model says %s(%s)",
                     column->name, first->table, to_text(first), key->target->table,
                     key->referred[0]->name);
    else
        compare_actions(c, key, first);
}

/* The rows come by key, then by place. */
static bool next_stored(const struct shape *shape, size_t *at, struct stored_key *ret_stored)
{
    const struct shape_foreign_key *first = &shape->foreign_keys[*at];
    if (*at >= shape->n_foreign_keys)
        return false;
    *ret_stored = (struct stored_key){first, 0};
    while (*at < shape->n_foreign_keys && shape->foreign_keys[*at].id == first->id) {
        ret_stored->n++;
        ++*at;
    }
    return true;
}

static bool is_stored(const struct shape *shape, const struct foreign_key *key)
{
    struct stored_key stored;
    for (size_t at = 0; next_stored(shape, &at, &stored);)
        if (same_columns(&stored, key))
            return true;
    return false;
}

void adopt_compare_foreign_keys(struct comparison *c)
{
    struct stored_key stored;
    for (size_t at = 0; next_stored(c->shape, &at, &stored);)
        compare_stored(c, &stored);
    for (size_t i = 0; i < c->model->n_foreign_keys; i++) {
        const struct foreign_key *key = &c->model->foreign_keys[i];
        if (!is_stored(c->shape, key))
            adopt_differ(c, key->columns[0]->field_name,
                         "column %s has no foreign key, the model says it refers to %s(%s)",
                         key->columns[0]->name, key->target->table, key->referred[0]->name);
    }
}
