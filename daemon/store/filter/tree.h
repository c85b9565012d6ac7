/*
 * A filter as it was written: what scan.re and grammar.y make of its text,
 * and type.c gives a meaning. Knows words and places in the text, no models.
 */
#ifndef HERO_STORE_FILTER_TREE_H
#define HERO_STORE_FILTER_TREE_H

#include "arena.h"
#include "fault.h"

/* A piece of the text. */
struct filter_token {
    const char *at;
    unsigned len;
};

enum filter_word {
    WORD_AND,     /* all of the parts */
    WORD_OR,      /* one of them */
    WORD_NOT,     /* its one part */
    WORD_PATH,    /* team.name */
    WORD_CALL,    /* any(..): its parts are the arguments */
    WORD_COMPARE, /* parts: left, right */
    WORD_IN,      /* parts: left, the values */
    WORD_IS_NULL, /* its one part */
    WORD_LITERAL, /* "text", 5, 1.5 */
};

enum filter_operator {
    OPERATOR_EQUAL,
    OPERATOR_UNEQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_HAS, /* : */
};

enum filter_literal { LITERAL_TEXT, LITERAL_INTEGER, LITERAL_REAL, LITERAL_NULL };

struct filter_node {
    enum filter_word word;
    struct filter_token token; /* where it is: first name, literal, operator */
    enum filter_operator operator;
    enum filter_literal literal;
    unsigned depth;            /* of what is inside each other from here down, weighed */
    struct filter_node *parts; /* in order, by next */
    struct filter_node *last;  /* of parts */
    struct filter_node *next;
    /* WORD_PATH: its names, in order, are parts; n_parts counts all parts. */
    unsigned n_parts;
};

struct filter_limits {
    unsigned bytes; /* of the text */
    unsigned depth; /* of conditions inside each other: NOT and AND in OR 1, any 4, count 6 */
    unsigned terms; /* comparisons, calls and values of lists */
};

/* The parse of one text. */
struct filter_parse {
    const char *text;
    struct arena *arena;
    struct fault *fault; /* violations at `path` */
    const char *path;
    const struct filter_limits *limits;
    struct filter_node *root;
    unsigned n_terms;
    bool stopped; /* a fault was told: what follows is not looked at */
};

/* A violation that points at a place of the text, counted in characters from 1. */
Code filter_blame(struct filter_parse *parse, const char *at, const char *format, ...) PRINTF(3, 4);
Code filter_no_memory(struct filter_parse *parse);

/* grammar.y, with scan.re's words. An empty text leaves root NULL: no condition. */
MUST_CHECK Code filter_read(struct filter_parse *parse);

/* scan.re: the next word of the text from *at on; 0: the end; -1: told in the parse. */
int filter_scan(struct filter_parse *parse, const char **at, struct filter_token *ret_token);

#endif
