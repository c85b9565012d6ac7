/*
 * Results: what callers read of an answer.
 */
#include <stdlib.h>
#include "result.h"

void hero_result_free(hero_result *result)
{
    if (!result)
        return;
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
