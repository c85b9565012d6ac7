/*
 * What a call answers with. Everything is in its arena, save the JSON text.
 */
#ifndef HERO_CLIENT_RESULT_H
#define HERO_CLIENT_RESULT_H

#include "arena.h"
#include "binding.h"
#include "pointer_map.h"
#include "heroclient.h"
#include "hero/v1/records.pb-c.h"

/* What was told of a list of related records. */
struct result_list {
    const ProtobufCMessage *record;
    const char *relationship, *next_page_token, *etag;
    bool has_total;
    uint64_t total;
};

struct hero_result {
    struct arena arena;
    ProtobufCBinaryData bytes; /* the method's output, packed */
    ProtobufCMessage **records;
    size_t n_records;
    char *text; /* malloc */
    const char *next_page_token;
    const Hero__V1__CommitResponse *commit; /* of a write, else NULL */
    uint64_t added, removed, kept, deleted;
    bool created;
    const char *list_etag;
    const char **etags;        /* of the records; NULL: not asked for */
    struct bindings *bindings; /* a reference, of structs */
    struct pointer_map links;  /* (struct, field, related struct) -> edge with columns of a link */
    uint64_t total;
    bool total_capped;
    struct result_list *lists;
    size_t n_lists;
    uint64_t *groups; /* of the records; NULL: not of a count */
    bool more_groups;
};

#endif
