/*
 * Commits: what each mutation does, and what is said when it can't.
 */
#include "store_case.h"

#include <string.h>

#define NEW HERO__V1__RECORD__MEMBER__NEW
#define KEY HERO__V1__RECORD__MEMBER__KEY
#define CONNECT HERO__V1__RECORD__MEMBER__CONNECT_OR_CREATE
#define CODE(name) HERO__V1__CODE__##name

static void expect(struct store_case *c, Hero__V1__Mutation *mutation, Code code, const char *path)
{
    struct pending pending;
    int64_t before = store_case_sql(c, "SELECT (SELECT count(*) FROM hero) + (SELECT count(*) FROM "
                                       "team) + (SELECT count(*) FROM heroteamlink) + (SELECT "
                                       "count(*) FROM book) + (SELECT count(*) FROM author)");
    assert_int_equal(case_run(c, &pending, mutation), code);
    if (path && !case_blames(&pending.write.fault, path))
        fail_msg("no violation at %s: %s (%s)", path, pending.write.fault.message,
                 pending.write.fault.n_violations ? pending.write.fault.violations[0].path : "-");
    if (code != CODE(OK)) {
        assert_non_null(pending.write.fault.message);
        assert_int_equal(store_case_sql(c, "SELECT (SELECT count(*) FROM hero) + (SELECT count(*) "
                                           "FROM team) + (SELECT count(*) FROM heroteamlink) + "
                                           "(SELECT count(*) FROM book) + (SELECT count(*) FROM "
                                           "author)"),
                         before);
    }
    case_done(&pending);
}

static void expect_ok(struct store_case *c, Hero__V1__Mutation *mutation)
{
    expect(c, mutation, CODE(OK), NULL);
}

/* Two heroes who share a team, and the team again through its heroes: a cycle. */
static void test_graph(void **state)
{
    struct store_case *c = *state;
    const struct graph_spec records[] = {{"Hero", "name=Deadpond;secret_name=Dive", NEW},
                                         {"Team", "name=Z-Force;headquarters=Bar", NEW},
                                         {"Hero", "name=Rusty;secret_name=Tommy;age=48", NEW}};
    const struct edge_spec edges[] = {{1, 2, "teams"}, {2, 1, "heroes"}, {2, 3, "heroes"}};
    struct pending pending;
    assert_int_equal(case_run(c, &pending, case_create(c, records, 3, edges, 3)), CODE(OK));
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    assert_int_equal(answer->n_outcomes, 1);
    assert_int_equal(answer->outcomes[0]->added, 2); /* the same link from both sides is one */
    assert_int_equal(answer->outcomes[0]->n_records, 3);
    assert_int_equal(answer->outcomes[0]->records[2]->ref, 3);
    assert_int_equal(answer->commit, store_commit_number(c->store));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), 2);
    assert_int_equal(store_case_sql(c, "SELECT id FROM hero WHERE name = 'Rusty'"), 2);
}

static void test_members(void **state)
{
    struct store_case *c = *state;
    expect_ok(c, case_create_one(c, "library.Author", "handle=ann;full_name=Ann"));
    const struct graph_spec with_key[] = {{"book", "title=One", NEW},
                                          {"author", "handle=ann", KEY}};
    const struct edge_spec edge[] = {{1, 2, "authors"}};
    expect_ok(c, case_create(c, with_key, 2, edge, 1));
    const struct graph_spec by_unique[] = {{"book", "title=Two", NEW},
                                           {"author", "full_name=Ann", CONNECT}};
    expect_ok(c, case_create(c, by_unique, 2, edge, 1));
    const struct graph_spec created[] = {{"book", "title=Three", NEW},
                                         {"author", "handle=bob;full_name=Bob", CONNECT}};
    expect_ok(c, case_create(c, created, 2, edge, 1));
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM author"), 2);
    assert_int_equal(
        store_case_sql(c, "SELECT count(*) FROM authorship WHERE author_handle = 'ann'"), 2);
    const struct graph_spec missing[] = {{"book", "title=Four", NEW},
                                         {"author", "handle=eve", KEY}};
    expect(c, case_create(c, missing, 2, edge, 1), CODE(NOT_FOUND), "authors[0]");
    const struct graph_spec unclear[] = {{"book", "title=Four", NEW}, {"author", "", CONNECT}};
    expect(c, case_create(c, unclear, 2, edge, 1), CODE(INVALID_ARGUMENT), "authors[0]");
}

static void test_defaults_and_null(void **state)
{
    struct store_case *c = *state;
    expect_ok(c, case_create_one(c, "book", "title=One"));
    assert_int_equal(store_case_sql(c, "SELECT in_print = 1 AND pages = 100 AND price IS NULL FROM "
                                       "book"),
                     1);
    expect_ok(c, case_update(c, "book", "id=1", "price=2.5", NULL));
    expect_ok(c, case_update(c, "book", "id=1", "", "price"));
    assert_int_equal(store_case_sql(c, "SELECT price IS NULL AND title = 'One' FROM book"), 1);
}

static void test_refused_create(void **state)
{
    struct store_case *c = *state;
    expect_ok(c, case_create_one(c, "hero", "id=1;name=a;secret_name=s"));
    expect(c, case_create_one(c, "hero", "id=1;name=b;secret_name=s"), CODE(ALREADY_EXISTS), "id");
    expect(c, case_create_one(c, "hero", "age=3"), CODE(INVALID_ARGUMENT), "name");
    expect(c, case_create_one(c, "hero", "age=3"), CODE(INVALID_ARGUMENT), "secret_name");
    expect(c, case_create_one(c, "author", "full_name=x"), CODE(INVALID_ARGUMENT), "handle");
    expect_ok(c, case_create_one(c, "author", "handle=a;full_name=x"));
    expect(c, case_create_one(c, "author", "handle=b;full_name=x"), CODE(ALREADY_EXISTS),
           "full_name");
    expect(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=9"), CODE(FAILED_PRECONDITION),
           "book_id");
    expect(c, case_create_one(c, "scalars", "a_uint64=9223372036854775808"), CODE(INVALID_ARGUMENT),
           "a_uint64");
    expect(c, case_create_one(c, "scalars", "a_double=nan"), CODE(INVALID_ARGUMENT), "a_double");
    const struct graph_spec nested[] = {{"hero", "name=x;secret_name=s", NEW},
                                        {"team", "name=t;headquarters=h", NEW},
                                        {"team", "name=u", NEW}};
    const struct edge_spec edges[] = {{1, 2, "teams"}, {1, 3, "teams"}};
    expect(c, case_create(c, nested, 3, edges, 2), CODE(INVALID_ARGUMENT), "teams[1].headquarters");
    const struct edge_spec unknown[] = {{1, 2, "friends"}};
    expect(c, case_create(c, nested, 2, unknown, 1), CODE(INVALID_ARGUMENT), "friends");
    const struct edge_spec wrong_end[] = {{1, 1, "teams"}};
    expect(c, case_create(c, nested, 1, wrong_end, 1), CODE(INVALID_ARGUMENT), "teams");
    const struct edge_spec dangling[] = {{1, 9, "teams"}};
    expect(c, case_create(c, nested, 1, dangling, 1), CODE(INVALID_ARGUMENT), "edges[0]");
}

static void test_unknown_names(void **state)
{
    struct store_case *c = *state;
    Hero__V1__Mutation *create = case_create_one(c, "hero", "name=a;secret_name=s");
    create->create->graph->records[0]->model = arena_strdup(&c->arena, "villain");
    expect(c, create, CODE(NOT_FOUND), "");
    Hero__V1__Mutation *unknown_field = case_create_one(c, "hero", "name=a;secret_name=s");
    unknown_field->create->graph->records[0]->value =
        (ProtobufCBinaryData){2, (uint8_t *)"\x50\x01"};
    expect(c, unknown_field, CODE(INVALID_ARGUMENT), NULL);
    Hero__V1__Mutation *nul = case_create_one(c, "hero", "name=ab;secret_name=s");
    uint8_t *name = memchr(nul->create->graph->records[0]->value.data, 'a',
                           nul->create->graph->records[0]->value.len);
    *name = '\0';
    expect(c, nul, CODE(INVALID_ARGUMENT), "name");
    *name = 0xff;
    expect(c, nul, CODE(INVALID_ARGUMENT), "name");
    Hero__V1__Mutation *empty = case_create_one(c, "hero", "name=a;secret_name=s");
    empty->op_case = HERO__V1__MUTATION__OP__NOT_SET;
    expect(c, empty, CODE(INVALID_ARGUMENT), "");
}

static void test_update(void **state)
{
    struct store_case *c = *state;
    expect_ok(c, case_create_one(c, "hero", "name=a;secret_name=s;age=3"));
    expect_ok(c, case_update(c, "hero", "id=1", "age=4", NULL));
    assert_int_equal(store_case_sql(c, "SELECT age FROM hero WHERE name = 'a'"), 4);
    expect(c, case_update(c, "hero", "id=2", "age=4", NULL), CODE(NOT_FOUND), "target");
    expect(c, case_update(c, "hero", "id=2", "", NULL), CODE(NOT_FOUND), "target");
    expect(c, case_update(c, "hero", "id=1", "", "name"), CODE(INVALID_ARGUMENT), "name");
    expect(c, case_update(c, "hero", "id=1", "", "wings"), CODE(INVALID_ARGUMENT),
           "update_mask[0]");
    expect(c, case_update(c, "hero", "id=1", "", "id"), CODE(INVALID_ARGUMENT), "update_mask[0]");
    expect(c, case_update(c, "hero", "id=1", "id=2;age=5", NULL), CODE(INVALID_ARGUMENT), "id");
    expect(c, case_update(c, "hero", "name=a", "age=5", NULL), CODE(INVALID_ARGUMENT), "target.id");
}

static void test_links(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    expect_ok(c, case_create_one(c, "hero", "name=a;secret_name=s"));
    expect_ok(c, case_create_one(c, "team", "name=t;headquarters=h"));
    assert_int_equal(
        case_run(c, &pending, case_link(c, true, "hero", "id=1", "teams", "team", "id=1")),
        CODE(OK));
    assert_int_equal(case_answer(c, &pending)->outcomes[0]->added, 1);
    case_done(&pending);
    /* Again, from the other side: nothing new, no error. */
    assert_int_equal(
        case_run(c, &pending, case_link(c, true, "team", "id=1", "heroes", "hero", "id=1")),
        CODE(OK));
    assert_int_equal(case_answer(c, &pending)->outcomes[0]->added, 0);
    assert_int_equal(case_answer(c, &pending)->outcomes[0]->kept, 1);
    case_done(&pending);
    expect(c, case_link(c, true, "hero", "id=1", "teams", "team", "id=9"), CODE(NOT_FOUND),
           "related[0]");
    expect(c, case_link(c, true, "hero", "id=9", "teams", "team", "id=1"), CODE(NOT_FOUND),
           "target");
    expect(c, case_link(c, true, "hero", "id=1", "friends", "team", "id=1"), CODE(INVALID_ARGUMENT),
           "relationship");
    expect(c, case_link(c, true, "hero", "id=1", "teams", "hero", "id=1"), CODE(INVALID_ARGUMENT),
           "related[0]");
    expect_ok(c, case_link(c, false, "team", "id=1", "heroes", "hero", "id=1"));
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), 0);
    expect_ok(c, case_link(c, false, "team", "id=1", "heroes", "hero", "id=1"));
    expect(c, case_link(c, false, "team", "id=1", "heroes", "hero", "id=5"), CODE(NOT_FOUND),
           "related[0]");
}

static void test_delete(void **state)
{
    struct store_case *c = *state;
    expect_ok(c, case_create_one(c, "hero", "name=a;secret_name=s"));
    expect_ok(c, case_create_one(c, "team", "name=t;headquarters=h"));
    expect_ok(c, case_link(c, true, "hero", "id=1", "teams", "team", "id=1"));
    expect_ok(c, case_delete(c, "team", "id=1"));
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), 0);
    expect(c, case_delete(c, "team", "id=1"), CODE(NOT_FOUND), "targets[0]");
    /* A relationship that only the other side declares is cleared, too. */
    expect_ok(c, case_create_one(c, "book", "title=One"));
    expect_ok(c, case_create_one(c, "order", "name=red"));
    expect_ok(c, case_link(c, true, "book", "id=1", "tags", "order", "name=red"));
    expect_ok(c, case_delete(c, "order", "name=red"));
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM booktag"), 0);
    /* A foreign key that is no link holds its record. */
    expect_ok(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=1"));
    expect(c, case_delete(c, "book", "id=1"), CODE(FAILED_PRECONDITION), "targets[0]");
    expect_ok(c, case_delete(c, "copy", "branch=a;shelf=1"));
    expect_ok(c, case_delete(c, "book", "id=1"));
}

/* Later mutations name what earlier ones made; one that fails undoes all. */
static void test_several(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation *all[3];
    expect_ok(c, case_create_one(c, "team", "name=t;headquarters=h"));
    all[0] = case_create_one(c, "hero", "name=a;secret_name=s");
    all[1] = case_link(c, true, "#1", "", "teams", "team", "id=1");
    all[2] = case_update(c, "hero", "id=1", "age=9", NULL);
    all[2]->update->target->has_ref = 1; /* by ref, not by key */
    all[2]->update->target->ref = 1;
    case_submit_as(c, &pending, all, 3, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(OK));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT age FROM hero JOIN heroteamlink ON hero_id = id"),
                     9);
    all[2] = case_create_one(c, "hero", "id=1;name=b;secret_name=s");
    all[2]->create->graph->records[0]->ref = 7;
    all[0] = case_create_one(c, "hero", "name=c;secret_name=s");
    case_submit_as(c, &pending, all, 3, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(ALREADY_EXISTS));
    assert_true(case_blames(&pending.write.fault, "mutations[2].create.id"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 1);
    all[0] = case_link(c, true, "#5", "", "teams", "team", "id=1");
    case_submit_as(c, &pending, all, 2, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(INVALID_ARGUMENT));
    assert_true(case_blames(&pending.write.fault, "mutations[0].link.target"));
    case_done(&pending);
}

/* What is said names the key; other values it doesn't. */
static void test_texts(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    expect_ok(c, case_create_one(c, "hero", "id=41;name=a;secret_name=s"));
    case_run(c, &pending, case_create_one(c, "hero", "id=41;name=b;secret_name=hush"));
    assert_string_equal(pending.write.fault.message, "Hero 41 exists already");
    case_done(&pending);
    expect_ok(c, case_create_one(c, "author", "handle=a;full_name=Private"));
    case_run(c, &pending, case_create_one(c, "author", "handle=b;full_name=Private"));
    assert_non_null(strstr(pending.write.fault.message, "library.Author"));
    assert_non_null(strstr(pending.write.fault.message, "full_name"));
    assert_null(strstr(pending.write.fault.message, "Private"));
    case_done(&pending);
    expect_ok(c, case_create_one(c, "book", "id=5;title=t"));
    expect_ok(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=5"));
    case_run(c, &pending, case_delete(c, "book", "id=5"));
    assert_non_null(strstr(pending.write.fault.message, "library.Book 5"));
    assert_non_null(strstr(pending.write.fault.violations[0].description, "library.Copy.book_id"));
    case_done(&pending);
}

static void assert_detail(const struct pending *pending, size_t i, const char *path,
                          const char *constraint, const char *type)
{
    const struct fault_violation *violation = &pending->write.fault.violations[i];
    assert_true(i < pending->write.fault.n_violations);
    assert_string_equal(violation->path, path);
    assert_string_equal(violation->constraint, constraint);
    if (type)
        assert_string_equal(violation->type, type);
    else
        assert_null(violation->type);
}

/* The constraint by its name, the kind of value, and one thing for one key. */
static void test_errors_carry_constraint_and_type(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    expect_ok(c, case_create_one(c, "book", "id=5;title=t"));
    expect_ok(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=5"));
    case_run(c, &pending, case_create_one(c, "copy", "branch=a;shelf=1;book_id=5"));
    assert_int_equal(pending.write.fault.n_violations, 1);
    assert_detail(&pending, 0, "", "PRIMARY KEY (branch, shelf)", "string, int32");
    assert_non_null(strstr(pending.write.fault.violations[0].description, "branch and shelf"));
    case_done(&pending);
    case_run(c, &pending, case_create_one(c, "copy", "branch=b;shelf=1;book_id=6"));
    assert_detail(&pending, 0, "book_id", "FOREIGN KEY (book_id)", "int64");
    case_done(&pending);
    case_run(c, &pending, case_delete(c, "book", "id=5"));
    assert_detail(&pending, 0, "targets[0]", "FOREIGN KEY (book_id)", NULL);
    case_done(&pending);
    case_run(c, &pending, case_update(c, "book", "id=5", "", "title"));
    assert_detail(&pending, 0, "title", "NOT NULL", "string");
    case_done(&pending);
    /* Three levels down, in the third of a commit. */
    expect_ok(c, case_create_one(c, "author", "handle=a;full_name=Private"));
    const struct graph_spec records[] = {{"book", "title=One", NEW},
                                         {"order", "name=red", NEW},
                                         {"author", "handle=b;full_name=New", NEW},
                                         {"author", "handle=c;full_name=Private", NEW}};
    const struct edge_spec edges[] = {{1, 2, "tags"}, {1, 3, "authors"}, {1, 4, "authors"}};
    Hero__V1__Mutation *all[] = {case_create_one(c, "hero", "name=a;secret_name=s"),
                                 case_update(c, "book", "id=5", "title=u", NULL),
                                 case_create(c, records, 4, edges, 3)};
    all[0]->create->graph->records[0]->ref = 99;
    case_submit_as(c, &pending, all, 3, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(ALREADY_EXISTS));
    assert_detail(&pending, 0, "mutations[2].create.authors[1].full_name", "UNIQUE (full_name)",
                  "string");
    assert_null(strstr(pending.write.fault.message, "Private"));
    assert_null(strstr(pending.write.fault.violations[0].description, "Private"));
    case_done(&pending);
}

/* A write that was made with other models than those served now. */
static void test_models_changed(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
        arena_allocator(&c->arena), c->models->descriptor_set_len, c->models->descriptor_set);
    char *reserved[] = {"shelve"};
    for (size_t f = 0; f < set->n_file; f++)
        for (size_t m = 0; m < set->file[f]->n_message_type; m++) {
            Google__Protobuf__DescriptorProto *message = set->file[f]->message_type[m];
            if (strcmp(message->name, "Copy") != 0)
                continue;
            message->reserved_name = reserved; /* another model, with the same table */
            message->n_reserved_name = 1;
        }
    size_t len = google__protobuf__file_descriptor_set__get_packed_size(set);
    uint8_t *bytes = arena_alloc(&c->arena, len);
    google__protobuf__file_descriptor_set__pack(set, bytes);
    expect_ok(c, case_create_one(c, "book", "title=t"));

    struct models *before = c->models;
    store_case_remove(c, "library.Copy");
    assert_int_equal(
        case_run(c, &pending, case_create_one(c, "copy", "branch=a;shelf=1;book_id=1")),
        CODE(NOT_FOUND));
    case_done(&pending);
    store_case_apply(c, bytes, len);
    assert_int_equal(
        case_run(c, &pending, case_create_one(c, "copy", "branch=a;shelf=1;book_id=1")),
        CODE(FAILED_PRECONDITION));
    assert_non_null(strstr(pending.write.fault.message, "library.Copy changed"));
    case_done(&pending);
    /* What did not change goes on. */
    expect_ok(c, case_create_one(c, "book", "title=u"));
    c->models = store_models(c->store);
    models_unref(before);
    expect_ok(c, case_create_one(c, "copy", "branch=a;shelf=1;book_id=1"));
}

static void test_deadline(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    Hero__V1__Mutation *one = case_create_one(c, "hero", "name=late;secret_name=s");
    /* Past before it is queued: the submit below carries it. */
    memset(&pending, 0, sizeof(pending));
    sem_init(&pending.done, 0, 0);
    case_submit_as(c, &pending, &one, 1, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(OK));
    struct store_write again = pending.write;
    again.deadline_ns = 1;
    pending.write = again;
    store_submit(c->store, &pending.write);
    assert_int_equal(case_wait(&pending), CODE(DEADLINE_EXCEEDED));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM hero"), 1);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_graph),
        TEST(test_members),
        TEST(test_defaults_and_null),
        TEST(test_refused_create),
        TEST(test_unknown_names),
        TEST(test_update),
        TEST(test_links),
        TEST(test_delete),
        TEST(test_several),
        TEST(test_deadline),
        TEST(test_texts),
        TEST(test_models_changed),
        TEST(test_errors_carry_constraint_and_type),
    };
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
