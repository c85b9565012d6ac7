/*
 * Frames as herod takes them from anybody: the Request, then its payload as
 * the input of the method that the frame's length chooses. Whatever was
 * taken packs again.
 */
#include <stdlib.h>
#include "fuzz.h"
#include "frame.h"
#include "scan.h"
#include "hero/v1/admin.pb-c.h"
#include "hero/v1/models.pb-c.h"
#include "hero/v1/records.pb-c.h"

static const ProtobufCMessageDescriptor *const inputs[] = {
    &hero__v1__create_request__descriptor, &hero__v1__commit_request__descriptor,
    &hero__v1__get_request__descriptor, &hero__v1__list_request__descriptor,
    &hero__v1__apply_models_request__descriptor};

static void pack_again(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size ? size : 1);

    if (!bytes || protobuf_c_message_pack(message, bytes) != size)
        abort();
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fault fault = FAULT_INIT;
    struct arena arena;
    Hero__V1__Request *request;
    ProtobufCMessage *input;

    arena_init(&arena, 4 * 1024 * 1024);
    if (frame_unpack_request(bytes, len, &arena, &request, &fault) == HERO__V1__CODE__OK) {
        pack_again(&request->base);
        if (scan_unpack(inputs[len % (sizeof(inputs) / sizeof(*inputs))], request->payload.data,
                        request->payload.len, &scan_limits_rpc, &arena, &input,
                        &fault) == HERO__V1__CODE__OK)
            pack_again(input);
    }
    fault_done(&fault);
    arena_done(&arena);
    return 0;
}
