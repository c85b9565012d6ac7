/*
 * heroctl remove: stop serving models.
 */
#include "command.h"
#include "output.h"

static int run(struct context *context)
{
    const char *const *models = (const char *const *)context->arguments.operands;
    size_t n_models = context->arguments.n_operands;
    json_t *removed;

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer =
        hero_client_remove_models(context->client, models, n_models, &context->error);
    if (!answer)
        return report_error(context);
    hero_result_free(answer);
    removed = json_array();
    for (size_t i = 0; i < n_models; i++)
        json_array_append_new(removed, json_string(models[i]));
    return output_summary(context, json_pack("{s:o}", "removed", removed),
                          "%s%s no longer served; the tables stay",
                          n_models == 1 ? models[0] : "the models are", n_models == 1 ? " is" : "");
}

const struct command command_remove = {
    .name = "remove",
    .operands = "MODEL...",
    .help = "Stop serving models; their tables and rows stay in the database",
    .details = "Refused while a model that stays refers to one of them: models that refer to each\n"
               "other go together.\n",
    .example = "  heroctl remove Hero Team HeroTeamLink\n",
    .n_operands_min = 1,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
