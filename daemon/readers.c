/* The reader threads. Own a queue and who takes from it; know nothing of what a call does. */
#include "readers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Reads do not recurse; 14 threads of 8 MiB would only fill the address space. */
#define STACK_BYTES (512 * 1024)

struct reader_pool {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct call *first, **last;
    bool stopping;
    void (*run)(struct call *call);
    unsigned n_threads;
    pthread_t threads[];
};

static void *reader_main(void *arg)
{
    struct reader_pool *pool = arg;

    pthread_setname_np(pthread_self(), "herod-reader");
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->stopping)
            pthread_cond_wait(&pool->ready, &pool->lock);
        struct call *call = pool->first;
        if (!call)
            break;
        pool->first = call->next;
        if (!pool->first)
            pool->last = &pool->first;
        pthread_mutex_unlock(&pool->lock);
        pool->run(call);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

Code readers_start(struct reader_pool **ret_pool, unsigned n_threads,
                   void (*run)(struct call *call), struct fault *fault)
{
    struct reader_pool *pool = calloc(1, sizeof(*pool) + n_threads * sizeof(pool->threads[0]));
    pthread_attr_t attr;
    int error = 0;

    if (!pool)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "out of memory");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->ready, NULL);
    pool->last = &pool->first;
    pool->run = run;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (pool->n_threads < n_threads && !error) {
        error = pthread_create(&pool->threads[pool->n_threads], &attr, reader_main, pool);
        if (!error)
            pool->n_threads++;
    }
    pthread_attr_destroy(&attr);
    if (error) {
        readers_stop(pool);
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "cannot start a reader thread: %s", strerror(error));
    }
    *ret_pool = pool;
    return HERO__V1__CODE__OK;
}

void readers_stop(struct reader_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->ready);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->ready);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void readers_clear(struct reader_pool *pool, void (*refuse)(struct call *call))
{
    pthread_mutex_lock(&pool->lock);
    struct call *call = pool->first;
    pool->first = NULL;
    pool->last = &pool->first;
    pthread_mutex_unlock(&pool->lock);
    while (call) {
        struct call *next = call->next; /* refuse frees the call */
        refuse(call);
        call = next;
    }
}

void readers_push(struct reader_pool *pool, struct call *call)
{
    call->next = NULL;
    pthread_mutex_lock(&pool->lock);
    *pool->last = call;
    pool->last = &call->next;
    pthread_cond_signal(&pool->ready);
    pthread_mutex_unlock(&pool->lock);
}
