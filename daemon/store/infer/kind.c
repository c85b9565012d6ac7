/*
 * From a column's declaration and what it holds to what it becomes: the
 * protobuf type, the format, sql_type where Hero would declare another.
 *
 * The declaration says what is meant, the values whether it is so. Where they
 * disagree the kind is one that can carry every value there is, and a comment
 * says so.
 */
#include <string.h>
#include "infer.h"

typedef struct infer_values Values;

static const struct {
    const char *name, *sql; /* in the .proto; as Hero declares it */
} kinds[] = {
    [INFER_INT64] = {"int64", "INTEGER"},
    [INFER_DOUBLE] = {"double", "FLOAT"},
    [INFER_BOOL] = {"bool", "BOOLEAN"},
    [INFER_STRING] = {"string", "VARCHAR"},
    [INFER_BYTES] = {"bytes", "BLOB"},
    [INFER_TIMESTAMP] = {"google.protobuf.Timestamp", "DATETIME"},
    [INFER_DATE] = {"string", "DATE"},
    [INFER_UUID] = {"string", "CHAR(32)"},
    [INFER_DECIMAL] = {"string", "TEXT"},
};

const char *infer_kind_name(enum infer_kind kind)
{
    return kinds[kind].name;
}

static uint64_t n_values(const Values *v)
{
    return v->integers + v->reals + v->texts + v->blobs;
}

/* What sql_type takes: words, and one or two numbers in parentheses. */
static bool is_plain_type(const char *type)
{
    size_t len = strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ");
    const char *rest = type + len;
    if (strlen(type) > 100 || (*type >= '0' && *type <= '9') || *type == ' ')
        return false;
    if (len > 0 && *rest == '(') {
        rest += 1 + strspn(rest + 1, "0123456789+- ,");
        rest += *rest == ')';
    }
    return *rest == '\0';
}

void infer_set_kind(struct infer *infer, struct infer_column *column, enum infer_kind kind)
{
    const char *declared = column->shape->type ? column->shape->type : "";
    (void)infer;
    column->kind = kind;
    column->sql_type = declared;
    bool carries = kind == INFER_BYTES && column->values.blobs < n_values(&column->values);
    if ((sqlite3_stricmp(declared, kinds[kind].sql) == 0 && !carries) || !is_plain_type(declared))
        column->sql_type = NULL;
}

/* ---- declarations ---- */

enum meant {
    MEANT_NOTHING, /* no type, or one that says nothing */
    MEANT_INTEGER,
    MEANT_REAL,
    MEANT_TEXT,
    MEANT_BYTES,
    MEANT_BOOL,
    MEANT_TIMESTAMP,
    MEANT_DATE,
    MEANT_UUID,
    MEANT_DECIMAL,
    MEANT_LONG_UUID, /* with dashes; or any text */
    MEANT_EITHER,    /* INTEGER_OR_TEXT: texts carry both */
};

/* What people mean by a type's first word; else SQLite's rules of affinity. */
static const struct {
    const char *word;
    enum meant meant;
} words[] = {
    {"BOOL", MEANT_BOOL},           {"BOOLEAN", MEANT_BOOL},    {"DATETIME", MEANT_TIMESTAMP},
    {"TIMESTAMP", MEANT_TIMESTAMP}, {"DATE", MEANT_DATE},       {"UUID", MEANT_UUID},
    {"NUMERIC", MEANT_DECIMAL},     {"DECIMAL", MEANT_DECIMAL}, {"TIME", MEANT_TEXT},
    {"JSON", MEANT_TEXT},           {"ANY", MEANT_NOTHING},
};

static bool contains(const char *type, const char *part)
{
    size_t len = strlen(part);
    for (; *type; type++)
        if (sqlite3_strnicmp(type, part, (int)len) == 0)
            return true;
    return false;
}

static enum meant meant_by(const char *type)
{
    size_t len = strcspn(type, " (");
    if (sqlite3_stricmp(type, "CHAR(32)") == 0)
        return MEANT_UUID; /* what SQLModel declares; the values decide */
    if (contains(type, "(36)"))
        return MEANT_LONG_UUID;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strlen(words[i].word) == len && sqlite3_strnicmp(type, words[i].word, (int)len) == 0)
            return words[i].meant;
    bool integer = contains(type, "INT");
    if (integer && (contains(type, "TEXT") || contains(type, "CHAR")))
        return MEANT_EITHER;
    if (integer)
        return MEANT_INTEGER;
    if (contains(type, "CHAR") || contains(type, "CLOB") || contains(type, "TEXT"))
        return MEANT_TEXT;
    if (contains(type, "BLOB"))
        return MEANT_BYTES;
    if (contains(type, "REAL") || contains(type, "FLOA") || contains(type, "DOUB"))
        return MEANT_REAL;
    return MEANT_NOTHING;
}

/* ---- values ---- */

static uint64_t n_numbers(const Values *v)
{
    return v->integers + v->reals;
}

static bool only_bools(const Values *v)
{
    return v->integers == n_values(v) && (v->integers == 0 || (v->least >= 0 && v->most <= 1));
}

/* Does the kind carry every value as it is? */
static bool fits(enum infer_kind kind, const Values *v)
{
    uint64_t n = n_values(v);
    switch (kind) {
    case INFER_INT64:
        return v->integers == n;
    case INFER_DOUBLE:
        return n_numbers(v) == n && v->large_integers == 0;
    case INFER_BOOL:
        return only_bools(v);
    case INFER_STRING:
        return v->texts == n && v->unsafe_texts == 0;
    case INFER_BYTES:
        return v->blobs == n;
    case INFER_TIMESTAMP:
        return v->timestamps == n;
    case INFER_DATE:
        return v->dates == n;
    case INFER_UUID:
        return v->uuids == n;
    case INFER_DECIMAL:
        return v->decimals == n;
    }
    return false;
}

/* The plainest kind that carries what is there: texts carry numbers too, bytes texts. */
static enum infer_kind widest(const Values *v)
{
    if (v->unsafe_texts > 0 || v->blobs > 0)
        return INFER_BYTES;
    if (v->texts > 0 || v->infinities > 0)
        return INFER_STRING;
    if (v->reals == 0)
        return INFER_INT64;
    return v->large_integers > 0 ? INFER_STRING : INFER_DOUBLE;
}

static enum infer_kind kind_meant(enum meant meant)
{
    switch (meant) {
    case MEANT_INTEGER:
        return INFER_INT64;
    case MEANT_REAL:
        return INFER_DOUBLE;
    case MEANT_BOOL:
        return INFER_BOOL;
    case MEANT_BYTES:
        return INFER_BYTES;
    case MEANT_TIMESTAMP:
        return INFER_TIMESTAMP;
    case MEANT_DATE:
        return INFER_DATE;
    case MEANT_UUID:
    case MEANT_LONG_UUID:
        return INFER_UUID;
    case MEANT_DECIMAL:
        return INFER_DECIMAL;
    case MEANT_NOTHING:
    case MEANT_TEXT:
    case MEANT_EITHER:
        break;
    }
    return INFER_STRING;
}

/* ---- comments ---- */

static void say_what_is_there(struct infer *infer, struct infer_column *column)
{
    static const char *const names[] = {"integers", "real numbers", "texts", "blobs"};
    const Values *v = &column->values;
    const uint64_t counts[] = {v->integers, v->reals, v->texts, v->blobs};
    const char *list = NULL;
    for (int i = 0; i < 4; i++)
        if (counts[i] > 0)
            list = arena_printf(infer->arena, "%s%s%s (%llu)", list ? list : "", list ? ", " : "",
                                names[i], (unsigned long long)counts[i]);
    infer_say(infer, &column->comments, "Declared %s, it holds %s%s.",
              *column->shape->type ? column->shape->type : "without a type",
              list ? list : "nothing", v->unsafe_texts > 0 ? " (some not UTF-8)" : "");
}

static void say_form(struct infer *infer, struct infer_column *column)
{
    enum infer_kind meant = kind_meant(meant_by(column->shape->type));
    const char *form = meant == INFER_TIMESTAMP ? "as 2026-11-23 12:00:00.000000"
                       : meant == INFER_DATE    ? "as 2026-11-23"
                       : meant == INFER_UUID    ? "32 lower-case hexadecimal digits"
                                                : "a plain decimal number";
    infer_say(infer, &column->comments, "Declared %s; not every text in it is %s.",
              column->shape->type, form);
}

/* ---- the choice ---- */

/* A declared type that says nothing, or none. */
static enum infer_kind by_values(struct infer *infer, struct infer_column *column)
{
    if (n_values(&column->values) == 0)
        infer_say(infer, &column->comments,
                  "Neither its declaration (%s) nor a value says what it is: string is a guess.",
                  *column->shape->type ? column->shape->type : "none");
    else if (widest(&column->values) == INFER_STRING && !fits(INFER_STRING, &column->values)) {
        infer_say(infer, &column->comments,
                  "Texts carry its numbers too; what is written is a text.");
        say_what_is_there(infer, column);
    }
    return n_values(&column->values) == 0 ? INFER_STRING : widest(&column->values);
}

/* CURRENT_TIMESTAMP has no microseconds: as texts the two don't compare. */
static bool has_default(const struct infer_column *column)
{
    const char *sql = column->shape->default_sql;
    return sql && sqlite3_stricmp(sql, "NULL") != 0;
}

static enum infer_kind choose(struct infer *infer, struct infer_column *column)
{
    const char *type = column->shape->type ? column->shape->type : "";
    const Values *v = &column->values;
    enum meant meant = meant_by(type);
    enum infer_kind kind = kind_meant(meant);
    if (meant == MEANT_NOTHING)
        return by_values(infer, column);
    if (meant == MEANT_UUID && n_values(v) == 0) {
        infer_say(infer, &column->comments,
                  "%s may be a uuid, as SQLModel stores it (format: UUID); no value tells.", type);
        return INFER_STRING;
    }
    if (meant == MEANT_TIMESTAMP && n_values(v) == 0 && has_default(column)) {
        infer_say(infer, &column->comments,
                  "google.protobuf.Timestamp, if all writers write it as 2026-11-23 "
                  "12:00:00.000000; its default doesn't.");
        return INFER_STRING;
    }
    if (meant == MEANT_LONG_UUID)
        return v->long_uuids > 0 && v->long_uuids == n_values(v) ? INFER_UUID
               : fits(INFER_STRING, v)                           ? INFER_STRING
                                                                 : by_values(infer, column);
    if (fits(kind, v) || (meant == MEANT_EITHER && v->blobs + v->unsafe_texts == 0))
        return kind;
    if (fits(INFER_STRING, v) && meant != MEANT_INTEGER && meant != MEANT_REAL &&
        meant != MEANT_BOOL && meant != MEANT_BYTES) {
        if (meant != MEANT_UUID || v->uuids > 0)
            say_form(infer, column);
        return INFER_STRING;
    }
    kind = widest(v);
    if (kind == INFER_BYTES && v->blobs < n_values(v))
        infer_say(infer, &column->comments,
                  "Bytes carry its other values too, as texts; what is written is a blob.");
    say_what_is_there(infer, column);
    return kind;
}

void infer_kinds(struct infer *infer)
{
    for (size_t t = 0; t < infer->n_tables; t++) {
        struct infer_table *table = &infer->tables[t];
        for (size_t i = 0; i < table->n_columns && !table->left_out; i++) {
            struct infer_column *column = &table->columns[i];
            infer_set_kind(infer, column, choose(infer, column));
            if (!is_plain_type(column->shape->type ? column->shape->type : ""))
                infer_say(infer, &column->comments, "Its declared type can't be said here: %s",
                          column->shape->type);
        }
    }
}
