/*
 * Filters: the text of a request, checked against the models, as a condition
 * of SQL. The way of one: text -> words (scan.re) -> tree (grammar.y) ->
 * columns and values (type.c) -> SQL with its values bound (condition.c).
 *
 * A condition is true or false, never NULL: NOT holds exactly where the
 * condition doesn't.
 */
#ifndef HERO_STORE_FILTER_H
#define HERO_STORE_FILTER_H

#include "query.h"
#include "scope.h"
#include "tree.h"

enum filter_kind {
    FILTER_ALL_OF, /* AND */
    FILTER_ONE_OF, /* OR */
    FILTER_NOT,
    FILTER_COMPARE, /* column, operator, value */
    FILTER_LIST,    /* column IN values */
    FILTER_ABSENT,  /* column IS NULL */
    FILTER_MATCH,   /* column, text */
    FILTER_ANY,     /* some related record for which the part holds (no part: some) */
    FILTER_COUNT,   /* how many of those, operator, value */
};

enum filter_match { MATCH_STARTS, MATCH_ENDS, MATCH_CONTAINS };

struct filter {
    enum filter_kind kind;
    struct filter *parts, *next; /* ALL_OF, ONE_OF, NOT; the condition of ANY and COUNT */
    struct place place;          /* column; ANY and COUNT: relationship */
    enum filter_operator operator;
    enum filter_match match;
    bool ignore_case;
    bool sparse; /* it is known to hold for few records */
    struct key_value *values;
    size_t n_values;
    struct scope *related; /* ANY, COUNT: what the part's names mean */
};

/* The filter of a text over the records of the scope; NULL: none, where the
 * text is NULL or blank. Violations at `path`, each with the character of the
 * text that it is about. Joins that it needs are in the scope then. */
MUST_CHECK Code filter_make(struct scope *scope, const char *text, const char *path,
                            const struct filter_limits *limits, struct fault *fault,
                            struct filter **ret_filter);

/* Puts the condition into the query. */
void filter_condition(struct query *query, const struct scope *scope, const struct filter *filter);

/* Does an index of the models begin with the column? */
bool filter_leads_index(const struct place *place);
/* Does an equality on an indexed column leave few records of the scope? */
bool filter_pins(const struct scope *scope, const struct filter *filter);

#endif
