/*
 * Back to a plain table. In one short transaction the old table gets its name again and the other partitions become
 * its children, so that all rows stay visible and new ones go into it; then their rows are moved, and they are dropped.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "change/judge.h"
#include "change/kind_partition.h"
#include "db/ident.h"

static bool
is_back(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    enum partition_phase phase;

    if (!partition_phase(ctx, db, data, &phase))
        return false;
    *ret = phase == PARTITION_MOVING || phase == PARTITION_PLAIN;
    return true;
}

/* A key that stands twice cannot be unique again. */
static bool
require_unique(struct ctx *ctx, struct db *db, const struct partition *made)
{
    struct result result;
    struct buffer values = { .arena = ctx->arena };

    if (!made->clash)
        return true;
    if (!db_query(ctx, db, made->clash, NULL, 0, &result))
        return false;
    if (result.rows == 0)
        return true;
    for (size_t i = 0; i < result.columns; i++)
        buffer_printf(&values, "%s%s", i > 0 ? ", " : "", result_cell(&result, 0, i));
    error_set(ctx, ERR_CONFLICT,
        "two rows of %s have the key (%s) = (%s): it cannot be unique again",
        change_relation(ctx->arena, &made->about), made->primary_columns, buffer_text(&values));
    return error_hint(ctx, "Delete or renumber one of them, then the same command again.");
}

static bool
add_statements(struct ctx *ctx, struct db *db, const struct partition *made, struct text_list *ret)
{
    struct arena *arena = ctx->arena;
    const char *relation = change_relation(arena, &made->about);
    struct sql_change_partition_now_rows now;
    struct sql_change_partition_of_rows parts;

    if (!sql_change_partition_now(
            ctx, db, &now, .schema = made->about.schema, .name = made->about.table))
        return false;
    if (now.count != 1 || !sql_change_partition_of(ctx, db, &parts, .table_oid = now.items[0].oid))
        return now.count == 1 ? false : error_set(ctx, ERR_CONFLICT, "%s is gone", relation);
    text_list_add(
        arena, ret, arena_printf(arena, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", relation));
    for (size_t i = 0; i < made->others.count; i++)
        text_list_add(arena, ret, made->others.items[i]);
    for (size_t i = 0; i < parts.count; i++)
        text_list_add(arena, ret,
            arena_printf(arena, "ALTER TABLE %s DETACH PARTITION %s", relation,
                db_qualified(arena, parts.items[i].schema, parts.items[i].name)));
    for (size_t i = 0; i < made->undo.count; i++)
        text_list_add(arena, ret, made->undo.items[i]);
    for (size_t i = 0; i < parts.count; i++)
        if (parts.items[i].oid != made->about.table_oid)
            text_list_add(arena, ret,
                arena_printf(arena, "ALTER TABLE %s INHERIT %s",
                    db_qualified(arena, parts.items[i].schema, parts.items[i].name), relation));
    return true;
}

static bool
exchange_back(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    struct rollout_outcome *ret)
{
    struct ddl ddl = {
        .what = arena_printf(
            ctx->arena, "exchanging %s back", change_relation(ctx->arena, &made->about)),
        .limit_us = rollout->limits.drop_us,
        .is_done = is_back,
        .data = made,
    };

    if (!require_unique(ctx, rollout->db, made))
        return false;
    if (*made->primary_back &&
        !partition_build_index(ctx, rollout, made, made->primary_back, made->primary_sql))
        return false;
    fault_point("partition");
    return add_statements(ctx, rollout->db, made, &ddl.statements) &&
           partition_run(ctx, rollout, &ddl, ret);
}

/* It stays partitioned: the index that was prepared for the way back goes. */
static bool
stay(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct partition *made)
{
    struct error why = ctx->error;
    struct rollout_outcome ignored = { 0 };
    enum partition_phase phase;

    if (*made->primary_back && db_is_connected(rollout->db) &&
        partition_phase(ctx, rollout->db, made, &phase) && phase == PARTITION_EXCHANGED)
        (void)!rollout_drop(ctx, rollout, made->about.schema, made->primary_back,
            rollout->limits.drop_us, &ignored);
    ctx->error = why;
    return work_keep(ctx, rollout, entry);
}

static bool
has_foreign_keys(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct partition *made = data;
    struct sql_change_partition_constraints_rows rows;

    if (!sql_change_partition_constraints(ctx, db, &rows, .table_oid = made->about.table_oid,
            .names = made->give_up ? made->give_up : "[]"))
        return false;
    *ret = rows.count == 1 && rows.items[0].count >= made->given_up;
    return true;
}

/* Foreign keys that were given up come back; rows that broke them meanwhile are named, not deleted. */
static bool
restore(struct ctx *ctx, struct rollout *rollout, const struct partition *made)
{
    const struct ddl ddl = {
        .what = "bringing back the foreign keys",
        .statements = made->restore,
        .limit_us = rollout->limits.drop_us,
        .is_done = has_foreign_keys,
        .data = made,
    };
    struct rollout_outcome ignored = { 0 };
    bool is_there;

    if (!has_foreign_keys(ctx, rollout->db, made, &is_there) ||
        (!is_there && !partition_run(ctx, rollout, &ddl, &ignored)))
        return false;
    for (size_t i = 0; i < made->validate.count; i++) {
        if (partition_run_alone(ctx, rollout, "checking the foreign keys", made->validate.items[i]))
            continue;
        if (!text_starts_with(ctx->error.sqlstate, "23"))
            return false;
        rollout_note(rollout,
            arena_printf(ctx->arena,
                "a foreign key is back, but rows written meanwhile break it: %s; mend them, then %s",
                ctx->error.detail ? ctx->error.detail : ctx->error.message,
                made->validate.items[i]));
        error_clear(ctx);
    }
    return true;
}

/* What is done stays done, and the entry stays "undoing" for the next run. */
static bool
stop(struct ctx *ctx, struct journal_entry *entry)
{
    error_wrap(ctx, "undoing %s %s", entry->kind, entry->object);
    if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run \"pgmend rollback\" again: it goes on where it stopped.");
    return error_state(ctx,
        "%s is a plain table again and shows all its rows; some of them stand in its children still.",
        entry->object);
}

bool
partition_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct partition made;
    enum partition_phase phase;
    int64_t moved = 0;
    int64_t started = clock_us();

    if (!partition_read(ctx, entry, &made) || !partition_phase(ctx, rollout->db, &made, &phase))
        return false;
    if (phase == PARTITION_FOREIGN) {
        error_set(ctx, ERR_CONFLICT, "%s is not the table that pgmend partitioned", entry->object);
        return work_keep(ctx, rollout, entry);
    }
    if (phase == PARTITION_PLAIN && !text_equal(entry->state, ENTRY_UNDOING))
        return work_undone(ctx, rollout, entry, "was a plain table already", ret);
    if (!work_undoing(ctx, rollout, entry))
        return false;
    fault_point("partition");
    if (phase == PARTITION_EXCHANGED && !exchange_back(ctx, rollout, &made, ret))
        return stay(ctx, rollout, entry, &made);
    fault_point("partition");
    if (!partition_move_back(ctx, rollout, &made, &moved) || !restore(ctx, rollout, &made))
        return stop(ctx, entry);
    ret->us = clock_us() - started;
    ret->is_done = true;
    return work_undone(ctx, rollout, entry,
        arena_printf(ctx->arena, "a plain table again, %s rows moved back",
            text_from_count(ctx->arena, moved)),
        ret);
}
