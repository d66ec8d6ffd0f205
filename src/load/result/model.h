/*
 * From runs at several numbers of users to a prediction. Little's law: users = rate x (latency + think);
 * the universal scalability law (Gunther): X(N) = gN / (1 + a(N - 1) + bN(N - 1)), fitted by least squares;
 * the service demand law: CPU a request of each part tells which machine would do a rate.
 */
#pragma once

#include "load/result/compare.h"

struct load_model_point {
    double users;
    double rate;
    double latency_us;     /* mean */
    double cpu_us;         /* a request, of everything that facts know; NaN: nothing */
    double predicted_rate; /* by the fitted law */
    double little_users; /* rate x (latency + think), beside users; NaN: think time is not known */
};

struct load_model {
    struct load_model_point *points;
    size_t count;
    double gain;       /* requests a second of one user */
    double contention; /* a */
    double coherency;  /* b */
    double peak_users; /* beyond which more users get less; 0: none is known */
    double peak_rate;
    double error_share;  /* root of the mean square of (predicted / measured - 1) */
    const char *caution; /* why the law does not say much here, or NULL */
    double ceiling_rate; /* the highest rate that was measured */
    /* For load_model_wish: */
    double wanted_users;
    double wanted_rate;
    double wanted_share; /* of the processors that may be busy */
    double cpus_api;     /* processors that the wish would need; NaN: not known */
    double cpus_postgresql;
    double cpus_generator;
};

struct load_model_wish {
    double users;
    double rate; /* 0: users / (think + latency); of a closed loop without think time by the law */
    double cpu_share; /* of the processors that may be busy; 0: 0.5 */
};
bool load_model_fit(struct ctx *ctx, const struct load_records *records,
    const struct load_model_wish *wish, struct load_model *ret) MUST_CHECK;
json_t *load_model_json(const struct load_model *model);
