#include <inttypes.h>
#include <math.h>

#include "load/result/compare_part.h"

struct warning {
    struct arena *arena;
    struct text_list *list;
};

/* The same sentence once. */
static void
warn(const struct warning *warning, const char *text)
{
    if (!text_list_has(warning->list, text))
        text_list_add(warning->arena, warning->list, text);
}

static void
warn_of_run(const struct warning *warning, const struct load_record *record, const char *which)
{
    int64_t good = load_record_count(record, LOAD_GOOD);

    if (!record->is_complete)
        warn(warning, arena_printf(warning->arena, "%s: a run did not come to its end (%s of %s)",
                          which, text_from_us(warning->arena, record->elapsed_us),
                          text_from_us(warning->arena, record->planned_us)));
    if (load_record_is_bottleneck(record))
        warn(warning,
            arena_printf(warning->arena,
                "%s: the generator was the bottleneck (p99 of its lag %s): latencies are upper "
                "bounds, and intervals are wider for it",
                which, text_from_us(warning->arena, histogram_quantile_us(record->lag, 0.99))));
    if (record->unanswered > good / 100)
        warn(warning,
            arena_printf(warning->arena,
                "%s: %" PRId64 " requests were unanswered when a run ended, and are in no latency",
                which, record->unanswered));
}

/* Two runs of any side that should be alike. */
static void
warn_of_two(
    const struct warning *warning, const struct load_record *one, const struct load_record *two)
{
    if (!text_equal(one->name, two->name))
        warn(warning, arena_printf(warning->arena, "the scenarios are not the same: %s and %s",
                          one->name, two->name));
    if (one->kind != two->kind)
        warn(warning, "one run is of HTTP, another one of SQL");
    if (one->users != two->users)
        warn(warning,
            arena_printf(warning->arena, "the users are not as many: %" PRId64 " and %" PRId64,
                one->users, two->users));
    if (!text_equal(text_list_join(warning->arena, &one->defines, "\n"),
            text_list_join(warning->arena, &two->defines, "\n")))
        warn(warning, "the runs were given other constants (--define)");
    if (fabs((double)one->elapsed_us - (double)two->elapsed_us) > 0.2 * (double)one->elapsed_us)
        warn(warning, "the runs did not last equally long");
}

static bool
has_step(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->step_count; i++)
        if (text_equal(record->steps[i].name, name))
            return true;
    return false;
}

static void
warn_of_missing(const struct warning *warning, const struct load_record *one,
    const struct load_record *two, const char *which)
{
    for (size_t i = 0; i < one->step_count; i++)
        if (!has_step(two, one->steps[i].name))
            warn(warning, arena_printf(warning->arena, "%s: there is no step \"%s\"", which,
                              one->steps[i].name));
}

/* No two runs began in the same microsecond with the same seed; what never began has no time. */
static bool
is_same_run(const struct load_record *one, const struct load_record *two)
{
    return one->started_us != 0 && one->started_us == two->started_us && one->seed == two->seed &&
           text_equal(one->target, two->target);
}

static bool
refuse_twice(struct ctx *ctx, const struct load_records *records, const char *which)
{
    for (size_t i = 0; i < records->count; i++)
        for (size_t j = i + 1; j < records->count; j++)
            if (is_same_run(&records->items[i], &records->items[j])) {
                error_set(ctx, ERR_USAGE, "%s: files %zu and %zu are of the same run", which, i + 1,
                    j + 1);
                return error_hint(ctx,
                    "Several runs tell how runs differ from each other; one run given twice does "
                    "not. Give each run once.");
            }
    return true;
}

bool
load_compare_refuse(
    struct ctx *ctx, const struct load_records *before, const struct load_records *after)
{
    return refuse_twice(ctx, before, "before") && refuse_twice(ctx, after, "after");
}

static bool
have_run_in_common(const struct load_records *before, const struct load_records *after)
{
    for (size_t i = 0; i < before->count; i++)
        for (size_t j = 0; j < after->count; j++)
            if (is_same_run(&before->items[i], &after->items[j]))
                return true;
    return false;
}

void
load_compare_warn(struct arena *arena, const struct load_records *before,
    const struct load_records *after, struct text_list *ret)
{
    const struct warning warning = { arena, ret };
    const struct load_record *first = &before->items[0];

    for (size_t i = 0; i < before->count; i++) {
        warn_of_run(&warning, &before->items[i], "before");
        warn_of_two(&warning, first, &before->items[i]);
        warn_of_missing(&warning, first, &before->items[i], "before");
    }
    for (size_t i = 0; i < after->count; i++) {
        warn_of_run(&warning, &after->items[i], "after");
        warn_of_two(&warning, first, &after->items[i]);
        warn_of_missing(&warning, first, &after->items[i], "after");
        warn_of_missing(&warning, &after->items[i], first, "before");
    }
    if (before->count == 1 || after->count == 1)
        warn(&warning,
            "one run of a side: the intervals know nothing of how runs differ from each other; give "
            "several of each (A1,A2,A3 B1,B2,B3)");
    else if (before->count == 2 || after->count == 2)
        warn(&warning,
            "two runs of a side: their intervals are very wide; three or more of each are needed "
            "to tell much");
    if (have_run_in_common(before, after))
        warn(&warning, "the same run is on both sides: it is compared with itself");
}
