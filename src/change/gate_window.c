/* Changes at times of low traffic only: "02:00-05:00 Europe/Berlin". */
#include "change/gate.h"
#include "change/plan.h"
#include "sql.h"

enum { DAY_MINUTES = 1440, MINUTES_TEXT = 5 };

/* A window as it was written. */
struct window {
    int32_t begins; /* minutes since midnight */
    int32_t ends;
    const char *zone;
};

/* "02:30" at the start of text → 150; 24:00 is midnight as an end. -1: it is no time of the day. */
static int32_t
read_time(const char *text)
{
    int32_t hours;
    int32_t minutes;

    for (int i = 0; i < MINUTES_TEXT; i++)
        if (i == 2 ? text[i] != ':' : (text[i] < '0' || text[i] > '9'))
            return -1;
    hours = (text[0] - '0') * 10 + text[1] - '0';
    minutes = (text[3] - '0') * 10 + text[4] - '0';
    return hours > 24 || minutes > 59 || (hours == 24 && minutes > 0) ? -1 : hours * 60 + minutes;
}

static bool
read_window(struct ctx *ctx, const char *text, struct window *ret)
{
    const char *end = text + MINUTES_TEXT + 1;
    const char *zone = end + MINUTES_TEXT;
    bool is_whole = strlen(text) >= (size_t)(zone - text) && text[MINUTES_TEXT] == '-';

    *ret = (struct window){ .begins = is_whole ? read_time(text) : -1 };
    if (ret->begins >= 0)
        ret->ends = read_time(end);
    if (ret->begins < 0 || ret->ends < 0 || (*zone && *zone != ' ')) {
        error_set(ctx, ERR_USAGE, "\"%s\" is no window of low traffic", text);
        return error_hint(ctx, "Write it as --low-traffic \"02:00-05:00 Europe/Berlin\".");
    }
    ret->begins %= DAY_MINUTES;
    ret->ends %= DAY_MINUTES;
    while (*zone == ' ')
        zone++;
    ret->zone = *zone ? zone : "UTC";
    if (ret->begins == ret->ends)
        return error_set(ctx, ERR_USAGE, "the window \"%s\" ends when it begins", text);
    return true;
}

/* What the plan, or the step that comes next, will take as far as that is known. */
static int64_t
duration(const struct gate_input *input)
{
    size_t end;
    int64_t ret = 0;

    for (size_t i = gate_range(input, &end); i < end; i++)
        if (change_is_pending(&input->plan->items[i]) && input->plan->items[i].us > 0)
            ret += input->plan->items[i].us;
    return ret;
}

static void
judge(struct ctx *ctx, const struct gate_input *input, const struct sql_change_gate_window *row,
    const char *zone, struct gate_result *ret)
{
    int64_t needed_us = duration(input);

    if (!row->is_open) {
        ret->state = GATE_RED;
        ret->text = arena_printf(ctx->arena, "it is %s (%s); the window %s opens in %s",
            row->local_time, zone, input->low_traffic, text_from_us(ctx->arena, row->opens_in));
        ret->remedy = "wait for the window";
        return;
    }
    ret->state = GATE_GREEN;
    ret->text = arena_printf(ctx->arena, "it is %s (%s); the window %s is open for %s",
        row->local_time, zone, input->low_traffic, text_from_us(ctx->arena, row->closes_in));
    if (needed_us <= row->closes_in)
        return;
    /* A step that has begun is not cut off at the window's end; a plan can go on in the next one. */
    ret->state = input->step ? GATE_RED : GATE_WARNING;
    ret->text = arena_printf(ctx->arena, "%s, and %s will take about %s", ret->text,
        input->step ? "this step" : "the plan", text_from_us(ctx->arena, needed_us));
    ret->remedy = "begin when the next window opens, or give it a longer one (--low-traffic)";
}

bool
gate_check_window(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_gate_window_rows rows;
    struct window window;

    ret->state = GATE_GREEN;
    ret->text = "changes may be made at any time (no --low-traffic)";
    if (text_is_empty(input->low_traffic))
        return true;
    if (!read_window(ctx, input->low_traffic, &window))
        return false;
    if (!sql_change_gate_window(ctx, input->db, &rows, .zone = window.zone, .begins = window.begins,
            .ends = window.ends)) {
        if (text_equal(ctx->error.sqlstate, "22023"))
            error_set(ctx, ERR_USAGE, "the server knows no time zone \"%s\"", window.zone);
        return error_wrap(ctx, "--low-traffic");
    }
    judge(ctx, input, &rows.items[0], window.zone, ret);
    return true;
}
