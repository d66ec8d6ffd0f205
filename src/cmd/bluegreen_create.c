#include <inttypes.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "bluegreen/identity.h"
#include "change/lock.h"
#include "cmd/parts/bluegreen_desk.h"
#include "cmd/parts/bluegreen_migrations.h"

enum { TICK_US = 250000, BEAT_LIMIT_US = 5000000 };

struct options {
    const char *green;
    const char *schema;
    const char *blue_reach;
    const char *green_reach;
    const char *alembic;
    bool full_identity;
    bool without_large_objects;
    int64_t prepare_limit;
    bool no_wait;
    bool dry_run;
    int32_t jobs;
    const char *bin_dir;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, green, .required = true, .secret = true, .arg = "URL",
        .help = "the green database, empty or not there yet; on this server or another"),
    FIELD(struct options, schema, .arg = "dump|as-is|DIR", .standard = "dump",
        .help = "green's definitions: copied, there already, or by \"alembic upgrade head\" in DIR"),
    FIELD(struct options, blue_reach, .arg = "CONNINFO",
        .help = "how green's server reaches blue's, without database; default is as we do"),
    FIELD(struct options, green_reach, .arg = "CONNINFO",
        .help = "how blue's server reaches green's; default is as we do"),
    FIELD(struct options, alembic, .arg = "COMMAND",
        .help = "how Alembic is started; default is found by itself"),
    FIELD(struct options, full_identity,
        .help = "tables without a replica identity get REPLICA IDENTITY FULL; abandon undoes it"),
    FIELD(struct options, without_large_objects,
        .help = "go on although large objects are not replicated"),
    FIELD(struct options, prepare_limit, .unit = UNIT_US, .arg = "TIME", .standard = "1m",
        .help = "wait so long for transactions that are open on blue's server"),
    FIELD(struct options, no_wait, .help = "do not wait until green has caught up"),
    FIELD(struct options, dry_run, .momentary = true, .help = "only look what stands in the way"),
    FIELD(struct options, jobs, .letter = 'j', .arg = "N", .standard = "1",
        .help = "parallel jobs of pg_restore"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump and pg_restore; default is found by itself"),
};
/* clang-format on */

struct work {
    struct run *run;
    const struct options *opts;
    struct bluegreen_wish wish;
    struct bluegreen_green green;
    struct bluegreen_remarks remarks;
    struct bluegreen pair;
    struct journal journal;
};

static const char *const weights[] = {
    [BLUEGREEN_GOOD] = "good",
    [BLUEGREEN_WARNING] = "warning",
    [BLUEGREEN_OBSTACLE] = "obstacle",
};

static size_t
print_remarks(const struct work *work)
{
    static const enum out_mark marks[] = {
        [BLUEGREEN_GOOD] = MARK_OK,
        [BLUEGREEN_WARNING] = MARK_WARN,
        [BLUEGREEN_OBSTACLE] = MARK_FAIL,
    };
    size_t obstacles = 0;

    for (size_t i = 0; i < work->remarks.count; i++) {
        const struct bluegreen_remark *remark = &work->remarks.items[i];

        obstacles += remark->weight == BLUEGREEN_OBSTACLE;
        if (work->run->global->json)
            continue;
        out_mark_line(work->run->out, marks[remark->weight], "%s", remark->text);
        if (remark->remedy)
            fprintf(work->run->out, "        %s\n", remark->remedy);
    }
    return obstacles;
}

static json_t *
remarks_json(const struct work *work)
{
    json_t *json = json_array();

    for (size_t i = 0; i < work->remarks.count; i++)
        json_array_append_new(json,
            json_pack("{s:s, s:s, s:s?}", "weight", weights[work->remarks.items[i].weight], "text",
                work->remarks.items[i].text, "remedy", work->remarks.items[i].remedy));
    return json;
}

static const char *
obstacles_text(struct ctx *ctx, const struct work *work)
{
    struct text_list texts = { 0 };

    for (size_t i = 0; i < work->remarks.count; i++)
        if (work->remarks.items[i].weight == BLUEGREEN_OBSTACLE)
            text_list_add(ctx->arena, &texts, work->remarks.items[i].text);
    return text_list_join(ctx->arena, &texts, "; ");
}

static bool
look_first(struct ctx *ctx, struct work *work, struct db *blue)
{
    size_t obstacles;

    if (!bluegreen_find_green(ctx, blue, &work->wish, &work->green) ||
        !bluegreen_check(ctx, blue, &work->green, &work->wish, &work->remarks))
        return error_state(ctx, "Nothing was changed.");
    obstacles = print_remarks(work);
    if (obstacles == 0)
        return true;
    error_set(ctx, ERR_GATE, "%zu thing%s in the way of a blue-green pair", obstacles,
        obstacles == 1 ? " stands" : "s stand");
    /* A machine reads the error: it gets them all there. */
    if (work->run->global->json)
        error_hint(ctx, "%s", obstacles_text(ctx, work));
    return error_state(ctx, "Nothing was changed.");
}

static bool
make_schema(struct ctx *ctx, struct work *work)
{
    struct bluegreen_progress progress;
    bool is_good = true;

    if (!bluegreen_record(ctx, &work->pair, BG_SCHEMA))
        return false;
    bluegreen_progress_begin(&progress, "bluegreen create");
    if (work->wish.way == BLUEGREEN_DUMP)
        is_good = bluegreen_copy_schema(ctx, &work->pair, &work->wish, &progress.watch);
    if (work->wish.way == BLUEGREEN_MIGRATIONS)
        is_good =
            bluegreen_migrate(ctx, work->pair.dbs[GREEN], work->opts->schema, work->opts->alembic);
    bluegreen_progress_end(&progress);
    return is_good && bluegreen_check_schema(ctx, &work->pair);
}

static void
note(void *data, const char *text)
{
    (void)data;
    log_info("bluegreen create: %s", text);
}

static bool
make(struct ctx *ctx, struct work *work)
{
    enum bluegreen_step step = bluegreen_step_of(&work->pair.state);
    const struct bluegreen_patience patience = { .limit_us = work->opts->prepare_limit,
        .note = note };

    if (step <= BG_SCHEMA) {
        if (!bluegreen_make_database(ctx, &work->pair, &work->green) ||
            !bluegreen_record(ctx, &work->pair, BG_IDENTITY) ||
            (work->wish.full_identity &&
                !bluegreen_set_identities(ctx, &work->pair, &work->journal)) ||
            !make_schema(ctx, work))
            return false;
    }
    return step >= BG_FOLLOWING || bluegreen_follow(ctx, &work->pair, &patience);
}

static bool
wait_until_caught_up(struct ctx *ctx, struct work *work, int64_t *ret_us)
{
    struct bluegreen_progress progress;
    int64_t start = clock_us();
    struct bluegreen_look look = { 0 };
    bool is_good = true;

    bluegreen_progress_begin(&progress, "bluegreen create");
    for (;;) {
        is_good = bluegreen_look(ctx, &work->pair, &look);
        if (!is_good || (look.is_working && look.tables > 0 && look.ready == look.tables))
            break;

        const char *note =
            look.copying.count > 0 ? arena_printf(ctx->arena, "%s, %s", look.copying.items[0].name,
                                         text_from_bytes(ctx->arena, look.copying.items[0].bytes))
            : look.errors > 0 ? "the subscription reports errors: see the log of green's server"
                              : NULL;

        step_watch_show(&progress.watch,
            arena_printf(
                ctx->arena, "copied %" PRId64 " of %" PRId64 " tables", look.ready, look.tables),
            look.live_bytes > 0 ? (double)look.other_bytes / (double)look.live_bytes : -1,
            clock_us() - start, note);
        is_good = clock_sleep_us(TICK_US) || interrupt_error(ctx, interrupt_signal());
        if (!is_good)
            break;
    }
    bluegreen_progress_end(&progress);
    is_good = is_good && bluegreen_wait_applied(ctx, &work->pair, BEAT_LIMIT_US * 12, ret_us);
    *ret_us = clock_us() - start;
    return is_good;
}

static void
print(struct ctx *ctx, struct work *work, int64_t us)
{
    FILE *out = work->run->out;

    if (work->run->global->json) {
        json_t *document CLEANUP(json_release) = json_object();

        json_object_set_new(document, "pair", json_string(work->pair.state.id));
        json_object_set_new(document, "sides", bluegreen_sides_json(&work->pair));
        json_object_set_new(document, "caught_up", json_boolean(!work->opts->no_wait));
        json_object_set_new(document, "wait_us", json_integer(us));
        json_object_set_new(document, "remarks", remarks_json(work));
        out_json(out, document);
        return;
    }
    bluegreen_print_sides(ctx, out, &work->pair);
    if (work->opts->no_wait) {
        out_mark_line(out, MARK_INFO, "green is being filled");
        out_next(out, "pgmend bluegreen status");
        return;
    }
    out_mark_line(
        out, MARK_OK, "green has caught up (%s) and follows blue", text_from_us(ctx->arena, us));
    out_next(out, "pgmend bluegreen verify");
}

static void
print_dry(const struct work *work)
{
    json_t *document CLEANUP(json_release) = NULL;

    if (!work->run->global->json) {
        out_mark_line(work->run->out, MARK_OK, "nothing stands in the way");
        return;
    }
    document = json_object();
    json_object_set_new(document, "remarks", remarks_json(work));
    out_json(work->run->out, document);
}

/* A pair that is there: of a run that was cut off, or complete. */
static bool
find_pair(struct ctx *ctx, struct work *work, struct db *blue, bool *ret_found)
{
    const struct bluegreen_place place = {
        .state_dir = work->wish.state_dir,
        .other_url = work->wish.green_url,
        .application = "pgmend/bluegreen create",
        .access = ACCESS_WRITE,
    };

    *ret_found = bluegreen_open(ctx, blue, &place, &work->pair);
    if (!*ret_found) {
        bool is_new = ctx->error.kind == ERR_NOT_FOUND;

        if (is_new)
            error_clear(ctx);
        return is_new;
    }
    if (work->pair.state.live == BLUE && bluegreen_step_of(&work->pair.state) <= BG_FOLLOWING)
        return true;
    error_set(ctx, ERR_CONFLICT, "there is a pair already, and it is beyond its making (%s)",
        work->pair.state.step);
    return error_hint(ctx, "See \"pgmend bluegreen status\".");
}

static bool
begin(struct ctx *ctx, struct work *work, struct db *blue)
{
    const struct journal_run about = { .command = "bluegreen create",
        .state_dir = work->wish.state_dir };
    bool is_found;

    if (!run_lock_take(ctx, blue, "bluegreen create") || !find_pair(ctx, work, blue, &is_found))
        return false;
    if (is_found && work->opts->dry_run)
        return error_set(
            ctx, ERR_CONFLICT, "there is a pair already, at step \"%s\"", work->pair.state.step);
    if (is_found) {
        work->wish.way = work->pair.state.without_revisions ? BLUEGREEN_MIGRATIONS : work->wish.way;
        /* Cut off before green was there. */
        if (!work->pair.dbs[GREEN] && bluegreen_step_of(&work->pair.state) > BG_SCHEMA)
            return bluegreen_require_both(ctx, &work->pair);
        db_cleanup(&work->pair.dbs[GREEN]);
        if (!bluegreen_find_green(ctx, blue, &work->wish, &work->green))
            return false;
        if (bluegreen_step_of(&work->pair.state) > BG_SCHEMA) {
            work->pair.dbs[GREEN] = work->green.db;
            work->green.db = NULL;
        }
        return journal_begin(ctx, blue, &about, &work->journal);
    }
    return look_first(ctx, work, blue) &&
           (work->opts->dry_run ||
               (journal_begin(ctx, blue, &about, &work->journal) &&
                   bluegreen_begin(ctx, blue, &work->green, &work->wish, &work->pair)));
}

static bool
work_on(struct ctx *ctx, struct work *work)
{
    int64_t us = 0;

    if (!make(ctx, work) || (!work->opts->no_wait && !wait_until_caught_up(ctx, work, &us))) {
        struct error error = ctx->error;

        (void)!journal_end(ctx, &work->journal, RUN_FAILED, error.message);
        ctx->error = error;
        return error_state(ctx,
            "Blue is live and as it was, but for what \"pgmend bluegreen status\" "
            "shows. The same command goes on; \"pgmend bluegreen abandon\" "
            "takes it back.");
    }
    if (!journal_end(ctx, &work->journal, RUN_DONE, NULL))
        return false;
    print(ctx, work, us);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct work work = {
        .run = run,
        .opts = opts,
        .wish = {
            .green_url = opts->green,
            .blue_reach = opts->blue_reach,
            .green_reach = opts->green_reach,
            .way = text_equal(opts->schema, "dump")    ? BLUEGREEN_DUMP
                   : text_equal(opts->schema, "as-is") ? BLUEGREEN_AS_IS
                                                       : BLUEGREEN_MIGRATIONS,
            .full_identity = opts->full_identity,
            .without_large_objects = opts->without_large_objects,
            .jobs = opts->jobs,
            .bin_dir = opts->bin_dir,
            .state_dir = run->global->state_dir,
        },
    };
    struct db *blue = NULL;
    bool is_good;

    if (opts->prepare_limit <= 0)
        return error_set(ctx, ERR_USAGE, "--prepare-limit is more than 0");
    if (opts->jobs < 1 || opts->jobs > 64)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64");
    is_good = bluegreen_connect(ctx, run, ACCESS_WRITE, &blue) && begin(ctx, &work, blue);
    if (is_good && opts->dry_run)
        print_dry(&work);
    if (is_good && !opts->dry_run)
        is_good = work_on(ctx, &work);
    db_cleanup(&work.green.db);
    db_cleanup(&work.pair.dbs[GREEN]);
    db_close(blue);
    return is_good;
}

const struct command cmd_bluegreen_create = {
    .path = "bluegreen create",
    .summary = "make a green database that follows this one by logical replication",
    .details =
        "Looks first at everything that would stand in the way, on both servers, and tells all of it "
        "at once: settings, rights, tables without a replica identity, large objects, extensions, "
        "roles, disk. Nothing is changed as long as something does."
        "\n\n"
        "Then green gets the definitions (a copy, or your migrations), blue publishes its tables, "
        "and green copies and follows. Returns when green has caught up. Green refuses writers until "
        "it is switched to. A run that was cut off is gone on with by the same command.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend bluegreen create --green postgresql://db2:5432/app\n"
                "pgmend bluegreen create --green postgresql:///app_green --schema migrations\n"
                "pgmend bluegreen create --green postgresql:///app_green --dry-run\n",
    .next = "pgmend bluegreen verify",
    .run = run,
};
