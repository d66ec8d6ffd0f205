#include <math.h>

#include "load/result/record.h"

/* What a goal is about: the requests of all, of a step or of a group. */
struct subject {
    const struct histogram *latency;
    int64_t outcomes[LOAD_OUTCOME_COUNT];
};

static double
quantile(const struct subject *subject, double share)
{
    return subject->latency->count > 0 ? (double)histogram_quantile_us(subject->latency, share)
                                       : NAN;
}

static int64_t
errors_of(const struct subject *subject)
{
    int64_t errors = 0;

    for (size_t i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++)
        errors += subject->outcomes[i];
    return errors;
}

/* NaN where nothing was asked for, in all that follows. */
static double
share_of_errors(const struct subject *subject)
{
    double all = (double)(subject->outcomes[LOAD_GOOD] + errors_of(subject));

    return all > 0 ? (double)errors_of(subject) / all : NAN;
}

static double
p50(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return quantile(subject, 0.50);
}

static double
p75(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return quantile(subject, 0.75);
}

static double
p90(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return quantile(subject, 0.90);
}

static double
p95(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return quantile(subject, 0.95);
}

static double
p99(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return quantile(subject, 0.99);
}

static double
most(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return subject->latency->count > 0 ? (double)subject->latency->max_us : NAN;
}

static double
mean(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return subject->latency->count > 0 ? histogram_mean_us(subject->latency) : NAN;
}

static double
errors(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return share_of_errors(subject);
}

static double
success(const struct load_record *record, const struct subject *subject)
{
    (void)record;
    return 1 - share_of_errors(subject);
}

static double
rate(const struct load_record *record, const struct subject *subject)
{
    double all = (double)load_record_count(record, LOAD_GOOD);

    if (record->elapsed_us <= 0)
        return NAN;
    return all > 0 ? load_record_rate(record) * (double)subject->outcomes[LOAD_GOOD] / all : 0;
}

static double
lag(const struct load_record *record, const struct subject *subject)
{
    (void)subject;
    return record->lag->count > 0 ? (double)histogram_quantile_us(record->lag, 0.99) : NAN;
}

static double
held(const struct load_record *record, const struct subject *subject)
{
    int64_t least = INT64_MAX;

    (void)subject;
    for (size_t i = 0; i < record->moment_count; i++) {
        if (record->moments[i].is_counted && record->moments[i].open < least)
            least = record->moments[i].open;
    }
    return record->users > 0 && least < INT64_MAX ? (double)least / (double)record->users : NAN;
}

struct measure {
    const char *name;
    enum load_measure_unit unit;
    bool is_latency; /* is no more than an upper bound when the generator was late itself */
    bool is_of_run;  /* says nothing of a single step or group */
    double (*value)(const struct load_record *record, const struct subject *subject);
};

static const struct measure measures[] = {
    { "p50", MEASURE_TIME, true, false, p50 },
    { "p75", MEASURE_TIME, true, false, p75 },
    { "p90", MEASURE_TIME, true, false, p90 },
    { "p95", MEASURE_TIME, true, false, p95 },
    { "p99", MEASURE_TIME, true, false, p99 },
    { "max", MEASURE_TIME, true, false, most },
    { "mean", MEASURE_TIME, true, false, mean },
    { "errors", MEASURE_SHARE, false, false, errors },
    { "success", MEASURE_SHARE, false, false, success },
    { "rate", MEASURE_NUMBER, false, false, rate },
    { "lag", MEASURE_TIME, false, true, lag },
    { "held", MEASURE_SHARE, false, true, held },
};

static const struct measure *
measure_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(measures); i++)
        if (text_equal(measures[i].name, name))
            return &measures[i];
    return NULL;
}

static const struct load_fact_kind *
fact_kind_named(const char *name)
{
    for (size_t i = 0; i < load_fact_kind_count; i++)
        if (text_equal(load_fact_kinds[i].name, name))
            return &load_fact_kinds[i];
    return NULL;
}

enum load_measure_unit
load_measure_unit(const char *name)
{
    const struct measure *measure = measure_named(name);
    const struct load_fact_kind *kind = fact_kind_named(name);

    if (measure)
        return measure->unit;
    if (!kind)
        return MEASURE_NONE;
    if (text_equal(kind->unit, "share"))
        return MEASURE_SHARE;
    return text_equal(kind->unit, "us") ? MEASURE_TIME : MEASURE_NUMBER;
}

/* False: there is no step or group of this name. */
static bool
find_subject(
    struct arena *arena, const struct load_record *record, const char *name, struct subject *ret)
{
    if (!name) {
        ret->latency = load_record_latency(arena, record);
        for (int i = 0; i < LOAD_OUTCOME_COUNT; i++)
            ret->outcomes[i] = load_record_count(record, (enum load_outcome)i);
        /* What was never answered is no success, though it may have been under its limit still. */
        ret->outcomes[LOAD_LATE] += record->unanswered;
        return true;
    }
    for (size_t i = 0; i < record->step_count; i++)
        if (text_equal(record->steps[i].name, name)) {
            ret->latency = record->steps[i].latency;
            memcpy(ret->outcomes, record->steps[i].outcomes, sizeof(ret->outcomes));
            return true;
        }
    for (size_t i = 0; i < record->group_count; i++)
        if (text_equal(record->groups[i].name, name)) {
            ret->latency = record->groups[i].latency;
            memcpy(ret->outcomes, record->groups[i].outcomes, sizeof(ret->outcomes));
            return true;
        }
    return false;
}

static double
fact_value(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->fact_count; i++)
        if (text_equal(record->facts[i].name, name))
            return record->facts[i].value;
    return NAN;
}

static bool
is_within(const struct load_goal *goal, double value)
{
    return goal->is_most ? value <= goal->limit : value >= goal->limit;
}

static bool
check_goal(struct ctx *ctx, const struct load_record *record, const struct load_goal *goal,
    struct load_goal_result *ret)
{
    const struct measure *measure = measure_named(goal->measure);
    struct subject subject;

    *ret = (struct load_goal_result){ .text = goal->text, .value = NAN };
    if (!measure && !fact_kind_named(goal->measure))
        return error_set(
            ctx, ERR_INPUT, "goal \"%s\": there is no measure \"%s\"", goal->text, goal->measure);
    if (goal->subject && (!measure || measure->is_of_run))
        return error_set(ctx, ERR_INPUT,
            "goal \"%s\": \"%s\" is known of the whole run only, not of \"%s\"", goal->text,
            goal->measure, goal->subject);
    if (!find_subject(ctx->arena, record, goal->subject, &subject))
        return error_set(ctx, ERR_INPUT, "goal \"%s\": there is no step or group \"%s\"",
            goal->text, goal->subject);
    ret->value = measure ? measure->value(record, &subject) : fact_value(record, goal->measure);
    ret->is_known = isfinite(ret->value);
    if (!ret->is_known)
        return true;
    ret->is_met = is_within(goal, ret->value);
    /* Of what a late generator measured, up to its lag is its own: the goal is known if that changes nothing. */
    if (measure && measure->is_latency && load_record_is_bottleneck(record) &&
        ret->is_met != is_within(goal, ret->value - lag(record, &subject))) {
        ret->is_known = false;
        ret->is_met = false;
    }
    return true;
}

bool
load_goals_check(struct ctx *ctx, const struct load_scenario *scenario, struct load_record *record)
{
    record->goals = ARENA_ARRAY(ctx->arena, struct load_goal_result, scenario->goal_count);
    record->goal_count = 0;
    for (size_t i = 0; i < scenario->goal_count; i++) {
        if (!check_goal(ctx, record, &scenario->goals[i], &record->goals[i]))
            return error_wrap(ctx, "%s:%d", scenario->path ? scenario->path : scenario->name,
                scenario->goals[i].line);
        record->goal_count++;
    }
    return true;
}
