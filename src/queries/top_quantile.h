/* The 95th percentile of times: measured, or estimated where only mean and deviation are known. */
#pragma once

#include "base/arena.h"

/* Times in microseconds: the first ones as they are, then buckets a 32nd of their value wide. */
struct top_times {
    int64_t count;
    double total_us;
    int64_t max_us;
    int64_t *first;    /* until there are too many of them */
    uint32_t *buckets; /* NULL until then */
};

void top_times_add(struct arena *arena, struct top_times *times, int64_t us);
/* At least 95 of 100 are not above it; exact for few, within 3 % for many. -1 when there is none. */
double top_times_p95_us(const struct top_times *times);

/*
 * Of a log-normal distribution of this mean and variance, which is what times of statements look like
 * more than like any other (Johnson, Kotz, Balakrishnan, "Continuous Univariate Distributions", ch. 14);
 * never above the most that was seen. -1 when the numbers do not carry an estimate.
 */
double top_estimate_p95_ms(int64_t calls, double mean_ms, double variance, double max_ms);
