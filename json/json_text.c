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

/* Of a member's name in a path. */
#define PATH_KEY_BYTES 100

/* Walks over a text up to where the parser gave up, for the path to it: the
 * members and elements that were open there. The text may be broken in any
 * way; what the parser took before is not, so little can be guessed wrong. */
struct walk {
    const char *at, *end;
    struct json_path *path;
    struct open {
        bool array;
        size_t index;    /* of an array's element */
        const char *key; /* of an object's member, as written; NULL: none yet */
        size_t key_len;
    } open[JSON_DEPTH];
    size_t depth; /* may be more than JSON_DEPTH: the path is cut there */
};

static struct open *walk_top(struct walk *walk)
{
    return walk->depth > 0 && walk->depth <= JSON_DEPTH ? &walk->open[walk->depth - 1] : NULL;
}

static void walk_string(struct walk *walk)
{
    const char *start = ++walk->at;
    struct open *top = walk_top(walk);

    while (walk->at < walk->end && *walk->at != '"')
        walk->at += *walk->at == '\\' && walk->at + 1 < walk->end ? 2 : 1;
    /* One that doesn't end may be what is broken. */
    if (top && !top->array && !top->key && walk->at < walk->end) {
        top->key = start;
        top->key_len = (size_t)(walk->at - start);
    }
}

static void walk_step(struct walk *walk)
{
    struct open *top = walk_top(walk);

    switch (*walk->at) {
    case '"':
        walk_string(walk);
        break;
    case '{':
    case '[':
        walk->depth++;
        if ((top = walk_top(walk)))
            *top = (struct open){.array = *walk->at == '['};
        break;
    case '}':
    case ']':
        walk->depth -= walk->depth > 0;
        break;
    case ',':
        if (top && top->array)
            top->index++;
        else if (top)
            top->key = NULL;
        break;
    }
    walk->at++;
}

static void walk_path(const struct walk *walk)
{
    size_t depth = walk->depth < JSON_DEPTH ? walk->depth : JSON_DEPTH;

    for (size_t i = 0; i < depth; i++) {
        const struct open *open = &walk->open[i];
        char name[PATH_KEY_BYTES + 1];
        size_t len = open->key_len;

        if (open->array) {
            json_path_index(walk->path, open->index);
        } else if (open->key) {
            if (len > PATH_KEY_BYTES)
                for (len = PATH_KEY_BYTES; len > 0 && (open->key[len] & 0xc0) == 0x80;)
                    len--; /* not inside a character */
            snprintf(name, sizeof(name), "%.*s", (int)len, open->key);
            json_path_name(walk->path, name);
        }
    }
}

/* Broken text is told by line, column and the path that leads there. */
static Code broken(const char *text, const json_error_t *error, const char *why,
                   struct fault *fault)
{
    struct json_path path = JSON_PATH_INIT;
    struct walk walk = {.at = text, .end = text + error->position, .path = &path};

    while (walk.at < walk.end)
        walk_step(&walk);
    walk_path(&walk);
    /* "... near 'secret'": where it is, is told; what stands there, is not. */
    const char *near = strstr(why, " near '");
    return fault_add(fault, path.text, "JSON line %d, column %d: %.*s", error->line, error->column,
                     (int)(near ? (size_t)(near - why) : strlen(why)), why);
}

/* jansson's words, where they would tell of jansson. */
static const char *why_broken(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_null_character:
        return "a text holds the character \\u0000, which no text of a record may";
    case json_error_stack_overflow:
        return "is nested too deep";
    case json_error_invalid_utf8:
        return "is not UTF-8";
    case json_error_duplicate_key:
        return "is there twice";
    case json_error_numeric_overflow:
        return "the number is too large; integers reach from -9223372036854775808 to "
               "9223372036854775807, larger unsigned ones are given as text";
    default:
        return error->text;
    }
}

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
    if (json_error_code(&error) == json_error_out_of_memory)
        return fault_set(fault, HERO__V1__CODE__RESOURCE_EXHAUSTED, "no memory for the JSON text");
    return broken(text, &error, why_broken(&error), fault);
}
