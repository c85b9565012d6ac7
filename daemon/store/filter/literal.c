/* Values that filters write, for the column they stand beside. Knows no SQL. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "literal.h"

/* ---- text in quotes ---- */

static int hex_of(const char *at, const char *end, unsigned *ret_code)
{
    *ret_code = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = at + i < end ? strchr(digits, at[i] | 0x20) : NULL;
        if (!digit || !*digit || !strchr("0123456789abcdefABCDEF", at[i]))
            return 0;
        *ret_code = *ret_code * 16 + (unsigned)(digit - digits);
    }
    return 4;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* What stands after a backslash: how many bytes it takes, 0: nothing known. */
static int unescape(const char *at, const char *end, char **to)
{
    static const char plain[] = "nrt\\\"'/";
    static const char meant[] = "\n\r\t\\\"'/";
    const char *found = strchr(plain, *at);
    unsigned code;
    if (found && *found) {
        *(*to)++ = meant[found - plain];
        return 1;
    }
    /* Four digits hold no surrogates' halves and no NUL. */
    if (*at != 'u' || !hex_of(at + 1, end, &code) || code == 0 || (code >= 0xd800 && code < 0xe000))
        return 0;
    *to = put_utf8(*to, code);
    return 5;
}

char *literal_text(struct filter_parse *parse, const struct filter_node *node)
{
    const char *at = node->token.at + 1, *end = node->token.at + node->token.len - 1;
    char *text = arena_alloc(parse->arena, node->token.len + 1), *to = text;
    if (!text) {
        filter_no_memory(parse);
        return NULL;
    }
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        int taken = unescape(at + 1, end, &to);
        if (!taken) {
            filter_blame(parse, at,
                         "no character is written like this: \\\\ \\\" \\' \\n \\r \\t "
                         "and \\uXXXX are");
            return NULL;
        }
        at += 1 + taken;
    }
    return text;
}

/* ---- values of columns ---- */

/* Which words may stand for a value of the column, and what is said else. */
static const struct {
    bool text, number, name;
    const char *wanted;
} takes[COLUMN_KINDS] = {
    [COLUMN_INT32] = {.number = true, .wanted = "a whole number"},
    [COLUMN_UINT32] = {.number = true, .wanted = "a whole number"},
    [COLUMN_INT64] = {.number = true, .wanted = "a whole number"},
    [COLUMN_UINT64] = {.number = true, .wanted = "a whole number"},
    [COLUMN_FLOAT] = {.number = true, .wanted = "a number"},
    [COLUMN_DOUBLE] = {.number = true, .wanted = "a number"},
    [COLUMN_BOOL] = {.name = true, .wanted = "true or false"},
    [COLUMN_TEXT] = {.text = true, .wanted = "a text in quotes"},
    [COLUMN_BYTES] = {.text = true, .wanted = "bytes as base64 in quotes"},
    [COLUMN_ENUM] = {.text = true, .name = true, .wanted = "the name of an enum value"},
    [COLUMN_TIMESTAMP] = {.text = true, .wanted = "a time like \"2026-11-23T10:00:00Z\""},
    [COLUMN_DATE] = {.text = true, .wanted = "a date like \"2026-11-23\""},
    [COLUMN_UUID] = {.text = true, .wanted = "a uuid in quotes"},
    [COLUMN_DECIMAL] = {.text = true, .number = true, .wanted = "a decimal number"},
};

static char *word_text(struct filter_parse *parse, const struct filter_node *node)
{
    if (node->word == WORD_LITERAL && node->literal == LITERAL_TEXT)
        return literal_text(parse, node);
    char *text = arena_alloc(parse->arena, node->token.len + 1);
    if (text)
        memcpy(text, node->token.at, node->token.len);
    else
        filter_no_memory(parse);
    return text;
}

static bool may_stand(const struct filter_node *node, const struct column *column)
{
    if (node->word == WORD_PATH)
        return takes[column->kind].name && node->n_parts == 1;
    if (node->word != WORD_LITERAL || node->literal == LITERAL_NULL)
        return false;
    return node->literal == LITERAL_TEXT ? takes[column->kind].text : takes[column->kind].number;
}

/* A float column holds what a float can: 0.1 is compared as that. */
static Code narrow(struct filter_parse *parse, const struct filter_node *node,
                   struct key_value *value)
{
    if (value->real > 3.4028234663852886e38 || value->real < -3.4028234663852886e38)
        return filter_blame(parse, node->token.at, "is past what a float holds");
    value->real = (double)(float)value->real;
    return HERO__V1__CODE__OK;
}

Code literal_value(struct filter_parse *parse, const struct filter_node *node,
                   const struct column *column, struct key_value *ret_value)
{
    struct fault found = FAULT_INIT;
    if (!may_stand(node, column)) {
        if (node->word == WORD_PATH && !takes[column->kind].name)
            return filter_blame(parse, node->token.at,
                                "%s is compared with %s; a field is compared with values only",
                                column->field_name, takes[column->kind].wanted);
        return filter_blame(parse, node->token.at, "%s is compared with %s", column->field_name,
                            takes[column->kind].wanted);
    }
    char *text = word_text(parse, node);
    if (!text)
        return parse->fault->code;
    Code code = column_value_parse(column, text, parse->arena, ret_value, &found);
    if (code == HERO__V1__CODE__INVALID_ARGUMENT)
        code = filter_blame(parse, node->token.at, "%s",
                            found.message ? found.message : takes[column->kind].wanted);
    else if (code != HERO__V1__CODE__OK)
        fault_set(parse->fault, code, "%s", found.message ? found.message : "");
    fault_done(&found);
    if (code == HERO__V1__CODE__OK && column->kind == COLUMN_FLOAT)
        code = narrow(parse, node, ret_value);
    return code;
}

Code literal_count(struct filter_parse *parse, const struct filter_node *node,
                   struct key_value *ret_value)
{
    char *text;
    if (node->word != WORD_LITERAL || node->literal != LITERAL_INTEGER)
        return filter_blame(parse, node->token.at, "a count is compared with a whole number");
    text = word_text(parse, node);
    if (!text)
        return parse->fault->code;
    errno = 0;
    *ret_value = (struct key_value){.type = SQLITE_INTEGER, .integer = strtoll(text, NULL, 10)};
    return errno ? filter_blame(parse, node->token.at, "has more than 64 bits")
                 : HERO__V1__CODE__OK;
}
