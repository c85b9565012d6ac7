/*
 * Link and unlink: the request, one pair after the other, and what an unlinked
 * record's relationships say of orphans. Knows no SQL.
 */
#include "relate.h"
#include <string.h>

Code relate_changed(struct commit *commit, const struct entity *entity,
                    struct related_counts *counts)
{
    if (counts->n_changed == counts->max_changed) {
        size_t most = counts->max_changed ? counts->max_changed * 2 : 4;
        Hero__V1__Record **grown = arena_array(commit->arena, most, sizeof(*grown));
        if (!grown)
            return commit_no_memory(commit);
        if (counts->n_changed)
            memcpy(grown, counts->changed, counts->n_changed * sizeof(*grown));
        counts->changed = grown;
        counts->max_changed = most;
    }
    Code code =
        record_pack(commit, entity->model, entity->record, 0, &counts->changed[counts->n_changed]);
    counts->n_changed += code == HERO__V1__CODE__OK;
    return code;
}

Code relate_blame(struct commit *commit, struct fault *part, const char *path)
{
    struct fault *whole = commit->fault;
    Code code = part->code;
    fault_prefix(part, path);
    if (part->n_violations == 0)
        fault_add(part, path, "%s", part->message ? part->message : "can't be read");
    if (whole->code == HERO__V1__CODE__OK) {
        fault_done(whole);
        *whole = *part;
        *part = (struct fault)FAULT_INIT;
        return code;
    }
    for (size_t i = 0; i < part->n_violations; i++)
        fault_add(whole, part->violations[i].path, "%s", part->violations[i].description);
    fault_done(part);
    return code;
}

/* ---- ends ---- */

static Code check_end(struct commit *commit, const struct entity *end, const char *path)
{
    ProtobufCMessage *record;
    bool found = false;
    Code code = record_fetch(commit, end->model, end->record, &record, &found, path);
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, end->model, end->record, path);
    return code;
}

Code relate_check_ends(struct commit *commit, const struct pair *pair)
{
    Code code = check_end(commit, pair->from, pair->from_path);
    Code other = check_end(commit, pair->to, pair->to_path);
    return code != HERO__V1__CODE__OK ? code : other;
}

Code relate_columns(struct commit *commit, const struct relationship *relationship,
                    const ProtobufCBinaryData *bytes, const char *path,
                    ProtobufCMessage **ret_columns)
{
    const struct model *link = relationship->link;
    struct fault found = FAULT_INIT;
    *ret_columns = NULL;
    if (!link)
        return fault_add(commit->fault, path,
                         "%s.%s goes by a foreign key: there is no link model to have columns",
                         relationship->model->name, relationship->name);
    Code code = model_unpack(link, bytes->data, bytes->len, commit->arena, ret_columns, &found);
    if (code != HERO__V1__CODE__OK)
        return relate_blame(commit, &found, path);
    for (size_t i = 0; i < link->n_columns; i++) {
        const struct column *column = &link->columns[i];
        if ((foreign_key_has(relationship->from, column) ||
             foreign_key_has(relationship->to, column)) &&
            record_has(column, *ret_columns))
            code = fault_add(commit->fault, commit_path(commit, path, column->field_name),
                             "is an end of the link, which the linked records say; leave it out");
    }
    return code;
}

/* ---- orphans ---- */

static bool deletes_orphans(const struct relationship *relationship)
{
    return relationship && relationship->on_delete == HERO__ON_PARENT_DELETE__DELETE_ORPHAN;
}

static Code remove_link(struct commit *commit, const struct pair *pair,
                        struct related_counts *counts)
{
    const struct relationship *relationship = pair->relationship;
    bool removed = false;
    Code code = link_remove(commit, pair, &removed);
    if (code != HERO__V1__CODE__OK || !removed) {
        counts->kept++;
        return code;
    }
    counts->removed++;
    if (deletes_orphans(relationship))
        code = delete_orphan(commit, pair->to, pair->to_path, counts);
    if (code == HERO__V1__CODE__OK && deletes_orphans(relationship->back_populates))
        code = delete_orphan(commit, pair->from, pair->from_path, counts);
    return code;
}

/* ---- one pair ---- */

static Code check_target(struct commit *commit, const struct pair *pair)
{
    const struct relationship *relationship = pair->relationship;
    if (pair->to->model == relationship->target)
        return HERO__V1__CODE__OK;
    return fault_add(commit->fault, pair->to_path, "%s.%s relates to %s, not to %s",
                     relationship->model->name, relationship->name, relationship->target->name,
                     pair->to->model->name);
}

Code relate_add(struct commit *commit, const struct pair *pair, struct related_counts *counts)
{
    bool added = false;
    Code code = check_target(commit, pair);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (pair->relationship->kind != RELATIONSHIP_MANY_TO_MANY)
        return reference_set(commit, pair, counts);
    code = link_add(commit, pair, &added);
    counts->added += added;
    counts->kept += !added;
    return code;
}

Code relate_remove(struct commit *commit, const struct pair *pair, struct related_counts *counts)
{
    Code code = check_target(commit, pair);
    if (code != HERO__V1__CODE__OK)
        return code;
    return pair->relationship->kind == RELATIONSHIP_MANY_TO_MANY
               ? remove_link(commit, pair, counts)
               : reference_clear(commit, pair, counts);
}

/* ---- the request ---- */

struct linking {
    struct commit *commit;
    const Hero__V1__LinkRequest *request;
    bool add;
    const struct relationship *relationship;
    struct entity from;
    struct related_counts counts;
};

static Code link_one(struct linking *linking, size_t i)
{
    struct commit *commit = linking->commit;
    const Hero__V1__LinkRequest *request = linking->request;
    struct entity to;
    ProtobufCMessage *columns = NULL;
    struct pair pair = {.relationship = linking->relationship,
                        .from = &linking->from,
                        .to = &to,
                        .from_path = "target",
                        .to_path = commit_index(commit, "related", i),
                        .columns_path = commit_index(commit, "links", i)};
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = commit_target(commit, request->related[i], pair.to_path, &to);
    if (code == HERO__V1__CODE__OK && request->n_links > 0)
        code = relate_columns(commit, linking->relationship, &request->links[i], pair.columns_path,
                              &columns);
    pair.columns = columns;
    if (code != HERO__V1__CODE__OK)
        return code;
    return linking->add ? relate_add(commit, &pair, &linking->counts)
                        : relate_remove(commit, &pair, &linking->counts);
}

static bool blames(const struct fault *fault, const char *path)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (strcmp(fault->violations[i].path, path) == 0)
            return true;
    return false;
}

const struct relationship *commit_relationship(struct commit *commit, const struct model *model,
                                               const char *name)
{
    const struct relationship *relationship = name ? model_relationship(model, name) : NULL;
    if (!relationship)
        fault_add(commit->fault, "relationship", "%s has no relationship called %s", model->name,
                  name ? name : "(none given)");
    return relationship;
}

static Code check_request(struct linking *linking)
{
    struct commit *commit = linking->commit;
    const Hero__V1__LinkRequest *request = linking->request;
    const char *name = request->relationship;
    const struct model *model = linking->from.model;
    linking->relationship = commit_relationship(commit, model, name);
    if (!linking->relationship)
        return commit->fault->code;
    if (request->n_related == 0)
        return fault_add(commit->fault, "related", "names no record to %s",
                         linking->add ? "link" : "unlink");
    if (linking->add && linking->relationship->single && request->n_related > 1)
        return fault_add(commit->fault, "related", "names %zu records; %s.%s is one at most",
                         request->n_related, model->name, name);
    if (request->n_links > 0 && !linking->add)
        return fault_add(commit->fault, "links", "says what links hold that are to go");
    if (request->n_links > 0 && request->n_links != request->n_related)
        return fault_add(commit->fault, "links", "holds %zu links for %zu related records",
                         request->n_links, request->n_related);
    return HERO__V1__CODE__OK;
}

static void put_outcome(const struct linking *linking, Hero__V1__Outcome *outcome)
{
    const struct related_counts *counts = &linking->counts;
    outcome->has_added = linking->add;
    outcome->added = counts->added;
    outcome->has_removed = !linking->add || counts->removed > 0;
    outcome->removed = counts->removed;
    outcome->has_kept = 1;
    outcome->kept = counts->kept;
    outcome->has_deleted = counts->deleted > 0;
    outcome->deleted = counts->deleted;
    outcome->records = counts->changed;
    outcome->n_records = counts->n_changed;
}

Code link_run(struct commit *commit, const Hero__V1__LinkRequest *link, bool add,
              Hero__V1__Outcome *outcome)
{
    struct linking linking = {.commit = commit, .request = link, .add = add};
    Code code = commit_target(commit, link->target, "target", &linking.from);
    if (code == HERO__V1__CODE__OK)
        code = check_request(&linking);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; i < link->n_related; i++) {
        code = link_one(&linking, i);
        if (code == HERO__V1__CODE__NOT_FOUND && !blames(commit->fault, "target"))
            continue; /* nothing of it will stay: which others are missing, too? */
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    if (commit->fault->code != HERO__V1__CODE__OK)
        return commit->fault->code;
    put_outcome(&linking, outcome);
    return HERO__V1__CODE__OK;
}
