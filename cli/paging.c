/* Pages one after the other, until what was asked for is printed. */
#include "paging.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct paging {
    struct context *context;
    struct output *output;
    paging_ask *ask;
    hero_list list;
    char *token;   /* of the next page; NULL: the first, or there is none */
    uint32_t left; /* records still wanted; 0: no limit */
    uint64_t total;
};

hero_list paging_list(const struct arguments *arguments)
{
    return (hero_list){
        .order_by = arguments->order_by,
        .page_size = arguments->limit,
        .page_token = arguments->page_token,
        .expand = arguments->expand,
        .filter = arguments->filter,
        .fields = arguments->fields,
        .total = arguments->count ? HERO_TOTAL_EXACT : HERO_TOTAL_NONE,
    };
}

/* Prints one page and sets `token`. */
static int print_page(struct paging *paging)
{
    size_t before = output_count(paging->output);

    if (paging->left)
        paging->list.page_size = paging->left;
    hero_result *answer = context_run(paging->context, paging->ask(paging->context, &paging->list));
    if (!answer)
        return report_error(paging->context);
    const char *token = hero_result_next_page_token(answer);
    char *copy = token ? strdup(token) : NULL;
    int result = output_page(paging->output, hero_result_text(answer));
    if (paging->list.total)
        paging->total = hero_result_total(answer, NULL);
    paging->list.total = HERO_TOTAL_NONE; /* the first page tells of all */
    hero_result_free(answer);
    free(paging->token);
    paging->token = copy;
    paging->list.page_token = copy;
    if (!result && token && !copy)
        result = report_local(paging->context, "out of memory");
    size_t n = output_count(paging->output) - before;
    if (paging->left)
        paging->left = n < paging->left ? paging->left - (uint32_t)n : 0;
    return result;
}

static int print_pages(struct paging *paging)
{
    const struct arguments *arguments = &paging->context->arguments;
    bool limited = arguments->limit && !arguments->all;
    int result;

    paging->left = limited ? arguments->limit : 0;
    do {
        result = print_page(paging);
    } while (!result && paging->token && (arguments->all || paging->left));
    return result;
}

int paging_run(struct context *context, const char *model, paging_ask *ask)
{
    const struct arguments *arguments = &context->arguments;
    struct paging paging = {.context = context, .ask = ask, .list = paging_list(arguments)};
    int result = output_new(context, model, arguments->expand, false, &paging.output);

    if (result)
        return result;
    output_fields(paging.output, arguments->fields);
    result = print_pages(&paging);
    if (!result)
        result = output_end(paging.output);
    if (!result) {
        fflush(stdout);
        if (arguments->count)
            fprintf(stderr, "total: %" PRIu64 "\n", paging.total);
        if (paging.token)
            fprintf(stderr, "next page: %s\n", paging.token);
    }
    free(paging.token);
    output_free(paging.output);
    return result;
}
