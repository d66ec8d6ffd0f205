#include "base/interrupt.h"
#include "cmd/parts/roll_out.h"

/* A signal that ended the work must not keep its end from being recorded. */
bool
end_run(struct ctx *ctx, struct rollout *rollout, bool is_good)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    bool is_ended = db_is_connected(rollout->db) &&
                    journal_end(ctx, &rollout->journal, is_good ? RUN_DONE : RUN_FAILED,
                        is_good ? NULL : why.message);

    interrupt_put(signal_number);
    if (!is_good)
        ctx->error = why;
    return is_good && is_ended;
}
