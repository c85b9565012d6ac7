/*
 * What JSON needs of text: parsing (by jansson), paths for texts of errors.
 * json_print.c goes the other way.
 */
#include <stdio.h>
#include <string.h>
#include "json.h"

/* ---- paths ---- */

static size_t append(struct json_path *path, const char *before, const char *text,
                     const char *after)
{
    size_t len = path->len, room = sizeof(path->text) - len;
    int n = snprintf(path->text + len, room, "%s%s%s", before, text, after);

    path->len = n < 0 ? len : (size_t)n < room ? len + (size_t)n : sizeof(path->text) - 1;
    path->depth++;
    return len;
}

size_t json_path_name(struct json_path *path, const char *name)
{
    return append(path, path->len ? "." : "", name, "");
}

size_t json_path_index(struct json_path *path, size_t index)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu", index);
    return append(path, "[", text, "]");
}

void json_path_pop(struct json_path *path, size_t before)
{
    path->len = before;
    path->text[before] = '\0';
    path->depth--;
}

/* ---- text ---- */

Code json_parse(const char *text, json_t **ret_value, struct fault *fault)
{
    size_t len = text ? strlen(text) : 0;
    json_error_t error;

    if (!text)
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "no JSON text was given");
    if (len > JSON_TEXT_BYTES)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED,
                         "the JSON text has %zu bytes; at most %zu are taken", len,
                         JSON_TEXT_BYTES);
    *ret_value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*ret_value)
        return HERO__V1__CODE__OK;
    switch (json_error_code(&error)) {
    case json_error_numeric_overflow:
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT,
                         "JSON line %d, column %d: %s; integers reach from -9223372036854775808 to "
                         "9223372036854775807, larger unsigned ones are given as text",
                         error.line, error.column, error.text);
    case json_error_out_of_memory:
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    default:
        return fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "JSON line %d, column %d: %s",
                         error.line, error.column, error.text);
    }
}
