/*
 * heroctl set-links: the related records of one become exactly these.
 */
#include <inttypes.h>
#include <stdio.h>
#include "command.h"
#include "input.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    char **operands = arguments->operands;

    if (!context_connect(context))
        return report_error(context);
    hero_request *request = hero_request_set_links_json(
        context->client, operands[0], operands[1], operands[2], (const char *const *)operands + 3,
        arguments->n_operands - 3, &context->error);
    int code = input_link_columns(context, request);
    if (code)
        return code;
    hero_result *answer = context_run(context, request);
    if (!answer)
        return report_error(context);
    uint64_t added = hero_result_added(answer), removed = hero_result_removed(answer),
             kept = hero_result_kept(answer), deleted = hero_result_deleted(answer);
    json_t *object = json_loads(hero_result_text(answer), 0, NULL);
    hero_result_free(answer);
    if (arguments->format == FORMAT_CSV) { /* a cell holds no list */
        json_object_del(object, "added_keys");
        json_object_del(object, "removed_keys");
    }
    char orphans[64] = "";
    if (deleted)
        snprintf(orphans, sizeof(orphans), ", %" PRIu64 " deleted", deleted);
    return output_summary(context, object,
                          "%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " kept%s", added,
                          removed, kept, orphans);
}

const struct command command_set_links = {
    .name = "set-links",
    .operands = "MODEL KEY RELATIONSHIP [KEY]...",
    .help = "Replace the related records of one by these, or by none",
    .details =
        "Their order and repeats don't matter. -o json tells the keys that were added and\n"
        "removed, and the list's etag; with --etag a list that was changed since is left as\n"
        "it is (exit code 4).\n",
    .example = "  heroctl set-links hero 1 teams 2 3\n"
               "  heroctl set-links team 2 heroes\n",
    .options = OPTION_SET | OPTION_LINK_SET | OPTION_ETAG | OPTION_VALIDATE_ONLY,
    .n_operands_min = 3,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
