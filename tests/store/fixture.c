/*
 * The store's test fixture. What it makes it removes; nothing is mocked.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define PYTHON "/usr/bin/python3"

const char fixture_heroes[] =
    "message HeroTeamLink { option (hero.table) = {};"
    " optional int64 team_id = 1 [(hero.column) = {primary_key: true foreign_key: 'team.id'}];"
    " optional int64 hero_id = 2 [(hero.column) = {primary_key: true foreign_key: 'hero.id'}]; }"
    "message Team { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string headquarters = 3 [(hero.column).not_null = true];"
    " repeated Hero heroes = 4 [(hero.relationship) = {back_populates: 'teams'"
    " link_model: 'HeroTeamLink'}]; }"
    "message Hero { option (hero.table) = {};"
    " optional int64 id = 1 [(hero.column).primary_key = true];"
    " optional string name = 2 [(hero.column) = {not_null: true index: true}];"
    " optional string secret_name = 3 [(hero.column).not_null = true];"
    " optional int64 age = 4 [(hero.column).index = true];"
    " repeated Team teams = 5 [(hero.relationship) = {back_populates: 'heroes'"
    " link_model: 'HeroTeamLink'}]; }";

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    const char *temporary = getenv("TMPDIR");
    snprintf(f->directory, sizeof(f->directory), "%s/hero-store-XXXXXX",
             temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->database, sizeof(f->database), "%s/hero.db", f->directory);
    arena_init(&f->arena, 64u * 1024 * 1024);
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    fault_done(&f->fault);
    arena_done(&f->arena);
    nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

void fixture_write(const char *path, const void *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static ProtobufCBinaryData read_all(struct fixture *f, FILE *in)
{
    uint8_t block[65536];
    ProtobufCBinaryData bytes = {0, NULL};
    size_t n;
    while ((n = fread(block, 1, sizeof(block), in)) > 0) {
        uint8_t *larger = arena_alloc(&f->arena, bytes.len + n + 1);
        assert_non_null(larger);
        if (bytes.len > 0)
            memcpy(larger, bytes.data, bytes.len);
        memcpy(larger + bytes.len, block, n);
        bytes.data = larger;
        bytes.len += n;
    }
    return bytes;
}

ProtobufCBinaryData fixture_compile(struct fixture *f, const char *text)
{
    const char *source = getenv("HERO_SOURCE");
    char path[320], command[2048];
    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/m.proto", f->directory);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "syntax = \"proto2\";\nimport \"hero/options.proto\";\n%s\n", text);
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof(command),
             "protoc -I%s -I%s/proto -I/usr/include --include_imports "
             "--descriptor_set_out=%s/m.desc m.proto",
             f->directory, source, f->directory);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/m.desc", f->directory);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    ProtobufCBinaryData set = read_all(f, in);
    fclose(in);
    return set;
}

void fixture_print_fault(const struct fixture *f)
{
    fprintf(stderr, "%s: %s\n", code_name((int)f->fault.code),
            f->fault.message ? f->fault.message : "");
    for (size_t i = 0; i < f->fault.n_violations; i++)
        fprintf(stderr, "  %s: %s\n", f->fault.violations[i].path,
                f->fault.violations[i].description);
}

struct models *fixture_models(struct fixture *f, const char *text)
{
    struct models *models = NULL;
    ProtobufCBinaryData set = fixture_compile(f, text);
    fault_done(&f->fault);
    if (models_new(set.data, set.len, &models, &f->fault) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail();
    }
    return models;
}

Code fixture_try_open(struct fixture *f)
{
    struct store_options options = {
        .path = f->database,
        .n_readers = 2,
        .busy_timeout_ms = 50,
        .retention_ms = 3600 * 1000,
        .answer_bytes = 4096,
        .message_bytes = 1024 * 1024,
        .max_expand_depth = 4,
        .page_size = 100,
        .max_page_size = 1000,
        .without = f->without,
    };
    fault_done(&f->fault);
    return store_open(&options, &f->store, &f->trouble, &f->fault);
}

void fixture_open(struct fixture *f)
{
    if (fixture_try_open(f) != HERO__V1__CODE__OK) {
        fixture_print_fault(f);
        fail();
    }
    assert_int_equal(f->trouble, STORE_TROUBLE_NONE);
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

static void change_done(struct store_change *change)
{
    sem_post(change->arg);
}

static Code submit(struct fixture *f, struct store_change *change,
                   Hero__V1__ApplyModelsResponse *ret)
{
    sem_t done;
    sem_init(&done, 0, 0);
    change->author = "uid:1";
    change->arena = &f->arena;
    change->done = change_done;
    change->arg = &done;
    if (change->validate_only) {
        store_plan(f->store, change, 0);
    } else {
        store_submit_change(f->store, change);
        while (sem_wait(&done) != 0)
            assert_int_equal(errno, EINTR);
    }
    sem_destroy(&done);
    fault_done(&f->fault);
    f->fault = change->fault;
    if (ret)
        *ret = change->applied;
    return f->fault.code;
}

Code fixture_apply_set(struct fixture *f, ProtobufCBinaryData set, bool validate_only,
                       Hero__V1__ApplyModelsResponse *ret)
{
    struct store_change change = {.kind = STORE_APPLY,
                                  .descriptor_set = set.data,
                                  .descriptor_set_len = set.len,
                                  .validate_only = validate_only};
    return submit(f, &change, ret);
}

Code fixture_apply_losing(struct fixture *f, const char *text, const char *const *allowed,
                          Hero__V1__ApplyModelsResponse *ret)
{
    ProtobufCBinaryData set = fixture_compile(f, text);
    struct store_change change = {.kind = STORE_APPLY,
                                  .descriptor_set = set.data,
                                  .descriptor_set_len = set.len,
                                  .allowed = (char *const *)(uintptr_t)allowed};
    while (allowed[change.n_allowed])
        change.n_allowed++;
    return submit(f, &change, ret);
}

Code fixture_apply_expecting(struct fixture *f, const char *text, uint64_t version,
                             Hero__V1__ApplyModelsResponse *ret)
{
    ProtobufCBinaryData set = fixture_compile(f, text);
    struct store_change change = {.kind = STORE_APPLY,
                                  .descriptor_set = set.data,
                                  .descriptor_set_len = set.len,
                                  .expected_version = version};
    return submit(f, &change, ret);
}

Code fixture_plan(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret)
{
    return fixture_apply_set(f, fixture_compile(f, text), true, ret);
}

Code fixture_apply(struct fixture *f, const char *text, Hero__V1__ApplyModelsResponse *ret)
{
    return fixture_apply_set(f, fixture_compile(f, text), false, ret);
}

Code fixture_remove(struct fixture *f, const char *name, Hero__V1__ApplyModelsResponse *ret)
{
    struct store_change change = {.kind = STORE_REMOVE, .names = &name, .n_names = 1};
    return submit(f, &change, ret);
}

static sqlite3 *connect(struct fixture *f)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 1000);
    return db;
}

void fixture_sql(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect(f);
    char *text = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
    sqlite3_close(db);
}

const char *fixture_query(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect(f);
    sqlite3_stmt *stmt = NULL;
    const char *all = "";
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        all = arena_printf(&f->arena, "%s%s\n", all, text ? text : "NULL");
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return all;
}

const char *fixture_python(struct fixture *f, const char *program)
{
    char path[320], command[1024];
    snprintf(path, sizeof(path), "%s/program.py", f->directory);
    fixture_write(path, program, strlen(program));
    snprintf(command, sizeof(command), "%s %s %s", PYTHON, path, f->database);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    ProtobufCBinaryData output = read_all(f, in);
    int status = pclose(in);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return output.data ? (const char *)output.data : "";
}

bool fixture_has_sqlmodel(void)
{
    return system(PYTHON " -c 'import sqlmodel' 2>/dev/null") == 0;
}

bool fixture_blames(const struct fixture *f, const char *path, const char *text)
{
    for (size_t i = 0; i < f->fault.n_violations; i++) {
        if (strstr(f->fault.violations[i].path, path) &&
            strstr(f->fault.violations[i].description, text))
            return true;
    }
    fprintf(stderr, "nobody says '%s' of '%s'\n", text, path);
    fixture_print_fault(f);
    return false;
}
