/* The end of a pair: nothing of ours is left on the sides that answer, and what is left on one that does not is told. */
#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"

static void
did(struct ctx *ctx, struct bluegreen_ended *ret, const char *what, int side)
{
    text_list_add(ctx->arena, &ret->done,
        arena_printf(ctx->arena, "%s of %s", what, bluegreen_side_name(side)));
}

static void
leave(struct ctx *ctx, struct bluegreen_ended *ret, const char *what, const char *command)
{
    VEC_PUSH(ctx->arena, &ret->left, (struct bluegreen_left){ what, command });
}

static void
leave_side(struct ctx *ctx, const struct bluegreen *pair, int side, struct bluegreen_ended *ret)
{
    const char *to_here = db_ident(ctx->arena, bluegreen_slot(ctx->arena, &pair->state, side));
    const char *from_here = bluegreen_slot(ctx->arena, &pair->state, bluegreen_other(side));

    leave(ctx, ret, arena_printf(ctx->arena, "subscription of %s", bluegreen_side_name(side)),
        arena_printf(ctx->arena,
            "ALTER SUBSCRIPTION %s DISABLE; ALTER SUBSCRIPTION %s SET (slot_name = NONE); DROP "
            "SUBSCRIPTION %s;",
            to_here, to_here, to_here));
    leave(ctx, ret, arena_printf(ctx->arena, "replication slot of %s", bluegreen_side_name(side)),
        arena_printf(
            ctx->arena, "SELECT pg_drop_replication_slot(%s);", db_literal(ctx->arena, from_here)));
    leave(ctx, ret, arena_printf(ctx->arena, "publication of %s", bluegreen_side_name(side)),
        "DROP PUBLICATION IF EXISTS " BLUEGREEN_PUBLICATION ";");
    leave(ctx, ret, arena_printf(ctx->arena, "read-only sessions of %s", bluegreen_side_name(side)),
        arena_printf(ctx->arena, "ALTER DATABASE %s RESET default_transaction_read_only;",
            db_ident(ctx->arena, pair->state.sides[side].database)));
}

static bool
drop_subscriptions(struct ctx *ctx, struct bluegreen *pair, struct bluegreen_ended *ret)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        if (!pair->dbs[side])
            continue;
        if (!bg_drop_subscription(ctx, pair, side))
            return false;
        did(ctx, ret, "subscription", side);
    }
    return true;
}

/* After the subscriptions of both: a slot in use cannot be dropped. */
static bool
drop_slots(struct ctx *ctx, struct bluegreen *pair, struct bluegreen_ended *ret)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        if (!pair->dbs[side]) {
            leave_side(ctx, pair, side, ret);
            continue;
        }
        if (!bg_drop_slot(ctx, pair, bluegreen_other(side)) ||
            !bg_drop_publication(ctx, pair, side) || !bg_close_writers(ctx, pair->dbs[side], false))
            return false;
        did(ctx, ret, "slot, publication and read-only default", side);
    }
    return true;
}

/* Of the side that is not live, and only when we made it. */
static bool
drop_database(struct ctx *ctx, struct bluegreen *pair, struct bluegreen_ended *ret)
{
    struct db *admin CLEANUP(db_cleanup) = NULL;
    const char *name = pair->state.sides[GREEN].database;

    if (!pair->dbs[GREEN])
        return true;
    if (!bg_open_like(ctx, pair->dbs[GREEN], "postgres", ACCESS_WRITE, &admin))
        return false;
    db_cleanup(&pair->dbs[GREEN]);
    if (!bg_exec(ctx, admin, "DROP DATABASE IF EXISTS %s WITH (FORCE)", db_ident(ctx->arena, name)))
        return error_wrap(ctx, "dropping database \"%s\"", name);
    did(ctx, ret, "database", GREEN);
    return true;
}

bool
bluegreen_abandon(
    struct ctx *ctx, struct bluegreen *pair, bool drop_green, struct bluegreen_ended *ret)
{
    enum bluegreen_step step = bluegreen_step_of(&pair->state);

    *ret = (struct bluegreen_ended){ 0 };
    if ((step == BG_MOVING || step == BG_TURNING) && pair->dbs[BLUE] && pair->dbs[GREEN]) {
        error_set(ctx, ERR_CONFLICT, "a switch was cut off: which side is live is not settled");
        return error_hint(ctx, "Run \"pgmend bluegreen switch\" again first.");
    }
    if (drop_green && (!pair->state.made_green || pair->state.live == GREEN)) {
        error_set(ctx, ERR_CONFLICT,
            pair->state.made_green ? "green is live: it is not dropped"
                                   : "green was there before: it is not dropped");
        return error_state(ctx, "Nothing was changed.");
    }
    if (!bluegreen_record(ctx, pair, BG_ABANDONING) || !drop_subscriptions(ctx, pair, ret) ||
        !drop_slots(ctx, pair, ret))
        return error_wrap(ctx, "ending the pair");
    if (drop_green && !drop_database(ctx, pair, ret))
        return false;
    return bluegreen_record(ctx, pair, BG_ABANDONED);
}
