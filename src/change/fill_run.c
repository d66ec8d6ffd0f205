/*
 * All batches of a fill. A batch aims at a tenth of a second, so that nobody waits long for its
 * rows, and rests a quarter of its time, so that autovacuum and replicas keep up.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/fill.h"
#include "change/journal_file.h"

enum { AIM_US = 100000, REST_PART = 4, LEAST_ROWS = 10, FIRST_ROWS = 200, MOST_ROWS = 5000 };
enum { MOST_PASSES = 6, FILE_EVERY_US = 5000000, TELLING_US = 2000000 };

#define STATEMENT_CANCELED "57014"

struct drive {
    struct rollout *rollout;
    struct fill *fill;
    struct journal_entry *entry;
    double total;       /* rows of the table, about; 0 or less: unknown */
    int64_t rows;       /* of the next batch */
    int64_t started_us; /* of the pass, in this run */
    int64_t seen_then;
    int64_t trouble_us; /* since when no batch succeeds; 0: the last one did */
    int troubles;
    int64_t file_us;         /* when the local file was told last */
    struct arena *key_arena; /* holds the fill's last key */
};

/* The error of a batch, whose arena goes, as that of the whole. */
static bool
adopt(struct ctx *ctx, const struct ctx *from)
{
    const struct error *error = &from->error;

    ctx->error = *error;
    ctx->error.message = error->message ? arena_strdup(ctx->arena, error->message) : NULL;
    ctx->error.detail = error->detail ? arena_strdup(ctx->arena, error->detail) : NULL;
    ctx->error.hint = error->hint ? arena_strdup(ctx->arena, error->hint) : NULL;
    ctx->error.state = error->state ? arena_strdup(ctx->arena, error->state) : NULL;
    return false;
}

static void
keep_key(struct drive *drive, const char *key)
{
    struct arena *arena = arena_new();

    drive->fill->last_key = arena_strdup(arena, key);
    if (drive->key_arena)
        arena_cleanup(&drive->key_arena);
    drive->key_arena = arena;
}

static void
show(struct drive *drive, const char *phase)
{
    const struct rollout *rollout = drive->rollout;
    const struct fill *fill = drive->fill;
    int64_t elapsed = clock_us() - drive->started_us;
    double done = (double)(fill->seen - drive->seen_then);
    struct rollout_progress progress = {
        .what = drive->entry->object,
        .phase = phase,
        .ratio = -1,
        .elapsed_us = elapsed,
        .left_us = -1,
    };

    if (!rollout->observer.progress)
        return;
    if (drive->total > 0 && (double)fill->seen <= drive->total)
        progress.ratio = (double)fill->seen / drive->total;
    if (progress.ratio >= 0 && done > 0 && elapsed > TELLING_US)
        progress.left_us = (int64_t)((double)elapsed / done * (drive->total - (double)fill->seen));
    rollout->observer.progress(rollout->observer.data, &progress);
}

static void
adapt(struct drive *drive, int64_t us)
{
    int64_t wanted = us > 0 ? drive->rows * AIM_US / us : drive->rows * 2;

    if (wanted > drive->rows * 2)
        wanted = drive->rows * 2;
    if (wanted < drive->rows / 2)
        wanted = drive->rows / 2;
    drive->rows = wanted < LEAST_ROWS ? LEAST_ROWS : wanted > MOST_ROWS ? MOST_ROWS : wanted;
}

/* The file learns now and then how far it is, in case the database is set back. */
static bool
tell_file(struct ctx *ctx, struct drive *drive)
{
    struct journal_entry entry = *drive->entry;

    if (clock_us() - drive->file_us < FILE_EVERY_US)
        return true;
    drive->file_us = clock_us();
    entry.detail = fill_detail(ctx, drive->fill);
    return journal_file_add_entry(ctx, drive->rollout->journal.file, &entry);
}

static bool
come_back(struct ctx *ctx, struct drive *drive)
{
    return db_is_connected(drive->rollout->db) || rollout_reconnect(ctx, drive->rollout);
}

/*
 * A batch failed: whether there shall be another try, of fewer rows when it took too long or the
 * server refuses a row, so that in the end the very row is named.
 */
static bool
shall_retry(struct ctx *ctx, struct drive *drive, const struct fill_batch *batch)
{
    int64_t now = clock_us();

    if (interrupt_signal() || ctx->error.kind == ERR_CONFLICT)
        return false;
    if (is_lock_trouble(ctx)) {
        if (!drive->trouble_us)
            drive->trouble_us = now;
        if (now - drive->trouble_us < drive->rollout->limits.wait_us)
            return true;
        return error_wrap(ctx, "rows were held by others for longer than %s",
            text_from_us(ctx->arena, drive->rollout->limits.wait_us));
    }
    if (ctx->error.kind == ERR_CONNECTION)
        return drive->troubles <= drive->rollout->limits.retries && come_back(ctx, drive);
    if (batch->rows > 1 && *ctx->error.sqlstate) {
        drive->rows = batch->rows / 2;
        return true;
    }
    return text_equal(ctx->error.sqlstate, STATEMENT_CANCELED) &&
           drive->troubles <= drive->rollout->limits.retries;
}

/* One batch, tried until it is done; *ret_end: no row was left. */
static bool
step(struct ctx *ctx, struct drive *drive, struct fill_batch *ret, bool *ret_end)
{
    struct rollout *rollout = drive->rollout;

    for (drive->troubles = 0;; drive->troubles++) {
        *ret = (struct fill_batch){ 0 };
        if (rollout_check_room(ctx, rollout) &&
            fill_next(ctx, rollout->db, drive->fill, drive->rows, ret) &&
            (!ret->last_key || fill_rows(ctx, rollout, drive->fill, drive->entry, ret)))
            break;
        if (ctx->error.kind == ERR_GATE || !shall_retry(ctx, drive, ret)) {
            if (ret->last_key && ret->rows == 1)
                return error_wrap(ctx, "the row with %s = %s", drive->fill->key, ret->last_key);
            return false;
        }
        if (is_lock_trouble(ctx)) {
            show(drive, "waiting for rows that others hold");
            if (!rollout_pause(drive->troubles))
                return interrupt_error(ctx, interrupt_signal());
        }
        error_clear(ctx);
    }
    drive->trouble_us = 0;
    *ret_end = !ret->last_key;
    return true;
}

static bool
run_pass(struct ctx *ctx, struct drive *drive)
{
    struct fill *fill = drive->fill;
    const char *phase = fill->pass == 1 ? "filling rows" : "checking rows";
    bool is_end = false;

    drive->started_us = clock_us();
    drive->seen_then = fill->seen;
    drive->rows = FIRST_ROWS;
    while (!is_end) {
        /* What a batch needs is freed with it: a table can have a million of them. */
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx scratch = { .arena = arena };
        struct fill_batch batch;

        if (!step(&scratch, drive, &batch, &is_end))
            return adopt(ctx, &scratch);
        if (is_end)
            break;
        keep_key(drive, batch.last_key);
        fill->seen += batch.rows;
        fill->filled += batch.filled;
        fill->is_dirty |= batch.filled > 0;
        adapt(drive, batch.us);
        show(drive, phase);
        if (!tell_file(&scratch, drive))
            return adopt(ctx, &scratch);
        if (!clock_sleep_us(batch.us / REST_PART))
            return interrupt_error(ctx, interrupt_signal());
    }
    return true;
}

static bool
run_passes(struct ctx *ctx, struct drive *drive)
{
    struct fill *fill = drive->fill;
    struct journal_entry *entry = drive->entry;

    for (;;) {
        if (!run_pass(ctx, drive))
            return false;
        if (fill->pass > 1 && !fill->is_dirty)
            return true;
        if (fill->pass >= MOST_PASSES) {
            error_set(ctx, ERR_VERIFICATION,
                "rows of %s are still found that do not hold what they should", entry->object);
            return error_hint(ctx, "Is there a trigger that keeps the column true, and does the "
                                   "expression give the same each time?");
        }
        fill->pass++;
        fill->last_key = NULL;
        fill->seen = 0;
        fill->is_dirty = false;
        if (!journal_update(
                ctx, &drive->rollout->journal, entry, ENTRY_STARTED, fill_detail(ctx, fill)))
            return false;
    }
}

bool
fill_run(struct ctx *ctx, struct rollout *rollout, struct fill *fill, double total,
    struct journal_entry *entry)
{
    struct drive drive = {
        .rollout = rollout,
        .fill = fill,
        .entry = entry,
        .total = total,
        .file_us = clock_us(),
    };
    bool is_good = run_passes(ctx, &drive);

    if (fill->last_key)
        fill->last_key = arena_strdup(ctx->arena, fill->last_key);
    if (drive.key_arena)
        arena_cleanup(&drive.key_arena);
    return is_good;
}
