/*
 * Looks at every row (as many as the options allow) and counts what each
 * column holds. Views are looked at only where a key shows: the whole primary
 * key of a table they come from, and no two rows with the same.
 */
#include <math.h>
#include <string.h>
#include "../internal.h"
#include "../sql.h"
#include "infer.h"
#include "scan.h"

#define SECOND_NS 1000000000ll

/* ---- forms of texts ---- */

/* Does the text have the form? 0: a digit, others: themselves. */
static bool has_form(const char *text, size_t len, const char *form)
{
    if (len != strlen(form))
        return false;
    for (size_t i = 0; i < len; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static int number(const char *digits, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++)
        value = 10 * value + digits[i] - '0';
    return value;
}

static bool is_day(const char *text)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap);
}

static bool is_timestamp(const char *text, size_t len)
{
    return has_form(text, len, "0000-00-00 00:00:00.000000") && is_day(text) &&
           number(text + 11, 2) < 24 && number(text + 14, 2) < 60 && number(text + 17, 2) < 60;
}

static bool is_uuid(const char *text, size_t len)
{
    return len == 32 && strspn(text, "0123456789abcdef") >= 32;
}

static bool is_long_uuid(const char *text, size_t len)
{
    for (size_t i = 0; i < len && len == 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                    : !strchr("0123456789abcdef", text[i]))
            return false;
    return len == 36;
}

/* 12.50, -3: what a decimal is read as exactly. */
static bool is_decimal(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-', whole = strspn(text + at, "0123456789");
    if (whole == 0)
        return false;
    at += whole;
    if (at == len)
        return true;
    size_t part = text[at] == '.' ? strspn(text + at + 1, "0123456789") : 0;
    return part > 0 && at + 1 + part == len;
}

/* Written without an exponent. */
static bool is_plain_real(double real)
{
    return real == 0 || (fabs(real) >= 1e-4 && fabs(real) < 1e15);
}

static void count_text(struct infer_values *values, const char *text, size_t len)
{
    values->texts++;
    values->unsafe_texts += !scan_text_valid(text, len);
    values->timestamps += is_timestamp(text, len);
    values->dates += has_form(text, len, "0000-00-00") && is_day(text);
    values->uuids += is_uuid(text, len);
    values->long_uuids += is_long_uuid(text, len);
    values->decimals += is_decimal(text, len);
}

static void count_integer(struct infer_values *values, int64_t integer)
{
    bool first = values->integers++ == 0;
    values->large_integers += integer > 1ll << 53 || integer < -(1ll << 53);
    values->decimals++;
    if (first || integer < values->least)
        values->least = integer;
    if (first || integer > values->most)
        values->most = integer;
}

void infer_count(struct infer_values *values, sqlite3_stmt *stmt, int index)
{
    const char *text;
    switch (sqlite3_column_type(stmt, index)) {
    case SQLITE_NULL:
        values->nulls++;
        return;
    case SQLITE_INTEGER:
        count_integer(values, sqlite3_column_int64(stmt, index));
        return;
    case SQLITE_FLOAT:
        values->reals++;
        values->infinities += isinf(sqlite3_column_double(stmt, index)) != 0;
        values->decimals += is_plain_real(sqlite3_column_double(stmt, index));
        return;
    case SQLITE_BLOB:
        values->blobs++;
        return;
    default:
        text = (const char *)sqlite3_column_text(stmt, index);
        count_text(values, text ? text : "", (size_t)sqlite3_column_bytes(stmt, index));
    }
}

/* ---- rows ---- */

static const char *select_text(struct infer *infer, const struct infer_table *table)
{
    struct sql sql;
    sql_init(&sql, infer->arena);
    sql_add(&sql, "SELECT ");
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i > 0)
            sql_add(&sql, ", ");
        sql_name(&sql, table->columns[i].shape->name);
    }
    sql_add(&sql, " FROM ");
    sql_name(&sql, table->shape.name);
    return sql_text(&sql);
}

/* A table's rows end; a view's may not. */
static void start_clock(struct infer *infer, const struct infer_table *table)
{
    int64_t ns = infer->options->seconds * SECOND_NS;
    infer->db->deadline_ns = ns > 0 ? monotonic_ns() + (table->is_view ? ns / 10 : ns) : 0;
}

/* A table that can't be read (a generated column that calls what it may not) has no model. */
static void give_up(struct infer *infer, struct infer_table *table, int rc)
{
    table->left_out =
        arena_printf(infer->arena, "its rows can't be read: %s", sqlite3_errmsg(infer->db->handle));
    if (!table->left_out)
        table->left_out = sqlite3_errstr(rc);
}

static Code is_damaged(struct infer *infer, int rc)
{
    int primary = rc & 0xff;
    bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_IOERR ||
                   primary == SQLITE_NOMEM || primary == SQLITE_NOTADB;
    return damaged ? db_fault(infer->db, rc, infer->fault, "reading rows") : HERO__V1__CODE__OK;
}

static Code look_at_rows(struct infer *infer, struct infer_table *table)
{
    const char *sql = select_text(infer, table);
    uint64_t most = infer->options->rows;
    sqlite3_stmt *stmt = NULL;
    if (!sql)
        return infer_no_memory(infer);
    start_clock(infer, table);
    int rc = sqlite3_prepare_v2(infer->db->handle, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (most > 0 && table->n_rows == most) {
            table->rows_cut = true;
            break;
        }
        table->n_rows++;
        for (size_t i = 0; i < table->n_columns; i++)
            infer_count(&table->columns[i].values, stmt, (int)i);
        rc = SQLITE_OK;
    }
    Code code = is_damaged(infer, rc);
    if ((rc & 0xff) == SQLITE_INTERRUPT)
        table->rows_cut = true;
    else if (rc != SQLITE_DONE && rc != SQLITE_ROW && rc != SQLITE_OK)
        give_up(infer, table, rc);
    sqlite3_finalize(stmt);
    infer->db->deadline_ns = 0;
    if (table->rows_cut)
        infer_say(infer, &table->comments, "Only its first %llu rows were looked at.",
                  (unsigned long long)table->n_rows);
    return code;
}

/* ---- keys of views ---- */

/* The view's columns that come from the table's primary key, if all of it is there. */
static bool take_key_of(const struct infer_table *table, sqlite3_stmt *stmt,
                        struct infer_table *view)
{
    view->n_key = 0;
    for (size_t k = 0; k < table->n_key; k++) {
        for (int i = 0; i < (int)view->n_columns; i++) {
            const char *origin = sqlite3_column_table_name(stmt, i);
            const char *name = sqlite3_column_origin_name(stmt, i);
            if (origin && name && sqlite3_stricmp(origin, table->shape.name) == 0 &&
                sqlite3_stricmp(name, table->key[k]->shape->name) == 0) {
                view->key[view->n_key++] = &view->columns[i];
                break;
            }
        }
        if (view->n_key != k + 1)
            return false;
    }
    return table->n_key > 0;
}

/* 1: no two rows with the same key, and none without. 0: there are. -1: unknown. */
static int key_holds(struct infer *infer, const struct infer_table *view)
{
    struct sql sql;
    sqlite3_stmt *stmt = NULL;
    sql_init(&sql, infer->arena);
    sql_add(&sql, "SELECT 1 FROM ");
    sql_name(&sql, view->shape.name);
    sql_add(&sql, " GROUP BY ");
    for (size_t i = 0; i < view->n_key; i++) {
        sql_add(&sql, i > 0 ? ", " : "");
        sql_name(&sql, view->key[i]->shape->name);
    }
    sql_add(&sql, " HAVING count(*) > 1");
    for (size_t i = 0; i < view->n_key; i++) {
        sql_add(&sql, " OR ");
        sql_name(&sql, view->key[i]->shape->name);
        sql_add(&sql, " IS NULL");
    }
    sql_add(&sql, " LIMIT 1");
    if (!sql_text(&sql) ||
        sqlite3_prepare_v2(infer->db->handle, sql_text(&sql), -1, &stmt, NULL) != SQLITE_OK)
        return -1;
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 1 : rc == SQLITE_ROW ? 0 : -1;
}

static void find_view_key(struct infer *infer, struct infer_table *view)
{
    const char *sql = select_text(infer, view);
    const struct infer_table *origin = NULL;
    sqlite3_stmt *stmt = NULL;
    int holds = 0;
    start_clock(infer, view);
    if (sql && sqlite3_prepare_v2(infer->db->handle, sql, -1, &stmt, NULL) == SQLITE_OK)
        for (size_t i = 0; i < infer->n_tables && holds == 0; i++)
            if (!infer->tables[i].is_view && take_key_of(&infer->tables[i], stmt, view) &&
                (holds = key_holds(infer, view)) == 1)
                origin = &infer->tables[i];
    sqlite3_finalize(stmt);
    infer->db->deadline_ns = 0;
    if (!origin) {
        view->n_key = 0;
        view->left_out = holds < 0
                             ? "it is a view, and reading it failed or took too long"
                             : "it is a view, and no primary key of a table tells its rows apart";
        return;
    }
    for (size_t i = 0; i < view->n_key; i++)
        view->key[i]->primary_key = true;
    infer_say(infer, &view->comments,
              "A view: it can only be read. Its key is that of %s, which no two of its rows share "
              "now.",
              origin->shape.name);
}

Code infer_look(struct infer *infer)
{
    Code code = HERO__V1__CODE__OK;
    for (size_t i = 0; i < infer->n_tables && code == HERO__V1__CODE__OK; i++) {
        struct infer_table *table = &infer->tables[i];
        if (!table->left_out && table->is_view)
            find_view_key(infer, table);
        if (!table->left_out)
            code = look_at_rows(infer, table);
    }
    return code;
}
