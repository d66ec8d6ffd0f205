#include <math.h>

#include "base/clock.h"
#include "vector/judge/ask.h"

/* One side alone, both by ranks, both by nine weights. */
enum { WEIGHTS = 9, WAYS = 3 + WEIGHTS, DEPTH = 10 };

static void
make_ways(struct arena *arena, size_t questions, struct judge_way *ways)
{
    ways[0] = (struct judge_way){ .name = "text", .weight = (double)NAN, .uses_text = true };
    ways[1] = (struct judge_way){ .name = "vector", .weight = (double)NAN, .uses_vector = true };
    ways[2] = (struct judge_way){
        .name = "both, reciprocal ranks", .weight = -1, .uses_text = true, .uses_vector = true
    };
    for (int i = 1; i <= WEIGHTS; i++)
        ways[2 + i] = (struct judge_way){ .name = arena_printf(arena, "both, 0.%d vector", i),
            .weight = i / 10.0,
            .uses_text = true,
            .uses_vector = true };
    for (size_t i = 0; i < WAYS; i++)
        ways[i].shots = ARENA_ARRAY(arena, struct judge_shot, questions + 1);
}

static bool
can_be_asked(const struct judge_way *way, const struct judged_query *query)
{
    return (!way->uses_text || query->text) && (!way->uses_vector || query->values);
}

/* All ways in one transaction, so that they see the same rows. */
static bool
ask_all_ways(struct ctx *ctx, const struct judge_asker *asker, const struct judged_query *query,
    struct judge_way *ways, size_t number, struct judgement *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct judged_query known;
    struct text_list ranked;

    if (!db_begin(ctx, asker->db, "ISOLATION LEVEL REPEATABLE READ READ ONLY", &transaction) ||
        !judge_ask_keys(ctx, asker, query, &known, ret))
        return false;
    for (size_t i = 0; i < WAYS; i++) {
        struct judge_way *way = &ways[i];

        if (!can_be_asked(way, &known))
            continue;
        if (!judge_ask(ctx, asker, &known, way, DEPTH, &ranked))
            return false;
        way->shots[number] = (struct judge_shot){ .was_asked = true,
            .is_empty = ranked.count == 0,
            .ndcg = judge_ndcg(&ranked, &known, DEPTH),
            .mrr = judge_mrr(&ranked, &known, DEPTH),
            .recall = judge_recall(&ranked, &known, DEPTH) };
    }
    return db_commit(ctx, &transaction);
}

bool
judge_run(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const struct judged_queries *queries, const struct vector_observer *observer,
    struct judgement *ret)
{
    struct judge_way ways[WAYS];
    struct judge_asker asker;
    int64_t started_us = clock_us();

    *ret = (struct judgement){ .questions = (int64_t)queries->count };
    if (!judge_asker_open(ctx, db, choice, &asker))
        return false;
    ret->function = asker.function;
    if (!choice->text_column)
        vector_note(observer, "the table has no stored tsvector, so every question reads the texts "
                              "of its tenant anew: this may take long");
    make_ways(ctx->arena, queries->count, ways);
    for (size_t i = 0; i < queries->count; i++) {
        int64_t each_us = i > 0 ? (clock_us() - started_us) / (int64_t)i : -1;

        vector_progress(observer, "asking the questions", (double)i / (double)queries->count,
            each_us < 0 ? -1 : each_us * (int64_t)(queries->count - i));
        if (!ask_all_ways(ctx, &asker, &queries->items[i], ways, i, ret))
            return false;
    }
    for (size_t i = 0; i < WAYS; i++) {
        struct judge_scores scores;

        judge_summarise(ctx->arena, &ways[i], queries->count, &scores);
        VEC_PUSH(ctx->arena, &ret->ways, scores);
    }
    judge_propose(ctx->arena, ways, WAYS, queries->count, ret);
    return true;
}
