/* Recall and time by size of the tenant: the chosen one, the plan's, and today's. */
#include <math.h>

#include "vector/report/page.h"

enum {
    WIDTH = 1070,
    TOP = 62,
    ROW = 20,
    GAP = 22,
    NAMES = 20,
    RECALL_LEFT = 210,
    RECALL_RIGHT = 500,
    RECALL_TEXT = 572,
    TIME_LEFT = 620,
    TIME_RIGHT = 950,
    TIME_TEXT = 1046,
    MOST_SIDES = 3,
};

struct side {
    const struct vector_shown *shown;
    const char *class;
};

struct chart {
    struct page *page;
    struct buffer *out;
    struct time_axis axis;
    double left; /* as recall_height() */
    struct side sides[MOST_SIDES];
    size_t side_count;
};

static const struct vector_measure *
measure_of(const struct chart *chart, const struct side *side, size_t bucket)
{
    const struct vector_candidate *candidate = side->shown->candidate;

    if (side->shown->is_winner)
        return vector_chosen_measure(chart->page->tuning, bucket);
    if (bucket >= candidate->buckets.count || candidate->buckets.items[bucket].queries == 0)
        return NULL;
    return &candidate->buckets.items[bucket];
}

static void
find_sides(struct chart *chart)
{
    const struct vector_shown_list *shown = &chart->page->shown;
    const struct vector_shown *plan = vector_shown_plan(shown);

    for (size_t i = 0; i < shown->count && chart->side_count < MOST_SIDES; i++) {
        const struct vector_shown *one = &shown->items[i];

        if (one->is_winner || one == plan || one->candidate->is_present)
            chart->sides[chart->side_count++] = (struct side){ one, page_class(one) };
    }
}

static void
find_scale(struct chart *chart)
{
    double least = chart->page->tuning->goal.recall_worst;
    double tick = 0;

    for (size_t i = 0; i < chart->page->tuning->sizes.buckets.count; i++) {
        for (size_t k = 0; k < chart->side_count; k++) {
            const struct vector_measure *measure = measure_of(chart, &chart->sides[k], i);

            if (!measure)
                continue;
            least = fmin(least, measure->recall.low);
            time_axis_include(&chart->axis, measure->cpu_us_p95.low);
            time_axis_include(&chart->axis, measure->cpu_us_p95.high);
        }
    }
    time_axis_round(&chart->axis);
    for (size_t i = 0; i < recall_tick_count; i++)
        if (recall_ticks[i] <= least)
            tick = fmax(tick, recall_ticks[i]);
    chart->left = recall_height(fmin(tick, 0.95));
}

static double
recall_x(const struct chart *chart, double recall)
{
    double share = (recall_height(recall) - chart->left) / (recall_height(1) - chart->left);

    return RECALL_LEFT + fmin(fmax(share, 0), 1) * (RECALL_RIGHT - RECALL_LEFT);
}

static double
time_x(const struct chart *chart, double us)
{
    return TIME_LEFT + fmin(time_axis_share(&chart->axis, us), 1) * (TIME_RIGHT - TIME_LEFT);
}

static void
add_tick(struct chart *chart, double x, double bottom, const char *text)
{
    buffer_printf(chart->out,
        "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<text class=\"small\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
        x, TOP - 14, x, bottom, x, TOP - 20, text);
}

static void
add_frame(struct chart *chart, double bottom)
{
    double goal = recall_x(chart, chart->page->tuning->goal.recall_worst);
    double drawn[16];
    size_t count = 0;
    double last = -INFINITY;
    double ticks[TIME_TICKS];
    size_t tick_count = time_axis_ticks(&chart->axis, ticks);

    buffer_printf(chart->out,
        "<text class=\"label\" x=\"%d\" y=\"20\">Recall</text>"
        "<text class=\"label\" x=\"%d\" y=\"20\">%s time, 95th percentile</text>",
        RECALL_LEFT, TIME_LEFT, vector_time_name(chart->page->tuning->meter));
    for (size_t i = 0; i < recall_tick_count && count < COUNT_OF(drawn); i++) {
        double x = recall_x(chart, recall_ticks[i]);
        bool has_room = recall_height(recall_ticks[i]) >= chart->left - 1e-9;

        for (size_t k = 0; k < count; k++)
            has_room = has_room && fabs(drawn[k] - x) >= 40;
        if (!has_room)
            continue;
        drawn[count++] = x;
        add_tick(chart, x, bottom, arena_printf(chart->out->arena, "%g", recall_ticks[i]));
    }
    for (size_t i = 0; i < tick_count; i++) {
        if (time_x(chart, ticks[i]) - last < 52)
            continue;
        last = time_x(chart, ticks[i]);
        add_tick(chart, last, bottom, page_time(chart->out->arena, ticks[i]));
    }
    buffer_printf(chart->out,
        "<line class=\"goal\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>", goal, TOP - 14,
        goal, bottom);
}

static void
add_mark(struct chart *chart, const char *class, double y, const double *x)
{
    buffer_printf(chart->out,
        "<line class=\"whisker %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>",
        class, x[0], y, x[2], y, class, x[1], y);
}

static void
add_side(struct chart *chart, const struct side *side, size_t bucket, double y)
{
    const struct vector_measure *measure = measure_of(chart, side, bucket);
    struct arena *arena = chart->out->arena;

    if (!measure) {
        buffer_printf(chart->out,
            "<text class=\"small\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">not asked</text>",
            RECALL_TEXT, y + 4);
        return;
    }
    add_mark(chart, side->class, y,
        (const double[]){ recall_x(chart, measure->recall.low),
            recall_x(chart, measure->recall.value), recall_x(chart, measure->recall.high) });
    add_mark(chart, side->class, y,
        (const double[]){ time_x(chart, measure->cpu_us_p95.low),
            time_x(chart, measure->cpu_us_p95.value), time_x(chart, measure->cpu_us_p95.high) });
    buffer_printf(chart->out,
        "<text class=\"%s\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>"
        "<text class=\"%s\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
        side->class, RECALL_TEXT, y + 4, vector_recall_text(arena, measure->recall.value),
        side->class, TIME_TEXT, y + 4, page_time(arena, measure->cpu_us_p95.value));
}

static void
add_bucket(struct chart *chart, size_t index, double top)
{
    const struct vector_bucket *bucket = &chart->page->tuning->sizes.buckets.items[index];
    struct arena *arena = chart->out->arena;

    buffer_printf(chart->out,
        "<text class=\"label\" x=\"%d\" y=\"%.1f\">%s</text>"
        "<text class=\"small\" x=\"%d\" y=\"%.1f\">%s tenant%s</text>",
        NAMES, top + 14, markup_escape(arena, bucket->name), NAMES, top + 30,
        text_from_count(arena, bucket->tenants), bucket->tenants == 1 ? "" : "s");
    for (size_t i = 0; i < chart->side_count; i++)
        add_side(chart, &chart->sides[i], index, top + ROW * ((double)i + 0.5));
}

void
page_chart_buckets(struct page *page)
{
    struct chart chart = { .page = page, .out = &page->html };
    size_t buckets = page->tuning->sizes.buckets.count;
    double height;

    find_sides(&chart);
    if (chart.side_count == 0 || buckets == 0)
        return;
    find_scale(&chart);

    double block = fmax((double)chart.side_count * ROW, 2 * ROW) + GAP;

    height = TOP + (double)buckets * block;
    buffer_add(chart.out, "<ul class=\"keys\">\n");
    for (size_t i = 0; i < chart.side_count; i++)
        buffer_printf(chart.out, "<li class=\"key %s\">%s: %s, %s</li>\n", chart.sides[i].class,
            chart.sides[i].shown->letter, chart.sides[i].shown->role,
            markup_escape(chart.out->arena, chart.sides[i].shown->candidate->name));
    buffer_printf(chart.out,
        "</ul>\n<div class=\"panel\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" "
        "aria-label=\"Recall and time by size of the tenant\">",
        WIDTH, height);
    add_frame(&chart, height - GAP + 4);
    for (size_t i = 0; i < buckets; i++)
        add_bucket(&chart, i, TOP + (double)i * block);
    buffer_add(chart.out, "</svg></div>\n");
}
