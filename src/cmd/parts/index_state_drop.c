#include "cmd/parts/index_state_drop.h"

#include "base/clock.h"
#include "db/ident.h"
#include "index/state/duplicate.h"
#include "index/state/unused.h"
#include "sql.h"

static bool
refuse(struct ctx *ctx, const struct index_state *index, const char *why, const char *hint)
{
    error_set(ctx, ERR_CONFLICT, "%s is not dropped: %s", index->object, why);
    if (hint)
        error_hint(ctx, "%s", hint);
    return error_state(ctx, "Nothing was changed.");
}

static bool
check_state(struct ctx *ctx, struct db *db, const struct index_state *index)
{
    const struct sql_index_state_indexes *row = index->row;

    if (!index_state_require_open(ctx, index))
        return false;
    if (!index_state_is_good(index))
        return refuse(ctx, index, "it is not usable",
            "\"pgmend index invalid\" says why; \"pgmend index invalid --clean\" drops it, and ends a "
            "drop that was cut off.");
    if (row->kind[0] == 'I')
        return refuse(ctx, index,
            "the index of a partitioned table goes only all at once and under an exclusive lock",
            arena_printf(ctx->arena, "In a maintenance window: DROP INDEX %s;", index->object));
    if (row->may_drop)
        return true;
    error_set(ctx, ERR_RIGHTS, "role %s may not drop %s: its table belongs to %s", db_user(db),
        index->object, row->owner);
    error_hint(ctx, "GRANT %s TO %s;", db_ident(ctx->arena, row->owner),
        db_ident(ctx->arena, db_user(db)));
    return error_state(ctx, "Nothing was changed.");
}

/* The one that makes it needless, and stays: it is not among those that are to go. */
static const struct index_duplicate *
find_duplicate(const struct index_duplicates *duplicates, const struct index_drops *chosen,
    const struct index_state *index)
{
    const struct index_duplicate *found = NULL;

    for (size_t i = 0; i < duplicates->count; i++)
        if (duplicates->items[i].needless == index)
            found = &duplicates->items[i];
    for (size_t i = 0; found && i < chosen->count; i++)
        if (chosen->items[i].index == found->stays)
            return NULL;
    return found;
}

static bool
is_chosen(const struct index_drops *chosen, const struct index_state *index)
{
    for (size_t i = 0; i < chosen->count; i++)
        if (chosen->items[i].index == index)
            return true;
    return false;
}

/* Whether an index that stays begins with the columns of the foreign key (between two separators). */
static bool
is_carried(const struct index_states *states, const struct index_drops *chosen,
    const struct index_state *index, const char *key)
{
    for (size_t i = 0; i < states->items.count; i++) {
        const struct index_state *other = &states->items.items[i];

        if (other->row->table_oid == index->row->table_oid && !is_chosen(chosen, other) &&
            strstr(other->row->carried_keys, key))
            return true;
    }
    return false;
}

/*
 * Each of several may go alone, but not all: the foreign key of which this one would be the last index.
 * NULL: there is none.
 */
static const char *
find_bared_key(struct arena *arena, const struct index_states *states,
    const struct index_drops *chosen, const struct index_state *index)
{
    const char *separator = "\x1f";
    const char *at = index->row->carried_keys;

    while ((at = strstr(at, separator)) != NULL) {
        const char *end = strstr(at + 1, separator);
        const char *key;

        if (!end)
            return NULL;
        key = arena_strndup(arena, at, (size_t)(end + 1 - at));
        if (!is_carried(states, chosen, index, key))
            return arena_strndup(arena, at + 1, (size_t)(end - at - 1));
        at = end + 1;
    }
    return NULL;
}

/* One that is dropped without having been watched to the end may be on the list all the same. */
static bool
look_for_watch(struct ctx *ctx, struct db *db, struct index_drop *ret)
{
    struct index_watch watch CLEANUP(index_watch_release) = { 0 };

    if (!index_watch_load(ctx, db, ret->index->row->schema, ret->index->row->name, &watch))
        return false;
    ret->is_watched = watch.since != NULL;
    return true;
}

static bool
judge_watch(struct ctx *ctx, struct db *db, const struct index_states *states,
    const struct index_drop_wish *wish, struct index_drop *ret)
{
    const struct index_state *index = ret->index;
    int64_t now_us = states->servers.items[0].now_us;
    struct index_watch watch CLEANUP(index_watch_release) = { 0 };

    if (!index_watch_load(ctx, db, index->row->schema, index->row->name, &watch))
        return false;
    ret->verdict = index_watch_judge(ctx->arena, &watch, states, index, wish->watch_us, &ret->why);
    ret->is_due = ret->verdict == WATCH_OVER;
    if (ret->verdict == WATCH_GOES_ON || ret->verdict == WATCH_OVER) {
        ret->since = watch.since;
        now_us = watch.since_us;
    }
    ret->due = clock_text(ctx->arena, now_us + wish->watch_us);
    return true;
}

static bool
decide(struct ctx *ctx, struct db *db, const struct index_states *states,
    const struct index_drop_wish *wish, const struct index_duplicate *duplicate,
    struct index_drop *ret)
{
    const char *why;

    if (!check_state(ctx, db, ret->index))
        return false;
    if (duplicate && wish->is_for_file)
        return refuse(ctx, ret->index,
            arena_printf(ctx->arena,
                "it is needless beside %s now, and a plan in a file would not look at that again",
                duplicate->stays->object),
            "Without -o it is dropped at once, through the same gates; --dry-run shows them.");
    if (duplicate) {
        ret->is_due = ret->is_duplicate = true;
        ret->why = arena_printf(
            ctx->arena, "needless beside %s: %s", duplicate->stays->object, duplicate->why);
        return look_for_watch(ctx, db, ret);
    }
    why = index_why_kept(ctx->arena, ret->index);
    if (why)
        return refuse(ctx, ret->index, why, NULL);
    if (wish->standbys > 0)
        return refuse(ctx, ret->index,
            arena_printf(ctx->arena, "%d connected standby%s not looked at", (int)wish->standbys,
                wish->standbys == 1 ? " is" : "s are"),
            "It may serve there: name each with --replica URL, or give --ignore-standbys.");
    if (wish->is_now) {
        ret->is_due = true;
        ret->why = "dropped without being watched (--now)";
        return look_for_watch(ctx, db, ret);
    }
    return judge_watch(ctx, db, states, wish, ret);
}

static bool
check_keys(struct ctx *ctx, const struct index_states *states, const struct index_drops *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        const struct index_state *index = chosen->items[i].index;
        const char *key = find_bared_key(ctx->arena, states, chosen, index);

        if (key)
            return refuse(ctx, index,
                arena_printf(ctx->arena,
                    "without all of those named no index begins with the columns of the foreign key "
                    "%s: deletes of what it points to would read the whole table",
                    key),
                "Leave out one of those that begin with these columns.");
    }
    return true;
}

bool
index_drops_decide(struct ctx *ctx, struct db *db, const struct index_states *states,
    const struct index_drop_wish *wish, struct index_drops *ret)
{
    struct index_duplicates duplicates;

    *ret = (struct index_drops){ 0 };
    index_duplicates_find(ctx->arena, states, &duplicates);
    for (size_t i = 0; i < wish->names->count; i++) {
        struct index_drop drop = { 0 };
        bool is_twice = false;

        if (!index_states_find(ctx, states, wish->names->items[i], &drop.index))
            return error_state(ctx, "Nothing was changed.");
        for (size_t j = 0; j < ret->count; j++)
            is_twice |= ret->items[j].index == drop.index;
        if (!is_twice)
            VEC_PUSH(ctx->arena, ret, drop);
    }
    for (size_t i = 0; i < ret->count; i++)
        if (!decide(ctx, db, states, wish, find_duplicate(&duplicates, ret, ret->items[i].index),
                &ret->items[i]))
            return false;
    return check_keys(ctx, states, ret);
}
