#include "load/result/law.h"

#include <math.h>

enum { PARAMETERS = 3, MOST_ROUNDS = 200 };

struct points {
    const double *users;
    const double *rates;
    size_t count;
};

/* A system of normal equations; parameters that are not free have no row. */
struct equations {
    double matrix[PARAMETERS][PARAMETERS];
    double right[PARAMETERS];
};

static double
burden(const struct load_law *law, double users)
{
    return 1 + law->contention * (users - 1) + law->coherency * users * (users - 1);
}

double
load_law_rate(const struct load_law *law, double users)
{
    return law->gain * users / burden(law, users);
}

static double
squares(const struct points *points, const struct load_law *law)
{
    double sum = 0;

    for (size_t i = 0; i < points->count; i++) {
        double off = load_law_rate(law, points->users[i]) / points->rates[i] - 1;

        sum += off * off;
    }
    return sum;
}

/* Gaussian elimination with the largest pivot. False: the equations tell nothing of some parameter. */
static bool
solve(struct equations *equations, const bool *is_free, double ret[PARAMETERS])
{
    size_t free[PARAMETERS];
    size_t count = 0;

    for (size_t i = 0; i < PARAMETERS; i++)
        if (is_free[i])
            free[count++] = i;
    for (size_t i = 0; i < count; i++) {
        double *row = equations->matrix[free[i]];

        /* The matrix is symmetric and positive: no exchange of rows is needed. */
        if (!(row[free[i]] > 0))
            return false;
        for (size_t j = i + 1; j < count; j++) {
            double factor = equations->matrix[free[j]][free[i]] / row[free[i]];

            for (size_t k = i; k < count; k++)
                equations->matrix[free[j]][free[k]] -= factor * row[free[k]];
            equations->right[free[j]] -= factor * equations->right[free[i]];
        }
    }
    for (size_t i = count; i-- > 0;) {
        double sum = equations->right[free[i]];

        for (size_t j = i + 1; j < count; j++)
            sum -= equations->matrix[free[i]][free[j]] * ret[free[j]];
        ret[free[i]] = sum / equations->matrix[free[i]][free[i]];
    }
    return true;
}

static void
add_row(struct equations *equations, const double slopes[PARAMETERS], double value)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        for (size_t j = 0; j < PARAMETERS; j++)
            equations->matrix[i][j] += slopes[i] * slopes[j];
        equations->right[i] += slopes[i] * value;
    }
}

/*
 * Where to begin: N / rate = (1 + a (N - 1) + b N (N - 1)) / gain is linear in 1/gain, a/gain and b/gain.
 * Rows are weighted by rate / N, so that each point's relative error counts.
 */
static bool
start_of(const struct points *points, const bool *is_free, struct load_law *ret)
{
    struct equations equations = { 0 };
    double found[PARAMETERS] = { 0 };

    for (size_t i = 0; i < points->count; i++) {
        double users = points->users[i];
        double weight = points->rates[i] / users;
        const double slopes[PARAMETERS] = { weight, weight * (users - 1),
            weight * users * (users - 1) };

        add_row(&equations, slopes, 1);
    }
    if (!solve(&equations, is_free, found) || !(found[0] > 0))
        return false;
    ret->gain = 1 / found[0];
    ret->contention = is_free[1] ? fmax(found[1] / found[0], 0) : 0;
    ret->coherency = is_free[2] ? fmax(found[2] / found[0], 0) : 0;
    return true;
}

/* One step of Levenberg and Marquardt from where the law is; the gain by its logarithm. */
static bool
step_of(const struct points *points, const bool *is_free, double damping,
    const struct load_law *law, struct load_law *ret)
{
    struct equations equations = { 0 };
    double step[PARAMETERS] = { 0 };

    for (size_t i = 0; i < points->count; i++) {
        double users = points->users[i];
        double ratio = load_law_rate(law, users) / points->rates[i];
        double share = ratio / burden(law, users);
        const double slopes[PARAMETERS] = { ratio, -share * (users - 1),
            -share * users * (users - 1) };

        add_row(&equations, slopes, 1 - ratio);
    }
    for (size_t i = 0; i < PARAMETERS; i++)
        equations.matrix[i][i] *= 1 + damping;
    if (!solve(&equations, is_free, step))
        return false;
    ret->gain = law->gain * exp(fmax(-2, fmin(2, step[0])));
    ret->contention = fmax(law->contention + step[1], 0);
    ret->coherency = fmax(law->coherency + step[2], 0);
    return true;
}

/* Fits what is free; what is not stays 0. */
static bool
fit_free(const struct points *points, const bool *is_free, struct load_law *law)
{
    double damping = 1e-3;
    double best;

    if (!start_of(points, is_free, law))
        return false;
    best = squares(points, law);
    for (int i = 0; i < MOST_ROUNDS && damping < 1e12; i++) {
        struct load_law tried = { 0 };
        double sum;

        if (!step_of(points, is_free, damping, law, &tried))
            return true;
        sum = squares(points, &tried);
        if (!(sum < best)) {
            damping *= 10;
            continue;
        }
        *law = tried;
        best = sum;
        damping /= 10;
    }
    return true;
}

void
load_law_fit(const double *users, const double *rates, size_t count, struct load_law *ret)
{
    static const bool which[][PARAMETERS] = {
        { true, false, false },
        { true, true, false },
        { true, false, true },
        { true, true, true },
    };
    const struct points points = { users, rates, count };
    double best = INFINITY;

    *ret = (struct load_law){ 0 };
    /* The best one may lie at a bound: then it is the best of those with that parameter 0. */
    for (size_t i = 0; i < COUNT_OF(which); i++) {
        struct load_law law = { 0 };
        double sum;

        if (!fit_free(&points, which[i], &law))
            continue;
        sum = squares(&points, &law);
        if (sum < best) {
            best = sum;
            *ret = law;
        }
    }
    ret->error = sqrt(best / (double)count);
}
