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
        return refuse(
            ctx, index, "it is not usable", "\"pgmend index invalid\" says why, --clean drops it.");
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
    if (duplicate) {
        ret->is_due = true;
        ret->why = arena_printf(
            ctx->arena, "needless beside %s: %s", duplicate->stays->object, duplicate->why);
        return true;
    }
    why = index_why_kept(ctx->arena, ret->index);
    if (why)
        return refuse(ctx, ret->index, why, NULL);
    if (wish->is_now) {
        ret->is_due = true;
        ret->why = "dropped without being watched (--now)";
        return true;
    }
    if (wish->standbys > 0)
        return refuse(ctx, ret->index,
            arena_printf(ctx->arena, "%d connected standby%s not looked at", (int)wish->standbys,
                wish->standbys == 1 ? " is" : "s are"),
            "It may serve there: name each with --replica URL, or give --ignore-standbys.");
    return judge_watch(ctx, db, states, wish, ret);
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
    return true;
}
