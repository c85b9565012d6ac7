/*
 * Mutations: what update, delete, link and unlink ask for, in terms of
 * records and links. Knows no SQL.
 */
#include <string.h>
#include "column.h"
#include "write.h"

static const char *indexed(struct commit *commit, const char *name, size_t i)
{
    const char *path = arena_printf(commit->arena, "%s[%zu]", name, i);
    return path ? path : name;
}

/* ---- update ---- */

static bool is_named(const struct column *const *columns, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

static Code read_mask(struct commit *commit, const struct model *model,
                      const Hero__V1__UpdateRequest *update, const struct column **columns,
                      size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < update->n_update_mask; i++) {
        const char *path = indexed(commit, "update_mask", i);
        const struct column *column = model_column(model, update->update_mask[i]);
        if (!column)
            fault_add(commit->fault, path, "%s has no column called %s", model->name,
                      update->update_mask[i]);
        else if (column->primary_key)
            fault_add(commit->fault, path, "%s is part of the key, which can't be changed",
                      column->field_name);
        else if (!is_named(columns, n, column))
            columns[n++] = column;
    }
    *ret_n = n;
    return commit->fault->code;
}

static size_t present_columns(const struct model *model, const ProtobufCMessage *values,
                              const struct column **columns)
{
    size_t n = 0;
    for (size_t i = 0; i < model->n_columns; i++)
        if (!model->columns[i].primary_key && record_has(&model->columns[i], values))
            columns[n++] = &model->columns[i];
    return n;
}

/* A key in the new values must be the target's: anything else is a slip. */
static Code check_same_key(struct commit *commit, const struct entity *target,
                           const ProtobufCMessage *values)
{
    const struct model *model = target->model;
    for (size_t i = 0; i < model->n_primary_key; i++) {
        const struct column *column = model->primary_key[i];
        struct key_value given = column_value(column, values, commit->arena);
        struct key_value stored = column_value(column, target->record, commit->arena);
        if (record_has(column, values) && !key_value_equal(&given, &stored))
            fault_add(commit->fault, column->field_name,
                      "is not that of the target, %s %s; keys can't be changed", model->name,
                      model_key_text(model, target->record, commit->arena));
    }
    return commit->fault->code;
}

static Code check_not_null(struct commit *commit, const struct column *const *columns, size_t n,
                           const ProtobufCMessage *values)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i]->not_null && !field_present(values, columns[i]->field))
            fault_add(commit->fault, columns[i]->field_name, "is required and can't become NULL");
    return commit->fault->code;
}

static Code update_stored(struct commit *commit, const struct entity *target,
                          const ProtobufCMessage *values, const struct column *const *columns,
                          size_t n, ProtobufCMessage **ret_record)
{
    bool found = false;
    if (n > 0)
        return record_update(commit, target, values, columns, n, ret_record, "");
    Code code = record_fetch(commit, target->model, target->record, ret_record, &found, "");
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, target->model, target->record, "target");
    return code;
}

static Code update_run(struct commit *commit, const Hero__V1__UpdateRequest *update,
                       Hero__V1__Outcome *outcome)
{
    struct entity target;
    ProtobufCMessage *values, *stored;
    size_t n;
    Code code = commit_target(commit, update->target, "target", &target);
    if (code == HERO__V1__CODE__OK)
        code = model_unpack(target.model, update->value.data, update->value.len, commit->arena,
                            &values, commit->fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    const struct column **columns =
        arena_array(commit->arena, target.model->n_columns, sizeof(*columns));
    outcome->records = arena_array(commit->arena, 1, sizeof(*outcome->records));
    if (!columns || !outcome->records)
        return commit_no_memory(commit);
    code = read_mask(commit, target.model, update, columns, &n);
    if (update->n_update_mask == 0)
        n = present_columns(target.model, values, columns);
    if (code == HERO__V1__CODE__OK)
        code = check_same_key(commit, &target, values);
    if (code == HERO__V1__CODE__OK)
        code = check_not_null(commit, columns, n, values);
    if (code == HERO__V1__CODE__OK)
        code = update_stored(commit, &target, values, columns, n, &stored);
    if (code == HERO__V1__CODE__OK)
        code = record_pack(commit, target.model, stored, update->target->ref, outcome->records);
    outcome->n_records = code == HERO__V1__CODE__OK;
    return code;
}

/* ---- delete ---- */

static Code delete_run(struct commit *commit, const Hero__V1__DeleteRequest *request,
                       Hero__V1__Outcome *outcome)
{
    uint32_t removed = 0;
    if (request->n_targets == 0)
        return fault_add(commit->fault, "targets", "names no record to delete");
    for (size_t i = 0; i < request->n_targets; i++) {
        struct entity target;
        const char *path = indexed(commit, "targets", i);
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

static const struct relationship *find_relationship(struct commit *commit,
                                                    const struct model *model, const char *name)
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
    const char *path = indexed(commit, "related", i);
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
        find_relationship(commit, from.model, link->relationship);
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

Code mutation_run(struct commit *commit, const Hero__V1__Mutation *mutation,
                  Hero__V1__Outcome *outcome)
{
    switch (mutation->op_case) {
    case HERO__V1__MUTATION__OP_CREATE:
        return create_run(commit, mutation->create->graph, outcome);
    case HERO__V1__MUTATION__OP_UPDATE:
        return update_run(commit, mutation->update, outcome);
    case HERO__V1__MUTATION__OP_DELETE:
        return delete_run(commit, mutation->delete_, outcome);
    case HERO__V1__MUTATION__OP_LINK:
        return link_run(commit, mutation->link, true, outcome);
    case HERO__V1__MUTATION__OP_UNLINK:
        return link_run(commit, mutation->unlink, false, outcome);
    case HERO__V1__MUTATION__OP__NOT_SET:
    case _HERO__V1__MUTATION__OP__CASE_IS_INT_SIZE:
        break;
    }
    return fault_add(commit->fault, "",
                     "holds none of create, update, delete, link and unlink that this herod knows");
}
