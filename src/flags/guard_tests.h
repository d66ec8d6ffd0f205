/* The statistics of the guard: pure functions, each with its source. */
#pragma once

#include "base/base.h"

/* Of one arm: requests that were answered well, and their ln(seconds) summed up. */
struct guard_logs {
    double count;
    double sum;
    double squares;
};

/* The unbiased one; 0 below two requests. */
double guard_variance(const struct guard_logs *logs);

/*
 * Mixture sequential probability ratio test of the difference of two means, with a normal mixture of
 * standard deviation tau over the difference and plug-in variances: its likelihood ratio exceeds 1 /
 * alpha with probability alpha at most, however often one looks, when the means are the same.
 * Source: Johari, Koomen, Pekelis, Walsh, "Always valid inference", Operations Research 70(3), 2022,
 * section 5 (the two-stream statistic); Robbins, "Statistical methods related to the law of the
 * iterated logarithm", 1970.
 */
struct guard_difference {
    double mean; /* of the treatment minus that of the control */
    double low;  /* the confidence sequence to the same alpha: always valid */
    double high;
    double ratio; /* the likelihood ratio */
};
struct guard_difference guard_compare_logs(
    const struct guard_logs *control, const struct guard_logs *treatment, double tau, double alpha);

/*
 * ln of Wald's likelihood ratio of a share p1 against p0, seen hits of count. Above guard_upper(): p1;
 * below guard_lower(): p0. Source: Wald, "Sequential tests of statistical hypotheses", 1945.
 */
double guard_share_llr(double hits, double count, double p0, double p1);
double guard_upper(double alpha, double beta);
double guard_lower(double alpha, double beta);

/* The standard normal distribution: the probability below x, and the x below which is p. */
double guard_normal(double x);
double guard_normal_quantile(double p);

/*
 * Pearson's chi-square with one degree of freedom: the probability of a split at least this uneven when
 * the treatment's share is expected to be share. Counts are of units that were drawn independently.
 */
double guard_split_p(double control, double treatment, double share);

/*
 * A quantile from cumulative counts of a histogram whose last edge is infinite, linear within a bucket, as
 * Prometheus' histogram_quantile() does. NaN when it is empty; the last finite edge when it is above.
 */
double guard_quantile(const double *edges, const double *cumulative, size_t count, double q);
