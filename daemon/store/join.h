/*
 * Joins: from a record to those related to it, whatever joins them. Who asks
 * what of related records (expand, filters, counts) gets the text here and
 * knows nothing of link models and foreign keys.
 */
#ifndef HERO_STORE_JOIN_H
#define HERO_STORE_JOIN_H

#include "sql.h"

/* "heroteamlink AS l CROSS JOIN team AS t", without a link model "team AS t":
 * the tables beside the parent's. CROSS JOIN in SQLite is an order: from the
 * parent outwards, by the indexes that Apply sees to. */
void join_tables(struct sql *sql, const struct relationship *relationship, const char *link_alias,
                 const char *target_alias);
/* "l.hero_id = p.id AND t.id = l.team_id". */
void join_condition(struct sql *sql, const struct relationship *relationship,
                    const char *parent_alias, const char *link_alias, const char *target_alias);
/* Both, with WHERE between: after "FROM " (in EXISTS, of a parent outside) or
 * after "FROM hero AS p CROSS JOIN "; goes on with AND, ORDER BY and so on. */
void join_related(struct sql *sql, const struct relationship *relationship,
                  const char *parent_alias, const char *link_alias, const char *target_alias);

/* From parents that are keys, as expanding has them. */
enum join_parent {
    JOIN_PARENT_KEYS, /* those of _hero_keys(?1), which is p */
    JOIN_PARENT_KEY,  /* one, bound from ?1 on */
};

/* Can the relationship be joined from keys alone, or does it start from other
 * columns of the parent? */
bool join_needs_parent(const struct relationship *relationship);
/* As join_condition, of parents that are keys; under the alias where they are
 * _hero_keys'. */
void join_condition_of_keys(struct sql *sql, const struct relationship *relationship,
                            enum join_parent parent, const char *parent_alias,
                            const char *link_alias, const char *target_alias);
/* What goes after FROM, up to and with the conditions; l is the link model's
 * table, t the related records'. */
void join_from_keys(struct sql *sql, const struct relationship *relationship,
                    enum join_parent parent);
/* The link model's columns that are not its ends, in their order: those that an
 * edge carries. false once there are no more; *at starts at 0. */
bool join_link_column(const struct relationship *relationship, size_t *at,
                      const struct column **ret_column);

#endif
