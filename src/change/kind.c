/* The table of the kinds, and what each of them begins and ends with. */
#include "change/judge.h"
#include "change/kind_part.h"

static const struct change_kind kind_index = {
    .name = KIND_INDEX,
    .judge = index_judge,
    .apply = index_build,
    .undo = index_undo,
    .heal = index_heal,
};

static const struct change_kind *const kinds[] = { &kind_index, &kind_column, &kind_trigger,
    &kind_fill, &kind_drop, &kind_reindex, &kind_function, &kind_vacuum, &kind_record,
    &kind_setting, &kind_partition, &kind_partition_add, &kind_flag, &kind_flag_off };

const struct change_kind *
change_kind_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (text_equal(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

bool
change_judge(
    struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    const struct change_kind *kind = change_kind_find(change->kind);

    if (!kind)
        return change_block(change, "this pgmend does not know such a change", NULL);
    return kind->judge(ctx, db, journal, change);
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    bool is_good;

    rollout->settings = change->settings;
    is_good = rollout_set(ctx, rollout) &&
              change_kind_find(change->kind)->apply(ctx, rollout, change, ret);
    rollout_reset(rollout);
    rollout->settings = NULL;
    return is_good;
}

bool
rollout_create(
    struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entries known;

    *ret = (struct rollout_outcome){ .kind = change->kind };
    if (!change_check(ctx, change))
        return error_state(ctx, "%s was not begun.", change->name ? change->name : "The change");
    ret->name = change_object(ctx->arena, change);
    change->action = ACTION_CREATE;
    change->needs_consent = false;
    change->problem = NULL;
    if (!journal_load(ctx, rollout->db, &known) || !change_judge(ctx, rollout->db, &known, change))
        return false;
    ret->result = change->problem;
    if (change->action == ACTION_NONE || change->action == ACTION_EQUIVALENT)
        return true;
    if (change->action == ACTION_BLOCKED || (change->needs_consent && !change->has_consent)) {
        error_set(ctx, ERR_STALE, "%s: %s", ret->name, change->problem);
        error_hint(ctx, "Look at it first, then make the plan again%s%s.",
            change->remedy && change->needs_consent ? ", or " : "",
            change->remedy && change->needs_consent ? change->remedy : "");
        return false;
    }
    return apply(ctx, rollout, change, ret);
}

/* An entry of a newer pgmend stays as it is. */
static bool
refuse_unknown(struct ctx *ctx, const struct journal_entry *entry)
{
    error_set(ctx, ERR_UNSUPPORTED, "%s is of a kind that this pgmend does not know: \"%s\"",
        entry->object, entry->kind);
    return error_state(ctx, "%s was not touched.", entry->object);
}

bool
rollout_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    const struct change_kind *kind = change_kind_find(entry->kind);

    *ret = (struct rollout_outcome){ .name = entry->object, .kind = entry->kind };
    if (!kind)
        return refuse_unknown(ctx, entry);
    if (!kind->undo)
        return work_undone(ctx, rollout, entry, "nothing to undo", ret);
    return kind->undo(ctx, rollout, entry, ret);
}

bool
rollout_can_undo(const struct journal_entry *entry)
{
    if (!change_kind_find(entry->kind))
        return false;
    if (text_equal(entry->kind, KIND_FILL) && journal_entry_is_open(entry))
        return true;
    return text_equal(entry->state, ENTRY_DONE) || text_equal(entry->state, ENTRY_UNDOING);
}

/* The rollback of an entry was cut off: it is gone on with, or what stands stands. */
static bool
finish_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct rollout_outcome outcome;

    if (!rollout_undo(ctx, rollout, entry, &outcome)) {
        if (!text_equal(entry->state, ENTRY_DONE))
            return false;
        rollout_note(
            rollout, arena_printf(ctx->arena, "%s stays: %s", entry->object, ctx->error.message));
        error_clear(ctx);
        return true;
    }
    rollout_note(rollout,
        arena_printf(ctx->arena, "the rollback of %s that was cut off is finished", entry->object));
    return true;
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    const struct change_kind *kind = change_kind_find(entry->kind);

    if (!kind)
        return refuse_unknown(ctx, entry);
    if (kind != &kind_index && text_equal(entry->state, ENTRY_UNDOING))
        return finish_undo(ctx, rollout, entry);
    return kind->heal(ctx, rollout, entry);
}

bool
rollout_heal(struct ctx *ctx, struct rollout *rollout)
{
    struct journal_entries entries;
    bool is_healed = false;

    if (!journal_load(ctx, rollout->db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        struct journal_entry *entry = &entries.items[i];

        if (!journal_entry_is_open(entry))
            continue;
        if (!heal(ctx, rollout, entry))
            return error_wrap(ctx, "putting right what an earlier run left");
        is_healed = true;
    }
    /* A rollback of this run is not measured by what the earlier one had left. */
    return !is_healed || journal_retake(ctx, &rollout->journal);
}
