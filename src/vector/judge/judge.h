/* How relevant the answers are, by questions whose relevant rows people have named. */
#pragma once

#include "vector/method/choice.h"

/* A question of the file: JSON lines { "query": text, "embedding": [...], "tenant": …, "relevant": { "12": 3 } or [12, 13] }. */
struct judged_query {
    const char *text;      /* or NULL */
    const char *values;    /* "[…]", or NULL */
    const char *tenant;    /* as text, or NULL */
    struct text_list keys; /* of the relevant rows */
    VEC(double) grades;    /* above 0, one a key */
    size_t line;
};

struct judged_queries {
    struct judged_query *items;
    size_t count;
    size_t capacity;
};

/* ERR_INPUT with file:line for what is wrong: broken JSON, no relevant rows, other dimensions, NaN. */
bool judged_read(struct ctx *ctx, const char *path, const struct vector_target *target,
    struct judged_queries *ret) MUST_CHECK;

/* The same for text that is already read, with a NUL behind it; name stands for it in errors. */
bool judged_parse(struct ctx *ctx, const char *name, const char *text, size_t length,
    const struct vector_target *target, struct judged_queries *ret) MUST_CHECK;

/* Over all questions, with the 95 % interval of the mean (bootstrap over questions, fixed seed). */
struct judge_scores {
    const char *way; /* "text", "vector", "both, reciprocal ranks", "both, 0.35 vector" */
    double weight;   /* of the vector side; below 0: reciprocal rank fusion; NAN: one side */
    struct vector_interval ndcg;   /* at 10, gain 2^grade - 1 (Järvelin and Kekäläinen 2002) */
    struct vector_interval mrr;    /* at 10 */
    struct vector_interval recall; /* share of the relevant rows in the first 10 */
    int64_t empty;                 /* questions without any answer */
    int64_t questions; /* that could be asked so: those with a text, an embedding, both */
};

struct judgement {
    VEC(struct judge_scores) ways;
    int64_t questions;
    int64_t missing; /* relevant keys that are not among the rows that can be found */
    struct text_list missing_names; /* the first of them: "line 3: 17", with why */
    double proposed_weight;         /* below 0: reciprocal ranks are as good as any weight */
    const char *why;
    const char *function; /* the search_embeddings_hybrid that was asked, qualified */
};

/* Scores of ranked keys against the relevant ones. */
double judge_ndcg(const struct text_list *ranked, const struct judged_query *query, size_t depth);
double judge_mrr(const struct text_list *ranked, const struct judged_query *query, size_t depth);
double judge_recall(const struct text_list *ranked, const struct judged_query *query, size_t depth);

/*
 * Asks each way for each question by the installed search_embeddings_hybrid: its SQL is what is
 * judged. ERR_NOT_FOUND without one for this table; ERR_INPUT with the line for what cannot be a
 * key or a tenant. The weight is chosen on one half of the questions and told by its score on the
 * other, both ways round, so that it is not praised for what it learned.
 */
bool judge_run(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const struct judged_queries *queries, const struct vector_observer *observer,
    struct judgement *ret) MUST_CHECK;
