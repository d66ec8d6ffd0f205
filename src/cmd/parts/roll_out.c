#include "cmd/parts/roll_out.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "change/kind.h"
#include "change/rights.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/index_proving.h"
#include "cmd/parts/proofs.h"
#include "cmd/parts/roll_out_steps.h"
#include "sql.h"

const struct field roll_out_fields[ROLL_OUT_FIELD_COUNT] = {
    FIELD(struct roll_out_options, override, .momentary = true, .arg = "GATE",
        .help = "go on although this gate is red (\"all\" for all that may be); needs --reason"),
    FIELD(struct roll_out_options, reason, .momentary = true, .arg = "TEXT",
        .help = "why a gate is overridden; goes into the journal"),
    FIELD(struct roll_out_options, backup_dir, .arg = "DIR",
        .help = "where the verified backup is (default: backups in the state folder)"),
    FIELD(struct roll_out_options, max_age, .unit = UNIT_US, .arg = "TIME", .standard = "24h",
        .help = "a backup, rehearsal or recorded gate older than this does not count"),
    FIELD(struct roll_out_options, max_transaction, .unit = UNIT_US, .arg = "TIME",
        .standard = "1m", .help = "sessions with an older transaction are a red gate"),
    FIELD(struct roll_out_options, lock_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "2s",
        .help = "how long one attempt waits for the lock of a table"),
    FIELD(struct roll_out_options, wait_limit, .unit = UNIT_US, .arg = "TIME", .standard = "30m",
        .help = "how long a build waits for other sessions' transactions and snapshots"),
    FIELD(struct roll_out_options, retries, .arg = "N", .standard = "3",
        .help = "attempts after the first one"),
    FIELD(struct roll_out_options, attest_wal_free, .momentary = true, .unit = UNIT_BYTES,
        .arg = "SIZE", .standard = "0",
        .help = "you vouch that pg_wal has this much room (server's disk unseen)"),
    FIELD(struct roll_out_options, attest_data_free, .momentary = true, .unit = UNIT_BYTES,
        .arg = "SIZE", .standard = "0",
        .help = "you vouch that the data volume has this much room"),
    FIELD(struct roll_out_options, drop_invalid, .momentary = true, .arg = "NAME",
        .help = "an unusable index of this name, not made by pgmend, may be dropped"),
    FIELD(struct roll_out_options, replace_function, .momentary = true, .arg = "NAME",
        .help = "a function of this name, not made by pgmend, may be replaced"),
    FIELD(struct roll_out_options, dry_run, .help = "show plan and gates, change nothing"),
    FIELD(struct roll_out_options, skip_blocked, .momentary = true,
        .help = "build the others although some statements are blocked"),
    FIELD(struct roll_out_options, prove_within, .momentary = true, .unit = UNIT_US, .arg = "TIME",
        .standard = "0",
        .help = "wait so long to see whether advised indexes pay (\"pgmend index prove\")"),
    FIELD(struct roll_out_options, auto_undo, .momentary = true,
        .help = "with --prove-within: drop those that do not pay"),
    FIELD(struct roll_out_options, low_traffic, .arg = "WINDOW",
        .help = "when changes may be made: \"02:00-05:00 Europe/Berlin\" (UTC without a zone)"),
    FIELD(struct roll_out_options, max_lag, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "a standby that is further behind is a red gate"),
    FIELD(struct roll_out_options, window, .unit = UNIT_US, .arg = "TIME", .standard = "30s",
        .help = "steps: measure so long before each, and after (or --prove-within)"),
    FIELD(struct roll_out_options, least_calls, .arg = "N", .standard = "20",
        .help = "steps: calls of its statements before anything is concluded"),
    FIELD(struct roll_out_options, step, .momentary = true, .arg = "ID",
        .help = "steps: only this one; may be given several times"),
    FIELD(struct roll_out_options, phase, .momentary = true, .arg = "N", .standard = "0",
        .help = "steps: only those of this phase (0: all)"),
    FIELD(struct roll_out_options, keep_going, .momentary = true,
        .help = "steps: go on with the next although one failed"),
    FIELD(struct roll_out_options, retry_undone, .momentary = true,
        .help = "steps: do again what was undone because it did not hold"),
    FIELD(struct roll_out_options, no_guard,
        .help = "steps: do not watch the whole database while changes run"),
    FIELD(struct roll_out_options, guard_interval, .unit = UNIT_US, .arg = "TIME", .standard = "5s",
        .help = "steps: look so often; three bad looks cancel what runs"),
    FIELD(struct roll_out_options, guard_slower, .arg = "RATIO", .standard = "3",
        .help = "steps: other statements so many times slower are bad"),
    FIELD(struct roll_out_options, guard_lag, .unit = UNIT_US, .arg = "TIME", .standard = "10s",
        .help = "steps: a standby further behind is bad"),
};

/* A time that is shorter says nothing. */
enum { LEAST_TOLD_US = 1000 };

struct outcomes {
    struct rollout_outcome *items;
    size_t count;
    size_t capacity;
};

bool
roll_out_tells(const struct run *run)
{
    return !run->global->json && !run->global->quiet;
}

/* Blocked statements and foreign unusable indexes stop the whole plan unless allowed. */
static bool
check_plan(struct ctx *ctx, struct plan *plan, const struct roll_out_options *options)
{
    size_t blocked = plan_count(plan, ACTION_BLOCKED);

    for (size_t i = 0; i < plan->count; i++) {
        struct change *change = &plan->items[i];

        change->has_consent =
            text_list_has(change_is_of(change, KIND_FUNCTION) ? &options->replace_function
                                                              : &options->drop_invalid,
                change->name);
        if (change->needs_consent && !change->has_consent) {
            error_set(ctx, ERR_CONFLICT, "%s: %s", change->name, change->problem);
            error_hint(ctx, "Look at it first; %s.", change->remedy);
            return error_state(ctx, "Nothing was changed.");
        }
    }
    if (blocked == 0 || options->skip_blocked)
        return true;
    error_set(ctx, ERR_CONFLICT, "%zu of %zu statements cannot be done as they stand", blocked,
        plan->count);
    error_hint(ctx, "Mend them as said above, or build only the others with --skip-blocked.");
    return error_state(ctx, "Nothing was changed.");
}

static bool
check_step_options(struct ctx *ctx, const struct plan *plan, const struct roll_out_options *options)
{
    if (plan->steps.count == 0) {
        if (options->step.count > 0 || options->phase > 0 || options->keep_going ||
            options->retry_undone)
            return error_set(ctx, ERR_USAGE,
                "--step, --phase, --keep-going and --retry-undone are for plans with steps");
        return true;
    }
    if (options->window < 0 || options->least_calls < 1)
        return error_set(
            ctx, ERR_USAGE, "--window must not be negative, --least-calls must be 1 or more");
    if (options->guard_interval < 1000 || options->guard_slower < 1 || options->guard_lag < 1000)
        return error_set(ctx, ERR_USAGE,
            "--guard-interval and --guard-lag must be 1ms or more, --guard-slower 1 or more");
    return steps_check_options(ctx, plan, options);
}

static bool
check_options(
    struct ctx *ctx, const struct plan *plan, const struct roll_out_options *options, bool is_json)
{
    /* PostgreSQL takes a lock_timeout of 0 for none at all. */
    if (options->lock_timeout < 1000 || options->wait_limit < 1000)
        return error_set(ctx, ERR_USAGE, "--lock-timeout and --wait-limit must be 1ms or more");
    if (options->retries < 0)
        return error_set(ctx, ERR_USAGE, "--retries must not be negative");
    if (options->auto_undo && options->prove_within <= 0)
        return error_set(ctx, ERR_USAGE, "--auto-undo needs --prove-within, to see what pays");
    if (is_json && options->prove_within > 0 && plan->steps.count == 0) {
        error_set(ctx, ERR_USAGE, "--prove-within and --json cannot be given together");
        return error_hint(ctx, "\"pgmend --json index prove --within TIME\" gives the verdicts.");
    }
    return check_step_options(ctx, plan, options);
}

/* Something to do, to prove, or to put right that an earlier run left. */
static bool
has_work(struct ctx *ctx, struct db *db, const struct plan *plan,
    const struct roll_out_options *options, bool *ret)
{
    struct journal_entries entries;

    *ret = plan->steps.count == 0 && plan_pending(plan) > 0;
    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        *ret |= journal_entry_is_open(&entries.items[i]);
    if (plan->steps.count > 0)
        return steps_have_work(ctx, db, plan, options, ret);
    return *ret || proof_is_due(ctx, db, plan, ret);
}

static bool
check_gates(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct roll_out_options *options, struct gate_results *ret)
{
    struct plan asked_for = *plan;
    const struct gate_input input = {
        .db = run->db,
        .plan = &asked_for,
        .backup_dir = backup_folder(ctx, run, options->backup_dir),
        .max_age_us = options->max_age,
        .max_transaction_us = options->max_transaction,
        .attested_wal_bytes = options->attest_wal_free,
        .attested_data_bytes = options->attest_data_free,
        .state_dir = run->global->state_dir,
        .low_traffic = options->low_traffic,
        .max_lag_us = options->max_lag,
        .plan_from = options->plan_from,
    };

    steps_leave_out(ctx->arena, options, &asked_for);
    /* Nobody shall make gates green, or wait for an hour, to be told that he may not. */
    if (!rights_require(ctx, run->db, &asked_for) || !gates_check(ctx, &input, ret) ||
        !gates_override(ctx, ret, &options->override, options->reason))
        return error_state(ctx, "Nothing was changed.");
    if (roll_out_tells(run)) {
        fprintf(run->out, "\nGates\n");
        print_gates(run->out, ret);
        fputc('\n', run->out);
        fflush(run->out);
    }
    return true;
}

void
print_change_outcome(struct ctx *ctx, FILE *out, const struct rollout_outcome *outcome)
{
    if (!outcome->is_done) {
        out_mark_line(out, MARK_OK, "%s  %s", outcome->name, outcome->result);
        return;
    }
    if (!text_equal(outcome->kind, KIND_INDEX)) {
        if (outcome->us < LEAST_TOLD_US)
            out_mark_line(out, MARK_OK, "%s  %s", outcome->name, outcome->result);
        else
            out_mark_line(out, MARK_OK, "%s  %s in %s", outcome->name, outcome->result,
                text_from_us(ctx->arena, outcome->us));
        return;
    }
    out_mark_line(out, MARK_OK, "%s  built in %s, %s%s; valid, ready and live, as planned",
        outcome->name, text_from_us(ctx->arena, outcome->us),
        text_from_bytes(ctx->arena, outcome->bytes),
        outcome->attempts > 1 ? arena_printf(ctx->arena, ", %d attempts", (int)outcome->attempts)
                              : "");
}

static size_t
count_done(const struct outcomes *outcomes)
{
    size_t count = 0;

    for (size_t i = 0; i < outcomes->count; i++)
        count += outcomes->items[i].is_done;
    return count;
}

/* A filling that was gone on with stands in the journal as begun by the earlier run. */
static bool
is_done_now(const struct outcomes *done, const struct journal_entry *entry)
{
    for (size_t i = 0; i < done->count; i++)
        if (done->items[i].is_done && text_equal(done->items[i].kind, entry->kind) &&
            text_equal(done->items[i].name, entry->object))
            return true;
    return false;
}

/* What earlier runs of the same plan did and what stands; 0 when it cannot be known any more. */
static size_t
count_earlier(struct ctx *ctx, const struct rollout *rollout, const struct plan *plan,
    const struct outcomes *done)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    struct journal_entries entries = { 0 };
    struct sql_change_runs_rows runs = { 0 };
    struct text_list of_plan = { 0 };
    size_t count = 0;
    bool is_known = db_is_connected(rollout->db) && journal_load(ctx, rollout->db, &entries) &&
                    sql_change_runs(ctx, rollout->db, &runs);

    for (size_t i = 0; is_known && i < runs.count; i++)
        if (text_equal(runs.items[i].plan_hash, plan->hash) &&
            !text_equal(runs.items[i].id, rollout->journal.run))
            text_list_add(ctx->arena, &of_plan, runs.items[i].id);
    for (size_t i = 0; is_known && i < entries.count; i++)
        count += text_equal(entries.items[i].state, ENTRY_DONE) &&
                 change_kind_find(entries.items[i].kind)->undo &&
                 text_list_has(&of_plan, entries.items[i].run) &&
                 !is_done_now(done, &entries.items[i]);
    interrupt_put(signal_number);
    ctx->error = why;
    return count;
}

/* Adds to the state of the failed change what became of the ones before it. */
static bool
tell_state(struct ctx *ctx, const struct rollout *rollout, const struct plan *plan,
    const struct outcomes *done, size_t pending)
{
    const char *state = ctx->error.state ? ctx->error.state : "";
    size_t built = count_done(done);
    size_t earlier = count_earlier(ctx, rollout, plan, done);
    const char *more =
        earlier > 0 ? arena_printf(ctx->arena, ", %zu more of an earlier run", earlier) : "";

    if (built == 0 && earlier == 0 && !*state)
        return error_state(ctx, "Nothing was changed.");
    if (built == 0 && earlier == 0)
        return false;
    return error_state(ctx, "%s%s%zu of %zu %s and stay%s; \"pgmend rollback\" undoes them.", state,
        *state ? " " : "", built, pending,
        plan_is_of_indexes(plan) ? "indexes are built" : "changes are done", more);
}

static bool
apply_changes(struct ctx *ctx, struct run *run, struct rollout *rollout, struct screen *screen,
    struct plan *plan, struct outcomes *ret)
{
    size_t pending = plan_pending(plan);

    for (size_t i = 0; i < plan->count; i++) {
        struct rollout_outcome outcome;
        bool is_good;

        if (!change_is_pending(&plan->items[i]))
            continue;
        is_good = !interrupt_signal() || interrupt_error(ctx, interrupt_signal());
        is_good = is_good && rollout_create(ctx, rollout, &plan->items[i], &outcome);
        screen_end(screen);
        if (!is_good)
            return tell_state(ctx, rollout, plan, ret, pending);
        VEC_PUSH(ctx->arena, ret, outcome);
        if (roll_out_tells(run))
            print_change_outcome(ctx, run->out, &outcome);
        fflush(run->out);
    }
    return true;
}

/* Of a vacuum or a rebuilt index there is nothing to be undone. */
static bool
can_undo(const struct outcomes *done)
{
    for (size_t i = 0; i < done->count; i++)
        if (done->items[i].is_done && change_kind_find(done->items[i].kind)->undo)
            return true;
    return false;
}

static void
print_result(struct run *run, const struct plan *plan, const struct gate_results *results,
    const struct outcomes *done, const char *proof)
{
    size_t built = count_done(done);

    if (!run->global->json) {
        if (proof)
            out_mark_line(run->out, MARK_OK, "proven: %s", proof);
        fprintf(run->out, "%s%zu of %zu %s, %zu were there.%s\n",
            done->count > 0 && !run->global->quiet ? "\n" : "", built, plan->count,
            plan_is_of_indexes(plan) ? "indexes built" : "changes done",
            plan->count - built - plan_count(plan, ACTION_BLOCKED),
            can_undo(done) ? " Undo any time: pgmend rollback" : "");
        out_next(run->out, "pgmend status");
        return;
    }

    json_t *changes = json_array();

    for (size_t i = 0; i < done->count; i++) {
        const struct rollout_outcome *outcome = &done->items[i];

        json_array_append_new(changes,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "object", outcome->name, "result",
                outcome->result, "us", (json_int_t)outcome->us, "bytes", (json_int_t)outcome->bytes,
                "server_wal_bytes", (json_int_t)outcome->wal_bytes, "attempts",
                (json_int_t)outcome->attempts));
    }

    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:o, s:o}", "plan", plan_json(plan),
        "gates", gates_json(results), "changes", changes);

    if (proof)
        json_object_set_new(json, "proven", json_string(proof));
    out_json(run->out, json);
}

static bool
print_unchanged(
    struct run *run, const struct plan *plan, const struct gate_results *results, const char *why)
{
    static const struct outcomes none = { 0 };

    if (run->global->json) {
        print_result(run, plan, results, &none, NULL);
        return true;
    }
    fprintf(run->out, "%s\n", why);
    out_next(
        run->out, plan_pending(plan) > 0 ? "the same command without --dry-run" : "pgmend status");
    return true;
}

static bool
open_and_apply(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options, const struct gate_results *results)
{
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct outcomes done = { 0 };
    const char *proof = NULL;
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = {
        .command = run->command->path,
        .plan_hash = plan->hash,
        .overrides = gates_overrides(ctx, results),
        .state_dir = run->global->state_dir,
    };
    bool is_good = rollout_open(ctx, run->db, &about, &observer, &rollout);

    screen_end(screen);
    if (!is_good)
        return false;
    rollout.limits.first_lock_us = options->lock_timeout;
    rollout.limits.wait_us = options->wait_limit;
    rollout.limits.retries = options->retries;
    is_good = rollout_heal(ctx, &rollout) &&
              apply_changes(ctx, run, &rollout, screen, plan, &done) &&
              proof_check(ctx, &rollout, plan, &proof);
    screen_end(screen);
    if (!end_run(ctx, &rollout, is_good))
        return proof_settle(ctx, &rollout);
    print_result(run, plan, results, &done, proof);
    return true;
}

/* Of this plan's indexes, after the run's sessions are closed: what does not pay is undone by a run of its own. */
static bool
prove_promises(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct roll_out_options *options)
{
    struct text_list names = { 0 };
    const struct index_proving proving = {
        .names = &names,
        .within_us = options->prove_within,
        .least_calls = INDEX_PROVING_CALLS,
        .auto_undo = options->auto_undo,
    };

    if (options->prove_within == 0 || !plan->proof)
        return true;
    for (size_t i = 0; i < plan->count; i++)
        if (change_is_of(&plan->items[i], KIND_INDEX))
            text_list_add(ctx->arena, &names, change_object(ctx->arena, &plan->items[i]));
    fputc('\n', run->out);
    return index_prove(ctx, run, run->db, &proving);
}

bool
roll_out(
    struct ctx *ctx, struct run *run, struct plan *plan, const struct roll_out_options *options)
{
    struct gate_results results = { 0 };
    bool is_needed;

    if (!check_options(ctx, plan, options, run->global->json) || !proof_require_known(ctx, plan) ||
        !step_proof_require_known(ctx, plan))
        return false;
    if (roll_out_tells(run))
        print_plan(ctx, run->out, plan, !options->dry_run);
    if (!check_plan(ctx, plan, options))
        return false;
    if (!has_work(ctx, run->db, plan, options, &is_needed))
        return error_state(ctx, "Nothing was changed.");
    if (!is_needed)
        return print_unchanged(run, plan, &results, "There is nothing to do.");
    if (!check_gates(ctx, run, plan, options, &results))
        return false;
    if (options->dry_run)
        return print_unchanged(run, plan, &results, "Nothing was changed (--dry-run).");
    if (!gates_require(ctx, &results))
        return false;
    if (plan->steps.count > 0)
        return roll_out_steps(ctx, run, plan, options, &results);
    return open_and_apply(ctx, run, plan, options, &results) &&
           prove_promises(ctx, run, plan, options);
}
