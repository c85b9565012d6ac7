/* Runs programs and reads what they leave: see process.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "process.h"

/* Larger sets of models fit no daemon's message limit. */
#define MOST_BYTES (64u << 20)

extern char **environ;

int process_run(char *const *words, int output, int complaints, int *ret_status)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    pid_t pid;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, complaints, 2);
    int error = posix_spawnp(&pid, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error)
        return error;
    while (waitpid(pid, ret_status, 0) < 0) {
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

int process_read(const struct context *context, int fd, const char *name, char **ret_bytes,
                 size_t *ret_size)
{
    struct stat status;
    size_t size = 0;

    if (fstat(fd, &status))
        return report_local(context, "cannot read %s: %s", name, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return report_local(context, "cannot read %s: it is neither a file nor a directory", name);
    if (status.st_size > MOST_BYTES)
        return report_failure(context, HERO_RESOURCE_EXHAUSTED, "%s is larger than 64 MiB", name);
    char *bytes = malloc((size_t)status.st_size + 1);
    if (!bytes)
        return report_local(context, "out of memory");
    while (size < (size_t)status.st_size) {
        ssize_t n = pread(fd, bytes + size, (size_t)status.st_size - size, (off_t)size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(bytes);
            return report_local(context, "cannot read %s: %s", name, strerror(errno));
        }
        if (n == 0)
            break;
        size += (size_t)n;
    }
    bytes[size] = '\0';
    *ret_bytes = bytes;
    *ret_size = size;
    return 0;
}
