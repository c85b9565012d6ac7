/*
 * heroctl apply: serve the models of a .proto or descriptor set.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "command.h"
#include "output.h"
#include "protoc.h"
#include "sheet.h"
#include "text.h"

/* "CREATE UNIQUE INDEX "ix" ON t (c)" -> "created", "unique index", "ix". */
static void split_statement(const char *sql, char kind[32], char name[512])
{
    size_t n = 0;

    kind[0] = '\0';
    if (!strncasecmp(sql, "CREATE ", 7))
        sql += 7;
    while (*sql && strcmp(kind, "table") && !strstr(kind, "index")) {
        size_t length = strcspn(sql, " \n\t");

        for (size_t i = 0; i < length && n < 31; i++)
            kind[n++] = sql[i] >= 'A' && sql[i] <= 'Z' ? (char)(sql[i] + 32) : sql[i];
        kind[n] = '\0';
        sql += length + strspn(sql + length, " \n\t");
        if (strcmp(kind, "unique") == 0 && n < 31) {
            kind[n++] = ' ';
            kind[n] = '\0';
        }
    }
    n = 0;
    char quote = *sql == '"' ? '"' : '\0';
    sql += quote != '\0';
    for (; *sql && n < 511; sql++) {
        if (quote ? *sql == '"' && *++sql != '"' : strchr(" (\n\t", *sql) != NULL)
            break;
        name[n++] = *sql;
    }
    name[n] = '\0';
}

static int print_changes(const json_t *answer, bool csv)
{
    static const struct sheet_column columns[] = {
        {"change", false}, {"kind", false}, {"name", false}};
    const json_t *ddl = text_member(answer, "ddl"), *adopted = text_member(answer, "adopted");
    struct sheet *sheet = sheet_new(csv, columns, 3);
    bool printed = sheet != NULL;

    for (size_t i = 0; i < json_array_size(adopted) && printed; i++) {
        const char *cells[] = {"adopted", "table", json_string_value(json_array_get(adopted, i))};
        printed = sheet_row(sheet, cells);
    }
    for (size_t i = 0; i < json_array_size(ddl) && printed; i++) {
        char kind[32], name[512];
        const char *cells[] = {"created", kind, name};

        split_statement(json_string_value(json_array_get(ddl, i)), kind, name);
        printed = sheet_row(sheet, cells);
    }
    if (!csv && !json_array_size(ddl) && !json_array_size(adopted))
        puts("nothing to do");
    printed = printed && sheet_flush(sheet);
    sheet_free(sheet);
    return printed ? EXIT_DONE : EXIT_OTHER;
}

static int print_plan(const json_t *answer)
{
    const json_t *ddl = text_member(answer, "ddl"), *adopted = text_member(answer, "adopted");

    for (size_t i = 0; i < json_array_size(adopted); i++)
        printf("-- table %s is there already and is served as it is\n",
               json_string_value(json_array_get(adopted, i)));
    for (size_t i = 0; i < json_array_size(ddl); i++)
        printf("%s;\n", json_string_value(json_array_get(ddl, i)));
    if (!json_array_size(ddl) && !json_array_size(adopted))
        puts("-- nothing to do");
    return EXIT_DONE;
}

static int print_answer(struct context *context, const char *text)
{
    enum format format = context->arguments.format;
    json_t *answer = json_loads(text, 0, NULL);
    int result;

    if (!answer)
        return report_local(context, "the daemon's answer is broken JSON");
    const json_t *warnings = text_member(answer, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        fputs("heroctl: warning: ", stderr);
        text_write_escaped(stderr, json_string_value(json_array_get(warnings, i)), false);
        fputc('\n', stderr);
    }
    if (format == FORMAT_JSON || format == FORMAT_JSONL)
        result = output_json(context, answer);
    else if (format == FORMAT_TABLE && context->arguments.plan)
        result = print_plan(answer);
    else
        result = print_changes(answer, format == FORMAT_CSV);
    json_decref(answer);
    return result;
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    void *set;
    size_t size;
    int result = protoc_descriptor_set(context, arguments->operands[0], &set, &size);

    if (result)
        return result;
    hero_result *answer = NULL;
    if (context_connect(context))
        answer = hero_client_apply(context->client, set, size, arguments->plan, &context->error);
    free(set);
    if (!answer)
        return report_error(context);
    result = print_answer(context, hero_result_text(answer));
    hero_result_free(answer);
    return result;
}

const struct command command_apply = {
    .name = "apply",
    .operands = "FILE.proto|FILE.desc|DIR",
    .help = "Declare models: check them, create their tables, serve them",
    .details = "A .proto is compiled by protoc (protobuf-compiler), which needs descriptor.proto\n"
               "(libprotobuf-dev). DIR stands for every .proto in it. A .desc, made by\n"
               "protoc --include_imports --descriptor_set_out, needs nothing. Models that are\n"
               "served and not in FILE stay. Applying the same again does nothing.\n",
    .example = "  heroctl apply --plan heroes.proto\n"
               "  heroctl apply heroes.proto\n",
    .options = OPTION_PLAN | OPTION_INCLUDE,
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
