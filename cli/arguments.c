/*
 * Parsing of the command line with getopt_long.
 *
 * One pass over all options of all commands: an option may come before its
 * command, so whether the command takes it is checked at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"

/* Values of long options without a letter: above any character. */
#define LETTERS "ohVI"
enum { LONG_FIRST = 256, LONG_ECHO = LONG_FIRST, LONG_TIMEOUT, LONG_URL, LONG_COMMAND };

static const struct {
    const char *name;
    unsigned bit;
    int argument;
} command_options[] = {
    {"plan", OPTION_PLAN, no_argument},
    {"include", OPTION_INCLUDE, required_argument},
    {"sql", OPTION_SQL, no_argument},
    {"proto", OPTION_PROTO, no_argument},
    {"expand", OPTION_EXPAND, required_argument},
    {"order-by", OPTION_ORDER_BY, required_argument},
    {"limit", OPTION_LIMIT, required_argument},
    {"page-token", OPTION_PAGE_TOKEN, required_argument},
    {"all", OPTION_ALL, no_argument},
    {"null", OPTION_NULL, required_argument},
    {"filter", OPTION_FILTER, required_argument},
    {"count", OPTION_COUNT, no_argument},
    {"fields", OPTION_FIELDS, required_argument},
    {"allow-data-loss", OPTION_ALLOW_DATA_LOSS, required_argument},
    {"expected-version", OPTION_EXPECTED_VERSION, required_argument},
    {"set", OPTION_SET, required_argument},
    {"history", OPTION_HISTORY, no_argument},
    {"diff", OPTION_DIFF, no_argument},
    {"validate-only", OPTION_VALIDATE_ONLY, no_argument},
    {"etag", OPTION_ETAG, required_argument},
    {"etags", OPTION_ETAGS, no_argument},
    {"by", OPTION_BY, required_argument},
    {"on-conflict", OPTION_ON_CONFLICT, required_argument},
};
#define N_COMMAND_OPTIONS (sizeof(command_options) / sizeof(command_options[0]))

static const struct option global_options[] = {
    {"url", required_argument, NULL, LONG_URL},
    {"output", required_argument, NULL, 'o'},
    {"timeout", required_argument, NULL, LONG_TIMEOUT},
    {"echo", no_argument, NULL, LONG_ECHO},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
};
#define N_GLOBAL_OPTIONS (sizeof(global_options) / sizeof(global_options[0]))

static int set_format(struct arguments *arguments, const char *text)
{
    static const char *const names[] = {"table", "json", "jsonl", "csv"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(text, names[i])) {
            arguments->format = (enum format)i;
            return 0;
        }
    }
    return report_usage(arguments, "unknown output '%s': table, json, jsonl or csv", text);
}

static int set_timeout(struct arguments *arguments, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    /* A deadline that rounds to 0 ms would mean the default. */
    if (end == text || *end || !(seconds >= 0.001 && seconds <= 4000000))
        return report_usage(arguments, "--timeout takes seconds from 0.001 to 4000000, not '%s'",
                            text);
    arguments->timeout_ms = (uint32_t)lround(seconds * 1000);
    return 0;
}

static int set_limit(struct arguments *arguments, const char *text)
{
    char *end;

    errno = 0;
    long limit = strtol(text, &end, 10);
    if (end == text || *end || errno || limit < 1 || limit > INT32_MAX)
        return report_usage(arguments, "--limit takes a number from 1, not '%s'", text);
    arguments->limit = (uint32_t)limit;
    return 0;
}

static int set_on_conflict(struct arguments *arguments, const char *text)
{
    static const char *const names[] = {"update", "ignore", "fail"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(text, names[i])) {
            arguments->on_conflict = (hero_conflict)i;
            return 0;
        }
    return report_usage(arguments, "--on-conflict takes update, ignore or fail, not '%s'", text);
}

int arguments_version(const struct arguments *arguments, const char *what, const char *text,
                      uint64_t *ret_version)
{
    char *end;

    errno = 0;
    *ret_version = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || *ret_version == 0)
        return report_usage(arguments, "%s takes a version of models, not '%s'", what, text);
    return 0;
}

static int add_expand(struct arguments *arguments, const char *text)
{
    char *joined = NULL;

    if (asprintf(&joined, "%s%s%s", arguments->expand ? arguments->expand : "",
                 arguments->expand ? "," : "", text) < 0)
        return report_usage(arguments, "out of memory");
    free(arguments->expand);
    arguments->expand = joined;
    return 0;
}

static int set_command_option(struct arguments *arguments, unsigned bit, char *text)
{
    switch ((enum option_bit)bit) {
    case OPTION_PLAN:
        arguments->plan = true;
        break;
    case OPTION_INCLUDE:
        arguments->includes[arguments->n_includes++] = text;
        break;
    case OPTION_SQL:
        arguments->sql = true;
        break;
    case OPTION_PROTO:
        arguments->proto = true;
        break;
    case OPTION_EXPAND:
        return add_expand(arguments, text);
    case OPTION_ORDER_BY:
        arguments->order_by = text;
        break;
    case OPTION_LIMIT:
        return set_limit(arguments, text);
    case OPTION_FILTER:
        arguments->filter = text;
        break;
    case OPTION_COUNT:
        arguments->count = true;
        break;
    case OPTION_FIELDS:
        arguments->fields = text;
        break;
    case OPTION_PAGE_TOKEN:
        arguments->page_token = text;
        break;
    case OPTION_ALL:
        arguments->all = true;
        break;
    case OPTION_ALLOW_DATA_LOSS:
        arguments->losses[arguments->n_losses++] = text;
        break;
    case OPTION_EXPECTED_VERSION:
        return arguments_version(arguments, "--expected-version", text,
                                 &arguments->expected_version);
    case OPTION_HISTORY:
        arguments->history = true;
        break;
    case OPTION_DIFF:
        arguments->diff = true;
        break;
    case OPTION_NULL:
        arguments->nulls[arguments->n_nulls++] = text;
        break;
    case OPTION_LINK_SET:
    case OPTION_SET:
        arguments->sets[arguments->n_sets++] = text;
        break;
    case OPTION_VALIDATE_ONLY:
        arguments->validate_only = true;
        break;
    case OPTION_ETAG:
        arguments->etag = text;
        break;
    case OPTION_ETAGS:
        arguments->etags = true;
        break;
    case OPTION_BY:
        arguments->by = text;
        break;
    case OPTION_ON_CONFLICT:
        return set_on_conflict(arguments, text);
    }
    return 0;
}

static int add_operand(struct arguments *arguments, char *text)
{
    if (arguments->command) {
        arguments->operands[arguments->n_operands++] = text;
        return 0;
    }
    arguments->command = command_find(text);
    if (!arguments->command)
        return report_usage(arguments, "unknown command '%s'", text);
    return 0;
}

static int set_option(struct arguments *arguments, int value, char *text, unsigned *used)
{
    switch (value) {
    case 1: /* not an option */
        return add_operand(arguments, text);
    case LONG_URL:
        arguments->url = text;
        return 0;
    case 'o':
        return set_format(arguments, text);
    case LONG_TIMEOUT:
        return set_timeout(arguments, text);
    case LONG_ECHO:
        arguments->echo = true;
        return 0;
    case 'h':
        arguments->help = true;
        return 0;
    case 'V':
        arguments->version = true;
        return 0;
    case 'I':
        *used |= OPTION_INCLUDE;
        return set_command_option(arguments, OPTION_INCLUDE, text);
    default:
        *used |= command_options[value - LONG_COMMAND].bit;
        return set_command_option(arguments, command_options[value - LONG_COMMAND].bit, text);
    }
}

static int check(struct arguments *arguments, unsigned used)
{
    const struct command *command = arguments->command;

    if (arguments->help || arguments->version)
        return 0;
    if (!command)
        return report_usage(arguments, "a command is missing");
    for (size_t i = 0; i < N_COMMAND_OPTIONS; i++) {
        if (used & command_options[i].bit & ~command->options)
            return report_usage(arguments, "%s takes no --%s", command->name,
                                command_options[i].name);
    }
    if (used & OPTION_SET && !(command->options & OPTION_LINK_SET) &&
        arguments_version(arguments, "--set", arguments->sets[arguments->n_sets - 1],
                          &arguments->set))
        return EXIT_USAGE;
    if (arguments->n_operands < command->n_operands_min)
        return report_usage(arguments, "%s needs %s", command->name, command->operands);
    if (arguments->n_operands > command->n_operands_max)
        return report_usage(arguments, "'%s' is one argument too many",
                            arguments->operands[command->n_operands_max]);
    return 0;
}

/* getopt_long told nothing, so that all mistakes look alike. */
static int tell_mistake(struct arguments *arguments, int value, char **argv)
{
    const char *text = argv[optind - 1];
    bool letter = optopt > 0 && optopt < LONG_FIRST && !strchr(LETTERS, optopt);

    if (value == ':')
        return report_usage(arguments, "option '%s' needs an argument", text);
    if (letter && optopt >= '0' && optopt <= '9')
        return report_usage(arguments,
                            "unknown option '-%c': put -- before a key that starts with -", optopt);
    if (letter)
        return report_usage(arguments, "unknown option '-%c'", optopt);
    return report_usage(arguments, "unknown, unclear or misused option '%s'", text);
}

/* A mistake may be found before -o is reached; it is told as -o asks. */
static void foresee_format(struct arguments *arguments, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        const char *text = argv[i];

        if (!strncmp(text, "--output=", 9))
            text += 9;
        else if (!strncmp(text, "-o", 2) && text[2])
            text += 2;
        else if ((!strcmp(text, "-o") || !strcmp(text, "--output")) && i + 1 < argc)
            text = argv[++i];
        else
            continue;
        if (!strcmp(text, "json") || !strcmp(text, "jsonl"))
            arguments->format = FORMAT_JSON;
    }
}

int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
    struct option options[N_GLOBAL_OPTIONS + N_COMMAND_OPTIONS + 1] = {0};
    unsigned used = 0;
    int value, result = 0;

    *arguments = (struct arguments){0};
    arguments->operands = calloc((size_t)argc + 1, sizeof(char *));
    arguments->includes = calloc((size_t)argc + 1, sizeof(char *));
    arguments->nulls = calloc((size_t)argc + 1, sizeof(char *));
    arguments->losses = calloc((size_t)argc + 1, sizeof(char *));
    arguments->sets = calloc((size_t)argc + 1, sizeof(char *));
    if (!arguments->operands || !arguments->includes || !arguments->nulls || !arguments->losses ||
        !arguments->sets)
        return report_usage(arguments, "out of memory");

    memcpy(options, global_options, sizeof(global_options));
    for (size_t i = 0; i < N_COMMAND_OPTIONS; i++)
        options[N_GLOBAL_OPTIONS + i] = (struct option){
            command_options[i].name, command_options[i].argument, NULL, LONG_COMMAND + (int)i};

    foresee_format(arguments, argc, argv);
    /* "-": operands come in their place, POSIXLY_CORRECT or not. ":": be quiet. */
    while ((value = getopt_long(argc, argv, "-:o:hVI:", options, NULL)) != -1) {
        result = value == '?' || value == ':' ? tell_mistake(arguments, value, argv)
                                              : set_option(arguments, value, optarg, &used);
        if (result)
            return result;
    }
    while (optind < argc && !result)
        result = add_operand(arguments, argv[optind++]);
    return result ? result : check(arguments, used);
}

void arguments_done(struct arguments *arguments)
{
    free(arguments->operands);
    free(arguments->includes);
    free(arguments->nulls);
    free(arguments->losses);
    free(arguments->sets);
    free(arguments->expand);
    *arguments = (struct arguments){0};
}
