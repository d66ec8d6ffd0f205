#include "load/result/recorder.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "base/vec.h"
#include "load/result/messages.h"
#include "load/result/sparse.h"

enum { SECOND_US = 1000000 };

struct load_recorder {
    struct arena *arena;
    struct load_record *record;
    struct load_messages *messages;
    bool is_started;
    int64_t started_us; /* clock_us() */
    int64_t wall_us;    /* what must be added to clock_us() for the wall clock */
    int64_t cpu_us;     /* of this process when it started */
    /* The second that goes on. */
    int64_t second_us; /* when it began */
    int64_t errors;
    struct histogram *second;
    struct histogram *lag;
    /* The slice that goes on, by step. */
    struct histogram **slices;
    int64_t *slice_errors;
};

static int64_t
time_us(const struct timeval *time)
{
    return (int64_t)time->tv_sec * SECOND_US + time->tv_usec;
}

/* CPU time of this process so far; and its largest memory. */
static int64_t
usage(int64_t *ret_bytes)
{
    struct rusage used = { 0 };

    getrusage(RUSAGE_SELF, &used);
    if (ret_bytes)
        *ret_bytes = (int64_t)used.ru_maxrss * 1024;
    return time_us(&used.ru_utime) + time_us(&used.ru_stime);
}

struct load_recorder *
load_recorder_new(struct arena *arena, struct load_record *record)
{
    struct load_recorder *recorder = ARENA_NEW(arena, struct load_recorder);
    int64_t now_us = clock_us();

    *recorder = (struct load_recorder){
        .arena = arena,
        .record = record,
        .messages = load_messages_new(arena),
        .wall_us = clock_wall_us() - now_us,
        .cpu_us = usage(NULL),
        .second_us = now_us,
        .second = histogram_new(arena),
        .lag = histogram_new(arena),
        .slices = ARENA_ARRAY(arena, struct histogram *, record->step_count),
        .slice_errors = ARENA_ARRAY(arena, int64_t, record->step_count),
    };
    for (size_t i = 0; i < record->step_count; i++)
        recorder->slices[i] = histogram_new(arena);
    record->started_us = now_us + recorder->wall_us;
    record->slice_us = SECOND_US;
    return recorder;
}

void
load_recorder_start(struct load_recorder *recorder, int64_t now_us)
{
    recorder->is_started = true;
    recorder->started_us = now_us;
    recorder->cpu_us = usage(NULL);
    recorder->record->started_us = now_us + recorder->wall_us;
}

/* What counts: the run began before this was due. */
static void
count(struct load_recorder *recorder, const struct load_event *event)
{
    struct load_step_record *step = &recorder->record->steps[event->step];
    struct load_group_record *group = &recorder->record->groups[event->group];
    int64_t latency_us = event->at_us - event->due_us;

    step->outcomes[event->outcome]++;
    group->outcomes[event->outcome]++;
    step->bytes += event->bytes;
    if (event->outcome != LOAD_GOOD) {
        recorder->slice_errors[event->step]++;
        load_messages_add(recorder->messages,
            event->message ? event->message : load_outcome_words[event->outcome]);
        return;
    }
    histogram_record(step->latency, latency_us);
    histogram_record(step->service, event->at_us - event->sent_us);
    histogram_record(group->latency, latency_us);
    histogram_record(recorder->slices[event->step], latency_us);
    if (event->statements >= 0)
        step->statements = (step->statements < 0 ? 0 : step->statements) + event->statements;
}

void
load_recorder_add(struct load_recorder *recorder, const struct load_event *event)
{
    if (event->outcome == LOAD_GOOD)
        histogram_record(recorder->second, event->at_us - event->due_us);
    else
        recorder->errors++;
    if (recorder->is_started && event->due_us >= recorder->started_us)
        count(recorder, event);
}

void
load_recorder_lag(struct load_recorder *recorder, int64_t due_us, int64_t sent_us)
{
    histogram_record(recorder->lag, sent_us - due_us);
    if (recorder->is_started && due_us >= recorder->started_us)
        histogram_record(recorder->record->lag, sent_us - due_us);
}

/* What is due counts until this moment; answers to it may come later. */
static int64_t
counts_until(const struct load_recorder *recorder)
{
    int64_t planned_us = recorder->record->planned_us;

    return planned_us > 0 ? recorder->started_us + planned_us : INT64_MAX;
}

static void
close_second(struct load_recorder *recorder, int64_t end_us, int64_t open)
{
    struct load_record *record = recorder->record;
    const struct histogram *second = recorder->second;
    int64_t middle_us = recorder->second_us + SECOND_US / 2;

    if (record->moment_count == record->moment_capacity)
        record->moments = vec_grow(
            recorder->arena, record->moments, &record->moment_capacity, sizeof(record->moments[0]));
    record->moments[record->moment_count++] = (struct load_moment){
        .at = (recorder->second_us + recorder->wall_us) / SECOND_US,
        .calls = second->count,
        .errors = recorder->errors,
        .sum_us = second->sum_us,
        .p50_us = histogram_quantile_us(second, 0.50),
        .p95_us = histogram_quantile_us(second, 0.95),
        .p99_us = histogram_quantile_us(second, 0.99),
        .max_us = second->max_us,
        .open = open,
        .lag_us = histogram_quantile_us(recorder->lag, 0.99),
        .is_counted = recorder->is_started && middle_us >= recorder->started_us &&
                      middle_us < counts_until(recorder),
    };
    recorder->errors = 0;
    histogram_reset(recorder->second);
    histogram_reset(recorder->lag);
    recorder->second_us = end_us;
    if (open > record->most_open)
        record->most_open = open;
}

/* Slices of twice the length, so that their number stays below the limit however long it goes on. */
static void
double_slices(struct load_recorder *recorder)
{
    struct load_record *record = recorder->record;

    for (size_t i = 0; i < record->step_count; i++) {
        struct load_step_record *step = &record->steps[i];

        for (size_t j = 0; j < record->slice_count / 2; j++) {
            load_sparse_join(
                recorder->arena, &step->slices[2 * j], &step->slices[2 * j + 1], &step->slices[j]);
            step->slice_errors[j] = step->slice_errors[2 * j] + step->slice_errors[2 * j + 1];
        }
    }
    record->slice_count /= 2;
    record->slice_us *= 2;
}

/* When the slice that goes on is over. */
static int64_t
slice_end(const struct load_recorder *recorder)
{
    return recorder->started_us +
           (int64_t)(recorder->record->slice_count + 1) * recorder->record->slice_us;
}

static void
close_slice(struct load_recorder *recorder)
{
    struct load_record *record = recorder->record;

    if (record->slice_count == LOAD_MOST_SLICES) {
        /* What was the slice that goes on is the first half of a longer one now. */
        double_slices(recorder);
        return;
    }
    for (size_t i = 0; i < record->step_count; i++) {
        struct load_step_record *step = &record->steps[i];

        load_sparse_of(recorder->arena, recorder->slices[i], &step->slices[record->slice_count]);
        step->slice_errors[record->slice_count] = recorder->slice_errors[i];
        histogram_reset(recorder->slices[i]);
        recorder->slice_errors[i] = 0;
    }
    record->slice_count++;
}

/* The record as of now, so that it can be saved at any time. */
static void
bring_up_to_date(struct load_recorder *recorder, int64_t now_us)
{
    struct load_record *record = recorder->record;

    if (now_us > counts_until(recorder))
        now_us = counts_until(recorder);
    record->elapsed_us = recorder->is_started ? now_us - recorder->started_us : 0;
    record->cpu_us = usage(&record->rss_bytes) - recorder->cpu_us;
    load_messages_show(recorder->messages, record);
}

const struct load_moment *
load_recorder_tick(struct load_recorder *recorder, int64_t now_us, int64_t open)
{
    struct load_record *record = recorder->record;
    size_t before = record->moment_count;

    while (recorder->is_started && now_us >= slice_end(recorder) &&
           slice_end(recorder) <= counts_until(recorder))
        close_slice(recorder);
    while (now_us >= recorder->second_us + SECOND_US)
        close_second(recorder, recorder->second_us + SECOND_US, open);
    if (record->moment_count == before)
        return NULL;
    bring_up_to_date(recorder, now_us);
    return &record->moments[record->moment_count - 1];
}

void
load_recorder_end(struct load_recorder *recorder, int64_t now_us)
{
    struct load_record *record = recorder->record;
    int64_t open = record->moment_count > 0 ? record->moments[record->moment_count - 1].open : 0;

    load_recorder_tick(recorder, now_us, open);
    /* A piece of a second would look as if the server had become slow. */
    if (record->moment_count == 0 && recorder->second->count + recorder->errors > 0)
        close_second(recorder, now_us, open);
    bring_up_to_date(recorder, now_us);
}
