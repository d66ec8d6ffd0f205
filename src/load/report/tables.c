#include <math.h>

#include "load/report/part.h"

static double
quantile(const struct histogram *histogram, double share)
{
    return histogram && histogram->count > 0 ? (double)histogram_quantile_us(histogram, share)
                                             : NAN;
}

static int64_t
errors_of(const int64_t outcomes[LOAD_OUTCOME_COUNT])
{
    int64_t errors = 0;

    for (size_t i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++)
        errors += outcomes[i];
    return errors;
}

/* The measure of "bots.p95 < 20ms", whose name may have a point in it, as that of a step may. */
static const char *
goal_unit(struct arena *arena, const char *text)
{
    const char *words = arena_strndup(arena, text, strcspn(text, " <>="));

    for (const char *at = words; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL) {
        enum load_measure_unit unit = load_measure_unit(at);

        for (size_t i = 0; i < load_fact_kind_count; i++)
            if (text_equal(load_fact_kinds[i].name, at))
                return load_fact_kinds[i].unit;
        if (unit == MEASURE_TIME)
            return "us";
        if (unit == MEASURE_SHARE)
            return "share";
        if (unit == MEASURE_NUMBER)
            return "";
    }
    return "";
}

void
sheet_goals(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    struct arena *arena = sheet->html.arena;

    if (run->goal_count == 0)
        return;
    buffer_add(&sheet->html,
        "<h2 id=\"goals\">Goals</h2>\n<div class=\"panel\"><table><thead><tr><th>Goal</th>"
        "<th class=\"n\">Measured</th><th>Verdict</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < run->goal_count; i++) {
        const struct load_goal_result *goal = &run->goals[i];
        const char *class = !goal->is_known ? "open" : goal->is_met ? "good" : "bad";

        buffer_printf(&sheet->html,
            "<tr><td class=\"name\">%s</td><td class=\"n\">%s</td><td><span class=\"chip %s\">%s"
            "</span></td></tr>\n",
            markup_escape(arena, goal->text),
            goal->is_known ? sheet_value(arena, goal_unit(arena, goal->text), goal->value) : "–",
            class,
            /* A number that is there and proves nothing: the generator's lag lies across the limit. */
            !goal->is_known && isfinite(goal->value) ? "not known: the generator was late"
            : !goal->is_known                        ? "not known: not measured"
            : goal->is_met                           ? "met"
                                                     : "not met");
    }
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}

/* "12 ms" with "was 40 ms" below, where there is another run. */
static void
add_latency(struct sheet *sheet, double us, bool has_before, double was_us)
{
    buffer_printf(&sheet->html, "<td class=\"n\">%s", sheet_latency(sheet, us));
    if (has_before)
        buffer_printf(&sheet->html, "<span class=\"sub\">was %s</span>",
            sheet_time(sheet->html.arena, was_us));
    buffer_add(&sheet->html, "</td>");
}

static void
add_latencies(struct sheet *sheet, const struct histogram *latency, bool has_before,
    const struct histogram *before)
{
    static const double shares[] = { 0.5, 0.95, 0.99 };

    for (size_t i = 0; i < COUNT_OF(shares); i++)
        add_latency(sheet, quantile(latency, shares[i]), has_before, quantile(before, shares[i]));
    add_latency(sheet, latency && latency->count > 0 ? (double)latency->max_us : NAN, has_before,
        before && before->count > 0 ? (double)before->max_us : NAN);
}

static void
add_step(struct sheet *sheet, const struct load_step_record *step)
{
    const struct load_record *run = sheet->page->run;
    const struct load_record *before = sheet->page->before;
    const struct load_step_record *was = sheet_step(before, step->name);
    struct arena *arena = sheet->html.arena;
    int64_t good = step->outcomes[LOAD_GOOD];
    int64_t errors = errors_of(step->outcomes);
    double all = (double)load_record_count(run, LOAD_GOOD);

    buffer_printf(&sheet->html, "<tr><td class=\"name\">%s</td>", markup_escape(arena, step->name));
    add_latencies(sheet, step->latency, before != NULL, was ? was->latency : NULL);
    buffer_printf(&sheet->html,
        "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n%s\">%s</td><td class=\"n\">%s</td>"
        "</tr>\n",
        text_from_count(arena, good),
        sheet_number(arena, all > 0 ? sheet_rate(run) * (double)good / all : NAN),
        errors > 0 ? " bad" : "", text_from_count(arena, errors),
        step->statements >= 0 && good > 0
            ? sheet_number(arena, (double)step->statements / (double)good)
            : "–");
}

void
sheet_requests(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;

    buffer_add(&sheet->html,
        "<h2 id=\"requests\">Requests</h2>\n<p class=\"caption\">Latency counts from the moment at "
        "which a request was due by the schedule, whatever the server was doing then; only good "
        "answers have one.</p>\n<div class=\"panel\"><table><thead><tr><th>Request</th>"
        "<th class=\"n\">p50</th><th class=\"n\">p95</th><th class=\"n\">p99</th>"
        "<th class=\"n\">Max</th><th class=\"n\">Good</th><th class=\"n\">A second</th>"
        "<th class=\"n\">Errors</th><th class=\"n\">Statements</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < run->step_count; i++)
        add_step(sheet, &run->steps[i]);
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}

static const struct load_group_record *
group_of(const struct load_record *record, const char *name)
{
    for (size_t i = 0; record && i < record->group_count; i++)
        if (text_equal(record->groups[i].name, name))
            return &record->groups[i];
    return NULL;
}

void
sheet_groups(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    struct arena *arena = sheet->html.arena;

    if (run->group_count == 0)
        return;
    buffer_add(&sheet->html,
        "<h2 id=\"groups\">Users</h2>\n<div class=\"panel\"><table><thead><tr><th>Group</th>"
        "<th class=\"n\">p50</th><th class=\"n\">p95</th><th class=\"n\">p99</th>"
        "<th class=\"n\">Max</th><th class=\"n\">Users</th><th class=\"n\">Good</th>"
        "<th class=\"n\">Success</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < run->group_count; i++) {
        const struct load_group_record *group = &run->groups[i];
        const struct load_group_record *was = group_of(sheet->page->before, group->name);
        int64_t good = group->outcomes[LOAD_GOOD];
        int64_t errors = errors_of(group->outcomes);

        buffer_printf(
            &sheet->html, "<tr><td class=\"name\">%s</td>", markup_escape(arena, group->name));
        add_latencies(
            sheet, group->latency, sheet->page->before != NULL, was ? was->latency : NULL);
        buffer_printf(&sheet->html,
            "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n%s\">%s</td></tr>\n",
            text_from_count(arena, group->users), text_from_count(arena, good),
            errors * 1000 > good + errors ? " bad" : "",
            sheet_share(arena, good + errors > 0 ? (double)good / (double)(good + errors) : NAN));
    }
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}

static void
add_messages(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    struct arena *arena = sheet->html.arena;

    if (run->message_count == 0)
        return;
    buffer_add(&sheet->html,
        "<div class=\"panel\"><table><thead><tr><th>What was said</th><th class=\"n\">Times</th>"
        "</tr></thead><tbody>\n");
    for (size_t i = 0; i < run->message_count; i++)
        buffer_printf(&sheet->html, "<tr><td class=\"text\">%s</td><td class=\"n\">%s</td></tr>\n",
            markup_escape(arena, run->messages[i].text),
            text_from_count(arena, run->messages[i].count));
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}

void
sheet_outcomes(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    const struct load_record *before = sheet->page->before;
    struct arena *arena = sheet->html.arena;
    double all = (double)(load_record_count(run, LOAD_GOOD) + load_record_errors(run));

    buffer_printf(&sheet->html,
        "<h2 id=\"outcomes\">What came of the requests</h2>\n<div class=\"panel\"><table><thead><tr>"
        "<th>Outcome</th><th class=\"n\">Requests</th><th class=\"n\">Share</th>%s</tr></thead>"
        "<tbody>\n",
        before ? "<th class=\"n\">Before</th>" : "");
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++) {
        int64_t count = load_record_count(run, (enum load_outcome)i);
        int64_t was = before ? load_record_count(before, (enum load_outcome)i) : 0;

        if (count == 0 && was == 0 && i != LOAD_GOOD)
            continue;
        buffer_printf(&sheet->html,
            "<tr><td class=\"name\">%s</td><td class=\"n%s\">%s</td><td class=\"n\">%s</td>",
            load_outcome_words[i], i != LOAD_GOOD && count > 0 ? " bad" : "",
            text_from_count(arena, count), sheet_share(arena, all > 0 ? (double)count / all : NAN));
        if (before)
            buffer_printf(&sheet->html, "<td class=\"n\">%s</td>", text_from_count(arena, was));
        buffer_add(&sheet->html, "</tr>\n");
    }
    buffer_printf(&sheet->html,
        "</tbody></table></div>\n<p class=\"caption under\">Connections at once: %s at most; lost: %s. "
        "Requests that had to wait for their user's answer before: %s; still under way at the end: "
        "%s.</p>\n",
        text_from_count(arena, run->most_open), text_from_count(arena, run->lost),
        text_from_count(arena, run->waited), text_from_count(arena, run->unanswered));
    add_messages(sheet);
}

static const struct load_fact *
fact_of(const struct load_record *record, const char *name)
{
    for (size_t i = 0; record && i < record->fact_count; i++)
        if (text_equal(record->facts[i].name, name))
            return &record->facts[i];
    return NULL;
}

static void
add_fact(struct sheet *sheet, const struct load_fact *is, const struct load_fact *was)
{
    struct arena *arena = sheet->html.arena;
    const struct load_fact *any = is ? is : was;

    buffer_printf(&sheet->html,
        "<tr><td class=\"name\">%s <code>%s</code></td><td class=\"n\">%s"
        "</td>",
        markup_escape(arena, any->label), markup_escape(arena, any->name),
        is ? sheet_value(arena, is->unit, is->value) : "–");
    if (sheet->page->before)
        buffer_printf(&sheet->html, "<td class=\"n\">%s</td><td class=\"n\">%s</td>",
            was ? sheet_value(arena, was->unit, was->value) : "–",
            is && was && was->value > 0 && is->value > 0
                ? arena_printf(arena, "%.2f×", is->value / was->value)
                : "–");
    buffer_add(&sheet->html, "</tr>\n");
}

void
sheet_facts(struct sheet *sheet)
{
    const struct load_record *run = sheet->page->run;
    const struct load_record *before = sheet->page->before;

    if (run->fact_count == 0 && run->fact_notes.count == 0)
        return;
    buffer_add(&sheet->html, "<h2 id=\"facts\">The server's side</h2>\n");
    if (run->fact_count > 0)
        buffer_printf(&sheet->html,
            "<div class=\"panel\"><table><thead><tr><th>Fact</th><th class=\"n\">%s</th>%s</tr>"
            "</thead><tbody>\n",
            before ? "Now" : "Value",
            before ? "<th class=\"n\">Before</th><th class=\"n\">Now / before</th>" : "");
    for (size_t i = 0; i < run->fact_count; i++)
        add_fact(sheet, &run->facts[i], fact_of(before, run->facts[i].name));
    for (size_t i = 0; before && run->fact_count > 0 && i < before->fact_count; i++)
        if (!fact_of(run, before->facts[i].name))
            add_fact(sheet, NULL, &before->facts[i]);
    if (run->fact_count > 0)
        buffer_add(&sheet->html, "</tbody></table></div>\n");
    for (size_t i = 0; i < run->fact_notes.count; i++)
        buffer_printf(&sheet->html, "<p class=\"caption under\">%s</p>\n",
            markup_escape(sheet->html.arena, run->fact_notes.items[i]));
}
