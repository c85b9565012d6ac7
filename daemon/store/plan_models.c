/*
 * The order of a change of models: indexes that go, names, columns, tables
 * that come, what must be true in the end.
 *
 * All of it is planned on the rehearsal, and each part sees there what those
 * before it made.
 */
#include <string.h>
#include "adopt.h"
#include "ddl.h"
#include "names.h"
#include "plan.h"

/* Models that change, by their position in the later set; was NULL: not one. */
struct changing {
    struct plan_table *tables;
    size_t n;
};

/* A table that is already what its model says now needs nothing done. */
static void drop_as_it_is(struct changing *changing)
{
    size_t n = 0;
    for (size_t i = 0; i < changing->n; i++)
        if (!changing->tables[i].as_it_is)
            changing->tables[n++] = changing->tables[i];
    changing->n = n;
}

static Code find_changing(struct plan *plan, struct changing *changing)
{
    const struct models *models = plan->models;
    Code code = HERO__V1__CODE__OK;
    changing->tables = arena_array(plan->arena, models->n_models + 1, sizeof(*changing->tables));
    if (!changing->tables)
        return plan_exhausted(plan);
    for (size_t i = 0; i < models->n_models && code == HERO__V1__CODE__OK; i++) {
        const struct model *is = &models->models[i], *was = model_ancestor(plan->served, is);
        struct plan_table table = {.was = was, .is = is};
        if (was && !model_changes(was, is, plan->arena, &table.changes))
            return plan_exhausted(plan);
        /* Views, and tables that are others' to write: they are what they are. */
        if (was && table.changes.n > 0 && !was->read_only && !is->read_only)
            changing->tables[changing->n++] = table;
    }
    for (size_t i = 0; i < changing->n; i++) {
        Code one = plan_table_read(plan, &changing->tables[i]);
        if (one != HERO__V1__CODE__OK && plan->fault->n_violations == 0)
            return one;
        code = code == HERO__V1__CODE__OK ? one : code;
    }
    drop_as_it_is(changing);
    return plan->fault->code != HERO__V1__CODE__OK ? plan->fault->code : code;
}

/* ---- names of tables ---- */

struct pending {
    const struct plan_table *table;
    const char *from; /* NULL: done */
};

static Code rename_table(struct plan *plan, const struct plan_table *table, const char *from,
                         const char *to, const char *why)
{
    const char *a = name_quoted(plan->arena, from), *b = name_quoted(plan->arena, to);
    struct plan_step *step = plan_step(plan, why, "rename table %s to %s", from, to);
    plan->touches_tables = true;
    return plan_sql(plan, step, table->is,
                    a && b ? arena_printf(plan->arena, "ALTER TABLE %s RENAME TO %s", a, b) : NULL);
}

static bool is_held(const struct pending *pending, size_t n, const struct pending *wanting)
{
    for (size_t i = 0; i < n; i++)
        if (pending[i].from && sqlite3_stricmp(pending[i].from, wanting->table->is->table) == 0)
            return true;
    return false;
}

/* Names may change in a circle, or only in their case: then one steps aside. */
static Code rename_tables(struct plan *plan, const struct changing *changing)
{
    struct pending *pending = arena_array(plan->arena, changing->n + 1, sizeof(*pending));
    size_t n = 0, left;
    Code code = HERO__V1__CODE__OK;
    if (!pending)
        return plan_exhausted(plan);
    for (size_t i = 0; i < changing->n; i++)
        if (strcmp(changing->tables[i].was->table, changing->tables[i].is->table) != 0)
            pending[n++] = (struct pending){&changing->tables[i], changing->tables[i].was->table};
    for (left = n; left > 0 && code == HERO__V1__CODE__OK;) {
        struct pending *next = NULL;
        for (size_t i = 0; i < n && !next; i++)
            if (pending[i].from && !is_held(pending, n, &pending[i]))
                next = &pending[i];
        if (!next) {
            for (next = pending; !next->from; next++)
                ;
            const char *aside = arena_printf(plan->arena, "_hero_aside_%zu", left);
            code = aside ? rename_table(plan, next->table, next->from, aside,
                                        "its new name is free only then")
                         : plan_exhausted(plan);
            next->from = aside;
            continue;
        }
        code = rename_table(plan, next->table, next->from, next->table->is->table,
                            plan_table_why(plan, next->table, 0));
        next->from = NULL;
        left--;
    }
    return code;
}

/* ---- tables that come, and a look at all of them ---- */

/* Two new things of one name would fail half-way: say it before. */
static Code check_name(struct plan *plan, const struct model *model, const char *name,
                       const char **names, const char **makers, size_t *n)
{
    if (!name)
        return plan_exhausted(plan);
    for (size_t i = 0; i < *n; i++) {
        if (sqlite3_stricmp(names[i], name) != 0)
            continue;
        fault_add(plan->fault, plan_path(plan, model, NULL),
                  "%s would be the name of two tables or indexes; "
                  "the other is %s's: give one of the tables or columns another name",
                  name, makers[i]);
        return plan->fault->code;
    }
    names[*n] = name;
    makers[(*n)++] = model->name;
    return HERO__V1__CODE__OK;
}

struct coming {
    const char **names, **makers; /* of tables and indexes that are made */
    size_t n;
};

/* What others made is taken as it is: an index for the sake of a relationship
 * is made there only once the relationship comes. Who wants it declares it. */
static bool is_unasked(struct plan *plan, const struct table_plan *table,
                       const struct ddl_index *index)
{
    const struct model *was = model_ancestor(plan->served, table->model);
    struct ddl_index *indexes = NULL;
    size_t n = 0;
    if (!table->exists || !index->implied || !was)
        return table->exists && index->implied;
    if (!ddl_indexes(was, plan->arena, &indexes, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (indexes[i].implied && sqlite3_stricmp(indexes[i].name, index->name) == 0)
            return true;
    return false;
}

static Code make_indexes(struct plan *plan, struct coming *coming, const struct table_plan *table,
                         struct plan_step *step)
{
    const struct model *model = table->model;
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < table->n_indexes && code == HERO__V1__CODE__OK; i++) {
        const struct ddl_index *index = table->indexes[i];
        struct plan_step *to = step;
        if (is_unasked(plan, table, index))
            continue;
        code = check_name(plan, model, arena_strdup(plan->arena, index->name), coming->names,
                          coming->makers, &coming->n);
        if (code == HERO__V1__CODE__OK && !to) {
            to = plan_step(plan, NULL, "create index %s", index->name);
            if (to)
                to->wire.has_rows = true;
            if (to && model_ancestor(plan->served, model))
                code = plan_count(plan, model_ancestor(plan->served, model)->table, NULL,
                                  &to->wire.rows);
        }
        if (code == HERO__V1__CODE__OK)
            code = plan_sql(plan, to, model, arena_strdup(plan->arena, index->sql));
    }
    return code;
}

static Code take_warnings(struct plan *plan, const struct table_plan *table)
{
    size_t n = plan->n_warnings + table->n_warnings;
    const char **warnings = arena_array(plan->arena, n + 1, sizeof(*warnings));
    if (!warnings)
        return plan_exhausted(plan);
    for (size_t i = 0; i < n; i++) {
        warnings[i] = i < plan->n_warnings
                          ? plan->warnings[i]
                          : arena_strdup(plan->arena, table->warnings[i - plan->n_warnings]);
        if (!warnings[i])
            return plan_exhausted(plan);
    }
    plan->warnings = warnings;
    plan->n_warnings = n;
    return HERO__V1__CODE__OK;
}

static Code make_table(struct plan *plan, struct coming *coming, const struct table_plan *table)
{
    const struct model *model = table->model, *was = model_ancestor(plan->served, model);
    struct plan_step *step = NULL;
    Code code = HERO__V1__CODE__OK;
    if (!table->exists) {
        code = check_name(plan, model, model->table, coming->names, coming->makers, &coming->n);
        if (code != HERO__V1__CODE__OK)
            return code;
        step = plan_step(plan, arena_printf(plan->arena, "%s is new", plan_path(plan, model, NULL)),
                         "create table %s", model->table);
        code = plan_sql(plan, step, model, ddl_table(model, plan->arena));
    } else if (!was) {
        plan->adopted[plan->n_adopted++] = arena_strdup(plan->arena, model->table);
        step = plan_step(plan, "it is there already, and as the model says", "adopt table %s",
                         model->table);
        code = take_warnings(plan, table);
    }
    return code == HERO__V1__CODE__OK ? make_indexes(plan, coming, table, step) : code;
}

/* Differences of all tables are collected before any of them refuses the set. */
static Code look_at_all(struct plan *plan)
{
    const struct models *models = plan->models;
    struct coming coming = {0};
    Code worst = HERO__V1__CODE__OK;
    size_t most = 0;
    for (size_t i = 0; i < models->n_models; i++)
        most += models->models[i].n_columns + models->models[i].n_foreign_keys +
                models->models[i].n_indexes + 2;
    coming.names = arena_array(plan->arena, most, sizeof(*coming.names));
    coming.makers = arena_array(plan->arena, most, sizeof(*coming.makers));
    if (!coming.names || !coming.makers)
        return plan_exhausted(plan);
    for (size_t i = 0; i < models->n_models; i++) {
        struct table_plan table;
        Code code = adopt_plan(&plan->rehearsal.db, &models->models[i], &plan->scratch, &table,
                               plan->fault);
        if (code == HERO__V1__CODE__OK)
            code = make_table(plan, &coming, &table);
        arena_reset(&plan->scratch);
        if (code == HERO__V1__CODE__OK)
            continue;
        worst = code;
        if (plan->fault->n_violations == 0) /* not about the table: the database itself failed */
            return code;
    }
    return worst;
}

/* ---- what changes and is no table's ---- */

static bool is_column(const struct plan_table *table, uint32_t number)
{
    return model_column_by_number(table->was, number) || model_column_by_number(table->is, number);
}

static Code tell_relationships(struct plan *plan, const struct plan_table *table)
{
    static const char *const words[] = {[MODEL_CHANGE_MESSAGE] = "change",
                                        [MODEL_CHANGE_GAINED] = "add",
                                        [MODEL_CHANGE_LOST] = "drop",
                                        [MODEL_CHANGE_FIELD] = "change"};
    for (size_t i = 0; i < table->changes.n; i++) {
        const struct model_change *change = &table->changes.changes[i];
        bool told = i > 0 && table->changes.changes[i - 1].number == change->number;
        if (change->number == 0 || told || is_column(table, change->number))
            continue;
        if (!plan_step(plan, plan_table_why(plan, table, change->number), "%s relationship %s.%s",
                       words[change->kind], table->is->name, change->field))
            return plan_exhausted(plan);
    }
    return HERO__V1__CODE__OK;
}

/* ---- all of it ---- */

typedef Code table_part(struct plan *plan, struct plan_table *table);

static Code each(struct plan *plan, struct changing *changing, table_part *part)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < changing->n && code == HERO__V1__CODE__OK; i++)
        code = part(plan, &changing->tables[i]);
    return code;
}

static Code make(struct plan *plan)
{
    struct changing changing = {0};
    Code code = rehearsal_open(&plan->rehearsal, plan->db, plan->fault);
    if (code == HERO__V1__CODE__OK)
        code = find_changing(plan, &changing);
    if (code == HERO__V1__CODE__OK)
        code = each(plan, &changing, plan_table_drop_indexes);
    if (code == HERO__V1__CODE__OK)
        code = rename_tables(plan, &changing);
    if (code == HERO__V1__CODE__OK)
        code = each(plan, &changing, plan_table_rename_columns);
    if (code == HERO__V1__CODE__OK)
        code = each(plan, &changing, plan_table_change);
    if (code == HERO__V1__CODE__OK)
        code = each(plan, &changing, plan_table_indexes);
    if (code == HERO__V1__CODE__OK)
        code = look_at_all(plan);
    for (size_t i = 0; i < changing.n && code == HERO__V1__CODE__OK; i++)
        code = tell_relationships(plan, &changing.tables[i]);
    if (code == HERO__V1__CODE__OK && plan->touches_tables)
        code = rehearsal_check(&plan->rehearsal, plan->fault);
    return code;
}

Code plan_removal(struct plan *plan)
{
    for (size_t i = 0; i < plan->served->n_models; i++) {
        const struct model *was = &plan->served->models[i];
        bool stays = false;
        for (size_t m = 0; m < plan->models->n_models && !stays; m++)
            stays = strcmp(plan->models->models[m].name, was->name) == 0;
        if (!stays && !plan_step(plan, arena_printf(plan->arena, "table %s stays", was->table),
                                 "remove model %s", was->name))
            return plan_exhausted(plan);
    }
    return HERO__V1__CODE__OK;
}

Code plan_make(struct plan *plan)
{
    struct fault *fault = plan->fault;
    Code code = make(plan);
    size_t n = fault->n_violations + fault->n_dropped;
    if (code != HERO__V1__CODE__OK && n > 1)
        fault_set(fault, fault->code, "%zu things stand in the way; the first: %s: %s", n,
                  fault->violations[0].path, fault->violations[0].description);
    if (code == HERO__V1__CODE__OK && plan->arena->exhausted)
        code = plan_exhausted(plan);
    return code;
}
