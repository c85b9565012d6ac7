/*
 * Update and upsert: which columns of one record are written, and which
 * record that is. Knows no SQL.
 */
#include <string.h>
#include "column.h"
#include "write.h"

/* ---- columns to write ---- */

static bool is_named(const struct column *const *columns, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return true;
    return false;
}

static Code read_mask(struct commit *commit, const struct model *model, char *const *mask,
                      size_t n_mask, const struct column **columns, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < n_mask; i++) {
        const char *path = commit_index(commit, "update_mask", i);
        const struct column *column = model_column(model, mask[i]);
        if (!column)
            fault_add(commit->fault, path, "%s has no column called %s", model->name, mask[i]);
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
        if (columns[i]->not_null && !field_present(values, columns[i]->field) &&
            !column_is_list(columns[i])) {
            fault_add(commit->fault, columns[i]->field_name, "is required and can't become NULL");
            fault_detail(commit->fault, "NOT NULL", column_kind_name(columns[i]->kind));
        }
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

/* ---- update ---- */

Code update_run(struct commit *commit, const Hero__V1__UpdateRequest *update,
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
    code = read_mask(commit, target.model, update->update_mask, update->n_update_mask, columns, &n);
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

/* ---- upsert ---- */

/* The record is there: it gets what is given; columns: those of the mask. */
static Code upsert_found(struct commit *commit, const struct entity *stored,
                         const struct unique_key *key, const ProtobufCMessage *values,
                         const struct column **columns, size_t n, ProtobufCMessage **ret_record)
{
    *ret_record = stored->record;
    if (n == 0)
        n = unique_key_others(key, columns, present_columns(stored->model, values, columns));
    Code code = check_same_key(commit, stored, values);
    if (code == HERO__V1__CODE__OK)
        code = check_not_null(commit, columns, n, values);
    return code == HERO__V1__CODE__OK && n > 0
               ? record_update(commit, stored, values, columns, n, ret_record, "")
               : code;
}

static Code upsert_new(struct commit *commit, const struct model *model, ProtobufCMessage *values,
                       ProtobufCMessage **ret_record)
{
    Code code = record_check_required(commit, model, values, "");
    *ret_record = values;
    return code == HERO__V1__CODE__OK ? record_insert(commit, model, ret_record, "") : code;
}

static Code upsert_record(struct commit *commit, const Hero__V1__UpsertRequest *upsert,
                          const struct model *model, ProtobufCMessage *values,
                          ProtobufCMessage **ret_record, bool *ret_created)
{
    const struct column **columns = arena_array(commit->arena, model->n_columns, sizeof(*columns));
    struct entity stored = {.model = model};
    struct unique_key key;
    bool found = false;
    size_t n = 0;
    if (!columns)
        return commit_no_memory(commit);
    Code code = read_mask(commit, model, upsert->update_mask, upsert->n_update_mask, columns, &n);
    if (code == HERO__V1__CODE__OK)
        code = unique_key_choose(commit, model, values, upsert->by, upsert->n_by, &key);
    if (code == HERO__V1__CODE__OK)
        code = record_find(commit, &key, values, &stored.record, &found, "");
    *ret_created = !found;
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!found)
        return upsert_new(commit, model, values, ret_record);
    switch (upsert->conflict) {
    case HERO__V1__UPSERT_REQUEST__CONFLICT__UPDATE:
        return upsert_found(commit, &stored, &key, values, columns, n, ret_record);
    case HERO__V1__UPSERT_REQUEST__CONFLICT__IGNORE:
        *ret_record = stored.record;
        return code;
    case HERO__V1__UPSERT_REQUEST__CONFLICT__FAIL:
        return unique_key_taken(commit, &key, &stored);
    case _HERO__V1__UPSERT_REQUEST__CONFLICT_IS_INT_SIZE:
        break;
    }
    return fault_add(commit->fault, "conflict", "is none of update, ignore and fail");
}

Code upsert_run(struct commit *commit, const Hero__V1__UpsertRequest *upsert,
                Hero__V1__Outcome *outcome)
{
    struct entity entity = {.model = commit_model(commit, upsert->model, commit->fault)};
    bool created = false;
    if (!entity.model)
        return fault_add(commit->fault, "model", "%s", commit->fault->message);
    if (upsert->ref != 0 && graph_refs_find(&commit->kept, upsert->ref))
        return fault_add(commit->fault, "ref", "%u names a record of an earlier mutation",
                         upsert->ref);
    outcome->records = arena_array(commit->arena, 1, sizeof(*outcome->records));
    if (!outcome->records)
        return commit_no_memory(commit);
    ProtobufCMessage *values;
    Code code = model_unpack(entity.model, upsert->value.data, upsert->value.len, commit->arena,
                             &values, commit->fault);
    if (code == HERO__V1__CODE__OK)
        code = upsert_record(commit, upsert, entity.model, values, &entity.record, &created);
    if (code == HERO__V1__CODE__OK && upsert->ref != 0)
        code = commit_keep(commit, upsert->ref, &entity);
    if (code == HERO__V1__CODE__OK)
        code = record_pack(commit, entity.model, entity.record, upsert->ref, outcome->records);
    outcome->n_records = code == HERO__V1__CODE__OK;
    outcome->has_created = 1;
    outcome->created = created;
    return code;
}
