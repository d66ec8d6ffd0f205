/*
 * Any bytes as both directions of a connection: no crash, no leak, and every byte of a whole message
 * is given out once. The first byte of each chunk says how long it is and who sends it.
 */
#include <assert.h>
#include <string.h>

#include "workload/wire_track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    struct wire_stream stream;
    size_t fed;
    size_t given;
    bool is_broken;
};

static void
read_one(struct ctx *ctx, const struct wire_message *message, bool is_first)
{
    struct wire_error error;
    struct wire_start start;

    wire_read_error(ctx->arena, message, &error);
    if (is_first && wire_read_start(ctx, message, &start))
        (void)wire_start_value(&start, "user");
    (void)wire_track_name(message);
}

static void
take(struct ctx *ctx, struct side *side, struct wire_track *track, bool is_client)
{
    struct wire_message message;
    bool is_done = true;

    while (!side->is_broken && is_done) {
        if (!wire_next(ctx, &side->stream, &message, &is_done)) {
            side->is_broken = true;
            return;
        }
        if (!is_done)
            break;
        assert(message.size == message.length + (message.type ? 5 : 4) || !message.type);
        side->given += message.size;
        read_one(ctx, &message, !message.type);
        (void)wire_track_sql(track, &message);
        if (is_client)
            wire_track_client(track, &message, (int64_t)side->given);
        else
            wire_track_server(track, &message, (int64_t)side->given);
        (void)wire_track_running(track);
        assert(track->answered <= track->pending.count);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct side sides[2] = { { .stream = { .has_start = false } },
        { .stream = { .has_start = true } } };
    struct wire_track track;

    wire_track_begin(arena, &track);
    while (size > 1) {
        size_t length = (size_t)(*data >> 1) + 1;
        struct side *side = &sides[*data & 1];

        data++;
        size--;
        if (length > size)
            length = size;
        wire_feed(&side->stream, data, length);
        side->fed += length;
        take(&ctx, side, &track, (*(data - 1) & 1) == 0);
        data += length;
        size -= length;
    }
    wire_track_lost(&track, "end", 1);
    assert(track.answered == track.pending.count);
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        size_t left;

        (void)wire_left(&sides[i].stream, &left);
        assert(sides[i].given + left == sides[i].fed);
        wire_free(&sides[i].stream);
    }
    return 0;
}
