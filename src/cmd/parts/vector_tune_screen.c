#include "cmd/parts/vector_tune_screen.h"

#include "base/term.h"
#include "cli/out.h"
#include "cli/page.h"
#include "finding/render.h"

enum { WIDTH = 80, NAME_WIDTH = 36, LABEL_WIDTH = 10 };

struct screen {
    struct arena *arena;
    FILE *out;
    const struct vector_tuning *tuning;
    struct vector_shown_list shown;
};

/* A text right-aligned in so many columns; printf counts bytes. */
static void
put_right(FILE *out, const char *text, size_t width)
{
    size_t own = text_width(text);

    fprintf(out, "%*s%s", own < width ? (int)(width - own) : 0, "", text);
}

static void
put_left(FILE *out, const char *text, size_t width)
{
    size_t own = text_width(text);

    fprintf(out, "%s%*s", text, own < width ? (int)(width - own) : 0, "");
}

static const char *
time_text(struct arena *arena, double us)
{
    return text_from_us(arena, (int64_t)(us + 0.5));
}

/* "  search    cosine …", broken at the width. */
static void
put_line(const struct screen *screen, const char *label, const char *text)
{
    fprintf(screen->out, "  %-*s", LABEL_WIDTH, label);
    page_wrap(
        screen->out, render_clean(screen->arena, text), LABEL_WIDTH + 2, LABEL_WIDTH + 2, WIDTH);
}

static const char *
search_text(struct arena *arena, const struct vector_target *target)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s (%s)", vector_metric_name(target->metric),
        vector_metric_operator(target->metric));
    if (target->tenant)
        buffer_printf(&text, ", tenant %s", target->tenant);
    for (size_t i = 0; i < target->filters.count; i++)
        buffer_printf(&text, ", %s %s %s", target->filters.items[i].column,
            target->filters.items[i].operator, target->filters.items[i].value);
    buffer_printf(&text, ", limit %d", target->limit);
    return buffer_text(&text);
}

static const char *
sample_text(struct arena *arena, const struct vector_tuning *tuning)
{
    struct buffer text = { .arena = arena };

    if (tuning->is_whole)
        buffer_printf(&text, "all %s rows", text_from_count(arena, tuning->sizes.rows));
    else
        buffer_printf(&text, "%s of %s rows, whole tenants",
            text_from_count(arena, tuning->sample_rows),
            text_from_count(arena, tuning->sizes.rows));
    buffer_printf(&text, "; %s questions (%s); CPU time by %s",
        text_from_count(arena, tuning->query_count), text_list_join(arena, &tuning->sources, ", "),
        meter_kind_text(tuning->meter));
    return buffer_text(&text);
}

static const char *
goal_text(struct arena *arena, const struct vector_goal *goal)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "recall %g, in the worst bucket %g, no search with too few rows",
        goal->recall, goal->recall_worst);
    if (goal->p95_us > 0)
        buffer_printf(&text, ", wall p95 %s", text_from_us(arena, goal->p95_us));
    if (goal->most_bytes > 0)
        buffer_printf(&text, ", at most %s", text_from_bytes(arena, goal->most_bytes));
    return buffer_text(&text);
}

static const char *
work_text(struct arena *arena, const struct vector_tuning *tuning)
{
    size_t measured = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++)
        measured += tuning->candidates.items[i].was_built;
    return arena_printf(arena, "%zu of %zu ways to search built and measured in %s", measured,
        tuning->candidates.count, text_from_us(arena, tuning->elapsed_us));
}

static void
print_head(const struct screen *screen)
{
    const struct vector_tuning *tuning = screen->tuning;
    const struct vector_target *target = &tuning->target;

    fprintf(screen->out, "%s.%s, %s(%d), %s rows\n\n", render_clean(screen->arena, target->table),
        render_clean(screen->arena, target->column), target->type, target->dims,
        text_from_count(screen->arena, tuning->sizes.rows));
    put_line(screen, "search", search_text(screen->arena, target));
    if (target->found_in)
        put_line(screen, "found in", target->found_in);
    if (tuning->present)
        put_line(screen, "today", tuning->present);
    put_line(screen, "sample", sample_text(screen->arena, tuning));
    put_line(screen, "goal", goal_text(screen->arena, &tuning->goal));
    put_line(screen, "work", work_text(screen->arena, tuning));
    fputc('\n', screen->out);
}

/* "*" for the chosen one, "p" for the plan's own, "=" for what is done today. */
static const char *
mark_of(const struct vector_shown *shown)
{
    if (shown->is_winner)
        return "*";
    if (shown->candidate->is_plan)
        return "p";
    return shown->candidate->is_present ? "=" : " ";
}

/* A name that is too long has a line for itself, so that nothing is cut off. */
static void
put_name(const struct screen *screen, const struct vector_shown *shown)
{
    const char *name = shown->candidate->name;

    fprintf(screen->out, "%s%s  ", mark_of(shown), shown->letter);
    put_left(screen->out, name, NAME_WIDTH);
    if (text_width(name) > NAME_WIDTH)
        fprintf(screen->out, "\n%*s", NAME_WIDTH + 4, "");
}

static void
print_answers(const struct screen *screen)
{
    FILE *out = screen->out;

    fprintf(out, "    %-*s  %13s  %6s  %5s  %s p95\n", NAME_WIDTH, "way to search", "recall",
        "worst", "short", vector_time_name(screen->tuning->meter));
    for (size_t i = 0; i < screen->shown.count; i++) {
        const struct vector_shown *shown = &screen->shown.items[i];
        const struct vector_measure *measure = &shown->candidate->overall;
        double worst = vector_worst_recall(screen->tuning, shown->candidate, NULL);

        put_name(screen, shown);
        put_right(out, vector_recall_range(screen->arena, &measure->recall), 15);
        put_right(out, worst < 0 ? "-" : vector_recall_text(screen->arena, worst), 8);
        put_right(out, vector_short_text(screen->arena, measure), 7);
        put_right(out, time_text(screen->arena, measure->cpu_us_p95.value), 9);
        fputc('\n', out);
    }
    fputs("* chosen   p the plan's own choice   = what is done today\n\n", out);
}

static void
print_price(const struct screen *screen)
{
    struct arena *arena = screen->arena;
    FILE *out = screen->out;

    fprintf(out, "    %8s  %9s  %9s  %9s  %12s  %9s\n",
        arena_printf(arena, "%s p50", vector_time_name(screen->tuning->meter)), "wall p95",
        "indexes", "columns", "build", "writes");
    for (size_t i = 0; i < screen->shown.count; i++) {
        const struct vector_shown *shown = &screen->shown.items[i];
        const struct vector_candidate *candidate = shown->candidate;

        fprintf(out, "%s%s  ", mark_of(shown), shown->letter);
        put_right(out, time_text(arena, candidate->overall.cpu_us_p50.value), 8);
        put_right(out, time_text(arena, candidate->overall.wall_us_p95.value), 11);
        put_right(out, text_from_bytes(arena, candidate->index_bytes), 11);
        put_right(out,
            candidate->column_bytes > 0 ? text_from_bytes(arena, candidate->column_bytes) : "-",
            11);
        put_right(
            out, candidate->build_us > 0 ? text_from_us(arena, candidate->build_us) : "-", 14);
        put_right(out,
            candidate->write_cost > 0 ? arena_printf(arena, "%.2fx", candidate->write_cost) : "-",
            11);
        fputc('\n', out);
    }
    fputs("writes: the time of inserting rows, as a multiple of a table without it\n", out);
    if (!screen->tuning->is_whole)
        fputs("indexes, columns, build: of the sample's rows\n", out);
    fputc('\n', out);
}

static const struct vector_measure *
plan_measure(const struct vector_shown *plan, size_t bucket)
{
    if (!plan || bucket >= plan->candidate->buckets.count ||
        plan->candidate->buckets.items[bucket].queries == 0)
        return NULL;
    return &plan->candidate->buckets.items[bucket];
}

static void
print_bucket(const struct screen *screen, const struct vector_shown *plan, size_t bucket)
{
    const struct vector_measure *chosen = vector_chosen_measure(screen->tuning, bucket);
    const struct vector_measure *other = plan_measure(plan, bucket);
    struct arena *arena = screen->arena;
    FILE *out = screen->out;

    fputs("    ", out);
    put_left(out, screen->tuning->sizes.buckets.items[bucket].name, 21);
    put_right(out, chosen ? text_from_count(arena, chosen->queries) : "-", 5);
    put_right(out, chosen ? vector_recall_text(arena, chosen->recall.value) : "-", 8);
    put_right(out, chosen ? time_text(arena, chosen->cpu_us_p95.value) : "-", 9);
    put_right(out, chosen ? time_text(arena, chosen->wall_us_p95.value) : "-", 9);
    if (other) {
        put_right(out, vector_recall_text(arena, other->recall.value), 8);
        put_right(out, vector_short_text(arena, other), 7);
        put_right(out, time_text(arena, other->cpu_us_p95.value), 9);
    }
    fputc('\n', out);
}

static void
print_buckets(const struct screen *screen)
{
    const struct vector_shown *plan = vector_shown_plan(&screen->shown);
    const char *clock = vector_time_name(screen->tuning->meter);

    if (screen->tuning->sizes.buckets.count == 0)
        return;
    fprintf(screen->out, "%*s%s: %s", 32, "", screen->shown.items[0].letter,
        screen->shown.items[0].role);
    if (plan)
        fprintf(screen->out, "%*s%s: the plan's best",
            23 - (int)strlen(screen->shown.items[0].role), "", plan->letter);
    fputc('\n', screen->out);
    fprintf(screen->out, "    %-21s%5s%8s%9s%9s", "tenants of", "asked", "recall",
        arena_printf(screen->arena, "%s p95", clock), "wall p95");
    if (plan)
        fprintf(screen->out, "%8s%7s%9s", "recall", "short",
            arena_printf(screen->arena, "%s p95", clock));
    fputc('\n', screen->out);
    for (size_t i = 0; i < screen->tuning->sizes.buckets.count; i++)
        print_bucket(screen, plan, i);
    fputc('\n', screen->out);
}

/* Why something was not built, each reason once, with how many it is true of. */
static void
print_not_built(const struct screen *screen)
{
    const struct vector_tuning *tuning = screen->tuning;
    struct text_list reasons = { 0 };

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (!candidate->was_built && candidate->problem &&
            !text_list_has(&reasons, candidate->problem))
            text_list_add(screen->arena, &reasons, candidate->problem);
    }
    for (size_t i = 0; i < reasons.count; i++) {
        struct text_list names = { 0 };

        for (size_t k = 0; k < tuning->candidates.count; k++)
            if (!tuning->candidates.items[k].was_built &&
                text_equal(tuning->candidates.items[k].problem, reasons.items[i]))
                text_list_add(screen->arena, &names, tuning->candidates.items[k].name);
        put_line(screen, i == 0 ? "left out" : "",
            arena_printf(screen->arena, "%s%s: %s", names.count > 0 ? names.items[0] : "",
                names.count > 1 ? arena_printf(screen->arena, " and %zu more", names.count - 1)
                                : "",
                reasons.items[i]));
    }
}

static void
print_words(const struct screen *screen)
{
    const struct vector_tuning *tuning = screen->tuning;

    if (!text_is_empty(tuning->choice.why))
        put_line(screen, tuning->has_choice ? "why" : "fails", tuning->choice.why);
    if (!text_is_empty(tuning->choice.retune))
        put_line(screen, "again", tuning->choice.retune);
    print_not_built(screen);
    for (size_t i = 0; i < tuning->notes.count; i++)
        put_line(screen, "note", tuning->notes.items[i]);
    fputc('\n', screen->out);
}

void
vector_tune_print(struct arena *arena, FILE *out, const struct vector_tuning *tuning)
{
    struct screen screen = { .arena = arena, .out = out, .tuning = tuning };
    int width = term_is_terminal(out) ? term_width(out) : WIDTH;

    vector_tuning_shown(arena, tuning, &screen.shown);
    print_head(&screen);
    if (screen.shown.count > 0) {
        print_answers(&screen);
        print_price(&screen);
        print_buckets(&screen);
        vector_tuning_plot(out, arena, tuning, width);
        fputc('\n', out);
    }
    print_words(&screen);
    if (tuning->has_choice)
        out_mark_line(
            out, MARK_OK, "%s meets the goal", vector_method_name(arena, &tuning->choice.base));
    else
        out_mark_line(out, MARK_FAIL, "nothing that was measured meets the goal");
}

/* "2.3 s, 12 MB" */
static const char *
cost_text(struct arena *arena, const struct change *change)
{
    struct text_list parts = { 0 };

    if (change->us > 0)
        text_list_add(
            arena, &parts, arena_printf(arena, "about %s", text_from_us(arena, change->us)));
    if (change->bytes > 0)
        text_list_add(arena, &parts, text_from_bytes(arena, change->bytes));
    return text_list_join(arena, &parts, ", ");
}

void
vector_tune_print_plan(struct arena *arena, FILE *out, const struct plan *plan)
{
    struct text_list functions = { 0 };

    fprintf(out, "\nWhat would be done, in %zu changes, by \"pgmend apply\" only:\n", plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];
        const char *cost = cost_text(arena, change);

        if (change_is_of(change, KIND_FUNCTION)) {
            text_list_add(arena, &functions, change->name);
            continue;
        }
        fprintf(out, "  %-16s", change->kind);
        page_wrap(out,
            render_clean(arena, arena_printf(arena, *cost ? "%s (%s)" : "%s%s",
                                    change_object(arena, change), cost)),
            18, 18, WIDTH);
    }
    if (functions.count == 0)
        return;
    fprintf(out, "  %-16s", functions.count == 1 ? "create function" : "functions");
    page_wrap(out, render_clean(arena, text_list_join(arena, &functions, ", ")), 18, 18, WIDTH);
}
