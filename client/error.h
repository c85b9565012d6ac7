/*
 * Faults (of proto) to errors (of the public header): the one place.
 */
#ifndef HERO_CLIENT_ERROR_H
#define HERO_CLIENT_ERROR_H

#include "fault.h"
#include "heroclient.h"

/* Moves the fault's content into the error (freeing what either held) and
 * returns its code. A fault that is OK makes HERO_ERROR_INIT; then the
 * outcome is not looked at. error may be NULL. */
hero_code error_give(hero_error *error, struct fault *fault, hero_outcome outcome);

#endif
