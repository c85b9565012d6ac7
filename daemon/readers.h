/*
 * The reader threads: reads that may take their time run here, off the
 * transport's threads. A bounded crew and a queue; the queue needs no bound
 * of its own, for it holds calls, and those are counted by the server.
 */
#ifndef HERO_READERS_H
#define HERO_READERS_H

#include "call.h"

struct reader_pool;

MUST_CHECK Code readers_start(struct reader_pool **ret_pool, unsigned n_threads,
                              void (*run)(struct call *call), struct fault *fault);
/* Takes what is queued away from the threads and hands each call to `refuse`. */
void readers_clear(struct reader_pool *pool, void (*refuse)(struct call *call));
/* Runs what is queued, then ends and frees the threads. NULL allowed. */
void readers_stop(struct reader_pool *pool);
void readers_push(struct reader_pool *pool, struct call *call);

#endif
