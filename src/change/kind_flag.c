/*
 * A flag of pgmend.flag (src/flags sets them): undone to what it was before. One that was turned off is
 * an entry of its own kind, which no rollback takes back: what was found to be wrong or slow is turned on
 * again by hand only.
 */
#include <math.h>

#include "change/judge.h"
#include "change/kind_part.h"

struct state {
    const char *variant; /* NULL: there is no such flag */
    const char *salt;
    const char *reason;
    int64_t percent;
    double shadow_ratio;
    int64_t fallback;
    int64_t until_us; /* only of what is there now */
};

static struct state
state_of(struct arena *arena, const json_t *json)
{
    if (!json_is_object(json))
        return (struct state){ 0 };
    return (struct state){
        .variant = json_get_text(arena, json, "variant", ""),
        .salt = json_get_text(arena, json, "salt", ""),
        .reason = json_get_text(arena, json, "reason", ""),
        .percent = json_get_int(json, "percent", 0),
        .shadow_ratio = json_get_double(json, "shadow_ratio", 0),
        .fallback = json_get_int(json, "fallback", 0),
    };
}

static bool
read_now(struct ctx *ctx, struct db *db, const char *name, struct state *ret)
{
    struct sql_flags_flag_now_rows rows;
    struct sql_flags_exists_rows table;

    *ret = (struct state){ 0 };
    if (!sql_flags_exists(ctx, db, &table))
        return false;
    if (table.count != 1 || !table.items[0].is_there)
        return true;
    if (!sql_flags_flag_now(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "reading flag %s", name);
    if (rows.count == 1)
        *ret = (struct state){
            .variant = rows.items[0].variant,
            .salt = rows.items[0].salt,
            .reason = rows.items[0].reason,
            .percent = rows.items[0].percent,
            .shadow_ratio = rows.items[0].shadow_ratio,
            .fallback = rows.items[0].fallback,
            .until_us = rows.items[0].until_us,
        };
    return true;
}

/* How long a roll-out lives, and for what reason, makes no difference. */
static bool
is_same(const struct state *a, const struct state *b)
{
    return !a->variant == !b->variant &&
           (!a->variant || (text_equal(a->variant, b->variant) && a->percent == b->percent &&
                               text_equal(a->salt, b->salt)));
}

static bool
has_same_shadow(const struct state *a, const struct state *b)
{
    return fabs(a->shadow_ratio - b->shadow_ratio) < 1e-9;
}

struct about {
    const char *name;
    struct state before;
    struct state after;
    struct state now;
};

static bool
read_about(struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct about *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *start;

    if (!work_detail(ctx, entry, &json))
        return false;
    /* A step of a roll-out goes back to what was before the roll-out. */
    start = json_object_get(json, "start");
    *ret = (struct about){
        .name = json_get_text(ctx->arena, json, "name", entry->object),
        .before = state_of(ctx->arena, json_object_get(json, start ? "start" : "before")),
        .after = state_of(ctx->arena, json_object_get(json, "after")),
    };
    return read_now(ctx, db, ret->name, &ret->now);
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    (void)ctx;
    (void)db;
    (void)journal;
    return change_block(change, "a flag is no part of a plan", "pgmend flags set");
}

static bool
put(struct ctx *ctx, struct db *db, const char *name, const struct state *state,
    const struct state *now)
{
    /* Only its shadows go back: a roll-out that is alive keeps its guard. */
    const struct state *guarded = is_same(state, now) ? now : &(struct state){ 0 };

    struct sql_flags_put_flag_rows rows;
    struct sql_flags_delete_flag_rows gone;

    if (!state->variant)
        return sql_flags_delete_flag(ctx, db, &gone, .name = name);
    return sql_flags_put_flag(ctx, db, &rows, .name = name, .variant = state->variant,
        .percent = (int32_t)state->percent, .salt = state->salt,
        .shadow_ratio = state->shadow_ratio, .until_us = guarded->until_us,
        .fallback = (int32_t)guarded->fallback, .reason = "rollback");
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct about about;

    if (!read_about(ctx, rollout->db, entry, &about))
        return false;
    if (is_same(&about.now, &about.before) && has_same_shadow(&about.now, &about.before))
        return work_undone(ctx, rollout, entry, "was undone already", ret);
    if (about.now.variant && about.now.percent == 0 &&
        (about.after.percent != 0 || about.now.shadow_ratio <= 0))
        return work_undone(ctx, rollout, entry, "was turned off since, and stays off", ret);
    if (!is_same(&about.now, &about.after)) {
        error_set(ctx, ERR_CONFLICT, "flag %s was set anew since", entry->object);
        return work_keep(ctx, rollout, entry);
    }
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!put(ctx, rollout->db, about.name, &about.before, &about.now))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    ret->result = about.before.variant
                      ? arena_printf(ctx->arena, "back to %lld %%", (long long)about.before.percent)
                      : "back to 0 %: there was no such flag before";
    return work_undone(ctx, rollout, entry, ret->result, ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct about about;

    if (!read_about(ctx, rollout->db, entry, &about))
        return false;
    return journal_update(ctx, &rollout->journal, entry,
        is_same(&about.now, &about.after) ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct about about;

    if (!read_about(ctx, db, entry, &about))
        return false;
    *ret_now = !about.now.variant                  ? "missing"
               : about.now.percent == 0            ? "off"
               : is_same(&about.now, &about.after) ? "set"
                                                   : "set anew since";
    return true;
}

const struct change_kind kind_flag = {
    .name = KIND_FLAG,
    .judge = judge,
    .undo = undo,
    .heal = heal,
    .look = look,
};

const struct change_kind kind_flag_off = {
    .name = KIND_FLAG_OFF,
    .judge = judge,
    .heal = heal,
    .look = look,
};
