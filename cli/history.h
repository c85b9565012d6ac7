/*
 * heroctl models --history and --diff.
 */
#ifndef HERO_CLI_HISTORY_H
#define HERO_CLI_HISTORY_H

#include "context.h"

int history_print(struct context *context);
/* Operands: a version, and another or what is served now. */
int history_diff(struct context *context);

#endif
