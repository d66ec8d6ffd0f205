/*
 * The graph as lines of text. Each column is a lane that runs down to the revision it waits for;
 * lanes join above the revision that they share, and fork below a merge.
 */
#include <string.h>

#include "migrate/graph/graph_draw.h"

enum { MOST_LANES = 40 }; /* that are drawn; more are "…" */

static const size_t nobody = SIZE_MAX;

/* One lane's sign and what fills the room to the next. */
struct cell {
    const char *sign;
    bool is_crossed; /* a horizontal line goes on to the right */
};

struct canvas {
    struct arena *arena;
    const struct graph *graph;
    struct buffer out;
    size_t width;
    bool *is_drawn; /* by node */
    struct buffer line;
    struct cell cells[MOST_LANES]; /* of the line */
    struct {
        size_t *items; /* the node that a lane runs to, or nobody */
        size_t count;
        size_t capacity;
    } lanes;
};

static size_t
drawn_lanes(const struct canvas *canvas)
{
    return canvas->lanes.count < MOST_LANES ? canvas->lanes.count : MOST_LANES;
}

static void
begin_line(struct canvas *canvas)
{
    canvas->line.length = 0;
    for (size_t i = 0; i < drawn_lanes(canvas); i++)
        canvas->cells[i] = (struct cell){ .sign = canvas->lanes.items[i] == nobody ? " " : "│" };
}

static void
put_cells(struct canvas *canvas)
{
    for (size_t i = 0; i < drawn_lanes(canvas); i++) {
        buffer_add(&canvas->line, canvas->cells[i].sign);
        buffer_add(&canvas->line, canvas->cells[i].is_crossed ? "─" : " ");
    }
    if (canvas->lanes.count > MOST_LANES)
        buffer_add(&canvas->line, "… ");
}

/* The line without spaces at its end, cut to the width. */
static void
put_line(struct canvas *canvas)
{
    const char *text = buffer_text(&canvas->line);
    size_t length = strlen(text), columns = 0, end = 0;

    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (canvas->width == 0 || text_width(text) <= canvas->width) {
        buffer_append(&canvas->out, text, length);
        buffer_add(&canvas->out, "\n");
        return;
    }
    while (text[end]) {
        size_t size = 1;

        while ((text[end + size] & 0xC0) == 0x80)
            size++;
        columns += text_width(arena_strndup(canvas->arena, text + end, size));
        if (columns >= canvas->width)
            break;
        end += size;
    }
    buffer_append(&canvas->out, text, end);
    buffer_add(&canvas->out, "…\n");
}

/* Draws a horizontal line from one lane to another; ends there with the sign. */
static void
connect(struct canvas *canvas, size_t from, size_t to, const char *sign)
{
    struct cell *cells = canvas->cells;
    size_t left = from < to ? from : to, right = from < to ? to : from;

    for (size_t i = left; i < right && i < MOST_LANES; i++) {
        cells[i].is_crossed = true;
        if (i > left && strcmp(cells[i].sign, " ") == 0)
            cells[i].sign = "─";
    }
    if (to < MOST_LANES)
        cells[to].sign = sign;
    if (from >= MOST_LANES)
        return;
    if (strcmp(cells[from].sign, from < to ? "┤" : "├") == 0)
        cells[from].sign = "┼";
    else if (strcmp(cells[from].sign, "┼") != 0)
        cells[from].sign = from < to ? "├" : "┤";
}

static size_t
lane_of(const struct canvas *canvas, size_t node)
{
    for (size_t i = 0; i < canvas->lanes.count; i++)
        if (canvas->lanes.items[i] == node)
            return i;
    return nobody;
}

/* A lane to the right of this one if there is room, else at the end. */
static size_t
new_lane(struct canvas *canvas, size_t after, size_t node)
{
    size_t lane = canvas->lanes.count;

    for (size_t i = after; i < canvas->lanes.count; i++)
        if (canvas->lanes.items[i] == nobody) {
            lane = i;
            break;
        }
    if (lane == canvas->lanes.count)
        VEC_PUSH(canvas->arena, &canvas->lanes, nobody);
    canvas->lanes.items[lane] = node;
    return lane;
}

static void
trim_lanes(struct canvas *canvas)
{
    while (canvas->lanes.count > 0 && canvas->lanes.items[canvas->lanes.count - 1] == nobody)
        canvas->lanes.count--;
}

/* Lanes that run to the same revision end in the first of them. */
static void
join(struct canvas *canvas, size_t lane, size_t node)
{
    size_t last = lane;

    for (size_t i = lane + 1; i < canvas->lanes.count; i++)
        if (canvas->lanes.items[i] == node)
            last = i;
    if (last == lane)
        return;
    begin_line(canvas);
    for (size_t i = lane + 1; i <= last; i++) {
        if (canvas->lanes.items[i] != node)
            continue;
        connect(canvas, lane, i, i == last ? "╯" : "┴");
        canvas->lanes.items[i] = nobody;
    }
    put_cells(canvas);
    put_line(canvas);
    trim_lanes(canvas);
}

/* Where a lane starts or is met; the line that comes from the left goes on unless it is the last. */
static const char *
sign_at(bool is_new, bool is_left, bool is_last)
{
    if (is_left)
        return "├";
    if (is_last)
        return is_new ? "╮" : "┤";
    return is_new ? "┬" : "┼";
}

/* Draws the lines from a merge to the lanes of its other parents. */
static void
draw_fork(struct canvas *canvas, size_t lane, const struct node *node, const bool *is_old)
{
    size_t last = lane;

    for (size_t i = 1; i < node->parents.count; i++) {
        size_t to = lane_of(canvas, node->parents.items[i]);

        if (to != nobody && to > last)
            last = to;
    }
    begin_line(canvas);
    for (size_t i = 1; i < node->parents.count; i++) {
        size_t to = lane_of(canvas, node->parents.items[i]);

        if (to != nobody && to != lane)
            connect(canvas, lane, to, sign_at(!is_old[i], to < lane, to == last));
    }
    put_cells(canvas);
    put_line(canvas);
}

/* The first parent goes on in the lane, each other one in its own. */
static void
fork_lanes(struct canvas *canvas, size_t lane, const struct node *node)
{
    bool *is_old = ARENA_ARRAY(canvas->arena, bool, node->parents.count + 1);

    canvas->lanes.items[lane] = nobody;
    for (size_t i = 0; i < node->parents.count; i++) {
        size_t parent = node->parents.items[i];

        if (canvas->is_drawn[parent])
            continue;
        if (canvas->lanes.items[lane] == nobody) {
            canvas->lanes.items[lane] = parent;
            continue;
        }
        is_old[i] = lane_of(canvas, parent) != nobody;
        if (!is_old[i])
            new_lane(canvas, lane + 1, parent);
    }
    if (node->parents.count > 1)
        draw_fork(canvas, lane, node, is_old);
    trim_lanes(canvas);
}

static void
put_revision(struct canvas *canvas, const struct node *node)
{
    const struct revision *revision = node->revision;
    const char *marks = graph_marks(canvas->arena, canvas->graph, node);
    struct buffer *line = &canvas->line;

    buffer_add(line, revision->id ? revision->id : revision->file);
    if (*marks)
        buffer_printf(line, " %s", marks);
    if (revision->message)
        buffer_printf(line, " %s", revision->message);
    for (size_t i = 0; i < node->dependencies.count; i++)
        buffer_printf(line, "%s%s", i == 0 ? " (depends on " : ", ",
            canvas->graph->nodes[node->dependencies.items[i]].revision->id);
    if (node->dependencies.count > 0)
        buffer_add(line, ")");
}

static void
draw(struct canvas *canvas, size_t index)
{
    const struct node *node = &canvas->graph->nodes[index];
    size_t lane = lane_of(canvas, index);

    if (lane == nobody)
        lane = new_lane(canvas, 0, index);
    join(canvas, lane, index);
    begin_line(canvas);
    if (lane < MOST_LANES)
        canvas->cells[lane].sign = graph_trouble(canvas->graph, index) ? "!" : "*";
    put_cells(canvas);
    put_revision(canvas, node);
    put_line(canvas);
    canvas->is_drawn[index] = true;
    fork_lanes(canvas, lane, node);
}

/* What is not in the order: hidden, or behind something that is missing. */
static void
list_others(struct canvas *canvas)
{
    const struct graph *graph = canvas->graph;
    bool is_first = true;

    for (size_t i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];

        if (node->position != SIZE_MAX)
            continue;
        if (is_first && graph->order.count > 0)
            buffer_add(&canvas->out, "\n");
        if (is_first)
            buffer_add(&canvas->out, "Not applied:\n");
        is_first = false;
        canvas->line.length = 0;
        buffer_add(&canvas->line, "! ");
        put_revision(canvas, node);
        if (node->revision->down.count > 0)
            buffer_printf(&canvas->line, " (after %s)",
                text_list_join(canvas->arena, &node->revision->down, ", "));
        put_line(canvas);
    }
}

const char *
graph_text(struct arena *arena, const struct graph *graph, size_t width)
{
    struct canvas canvas = {
        .arena = arena,
        .graph = graph,
        .out = { .arena = arena },
        .line = { .arena = arena },
        .width = width,
        .is_drawn = ARENA_ARRAY(arena, bool, graph->count + 1),
    };

    for (size_t i = graph->order.count; i-- > 0;)
        draw(&canvas, graph->order.items[i]);
    list_others(&canvas);
    return buffer_text(&canvas.out);
}
