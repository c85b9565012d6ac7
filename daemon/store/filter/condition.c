/*
 * Filters as SQL: a condition with every value bound. Knows which of two
 * ways SQLite should look for related records; the models' names are
 * scope.c's and join.c's.
 *
 * NOT is moved down to the comparisons (De Morgan), where NULL is known to be
 * false, and any() to its negation: what is left is AND and OR over terms of
 * which NULL and false are the same, since WHERE takes neither.
 */
#include <string.h>
#include "decimal_order.h"
#include "filter.h"
#include "join.h"

#define PARTS_IN_A_ROW 100

struct writing {
    struct query *query;
    const struct scope *scope; /* whose records the condition is on */
    /* Few records are looked at anyhow: those of one parent, or of an equality
     * on an indexed column. */
    bool pinned;
};

static void put(const struct writing *w, const struct filter *filter, bool negated);

static void put_place(const struct writing *w, const struct place *place)
{
    scope_column(&w->query->sql, place->source, place->column);
}

static void add(const struct writing *w, const char *text)
{
    sql_add(&w->query->sql, text);
}

/* ---- what an index can find ---- */

static bool is_first(const struct column_list *lists, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (lists[i].columns[0] == column)
            return true;
    return false;
}

bool filter_leads_index(const struct place *place)
{
    const struct column *column = place->column;
    const struct model *model = column->model;
    if (column->index || column->unique || model->primary_key[0] == column ||
        is_first(model->indexes, model->n_indexes, column) ||
        is_first(model->uniques, model->n_uniques, column))
        return true;
    for (size_t i = 0; i < model->n_foreign_keys; i++)
        if (model->foreign_keys[i].wants_index && model->foreign_keys[i].columns[0] == column)
            return true;
    return false;
}

static bool is_equality(const struct filter *filter)
{
    return !filter->ignore_case &&
           ((filter->kind == FILTER_COMPARE && filter->operator== OPERATOR_EQUAL) ||
            filter->kind == FILTER_LIST) &&
           filter_leads_index(&filter->place);
}

/* Equal decimals are equal texts; which is the larger one they don't tell. */
static const char *order_of(const struct filter *filter, enum filter_operator operator)
{
    bool equality = operator== OPERATOR_EQUAL || operator== OPERATOR_UNEQUAL;
    return equality ? "" : decimal_order_of(filter->place.column);
}

bool filter_pins(const struct scope *scope, const struct filter *filter)
{
    if (filter->kind == FILTER_ALL_OF) {
        for (const struct filter *part = filter->parts; part; part = part->next)
            if (filter_pins(scope, part))
                return true;
        return false;
    }
    return is_equality(filter) && !filter->place.source->from;
}

static bool leads_any(const struct filter *filter);

/* Can the records be found from an index by this condition alone? */
static bool leads(const struct filter *filter)
{
    switch (filter->kind) {
    case FILTER_ALL_OF:
        for (const struct filter *part = filter->parts; part; part = part->next)
            if (leads(part))
                return true;
        return false;
    case FILTER_ONE_OF:
        for (const struct filter *part = filter->parts; part; part = part->next)
            if (!leads(part))
                return false;
        return true;
    case FILTER_COMPARE:
        return filter->operator!= OPERATOR_UNEQUAL && !filter->ignore_case &&
               filter_leads_index(&filter->place) &&
               !*order_of(filter, filter->operator);
    case FILTER_LIST:
        return is_equality(filter);
    case FILTER_MATCH:
        return filter->match == MATCH_STARTS && !filter->ignore_case && filter->values->len > 0 &&
               filter_leads_index(&filter->place);
    case FILTER_ANY:
        return leads_any(filter);
    case FILTER_NOT:
    case FILTER_ABSENT:
    case FILTER_COUNT:
        return false;
    }
    return false;
}

static bool leads_any(const struct filter *filter)
{
    return filter->parts && !filter->place.relationship->symmetric && leads(filter->parts);
}

/* ---- comparisons ---- */

static bool is_nullable(const struct place *place)
{
    return place->source->from || !place->column->not_null;
}

static const char *operator_text(enum filter_operator operator)
{
    static const char *const texts[] = {
        [OPERATOR_EQUAL] = " = ",   [OPERATOR_UNEQUAL] = " <> ",
        [OPERATOR_LESS] = " < ",    [OPERATOR_LESS_EQUAL] = " <= ",
        [OPERATOR_GREATER] = " > ", [OPERATOR_GREATER_EQUAL] = " >= ",
        [OPERATOR_HAS] = " = ",
    };
    return texts[operator];
}

static enum filter_operator opposite(enum filter_operator operator)
{
    static const enum filter_operator opposites[] = {
        [OPERATOR_EQUAL] = OPERATOR_UNEQUAL,
        [OPERATOR_UNEQUAL] = OPERATOR_EQUAL,
        [OPERATOR_LESS] = OPERATOR_GREATER_EQUAL,
        [OPERATOR_LESS_EQUAL] = OPERATOR_GREATER,
        [OPERATOR_GREATER] = OPERATOR_LESS_EQUAL,
        [OPERATOR_GREATER_EQUAL] = OPERATOR_LESS,
        [OPERATOR_HAS] = OPERATOR_HAS,
    };
    return opposites[operator];
}

static void put_comparison(const struct writing *w, const struct filter *filter, const char *text)
{
    add(w, filter->sparse ? "unlikely(" : "");
    put_place(w, &filter->place);
    add(w, text);
    query_value(w->query, filter->values);
    add(w, filter->ignore_case ? " COLLATE NOCASE" : order_of(filter, filter->operator));
    add(w, filter->sparse ? ")" : "");
}

static void put_absent(const struct writing *w, const struct filter *filter, bool negated)
{
    put_place(w, &filter->place);
    add(w, negated ? " IS NOT NULL" : " IS NULL");
}

/* != is what = is not, also of NULL; of NULL no order holds. */
static void put_compare(const struct writing *w, const struct filter *filter, bool negated)
{
    enum filter_operator operator= negated ? opposite(filter->operator) : filter->operator;
    if (operator== OPERATOR_UNEQUAL) {
        put_comparison(w, filter, " IS NOT ");
    } else if (operator== OPERATOR_EQUAL || !negated || !is_nullable(&filter->place)) {
        put_comparison(w, filter, operator_text(operator));
    } else { /* two ranges, which an index finds */
        add(w, "(");
        put_comparison(w, filter, operator_text(operator));
        add(w, " OR ");
        put_absent(w, filter, false);
        add(w, ")");
    }
}

static void put_list(const struct writing *w, const struct filter *filter, bool negated)
{
    add(w, negated ? "(" : "");
    put_place(w, &filter->place);
    add(w, filter->ignore_case ? " COLLATE NOCASE IN (" : " IN (");
    for (size_t i = 0; i < filter->n_values; i++) {
        add(w, i > 0 ? ", " : "");
        query_value(w->query, &filter->values[i]);
    }
    add(w, negated ? ")) IS NOT TRUE" : ")");
}

/* ---- texts ---- */

/* The character at the end of a valid text, and where it begins. */
static uint32_t last_character(const unsigned char *bytes, size_t len, size_t *ret_start)
{
    size_t start = len - 1;
    while (start > 0 && (bytes[start] & 0xc0) == 0x80)
        start--;
    static const uint32_t heads[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t character = bytes[start] & heads[len - start <= 4 ? len - start : 0];
    for (size_t i = start + 1; i < len; i++)
        character = character << 6 | (bytes[i] & 0x3f);
    *ret_start = start;
    return character;
}

static size_t put_character(unsigned char *to, uint32_t character)
{
    size_t n = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; character >>= 6)
        to[i] = (unsigned char)(0x80 | (character & 0x3f));
    to[0] = (unsigned char)(marks[n] | character);
    return n;
}

/* The least text that is greater than all that start with this one: its last
 * character plus one. SQLite compares bytes, and UTF-8 keeps the characters'
 * order. false: there is none. */
static bool next_text(struct arena *arena, const struct key_value *text, struct key_value *ret_next)
{
    size_t len = text->len, start = 0;
    uint32_t character = 0x10ffff; /* the last of all: longer texts begin alike */
    for (; len > 0 && character == 0x10ffff; len = start)
        character = last_character(text->data, len, &start);
    if (character == 0x10ffff)
        return false;
    unsigned char *next = arena_alloc(arena, start + 4);
    if (!next)
        return false;
    memcpy(next, text->data, start);
    character = character == 0xd7ff ? 0xe000 : character + 1; /* no surrogates */
    *ret_next = (struct key_value){
        SQLITE_TEXT, {.len = start + put_character(next + start, character)}, next};
    return true;
}

/* An index finds the range; only an index of NOCASE would find the other. */
static void put_starts(const struct writing *w, const struct filter *filter)
{
    struct key_value next;
    put_place(w, &filter->place);
    add(w, " >= ");
    query_value(w->query, filter->values);
    if (!next_text(w->query->sql.arena, filter->values, &next))
        return;
    add(w, " AND ");
    put_place(w, &filter->place);
    add(w, " < ");
    query_value(w->query, &next);
}

static int64_t n_characters(const struct key_value *text)
{
    int64_t n = 0;
    for (size_t i = 0; i < text->len; i++)
        n += (((const unsigned char *)text->data)[i] & 0xc0) != 0x80;
    return n;
}

static void put_folded(const struct writing *w, const struct filter *filter, const char *before)
{
    add(w, filter->ignore_case ? "lower(" : "");
    add(w, before);
    put_place(w, &filter->place);
}

static void put_text(const struct writing *w, const struct filter *filter)
{
    add(w, filter->ignore_case ? "lower(" : "");
    query_value(w->query, filter->values);
    add(w, filter->ignore_case ? ")" : "");
}

static void put_part(const struct writing *w, const struct filter *filter)
{
    int64_t n = n_characters(filter->values);
    put_folded(w, filter, "substr(");
    add(w, filter->match == MATCH_STARTS ? ", 1, " : ", ");
    query_integer(w->query, filter->match == MATCH_STARTS ? n : -n);
    add(w, filter->ignore_case ? ")) = " : ") = ");
    put_text(w, filter);
}

static void put_contains(const struct writing *w, const struct filter *filter)
{
    add(w, "instr(");
    put_folded(w, filter, "");
    add(w, filter->ignore_case ? "), " : ", ");
    put_text(w, filter);
    add(w, ") > 0");
}

static void put_match(const struct writing *w, const struct filter *filter, bool negated)
{
    if (filter->values->len == 0) { /* every text has it */
        put_absent(w, filter, !negated);
        return;
    }
    add(w, "(");
    if (filter->match == MATCH_CONTAINS)
        put_contains(w, filter);
    else if (filter->match == MATCH_STARTS && !filter->ignore_case)
        put_starts(w, filter);
    else
        put_part(w, filter);
    add(w, negated ? ") IS NOT TRUE" : ")");
}

/* ---- related records ---- */

static bool mentions(const struct source *source, const struct filter *filter)
{
    for (; filter; filter = filter->next)
        if (filter->place.source == source ||
            (filter->kind <= FILTER_NOT && mentions(source, filter->parts)))
            return true;
    return false;
}

/* The links tell all that is asked: the records at their other end are not looked at. */
static bool links_suffice(const struct filter *filter)
{
    const struct scope *related = filter->related;
    if (!related->link || related->through->symmetric || mentions(related->root, filter->parts))
        return false;
    for (const struct source *join = related->joins; join; join = join->next)
        if (join->from == related->root)
            return false;
    return true;
}

static void put_row(struct sql *sql, const struct source *source,
                    const struct column *const *columns, size_t n)
{
    sql_add(sql, n > 1 ? "(" : "");
    for (size_t i = 0; i < n; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        scope_column(sql, source, columns[i]);
    }
    sql_add(sql, n > 1 ? ")" : "");
}

static void put_columns(struct sql *sql, const struct source *source,
                        const struct column *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        scope_column(sql, source, columns[i]);
    }
}

static void put_table(struct sql *sql, const struct source *source)
{
    sql_table(sql, source->model);
    sql_add(sql, " AS ");
    sql_add(sql, source->alias);
}

static void put_part_of_related(const struct writing *w, const struct filter *filter, bool pinned,
                                const char *before)
{
    if (!filter->parts)
        return;
    struct writing inner = {w->query, filter->related,
                            pinned || filter_pins(filter->related, filter->parts)};
    add(w, before);
    put(&inner, filter->parts, false);
}

/* "heroteamlink AS t2 CROSS JOIN team AS t1 WHERE t2.hero_id = t0.id AND ..":
 * those of one record, from it outwards. */
static void put_related(const struct writing *w, const struct filter *filter)
{
    struct sql *sql = &w->query->sql;
    const struct relationship *relationship = filter->place.relationship;
    const struct scope *related = filter->related;
    const char *parent = filter->place.source->alias;
    if (links_suffice(filter)) {
        put_table(sql, related->link);
        scope_joins(sql, related);
        sql_add(sql, " WHERE ");
        put_row(sql, related->link, relationship->from->columns, relationship->from->n);
        sql_add(sql, " = ");
        put_row(sql, filter->place.source, relationship->from->referred, relationship->from->n);
    } else {
        scope_from(sql, related);
        sql_add(sql, " WHERE ");
        join_condition(sql, relationship, parent, related->link ? related->link->alias : NULL,
                       related->root->alias);
    }
    put_part_of_related(w, filter, true, " AND ");
}

/* "team AS t1 JOIN heroteamlink AS t2 ON t1.id = t2.team_id WHERE ..": all
 * that the condition holds for, in whichever order SQLite finds them. */
static void put_all_related(const struct writing *w, const struct filter *filter)
{
    struct sql *sql = &w->query->sql;
    const struct relationship *relationship = filter->place.relationship;
    const struct scope *related = filter->related;
    if (related->link && !links_suffice(filter)) {
        const struct foreign_key *to = relationship->to;
        put_table(sql, related->root);
        sql_add(sql, " JOIN ");
        put_table(sql, related->link);
        sql_add(sql, " ON ");
        put_row(sql, related->root, to->referred, to->n);
        sql_add(sql, " = ");
        put_row(sql, related->link, to->columns, to->n);
    } else {
        put_table(sql, related->link ? related->link : related->root);
    }
    scope_joins(sql, related);
    put_part_of_related(w, filter, false, " WHERE ");
}

/* t0.id IN (SELECT t2.hero_id FROM ..): SQLite begins with the related records. */
static void put_among(const struct writing *w, const struct filter *filter)
{
    struct sql *sql = &w->query->sql;
    const struct relationship *relationship = filter->place.relationship;
    const struct foreign_key *key = relationship->from;
    bool own = relationship->kind == RELATIONSHIP_OWN_KEY;
    const struct source *other =
        filter->related->link ? filter->related->link : filter->related->root;
    put_row(sql, filter->place.source, own ? key->columns : key->referred, key->n);
    sql_add(sql, " IN (SELECT ");
    put_columns(sql, other, own ? key->referred : key->columns, key->n);
    sql_add(sql, " FROM ");
    put_all_related(w, filter);
    sql_add(sql, ")");
}

static void put_any(const struct writing *w, const struct filter *filter, bool negated)
{
    if (!negated && !w->pinned && leads_any(filter)) {
        put_among(w, filter);
        return;
    }
    add(w, negated ? "NOT EXISTS (SELECT 1 FROM " : "EXISTS (SELECT 1 FROM ");
    put_related(w, filter);
    add(w, ")");
}

/* Counted no further than the comparison needs. */
static void put_count(const struct writing *w, const struct filter *filter, bool negated)
{
    enum filter_operator operator= negated ? opposite(filter->operator) : filter->operator;
    int64_t number = filter->values->integer;
    int64_t enough = number < 0 ? 1 : number == INT64_MAX ? number : number + 1;
    if (number == 0 &&
        (operator== OPERATOR_GREATER || operator== OPERATOR_UNEQUAL || operator== OPERATOR_EQUAL ||
         operator== OPERATOR_LESS_EQUAL)) {
        put_any(w, filter, operator== OPERATOR_EQUAL || operator== OPERATOR_LESS_EQUAL);
        return;
    }
    add(w, "(SELECT count(*) FROM (SELECT 1 FROM ");
    put_related(w, filter);
    add(w, " LIMIT ");
    query_integer(w->query, enough);
    add(w, "))");
    add(w, operator_text(operator));
    query_value(w->query, filter->values);
}

/* ---- conditions ---- */

/* n parts from `part` on; many in halves, since SQLite bounds how deep an
 * expression is, and few in a row, since it bounds its parser's stack, too. */
static const struct filter *put_parts(const struct writing *w, const struct filter *part, size_t n,
                                      const char *between, bool negated)
{
    add(w, "(");
    if (n > PARTS_IN_A_ROW) {
        part = put_parts(w, part, n / 2, between, negated);
        add(w, between);
        part = put_parts(w, part, n - n / 2, between, negated);
    } else {
        for (; n > 0; n--, part = part->next) {
            put(w, part, negated);
            add(w, n > 1 ? between : "");
        }
    }
    add(w, ")");
    return part;
}

static void put_all(const struct writing *w, const struct filter *filter, bool negated)
{
    struct writing inner = *w;
    size_t n = 0;
    for (const struct filter *part = filter->parts; part; part = part->next)
        n++;
    bool and = (filter->kind == FILTER_ALL_OF) != negated;
    inner.pinned = w->pinned || (!negated && filter_pins(w->scope, filter));
    put_parts(&inner, filter->parts, n, and? " AND " : " OR ", negated);
}

/* As deep as the tree, which the grammar bounds. */
static void put(const struct writing *w, const struct filter *filter, bool negated)
{
    switch (filter->kind) {
    case FILTER_ALL_OF:
    case FILTER_ONE_OF:
        put_all(w, filter, negated);
        return;
    case FILTER_NOT:
        put(w, filter->parts, !negated);
        return;
    case FILTER_COMPARE:
        put_compare(w, filter, negated);
        return;
    case FILTER_LIST:
        put_list(w, filter, negated);
        return;
    case FILTER_ABSENT:
        put_absent(w, filter, negated);
        return;
    case FILTER_MATCH:
        put_match(w, filter, negated);
        return;
    case FILTER_ANY:
        put_any(w, filter, negated);
        return;
    case FILTER_COUNT:
        put_count(w, filter, negated);
        return;
    }
}

void filter_condition(struct query *query, const struct scope *scope, const struct filter *filter)
{
    struct writing writing = {query, scope, scope->through != NULL};
    put(&writing, filter, false);
}
