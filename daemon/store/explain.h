/*
 * Which indexes a statement would use if they were there: tried on an empty
 * copy of the tables.
 */
#ifndef HERO_STORE_EXPLAIN_H
#define HERO_STORE_EXPLAIN_H

#include "read.h"

#define EXPLAIN_MAX_COLUMNS 8

/* An index that might help. */
struct explain_candidate {
    const struct model *model;
    const struct column *columns[EXPLAIN_MAX_COLUMNS];
    size_t n;
    struct explain_candidate *next;
};

struct explain_trial; /* the copy */

/* NULL: told. */
struct explain_trial *explain_trial_new(struct reading *reading);
void explain_trial_free(struct explain_trial *trial);
/* Is the line of a plan a scan or a sort? */
bool explain_lacks(const char *detail);
/* Would the statement use the index, and scan or sort less? */
bool explain_trial_helps(struct explain_trial *trial, const char *sql,
                         const struct explain_candidate *candidate);

#endif
