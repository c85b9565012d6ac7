/* Texts of joins along relationships. Knows models; no statement, no request. */
#include <stdio.h>
#include "join.h"

/* Writes a column of the parent. */
struct parent {
    const struct model *model;
    const char *alias; /* of its table, or of _hero_keys */
    bool is_table;
    enum join_parent kind;
};

static void put_dot(struct sql *sql, const char *alias, const struct column *column)
{
    sql_name(sql, alias);
    sql_column(sql, ".", column);
}

static void put_parent(struct sql *sql, const struct parent *parent, const struct column *column)
{
    char text[16];
    unsigned place = 0;
    if (parent->is_table) {
        put_dot(sql, parent->alias, column);
        return;
    }
    while (place < parent->model->n_primary_key && parent->model->primary_key[place] != column)
        place++;
    if (parent->kind == JOIN_PARENT_KEY) {
        sql_parameter(sql, place + 1);
        return;
    }
    snprintf(text, sizeof(text), ".k%u", place);
    sql_name(sql, parent->alias);
    sql_add(sql, text);
}

/* "l.hero_id = p.id": a key's columns against what they refer to. */
static void put_refers_to_parent(struct sql *sql, const struct foreign_key *key, const char *alias,
                                 const struct parent *parent)
{
    for (size_t i = 0; i < key->n; i++) {
        if (i > 0)
            sql_add(sql, " AND ");
        put_dot(sql, alias, key->columns[i]);
        sql_add(sql, " = ");
        put_parent(sql, parent, key->referred[i]);
    }
}

static void put_referred(struct sql *sql, const struct foreign_key *key, const char *alias,
                         const char *target_alias)
{
    for (size_t i = 0; i < key->n; i++) {
        if (i > 0)
            sql_add(sql, " AND ");
        put_dot(sql, target_alias, key->referred[i]);
        sql_add(sql, " = ");
        put_dot(sql, alias, key->columns[i]);
    }
}

/* The key's columns as one value: "l.a", "(l.a, l.b)". */
static void put_row(struct sql *sql, const struct foreign_key *key, const char *alias)
{
    sql_add(sql, key->n > 1 ? "(" : "");
    for (size_t i = 0; i < key->n; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        put_dot(sql, alias, key->columns[i]);
    }
    sql_add(sql, key->n > 1 ? ")" : "");
}

/* Of two rows that say the same of a pair, one from each side, the second is
 * none: Hero writes one, others may have written both. */
static void put_not_mirrored(struct sql *sql, const struct relationship *relationship,
                             const char *alias)
{
    const struct foreign_key *from = relationship->from, *to = relationship->to;
    sql_add(sql, " AND (");
    put_row(sql, from, alias);
    sql_add(sql, " <= ");
    put_row(sql, to, alias);
    sql_add(sql, " OR NOT EXISTS (SELECT 1 FROM ");
    sql_table(sql, relationship->link);
    sql_add(sql, " AS _m WHERE ");
    for (size_t i = 0; i < from->n; i++) {
        sql_add(sql, i > 0 ? " AND " : "");
        put_dot(sql, "_m", from->columns[i]);
        sql_add(sql, " = ");
        put_dot(sql, alias, to->columns[i]);
        sql_add(sql, " AND ");
        put_dot(sql, "_m", to->columns[i]);
        sql_add(sql, " = ");
        put_dot(sql, alias, from->columns[i]);
    }
    sql_add(sql, "))");
}

/* A link holds from either end; the other end is the related record. */
static void put_symmetric(struct sql *sql, const struct relationship *relationship,
                          const struct parent *parent, const char *link_alias,
                          const char *target_alias)
{
    const struct foreign_key *from = relationship->from, *to = relationship->to;
    sql_add(sql, "((");
    put_refers_to_parent(sql, from, link_alias, parent);
    sql_add(sql, ") OR (");
    put_refers_to_parent(sql, to, link_alias, parent);
    sql_add(sql, "))");
    for (size_t i = 0; i < to->n; i++) {
        sql_add(sql, " AND ");
        put_dot(sql, target_alias, to->referred[i]);
        sql_add(sql, " = CASE WHEN ");
        put_refers_to_parent(sql, from, link_alias, parent);
        sql_add(sql, " THEN ");
        put_dot(sql, link_alias, to->columns[i]);
        sql_add(sql, " ELSE ");
        for (size_t k = 0; k < from->n; k++)
            if (from->referred[k] == to->referred[i])
                put_dot(sql, link_alias, from->columns[k]);
        sql_add(sql, " END");
    }
    put_not_mirrored(sql, relationship, link_alias);
}

static void put_condition(struct sql *sql, const struct relationship *relationship,
                          const struct parent *parent, const char *link_alias,
                          const char *target_alias)
{
    const struct foreign_key *from = relationship->from;
    switch (relationship->kind) {
    case RELATIONSHIP_MANY_TO_MANY:
        if (relationship->symmetric) {
            put_symmetric(sql, relationship, parent, link_alias, target_alias);
            return;
        }
        put_refers_to_parent(sql, from, link_alias, parent);
        sql_add(sql, " AND ");
        put_referred(sql, relationship->to, link_alias, target_alias);
        return;
    case RELATIONSHIP_TARGET_KEY:
        put_refers_to_parent(sql, from, target_alias, parent);
        return;
    case RELATIONSHIP_OWN_KEY:
        for (size_t i = 0; i < from->n; i++) {
            if (i > 0)
                sql_add(sql, " AND ");
            put_dot(sql, target_alias, from->referred[i]);
            sql_add(sql, " = ");
            put_parent(sql, parent, from->columns[i]);
        }
        return;
    }
}

void join_tables(struct sql *sql, const struct relationship *relationship, const char *link_alias,
                 const char *target_alias)
{
    if (relationship->link) {
        sql_table(sql, relationship->link);
        sql_add(sql, " AS ");
        sql_name(sql, link_alias);
        sql_add(sql, " CROSS JOIN ");
    }
    sql_table(sql, relationship->target);
    sql_add(sql, " AS ");
    sql_name(sql, target_alias);
}

void join_condition(struct sql *sql, const struct relationship *relationship,
                    const char *parent_alias, const char *link_alias, const char *target_alias)
{
    struct parent parent = {.model = relationship->model, .alias = parent_alias, .is_table = true};
    put_condition(sql, relationship, &parent, link_alias, target_alias);
}

void join_related(struct sql *sql, const struct relationship *relationship,
                  const char *parent_alias, const char *link_alias, const char *target_alias)
{
    join_tables(sql, relationship, link_alias, target_alias);
    sql_add(sql, " WHERE ");
    join_condition(sql, relationship, parent_alias, link_alias, target_alias);
}

bool join_needs_parent(const struct relationship *relationship)
{
    return relationship->kind == RELATIONSHIP_OWN_KEY || !relationship->from->to_primary_key;
}

void join_condition_of_keys(struct sql *sql, const struct relationship *relationship,
                            enum join_parent kind, const char *parent_alias, const char *link_alias,
                            const char *target_alias)
{
    struct parent parent = {.model = relationship->model, .alias = parent_alias, .kind = kind};
    put_condition(sql, relationship, &parent, link_alias, target_alias);
}

static void put_key_condition(struct sql *sql, const struct parent *keys)
{
    for (size_t i = 0; i < keys->model->n_primary_key; i++) {
        sql_column(sql, "m.", keys->model->primary_key[i]);
        sql_add(sql, " = ");
        put_parent(sql, keys, keys->model->primary_key[i]);
        sql_add(sql, " AND ");
    }
}

void join_from_keys(struct sql *sql, const struct relationship *relationship, enum join_parent kind)
{
    struct parent keys = {.model = relationship->model, .alias = "p", .kind = kind};
    struct parent row = {.model = relationship->model, .alias = "m", .is_table = true};
    bool with_row = join_needs_parent(relationship);
    if (kind == JOIN_PARENT_KEYS)
        sql_add(sql, "_hero_keys(?1) AS p CROSS JOIN ");
    if (with_row) {
        sql_table(sql, relationship->model);
        sql_add(sql, " AS m CROSS JOIN ");
    }
    join_tables(sql, relationship, "l", "t");
    sql_add(sql, " WHERE ");
    if (with_row)
        put_key_condition(sql, &keys);
    put_condition(sql, relationship, with_row ? &row : &keys, "l", "t");
}

bool join_link_column(const struct relationship *relationship, size_t *at,
                      const struct column **ret_column)
{
    const struct model *link = relationship->link;
    while (link && *at < link->n_columns) {
        const struct column *column = &link->columns[(*at)++];
        if (foreign_key_has(relationship->from, column) ||
            foreign_key_has(relationship->to, column))
            continue;
        *ret_column = column;
        return true;
    }
    return false;
}
