/*
 * Relationships: each foreign key shows on both sides, and a table whose
 * primary key is two foreign keys is a link model between the two.
 *
 * Names say what is there (team, heroes); where one would be ambiguous it says
 * by which column.
 */
#include <string.h>
#include "infer.h"

#define ROWS_THAT_NEED_AN_INDEX 1000

/* ---- what a foreign key is called after ---- */

static bool cut_suffix(struct arena *arena, const char *field, const char *suffix,
                       const char **ret_base)
{
    size_t len = strlen(field), n = strlen(suffix);
    if (len <= n || strcmp(field + len - n, suffix) != 0)
        return false;
    *ret_base = arena_printf(arena, "%.*s", (int)(len - n), field);
    return *ret_base != NULL;
}

/* team of team_id, and of teamid where it refers to a team. "": nothing speaks for a name. */
static const char *base_of_column(struct arena *arena, const struct infer_foreign_key *key)
{
    static const char *const suffixes[] = {"_id", "_uuid", "_fk", "_key", "_code", "_no"};
    const char *field = key->columns[0]->field, *base = "";
    const char *target = infer_singular(arena, key->target->stem);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (cut_suffix(arena, field, suffixes[i], &base))
            return base;
    if (strncmp(field, "id_", 3) == 0 && field[3])
        return field + 3;
    if (cut_suffix(arena, field, "id", &base) && strcmp(base, target) == 0)
        return base;
    return "";
}

/* What all names begin with, whole words: uom of uom_auth_name and uom_code. */
static const char *base_of_columns(struct arena *arena, const struct infer_foreign_key *key)
{
    const char *first = key->columns[0]->field, *base;
    size_t len = 0, words = 0;
    for (bool equal = true; equal && first[len]; len += equal) {
        for (size_t i = 1; equal && i < key->n; i++)
            equal = key->columns[i]->field[len] == first[len];
        if (equal && first[len] == '_')
            words = len;
    }
    base = words > 0 ? arena_printf(arena, "%.*s", (int)words, first) : "";
    return base ? base : "";
}

static size_t n_keys_between(const struct infer_table *table, const struct infer_table *target)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n_foreign_keys; i++)
        n += table->foreign_keys[i].target == target;
    return n;
}

/* The column that tells the key from others between the same two. */
static const struct infer_column *own_column(const struct infer_table *table,
                                             const struct infer_foreign_key *key)
{
    for (size_t i = 0; i < key->n; i++) {
        bool shared = false;
        for (size_t f = 0; f < table->n_foreign_keys; f++) {
            const struct infer_foreign_key *other = &table->foreign_keys[f];
            for (size_t k = 0; k < other->n && other != key; k++)
                shared |= other->target == key->target && other->columns[k] == key->columns[i];
        }
        if (!shared)
            return key->columns[i];
    }
    return key->columns[0];
}

static const char *or_else(const char *text, const char *other)
{
    return text ? text : other;
}

/* The name at the table that holds the key: one related record. */
static const char *own_name(struct infer *infer, const struct infer_table *table,
                            const struct infer_foreign_key *key)
{
    const char *target = infer_singular(infer->arena, key->target->stem);
    const char *name =
        or_else(arena_printf(infer->arena, "%s_%s", own_column(table, key)->field, target), target);
    if (*key->base)
        name = key->base;
    else if (key->target != table && n_keys_between(table, key->target) == 1)
        name = target;
    if (infer_field_free(table, name))
        return name;
    return or_else(arena_printf(infer->arena, "%s_record", name), name);
}

/* The name at the table referred to: those that refer. */
static const char *other_name(struct infer *infer, const struct infer_table *table,
                              const struct infer_foreign_key *key)
{
    const char *name = key->unique ? infer_singular(infer->arena, table->stem)
                                   : infer_plural(infer->arena, table->stem);
    const char *by = *key->base ? key->base : own_column(table, key)->field;
    if (key->target == table && strcmp(by, "parent") == 0 && !key->unique)
        return "children";
    if (key->target != table && n_keys_between(table, key->target) == 1 &&
        infer_field_free(key->target, name))
        return name;
    return or_else(arena_printf(infer->arena, "%s_by_%s", name, by), name);
}

/* ---- adding ---- */

static struct infer_relationship *add(struct infer *infer, struct infer_table *table,
                                      struct infer_table *target, const char *wanted)
{
    const char *field = infer_field_name(infer, table, wanted);
    if (table->n_relationships == table->max_relationships)
        return NULL; /* counted before: never */
    struct infer_relationship *relationship = &table->relationships[table->n_relationships++];
    *relationship = (struct infer_relationship){.target = target, .field = field};
    relationship->number = (unsigned)(table->n_columns + table->n_relationships);
    return relationship;
}

/* Must the option say which foreign key? Only where it isn't the only one
 * between the two models. */
static bool is_ambiguous(const struct infer_table *table, const struct infer_table *target)
{
    return table == target || n_keys_between(table, target) + n_keys_between(target, table) > 1;
}

/* ---- indexes ---- */

/* Do the first columns of the index hold those of the key and no others? */
static bool leads_to(const struct infer_table *table, const struct shape_index *index,
                     const struct infer_foreign_key *key)
{
    if (index->partial || index->n_columns < key->n)
        return false;
    for (size_t i = 0; i < key->n; i++) {
        const struct infer_column *column =
            index->columns[i] ? infer_column_named(table, index->columns[i]) : NULL;
        bool found = false;
        for (size_t k = 0; k < key->n; k++)
            found |= key->columns[k] == column;
        if (!found || !index->binary[i])
            return false;
    }
    return true;
}

/* Adoption makes no index that isn't asked for; small tables need none. */
static void look_for_index(struct infer *infer, struct infer_table *table,
                           const struct infer_foreign_key *key)
{
    bool found = table->n_rows < ROWS_THAT_NEED_AN_INDEX ||
                 (table->n_key == 1 && key->n == 1 && table->key[0] == key->columns[0]);
    for (size_t i = 0; !found && i < table->shape.n_indexes; i++)
        found = leads_to(table, &table->shape.indexes[i], key);
    if (found)
        return;
    const char *list = NULL;
    for (size_t i = 0; i < key->n; i++)
        list = arena_printf(infer->arena, "%s%s%s", list ? list : "", list ? ", " : "",
                            key->columns[i]->shape->name);
    infer_say(infer, &table->comments,
              "No index leads with (%s): each look from %s reads all its rows.", list ? list : "",
              key->target->message);
}

static void relate_key(struct infer *infer, struct infer_table *table,
                       struct infer_foreign_key *key)
{
    const char *of_own = own_name(infer, table, key), *of_other = other_name(infer, table, key);
    struct infer_relationship *own = add(infer, table, key->target, of_own);
    struct infer_relationship *other = add(infer, key->target, table, of_other);
    if (!own || !other)
        return;
    look_for_index(infer, table, key);
    own->single = true;
    other->single = key->unique;
    own->back = other;
    other->back = own;
    if (is_ambiguous(table, key->target))
        own->foreign_key = other->foreign_key = own_column(table, key)->field;
    /* Where a single record may be at either end of a key. */
    if (table == key->target ? key->unique : n_keys_between(key->target, table) > 0)
        own->tells_end = other->tells_end = true;
    other->remote = true;
}

/* ---- link models ---- */

static bool is_all_key(const struct infer_foreign_key *key)
{
    for (size_t i = 0; i < key->n; i++)
        if (!key->columns[i]->primary_key)
            return false;
    return key->to_primary_key;
}

static bool share_column(const struct infer_foreign_key *a, const struct infer_foreign_key *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (a->columns[i] == b->columns[k])
                return true;
    return false;
}

static bool are_whole_key(const struct infer_table *table, const struct infer_foreign_key *a,
                          const struct infer_foreign_key *b)
{
    return is_all_key(a) && is_all_key(b) && !share_column(a, b) && a->n + b->n == table->n_key;
}

/* The two foreign keys that are the primary key, if there is one such pair. */
static bool find_ends(struct infer_table *table, struct infer_foreign_key **ret_a,
                      struct infer_foreign_key **ret_b)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n_foreign_keys; i++)
        for (size_t k = i + 1; k < table->n_foreign_keys; k++)
            if (are_whole_key(table, &table->foreign_keys[i], &table->foreign_keys[k])) {
                *ret_a = &table->foreign_keys[i];
                *ret_b = &table->foreign_keys[k];
                n++;
            }
    return n == 1;
}

static size_t n_links_between(const struct infer *infer, const struct infer_table *a,
                              const struct infer_table *b)
{
    struct infer_foreign_key *from, *to;
    size_t n = 0;
    for (size_t t = 0; t < infer->n_tables; t++)
        if (find_ends(&infer->tables[t], &from, &to))
            n += (from->target == a && to->target == b) || (from->target == b && to->target == a);
    return n;
}

static const char *many_name(struct infer *infer, const struct infer_table *link,
                             const struct infer_table *table, const struct infer_foreign_key *far)
{
    struct arena *arena = infer->arena;
    const char *target = infer_plural(arena, far->target->stem);
    const char *base = *far->base ? infer_plural(arena, far->base) : target;
    if (table == far->target)
        return base;
    if (n_links_between(infer, table, far->target) == 1 && infer_field_free(table, target))
        return target;
    return or_else(arena_printf(arena, "%s_of_%s", target, link->stem), target);
}

static void relate_link(struct infer *infer, struct infer_table *link, struct infer_foreign_key *a,
                        struct infer_foreign_key *b)
{
    const char *of_a = many_name(infer, link, a->target, b);
    const char *of_b = many_name(infer, link, b->target, a);
    struct infer_relationship *left = add(infer, a->target, b->target, of_a);
    struct infer_relationship *right = add(infer, b->target, a->target, of_b);
    if (!left || !right)
        return;
    look_for_index(infer, link, a);
    look_for_index(infer, link, b);
    link->is_link = true;
    left->link = right->link = link;
    left->back = right;
    right->back = left;
    if (a->target == b->target) {
        left->link_from = a->columns[0]->field;
        right->link_from = b->columns[0]->field;
    }
}

static void relate_table(struct infer *infer, struct infer_table *table)
{
    struct infer_foreign_key *a = NULL, *b = NULL;
    bool is_link = find_ends(table, &a, &b);
    if (is_link)
        relate_link(infer, table, a, b);
    for (size_t i = 0; i < table->n_foreign_keys; i++) {
        struct infer_foreign_key *key = &table->foreign_keys[i];
        if (!is_link || (key != a && key != b))
            relate_key(infer, table, key);
    }
}

/* ---- all ---- */

static void count(struct infer_table *table)
{
    for (size_t i = 0; i < table->n_foreign_keys; i++) {
        table->max_relationships += 2;
        table->foreign_keys[i].target->max_relationships += 2;
    }
}

Code infer_relationships(struct infer *infer)
{
    for (size_t t = 0; t < infer->n_tables; t++)
        count(&infer->tables[t]);
    for (size_t t = 0; t < infer->n_tables; t++) {
        struct infer_table *table = &infer->tables[t];
        table->relationships =
            arena_array(infer->arena, table->max_relationships + 1, sizeof(*table->relationships));
        if (!table->relationships)
            return infer_no_memory(infer);
        for (size_t i = 0; i < table->n_foreign_keys; i++) {
            struct infer_foreign_key *key = &table->foreign_keys[i];
            key->base = key->n == 1 ? base_of_column(infer->arena, key)
                                    : base_of_columns(infer->arena, key);
        }
    }
    for (size_t t = 0; t < infer->n_tables; t++)
        relate_table(infer, &infer->tables[t]);
    return infer->arena->exhausted ? infer_no_memory(infer) : HERO__V1__CODE__OK;
}
