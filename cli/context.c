/*
 * The client of a run, and failures: how they are told and the exit code
 * that each becomes.
 */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "text.h"

static void echo(void *arg, const char *sql, uint64_t time_us)
{
    (void)arg;
    text_write_escaped(stderr, sql, true);
    fprintf(stderr, "\n-- %llu us\n", (unsigned long long)time_us);
}

bool context_connect(struct context *context)
{
    hero_options options = HERO_OPTIONS_INIT;

    if (context->client)
        return true;
    options.agent = "heroctl/" HERO_VERSION;
    options.timeout_ms = context->arguments.timeout_ms;
    options.echo = context->arguments.echo ? echo : NULL;
    return hero_client_open(context->arguments.url, &options, &context->client, &context->error) ==
           HERO_OK;
}

hero_result *context_run(struct context *context, hero_request *request)
{
    const struct arguments *arguments = &context->arguments;

    if (!request)
        return NULL;
    if (arguments->etags)
        hero_request_set_etags(request);
    if (arguments->etag && hero_request_set_etag(request, arguments->etag, &context->error)) {
        hero_request_free(request);
        return NULL;
    }
    if (arguments->validate_only)
        hero_request_set_validate_only(request);
    hero_result *result = hero_request_run(request, &context->error);
    if (result && arguments->validate_only)
        fputs("validated: nothing was stored\n", stderr);
    return result;
}

void context_done(struct context *context)
{
    if (context->client)
        hero_client_close(context->client);
    hero_error_free(&context->error);
    arguments_done(&context->arguments);
}

int exit_code_of(hero_code code)
{
    switch (code) {
    case HERO_OK:
        return EXIT_DONE;
    case HERO_INVALID_ARGUMENT:
    case HERO_OUT_OF_RANGE:
        return EXIT_INVALID;
    case HERO_DEADLINE_EXCEEDED:
        return EXIT_DEADLINE;
    case HERO_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case HERO_ALREADY_EXISTS:
    case HERO_FAILED_PRECONDITION:
    case HERO_ABORTED:
        return EXIT_CONFLICT;
    case HERO_PERMISSION_DENIED:
    case HERO_UNAUTHENTICATED:
        return EXIT_PERMISSION;
    case HERO_UNAVAILABLE:
        return EXIT_UNAVAILABLE;
    case HERO_CANCELLED:
    case HERO_UNKNOWN:
    case HERO_RESOURCE_EXHAUSTED:
    case HERO_UNIMPLEMENTED:
    case HERO_INTERNAL:
    case HERO_DATA_LOSS:
        break;
    }
    return EXIT_OTHER;
}

static const char *outcome_name(hero_outcome outcome)
{
    switch (outcome) {
    case HERO_DONE:
        return "DONE";
    case HERO_NOT_SENT:
        return "NOT_SENT";
    case HERO_REFUSED:
        return "REFUSED";
    case HERO_OUTCOME_UNKNOWN:
        break;
    }
    return "UNKNOWN";
}

static bool as_json(const struct arguments *arguments)
{
    return arguments->format == FORMAT_JSON || arguments->format == FORMAT_JSONL;
}

/* Text of an error may hold what the caller typed, UTF-8 or not. */
static json_t *json_text(const char *text)
{
    json_t *json = json_string(text ? text : "");

    return json ? json : json_string("(text that is not UTF-8)");
}

static json_t *violation_json(const hero_violation *violation)
{
    json_t *object = json_pack("{s:o, s:o}", "path", json_text(violation->path), "description",
                               json_text(violation->description));

    if (violation->constraint)
        json_object_set_new(object, "constraint", json_text(violation->constraint));
    if (violation->type)
        json_object_set_new(object, "type", json_text(violation->type));
    return object;
}

static void tell_json(const char *status, const hero_error *error)
{
    json_t *violations = json_array(), *object;

    for (size_t i = 0; i < error->n_violations; i++)
        json_array_append_new(violations, violation_json(&error->violations[i]));
    object =
        json_pack("{s:s, s:o, s:o, s:s}", "status", status, "message", json_text(error->message),
                  "violations", violations, "outcome", outcome_name(error->outcome));
    if (object)
        text_write_json(stderr, object, false);
    fputc('\n', stderr);
    json_decref(object);
}

static void tell_violation(const hero_violation *violation, const char *message)
{
    const char *path = violation->path ? violation->path : "";
    size_t length = strlen(path);

    /* The message alone says it where it is "path: description", or where
     * nothing in the request can be named. */
    if (!strncmp(message, path, length) && !strncmp(message + length, ": ", length ? 2 : 0) &&
        !strcmp(message + length + (length ? 2 : 0), violation->description) &&
        !violation->constraint)
        return;
    fputs("  ", stderr);
    text_write_escaped(stderr, path, false);
    fputs(length ? ": " : "", stderr);
    text_write_escaped(stderr, violation->description, false);
    if (violation->constraint) {
        fputs(" [", stderr);
        text_write_escaped(stderr, violation->constraint, false);
        fputs("]", stderr);
    }
    fputc('\n', stderr);
}

/* status NULL: none is shown, UNKNOWN as JSON. */
static void tell(const struct arguments *arguments, const char *status, const hero_error *error)
{
    fflush(stdout); /* what was printed comes first, also where both are one file */
    if (as_json(arguments)) {
        tell_json(status ? status : "UNKNOWN", error);
        return;
    }
    fprintf(stderr, "heroctl: %s%s", status ? status : "", status ? ": " : "");
    text_write_escaped(stderr, error->message ? error->message : "", true);
    fputc('\n', stderr);
    for (size_t i = 0; i < error->n_violations; i++)
        tell_violation(&error->violations[i], error->message ? error->message : "");
    if (error->outcome == HERO_OUTCOME_UNKNOWN)
        fputs("  Sent, but not answered: what it changes is stored whole or not at all.\n", stderr);
}

int report_error(struct context *context)
{
    hero_code code = context->error.code;

    tell(&context->arguments, hero_code_name(code), &context->error);
    hero_error_free(&context->error);
    return code == HERO_OK ? EXIT_OTHER : exit_code_of(code);
}

static char *message_of(const char *format, va_list values)
{
    char *message = NULL;

    return vasprintf(&message, format, values) < 0 ? NULL : message;
}

static int tell_message(const struct arguments *arguments, const char *status, char *message,
                        int exit_code)
{
    hero_error error = HERO_ERROR_INIT;

    error.message = message ? message : "out of memory";
    error.outcome = HERO_NOT_SENT;
    tell(arguments, status, &error);
    free(message);
    return exit_code;
}

int report_failure(const struct context *context, hero_code code, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    char *message = message_of(format, values);
    va_end(values);
    return tell_message(&context->arguments, hero_code_name(code), message, exit_code_of(code));
}

int report_violations(const struct context *context, hero_code code, const char *message,
                      const hero_violation *violations, size_t n_violations)
{
    hero_error error = HERO_ERROR_INIT;

    error.message = message;
    error.outcome = HERO_NOT_SENT;
    error.violations = violations;
    error.n_violations = n_violations;
    tell(&context->arguments, hero_code_name(code), &error);
    return exit_code_of(code);
}

int report_local(const struct context *context, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    char *message = message_of(format, values);
    va_end(values);
    return tell_message(&context->arguments, NULL, message, EXIT_OTHER);
}

int report_usage(const struct arguments *arguments, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    char *message = message_of(format, values);
    va_end(values);
    tell_message(arguments, as_json(arguments) ? "INVALID_ARGUMENT" : NULL, message, EXIT_USAGE);
    if (!as_json(arguments))
        fprintf(stderr, "Try 'heroctl %s%s--help'.\n",
                arguments->command ? arguments->command->name : "", arguments->command ? " " : "");
    return EXIT_USAGE;
}
