#include <inttypes.h>

#include "base/log.h"
#include "change/journal.h"
#include "cmd/parts/bluegreen_desk.h"
#include "cmd/parts/health_tell.h"

enum { UNWELL = 3 };

struct options {
    const char *pgbouncer;
    const char *pgbouncer_ini;
    const char *other_url;
    bool back;
    bool end_direct;
    int64_t max_pause;
    int64_t prepare_limit;
    int64_t max_lag;
    int64_t sequence_margin;
    const char *health_url;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, pgbouncer, .required = true, .secret = true, .arg = "URL",
        .help = "admin console of PgBouncer, as one of its admin_users"),
    FIELD(struct options, pgbouncer_ini, .arg = "FILE",
        .help = "rewrite its entry here; default is to exchange the databases' names"),
    FIELD(struct options, other_url, .secret = true, .arg = "URL",
        .help = "the other side, when it is not where it was"),
    FIELD(struct options, back, .momentary = true, .help = "make blue live again"),
    FIELD(struct options, end_direct, .momentary = true,
        .help = "end sessions that go past the pooler"),
    FIELD(struct options, max_pause, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "clients are held no longer than this; else nothing changes"),
    FIELD(struct options, prepare_limit, .unit = UNIT_US, .arg = "TIME", .standard = "1m",
        .help = "wait so long for transactions that are open; clients are not held meanwhile"),
    FIELD(struct options, max_lag, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "16MB",
        .help = "refuse when the other side is further behind"),
    FIELD(struct options, sequence_margin, .arg = "N", .standard = "1000",
        .help = "sequences go on so many steps further"),
    FIELD(struct options, health_url, .arg = "URL",
        .help = "address of the application that has to answer afterwards"),
};
/* clang-format on */

static void
note(void *data, const char *text)
{
    (void)data;
    log_info("bluegreen switch: %s", text);
}

static bool
print(struct ctx *ctx, struct run *run, const struct bluegreen *pair,
    const struct bluegreen_switched *done)
{
    const struct options *opts = run->options;
    const struct health_options health = { .url = opts->health_url, .timeout_us = 10000000 };
    const char *live = bluegreen_side_name(pair->state.live);
    FILE *out = run->out;
    bool is_well = true;

    if (run->global->json) {
        json_t *document CLEANUP(json_release) =
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s?}", "pair", pair->state.id, "live",
                live, "pause_us", (json_int_t)done->pause_us, "drain_us",
                (json_int_t)done->drain_us, "sequences", (json_int_t)done->sequences,
                "tables_checked", (json_int_t)done->tables_checked, "sessions_ended",
                (json_int_t)done->ended, "kept_file", done->kept_file);

        json_object_set_new(document, "sides", bluegreen_sides_json(pair));
        out_json(out, document);
        return true;
    }
    out_mark_line(out, MARK_OK, "%s is live: clients were held for %s, %s of it for the last write",
        live, text_from_us(ctx->arena, done->pause_us), text_from_us(ctx->arena, done->drain_us));
    out_mark_line(out, MARK_OK, "%zu tables compared while nothing was written, %zu sequences set",
        done->tables_checked, done->sequences);
    if (done->ended > 0)
        out_mark_line(
            out, MARK_WARN, "%zu sessions that went past the pooler were ended", done->ended);
    if (done->kept_file)
        out_mark_line(out, MARK_INFO, "PgBouncer's file as it was before: %s", done->kept_file);
    out_mark_line(out, MARK_OK, "%s follows %s: going back loses nothing",
        bluegreen_side_name(bluegreen_other(pair->state.live)), live);
    bluegreen_print_sides(ctx, out, pair);
    if (!health_tell(ctx, run, pair->dbs[pair->state.live], &health, &is_well))
        return false;
    run->status = is_well ? 0 : UNWELL;
    out_next(out, "pgmend bluegreen verify, then pgmend bluegreen %s",
        pair->state.live == GREEN ? "switch --back, or abandon" : "switch, or abandon");
    return true;
}

static bool
confirm(struct ctx *ctx, struct run *run, const struct bluegreen *pair, int target)
{
    const struct bluegreen_side *side = &pair->state.sides[target];
    const char *name = bluegreen_side_name(target);

    return confirm_typed(ctx, run->global,
        arena_printf(ctx->arena,
            "Clients are held for a moment and then work on %s (%s). Type %s to go on", name,
            side->database, name),
        name);
}

/* The live side holds the journal of what is done to the pair. */
static bool
do_switch(struct ctx *ctx, struct run *run, struct bluegreen *pair,
    const struct bluegreen_switch_options *how)
{
    const struct journal_run about = { .command = how->target == BLUE ? "bluegreen switch --back"
                                                                      : "bluegreen switch",
        .state_dir = run->global->state_dir };
    struct bluegreen_switched done;
    struct journal journal;

    /* Who is asked shall know that it can be done. */
    if (!bluegreen_check_switch(ctx, pair, how) || !confirm(ctx, run, pair, how->target) ||
        !journal_begin(ctx, pair->dbs[pair->state.live], &about, &journal))
        return error_state(ctx, "Nothing was changed.");

    bool is_good = bluegreen_switch(ctx, pair, how, &done);
    struct error error = ctx->error;

    /* The sessions may have been opened anew; the row is where the run began. */
    journal.db = pair->dbs[bluegreen_other(how->target)];
    if (journal.db && !journal_end(ctx, &journal, is_good ? RUN_DONE : RUN_FAILED, error.message) &&
        is_good)
        log_warn("the journal does not say that the switch is done: %s", ctx->error.message);
    ctx->error = error;
    return is_good && print(ctx, run, pair, &done);
}

static bool
switch_sides(struct ctx *ctx, struct run *run, struct bluegreen *pair)
{
    const struct options *opts = run->options;
    struct bluegreen_switch_options how = {
        .pooler_url = opts->pgbouncer,
        .pooler_file = opts->pgbouncer_ini,
        .target = opts->back ? BLUE : GREEN,
        .end_direct = opts->end_direct,
        .pause_us = opts->max_pause,
        .lag_bytes = opts->max_lag,
        .sequence_margin = opts->sequence_margin,
        .patience = { .limit_us = opts->prepare_limit, .note = note },
    };
    bool is_moved;

    if (bluegreen_step_of(&pair->state) < BG_FOLLOWING) {
        error_set(ctx, ERR_CONFLICT, "the pair is not complete: a run was cut off at \"%s\"",
            pair->state.step);
        return error_hint(ctx, "Run \"pgmend bluegreen create\" again first.");
    }
    if (!bluegreen_heal_switch(ctx, pair, &how, &is_moved))
        return false;
    if (pair->state.live != how.target)
        return do_switch(ctx, run, pair, &how);
    if (run->global->json) {
        json_t *document CLEANUP(json_release) = json_pack("{s:s, s:s, s:b}", "pair",
            pair->state.id, "live", bluegreen_side_name(how.target), "finished", is_moved);

        out_json(run->out, document);
        return true;
    }
    out_mark_line(run->out, MARK_OK,
        is_moved ? "%s is live: what a run that was cut off had begun is finished"
                 : "%s is live already",
        bluegreen_side_name(how.target));
    out_next(run->out, "pgmend bluegreen status");
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct bluegreen_entrance entrance = {
        .other_url = opts->other_url, .access = ACCESS_WRITE, .need_both = true
    };
    struct bluegreen pair;
    bool is_good;

    if (opts->sequence_margin < 0 || opts->max_pause <= 0 || opts->prepare_limit <= 0)
        return error_set(ctx, ERR_USAGE,
            "--sequence-margin is 0 or more, --max-pause and --prepare-limit more than 0");
    is_good = bluegreen_enter(ctx, run, &entrance, &pair) && switch_sides(ctx, run, &pair);
    bluegreen_close(&pair);
    return is_good;
}

const struct command cmd_bluegreen_switch = {
    .path = "bluegreen switch",
    .summary = "make green live behind PgBouncer, or blue again; no write is lost",
    .details =
        "Refuses while the other side lags, the schema has changed, or the two were not compared. "
        "Then PgBouncer holds the clients, the live side refuses writers, the last write comes over, "
        "sequences are set, the slot for the way back is set to this very point, clients are moved "
        "(the databases exchange their names, or PgBouncer's entry is rewritten) and let go. The "
        "replication is turned round: --back is the same the other way, and loses nothing either."
        "\n\n"
        "A failure before clients are moved takes everything back. After a kill the pooler is resumed "
        "by a guard, and the same command puts right or finishes what was begun.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend bluegreen switch --pgbouncer postgresql://admin@pool:6432/pgbouncer\n"
        "pgmend bluegreen switch --pgbouncer postgresql://admin@pool:6432/pgbouncer --back\n",
    .next = "pgmend bluegreen status",
    .run = run,
};
