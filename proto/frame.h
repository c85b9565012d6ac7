/*
 * Frames: Request and Response <-> bytes, with limits. What travels in one
 * nng message. Knows nothing of methods.
 */
#ifndef HERO_PROTO_FRAME_H
#define HERO_PROTO_FRAME_H

#include "hero/v1/rpc.pb-c.h"
#include "arena.h"
#include "fault.h"

/* Bytes of a frame: the default limit and the most an operator can set. */
#define FRAME_DEFAULT_BYTES (1024u * 1024u)
#define FRAME_MAX_BYTES (16u * 1024u * 1024u)
/* What an envelope adds to its payload at most (method, ids, status aside). */
#define FRAME_OVERHEAD_BYTES 512u

/* Scanned, then unpacked into the arena; `bytes` are no longer needed after. */
MUST_CHECK Code frame_unpack_request(const uint8_t *bytes, size_t len, struct arena *arena,
                                     Hero__V1__Request **ret_request, struct fault *fault);
MUST_CHECK Code frame_unpack_response(const uint8_t *bytes, size_t len, struct arena *arena,
                                      Hero__V1__Response **ret_response, struct fault *fault);

/* A Status of the fault, in the arena; NULL for OK. */
Hero__V1__Status *frame_status(const struct fault *fault, struct arena *arena);
/* The other way. */
void frame_fault(const Hero__V1__Status *status, struct fault *fault);

#endif
