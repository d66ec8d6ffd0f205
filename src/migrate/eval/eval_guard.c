#include "migrate/eval/eval_private.h"

void
eval_guard_push(struct eval *e, const struct condition *condition, enum hold hold)
{
    struct guard guard = { .condition = *condition, .hold = hold };

    /* A condition too many is as unknown as they come, so that nothing becomes certain. */
    if (e->guards.count >= EVAL_CONDITIONS_MAX) {
        guard.condition.text = "…";
        guard.condition.test = (struct test){ 0 };
        guard.condition.is_assumed = false;
        e->guards.items[EVAL_CONDITIONS_MAX - 1].condition = guard.condition;
    }
    VEC_PUSH(e->arena, &e->guards, guard);
    e->is_stale = true;
}

void
eval_guard_push_all(struct eval *e, const struct conditions *conditions, enum hold hold)
{
    for (size_t i = 0; i < conditions->count; i++)
        eval_guard_push(e, &conditions->items[i], hold);
}

void
eval_guard_rest(struct eval *e, const struct conditions *conditions, enum hold hold)
{
    for (size_t i = 0; i < conditions->count; i++) {
        /* So many returns one after another are one condition: any of them may have left. */
        if (e->guards.count >= EVAL_CONDITIONS_MAX &&
            e->guards.items[e->guards.count - 1].is_rest &&
            e->guards.items[e->guards.count - 1].hold >= hold)
            return;
        eval_guard_push(e, &conditions->items[i], hold);
        e->guards.items[e->guards.count - 1].is_rest = true;
    }
}

/* Within "if a" something left under "if b": what follows runs if "not a" or "not b". */
static void
weaken(struct eval *e, struct guard *guard, const struct guard *own, size_t count)
{
    const char *texts[EVAL_CONDITIONS_MAX];
    struct text_list list = { .items = texts, .capacity = COUNT_OF(texts) };
    bool is_certain = true;

    for (size_t i = 0; i < count && list.count < COUNT_OF(texts); i++) {
        if (own[i].condition.is_assumed)
            continue;
        is_certain = false;
        if (!own[i].is_loop)
            texts[list.count++] = own[i].condition.text;
    }
    if (is_certain)
        return;
    guard->condition.test = (struct test){ 0 };
    guard->condition.is_assumed = false;
    if (list.count == 0 || strlen(guard->condition.text) > 400)
        return;
    guard->condition.text = arena_printf(
        e->keep, "not (%s) or %s", text_list_join(e->arena, &list, " and "), guard->condition.text);
}

void
eval_guard_leave(struct eval *e, size_t base, size_t count, enum hold most)
{
    size_t kept = base;
    struct guard own[EVAL_CONDITIONS_MAX];
    size_t own_count = count < COUNT_OF(own) ? count : COUNT_OF(own);

    if (e->guards.count == base)
        return;
    memcpy(own, e->guards.items + base, own_count * sizeof(own[0]));
    for (size_t i = base + count; i < e->guards.count; i++) {
        struct guard guard = e->guards.items[i];

        if (guard.hold <= most)
            continue;
        weaken(e, &guard, own, own_count);
        e->guards.items[kept++] = guard;
    }
    e->guards.count = kept;
    e->is_stale = true;
}

/* Made anew for each set of guards: steps keep them. */
const struct conditions *
eval_guard_conditions(struct eval *e)
{
    size_t count = e->guards.count < EVAL_CONDITIONS_MAX ? e->guards.count : EVAL_CONDITIONS_MAX;

    if (!e->is_stale)
        return &e->conditions;
    e->is_stale = false;
    e->conditions.items = count > 0 ? ARENA_ARRAY(e->keep, struct condition, count) : NULL;
    e->conditions.count = count;
    e->conditions.capacity = count;
    for (size_t i = 0; i < count; i++)
        e->conditions.items[i] = e->guards.items[i].condition;
    eval_work(e, count / 4);
    return &e->conditions;
}
