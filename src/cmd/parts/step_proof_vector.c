/* Vector searches: asked right after they were installed, so there is no window before. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "cmd/parts/step_proof_part.h"
#include "vector/watch/check.h"

struct asking {
    const struct rollout *rollout;
    int64_t started_us;
};

static void
show_asking(void *data, const char *what, double ratio, int64_t left_us)
{
    const struct asking *asking = data;
    const struct rollout_progress progress = {
        .what = "proving",
        .phase = what,
        .ratio = ratio,
        .elapsed_us = clock_us() - asking->started_us,
        .left_us = left_us,
    };

    if (asking->rollout->observer.progress)
        asking->rollout->observer.progress(asking->rollout->observer.data, &progress);
}

static void
note_asking(void *data, const char *text)
{
    const struct asking *asking = data;

    if (asking->rollout->observer.note)
        asking->rollout->observer.note(asking->rollout->observer.data, text);
}

bool
proof_of_vectors(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
{
    struct asking asking = { .rollout = proof->window->rollout, .started_us = clock_us() };
    const struct vector_observer observer = {
        .progress = show_asking, .note = note_asking, .data = &asking
    };

    *ret = (struct step_verdict){ .kind = STEP_HOLDS };
    if (vector_prove(ctx, proof->db, proof->json, &observer, &ret->text))
        return true;
    if (ctx->error.kind != ERR_VERIFICATION || interrupt_signal())
        return false;
    ret->kind = STEP_BREAKS;
    ret->text = ctx->error.message;
    error_clear(ctx);
    return true;
}
