/*
 * One request's answer: packed, logged and handed to the server, exactly
 * once. Owns the rule that every call is answered: where memory or limits do
 * not hold the answer that was meant, a smaller one goes out. Knows no nng
 * and no SQL.
 */
#include "call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "daemon.h"
#include "frame.h"

/* What a fault's own answer may take, whatever the call's arena has left. */
#define FAULT_ARENA_BYTES (256 * 1024)

/* What the call held but for its arena, which holds the answer still. */
static void release(struct call *call)
{
    models_unref(call->models);
    call->models = NULL;
    if (call->wants_echo)
        arena_done(&call->echo_arena);
    call->wants_echo = false;
}

static void send_bytes(struct call *call, const struct fault *fault, const uint8_t *bytes,
                       size_t len)
{
    assert(!call->answered);
    call->answered = true;
    if (call->log)
        call->log(call, fault, len);
    release(call);
    call->send(call, bytes, len);
}

static void set_models_version(struct call *call, Hero__V1__Response *response)
{
    if (!call->models)
        return;
    response->has_models_version = true;
    response->models_version = call->models->version;
}

/* The statements that the call cost, if the request asked for them; without
 * them where the arena or the frame doesn't hold them. */
static void add_echo(struct call *call, Hero__V1__Response *response, struct arena *arena)
{
    size_t n = 0, i = 0;

    if (!call->wants_echo || !call->request || !call->request->echo)
        return;
    for (struct echo_statement *at = call->echo.first; at; at = at->next)
        n++;
    Hero__V1__Statement **pointers = arena_array(arena, n, sizeof(*pointers));
    Hero__V1__Statement *statements = arena_array(arena, n, sizeof(*statements));
    if (!pointers || !statements)
        return;
    for (struct echo_statement *at = call->echo.first; at; at = at->next, i++) {
        hero__v1__statement__init(&statements[i]);
        statements[i].sql = (char *)(uintptr_t)at->sql;
        statements[i].has_time_us = true;
        statements[i].time_us = at->time_us;
        pointers[i] = &statements[i];
    }
    response->echo = pointers;
    response->n_echo = n;
    if (hero__v1__response__get_packed_size(response) > call->daemon->limits.message_bytes)
        response->n_echo = 0;
}

/* The last resort: a bare code, which cannot fail. */
static void send_code(struct call *call, const struct fault *fault)
{
    Hero__V1__Status status = HERO__V1__STATUS__INIT;
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT;
    uint8_t bytes[64];

    status.has_code = true;
    status.code = fault->code;
    response.status = &status;
    send_bytes(call, fault, bytes, hero__v1__response__pack(&response, bytes));
}

void call_fail(struct call *call, struct fault *given)
{
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT;
    /* A write's fault lives in the call, which is another's once it is answered. */
    struct fault mine = *given, *fault = &mine;
    struct arena arena;
    uint8_t *bytes = NULL;
    size_t len = 0;

    *given = (struct fault)FAULT_INIT;
    if (fault->code == HERO__V1__CODE__OK)
        fault_set(fault, HERO__V1__CODE__INTERNAL, "a failure without a reason");
    /* of its own: the call's may be what ran out */
    arena_init(&arena, FAULT_ARENA_BYTES);
    response.status = frame_status(fault, &arena);
    set_models_version(call, &response);
    add_echo(call, &response, &arena);
    if (response.status) {
        len = hero__v1__response__get_packed_size(&response);
        if (len <= call->daemon->limits.message_bytes)
            bytes = arena_alloc(&arena, len);
    }
    if (bytes)
        send_bytes(call, fault, bytes, hero__v1__response__pack(&response, bytes));
    else
        send_code(call, fault);
    arena_done(&arena);
    fault_done(fault);
}

static void fail_large(struct call *call, size_t len)
{
    struct fault fault = FAULT_INIT;

    if (len > call->daemon->limits.message_bytes)
        fault_set(&fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                  "the answer takes %zu bytes, the limit is %zu: ask for fewer records", len,
                  call->daemon->limits.message_bytes);
    else
        fault_set(&fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                  "the answer does not fit the memory of one request: ask for fewer records");
    call_fail(call, &fault);
}

void call_reply_packed(struct call *call, const uint8_t *payload, size_t len)
{
    Hero__V1__Response response = HERO__V1__RESPONSE__INIT;

    response.has_payload = true;
    response.payload.data = (uint8_t *)(uintptr_t)payload;
    response.payload.len = len;
    set_models_version(call, &response);
    add_echo(call, &response, &call->arena);
    size_t size = hero__v1__response__get_packed_size(&response);
    if (size > call->daemon->limits.message_bytes) {
        fail_large(call, size);
        return;
    }
    /* What is answered here may be committed already: with the call's memory
     * used up it is the process's; without any, an answer is not made up. */
    uint8_t *bytes = arena_alloc(&call->arena, size), *own = NULL;
    if (!bytes)
        bytes = own = malloc(size);
    if (bytes)
        size = hero__v1__response__pack(&response, bytes);
    send_bytes(call, NULL, bytes, size);
    free(own);
}

void call_reply(const ProtobufCMessage *message, void *closure_data)
{
    struct call *call = closure_data;
    size_t size = protobuf_c_message_get_packed_size(message);

    if (size > call->daemon->limits.message_bytes) {
        fail_large(call, size);
        return;
    }
    uint8_t *payload = arena_alloc(&call->arena, size ? size : 1);
    if (!payload) {
        fail_large(call, size);
        return;
    }
    call_reply_packed(call, payload, protobuf_c_message_pack(message, payload));
}
