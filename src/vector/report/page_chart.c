/* The Pareto picture as SVG. Geometry goes into attributes: the page allows no inline styles. */
#include <math.h>
#include <stdlib.h>

#include "vector/report/page.h"
#include "vector/report/page_label.h"

enum {
    WIDTH = 1070,
    HEIGHT = 516,
    LEFT = 66,
    RIGHT = 92,
    TOP = 62,
    BOTTOM = 56,
    TICK_GAP = 20,
    LETTER_WIDTH = 8,
    LETTER_HEIGHT = 16,
};

struct chart {
    struct page *page;
    struct buffer *out;
    struct time_axis axis;
    double bottom; /* as recall_height() */
    struct label_field field;
};

static double
x_of(const struct chart *chart, double us)
{
    return LEFT + fmin(time_axis_share(&chart->axis, us), 1) * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const struct chart *chart, double recall)
{
    double top = recall_height(1);
    double share = (top - recall_height(recall)) / (top - chart->bottom);

    return TOP + fmin(fmax(share, 0), 1) * (HEIGHT - TOP - BOTTOM);
}

static void
find_scale(struct chart *chart)
{
    const struct vector_tuning *tuning = chart->page->tuning;
    double least = tuning->goal.recall;
    double tick = 0;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (!candidate_is_drawn(candidate))
            continue;
        least = fmin(least, candidate->overall.recall.value);
        time_axis_include(&chart->axis, candidate->overall.cpu_us_p95.value);
    }
    time_axis_round(&chart->axis);
    for (size_t i = 0; i < recall_tick_count; i++)
        if (recall_ticks[i] <= least - 0.005)
            tick = fmax(tick, recall_ticks[i]);
    chart->bottom = recall_height(fmin(tick, 0.95));
}

static void
add_recall_grid(struct chart *chart)
{
    double drawn[16];
    size_t count = 0;

    for (size_t i = 0; i < recall_tick_count && count < COUNT_OF(drawn); i++) {
        double y = y_of(chart, recall_ticks[i]);
        bool has_room = recall_height(recall_ticks[i]) >= chart->bottom - 1e-9;

        for (size_t k = 0; k < count; k++)
            has_room = has_room && fabs(drawn[k] - y) >= TICK_GAP;
        if (!has_room)
            continue;
        drawn[count++] = y;
        buffer_printf(chart->out,
            "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>",
            LEFT, y, WIDTH - RIGHT, y, LEFT - 10, y + 4, recall_ticks[i]);
    }
}

static void
add_time_grid(struct chart *chart)
{
    double ticks[TIME_TICKS];
    size_t count = time_axis_ticks(&chart->axis, ticks);
    double last = -INFINITY;

    for (size_t i = 0; i < count; i++) {
        double x = x_of(chart, ticks[i]);

        if (x - last < 52)
            continue;
        last = x;
        buffer_printf(chart->out,
            "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            x, TOP, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18,
            page_time(chart->out->arena, ticks[i]));
    }
}

static void
add_frame(struct chart *chart)
{
    double y = y_of(chart, chart->page->tuning->goal.recall);

    add_recall_grid(chart);
    add_time_grid(chart);
    buffer_printf(chart->out,
        "<text class=\"label\" x=\"%d\" y=\"%d\">Recall, farther up is better</text>"
        "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s time of a query, 95th "
        "percentile; farther left is better</text>",
        LEFT, 22, WIDTH - RIGHT, HEIGHT - 12, vector_time_name(chart->page->tuning->meter));
    buffer_printf(chart->out,
        "<line class=\"goal\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
        "<text class=\"goal\" x=\"%d\" y=\"%.1f\">goal %g</text>",
        LEFT, y, WIDTH - RIGHT, y, WIDTH - RIGHT + 8, y + 4, chart->page->tuning->goal.recall);
}

static int
by_time(const void *a, const void *b)
{
    const struct vector_candidate *const *left = a;
    const struct vector_candidate *const *right = b;
    double left_us = (*left)->overall.cpu_us_p95.value;
    double right_us = (*right)->overall.cpu_us_p95.value;

    return left_us < right_us ? -1 : left_us > right_us;
}

/* A stair through the candidates that no other beats in both recall and time. */
static void
add_front(struct chart *chart)
{
    const struct vector_tuning *tuning = chart->page->tuning;
    VEC(const struct vector_candidate *) drawn = { 0 };
    double best = -1;

    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (candidate_is_drawn(&tuning->candidates.items[i]))
            VEC_PUSH(chart->out->arena, &drawn, &tuning->candidates.items[i]);
    if (drawn.count < 2)
        return;
    qsort(drawn.items, drawn.count, sizeof(drawn.items[0]), by_time);
    buffer_add(chart->out, "<polyline class=\"front\" points=\"");
    for (size_t i = 0; i < drawn.count; i++) {
        const struct vector_measure *measure = &drawn.items[i]->overall;
        double x = x_of(chart, measure->cpu_us_p95.value);

        if (measure->recall.value <= best)
            continue;
        if (best >= 0)
            buffer_printf(chart->out, "%.1f,%.1f ", x, y_of(chart, best));
        best = measure->recall.value;
        buffer_printf(chart->out, "%.1f,%.1f ", x, y_of(chart, best));
    }
    buffer_add(chart->out, "\"/>");
}

static void
take_line(struct chart *chart, double x1, double y1, double x2, double y2)
{
    VEC_PUSH(chart->out->arena, &chart->field.taken,
        (struct label_box){ x1 - 1, y1 - 1, x2 + 1, y2 + 1, true });
}

static void
add_whiskers(struct chart *chart, const struct vector_measure *measure, const char *class)
{
    double x = x_of(chart, measure->cpu_us_p95.value);
    double y = y_of(chart, measure->recall.value);
    double left = x_of(chart, measure->cpu_us_p95.low);
    double right = x_of(chart, measure->cpu_us_p95.high);
    double top = y_of(chart, measure->recall.high);
    double bottom = y_of(chart, measure->recall.low);

    buffer_printf(chart->out,
        "<line class=\"whisker %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<line class=\"whisker %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
        class, x, top, x, bottom, class, left, y, right, y);
    if (strcmp(class, "other") != 0) {
        take_line(chart, x, top, x, bottom);
        take_line(chart, left, y, right, y);
    }
}

static void
add_dot(struct chart *chart, const struct vector_candidate *candidate, const char *class)
{
    struct arena *arena = chart->out->arena;
    double x = x_of(chart, candidate->overall.cpu_us_p95.value);
    double y = y_of(chart, candidate->overall.recall.value);
    double radius = strcmp(class, "other") == 0 ? 3 : 5;
    double room = strcmp(class, "win") == 0 ? 11 : radius;

    add_whiskers(chart, &candidate->overall, class);
    if (strcmp(class, "win") == 0)
        buffer_printf(chart->out, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>", x, y);
    buffer_printf(chart->out,
        "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.0f\"><title>%s: recall %s, %s p95 "
        "%s</title></circle>",
        class, x, y, radius, markup_escape(arena, candidate->name),
        vector_recall_range(arena, &candidate->overall.recall),
        vector_time_name(chart->page->tuning->meter),
        page_time(arena, candidate->overall.cpu_us_p95.value));
    VEC_PUSH(arena, &chart->field.taken,
        (struct label_box){ x - room, y - room, x + room, y + room, false });
}

/* The ones with a role are named, the others have their letter. */
static void
add_label(struct chart *chart, const struct vector_shown *shown)
{
    struct arena *arena = chart->out->arena;
    const char *text =
        *shown->role ? arena_printf(arena, "%s: %s", shown->letter, shown->role) : shown->letter;
    double x = x_of(chart, shown->candidate->overall.cpu_us_p95.value);
    double y = y_of(chart, shown->candidate->overall.recall.value);
    const struct label_box box = label_place(
        arena, &chart->field, x, y, (double)text_width(text) * LETTER_WIDTH, LETTER_HEIGHT);
    double middle = (box.left + box.right) / 2;
    double edge_x = fmin(fmax(x, box.left), box.right);
    double edge_y = fmin(fmax(y, box.top), box.bottom);
    double gap = hypot(edge_x - x, edge_y - y);

    if (gap > 18) {
        double share = 7 / gap;

        buffer_printf(chart->out,
            "<line class=\"leader\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
            x + (edge_x - x) * share, y + (edge_y - y) * share, edge_x, edge_y);
    }
    buffer_printf(chart->out,
        "<text class=\"label %s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
        page_class(shown), middle, box.bottom - 4, text);
}

static bool
is_shown(const struct page *page, const struct vector_candidate *candidate)
{
    for (size_t i = 0; i < page->shown.count; i++)
        if (page->shown.items[i].candidate == candidate)
            return true;
    return false;
}

void
page_chart(struct page *page)
{
    const struct vector_tuning *tuning = page->tuning;
    struct chart chart = {
        .page = page,
        .out = &page->html,
        .field.area = { LEFT + 4, 28, WIDTH - RIGHT - 4, HEIGHT - BOTTOM - 4, false },
    };

    if (page->shown.count == 0)
        return;
    find_scale(&chart);
    buffer_printf(chart.out,
        "<div class=\"panel\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Recall and time "
        "of each way to search\">",
        WIDTH, HEIGHT);
    add_frame(&chart);
    add_front(&chart);
    for (size_t i = 0; i < tuning->candidates.count; i++)
        if (candidate_is_drawn(&tuning->candidates.items[i]) &&
            !is_shown(page, &tuning->candidates.items[i]))
            add_dot(&chart, &tuning->candidates.items[i], "other");
    for (size_t i = page->shown.count; i-- > 0;)
        add_dot(&chart, page->shown.items[i].candidate, page_class(&page->shown.items[i]));
    for (size_t i = 0; i < page->shown.count; i++)
        if (*page->shown.items[i].role)
            add_label(&chart, &page->shown.items[i]);
    for (size_t i = 0; i < page->shown.count; i++)
        if (!*page->shown.items[i].role)
            add_label(&chart, &page->shown.items[i]);
    buffer_add(chart.out, "</svg></div>\n");
}
