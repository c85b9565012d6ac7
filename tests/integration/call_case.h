/*
 * What the tests of plain calls share: a herod with the tutorial's and the
 * library's models, a client of it, and ways to say what must happen.
 */
#ifndef HERO_TESTS_CALL_CASE_H
#define HERO_TESTS_CALL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <heroclient.h>
#include "fixture.h"
#include "heroes.pb-c.h"

struct call_case {
    struct herod_fixture herod;
    hero_client *client;
    hero_error error;
};

extern const uint8_t call_case_heroes[], call_case_library[];
extern const size_t call_case_heroes_size, call_case_library_size;

int call_case_setup(void **state);
/* The same with more arguments to herod, and no models yet. */
void call_case_start(struct call_case *test, const char *const *args);
int call_case_teardown(void **state);
hero_client *call_case_open(struct call_case *test, const hero_options *options);

/* The call went well; fails with its error otherwise. NULL is returned never. */
hero_result *call_case_ok(struct call_case *test, hero_result *result, int line);
#define OK(call) call_case_ok(test, (call), __LINE__)
/* The result's text is this; frees it. */
void call_case_text(struct call_case *test, hero_result *result, const char *expected, int line);
#define TEXT(call, expected) call_case_text(test, (call), (expected), __LINE__)
/* The call was refused with a code, blaming a path (NULL: any) in words that
 * hold `part`. */
void call_case_refused(struct call_case *test, hero_result *result, hero_code code,
                       const char *path, const char *part, int line);
#define REFUSED(call, code, path, part)                                                            \
    call_case_refused(test, (call), (code), (path), (part), __LINE__)

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, call_case_setup, call_case_teardown)

/* herod stands still, all of it, until SIGCONT. */
void call_case_pause(struct call_case *test);
/* Rows of a model. */
size_t call_case_rows(struct call_case *test, const char *model);
/* A number in a result's text, after "name": */
int64_t call_case_number(const char *text, const char *name);

#endif
