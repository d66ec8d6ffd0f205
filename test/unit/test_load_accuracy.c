/*
 * Whether what a load run reports is what happened: against a server that answers after known delays and notes how long
 * each answer took, and against one that stands still once. On a machine that is too busy for tenths of a millisecond
 * the first is tried again; a number that is too low, or wrong on a machine that was not busy, is a failure.
 */
#include "support/test.h"

#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>

#include "base/interrupt.h"
#include "load/engine/engine.h"
#include "support/delay_server.h"

/* With sanitizers one request takes the generator so long that at the full rate they would wait for each other. */
#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define IS_SLOW_BUILD 1
#    endif
#endif
#ifndef IS_SLOW_BUILD
#    define IS_SLOW_BUILD 0
#endif

enum { MOST_TRIES = 6, BUSY_LAG_US = 100, TOLERANCE_US = 200, FIXED_US = 200 };
/* Requests a second of all kinds, and of one kind in the time that counts. */
enum { RATE = IS_SLOW_BUILD ? 600 : 3000, KINDS = 6, SECONDS = 4, EACH = RATE / KINDS * SECONDS };

static const double SHARES[] = { 0.5, 0.75, 0.9, 0.95, 0.99 };
enum { SHARE_COUNT = sizeof(SHARES) / sizeof(SHARES[0]) };

static const char ACCURACY[] = "[scenario]\n"
                               "name = accuracy\nkind = http\n"
                               "warm_up = 1s\nduration = 4s\n"
                               "[request fixed]\npath = /fixed/200\n"
                               "[request long]\npath = /fixed/20000\n"
                               "[request uniform]\npath = /uniform/200/200000\n"
                               "[request exponential]\npath = /exponential/3000\n"
                               "[request lognormal]\npath = /lognormal/5000/0.8\n"
                               "[request bimodal]\npath = /bimodal/1000/100000/0.03\n"
                               "[users people]\ncount = 400\nrate = %d/s\n"
                               "mix = fixed, long, uniform, exponential, lognormal, bimodal\n";

/* Of 6 s 2 are the stall's; it comes after the warm-up. */
static const char STALL[] =
    "[scenario]\n"
    "name = stall\nkind = http\n"
    "warm_up = 500ms\nduration = 6s\n"
    "[request by_rate]\npath = /fixed/200\n"
    "[request by_think]\npath = /fixed/201\n"
    "[request closed]\npath = /fixed/202\n"
    "[users arrivals]\ncount = 40\nrate = 400/s\nmix = by_rate\n"
    "[users thinking]\ncount = 100\nthink = 300ms\nmix = by_think\n"
    "[users waiting]\ncount = 10\nthink = 15ms\nloop = closed\nmix = closed\n";

static void
read_scenario(struct ctx *ctx, const char *text, struct load_scenario *ret)
{
    const char *folder = test_folder(ctx);
    const char *path = arena_printf(ctx->arena, "%s/scenario.ini", folder);
    FILE *file = fopen(path, "w");
    bool is_read;

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    is_read =
        load_scenario_read(ctx, path, &(struct load_scenario_options){ .needs_values = true }, ret);
    assert_true(file_remove(ctx, folder));
    if (!is_read)
        fail_msg("%s", ctx->error.message);
}

static void
run_scenario(struct ctx *ctx, const char *text, uint16_t port, struct load_record *record)
{
    const struct load_options options = {
        .target = arena_printf(ctx->arena, "127.0.0.1:%d", (int)port), .seed = 7
    };
    struct load_scenario *scenario = ARENA_NEW(ctx->arena, struct load_scenario);

    read_scenario(ctx, text, scenario);
    load_record_begin(ctx->arena, scenario, record);
    if (!load_engine_run(ctx, scenario, &options, record))
        fail_msg("%s", ctx->error.message);
}

static const struct load_step_record *
step_named(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->step_count; i++) {
        if (strcmp(record->steps[i].name, name) == 0)
            return &record->steps[i];
    }
    fail_msg("the record knows no step %s", name);
    return NULL;
}

static int
compare_us(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* How long this thread was ready and waited for a processor, so far. */
static int64_t
waited_ns(void)
{
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    int64_t ran = 0;
    int64_t waited = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%" SCNd64 " %" SCNd64, &ran, &waited) != 2)
        waited = 0;
    fclose(file);
    return waited;
}

/* What the server did for a path in the time that counts, sorted; the client counted so many. */
static int64_t *
truth_of(struct ctx *ctx, const struct delay_log *log, const char *path,
    const struct load_record *record, size_t wanted, size_t *ret_count)
{
    int64_t *found = ARENA_ARRAY(ctx->arena, int64_t, log->count + 1);
    size_t held_up = (size_t)record->lag->max_us / 1000;
    size_t kept = 0;
    size_t in_time = 0;

    for (size_t i = 0; i < log->count; i++) {
        const struct delay_answer *answer = &log->items[i];

        if (strcmp(log->paths[answer->path], path) != 0 || answer->received_us < record->started_us)
            continue;
        in_time++;
        if (answer->received_us <= record->started_us + record->planned_us + 1000)
            found[kept++] = answer->took_us;
    }
    /*
     * What was due at the edges may have been received on the other side of them: three, and where the generator was
     * held up what was due meanwhile: no more than one a millisecond.
     */
    if (kept + 3 + held_up < wanted || kept > wanted + 3 + held_up)
        fail_msg("%s: %zu answers counted, the server gave %zu (%zu with those after the end)",
            path, wanted, kept, in_time);
    qsort(found, kept, sizeof(*found), compare_us);
    *ret_count = kept;
    return found;
}

struct fault {
    const char *words; /* NULL: none */
    bool is_low;       /* whatever the machine did, nobody has to wait less than the server took */
};

/* The first quantile that is off. */
static struct fault
first_fault(
    struct ctx *ctx, const struct load_step_record *step, const int64_t *truth, size_t count)
{
    for (int i = 0; i < SHARE_COUNT; i++) {
        int64_t told = histogram_quantile_us(step->latency, SHARES[i]);
        int64_t low = delay_quantile_us(truth, count, SHARES[i], -1);
        int64_t high = delay_quantile_us(truth, count, SHARES[i], 1);
        int64_t below = low / 100 > TOLERANCE_US ? low / 100 : TOLERANCE_US;
        int64_t above = high / 100 > TOLERANCE_US ? high / 100 : TOLERANCE_US;

        if (told < low - below || told > high + above)
            return (struct fault){
                arena_printf(ctx->arena,
                    "%s: the quantile %g is told as %" PRId64 " us and was %" PRId64 " to %" PRId64
                    " us",
                    step->name, SHARES[i], told, low, high),
                told < low - below,
            };
    }
    return (struct fault){ 0 };
}

/* One run. *ret_is_busy: the machine, and not the generator, may be to blame for a fault. */
static struct fault
measure_once(struct ctx *ctx, bool *ret_is_busy)
{
    static const char *const pairs[KINDS][2] = { { "fixed", "/fixed/200" },
        { "long", "/fixed/20000" }, { "uniform", "/uniform/200/200000" },
        { "exponential", "/exponential/3000" }, { "lognormal", "/lognormal/5000/0.8" },
        { "bimodal", "/bimodal/1000/100000/0.03" } };
    struct delay_server *server = delay_server_start(0, 5);
    struct load_record record = { 0 };
    struct fault fault = { 0 };
    const struct delay_log *log;
    int64_t before = waited_ns();
    int64_t held = 0;
    int64_t waited_us;
    int64_t lag;

    assert_non_null(server);
    run_scenario(ctx, arena_printf(ctx->arena, ACCURACY, RATE), delay_server_port(server), &record);
    waited_us = (waited_ns() - before) / 1000;
    lag = histogram_quantile_us(record.lag, 0.99);
    log = delay_server_stop(server);
    assert_int_equal(load_record_errors(&record), 0);
    for (size_t i = 0; i < KINDS && !fault.words; i++) {
        const struct load_step_record *step = step_named(&record, pairs[i][0]);
        size_t count;
        const int64_t *truth =
            truth_of(ctx, log, pairs[i][1], &record, (size_t)step->latency->count, &count);

        /* Poisson: the number of arrivals is within six standard deviations. */
        assert_true(fabs((double)step->latency->count - EACH) < 6 * sqrt(EACH));
        fault = first_fault(ctx, step, truth, count);
        /* The first is always to take as long: what it takes longer is the machine's doing. */
        if (i == 0)
            held = delay_quantile_us(truth, count, 0.99, 0) - FIXED_US;
    }
    delay_server_free(server);
    /* So long that one answer in a hundred can have been read too late by the tolerance. */
    *ret_is_busy =
        lag > BUSY_LAG_US || held > BUSY_LAG_US || waited_us > RATE * SECONDS / 100 * TOLERANCE_US;
    print_message("# late at p99: generator %" PRId64 " us, server %" PRId64 " us; %" PRId64
                  " us without a processor; %s\n",
        lag, held, waited_us, fault.words ? fault.words : "all quantiles are right");
    return fault;
}

static void
test_reported_quantiles_are_what_happened(void **state)
{
    struct ctx *ctx = *state;
    bool is_busy = false;

    for (int i = 0; i < MOST_TRIES; i++) {
        struct fault fault = measure_once(ctx, &is_busy);

        if (!fault.words)
            return;
        if (fault.is_low || !is_busy)
            fail_msg("%s", fault.words);
    }
    print_message("# the machine was too busy in %d tries\n", MOST_TRIES);
    skip();
}

/*
 * During a stall of s seconds in a run of t the requests that are due wait for what is left of it, which is evenly
 * spread from 0 to s: the quantile q is s (1 - (1 - q) t / s).
 */
static void
check_stall(const struct histogram *latency, const char *name, double stall_s, double run_s)
{
    static const double shares[] = { 0.8, 0.9, 0.95, 0.99 };

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double expected = stall_s - (1 - shares[i]) * run_s;
        double told = (double)histogram_quantile_us(latency, shares[i]) / 1e6;

        print_message(
            "# %s: quantile %g is %.3f s, expected %.3f s\n", name, shares[i], told, expected);
        if (fabs(told - expected) > 0.2)
            fail_msg("%s: the quantile %g is told as %.3f s, where the stall makes it %.3f s", name,
                shares[i], told, expected);
    }
}

static void
test_stall_is_seen_by_the_open_loop(void **state)
{
    struct ctx *ctx = *state;
    struct delay_server *server = delay_server_start(0, 5);
    struct load_record record = { 0 };
    const struct delay_log *log;
    double stall_s;

    assert_non_null(server);
    delay_server_stall(server, 2000000, 2000000);
    run_scenario(ctx, STALL, delay_server_port(server), &record);
    log = delay_server_stop(server);
    stall_s = (double)(log->stall_to_us - log->stall_from_us) / 1e6;
    assert_true(log->stall_from_us > record.started_us);
    assert_true(log->stall_to_us < record.started_us + record.planned_us);
    assert_int_equal(load_record_errors(&record), 0);
    check_stall(step_named(&record, "by_rate")->latency, "arrivals by rate", stall_s, 6);
    check_stall(step_named(&record, "by_think")->latency, "users who think", stall_s, 6);
    /* Users who wait for the answer see it once each: less than one in a hundred. That is why. */
    assert_true(step_named(&record, "closed")->latency->count > 1000);
    assert_true(histogram_quantile_us(step_named(&record, "closed")->latency, 0.99) < 1000000);
    assert_true(step_named(&record, "closed")->latency->max_us > 1900000);
    delay_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_reported_quantiles_are_what_happened),
        test_with_ctx(test_stall_is_seen_by_the_open_loop),
    };

    /* Where it is allowed, other programs do not disturb: most of the time is spent waiting. */
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
    interrupt_catch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
