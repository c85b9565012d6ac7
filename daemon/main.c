/*
 * herod: puts store, dispatch and server together, in this order: options,
 * the database's lock and checks, listening, a request to itself; only then
 * READY. Then it waits for signals and feeds systemd's watchdog. Owns exit
 * codes and shutdown.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>
#include "config.h"
#include "daemon.h"
#include "dispatch.h"
#include "log.h"
#include "server.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_OPEN = 3,
    EXIT_CORRUPT = 4,
    EXIT_NEWER = 5,
    EXIT_LOCKED = 6,
    EXIT_IO = 7,
    EXIT_LISTEN = 8,
};

/* From SIGTERM to the end, whatever happens. */
#define STOP_HARD_MS 1900
/* Of those, for requests that run or wait; then for answers on their way. */
#define STOP_QUIESCE_MS 800
#define STOP_DRAIN_MS 500
#define PROBE_START_MS 5000
/* Files, SQLite, nng, the probe: descriptors that no client may have. */
#define RESERVED_FDS 256
#define BUSY_TIMEOUT_MS 5000
/* Most time for the rows of one table. */
#define INFER_SECONDS 60
#define ANSWER_BYTES (64 * 1024)
#define STOP_GRACE_MS 100
/* Connections for reads on the transport's threads, beside the readers'. */
#define INLINE_CONNECTIONS 4
#define IDLE_TICK_S 10

static atomic_bool hard_stop_ok; /* nothing is left but tidying up */

static int fail(int exit_code, const struct fault *fault)
{
    char text[4096];

    if (isatty(STDERR_FILENO))
        fprintf(stderr, "herod: %s\n", fault->message ? fault->message : "failed");
    else
        log_line(LOG_LEVEL_ERROR, "failed", "exit=%d error=%s", exit_code,
                 log_quote(text, sizeof(text), fault->message));
    sd_notifyf(0, "STATUS=%s", fault->message ? fault->message : "failed");
    return exit_code;
}

static int exit_code_of(enum store_trouble trouble)
{
    switch (trouble) {
    case STORE_TROUBLE_OPEN:
        return EXIT_OPEN;
    case STORE_TROUBLE_LOCKED:
        return EXIT_LOCKED;
    case STORE_TROUBLE_CORRUPT:
        return EXIT_CORRUPT;
    case STORE_TROUBLE_NEWER:
        return EXIT_NEWER;
    case STORE_TROUBLE_IO:
        return EXIT_IO;
    case STORE_TROUBLE_MEMORY:
    case STORE_TROUBLE_NONE:
        return EXIT_OTHER;
    }
    return EXIT_OTHER;
}

/* On the writer thread. No answer may leave any more: a COMMIT that failed
 * may be in the file after a restart, which alone can tell. */
static void on_fatal(void *arg, enum store_trouble trouble, const char *text)
{
    char quoted[2048];

    (void)arg;
    log_line(LOG_LEVEL_ERROR, "fatal", "exit=%d error=%s", exit_code_of(trouble),
             log_quote(quoted, sizeof(quoted), text));
    _exit(exit_code_of(trouble));
}

/* A full disk at the start is no damage: waits for room, a second at a time,
 * until somebody wants herod to stop. */
static bool on_disk_full(void *arg, const char *text)
{
    const sigset_t *waited = arg;
    struct timespec second = {1, 0};
    char quoted[2048];

    log_limited(LOG_LEVEL_WARNING, "disk_full", "error=%s",
                log_quote(quoted, sizeof(quoted), text));
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=waiting: %s", text);
    int signal_number = sigtimedwait(waited, NULL, &second);
    if (signal_number != SIGTERM && signal_number != SIGINT)
        return true;
    log_line(LOG_LEVEL_NOTICE, "stopped", "reason=\"told to stop while the disk was full\"");
    _exit(EXIT_OK); /* nothing was opened that needs closing */
}

/* mkdir -p of the directory that holds `path`, 0700. */
static Code make_directory(const char *path, struct fault *fault)
{
    char directory[CONFIG_TEXT_BYTES];
    char *slash;

    snprintf(directory, sizeof(directory), "%s", path);
    slash = strrchr(directory, '/');
    if (!slash || slash == directory)
        return HERO__V1__CODE__OK;
    *slash = 0;
    for (char *at = directory + 1;; at++) {
        bool end = *at == 0;
        if (*at != '/' && !end)
            continue;
        *at = 0;
        if (mkdir(directory, 0700) != 0 && errno != EEXIST)
            return fault_set(fault, HERO__V1__CODE__UNAVAILABLE, "cannot create %s: %s", directory,
                             strerror(errno));
        if (end)
            return HERO__V1__CODE__OK;
        *at = '/';
    }
}

/* Enough descriptors for all clients and us; else fewer clients. */
static void reserve_descriptors(struct limits *limits)
{
    struct rlimit limit;
    rlim_t wanted = limits->max_clients + RESERVED_FDS;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    unsigned most = limit.rlim_cur > 2 * RESERVED_FDS ? (unsigned)limit.rlim_cur - RESERVED_FDS
                                                      : (unsigned)limit.rlim_cur / 2;
    log_line(LOG_LEVEL_WARNING, "max_clients", "wanted=%u now=%u reason=\"RLIMIT_NOFILE is %llu\"",
             limits->max_clients, most, (unsigned long long)limit.rlim_cur);
    limits->max_clients = most;
}

/* Descriptors 0 to 2 are somebody's: a database that got number 2 would be
 * written to by the next message on stderr. */
static void occupy_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void hard_stop(int signal_number)
{
    (void)signal_number;
    _exit(atomic_load(&hard_stop_ok) ? EXIT_OK : EXIT_OTHER);
}

static void prepare_signals(sigset_t *ret_waited)
{
    struct sigaction action = {.sa_handler = hard_stop};

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(ret_waited);
    sigaddset(ret_waited, SIGTERM);
    sigaddset(ret_waited, SIGINT);
    sigaddset(ret_waited, SIGHUP);
    sigprocmask(SIG_BLOCK, ret_waited, NULL); /* all threads inherit it */
}

static int open_store(const struct config *config, struct daemon *daemon, sigset_t *waited,
                      struct fault *fault)
{
    struct store_options options = {
        .path = config->database,
        .n_readers = (unsigned)config->readers + INLINE_CONNECTIONS,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .retention_ms = config->retention_ms,
        .answer_bytes = ANSWER_BYTES,
        .message_bytes = daemon->limits.message_bytes,
        .max_expand_depth = daemon->limits.max_expand_depth,
        .page_size = daemon->limits.page_size,
        .max_page_size = daemon->limits.max_page_size,
        .on_fatal = on_fatal,
        .on_disk_full = on_disk_full,
        .fatal_arg = waited,
        .without = config->without[0] ? config->without : NULL,
    };
    enum store_trouble trouble = STORE_TROUBLE_NONE;

    if (config->database_is_default &&
        make_directory(config->database, fault) != HERO__V1__CODE__OK)
        return EXIT_OPEN;
    if (store_open(&options, &daemon->store, &trouble, fault) != HERO__V1__CODE__OK)
        return exit_code_of(trouble);
    return EXIT_OK;
}

static int start_server(const struct config *config, struct daemon *daemon,
                        struct server **ret_server, struct fault *fault)
{
    const char *urls[CONFIG_MAX_URLS];
    struct server_options options = {
        .urls = urls,
        .n_urls = config->n_urls,
        .socket_mode = (unsigned)config->socket_mode,
        .socket_group = config->socket_group[0] ? config->socket_group : NULL,
        .io_cpu = (int)config->io_cpu,
    };

    for (unsigned i = 0; i < config->n_urls; i++)
        urls[i] = config->urls[i];
    if (config->listen_is_default &&
        make_directory(urls[0] + strlen("ipc://"), fault) != HERO__V1__CODE__OK)
        return EXIT_LISTEN;
    if (dispatch_start(daemon, (unsigned)config->readers, fault) != HERO__V1__CODE__OK)
        return EXIT_OTHER;
    if (server_start(daemon, &options, ret_server, fault) != HERO__V1__CODE__OK ||
        server_probe(*ret_server, PROBE_START_MS, fault) != HERO__V1__CODE__OK)
        return EXIT_LISTEN;
    return EXIT_OK;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell_ready(const struct daemon *daemon, const struct server *server)
{
    char urls[1024] = "";
    size_t len = 0;

    for (size_t i = 0; i < server_n_urls(server) && len < sizeof(urls); i++)
        len += (size_t)snprintf(urls + len, sizeof(urls) - len, "%s%s", i ? "," : "",
                                server_url(server, i));
    struct models *models = store_models(daemon->store);
    log_line(LOG_LEVEL_NOTICE, "ready", "version=%s listen=%s database=%s models=%zu ms=%.1f",
             HERO_VERSION, urls, daemon->database, models->n_models,
             (double)(now_ns() - daemon->started_ns) / 1e6);
    sd_notifyf(0, "READY=1\nSTATUS=serving %zu models of %s on %s", models->n_models,
               daemon->database, urls);
    models_unref(models);
}

/* Fed only after a request through every own listener came back: a listener
 * that no longer accepts gets us restarted. */
static void feed_watchdog(struct server *server, uint32_t timeout_ms)
{
    struct fault fault = FAULT_INIT;
    Code code = server_probe(server, timeout_ms, &fault);

    /* Without descriptors for a probe the clients that are there are served,
     * and those that wait get in when some leave: no case for a restart. */
    if (code == HERO__V1__CODE__OK || code == HERO__V1__CODE__RESOURCE_EXHAUSTED)
        sd_notify(0, "WATCHDOG=1");
    if (code != HERO__V1__CODE__OK)
        log_limited(LOG_LEVEL_WARNING, "probe", "error=\"%s\"", fault.message ? fault.message : "");
    fault_done(&fault);
}

/* Until SIGTERM or SIGINT. Without watchdog and idle limit it never wakes. */
static int wait_for_signal(struct daemon *daemon, struct server *server, const sigset_t *waited)
{
    uint64_t watchdog_us = 0;
    bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
    uint64_t tick_us = watched ? watchdog_us / 3 : IDLE_TICK_S * 1000000ull;
    struct timespec tick = {(time_t)(tick_us / 1000000), (long)(tick_us % 1000000) * 1000};
    bool ticks = watched || daemon->limits.idle_timeout_s > 0;

    for (;;) {
        int signal_number = sigtimedwait(waited, NULL, ticks ? &tick : NULL);
        if (signal_number == SIGTERM || signal_number == SIGINT)
            return signal_number;
        if (signal_number >= 0 || errno != EAGAIN)
            continue; /* SIGHUP: there is nothing to reload */
        server_close_idle(server);
        if (watched)
            feed_watchdog(server, (uint32_t)(tick_us / 1000));
    }
}

static void stop(struct daemon *daemon, struct server *server)
{
    struct itimerval hard = {.it_value = {STOP_HARD_MS / 1000, STOP_HARD_MS % 1000 * 1000}};

    setitimer(ITIMER_REAL, &hard, NULL);
    sd_notify(0, "STOPPING=1\nSTATUS=finishing what was acknowledged");
    if (!server_quiesce(server, STOP_QUIESCE_MS))
        dispatch_refuse_waiting(daemon);
    /* Requests that were in the sockets when the signal came: they are told. */
    nanosleep(&(struct timespec){0, STOP_GRACE_MS * 1000000}, NULL);
    server_stop(server, STOP_DRAIN_MS);
    atomic_store(&hard_stop_ok,
                 true); /* what is left is a checkpoint, which the next start makes too */
    dispatch_stop(daemon);
    store_close(daemon->store);
}

/* What nobody may have beyond us: the database's and the lock's files are
 * made 0600, sockets have their own mode. */
static int run(const struct config *config)
{
    static struct daemon daemon; /* outlives main: threads use it until _exit */
    struct server *server = NULL;
    struct fault fault = FAULT_INIT;
    sigset_t waited;
    int code;

    prepare_signals(&waited);
    umask(0077);
    /* each arena of glibc's costs memory at rest, and the threads here wait
     * for locks of nng's and SQLite's before they would wait for malloc's */
    mallopt(M_ARENA_MAX, 4);
    /* What a large request took goes back at once, and stays out of the heap,
     * which glibc would come to use for it; what small ones take stays. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    daemon.started_ns = now_ns();
    daemon.database = config->database;
    daemon.echo = config->echo;
    config_limits(config, &daemon.limits);
    reserve_descriptors(&daemon.limits);
    code = open_store(config, &daemon, &waited, &fault);
    if (code == EXIT_OK)
        code = start_server(config, &daemon, &server, &fault);
    if (code != EXIT_OK) {
        fail(code, &fault);
        if (server)
            server_stop(server, 0);
        _exit(code);
    }
    tell_ready(&daemon, server);
    int signal_number = wait_for_signal(&daemon, server, &waited);
    log_line(LOG_LEVEL_NOTICE, "stopping", "signal=%s", signal_number == SIGTERM ? "TERM" : "INT");
    stop(&daemon, server);
    log_line(LOG_LEVEL_NOTICE, "stopped", "%s", "");
    return EXIT_OK;
}

/* heroctl infer's other half: models of a database on standard output. */
static int infer(const char *path)
{
    struct infer_options options = {.path = path, .seconds = INFER_SECONDS};
    struct fault fault = FAULT_INIT;
    Code code = store_infer(&options, stdout, &fault);

    if (code == HERO__V1__CODE__OK && fflush(stdout) != 0)
        code = fault_set(&fault, HERO__V1__CODE__INTERNAL, "standard output: %s", strerror(errno));
    if (code != HERO__V1__CODE__OK)
        fprintf(stderr, "herod: %s\n", fault.message);
    fault_done(&fault);
    switch (code) {
    case HERO__V1__CODE__OK:
        return EXIT_OK;
    case HERO__V1__CODE__NOT_FOUND:
    case HERO__V1__CODE__INVALID_ARGUMENT:
    case HERO__V1__CODE__FAILED_PRECONDITION:
    case HERO__V1__CODE__UNAVAILABLE:
        return EXIT_OPEN;
    case HERO__V1__CODE__DATA_LOSS:
        return EXIT_CORRUPT;
    default:
        return EXIT_OTHER;
    }
}

int main(int argc, char **argv)
{
    static struct config config;
    struct fault fault = FAULT_INIT;
    enum config_result result;

    occupy_standard_descriptors();
    log_open(LOG_LEVEL_INFO);
    if (config_read(&config, argc, argv, &result, &fault) != HERO__V1__CODE__OK) {
        fprintf(stderr, "herod: %s\n", fault.message);
        fault_done(&fault);
        return EXIT_USAGE;
    }
    if (result == CONFIG_DONE)
        return EXIT_OK;
    if (result == CONFIG_INFER)
        return infer(config.infer);
    log_open((enum log_level)config.log_level);
    int code = run(&config);
    /* no exit(): nng's threads still run, and nng_close can hang (nng 1.5.2) */
    _exit(code);
}
