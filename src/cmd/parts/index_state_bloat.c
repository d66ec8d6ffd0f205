#include "cmd/parts/index_state_bloat.h"

#include "base/log.h"
#include "cli/out.h"

bool
index_state_ratio(struct ctx *ctx, const char *option, const char *text, double *ret)
{
    size_t length = strlen(text);
    const char *digits =
        length > 0 && text[length - 1] == '%' ? arena_strndup(ctx->arena, text, length - 1) : text;

    if (text_to_double(digits, ret) && *ret >= 0 && *ret <= 100) {
        *ret /= 100;
        return true;
    }
    return error_set(
        ctx, ERR_USAGE, "%s must be a share from 0%% to 100%%, not \"%s\"", option, text);
}

static void
show(void *data, const char *object, double ratio, int64_t elapsed_us)
{
    if (log_level() != LOG_QUIET)
        progress_show(data, .what = object, .phase = "reading", .ratio = ratio,
            .elapsed_us = elapsed_us, .left_us = -1);
}

bool
index_state_bloat(struct ctx *ctx, struct run *run, const struct index_states *states,
    int64_t most_bytes, int64_t least_bytes, struct index_bloats *ret)
{
    struct progress progress;
    const struct index_bloat_options options = {
        .most_bytes = most_bytes,
        .progress = show,
        .data = &progress,
    };
    bool is_good;

    if (!index_bloat_estimate(ctx, run->db, states, least_bytes, ret))
        return false;
    if (most_bytes < 0)
        return true;
    progress_begin(&progress);
    is_good = index_bloat_read(ctx, run->db, &options, ret);
    progress_end(&progress);
    return is_good;
}
