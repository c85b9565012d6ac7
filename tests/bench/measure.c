/*
 * Latencies are kept one by one and sorted at the end: exact, and cheap
 * beside what is measured. Not thread-safe: the caller locks.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "measure.h"

int64_t measure_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void measure_init(struct measure *measure, double seconds)
{
    *measure = (struct measure){.start_ns = measure_now_ns() + MEASURE_WARM_UP_NS};
    measure->end_ns = measure->start_ns + (int64_t)(seconds * 1e9);
    /* More than any machine does in that time; untouched pages cost nothing. */
    measure->max_latencies = (size_t)(seconds * 2e6) + 1000;
    measure->latencies = malloc(measure->max_latencies * sizeof(*measure->latencies));
    if (!measure->latencies)
        abort();
}

void measure_done(struct measure *measure)
{
    free(measure->latencies);
    measure->latencies = NULL;
}

void measure_add(struct measure *measure, int64_t began_ns, int64_t ended_ns)
{
    if (ended_ns < measure->start_ns || ended_ns >= measure->end_ns)
        return;
    if (measure->n_latencies == measure->max_latencies)
        return measure_fail(measure, "more operations than expected");
    measure->latencies[measure->n_latencies++] = (uint32_t)((ended_ns - began_ns) / 100);
}

void measure_fail(struct measure *measure, const char *format, ...)
{
    va_list arguments;

    if (measure->n_errors++)
        return;
    va_start(arguments, format);
    vsnprintf(measure->note, sizeof(measure->note), format, arguments);
    va_end(arguments);
    fprintf(stderr, "bench: %s\n", measure->note);
}

void measure_sleep_until(int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
        ;
}

double measure_cpu_us(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user, system;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    char *text = fgets(line, sizeof(line), file);
    fclose(file);
    /* The name may hold anything; what follows the last ')' does not. */
    text = text ? strrchr(line, ')') : NULL;
    if (!text || sscanf(text + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &system) != 2)
        return 0;
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static double quantile_us(const struct measure *measure, double quantile)
{
    if (!measure->n_latencies)
        return 0;
    return measure->latencies[(size_t)(quantile * (double)(measure->n_latencies - 1))] / 10.0;
}

void measure_print(struct measure *measure, double server_cpu_us)
{
    double n = (double)measure->n_latencies;
    double seconds = (double)(measure->end_ns - measure->start_ns) / 1e9;

    qsort(measure->latencies, measure->n_latencies, sizeof(*measure->latencies), compare);
    printf("{\"ops_s\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"errors\": %" PRIu64
           ", \"server_cpu_us_per_op\": %.2f, \"ops\": %zu, \"acked\": %" PRIu64 "}\n",
           n / seconds, quantile_us(measure, 0.50), quantile_us(measure, 0.99), measure->n_errors,
           n > 0 ? server_cpu_us / n : 0.0, measure->n_latencies, measure->n_acknowledged);
    fflush(stdout);
}
