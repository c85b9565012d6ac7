/*
 * heroctl list: records in an order, page by page.
 */
#include "command.h"
#include "paging.h"

static hero_request *ask(struct context *context, const hero_list *list)
{
    return hero_request_list_json(context->client, context->arguments.operands[0], list,
                                  &context->error);
}

static int run(struct context *context)
{
    if (!context_connect(context))
        return report_error(context);
    return paging_run(context, context->arguments.operands[0], ask);
}

const struct command command_list = {
    .name = "list",
    .operands = "MODEL",
    .help = "Print records, filtered, in any order, page by page",
    .details =
        "Without --order-by: by primary key. When there is more than was printed, the token\n"
        "of the next page is told on standard error: \"next page: TOKEN\"; with --count \"total:\n"
        "N\" too.\n",
    .example = "  heroctl list hero --order-by=-age,name --limit 10\n"
               "  heroctl list hero --filter 'age >= 18 AND any(teams, name = \"Preventers\")'\n"
               "  heroctl list hero --all --expand teams -o jsonl\n",
    .options = PAGING_OPTIONS | OPTION_ETAGS,
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
