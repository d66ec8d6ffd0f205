#include <math.h>
#include <sys/mman.h>

#include "replyx/tally_part.h"

const int64_t tally_bounds_us[TALLY_BUCKETS] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
    200000, 500000, 1000000, 2000000, 3000000, 5000000, 10000000 };

bool
tally_new(struct ctx *ctx, int32_t workers, struct tally **ret)
{
    if (workers < 1 || workers > TALLY_MOST_WORKERS)
        return error_set(ctx, ERR_INPUT, "%d workers: there can be 1 to %d", (int)workers,
            (int)TALLY_MOST_WORKERS);

    const int access = PROT_READ | PROT_WRITE;
    /* cppcheck-suppress invalidFunctionArg ; an anonymous map has no file */
    void *memory = mmap(NULL, sizeof(struct tally), access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return error_set_errno(
            ctx, "could not get %zu bytes of shared memory", sizeof(struct tally));
    *ret = memory;
    (*ret)->workers = workers;
    return true;
}

void
tally_free(struct tally *tally)
{
    if (tally)
        munmap(tally, sizeof(*tally));
}

static size_t
series_of(const struct tally_request *request)
{
    size_t endpoint = 0;
    size_t variant = 0;

    if (!request->endpoint)
        return TALLY_SERIES - 1;
    while (endpoint < endpoint_count && endpoints[endpoint] != request->endpoint)
        endpoint++;
    if (request->variant)
        variant = (size_t)(request->variant - request->endpoint->variants) + 1;
    return endpoint * (ENDPOINT_MOST_VARIANTS + 1) + variant;
}

static enum tally_class
class_of(int status)
{
    if (status == 499)
        return TALLY_GONE;
    if (status >= 500)
        return TALLY_5XX;
    return status >= 400 ? TALLY_4XX : (status >= 300 ? TALLY_3XX : TALLY_2XX);
}

static size_t
bucket_of(int64_t elapsed_us)
{
    size_t bucket = 0;

    while (bucket < TALLY_BUCKETS && elapsed_us > tally_bounds_us[bucket])
        bucket++;
    return bucket;
}

static void
add(atomic_uint_fast64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* C has no atomic sum of floating-point numbers but by trying. */
static void
add_double(_Atomic double *sum, double more)
{
    double before = atomic_load_explicit(sum, memory_order_relaxed);

    while (!atomic_compare_exchange_weak(sum, &before, before + more))
        continue;
}

void
tally_add(struct tally *tally, const struct tally_request *request)
{
    struct tally_series *series = &tally->series[series_of(request)];
    enum tally_class class = class_of(request->status);
    int64_t elapsed_us = request->elapsed_us > 0 ? request->elapsed_us : 1;

    add(&series->requests[class], 1);
    add(&series->statements, (uint64_t)request->statements);
    /* How long a client had patience says nothing of how fast we are. */
    if (class == TALLY_GONE)
        return;
    add(&series->buckets[bucket_of(elapsed_us)], 1);
    add(&series->elapsed_us, (uint64_t)elapsed_us);
    if (class != TALLY_2XX)
        return;

    double logarithm = log((double)elapsed_us / 1e6);

    add_double(&series->log_sum, logarithm);
    add_double(&series->log_squares, logarithm * logarithm);
    add(&series->log_count, 1);
}

void
tally_set_worker(struct tally *tally, int32_t number, const struct tally_worker *worker)
{
    struct tally_gauges *gauges = &tally->gauges[number];
    uint32_t turn = (uint32_t)atomic_load(&gauges->turn);

    /* One that was killed while it wrote has left an odd number. */
    turn += turn % 2;
    atomic_store(&gauges->turn, turn + 1);
    atomic_thread_fence(memory_order_seq_cst);
    gauges->values = *worker;
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store(&gauges->turn, turn + 2);
}

bool
tally_read_worker(const struct tally *tally, int32_t number, struct tally_worker *ret)
{
    const struct tally_gauges *gauges = &tally->gauges[number];

    for (int i = 0; i < 100; i++) {
        uint_fast32_t before = atomic_load(&gauges->turn);

        if (before == 0)
            return false;
        *ret = gauges->values;
        atomic_thread_fence(memory_order_seq_cst);
        if (before % 2 == 0 && atomic_load(&gauges->turn) == before)
            return true;
    }
    return false;
}

void
tally_wrote(struct tally *tally, int64_t user, uint64_t position)
{
    atomic_uint_fast64_t *last = &tally->positions[(uint64_t)user % TALLY_POSITIONS];
    uint64_t before = atomic_load(last);

    while (before < position && !atomic_compare_exchange_weak(last, &before, position))
        continue;
}

uint64_t
tally_position(const struct tally *tally, int64_t user)
{
    return atomic_load(&tally->positions[(uint64_t)user % TALLY_POSITIONS]);
}
