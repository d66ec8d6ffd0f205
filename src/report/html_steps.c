/* The plan on the page: what each step did, how that was proven, what was undone and why, what is left. */
#include <math.h>

#include "change/plan.h"
#include "change/step.h"
#include "report/html.h"
#include "report/make.h"

static bool
is_left(const struct report_step *step)
{
    static const char *const ended[] = { STEP_PROVEN, STEP_DONE, STEP_UNDONE, STEP_TICKED };

    for (size_t i = 0; i < COUNT_OF(ended); i++)
        if (text_equal(step->state, ended[i]))
            return false;
    return true;
}

static const char *
chip_of(const char *state)
{
    if (text_equal(state, STEP_PROVEN))
        return "a";
    return text_equal(state, STEP_UNDONE) || text_equal(state, STEP_FAILED) ? "bad" : "";
}

/* Of all calls after: what they took, and what they would have taken at the means before. */
static bool
weigh(const struct report_step *step, double *ret_before, double *ret_after)
{
    double calls = 0;

    *ret_before = 0;
    *ret_after = 0;
    for (size_t i = 0; i < step->measured.count; i++) {
        const struct report_step_statement *statement = &step->measured.items[i];

        if (statement->ms_before < 0 || statement->ms_after < 0 || statement->calls_after <= 0)
            continue;
        calls += statement->calls_after;
        *ret_before += statement->calls_after * statement->ms_before;
        *ret_after += statement->calls_after * statement->ms_after;
    }
    if (calls <= 0)
        return false;
    *ret_before /= calls;
    *ret_after /= calls;
    return *ret_before > 0 && *ret_after > 0;
}

static void
add_chart(struct buffer *page, const struct report_plan *plan)
{
    struct html_bar *bars = ARENA_ARRAY(page->arena, struct html_bar, plan->steps.count + 1);
    size_t count = 0;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct report_step *step = &plan->steps.items[i];
        struct html_bar bar = { 0 };

        /* What was undone is no gain, whatever its statements did meanwhile. */
        if (text_equal(step->state, STEP_UNDONE) || !weigh(step, &bar.ms_before, &bar.ms_after))
            continue;
        bar.name = arena_printf(page->arena, "%s %s", step->id, step->title);
        bars[count++] = bar;
    }
    if (count == 0)
        return;
    buffer_add(page,
        "<p class=\"caption\">Mean time a call of the statements that a step was for, in the window "
        "before it and in the one after it; the scale is logarithmic. <span class=\"key b\">before"
        "</span> &nbsp; <span class=\"key a\">after</span></p>\n");
    html_chart_bars(
        page, "Mean time per call before and after each step, logarithmic scale", bars, count);
}

static const char *
known_ms(struct arena *arena, double ms)
{
    return ms < 0 ? "–" : html_ms(arena, ms);
}

static const char *
known_count(struct arena *arena, double number)
{
    return number < 0 ? "–" : text_from_ratio(arena, number);
}

static void
add_measured(struct buffer *page, const struct report_step *step)
{
    struct arena *arena = page->arena;

    if (step->measured.count == 0)
        return;
    buffer_add(page,
        "<table><thead><tr><th>Statement</th><th class=\"n\">Calls</th>"
        "<th class=\"n\">Mean</th><th class=\"n\">Blocks a call</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < step->measured.count; i++) {
        const struct report_step_statement *statement = &step->measured.items[i];

        buffer_printf(page, "<tr><td class=\"name\"><span class=\"sql\">%s</span></td>",
            markup_escape(arena, statement->query));
        html_pair(page, known_count(arena, statement->calls_before),
            known_count(arena, statement->calls_after));
        html_pair(
            page, known_ms(arena, statement->ms_before), known_ms(arena, statement->ms_after));
        html_pair(page, known_count(arena, statement->blocks_before),
            known_count(arena, statement->blocks_after));
        buffer_add(page, "</tr>\n");
    }
    buffer_add(page, "</tbody></table>\n");
}

static void
add_sentence(struct buffer *page, const char *name, const char *text)
{
    if (!text_is_empty(text))
        buffer_printf(
            page, "<p><strong>%s</strong> %s</p>\n", name, markup_escape(page->arena, text));
}

static void
add_statements(struct buffer *page, const char *title, const struct text_list *statements)
{
    if (statements->count == 0)
        return;
    buffer_printf(page, "<h3>%s</h3><pre>", title);
    for (size_t i = 0; i < statements->count; i++)
        buffer_printf(
            page, "%s%s;", i ? "\n" : "", markup_escape(page->arena, statements->items[i]));
    buffer_add(page, "</pre>\n");
}

static void
add_step(struct buffer *page, const struct report_step *step)
{
    struct arena *arena = page->arena;

    buffer_printf(page,
        "<details class=\"step\"><summary><strong>%s</strong><span>%s</span><span class=\"gap\"></span>"
        "<span class=\"chip %s\">%s</span><span class=\"said\">%s</span></summary><div class=\"wide\">\n",
        markup_escape(arena, step->id), markup_escape(arena, step->title), chip_of(step->state),
        markup_escape(arena, step->state),
        markup_escape(arena, step->why      ? step->why
                             : step->manual ? step->manual
                                            : ""));
    add_sentence(page, "Why.", step->evidence);
    add_sentence(page, "Promise.", step->promise);
    if (step->started_at && text_equal(step->state, STEP_MANUAL))
        buffer_printf(
            page, "<p class=\"caption\">Told %s</p>\n", markup_escape(arena, step->started_at));
    else if (step->started_at)
        buffer_printf(page, "<p class=\"caption\">Begun %s%s%s%s%s</p>\n",
            markup_escape(arena, step->started_at), step->ended_at ? ", ended " : "",
            step->ended_at ? markup_escape(arena, step->ended_at) : "",
            step->work_us >= 0 ? "; its builds took " : "",
            step->work_us >= 0 ? text_from_us(arena, step->work_us) : "");
    add_measured(page, step);
    add_statements(page, "Statements", &step->statements);
    add_statements(page, "What undoes them", &step->undos);
    buffer_add(page, "</div></details>\n");
}

static void
add_phase(struct buffer *page, const struct report_plan *plan, int32_t phase)
{
    bool is_open = false;

    for (size_t i = 0; i < plan->steps.count; i++) {
        if (plan->steps.items[i].phase != phase)
            continue;
        if (!is_open)
            buffer_printf(page, "<h3 class=\"phase\">Phase %d: %s</h3>\n<div class=\"panel\">\n",
                (int)phase, plan_phase_title(phase));
        is_open = true;
        add_step(page, &plan->steps.items[i]);
    }
    if (is_open)
        buffer_add(page, "</div>\n");
}

/* One line each: what was taken back, or what still waits for somebody. */
static void
add_lines(struct buffer *page, const struct report_plan *plan, bool wants_left)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct report_step *step = &plan->steps.items[i];
        const char *more = wants_left && step->manual ? step->manual : step->why;

        if (wants_left ? !is_left(step) : !text_equal(step->state, STEP_UNDONE))
            continue;
        if (count++ == 0)
            buffer_printf(page, "<h2>%s</h2>\n<ul class=\"method\">\n",
                wants_left ? "What is left" : "What was undone, and why");
        buffer_printf(page, "<li><strong>%s %s</strong> (%s)%s%s</li>\n",
            markup_escape(page->arena, step->id), markup_escape(page->arena, step->title),
            markup_escape(page->arena, step->state), text_is_empty(more) ? "" : ": ",
            text_is_empty(more) ? "" : markup_escape(page->arena, more));
    }
    if (count > 0)
        buffer_add(page, "</ul>\n");
}

void
html_steps(struct buffer *page, const struct report *report)
{
    const struct report_plan *plan = &report->plan;

    if (!plan->is_known)
        return;
    buffer_printf(page,
        "<h2>The plan, step by step</h2>\n<p class=\"caption\">Plan %.8s, made %s. Open a step to see "
        "what was promised, what was measured, what was sent and what undoes it.</p>\n",
        markup_escape(page->arena, plan->hash), markup_escape(page->arena, plan->created_at));
    add_chart(page, plan);
    for (int32_t phase = 1; phase <= PLAN_PHASES; phase++)
        add_phase(page, plan, phase);
    add_lines(page, plan, false);
    add_lines(page, plan, true);
}
