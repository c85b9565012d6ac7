/*
 * heroctl apply: serve the models of a .proto, a descriptor set or an earlier
 * version. The plan first; what is done is that plan or nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "output.h"
#include "protoc.h"
#include "schema.h"
#include "sheet.h"
#include "text.h"

/* Tables may be written anew. */
#define APPLY_TIMEOUT_MS (10 * 60 * 1000)

static int64_t number_of(const json_t *object, const char *name)
{
    int64_t number = 0;
    json_t *value = text_member(object, name);

    return value && text_integer(value, &number) ? number : 0;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(text_member(object, name));
}

/* ---- the steps as a table ---- */

static void format_count(char *buffer, size_t size, int64_t number)
{
    buffer[0] = '\0';
    if (number)
        snprintf(buffer, size, "%" PRId64, number);
}

static bool add_step(struct sheet *sheet, const json_t *step)
{
    char rows[32], lost[32], loses[600] = "";
    const char *cells[] = {text_of(step, "what"), rows, loses};
    const char *name = text_of(step, "loses");

    format_count(rows, sizeof(rows), number_of(step, "rows"));
    format_count(lost, sizeof(lost), number_of(step, "rows_lost"));
    if (name)
        snprintf(loses, sizeof(loses), "%s (%s)", name, lost);
    if (!*rows)
        cells[1] = NULL;
    if (!*loses)
        cells[2] = NULL;
    return sheet_row(sheet, cells);
}

static int print_steps(const json_t *answer, bool csv)
{
    static const struct sheet_column columns[] = {{"step", false}, {"rows", true}, {"lost", false}};
    const json_t *steps = text_member(answer, "steps");
    struct sheet *sheet = sheet_new(csv, columns, 3);
    bool printed = sheet != NULL;

    for (size_t i = 0; i < json_array_size(steps) && printed; i++)
        printed = add_step(sheet, json_array_get(steps, i));
    if (!csv && !json_array_size(steps))
        puts("nothing to do");
    printed = printed && sheet_flush(sheet);
    sheet_free(sheet);
    return printed ? EXIT_DONE : EXIT_OTHER;
}

/* ---- the plan, as SQL with comments ---- */

static void print_step(const json_t *step)
{
    const json_t *sql = text_member(step, "sql");
    int64_t rows = number_of(step, "rows"), lost = number_of(step, "rows_lost");
    const char *why = text_of(step, "why"), *loses = text_of(step, "loses");

    printf("-- %s", text_of(step, "what"));
    if (rows)
        printf(", %" PRId64 " row%s", rows, rows == 1 ? "" : "s");
    if (why)
        printf(": %s", why);
    putchar('\n');
    if (loses)
        printf("-- LOSES what %" PRId64 " row%s in it: --allow-data-loss %s\n", lost,
               lost == 1 ? " holds" : "s hold", loses);
    for (size_t i = 0; i < json_array_size(sql); i++)
        printf("%s;\n", json_string_value(json_array_get(sql, i)));
}

static int print_plan(const json_t *answer)
{
    const json_t *steps = text_member(answer, "steps");

    for (size_t i = 0; i < json_array_size(steps); i++)
        print_step(json_array_get(steps, i));
    if (!json_array_size(steps))
        puts("-- nothing to do");
    else
        printf("-- to do this and nothing else: --expected-version %" PRId64 "\n",
               number_of(answer, "models_version"));
    return EXIT_DONE;
}

static void print_warnings(const json_t *answer)
{
    const json_t *warnings = text_member(answer, "warnings");

    for (size_t i = 0; i < json_array_size(warnings); i++) {
        fputs("heroctl: warning: ", stderr);
        text_write_escaped(stderr, json_string_value(json_array_get(warnings, i)), false);
        fputc('\n', stderr);
    }
}

static int print_answer(struct context *context, const json_t *answer)
{
    enum format format = context->arguments.format;

    print_warnings(answer);
    if (format == FORMAT_JSON || format == FORMAT_JSONL)
        return output_json(context, answer);
    if (format == FORMAT_TABLE && context->arguments.plan)
        return print_plan(answer);
    return print_steps(answer, format == FORMAT_CSV);
}

/* ---- applying ---- */

/* NULL: told. */
static json_t *apply(struct context *context, const void *set, size_t size, const hero_apply *how,
                     int *ret_result)
{
    hero_result *result = hero_client_apply(context->client, set, size, how, &context->error);
    json_t *answer;

    if (!result) {
        *ret_result = report_error(context);
        return NULL;
    }
    answer = json_loads(hero_result_text(result), 0, NULL);
    hero_result_free(result);
    if (!answer)
        *ret_result = report_local(context, "the daemon's answer is broken JSON");
    return answer;
}

/* What is done is what was planned, or somebody else was faster and it is not. */
static int plan_and_apply(struct context *context, const void *set, size_t size)
{
    const struct arguments *arguments = &context->arguments;
    hero_apply how = {.validate_only = true,
                      .allow_data_loss = arguments->losses,
                      .n_allow_data_loss = arguments->n_losses,
                      .expected_version = arguments->expected_version,
                      .set_version = arguments->set};
    int result = EXIT_DONE;
    json_t *answer = apply(context, set, size, &how, &result);

    if (answer && !arguments->plan) {
        how.validate_only = false;
        how.expected_version = (uint64_t)number_of(answer, "models_version");
        json_decref(answer);
        answer = apply(context, set, size, &how, &result);
    }
    if (answer)
        result = print_answer(context, answer);
    json_decref(answer);
    return result;
}

static int run(struct context *context)
{
    struct arguments *arguments = &context->arguments;
    void *set = NULL;
    size_t size = 0;

    if (!arguments->set == !arguments->n_operands)
        return report_usage(arguments, "apply needs a file or --set VERSION, not both");
    if (!arguments->timeout_ms)
        arguments->timeout_ms = APPLY_TIMEOUT_MS;
    int result =
        arguments->set ? 0 : protoc_descriptor_set(context, arguments->operands[0], &set, &size);
    if (result)
        return result;
    result = context_connect(context) ? plan_and_apply(context, set, size) : report_error(context);
    free(set);
    return result;
}

const struct command command_apply = {
    .name = "apply",
    .operands = "FILE.proto|FILE.desc|DIR",
    .help = "Declare models, or change them: tables follow, rows stay",
    .details = "A .proto is compiled by protoc (protobuf-compiler), which needs descriptor.proto\n"
               "(libprotobuf-dev). DIR stands for every .proto in it. A .desc, made by\n"
               "protoc --include_imports --descriptor_set_out, needs nothing. Models that are\n"
               "served and not in FILE stay. Applying the same again does nothing.\n"
               "A field is a column by its number: one that is renamed stays the column it is.\n"
               "A message is renamed with (hero.table).renamed_from. All steps are done in one\n"
               "transaction or none; what loses data must be allowed by its name.\n",
    .example = "  heroctl apply --plan heroes.proto\n"
               "  heroctl apply heroes.proto\n"
               "  heroctl apply --allow-data-loss hero.nickname heroes.proto\n",
    .options = OPTION_PLAN | OPTION_INCLUDE | OPTION_ALLOW_DATA_LOSS | OPTION_EXPECTED_VERSION |
               OPTION_SET,
    .n_operands_min = 0,
    .n_operands_max = 1,
    .run = run,
};
