/*
 * The command line, parsed: global options, the command, its options and its
 * operands. Knows names and which command takes what; runs nothing.
 */
#ifndef HERO_CLI_ARGUMENTS_H
#define HERO_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heroclient.h>

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV };

/* Which options a command takes beside the global ones. */
enum option_bit {
    OPTION_PLAN = 1 << 0,
    OPTION_INCLUDE = 1 << 1,
    OPTION_SQL = 1 << 2,
    OPTION_PROTO = 1 << 3,
    OPTION_EXPAND = 1 << 4,
    OPTION_ORDER_BY = 1 << 5,
    OPTION_LIMIT = 1 << 6,
    OPTION_PAGE_TOKEN = 1 << 7,
    OPTION_ALL = 1 << 8,
    OPTION_NULL = 1 << 9,
    OPTION_ALLOW_DATA_LOSS = 1 << 16,
    OPTION_EXPECTED_VERSION = 1 << 17,
    OPTION_SET = 1 << 18,
    OPTION_HISTORY = 1 << 19,
    OPTION_DIFF = 1 << 25,
    OPTION_FILTER = 1 << 10,
    OPTION_COUNT = 1 << 11,
    OPTION_FIELDS = 1 << 12,
    OPTION_VALIDATE_ONLY = 1 << 20,
    OPTION_ETAG = 1 << 21,
    OPTION_ETAGS = 1 << 22,
    OPTION_BY = 1 << 23,
    OPTION_ON_CONFLICT = 1 << 24,
    OPTION_LINK_SET = 1 << 28, /* --set of links, beside OPTION_SET */
};

struct command;

struct arguments {
    const struct command *command; /* NULL: only --help or --version */
    const char *url;               /* NULL: not given */
    enum format format;
    uint32_t timeout_ms; /* 0: not given */
    bool echo, help, version;

    bool plan, sql, proto, all;
    bool history, diff;
    uint64_t expected_version, set; /* of models; 0: not given */
    const char **losses;            /* allowed */
    size_t n_losses;
    bool validate_only, etags;
    const char *etag, *by;
    hero_conflict on_conflict;
    uint32_t limit; /* 0: not given */
    const char *order_by, *page_token, *filter, *fields;
    bool count;
    char *expand; /* all that were given, joined by commas; NULL: none */
    const char **includes;
    size_t n_includes;
    const char **nulls;
    size_t n_nulls;
    char **sets; /* what --set was given: a version, or FIELD=VALUE of links */
    size_t n_sets;

    char **operands;
    size_t n_operands;
};

/* Fills `arguments`; its texts are borrowed from argv. Options may stand
 * before and after the command and its operands, whatever POSIXLY_CORRECT
 * says; "--" ends them. Returns 0, or an exit code after the mistake was told
 * on standard error. Call arguments_done in either case. */
int arguments_parse(struct arguments *arguments, int argc, char **argv);
/* A version of models, above 0. Returns 0, or an exit code after the mistake
 * was told. */
int arguments_version(const struct arguments *arguments, const char *what, const char *text,
                      uint64_t *ret_version);
void arguments_done(struct arguments *arguments);

#endif
