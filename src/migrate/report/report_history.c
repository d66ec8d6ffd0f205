/* The history as a drawing: newest first, a lane for each line of revisions, as git log --graph. */
#include "migrate/report/report_page.h"

enum {
    MOST_ROWS = 500,      /* of a longer history the last ones are drawn */
    MOST_LANES = 40,      /* further ones share the last */
    MOST_OPERATIONS = 40, /* of a revision */
    ROW_HEIGHT = 28,
    LANE_WIDTH = 14,
    LANE_COLORS = 6,
    DOT_RADIUS = 5
};

#define NOWHERE SIZE_MAX

struct edge {
    size_t row; /* of the child */
    size_t from;
    size_t lane; /* the one it goes down in, which is the parent's */
    size_t end;  /* row of the parent; the number of rows when it is not drawn */
    bool is_dependency;
};

struct drawing {
    const struct page *page;
    const struct graph *graph;
    size_t *rows; /* the node of each row */
    size_t count;
    size_t *row_of;    /* of each node, or NOWHERE */
    size_t *lane_of;   /* of each row */
    VEC(size_t) lanes; /* the node each lane waits for, NOWHERE: free */
    VEC(struct edge) edges;
    size_t widest;
};

static size_t
find_lane(const struct drawing *drawing, size_t node)
{
    for (size_t i = 0; i < drawing->lanes.count; i++)
        if (drawing->lanes.items[i] == node)
            return i;
    return NOWHERE;
}

static size_t
free_lane(struct drawing *drawing)
{
    size_t lane = find_lane(drawing, NOWHERE);

    if (lane != NOWHERE)
        return lane;
    VEC_PUSH(drawing->page->arena, &drawing->lanes, NOWHERE);
    return drawing->lanes.count - 1;
}

static void
add_edge(struct drawing *drawing, size_t row, size_t parent, bool is_dependency)
{
    size_t lane = find_lane(drawing, parent);
    size_t end = drawing->row_of[parent];

    if (end != NOWHERE && end <= row)
        return; /* a cycle: there is no way down */
    if (lane == NOWHERE) {
        size_t own = drawing->lane_of[row];

        lane = drawing->lanes.items[own] == NOWHERE ? own : free_lane(drawing);
        drawing->lanes.items[lane] = parent;
    }
    VEC_PUSH(drawing->page->arena, &drawing->edges,
        (struct edge){ row, drawing->lane_of[row], lane, end == NOWHERE ? drawing->count : end,
            is_dependency });
}

static void
place_row(struct drawing *drawing, size_t row)
{
    const struct node *node = &drawing->graph->nodes[drawing->rows[row]];
    size_t lane = find_lane(drawing, drawing->rows[row]);

    if (lane == NOWHERE)
        lane = free_lane(drawing);
    drawing->lanes.items[lane] = NOWHERE;
    drawing->lane_of[row] = lane;
    for (size_t i = 0; i < node->parents.count; i++)
        add_edge(drawing, row, node->parents.items[i], false);
    for (size_t i = 0; i < node->dependencies.count; i++)
        add_edge(drawing, row, node->dependencies.items[i], true);
    if (drawing->lanes.count > drawing->widest)
        drawing->widest = drawing->lanes.count;
}

/* Newest first; on top those that cannot be applied. */
static void
choose_rows(struct drawing *drawing)
{
    const struct graph *graph = drawing->graph;
    struct arena *arena = drawing->page->arena;

    drawing->rows = ARENA_ARRAY(arena, size_t, MOST_ROWS);
    drawing->row_of = ARENA_ARRAY(arena, size_t, graph->count + 1);
    for (size_t i = 0; i < graph->count; i++) {
        drawing->row_of[i] = NOWHERE;
        if (graph->nodes[i].position == SIZE_MAX && drawing->count < MOST_ROWS)
            drawing->rows[drawing->count++] = i;
    }
    for (size_t i = graph->order.count; i > 0 && drawing->count < MOST_ROWS; i--)
        drawing->rows[drawing->count++] = graph->order.items[i - 1];
    for (size_t row = 0; row < drawing->count; row++)
        drawing->row_of[drawing->rows[row]] = row;
    drawing->lane_of = ARENA_ARRAY(arena, size_t, drawing->count + 1);
}

static int
x_of(size_t lane)
{
    return LANE_WIDTH + LANE_WIDTH * (int)(lane < MOST_LANES ? lane : MOST_LANES - 1);
}

static int
y_of(size_t row)
{
    return ROW_HEIGHT / 2 + ROW_HEIGHT * (int)row;
}

static void
put_edge(FILE *out, const struct edge *edge)
{
    int from = x_of(edge->from);
    int to = x_of(edge->lane);
    int top = y_of(edge->row);

    fprintf(out, "<path class=\"edge l%zu%s\" d=\"M%d %d", edge->lane % LANE_COLORS,
        edge->is_dependency ? " depends" : "", from, top);
    if (from != to)
        fprintf(out, "C%d %d %d %d %d %d", from, top + ROW_HEIGHT * 3 / 4, to, top + ROW_HEIGHT / 4,
            to, top + ROW_HEIGHT);
    fprintf(out, "V%d\"/>\n", y_of(edge->end));
}

static const char *
name_of(const struct revision *revision)
{
    return revision->id ? revision->id : render_path(revision->file);
}

static const char *
trouble_of(const struct page *page, size_t revision)
{
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        if (page->counts[revision][severity] > 0)
            return severity_name((enum severity)severity);
    return "fine";
}

static void
put_drawing(const struct drawing *drawing)
{
    FILE *out = drawing->page->out;
    int width = x_of(drawing->widest);
    int height = ROW_HEIGHT * (int)drawing->count;

    fprintf(out,
        "<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
        "aria-label=\"How the revisions follow each other\">\n",
        width, height, width, height);
    for (size_t i = 0; i < drawing->edges.count; i++)
        put_edge(out, &drawing->edges.items[i]);
    for (size_t row = 0; row < drawing->count; row++) {
        const struct node *node = &drawing->graph->nodes[drawing->rows[row]];

        fprintf(out, "<circle class=\"dot %s\" cx=\"%d\" cy=\"%d\" r=\"%d\"><title>",
            trouble_of(drawing->page, node->revision->index), x_of(drawing->lane_of[row]),
            y_of(row), node->is_merge_point ? DOT_RADIUS + 1 : DOT_RADIUS);
        markup_text(out, name_of(node->revision));
        fputs("</title></circle>\n", out);
    }
    fputs("</svg>\n", out);
}

static void
put_row(const struct page *page, const struct node *node)
{
    const struct revision *revision = node->revision;
    FILE *out = page->out;

    fprintf(out, "<li><a href=\"#rev-%zu\"><span class=\"id\">", revision->index);
    markup_text(out, name_of(revision));
    fputs("</span><span class=\"message\">", out);
    markup_text(out, revision->message ? revision->message : "");
    fputs("</span>", out);
    if (node->position == SIZE_MAX)
        fputs("<span class=\"chip error\">cannot be applied</span>", out);
    if (node->is_head)
        fputs("<span class=\"chip head\">head</span>", out);
    if (node->is_base)
        fputs("<span class=\"chip\">base</span>", out);
    if (node->is_merge_point)
        fputs("<span class=\"chip\">merge</span>", out);
    page_chips(page, revision->index);
    fputs("</a></li>\n", out);
}

static void
put_operations(const struct page *page, const struct revision *revision)
{
    FILE *out = page->out;
    size_t count = revision->upgrade.count;

    if (count == 0) {
        fputs("<p class=\"where\">changes nothing</p>\n", out);
        return;
    }
    fputs("<ul>\n", out);
    for (size_t i = 0; i < count && i < MOST_OPERATIONS; i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        const struct step *step = &revision->upgrade.items[i];
        const char *object = step_object_text(arena, step);

        fprintf(out, "<li>%s%s", step_kind_name(step->kind), text_is_empty(object) ? "" : ": ");
        markup_text(out, object ? object : "");
        if (step->conditions.count > 0)
            fputs(" <span class=\"chip\">conditional</span>", out);
        if (step->unknown) {
            fputs(" <span class=\"chip warning\">not known:</span> ", out);
            markup_text(out, step->unknown);
        }
        fputs("</li>\n", out);
    }
    if (count > MOST_OPERATIONS)
        fprintf(out, "<li>and %zu more</li>\n", count - MOST_OPERATIONS);
    fputs("</ul>\n", out);
}

static void
put_links(const struct page *page, const char *title, const struct graph *graph,
    const size_t *nodes, size_t count)
{
    if (count == 0)
        return;
    fprintf(page->out, "<p class=\"where\">%s ", title);
    for (size_t i = 0; i < count; i++) {
        fprintf(page->out, "%s<a href=\"#rev-%zu\">", i > 0 ? ", " : "", nodes[i]);
        markup_text(page->out, name_of(graph->nodes[nodes[i]].revision));
        fputs("</a>", page->out);
    }
    fputs("</p>\n", page->out);
}

static void
put_revision(const struct page *page, const struct node *node)
{
    const struct graph *graph = &page->report->analysis->graph;
    const struct revision *revision = node->revision;
    FILE *out = page->out;

    fprintf(out, "<div class=\"revision\" id=\"rev-%zu\">\n<h3>", revision->index);
    markup_text(out, name_of(revision));
    fputs("</h3>\n<p>", out);
    markup_text(out, revision->message ? revision->message : "");
    fputs("</p>\n<p class=\"where\">", out);
    markup_text(out, render_path(revision->file));
    if (revision->coverage != COVERAGE_FULL)
        fprintf(out, " <span class=\"chip warning\">understood: %s</span>",
            coverage_name(revision->coverage));
    fputs("</p>\n", out);
    put_links(page, "follows", graph, node->parents.items, node->parents.count);
    put_links(page, "depends on", graph, node->dependencies.items, node->dependencies.count);
    put_links(page, "followed by", graph, node->children.items, node->children.count);
    if (strcmp(trouble_of(page, revision->index), "fine") != 0) {
        fputs("<p><a class=\"filter\" href=\"#findings\" data-revision=\"", out);
        markup_text(out, name_of(revision));
        fputs("\">its findings</a> ", out);
        page_chips(page, revision->index);
        fputs("</p>\n", out);
    }
    fputs("<h4>What it does</h4>\n", out);
    put_operations(page, revision);
    fputs("</div>\n", out);
}

void
page_history(const struct page *page)
{
    const struct graph *graph = &page->report->analysis->graph;
    struct drawing drawing = { .page = page, .graph = graph };
    FILE *out = page->out;

    choose_rows(&drawing);
    for (size_t row = 0; row < drawing.count; row++)
        place_row(&drawing, row);
    fputs("<h2>History</h2>\n<p class=\"caption\">Newest first, in the order in which Alembic "
          "applies them from the bottom up; dashed lines are <code>depends_on</code>.",
        out);
    if (graph->count > drawing.count)
        fprintf(out, " The last %zu of %zu revisions.", drawing.count, graph->count);
    fputs("</p>\n<div class=\"split\">\n<div class=\"panel history\">\n", out);
    put_drawing(&drawing);
    fputs("<ol>\n", out);
    for (size_t row = 0; row < drawing.count; row++)
        put_row(page, &graph->nodes[drawing.rows[row]]);
    fputs("</ol>\n</div>\n<div class=\"panel side\">\n<p class=\"hint caption\">Choose a revision "
          "to see what it does.</p>\n",
        out);
    for (size_t row = 0; row < drawing.count; row++)
        put_revision(page, &graph->nodes[drawing.rows[row]]);
    fputs("</div>\n</div>\n", out);
}
