/*
 * The log: lines of key=value fields, to stderr or to the journal.
 *
 * Called by main, the server and dispatch only; what is below returns faults.
 * Values of rows are never logged but by --echo. Any thread may log.
 */
#ifndef HERO_LOG_H
#define HERO_LOG_H

#include <stdbool.h>

/* As in syslog. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Lines of one event that log_limited lets through in a minute. */
#define LOG_PER_MINUTE 60

void log_open(enum log_level level); /* journal when stderr is connected to it (JOURNAL_STREAM) */
bool log_wants(enum log_level level);
/* log_line(LOG_LEVEL_INFO, "started", "database=%s models=%zu", path, n): the
 * event, then fields; values with spaces or quotes are the caller's to quote (log_quote). */
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Like log_line, but at most LOG_PER_MINUTE for one event (a string constant);
 * what was held back is counted in the next. */
void log_limited(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "text" with quotes and control characters escaped, cut at size. Returns buffer. */
const char *log_quote(char *buffer, unsigned long size, const char *text);

#endif
