/* The totals at the head of the page. */
#include <math.h>

#include "change/step.h"
#include "report/html.h"

static void
add_card(
    struct buffer *page, const char *kind, const char *figure, const char *name, const char *more)
{
    buffer_printf(page,
        "<div class=\"card\"><span class=\"figure %s\">%s</span><span class=\"name\">%s</span>"
        "<span class=\"more\">%s</span></div>\n",
        kind, figure, name, more);
}

static void
add_error_card(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;
    int64_t calls = 0;

    for (size_t i = 0; i < LOAD_COUNT; i++)
        calls += report->loads[i].calls;
    if (report->errors < 0)
        add_card(page, "", "–", "errors under load", "no load run was given");
    else
        add_card(page, report->errors == 0 ? "good" : "bad", text_from_count(arena, report->errors),
            "errors under load",
            arena_printf(arena, "in %s transactions%s", text_from_count(arena, calls),
                report->loads[LOAD_DURING].is_known ? ", also while the change was made" : ""));
}

/* Told to a person, ticked or not: nothing that could be proven. */
static bool
step_is_by_hand(const struct report_step *step)
{
    return text_equal(step->state, STEP_MANUAL) || text_equal(step->state, STEP_TICKED);
}

/* What became of the plan, in one figure. */
static void
add_plan_card(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;
    size_t proven = 0;
    size_t undone = 0;
    size_t done = 0;
    size_t by_hand = 0;

    for (size_t i = 0; i < report->plan.steps.count; i++) {
        const char *state = report->plan.steps.items[i].state;

        by_hand += step_is_by_hand(&report->plan.steps.items[i]);
        proven += text_equal(state, STEP_PROVEN);
        undone += text_equal(state, STEP_UNDONE);
        done += text_equal(state, STEP_DONE) || text_equal(state, STEP_WAITING);
    }
    add_card(page, proven > 0 ? "good" : "",
        arena_printf(arena, "%zu of %zu", proven, report->plan.steps.count - by_hand),
        "steps proven",
        arena_printf(arena, "%zu done and not measured, %zu undone, %zu left%s", done, undone,
            report->plan.steps.count - by_hand - proven - undone - done,
            by_hand > 0 ? arena_printf(arena, "; %zu by hand", by_hand) : ""));
}

static void
add_speed_card(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;
    double best = 0;

    for (size_t i = 0; i < report->query_count; i++)
        best = fmax(best, report->queries[i].factor);
    if (report->speed_up > 0)
        add_card(page, report->speed_up >= 1 ? "good" : "bad",
            report_factor(arena, report->speed_up), "speed-up of the database's work",
            arena_printf(arena, "over %zu quer%s; the best one %s", report->compared_count,
                report->compared_count == 1 ? "y" : "ies", report_factor(arena, best)));
    else
        add_card(page, "", "–", "speed-up not known", "no query was counted on both sides");
}

void
html_cards(struct buffer *page, const struct report *report)
{
    struct arena *arena = page->arena;
    int64_t bytes = 0;
    int64_t build_us = 0;

    for (size_t i = 0; i < report->index_count; i++) {
        if (!text_equal(report->indexes[i].what, "built"))
            continue;
        bytes += report->indexes[i].size_bytes;
        build_us += report->indexes[i].build_us > 0 ? report->indexes[i].build_us : 0;
    }
    buffer_add(page, "<section class=\"cards\" aria-label=\"Totals\">\n");
    if (report->plan.is_known)
        add_plan_card(page, report);
    if (report->has_stretches)
        add_speed_card(page, report);
    add_error_card(page, report);
    if (report->has_stretches)
        add_card(page, "", text_from_count(arena, report->built_count), "indexes built",
            build_us > 0 ? arena_printf(arena, "%s on disk, built in %s",
                               text_from_bytes(arena, bytes), text_from_us(arena, build_us))
                         : arena_printf(arena, "%s on disk", text_from_bytes(arena, bytes)));
    buffer_add(page, "</section>\n");
}
