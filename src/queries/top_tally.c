#include <inttypes.h>

#include "base/map.h"
#include "base/text.h"
#include "queries/top.h"
#include "queries/top_quantile.h"

enum { SHOWN_DIGITS = 8 };

/* The executions of one template. */
struct tally_entry {
    const struct template *template;
    int64_t calls;
    int64_t rows;      /* of those that tell it */
    int64_t with_rows; /* how many do */
    struct top_times times;
};

struct query_tally {
    struct arena *arena;
    struct tally_entry **entries; /* by the template's number; several may share one */
    size_t capacity;
    struct map by_fingerprint;
    VEC(struct tally_entry *) all;
};

struct query_tally *
query_tally_new(struct arena *arena)
{
    struct query_tally *tally = ARENA_NEW(arena, struct query_tally);

    tally->arena = arena;
    tally->by_fingerprint.arena = arena;
    return tally;
}

static struct tally_entry *
entry_of(struct query_tally *tally, const struct template *template)
{
    while (template->number >= tally->capacity)
        tally->entries =
            vec_grow(tally->arena, tally->entries, &tally->capacity, sizeof(tally->entries[0]));

    struct tally_entry **entry = &tally->entries[template->number];

    if (!*entry)
        *entry = map_get(&tally->by_fingerprint, template->fingerprint);
    if (!*entry) {
        *entry = ARENA_NEW(tally->arena, struct tally_entry);
        (*entry)->template = template;
        map_set(&tally->by_fingerprint, template->fingerprint, *entry);
        VEC_PUSH(tally->arena, &tally->all, *entry);
    }
    return *entry;
}

void
query_tally_add(struct query_tally *tally, const struct traced_statement *statement)
{
    struct tally_entry *entry = entry_of(tally, statement->template);

    entry->calls++;
    if (statement->rows >= 0) {
        entry->rows += statement->rows;
        entry->with_rows++;
    }
    if (statement->elapsed_us >= 0)
        top_times_add(tally->arena, &entry->times, statement->elapsed_us);
}

static struct ranked_query
ranked_of(const struct tally_entry *entry)
{
    const struct top_times *times = &entry->times;
    bool is_timed = times->count > 0;

    return (struct ranked_query){
        .fingerprint = entry->template->fingerprint,
        .query = entry->template->text,
        .calls = entry->calls,
        .total_ms = is_timed ? times->total_us / 1000 : -1,
        .mean_ms = is_timed ? times->total_us / 1000 / (double)times->count : -1,
        .p95_ms = is_timed ? top_times_p95_us(times) / 1000 : -1,
        .rows = entry->with_rows > 0 ? entry->rows : -1,
        .blocks_hit = -1,
        .blocks_read = -1,
        .variance = -1,
        .max_ms = is_timed ? (double)times->max_us / 1000 : -1,
        .is_part = entry->with_rows > 0 && entry->with_rows < entry->calls,
    };
}

/* Findings come with the most time first: the first one that names a statement is its mark. */
static void
mark_finding(
    struct arena *arena, const struct query_finding *finding, struct query_ranking *ranking)
{
    for (size_t i = 0; i < finding->child_count; i++)
        for (size_t j = 0; j < ranking->count; j++) {
            struct ranked_query *item = &ranking->items[j];

            if (item->mark || !text_equal(item->fingerprint, finding->children[i].fingerprint))
                continue;
            item->mark =
                arena_printf(arena, "%s ×%" PRId64 "%s%.*s", query_finding_kind_name(finding->kind),
                    finding->repeats_median, finding->has_parent ? " of " : "", SHOWN_DIGITS,
                    finding->has_parent ? finding->parent.fingerprint : "");
            item->parent_fingerprint = finding->has_parent ? finding->parent.fingerprint : NULL;
        }
}

void
query_tally_rank(
    struct query_tally *tally, const struct query_findings *findings, struct query_ranking *ret)
{
    *ret = (struct query_ranking){ 0 };
    for (size_t i = 0; i < tally->all.count; i++) {
        const struct tally_entry *entry = tally->all.items[i];

        VEC_PUSH(tally->arena, ret, ranked_of(entry));
        ret->calls += entry->calls;
        ret->total_ms += entry->times.total_us / 1000;
        ret->untimed += entry->calls - entry->times.count;
    }
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i].share = ret->total_ms > 0 && ret->items[i].total_ms >= 0
                                  ? ret->items[i].total_ms / ret->total_ms
                                  : -1;
    for (size_t i = 0; findings && i < findings->count; i++)
        mark_finding(tally->arena, &findings->items[i], ret);
}
