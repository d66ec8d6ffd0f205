/* The hash of a plan. */
#include "base/crypto.h"
#include "change/plan_part.h"

static const char *
text_or_empty(const char *text)
{
    return text ? text : "";
}

/* Left out where they are not, so that the hashes of plans of indexes stay as they are. */
const struct field plan_more_fields[] = {
    FIELD(struct change, column),
    FIELD(struct change, type),
    FIELD(struct change, storage),
    FIELD(struct change, expression),
    FIELD(struct change, key),
    FIELD(struct change, arguments),
    FIELD(struct change, settings),
    FIELD(struct change, role),
};
const size_t plan_more_field_count = COUNT_OF(plan_more_fields);

static void
digest_more(struct arena *arena, const struct change *change, struct buffer *ret)
{
    for (size_t i = 0; i < COUNT_OF(plan_more_fields); i++) {
        const char *text = field_text(arena, &plan_more_fields[i], change);

        if (text)
            buffer_printf(ret, "%s:%zu:%s\n", plan_more_fields[i].name, strlen(text), text);
    }
}

const char *
plan_digest(struct ctx *ctx, const struct plan *plan)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_printf(&buffer, "%s\n%s\n", plan->steps.count > 0 ? PLAN_FORMAT_STEPS : PLAN_FORMAT,
        plan->database);
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];

        if (change->action == ACTION_BLOCKED || change->action == ACTION_EQUIVALENT)
            continue;
        buffer_printf(&buffer, "%s|%s|%s|%s|%s|%s|%s|%s|%d\n", change->kind,
            text_or_empty(change->schema), text_or_empty(change->table), change->name,
            text_or_empty(change->statement), text_or_empty(change->undo),
            text_or_empty(change->duplicates), text_or_empty(change->definition),
            (int)change->is_unique);
        digest_more(ctx->arena, change, &buffer);
    }
    plan_digest_steps(ctx->arena, plan, &buffer);
    if (plan->proof)
        buffer_printf(&buffer, "proof:%zu:%s\n", strlen(plan->proof), plan->proof);
    return sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
}
