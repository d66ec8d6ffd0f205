#include "data/timeline.h"

#include <assert.h>
#include <math.h>

#include "data/rng.h"

enum { DIGIT_BITS = 16, DIGITS = 65536 };

/* One pass of a radix sort, least significant digit first. */
static void
sort_by_digit(size_t *place, const struct event *from, struct event *to, size_t count, int digit)
{
    int shift = digit * DIGIT_BITS;

    memset(place, 0, sizeof(*place) * (DIGITS + 1));
    for (size_t i = 0; i < count; i++)
        place[((from[i].us >> shift) & (DIGITS - 1)) + 1]++;
    for (size_t i = 1; i < DIGITS; i++)
        place[i] += place[i - 1];
    for (size_t i = 0; i < count; i++)
        to[place[(from[i].us >> shift) & (DIGITS - 1)]++] = from[i];
}

void
timeline_sort(struct timeline *timeline)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct event *other = ARENA_ARRAY(arena, struct event, timeline->count + 1);
    size_t *place = ARENA_ARRAY(arena, size_t, DIGITS + 1);
    size_t count = timeline->count;

    /* Times after 2000-01-01 are positive and have less than 64 bits. */
    sort_by_digit(place, timeline->events, other, count, 0);
    sort_by_digit(place, other, timeline->events, count, 1);
    sort_by_digit(place, timeline->events, other, count, 2);
    sort_by_digit(place, other, timeline->events, count, 3);
}

/* Gives the planted owners their part and takes them out of the lottery; returns what it gave. */
static int64_t
plant(const struct share *share, uint32_t *counts, double *weights, size_t count, struct rng *rng)
{
    int64_t given = 0;

    for (uint32_t rank = 0; rank < share->planted; rank++) {
        size_t owner = rng_below(rng, (uint32_t)(count + 1) / 2);

        if (counts[owner] > 0)
            continue;
        counts[owner] = (uint32_t)(share->most / pow(rank + 1, share->decay));
        weights[owner] = 0;
        given += counts[owner];
    }
    return given;
}

/* What is left over because of the limit goes to whoever may have more. */
static void
hand_out_rest(
    const struct share *share, uint32_t *counts, const double *weights, size_t count, int64_t rest)
{
    while (rest > 0) {
        int64_t before = rest;

        for (size_t i = 0; i < count && rest > 0; i++) {
            if (weights[i] > 0 && counts[i] < share->most) {
                counts[i]++;
                rest--;
            }
        }
        assert(rest < before && "more things than owners may have");
    }
}

uint32_t *
share_out(struct arena *arena, const struct share *share, size_t count, uint64_t seed, int stream)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t *counts = ARENA_ARRAY(arena, uint32_t, count + 1);
    double *weights = ARENA_ARRAY(scratch, double, count + 1);
    struct rng rng = rng_start(seed, (enum rng_stream)stream, 0);
    double sum = 0;
    double reached = 0;
    int64_t given = 0;
    int64_t lottery;

    for (size_t i = 0; i < count; i++) {
        bool has_none = rng_chance(&rng, share->none_ratio);
        double weight = exp(share->sigma * rng_normal(&rng));

        if (share->factors != NULL)
            weight *= share->factors[i];
        weights[i] = has_none ? 0 : weight;
    }
    lottery = share->total - plant(share, counts, weights, count, &rng);
    assert(lottery >= 0 && "more was planted than there is");
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++) {
        int64_t due;

        if (weights[i] <= 0)
            continue;
        reached += weights[i];
        /* Rounding the running sum keeps the total exact; the limit's rest goes to the next. */
        due = (int64_t)((double)lottery * (reached / sum) + 0.5) - given;
        counts[i] = due > (int64_t)share->most ? share->most : (uint32_t)due;
        given += counts[i];
    }
    hand_out_rest(share, counts, weights, count, lottery - given);
    return counts;
}
