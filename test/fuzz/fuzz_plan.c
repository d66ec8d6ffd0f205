/*
 * Any bytes as an expression of a plan, and as a plan: no crash, and what is read as a part of an expression
 * lies within it. The first byte says which of them the rest is.
 */
#include <assert.h>
#include <string.h>

#include "index/candidate/candidate.h"
#include "index/candidate/explained_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fact_column columns[] = {
    { .name = "a", .type = "integer", .base_type = "int4", .category = 'N', .has_btree = true },
    { .name = "b", .type = "text", .base_type = "text", .category = 'S', .has_btree = true },
    { .name = "c", .type = "jsonb", .base_type = "jsonb", .category = 'U', .has_btree = true },
    { .name = "v", .type = "vector(3)", .base_type = "vector", .category = 'U' },
};

static struct fact_table table = { .schema = "public",
    .name = "t",
    .qualified = "public.t",
    .kind = 'r',
    .rows = 1000,
    .columns = columns,
    .column_count = COUNT_OF(columns) };

static void
check(struct arena *arena, const struct explained_expr *expr)
{
    const char *bare = explained_expr_bare(arena, expr);

    assert(expr->first < expr->end && expr->end <= expr->source->count);
    assert(strlen(bare) <= strlen(expr->source->text));
    for (size_t i = 0; i < expr->count; i++) {
        assert(expr->items[i]->first >= expr->first && expr->items[i]->end <= expr->end);
        assert(expr->items[i]->end - expr->items[i]->first < expr->end - expr->first);
        check(arena, expr->items[i]);
    }
}

static void
read_expression(struct ctx *ctx, const char *text)
{
    struct explained_text *source = explained_text_read(ctx, text, NULL);

    if (source)
        check(ctx->arena, explained_expr_read(ctx->arena, source, 0, source->count));
}

/* A plan with the text as every condition, order and output of a table that there is. */
static const char *
plan_with(struct arena *arena, const char *text)
{
    json_t *plan = json_pack("[{s:{s:s,s:s,s:s,s:s,s:s,s:s,s:[s,s],s:[s],s:[s]}}]", "Plan",
        "Node Type", "Seq Scan", "Schema", "public", "Relation Name", "t", "Alias", "t", "Filter",
        text, "Order By", text, "Sort Key", text, "t.a DESC", "Group Key", text, "Output", text);
    const char *json = plan ? json_text(arena, plan) : NULL;

    json_decref(plan);
    return json;
}

static void
read_plan(struct ctx *ctx, const char *json)
{
    struct facts facts = { .items = &table,
        .count = 1,
        .by_name = { .arena = ctx->arena },
        .trgm_schema = "public",
        .vector_schema = "public" };
    struct index_candidates candidates;

    if (!json)
        return;
    map_set(&facts.by_name, table.qualified, &table);
    index_candidates_begin(ctx->arena, &facts, &candidates);
    if (!index_candidates_add_plan(ctx, &candidates, json, 0, false))
        return;
    for (size_t i = 0; i < candidates.items.count; i++) {
        const struct index_candidate *candidate = candidates.items.items[i];
        const char *name = index_candidate_name(ctx->arena, &facts, candidate, NULL);

        assert(candidate->key_count > 0 && candidate->key_count <= 6);
        assert(strlen(name) <= 63);
        assert(index_candidate_why(ctx->arena, candidate)[0]);
        assert(index_candidate_combine(&candidates, candidate, candidate->key_count, NULL) ==
                   candidate ||
               strcmp(candidate->method, "btree") != 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };
    char *text;

    if (size < 2 || size > 4096)
        return 0;
    text = arena_alloc(arena, size);
    memcpy(text, data + 1, size - 1);
    if (data[0] % 2 == 0) {
        read_plan(&ctx, text);
        return 0;
    }
    read_expression(&ctx, text);
    read_plan(&ctx, plan_with(arena, text));
    return 0;
}
