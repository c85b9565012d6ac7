/*
 * A fresh directory with a database in it, for tests of the store: real
 * files, real protoc, real SQLModel.
 */
#ifndef HERO_TESTS_STORE_FIXTURE_H
#define HERO_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "store.h"

struct fixture {
    char directory[256];
    char database[300];
    struct arena arena; /* of what the test asks for */
    struct fault fault;
    struct store *store; /* NULL: closed */
    enum store_trouble trouble;
    const char *without; /* of the next open */
};

/* cmocka's; *state becomes a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The descriptor set of a .proto; `text` without syntax and import lines. */
ProtobufCBinaryData fixture_compile(struct fixture *f, const char *text);
struct models *fixture_models(struct fixture *f, const char *text);

/* Code, with the fixture's fault and trouble. */
Code fixture_try_open(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* Through the writer thread; waits for it. The answer is in the fixture's
 * arena, faults in its fault. */
Code fixture_apply_set(struct fixture *f, ProtobufCBinaryData set, bool validate_only,
                       Hero__V1__ApplyModelsResponse *ret);
/* With leave to lose what is named (up to a NULL). */
Code fixture_apply_losing(struct fixture *f, const char *text, const char *const *allowed,
                          Hero__V1__ApplyModelsResponse *ret);
/* Where the served models have this version only. */
Code fixture_apply_expecting(struct fixture *f, const char *text, uint64_t version,
                             Hero__V1__ApplyModelsResponse *ret);
/* The plan alone. */
Code fixture_plan(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret);
Code fixture_apply(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret);
Code fixture_remove(struct fixture *f, const char *name, Hero__V1__ApplyModelsResponse *ret);

/* On a connection of its own, as another program would. */
void fixture_sql(struct fixture *f, const char *sql);
/* First column of all rows, each with a newline. In the arena. */
const char *fixture_query(struct fixture *f, const char *sql);
/* Runs a Python program with the database's path as its argument; its output. In the arena. */
const char *fixture_python(struct fixture *f, const char *program);
bool fixture_has_sqlmodel(void);

void fixture_write(const char *path, const void *bytes, size_t len);
/* Does a violation's path and text hold both? */
bool fixture_blames(const struct fixture *f, const char *path, const char *text);
void fixture_print_fault(const struct fixture *f);

extern const char fixture_heroes[];

#endif
