/*
 * Which write is which: seqs, the watermark, what is given up on, new ids.
 */
#include <time.h>
#include "unit.h"
#include "heroclient.h"
#include "identity.h"

static void test_id_is_uuid_7(void **state)
{
    uint8_t a[16], b[16];
    uint64_t ms = 0;

    (void)state;
    hero_client_id_new(a);
    hero_client_id_new(b);
    assert_memory_not_equal(a, b, 16);
    assert_int_equal(a[6] >> 4, 7);
    assert_int_equal(a[8] >> 6, 2);
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | a[i];
    assert_in_range(ms / 1000, (uint64_t)time(NULL) - 5, (uint64_t)time(NULL) + 1);
}

static void test_watermark(void **state)
{
    struct identity_write first = {0}, second = {0}, third = {0};
    struct identity identity;

    (void)state;
    identity_init(&identity, NULL, 0);
    identity_begin(&identity, &first, 0);
    identity_begin(&identity, &second, 0);
    identity_begin(&identity, &second, 0); /* has one already */
    assert_int_equal(first.seq, 1);
    assert_int_equal(second.seq, 2);
    assert_int_equal(identity_lowest(&identity, &second), 1);
    identity_settle(&identity, &first);
    identity_settle(&identity, &first);
    assert_int_equal(identity_lowest(&identity, &second), 2);
    identity_begin(&identity, &third, 0);
    identity_settle(&identity, &third);
    assert_int_equal(identity_lowest(&identity, &second), 2);
    identity_settle(&identity, &second);
    identity_done(&identity);
}

static void test_own_seq(void **state)
{
    static const uint8_t id[16] = {1, 2, 3};
    struct identity_write repeat = {0}, next = {0};
    struct identity identity;

    (void)state;
    identity_init(&identity, id, 40);
    identity_begin(&identity, &repeat, 7);
    assert_memory_equal(repeat.id, id, 16);
    assert_int_equal(repeat.seq, 7);
    identity_begin(&identity, &next, 0);
    assert_int_equal(next.seq, 40);
    assert_int_equal(identity_lowest(&identity, &next), 7);
    assert_false(identity_renew(&identity, &next)); /* the id is the program's */
    identity_settle(&identity, &repeat);
    identity_settle(&identity, &next);
    identity_begin(&identity, &next, 90);
    identity_settle(&identity, &next);
    identity_begin(&identity, &next, 0);
    assert_int_equal(next.seq, 91);
    identity_settle(&identity, &next);
    identity_done(&identity);
}

static void test_given_up_stays_open_for_a_while(void **state)
{
    struct identity_write lost = {0}, later = {0};
    struct identity identity;

    (void)state;
    identity_init(&identity, NULL, 0);
    identity_begin(&identity, &lost, 0);
    identity_abandon(&identity, &lost);
    identity_begin(&identity, &later, 0);
    assert_int_equal(identity_lowest(&identity, &later), 1);
    /* A repeat settles it. */
    memset(&lost, 0, sizeof(lost));
    identity_begin(&identity, &lost, 1);
    identity_settle(&identity, &lost);
    assert_int_equal(identity_lowest(&identity, &later), 2);
    identity_settle(&identity, &later);

    identity_begin(&identity, &lost, 0);
    identity_abandon(&identity, &lost);
    assert_int_equal(lost.seq, 3);
    for (unsigned i = 0; i < IDENTITY_KEEP; i++) {
        identity_begin(&identity, &later, 0);
        assert_int_equal(identity_lowest(&identity, &later), i < IDENTITY_KEEP - 1 ? 3 : later.seq);
        identity_settle(&identity, &later);
    }
    /* Left open at the end: freed with the rest. */
    identity_begin(&identity, &lost, 0);
    identity_abandon(&identity, &lost);
    identity_done(&identity);
}

static void test_forgotten_by_the_daemon(void **state)
{
    struct identity_write a = {0}, b = {0}, c = {0}, given_up = {0};
    struct identity identity;
    uint8_t old[16];

    (void)state;
    identity_init(&identity, NULL, 0);
    identity_begin(&identity, &given_up, 0);
    identity_abandon(&identity, &given_up);
    identity_begin(&identity, &a, 0);
    identity_begin(&identity, &b, 0);
    assert_true(identity_renew(&identity, &a));
    assert_memory_not_equal(a.id, b.id, 16);
    /* The second that was refused joins the id that the first made. */
    assert_true(identity_renew(&identity, &b));
    assert_memory_equal(a.id, b.id, 16);
    assert_int_not_equal(a.seq, b.seq);
    /* What was given up on before is repeated under the id that it had. */
    memcpy(old, given_up.id, 16);
    memset(&given_up, 0, sizeof(given_up));
    identity_begin(&identity, &given_up, 1);
    assert_memory_equal(given_up.id, old, 16);
    identity_settle(&identity, &given_up);
    identity_begin(&identity, &c, 0);
    assert_memory_equal(a.id, c.id, 16);
    assert_true(identity_lowest(&identity, &c) <= a.seq);
    identity_settle(&identity, &a);
    identity_settle(&identity, &b);
    assert_int_equal(identity_lowest(&identity, &c), c.seq);
    identity_settle(&identity, &c);
    identity_done(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_is_uuid_7),
        cmocka_unit_test(test_watermark),
        cmocka_unit_test(test_own_seq),
        cmocka_unit_test(test_given_up_stays_open_for_a_while),
        cmocka_unit_test(test_forgotten_by_the_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
