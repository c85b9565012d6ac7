/*
 * What every load program needs: a clock, random numbers, latencies, the CPU
 * time of another process, and the one line of JSON that a bench ends with.
 */
#ifndef HERO_BENCH_MEASURE_H
#define HERO_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MEASURE_WARM_UP_NS 300000000

struct measure {
    int64_t start_ns, end_ns; /* what is done between them counts */
    uint32_t *latencies;      /* in 100 ns */
    size_t n_latencies, max_latencies;
    uint64_t n_errors;
    uint64_t n_acknowledged; /* since the program started, warm-up included */
    char note[160];          /* the first error */
};

int64_t measure_now_ns(void);
/* Measures from the end of the warm-up, which begins now. */
void measure_init(struct measure *measure, double seconds);
void measure_done(struct measure *measure);
/* One operation that began at began_ns ended at ended_ns. */
void measure_add(struct measure *measure, int64_t began_ns, int64_t ended_ns);
void measure_fail(struct measure *measure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void measure_sleep_until(int64_t until_ns);
/* User and system time of a process, in microseconds (steps of 10 ms). */
double measure_cpu_us(pid_t pid);
void measure_print(struct measure *measure, double server_cpu_us);

/* splitmix64 */
static inline uint64_t measure_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

#endif
