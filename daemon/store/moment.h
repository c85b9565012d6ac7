/*
 * The moment that a reader sees. Beginning and ending a read transaction is
 * half of a point read, so a connection keeps its own open from one read to
 * the next, as long as nobody has committed meanwhile: no read is ever older
 * than the last commit before it, of this process or another.
 *
 * Knows SQLite's write-ahead log index, no reads and no pool.
 */
#ifndef HERO_STORE_MOMENT_H
#define HERO_STORE_MOMENT_H

#include "db.h"

/* A transaction that sees all that was committed before the call: the one
 * that is open, where it does. */
MUST_CHECK Code moment_begin(struct db *db, struct fault *fault);
/* Ends the transaction, if one is open: the log can be written back past it. */
void moment_end(struct db *db);

#endif
