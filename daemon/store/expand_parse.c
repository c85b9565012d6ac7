/*
 * What a request expands: paths become a tree of relationships, expansions
 * what is asked of each. Knows requests and models; no statements.
 */
#include <stdio.h>
#include <string.h>
#include "expand.h"

/* ---- paths ---- */

static struct expand *find_or_add(struct reading *reading, struct expand **list,
                                  const struct relationship *relationship)
{
    while (*list && (*list)->relationship != relationship)
        list = &(*list)->next;
    if (!*list) {
        *list = arena_alloc(reading->arena, sizeof(**list));
        if (*list)
            (*list)->relationship = relationship;
    }
    return *list;
}

/* The place of the path in the tree; NULL: told. */
static struct expand *parse_path(struct reading *reading, const struct model *model,
                                 const char *path, const char *where, struct expand **tree)
{
    struct expand *expand = NULL;
    unsigned depth = 0;
    for (const char *at = path; *at || at == path;) {
        size_t len = strcspn(at, ".");
        char *name = arena_printf(reading->arena, "%.*s", (int)len, at);
        const struct relationship *relationship = name ? model_relationship(model, name) : NULL;
        if (!name) {
            (void)reading_no_memory(reading);
            return NULL;
        }
        if (!relationship) {
            fault_add(reading->fault, where, "%s has no relationship called \"%s\"", model->name,
                      name);
            return NULL;
        }
        if (++depth > reading->store->options.max_expand_depth) {
            fault_add(reading->fault, where, "is deeper than %u relationships",
                      reading->store->options.max_expand_depth);
            return NULL;
        }
        expand = find_or_add(reading, tree, relationship);
        if (!expand) {
            (void)reading_no_memory(reading);
            return NULL;
        }
        tree = &expand->children;
        model = relationship->target;
        at += len;
        if (*at == '.' && !*++at) {
            fault_add(reading->fault, where, "ends with a dot");
            return NULL;
        }
    }
    return expand;
}

static void parse_expansion(struct reading *reading, const struct model *model,
                            const Hero__V1__Expansion *asked, size_t i, struct expand **tree)
{
    char where[48];
    snprintf(where, sizeof(where), "expansions[%zu].path", i);
    struct expand *expand = parse_path(reading, model, asked->path ? asked->path : "", where, tree);
    if (expand && expand->asked)
        fault_add(reading->fault, where, "%s is there twice", asked->path);
    else if (expand) {
        expand->asked = asked;
        expand->index = i;
    }
}

/* ---- what is asked of each ---- */

static bool same_texts(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool same_lists(const Hero__V1__Expansion *a, const Hero__V1__Expansion *b)
{
    static const Hero__V1__Expansion all = HERO__V1__EXPANSION__INIT;
    a = a ? a : &all;
    b = b ? b : &all;
    return strcmp(a->filter ? a->filter : "", b->filter ? b->filter : "") == 0 &&
           a->page_size == b->page_size &&
           same_texts(a->order_by, a->n_order_by, b->order_by, b->n_order_by);
}

/* A record has one list of edges for a relationship, whichever paths lead to
 * it: they must agree on what is in it. */
static void check_same(struct reading *reading, const struct expand *all, const struct expand *one)
{
    char where[48];
    for (; all; all = all->next) {
        if (all != one && all->relationship == one->relationship &&
            !same_lists(all->asked, one->asked)) {
            snprintf(where, sizeof(where), "expansions[%zu]", one->index);
            fault_add(reading->fault, where,
                      "%s of %s is loaded along another path, too, with another filter, order or "
                      "page_size",
                      one->relationship->name, one->relationship->model->name);
            return;
        }
        check_same(reading, all->children, one);
    }
}

static void prefix(struct reading *reading, struct fault *found, const char *where)
{
    if (found->code == HERO__V1__CODE__INVALID_ARGUMENT && found->n_violations > 0) {
        fault_prefix(found, where);
        fault_set(found, found->code, "%s: %s", found->violations[0].path,
                  found->violations[0].description);
    }
    if (found->code != HERO__V1__CODE__OK && reading->fault->code == HERO__V1__CODE__OK)
        *reading->fault = *found;
    else
        fault_done(found);
}

static Code read_question(struct reading *reading, struct expand *expand, struct fault *fault)
{
    static const Hero__V1__Expansion all = HERO__V1__EXPANSION__INIT;
    const Hero__V1__Expansion *asked = expand->asked ? expand->asked : &all;
    const struct relationship *relationship = expand->relationship;
    struct arena *arena = reading->arena;
    Code code = scope_init_related(&expand->scope, arena, &reading->n_sources, relationship, fault);
    if (code == HERO__V1__CODE__OK)
        code = filter_make(&expand->scope, asked->filter, "filter", &page_filter_limits, fault,
                           &expand->filter);
    if (code == HERO__V1__CODE__OK)
        code = order_read(&expand->order, &expand->scope, asked->order_by, asked->n_order_by,
                          "order_by", fault);
    expand->cap = relationship->single ? 0 : asked->page_size;
    if (code != HERO__V1__CODE__OK || !expand->cap)
        return code;
    expand->shape = page_shape(&expand->order, expand->filter ? asked->filter : NULL);
    code = scope_init_related(&expand->chosen, arena, &reading->n_sources, relationship, fault);
    return code == HERO__V1__CODE__OK
               ? order_read(&expand->chosen_order, &expand->chosen, asked->order_by,
                            asked->n_order_by, "order_by", fault)
               : code;
}

static Code read_fields(struct reading *reading, const struct expand *expand, struct fault *found)
{
    struct fault *fault = reading->fault;
    reading->fault = found;
    Code code = reading_mask(reading, expand->relationship->target,
                             expand->asked ? expand->asked->read_mask : NULL,
                             expand->asked ? expand->asked->n_read_mask : 0, "read_mask");
    reading->fault = fault;
    return code;
}

static void prepare(struct reading *reading, struct expand *expand, const struct expand *tree)
{
    struct fault found = FAULT_INIT;
    char where[48];
    snprintf(where, sizeof(where), "expansions[%zu]", expand->index);
    if (expand->asked)
        check_same(reading, tree, expand);
    Code code = read_question(reading, expand, &found);
    if (code == HERO__V1__CODE__OK)
        code = read_fields(reading, expand, &found);
    if (code != HERO__V1__CODE__OK)
        prefix(reading, &found, where);
    for (struct expand *child = expand->children; child; child = child->next)
        prepare(reading, child, tree);
}

Code expand_parse(struct reading *reading, const struct model *model,
                  const struct expand_request *request, struct expand **ret_tree)
{
    char where[32];
    *ret_tree = NULL;
    for (size_t i = 0; i < request->n_paths; i++) {
        snprintf(where, sizeof(where), "expand[%zu]", i);
        (void)parse_path(reading, model, request->paths[i], where, ret_tree);
    }
    for (size_t i = 0; i < request->n_expansions; i++)
        parse_expansion(reading, model, request->expansions[i], i, ret_tree);
    for (struct expand *expand = *ret_tree; expand && reading->fault->code == HERO__V1__CODE__OK;
         expand = expand->next)
        prepare(reading, expand, *ret_tree);
    return reading->fault->code;
}
