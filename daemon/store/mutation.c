/*
 * Mutations: which one it is, and who runs it.
 */
#include "write.h"

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
