/*
 * heroctl update: new values for columns of one record.
 */
#include <stdlib.h>
#include "command.h"
#include "input.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const char *model = arguments->operands[0];
    char *json = NULL;

    if (arguments->n_operands < 3 && !arguments->n_nulls)
        return report_usage(arguments, "update needs FIELD=VALUE, JSON or --null FIELD");
    int result = input_record(context, arguments->operands + 2, arguments->n_operands - 2, &json);
    if (result)
        return result;
    hero_result *answer = NULL;
    if (context_connect(context))
        answer = context_run(context, hero_request_update_json(context->client, model,
                                                               arguments->operands[1], json,
                                                               &context->error));
    free(json);
    if (!answer)
        return report_error(context);
    result = output_records(context, model, NULL, true, hero_result_text(answer));
    hero_result_free(answer);
    return result;
}

const struct command command_update = {
    .name = "update",
    .operands = "MODEL KEY FIELD=VALUE...|JSON|-",
    .help = "Change columns of a record and print what is stored",
    .details =
        "Columns that are not named stay. VALUE is read by the column's type; FIELD= is the\n"
        "empty text; --null FIELD, or null in JSON, sets NULL. With --etag, or \"@etag\" in JSON,\n"
        "a record that was changed since that etag was told is left as it is (exit code 4).\n",
    .example = "  heroctl update hero 1 age=33 'name=Dead Pond'\n"
               "  heroctl update hero 1 --null age\n",
    .options = OPTION_NULL | OPTION_ETAG | OPTION_ETAGS | OPTION_VALIDATE_ONLY,
    .n_operands_min = 2,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
