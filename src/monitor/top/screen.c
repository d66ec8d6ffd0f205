/* The terminal: what is drawn where, and what keys do. */
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <ncurses.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "monitor/plain.h"
#include "monitor/top/top.h"

enum {
    HEAD_LINES = 4,
    MOST_INPUT = 64,
    ESCAPE = 27,
    SHIFT_STEP = 20,
    MOST_WAIT_MS = 60000,
    COLOR_BAD = 1,
    COLOR_WARN,
    COLOR_TITLE
};

enum mode { MODE_VIEW, MODE_FILTER, MODE_CANCEL, MODE_END, MODE_HELP, MODE_DETAIL };

struct top {
    struct ctx *ctx;
    struct arena *tick; /* of the frame */
    struct db *db;
    struct db *own; /* when the caller's was lost */
    struct look *look;
    struct frame_wish wish;
    struct frame frame;
    struct layout layout;
    int64_t interval_us;
    int64_t next_us;
    enum mode mode;
    size_t selected;
    size_t first; /* row on the top line */
    int32_t pid;  /* that is selected, to be followed when rows move */
    size_t shift;
    bool is_paused;
    bool is_over;
    char input[MOST_INPUT + 1];
    char filter[MOST_INPUT + 1];
    char status[512];
};

static const char *const help[] = {
    "q  Ctrl-C     quit",
    "1 2 3 4 5     sessions, statements, locks, progress, tables",
    "Up Down PgUp PgDn Home End   choose a row",
    "Left Right    scroll the last column",
    "Enter         the whole statement",
    "s  r          sort by the next column; in the other direction",
    "/             show rows that hold a text; Esc: all again",
    "p             pause; blank: look now",
    "+ -           look less or more often",
    "c             cancel the statement of the chosen session (asks)",
    "k             end the chosen session (asks for its pid)",
    "h  ?          this help",
    "",
    "Red: blocks others or is blocked. Yellow: a transaction of five minutes, or",
    "a statement of one. Cancelling needs the rights of the session's role, or",
    "pg_signal_backend; statements of other roles are seen by pg_monitor alone.",
};

static void
say(struct top *top, const char *text)
{
    snprintf(top->status, sizeof(top->status), "%s", text);
}

/* ---- looking ---- */

static bool
is_signal(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

static bool
open_again(struct top *top)
{
    struct ctx ctx = { .arena = top->ctx->arena };
    struct db_options options = { .connect_timeout_us = 2000000 };
    struct db *fresh = NULL;
    struct look *look = NULL;

    if (!db_open_like(&ctx, top->db, &options, &fresh))
        return false;
    if (!look_open(&ctx, fresh, HOST_AUTO, &look)) {
        db_close(fresh);
        return false;
    }
    look_free(top->look);
    db_cleanup(&top->own);
    top->own = fresh;
    top->look = look;
    return true;
}

static void
make_frame(struct top *top)
{
    arena_reset(top->tick);
    frame_make(top->tick, look_server(top->look), &top->wish, &top->frame);
    /* The row of the same session stays the chosen one. */
    for (size_t i = 0; top->pid != 0 && i < top->frame.rows.count; i++)
        if (top->frame.rows.items[i].pid == top->pid)
            top->selected = i;
    if (top->selected >= top->frame.rows.count)
        top->selected = top->frame.rows.count > 0 ? top->frame.rows.count - 1 : 0;
}

static void
look_now(struct top *top)
{
    struct ctx ctx = { .arena = arena_new() };
    bool is_good = top_look(&ctx, top->look, top->wish.view);

    if (!is_good && is_signal(&ctx)) {
        top->is_over = true;
    } else if (!is_good) {
        say(top, arena_printf(ctx.arena, "%s: connecting again", ctx.error.message));
        if (open_again(top))
            say(top, "connected again");
    }
    arena_free(ctx.arena);
    make_frame(top);
    top->next_us = clock_us() + top->interval_us;
}

/* ---- drawing ---- */

/* A line from its first column to the edge. */
static void
draw(struct top *top, int line, attr_t look, const char *text)
{
    const char *plain = plain_cut(top->tick, text, (size_t)COLS);

    attrset((int)look);
    mvaddstr(line, 0, plain);
    for (size_t at = text_width(plain); at < (size_t)COLS; at++)
        addch(' ');
    attrset(A_NORMAL);
}

/* What is said behind the tabs, as far as there is room. */
static const char *
state_of(struct top *top)
{
    const struct top_column *sorted = &top->frame.view->columns[top->frame.sort];
    struct buffer text = { .arena = top->tick };

    if (top->is_paused)
        buffer_add(&text, "  PAUSED");
    if (*top->filter)
        buffer_printf(&text, "  /%s (%zu hidden)", top->filter, top->frame.filtered);
    buffer_printf(&text, "  %s%s%s", text_from_us(top->tick, top->interval_us),
        top->frame.view->is_ordered ? "" : ", by ",
        top->frame.view->is_ordered ? "" : sorted->title);
    return buffer_text(&text);
}

static void
draw_tabs(struct top *top)
{
    size_t used = 0;

    draw(top, 2, A_NORMAL, "");
    for (size_t i = 0; i < top_view_count; i++) {
        const char *tab = arena_printf(top->tick, " %zu %s ", i + 1, top_views[i]->name);

        if (used + strlen(tab) > (size_t)COLS)
            break;
        attrset(top_views[i] == top->wish.view ? A_REVERSE | A_BOLD : A_NORMAL);
        mvaddstr(2, (int)used, tab);
        used += strlen(tab);
    }
    attrset(A_NORMAL);
    if ((size_t)COLS > used)
        mvaddstr(2, (int)used, plain_cut(top->tick, state_of(top), (size_t)COLS - used));
}

static attr_t
look_of(const struct top_row *row)
{
    switch (row->tone) {
    case TONE_BAD:
        return (attr_t)COLOR_PAIR(COLOR_BAD) | A_BOLD;
    case TONE_WARN:
        return (attr_t)COLOR_PAIR(COLOR_WARN);
    case TONE_DIM:
        return A_DIM;
    case TONE_PLAIN:
        break;
    }
    return A_NORMAL;
}

static size_t
room(void)
{
    return LINES > HEAD_LINES + 1 ? (size_t)LINES - HEAD_LINES - 1 : 1;
}

static void
draw_rows(struct top *top)
{
    size_t lines = room();

    if (top->selected < top->first)
        top->first = top->selected;
    if (top->selected >= top->first + lines)
        top->first = top->selected - lines + 1;
    for (size_t i = 0; i < lines; i++) {
        size_t row = top->first + i;
        int line = HEAD_LINES + (int)i;

        if (row >= top->frame.rows.count) {
            move(line, 0);
            clrtoeol();
            continue;
        }
        draw(top, line,
            look_of(&top->frame.rows.items[row]) | (row == top->selected ? A_REVERSE : 0),
            layout_row(&top->frame, &top->layout, row, top->shift));
    }
    if (top->frame.rows.count == 0)
        draw(top, HEAD_LINES + 1, A_NORMAL,
            top->frame.filtered > 0 ? "  no row holds this text" : top->frame.view->none);
}

static void
draw_lines(struct top *top, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < room(); i++)
        draw(top, HEAD_LINES - 1 + (int)i, A_NORMAL,
            i < count ? arena_printf(top->tick, "  %s", lines[i]) : "");
}

/* The whole statement, wrapped. */
static void
draw_detail(struct top *top)
{
    const char *text =
        top->selected < top->frame.rows.count ? top->frame.rows.items[top->selected].detail : NULL;
    size_t columns = COLS > 4 ? (size_t)COLS - 4 : 1;
    struct text_list lines = { 0 };

    text = plain_text(top->tick, text ? text : "this row has no statement");
    while (*text) {
        const char *at = text;
        size_t width = 0;

        while (*at && width < columns) {
            at++;
            if (((unsigned char)*at & 0xC0) != 0x80)
                width++;
        }
        text_list_add(top->tick, &lines, arena_strndup(top->tick, text, (size_t)(at - text)));
        text = at;
    }
    draw_lines(top, lines.items, lines.count);
}

static void
draw_foot(struct top *top)
{
    const char *text = top->status;

    if (top->mode == MODE_FILTER)
        text = arena_printf(top->tick, "rows that hold: %s_", top->input);
    else if (top->mode == MODE_CANCEL)
        text = arena_printf(top->tick, "cancel the statement of pid %d? y/n", top->pid);
    else if (top->mode == MODE_END)
        text = arena_printf(
            top->tick, "end session %d? its pid, and Enter: %s_", top->pid, top->input);
    else if (top->mode == MODE_HELP || top->mode == MODE_DETAIL)
        text = "any key: back";
    else if (!*text && top->frame.note)
        text = top->frame.note;
    else if (!*text)
        text = "q quit  1-5 view  s sort  / filter  p pause  c cancel  k end  h help";
    draw(top, LINES - 1, A_BOLD, text);
}

static void
draw_all(struct top *top)
{
    size_t columns = COLS > 0 ? (size_t)COLS : 1;

    erase();
    layout_make(&top->frame, columns, &top->layout);
    draw(top, 0, (attr_t)COLOR_PAIR(COLOR_TITLE) | A_BOLD,
        arena_printf(top->tick, "pgmend top  %s", top->frame.title));
    draw(top, 1, A_NORMAL, top->frame.load);
    draw_tabs(top);
    if (top->mode == MODE_HELP) {
        draw_lines(top, help, COUNT_OF(help));
    } else if (top->mode == MODE_DETAIL) {
        draw_detail(top);
    } else {
        draw(top, HEAD_LINES - 1, A_UNDERLINE, layout_head(&top->frame, &top->layout));
        draw_rows(top);
    }
    draw_foot(top);
    refresh();
}

/* ---- keys ---- */

static void
choose(struct top *top, size_t row)
{
    top->selected = row;
    top->pid = row < top->frame.rows.count ? top->frame.rows.items[row].pid : 0;
}

static void
move_by(struct top *top, long rows)
{
    long last = (long)top->frame.rows.count - 1;
    long to = (long)top->selected + rows;

    choose(top, (size_t)(to < 0 || last < 0 ? 0 : to > last ? last : to));
}

static void
show_view(struct top *top, size_t index)
{
    top->wish.view = top_views[index];
    top->wish.sort = SIZE_MAX;
    top->wish.is_reversed = false;
    top->selected = top->first = top->shift = 0;
    top->pid = 0;
    look_now(top);
}

/* Columns that are not shown are passed over. */
static void
sort_next(struct top *top)
{
    size_t count = top->frame.view->column_count;
    size_t column = top->frame.sort;

    if (top->frame.view->is_ordered) {
        say(top, "this view is a tree: it has its own order");
        return;
    }
    do {
        column = (column + 1) % count;
    } while (top->layout.widths[column] == 0);
    top->wish.sort = column;
    top->wish.is_reversed = false;
    make_frame(top);
}

static void
ask_for_session(struct top *top, enum mode mode)
{
    choose(top, top->selected);
    if (top->pid == 0) {
        say(top, "choose a session first (views 1, 3 and 4)");
        return;
    }
    *top->input = '\0';
    top->mode = mode;
}

static void
change_interval(struct top *top, double factor)
{
    int64_t interval = llround((double)top->interval_us * factor);

    top->interval_us = interval < 500000 ? 500000 : interval > 60000000 ? 60000000 : interval;
    top->next_us = clock_us() + top->interval_us;
}

static void
move_key(struct top *top, int key)
{
    long page = (long)room() - 1;

    if (key == KEY_UP || key == KEY_DOWN)
        move_by(top, key == KEY_UP ? -1 : 1);
    else if (key == KEY_PPAGE || key == KEY_NPAGE)
        move_by(top, key == KEY_PPAGE ? -page : page);
    else if (key == KEY_HOME || key == KEY_END)
        move_by(top, key == KEY_HOME ? -1000000 : 1000000);
    else if (key == KEY_RIGHT)
        top->shift += SHIFT_STEP;
    else if (key == KEY_LEFT)
        top->shift -= top->shift < SHIFT_STEP ? top->shift : SHIFT_STEP;
}

static void
view_key(struct top *top, int key)
{
    *top->status = '\0';
    if (key >= '1' && key < '1' + (int)top_view_count)
        show_view(top, (size_t)(key - '1'));
    else if (key == 'q')
        top->is_over = true;
    else if (key == 's')
        sort_next(top);
    else if (key == 'p')
        top->is_paused = !top->is_paused;
    else if (key == ' ')
        look_now(top);
    else if (key == '+' || key == '-')
        change_interval(top, key == '+' ? 2 : 0.5);
    else if (key == 'h' || key == '?')
        top->mode = MODE_HELP;
    else if (key == '\n' || key == '\r' || key == KEY_ENTER)
        top->mode = MODE_DETAIL;
    else if (key == 'c' || key == 'k')
        ask_for_session(top, key == 'c' ? MODE_CANCEL : MODE_END);
    else
        move_key(top, key);
}

/* Those that change what the frame holds. */
static void
frame_key(struct top *top, int key)
{
    if (key == 'r') {
        top->wish.is_reversed = !top->wish.is_reversed;
    } else if (key == ESCAPE) {
        *top->filter = '\0';
    } else {
        top->mode = MODE_FILTER;
        *top->input = '\0';
        return;
    }
    make_frame(top);
}

static void
finish_input(struct top *top)
{
    enum mode mode = top->mode;

    top->mode = MODE_VIEW;
    if (mode == MODE_FILTER) {
        snprintf(top->filter, sizeof(top->filter), "%s", top->input);
        make_frame(top);
        return;
    }
    if (!text_equal(top->input, arena_printf(top->tick, "%d", top->pid))) {
        say(top, "nothing was done: that is not its pid");
        return;
    }
    say(top, top_signal(
                 top->tick, top->own ? top->own : top->db, look_server(top->look), top->pid, true));
}

static void
input_key(struct top *top, int key)
{
    size_t length = strlen(top->input);

    if (key == ESCAPE) {
        top->mode = MODE_VIEW;
    } else if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        finish_input(top);
    } else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
        /* A character of UTF-8 goes as a whole. */
        while (length > 0 && ((unsigned char)top->input[length - 1] & 0xC0) == 0x80)
            length--;
        top->input[length > 0 ? length - 1 : 0] = '\0';
    } else if (key >= ' ' && key < 256 && length < MOST_INPUT) {
        top->input[length] = (char)key;
        top->input[length + 1] = '\0';
    }
}

static void
handle(struct top *top, int key)
{
    switch (top->mode) {
    case MODE_FILTER:
    case MODE_END:
        input_key(top, key);
        return;
    case MODE_CANCEL:
        top->mode = MODE_VIEW;
        say(top, key == 'y' ? top_signal(top->tick, top->own ? top->own : top->db,
                                  look_server(top->look), top->pid, false)
                            : "nothing was done");
        return;
    case MODE_HELP:
    case MODE_DETAIL:
        top->mode = MODE_VIEW;
        return;
    case MODE_VIEW:
        break;
    }
    if (key == 'r' || key == '/' || key == ESCAPE)
        frame_key(top, key);
    else
        view_key(top, key);
}

/* ---- the run ---- */

static bool
open_screen(struct ctx *ctx)
{
    /* Names are UTF-8 whatever the environment says. */
    if (!setlocale(LC_CTYPE, "") || !text_equal(nl_langinfo(CODESET), "UTF-8"))
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (!newterm(NULL, stdout, stdin)) {
        error_set(ctx, ERR_UNSUPPORTED, "this terminal cannot be drawn on");
        return error_hint(ctx, "Set TERM, or use \"pgmend top --once\".");
    }
    cbreak();
    noecho();
    keypad(stdscr, true);
    set_escdelay(50);
    curs_set(0);
    if (has_colors() && !getenv("NO_COLOR")) {
        start_color();
        use_default_colors();
        init_pair(COLOR_BAD, COLOR_RED, -1);
        init_pair(COLOR_WARN, COLOR_YELLOW, -1);
        init_pair(COLOR_TITLE, COLOR_CYAN, -1);
    }
    return true;
}

static void
run(struct top *top)
{
    look_now(top);
    while (!top->is_over && !interrupt_signal()) {
        int64_t left = top->next_us - clock_us();
        int key;

        draw_all(top);
        timeout(top->is_paused ? MOST_WAIT_MS : left > 0 ? (int)(left / 1000) + 1 : 0);
        key = getch();
        if (interrupt_signal())
            return;
        if (key == KEY_RESIZE)
            continue;
        if (key != ERR)
            handle(top, key);
        else if (!top->is_paused && clock_us() >= top->next_us)
            look_now(top);
    }
}

bool
top_run(struct ctx *ctx, struct db *db, const struct top_options *options)
{
    struct top top = {
        .ctx = ctx,
        .db = db,
        .wish = { .view = options->view, .sort = SIZE_MAX },
        .interval_us = options->interval_us,
    };

    if (!look_open(ctx, db, HOST_AUTO, &top.look))
        return false;
    if (!open_screen(ctx)) {
        look_free(top.look);
        return false;
    }
    top.tick = arena_new();
    top.wish.filter = top.filter;
    if (options->filter)
        snprintf(top.filter, sizeof(top.filter), "%s", options->filter);
    run(&top);
    endwin();
    look_free(top.look);
    db_close(top.own);
    arena_free(top.tick);
    /* Ctrl-C is a way to say that one has seen enough. */
    (void)interrupt_take();
    return true;
}
