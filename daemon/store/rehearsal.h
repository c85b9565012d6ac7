/*
 * A rehearsal: the schema of the database without its rows, in memory, on
 * which a change is tried before it is done.
 *
 * What SQLite would refuse there (a name that is taken, a view or trigger
 * that would break) is known before a row is touched. Knows no models.
 */
#ifndef HERO_STORE_REHEARSAL_H
#define HERO_STORE_REHEARSAL_H

#include "db.h"

struct rehearsal {
    struct db db;
    bool was_broken; /* some view or trigger never worked: it can't tell of a change */
};

/* A copy of all that the schema of `db` holds now. What can't be made again
 * (a virtual table whose module is not here) is left out. */
MUST_CHECK Code rehearsal_open(struct rehearsal *rehearsal, struct db *db, struct fault *fault);
/* FAILED_PRECONDITION with SQLite's word where a view or trigger works no longer. */
MUST_CHECK Code rehearsal_check(struct rehearsal *rehearsal, struct fault *fault);
void rehearsal_close(struct rehearsal *rehearsal); /* one that never opened too, if zeroed */

#endif
