/*
 * What a record must and must not say, looked at before SQLite is asked:
 * required columns, those that are read only, oneofs. Reads and writes nothing.
 */
#include <string.h>
#include "column.h"
#include "write.h"

Code record_check_writable(struct commit *commit, const struct model *model, const char *path)
{
    return model->read_only ? fault_add(commit->fault, path,
                                        "%s is read only: its records are read "
                                        "and never written",
                                        model->name)
                            : HERO__V1__CODE__OK;
}

static Code refuse_read_only(struct commit *commit, const struct column *column, const char *path)
{
    return fault_add(commit->fault, commit_path(commit, path, column->field_name),
                     "is read only: the database computes it");
}

static Code check_oneof(struct commit *commit, const struct column_list *oneof,
                        const ProtobufCMessage *record, const char *path)
{
    const struct column *set = NULL;
    for (size_t i = 0; i < oneof->n; i++) {
        const struct column *column = oneof->columns[i];
        if (!field_present(record, column->field))
            continue;
        if (set)
            return fault_add(commit->fault, commit_path(commit, path, column->field_name),
                             "is set beside %s; of the oneof %s one at most can be",
                             set->field_name, oneof->name);
        set = column;
    }
    return HERO__V1__CODE__OK;
}

Code record_check_required(struct commit *commit, const struct model *model,
                           const ProtobufCMessage *record, const char *path)
{
    Code code = record_check_writable(commit, model, path), other;
    for (size_t i = 0; i < model->n_columns; i++) {
        const struct column *column = &model->columns[i];
        bool has = record_has(column, record);
        if (column->read_only && has && !column_is_list(column))
            return refuse_read_only(commit, column, path);
        if (!column->not_null || column == model->auto_id || has || column_fills_itself(column))
            continue;
        code = fault_add(commit->fault, commit_path(commit, path, column->field_name),
                         "is required: give it a value");
        fault_detail(commit->fault, "NOT NULL", column_kind_name(column->kind));
    }
    if (code != HERO__V1__CODE__OK)
        return fault_set(commit->fault, commit->fault->code, "a %s lacks required values",
                         model->name);
    for (size_t i = 0; i < model->n_oneofs; i++)
        if ((other = check_oneof(commit, &model->oneofs[i], record, path)) != HERO__V1__CODE__OK)
            code = other;
    return code;
}

Code record_check_update(struct commit *commit, const struct model *model,
                         const struct column *const *columns, size_t n,
                         const ProtobufCMessage *values, const char *path)
{
    Code code = record_check_writable(commit, model, path);
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = columns[i];
        if (column->read_only)
            code = refuse_read_only(commit, column, path);
        for (size_t k = 0; k < i && code == HERO__V1__CODE__OK && column->oneof; k++)
            if (columns[k]->oneof == column->oneof && field_present(values, column->field) &&
                field_present(values, columns[k]->field))
                code = check_oneof(commit, column->oneof, values, path);
    }
    return code;
}
