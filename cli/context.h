/*
 * What a command runs with: the parsed command line, the client (opened at
 * first use), and the way failures are told.
 */
#ifndef HERO_CLI_CONTEXT_H
#define HERO_CLI_CONTEXT_H

#include <heroclient.h>
#include <jansson.h>
#include "arguments.h"

/* The contract of issue and man page: scripts rely on it. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_CONFLICT = 4, /* already exists, or the state forbids it */
    EXIT_INVALID = 5,
    EXIT_UNAVAILABLE = 6,
    EXIT_DEADLINE = 7,
    EXIT_PERMISSION = 8,
};

struct context {
    struct arguments arguments;
    hero_client *client; /* NULL until context_connect */
    hero_error error;    /* of the last failed call */
};

/* Connects unless connected. False: context->error says why. */
bool context_connect(struct context *context);
void context_done(struct context *context);

/* Runs a request as the options of the command line ask (dry runs, etags).
 * NULL: context->error says why. Told on standard error: that nothing was stored. */
hero_result *context_run(struct context *context, hero_request *request);

/* The exit code of a status. */
int exit_code_of(hero_code code);

/* Each tells a failure on standard error, as text or, with -o json and -o
 * jsonl, as one JSON object, and returns the exit code to end with. */

/* context->error, which is freed. */
int report_error(struct context *context);
/* A failure found here, before anything was sent. */
int report_failure(const struct context *context, hero_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with violations: lines of "path: description". */
int report_violations(const struct context *context, hero_code code, const char *message,
                      const hero_violation *violations, size_t n_violations);
/* The machine, not the request, is to blame: file, memory, protoc. Exit code 1. */
int report_local(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A wrong command line. */
int report_usage(const struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
