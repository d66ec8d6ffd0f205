#include "cmd/parts/plan_order.h"

#include <math.h>

#include "base/clock.h"
#include "change/journal.h"

static double
score_of(const struct collected_step *step)
{
    if (isnan(step->step.gain_ratio))
        return 0;
    return step->step.gain_ratio / plan_risk_weight(step->step.risk);
}

static int
place_of(const struct collected_step *step)
{
    switch (step->place) {
    case PLACE_FIRST:
        return 0;
    case PLACE_BY_GAIN:
        return 1;
    case PLACE_LAST:
        return 2;
    }
    return 1;
}

static int
compare_steps(const void *left, const void *right)
{
    const struct collected_step *a = left;
    const struct collected_step *b = right;
    double score_a = score_of(a);
    double score_b = score_of(b);
    int titles;

    if (a->step.phase != b->step.phase)
        return a->step.phase < b->step.phase ? -1 : 1;
    if (place_of(a) != place_of(b))
        return place_of(a) - place_of(b);
    if (score_a > score_b || score_a < score_b)
        return score_a > score_b ? -1 : 1;
    titles = strcmp(a->step.title, b->step.title);
    if (titles != 0)
        return titles;
    /* Two steps of one title differ in what they do. */
    return strcmp(a->change_count > 0 ? a->changes[0].name : a->step.manual,
        b->change_count > 0 ? b->changes[0].name : b->step.manual);
}

void
plan_order_sort(struct collected *collected)
{
    if (collected->count > 1)
        qsort(collected->items, collected->count, sizeof(collected->items[0]), compare_steps);
}

static bool
set_risks(struct ctx *ctx, struct db *db, struct collected *collected)
{
    struct plan all = { 0 };
    struct plan_load load;

    for (size_t i = 0; i < collected->count; i++)
        for (size_t k = 0; k < collected->items[i].change_count; k++)
            VEC_PUSH(ctx->arena, &all, collected->items[i].changes[k]);
    if (!plan_load_read(ctx, db, all.items, all.count, &load))
        return false;
    for (size_t i = 0; i < collected->count; i++) {
        struct collected_step *step = &collected->items[i];

        if (!step->step.risk)
            step->step.risk = plan_risk(step->changes, step->change_count, &load);
    }
    return true;
}

/* The step that builds an index; NULL: none, it is there already. */
static const char *
builder_of(struct arena *arena, const struct collected *collected, const char *name)
{
    for (size_t i = 0; i < collected->count; i++)
        for (size_t k = 0; k < collected->items[i].change_count; k++) {
            const struct change *change = &collected->items[i].changes[k];

            if (change_is_of(change, KIND_INDEX) && text_equal(change_object(arena, change), name))
                return collected->items[i].step.id;
        }
    return NULL;
}

static void
number(struct arena *arena, struct collected *collected, struct plan *ret)
{
    int32_t phase = 0;
    int place = 0;

    for (size_t i = 0; i < collected->count; i++) {
        struct collected_step *step = &collected->items[i];

        place = step->step.phase == phase ? place + 1 : 1;
        phase = step->step.phase;
        step->step.id = arena_printf(arena, "%d.%d", (int)phase, place);
        step->step.first = ret->count;
        step->step.count = step->change_count;
        /* What it follows has its number already. */
        if (step->follows)
            step->step.needs = builder_of(arena, collected, step->follows);
        for (size_t k = 0; k < step->change_count; k++)
            VEC_PUSH(arena, ret, step->changes[k]);
        VEC_PUSH(arena, &ret->steps, step->step);
    }
}

bool
plan_order(struct ctx *ctx, struct db *db, struct collected *collected, struct plan *ret)
{
    *ret = (struct plan){
        .database = db_name(db),
        .server_version = db_version_text(db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };
    if (!journal_system_identifier(ctx, db, &ret->system_identifier) ||
        !set_risks(ctx, db, collected))
        return false;
    plan_order_sort(collected);
    number(ctx->arena, collected, ret);
    return plan_seal(ctx, db, ret);
}
