/*
 * JSON text. jansson prints reals with 17 digits; here they are as short as
 * they can be and still the same number, under any locale. The rest is as
 * jansson prints it, with UTF-8 as it is.
 */
#include <float.h>
#include <math.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"

/* Values inside each other: shared ones are never walked in a circle. */
#define PRINT_DEPTH 1000u

struct printing {
    char *text;
    size_t len, size, limit;
    bool no_memory, too_long;
};

static void put(struct printing *printing, const char *text, size_t len)
{
    size_t size = printing->size ? printing->size : 256;
    char *grown;

    if (printing->no_memory || printing->too_long)
        return;
    if (len > printing->limit - printing->len) {
        printing->too_long = true;
        return;
    }
    while (size - printing->len <= len)
        size *= 2;
    if (size != printing->size) {
        grown = realloc(printing->text, size);
        if (!grown) {
            printing->no_memory = true;
            return;
        }
        printing->text = grown;
        printing->size = size;
    }
    memcpy(printing->text + printing->len, text, len);
    printing->len += len;
}

static void put_text(struct printing *printing, const char *text, size_t len)
{
    size_t start = 0;

    put(printing, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *found = strchr("\"\"\\\\\bb\ff\nn\rr\tt", c);
        char escape[8];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        put(printing, text + start, i - start);
        start = i + 1;
        if (found && c)
            snprintf(escape, sizeof(escape), "\\%c", found[1]);
        else
            snprintf(escape, sizeof(escape), "\\u%04X", c);
        put(printing, escape, strlen(escape));
    }
    put(printing, text + start, len - start);
    put(printing, "\"", 1);
}

/* The shortest of 15, 16 and 17 digits that reads back as the same number,
 * with a point or an exponent, so that it stays a real. */
static void put_real(struct printing *printing, double number)
{
    char text[40], plain[40];
    size_t n = 0;
    bool is_real = false;

    /* Below DBL_MIN there are fewer digits to tell apart than elsewhere. */
    for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    for (const char *at = text; *at; at++) {
        bool digit = (*at >= '0' && *at <= '9') || *at == '-' || *at == '+' || *at == 'e';

        is_real = is_real || !digit || *at == 'e';
        if (digit)
            plain[n++] = *at;
        else if (!n || plain[n - 1] != '.') /* the locale's point, however many bytes */
            plain[n++] = '.';
    }
    put(printing, plain, n);
    if (!is_real)
        put(printing, ".0", 2);
}

static void put_value(struct printing *printing, const json_t *value, unsigned depth);

static void put_array(struct printing *printing, const json_t *value, unsigned depth)
{
    put(printing, "[", 1);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i)
            put(printing, ", ", 2);
        put_value(printing, json_array_get(value, i), depth);
        if (printing->too_long || printing->no_memory)
            return;
    }
    put(printing, "]", 1);
}

static void put_object(struct printing *printing, const json_t *value, unsigned depth)
{
    const char *name;
    bool first = true;
    json_t *item;

    put(printing, "{", 1);
    json_object_foreach((json_t *)(uintptr_t)value, name, item)
    {
        if (!first)
            put(printing, ", ", 2);
        first = false;
        put_text(printing, name, strlen(name));
        put(printing, ": ", 2);
        put_value(printing, item, depth);
        if (printing->too_long || printing->no_memory)
            return;
    }
    put(printing, "}", 1);
}

static void put_value(struct printing *printing, const json_t *value, unsigned depth)
{
    char text[24];

    if (depth > PRINT_DEPTH) {
        printing->too_long = true;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(printing, value, depth + 1);
        break;
    case JSON_ARRAY:
        put_array(printing, value, depth + 1);
        break;
    case JSON_STRING:
        put_text(printing, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        snprintf(text, sizeof(text), "%" PRId64, (int64_t)json_integer_value(value));
        put(printing, text, strlen(text));
        break;
    case JSON_REAL:
        put_real(printing, json_real_value(value));
        break;
    case JSON_TRUE:
        put(printing, "true", 4);
        break;
    case JSON_FALSE:
        put(printing, "false", 5);
        break;
    case JSON_NULL:
        put(printing, "null", 4);
        break;
    }
}

Code json_print(const json_t *value, size_t limit, char **ret_text, struct fault *fault)
{
    struct printing printing = {.limit = limit};

    put_value(&printing, value, 0);
    put(&printing, "", 1);
    if (!printing.no_memory && !printing.too_long) {
        *ret_text = printing.text;
        return HERO__V1__CODE__OK;
    }
    free(printing.text);
    if (printing.no_memory)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                     "the answer takes more than %zu bytes as JSON; ask for smaller pages or "
                     "expand less",
                     limit);
}
