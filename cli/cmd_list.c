/*
 * heroctl list: records in an order, page by page.
 */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "output.h"

struct paging {
    struct context *context;
    struct output *output;
    hero_list list;
    char *token;   /* of the next page; NULL: the first, or there is none */
    uint32_t left; /* records still wanted; 0: no limit */
};

/* Prints one page and sets `token`. */
static int print_page(struct paging *paging)
{
    const struct arguments *arguments = &paging->context->arguments;
    size_t before = output_count(paging->output);

    if (paging->left)
        paging->list.page_size = paging->left;
    hero_result *answer = context_run(
        paging->context, hero_request_list_json(paging->context->client, arguments->operands[0],
                                                &paging->list, &paging->context->error));
    if (!answer)
        return report_error(paging->context);
    const char *token = hero_result_next_page_token(answer);
    char *copy = token ? strdup(token) : NULL;
    int result = output_page(paging->output, hero_result_text(answer));
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

    paging->list.order_by = arguments->order_by;
    paging->list.page_token = arguments->page_token;
    paging->list.expand = arguments->expand;
    paging->list.page_size = arguments->limit;
    paging->left = limited ? arguments->limit : 0;
    do {
        result = print_page(paging);
    } while (!result && paging->token && (arguments->all || paging->left));
    return result;
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    struct paging paging = {.context = context};

    if (!context_connect(context))
        return report_error(context);
    int result =
        output_new(context, arguments->operands[0], arguments->expand, false, &paging.output);
    if (result)
        return result;
    result = print_pages(&paging);
    if (!result)
        result = output_end(paging.output);
    if (!result && paging.token) {
        fflush(stdout);
        fprintf(stderr, "next page: %s\n", paging.token);
    }
    free(paging.token);
    output_free(paging.output);
    return result;
}

const struct command command_list = {
    .name = "list",
    .operands = "MODEL",
    .help = "Print records, in any order, page by page",
    .details =
        "Without --order-by: by primary key. When there is more than was printed, the token\n"
        "of the next page is told on standard error: \"next page: TOKEN\".\n",
    .example = "  heroctl list hero --order-by=-age,name --limit 10\n"
               "  heroctl list hero --all --expand teams -o jsonl\n",
    .options = OPTION_ORDER_BY | OPTION_LIMIT | OPTION_PAGE_TOKEN | OPTION_ALL | OPTION_EXPAND |
               OPTION_ETAGS,
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
