/*
 * ListRelated: the related records of one record, page by page. Knows the
 * request and its answer; the pages are page.c's, as those of List.
 */
#include "page.h"

struct relating {
    struct reading reading;
    struct page page;
    struct page_total total;
    struct expand *tree;
    const struct model *model; /* of the record */
    ProtobufCMessage *key;
};

/* What names one stored record. */
static Code read_target(struct relating *relating, const Hero__V1__Target *target)
{
    struct reading *reading = &relating->reading;
    struct fault found = FAULT_INIT;
    if (!target || target->has_ref || !target->has_key)
        return fault_add(reading->fault, "target", "names no stored record: give model and key");
    Code code = reading_start(reading, target->model, &relating->model);
    if (code != HERO__V1__CODE__OK) {
        fault_prefix(reading->fault, "target");
        return code;
    }
    code = model_unpack(relating->model, target->key.data, target->key.len, reading->arena,
                        &relating->key, &found);
    if (code == HERO__V1__CODE__OK)
        code = model_check_key(relating->model, relating->key, true, &found);
    if (code != HERO__V1__CODE__OK) {
        fault_prefix(&found, "target.key");
        *reading->fault = found;
    }
    return code;
}

/* Of the record itself the key tells enough. */
static Code read_masks(struct relating *relating, const Hero__V1__ListRelatedRequest *request)
{
    struct reading *reading = &relating->reading;
    const struct model *model = relating->model;
    char *name = (char *)(uintptr_t)model->primary_key[0]->field_name;
    Code code = reading_mask(reading, model, &name, 1, "target");
    if (code == HERO__V1__CODE__OK)
        code = reading_mask(reading, relating->page.scope.root->model, request->read_mask,
                            request->n_read_mask, "read_mask");
    return code;
}

static Code ask(struct relating *relating, const Hero__V1__ListRelatedRequest *request)
{
    struct reading *reading = &relating->reading;
    const struct relationship *relationship =
        request->relationship ? model_relationship(relating->model, request->relationship) : NULL;
    const struct page_question question = {
        .filter = request->filter,
        .order_by = request->order_by,
        .n_order_by = request->n_order_by,
        .size = request->page_size,
        .token = &request->page_token,
    };
    const struct expand_request expand = {.expansions = request->expansions,
                                          .n_expansions = request->n_expansions};
    if (!relationship)
        return fault_add(reading->fault, "relationship", "%s has no relationship called \"%s\"",
                         relating->model->name, request->relationship ? request->relationship : "");
    relating->total = (struct page_total){.kind = request->count, .limit = request->count_limit};
    Code code = scope_init_related(&relating->page.scope, reading->arena, &reading->n_sources,
                                   relationship, reading->fault);
    if (code == HERO__V1__CODE__OK)
        code = page_ask(&relating->page, &question);
    if (code == HERO__V1__CODE__OK)
        code = page_check_total(reading, &relating->total);
    if (code == HERO__V1__CODE__OK)
        code = read_masks(relating, request);
    if (code == HERO__V1__CODE__OK)
        code = expand_parse(reading, relationship->target, &expand, &relating->tree);
    return code;
}

static Code run(struct relating *relating)
{
    struct reading *reading = &relating->reading;
    struct nodes parent = {NULL, 0, 0};
    Code code = get_roots(reading, relating->model, &relating->key, 1, "target.key", &parent);
    if (code != HERO__V1__CODE__OK)
        return code;
    relating->page.parent = parent.items[0];
    code = page_read(&relating->page);
    if (code == HERO__V1__CODE__OK)
        code = expand_run(reading, relating->tree, &relating->page.found);
    return code == HERO__V1__CODE__OK ? page_count(&relating->page, &relating->total) : code;
}

static Code answer(struct relating *relating, Hero__V1__ListRelatedResponse *ret)
{
    struct reading *reading = &relating->reading;
    Code code = nodes_refs(reading, &relating->page.found, &ret->roots);
    if (code != HERO__V1__CODE__OK)
        return code;
    ret->n_roots = relating->page.found.n;
    ret->graph = reading->graph;
    if (relating->total.kind) {
        ret->has_total = 1;
        ret->total = relating->total.total;
        ret->has_total_capped = ret->total_capped = relating->total.capped;
    }
    return page_token(&relating->page, &ret->has_next_page_token, &ret->next_page_token);
}

Code store_list_related(struct store *store, struct store_read *read,
                        const Hero__V1__ListRelatedRequest *request,
                        Hero__V1__ListRelatedResponse *ret, struct fault *fault)
{
    struct relating relating = {
        .reading = {.store = store, .read = read, .arena = read->arena, .fault = fault}};
    relating.page.reading = &relating.reading;
    Code code = read_target(&relating, request->target);
    if (code == HERO__V1__CODE__OK)
        code = ask(&relating, request);
    if (code == HERO__V1__CODE__OK)
        code = pool_take(store, read, &relating.reading.db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    do
        code = run(&relating);
    while (code == HERO__V1__CODE__RESOURCE_EXHAUSTED && page_shrink(&relating.page));
    pool_give(store, relating.reading.db);
    return code == HERO__V1__CODE__OK ? answer(&relating, ret) : code;
}
