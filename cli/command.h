/*
 * The commands of heroctl: one row each, and the help made of the rows.
 */
#ifndef HERO_CLI_COMMAND_H
#define HERO_CLI_COMMAND_H

#include <stdio.h>
#include "arguments.h"
#include "context.h"

#define OPERANDS_ANY SIZE_MAX

struct command {
    const char *name;
    const char *operands; /* as the usage line shows them */
    const char *help;     /* one line */
    const char *details;  /* what else --help says; may be NULL */
    const char *example;  /* lines, each a command that works */
    unsigned options;     /* of enum option_bit */
    size_t n_operands_min, n_operands_max;
    int (*run)(struct context *context); /* returns the exit code */
    void (*more_help)(FILE *out);        /* appended to --help; may be NULL */
};

/* NULL: none of this name. */
const struct command *command_find(const char *name);
/* heroctl --help */
void command_print_usage(FILE *out);
/* heroctl COMMAND --help */
void command_print_help(const struct command *command, FILE *out);

extern const struct command command_infer, command_apply, command_remove, command_models,
    command_create, command_get, command_list, command_update, command_delete, command_link,
    command_unlink, command_call, command_set_links, command_status, command_upsert,
    command_related, command_count, command_explain;

#endif
