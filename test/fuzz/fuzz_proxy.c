/*
 * Any bytes as what two sides say after the log-in: the messages that the proxy finds while the bytes
 * pass, in pieces, are those that wire.c finds in the whole. The first byte of each piece says how long
 * it is and who sends it.
 */
#include <assert.h>
#include <ctype.h>

#include "queries/proxy/link.h"

enum { KEPT = 64, RING = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct wire_stream stream;
    bool is_over;
};

static bool
is_told(bool is_client, char type)
{
    return !strchr("dNAp", type) && (is_client || type != 'K');
}

/* The next message of the side that the reader is told of; false: there is none. */
static bool
next_told(struct ctx *ctx, struct seen *side, bool is_client, struct wire_message *ret)
{
    bool is_done = true;

    while (!side->is_over) {
        if (!wire_next(ctx, &side->stream, ret, &is_done) ||
            (is_done && !isalnum((uint8_t)ret->type)))
            side->is_over = true;
        else if (!is_done)
            return false;
        else if (is_told(is_client, ret->type))
            return true;
    }
    return false;
}

static void
compare(struct ctx *ctx, struct record_ring *ring, struct seen *sides, bool is_lost)
{
    const struct record *record;
    const char *bytes;
    bool has_closed = false;

    while ((record = record_ring_take(ring, 0, &bytes))) {
        struct wire_message message;
        bool is_client = record->kind == RECORD_CLIENT;

        assert(!has_closed && record->session == 1 && !record->is_after_gap);
        if (record->kind == RECORD_CLOSE) {
            has_closed = true;
            continue;
        }
        if (record->kind == RECORD_OPEN)
            continue;
        assert(next_told(ctx, &sides[is_client ? LINK_CLIENT : LINK_SERVER], is_client, &message));
        assert(record->type == message.type && record->length == message.length);
        assert(record->kept == (message.length < KEPT ? message.length : KEPT));
        assert(memcmp(bytes, message.body, record->kept) == 0);
    }
    assert(has_closed == is_lost);
    for (int i = 0; i < 2 && !is_lost; i++) {
        struct wire_message message;

        assert(!next_told(ctx, &sides[i], i == LINK_CLIENT, &message));
        assert(!sides[i].is_over);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct proxy *proxy = arena_alloc(arena, sizeof(*proxy));
    struct link *link = arena_alloc(arena, sizeof(*link));
    struct seen sides[2] = { { .stream = { .has_start = true } },
        { .stream = { .has_start = true } } };
    bool is_lost;

    if (size > RING / 8) /* more would not fit into the ring */
        return 0;
    proxy->ring = record_ring_new(RING);
    proxy->kept_bytes = KEPT;
    link->proxy = proxy;
    link->sides[0].link = link->sides[1].link = link;
    link_trace_open(link, "user", 4);
    while (size > 1) {
        size_t length = (size_t)(*data >> 1) + 1;
        int side = *data & 1;

        data++;
        size--;
        if (length > size)
            length = size;
        wire_feed(&sides[side].stream, data, length);
        if (!link->sides[side].frame.is_lost)
            link_trace_bytes(&link->sides[side], (const char *)data, length);
        data += length;
        size -= length;
    }
    is_lost = link->sides[LINK_CLIENT].frame.is_lost;
    assert(is_lost == link->sides[LINK_SERVER].frame.is_lost);
    record_ring_publish(proxy->ring);
    compare(&ctx, proxy->ring, sides, is_lost);
    link_trace_close(link);
    for (int i = 0; i < 2; i++) {
        free(link->sides[i].frame.kept);
        wire_free(&sides[i].stream);
    }
    free(proxy->unclosed);
    record_ring_free(proxy->ring);
    return 0;
}
