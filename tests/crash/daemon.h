/*
 * A herod under test: started on a file, awaited, stopped or killed. Fails
 * the whole test program where herod does not behave.
 */
#ifndef HERO_CRASH_DAEMON_H
#define HERO_CRASH_DAEMON_H

#include <sys/types.h>

struct daemon_process {
    char folder[64];
    char url[96], database[96];
    pid_t pid;
    int ready_fd; /* where herod says READY=1, as to systemd */
};

void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...);

/* SIGKILL to one process. Never to a group or to all, which is what 0 and -1
 * mean to kill(): a pid that is none fails the test. */
void kill_process(pid_t pid);

/* A fresh folder; nothing runs yet. */
void daemon_init(struct daemon_process *daemon);
/* Returns when it is ready. */
void daemon_start(struct daemon_process *daemon);
void daemon_kill(struct daemon_process *daemon);
/* SIGTERM; status 0 is demanded. */
void daemon_stop(struct daemon_process *daemon);
/* In a child: the daemon is the parent's, fail() leaves it alone. */
void daemon_forget(void);
/* Removes the folder. */
void daemon_done(struct daemon_process *daemon);

#endif
