/*
 * heroctl count: how many records there are, in all or by groups.
 */
#include <stdlib.h>
#include "command.h"
#include "output.h"
#include "text.h"

/* A value as a cell; a key as the command line takes it. Yours to free; NULL: the value is NULL. */
static char *cell_of(const json_t *value)
{
    char *text = NULL;
    size_t size;
    const char *separator = "";
    const char *name;
    json_t *part;

    if (!value || json_is_null(value))
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (json_is_string(value))
        fwrite(json_string_value(value), 1, json_string_length(value), out);
    else if (!json_is_object(value))
        text_write_json(out, value, false);
    else
        json_object_foreach((json_t *)(uintptr_t)value, name, part)
        {
            fputs(separator, out);
            separator = ",";
            if (json_is_string(part))
                fwrite(json_string_value(part), 1, json_string_length(part), out);
            else
                text_write_json(out, part, false);
        }
    fclose(out);
    return text;
}

static int print_sheet(struct context *context, const json_t *groups)
{
    const struct sheet_column columns[] = {{context->arguments.by, false}, {"count", true}};
    struct sheet *sheet = sheet_new(context->arguments.format == FORMAT_CSV, columns, 2);
    bool written = sheet != NULL;

    for (size_t i = 0; i < json_array_size(groups) && written; i++) {
        const json_t *group = json_array_get(groups, i);
        char *value = cell_of(json_object_get(group, "value"));
        char *count = cell_of(json_object_get(group, "count"));
        const char *cells[] = {value, count};

        written = sheet_row(sheet, cells);
        free(value);
        free(count);
    }
    written = written && sheet_flush(sheet);
    sheet_free(sheet);
    return written ? EXIT_DONE : report_local(context, "out of memory");
}

static int print(struct context *context, const char *text)
{
    json_t *answer = json_loads(text ? text : "", JSON_ALLOW_NUL, NULL);
    enum format format = context->arguments.format;
    int result;

    if (!answer)
        return report_local(context, "the result is broken JSON");
    json_t *groups = json_object_get(answer, "groups");
    if (!groups) {
        json_int_t n = json_integer_value(json_object_get(answer, "count"));
        return output_summary(context, answer, "%" JSON_INTEGER_FORMAT, n);
    }
    if (format == FORMAT_TABLE || format == FORMAT_CSV) {
        result = print_sheet(context, groups);
    } else {
        result = output_json(context, format == FORMAT_JSONL ? groups : answer);
    }
    if (!result && json_is_true(json_object_get(answer, "more"))) {
        fflush(stdout);
        fputs("there are more groups\n", stderr);
    }
    json_decref(answer);
    return result;
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;

    if (!context_connect(context))
        return report_error(context);
    hero_result *answer =
        hero_client_count_json(context->client, arguments->operands[0], arguments->filter,
                               arguments->by, arguments->limit, &context->error);
    if (!answer)
        return report_error(context);
    int result = print(context, hero_result_text(answer));
    hero_result_free(answer);
    return result;
}

const struct command command_count = {
    .name = "count",
    .operands = "MODEL",
    .help = "Count records, in all or by groups",
    .details =
        "--by FIELD counts the records of each value of a column (also team.town), or of each\n"
        "record that a relationship leads to; the largest groups come first.\n",
    .example = "  heroctl count hero --filter 'age IS NULL'\n"
               "  heroctl count hero --by teams\n",
    .options = OPTION_FILTER | OPTION_BY | OPTION_LIMIT,
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
