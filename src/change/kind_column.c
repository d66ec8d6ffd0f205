/* Adding a column that may be NULL and has no default: the catalogue alone changes. */
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

/* A column as planned, and as it was made. */
struct column {
    struct change about;
    const char *type;
    const char *storage; /* NULL: the type's own */
    int64_t number;      /* 0: not known yet */
};

/* The server's own wording of the type, from an empty temporary table that is rolled back. */
static bool
try_column(
    struct ctx *ctx, struct db *db, struct change *change, const char **ret_type, bool *ret_good)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_change_column_now column;
    const char *oid;
    int64_t number = 0;
    const char *create =
        arena_printf(ctx->arena, "CREATE TEMPORARY TABLE pgmend_trial (%s %s) ON COMMIT DROP",
            db_ident(ctx->arena, change->name), change->type);
    const char *alter =
        arena_printf(ctx->arena, "ALTER TABLE pg_temp.pgmend_trial ALTER COLUMN %s SET STORAGE %s",
            db_ident(ctx->arena, change->name), change->storage ? change->storage : "");

    *ret_good = false;
    *ret_type = NULL;
    if (!db_begin(ctx, db, "READ WRITE", &transaction))
        return false;
    if (!db_exec(ctx, db, create) || (change->storage && !db_exec(ctx, db, alter)))
        return work_take_refusal(ctx, change);
    if (!db_value(ctx, db, "SELECT 'pg_temp.pgmend_trial'::pg_catalog.regclass::pg_catalog.oid",
            NULL, 0, &oid) ||
        !oid || !text_to_int64(oid, &number) ||
        !work_find_column(ctx, db, (uint32_t)number, change->name, &column))
        return error_wrap(ctx, "trying the column %s", change->name);
    *ret_type = column.type;
    *ret_good = column.is_plain;
    if (!column.is_plain)
        return change_block(change,
            "a column with a default, a constraint or of a domain would rewrite or check every row",
            "add it without, and fill it");
    return true;
}

static const char *
describe(struct arena *arena, const struct sql_change_column_now *column)
{
    return arena_printf(arena, "%s, storage %s%s", column->type, column->storage,
        column->is_plain ? "" : ", with a default, a constraint or not null");
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    struct sql_change_column_now column;
    const char *type;
    bool is_good;

    (void)journal;
    if (!work_find_table(ctx, db, change, &table, &is_good))
        return false;
    if (!is_good)
        return true;
    if (!try_column(ctx, db, change, &type, &is_good))
        return false;
    if (!is_good)
        return true;
    if (!work_find_column(ctx, db, table.oid, change->name, &column))
        return false;
    if (!column.number)
        return true;
    if (column.is_plain && text_equal(column.type, type) &&
        (!change->storage || text_equal(column.storage, change->storage))) {
        change->action = ACTION_NONE;
        change->problem = "it is there already, with this type and storage";
        return true;
    }
    return change_block(change,
        arena_printf(
            ctx->arena, "the name is taken by another column: %s", describe(ctx->arena, &column)),
        "rename that one, or drop it first");
}

static bool
is_added(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct column *planned = data;
    struct sql_change_column_now column;

    if (!work_find_column(ctx, db, planned->about.table_oid, planned->about.name, &column))
        return false;
    *ret = column.number && column.is_plain && text_equal(column.type, planned->type) &&
           (!planned->storage || text_equal(column.storage, planned->storage));
    return true;
}

static const char *
detail_of(struct ctx *ctx, const struct column *column)
{
    json_t *json CLEANUP(json_release) = work_about(&column->about);

    json_object_set_new(json, "type", json_string(column->type));
    if (column->storage)
        json_object_set_new(json, "storage", json_string(column->storage));
    if (column->number)
        json_object_set_new(json, "number", json_integer(column->number));
    return json_text(ctx->arena, json);
}

static bool
read_detail(struct ctx *ctx, const struct journal_entry *entry, struct column *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct column){
        .type = json_get_text(ctx->arena, json, "type", ""),
        .storage = json_get_text(ctx->arena, json, "storage", NULL),
        .number = json_get_int(json, "number", 0),
    };
    work_read_about(ctx, json, &ret->about);
    return true;
}

/* Notes under which number the column stands: no other one of the table ever has it. */
static bool
note_number(struct ctx *ctx, struct db *db, struct column *column)
{
    struct sql_change_column_now now;

    if (!work_find_column(ctx, db, column->about.table_oid, column->about.name, &now))
        return false;
    column->number = now.number;
    return true;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct column column = { .about = *change, .storage = change->storage };
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "adding %s", change_object(ctx->arena, change)),
        .limit_us = rollout->limits.wait_us,
        .is_done = is_added,
        .data = &column,
    };
    struct sql_change_table_now table;
    bool is_good;

    if (!work_find_table(ctx, rollout->db, change, &table, &is_good) ||
        !try_column(ctx, rollout->db, change, &column.type, &is_good))
        return false;
    if (!is_good)
        return error_set(ctx, ERR_STALE, "%s: %s", ret->name, change->problem);
    column.about.table_oid = table.oid;
    text_list_add(ctx->arena, &ddl.statements, change->statement);
    if (change->storage)
        text_list_add(ctx->arena, &ddl.statements,
            arena_printf(ctx->arena, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s",
                change_relation(ctx->arena, change), db_ident(ctx->arena, change->name),
                change->storage));
    if (!work_begin(ctx, rollout, change, detail_of(ctx, &column), &entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret) || !note_number(ctx, rollout->db, &column))
        return work_fail(ctx, rollout, &entry);
    ret->result = "added";
    return work_succeed(ctx, rollout, &entry, detail_of(ctx, &column), ret);
}

static bool
is_dropped(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct column *column = data;
    struct sql_change_column_now now;

    if (!work_find_column(ctx, db, column->about.table_oid, column->about.name, &now))
        return false;
    *ret = now.number != column->number;
    return true;
}

/* The column has to be ours still, and nothing may rest on it. */
static bool
require_free(struct ctx *ctx, struct db *db, const struct journal_entry *entry,
    const struct column *column, bool *ret_gone)
{
    struct sql_change_column_now now;
    struct sql_change_column_users_rows users;

    *ret_gone = false;
    if (!work_find_column(ctx, db, column->about.table_oid, column->about.name, &now))
        return false;
    *ret_gone = !now.number;
    if (!now.number)
        return true;
    if (now.number != column->number || !text_equal(now.type, column->type))
        return error_set(ctx, ERR_CONFLICT,
            "%s is not the column that pgmend added: it was made or altered since", entry->object);
    if (!sql_change_column_users(
            ctx, db, &users, .table_oid = column->about.table_oid, .number = now.number))
        return false;
    if (users.count == 1 && users.items[0].users) {
        error_set(ctx, ERR_CONFLICT, "%s is used: %s", entry->object, users.items[0].users);
        return error_hint(ctx, "Drop or undo that first.");
    }
    return true;
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct column column;
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "dropping %s", entry->object),
        .limit_us = rollout->limits.drop_us,
        .is_done = is_dropped,
        .data = &column,
    };
    bool is_gone;

    if (!read_detail(ctx, entry, &column))
        return false;
    if (!require_free(ctx, rollout->db, entry, &column, &is_gone))
        return work_keep(ctx, rollout, entry);
    if (is_gone)
        return work_undone(ctx, rollout, entry, "was gone already", ret);
    text_list_add(ctx->arena, &ddl.statements,
        arena_printf(ctx->arena, "ALTER TABLE %s DROP COLUMN %s",
            change_relation(ctx->arena, &column.about), db_ident(ctx->arena, column.about.name)));
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(ctx, rollout, entry, "dropped", ret);
}

/* The catalogue tells whether the transaction was committed before the end came. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct column column;
    bool is_there;

    if (!read_detail(ctx, entry, &column) || !is_added(ctx, rollout->db, &column, &is_there) ||
        !note_number(ctx, rollout->db, &column))
        return false;
    rollout_note(rollout, arena_printf(ctx->arena, "an earlier run was cut off %s %s was added",
                              is_there ? "after" : "before", entry->object));
    if (!is_there)
        return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
    return journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, detail_of(ctx, &column));
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct column column;
    struct sql_change_column_now now;
    bool is_there;

    if (!read_detail(ctx, entry, &column) || !is_added(ctx, db, &column, &is_there) ||
        !work_find_column(ctx, db, column.about.table_oid, column.about.name, &now))
        return false;
    *ret_now = !now.number                               ? "missing"
               : is_there && now.number == column.number ? "there"
                                                         : "altered since";
    return true;
}

const struct change_kind kind_column = {
    .name = KIND_COLUMN,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
