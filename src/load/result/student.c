#include "load/result/student.h"

#include <math.h>

/*
 * The continued fraction of the incomplete beta function, DLMF 8.17.22, from its end: it converges
 * quickly where x < (a + 1) / (a + b + 2).
 */
static double
beta_fraction(double x, double a, double b)
{
    double fraction = 0;

    for (int m = 200; m >= 1; m--) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

        fraction = even / (1 + odd / (1 + fraction));
    }
    return 1 / (1 - (a + b) * x / (a + 1) / (1 + fraction));
}

static double
log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

/* The regularised incomplete beta function. */
static double
beta(double x, double a, double b)
{
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));

    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double
load_student_quantile(double probability, double degrees)
{
    double low = 0;
    double high = 1;

    while (high < 1e6 && beta(degrees / (degrees + high * high), degrees / 2, 0.5) > probability)
        high *= 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;

        if (beta(degrees / (degrees + middle * middle), degrees / 2, 0.5) > probability)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
