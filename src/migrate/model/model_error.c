/* What the server would answer to a step that does not fit. */

#include <string.h>

#include "migrate/model/model_apply.h"

enum presence
act_presence(const struct act *act)
{
    return act->is_maybe ? MAYBE : PRESENT;
}

bool
may_be_gone(const struct act *act, const struct relation *table, const struct origin *origin,
    enum presence presence)
{
    return presence == MAYBE || origin->at < act->model->losing_at ||
           (table && origin->at < table->losing_at);
}

bool
act_refuse(struct act *act, const struct fault *fault, const char *format, ...)
{
    struct model_error error = {
        .object = fault->object,
        .first = fault->first,
        .is_certain = !fault->is_doubtful,
    };
    va_list args;

    if (act->is_maybe)
        return false;
    if (act->has_failed)
        return fault->is_doubtful;

    memcpy(error.sqlstate, fault->sqlstate, sizeof(error.sqlstate));
    va_start(args, format);
    error.message = arena_vprintf(act->model->arena, format, args);
    va_end(args);
    VEC_PUSH(act->ctx->arena, act->errors, error);
    act->has_failed = !fault->is_doubtful;
    return fault->is_doubtful;
}
