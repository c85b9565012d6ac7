/*
 * The scan: untrusted bytes are walked before protobuf-c sees them.
 *
 * protobuf-c 1.4.1 recurses without a limit (10,000 levels in 34 kB overflow
 * the stack), takes text with NUL and broken UTF-8, and amplifies small
 * messages. The scan refuses all of it with the path to blame. It knows wire
 * format and descriptors, nothing of models or methods.
 */
#ifndef HERO_PROTO_SCAN_H
#define HERO_PROTO_SCAN_H

#include "arena.h"
#include "fault.h"

struct scan_limits {
    unsigned depth;      /* messages inside messages */
    size_t fields;       /* fields in all, packed elements included */
    bool refuse_unknown; /* fields the descriptor doesn't have */
};

/* For the messages of hero.v1, and for records of models. */
extern const struct scan_limits scan_limits_rpc;
extern const struct scan_limits scan_limits_record;
/* For descriptor sets, which nest message types. */
extern const struct scan_limits scan_limits_descriptor_set;

/* OK or INVALID_ARGUMENT; the violations' paths are field names of `descriptor`. */
MUST_CHECK Code scan_message(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                             size_t len, const struct scan_limits *limits, struct fault *fault);

/* Scan, then unpack into the arena: the one way untrusted bytes become a
 * message. RESOURCE_EXHAUSTED where the arena's budget does not hold it. */
MUST_CHECK Code scan_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                            size_t len, const struct scan_limits *limits, struct arena *arena,
                            ProtobufCMessage **ret_message, struct fault *fault);

/* The same for a message of any length: the elements of its repeated message
 * field `number` are scanned too but stay packed. scan_next takes them one by
 * one, so that they need the memory of one. */
MUST_CHECK Code scan_unpack_without(const ProtobufCMessageDescriptor *descriptor, uint32_t number,
                                    const uint8_t *bytes, size_t len,
                                    const struct scan_limits *limits, struct arena *arena,
                                    ProtobufCMessage **ret_message, struct fault *fault);

/* Bytes of a message that were scanned, and how far they were taken. */
struct scan_rest {
    const uint8_t *at, *end;
};
#define SCAN_REST(bytes, len)                                                                      \
    (struct scan_rest)                                                                             \
    {                                                                                              \
        (bytes), (len) ? (bytes) + (len) : (bytes)                                                 \
    }
/* The next element of a repeated message field; false: there are no more. */
bool scan_next(struct scan_rest *rest, uint32_t number, ProtobufCBinaryData *ret_element);

/* Is text valid UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL? */
bool scan_text_valid(const char *text, size_t len);

#endif
