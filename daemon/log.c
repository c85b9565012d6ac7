/*
 * The log. Owns where lines go and how many of one kind; knows nothing of
 * what they say.
 */
#include "log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* Long enough for an echoed statement; longer lines are cut. */
#define LINE_BYTES 8192
#define MAX_EVENTS 32

static enum log_level threshold = LOG_LEVEL_INFO;
static bool to_journal;

struct event_count {
    const char *event;
    time_t minute;
    unsigned n, n_held;
};
static struct event_count counts[MAX_EVENTS];
static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the journal's
 * stream; it is inherited, so only a match with our stderr counts. */
static bool stderr_is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return text && sscanf(text, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && device == (uintmax_t)st.st_dev &&
           inode == (uintmax_t)st.st_ino;
}

void log_open(enum log_level level)
{
    threshold = level;
    to_journal = stderr_is_journal();
}

bool log_wants(enum log_level level)
{
    return level <= threshold;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_NOTICE:
        return "notice";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "?";
}

static void write_journal(enum log_level level, const char *event, const char *text)
{
    char priority[16], named[128], message[LINE_BYTES + 16];
    struct iovec fields[4];
    size_t n = 0;

    snprintf(priority, sizeof(priority), "PRIORITY=%d", (int)level);
    snprintf(named, sizeof(named), "HERO_EVENT=%s", event);
    snprintf(message, sizeof(message), "MESSAGE=%s", text);
    const char *all[] = {message, priority, named, "SYSLOG_IDENTIFIER=herod"};
    for (; n < 4; n++)
        fields[n] = (struct iovec){(void *)(uintptr_t)all[n], strlen(all[n])};
    sd_journal_sendv(fields, (int)n);
}

/* One write(2) a line, so that lines of several threads stay whole. */
static void write_stderr(enum log_level level, const char *text)
{
    char line[LINE_BYTES + 80], stamp[32];
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    int len = snprintf(line, sizeof(line), "%s.%03ldZ level=%s %s\n", stamp, now.tv_nsec / 1000000,
                       level_name(level), text);
    if (len >= (int)sizeof(line)) {
        len = (int)sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return; /* nowhere to say it */
}

static void write_line(enum log_level level, const char *event, unsigned n_held, const char *format,
                       va_list args)
{
    char text[LINE_BYTES];
    int len = snprintf(text, sizeof(text), "event=%s ", event);

    len += vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    if (len > 0 && (size_t)len < sizeof(text) && text[len - 1] == ' ')
        text[--len] = 0;
    if (n_held > 0 && (size_t)len < sizeof(text))
        snprintf(text + len, sizeof(text) - (size_t)len, " held_back=%u", n_held);
    if (to_journal)
        write_journal(level, event, text);
    else
        write_stderr(level, text);
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    va_list args;

    if (!log_wants(level))
        return;
    va_start(args, format);
    write_line(level, event, 0, format, args);
    va_end(args);
}

/* May this event be logged now? *ret_held: how many were not since the last. */
static bool count_event(const char *event, unsigned *ret_held)
{
    struct timespec now;
    struct event_count *count = counts;
    bool wanted;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    pthread_mutex_lock(&counts_lock);
    while (count < counts + MAX_EVENTS - 1 && count->event && strcmp(count->event, event) != 0)
        count++;
    if (!count->event || count->minute != now.tv_sec / 60) {
        count->event = event;
        count->minute = now.tv_sec / 60;
        count->n = 0;
    }
    wanted = count->n < LOG_PER_MINUTE;
    if (wanted) {
        count->n++;
        *ret_held = count->n_held;
        count->n_held = 0;
    } else {
        count->n_held++;
    }
    pthread_mutex_unlock(&counts_lock);
    return wanted;
}

void log_limited(enum log_level level, const char *event, const char *format, ...)
{
    unsigned n_held = 0;
    va_list args;

    if (!log_wants(level) || !count_event(event, &n_held))
        return;
    va_start(args, format);
    write_line(level, event, n_held, format, args);
    va_end(args);
}

const char *log_quote(char *buffer, unsigned long size, const char *text)
{
    char *out = buffer, *end = buffer + size;

    if (size < 8)
        return "";
    *out++ = '"';
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (end - out < 7) { /* an escape, the closing quote, the terminator */
            break;
        }
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = (char)c;
        } else if (c == '\n') {
            *out++ = '\\';
            *out++ = 'n';
        } else if (c < 0x20 || c == 0x7f) {
            out += snprintf(out, (size_t)(end - out), "\\x%02x", c);
        } else {
            *out++ = (char)c;
        }
    }
    *out++ = '"';
    *out = 0;
    return buffer;
}
