/* Which collectors there are, and what they add their steps with. */
#include <math.h>
#include <stdarg.h>

#include "base/clock.h"
#include "cli/out.h"
#include "cmd/collect/collect.h"
#include "cmd/parts/plan_order_risk.h"

/* The user's own scripts come before the advice, which then does not propose the same again. */
const struct plan_source plan_sources[] = {
    { "ready", "backup and monitoring", false, collect_ready },
    { "include", "plans that are there", true, collect_plans },
    { "script", "index scripts", true, collect_scripts },
    { "index", "indexes for the workload", false, collect_indexes },
    { "upkeep", "indexes that are there", false, collect_upkeep },
    { "queries", "repeated statements", false, collect_queries },
    { "vector", "vector columns", false, collect_vectors },
    { "migrations", "migrations", false, collect_migrations },
    { "settings", "settings", false, collect_settings },
    { "pool", "connections", false, collect_pool },
    { "partition", "big tables", false, collect_partitions },
};

const size_t plan_source_count = COUNT_OF(plan_sources);

struct collected_step *
collected_add(struct arena *arena, struct collected *collected, const struct plan *plan)
{
    struct collected_step added = {
        .step = { .phase = 1, .gain_ratio = NAN, .count = plan->count },
        .changes = ARENA_ARRAY(arena, struct change, plan->count + 1),
        .change_count = plan->count,
    };

    for (size_t i = 0; i < plan->count; i++)
        added.changes[i] = plan->items[i];
    added.step.undo_us = plan_undo_us(added.changes, added.change_count);
    VEC_PUSH(arena, collected, added);
    return &collected->items[collected->count - 1];
}

struct collected_step *
collected_manual(struct arena *arena, struct collected *collected, const struct plan_step *step)
{
    struct collected_step added = { .step = *step };

    added.step.undo_us = -1;
    if (!added.step.risk)
        added.step.risk = "low";
    VEC_PUSH(arena, collected, added);
    return &collected->items[collected->count - 1];
}

void
collected_note(struct arena *arena, struct collected *collected, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(arena, &collected->notes, arena_vprintf(arena, format, args));
    va_end(args);
}

const char *
collected_index_title(struct arena *arena, const struct change *change)
{
    static const char btree[] = "USING btree ";
    const char *definition = change->definition ? change->definition : "";

    if (text_starts_with(definition, btree))
        definition += sizeof(btree) - 1;
    return arena_printf(arena, "%sindex on %s %s", change->is_unique ? "unique " : "",
        change_relation(arena, change), definition);
}

bool
collected_take(struct arena *arena, struct collected *collected, const struct plan *all,
    size_t position, struct plan *ret)
{
    const struct change *change = &all->items[position];

    if (change->action == ACTION_NONE || change->action == ACTION_EQUIVALENT) {
        collected_note(arena, collected, "%s: %s.", change->source,
            change->problem ? change->problem : "it is there already");
        return false;
    }
    if (change->action == ACTION_BLOCKED) {
        collected_manual(arena, collected,
            &(const struct plan_step){
                .phase = 1,
                .title = arena_printf(arena, "mend %s, which cannot be done as it stands",
                    change->source ? change->source : change->name),
                .feature = "index",
                .why = change->problem,
                .manual = change->remedy ? change->remedy : "change the statement, then plan again",
                .gain_ratio = NAN,
            });
        return false;
    }
    *ret = *all;
    ret->items = &all->items[position];
    ret->count = ret->capacity = 1;
    return true;
}

/* A signal, a lost server, or what the user asked for ends the plan; whatever else a collector met does not. */
static bool
ends_all(const struct collect_input *input, const struct plan_source *source, enum error_kind kind)
{
    return kind == ERR_INTERRUPTED || kind == ERR_TERMINATED || source->is_asked_for ||
           !db_is_connected(input->run->db);
}

static void
note_failure(struct arena *arena, const struct plan_source *source, const struct error *error,
    struct collected *ret)
{
    collected_note(arena, ret, "%s was not looked at: %s.%s%s", source->name, error->message,
        error->hint ? " " : "", error->hint ? error->hint : "");
    text_list_add(arena, &ret->unseen, source->name);
    if (error->kind == ERR_RIGHTS)
        text_list_add(arena, &ret->refused, source->name);
}

/* A session of its own: whatever it leaves there, settings or a transaction, is the next one's no more. */
static bool
ask(struct ctx *ctx, const struct collect_input *input, const struct plan_source *source,
    struct collected *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options wanted = {
        .application = "pgmend/plan",
        .access = ACCESS_READ,
        .statement_timeout_us = input->time_limit_us,
        .lock_timeout_us = 5000000,
    };
    struct collect_input own = *input;

    if (!db_open_like(ctx, input->run->db, &wanted, &db))
        return false;
    own.db = db;
    return source->collect(ctx, &own, ret);
}

static void
show(const struct collect_input *input, const struct plan_source *source, size_t number,
    int64_t started_us)
{
    if (!input->progress)
        return;
    progress_show(input->progress, .what = "looking", .phase = source->what,
        .ratio = (double)number / (double)plan_source_count, .elapsed_us = clock_us() - started_us,
        .left_us = -1);
}

bool
collect_all(struct ctx *ctx, const struct collect_input *input, const struct text_list *skip,
    struct collected *ret)
{
    int64_t started_us = clock_us();

    *ret = (struct collected){ 0 };
    for (size_t i = 0; i < plan_source_count; i++) {
        struct ctx own = { .arena = ctx->arena };
        int64_t began_us = clock_us();

        if (text_list_has(skip, plan_sources[i].name)) {
            collected_note(ctx->arena, ret, "%s: left out, as wished.", plan_sources[i].name);
            continue;
        }
        show(input, &plan_sources[i], i, started_us);
        if (ask(&own, input, &plan_sources[i], ret))
            continue;
        if (ends_all(input, &plan_sources[i], own.error.kind)) {
            ctx->error = own.error;
            return false;
        }
        if (own.error.kind == ERR_TIMEOUT)
            error_wrap(
                &own, "it took more than %s", text_from_us(ctx->arena, clock_us() - began_us));
        note_failure(ctx->arena, &plan_sources[i], &own.error, ret);
    }
    return true;
}
