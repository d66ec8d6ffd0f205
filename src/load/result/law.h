/* The universal scalability law (Gunther 2007): rate = gain N / (1 + a (N - 1) + b N (N - 1)). */
#pragma once

#include "base/base.h"

struct load_law {
    double gain;
    double contention; /* a */
    double coherency;  /* b */
    double error;      /* root of the mean square of (predicted / measured - 1) */
};

double load_law_rate(const struct load_law *law, double users);

/* Least squares of (predicted / measured - 1), with a and b not below 0. All numbers are above 0. */
void load_law_fit(const double *users, const double *rates, size_t count, struct load_law *ret);
