/* Sets made of texts and merged into what is served; protoc judges each union. */
#ifndef HERO_TESTS_MERGE_CASE_H
#define HERO_TESTS_MERGE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "model.h"
#include "protoc.h"

#define THING(name, more)                                                                          \
    "message " name " { option (hero.table) = {};"                                                 \
    " optional int64 id = 1 [(hero.column).primary_key = true]; " more " }\n"
#define LINK(name, left, right)                                                                    \
    "message " name " { option (hero.table) = {};"                                                 \
    " optional int64 l = 1 [(hero.column) = {primary_key: true foreign_key: \"" left ".id\"}];"    \
    " optional int64 r = 2 [(hero.column) = {primary_key: true foreign_key: \"" right ".id\"}]; }"

static inline Code try_merge(struct models **served, struct bytes set, bool *ret_changed,
                             struct fault *fault)
{
    struct models *merged = NULL;
    Code code = models_merge(*served, set.data, set.len, &merged, ret_changed, fault);
    if (code == HERO__V1__CODE__OK) {
        models_unref(*served);
        *served = merged;
    }
    free(set.data);
    return code;
}

/* What is served must be a set that protoc takes and that parses back. */
static inline void check_served(const struct models *served)
{
    struct models *again = NULL;
    assert_int_equal(protoc_accepts(served->descriptor_set, served->descriptor_set_len), 0);
    assert_int_equal(models_new(served->descriptor_set, served->descriptor_set_len, &again, NULL),
                     HERO__V1__CODE__OK);
    assert_int_equal(again->n_models, served->n_models);
    for (size_t i = 0; i < again->n_models; i++) {
        assert_string_equal(again->models[i].name, served->models[i].name);
        assert_string_equal(again->models[i].table, served->models[i].table);
        assert_int_equal(again->models[i].n_columns, served->models[i].n_columns);
        assert_int_equal(again->models[i].n_relationships, served->models[i].n_relationships);
    }
    models_unref(again);
}

static inline void merge_texts(struct models **served, const char *const *texts,
                               bool expect_changed)
{
    bool changed = !expect_changed;
    struct fault fault = FAULT_INIT;
    Code code = try_merge(served, protoc_texts(texts), &changed, &fault);
    if (code != HERO__V1__CODE__OK)
        fail_msg("%s: %s", code_name(code), fault.message);
    assert_int_equal(changed, expect_changed);
    check_served(*served);
}

#define MERGE(served, changed, ...)                                                                \
    merge_texts(served, (const char *const[]){__VA_ARGS__, NULL}, changed)

#endif
