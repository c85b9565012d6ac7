/*
 * Both sides of every relationship agree, whoever wrote what: random links,
 * unlinks, replaced lists, creates and deletes by two clients, and looks from
 * both sides in between. What is refused is refused for a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "session_case.h"
#include "zoo.pb-c.h"

static const uint8_t zoo_set[] = {
#include "zoo.desc.inc"
};

#define STEPS 1200
#define LOOK_EVERY 60
#define KEYS 6

static const struct side {
    const char *model, *relationship, *target;
    const ProtobufCMessageDescriptor *descriptor;
    const char *other; /* the field that shows the same from the other side */
    const ProtobufCMessageDescriptor *other_descriptor;
    const char *columns; /* of a new link */
} sides[] = {
    {"keeper", "boss", "keeper", &zoo__keeper__descriptor, "reports", &zoo__keeper__descriptor,
     NULL},
    {"keeper", "locker", "locker", &zoo__keeper__descriptor, "keeper", &zoo__locker__descriptor,
     NULL},
    {"keeper", "friends", "keeper", &zoo__keeper__descriptor, "friends", &zoo__keeper__descriptor,
     NULL},
    {"keeper", "follows", "keeper", &zoo__keeper__descriptor, "followers", &zoo__keeper__descriptor,
     NULL},
    {"keeper", "animals", "animal", &zoo__keeper__descriptor, "keepers", &zoo__animal__descriptor,
     "{\"role\": \"r\"}"},
    {"animal", "lives", "house", &zoo__animal__descriptor, "animals", &zoo__house__descriptor,
     NULL},
    {"animal", "meals", "meal", &zoo__animal__descriptor, "animal", &zoo__meal__descriptor, NULL},
    {"animal", "reports", "report", &zoo__animal__descriptor, "animal", &zoo__report__descriptor,
     NULL},
    {"house", "doors", "door", &zoo__house__descriptor, "house", &zoo__door__descriptor, NULL},
    {"badge", "next", "badge", &zoo__badge__descriptor, "prev", &zoo__badge__descriptor, NULL},
    {"plan", "steps", "step", &zoo__plan__descriptor, "plan", &zoo__step__descriptor, NULL},
};
#define N_SIDES (sizeof(sides) / sizeof(sides[0]))

static uint64_t seed;
static size_t n_pairs; /* looked at: the test is of no use if that is nothing */

static unsigned roll(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

/* Models whose key is a text have "a" to "f", others 1 to 6. */
static void key_text(const char *model, unsigned i, char text[16])
{
    bool is_text = !strcmp(model, "animal") || !strcmp(model, "house");

    snprintf(text, 16, is_text ? "%c" : "%u", is_text ? 'a' + i : i + 1);
}

/* ---- what both sides show ---- */

struct pairs {
    char items[2000][40];
    size_t n;
};

static void put_key(const ProtobufCMessage *record, char text[16])
{
    const ProtobufCFieldDescriptor *field = &record->descriptor->fields[0];
    const char *at = (const char *)record + field->offset;

    if (field->type == PROTOBUF_C_TYPE_STRING)
        snprintf(text, 16, "%s", *(char *const *)(const void *)at);
    else
        snprintf(text, 16, "%lld", (long long)*(const int64_t *)(const void *)at);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void look(hero_client *client, const ProtobufCMessageDescriptor *descriptor,
                 const char *relationship, bool reversed, struct pairs *pairs)
{
    hero_error error = HERO_ERROR_INIT;
    const hero_list list = {.expand = relationship, .page_size = 1000};
    hero_result *result = hero_client_list(client, descriptor, &list, &error);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(descriptor, relationship);

    GOT(result);
    pairs->n = 0;
    for (size_t i = 0; i < hero_result_count(result); i++) {
        const char *record = hero_result_record(result, i);
        bool single = field->label != PROTOBUF_C_LABEL_REPEATED;
        const void *at = record + field->offset;
        ProtobufCMessage *const *related = single ? at : *(ProtobufCMessage *const *const *)at;
        size_t n = single ? *related != NULL
                          : *(const size_t *)(const void *)(record + field->quantifier_offset);
        for (size_t k = 0; k < n; k++) {
            char from[16], to[16];
            put_key((const void *)record, from);
            put_key(related[k], to);
            assert_true(pairs->n < 2000);
            snprintf(pairs->items[pairs->n++], 40, "%s-%s", reversed ? to : from,
                     reversed ? from : to);
        }
    }
    qsort(pairs->items, pairs->n, sizeof(pairs->items[0]), compare);
    hero_result_free(result);
}

static void check_sides(hero_client *one, hero_client *other)
{
    static struct pairs here, there;

    for (size_t i = 0; i < N_SIDES; i++) {
        look(one, sides[i].descriptor, sides[i].relationship, false, &here);
        look(other, sides[i].other_descriptor, sides[i].other, true, &there);
        assert_int_equal(here.n, there.n);
        n_pairs += here.n;
        for (size_t k = 0; k < here.n; k++) {
            assert_string_equal(here.items[k], there.items[k]);
            if (k > 0 && !strcmp(here.items[k], here.items[k - 1]))
                fail_msg("%s.%s shows %s twice", sides[i].model, sides[i].relationship,
                         here.items[k]);
        }
    }
}

static void check_keys(const struct fixture *fixture)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open_v2(fixture->herod.database, &db, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &statement, NULL);
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail_msg("a row of %s points nowhere", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* ---- what is done ---- */

/* Refusals that a rule is behind. */
static void check_answer(hero_result *result, hero_error *error, const char *what)
{
    if (!result && error->code != HERO_NOT_FOUND && error->code != HERO_ALREADY_EXISTS &&
        error->code != HERO_FAILED_PRECONDITION && error->code != HERO_INVALID_ARGUMENT)
        fail_msg("%s: %s: %s", what, hero_code_name(error->code), error->message);
    hero_result_free(result);
    hero_error_free(error);
}

/* What a record of the model needs, beside its key. */
static const struct {
    const char *model, *key, *needs, *prefix; /* needs NULL: nothing; prefix: of its text */
    bool letters;
} bodies[] = {
    {"keeper", "id", "name", "n", false},    {"locker", "id", "keeper_id", "", false},
    {"animal", "name", NULL, "", false},     {"house", "name", NULL, "", false},
    {"meal", "id", "animal_name", "", true}, {"report", "id", NULL, "", false},
    {"door", "id", "house_name", "", true},  {"badge", "id", NULL, "", false},
    {"plan", "id", "code", "p", false},      {"step", "id", "plan_code", "p", false},
};

static void create_one(hero_client *client, const char *model, unsigned i)
{
    hero_error error = HERO_ERROR_INIT;
    char key[16], value[16] = "", json[160];
    size_t b = 0;

    while (strcmp(bodies[b].model, model) != 0)
        b++;
    key_text(model, i, key);
    if (bodies[b].needs)
        key_text(bodies[b].letters ? "animal" : "", roll(KEYS), value);
    /* Numbers are taken as text. */
    if (bodies[b].needs)
        snprintf(json, sizeof(json), "{\"%s\": \"%s\", \"%s\": \"%s%s\"}", bodies[b].key, key,
                 bodies[b].needs, bodies[b].prefix, value);
    else
        snprintf(json, sizeof(json), "{\"%s\": \"%s\"}", bodies[b].key, key);
    check_answer(hero_client_create_json(client, model, json, &error), &error, "create");
}

static void change_one(hero_client *client)
{
    const struct side *side = &sides[roll(N_SIDES)];
    hero_error error = HERO_ERROR_INIT;
    char key[16], to[3][16];
    const char *related[] = {to[0], to[1], to[2]};
    unsigned kind = roll(20), n = 1 + roll(2);

    key_text(side->model, roll(KEYS), key);
    for (size_t i = 0; i < 3; i++)
        key_text(side->target, roll(KEYS), to[i]);
    if (kind < 8) {
        create_one(client, roll(2) ? side->model : side->target, roll(KEYS));
    } else if (kind < 15) {
        hero_request *request = hero_request_link_json(client, side->model, key, side->relationship,
                                                       related, n, &error);
        GOT(request);
        if (side->columns)
            OK(hero_request_set_link_columns_json(request, side->columns, &error));
        check_answer(hero_request_run(request, &error), &error, "link");
    } else if (kind < 17) {
        check_answer(hero_client_unlink_json(client, side->model, key, side->relationship, related,
                                             n, &error),
                     &error, "unlink");
    } else if (kind < 19) {
        check_answer(hero_client_set_links_json(client, side->model, key, side->relationship,
                                                related, roll(3), &error),
                     &error, "set_links");
    } else {
        key_text(side->target, roll(KEYS), to[0]);
        check_answer(hero_client_delete_json(client, side->target, related, n, &error), &error,
                     "delete");
    }
}

static void test_sides_agree(void **state)
{
    struct fixture *fixture = *state;
    hero_client *other = connect_to(fixture, 0);

    seed = getenv("HERO_SEED") ? strtoull(getenv("HERO_SEED"), NULL, 10) : 7;
    for (unsigned i = 1; i <= STEPS; i++) {
        change_one(roll(2) ? fixture->client : other);
        if (i % LOOK_EVERY)
            continue;
        check_sides(fixture->client, other);
        check_keys(fixture);
    }
    hero_client_close(other);
    assert_true(n_pairs > STEPS / 4);
}

static int setup(void **state)
{
    int failed = session_case_setup(state);
    struct fixture *fixture = *state;
    hero_error error = HERO_ERROR_INIT;
    hero_result *result =
        hero_client_apply(fixture->client, zoo_set, sizeof(zoo_set), NULL, &error);

    GOT(result);
    hero_result_free(result);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sides_agree, setup, session_case_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
