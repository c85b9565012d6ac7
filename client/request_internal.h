/*
 * Between request.c (what is sent, and when) and request_end.c (what came
 * back of one sending).
 */
#ifndef HERO_CLIENT_REQUEST_INTERNAL_H
#define HERO_CLIENT_REQUEST_INTERNAL_H

#include "request.h"

/* How a request ended, or that it has to be sent again. */
struct ending {
    bool again;
    hero_result *result;
    hero_outcome outcome;
    struct fault fault;
};

/* The frame, put into the slot's message. */
MUST_CHECK Code request_put_frame(hero_request *request, struct fault *fault);
/* What one sending ended with. To be sent again: its message is in place. */
void request_end(hero_request *request, enum transport_end end, struct transport_reply reply,
                 struct ending *ending);

#endif
