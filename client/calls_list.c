/*
 * What lists ask and what is told of them besides records: filters,
 * expansions, totals, tokens. For structs and JSON alike.
 */
#include <stdio.h>
#include <string.h>
#include "base64.h"
#include "calls.h"

static Code out_of(const struct arena *arena, struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "more than %zu bytes are needed",
                     arena->budget);
}

Code calls_split(struct arena *arena, const char *text, char ***ret_parts, size_t *ret_n_parts,
                 struct fault *fault)
{
    size_t n = 1, n_parts = 0;
    char **parts, *rest, *copy;

    *ret_parts = NULL;
    *ret_n_parts = 0;
    if (!text)
        return HERO__V1__CODE__OK;
    for (const char *at = text; *at; at++)
        n += *at == ',';
    parts = arena_array(arena, n, sizeof(*parts));
    copy = arena_strdup(arena, text);
    if (!parts || !copy)
        return out_of(arena, fault);
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        part += strspn(part, " \t");
        part[strcspn(part, " \t")] = '\0';
        if (*part)
            parts[n_parts++] = part;
    }
    *ret_parts = parts;
    *ret_n_parts = n_parts;
    return HERO__V1__CODE__OK;
}

/* ---- what is asked ---- */

static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Code read_expansion(struct arena *arena, const hero_expansion *given,
                           Hero__V1__Expansion **ret, struct fault *fault)
{
    Hero__V1__Expansion *expansion = arena_alloc(arena, sizeof(*expansion));
    Code code;

    if (!expansion)
        return out_of(arena, fault);
    hero__v1__expansion__init(expansion);
    expansion->path = borrowed(given->path ? given->path : "");
    expansion->filter = borrowed(given->filter);
    expansion->has_page_size = given->page_size > 0;
    expansion->page_size = given->page_size;
    expansion->has_total = expansion->total = given->total;
    code = calls_split(arena, given->order_by, &expansion->order_by, &expansion->n_order_by, fault);
    if (!code)
        code = calls_split(arena, given->fields, &expansion->read_mask, &expansion->n_read_mask,
                           fault);
    *ret = expansion;
    return code;
}

static Code read_expansions(struct arena *arena, const hero_list *list,
                            Hero__V1__ListRequest *input, struct fault *fault)
{
    Code code = HERO__V1__CODE__OK;

    if (!list->n_expansions)
        return code;
    if (!list->expansions)
        return fault_add(fault, "expansions", "is NULL; give the expansions");
    input->expansions = arena_array(arena, list->n_expansions, sizeof(*input->expansions));
    if (!input->expansions)
        return out_of(arena, fault);
    for (size_t i = 0; !code && i < list->n_expansions; i++)
        code = read_expansion(arena, &list->expansions[i], &input->expansions[i], fault);
    input->n_expansions = list->n_expansions;
    return code;
}

static Code read_fields(struct arena *arena, const hero_list *list, Hero__V1__ListRequest *input,
                        struct fault *fault)
{
    Code code = calls_split(arena, list->fields, &input->read_mask, &input->n_read_mask, fault);

    if (!code && list->fields && !input->n_read_mask)
        return fault_add(fault, "read_mask", "names no field; NULL stands for all");
    return code;
}

Code calls_list(struct arena *arena, const hero_list *list, Hero__V1__ListRequest *input,
                struct fault *fault)
{
    Code code;

    if (!list)
        return HERO__V1__CODE__OK;
    input->has_page_size = list->page_size > 0;
    input->page_size = list->page_size;
    input->filter = borrowed(list->filter);
    input->has_count = list->total != HERO_TOTAL_NONE;
    input->count = (Hero__V1__ListRequest__Count)list->total;
    input->has_count_limit = list->total_limit > 0;
    input->count_limit = list->total_limit;
    if (list->page_token) {
        input->has_page_token = 1;
        if (!base64_decode(arena, list->page_token, strlen(list->page_token), &input->page_token))
            return fault_add(fault, "page_token", "is not a token that an earlier page ended with");
    }
    code = calls_split(arena, list->order_by, &input->order_by, &input->n_order_by, fault);
    if (!code)
        code = calls_split(arena, list->expand, &input->expand, &input->n_expand, fault);
    if (!code)
        code = read_fields(arena, list, input, fault);
    return code ? code : read_expansions(arena, list, input, fault);
}

Code calls_list_related(struct arena *arena, const hero_list *list,
                        Hero__V1__ListRelatedRequest *input, struct fault *fault)
{
    Hero__V1__ListRequest all = HERO__V1__LIST_REQUEST__INIT;
    Code code = calls_list(arena, list, &all, fault);

    if (code)
        return code;
    input->n_expansions = all.n_expand + all.n_expansions;
    input->expansions = arena_array(arena, input->n_expansions + 1, sizeof(*input->expansions));
    if (!input->expansions)
        return out_of(arena, fault);
    /* Paths alone are expansions that ask nothing of them. */
    for (size_t i = 0; !code && i < all.n_expand; i++) {
        const hero_expansion path = {.path = all.expand[i]};

        code = read_expansion(arena, &path, &input->expansions[i], fault);
    }
    for (size_t i = 0; i < all.n_expansions; i++)
        input->expansions[all.n_expand + i] = all.expansions[i];
    input->filter = all.filter;
    input->order_by = all.order_by;
    input->n_order_by = all.n_order_by;
    input->has_page_size = all.has_page_size;
    input->page_size = all.page_size;
    input->has_page_token = all.has_page_token;
    input->page_token = all.page_token;
    input->read_mask = all.read_mask;
    input->n_read_mask = all.n_read_mask;
    input->has_count = all.has_count;
    input->count = all.count;
    input->has_count_limit = all.has_count_limit;
    input->count_limit = all.count_limit;
    return code;
}

/* ---- what is told ---- */

Code calls_next_page(hero_result *result, bool has, ProtobufCBinaryData token, struct fault *fault)
{
    if (!has)
        return HERO__V1__CODE__OK;
    result->next_page_token = base64_text(&result->arena, token);
    return result->next_page_token ? HERO__V1__CODE__OK : out_of(&result->arena, fault);
}

Code calls_told(hero_result *result, const struct calls_told *told, struct fault *fault)
{
    result->total = told->total;
    result->total_capped = told->total_capped;
    return calls_next_page(result, told->has_next, told->next, fault);
}
