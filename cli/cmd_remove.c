/*
 * heroctl remove: stop serving a model.
 */
#include "command.h"
#include "output.h"

static int run(struct context *context)
{
    const char *model = context->arguments.operands[0];

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer = hero_client_remove_model(context->client, model, &context->error);
    if (!answer)
        return report_error(context);
    hero_result_free(answer);
    return output_summary(context, json_pack("{s:s}", "removed", model),
                          "%s is no longer served; its table stays", model);
}

const struct command command_remove = {
    .name = "remove",
    .operands = "MODEL",
    .help = "Stop serving a model; its table and rows stay in the database",
    .details = "Refused while another served model refers to it.\n",
    .example = "  heroctl remove HeroTeamLink\n",
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
