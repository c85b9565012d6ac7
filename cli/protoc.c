/*
 * Runs protoc and reads what it made.
 *
 * Its output and its complaints go into memory files, not pipes: nothing can
 * block, and nothing is left behind. Knows where protobuf's and hero's own
 * .proto files may be; knows nothing of what the models say.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "protoc.h"
#include "process.h"
#include "text.h"

#define MAX_COMPLAINTS 64

struct words {
    char **words;
    size_t n, size;
    bool failed; /* no memory */
};

static void add_word(struct words *words, char *word)
{
    if (words->n + 2 > words->size) {
        size_t size = words->size ? 2 * words->size : 32;
        char **bigger = realloc(words->words, size * sizeof(char *));

        if (!bigger) {
            words->failed = true;
            free(word);
            return;
        }
        words->words = bigger;
        words->size = size;
    }
    words->failed = words->failed || !word;
    words->words[words->n] = word;
    words->words[words->n + !!word] = NULL;
    words->n += !!word;
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->words[i]);
    free(words->words);
}

/* ---- where imports are ---- */

/* <prefix>/include of the prefix that this program was started from: an
 * installation that was moved finds its own hero/options.proto. */
static char *own_include_directory(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    strcat(path, "/include");
    return strdup(path);
}

static bool has_file(const char *directory, const char *name)
{
    char path[4096];

    return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) &&
           access(path, R_OK) == 0;
}

static void add_include(struct words *words, const char *directory)
{
    char *word = NULL;

    if (asprintf(&word, "--proto_path=%s", directory) < 0)
        word = NULL;
    add_word(words, word);
}

static bool includes_have(const struct words *words, const char *name)
{
    for (size_t i = 0; i < words->n; i++) {
        if (!strncmp(words->words[i], "--proto_path=", 13) && has_file(words->words[i] + 13, name))
            return true;
    }
    return false;
}

static void add_includes(const struct context *context, struct words *words, const char *directory)
{
    char *own = own_include_directory();

    for (size_t i = 0; i < context->arguments.n_includes; i++)
        add_include(words, context->arguments.includes[i]);
    add_include(words, directory);
    if (own && has_file(own, "hero/options.proto"))
        add_include(words, own);
    /* protoc warns of a directory that is not there. */
    if (!access(HERO_INCLUDE_DIRECTORY, R_OK | X_OK))
        add_include(words, HERO_INCLUDE_DIRECTORY);
    if (!access(HERO_DESCRIPTOR_DIRECTORY, R_OK | X_OK))
        add_include(words, HERO_DESCRIPTOR_DIRECTORY);
    free(own);
}

/* ---- which files ---- */

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && !strcmp(text + length - end_length, end);
}

static int add_directory(const struct context *context, struct words *words, const char *path)
{
    DIR *directory = opendir(path);
    size_t first = words->n;

    if (!directory)
        return report_local(context, "cannot read %s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *word = NULL;

        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, ".proto"))
            continue;
        if (asprintf(&word, "%s/%s", path, entry->d_name) < 0)
            word = NULL;
        add_word(words, word);
    }
    closedir(directory);
    if (words->n == first)
        return report_local(context, "%s holds no .proto file", path);
    qsort(words->words + first, words->n - first, sizeof(char *), compare_words);
    return 0;
}

/* ---- running ---- */

/* "heroes.proto:5:3: what" as path and description; other lines as description. */
static hero_violation violation_of(char *line)
{
    char *end = strstr(line, ".proto:");

    if (!end)
        return (hero_violation){.path = "", .description = line};
    end += strlen(".proto:");
    end += strspn(end, "0123456789:");
    if (*end != ' ')
        return (hero_violation){.path = "", .description = line};
    end[-1] = '\0';
    return (hero_violation){.path = line, .description = end + 1};
}

static int tell_complaints(const struct context *context, const struct words *words,
                           char *complaints)
{
    static const hero_violation needed[] = {
        {.path = "google/protobuf/descriptor.proto",
         .description = "not found: install libprotobuf-dev, or give its folder with -I"},
        {.path = "hero/options.proto",
         .description = "not found: it is installed with Hero; give its folder with -I"}};
    hero_violation violations[MAX_COMPLAINTS + 2];
    size_t n = 0;

    for (size_t i = 0; i < 2; i++) {
        if (strstr(complaints, needed[i].path) && !includes_have(words, needed[i].path))
            violations[n++] = needed[i];
    }
    for (char *line = strtok(complaints, "\n"); line && n < MAX_COMPLAINTS;
         line = strtok(NULL, "\n"))
        violations[n++] = violation_of(line);
    return report_violations(context, HERO_INVALID_ARGUMENT, "protoc does not take the models",
                             violations, n);
}

/* protoc may complain of what it takes. */
static void pass_on_warnings(char *complaints)
{
    for (char *line = strtok(complaints, "\n"); line; line = strtok(NULL, "\n")) {
        fputs("heroctl: warning: ", stderr);
        text_write_escaped(stderr, line, false);
        fputc('\n', stderr);
    }
}

/* What protoc left in its two files: the set, or why there is none. */
static int read_results(const struct context *context, const struct words *words, bool made,
                        int output, int complaints, void **ret_set, size_t *ret_size)
{
    char *text, *set;
    size_t size;
    int result = process_read(context, complaints, "protoc's messages", &text, &size);

    if (result)
        return result;
    if (!made) {
        result = tell_complaints(context, words, text);
    } else {
        pass_on_warnings(text);
        result = process_read(context, output, "protoc's output", &set, ret_size);
        if (!result)
            *ret_set = set;
    }
    free(text);
    return result;
}

static int run_protoc(const struct context *context, struct words *words, void **ret_set,
                      size_t *ret_size)
{
    int output = memfd_create("set", MFD_CLOEXEC), status = 0, result;
    int complaints = memfd_create("complaints", MFD_CLOEXEC);
    int error = output < 0 || complaints < 0
                    ? errno
                    : process_run(words->words, output, complaints, &status);

    if (error == ENOENT || (!error && WIFEXITED(status) && WEXITSTATUS(status) == 127))
        result = report_local(context, "protoc is not installed: install protobuf-compiler, or "
                                       "apply a .desc file made elsewhere");
    else if (error)
        result = report_local(context, "cannot run protoc: %s", strerror(error));
    else
        result = read_results(context, words, status == 0, output, complaints, ret_set, ret_size);
    if (output >= 0)
        close(output);
    if (complaints >= 0)
        close(complaints);
    return result;
}

static int compile(const struct context *context, const char *path, bool is_directory,
                   void **ret_set, size_t *ret_size)
{
    struct words words = {0};
    char *copy = strdup(path);
    int result = 0;

    add_word(&words, strdup("protoc"));
    add_word(&words, strdup("--include_imports"));
    add_word(&words, strdup("--descriptor_set_out=/dev/stdout"));
    if (copy)
        add_includes(context, &words, is_directory ? path : dirname(copy));
    if (is_directory)
        result = add_directory(context, &words, path);
    else
        add_word(&words, strdup(path));
    if (!result && (words.failed || !copy))
        result = report_local(context, "out of memory");
    if (!result)
        result = run_protoc(context, &words, ret_set, ret_size);
    free_words(&words);
    free(copy);
    return result;
}

int protoc_descriptor_set(struct context *context, const char *path, void **ret_set,
                          size_t *ret_size)
{
    struct stat status;
    char *bytes;

    if (stat(path, &status))
        return report_local(context, "cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode) || ends_with(path, ".proto"))
        return compile(context, path, S_ISDIR(status.st_mode), ret_set, ret_size);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return report_local(context, "cannot read %s: %s", path, strerror(errno));
    int result = process_read(context, fd, path, &bytes, ret_size);
    close(fd);
    if (!result)
        *ret_set = bytes;
    return result;
}
