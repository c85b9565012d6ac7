/*
 * What was served before: the list of versions, and what two of them say
 * differently.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "command.h"
#include "history.h"
#include "model_change.h"
#include "output.h"
#include "schema.h"
#include "sheet.h"
#include "text.h"

#define PAGE_SIZE 100
#define DIFF_BYTES ((size_t)64 * 1024 * 1024)

/* ---- history ---- */

static void format_time(char buffer[40], int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm parts;

    if (!gmtime_r(&at, &parts) || !strftime(buffer, 40, "%Y-%m-%d %H:%M:%SZ", &parts))
        snprintf(buffer, 40, "?");
}

/* A line for each step; the version stands at the first. */
static bool add_set(struct sheet *sheet, const json_t *set)
{
    const json_t *steps = text_member(set, "steps");
    const char *author = json_string_value(text_member(set, "author"));
    int64_t version = 0, at_ms = 0;
    char number[32], when[40];
    bool added = true;

    text_integer(text_member(set, "version"), &version);
    text_integer(text_member(set, "at_ms"), &at_ms);
    snprintf(number, sizeof(number), "%" PRId64, version);
    format_time(when, at_ms);
    for (size_t i = 0; added && (i == 0 || i < json_array_size(steps)); i++) {
        const char *cells[] = {i ? NULL : number, i ? NULL : when, i ? NULL : author,
                               json_string_value(json_array_get(steps, i))};
        added = sheet_row(sheet, cells);
    }
    return added;
}

static int print_page(struct context *context, struct sheet *sheet, const json_t *page)
{
    const json_t *sets = text_member(page, "sets");
    enum format format = context->arguments.format;

    if (format == FORMAT_JSON || format == FORMAT_JSONL) {
        for (size_t i = 0; i < json_array_size(sets); i++) {
            text_write_json(stdout, json_array_get(sets, i), false);
            putchar('\n');
        }
        return EXIT_DONE;
    }
    for (size_t i = 0; i < json_array_size(sets); i++)
        if (!add_set(sheet, json_array_get(sets, i)))
            return EXIT_OTHER;
    return EXIT_DONE;
}

static int print_pages(struct context *context, struct sheet *sheet)
{
    int64_t before = 0;
    int result = EXIT_DONE;

    do {
        hero_result *answer =
            hero_client_history(context->client, PAGE_SIZE, (uint64_t)before, &context->error);
        if (!answer)
            return report_error(context);
        json_t *page = json_loads(hero_result_text(answer), 0, NULL);
        hero_result_free(answer);
        if (!page)
            return report_local(context, "the daemon's answer is broken JSON");
        result = print_page(context, sheet, page);
        before = 0;
        text_integer(text_member(page, "next_before"), &before);
        json_decref(page);
    } while (before && !result);
    return result;
}

int history_print(struct context *context)
{
    static const struct sheet_column columns[] = {
        {"version", false}, {"at", false}, {"by", false}, {"change", false}};
    struct sheet *sheet = sheet_new(context->arguments.format == FORMAT_CSV, columns, 4);
    int result;

    if (!sheet)
        return report_local(context, "out of memory");
    result = context_connect(context) ? print_pages(context, sheet) : report_error(context);
    if (!result && context->arguments.format != FORMAT_JSON &&
        context->arguments.format != FORMAT_JSONL && !sheet_flush(sheet))
        result = EXIT_OTHER;
    sheet_free(sheet);
    return result;
}

/* ---- diff ---- */

static bool is_descended(const struct models *now, const struct model *was)
{
    for (size_t i = 0; i < now->n_models; i++)
        if (model_ancestor(was->models, &now->models[i]) == was)
            return true;
    return false;
}

static bool print_model(const struct models *before, const struct model *is, struct arena *arena,
                        bool *ret_any)
{
    const struct model *was = model_ancestor(before, is);
    struct model_changes changes = {0};

    if (!was)
        printf("+ model %s\n", is->name);
    else if (!model_changes(was, is, arena, &changes))
        return false;
    for (size_t i = 0; i < changes.n; i++) {
        const struct model_change *change = &changes.changes[i];
        const char *mark = change->kind == MODEL_CHANGE_GAINED ? "+"
                           : change->kind == MODEL_CHANGE_LOST ? "-"
                                                               : "~";
        printf("%s %s%s%s: %s\n", mark, is->name, change->field ? "." : "",
               change->field ? change->field : "", change->text);
    }
    *ret_any = *ret_any || !was || changes.n;
    return true;
}

static int print_diff(struct context *context, const struct models *before,
                      const struct models *now)
{
    struct arena arena;
    bool any = false, ok = true;

    arena_init(&arena, DIFF_BYTES);
    for (size_t i = 0; i < before->n_models; i++) {
        if (is_descended(now, &before->models[i]))
            continue;
        printf("- model %s\n", before->models[i].name);
        any = true;
    }
    for (size_t i = 0; i < now->n_models && ok; i++)
        ok = print_model(before, &now->models[i], &arena, &any);
    arena_done(&arena);
    if (ok && !any)
        puts("no difference");
    return ok ? EXIT_DONE : report_local(context, "out of memory");
}

int history_diff(struct context *context)
{
    const struct arguments *arguments = &context->arguments;
    struct models *models[2] = {NULL, NULL};
    uint64_t versions[2];
    int result = EXIT_DONE;

    if (!arguments->n_operands)
        return report_usage(arguments, "--diff needs a version, or two (models --history)");
    for (size_t i = 0; i < arguments->n_operands && !result; i++)
        result = arguments_version(arguments, "--diff", arguments->operands[i], &versions[i]);
    for (size_t i = 0; i < 2 && !result; i++)
        result = i < arguments->n_operands ? schema_fetch_version(context, versions[i], &models[i])
                                           : schema_fetch(context, &models[i]);
    if (!result)
        result = print_diff(context, models[0], models[1]);
    models_unref(models[0]);
    models_unref(models[1]);
    return result;
}
