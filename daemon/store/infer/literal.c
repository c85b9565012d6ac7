/*
 * DEFAULT clauses: literals become the text that (hero.column).default takes
 * for the column's kind; everything else stays an expression of SQL. Evaluates
 * nothing.
 */
#include <errno.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "infer.h"
#include "scan.h"

struct literal {
    enum { LITERAL_NONE, LITERAL_NULL, LITERAL_NUMBER, LITERAL_TEXT, LITERAL_BLOB } kind;
    const char *text; /* the number or text; the blob's digits */
};

/* Without the blanks and parentheses around. */
static const char *stripped(struct arena *arena, const char *sql)
{
    size_t len = strlen(sql);
    for (;;) {
        while (len > 0 && isspace((unsigned char)*sql))
            sql++, len--;
        while (len > 0 && isspace((unsigned char)sql[len - 1]))
            len--;
        if (len < 2 || *sql != '(' || sql[len - 1] != ')')
            break;
        sql++, len -= 2;
    }
    return arena_copy(arena, sql, len);
}

/* The inside of 'it''s'; NULL where the text is more than one such literal. */
static const char *unquoted(struct arena *arena, const char *sql)
{
    size_t len = strlen(sql), n = 0;
    char quote = *sql;
    if (len < 2 || (quote != '\'' && quote != '"') || sql[len - 1] != quote)
        return NULL;
    char *text = arena_alloc(arena, len);
    for (size_t i = 1; text && i < len - 1; i++) {
        if (sql[i] == quote && (++i == len - 1 || sql[i] != quote))
            return NULL;
        text[n++] = sql[i];
    }
    return text;
}

static bool is_number(const char *text)
{
    text += *text == '+' || *text == '-';
    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    size_t len = strspn(text, "0123456789.");
    if (text[len] == 'e' || text[len] == 'E') {
        len++;
        len += text[len] == '+' || text[len] == '-';
        if (!isdigit((unsigned char)text[len]))
            return false;
        len += strspn(text + len, "0123456789");
    }
    return text[len] == '\0' && strpbrk(text, "0123456789");
}

static struct literal read_literal(struct arena *arena, const char *sql)
{
    const char *bare = stripped(arena, sql);
    const char *text = bare ? unquoted(arena, bare) : NULL;
    if (!bare)
        return (struct literal){LITERAL_NONE, NULL};
    if (text)
        return (struct literal){LITERAL_TEXT, text};
    if (sqlite3_stricmp(bare, "NULL") == 0)
        return (struct literal){LITERAL_NULL, NULL};
    if (sqlite3_stricmp(bare, "TRUE") == 0 || sqlite3_stricmp(bare, "FALSE") == 0)
        return (struct literal){LITERAL_NUMBER, (*bare | 0x20) == 't' ? "1" : "0"};
    if (is_number(bare))
        return (struct literal){LITERAL_NUMBER, *bare == '+' ? bare + 1 : bare};
    if ((*bare | 0x20) == 'x' && (text = unquoted(arena, bare + 1)) != NULL &&
        strspn(text, "0123456789abcdefABCDEF") == strlen(text) && strlen(text) % 2 == 0)
        return (struct literal){LITERAL_BLOB, text};
    return (struct literal){LITERAL_NONE, NULL};
}

/* ---- as text of the kind ---- */

/* 2.0 is an integer to SQLite and an expression here. */
static bool integer_of(const char *text, int64_t *ret_integer)
{
    char *end;
    errno = 0;
    *ret_integer = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end > text && !isspace((unsigned char)*text);
}

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static const char *base64_of_digits(struct arena *arena, const char *digits)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(digits) / 2;
    char *text = arena_alloc(arena, n / 3 * 4 + 5), *to = text;
    for (size_t i = 0; text && i < n; i += 3) {
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++)
            group =
                group << 8 |
                (i + k < n ? digit(digits[2 * (i + k)]) << 4 | digit(digits[2 * (i + k) + 1]) : 0);
        for (size_t k = 0; k < 4; k++)
            *to++ = i + k > n ? '=' : letters[group >> (18 - 6 * k) & 63];
    }
    return text;
}

/* NULL: no text of the kind says the same. */
static const char *default_text(struct infer *infer, const struct infer_column *column,
                                struct literal literal)
{
    int64_t integer;
    bool text = literal.kind == LITERAL_TEXT, number = literal.kind == LITERAL_NUMBER;
    bool in_text = column->values.integers + column->values.reals == 0;
    switch (column->kind) {
    case INFER_INT64:
        return (number || text) && integer_of(literal.text, &integer)
                   ? arena_printf(infer->arena, "%" PRId64, integer)
                   : NULL;
    case INFER_BOOL:
        if (!(number || text) || !integer_of(literal.text, &integer) || integer < 0 || integer > 1)
            return NULL;
        return integer ? "true" : "false";
    case INFER_DOUBLE:
        return (number || text) && is_number(literal.text) ? literal.text : NULL;
    case INFER_STRING:
        /* A number in a column that isn't TEXT stays a number, and no default of texts. */
        if (text)
            return scan_text_valid(literal.text, strlen(literal.text)) ? literal.text : NULL;
        return number && in_text && strspn(literal.text, "-0123456789") == strlen(literal.text) &&
                       (sqlite3_strlike("%char%", column->shape->type, 0) == 0 ||
                        sqlite3_strlike("%text%", column->shape->type, 0) == 0)
                   ? literal.text
                   : NULL;
    case INFER_BYTES:
        return literal.kind == LITERAL_BLOB ? base64_of_digits(infer->arena, literal.text) : NULL;
    case INFER_TIMESTAMP:
    case INFER_DATE:
    case INFER_UUID:
    case INFER_DECIMAL:
        break;
    }
    return NULL;
}

static void read_default(struct infer *infer, struct infer_column *column)
{
    const char *sql = column->shape->default_sql;
    if (!sql || column->read_only || column->primary_key)
        return; /* a key is always given */
    struct literal literal = read_literal(infer->arena, sql);
    if (literal.kind == LITERAL_NULL)
        return; /* what absence is anyway */
    if (literal.kind != LITERAL_NONE)
        column->default_text = default_text(infer, column, literal);
    if (!column->default_text)
        column->sql_default = stripped(infer->arena, sql);
}

void infer_defaults(struct infer *infer)
{
    for (size_t t = 0; t < infer->n_tables; t++) {
        const struct infer_table *table = &infer->tables[t];
        for (size_t i = 0; i < table->n_columns && !table->left_out && !table->is_view; i++)
            read_default(infer, &table->columns[i]);
    }
}
