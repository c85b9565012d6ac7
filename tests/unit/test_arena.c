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

/* Grown from small to large, with others' allocations between: nothing is
 * lost, and of what is large no copy stays behind. */
static void test_grow(void **state)
{
    struct arena_pool pool = {.budget = 64 << 20};
    struct arena arena;
    size_t size = 0;
    unsigned char *memory = NULL;
    (void)state;
    arena_init(&arena, 64 << 20);
    arena.pool = &pool;
    for (size_t larger = 256; larger <= 16u << 20; larger *= 2) {
        memory = arena_grow(&arena, memory, size, larger);
        assert_non_null(memory);
        for (size_t i = 0; i < size; i += 97)
            assert_int_equal(memory[i], i * 7 % 251);
        for (size_t i = 0; i < larger; i++)
            memory[i] = (unsigned char)(i * 7 % 251);
        size = larger;
        char *other = arena_alloc(&arena, 100);
        assert_true(other && is_zero(other, 100));
        memset(other, 0xff, 100);
    }
    assert_true(arena.used < 18u << 20);
    assert_int_equal(arena.used, atomic_load(&pool.used));
    assert_null(arena_grow(&arena, memory, size, 128u << 20));
    assert_true(arena.exhausted);
    assert_null(arena_grow(&arena, memory, size, SIZE_MAX));
    assert_int_equal(memory[size - 1], (size - 1) * 7 % 251); /* still there */
    arena_done(&arena);
    assert_int_equal(atomic_load(&pool.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_reset_forgets),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_grow),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
