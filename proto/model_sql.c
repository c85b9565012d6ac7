/*
 * Owns the looks at SQL that stands in options: it becomes part of statements
 * of ours, so it must be one expression, or one type, and nothing more. Whether
 * an expression means something is SQLite's to say.
 */
#include "model_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "names.h"

#define SQL_MAX_BYTES 4000
#define PARENTHESES_MAX 100

/* One expression in parentheses of ours, whose values are the row's alone. */
const char *check_refused(const char *sql)
{
    unsigned open = 0;
    if (!sql || strlen(sql) > SQL_MAX_BYTES)
        return "it is not a text of at most 4000 bytes";
    const char *why = expression_refused(sql);
    char quote = '\0';
    for (const char *at = sql; *at && !why; at++) {
        if (quote) {
            quote = *at == quote ? '\0' : quote;
        } else if (strchr("'\"`[", *at)) {
            quote = *at == '[' ? ']' : *at;
        } else if (strchr("?$@#:", *at)) {
            why = "it has a parameter, and there is nobody to give it a value";
        } else if (*at == '(' && ++open > PARENTHESES_MAX) {
            why = "it has more than 100 parentheses";
        }
    }
    return why;
}

static bool is_constraint_word(const char *word, size_t len)
{
    static const char *const words[] = {"constraint", "primary", "not",          "null",
                                        "unique",     "check",   "default",      "collate",
                                        "references", "as",      "generated",    "on",
                                        "deferrable", "foreign", "autoincrement"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
            return true;
    return false;
}

static const char *skip_number(const char *at)
{
    at += strspn(at, " ");
    at += *at == '-' || *at == '+';
    size_t digits = strspn(at, "0123456789");
    at += digits;
    return digits ? at + strspn(at, " ") : NULL;
}

/* Words, then one or two numbers in parentheses: DOUBLE PRECISION, NUMERIC(10, 2).
 * None at all is a type too. */
const char *sql_type_refused(const char *type)
{
    const char *at = type;
    if (strlen(type) > 100)
        return "is longer than 100 bytes";
    while (isalpha((unsigned char)*at) || *at == '_') {
        size_t len = 0;
        while (isalnum((unsigned char)at[len]) || at[len] == '_')
            len++;
        if (is_constraint_word(at, len))
            return "holds a word that begins a constraint";
        at += len;
        at += strspn(at, " ");
    }
    if (at > type && *at == '(') {
        at = skip_number(at + 1);
        if (at && *at == ',')
            at = skip_number(at + 1);
        if (!at || *at != ')')
            return "is not of the form NAME or NAME(10, 2)";
        at++;
    }
    return *at ? "is not of the form NAME or NAME(10, 2)" : NULL;
}

static bool holds(const char *type, const char *part)
{
    return strcasestr(type, part) != NULL;
}

/* https://www.sqlite.org/datatype3.html, 3.1: the first rule that fits. */
static enum sql_affinity affinity_of_type(const char *type)
{
    if (holds(type, "int"))
        return AFFINITY_NUMERIC;
    if (holds(type, "char") || holds(type, "clob") || holds(type, "text"))
        return AFFINITY_TEXT;
    if (!*type || holds(type, "blob"))
        return AFFINITY_NONE;
    if (holds(type, "real") || holds(type, "floa") || holds(type, "doub"))
        return AFFINITY_REAL;
    return AFFINITY_NUMERIC;
}

enum sql_affinity column_affinity(enum column_kind kind, const char *sql_type)
{
    if (sql_type)
        return affinity_of_type(sql_type);
    switch (kind) {
    case COLUMN_INT32:
    case COLUMN_UINT32:
    case COLUMN_INT64:
    case COLUMN_UINT64:
    case COLUMN_BOOL:
    case COLUMN_TIMESTAMP: /* DATETIME, DATE, JSON */
    case COLUMN_DATE:
    case COLUMN_JSON:
        return AFFINITY_NUMERIC;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return AFFINITY_REAL;
    case COLUMN_TEXT:
    case COLUMN_ENUM:
    case COLUMN_UUID:
    case COLUMN_DECIMAL:
        return AFFINITY_TEXT;
    case COLUMN_BYTES:
        break;
    }
    return AFFINITY_NONE;
}

const char *affinity_refused(const struct column *column)
{
    switch (column->kind) {
    case COLUMN_INT32:
    case COLUMN_UINT32:
    case COLUMN_INT64:
    case COLUMN_UINT64:
    case COLUMN_BOOL:
        if (column->affinity == AFFINITY_REAL)
            return "SQLite makes real numbers of what such a column holds; declare a double";
        return column->affinity == AFFINITY_TEXT
                   ? "SQLite makes text of what such a column holds; declare a string"
                   : NULL;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return column->affinity == AFFINITY_TEXT
                   ? "SQLite makes text of what such a column holds; declare a string"
                   : NULL;
    case COLUMN_TEXT:
    case COLUMN_BYTES:
    case COLUMN_ENUM:
    case COLUMN_TIMESTAMP:
    case COLUMN_DATE:
    case COLUMN_UUID:
    case COLUMN_DECIMAL:
    case COLUMN_JSON:
        break;
    }
    return NULL;
}
