/* What the engine counts with while a run goes on. */
#pragma once

#include "load/result/record.h"

struct load_recorder;

struct load_recorder *load_recorder_new(struct arena *arena, struct load_record *record);

/* From now on it counts (ramp-up and warm-up are over): wall clock and clock_us(). */
void load_recorder_start(struct load_recorder *recorder, int64_t now_us);

struct load_event {
    size_t step;
    size_t group;
    enum load_outcome outcome;
    int64_t due_us;
    int64_t sent_us;
    int64_t at_us;
    int64_t bytes;
    int32_t statements;  /* -1: not known */
    const char *message; /* of a failure, or NULL */
};
/* Requests that were due before load_recorder_start() count for the moment only. */
void load_recorder_add(struct load_recorder *recorder, const struct load_event *event);
void load_recorder_lag(struct load_recorder *recorder, int64_t due_us, int64_t sent_us);
/* Closes seconds and slices that are over; cheap. Returns the second that has just ended, or NULL. */
const struct load_moment *load_recorder_tick(
    struct load_recorder *recorder, int64_t now_us, int64_t open);
/* Closes the last second and slice; fills elapsed, CPU and memory. */
void load_recorder_end(struct load_recorder *recorder, int64_t now_us);
