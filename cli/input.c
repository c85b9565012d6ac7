/*
 * Arguments and standard input made into JSON text.
 *
 * JSON that was given is passed on as it was written, so that the library
 * sees every digit and every mistake; it is parsed here only to find where
 * values end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "input.h"
#include "text.h"

/* Packed records are smaller than their JSON, by a factor of two or three;
 * beyond this factor of the daemon's message limit reading on is pointless. */
#define TEXT_PER_MESSAGE 8

/* ---- standard input ---- */

static bool stdin_limit(struct context *context, size_t *ret_limit)
{
    int64_t message_bytes = 0;

    if (!context_connect(context))
        return false;
    hero_result *result = hero_client_hello(context->client, &context->error);
    if (!result)
        return false;
    json_t *hello = json_loads(hero_result_text(result), 0, NULL);
    text_integer(text_member(text_member(hello, "limits"), "message_bytes"), &message_bytes);
    json_decref(hello);
    hero_result_free(result);
    if (message_bytes <= 0)
        message_bytes = 1 << 20;
    *ret_limit = (size_t)message_bytes * TEXT_PER_MESSAGE;
    return true;
}

static int read_stdin(struct context *context, char **ret_text, size_t *ret_length)
{
    size_t limit, size = 1 << 16, length = 0;
    char *text = NULL;

    if (!stdin_limit(context, &limit))
        return report_error(context);
    for (;;) {
        char *bigger = realloc(text, size);
        ssize_t n;

        if (!bigger) {
            free(text);
            return report_local(context, "out of memory");
        }
        text = bigger;
        while ((n = read(STDIN_FILENO, text + length, size - length - 1)) < 0 && errno == EINTR)
            ;
        if (n <= 0) {
            if (n == 0)
                break;
            free(text);
            return report_local(context, "cannot read standard input: %s", strerror(errno));
        }
        length += (size_t)n;
        if (length > limit) {
            free(text);
            return report_failure(context, HERO_RESOURCE_EXHAUSTED,
                                  "standard input is longer than %zu bytes, %d times what the "
                                  "daemon takes in one message; send it in parts",
                                  limit, TEXT_PER_MESSAGE);
        }
        if (size - length < size / 4)
            size *= 2;
    }
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return 0;
}

/* ---- JSON values one after the other ---- */

static size_t skip_space(const char *text, size_t at, size_t length)
{
    while (at < length && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at;
}

/* Where the value that starts at `at` ends; 0: it is broken. */
static size_t end_of_value(const char *text, size_t at, size_t length, bool *ret_object)
{
    json_error_t error;
    /* Numbers beyond 64 bits, names that are there twice and the like are for
     * the library to refuse, which names the field. */
    json_t *value = json_loadb(text + at, length - at,
                               JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL |
                                   JSON_ALLOW_NUL,
                               &error);

    if (!value)
        return 0;
    *ret_object = json_is_object(value);
    json_decref(value);
    return at + (size_t)error.position;
}

static size_t line_of(const char *text, const char *place)
{
    size_t line = 1;

    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

/* Text that is broken goes on as it is, lines and all: the library says where
 * and names the path. */
char *input_join_values(const char *text, size_t length, char problem[256])
{
    const char *nul = memchr(text, '\0', length);
    char *joined = malloc(2 * length + 3), *to = joined;
    size_t n = 0, n_objects = 0, end, next;
    bool object = true;

    if (!joined || nul) {
        free(joined);
        snprintf(problem, 256, joined ? "a NUL byte in line %zu of the JSON" : "out of memory",
                 line_of(text, nul ? nul : text));
        return NULL;
    }
    *to++ = '[';
    for (size_t at = 0; (next = skip_space(text, at, length)) < length; at = end) {
        if (n++)
            *to++ = ',';
        end = end_of_value(text, next, length, &object);
        if (!end)
            end = length;
        n_objects += object;
        memcpy(to, text + at, end - at);
        to += end - at;
    }
    if (!n || (n > 1 && n_objects != n)) {
        snprintf(problem, 256,
                 n ? "of several JSON values each must be an object"
                   : "standard input is empty; JSON was expected");
        free(joined);
        return NULL;
    }
    *to = '\0';
    if (n == 1)
        return memmove(joined, joined + 1, (size_t)(to - joined));
    *to++ = ']';
    *to = '\0';
    return joined;
}

int input_json(struct context *context, const char *word, char **ret_json)
{
    char *text = NULL, problem[256];
    size_t length = 0;

    if (strcmp(word, "-")) {
        *ret_json = strdup(word);
        return *ret_json ? 0 : report_local(context, "out of memory");
    }
    int result = read_stdin(context, &text, &length);
    if (result)
        return result;
    *ret_json = input_join_values(text, length, problem);
    free(text);
    return *ret_json ? 0 : report_failure(context, HERO_INVALID_ARGUMENT, "%s", problem);
}

/* ---- FIELD=VALUE ---- */

static bool is_field_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');

        if (!letter && text[i] != '_' && !(digit && i))
            return false;
    }
    return length > 0;
}

static int add_field(struct context *context, json_t *record, const char *word)
{
    const char *equals = strchr(word, '=');
    json_error_t error;
    json_t *value;

    if (!equals)
        return report_usage(&context->arguments, "'%s' is neither FIELD=VALUE nor JSON", word);
    bool is_json = equals > word && equals[-1] == ':';
    char *name = strndup(word, (size_t)(equals - word) - is_json);
    if (!name)
        return report_local(context, "out of memory");
    int result = 0;
    if (!is_field_name(name, strlen(name)))
        result = report_usage(&context->arguments, "'%s' is no field name", name);
    else if (json_object_get(record, name))
        result = report_usage(&context->arguments, "field '%s' is given twice", name);
    else if (is_json &&
             !(value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error)))
        result =
            report_failure(context, HERO_INVALID_ARGUMENT, "%s: broken JSON: %s", name, error.text);
    else if (!is_json && !(value = json_string(equals + 1)))
        result = report_failure(context, HERO_INVALID_ARGUMENT, "%s: the value is not UTF-8", name);
    else
        json_object_set_new(record, name, value);
    free(name);
    return result;
}

static int add_nulls(struct context *context, json_t *record)
{
    for (size_t i = 0; i < context->arguments.n_nulls; i++) {
        const char *name = context->arguments.nulls[i];

        if (!is_field_name(name, strlen(name)))
            return report_usage(&context->arguments, "'%s' is no field name", name);
        if (json_object_get(record, name))
            return report_usage(&context->arguments, "field '%s' is given twice", name);
        json_object_set_new(record, name, json_null());
    }
    return 0;
}

static bool looks_like_json(const char *word)
{
    word += strspn(word, " \t\r\n");
    return !strcmp(word, "-") || *word == '{' || *word == '[';
}

int input_record(struct context *context, char **words, size_t n_words, char **ret_json)
{
    int result = 0;

    if (n_words && looks_like_json(words[0])) {
        if (n_words > 1)
            return report_usage(&context->arguments, "'%s' follows the JSON", words[1]);
        if (context->arguments.n_nulls)
            return report_usage(&context->arguments, "--null goes with FIELD=VALUE; in JSON "
                                                     "write null");
        return input_json(context, words[0], ret_json);
    }
    json_t *record = json_object();
    for (size_t i = 0; i < n_words && !result; i++)
        result = add_field(context, record, words[i]);
    if (!result)
        result = add_nulls(context, record);
    char *text = NULL;
    size_t size;
    FILE *out = result ? NULL : open_memstream(&text, &size);
    if (out) {
        text_write_json(out, record, false);
        fclose(out);
        *ret_json = text;
    }
    json_decref(record);
    return result || out ? result : report_local(context, "out of memory");
}

int input_link_columns(struct context *context, hero_request *request)
{
    const struct arguments *arguments = &context->arguments;
    char *json = NULL;

    if (!request || !arguments->n_sets)
        return 0;
    int code = input_record(context, arguments->sets, arguments->n_sets, &json);
    if (!code && hero_request_set_link_columns_json(request, json, &context->error) != HERO_OK)
        code = report_error(context);
    free(json);
    if (code)
        hero_request_free(request);
    return code;
}
