/*
 * SetLinks: a related list is replaced, tells the difference, and can be
 * conditional on its etag.
 */
#include "store_case.h"

#include <stdio.h>
#include <string.h>

#define CODE(name) HERO__V1__CODE__##name

static Hero__V1__Target *target(struct store_case *c, const char *model, const char *key)
{
    return case_delete(c, model, key)->delete_->targets[0];
}

/* `related`: keys, each "model:fields", a | between. */
static Hero__V1__Mutation *set_links(struct store_case *c, const char *model, const char *key,
                                     const char *relationship, const char *related)
{
    Hero__V1__Mutation *mutation = arena_alloc(&c->arena, sizeof(*mutation));
    Hero__V1__SetLinksRequest *set = arena_alloc(&c->arena, sizeof(*set));
    char *copy = arena_strdup(&c->arena, related), *save = NULL;
    hero__v1__mutation__init(mutation);
    hero__v1__set_links_request__init(set);
    mutation->op_case = HERO__V1__MUTATION__OP_SET_LINKS;
    mutation->set_links = set;
    set->target = target(c, model, key);
    set->relationship = arena_strdup(&c->arena, relationship);
    set->related = arena_array(&c->arena, strlen(related) + 1, sizeof(*set->related));
    for (char *one = strtok_r(copy, "|", &save); one; one = strtok_r(NULL, "|", &save)) {
        char *colon = strchr(one, ':');
        *colon = '\0';
        set->related[set->n_related++] = target(c, one, colon + 1);
    }
    return mutation;
}

static Hero__V1__Outcome *set(struct store_case *c, const char *model, const char *key,
                              const char *relationship, const char *related)
{
    struct pending pending;
    if (case_run(c, &pending, set_links(c, model, key, relationship, related)) != CODE(OK))
        fail_msg("%s", pending.write.fault.message);
    Hero__V1__CommitResponse *answer = case_answer(c, &pending);
    case_done(&pending);
    return answer->outcomes[0];
}

static void expect(struct store_case *c, Hero__V1__Mutation *mutation, Code code, const char *path)
{
    struct pending pending;
    int64_t before = store_case_sql(c, "SELECT count(*) FROM heroteamlink");
    if (case_run(c, &pending, mutation) != code)
        fail_msg("%d: %s", (int)pending.write.fault.code,
                 pending.write.fault.message ? pending.write.fault.message : "OK");
    if (path && !case_blames(&pending.write.fault, path))
        fail_msg("no violation at %s: %s (%s)", path, pending.write.fault.message,
                 pending.write.fault.n_violations ? pending.write.fault.violations[0].path : "-");
    case_done(&pending);
    if (code != CODE(OK))
        assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), before);
}

static void fill(struct store_case *c)
{
    store_case_sql(c, "INSERT INTO hero (name, secret_name) VALUES ('a', 's'), ('b', 's');"
                      "INSERT INTO team (name, headquarters) VALUES ('t1', 'h'), ('t2', 'h'), "
                      "('t3', 'h'), ('t4', 'h');"
                      "INSERT INTO heroteamlink (hero_id, team_id) VALUES (1, 1), (1, 2), (2, 1)");
}

static void assert_counts(const Hero__V1__Outcome *outcome, uint32_t added, uint32_t removed,
                          uint32_t kept)
{
    assert_true(outcome->has_added && outcome->has_removed && outcome->has_kept);
    assert_int_equal(outcome->added, added);
    assert_int_equal(outcome->removed, removed);
    assert_int_equal(outcome->kept, kept);
    assert_int_equal(outcome->n_added_records, added);
    assert_int_equal(outcome->n_removed_records, removed);
    assert_int_equal(outcome->etag.len, 16);
}

static void assert_key(struct store_case *c, const Hero__V1__Record *record, const char *model,
                       const char *key)
{
    ProtobufCBinaryData expected = case_record(c, model, key);
    assert_int_equal(record->value.len, expected.len);
    assert_memory_equal(record->value.data, expected.data, expected.len);
}

static void test_replace_whole_list(void **state)
{
    struct store_case *c = *state;
    fill(c);
    Hero__V1__Outcome *outcome = set(c, "hero", "id=1", "teams", "team:id=4|team:id=2|team:id=3");
    assert_counts(outcome, 2, 1, 1);
    assert_key(c, outcome->added_records[0], "team", "id=4"); /* in the order asked for */
    assert_key(c, outcome->added_records[1], "team", "id=3");
    assert_key(c, outcome->removed_records[0], "team", "id=1");
    assert_string_equal(outcome->removed_records[0]->model, "Team");
    assert_int_equal(store_case_sql(c, "SELECT group_concat(team_id, '') FROM (SELECT team_id FROM "
                                       "heroteamlink WHERE hero_id = 1 ORDER BY team_id)"),
                     234);
    /* Others' links stay; the other side replaces the same rows. */
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink WHERE hero_id = 2"), 1);
    assert_counts(set(c, "team", "id=1", "heroes", "hero:id=1|hero:id=2"), 1, 0, 1);
    assert_counts(set(c, "hero", "id=1", "teams", ""), 0, 4, 0);
    assert_counts(set(c, "hero", "id=1", "teams", ""), 0, 0, 0);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink"), 1);
}

static void test_order_and_repeats_do_not_matter(void **state)
{
    struct store_case *c = *state;
    fill(c);
    Hero__V1__Outcome *one =
        set(c, "hero", "id=1", "teams", "team:id=3|team:id=3|team:id=1|team:id=3|team:id=1");
    assert_counts(one, 1, 1, 1);
    Hero__V1__Outcome *other = set(c, "hero", "id=1", "teams", "team:id=1|team:id=3");
    assert_counts(other, 0, 0, 2);
    assert_memory_equal(one->etag.data, other->etag.data, 16);
    /* Another list, another etag; the same list later, the same etag. */
    assert_memory_not_equal(set(c, "hero", "id=1", "teams", "team:id=3")->etag.data, one->etag.data,
                            16);
    assert_memory_equal(set(c, "hero", "id=1", "teams", "team:id=3|team:id=1")->etag.data,
                        one->etag.data, 16);
}

static void test_replace_is_conditional(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    fill(c);
    ProtobufCBinaryData etag = set(c, "hero", "id=1", "teams", "team:id=1|team:id=2")->etag;
    Hero__V1__Mutation *mutation = set_links(c, "hero", "id=1", "teams", "team:id=3");
    mutation->set_links->has_etag = 1;
    mutation->set_links->etag = etag;
    expect(c, case_link(c, true, "team", "id=4", "heroes", "hero", "id=1"), CODE(OK), NULL);
    assert_int_equal(case_run(c, &pending, mutation), CODE(ABORTED));
    assert_true(case_blames(&pending.write.fault, "etag"));
    assert_non_null(strstr(pending.write.fault.message, "teams of Hero 1"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM heroteamlink WHERE hero_id = 1"), 3);
    expect(c, case_link(c, false, "team", "id=4", "heroes", "hero", "id=1"), CODE(OK), NULL);
    expect(c, mutation, CODE(OK), NULL);
    assert_int_equal(store_case_sql(c, "SELECT team_id FROM heroteamlink WHERE hero_id = 1"), 3);
    /* A related record's own columns are not the list's. */
    etag = set(c, "hero", "id=1", "teams", "team:id=3")->etag;
    expect(c, case_update(c, "team", "id=3", "name=other", NULL), CODE(OK), NULL);
    mutation->set_links->etag = etag;
    expect(c, mutation, CODE(OK), NULL);
}

static void test_replace_refused(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    fill(c);
    expect(c, set_links(c, "hero", "id=9", "teams", ""), CODE(NOT_FOUND), "target");
    expect(c, set_links(c, "hero", "id=1", "friends", ""), CODE(INVALID_ARGUMENT), "relationship");
    expect(c, set_links(c, "hero", "id=1", "teams", "team:id=1|hero:id=1"), CODE(INVALID_ARGUMENT),
           "related[1]");
    /* All that is missing is told. */
    assert_int_equal(
        case_run(c, &pending,
                 set_links(c, "hero", "id=1", "teams", "team:id=8|team:id=1|team:id=9")),
        CODE(NOT_FOUND));
    assert_true(case_blames(&pending.write.fault, "related[0]"));
    assert_true(case_blames(&pending.write.fault, "related[2]"));
    assert_false(case_blames(&pending.write.fault, "related[1]"));
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT sum(team_id) FROM heroteamlink WHERE hero_id = 1"),
                     3);
}

/* Text keys, a link from one side only, and a target that this commit made. */
static void test_replace_by_text_and_ref(void **state)
{
    struct store_case *c = *state;
    struct pending pending;
    store_case_sql(c, "INSERT INTO book (id, title, in_print) VALUES (1, 't', 1);"
                      "INSERT INTO \"order\" VALUES ('red'), ('it''s \"blue\"')");
    assert_counts(set(c, "book", "id=1", "tags", "order:name=it's \"blue\"|order:name=red"), 2, 0,
                  0);
    assert_counts(set(c, "book", "id=1", "tags", "order:name=it's \"blue\""), 0, 1, 1);
    Hero__V1__Mutation *all[] = {case_create_one(c, "book", "title=New"),
                                 set_links(c, "#1", "", "tags", "order:name=red")};
    case_submit_as(c, &pending, all, 2, NULL, 0, 0);
    assert_int_equal(case_wait(&pending), CODE(OK));
    assert_counts(case_answer(c, &pending)->outcomes[1], 1, 0, 0);
    case_done(&pending);
    assert_int_equal(store_case_sql(c, "SELECT count(*) FROM booktag"), 2);
}

static void test_replace_thousands(void **state)
{
    struct store_case *c = *state;
    fill(c);
    store_case_sql(c, "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < "
                      "3009) INSERT INTO team (id, name, headquarters) SELECT i, 't', 'h' FROM n;"
                      "INSERT INTO heroteamlink (hero_id, team_id) SELECT 2, id FROM team WHERE id "
                      ">= 10 AND id % 2");
    char *related = arena_alloc(&c->arena, 3000 * 16), *at = related;
    for (int i = 3009; i >= 10; i--)
        if (i % 3)
            at += sprintf(at, "%steam:id=%d", at == related ? "" : "|", i);
    Hero__V1__Outcome *outcome = set(c, "hero", "id=2", "teams", related);
    assert_counts(outcome, 1000, 501, 1000);
    assert_int_equal(store_case_sql(c, "SELECT count(*) = 2000 AND sum(team_id % 3 = 0) = 0 FROM "
                                       "heroteamlink WHERE hero_id = 2"),
                     1);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, store_case_setup, store_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_replace_whole_list),      TEST(test_order_and_repeats_do_not_matter),
        TEST(test_replace_is_conditional),  TEST(test_replace_refused),
        TEST(test_replace_by_text_and_ref), TEST(test_replace_thousands),
    };
    return cmocka_run_group_tests_name("set links", tests, NULL, NULL);
}
