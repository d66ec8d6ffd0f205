/* What was measured at several numbers of users, and the law that was fitted to it. */
#include <math.h>

#include "load/report/part.h"

enum {
    WIDTH = 1070,
    HEIGHT = 380,
    LEFT = 76,
    RIGHT = 40,
    TOP = 34,
    BOTTOM = 50,
    STEPS = 200,
    TICKS = 6
};

struct plot {
    struct buffer *out;
    double most_users;
    double most_rate;
};

static double
x_of(const struct plot *plot, double users)
{
    return LEFT + users / plot->most_users * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const struct plot *plot, double rate)
{
    return HEIGHT - BOTTOM - fmin(rate / plot->most_rate, 1) * (HEIGHT - TOP - BOTTOM);
}

/* Gunther 1993: X(N) = gN / (1 + a(N - 1) + bN(N - 1)). */
static double
law(const struct load_model *model, double users)
{
    return model->gain * users /
           (1 + model->contention * (users - 1) + model->coherency * users * (users - 1));
}

static double
round_step(double most)
{
    double step = pow(10, floor(log10(most / TICKS)));

    if (most / step > 5 * TICKS)
        return step * 10;
    if (most / step > 2 * TICKS)
        return step * 5;
    return most / step > TICKS ? step * 2 : step;
}

static void
add_grid(const struct plot *plot)
{
    struct arena *arena = plot->out->arena;
    double users = round_step(plot->most_users), rate = round_step(plot->most_rate);

    for (int i = 0; i * rate <= plot->most_rate; i++) {
        double at = i * rate;

        buffer_printf(plot->out,
            "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
            LEFT, y_of(plot, at), WIDTH - RIGHT, y_of(plot, at), LEFT - 10, y_of(plot, at) + 4,
            sheet_number(arena, at));
    }
    for (int i = 0; i * users <= plot->most_users; i++)
        buffer_printf(plot->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            x_of(plot, i * users), HEIGHT - BOTTOM + 20, sheet_number(arena, i * users));
}

static void
add_chart(struct sheet *sheet, const struct load_model *model)
{
    struct plot plot = { .out = &sheet->html, .most_users = 1, .most_rate = 1 };
    struct arena *arena = sheet->html.arena;

    for (size_t i = 0; i < model->count; i++) {
        plot.most_users = fmax(plot.most_users, model->points[i].users);
        plot.most_rate =
            fmax(plot.most_rate, fmax(model->points[i].rate, model->points[i].predicted_rate));
    }
    if (model->wanted_users > 0 && model->wanted_users < plot.most_users * 3)
        plot.most_users = fmax(plot.most_users, model->wanted_users);
    if (model->peak_users > 0 && model->peak_users < plot.most_users * 1.5)
        plot.most_users = fmax(plot.most_users, model->peak_users);
    plot.most_users *= 1.05;
    for (int i = 1; i <= STEPS; i++) {
        double rate = law(model, plot.most_users * i / STEPS);

        if (isfinite(rate))
            plot.most_rate = fmax(plot.most_rate, rate);
    }
    plot.most_rate *= 1.08;
    buffer_printf(plot.out,
        "<ul class=\"keys\"><li class=\"key a\">measured</li><li class=\"key s\">the fitted law</li></ul>"
        "\n<div class=\"panel\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Requests a second by "
        "number of users; the numbers stand in the table below\">",
        WIDTH, HEIGHT);
    add_grid(&plot);
    buffer_add(plot.out, "<polyline class=\"curve-s\" points=\"");
    for (int i = 0; i <= STEPS; i++) {
        double users = plot.most_users * i / STEPS;
        double rate = users > 0 ? law(model, users) : 0;

        if (isfinite(rate) && rate >= 0)
            buffer_printf(plot.out, "%.1f,%.1f ", x_of(&plot, users), y_of(&plot, rate));
    }
    buffer_add(plot.out, "\"/>");
    for (size_t i = 0; i < model->count; i++)
        buffer_printf(plot.out,
            "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>%s users: %s/s, law: %s/s"
            "</title></circle>",
            x_of(&plot, model->points[i].users), y_of(&plot, model->points[i].rate),
            sheet_number(arena, model->points[i].users), sheet_number(arena, model->points[i].rate),
            sheet_number(arena, model->points[i].predicted_rate));
    buffer_printf(plot.out,
        "<text class=\"label\" x=\"%d\" y=\"18\">Good answers a second</text><text class=\"label\" "
        "x=\"%d\" y=\"%d\" text-anchor=\"end\">Users</text></svg></div>\n",
        LEFT, WIDTH - RIGHT, HEIGHT - 8);
}

static void
add_points(struct sheet *sheet, const struct load_model *model)
{
    struct arena *arena = sheet->html.arena;

    buffer_add(&sheet->html,
        "<div class=\"panel\"><table><thead><tr><th class=\"n\">Users</th><th class=\"n\">A second</th>"
        "<th class=\"n\">The law says</th><th class=\"n\">Mean latency</th>"
        "<th class=\"n\">CPU a request</th><th class=\"n\">Users by Little's law</th></tr></thead>"
        "<tbody>\n");
    for (size_t i = 0; i < model->count; i++) {
        const struct load_model_point *point = &model->points[i];

        buffer_printf(&sheet->html,
            "<tr><td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>"
            "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
            sheet_number(arena, point->users), sheet_number(arena, point->rate),
            sheet_number(arena, point->predicted_rate), sheet_time(arena, point->latency_us),
            point->cpu_us > 0 ? sheet_time(arena, point->cpu_us) : "–",
            point->little_users > 0 ? sheet_number(arena, point->little_users) : "–");
    }
    buffer_add(&sheet->html, "</tbody></table></div>\n");
}

static void
add_words(struct sheet *sheet, const struct load_model *model)
{
    struct arena *arena = sheet->html.arena;

    buffer_printf(&sheet->html,
        "<ul class=\"method\">\n<li>The universal scalability law, X(N) = gN / (1 + a(N − 1) + bN(N − 1)): "
        "g = %.4g requests a second of one user, a = %.3g (waiting for each other), b = %.3g (agreeing with "
        "each other); off by %s on the whole.</li>\n",
        model->gain, model->contention, model->coherency, sheet_share(arena, model->error_share));
    if (model->peak_users > 0)
        buffer_printf(&sheet->html,
            "<li>Beyond %s users more of them get less; there it is %s requests a second.</li>\n",
            sheet_number(arena, model->peak_users), sheet_number(arena, model->peak_rate));
    buffer_printf(&sheet->html, "<li>The highest rate that was measured: %s a second.</li>\n",
        sheet_number(arena, model->ceiling_rate));
    if (model->wanted_users > 0 || model->wanted_rate > 0)
        buffer_printf(&sheet->html, "<li>%s users, %s requests a second, would take",
            sheet_number(arena, model->wanted_users), sheet_number(arena, model->wanted_rate));
    if (model->wanted_users > 0 || model->wanted_rate > 0)
        buffer_printf(&sheet->html,
            " %s processors for the API, %s for PostgreSQL and %s for the generator.</li>\n",
            sheet_number(arena, model->cpus_api > 0 ? model->cpus_api : NAN),
            sheet_number(arena, model->cpus_postgresql > 0 ? model->cpus_postgresql : NAN),
            sheet_number(arena, model->cpus_generator > 0 ? model->cpus_generator : NAN));
    buffer_add(&sheet->html, "</ul>\n");
}

void
sheet_model(struct sheet *sheet)
{
    const struct load_model *model = sheet->page->model;

    if (!model || model->count == 0)
        return;
    buffer_add(&sheet->html, "<h2 id=\"model\">Rate by number of users</h2>\n");
    if (model->caution)
        buffer_printf(&sheet->html, "<section class=\"notes\">%s</section>\n",
            markup_escape(sheet->html.arena, model->caution));
    add_chart(sheet, model);
    add_points(sheet, model);
    add_words(sheet, model);
}
