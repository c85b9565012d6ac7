/*
 * Members of a commit's JSON mutations: models, keys, and records that an
 * earlier mutation named.
 */
#include <string.h>
#include "base64.h"
#include "commit_json.h"

Code commit_json_no_memory(const struct commit *commit)
{
    return calls_no_memory(commit->request, commit->fault);
}

const json_t *commit_json_member_of(struct commit *commit, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!value)
        fault_add(commit->fault, commit->path.text, "has no \"%s\"", name);
    return value;
}

Code commit_json_check_members(struct commit *commit, const json_t *object,
                               const char *const *names)
{
    const char *member;
    json_t *item;

    if (!json_is_object(object))
        return json_expected(&commit->path, "object", object, commit->fault);
    json_object_foreach((json_t *)(uintptr_t)object, member, item)
    {
        size_t i = 0;

        while (names[i] && strcmp(names[i], member))
            i++;
        if (!names[i])
            return fault_add(commit->fault, commit->path.text, "has no member \"%.100s\"", member);
    }
    return HERO__V1__CODE__OK;
}

Code commit_json_model_of(struct commit *commit, const json_t *object,
                          const struct model **ret_model)
{
    const json_t *name = commit_json_member_of(commit, object, "model");
    size_t before = json_path_name(&commit->path, "model");
    Code code;

    if (!name)
        code = HERO__V1__CODE__INVALID_ARGUMENT;
    else if (!json_is_string(name))
        code = json_expected(&commit->path, "string", name, commit->fault);
    else
        code = calls_model(commit->request, json_string_value(name), ret_model, commit->fault);
    json_path_pop(&commit->path, before);
    return code;
}

const struct named *commit_json_find_name(const struct commit *commit, const char *name)
{
    for (const struct named *named = commit->names; named; named = named->next)
        if (!strcmp(named->name, name))
            return named;
    return NULL;
}

Code commit_json_target_of(struct commit *commit, const struct model *model, const json_t *value,
                           Hero__V1__Target **ret_target)
{
    const json_t *ref = json_object_get(value, "@ref");
    ProtobufCBinaryData key = {0, NULL};
    const struct named *named;
    Code code;

    if (!ref) {
        code = key_of_json(model, value, &commit->path, commit->arena, &key, commit->fault);
        if (code)
            return code;
        *ret_target = calls_target(commit->arena, model, key);
        return *ret_target ? HERO__V1__CODE__OK : commit_json_no_memory(commit);
    }
    named = json_is_string(ref) ? commit_json_find_name(commit, json_string_value(ref)) : NULL;
    if (!named || json_object_size(value) != 1)
        return fault_add(commit->fault, commit->path.text,
                         "@ref names no record that an earlier create of this commit called so "
                         "with \"as\"");
    if (named->model != model)
        return fault_add(commit->fault, commit->path.text, "%s is a %s, not a %s", named->name,
                         named->model->name, model->name);
    *ret_target = calls_target(commit->arena, model, key);
    if (!*ret_target)
        return commit_json_no_memory(commit);
    (*ret_target)->model = NULL;
    (*ret_target)->has_key = 0;
    (*ret_target)->has_ref = 1;
    (*ret_target)->ref = named->ref;
    return HERO__V1__CODE__OK;
}

Code commit_json_target_member(struct commit *commit, const struct model *model,
                               const json_t *object, const char *name,
                               Hero__V1__Target **ret_target)
{
    const json_t *value = commit_json_member_of(commit, object, name);
    size_t before;
    Code code;

    if (!value)
        return HERO__V1__CODE__INVALID_ARGUMENT;
    before = json_path_name(&commit->path, name);
    code = commit_json_target_of(commit, model, value, ret_target);
    json_path_pop(&commit->path, before);
    return code;
}

Code commit_json_etag(struct commit *commit, const json_t *value, Hero__V1__Target *target)
{
    const json_t *etag = json_object_get(value, "etag");

    if (!etag)
        return HERO__V1__CODE__OK;
    target->has_etag = 1;
    if (json_is_string(etag) && base64_decode(commit->arena, json_string_value(etag),
                                              json_string_length(etag), &target->etag))
        return HERO__V1__CODE__OK;
    return fault_add(commit->fault, commit->path.text, "\"etag\" is no etag that an answer told");
}
