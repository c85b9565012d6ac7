/* The server asks itself: a real connection, a real request, a real answer. */
#ifndef HERO_SERVER_PROBE_H
#define HERO_SERVER_PROBE_H

#include <stdatomic.h>
#include "server_address.h"

/* A new connection to the address, Admin/Check over it. The handshake and
 * frames are nng's wire format on a plain socket: what is asked is whether
 * the listener accepts, without a second nng endpoint in the process (making
 * endpoints while serving is a known race in nng 1.5.2). UNAVAILABLE; or
 * RESOURCE_EXHAUSTED when there is no descriptor left to ask with. *port is
 * set to the connection's own tcp port before it is made. */
MUST_CHECK Code server_probe_address(const struct server_address *address, uint32_t timeout_ms,
                                     atomic_uint *port, struct fault *fault);

#endif
