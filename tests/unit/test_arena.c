/*
 * Arenas: zeroed, aligned, bounded; forgotten at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "arena.h"

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

static void test_zeroed_and_aligned(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 10 << 20);
    for (size_t size = 0; size < 3000; size += 7) {
        char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        assert_true(is_zero(memory, size));
        memset(memory, 0xff, size);
    }
    assert_false(arena.exhausted);
    arena_done(&arena);
}

static void test_budget(void **state)
{
    struct arena arena;
    size_t total = 0;
    (void)state;
    arena_init(&arena, 100000);
    while (arena_alloc(&arena, 1000))
        total += 1000;
    assert_true(total > 80000 && total <= 100000);
    assert_true(arena.exhausted && arena.used <= 100000);
    arena_reset(&arena);
    assert_false(arena.exhausted);
    assert_non_null(arena_alloc(&arena, 90000));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    arena_done(&arena);
    arena_init(&arena, 0);
    assert_null(arena_alloc(&arena, 1));
    arena_done(&arena);
}

static void test_overflow(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_null(arena_array(&arena, SIZE_MAX / 4 + 2, 4));
    assert_true(arena.exhausted);
    arena_reset(&arena);
    assert_null(arena_copy(&arena, "x", SIZE_MAX));
    assert_non_null(arena_array(&arena, 0, 8));
    arena_done(&arena);
}

static void test_reset_forgets(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 10 << 20);
    for (int round = 0; round < 3; round++) {
        char *memory = arena_alloc(&arena, 3000);
        assert_true(is_zero(memory, 3000));
        memset(memory, 0xff, 3000);
        assert_non_null(arena_alloc(&arena, 1 << 20));
        arena_reset(&arena);
        assert_true(arena.used <= 8192); /* one small chunk is kept */
    }
    arena_done(&arena);
    assert_int_equal(arena.used, 0);
    arena_done(&arena);
}

static void test_texts(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_string_equal(arena_strdup(&arena, "text"), "text");
    assert_null(arena_strdup(&arena, NULL));
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 7), "a-7");
    char *copy = arena_copy(&arena, "a\0b", 3);
    assert_memory_equal(copy, "a\0b\0", 4);
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    ProtobufCAllocator *allocator = arena_allocator(&arena);
    void *memory = allocator->alloc(allocator->allocator_data, 10);
    assert_non_null(memory);
    allocator->free(allocator->allocator_data, memory);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_reset_forgets),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
