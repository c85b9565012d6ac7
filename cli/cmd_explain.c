/*
 * heroctl explain: what a list would do, and which indexes it lacks.
 */
#include "command.h"
#include "output.h"
#include "paging.h"

static void print_texts(const char *before, const json_t *texts)
{
    for (size_t i = 0; i < json_array_size(texts); i++)
        printf("%s%s\n", before, json_string_value(json_array_get(texts, i)));
}

static void print_statement(const json_t *statement, size_t i)
{
    printf("%s%s\n", i ? "\n" : "", json_string_value(json_object_get(statement, "sql")));
    print_texts("  ", json_object_get(statement, "plan"));
    print_texts("  index used: ", json_object_get(statement, "indexes"));
    print_texts("  index missing: ", json_object_get(statement, "missing"));
}

static int run(struct context *context)
{
    const hero_list list = paging_list(&context->arguments);

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer = hero_client_explain_json(context->client, context->arguments.operands[0],
                                                   &list, &context->error);
    if (!answer)
        return report_error(context);
    json_t *statements = json_loads(hero_result_text(answer), JSON_ALLOW_NUL, NULL);
    int result = EXIT_DONE;
    if (!statements)
        result = report_local(context, "the result is broken JSON");
    else if (context->arguments.format == FORMAT_JSON || context->arguments.format == FORMAT_JSONL)
        result = output_json(context, statements);
    else
        for (size_t i = 0; i < json_array_size(statements); i++)
            print_statement(json_array_get(statements, i), i);
    json_decref(statements);
    hero_result_free(answer);
    return result;
}

const struct command command_explain = {
    .name = "explain",
    .operands = "MODEL",
    .help = "Tell what a list would do: its SQL, the plan, the indexes used and missing",
    .details =
        "Takes the options of list, reads no record. An index that is missing is told as the\n"
        "model would declare it.\n",
    .example = "  heroctl explain hero --filter 'age > 30' --order-by name\n"
               "  heroctl explain hero --expand teams -o json\n",
    .options = OPTION_ORDER_BY | OPTION_LIMIT | OPTION_PAGE_TOKEN | OPTION_EXPAND | OPTION_FILTER |
               OPTION_COUNT | OPTION_FIELDS,
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
