#include "base/vec.h"
#include "report/make.h"

/* Statements that are in no script are listed up to this number. */
enum { MOST_OTHERS = 10 };

struct queries {
    struct report_query *items;
    size_t count;
    size_t capacity;
};

static struct report_query *
find(struct queries *queries, const char *fingerprint)
{
    for (size_t i = 0; i < queries->count; i++)
        if (fingerprint && text_equal(queries->items[i].fingerprint, fingerprint))
            return &queries->items[i];
    return NULL;
}

static const struct snapshot_plan *
find_plan(const struct snapshot *snapshot, const char *fingerprint)
{
    for (size_t i = 0; i < snapshot->plan_count; i++)
        if (fingerprint && text_equal(snapshot->plans[i].fingerprint, fingerprint))
            return &snapshot->plans[i];
    return NULL;
}

/* The statements of the scripts, of both snapshots; each fingerprint once. */
static void
add_planned(struct ctx *ctx, const struct snapshot *snapshot, struct queries *queries)
{
    for (size_t i = 0; i < snapshot->plan_count; i++) {
        const struct snapshot_plan *plan = &snapshot->plans[i];
        struct report_query query = {
            .script = plan->script,
            .number = plan->number,
            .query = plan->query,
            .fingerprint = plan->fingerprint,
            .before.notes = "",
            .after.notes = "",
        };

        if (plan->fingerprint && !find(queries, plan->fingerprint))
            VEC_PUSH(ctx->arena, queries, query);
    }
}

/* Our own statements, and those that only look at the catalogue, are not the application's work. */
static bool
is_of_application(const struct workload_statement *statement)
{
    static const char *const signs[] = { "pgmend.", "pg_catalog.", "pg_stat_statements",
        "set_config" };
    static const char *const utilities[] = { "BEGIN", "COMMIT", "ROLLBACK", "SET ", "SHOW ",
        "EXPLAIN", "VACUUM", "ANALYZE", "CREATE ", "DROP ", "ALTER ", "COPY ", "TRUNCATE",
        "DEALLOCATE", "DISCARD", "LOCK ", "CHECKPOINT", "RESET " };

    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (strstr(statement->query, signs[i]))
            return false;
    for (size_t i = 0; i < COUNT_OF(utilities); i++)
        if (strncasecmp(statement->query, utilities[i], strlen(utilities[i])) == 0)
            return false;
    return true;
}

static void
add_side(struct report_side *side, const struct workload_delta *delta)
{
    static const char *const notes[] = {
        [CHANGE_COUNTED] = "",
        [CHANGE_NEW] = "",
        [CHANGE_RESET] = "since a reset",
        [CHANGE_EVICTED] = "evicted or reset: counts incomplete",
        [CHANGE_VANISHED] = "evicted or reset: counts lost",
    };

    side->calls += delta->calls;
    side->total_ms += delta->total_ms;
    side->row_count += delta->row_count;
    side->mean_ms = side->calls > 0 ? side->total_ms / (double)side->calls : 0;
    if (delta->change == CHANGE_EVICTED || delta->change == CHANGE_VANISHED)
        side->is_partial = true;
    if (notes[delta->change][0] && !(side->is_partial && delta->change == CHANGE_RESET))
        side->notes = notes[delta->change];
}

static void
add_deltas(
    struct ctx *ctx, const struct workload_deltas *deltas, bool is_after, struct queries *queries)
{
    for (size_t i = 0; i < deltas->count; i++) {
        const struct workload_delta *delta = &deltas->items[i];
        struct report_query *query = find(queries, delta->statement->fingerprint);

        if (!query) {
            struct report_query other = {
                .query = delta->statement->query,
                .fingerprint = delta->statement->fingerprint,
                .before.notes = "",
                .after.notes = "",
            };

            if (!is_of_application(delta->statement))
                continue;
            VEC_PUSH(ctx->arena, queries, other);
            query = &queries->items[queries->count - 1];
        }
        add_side(is_after ? &query->after : &query->before, delta);
    }
}

static void
note_stretch(struct ctx *ctx, struct report *report, const struct workload_deltas *deltas,
    const char *name, const struct workload *end)
{
    size_t lost = 0;

    if (deltas->was_reset)
        report_note(ctx, report,
            "pg_stat_statements was reset in the stretch \"%s\": its numbers count from %s only.",
            name, end->stats_reset ? report_time(ctx->arena, end->stats_reset) : "the reset");
    if (deltas->was_restarted)
        report_note(ctx, report, "The server was restarted in the stretch \"%s\".", name);
    if (deltas->evicted > 0)
        report_note(ctx, report,
            "pg_stat_statements dropped entries %s times in the stretch \"%s\" for want of room "
            "(pg_stat_statements.max = %s): rarely called statements may have been counted only in "
            "part.",
            text_from_count(ctx->arena, deltas->evicted), name,
            text_from_count(ctx->arena, end->most_entries));
    for (size_t i = 0; i < deltas->count; i++)
        lost +=
            deltas->items[i].change == CHANGE_EVICTED || deltas->items[i].change == CHANGE_VANISHED;
    if (lost > 0)
        report_note(ctx, report,
            "%zu statements lost counts in the stretch \"%s\" (evicted, or reset one by one): they "
            "are marked and enter no total.",
            lost, name);
}

static double
time_of(const struct report_query *query)
{
    return query->before.total_ms + query->after.total_ms;
}

static int
compare_time(const void *a, const void *b)
{
    double left = time_of(a);
    double right = time_of(b);

    return (left < right) - (left > right);
}

/* The total: what the calls after would have taken at the means before, over what they took. */
static void
rate(struct report *report)
{
    double would_have_ms = 0;
    double took_ms = 0;

    for (size_t i = 0; i < report->query_count; i++) {
        struct report_query *query = &report->queries[i];
        const struct report_side *before = &query->before;
        const struct report_side *after = &query->after;

        if (before->calls == 0 || after->calls == 0 || before->is_partial || after->is_partial ||
            !(after->mean_ms > 0))
            continue;
        query->factor = before->mean_ms / after->mean_ms;
        if (report->critical_count > 0 && i >= report->critical_count)
            continue;
        report->compared_count++;
        would_have_ms += before->mean_ms * (double)after->calls;
        took_ms += after->total_ms;
    }
    report->speed_up = took_ms > 0 ? would_have_ms / took_ms : 0;
}

static bool
same_indexes(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!text_list_has(b, a->items[i]))
            return false;
    return true;
}

static void
attach_plans(const struct report_source *source, struct report *report)
{
    for (size_t i = 0; i < report->query_count; i++) {
        struct report_query *query = &report->queries[i];

        query->before.plan = find_plan(&source->before, query->fingerprint);
        query->after.plan = find_plan(&source->after, query->fingerprint);
        query->is_new_plan =
            query->before.plan && query->after.plan && query->before.plan->has_plan &&
            query->after.plan->has_plan &&
            !same_indexes(&query->before.plan->plan.indexes, &query->after.plan->plan.indexes);
    }
}

bool
report_compare_queries(struct ctx *ctx, const struct report_source *source, struct report *report)
{
    struct queries queries = { 0 };
    struct workload_deltas before;
    struct workload_deltas after;

    workload_compare(ctx->arena, source->has_before_from ? &source->before_from.workload : NULL,
        &source->before.workload, &before);
    workload_compare(ctx->arena, &source->after_from.workload, &source->after.workload, &after);
    add_planned(ctx, &source->after, &queries);
    add_planned(ctx, &source->before, &queries);
    report->critical_count = queries.count;
    add_deltas(ctx, &before, false, &queries);
    add_deltas(ctx, &after, true, &queries);
    if (queries.count > report->critical_count)
        qsort(queries.items + report->critical_count, queries.count - report->critical_count,
            sizeof(queries.items[0]), compare_time);
    report->queries = queries.items;
    report->query_count = queries.count < report->critical_count + MOST_OTHERS
                              ? queries.count
                              : report->critical_count + MOST_OTHERS;
    rate(report);
    attach_plans(source, report);
    note_stretch(ctx, report, &before, "before", &source->before.workload);
    note_stretch(ctx, report, &after, "after", &source->after.workload);
    return true;
}
