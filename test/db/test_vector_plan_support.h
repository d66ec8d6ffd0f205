/* Plans of searches, and applying them by hand. */
#pragma once

#include "change/journal.h"
#include "change/plan.h"
#include "sql.h"
#include "test_vector_bench.h"
#include "vector/install/install.h"

static inline struct plan
plan_choice(struct bench *bench, const struct vector_choice *choice, bool drop_old)
{
    struct plan plan = { 0 };

    must(bench, vector_choice_plan(&bench->ctx, bench->db, choice, "public", drop_old, &plan));
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    return plan;
}

static inline const struct change *
find(const struct plan *plan, const char *kind, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (change_is_of(&plan->items[i], kind) && (!name || text_equal(plan->items[i].name, name)))
            return &plan->items[i];
    return NULL;
}

static inline const struct change *
must_find(const struct plan *plan, const char *kind, const char *name)
{
    const struct change *change = find(plan, kind, name);

    if (!change)
        fail_msg("the plan has no \"%s\" %s", kind, name ? name : "");
    return change;
}

/* By hand, as a person would with the plan before him. */
static inline void
apply_one(struct bench *bench, const struct change *change)
{
    const char *table = change_relation(bench->ctx.arena, change);
    const char *column = change->column ? db_ident(bench->ctx.arena, change->column) : NULL;

    if (change_is_of(change, KIND_RECORD)) {
        must(bench, journal_install(&bench->ctx, bench->db));
        must(bench, sql_change_put_value(
                        &bench->ctx, bench->db, .name = change->name, .value = change->definition));
        return;
    }
    if (change_is_of(change, KIND_FILL)) {
        bench_exec(bench, arena_printf(bench->ctx.arena, "UPDATE %s SET %s = %s", table, column,
                              change->expression));
        return;
    }
    bench_exec(bench, change->statement);
    if (change_is_of(change, KIND_TRIGGER))
        bench_exec(bench, change->definition);
    if (change_is_of(change, KIND_COLUMN) && change->storage)
        bench_exec(
            bench, arena_printf(bench->ctx.arena, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s",
                       table, column, change->storage));
}

static inline void
apply(struct bench *bench, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].action == ACTION_BLOCKED)
            fail_msg("%s %s: %s", plan->items[i].kind, plan->items[i].name, plan->items[i].problem);
        if (change_is_pending(&plan->items[i]))
            apply_one(bench, &plan->items[i]);
    }
}
