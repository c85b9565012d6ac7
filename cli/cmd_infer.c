/*
 * heroctl infer: models of a database that others made.
 *
 * heroctl knows no SQLite; herod does and has an option for it. Prints all or
 * nothing, so that a redirected file is never half a .proto.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"
#include "process.h"

/* herod's exit codes, as herod(8) tells them. */
enum { HEROD_OPEN = 3, HEROD_CORRUPT = 4 };

/* <here>/<name> of the directory this program is in. */
static char *beside(const char *name)
{
    char path[4096], *found = NULL;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    if (asprintf(&found, "%s/%s", path, name) < 0)
        return NULL;
    if (access(found, X_OK) == 0)
        return found;
    free(found);
    return NULL;
}

/* The one that was named, the one installed with us, else PATH's. */
static char *find_herod(void)
{
    const char *named = getenv("HEROD");
    char *herod = named && *named ? strdup(named) : NULL;

    if (!herod)
        herod = beside("../sbin/herod");
    if (!herod)
        herod = beside("herod");
    return herod ? herod : strdup("herod");
}

/* Its one line of complaint, in our words. */
static int tell(const struct context *context, char *complaint, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    char *text = complaint;

    text[strcspn(text, "\n")] = '\0';
    if (!strncmp(text, "herod: ", 7))
        text += 7;
    if (code == HEROD_OPEN)
        return report_failure(context,
                              access(context->arguments.operands[0], F_OK)
                                  ? HERO_NOT_FOUND
                                  : HERO_FAILED_PRECONDITION,
                              "%s", text);
    if (code == HEROD_CORRUPT)
        return report_failure(context, HERO_DATA_LOSS, "%s", text);
    return report_local(context, "herod could not look at the database: %s",
                        *text ? text : "it ended without a word");
}

static int print_result(const struct context *context, int output, int complaints, int status)
{
    char *text;
    size_t size;
    int result =
        process_read(context, status ? complaints : output, "herod's output", &text, &size);

    if (result)
        return result;
    if (status)
        result = tell(context, text, status);
    else if (fwrite(text, 1, size, stdout) != size)
        result = report_local(context, "cannot write: %s", strerror(errno));
    free(text);
    return result;
}

static int run(struct context *context)
{
    char *herod = find_herod(), *option = NULL;
    int output = memfd_create("models", MFD_CLOEXEC), status = 0, result;
    int complaints = memfd_create("complaints", MFD_CLOEXEC);

    if (output < 0 || complaints < 0 || !herod ||
        asprintf(&option, "--infer=%s", context->arguments.operands[0]) < 0) {
        result = report_local(context, "out of memory");
    } else {
        char *words[] = {herod, option, NULL};
        int error = process_run(words, output, complaints, &status);

        if (error)
            result = report_local(context, "cannot run %s: %s; set HEROD to where it is", herod,
                                  strerror(error));
        else
            result = print_result(context, output, complaints, status);
    }
    if (output >= 0)
        close(output);
    if (complaints >= 0)
        close(complaints);
    free(option);
    free(herod);
    return result;
}

const struct command command_infer = {
    .name = "infer",
    .operands = "FILE.db",
    .help = "Print models of a SQLite database that is there already",
    .details = "Tables, keys, constraints, foreign keys and link tables become models with their\n"
               "relationships; every row is looked at, nothing is changed and no daemon is asked.\n"
               "What can't be known or can't be said stands in comments. herod is run for it:\n"
               "HEROD, else the one installed beside heroctl, else the one in PATH.\n",
    .example = "  heroctl infer northwind.db > models.proto\n"
               "  herod --database northwind.db &\n"
               "  heroctl apply models.proto\n",
    .n_operands_min = 1,
    .n_operands_max = 1,
    .run = run,
};
