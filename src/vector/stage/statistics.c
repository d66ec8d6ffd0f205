#include <math.h>

#include "vector/stage/measure.h"

/* Of the normal distribution: 95 % lie within this many standard deviations. */
static const double Z95 = 1.959963984540054;
static const double TAIL = 0.025;

struct wilson {
    double share;
    double trials;
};

static struct vector_interval
wilson_interval(struct wilson seen)
{
    double z2 = Z95 * Z95;
    double scale = 1 + z2 / seen.trials;
    double centre = (seen.share + z2 / (2 * seen.trials)) / scale;
    double half =
        Z95 / scale *
        sqrt(seen.share * (1 - seen.share) / seen.trials + z2 / (4 * seen.trials * seen.trials));

    /* The ends are exact where the share is; rounding must not put them beyond it. */
    return (struct vector_interval){
        .value = seen.share,
        .low = seen.share <= 0 ? 0 : fmax(0, centre - half),
        .high = seen.share >= 1 ? 1 : fmin(1, centre + half),
    };
}

/*
 * How much more the shares of the queries scatter than those of independent trials would: 1 when
 * the trials of a query do not go together, trials_each when a query finds all or nothing.
 */
static double
design_effect(const double *shares, size_t count, double mean, double trials_each)
{
    double independent = mean * (1 - mean) / trials_each;
    double sum = 0;

    if (count < 2 || independent <= 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        sum += (shares[i] - mean) * (shares[i] - mean);
    return fmin(trials_each, fmax(1, sum / (double)(count - 1) / independent));
}

struct vector_interval
vector_share_interval(const double *shares, size_t count, int32_t trials_each)
{
    double each = trials_each > 0 ? trials_each : 1;
    double sum = 0;

    if (count == 0)
        return (struct vector_interval){ .value = 0, .low = 0, .high = 1 };
    for (size_t i = 0; i < count; i++)
        sum += shares[i];

    double mean = fmin(1, fmax(0, sum / (double)count));
    double effect = design_effect(shares, count, mean, each);

    return wilson_interval(
        (struct wilson){ .share = mean, .trials = (double)count * each / effect });
}

static int
compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* P(B = hits) of a binomial variable. */
static double
binomial_mass(size_t hits, size_t trials, double share)
{
    int sign;
    double n = (double)trials;
    double k = (double)hits;

    if (share <= 0 || share >= 1)
        return (share <= 0) == (hits == 0) && (share <= 0 || hits == trials) ? 1 : 0;
    return exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) +
               k * log(share) + (n - k) * log1p(-share));
}

struct vector_interval
vector_quantile_interval(double *values, size_t count, double quantile)
{
    size_t low = 0;
    size_t high = 0;
    bool has_high = false;
    double below = 0; /* P(B < i), B: how many of the values lie below the true quantile */

    if (count == 0)
        return (struct vector_interval){ 0 };
    qsort(values, count, sizeof(*values), compare_doubles);

    /* Ranks count from 1: the lower is the last with P(B < rank) <= 2.5 %, the upper the first
     * with P(B < rank) >= 97.5 %. Where there is none, the ends of what was seen stand for it. */
    for (size_t rank = 1; rank <= count && !has_high; rank++) {
        below += binomial_mass(rank - 1, count, quantile);
        if (below <= TAIL)
            low = rank - 1;
        if (below >= 1 - TAIL) {
            high = rank - 1;
            has_high = true;
        }
    }

    double rank = ceil(quantile * (double)count - 1e-9);
    size_t at = rank < 1 ? 0 : (size_t)rank - 1;

    return (struct vector_interval){
        .value = values[at < count ? at : count - 1],
        .low = values[low],
        .high = values[has_high ? high : count - 1],
    };
}

struct gathered {
    double *recall;
    double *cpu_us;
    double *wall_us;
    size_t count;
};

static void
measure_gathered(struct gathered *all, int32_t limit, struct vector_measure *ret)
{
    /* A quantile sorts its values in place, so the second one of a kind is cheap. */
    ret->recall = vector_share_interval(all->recall, all->count, limit);
    ret->cpu_us_p50 = vector_quantile_interval(all->cpu_us, all->count, .5);
    ret->cpu_us_p95 = vector_quantile_interval(all->cpu_us, all->count, .95);
    ret->wall_us_p50 = vector_quantile_interval(all->wall_us, all->count, .5);
    ret->wall_us_p95 = vector_quantile_interval(all->wall_us, all->count, .95);
    ret->recall_least = all->count ? 1 : 0;
    for (size_t i = 0; i < all->count; i++)
        ret->recall_least = fmin(ret->recall_least, all->recall[i]);
}

void
vector_summarise(struct arena *arena, const struct vector_shots *shots,
    const struct vector_queries *queries, size_t bucket, int32_t limit, struct vector_measure *ret)
{
    struct gathered all = {
        .recall = ARENA_ARRAY(arena, double, shots->count),
        .cpu_us = ARENA_ARRAY(arena, double, shots->count),
        .wall_us = ARENA_ARRAY(arena, double, shots->count),
    };

    *ret = (struct vector_measure){ 0 };
    for (size_t i = 0; i < shots->count; i++) {
        const struct vector_shot *shot = &shots->items[i];

        if (bucket != SIZE_MAX && queries->items[shot->query].bucket != bucket)
            continue;
        all.recall[all.count] = shot->recall;
        all.cpu_us[all.count] = (double)shot->cpu_us;
        all.wall_us[all.count] = (double)shot->wall_us;
        all.count++;
        ret->short_results += shot->is_short;
    }
    ret->queries = (int64_t)all.count;
    measure_gathered(&all, limit, ret);
}
