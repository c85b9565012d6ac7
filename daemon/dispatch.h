/*
 * Dispatch: a frame becomes a call of a service's handler.
 *
 * Finds the method through the generated service descriptors, scans and
 * unpacks, sets the deadline, logs each call once when it is answered. Owns
 * the reader threads. Knows no nng and no SQL.
 */
#ifndef HERO_DISPATCH_H
#define HERO_DISPATCH_H

#include "call.h"
#include "daemon.h"

/* Starts the reader threads. */
MUST_CHECK Code dispatch_start(struct daemon *daemon, unsigned n_threads, struct fault *fault);
/* Reads that wait for a thread are told UNAVAILABLE: herod is stopping and
 * has no time for them. */
void dispatch_refuse_waiting(struct daemon *daemon);
/* Waits for running reads, ends the threads. */
void dispatch_stop(struct daemon *daemon);

/* Takes the frame's bytes (read during the call only) and answers `call`,
 * now or later, on this thread or another. `overloaded`: the cap of requests
 * is reached; only Admin is served, others are told RESOURCE_EXHAUSTED. */
void dispatch(struct daemon *daemon, struct call *call, const uint8_t *bytes, size_t len,
              bool overloaded);

/* All services, for dispatch and for tests that walk the methods. */
size_t dispatch_services(ProtobufCService *const **ret_services);

#endif
