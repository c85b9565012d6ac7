/*
 * A herod with models for each test, and what is asked of calls.
 */
#include <dirent.h>
#include <signal.h>
#include "call_case.h"

const uint8_t call_case_heroes[] = {
#include "heroes.desc.inc"
};
const uint8_t call_case_library[] = {
#include "library.desc.inc"
};
const size_t call_case_heroes_size = sizeof(call_case_heroes);
const size_t call_case_library_size = sizeof(call_case_library);

hero_client *call_case_open(struct call_case *test, const hero_options *options)
{
    hero_client *client = NULL;

    if (hero_client_open(herod_fixture_url(&test->herod), options, &client, &test->error))
        fail_msg("%s", test->error.message);
    return client;
}

void call_case_start(struct call_case *test, const char *const *args)
{
    herod_fixture_start(&test->herod, args);
    test->client = call_case_open(test, NULL);
}

int call_case_setup(void **state)
{
    struct call_case *test = calloc(1, sizeof(*test));

    call_case_start(test, NULL);
    hero_result_free(OK(hero_client_apply(test->client, call_case_heroes, call_case_heroes_size,
                                          NULL, &test->error)));
    hero_result_free(OK(hero_client_apply(test->client, call_case_library, call_case_library_size,
                                          NULL, &test->error)));
    *state = test;
    return 0;
}

int call_case_teardown(void **state)
{
    struct call_case *test = *state;

    hero_client_close(test->client);
    hero_error_free(&test->error);
    herod_fixture_stop(&test->herod);
    free(test);
    return 0;
}

static void tell_error(const hero_error *error)
{
    print_message("%s, outcome %d: %s\n", hero_code_name(error->code), (int)error->outcome,
                  error->message ? error->message : "no message");
    for (size_t i = 0; i < error->n_violations; i++)
        print_message("  %s: %s\n", error->violations[i].path, error->violations[i].description);
}

hero_result *call_case_ok(struct call_case *test, hero_result *result, int line)
{
    if (result && test->error.code == HERO_OK)
        return result;
    tell_error(&test->error);
    fail_msg("line %d", line);
    return NULL;
}

void call_case_text(struct call_case *test, hero_result *result, const char *expected, int line)
{
    call_case_ok(test, result, line);
    if (!hero_result_text(result) || strcmp(hero_result_text(result), expected))
        fail_msg("line %d:\n%s\ninstead of\n%s", line, hero_result_text(result), expected);
    hero_result_free(result);
}

void call_case_refused(struct call_case *test, hero_result *result, hero_code code,
                       const char *path, const char *part, int line)
{
    const hero_error *error = &test->error;
    bool found = !path && strstr(error->message ? error->message : "", part);

    if (result)
        fail_msg("line %d: went well", line);
    for (size_t i = 0; path && i < error->n_violations; i++)
        found = found || (!strcmp(error->violations[i].path, path) &&
                          strstr(error->violations[i].description, part));
    if (found && error->code == code && error->outcome != HERO_OUTCOME_UNKNOWN)
        return;
    tell_error(error);
    fail_msg("line %d: expected %s at %s with \"%s\"", line, hero_code_name(code),
             path ? path : "message", part);
}

/* A signal reaches a process's threads one after the other: wait for the last. */
void call_case_pause(struct call_case *test)
{
    char path[64], line[512];
    bool running = true;

    herod_fixture_signal(&test->herod, SIGSTOP);
    snprintf(path, sizeof(path), "/proc/%d/task", (int)test->herod.pid);
    while (running) {
        DIR *tasks = opendir(path);
        struct dirent *task;

        assert_non_null(tasks);
        running = false;
        while ((task = readdir(tasks))) {
            char name[400];
            FILE *file;

            snprintf(name, sizeof(name), "%s/%s/stat", path, task->d_name);
            file = *task->d_name == '.' ? NULL : fopen(name, "r");
            if (!file)
                continue;
            if (fgets(line, sizeof(line), file) && strrchr(line, ')'))
                running = running || strrchr(line, ')')[2] != 'T';
            fclose(file);
        }
        closedir(tasks);
    }
}

size_t call_case_rows(struct call_case *test, const char *model)
{
    const hero_list list = {.page_size = 1000};
    hero_result *result = OK(hero_client_list_json(test->client, model, &list, &test->error));
    size_t n = 0;

    for (const char *at = hero_result_text(result); (at = strchr(at, '{')); at++)
        n++;
    assert_null(hero_result_next_page_token(result));
    hero_result_free(result);
    return n;
}

int64_t call_case_number(const char *text, const char *name)
{
    char wanted[64];
    const char *at;

    snprintf(wanted, sizeof(wanted), "\"%s\": ", name);
    at = strstr(text, wanted);
    if (!at)
        fail_msg("no %s in %s", name, text);
    return strtoll(at + strlen(wanted), NULL, 10);
}
