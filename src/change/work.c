/* What the kinds of change share: entries of the journal, and short DDL that gives way. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

bool
work_begin(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    const char *detail, struct journal_entry *ret)
{
    *ret = (struct journal_entry){
        .kind = change->kind,
        .object = change_object(ctx->arena, change),
        .relation = change_relation(ctx->arena, change),
        .statement = change->statement,
        .undo = change->undo,
        .detail = detail,
    };
    if (!journal_start(ctx, &rollout->journal, ret))
        return error_state(ctx, "%s was not begun.", ret->object);
    return true;
}

bool
work_succeed(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const char *detail, struct rollout_outcome *ret)
{
    ret->is_done = true;
    if (!journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, detail))
        return error_state(
            ctx, "%s is done and good; the next run completes the journal.", entry->object);
    return true;
}

/* Writes a state into the journal in spite of a signal; the error in ctx stays. */
static bool
write_down(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry, const char *state)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    bool is_written =
        db_is_connected(rollout->db) && journal_update(ctx, &rollout->journal, entry, state, NULL);

    interrupt_put(signal_number);
    ctx->error = why;
    return is_written;
}

static bool
is_signal(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

bool
work_fail(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    error_wrap(ctx, "%s %s", entry->kind, entry->object);
    if (write_down(ctx, rollout, entry, ENTRY_FAILED)) {
        if (!is_signal(ctx) && ctx->error.kind != ERR_GATE)
            ctx->error.kind = ERR_UNDONE;
        return error_state(ctx, "Nothing of %s was done.", entry->object);
    }
    if (!is_signal(ctx))
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run the same command again: it looks whether it was done.");
    return error_state(ctx, "It is not known whether %s was done.", entry->object);
}

bool
work_undoing(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    if (text_equal(entry->state, ENTRY_UNDOING) ||
        journal_update(ctx, &rollout->journal, entry, ENTRY_UNDOING, NULL))
        return true;
    return error_state(ctx, "%s was not touched.", entry->object);
}

bool
work_keep(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    bool is_refused = *ctx->error.sqlstate && ctx->error.kind != ERR_TIMEOUT &&
                      ctx->error.kind != ERR_CONNECTION && !is_signal(ctx);

    error_wrap(ctx, "undoing %s %s", entry->kind, entry->object);
    if (write_down(ctx, rollout, entry, ENTRY_DONE)) {
        if (is_refused)
            ctx->error.kind = ERR_CONFLICT;
        return error_state(ctx, "%s was not touched.", entry->object);
    }
    if (!is_signal(ctx))
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run \"pgmend rollback\" again: it goes on where it stopped.");
    return error_state(ctx, "It is not known whether %s was undone.", entry->object);
}

bool
work_undone(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const char *result, struct rollout_outcome *ret)
{
    ret->result = result;
    return journal_update(ctx, &rollout->journal, entry, ENTRY_UNDONE, NULL);
}

bool
work_detail(struct ctx *ctx, const struct journal_entry *entry, json_t **ret)
{
    if (!json_parse(ctx, "detail", entry->detail, ret))
        return error_wrap(ctx, "reading journal entry %lld", (long long)entry->id);
    return true;
}

json_t *
work_about(const struct change *change)
{
    return json_pack("{s:s?, s:s?, s:s, s:I}", "schema", change->schema, "table", change->table,
        "name", change->name, "table_oid", (json_int_t)change->table_oid);
}

void
work_read_about(struct ctx *ctx, const json_t *json, struct change *ret)
{
    *ret = (struct change){
        .schema = json_get_text(ctx->arena, json, "schema", NULL),
        .table = json_get_text(ctx->arena, json, "table", NULL),
        .name = json_get_text(ctx->arena, json, "name", ""),
        .table_oid = (uint32_t)json_get_int(json, "table_oid", 0),
    };
}

const struct journal_entry *
work_last(const struct journal_entries *journal, const char *kind, const char *object)
{
    const struct journal_entry *last = NULL;

    for (size_t i = 0; i < journal->count; i++)
        if (text_equal(journal->items[i].kind, kind) &&
            text_equal(journal->items[i].object, object))
            last = &journal->items[i];
    return last;
}

int64_t
work_number(struct ctx *ctx, const struct journal_entry *entry, const char *member)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!entry)
        return 0;
    if (!json_parse(ctx, "detail", entry->detail, &json)) {
        error_clear(ctx);
        return 0;
    }
    return json_get_int(json, member, 0);
}

bool
work_find_table(struct ctx *ctx, struct db *db, struct change *change,
    struct sql_change_table_now *ret, bool *ret_found)
{
    struct sql_change_table_now_rows rows;
    const char *relation = change_relation(ctx->arena, change);

    *ret_found = false;
    *ret = (struct sql_change_table_now){ 0 };
    if (!sql_change_table_now(ctx, db, &rows, .schema = change->schema, .name = change->table))
        return false;
    if (rows.count != 1)
        return change_block(
            change, arena_printf(ctx->arena, "table %s is not there", relation), NULL);
    *ret = rows.items[0];
    if (change->table_oid && change->table_oid != ret->oid)
        return change_block(change,
            arena_printf(ctx->arena, "%s is another table than when it was planned", relation),
            NULL);
    if (ret->kind[0] != 'r' || ret->is_partition || ret->has_children)
        return change_block(change,
            arena_printf(
                ctx->arena, "%s is not an ordinary table, or has partitions or children", relation),
            NULL);
    if (!ret->may_own)
        return change_block(change,
            arena_printf(ctx->arena, "role %s may not alter %s: it belongs to %s", db_user(db),
                relation, ret->owner),
            arena_printf(ctx->arena, "GRANT %s TO %s;", db_ident(ctx->arena, ret->owner),
                db_ident(ctx->arena, db_user(db))));
    *ret_found = true;
    return true;
}

bool
work_find_column(struct ctx *ctx, struct db *db, uint32_t table_oid, const char *name,
    struct sql_change_column_now *ret)
{
    struct sql_change_column_now_rows rows;

    *ret = (struct sql_change_column_now){ 0 };
    if (!sql_change_column_now(ctx, db, &rows, .table_oid = table_oid, .name = name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

bool
work_take_refusal(struct ctx *ctx, struct change *change)
{
    const char *detail = ctx->error.detail;

    if (ctx->error.kind == ERR_CONNECTION || is_signal(ctx) || !*ctx->error.sqlstate)
        return false;
    (void)change_block(change,
        arena_printf(ctx->arena, "the server refuses it: %s%s%s", ctx->error.message,
            detail ? ": " : "", detail ? detail : ""),
        ctx->error.hint);
    error_clear(ctx);
    return true;
}
