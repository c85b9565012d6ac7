/*
 * Owns the text of faults, on the heap: a fault outlives the arena of the
 * call it ends. Knows nothing of what failed.
 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text longer than this is cut: it may quote what a peer sent. */
#define TEXT_MAX 2048

static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        return NULL;
    if (strlen(text) > TEXT_MAX) {
        size_t cut = TEXT_MAX;
        while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
            cut--; /* not inside a UTF-8 character */
        memcpy(text + cut, "...", 4);
    }
    return text;
}

Code fault_set(struct fault *fault, Code code, const char *format, ...)
{
    if (!fault)
        return code;
    va_list args;
    va_start(args, format);
    char *message = format_text(format, args);
    va_end(args);
    free(fault->message);
    fault->message = message;
    fault->code = code;
    return code;
}

static void keep_violation(struct fault *fault, const char *path, char *description)
{
    struct fault_violation *grown = NULL;
    char *copy = NULL;
    if (fault->n_violations < FAULT_MAX_VIOLATIONS && description && (copy = strdup(path)) != NULL)
        grown = realloc(fault->violations, (fault->n_violations + 1) * sizeof *grown);
    if (!grown) {
        free(copy);
        free(description);
        fault->n_dropped++;
        return;
    }
    fault->violations = grown;
    grown[fault->n_violations] = (struct fault_violation){.path = copy, .description = description};
    fault->n_violations++;
}

Code fault_add(struct fault *fault, const char *path, const char *format, ...)
{
    if (!fault)
        return HERO__V1__CODE__INVALID_ARGUMENT;
    va_list args;
    va_start(args, format);
    char *description = format_text(format, args);
    va_end(args);
    if (fault->code == HERO__V1__CODE__OK)
        fault_set(fault, HERO__V1__CODE__INVALID_ARGUMENT, "%s%s%s", path, *path ? ": " : "",
                  description ? description : "");
    keep_violation(fault, path, description);
    return fault->code;
}

void fault_detail(struct fault *fault, const char *constraint, const char *type)
{
    if (!fault || fault->n_violations == 0 || fault->n_dropped > 0)
        return; /* the last one is not there to be told of */
    struct fault_violation *last = &fault->violations[fault->n_violations - 1];
    free(last->constraint);
    free(last->type);
    last->constraint = constraint ? strdup(constraint) : NULL;
    last->type = type ? strdup(type) : NULL;
}

static char *joined(const char *prefix, const char *path)
{
    char *text = NULL;
    const char *dot = *path == '\0' || *path == '[' ? "" : ".";
    return asprintf(&text, "%s%s%s", prefix, dot, path) < 0 ? NULL : text;
}

void fault_take(struct fault *fault, struct fault *other)
{
    if (fault->code == HERO__V1__CODE__OK) {
        fault_done(fault);
        *fault = *other;
        *other = (struct fault)FAULT_INIT;
        return;
    }
    for (size_t i = 0; i < other->n_violations; i++) {
        const struct fault_violation *violation = &other->violations[i];
        fault_add(fault, violation->path, "%s", violation->description);
        fault_detail(fault, violation->constraint, violation->type);
    }
    fault->n_dropped += other->n_dropped;
    fault_done(other);
}

void fault_prefix(struct fault *fault, const char *prefix)
{
    if (!fault || *prefix == '\0')
        return;
    for (size_t i = 0; i < fault->n_violations; i++) {
        char *path = joined(prefix, fault->violations[i].path);
        if (!path)
            continue;
        free(fault->violations[i].path);
        fault->violations[i].path = path;
    }
}

void fault_done(struct fault *fault)
{
    if (!fault)
        return;
    for (size_t i = 0; i < fault->n_violations; i++) {
        free(fault->violations[i].path);
        free(fault->violations[i].description);
        free(fault->violations[i].constraint);
        free(fault->violations[i].type);
    }
    free(fault->violations);
    free(fault->message);
    *fault = (struct fault)FAULT_INIT;
}

const char *code_name(int code)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&hero__v1__code__descriptor, code);
    return value ? value->name : "UNKNOWN";
}
