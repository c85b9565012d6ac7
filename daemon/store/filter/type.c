/*
 * Filters, typed: what the names of a tree mean in the models, which
 * operators and values go with them. Knows models; no SQL.
 */
#include <string.h>
#include "column.h"
#include "filter.h"
#include "literal.h"

static Code type_condition(struct filter_parse *parse, struct scope *scope,
                           const struct filter_node *node, struct filter **ret);

static struct filter *new_filter(struct filter_parse *parse, enum filter_kind kind)
{
    struct filter *filter = arena_alloc(parse->arena, sizeof(*filter));
    if (filter)
        filter->kind = kind;
    else
        filter_no_memory(parse);
    return filter;
}

static struct filter *negation(struct filter_parse *parse, struct filter *part)
{
    struct filter *filter = part ? new_filter(parse, FILTER_NOT) : NULL;
    if (filter)
        filter->parts = part;
    return filter;
}

static bool is_called(const struct filter_node *node, const char *name)
{
    return node->word == WORD_CALL && node->token.len == strlen(name) &&
           memcmp(node->token.at, name, node->token.len) == 0;
}

static const struct filter_node *argument(const struct filter_node *call, unsigned i)
{
    const struct filter_node *node = call->parts;
    while (node && i-- > 0)
        node = node->next;
    return node;
}

/* ---- names ---- */

static Code find(struct filter_parse *parse, struct scope *scope, const struct filter_node *path,
                 struct place *ret_place)
{
    const char *names[PLACE_MAX_STEPS + 1];
    const struct filter_node *nodes[PLACE_MAX_STEPS + 1];
    struct fault found = FAULT_INIT;
    size_t n = 0, at = 0;
    if (path->word != WORD_PATH)
        return filter_blame(parse, path->token.at, "a field is wanted here");
    for (const struct filter_node *name = path->parts; name && n <= PLACE_MAX_STEPS;
         name = name->next, n++) {
        char *copy = arena_alloc(parse->arena, name->token.len + 1);
        if (!copy)
            return filter_no_memory(parse);
        memcpy(copy, name->token.at, name->token.len);
        names[n] = copy;
        nodes[n] = name;
    }
    Code code = scope_find(scope, names, n, ret_place, &at, &found);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        filter_blame(parse, nodes[at]->token.at, "%s", found.message ? found.message : "");
    else if (code != HERO__V1__CODE__OK)
        fault_set(parse->fault, code, "%s", found.message ? found.message : "");
    fault_done(&found);
    return code;
}

static Code find_column(struct filter_parse *parse, struct scope *scope,
                        const struct filter_node *path, struct place *ret_place)
{
    Code code = find(parse, scope, path, ret_place);
    if (code == HERO__V1__CODE__OK && !ret_place->column)
        code = filter_blame(parse, path->token.at,
                            "%s of %s is a relationship: ask for any(%s), count(%s) or, where it "
                            "leads to one record, a field of that",
                            ret_place->relationship->name, ret_place->relationship->model->name,
                            ret_place->relationship->name, ret_place->relationship->name);
    return code;
}

static Code find_relationship(struct filter_parse *parse, struct scope *scope,
                              const struct filter_node *call, struct place *ret_place)
{
    const struct filter_node *path = argument(call, 0);
    if (!path || call->n_parts > 2)
        return filter_blame(parse, call->token.at, "%.*s takes a relationship and a condition",
                            (int)call->token.len, call->token.at);
    Code code = find(parse, scope, path, ret_place);
    if (code == HERO__V1__CODE__OK && !ret_place->relationship)
        code = filter_blame(parse, path->token.at,
                            "%s of %s is a column; %.*s asks for related "
                            "records",
                            ret_place->column->field_name, ret_place->column->model->name,
                            (int)call->token.len, call->token.at);
    return code;
}

/* A text, and whether its case counts: name, ignore_case(name). */
static Code find_operand(struct filter_parse *parse, struct scope *scope,
                         const struct filter_node *node, struct filter *filter)
{
    filter->ignore_case = is_called(node, "ignore_case");
    if (filter->ignore_case && node->n_parts != 1)
        return filter_blame(parse, node->token.at, "ignore_case takes one field");
    if (node->word == WORD_CALL && !filter->ignore_case)
        return filter_blame(parse, node->token.at, "%.*s gives nothing that could be compared",
                            node->token.len > 40 ? 40 : (int)node->token.len, node->token.at);
    Code code = find_column(parse, scope, filter->ignore_case ? node->parts : node, &filter->place);
    if (code == HERO__V1__CODE__OK && filter->ignore_case &&
        filter->place.column->kind != COLUMN_TEXT)
        code =
            filter_blame(parse, node->token.at, "%s is no text", filter->place.column->field_name);
    return code;
}

/* ---- comparisons ---- */

/* null stands in comparisons, too: = null is IS NULL. */
static bool is_null(const struct filter_node *node)
{
    return node->word == WORD_LITERAL && node->literal == LITERAL_NULL;
}

static Code check_operator(struct filter_parse *parse, const struct filter_node *node,
                           const struct column *column)
{
    bool equality = node->operator== OPERATOR_EQUAL || node->operator== OPERATOR_UNEQUAL;
    enum column_comparison comparison = column_comparison(column);
    if (comparison == COLUMN_NOT_COMPARED)
        return filter_blame(parse, node->token.at, "%s can only be asked for IS NULL",
                            column->field_name);
    if (!equality && (comparison == COLUMN_EQUALITY || column->kind == COLUMN_BOOL))
        return filter_blame(parse, node->token.at, "%s has no order: only = and != go with it",
                            column->field_name);
    return HERO__V1__CODE__OK;
}

static Code add_value(struct filter_parse *parse, struct filter *filter, size_t room,
                      const struct filter_node *node)
{
    if (!filter->values)
        filter->values = arena_array(parse->arena, room, sizeof(*filter->values));
    if (!filter->values)
        return filter_no_memory(parse);
    return literal_value(parse, node, filter->place.column, &filter->values[filter->n_values++]);
}

static Code compare_null(struct filter_parse *parse, const struct filter_node *node,
                         struct filter *filter, struct filter **ret)
{
    if (node->operator!= OPERATOR_EQUAL && node->operator!= OPERATOR_UNEQUAL)
        return filter_blame(parse, node->token.at, "null has no order: only = and != go with it");
    filter->kind = FILTER_ABSENT;
    *ret = node->operator== OPERATOR_EQUAL ? filter : negation(parse, filter);
    return *ret ? HERO__V1__CODE__OK : parse->fault->code;
}

/* name:"x": contains, whatever the case. */
static Code type_has(struct filter_parse *parse, const struct filter_node *right,
                     struct filter *filter)
{
    if (filter->place.column->kind != COLUMN_TEXT)
        return filter_blame(parse, right->token.at, "%s is no text: \":\" looks for a part of one",
                            filter->place.column->field_name);
    filter->kind = FILTER_MATCH;
    filter->match = MATCH_CONTAINS;
    filter->ignore_case = true;
    return add_value(parse, filter, 1, right);
}

static Code type_count(struct filter_parse *parse, struct scope *scope,
                       const struct filter_node *node, struct filter **ret);

static Code type_compare(struct filter_parse *parse, struct scope *scope,
                         const struct filter_node *node, struct filter **ret)
{
    const struct filter_node *left = argument(node, 0), *right = argument(node, 1);
    if (is_called(left, "count"))
        return type_count(parse, scope, node, ret);
    struct filter *filter = new_filter(parse, FILTER_COMPARE);
    if (!filter)
        return parse->fault->code;
    Code code = find_operand(parse, scope, left, filter);
    if (code != HERO__V1__CODE__OK)
        return code;
    *ret = filter;
    if (is_null(right))
        return compare_null(parse, node, filter, ret);
    filter->operator= node->operator;
    if (node->operator== OPERATOR_HAS)
        return type_has(parse, right, filter);
    code = check_operator(parse, node, filter->place.column);
    return code == HERO__V1__CODE__OK ? add_value(parse, filter, 1, right) : code;
}

/* IN (.., null) holds where the column is NULL, too. */
static Code type_list(struct filter_parse *parse, struct scope *scope,
                      const struct filter_node *node, struct filter **ret)
{
    struct filter *filter = new_filter(parse, FILTER_LIST);
    struct filter *absent = NULL, *either;
    struct filter_node equality = {.token = node->token, .operator= OPERATOR_EQUAL };
    if (!filter)
        return parse->fault->code;
    Code code = find_operand(parse, scope, node->parts, filter);
    if (code == HERO__V1__CODE__OK)
        code = check_operator(parse, &equality, filter->place.column);
    for (const struct filter_node *value = node->parts->next; value && code == HERO__V1__CODE__OK;
         value = value->next) {
        if (!is_null(value))
            code = add_value(parse, filter, node->n_parts, value);
        else if (!absent && (absent = new_filter(parse, FILTER_ABSENT)))
            absent->place = filter->place;
        if (parse->stopped)
            code = parse->fault->code;
    }
    *ret = absent && !filter->n_values ? absent : filter;
    if (code != HERO__V1__CODE__OK || !absent || !filter->n_values)
        return code;
    either = new_filter(parse, FILTER_ONE_OF);
    if (!either)
        return parse->fault->code;
    either->parts = filter;
    filter->next = absent;
    *ret = either;
    return code;
}

static Code type_absent(struct filter_parse *parse, struct scope *scope,
                        const struct filter_node *node, struct filter **ret)
{
    *ret = new_filter(parse, FILTER_ABSENT);
    return *ret ? find_column(parse, scope, node->parts, &(*ret)->place) : parse->fault->code;
}

/* active: active = true. */
static Code type_bare(struct filter_parse *parse, struct scope *scope,
                      const struct filter_node *node, struct filter **ret)
{
    struct filter *filter = new_filter(parse, FILTER_COMPARE);
    if (!filter)
        return parse->fault->code;
    Code code = find_column(parse, scope, node, &filter->place);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (filter->place.column->kind != COLUMN_BOOL)
        return filter_blame(parse, node->token.at, "%s alone is no condition: compare it",
                            filter->place.column->field_name);
    filter->values = arena_array(parse->arena, 1, sizeof(*filter->values));
    if (!filter->values)
        return filter_no_memory(parse);
    filter->values[filter->n_values++] = (struct key_value){.type = SQLITE_INTEGER, .integer = 1};
    filter->operator= OPERATOR_EQUAL;
    *ret = filter;
    return code;
}

/* ---- calls ---- */

static Code type_match(struct filter_parse *parse, struct scope *scope,
                       const struct filter_node *call, enum filter_match match, struct filter **ret)
{
    const struct filter_node *text = argument(call, 1);
    struct filter *filter = new_filter(parse, FILTER_MATCH);
    if (!filter)
        return parse->fault->code;
    if (call->n_parts != 2)
        return filter_blame(parse, call->token.at, "%.*s takes a field and a text",
                            (int)call->token.len, call->token.at);
    Code code = find_operand(parse, scope, call->parts, filter);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (filter->place.column->kind != COLUMN_TEXT)
        return filter_blame(parse, call->parts->token.at, "%s is no text",
                            filter->place.column->field_name);
    filter->match = match;
    *ret = filter;
    return add_value(parse, filter, 1, text);
}

/* The related records and the condition on them, the second argument. */
static Code type_related(struct filter_parse *parse, struct scope *scope,
                         const struct filter_node *call, struct filter *filter, bool negated)
{
    const struct filter_node *condition = argument(call, 1);
    Code code = find_relationship(parse, scope, call, &filter->place);
    if (code != HERO__V1__CODE__OK)
        return code;
    filter->related = arena_alloc(parse->arena, sizeof(*filter->related));
    if (!filter->related)
        return filter_no_memory(parse);
    code = scope_init_related(filter->related, parse->arena, scope->n_sources,
                              filter->place.relationship, parse->fault);
    if (code != HERO__V1__CODE__OK || !condition)
        return code;
    code = type_condition(parse, filter->related, condition, &filter->parts);
    if (code == HERO__V1__CODE__OK && negated)
        filter->parts = negation(parse, filter->parts);
    return parse->stopped ? parse->fault->code : code;
}

/* all(r, c): there is none for which c doesn't hold. */
static Code type_any(struct filter_parse *parse, struct scope *scope,
                     const struct filter_node *call, bool all, bool none, struct filter **ret)
{
    struct filter *filter = new_filter(parse, FILTER_ANY);
    if (!filter)
        return parse->fault->code;
    if (all && call->n_parts == 1)
        return filter_blame(parse, call->token.at, "all takes a relationship and a condition");
    Code code = type_related(parse, scope, call, filter, all);
    *ret = all || none ? negation(parse, filter) : filter;
    return *ret ? code : parse->fault->code;
}

static Code type_count(struct filter_parse *parse, struct scope *scope,
                       const struct filter_node *node, struct filter **ret)
{
    struct filter *filter = new_filter(parse, FILTER_COUNT);
    if (!filter)
        return parse->fault->code;
    if (node->operator== OPERATOR_HAS)
        return filter_blame(parse, node->token.at, "a count is compared by = != < <= > >=");
    filter->operator= node->operator;
    filter->values = arena_array(parse->arena, 1, sizeof(*filter->values));
    if (!filter->values)
        return filter_no_memory(parse);
    filter->n_values = 1;
    Code code = type_related(parse, scope, argument(node, 0), filter, false);
    *ret = filter;
    return code == HERO__V1__CODE__OK ? literal_count(parse, argument(node, 1), filter->values)
                                      : code;
}

static Code type_call(struct filter_parse *parse, struct scope *scope,
                      const struct filter_node *call, struct filter **ret)
{
    if (is_called(call, "any"))
        return type_any(parse, scope, call, false, false, ret);
    if (is_called(call, "all"))
        return type_any(parse, scope, call, true, false, ret);
    if (is_called(call, "none"))
        return type_any(parse, scope, call, false, true, ret);
    if (is_called(call, "starts_with"))
        return type_match(parse, scope, call, MATCH_STARTS, ret);
    if (is_called(call, "ends_with"))
        return type_match(parse, scope, call, MATCH_ENDS, ret);
    if (is_called(call, "contains"))
        return type_match(parse, scope, call, MATCH_CONTAINS, ret);
    if (is_called(call, "count") || is_called(call, "ignore_case"))
        return filter_blame(parse, call->token.at, "%.*s(..) alone is no condition: compare it",
                            (int)call->token.len, call->token.at);
    return filter_blame(parse, call->token.at,
                        "there is no function %.*s; there are any, all, none, count, starts_with, "
                        "ends_with, contains and ignore_case",
                        call->token.len > 40 ? 40 : (int)call->token.len, call->token.at);
}

/* ---- conditions ---- */

static Code type_parts(struct filter_parse *parse, struct scope *scope,
                       const struct filter_node *node, enum filter_kind kind, struct filter **ret)
{
    struct filter *filter = new_filter(parse, kind), **last;
    if (!filter)
        return parse->fault->code;
    *ret = filter;
    last = &filter->parts;
    for (const struct filter_node *part = node->parts; part; part = part->next) {
        Code code = type_condition(parse, scope, part, last);
        if (code != HERO__V1__CODE__OK)
            return code;
        last = &(*last)->next;
    }
    return HERO__V1__CODE__OK;
}

/* As deep as the tree, which the grammar bounds. */
static Code type_condition(struct filter_parse *parse, struct scope *scope,
                           const struct filter_node *node, struct filter **ret)
{
    switch (node->word) {
    case WORD_AND:
        return type_parts(parse, scope, node, FILTER_ALL_OF, ret);
    case WORD_OR:
        return type_parts(parse, scope, node, FILTER_ONE_OF, ret);
    case WORD_NOT:
        return type_parts(parse, scope, node, FILTER_NOT, ret);
    case WORD_PATH:
        return type_bare(parse, scope, node, ret);
    case WORD_CALL:
        return type_call(parse, scope, node, ret);
    case WORD_COMPARE:
        return type_compare(parse, scope, node, ret);
    case WORD_IN:
        return type_list(parse, scope, node, ret);
    case WORD_IS_NULL:
        return type_absent(parse, scope, node, ret);
    case WORD_LITERAL:
        break;
    }
    return filter_blame(parse, node->token.at, "a condition is wanted here");
}

Code filter_make(struct scope *scope, const char *text, const char *path,
                 const struct filter_limits *limits, struct fault *fault,
                 struct filter **ret_filter)
{
    struct filter_parse parse = {
        .text = text, .arena = scope->arena, .fault = fault, .path = path, .limits = limits};
    *ret_filter = NULL;
    if (!text)
        return HERO__V1__CODE__OK;
    Code code = filter_read(&parse);
    if (code != HERO__V1__CODE__OK || !parse.root)
        return code;
    return type_condition(&parse, scope, parse.root, ret_filter);
}
