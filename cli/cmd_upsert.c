/*
 * heroctl upsert: a record is created, or found by a unique key and updated.
 */
#include <stdlib.h>
#include "command.h"
#include "input.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const struct hero_upsert how = {.by = arguments->by, .conflict = arguments->on_conflict};
    const char *model = arguments->operands[0];
    char *json = NULL;
    int result = input_record(context, arguments->operands + 1, arguments->n_operands - 1, &json);

    if (result)
        return result;
    hero_result *answer = NULL;
    if (context_connect(context))
        answer = context_run(
            context, hero_request_upsert_json(context->client, model, json, &how, &context->error));
    free(json);
    if (!answer)
        return report_error(context);
    bool created = hero_result_created(answer);
    result = output_records(context, model, NULL, true, hero_result_text(answer));
    hero_result_free(answer);
    if (!result && arguments->format == FORMAT_TABLE)
        fprintf(stderr, "%s\n",
                created                                          ? "created"
                : arguments->on_conflict == HERO_CONFLICT_UPDATE ? "found and updated"
                                                                 : "found and left as it is");
    return result;
}

const struct command command_upsert = {
    .name = "upsert",
    .operands = "MODEL FIELD=VALUE...|JSON|-",
    .help = "Create a record, or find it by a unique key and change it",
    .details =
        "The record is found by the fields of --by; without it by its primary key where that\n"
        "is given, else by the one unique key that is. What is given besides is written then;\n"
        "what is not stays. Prints what is stored and, on standard error, whether it is new.\n",
    .example =
        "  heroctl upsert author handle=ann 'full_name=Ann Other'\n"
        "  heroctl upsert author 'full_name=Ann Other' --by full_name --on-conflict ignore\n",
    .options = OPTION_NULL | OPTION_BY | OPTION_ON_CONFLICT | OPTION_ETAGS | OPTION_VALIDATE_ONLY,
    .n_operands_min = 2,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
