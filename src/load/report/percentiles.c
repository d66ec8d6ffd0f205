/*
 * The percentile plot of HdrHistogram: to the right it gets rarer by a factor of ten a step, so that the
 * slowest of a million is seen as well as the middle. Both axes are logarithmic.
 */
#include <math.h>

#include "load/report/part.h"

enum { WIDTH = 1070, HEIGHT = 400, LEFT = 76, RIGHT = 28, TOP = 34, BOTTOM = 46, STEPS = 240 };

struct plot {
    struct buffer *out;
    double decades; /* of rarity */
    double low;     /* log10 of us */
    double high;
};

static double
x_of(const struct plot *plot, double rarity)
{
    return LEFT + rarity / plot->decades * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const struct plot *plot, double us)
{
    double share = (log10(fmax(us, 1)) - plot->low) / (plot->high - plot->low);

    return HEIGHT - BOTTOM - fmin(fmax(share, 0), 1) * (HEIGHT - TOP - BOTTOM);
}

/* 1 ms, 2 ms, 5 ms, 10 ms … as far as the picture goes. */
static void
add_grid(const struct plot *plot)
{
    static const double parts[] = { 1, 2, 5 };
    static const char *const shares[] = { "0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %",
        "99.9999 %", "99.99999 %" };
    struct arena *arena = plot->out->arena;
    bool is_wide = plot->high - plot->low > 3;

    for (int decade = (int)floor(plot->low); decade <= plot->high; decade++)
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            double us = pow(10, decade) * parts[i];

            if (log10(us) < plot->low - 1e-9 || log10(us) > plot->high + 1e-9 || (is_wide && i > 0))
                continue;
            buffer_printf(plot->out,
                "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                LEFT, y_of(plot, us), WIDTH - RIGHT, y_of(plot, us), LEFT - 10, y_of(plot, us) + 4,
                sheet_time(arena, us));
        }
    for (size_t i = 0; i < COUNT_OF(shares) && (double)i <= plot->decades; i++)
        buffer_printf(plot->out,
            "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            x_of(plot, (double)i), TOP, x_of(plot, (double)i), HEIGHT - BOTTOM,
            x_of(plot, (double)i), HEIGHT - BOTTOM + 20, shares[i]);
}

/* As far as there are requests that rare; then it is the slowest one. */
static void
add_curve(const struct plot *plot, const struct histogram *histogram, const char *class)
{
    double last = log10((double)histogram->count);

    buffer_printf(plot->out, "<polyline class=\"%s\" points=\"", class);
    for (int i = 0; i <= STEPS; i++) {
        double rarity = plot->decades * i / STEPS;

        if (rarity > last)
            rarity = last;
        buffer_printf(plot->out, "%.1f,%.1f ", x_of(plot, rarity),
            y_of(plot, (double)histogram_quantile_us(histogram, 1 - pow(10, -rarity))));
        if (rarity >= last)
            break;
    }
    buffer_add(plot->out, "\"/>");
}

static bool
is_there(const struct histogram *histogram)
{
    return histogram && histogram->count > 0;
}

static void
include(struct plot *plot, const struct histogram *histogram)
{
    if (!is_there(histogram))
        return;
    plot->decades = fmax(plot->decades, log10((double)histogram->count));
    plot->low = fmin(plot->low, log10(fmax((double)histogram->min_us, 1)));
    plot->high = fmax(plot->high, log10(fmax((double)histogram->max_us, 2)));
}

/* To the next 1, 2 or 5. */
static double
round_down(double log)
{
    double rest = log - floor(log);

    return floor(log) + (rest >= log10(5) ? log10(5) : rest >= log10(2) ? log10(2) : 0);
}

static void
add_goal(struct sheet *sheet, const char *class, const char *text)
{
    buffer_printf(&sheet->html, "<li class=\"key %s\">%s</li>", class, text);
}

void
sheet_percentiles(struct sheet *sheet)
{
    struct plot plot = { .out = &sheet->html, .decades = 1, .low = 9, .high = 1 };

    if (!is_there(sheet->latency))
        return;
    include(&plot, sheet->latency);
    include(&plot, sheet->service);
    include(&plot, sheet->before_latency);
    plot.low = round_down(plot.low);
    plot.high = fmax(round_down(plot.high) + 0.4, plot.low + 0.7);
    buffer_add(&sheet->html,
        "<h2 id=\"percentiles\">Percentiles</h2>\n<p class=\"caption\">How slow the slowest were: at "
        "99.9 % stands the time that one in a thousand was over.</p>\n<ul class=\"keys\">");
    add_goal(sheet, "a", sheet->before_latency ? "after" : "from when it was due");
    if (sheet->before_latency)
        add_goal(sheet, "b", "before");
    add_goal(
        sheet, "s", "from when it was sent, which leaves out the time a request was kept waiting");
    buffer_printf(&sheet->html,
        "</ul>\n<div class=\"panel\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Latency by "
        "percentile; the numbers stand in the table of requests\">",
        WIDTH, HEIGHT);
    add_grid(&plot);
    if (is_there(sheet->service))
        add_curve(&plot, sheet->service, "curve-s");
    if (is_there(sheet->before_latency))
        add_curve(&plot, sheet->before_latency, "curve-b");
    add_curve(&plot, sheet->latency, "curve-a");
    buffer_printf(&sheet->html,
        "<text class=\"label\" x=\"%d\" y=\"18\">Latency</text><text class=\"label\" x=\"%d\" y=\"%d\" "
        "text-anchor=\"end\">Share of requests that were not slower</text></svg></div>\n",
        LEFT, WIDTH - RIGHT, HEIGHT - 6);
}
