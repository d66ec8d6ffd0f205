#include "flags/guard.h"

#include <math.h>
#include <string.h>

const struct guard_rules guard_standard_rules = {
    .tau = 0.1,
    .alpha = 0.01,
    .beta = 0.05,
    .worst_ratio = 1.05,
    .margin = 1.05,
    .p95_ratio = 1.2,
    .least_base = 0.001,
    .more_errors = 0.004,
    .window_errors = 5,
    .window_rate = 0.05,
    .window_us = 30000000,
    .least = 5000,
    .least_evidence = 100,
};

/* Users are not all as busy: with exponential activity their number counts half. Kish 1965. */
static const double activity_effect = 2;
static const double split_alpha = 0.001;

void
guard_begin(struct guard *guard, const struct guard_rules *rules, int64_t now_us)
{
    *guard = (struct guard){ .rules = *rules, .started_us = now_us };
}

static void
add_counts(struct guard_counts *sum, const struct guard_counts *delta, size_t buckets)
{
    sum->requests += delta->requests;
    sum->errors += delta->errors;
    sum->logs.count += delta->logs.count;
    sum->logs.sum += delta->logs.sum;
    sum->logs.squares += delta->logs.squares;
    for (size_t i = 0; i < buckets; i++)
        sum->buckets[i] += delta->buckets[i];
}

void
guard_add(struct guard *guard, const struct guard_reading *delta, int64_t now_us)
{
    struct guard_window *slot = &guard->window[guard->looks % GUARD_WINDOW_LOOKS];

    if (guard->sum.bucket_count == 0) {
        guard->sum.bucket_count = delta->bucket_count;
        memcpy(guard->sum.edges, delta->edges, sizeof(guard->sum.edges));
    }
    for (size_t i = 0; i < GUARD_ARMS; i++)
        add_counts(&guard->sum.arms[i], &delta->arms[i], guard->sum.bucket_count);
    *slot = (struct guard_window){
        .at_us = now_us,
        .requests = delta->arms[GUARD_TREATMENT].requests,
        .errors = delta->arms[GUARD_TREATMENT].errors,
    };
    guard->looks++;
}

/* The control of this step, or of the one before when nobody is left in it. */
static const struct guard_counts *
control_of(const struct guard *guard)
{
    const struct guard_counts *now = &guard->sum.arms[GUARD_CONTROL];

    return guard->has_before && now->logs.count < guard->before.logs.count ? &guard->before : now;
}

static double
rate_of(const struct guard_counts *counts)
{
    return counts->requests > 0 ? counts->errors / counts->requests : 0;
}

static void
go_back(struct guard_verdict *verdict, const char *rule, const char *why)
{
    verdict->decision = GUARD_GO_BACK;
    verdict->rule = rule;
    verdict->why = why;
}

static void
wait_more(struct guard_verdict *verdict, const char *rule, const char *why)
{
    verdict->rule = rule;
    verdict->why = why;
}

/* Many errors within the last seconds need no statistics. */
static bool
has_many_errors(
    struct arena *arena, const struct guard *guard, int64_t now_us, struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;
    size_t known = guard->looks < GUARD_WINDOW_LOOKS ? guard->looks : GUARD_WINDOW_LOOKS;
    double requests = 0;
    double errors = 0;

    for (size_t i = 0; i < known; i++) {
        if (now_us - guard->window[i].at_us >= rules->window_us)
            continue;
        requests += guard->window[i].requests;
        errors += guard->window[i].errors;
    }
    if (errors < rules->window_errors || errors <= rules->window_rate * requests)
        return false;
    go_back(verdict, "many errors",
        arena_printf(arena, "%.0f of the last %.0f requests failed (%.1f %%)", errors, requests,
            100 * errors / requests));
    return true;
}

/* Wald's test of the share of errors against that of the control. */
static bool
has_more_errors(struct arena *arena, const struct guard *guard, struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;
    const struct guard_counts *treatment = &guard->sum.arms[GUARD_TREATMENT];
    double base = fmax(verdict->error_rate[GUARD_CONTROL], rules->least_base);

    base = fmin(base, 1 - 2 * rules->more_errors);
    verdict->error_llr =
        guard_share_llr(treatment->errors, treatment->requests, base, base + rules->more_errors);
    if (verdict->error_llr < guard_upper(rules->alpha, rules->beta) || treatment->errors < 2)
        return false;
    go_back(verdict, "errors",
        arena_printf(arena, "%.2f %% of requests fail, %.2f %% in the control",
            100 * verdict->error_rate[GUARD_TREATMENT], 100 * verdict->error_rate[GUARD_CONTROL]));
    return true;
}

/*
 * Requests above the edge that at most 5 % of the control's are above: a share p0 there would be p1 if
 * all latencies were 20 % longer (the logarithms being about normal, with the control's spread). p0 is
 * itself an estimate, so it is taken two standard errors higher.
 */
static double
tail_llr(const struct guard *guard, const struct guard_counts *control)
{
    const struct guard_rules *rules = &guard->rules;
    const struct guard_counts *treatment = &guard->sum.arms[GUARD_TREATMENT];
    size_t last = guard->sum.bucket_count - 1;
    double all = control->buckets[last];
    double mine = treatment->buckets[last];
    size_t edge = 0;
    double p0;
    double p1;

    while (edge < last && control->buckets[edge] < 0.95 * all)
        edge++;
    if (edge == last)
        return 0;
    p0 = 1 - control->buckets[edge] / all;
    p0 += 2 * sqrt(fmax(p0, 1 / all) * (1 - p0) / all);
    p0 = fmin(fmax(p0, 1e-4), 0.5);
    p1 = 1 - guard_normal(guard_normal_quantile(1 - p0) -
                          log(rules->p95_ratio) / sqrt(fmax(guard_variance(&control->logs), 0.01)));
    return guard_share_llr(mine - treatment->buckets[edge], mine, p0, p1);
}

static bool
has_worse_tail(struct arena *arena, const struct guard *guard, const struct guard_counts *control,
    struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;
    const double *p95 = verdict->p95;

    if (guard->sum.bucket_count < 2 || verdict->count[GUARD_CONTROL] < rules->least_evidence ||
        verdict->count[GUARD_TREATMENT] < rules->least_evidence)
        return false;
    verdict->tail_llr = tail_llr(guard, control);
    if (verdict->tail_llr < guard_upper(rules->alpha, rules->beta) ||
        !(p95[GUARD_TREATMENT] > rules->p95_ratio * p95[GUARD_CONTROL]))
        return false;
    go_back(verdict, "p95",
        arena_printf(arena, "p95 is %.0f %% worse: %.3g ms, %.3g ms in the control",
            100 * (p95[GUARD_TREATMENT] / p95[GUARD_CONTROL] - 1), 1000 * p95[GUARD_TREATMENT],
            1000 * p95[GUARD_CONTROL]));
    return true;
}

static bool
has_worse_mean(struct arena *arena, const struct guard *guard, struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;

    if (verdict->count[GUARD_CONTROL] < rules->least_evidence ||
        verdict->count[GUARD_TREATMENT] < rules->least_evidence ||
        verdict->likelihood < 1 / rules->alpha || verdict->ratio <= rules->worst_ratio)
        return false;
    go_back(verdict, "latency",
        arena_printf(arena, "it is %.0f %% slower (between %.0f and %.0f %%)",
            100 * (verdict->ratio - 1), 100 * (verdict->ratio_low - 1),
            100 * (verdict->ratio_high - 1)));
    return true;
}

/* Looked at once a step, when it is about to go on, so that p is what it says. */
static bool
is_split_wrong(struct arena *arena, const struct guard *guard, struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;
    double control = guard->sum.arms[GUARD_CONTROL].requests;
    double treatment = guard->sum.arms[GUARD_TREATMENT].requests;
    double units = fmin(rules->users / activity_effect, control + treatment);

    if (rules->users <= 0 || rules->share <= 0 || rules->share >= 1 || control + treatment <= 0)
        return false;
    verdict->split_p = guard_split_p(units * control / (control + treatment),
        units * treatment / (control + treatment), rules->share);
    if (verdict->split_p >= split_alpha)
        return false;
    go_back(verdict, "sample ratio",
        arena_printf(arena,
            "%.1f %% of requests came to the variant, %.1f %% were expected: the "
            "arms cannot be compared (p = %.2g)",
            100 * treatment / (control + treatment), 100 * rules->share, verdict->split_p));
    return true;
}

/* What is missing yet before it may go on; nothing: it goes on. */
static void
consider_going_on(struct arena *arena, const struct guard *guard, struct guard_verdict *verdict)
{
    const struct guard_rules *rules = &guard->rules;
    double fewest = fmin(verdict->count[GUARD_CONTROL], verdict->count[GUARD_TREATMENT]);

    if (fewest < rules->least) {
        wait_more(verdict, "requests",
            arena_printf(arena, "%.0f of %.0f requests in the smaller arm", fewest, rules->least));
    } else if (verdict->elapsed_us < rules->hold_us) {
        wait_more(verdict, "time",
            arena_printf(arena, "%.0f of %.0f s of this step", (double)verdict->elapsed_us / 1e6,
                (double)rules->hold_us / 1e6));
    } else if (!(verdict->ratio_high < rules->margin)) {
        wait_more(verdict, "latency",
            arena_printf(arena, "inconclusive: it may be %.0f %% slower still",
                100 * (verdict->ratio_high - 1)));
    } else if (verdict->error_llr > guard_lower(rules->alpha, rules->beta)) {
        wait_more(verdict, "errors", "inconclusive: it may have more errors still");
    } else if (!is_split_wrong(arena, guard, verdict)) {
        verdict->decision = GUARD_GO_ON;
        verdict->rule = "non-inferior";
        verdict->why = arena_printf(arena, "%.2f times the latency, at most %.2f times",
            verdict->ratio, verdict->ratio_high);
    }
}

struct guard_verdict
guard_judge(struct arena *arena, const struct guard *guard, int64_t now_us)
{
    const struct guard_rules *rules = &guard->rules;
    const struct guard_counts *control = control_of(guard);
    const struct guard_counts *treatment = &guard->sum.arms[GUARD_TREATMENT];
    const double *edges = guard->sum.edges;
    size_t buckets = guard->sum.bucket_count;
    struct guard_difference difference =
        guard_compare_logs(&control->logs, &treatment->logs, rules->tau, rules->alpha);
    struct guard_verdict verdict = {
        .ratio = exp(difference.mean),
        .ratio_low = exp(difference.low),
        .ratio_high = exp(difference.high),
        .likelihood = difference.ratio,
        .p95 = { guard_quantile(edges, control->buckets, buckets, 0.95),
            guard_quantile(edges, treatment->buckets, buckets, 0.95) },
        .error_rate = { rate_of(control), rate_of(treatment) },
        .split_p = 1,
        .count = { control->logs.count, treatment->logs.count },
        .elapsed_us = now_us - guard->started_us,
        .looks = guard->looks,
    };

    if (!has_many_errors(arena, guard, now_us, &verdict) &&
        !has_more_errors(arena, guard, &verdict) &&
        !has_worse_tail(arena, guard, control, &verdict) && !has_worse_mean(arena, guard, &verdict))
        consider_going_on(arena, guard, &verdict);
    return verdict;
}
