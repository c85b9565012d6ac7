/*
 * Foreign keys of records, written by linking: the child holds the key, the
 * parent is what it refers to. A key that is unique joins one to one: whoever
 * had its place is given up first, by the same rules as an unlink.
 */
#include <string.h>
#include "column.h"
#include "relate.h"

/* ---- values ---- */

static bool is_wide(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64 || type == PROTOBUF_C_TYPE_UINT64 ||
           type == PROTOBUF_C_TYPE_FIXED64;
}

static bool is_unsigned(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32 ||
           type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
}

/* SQLite's integer into a field of whatever width. */
static bool put_integer(const struct column *column, void *at, int64_t integer)
{
    if (is_wide(column->type)) {
        if (is_unsigned(column->type) && integer < 0)
            return false;
        memcpy(at, &integer, sizeof(integer));
        return true;
    }
    if (is_unsigned(column->type)) {
        uint32_t narrow = (uint32_t)integer;
        memcpy(at, &narrow, sizeof(narrow));
        return integer >= 0 && integer <= UINT32_MAX;
    }
    int32_t narrow = (int32_t)integer;
    memcpy(at, &narrow, sizeof(narrow));
    return integer >= INT32_MIN && integer <= INT32_MAX;
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return 8;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        break;
    }
    return 4;
}

/* Text and bytes stay the parent's: both live as long as the mutation. */
static bool copy_value(struct commit *commit, const struct column *column, ProtobufCMessage *record,
                       const struct column *referred, const ProtobufCMessage *parent)
{
    void *at = field_at(record, column->field);
    field_set_present(record, column->field, true);
    if (column->type == referred->type) {
        memcpy(at, field_at(parent, referred->field), size_of(column->type));
        return true;
    }
    struct key_value value = column_value(referred, parent, commit->arena);
    return value.type == SQLITE_INTEGER && put_integer(column, at, value.integer);
}

Code reference_fill(struct commit *commit, const struct foreign_key *key, ProtobufCMessage *record,
                    const ProtobufCMessage *parent, const char *path)
{
    for (size_t i = 0; i < key->n; i++) {
        const struct column *referred = key->referred[i];
        if (!record_has(referred, parent))
            return fault_add(commit->fault, path, "has no %s that %s.%s could refer to",
                             referred->field_name, key->model->name, key->columns[i]->field_name);
        if (!copy_value(commit, key->columns[i], record, referred, parent))
            return fault_add(commit->fault, path, "its %s does not fit into %s.%s",
                             referred->field_name, key->model->name, key->columns[i]->field_name);
    }
    return HERO__V1__CODE__OK;
}

bool reference_whole(const struct foreign_key *key, const ProtobufCMessage *record)
{
    for (size_t i = 0; i < key->n; i++)
        if (!field_present(record, key->columns[i]->field))
            return false;
    return true;
}

bool reference_can_refer_to(const struct foreign_key *key, const ProtobufCMessage *parent)
{
    for (size_t i = 0; i < key->n; i++)
        if (!record_has(key->referred[i], parent))
            return false;
    return true;
}

bool reference_is(struct commit *commit, const struct foreign_key *key,
                  const ProtobufCMessage *record, const ProtobufCMessage *parent)
{
    for (size_t i = 0; i < key->n; i++) {
        struct key_value own = column_value(key->columns[i], record, commit->arena);
        struct key_value theirs = column_value(key->referred[i], parent, commit->arena);
        if (!key_value_equal(&own, &theirs))
            return false;
    }
    return reference_whole(key, record);
}

/* ---- one change ---- */

/* Both ends as they are stored. */
struct change {
    struct commit *commit;
    const struct pair *pair;
    const struct foreign_key *key;
    struct entity child, parent;
    const char *child_path, *parent_path;
    struct related_counts *counts;
};

static Code fetch_end(struct commit *commit, const struct entity *end, const char *path,
                      struct entity *ret_stored)
{
    bool found = false;
    ret_stored->model = end->model;
    Code code = record_fetch(commit, end->model, end->record, &ret_stored->record, &found, path);
    return code == HERO__V1__CODE__OK && !found
               ? record_not_found(commit, end->model, end->record, path)
               : code;
}

static Code start_change(struct commit *commit, const struct pair *pair,
                         struct related_counts *counts, struct change *change)
{
    bool own = pair->relationship->kind == RELATIONSHIP_OWN_KEY;
    *change = (struct change){.commit = commit,
                              .pair = pair,
                              .key = pair->relationship->from,
                              .child_path = own ? pair->from_path : pair->to_path,
                              .parent_path = own ? pair->to_path : pair->from_path,
                              .counts = counts};
    Code code = fetch_end(commit, own ? pair->from : pair->to, change->child_path, &change->child);
    Code other =
        fetch_end(commit, own ? pair->to : pair->from, change->parent_path, &change->parent);
    return code != HERO__V1__CODE__OK ? code : other;
}

/* The record whose columns hold these values of another record; the first of several. */
static Code find_by(struct commit *commit, const struct model *model,
                    const struct column *const *columns, const struct column *const *values,
                    size_t n, const ProtobufCMessage *holder, struct entity *ret_found)
{
    struct sql sql;
    ret_found->model = NULL;
    commit_sql(commit, &sql);
    sql_add(&sql, "SELECT ");
    for (size_t i = 0; i < model->n_primary_key; i++)
        sql_column(&sql, i > 0 ? ", " : "", model->primary_key[i]);
    sql_add(&sql, " FROM ");
    sql_table(&sql, model);
    for (size_t i = 0; i < n; i++) {
        sql_column(&sql, i > 0 ? " AND " : " WHERE ", columns[i]);
        sql_add(&sql, " = ");
        sql_parameter(&sql, (unsigned)i + 1);
    }
    sql_add(&sql, " LIMIT 1");
    if (!sql_text(&sql))
        return commit_no_memory(commit);
    sqlite3_stmt *stmt = db_prepare(commit->db, sql_text(&sql), commit->fault);
    ProtobufCMessage *record = dynamic_message(commit->arena, model->descriptor);
    if (!stmt || !record) {
        db_release(commit->db, stmt);
        return stmt ? commit_no_memory(commit) : commit->fault->code;
    }
    Code code = HERO__V1__CODE__OK;
    int rc = SQLITE_DONE;
    for (size_t i = 0; i < n && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, (int)i + 1, values[i], holder, commit->arena, commit->fault);
    if (code == HERO__V1__CODE__OK && (rc = db_step(commit->db, stmt)) == SQLITE_ROW) {
        *ret_found = (struct entity){model, record};
        for (size_t i = 0; i < model->n_primary_key && code == HERO__V1__CODE__OK; i++)
            code = column_read(stmt, (int)i, model->primary_key[i], record, commit->arena,
                               commit->arena, commit->fault);
    } else if (rc != SQLITE_DONE) {
        code = db_fault(commit->db, rc, commit->fault, model->name);
    }
    db_release(commit->db, stmt);
    return code;
}

/* ---- giving up ---- */

/* The parent that a child no longer refers to, where it shall not be without one. */
static Code leave_parent(struct change *change, const ProtobufCMessage *child_before)
{
    struct commit *commit = change->commit;
    const struct foreign_key *key = change->key;
    struct entity parent;
    if (!key->deletes_orphans || !reference_whole(key, child_before))
        return HERO__V1__CODE__OK;
    Code code =
        find_by(commit, key->target, key->referred, key->columns, key->n, child_before, &parent);
    return code == HERO__V1__CODE__OK && parent.model
               ? delete_orphan(commit, &parent, change->child_path, change->counts)
               : code;
}

static Code write_child(struct change *change, const struct entity *child,
                        const ProtobufCMessage *values, const struct column *const *columns,
                        size_t n)
{
    struct entity stored = {child->model, NULL};
    Code code = record_update(change->commit, child, values, columns, n, &stored.record,
                              change->child_path);
    return code == HERO__V1__CODE__OK ? relate_changed(change->commit, &stored, change->counts)
                                      : code;
}

static Code clear_key(struct change *change, const struct entity *child)
{
    struct commit *commit = change->commit;
    const struct foreign_key *key = change->key;
    const struct column *columns[KEY_TABLE_MAX_COLUMNS];
    ProtobufCMessage *values = dynamic_message(commit->arena, key->model->descriptor);
    size_t n = 0;
    if (!values)
        return commit_no_memory(commit);
    for (size_t i = 0; i < key->n; i++)
        if (foreign_key_clears(key, key->columns[i]))
            columns[n++] = key->columns[i];
    if (n > 0)
        return write_child(change, child, values, columns, n);
    const char *text = model_key_text(key->model, child->record, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__FAILED_PRECONDITION, "%s %s can't be without a %s",
              key->model->name, text, key->target->name);
    fault_add(commit->fault, change->child_path,
              "%s %s can't be without a %s: %s can't be NULL; link it to another, or delete it",
              key->model->name, text, key->target->name, foreign_key_text(key, commit->arena));
    fault_detail(commit->fault, "NOT NULL", NULL);
    return commit->fault->code;
}

/* The child has no parent any more. */
static Code give_up(struct change *change, const struct entity *child)
{
    struct commit *commit = change->commit;
    change->counts->removed++;
    if (change->key->rule == HERO__ON_PARENT_DELETE__DELETE_ORPHAN)
        return delete_records(commit, child, &change->child_path, 1, change->counts);
    Code code = clear_key(change, child);
    return code == HERO__V1__CODE__OK ? leave_parent(change, child->record) : code;
}

/* Of a key that is unique: the child that refers to the parent so far. */
static Code release_place(struct change *change)
{
    const struct foreign_key *key = change->key;
    struct entity holder;
    if (!key->is_unique)
        return HERO__V1__CODE__OK;
    Code code = find_by(change->commit, key->model, key->columns, key->referred, key->n,
                        change->parent.record, &holder);
    if (code == HERO__V1__CODE__OK && holder.model)
        code = fetch_end(change->commit, &holder, change->child_path, &holder);
    return code == HERO__V1__CODE__OK && holder.model ? give_up(change, &holder) : code;
}

Code reference_make_room(struct commit *commit, const struct foreign_key *key,
                         const struct entity *parent, const char *path,
                         struct related_counts *counts)
{
    struct change change = {.commit = commit,
                            .key = key,
                            .parent = *parent,
                            .child_path = path,
                            .parent_path = path,
                            .counts = counts};
    return release_place(&change);
}

/* ---- the two requests ---- */

static Code write_key(struct change *change)
{
    struct commit *commit = change->commit;
    const struct foreign_key *key = change->key;
    const struct column *columns[KEY_TABLE_MAX_COLUMNS];
    ProtobufCMessage *values = dynamic_message(commit->arena, key->model->descriptor);
    size_t n = 0;
    if (!values)
        return commit_no_memory(commit);
    Code code = reference_fill(commit, key, values, change->parent.record, change->parent_path);
    for (size_t i = 0; i < key->n && code == HERO__V1__CODE__OK; i++) {
        const struct column *column = key->columns[i];
        struct key_value is = column_value(column, change->child.record, commit->arena);
        struct key_value shall_be = column_value(column, values, commit->arena);
        if (!column->primary_key)
            columns[n++] = column;
        else if (!key_value_equal(&is, &shall_be))
            code = fault_add(commit->fault, change->child_path,
                             "its %s is part of its key, which can't be changed: it stays with its "
                             "%s",
                             column->field_name, key->target->name);
    }
    return code == HERO__V1__CODE__OK ? write_child(change, &change->child, values, columns, n)
                                      : code;
}

Code reference_set(struct commit *commit, const struct pair *pair, struct related_counts *counts)
{
    struct change change;
    Code code = start_change(commit, pair, counts, &change);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (reference_is(commit, change.key, change.child.record, change.parent.record)) {
        counts->kept++;
        return code;
    }
    bool moves = reference_whole(change.key, change.child.record);
    code = release_place(&change);
    if (code == HERO__V1__CODE__OK)
        code = write_key(&change);
    if (code != HERO__V1__CODE__OK)
        return code;
    counts->added++;
    counts->removed += moves;
    return leave_parent(&change, change.child.record);
}

Code reference_clear(struct commit *commit, const struct pair *pair, struct related_counts *counts)
{
    struct change change;
    Code code = start_change(commit, pair, counts, &change);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!reference_is(commit, change.key, change.child.record, change.parent.record)) {
        counts->kept++;
        return code;
    }
    return give_up(&change, &change.child);
}
