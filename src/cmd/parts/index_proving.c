#include "cmd/parts/index_proving.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "change/kind.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"
#include "db/ident.h"
#include "workload/workload.h"

enum { TICK_US = 1000000 };

struct proving_work {
    const struct index_proving *wanted;
    struct promises promises;
    struct promise_results results;
    bool has_counts; /* pg_stat_statements could be read */
    struct text_list undone;
};

static bool
is_named(struct arena *arena, const struct text_list *names, const struct promise *promise)
{
    return !names || names->count == 0 || text_list_has(names, promise->name) ||
           text_list_has(names, db_qualified(arena, promise->schema, promise->name));
}

static bool
load(struct ctx *ctx, struct db *db, struct proving_work *work)
{
    const struct text_list *names = work->wanted->names;
    struct promises all;

    if (!promises_load(ctx, db, &all))
        return false;
    work->promises = (struct promises){ 0 };
    for (size_t i = 0; i < all.count; i++)
        if (is_named(ctx->arena, names, &all.items[i]))
            VEC_PUSH(ctx->arena, &work->promises, all.items[i]);
    for (size_t i = 0; names && i < names->count; i++) {
        bool is_found = false;

        for (size_t j = 0; j < all.count; j++)
            is_found |= text_equal(names->items[i], all.items[j].name) ||
                        text_equal(names->items[i],
                            db_qualified(ctx->arena, all.items[j].schema, all.items[j].name));
        if (!is_found) {
            error_set(ctx, ERR_NOT_FOUND, "nothing was promised of an index %s", names->items[i]);
            return error_hint(ctx,
                "Promises come from plans of \"pgmend index advise -o FILE\" that "
                "were applied; \"pgmend index prove\" lists them.");
        }
    }
    return true;
}

static bool
judge(struct ctx *ctx, struct db *db, struct proving_work *work)
{
    struct workload now;

    work->has_counts = workload_read(ctx, db, &now);
    if (!work->has_counts && ctx->error.kind == ERR_CONNECTION)
        return false;
    error_clear(ctx);
    return promises_judge(ctx, db, &work->promises, work->has_counts ? &now : NULL,
        work->wanted->least_calls, &work->results);
}

static size_t
count_early(const struct promise_results *results)
{
    size_t count = 0;

    for (size_t i = 0; i < results->count; i++)
        count += results->items[i].verdict == VERDICT_EARLY;
    return count;
}

/* Looks again each second until every index has a verdict or the time is over. */
static bool
wait(struct ctx *ctx, struct db *db, struct proving_work *work)
{
    struct progress progress;
    int64_t start_us = clock_us();
    int64_t gone_us = 0;
    bool is_good = judge(ctx, db, work);

    progress_begin(&progress);
    while (is_good && gone_us < work->wanted->within_us && count_early(&work->results) > 0) {
        progress_show(&progress, .what = "proving",
            .phase = arena_printf(ctx->arena, "%zu of %zu have a verdict",
                work->results.count - count_early(&work->results), work->results.count),
            .ratio = (double)gone_us / (double)work->wanted->within_us, .elapsed_us = gone_us,
            .left_us = work->wanted->within_us - gone_us);
        is_good = (clock_sleep_us(TICK_US) || interrupt_error(ctx, interrupt_signal())) &&
                  judge(ctx, db, work);
        gone_us = clock_us() - start_us;
    }
    progress_end(&progress);
    return is_good;
}

/* ---- undoing ---- */

static struct journal_entry *
find_entry(struct arena *arena, struct journal_entries *entries, const struct promise *promise)
{
    const char *object = db_qualified(arena, promise->schema, promise->name);

    for (size_t i = entries->count; i-- > 0;)
        if (text_equal(entries->items[i].kind, KIND_INDEX) &&
            rollout_can_undo(&entries->items[i]) && text_equal(entries->items[i].object, object))
            return &entries->items[i];
    return NULL;
}

static bool
undo_one(struct ctx *ctx, struct rollout *rollout, const struct promise *promise,
    struct text_list *undone)
{
    struct journal_entries entries;
    struct journal_entry *entry;
    struct rollout_outcome outcome;

    if (!journal_load(ctx, rollout->db, &entries))
        return false;
    entry = find_entry(ctx->arena, &entries, promise);
    if (!entry)
        return error_set(
            ctx, ERR_CONFLICT, "the journal does not know that pgmend built %s", promise->name);
    if (!rollout_undo(ctx, rollout, entry, &outcome) || !promise_forget(ctx, rollout->db, promise))
        return error_wrap(ctx, "undoing %s", promise->name);
    text_list_add(ctx->arena, undone, promise->name);
    return true;
}

static bool
undo_broken(struct ctx *ctx, struct rollout *rollout, struct proving_work *work)
{
    if (!rollout_heal(ctx, rollout))
        return false;
    for (size_t i = 0; i < work->results.count; i++)
        if (promise_is_broken(work->results.items[i].verdict) &&
            !undo_one(ctx, rollout, work->results.items[i].promise, &work->undone))
            return false;
    return true;
}

static bool
open_and_undo(struct ctx *ctx, struct run *run, struct db *db, struct proving_work *work)
{
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = { .command = run->command->path,
        .state_dir = run->global->state_dir };
    bool is_good = db_require_direct(ctx, db) && rollout_open(ctx, db, &about, &observer, &rollout);

    if (!is_good) {
        screen_end(screen);
        return false;
    }
    is_good = undo_broken(ctx, &rollout, work);
    screen_end(screen);
    return end_run(ctx, &rollout, is_good);
}

/* ---- telling ---- */

static enum out_mark
mark_of(enum promise_verdict verdict)
{
    return promise_is_broken(verdict) ? MARK_FAIL : verdict == VERDICT_PAYS ? MARK_OK : MARK_INFO;
}

static const char *
show_ms(struct arena *arena, double ms)
{
    return ms < 0 ? "?" : text_from_us(arena, llround(ms * 1000));
}

static void
print_result(struct arena *arena, FILE *out, const struct proving_work *work,
    const struct promise_result *result)
{
    const struct promise *promise = result->promise;

    out_mark_line(out, mark_of(result->verdict), "%s  %s: %s%s",
        db_qualified(arena, promise->schema, promise->name), promise_verdict_name(result->verdict),
        result->why, text_list_has(&work->undone, promise->name) ? "; undone" : "");
    for (size_t i = 0; i < result->outcomes.count; i++) {
        const struct promise_outcome *outcome = &result->outcomes.items[i];

        if (outcome->calls <= 0)
            continue;
        fprintf(out, "      %.8s  %s calls, %s → %s a call", outcome->statement->fingerprint,
            text_from_count(arena, llround(outcome->calls)), show_ms(arena, outcome->ms_before),
            show_ms(arena, outcome->ms_after));
        if (outcome->blocks_before >= 0)
            fprintf(out, ", %s → %s blocks", text_from_ratio(arena, outcome->blocks_before),
                text_from_ratio(arena, outcome->blocks_after));
        if (isfinite(outcome->reached))
            fprintf(out, "; %.0f %% of the promise", 100 * outcome->reached);
        fputc('\n', out);
    }
}

static void
print(struct ctx *ctx, FILE *out, const struct proving_work *work)
{
    size_t broken = 0;

    if (work->results.count == 0) {
        fprintf(out, "No index has a promise to keep.\n");
        out_next(out, "pgmend index advise -o advice.plan");
        return;
    }
    if (!work->has_counts)
        out_mark_line(out, MARK_WARN,
            "pg_stat_statements cannot be read: only scans tell whether an index is used");
    for (size_t i = 0; i < work->results.count; i++) {
        print_result(ctx->arena, out, work, &work->results.items[i]);
        broken += promise_is_broken(work->results.items[i].verdict);
    }
    if (work->undone.count > 0) {
        fprintf(out, "\n%zu did not pay and %s undone.\n", work->undone.count,
            work->undone.count == 1 ? "is" : "are");
        out_next(out, "pgmend history");
    } else if (broken > 0) {
        fprintf(out, "\n%zu of %zu did not pay.\n", broken, work->results.count);
        out_next(out, "pgmend index prove --auto-undo");
    } else {
        out_next(out, count_early(&work->results) > 0 ? "pgmend index prove --within 1h"
                                                      : "pgmend index status");
    }
}

static json_t *
number(double value)
{
    return value >= 0 ? json_number(value) : json_null();
}

static json_t *
outcome_json(const struct promise_outcome *outcome)
{
    json_t *json = json_pack("{s:s, s:s}", "fingerprint", outcome->statement->fingerprint, "query",
        outcome->statement->query);

    json_object_set_new(json, "calls", number(outcome->calls));
    json_object_set_new(json, "ms_before", number(outcome->ms_before));
    json_object_set_new(json, "ms_after", number(outcome->ms_after));
    json_object_set_new(json, "blocks_before", number(outcome->blocks_before));
    json_object_set_new(json, "blocks_after", number(outcome->blocks_after));
    json_object_set_new(json, "cost_before", number(outcome->statement->cost_before));
    json_object_set_new(json, "cost_after", number(outcome->statement->cost_after));
    json_object_set_new(json, "reached", json_number(outcome->reached));
    return json;
}

static void
print_json(FILE *out, const struct proving_work *work)
{
    json_t *array = json_array();

    for (size_t i = 0; i < work->results.count; i++) {
        const struct promise_result *result = &work->results.items[i];
        json_t *statements = json_array();

        for (size_t j = 0; j < result->outcomes.count; j++)
            json_array_append_new(statements, outcome_json(&result->outcomes.items[j]));
        json_array_append_new(array,
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:o}", "schema",
                result->promise->schema, "name", result->promise->name, "verdict",
                promise_verdict_name(result->verdict), "why", result->why, "scans",
                (json_int_t)result->scans, "bytes", (json_int_t)result->bytes, "taken_at_once",
                result->promise->is_taken, "undone",
                text_list_has(&work->undone, result->promise->name), "statements", statements));
    }

    json_t *json CLEANUP(json_release) =
        json_pack("{s:o, s:b}", "indexes", array, "calls_are_counted", work->has_counts);

    out_json(out, json);
}

static size_t
count_broken(const struct promise_results *results)
{
    size_t count = 0;

    for (size_t i = 0; i < results->count; i++)
        count += promise_is_broken(results->items[i].verdict);
    return count;
}

bool
index_prove(struct ctx *ctx, struct run *run, struct db *db, const struct index_proving *proving)
{
    struct proving_work work = { .wanted = proving };

    if (!load(ctx, db, &work) || !wait(ctx, db, &work))
        return false;
    if (proving->auto_undo && count_broken(&work.results) > 0 &&
        !open_and_undo(ctx, run, db, &work))
        return false;
    if (run->global->json)
        print_json(run->out, &work);
    else
        print(ctx, run->out, &work);
    return true;
}
