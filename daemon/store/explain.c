/*
 * Explain: the statements of a List, how SQLite would go about them, and the
 * indexes that it lacks. No record is read; only open ranges
 * are counted, as List does (sparse.c).
 */
#include "explain.h"
#include <string.h>
#include "expand.h"
#include "page.h"

#define MAX_PLAN 256

struct explaining {
    struct reading reading;
    struct page page;
    struct page_total total;
    struct expand *tree;
    struct explain_trial *trial;
    Hero__V1__ExplainResponse *ret;
    size_t max_statements;
    struct explain_candidate *candidates;
};

static Code no_memory(struct explaining *explaining)
{
    return reading_no_memory(&explaining->reading);
}

/* ---- indexes that might help ---- */

static void add_candidate(struct explaining *explaining, const struct model *model,
                          const struct column *const *columns, size_t n)
{
    struct explain_candidate **last = &explaining->candidates;
    for (; *last; last = &(*last)->next)
        if ((*last)->model == model && (*last)->n == n &&
            memcmp((*last)->columns, columns, n * sizeof(*columns)) == 0)
            return;
    *last =
        n <= EXPLAIN_MAX_COLUMNS ? arena_alloc(explaining->reading.arena, sizeof(**last)) : NULL;
    if (!*last)
        return;
    (*last)->model = model;
    (*last)->n = n;
    memcpy((*last)->columns, columns, n * sizeof(*columns));
}

/* The way to what a to-one relationship leads to, gone backwards. */
static void add_joins(struct explaining *explaining, const struct scope *scope)
{
    for (const struct source *join = scope->joins; join; join = join->next)
        add_candidate(explaining, join->relationship->from->model,
                      join->relationship->from->columns, join->relationship->from->n);
}

static void add_filter(struct explaining *explaining, const struct filter *filter)
{
    for (; filter; filter = filter->next) {
        if (filter->place.column && filter->kind != FILTER_NOT)
            add_candidate(explaining, filter->place.column->model, &filter->place.column, 1);
        if (filter->related)
            add_joins(explaining, filter->related);
        add_filter(explaining, filter->parts);
    }
}

/* All columns of one table in one direction are an index's order; of related
 * records behind the columns that lead to them. */
static void add_order(struct explaining *explaining, const struct order *order,
                      const struct foreign_key *key)
{
    const struct column *columns[EXPLAIN_MAX_COLUMNS];
    const struct source *source = order->columns[0].place.source;
    size_t n = 0;
    for (size_t i = 0; key && key->model == source->model && i < key->n && n < EXPLAIN_MAX_COLUMNS;
         i++)
        columns[n++] = key->columns[i];
    for (size_t i = 0; i < order->n && n < EXPLAIN_MAX_COLUMNS; i++) {
        const struct order_column *column = &order->columns[i];
        if (column->place.source != source || column->descends != order->columns[0].descends)
            return;
        /* Every index ends with the row's id. */
        if (column->place.column != source->model->auto_id)
            columns[n++] = column->place.column;
    }
    if (n > 0)
        add_candidate(explaining, source->model, columns, n);
}

static void add_expansion(struct explaining *explaining, const struct expand *expand)
{
    for (; expand; expand = expand->next) {
        add_filter(explaining, expand->filter);
        add_joins(explaining, &expand->scope);
        add_order(explaining, &expand->order, expand->relationship->from);
        add_expansion(explaining, expand->children);
    }
}

/* As the model would declare it. */
static char *declared(struct explaining *explaining, const struct explain_candidate *candidate)
{
    struct arena *arena = explaining->reading.arena;
    if (candidate->n == 1)
        return arena_printf(arena, "%s.%s: [(hero.column).index = true]", candidate->model->name,
                            candidate->columns[0]->field_name);
    char *names = arena_printf(arena, "\"%s\"", candidate->columns[0]->field_name);
    for (size_t i = 1; names && i < candidate->n; i++)
        names = arena_printf(arena, "%s, \"%s\"", names, candidate->columns[i]->field_name);
    return names ? arena_printf(arena, "%s: option (hero.table).index = {columns: [%s]}",
                                candidate->model->name, names)
                 : NULL;
}

/* ---- one statement ---- */

struct plan {
    Hero__V1__ExplainedStatement *told;
    int ids[MAX_PLAN], depths[MAX_PLAN];
    bool lacks; /* it scans or sorts */
};

static int depth_of(const struct plan *plan, int parent)
{
    for (size_t i = 0; i < plan->told->n_plan; i++)
        if (plan->ids[i] == parent)
            return plan->depths[i] + 1;
    return 0;
}

/* "SEARCH t0 USING INDEX ix_hero_age (age=?)": ix_hero_age. */
static char *index_in(struct arena *arena, const char *detail)
{
    const char *name = strstr(detail, " INDEX ");
    if (!name && (name = strstr(detail, "USING INTEGER PRIMARY KEY")))
        return arena_strdup(arena, "PRIMARY KEY");
    if (!name || strstr(detail, "AUTOMATIC") || strstr(detail, "VIRTUAL TABLE"))
        return NULL;
    name += strlen(" INDEX ");
    const char *end = strstr(name, " (");
    return arena_printf(arena, "%.*s", (int)(end ? (size_t)(end - name) : strlen(name)), name);
}

static bool has_text(char *const *texts, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static Code add_detail(struct explaining *explaining, struct plan *plan, int id, int parent,
                       const char *detail)
{
    struct arena *arena = explaining->reading.arena;
    Hero__V1__ExplainedStatement *told = plan->told;
    int depth = depth_of(plan, parent);
    char *line = arena_printf(arena, "%*s%s", 2 * depth, "", detail);
    char *index = index_in(arena, detail);
    if (!line)
        return no_memory(explaining);
    plan->ids[told->n_plan] = id;
    plan->depths[told->n_plan] = depth;
    told->plan[told->n_plan++] = line;
    if (index && !has_text(told->indexes, told->n_indexes, index))
        told->indexes[told->n_indexes++] = index;
    plan->lacks |= explain_lacks(detail);
    return HERO__V1__CODE__OK;
}

static Code read_plan(struct explaining *explaining, const char *sql, struct plan *plan)
{
    struct reading *reading = &explaining->reading;
    const char *text = arena_printf(reading->arena, "EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    Code code = HERO__V1__CODE__OK;
    int rc;
    if (!text)
        return no_memory(explaining);
    /* Not through the cache: nobody asks for this text again. */
    rc = sqlite3_prepare_v2(reading->db->handle, text, -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return db_fault(reading->db, rc, reading->fault, "explaining");
    while (code == HERO__V1__CODE__OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
           plan->told->n_plan < MAX_PLAN)
        code = add_detail(explaining, plan, sqlite3_column_int(stmt, 0),
                          sqlite3_column_int(stmt, 1), (const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    return code;
}

static Code find_missing(struct explaining *explaining, const char *sql, const struct plan *plan)
{
    Hero__V1__ExplainedStatement *told = plan->told;
    size_t n = 0;
    for (const struct explain_candidate *c = explaining->candidates; c; c = c->next)
        n++;
    told->missing = arena_array(explaining->reading.arena, n + 1, sizeof(*told->missing));
    if (!told->missing)
        return no_memory(explaining);
    for (const struct explain_candidate *c = explaining->candidates; c && plan->lacks;
         c = c->next) {
        if (!explain_trial_helps(explaining->trial, sql, c))
            continue;
        char *text = declared(explaining, c);
        if (!text)
            return no_memory(explaining);
        told->missing[told->n_missing++] = text;
    }
    return HERO__V1__CODE__OK;
}

/* The statement with its values, as the echo tells it. */
static Code tell_text(struct explaining *explaining, struct query *query,
                      Hero__V1__ExplainedStatement *told)
{
    struct reading *reading = &explaining->reading;
    sqlite3_stmt *stmt = query_prepare(query, reading->db, reading->fault);
    if (!stmt)
        return reading->fault->code;
    char *text = sqlite3_expanded_sql(stmt);
    told->sql = arena_strdup(reading->arena, text ? text : sqlite3_sql(stmt));
    sqlite3_free(text);
    db_release(reading->db, stmt);
    return told->sql ? HERO__V1__CODE__OK : no_memory(explaining);
}

static Code add_statement(struct explaining *explaining, struct query *query)
{
    struct reading *reading = &explaining->reading;
    Hero__V1__ExplainResponse *ret = explaining->ret;
    struct plan *plan = arena_alloc(reading->arena, sizeof(*plan));
    Hero__V1__ExplainedStatement *told = arena_alloc(reading->arena, sizeof(*told));
    if (!plan || !told)
        return no_memory(explaining);
    hero__v1__explained_statement__init(told);
    plan->told = told;
    told->plan = arena_array(reading->arena, MAX_PLAN, sizeof(*told->plan));
    told->indexes = arena_array(reading->arena, MAX_PLAN, sizeof(*told->indexes));
    if (!told->plan || !told->indexes)
        return no_memory(explaining);
    Code code = tell_text(explaining, query, told);
    if (code == HERO__V1__CODE__OK)
        code = read_plan(explaining, sql_text(&query->sql), plan);
    if (code == HERO__V1__CODE__OK)
        code = find_missing(explaining, sql_text(&query->sql), plan);
    ret->statements[ret->n_statements++] = told;
    return code == HERO__V1__CODE__OK ? reading_row(reading, strlen(told->sql) + 1024) : code;
}

/* ---- the statements of a list ---- */

static Code explain_page(struct explaining *explaining)
{
    struct page *page = &explaining->page;
    struct query query;
    struct order_piece piece;
    Code code = HERO__V1__CODE__OK;
    if (!page->after) {
        page_query(page, NULL, page->size + 1, &query);
        return add_statement(explaining, &query);
    }
    bool is_there = order_first(&page->order, page->after, &piece);
    while (is_there && code == HERO__V1__CODE__OK) {
        page_query(page, &piece, page->size + 1, &query);
        code = add_statement(explaining, &query);
        is_there = order_next(&page->order, page->after, &piece);
    }
    return code;
}

/* As for several parents, whose keys nobody knows yet. */
static Code explain_expansions(struct explaining *explaining, const struct expand *expand)
{
    static const struct key_list keys = {0, 0, NULL};
    Code code = HERO__V1__CODE__OK;
    for (; expand && code == HERO__V1__CODE__OK; expand = expand->next) {
        struct query query;
        expand_level_query(&explaining->reading, expand, NULL, &keys, &query);
        code = add_statement(explaining, &query);
        if (code == HERO__V1__CODE__OK && expand->asked && expand->asked->total && expand->cap) {
            expand_total_query(&explaining->reading, expand, &keys, &query);
            code = add_statement(explaining, &query);
        }
        if (code == HERO__V1__CODE__OK)
            code = explain_expansions(explaining, expand->children);
    }
    return code;
}

static size_t count_levels(const struct expand *expand)
{
    size_t n = 0;
    for (; expand; expand = expand->next)
        n += 1 + count_levels(expand->children);
    return n;
}

static Code run(struct explaining *explaining)
{
    struct reading *reading = &explaining->reading;
    struct page *page = &explaining->page;
    struct query query;
    add_filter(explaining, page->filter);
    add_joins(explaining, &page->scope);
    add_order(explaining, &page->order, NULL);
    add_expansion(explaining, explaining->tree);
    explaining->ret->statements =
        arena_array(reading->arena, 2 * page->order.n + 2 + 2 * count_levels(explaining->tree),
                    sizeof(*explaining->ret->statements));
    explaining->trial = explain_trial_new(reading);
    if (!explaining->ret->statements || !explaining->trial)
        return reading->fault->code ? reading->fault->code : no_memory(explaining);
    Code code = page_find_sparse(page);
    if (code == HERO__V1__CODE__OK)
        code = explain_page(explaining);
    if (code == HERO__V1__CODE__OK)
        code = explain_expansions(explaining, explaining->tree);
    if (code == HERO__V1__CODE__OK && explaining->total.kind) {
        page_total_query(page, &explaining->total, &query);
        code = add_statement(explaining, &query);
    }
    return code;
}

Code store_explain(struct store *store, struct store_read *read,
                   const Hero__V1__ExplainRequest *request, Hero__V1__ExplainResponse *ret,
                   struct fault *fault)
{
    struct explaining explaining = {
        .reading = {.store = store, .read = read, .arena = read->arena, .fault = fault},
        .ret = ret};
    if (!request->list)
        return fault_add(fault, "list", "is missing: the list to explain");
    explaining.page.reading = &explaining.reading;
    Code code = list_ask(&explaining.page, &explaining.total, &explaining.tree, request->list);
    if (code != HERO__V1__CODE__OK)
        fault_prefix(fault, "list");
    else
        code = pool_take(store, read, &explaining.reading.db, fault);
    if (code != HERO__V1__CODE__OK)
        return code;
    code = run(&explaining);
    explain_trial_free(explaining.trial);
    pool_give(store, explaining.reading.db);
    return code;
}
