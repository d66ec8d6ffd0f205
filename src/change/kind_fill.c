/*
 * Filling a column of the rows that are there already; rows that come or change meanwhile are the
 * trigger's work. What is filled stays, and a run that was cut off is gone on with.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/fill.h"
#include "change/journal_file.h"
#include "change/judge.h"
#include "db/ident.h"

static bool
find_key(struct ctx *ctx, struct db *db, struct change *change, struct sql_change_fill_key *ret,
    bool *ret_good)
{
    struct sql_change_fill_key_rows rows;

    *ret_good = false;
    if (!sql_change_fill_key(ctx, db, &rows, .table_oid = change->table_oid, .name = change->key))
        return false;
    if (rows.count != 1)
        return change_block(
            change, arena_printf(ctx->arena, "there is no column %s", change->key), NULL);
    *ret = rows.items[0];
    if (!ret->is_known)
        return change_block(change,
            arena_printf(ctx->arena,
                "the key %s is of type %s: its order is not known to be that "
                "of its operators",
                change->key, ret->type),
            "a key of one of the server's own types is needed");
    if (!ret->is_indexed)
        return change_block(change,
            arena_printf(ctx->arena,
                "the column %s cannot be gone through in order: it may be NULL "
                "or is not the first of an index",
                change->key),
            "give the table a primary key");
    *ret_good = true;
    return true;
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    const struct journal_entry *last;
    struct sql_change_table_now table;
    struct sql_change_column_now column;
    struct sql_change_fill_key key;
    bool is_good;

    if (!work_find_table(ctx, db, change, &table, &is_good))
        return false;
    if (!is_good)
        return true;
    change->table_oid = table.oid;
    if (!find_key(ctx, db, change, &key, &is_good) ||
        !work_find_column(ctx, db, table.oid, change->column, &column))
        return false;
    last = work_last(journal, KIND_FILL, change_object(ctx->arena, change));
    if (!is_good || !last || !column.number)
        return true;
    if (text_equal(last->state, ENTRY_DONE) && text_equal(last->statement, change->statement) &&
        work_number(ctx, last, "number") == column.number) {
        change->action = ACTION_NONE;
        change->problem = "it is filled already";
    }
    return true;
}

const char *
fill_detail(struct ctx *ctx, const struct fill *fill)
{
    json_t *json CLEANUP(json_release) = work_about(&fill->about);

    json_object_set_new(json, "number", json_integer(fill->number));
    json_object_set_new(json, "pass", json_integer(fill->pass));
    json_object_set_new(json, "seen", json_integer(fill->seen));
    json_object_set_new(json, "filled", json_integer(fill->filled));
    if (fill->last_key)
        json_object_set_new(json, "last_key", json_string(fill->last_key));
    return json_text(ctx->arena, json);
}

/* Where an earlier run stopped; it counts for the same column and statement only. */
static bool
find_open(struct ctx *ctx, struct rollout *rollout, const struct change *change, struct fill *fill,
    struct journal_entry *ret, bool *ret_found)
{
    struct journal_entries entries;
    const struct journal_entry *last;
    json_t *json CLEANUP(json_release) = NULL;

    *ret_found = false;
    if (!journal_load(ctx, rollout->db, &entries))
        return false;
    last = work_last(&entries, KIND_FILL, change_object(ctx->arena, change));
    if (!last || !journal_entry_is_open(last))
        return true;
    *ret = *last;
    if (!work_detail(ctx, last, &json))
        return false;
    if (!text_equal(last->statement, change->statement) ||
        json_get_int(json, "number", 0) != fill->number)
        return journal_update(ctx, &rollout->journal, ret, ENTRY_FAILED, NULL);
    fill->pass = json_get_int(json, "pass", 1);
    fill->last_key = json_get_text(ctx->arena, json, "last_key", NULL);
    fill->seen = json_get_int(json, "seen", 0);
    fill->filled = json_get_int(json, "filled", 0);
    if (fill->pass > 1) {
        fill->last_key = NULL;
        fill->seen = 0;
    }
    *ret_found = true;
    return true;
}

/* Triggers that would see every row change; those that we made ourselves are meant to. */
static bool
warn_of_triggers(
    struct ctx *ctx, struct rollout *rollout, const struct change *change, const char *names)
{
    struct journal_entries entries;
    json_t *json CLEANUP(json_release) = NULL;
    struct text_list foreign = { 0 };
    size_t i;
    const json_t *name;

    if (!journal_load(ctx, rollout->db, &entries) || !json_parse(ctx, "triggers", names, &json))
        return false;
    json_array_foreach(json, i, name)
    {
        struct change trigger = *change;
        const struct journal_entry *own;

        trigger.kind = KIND_TRIGGER;
        trigger.name = arena_strdup(ctx->arena, json_string_value(name));
        own = work_last(&entries, KIND_TRIGGER, change_object(ctx->arena, &trigger));
        if (!own || !text_equal(own->state, ENTRY_DONE))
            text_list_add(ctx->arena, &foreign, trigger.name);
    }
    if (foreign.count > 0)
        rollout_note(rollout,
            arena_printf(ctx->arena,
                "the triggers of %s fire for each row that is filled (only a superuser can keep "
                "them from it): %s",
                change_relation(ctx->arena, change), text_list_join(ctx->arena, &foreign, ", ")));
    return true;
}

/* All that is to be known of column and key before the first batch. */
static bool
prepare(struct ctx *ctx, struct rollout *rollout, struct change *change, struct fill *ret,
    double *ret_total)
{
    struct sql_change_table_now table;
    struct sql_change_column_now column;
    struct sql_change_fill_key key;
    struct journal_entries entries;
    struct change added = *change;
    const struct journal_entry *own;
    bool is_good;

    added.kind = KIND_COLUMN;
    if (!work_find_table(ctx, rollout->db, change, &table, &is_good) ||
        !work_find_column(ctx, rollout->db, table.oid, change->column, &column) ||
        !find_key(ctx, rollout->db, change, &key, &is_good) ||
        !journal_load(ctx, rollout->db, &entries))
        return false;
    if (!column.number || !is_good)
        return error_set(ctx, ERR_STALE, "%s cannot be filled: %s",
            change_object(ctx->arena, change), is_good ? "it is not there" : change->problem);
    own = work_last(&entries, KIND_COLUMN, change_object(ctx->arena, &added));
    *ret = (struct fill){
        .about = *change,
        .column = change->column,
        .expression = change->expression,
        .type = column.type,
        .key = change->key,
        .key_type = key.type,
        .number = column.number,
        .is_own = own && text_equal(own->state, ENTRY_DONE) &&
                  work_number(ctx, own, "number") == column.number,
        .is_silent = key.may_silence,
        .pass = 1,
    };
    *ret_total = table.rows;
    if (!fill_try(ctx, rollout->db, ret))
        return error_wrap(ctx, "trying what %s is filled with", change_object(ctx->arena, change));
    return key.may_silence || warn_of_triggers(ctx, rollout, change, key.triggers);
}

/* It stopped: what is filled stays, and the entry stays open for the next run. */
static bool
stop(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry, const struct fill *fill)
{
    struct error why = ctx->error;

    entry->detail = fill_detail(ctx, fill);
    (void)!journal_file_add_entry(ctx, rollout->journal.file, entry);
    ctx->error = why;
    error_wrap(ctx, "filling %s", entry->object);
    if (ctx->error.kind == ERR_SERVER || ctx->error.kind == ERR_VERIFICATION)
        ctx->error.kind = ERR_ATTENTION;
    if (!ctx->error.hint)
        error_hint(ctx, "Run the same command again: it goes on where it stopped. Or \"pgmend "
                        "rollback\".");
    return error_state(ctx,
        "%lld rows of %s are filled and stay; the same command goes on after them.",
        (long long)fill->filled, entry->object);
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct fill fill;
    double total;
    bool is_open;
    int64_t started = clock_us();

    if (!prepare(ctx, rollout, change, &fill, &total) ||
        !find_open(ctx, rollout, change, &fill, &entry, &is_open))
        return error_state(ctx, "%s was not begun.", ret->name);
    if (is_open)
        rollout_note(
            rollout, arena_printf(ctx->arena, "%s: going on after %lld rows that are filled",
                         entry.object, (long long)fill.filled));
    else if (!work_begin(ctx, rollout, change, fill_detail(ctx, &fill), &entry))
        return false;
    if (!fill_run(ctx, rollout, &fill, total, &entry))
        return stop(ctx, rollout, &entry, &fill);
    ret->us = clock_us() - started;
    ret->attempts = 1;
    ret->result =
        arena_printf(ctx->arena, "filled, %s rows", text_from_count(ctx->arena, fill.filled));
    return work_succeed(ctx, rollout, &entry, fill_detail(ctx, &fill), ret);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    return work_undone(ctx, rollout, entry, "goes with its column", ret);
}

/* A fill that was cut off is left for apply, or for a rollback; unless its column is gone. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct change about;
    struct sql_change_column_now column;

    if (!work_detail(ctx, entry, &json))
        return false;
    work_read_about(ctx, json, &about);
    if (!work_find_column(ctx, rollout->db, about.table_oid, about.name, &column))
        return false;
    if (column.number == json_get_int(json, "number", 0))
        return true;
    return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    (void)db;
    *ret_now = arena_printf(ctx->arena, "%s rows filled",
        text_from_count(ctx->arena, work_number(ctx, entry, "filled")));
    return true;
}

const struct change_kind kind_fill = {
    .name = KIND_FILL,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
