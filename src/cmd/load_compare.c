#include <math.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/load_files.h"
#include "load/report/page.h"

struct options {
    bool exit_code;
    const char *html;
};

enum { STATUS_WORSE = 3 };

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit status 3 when something is worse"),
    FIELD(struct options, html, .momentary = true, .arg = "FILE",
        .help = "write a page with the curves of both (of each side's first run)"),
};
/* clang-format on */

/* A line of the table: text, as units differ from line to line. */
struct line {
    const char *step;
    const char *measure;
    const char *before;
    const char *after;
    const char *change;
    const char *interval;
    const char *verdict;
};

static const struct field columns[] = {
    FIELD(struct line, step),
    FIELD(struct line, measure),
    FIELD(struct line, before),
    FIELD(struct line, after),
    FIELD(struct line, change),
    FIELD(struct line, interval, .help = "95 % interval"),
    FIELD(struct line, verdict),
};

static const char *
show_value(struct arena *arena, const struct load_difference *difference, double value)
{
    if (!isfinite(value))
        return "-";
    if (!difference->is_ratio)
        return arena_printf(arena, "%.3g %%", 100 * value);
    if (text_equal(difference->measure, "rate"))
        return arena_printf(arena, "%s/s", text_from_ratio(arena, value));
    return text_from_us(arena, llround(value));
}

/* A ratio as how many percent more or less; from five times on as how many times. */
static const char *
show_change(struct arena *arena, const struct load_difference *difference, double value)
{
    if (!isfinite(value))
        return "-";
    if (!difference->is_ratio)
        return arena_printf(arena, "%+.3g %%", 100 * value);
    if (value >= 5)
        return arena_printf(arena, "x %.3g", value);
    return arena_printf(arena, "%+.1f %%", 100 * (value - 1));
}

static struct line
line_of(struct arena *arena, const struct load_difference *difference)
{
    double change = difference->is_ratio ? difference->after / difference->before
                                         : difference->after - difference->before;
    const char *verdict = load_verdict_words[difference->verdict];
    bool has_interval = isfinite(difference->low) && isfinite(difference->high);
    const char *low = show_change(arena, difference, difference->low);
    const char *high = show_change(arena, difference, difference->high);

    return (struct line){
        .step = difference->step ? difference->step : "all",
        .measure = difference->measure,
        .before = show_value(arena, difference, difference->before),
        .after = show_value(arena, difference, difference->after),
        .change = show_change(arena, difference, change),
        .interval = has_interval ? arena_printf(arena, "%s to %s", low, high) : "-",
        .verdict = difference->why_not ? arena_printf(arena, "%s: %s", verdict, difference->why_not)
                                       : verdict,
    };
}

static void
print_comparison(struct ctx *ctx, FILE *out, const struct load_comparison *comparison)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, comparison->count + 1);
    size_t verdicts[] = { [LOAD_BETTER] = 0, [LOAD_WORSE] = 0, [LOAD_SAME] = 0 };

    for (size_t i = 0; i < comparison->count; i++) {
        lines[i] = line_of(ctx->arena, &comparison->items[i]);
        verdicts[comparison->items[i].verdict]++;
    }
    out_table(out, columns, COUNT_OF(columns), lines, comparison->count, sizeof(lines[0]));
    fputc('\n', out);
    out_mark_line(out, verdicts[LOAD_WORSE] > 0 ? MARK_FAIL : MARK_OK,
        "%zu better, %zu worse, %zu not distinguishable", verdicts[LOAD_BETTER],
        verdicts[LOAD_WORSE], verdicts[LOAD_SAME]);
}

static bool
is_worse(const struct load_comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->items[i].verdict == LOAD_WORSE)
            return true;
    return false;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct load_records before;
    struct load_records after;
    struct load_comparison comparison;

    if (!load_files_read(ctx, run->operands.items[0], &before) ||
        !load_files_read(ctx, run->operands.items[1], &after) ||
        !load_compare(ctx, &before, &after, &comparison))
        return false;
    if (opts->html) {
        const struct load_page page = {
            .run = &after.items[0], .before = &before.items[0], .comparison = &comparison
        };

        if (!load_page_write(ctx, opts->html, &page))
            return false;
    }
    if (opts->exit_code && is_worse(&comparison))
        run->status = STATUS_WORSE;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = load_comparison_json(&comparison);

        out_json(run->out, json);
        return true;
    }
    for (size_t i = 0; i < comparison.warnings.count; i++)
        log_warn("%s", comparison.warnings.items[i]);
    print_comparison(ctx, run->out, &comparison);
    if (opts->html)
        out_next(run->out, "look at %s", opts->html);
    else
        out_next(run->out, "pgmend load compare %s %s --html compare.html",
            text_shell(ctx->arena, run->operands.items[0]),
            text_shell(ctx->arena, run->operands.items[1]));
    return true;
}

const struct command cmd_load_compare = {
    .path = "load compare",
    .summary = "say which of two load runs is better, with confidence intervals",
    .details =
        "Compares rate, latency (mean, p50, p95, p99) and share of errors of two results of "
        "\"load run --output\", or of several runs of each side, for all requests together and for "
        "each step that all of them have. The verdict is better or worse only when the interval "
        "excludes that nothing has changed, and when the change is 1 % or more (of errors: 0.01 % "
        "of the requests); else it is \"not distinguishable\", which is not the same as equal.\n\n"
        "Intervals come from a moving-block bootstrap over the runs' slices (2,000 draws, always "
        "the same ones). Those of the steps are wide enough that all of one measure together hold "
        "with 95 %. One run a side knows nothing of how runs differ from each other, which "
        "often is more than slices of one run do: give three or more of each, taken in turns.\n\n"
        "Where the generator itself was the bottleneck, latencies are upper bounds; intervals are "
        "wider by what it was late.\n\n"
        "Exit status: 0; with --exit-code 3 when something is worse.",
    .operands = "BEFORE[,BEFORE]... AFTER[,AFTER]...",
    .min_operands = 2,
    .max_operands = 2,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend load compare before.json after.json\n"
                "pgmend load compare a1.json,a2.json,a3.json b1.json,b2.json,b3.json --exit-code\n"
                "pgmend load compare before.json after.json --html compare.html",
    .run = run,
};
