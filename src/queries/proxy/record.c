#include "queries/proxy/record.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define CACHE_LINE 64
#define LEAST_RING ((size_t)1024)
/*
 * A reader that has just been busy naps: it is not woken for each record, but when so much has come or
 * so long has passed. Waking it a record would cost both threads more than all the rest.
 */
#define NAP_US    10000
#define NAP_BYTES ((uint64_t)256 * 1024)
/* Twice what comes during a nap: so little stays in the caches of both threads. */
#define HOT_BYTES ((size_t)512 * 1024)
#define PAGE      ((size_t)4096)
/* Of pages that are given back at a time: a moment's work, as the traffic waits for it. */
#define BACK_BYTES ((size_t)4 * 1024 * 1024)

enum reader_state { READER_AWAKE, READER_NAPS, READER_SLEEPS };

/*
 * An entry is a struct record and its bytes, in one piece. This in the place of its first member, a
 * session's number, says that the rest of the ring is empty: entries are multiples of 8, so it fits.
 */
#define FILLER UINT64_MAX

/* Positions only grow; the index is their rest by the capacity, a power of two. */
struct record_ring {
    /* The writer's. */
    _Alignas(CACHE_LINE) _Atomic uint64_t head;
    uint64_t written; /* head, and what is not yet published */
    uint64_t tail_seen;
    size_t touched; /* bytes from the begin whose pages there may be */
    _Atomic uint64_t lost;
    /* The reader's. */
    _Alignas(CACHE_LINE) _Atomic uint64_t tail;
    uint64_t head_seen;
    uint64_t next; /* behind what was given out last; tail becomes it with the next call */
    bool is_busy;  /* something was taken since it slept */
    /* Between them: seldom written. */
    _Alignas(CACHE_LINE) _Atomic uint32_t state; /* enum reader_state; a futex */
    _Atomic uint64_t nap_from;
    _Atomic uint64_t leap_from; /* a position from which on nothing was written */
    _Atomic uint64_t leap_to;   /* up to this one */
    _Atomic bool is_closed;
    char *data;
    size_t capacity;
};

static size_t
entry_size(uint32_t kept)
{
    return (sizeof(struct record) + kept + 7) & ~(size_t)7;
}

struct record_ring *
record_ring_new(size_t bytes)
{
    size_t capacity = LEAST_RING;
    struct record_ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));

    if (!ring)
        memory_exhausted(0);
    memset(ring, 0, sizeof(*ring));
    while (capacity < bytes)
        capacity *= 2;
    ring->capacity = capacity;
    ring->leap_from = UINT64_MAX;
    ring->data = aligned_alloc(capacity > PAGE ? PAGE : CACHE_LINE, capacity);
    if (!ring->data)
        memory_exhausted(0);
    return ring;
}

void
record_ring_free(struct record_ring *ring)
{
    if (!ring)
        return;
    free(ring->data);
    free(ring);
}

static void
wake(struct record_ring *ring)
{
    if (atomic_exchange(&ring->state, READER_AWAKE) == READER_AWAKE)
        return;
    syscall(SYS_futex, &ring->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Whether so much has come together that a reader that naps is woken. */
static bool
is_nap_over(struct record_ring *ring, uint64_t head)
{
    uint64_t enough = ring->capacity / 4 < NAP_BYTES ? ring->capacity / 4 : NAP_BYTES;

    return head - atomic_load_explicit(&ring->nap_from, memory_order_relaxed) >= enough;
}

/* All in one order with the reader's in rest(): either we see that it sleeps, or it sees the record. */
void
record_ring_publish(struct record_ring *ring)
{
    uint32_t state;

    if (atomic_load_explicit(&ring->head, memory_order_relaxed) == ring->written)
        return;
    atomic_store(&ring->head, ring->written);
    state = atomic_load(&ring->state);
    if (state == READER_SLEEPS || (state == READER_NAPS && is_nap_over(ring, ring->written)))
        wake(ring);
}

/* Whether all that was written was taken; tells the writer how far the reader is. */
static bool
is_empty(struct record_ring *ring)
{
    ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return ring->tail_seen == ring->written;
}

/* What was leapt over holds nothing, even if the reader has not come so far. */
static bool
has_room(struct record_ring *ring, uint64_t head, size_t wanted)
{
    uint64_t leap_to = atomic_load_explicit(&ring->leap_to, memory_order_relaxed);

    if (head + wanted - ring->tail_seen <= ring->capacity)
        return true;
    ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (ring->tail_seen < leap_to)
        ring->tail_seen = leap_to;
    return head + wanted - ring->tail_seen <= ring->capacity;
}

/*
 * Whenever the reader has taken all, the writer goes back to the begin: as long as the reader keeps up, a
 * large ring is used in its first part only, so that memory stays small and in the caches. Only of an empty
 * ring: so the one before was leapt long ago.
 */
static void
leap(struct record_ring *ring)
{
    uint64_t to = (ring->written | (ring->capacity - 1)) + 1;

    atomic_store_explicit(&ring->leap_from, ring->written, memory_order_relaxed);
    atomic_store_explicit(&ring->leap_to, to, memory_order_relaxed);
    /* Nothing that a reader should be woken for. */
    atomic_fetch_add_explicit(&ring->nap_from, to - ring->written, memory_order_relaxed);
    ring->written = ring->tail_seen = to;
}

/* Of an empty ring whose next entry stands at the begin. */
static void
give_back(struct record_ring *ring)
{
    size_t keep = ring->touched > HOT_BYTES + BACK_BYTES ? ring->touched - BACK_BYTES : HOT_BYTES;

    if (ring->touched <= 2 * HOT_BYTES)
        return;
    keep &= ~(PAGE - 1);
    if (madvise(ring->data + keep, ring->touched - keep, MADV_DONTNEED) == 0)
        ring->touched = keep;
}

bool
record_ring_trim(struct record_ring *ring)
{
    if ((ring->written & (ring->capacity - 1)) != 0 && is_empty(ring))
        leap(ring);
    if ((ring->written & (ring->capacity - 1)) == 0 && ring->tail_seen == ring->written)
        give_back(ring);
    return ring->touched > 2 * HOT_BYTES;
}

bool
record_ring_add(struct record_ring *ring, const struct record *record, const void *bytes)
{
    size_t size = entry_size(record->kept);
    size_t at = ring->written & (ring->capacity - 1);
    size_t left = ring->capacity - at;
    size_t filler = size > left ? left : 0;

    if (at >= HOT_BYTES && size <= HOT_BYTES && is_empty(ring)) {
        (void)record_ring_trim(ring);
        at = filler = 0;
    }
    if (!has_room(ring, ring->written, filler + size)) {
        record_ring_publish(ring);
        atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
        return false;
    }
    if (filler > 0) {
        *(uint64_t *)(void *)(ring->data + at) = FILLER;
        at = 0;
        atomic_fetch_add_explicit(&ring->nap_from, filler, memory_order_relaxed);
    }
    memcpy(ring->data + at, record, sizeof(*record));
    if (record->kept > 0)
        memcpy(ring->data + at + sizeof(*record), bytes, record->kept);
    ring->written += filler + size;
    if (at + size > ring->touched)
        ring->touched = at + size;
    return true;
}

bool
record_ring_put(struct record_ring *ring, const struct record *record, const void *bytes)
{
    bool is_put = record_ring_add(ring, record, bytes);

    record_ring_publish(ring);
    return is_put;
}

/* Until a record has come, the ring is closed, or that long; not more exact than a nap is long. */
static void
rest(struct record_ring *ring, int64_t us)
{
    bool is_nap = ring->is_busy;
    int64_t longest = is_nap && us > NAP_US ? NAP_US : us;
    struct timespec limit = { .tv_sec = longest / 1000000, .tv_nsec = longest % 1000000 * 1000 };
    uint32_t state = is_nap ? READER_NAPS : READER_SLEEPS;

    ring->is_busy = false;
    atomic_store_explicit(&ring->nap_from, ring->next, memory_order_relaxed);
    atomic_store(&ring->state, state);
    if (atomic_load(&ring->head) == ring->next && !atomic_load(&ring->is_closed))
        syscall(SYS_futex, &ring->state, FUTEX_WAIT_PRIVATE, state, &limit, NULL, 0);
    atomic_store(&ring->state, READER_AWAKE);
}

static bool
wait_for_head(struct record_ring *ring, int64_t wait_us)
{
    int64_t until = wait_us > 0 ? clock_us() + wait_us : 0;

    for (;;) {
        bool is_closed = atomic_load(&ring->is_closed);
        int64_t left;

        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (ring->head_seen != ring->next)
            return true;
        if (is_closed || wait_us <= 0)
            return false;
        left = until - clock_us();
        if (left <= 0)
            return false;
        rest(ring, left);
    }
}

/* Over what holds nothing: all that the writer did before the head that was seen is seen. */
static void
follow_leap(struct record_ring *ring)
{
    if (ring->next == atomic_load_explicit(&ring->leap_from, memory_order_relaxed))
        ring->next = atomic_load_explicit(&ring->leap_to, memory_order_relaxed);
}

const struct record *
record_ring_take(struct record_ring *ring, int64_t wait_us, const char **ret_bytes)
{
    const struct record *record;
    size_t at;

    do {
        atomic_store_explicit(&ring->tail, ring->next, memory_order_release);
        if (ring->head_seen == ring->next && !wait_for_head(ring, wait_us))
            return NULL;
        follow_leap(ring);
    } while (ring->head_seen == ring->next);
    ring->is_busy = true;
    at = ring->next & (ring->capacity - 1);
    if (*(const uint64_t *)(const void *)(ring->data + at) == FILLER) {
        ring->next += ring->capacity - at; /* the entry behind it was published with it */
        at = 0;
    }
    record = (const struct record *)(const void *)(ring->data + at);
    *ret_bytes = ring->data + at + sizeof(*record);
    ring->next += entry_size(record->kept);
    return record;
}

void
record_ring_close(struct record_ring *ring)
{
    record_ring_publish(ring);
    atomic_store(&ring->is_closed, true);
    wake(ring);
}

bool
record_ring_is_done(const struct record_ring *ring)
{
    return atomic_load(&ring->is_closed) && atomic_load(&ring->head) == ring->next;
}

uint64_t
record_ring_lost(const struct record_ring *ring)
{
    return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}
