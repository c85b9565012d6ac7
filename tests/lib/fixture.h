/*
 * A herod for a test: a fresh directory, a socket in it, started and awaited,
 * stopped or killed, started again on the same database. Fails the test (of
 * cmocka's) where herod doesn't behave. One thread at a time.
 */
#ifndef HERO_TESTS_FIXTURE_H
#define HERO_TESTS_FIXTURE_H

#include <sys/types.h>

#define FIXTURE_MAX_ARGS 24

struct herod_fixture {
    char directory[80];
    char database[112], log[112], url[112];
    char tcp_url[64]; /* "" without a tcp listener */
    char status[512]; /* of the last READY */
    const char *args[FIXTURE_MAX_ARGS];
    pid_t pid;            /* 0: not running */
    unsigned descriptors; /* RLIMIT_NOFILE of the next herod; 0: ours */
    int notify_fd;
    double ready_ms; /* from fork to READY */
};

/* A fresh directory; nothing runs. For tests that put things there first. */
void herod_fixture_init(struct herod_fixture *fixture);
/* init (unless done), and a herod that is ready. @args more arguments, NULL
 * at the end; NULL for none; they are kept for herod_fixture_restart. */
void herod_fixture_start(struct herod_fixture *fixture, const char *const *args);
const char *herod_fixture_url(const struct herod_fixture *fixture);
/* SIGTERM; exit status 0 within two seconds (and a bit: machines are busy) is
 * demanded; removes the directory. */
void herod_fixture_stop(struct herod_fixture *fixture);
/* SIGTERM; status 0 is demanded; the directory stays. */
void herod_fixture_end(struct herod_fixture *fixture);
/* kill -9, if it runs; the directory stays. */
void herod_fixture_kill(struct herod_fixture *fixture);
/* After kill or end: again on the same database, with the same arguments. */
void herod_fixture_restart(struct herod_fixture *fixture);
void herod_fixture_signal(struct herod_fixture *fixture, int signal_number);
/* Removes the directory; nothing may run. */
void herod_fixture_done(struct herod_fixture *fixture);

/* Another herod with these arguments (all of them; NULL at the end) that must
 * end by itself. Returns its exit status; what it wrote to stderr goes to ret_text. */
int herod_fixture_run(const struct herod_fixture *fixture, const char *const *args, char *ret_text,
                      size_t size);
/* All that herod wrote to its log so far; free it. */
char *herod_fixture_read_log(const struct herod_fixture *fixture);
/* Waits until its log holds the text; fails after ten seconds. */
void herod_fixture_await_log(const struct herod_fixture *fixture, const char *text);

/* "VmRSS:" and the like of /proc/PID/status, in KiB. */
long herod_fixture_status(const struct herod_fixture *fixture, const char *field);
/* Open descriptors; user and system time in clock ticks. */
unsigned herod_fixture_descriptors(const struct herod_fixture *fixture);
unsigned long herod_fixture_cpu_ticks(const struct herod_fixture *fixture);
/* Built with a sanitizer: figures of memory and time say nothing. */
int fixture_is_sanitized(void);

#endif
