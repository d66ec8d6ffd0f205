/* Any bytes as a plan that EXPLAIN (FORMAT JSON) gave: no crash, and each name is told once. */
#include <assert.h>
#include <string.h>

#include "db/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        for (size_t j = 0; j < i; j++)
            assert(strcmp(names->items[i], names->items[j]) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct explain_plan plan;

    if (!explain_read(&ctx, arena_strndup(arena, (const char *)data, size), &plan)) {
        assert(ctx.error.message && *ctx.error.message);
        return 0;
    }
    check(&plan.indexes);
    check(&plan.seq_scans);
    return 0;
}
