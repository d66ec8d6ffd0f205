#include "cmd/parts/rehearsal_run.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "change/kind.h"
#include "sql.h"

struct work {
    struct ctx *ctx;
    const struct rehearsal_place *place;
    const struct plan *plan;
    struct rollout rollout;
    struct rehearsal_proof *proof; /* NULL: there are no rows */
    struct rehearsed *result;
};

/* Tables have other OIDs in the copy; everything else of the change is the same. */
static bool
find_in_copy(struct ctx *ctx, struct db *db, struct change *change)
{
    const char *oid;
    const char *params[] = { change_relation(ctx->arena, change) };
    int64_t number = 0;

    if (!change->table)
        return true;
    if (!db_value(ctx, db, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", params, 1, &oid))
        return false;
    if (!oid || !text_to_int64(oid, &number))
        return error_set(ctx, ERR_FAILED, "table %s is not in the copy", params[0]);
    change->table_oid = (uint32_t)number;
    return true;
}

/* A copy on the live server shares its settings and roles with it. */
static const char *
reaches_outside(const struct change *change)
{
    if (change_is_of(change, KIND_SETTING) && !change->table)
        return change->role ? "a setting of a role holds in the live database too"
                            : "a setting of the server holds for the live database too";
    if (change_is_of(change, KIND_FLAG) || change_is_of(change, KIND_FLAG_OFF))
        return "a flag is about the application, not about the copy";
    return NULL;
}

static bool
wal_position(struct work *work, int64_t *ret)
{
    struct sql_change_wal_position_rows rows;

    if (!sql_change_wal_position(work->ctx, work->rollout.watch, &rows) || rows.count != 1)
        return error_wrap(work->ctx, "measuring the WAL");
    *ret = rows.items[0].bytes;
    return true;
}

static bool
do_change(struct work *work, const struct change *planned, struct rehearsed_step *step)
{
    struct change change = *planned;
    struct rollout_outcome outcome = { 0 };
    struct rehearsed_change done = {
        .kind = change.kind,
        .object = change_object(work->ctx->arena, &change),
        .skipped = reaches_outside(&change),
        .undo_us = -1,
    };
    int64_t before = 0;
    int64_t after = 0;

    if (done.skipped) {
        done.is_outside = true;
        VEC_PUSH(work->ctx->arena, &step->changes, done);
        return true;
    }
    /* The copy's journal is empty: it does not know what is our own. */
    change.has_consent = true;
    if (!find_in_copy(work->ctx, work->rollout.db, &change) || !wal_position(work, &before) ||
        !rollout_create(work->ctx, &work->rollout, &change, &outcome) ||
        !wal_position(work, &after))
        return error_wrap(work->ctx, "rehearsing %s", change.name);
    /* The copy is as the live database is: what an earlier run did stands there too. */
    if (!outcome.is_done) {
        done.skipped = arena_printf(work->ctx->arena, "it stands already (%s)", outcome.result);
        VEC_PUSH(work->ctx->arena, &step->changes, done);
        return true;
    }
    work->result->built++;
    done.object = outcome.name ? outcome.name : done.object;
    done.result = outcome.result;
    done.us = outcome.us;
    done.bytes = outcome.bytes;
    done.wal_bytes = after - before;
    VEC_PUSH(work->ctx->arena, &step->changes, done);
    return true;
}

size_t
rehearsal_left_out(const struct rehearsed *done)
{
    size_t count = 0;

    for (size_t i = 0; i < done->steps.count; i++)
        for (size_t j = 0; j < done->steps.items[i].changes.count; j++)
            count += done->steps.items[i].changes.items[j].is_outside;
    return count;
}

static bool
is_any_done(const struct rehearsed_step *step)
{
    for (size_t i = 0; i < step->changes.count; i++)
        if (!step->changes.items[i].skipped)
            return true;
    return false;
}

static bool
do_step(struct work *work, const struct plan_step *planned, size_t first, size_t count)
{
    struct rehearsed_step step = { .step = planned };
    const char *proof = planned ? planned->proof : work->plan->proof;
    size_t pending = 0;

    for (size_t i = first; i < first + count; i++)
        pending += change_is_pending(&work->plan->items[i]);
    if (pending == 0)
        return true;
    work->rollout.journal.step = planned ? planned->id : NULL;
    if (work->proof && proof && !rehearsal_proof_before(work->ctx, work->proof, proof, &step))
        return false;
    for (size_t i = first; i < first + count; i++)
        if (change_is_pending(&work->plan->items[i]) &&
            !do_change(work, &work->plan->items[i], &step))
            return false;
    if (!is_any_done(&step))
        step.statements.count = 0;
    if (work->proof && proof && !rehearsal_proof_after(work->ctx, work->proof, &step))
        return false;
    VEC_PUSH(work->ctx->arena, &work->result->steps, step);
    return true;
}

static bool
do_all(struct work *work)
{
    const struct plan *plan = work->plan;

    if (plan->steps.count == 0)
        return do_step(work, NULL, 0, plan->count);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (!do_step(work, &plan->steps.items[i], plan->steps.items[i].first,
                plan->steps.items[i].count))
            return false;
    return true;
}

/* The change that an entry of the journal is about; NULL: of an earlier run. */
static struct rehearsed_change *
find_change(struct rehearsed *result, const struct journal_entry *entry)
{
    for (size_t i = result->steps.count; i-- > 0;)
        for (size_t j = result->steps.items[i].changes.count; j-- > 0;) {
            struct rehearsed_change *change = &result->steps.items[i].changes.items[j];

            if (change->undo_us < 0 && !change->skipped && text_equal(change->kind, entry->kind) &&
                text_equal(change->object, entry->object))
                return change;
        }
    return NULL;
}

static bool
undo_all(struct work *work)
{
    struct journal_entries entries;

    if (!journal_load(work->ctx, work->rollout.db, &entries))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        struct rollout_outcome outcome = { 0 };
        struct rehearsed_change *change = find_change(work->result, &entries.items[i]);
        int64_t before = 0;
        int64_t after = 0;

        if (!rollout_can_undo(&entries.items[i]))
            continue;
        if (!wal_position(work, &before) ||
            !rollout_undo(work->ctx, &work->rollout, &entries.items[i], &outcome) ||
            !wal_position(work, &after))
            return error_wrap(work->ctx, "rehearsing the rollback");
        work->result->undone++;
        if (change) {
            change->undo_us = outcome.us;
            change->undo_wal_bytes = after - before;
        }
    }
    return true;
}

/* After a failure, which stays the error: what was done before it is undone. */
static void
undo_after_failure(struct work *work)
{
    struct error why = work->ctx->error;
    int signal_number = interrupt_take();

    if (!undo_all(work)) {
        const char *left = work->ctx->error.message;

        work->ctx->error = why;
        (void)error_state(work->ctx, "Copy \"%s\" still has changes of the plan: %s",
            work->place->database, left);
    } else {
        work->ctx->error = why;
        work->ctx->error.state = NULL;
    }
    interrupt_put(signal_number);
}

static bool
in_run(struct work *work, const struct plan *plan, bool (*body)(struct work *work))
{
    struct ctx *ctx = work->ctx;
    const char *folder = getenv("TMPDIR");
    const char *state_dir = arena_printf(ctx->arena, "%s/pgmend-rehearsal-%s",
        text_is_empty(folder) ? "/tmp" : folder, random_hex(ctx->arena, 8));
    const struct journal_run about = {
        .command = work->place->command,
        .plan_hash = plan ? plan->hash : NULL,
        .state_dir = state_dir,
    };
    bool is_good = file_make_folder(ctx, state_dir) && rollout_open(ctx, work->place->copy, &about,
                                                           &work->place->observer, &work->rollout);

    if (is_good) {
        is_good = body(work);
        rollout_close(&work->rollout);
    }

    struct error why = ctx->error;

    /* The copy's journal is gone with the copy; a leftover of it would only confuse. */
    if (!file_remove(ctx, state_dir))
        log_debug("%s", ctx->error.message);
    ctx->error = why;
    return is_good;
}

static bool
do_and_undo(struct work *work)
{
    if (!do_all(work)) {
        undo_after_failure(work);
        return false;
    }
    return undo_all(work);
}

static bool
heal(struct work *work)
{
    return rollout_heal(work->ctx, &work->rollout) && undo_all(work);
}

bool
rehearsal_run(struct ctx *ctx, const struct rehearsal_place *place, const struct plan *plan,
    struct rehearsed *ret)
{
    struct work work = { .ctx = ctx, .place = place, .plan = plan, .result = ret };
    bool is_good;

    *ret = (struct rehearsed){ 0 };
    if (place->reader && !rehearsal_proof_begin(ctx, place, &work.proof))
        return false;
    is_good = in_run(&work, plan, do_and_undo);
    rehearsal_proof_end(work.proof);
    return is_good;
}

bool
rehearsal_heal(struct ctx *ctx, const struct rehearsal_place *place, size_t *ret_undone)
{
    struct rehearsed result = { 0 };
    struct work work = { .ctx = ctx, .place = place, .result = &result };
    bool is_good = in_run(&work, NULL, heal);

    *ret_undone = result.undone;
    return is_good;
}
