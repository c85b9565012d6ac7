/*
 * Clauses of CREATE TABLE: split at the commas between them, names replaced
 * word by word. Reserved words are quoted where they are names (names.h), so
 * a bare word that is a column's name is that column.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ddl.h"
#include "ddl_clause.h"
#include "model_change.h"
#include "names.h"

/* ---- words ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* The length of the word, quoted name, literal or single character at the
 * start of a text that is not empty. */
static size_t token_length(const char *text)
{
    size_t n = 0;
    if (*text == '"' || *text == '\'') {
        do {
            n += strcspn(text + n + 1, *text == '"' ? "\"" : "'") + 1;
            if (text[n] == '\0')
                return n;
            n++;
        } while (text[n] == *text);
        return n;
    }
    while (is_word(text[n]))
        n++;
    return n > 0 ? n : 1;
}

/* The name that a token stands for; NULL: it is no name. */
static char *token_name(const char *token, size_t len, struct arena *arena)
{
    char *name = arena_alloc(arena, len + 1), *to = name;
    if (!name || (*token != '"' && !is_word(*token)))
        return NULL;
    if (*token != '"')
        return memcpy(name, token, len);
    for (size_t i = 1; i + 1 < len; i++) {
        *to++ = token[i];
        if (token[i] == '"')
            i++;
    }
    return name;
}

/* ---- splitting ---- */

static const char *copy_trimmed(const char *from, const char *to, struct arena *arena)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return arena_printf(arena, "%.*s", (int)(to - from), from);
}

static bool add_clause(struct ddl_clauses *clauses, size_t n_columns, size_t at, const char *text)
{
    if (at < n_columns)
        clauses->columns[at] = text;
    else
        clauses->others[clauses->n_others++] = text;
    return text != NULL;
}

static size_t count_commas(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == ',';
    return n;
}

bool ddl_clauses(const struct model *model, struct arena *arena, struct ddl_clauses *ret_clauses)
{
    const char *sql = ddl_table(model, arena);
    size_t at = 0, n = model->n_columns, depth = 0;
    struct ddl_clauses clauses = {0};
    if (!sql)
        return false;
    clauses.columns = arena_array(arena, n + 1, sizeof(*clauses.columns));
    clauses.others = arena_array(arena, count_commas(sql) + 1, sizeof(*clauses.others));
    if (!clauses.columns || !clauses.others)
        return false;
    const char *start = NULL;
    for (; *sql; sql += token_length(sql)) {
        if (*sql == '(' && depth++ == 0)
            start = sql + 1;
        if ((*sql == ')' && --depth == 0) || (*sql == ',' && depth == 1)) {
            if (!add_clause(&clauses, n, at++, copy_trimmed(start, sql, arena)))
                return false;
            start = sql + 1;
        }
    }
    *ret_clauses = clauses;
    return at >= n;
}

/* ---- new names ---- */

const struct model *model_descendant(const struct models *later, const struct model *was)
{
    for (size_t i = 0; i < later->n_models; i++)
        if (model_ancestor(was->models, &later->models[i]) == was)
            return &later->models[i];
    return NULL;
}

static const struct model *model_of_table(const struct models *models, const char *table)
{
    for (size_t i = 0; i < models->n_models; i++)
        if (strcmp(models->models[i].table, table) == 0)
            return &models->models[i];
    return NULL;
}

static const char *new_name(const struct model *was, const struct model *is, const char *name)
{
    for (size_t i = 0; was && is && i < was->n_columns; i++) {
        const struct column *now = model_column_by_number(is, was->columns[i].number);
        if (strcmp(was->columns[i].name, name) == 0)
            return now ? now->name : NULL;
    }
    return NULL;
}

struct renaming {
    const struct models *later;
    struct arena *arena;
    const struct model *was, *is; /* whose columns are named */
    bool wants_table;             /* REFERENCES came before */
};

/* A bare INTEGER is no column, though one may be called "INTEGER". */
static bool is_name(const char *token, size_t len, const char *name, struct arena *arena)
{
    const char *quoted = name_quoted(arena, name);
    return quoted && strlen(quoted) == len && memcmp(quoted, token, len) == 0;
}

/* What the token becomes; NULL: it stays. */
static const char *replacement(struct renaming *renaming, const char *token, size_t len)
{
    char *name = token_name(token, len, renaming->arena);
    const char *to;
    if (!name)
        return NULL;
    if (len == strlen("REFERENCES") && memcmp(token, "REFERENCES", len) == 0) {
        renaming->wants_table = true;
        return NULL;
    }
    if (renaming->wants_table) {
        renaming->wants_table = false;
        renaming->was = model_of_table(renaming->was->models, name);
        renaming->is = renaming->was ? model_descendant(renaming->later, renaming->was) : NULL;
        return renaming->is ? name_quoted(renaming->arena, renaming->is->table) : NULL;
    }
    to = is_name(token, len, name, renaming->arena) ? new_name(renaming->was, renaming->is, name)
                                                    : NULL;
    return to ? name_quoted(renaming->arena, to) : NULL;
}

const char *ddl_renamed(const struct model *was, const struct models *later, const char *clause,
                        struct arena *arena)
{
    struct renaming renaming = {.later = later, .arena = arena, .was = was};
    char *text = NULL, *copy = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    renaming.is = model_descendant(later, was);
    while (*clause) {
        size_t n = token_length(clause);
        const char *other = replacement(&renaming, clause, n);
        if (other)
            fputs(other, out);
        else
            fwrite(clause, 1, n, out);
        clause += n;
    }
    if (fclose(out) == 0)
        copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

bool ddl_clauses_renamed(const struct model *was, const struct models *later, struct arena *arena,
                         struct ddl_clauses *ret_clauses)
{
    if (!ddl_clauses(was, arena, ret_clauses))
        return false;
    for (size_t i = 0; i < was->n_columns; i++)
        if (!(ret_clauses->columns[i] = ddl_renamed(was, later, ret_clauses->columns[i], arena)))
            return false;
    for (size_t i = 0; i < ret_clauses->n_others; i++)
        if (!(ret_clauses->others[i] = ddl_renamed(was, later, ret_clauses->others[i], arena)))
            return false;
    return true;
}

/* ---- one clause ---- */

/* VARCHAR(8) is VARCHAR: SQLite doesn't count. */
const char *ddl_clause_rule(const char *clause, struct arena *arena)
{
    const char *rest = clause + token_length(clause); /* the name */
    char *rule = arena_alloc(arena, strlen(rest) + 1), *to = rule;
    while (rule && *rest) {
        size_t n = token_length(rest), digits = *rest == '(' ? strspn(rest + 1, "0123456789, ") : 0;
        if (digits > 0 && rest[digits + 1] == ')') {
            rest += digits + 2;
            continue;
        }
        memcpy(to, rest, n);
        to += n;
        rest += n;
    }
    return rule;
}

const char *ddl_clause_reference(const struct column *column, const char *clause,
                                 struct arena *arena)
{
    const char *name = name_quoted(arena, column->name);
    const char *start = name ? arena_printf(arena, "FOREIGN KEY(%s) REFERENCES ", name) : NULL;
    if (!start || strncmp(clause, start, strlen(start)) != 0)
        return NULL;
    return clause + strlen(start) - strlen("REFERENCES ");
}

bool ddl_clause_has(const struct column *column, const char *clause, struct arena *arena)
{
    for (; *clause; clause += token_length(clause)) {
        char *name = token_name(clause, token_length(clause), arena);
        if (name && strcmp(name, column->name) == 0)
            return true;
    }
    return false;
}
