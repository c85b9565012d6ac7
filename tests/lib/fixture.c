/* A herod for a test; see fixture.h. */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* Busy machines and sanitizers take their time; a hang is longer. */
#define PATIENCE_MS 30000

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int fixture_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 1;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return 1;
#else
    return 0;
#endif
#else
    return 0;
#endif
}

static void fail_with_log(const struct herod_fixture *fixture, const char *what)
{
    char *log = herod_fixture_read_log(fixture);

    fprintf(stderr, "%s; herod's log:\n%s\n", what, log); /* cmocka would cut it */
    free(log);
    fail_msg("%s", what);
}

void herod_fixture_init(struct herod_fixture *fixture)
{
    const char *top = getenv("TMPDIR");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memset(fixture, 0, sizeof(*fixture));
    snprintf(fixture->directory, sizeof(fixture->directory), "%s/hero-test.XXXXXX",
             top ? top : "/tmp");
    if (!mkdtemp(fixture->directory))
        fail_msg("mkdtemp %s: %s", fixture->directory, strerror(errno));
    snprintf(fixture->database, sizeof(fixture->database), "%s/hero.db", fixture->directory);
    snprintf(fixture->log, sizeof(fixture->log), "%s/log", fixture->directory);
    snprintf(fixture->url, sizeof(fixture->url), "ipc://%s/herod.sock", fixture->directory);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", fixture->directory);
    fixture->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fixture->notify_fd < 0 ||
        bind(fixture->notify_fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail_msg("bind %s: %s", address.sun_path, strerror(errno));
}

static void redirect(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
}

static void __attribute__((noreturn)) exec_herod(const char *const *args)
{
    const char *herod = getenv("HEROD");

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    unsetenv("JOURNAL_STREAM");
    if (herod)
        execv(herod, (char *const *)(uintptr_t)args);
    fprintf(stderr, "exec %s: %s\n", herod ? herod : "(HEROD is not set)", strerror(errno));
    _exit(127);
}

static void child(const struct herod_fixture *fixture)
{
    const char *args[FIXTURE_MAX_ARGS + 8] = {"herod", "--database", fixture->database, "--listen",
                                              fixture->url};
    char notify[112];
    size_t n = 5;

    for (size_t i = 0; fixture->args[i]; i++)
        args[n++] = fixture->args[i];
    snprintf(notify, sizeof(notify), "%s/notify", fixture->directory);
    setenv("NOTIFY_SOCKET", notify, 1);
    redirect(fixture->log, O_WRONLY | O_CREAT | O_APPEND);
    if (fixture->descriptors > 0)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){fixture->descriptors, fixture->descriptors});
    exec_herod(args);
}

/* "... on ipc:///x,tcp://127.0.0.1:4711" */
static void read_status(struct herod_fixture *fixture, const char *text)
{
    const char *status = strstr(text, "STATUS="), *tcp;

    snprintf(fixture->status, sizeof(fixture->status), "%s", status ? status + 7 : "");
    tcp = strstr(fixture->status, "tcp://");
    fixture->tcp_url[0] = 0;
    if (tcp)
        snprintf(fixture->tcp_url, sizeof(fixture->tcp_url), "%.*s", (int)strcspn(tcp, ",\n"), tcp);
}

static void await_ready(struct herod_fixture *fixture, double started)
{
    struct pollfd poller = {.fd = fixture->notify_fd, .events = POLLIN};
    char text[1024];
    int status;

    while (now_ms() < started + PATIENCE_MS) {
        if (poll(&poller, 1, 50) == 1) {
            ssize_t n = recv(fixture->notify_fd, text, sizeof(text) - 1, 0);
            text[n < 0 ? 0 : n] = 0;
            if (strstr(text, "READY=1")) {
                fixture->ready_ms = now_ms() - started;
                read_status(fixture, text);
                return;
            }
        }
        if (waitpid(fixture->pid, &status, WNOHANG) == fixture->pid) {
            fixture->pid = 0;
            fail_with_log(fixture, "herod ended before it was ready");
        }
    }
    herod_fixture_kill(fixture);
    fail_with_log(fixture, "herod was not ready in time");
}

void herod_fixture_restart(struct herod_fixture *fixture)
{
    double started = now_ms();
    char text[1024];

    while (recv(fixture->notify_fd, text, sizeof(text), MSG_DONTWAIT) >= 0)
        ; /* what the one before said last */
    fflush(NULL);
    fixture->pid = fork();
    if (fixture->pid < 0)
        fail_msg("fork: %s", strerror(errno));
    if (fixture->pid == 0)
        child(fixture);
    await_ready(fixture, started);
}

void herod_fixture_start(struct herod_fixture *fixture, const char *const *args)
{
    size_t n = 0;

    if (!fixture->directory[0])
        herod_fixture_init(fixture);
    for (; args && args[n]; n++) {
        if (n + 1 >= FIXTURE_MAX_ARGS)
            fail_msg("too many arguments for herod");
        fixture->args[n] = args[n];
    }
    fixture->args[n] = NULL;
    herod_fixture_restart(fixture);
}

const char *herod_fixture_url(const struct herod_fixture *fixture)
{
    return fixture->url;
}

/* Waits for the end of a child; -1: it had to be killed. */
static int await_end(pid_t pid)
{
    double until = now_ms() + PATIENCE_MS;
    struct timespec pause = {0, 2000000};
    int status;

    while (now_ms() < until) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        nanosleep(&pause, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* What a sanitizer found in herod is in its log only. */
static void assert_clean(const struct herod_fixture *fixture)
{
    char *log = herod_fixture_read_log(fixture);
    bool clean = !strstr(log, "runtime error:") && !strstr(log, "Sanitizer");

    free(log);
    if (!clean)
        fail_with_log(fixture, "a sanitizer found something");
}

void herod_fixture_end(struct herod_fixture *fixture)
{
    char text[64];

    if (fixture->pid == 0)
        return;
    kill(fixture->pid, SIGCONT); /* a test that failed may have left it stopped */
    kill(fixture->pid, SIGTERM);
    int status = await_end(fixture->pid);
    fixture->pid = 0;
    assert_clean(fixture);
    if (status == 0)
        return;
    snprintf(text, sizeof(text), "herod ended with %s %d",
             status >= 0 && WIFSIGNALED(status) ? "signal" : "status",
             status < 0            ? -1
             : WIFSIGNALED(status) ? WTERMSIG(status)
                                   : WEXITSTATUS(status));
    fail_with_log(fixture, text);
}

void herod_fixture_done(struct herod_fixture *fixture)
{
    char command[128];

    if (!fixture->directory[0])
        return;
    close(fixture->notify_fd);
    /* the directory is mkdtemp's: no odd characters */
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
    if (system(command) != 0)
        print_error("cannot remove %s\n", fixture->directory);
    fixture->directory[0] = 0;
}

void herod_fixture_stop(struct herod_fixture *fixture)
{
    herod_fixture_end(fixture);
    herod_fixture_done(fixture);
}

void herod_fixture_signal(struct herod_fixture *fixture, int signal_number)
{
    int status = 0;

    assert_true(fixture->pid > 0);
    assert_int_equal(kill(fixture->pid, signal_number), 0);
    /* A thread on another CPU runs on for a moment: until all have stopped. */
    if (signal_number == SIGSTOP) {
        assert_int_equal(waitpid(fixture->pid, &status, WUNTRACED), fixture->pid);
        assert_true(WIFSTOPPED(status));
    }
}

void herod_fixture_kill(struct herod_fixture *fixture)
{
    int status;

    if (fixture->pid == 0)
        return;
    kill(fixture->pid, SIGKILL);
    waitpid(fixture->pid, &status, 0);
    fixture->pid = 0;
}

int herod_fixture_run(const struct herod_fixture *fixture, const char *const *args, char *ret_text,
                      size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/stderr", fixture->directory);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        unsetenv("NOTIFY_SOCKET");
        redirect(path, O_WRONLY | O_CREAT | O_TRUNC);
        exec_herod(args);
    }
    int status = await_end(pid);
    if (ret_text && size > 0) {
        FILE *file = fopen(path, "re");
        size_t n = file ? fread(ret_text, 1, size - 1, file) : 0;
        ret_text[n] = 0;
        if (file)
            fclose(file);
    }
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *herod_fixture_read_log(const struct herod_fixture *fixture)
{
    FILE *file = fopen(fixture->log, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file || getdelim(&text, &size, 0, file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file)
        fclose(file);
    return text;
}

void herod_fixture_await_log(const struct herod_fixture *fixture, const char *text)
{
    double until = now_ms() + 10000;
    struct timespec pause = {0, 5000000};
    int found = 0;

    while (!found && now_ms() < until) {
        char *log = herod_fixture_read_log(fixture);
        found = strstr(log, text) != NULL;
        free(log);
        if (!found)
            nanosleep(&pause, NULL);
    }
    if (!found) {
        print_error("not in the log: %s\n", text);
        fail_with_log(fixture, "a line is missing in the log");
    }
}

long herod_fixture_status(const struct herod_fixture *fixture, const char *field)
{
    char path[64], line[256];
    long value = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)fixture->pid);
    FILE *file = fopen(path, "re");
    while (file && value < 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    }
    if (file)
        fclose(file);
    return value;
}

unsigned herod_fixture_descriptors(const struct herod_fixture *fixture)
{
    char path[64];
    unsigned n = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)fixture->pid);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        n += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return n;
}

unsigned long herod_fixture_cpu_ticks(const struct herod_fixture *fixture)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system_time = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)fixture->pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(text, sizeof(text), file)) {
        const char *after = strrchr(text, ')'); /* the name may hold anything */
        if (after)
            sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &system_time);
    }
    if (file)
        fclose(file);
    return user + system_time;
}
