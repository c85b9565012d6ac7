#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon.h"

static struct daemon_process *running; /* for fail() */

static void remove_folder(const char *folder)
{
    char command[128];

    /* The folder is mkdtemp's: no odd characters. */
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command))
        fprintf(stderr, "cannot remove %s\n", folder);
}

void fail(const char *format, ...)
{
    va_list arguments;

    fputs("FAILED: ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
    if (running) {
        char command[128];

        if (running->pid > 1)
            kill(running->pid, SIGKILL);
        snprintf(command, sizeof(command), "tail -n 20 '%s/log'", running->folder);
        if (system(command))
            puts("(no log)");
        remove_folder(running->folder);
    }
    _exit(1);
}

void daemon_init(struct daemon_process *daemon)
{
    const char *top = getenv("TMPDIR");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *daemon = (struct daemon_process){.pid = 0};
    snprintf(daemon->folder, sizeof(daemon->folder), "%s/hero-crash.XXXXXX", top ? top : "/tmp");
    if (!mkdtemp(daemon->folder))
        fail("mkdtemp %s: %s", daemon->folder, strerror(errno));
    running = daemon;
    snprintf(daemon->url, sizeof(daemon->url), "ipc://%s/s", daemon->folder);
    snprintf(daemon->database, sizeof(daemon->database), "%s/hero.db", daemon->folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/ready", daemon->folder);
    daemon->ready_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (daemon->ready_fd < 0 ||
        bind(daemon->ready_fd, (struct sockaddr *)&address, sizeof(address)))
        fail("bind %s: %s", address.sun_path, strerror(errno));
}

static void run_herod(const struct daemon_process *daemon)
{
    const char *herod = getenv("HEROD");
    char ready[80], log[80];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(log, sizeof(log), "%s/log", daemon->folder);
    if (!freopen(log, "a", stderr))
        _exit(127);
    snprintf(ready, sizeof(ready), "%s/ready", daemon->folder);
    setenv("NOTIFY_SOCKET", ready, 1);
    execl(herod, "herod", "--database", daemon->database, "--listen", daemon->url, (char *)NULL);
    fprintf(stderr, "exec %s: %s\n", herod, strerror(errno));
    _exit(127);
}

static void await_ready(struct daemon_process *daemon)
{
    struct pollfd poll_fd = {.fd = daemon->ready_fd, .events = POLLIN};
    char text[512];

    for (int slices = 0; slices < 300; slices++) {
        if (poll(&poll_fd, 1, 100) == 1) {
            ssize_t n = recv(daemon->ready_fd, text, sizeof(text) - 1, 0);
            text[n < 0 ? 0 : n] = 0;
            if (strstr(text, "READY=1"))
                return;
        }
        if (waitpid(daemon->pid, NULL, WNOHANG) == daemon->pid) {
            daemon->pid = 0;
            fail("herod ended before it was ready");
        }
    }
    fail("herod was not ready within 30 s");
}

void daemon_start(struct daemon_process *daemon)
{
    char text[512];

    /* What a killed herod said last must not be taken for the next one's. */
    while (recv(daemon->ready_fd, text, sizeof(text), MSG_DONTWAIT) >= 0)
        ;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        fail("fork: %s", strerror(errno));
    if (pid == 0)
        run_herod(daemon);
    daemon->pid = pid;
    await_ready(daemon);
}

void kill_process(pid_t pid)
{
    if (pid <= 1)
        fail("%d is no process to kill", (int)pid);
    if (kill(pid, SIGKILL))
        fail("kill %d: %s", (int)pid, strerror(errno));
}

void daemon_kill(struct daemon_process *daemon)
{
    int status;

    kill_process(daemon->pid);
    if (waitpid(daemon->pid, &status, 0) != daemon->pid)
        fail("waitpid: %s", strerror(errno));
    if (!WIFSIGNALED(status))
        fail("herod ended by itself with status %d", WEXITSTATUS(status));
    daemon->pid = 0;
}

void daemon_stop(struct daemon_process *daemon)
{
    int status;

    if (daemon->pid <= 1 || kill(daemon->pid, SIGTERM) ||
        waitpid(daemon->pid, &status, 0) != daemon->pid)
        fail("stop: %s", strerror(errno));
    daemon->pid = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail("herod was stopped and ended with wait status %#x", (unsigned)status);
}

void daemon_forget(void)
{
    running = NULL;
}

void daemon_done(struct daemon_process *daemon)
{
    close(daemon->ready_fd);
    remove_folder(daemon->folder);
    running = NULL;
}
