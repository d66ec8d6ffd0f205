/* What each query weighs in the workload: its time where that is known, else calls times cost. */
#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "index/advice/advice.h"

/* An instance has to be so many times nearer to the rows that were counted to be taken for all calls. */
static const double telling_factor = 3;

static double
distance(double rows, double counted)
{
    return fabs(log((rows + 1) / (counted + 1)));
}

/*
 * Counters hold no constants, but they hold how many rows a call gave: the instance whose estimate is near that
 * is what the application asks for. Where all estimate the same (an aggregate, a LIMIT)
 * all count alike.
 */
static void
fit_shares(struct index_query *query, const double *rows)
{
    const struct intake_statement *statement = query->statement;
    size_t best = 0;

    if (statement->samples.count > 0 || statement->rows < 0 || statement->calls <= 0 ||
        query->instances.count < 2)
        return;

    double counted = statement->rows / statement->calls;

    for (size_t i = 1; i < query->instances.count; i++)
        if (distance(rows[i], counted) < distance(rows[best], counted))
            best = i;
    for (size_t i = 0; i < query->instances.count; i++)
        if (i != best &&
            distance(rows[i], counted) - distance(rows[best], counted) >= log(telling_factor))
            query->instances.items[i].share = 0;

    double total = 0;
    double farthest = 0;

    for (size_t i = 0; i < query->instances.count; i++)
        farthest = fmax(farthest, fabs(distance(rows[i], counted) - distance(rows[best], counted)));
    /* Common or rare cannot be told, so neither is forgotten: a queue asks for its few open rows. */
    for (size_t i = 0; farthest < log(telling_factor) && i < query->instances.count; i++)
        query->instances.items[i].share = 1;
    for (size_t i = 0; i < query->instances.count; i++)
        total += query->instances.items[i].share;
    for (size_t i = 0; i < query->instances.count; i++)
        query->instances.items[i].share =
            total > 0 ? query->instances.items[i].share / total : i == best;
}

/* The mean planner cost of the instances, with the indexes that are there now. */
static bool
ask_cost(struct ctx *ctx, struct whatif *whatif, struct index_query *query, double *ret)
{
    static const struct whatif_set none;
    double costs[QUERY_MOST_INSTANCES] = { 0 };
    double rows[QUERY_MOST_INSTANCES] = { 0 };

    for (size_t i = 0; i < query->instances.count; i++) {
        const struct query_instance *instance = &query->instances.items[i];
        struct whatif_plan plan;

        if (!whatif_plan(ctx, whatif, instance->sql, &none, false, &plan)) {
            if (interrupt_signal() || ctx->error.kind == ERR_CONNECTION)
                return false;
            query->problem = ctx->error.message;
            error_clear(ctx);
            return true;
        }
        costs[i] = plan.cost;
        rows[i] = plan.rows;
    }
    fit_shares(query, rows);
    *ret = 0;
    for (size_t i = 0; i < query->instances.count; i++)
        *ret += query->instances.items[i].share * costs[i];
    return true;
}

/* Milliseconds of one unit of planner cost, by the statements whose time is known. */
static double
find_rate(const struct advice *advice)
{
    double ms = 0;
    double units = 0;

    for (size_t i = 0; i < advice->queries.count; i++) {
        const struct choose_query *query = &advice->weighed[i];
        const struct intake_statement *statement = query->query->statement;

        if (query->before <= 0 || statement->total_ms <= 0)
            continue;
        ms += statement->total_ms;
        units += statement->calls * query->before;
    }
    return units > 0 ? ms / units : 0;
}

bool
advice_weigh(struct ctx *ctx, struct whatif *whatif, const struct advice_options *options,
    struct advice *advice)
{
    int64_t started_us = clock_us();

    advice->weighed =
        arena_alloc(ctx->arena, (advice->queries.count + 1) * sizeof(*advice->weighed));
    for (size_t i = 0; i < advice->queries.count; i++) {
        struct index_query *query = &advice->queries.items[i];
        struct choose_query *weighed = &advice->weighed[i];

        *weighed = (struct choose_query){ .query = query };
        if (!ask_cost(ctx, whatif, query, &weighed->before))
            return false;
        if (query->problem)
            VEC_PUSH(ctx->arena, &advice->unexplained, query);
        if (options->choose.progress && i % 16 == 0)
            options->choose.progress(options->choose.data, "asking what statements cost now",
                (double)i / (double)advice->queries.count, clock_us() - started_us);
    }
    advice->is_in_ms = advice->intake->has_times;
    advice->ms_a_unit = advice->is_in_ms ? find_rate(advice) : 0;
    for (size_t i = 0; i < advice->queries.count; i++) {
        struct choose_query *weighed = &advice->weighed[i];
        const struct intake_statement *statement = weighed->query->statement;

        if (weighed->query->problem || weighed->before <= 0)
            continue;
        if (!advice->is_in_ms)
            weighed->weight = statement->calls;
        else if (statement->total_ms > 0)
            weighed->weight = statement->total_ms / weighed->before;
        else
            weighed->weight = statement->calls * advice->ms_a_unit;
    }
    return true;
}
