/*
 * A client without a client library: nng's wire format (SP) on a plain
 * socket, whole or broken as the test likes, and hero.v1 frames in it. Fails
 * the test only where it says so.
 */
#ifndef HERO_TESTS_SP_H
#define HERO_TESTS_SP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hero/v1/rpc.pb-c.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "hero/v1/records.pb-c.h"

#define SP_TIMEOUT_MS 10000

struct sp {
    int fd; /* -1: closed */
    bool is_ipc;
    uint32_t next_id;
};

/* connect() only; the fd of sp is -1 where it failed. */
struct sp sp_connect(const char *url);
/* connect() and the handshake; fails the test where that fails. */
struct sp sp_dial(const char *url);
bool sp_shake_hands(struct sp *sp);
void sp_close(struct sp *sp);
/* As one write: what was taken; -1 where the peer is gone. */
long sp_write(struct sp *sp, const void *bytes, size_t len);
/* A whole frame: header, request id, bytes. `declared` instead of the true
 * length, if not 0. false: the peer is gone. */
bool sp_send(struct sp *sp, uint32_t id, const void *bytes, size_t len, uint64_t declared);
/* The next frame; malloc'd, past the request's id. NULL: the peer is gone, or
 * nothing came in time. */
uint8_t *sp_receive(struct sp *sp, uint32_t *ret_id, size_t *ret_len, int timeout_ms);
/* The peer closed it, within the time? */
bool sp_is_closed(struct sp *sp, int timeout_ms);

/* Sends a request without waiting. */
bool sp_send_request(struct sp *sp, const Hero__V1__Request *request, uint32_t *ret_id);
/* The next answer, whichever; NULL as sp_receive. Free it with
 * hero__v1__response__free_unpacked. */
Hero__V1__Response *sp_receive_answer(struct sp *sp, uint32_t *ret_id, int timeout_ms);
/* One request, its answer. */
Hero__V1__Response *sp_request(struct sp *sp, const Hero__V1__Request *request);
Hero__V1__Response *sp_call(struct sp *sp, const char *method, const ProtobufCMessage *input);
/* The method's input packed into a request; free request->payload.data. */
void sp_fill_request(Hero__V1__Request *request, const char *method, const ProtobufCMessage *input);
/* The answer's status; -1 for no answer at all. */
int sp_code(const Hero__V1__Response *response);
/* sp_call where only the status counts. */
int sp_call_code(struct sp *sp, const char *method, const ProtobufCMessage *input);
/* Applies a descriptor set; fails the test where that fails. */
void sp_apply(struct sp *sp, const uint8_t *set, size_t len);
/* A new connection, one Check: how long it took; fails the test where no answer comes. */
double sp_check_ms(const char *url);

#endif
