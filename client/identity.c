/*
 * Which write is which: ids, seqs and the watermark. Open writes are a list
 * in the order of their seqs, so that the lowest is the first one; there are
 * never more of them than calls in flight and IDENTITY_KEEP given up on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "heroclient.h"
#include "identity.h"

/* RFC 9562: 48 bits of Unix milliseconds, then version, variant, random bits. */
void hero_client_id_new(uint8_t ret_id[16])
{
    struct timespec now;
    size_t filled = 0;
    uint64_t ms;

    while (filled < IDENTITY_BYTES) {
        ssize_t n = getrandom(ret_id + filled, IDENTITY_BYTES - filled, 0);

        if (n > 0)
            filled += (size_t)n;
        else if (n < 0 && errno != EINTR)
            break;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    /* Linux has had getrandom since 3.17; where a sandbox takes it away, what
     * tells two clients apart must still come from somewhere. */
    for (; filled < IDENTITY_BYTES; filled++)
        ret_id[filled] = (uint8_t)(((uint64_t)now.tv_nsec * 2654435761u +
                                    (uint64_t)getpid() * 40503u + (uintptr_t)ret_id) >>
                                   (filled % 4 * 8));
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 0; i < 6; i++)
        ret_id[i] = (uint8_t)(ms >> (40 - 8 * i));
    ret_id[6] = (uint8_t)((ret_id[6] & 0x0f) | 0x70);
    ret_id[8] = (uint8_t)((ret_id[8] & 0x3f) | 0x80);
}

void identity_init(struct identity *identity, const uint8_t *id, uint64_t first_seq)
{
    memset(identity, 0, sizeof(*identity));
    pthread_mutex_init(&identity->lock, NULL);
    if (id)
        memcpy(identity->id, id, IDENTITY_BYTES);
    else
        hero_client_id_new(identity->id);
    identity->fixed = id != NULL;
    identity->next_seq = first_seq ? first_seq : 1;
}

void identity_done(struct identity *identity)
{
    while (identity->first) {
        struct identity_write *write = identity->first;

        identity->first = write->after;
        if (write->abandoned)
            free(write);
    }
    pthread_mutex_destroy(&identity->lock);
}

/* ---- the list; under the lock ---- */

static void insert(struct identity *identity, struct identity_write *write)
{
    struct identity_write *before = identity->last;

    while (before && before->seq > write->seq)
        before = before->before;
    write->before = before;
    write->after = before ? before->after : identity->first;
    if (write->after)
        write->after->before = write;
    else
        identity->last = write;
    if (before)
        before->after = write;
    else
        identity->first = write;
    write->open = true;
}

static void take_out(struct identity *identity, struct identity_write *write)
{
    if (!write->open)
        return;
    if (write->before)
        write->before->after = write->after;
    else if (identity->first == write)
        identity->first = write->after;
    if (write->after)
        write->after->before = write->before;
    else if (identity->last == write)
        identity->last = write->before;
    write->before = write->after = NULL;
    write->open = false;
}

/* What was given up on so long ago that nobody will repeat it. */
static void forget_old(struct identity *identity)
{
    struct identity_write *write = identity->first, *after;

    for (; write && write->seq + IDENTITY_KEEP < identity->next_seq; write = after) {
        after = write->after;
        if (write->abandoned) {
            take_out(identity, write);
            free(write);
        }
    }
}

/* A repeat takes the place of the one that was given up on, and its client id
 * too: under an id that was made since, it would be another write. */
static void take_place(struct identity *identity, struct identity_write *repeat, uint64_t seq)
{
    struct identity_write *write = identity->first;

    while (write && write->seq < seq)
        write = write->after;
    for (struct identity_write *after; write && write->seq == seq; write = after) {
        after = write->after;
        if (write->abandoned) {
            repeat->epoch = write->epoch;
            memcpy(repeat->id, write->id, IDENTITY_BYTES);
            take_out(identity, write);
            free(write);
        }
    }
}

static void begin(struct identity *identity, struct identity_write *write, uint64_t seq)
{
    write->epoch = identity->epoch;
    memcpy(write->id, identity->id, IDENTITY_BYTES);
    if (seq)
        take_place(identity, write, seq);
    else
        seq = identity->next_seq;
    if (seq >= identity->next_seq)
        identity->next_seq = seq + 1;
    write->seq = seq;
    insert(identity, write);
    forget_old(identity);
}

/* ---- what requests call ---- */

void identity_begin(struct identity *identity, struct identity_write *write, uint64_t seq)
{
    pthread_mutex_lock(&identity->lock);
    if (!write->open)
        begin(identity, write, seq);
    pthread_mutex_unlock(&identity->lock);
}

uint64_t identity_lowest(struct identity *identity, const struct identity_write *write)
{
    uint64_t lowest = write->seq;

    pthread_mutex_lock(&identity->lock);
    if (write->epoch == identity->epoch && identity->first && identity->first->seq < lowest)
        lowest = identity->first->seq;
    pthread_mutex_unlock(&identity->lock);
    return lowest;
}

void identity_settle(struct identity *identity, struct identity_write *write)
{
    pthread_mutex_lock(&identity->lock);
    take_out(identity, write);
    pthread_mutex_unlock(&identity->lock);
}

void identity_abandon(struct identity *identity, struct identity_write *write)
{
    struct identity_write *copy = malloc(sizeof(*copy));

    pthread_mutex_lock(&identity->lock);
    take_out(identity, write);
    if (copy && write->epoch == identity->epoch) {
        *copy = *write;
        copy->abandoned = true;
        insert(identity, copy);
        copy = NULL;
    }
    pthread_mutex_unlock(&identity->lock);
    free(copy);
}

bool identity_renew(struct identity *identity, struct identity_write *write)
{
    bool renewed = false;

    pthread_mutex_lock(&identity->lock);
    if (!identity->fixed) {
        take_out(identity, write);
        /* The first of several that were refused makes the new id. Those of
         * the old one that are still open stay in the list by their seqs
         * until they end; they can only hold the watermark back, not push it. */
        if (write->epoch == identity->epoch) {
            hero_client_id_new(identity->id);
            identity->epoch++;
        }
        begin(identity, write, 0);
        renewed = true;
    }
    pthread_mutex_unlock(&identity->lock);
    return renewed;
}
