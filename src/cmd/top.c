#include "monitor/top/top.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/term.h"
#include "cli/command.h"
#include "cli/out.h"

enum { SHORTEST_US = 200000 };

struct options {
    const char *view;
    int64_t interval;
    const char *filter;
    bool once;
};

static const char *const views[] = { "sessions", "statements", "locks", "progress", "tables",
    NULL };

static const struct field options[] = {
    FIELD(struct options, view, .arg = "VIEW", .standard = "sessions", .choices = views,
        .help = "what is shown at first"),
    FIELD(struct options, interval, .unit = UNIT_US, .arg = "TIME", .standard = "2s",
        .help = "time between two looks"),
    FIELD(struct options, filter, .arg = "TEXT", .help = "only rows that hold this text"),
    FIELD(struct options, once, .momentary = true,
        .help = "print the view as text and exit; rates are those of one interval"),
};

static json_t *
frame_json(const struct frame *frame)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < frame->rows.count; i++) {
        json_t *row = json_object();

        for (size_t j = 0; j < frame->view->column_count; j++)
            json_object_set_new(row, frame->view->columns[j].title,
                json_string(frame->rows.items[i].cells[j].text));
        json_array_append_new(rows, row);
    }
    return json_pack("{s:s, s:s, s:s, s:s?, s:o}", "view", frame->view->name, "server",
        frame->title, "load", frame->load, "note", frame->note, "rows", rows);
}

static void
print_frame(const struct run *run, const struct frame *frame)
{
    struct layout layout;

    layout_make(frame, term_is_terminal(run->out) ? (size_t)term_width(run->out) : 0, &layout);
    fprintf(run->out, "%s\n%s\n", frame->title, frame->load);
    if (frame->note)
        fprintf(run->out, "(%s)\n", frame->note);
    fprintf(run->out, "\n%s\n", layout_head(frame, &layout));
    for (size_t i = 0; i < frame->rows.count; i++)
        fprintf(run->out, "%s\n", layout_row(frame, &layout, i, 0));
    if (frame->rows.count == 0)
        fprintf(run->out, "%s\n", frame->view->none);
}

static bool
print_once(struct ctx *ctx, struct run *run, const struct top_view *view)
{
    const struct options *opts = run->options;
    const struct frame_wish wish = { .view = view, .filter = opts->filter, .sort = SIZE_MAX };
    struct look *look CLEANUP(look_cleanup) = NULL;
    struct frame frame;

    if (!look_open(ctx, run->db, HOST_AUTO, &look) || !top_look(ctx, look, view))
        return false;
    if (!clock_sleep_us(opts->interval))
        return interrupt_error(ctx, interrupt_signal());
    if (!top_look(ctx, look, view))
        return false;
    frame_make(ctx->arena, look_server(look), &wish, &frame);
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = frame_json(&frame);

        out_json(run->out, json);
    } else {
        print_frame(run, &frame);
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct top_view *view = top_view_find(opts->view);
    const struct top_options top = {
        .view = view, .interval_us = opts->interval, .filter = opts->filter
    };

    if (!opts->once && opts->interval < SHORTEST_US)
        return error_set(ctx, ERR_USAGE, "--interval must be 200ms or more");
    if (opts->once || run->global->json)
        return print_once(ctx, run, view);
    if (!isatty(STDIN_FILENO) || !term_is_terminal(run->out)) {
        error_set(ctx, ERR_USAGE, "top draws on a terminal, and this is none");
        return error_hint(ctx, "\"pgmend top --once\" prints the view as text.");
    }
    return top_run(ctx, run->db, &top);
}

const struct command cmd_top = {
    .path = "top",
    .summary = "watch sessions, statements, locks, progress and tables on the terminal",
    .details =
        "Keys: 1 to 5 the views, arrows choose a row and scroll, Enter the whole statement, s and r "
        "the order, / a filter, p pause, c cancels the statement of the chosen session after a "
        "question, k ends the session after its pid was typed, h help, q quit.\n\n"
        "It needs no right beyond the role's own: of other roles' sessions pg_monitor sees the "
        "statements, and cancelling needs the session's role or pg_signal_backend; the server's "
        "answer is shown. Statements are those of pg_stat_statements.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend top\n"
                "pgmend top --view locks\n"
                "pgmend top --once --view statements --interval 10s",
    .next = "pgmend doctor",
    .run = run,
};
