/*
 * What becomes of a column's values when the column becomes another: filled
 * where NULL no longer may be, converted where SQLite holds the new kind
 * otherwise, looked at one by one where not every value fits.
 *
 * A value fits where the new column reads it as what it was: nothing is
 * rounded, cut or guessed.
 */
#include <string.h>
#include "column.h"
#include "ddl.h"
#include "names.h"
#include "plan.h"

/* How SQLite holds a kind. A kind that isn't listed is held in a way of its
 * own: there is no way from it or to it. */
enum storage { STORED_OWN, STORED_INTEGER, STORED_REAL, STORED_TEXT, STORED_BLOB, N_STORAGES };

static const struct {
    enum storage storage;
    int64_t least;
    uint64_t most; /* of integers */
    const char *words;
} kinds[COLUMN_KINDS] = {
    [COLUMN_INT32] = {STORED_INTEGER, INT32_MIN, INT32_MAX, "an int32"},
    [COLUMN_UINT32] = {STORED_INTEGER, 0, UINT32_MAX, "a uint32"},
    [COLUMN_INT64] = {STORED_INTEGER, INT64_MIN, INT64_MAX, "an int64"},
    [COLUMN_UINT64] = {STORED_INTEGER, 0, INT64_MAX, "a uint64"},
    [COLUMN_BOOL] = {STORED_INTEGER, 0, 1, "a bool"},
    [COLUMN_FLOAT] = {STORED_REAL, 0, 0, "a float"},
    [COLUMN_DOUBLE] = {STORED_REAL, 0, 0, "a double"},
    [COLUMN_TEXT] = {STORED_TEXT, 0, 0, "a text"},
    [COLUMN_DATE] = {STORED_TEXT, 0, 0, "a date"},
    [COLUMN_DECIMAL] = {STORED_TEXT, 0, 0, "a decimal"},
    [COLUMN_BYTES] = {STORED_BLOB, 0, 0, "bytes"},
    [COLUMN_ENUM] = {STORED_OWN, 0, 0, "an enum"},
    [COLUMN_TIMESTAMP] = {STORED_OWN, 0, 0, "a timestamp"},
    [COLUMN_UUID] = {STORED_OWN, 0, 0, "a uuid"},
    [COLUMN_JSON] = {STORED_OWN, 0, 0, "a message or list"},
};

/* From row to column of the table: the expression, and the way back. What is
 * not there is no way. */
#define SAME                                                                                       \
    {                                                                                              \
        "%s", NULL                                                                                 \
    }
#define AS(there, back)                                                                            \
    {                                                                                              \
        "CAST(%s AS " there ")", "CAST(CAST(%s AS " there ") AS " back ")"                         \
    }
static const struct {
    const char *there, *back;
} ways[N_STORAGES][N_STORAGES] = {
    [STORED_INTEGER] = {[STORED_INTEGER] = SAME,
                        [STORED_REAL] = AS("REAL", "INTEGER"),
                        [STORED_TEXT] = AS("TEXT", "INTEGER")},
    [STORED_REAL] = {[STORED_INTEGER] = AS("INTEGER", "REAL"), [STORED_REAL] = SAME},
    [STORED_TEXT] = {[STORED_INTEGER] = AS("INTEGER", "TEXT"),
                     [STORED_REAL] = AS("REAL", "TEXT"),
                     [STORED_TEXT] = SAME,
                     [STORED_BLOB] = AS("BLOB", "TEXT")},
    [STORED_BLOB] = {[STORED_TEXT] = AS("TEXT", "BLOB"), [STORED_BLOB] = SAME},
};

static bool is_integer(enum column_kind kind)
{
    return kinds[kind].storage == STORED_INTEGER;
}

/* Does every value of the one fit the other? */
static bool always_fits(enum column_kind was, enum column_kind is)
{
    if (was == is || (was == COLUMN_FLOAT && is == COLUMN_DOUBLE))
        return true;
    if (is == COLUMN_TEXT)
        return is_integer(was) || kinds[was].storage == STORED_TEXT;
    if (is == COLUMN_DOUBLE)
        return was == COLUMN_INT32 || was == COLUMN_UINT32 || was == COLUMN_BOOL;
    if (is == COLUMN_BYTES)
        return was == COLUMN_TEXT;
    return is_integer(was) && is_integer(is) && kinds[was].least >= kinds[is].least &&
           kinds[was].most <= kinds[is].most;
}

static const char *type_words(const struct column *column)
{
    const char *words = kinds[column->kind].words;
    return words ? words : "of another kind";
}

/* ---- looking at each value ---- */

/* Is what the new column read the value that was given to it? */
static bool same_value(struct key_value read, sqlite3_stmt *stmt, int index)
{
    if (read.type != sqlite3_column_type(stmt, index))
        return false;
    switch (read.type) {
    case SQLITE_INTEGER:
        return read.integer == sqlite3_column_int64(stmt, index);
    case SQLITE_FLOAT:
        return read.real == sqlite3_column_double(stmt, index);
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        return read.len == (size_t)sqlite3_column_bytes(stmt, index) &&
               memcmp(read.data, sqlite3_column_blob(stmt, index), read.len) == 0;
    default:
        return false;
    }
}

static bool fits(const struct column *is, sqlite3_stmt *stmt, ProtobufCMessage *record,
                 struct arena *scratch)
{
    struct fault ignored = FAULT_INIT;
    Code code = column_read(stmt, 0, is, record, NULL, scratch, &ignored);
    bool there_and_back = sqlite3_column_int(stmt, 1) != 0;
    fault_done(&ignored);
    if (code != HERO__V1__CODE__OK || !there_and_back)
        return false;
    /* JSON may be written in several ways. */
    return is->kind == COLUMN_JSON || same_value(column_value(is, record, scratch), stmt, 0);
}

#define FIRST_KEY 2 /* result columns: the value, whether it came back, the key */

/* SELECT value, value of the way back IS old value, key FROM table WHERE old IS NOT NULL */
static const char *misfit_query(struct plan *plan, const struct plan_table *table,
                                const struct plan_column *column, const char *back)
{
    const char *name = name_quoted(plan->arena, column->was->name);
    struct sql sql;
    sql_init(&sql, plan->arena);
    sql_add(&sql, "SELECT ");
    sql_add(&sql, plan_value(plan, column->way, name));
    sql_add(&sql, ", ");
    sql_add(&sql, back ? plan_value(plan, back, name) : "1");
    if (back) {
        sql_add(&sql, " IS ");
        sql_add(&sql, name);
    }
    for (size_t i = 0; i < table->was->n_primary_key; i++)
        sql_column(&sql, ", ", table->was->primary_key[i]);
    sql_add(&sql, " FROM ");
    sql_table(&sql, table->was);
    sql_add(&sql, " WHERE ");
    sql_add(&sql, name);
    sql_add(&sql, " IS NOT NULL");
    return sql_text(&sql);
}

static Code find_misfits(struct plan *plan, const struct plan_table *table,
                         const struct plan_column *column, const char *back,
                         struct plan_rows *misfits)
{
    const char *query = misfit_query(plan, table, column, back);
    ProtobufCMessage *record = dynamic_message(plan->arena, table->is->descriptor);
    struct arena scratch;
    int rc;
    if (!query || !record)
        return plan_exhausted(plan);
    sqlite3_stmt *stmt = db_prepare(plan->db, query, plan->fault);
    if (!stmt)
        return plan->fault->code;
    arena_init(&scratch, 64u << 20);
    while ((rc = db_step(plan->db, stmt)) == SQLITE_ROW) {
        if (!fits(column->is, stmt, record, &scratch))
            plan_rows_add(plan, table->was, stmt, FIRST_KEY, misfits);
        arena_reset(&scratch);
    }
    arena_done(&scratch);
    Code code = rc == SQLITE_DONE ? HERO__V1__CODE__OK
                                  : db_fault(plan->db, rc, plan->fault, "looking at values");
    db_release(plan->db, stmt);
    return code;
}

static Code check_values(struct plan *plan, const struct plan_table *table,
                         const struct plan_column *column, const char *back)
{
    struct plan_rows misfits = {0};
    Code code = find_misfits(plan, table, column, back, &misfits);
    if (code == HERO__V1__CODE__OK && misfits.n > 0)
        plan_tell_rows(plan, table, column->is->field_name, &misfits,
                       arena_printf(plan->arena, "holds what is not %s", type_words(column->is)),
                       "");
    return code;
}

/* ---- enums ---- */

static const ProtobufCEnumDescriptor *enum_of(const struct column *column)
{
    return column->field->descriptor;
}

static const char *quoted(struct plan *plan, const char *text)
{
    char *sql = sqlite3_mprintf("%Q", text);
    const char *copy = arena_strdup(plan->arena, sql);
    sqlite3_free(sql);
    return copy;
}

/* Rows with a value that is gone stay what they are: in the way. */
static Code check_gone(struct plan *plan, const struct plan_table *table,
                       const struct plan_column *column)
{
    const ProtobufCEnumDescriptor *was = enum_of(column->was), *is = enum_of(column->is);
    const char *name = name_quoted(plan->arena, column->was->name);
    Code code = HERO__V1__CODE__OK;
    for (unsigned i = 0; i < was->n_value_names && code == HERO__V1__CODE__OK; i++) {
        const char *value = was->values_by_name[i].name;
        if (enum_name_since(was, is, value))
            continue;
        code = plan_obstacle(
            plan, table, column->is->field_name,
            arena_printf(plan->arena, "%s = %s", name ? name : "", quoted(plan, value)),
            arena_printf(plan->arena, "no longer has the value %s, which is", value),
            ": give them another");
    }
    return code;
}

/* CASE: all names change at once, though one may take another's place. */
static Code rename_values(struct plan *plan, const struct plan_table *table,
                          struct plan_column *column)
{
    const ProtobufCEnumDescriptor *was = enum_of(column->was), *is = enum_of(column->is);
    const char *cases = "";
    for (unsigned i = 0; i < was->n_value_names && cases; i++) {
        const char *value = was->values_by_name[i].name, *now = enum_name_since(was, is, value);
        if (now && strcmp(now, value) != 0)
            cases = arena_printf(plan->arena, "%s WHEN %s THEN %s", cases, quoted(plan, value),
                                 quoted(plan, now));
    }
    column->way = "%s";
    if (cases && *cases)
        column->way = arena_printf(plan->arena, "CASE %%s%s ELSE %%s END", cases);
    if (!cases || !column->way)
        return plan_exhausted(plan);
    return check_gone(plan, table, column);
}

/* ---- the expression ---- */

#define RANDOM_DIGITS                                                                              \
    "hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 2) || substr('89AB', 1 + (random() "  \
    "& 3), 1) || substr(hex(randomblob(8)), 2)"
#define WITH_DASHES(digits)                                                                        \
    "substr(" digits ", 1, 8) || '-' || substr(" digits ", 9, 4) || '-' || substr(" digits         \
    ", 13, 4) || '-' || substr(" digits ", 17, 4) || '-' || substr(" digits ", 21)"

/* What takes the place of NULL; NULL: nothing can. */
static const char *fill_of(const struct column *is, struct arena *arena)
{
    static const char *const zeros[N_STORAGES] = {
        [STORED_INTEGER] = "0", [STORED_REAL] = "0.0", [STORED_TEXT] = "''", [STORED_BLOB] = "X''"};
    if (is->default_kind != DEFAULT_NONE)
        return ddl_default(is, arena);
    if (is->generated)
        return is->dashes ? "(SELECT " WITH_DASHES("u") " FROM (SELECT lower(" RANDOM_DIGITS
                                                        ") AS u))"
                          : "lower(" RANDOM_DIGITS ")";
    if (column_is_list(is))
        return "'[]'";
    /* proto3: absence is the zero of the type */
    return is->field->label == PROTOBUF_C_LABEL_NONE ? zeros[kinds[is->kind].storage] : NULL;
}

static Code fill_nulls(struct plan *plan, const struct plan_table *table,
                       struct plan_column *column)
{
    const struct column *was = column->was, *is = column->is;
    if (is->read_only || !is->not_null || is->primary_key ||
        (was && (was->not_null || was->primary_key)))
        return HERO__V1__CODE__OK;
    column->fill = fill_of(is, plan->arena);
    if (column->fill)
        return HERO__V1__CODE__OK;
    const char *condition =
        was ? arena_printf(plan->arena, "%s IS NULL", name_quoted(plan->arena, was->name)) : "1";
    return was ? plan_obstacle(plan, table, is->field_name, condition,
                               "shall be NOT NULL and is NULL",
                               ": give them a value, or the column a default")
               : plan_obstacle(plan, table, is->field_name, condition,
                               "is NOT NULL and new: it has no value",
                               "; give it a default, or let it be NULL");
}

static void refuse_type(struct plan *plan, const struct plan_table *table,
                        const struct plan_column *column)
{
    fault_add(plan->fault, plan_path(plan, table->is, column->is->field_name),
              "can't become %s: it is %s in the served model%s; give the new field a number of its "
              "own",
              type_words(column->is), type_words(column->was),
              column->is->kind == column->was->kind ? ", stored otherwise" : "");
    fault_set(plan->fault, HERO__V1__CODE__FAILED_PRECONDITION, "%s: %s",
              plan->fault->violations[0].path, plan->fault->violations[0].description);
}

/* SQLite would make numbers of some of the texts. */
static bool would_round(const struct column *was, const struct column *is)
{
    return is->affinity != was->affinity && is->affinity == AFFINITY_NUMERIC &&
           (is->kind == COLUMN_DECIMAL || is->kind == COLUMN_TEXT);
}

static const char *uuid_way(const struct column *was, const struct column *is)
{
    if (was->dashes == is->dashes)
        return "%s";
    return is->dashes ? WITH_DASHES("%s") : "replace(%s, '-', '')";
}

/* From a kind to another, or to another form of it. NULL: there is no way. */
static const char *way_of(const struct column *was, const struct column *is)
{
    if (would_round(was, is) || column_is_list(was) != column_is_list(is))
        return NULL;
    if (was->kind == COLUMN_UUID && is->kind == COLUMN_UUID)
        return uuid_way(was, is);
    if (was->kind == COLUMN_UUID && is->kind == COLUMN_TEXT)
        return was->dashes ? "%s" : WITH_DASHES("%s");
    if (was->kind == COLUMN_TEXT && is->kind == COLUMN_UUID && !is->dashes)
        return "lower(replace(%s, '-', ''))";
    if ((was->kind == COLUMN_ENUM && is->kind == COLUMN_TEXT) ||
        (was->kind == COLUMN_TEXT && (is->kind == COLUMN_ENUM || is->kind == COLUMN_UUID)))
        return "%s";
    if (was->kind == is->kind && kinds[is->kind].storage != STORED_TEXT)
        return "%s";
    if (was->affinity == AFFINITY_NUMERIC && is->affinity != AFFINITY_NUMERIC &&
        was->kind == COLUMN_DECIMAL && kinds[is->kind].storage == STORED_TEXT)
        return "CAST(%s AS TEXT)"; /* what SQLite had made numbers of */
    return ways[kinds[was->kind].storage][kinds[is->kind].storage].there;
}

static bool is_sure(const struct column *was, const struct column *is)
{
    if (was->kind == COLUMN_JSON && is->kind == COLUMN_JSON)
        return !column_type_changes(was, is, NULL, NULL);
    return always_fits(was->kind, is->kind) ||
           (is->kind == COLUMN_TEXT && (was->kind == COLUMN_UUID || was->kind == COLUMN_ENUM));
}

static Code convert(struct plan *plan, const struct plan_table *table, struct plan_column *column)
{
    const struct column *was = column->was, *is = column->is;
    if (was->kind == COLUMN_ENUM && is->kind == COLUMN_ENUM)
        return rename_values(plan, table, column);
    column->way = way_of(was, is);
    if (!column->way) {
        refuse_type(plan, table, column);
        return HERO__V1__CODE__OK;
    }
    if (is_sure(was, is))
        return HERO__V1__CODE__OK;
    return check_values(plan, table, column,
                        ways[kinds[was->kind].storage][kinds[is->kind].storage].back);
}

Code plan_conversion(struct plan *plan, const struct plan_table *table, struct plan_column *column)
{
    Code code = column->was ? convert(plan, table, column) : HERO__V1__CODE__OK;
    return code == HERO__V1__CODE__OK ? fill_nulls(plan, table, column) : code;
}

const char *plan_value(struct plan *plan, const char *way, const char *name)
{
    const char *text = "", *at;
    if (!way || !name)
        return NULL;
    for (; text && (at = strstr(way, "%s")) != NULL; way = at + 2)
        text = arena_printf(plan->arena, "%s%.*s%s", text, (int)(at - way), way, name);
    return text ? arena_printf(plan->arena, "%s%s", text, way) : NULL;
}
