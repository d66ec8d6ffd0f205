#include "support/test.h"

#include "base/map.h"

static void
what_was_set_is_found(void **state)
{
    struct ctx *ctx = *state;
    struct map map = { .arena = ctx->arena };
    int numbers[5000];

    assert_null(map_get(&map, "none"));
    for (int i = 0; i < 5000; i++) {
        numbers[i] = i;
        map_set(&map, arena_printf(ctx->arena, "key %d", i), &numbers[i]);
    }
    for (int i = 0; i < 5000; i++) {
        const int *found = map_get(&map, arena_printf(ctx->arena, "key %d", i));

        assert_non_null(found);
        assert_int_equal(*found, i);
    }
    assert_null(map_get(&map, "key 5000"));
}

static void
removed_keys_are_gone_and_can_come_back(void **state)
{
    struct ctx *ctx = *state;
    struct map map = { .arena = ctx->arena };
    int one = 1, two = 2;

    map_set(&map, "never there", NULL);
    assert_int_equal(map.count, 0);
    /* Many rounds: removed entries must not fill the table. */
    for (int i = 0; i < 10000; i++) {
        const char *key = arena_printf(ctx->arena, "%d", i);

        map_set(&map, key, &one);
        map_set(&map, key, NULL);
        assert_null(map_get(&map, key));
    }
    assert_true(map.capacity < 64);
    map_set(&map, "1", &one);
    map_set(&map, "1", &two);
    assert_ptr_equal(map_get(&map, "1"), &two);
}

static void
each_entry_is_visited_once(void **state)
{
    struct ctx *ctx = *state;
    struct map map = { .arena = ctx->arena };
    int marks[100] = { 0 };
    size_t cursor = 0, seen = 0;
    const struct map_entry *entry;

    for (int i = 0; i < 100; i++)
        map_set(&map, arena_printf(ctx->arena, "%d", i), &marks[i]);
    map_set(&map, "7", NULL);
    while ((entry = map_next(&map, &cursor))) {
        int *mark = entry->value;

        (*mark)++;
        seen++;
    }
    assert_int_equal(seen, 99);
    for (int i = 0; i < 100; i++)
        assert_int_equal(marks[i], i != 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(what_was_set_is_found),
        test_with_ctx(removed_keys_are_gone_and_can_come_back),
        test_with_ctx(each_entry_is_visited_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
