/*
 * heroctl create: a record, or many in one commit.
 */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "input.h"
#include "output.h"

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    const char *model = arguments->operands[0];
    char *json = NULL;
    int result = input_record(context, arguments->operands + 1, arguments->n_operands - 1, &json);

    if (result)
        return result;
    hero_result *answer = NULL;
    if (context_connect(context))
        answer = context_run(
            context, hero_request_create_json(context->client, model, json, &context->error));
    free(json);
    if (!answer)
        return report_error(context);
    const char *text = hero_result_text(answer);
    bool one = text && text[strspn(text, " \t\r\n")] == '{';
    result = output_records(context, model, NULL, one, text);
    hero_result_free(answer);
    return result;
}

const struct command command_create = {
    .name = "create",
    .operands = "MODEL FIELD=VALUE...|JSON|-",
    .help = "Create a record, or many in one commit, and print what is stored",
    .details =
        "VALUE is read by the column's type; FIELD= is the empty text; FIELD:=JSON takes JSON.\n"
        "- reads standard input: one JSON object, an array of them or JSON lines, all stored\n"
        "in one commit. In JSON a member of a relationship is a new record; {\"@key\": {...}},\n"
        "or an object of nothing but the key, is an existing one; {\"@connect\": {...}} is\n"
        "found by its primary key or a unique column, else created.\n",
    .example =
        "  heroctl create team name=Preventers 'headquarters=Sharp Tower'\n"
        "  heroctl create hero '{\"name\": \"Rusty-Man\", \"secret_name\": \"Tommy Sharp\",\n"
        "                        \"age\": 48, \"teams\": [{\"id\": 1}]}'\n"
        "  heroctl list hero --all -o jsonl | heroctl --url $OTHER create hero -\n",
    .options = OPTION_ETAGS | OPTION_VALIDATE_ONLY,
    .n_operands_min = 2,
    .n_operands_max = OPERANDS_ANY,
    .run = run,
};
