/*
 * Reads CREATE TABLE statements as far as pragmas fall short: see
 * create_table.h. A tokenizer and one walk over the definitions; expressions
 * stay text.
 */
#include "create_table.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_TEXT, TOKEN_PUNCTUATION };

struct token {
    enum token_kind kind;
    const char *text; /* as written, quotes included */
    size_t len;
};

struct walk {
    struct arena *arena;
    struct create_table *table;
    const char *at; /* behind the token */
    struct token token;
    const char *column; /* whose definition this is; NULL: a constraint of the table */
    const char *name;   /* of the constraint that comes; NULL: none */
};

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* Blanks and comments. */
static const char *skip_blanks(const char *at)
{
    for (;;) {
        if (isspace((unsigned char)*at)) {
            at++;
        } else if (at[0] == '-' && at[1] == '-') {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

/* Behind the closing quote; a doubled one is a character (not so with brackets). */
static const char *skip_quoted(const char *at, char close)
{
    for (at++; *at; at++) {
        if (*at != close)
            continue;
        if (close == ']' || at[1] != close)
            return at + 1;
        at++;
    }
    return at;
}

static struct token token_at(const char *at)
{
    struct token token = {TOKEN_PUNCTUATION, at, 1};
    const char *end = at + 1;
    if (*at == '\0') {
        token.kind = TOKEN_END;
        end = at;
    } else if (*at == '"' || *at == '`' || *at == '[') {
        token.kind = TOKEN_QUOTED;
        end = skip_quoted(at, *at == '[' ? ']' : *at);
    } else if (*at == '\'') {
        token.kind = TOKEN_TEXT;
        end = skip_quoted(at, '\'');
    } else if (is_word_char(*at)) {
        token.kind = TOKEN_WORD;
        while (is_word_char(*end))
            end++;
    }
    token.len = (size_t)(end - at);
    return token;
}

static void next(struct walk *walk)
{
    walk->token = token_at(skip_blanks(walk->at));
    walk->at = walk->token.text + walk->token.len;
}

static bool is_word(const struct walk *walk, const char *word)
{
    return walk->token.kind == TOKEN_WORD && walk->token.len == strlen(word) &&
           strncasecmp(walk->token.text, word, walk->token.len) == 0;
}

static bool is_char(const struct walk *walk, char c)
{
    return walk->token.kind == TOKEN_PUNCTUATION && *walk->token.text == c;
}

/* A name without its quotes; keywords too, where a name is due. */
static const char *name_of(struct walk *walk)
{
    const struct token *token = &walk->token;
    size_t n = 0;
    char *name = arena_alloc(walk->arena, token->len + 1);
    if (!name)
        return NULL;
    if (token->kind == TOKEN_WORD) {
        memcpy(name, token->text, token->len);
        return name;
    }
    char close = *token->text == '[' ? ']' : *token->text;
    for (size_t i = 1; i + 1 < token->len; i++) {
        name[n++] = token->text[i];
        if (token->text[i] == close && token->text[i + 1] == close)
            i++;
    }
    return name;
}

/* From an opening parenthesis behind its closing one. The inside's bounds. */
static const char *skip_parentheses(struct walk *walk, size_t *ret_len)
{
    const char *inside = walk->at, *end = inside;
    for (unsigned depth = 1; depth > 0 && walk->token.kind != TOKEN_END;) {
        next(walk);
        depth += is_char(walk, '(');
        depth -= is_char(walk, ')');
        end = walk->token.text;
    }
    *ret_len = (size_t)(end - inside);
    next(walk);
    return inside;
}

const char *sql_squeezed(struct arena *arena, const char *sql, size_t len)
{
    char *copy = arena_alloc(arena, len + 1), *to = copy;
    const char *end = sql + len, *at = sql, *next_at;
    if (!copy)
        return NULL;
    while ((next_at = skip_blanks(at)) < end && *next_at) {
        if (next_at > at && to > copy)
            *to++ = ' ';
        struct token token = token_at(next_at);
        size_t n = token.len < (size_t)(end - next_at) ? token.len : (size_t)(end - next_at);
        memcpy(to, next_at, n);
        to += n;
        at = next_at + n;
    }
    return copy;
}

bool sql_same(const char *a, const char *b)
{
    for (;;) {
        struct token left = token_at(skip_blanks(a)), right = token_at(skip_blanks(b));
        bool words = left.kind == TOKEN_WORD;
        if (left.kind != right.kind || left.len != right.len ||
            (words ? strncasecmp(left.text, right.text, left.len)
                   : memcmp(left.text, right.text, left.len)) != 0)
            return false;
        if (left.kind == TOKEN_END)
            return true;
        a = left.text + left.len;
        b = right.text + right.len;
    }
}

/* ---- lists ---- */

static void *grown(struct arena *arena, void *elements, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) /* room until the next power of two */
        return elements;
    void *larger = arena_array(arena, n == 0 ? 1 : 2 * n, size);
    if (larger && n > 0)
        memcpy(larger, elements, n * size);
    return larger;
}

static void add_check(struct walk *walk)
{
    struct create_table *table = walk->table;
    size_t len;
    const char *inside = skip_parentheses(walk, &len);
    table->checks = grown(walk->arena, table->checks, table->n_checks, sizeof(*table->checks));
    if (!table->checks)
        return;
    table->checks[table->n_checks++] =
        (struct create_check){sql_squeezed(walk->arena, inside, len), walk->name, walk->column};
    walk->name = NULL;
}

static void add_collated(struct walk *walk)
{
    struct create_table *table = walk->table;
    table->collated =
        grown(walk->arena, table->collated, table->n_collated, sizeof(*table->collated));
    if (table->collated)
        table->collated[table->n_collated++] = walk->column;
}

/* The names of "(a, b COLLATE x DESC)": the first word after each comma. */
static void read_names(struct walk *walk, struct create_constraint *constraint)
{
    bool first = true;
    unsigned depth = 1;
    while (depth > 0 && walk->token.kind != TOKEN_END) {
        next(walk);
        depth += is_char(walk, '(');
        depth -= is_char(walk, ')');
        if (first && depth == 1 &&
            (walk->token.kind == TOKEN_WORD || walk->token.kind == TOKEN_QUOTED ||
             walk->token.kind == TOKEN_TEXT)) {
            constraint->columns = grown(walk->arena, constraint->columns, constraint->n_columns,
                                        sizeof(*constraint->columns));
            if (!constraint->columns)
                return;
            constraint->columns[constraint->n_columns++] = name_of(walk);
        }
        first = is_char(walk, ',');
    }
    next(walk);
}

static void add_constraint(struct walk *walk, struct create_constraint constraint)
{
    struct create_table *table = walk->table;
    constraint.name = walk->name;
    walk->name = NULL;
    if (is_char(walk, '(')) {
        read_names(walk, &constraint);
    } else if (walk->column) {
        constraint.columns = arena_array(walk->arena, 1, sizeof(*constraint.columns));
        if (!constraint.columns)
            return;
        constraint.columns[constraint.n_columns++] = walk->column;
    }
    table->constraints =
        grown(walk->arena, table->constraints, table->n_constraints, sizeof(*table->constraints));
    if (table->constraints)
        table->constraints[table->n_constraints++] = constraint;
}

/* ---- the walk ---- */

static void read_conflict(struct walk *walk)
{
    next(walk);
    if (!is_word(walk, "CONFLICT"))
        return; /* ON DELETE, ON UPDATE */
    next(walk);
    if (!is_word(walk, "ABORT") && walk->token.kind == TOKEN_WORD)
        walk->table->conflict = name_of(walk);
    next(walk);
}

/* One word of a definition, and what belongs to it. */
static void read_clause(struct walk *walk)
{
    if (is_word(walk, "CONSTRAINT")) {
        next(walk);
        walk->name = name_of(walk);
        next(walk);
    } else if (is_word(walk, "CHECK")) {
        next(walk);
        if (is_char(walk, '('))
            add_check(walk);
    } else if (is_word(walk, "COLLATE")) {
        add_collated(walk);
        next(walk);
        next(walk);
    } else if (is_word(walk, "ON")) {
        read_conflict(walk);
    } else if (is_word(walk, "UNIQUE")) {
        next(walk);
        add_constraint(walk, (struct create_constraint){.unique = true});
    } else if (is_word(walk, "PRIMARY")) {
        next(walk);
        next(walk);
        add_constraint(walk, (struct create_constraint){.primary_key = true});
    } else if (is_word(walk, "FOREIGN")) {
        next(walk);
        next(walk);
        add_constraint(walk, (struct create_constraint){.foreign_key = true});
    } else if (is_char(walk, '(')) {
        size_t len;
        (void)skip_parentheses(walk, &len);
    } else {
        walk->table->autoincrement |= is_word(walk, "AUTOINCREMENT");
        walk->table->deferred |= is_word(walk, "DEFERRED");
        next(walk);
    }
}

/* At the first token of a definition: is it a column's name? */
static bool starts_column(const struct walk *walk)
{
    static const char *const constraints[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK",
                                              "FOREIGN"};
    for (size_t i = 0; i < sizeof(constraints) / sizeof(*constraints); i++)
        if (is_word(walk, constraints[i]))
            return false;
    return true;
}

static void read_definition(struct walk *walk)
{
    walk->column = walk->name = NULL;
    if (starts_column(walk)) {
        walk->column = name_of(walk);
        next(walk);
    }
    while (walk->token.kind != TOKEN_END && !is_char(walk, ',') && !is_char(walk, ')'))
        read_clause(walk);
}

bool create_table_read(const char *sql, struct arena *arena, struct create_table *ret_table)
{
    struct create_table table = {0};
    struct walk walk = {.arena = arena, .table = &table, .at = sql ? sql : ""};
    do /* CREATE TABLE name */
        next(&walk);
    while (walk.token.kind != TOKEN_END && !is_char(&walk, '('));
    while (walk.token.kind != TOKEN_END && !is_char(&walk, ')')) {
        next(&walk);
        read_definition(&walk);
    }
    if (arena->exhausted)
        return false;
    *ret_table = table;
    return true;
}
