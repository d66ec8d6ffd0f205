#include "load/result/sparse.h"

/* Numbers below this are exact; above, each doubling has half as many groups. */
enum { EXACT = 256 };

/* How many cells form the group that this cell belongs to: a power of two. */
static size_t
group_of(size_t cell)
{
    size_t group = 1;

    if (cell >= 2 * HISTOGRAM_HALF)
        return 2 * HISTOGRAM_HALF / EXACT;
    while (cell >= group * EXACT)
        group *= 2;
    return group;
}

uint32_t
load_sparse_cell(size_t cell)
{
    return (uint32_t)(cell & ~(group_of(cell) - 1));
}

void
load_sparse_range_us(uint32_t cell, double *ret_first, double *ret_end)
{
    *ret_first = cell > 0 ? (double)histogram_cell_us(cell - 1) + 1 : 0;
    *ret_end = (double)histogram_cell_us(cell + group_of(cell) - 1) + 1;
}

/* Counts beyond 32 bits stay at the most; a slice would have to last for half a day. */
static uint32_t
sum_of(uint32_t a, uint32_t b)
{
    return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

void
load_sparse_of(struct arena *arena, const struct histogram *histogram, struct load_sparse *ret)
{
    size_t first = histogram_cell(histogram->min_us);
    size_t last = histogram_cell(histogram->max_us);
    size_t count = 0;
    uint32_t before = UINT32_MAX;

    *ret = (struct load_sparse){ 0 };
    if (histogram->count == 0)
        return;
    for (size_t i = first; i <= last; i++)
        if (histogram->cells[i] > 0 && load_sparse_cell(i) != before) {
            before = load_sparse_cell(i);
            count++;
        }
    ret->cells = ARENA_ARRAY(arena, uint32_t, count);
    ret->counts = ARENA_ARRAY(arena, uint32_t, count);
    for (size_t i = first; i <= last; i++) {
        if (histogram->cells[i] == 0)
            continue;
        if (ret->count == 0 || ret->cells[ret->count - 1] != load_sparse_cell(i))
            ret->cells[ret->count++] = load_sparse_cell(i);
        ret->counts[ret->count - 1] = sum_of(ret->counts[ret->count - 1], histogram->cells[i]);
    }
}

void
load_sparse_join(struct arena *arena, const struct load_sparse *a, const struct load_sparse *b,
    struct load_sparse *ret)
{
    struct load_sparse both = {
        .cells = ARENA_ARRAY(arena, uint32_t, a->count + b->count),
        .counts = ARENA_ARRAY(arena, uint32_t, a->count + b->count),
    };
    size_t i = 0;
    size_t j = 0;

    while (i < a->count || j < b->count) {
        bool is_a = i < a->count && (j == b->count || a->cells[i] <= b->cells[j]);
        bool is_b = j < b->count && (i == a->count || b->cells[j] <= a->cells[i]);

        both.cells[both.count] = is_a ? a->cells[i] : b->cells[j];
        both.counts[both.count++] = sum_of(is_a ? a->counts[i] : 0, is_b ? b->counts[j] : 0);
        i += is_a;
        j += is_b;
    }
    *ret = both;
}
