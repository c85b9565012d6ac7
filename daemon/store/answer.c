/*
 * The answer of a commit, packed outcome by outcome while the mutations run,
 * so that a large one is never there as structs. Where it outgrows a message,
 * records are cut to their keys. Knows messages, not what was done.
 */
#include "frame.h"
#include "scan.h"
#include "write.h"

#define FIRST_BYTES 256
#define OUTCOMES 2 /* CommitResponse.outcomes */

static Code too_large(const struct commit *commit)
{
    return fault_set(commit->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the answer is larger than a message may be (%zu bytes), even with keys "
                     "only; commit less at once",
                     commit->store->options.message_bytes);
}

/* Parts of a message, one after the other, are the message. */
static Code append(struct commit *commit, const Hero__V1__CommitResponse *part)
{
    struct answer *answer = &commit->answer;
    size_t len = hero__v1__commit_response__get_packed_size(part);
    if (len > answer->size - answer->len) {
        size_t size = answer->size ? answer->size * 2 : FIRST_BYTES;
        while (size - answer->len < len)
            size *= 2;
        uint8_t *bytes = arena_grow(commit->write->arena, answer->bytes, answer->size, size);
        if (!bytes)
            return commit_no_memory(commit);
        answer->bytes = bytes;
        answer->size = size;
    }
    answer->len += hero__v1__commit_response__pack(part, answer->bytes + answer->len);
    return HERO__V1__CODE__OK;
}

Code answer_begin(struct commit *commit)
{
    const struct store_write *write = commit->write;
    Hero__V1__CommitResponse head = HERO__V1__COMMIT_RESPONSE__INIT;
    commit->answer = (struct answer){.keys_only = write->keys_only};
    head.has_commit = !write->validate_only;
    head.commit = write->number;
    head.has_keys_only = head.keys_only = write->keys_only;
    return append(commit, &head);
}

static Code cut_answer(struct commit *commit)
{
    struct answer *answer = &commit->answer;
    ProtobufCBinaryData whole = {answer->len, answer->bytes}, cut;
    Code code = answer_cut(commit->models, whole, commit->write->arena, &cut, commit->fault);
    if (code == HERO__V1__CODE__OK)
        *answer =
            (struct answer){.bytes = cut.data, .len = cut.len, .size = cut.len, .keys_only = true};
    return code;
}

Code answer_add(struct commit *commit, Hero__V1__Outcome *outcome)
{
    Hero__V1__CommitResponse part = HERO__V1__COMMIT_RESPONSE__INIT;
    size_t most = commit->store->options.message_bytes;
    part.outcomes = &outcome;
    part.n_outcomes = 1;
    Code code = append(commit, &part);
    if (code == HERO__V1__CODE__OK && commit->answer.len + FRAME_OVERHEAD_BYTES > most &&
        !commit->answer.keys_only)
        code = cut_answer(commit);
    if (code == HERO__V1__CODE__OK && commit->answer.len + FRAME_OVERHEAD_BYTES > most)
        code = too_large(commit);
    return code;
}

/* ---- cutting ---- */

static Code cut_record(const struct models *models, Hero__V1__Record *record, struct arena *arena)
{
    ProtobufCMessage *message;
    const struct model *model = models_find(models, record->model, NULL);
    if (!model || model_unpack(model, record->value.data, record->value.len, arena, &message,
                               NULL) != HERO__V1__CODE__OK)
        return HERO__V1__CODE__INTERNAL;
    record_hide_columns(model, message);
    record->value.len = protobuf_c_message_pack(message, record->value.data);
    return HERO__V1__CODE__OK;
}

static Code cut_outcome(const struct models *models, ProtobufCBinaryData packed,
                        struct arena *scratch, uint8_t *to, size_t *ret_len)
{
    Hero__V1__CommitResponse part = HERO__V1__COMMIT_RESPONSE__INIT;
    Hero__V1__Outcome *outcome =
        hero__v1__outcome__unpack(arena_allocator(scratch), packed.len, packed.data);
    if (!outcome)
        return HERO__V1__CODE__INTERNAL;
    for (size_t i = 0; i < outcome->n_records; i++)
        if (cut_record(models, outcome->records[i], scratch) != HERO__V1__CODE__OK)
            return HERO__V1__CODE__INTERNAL;
    part.outcomes = &outcome;
    part.n_outcomes = 1;
    *ret_len = hero__v1__commit_response__pack(&part, to);
    return HERO__V1__CODE__OK;
}

static Code cut_head(ProtobufCBinaryData whole, struct arena *scratch, uint8_t *to, size_t *ret_len,
                     bool *ret_is_cut)
{
    ProtobufCMessage *message;
    Code code = scan_unpack_without(&hero__v1__commit_response__descriptor, OUTCOMES, whole.data,
                                    whole.len, &scan_limits_rpc, scratch, &message, NULL);
    if (code != HERO__V1__CODE__OK)
        return code;
    Hero__V1__CommitResponse *head = (Hero__V1__CommitResponse *)message;
    *ret_is_cut = head->keys_only;
    head->has_keys_only = head->keys_only = 1;
    *ret_len = hero__v1__commit_response__pack(head, to);
    return HERO__V1__CODE__OK;
}

Code answer_cut(const struct models *models, ProtobufCBinaryData whole, struct arena *arena,
                ProtobufCBinaryData *ret_cut, struct fault *fault)
{
    struct scan_rest rest = SCAN_REST(whole.data, whole.len);
    struct arena scratch;
    ProtobufCBinaryData packed;
    size_t len = 0, part = 0;
    bool is_cut = false;
    uint8_t *cut = arena_reserve(arena, whole.len + 2); /* and keys_only */
    arena_init(&scratch, arena->budget);
    scratch.pool = arena->pool;
    Code code = cut ? cut_head(whole, &scratch, cut, &len, &is_cut) : HERO__V1__CODE__INTERNAL;
    while (code == HERO__V1__CODE__OK && !is_cut && scan_next(&rest, OUTCOMES, &packed)) {
        arena_reset(&scratch);
        code = cut_outcome(models, packed, &scratch, cut + len, &part);
        len += part;
    }
    arena_done(&scratch);
    if (code != HERO__V1__CODE__OK)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the commit's answer needs too much memory; commit less at once");
    *ret_cut = is_cut ? whole : (ProtobufCBinaryData){len, cut};
    return HERO__V1__CODE__OK;
}
