/*
 * Programs that heroctl runs: protoc, herod --infer. What they say goes into
 * files, not pipes: nothing can block.
 */
#ifndef HERO_CLI_PROCESS_H
#define HERO_CLI_PROCESS_H

#include "context.h"

/* Runs words[0] (looked for in PATH unless it holds a slash) to its end, with
 * nothing to read and its output and complaints going to two descriptors.
 * 0, or errno of what kept it from running. */
int process_run(char *const *words, int output, int complaints, int *ret_status);
/* The whole of a file, with a terminator behind it; `name` is for people. 0,
 * or the exit code after the failure was told. */
int process_read(const struct context *context, int fd, const char *name, char **ret_bytes,
                 size_t *ret_size);

#endif
