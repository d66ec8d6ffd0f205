/* Scores of ways to search, question by question, and what can be said of their means. */
#pragma once

#include "vector/judge/judge.h"

/* What one way answered to one question. */
struct judge_shot {
    bool was_asked; /* false: the question has no text, or no embedding */
    bool is_empty;
    double ndcg;
    double mrr;
    double recall;
};

struct judge_way {
    const char *name;
    double weight; /* as in struct judge_scores */
    bool uses_text;
    bool uses_vector;
    struct judge_shot *shots; /* one a question */
};

/*
 * The mean with its 95 % interval: percentiles of the means of 2,000 resamples, drawn with a fixed
 * seed. Source: Efron and Tibshirani 1993, chapter 13. No values: all NAN.
 */
struct vector_interval judge_interval(struct arena *arena, const double *values, size_t count);

/* The means over the questions that were asked in this way. */
void judge_summarise(
    struct arena *arena, const struct judge_way *way, size_t questions, struct judge_scores *ret);

/*
 * Sets proposed_weight and why: the weight that is best on all questions, when weights that were
 * chosen on one half beat reciprocal ranks on the other by more than chance; both halves in turn.
 */
void judge_propose(struct arena *arena, const struct judge_way *ways, size_t way_count,
    size_t questions, struct judgement *ret);
