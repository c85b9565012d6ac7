/*
 * A fault: why a call failed, as status code, text and violations.
 *
 * Used by everything between a socket and SQLite, on both sides. A fault
 * belongs to one call and one thread at a time. It never fails itself: where
 * memory runs out it keeps the code and loses text.
 */
#ifndef HERO_PROTO_FAULT_H
#define HERO_PROTO_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include "hero/v1/rpc.pb-c.h"

/* One name for the status codes everywhere: the wire's. */
typedef Hero__V1__Code Code;

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(at, first) __attribute__((format(printf, at, first)))

/* More violations than these are counted in the message, not kept. */
#define FAULT_MAX_VIOLATIONS 64

struct fault_violation {
    char *path;        /* into the request; may be "" */
    char *description; /* what is wrong and what to do */
    char *constraint;  /* that refuses it; NULL: none */
    char *type;        /* of the value; NULL: it is none */
};

struct fault {
    Code code;
    char *message; /* NULL while code is OK */
    struct fault_violation *violations;
    size_t n_violations;
    size_t n_dropped;
};

#define FAULT_INIT                                                                                 \
    {                                                                                              \
        HERO__V1__CODE__OK, NULL, NULL, 0, 0                                                       \
    }

/* Sets code and message; what was set before is replaced, violations stay.
 * A NULL fault is allowed and only passes the code on. Returns code. */
Code fault_set(struct fault *fault, Code code, const char *format, ...) PRINTF(3, 4);

/* Adds a violation. Sets code to INVALID_ARGUMENT and the message to
 * "<path>: <description>" if no code was set before. Returns the code. */
Code fault_add(struct fault *fault, const char *path, const char *format, ...) PRINTF(3, 4);

/* Says more of the violation that was added last; each may be NULL. */
void fault_detail(struct fault *fault, const char *constraint, const char *type);

/* Adds another fault's violations, and its code and message where there are none yet; frees it. */
void fault_take(struct fault *fault, struct fault *other);

/* Puts `prefix` before every violation's path ("" and "name" become
 * "prefix" and "prefix.name"; a path that starts with '[' is appended as it is). */
void fault_prefix(struct fault *fault, const char *prefix);

/* Frees what the fault holds and makes it FAULT_INIT again. */
void fault_done(struct fault *fault);

/* "NOT_FOUND" for HERO__V1__CODE__NOT_FOUND; "UNKNOWN" for what is no code. */
const char *code_name(int code);

#endif
