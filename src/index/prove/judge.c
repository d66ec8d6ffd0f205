#include <math.h>

#include "index/prove/promise.h"
#include "sql.h"

/* Of what was promised, so much has to come true: less is noise. */
static const double least_reached = 0.1;

struct totals {
    double calls;
    double promised_ms; /* what the calls would have saved by the promise */
    double saved_ms;
    double promised_blocks;
    double saved_blocks;
    bool is_counted; /* something of it was counted before */
};

/* What was counted since; counters that went back began anew. */
static double
since(double before, double now, bool is_reset)
{
    return is_reset ? now : now - before;
}

static void
look_at(const struct workload *now, const struct promise_statement *statement,
    struct promise_outcome *ret)
{
    double calls = 0;
    double ms = 0;
    double blocks = 0;
    bool is_reset;

    *ret = (struct promise_outcome){ .statement = statement,
        .calls = now ? 0 : -1,
        .ms_before = -1,
        .ms_after = -1,
        .blocks_before = -1,
        .blocks_after = -1,
        .reached = NAN };
    for (size_t i = 0; now && i < now->count; i++) {
        const struct workload_statement *item = &now->items[i];

        if (!text_equal(item->fingerprint, statement->fingerprint))
            continue;
        calls += (double)item->calls;
        ms += item->total_ms;
        blocks += (double)(item->blocks_hit + item->blocks_read);
    }
    is_reset = calls < statement->calls || ms < statement->total_ms;
    if (now)
        ret->calls = since(statement->calls, calls, is_reset);
    if (statement->calls > 0) {
        ret->ms_before = statement->total_ms / statement->calls;
        ret->blocks_before = statement->blocks / statement->calls;
    }
    if (ret->calls > 0) {
        ret->ms_after = since(statement->total_ms, ms, is_reset) / ret->calls;
        ret->blocks_after = since(statement->blocks, blocks, is_reset) / ret->calls;
    }
}

static void
sum_up(struct promise_outcome *outcome, struct totals *totals)
{
    const struct promise_statement *statement = outcome->statement;
    double promised = statement->cost_before > 0
                          ? 1 - fmin(statement->cost_after / statement->cost_before, 1)
                          : 0;

    totals->calls += fmax(outcome->calls, 0);
    if (outcome->ms_before < 0 || outcome->ms_after < 0)
        return;
    totals->is_counted = true;
    totals->promised_ms += outcome->calls * outcome->ms_before * promised;
    totals->saved_ms += outcome->calls * (outcome->ms_before - outcome->ms_after);
    totals->promised_blocks += outcome->calls * outcome->blocks_before * promised;
    totals->saved_blocks += outcome->calls * (outcome->blocks_before - outcome->blocks_after);
    if (outcome->ms_before * promised > 0)
        outcome->reached =
            (outcome->ms_before - outcome->ms_after) / (outcome->ms_before * promised);
}

static bool
has_gained(const struct totals *totals)
{
    return (totals->promised_ms > 0 && totals->saved_ms >= totals->promised_ms * least_reached) ||
           (totals->promised_blocks > 0 &&
               totals->saved_blocks >= totals->promised_blocks * least_reached);
}

static void
decide(struct arena *arena, const struct totals *totals, int64_t least_calls, bool is_known,
    struct promise_result *result)
{
    if (is_known && totals->calls < (double)least_calls) {
        result->verdict = VERDICT_EARLY;
        result->why = arena_printf(arena, "its statements were called %.0f times, %lld are wanted",
            totals->calls, (long long)least_calls);
    } else if (result->scans == 0) {
        result->verdict = is_known ? VERDICT_UNUSED : VERDICT_EARLY;
        result->why = is_known ? arena_printf(arena,
                                     "its statements were called %.0f times, "
                                     "and no scan used it",
                                     totals->calls)
                               : "no scan used it yet, and calls are not counted here";
    } else if (!totals->is_counted) {
        result->verdict = VERDICT_USED;
        result->why =
            arena_printf(arena, "%lld scans; what its statements cost before was not counted",
                (long long)result->scans);
    } else {
        result->verdict = has_gained(totals) ? VERDICT_PAYS : VERDICT_NO_GAIN;
        result->why = arena_printf(arena,
            "%lld scans; %.0f %% of the promised time and %.0f %% of the promised blocks are saved",
            (long long)result->scans,
            totals->promised_ms > 0 ? 100 * totals->saved_ms / totals->promised_ms : 0,
            totals->promised_blocks > 0 ? 100 * totals->saved_blocks / totals->promised_blocks : 0);
    }
}

static bool
judge(struct ctx *ctx, struct db *db, const struct workload *now, int64_t least_calls,
    struct promise_result *result)
{
    const struct promise *promise = result->promise;
    struct sql_index_promise_state_rows rows;
    struct totals totals = { 0 };

    if (!sql_index_promise_state(ctx, db, &rows, .schema = promise->schema, .name = promise->name))
        return false;
    if (rows.count == 0) {
        result->verdict = VERDICT_GONE;
        result->why = "it is no longer there";
        return true;
    }
    result->scans = rows.items[0].scans;
    result->bytes = rows.items[0].bytes;
    for (size_t i = 0; i < promise->statements.count; i++) {
        struct promise_outcome outcome;

        look_at(now, &promise->statements.items[i], &outcome);
        sum_up(&outcome, &totals);
        VEC_PUSH(ctx->arena, &result->outcomes, outcome);
    }
    if (!rows.items[0].is_valid) {
        result->verdict = VERDICT_BROKEN;
        result->why = "it is not valid, so the planner does not use it";
        return true;
    }
    decide(ctx->arena, &totals, least_calls, now != NULL, result);
    return true;
}

bool
promises_judge(struct ctx *ctx, struct db *db, const struct promises *promises,
    const struct workload *now, int64_t least_calls, struct promise_results *ret)
{
    *ret = (struct promise_results){ 0 };
    for (size_t i = 0; i < promises->count; i++) {
        struct promise_result result = { .promise = &promises->items[i] };

        if (!judge(ctx, db, now, least_calls, &result))
            return error_wrap(ctx, "looking at %s", promises->items[i].name);
        VEC_PUSH(ctx->arena, ret, result);
    }
    return true;
}
