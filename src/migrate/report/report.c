#include "migrate/report/report.h"

static const char *
line_of(void *self, const char *file, uint32_t line, size_t *ret_length)
{
    struct report *report = self;
    const struct revision *revision = map_get(&report->by_file, file);
    const char *start;

    if (!revision || !revision->source || line == 0)
        return NULL;
    if (report->revision != revision || line < report->line) {
        report->revision = revision;
        report->line = 1;
        report->offset = 0;
    }
    while (report->line < line) {
        start = revision->source + report->offset;

        const char *end = memchr(start, '\n', revision->length - report->offset);

        if (!end)
            return NULL;
        report->offset += (size_t)(end - start) + 1;
        report->line++;
    }
    start = revision->source + report->offset;

    const char *end = memchr(start, '\n', revision->length - report->offset);

    *ret_length = end ? (size_t)(end - start) : revision->length - report->offset;
    return start;
}

/* Rules are read in the order of their documentation. */
static size_t
rank_of(void *self, const struct rule *rule)
{
    size_t rank = 0;

    (void)self;
    for (size_t i = 0; i < rule_group_count; i++) {
        const struct rule_group *group = rule_groups[i];

        if (rule >= group->rules && rule < group->rules + group->count)
            return rank + (size_t)(rule - group->rules);
        rank += group->count;
    }
    return rank;
}

void
report_init(struct ctx *ctx, const struct analysis *analysis, const char *more, bool is_verbose,
    struct report *report)
{
    const struct history *history = &analysis->history;

    *report = (struct report){
        .analysis = analysis,
        .by_file.arena = ctx->arena,
        .render = {
            .findings = &analysis->findings,
            .subject = arena_printf(ctx->arena, "%s revision%s",
                text_from_count(ctx->arena, (int64_t)history->count),
                history->count == 1 ? "" : "s"),
            .more = more,
            .is_verbose = is_verbose,
            .line = line_of,
            .rank = rank_of,
            .self = report,
        },
    };
    for (size_t i = 0; i < history->count; i++) {
        struct revision *revision = &history->items[i];

        map_set(&report->by_file, revision->file, revision);
        report->coverage[revision->coverage]++;
        report->step_count += revision->upgrade.count;
        report->merges += analysis->graph.nodes[i].is_merge_point;
        report->branch_points += analysis->graph.nodes[i].is_branch_point;
        for (size_t k = 0; k < revision->upgrade.count; k++)
            report->unknown_step_count += revision->upgrade.items[k].unknown != NULL;
    }
}

const char *
report_replay_answer(const struct report *report)
{
    const struct analysis *analysis = report->analysis;

    if (analysis->replay.failure_count > 0 || analysis->graph.is_broken_1_19)
        return "no";
    if (analysis->replay.doubt_count > 0 || report->coverage[COVERAGE_FULL] < analysis->graph.count)
        return "unknown";
    return "yes";
}
