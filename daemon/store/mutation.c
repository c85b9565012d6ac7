/*
 * Mutations: what each asks for; delete, link and unlink in terms of records
 * and links. Knows no SQL.
 */
#include <string.h>
#include "column.h"
#include "write.h"

/* ---- delete ---- */

static Code delete_run(struct commit *commit, const Hero__V1__DeleteRequest *request,
                       Hero__V1__Outcome *outcome)
{
    uint32_t removed = 0;
    if (request->n_targets == 0)
        return fault_add(commit->fault, "targets", "names no record to delete");
    for (size_t i = 0; i < request->n_targets; i++) {
        struct entity target;
        const char *path = commit_index(commit, "targets", i);
        Code code = commit_in_time(commit);
        if (code == HERO__V1__CODE__OK)
            code = commit_target(commit, request->targets[i], path, &target);
        if (code == HERO__V1__CODE__OK)
            code = link_clear(commit, &target, path, &removed);
        if (code == HERO__V1__CODE__OK)
            code = record_delete(commit, &target, path);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    outcome->has_deleted = 1;
    outcome->deleted = (uint32_t)request->n_targets;
    outcome->has_removed = removed > 0;
    outcome->removed = removed;
    return HERO__V1__CODE__OK;
}

/* ---- link and unlink ---- */

const struct relationship *commit_relationship(struct commit *commit, const struct model *model,
                                               const char *name)
{
    const struct relationship *relationship = name ? model_relationship(model, name) : NULL;
    if (!relationship)
        fault_add(commit->fault, "relationship", "%s has no relationship called %s", model->name,
                  name ? name : "(none given)");
    return relationship;
}

static Code link_one(struct commit *commit, const Hero__V1__LinkRequest *link, bool add,
                     const struct relationship *relationship, const struct entity *from, size_t i,
                     bool *ret_changed)
{
    struct entity to;
    const char *path = commit_index(commit, "related", i);
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = commit_target(commit, link->related[i], path, &to);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (to.model != relationship->target)
        return fault_add(commit->fault, path, "%s.%s relates to %s, not to %s", from->model->name,
                         relationship->name, relationship->target->name, to.model->name);
    return add ? link_add(commit, relationship, from, "target", &to, path, ret_changed)
               : link_remove(commit, relationship, from, "target", &to, path, ret_changed);
}

static bool blames(const struct fault *fault, const char *path)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (strcmp(fault->violations[i].path, path) == 0)
            return true;
    return false;
}

static Code link_run(struct commit *commit, const Hero__V1__LinkRequest *link, bool add,
                     Hero__V1__Outcome *outcome)
{
    struct entity from;
    uint32_t changed = 0;
    Code code = commit_target(commit, link->target, "target", &from);
    if (code != HERO__V1__CODE__OK)
        return code;
    const struct relationship *relationship =
        commit_relationship(commit, from.model, link->relationship);
    if (!relationship)
        return commit->fault->code;
    if (link->n_related == 0)
        return fault_add(commit->fault, "related", "names no record to %s",
                         add ? "link" : "unlink");
    for (size_t i = 0; i < link->n_related; i++) {
        bool one = false;
        code = link_one(commit, link, add, relationship, &from, i, &one);
        if (code == HERO__V1__CODE__NOT_FOUND && !blames(commit->fault, "target"))
            continue; /* nothing of it will stay: which others are missing, too? */
        if (code != HERO__V1__CODE__OK)
            return code;
        changed += one;
    }
    if (commit->fault->code != HERO__V1__CODE__OK)
        return commit->fault->code;
    *(add ? &outcome->has_added : &outcome->has_removed) = 1;
    *(add ? &outcome->added : &outcome->removed) = changed;
    outcome->has_kept = 1;
    outcome->kept = (uint32_t)link->n_related - changed;
    return HERO__V1__CODE__OK;
}

/* ---- all ---- */

size_t store_mutation_items(const Hero__V1__Mutation *mutation)
{
    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        if (!mutation->create->graph)
            return 1;
        return mutation->create->graph->n_records + mutation->create->graph->n_edges;
    case HERO__V1__MUTATION__OP_DELETE:
        return mutation->delete_->n_targets;
    case HERO__V1__MUTATION__OP_LINK:
        return mutation->link->n_related;
    case HERO__V1__MUTATION__OP_UNLINK:
        return mutation->unlink->n_related;
    case HERO__V1__MUTATION__OP_SET_LINKS:
        return mutation->set_links->n_related;
    case HERO__V1__MUTATION__OP_UPDATE:
    case HERO__V1__MUTATION__OP_UPSERT:
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        return 1;
    }
    return 1;
}

/* What a mutation asks for beside its work; inside a commit dry runs are the whole's to ask for. */
static Code take_flags(struct commit *commit, bool etags, bool validate_only)
{
    commit->etags = etags || commit->write->etags;
    if (validate_only && *commit->write->path_format != '\0')
        return fault_add(commit->fault, "validate_only",
                         "is asked of a commit, not of one of its mutations");
    return HERO__V1__CODE__OK;
}

static Code read_flags(struct commit *commit, const Hero__V1__Mutation *mutation)
{
    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        return take_flags(commit, mutation->create->etags, mutation->create->validate_only);
    case HERO__V1__MUTATION__OP_UPDATE:
        return take_flags(commit, mutation->update->etags, mutation->update->validate_only);
    case HERO__V1__MUTATION__OP_UPSERT:
        return take_flags(commit, mutation->upsert->etags, mutation->upsert->validate_only);
    case HERO__V1__MUTATION__OP_DELETE:
        return take_flags(commit, false, mutation->delete_->validate_only);
    case HERO__V1__MUTATION__OP_LINK:
        return take_flags(commit, false, mutation->link->validate_only);
    case HERO__V1__MUTATION__OP_UNLINK:
        return take_flags(commit, false, mutation->unlink->validate_only);
    case HERO__V1__MUTATION__OP_SET_LINKS:
        return take_flags(commit, false, mutation->set_links->validate_only);
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        break;
    }
    return HERO__V1__CODE__OK;
}

Code mutation_run(struct commit *commit, const Hero__V1__Mutation *mutation,
                  Hero__V1__Outcome *outcome)
{
    Code code = read_flags(commit, mutation);
    if (code != HERO__V1__CODE__OK)
        return code;
    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        return create_run(commit, mutation->create->graph, outcome);
    case HERO__V1__MUTATION__OP_UPDATE:
        return update_run(commit, mutation->update, outcome);
    case HERO__V1__MUTATION__OP_UPSERT:
        return upsert_run(commit, mutation->upsert, outcome);
    case HERO__V1__MUTATION__OP_DELETE:
        return delete_run(commit, mutation->delete_, outcome);
    case HERO__V1__MUTATION__OP_LINK:
        return link_run(commit, mutation->link, true, outcome);
    case HERO__V1__MUTATION__OP_UNLINK:
        return link_run(commit, mutation->unlink, false, outcome);
    case HERO__V1__MUTATION__OP_SET_LINKS:
        return set_links_run(commit, mutation->set_links, outcome);
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        break;
    }
    return fault_add(
        commit->fault, "",
        "holds none of create, update, upsert, delete, link, unlink and set_links that this "
        "herod knows");
}
