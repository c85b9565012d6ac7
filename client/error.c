/*
 * Errors as callers get them: one block of memory that hero_error_free
 * releases. What is told is copied from a fault; where memory runs out, the
 * code stays and a fixed text stands for the message.
 */
#include <stdlib.h>
#include <string.h>
#include "error.h"

/* The public codes are the wire's, by value. */
_Static_assert((int)HERO_OK == (int)HERO__V1__CODE__OK, "codes differ");
_Static_assert((int)HERO_NOT_FOUND == (int)HERO__V1__CODE__NOT_FOUND, "codes differ");
_Static_assert((int)HERO_UNAUTHENTICATED == (int)HERO__V1__CODE__UNAUTHENTICATED, "codes differ");

const char *hero_code_name(hero_code code)
{
    return code_name((int)code);
}

void hero_error_free(hero_error *error)
{
    static const hero_error none = HERO_ERROR_INIT;

    if (!error)
        return;
    free(error->memory);
    *error = none;
}

static char *put_text(char **place, const char *text)
{
    char *start = *place;

    *place = stpcpy(start, text ? text : "") + 1;
    return start;
}

static char *put_optional(char **place, const char *text)
{
    return text ? put_text(place, text) : NULL;
}

static size_t text_size(const char *text)
{
    return (text ? strlen(text) : 0) + 1;
}

static void fill(hero_error *error, const struct fault *fault)
{
    size_t size = fault->n_violations * sizeof(hero_violation) + text_size(fault->message);
    hero_violation *violations;
    char *place;

    for (size_t i = 0; i < fault->n_violations; i++)
        size += text_size(fault->violations[i].path) + text_size(fault->violations[i].description) +
                text_size(fault->violations[i].constraint) + text_size(fault->violations[i].type);
    error->memory = malloc(size);
    if (!error->memory) {
        error->message = "no memory for the error's text";
        return;
    }
    violations = error->memory;
    place = (char *)(violations + fault->n_violations);
    error->message = put_text(&place, fault->message);
    if (!*error->message)
        error->message = hero_code_name(error->code);
    for (size_t i = 0; i < fault->n_violations; i++) {
        violations[i].path = put_text(&place, fault->violations[i].path);
        violations[i].description = put_text(&place, fault->violations[i].description);
        violations[i].constraint = put_optional(&place, fault->violations[i].constraint);
        violations[i].type = put_optional(&place, fault->violations[i].type);
    }
    error->violations = fault->n_violations ? violations : NULL;
    error->n_violations = fault->n_violations;
}

hero_code error_give(hero_error *error, struct fault *fault, hero_outcome outcome)
{
    hero_code code = (hero_code)fault->code;

    if (error) {
        hero_error_free(error);
        if (code != HERO_OK) {
            error->code = code;
            error->outcome = outcome;
            fill(error, fault);
        }
    }
    fault_done(fault);
    return code;
}
