/* Dropping an index that something better has replaced; undone by building it again. */
#include "base/interrupt.h"
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

static bool
is_good(const struct sql_catalog_index *index)
{
    return index->is_valid && index->is_ready && index->is_live;
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    struct sql_catalog_index index;
    bool is_found;

    (void)journal;
    if (!work_find_table(ctx, db, change, &table, &is_found))
        return false;
    if (!is_found)
        return true;
    if (!rollout_find_index(ctx, db, change->schema, change->name, &index))
        return false;
    if (!index.oid) {
        change->action = ACTION_NONE;
        change->problem = "it is gone already";
        return true;
    }
    if (index.kind[0] != 'i' || index.table_oid != table.oid)
        return change_block(change, "the name is that of something else now", NULL);
    if (index.constraint_name || index.serves)
        return change_block(change,
            arena_printf(ctx->arena, "it serves %s",
                index.constraint_name ? index.constraint_name : index.serves),
            "leave it");
    if (is_good(&index) && !change_is_index(change, index.is_unique, index.definition))
        return change_block(change,
            arena_printf(ctx->arena, "it is another index than planned: %s", index.definition),
            "make the plan again");
    return true;
}

static const char *
detail_of(struct ctx *ctx, const struct change *change, const struct sql_catalog_index *index)
{
    json_t *json CLEANUP(json_release) = work_about(change);

    json_object_set_new(json, "definition", json_string(index->definition));
    json_object_set_new(json, "is_unique", json_boolean(index->is_unique));
    json_object_set_new(json, "index_oid", json_integer(index->oid));
    json_object_set_new(json, "bytes", json_integer(index->bytes));
    json_object_set_new(json, "was_valid", json_boolean(is_good(index)));
    if (change->settings)
        json_object_set_new(json, "settings", json_string(change->settings));
    return json_text(ctx->arena, json);
}

/* The index of an entry as a change that would build it; *ret_was_good: it was usable. */
static bool
read_detail(
    struct ctx *ctx, const struct journal_entry *entry, struct change *ret, bool *ret_was_good)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    work_read_about(ctx, json, ret);
    *ret_was_good = json_get_bool(json, "was_valid", true);
    ret->kind = KIND_INDEX;
    ret->definition = json_get_text(ctx->arena, json, "definition", "");
    ret->is_unique = json_get_bool(json, "is_unique", false);
    ret->settings = json_get_text(ctx->arena, json, "settings", NULL);
    ret->statement = arena_printf(ctx->arena, "CREATE %sINDEX CONCURRENTLY %s ON %s %s",
        ret->is_unique ? "UNIQUE " : "", db_ident(ctx->arena, ret->name),
        change_relation(ctx->arena, ret), ret->definition);
    return true;
}

/* It could not be dropped: it is as it was, or the planner ignores it already. */
static bool
give_up(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct change *change)
{
    struct error why = ctx->error;
    struct sql_catalog_index index;
    bool is_whole = db_is_connected(rollout->db) &&
                    rollout_find_index(ctx, rollout->db, change->schema, change->name, &index) &&
                    index.oid && is_good(&index);

    ctx->error = why;
    if (is_whole)
        return work_fail(ctx, rollout, entry);
    error_wrap(ctx, "dropping %s", entry->object);
    if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Run the same command again: it goes on where it stopped. By hand: %s;",
        change->statement);
    return error_state(ctx,
        "%s is partly dropped: the planner may ignore it already, writes may still keep it up.",
        entry->object);
}

/*
 * The drop itself keeps trying, since it must not stop half-way: whether the table is free is found out
 * before it begins, within the limits that were given.
 */
static bool
wait_for_table(struct ctx *ctx, struct rollout *rollout, const struct change *change)
{
    for (int number = 0; !work_probe_lock(ctx, rollout, change); number++) {
        if (!is_passing(ctx) || number >= rollout->limits.retries || interrupt_signal() ||
            !rollout_pause(number + 1))
            return false;
        error_clear(ctx);
    }
    return true;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct sql_catalog_index index;

    if (!rollout_find_index(ctx, rollout->db, change->schema, change->name, &index) ||
        (index.oid && is_good(&index) && !wait_for_table(ctx, rollout, change)) ||
        !work_begin(ctx, rollout, change, detail_of(ctx, change, &index), &entry))
        return false;
    if (!rollout_drop(ctx, rollout, change->schema, change->name, rollout->limits.drop_us, ret))
        return give_up(ctx, rollout, &entry, change);
    ret->result = "dropped";
    ret->bytes = index.bytes;
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct change change;
    bool was_good;
    struct sql_catalog_index index;
    bool is_built;

    if (!read_detail(ctx, entry, &change, &was_good) ||
        !rollout_find_index(ctx, rollout->db, change.schema, change.name, &index))
        return false;
    /* No query could use it, and building it anew would be another thing than undoing. */
    if (!was_good && !text_equal(entry->state, ENTRY_UNDOING))
        return work_undone(ctx, rollout, entry, "was unusable: nothing to build again", ret);
    if (index.oid && is_good(&index) && change_is_index(&change, index.is_unique, index.definition))
        return work_undone(ctx, rollout, entry, "is there again already", ret);
    if (index.oid && (is_good(&index) || !text_equal(entry->state, ENTRY_UNDOING))) {
        error_set(ctx, ERR_CONFLICT, "the name %s is taken by something else since", entry->object);
        return work_keep(ctx, rollout, entry);
    }
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (index.oid &&
        !rollout_drop(ctx, rollout, change.schema, change.name, rollout->limits.drop_us, ret))
        return error_state(ctx, "The unusable index %s is left.", entry->object);
    rollout->settings = change.settings;
    is_built = rollout_set(ctx, rollout) && index_build_for(ctx, rollout, &change, entry, ret);
    rollout_reset(rollout);
    rollout->settings = NULL;
    if (is_built)
        ret->result = "built again";
    return is_built;
}

/* Cut off while it was dropped: either it had not begun, or it is ended now. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct change change;
    bool was_good;
    struct sql_catalog_index index;
    struct rollout_outcome outcome = { 0 };

    if (!read_detail(ctx, entry, &change, &was_good) ||
        !rollout_find_index(ctx, rollout->db, change.schema, change.name, &index))
        return false;
    if (index.oid && index.is_valid)
        return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
    if (index.oid) {
        if (!rollout_drop(
                ctx, rollout, change.schema, change.name, rollout->limits.drop_us, &outcome))
            return error_state(ctx, "The unusable index %s is left.", entry->object);
        rollout_note(rollout,
            arena_printf(ctx->arena, "the drop of %s that was cut off is finished", entry->object));
    }
    return journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct change change;
    bool was_good;
    struct sql_catalog_index index;

    if (!read_detail(ctx, entry, &change, &was_good) ||
        !rollout_find_index(ctx, db, change.schema, change.name, &index))
        return false;
    *ret_now = !index.oid ? "gone" : is_good(&index) ? "there again" : "INVALID";
    return true;
}

const struct change_kind kind_drop = {
    .name = KIND_DROP,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
