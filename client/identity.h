/*
 * What makes a write happen once: the client's id, the seq of each write and
 * the lowest one that is not settled. Thread-safe; knows no transport.
 *
 * A write is open from the moment it has a seq until it is settled: answered,
 * or never sent. One that its caller gave up on with an unknown outcome stays
 * open, so that it can be repeated, until IDENTITY_KEEP later writes began.
 */
#ifndef HERO_CLIENT_IDENTITY_H
#define HERO_CLIENT_IDENTITY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define IDENTITY_BYTES 16
#define IDENTITY_KEEP 1024u

/* One write; embedded in its request. */
struct identity_write {
    struct identity_write *before, *after; /* open writes, by seq */
    uint64_t seq;                          /* 0: none yet */
    uint64_t epoch;                        /* of the id that the seq belongs to */
    bool open;
    bool abandoned; /* the list's own copy */
    uint8_t id[IDENTITY_BYTES];
};

struct identity {
    pthread_mutex_t lock;
    uint8_t id[IDENTITY_BYTES];
    bool fixed; /* the program's own id: never replaced */
    uint64_t epoch, next_seq;
    struct identity_write *first, *last;
};

/* id NULL: a new one. first_seq 0: 1. */
void identity_init(struct identity *identity, const uint8_t *id, uint64_t first_seq);
void identity_done(struct identity *identity);

/* Gives the write a seq (0: the next) unless it is open already. */
void identity_begin(struct identity *identity, struct identity_write *write, uint64_t seq);
/* The watermark to send with a write. */
uint64_t identity_lowest(struct identity *identity, const struct identity_write *write);
/* Answered, or certainly not sent. */
void identity_settle(struct identity *identity, struct identity_write *write);
/* Given up on: sent, no answer. The seq stays open for a while. */
void identity_abandon(struct identity *identity, struct identity_write *write);
/* The daemon doesn't know the id any more: the write gets a new id and seq.
 * false: the id is the program's own. */
bool identity_renew(struct identity *identity, struct identity_write *write);

#endif
