#include "vector/judge/score.h"

#include <math.h>

enum { RESAMPLES = 2000 };

/* ---- one question ---- */

/* The grade of a key; 0: not relevant. Position i of ranked counts once, when the key is new. */
static double
grade_at(const struct text_list *ranked, size_t i, const struct judged_query *query)
{
    for (size_t j = 0; j < i; j++)
        if (text_equal(ranked->items[j], ranked->items[i]))
            return 0;
    for (size_t j = 0; j < query->keys.count; j++)
        if (text_equal(query->keys.items[j], ranked->items[i]))
            return query->grades.items[j];
    return 0;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static double
discounted(double grade, size_t i)
{
    return (exp2(grade) - 1) / log2((double)i + 2);
}

/* The largest grade below a limit, and how many have it. */
static double
next_grade(const struct judged_query *query, double limit, size_t *ret_count)
{
    double largest = 0;

    *ret_count = 0;
    for (size_t i = 0; i < query->grades.count; i++) {
        double grade = query->grades.items[i];

        if (grade >= limit || grade < largest)
            continue;
        *ret_count = grade > largest ? 1 : *ret_count + 1;
        largest = grade;
    }
    return largest;
}

/* The sum when the relevant rows come first, the best of them foremost. */
static double
ideal_gain(const struct judged_query *query, size_t depth)
{
    double grade = (double)INFINITY;
    double sum = 0;
    size_t count;
    size_t i = 0;

    for (;;) {
        grade = next_grade(query, grade, &count);
        if (count == 0 || i >= depth)
            return sum;
        for (size_t end = i + count; i < least(end, depth); i++)
            sum += discounted(grade, i);
    }
}

double
judge_ndcg(const struct text_list *ranked, const struct judged_query *query, size_t depth)
{
    double ideal = ideal_gain(query, depth);
    double sum = 0;

    for (size_t i = 0; i < least(ranked->count, depth); i++)
        sum += discounted(grade_at(ranked, i, query), i);
    return ideal > 0 ? sum / ideal : 0;
}

double
judge_mrr(const struct text_list *ranked, const struct judged_query *query, size_t depth)
{
    for (size_t i = 0; i < least(ranked->count, depth); i++)
        if (grade_at(ranked, i, query) > 0)
            return 1 / ((double)i + 1);
    return 0;
}

double
judge_recall(const struct text_list *ranked, const struct judged_query *query, size_t depth)
{
    size_t found = 0;

    for (size_t i = 0; i < least(ranked->count, depth); i++)
        found += grade_at(ranked, i, query) > 0;
    return query->keys.count > 0 ? (double)found / (double)query->keys.count : 0;
}

/* ---- all questions ---- */

/* xorshift64* by Vigna 2016. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static double
mean_of_resample(const double *values, size_t count, uint64_t *state)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        /* The upper half of the bits, scaled to [0, count). */
        uint64_t at = ((next_random(state) >> 32) * (uint64_t)count) >> 32;

        sum += values[at];
    }
    return sum / (double)count;
}

static int
compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

struct vector_interval
judge_interval(struct arena *arena, const double *values, size_t count)
{
    double *means = ARENA_ARRAY(arena, double, RESAMPLES);
    uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    double sum = 0;

    if (count == 0)
        return (struct vector_interval){ (double)NAN, (double)NAN, (double)NAN };
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    for (size_t i = 0; i < RESAMPLES; i++)
        means[i] = mean_of_resample(values, count, &state);
    qsort(means, RESAMPLES, sizeof(*means), compare_numbers);
    return (struct vector_interval){ .value = sum / (double)count,
        .low = means[RESAMPLES / 40 - 1],
        .high = means[RESAMPLES - RESAMPLES / 40] };
}

void
judge_summarise(
    struct arena *arena, const struct judge_way *way, size_t questions, struct judge_scores *ret)
{
    double *ndcg = ARENA_ARRAY(arena, double, questions + 1);
    double *mrr = ARENA_ARRAY(arena, double, questions + 1);
    double *recall = ARENA_ARRAY(arena, double, questions + 1);
    size_t count = 0;

    *ret = (struct judge_scores){ .way = way->name, .weight = way->weight };
    for (size_t i = 0; i < questions; i++) {
        const struct judge_shot *shot = &way->shots[i];

        if (!shot->was_asked)
            continue;
        ndcg[count] = shot->ndcg;
        mrr[count] = shot->mrr;
        recall[count++] = shot->recall;
        ret->empty += shot->is_empty;
    }
    ret->questions = (int64_t)count;
    ret->ndcg = judge_interval(arena, ndcg, count);
    ret->mrr = judge_interval(arena, mrr, count);
    ret->recall = judge_interval(arena, recall, count);
}
