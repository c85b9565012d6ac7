/*
 * Unique keys: which of a model's keys finds the record that is meant. Knows
 * models and what a record holds; no SQL.
 */
#include <string.h>
#include "write.h"

/* The i-th key of the model, its primary key first; false: there are no more. */
static bool key_at(const struct model *model, size_t i, struct unique_key *ret_key)
{
    *ret_key = (struct unique_key){.model = model};
    if (i-- == 0) {
        ret_key->columns = model->primary_key;
        ret_key->n = model->n_primary_key;
        return true;
    }
    for (size_t c = 0; c < model->n_columns; c++) {
        if (!model->columns[c].unique || i-- != 0)
            continue;
        ret_key->own = &model->columns[c];
        ret_key->n = 1;
        return true;
    }
    if (i >= model->n_uniques)
        return false;
    ret_key->columns = model->uniques[i].columns;
    ret_key->n = model->uniques[i].n;
    return true;
}

const struct column *unique_key_column(const struct unique_key *key, size_t i)
{
    return key->columns ? key->columns[i] : key->own;
}

static bool key_has(const struct unique_key *key, const struct column *column)
{
    for (size_t i = 0; i < key->n; i++)
        if (unique_key_column(key, i) == column)
            return true;
    return false;
}

/* Are all its values there? NULL is unlike any other. */
static bool key_is_set(const struct unique_key *key, const ProtobufCMessage *record)
{
    for (size_t i = 0; i < key->n; i++)
        if (!record_has(unique_key_column(key, i), record))
            return false;
    return key->n > 0;
}

size_t unique_key_others(const struct unique_key *key, const struct column **columns, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!key_has(key, columns[i]))
            columns[kept++] = columns[i];
    return kept;
}

const char *unique_key_text(struct commit *commit, const struct unique_key *key)
{
    const char *text = "";
    for (size_t i = 0; text && i < key->n; i++)
        text = arena_printf(commit->arena, "%s%s%s", text, i ? ", " : "",
                            unique_key_column(key, i)->field_name);
    return text ? text : "its key";
}

/* "name; branch, shelf": those that there are. */
static const char *keys_text(struct commit *commit, const struct model *model)
{
    struct unique_key key;
    const char *text = "";
    for (size_t i = 0; text && key_at(model, i, &key); i++)
        text = arena_printf(commit->arena, "%s%s%s", text, i ? "; " : "",
                            unique_key_text(commit, &key));
    return text ? text : "too many to list";
}

Code unique_key_of(struct commit *commit, const struct model *model, const ProtobufCMessage *record,
                   struct unique_key *ret_key)
{
    struct unique_key key, found = {.n = 0};
    for (size_t i = 0; key_at(model, i, &key); i++) {
        if (!key_is_set(&key, record))
            continue;
        if (found.n > 0)
            return fault_add(commit->fault, "",
                             "has several unique values (%s; %s): it is not clear which finds it; "
                             "give one of them only, or its primary key, or name one (by)",
                             unique_key_text(commit, &found), unique_key_text(commit, &key));
        found = key;
        if (i == 0)
            break; /* the primary key comes before all others */
    }
    if (found.n == 0)
        return fault_add(commit->fault, "",
                         "a %s is found by its primary key or a unique one, whose values must all "
                         "be there: %s",
                         model->name, keys_text(commit, model));
    *ret_key = found;
    return HERO__V1__CODE__OK;
}

static Code read_by(struct commit *commit, const struct model *model, char *const *by, size_t n_by,
                    const struct column **columns)
{
    for (size_t i = 0; i < n_by; i++) {
        const char *path = commit_index(commit, "by", i);
        columns[i] = model_column(model, by[i]);
        if (!columns[i])
            return fault_add(commit->fault, path, "%s has no column called %s", model->name, by[i]);
        for (size_t j = 0; j < i; j++)
            if (columns[j] == columns[i])
                return fault_add(commit->fault, path, "names %s twice", by[i]);
    }
    return HERO__V1__CODE__OK;
}

static bool is_key(const struct unique_key *key, const struct column *const *columns, size_t n)
{
    if (key->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!key_has(key, columns[i]))
            return false;
    return true;
}

static Code check_set(struct commit *commit, const struct unique_key *key,
                      const ProtobufCMessage *record)
{
    for (size_t i = 0; i < key->n; i++) {
        const struct column *column = unique_key_column(key, i);
        if (!record_has(column, record))
            fault_add(commit->fault, column->field_name,
                      "is part of the key that finds the %s: give it a value", key->model->name);
    }
    return commit->fault->code;
}

Code unique_key_choose(struct commit *commit, const struct model *model,
                       const ProtobufCMessage *record, char *const *by, size_t n_by,
                       struct unique_key *ret_key)
{
    const struct column **columns = arena_array(commit->arena, n_by + 1, sizeof(*columns));
    struct unique_key key;
    if (n_by == 0)
        return unique_key_of(commit, model, record, ret_key);
    if (!columns)
        return commit_no_memory(commit);
    Code code = read_by(commit, model, by, n_by, columns);
    if (code != HERO__V1__CODE__OK)
        return code;
    for (size_t i = 0; key_at(model, i, &key); i++)
        if (is_key(&key, columns, n_by)) {
            *ret_key = key;
            return check_set(commit, &key, record);
        }
    return fault_add(commit->fault, "by", "is no unique key of %s; it has: %s", model->name,
                     keys_text(commit, model));
}

Code unique_key_taken(struct commit *commit, const struct unique_key *key,
                      const struct entity *stored)
{
    const char *text = model_key_text(stored->model, stored->record, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__ALREADY_EXISTS, "%s %s exists already",
              stored->model->name, text);
    return fault_add(commit->fault, key->n == 1 ? unique_key_column(key, 0)->field_name : "",
                     "%s %s has %s %s already", stored->model->name, text,
                     key->n == 1 ? "this" : "the same", unique_key_text(commit, key));
}
