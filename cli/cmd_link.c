/*
 * heroctl link and unlink: a record and its related ones.
 */
#include <inttypes.h>
#include "command.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    char **operands = arguments->operands;
    const char *const *related = (const char *const *)operands + 3;
    size_t n = arguments->n_operands - 3;
    bool adds = arguments->command == &command_link;

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer = context_run(
        context, adds ? hero_request_link_json(context->client, operands[0], operands[1],
                                               operands[2], related, n, &context->error)
                      : hero_request_unlink_json(context->client, operands[0], operands[1],
                                                 operands[2], related, n, &context->error));
    if (!answer)
        return report_error(context);
    uint64_t commit = hero_result_commit(answer);
    uint64_t changed = adds ? hero_result_added(answer) : hero_result_removed(answer);
    hero_result_free(answer);
    return output_summary(context,
                          json_pack("{s:I, s:I}", "commit", (json_int_t)commit,
                                    adds ? "added" : "removed", (json_int_t)changed),
                          "%" PRIu64 " %s %s", changed, changed == 1 ? "link" : "links",
                          adds ? "added" : "removed");
}

const struct command command_link = {
    .name = "link",
    .operands = "MODEL KEY RELATIONSHIP KEY...",
    .help = "Link a record to others, from either side",
    .details = "What is linked already stays and is no error.\n",
    .example = "  heroctl link hero 1 teams 2 3\n"
               "  heroctl link team 2 heroes 1\n",
    .options = OPTION_VALIDATE_ONLY,
    .n_operands_min = 4,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};

const struct command command_unlink = {
    .name = "unlink",
    .operands = "MODEL KEY RELATIONSHIP KEY...",
    .help = "Remove links of a record, from either side",
    .details = "What is not linked is no error.\n",
    .example = "  heroctl unlink hero 1 teams 2\n",
    .options = OPTION_VALIDATE_ONLY,
    .n_operands_min = 4,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
