/*
 * The grammar of filters, for lemon: words become a tree (tree.h). AND binds
 * tighter than OR, NOT tighter than both. The tree lives in the parse's
 * arena; the parser's stack has a fixed size. Knows no models.
 */
%include {
/* lemon's own checks are of its tables, which the tests go through. */
#ifndef NDEBUG
#define NDEBUG
#endif
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "grammar.h"
#include "scan.h"
#include "tree.h"

#define YYNOERRORRECOVERY 1
/* How much deeper each makes the SQL that it becomes. SQLite's parser has a
 * stack of a hundred symbols: with these weights and the depth that is allowed
 * (STORE_FILTER_DEPTH) every filter fits it. */
#define WEIGHT_CONDITION 1 /* AND, OR, NOT */
#define WEIGHT_ANY 4       /* any, all, none: a subquery */
#define WEIGHT_COUNT 6     /* count: one in another */

struct filter_operation {
    struct filter_token token;
    enum filter_operator operator;
};

static struct filter_node *node(struct filter_parse *parse, enum filter_word word,
                                struct filter_token token)
{
    struct filter_node *node = parse->stopped ? NULL : arena_alloc(parse->arena, sizeof(*node));
    if (!node && !parse->stopped)
        filter_no_memory(parse);
    if (node)
        *node = (struct filter_node){.word = word, .token = token};
    return node;
}

static bool is_name(struct filter_token token, const char *name)
{
    return token.len == strlen(name) && memcmp(token.at, name, token.len) == 0;
}

static unsigned weight(const struct filter_node *node)
{
    if (node->word == WORD_AND || node->word == WORD_OR || node->word == WORD_NOT)
        return WEIGHT_CONDITION;
    if (node->word != WORD_CALL)
        return 0;
    if (is_name(node->token, "any") || is_name(node->token, "all") || is_name(node->token, "none"))
        return WEIGHT_ANY;
    return is_name(node->token, "count") ? WEIGHT_COUNT : 0;
}

static void check_depth(struct filter_parse *parse, const struct filter_node *node)
{
    if (node->depth > parse->limits->depth && !parse->stopped)
        filter_blame(parse, node->token.at, "is nested deeper than %u levels",
                     parse->limits->depth);
}

/* A node and its parts are NULL once the parse stopped. */
static struct filter_node *with(struct filter_parse *parse, struct filter_node *node,
                                struct filter_node *part)
{
    if (!node || !part)
        return NULL;
    *(node->last ? &node->last->next : &node->parts) = part;
    node->last = part;
    node->n_parts++;
    if (node->depth < part->depth + weight(node))
        node->depth = part->depth + weight(node);
    check_depth(parse, node);
    return node;
}

/* a AND b AND c: one node. */
static struct filter_node *chain(struct filter_parse *parse, enum filter_word word,
                                 struct filter_token token, struct filter_node *left,
                                 struct filter_node *right)
{
    if (left && left->word == word && !left->next)
        return with(parse, left, right);
    return with(parse, with(parse, node(parse, word, token), left), right);
}

static struct filter_node *term(struct filter_parse *parse, struct filter_node *node)
{
    if (++parse->n_terms > parse->limits->terms && !parse->stopped)
        filter_blame(parse, node ? node->token.at : parse->text,
                     "has more than %u comparisons and values", parse->limits->terms);
    return node;
}

/* before, or the first name where that is NULL. */
static struct filter_node *path(struct filter_parse *parse, struct filter_node *before,
                                struct filter_token name)
{
    struct filter_node *part = node(parse, WORD_PATH, name);
    struct filter_node *path = before ? before : node(parse, WORD_PATH, name);
    if (!path || !part)
        return NULL;
    *(path->last ? &path->last->next : &path->parts) = part;
    path->last = part;
    path->n_parts++;
    return path;
}

static struct filter_node *literal(struct filter_parse *parse, enum filter_literal kind,
                                   struct filter_token token)
{
    struct filter_node *made = term(parse, node(parse, WORD_LITERAL, token));
    if (made)
        made->literal = kind;
    return made;
}

static struct filter_node *compare(struct filter_parse *parse, struct filter_operation operation,
                                   struct filter_node *left, struct filter_node *right)
{
    struct filter_node *made = node(parse, WORD_COMPARE, operation.token);
    if (made)
        made->operator = operation.operator;
    return with(parse, with(parse, made, left), right);
}

/* The values become operand IN (values). */
static struct filter_node *listed(struct filter_parse *parse, struct filter_token token,
                                  struct filter_node *operand, struct filter_node *list)
{
    struct filter_node *values = list ? list->parts : NULL;
    struct filter_node *made = with(parse, node(parse, WORD_IN, token), operand);
    for (struct filter_node *next; values && made; values = next) {
        next = values->next;
        values->next = NULL;
        made = with(parse, made, values);
    }
    return made;
}

static struct filter_node *is_null(struct filter_parse *parse, struct filter_token token,
                                   struct filter_node *operand)
{
    return with(parse, term(parse, node(parse, WORD_IS_NULL, token)), operand);
}

/* A list of arguments or values; the caller names it. */
static struct filter_node *list(struct filter_parse *parse, enum filter_word word,
                                struct filter_node *first)
{
    return with(parse, node(parse, word, (struct filter_token){parse->text, 0}), first);
}

static struct filter_node *named(struct filter_parse *parse, struct filter_node *call,
                                 struct filter_token name)
{
    if (!call)
        return NULL;
    call->token = name;
    call->depth += weight(call);
    check_depth(parse, call);
    return call;
}

static struct filter_node *negated(struct filter_parse *parse, struct filter_token token,
                                   struct filter_node *part)
{
    return with(parse, node(parse, WORD_NOT, token), part);
}

/* What was there instead, and what a hand may have meant. */
static void unexpected(struct filter_parse *parse, int word, struct filter_token token)
{
    static const char *const capitals[] = {"and", "or", "not", "in", "is"};
    if (parse->stopped)
        return;
    if (word == 0) {
        filter_blame(parse, token.at, "ends where more is needed");
        return;
    }
    for (size_t i = 0; i < sizeof(capitals) / sizeof(*capitals); i++)
        if (token.len == strlen(capitals[i]) && strncasecmp(token.at, capitals[i], token.len) == 0)
            if (word == FILTER_NAME) {
                filter_blame(parse, token.at, "\"%s\" is written in capital letters", capitals[i]);
                return;
            }
    if (word == FILTER_TEXT) /* what it says is nobody else's */
        filter_blame(parse, token.at, "a text does not fit here");
    else
        filter_blame(parse, token.at, "\"%.*s\" does not fit here",
                     token.len > 40 ? 40 : (int)token.len, token.at);
}
}

%name filter_parser
%token_prefix FILTER_
%token_type {struct filter_token}
%default_type {struct filter_node *}
%type operator {struct filter_operation}
%extra_argument {struct filter_parse *parse}
%stack_size 512
%stack_overflow {
    if (!parse->stopped)
        filter_blame(parse, parse->text, "is nested too deeply");
}
%syntax_error { unexpected(parse, yymajor, TOKEN); }
%start_symbol filter

filter ::= .
filter ::= either(A).                               { parse->root = A; }

either(A) ::= both(A).
either(A) ::= either(B) OR(T) both(C).              { A = chain(parse, WORD_OR, T, B, C); }
both(A) ::= one(A).
both(A) ::= both(B) AND(T) one(C).                  { A = chain(parse, WORD_AND, T, B, C); }
one(A) ::= NOT(T) one(B).                           { A = negated(parse, T, B); }
one(A) ::= OPEN either(B) CLOSE.                    { A = B; }
one(A) ::= operand(B).                              { A = term(parse, B); }
one(A) ::= operand(B) operator(O) value(C).         { A = compare(parse, O, B, C); }
one(A) ::= operand(B) IN(T) OPEN values(C) CLOSE.   { A = listed(parse, T, B, C); }
one(A) ::= operand(B) NOT(N) IN(T) OPEN values(C) CLOSE.
                                                    { A = negated(parse, N, listed(parse, T, B, C)); }
one(A) ::= operand(B) IS(T) NULL.                   { A = is_null(parse, T, B); }
one(A) ::= operand(B) IS(T) NOT NULL.               { A = negated(parse, T, is_null(parse, T, B)); }

operand(A) ::= path(A).
operand(A) ::= NAME(T) OPEN arguments(B) CLOSE.     { A = named(parse, B, T); }
operand(A) ::= NAME(T) OPEN CLOSE.                  { A = node(parse, WORD_CALL, T); }
arguments(A) ::= argument(B).                       { A = list(parse, WORD_CALL, B); }
arguments(A) ::= arguments(B) COMMA argument(C).    { A = with(parse, B, C); }
argument(A) ::= either(A).
argument(A) ::= literal(A).

path(A) ::= NAME(T).                                { A = path(parse, NULL, T); }
path(A) ::= path(B) DOT NAME(T).                    { A = path(parse, B, T); }

values(A) ::= value(B).                             { A = list(parse, WORD_IN, B); }
values(A) ::= values(B) COMMA value(C).             { A = with(parse, B, C); }
value(A) ::= literal(A).
value(A) ::= path(B).                               { A = term(parse, B); }
literal(A) ::= TEXT(T).                             { A = literal(parse, LITERAL_TEXT, T); }
literal(A) ::= INTEGER(T).                          { A = literal(parse, LITERAL_INTEGER, T); }
literal(A) ::= REAL(T).                             { A = literal(parse, LITERAL_REAL, T); }
literal(A) ::= NULL(T).                             { A = literal(parse, LITERAL_NULL, T); }

operator(A) ::= EQUAL(T).         { A = (struct filter_operation){T, OPERATOR_EQUAL}; }
operator(A) ::= UNEQUAL(T).       { A = (struct filter_operation){T, OPERATOR_UNEQUAL}; }
operator(A) ::= LESS(T).          { A = (struct filter_operation){T, OPERATOR_LESS}; }
operator(A) ::= LESS_EQUAL(T).    { A = (struct filter_operation){T, OPERATOR_LESS_EQUAL}; }
operator(A) ::= GREATER(T).       { A = (struct filter_operation){T, OPERATOR_GREATER}; }
operator(A) ::= GREATER_EQUAL(T). { A = (struct filter_operation){T, OPERATOR_GREATER_EQUAL}; }
operator(A) ::= HAS(T).           { A = (struct filter_operation){T, OPERATOR_HAS}; }

%code {
/* Parentheses leave no node: their depth is counted here. */
static bool too_deep(struct filter_parse *parse, int word, unsigned *depth, const char *at)
{
    if (word == FILTER_OPEN && ++*depth > parse->limits->depth) {
        filter_blame(parse, at, "is nested deeper than %u levels", parse->limits->depth);
        return true;
    }
    if (word == FILTER_CLOSE && *depth > 0)
        --*depth;
    return false;
}

Code filter_read(struct filter_parse *parse)
{
    const char *at = parse->text;
    struct filter_token token;
    unsigned depth = 0;
    int word;
    if (strlen(parse->text) > parse->limits->bytes)
        return fault_add(parse->fault, parse->path, "%zu bytes, at most %u are taken",
                         strlen(parse->text), parse->limits->bytes);
    yyParser *parser = arena_alloc(parse->arena, sizeof(*parser));
    if (!parser)
        return filter_no_memory(parse);
    filter_parserInit(parser);
    do {
        word = filter_scan(parse, &at, &token);
        if (word >= 0 && !too_deep(parse, word, &depth, token.at))
            filter_parser(parser, word, token, parse);
    } while (word > 0 && !parse->stopped);
    filter_parserFinalize(parser);
    return parse->stopped ? parse->fault->code : HERO__V1__CODE__OK;
}

/* ---- what is told of a text ---- */

/* Characters, not bytes: bytes of UTF-8 that begin one. */
static unsigned character_of(const struct filter_parse *parse, const char *at)
{
    unsigned n = 1;
    for (const char *p = parse->text; p < at; p++)
        n += ((unsigned char)*p & 0xc0) != 0x80;
    return n;
}

Code filter_blame(struct filter_parse *parse, const char *at, const char *format, ...)
{
    char text[512];
    va_list arguments;
    parse->stopped = true;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* Cut in the middle of a character, here or before: an answer must be UTF-8. */
    if (!scan_text_valid(text, strlen(text)))
        for (char *p = text; *p; p++)
            *p = (unsigned char)*p < 0x80 ? *p : '?';
    return fault_add(parse->fault, parse->path, "character %u: %s", character_of(parse, at), text);
}

Code filter_no_memory(struct filter_parse *parse)
{
    parse->stopped = true;
    return fault_set(parse->fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the filter needs more memory than one request may take");
}
}
