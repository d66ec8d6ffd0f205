/*
 * What every test shares; included first, because cmocka wants these four headers before it and
 * banned.h wants the C library before its poison.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ctx.h"
#include "base/file.h"

/* A test that gets a fresh struct ctx in *state. */
#define test_with_ctx(test) cmocka_unit_test_setup_teardown(test, test_ctx_new, test_ctx_free)

static inline int
test_ctx_new(void **state)
{
    struct arena *arena = arena_new();
    struct ctx *ctx = ARENA_NEW(arena, struct ctx);

    ctx->arena = arena;
    *state = ctx;
    return 0;
}

static inline int
test_ctx_free(void **state)
{
    struct ctx *ctx = *state;

    arena_free(ctx->arena);
    return 0;
}

/* The call failed with this kind, and the message holds the text. */
#define assert_error(ctx, wanted, text)                                        \
    do {                                                                       \
        assert_int_equal((ctx)->error.kind, (wanted));                         \
        assert_non_null((ctx)->error.message);                                 \
        if (!strstr((ctx)->error.message, (text)))                             \
            fail_msg("\"%s\" is not in \"%s\"", (text), (ctx)->error.message); \
    } while (0)

/* A new folder below $TMPDIR; the test removes it with file_remove(). */
static inline const char *
test_folder(struct ctx *ctx)
{
    const char *above = getenv("TMPDIR");
    char *path = arena_printf(ctx->arena, "%s/pgmend-test-XXXXXX", above ? above : "/tmp");

    assert_non_null(mkdtemp(path));
    return path;
}

/* A file of the checkout, by its path from the top. */
static inline const char *
test_source(struct ctx *ctx, const char *path)
{
    const char *root = getenv("PGMEND_SOURCE_DIR");

    if (!root)
        fail_msg("PGMEND_SOURCE_DIR is not set: run the tests by script/test or meson test");
    return file_join(ctx->arena, root, path);
}

/* Numbers that come again with the same seed; xorshift64* by Vigna 2016. */
struct test_random {
    uint64_t state;
};

/* Seeded by PGMEND_SEED, else by the clock; says with which, so that a failure can be had again. */
static inline struct test_random
test_random_new(void)
{
    const char *given = getenv("PGMEND_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

    print_message("# PGMEND_SEED=%llu\n", (unsigned long long)seed);
    return (struct test_random){ .state = seed * 2 + 1 };
}

static inline uint64_t
test_random_next(struct test_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 … limit - 1. */
static inline size_t
test_random_below(struct test_random *random, size_t limit)
{
    return limit > 0 ? (size_t)(test_random_next(random) % limit) : 0;
}
