/*
 * A plain table becomes a partitioned one: a constraint and a unique index are prepared without stopping anybody,
 * then a short transaction gives the name to a new partitioned table, of which the old one is the first partition.
 */
#include "change/kind_partition.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "change/judge.h"
#include "db/ident.h"

static bool
is_exchanged(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    enum partition_phase phase;

    if (!partition_phase(ctx, db, data, &phase))
        return false;
    *ret = phase == PARTITION_EXCHANGED;
    return true;
}

/* The table is partitioned already: by us, as planned, or by somebody. */
static bool
judge_partitioned(struct ctx *ctx, struct db *db, const struct journal_entries *journal,
    struct change *change, bool *ret_known)
{
    struct sql_change_partition_now_rows now;
    const struct journal_entry *last;

    *ret_known = false;
    if (!sql_change_partition_now(ctx, db, &now, .schema = change->schema, .name = change->table))
        return false;
    if (now.count != 1 || now.items[0].kind[0] != 'p')
        return true;
    *ret_known = true;
    last = work_last(journal, KIND_PARTITION, change_object(ctx->arena, change));
    if (last && text_equal(last->state, ENTRY_DONE) &&
        text_equal(last->statement, change->statement)) {
        change->action = ACTION_NONE;
        change->problem = "it is partitioned already, as planned";
        return true;
    }
    return change_block(change,
        arena_printf(ctx->arena, "%s is partitioned already", change_relation(ctx->arena, change)),
        "\"pgmend partition extend\" makes the next partitions");
}

static bool
judge_bound(struct ctx *ctx, struct db *db, struct change *change)
{
    const char *const params[] = { change->expression };
    const char *is_far;

    if (!db_value(ctx, db,
            "SELECT pg_catalog.left($1, 19)::pg_catalog.timestamp > pg_catalog.timezone('UTC', "
            "pg_catalog.now()) + interval '1 day'",
            params, 1, &is_far))
        return work_take_refusal(ctx, change);
    if (text_equal(is_far, "t"))
        return true;
    return change_block(change,
        arena_printf(ctx->arena,
            "its old rows were to end at %s, which is too near: rows after it would be refused until "
            "the exchange",
            change->expression),
        "make the plan again");
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    struct partition made;
    bool is_good;
    bool is_known;

    if (!judge_partitioned(ctx, db, journal, change, &is_known) || is_known)
        return is_known;
    if (!work_find_table(ctx, db, change, &table, &is_good))
        return false;
    if (!is_good)
        return true;
    change->table_oid = table.oid;
    if (!judge_bound(ctx, db, change))
        return false;
    if (change->action == ACTION_BLOCKED)
        return true;
    if (!partition_compose(ctx, db, change, &made, &is_good))
        return false;
    if (is_good && change->statement &&
        !text_equal(change->statement, partition_text(ctx->arena, &made)))
        return change_block(change,
            "the table, its indexes, rights, triggers or policies were altered since it was planned",
            "make the plan again");
    return true;
}

static bool
has_check(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct partition *partition = data;
    struct sql_change_partition_constraints_rows rows;
    json_t *names CLEANUP(json_release) = json_pack("[s]", partition->bound_check);

    if (!sql_change_partition_constraints(ctx, db, &rows, .table_oid = partition->about.table_oid,
            .names = json_text(ctx->arena, names)))
        return false;
    *ret = rows.count == 1 && rows.items[0].count == 1;
    return true;
}

/* The constraint and the unique index. */
static bool
prepare(struct ctx *ctx, struct rollout *rollout, const struct partition *made)
{
    const char *relation = change_relation(ctx->arena, &made->about);
    struct ddl check = {
        .what = arena_printf(ctx->arena, "bounding the rows of %s", relation),
        .limit_us = rollout->limits.wait_us,
        .is_done = has_check,
        .data = made,
    };
    struct rollout_outcome ignored = { 0 };

    text_list_add(ctx->arena, &check.statements, made->before.items[0]);
    if (!partition_run(ctx, rollout, &check, &ignored))
        return false;
    fault_point("partition");
    if (!partition_run_alone(ctx, rollout,
            arena_printf(
                ctx->arena, "looking whether all rows of %s are before %s", relation, made->bound),
            made->before.items[1]))
        return false;
    fault_point("partition");
    return !*made->primary_index ||
           partition_build_index(ctx, rollout, made, made->primary_index, made->before.items[2]);
}

static bool
exchange(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    struct rollout_outcome *ret)
{
    const struct ddl ddl = {
        .what =
            arena_printf(ctx->arena, "exchanging %s", change_relation(ctx->arena, &made->about)),
        .statements = made->exchange,
        .limit_us = rollout->limits.wait_us,
        .is_done = is_exchanged,
        .data = made,
    };

    fault_point("partition");
    return partition_run(ctx, rollout, &ddl, ret);
}

/* Nothing shall be left of what was prepared; the error in ctx stays. */
static bool
give_up(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct partition *made)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    bool is_clean = (db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout)) &&
                    partition_remove_rests(ctx, rollout, made);

    interrupt_put(signal_number);
    ctx->error = why;
    if (is_clean)
        return work_fail(ctx, rollout, entry);
    if (why.kind != ERR_INTERRUPTED && why.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run the same command again: it removes what is left.");
    return error_state(ctx,
        "%s is what it was; the constraint %s or the index %s may be left on it.", entry->object,
        made->bound_check, made->primary_index);
}

/* Nobody else gathers the statistics of a partitioned table as a whole. */
static void
analyze(struct ctx *ctx, struct rollout *rollout, const struct change *change)
{
    const char *relation = change_relation(ctx->arena, change);

    if (partition_run_alone(ctx, rollout, arena_printf(ctx->arena, "analyzing %s", relation),
            arena_printf(ctx->arena, "ANALYZE %s", relation)))
        return;
    rollout_note(rollout, arena_printf(ctx->arena, "%s has no statistics as a whole yet: %s",
                              relation, ctx->error.message));
    error_clear(ctx);
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct partition made;
    int64_t started = clock_us();
    bool is_good;

    if (!partition_compose(ctx, rollout->db, change, &made, &is_good) ||
        (!is_good && error_set(ctx, ERR_STALE, "%s: %s", ret->name, change->problem)) || !is_good)
        return error_state(ctx, "%s was not begun.", ret->name);
    if (!work_begin(ctx, rollout, change, partition_detail(ctx, &made), &entry))
        return false;
    fault_point("partition");
    if (!prepare(ctx, rollout, &made) || !exchange(ctx, rollout, &made, ret))
        return give_up(ctx, rollout, &entry, &made);
    fault_point("partition");
    analyze(ctx, rollout, change);
    ret->us = clock_us() - started;
    ret->result = "partitioned";
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct partition made;
    enum partition_phase phase;

    if (!partition_read(ctx, entry, &made) || !partition_phase(ctx, rollout->db, &made, &phase))
        return false;
    if (phase == PARTITION_EXCHANGED) {
        analyze(ctx, rollout, &made.about);
        rollout_note(rollout, arena_printf(ctx->arena,
                                  "%s was partitioned before its run was cut off", entry->object));
        return journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, NULL);
    }
    if (phase == PARTITION_PLAIN && !partition_remove_rests(ctx, rollout, &made))
        return error_state(ctx, "What was prepared on %s is left on it.", entry->object);
    return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct partition made;
    enum partition_phase phase;

    if (!partition_read(ctx, entry, &made) || !partition_phase(ctx, db, &made, &phase))
        return false;
    *ret_now = phase == PARTITION_EXCHANGED ? "partitioned"
               : phase == PARTITION_MOVING  ? "rows are being moved back"
               : phase == PARTITION_PLAIN   ? "a plain table"
                                            : "altered since";
    return true;
}

const struct change_kind kind_partition = {
    .name = KIND_PARTITION,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = partition_undo,
    .heal = heal,
};
