/*
 * heroctl: herod's records, models and state for people and scripts.
 *
 * Sets up the locale and the streams, runs one command, and makes sure that
 * what it printed has arrived.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "text.h"

/* Text is UTF-8 whatever the locale says; where it says otherwise (C, POSIX,
 * ISO 8859) libsmartcols would escape it and measure it wrongly. Numbers stay
 * in the C locale: only LC_CTYPE is set. */
static void set_locale(void)
{
    if (setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8"))
        return;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "C.utf8");
}

static int run(struct context *context)
{
    const struct arguments *arguments = &context->arguments;

    if (arguments->version) {
        puts("heroctl " HERO_VERSION);
        return EXIT_DONE;
    }
    if (arguments->help) {
        if (arguments->command)
            command_print_help(arguments->command, stdout);
        else
            command_print_usage(stdout);
        return EXIT_DONE;
    }
    return arguments->command->run(context);
}

/* A reader that went away and a full disk are failures too. */
static int check_output(const struct context *context, int result)
{
    if (text_flush())
        return result;
    report_local(context, "cannot write to standard output: %s", strerror(text_output_error()));
    return result ? result : EXIT_OTHER;
}

int main(int argc, char **argv)
{
    struct context context = {.error = HERO_ERROR_INIT};

    set_locale();
    signal(SIGPIPE, SIG_IGN);
    int result = arguments_parse(&context.arguments, argc, argv);
    if (!result)
        result = run(&context);
    result = check_output(&context, result);
    context_done(&context);
    return result;
}
