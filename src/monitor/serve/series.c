#include <math.h>

#include "base/clock.h"
#include "monitor/history.h"
#include "monitor/serve/serve_part.h"

/* Times as steps from the one before, and not at all where they are those of the series before. */
static void
write_times(
    struct writer *writer, const struct history_points *points, const struct history_points *before)
{
    if (before && before->count == points->count &&
        memcmp(before->at, points->at, points->count * sizeof(points->at[0])) == 0)
        return;
    writer_open(writer, "at", '[');
    for (size_t i = 0; i < points->count; i++)
        writer_int(writer, NULL, i > 0 ? points->at[i] - points->at[i - 1] : points->at[i]);
    writer_close(writer, ']');
}

static void
write_values(struct writer *writer, const struct history_points *points)
{
    writer_open(writer, "values", '[');
    for (size_t i = 0; i < points->count; i++)
        writer_number(writer, NULL, points->values[i]);
    writer_close(writer, ']');
}

struct wanted {
    const char *server;
    int64_t from_wall_us;
    size_t most_points;
};

/* before: the points written last, for their times. */
static const struct history_points *
write_metric(struct writer *writer, const struct serve *serve, const struct wanted *wanted,
    const char *metric, const struct history_points *before)
{
    struct history_points *points = NULL;
    size_t count = history_points(serve->monitor->history, writer->text.arena,
        &(const struct history_question){
            wanted->server, metric, wanted->from_wall_us, wanted->most_points },
        &points);

    for (size_t i = 0; i < count; i++) {
        writer_open(writer, NULL, '{');
        writer_text(writer, "metric", metric);
        writer_text(writer, "labels", points[i].labels);
        write_times(writer, &points[i], before);
        write_values(writer, &points[i]);
        writer_close(writer, '}');
        before = &points[i];
    }
    return before;
}

/* The names between commas; all that there are when none is given. */
static void
split_names(const struct serve *serve, struct arena *arena, const struct watched *server,
    const char *given, struct text_list *ret)
{
    if (text_is_empty(given)) {
        history_metrics(serve->monitor->history, arena, server->name, ret);
        return;
    }
    while (*given) {
        size_t length = strcspn(given, ",");

        if (length > 0)
            text_list_add(arena, ret, arena_strndup(arena, given, length));
        given += length + (given[length] == ',');
    }
}

/* The number of a query's member; otherwise where it is missing or none. */
static double
query_number(const struct http_request *request, const char *name, double otherwise)
{
    const char *text = http_request_query(request, name);
    double number;

    return text && text_to_double(text, &number) && isfinite(number) ? number : otherwise;
}

void
serve_series(void *data, struct http_request *request)
{
    enum { MOST_METRICS = 200, MOST_POINTS = 2000, POINTS = 720 };
    struct serve *serve = data;
    struct arena *arena = http_request_arena(request);
    const struct watched *server =
        serve_find(serve->monitor, http_request_query(request, "server"));
    double now_s = (double)clock_wall_us() / 1e6;
    double from_s = query_number(request, "from", now_s - 900);
    double points = query_number(request, "points", POINTS);
    struct writer writer = { .text.arena = arena };
    struct text_list names = { 0 };
    const struct history_points *before = NULL;
    struct wanted wanted;

    if (!server) {
        http_fail(request,
            &(struct error){ .kind = ERR_NOT_FOUND, .message = "there is no server of this name" });
        return;
    }
    wanted.server = server->name;
    /* A negative one is so many seconds before now. */
    wanted.from_wall_us =
        (int64_t)(fmin(fmax(from_s < 0 ? now_s + from_s : from_s, 0), now_s) * 1e6);
    wanted.most_points = (size_t)fmin(fmax(points, 2), MOST_POINTS);
    split_names(serve, arena, server, http_request_query(request, "metric"), &names);
    writer_open(&writer, NULL, '{');
    writer_time(&writer, "from", wanted.from_wall_us);
    writer_time(&writer, "now", clock_wall_us());
    writer_open(&writer, "series", '[');
    for (size_t i = 0; i < names.count && i < MOST_METRICS; i++)
        before = write_metric(&writer, serve, &wanted, names.items[i], before);
    writer_close(&writer, ']');
    writer_close(&writer, '}');
    serve_answer_json(request, &writer);
}
