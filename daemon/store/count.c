/*
 * Count: how many records there are, in all or for each value of a column or
 * each record that a relationship leads to. Largest groups first.
 */
#include <string.h>
#include "column.h"
#include "join.h"
#include "page.h"
#include "scope.h"

/* What tags and lengths add to a group at most. */
#define GROUP_OVERHEAD 24

struct counting {
    struct reading reading;
    struct scope scope;
    struct filter *filter;
    struct place group;           /* of nothing: one count of all */
    const struct source *link;    /* whose columns are the group's key; NULL: related's */
    const struct source *related; /* the records that a relationship leads to */
    struct source sources[2];
    const struct model *value_model; /* of the groups' values */
    uint32_t limit;
    size_t size; /* room for groups */
};

/* ---- what is asked ---- */

static Code find_group(struct counting *counting, const char *name)
{
    struct reading *reading = &counting->reading;
    const char *names[PLACE_MAX_STEPS + 1];
    struct fault found = FAULT_INIT;
    size_t n = 0, at;
    char *copy = arena_strdup(reading->arena, name);
    if (!copy)
        return reading_no_memory(reading);
    for (char *part = copy; part && n <= PLACE_MAX_STEPS; n++) {
        names[n] = part;
        part = strchr(part, '.');
        if (part)
            *part++ = '\0';
    }
    Code code = scope_find(&counting->scope, names, n, &counting->group, &at, &found);
    if (code == HERO__V1__CODE__OK && counting->group.column &&
        column_comparison(counting->group.column) == COLUMN_NOT_COMPARED)
        code = fault_set(&found, HERO__V1__CODE__INVALID_ARGUMENT,
                         "the values of %s can't be compared", name);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        fault_add(reading->fault, "group_by", "%s", found.message ? found.message : "");
    else if (code != HERO__V1__CODE__OK)
        fault_set(reading->fault, code, "%s", found.message ? found.message : "");
    fault_done(&found);
    return code;
}

static void name_sources(struct counting *counting)
{
    const struct relationship *relationship = counting->group.relationship;
    counting->sources[0] = (struct source){.model = relationship->target, .alias = "g"};
    counting->related = &counting->sources[0];
    if (!relationship->link)
        return;
    counting->sources[1] = (struct source){.model = relationship->link, .alias = "gl"};
    if (!relationship->symmetric && relationship->to->to_primary_key)
        counting->link = &counting->sources[1];
}

static Code ask(struct counting *counting, const struct model *model,
                const Hero__V1__CountRequest *request)
{
    struct reading *reading = &counting->reading;
    const struct store_options *options = &reading->store->options;
    counting->limit = request->limit ? request->limit : options->page_size;
    if (counting->limit > options->max_page_size)
        counting->limit = options->max_page_size;
    Code code =
        scope_init(&counting->scope, reading->arena, &reading->n_sources, model, reading->fault);
    if (code == HERO__V1__CODE__OK)
        code = filter_make(&counting->scope, request->filter, "filter", &page_filter_limits,
                           reading->fault, &counting->filter);
    if (code != HERO__V1__CODE__OK)
        return code;
    if (!request->group_by || !*request->group_by) {
        if (request->limit)
            return fault_add(reading->fault, "limit", "goes with group_by");
        counting->value_model = model;
        return code;
    }
    code = find_group(counting, request->group_by);
    if (code != HERO__V1__CODE__OK)
        return code;
    counting->value_model = counting->group.column ? counting->group.column->model
                                                   : counting->group.relationship->target;
    if (!counting->group.column)
        name_sources(counting);
    return code;
}

/* ---- the statement ---- */

/* The column that the place-th column of the related record's key is read from. */
static void put_key_column(const struct counting *counting, struct sql *sql,
                           const struct column *column)
{
    const struct relationship *relationship = counting->group.relationship;
    if (!counting->link) {
        scope_column(sql, counting->related, column);
        return;
    }
    for (size_t i = 0; i < relationship->to->n; i++)
        if (relationship->to->referred[i] == column)
            scope_column(sql, counting->link, relationship->to->columns[i]);
}

static void put_group(const struct counting *counting, struct sql *sql)
{
    const struct model *model = counting->value_model;
    if (counting->group.column) {
        scope_column(sql, counting->group.source, counting->group.column);
        return;
    }
    for (size_t i = 0; i < model->n_primary_key; i++) {
        sql_add(sql, i > 0 ? ", " : "");
        put_key_column(counting, sql, model->primary_key[i]);
    }
}

/* LEFT JOINs: records without any related one are a group, too. */
static void put_related(const struct counting *counting, struct sql *sql)
{
    const struct relationship *relationship = counting->group.relationship;
    const char *parent = counting->group.source->alias;
    sql_add(sql, " LEFT JOIN ");
    if (!counting->link) {
        sql_add(sql, relationship->link ? "(" : "");
        join_tables(sql, relationship, "gl", "g");
        sql_add(sql, relationship->link ? ")" : "");
        sql_add(sql, " ON ");
        join_condition(sql, relationship, parent, "gl", "g");
        return;
    }
    sql_name(sql, relationship->link->table);
    sql_add(sql, " AS gl ON ");
    for (size_t i = 0; i < relationship->from->n; i++) {
        sql_add(sql, i > 0 ? " AND " : "");
        scope_column(sql, counting->link, relationship->from->columns[i]);
        sql_add(sql, " = ");
        scope_column(sql, counting->group.source, relationship->from->referred[i]);
    }
}

static void put_count(const struct counting *counting, struct query *query)
{
    struct sql *sql = &query->sql;
    bool grouped = counting->group.source != NULL;
    query_init(query, counting->reading.arena);
    sql_add(sql, "SELECT count(*)");
    if (grouped) {
        sql_add(sql, ", ");
        put_group(counting, sql);
    }
    sql_add(sql, " FROM ");
    scope_from(sql, &counting->scope);
    if (counting->group.relationship)
        put_related(counting, sql);
    if (counting->filter) {
        sql_add(sql, " WHERE ");
        filter_condition(query, &counting->scope, counting->filter);
    }
    if (!grouped)
        return;
    sql_add(sql, " GROUP BY ");
    put_group(counting, sql);
    sql_add(sql, " ORDER BY 1 DESC, ");
    put_group(counting, sql);
    sql_add(sql, " LIMIT ");
    query_integer(query, (int64_t)counting->limit + 1);
}

/* ---- groups ---- */

/* The value as a record that holds nothing else; NULL: none. */
static Code read_value(struct counting *counting, sqlite3_stmt *stmt, ProtobufCBinaryData *ret)
{
    struct reading *reading = &counting->reading;
    const struct model *model = counting->value_model;
    size_t n = counting->group.column ? 1 : model->n_primary_key;
    ProtobufCMessage *record = dynamic_message(reading->arena, model->descriptor);
    if (!record)
        return reading_no_memory(reading);
    for (size_t i = 0; i < n; i++) {
        const struct column *column =
            counting->group.column ? counting->group.column : model->primary_key[i];
        Code code = column_read(stmt, 1 + (int)i, column, record, reading->arena, reading->arena,
                                reading->fault);
        if (code != HERO__V1__CODE__OK)
            return code;
    }
    ret->len = protobuf_c_message_get_packed_size(record);
    ret->data = arena_alloc(reading->arena, ret->len + 1);
    if (!ret->data)
        return reading_no_memory(reading);
    protobuf_c_message_pack(record, ret->data);
    return reading_row(reading, ret->len + GROUP_OVERHEAD);
}

static Code add_group(struct counting *counting, sqlite3_stmt *stmt, Hero__V1__CountResponse *ret)
{
    struct reading *reading = &counting->reading;
    Hero__V1__CountGroup *group = arena_alloc(reading->arena, sizeof(*group));
    if (!ret->groups) {
        counting->size = counting->group.source ? counting->limit : 1;
        ret->groups = arena_array(reading->arena, counting->size, sizeof(*ret->groups));
    }
    if (!group || !ret->groups)
        return reading_no_memory(reading);
    hero__v1__count_group__init(group);
    group->has_count = 1;
    group->count = (uint64_t)sqlite3_column_int64(stmt, 0);
    ret->groups[ret->n_groups++] = group;
    if (!counting->group.source || sqlite3_column_type(stmt, 1) == SQLITE_NULL)
        return HERO__V1__CODE__OK;
    group->has_value = 1;
    return read_value(counting, stmt, &group->value);
}

static Code run(struct counting *counting, Hero__V1__CountResponse *ret)
{
    struct reading *reading = &counting->reading;
    struct query query;
    int rc;
    put_count(counting, &query);
    sqlite3_stmt *stmt = query_prepare(&query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    Code code = HERO__V1__CODE__OK;
    while (code == HERO__V1__CODE__OK && !ret->more &&
           (rc = db_step(reading->db, stmt)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW)
            code = db_fault(reading->db, rc, reading->fault, counting->scope.root->model->name);
        else if (counting->group.source && ret->n_groups == counting->limit)
            ret->has_more = ret->more = 1;
        else
            code = add_group(counting, stmt, ret);
    }
    db_release(reading->db, stmt);
    return code;
}

Code store_count(struct store *store, struct store_read *read,
                 const Hero__V1__CountRequest *request, Hero__V1__CountResponse *ret,
                 struct fault *fault)
{
    struct counting counting = {
        .reading = {.store = store, .read = read, .arena = read->arena, .fault = fault}};
    const struct model *model;
    Code code = reading_start(&counting.reading, request->model, &model);
    if (code == HERO__V1__CODE__OK)
        code = ask(&counting, model, request);
    if (code == HERO__V1__CODE__OK)
        code = pool_take(store, read, &counting.reading.db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    ret->model = (char *)(uintptr_t)counting.value_model->name;
    code = run(&counting, ret);
    pool_give(store, counting.reading.db);
    return code;
}
