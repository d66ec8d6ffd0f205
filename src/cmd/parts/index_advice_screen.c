#include "cmd/parts/index_advice_screen.h"

#include <inttypes.h>
#include <math.h>

#include "base/term.h"
#include "cli/out.h"
#include "cli/page.h"
#include "finding/render.h"

enum {
    MOST_WIDTH = 100,
    LABEL_WIDTH = 13,
    SHOWN_STATEMENTS = 3,
    SHOWN_TEXT = 110,
    SHOWN_PROBLEMS = 5
};

static size_t
width_of(FILE *out)
{
    int width = term_width(out);

    return width > 0 && width < MOST_WIDTH ? (size_t)width : MOST_WIDTH;
}

/* "      helps   …", broken at the width. */
static void
put_line(struct arena *arena, FILE *out, const char *label, const char *text)
{
    fprintf(out, "      %-*s", LABEL_WIDTH - 6, label);
    page_wrap(out, render_clean(arena, text), LABEL_WIDTH, LABEL_WIDTH, width_of(out));
}

/* Cut between characters, so that a line stays one. */
static const char *
cut(struct arena *arena, const char *text, size_t width)
{
    size_t end = 0;

    while (text[end] && end < width)
        end++;
    if (!text[end])
        return text;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    return arena_printf(arena, "%.*s…", (int)end, text);
}

static const char *
weight_text(struct arena *arena, const struct advice *advice, double weight)
{
    return advice->is_in_ms ? text_from_us(arena, llround(fmax(weight, 0) * 1000))
                            : text_from_ratio(arena, fmax(weight, 0));
}

static void
print_help(struct arena *arena, FILE *out, const struct advice *advice,
    const struct choice_help *help, bool is_first)
{
    const struct choose_query *weighed = &advice->weighed[help->query];
    const struct intake_statement *statement = weighed->query->statement;

    put_line(arena, out, is_first ? "helps" : "",
        arena_printf(arena, "%.8s, %s calls: cost %s → %s", statement->fingerprint,
            text_from_count(arena, llround(statement->calls)), text_from_ratio(arena, help->before),
            text_from_ratio(arena, help->after)));
    put_line(arena, out, "", cut(arena, advice_query_text(arena, weighed->query), SHOWN_TEXT));
}

static void
print_helps(
    struct arena *arena, FILE *out, const struct advice *advice, const struct choice_index *choice)
{
    size_t shown = choice->helps.count < SHOWN_STATEMENTS ? choice->helps.count : SHOWN_STATEMENTS;

    for (size_t i = 0; i < shown; i++)
        print_help(arena, out, advice, &choice->helps.items[i], i == 0);
    if (choice->helps.count > shown)
        put_line(arena, out, "",
            arena_printf(arena, "and %zu more (--json names all)", choice->helps.count - shown));
}

static void
print_index(struct arena *arena, FILE *out, const struct advice *advice, size_t number)
{
    const struct advice_index *index = &advice->indexes.items[number];
    const struct choice_index *choice = index->choice;

    fprintf(out, "%4zu  ", number + 1);
    page_wrap(out, render_clean(arena, index->statement), 6, 6, width_of(out));
    put_line(arena, out, "saves",
        arena_printf(arena, "%.1f %% of the workload (%s); its statements were %.1f %%",
            100 * index->saved_share, weight_text(arena, advice, choice->saved),
            100 * index->share));
    print_helps(arena, out, advice, choice);
    put_line(arena, out, "why", index->why);
    put_line(arena, out, "takes",
        arena_printf(arena, "about %s of disk and %s to build; writes cost %s more",
            text_from_bytes(arena, choice->bytes), text_from_us(arena, index->build_us),
            weight_text(arena, advice, choice->write_cost)));
    put_line(arena, out, "lock", index->lock);
    for (size_t i = 0; i < choice->instead.count; i++)
        put_line(arena, out, i == 0 ? "not" : "", choice->instead.items[i]);
    for (size_t i = 0; i < index->cautions.count; i++)
        put_line(arena, out, i == 0 ? "mind" : "", index->cautions.items[i]);
    if (index->recipe.count > 0)
        put_line(arena, out, "recipe",
            "the table is partitioned: not CONCURRENTLY in one statement, but online in these");
    for (size_t i = 0; i < index->recipe.count; i++)
        put_line(arena, out, "", index->recipe.items[i]);
    fputc('\n', out);
}

static void
print_head(struct arena *arena, FILE *out, const struct advice *advice)
{
    const struct intake *intake = advice->intake;
    struct text_list left = { 0 };

    fprintf(out, "Workload: %s, %zu statements%s.\n", intake->source, intake->count,
        advice->is_in_ms ? "" : " (no times: weighed by calls and planner cost)");
    if (advice->light > 0)
        text_list_add(
            arena, &left, arena_printf(arena, "%zu are too light to matter", advice->light));
    if (advice->utility > 0)
        text_list_add(
            arena, &left, arena_printf(arena, "%zu read and write no tables", advice->utility));
    if (advice->unexplained.count > 0)
        text_list_add(arena, &left,
            arena_printf(arena, "%zu cannot be planned (see below)", advice->unexplained.count));
    if (intake->own > 0)
        text_list_add(arena, &left,
            arena_printf(
                arena, "%" PRId64 " of pgmend and the catalogues are left out", intake->own));
    if (intake->hidden > 0)
        text_list_add(arena, &left,
            arena_printf(arena, "%" PRId64 " are hidden from this role (GRANT pg_read_all_stats)",
                intake->hidden));
    if (intake->other_databases > 0)
        text_list_add(arena, &left,
            arena_printf(arena, "%" PRId64 " are of other databases", intake->other_databases));
    if (intake->evicted > 0)
        text_list_add(arena, &left,
            arena_printf(
                arena, "%" PRId64 " were evicted from pg_stat_statements", intake->evicted));
    if (left.count > 0)
        fprintf(out, "Of these %s.\n", text_list_join(arena, &left, ", "));
    fprintf(out, "Costs by %s: %zu candidates, %" PRId64 " planner calls, %s.\n\n", advice->way,
        advice->candidates.items.count, advice->choice.planner_calls,
        text_from_us(arena, advice->us));
}

static void
print_total(struct arena *arena, FILE *out, const struct advice *advice)
{
    const struct choice *choice = &advice->choice;
    double before = choice->before_total;

    if (advice->indexes.count == 0) {
        fprintf(out, "No index would pay for itself with this workload.\n");
        return;
    }
    fprintf(out, "Together: %s → %s, %.1f %% less; %s of disk; keeping up indexes %s → %s.\n",
        weight_text(arena, advice, before), weight_text(arena, advice, choice->after_total),
        before > 0 ? 100 * (1 - choice->after_total / before) : 0,
        text_from_bytes(arena, choice->bytes), weight_text(arena, advice, choice->write_before),
        weight_text(arena, advice, choice->write_before + choice->write_added));
    if (choice->is_cut_short)
        out_mark_line(out, MARK_WARN, "the time was over: this is the best found so far");
}

static void
print_drops(struct arena *arena, FILE *out, const struct choice *choice)
{
    if (choice->drops.count == 0)
        return;
    fprintf(
        out, "\nNeedless then (\"pgmend index drop NAME\" watches first, and can be undone):\n");
    for (size_t i = 0; i < choice->drops.count; i++) {
        const struct choice_drop *drop = &choice->drops.items[i];

        put_line(arena, out, "drop",
            arena_printf(arena, "%s.%s, %s: %s", drop->index->schema, drop->index->name,
                text_from_bytes(arena, drop->index->bytes), drop->because));
    }
}

static void
print_unexplained(struct arena *arena, FILE *out, const struct advice *advice, bool is_verbose)
{
    size_t all = advice->unexplained.count;
    size_t shown = is_verbose || all < SHOWN_PROBLEMS ? all : SHOWN_PROBLEMS;

    if (all == 0)
        return;
    fprintf(out, "\nNot planned, so nothing is advised for them:\n");
    for (size_t i = 0; i < shown; i++) {
        const struct index_query *query = advice->unexplained.items[i];

        put_line(arena, out, arena_printf(arena, "%.4s", query->statement->fingerprint),
            cut(arena, advice_query_text(arena, query), SHOWN_TEXT));
        put_line(arena, out, "",
            query->remedy ? arena_printf(arena, "%s: %s", query->problem, query->remedy)
                          : query->problem);
    }
    if (all > shown)
        fprintf(out, "      and %zu more: --verbose shows them\n", all - shown);
}

static void
print_notes(struct arena *arena, FILE *out, const struct advice *advice)
{
    size_t count = advice->notes.count + advice->intake->notes.count;

    if (count > 0)
        fputc('\n', out);
    for (size_t i = 0; i < advice->intake->notes.count; i++)
        put_line(arena, out, "note", advice->intake->notes.items[i]);
    for (size_t i = 0; i < advice->notes.count; i++)
        put_line(arena, out, "note", advice->notes.items[i]);
}

void
index_advice_print(
    struct ctx *ctx, FILE *out, const struct advice *advice, const struct index_advice_shown *shown)
{
    print_head(ctx->arena, out, advice);
    for (size_t i = 0; i < advice->indexes.count; i++)
        print_index(ctx->arena, out, advice, i);
    print_total(ctx->arena, out, advice);
    print_drops(ctx->arena, out, &advice->choice);
    print_unexplained(ctx->arena, out, advice, shown->is_verbose);
    print_notes(ctx->arena, out, advice);
    if (shown->has_trail) {
        fprintf(out, "\nHow the choice was made:\n");
        for (size_t i = 0; i < advice->choice.trail.count; i++)
            put_line(ctx->arena, out, arena_printf(ctx->arena, "%zu", i + 1),
                advice->choice.trail.items[i]);
    }
    if (shown->plan && shown->left > 0)
        fprintf(out,
            "\n%zu of them cannot be built in one statement and are not in the plan: --sql FILE "
            "writes them.\n",
            shown->left);
    fprintf(out, "\nNothing was changed in the database.\n");
    if (advice->indexes.count == 0)
        out_next(out, "pgmend queries top");
    else if (shown->plan)
        out_next(out, "pgmend rehearse %s, then pgmend apply %s",
            text_shell(ctx->arena, shown->plan), text_shell(ctx->arena, shown->plan));
    else if (shown->script)
        out_next(out, "pgmend index lint %s, then pgmend plan %s",
            text_shell(ctx->arena, shown->script), text_shell(ctx->arena, shown->script));
    else
        out_next(out, "pgmend index advise -o advice.plan, then pgmend apply advice.plan");
}
