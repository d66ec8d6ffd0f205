/* Connections: how many are needed by what a short look shows, and what a pooler would break. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "pool/advice.h"

enum { WINDOW_US = 3000000 };

/* Less than this in use on average is no load that anything could be sized by. */
static const double least_in_use = 0.05;

bool
collect_pool(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    int64_t window_us = input->time_limit_us < WINDOW_US ? input->time_limit_us : WINDOW_US;
    struct pool_load load;
    struct pool_limits limits;
    struct pool_hazards hazards;
    struct pool_advice advice;

    if (!pool_measure(ctx, input->db, window_us, &load, &limits) ||
        !pool_find_hazards(ctx, input->db, &hazards))
        return false;
    if (load.in_use < least_in_use) {
        collected_note(ctx->arena, ret,
            "pool: hardly anything ran for %s; at a busy time: pgmend pool advise --for 60s.",
            text_from_us(ctx->arena, window_us));
        return true;
    }
    limits.processes = 1;
    limits.growth = 1;
    pool_advise(ctx->arena, &load, &limits, &advice);
    collected_manual(ctx->arena, ret,
        &(const struct plan_step){
            .phase = 4,
            .title = "size the application's connection pool",
            .feature = "pool",
            .why = arena_printf(ctx->arena,
                "%.1f connections in use over %s, %.1f at the 95th percentile; %s; %zu habit%s "
                "that transaction pooling breaks",
                load.in_use, text_from_us(ctx->arena, window_us), load.in_use_p95,
                pool_verdict_name(advice.verdict), hazards.count, hazards.count == 1 ? "" : "s"),
            .gain_ratio = NAN,
            .risk = "medium",
            .manual = "pgmend pool advise --for 60s --processes N at a busy time, then the "
                      "application's settings as it says",
            .undo = "the settings that are there now",
        });
    return true;
}
