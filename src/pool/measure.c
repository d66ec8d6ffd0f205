/* Looks at pg_stat_activity again and again, and at pg_stat_statements before and after. */
#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "lang/sql.h"
#include "pool/advice.h"
#include "sql.h"
#include "workload/workload.h"

enum { LEAST_PAUSE_US = 20000, MOST_PAUSE_US = 500000, SAMPLES = 500, MOST_IN_USE = 10000 };

struct sums {
    double active;
    double waiting;
    double in_transaction;
    double idle;
    int64_t hidden;
    int64_t *counts; /* samples with so many in use */
};

/* What we ask ourselves is not the application's. */
struct own {
    const char *fingerprints[8];
    size_t count;
};

static void
find_own(struct ctx *ctx, struct db *db, struct own *ret)
{
    static const struct query *const queries[] = { &query_pool_sessions, &query_pool_server,
        &query_workload_statements, &query_workload_info, &query_workload_extension };

    static const char *const settings[] = { "SELECT pg_catalog.set_config($1, $2, false)",
        "SELECT pg_catalog.current_setting('search_path')" };

    *ret = (struct own){ 0 };
    for (size_t i = 0; i < COUNT_OF(queries) + COUNT_OF(settings); i++) {
        const char *text = i < COUNT_OF(queries) ? query_text(queries[i], db_major(db))
                                                 : settings[i - COUNT_OF(queries)];

        if (sql_fingerprint(ctx, text, &ret->fingerprints[ret->count]))
            ret->count++;
        else
            error_clear(ctx);
    }
}

static bool
is_own(const struct own *own, const struct workload_statement *statement)
{
    for (size_t i = 0; i < own->count; i++)
        if (text_equal(own->fingerprints[i], statement->fingerprint))
            return true;
    return false;
}

static void
add_sample(const struct sql_pool_sessions *now, struct sums *sums, struct pool_load *load)
{
    int64_t in_use = now->active + now->in_transaction;
    int64_t open = in_use + now->idle + now->hidden;

    sums->active += (double)now->active;
    sums->waiting += (double)now->waiting;
    sums->in_transaction += (double)now->in_transaction;
    sums->idle += (double)now->idle;
    sums->hidden += now->hidden;
    sums->counts[in_use < MOST_IN_USE ? in_use : MOST_IN_USE - 1]++;
    load->samples++;
    if (in_use > load->in_use_peak)
        load->in_use_peak = in_use;
    if (open > load->open_peak)
        load->open_peak = open;
    if (now->others > load->others_peak)
        load->others_peak = now->others;
    if (now->direct > load->direct_peak)
        load->direct_peak = now->direct;
    if (now->oldest_seconds > load->oldest_idle_seconds)
        load->oldest_idle_seconds = now->oldest_seconds;
}

/* Memory of a sample is given back: there are many. */
static bool
take_sample(struct ctx *ctx, struct db *db, struct sums *sums, struct pool_load *load)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    struct sql_pool_sessions_rows rows;

    if (sql_pool_sessions(&scratch, db, &rows)) {
        add_sample(&rows.items[0], sums, load);
        return true;
    }
    error_set(ctx, scratch.error.kind, "%s", scratch.error.message);
    return error_wrap(ctx, "looking at the sessions");
}

static bool
take_samples(
    struct ctx *ctx, struct db *db, int64_t window_us, struct sums *sums, struct pool_load *load)
{
    int64_t pause_us = window_us / SAMPLES;
    int64_t started = clock_us();
    int64_t next = started;

    if (pause_us < LEAST_PAUSE_US)
        pause_us = LEAST_PAUSE_US;
    if (pause_us > MOST_PAUSE_US)
        pause_us = MOST_PAUSE_US;
    for (;;) {
        int64_t now;

        if (!take_sample(ctx, db, sums, load))
            return false;
        now = clock_us();
        if (now - started >= window_us)
            return true;
        next += pause_us;
        if (next < now)
            next = now;
        if (next > started + window_us)
            next = started + window_us;
        if (!clock_sleep_us(next - now))
            return interrupt_error(ctx, interrupt_signal());
    }
}

/* Statements of functions are within the time of the statement that calls them. */
static void
add_statements(struct ctx *ctx, const struct own *own, const struct workload *before,
    const struct workload *after, double seconds, struct pool_load *load)
{
    struct workload_deltas deltas = { 0 };
    int64_t calls = 0;
    double total_ms = 0;

    workload_compare(ctx->arena, before, after, &deltas);
    if (deltas.was_reset || deltas.was_restarted) {
        load->why_unknown = "pg_stat_statements was reset meanwhile";
        return;
    }
    for (size_t i = 0; i < deltas.count; i++) {
        const struct workload_delta *delta = &deltas.items[i];

        if (!delta->statement->is_top_level || delta->change == CHANGE_VANISHED ||
            is_own(own, delta->statement))
            continue;
        calls += delta->calls;
        total_ms += delta->total_ms;
    }
    load->knows_statements = true;
    load->statements_per_second = (double)calls / seconds;
    load->statement_seconds = calls > 0 ? total_ms / 1000 / (double)calls : 0;
    load->busy = total_ms / 1000 / seconds;
}

/* Without pg_stat_statements the samples alone tell. */
static bool
read_statements(struct ctx *ctx, struct db *db, struct workload *ret, struct pool_load *load)
{
    *ret = (struct workload){ 0 };
    if (load->why_unknown || workload_read(ctx, db, ret))
        return true;
    if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
        ctx->error.kind == ERR_TERMINATED)
        return false;
    load->why_unknown = ctx->error.message;
    error_clear(ctx);
    return true;
}

static int64_t
find_percentile(const struct sums *sums, int64_t samples, double ratio)
{
    int64_t seen = 0;

    for (int64_t count = 0; count < MOST_IN_USE; count++) {
        seen += sums->counts[count];
        if ((double)seen >= ratio * (double)samples)
            return count;
    }
    return MOST_IN_USE;
}

static bool
judge_samples(struct ctx *ctx, const struct sums *sums, struct pool_load *load)
{
    double samples = (double)load->samples;

    load->active = sums->active / samples;
    load->waiting = sums->waiting / samples;
    load->in_transaction = sums->in_transaction / samples;
    load->idle = sums->idle / samples;
    load->in_use = load->active + load->in_transaction;
    load->in_use_p95 = (double)find_percentile(sums, load->samples, 0.95);
    if (sums->hidden == 0)
        return true;
    error_set(ctx, ERR_RIGHTS, "our role may not see what the sessions of other roles do");
    return error_hint(ctx, "GRANT pg_read_all_stats to it, or connect as a role that has it.");
}

static void
take_limits(const struct sql_pool_server *server, struct pool_limits *ret)
{
    ret->most_connections = server->most_connections;
    ret->reserved = server->reserved;
    ret->database_limit = server->database_limit;
    ret->role_limit = server->role_limit;
}

bool
pool_measure(struct ctx *ctx, struct db *db, int64_t window_us, struct pool_load *ret,
    struct pool_limits *ret_limits)
{
    struct sums sums = { .counts = ARENA_ARRAY(ctx->arena, int64_t, MOST_IN_USE) };
    struct sql_pool_server_rows first;
    struct sql_pool_server_rows last;
    struct workload before;
    struct workload after;
    struct own own;

    *ret = (struct pool_load){ 0 };
    find_own(ctx, db, &own);
    if (!read_statements(ctx, db, &before, ret) || !sql_pool_server(ctx, db, &first))
        return false;

    int64_t started = clock_us();

    if (!take_samples(ctx, db, window_us, &sums, ret))
        return false;

    double seconds = (double)(clock_us() - started) / 1e6;

    if (!sql_pool_server(ctx, db, &last) || !read_statements(ctx, db, &after, ret))
        return false;
    ret->seconds = seconds;
    take_limits(&first.items[0], ret_limits);
    if (!judge_samples(ctx, &sums, ret))
        return false;
    if (!ret->why_unknown)
        add_statements(ctx, &own, &before, &after, seconds, ret);

    /* Each of our own looks was one. */
    double transactions =
        (double)(last.items[0].transactions - first.items[0].transactions - ret->samples);

    if (transactions > 0)
        ret->transactions_per_second =
            transactions / (last.items[0].at_seconds - first.items[0].at_seconds);
    if (ret->transactions_per_second > 0)
        ret->hold_seconds = ret->in_use / ret->transactions_per_second;
    return true;
}
