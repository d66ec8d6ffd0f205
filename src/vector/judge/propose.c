#include <assert.h>
#include <math.h>

#include "vector/judge/score.h"

/* With fewer questions in a half the best weight is an accident, and its interval too narrow. */
enum { LEAST_QUESTIONS = 20 };

/* The questions that every way was asked, and in which half each is. */
struct sample {
    struct arena *arena;
    const struct judge_way *ways;
    size_t way_count;
    const size_t *questions;
    size_t count;
};

enum half { HALF_EVEN, HALF_ODD, HALF_BOTH };

/* Splitmix64 by Steele and others 2014: neighbours in the file are often about the same. */
static uint64_t
scatter(uint64_t number)
{
    number += UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

static int
compare_scattered(const void *a, const void *b)
{
    uint64_t left = scatter(*(const size_t *)a);
    uint64_t right = scatter(*(const size_t *)b);

    return (left > right) - (left < right);
}

static bool
is_in(size_t position, enum half half)
{
    return half == HALF_BOTH || (position % 2 == 0) == (half == HALF_EVEN);
}

static double
mean_in(const struct sample *sample, const struct judge_way *way, enum half half)
{
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < sample->count; i++) {
        if (!is_in(i, half))
            continue;
        sum += way->shots[sample->questions[i]].ndcg;
        count++;
    }
    return count > 0 ? sum / (double)count : 0;
}

/* The best weighted way; of two as good the one that is nearer to the middle. NULL: there is none. */
static const struct judge_way *
best_weighted(const struct sample *sample, enum half half)
{
    const struct judge_way *best = NULL;
    double best_mean = 0;

    for (size_t i = 0; i < sample->way_count; i++) {
        const struct judge_way *way = &sample->ways[i];
        double mean;

        if (isnan(way->weight) || way->weight < 0)
            continue;
        mean = mean_in(sample, way, half);
        /* Sums of the same scores in another order differ in their last digits. */
        if (!best || mean > best_mean + 1e-12 ||
            (mean > best_mean - 1e-12 && fabs(way->weight - 0.5) < fabs(best->weight - 0.5))) {
            best = way;
            best_mean = mean;
        }
    }
    return best;
}

static const struct judge_way *
reciprocal(const struct sample *sample)
{
    for (size_t i = 0; i < sample->way_count; i++)
        if (sample->ways[i].weight < 0)
            return &sample->ways[i];
    return NULL;
}

/* By how much one way is better than another. */
static struct vector_interval
lead(const struct sample *sample, const struct judge_way *way, const struct judge_way *other)
{
    double *leads = ARENA_ARRAY(sample->arena, double, sample->count + 1);

    for (size_t i = 0; i < sample->count; i++)
        leads[i] = way->shots[sample->questions[i]].ndcg - other->shots[sample->questions[i]].ndcg;
    return judge_interval(sample->arena, leads, sample->count);
}

/* The same of weights that were chosen without the question that they are tried on. */
static struct vector_interval
unseen_lead(const struct sample *sample, const struct judge_way *other)
{
    double *leads = ARENA_ARRAY(sample->arena, double, sample->count + 1);
    const struct judge_way *chosen[] = {
        [HALF_EVEN] = best_weighted(sample, HALF_EVEN),
        [HALF_ODD] = best_weighted(sample, HALF_ODD),
    };

    for (size_t i = 0; i < sample->count; i++) {
        const struct judge_way *way = chosen[is_in(i, HALF_EVEN) ? HALF_ODD : HALF_EVEN];

        assert(way);
        leads[i] = way->shots[sample->questions[i]].ndcg - other->shots[sample->questions[i]].ndcg;
    }
    return judge_interval(sample->arena, leads, sample->count);
}

static void
find_sample(struct sample *sample, size_t questions)
{
    size_t *found = ARENA_ARRAY(sample->arena, size_t, questions + 1);

    for (size_t i = 0; i < questions; i++) {
        bool was_asked = true;

        for (size_t j = 0; j < sample->way_count; j++)
            was_asked = was_asked && sample->ways[j].shots[i].was_asked;
        if (was_asked)
            found[sample->count++] = i;
    }
    qsort(found, sample->count, sizeof(*found), compare_scattered);
    sample->questions = found;
}

/* " Text alone is better than that, …" when one side surely loses by being mixed; else "". */
static const char *
warn_of_mixing(const struct sample *sample, const struct judge_way *proposed)
{
    const struct judge_way *better = NULL;
    double best_mean = 0;

    for (size_t i = 0; i < sample->way_count; i++) {
        const struct judge_way *way = &sample->ways[i];
        double mean;

        if (!isnan(way->weight) || !(lead(sample, way, proposed).low > 0))
            continue;
        mean = mean_in(sample, way, HALF_BOTH);
        if (!better || mean > best_mean) {
            better = way;
            best_mean = mean;
        }
    }
    if (!better)
        return "";
    return arena_printf(sample->arena,
        " The side \"%s\" alone is better than both together (nDCG@10 %.3f against %.3f): mixing "
        "does harm on these questions.",
        better->name, best_mean, mean_in(sample, proposed, HALF_BOTH));
}

static const char *
lead_text(struct arena *arena, const struct vector_interval *gained)
{
    return arena_printf(arena, "%+.3f of nDCG@10 (95 %% interval %+.3f to %+.3f)", gained->value,
        gained->low, gained->high);
}

static const char *
have_both(struct arena *arena, size_t count)
{
    if (count == 0)
        return "No question has";
    return count == 1 ? "Only 1 question has"
                      : arena_printf(arena, "Only %zu questions have", count);
}

void
judge_propose(struct arena *arena, const struct judge_way *ways, size_t way_count, size_t questions,
    struct judgement *ret)
{
    struct sample sample = { .arena = arena, .ways = ways, .way_count = way_count };
    const struct judge_way *ranks = reciprocal(&sample);
    const struct judge_way *best;
    struct vector_interval gained;

    ret->proposed_weight = -1;
    find_sample(&sample, questions);
    if (sample.count < LEAST_QUESTIONS) {
        ret->why = arena_printf(arena,
            "%s both a text and an embedding: at least %d such questions are needed to choose a "
            "weight. Reciprocal ranks need none.",
            have_both(arena, sample.count), LEAST_QUESTIONS);
        return;
    }
    best = best_weighted(&sample, HALF_BOTH);
    gained = unseen_lead(&sample, ranks);
    if (gained.low > 0) {
        ret->proposed_weight = best->weight;
        ret->why = arena_printf(arena,
            "Weights chosen on one half of the questions beat reciprocal ranks on the other half: "
            "%s. On all %zu questions %.1f is the best.%s",
            lead_text(arena, &gained), sample.count, best->weight, warn_of_mixing(&sample, best));
        return;
    }
    ret->why = arena_printf(arena,
        "Weights chosen on one half of the questions do not surely beat reciprocal ranks on the "
        "other half: %s. Reciprocal ranks need no labels and stay true as the texts change.%s",
        lead_text(arena, &gained), warn_of_mixing(&sample, ranks));
}
