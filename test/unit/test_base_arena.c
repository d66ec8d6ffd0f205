#include "support/test.h"

#include <stdalign.h>

#include "base/vec.h"

static void
memory_is_zeroed_and_aligned_for_every_size(void **state)
{
    struct ctx *ctx = *state;

    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = arena_alloc(ctx->arena, size);

        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
            memory[i] = 0xFF;
        }
    }
}

static void
allocations_do_not_overlap(void **state)
{
    enum { COUNT = 2000 };
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();
    unsigned char *memory[COUNT];
    size_t sizes[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        /* Now and then one that does not fit into a block. */
        sizes[i] = test_random_below(&random, i % 100 == 0 ? 200000 : 500);
        memory[i] = arena_alloc(ctx->arena, sizes[i]);
        memset(memory[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            if (memory[i][j] != i % 251)
                fail_msg("byte %zu of allocation %zu was overwritten", j, i);
}

static void
reset_forgets_what_was_used(void **state)
{
    struct ctx *ctx = *state;
    struct arena *arena = arena_new();

    (void)ctx;
    assert_int_equal(arena_used(arena), 0);
    arena_alloc(arena, 1000);
    assert_true(arena_used(arena) >= 1000);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    assert_string_equal(arena_strdup(arena, "again"), "again");
    arena_cleanup(&arena);
    assert_null(arena);
    arena_free(NULL);
}

static void
copies_are_independent_of_their_source(void **state)
{
    struct ctx *ctx = *state;
    char text[] = "abcdef";
    char *whole = arena_strdup(ctx->arena, text);
    char *part = arena_strndup(ctx->arena, text, 3);
    char *bytes = arena_memdup(ctx->arena, text, 4);

    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_memory_equal(bytes, "abcd", 4);
    assert_non_null(arena_memdup(ctx->arena, NULL, 0));
}

static void
printf_makes_room_for_any_length(void **state)
{
    struct ctx *ctx = *state;
    char *text = arena_printf(ctx->arena, "%0*d|%s", 100000, 7, "end");

    assert_int_equal(strlen(text), 100004);
    assert_string_equal(text + 99999, "7|end");
}

static void
a_vector_keeps_its_items_while_it_grows(void **state)
{
    struct ctx *ctx = *state;
    VEC(struct point {
        int x;
        int y;
    })
    points = { 0 };

    for (int i = 0; i < 1000; i++)
        VEC_PUSH(ctx->arena, &points, (struct point){ .x = i, .y = -i });
    assert_int_equal(points.count, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(points.items[i].x, i);
        assert_int_equal(points.items[i].y, -i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(memory_is_zeroed_and_aligned_for_every_size),
        test_with_ctx(allocations_do_not_overlap),
        test_with_ctx(reset_forgets_what_was_used),
        test_with_ctx(copies_are_independent_of_their_source),
        test_with_ctx(printf_makes_room_for_any_length),
        test_with_ctx(a_vector_keeps_its_items_while_it_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
