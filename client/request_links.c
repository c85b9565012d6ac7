/*
 * What links hold, told to a prepared link request: columns of the link model,
 * as its structs or as JSON.
 */
#include <string.h>
#include "binding.h"
#include "error.h"
#include "graph_json.h"
#include "graph_struct.h"
#include "request.h"

static Code no_memory(struct fault *fault)
{
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for what links hold");
}

/* The input of a Link or SetLinks, whichever it is. */
struct linking {
    ProtobufCMessage *input;
    const Hero__V1__Target *target;
    const char *name;
    const struct relationship *relationship;
    size_t n_related, *n_links;
    ProtobufCBinaryData **links;
};

static void read_link(hero_request *request, struct linking *linking)
{
    Hero__V1__LinkRequest *input = hero__v1__link_request__unpack(
        arena_allocator(&request->arena), request->payload.len, request->payload.data);

    if (input)
        *linking = (struct linking){.input = &input->base,
                                    .target = input->target,
                                    .name = input->relationship,
                                    .n_related = input->n_related,
                                    .n_links = &input->n_links,
                                    .links = &input->links};
}

static void read_set_links(hero_request *request, struct linking *linking)
{
    Hero__V1__SetLinksRequest *input = hero__v1__set_links_request__unpack(
        arena_allocator(&request->arena), request->payload.len, request->payload.data);

    if (input)
        *linking = (struct linking){.input = &input->base,
                                    .target = input->target,
                                    .name = input->relationship,
                                    .n_related = input->n_related,
                                    .n_links = &input->n_links,
                                    .links = &input->links};
}

static Code read_request(hero_request *request, struct linking *linking, struct fault *fault)
{
    const struct model *model = NULL;

    *linking = (struct linking){.input = NULL};
    if (request->method && !strcmp(request->method, "hero.v1.Records/Link"))
        read_link(request, linking);
    else if (request->method && !strcmp(request->method, "hero.v1.Records/SetLinks"))
        read_set_links(request, linking);
    else
        return fault_add(fault, "links", "go with a request that links");
    if (linking->target && request->bindings)
        model = models_find(bindings_models(request->bindings), linking->target->model, NULL);
    linking->relationship = model ? model_relationship(model, linking->name) : NULL;
    if (!linking->relationship)
        return no_memory(fault);
    if (!linking->relationship->link)
        return fault_add(fault, "links", "%s.%s goes by a foreign key: its links hold nothing",
                         model->name, linking->name);
    return HERO__V1__CODE__OK;
}

/* ---- structs ---- */

/* Its ends are the linked records, whatever the struct says. */
static Code pack_link(hero_request *request, const struct relationship *relationship,
                      const ProtobufCMessage *link, ProtobufCBinaryData *ret_bytes,
                      struct fault *fault)
{
    const struct binding *binding;
    ProtobufCMessage *copy;
    Code code = bindings_find(request->bindings, link->descriptor, &binding, fault);

    if (code)
        return code;
    if (binding->model != relationship->link)
        return fault_add(fault, "links", "are structs of %s, not of the link model %s",
                         binding->model->name, relationship->link->name);
    copy = arena_copy(&request->arena, link, link->descriptor->sizeof_message);
    if (!copy)
        return no_memory(fault);
    for (unsigned i = 0; i < binding->key->n_fields; i++)
        field_set_present(copy, &binding->key->fields[i], false);
    return graph_struct_pack(binding, copy, false, &request->arena, ret_bytes, fault);
}

static Code set_structs(hero_request *request, const void *const *links, size_t n_links,
                        struct fault *fault)
{
    struct linking linking;
    Code code = read_request(request, &linking, fault);

    if (code)
        return code;
    if (n_links != linking.n_related)
        return fault_add(fault, "links", "are %zu for %zu related records", n_links,
                         linking.n_related);
    *linking.links = arena_array(&request->arena, n_links + 1, sizeof(**linking.links));
    *linking.n_links = n_links;
    if (!*linking.links)
        return no_memory(fault);
    for (size_t i = 0; !code && i < n_links; i++) {
        const ProtobufCMessage *link = links ? links[i] : NULL;

        if (link && link->descriptor &&
            link->descriptor->magic == PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
            code = pack_link(request, linking.relationship, link, &(*linking.links)[i], fault);
        else
            code = fault_add(fault, "links", "hold something that is no initialised struct");
    }
    return code ? code : request_pack(request, linking.input, fault);
}

hero_code hero_request_set_link_columns(hero_request *request, const void *const *links,
                                        size_t n_links, hero_error *error)
{
    struct fault fault = FAULT_INIT;

    if (!request)
        return error && error->code != HERO_OK ? error->code : HERO_INVALID_ARGUMENT;
    (void)set_structs(request, links, n_links, &fault);
    return error_give(error, &fault, HERO_NOT_SENT);
}

/* ---- JSON ---- */

/* An object for all of them, or an array with one for each. */
Code request_read_links(const struct relationship *relationship, const json_t *links,
                        size_t n_related, struct json_path *path, struct arena *arena,
                        ProtobufCBinaryData **ret_links, struct fault *fault)
{
    ProtobufCBinaryData *packed = arena_array(arena, n_related + 1, sizeof(*packed));
    bool each = json_is_array(links);
    Code code = HERO__V1__CODE__OK;

    if (!packed)
        return no_memory(fault);
    if (!relationship->link)
        return fault_add(fault, path->text, "%s.%s goes by a foreign key: its links hold nothing",
                         relationship->model->name, relationship->name);
    if (each && json_array_size(links) != n_related)
        return fault_add(fault, path->text, "are %zu for %zu related records",
                         json_array_size(links), n_related);
    for (size_t i = 0; !code && i < n_related; i++) {
        size_t before = each ? json_path_index(path, i) : path->len, n_mask;
        char **mask;

        code = graph_json_read_columns(relationship->link, each ? json_array_get(links, i) : links,
                                       path, arena, &packed[i], &mask, &n_mask, fault);
        if (each)
            json_path_pop(path, before);
    }
    *ret_links = packed;
    return code;
}

static Code set_json(hero_request *request, const char *text, struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    struct linking linking;
    json_t *links = NULL;
    Code code = read_request(request, &linking, fault);

    if (!code && !text)
        code = fault_add(fault, "links", "is NULL; give a JSON object or an array of them");
    if (!code)
        code = json_parse(text, &links, fault);
    (void)json_path_name(&path, "links");
    if (!code)
        code = request_read_links(linking.relationship, links, linking.n_related, &path,
                                  &request->arena, linking.links, fault);
    json_decref(links);
    if (code)
        return code;
    *linking.n_links = linking.n_related;
    return request_pack(request, linking.input, fault);
}

hero_code hero_request_set_link_columns_json(hero_request *request, const char *links,
                                             hero_error *error)
{
    struct fault fault = FAULT_INIT;

    if (!request)
        return error && error->code != HERO_OK ? error->code : HERO_INVALID_ARGUMENT;
    (void)set_json(request, links, &fault);
    return error_give(error, &fault, HERO_NOT_SENT);
}
