#include "base/text.h"
#include "base/vec.h"
#include "workload/workload.h"

static int
compare_keys(const void *a, const void *b)
{
    const struct workload_statement *left = *(const struct workload_statement *const *)a;
    const struct workload_statement *right = *(const struct workload_statement *const *)b;

    if (left->query_id != right->query_id)
        return left->query_id < right->query_id ? -1 : 1;
    if (left->user_id != right->user_id)
        return left->user_id < right->user_id ? -1 : 1;
    return (int)left->is_top_level - (int)right->is_top_level;
}

/* Pointers to the statements in the order of their keys. */
static const struct workload_statement **
sort_by_key(struct arena *arena, const struct workload *workload)
{
    const struct workload_statement **sorted =
        ARENA_ARRAY(arena, const struct workload_statement *, workload->count + 1);

    for (size_t i = 0; i < workload->count; i++)
        sorted[i] = &workload->items[i];
    if (workload->count > 1)
        qsort(sorted, workload->count, sizeof(sorted[0]), compare_keys);
    return sorted;
}

static void
push(struct arena *arena, struct workload_deltas *ret, enum workload_change change,
    const struct workload_statement *before, const struct workload_statement *after)
{
    static const struct workload_statement nothing;
    struct workload_delta delta = { .change = change, .statement = after ? after : before };

    if (!before || change != CHANGE_COUNTED)
        before = &nothing;
    if (after) {
        delta.calls = after->calls - before->calls;
        delta.total_ms = after->total_ms - before->total_ms;
        delta.row_count = after->row_count - before->row_count;
        delta.blocks_hit = after->blocks_hit - before->blocks_hit;
        delta.blocks_read = after->blocks_read - before->blocks_read;
        delta.wal_bytes = after->wal_bytes - before->wal_bytes;
        if (delta.calls == 0)
            return;
        delta.mean_ms = delta.total_ms / (double)delta.calls;
    }
    VEC_PUSH(arena, ret, delta);
}

/* An entry whose counters began anew: it was evicted and made again, or reset alone. */
static bool
began_anew(const struct workload_statement *before, const struct workload_statement *after)
{
    return after->calls < before->calls || after->total_ms < before->total_ms ||
           !text_equal(before->stats_since, after->stats_since);
}

static void
compare_statement(struct arena *arena, struct workload_deltas *ret,
    const struct workload_statement *before, const struct workload_statement *after)
{
    if (ret->was_reset && !after)
        return; /* not called since the reset, which is said once for all */
    if (!after)
        push(arena, ret, CHANGE_VANISHED, before, NULL);
    else if (ret->was_reset)
        push(arena, ret, CHANGE_RESET, before, after);
    else if (!before)
        push(arena, ret, CHANGE_NEW, NULL, after);
    else if (began_anew(before, after))
        push(arena, ret, CHANGE_EVICTED, before, after);
    else
        push(arena, ret, CHANGE_COUNTED, before, after);
}

void
workload_compare(struct arena *arena, const struct workload *before, const struct workload *after,
    struct workload_deltas *ret)
{
    static const struct workload nothing;
    bool has_before = before != NULL;

    if (!has_before)
        before = &nothing;
    *ret = (struct workload_deltas){
        .was_reset = has_before && !text_equal(before->stats_reset, after->stats_reset),
        .was_restarted = has_before && !text_equal(before->server_start, after->server_start),
    };
    ret->evicted = ret->was_reset ? after->evicted : after->evicted - before->evicted;

    const struct workload_statement **left = sort_by_key(arena, before);
    const struct workload_statement **right = sort_by_key(arena, after);
    size_t i = 0;
    size_t j = 0;

    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : compare_keys(&left[i], &right[j]);

        compare_statement(arena, ret, order <= 0 ? left[i] : NULL, order >= 0 ? right[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}
