/* A partition for a period to come. */
#include "change/judge.h"
#include "change/kind_partition.h"
#include "db/ident.h"

static const char *
name_of(struct arena *arena, const struct change *change)
{
    return db_qualified(arena, change->schema, change->name);
}

/* Whether a relation of this name is there; oid 0: none. */
static bool
find(struct ctx *ctx, struct db *db, const char *schema, const char *name,
    struct sql_change_partition_now *ret)
{
    struct sql_change_partition_now_rows rows;

    *ret = (struct sql_change_partition_now){ 0 };
    if (!sql_change_partition_now(ctx, db, &rows, .schema = schema, .name = name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

/* The partition of the change; oid 0: the table has none of this name. */
static bool
find_part(struct ctx *ctx, struct db *db, const struct change *change, uint32_t parent,
    struct sql_change_partition_of *ret)
{
    struct sql_change_partition_of_rows rows;
    bool is_good;

    *ret = (struct sql_change_partition_of){ 0 };
    if (!partition_use_utc(ctx, db))
        return false;
    is_good = sql_change_partition_of(ctx, db, &rows, .table_oid = parent);
    partition_end_utc(db);
    for (size_t i = 0; is_good && i < rows.count; i++)
        if (text_equal(rows.items[i].name, change->name) &&
            text_equal(rows.items[i].schema, change->schema))
            *ret = rows.items[i];
    return is_good;
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_partition_now parent;
    struct sql_change_partition_now other;
    struct sql_change_partition_of part;

    (void)journal;
    if (!find(ctx, db, change->schema, change->table, &parent))
        return false;
    if (!parent.oid || parent.kind[0] != 'p' || parent.oid != change->table_oid)
        return change_block(change,
            arena_printf(ctx->arena, "%s is not the partitioned table that it was",
                change_relation(ctx->arena, change)),
            "make the plan again");
    if (!parent.may_own)
        return change_block(change,
            arena_printf(ctx->arena, "role %s may not alter %s", db_user(db),
                change_relation(ctx->arena, change)),
            "do it as its owner");
    if (!find_part(ctx, db, change, parent.oid, &part) ||
        !find(ctx, db, change->schema, change->name, &other))
        return false;
    if (part.oid && text_equal(part.bound, change->definition)) {
        change->action = ACTION_NONE;
        change->problem = "it is there already";
        return true;
    }
    if (other.oid)
        return change_block(change,
            arena_printf(ctx->arena, "the name %s is taken", name_of(ctx->arena, change)),
            "rename what has it");
    return true;
}

static bool
is_there(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct change *change = data;
    struct sql_change_partition_of part;

    if (!find_part(ctx, db, change, change->table_oid, &part))
        return false;
    *ret = part.oid != 0;
    return true;
}

static bool
is_gone(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    bool is_part;

    if (!is_there(ctx, db, data, &is_part))
        return false;
    *ret = !is_part;
    return true;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    json_t *json CLEANUP(json_release) = work_about(change);
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "adding %s", name_of(ctx->arena, change)),
        .limit_us = rollout->limits.wait_us,
        .is_done = is_there,
        .data = change,
    };

    if (!work_begin(ctx, rollout, change, json_text(ctx->arena, json), &entry))
        return false;
    text_list_add(ctx->arena, &ddl.statements, "SET LOCAL timezone = 'UTC'");
    text_list_add(ctx->arena, &ddl.statements, change->statement);
    if (!partition_run(ctx, rollout, &ddl, ret)) {
        if (text_equal(ctx->error.sqlstate, "23514"))
            error_hint(ctx,
                "Rows of this period stand in the default partition already: move them out of it, then "
                "the same command again; docs/partitioning.md says how.");
        return work_fail(ctx, rollout, &entry);
    }
    ret->result = "added";
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

static bool
read_about(struct ctx *ctx, const struct journal_entry *entry, struct change *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    work_read_about(ctx, json, ret);
    return true;
}

static bool
require_empty(struct ctx *ctx, struct db *db, const struct change *change)
{
    const char *row;

    if (!db_value(ctx, db,
            arena_printf(ctx->arena, "SELECT 1 FROM %s LIMIT 1", name_of(ctx->arena, change)), NULL,
            0, &row))
        return false;
    return !row || error_set(ctx, ERR_CONFLICT, "partition %s holds rows: it is not dropped",
                       name_of(ctx->arena, change));
}

/* Looked at again in the transaction: rows that came meanwhile make it fail, and nothing is dropped. */
static const char *
guarded_drop(struct arena *arena, const struct change *change)
{
    const char *name = name_of(arena, change);

    return arena_printf(arena,
        "DO $pgmend$ BEGIN LOCK TABLE %s IN ACCESS EXCLUSIVE MODE; IF EXISTS (SELECT 1 FROM %s) THEN "
        "RAISE EXCEPTION 'partition %% holds rows', %s; END IF; DROP TABLE %s; END $pgmend$",
        name, name, db_literal(arena, name), name);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct change change;
    bool is_part;
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "dropping %s", entry->object),
        .limit_us = rollout->limits.drop_us,
        .is_done = is_gone,
        .data = &change,
    };

    if (!read_about(ctx, entry, &change) || !is_there(ctx, rollout->db, &change, &is_part))
        return false;
    if (!is_part)
        return work_undone(ctx, rollout, entry, "was gone already", ret);
    if (!require_empty(ctx, rollout->db, &change))
        return work_keep(ctx, rollout, entry);
    if (!work_undoing(ctx, rollout, entry))
        return false;
    text_list_add(ctx->arena, &ddl.statements, guarded_drop(ctx->arena, &change));
    if (!partition_run(ctx, rollout, &ddl, ret))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(ctx, rollout, entry, "dropped", ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct change change;
    bool is_part;

    return read_about(ctx, entry, &change) && is_there(ctx, rollout->db, &change, &is_part) &&
           journal_update(ctx, &rollout->journal, entry, is_part ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct change change;
    bool is_part;

    if (!read_about(ctx, entry, &change) || !is_there(ctx, db, &change, &is_part))
        return false;
    *ret_now = is_part ? "there" : "missing";
    return true;
}

const struct change_kind kind_partition_add = {
    .name = KIND_PARTITION_ADD,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
