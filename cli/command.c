/*
 * The table of commands and the help texts made from it.
 */
#include <string.h>
#include "command.h"

static const struct command *const commands[] = {
    &command_apply,     &command_infer,  &command_remove,  &command_models, &command_create,
    &command_get,       &command_list,   &command_related, &command_count,  &command_explain,
    &command_update,    &command_delete, &command_upsert,  &command_link,   &command_unlink,
    &command_set_links, &command_call,   &command_status,
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char global_help[] =
    "Options of every command:\n"
    "  --url URL           the daemon: ipc:///path or tcp://host:port\n"
    "                      (default: HERO_URL, else your own daemon, else the system's)\n"
    "  -o, --output FORM   table (default), json, jsonl or csv\n"
    "  --timeout SECONDS   how long a call may take (default: 10)\n"
    "  --echo              tell the SQL of every call on standard error\n"
    "  -h, --help          this text\n"
    "  -V, --version       heroctl's version\n";

static const struct {
    unsigned bit;
    const char *help;
} option_help[] = {
    {OPTION_PLAN, "  --plan              print each step, with its SQL, and change nothing\n"},
    {OPTION_ALLOW_DATA_LOSS, "  --allow-data-loss N what may be lost, as the plan names it; may be "
                             "repeated\n"},
    {OPTION_EXPECTED_VERSION, "  --expected-version N  only while models of this version are "
                              "served (--plan tells it)\n"},
    {OPTION_SET, "  --set VERSION       the models as they were served in that version\n"},
    {OPTION_INCLUDE, "  -I, --include DIR   where protoc also looks for imported files\n"},
    {OPTION_SQL, "  --sql               print CREATE TABLE and CREATE INDEX\n"},
    {OPTION_HISTORY,
     "  --history           what was served since when, by whom, and what changed\n"},
    {OPTION_DIFF, "  --diff              compare two versions, or one with what is served\n"},
    {OPTION_PROTO, "  --proto             print the models as .proto source\n"},
    {OPTION_EXPAND, "  --expand PATH,...   relationships to load along: teams,teams.heroes\n"},
    {OPTION_FILTER,
     "  --filter TEXT       only records that it holds for: 'age >= 18 AND any(teams)'\n"},
    {OPTION_FIELDS, "  --fields F,G        load these fields alone, besides the key\n"},
    {OPTION_COUNT, "  --count             tell how many there are on all pages\n"},
    {OPTION_ORDER_BY, "  --order-by F,-G     fields to sort by; - descends\n"},
    {OPTION_LIMIT, "  --limit N           at most N records; with --all: N a page\n"},
    {OPTION_PAGE_TOKEN, "  --page-token T      go on where the page before ended\n"},
    {OPTION_ALL, "  --all               every page\n"},
    {OPTION_NULL, "  --null FIELD        set the field to NULL; may be repeated\n"},
    {OPTION_LINK_SET, "  --set FIELD=VALUE   what the links hold; may be repeated\n"},
    {OPTION_BY, "  --by FIELD,...      upsert: the unique key to find a record by; count: what to "
                "group by\n"},
    {OPTION_ON_CONFLICT, "  --on-conflict DO    update (default), ignore or fail\n"},
    {OPTION_ETAGS, "  --etags             tell the records' etags, too\n"},
    {OPTION_ETAG, "  --etag E            only if the record still has this etag\n"},
    {OPTION_VALIDATE_ONLY,
     "  --validate-only     check, answer as if it were done, change nothing\n"},
};

static const char exit_help[] =
    "Exit status: 0 done, 1 other, 2 usage, 3 not found, 4 already exists or conflict,\n"
    "5 invalid argument, 6 unavailable, 7 deadline, 8 permission.\n";

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    }
    return NULL;
}

void command_print_usage(FILE *out)
{
    fputs("Usage: heroctl [OPTION]... COMMAND [ARGUMENT]...\n"
          "Typed, linked records of a herod daemon.\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-9s  %s\n", commands[i]->name, commands[i]->help);
    fprintf(out,
            "\n%s\n%s\n"
            "Example:\n"
            "  heroctl apply heroes.proto\n"
            "  heroctl create hero name=Deadpond 'secret_name=Dive Wilson'\n"
            "  heroctl list hero --expand teams\n\n"
            "heroctl COMMAND --help tells more of a command; heroctl(1) tells all.\n",
            global_help, exit_help);
}

void command_print_help(const struct command *command, FILE *out)
{
    fprintf(out, "Usage: heroctl [OPTION]... %s %s%s\n%s.\n", command->name, command->operands,
            command->options ? " [OPTION]..." : "", command->help);
    if (command->details)
        fprintf(out, "\n%s", command->details);
    if (command->more_help)
        command->more_help(out);
    if (command->options)
        fputs("\nOptions:\n", out);
    for (size_t i = 0; i < sizeof(option_help) / sizeof(option_help[0]); i++) {
        bool links = option_help[i].bit == OPTION_SET && command->options & OPTION_LINK_SET;

        if (command->options & option_help[i].bit && !links)
            fputs(option_help[i].help, out);
    }
    fprintf(out, "\n%s\nExample:\n%s\n%s", global_help, command->example, exit_help);
}
