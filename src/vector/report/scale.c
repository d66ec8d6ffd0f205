#include "vector/report/scale.h"

#include <math.h>

const double recall_ticks[] = { 1, 0.99, 0.9, 0.5, 0, 0.999, 0.95, 0.8, 0.98, 0.995, 0.7 };
const size_t recall_tick_count = COUNT_OF(recall_ticks);

double
recall_height(double recall)
{
    /* Three nines are as much as a sample of questions can tell from 1. */
    const double nearest = 0.001;

    return -log10(1 + nearest - fmin(fmax(recall, 0), 1));
}

/* The largest 1, 2 or 5 times a power of ten that is at most us. */
static double
step_below(double us)
{
    double power = pow(10, floor(log10(us) + 1e-9));
    double digit = us / power;

    return power * (digit >= 5 - 1e-9 ? 5 : digit >= 2 - 1e-9 ? 2 : 1);
}

/* The next 1, 2 or 5 times a power of ten above one. */
static double
step_above(double us)
{
    double power = pow(10, floor(log10(us) + 1e-9));
    double digit = us / power;

    return power * (digit >= 5 - 1e-9 ? 10 : digit >= 2 - 1e-9 ? 5 : 2);
}

void
time_axis_include(struct time_axis *axis, double us)
{
    us = fmax(us, 1);
    if (axis->first_us <= 0 || us < axis->first_us)
        axis->first_us = us;
    if (us > axis->last_us)
        axis->last_us = us;
}

void
time_axis_round(struct time_axis *axis)
{
    if (axis->first_us <= 0)
        time_axis_include(axis, 1000);
    axis->first_us = step_below(axis->first_us);
    axis->last_us = step_above(step_below(axis->last_us));
}

double
time_axis_share(const struct time_axis *axis, double us)
{
    return log(fmax(us, axis->first_us) / axis->first_us) / log(axis->last_us / axis->first_us);
}

size_t
time_axis_ticks(const struct time_axis *axis, double ret[TIME_TICKS])
{
    double us = axis->first_us;
    size_t count = 0;

    while (us <= axis->last_us * 1.001 && count < TIME_TICKS) {
        ret[count++] = us;
        us = step_above(us);
    }
    return count;
}

bool
candidate_is_drawn(const struct vector_candidate *candidate)
{
    return candidate->was_built && candidate->overall.queries > 0;
}
