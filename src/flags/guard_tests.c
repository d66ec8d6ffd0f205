#include "flags/guard_tests.h"

#include <math.h>

static double
mean_of(const struct guard_logs *logs)
{
    return logs->count > 0 ? logs->sum / logs->count : 0;
}

double
guard_variance(const struct guard_logs *logs)
{
    double variance;

    if (logs->count < 2)
        return 0;
    variance = (logs->squares - logs->sum * logs->sum / logs->count) / (logs->count - 1);
    return variance > 0 ? variance : 0;
}

struct guard_difference
guard_compare_logs(
    const struct guard_logs *control, const struct guard_logs *treatment, double tau, double alpha)
{
    struct guard_difference difference = { .low = -INFINITY, .high = INFINITY, .ratio = 1 };
    double spread;
    double mixed;
    double half;

    if (control->count < 2 || treatment->count < 2)
        return difference;
    difference.mean = mean_of(treatment) - mean_of(control);
    spread =
        guard_variance(control) / control->count + guard_variance(treatment) / treatment->count;
    if (spread <= 0)
        return difference;
    mixed = spread + tau * tau;
    difference.ratio = sqrt(spread / mixed) *
                       exp(tau * tau * difference.mean * difference.mean / (2 * spread * mixed));
    /* The differences that the same test would not reject. */
    half = sqrt(2 * spread * mixed / (tau * tau) * log(sqrt(mixed / spread) / alpha));
    difference.low = difference.mean - half;
    difference.high = difference.mean + half;
    return difference;
}

double
guard_share_llr(double hits, double count, double p0, double p1)
{
    return hits * log(p1 / p0) + (count - hits) * log((1 - p1) / (1 - p0));
}

double
guard_upper(double alpha, double beta)
{
    return log((1 - beta) / alpha);
}

double
guard_lower(double alpha, double beta)
{
    return log(beta / (1 - alpha));
}

double
guard_normal(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

double
guard_normal_quantile(double p)
{
    double low = -38;
    double high = 38;

    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;

        if (guard_normal(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double
guard_split_p(double control, double treatment, double share)
{
    double all = control + treatment;
    double expected = all * share;
    double off = treatment - expected;

    if (all <= 0 || share <= 0 || share >= 1)
        return 1;
    return erfc(sqrt(off * off / expected + off * off / (all - expected)) / sqrt(2));
}

double
guard_quantile(const double *edges, const double *cumulative, size_t count, double q)
{
    double rank;

    if (count == 0 || !(cumulative[count - 1] > 0))
        return NAN;
    rank = q * cumulative[count - 1];
    for (size_t i = 0; i < count; i++) {
        double below = i > 0 ? cumulative[i - 1] : 0;
        double from = i > 0 ? edges[i - 1] : 0;

        if (cumulative[i] < rank)
            continue;
        if (isinf(edges[i]))
            return from;
        return cumulative[i] > below
                   ? from + (edges[i] - from) * (rank - below) / (cumulative[i] - below)
                   : edges[i];
    }
    return edges[count - 1];
}
