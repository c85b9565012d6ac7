/* On which CPU nng's threads run. */
#ifndef HERO_SERVER_AFFINITY_H
#define HERO_SERVER_AFFINITY_H

#include <sched.h>
#include <stdbool.h>

/* Moves the calling thread to the CPU that io_cpu (SERVER_IO_CPU_AUTO, _ANY or
 * a number) names: threads inherit it. false: it stays where it is; else leave
 * with what was before. */
bool server_affinity_enter(int io_cpu, cpu_set_t *ret_before);
void server_affinity_leave(const cpu_set_t *before);

#endif
