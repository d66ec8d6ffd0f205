#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "load/result/fields.h"

static json_t *
fields_json(const struct load_fields *fields, const void *object)
{
    return json_from_fields(fields->items, fields->count, object);
}

static json_t *
rows_json(const struct load_fields *fields, const void *items, size_t count, size_t size)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, fields_json(fields, (const char *)items + i * size));
    return array;
}

static void
set_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, json_number(number));
}

/* What a server says may hold any bytes: those that are no UTF-8 become question marks. */
static json_t *
message_json(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    if (!text_is_utf8(copy))
        for (char *at = copy; *at; at++)
            if ((unsigned char)*at >= 0x80)
                *at = '?';
    return json_string(copy);
}

/* "cell:count cell:count …": an array would take a line of the file for each number. */
static json_t *
cells_json(struct arena *arena, const struct histogram *histogram)
{
    struct buffer text = { .arena = arena };
    size_t last = histogram_cell(histogram->max_us);

    for (size_t i = histogram_cell(histogram->min_us); i <= last; i++)
        if (histogram->cells[i] > 0)
            buffer_printf(
                &text, "%s%zu:%" PRIu32, text.length > 0 ? " " : "", i, histogram->cells[i]);
    return json_string(buffer_text(&text));
}

static json_t *
sparse_json(struct arena *arena, const struct load_sparse *sparse)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < sparse->count; i++)
        buffer_printf(
            &text, "%s%" PRIu32 ":%" PRIu32, i > 0 ? " " : "", sparse->cells[i], sparse->counts[i]);
    return json_string(buffer_text(&text));
}

static json_t *
histogram_json(struct arena *arena, const struct histogram *histogram)
{
    json_t *object = fields_json(&load_histogram_fields, histogram);

    json_object_set_new(object, "cells", cells_json(arena, histogram));
    return object;
}

/* In clear numbers what a histogram tells. */
static void
set_percentiles(json_t *object, const struct histogram *histogram)
{
    static const struct {
        const char *key;
        double share;
    } percentiles[] = {
        { "p50_us", 0.50 },
        { "p75_us", 0.75 },
        { "p90_us", 0.90 },
        { "p95_us", 0.95 },
        { "p99_us", 0.99 },
        { "p99_9_us", 0.999 },
        { "p99_99_us", 0.9999 },
    };

    json_object_set_new(object, "mean_us", json_integer(llround(histogram_mean_us(histogram))));
    for (size_t i = 0; i < COUNT_OF(percentiles); i++)
        json_object_set_new(object, percentiles[i].key,
            json_integer(histogram_quantile_us(histogram, percentiles[i].share)));
    json_object_set_new(object, "max_us", json_integer(histogram->max_us));
}

static json_t *
outcomes_json(const int64_t *outcomes)
{
    json_t *object = json_object();

    for (size_t i = 0; i < LOAD_OUTCOME_COUNT; i++)
        json_object_set_new(object, load_outcome_names[i], json_integer(outcomes[i]));
    return object;
}

/* What steps and groups have in common. */
static void
set_counts(
    struct arena *arena, json_t *object, const int64_t *outcomes, const struct histogram *latency)
{
    int64_t failed = 0;

    for (size_t i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++)
        failed += outcomes[i];
    json_object_set_new(object, "calls", json_integer(outcomes[LOAD_GOOD]));
    json_object_set_new(object, "failed", json_integer(failed));
    json_object_set_new(object, "outcomes", outcomes_json(outcomes));
    set_percentiles(object, latency);
    json_object_set_new(object, "latency", histogram_json(arena, latency));
}

static json_t *
step_json(
    struct arena *arena, const struct load_record *record, const struct load_step_record *step)
{
    json_t *object = fields_json(&load_step_fields, step);
    json_t *slices = json_array();
    json_t *errors = json_array();

    set_counts(arena, object, step->outcomes, step->latency);
    json_object_set_new(object, "service", histogram_json(arena, step->service));
    set_number(object, "statements_per_call",
        step->statements >= 0 ? (double)step->statements / (double)step->outcomes[LOAD_GOOD] : NAN);
    for (size_t i = 0; i < record->slice_count; i++) {
        json_array_append_new(slices, sparse_json(arena, &step->slices[i]));
        json_array_append_new(errors, json_integer(step->slice_errors[i]));
    }
    json_object_set_new(object, "slices", slices);
    json_object_set_new(object, "slice_errors", errors);
    return object;
}

static json_t *
group_json(struct arena *arena, const struct load_group_record *group)
{
    json_t *object = fields_json(&load_group_fields, group);

    set_counts(arena, object, group->outcomes, group->latency);
    return object;
}

static json_t *
second_json(const struct load_moment *moment)
{
    json_t *object = fields_json(&load_moment_fields, moment);

    json_object_set_new(
        object, "mean_us", json_integer(moment->calls > 0 ? moment->sum_us / moment->calls : 0));
    return object;
}

static void
set_messages(struct arena *arena, json_t *object, const struct load_record *record)
{
    json_t *texts = json_array();
    json_t *counts = json_array();

    for (size_t i = 0; i < record->message_count; i++) {
        json_array_append_new(texts, message_json(arena, record->messages[i].text));
        json_array_append_new(counts, json_integer(record->messages[i].count));
    }
    json_object_set_new(object, "messages", texts);
    json_object_set_new(object, "message_counts", counts);
}

static json_t *
generator_json(struct arena *arena, const struct load_record *record)
{
    json_t *object = json_object();
    json_t *lag = histogram_json(arena, record->lag);
    int64_t answers = load_record_count(record, LOAD_GOOD) +
                      load_record_count(record, LOAD_REFUSED) +
                      load_record_count(record, LOAD_FAILED);

    set_percentiles(lag, record->lag);
    json_object_set_new(object, "lag", lag);
    json_object_set_new(object, "is_bottleneck", json_boolean(load_record_is_bottleneck(record)));
    json_object_set_new(object, "most_lag_us", json_integer(LOAD_MOST_LAG_US));
    set_number(
        object, "cpu_us_per_request", answers > 0 ? (double)record->cpu_us / (double)answers : NAN);
    return object;
}

/* Numbers of all requests together. */
static void
set_totals(struct arena *arena, json_t *object, const struct load_record *record)
{
    struct histogram *latency = load_record_latency(arena, record);
    int64_t outcomes[LOAD_OUTCOME_COUNT];
    int64_t calls = load_record_count(record, LOAD_GOOD);
    int64_t errors = load_record_errors(record);
    double rate = load_record_rate(record);

    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++)
        outcomes[i] = load_record_count(record, (enum load_outcome)i);
    json_object_set_new(object, "clients", json_integer(record->users));
    json_object_set_new(object, "calls", json_integer(calls));
    set_number(object, "calls_per_second", rate);
    set_number(object, "rate", rate);
    json_object_set_new(object, "errors", json_integer(errors));
    set_number(object, "error_share",
        calls + errors > 0 ? (double)errors / (double)(calls + errors) : NAN);
    json_object_set_new(object, "outcomes", outcomes_json(outcomes));
    set_percentiles(object, latency);
}

json_t *
load_record_json(const struct load_record *record)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *object = fields_json(&load_record_fields, record);
    json_t *scripts = json_array();
    json_t *groups = json_array();
    json_t *seconds = json_array();

    for (size_t i = 0; i < record->step_count; i++)
        json_array_append_new(scripts, step_json(arena, record, &record->steps[i]));
    for (size_t i = 0; i < record->group_count; i++)
        json_array_append_new(groups, group_json(arena, &record->groups[i]));
    for (size_t i = 0; i < record->moment_count; i++)
        json_array_append_new(seconds, second_json(&record->moments[i]));
    json_object_set_new(object, "kind", json_string("load"));
    json_object_set_new(object, "protocol", json_string(load_kind_names[record->kind]));
    json_object_set_new(object, "seed", json_string(arena_printf(arena, "%" PRIu64, record->seed)));
    json_object_set_new(object, "started_at", json_string(clock_text(arena, record->started_us)));
    set_totals(arena, object, record);
    set_messages(arena, object, record);
    json_object_set_new(object, "scripts", scripts);
    json_object_set_new(object, "groups", groups);
    json_object_set_new(object, "seconds", seconds);
    json_object_set_new(object, "generator", generator_json(arena, record));
    json_object_set_new(object, "facts",
        rows_json(&load_fact_fields, record->facts, record->fact_count, sizeof(record->facts[0])));
    json_object_set_new(object, "fact_moments",
        rows_json(&load_fact_moment_fields, record->fact_moments, record->fact_moment_count,
            sizeof(record->fact_moments[0])));
    json_object_set_new(object, "goals",
        rows_json(&load_goal_fields, record->goals, record->goal_count, sizeof(record->goals[0])));
    return object;
}
