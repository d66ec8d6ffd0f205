/*
 * Messages found in the bytes that pass: type and length are read, bodies are skipped by arithmetic.
 * Nothing here can hold up or change what passes; bytes that are no messages end the session's trace.
 */
#include <ctype.h>

#include "base/memory.h"
#include "queries/proxy/link.h"

#define LONGEST_MESSAGE ((uint32_t)1 << 30) /* PostgreSQL's own limit */
#define MOST_ROWS       1000
#define MOST_ROW_BYTES  ((uint32_t)1 << 20)
#define MOST_UNCLOSED   ((size_t)1 << 16)

static void
put(struct link *link, struct record *record, const void *bytes)
{
    record->session = link->session;
    record->at_us = link->proxy->now_us;
    record->is_after_gap = link->is_gap;
    link->is_gap = !record_ring_add(link->proxy->ring, record, bytes);
}

static bool
put_open(struct link *link)
{
    struct record record = { .kind = RECORD_OPEN };

    record.length = record.kept = link->open_length;
    put(link, &record, link->open_bytes);
    if (link->is_gap)
        return false;
    free(link->open_bytes);
    link->open_bytes = NULL;
    return true;
}

void
link_trace_open(struct link *link, const char *start, size_t length)
{
    if (!link->proxy->ring)
        return;
    if (length > link->proxy->kept_bytes)
        length = link->proxy->kept_bytes;
    link->session = ++link->proxy->last_session;
    link->is_traced = true;
    link->open_bytes = malloc(length + 1);
    if (!link->open_bytes)
        memory_exhausted(0);
    if (length > 0)
        memcpy(link->open_bytes, start, length);
    link->open_length = (uint32_t)length;
    put_open(link);
}

/* Whether the reader is to see such a message; counts the rows of a result. */
static bool
is_wanted(struct link_side *side)
{
    struct link_frame *frame = &side->frame;

    if (!side->link->is_traced)
        return false;
    switch (frame->type) {
    case 'd':
    case 'N':
    case 'A':
    case 'p':
        return false;
    case 'K':
        return side == &side->link->sides[LINK_CLIENT];
    case 'D':
        if (side == &side->link->sides[LINK_CLIENT])
            return true;
        if (frame->rows < MOST_ROWS && frame->row_bytes <= MOST_ROW_BYTES) {
            frame->rows++;
            frame->row_bytes += frame->length < MOST_ROW_BYTES ? frame->length : MOST_ROW_BYTES;
            return true;
        }
        if (frame->skipped < UINT32_MAX)
            frame->skipped++;
        return false;
    default:
        return true;
    }
}

static void
put_message(struct link_side *side, const char *bytes)
{
    struct link *link = side->link;
    struct link_frame *frame = &side->frame;
    struct record record = {
        .length = frame->length,
        .kept = frame->kept_wanted,
        .kind = side == &link->sides[LINK_CLIENT] ? RECORD_CLIENT : RECORD_SERVER,
        .type = frame->type,
        .skipped = frame->skipped,
    };

    if (link->open_bytes && !put_open(link))
        return;
    put(link, &record, bytes);
    if (frame->type != 'D' && record.kind == RECORD_SERVER) {
        frame->rows = 0;
        frame->row_bytes = 0;
        frame->skipped = 0;
    }
}

static void
end_trace(struct link *link)
{
    for (size_t i = 0; i < COUNT_OF(link->sides); i++) {
        free(link->sides[i].frame.kept);
        link->sides[i].frame.kept = NULL;
    }
    if (!link->is_traced)
        return;
    link_trace_close(link);
}

/* False when these five bytes begin no message. */
static bool
begin_message(struct link_side *side, const unsigned char *head)
{
    struct link_frame *frame = &side->frame;
    uint32_t length = (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 |
                      (uint32_t)head[4];

    if (length < 4 || length > LONGEST_MESSAGE || !isalnum(head[0]))
        return false;
    frame->type = (char)head[0];
    frame->length = frame->left = length - 4;
    frame->is_wanted = is_wanted(side);
    frame->kept_length = 0;
    frame->kept_wanted = frame->length < side->link->proxy->kept_bytes
                             ? frame->length
                             : side->link->proxy->kept_bytes;
    side->link->proxy->counts.messages++;
    return true;
}

static void
end_message(struct link_side *side)
{
    struct link_frame *frame = &side->frame;

    if (frame->is_wanted)
        put_message(side, frame->kept ? frame->kept : "");
    free(frame->kept);
    frame->kept = NULL;
}

/* Of a body that came in pieces. */
static void
add_piece(struct link_side *side, const char *data, size_t length)
{
    struct link_frame *frame = &side->frame;
    size_t room = frame->kept_wanted - frame->kept_length;

    if (!frame->is_wanted || room == 0)
        return;
    if (!frame->kept)
        frame->kept = malloc(frame->kept_wanted);
    if (!frame->kept)
        memory_exhausted(0);
    if (length > room)
        length = room;
    memcpy(frame->kept + frame->kept_length, data, length);
    frame->kept_length += (uint32_t)length;
}

/* The five bytes of a header, which may come one by one; false: they are none. */
static bool
take_head(struct link_side *side, const char **data, const char *end)
{
    struct link_frame *frame = &side->frame;

    while (frame->head_length < sizeof(frame->head) && *data < end)
        frame->head[frame->head_length++] = (unsigned char)*(*data)++;
    if (frame->head_length < sizeof(frame->head))
        return true;
    frame->head_length = 0;
    if (!begin_message(side, frame->head))
        return false;
    if (frame->left == 0)
        end_message(side);
    return true;
}

static void
take_body(struct link_side *side, const char **data, const char *end)
{
    struct link_frame *frame = &side->frame;
    size_t length = (size_t)(end - *data);

    if (length > frame->left)
        length = frame->left;
    add_piece(side, *data, length);
    *data += length;
    frame->left -= (uint32_t)length;
    if (frame->left == 0)
        end_message(side);
}

void
link_trace_bytes(struct link_side *side, const char *data, size_t length)
{
    struct link_frame *frame = &side->frame;
    const char *end = data + length;
    bool is_good = true;

    while (data < end && is_good && !frame->is_lost) {
        if (frame->left > 0) {
            take_body(side, &data, end);
        } else if (frame->head_length > 0 || end - data < (ptrdiff_t)sizeof(frame->head)) {
            is_good = take_head(side, &data, end);
        } else if (!begin_message(side, (const unsigned char *)data)) {
            is_good = false;
        } else {
            data += sizeof(frame->head);
            if (frame->left > (size_t)(end - data))
                continue;
            if (frame->is_wanted)
                put_message(side, data);
            data += frame->left;
            frame->left = 0;
        }
    }
    if (!is_good) {
        link_other(side)->frame.is_lost = frame->is_lost = true;
        end_trace(side->link);
    }
}

static bool
put_close(struct proxy *proxy, uint64_t session, bool is_gap)
{
    const struct record record = {
        .session = session,
        .at_us = proxy->now_us,
        .kind = RECORD_CLOSE,
        .is_after_gap = is_gap,
    };

    return record_ring_put(proxy->ring, &record, NULL);
}

/* The reader keeps something of each session until it has closed: that must not be lost. */
void
link_trace_close(struct link *link)
{
    struct proxy *proxy = link->proxy;

    if (!link->is_traced)
        return;
    link->is_traced = false;
    if (link->open_bytes) { /* never told of */
        free(link->open_bytes);
        link->open_bytes = NULL;
        return;
    }
    if (put_close(proxy, link->session, link->is_gap))
        return;
    if (proxy->unclosed_count == MOST_UNCLOSED)
        return; /* nobody reads any more */
    if (proxy->unclosed_count == proxy->unclosed_size) {
        proxy->unclosed_size = proxy->unclosed_size * 2 + 64;
        proxy->unclosed = realloc(proxy->unclosed, proxy->unclosed_size * sizeof(uint64_t));
        if (!proxy->unclosed)
            memory_exhausted(0);
    }
    proxy->unclosed[proxy->unclosed_count++] = link->session;
    link_start_sweep(proxy);
}

void
link_trace_put_again(struct proxy *proxy)
{
    while (proxy->unclosed_count > 0 &&
           put_close(proxy, proxy->unclosed[proxy->unclosed_count - 1], true))
        proxy->unclosed_count--;
}
