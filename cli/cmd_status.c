/*
 * heroctl status: is there a daemon, does it serve, and what.
 */
#include <stdlib.h>
#include <string.h>
#include <address.h>
#include "command.h"
#include "output.h"
#include "text.h"

/* Runs one of the Admin calls; its answer as JSON, NULL on failure. */
static json_t *ask(struct context *context,
                   hero_result *(*call)(hero_client *client, hero_error *error))
{
    hero_result *answer = call(context->client, &context->error);
    json_t *json = answer ? json_loads(hero_result_text(answer), 0, NULL) : NULL;

    hero_result_free(answer);
    return json;
}

static void add_numbers(json_t *to, const json_t *from)
{
    static const char *const names[] = {"models_version", "commit", "uptime_ms", "requests",
                                        "failures"};
    int64_t number;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_integer(text_member(from, names[i]), &number))
            json_object_set_new(to, names[i], json_integer(number));
    }
}

static json_t *limits_of(const json_t *from)
{
    static const char *const names[] = {
        "message_bytes", "in_flight",   "page_size",    "mutations",    "expand_depth",
        "timeout_ms",    "retention_s", "filter_bytes", "filter_depth", "filter_terms"};
    json_t *limits = json_object();
    int64_t number;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_integer(text_member(from, names[i]), &number))
            json_object_set_new(limits, names[i], json_integer(number));
    }
    return limits;
}

static json_t *models_of(const json_t *from)
{
    json_t *models = json_array();

    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *model = json_array_get(from, i);
        int64_t rows = 0;

        text_integer(text_member(model, "rows"), &rows);
        json_array_append_new(
            models, json_pack("{s:O?, s:O?, s:I}", "name", text_member(model, "name"), "table",
                              text_member(model, "table"), "rows", (json_int_t)rows));
    }
    return models;
}

/* One object, the same for every form of output. */
static json_t *status_of(struct context *context, const char *serving, const json_t *stats)
{
    char url[256];
    const char *given = context->arguments.url;
    json_t *status = json_object();

    if (!given)
        given = address_client_url(url, sizeof(url)) == 0 ? url : "";
    json_object_set_new(status, "serving", json_string(serving));
    json_object_set_new(
        status, "version",
        json_incref(text_member(stats, "version") ? text_member(stats, "version") : json_null()));
    json_object_set_new(status, "url", json_string(given));
    json_object_set_new(
        status, "database",
        json_incref(text_member(stats, "database") ? text_member(stats, "database") : json_null()));
    add_numbers(status, stats);
    json_object_set_new(status, "limits", limits_of(text_member(stats, "limits")));
    json_object_set_new(status, "models", models_of(text_member(stats, "models")));
    return status;
}

/* ---- name and value, for table and csv ---- */

static void add_pair(struct sheet *sheet, const char *prefix, const char *name, const json_t *value)
{
    char full[512], number[32];
    const char *cells[] = {full, NULL};

    snprintf(full, sizeof(full), "%s%s", prefix, name);
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        cells[1] = number;
    } else {
        cells[1] = json_string_value(value);
    }
    sheet_row(sheet, cells);
}

static void add_pairs(struct sheet *sheet, const char *prefix, json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (!json_is_object(value) && !json_is_array(value))
            add_pair(sheet, prefix, name, value);
    }
}

static int print_sheet(struct context *context, json_t *status)
{
    static const struct sheet_column columns[] = {{"name", false}, {"value", false}};
    struct sheet *sheet = sheet_new(context->arguments.format == FORMAT_CSV, columns, 2);
    const json_t *models = json_object_get(status, "models");

    if (!sheet)
        return report_local(context, "out of memory");
    add_pairs(sheet, "", status);
    add_pairs(sheet, "limits.", json_object_get(status, "limits"));
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        const char *table = json_string_value(json_object_get(model, "table"));

        add_pair(sheet, "rows.", table ? table : "", json_object_get(model, "rows"));
    }
    bool printed = sheet_flush(sheet);
    sheet_free(sheet);
    return printed ? EXIT_DONE : EXIT_OTHER;
}

static int run(struct context *context)
{
    if (!context_connect(context))
        return report_error(context);
    json_t *check = ask(context, hero_client_check);
    json_t *stats = check ? ask(context, hero_client_stats) : NULL;
    if (!stats) {
        json_decref(check);
        if (context->error.code == HERO_OK)
            return report_local(context, "the daemon's answer is broken JSON");
        return report_error(context);
    }
    const char *serving = json_string_value(text_member(check, "serving"));
    if (!serving)
        serving = "UNKNOWN_STATE";
    bool serves = !strcmp(serving, "SERVING");
    json_t *status = status_of(context, serving, stats);
    int result =
        context->arguments.format == FORMAT_TABLE || context->arguments.format == FORMAT_CSV
            ? print_sheet(context, status)
            : output_json(context, status);
    if (!serves)
        result =
            report_failure(context, HERO_UNAVAILABLE, "the daemon answers, but is %s", serving);
    json_decref(status);
    json_decref(stats);
    json_decref(check);
    return result;
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .help = "Print version, models, rows and limits of the daemon",
    .details = "Ends with 6 where no daemon answers, or where it does not serve both reads and\n"
               "writes (READ_ONLY: its disk is full).\n",
    .example = "  heroctl status\n"
               "  heroctl status -o json --timeout 1 >/dev/null || echo down\n",
    .n_operands_max = 0,
    .run = run,
};
