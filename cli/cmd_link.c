/*
 * heroctl link and unlink: a record and its related ones.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "command.h"
#include "input.h"
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
    hero_request *request =
        adds ? hero_request_link_json(context->client, operands[0], operands[1], operands[2],
                                      related, n, &context->error)
             : hero_request_unlink_json(context->client, operands[0], operands[1], operands[2],
                                        related, n, &context->error);
    int code = input_link_columns(context, request);
    if (code)
        return code;
    hero_result *answer = context_run(context, request);
    if (!answer)
        return report_error(context);
    uint64_t commit = hero_result_commit(answer), deleted = hero_result_deleted(answer);
    uint64_t changed = adds ? hero_result_added(answer) : hero_result_removed(answer);
    char orphans[64] = "";
    hero_result_free(answer);
    json_t *counts = json_pack("{s:I, s:I}", "commit", (json_int_t)commit,
                               adds ? "added" : "removed", (json_int_t)changed);
    if (deleted) {
        json_object_set_new(counts, "deleted", json_integer((json_int_t)deleted));
        snprintf(orphans, sizeof(orphans), ", %" PRIu64 " %s deleted", deleted,
                 deleted == 1 ? "record" : "records");
    }
    return output_summary(context, counts, "%" PRIu64 " %s %s%s", changed,
                          changed == 1 ? "link" : "links", adds ? "added" : "removed", orphans);
}

const struct command command_link = {
    .name = "link",
    .operands = "MODEL KEY RELATIONSHIP KEY...",
    .help = "Link a record to others, from either side",
    .details = "What is linked already stays and is no error. A record that has one at most gets\n"
               "another one. --set FIELD=VALUE writes a column of the link model; a link that\n"
               "is there already gets the new value.\n",
    .example = "  heroctl link hero 1 teams 2 3\n"
               "  heroctl link team 2 heroes 1\n"
               "  heroctl link hero 1 teams 2 --set role=lead\n",
    .options = OPTION_VALIDATE_ONLY | OPTION_SET | OPTION_LINK_SET,
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
