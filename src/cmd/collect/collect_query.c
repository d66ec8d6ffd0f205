/* Repeated statements: what a trace shows, or what the counters let suspect. A program has to be changed for them. */
#include <math.h>

#include "base/clock.h"
#include "cmd/collect/collect.h"
#include "monitor/plain.h"
#include "queries/detect/detect.h"
#include "queries/files.h"
#include "queries/top.h"

enum { MOST_STEPS = 5, SHOWN_COLUMNS = 60 };

struct reading {
    struct detect *detect;
    int64_t until_us;
    bool is_late;
};

static bool
take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct reading *reading = data;

    if (clock_us() > reading->until_us) {
        reading->is_late = true;
        return error_set(ctx, ERR_TIMEOUT, "the files are long");
    }
    detect_take(reading->detect, statement);
    return true;
}

static void
end_session(void *data, uint64_t session)
{
    detect_end_session(((struct reading *)data)->detect, session);
}

/* As far as the time goes: what was seen until then is judged. */
static bool
read_files(struct ctx *ctx, const struct collect_input *input, const struct text_list *paths,
    struct collected *collected, struct query_findings *ret)
{
    const struct detect_options rules = { 0 };
    struct templates *templates = templates_new(ctx->arena);
    struct reading reading = {
        .detect = detect_new(ctx->arena, &rules),
        .until_us = clock_us() + input->time_limit_us,
    };
    const struct query_files_options wanted = {
        .log = { .database = db_name(input->db), .keeps_values = true },
        .templates = templates,
        .sink = take,
        .ended = end_session,
        .data = &reading,
    };
    struct query_files files = { 0 };
    bool is_good = query_files_read(ctx, paths, &wanted, &files) || reading.is_late;

    if (is_good)
        detect_finish(reading.detect, ret);
    if (reading.is_late) {
        error_clear(ctx);
        collected_note(ctx->arena, collected,
            "queries: the files were read for %s, not to their end (--time-limit).",
            text_from_us(ctx->arena, input->time_limit_us));
    }
    detect_free(reading.detect);
    templates_free(templates);
    return is_good;
}

/* What the user gave, as he would give it to the other commands. */
static const char *
rewrite_command(struct arena *arena, const struct text_list *paths, const char *id)
{
    return arena_printf(arena,
        "pgmend queries nplusone %s --output findings.json, pgmend queries rewrite findings.json "
        "%s; roll it out behind a flag: pgmend flags rollout",
        text_list_join(arena, paths, " "), id);
}

static void
add_finding(struct arena *arena, const struct query_finding *finding, const struct text_list *paths,
    struct collected *ret)
{
    const char *child = plain_cut(arena, finding->children[0].text, SHOWN_COLUMNS);

    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 1,
            .title = arena_printf(
                arena, "%s %s: %s", query_finding_kind_name(finding->kind), finding->id, child),
            .feature = "queries",
            .why = arena_printf(arena, "%s times a request%s%s, in %s requests; %s",
                text_from_count(arena, finding->repeats_median),
                finding->route_count > 0 ? " of " : "",
                finding->route_count > 0 ? plain_text(arena, finding->routes[0]) : "",
                text_from_count(arena, finding->requests), finding->why),
            .gain_ratio = finding->share >= 0 ? finding->share : NAN,
            .risk = "medium",
            .manual = rewrite_command(arena, paths, finding->id),
            .undo = "pgmend flags set FLAG --percent 0, which takes less than a second",
            .promise = "the same answers with fewer statements: pgmend queries check",
        });
}

static void
add_findings(struct arena *arena, const struct query_findings *findings,
    const struct text_list *paths, struct collected *ret)
{
    size_t added = 0;
    size_t left = 0;

    for (size_t i = 0; i < findings->count; i++) {
        const struct query_finding *finding = &findings->items[i];

        if (finding->child_count == 0 || finding->kind == FOUND_SUSPECT)
            continue;
        if (added == MOST_STEPS) {
            left++;
            continue;
        }
        added++;
        add_finding(arena, finding, paths, ret);
    }
    if (left > 0)
        collected_note(arena, ret,
            "queries: %zu more repeated statements cost less: pgmend queries nplusone shows them.",
            left);
}

static bool
add_suspects(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct query_ranking ranking;
    struct workload now;
    size_t count = 0;
    double share = 0;

    if (!workload_read(ctx, input->db, &now))
        return false;
    query_ranking_count(ctx->arena, NULL, &now, &ranking);
    for (size_t i = 0; i < ranking.count; i++) {
        if (!ranking.items[i].mark)
            continue;
        count++;
        if (ranking.items[i].share > 0)
            share += ranking.items[i].share;
    }
    if (count == 0)
        return true;
    collected_manual(ctx->arena, ret,
        &(const struct plan_step){
            .phase = 1,
            .title = arena_printf(
                ctx->arena, "look for N+1: %zu suspect statement%s", count, count == 1 ? "" : "s"),
            .feature = "queries",
            .why = arena_printf(ctx->arena,
                "by the counters alone %s called as often as another one gives rows: %.1f %% of "
                "all time",
                count == 1 ? "it is" : "they are", 100 * share),
            .gain_ratio = NAN,
            .manual = "pgmend queries trace --listen 127.0.0.1:6432 --output app.trace, then "
                      "pgmend plan --trace app.trace",
        });
    return true;
}

bool
collect_queries(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct text_list paths = { 0 };
    struct query_findings findings = { 0 };

    for (size_t i = 0; i < input->traces.count; i++)
        text_list_add(ctx->arena, &paths, input->traces.items[i]);
    for (size_t i = 0; i < input->logs.count; i++)
        text_list_add(ctx->arena, &paths, input->logs.items[i]);
    if (paths.count == 0)
        return add_suspects(ctx, input, ret);
    if (!read_files(ctx, input, &paths, ret, &findings))
        return false;
    add_findings(ctx->arena, &findings, &paths, ret);
    return true;
}
