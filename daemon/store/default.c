/*
 * DEFAULT clauses of existing tables, read as literals and compared by what
 * the column would hold. Evaluates nothing: the file is not ours.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "default.h"

/* Without the blanks and parentheses around. */
static void strip(const char **text, size_t *len)
{
    for (;;) {
        while (*len > 0 && isspace((unsigned char)**text))
            ++*text, --*len;
        while (*len > 0 && isspace((unsigned char)(*text)[*len - 1]))
            --*len;
        if (*len < 2 || **text != '(' || (*text)[*len - 1] != ')')
            return;
        ++*text, *len -= 2;
    }
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/* The inside of '...', with '' as one '; of "..." too, which is a text in a
 * DEFAULT. False where it is no such literal. */
static bool unquote(const char *text, size_t len, char *out, size_t *ret_len)
{
    size_t n = 0;
    char quote = *text == '"' ? '"' : '\'';
    if (len < 2 || text[0] != quote || text[len - 1] != quote)
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        if (text[i] == quote && text[++i] != quote)
            return false;
        if (i >= len - 1)
            return false;
        out[n++] = text[i];
    }
    out[n] = '\0';
    *ret_len = n;
    return true;
}

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789+-.eE") == strlen(text);
}

static bool bytes_match(const char *text, size_t len, const ProtobufCBinaryData *bytes)
{
    static const char digits[] = "0123456789abcdef";
    if (len != 2 * bytes->len + 3 || (text[0] | 0x20) != 'x' || text[1] != '\'' ||
        text[len - 1] != '\'')
        return false;
    for (size_t i = 0; i < bytes->len; i++) {
        if (tolower((unsigned char)text[2 + 2 * i]) != digits[bytes->data[i] >> 4] ||
            tolower((unsigned char)text[3 + 2 * i]) != digits[bytes->data[i] & 15])
            return false;
    }
    return true;
}

static bool value_matches(const char *value, size_t len, const struct column *column)
{
    char *end = NULL;
    switch (column->default_kind) {
    case DEFAULT_NONE:
    case DEFAULT_BYTES:
    case DEFAULT_SQL:
    case DEFAULT_NOW:
        return false;
    case DEFAULT_TEXT:
        return len == column->default_bytes.len &&
               (len == 0 || memcmp(value, column->default_bytes.data, len) == 0);
    case DEFAULT_INTEGER:
        errno = 0;
        return is_number(value) && strtoll(value, &end, 10) == column->default_integer &&
               *end == '\0' && errno == 0;
    case DEFAULT_REAL:
        return is_number(value) && strtod(value, &end) == column->default_real && *end == '\0';
    }
    return false;
}

/* Byte for byte, but for parentheses around. */
static bool same_expression(const char *sql, size_t len, const char *expression)
{
    size_t n = strlen(expression);
    strip(&expression, &n);
    return len == n && memcmp(sql, expression, n) == 0;
}

/* What Hero writes, and what others do: it means the same moment. */
static bool is_now(const char *sql, size_t len, bool is_date)
{
    return is_date
               ? is_word(sql, len, "date('now')") || is_word(sql, len, "CURRENT_DATE")
               : same_expression(sql, len, "strftime('%Y-%m-%d %H:%M:%f000', 'now')") ||
                     is_word(sql, len, "datetime('now')") || is_word(sql, len, "CURRENT_TIMESTAMP");
}

bool default_matches(const char *sql, const struct column *column)
{
    size_t len = strlen(sql), value_len = 0;
    strip(&sql, &len);
    if (is_word(sql, len, "NULL"))
        return column->default_kind == DEFAULT_NONE;
    if (column->default_kind == DEFAULT_BYTES)
        return bytes_match(sql, len, &column->default_bytes);
    if (column->default_kind == DEFAULT_NOW)
        return is_now(sql, len, column->kind == COLUMN_DATE);
    if (column->default_kind == DEFAULT_SQL)
        return same_expression(sql, len, column->default_text);

    char *value = malloc(len + 1);
    bool matches = false;
    if (!value)
        return false;
    if (is_word(sql, len, "true") || is_word(sql, len, "false")) {
        value_len = 1;
        memcpy(value, len == 4 ? "1" : "0", 2);
        matches = value_matches(value, value_len, column);
    } else if (unquote(sql, len, value, &value_len)) {
        matches = value_matches(value, value_len, column);
    } else {
        memcpy(value, sql, len);
        value[len] = '\0';
        matches = is_number(value) && value_matches(value, len, column);
    }
    free(value);
    return matches;
}
