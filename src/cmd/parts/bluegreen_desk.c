#include "cmd/parts/bluegreen_desk.h"

#include "change/lock.h"

bool
bluegreen_connect(struct ctx *ctx, const struct run *run, enum access access, struct db **ret)
{
    const struct db_options options = {
        .url = run->global->db_url,
        .application = arena_printf(ctx->arena, "pgmend/%s", run->command->path),
        .access = access,
    };

    return db_open(ctx, &options, ret) && db_require_direct(ctx, *ret) &&
           (access == ACCESS_READ || db_require_primary(ctx, *ret));
}

bool
bluegreen_enter(struct ctx *ctx, const struct run *run, const struct bluegreen_entrance *entrance,
    struct bluegreen *ret)
{
    struct db *db = NULL;
    const struct bluegreen_place place = {
        .state_dir = run->global->state_dir,
        .other_url = entrance->other_url,
        .application = arena_printf(ctx->arena, "pgmend/%s", run->command->path),
        .access = entrance->access,
    };

    *ret = (struct bluegreen){ 0 };
    if (!bluegreen_connect(ctx, run, entrance->access, &db)) {
        db_close(db);
        return false;
    }
    if (!bluegreen_open(ctx, db, &place, ret)) {
        if (!ret->dbs[BLUE] && !ret->dbs[GREEN])
            db_close(db);
        if (entrance->may_be_none && ret->is_none)
            error_clear(ctx);
        return entrance->may_be_none && ret->is_none;
    }
    if (entrance->need_both && !bluegreen_require_both(ctx, ret))
        return false;
    for (int side = BLUE; entrance->access == ACCESS_WRITE && side < BLUEGREEN_SIDES; side++)
        if (ret->dbs[side] && !run_lock_take(ctx, ret->dbs[side], run->command->path))
            return false;
    return true;
}

static void
show(void *data, const char *phase, double ratio, int64_t elapsed_us, const char *text)
{
    struct bluegreen_progress *progress = data;

    progress_show(&progress->progress, .what = progress->what, .phase = phase, .ratio = ratio,
        .elapsed_us = elapsed_us, .left_us = -1, .note = text);
}

void
bluegreen_progress_begin(struct bluegreen_progress *progress, const char *what)
{
    *progress = (struct bluegreen_progress){ .what = what };
    progress_begin(&progress->progress);
    progress->watch = (struct step_watch){ .show = show, .data = progress };
}

void
bluegreen_progress_end(struct bluegreen_progress *progress)
{
    progress_end(&progress->progress);
}

struct side_row {
    const char *side;
    const char *database;
    const char *server;
    const char *state;
};

static const struct field side_columns[] = {
    FIELD(struct side_row, side),
    FIELD(struct side_row, database),
    FIELD(struct side_row, server),
    FIELD(struct side_row, state),
};

void
bluegreen_print_sides(struct ctx *ctx, FILE *out, const struct bluegreen *pair)
{
    struct side_row rows[BLUEGREEN_SIDES];

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        const struct db *db = pair->dbs[side];

        rows[side] = (struct side_row){
            .side = bluegreen_side_name(side),
            .database = pair->state.sides[side].database,
            .server = db ? arena_printf(ctx->arena, "%s:%s", db_host(db), db_port(db)) : "",
            .state = !db                        ? "does not answer"
                     : side == pair->state.live ? "live"
                                                : "follows, read-only",
        };
    }
    out_table(
        out, side_columns, COUNT_OF(side_columns), rows, BLUEGREEN_SIDES, sizeof(struct side_row));
}

const char *
bluegreen_switch_command(const struct bluegreen *pair)
{
    return pair->state.live == BLUE ? "pgmend bluegreen switch --pgbouncer URL"
                                    : "pgmend bluegreen switch --back --pgbouncer URL";
}

json_t *
bluegreen_sides_json(const struct bluegreen *pair)
{
    json_t *json = json_object();

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        json_object_set_new(json, bluegreen_side_name(side),
            json_pack("{s:s, s:b, s:b, s:s?}", "database", pair->state.sides[side].database, "live",
                side == pair->state.live, "answers", pair->dbs[side] != NULL, "why_not",
                pair->why_not[side]));
    return json;
}
