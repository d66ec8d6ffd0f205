/*
 * How fast the error budget is spent: the share of errors over the share that the availability
 * allows. A rule fires when a long and a short window both burn too fast; source: The Site
 * Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */

#include <math.h>

#include "monitor/alert/parts.h"
#include "sql.h"

static const int64_t minute_us = 60000000;

enum {
    /* A handful of requests says nothing: one error of ten would be a burn rate of 100. */
    LEAST_REQUESTS = 100,
    LEAST_ERRORS = 5,
};

struct burn_window {
    struct metric metric;
    int long_minutes;
    int short_minutes;
};

#define BURN_METRIC(suffix, text)                                               \
    {                                                                           \
        .name = "pgmend_slo_burn_" suffix,                                      \
        .help = "How often over the error budget is spent, the lesser of " text \
    }

static const struct burn_window windows[] = {
    { BURN_METRIC("1h", "one hour and five minutes"), 60, 5 },
    { BURN_METRIC("6h", "six hours and 30 minutes"), 360, 30 },
    { BURN_METRIC("1d", "one day and two hours"), 1440, 120 },
    { BURN_METRIC("3d", "three days and six hours"), 4320, 360 },
};

/* Minutes are counted from three days before the clock's start, so that none is negative. */
static int64_t
minute_of(int64_t at_us)
{
    return at_us / minute_us + BURN_MINUTES;
}

/* Makes the ring, and empties the minutes since the newest. */
static void
advance(struct burn *burn, struct arena *arena, int64_t minute)
{
    if (!burn->requests) {
        burn->requests = ARENA_ARRAY(arena, float, BURN_MINUTES);
        burn->errors = ARENA_ARRAY(arena, float, BURN_MINUTES);
        burn->minute = minute;
    }
    for (int i = 0; burn->minute < minute && i < BURN_MINUTES; i++) {
        burn->minute++;
        burn->requests[burn->minute % BURN_MINUTES] = 0;
        burn->errors[burn->minute % BURN_MINUTES] = 0;
    }
    if (burn->minute < minute)
        burn->minute = minute;
}

/* What is restored comes with ages of its own, before or after the first tick. */
static void
cover(struct burn *burn, int64_t at_us)
{
    if (!burn->is_begun || at_us < burn->since_us)
        burn->since_us = at_us;
    if (!burn->is_begun || at_us > burn->at_us)
        burn->at_us = at_us;
    burn->is_begun = true;
}

void
burn_add(struct burn *burn, struct arena *arena, int64_t at_us, double requests, double errors)
{
    int64_t minute = minute_of(at_us);

    cover(burn, at_us);
    advance(burn, arena, minute);
    if (minute <= burn->minute - BURN_MINUTES)
        return;
    burn->requests[minute % BURN_MINUTES] += (float)requests;
    burn->errors[minute % BURN_MINUTES] += (float)errors;
}

/* Counters so far: of the applications' requests if there should be any, else of transactions. */
static bool
read_counters(const struct alert_tick *tick, double *ret_requests, double *ret_errors,
    bool *ret_is_application)
{
    const struct reading *reading = &tick->server->now[COLLECT_DATABASE];
    const struct sql_monitor_database *rows = READING_ROWS(reading, struct sql_monitor_database);

    *ret_requests = 0;
    *ret_errors = 0;
    *ret_is_application = false;
    for (size_t i = 0; i < tick->application.count; i++) {
        const struct sample *sample = &tick->application.items[i];
        bool is_requests = text_equal(sample->metric->name, ALERT_REQUESTS);

        if (!is_requests && !text_equal(sample->metric->name, ALERT_ERRORS))
            continue;
        *ret_is_application |= is_requests;
        *(is_requests ? ret_requests : ret_errors) += sample->value;
    }
    if (*ret_is_application || tick->has_application)
        return *ret_is_application;
    if (!reading->is_good)
        return false;
    for (size_t i = 0; i < reading->rows.count; i++) {
        *ret_requests += (double)rows[i].xact_commit + (double)rows[i].xact_rollback;
        *ret_errors += (double)rows[i].xact_rollback;
    }
    return true;
}

void
burn_count(struct burn *burn, struct arena *arena, const struct alert_tick *tick)
{
    double requests, errors;
    bool is_of_application;
    bool is_known = read_counters(tick, &requests, &errors, &is_of_application);
    bool is_next =
        is_known && !isnan(burn->requests_before) && is_of_application == burn->is_of_application;

    /* A counter that went back was reset: what was between is not known. */
    if (is_next && requests >= burn->requests_before && errors >= burn->errors_before)
        burn_add(burn, arena, tick->server->at_us, requests - burn->requests_before,
            errors - burn->errors_before);
    if (is_known)
        cover(burn, tick->server->at_us);
    burn->is_of_application = is_of_application;
    burn->requests_before = is_known ? requests : NAN;
    burn->errors_before = errors;
}

/* What was counted in so many minutes up to now. */
struct counts {
    double requests;
    double errors;
};

static struct counts
counts_of(const struct burn *burn, int minutes)
{
    struct counts counts = { 0 };

    for (int age = 0; age < minutes; age++) {
        counts.requests += (double)burn->requests[(burn->minute - age) % BURN_MINUTES];
        counts.errors += (double)burn->errors[(burn->minute - age) % BURN_MINUTES];
    }
    return counts;
}

/*
 * The share of errors in the window. What was before the first tick is not known: it is taken as time with
 * as many requests and no errors, so that seconds are not judged as if they were days.
 */
static double
error_ratio(const struct burn *burn, const struct counts *counts, int minutes)
{
    double covered = (double)(burn->at_us - burn->since_us) / (double)minute_us;
    double missing = covered > 0 && covered < minutes ? minutes / covered : 1;

    return counts->errors / (counts->requests * missing);
}

void
burn_samples(const struct burn *burn, double slo, struct samples *samples)
{
    static const char *const no_labels[] = { NULL };

    for (size_t i = 0; burn->requests && i < COUNT_OF(windows); i++) {
        struct counts of_long = counts_of(burn, windows[i].long_minutes);
        struct counts of_short = counts_of(burn, windows[i].short_minutes);
        double least = 0;

        if (of_long.requests < LEAST_REQUESTS)
            continue;
        if (of_long.errors >= LEAST_ERRORS && of_short.requests > 0)
            least = fmin(error_ratio(burn, &of_long, windows[i].long_minutes),
                error_ratio(burn, &of_short, windows[i].short_minutes));
        sample_add(samples, &windows[i].metric, no_labels, NULL, least / (1 - slo));
    }
}
