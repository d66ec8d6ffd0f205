#include <stdlib.h>

#include "monitor/serve/serve_part.h"

enum { PING_US = 15 * 1000 * 1000, MOST_STREAMS = 50 };

/* One open page, and the server that it shows. */
struct page_stream {
    struct serve *serve;
    struct http_stream *stream;
    const struct watched *server;
    struct page_stream *next;
};

/* The browser has gone: it has no other end to be told. */
static void
closed(void *data)
{
    struct page_stream *gone = data;

    for (struct page_stream **at = &gone->serve->streams; *at; at = &(*at)->next) {
        if (*at == gone) {
            *at = gone->next;
            break;
        }
    }
    free(gone);
}

size_t
serve_page_count(const struct serve *serve)
{
    size_t count = 0;

    for (const struct page_stream *at = serve->streams; at; at = at->next)
        count++;
    return count;
}

/* So that a page notices a connection that is dead, also while no server ticks. */
static void
ping(void *data)
{
    struct serve *serve = data;
    struct page_stream *next;

    for (struct page_stream *at = serve->streams; at; at = next) {
        next = at->next;
        (void)http_stream_send(at->stream, "ping", "{}");
    }
    loop_timer_set(serve->ping, PING_US);
}

static void
send_state(struct page_stream *to, bool is_whole)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct writer writer = { .text.arena = arena };

    state_write(&writer, to->serve, to->server, is_whole);
    (void)http_stream_send(to->stream, "state", buffer_text(&writer.text));
}

void
serve_events(void *data, struct http_request *request)
{
    struct serve *serve = data;
    const struct watched *server =
        serve_find(serve->monitor, http_request_query(request, "server"));
    struct page_stream *new;

    if (serve_page_count(serve) >= MOST_STREAMS) {
        http_fail(request,
            &(struct error){ .kind = ERR_CONNECTION, .message = "too many pages are open" });
        return;
    }
    new = calloc(1, sizeof(*new));
    if (!new) {
        http_fail(request, &(struct error){ .kind = ERR_FAILED, .message = "out of memory" });
        return;
    }
    new->serve = serve;
    /* A bookmark of a server that is no longer watched shows the first one. */
    new->server = server ? server : serve_find(serve->monitor, NULL);
    new->next = serve->streams;
    serve->streams = new;
    new->stream = http_stream_begin(request, closed, new);
    if (!serve->ping) {
        serve->ping = loop_timer_new(serve->monitor->loop, ping, serve);
        loop_timer_set(serve->ping, PING_US);
    }
    send_state(new, true);
}

void
serve_ticked(struct monitor *monitor, const struct watched *server)
{
    struct serve *serve = monitor->serve;
    struct arena *arena CLEANUP(arena_cleanup) = NULL;
    const char *summary = NULL;
    struct page_stream *next;

    if (!serve)
        return;
    trend_add(serve_trend(serve, server), server);
    for (struct page_stream *at = serve->streams; at; at = next) {
        next = at->next;
        if (at->server == server) {
            send_state(at, false);
            continue;
        }
        if (!summary) {
            struct writer writer = { 0 };

            arena = arena_new();
            writer.text.arena = arena;
            state_write_summary(&writer, serve, server);
            summary = buffer_text(&writer.text);
        }
        (void)http_stream_send(at->stream, "server", summary);
    }
}

/* The list as a whole: a page that missed an event is right again with the next one. */
void
serve_alert(struct monitor *monitor, const struct alert *alert)
{
    struct serve *serve = monitor->serve;
    struct arena *arena CLEANUP(arena_cleanup) = NULL;
    struct writer writer = { 0 };
    struct page_stream *next;

    if (!serve || !serve->streams)
        return;
    arena = arena_new();
    writer.text.arena = arena;
    writer_open(&writer, NULL, '{');
    writer_text(&writer, "changed", alert->id);
    state_write_alerts(&writer, serve);
    writer_close(&writer, '}');
    for (struct page_stream *at = serve->streams; at; at = next) {
        next = at->next;
        (void)http_stream_send(at->stream, "alerts", buffer_text(&writer.text));
    }
}

void
serve_events_end(struct serve *serve)
{
    loop_timer_free(serve->ping);
    serve->ping = NULL;
    while (serve->streams) {
        struct page_stream *first = serve->streams;

        http_stream_end(first->stream);
        /* Whether ending calls closed() is the stream's business; both ways it is gone once. */
        if (serve->streams == first) {
            serve->streams = first->next;
            free(first);
        }
    }
}
