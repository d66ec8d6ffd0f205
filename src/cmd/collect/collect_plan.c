/* Plans that were made already, "pgmend vector tune -o" above all: a step each, with its changes and its proof. */
#include <math.h>

#include "cmd/collect/collect.h"

/* "vector", "index", …; NULL: it promises nothing. */
static bool
kind_of(struct ctx *ctx, const char *proof, const char **ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    *ret = NULL;
    if (!proof)
        return true;
    if (!json_parse(ctx, "proof", proof, &json))
        return false;
    *ret = json_get_text(ctx->arena, json, "kind", NULL);
    return true;
}

static const char *
file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *
title_of(struct arena *arena, const struct plan *plan, const char *path, bool is_vector)
{
    const char *relation = NULL;

    for (size_t i = 0; i < plan->count && !relation; i++)
        relation = change_relation(arena, &plan->items[i]);
    return arena_printf(arena, "%s%s%s (%s)", is_vector ? "vector search" : "changes",
        relation ? is_vector ? " in " : " of " : "", relation ? relation : "", file_name(path));
}

/* Of a step of its own or of the whole; changes that are done already are left out. */
static struct plan
pending_of(struct arena *arena, const struct plan *plan, size_t first, size_t count)
{
    struct plan pending = *plan;

    pending.items = NULL;
    pending.count = pending.capacity = 0;
    for (size_t i = first; i < first + count; i++)
        if (change_is_pending(&plan->items[i]))
            VEC_PUSH(arena, &pending, plan->items[i]);
    return pending;
}

static void
add_steps(struct arena *arena, const struct plan *plan, struct collected *ret)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        struct plan pending = pending_of(arena, plan, step->first, step->count);
        struct collected_step *added;

        if (step->count == 0) {
            collected_manual(arena, ret, step);
            continue;
        }
        if (pending.count == 0)
            continue;
        added = collected_add(arena, ret, &pending);
        added->step = *step;
        added->step.needs = NULL;
    }
}

static void
add_whole(struct arena *arena, const struct plan *plan, const char *path, const char *kind,
    struct collected *ret)
{
    bool is_vector = text_equal(kind, "vector");
    struct plan pending = pending_of(arena, plan, 0, plan->count);
    struct collected_step *step;

    if (pending.count == 0) {
        collected_note(arena, ret, "include: all that is in %s is there already.", path);
        return;
    }
    step = collected_add(arena, ret, &pending);
    step->step.phase = is_vector ? 2 : 1;
    step->step.title = title_of(arena, plan, path, is_vector);
    step->step.feature = is_vector ? "vector" : kind ? kind : "include";
    step->step.why =
        arena_printf(arena, "%zu changes of the plan of %s", pending.count, plan->created_at);
    step->step.proof = plan->proof;
    if (plan->proof)
        step->step.promise = is_vector ? "recall and speed as they were measured on the copy"
                                       : "what the plan promises, measured when it is done";
}

bool
collect_plans(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    for (size_t i = 0; i < input->plans.count; i++) {
        const char *path = input->plans.items[i];
        struct plan plan;
        const char *kind;

        if (!plan_read(ctx, path, &plan) || !plan_check_fresh(ctx, input->db, &plan) ||
            !kind_of(ctx, plan.proof, &kind))
            return error_wrap(ctx, "including \"%s\"", path);
        if (plan_count(&plan, ACTION_BLOCKED) > 0) {
            error_set(
                ctx, ERR_CONFLICT, "\"%s\" holds changes that cannot be done as they stand", path);
            return error_hint(ctx, "Mend them first: pgmend plan %s shows them.", path);
        }
        if (plan.steps.count > 0)
            add_steps(ctx->arena, &plan, ret);
        else
            add_whole(ctx->arena, &plan, path, kind, ret);
    }
    return true;
}
