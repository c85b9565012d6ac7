/* Link, unlink and set_links of a commit's JSON. */
#include "commit_json.h"

/* "to": one key or an array of them; for several key columns always an array. */
static Code read_related(struct commit *commit, const struct model *model, const json_t *value,
                         Hero__V1__LinkRequest *link)
{
    size_t n = json_array_size(value);

    if (!json_is_array(value))
        return json_expected(&commit->path, "array", value, commit->fault);
    link->related = arena_array(commit->arena, n + 1, sizeof(*link->related));
    if (!link->related)
        return commit_json_no_memory(commit);
    for (; link->n_related < n; link->n_related++) {
        size_t before = json_path_index(&commit->path, link->n_related);
        Code code = commit_json_target_of(commit, model, json_array_get(value, link->n_related),
                                          &link->related[link->n_related]);

        json_path_pop(&commit->path, before);
        if (code)
            return code;
    }
    return HERO__V1__CODE__OK;
}

/* "links": what they hold, an object for all of them or an array. */
static Code read_links(struct commit *commit, const struct relationship *relationship,
                       const json_t *links, Hero__V1__LinkRequest *link)
{
    size_t before;
    Code code;

    if (!links)
        return HERO__V1__CODE__OK;
    before = json_path_name(&commit->path, "links");
    code = request_read_links(relationship, links, link->n_related, &commit->path, commit->arena,
                              &link->links, commit->fault);
    json_path_pop(&commit->path, before);
    link->n_links = link->n_related;
    return code;
}

static Code read_link_members(struct commit *commit, const json_t *value,
                              Hero__V1__LinkRequest *link)
{
    const struct relationship *relationship;
    const struct model *model;
    const json_t *to;
    size_t before;
    Code code = commit_json_model_of(commit, value, &model);

    if (!code)
        code = commit_json_target_member(commit, model, value, "key", &link->target);
    if (!code)
        code = calls_relationship(model, json_string_value(json_object_get(value, "relationship")),
                                  &relationship, commit->fault);
    to = code ? NULL : commit_json_member_of(commit, value, "to");
    if (!to)
        return code ? code : HERO__V1__CODE__INVALID_ARGUMENT;
    link->relationship = (char *)(uintptr_t)relationship->name;
    before = json_path_name(&commit->path, "to");
    code = read_related(commit, relationship->target, to, link);
    json_path_pop(&commit->path, before);
    return code ? code : read_links(commit, relationship, json_object_get(value, "links"), link);
}

static Code read_link(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "key", "relationship", "to", "links", NULL};
    Hero__V1__LinkRequest *link = arena_alloc(commit->arena, sizeof(*link));
    Code code = commit_json_check_members(commit, value, members);

    if (!code && !link)
        code = commit_json_no_memory(commit);
    if (code)
        return code;
    hero__v1__link_request__init(link);
    mutation->link = link;
    return read_link_members(commit, value, link);
}

Code commit_json_link(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    mutation->op_case = HERO__V1__MUTATION__OP_LINK;
    return read_link(commit, value, mutation);
}

Code commit_json_unlink(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    mutation->op_case = HERO__V1__MUTATION__OP_UNLINK;
    return read_link(commit, value, mutation);
}

Code commit_json_set_links(struct commit *commit, const json_t *value, Hero__V1__Mutation *mutation)
{
    static const char *const members[] = {"model", "key", "relationship", "to", "links",
                                          "etag",  NULL};
    Hero__V1__SetLinksRequest *set = arena_alloc(commit->arena, sizeof(*set));
    Hero__V1__LinkRequest link = HERO__V1__LINK_REQUEST__INIT;
    Hero__V1__Target etag = HERO__V1__TARGET__INIT;
    Code code = commit_json_check_members(commit, value, members);

    if (!code && !set)
        code = commit_json_no_memory(commit);
    if (!code)
        code = read_link_members(commit, value, &link);
    if (!code)
        code = commit_json_etag(commit, value, &etag);
    if (code)
        return code;
    hero__v1__set_links_request__init(set);
    set->target = link.target;
    set->relationship = link.relationship;
    set->related = link.related;
    set->n_related = link.n_related;
    set->links = link.links;
    set->n_links = link.n_links;
    set->has_etag = etag.has_etag;
    set->etag = etag.etag;
    mutation->op_case = HERO__V1__MUTATION__OP_SET_LINKS;
    mutation->set_links = set;
    return HERO__V1__CODE__OK;
}
