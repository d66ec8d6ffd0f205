#include "monitor/top/frame.h"

#include <math.h>
#include <stdlib.h>

#include "monitor/plain.h"
#include "sql.h"

enum { GAP = 1 };

/* ---- cells ---- */

struct top_row *
frame_add(struct frame *frame)
{
    const struct top_row none = { 0 };

    VEC_PUSH(frame->arena, &frame->rows, none);

    struct top_row *row = &frame->rows.items[frame->rows.count - 1];

    for (size_t i = 0; i < TOP_CELLS; i++)
        row->cells[i] = (struct top_cell){ "", NAN };
    row->has_right = true;
    return row;
}

void
frame_text(struct frame *frame, struct top_row *row, size_t column, const char *text)
{
    row->cells[column].text = text ? plain_text(frame->arena, text) : "";
}

void
frame_number(struct frame *frame, struct top_row *row, size_t column, double number)
{
    bool has_fraction = number != 0 && fabs(number) < 10 && number != floor(number);

    if (!isfinite(number))
        return;
    row->cells[column].number = number;
    row->cells[column].text = has_fraction ? arena_printf(frame->arena, "%.1f", number)
                                           : arena_printf(frame->arena, "%.0f", number);
}

static const char *
seconds_text(struct arena *arena, double seconds)
{
    long whole = lround(seconds);

    if (seconds >= 60)
        return arena_printf(arena, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    if (seconds >= 1)
        return arena_printf(arena, "%.1f s", seconds);
    if (seconds < 0.01 && seconds > 0)
        return arena_printf(arena, "%.2f ms", seconds * 1000);
    return arena_printf(arena, "%.0f ms", seconds * 1000);
}

void
frame_seconds(struct frame *frame, struct top_row *row, size_t column, double seconds)
{
    if (!isfinite(seconds))
        return;
    row->cells[column].number = seconds;
    row->cells[column].text = seconds_text(frame->arena, fmax(seconds, 0));
}

void
frame_bytes(struct frame *frame, struct top_row *row, size_t column, double bytes)
{
    if (!isfinite(bytes))
        return;
    row->cells[column].number = bytes;
    row->cells[column].text = text_from_bytes(frame->arena, llround(bytes));
}

void
frame_ratio(struct frame *frame, struct top_row *row, size_t column, double ratio)
{
    if (!isfinite(ratio))
        return;
    row->cells[column].number = ratio;
    row->cells[column].text = arena_printf(frame->arena, "%.1f %%", ratio * 100);
}

const void *
frame_rows(
    struct frame *frame, const struct watched *server, enum collector_id id, size_t *ret_count)
{
    const struct reading *reading = &server->now[id];

    *ret_count = reading->is_good ? reading->rows.count : 0;
    if (reading->is_known && !reading->is_good) {
        const char *needs = collectors[id].needs;

        frame->note =
            plain_text(frame->arena, arena_printf(frame->arena, "%s%s%s", reading->error.message,
                                         needs ? "; " : "", needs ? needs : ""));
    }
    return *ret_count > 0 ? reading->rows.items : NULL;
}

/* ---- the lines above the table ---- */

static const char *
title_of(struct arena *arena, const struct watched *server)
{
    const struct reading *reading = &server->now[COLLECT_SERVER];
    const struct sql_monitor_server *about;

    if (!reading->is_good || reading->rows.count != 1)
        return plain_text(arena, server->name);
    about = READING_ROWS(reading, struct sql_monitor_server);
    return plain_text(
        arena, arena_printf(arena, "%s  PostgreSQL %.12s %s, up %s", server->name, about->version,
                   about->in_recovery ? "standby" : "primary",
                   text_from_us(arena, llround((about->now_epoch - about->started_epoch) * 1e6))));
}

static const struct sql_monitor_database *
find_database(const struct watched *server, const struct reading *reading)
{
    const struct sql_monitor_database *items = READING_ROWS(reading, struct sql_monitor_database);

    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++)
        if (text_equal(items[i].datname, server->database))
            return &items[i];
    return NULL;
}

/* What follows from two readings: nothing across a restart, or when counters went back. */
static void
add_rates(struct buffer *line, const struct watched *server)
{
    const struct reading *now = &server->now[COLLECT_DATABASE];
    const struct reading *before = &server->before[COLLECT_DATABASE];
    const struct sql_monitor_database *a = find_database(server, before);
    const struct sql_monitor_database *b = find_database(server, now);
    double seconds = (double)(now->at_us - before->at_us) / 1e6;
    double blocks;

    if (!a || !b || server->is_gap || seconds <= 0 || b->xact_commit < a->xact_commit ||
        b->blks_hit < a->blks_hit || b->blks_read < a->blks_read)
        return;
    blocks = (double)(b->blks_hit - a->blks_hit + b->blks_read - a->blks_read);
    buffer_printf(line, "  %.0f tx/s", (double)(b->xact_commit - a->xact_commit) / seconds);
    if (blocks > 0)
        buffer_printf(line, "  cache %.1f %%", (double)(b->blks_hit - a->blks_hit) / blocks * 100);
}

static const char *
load_of(struct arena *arena, const struct watched *server)
{
    const struct reading *sessions = &server->now[COLLECT_SESSION];
    const struct sql_monitor_session *items = READING_ROWS(sessions, struct sql_monitor_session);
    const struct reading *about = &server->now[COLLECT_SERVER];
    struct buffer line = { .arena = arena };
    size_t active = 0;
    size_t idle = 0;
    size_t blocked = 0;

    for (size_t i = 0; sessions->is_good && i < sessions->rows.count; i++) {
        active += text_equal(items[i].state, "active") && items[i].leader_pid == 0;
        idle += items[i].state && text_starts_with(items[i].state, "idle in transaction");
        blocked += !text_is_empty(items[i].blocked_by);
    }
    if (about->is_good && about->rows.count == 1)
        buffer_printf(&line, "%d of %d connections  ",
            READING_ROWS(about, struct sql_monitor_server)->connections,
            READING_ROWS(about, struct sql_monitor_server)->max_connections);
    buffer_printf(&line, "%zu active  %zu idle in tx  %zu blocked", active, idle, blocked);
    add_rates(&line, server);
    if (server->host_now.is_known && server->host_before.is_known &&
        server->host_now.cpu_all_total > server->host_before.cpu_all_total)
        buffer_printf(&line, "  CPU %.0f %%",
            (server->host_now.cpu_busy_total - server->host_before.cpu_busy_total) /
                (server->host_now.cpu_all_total - server->host_before.cpu_all_total) * 100);
    return buffer_text(&line);
}

/* ---- filter and order ---- */

static bool
has_text(const struct frame *frame, const struct top_row *row, const char *filter)
{
    for (size_t i = 0; i < frame->view->column_count; i++)
        if (strcasestr(row->cells[i].text, filter))
            return true;
    return row->detail && strcasestr(row->detail, filter);
}

static void
filter_rows(struct frame *frame, const char *filter)
{
    size_t kept = 0;

    if (text_is_empty(filter))
        return;
    for (size_t i = 0; i < frame->rows.count; i++)
        if (has_text(frame, &frame->rows.items[i], filter))
            frame->rows.items[kept++] = frame->rows.items[i];
    frame->filtered = frame->rows.count - kept;
    frame->rows.count = kept;
}

static int
compare(const void *a, const void *b, void *data)
{
    const struct frame *frame = data;
    const struct top_cell *left = &((const struct top_row *)a)->cells[frame->sort];
    const struct top_cell *right = &((const struct top_row *)b)->cells[frame->sort];
    int order;

    /* What has no number is last, either way. */
    if (isnan(left->number) != isnan(right->number))
        return isnan(left->number) ? 1 : -1;
    order = isnan(left->number) ? strcmp(left->text, right->text)
                                : (left->number > right->number) - (left->number < right->number);
    return frame->is_falling ? -order : order;
}

void
frame_make(struct arena *arena, const struct watched *server, const struct frame_wish *wish,
    struct frame *ret)
{
    const struct top_view *view = wish->view;

    *ret = (struct frame){
        .arena = arena,
        .view = view,
        .title = title_of(arena, server),
        .load = load_of(arena, server),
        .sort = wish->sort < view->column_count ? wish->sort : view->sort,
    };
    view->fill(ret, server);
    filter_rows(ret, wish->filter);
    /* Numbers fall and names rise, unless one asks for the reverse. */
    ret->is_falling =
        ret->sort == view->sort ? view->is_falling : view->columns[ret->sort].is_right;
    ret->is_falling = ret->is_falling != wish->is_reversed;
    if (!view->is_ordered && ret->rows.count > 1)
        qsort_r(ret->rows.items, ret->rows.count, sizeof(ret->rows.items[0]), compare, ret);
}

/* ---- lines ---- */

void
layout_make(const struct frame *frame, size_t width, struct layout *ret)
{
    size_t last = frame->view->column_count - 1;
    size_t used = 0;

    *ret = (struct layout){ .width = width };
    for (size_t i = 0; i < last; i++) {
        const struct top_column *column = &frame->view->columns[i];
        size_t widest = text_width(column->title);

        if (width > 0 && width < column->least_screen)
            continue;
        for (size_t row = 0; row < frame->rows.count; row++) {
            size_t own = text_width(frame->rows.items[row].cells[i].text);

            if (own > widest)
                widest = own;
        }
        if (width > 0 && column->most_width > 0 && widest > column->most_width)
            widest = column->most_width;
        ret->widths[i] = widest;
        used += widest + GAP;
    }
    ret->widths[last] = width == 0 ? SIZE_MAX : width > used ? width - used : 1;
}

/* The text without its first characters. */
static const char *
shifted(const char *text, size_t shift)
{
    while (*text && shift > 0) {
        text++;
        if (((unsigned char)*text & 0xC0) != 0x80)
            shift--;
    }
    return text;
}

static const char *
line_of(
    const struct frame *frame, const struct layout *layout, const struct top_row *row, size_t shift)
{
    struct buffer line = { .arena = frame->arena };
    size_t last = frame->view->column_count - 1;

    for (size_t i = 0; i <= last; i++) {
        const struct top_column *column = &frame->view->columns[i];
        const char *text = row ? row->cells[i].text : column->title;
        size_t room = layout->widths[i];

        if (room == 0)
            continue;
        if (i == last)
            text = shifted(text, row ? shift : 0);
        text = room == SIZE_MAX ? text : plain_cut(frame->arena, text, room);
        if (i < last && column->is_right)
            buffer_printf(&line, "%*s", (int)(room - text_width(text)), "");
        buffer_add(&line, text);
        if (i < last)
            buffer_printf(
                &line, "%*s", (int)(column->is_right ? GAP : room - text_width(text) + GAP), "");
    }
    return buffer_text(&line);
}

const char *
layout_head(const struct frame *frame, const struct layout *layout)
{
    return line_of(frame, layout, NULL, 0);
}

const char *
layout_row(const struct frame *frame, const struct layout *layout, size_t row, size_t shift)
{
    return line_of(frame, layout, &frame->rows.items[row], shift);
}
