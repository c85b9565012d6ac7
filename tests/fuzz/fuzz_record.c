/* Records of models that are known at run time: the first byte chooses the
 * model, the rest is a record of it. What is accepted packs again. */
#include <stdlib.h>
#include "fuzz.h"
#include "model.h"

static const uint8_t set[] = {
#include "library.desc.inc"
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct models *models;
    struct fault fault = FAULT_INIT;
    struct arena arena;
    ProtobufCMessage *record;

    if (!models && models_new(set, sizeof(set), &models, NULL) != HERO__V1__CODE__OK)
        abort();
    if (len == 0)
        return 0;
    const struct model *model = &models->models[bytes[0] % models->n_models];
    arena_init(&arena, 1024 * 1024);
    if (model_unpack(model, bytes + 1, len - 1, &arena, &record, &fault) == HERO__V1__CODE__OK) {
        size_t size = protobuf_c_message_get_packed_size(record);
        uint8_t *packed = malloc(size ? size : 1);
        if (!packed || protobuf_c_message_pack(record, packed) != size ||
            model_unpack(model, packed, size, &arena, &record, NULL) == HERO__V1__CODE__INTERNAL)
            abort();
        free(packed);
        if (model_check_key(model, record, false, &fault) == HERO__V1__CODE__OK)
            (void)model_key_text(model, record, &arena);
    }
    fault_done(&fault);
    arena_done(&arena);
    return 0;
}
