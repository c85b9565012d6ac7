/*
 * List: a model's records, page by page. Knows the request and its answer;
 * where a page begins and ends is page.c's, related records are expand.c's.
 */
#include <string.h>
#include "page.h"

struct listing {
    struct reading reading;
    struct page page;
    struct page_total total;
    struct expand *tree;
};

static Code run(struct listing *listing)
{
    Code code = page_find_sparse(&listing->page);
    if (code == HERO__V1__CODE__OK)
        code = page_read(&listing->page);
    if (code == HERO__V1__CODE__OK)
        code = expand_run(&listing->reading, listing->tree, &listing->page.found);
    return code == HERO__V1__CODE__OK ? page_count(&listing->page, &listing->total) : code;
}

static Code run_to_size(struct listing *listing)
{
    Code code;
    do
        code = run(listing);
    while (code == HERO__V1__CODE__RESOURCE_EXHAUSTED && page_shrink(&listing->page));
    return code;
}

static Code answer(struct listing *listing, Hero__V1__ListResponse *ret)
{
    struct reading *reading = &listing->reading;
    Code code = nodes_refs(reading, &listing->page.found, &ret->roots);
    if (code != HERO__V1__CODE__OK)
        return code;
    ret->n_roots = listing->page.found.n;
    ret->graph = reading->graph;
    if (listing->total.kind) {
        ret->has_total = 1;
        ret->total = listing->total.total;
        ret->has_total_capped = ret->total_capped = listing->total.capped;
    }
    return page_token(&listing->page, &ret->has_next_page_token, &ret->next_page_token);
}

Code list_ask(struct page *page, struct page_total *total, struct expand **ret_tree,
              const Hero__V1__ListRequest *request)
{
    struct reading *reading = page->reading;
    const struct model *model;
    const struct page_question question = {
        .filter = request->filter,
        .order_by = request->order_by,
        .n_order_by = request->n_order_by,
        .size = request->page_size,
        .token = &request->page_token,
    };
    const struct expand_request expand = {request->expand, request->n_expand, request->expansions,
                                          request->n_expansions};
    *total = (struct page_total){.kind = request->count, .limit = request->count_limit};
    Code code = reading_start(reading, request->model, &model);
    if (code == HERO__V1__CODE__OK)
        code = scope_init(&page->scope, reading->arena, &reading->n_sources, model, reading->fault);
    if (code == HERO__V1__CODE__OK)
        code = page_ask(page, &question);
    if (code == HERO__V1__CODE__OK)
        code = page_check_total(reading, total);
    if (code == HERO__V1__CODE__OK)
        code = reading_mask(reading, model, request->read_mask, request->n_read_mask, "read_mask");
    return code == HERO__V1__CODE__OK ? expand_parse(reading, model, &expand, ret_tree) : code;
}

Code store_list(struct store *store, struct store_read *read, const Hero__V1__ListRequest *request,
                Hero__V1__ListResponse *ret, struct fault *fault)
{
    struct listing listing = {.reading = {.store = store,
                                          .read = read,
                                          .arena = read->arena,
                                          .fault = fault,
                                          .etags = request->etags}};
    struct reading *reading = &listing.reading;
    listing.page.reading = reading;
    Code code = list_ask(&listing.page, &listing.total, &listing.tree, request);
    if (code == HERO__V1__CODE__OK)
        code = pool_take(store, read, &reading->db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = run_to_size(&listing);
    pool_give(store, reading->db);
    return code == HERO__V1__CODE__OK ? answer(&listing, ret) : code;
}
