/*
 * Owns the rules for names in SQL. The words and characters are those of
 * SQLAlchemy 1.4's SQLite dialect (SQLiteIdentifierPreparer), so that DDL
 * reads the same from either; and the two words more that SQLite reserves.
 */
#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "scan.h"

/* Sorted, for bsearch. */
static const char *const reserved_words[] = {"add",          "after",
                                             "all",          "alter",
                                             "analyze",      "and",
                                             "as",           "asc",
                                             "attach",       "autoincrement",
                                             "before",       "begin",
                                             "between",      "by",
                                             "cascade",      "case",
                                             "cast",         "check",
                                             "collate",      "column",
                                             "commit",       "conflict",
                                             "constraint",   "create",
                                             "cross",        "current_date",
                                             "current_time", "current_timestamp",
                                             "database",     "default",
                                             "deferrable",   "deferred",
                                             "delete",       "desc",
                                             "detach",       "distinct",
                                             "drop",         "each",
                                             "else",         "end",
                                             "escape",       "except",
                                             "exclusive",    "exists",
                                             "explain",      "fail",
                                             "false",        "for",
                                             "foreign",      "from",
                                             "full",         "glob",
                                             "group",        "having",
                                             "if",           "ignore",
                                             "immediate",    "in",
                                             "index",        "indexed",
                                             "initially",    "inner",
                                             "insert",       "instead",
                                             "intersect",    "into",
                                             "is",           "isnull",
                                             "join",         "key",
                                             "left",         "like",
                                             "limit",        "match",
                                             "natural",      "not",
                                             "nothing",      "notnull",
                                             "null",         "of",
                                             "offset",       "on",
                                             "or",           "order",
                                             "outer",        "plan",
                                             "pragma",       "primary",
                                             "query",        "raise",
                                             "references",   "reindex",
                                             "rename",       "replace",
                                             "restrict",     "returning",
                                             "right",        "rollback",
                                             "row",          "select",
                                             "set",          "table",
                                             "temp",         "temporary",
                                             "then",         "to",
                                             "transaction",  "trigger",
                                             "true",         "union",
                                             "unique",       "update",
                                             "using",        "vacuum",
                                             "values",       "view",
                                             "virtual",      "when",
                                             "where"};

static int compare_words(const void *word, const void *entry)
{
    return strcmp(word, *(const char *const *)entry);
}

static bool is_reserved(const char *name)
{
    return bsearch(name, reserved_words, sizeof reserved_words / sizeof *reserved_words,
                   sizeof *reserved_words, compare_words) != NULL;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static bool needs_quotes(const char *name)
{
    if (*name == '\0' || *name == '$' || (*name >= '0' && *name <= '9') || is_reserved(name))
        return true;
    for (const char *c = name; *c; c++)
        if (!is_plain(*c))
            return true;
    return false;
}

char *name_quoted(struct arena *arena, const char *name)
{
    if (!needs_quotes(name))
        return arena_strdup(arena, name);
    char *quoted = arena_alloc(arena, 2 * strlen(name) + 3), *to = quoted;
    if (!quoted)
        return NULL;
    *to++ = '"';
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            *to++ = '"';
        *to++ = *c;
    }
    *to = '"';
    return quoted;
}

char *name_of_table(struct arena *arena, const char *message_name)
{
    const char *dot = strrchr(message_name, '.');
    char *table = arena_strdup(arena, dot ? dot + 1 : message_name);
    for (char *c = table; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return table;
}

char *name_of_index(struct arena *arena, const char *table, const char *column)
{
    return arena_printf(arena, "ix_%s_%s", table, column);
}

char *name_of_oneof(struct arena *arena, const char *table, const char *oneof)
{
    return arena_printf(arena, "ck_%s_%s", table, oneof);
}

const char *name_refused(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    if (len == 0)
        return "it is empty";
    if (len > NAME_MAX_BYTES)
        return "it is longer than 128 bytes";
    if (!scan_text_valid(name, len))
        return "it is not valid UTF-8";
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "it has a control character";
    if (strncasecmp(name, "sqlite_", 7) == 0)
        return "names that begin with sqlite_ belong to SQLite";
    if (strncasecmp(name, "_hero_", 6) == 0)
        return "names that begin with _hero_ belong to Hero";
    return NULL;
}

/* Behind the closing quote; NULL: there is none. A doubled one is a character. */
static const char *end_of_quoted(const char *at)
{
    char close = *at == '[' ? ']' : *at;
    for (at++; *at; at++) {
        if (*at != close)
            continue;
        if (close == ']' || at[1] != close)
            return at + 1;
        at++;
    }
    return NULL;
}

const char *expression_refused(const char *text)
{
    size_t depth = 0;
    bool empty = true;
    if (!scan_text_valid(text, strlen(text)))
        return "it is not valid UTF-8";
    for (const char *at = text; *at;) {
        empty = empty && strchr(" \t\r\n", *at) != NULL;
        if (strchr("'\"`[", *at)) {
            if (!(at = end_of_quoted(at)))
                return "a quote is not closed";
            continue;
        }
        if (*at == ';' || strncmp(at, "--", 2) == 0 || strncmp(at, "/*", 2) == 0)
            return "it holds a semicolon or a comment";
        if (*at == ')' && depth == 0)
            return "it closes a parenthesis that it didn't open";
        depth += *at == '(';
        depth -= *at == ')';
        at++;
    }
    return depth > 0 ? "a parenthesis is not closed" : empty ? "it is empty" : NULL;
}
