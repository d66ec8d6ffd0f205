#include "index/state/invalid.h"

#include "sql.h"

/* "t_a" when the name is "t_a_ccnew" or "t_a_ccnew1", for the ending "_ccnew"; else NULL. */
static const char *
stem_of(struct arena *arena, const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t tail = strlen(ending);

    while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9')
        length--;
    if (length <= tail || strncmp(name + length - tail, ending, tail) != 0)
        return NULL;
    return arena_printf(arena, "%.*s", (int)(length - tail), name);
}

static void
describe_work(struct arena *arena, struct invalid_index *ret)
{
    const struct sql_index_state_indexes *row = ret->index->row;

    ret->is_building = true;
    ret->remedy = "wait for it";
    ret->cause =
        row->builder_pid
            ? arena_printf(arena, "server process %d is at it now: %s, %s", (int)row->builder_pid,
                  row->builder_command, row->builder_phase)
            : arena_printf(arena,
                  "server process %d holds the table as a build does: it may be building it",
                  (int)row->locker_pid);
}

static void
describe_rest(struct arena *arena, struct invalid_index *ret)
{
    const struct sql_index_state_indexes *row = ret->index->row;
    const char *fresh = stem_of(arena, row->name, "_ccnew");
    const char *old = stem_of(arena, row->name, "_ccold");

    ret->can_be_dropped = !row->constraint_name && !row->is_replica_identity && !row->parent_oid;
    ret->remedy = arena_printf(arena, "DROP INDEX CONCURRENTLY %s;", ret->index->object);
    if (fresh)
        ret->cause = arena_printf(arena,
            "REINDEX CONCURRENTLY was cut off before it took the place of %s, which is as it was",
            fresh);
    else if (old)
        ret->cause = arena_printf(arena,
            "REINDEX CONCURRENTLY was cut off after %s had taken its place: it is the old one",
            old);
    else if (!row->is_live)
        ret->cause = "DROP INDEX CONCURRENTLY was cut off in its last step";
    else if (row->is_ready)
        ret->cause =
            "CREATE INDEX CONCURRENTLY failed in its second pass (duplicate keys, a deadlock, "
            "a cancel), or DROP INDEX CONCURRENTLY was cut off in its first step";
    else
        ret->cause =
            "CREATE INDEX CONCURRENTLY failed in its first pass (an error in an expression, a "
            "lock, a cancel, a full disk)";
    if (!ret->can_be_dropped)
        ret->remedy = arena_printf(arena, "REINDEX INDEX CONCURRENTLY %s;", ret->index->object);
}

static void
describe(struct arena *arena, struct invalid_index *ret)
{
    const struct sql_index_state_indexes *row = ret->index->row;

    ret->refuses_rows = row->is_unique && row->is_ready && row->is_live && row->kind[0] == 'i';
    ret->cost = ret->refuses_rows ? "writes keep it up, and it refuses rows"
                : row->is_ready && row->is_live
                    ? "writes keep it up"
                    : "writes do not keep it up, but its columns still prevent HOT updates";
    if (row->kind[0] == 'I') {
        ret->cost = "none by itself";
        ret->cause = "the index of a partitioned table (CREATE INDEX … ON ONLY) that not every "
                     "partition has a part of yet";
        ret->remedy = arena_printf(arena,
            "build the index on each partition, then ALTER INDEX %s ATTACH PARTITION …",
            ret->index->object);
        return;
    }
    if (row->builder_pid || row->locker_pid)
        describe_work(arena, ret);
    else
        describe_rest(arena, ret);
}

static int
compare_urgency(const void *a, const void *b)
{
    const struct invalid_index *left = a;
    const struct invalid_index *right = b;

    if (left->refuses_rows != right->refuses_rows)
        return left->refuses_rows ? -1 : 1;
    return strcmp(left->index->object, right->index->object);
}

void
invalid_indexes_find(
    struct arena *arena, const struct index_states *states, struct invalid_indexes *ret)
{
    *ret = (struct invalid_indexes){ 0 };
    for (size_t i = 0; i < states->items.count; i++) {
        struct invalid_index invalid = { .index = &states->items.items[i] };

        if (index_state_is_good(invalid.index))
            continue;
        describe(arena, &invalid);
        VEC_PUSH(arena, ret, invalid);
    }
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_urgency);
}
