/* The fixture of the store's tests. */
#include "store_case.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t heroes_set[] = {
#include "heroes.desc.inc"
};
static const uint8_t library_set[] = {
#include "library.desc.inc"
};

static void change_done(struct store_change *change)
{
    sem_post(change->arg);
}

static void change(struct store_case *c, struct store_change *one)
{
    sem_t done;
    sem_init(&done, 0, 0);
    one->author = "test";
    one->arena = &c->arena;
    one->done = change_done;
    one->arg = &done;
    store_submit_change(c->store, one);
    sem_wait(&done);
    sem_destroy(&done);
    if (one->fault.code != HERO__V1__CODE__OK)
        fail_msg("changing the models: %s", one->fault.message);
}

void store_case_apply(struct store_case *c, const uint8_t *set, size_t len)
{
    struct store_change one = {
        .kind = STORE_APPLY, .descriptor_set = set, .descriptor_set_len = len};
    change(c, &one);
}

void store_case_remove(struct store_case *c, const char *model)
{
    struct store_change one = {.kind = STORE_REMOVE, .names = &model, .n_names = 1};
    change(c, &one);
}

int store_case_setup_closed(void **state)
{
    struct store_case *c = calloc(1, sizeof(*c));
    const char *tmp = getenv("TMPDIR");
    snprintf(c->directory, sizeof(c->directory), "%s/hero-store-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(c->directory))
        return -1;
    snprintf(c->path, sizeof(c->path), "%s/hero.db", c->directory);
    arena_init(&c->arena, 256u << 20);
    c->options = (struct store_options){.path = c->path,
                                        .n_readers = 2,
                                        .busy_timeout_ms = 500,
                                        .retention_ms = 7 * 86400000ull,
                                        .answer_bytes = 2048,
                                        .message_bytes = 1 << 20,
                                        .max_expand_depth = 4,
                                        .page_size = 10,
                                        .max_page_size = 100};
    *state = c;
    return 0;
}

void store_case_open(struct store_case *c)
{
    struct fault fault = FAULT_INIT;
    enum store_trouble trouble;
    if (store_open(&c->options, &c->store, &trouble, &fault) != HERO__V1__CODE__OK)
        fail_msg("open: %s", fault.message);
    store_case_apply(c, heroes_set, sizeof(heroes_set));
    store_case_apply(c, library_set, sizeof(library_set));
    c->models = store_models(c->store);
}

void store_case_close(struct store_case *c)
{
    models_unref(c->models);
    store_close(c->store);
    c->models = NULL;
    c->store = NULL;
}

int store_case_setup(void **state)
{
    if (store_case_setup_closed(state) != 0)
        return -1;
    store_case_open(*state);
    return 0;
}

int store_case_teardown(void **state)
{
    struct store_case *c = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    if (c->store)
        store_case_close(c);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s%s", c->path, suffixes[i]);
        unlink(path);
    }
    rmdir(c->directory);
    arena_done(&c->arena);
    free(c);
    return 0;
}

int64_t store_case_sql(struct store_case *c, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;
    assert_int_equal(sqlite3_open(c->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    for (const char *rest = sql; *rest;) {
        assert_int_equal(sqlite3_prepare_v2(db, rest, -1, &stmt, &rest), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW)
            number = sqlite3_column_int64(stmt, 0);
        assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    }
    sqlite3_close(db);
    return number;
}

/* ---- records ---- */

static void set_field(struct store_case *c, ProtobufCMessage *record, const struct column *column,
                      const char *text)
{
    void *at = field_at(record, column->field);
    field_set_present(record, column->field, true);
    switch (column->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = arena_strdup(&c->arena, text);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at =
            (ProtobufCBinaryData){strlen(text), (uint8_t *)arena_strdup(&c->arena, text)};
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = strtod(text, NULL);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)at = strtof(text, NULL);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)at =
            text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = strcmp(text, "true") == 0;
        break;
    default:
        *(uint32_t *)at = (uint32_t)strtoll(text, NULL, 10);
    }
}

ProtobufCBinaryData case_record(struct store_case *c, const char *model_name, const char *fields)
{
    const struct model *model = models_find(c->models, model_name, NULL);
    assert_non_null(model);
    ProtobufCMessage *record = dynamic_message(&c->arena, model->descriptor);
    char *copy = arena_strdup(&c->arena, fields), *save = NULL;
    for (char *field = strtok_r(copy, ";", &save); field; field = strtok_r(NULL, ";", &save)) {
        char *equals = strchr(field, '=');
        assert_non_null(equals);
        *equals = '\0';
        const struct column *column = model_column(model, field);
        assert_non_null(column);
        set_field(c, record, column, equals + 1);
    }
    ProtobufCBinaryData packed = {protobuf_c_message_get_packed_size(record), NULL};
    packed.data = arena_alloc(&c->arena, packed.len);
    protobuf_c_message_pack(record, packed.data);
    return packed;
}

/* ---- mutations ---- */

#define NEW(type, init)                                                                            \
    ({                                                                                             \
        type *message_ = arena_alloc(&c->arena, sizeof(type));                                     \
        init(message_);                                                                            \
        message_;                                                                                  \
    })

static Hero__V1__Mutation *mutation(struct store_case *c, Hero__V1__Mutation__OpCase op)
{
    Hero__V1__Mutation *new = NEW(Hero__V1__Mutation, hero__v1__mutation__init);
    new->op_case = op;
    return new;
}

static Hero__V1__Target *target(struct store_case *c, const char *model, const char *key)
{
    Hero__V1__Target *new = NEW(Hero__V1__Target, hero__v1__target__init);
    if (model[0] == '#') { /* "#1": by ref */
        new->has_ref = 1;
        new->ref = (uint32_t)atoi(model + 1);
        return new;
    }
    new->model = arena_strdup(&c->arena, model);
    new->has_key = 1;
    new->key = case_record(c, model, key);
    return new;
}

Hero__V1__Mutation *case_create(struct store_case *c, const struct graph_spec *records, size_t n,
                                const struct edge_spec *edges, size_t n_edges)
{
    Hero__V1__Mutation *new = mutation(c, HERO__V1__MUTATION__OP_CREATE);
    Hero__V1__Graph *graph = NEW(Hero__V1__Graph, hero__v1__graph__init);
    new->create = NEW(Hero__V1__CreateRequest, hero__v1__create_request__init);
    new->create->graph = graph;
    graph->records = arena_array(&c->arena, n, sizeof(void *));
    graph->edges = arena_array(&c->arena, n_edges + 1, sizeof(void *));
    graph->n_records = n;
    graph->n_edges = n_edges;
    for (size_t i = 0; i < n; i++) {
        Hero__V1__Record *record = NEW(Hero__V1__Record, hero__v1__record__init);
        record->has_ref = record->has_value = record->has_member = 1;
        record->ref = (uint32_t)i + 1;
        record->model = arena_strdup(&c->arena, records[i].model);
        record->value = case_record(c, records[i].model, records[i].fields);
        record->member = records[i].member;
        graph->records[i] = record;
    }
    for (size_t i = 0; i < n_edges; i++) {
        Hero__V1__Edge *edge = NEW(Hero__V1__Edge, hero__v1__edge__init);
        edge->has_from = edge->has_to = 1;
        edge->from = edges[i].from;
        edge->to = edges[i].to;
        edge->relationship = arena_strdup(&c->arena, edges[i].relationship);
        graph->edges[i] = edge;
    }
    return new;
}

Hero__V1__Mutation *case_create_one(struct store_case *c, const char *model, const char *fields)
{
    struct graph_spec one = {model, fields, HERO__V1__RECORD__MEMBER__NEW};
    return case_create(c, &one, 1, NULL, 0);
}

Hero__V1__Mutation *case_link(struct store_case *c, bool add, const char *model, const char *key,
                              const char *relationship, const char *related_model,
                              const char *related)
{
    Hero__V1__Mutation *new =
        mutation(c, add ? HERO__V1__MUTATION__OP_LINK : HERO__V1__MUTATION__OP_UNLINK);
    new->link = NEW(Hero__V1__LinkRequest, hero__v1__link_request__init);
    new->link->target = target(c, model, key);
    new->link->relationship = arena_strdup(&c->arena, relationship);
    new->link->related = arena_array(&c->arena, 1, sizeof(void *));
    new->link->related[0] = target(c, related_model, related);
    new->link->n_related = 1;
    return new;
}

Hero__V1__Mutation *case_delete(struct store_case *c, const char *model, const char *key)
{
    Hero__V1__Mutation *new = mutation(c, HERO__V1__MUTATION__OP_DELETE);
    new->delete_ = NEW(Hero__V1__DeleteRequest, hero__v1__delete_request__init);
    new->delete_->targets = arena_array(&c->arena, 1, sizeof(void *));
    new->delete_->targets[0] = target(c, model, key);
    new->delete_->n_targets = 1;
    return new;
}

Hero__V1__Mutation *case_update(struct store_case *c, const char *model, const char *key,
                                const char *values, const char *mask)
{
    Hero__V1__Mutation *new = mutation(c, HERO__V1__MUTATION__OP_UPDATE);
    new->update = NEW(Hero__V1__UpdateRequest, hero__v1__update_request__init);
    new->update->target = target(c, model, key);
    new->update->has_value = 1;
    new->update->value = case_record(c, model, values);
    if (mask) {
        new->update->update_mask = arena_array(&c->arena, 1, sizeof(char *));
        new->update->update_mask[0] = arena_strdup(&c->arena, mask);
        new->update->n_update_mask = 1;
    }
    return new;
}

/* ---- running ---- */

static void write_done(struct store_write *write)
{
    sem_post(&((struct pending *)write->arg)->done);
}

void case_submit_as(struct store_case *c, struct pending *pending, Hero__V1__Mutation **mutations,
                    size_t n, const uint8_t client[16], uint64_t seq, uint64_t lowest)
{
    struct arena *arena = arena_alloc(&c->arena, sizeof(*arena));
    memset(pending, 0, sizeof(*pending));
    sem_init(&pending->done, 0, 0);
    memcpy(pending->mutations, mutations, n * sizeof(*mutations));
    /* An arena of its own, as each request has: the writer uses it while the test goes on. */
    arena_init(arena, 64u << 20);
    pending->write = (struct store_write){.models = c->models,
                                          .arena = arena,
                                          .method = "test",
                                          .mutations = pending->mutations,
                                          .n_mutations = n,
                                          .path_format = n > 1 ? "mutations[%zu]" : "",
                                          .done = write_done,
                                          .arg = pending};
    if (client) {
        ProtobufCBinaryData bytes = {protobuf_c_message_get_packed_size(&mutations[0]->base), NULL};
        bytes.data = arena_alloc(&c->arena, bytes.len);
        protobuf_c_message_pack(&mutations[0]->base, bytes.data);
        pending->write.request_bytes = bytes.data;
        pending->write.request_len = bytes.len;
        pending->write.identity.principal = "uid:1";
        memcpy(pending->write.identity.client, client, 16);
        pending->write.identity.seq = seq;
        pending->write.identity.lowest_seq = lowest;
    }
    store_submit(c->store, &pending->write);
}

void case_submit(struct store_case *c, struct pending *pending, Hero__V1__Mutation *one)
{
    case_submit_as(c, pending, &one, 1, NULL, 0, 0);
}

Code case_wait(struct pending *pending)
{
    while (sem_wait(&pending->done) != 0)
        ;
    return pending->write.fault.code;
}

Code case_run(struct store_case *c, struct pending *pending, Hero__V1__Mutation *one)
{
    case_submit(c, pending, one);
    return case_wait(pending);
}

void case_done(struct pending *pending)
{
    fault_done(&pending->write.fault);
    arena_done(pending->write.arena);
    sem_destroy(&pending->done);
}

Hero__V1__CommitResponse *case_answer(struct store_case *c, const struct pending *pending)
{
    Hero__V1__CommitResponse *answer = hero__v1__commit_response__unpack(
        arena_allocator(&c->arena), pending->write.answer.len, pending->write.answer.data);
    assert_non_null(answer);
    return answer;
}

bool case_blames(const struct fault *fault, const char *path)
{
    for (size_t i = 0; i < fault->n_violations; i++)
        if (strcmp(fault->violations[i].path, path) == 0)
            return true;
    return false;
}
