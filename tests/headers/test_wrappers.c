/*
 * Every rpc has a wrapper in the library: a row here, or the test is red. The
 * rpcs come from the generated service descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdio.h>
#include <cmocka.h>
#include "heroclient.h"
#include "method.h"

typedef void function(void);

#define WRAPPER(method, name)                                                                      \
    {                                                                                              \
        method, (function *)hero_client_##name, (function *)hero_request_##name                    \
    }

static const struct {
    const char *method;
    function *call, *request;
} wrappers[] = {
    WRAPPER("hero.v1.Records/Create", create),
    WRAPPER("hero.v1.Records/Create", create_json),
    WRAPPER("hero.v1.Records/Get", get),
    WRAPPER("hero.v1.Records/Get", get_json),
    WRAPPER("hero.v1.Records/List", list),
    WRAPPER("hero.v1.Records/List", list_json),
    WRAPPER("hero.v1.Records/ListRelated", list_related),
    WRAPPER("hero.v1.Records/ListRelated", list_related_json),
    WRAPPER("hero.v1.Records/Count", count),
    WRAPPER("hero.v1.Records/Count", count_json),
    WRAPPER("hero.v1.Records/Explain", explain_json),
    WRAPPER("hero.v1.Records/Update", update),
    WRAPPER("hero.v1.Records/Update", update_json),
    WRAPPER("hero.v1.Records/Upsert", upsert),
    WRAPPER("hero.v1.Records/Upsert", upsert_json),
    WRAPPER("hero.v1.Records/Delete", delete),
    WRAPPER("hero.v1.Records/Delete", delete_json),
    WRAPPER("hero.v1.Records/Link", link),
    WRAPPER("hero.v1.Records/Link", link_json),
    WRAPPER("hero.v1.Records/Unlink", unlink),
    WRAPPER("hero.v1.Records/Unlink", unlink_json),
    WRAPPER("hero.v1.Records/SetLinks", set_links),
    WRAPPER("hero.v1.Records/SetLinks", set_links_json),
    WRAPPER("hero.v1.Records/Commit", commit_json), /* structs: hero_session_commit */
    WRAPPER("hero.v1.Models/Apply", apply),
    WRAPPER("hero.v1.Models/List", list_models),
    WRAPPER("hero.v1.Models/Get", get_model),
    WRAPPER("hero.v1.Models/Remove", remove_models),
    WRAPPER("hero.v1.Models/History", history),
    WRAPPER("hero.v1.Models/GetSet", get_set),
    WRAPPER("hero.v1.Admin/Hello", hello),
    WRAPPER("hero.v1.Admin/Check", check),
    WRAPPER("hero.v1.Admin/Stats", stats),
};

static void test_every_rpc_has_a_wrapper(void **state)
{
    size_t n_rpcs = 0;

    (void)state;
    for (size_t i = 0; method_services[i]; i++) {
        const ProtobufCServiceDescriptor *service = method_services[i];

        for (unsigned j = 0; j < service->n_methods; j++) {
            char name[128];
            size_t k = 0;

            snprintf(name, sizeof(name), "%s/%s", service->name, service->methods[j].name);
            while (k < sizeof(wrappers) / sizeof(wrappers[0]) && strcmp(wrappers[k].method, name))
                k++;
            if (k == sizeof(wrappers) / sizeof(wrappers[0]))
                fail_msg("%s has no wrapper in heroclient.h", name);
            n_rpcs++;
        }
    }
    assert_true(n_rpcs >= 15);
}

static void test_every_wrapper_has_an_rpc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        struct method method;

        assert_int_equal(method_find(wrappers[i].method, &method, NULL), HERO__V1__CODE__OK);
        assert_non_null(method.input);
        assert_non_null(method.output);
        const char *name = wrappers[i].method;
        assert_int_equal(method.is_write,
                         !strncmp(name, "hero.v1.Records/", 16) && strcmp(name + 16, "Get") &&
                             strncmp(name + 16, "List", 4) && strcmp(name + 16, "Count") &&
                             strcmp(name + 16, "Explain"));
    }
}

static void test_unknown_methods(void **state)
{
    static const char *const names[] = {"",
                                        "Create",
                                        "hero.v1.Records",
                                        "hero.v1.Records/",
                                        "hero.v1.Records/Creat",
                                        "hero.v1.Records/Create/",
                                        "hero.v1.RecordsX/Create"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct fault fault = FAULT_INIT;
        struct method method;

        assert_int_equal(method_find(names[i], &method, &fault), HERO__V1__CODE__UNIMPLEMENTED);
        assert_non_null(strstr(fault.message, "hero.v1.Records/Create"));
        fault_done(&fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rpc_has_a_wrapper),
        cmocka_unit_test(test_every_wrapper_has_an_rpc),
        cmocka_unit_test(test_unknown_methods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
