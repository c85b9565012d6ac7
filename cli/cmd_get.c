/*
 * heroctl get: records by key.
 */
#include "command.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const char *model = arguments->operands[0];
    size_t n_keys = arguments->n_operands - 1;

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer =
        context_run(context, hero_request_get_json(context->client, model,
                                                   (const char *const *)arguments->operands + 1,
                                                   n_keys, arguments->expand, &context->error));
    if (!answer)
        return report_error(context);
    int result =
        output_records(context, model, arguments->expand, n_keys == 1, hero_result_text(answer));
    hero_result_free(answer);
    return result;
}

const struct command command_get = {
    .name = "get",
    .operands = "MODEL KEY...",
    .help = "Print records by key",
    .details = "A key of several columns is k1,k2 in the order of their declaration, or a JSON\n"
               "array. With -o json one KEY prints one object, several print an array.\n",
    .example = "  heroctl get hero 1 --expand teams\n"
               "  heroctl get copy north,3 '[\"south\", 1]'\n",
    .options = OPTION_EXPAND | OPTION_ETAGS,
    .n_operands_min = 2,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
