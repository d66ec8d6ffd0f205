/* Building one index CONCURRENTLY, and leaving nothing behind when it fails. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "change/kind_part.h"
#include "db/ident.h"

/* After Ctrl-C the clean-up must not keep the user waiting. */
enum { INTERRUPTED_DROP_US = 4000000 };

/* The watcher ends a wait by its limit; the server's own time-out is for when nobody can watch. */
enum { LOCK_TIMEOUT_SLACK_US = 5000000 };

#define DUPLICATE_TABLE   "42P07"
#define WRONG_OBJECT_TYPE "42809"

static bool
look_at_build(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    if (!rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch))
        return false;
    if (watch->waiting_since_us && clock_us() - watch->waiting_since_us > rollout->limits.wait_us) {
        error_set(ctx, ERR_TIMEOUT, "the build waited longer than %s for other transactions%s%s",
            text_from_us(ctx->arena, rollout->limits.wait_us), watch->blocker ? ": it " : "",
            watch->blocker ? watch->blocker : "");
        return error_hint(ctx, "End the sessions it waited for, or raise --wait-limit.");
    }
    watch->blocker = NULL;
    return rollout_check_room(ctx, rollout);
}

bool
work_probe_lock(struct ctx *ctx, struct rollout *rollout, const struct change *change)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *relation = change_relation(ctx->arena, change);
    const char *timeout = arena_printf(ctx->arena, "SET LOCAL lock_timeout = '%lldms'",
        (long long)(rollout->limits.first_lock_us / 1000));

    if (!db_begin(ctx, rollout->db, NULL, &transaction) || !db_exec(ctx, rollout->db, timeout))
        return false;
    if (db_exec(ctx, rollout->db,
            arena_printf(ctx->arena, "LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE", relation)))
        return true;
    /* LOCK TABLE does not take materialized views; their builds just wait. */
    if (text_equal(ctx->error.sqlstate, WRONG_OBJECT_TYPE)) {
        error_clear(ctx);
        return true;
    }
    return error_wrap(ctx, "waiting for the lock of %s", relation);
}

static bool
verify_index(struct ctx *ctx, const struct change *change, const struct sql_catalog_index *index)
{
    const char *why = NULL;

    if (!index->oid)
        why = "it is not there";
    else if (!index->is_valid || !index->is_ready || !index->is_live)
        why = "it is not valid";
    else if (index->table_oid != change->table_oid)
        why = "it is on another table";
    else if (index->is_unique != change->is_unique ||
             !text_equal(index->definition, change->definition))
        why = arena_printf(ctx->arena, "its definition is another one: %s", index->definition);
    if (!why)
        return true;
    return error_set(
        ctx, ERR_VERIFICATION, "the server reported success, but the index is not good: %s", why);
}

static bool
wal_position(struct ctx *ctx, struct db *db, int64_t *ret)
{
    struct sql_change_wal_position_rows rows;

    *ret = 0;
    if (!sql_change_wal_position(ctx, db, &rows))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0].bytes;
    return true;
}

/* One attempt: nothing is believed but the catalogue. */
static bool
attempt_build(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    struct rollout_outcome *ret, struct sql_catalog_index *ret_index)
{
    struct rollout_watch watch = {
        .what = arena_printf(ctx->arena, "building %s", change_object(ctx->arena, change)),
        .look = look_at_build,
    };
    const char *limit = arena_printf(
        ctx->arena, "%lld", (long long)((rollout->limits.wait_us + LOCK_TIMEOUT_SLACK_US) / 1000));
    int64_t wal_before;
    int64_t wal_after;
    int64_t started = clock_us();

    if (!work_probe_lock(ctx, rollout, change) || !wal_position(ctx, rollout->db, &wal_before) ||
        !db_set(ctx, rollout->db, "lock_timeout", limit) ||
        !rollout_run(ctx, rollout, change->statement, &watch))
        return false;
    ret->us = clock_us() - started;
    if (!rollout_find_index(ctx, rollout->db, change->schema, change->name, ret_index) ||
        !wal_position(ctx, rollout->db, &wal_after))
        return false;
    ret->bytes = ret_index->bytes;
    ret->wal_bytes = wal_after - wal_before;
    return verify_index(ctx, change, ret_index);
}

static bool
is_worth_a_retry(const struct ctx *ctx)
{
    static const char *const states[] = { "55P03", "40P01", "57014", "57P01", "57P02", "57P03" };

    if (ctx->error.kind == ERR_CONNECTION)
        return true;
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (text_equal(ctx->error.sqlstate, states[i]))
            return true;
    return false;
}

/*
 * After a failure: connects again if need be, and removes what is left under the planned name.
 * *ret_survived: the index turned out to be complete (the server finished it by itself).
 */
static bool
clean_up(struct ctx *ctx, struct rollout *rollout, const struct change *change, bool *ret_survived)
{
    struct sql_catalog_index index;
    struct rollout_outcome ignored = { 0 };
    int signal_number = interrupt_take();
    bool is_interrupted = signal_number != 0;
    int64_t limit_us = is_interrupted ? (int64_t)INTERRUPTED_DROP_US : rollout->limits.drop_us;
    bool is_good;

    *ret_survived = false;
    /* The name was taken before the server began: what stands there is not ours to drop. */
    if (text_equal(ctx->error.sqlstate, DUPLICATE_TABLE)) {
        interrupt_put(signal_number);
        return true;
    }
    /* Who waits only so long for others when building does not wait longer when cleaning up. */
    if (limit_us > rollout->limits.wait_us)
        limit_us = rollout->limits.wait_us;
    is_good = (db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout)) &&
              rollout_find_index(ctx, rollout->db, change->schema, change->name, &index);
    if (is_good && index.oid && verify_index(ctx, change, &index))
        *ret_survived = !is_interrupted;
    if (is_good && index.oid && !*ret_survived && index.table_oid == change->table_oid)
        is_good = rollout_drop(ctx, rollout, change->schema, change->name, limit_us, &ignored);
    interrupt_put(signal_number);
    return is_good;
}

static const char *
outcome_detail(struct ctx *ctx, const struct change *change, const struct rollout_outcome *outcome,
    const struct sql_catalog_index *index, const char *error)
{
    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:s, s:I}",
        "schema", change->schema, "table", change->table, "name", change->name, "definition",
        change->definition, "table_oid", (json_int_t)change->table_oid, "attempts",
        (json_int_t)outcome->attempts, "is_unique", (int)change->is_unique, "access_method",
        change->access_method ? change->access_method : "", "table_bytes",
        (json_int_t)change->table_bytes);

    if (index && index->oid) {
        json_object_set_new(json, "index_oid", json_integer(index->oid));
        json_object_set_new(json, "build_us", json_integer(outcome->us));
        json_object_set_new(json, "bytes", json_integer(outcome->bytes));
        json_object_set_new(json, "server_wal_bytes", json_integer(outcome->wal_bytes));
    }
    if (error)
        json_object_set_new(json, "error", json_string(error));
    return json_text(ctx->arena, json);
}

/* One change on its way. */
struct job {
    struct rollout *rollout;
    const struct change *change;
    struct journal_entry *entry;
    struct rollout_outcome *outcome;
    const char *done_state;     /* of the entry when the index is built */
    const char *failed_state;   /* when it is not, and nothing of it is left */
    const char *leftover_state; /* when something is */
};

/* The build failed for good: says so in the journal and in the error's kind and state. */
static bool
give_up(struct ctx *ctx, const struct job *job, const struct error *why, bool is_clean)
{
    struct rollout *rollout = job->rollout;
    const char *object = change_object(ctx->arena, job->change);
    const char *detail = outcome_detail(ctx, job->change, job->outcome, NULL, why->message);
    struct error trouble = ctx->error;
    int signal_number = interrupt_take();
    bool is_recorded = db_is_connected(rollout->db) &&
                       journal_update(ctx, &rollout->journal, job->entry,
                           is_clean ? job->failed_state : job->leftover_state, detail);

    interrupt_put(signal_number);
    ctx->error = *why;
    error_wrap(ctx, "building %s", object);
    if (text_equal(why->sqlstate, DUPLICATE_TABLE)) {
        ctx->error.kind = ERR_STALE;
        error_hint(ctx, "Make the plan again.");
        return error_state(ctx, "What took the name %s meanwhile was not touched.", object);
    }
    if (is_clean && is_recorded) {
        if (why->kind != ERR_INTERRUPTED && why->kind != ERR_TERMINATED && why->kind != ERR_GATE)
            ctx->error.kind = ERR_UNDONE;
        return error_state(ctx, "Nothing of %s is left; it was removed.", object);
    }
    if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    if (trouble.message && trouble.message != why->message)
        ctx->error.detail = trouble.message;
    error_hint(ctx,
        "Run the same command again: it finishes or removes what is left. By hand: "
        "DROP INDEX CONCURRENTLY IF EXISTS %s;",
        object);
    return error_state(ctx, "An unusable index %s may be left.", object);
}

static bool
succeed(struct ctx *ctx, const struct job *job, const struct sql_catalog_index *index)
{
    job->outcome->result = "built";
    job->outcome->is_done = true;
    if (!journal_update(ctx, &job->rollout->journal, job->entry, job->done_state,
            outcome_detail(ctx, job->change, job->outcome, index, NULL)))
        return error_state(ctx, "%s is built and good; the next run completes the journal.",
            change_object(ctx->arena, job->change));
    return true;
}

static bool
build(struct ctx *ctx, const struct job *job)
{
    struct rollout *rollout = job->rollout;
    const struct change *change = job->change;

    for (int attempt = 0;; attempt++) {
        struct sql_catalog_index index;
        bool has_survived;

        job->outcome->attempts = attempt + 1;
        if (attempt_build(ctx, rollout, change, job->outcome, &index))
            return succeed(ctx, job, &index);

        struct error why = ctx->error;
        bool is_retriable = is_worth_a_retry(ctx) && !interrupt_signal();
        bool is_clean = clean_up(ctx, rollout, change, &has_survived);

        if (is_clean && has_survived) {
            if (!rollout_find_index(ctx, rollout->db, change->schema, change->name, &index))
                return false;
            job->outcome->bytes = index.bytes;
            return succeed(ctx, job, &index);
        }
        if (!is_clean || !is_retriable || attempt >= rollout->limits.retries)
            return give_up(ctx, job, &why, is_clean);
        rollout_note(rollout,
            arena_printf(ctx->arena, "%s; nothing is left of it, trying again", why.message));
        if (!rollout_pause(attempt + 2)) {
            interrupt_error(ctx, interrupt_signal());
            why = ctx->error;
            return give_up(ctx, job, &why, true);
        }
    }
}

bool
index_build_for(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    struct journal_entry *entry, struct rollout_outcome *ret)
{
    const struct job job = {
        .rollout = rollout,
        .change = change,
        .entry = entry,
        .outcome = ret,
        .done_state = ENTRY_UNDONE,
        .failed_state = ENTRY_DONE,
        .leftover_state = ENTRY_UNDOING,
    };

    return build(ctx, &job);
}

bool
index_build(
    struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    const struct job job = {
        .rollout = rollout,
        .change = change,
        .entry = &entry,
        .outcome = ret,
        .done_state = ENTRY_DONE,
        .failed_state = ENTRY_FAILED,
        .leftover_state = ENTRY_LEFTOVER,
    };

    if (!work_begin(ctx, rollout, change, outcome_detail(ctx, change, ret, NULL, NULL), &entry))
        return false;
    if (change->action == ACTION_REPAIR &&
        !rollout_drop(ctx, rollout, change->schema, change->name, rollout->limits.drop_us, ret)) {
        struct error why = ctx->error;

        return give_up(ctx, &job, &why, false);
    }
    return build(ctx, &job);
}
