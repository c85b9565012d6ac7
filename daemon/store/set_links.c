/*
 * SetLinks: the related records of one become exactly those that are named.
 * Reads what they are, compares, and lets relate.c add and remove the
 * difference, whatever joins them.
 */
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "etag.h"
#include "join.h"
#include "relate.h"

/* A related record, there already or asked for. */
struct member {
    struct entity entity; /* of what is there only the key is known */
    Hero__V1__Record *key;
    const char *path;          /* in the request; NULL: there already */
    ProtobufCMessage *columns; /* what its link shall hold; NULL: not said */
    const char *columns_path;
    size_t position;
    bool kept; /* on both sides */
};

struct members {
    struct member *items;
    size_t n, size;
};

struct setting {
    struct commit *commit;
    const Hero__V1__SetLinksRequest *request;
    const struct relationship *relationship;
    struct entity from;
    struct members current, wanted;
    uint8_t etag[ETAG_BYTES];
    struct related_counts counts;
};

static Code add_member(struct setting *setting, struct members *members, const struct member *new)
{
    struct arena *arena = setting->commit->arena;
    if (members->n == members->size) {
        size_t size = members->size ? members->size * 2 : 16;
        struct member *items = arena_array(arena, size, sizeof(*items));
        if (!items)
            return commit_no_memory(setting->commit);
        if (members->n > 0)
            memcpy(items, members->items, members->n * sizeof(*items));
        members->items = items;
        members->size = size;
    }
    members->items[members->n] = *new;
    members->items[members->n].position = members->n;
    members->n++;
    return HERO__V1__CODE__OK;
}

/* ---- what is there ---- */

/* SELECT t.id, l.position FROM hero AS p CROSS JOIN heroteamlink AS l CROSS
 * JOIN team AS t WHERE .. AND p.id = ?1 ORDER BY t.id: keys, and the link's
 * own columns. */
static const char *list_text(struct setting *setting)
{
    const struct relationship *relationship = setting->relationship;
    const struct model *target = relationship->target;
    const struct column *column;
    struct sql sql;
    commit_sql(setting->commit, &sql);
    for (size_t i = 0; i < target->n_primary_key; i++)
        sql_column(&sql, i ? ", t." : "SELECT t.", target->primary_key[i]);
    for (size_t at = 0; join_link_column(relationship, &at, &column);)
        sql_column(&sql, ", l.", column);
    sql_add(&sql, " FROM ");
    sql_table(&sql, relationship->model);
    sql_add(&sql, " AS p CROSS JOIN ");
    join_related(&sql, relationship, "p", "l", "t");
    sql_add(&sql, " AND ");
    sql_key(&sql, "p.", relationship->model, 1);
    for (size_t i = 0; i < target->n_primary_key; i++)
        sql_column(&sql, i ? ", t." : " ORDER BY t.", target->primary_key[i]);
    return sql_text(&sql);
}

/* The link's own columns as an edge carries them. NULL data: it has none. */
static Code pack_link(struct setting *setting, sqlite3_stmt *stmt, struct arena *arena,
                      ProtobufCBinaryData *ret)
{
    const struct relationship *relationship = setting->relationship;
    int i = (int)relationship->target->n_primary_key;
    const struct column *column;
    ProtobufCMessage *link = NULL;
    Code code = HERO__V1__CODE__OK;
    for (size_t at = 0;
         code == HERO__V1__CODE__OK && join_link_column(relationship, &at, &column);) {
        if (!link)
            link = dynamic_message(arena, relationship->link->descriptor);
        if (!link)
            return commit_no_memory(setting->commit);
        code = column_read(stmt, i++, column, link, arena, arena, setting->commit->fault);
    }
    *ret = (ProtobufCBinaryData){0, NULL};
    if (!link || code != HERO__V1__CODE__OK)
        return code;
    ret->len = protobuf_c_message_get_packed_size(link);
    ret->data = arena_alloc(arena, ret->len);
    if (!ret->data)
        return commit_no_memory(setting->commit);
    protobuf_c_message_pack(link, ret->data);
    return code;
}

static Code count_row(struct setting *setting, sqlite3_stmt *stmt, struct etag_list *list)
{
    struct key_value key[KEY_TABLE_MAX_COLUMNS];
    size_t n = setting->relationship->target->n_primary_key;
    ProtobufCBinaryData link;
    struct arena scratch; /* of one row: the list may be long */
    arena_init(&scratch, setting->commit->arena->budget);
    scratch.pool = setting->commit->arena->pool;
    for (size_t i = 0; i < n && i < KEY_TABLE_MAX_COLUMNS; i++)
        key[i] = key_value_of(stmt, (int)i);
    Code code = pack_link(setting, stmt, &scratch, &link);
    if (code == HERO__V1__CODE__OK)
        etag_list_add(list, key, n, link);
    arena_done(&scratch);
    return code;
}

static Code take_row(struct setting *setting, sqlite3_stmt *stmt, struct members *members)
{
    struct commit *commit = setting->commit;
    const struct model *target = setting->relationship->target;
    struct member member = {.entity = {target, dynamic_message(commit->arena, target->descriptor)}};
    Code code = member.entity.record ? HERO__V1__CODE__OK : commit_no_memory(commit);
    for (size_t i = 0; i < target->n_primary_key && code == HERO__V1__CODE__OK; i++)
        code = column_read(stmt, (int)i, target->primary_key[i], member.entity.record,
                           commit->arena, commit->arena, commit->fault);
    if (code == HERO__V1__CODE__OK)
        code = record_pack_key(commit, target, member.entity.record, &member.key);
    return code == HERO__V1__CODE__OK ? add_member(setting, members, &member) : code;
}

static Code read_rows(struct setting *setting, sqlite3_stmt *stmt, struct members *members)
{
    struct commit *commit = setting->commit;
    struct etag_list list = ETAG_LIST_INIT;
    Code code = HERO__V1__CODE__OK;
    int rc;
    while ((rc = db_step(commit->db, stmt)) == SQLITE_ROW && code == HERO__V1__CODE__OK) {
        code = commit_in_time(commit);
        if (code == HERO__V1__CODE__OK)
            code = count_row(setting, stmt, &list);
        if (code == HERO__V1__CODE__OK && members)
            code = take_row(setting, stmt, members);
    }
    if (code == HERO__V1__CODE__OK && rc != SQLITE_DONE)
        code = db_fault(commit->db, rc, commit->fault, setting->relationship->name);
    etag_of_list(&list, setting->etag);
    return code;
}

/* The list and its etag as they are now; members NULL: the etag alone. */
static Code read_list(struct setting *setting, struct members *members)
{
    struct commit *commit = setting->commit;
    const struct model *model = setting->from.model;
    const char *sql = list_text(setting);
    sqlite3_stmt *stmt = sql ? db_prepare(commit->db, sql, commit->fault) : NULL;
    if (!stmt)
        return sql ? commit->fault->code : commit_no_memory(commit);
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < model->n_primary_key && code == HERO__V1__CODE__OK; i++)
        code = column_bind(stmt, (int)i + 1, model->primary_key[i], setting->from.record,
                           commit->arena, commit->fault);
    if (code == HERO__V1__CODE__OK)
        code = read_rows(setting, stmt, members);
    db_release(commit->db, stmt);
    return code;
}

/* ---- what is asked for ---- */

static Code take_related(struct setting *setting, size_t i)
{
    struct commit *commit = setting->commit;
    const struct relationship *relationship = setting->relationship;
    struct member member = {.path = commit_index(commit, "related", i),
                            .columns_path = commit_index(commit, "links", i)};
    bool found = false;
    Code code = commit_in_time(commit);
    if (code == HERO__V1__CODE__OK)
        code = commit_target(commit, setting->request->related[i], member.path, &member.entity);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (member.entity.model != relationship->target)
        return fault_add(commit->fault, member.path, "%s.%s relates to %s, not to %s",
                         relationship->model->name, relationship->name, relationship->target->name,
                         member.entity.model->name);
    /* As stored: what was given may be written otherwise and mean the same. */
    ProtobufCMessage *stored = NULL;
    code = record_fetch(commit, member.entity.model, member.entity.record, &stored, &found,
                        member.path);
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, member.entity.model, member.entity.record, member.path);
    if (code != HERO__V1__CODE__OK)
        return code;
    member.entity.record = stored;
    if (setting->request->n_links > 0)
        code = relate_columns(commit, relationship, &setting->request->links[i],
                              member.columns_path, &member.columns);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = record_pack_key(commit, member.entity.model, stored, &member.key);
    return code == HERO__V1__CODE__OK ? add_member(setting, &setting->wanted, &member) : code;
}

/* All that are missing are told at once. */
static Code read_wanted(struct setting *setting)
{
    struct commit *commit = setting->commit;
    for (size_t i = 0; i < setting->request->n_related; i++) {
        Code code = take_related(setting, i);
        if (code != HERO__V1__CODE__OK && code != HERO__V1__CODE__NOT_FOUND)
            return code;
    }
    return commit->fault->code;
}

/* ---- the difference ---- */

static int compare_keys(const struct member *a, const struct member *b)
{
    ProtobufCBinaryData x = a->key->value, y = b->key->value;
    int order = x.len && y.len ? memcmp(x.data, y.data, x.len < y.len ? x.len : y.len) : 0;
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
    int order = compare_keys(x, y);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static struct member **sorted(struct setting *setting, const struct members *members)
{
    struct member **all = arena_array(setting->commit->arena, members->n + 1, sizeof(*all));
    for (size_t i = 0; all && i < members->n; i++)
        all[i] = &members->items[i];
    if (all)
        qsort(all, members->n, sizeof(*all), compare_members);
    return all;
}

/* One that is named twice is named: only its first place counts. */
static Code drop_repeated(struct setting *setting, struct member **all)
{
    struct members *wanted = &setting->wanted;
    size_t n = 0;
    for (size_t i = 1; i < wanted->n; i++)
        if (compare_keys(all[i - 1], all[i]) == 0) {
            if (setting->request->n_links > 0)
                return fault_add(setting->commit->fault, all[i]->path,
                                 "names a record for the second time, with a link of its own");
            all[i]->key = all[i - 1]->key;
            all[i]->path = NULL;
        }
    for (size_t i = 0; i < wanted->n; i++)
        if (wanted->items[i].path)
            wanted->items[n++] = wanted->items[i];
    wanted->n = n;
    return HERO__V1__CODE__OK;
}

static Code match(struct setting *setting)
{
    struct members *current = &setting->current, *wanted = &setting->wanted;
    struct member **there = sorted(setting, current), **named = sorted(setting, wanted);
    if (!there || !named)
        return commit_no_memory(setting->commit);
    Code code = drop_repeated(setting, named);
    named = code == HERO__V1__CODE__OK ? sorted(setting, wanted) : NULL;
    if (!named)
        return code == HERO__V1__CODE__OK ? commit_no_memory(setting->commit) : code;
    for (size_t i = 0, j = 0; i < current->n && j < wanted->n;) {
        int order = compare_keys(there[i], named[j]);
        if (order == 0)
            there[i]->kept = named[j]->kept = true;
        i += order <= 0;
        j += order >= 0;
    }
    if (setting->relationship->single && wanted->n > 1)
        return fault_add(setting->commit->fault, wanted->items[1].path,
                         "%s.%s relates to one record at most", setting->from.model->name,
                         setting->relationship->name);
    return HERO__V1__CODE__OK;
}

static struct pair pair_of(const struct setting *setting, const struct member *member)
{
    return (struct pair){.relationship = setting->relationship,
                         .from = &setting->from,
                         .to = &member->entity,
                         .from_path = "target",
                         .to_path = member->path ? member->path : "related",
                         .columns = member->columns,
                         .columns_path = member->columns_path};
}

/* One at most: the one that comes takes the place of the one that was. */
static bool is_replaced(const struct setting *setting)
{
    return setting->relationship->single && setting->wanted.n > 0;
}

static Code remove_others(struct setting *setting, Hero__V1__Outcome *outcome)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < setting->current.n && code == HERO__V1__CODE__OK; i++) {
        const struct member *member = &setting->current.items[i];
        const struct pair pair = pair_of(setting, member);
        if (member->kept)
            continue;
        code = commit_in_time(setting->commit);
        if (code == HERO__V1__CODE__OK && !is_replaced(setting))
            code = relate_remove(setting->commit, &pair, &setting->counts);
        outcome->removed_records[outcome->n_removed_records++] = member->key;
    }
    return code;
}

/* What is kept gets what is said of its link. */
static Code add_new(struct setting *setting, Hero__V1__Outcome *outcome)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < setting->wanted.n && code == HERO__V1__CODE__OK; i++) {
        const struct member *member = &setting->wanted.items[i];
        const struct pair pair = pair_of(setting, member);
        if (member->kept && !member->columns)
            continue;
        code = commit_in_time(setting->commit);
        if (code == HERO__V1__CODE__OK)
            code = relate_add(setting->commit, &pair, &setting->counts);
        if (!member->kept)
            outcome->added_records[outcome->n_added_records++] = member->key;
    }
    return code;
}

static Code change(struct setting *setting, Hero__V1__Outcome *outcome)
{
    struct commit *commit = setting->commit;
    outcome->added_records =
        arena_array(commit->arena, setting->wanted.n + 1, sizeof(*outcome->added_records));
    outcome->removed_records =
        arena_array(commit->arena, setting->current.n + 1, sizeof(*outcome->removed_records));
    if (!outcome->added_records || !outcome->removed_records)
        return commit_no_memory(commit);
    /* First those that go: one that comes may need their place (unique columns). */
    Code code = remove_others(setting, outcome);
    if (code == HERO__V1__CODE__OK)
        code = add_new(setting, outcome);
    outcome->has_added = outcome->has_removed = outcome->has_kept = 1;
    outcome->added = (uint32_t)outcome->n_added_records;
    outcome->removed = (uint32_t)outcome->n_removed_records;
    outcome->kept = (uint32_t)(setting->wanted.n - outcome->n_added_records);
    outcome->deleted = setting->counts.deleted;
    outcome->has_deleted = outcome->deleted > 0;
    outcome->records = setting->counts.changed;
    outcome->n_records = setting->counts.n_changed;
    return code;
}

/* ---- the whole ---- */

static Code read_setting(struct setting *setting)
{
    struct commit *commit = setting->commit;
    const Hero__V1__SetLinksRequest *request = setting->request;
    ProtobufCMessage *stored;
    bool found = false;
    Code code = commit_target(commit, request->target, "target", &setting->from);
    if (code != HERO__V1__CODE__OK)
        return code;
    setting->relationship = commit_relationship(commit, setting->from.model, request->relationship);
    if (!setting->relationship)
        return commit->fault->code;
    if (request->n_links > 0 && request->n_links != request->n_related)
        return fault_add(commit->fault, "links", "holds %zu links for %zu related records",
                         request->n_links, request->n_related);
    code =
        record_fetch(commit, setting->from.model, setting->from.record, &stored, &found, "target");
    if (code == HERO__V1__CODE__OK && !found)
        code = record_not_found(commit, setting->from.model, setting->from.record, "target");
    if (code == HERO__V1__CODE__OK)
        setting->from.record = stored;
    return code;
}

static Code check_etag(struct setting *setting)
{
    struct commit *commit = setting->commit;
    const char *text;
    if (!setting->request->has_etag || etag_is(setting->etag, setting->request->etag))
        return HERO__V1__CODE__OK;
    text = model_key_text(setting->from.model, setting->from.record, commit->arena);
    fault_set(commit->fault, HERO__V1__CODE__ABORTED, "%s of %s %s changed since they were read",
              setting->relationship->name, setting->from.model->name, text);
    return fault_add(commit->fault, "etag",
                     "%s of %s %s have another one now: read them again, then decide",
                     setting->relationship->name, setting->from.model->name, text);
}

Code set_links_run(struct commit *commit, const Hero__V1__SetLinksRequest *request,
                   Hero__V1__Outcome *outcome)
{
    struct setting setting = {.commit = commit, .request = request};
    Code code = read_setting(&setting);
    if (code == HERO__V1__CODE__OK)
        code = read_list(&setting, &setting.current);
    if (code == HERO__V1__CODE__OK)
        code = check_etag(&setting);
    if (code == HERO__V1__CODE__OK)
        code = read_wanted(&setting);
    if (code == HERO__V1__CODE__OK)
        code = match(&setting);
    if (code == HERO__V1__CODE__OK)
        code = change(&setting, outcome);
    if (code == HERO__V1__CODE__OK)
        code = read_list(&setting, NULL);
    outcome->etag =
        (ProtobufCBinaryData){ETAG_BYTES, arena_copy(commit->arena, setting.etag, ETAG_BYTES)};
    outcome->has_etag = outcome->etag.data != NULL;
    return code == HERO__V1__CODE__OK && !outcome->has_etag ? commit_no_memory(commit) : code;
}
