#include "report/make.h"

#include "base/clock.h"

const char *const report_method[] = {
    "Calls, rows and mean times are differences of pg_stat_statements between two snapshots: "
    "execution time in the server, without planning, network and client.",
    "p95 is the client's: pgbench's own log of every transaction, to three significant digits. It "
    "stands beside a query only when the script consists of that query alone.",
    "A query's factor is its mean before divided by its mean after. The speed-up of all is the "
    "time that the calls after would have taken at the means before, divided by the time that they "
    "took; a query enters it only when it was called and completely counted on both sides.",
    "Steps of a plan: means and blocks are differences of pg_stat_statements in the window before a "
    "step and in the one after it; what is weighed is the calls after.",
    "Plans are EXPLAIN without ANALYZE, with the middle of each script variable's range as its "
    "value, in a read-only transaction that was rolled back.",
    "Index scans are differences of pg_stat_user_indexes; of an index that was built in between, "
    "all scans since. Build times are those of pgmend's journal.",
    "Statements are matched across snapshots and scripts by their fingerprint (libpg_query). What "
    "was reset or evicted in between is marked and enters no total.",
};
const size_t report_method_count = COUNT_OF(report_method);

void
report_note(struct ctx *ctx, struct report *report, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(ctx->arena, &report->notes, arena_vprintf(ctx->arena, format, args));
    va_end(args);
}

const char *
report_time(struct arena *arena, const char *text)
{
    size_t length = strcspn(text, ".+");

    return arena_printf(arena, "%.*s UTC", (int)length, text);
}

const char *
report_factor(struct arena *arena, double factor)
{
    if (factor < 10)
        return arena_printf(arena, "%.2f×", factor);
    if (factor < 100)
        return arena_printf(arena, "%.1f×", factor);
    return arena_printf(arena, "%s×", text_from_count(arena, (int64_t)(factor + 0.5)));
}

/* "a..b" is from a to b; "b" alone has no from. */
static void
split_range(struct arena *arena, const char *range, const char **ret_from, const char **ret_to)
{
    const char *dots = strstr(range, "..");

    *ret_from = dots ? arena_strndup(arena, range, (size_t)(dots - range)) : NULL;
    *ret_to = dots ? dots + 2 : range;
}

/* The names that were given, or the last snapshot and the one before the stretch "after". */
static bool
choose(struct ctx *ctx, struct db *db, const struct report_options *options,
    const char **ret_before, const char **ret_after)
{
    struct snapshot_summary *known;
    const char *start;
    const char *end;
    size_t count;
    size_t at = 0;

    *ret_before = options->before;
    *ret_after = options->after;
    if (options->before && options->after)
        return true;
    if (!snapshot_list(ctx, db, &known, &count))
        return false;
    if (!options->after && count > 0)
        *ret_after = known[0].name;
    if (!options->before && *ret_after) {
        split_range(ctx->arena, *ret_after, &start, &end);
        while (at < count && !text_equal(known[at].name, start ? start : end))
            at++;
        if (at + 1 < count)
            *ret_before = known[at + 1].name;
    }
    if (*ret_before && *ret_after)
        return true;
    error_set(ctx, ERR_NOT_FOUND, "a report needs a snapshot before the change and one after it");
    if (count == 0)
        return error_hint(ctx, "Take one: pgmend report snapshot before");
    return error_hint(
        ctx, "The newest is \"%s\"; take another: pgmend report snapshot after", known[0].name);
}

static bool
load_source(
    struct ctx *ctx, struct db *db, const struct report_options *options, struct report_source *ret)
{
    const char *before;
    const char *after;
    const char *from;

    if (!choose(ctx, db, options, &before, &after))
        return false;
    split_range(ctx->arena, before, &from, &before);
    ret->has_before_from = from != NULL;
    if ((from && !snapshot_load(ctx, db, from, &ret->before_from)) ||
        !snapshot_load(ctx, db, before, &ret->before))
        return false;
    split_range(ctx->arena, after, &from, &after);
    ret->after_from = ret->before;
    if ((from && !snapshot_load(ctx, db, from, &ret->after_from)) ||
        !snapshot_load(ctx, db, after, &ret->after))
        return false;
    /* Texts of one server's clock in one time zone are in the order of time. */
    if (strcmp(ret->before.workload.taken_at, ret->after.workload.taken_at) >= 0)
        return error_set(
            ctx, ERR_USAGE, "snapshot \"%s\" was not taken before \"%s\"", before, after);
    return true;
}

static void
note_settings(struct ctx *ctx, const struct report_source *source, struct report *report)
{
    json_t *before CLEANUP(json_release) = NULL;
    json_t *after CLEANUP(json_release) = NULL;
    const char *name;
    json_t *value;

    if (!json_parse(ctx, "settings", source->before.settings, &before) ||
        !json_parse(ctx, "settings", source->after.settings, &after)) {
        error_clear(ctx);
        return;
    }
    json_object_foreach(after, name, value)
    {
        const char *was = json_string_value(json_object_get(before, name));
        const char *is = json_string_value(value);

        if (was && is && strcmp(was, is) != 0)
            report_note(ctx, report,
                "The setting %s was changed between the snapshots: %s, then %s.", name, was, is);
    }
}

static void
fill_stretches(struct ctx *ctx, const struct report_source *source, struct report *report)
{
    const struct workload *first = &source->before.workload;

    report->before = (struct report_stretch){
        .from = source->has_before_from ? source->before_from.name : NULL,
        .from_at =
            source->has_before_from ? source->before_from.workload.taken_at : first->stats_reset,
        .to = source->before.name,
        .to_at = first->taken_at,
    };
    report->after = (struct report_stretch){
        .from = source->after_from.name,
        .from_at = source->after_from.workload.taken_at,
        .to = source->after.name,
        .to_at = source->after.workload.taken_at,
    };
    if (!source->has_before_from && first->evicted > 0)
        report_note(ctx, report,
            "pg_stat_statements had no room for %s statements before snapshot \"%s\": counts of "
            "\"before\" may have begun later than its start.",
            text_from_count(ctx->arena, first->evicted), source->before.name);
    if (source->after.workload.hidden > 0)
        report_note(ctx, report,
            "%s statements of other roles could not be read; the role pg_read_all_stats sees them.",
            text_from_count(ctx->arena, source->after.workload.hidden));
}

static void
count_errors(struct report *report)
{
    report->errors = -1;
    for (size_t i = 0; i < LOAD_COUNT; i++)
        if (report->loads[i].is_known)
            report->errors = (report->errors < 0 ? 0 : report->errors) + report->loads[i].errors;
}

/* Without snapshots there is still the plan to tell of, unless some were asked for. */
static bool
can_do_without(struct ctx *ctx, struct db *db, const struct report_options *options,
    const struct report *report, bool *ret)
{
    struct snapshot_summary *known;
    size_t count;

    *ret = false;
    if (!report->plan.is_known || options->before || options->after)
        return true;
    if (!snapshot_list(ctx, db, &known, &count))
        return false;
    *ret = count < 2;
    return true;
}

static bool
compare(struct ctx *ctx, struct db *db, const struct report_options *options, struct report *ret)
{
    struct report_source *source = ARENA_NEW(ctx->arena, struct report_source);

    if (!load_source(ctx, db, options, source))
        return false;
    ret->has_stretches = true;
    ret->server_version = source->after.server_version;
    fill_stretches(ctx, source, ret);
    note_settings(ctx, source, ret);
    return report_compare_queries(ctx, source, ret) && report_compare_indexes(ctx, db, source, ret);
}

bool
report_make(
    struct ctx *ctx, struct db *db, const struct report_options *options, struct report *ret)
{
    bool is_plan_alone;

    *ret = (struct report){
        .database = db_label(ctx->arena, db),
        .server_version = db_version_text(db),
        .made_at = clock_text(ctx->arena, clock_wall_us()),
    };
    if (!report_read_plan(ctx, db, ret) || !can_do_without(ctx, db, options, ret, &is_plan_alone) ||
        (!is_plan_alone && !compare(ctx, db, options, ret)) ||
        !report_read_loads(ctx, options, ret))
        return error_wrap(ctx, "making the report");
    count_errors(ret);
    return true;
}
