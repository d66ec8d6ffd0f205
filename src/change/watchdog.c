#include "change/watchdog.h"

#include "base/clock.h"
#include "base/json.h"
#include "change/watchdog_sample.h"

const struct watchdog_limits watchdog_standard = {
    .interval_us = 5000000,
    .bad_samples = 3,
    .lock_waiters = 10,
    .lag_us = 10000000,
    .slower_ratio = 3,
    .error_ratio = .05,
    .wal_per_second = 0,
};

struct watchdog {
    struct watchdog_limits limits;
    struct watchdog_memory memory;
    double usual_errors; /* of the transactions before; NaN: too few */
    double usual_lag_us; /* of the replica that was furthest behind; 0: none was */
    int64_t next_us;     /* when a sample is due */
    int32_t bad_in_row;
    int64_t samples;
    int64_t bad;
    struct watchdog_sample worst; /* of each; without texts */
};

static void
keep_worst(double *worst, double value)
{
    if (!isnan(value) && !(value <= *worst))
        *worst = value;
}

static void
add_to_worst(struct watchdog_sample *worst, const struct watchdog_sample *sample)
{
    keep_worst(&worst->lock_waiters, sample->lock_waiters);
    keep_worst(&worst->longest_us, sample->longest_us);
    keep_worst(&worst->lag_us, sample->lag_us);
    keep_worst(&worst->lag_bytes, sample->lag_bytes);
    keep_worst(&worst->slower_ratio, sample->slower_ratio);
    keep_worst(&worst->error_ratio, sample->error_ratio);
    keep_worst(&worst->wal_per_second, sample->wal_per_second);
}

bool
watchdog_begin(
    struct ctx *ctx, struct db *db, const struct watchdog_limits *limits, struct watchdog **ret)
{
    struct watchdog *watchdog = ARENA_NEW(ctx->arena, struct watchdog);
    struct watchdog_sample first;
    int64_t ended;

    watchdog->limits = *limits;
    if (!watchdog_remember(ctx, db, &watchdog->memory))
        return error_wrap(ctx, "beginning to watch the database");
    ended = watchdog->memory.commits + watchdog->memory.rollbacks;
    watchdog->usual_errors = ended > 0 ? (double)watchdog->memory.rollbacks / (double)ended : NAN;
    if (!watchdog_take(ctx, db, &watchdog->memory, &first))
        return error_wrap(ctx, "beginning to watch the database");
    watchdog->usual_lag_us = first.lag_us > 0 ? first.lag_us : 0;
    watchdog->worst = (struct watchdog_sample){ .lock_waiters = NAN,
        .longest_us = NAN,
        .lag_us = NAN,
        .lag_bytes = NAN,
        .slower_ratio = NAN,
        .error_ratio = NAN,
        .wal_per_second = NAN };
    watchdog->next_us = clock_us() + limits->interval_us;
    *ret = watchdog;
    return true;
}

/* What is beyond its limit, in words. Comparisons with what is not known are false. */
static void
find_bad(struct arena *arena, const struct watchdog *watchdog, const struct watchdog_sample *sample,
    struct text_list *ret)
{
    const struct watchdog_limits *limits = &watchdog->limits;

    if (sample->lock_waiters > (double)limits->lock_waiters)
        text_list_add(arena, ret,
            arena_printf(arena, "%.0f sessions wait for a lock, the longest for %s%s%s",
                sample->lock_waiters, text_from_us(arena, llround(sample->longest_us)),
                sample->blocker ? ", most of them for " : "",
                sample->blocker ? sample->blocker : ""));
    if (sample->lag_us - watchdog->usual_lag_us > (double)limits->lag_us)
        text_list_add(arena, ret,
            arena_printf(arena, "replica %s is %s and %s behind", sample->laggard,
                text_from_us(arena, llround(sample->lag_us)),
                text_from_bytes(arena, llround(fmax(sample->lag_bytes, 0)))));
    if (sample->slower_ratio > limits->slower_ratio)
        text_list_add(arena, ret,
            arena_printf(
                arena, "its statements take %.1f times as long as before", sample->slower_ratio));
    if (sample->error_ratio - watchdog->usual_errors > limits->error_ratio)
        text_list_add(arena, ret,
            arena_printf(arena,
                "%.0f %% of its transactions are rolled back, before it were %.0f %%",
                100 * sample->error_ratio, 100 * watchdog->usual_errors));
    if (limits->wal_per_second > 0 && sample->wal_per_second > (double)limits->wal_per_second)
        text_list_add(arena, ret,
            arena_printf(arena, "%s of WAL are written a second",
                text_from_bytes(arena, llround(sample->wal_per_second))));
}

bool
watchdog_look(struct ctx *ctx, struct watchdog *watchdog, struct db *db)
{
    struct watchdog_sample sample;
    struct text_list bad = { 0 };

    if (clock_us() < watchdog->next_us)
        return true;
    watchdog->next_us = clock_us() + watchdog->limits.interval_us;
    if (!watchdog_take(ctx, db, &watchdog->memory, &sample))
        return error_wrap(ctx, "watching the database");
    watchdog->samples++;
    add_to_worst(&watchdog->worst, &sample);
    find_bad(ctx->arena, watchdog, &sample, &bad);
    if (bad.count == 0) {
        watchdog->bad_in_row = 0;
        return true;
    }
    watchdog->bad++;
    if (++watchdog->bad_in_row < watchdog->limits.bad_samples)
        return true;
    error_set(ctx, ERR_GATE, "the database suffers: %s (%d samples in a row)",
        text_list_join(ctx->arena, &bad, "; "), (int)watchdog->bad_in_row);
    watchdog->bad_in_row = 0;
    return error_hint(ctx, "\"pgmend doctor\" shows how the database is. When it is well, run the "
                           "same command again; it goes on with what is left.");
}

const char *
watchdog_story(struct arena *arena, const struct watchdog *watchdog)
{
    const struct watchdog_sample *worst = &watchdog->worst;
    json_t *json CLEANUP(json_release) = json_pack("{s:I, s:I}", "samples",
        (json_int_t)watchdog->samples, "bad_samples", (json_int_t)watchdog->bad);

    json_object_set_new(json, "lock_waiters", json_number(worst->lock_waiters));
    json_object_set_new(json, "longest_wait_us", json_number(worst->longest_us));
    json_object_set_new(json, "lag_us", json_number(worst->lag_us));
    json_object_set_new(json, "lag_bytes", json_number(worst->lag_bytes));
    json_object_set_new(json, "slower_ratio", json_number(worst->slower_ratio));
    json_object_set_new(json, "error_ratio", json_number(worst->error_ratio));
    json_object_set_new(json, "wal_per_second", json_number(worst->wal_per_second));
    return json_text(arena, json);
}
