#include "cmd/parts/query_logging.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/global.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"
#include "monitor/host/host.h"
#include "queries/logging/logging.h"
#include "sql.h"
#include "workload/workload.h"

enum {
    TICK_US = 200000,
    SHOW_US = 1000000,
    LEAST_BEFORE_US = 1000000, /* what the server does before is looked at for so long */
    MOST_BEFORE_US = 5000000,
    LEAST_COUNT = 1000,    /* statements in a span that is compared with another */
    LAST_READ_US = 5000000 /* the rest of the log, when logging is off again */
};

/* Seconds of CPU, which the system counts in hundredths; and a share below which it is noise. */
static const double LEAST_CPU = 0.1, LEAST_CHANGE = 0.1;

/* What the server had done at one time. */
struct load {
    int64_t at_us;
    double cpu;   /* seconds; below 0: not known */
    double calls; /* below 0: not known */
    double total_ms;
    int64_t transactions;
};

struct tracing {
    const struct run *run;
    const struct query_logging_options *options;
    const struct query_logging_sink *sink;
    struct db *db;
    struct rollout rollout;
    struct logging_plan plan;
    struct logging_tail *tail;
    struct log_reader *reader;
    int64_t bytes;
    int64_t started_us;
    int64_t elapsed_us;
    struct load before[2];
    struct load during[2];
};

/* ---- what it costs ---- */

static void
read_load(const struct tracing *tracing, struct load *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct workload workload;
    struct sql_queries_logging_load_rows rows;
    struct host_facts host;
    const struct host_question question = {
        .mode = HOST_AUTO,
        .host = db_host(tracing->rollout.watch),
        .backend_pid = db_backend_pid(tracing->rollout.watch),
        .data_directory = tracing->plan.folder,
    };

    *ret = (struct load){ .at_us = clock_us(), .cpu = -1, .calls = -1 };
    host_read(arena, &question, &host);
    if (host.is_known)
        ret->cpu = host.server_cpu_total;
    if (sql_queries_logging_load(&ctx, tracing->rollout.watch, &rows) && rows.count == 1)
        ret->transactions = rows.items[0].transactions;
    error_clear(&ctx);
    if (!workload_read(&ctx, tracing->rollout.watch, &workload))
        return;
    ret->calls = 0;
    for (size_t i = 0; i < workload.count; i++) {
        ret->calls += (double)workload.items[i].calls;
        ret->total_ms += workload.items[i].total_ms;
    }
}

/* Statements, or transactions where they are not counted; 0: none, or the counters were set back. */
static double
count_between(const struct load load[2], const char **ret_what)
{
    double count = load[1].calls - load[0].calls;

    *ret_what = "statement";
    if (load[0].calls < 0 || load[1].calls < 0) {
        *ret_what = "transaction";
        count = (double)(load[1].transactions - load[0].transactions);
    }
    return count > 0 ? count : 0;
}

/* Logging makes nothing cheaper: what is less, or little more, is what the traffic did by itself. */
static const char *
change_text(struct arena *arena, double before, double during)
{
    double more = before > 0 ? during / before - 1 : 0;

    if (more < LEAST_CHANGE)
        return "no difference that could be measured";
    return arena_printf(arena, "%+.0f %%", more * 100);
}

/* Why the two spans cannot be compared; NULL: they can. */
static const char *
why_unmeasured(struct arena *arena, double before, double during, const char *what)
{
    if (before >= LEAST_COUNT && during >= LEAST_COUNT)
        return NULL;
    return arena_printf(arena,
        "the server ran %.0f %s%s before and %.0f while it logged, and fewer than %d say nothing",
        before, what, before == 1 ? "" : "s", during, LEAST_COUNT);
}

static void
tell_cost(struct ctx *ctx, const struct tracing *tracing)
{
    const struct load *before = tracing->before;
    const struct load *during = tracing->during;
    const char *what;
    const char *what_before;
    double calls_before = count_between(before, &what_before);
    double calls = count_between(during, &what);
    const char *why;
    double cpu_before = before[1].cpu - before[0].cpu;
    double cpu = during[1].cpu - during[0].cpu;
    int64_t us = during[1].at_us - during[0].at_us;

    log_info("The log grew by %s, %s a second.", text_from_bytes(ctx->arena, tracing->bytes),
        text_from_bytes(
            ctx->arena, us > 0 ? (int64_t)((double)tracing->bytes * 1e6 / (double)us) : 0));
    why = text_equal(what, what_before) ? why_unmeasured(ctx->arena, calls_before, calls, what)
                                        : "its counters were not there all the time";
    if (why) {
        log_info("What logging costs a statement was not measured: %s.", why);
        return;
    }
    if (before[0].cpu >= 0 && during[1].cpu >= 0 && cpu_before >= LEAST_CPU && cpu >= LEAST_CPU) {
        log_info("CPU of the server's processes a %s: %.1f us before, %.1f us while it logged: %s.",
            what, cpu_before / calls_before * 1e6, cpu / calls * 1e6,
            change_text(ctx->arena, cpu_before / calls_before, cpu / calls));
        return;
    }
    if (before[0].calls >= 0 && during[1].calls >= 0) {
        double ms_before = (before[1].total_ms - before[0].total_ms) / calls_before;
        double ms = (during[1].total_ms - during[0].total_ms) / calls;

        log_info("Mean time of a statement (pg_stat_statements): %.3f ms before, %.3f ms while it "
                 "logged: %s; writing the log itself is not in it.",
            ms_before, ms, change_text(ctx->arena, ms_before, ms));
        return;
    }
    log_info("What logging costs was not measured: the server is elsewhere, and pg_stat_statements "
             "is not there.");
}

/* ---- reading ---- */

static bool
take_statement(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    const struct tracing *tracing = data;

    /* Our own sessions are in the log, too. */
    if (statement->application && text_starts_with(statement->application, "pgmend"))
        return true;
    return tracing->sink->take(ctx, tracing->sink->data, statement);
}

static void
tell_ended(const struct tracing *tracing)
{
    const uint64_t *sessions;
    size_t count = log_reader_ended(tracing->reader, &sessions);

    for (size_t i = 0; tracing->sink->ended && i < count; i++)
        tracing->sink->ended(tracing->sink->data, sessions[i]);
}

/* What one look uses is given back: a trace may last for hours. */
static bool
read_log(struct ctx *ctx, struct tracing *tracing, int64_t *ret_bytes)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx own = { .arena = arena };
    bool done =
        logging_tail_read(&own, tracing->rollout.watch, tracing->tail, tracing->reader, ret_bytes);

    tracing->bytes += *ret_bytes;
    tell_ended(tracing);
    if (done)
        return true;
    error_set(ctx, own.error.kind, "%s", own.error.message);
    if (own.error.hint)
        error_hint(ctx, "%s", own.error.hint);
    return false;
}

static void
show(const struct tracing *tracing, struct progress *progress)
{
    int64_t elapsed = clock_us() - tracing->started_us;
    int64_t whole = tracing->options->for_us;
    char note[64];

    snprintf(note, sizeof(note), "%" PRId64 " statements",
        log_reader_counts(tracing->reader).statements);
    progress_show(progress, "reading the log", logging_tail_name(tracing->tail),
        whole > 0 ? (double)elapsed / (double)whole : -1, elapsed,
        whole > elapsed ? whole - elapsed : -1, note);
}

/* Until the time is over or somebody asks to stop. */
static bool
follow_log(struct ctx *ctx, struct tracing *tracing)
{
    struct progress progress;
    int64_t shown = 0;
    bool is_good = true;

    progress_begin(&progress);
    while (is_good && interrupt_signal() == 0) {
        int64_t now = clock_us();
        int64_t bytes = 0;

        if (tracing->options->for_us > 0 && now - tracing->started_us >= tracing->options->for_us)
            break;
        is_good = read_log(ctx, tracing, &bytes);
        if (now - shown >= SHOW_US) {
            show(tracing, &progress);
            shown = now;
        }
        if (is_good && tracing->sink->idle)
            tracing->sink->idle(tracing->sink->data);
        if (is_good && bytes == 0)
            clock_sleep_us(TICK_US);
    }
    tracing->elapsed_us = clock_us() - tracing->started_us;
    progress_end(&progress);
    return is_good || interrupt_signal() != 0;
}

/* What was written until logging was off. */
static bool
read_rest(struct ctx *ctx, struct tracing *tracing)
{
    int64_t end = clock_us() + LAST_READ_US;
    int64_t bytes = 1;
    int empty = 0;

    while (empty < 2 && clock_us() < end) {
        if (!read_log(ctx, tracing, &bytes))
            return false;
        if (bytes == 0 && ++empty < 2)
            clock_sleep_us(TICK_US);
    }
    if (!log_reader_finish(ctx, tracing->reader))
        return false;
    tell_ended(tracing);
    return true;
}

/* ---- the order of things ---- */

/* Statements of our own need not be logged; where the role may not say so, they are left out later. */
static void
be_quiet(struct tracing *tracing)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx own = { .arena = arena };

    if (!db_set(&own, tracing->rollout.db, "log_transaction_sample_rate", "0") ||
        !db_set(&own, tracing->rollout.watch, "log_transaction_sample_rate", "0"))
        log_debug("pgmend's own statements are logged, too");
}

static void
wait_before(struct tracing *tracing)
{
    int64_t us = tracing->options->for_us / 10;

    if (us == 0 || us > MOST_BEFORE_US)
        us = MOST_BEFORE_US;
    if (us < LEAST_BEFORE_US)
        us = LEAST_BEFORE_US;
    log_info("Looking for %g s at what the server does without logging.", (double)us / 1e6);
    read_load(tracing, &tracing->before[0]);
    if (clock_sleep_us(us))
        read_load(tracing, &tracing->before[1]);
}

static void
tell_settings(const struct tracing *tracing)
{
    for (size_t i = 0; i < tracing->plan.settings.count; i++)
        log_info("Set: %s = %s (%s)", tracing->plan.settings.items[i].name,
            tracing->plan.settings.items[i].value, tracing->plan.settings.items[i].why);
    if (tracing->plan.settings.count == 0)
        log_info("The server logs all that is needed already; nothing is set.");
    log_info("Reading %s%s; Ctrl-C ends it, and the settings are put back.",
        logging_tail_name(tracing->tail),
        logging_tail_is_local(tracing->tail) ? "" : " through the server");
}

static bool
trace(struct ctx *ctx, struct tracing *tracing)
{
    const struct query_logging_options *options = tracing->options;
    const struct log_options reading = {
        .format = tracing->plan.format,
        .prefix = tracing->plan.prefix,
        .database = options->database ? options->database : db_name(tracing->db),
        .keeps_values = options->keeps_values,
        .keeps_sql = options->keeps_sql,
    };

    be_quiet(tracing);
    wait_before(tracing);
    if (!log_reader_new(
            ctx, &reading, tracing->sink->templates, take_statement, tracing, &tracing->reader) ||
        !logging_enable(ctx, &tracing->rollout, &tracing->plan) ||
        !logging_tail_open(ctx, tracing->rollout.watch, &tracing->plan, ctx->arena, &tracing->tail))
        return false;
    tell_settings(tracing);
    tracing->started_us = clock_us();
    read_load(tracing, &tracing->during[0]);
    if (!follow_log(ctx, tracing))
        return false;
    read_load(tracing, &tracing->during[1]);
    return true;
}

/* In every case: what failed is told, and how the settings stand. */
static bool
put_back(struct ctx *ctx, struct tracing *tracing, bool is_good)
{
    struct error why = ctx->error;

    error_clear(ctx);
    if (!logging_put_back(ctx, &tracing->rollout, &tracing->plan)) {
        const char *state = ctx->error.state;
        const char *hint = ctx->error.hint;

        if (is_good)
            return false;
        ctx->error = why;
        error_hint(ctx, "%s", hint);
        return error_state(ctx, "%s", state);
    }
    if (is_good) {
        log_info("The server's log settings are as they were before.");
        return true;
    }
    ctx->error = why;
    return error_state(ctx, "The server's log settings are as they were before.");
}

static bool
prepare(struct ctx *ctx, struct tracing *tracing)
{
    double rate = tracing->options->sample_rate == 0 ? 1 : tracing->options->sample_rate;
    const char *file = tracing->options->log_file;
    size_t count;

    if (!rollout_heal(ctx, &tracing->rollout) ||
        !logging_put_back_earlier(ctx, &tracing->rollout, &count))
        return false;
    if (count > 0)
        log_info("An earlier trace was killed: %zu settings of it were put back.", count);
    /* What is in force may be another thing now. */
    return count == 0 || logging_plan(ctx, tracing->rollout.db, rate, file, &tracing->plan);
}

/* The server or its log is gone: statements that waited for their next line are all that will be known. */
static void
give_held(struct tracing *tracing)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx own = { .arena = arena };

    if (!log_reader_finish(&own, tracing->reader))
        log_debug("the end of the log: %s", own.error.message);
    tell_ended(tracing);
}

static bool
run_all(struct ctx *ctx, struct tracing *tracing, struct query_logging_result *ret)
{
    bool is_good = prepare(ctx, tracing) && trace(ctx, tracing);
    int signal_number = interrupt_take();
    struct log_counts counts = { 0 };

    is_good = put_back(ctx, tracing, is_good);
    if (is_good && tracing->tail)
        is_good = read_rest(ctx, tracing);
    else if (!is_good && tracing->reader)
        give_held(tracing);
    if (tracing->reader)
        counts = log_reader_counts(tracing->reader);
    ret->statements = counts.statements;
    ret->lost = counts.broken + counts.foreign;
    ret->elapsed_us = tracing->elapsed_us;
    if (is_good && tracing->during[1].at_us > 0)
        tell_cost(ctx, tracing);
    /* Ctrl-C was asked for; another signal goes on to end the program. */
    if (!is_good)
        interrupt_put(signal_number);
    return end_run(ctx, &tracing->rollout, is_good);
}

bool
query_logging_run(struct ctx *ctx, const struct run *run,
    const struct query_logging_options *options, const struct query_logging_sink *sink,
    struct query_logging_result *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct tracing tracing = { .run = run, .options = options, .sink = sink };
    const struct db_options opening = {
        .url = run->global->db_url,
        .application = "pgmend/" LOGGING_COMMAND,
        .access = ACCESS_WRITE,
    };
    const struct journal_run about = {
        .command = LOGGING_COMMAND,
        .state_dir = options->state_dir ? options->state_dir : run->global->state_dir,
    };
    const struct rollout_observer observer = { 0 };
    double rate = options->sample_rate == 0 ? 1 : options->sample_rate;
    bool is_good;

    *ret = (struct query_logging_result){ 0 };
    if (!(rate > 0 && rate <= 1))
        return error_set(ctx, ERR_USAGE, "--sample-rate must be above 0 and at most 1");
    if (!db_open(ctx, &opening, &db))
        return false;
    tracing.db = db;
    if (!logging_plan(ctx, db, rate, options->log_file, &tracing.plan) ||
        !rollout_open(ctx, db, &about, &observer, &tracing.rollout))
        return false;
    is_good = run_all(ctx, &tracing, ret);
    logging_tail_close(tracing.tail);
    log_reader_free(tracing.reader);
    rollout_close(&tracing.rollout);
    return is_good;
}
