#include "index/state/unused.h"

#include "base/clock.h"
#include "sql.h"

const char *
index_why_kept(struct arena *arena, const struct index_state *index)
{
    const struct sql_index_state_indexes *row = index->row;

    if (row->is_primary)
        return "it is the primary key";
    if (row->is_exclusion)
        return "it enforces an exclusion constraint";
    if (row->constraint_name)
        return arena_printf(arena, "it enforces the constraint %s", row->constraint_name);
    if (row->referenced_by)
        return arena_printf(arena, "the foreign key %s rests on it", row->referenced_by);
    if (row->is_unique)
        return "it is unique: it refuses rows, whether it is read or not";
    if (row->is_replica_identity)
        return "it is the replica identity of its table";
    if (row->is_clustered)
        return "CLUSTER sorts the table by it";
    if (row->carries_key)
        return arena_printf(arena,
            "no other index begins with the columns of the foreign key %s: deletes of what it points "
            "to would read the whole table",
            row->carries_key);
    if (row->extension)
        return arena_printf(arena, "it belongs to the extension %s", row->extension);
    if (row->parent_oid)
        return "it is a part of the index of the partitioned table, and goes with that";
    return NULL;
}

/* Its counters hold less than the servers' do. */
static const char *
why_too_young(struct arena *arena, const struct index_states *states,
    const struct index_state *index, int64_t least_us)
{
    int64_t built_us;
    int64_t age_us;

    if (!index->built_at || !clock_parse(index->built_at, &built_us))
        return NULL;
    age_us = states->servers.items[0].now_us - built_us;
    if (age_us >= least_us)
        return NULL;
    return arena_printf(arena, "it was built %s ago: too early to tell",
        text_from_us(arena, age_us > 0 ? age_us : 0));
}

static const char *
caution_of(struct arena *arena, const struct index_state *index)
{
    if (index->row->kind[0] == 'I')
        return arena_printf(arena,
            "the index of a partitioned table, %zu parts: the server drops it only all at once and "
            "under an exclusive lock (DROP INDEX %s)",
            index->parts, index->object);
    if (index->row->has_statistics)
        return "ANALYZE keeps statistics of its expressions, which plans may need although nobody "
               "scans it: CREATE STATISTICS on the same expressions first";
    return NULL;
}

static const char *
why_early(struct arena *arena, const struct index_states *states, int64_t least_us)
{
    for (size_t i = 0; i < states->servers.count; i++) {
        const struct index_server *server = &states->servers.items[i];

        if (server->is_counting && server->since_us >= 0 &&
            server->now_us - server->since_us >= least_us)
            continue;
        return arena_printf(arena, "%s: %s; %s are wanted", server->label,
            index_server_since(arena, server), text_from_us(arena, least_us));
    }
    return NULL;
}

static int
compare_size(const void *a, const void *b)
{
    const struct unused_index *left = a;
    const struct unused_index *right = b;

    if (left->index->bytes != right->index->bytes)
        return left->index->bytes < right->index->bytes ? 1 : -1;
    return strcmp(left->index->object, right->index->object);
}

void
unused_find(
    struct arena *arena, const struct index_states *states, int64_t least_us, struct unused *ret)
{
    *ret = (struct unused){
        .window_us = index_states_window_us(states),
        .early = why_early(arena, states, least_us),
    };
    for (size_t i = 0; i < states->items.count && !ret->early; i++) {
        const struct index_state *index = &states->items.items[i];
        struct unused_index unused = { .index = index };

        /* Parts are judged with the whole tree, unusable ones have a command of their own. */
        if (index->scans > 0 || index->row->parent_oid || !index_state_is_good(index))
            continue;
        unused.why = index_why_kept(arena, index);
        if (!unused.why)
            unused.why = why_too_young(arena, states, index, least_us);
        if (unused.why) {
            VEC_PUSH(arena, &ret->kept, unused);
            continue;
        }
        unused.caution = caution_of(arena, index);
        ret->bytes += index->bytes;
        VEC_PUSH(arena, &ret->items, unused);
    }
    if (ret->items.count > 0)
        qsort(ret->items.items, ret->items.count, sizeof(ret->items.items[0]), compare_size);
    if (ret->kept.count > 0)
        qsort(ret->kept.items, ret->kept.count, sizeof(ret->kept.items[0]), compare_size);
}
