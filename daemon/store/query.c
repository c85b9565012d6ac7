/* A statement's text beside its values. Knows neither models nor requests. */
#include <string.h>
#include "query.h"

#define FIRST_SIZE 16

void query_init(struct query *query, struct arena *arena)
{
    memset(query, 0, sizeof(*query));
    sql_init(&query->sql, arena);
}

static struct query_parameter *add(struct query *query)
{
    if (query->n_parameters == query->size) {
        unsigned size = query->size ? query->size * 2 : FIRST_SIZE;
        struct query_parameter *larger = arena_array(query->sql.arena, size, sizeof(*larger));
        if (!larger) {
            query->sql.failed = true;
            return NULL;
        }
        if (query->n_parameters)
            memcpy(larger, query->parameters, query->n_parameters * sizeof(*larger));
        query->parameters = larger;
        query->size = size;
    }
    return &query->parameters[query->n_parameters++];
}

void query_bound(struct query *query, const struct key_value *value)
{
    struct query_parameter *parameter = add(query);
    if (parameter)
        parameter->value = *value;
}

void query_value(struct query *query, const struct key_value *value)
{
    query_bound(query, value);
    sql_parameter(&query->sql, query->n_parameters);
}

void query_integer(struct query *query, int64_t integer)
{
    struct key_value value = {.type = SQLITE_INTEGER, .integer = integer};
    query_value(query, &value);
}

void query_list(struct query *query, const struct key_list *list)
{
    struct query_parameter *parameter = add(query);
    if (parameter)
        parameter->list = list;
    sql_parameter(&query->sql, query->n_parameters);
}

Code query_bind(const struct query *query, struct db *db, sqlite3_stmt *stmt, struct fault *fault)
{
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < query->n_parameters && rc == SQLITE_OK; i++) {
        const struct query_parameter *parameter = &query->parameters[i];
        rc = parameter->list ? key_list_bind(stmt, (int)i + 1, parameter->list)
                             : key_value_bind(stmt, (int)i + 1, &parameter->value);
    }
    return rc == SQLITE_OK ? HERO__V1__CODE__OK : db_fault(db, rc, fault, "binding values");
}

sqlite3_stmt *query_prepare(struct query *query, struct db *db, struct fault *fault)
{
    const char *text = sql_text(&query->sql);
    if (!text) {
        fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                  "the statement needs more memory than one request may take: ask for less");
        return NULL;
    }
    sqlite3_stmt *stmt = db_prepare(db, text, fault);
    if (stmt && query_bind(query, db, stmt, fault) != HERO__V1__CODE__OK) {
        db_release(db, stmt);
        return NULL;
    }
    return stmt;
}
