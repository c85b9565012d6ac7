/*
 * JSON and plain text as heroctl prints them.
 *
 * jansson parses; writing is done here, because json_dumpf prints 0.1 with
 * seventeen digits and lets terminal control characters of the C1 range pass.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

/* The control character that starts at text: C0, DEL, or C1, which UTF-8
 * writes as c2 80 .. c2 9f. Its length in bytes, or 0. */
static size_t control_length(const unsigned char *text, size_t left)
{
    if (text[0] < 0x20 || text[0] == 0x7f)
        return 1;
    return left > 1 && text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

static void write_json_text(FILE *out, const char *text, size_t length)
{
    static const char named[] = "b\bf\fn\nr\rt\t";

    fputc('"', out);
    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t control = control_length(at, length - i);

        if (!control) {
            if (*at == '"' || *at == '\\')
                fputc('\\', out);
            fputc(*at, out);
            i++;
            continue;
        }
        const char *name = control == 1 && *at ? strchr(named, *at) : NULL;
        if (name && name > named && *at < 0x20)
            fprintf(out, "\\%c", name[-1]);
        else
            fprintf(out, "\\u%04x", control == 1 ? at[0] : at[1]);
        i += control;
    }
    fputc('"', out);
}

void text_of_real(char buffer[32], double real)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, 32, "%.*g", digits, real);
        if (strtod(buffer, NULL) == real)
            break;
    }
    /* A real stays one when it is read back. */
    if (!strpbrk(buffer, ".en"))
        strcat(buffer, ".0");
}

static void new_line(FILE *out, int depth)
{
    fputc('\n', out);
    for (int i = 0; i < depth; i++)
        fputs("  ", out);
}

static void write_value(FILE *out, const json_t *value, bool pretty, int depth);

static void write_object(FILE *out, const json_t *object, bool pretty, int depth)
{
    json_t *mutable = (json_t *)(uintptr_t)object; /* jansson's iterators are not const */
    bool first = true;

    fputc('{', out);
    for (void *at = json_object_iter(mutable); at; at = json_object_iter_next(mutable, at)) {
        const char *name = json_object_iter_key(at);

        if (!first)
            fputc(',', out);
        first = false;
        if (pretty)
            new_line(out, depth + 1);
        write_json_text(out, name, strlen(name));
        fputs(pretty ? ": " : ":", out);
        write_value(out, json_object_iter_value(at), pretty, depth + 1);
    }
    if (pretty && !first)
        new_line(out, depth);
    fputc('}', out);
}

static void write_array(FILE *out, const json_t *array, bool pretty, int depth)
{
    size_t n = json_array_size(array);

    fputc('[', out);
    for (size_t i = 0; i < n; i++) {
        if (i)
            fputc(',', out);
        if (pretty)
            new_line(out, depth + 1);
        write_value(out, json_array_get(array, i), pretty, depth + 1);
    }
    if (pretty && n)
        new_line(out, depth);
    fputc(']', out);
}

static void write_value(FILE *out, const json_t *value, bool pretty, int depth)
{
    char real[32];

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(out, value, pretty, depth);
        break;
    case JSON_ARRAY:
        write_array(out, value, pretty, depth);
        break;
    case JSON_STRING:
        write_json_text(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        text_of_real(real, json_real_value(value));
        fputs(real, out);
        break;
    case JSON_TRUE:
        fputs("true", out);
        break;
    case JSON_FALSE:
        fputs("false", out);
        break;
    case JSON_NULL:
        fputs("null", out);
        break;
    }
}

void text_write_json(FILE *out, const json_t *value, bool pretty)
{
    write_value(out, value, pretty, 0);
}

void text_write_element(FILE *out, const json_t *value)
{
    write_value(out, value, true, 1);
}

char *text_escaped(const char *text, size_t length, bool keep_lines)
{
    char *escaped = malloc(length * 4 + 1), *to = escaped;

    if (!escaped)
        return NULL;
    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t control = control_length(at, length - i);

        if (!control || (*at == '\n' && keep_lines))
            *to++ = text[i++];
        else if (*at == '\n' || *at == '\t' || *at == '\r') {
            *to++ = '\\';
            *to++ = *at == '\n' ? 'n' : *at == '\t' ? 't' : 'r';
            i++;
        } else {
            to += sprintf(to, "\\x%02x", control == 1 ? at[0] : at[1]);
            i += control;
        }
    }
    *to = '\0';
    return escaped;
}

void text_write_escaped(FILE *out, const char *text, bool keep_lines)
{
    char *escaped = text_escaped(text, strlen(text), keep_lines);

    if (escaped)
        fputs(escaped, out);
    free(escaped);
}

/* stdio remembers that a write failed, but not why. */
static int output_error;

bool text_flush(void)
{
    errno = 0;
    if (fflush(stdout) && !output_error)
        output_error = errno ? errno : EIO;
    if (ferror(stdout) && !output_error)
        output_error = EIO;
    return !output_error;
}

int text_output_error(void)
{
    return output_error;
}

json_t *text_member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    char camel[64];
    size_t n = 0;

    if (value)
        return value;
    for (const char *at = name; *at && n < sizeof(camel) - 1; at++) {
        if (*at == '_' && at[1])
            camel[n++] = (char)toupper((unsigned char)*++at);
        else
            camel[n++] = *at;
    }
    camel[n] = '\0';
    return json_object_get(object, camel);
}

bool text_integer(const json_t *value, int64_t *ret_integer)
{
    if (json_is_integer(value)) {
        *ret_integer = json_integer_value(value);
        return true;
    }
    if (json_is_string(value)) {
        char *end;
        const char *text = json_string_value(value);
        long long integer = strtoll(text, &end, 10);

        if (*text && !*end) {
            *ret_integer = integer;
            return true;
        }
    }
    return false;
}
