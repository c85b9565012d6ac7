/*
 * What the files of calls share: lists in text, keys, tokens.
 */
#ifndef HERO_CLIENT_CALLS_H
#define HERO_CLIENT_CALLS_H

#include "hero/v1/records.pb-c.h"
#include "request.h"

/* "a,b.c, d" -> its parts, without spaces around them and without empty
 * ones; in the arena. NULL text: none. */
MUST_CHECK Code calls_split(struct arena *arena, const char *text, char ***ret_parts,
                            size_t *ret_n_parts, struct fault *fault);
/* Fills what a list asks for, but for the model. list may be NULL. */
MUST_CHECK Code calls_list(struct arena *arena, const hero_list *list, Hero__V1__ListRequest *input,
                           struct fault *fault);
MUST_CHECK Code calls_list_related(struct arena *arena, const hero_list *list,
                                   Hero__V1__ListRelatedRequest *input, struct fault *fault);
/* What pages of all kinds are told with. */
struct calls_told {
    bool has_next;
    ProtobufCBinaryData next;
    uint64_t total;
    bool total_capped;
};
#define CALLS_TOLD(response)                                                                       \
    {                                                                                              \
        (response)->has_next_page_token, (response)->next_page_token, (response)->total,           \
            (response)->total_capped                                                               \
    }
MUST_CHECK Code calls_told(hero_result *result, const struct calls_told *told, struct fault *fault);
/* Puts the token of the next page into the result; has is false on the last. */
MUST_CHECK Code calls_next_page(hero_result *result, bool has, ProtobufCBinaryData token,
                                struct fault *fault);
/* The i-th record of the result has this etag; none: as none was asked for. */
MUST_CHECK Code calls_etag(hero_result *result, size_t i, const Hero__V1__Record *record,
                           struct fault *fault);
/* What SetLinks told of the list: of the first outcome. */
MUST_CHECK Code calls_list_etag(hero_result *result, struct fault *fault);
MUST_CHECK Code calls_no_memory(const hero_request *request, struct fault *fault);

/* Fills how an upsert finds its record and what it does then. how may be NULL. */
MUST_CHECK Code calls_upsert(struct arena *arena, const hero_upsert *how,
                             Hero__V1__UpsertRequest *input, struct fault *fault);

/* The daemon's model of a struct, and request->how for the answer. */
struct binding;
MUST_CHECK Code calls_bind(hero_request *request, const ProtobufCMessageDescriptor *descriptor,
                           const struct binding **ret_binding, struct fault *fault);
/* Names of fields and paths, with or without a - before them, as the daemon's
 * models have them now. */
MUST_CHECK Code calls_served_words(hero_request *request, const struct binding *binding,
                                   char **names, size_t n_names, struct fault *fault);
/* Structs of the roots and of what belongs to them, etags, what is told of lists. */
MUST_CHECK Code calls_read_graph(hero_request *request, hero_result *result,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 const Hero__V1__Graph *graph, const uint32_t *roots,
                                 size_t n_roots, struct fault *fault);

/* A target by model and packed key; in the arena. NULL: no memory. */
Hero__V1__Target *calls_target(struct arena *arena, const struct model *model,
                               ProtobufCBinaryData key);
/* Packs key i of the caller's, whatever they are. */
typedef Code calls_pack_key(const struct model *model, const void *keys, size_t i, const char *path,
                            struct arena *arena, ProtobufCBinaryData *ret_key, struct fault *fault);
/* Targets of a list of keys; violations at name[i]. */
MUST_CHECK Code calls_targets(hero_request *request, const struct model *model, const void *keys,
                              size_t n_keys, calls_pack_key *pack, const char *name,
                              Hero__V1__Target ***ret_targets, struct fault *fault);
/* By its name; the violation lists those there are. */
MUST_CHECK Code calls_relationship(const struct model *model, const char *name,
                                   const struct relationship **ret_relationship,
                                   struct fault *fault);

#endif
