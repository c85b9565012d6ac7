/*
 * Results: what callers read of an answer.
 */
#include <stdlib.h>
#include <string.h>
#include "error.h"
#include "graph_struct.h"
#include "result.h"

void hero_result_free(hero_result *result)
{
    if (!result)
        return;
    bindings_unref(result->bindings);
    arena_done(&result->arena);
    free(result->text);
    free(result);
}

size_t hero_result_count(const hero_result *result)
{
    return result ? result->n_records : 0;
}

void *hero_result_record(const hero_result *result, size_t index)
{
    return result && index < result->n_records ? result->records[index] : NULL;
}

const char *hero_result_text(const hero_result *result)
{
    return result ? result->text : NULL;
}

const char *hero_result_next_page_token(const hero_result *result)
{
    return result ? result->next_page_token : NULL;
}

uint64_t hero_result_total(const hero_result *result, bool *ret_more)
{
    if (ret_more)
        *ret_more = result && result->total_capped;
    return result ? result->total : 0;
}

static const struct result_list *list_of(const hero_result *result, const void *record,
                                         const char *relationship)
{
    for (size_t i = 0; result && record && relationship && i < result->n_lists; i++)
        if (result->lists[i].record == record &&
            !strcmp(result->lists[i].relationship, relationship))
            return &result->lists[i];
    return NULL;
}

bool hero_result_related_total(const hero_result *result, const void *record,
                               const char *relationship, uint64_t *ret_total)
{
    const struct result_list *list = list_of(result, record, relationship);

    if (!list || !list->has_total)
        return false;
    *ret_total = list->total;
    return true;
}

const char *hero_result_related_etag(const hero_result *result, const void *record,
                                     const char *relationship)
{
    const struct result_list *list = list_of(result, record, relationship);

    return list ? list->etag : NULL;
}

const char *hero_result_related_page_token(const hero_result *result, const void *record,
                                           const char *relationship)
{
    const struct result_list *list = list_of(result, record, relationship);

    return list ? list->next_page_token : NULL;
}

uint64_t hero_result_group(const hero_result *result, size_t index)
{
    return result && result->groups && index < result->n_records ? result->groups[index] : 0;
}

bool hero_result_more_groups(const hero_result *result)
{
    return result && result->more_groups;
}

uint64_t hero_result_commit(const hero_result *result)
{
    return result && result->commit ? result->commit->commit : 0;
}

uint64_t hero_result_added(const hero_result *result)
{
    return result ? result->added : 0;
}

uint64_t hero_result_removed(const hero_result *result)
{
    return result ? result->removed : 0;
}

uint64_t hero_result_kept(const hero_result *result)
{
    return result ? result->kept : 0;
}

uint64_t hero_result_deleted(const hero_result *result)
{
    return result ? result->deleted : 0;
}

bool hero_result_created(const hero_result *result)
{
    return result && result->created;
}

bool hero_result_keys_only(const hero_result *result)
{
    return result && result->commit && result->commit->keys_only;
}

const char *hero_result_etag(const hero_result *result, size_t index)
{
    return result && result->etags && index < result->n_records ? result->etags[index] : NULL;
}

const char *hero_result_list_etag(const hero_result *result)
{
    return result ? result->list_etag : NULL;
}

const void *hero_result_bytes(const hero_result *result, size_t *ret_size)
{
    if (ret_size)
        *ret_size = result ? result->bytes.len : 0;
    return result ? result->bytes.data : NULL;
}

/* ---- what links hold ---- */

static Code unpack_link(hero_result *result, const ProtobufCMessage *record,
                        const ProtobufCFieldDescriptor *field, const void *related,
                        const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret_link,
                        struct fault *fault)
{
    const Hero__V1__Edge *edge = pointer_map_find(&result->links, record, field, related);
    const struct binding *binding;
    Code code;

    if (!edge)
        return fault_set(fault, HERO__V1__CODE__NOT_FOUND,
                         "%s.%s holds no link to that record with columns of its own",
                         record->descriptor->name, field->name);
    code = bindings_find(result->bindings, descriptor, &binding, fault);
    return code ? code
                : graph_struct_unpack(binding, edge->link.data, edge->link.len, &result->arena,
                                      ret_link, fault);
}

void *hero_result_link(hero_result *result, const void *record, const char *relationship,
                       const void *related, const ProtobufCMessageDescriptor *link,
                       hero_error *error)
{
    const ProtobufCMessage *from = record;
    struct fault fault = FAULT_INIT;
    ProtobufCMessage *unpacked = NULL;
    const ProtobufCFieldDescriptor *field =
        from && relationship
            ? protobuf_c_message_descriptor_get_field_by_name(from->descriptor, relationship)
            : NULL;

    if (!result || !result->bindings || !field)
        (void)fault_set(&fault, HERO__V1__CODE__INVALID_ARGUMENT,
                        "%s is no relationship of a record of this result",
                        relationship ? relationship : "NULL");
    else
        (void)unpack_link(result, from, field, related, link, &unpacked, &fault);
    (void)error_give(error, &fault, HERO_REFUSED);
    return unpacked;
}
