/* The ring between the proxy and who reads: what was put comes out, in order, or is counted as lost. */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "queries/proxy/record.h"

enum { HANGS_US = 60000000 };

/* Bytes that tell whose they are: of the same number they are always the same. */
static uint32_t
length_of(uint64_t number)
{
    return (uint32_t)(number * 2654435761U >> 7) % 300;
}

static void
fill(char *bytes, uint64_t number, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (char)(number + i * 7);
}

static bool
put(struct record_ring *ring, uint64_t number, bool is_after_gap)
{
    char bytes[300];
    struct record record = {
        .session = number,
        .at_us = (int64_t)number * 3,
        .length = length_of(number) + 1,
        .kept = length_of(number),
        .kind = RECORD_CLIENT,
        .type = 'Q',
        .is_after_gap = is_after_gap,
        .skipped = (uint32_t)number,
    };

    fill(bytes, number, record.kept);
    return record_ring_put(ring, &record, bytes);
}

static void
assert_record(const struct record *record, const char *bytes, uint64_t number)
{
    char wanted[300];

    assert_non_null(record);
    assert_int_equal(record->session, number);
    assert_int_equal(record->at_us, number * 3);
    assert_int_equal(record->kept, length_of(number));
    assert_int_equal(record->length, length_of(number) + 1);
    assert_int_equal(record->skipped, (uint32_t)number);
    fill(wanted, number, record->kept);
    assert_memory_equal(bytes, wanted, record->kept);
}

static void
assert_next(struct record_ring *ring, int64_t wait_us, uint64_t number)
{
    const char *bytes = NULL;
    const struct record *record = record_ring_take(ring, wait_us, &bytes);

    assert_record(record, bytes, number);
}

static void
what_was_put_comes_out_in_order_over_the_end_of_the_ring(void **state)
{
    struct record_ring *ring = record_ring_new(4096);
    const char *bytes;
    uint64_t next = 0;

    (void)state;
    /* Sizes differ, so that the end of the ring comes at every place of a record. */
    for (uint64_t number = 0; number < 20000;) {
        size_t turn = number % 11 + 1;

        for (size_t i = 0; i < turn; i++)
            if (put(ring, number, false))
                number++;
        for (size_t i = 0; i < turn && next < number; i++)
            assert_next(ring, 0, next++);
    }
    while (next < 20000)
        assert_next(ring, 0, next++);
    assert_null(record_ring_take(ring, 0, &bytes));
    record_ring_free(ring);
}

static void
a_full_ring_loses_what_comes_and_keeps_what_it_has(void **state)
{
    struct record_ring *ring = record_ring_new(4096);
    const char *bytes;
    uint64_t fitted = 0;

    (void)state;
    while (put(ring, fitted, false))
        fitted++;
    assert_true(fitted > 10);
    assert_int_equal(record_ring_lost(ring), 1);
    assert_false(put(ring, fitted, false));
    assert_int_equal(record_ring_lost(ring), 2);
    for (uint64_t i = 0; i < fitted; i++)
        assert_next(ring, 0, i);
    assert_null(record_ring_take(ring, 0, &bytes));
    assert_true(put(ring, 7, true));
    assert_next(ring, 0, 7);
    record_ring_free(ring);
}

/* A reader that has kept up and then waits for a processor: what it skips at the end is not room that was used. */
static void
a_large_ring_takes_a_pause_wherever_it_is(void **state)
{
    struct record_ring *ring = record_ring_new(16 * 1024 * 1024);
    const char *bytes;
    uint64_t number = 0;

    (void)state;
    for (int turn = 0; turn < 4; turn++) {
        uint64_t next;

        for (int i = 0; i < 12000; i++) {
            assert_true(put(ring, number, false));
            assert_next(ring, 0, number++);
            assert_null(record_ring_take(ring, 0, &bytes));
        }
        next = number;
        /* About a megabyte. */
        for (int i = 0; i < 5000; i++)
            assert_true(put(ring, number++, false));
        while (next < number)
            assert_next(ring, 0, next++);
        assert_null(record_ring_take(ring, 0, &bytes));
    }
    assert_int_equal(record_ring_lost(ring), 0);
    record_ring_free(ring);
}

/* As the kernel counts the pages of this program. */
static long
resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long whole = 0, resident = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &whole, &resident), 2);
    fclose(file);
    return resident;
}

/* After a reader that was far behind has taken all, the memory is the system's again, and the ring goes on. */
static void
a_ring_that_was_full_gives_its_pages_back(void **state)
{
    struct record_ring *ring = record_ring_new((size_t)32 * 1024 * 1024);
    long before = resident_pages(), full, after;
    uint64_t count = 0;
    const char *bytes;

    (void)state;
    while (put(ring, count, false))
        count++;
    full = resident_pages();
    assert_true(full - before > 32 * 256 * 9 / 10);
    assert_true(record_ring_trim(ring));
    assert_true(resident_pages() - before > 32 * 256 * 9 / 10); /* nothing while it is full */
    for (uint64_t i = 0; i < count; i++)
        assert_next(ring, 0, i);
    assert_null(record_ring_take(ring, 0, &bytes));
    while (record_ring_trim(ring))
        ;
    after = resident_pages();
    /* A megabyte stays, and what else the program has taken meanwhile. */
    assert_true(after - before < 2 * 256 + (full - before) / 20);
    for (uint64_t i = 0; i < count; i++) {
        assert_true(put(ring, i, false));
        if (i % 100 == 0)
            (void)record_ring_trim(ring); /* what is not taken yet stays */
    }
    assert_int_equal(record_ring_lost(ring), 1);
    for (uint64_t i = 0; i < count; i++)
        assert_next(ring, 0, i);
    record_ring_free(ring);
}

static void
what_is_added_comes_with_the_next_publish(void **state)
{
    const struct record record = { .session = 9, .kind = RECORD_CLIENT, .type = 'Q' };
    struct record_ring *ring = record_ring_new(4096);
    const char *bytes;

    (void)state;
    assert_true(record_ring_add(ring, &record, NULL));
    assert_null(record_ring_take(ring, 0, &bytes));
    record_ring_publish(ring);
    assert_int_equal(record_ring_take(ring, 0, &bytes)->session, 9);
    assert_null(record_ring_take(ring, 0, &bytes));
    /* Going back to the begin is nothing that a reader could take. */
    (void)record_ring_trim(ring);
    record_ring_publish(ring);
    assert_null(record_ring_take(ring, 0, &bytes));
    assert_true(record_ring_add(ring, &record, NULL));
    record_ring_close(ring);
    assert_false(record_ring_is_done(ring));
    assert_int_equal(record_ring_take(ring, 0, &bytes)->session, 9);
    assert_null(record_ring_take(ring, 0, &bytes));
    assert_true(record_ring_is_done(ring));
    record_ring_free(ring);
}

static void
a_record_that_is_longer_than_the_ring_is_lost(void **state)
{
    struct record_ring *ring = record_ring_new(1024);
    char big[2048] = { 0 };
    const struct record record = { .length = sizeof(big), .kept = sizeof(big), .type = 'Q' };
    const char *bytes;

    (void)state;
    assert_false(record_ring_put(ring, &record, big));
    assert_int_equal(record_ring_lost(ring), 1);
    assert_null(record_ring_take(ring, 0, &bytes));
    record_ring_free(ring);
}

static void
a_ring_that_was_closed_is_read_to_its_end_without_waiting(void **state)
{
    struct record_ring *ring = record_ring_new(4096);
    const char *bytes;

    (void)state;
    assert_true(put(ring, 1, false));
    record_ring_close(ring);
    assert_false(record_ring_is_done(ring));
    assert_next(ring, HANGS_US, 1);
    assert_null(record_ring_take(ring, INT64_C(3600000000), &bytes));
    assert_true(record_ring_is_done(ring));
    record_ring_free(ring);
}

static void
nothing_comes_of_an_empty_ring_when_the_time_is_over(void **state)
{
    struct record_ring *ring = record_ring_new(4096);
    int64_t begin = clock_us();
    const char *bytes;

    (void)state;
    assert_null(record_ring_take(ring, 50000, &bytes));
    assert_true(clock_us() - begin >= 50000);
    assert_false(record_ring_is_done(ring));
    record_ring_free(ring);
}

/* ---- two threads ---- */

struct pair {
    struct record_ring *ring;
    uint64_t count;
    uint64_t lost; /* as the writer has counted */
    _Atomic uint64_t taken;
    bool waits_for_each; /* the writer puts the next one when the last one was taken */
};

static void *
write_all(void *data)
{
    struct pair *pair = data;
    bool is_gap = false;
    int64_t until = clock_us() + HANGS_US;

    for (uint64_t i = 0; i < pair->count; i++) {
        if (i % 1024 == 0)
            (void)record_ring_trim(pair->ring);
        is_gap = !put(pair->ring, i, is_gap);
        pair->lost += is_gap;
        while (pair->waits_for_each && atomic_load(&pair->taken) <= i && clock_us() < until)
            clock_sleep_us(20);
    }
    record_ring_close(pair->ring);
    return NULL;
}

/* Without a gap the numbers follow one another; with one, some are missing, and the record says so. */
static uint64_t
read_all(struct pair *pair)
{
    uint64_t next = 0;
    uint64_t gaps = 0;
    const struct record *record;
    const char *bytes;

    while ((record = record_ring_take(pair->ring, HANGS_US, &bytes))) {
        assert_record(record, bytes, record->session);
        assert_true(record->session >= next);
        assert_int_equal(record->is_after_gap, record->session > next);
        gaps += record->session - next;
        next = record->session + 1;
        atomic_fetch_add(&pair->taken, 1);
    }
    assert_true(record_ring_is_done(pair->ring));
    return gaps + (pair->count - next);
}

static void
run_pair(struct pair *pair, size_t bytes)
{
    pthread_t writer;
    uint64_t missing;

    pair->ring = record_ring_new(bytes);
    assert_int_equal(pthread_create(&writer, NULL, write_all, pair), 0);
    missing = read_all(pair);
    pthread_join(writer, NULL);
    assert_int_equal(missing, pair->lost);
    assert_int_equal(record_ring_lost(pair->ring), pair->lost);
    assert_int_equal(atomic_load(&pair->taken), pair->count - pair->lost);
    record_ring_free(pair->ring);
}

static void
two_threads_agree_on_what_was_lost(void **state)
{
    struct pair pair = { .count = 300000 };

    (void)state;
    run_pair(&pair, 8192);
}

/* In a large ring the writer goes back to the begin whenever the reader has taken all. */
static void
two_threads_agree_in_a_large_ring(void **state)
{
    struct pair pair = { .count = 100000 };

    (void)state;
    run_pair(&pair, (size_t)8 << 20);
}

/* Each one has to wake a reader that sleeps or naps: one that is missed would hang for a minute. */
static void
a_reader_that_sleeps_is_woken(void **state)
{
    struct pair pair = { .count = 50, .waits_for_each = true };
    int64_t begin = clock_us();

    (void)state;
    run_pair(&pair, 8192);
    assert_int_equal(pair.lost, 0);
    assert_true(clock_us() - begin < HANGS_US);
}

static void *
close_later(void *data)
{
    clock_sleep_us(20000);
    record_ring_close(data);
    return NULL;
}

static void
a_reader_that_sleeps_is_woken_by_the_end(void **state)
{
    struct record_ring *ring = record_ring_new(4096);
    int64_t begin = clock_us();
    const char *bytes;
    pthread_t closer;

    (void)state;
    assert_int_equal(pthread_create(&closer, NULL, close_later, ring), 0);
    assert_null(record_ring_take(ring, HANGS_US, &bytes));
    assert_true(record_ring_is_done(ring));
    assert_true(clock_us() - begin < HANGS_US);
    pthread_join(closer, NULL);
    record_ring_free(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_out_in_order_over_the_end_of_the_ring),
        cmocka_unit_test(a_full_ring_loses_what_comes_and_keeps_what_it_has),
        cmocka_unit_test(a_large_ring_takes_a_pause_wherever_it_is),
        cmocka_unit_test(a_ring_that_was_full_gives_its_pages_back),
        cmocka_unit_test(what_is_added_comes_with_the_next_publish),
        cmocka_unit_test(a_record_that_is_longer_than_the_ring_is_lost),
        cmocka_unit_test(a_ring_that_was_closed_is_read_to_its_end_without_waiting),
        cmocka_unit_test(nothing_comes_of_an_empty_ring_when_the_time_is_over),
        cmocka_unit_test(two_threads_agree_on_what_was_lost),
        cmocka_unit_test(two_threads_agree_in_a_large_ring),
        cmocka_unit_test(a_reader_that_sleeps_is_woken),
        cmocka_unit_test(a_reader_that_sleeps_is_woken_by_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
