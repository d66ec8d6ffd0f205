/*
 * What the proxy's loop hands to who looks at the traffic: copies of messages in a ring of fixed size
 * between two threads. The loop never waits: when there is no room the message is dropped, counted,
 * and the next record of that session says so.
 */
#pragma once

#include "base/ctx.h"

enum record_kind {
    RECORD_OPEN, /* a session has begun: bytes are the start-up message's body (names and values) */
    RECORD_CLIENT, /* a message of the client: its type byte, length and the first bytes of its body */
    RECORD_SERVER,
    RECORD_CLOSE, /* the session has ended, or no more can be read of it (bytes that are no messages) */
};

/*
 * What can be relied on:
 * - OPEN is the first record of a session and CLOSE its last; both are put again until they fit.
 * - All messages of both sides follow, each in the order of its own side. A client's message stands
 *   before the server's answer to it.
 * - Not put at all: CopyData ('d') of either side, NoticeResponse ('N'), NotificationResponse ('A'),
 *   BackendKeyData ('K'), passwords ('p').
 * - DataRows ('D') of one result (of one Execute): the first 1,000, and not more than 1 MB. The next
 *   record of the server after the others says in "skipped" how many there were.
 */

struct record {
    uint64_t session;
    int64_t at_us;     /* since 1970, when the message had passed */
    uint32_t length;   /* of the whole body */
    uint32_t kept;     /* bytes of it that are here, from the first */
    uint8_t kind;      /* enum record_kind */
    char type;         /* of the message */
    bool is_after_gap; /* records of this session were dropped before it */
    uint32_t skipped;  /* DataRows of this result that were not put */
};

/* One writer, one reader, which may be two threads. */
struct record_ring;

struct record_ring *record_ring_new(size_t bytes);
void record_ring_free(struct record_ring *ring);
/* False when there is no room; the record is lost. Never waits, never allocates. */
bool record_ring_put(struct record_ring *ring, const struct record *record, const void *bytes);
/* The same, but the reader need not see it before the next publish: many together cost less. */
bool record_ring_add(struct record_ring *ring, const struct record *record, const void *bytes);
void record_ring_publish(struct record_ring *ring);
/*
 * For the writer, from time to time: pages that the ring does not need while the reader keeps up go back
 * to the system, a few at a time. Whether there are more.
 */
bool record_ring_trim(struct record_ring *ring);
/*
 * The next record and its bytes, valid until the next call; NULL when there is none within wait_us, or
 * at once when the writer has closed and all was read.
 */
const struct record *record_ring_take(
    struct record_ring *ring, int64_t wait_us, const char **ret_bytes);
void record_ring_close(struct record_ring *ring);
bool record_ring_is_done(const struct record_ring *ring);
/* Records lost for want of room. */
uint64_t record_ring_lost(const struct record_ring *ring);
