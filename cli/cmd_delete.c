/*
 * heroctl delete: records by key, all or none.
 */
#include <inttypes.h>
#include "command.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer =
        context_run(context, hero_request_delete_json(context->client, arguments->operands[0],
                                                      (const char *const *)arguments->operands + 1,
                                                      arguments->n_operands - 1, &context->error));
    if (!answer)
        return report_error(context);
    uint64_t commit = hero_result_commit(answer), deleted = hero_result_deleted(answer);
    hero_result_free(answer);
    return output_summary(
        context,
        json_pack("{s:I, s:I}", "commit", (json_int_t)commit, "deleted", (json_int_t)deleted),
        "%" PRIu64 " %s deleted", deleted, deleted == 1 ? "record" : "records");
}

const struct command command_delete = {
    .name = "delete",
    .operands = "MODEL KEY...",
    .help = "Delete records and their links, all or none",
    .details = "Refused while other records refer to one of them by foreign key.\n"
               "--etag goes with one KEY: it is deleted only if it was not changed since.\n",
    .example = "  heroctl delete hero 3\n",
    .options = OPTION_ETAG | OPTION_VALIDATE_ONLY,
    .n_operands_min = 2,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
